"""Notifies people of what a run saw: called after each run, whichever way it ended.

Nothing of it raises, changes the run's exit code, or keeps the run for longer than a bounded time: what goes wrong here becomes a
warning, and letters that could not be sent are sent by the next run. Words that may hold secrets stay out: of an error a letter has
its code and what that means, never its message.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from checks.updates.troubles import TROUBLE_WORDS
from commands.cli.session import Session
from commands.jobs.alarms import renew_alarms
from commands.jobs.kinds.updates import source_troubles
from commands.jobs.performed import PerformedJob
from commands.jobs.sending import (
    Dispatch,
    channels_of,
    dispatch_of,
    drop_letters,
    fits,
    handed_over,
    record,
    send_waiting,
)
from commands.jobs.standings import judge_period
from portalops.errors import (
    ConfigurationError,
    ExitCode,
    FileUnwritable,
    InternalFault,
    LedgerMissing,
    NotifyStateUnreadable,
    PortalOpsError,
)
from portalops.jobs import next_due
from portalops.ledger.ledger import Ledger
from portalops.locale import process_language, render
from portalops.model.message import Message, msg, nmsg
from portalops.model.notifications import Level
from portalops.model.period import current_period
from portalops.model.runs import Job
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.notify.channels import LetterChannel
from portalops.notify.letters import JobWeek, Sender, WeekSummary, letters_of, without_foreign_words
from portalops.notify.rules import Failure, RunFacts, SeenAlarm, decide, queued, quiet_until, wants_judging
from portalops.notify.settings import NotifySettings, keep, kept_for, settings_of
from portalops.notify.state import NotifyFolder, NotifyState
from portalops.registers.alarms import AlarmRegister
from portalops.registers.plans import read_plans
from portalops.registers.runs import parse_run_id
from portalops.registers.slots import SlotState, kept_slots
from portalops.system.logs import form, was_logged
from portalops.system.surroundings import LocalSurroundings

logger = logging.getLogger(__name__)
FAILING = frozenset({ExitCode.FAILED, ExitCode.INTEGRITY, ExitCode.FAULT, ExitCode.CONFIGURATION})
"""Exit codes that are a failure; unmet duties (1), gaps (3) and a lock that another holds (75) are none."""

QUIET = frozenset({ExitCode.USAGE, ExitCode.LOCKED, ExitCode.INTERRUPTED})
"""Codes of a run that did not begin or was stopped by somebody who knows."""

LONGEST_SLOT = timedelta(days=32)
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,255}")


def notify_run(
    session: Session,
    performed: Sequence[PerformedJob],
    standings: Sequence[Standing] | None,
    *,
    alarms: AlarmRegister | None = None,
    exit_code: ExitCode = ExitCode.OK,
    ledger_changed: bool = False,
) -> None:
    """Notify people of a run that came to its end.

    Args:
        session: of the run.
        performed: the jobs that were done or tried.
        standings: where the duties stand; None if they were not judged.
        alarms: as of that judging; None if there was none.
        exit_code: the run's own.
        ledger_changed: a record, or what it names, was found missing or changed.
    """
    with _never_raising(dispatch_of(session)):
        settings = settings_of(session.settings)
        if not settings.channels:
            if NotifyFolder(settings.state_folder).settings.exists():
                _keep_copy(settings, session.settings.files[0])  # no channel any more: so the copy is to have none
            return
        failures = failures_of(performed)
        failures += (*_crashed(session, performed), *((_LEDGER_BEGUN,) if session.begins_beside_another else ()))
        good = {"run"} | {f"job:{done.job.id}" for done in performed if _is_good(done)}
        if ledger_changed:
            failures += (_LEDGER_CHANGED,)
        elif standings is not None:
            good.add("ledger")
        if exit_code not in FAILING and (unit := _own_unit(session.environment)):
            good.add(f"unit:{unit}")
        _tell(session, settings, failures, frozenset(good), standings, alarms=alarms)


def notify_failed_run(session: Session, error: BaseException, performed: Sequence[PerformedJob] = ()) -> None:
    """Notify people that a run ended in an error, also where the configuration or the ledger cannot be read.

    Args:
        session: of the run.
        error: what it ended in.
        performed: the jobs that were done or tried before.
    """
    stopped = error if isinstance(error, PortalOpsError) else None
    if isinstance(error, (KeyboardInterrupt, SystemExit)) or (stopped and stopped.exit_code in QUIET):
        return
    with _never_raising(dispatch_of(session)):
        settings = notify_settings(session)
        if settings is None or not settings.channels:
            return
        code = stopped.code if stopped else InternalFault.code
        meaning = stopped.explanation if stopped else InternalFault.explanation
        hint = (
            msg("Run 'portalops config check' on that machine.") if isinstance(error, ConfigurationError) else meaning
        )
        said = (
            msg("it ended in error {error}; what else was due is not done", error=code)
            if performed
            else msg("it ended in error {error}; what was due is not done", error=code)
        )
        run = Failure("run", code, said, hint)
        good = frozenset(f"job:{done.job.id}" for done in performed if _is_good(done))
        failures = (*failures_of(performed), *((_LEDGER_BEGUN,) if session.begins_beside_another else ()), run)
        _tell(session, settings, failures, good, None, problem=code)
    for warning in session.warnings:  # of a run that ends in an error nobody prints them
        if form() == "text" or not was_logged(str(warning)):  # as an event it is there already
            logger.warning("%s", render(warning, process_language(), zone=session.zone))


def notify_failed_unit(session: Session, failure: Failure, invocation: str) -> bool:
    """Notify people that a systemd unit failed; return whether its own run has done so already.

    Raises:
        PortalOpsError: no channel is known.
    """
    settings = notify_settings(session)
    if settings is None or not settings.channels:
        raise no_channel_error()
    state = _loaded(NotifyFolder(settings.state_folder), session.clock.now(), session.warnings)
    if invocation and invocation in state.invocations:
        return True
    _tell(session, settings, (failure,), frozenset(), None)
    return False


def no_channel_error() -> ConfigurationError:
    """Return the error of a configuration without any channel."""
    return ConfigurationError(
        msg("no notification channel is configured"),
        msg("Add a [[notify.channel]] table to the configuration; see docs/notifications.md."),
    )


def notify_settings(session: Session) -> NotifySettings | None:
    """Return the channels as configured, or by the last good copy where the configuration cannot be read; None if by neither."""
    try:
        return settings_of(session.settings)
    except ConfigurationError:
        return kept_for(session.invocation.config, session.environment)


def failures_of(performed: Sequence[PerformedJob]) -> tuple[Failure, ...]:
    """Return the jobs that failed, as a letter reports them."""
    found = []
    for done in performed:
        key = f"job:{done.job.id}"
        if done.exit_code in QUIET:
            continue  # another process is at it
        if done.error is not None:
            what = msg("error {error}, exit status {exit_code}", error=done.error.code, exit_code=int(done.exit_code))
            found.append(Failure(key, done.error.code, what, done.error.explanation))
        elif done.outcome is RunOutcome.FAILED or done.exit_code in FAILING:
            what = msg(
                "{outcome} for {slot}, {problems}, exit status {exit_code}: {meaning}",
                outcome=_OUTCOMES[done.outcome],
                slot=done.slot,
                problems=nmsg("{n} problem", "{n} problems", len(done.problems)),
                exit_code=int(done.exit_code),
                meaning=done.exit_code.meaning,
            )
            hint = msg("On that machine, 'portalops ledger show --run {run}' shows all of it.", run=done.run or "-")
            found.append(Failure(key, f"{done.outcome.value}-{int(done.exit_code)}", what, hint))
    return tuple(found)


_OUTCOMES: Mapping[RunOutcome, Message] = {
    RunOutcome.COMPLETE: msg("done"),
    RunOutcome.INCOMPLETE: msg("done in part"),
    RunOutcome.FAILED: msg("failed"),
}
_LEDGER_CHANGED = Failure(
    "ledger",
    "changed",
    msg("a record, or what it names, is missing or was changed"),
    msg("Change nothing on that machine, and run 'portalops ledger verify' there."),
)
_LEDGER_BEGUN = Failure(
    "ledger:another",
    "begun",
    msg("a new ledger was begun, although traces of another one remain"),
    msg(
        "If the other one was this portal's, it is lost. Stop the schedule on that machine and restore the "
        "state folder from the newest backup set."
    ),
)
"""No later run can see that it is good again, so that each summary names it until it is forgotten."""


def _is_good(done: PerformedJob) -> bool:
    return done.outcome is RunOutcome.COMPLETE and done.exit_code not in FAILING and done.error is None


@contextmanager
def _never_raising(dispatch: Dispatch) -> Iterator[None]:
    """Turn whatever goes wrong inside into a warning."""
    try:
        yield
    except KeyboardInterrupt:  # the run is done; only its letters are not sent
        dispatch.warn(msg("sending letters was interrupted: the next run sends what waits"))
    except PortalOpsError as error:
        dispatch.warn(msg("nobody could be notified: {cause}", cause=error.message))
    except Exception as error:  # a fault of our own: a warning of the run, whose exit code stays as it is
        logger.debug("telling people failed", exc_info=True)
        fault = msg("a fault in portalops itself: {kind}", kind=type(error).__name__)
        dispatch.warn(msg("nobody could be notified: {cause}", cause=fault))


def _keep_copy(settings: NotifySettings, main_file: Path) -> None:
    try:
        keep(settings, main_file)
    except PortalOpsError as error:  # it helps on another day; today's letters are sent all the same
        logger.info("the copy of whom to tell was not kept: %s", error)


def _tell(
    session: Session,
    settings: NotifySettings,
    failures: tuple[Failure, ...],
    good: frozenset[str],
    standings: Sequence[Standing] | None,
    *,
    alarms: AlarmRegister | None = None,
    problem: str = "",
) -> None:
    """Decide what to report, queue it, send what waits, and record it."""
    dispatch, folder = dispatch_of(session), NotifyFolder(settings.state_folder)
    channels = channels_of(dispatch, settings)
    desk = _Desk(dispatch, settings, channels, folder, _sender(session, settings))
    now = session.clock.now()
    if not settings.is_kept_copy and fits(settings, dispatch.environment):
        _keep_copy(settings, session.settings.files[0])
    state = _loaded(folder, now, session.warnings)
    can_judge = not problem and not settings.is_kept_copy
    if standings is None and can_judge and wants_judging(state, now, settings.timetable):
        standings, alarms, judging_failed = _judged(session)
        if judging_failed is not None:
            failures += (judging_failed,)
    seen = RunFacts(
        now,
        failures,
        good | _good_by_hand(session, state, settings),
        None if settings.is_kept_copy else frozenset(f"job:{job.id}" for job in session.settings.jobs),
        invocation=dispatch.environment.get("INVOCATION_ID", "")[:64],
    )
    if alarms is not None:
        seen = _with_alarms(seen, alarms, session.today, desk.sender.ids)
    week = None
    since = decide(state, seen, settings.timetable)[1].summary_since
    if since is not None:  # read before anybody waits for the lock
        jobs_of_week = partial(_jobs_of_week, session, since, now)
        week = _week(state, standings, problem, jobs_of_week, since=since, now=now)
        if not settings.is_kept_copy:
            week = replace(
                week,
                unconfirmed_years=_unconfirmed_years(session),
                troubled_sources=_troubled_sources(session, since),
            )
    try:
        _queue(desk, seen, week)
    except PortalOpsError as error:
        _tell_unsaved(desk, seen, error)
        return
    send_waiting(dispatch, settings, channels)
    if not settings.is_kept_copy:
        try:
            record(dispatch, folder)
        except PortalOpsError as error:  # the letters were sent; the next run that can records them
            session.warnings.append(msg("the delivery is not recorded: {cause}", cause=error.message))
    until = quiet_until(folder.load(now), now, settings.timetable)
    remember_quiet(folder, now, until)


def _unconfirmed_years(session: Session) -> tuple[int, ...]:
    """Return the years whose notice a summary asks for; none where the calendar cannot be read, which doctor and each run name."""
    try:
        return session.calendar.years_to_confirm(session.today)
    except PortalOpsError:
        return ()


def _troubled_sources(session: Session, since: datetime) -> tuple[tuple[str, Message], ...]:
    """Return the sources of updates that answer and yet prove nothing; none where nothing was collected, which duties tell."""
    try:
        if not session.settings.update_sources:
            return ()
        return tuple((one.source, TROUBLE_WORDS[one.kind]) for one in source_troubles(session, since))
    except PortalOpsError:
        return ()


def remember_quiet(folder: NotifyFolder, now: datetime, until: datetime | None) -> None:
    """Save for `notify_idle_run` from when until when there is nothing to report."""
    span = f"{now.timestamp():.0f} {until.timestamp():.0f}\n" if until else "0 0\n"
    try:
        if folder.quiet.read_text(encoding="ascii") == span:
            return
    except (OSError, ValueError):
        pass  # there is none yet
    try:
        folder.write(folder.quiet, span.encode())
    except FileUnwritable as error:  # then each run decides anew
        logger.info("it cannot be noted until when nothing is to be told: %s", error)


def _loaded(folder: NotifyFolder, now: datetime, warnings: list[Message]) -> NotifyState:
    try:
        return folder.load(now)
    except NotifyStateUnreadable as error:
        if (aside := folder.set_aside()) is not None:
            warnings.append(msg("{problem}; it was moved to {path}", problem=error.message, path=str(aside)))
        return NotifyState(now)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Where letters are written."""

    dispatch: Dispatch
    settings: NotifySettings
    channels: Sequence[LetterChannel]
    folder: NotifyFolder
    sender: Sender
    """Who writes letters of what a run saw."""


