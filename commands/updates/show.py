"""Show one item: when it came, by which polls that is known, and what it counts for

Example: portalops updates show 3f2a91

EXIT STATUS: 0 shown, 2 there is no such item
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from checks.updates.account import describe_interval, grounds
from checks.updates.mail_senders import without_mentions
from checks.updates.observations import ObservationStore
from checks.updates.recognition import ItemCorrection
from checks.updates.rules.grading import BEGINNING, GradedItem
from checks.updates.rules.stamps import moment
from commands.cli.entries import unit_name
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.graded_items import SHOWN_ID, grade_one, name_original
from commands.jobs.kinds.updates import decided_of, open_store
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import day_or_moment
from portalops.model.record import Digest
from portalops.model.submissions import ObservedItem
from portalops.model.text import show_text
from portalops.model.updates import FlagKind, Grade, ItemChannel, Observation
from portalops.registers.attested import OBSERVED, REGISTERED, read_attested
from portalops.reports.document import Cell, KeyValues, TableBlock
from portalops.reports.words import channel_word, flag_word, joined


@shape
class ItemWording:
    """Whose an item is and when it was made, by one answer of its source."""

    at: datetime
    """The poll."""
    unit: UnitId | None
    unit_name: str
    """As the source names the unit, where the configuration does not know it."""
    created_at: datetime | None
    title: str
    evidence: Digest | None
    """SHA-256 of the kept answer."""


@shape
class ItemInterval:
    """One item, and when it came."""

    id: str
    unit: UnitId | None
    """Null if the configuration does not know the unit that the source names."""
    source: str
    channel: ItemChannel
    title: str
    url: str
    since: datetime | None
    """After this moment it came; null if nobody knows."""
    until: datetime
    """Until this moment it came."""
    counts: bool
    """False if it counts for nothing."""
    is_sure: bool
    """It counts for certain, wherever in that time it came."""
    grade: Grade
    flags: tuple[FlagKind, ...]
    copy_of: str | None
    """Of a copy, the id of the item that it says again, where that is known."""
    grounds: tuple[str, ...]
    """What bounds its time, in the order in which it was weighed."""
    corrections: tuple[ItemWording, ...]
    """What its source said first, and what it put right since; none if it put nothing right."""
    polled_before_at: datetime | None
    """The last poll that would have shown it and did not."""
    evidence_before: Digest | None
    """SHA-256 of that poll's kept answer."""
    evidence: Digest
    """SHA-256 of the kept answer that showed it first."""


def show(
    ctx: typer.Context,
    item: Annotated[str, typer.Argument(metavar="ITEM", help=_("The item's id, or its beginning"))],
) -> Result[ItemInterval]:
    session = open_session(ctx)
    whole = _found(session, item)
    decided = decided_of(session.reader, session.zone_of_portal)
    with open_store(session.settings, session.environment) as store:
        graded, original = grade_one(session, store, whole, decided)
        attested = _attestation(session, lambda one: one.id == whole.id)
        origin = store.observations([attested.collected]).get(attested.collected) if attested else None
        if origin is not None:  # whose it is rests on a person's word; when it came, on the polls that showed it
            proven, proof = grade_one(session, store, origin, decided)[0], origin
        else:
            proven, proof = graded, whole
        before = proven.seen.looked_before_at
        evidence = None if before is None else store.answer_of(proof.source, moment(before))
        corrections = _wordings_of(store, whole.id)
    said = tuple(grounds(proven, session.zone_of_portal))
    rows: list[tuple[Message, Cell]] = [
        (msg("Title"), graded.seen.title),
        (msg("Address"), whole.url or None),
        (msg("Unit"), unit_name(session, graded.seen.unit) if graded.seen.unit else None),
        (msg("Source"), _SOURCE_WORDS.get(whole.source, whole.source)),
        (msg("Seen at"), channel_word(whole.channel)),
        (msg("When it came"), describe_interval(graded, session.zone_of_portal)),
        (msg("Grade"), graded.grade.value),
        (msg("Flags"), joined([flag_word(flag) for flag in graded.flags]) if graded.flags else None),
        (msg("Counts"), _counts(session, graded)),
    ]
    if attested is not None:
        rows += [(msg("Officer"), attested.officer), (msg("Rests on"), attested.reason or None)]
    if origin is not None:
        rows.append((msg("Item of an unknown sender"), f"{origin.id[:SHOWN_ID]}  {without_mentions(origin.unit_name)}"))
    if original is not None:
        rows.append((msg("Copy of"), name_original(session, original)))
    if whole.id in decided.unkept:
        rows.append((msg("Document"), msg("the document is not kept")))
    table = TableBlock(
        msg("What bounds its time"), (msg("Ground"), msg("Kept answer")), _ground_rows(said, evidence, proof)
    )
    came = graded.came
    data = ItemInterval(
        id=whole.id,
        unit=graded.seen.unit,
        source=whole.source,
        channel=whole.channel,
        title=graded.seen.title,
        url=whole.url,
        since=None if came is None or came.first == BEGINNING else moment(came.first),
        until=whole.first_seen_at if came is None else moment(came.last),
        counts=came is not None,
        is_sure=graded.is_sure,
        grade=graded.grade,
        flags=tuple(graded.flags),
        copy_of=None if original is None else original.seen.id,
        grounds=tuple(map(str, said)),
        corrections=corrections,
        polled_before_at=None if before is None else moment(before),
        evidence_before=evidence,
        evidence=whole.evidence,
    )
    more = [_correction_table(session, corrections)] if corrections else []
    return Result(data, [KeyValues(rows), table, *more])


