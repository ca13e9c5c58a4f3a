"""Does a job of any kind: wires the wing that does the work to the ledger that records it.

The wings know neither each other nor the ledger; here each gets what it needs and hands back a result,
and `portalops.ledger.runs` frames it by its started and finished records.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from commands._credential_look import look_at, portals_of
from commands._kinds import typed_tables
from commands._outside import outside_of
from commands._own import own_of
from commands._recipients import recipient_problems
from commands._result import JsonValue
from commands._servers import shells_of
from commands._session import Session
from commands._vulnerabilities import known_vulnerabilities
from portalops.config import Settings
from portalops.errors import ExitCode, InternalFault, LedgerMissing, PortalOpsError, UsageError, worst
from portalops.ledger import runs
from portalops.ledger.runs import Work
from portalops.model.archive import InventoryRun
from portalops.model.backups import (
    BackupResult,
    CopyResult,
    CopyState,
    DrillResult,
    SetKind,
    Stream,
    VerifyResult,
)
from portalops.model.checks import CheckResult, CheckRound
from portalops.model.heads import AnchorResult
from portalops.model.installations import Direction
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import HostId
from portalops.model.retention import PruneResult
from portalops.model.runs import Job, JobKind, Plan, ReportResult, Resource
from portalops.model.updates import Poll, UpdatesResult
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.registers.findings import read_findings, waived_fails
from portalops.registers.waivers import RecordedWaiver, read_waivers
from portalops.reports.document import Notice, Tone

if TYPE_CHECKING:
    from checks.servers.by_hand import Brought
    from checks.servers.runner import Askers
    from commands._backup_work import DrillWish, Readers

SHOWN_PROBLEMS = 20
"""How many of a job's problems are shown to people; programs and the ledger get all of them."""


@dataclass(frozen=True, slots=True)
class Performed:
    """One job, done or tried."""

    job: Job
    slot: str
    run: str
    """The run's id; empty if nothing could be recorded."""
    outcome: RunOutcome
    exit_code: ExitCode
    seconds: float
    summary: Message
    problems: tuple[str, ...] = ()
    said: tuple[Message, ...] = ()
    """The problems for people; empty where their text is all there is."""
    result: object = None
    error: PortalOpsError | None = None
    """What stopped the job before anything could be done."""
    report: Path | None = None
    """Of a drill: its signed report."""
    late: bool = False
    """It was overdue: its time in the slot before had passed without a complete run."""

    def data(self) -> JsonValue:
        """Return it as `--json` shows it."""
        return {
            "id": self.job.id,
            "slot": self.slot,
            "late": self.late,
            "run": self.run,
            "outcome": self.outcome.value,
            "exit_code": int(self.exit_code),
            "summary": str(self.summary),
            "problems": list(self.problems),
        }


def require_valid(settings: Settings) -> None:
    """Make sure that every part of the configuration fits before anything is done.

    No ledger begins while a backup would be refused for its recipients. Where there is one, it is to record that refusal,
    and the other jobs are done.

    Raises:
        ConfigurationError: the first part that does not.
    """
    from portalops.ledger.ledger import FILE  # noqa: PLC0415  # start-up time

    problems: Sequence[PortalOpsError] = typed_tables(settings)[1]
    if not problems and settings.ledger_store is None and not os.path.exists(settings.state_folder / FILE):
        problems = tuple(recipient_problems(settings))
    if problems:
        raise problems[0]


def job_of(session: Session, kind: JobKind) -> Job:
    """Return the configured job of a kind, for a person who asks for that kind of work.

    Raises:
        UsageError: no such job is configured, so no run would count for anything that is planned.
    """
    for job in session.settings.jobs:
        if job.kind is kind:
            return job
    raise UsageError(
        msg("no job of kind {kind} is configured", kind=kind.value),
        msg('Add a [[job]] table with kind = "{kind}" to the configuration.', kind=kind.value),
    )


def record_plan(session: Session) -> None:
    """Record what is expected from now on, and which portalops does it, each if it changed.

    Raises:
        LedgerError: nothing can be recorded, so nothing is to be done.
    """
    rulebook = f"{session.rulebook.id}@{session.rulebook.version}"  # no ledger begins for a rulebook that there is not
    session.writable_ledger.require_clock()
    if session.writable_ledger.count() == 1:  # nothing but its beginning
        _warn_of_sets_without_a_ledger(session)
        from commands._anchor_work import warn_of_other_ledgers  # noqa: PLC0415  # only for the first run of a ledger

        warn_of_other_ledgers(session)
    plan = Plan(session.settings.jobs, rulebook, session.settings.digest, session.settings.portal.timezone)
    runs.record_plan(session.writable_ledger, plan, session.circumstances)
    _record_installation(session)