def _queue(desk: _Desk, seen: RunFacts, week: WeekSummary | None) -> None:
    """Put letters into the queue, and remember what they report.

    Args:
        desk: where.
        seen: what the run saw.
        week: what a summary tells; one that became due only while this process waited for the lock comes by the next run.
    """
    settings, folder, now = desk.settings, desk.folder, seen.at
    kinds = {channel.id: channel.kind for channel in desk.channels}
    with folder.deciding(desk.dispatch.holder):
        before = _loaded(folder, now, desk.dispatch.warnings)
        state, telling = decide(before, seen, settings.timetable)
        if telling.summary_since is None:
            week = None
        elif week is None:
            state = replace(state, summary_on=before.summary_on, summary_at=before.summary_at)
        new = [
            letter
            for channel in desk.channels
            for letter in letters_of(
                telling, week, desk.sender,
                channel=channel.id,
                language=channel.settings.language or settings.language,
                levels=channel.settings.takes,
                zone=settings.timetable.zone,
                now=now,
            )
        ]  # fmt: skip
        configured = {table.id for table in settings.channels}
        gone = [each for each in state.letters if each.channel not in configured]
        letters, dropped = queued([each for each in state.letters if each.channel in configured], new)
        state = replace(state, letters=letters)
        if gone:
            state = drop_letters(state, gone, msg("the channel is not configured any more"), kinds, now)
        if dropped:
            state = drop_letters(state, dropped, msg("a newer letter replaces it, or too many wait"), kinds, now)
        folder.save(state)


