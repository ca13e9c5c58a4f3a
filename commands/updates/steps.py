"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from checks.updates.job import judge_collected
from checks.updates.mail_senders import without_mentions
from checks.updates.offsets import DatedItem, lag_of, offset_of, say_lag, say_offset, say_possible_offset
from checks.updates.troubles import explain_trouble
from checks.updates.unit_names import UnitNames
from commands.cli.entries import caller_of, unit_name, unkept_document, written_text
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.kinds.updates import decided_of, open_store, source_troubles, update_sources
from portalops import bodies
from portalops.errors import ExitCode, UsageError
from portalops.ledger.record import Draft
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.submissions import AttestationWithdrawal, ObservedItem
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.ports import UpdateSource
from portalops.registers.attested import WITHDRAWAL, WITHDRAWN, Attestation, Attested, read_attested
from portalops.registers.confirmations import ReadConfirmations
from portalops.registers.exemptions import ReadExemptions, RecordedExemption
from portalops.reports.document import Cell, KeyValues, Paragraph
from portalops.reports.words import channel_word


@shape
class WithdrawnEntry:
    """What was taken back."""

    id: str
    record: int


@shape
class ShownAttestation:
    """What a person attested."""

    id: str
    unit: UnitId | None
    """Null for the portal's own."""
    record: int | None
    """Null if it was only shown."""
    file: Digest | None
    """SHA-256 of the document, where it is kept."""


@shape
class ShownObservation(ShownAttestation):
    """An item that an officer saw."""

    channel: ItemChannel
    title: str
    address: str
    seen_at: datetime
    officer: str


@shape
class ShownPaper(ShownAttestation):
    """A paper that came in, with the fields of the register of incoming documents."""

    number: str
    arrived_on: date
    author: str
    code: str
    """Number and notation."""
    subject: str
    registrar: str


def lost_exemptions(read: ReadExemptions) -> Iterator[Message]:
    for seq, error in read.unreadable:
        yield msg("record {seq} of an exemption cannot be read: {why}", seq=seq, why=error.message)


def lost_confirmations(read: ReadConfirmations) -> Iterator[Message]:
    for one, error in read.unreadable:
        yield msg("record {seq} of a confirmation cannot be read: {why}", seq=one.seq, why=error.message)


def exemption_remarks(session: Session, each: RecordedExemption) -> tuple[Message, ...]:
    within = session.rulebook.numbers.exemption_entered_working_days
    return each.remarks(session.calendar, session.zone_of_portal, entered_within=within)


DUTY = "11.3-tracking"


def _standing(session: Session) -> tuple[Attested, ...]:
    """Return what people attested and nobody took back, oldest first."""
    return read_attested(session.reader).standing


def recorded_attestation(
    session: Session,
    kind: str,
    key: str,
    made: Callable[[Sequence[Attested], Digest | None], Attestation],
    data: bytes | None,
    *,
    dry_run: bool,
) -> Result[ShownObservation | ShownPaper | WithdrawnEntry]:
    """Record what was made, or show it: `made` is asked again under the ledger's lock, so that no number is given twice."""
    if dry_run:
        return _shown(session, made(_standing(session), None), None, has_file=data is not None)
    ledger = session.writable_ledger
    kept: list[Attestation] = []

    def decide() -> Sequence[Draft]:
        evidence = () if data is None else (ledger.keep(data),)
        what = made(_standing(session), evidence[0] if evidence else None)
        kept[:] = [what]
        body = ledger.keep(bodies.write({"circumstances": session.circumstances, key: what, "evidence": evidence}))
        return [ledger.draft(kind, subject=what.id, duty=DUTY, body=body)]

    (record,) = ledger.append_decided(decide)
    return _shown(session, kept[0], record.seq, has_file=data is not None)


