"""Which sets are kept and which may go, and why: pure rules over what is recorded.

A set is kept if any rule of the policy keeps it. Counts (`keep_last`, `keep_weekly`, ...) are filled by sets that are whole and
verified, the newest of each period, in each job apart; a window (`keep_within_days`) keeps every set that is not older. While a
count has too few periods the oldest set is kept as well, so that a new portal does not lose its first one. Whatever the policy
says, a set stays that is held, that is the last good one, that is the last good one before a set that nobody has read back, that
others build on, or that holds documents and is on no approved list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portalops.model.backups import CopyState, DataClass, SetId, SetKind
from portalops.model.message import Message, msg
from portalops.model.period import Week
from portalops.model.record import Digest
from portalops.model.retention import RetentionPolicy
from portalops.model.runs import Every, Span
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import SetEvidence
from portalops.registers.runs import parse_run_id

THERE = frozenset({CopyState.SEALED, CopyState.VERIFIED, CopyState.DAMAGED})
"""States of copies of which something lies on the medium."""


@dataclass(frozen=True, slots=True)
class RetentionCandidate:
    """What the rules need to know of a set of which a copy is on a medium."""

    set_id: SetId
    job: str
    """Id of the job that made it: each job's sets are counted apart."""
    created_at: datetime
    recorded_at: datetime
    """When the ledger took it up, by the ledger's time, which never goes back."""
    kind: SetKind
    bag_sha256: Digest
    base: Digest | None
    is_good: bool
    """Whole, and a copy of it was read back; of a differential, of its base too."""
    is_read: bool
    """A copy was read back, whole or not; what nobody has read may still turn out to be lost."""
    has_documents: bool
    """It holds material of the class `documents`."""
    is_planned: bool = False
    """Of a simulation: a set that is not made yet."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a set."""

    set_id: SetId
    is_kept: bool
    reasons: tuple[Message, ...]
    """Every rule that keeps it; or why it may go."""


def candidates_of(sets: Iterable[SetEvidence]) -> tuple[RetentionCandidate, ...]:
    """Return the recorded sets of which anything is left on a medium, in their order."""
    return tuple(
        RetentionCandidate(
            set_id=made.set.id,
            job=_job_of(made.run),
            created_at=made.set.created_at,
            recorded_at=made.at,
            kind=made.set.kind,
            bag_sha256=made.set.bag_sha256,
            base=made.set.base,
            is_good=made.set.outcome is RunOutcome.COMPLETE and bool(made.verified_copies()),
            is_read=bool(made.verified_copies()),
            has_documents=any(stream.data_class is DataClass.DOCUMENTS for stream in made.set.streams),
        )
        for made in sets
        if any(copy.state in THERE for copy in made.copies)
    )


def decide(
    policy: RetentionPolicy,
    sets: Sequence[RetentionCandidate],
    *,
    holds: Mapping[SetId, str],
    approved: Collection[SetId],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Fate, ...]:
    """Return the fate of each set, in the order given.

    An empty policy keeps everything.

    Args:
        policy: the rules.
        sets: those of which a copy is on a medium.
        holds: why each set that is held is held.
        approved: sets with documents that an approved list names.
        now: aware.
        zone: the portal's, in which weeks, months and years begin.
    """
    if policy.is_empty:
        return tuple(Fate(each.set_id, True, (msg("the retention policy is empty"),)) for each in sets)
    kept: dict[SetId, list[Message]] = {each.set_id: [] for each in sets}
    for job in dict.fromkeys(each.job for each in sets):
        mine = sorted((each for each in sets if each.job == job), key=_age)
        for rule in (_keep_by_policy(policy, mine, now, zone), _last_good(mine, now), _keep_before_unread(mine, now)):
            for set_id, reason in rule:
                kept[set_id].append(reason)
    for each in sets:
        if each.set_id in holds:
            kept[each.set_id].append(msg("held: {reason}", reason=holds[each.set_id]))
        elif not kept[each.set_id] and each.has_documents and each.set_id not in approved:
            kept[each.set_id].append(msg("it holds documents of Article 10.1, but no approved list names it"))
    _keep_bases(sets, kept)
    return tuple(_fate(each, kept[each.set_id], sets) for each in sets)


