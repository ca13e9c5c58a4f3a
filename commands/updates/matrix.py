"""Show units by days, and the verdict on each week

--output writes a file in the format of its suffix or of --format: xlsx and html hold every table, csv one row for
each unit and day. No cell is written as a formula.

Example: portalops updates matrix --period 2026-W40..2026-W47 --output ma-tran.xlsx

EXIT STATUS: 0 no week is unmet, 1 a unit did not meet a week, 2 no such period, unit or format, 3 a week has
insufficient evidence
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import decided_of
from commands.updates.options import PeriodText, UnitText, chosen_units
from commands.updates.steps import duty_exit_code, judged_period, source_warnings
from commands.updates.views import ShownWeek, week_fields
from portalops.errors import ExitCode, UsageError
from portalops.files import write_atomically
from portalops.locale import _, process_language
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.reports import formats
from portalops.reports.calendar_doubts import calendar_doubts
from portalops.reports.document import Block, Cell, Document, KeyValues, Paragraph, TableBlock
from portalops.reports.matrix_days import day_table
from portalops.reports.section_updates import matrix as grid_of
from portalops.reports.table_csv import write_table
from portalops.reports.words import week_status

if TYPE_CHECKING:
    from portalops.model.exemptions import Exemption
    from portalops.model.organisation import Agency
    from portalops.model.period import Period
    from portalops.model.updates import UpdatesResult

OptionalPath = Optional[Path]  # noqa: UP045  # Typer reads it at run time
CSV = "csv"
MOST_ROWS = 100_000
"""Rows of units and days that go into a page or workbook, which is built in memory: about 350 MiB; CSV takes any number."""


@shape
class UnitWeekRow(ShownWeek):
    """One week of one unit."""

    id: str
    unit: UnitId


@shape
class WrittenMatrix:
    """The file that --output asks for."""

    id: Path
    """Where it lies."""
    sha256: str


def format_of(name: str | None, output: Path | None) -> str | None:
    """Return the format of the file that is asked for; None if none is.

    Raises:
        UsageError: a format without a file, or a format that there is not.
    """
    if output is None:
        if name is not None:
            raise UsageError(msg("--format needs --output"), msg("Name the file with --output FILE."))
        return None
    suffixes = {formats.load(each).suffix: each for each in formats.names()}
    chosen = suffixes.get(output.suffix.lower()) if name is None else name
    if chosen not in formats.names():
        raise UsageError(
            msg("{file} has no suffix of a format", file=show_text(str(output)))
            if name is None
            else msg("no such format: {name}", name=show_text(name, 60)),
            msg("Give --format, one of: {names}.", names=", ".join(formats.names())),
        )
    return chosen


def write_matrix(
    session: Session,
    form: str,
    output: Path,
    *,
    result: UpdatesResult,
    period: Period,
    units: Sequence[Agency],
    exemptions: Sequence[Exemption],
    shown: Sequence[Block],
    is_whole: bool,
) -> tuple[Message, ...]:
    """Write the matrix into a file; an older one is replaced. Return what the machine lacks for the format.

    Args:
        session: gives portal, calendar and clock.
        form: a format of reports; `csv` holds the rows of units and days alone, for programs.
        output: the file.
        result: the judging.
        period: which days.
        units: whose.
        exemptions: those in force.
        shown: the grid and the weeks, as the terminal shows them.
        is_whole: no unit was chosen, so that the portal's own days belong to it.

    Raises:
        FileUnwritable: the file cannot be written.
        UnknownReport: the format needs what is not installed.
    """
    language = process_language()
    days = day_table(result, period, units, session.calendar, exemptions, with_portal=is_whole)
    if form == CSV:
        write_atomically(output, write_table(days, language=language, zone=session.zone_of_portal))
        return ()
    title = msg("Updates of the portal and the units, from {first} to {last}", first=period.first, last=period.last)
    facts: list[tuple[Message, Cell]] = [
        (msg("Portal"), session.settings.portal.name),
        (msg("Judged at"), session.clock.now()),
        (msg("Rulebook"), result.rulebook),
        (msg("Working-day calendar"), result.calendar),
    ]
    blocks: list[Block] = [
        KeyValues(facts),
        *calendar_doubts(session.calendar, period),
        Paragraph(
            msg("Judged from the collected items. This file is not a record; only the compliance report is signed.")
        ),
        *shown,
        days_or_notice(days),
    ]
    document = Document(title, blocks, facts[:2], session.settings.portal.timezone)
    chosen = formats.load(form)
    lacks = formats.lacks((chosen,))
    write_atomically(output, chosen.render(document, language=language))
    return lacks


def days_or_notice(days: TableBlock) -> Block:
    """Return the rows of units and days if a page or workbook can take them, else where they are to be had."""
    if len(days.rows) <= MOST_ROWS:
        return days
    return Paragraph(
        msg(
            "A row for each unit and day would be {rows} rows, too many for this format: use --format csv.",
            rows=len(days.rows),
        )
    )


def written(
    output: Path, exit_code: ExitCode, warnings: Sequence[Message]
) -> Result[tuple[UnitWeekRow, ...] | tuple[WrittenMatrix, ...]]:
    """Return what is told of a file that was written."""
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    table = TableBlock(msg("Written"), (msg("File"), msg("SHA-256")), [(str(output), digest)])
    return Result((WrittenMatrix(output, digest),), [table], warnings=tuple(warnings), exit_code=exit_code)


def matrix(
    ctx: typer.Context,
    *,
    period: PeriodText = None,
    unit: UnitText = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help=_("The file's format, such as xlsx, html or csv; by default its suffix")
        ),
    ] = None,
    output: Annotated[
        OptionalPath,
        typer.Option("--output", metavar="FILE", help=_("Write to this file instead of the terminal")),
    ] = None,
) -> Result[tuple[UnitWeekRow, ...] | tuple[WrittenMatrix, ...]]:
    session = open_session(ctx)
    form = format_of(format_, output)
    chosen = period_option(session, period)
    result = judged_period(session, chosen)
    units = chosen_units(session, unit)
    ids = {one.id for one in units}
    weeks = [week for week in result.unit_weeks if week.unit in ids]
    names = {one.id: one.name for one in units}
    headers = (
        msg("Unit"),
        msg("Week"),
        msg("K1"),
        msg("K2"),
        msg("K1 due"),
        msg("K2 due"),
        msg("Covered, %"),
        msg("Verdict"),
        msg("Why"),
    )
    rows = [
        (
            names[week.unit],
            str(week.week),
            week.subportal,
            week.submissions,
            week.due_on_subportal,
            week.due_to_send,
            week.coverage_percent,
            week_status(week.verdict, is_over=week.week.period().last < session.today),
            week.reason,
        )
        for week in weeks
    ]
    exemptions = decided_of(session.reader, session.zone_of_portal).exemptions
    view: list[Block] = [
        grid_of(result, chosen, units, session.calendar, exemptions),
        TableBlock(msg("Each unit's weeks"), headers, rows),
    ]
    warnings = (*source_warnings(session), *session.calendar.warnings(chosen))
    code = duty_exit_code([week.verdict for week in weeks])
    if form is not None and output is not None:
        lacks = write_matrix(
            session,
            form,
            output,
            result=result,
            period=chosen,
            units=units,
            exemptions=exemptions,
            shown=view,
            is_whole=unit is None,
        )
        return written(output, code, (*warnings, *lacks))
    data = tuple(UnitWeekRow(id=f"{week.unit}/{week.week}", unit=week.unit, **week_fields(week)) for week in weeks)
    return Result(data, view, warnings=warnings, exit_code=code)


VERB = Verb(matrix)