def _sender(session: Session, settings: NotifySettings) -> Sender:
    ids = set(settings.ids)
    if not settings.is_kept_copy:
        with suppress(PortalOpsError):  # a rulebook that there is not is what the run failed for, and judges nothing
            for duty in session.rulebook.duties:
                ids |= {duty.id, *duty.checks}
    return replace(sender_of(settings, session.environment), ids=frozenset(ids))


def sender_of(settings: NotifySettings, environment: Mapping[str, str]) -> Sender:
    """Return who writes a letter that holds nothing of what a run saw."""
    return Sender(settings.portal, LocalSurroundings(environment).host_name(), settings.ids)


def _tell_unsaved(desk: _Desk, seen: RunFacts, error: PortalOpsError) -> None:
    """Report failures although nothing can be saved, as on a full disk: once a day, as far as a file's time can be set."""
    dispatch, settings, folder = desk.dispatch, desk.settings, desk.folder
    dispatch.warnings.append(msg("the state of notifications cannot be saved: {cause}", cause=error.message))
    now = seen.at
    if 0 <= now.timestamp() - folder.unsaved_at() < timedelta(days=1).total_seconds():
        return
    hint = msg("Check whether the disk of that machine is full: until then, no letter can be saved or sent again.")
    unsaved = Failure("state", error.code, msg("error {error}: nothing can be saved", error=error.code), hint)
    _state, telling = decide(
        NotifyState(now), replace(seen, failures=(*seen.failures, unsaved), alarms=None), settings.timetable
    )
    for channel in desk.channels:
        for letter in letters_of(
            telling, None, sender_of(settings, dispatch.environment),
            channel=channel.id,
            language=channel.settings.language or settings.language,
            levels=channel.settings.takes & {Level.FAILURE},
            zone=settings.timetable.zone,
            now=now,
        ):  # fmt: skip
            outcome, _hint = handed_over(dispatch.progress, channel, replace(letter, tries=1, tried_at=now))
            if outcome.problem is not None:
                dispatch.warn(
                    msg("channel {channel} was not notified: {cause}", channel=channel.id, cause=outcome.problem),
                )
            else:
                folder.mark_unsaved(now)


