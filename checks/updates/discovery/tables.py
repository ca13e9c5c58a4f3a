"""Found sites as tables of the configuration: `[[updates.source]]` in TOML, with ids of their own. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from checks.updates.discovery.candidates import Assessed
from checks.updates.discovery.sites import FoundSite
from portalops.model.organisation import UnitId
from portalops.model.updates import ItemChannel

_ENDS = {"json-feed": "json", "feed": "rss", "list-page": "list", "sitemap": "map"}
_KEYS_LENGTH = 40
"""Of the part of an id that names the site; an id has at most 63 characters."""


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A source as it is to stand in the configuration."""

    id: str
    found: Assessed
    values: Mapping[str, object]
    """Its keys, `id` among them."""

    @property
    def text(self) -> str:
        """Return it as TOML."""
        return toml_table("updates.source", self.values)


def source_tables(
    site: FoundSite, *, channel: ItemChannel, unit: UnitId | None, inside: bool, taken: Iterable[str]
) -> tuple[FoundTable, ...]:
    """Return a site's sources as tables.

    Args:
        site: what was found.
        channel: what its items count for.
        unit: whose site it is; None if it is not known, or the portal's.
        inside: it lies in the own network.
        taken: ids that other sources have.
    """
    known = set(taken)
    tables = []
    for one in (*site.chosen, *([site.site_map] if site.site_map else [])):
        values: dict[str, object] = {
            "id": _free(f"{_name(site.url)}-{_ENDS[one.candidate.kind]}", known),
            "kind": one.candidate.kind,
            "channel": channel.value,
            **({"unit": unit} if unit else {}),
            **one.candidate.settings,
            **({"inside": True} if inside else {}),
        }
        known.add(str(values["id"]))
        tables.append(FoundTable(str(values["id"]), one, values))
    return tuple(tables)


def toml_table(name: str, values: Mapping[str, object]) -> str:
    """Return a table of an array of tables, with a blank line before it.

    Values are texts, truth values, numbers, lists of them, mappings for inline tables, or text that stands as it is (`Raw`).
    """
    lines = (f"{key} = {_written(value)}" for key, value in values.items())
    return "\n".join(("", f"[[{name}]]", *lines, ""))


class Raw(str):
    """A value that is TOML already, such as a day."""

    __slots__ = ()


def _written(value: object) -> str:
    # JSON's texts are TOML's basic strings, but for DEL, which TOML wants escaped (TOML 1.0, "String").
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_written(each)}' for key, each in value.items())} }}"
    return str(value) if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _name(url: str) -> str:
    """Return what a site's sources are called after: the first label of its host, and the folder that it lies in.

    >>> _name("https://www.khanhhoa.example/soyte/"), _name("https://soyte.khanhhoa.example")
    ('khanhhoa-soyte', 'soyte')
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    first = host if re.fullmatch(r"[\d.]+", host) else host.partition(".")[0]
    folder = parts.path.strip("/").partition("/")[0]
    text = first if not folder or "." in folder else f"{first}-{folder}"
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_KEYS_LENGTH].strip("-") or "site"


def _free(name: str, taken: set[str]) -> str:
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, 10_000))) if each not in taken)
