"""No service has failed, and every declared one runs and starts by itself.

Article 12.3 asks that the servers run continuously; a unit that failed at night stays so until somebody notices.

The rule: systemd names no failed unit, and each declared unit is active and starts at boot, by itself or with another. No
service ends badly and is started again and again: it waits for that after it failed, or it was started again {most_restarts} times or
more and has run for less than {least_minutes} minutes. Where systemd starts it again also after a good end, that it did so often leaves
it unknown. No service or mount is between stopped and running for {least_minutes} minutes; until then it is unknown. A job that runs
once is at work as long as it starts: it is unknown after {most_hours} hours. No unit is frozen. A declared unit whose process has
ended, though it counts as active, is unknown. So is a command that ended with an error where a file in /etc says that it is no
failure (`ExecStart=-`, `SuccessExitStatus`), or that its failure is forgotten (`CollectMode=`). A declared unit with a stopped
process (SIGSTOP) fails; while a condition of its own files does not hold now, it is unknown, since it would not start again. So is
a host that starts into another target than multi-user or graphical, and one that systemd did not start.

A declared unit must be able to start again. It fails if it requires a unit that is not there or is masked, straight or by another
(`Requires`, `RequiresMountsFor`, `BindsTo`, `Requisite`). It is unknown while what it requires is not active, such as a mount that was
never tried, but for a job that ended well. It is unknown as well while its settings are newer than what it has loaded: its unit and drop-ins
of the host's own, or files of settings in the folder of /etc that bears its name or that its command names, such as `haproxy.cfg`;
or where its last reload failed. A restart or `systemctl reload` loads them.

Settings are known by their ending, such as `.conf` or `.cfg`, in folders that the account of the scan may read, four levels deep.
It does not see others, a file that was removed, or whether a unit with unchanged settings starts. It does not see a failure that a command itself hides, that somebody has reset, of a command under `systemd-run --collect`, or of a
unit that an account's own manager runs. Conditions are seen of the host's own files alone, not of a package's.

Source: systemctl(1).

    fstrim.service loaded failed failed Discard unused blocks on filesystems from /etc/fstab
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import systemd_failed, systemd_restarts, systemd_units
from checks.servers.probes.systemd_restarts import UnsteadyUnits
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

MOST_RESTARTS = 5
RUNS_FOR = timedelta(minutes=10)
LONGEST_JOB = timedelta(hours=24)
_CANNOT_START = frozenset({"not-found", "masked", "bad-setting", "error"})
"""States of a unit's file with which systemd refuses to start it."""


@check(
    id="run.failed-units",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_failed.PROBE, systemd_units.PROBE),
    uses=(systemd_restarts.PROBE,),
    title=msg("no service has failed, and every declared one runs"),
    remedy=msg("Find the cause with 'systemctl status UNIT' and 'journalctl -u UNIT', and repair it."),
    exempt_roles=("container",),
    numbers={
        "most_restarts": MOST_RESTARTS,
        "least_minutes": RUNS_FOR // timedelta(minutes=1),
        "most_hours": LONGEST_JOB // timedelta(hours=1),
    },
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
    unsteady = facts.get(systemd_restarts.PROBE)
    if isinstance(unsteady, MissingFact):
        return missing(unsteady)
    if unsteady.frozen:
        return failed(
            "frozen", msg("units that are frozen, so nothing of them runs: {names}", names=listed(unsteady.frozen))
        )
    if stopped := sorted(unsteady.stopped.intersection(facts.declared.units)):
        said = msg(
            "declared units of which a process is stopped, so that it does nothing: {names}", names=listed(stopped)
        )
        return failed("stopped", said)
    restarted = unsteady.restarted
    often = [
        one for one in restarted if one.restarts >= MOST_RESTARTS and timedelta(seconds=one.runs_seconds) < RUNS_FOR
    ]
    if loops := [one for one in restarted if one.is_waiting and one.has_failed] or [
        one for one in often if not (one.is_waiting or one.always)
    ]:
        names = listed(f"{one.name} ({one.restarts})" for one in loops)
        return failed("restart-loop", msg("services that fail and are started again and again: {names}", names=names))
    if unclear := [one for one in often if one.always and not one.is_waiting]:
        names = listed(f"{one.name} ({one.restarts})" for one in unclear)
        return unknown(
            "restarts-often",
            msg("services that systemd starts again often, after a good end or a bad one: {names}", names=names),
        )
    for_seconds = {one.name: one.seconds for one in unsteady.unfinished if not one.is_job}
    if stuck := sorted(name for name, seconds in for_seconds.items() if timedelta(seconds=seconds) >= RUNS_FOR):
        names = listed(f"{name} ({for_seconds[name] // 60} min)" for name in stuck)
        return failed("never-ready", msg("units that do not end their start or their stop: {names}", names=names))
    long = [one.name for one in unsteady.unfinished if one.is_job and timedelta(seconds=one.seconds) >= LONGEST_JOB]
    if between := sorted({*for_seconds, *long}):
        return unknown("between", msg("units that are still starting or stopping: {names}", names=listed(between)))
    if empty := sorted(unsteady.left.intersection(facts.declared.units)):
        return unknown(
            "declared-unit-ended",
            msg("declared and called active, but their process has ended: {names}", names=listed(empty)),
        )
    if unmet := sorted(unsteady.unmet.intersection(facts.declared.units)):
        return unknown(
            "declared-unit-condition",
            msg(
                "declared units of which a condition does not hold now, so that they would not start again: {names}",
                names=listed(unmet),
            ),
        )
    again = _starts_again(unsteady, facts.declared.units)
    if again is not None:
        return again
    if unsteady.other_targets:
        said = msg(
            "the host starts into another target, which may not start the declared units: {names}",
            names=listed(unsteady.other_targets),
        )
        return unknown("other-target", said)
    if unsteady.forgets:
        said = msg("units whose failure systemd forgets at once: {names}", names=listed(unsteady.forgets))
        return unknown("failure-forgotten", said)
    if unsteady.ignored:
        names = listed(f"{name} ({code})" for name, code in unsteady.ignored)
        return unknown(
            "failure-ignored",
            msg("commands that ended with an error that their unit calls no failure: {names}", names=names),
        )
    if not facts.declared.units:
        return passed(msg("no unit has failed; no unit is declared that must run"))
    return passed(
        msg(
            "no unit has failed; {declared} declared units run, and all that they require is active",
            declared=len(facts.declared.units),
        )
    )


def _starts_again(unsteady: UnsteadyUnits, declared: tuple[str, ...]) -> CheckOutcome | None:
    """Say which declared units could not start again, or of which that is not known; None without any."""
    lacks = [one for one in unsteady.lacks if one[0] in declared]
    if gone := [one for one in lacks if one[2] in _CANNOT_START]:
        names = listed(f"{name} ({each}: {state})" for name, each, state in gone)
        return failed(
            "declared-unit-lacks", msg("declared units that require what cannot be started: {names}", names=names)
        )
    if lacks:
        names = listed(f"{name} ({each}: {state})" for name, each, state in lacks)
        said = msg(
            "declared units that require what is not active now, so that they may not start again: {names}", names=names
        )
        return unknown("declared-unit-requires", said)
    if newer := [f"{name} ({file})" for name, file in unsteady.newer if name in declared]:
        said = msg(
            "declared units whose settings changed after they were loaded, so that they may not start again: {names}",
            names=listed(newer),
        )
        return unknown("settings-newer", said)
    return None