def _judged(session: Session) -> tuple[Sequence[Standing] | None, AlarmRegister | None, Failure | None]:
    """Judge for the day's letter where the run itself did not; a ledger that does not let itself be read is a failure."""
    try:
        judged = judge_period(session, current_period(session.today))
    except PortalOpsError as error:
        if isinstance(error, LedgerMissing) or error.exit_code in QUIET:
            return None, None, None
        what = msg("error {error}: the duties could not be judged", error=error.code)
        return None, None, Failure("ledger", error.code, what, error.explanation)
    changed = _LEDGER_CHANGED if judged.exit_code is ExitCode.INTEGRITY else None
    return judged.standings, renew_alarms(session, judged), changed


def _with_alarms(seen: RunFacts, register: AlarmRegister, today: date, ids: Collection[str]) -> RunFacts:
    """Return what a run saw with the alarms as letters may tell of them."""
    ids = {*ids, *(part for each in register.open for part in each.key.split(":"))}
    silenced = {key for key in register.silences if register.silence_of(key, today) is not None}
    alarms = tuple(
        SeenAlarm(
            each.key,
            each.opened_at,
            each.newest.problem,
            without_foreign_words(each.newest.what, ids),
            without_foreign_words(each.newest.hint, ids),
            each.newest.grave,
            None if not each.is_acknowledged(today) or each.acknowledged is None or each.acknowledged.until is None
            else msg("acknowledged until {day}", day=each.acknowledged.until),
            each.key in silenced,
        )
        for each in register.open
    )  # fmt: skip
    closed = [each for each in register.alarms.values() if not each.is_open]
    return replace(
        seen,
        failures=tuple(each for each in seen.failures if each.key not in silenced),
        good=seen.good | {each.key for each in closed if each.newest.grave},
        alarms=alarms,
        closed=frozenset(each.key for each in closed),
    )


