"""Collecting updates from a whole configuration: sources by their kinds, and a store that forgets nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from checks.updates.addresses import page_key
from checks.updates.attested import as_observation
from checks.updates.clashes import source_clashes
from checks.updates.job import replay, run_updates, warn_of_troubles
from checks.updates.observation_database import DatabasePlace
from checks.updates.observation_places import FilePlace
from checks.updates.observations import ObservationStore
from checks.updates.recognition import canonical_url
from checks.updates.rules.sightings import is_refuted
from checks.updates.rules.stamps import stamp
from checks.updates.sources import build_update_source
from checks.updates.terms import Decided
from checks.updates.troubles import SourceTrouble, troubles_of
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.ledger_server import database_of
from commands.jobs.performed import PerformedJob, name_problem
from portalops.bodies import decode_part
from portalops.calendar.calendar import Calendar
from portalops.config import Settings
from portalops.errors import ExitCode, PortalOpsError, UsageError
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import Work
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import UnitId
from portalops.model.rulebook import Rulebook
from portalops.model.submissions import ObservedItem
from portalops.model.updates import Observation, Poll, UpdatesResult
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock, LedgerReader, Progress
from portalops.registers.attested import read_attested
from portalops.registers.confirmations import read_confirmations
from portalops.registers.exemptions import read_exemptions
from portalops.registers.papers import still_kept
from portalops.system.web import HttpWeb

if TYPE_CHECKING:
    from datetime import datetime

    from checks.updates.observation_places import ObservationPlace
    from checks.updates.polling import Lookers
    from portalops.ports import UpdateSource


@dataclass(frozen=True, slots=True)
class UpdatesParts:
    """What updates are collected and judged with, each built once."""

    settings: Settings
    sources: tuple[UpdateSource, ...]
    place: ObservationPlace
    ledger: Ledger
    rulebook: Rulebook
    calendar: Calendar
    clock: Clock
    progress: Progress


def parts_of(session: Session) -> UpdatesParts:
    """Return what collecting updates needs of a session.

    Raises:
        ConfigurationError: a source's settings do not fit its kind.
        SecretUnavailable: the password of the ledger's database cannot be had.
    """
    settings = session.settings
    return UpdatesParts(
        settings,
        update_sources(settings),
        store_place(settings, session.environment),
        session.writable_ledger,
        session.rulebook,
        session.calendar,
        session.clock,
        session.progress,
    )


def decided_of(ledger: LedgerReader, zone: ZoneInfo, *, until: datetime | None = None) -> Decided:
    """Return what stands decided in the ledger, or stood decided at a moment."""
    in_force = (each.limit_to_force(zone) for each in read_exemptions(ledger, until=until).exemptions)
    standing = read_attested(ledger, until=until).standing
    unkept = frozenset(each.what.id for each in standing if still_kept(ledger, each.what.file) is None)
    exemptions = tuple(each for each in in_force if each is not None)
    attested = tuple(as_observation(each, zone) for each in standing)
    confirmed = read_confirmations(ledger, until=until)
    claimed: dict[str, dict[UnitId, str]] = defaultdict(dict)
    for each in standing:
        one = each.what
        if isinstance(one, ObservedItem) and one.collected and one.unit is not None:
            claimed[one.collected][one.unit] = one.id
    return Decided(
        exemptions,
        confirmed.observations,
        attested,
        unkept | confirmed.unkept,
        confirmed.given_at,
        confirmed.units,
        {item: dict(entries) for item, entries in claimed.items()},
    )


STORE = "observations.sqlite"
"""In the state folder, where the ledger is there too."""

DATABASE = "postgresql"
"""The kind of ledger beside which observations lie in its database."""

TICK = timedelta(milliseconds=1)
"""What the store tells moments apart by."""


def store_place(settings: Settings, environment: Mapping[str, str]) -> ObservationPlace:
    """Return where observations are kept: where the ledger's records are.

    Raises:
        SecretUnavailable: the password of the database cannot be had.
    """
    if settings.ledger_store is None or settings.ledger_store.kind != DATABASE:
        return FilePlace(settings.state_folder / STORE)
    database = database_of(settings, environment)
    return DatabasePlace(database.place, database.parameters())


def open_store(settings: Settings, environment: Mapping[str, str]) -> closing[ObservationStore]:
    """Open the store of observations for reading, to be closed behind a block.

    Raises:
        UpdatesError: nothing was collected yet, or it cannot be used.
    """
    return closing(ObservationStore.open(store_place(settings, environment), create=False))


def source_troubles(session: Session, since: datetime) -> tuple[SourceTrouble, ...]:
    """Return what is wrong with the sources that answer, as polls since a moment show it."""
    asked = {table.id for table in session.settings.update_sources}
    with open_store(session.settings, session.environment) as store:
        polls = [poll for poll in store.notable_polls(since) if poll.source in asked]
        begun = {one: store.blind_since(one) for one in {poll.source for poll in polls}}
    return troubles_of(polls, {one: at for one, at in begun.items() if at is not None})


def require_possible_day(store: ObservationStore, item: Observation, day: date, zone: ZoneInfo) -> None:
    """Make sure that the kept answers do not refute the day on which an item is to have been published.

    Raises:
        UsageError: it was seen before that day, or a later poll would have shown it and did not.
    """
    name, seen_on = item.id[:12], item.first_seen_at.astimezone(zone).date()
    if day > seen_on:
        raise UsageError(
            msg("item {item} was seen on {day} already", item=name, day=seen_on),
            msg("Give the day on which it was published: it cannot be later than {day}.", day=seen_on),
        )
    before = store.polled_before(item.id)
    if before is not None and day < before.astimezone(zone).date():
        raise UsageError(
            msg("the poll of {at} would have shown item {item}, and did not", at=before, item=name),
            msg("Run 'portalops updates show {item}' to see the kept answers that refute the day.", item=name),
        )


def require_possible_sighting(
    store: ObservationStore, sources: Sequence[UpdateSource], what: ObservedItem, zone: ZoneInfo
) -> None:
    """Make sure that an item that an officer saw is no other unit's, and that the kept answers do not refute when.

    Raises:
        UsageError: another unit's item is at that address, or a poll would have shown it and did not.
    """
    address = canonical_url(what.address)
    ids = (
        one.observation for each in sources for one in store.known(each.traits.id, (f"u:{page_key(address)}",)).values()
    )
    there = store.observations(ids).values() if address else ()
    for item in there:
        if item.unit not in {None, what.unit} and (what.unit is not None or item.channel is not what.channel):
            raise UsageError(
                msg("the item at this address is of unit {unit}: {item}", unit=item.unit, item=item.id[:12]),
                msg("Give the unit whose item it is, or the address of the item that was seen."),
            )
    own = [item for item in there if (item.unit, item.channel) == (what.unit, what.channel)]
    refuting = [(store.polled_before(item.id), item) for item in own]
    if own and all(is_refuted(stamp(what.seen_at), None if at is None else stamp(at)) for at, _item in refuting):
        at, item = refuting[0]
        assert at is not None
        raise UsageError(
            msg("the poll of {at} would have shown item {item}, and did not", at=at, item=item.id[:12]),
            msg("Run 'portalops updates show {item}' to see the kept answers that refute the day.", item=item.id[:12]),
        )
    if own and all(what.seen_at.astimezone(zone).date() > item.first_seen_at.astimezone(zone).date() for item in own):
        raise UsageError(
            msg(
                "item {item} was seen on {day} already",
                item=own[0].id[:12],
                day=own[0].first_seen_at.astimezone(zone).date(),
            ),
            msg("It counts without an officer's word; run 'portalops updates show {item}'.", item=own[0].id[:12]),
        )


def update_sources(settings: Settings) -> tuple[UpdateSource, ...]:
    """Return the configured sources of updates, each built by its kind.

    Raises:
        ConfigurationError: a source's settings do not fit its kind, or two owners have a source at one address.
    """
    for clash in source_clashes(settings):
        raise clash
    zone, web = ZoneInfo(settings.portal.timezone), HttpWeb()
    return tuple(build_update_source(table, zone=zone, web=web) for table in settings.update_sources)


def collect_updates(
    parts: UpdatesParts, lookers_for: Callable[[ObservationStore], Lookers] | None = None
) -> tuple[UpdatesResult, tuple[Message, ...]]:
    """Poll every source and judge; return the result, and what of earlier polls is lost.

    Args:
        parts: what it is done with.
        lookers_for: who polls the sources, by what the store has of them, if not this process.
    """
    settings, ledger = parts.settings, parts.ledger
    store = ObservationStore.open(parts.place)
    try:
        lost = tuple(each.why for each in replayed(ledger, settings, store, parts.sources))
        unrecorded = unrecorded_polls(ledger, store)
        result = run_updates(
            sources=parts.sources,
            units=settings.units,
            portal=settings.portal,
            rulebook=parts.rulebook,
            calendar=parts.calendar,
            store=store,
            keeper=ledger,
            clock=parts.clock,
            progress=parts.progress,
            judge_weeks=settings.updates.judge_weeks,
            poll_every=settings.updates.poll_every,
            decided=decided_of(ledger, ZoneInfo(settings.portal.timezone)),
            lookers=lookers_for(store) if lookers_for else None,
        )
    finally:
        store.close()
    return replace(result, untold=unrecorded), lost


def unrecorded_polls(ledger: LedgerReader, store: ObservationStore) -> tuple[Poll, ...]:
    """Return the polls that the store has and no record: of a run that was interrupted, or could not be recorded.

    What they showed is judged, so the record of this run holds them. None where the newest record cannot be
    read, because then nobody knows what it holds, or where an answer is not in the ledger: no run of it put that into the store.
    """
    recorded = None
    for record in ledger.records(kinds=("updates.finished",), newest_first=True):
        try:
            result = decode_part(ledger.blob(record.body), "updates", UpdatesResult)
        except PortalOpsError:
            return ()
        if result and result.polls:
            recorded = max(poll.polled_at for poll in (*result.untold, *result.polls))
            break
    polls = store.polls_after(recorded)
    if any(poll.evidence is not None and not ledger.has_blob(poll.evidence) for poll in polls):
        return ()
    return tuple(replace(poll, place=place) for place, poll in enumerate(polls, 1))


class LostPoll(NamedTuple):
    """An earlier poll whose answer cannot be read again."""

    source: str
    """Empty where it is not known of which source it was."""
    why: Message
    poll: Poll | None = None
    """As it is recorded; None where its record cannot be read."""


def replayed(
    ledger: LedgerReader,
    settings: Settings,
    store: ObservationStore,
    sources: tuple[UpdateSource, ...],
    *,
    also: Sequence[Poll] = (),
) -> Iterator[LostPoll]:
    """Put polls that the ledger holds and the store lacks back into it; yield each that is lost.

    A store that was removed, or put back from an old copy, would make every item a first sight and so forget
    who fell short.

    Args:
        ledger: holds the polls.
        settings: name the units.
        store: what they are put into.
        sources: what reads their answers.
        also: polls that no record holds yet, to be read behind the others.
    """
    newest = {poll.source: poll.polled_at for poll in store.newest_polls()}
    polls: list[Poll] = []
    for record in ledger.records(kinds=("updates.finished",), since=max(newest.values(), default=None)):
        try:
            result = decode_part(ledger.blob(record.body), "updates", UpdatesResult)
        except PortalOpsError as error:
            said = msg("the polls in record {seq} cannot be read: {why}", seq=record.seq, why=error.message)
            yield LostPoll("", said)
            continue
        for some in (result.untold, result.polls) if result else ():
            fresh = (poll for poll in some if _is_newer(poll, newest.get(poll.source)))
            polls += sorted(fresh, key=lambda one: (one.place, one.polled_at))
    zone = ZoneInfo(settings.portal.timezone)
    again: list[Poll] = []
    for poll in (*polls, *also):
        try:
            again += replay(
                (poll,),
                blob=ledger.blob,
                sources=sources,
                units=settings.units,
                zone=zone,
                store=store,
                home=settings.portal.name.vi,
            )
        except PortalOpsError as error:
            said = msg(
                "{source}: the poll of {at} is lost: {why}", source=poll.source, at=poll.polled_at, why=error.message
            )
            yield LostPoll(poll.source, said, poll)
    warn_of_troubles(again, zone)


def _is_newer(poll: Poll, newest: datetime | None) -> bool:
    return newest is None or poll.polled_at >= newest + TICK


def updates_work(session: Session) -> Work[object]:
    return work_of_updates(*collect_updates(parts_of(session)))


def work_of_updates(result: UpdatesResult, lost: tuple[Message, ...] = ()) -> Work[object]:
    """Judge how a collection went: one that no source answered collected nothing.

    Args:
        result: what was collected and judged.
        lost: what of earlier polls could not be put back into the store.
    """
    failed = [_explain_failure(poll) for poll in result.polls if not poll.ok]
    rejected = [
        msg("{source}: {line}", source=poll.source, line=line) for poll in result.polls for line in poll.rejected
    ]
    rejected += [
        nmsg(
            "{source}: {n} more line or item was refused",
            "{source}: {n} more lines or items were refused",
            poll.rejected_more,
            source=poll.source,
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
    # If every source was polled, the job is done; what was refused counts for nobody until someone corrects it.
    return Work(outcome, code, result, said)


def list_lost_polls(done: PerformedJob) -> tuple[Message, ...]:
    """Return what of earlier polls a collection could not put back: what stands between failed sources and refused lines."""
    assert isinstance(done.result, UpdatesResult)
    polls = done.result.polls
    refused = sum(len(poll.rejected) + (poll.rejected_more > 0) for poll in polls)
    return done.said[sum(not poll.ok for poll in polls) if polls else 1 : len(done.said) - refused]


def _explain_failure(poll: Poll) -> Message:
    """Say why a source could not be polled, with its id, once."""
    if isinstance(poll.problem, str):
        return name_problem(poll.source, verbatim(poll.problem))
    is_named = poll.problem.values.get("source") == poll.source
    return poll.problem if is_named else msg("{source}: {line}", source=poll.source, line=poll.problem)


JOB = JobWork(work=updates_work)