def withdrawn_attestation(
    session: Session, name: str, kind: type[Attestation], by: str, reason: str, *, dry_run: bool
) -> Result[ShownObservation | ShownPaper | WithdrawnEntry]:
    who = written_text(by, "--officer") if by else caller_of(session)
    why = written_text(reason, "--reason")

    def known() -> Attested:
        for each in _standing(session):
            if each.what.id == name and isinstance(each.what, kind):
                return each
        raise UsageError(
            msg("no entry {id} can be taken back", id=show_text(name, 40)),
            msg("Run 'portalops updates list --json' to see the ids."),
        )

    if dry_run:
        return _shown(session, known().what, None)
    ledger = session.writable_ledger

    def decide() -> Sequence[Draft]:
        known()
        parts = {"circumstances": session.circumstances, WITHDRAWAL: AttestationWithdrawal(name, why, who)}
        return [ledger.draft(WITHDRAWN, subject=name, duty=DUTY, body=ledger.keep(bodies.write(parts)))]

    (record,) = ledger.append_decided(decide)
    said = msg("{id} no longer counts, by record {seq}", id=name, seq=record.seq)
    return Result(WithdrawnEntry(name, record.seq), [Paragraph(said)])


def _shown(
    session: Session, what: Attestation, seq: int | None, *, has_file: bool = True
) -> Result[ShownObservation | ShownPaper | WithdrawnEntry]:
    rows: list[tuple[Message, Cell]] = [(msg("Id"), what.id), (msg("Unit"), unit_name(session, what.unit))]
    data: ShownObservation | ShownPaper
    by = what.officer if isinstance(what, ObservedItem) else what.registrar
    if isinstance(what, ObservedItem):
        rows += [
            (msg("Seen at"), channel_word(what.channel)),
            (msg("Title"), what.title),
            (msg("Address"), what.address or None),
            (msg("Seen on"), what.seen_at),
            (msg("Officer"), what.officer),
        ]
        data = ShownObservation(
            id=what.id,
            unit=what.unit,
            record=seq,
            file=what.file,
            channel=what.channel,
            title=what.title,
            address=what.address,
            seen_at=what.seen_at,
            officer=what.officer,
        )
    else:
        rows += [
            (msg("Arrival number"), what.number),
            (msg("Day of arrival"), what.arrived_on),
            (msg("Author"), what.author),
            (msg("Number and notation"), what.code or None),
            (msg("Subject of the paper"), what.subject),
            (msg("Registered by"), what.registrar),
        ]
        data = ShownPaper(
            id=what.id,
            unit=what.unit,
            record=seq,
            file=what.file,
            number=what.number,
            arrived_on=what.arrived_on,
            author=what.author,
            code=what.code,
            subject=what.subject,
            registrar=what.registrar,
        )
    rows.append((msg("Recorded in"), msg("record {seq}", seq=seq) if seq else msg("nothing: only shown")))
    return Result(data, [KeyValues(rows)], warnings=() if has_file else (unkept_document(by),))


# --- judging from what was collected ----------------------------------------------------------
def judged_period(
    session: Session, period: Period, *, at: datetime | None = None, sources: Sequence[UpdateSource] = ()
) -> UpdatesResult:
    """Judge a period from what is in the store: now, or as things stood at a moment.

    Args:
        session: has the configuration and the ledger.
        period: which.
        at: the moment; now if None.
        sources: all of them, where they are built already.
    """
    settings = session.settings
    with open_store(session.settings, session.environment) as store:
        return judge_collected(
            store,
            sources=sources or update_sources(settings),
            units=settings.units,
            portal=settings.portal,
            rulebook=session.rulebook,
            calendar=session.calendar,
            period=period,
            now=session.clock.now() if at is None else at,
            poll_every=settings.updates.poll_every,
            decided=decided_of(session.reader, session.zone_of_portal, until=at),
        )


def source_warnings(session: Session) -> tuple[Message, ...]:
    """Name the sources that gave nothing usable when they were last polled, or never were: what they show is not in."""
    with open_store(session.settings, session.environment) as store:
        newest = {poll.source: poll for poll in store.newest_polls()}
    found = []
    for table in session.settings.update_sources:
        poll = newest.get(table.id)
        if poll is None:
            found.append(msg("source {source} was never polled", source=table.id))
        elif not poll.ok:
            found.append(
                msg(
                    "source {source} gave nothing usable on {day}: {cause}",
                    source=table.id,
                    day=poll.polled_at,
                    cause=poll.cause,
                )
            )
    return tuple(found)


