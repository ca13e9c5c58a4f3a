"""Asking sites what they have, for the commands that put sources into the configuration, and showing what was found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from checks.updates.clashes import address_of, owner_of, same_address, show_owner
from checks.updates.discovery.candidates import newest_first
from checks.updates.discovery.sites import Exploring, FoundSite, explore_sites, host_of
from checks.updates.discovery.tables import FoundTable
from checks.updates.source_settings import bounded
from checks.updates.unit_names import UnitNames
from commands.cli.session import Session
from commands.cli.shapes import shape
from portalops.config.tables import KindTable
from portalops.errors import UsageError
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import UnitId
from portalops.model.period import day_or_moment
from portalops.model.text import show_text
from portalops.reports.document import Block, Bullets, Cell, Paragraph, TableBlock
from portalops.system.web import HttpWeb

SHOWN_ITEMS = 5
"""Of each source."""
RECENT_DAYS = 7
"""Today, and the days before it."""


@shape
class ShownSource:
    """A source that a site has."""

    id: str
    kind: str
    url: str
    found_by: str
    """How it was found: `link rel=alternate`, or the content system whose usual place it is."""
    items: int
    dated: int
    """How many of them have a date that can be read."""
    newest_at: datetime | None
    oldest_at: datetime | None
    """How far back it reaches by the dates that it claims."""
    newest_first: bool
    recent_days: int
    """On how many days of the last seven, today among them, its items are dated."""
    remarks: tuple[str, ...]


@shape
class ShownCandidate:
    """What was found and is not taken."""

    kind: str
    url: str
    items: int
    why: str
    """Empty for one that shows only what another shows too."""


def site_address(text: str) -> str:
    """Return the address of a site as it was written, with https where it names no scheme.

    Raises:
        UsageError: it is none.
    """
    written = text.strip()
    url = written if "://" in written else f"https://{written}"
    try:
        parts = urlsplit(url)
        is_site = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        _port = parts.port
    except ValueError:
        is_site = False
    if not is_site or not url.isprintable() or " " in url:
        raise UsageError(
            msg("{url} is not the address of a site", url=show_text(text, 200)),
            msg("Give an address such as https://soyte.khanhhoa.gov.vn."),
        )
    return url


def found_sites(
    session: Session,
    urls: Sequence[str],
    *,
    wait_seconds: float,
    inside: bool,
    owners: Mapping[str, Message] = MappingProxyType({}),
) -> tuple[FoundSite, ...]:
    """Ask sites what they have, several at once; each has a result, in the order of the addresses.

    Args:
        session: with whose clock and configuration.
        urls: the sites' addresses.
        wait_seconds: between the two polls of what is found.
        inside: the sites may lie in the own network.
        owners: whose sites other hosts are, beside those of the configured sources.
    """
    known = {**owners, **_configured_owners(session)}
    exploring = Exploring(
        HttpWeb(), session.clock, session.zone_of_portal, time.sleep, wait_seconds=wait_seconds, inside=inside
    )
    found = []
    with session.progress.task(msg("Asking sites what they have"), total=len(urls), unit="items") as task:
        for site in explore_sites(urls, exploring):
            task.note(msg("site {url}", url=show_text(site.url, 200)))
            task.advance(1)
            found.append(_with_owner(site, known))
    return tuple(found)


def _configured_owners(session: Session) -> Mapping[str, Message]:
    """Return whose site each host is by the configured sources; the portal's where it is the portal's too."""
    tables = sorted(session.settings.update_sources, key=lambda each: owner_of(each) == "")
    urls = ((table, table.values.get("url")) for table in tables if owner_of(table) is not None)
    return {host_of(url): show_owner(table) for table, url in urls if isinstance(url, str)}


def _with_owner(site: FoundSite, owners: Mapping[str, Message]) -> FoundSite:
    owner = owners.get(host_of(site.leads_to)) if site.leads_to else None
    if owner is None:
        return site
    said = msg("it redirects to {url}, the site of {owner}", url=show_text(site.leads_to, 200), owner=owner)
    return replace(site, problem=said)


def unit_of_site(site: FoundSite, names: UnitNames) -> UnitId | None:
    """Return whose site it is by the first part of its host's name, or by the front page's title; None if that fits none alone."""
    host = urlsplit(site.url).hostname or ""
    by_host = names.resembling(f"{host.removeprefix('www.').partition('.')[0]}@{host}") if host else ()
    found = by_host if len(by_host) == 1 else names.resembling(site.title)
    return found[0] if len(found) == 1 else None


def configured_as(session: Session, table: FoundTable) -> KindTable | None:
    """Return the source that polls the same address already; None if none does."""
    address = same_address(table.found.candidate.url)
    return next((each for each in session.settings.update_sources if address_of(each) == address), None)


def explain_configured(table: FoundTable, before: KindTable) -> Message:
    """Return why a found source is not taken: it is one already, and whose."""
    return msg(
        "{url} is already the source {source} of {owner}",
        url=show_text(table.found.candidate.url, 200),
        source=before.id,
        owner=show_owner(before),
    )


def shown_source(session: Session, table: FoundTable) -> ShownSource:
    """Return a found source as data."""
    found, now, zone = table.found, session.clock.now(), session.zone_of_portal
    begins = now.astimezone(zone).date() - timedelta(days=RECENT_DAYS - 1)
    days = {day for at in found.dates if at <= now and (day := at.astimezone(zone).date()) >= begins}
    return ShownSource(
        id=table.id,
        kind=found.candidate.kind,
        url=found.candidate.url,
        found_by=found.candidate.found_by,
        items=len(found.items),
        dated=len(found.dates),
        newest_at=found.newest,
        oldest_at=found.oldest,
        newest_first=found.is_newest_first,
        recent_days=len(days),
        remarks=tuple(map(str, found.remarks)),
    )


def shown_others(site: FoundSite) -> tuple[ShownCandidate, ...]:
    """Return what was found at a site and is not taken."""
    return tuple(
        ShownCandidate(
            one.candidate.kind, one.candidate.url, len(one.items), str(one.problem) if one.problem is not None else ""
        )
        for one in site.others
    )


_KIND_WORDS = {
    "feed": msg("feed (RSS, Atom)"),
    "json-feed": msg("JSON"),
    "list-page": msg("page with a list"),
    "sitemap": msg("site map"),
}


def source_kind_word(kind: str) -> Message:
    """Return the words for a kind of source that a site has; any other by its name in the configuration."""
    return _KIND_WORDS.get(kind) or verbatim(kind)


def site_view(session: Session, site: FoundSite, tables: Sequence[FoundTable]) -> Sequence[Block]:
    """Return what was found at one site: its sources, what each shows, and what is to be known of it."""
    headers = (
        msg("Source"), msg("Kind"), msg("Address"), msg("Found by"), msg("Items"), msg("With a date"), msg("Newest"), msg("Reaches back to"), msg("Newest first"), msg("Days of the last 7"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    blocks: list[Block] = []
    zone = session.zone_of_portal
    for table in tables:
        one = shown_source(session, table)
        order = msg("yes") if one.newest_first else msg("no")
        rows.append(
            (one.id, source_kind_word(one.kind), bounded(one.url, 200), one.found_by, one.items, one.dated, day_or_moment(one.newest_at, zone), day_or_moment(one.oldest_at, zone), order, one.recent_days)
        )  # fmt: skip
        blocks += _items_view(table, zone)
    remarks = [
        msg("{source}: {what}", source=table.id, what=remark) for table in tables for remark in table.found.remarks
    ]
    blocks += [Bullets(remarks)] if remarks else []
    return (TableBlock(msg("Sources of {url}", url=show_text(site.url, 200)), headers, rows), *blocks)


def _items_view(table: FoundTable, zone: ZoneInfo) -> Sequence[Block]:
    items = newest_first(table.found.items)[:SHOWN_ITEMS]
    if table.found.candidate.kind == "sitemap":
        return (
            Paragraph(msg("{source} is asked what a feed may have missed, and counts for nothing.", source=table.id)),
        )
    rows = [
        (
            bounded(item.title, 100),
            day_or_moment(item.published_at, zone),
            bounded(item.raw_date, 40) or None,
            bounded(item.url, 120),
        )
        for item in items
    ]
    headers = (msg("Title"), msg("Date as it is read"), msg("Date as it stands"), msg("Address"))
    return (TableBlock(msg("Newest items of {source}", source=table.id), headers, rows),)