def _record_installation(session: Session) -> None:
    """Record which portalops writes the ledger from now on, and say if a newer one did before."""
    from portalops.system.installation import find_installed  # noqa: PLC0415  # start-up time

    changed = runs.record_installation(session.writable_ledger, find_installed(), session.circumstances)
    if changed is not None and changed.direction is Direction.ROLL_BACK and changed.before is not None:
        session.warnings.append(
            msg(
                "portalops {version} goes on with a ledger that {newer}, a newer one, wrote to: what only that one records"
                " is kept, and not looked at",
                version=changed.installed.version,
                newer=changed.before.version,
            )
        )


def _warn_of_sets_without_a_ledger(session: Session) -> None:
    """Tell of sets on the media that a ledger which begins now knows nothing of: the one that did may be lost."""
    from commands._backup_work import sets_on_media  # noqa: PLC0415  # only for the first run of a ledger

    for medium, sets in sets_on_media(session).items():
        session.doubt_beginning(
            nmsg(
                "medium {medium} holds a backup set that this new ledger does not know, {set}: if the ledger's folder"
                " was lost, stop here and restore it from that set",
                "medium {medium} holds {n} backup sets that this new ledger does not know, the newest {set}: if the"
                " ledger's folder was lost, stop here and restore it from that set",
                len(sets),
                medium=medium,
                set=sets[-1],
            )
        )


def perform(
    session: Session,
    job: Job,
    *,
    slot: str | None = None,
    work: Callable[[Session], Work[object]] | None = None,
    report: Path | None = None,
    late: bool = False,
) -> Performed:
    """Do a job between its two records.

    Args:
        session: what to work with.
        job: its kind says what is done.
        slot: which of its slots this is for; the present one unless given.
        work: what is done instead, where a person asked for it in a special way.
        report: of a drill, where its signed report goes; as configured unless given.
        late: it was overdue, which is recorded with it.

    Raises:
        PortalOpsError: the work failed; the ledger says so already.
    """
    name = slot or job.every.slot(session.clock.now().astimezone(session.zone_of_portal))
    started = session.clock.monotonic()
    done = runs.record_run(
        session.writable_ledger,
        job,
        name,
        lambda: work(session) if work else _done_here_or_by_workers(session, job, name),
        clock=session.clock,
        circumstances=session.circumstances,
        late=late,
    )
    ended = done.work
    seconds = session.clock.monotonic() - started
    performed = Performed(
        job,
        name,
        done.run,
        ended.outcome,
        ended.exit_code,
        seconds,
        summary_of(ended.result),
        ended.problems,
        ended.said,
        ended.result,
        late=late,
    )
    if isinstance(ended.result, UpdatesResult):
        from commands._cases import record_by_rule  # noqa: PLC0415  # only when this kind of work is done

        record_by_rule(session, ended.result, done.finished.seq)
    if isinstance(ended.result, DrillResult) and (report or session.settings.backup.drill.reports):
        return _with_report(session, performed, ended.result, done, report)
    return performed


def _done_here_or_by_workers(session: Session, job: Job, slot: str) -> Work[object]:
    if session.settings.cluster is not None:
        from commands._cluster_work import clustered  # noqa: PLC0415  # only on a cluster

        if (done := clustered(session, job, slot)) is not None:
            return done
    return _WORK[job.kind](session)


def _with_report(
    session: Session, performed: Performed, result: DrillResult, done: runs.Performed[object], path: Path | None
) -> Performed:
    """Leave a signed report of a drill for the portal's host; that it cannot be written undoes nothing of the drill."""
    from commands._drill_reports import leave_report  # noqa: PLC0415  # as above

    try:
        written = leave_report(session, result, done, path)
    except PortalOpsError as error:
        problem = f"the drill's report was not written: {error}"
        code = worst([performed.exit_code, ExitCode.PARTIAL])
        return replace(performed, exit_code=code, problems=(*performed.problems, problem))
    return replace(performed, report=written)


