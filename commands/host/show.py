"""Show a server: how it is reached, its key, its last scan, where it stands and who answers for it

Every sighting and hand-over is listed with its record and the digest of its document.

Example: portalops host show web1

EXIT STATUS: 0 shown, 2 there is no such host
"""

from __future__ import annotations

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape, widened
from commands.cli.verb import Verb
from commands.host.options import HostArgument
from commands.host.views import (
    HandOverRecord,
    HostShape,
    SightingRecord,
    answered_at,
    host_data,
    key_cell,
    place_data,
    state_cell,
    steps_data,
    way_cell,
)
from commands.jobs.host_places import holders_of, place_rows, steps_of
from commands.jobs.hosts_seen import hosts_seen
from commands.jobs.servers import enrolments_of, known_host
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.places import RegisteredPlace, read_places
from portalops.reports.document import Cell, KeyValues


@shape
class ShownHost(HostShape):
    """A server with the records of its place."""

    place_records: tuple[SightingRecord | HandOverRecord, ...]
    """Oldest first."""


def show(ctx: typer.Context, host: HostArgument) -> Result[ShownHost]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    enrolment = enrolments_of(session.reader).get(known.id)
    seen = hosts_seen(session.reader, {known.id})
    rows: list[tuple[Message, Cell]] = [
        (msg("Host"), known.id),
        (msg("Way"), way_cell(session, known)),
        (msg("Roles"), ", ".join(sorted(known.roles)) or None),
        (msg("Responsible for findings"), show_text(known.custodian) or None),
        (msg("Key"), key_cell(known, enrolment)),
    ]
    if enrolment is not None:
        rows += [
            (msg("Compared by"), show_text(enrolment.enrolment.by)),
            (msg("Recorded on"), enrolment.at),
            (msg("Recorded in"), msg("record {seq}", seq=enrolment.seq)),
        ]
        if enrolment.enrolment.replaces:
            rows += [
                (msg("Replaces"), show_text(enrolment.enrolment.replaces)),
                (msg("Reason"), show_text(enrolment.enrolment.reason, 1000)),
            ]
    rows += [(msg("Last answer"), answered_at(seen, known.id)), (msg("Last scan"), state_cell(seen.get(known.id)))]
    place, holders = (
        read_places(session.reader).get(known.id) or RegisteredPlace(known.id),
        holders_of(session.settings, session.reader, session.today),
    )
    rows += place_rows(place, holders)
    data = host_data(session, known, enrolment, seen.get(known.id), place=place_data(place, holders))
    return Result(widened(ShownHost, data, place_records=steps_data(place)), [KeyValues(rows), *steps_of(place)])


VERB = Verb(show)
