"""Show a witness the newest head and the records behind the one that it keeps

Signs the ledger as it is now, if anything but heads and receipts was recorded since the newest head. With --json,
prints one JSON object of bounded size; ask for the rest behind its last record. docs/witness.md describes it.

Example: portalops ledger extend --after 412 --json; portalops ledger extend --output FOLDER

EXIT STATUS: 0 shown, 2 the request over SSH is not answered, 4 there is no ledger or no head, 5 something recorded
was changed
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.anchor import WATCHING_KINDS, find_due_head
from commands.ledger.anchor import AnchoredShape, AnchorPlan, anchor
from commands.ledger.views import ReceiptShape
from portalops.errors import IntegrityError, LedgerError, PortalOpsError, UsageError
from portalops.files import write_atomically
from portalops.ledger.heads import code_of, newest_head, parse_head
from portalops.ledger.ledger import Ledger
from portalops.locale import _
from portalops.model.heads import RecordedHead
from portalops.model.message import Message, msg
from portalops.model.record import Record
from portalops.ports import Extension
from portalops.reports.document import Block, KeyValues, Paragraph
from portalops.witness.claims import CLAIM_DETAILS
from portalops.witness.extensions import FORMAT, MAX_LINES, MAX_LINES_BYTES, write_extension
from portalops.witness.rules import DETAILED_KINDS

ORIGINAL_COMMAND = "SSH_ORIGINAL_COMMAND"
"""What a client asked sshd(8) for where a forced command answers."""


@shape
class HeadText:
    """A head as it was signed."""

    signature: str
    text: str


@shape
class ExtensionShape:
    """A head, and records that join it to the one that a witness keeps."""

    after: int
    """The last record that the witness has."""
    details: tuple[str, ...]
    """Of records about heads and keys."""
    format: int
    head: HeadText
    lines: tuple[str, ...]
    """The records, as they are stored."""
    more: bool
    """More follow: ask behind the last one."""


@shape
class WrittenExtension:
    """A file that an extension was written to."""

    id: str
    """Its path."""
    after: int
    records: int
    more: bool
    """More follow in the next file."""


def extend(
    ctx: typer.Context,
    *,
    after: Annotated[int, typer.Option(min=0, metavar="SEQ", help=_("The last record that the witness has"))] = 0,
    output: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="PATH", help=_("File to write, or a folder that gets as many files as are needed")),
    ] = None,
    ssh: Annotated[
        bool,
        typer.Option(
            "--ssh", help=_("Answer a request that came over SSH, as a forced command: an extension or a receipt")
        ),
    ] = False,
) -> Result[ExtensionShape | tuple[WrittenExtension, ...] | AnchoredShape | AnchorPlan | ReceiptShape]:
    session = open_session(ctx)
    if ssh:
        asked = session.environment.get(ORIGINAL_COMMAND, "")
        if _RECEIPT.search(asked):
            return anchor(ctx, receipt="-")
        after = _read_after(asked)
    warnings: list[Message] = []
    head = _head(session, warnings)
    if output is not None:
        return _written(session.ledger, head, after, output, warnings)
    part = extension(session.ledger, head, after)
    return Result(_data(part), _view(part), tuple(warnings))


def extension(ledger: Ledger, head: RecordedHead, after: int) -> Extension:
    """Return a head with records behind the one of a number, as many as one answer holds.

    Args:
        ledger: whose records they are.
        head: the newest.
        after: the last record that is not wanted; where there is none of this number, no lines are returned.

    Raises:
        IntegrityError: a line is not a record, or its details are missing or damaged.
    """
    lines: list[bytes] = []
    details: dict[str, bytes] = {}
    size_bytes, more = 0, False
    first = ledger.record(after) if after else None
    if after and first is None:
        return Extension(head.signed, after, ())
    for record in ledger.records(since=ledger.found_from(first) if first else None):
        if record.seq <= after:
            continue
        if record.seq > head.head.size:
            break
        if len(lines) == MAX_LINES or size_bytes >= MAX_LINES_BYTES:
            more = True
            break
        lines.append(record.line)
        size_bytes += len(record.line)
        if record.body not in details and (blob := _details(ledger, record)) is not None:
            details[record.body] = blob
            size_bytes += len(blob)
    return Extension(head.signed, after, tuple(lines), tuple(details.values()), more)


def _details(ledger: Ledger, record: Record) -> bytes | None:
    """Return what a witness needs of a record's details; None for other kinds, and for claims whose details cannot be read."""
    if record.kind in DETAILED_KINDS:
        return _text(ledger, record)
    if record.kind in CLAIM_DETAILS:
        with suppress(
            IntegrityError
        ):  # `ledger verify` names it: nobody keeps a witness from its records by such a line
            return _text(ledger, record)
    return None