def _keep_by_policy(
    policy: RetentionPolicy, mine: Sequence[RetentionCandidate], now: datetime, zone: ZoneInfo
) -> Iterator[tuple[SetId, Message]]:
    """Yield what the policy keeps of one job's sets, oldest first; a set may be kept by several rules."""
    good = [each for each in mine if each.is_good and not _is_of_the_future(each, now)]
    for each in mine:
        if _is_of_the_future(each, now):
            yield each.set_id, msg("its time is in the future: it counts for no rule and is not removed")
        elif policy.keep_within_days and each.created_at >= now - timedelta(days=policy.keep_within_days):
            yield each.set_id, msg("not older than {days} days", days=policy.keep_within_days)
    for each in good[max(0, len(good) - policy.keep_last) :] if policy.keep_last else ():
        yield each.set_id, msg("one of the newest {n}", n=policy.keep_last)
    for count, period_of in _counts(policy):
        newest = {period_of(each.created_at.astimezone(zone).date()): each for each in good}
        chosen = list(newest.items())[-count:] if count else []
        for period, each in chosen:
            yield each.set_id, msg("the newest of {period}", period=period)
        if count and good and len(chosen) < count:
            yield good[0].set_id, msg("the oldest, because there are fewer than {n} such periods", n=count)


def _counts(policy: RetentionPolicy) -> tuple[tuple[int, Callable[[date], str]], ...]:
    """Return of how many periods the newest is kept, and which period a day is in."""
    return (
        (policy.keep_weekly, lambda day: str(Week.of(day))),
        (policy.keep_monthly, lambda day: f"{day:%Y-%m}"),
        (policy.keep_yearly, lambda day: f"{day:%Y}"),
    )


