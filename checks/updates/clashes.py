"""What no item could be attributed by: two units of one name on one day, and one address as the source of two owners. Pure.

A list may name a unit twice with another code, or write "Xã Hòa Trí" and "Xã Hoà Trí". A site of a unit may lead to the portal. Either way
one owner would be judged by what another published, so neither is taken as it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from typing import TYPE_CHECKING

from checks.updates.addresses import page_key
from checks.updates.recognition import canonical_url
from checks.updates.unit_names import normal_name
from portalops.config.values import RefusedValue, resolved
from portalops.errors import ConfigurationError
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel

if TYPE_CHECKING:
    from portalops.config import KindTable, Settings

_COUNTLESS = frozenset({"sitemap"})
"""Kinds whose items count for nothing: they are only asked what another source may have missed."""


def name_clashes(settings: Settings) -> Iterator[ConfigurationError]:
    """Yield the pairs of units that exist on one day under one Vietnamese name, however it is spelt.

    English names may be the same: "Xã Diên An" and "Xã Điền An" are both "Dien An commune".
    """
    alike: dict[str, list[tuple[int, Agency]]] = defaultdict(list)
    for index, unit in enumerate(settings.units):
        if form := normal_name(unit.name.vi, settings.portal.name.vi):
            alike[form].append((index, unit))
    for some in alike.values():
        for (first, earlier), (second, later) in combinations(some, 2):
            if exist_at_once(earlier, later):
                yield ConfigurationError(
                    msg(
                        "{place}: the unit {unit} has the name of unit {other} at {first}: {name}",
                        place=settings.layers.place(("unit", second, "name")),
                        unit=later.id,
                        other=earlier.id,
                        first=settings.layers.place(("unit", first, "name")),
                        name=show_text(later.name.vi, 200),
                    ),
                    msg("Remove one of the two, name it in full, or end the earlier unit by valid_to."),
                )


def exist_at_once(one: Agency, other: Agency) -> bool:
    """Say whether there is a day on which both units exist."""
    begins = max(one.valid_from or date.min, other.valid_from or date.min)
    return begins <= min(one.valid_to or date.max, other.valid_to or date.max)


def source_clashes(settings: Settings) -> Iterator[ConfigurationError]:
    """Yield the sources whose address is another owner's source too: the portal's, or that of another unit."""
    found: dict[tuple[str, str], list[KindTable]] = defaultdict(list)
    for table in settings.update_sources:
        address = address_of(table)
        if address and table.kind not in _COUNTLESS and owner_of(table) is not None:
            found[address, str(table.values.get("item", ""))].append(table)
    for tables in found.values():
        first = tables[0]
        for table in tables[1:]:
            if owner_of(table) != owner_of(first):
                yield ConfigurationError(
                    msg(
                        "{place}: the updates source {id} of {owner} polls what {other} of {holder} polls, at {first}",
                        place=table.place,
                        id=table.id,
                        owner=show_owner(table),
                        other=first.id,
                        holder=show_owner(first),
                        first=first.place,
                    ),
                    msg("Remove the one whose site it is not, or correct its address: its items count for one alone."),
                )


def owner_of(table: KindTable) -> str | None:
    """Return whose items a source shows: the unit's id, empty for the portal; None where each item names its agency."""
    if table.values.get("channel") == ItemChannel.PORTAL:
        return ""
    unit = table.values.get("unit")
    return unit if isinstance(unit, str) and unit else None


def show_owner(table: KindTable) -> Message:
    """Return a source's owner in words."""
    owner = owner_of(table)
    if owner is None:
        return msg("several units")
    return msg("unit {unit}", unit=owner) if owner else msg("the portal")


def address_of(table: KindTable) -> str:
    """Return what a source polls, a page or a file, in one form; empty for a database or a mailbox."""
    url, file = table.values.get("url"), table.values.get("file")
    if isinstance(url, str) and url:
        return same_address(url)
    if not isinstance(file, str) or not file:
        return ""
    try:
        return str(resolved(file, table.folder))
    except RefusedValue:
        return ""


def same_address(url: str) -> str:
    """Return an address without what does not change where it leads (`checks.updates.addresses.page_key`); of a home page too.

    >>> same_address("http://www.soyte.example/feed/?utm_source=x"), same_address("https://SoYTe.example/feed")
    ('soyte.example/feed', 'soyte.example/feed')
    """
    return page_key(canonical_url(url) or url.strip().lower())
