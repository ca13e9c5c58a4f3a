"""Mark the sets that no rule keeps, and remove those marked long enough

[backup.retention] says what is kept. A set is marked first, and removed by a later run when
backup.retention.undo_days are over; until then --undo keeps it. Nothing is removed if a medium's list differs from
the ledger, or if no time service keeps the clock. Keys that may delete do not belong on the host that is backed up.
Give them for this call alone, in a variable that the configuration names.

Example: portalops backup prune --dry-run; portalops backup prune; portalops backup prune --undo portal-20261125;
portalops backup prune --simulate 2026-12-01..2027-12-31

EXIT STATUS: 0 done or shown, 2 wrong usage, 3 something is left, 4 refused, 5 a medium and the ledger disagree, 78
there is no policy
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.retention import MAX_DAYS, candidates_of, simulate
from commands.backup.options import DryRun, required_reason
from commands.backup.views import MAX_LISTED, HeldSet, _describe
from commands.cli.periods import period_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.jobs.kinds.prune import DUTY, PruneRequest, gather_facts, no_policy, parts_of, prune_job, prune_work
from commands.jobs.performed import ShownJob
from commands.jobs.room_ahead import rhythm_of
from commands.jobs.runner import perform
from commands.jobs.validity import require_valid
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.backups import SetId
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.retention import Disposal, Hold, PruneMark, PruneResult, RetentionPolicy
from portalops.model.runs import Resource
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.retention import MARK, UNDONE, RecordedMark, Retained, read_retention
from portalops.reports.document import Block, Bullets, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_retention import policy_rows

if TYPE_CHECKING:
    from backups.prune import PrunePlan
    from backups.retention import Course, Fate


class Step(StrEnum):
    """What the next run does with a set."""

    KEEP = "keep"
    MARK = "mark"
    MARKED = "marked"
    """It was marked before, and can still be undone."""
    REMOVE = "remove"


@shape
class SetFate:
    """What the next run does with a set, and why."""

    id: str
    fate: Step
    held: bool
    reasons: tuple[ShownMessage, ...]
    """Every rule that keeps it; or why it may go."""
    undo_until: datetime | None
    """When the time to undo its mark is over."""


@shape
class SetCourse:
    """What becomes of a set over the simulated days."""

    id: str
    made_on: date
    planned: bool
    """It is not made yet."""
    marked_on: date | None
    removed_on: date | None
    reasons: tuple[ShownMessage, ...]
    """Why it is marked then, or what keeps it on the last day."""


@shape
class RemovedSet:
    """What was removed of a set, by which rule, and whose decision it was."""

    set_id: str
    bag_sha256: str
    made_at: datetime
    stored_bytes: int
    """Of one copy."""
    reason: ShownMessage
    marked_seq: int
    """The ledger record that marked it."""
    marked_at: datetime
    media: tuple[str, ...]
    """From which its copies were removed in this run."""
    left: tuple[str, ...]
    """Where a copy still is."""
    approved_by: str
    evidence: str | None
    """Digest of the approved list, if it was needed."""
    discs: tuple[str, ...]
    """Burnt discs of it that a person must destroy."""

    @classmethod
    def of(cls, gone: Disposal) -> RemovedSet:
        """Return what was removed as `--json` shows it."""
        return cls(**{**asdict(gone), "reason": ShownMessage.of(gone.reason)})


@shape
class PruneRun:
    """What a run marked and removed."""

    run: str
    marked: tuple[str, ...]
    kept: int
    removed: tuple[RemovedSet, ...]
    problems: tuple[str, ...]


def prune(
    ctx: typer.Context,
    *,
    undo: Annotated[
        str | None, typer.Option("--undo", metavar="SET", help=_("Undo the mark of this set, and hold it"))
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help=_("Why it is undone"))] = None,
    simulate: Annotated[
        str | None, typer.Option(metavar="FROM..TO", help=_("Show what becomes of each set over these days"))
    ] = None,
    approved: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=_("Approved list of sets with documents of Article 10.1 that may be removed, one per line"),
        ),
    ] = None,
    approved_by: Annotated[str | None, typer.Option(metavar="NAME", help=_("Who approved that list"))] = None,
    trust_clock: Annotated[bool, typer.Option("--trust-clock", help=_("You have compared the clock yourself"))] = False,
    dry_run: DryRun = False,
) -> Result[PruneRun | tuple[SetFate, ...] | tuple[SetCourse, ...] | HeldSet | ShownJob]:
    session = open_session(ctx)
    if undo is not None:
        return _undo(session, undo, required_reason(reason or "the mark was undone"), dry_run=dry_run)
    if (approved is None) is not (not (approved_by or "").strip()):
        raise UsageError(
            msg("--approved and --approved-by go together"), msg("Give the list and the name of who approved it.")
        )
    if simulate is not None:
        return _simulated(session, simulate)
    asked = PruneRequest(approved, required_reason(approved_by or ""), trust_clock)
    if dry_run:
        seen = gather_facts(parts_of(session, session.reader), asked, evidence=None)
        session.warnings += seen.warnings
        problems = seen.listing.problems()
        notices: list[Block] = [Notice(problem, Tone.BAD) for problem in problems]
        notices += [Notice(problem, Tone.UNSURE) for problem in seen.listing.unreached.values()]
        code = ExitCode.INTEGRITY if problems else ExitCode.OK
        return Result(plan_data(seen.plan, seen.retained), [*plan_view(seen.plan), *notices], exit_code=code)
    require_valid(session.settings)
    job = prune_job(session.settings.jobs)
    with session.hold(Resource.MEDIA, job=job.id):
        # No plan is recorded: with keys of its own, the configuration may be another than that of the jobs.
        done = perform(session, job, work=partial(prune_work, asked=asked))
    told: list[Block] = [Notice(problem, Tone.BAD) for problem in done.said[:MAX_LISTED]]
    if not isinstance(done.result, PruneResult):
        return Result(done.shown(), told, exit_code=done.exit_code)
    data = PruneRun(
        run=done.run,
        marked=done.result.marked,
        kept=done.result.kept,
        removed=tuple(map(RemovedSet.of, done.result.disposals)),
        problems=done.problems,
    )
    return Result(data, [*result_view(done.result), *told], exit_code=done.exit_code)


def _undo(session: Session, name: str, reason: str, *, dry_run: bool) -> Result[HeldSet]:
    made = find_set(recorded_sets(session.reader), name)
    known = read_retention(session.reader).marks.get(made.set.id)
    if known is None or made.is_disposed:
        raise UsageError(
            msg("set {set} is not marked for removal", set=made.set.id)
            if not made.is_disposed
            else msg("nothing is left of set {set}: it was removed", set=made.set.id),
            msg("'portalops backup prune --dry-run' shows which sets are marked."),
        )
    mark = known.mark
    undone = PruneMark(mark.set_id, mark.bag_sha256, verbatim(reason), mark.policy, mark.undo_until, by_person=True)
    if not dry_run:
        session.recorder.record(UNDONE, MARK, undone, subject=undone.set_id, duty=DUTY)
    said = msg("Set {set} is not removed; it is held until 'portalops backup release {set}'", set=undone.set_id)
    return _describe(Hold(undone.set_id, reason), said, dry_run=dry_run)


def _simulated(session: Session, days: str) -> Result[tuple[SetCourse, ...]]:
    policy = session.settings.backup.retention
    if policy.is_empty:
        raise no_policy()
    period = period_of(days, "--simulate")
    if (period.last - period.first).days >= MAX_DAYS:
        raise UsageError(
            msg("{days} are more than {n} days", days=days[:60], n=MAX_DAYS), msg("Ask for fewer days at a time.")
        )
    sets = recorded_sets(session.reader)
    courses = simulate(
        policy,
        candidates_of(sets),
        rhythm_of(session.settings, sets),
        holds={name: each.hold.reason for name, each in read_retention(session.reader).holds.items()},
        approved=(),
        days=tuple(period.days()),
        now=session.clock.now(),
        zone=session.zone_of_portal,
    )
    data = tuple(
        SetCourse(
            id=each.set_id,
            made_on=each.made_on,
            planned=each.is_planned,
            marked_on=each.marked_on,
            removed_on=each.removed_on,
            reasons=tuple(map(ShownMessage.of, each.reasons)),
        )
        for each in courses
    )
    return Result(data, [_policy_view(policy), _courses_table(courses)])


def _courses_table(courses: Sequence[Course]) -> TableBlock:
    rows = [
        (
            each.set_id,
            each.made_on,
            msg("planned") if each.is_planned else msg("there"),
            each.marked_on,
            each.removed_on,
            each.reasons[0] if each.reasons else None,
        )
        for each in courses
    ]
    headers = (msg("Backup set"), msg("Made on"), msg("Now"), msg("Marked on"), msg("Removed on"), msg("Why"))
    return TableBlock(nmsg("{n} backup set", "{n} backup sets", len(rows)), headers, rows)


def _policy_view(policy: RetentionPolicy) -> KeyValues:
    return KeyValues(policy_rows(policy))


def plan_view(plan: PrunePlan) -> list[Block]:
    """Return the fate of every set, for people."""
    steps = _steps(plan)
    rows = [(fate.set_id, _STEPS[steps[fate.set_id]], _reason_of_fate(plan, fate)) for fate in plan.fates]
    table = TableBlock(
        nmsg("{n} backup set", "{n} backup sets", len(rows)), (msg("Backup set"), msg("Fate"), msg("Why")), rows
    )
    return [_policy_view(plan.policy), table if rows else Paragraph(msg("No backup set is on a medium"))]


def plan_data(plan: PrunePlan, retained: Retained) -> tuple[SetFate, ...]:
    """Return the fate of every set, as `--json` shows it."""
    steps = _steps(plan)
    return tuple(
        SetFate(
            id=fate.set_id,
            fate=steps[fate.set_id],
            held=fate.set_id in retained.holds,
            reasons=tuple(map(ShownMessage.of, fate.reasons)),
            undo_until=_undo_until(plan, retained.marks, fate.set_id),
        )
        for fate in plan.fates
    )


def result_view(result: PruneResult) -> list[Block]:
    """Return what a run marked and removed, for people."""
    blocks: list[Block] = [
        Paragraph(
            msg(
                "{kept} kept, {marked} newly marked, {removed} removed",
                kept=nmsg("{n} set", "{n} sets", result.kept),
                marked=len(result.marked),
                removed=len(result.disposals),
            )
        )
    ]
    if result.marked:
        blocks += [
            Paragraph(msg("Marked; 'portalops backup prune --undo SET' keeps a set:")),
            Bullets([verbatim(name) for name in result.marked[:MAX_LISTED]]),
        ]
    if result.disposals:
        headers = (msg("Backup set"), msg("Removed from"), msg("Still on"), msg("Discs to be destroyed"), msg("Why"))
        rows = [
            (
                each.set_id,
                ", ".join(each.media),
                ", ".join(each.left) or None,
                ", ".join(each.discs) or None,
                each.reason,
            )
            for each in result.disposals
        ]
        blocks.append(TableBlock(msg("What was removed"), headers, rows))
        if any(each.discs for each in result.disposals):
            blocks.append(
                Paragraph(msg("Destroy those discs, then record it: 'portalops media destroyed ID SET --reason TEXT'"))
            )
    return blocks


_STEPS: Mapping[Step, Status] = {
    Step.KEEP: Status(msg("kept"), Tone.GOOD),
    Step.MARK: Status(msg("will be marked"), Tone.UNSURE),
    Step.MARKED: Status(msg("marked"), Tone.UNSURE),
    Step.REMOVE: Status(msg("will be removed now"), Tone.BAD),
}


def _steps(plan: PrunePlan) -> dict[SetId, Step]:
    """Return what the next run does with each set."""
    steps = {fate.set_id: Step.KEEP for fate in plan.fates}
    steps |= {mark.set_id: Step.MARK for mark in plan.to_mark}
    steps |= {each.mark.set_id: Step.MARKED for each in plan.waiting}
    return steps | {each.made.set.id: Step.REMOVE for each in plan.to_remove}


def _reason_of_fate(plan: PrunePlan, fate: Fate) -> Message:
    for each in plan.waiting:
        if each.mark.set_id == fate.set_id:
            return msg("{reason}; it can be undone until {moment}", reason=fate.reasons[0], moment=each.mark.undo_until)
    return fate.reasons[0]


def _undo_until(plan: PrunePlan, marks: Mapping[SetId, RecordedMark], set_id: SetId) -> datetime | None:
    for mark in (*(each.mark for each in marks.values()), *plan.to_mark):
        if mark.set_id == set_id:
            return mark.undo_until
    return None


VERB = Verb(prune, version=2)  # reasons were bare sentences
