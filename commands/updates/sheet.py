"""Write the sheet of a unit's week: every item, when it came, whether it counts and why

The sheet goes out with a reminder, so that the unit can say where we err. It is in words that the unit's clerk
understands. --output takes .html, .pdf or .docx.

Example: portalops updates sheet so-y-te 2026-W47 --output bang-ke.docx

EXIT STATUS: 0 written or shown, 2 no such unit, week or format
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.entries import known_unit
from commands.cli.languages import languages_option
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.unit_sheets import (
    ShownAccountedItem,
    UnitName,
    WeekName,
    account_and_items,
    named_week,
    sheet_document,
    shown_items,
)
from commands.updates.matrix import format_of
from portalops.errors import UsageError
from portalops.files import write_atomically
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.reports import formats
from portalops.reports.document import TableBlock

OptionalPath = Optional[Path]  # noqa: UP045  # Typer reads it at run time
TAKEN = (".html", ".pdf", ".docx")


@shape
class WrittenSheet:
    """The sheet of a unit's week."""

    id: str
    unit: UnitId
    week: str
    file: Path | None
    """Null if it was only shown."""
    sha256: str | None
    items: tuple[ShownAccountedItem, ...]


def sheet(
    ctx: typer.Context,
    unit: UnitName,
    week: WeekName,
    *,
    output: Annotated[
        OptionalPath, typer.Option("--output", metavar="FILE", help=_("Write to this file instead of the terminal"))
    ] = None,
    language: Annotated[
        str, typer.Option("--language", metavar="vi|en", help=_("The file's language; vi is what is sent"))
    ] = "vi",
) -> Result[WrittenSheet]:
    session = open_session(ctx)
    if output is not None and output.suffix.lower() not in TAKEN:
        raise UsageError(
            msg("--output takes {suffixes}", suffixes=", ".join(TAKEN)), msg("Give the file one of these suffixes.")
        )
    spoken = languages_option(language, ())[0]
    form = format_of(None, output)
    chosen, named = known_unit(session, unit), named_week(week)
    account, whole = account_and_items(session, chosen, named)
    document = sheet_document(session, chosen, named, account, whole)
    digest: str | None = None
    lacks: tuple[Message, ...] = ()
    if output is not None and form is not None:
        style = formats.load(form)
        lacks = formats.lacks((style,))
        data = style.render(document, language=spoken)
        write_atomically(output, data)
        digest = hashlib.sha256(data).hexdigest()
    shown = WrittenSheet(
        id=f"{chosen.id}/{named}",
        unit=chosen.id,
        week=str(named),
        file=output,
        sha256=digest,
        items=shown_items(account, whole),
    )
    if output is None:
        return Result(shown, document.blocks)
    table = TableBlock(msg("Written"), (msg("File"), msg("SHA-256")), [(str(output), digest)])
    return Result(shown, [table], warnings=lacks)


VERB = Verb(sheet)
