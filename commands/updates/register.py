"""Record a paper document that arrived

The document counts on its day of arrival, with grade D, like a line of the register's file. Its arrival number is
unique in its year, and the day is not in the future. --withdraw ID takes a document back.

Example: portalops updates register --unit so-y-te --number 118 --arrived 2026-11-20 --code 245/SYT-VP --subject 'Tin,
bài tuần 47' --file cong-van.pdf

EXIT STATUS: 0 recorded or shown, 2 no such unit, a number or day is missing or wrong, or the number is taken
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import typer

from checks.updates.observation_places import NothingCollected
from commands.cli.entries import (
    DocumentFile,
    DryRun,
    Reason,
    caller_of,
    document_in,
    known_unit,
    next_id,
    past_day,
    written_text,
)
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import open_store
from commands.updates.options import OptionalText, UnitOption, Withdraw
from commands.updates.steps import (
    ShownObservation,
    ShownPaper,
    WithdrawnEntry,
    recorded_attestation,
    withdrawn_attestation,
)
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.submissions import RegisteredPaper
from portalops.model.text import show_text
from portalops.registers.attested import ATTESTED_KINDS, PAPER, REGISTERED, Attested

MAX_NUMBER = 40


def register(
    ctx: typer.Context,
    *,
    unit: UnitOption = None,
    number: Annotated[str, typer.Option("--number", metavar="NUMBER", help=_("Its arrival number"))] = "",
    arrived: Annotated[
        OptionalText, typer.Option("--arrived", metavar="DAY", help=_("Its day of arrival; by default today"))
    ] = None,
    author: Annotated[
        str, typer.Option("--author", metavar="TEXT", help=_("The agency as the paper names it; by default the unit"))
    ] = "",
    code: Annotated[str, typer.Option("--code", metavar="TEXT", help=_("Number and notation of the document"))] = "",
    subject: Annotated[str, typer.Option("--subject", metavar="TEXT", help=_("Its subject"))] = "",
    registrar: Annotated[
        str, typer.Option("--registrar", metavar="NAME", help=_("Who registers it; by default the account"))
    ] = "",
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Withdraw = None,
    dry_run: DryRun = False,
) -> Result[ShownObservation | ShownPaper | WithdrawnEntry]:
    session = open_session(ctx)
    if withdraw is not None:
        return withdrawn_attestation(session, withdraw, RegisteredPaper, registrar, reason, dry_run=dry_run)
    whose = known_unit(session, unit)
    own = written_text(number, "--number")
    if len(own) > MAX_NUMBER:
        raise UsageError(
            msg("--number: {text} is not an arrival number", text=show_text(own, MAX_NUMBER)),
            msg("Give the number in the register of incoming documents, such as 118."),
        )
    day = past_day(session, arrived, "--arrived")
    about = written_text(subject, "--subject")
    written = [written_text(text, option) if text else "" for text, option in ((author, "--author"), (code, "--code"))]
    who = written_text(registrar, "--registrar") if registrar else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""
    data = document_in(file)

    def made(standing: Sequence[Attested], digest: Digest | None) -> RegisteredPaper:
        _require_free(session, standing, own, day)
        name = next_id(session, "RG", ATTESTED_KINDS)
        by = written[0] or show_text(whose.name.vi, 200)
        return RegisteredPaper(name, whose.id, own, day, by, written[1], about, who, why, digest)

    return recorded_attestation(session, REGISTERED, PAPER, made, data, dry_run=dry_run)


def _require_free(session: Session, standing: Sequence[Attested], number: str, day: date) -> None:
    """Make sure that a number of arrival is the only one of its year, also beside the register's files.

    Raises:
        UsageError: it is taken.
    """
    for each in standing:
        one = each.what
        if isinstance(one, RegisteredPaper) and (one.arrived_on.year, one.number) == (day.year, number):
            raise UsageError(
                msg("arrival number {number} of {year} is taken by {id}", number=number, year=str(day.year), id=one.id),
                msg(
                    "Check which paper has the number; if {id} is wrong, take it back with --withdraw {id}.", id=one.id
                ),
            )
    for source in _registers_with(session, f"{day.year}/{number}"):
        raise UsageError(
            msg(
                "source {source} already has arrival number {number} of {year}",
                number=number,
                year=str(day.year),
                source=source,
            ),
            msg(
                "Record nothing for the same paper: the source shows it. 'portalops updates list' shows for which day it counts."
            ),
        )


def _registers_with(session: Session, external_id: str) -> Sequence[str]:
    registers = [table.id for table in session.settings.update_sources if table.kind == "register"]
    if not registers:
        return ()
    try:
        with open_store(session.settings, session.environment) as store:
            found = {source: store.known(source, (f"i:{external_id}",)) for source in registers}
            seen = store.observations(one.observation for some in found.values() for one in some.values())
            # A line whose agency is unknown counts for nobody: this command decides whose it is.
            return [
                source
                for source, some in found.items()
                if any(seen[one.observation].unit is not None for one in some.values())
            ]
    except NothingCollected:
        return ()


VERB = Verb(register)
