"""List the servers: how each is reached, its key, its last scan, and where it stands

Reads the ledger and the configuration only. A server whose last sighting is too long ago is marked.

Example: portalops host list

EXIT STATUS: 0 every host was reached in its last scan, 1 one was not reached, or has no key or no scan yet
"""

from __future__ import annotations

from collections.abc import Collection

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.host.views import HostShape, answered_at, host_data, key_cell, place_data, state_cell, way_cell
from commands.jobs.host_places import holders_of, places_table
from commands.jobs.hosts_seen import hosts_seen
from commands.jobs.servers import enrolments_of
from portalops.errors import ExitCode
from portalops.model.hosts import LOCAL
from portalops.model.message import msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.registers.places import read_places
from portalops.reports.document import Paragraph, TableBlock


def list_(ctx: typer.Context) -> Result[tuple[HostShape, ...]]:
    session = open_session(ctx)
    hosts = session.settings.hosts
    if not hosts:
        return Result((), [Paragraph(msg("The configuration names no host yet: 'portalops host add' adds one"))])
    enrolled = enrolments_of(session.reader)
    seen = hosts_seen(session.reader, {host.id for host in hosts})
    places, holders = read_places(session.reader), holders_of(session.settings, session.reader, session.today)
    rows = [
        (
            host.id,
            way_cell(session, host),
            key_cell(host, enrolled.get(host.id)),
            answered_at(seen, host.id),
            state_cell(seen.get(host.id)),
        )
        for host in hosts
    ]
    headers = (msg("Host"), msg("Way"), msg("Key"), msg("Last answer"), msg("Last scan"))
    data = tuple(
        host_data(
            session, host, enrolled.get(host.id), seen.get(host.id), place=place_data(places.get(host.id), holders)
        )
        for host in hosts
    )
    is_whole = all(_is_known(host, enrolled) and host.id in seen and seen[host.id].newest.reached for host in hosts)
    table = TableBlock(nmsg("{n} host", "{n} hosts", len(hosts)), headers, rows)
    view = [table, places_table(hosts, places, holders)]
    return Result(data, view, exit_code=ExitCode.OK if is_whole else ExitCode.UNMET)


def _is_known(host: Host, enrolled: Collection[HostId]) -> bool:
    return host.address == LOCAL or host.id in enrolled


VERB = Verb(list_)
