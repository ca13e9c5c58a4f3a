"""Sign the ledger as it is now, and show the head

A head is six lines of text that state what the ledger holds: a kept head shows later whether anything before it was
changed. If nothing was recorded since the newest head, that one is shown. It is also shown, with a warning, where no
signing key is at hand or the ledger may only be read.

Example: portalops ledger head --output /media/usb

EXIT STATUS: 0 the head covers everything recorded, 3 it does not, or there is none, 5 the newest head was changed
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import ExitCode, IntegrityError, Locked, PortalOpsError
from portalops.files import write_atomically
from portalops.ledger.heads import NAMESPACE, UNCOVERED_KINDS, code_of, newest_head
from portalops.locale import _
from portalops.model.heads import RecordedHead
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Tone, Verbatim
from portalops.signatures.sshsig import BadSignature, fingerprint, verify


@shape
class HeadShape:
    """The newest signed head; all of it is null where there is none yet."""

    head: str | None
    """The six lines that are signed."""
    signature: str | None
    code: str | None
    """Size and digest, shortened for people."""
    fingerprint: str | None
    """Of the key that signed it; empty where the signature does not hold."""
    size: int | None
    """How many records it is over."""
    digest: str | None
    """SHA-256 of the newest of them."""
    at: datetime | None
    seq: int | None
    """The record that holds the head."""
    unsigned: int
    """Records that are not under it."""
    problem: str | None
    """Why no new head could be signed, for people."""
    files: tuple[str, ...]
    """What was written."""


def head(
    ctx: typer.Context,
    *,
    output: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="FOLDER", help=_("Also write the head there: NAME.txt and its signature NAME.sig")),
    ] = None,
) -> Result[HeadShape]:
    session = open_session(ctx)
    session.ledger.count()  # without a ledger there is nothing to sign, and none is begun here
    newest, unsigned = _signed(session)
    if newest is None:
        notice = msg("Nothing is signed: there is no head yet.")
        view: list[Block] = [Notice(notice, Tone.UNSURE), *([Paragraph(unsigned)] if unsigned else [])]
        return Result(
            data=_data(None, session.ledger.count(), unsigned),
            view=view,
            exit_code=ExitCode.PARTIAL,
        )
    behind = _count_behind(session, newest)
    files = _write(newest, output) if output is not None else ()
    warnings = (unsigned,) if unsigned else ()
    return Result(
        data=_data(newest, behind, unsigned, files),
        view=_view(newest, behind, files),
        warnings=warnings,
        exit_code=ExitCode.PARTIAL if behind else ExitCode.OK,
    )


def _signed(session: Session) -> tuple[RecordedHead | None, Message | None]:
    """Return the newest head, made now if that can be, and why none could be made."""
    try:
        made = session.record_head()
    except (IntegrityError, Locked):
        raise
    except PortalOpsError as error:  # no key to be had, another key, no right to write: what is there can be shown
        return newest_head(session.ledger), msg("no new head could be signed: {cause}", cause=error.message)
    if made is not None:
        return made, None
    return newest_head(session.ledger), msg("no new head could be signed: no signing key is configured")


def _count_behind(session: Session, newest: RecordedHead) -> int:
    """Count the records that the head is not over, head records apart."""
    count = 0
    for record in session.ledger.records(newest_first=True):
        if record.seq <= newest.head.size:
            break
        count += record.kind not in UNCOVERED_KINDS
    return count


def _write(newest: RecordedHead, folder: Path) -> tuple[Path, Path]:
    name = f"head-{newest.head.ledger[:8]}-{newest.head.size:010d}"
    text, signature = folder / f"{name}.txt", folder / f"{name}.sig"
    write_atomically(text, newest.signed.text.encode())
    write_atomically(signature, newest.signed.signature.encode())
    return text, signature


def _view(newest: RecordedHead, behind: int, files: tuple[Path, ...]) -> list[Block]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Head code"), code_of(newest.head)),
        (msg("Signed by the key"), _fingerprint(newest)),
        (msg("Signed at"), newest.head.at),
        (msg("Record"), str(newest.seq)),
    ]
    rows += [(msg("Written to"), str(path)) for path in files]
    view: list[Block] = [
        KeyValues(rows),
        Paragraph(msg("The six lines that are signed:")),
        Verbatim(newest.signed.text),
        Paragraph(
            msg(
                "Keep the six lines or the head code out of reach of those who run this machine. "
                "'portalops ledger anchor' sends them to the anchors."
            )
        ),
    ]
    if behind:
        said = nmsg("{n} record is not covered by this head.", "{n} records are not covered by this head.", behind)
        view.insert(0, Notice(said, Tone.UNSURE))
    return view


def _data(newest: RecordedHead | None, behind: int, problem: Message | None, files: Sequence[Path] = ()) -> HeadShape:
    return HeadShape(
        head=newest.signed.text if newest else None,
        signature=newest.signed.signature if newest else None,
        code=code_of(newest.head) if newest else None,
        fingerprint=_fingerprint(newest) if newest else None,
        size=newest.head.size if newest else None,
        digest=newest.head.digest if newest else None,
        at=newest.head.at if newest else None,
        seq=newest.seq if newest else None,
        unsigned=behind,
        problem=None if problem is None else str(problem),
        files=tuple(map(str, files)),
    )


def _fingerprint(newest: RecordedHead) -> str:
    """Return whose signature it is; empty where it is none, which verification names."""
    try:
        return fingerprint(verify(newest.signed.text.encode(), newest.signed.signature, NAMESPACE))
    except BadSignature:
        return ""


VERB = Verb(head)
