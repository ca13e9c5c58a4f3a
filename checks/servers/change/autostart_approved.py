"""What starts by itself is what was approved.

A unit that is enabled or a line of cron is how an intruder comes back after a reboot, and how a forgotten job goes on
changing things. Article 12.2 asks that changes are approved.

The rule: the enabled units of systemd are exactly those declared under `enabled_units`, and the files that cron reads, of
the host and of every account, have exactly the content that is declared under `cron_files`. The content is compared by its
digest: lines of cron may hold passwords.

Sources: systemctl(1), crontab(5). On Debian 13:

    apt-daily.timer         enabled enabled
    9f2fdd4b4e7706dda74e8e443e1e1da0fbbb19c62a58e230e90d648b69177c35  /etc/cron.daily/dpkg
"""

from __future__ import annotations

from checks.servers.change._sets import changed, difference
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import cron_files, enabled_units
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="change.autostart",
    clause="12.2",
    severity=Severity.MEDIUM,
    needs=(enabled_units.PROBE, cron_files.PROBE),
    title=msg("everything that starts automatically was approved"),
    remedy=msg(
        "Have it approved and declare it, or turn it off by 'systemctl disable --now UNIT' or 'crontab -r -u NAME'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    units, cron = facts[enabled_units.PROBE], facts[cron_files.PROBE]
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
    return passed(
        msg("the {units} units and {files} cron files are the approved ones", units=len(units), files=len(cron))
    )
