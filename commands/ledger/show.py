"""List records, or show one with its details

Without a number, lists the newest records.

Example: portalops ledger show --kind backup --last 5; portalops ledger show 17

EXIT STATUS: 0 shown, 2 there is no such record, 5 its details were changed
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.ledger.steps import erasure_of
from commands.ledger.views import authority_of
from portalops import bodies
from portalops.errors import IntegrityError, LedgerError, PortalOpsError, UsageError
from portalops.ledger.check_heads import HeldRecord, read_head, read_key, read_sign_off
from portalops.ledger.claims import Ownership, parse_claim, parse_writer, read_hand, read_signed
from portalops.ledger.erasures import read_erasure
from portalops.ledger.heads import HEAD, code_of
from portalops.ledger.heeded import owner_in, read_ownership
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.record import FINISHED, Record
from portalops.model.runs import RunSummary
from portalops.model.text import show_text
from portalops.registers.drills import IMPORTED, ImportedDrill
from portalops.registers.drills import KEY as DRILL_REPORT
from portalops.registers.erasures import ERASED, RecordedErasure
from portalops.registers.sign_offs import SIGN_OFF, problem_of
from portalops.registers.signers import KEY_KINDS
from portalops.registers.writers import CLAIM, WRITER_KINDS
from portalops.reports.document import Block, Bullets, Cell, KeyValues, Paragraph, Status, TableBlock, Tone
from portalops.signatures.sshsig import fingerprint, public_key_of

MAX_DETAILS = 200
"""Details of one record that are shown to a person; --json has them all."""


@shape
class RecordShape:
    """A record."""

    id: int
    """Its number: 1 for the first, without gaps."""
    at: datetime
    kind: str
    run: str
    """Empty where it belongs to no run."""
    subject: str
    duty: str
    body: str
    """SHA-256 of its details."""
    prev: str
    """SHA-256 of the line before."""
    recorded_by: str | None
    """The name of the writer that claims it; null where nobody does, and in a ledger without writers."""


@shape
class ErasureShape:
    """The record of an erasure."""

    seq: int
    reason: str
    approved_by: str


@shape
class DetailedRecord:
    """A record with its details."""

    id: int
    """Its number: 1 for the first, without gaps."""
    at: datetime
    kind: str
    run: str
    """Empty where it belongs to no run."""
    subject: str
    duty: str
    body: str
    """SHA-256 of its details."""
    prev: str
    """SHA-256 of the line before."""
    recorded_by: str | None
    """As in the list of records."""
    line: str
    """As it is stored."""
    digest: str
    """SHA-256 of the line."""
    details: object
    """What the record says, in the form of its kind; text where that is no JSON, null where it was erased."""
    erased: ErasureShape | None


def show(
    ctx: typer.Context,
    seq: Annotated[int | None, typer.Argument(help=_("The number of one record"))] = None,
    *,
    kind: Annotated[
        str | None,
        typer.Option(help=_("Only this kind, such as backup.finished, or backup for all that begin with backup.")),
    ] = None,
    run: Annotated[str | None, typer.Option(help=_("Only the records of one run"))] = None,
    last: Annotated[int, typer.Option(min=1, metavar="N", help=_("How many, counted from the newest"))] = 20,
) -> Result[tuple[RecordShape, ...] | DetailedRecord]:
    session = open_session(ctx)
    if seq is not None:
        for option, given in (("--kind", kind), ("--run", run)):
            if given is not None:
                raise UsageError(
                    msg("{option} chooses among records, and record {seq} is named", option=option, seq=seq),
                    msg("Leave out {option}, or the number.", option=option),
                )
        return _one(session, seq)
    kinds = None if kind is None else session.ledger.kinds_under(kind)
    if kind is not None and not kinds:
        # Not refused: a kind of which there is no record yet is what a script asks for before the first one.
        session.warnings.append(msg("the ledger has no record of the kind {kind}", kind=show_text(kind, 60)))
        return _listing((), Ownership())
    newest = tuple(session.ledger.whole.records(kinds=kinds, run=run, newest_first=True, limit=last))
    if run is not None and not newest:
        raise UsageError(
            msg("the ledger has no such record of the run {run}", run=show_text(run, 80)),
            msg("'portalops ledger show' shows the newest records with their runs."),
        )
    return _listing(newest[::-1], _ownership(session.ledger))


def _ownership(ledger: Ledger) -> Ownership:
    """Return whose the records are; nobody's where the ledger has no writers, also if its keys cannot be read."""
    return read_ownership(ledger) if ledger.kinds_under("writer") else Ownership()


