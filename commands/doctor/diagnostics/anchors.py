"""Heads are kept where nobody here can change them, each anchor has the newest, and the locks of object stores hold.

No anchor is asked anything: what the ledger says was seen at the last handing out is told. With `--deep` an object store's lock
is tried anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, unknown, warning
from commands.doctor.places import device_of, path_of
from commands.doctor.store_locks import lock_seen
from portalops.anchors import ANCHORS
from portalops.errors import LedgerError, LedgerMissing
from portalops.ledger.heads import head_digest, heads
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import parse_at
from portalops.model.heads import AnchorReceipt
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Recorded
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.registers.anchors import newest_taken, read_receipts
from portalops.system.addresses import is_this_machine

if TYPE_CHECKING:
    from portalops.config import KindTable

ENOUGH = 2
"""So many anchors out of reach: what one loses or forges, the other still has."""

LATE = timedelta(hours=26)
"""How old the newest head at an anchor may be: a day, and what a run is late or takes."""

REACH_BACK = timedelta(days=400)


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say how many anchors lie out of reach, and which head each has."""
    settings = look.session.settings
    far = [table for table in settings.anchors if not _lies_here(table, settings.state_folder)]
    places = {_server(table) or table.id for table in far}
    for table in settings.anchors:
        if table.kind in ANCHORS.names() and (absent := ANCHORS.load(table.kind).missing()) is not None:
            yield bad(table.id, msg("{id}: {cause}", id=table.id, cause=absent[0]), absent[1])
        if table not in far:
            yield warning(
                table.id,
                msg("{id}: it lies on this machine, so it is no anchor", id=table.id),
                msg("Name a server or a share that another unit runs, or a stick that is carried away."),
            )
    out_of_reach = nmsg("{n} anchor lies out of reach", "{n} anchors lie out of reach", len(places))
    if len(places) >= ENOUGH:
        yield good("", out_of_reach)
    else:
        yield warning(
            "",
            out_of_reach,
            msg("Configure two of [[ledger.anchor]]: mail, rfc3161, s3, witness, or a folder that others keep."),
        )
    if settings.anchors and not any(job.kind is JobKind.ANCHOR for job in settings.jobs):
        yield warning(
            "",
            msg("no job hands heads to the anchors"),
            msg('Add a [[job]] table with kind = "anchor" and every = "day" to the configuration.'),
        )
    yield from _heads_of(look, settings.anchors)
    if look.deep:
        for table in settings.anchors:
            if table.kind == "s3":
                yield from bounded(partial(lock_seen, look, table), seconds=look.seconds, about=table.id)


def _heads_of(look: DoctorContext, tables: Sequence[KindTable]) -> Iterator[DiagnosticLine]:
    if not tables:
        return
    try:
        ledger = look.session.ledger
    except LedgerMissing:
        return
    found = tuple(read_receipts(ledger, since=look.session.clock.now() - REACH_BACK))
    own = _own_heads(ledger)
    receipts = tuple(receipt for receipt in found if receipt.body.problem or receipt.body.head in own)
    for receipt in found:
        if receipt not in receipts:
            name = show_text(receipt.body.anchor, 80)
            yield bad(
                name,
                msg(
                    "{id}: the receipt in record {seq} is for a head that this ledger does not hold",
                    id=name,
                    seq=receipt.seq,
                ),
                msg("Compare with what lies at the anchor itself: 'portalops ledger verify --head FILE'."),
            )
    for table in tables:
        yield from _newest_at(look, table, receipts)


def _newest_at(
    look: DoctorContext, table: KindTable, receipts: Sequence[Recorded[AnchorReceipt]]
) -> Iterator[DiagnosticLine]:
    """Say which head an anchor has, and since when."""
    newest = next((receipt for receipt in receipts if receipt.body.anchor == table.id), None)
    if newest is not None and newest.body.problem:
        yield warning(
            table.id,
            msg("{id}: the last time it took nothing: {cause}", id=table.id, cause=show_text(newest.body.problem, 300)),
            _cure(table),
        )
    kept = next((receipt for anchor, receipt in newest_taken(receipts).items() if anchor == table.id), None)
    if kept is None:
        yield warning(table.id, msg("{id}: it has no head yet", id=table.id), _cure(table))
        return
    later = [each.body for each in receipts if each.body.anchor == table.id and each.seq > kept.seq]
    if any(each.problem and each.head == kept.body.head for each in later):
        return  # it was to be given that head again: it had lost it, or could not be looked at
    seen = msg(
        "{id}: it has the head over {size} records since {moment}", id=table.id, size=kept.body.size, moment=kept.at
    )
    is_late = look.session.clock.now() - kept.at > LATE
    yield warning(table.id, seen, _cure(table)) if is_late else good(table.id, seen)
    if table.kind == "s3":
        yield _lock_of(look, table, receipts)


def _cure(table: KindTable) -> Message:
    """Say what gets an anchor the newest head; a witness asks by itself."""
    return _ASK_WITNESS if table.kind == "witness" else _ANCHOR_HINT


def _own_heads(ledger: Ledger) -> frozenset[str]:
    """Return the digests of the heads that the ledger holds; none if one of them cannot be read, which is told of by itself."""
    try:
        return frozenset(head_digest(each.signed.text) for each in heads(ledger))
    except LedgerError:
        return frozenset()


def _lock_of(look: DoctorContext, table: KindTable, receipts: Sequence[Recorded[AnchorReceipt]]) -> DiagnosticLine:
    """Say how the lock was seen to hold when an object was last made there."""
    for receipt in receipts:
        details = receipt.body.details
        if receipt.body.anchor != table.id or not details.get("delete", "").startswith("refused"):
            continue
        try:
            until = parse_at(details.get("retain_until", ""))
        except ValueError:
            continue
        if until < look.session.clock.now():
            return warning(
                table.id,
                msg("{id}: the lock of its newest head ended at {moment}", id=table.id, moment=until),
                _ANCHOR_HINT,
            )
        return good(
            table.id,
            msg(
                "{id}: at {moment} deleting was {answer}; locked until {until}",
                id=table.id,
                moment=receipt.at,
                answer=show_text(details["delete"], 120),
                until=until,
            ),
        )
    return unknown(
        table.id,
        msg("{id}: whether its lock refuses a delete was never seen", id=table.id),
        msg("Run 'portalops doctor --deep --only anchors', which tries it, or 'portalops ledger anchor'."),
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


_ANCHOR_HINT = msg("Run 'portalops ledger anchor'.")
_ASK_WITNESS = msg(
    "Ask the witness whether 'portalops watch-remote' runs there and reaches this host; docs/witness.md says how it is set up."
)


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
