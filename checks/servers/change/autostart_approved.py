"""What starts by itself is what was approved.

A unit that is enabled or a line of cron is how an intruder comes back after a reboot, and how a forgotten job goes on
changing things. Article 12.2 asks that changes are approved.

The rule: the enabled units of systemd are exactly those declared under `enabled_units`. So are the units that start with the
host though nobody enabled them, since another of the host's own files asks for them or brought them: systemd's dependencies are
followed from default.target. Where it has loaded a unit otherwise than the disk has it, it is unknown what the next start does.
The files that cron reads, of the host and of every account, and generators of systemd that no package brought have exactly the
content that is declared under `cron_files`. So have the files of accounts that linger, whose own units start with the host. The content is compared by its digest: lines of cron may hold passwords.

Sources: systemctl(1), systemd.unit(5), systemd.generator(7), loginctl(1), crontab(5). On Debian 13:

    apt-daily.timer         enabled enabled
    9f2fdd4b4e7706dda74e8e443e1e1da0fbbb19c62a58e230e90d648b69177c35  /etc/cron.daily/dpkg
"""

from __future__ import annotations

from checks.servers.change._sets import changed, difference
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import boot_units, cron_files, enabled_units
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="change.autostart",
    clause="12.2",
    severity=Severity.MEDIUM,
    needs=(enabled_units.PROBE, cron_files.PROBE),
    uses=(boot_units.PROBE,),
    title=msg("everything that starts automatically was approved"),
    remedy=msg(
        "Have it approved and declare it, or turn it off by 'systemctl disable --now UNIT' or 'crontab -r -u NAME', "
        "or 'loginctl disable-linger NAME'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    cron, boot = facts[cron_files.PROBE], facts.get(boot_units.PROBE)
    extra = () if isinstance(boot, MissingFact) else boot.extra.values()
    units = facts[enabled_units.PROBE].union(extra)
    if facts.declared.enabled_units is not None:
        wrong = difference(units, facts.declared.enabled_units)
        if wrong:
            return failed("units-changed", msg("units {difference}", difference=wrong))
    if facts.declared.cron_files is not None:
        wrong = difference(cron, facts.declared.cron_files)
        if wrong:
            return failed("cron-changed", msg("cron files {difference}", difference=wrong))
        others = changed(cron, facts.declared.cron_files)
        if others:
            return failed(
                "cron-changed", msg("cron files with other content than approved: {paths}", paths=listed(others))
            )
    if facts.declared.enabled_units is None or facts.declared.cron_files is None:
        return unknown(
            "not-declared",
            msg(
                "what may start automatically is not declared; seen: {units} units and {files} cron files",
                units=len(units),
                files=len(cron),
            ),
        )
    if isinstance(boot, MissingFact):
        return missing(boot)
    if boot.stale:
        return unknown(
            "not-reloaded",
            msg(
                "systemd has not loaded what the disk has, so the next start is not seen: {names}",
                names=listed(boot.stale),
            ),
        )
    return passed(
        msg("the {units} units and {files} cron files are the approved ones", units=len(units), files=len(cron))
    )