def _listing(records: Sequence[Record], ownership: Ownership) -> Result[tuple[RecordShape, ...]]:
    headers: tuple[Message, ...] = (
        msg("Record"), msg("At"), msg("Kind"), msg("About"), msg("Duty"), msg("Run"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (str(record.seq), record.at, record.kind, record.subject or None, record.duty or None, record.run or None)
        for record in records
    ]
    if ownership.begin is not None:
        headers = (*headers, msg("Recorded by"))
        rows = [(*row, owner_in(ownership, record)) for row, record in zip(rows, records, strict=True)]
    view: list[Block] = (
        [TableBlock(msg("Records"), headers, rows)] if rows else [Paragraph(msg("There is no such record."))]
    )
    return Result(data=tuple(_record_data(record, owner_in(ownership, record)) for record in records), view=view)


def _one(session: Session, seq: int) -> Result[DetailedRecord]:
    record = session.ledger.record(seq)
    if record is None:
        raise UsageError(
            msg("there is no record {seq}", seq=seq),
            nmsg(
                "The ledger holds {n} record: portalops ledger show.",
                "The ledger holds {n} records: portalops ledger show.",
                session.ledger.count(),
            ),
        )
    blob, erased = _blob(session, record)
    details = None if erased else _details(blob)
    view: list[Block] = [
        KeyValues(
            (
                (msg("Record"), str(record.seq)),
                (msg("At"), record.at),
                (msg("Kind"), record.kind),
                (msg("About"), record.subject or None),
                (msg("Duty"), record.duty or None),
                (msg("Run"), record.run or None),
                (msg("Details"), record.body),
                (msg("Record before"), record.prev),
                (msg("This record's digest"), line_digest(record.line)),
                (msg("As it is stored"), record.line.decode()),
            )
        )
    ]
    told = tuple(_describe_erasure(erased) if erased else _describe(record, blob))
    owner = owner_in(_ownership(session.ledger), record)
    if owner is not None:
        view.append(KeyValues(((msg("Recorded by"), owner), *_claimed_afterwards(session.ledger, record))))
    if told:
        view.append(KeyValues(told))
    said = _problems(record, blob)
    if said:
        view += [Paragraph(msg("Problems")), Bullets(said)]
    rows = (
        [] if told else [row for row in _flattened("", details) if not (said and str(row[0]).startswith("run.problem"))]
    )
    if rows:
        view.append(TableBlock(msg("Details"), (msg("Key"), msg("Value")), rows[:MAX_DETAILS]))
    if len(rows) > MAX_DETAILS:
        more = len(rows) - MAX_DETAILS
        view.append(Paragraph(nmsg("{n} more line; --json has it.", "{n} more lines; --json has them.", more)))
    data = DetailedRecord(
        id=record.seq,
        at=record.at,
        kind=record.kind,
        run=record.run,
        subject=record.subject,
        duty=record.duty,
        body=record.body,
        prev=record.prev,
        recorded_by=owner,
        line=record.line.decode(),
        digest=line_digest(record.line),
        details=details,
        erased=ErasureShape(erased.seq, erased.erasure.reason, erased.erasure.approved_by) if erased else None,
    )
    return Result(data=data, view=view)


def _problems(record: Record, blob: bytes) -> tuple[Message, ...]:
    """Return what went wrong in the run that a record ends."""
    if not blob or not record.kind.endswith(FINISHED):
        return ()
    try:
        summary = bodies.decode_part(blob, "run", RunSummary)
    except LedgerError:  # what cannot be read so is shown as it stands
        return ()
    return summary.shown_problems[:MAX_DETAILS] if summary else ()


def _blob(session: Session, record: Record) -> tuple[bytes, RecordedErasure | None]:
    """Return a record's details; or none, and who decided that they are erased.

    Raises:
        IntegrityError: they are damaged, or missing without anybody having said so.
    """
    try:
        return session.ledger.blob(record.body), None
    except IntegrityError:
        erased = erasure_of(session.ledger, record.body)
        if erased is None or session.ledger.has_blob(record.body):
            raise
        return b"", erased


def _describe_erasure(erased: RecordedErasure) -> Iterator[tuple[Message, Cell]]:
    """Yield why a record's details are gone."""
    yield msg("State of the details"), Status(msg("erased"), Tone.NEUTRAL)
    yield msg("Erased by"), msg("record {seq}", seq=erased.seq)
    yield msg("Reason"), erased.erasure.reason
    yield msg("Approved by"), erased.erasure.approved_by


def _describe(record: Record, blob: bytes) -> Iterator[tuple[Message, Cell]]:
    """Yield what a record about heads, keys, sign-offs and erasures says; nothing for any other, or one that says nothing."""
    held = HeldRecord(record.seq, record.at, record.kind, blob)
    if record.kind == HEAD and (signed := read_head(held)).head is not None and signed.signed is not None:
        yield msg("Code"), code_of(signed.head)
        yield from ((verbatim(name), value) for name, value in _lines(signed.signed.text))
        yield msg("Signed by the key"), fingerprint(signed.public_key) if signed.public_key else None
    elif record.kind in KEY_KINDS and (key := read_key(held)) is not None:
        yield msg("Key"), fingerprint(key.event.public_key)
        yield msg("Public key"), key.event.public_key
        yield msg("Reason"), key.event.reason or None
        if key.event.replaces:
            yield msg("Replaces the key"), _fingerprint(key.event.replaces)
    elif record.kind in WRITER_KINDS and (event := parse_writer(read_signed(held).text)) is not None:
        yield msg("Writer"), event.name
        yield msg("Public key"), event.public_key
        yield msg("May record"), authority_of(event.authority)
    elif record.kind == CLAIM and (claim := parse_claim((signed_text := read_signed(held)).text)) is not None:
        ranges = ", ".join(f"{each.first}-{each.last}" for each in claim.ranges)
        yield msg("Records"), verbatim(show_text(ranges, 400))
        yield from _reason_of(blob)
        yield msg("Signed by the key"), fingerprint(signed_text.public_key) if signed_text.public_key else None
    elif record.kind == SIGN_OFF and (sign_off := read_sign_off(held)) is not None:
        problem = problem_of(sign_off)
        yield msg("Report"), sign_off.report
        yield msg("Digest"), sign_off.sha256
        yield msg("Signer"), f"{sign_off.name}, {sign_off.office}"
        yield msg("Key"), _fingerprint(sign_off.public_key)
        yield msg("Verdict"), Status(msg("valid"), Tone.GOOD) if problem is None else Status(problem, Tone.BAD)
    elif record.kind == IMPORTED:
        try:
            drill = bodies.decode_part(blob, DRILL_REPORT, ImportedDrill)
        except LedgerError as error:
            yield msg("Verdict"), Status(error.message, Tone.BAD)
        else:
            if drill is not None:
                yield msg("Done by"), drill.report.host
                yield msg("Signed by the key"), fingerprint(drill.signer)
                yield msg("Backup set"), drill.report.set_id
                yield msg("Verdict"), Status(msg("valid"), Tone.GOOD)
    elif record.kind == ERASED and (erased := read_erasure(held)) is not None:
        yield msg("Digest"), erased.erasure.digest
        yield msg("Reason"), erased.erasure.reason
        yield msg("Approved by"), erased.erasure.approved_by


def _claimed_afterwards(ledger: Ledger, record: Record) -> Iterator[tuple[Message, Cell]]:
    """Yield in which record a person stood for a record that its command had not claimed, and why."""
    for claim in ledger.records(kinds=(CLAIM,), since=ledger.found_from(record)):
        try:
            blob = ledger.blob(claim.body)
        except IntegrityError:
            continue
        read = parse_claim(read_signed(HeldRecord(claim.seq, claim.at, claim.kind, blob)).text)
        if read is not None and any(each.first <= record.seq <= each.last for each in read.ranges):
            if rows := tuple(_reason_of(blob)):
                yield msg("Claimed in record"), str(claim.seq)
                yield from rows
            return


def _reason_of(blob: bytes) -> Iterator[tuple[Message, Cell]]:
    """Yield who claimed records by hand, and why; nothing for a claim that a command made of its own records."""
    by_hand = read_hand(blob)
    if by_hand is not None:
        yield msg("Reason"), by_hand.reason
        yield msg("Claimed by"), by_hand.person or None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _space, value = line.partition(" ")
        yield name, value


def _fingerprint(public_key: str) -> str:
    """Return a key's fingerprint, or the text itself where it is no key."""
    try:
        return fingerprint(public_key_of(public_key))
    except ValueError:
        return show_text(public_key)


def _record_data(record: Record, owner: str | None) -> RecordShape:
    return RecordShape(
        record.seq, record.at, record.kind, record.run, record.subject, record.duty, record.body, record.prev, owner
    )


def _details(blob: bytes) -> object:
    """Return a blob as JSON, or its beginning as text if it is something else."""
    try:
        return bodies.plain(blob)
    except PortalOpsError:
        return blob[:2000].decode("utf-8", "backslashreplace")


def _flattened(key: str, value: object) -> Iterator[tuple[Cell, Cell]]:
    """Yield each leaf under its dotted key."""
    match value:
        case Mapping():
            for name, held in value.items():
                yield from _flattened(f"{key}.{name}" if key else name, held)
        case str():
            yield key, value
        case Sequence():
            for place, held in enumerate(value, 1):
                yield from _flattened(f"{key}.{place}", held)
        case None:
            yield key, None
        case _:
            yield key, verbatim(str(value).lower() if isinstance(value, bool) else str(value))


VERB = Verb(show)
