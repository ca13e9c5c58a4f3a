"""Marks sets that no rule keeps, and removes those that stayed marked long enough: two phases with time to undo between.

What is to be done is planned purely; `remove_sets` does it. Nothing is removed unless every medium that can be reached lists
exactly what the ledger says is on it: where the two disagree, somebody has to look first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from backups.job import VerifyTarget, run_verify
from backups.presence import require_sets
from backups.retention import THERE, Fate, ListingDifference, candidates_of, compare, decide, outranking
from portalops.errors import ExitCode, PortalOpsError, SetLocked, SetNotFound
from portalops.model.backups import Copy, CopyState, SetId, SetKind
from portalops.model.heads import Signer
from portalops.model.message import Message, msg, together, verbatim
from portalops.model.record import Digest
from portalops.model.retention import Disposal, PruneMark, RetentionPolicy
from portalops.model.runs import Run, RunSummary
from portalops.model.text import show_text
from portalops.ports import Clock, Medium, Progress
from portalops.registers.backups import SetEvidence
from portalops.registers.retention import RecordedMark, Retained

SHOWN = 5
"""How many sets a line names."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An approved list of archive material that may be removed."""

    sets: frozenset[SetId]
    approved_by: str
    evidence: Digest
    """The blob with the list."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A set whose time to undo is over."""

    made: SetEvidence
    recorded: RecordedMark


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a run would do."""

    policy: RetentionPolicy
    fates: tuple[Fate, ...]
    """Of every set of which a copy is on a medium, oldest first."""
    to_mark: tuple[PruneMark, ...]
    to_undo: tuple[PruneMark, ...]
    """Marks of sets that are kept again, with the reason."""
    waiting: tuple[RecordedMark, ...]
    """Marked, and not yet to be removed."""
    to_remove: tuple[Removal, ...]
    """Differentials first, so that no set loses what it builds on."""
    newest: frozenset[SetId]
    """The sets that removals rely on: the newest good one of each job, which must be read before anything goes."""
    outranking: frozenset[SetId]
    """And the others because of which sets go: they are read where a medium that has them is there."""


def plan_prune(
    policy: RetentionPolicy,
    sets: Sequence[SetEvidence],
    retained: Retained,
    *,
    approval: Approval | None,
    now: datetime,
    zone: ZoneInfo,
) -> PrunePlan:
    """Decide what a run does.

    Args:
        policy: the rules.
        sets: as recorded, oldest first.
        retained: what people and earlier runs decided.
        approval: a list of archive material, if one is given; marks keep theirs.
        now: aware.
        zone: the portal's.
    """
    approved = {name for name, each in retained.marks.items() if each.mark.evidence is not None}
    fates = decide(
        policy,
        candidates_of(sets),
        holds={name: each.hold.reason for name, each in retained.holds.items()},
        approved=approved | (approval.sets if approval else frozenset()),
        now=now,
        zone=zone,
    )
    by_id = {made.set.id: made for made in sets}
    to_mark, to_undo, waiting, to_remove = [], [], [], []
    for fate in fates:
        made, known = by_id[fate.set_id], retained.marks.get(fate.set_id)
        if fate.is_kept:
            if known is not None:
                to_undo.append(replace(known.mark, reason=fate.reasons[0], policy=policy))
        elif known is None:
            to_mark.append(_mark(made, fate.reasons[0], policy, approval, now))
        elif now < known.mark.undo_until:
            waiting.append(known)
        else:
            to_remove.append(Removal(made, known))
    to_remove.sort(key=lambda each: each.made.set.kind is SetKind.FULL)
    going = {each.made.set.id for each in to_remove}
    newest, others = outranking(policy, candidates_of(sets), going, now=now, zone=zone)
    return PrunePlan(policy, fates, tuple(to_mark), tuple(to_undo), tuple(waiting), tuple(to_remove), newest, others)


def _mark(
    made: SetEvidence, reason: Message, policy: RetentionPolicy, approval: Approval | None, now: datetime
) -> PruneMark:
    named = approval if approval is not None and made.set.id in approval.sets else None
    return PruneMark(
        made.set.id,
        made.set.bag_sha256,
        reason,
        policy,
        now + timedelta(days=policy.undo_days),
        approved_by=named.approved_by if named else "",
        evidence=named.evidence if named else None,
    )


@dataclass(frozen=True, slots=True)
class MediaListing:
    """What the media list, held against the ledger."""

    differences: Mapping[str, ListingDifference]
    """By medium, of those that could be read."""
    unreached: Mapping[str, Message]
    """Why a medium could not be read."""

    def problems(self) -> tuple[Message, ...]:
        """Name what stands in the way of removing anything: one bounded line each."""
        found = []
        for medium, difference in self.differences.items():
            if difference.missing:
                names = _named(difference.missing)
                found.append(msg("{medium}: recorded to be there, and not listed: {sets}", medium=medium, sets=names))
            if difference.unknown:
                names = _named(difference.unknown)
                found.append(msg("{medium}: listed, and not recorded to be there: {sets}", medium=medium, sets=names))
        return tuple(found)


def list_media(portal: str, media: Mapping[str, Medium], sets: Sequence[SetEvidence]) -> MediaListing:
    """List every medium, and compare it with the ledger."""
    differences: dict[str, ListingDifference] = {}
    unreached: dict[str, Message] = {}
    for name, medium in media.items():
        try:
            differences[name] = compare(portal, name, medium.sets(), sets)
        except PortalOpsError as error:
            unreached[name] = error.message
    return MediaListing(differences, unreached)


def cut_off_at(runs: Sequence[Run], summary_of: Callable[[Run], RunSummary | None]) -> datetime | None:
    """Return when the newest run began that was killed or stopped; None if there is none.

    One that ended by itself has recorded what it removed.

    Args:
        runs: of the prune job, oldest first.
        summary_of: tells how a finished run ended; None if that cannot be read, and then it explains nothing.
    """
    for run in reversed(runs):
        ended = summary_of(run) if run.finished_at is not None else None
        if run.finished_at is None or (ended and ended.exit_code in {ExitCode.INTERRUPTED, ExitCode.FAULT}):
            return run.started_at
    return None


def explained(seen: MediaListing, removals: Sequence[Removal], dead_run_at: datetime | None) -> MediaListing:
    """Return a look without what a run that died has removed and could not record.

    Args:
        seen: what the media list.
        removals: the sets that such a run had to remove.
        dead_run_at: when the newest run began that left no result; None if there is none.
    """
    if dead_run_at is None:
        return seen
    taken = {each.made.set.id for each in removals if each.recorded.mark.undo_until <= dead_run_at}
    differences = {
        medium: replace(each, missing=tuple(name for name in each.missing if name not in taken))
        for medium, each in seen.differences.items()
    }
    return MediaListing(differences, seen.unreached)


def without_absent(seen: MediaListing, portal: str, media: Mapping[str, Medium]) -> MediaListing:
    """Return a look in which media that lack sets, and show none of the portal's, are out of reach: another disk is there, or none."""
    differences = dict(seen.differences)
    unreached = dict(seen.unreached)
    for name in [name for name, each in differences.items() if each.missing]:
        try:
            require_sets(media[name], portal)
        except PortalOpsError as error:
            del differences[name]
            unreached[name] = error.message
    return MediaListing(differences, unreached)


