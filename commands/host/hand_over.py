"""Record who answers for a server from now on

The holder is a member or an office of the configuration; otherwise a warning is shown. The minutes are kept by their
digest.

Example: portalops host hand-over web1 --holder 'Trần Thị Bình' --document '05/BB-BG, 20/11/2026' --file bien-ban.pdf

EXIT STATUS: 0 recorded or shown, 2 there is no such host, the day is ahead, the holder left, or the file cannot be
read
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, past_day, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.host.options import HostArgument, OptionalText
from commands.host.steps import document_digests, known_holder, record_sighting, recorded_sentence, require_reason
from commands.jobs.host_places import holders_of
from commands.jobs.servers import known_host
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.places import HandOver
from portalops.model.record import Digest
from portalops.registers.places import HAND_OVER, HANDED_OVER, RegisteredPlace, read_places
from portalops.reports.document import Cell, KeyValues


@shape
class HandedOverHost:
    """A hand-over of a server."""

    id: str
    holder: str
    before: str | None
    """Who answered for it until then."""
    handed_on: date
    reason: str | None
    document: str | None
    evidence: tuple[Digest, ...]
    record: int | None
    """Null of a dry run."""


def hand_over(
    ctx: typer.Context,
    host: HostArgument,
    *,
    holder: Annotated[str, typer.Option(metavar="NAME", help=_("Who answers for it from then on"))],
    on: Annotated[
        OptionalText, typer.Option(metavar="DAY", help=_("When, such as 2026-11-20; today by default"))
    ] = None,
    document: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Number and date of the minutes or the decision"))
    ] = "",
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help=_("Why an earlier day is recorded after a later one"))
    ] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[HandedOverHost]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    day = past_day(session, on, "--on")
    data = document_in(file)
    named = written_text(document, "--document") if document else ""
    why = written_text(reason, "--reason") if reason else ""
    to = known_holder(session, holders_of(session.settings, session.reader, session.today), holder, day)

    def made(before: RegisteredPlace) -> HandOver:
        require_reason(before.host, day, [before.holder_step] if before.holder_step else [], why)
        return HandOver(known.id, day, to, before.holder, named, why)

    evidence = document_digests(data)
    seq = None
    if dry_run:
        handed = made(read_places(session.reader).get(known.id) or RegisteredPlace(known.id))
    else:
        handed, record, evidence = record_sighting(session, HANDED_OVER, HAND_OVER, known.id, made, document=data)
        seq = record.seq
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), host),
        (msg("Responsible"), handed.holder),
        (msg("Until then"), handed.before or None),
        (msg("On"), handed.handed_on),
        *([(msg("Reason"), handed.reason)] if handed.reason else []),
        (msg("Document"), handed.document or None),
        (msg("Digest of the document"), evidence[0] if evidence else None),
        (msg("Recorded in"), recorded_sentence(seq)),
    ]
    answer = HandedOverHost(
        id=host,
        holder=handed.holder,
        before=handed.before or None,
        handed_on=handed.handed_on,
        reason=handed.reason or None,
        document=handed.document or None,
        evidence=evidence,
        record=seq,
    )
    return Result(answer, [KeyValues(rows)])


VERB = Verb(hand_over)