def _own_unit(environment: Mapping[str, str]) -> str:
    """Return the systemd unit that this process is the main part of; empty outside of one."""
    if not environment.get("INVOCATION_ID"):
        return ""
    return unit_in(LocalSurroundings(environment).read("/proc/self/cgroup") or "")


def unit_in(text: str) -> str:
    """Return the innermost service that a process belongs to, by its line in /proc/PID/cgroup; empty if it belongs to none. Pure.

    >>> unit_in("0::/system.slice/portalops-backup.service\\n")
    'portalops-backup.service'
    """
    found = [part for part in text.strip().split("/") if part.endswith(".service") and _UNIT.fullmatch(part)]
    return found[-1] if found else ""


def _crashed(session: Session, performed: Sequence[PerformedJob]) -> tuple[Failure, ...]:
    """Return the jobs whose newest run left no end and is not at work: another schedule's, that nobody began again yet."""
    try:
        attempts = session.attempts()
    except PortalOpsError:  # the run itself could read them; what it saw is reported all the same
        return ()
    newest = {}
    for attempt in attempts:
        name = parse_run_id(attempt.run.id)
        if name is not None:
            newest[name.job] = attempt
    done = {each.job.id for each in performed}
    return tuple(
        Failure(
            f"job:{job}",
            "crashed",
            msg("the run that began at {moment} did not finish", moment=attempt.run.started_at),
            msg("It was killed, or the machine stopped. The next run does the job again."),
        )
        for job, attempt in newest.items()
        if job not in done and attempt.run.finished_at is None and not attempt.running
    )


