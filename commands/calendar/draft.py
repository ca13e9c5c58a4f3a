"""Propose the days off of a year, for a province's own file

A library's expectation and no notice of the Government: every row is marked as not confirmed, and the year stays
provisional until the documents are put in. Where the calendar holds the year already, the days on which the two
differ are shown. 'portalops calendar confirm' takes the notice once it is there.

Example: portalops calendar draft 2027 --output lich-2027.toml

EXIT STATUS: 0 proposed, 2 wrong usage or the file is there already, 4 the file could not be written
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.calendar.steps import calendar_of
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.calendar.drafting import differences, draft
from portalops.calendar.expected import expect
from portalops.errors import UsageError
from portalops.files import write_atomically
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.reports.document import Block, Paragraph, TableBlock, Verbatim


@shape
class DraftedDay:
    """A day on which the proposal differs from the calendar in force."""

    id: str
    working: bool
    """It is a working day by the calendar in force."""
    proposed: str
    """The holiday that is proposed, or `working`."""


@shape
class DraftedCalendar:
    """A proposal for a year; nothing of it is in force."""

    year: int
    source: str
    toml: str
    """Rows for a calendar file."""
    differences: tuple[DraftedDay, ...]


def draft_year(
    ctx: typer.Context,
    year: Annotated[int, typer.Argument(help=_("A year such as 2027"), min=2010, max=2100)],
    output: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--output", metavar="FILE", help=_("Where the rows go; they are printed without it")),
    ] = None,
) -> Result[DraftedCalendar]:
    session = open_session(ctx)
    calendar = calendar_of(session)
    expected = expect(year)
    text = draft(year, expected)
    found = differences(calendar, year, expected)
    view: list[Block] = []
    if output is None:
        view.append(Verbatim(text))
    elif os.path.lexists(output):
        raise UsageError(
            msg("{path} is there already", path=show_text(str(output))),
            msg("Name a file that is not: rows that somebody has confirmed are never written over."),
        )
    else:
        write_atomically(output, text.encode("utf-8"))
        view.append(Paragraph(msg("The proposal is in {file}; nothing of it is in force.", file=str(output))))
    if calendar.confirmed(year):
        headers: tuple[Message, ...] = (msg("Day"), msg("In force"), msg("Proposed"))
        rows = [
            (each.day, msg("working day") if each.is_working else msg("day off"), each.expected or msg("working day"))
            for each in found
        ]
        view.append(TableBlock(msg("Where the proposal differs from the calendar in force"), headers, rows))
    data = DraftedCalendar(
        year=year,
        source=expected.source,
        toml=text,
        differences=tuple(
            DraftedDay(each.day.isoformat(), each.is_working, str(each.expected or "working")) for each in found
        ),
    )
    return Result(
        data, view, warnings=(msg("this is a proposal by {source}, and no official schedule", source=expected.source),)
    )


VERB = Verb(draft_year)
