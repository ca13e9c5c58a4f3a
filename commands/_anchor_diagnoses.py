"""What the doctor sees of signing and anchoring: whether what is recorded is signed, and kept where nobody here can change it.

It asks no anchor anything: it tells what the ledger says was seen at the last handing out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commands._anchor_work import QUIET_KINDS
from commands._diagnoses import Diagnosis, State, device_of, path_of
from portalops.anchors import kinds, missing
from portalops.errors import ConfigurationError, IntegrityError, LedgerError, LedgerMissing
from portalops.ledger.heads import head_digest, heads, newest_head, read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import parse_at
from portalops.model.heads import AnchorReceipt, RecordedHead
from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.registers.anchors import newest_taken, read_receipts
from portalops.registers.evidence import Recorded
from portalops.signatures.sshsig import fingerprint
from portalops.system.addresses import is_this_machine

if TYPE_CHECKING:
    from commands._session import Session
    from portalops.config import KindTable

HERE = "anchors"
SIGNING = "signing"
ENOUGH = 2
"""So many anchors out of reach: what one loses or forges, the other still has."""
LATE = timedelta(days=2)
"""How old the newest head of a daily handing out may be."""
LOOKED_BACK = timedelta(days=400)


def signing_seen(session: Session) -> Iterator[Diagnosis]:
    """Say whether a key signs that the ledger knows, and how much is signed."""
    try:
        key = session.signing_key
    except ConfigurationError as error:
        yield Diagnosis(SIGNING, State.BAD, error.message, error.hint)
        return
    if key is None:
        yield Diagnosis(
            SIGNING,
            State.WARNING,
            msg("no signing key is configured, so nothing that is recorded is signed"),
            msg("Set signing.key; 'portalops init --keys' makes the key."),
        )
        return
    try:
        ledger = session.ledger
    except LedgerMissing:
        return
    signers = read_signers(ledger)
    if not signers:
        yield Diagnosis(
            SIGNING,
            State.NOTE,
            msg("nothing is signed yet; the key {key} will be the ledger's first", key=fingerprint(key.public_key)),
        )
        return
    if not any(signer.public_key == key.public_key and signer.retired_seq is None for signer in signers):
        yield Diagnosis(
            SIGNING,
            State.BAD,
            msg("the ledger does not know the signing key {key}", key=fingerprint(key.public_key)),
            msg("Configure the key that signed until now, or change it with 'portalops ledger rotate-key'."),
        )
    yield from _signed(session, ledger)


def anchors_seen(session: Session) -> Iterator[Diagnosis]:
    """Say how many anchors lie out of reach, and which head each has."""
    settings = session.settings
    far = [table for table in settings.anchors if not _lies_here(table, settings.state_folder)]
    places = {_server(table) or table.id for table in far}
    for table in settings.anchors:
        if table.kind in kinds() and (absent := missing(table.kind)) is not None:
            yield Diagnosis(HERE, State.BAD, msg("{id}: {cause}", id=table.id, cause=absent[0]), absent[1])
        if table not in far:
            yield Diagnosis(
                HERE,
                State.WARNING,
                msg("{id}: it lies on this machine, so it is no anchor", id=table.id),
                msg("Name a server or a share that another unit runs, or a stick that is carried away."),
            )
    yield Diagnosis(
        HERE,
        State.GOOD if len(places) >= ENOUGH else State.WARNING,
        nmsg("{n} anchor lies out of reach", "{n} anchors lie out of reach", len(places)),
        None
        if len(places) >= ENOUGH
        else msg("Configure two of [[ledger.anchor]]: mail, rfc3161, s3, witness, or a folder that others keep."),
    )
    if settings.anchors and not any(job.kind is JobKind.ANCHOR for job in settings.jobs):
        yield Diagnosis(
            HERE,
            State.WARNING,
            msg("no job hands heads to the anchors"),
            msg('Add a [[job]] table with kind = "anchor" and every = "day" to the configuration.'),
        )
    yield from _heads_of(session, settings.anchors)


def _signed(session: Session, ledger: Ledger) -> Iterator[Diagnosis]:
    try:
        head = newest_head(ledger)
    except IntegrityError as error:
        yield Diagnosis(SIGNING, State.BAD, error.message, error.hint)
        return
    if head is None:
        yield Diagnosis(SIGNING, State.WARNING, msg("no head is signed yet"), _SIGN)
        return
    unsigned = _unsigned(ledger, head)
    if not unsigned:
        yield Diagnosis(
            SIGNING,
            State.GOOD,
            msg("everything recorded is signed; the newest head is of {moment}", moment=head.head.at),
        )
        return
    is_late = session.clock.now() - head.head.at > LATE
    said = nmsg(
        "{n} record is not signed yet; the newest head is of {moment}",
        "{n} records are not signed yet; the newest head is of {moment}",
        unsigned,
        moment=head.head.at,
    )
    yield Diagnosis(SIGNING, State.WARNING if is_late else State.GOOD, said, _SIGN if is_late else None)


def _unsigned(ledger: Ledger, head: RecordedHead) -> int:
    """Count the records behind a head, but for those that handing it out made."""
    count = 0
    for record in ledger.records(newest_first=True):
        if record.seq <= head.head.size:
            break
        count += record.kind not in QUIET_KINDS
    return count


def _heads_of(session: Session, tables: Sequence[KindTable]) -> Iterator[Diagnosis]:
    if not tables:
        return
    try:
        ledger = session.ledger
    except LedgerMissing:
        return
    found = tuple(read_receipts(ledger, since=session.clock.now() - LOOKED_BACK))
    own = _own_heads(ledger)
    receipts = tuple(receipt for receipt in found if receipt.body.problem or receipt.body.head in own)
    for receipt in found:
        if receipt not in receipts:
            yield Diagnosis(
                HERE,
                State.BAD,
                msg(
                    "{id}: the receipt in record {seq} is for a head that this ledger does not hold",
                    id=show_text(receipt.body.anchor, 80),
                    seq=receipt.seq,
                ),
                msg("Compare with what lies at the anchor itself: 'portalops ledger verify --head FILE'."),
            )
    taken = newest_taken(receipts)
    for table in tables:
        newest = next((receipt for receipt in receipts if receipt.body.anchor == table.id), None)
        if newest is not None and newest.body.problem:
            yield Diagnosis(
                HERE,
                State.WARNING,
                msg(
                    "{id}: the last time it took nothing: {cause}",
                    id=table.id,
                    cause=show_text(newest.body.problem, 300),
                ),
                _cure(table),
            )
        kept = next((receipt for anchor, receipt in taken.items() if anchor == table.id), None)
        if kept is None:
            yield Diagnosis(HERE, State.WARNING, msg("{id}: it has no head yet", id=table.id), _cure(table))
            continue
        later = [each.body for each in receipts if each.body.anchor == table.id and each.seq > kept.seq]
        if any(each.problem and each.head == kept.body.head for each in later):
            continue  # it was to be given that head again: it had lost it, or could not be looked at
        is_late = session.clock.now() - kept.at > LATE
        yield Diagnosis(
            HERE,
            State.WARNING if is_late else State.GOOD,
            msg(
                "{id}: it has the head over {size} records since {moment}",
                id=table.id,
                size=kept.body.size,
                moment=kept.at,
            ),
            _cure(table) if is_late else None,
        )
        if table.kind == "s3":
            yield _lock_of(session, table, receipts)


def _cure(table: KindTable) -> Message:
    """Say what gets an anchor the newest head; a witness asks by itself."""
    return _ASK_WITNESS if table.kind == "witness" else _HAND_OUT


def _own_heads(ledger: Ledger) -> frozenset[str]:
    """Return the digests of the heads that the ledger holds; none if one of them cannot be read, which is told of by itself."""
    try:
        return frozenset(head_digest(each.signed.text) for each in heads(ledger))
    except LedgerError:
        return frozenset()


def _lock_of(session: Session, table: KindTable, receipts: Sequence[Recorded[AnchorReceipt]]) -> Diagnosis:
    """Say how the lock was seen to hold when an object was last made there."""
    for receipt in receipts:
        details = receipt.body.details
        if receipt.body.anchor != table.id or not details.get("delete", "").startswith("refused"):
            continue
        try:
            until = parse_at(details.get("retain_until", ""))
        except ValueError:
            continue
        if until < session.clock.now():
            return Diagnosis(
                HERE,
                State.WARNING,
                msg("{id}: the lock of its newest head ended at {moment}", id=table.id, moment=until),
                _HAND_OUT,
            )
        said = show_text(details["delete"], 120)
        return Diagnosis(
            HERE,
            State.GOOD,
            msg(
                "{id}: at {moment} deleting was {answer}; locked until {until}",
                id=table.id,
                moment=receipt.at,
                answer=said,
                until=until,
            ),
        )
    return Diagnosis(
        HERE, State.UNKNOWN, msg("{id}: whether its lock refuses a delete was never seen", id=table.id), _HAND_OUT
    )


def _lies_here(table: KindTable, state_folder: Path) -> bool:
    """Say whether an anchor is a folder on the file system of the state folder, or a server of this very machine."""
    server = _server(table)
    if server is not None:
        return is_this_machine(server)
    folder = path_of(table, "folder") if table.kind == "folder" else None
    return folder is not None and device_of(folder) == device_of(state_folder)


def _server(table: KindTable) -> str | None:
    """Return the name or address of the server that an anchor is at; two at one server are one.

    None for an anchor without, and for mail: a relay on this machine hands it on to mailboxes elsewhere.
    """
    for key in ("url", "endpoint"):
        value = table.values.get(key)
        if isinstance(value, str) and value:
            return (urlsplit(value).hostname if "//" in value else value) or value
    return None


_SIGN = msg("Run 'portalops ledger head'.")
_HAND_OUT = msg("Run 'portalops ledger anchor'.")
_ASK_WITNESS = msg(
    "Ask the witness whether 'portalops watch-remote' runs there and reaches this host; docs/witness.md says how it is set up."
)