_SOURCE_WORDS: Mapping[str, Message] = {
    OBSERVED: msg("an officer's record of what was seen"),
    REGISTERED: msg("an entry of the register that an officer made"),
}
"""What is no source of the configuration."""


def _attestation(session: Session, fits: Callable[[ObservedItem], bool]) -> ObservedItem | None:
    standing = (each.what for each in read_attested(session.reader).standing)
    return next((one for one in standing if isinstance(one, ObservedItem) and fits(one)), None)


def _counts(session: Session, graded: GradedItem) -> Message:
    """Say whether an item counts; one of an unknown sender counts for no unit, unless one says that it is its own."""
    one = graded.seen
    if graded.came is None:
        return msg("no")
    if one.unit is None and one.channel != ItemChannel.PORTAL:
        own = _attestation(session, lambda each: each.collected == one.id)
        if own is not None and own.unit is not None:
            return msg("as {id}, of {unit}", id=own.id, unit=unit_name(session, own.unit))
        return msg("for no unit: its sender is not known")
    return msg("yes") if graded.is_sure else msg("not certain")


def _wordings_of(store: ObservationStore, name: str) -> tuple[ItemWording, ...]:
    corrections, first = store.corrections_of((name,)).get(name, ()), store.as_first_seen(name)
    if first is None or not corrections:
        return ()
    said: list[tuple[datetime, Observation | ItemCorrection]] = [(first.first_seen_at, first), *corrections]
    return tuple(
        ItemWording(
            at, one.unit, without_mentions(one.unit_name), one.created_at, one.title, store.answer_of(first.source, at)
        )
        for at, one in said
    )


def _correction_table(session: Session, said: Sequence[ItemWording]) -> TableBlock:
    headers = (msg("Poll"), msg("Unit"), msg("When made"), msg("Title"), msg("Kept answer"))
    rows: list[tuple[Cell, ...]] = [
        (
            one.at,
            unit_name(session, one.unit) if one.unit else (one.unit_name or None),
            day_or_moment(one.created_at, session.zone_of_portal),
            one.title,
            one.evidence,
        )
        for one in said
    ]
    return TableBlock(msg("What its source showed first, and each time that it was put right"), headers, rows)


def _ground_rows(said: tuple[Message, ...], evidence: Digest | None, whole: Observation) -> list[tuple[Cell, ...]]:
    """Return each ground with the answer that proves it: the first two are polls."""
    proofs: dict[int, Cell] = {0: evidence, 1: whole.evidence}
    return [(each, proofs.get(place)) for place, each in enumerate(said)]


def _found(session: Session, name: str) -> Observation:
    """Return the item of an id, or of its beginning.

    Raises:
        UsageError: there is none, or more than one.
    """
    with open_store(session.settings, session.environment) as store:
        found = store.beginning_with(name) if name else ()
    attested = decided_of(session.reader, session.zone_of_portal).attested
    found = (*found, *(one for one in attested if name and one.id.startswith(name)))
    if len(found) != 1:
        said = msg("there is no item {item}", item=show_text(name, 40))
        if found:
            said = msg("more than one item begins with {item}", item=show_text(name, 40))
        raise UsageError(said, msg("'portalops updates list' shows the items with their ids."))
    return found[0]


VERB = Verb(show)
