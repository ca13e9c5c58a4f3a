"""Does a job of any kind: wires the wing that does the work to the ledger that records it.

The wings know neither each other nor the ledger; here each gets what it needs and hands back a result,
and `portalops.ledger.runs` frames it by its started and finished records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from backups.media import build_media
from backups.presence import listed_sets
from commands.cli.session import Session
from commands.jobs.cases import record_by_rule
from commands.jobs.cluster import clustered
from commands.jobs.drill_reports import leave_report
from commands.jobs.kinds import JOBS
from commands.jobs.kinds.anchor import anchors_of, heads_of_other_ledgers
from commands.jobs.performed import PerformedJob, job_of
from commands.jobs.planning import describe_unplanned, may_plan
from commands.jobs.unrecorded import REFUSED, back_up_unrecorded, record_waiting, refusal_with
from commands.jobs.validity import require_valid
from portalops.compliance.handling import Handling
from portalops.errors import ExitCode, InternalFault, PortalOpsError, worst
from portalops.ledger import runs
from portalops.ledger.heeded import void_clocks
from portalops.ledger.runs import Work
from portalops.model.archive import InventoryRun
from portalops.model.backups import BackupResult, CopyResult, CopyState, DrillResult, SetId, VerifyResult
from portalops.model.checks import CheckScan
from portalops.model.heads import AnchorResult
from portalops.model.installations import Direction
from portalops.model.message import Message, msg, nmsg
from portalops.model.retention import PruneResult
from portalops.model.runs import Job, JobKind, Plan, ReportResult
from portalops.model.updates import UpdatesResult
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.reports.document import Notice, Tone
from portalops.system.installation import find_installed

SHOWN_PROBLEMS = 20
"""How many of a job's problems are shown to people; programs and the ledger get all of them."""


def record_plan(session: Session) -> None:
    """Record what is expected from now on, if this machine may, and which portalops does it, each if it changed.

    Raises:
        LedgerError: nothing can be recorded, so nothing is to be done.
    """
    rulebook = session.rulebook  # no ledger begins for a rulebook that there is not
    settings, ledger, circumstances = session.settings, session.writable_ledger, session.circumstances
    for seq in sorted(void_clocks(ledger)):
        session.warnings.append(
            msg(
                "the mended clock in record {seq} counts for nothing: what follows it at an earlier time meets no duty. If a stranger"
                " wrote it, two persons set it aside: portalops ledger quarantine {seq} {seq}",
                seq=str(seq),
            )
        )
    session.require_clock()
    if ledger.count() == 1:  # nothing but its beginning
        is_recovery_host = settings.backup.drill.signers is not None  # its ledger is to know none of them
        sets = {} if is_recovery_host else listed_sets(settings.portal.id, build_media(settings.backup_media).values())
        anchors = anchors_of(settings, session.clock, session.environment)
        for doubt in (*_sets_without_a_ledger(sets), *heads_of_other_ledgers(anchors, ledger.id)):
            session.doubt_beginning(doubt)
    plan = Plan(settings.jobs, f"{rulebook.id}@{rulebook.version}", settings.digest, settings.portal.timezone)
    if may_plan(session, ledger):
        runs.record_plan(ledger, plan, circumstances)
    elif (unplanned := describe_unplanned(session, ledger, plan)) is not None:
        session.warnings.append(unplanned)
    changed = runs.record_installation(ledger, find_installed(), circumstances)
    if changed is not None and changed.direction is Direction.ROLL_BACK and changed.before is not None:
        session.warnings.append(
            msg(
                "portalops {version} continues a ledger that the newer portalops {newer} wrote to: records that only the"
                " newer one knows are kept, but not judged",
                version=changed.installed.version,
                newer=changed.before.version,
            )
        )
    record_waiting(session)


def _sets_without_a_ledger(listed: Mapping[str, Sequence[SetId]]) -> Iterator[Message]:
    """Yield the sets on the media that a ledger which begins now knows nothing of: the one that did may be lost."""
    for medium, sets in listed.items():
        yield nmsg(
            "medium {medium} holds a backup set that this new ledger does not know, {set}: if the ledger's folder"
            " was lost, stop here and restore it from that set",
            "medium {medium} holds {n} backup sets that this new ledger does not know, the newest {set}: if the"
            " ledger's folder was lost, stop here and restore it from that set",
            len(sets),
            medium=medium,
            set=sets[-1],
        )


def perform(
    session: Session,
    job: Job,
    *,
    slot: str | None = None,
    work: Callable[[Session], Work[object]] | None = None,
    report: Path | None = None,
    late: bool = False,
) -> PerformedJob:
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
    settings, clock, zone = session.settings, session.clock, session.zone_of_portal
    name = slot or job.every.slot(clock.now().astimezone(zone))
    started = clock.monotonic()
    done = runs.record_run(
        session.writable_ledger,
        job,
        name,
        lambda: work(session) if work else clustered(session, job, name) or JOBS.load(job.kind.value).work(session),
        clock=clock,
        circumstances=session.circumstances,
        late=late,
    )
    ended = done.work
    seconds = clock.monotonic() - started
    performed = PerformedJob(
        job,
        name,
        done.run,
        ended.outcome,
        ended.exit_code,
        seconds,
        summary_of(ended.result),
        ended.shown_problems,
        ended.result,
        late=late,
    )
    if isinstance(ended.result, UpdatesResult):
        handling = Handling(session.rulebook.numbers, session.calendar, zone, session.today)
        since = settings.updates.cases_from
        later = {unit.id: unit.cases_from for unit in settings.units if unit.cases_from is not None}
        record_by_rule(session.recorder, handling, ended.result, done.finished.seq, since=since, later=later)
    if isinstance(ended.result, DrillResult) and (report or settings.backup.drill.reports):
        return _with_report(session, performed, ended.result, done, report)
    return performed