def by_hand(
    session: Session,
    kind: JobKind,
    work: Callable[[Session], Work[object]] | None = None,
    *,
    report: Path | None = None,
) -> Performed:
    """Do the configured job of a kind now, due or not, because a person asked for it; the rest as in `perform`.

    Raises:
        PortalOpsError: the configuration is wrong, another process works on the same resource, or the work failed.
    """
    require_valid(session.settings)
    job = job_of(session, kind)
    with resource_lock(session, kind.resource, job=job.id):
        record_plan(session)
        return perform(session, job, work=work, report=report)


def resource_lock(
    session: Session, resource: Resource, *, job: str = "", wait_seconds: float = 0
) -> AbstractContextManager[None]:
    """Hold a resource of this state folder, on which one process at a time works.

    Args:
        session: what to work with.
        resource: what is worked on.
        job: what for; it is told to whoever is refused meanwhile.
        wait_seconds: how long to wait for another process that holds it.

    Raises:
        Locked: another process holds it.
        FileUnwritable: the lock file cannot be made.
    """
    return session.locks.held(resource.value, holder=session.holder_for(job), wait_seconds=wait_seconds)


def attempt(session: Session, job: Job, *, slot: str, late: bool = False) -> Performed:
    """Do a job whose failure must not stop the jobs after it; what went wrong is in what is returned."""
    started = session.clock.monotonic()
    try:
        return perform(session, job, slot=slot, late=late)
    except PortalOpsError as error:
        stopped = error
    except Exception as error:  # a fault in one job is told, and the others still run
        if session.invocation.debug:
            raise
        stopped = InternalFault(verbatim(runs.problem_of(error)), InternalFault.explanation)
    return replace(not_begun(job, slot, stopped), seconds=session.clock.monotonic() - started, late=late)


def not_begun(job: Job, slot: str, stopped: PortalOpsError) -> Performed:
    """Return a job of which nothing could be done."""
    problem = f"error[{stopped.code}]: {stopped.message}"
    nothing = msg("nothing was done")
    return Performed(job, slot, "", RunOutcome.FAILED, stopped.exit_code, 0.0, nothing, (problem,), error=stopped)


def problem_lines(performed: Iterable[Performed]) -> Iterator[tuple[Message, Tone]]:
    """Yield what went wrong in each job, for people: so much of it that the rest of the page is still seen."""
    for done in performed:
        if done.error is not None:
            said = msg(
                "{job}: error[{code}]: {problem}", job=done.job.id, code=done.error.code, problem=done.error.message
            )
            yield (said, Tone.BAD)
            yield (msg("hint: {hint}", hint=done.error.hint), Tone.UNSURE)
            continue
        for problem in (done.said or done.problems)[:SHOWN_PROBLEMS]:
            yield (msg("{job}: {problem}", job=done.job.id, problem=problem), Tone.BAD)
        more = len(done.problems) - SHOWN_PROBLEMS
        if more > 0:
            named = msg(
                "{job}: and {n} more; see 'portalops ledger show --run {run}'", job=done.job.id, n=more, run=done.run
            )
            yield (named, Tone.BAD)


def problem_notices(performed: Iterable[Performed]) -> Iterator[Notice]:
    """Yield the same as parts of a page."""
    return (Notice(said, tone) for said, tone in problem_lines(performed))


def summary_of(result: object) -> Message:
    """Say in one sentence what a job's result holds."""
    match result:
        case BackupResult(set=None):
            return msg("no set could be made")
        case BackupResult(set=made, copies=copies) if made is not None:
            verified = [copy.medium for copy in copies if copy.state is CopyState.VERIFIED]
            return msg("set {set}, verified on {media}", set=made.id, media=", ".join(verified) or "-")
        case CopyResult(copies=copies):
            good = sum(copy.state is CopyState.VERIFIED for copy in copies)
            return msg("{good} of {wanted} copies made", good=good, wanted=len(copies))
        case DrillResult(copies=(copy, *_others)):
            seconds = f"{result.restore_ms / 1000:.1f}"
            if copy.state is not CopyState.VERIFIED:
                return msg("set {set} on {medium} does not hold", set=copy.set_id, medium=copy.medium)
            return msg(
                "set {set} on {medium} restored in {seconds} s and used",
                set=copy.set_id,
                medium=copy.medium,
                seconds=seconds,
            )
        case InventoryRun():
            return msg(
                "{items} items, {gaps} gaps, {lost} collections with losses",
                items=result.items,
                gaps=result.gaps,
                lost=result.lost,
            )
        case PruneResult(marked=marked, disposals=disposals):
            return msg("{marked} sets newly marked, {removed} removed", marked=len(marked), removed=len(disposals))
        case VerifyResult(copies=copies):
            bad = sum(copy.state is not CopyState.VERIFIED for copy in copies)
            looked = nmsg("{n} copy looked at", "{n} copies looked at", len(copies))
            return msg("{looked}, {bad} not verified", looked=looked, bad=bad)
        case CheckRound():
            counts = [result.verdict for result in result.results()]
            return msg(
                "{passed} pass, {failed} fail, {unknown} unknown",
                passed=counts.count(CheckVerdict.PASS),
                failed=counts.count(CheckVerdict.FAIL),
                unknown=counts.count(CheckVerdict.UNKNOWN) + counts.count(CheckVerdict.ERROR),
            )
        case UpdatesResult(polls=polls):
            new = sum(poll.new_items for poll in polls)
            sources = nmsg("{n} source looked at", "{n} sources looked at", len(polls))
            return msg("{sources}, {new} new items", sources=sources, new=new)
        case ReportResult(files=files):
            return nmsg("{n} file written", "{n} files written", len(files))
        case AnchorResult(receipts=receipts):
            kept_by = [receipt.anchor for receipt in receipts if not receipt.problem]
            return msg("head {size}, kept by {anchors}", size=result.size, anchors=", ".join(kept_by) or "-")
        case _:
            return msg("nothing was done")