def without_left(
    seen: MediaListing, died: Sequence[tuple[datetime, datetime]]
) -> tuple[MediaListing, Mapping[str, tuple[SetId, ...]]]:
    """Take the sets out of a look that backup runs have sealed which died before they could record them.

    Such a run makes one set at most, whose name has a moment between its beginning and that of the next run. Where there are
    two for one run, at least one is not its own, and both stay.

    Args:
        seen: what the media list.
        died: for each backup run that left no result, when it began and when the next one did.

    Returns:
        The look, and by medium the sets that were taken out of it.
    """
    unknown = {name for each in seen.differences.values() for name in each.unknown}
    found = ([name for name in unknown if start <= made_at(name) < end] for start, end in died)
    left = {names[0] for names in found if len(names) == 1}
    differences = {
        medium: replace(each, unknown=tuple(name for name in each.unknown if name not in left))
        for medium, each in seen.differences.items()
    }
    by_medium = {
        medium: tuple(name for name in each.unknown if name in left) for medium, each in seen.differences.items()
    }
    return MediaListing(differences, seen.unreached), {medium: names for medium, names in by_medium.items() if names}


def made_at(name: SetId) -> datetime:
    """Return the moment in a set's name, in whole seconds; the first of all for a name that has none."""
    try:
        return datetime.strptime(name.rsplit("-", 3)[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return datetime.min.replace(tzinfo=UTC)


def unseen_last(sets: Sequence[SetEvidence], fates: Sequence[Fate], seen: MediaListing) -> Message | None:
    """Return why nothing may be removed although the listings agree: no good set was seen; None if one was.

    Only what is kept counts, and only a verified copy on a medium that was read just now.
    """
    kept = {fate.set_id for fate in fates if fate.is_kept}
    good = {each.set_id for each in candidates_of(sets) if each.is_good}
    for made in sets:
        if made.set.id in kept & good and _is_seen(made, seen) and (made.base is None or _is_seen(made.base, seen)):
            return None
    return msg("no good set that is kept was seen on a medium just now")


def relied_on(sets: Sequence[SetEvidence], plan: PrunePlan) -> tuple[SetEvidence, ...]:
    """Return the sets that a removal relies on, with their bases, the oldest first.

    Args:
        sets: as recorded, oldest first.
        plan: what is to be removed.
    """
    found = {made.set.id: made for made in sets if made.set.id in plan.newest | plan.outranking}
    bases = {made.base.set.id: made.base for made in found.values() if made.base}
    return tuple((bases | found).values())


@dataclass(frozen=True, slots=True)
class RelianceCheck:
    """What came of reading the sets that a removal relies on."""

    copies: tuple[Copy, ...]
    """Those that were read, as they were found."""
    problems: tuple[Message, ...]
    """A line for each set of which no copy is whole; with one, nothing may be removed."""


def read_relied_on(
    relied: Sequence[SetEvidence],
    newest: Collection[SetId],
    media: Mapping[str, Medium],
    seen: MediaListing,
    *,
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
) -> RelianceCheck:
    """Read every byte of sets, of each one copy after the other until one is whole.

    Args:
        relied: the sets.
        newest: of them, those that must be read; another one of which no copy is on a medium that is there counts as recorded.
        media: by id.
        seen: what the media list; only media in it are read.
        keys: the ledger's signing keys; None if no ledger can be asked.
        clock: of the readings.
        progress: shown what is read.
    """
    copies: list[Copy] = []
    problems: list[Message] = []
    must = {*newest, *(made.base.set.id for made in relied if made.base and made.set.id in newest)}
    for made in relied:
        found: list[Copy] = []
        for copy in made.copies:
            if copy.state is CopyState.VERIFIED and copy.medium in seen.differences:
                target = VerifyTarget.of(made.set, copy)
                found += run_verify([target], media, clock=clock, progress=progress, keys=keys).copies
                if found[-1].state is CopyState.VERIFIED and not found[-1].problem:
                    break
        else:
            if not found and made.set.id not in must:
                continue
            said = together([name_copy(each) for each in found], most=3) if found else msg("no medium has it")
            problems.append(
                msg("nothing is removed, since set {set}, which stays, is not whole: {why}", set=made.set.id, why=said)
            )
        copies += found
    return RelianceCheck(tuple(copies), tuple(problems))


def name_copy(copy: Copy) -> Message:
    """Return the medium of a copy, and its problem."""
    return msg("{medium}: {problem}", medium=copy.medium, problem=copy.shown_problem)


def _is_seen(made: SetEvidence, seen: MediaListing) -> bool:
    return any(copy.medium in seen.differences for copy in made.verified_copies())


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed."""

    copies: tuple[Copy, ...]
    disposals: tuple[Disposal, ...]
    problems: tuple[Message, ...]
    """What is still there, and why: one line each."""
    was_stopped: bool = False
    """A person or the system stopped it; what was removed until then is in it."""


def remove_sets(
    removals: Sequence[Removal],
    media: Mapping[str, Medium],
    sets: Sequence[SetEvidence],
    seen: MediaListing,
    *,
    still: Callable[[SetId], bool],
    progress: Progress,
) -> Removed:
    """Remove the copies of sets, one set after the other.

    A full set stays as long as any copy of a set that builds on it is anywhere.

    Args:
        removals: differentials first.
        media: by id.
        sets: as recorded.
        seen: what the media list; only media in it are touched.
        still: asked right before each set, whether it is still marked and not held.
        progress: is kept up to date.
    """
    copies: list[Copy] = []
    disposals: list[Disposal] = []
    problems: list[Message] = []
    gone: set[tuple[SetId, str]] = set()
    remover = _Remover(media, seen, problems)
    try:
        with progress.task(msg("Removing"), total=len(removals), unit="items") as task:
            for each in removals:
                task.note(msg("set {set}", set=each.made.set.id))
                try:
                    is_still = still(each.made.set.id)
                except PortalOpsError as error:  # a hold may be unknown; what was removed so far must be recorded
                    problems.append(msg("{set}: {problem}", set=each.made.set.id, problem=error.message))
                    break
                if not is_still:
                    problems.append(
                        msg("{set}: it is held, or its mark was undone, since this run began", set=each.made.set.id)
                    )
                elif (builder := _dependant(each.made, sets, gone)) is not None:
                    builds = msg(
                        "{set}: set {other}, which builds on it, is still there", set=each.made.set.id, other=builder
                    )
                    problems.append(builds)
                else:
                    removed: list[Copy] = []
                    left: list[str] = []
                    try:
                        remover.remove_set(each.made, removed, left)
                    finally:
                        gone |= {(copy.set_id, copy.medium) for copy in removed}
                        copies += removed
                        if removed:
                            disposals.append(_disposal(each, removed, left))
                task.advance(1)
    except KeyboardInterrupt:  # what was removed must be recorded
        problems.append(msg("it was stopped; the next run goes on"))
        return Removed(tuple(copies), tuple(disposals), tuple(problems), was_stopped=True)
    return Removed(tuple(copies), tuple(disposals), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Remover:
    """Removes the copies of one set after the other."""

    media: Mapping[str, Medium]
    seen: MediaListing
    problems: list[Message]

    def remove_set(self, made: SetEvidence, removed: list[Copy], left: list[str]) -> None:
        """Remove a set's copies; each is noted at once, since a stop may come at any time."""
        there = [copy for copy in made.copies if copy.state in THERE]
        left += [copy.medium for copy in there]
        for copy in there:
            problem = self._remove_copy(copy)
            if problem is not None:
                named = msg("{medium}: {set}: {problem}", medium=copy.medium, set=made.set.id, problem=problem)
                self.problems.append(named)
            else:
                left.remove(copy.medium)
                removed.append(replace(copy, state=CopyState.DISPOSED).with_problem(""))

    def _remove_copy(self, copy: Copy) -> Message | None:
        """Remove one copy; return why it is still there, or None."""
        if copy.medium not in self.media:
            return msg("the medium is not configured here")
        if copy.medium in self.seen.unreached:
            return self.seen.unreached[copy.medium]
        try:
            self.media[copy.medium].remove(copy.set_id)
        except SetNotFound:
            return None  # a damaged copy of which nothing was left, or one that a run that died has removed
        except SetLocked as error:
            return msg("left until its lock ends: {cause}", cause=error.message)
        except PortalOpsError as error:
            return error.message
        return None


def _dependant(made: SetEvidence, sets: Sequence[SetEvidence], gone: Collection[tuple[SetId, str]]) -> SetId | None:
    """Return a set that builds on this one and of which a copy is still somewhere."""
    for other in sets:
        if other.set.base == made.set.bag_sha256 and any(
            copy.state in THERE and (copy.set_id, copy.medium) not in gone for copy in other.copies
        ):
            return other.set.id
    return None


def _disposal(each: Removal, removed: Sequence[Copy], left: Sequence[str]) -> Disposal:
    mark, made = each.recorded.mark, each.made.set
    return Disposal(
        made.id,
        made.bag_sha256,
        made.created_at,
        made.stored_bytes,
        mark.reason,
        each.recorded.seq,
        each.recorded.at,
        tuple(copy.medium for copy in removed),
        tuple(left),
        mark.approved_by,
        mark.evidence,
        tuple(disc.name for disc in each.made.discs),
    )


def _named(names: Sequence[SetId]) -> Message:
    named, more = show_text(", ".join(names[:SHOWN]), 400), len(names) - SHOWN
    return msg("{sets} and {n} more", sets=named, n=more) if more > 0 else verbatim(named)
