"""Where the duties stand, for a monitoring system: one line, and also whether anybody still does anything here.

CRITICAL: the ledger was changed or is damaged, an alarm is grave, a duty is not met, or nothing has been done for longer than the most frequent job
allows, so that no timer calls any more. WARNING: a report on an incident is to be sent within hours, or a job has failed or crashed
since its last good run, or was left out in its last slot. UNKNOWN: a duty could not be judged, or nothing shows yet that any is met. What is unknown is never OK.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from commands.cli.nagios import CRITICAL, OK, UNKNOWN, WARNING, PluginAnswer
from commands.jobs.standings import JudgedDuties
from portalops.errors import ExitCode
from portalops.jobs import Attempt, previous_slot_start
from portalops.model.alarms import AlarmKey
from portalops.model.message import msg, nmsg
from portalops.model.runs import Job
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome


def answer_of(
    judged: JudgedDuties,
    standings: Sequence[Standing],
    jobs: Sequence[Job],
    attempts: Sequence[Attempt],
    *,
    grave: Sequence[AlarmKey] = (),
    now: datetime,
    zone: ZoneInfo,
    alone: bool = False,
) -> PluginAnswer:
    """Return what a plugin says of the duties; pure.

    Args:
        judged: as of now.
        standings: those that were asked for.
        jobs: that are planned.
        attempts: what was tried lately of them.
        grave: open alarms that are grave, of what was asked for.
        now: aware.
        zone: the portal's.
        alone: one duty was asked for: neither jobs nor incidents are told of, but whether its evidence can be trusted is.
    """
    by_verdict = {verdict: [each.duty for each in standings if each.verdict is verdict] for verdict in DutyVerdict}
    unmet, unknown = by_verdict[DutyVerdict.UNMET], by_verdict[DutyVerdict.INSUFFICIENT_EVIDENCE]
    failing = () if alone else failing_jobs(jobs, attempts, now, zone)
    newest_at = None if alone else max((each.run.started_at for each in attempts), default=None)
    counts: dict[str, int | timedelta] = {}  # what is not known has no figure
    if standings:
        counts |= {
            "unmet": len(unmet),
            "unknown": len(unknown),
            "pending": len(by_verdict[DutyVerdict.PENDING]),
            "met": len(by_verdict[DutyVerdict.MET]),
        }
    if jobs and newest_at is not None:
        counts["failing_jobs"] = len(failing)
    if standings:
        counts["grave_alarms"] = len(grave)
    if newest_at is not None:
        counts["last_run_age"] = max(timedelta(), now - newest_at)
    if judged.change is not None or judged.exit_code is ExitCode.INTEGRITY:
        said = msg("the ledger was changed, or evidence is missing: run 'portalops ledger verify'")
        return PluginAnswer(CRITICAL, said, counts)
    if newest_at is not None and is_silent(jobs, attempts, now, zone):
        said = msg("nothing has been done since {moment}: no timer calls portalops any more", moment=newest_at)
        return PluginAnswer(CRITICAL, said, counts)
    if grave:
        said = nmsg("{n} grave alarm: {alarms}", "{n} grave alarms: {alarms}", len(grave), alarms=", ".join(grave))
        return PluginAnswer(CRITICAL, said, counts)
    if unmet:
        said = nmsg("{n} duty not met: {duties}", "{n} duties not met: {duties}", len(unmet), duties=", ".join(unmet))
        return PluginAnswer(CRITICAL, said, counts)
    if judged.due and not alone:
        return PluginAnswer(WARNING, judged.due[0], counts)
    if failing:
        said = nmsg("{n} job fails: {jobs}", "{n} jobs fail: {jobs}", len(failing), jobs=", ".join(failing))
        return PluginAnswer(WARNING, said, counts)
    if lost := [each for each in judged.unreadable if not each.erased]:
        said = nmsg("{n} record cannot be read", "{n} records cannot be read", len(lost))
        return PluginAnswer(UNKNOWN, said, counts)
    if unknown:
        said = nmsg(
            "{n} duty without sufficient evidence: {duties}",
            "{n} duties without sufficient evidence: {duties}",
            len(unknown),
            duties=", ".join(unknown),
        )
        return PluginAnswer(UNKNOWN, said, counts)
    if not jobs and not alone:
        return PluginAnswer(UNKNOWN, msg("no job is planned, so nothing shows that anything is done"), counts)
    if not by_verdict[DutyVerdict.MET]:
        return PluginAnswer(UNKNOWN, msg("no duty is shown to be met yet"), counts)
    said = nmsg("{n} duty met, none unmet", "{n} duties met, none unmet", len(by_verdict[DutyVerdict.MET]))
    return PluginAnswer(OK, said, counts)


def is_silent(jobs: Sequence[Job], attempts: Sequence[Attempt], now: datetime, zone: ZoneInfo) -> bool:
    """Say whether nobody can have called for a while: the most frequent job's slot before this one went by without a run of any job.

    A run that is under way is a sign of life, however long it takes.
    """
    if not jobs or any(each.running for each in attempts):
        return False
    since = max(previous_slot_start(job.every, now.astimezone(zone)) for job in jobs)
    return all(each.run.started_at < since for each in attempts)


def failing_jobs(jobs: Sequence[Job], attempts: Sequence[Attempt], now: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """Return the jobs whose newest run failed, was left incomplete, crashed or cannot be read, or lies before their last slot.

    A job that was never done is none of them: what it is evidence for is judged. One that was interrupted is tried again.
    """
    found = []
    for job in jobs:
        mine = [each for each in attempts if each.run.subject == job.id]
        newest = max(mine, key=lambda each: each.run.started_seq, default=None)
        if newest is None or newest.running or newest.interrupted:
            continue
        is_old = newest.run.started_at < previous_slot_start(job.every, now.astimezone(zone))
        if is_old or newest.outcome is not RunOutcome.COMPLETE:
            found.append(job.id)
    return tuple(found)