def backup_work(
    session: Session, set_kind: SetKind | None = None, *, accept_shrink: Sequence[str] = ()
) -> Work[object]:
    """Back up; `set_kind` and `accept_shrink` as a person asked for them, else as the configuration says."""
    from commands._backup_work import make_backup  # noqa: PLC0415  # only when this kind of work is done

    result = make_backup(session, set_kind, accept_shrink=accept_shrink)
    unverified = [copy for copy in result.copies if copy.state is not CopyState.VERIFIED]
    unread = [f"{stream.source}: {line}" for stream in _streams(result) for line in (*stream.unread, *stream.changed)]
    unsigned = (result.unsigned,) if result.unsigned else ()
    problems = (
        *result.failed_sources,
        *(_named(copy.medium, copy.problem) for copy in unverified),
        *unread,
        *unsigned,
    )
    if result.set is None or len(unverified) == len(result.copies):
        return Work(RunOutcome.FAILED, ExitCode.FAILED, result, problems)
    if result.set.outcome is not RunOutcome.COMPLETE or unverified:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    # Without its signature the data is whole all the same.
    return Work(RunOutcome.COMPLETE, ExitCode.PARTIAL if unsigned else ExitCode.OK, result, problems)


def copy_work(session: Session, *, only_set: str = "", only_medium: str = "") -> Work[object]:
    """Make up copies; of one set or onto one medium if a person asked for it."""
    from commands._backup_work import make_up_copies  # noqa: PLC0415  # as above

    result = make_up_copies(session, only_set=only_set, only_medium=only_medium)
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    if any(copy.state is CopyState.DAMAGED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.INTEGRITY, result, problems)
    if any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


def drill_work(session: Session, *, wish: DrillWish | None = None) -> Work[object]:
    """Restore a copy and try it out; one that a person named, or one by chance."""
    from commands._backup_work import DrillWish, drill_copy, identities_of, target_of  # noqa: PLC0415  # as above

    wish = wish or DrillWish()
    identities_of(session, wish)  # without a key nothing is looked for
    drawn = target_of(session, wish)
    told = (
        *(f"not drilled, since it cannot be told to be the portal's: {each}" for each in drawn.refused),
        *(f"not drilled, since nobody signed it: {each}" for each in drawn.unsigned),
        *drawn.unreached,
    )
    code = ExitCode.INTEGRITY if drawn.refused else ExitCode.PARTIAL if told else ExitCode.OK
    if drawn.target is None:
        nothing = "there is no verified copy on a configured medium"
        return Work(RunOutcome.FAILED, ExitCode.INTEGRITY if drawn.refused else ExitCode.FAILED, None, (nothing, *told))
    done = _drilled(drill_copy(session, drawn.target, wish))
    return replace(done, exit_code=worst([done.exit_code, code]), problems=(*done.problems, *told))


def _drilled(result: DrillResult) -> Work[object]:
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    untried = tuple(
        f"{each.source}/{each.stream}: not tried: {each.not_tried}" for each in result.trials if each.not_tried
    )
    if any(copy.state is not CopyState.VERIFIED for copy in result.copies):
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, (*problems, *untried))
    if untried:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, untried)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


