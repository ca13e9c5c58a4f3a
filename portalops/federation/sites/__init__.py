"""Where sites' bundles come from, one file a kind. A module of this folder is a kind of `[[federation.site]]`.

A kind registers as `SITE`, a `SiteKind`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from portalops.config.kinds import TableKind, kind_of
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.config.tables import KindTable
    from portalops.federation.site import Site, SiteSettings

SettingsT = TypeVar("SettingsT", bound="SiteSettings")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteKind(TableKind[SettingsT]):
    """A way that a site's bundles come."""

    build: Callable[[KindTable], Site]
    """Returns the site that a table describes, or raises `ConfigurationError`."""


SITES: Final[Door[SiteKind[Any]]] = Door("portalops.federation.sites", "SITE", SiteKind)


def build_site(table: KindTable) -> Site:
    """Return the site that a table describes.

    Raises:
        UnknownKind: there is no such kind.
        ConfigurationError: its settings do not fit the kind.
    """
    return kind_of(SITES, table).build(table)
