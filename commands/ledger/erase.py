"""Remove details for good, such as personal data, and record who decided it

The record that names them stays, and verification lists them as erased. What verification itself needs cannot be
erased: plans, heads, keys, sign-offs. Backup sets and bundles made before still hold the details, and so may the
store of observations.

Example: portalops ledger erase 9f3a77c0... --reason 'a citizen asked for it' --approved-by 'Nguyễn Văn An'

EXIT STATUS: 0 erased, 2 no record names it, it cannot be erased, or it was not confirmed, 4 this machine may not erase, or it
could not be removed
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from commands.cli.prompt import prompt_for
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.steps import erasure_of
from portalops import bodies
from portalops.errors import LedgerError, PortalOpsError, UsageError
from portalops.ledger.claims import GRACE
from portalops.ledger.erasures import protects
from portalops.ledger.heeded import find_quarantine_needing, find_writer, numbers_set_aside, read_ownership
from portalops.ledger.ledger import Ledger
from portalops.locale import _
from portalops.model.heads import Erasure
from portalops.model.message import Message, msg
from portalops.model.record import Digest, Record
from portalops.model.writers import Authority
from portalops.registers.erasures import ERASED, INERASABLE, RecordedErasure
from portalops.registers.writers import SELF_SIGNED
from portalops.reports.document import Cell, KeyValues, Paragraph

SEQS_SHOWN = 20
"""Records that are named to a person; --json has them all."""


@dataclass(frozen=True, slots=True)
class NamedBlob:
    """A blob, and the records that need it."""

    digest: Digest
    records: tuple[Record, ...]
    """Whose body it is, or whose body names it as evidence."""
    erased: RecordedErasure | None
    """It was recorded as erased before."""
    is_there: bool


@shape
class ErasedShape:
    """Details that were erased, or would be."""

    digest: str
    records: tuple[int, ...]
    """Those that name them."""
    erased: bool
    """They are gone; false where nothing was done."""
    seq: int | None
    """The record of the erasure."""


def erase(
    ctx: typer.Context,
    digest: Annotated[
        str, typer.Argument(metavar="DIGEST", help=_("SHA-256 of the details, as 'ledger show' gives it"))
    ],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    approved_by: Annotated[str, typer.Option(metavar="NAME", help=_("Who decided it"))],
    yes: Annotated[bool, typer.Option("--yes", help=_("Do not ask"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[ErasedShape]:
    session = open_session(ctx)
    for option, text in (("--reason", reason), ("--approved-by", approved_by)):
        if not text.strip():
            raise UsageError(msg("{option} is empty", option=option), msg("Say why, and who decided it."))
    named = _find(session, digest)
    if dry_run:
        return _result(named, named.erased, done=False)
    if named.erased is not None and not named.is_there:
        return _result(named, named.erased, done=True)
    if not yes:
        _confirm(session, named)
    erased = named.erased or _record(session, Erasure(named.digest, reason.strip(), approved_by.strip()))
    session.writable_ledger.remove_blob(named.digest)
    return _result(named, erased, done=True)


def _find(session: Session, digest: str) -> NamedBlob:
    """Find the records that need a blob.

    Raises:
        UsageError: it is no digest, no record names it, or one that counts needs it and cannot do without.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise UsageError(
            msg("{text} is not a SHA-256 digest", text=repr(digest[:80])),
            msg("Give the 64 digits that 'portalops ledger show NUMBER' shows as 'Details'."),
        )
    ledger, wanted = session.ledger, Digest(digest)
    with session.progress.task(
        msg("Searching for the records that name it"), total=ledger.count(), unit="items"
    ) as task:
        records = tuple(_needing(ledger, wanted, task.advance))
    if not records:
        raise UsageError(
            msg("no record names the blob {digest}", digest=wanted),
            msg("'portalops ledger show NUMBER' shows the digests of a record's details."),
        )
    _require_erasable(session, wanted, [record for record in records if record.kind in INERASABLE])
    if (needing := find_quarantine_needing(ledger, wanted)) is not None:
        raise UsageError(
            msg(
                "the details {digest} show why the quarantine in record {quarantine} counts: they cannot be erased",
                digest=wanted,
                quarantine=str(needing[0]),
            ),
            msg(
                "Without them nobody could see that record {seq} counts for nothing. 'portalops ledger show {seq}' says whose it is.",
                seq=str(needing[1]),
            ),
        )
    return NamedBlob(wanted, records, erasure_of(ledger, wanted), ledger.has_blob(wanted))


