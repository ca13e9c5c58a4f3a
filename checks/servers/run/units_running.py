"""No service has failed, and every declared one runs and starts by itself.

Article 12.3 asks that the servers run continuously; a unit that failed at night stays so until somebody notices.

The rule: systemd names no failed unit, and each declared unit is active and starts at boot, by itself or with another.
A host that systemd did not start is unknown.

Source: systemctl(1).

    fstrim.service loaded failed failed Discard unused blocks on filesystems from /etc/fstab
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import systemd_failed, systemd_units
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="run.failed-units",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_failed.PROBE, systemd_units.PROBE),
    title=msg("no service has failed, and every declared one runs"),
    remedy=msg("Find the cause with 'systemctl status UNIT' and 'journalctl -u UNIT', and repair it."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    broken = facts[systemd_failed.PROBE]
    if broken:
        return failed("unit-failed", msg("failed units: {names}", names=listed(broken)))
    units = facts[systemd_units.PROBE]
    silent = [name for name in facts.declared.units if name not in units or not units[name].is_active]
    if silent:
        return failed("declared-unit-inactive", msg("declared but not running: {names}", names=listed(silent)))
    fleeting = [name for name in facts.declared.units if not units[name].comes_back]
    if fleeting:
        return failed(
            "declared-unit-disabled", msg("declared but not started at boot: {names}", names=listed(fleeting))
        )
    return passed(msg("no unit has failed; {declared} declared units run", declared=len(facts.declared.units)))
