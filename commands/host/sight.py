"""Record that a person saw a server in place, and where it stands

What is not given stays as at the last sighting. A correction is a new sighting; one of an earlier day needs a reason.
The check inventory.location asks for sightings at regular times.

Example: portalops host sight web1 --site 'Sở KH&CN, 46 Lê Quý Đôn' --room 204 --rack 'Tủ A, U12' --holder 'Phòng Hạ
tầng số' --by 'Nguyễn Văn An' --on 2026-11-20 --file bien-ban.pdf

EXIT STATUS: 0 recorded or shown, 2 there is no such host, a text is missing, the day is ahead, the holder left, or
the file cannot be read
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, caller_of, document_in, past_day, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.host.options import HostArgument, OptionalText
from commands.host.steps import document_digests, known_holder, record_sighting, recorded_sentence, require_reason
from commands.jobs.host_places import holders_of
from commands.jobs.servers import known_host
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.places import Sighting
from portalops.model.record import Digest
from portalops.registers.places import SIGHTED, SIGHTING, RegisteredPlace, read_places
from portalops.reports.document import Cell, KeyValues


@shape
class SightedHost:
    """Where a server was seen, and who answers for it."""

    id: HostId
    site: str
    room: str
    rack: str
    holder: str
    seen_on: date
    seen_by: str
    reason: str | None
    evidence: tuple[Digest, ...]
    record: int | None
    """Null of a dry run."""


def sight(
    ctx: typer.Context,
    host: HostArgument,
    *,
    site: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The building, or its address"))] = None,
    room: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The room"))] = None,
    rack: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The rack, and the place in it"))] = None,
    holder: Annotated[
        OptionalText, typer.Option(metavar="NAME", help=_("Who answers for it: a person or an office"))
    ] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help=_("Who saw it; the account that calls by default"))] = "",
    on: Annotated[
        OptionalText, typer.Option(metavar="DAY", help=_("When, such as 2026-11-20; today by default"))
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why this corrects a record of a later day"))] = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[SightedHost]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    day = past_day(session, on, "--on")
    document = document_in(file)
    holders = holders_of(session.settings, session.reader, session.today)
    answers = None if holder is None else known_holder(session, holders, holder, day)
    given = {"--site": site, "--room": room, "--rack": rack, "--holder": answers}
    seen_by = written_text(by, "--by") if by else caller_of(session)
    why = written_text(reason, "--reason") if reason else ""

    def made(before: RegisteredPlace) -> Sighting:
        texts = _texts(given, before)
        later = [step for step in before.steps if step.seq == before.sighted_seq]
        if holder is not None and before.holder_step is not None:
            later.append(before.holder_step)
        require_reason(before.host, day, later, why)
        return Sighting(known.id, day, seen_by, *texts, reason=why)

    if dry_run:
        sighting = made(read_places(session.reader).get(known.id) or RegisteredPlace(known.id))
        seq, evidence = None, document_digests(document)
    else:
        sighting, record, evidence = record_sighting(session, SIGHTED, SIGHTING, known.id, made, document=document)
        seq = record.seq
    if answers is None and (left := holders.left(sighting.holder, day)) is not None:
        session.warnings.append(
            msg(
                "{name}, who answers for {host}, left on {day} (record {seq}): record the new holder by 'portalops"
                " host hand-over'",
                name=sighting.holder,
                host=host,
                day=left.on,
                seq=left.seq,
            )
        )
    return _sighted(sighting, seq, evidence)


def _texts(given: Mapping[str, str | None], before: RegisteredPlace) -> tuple[str, str, str, str]:
    """Return building, room, rack and holder: as given, or else as last seen."""
    old = before.sighting
    last = {
        "--site": old.site if old else "",
        "--room": old.room if old else "",
        "--rack": old.rack if old else "",
        "--holder": before.holder,
    }
    missing = [option for option, text in given.items() if text is None and not last[option]]
    if missing:
        raise UsageError(
            msg(
                "{host} has no earlier sighting, so these options are needed: {options}",
                host=before.host,
                options=", ".join(missing),
            ),
            msg("Give where it stands and who answers for it by --site, --room, --rack and --holder."),
        )
    site, room, rack, holder = (
        last[option] if text is None else written_text(text, option) for option, text in given.items()
    )
    return site, room, rack, holder


def _sighted(sighting: Sighting, seq: int | None, evidence: tuple[Digest, ...]) -> Result[SightedHost]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), sighting.host),
        (msg("Site"), sighting.site),
        (msg("Room"), sighting.room),
        (msg("Rack"), sighting.rack),
        (msg("Responsible"), sighting.holder),
        (msg("Seen by"), sighting.seen_by),
        (msg("On"), sighting.seen_on),
        *([(msg("Reason"), sighting.reason)] if sighting.reason else []),
        (msg("Digest of the document"), evidence[0] if evidence else None),
        (msg("Recorded in"), recorded_sentence(seq)),
    ]
    data = SightedHost(
        id=sighting.host,
        site=sighting.site,
        room=sighting.room,
        rack=sighting.rack,
        holder=sighting.holder,
        seen_on=sighting.seen_on,
        seen_by=sighting.seen_by,
        reason=sighting.reason or None,
        evidence=evidence,
        record=seq,
    )
    return Result(data, [KeyValues(rows)])


VERB = Verb(sight)