def trouble_warnings(session: Session, since: datetime) -> tuple[Message, ...]:
    """Name what is wrong with the sources that answer, and what mends it."""
    return tuple(map(explain_trouble, source_troubles(session, since)))


def offset_warnings(session: Session, sources: Sequence[UpdateSource]) -> tuple[Message, ...]:
    """Name the sources whose times are hours off, with the setting that mends each, and those whose times may be."""
    usual = session.clock.now().astimezone(session.zone_of_portal).utcoffset() or timedelta()
    hours = usual // timedelta(hours=1)
    with open_store(session.settings, session.environment) as store:
        dated = store.dated()
    # What people attest is dated by them: a mail's own date, a register's day.
    attested = {one.traits.id for one in sources if one.traits.attested}
    zone = session.settings.portal.timezone
    found = []
    for table in session.settings.update_sources:
        if table.id not in dated or table.id in attested:
            continue
        found.append(_clock_warning(dated[table.id], hours, zone))
    return tuple(said for said in found if said is not None)


def _clock_warning(items: Sequence[DatedItem], usual_hours: int, zone: str) -> Message | None:
    if (lag := lag_of(items, usual_hours=usual_hours)) is not None:
        return say_lag(lag)
    if (offset := offset_of(items, usual_hours=usual_hours)) is not None:
        return say_offset(offset, usual_hours=usual_hours, zone=zone)
    return say_possible_offset(items, usual_hours=usual_hours)


class UnknownSender(NamedTuple):
    """A name that a source has for a unit, and that fits none; what stands for a name where none is written."""

    source: str
    name: str
    items: int
    """How many items bear it, at least 1."""
    resembles: tuple[UnitId, ...]
    """The likeliest first."""
    is_stranger: bool = False
    """A register has it, it is like no unit's name, and it is not declared to be no unit's: it may be any unit's."""
    is_below: bool = False
    """It is a mail address, and a domain of the units is above its own."""
    is_contested: bool = False
    """It is a mail address of a unit, and another unit's name or address for answers stands beside it."""
    is_mentioning: bool = False
    """It is a mail address that no unit has, and its mails mention units."""


def unit_names(session: Session) -> UnitNames:
    """Return the configured units by their names."""
    return UnitNames(session.settings.units, session.zone_of_portal, session.settings.portal.name.vi)


def unknown_senders(session: Session, since: datetime) -> tuple[UnknownSender, ...]:
    """Return the names of unknown units of items that are new in any way since a moment."""
    names, now = unit_names(session), session.clock.now()
    traits = {source.traits.id: source.traits for source in update_sources(session.settings)}
    with open_store(session.settings, session.environment) as store:
        found = store.unknown_names(since)
    known = [
        (source, name, items)
        for source, name, items in found
        if source in traits
        and names.find(name, traits[source], now) is None
        and (name or traits[source].names_authors)
        and (names.likely(name, traits[source], now) or not names.is_outsider(name, traits[source].outsiders or ()))
    ]
    # What a sender mentions differs from mail to mail.
    counts: Counter[tuple[str, str]] = Counter()
    resembled: dict[tuple[str, str], dict[UnitId, None]] = defaultdict(dict)
    mentioning: set[tuple[str, str]] = set()
    for source, name, items in known:
        who = source, without_mentions(name)
        counts[who] += items
        resembled[who] |= dict.fromkeys(names.likely(name, traits[source], now))
        mentioning |= {who} if names.mentioned(name, traits[source], now) else set()
    return tuple(
        UnknownSender(
            source,
            name,
            items,
            tuple(resembled[source, name]),
            is_stranger=names.is_stranger(name, traits[source], now),
            is_below=bool(names.holders_above(name, traits[source])),
            is_contested=bool(names.claimants(name, traits[source], now)),
            is_mentioning=(source, name) in mentioning,
        )
        for (source, name), items in counts.items()
    )


def duty_exit_code(verdicts: Sequence[DutyVerdict]) -> ExitCode:
    if DutyVerdict.UNMET in verdicts:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if DutyVerdict.INSUFFICIENT_EVIDENCE in verdicts else ExitCode.OK
