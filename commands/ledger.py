"""Verify the ledger and show its records.

The ledger is where every other verdict comes from; these verbs read it and never write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import typer

from commands._result import JsonValue, Result
from commands._session import Session, open_session
from portalops.errors import ExitCode, PortalOpsError, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import FINISHED, STARTED, format_at, line_digest
from portalops.ledger.verify import Completeness, Integrity, Verification
from portalops.ledger.verify import verify as verify_ledger
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.record import Record
from portalops.model.runs import Run
from portalops.reports.document import Block, Cell, Heading, KeyValues, Notice, Paragraph, Status, Table, Tone

app = typer.Typer()

MAX_DETAILS = 200
"""Details of one record that are shown to a person; --json has them all."""

MAX_LISTED = 50
"""Missing slots and crashed runs that are shown to a person; --json has them all."""


@app.command(
    help=_(
        "Check that nothing recorded was changed, and that nothing expected is missing\n\nTwo verdicts, always apart."
        " Integrity: every record is the one that the next was chained to, and every blob has its digest. Completeness:"
        " every planned run left its record.\n\nExample: portalops ledger verify"
        "\n\nEXIT STATUS: 0 both hold, 1 something expected is missing, 3 completeness could not be found out, 5 something"
        " was changed"
    )
)
def verify(
    ctx: typer.Context,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help=_("Only see that each blob is there; do not read and digest it"))
    ] = False,
) -> Result:
    session = open_session(ctx)
    with session.progress.task(msg("Verifying the ledger"), total=session.ledger.count(), unit="items") as task:
        found = verify_ledger(
            session.ledger,
            now=session.clock.now(),
            zone=session.zone_of_portal,
            read_blobs=not quick,
            advance=task.advance,
        )
    view = [*_integrity_view(found.integrity), *_completeness_view(found.completeness)]
    return Result(data=_verification_data(found), view=view, exit_code=exit_code_of(found))


@app.command(
    help=_(
        "List records, or show one with its details\n\nWithout a number, lists the newest records.\n\nExample: portalops"
        " ledger show --kind backup --last 5; portalops ledger show 17\n\nEXIT STATUS: 0 shown, 2 there is no such record,"
        " 5 its details were changed"
    )
)
def show(
    ctx: typer.Context,
    seq: Annotated[int | None, typer.Argument(help=_("The number of one record"))] = None,
    *,
    kind: Annotated[
        str | None, typer.Option(help=_("Only this kind, such as backup.finished, or backup for all of a backup"))
    ] = None,
    run: Annotated[str | None, typer.Option(help=_("Only the records of one run"))] = None,
    last: Annotated[int, typer.Option(min=1, help=_("How many, counted from the newest"))] = 20,
) -> Result:
    session = open_session(ctx)
    if seq is not None:
        return _one(session, seq)
    kinds = None if kind is None else (kind, f"{kind}{STARTED}", f"{kind}{FINISHED}")
    newest = tuple(session.ledger.records(kinds=kinds, run=run, newest_first=True, limit=last))
    return _listing(newest[::-1])


def exit_code_of(found: Verification) -> ExitCode:
    """Return 5 if something was changed, else 3 or 1 if completeness is unknown or does not hold, else 0."""
    if not found.integrity.holds:
        return ExitCode.INTEGRITY
    if found.completeness.problem is not None:
        return ExitCode.PARTIAL
    return ExitCode.OK if found.completeness.holds else ExitCode.UNMET


def _integrity_view(integrity: Integrity) -> Iterator[Block]:
    blobs: Message = nmsg("{n} blob read and digested", "{n} blobs read and digested", integrity.blobs)
    if not integrity.blobs_read:
        blobs = nmsg("{n} blob is there, unread", "{n} blobs are there, unread", integrity.blobs)
    yield Heading(2, msg("Integrity: nothing was changed"))
    yield KeyValues(
        (
            (msg("Verdict"), _status(integrity.holds)),
            (msg("Records"), integrity.records),
            (msg("First and last"), f"{integrity.first_at} .. {integrity.last_at}"),
            (msg("Head"), integrity.head),
            (msg("Blobs"), blobs),
        )
    )
    if integrity.holds:
        return
    first = integrity.first_bad or 0
    yield Notice(msg("The first record that cannot be trusted is {seq}.", seq=first), Tone.BAD)
    yield Table(
        nmsg("{n} fault", "{n} faults", integrity.fault_count),
        (msg("Record"), msg("What was found")),
        [(str(fault.seq), fault.what) for fault in integrity.faults],
    )


def _completeness_view(completeness: Completeness) -> Iterator[Block]:
    yield Heading(2, msg("Completeness: nothing expected is missing"))
    if completeness.problem is not None:
        yield KeyValues([(msg("Verdict"), Status(msg("could not be found out"), Tone.UNSURE))])
        yield Paragraph(completeness.problem)
        return
    yield KeyValues(
        (
            (msg("Verdict"), _status(completeness.holds)),
            (msg("Planned runs that are missing"), len(completeness.missing)),
            (msg("Runs that began and did not finish"), len(completeness.crashed)),
            (msg("Runs under way"), len(completeness.running)),
            (msg("Ends without a beginning"), len(completeness.unbegun)),
        )
    )
    if completeness.missing:
        rows: list[tuple[Cell, ...]] = [(slot.job.id, slot.name) for slot in completeness.missing[-MAX_LISTED:]]
        yield Table(msg("Planned runs that are missing, the newest last"), (msg("Job"), msg("For")), rows)
    if completeness.crashed:
        headers = (msg("Record"), msg("Run"), msg("Began"))
        rows = [(str(run.started_seq), run.id, run.started_at) for run in completeness.crashed[-MAX_LISTED:]]
        yield Table(msg("Runs that began and did not finish, the newest last"), headers, rows)


def _status(holds: bool) -> Status:
    return Status(msg("holds"), Tone.GOOD) if holds else Status(msg("does not hold"), Tone.BAD)


def _verification_data(found: Verification) -> JsonValue:
    integrity, completeness = found.integrity, found.completeness
    return {
        "ledger": found.ledger,
        "integrity": {
            "holds": integrity.holds,
            "records": integrity.records,
            "first_at": integrity.first_at,
            "last_at": integrity.last_at,
            "head": integrity.head,
            "first_bad": integrity.first_bad,
            "fault_count": integrity.fault_count,
            "faults": [{"seq": fault.seq, "message": str(fault.what)} for fault in integrity.faults],
            "blobs": integrity.blobs,
            "blobs_read": integrity.blobs_read,
        },
        "completeness": {
            "holds": completeness.holds,
            "problem": None if completeness.problem is None else str(completeness.problem),
            "missing": [{"job": slot.job.id, "slot": slot.name} for slot in completeness.missing],
            "crashed": [_run_data(run) for run in completeness.crashed],
            "running": [_run_data(run) for run in completeness.running],
            "unbegun": [record.seq for record in completeness.unbegun],
        },
    }


def _run_data(run: Run) -> JsonValue:
    return {"id": run.id, "kind": run.kind, "started_at": format_at(run.started_at), "seq": run.started_seq}


def _listing(records: Sequence[Record]) -> Result:
    headers = (msg("Record"), msg("At"), msg("Kind"), msg("About"), msg("Duty"), msg("Run"))
    rows: list[tuple[Cell, ...]] = [
        (str(record.seq), record.at, record.kind, record.subject or None, record.duty or None, record.run or None)
        for record in records
    ]
    view: list[Block] = [Table(msg("Records"), headers, rows)] if rows else [Paragraph(msg("There is no such record."))]
    return Result(data=[_record_data(record) for record in records], view=view)


def _one(session: Session, seq: int) -> Result:
    record = session.ledger.record(seq)
    if record is None:
        raise UsageError(
            msg("there is no record {seq}", seq=seq),
            msg("The ledger holds {count} records: portalops ledger show.", count=session.ledger.count()),
        )
    blob = session.ledger.blob(record.body)
    details = _details(blob)
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
    rows = list(_flattened("", details))
    if rows:
        view.append(Table(msg("Details"), (msg("Key"), msg("Value")), rows[:MAX_DETAILS]))
    if len(rows) > MAX_DETAILS:
        more = len(rows) - MAX_DETAILS
        view.append(Paragraph(nmsg("{n} more line; --json has it.", "{n} more lines; --json has them.", more)))
    stored: dict[str, JsonValue] = {
        "line": record.line.decode(),
        "digest": line_digest(record.line),
        "details": details,
    }
    return Result(data={**_record_data(record), **stored}, view=view)


def _record_data(record: Record) -> dict[str, JsonValue]:
    return {
        "id": record.seq,
        "at": format_at(record.at),
        "kind": record.kind,
        "run": record.run,
        "subject": record.subject,
        "duty": record.duty,
        "body": record.body,
        "prev": record.prev,
    }


def _details(blob: bytes) -> JsonValue:
    """Return a blob as JSON, or its beginning as text if it is something else."""
    try:
        return bodies.plain(blob)
    except PortalOpsError:
        return blob[:2000].decode("utf-8", "backslashreplace")


def _flattened(key: str, value: JsonValue) -> Iterator[tuple[Cell, Cell]]:
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