def _require_erasable(session: Session, digest: Digest, records: Sequence[Record]) -> None:
    """Make sure that no record that counts needs a blob: a stranger's record of these kinds forbids nothing.

    Raises:
        UsageError: one does, or may still be claimed.
    """
    if not records:
        return
    ledger = session.ledger
    ownership, set_aside = read_ownership(ledger), numbers_set_aside(ledger)
    for record in records:
        if protects(record.seq, record.kind, ownership=ownership, set_aside=set_aside):
            hint = msg("Without it, nobody could verify the ledger. Withhold nothing of this kind either.")
            if record.kind in SELF_SIGNED:
                hint = msg(
                    "Without it, nobody could verify the ledger. If 'portalops ledger verify' says that record {seq} counts for nothing, "
                    "set it aside first: portalops ledger quarantine {seq} {seq}.",
                    seq=record.seq,
                )
            raise UsageError(
                msg(
                    "record {seq} of the kind {kind} needs the blob {digest}: it cannot be erased",
                    seq=record.seq,
                    kind=record.kind,
                    digest=digest,
                ),
                hint,
            )
        is_open = record.seq not in set_aside and ownership.owner(record.seq) is None
        if is_open and record.at >= session.clock.now() - GRACE:
            raise UsageError(
                msg(
                    "record {seq} of the kind {kind} needs the blob {digest}, and can be claimed within its hour: so long it cannot be erased",
                    seq=record.seq,
                    kind=record.kind,
                    digest=digest,
                ),
                msg(
                    "Erase it an hour after that record. If it is a stranger's, set it aside first: portalops ledger quarantine {seq} {seq}.",
                    seq=record.seq,
                ),
            )


def _needing(ledger: Ledger, digest: Digest, advance: Callable[[int], None]) -> Iterator[Record]:
    """Yield the records whose body a blob is, or whose body names it as evidence."""
    for record in ledger.records():
        advance(1)
        if record.body == digest:
            yield record
            continue
        try:
            if digest in bodies.evidence_of(ledger.blob(record.body)):
                yield record
        except PortalOpsError:
            continue  # erased itself, or damaged, which verification names


def _confirm(session: Session, named: NamedBlob) -> None:
    seqs = ", ".join(str(record.seq) for record in named.records[:SEQS_SHOWN])
    if len(named.records) > SEQS_SHOWN:
        seqs += f", ... +{len(named.records) - SEQS_SHOWN}"
    answer = prompt_for(no_input=session.invocation.no_input).ask(
        msg("Remove the details of record {seqs} for good? Type 'erase' to do it", seqs=seqs),
        option="--yes",
        default="",
        accept=lambda _answer: None,
    )
    if answer.strip().lower() != "erase":
        raise UsageError(msg("nothing was erased: it was not confirmed"), msg("Type 'erase' when asked, or add --yes."))


def _record(session: Session, erasure: Erasure) -> RecordedErasure:
    """Record an erasure, and claim it before anything is removed.

    Raises:
        LedgerError: this machine may not erase, or could not claim it; then nothing is to be removed.
    """
    ledger = session.writable_ledger
    _require_authority(session)
    record = session.recorder.record(ERASED, "erased", erasure, subject=erasure.digest)
    ledger.claim()
    if not read_ownership(ledger).has_authority(record.seq):
        raise LedgerError(
            msg("the erasure in record {seq} is not claimed, so nothing was removed", seq=record.seq),
            msg("Run 'portalops doctor' to see what keeps this machine from claiming, then erase again."),
        )
    return RecordedErasure(record.seq, record.at, erasure)


def _require_authority(session: Session) -> None:
    """Make sure that this machine's erasures count, before one is recorded."""
    ledger, key = session.writable_ledger, session.claimant.key
    own = find_writer(ledger, key.public_key) if key is not None else None
    if read_ownership(ledger).begin is not None and (own is None or own.ended_seq is not None):
        raise LedgerError(
            msg("this machine may not erase: its key is not enrolled"),
            msg(
                "Run 'portalops ledger enroll' here; on a team's ledger, have the request accepted with --authority all."
            ),
        )
    if own is not None and own.authority is not Authority.ALL:
        raise LedgerError(
            msg("{name} may not erase: it may record all but plans and erasures", name=own.name),
            msg("Run this on a machine that may: 'portalops ledger verify' names the writers."),
        )


def _result(named: NamedBlob, erased: RecordedErasure | None, *, done: bool) -> Result[ErasedShape]:
    if done:
        verdict = msg("Erased for good.")
    elif named.is_there:
        verdict = msg("Nothing was erased. These details would be:")
    else:
        verdict = msg("Nothing was erased. These details are not there:")
    rows: list[tuple[Message, Cell]] = [
        (msg("Digest"), named.digest),
        (msg("Records that name it"), ", ".join(str(record.seq) for record in named.records[:SEQS_SHOWN])),
    ]
    if len(named.records) > SEQS_SHOWN:
        rows.append((msg("Further records that name it"), len(named.records) - SEQS_SHOWN))
    if erased is not None:
        rows += [
            (msg("Recorded in"), msg("record {seq}", seq=erased.seq)),
            (msg("Reason"), erased.erasure.reason),
            (msg("Approved by"), erased.erasure.approved_by),
        ]
    records = tuple(record.seq for record in named.records)
    data = ErasedShape(named.digest, records, done, erased.seq if erased else None)
    return Result(data=data, view=(Paragraph(verdict), KeyValues(rows)))


VERB = Verb(erase)
