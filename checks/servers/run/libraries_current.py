"""Every program runs with the libraries that are on the disk.

An update of a library protects nobody until what has it mapped is started again: a web server that runs since before an update
of openssl goes on with the hole, while the package is shown as current. Article 12.3.

The rule: no process has code mapped from a file of a library or program that was since replaced or removed. Sessions of people
count too, since they may run for months; a process of the kernel has none. None runs a program that was put aside under
another name while a new one stands at its own. That is seen where the process was started by its whole path and keeps it. A file that is deleted and was no code of a folder
of libraries or programs, such as what a program compiles for itself, does not count.

Interpreters map no modules. A program of Python, Perl, Ruby or Node is unknown, by its name, while a file of code in its own folder or among the
modules that are installed for it is newer than the program. Modules in a new folder are a new package and do not count; of Python's, neither do
those that nothing imports which the program imports. It does not see what is imported otherwise, changes of an interpreter's own modules
without the interpreter, or programs in other languages that load code, such as Java. PHP reads its files anew.

Sources: proc(5) on maps, needrestart(1) on the same question. On Debian 13, after an update:

    ssh.service sshd /usr/lib/x86_64-linux-gnu/libcrypto.so.3
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import old_libraries
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="run.old-libraries",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(old_libraries.PROBE,),
    title=msg("every program runs with the libraries that are on the disk"),
    remedy=msg("Restart what is named, by 'systemctl restart UNIT', or reboot the host in an approved window."),
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts[old_libraries.PROBE]
    by_unit: dict[str, str] = {}
    for one in found.old:
        by_unit.setdefault(one.name if one.unit == "-" else one.unit, one.path.rpartition("/")[2])
    if by_unit:
        return failed(
            "old-code-runs",
            nmsg(
                "{n} service or session runs code that was replaced on the disk: {names}",
                "{n} services or sessions run code that was replaced on the disk: {names}",
                len(by_unit),
                names=listed(f"{unit} ({file})" for unit, file in sorted(by_unit.items())),
            ),
        )
    if found.modules:
        names = listed(
            f"{one.name if one.unit == '-' else one.unit} ({one.path.rpartition('/')[2]})" for one in found.modules
        )
        return unknown(
            "modules-changed",
            msg("programs of interpreters that may run modules from before a change of these: {names}", names=names),
        )
    return passed(msg("none of the {n} processes runs code that was replaced on the disk", n=found.processes))
