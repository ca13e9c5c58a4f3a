"""The media register: the records of `media.*`, folded, and when each medium was read last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portalops.bodies import decode_part
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.backups import Copy, CopyState
from portalops.model.media import DiscState, MediumCheck, MediumEntry, MediumMove
from portalops.model.message import Message, msg, nmsg
from portalops.model.reading import Limits
from portalops.model.record import Record
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.backups import ADDED, GONE, MEDIUM, Expiring, PassOver, SetEvidence, expiring, unreadable
from portalops.registers.discs import OPTICAL, HeldDisc, whole_numbers

DAYS_OF_A_MONTH = 31
"""An alarm that counts months counts them as the longest ones, and so never comes too early."""

MOVED, CHECKED = "media.moved", "media.checked"
MEDIA_KINDS = (ADDED, MOVED, CHECKED)

MOVE, CHECK = "move", "medium_check"
"""With that of a medium, the keys of the three in their records' bodies."""

NOT_REGISTERED = msg("it is not in the register: no keeper is named")

_TYPES: Mapping[str, tuple[str, type[MediumEntry | MediumMove | MediumCheck]]] = {
    ADDED: (MEDIUM, MediumEntry),
    MOVED: (MOVE, MediumMove),
    CHECKED: (CHECK, MediumCheck),
}


@dataclass(frozen=True, slots=True)
class RegisteredMedium:
    """What the register knows of one medium now."""

    id: str
    entry: MediumEntry | None
    """None for a configured medium that nobody has added to the register."""
    added_at: datetime | None
    since: datetime | None
    """Since when it lies where it is and is kept by whom it is."""
    checked_at: datetime | None
    """When somebody last looked at it, reached or not."""
    check: MediumCheck | None
    read_at: datetime | None
    """When it was last read: by a look, or by a copy that was read back from it."""
    replaced_at: datetime | None = None
    """When it took the place of another medium of this id; None if it is the first one."""


def fold_media(records: Iterable[tuple[Record, MediumEntry | MediumMove | MediumCheck]]) -> dict[str, RegisteredMedium]:
    """Return the media by id, in the order in which they first appear.

    Adding an id that is in the register means that another physical medium has taken its place: what was known of the
    one before, also when it was read, does not count for the new one.
    """
    media: dict[str, RegisteredMedium] = {}
    for record, body in records:
        known = media.get(body.id) or RegisteredMedium(body.id, None, None, None, None, None, None)
        match body:
            case MediumEntry() if known.entry is None and not body.replaces:
                known = replace(known, entry=body, added_at=record.at, since=record.at)
            case MediumEntry():
                known = RegisteredMedium(body.id, body, record.at, record.at, None, None, None, replaced_at=record.at)
            case MediumMove() if known.entry is not None:
                entry = replace(
                    known.entry,
                    place=body.place or known.entry.place,
                    custodian=body.custodian or known.entry.custodian,
                    site=body.site or ("" if body.place or body.room else known.entry.site),
                    room=body.room or ("" if body.place or body.site else known.entry.room),
                )
                known = replace(known, entry=entry, since=record.at)
            case MediumCheck():
                read_at = record.at if body.reached else known.read_at
                known = replace(known, checked_at=record.at, check=body, read_at=read_at)
        media[body.id] = known
    return media


@dataclass(frozen=True, slots=True)
class MediaRegister:
    """What reading the register came to."""

    media: Mapping[str, RegisteredMedium] = field(default_factory=dict)
    """By id, in the order in which they first appear."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why: what they say of a medium is unknown."""


def read_register(ledger: LedgerReader, *, until: datetime | None = None) -> MediaRegister:
    """Return the media as recorded by a moment, and the records that cannot be read."""
    found: list[tuple[Record, MediumEntry | MediumMove | MediumCheck]] = []
    damaged: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=MEDIA_KINDS, until=until):
        try:
            found.append((record, _body(ledger, record)))
        except PortalOpsError as error:
            damaged.append((record.seq, error))
    return MediaRegister(fold_media(found), tuple(damaged))


def read_media(ledger: LedgerReader, *, pass_over: PassOver | None = None) -> dict[str, RegisteredMedium]:
    """Return the media that the ledger knows, by id; `pass_over` is given each record that cannot be read.

    Raises:
        LedgerError: a record's details cannot be read, and nothing is to be passed over.
    """
    found: list[tuple[Record, MediumEntry | MediumMove | MediumCheck]] = []
    for record in ledger.records(kinds=MEDIA_KINDS):
        try:
            found.append((record, _body(ledger, record)))
        except PortalOpsError as error:
            if pass_over is None:
                raise unreadable(record, error) from error
            pass_over(record, error)
    return fold_media(found)


def _body(ledger: LedgerReader, record: Record) -> MediumEntry | MediumMove | MediumCheck:
    key, body_type = _TYPES[record.kind]
    body = decode_part(ledger.blob(record.body), key, body_type)
    if body is None:
        raise LedgerError(
            msg("record {seq} of the kind {kind} names no medium", seq=record.seq, kind=record.kind),
            msg("Run 'portalops ledger verify'."),
        )
    return body