def _with_report(
    session: Session, performed: PerformedJob, result: DrillResult, done: runs.RecordedRun[object], path: Path | None
) -> PerformedJob:
    """Leave a signed report of a drill for the portal's host; that it cannot be written undoes nothing of the drill."""
    try:
        written = leave_report(
            result,
            done,
            path,
            settings=session.settings,
            ledger=session.writable_ledger,
            key=session.signing_key,
            host=session.circumstances.host,
        )
    except PortalOpsError as error:
        problem = msg("the drill's report was not written: {cause}", cause=error.message)
        code = worst([performed.exit_code, ExitCode.PARTIAL])
        return replace(performed, exit_code=code, said=(*performed.said, problem))
    return replace(performed, report=written)


def perform_now(
    session: Session,
    kind: JobKind,
    work: Callable[[Session], Work[object]] | None = None,
    *,
    report: Path | None = None,
    unrecorded: Callable[[Session], Work[object]] | None = None,
) -> PerformedJob:
    """Do the configured job of a kind now, due or not, because a person asked for it; the rest as in `perform`.

    Where the ledger refuses records for their time, `unrecorded` is done all the same, and the refusal says what became of it.

    Raises:
        PortalOpsError: the configuration is wrong, another process works on the same resource, or the work failed.
    """
    settings = session.settings
    require_valid(settings)
    job = job_of(settings.jobs, kind)
    with session.hold(kind.resource, job=job.id):
        try:
            record_plan(session)
        except REFUSED as refused:
            if unrecorded is None:
                raise
            made = back_up_unrecorded(session, job, unrecorded, refused)
            raise refusal_with(refused, made.summary) from refused
        return perform(session, job, work=work, report=report)


def attempt(session: Session, job: Job, *, slot: str, late: bool = False) -> PerformedJob:
    """Do a job whose failure must not stop the jobs after it; what went wrong is in what is returned."""
    started = session.clock.monotonic()
    try:
        return perform(session, job, slot=slot, late=late)
    except PortalOpsError as error:
        stopped = error
    except Exception as error:  # a fault in one job is told, and the others still run
        if session.invocation.debug:
            raise
        stopped = InternalFault(runs.problem_of(error), InternalFault.explanation)
    return replace(not_begun(job, slot, stopped), seconds=session.clock.monotonic() - started, late=late)


def not_begun(job: Job, slot: str, stopped: PortalOpsError) -> PerformedJob:
    """Return a job of which nothing could be done."""
    problem = msg("error[{code}]: {problem}", code=stopped.code, problem=stopped.message)
    nothing = msg("nothing was done")
    return PerformedJob(job, slot, "", RunOutcome.FAILED, stopped.exit_code, 0.0, nothing, (problem,), error=stopped)


def problem_lines(performed: Iterable[PerformedJob]) -> Iterator[tuple[Message, Tone]]:
    """Yield what went wrong in each job, for people: so much of it that the rest of the page is still seen."""
    for done in performed:
        if done.error is not None:
            said = msg(
                "{job}: error[{code}]: {problem}", job=done.job.id, code=done.error.code, problem=done.error.message
            )
            yield (said, Tone.BAD)
            yield (msg("hint: {hint}", hint=done.error.hint), Tone.UNSURE)
            continue
        for problem in done.said[:SHOWN_PROBLEMS]:
            yield (msg("{job}: {problem}", job=done.job.id, problem=problem), Tone.BAD)
        more = len(done.said) - SHOWN_PROBLEMS
        if more > 0:
            named = msg(
                "{job}: and {n} more; see 'portalops ledger show --run {run}'", job=done.job.id, n=more, run=done.run
            )
            yield (named, Tone.BAD)


def problem_notices(performed: Iterable[PerformedJob]) -> Iterator[Notice]:
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
            looked = nmsg("{n} copy read", "{n} copies read", len(copies))
            return msg("{looked}, {bad} not verified", looked=looked, bad=bad)
        case CheckScan():
            counts = [result.verdict for result in result.results()]
            return msg(
                "{passed} pass, {failed} fail, {unknown} unknown",
                passed=counts.count(CheckVerdict.PASS),
                failed=counts.count(CheckVerdict.FAIL),
                unknown=counts.count(CheckVerdict.UNKNOWN) + counts.count(CheckVerdict.ERROR),
            )
        case UpdatesResult(polls=polls):
            new = sum(poll.new_items for poll in polls)
            sources = nmsg("{n} source polled", "{n} sources polled", len(polls))
            return msg("{sources}, {new} new items", sources=sources, new=new)
        case ReportResult(files=files):
            return nmsg("{n} file written", "{n} files written", len(files))
        case AnchorResult(receipts=receipts):
            kept_by = [receipt.anchor for receipt in receipts if not receipt.problem]
            return msg("head {size}, kept by {anchors}", size=result.size, anchors=", ".join(kept_by) or "-")
        case _:
            return msg("nothing was done")