def verify_work(session: Session, readers: Readers | None = None) -> Work[object]:
    """Read copies back; by others than this process, if they are given."""
    from commands._backup_work import verify_copies  # noqa: PLC0415  # as above

    result = verify_copies(session, job_of(session, JobKind.VERIFY).every, readers)
    problems = tuple(f"{copy.medium}: {copy.set_id}: {copy.problem}" for copy in result.copies if copy.problem)
    states = {copy.state for copy in result.copies}
    if not states:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, ("no recorded copy is on the configured media",))
    if CopyState.DAMAGED in states:
        return Work(RunOutcome.COMPLETE, ExitCode.INTEGRITY, result, problems)
    if problems or states - {CopyState.VERIFIED}:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result, problems)


def _prune(session: Session) -> Work[object]:
    from commands._prune_work import prune_work  # noqa: PLC0415  # as above

    return prune_work(session)


def _inventory(session: Session) -> Work[object]:
    from commands._archive_work import inventory_work  # noqa: PLC0415  # as above

    return inventory_work(session)


@dataclass(frozen=True, slots=True)
class RoundWish:
    """How a person wants a round of server checks."""

    from_outside: bool = False
    """Also as the configuration says."""
    brought: Mapping[HostId, Brought] = field(default_factory=dict)
    """Answers that the person brought, by host."""
    anew: bool = False
    """Ask the hosts also for what an earlier answer still speaks for."""
    askers: Askers | None = None
    """Who asks the hosts, if not this process."""


def check_work(session: Session, wish: RoundWish = RoundWish()) -> Work[object]:
    """Do a round of server checks, and look at who can work in the portals first: one of the checks rests on it."""
    from checks.servers.declared import Declared  # noqa: PLC0415  # as above
    from checks.servers.runner import run_checks  # noqa: PLC0415  # as above

    looked = look_at(session, portals_of(session))
    unasked = {each.portal: each.found if isinstance(each.found, Message) else None for each in looked}
    result = run_checks(
        session.settings.hosts,
        session.settings.declared.parse(Declared),
        shell_for=shells_of(session),
        at_once=session.settings.servers.at_once,
        keeper=session.writable_ledger,
        clock=session.clock,
        progress=session.progress,
        known=known_vulnerabilities(session),
        outside=outside_of(session, is_asked=wish.from_outside),
        own=own_of(session, unasked),
        brought=wish.brought,
        anew=wish.anew,
        askers=wish.askers,
    )
    found = read_findings(session.writable_ledger)  # after the trips, which take a while
    work = work_of_checks(replace(result, findings=found.carried()), waived_of(session, result.results()))
    return with_portals(work, [each for each in unasked.values() if each is not None])


def with_portals(work: Work[object], unasked: Sequence[Message]) -> Work[object]:
    """Return a round's work with why portals could not be asked for their accounts: it is not complete then."""
    if not unasked:
        return work
    said = (*(work.said or map(verbatim, work.problems)), *unasked)
    outcome = RunOutcome.INCOMPLETE if work.outcome is RunOutcome.COMPLETE else work.outcome
    code = worst([work.exit_code, ExitCode.PARTIAL])
    return Work(outcome, code, work.result, tuple(map(str, said)), said)


def waived_of(session: Session, results: Iterable[CheckResult]) -> Mapping[tuple[HostId, str], RecordedWaiver]:
    """Return the waivers in force today beside the checks that fail; none before there is a ledger."""
    try:
        waivers = read_waivers(session.ledger).waivers
    except LedgerMissing:
        return {}
    today = session.clock.now().astimezone(session.zone_of_portal).date()
    return waived_fails(results, waivers, session.rulebook.numbers, today, session.zone_of_portal)


def work_of_checks(result: CheckRound, waived: Collection[tuple[HostId, str]] = ()) -> Work[object]:
    """Judge how a round of checks went: one of no host is none.

    Args:
        result: the round.
        waived: host and check of fails that somebody in charge decided to go without a remedy for.
    """
    if all(host.standby for host in result.hosts):  # groups alone
        return Work(RunOutcome.FAILED, ExitCode.PARTIAL, result, ("no host is declared, so nothing was checked",))
    problems = unreached(result)
    said = tuple(
        msg("{host}: {problem}", host=host.host, problem=host.problem) for host in result.hosts if not host.reached
    )
    outcome = RunOutcome.INCOMPLETE if problems else RunOutcome.COMPLETE
    return Work(outcome, exit_code_of_checks(result.results(), waived), result, problems, said)