def whole_register(
    media: Mapping[str, RegisteredMedium], configured: Iterable[str], sets: Sequence[SetEvidence]
) -> tuple[RegisteredMedium, ...]:
    """Return the register with every configured medium in it, and with what reading back sets tells of each.

    Args:
        media: as recorded.
        configured: ids of the configured media.
        sets: as recorded.
    """
    read: dict[str, datetime] = {}
    for made in sets:
        for copy in made.copies:
            if copy.state is CopyState.VERIFIED and copy.verified_at is not None:
                read[copy.medium] = max(copy.verified_at, read.get(copy.medium, copy.verified_at))
    whole = []
    for name in dict.fromkeys((*configured, *media)):
        known = media.get(name) or RegisteredMedium(name, None, None, None, None, None, None)
        moments = [
            moment
            for moment in (known.read_at, read.get(name))
            if moment is not None and (known.replaced_at is None or moment > known.replaced_at)
        ]
        whole.append(replace(known, read_at=max(moments, default=None)))
    return tuple(whole)


def alarms(medium: RegisteredMedium, *, now: datetime, today: date, unread_months: int) -> tuple[Message, ...]:
    """Say what about a medium somebody must see to.

    Args:
        medium: as the whole register has it.
        now: aware.
        today: the portal's local day.
        unread_months: how long a medium may be left unread; 0 for any time.
    """
    found = []
    limit = timedelta(days=unread_months * DAYS_OF_A_MONTH)
    since = medium.read_at or medium.added_at
    if unread_months and (since is None or now - since > limit):
        if medium.read_at is not None:
            found.append(msg("not read back since {moment}", moment=medium.read_at))
        else:
            found.append(msg("no read-back is recorded"))
    if medium.entry is None:
        found.append(NOT_REGISTERED)
    elif medium.entry.expires_on is not None and medium.entry.expires_on <= today:
        found.append(msg("it expired on {day}", day=medium.entry.expires_on))
    if medium.check is not None and not medium.check.reached:
        found.append(msg("it could not be read at the last check, at {moment}", moment=medium.checked_at or now))
    elif medium.check is not None and medium.check.problems:
        found.append(msg("it differs from the record: {problem}", problem=medium.check.shown_problems[0]))
    return tuple(found)


def disc_alarms(medium: str, sets: Sequence[SetEvidence], *, now: datetime, unread_months: int) -> tuple[Message, ...]:
    """Say what about the discs of a medium somebody must see to.

    Args:
        medium: its id.
        sets: as recorded, oldest first.
        now: aware.
        unread_months: how long a disc may be left unread; 0 for any time.
    """
    limit = timedelta(days=unread_months * DAYS_OF_A_MONTH)
    found: list[Message] = []
    imaged = [made for made in sets if any(copy.medium == medium and _is_imaged(copy) for copy in made.copies)]
    if imaged and not imaged[-1].is_on_discs(medium):
        found.append(
            msg(
                "its newest set {set} is still images in a folder; discs burnt and read back: {burnt}",
                set=imaged[-1].set.id,
                burnt=len(whole_numbers(imaged[-1].discs_of(medium))),
            )
        )
    for made in sets:
        discs = made.discs_of(medium)
        broken = [disc for disc in discs if disc.state is not DiscState.WHOLE]
        unread = [disc for disc in discs if disc not in broken and unread_months and now - disc.looked_at > limit]
        if made.is_disposed and discs:
            found.append(
                msg(
                    "set {set} was removed, but its discs are not destroyed yet: {discs}",
                    set=made.set.id,
                    discs=_names(discs),
                )
            )
            continue
        if broken:
            found.append(msg("discs of set {set} are damaged: {discs}", set=made.set.id, discs=_names(broken)))
        if unread:
            found.append(
                msg(
                    "discs of set {set} were not read back for too long: {discs}", set=made.set.id, discs=_names(unread)
                )
            )
    return tuple(found)


def _is_imaged(copy: Copy) -> bool:
    return copy.medium_kind == OPTICAL and copy.state in {CopyState.SEALED, CopyState.VERIFIED}


def _names(discs: Sequence[HeldDisc]) -> str:
    return ", ".join(disc.name for disc in discs)


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One medium, with what commands show of it."""

    medium: RegisteredMedium
    kind: str
    is_configured: bool
    sets: int
    """How many sets are recorded to be on it."""
    discs: int
    """How many discs were burnt from its images, and are not destroyed."""
    expiring: Expiring
    """Which of them were verified too long ago to count, or soon will be."""
    alarms: tuple[Message, ...]


def register_lines(
    register: Mapping[str, RegisteredMedium],
    configured: Mapping[str, str],
    sets: Sequence[SetEvidence],
    *,
    limits: Limits,
    unread_months: int,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first.

    Args:
        register: as recorded.
        configured: the kind of each configured medium, by its id.
        sets: as recorded.
        limits: how long it counts that a copy was read.
        unread_months: how long a medium may be left unread; 0 for any time.
        now: aware.
        zone: the portal's.
    """
    with_discs = [disc.burnt.medium for made in sets for disc in made.discs]
    late = expiring(sets, limits, now)
    today = now.astimezone(zone).date()
    return tuple(
        RegisterLine(
            each,
            each.entry.kind if each.entry else configured.get(each.id, "-"),
            each.id in configured,
            sum(copy.medium == each.id and copy.state not in GONE for made in sets for copy in made.copies),
            sum(len(made.discs_of(each.id)) for made in sets),
            late.get(each.id, Expiring()),
            (
                *alarms(each, now=now, today=today, unread_months=unread_months),
                *_expired(late.get(each.id, Expiring())),
                *disc_alarms(each.id, sets, now=now, unread_months=unread_months),
            ),
        )
        for each in whole_register(register, (*configured, *with_discs), sets)
    )


def _expired(found: Expiring) -> tuple[Message, ...]:
    if not found.expired:
        return ()
    expired = nmsg(
        "{n} copy on it was read too long ago to count as verified",
        "{n} copies on it were read too long ago to count as verified",
        found.expired,
    )
    return (expired,)
