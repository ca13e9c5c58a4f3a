"""Find how sites tell what they publish, and write it as sources

Asks each site for its feeds, JSON, map and lists of items: what its pages name, and the usual places of content
systems. Polls what it finds twice, and shows each item's date as it would be read. --write appends the tables to
portalops.toml; what is there stays as it is, and an address that is already a source is left out. The first poll of
a source proves no date, so nothing counts before a later one.

Example: portalops updates discover https://soyte.khanhhoa.gov.vn --write

EXIT STATUS: 0 every site has a source, 2 wrong usage, 3 nothing was found at a site, 4 the file cannot be written, 78
the configuration would be wrong
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from checks.updates.discovery.sites import WAIT_SECONDS
from checks.updates.discovery.tables import FoundTable, source_tables
from commands.cli.entries import known_unit
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.added_tables import check_added
from commands.jobs.discovering import (
    ShownCandidate,
    ShownSource,
    configured_as,
    explain_configured,
    found_sites,
    shown_others,
    shown_source,
    site_address,
    site_view,
    unit_of_site,
)
from commands.updates.options import UnitOption
from commands.updates.steps import unit_names
from portalops.errors import ExitCode, UsageError
from portalops.files import append_whole
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel
from portalops.reports.document import Block, Notice, Paragraph, Tone, Verbatim


@shape
class DiscoveredSite:
    """What a site has."""

    url: str
    problem: str
    """Why nothing was found; empty if something was."""
    title: str
    generator: str
    """What made the site, as it says."""
    unit: UnitId | None
    """Whose it is; null for the portal's, or where its name and title fit no unit alone."""
    sources: tuple[ShownSource, ...]
    others: tuple[ShownCandidate, ...]
    """What was found and is not taken."""
    asked: int
    """How many addresses were asked."""


@shape
class Discovered:
    """What the sites have, and the tables of it."""

    sites: tuple[DiscoveredSite, ...]
    file: Path
    table: str
    """As TOML; empty if nothing new was found."""
    written: bool


def discover(
    ctx: typer.Context,
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help=_("Addresses of sites, or of feeds"))],
    *,
    unit: UnitOption = None,
    channel: Annotated[
        ItemChannel, typer.Option("--channel", help=_("What the items count for: portal or subportal"))
    ] = ItemChannel.SUBPORTAL,
    inside: Annotated[bool, typer.Option("--inside", help=_("The sites lie in the own network"))] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", help=_("Between the two polls"), min=0, max=600)
    ] = WAIT_SECONDS,
    write: Annotated[bool, typer.Option("--write", help=_("Append the tables to the configuration"))] = False,
) -> Result[Discovered]:
    session = open_session(ctx)
    if channel is ItemChannel.PORTAL and unit is not None:
        raise UsageError(
            msg("--unit does not go with --channel portal"), msg("What the portal publishes counts for no unit.")
        )
    whose = known_unit(session, unit).id if unit is not None else None
    sites = found_sites(session, tuple(dict.fromkeys(map(site_address, urls))), wait_seconds=wait, inside=inside)
    names, taken = unit_names(session), {table.id for table in session.settings.update_sources}
    shown: list[DiscoveredSite] = []
    view: list[Block] = []
    warnings: list[Message] = []
    new: list[FoundTable] = []
    for site in sites:
        own = whose if whose or channel is ItemChannel.PORTAL else unit_of_site(site, names)
        tables = source_tables(site, channel=channel, unit=own, inside=inside, taken=taken)
        taken |= {table.id for table in tables}
        if site.problem is not None:
            view.append(Notice(msg("{url}: {why}", url=show_text(site.url, 200), why=site.problem), Tone.BAD))
        else:
            view += site_view(session, site, tables)
        if tables and own is None and channel is not ItemChannel.PORTAL:
            warnings.append(
                msg("{url}: it is not known whose site it is; name the unit by --unit", url=show_text(site.url, 200))
            )
        for table in tables:
            if before := configured_as(session, table):
                warnings.append(explain_configured(table, before))
            else:
                new.append(table)
        shown.append(
            DiscoveredSite(
                url=site.url,
                problem=str(site.problem) if site.problem is not None else "",
                title=show_text(site.title, 200),
                generator=show_text(site.generator, 60),
                unit=own,
                sources=tuple(shown_source(session, table) for table in tables),
                others=shown_others(site),
                asked=site.tried,
            )
        )
    text = "".join(table.text for table in new)
    main = session.settings.files[0]
    if text:
        check_added(session, text, main)
        if write:
            append_whole(main, text.encode())
        view += [Paragraph(_describe(main, len(new), written=write)), Verbatim(text.strip())]
    failed = tuple(
        msg("{url}: {why}", url=show_text(site.url, 200), why=site.problem) for site in sites if site.problem
    )
    return Result(
        Discovered(tuple(shown), main, text, write and bool(text)),
        view,
        warnings=tuple(warnings),
        failures=failed,
        exit_code=ExitCode.PARTIAL if failed else ExitCode.OK,
    )


def _describe(main: Path, count: int, *, written: bool) -> Message:
    if written:
        return nmsg(
            "{n} source was appended to {path}; 'portalops updates collect' polls it:",
            "{n} sources were appended to {path}; 'portalops updates collect' polls them:",
            count,
            path=show_text(str(main), 200),
        )
    return nmsg(
        "{n} source can be appended to {path} by --write:",
        "{n} sources can be appended to {path} by --write:",
        count,
        path=show_text(str(main), 200),
    )


VERB = Verb(discover)
