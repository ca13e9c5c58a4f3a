"""Tells monitors that work begins, how it ended, and that somebody still looks whether something is due.

Nothing of it raises, changes how a run ends, or holds a run up for longer than `ALL_SECONDS` in all: a monitor that does not answer is
a warning, is remembered for `portalops doctor`, and is asked once more when the run ends.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from commands.cli.session import Session
from commands.jobs.due import plan_now
from commands.jobs.monitor_figures import FigureParts, figures, newest_ends
from commands.jobs.standings import judge_period
from portalops.errors import ExitCode, LedgerMissing, PortalOpsError, UsageError, worst
from portalops.ledger.runs import exit_code_of
from portalops.model.message import Message, msg
from portalops.model.period import current_period
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.notify.monitors import Beat, BeatEvent, Monitor, MonitorContext, MonitorUnavailable, build_monitor
from portalops.notify.monitors._state import LastCode, MonitorDelivery, MonitorFolder, MonitorState, merged
from portalops.system.logs import Event, log_event

if TYPE_CHECKING:
    from commands.jobs.performed import PerformedJob
    from commands.jobs.standings import JudgedDuties
    from portalops.model.runs import Job
    from portalops.notify.monitors._exposition import Metric

logger = logging.getLogger(__name__)
ALL_SECONDS = 60.0
"""So long may all monitors together hold up one run."""

QUIET = frozenset({ExitCode.OK, ExitCode.UNMET})
"""Exit codes of a job whose later runs by others need not be looked for."""


class Watch:
    """Tells the monitors of one run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._call = uuid.uuid4()
        self._calls: dict[str, uuid.UUID] = {}
        """Of jobs, by id."""
        self._silent: set[str] = set()
        """Monitors that did not answer."""
        self._told: dict[str, MonitorDelivery] = {}
        self._spent = 0.0
        self._has_begun = False

    def job_begins(self, job: Job) -> None:
        """Tell that a job begins, to those who watch it; of the first one, those who watch the whole run."""
        for monitor in self._monitors:
            if not monitor.jobs and not self._has_begun:
                self._tell(monitor, Beat(BeatEvent.START, self._call, self._now()))
            elif job.id in monitor.jobs:
                self._tell(monitor, Beat(BeatEvent.START, self._calls.setdefault(job.id, uuid.uuid4()), self._now()))
        self._has_begun = True

    def job_ended(self, done: PerformedJob) -> None:
        """Tell how a job ended, to those who watch it."""
        with self._guarded():
            watching = [each for each in self._monitors if done.job.id in each.jobs]
            if watching:
                state = MonitorFolder(self._session.settings.state_folder).load()
                codes = {**self._forgotten(state), **self._codes(state), **_ended([done])}
                for monitor in watching:
                    mine = {job: code for job, code in codes.items() if job in monitor.jobs}
                    call = self._calls.pop(done.job.id, self._call)
                    beat = Beat(BeatEvent.END, call, self._now(), _worst(mine, [done]), _text(mine))
                    self._tell(monitor, beat, is_last=True)

    def end(self, performed: Sequence[PerformedJob], judged: JudgedDuties) -> None:
        """Tell how a run ended, and remember what its monitors and later runs need."""
        if not self._session.settings.monitors:
            return
        with self._guarded():
            state = self._remembered(performed, judged)
            codes = {each.job: each.code for each in state.codes}

            def metrics() -> tuple[Metric, ...]:
                return figures(self._figure_parts(), judged, state)

            text = f"{_text(codes)}\n{_duties(judged)}"
            beat = Beat(BeatEvent.END, self._call, self._now(), _worst(codes, performed), text, metrics)
            self._tell_all(beat)
        self._remember_reported()

    def fail(self, error: BaseException, performed: Sequence[PerformedJob]) -> None:
        """Tell that a run ended in an error, unless it was called wrongly or its configuration cannot be read at all."""
        if isinstance(error, UsageError) or "settings" not in self._session.__dict__:
            return
        if not self._session.settings.monitors:
            return
        with self._guarded():
            if performed:
                self._remembered(performed, None)
            code = int(exit_code_of(error))
            text = f"run: {code} {getattr(error, 'code', type(error).__name__)}"
            self._tell_all(Beat(BeatEvent.FAILED, self._call, self._now(), code, text))
        self._remember_reported()

    def idle(self) -> None:
        """Tell that it was looked whether something is due, and nothing was."""
        with self._guarded():
            codes = self._codes(MonitorFolder(self._session.settings.state_folder).load())
            code = _worst(codes, ()) if codes else None
            text = f"nothing is due\n{_text(codes)}"
            self._tell_all(Beat(BeatEvent.IDLE, self._call, self._now(), code, text, self._metrics_anew))
        self._remember_reported()

    def _metrics_anew(self) -> tuple[Metric, ...]:
        """Return the figures while nothing is due, where the file of before is not there or is another's."""
        judged = judge_period(self._session, current_period(self._session.today))
        return figures(self._figure_parts(), judged, self._remembered((), judged))

    def _figure_parts(self) -> FigureParts:
        session = self._session
        return FigureParts(session.settings, session.rulebook, session.ledger, plan_now(session))

    @cached_property
    def _monitors(self) -> tuple[Monitor, ...]:
        """Those that can be built; the others are told of as warnings."""
        found = []
        settings = self._session.settings
        for table in settings.monitors:
            try:
                found.append(build_monitor(table, MonitorContext(settings.portal.id, self._session.environment)))
            except PortalOpsError as error:
                self._list_unreported(table.id, error.message)
        return tuple(found)

    def _tell_all(self, beat: Beat) -> None:
        for monitor in self._monitors:
            if not monitor.jobs:
                self._tell(monitor, beat, is_last=True)

    def _tell(self, monitor: Monitor, beat: Beat, *, is_last: bool = False) -> None:
        if monitor.id in self._silent and not is_last:
            return  # it is asked once more in the end
        started = self._session.clock.monotonic()
        try:
            self._require_time()
            monitor.hear(beat)
        except MonitorUnavailable as error:
            self._list_unreported(monitor.id, error.cause)
        except PortalOpsError as error:
            self._list_unreported(monitor.id, error.message)
        except Exception as error:  # a fault of our own: a warning of the run, and no end of a backup
            logger.debug("telling monitor %s failed", monitor.id, exc_info=True)
            fault = msg("a fault in portalops itself: {kind}", kind=type(error).__name__)
            self._list_unreported(monitor.id, fault)
        else:
            self._told[monitor.id] = MonitorDelivery(monitor.id, beat.at)
        finally:
            self._spent += self._session.clock.monotonic() - started

    def _require_time(self) -> None:
        if self._spent > ALL_SECONDS:
            raise MonitorUnavailable(msg("not asked: monitors had held the run up for {n} seconds", n=int(self._spent)))

    def _list_unreported(self, monitor: str, cause: Message) -> None:
        self._told[monitor] = MonitorDelivery(monitor, None, self._now(), cause)
        if monitor not in self._silent:
            self._silent.add(monitor)
            said = msg("monitor {id} was not notified: {cause}", id=monitor, cause=cause)
            self._session.warnings.append(said)
            log_event(logger, logging.WARNING, Event.MONITOR_FAILED, str(said))

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn whatever goes wrong inside into a warning."""
        try:
            yield
        except KeyboardInterrupt:  # the run is done; only its monitors do not hear of it
            self._session.warnings.append(msg("telling monitors was interrupted"))
        except PortalOpsError as error:
            self._session.warnings.append(msg("the monitors were not notified: {cause}", cause=error.message))
        except Exception as error:  # as above
            logger.debug("telling monitors failed", exc_info=True)
            fault = msg("a fault in portalops itself: {kind}", kind=type(error).__name__)
            self._session.warnings.append(msg("the monitors were not notified: {cause}", cause=fault))

    def _codes(self, state: MonitorState) -> dict[str, int]:
        """Return how each job's newest run ended; one that went badly may have been done well since, by a person."""
        planned = {str(job.id): job for job in self._session.settings.jobs}
        codes = {}
        for each in state.codes:
            if each.job not in planned:
                continue
            codes[each.job] = each.code
            if each.code not in QUIET:
                codes[each.job] = self._count_since(planned[each.job], each)
        return codes

    def _forgotten(self, state: MonitorState) -> dict[str, int]:
        """Return how the newest runs of jobs ended of which nothing is remembered: one that failed would be passed over for those that did not.

        Only a run that does something looks for them: where nothing at all is remembered, an idle one tells no success.
        """
        known = {each.job for each in state.codes}
        found = {str(job.id): self._newest(job) for job in self._session.settings.jobs if job.id not in known}
        return {job: code for job, code in found.items() if code is not None}

    def _count_since(self, job: Job, known: LastCode) -> int:
        """Return how the newest run of a job ended that is later than the one that is known; what cannot be read is not good."""
        found = self._newest(job, since=known.at, unreadable=known.code)
        return known.code if found is None else found

    def _newest(self, job: Job, *, since: datetime | None = None, unreadable: int = int(ExitCode.FAILED)) -> int | None:
        """Return how the newest run of a job ended, None if none did, and `unreadable` if that cannot be read."""
        try:
            for _at, summary in newest_ends(self._session.ledger, job, since=since):
                return unreadable if summary is None else summary.exit_code
        except LedgerMissing:
            return None
        except PortalOpsError:
            return unreadable
        return None

    def _remembered(self, performed: Sequence[PerformedJob], judged: JudgedDuties | None) -> MonitorState:
        """Put what a run saw to what is remembered, and return it; it is returned also where it cannot be kept."""
        session, now = self._session, self._now()
        folder = MonitorFolder(session.settings.state_folder)
        holder = session.holder
        try:
            with folder.changing(holder):
                state = self._fold_run(folder.load(), performed, judged, now)
                folder.save(state)
                return state
        except PortalOpsError as error:
            session.warnings.append(msg("the state of the monitors cannot be saved: {cause}", cause=error.message))
            return self._fold_run(folder.load(), performed, judged, now)

    def _fold_run(
        self, state: MonitorState, performed: Sequence[PerformedJob], judged: JudgedDuties | None, now: datetime
    ) -> MonitorState:
        settings = self._session.settings
        ended = _ended(performed)
        at = {each.job: each.at for each in state.codes}
        before = {**self._forgotten(state), **self._codes(state)}
        codes = tuple(
            LastCode(job, code, now if job in ended or before.get(job) != code else at.get(job, now))
            for job, code in sorted({**before, **ended}.items())
        )
        good = {
            str(done.job.id): now
            for done in performed
            if done.outcome is RunOutcome.COMPLETE and done.exit_code in QUIET
        }
        state = replace(
            state,
            codes=codes,
            succeeded=merged(state.succeeded, good, frozenset(str(job.id) for job in settings.jobs)),
        )
        if judged is None:
            return state
        met = {str(each.duty): now for each in judged.standings if each.verdict is DutyVerdict.MET}
        updates = judged.evidence.updates if judged.evidence is not None else None
        seen = {poll.source: poll.polled_at for poll in (updates.body.polls if updates else ()) if poll.ok}
        return replace(
            state,
            met=merged(state.met, met, frozenset(str(each.duty) for each in judged.standings)),
            seen=merged(state.seen, seen, frozenset(table.id for table in settings.update_sources)),
        )

    def _remember_reported(self) -> None:
        """Remember which monitors answered, for who looks later; that this cannot be kept was said before, or is of no weight."""
        session, settings = self._session, self._session.settings
        if not self._told or not os.path.isdir(settings.state_folder):  # which raises nothing
            return  # a run that could not begin makes no state folder
        folder = MonitorFolder(settings.state_folder)
        known = {table.id for table in settings.monitors}
        try:
            with folder.changing(session.holder):
                state = folder.load()
                before = {each.id: each for each in state.told}
                told = dict(before)
                for name, each in self._told.items():
                    heard = each.heard_at or (before[name].heard_at if name in before else None)
                    told[name] = replace(each, heard_at=heard)
                folder.save(replace(state, told=tuple(told[name] for name in sorted(told) if name in known)))
        except PortalOpsError as error:
            logger.info("which monitors answered is not remembered: %s", error)

    def _now(self) -> datetime:
        return self._session.clock.now()


def _ended(performed: Sequence[PerformedJob]) -> dict[str, int]:
    """Return the exit codes of jobs that were done; of one that another process works on it is not known here."""
    return {done.job.id: int(done.exit_code) for done in performed if done.exit_code is not ExitCode.LOCKED}


def _worst(codes: Mapping[str, int], performed: Sequence[PerformedJob]) -> int:
    known = {int(code): code for code in ExitCode}
    locked = [ExitCode.LOCKED for done in performed if done.exit_code is ExitCode.LOCKED]
    found = [known.get(code, ExitCode.FAILED) for code in codes.values()]
    if ExitCode.INTERRUPTED in found:  # nobody finished it, and nothing was found to be wrong
        found.append(ExitCode.PARTIAL)
    return int(worst([*found, *locked]))


def _text(codes: Mapping[str, int]) -> str:
    return "\n".join(f"{job}: {code}" for job, code in codes.items())


def _duties(judged: JudgedDuties) -> str:
    counts = {verdict: sum(each.verdict is verdict for each in judged.standings) for verdict in DutyVerdict}
    return "duties: " + ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
