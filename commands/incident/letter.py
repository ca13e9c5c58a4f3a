"""Draft the report on an incident

Writes the first or the full report in the official form (Decree 30/2020/NĐ-CP). Number and date stay blank: the clerk
gives them after it is signed, and 'incident report' records that it was sent. What is unknown is marked as unknown.
Drafting records nothing.

Example: portalops incident letter IN-2026-001 --report first --to department --format docx,pdf --output .

EXIT STATUS: 0 written, 2 no such incident, report or format
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.entries import addressee_of
from commands.cli.languages import languages_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.incident.options import report_kind
from commands.incident.steps import IdArgument, known_incident, register_of
from commands.jobs.credentials import refuse_extra
from commands.jobs.papers import chosen_formats, write_papers
from portalops.locale import _
from portalops.model.incidents import ReportKind
from portalops.model.message import Message, msg
from portalops.model.sent import Addressee
from portalops.official.build_incident import TiedCredential, build_incident
from portalops.official.office import office_on
from portalops.registers.credentials import HeldCredential, read_credentials
from portalops.registers.incidents import Incident, is_undone
from portalops.reports.document import TableBlock
from portalops.reports.words import credential_kind_word


@shape
class DraftFile:
    """A file of the draft."""

    id: Path
    sha256: str
    incident: str
    report: ReportKind


def letter(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    report: Annotated[str, typer.Option("--report", metavar="first|full", help=_("first or full"))] = "first",
    to: Annotated[
        str, typer.Option("--to", metavar="department|committee", help=_("department or committee"))
    ] = "department",
    format_: Annotated[
        str, typer.Option("--format", metavar="LIST", help=_("docx, markdown, pdf, xlsx, joined by commas"))
    ] = "docx",
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help=_("Where the files go"))] = Path(),
    language: Annotated[
        str,
        typer.Option("--language", metavar="vi|en|both", help=_("vi is what is sent; en is a translation for reading")),
    ] = "vi",
) -> Result[tuple[DraftFile, ...]]:
    refuse_extra(ctx)
    session = open_session(ctx)
    which, some = report_kind(report, "--report"), chosen_formats(format_)
    languages = languages_option(language, ("vi",))
    known = known_incident(register_of(session), incident)
    paper = build_incident(
        known,
        _access(session, known),
        office_on(session.today, session.settings.actors, session.settings.office),
        session.rulebook,
        report=which,
        to_committee=addressee_of(to) is Addressee.COMMITTEE,
        zone=session.settings.portal.timezone,
    )
    files = write_papers(paper, f"{known.id}-{which.value}", some, output, languages=languages)
    return Result(
        tuple(DraftFile(path, digest, known.id, which) for path, digest in files),
        [TableBlock(msg("Drafts"), (msg("File"), msg("SHA-256")), [(str(path), digest) for path, digest in files])],
        warnings=_lacking(known, which),
    )


def _access(session: Session, known: Incident) -> tuple[TiedCredential, ...]:
    register = read_credentials(session.reader)
    found: list[TiedCredential] = []
    for name in known.facts.credentials:
        held = register.credentials.get(name)
        if held is not None:
            one = held.credential
            done = _done(session, known, held)
            found.append(
                TiedCredential(one.id, one.system, one.account, credential_kind_word(one.kind), one.holder, done)
            )
    return tuple(found)


def _done(session: Session, known: Incident, held: HeldCredential) -> Message:
    if held.returned is not None:
        return msg("returned on {day}", day=held.returned.on)
    changed: date | None = held.credential.rotated_on
    if changed is None or is_undone(held, known.facts, session.zone_of_portal):
        return msg("not changed yet")
    return msg("changed on {day}", day=changed)


def _lacking(known: Incident, which: ReportKind) -> tuple[Message, ...]:
    if which is not ReportKind.FULL:
        return ()
    told = known.closed.body if known.closed else known.facts
    missing = [
        option
        for option, text in (("--cause", told.cause), ("--measures", told.measures), ("--lessons", told.lessons))
        if not text
    ]
    if not missing:
        return ()
    return (
        msg(
            "the full report is incomplete: give {options} by 'portalops incident correct {id}'",
            id=known.id,
            options=", ".join(missing),
        ),
    )


VERB = Verb(letter, is_strict=True)