def _good_by_hand(session: Session, state: NotifyState, settings: NotifySettings) -> frozenset[str]:
    """Return the jobs that were reported as failed and succeeded since, by another process or by a person."""
    told = {each.key: each for each in state.alarms if each.key.startswith("job:") and each.over_at is None}
    if not told or settings.is_kept_copy:
        return frozenset()
    good = set()
    try:
        for job in session.settings.jobs:
            alarm = told.get(f"job:{job.id}")
            if alarm is not None and _was_done_well(session.ledger, job, alarm.seen_at):
                good.add(alarm.key)
    except PortalOpsError:
        return frozenset()  # what cannot be read is not good
    return frozenset(good)


def _was_done_well(ledger: Ledger, job: Job, since: datetime) -> bool:
    newest = None
    for run in ledger.runs(kinds=(job.kind.value,), since=since):
        name = parse_run_id(run.id)
        if name is not None and name.job == job.id and run.finished_at is not None and run.started_at > since:
            newest = run
    summary = ledger.summary(newest) if newest is not None else None
    return (
        summary is not None
        and summary.outcome is RunOutcome.COMPLETE
        and summary.exit_code not in {int(code) for code in FAILING}
    )


def _week(
    state: NotifyState,
    standings: Sequence[Standing] | None,
    problem: str,
    read_jobs: Callable[[], tuple[tuple[JobWeek, ...], str]],
    *,
    since: datetime,
    now: datetime,
) -> WeekSummary:
    """Return what a summary reports: what cannot be found out is named, and the summary comes all the same."""
    counts = [each.verdict for each in standings or ()]
    waiting: dict[str, int] = {}
    for letter in state.letters:
        waiting[letter.channel] = waiting.get(letter.channel, 0) + 1
    jobs: tuple[JobWeek, ...] = ()
    if not problem:
        jobs, problem = read_jobs()
    met, unmet, unknown, pending = (
        counts.count(verdict)
        for verdict in (DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING)
    )
    return WeekSummary(
        since, now, jobs, problem,
        met=met, unmet=unmet, unknown=unknown, pending=pending,
        other=len(counts) - met - unmet - unknown - pending,
        is_judged=standings is not None,
        waiting=tuple(sorted(waiting.items())),
        open=tuple(each for each in state.alarms if each.over_at is None and each.told),
    )  # fmt: skip


def _jobs_of_week(session: Session, since: datetime, now: datetime) -> tuple[tuple[JobWeek, ...], str]:
    """Return what became of each job, or the problem that keeps it from being known."""
    try:
        zone = session.zone_of_portal
        ledger = session.ledger
        plans = read_plans(ledger, until=now)
        if plans.unreadable:
            return (), plans.unreadable[0][1].code
        runs = ledger.runs(since=since - LONGEST_SLOT)
        found = kept_slots(
            plans.plans, runs, ledger.summary, until=now, zone=zone, since=since - LONGEST_SLOT, before=now
        )
        attempts = session.attempts()
    except PortalOpsError as error:
        return (), error.code
    if found.problem is not None:
        return (), "-"
    slots = [slot for slot in found.slots if since < slot.ends_at <= now]
    planned = {job.id: job for job in session.settings.jobs}
    names = dict.fromkeys([*planned, *(slot.job.id for slot in slots)])

    def count(job: str, *states: SlotState) -> int:
        return sum(slot.job.id == job and slot.state in states for slot in slots)

    return (
        tuple(
            JobWeek(
                name,
                count(name, SlotState.DONE),
                count(name, SlotState.LATE),
                count(name, SlotState.INCOMPLETE),
                count(name, SlotState.FAILED, SlotState.UNFINISHED, SlotState.UNKNOWN),
                count(name, SlotState.MISSED),
                next_due(planned[name], attempts, now, zone) if name in planned else None,
            )
            for name in names
        ),
        "",
    )


def notify_idle_run(session: Session) -> None:
    """Send what waits and report what is due, after a run that found nothing to do; it never raises."""
    settings = session.settings
    if not settings.channels or _is_quiet(settings.state_folder, session.clock.now()):
        return
    notify_run(session, (), None)


def _is_quiet(state_folder: Path, now: datetime) -> bool:
    try:
        text = (state_folder / "notify" / "quiet").read_text(encoding="ascii")
        first, last = (int(part) for part in text.split())
    except (OSError, ValueError):
        return False
    return first <= now.timestamp() < last