def _text(ledger: Ledger, record: Record) -> bytes:
    blob = ledger.blob(record.body)
    try:
        blob.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(
            msg("the details of record {seq} are not text", seq=record.seq),
            msg("Run 'portalops ledger verify', and keep everything as it is."),
        ) from error
    return blob


def _head(session: Session, warnings: list[Message]) -> RecordedHead:
    """Return the newest head, a new one if one is due and can be signed."""
    ledger = session.ledger  # never begins one
    head: RecordedHead | None = None
    if session.settings.signing_key is not None:
        try:
            head = find_due_head(
                session.writable_ledger,
                session.signing_key,
                session.clock,
                session.zone_of_portal,
                WATCHING_KINDS,
                successor=session.next_key,
            )
        except IntegrityError:
            raise
        except PortalOpsError as error:  # an old head is better than none, and its age is seen
            warnings.append(msg("no new head was signed: {cause}", cause=error.message))
    head = head or newest_head(ledger)
    if head is None:
        raise LedgerError(
            msg("the ledger has no head yet"),
            msg("Set signing.key to a file with a key, then run 'portalops ledger head'."),
        )
    return head


def _read_after(asked: str) -> int:
    found = _EXTEND.search(asked)
    if found is None:
        raise UsageError(
            msg(
                "this SSH key may only ask for an extension or deliver a receipt: {asked}",
                asked=repr(asked[:100]),
            ),
            msg("Ask for: portalops ledger extend --after N"),
        )
    return int(found[1])


_EXTEND = re.compile(r"(?:^| )ledger extend --after ([0-9]{1,18})(?: --json)?$")
_RECEIPT = re.compile(r"(?:^| )ledger anchor --receipt -(?: --json)?$")
"""Only the end of a client's request is matched: what SSH puts before it is the client's, and none of it is ever run."""


def _written(
    ledger: Ledger, head: RecordedHead, after: int, output: Path, warnings: list[Message]
) -> Result[tuple[WrittenExtension, ...]]:
    """Write extensions to files; into a folder all of them, under names that the next time gives again."""
    rows: list[WrittenExtension] = []
    part = extension(ledger, head, after)
    while True:
        path = output / f"extension-{part.after:010d}.json" if output.is_dir() else output
        write_atomically(path, write_extension(part))
        rows.append(WrittenExtension(str(path), part.after, len(part.lines), part.more))
        if not part.more or path == output:
            break
        part = extension(ledger, head, part.after + len(part.lines))
    if part.more:
        last = part.after + len(part.lines)
        warnings.append(
            msg("the file ends with record {seq}: name a folder, or add --after {seq} and another file", seq=last)
        )
    view = [KeyValues([(msg("Written"), row.id) for row in rows])]
    return Result(tuple(rows), view, tuple(warnings))


def _view(part: Extension) -> list[Block]:
    head = parse_head(part.signed.text.encode())
    return [
        KeyValues(
            (
                (msg("Ledger"), head.ledger),
                (msg("Head"), code_of(head)),
                (msg("Made at"), head.at),
                (msg("Behind record"), str(part.after)),
                (msg("Records that join it"), len(part.lines)),
            )
        ),
        Paragraph(msg("A witness reads this with --json.")),
    ]


def _data(part: Extension) -> ExtensionShape:
    return ExtensionShape(
        after=part.after,
        details=tuple(blob.decode() for blob in part.details),
        format=FORMAT,
        head=HeadText(part.signed.signature, part.signed.text),
        lines=tuple(line.decode() for line in part.lines),
        more=part.more,
    )


VERB = Verb(extend)