def unreached(result: CheckRound) -> tuple[str, ...]:
    """Return each host that was not reached, with why."""
    return tuple(f"{host.host}: {host.problem}" for host in result.hosts if not host.reached)


def exit_code_of_checks(results: Sequence[CheckResult], waived: Collection[tuple[HostId, str]] = ()) -> ExitCode:
    """Return 70 if a check crashed, else 1 if one fails without a waiver, else 3 if one is unknown or none was judged, else 0."""
    if not results:
        return ExitCode.PARTIAL
    codes = {
        CheckVerdict.ERROR: ExitCode.FAULT,
        CheckVerdict.FAIL: ExitCode.UNMET,
        CheckVerdict.UNKNOWN: ExitCode.PARTIAL,
    }
    return worst(codes.get(one.verdict, ExitCode.OK) for one in results if (one.host, one.check) not in waived)


def _updates(session: Session) -> Work[object]:
    from commands._updates_work import collect_updates  # noqa: PLC0415  # as above

    result, lost = collect_updates(session)
    return work_of_updates(result, lost)


def work_of_updates(result: UpdatesResult, lost: tuple[Message, ...] = ()) -> Work[object]:
    """Judge how a collection went: one that no source answered collected nothing.

    Args:
        result: what was collected and judged.
        lost: what of earlier looks could not be put back into the store.
    """
    failed = [_why_failed(poll) for poll in result.polls if not poll.ok]
    rejected = [
        msg("{source}: {line}", source=poll.source, line=line) for poll in result.polls for line in poll.rejected
    ]
    rejected += [
        nmsg(
            "{source}: {n} more is rejected", "{source}: {n} more are rejected", poll.rejected_more, source=poll.source
        )
        for poll in result.polls
        if poll.rejected_more
    ]
    if not result.polls:
        failed = [msg("no source of updates is configured, so nothing was collected")]
    said = (*failed, *lost, *rejected)
    outcome, code = RunOutcome.COMPLETE, ExitCode.PARTIAL if said else ExitCode.OK
    if len(failed) >= len(result.polls):
        outcome = RunOutcome.FAILED
    elif failed or lost:
        outcome = RunOutcome.INCOMPLETE
    # If every source was looked at, the job is done; what was refused counts for nobody until someone corrects it.
    return Work(outcome, code, result, tuple(map(str, said)), said)


def lost_looks(done: Performed) -> tuple[Message, ...]:
    """Return what of earlier looks a collection could not put back: what stands between failed sources and refused lines."""
    assert isinstance(done.result, UpdatesResult)
    polls = done.result.polls
    refused = sum(len(poll.rejected) + (poll.rejected_more > 0) for poll in polls)
    return done.said[sum(not poll.ok for poll in polls) if polls else 1 : len(done.said) - refused]


def _why_failed(poll: Poll) -> Message:
    """Say why a source could not be looked at, with its id, once."""
    if isinstance(poll.problem, str):
        return verbatim(_named(poll.source, poll.problem))
    is_named = poll.problem.values.get("source") == poll.source
    return poll.problem if is_named else msg("{source}: {line}", source=poll.source, line=poll.problem)


def _report(session: Session) -> Work[object]:
    from commands._report_work import weekly_report  # noqa: PLC0415  # as above

    return weekly_report(session)


def _anchor(session: Session) -> Work[object]:
    from commands._anchor_work import anchor_newest_head  # noqa: PLC0415  # as above

    return any_work(anchor_newest_head(session))


def any_work(work: Work[AnchorResult]) -> Work[object]:
    """Return work as the runner of jobs takes it."""
    return Work(work.outcome, work.exit_code, work.result, work.problems)


_WORK: Mapping[JobKind, Callable[[Session], Work[object]]] = {
    JobKind.BACKUP: backup_work,
    JobKind.COPY: copy_work,
    JobKind.VERIFY: verify_work,
    JobKind.DRILL: drill_work,
    JobKind.PRUNE: _prune,
    JobKind.INVENTORY: _inventory,
    JobKind.CHECK: check_work,
    JobKind.UPDATES: _updates,
    JobKind.REPORT: _report,
    JobKind.ANCHOR: _anchor,
}


def _named(identity: str, problem: str) -> str:
    """Return a problem with the id of what has it, once."""
    return problem if identity in problem.partition(":")[0] else f"{identity}: {problem}"


def _streams(result: BackupResult) -> tuple[Stream, ...]:
    return result.set.streams if result.set else ()