def outranking(
    policy: RetentionPolicy,
    sets: Sequence[RetentionCandidate],
    going: Collection[SetId],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[frozenset[SetId], frozenset[SetId]]:
    """Return the good sets because of which others go: were one of them lost, a good one that goes would stand in its place.

    Args:
        policy: the rules.
        sets: those of which a copy is on a medium.
        going: those that go.
        now: aware.
        zone: the portal's.

    Returns:
        The newest of each job of which something goes; and besides them those that `keep_last` counts, and the newest of each
        week, month and year of one that goes, as far as the policy counts such periods.
    """
    newest: set[SetId] = set()
    others: set[SetId] = set()
    for job in dict.fromkeys(each.job for each in sets if each.set_id in going):
        mine = sorted((each for each in sets if each.job == job), key=_age)
        good = [each for each in mine if each.is_good and not _is_of_the_future(each, now)]
        newest |= {each.set_id for each in good[-1:]}
        if not any(each.set_id in going for each in good):
            continue
        others |= {each.set_id for each in good[max(0, len(good) - policy.keep_last) :] if policy.keep_last}
        for count, period_of in _counts(policy):
            if count:
                periods = [(period_of(each.created_at.astimezone(zone).date()), each.set_id) for each in good]
                last = dict(periods)
                others |= {last[period] for period, set_id in periods if set_id in going}
    return frozenset(newest - set(going)), frozenset(others - newest - set(going))


def _last_good(mine: Sequence[RetentionCandidate], now: datetime) -> Iterator[tuple[SetId, Message]]:
    """Yield the newest good set, and every set that is newer: it may become the last good one yet."""
    good = [each for each in mine if each.is_good and not _is_of_the_future(each, now)]
    if not good:
        for each in mine:
            yield each.set_id, msg("there is no complete and verified set yet")
        return
    yield good[-1].set_id, msg("the newest complete and verified set")
    for each in mine[mine.index(good[-1]) + 1 :]:
        yield each.set_id, msg("newer than the newest complete and verified set")


def _keep_before_unread(mine: Sequence[RetentionCandidate], now: datetime) -> Iterator[tuple[SetId, Message]]:
    """Yield the good set before each set that nobody has read back."""
    before: RetentionCandidate | None = None
    for each in mine:
        if not each.is_read and before is not None:
            yield (
                before.set_id,
                msg("the last good set before {set}, which has not been read back yet", set=each.set_id),
            )
        if each.is_good and not _is_of_the_future(each, now):
            before = each


def _keep_bases(sets: Sequence[RetentionCandidate], kept: Mapping[SetId, list[Message]]) -> None:
    """Keep the full set of each differential that is kept; one of which the base is not among the sets changes nothing."""
    dependants: dict[Digest, list[RetentionCandidate]] = {}
    for each in sets:
        if each.base is not None and kept[each.set_id]:
            dependants.setdefault(each.base, []).append(each)
    for each in sets:
        if each.kind is SetKind.FULL and (found := dependants.get(each.bag_sha256)):
            kept[each.set_id].append(msg("set {set} needs it as its base", set=found[-1].set_id))


def _fate(each: RetentionCandidate, reasons: Sequence[Message], sets: Sequence[RetentionCandidate]) -> Fate:
    if reasons:
        return Fate(each.set_id, True, tuple(one for n, one in enumerate(reasons) if one not in reasons[:n]))
    if each.is_good:
        return Fate(each.set_id, False, (msg("no rule keeps it"),))
    newer = [one for one in sets if one.is_good and one.job == each.job and _age(one) > _age(each)]
    assert newer, "what is newer than the last good set is kept"
    reason = msg("it is not complete and verified, but the newer set {set} is", set=newer[-1].set_id)
    return Fate(each.set_id, False, (reason,))


def _age(each: RetentionCandidate) -> tuple[datetime, SetId]:
    """Order sets by their age; of two that were made in the same moment the id decides, so that each has one place."""
    return each.created_at, each.set_id


def _is_of_the_future(each: RetentionCandidate, now: datetime) -> bool:
    """A set that is dated later than the clock, or than the record that tells of it: somebody's clock was wrong."""
    return each.created_at > now or each.created_at > each.recorded_at


def _job_of(run: str) -> str:
    name = parse_run_id(run)
    return name.job if name else ""


# --- what a medium has, against what is recorded ----------------------------------------------


@dataclass(frozen=True, slots=True)
class ListingDifference:
    """What a medium's listing and the ledger do not agree on."""

    missing: tuple[SetId, ...] = ()
    """Recorded to be on it, and not there."""
    unknown: tuple[SetId, ...] = ()
    """There, and not in the ledger; or recorded as removed, or as never written."""

    @property
    def is_none(self) -> bool:
        return not (self.missing or self.unknown)


def compare(portal: str, medium: str, listed: Collection[SetId], sets: Iterable[SetEvidence]) -> ListingDifference:
    """Compare a medium's listing with the ledger.

    A copy that is recorded as damaged may be listed or not. Sets of other portals on the medium are no matter of ours.

    Args:
        portal: id of the portal.
        medium: id of the medium.
        listed: what the medium lists.
        sets: as recorded.
    """
    states = {made.set.id: copy.state for made in sets for copy in made.copies if copy.medium == medium}
    there = {name for name in listed if is_of(portal, name)}
    missing = [name for name, state in states.items() if state in THERE - {CopyState.DAMAGED} and name not in there]
    unknown = [name for name in there if states.get(name) not in THERE]
    return ListingDifference(tuple(sorted(missing)), tuple(sorted(unknown)))


def is_of(portal: str, set_id: SetId) -> bool:
    """Say whether a set's name, `<portal>-<UTC stamp>-<full|diff>-<id>`, is of a portal."""
    return set_id.rsplit("-", 3)[0] == portal and set_id.count("-") >= 3


# --- the policy over time ---------------------------------------------------------------------

MAX_DAYS = 3700
"""How many days are simulated at most: ten years."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How sets are made from now on."""

    every: Every
    full_every: Span | None
    """None for full sets alone."""
    job: str
    has_documents: bool


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of one set over the simulated days."""

    set_id: SetId
    kind: SetKind
    made_on: date
    is_planned: bool
    marked_on: date | None
    """The first day on which nothing keeps it for the rest of its time; None if it is there to the end."""
    removed_on: date | None
    reasons: tuple[Message, ...]
    """Why it is marked then, or what keeps it on the last day."""


def simulate(
    policy: RetentionPolicy,
    sets: Sequence[RetentionCandidate],
    rhythm: Rhythm | None,
    *,
    holds: Mapping[SetId, str],
    approved: Collection[SetId],
    days: Sequence[date],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Course, ...]:
    """Return what becomes of each set, day by day, if sets are made in a rhythm and each of them is good.

    Every day is judged at its end. Sets that there are already come in on the day on which they were made, and sets of the
    rhythm from the day after `now` on. A set that stays unkept for the time in which a mark can be undone is removed.

    Args:
        policy: the rules.
        sets: those of which a copy is on a medium.
        rhythm: how sets are made from now on; None for no more sets.
        holds: as in `decide`.
        approved: as in `decide`.
        days: one after the other.
        now: aware.
        zone: the portal's.
    """
    every = [*sets, *(_planned(rhythm, sets, days, now, zone) if rhythm is not None else ())]
    marked: dict[SetId, date] = {}
    removed: dict[SetId, date] = {}
    why: dict[SetId, tuple[Message, ...]] = {}
    for day in days:
        # The day's last second, so that all sets of the day are there.
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone) - timedelta(seconds=1)
        there = [each for each in every if each.created_at <= end and each.set_id not in removed]
        for fate in decide(policy, there, holds=holds, approved=approved, now=end, zone=zone):
            if fate.is_kept:
                marked.pop(fate.set_id, None)
                why[fate.set_id] = fate.reasons
                continue
            if fate.set_id not in marked:
                why[fate.set_id] = fate.reasons
            since = marked.setdefault(fate.set_id, day)
            if day >= since + timedelta(days=policy.undo_days):
                removed[fate.set_id] = day
    last = days[-1] if days else None
    return tuple(
        Course(
            each.set_id,
            each.kind,
            each.created_at.astimezone(zone).date(),
            each.is_planned,
            marked.get(each.set_id),
            removed.get(each.set_id),
            why.get(each.set_id, ()),
        )
        for each in every
        if last is not None and each.created_at.astimezone(zone).date() <= last
    )


def _planned(
    rhythm: Rhythm, sets: Sequence[RetentionCandidate], days: Sequence[date], now: datetime, zone: ZoneInfo
) -> Iterator[RetentionCandidate]:
    """Yield one set in each slot of the rhythm from the day after now on; at most one a day."""
    done = {rhythm.every.slot(each.created_at.astimezone(zone)) for each in sets}
    base: RetentionCandidate | None = None
    base_slot = ""
    today = now.astimezone(zone).date()
    for day in days:
        moment = datetime.combine(day, datetime.min.time(), zone).replace(hour=3)
        slot = rhythm.every.slot(moment)
        if day <= today or slot in done:
            continue
        done.add(slot)
        slot = rhythm.full_every.slot(moment) if rhythm.full_every else ""
        is_full = rhythm.full_every is None or base is None or slot != base_slot
        kind = SetKind.FULL if is_full else SetKind.DIFF
        name = f"{day:%Y%m%d}"
        made = RetentionCandidate(
            set_id=SetId(f"planned-{name}-{kind}"),
            job=rhythm.job,
            created_at=moment,
            recorded_at=moment,
            kind=kind,
            bag_sha256=Digest(f"planned-{name}"),
            base=None if is_full or base is None else base.bag_sha256,
            is_good=True,
            is_read=True,
            has_documents=rhythm.has_documents,
            is_planned=True,
        )
        if is_full:
            base, base_slot = made, slot
        yield made
