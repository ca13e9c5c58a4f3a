"""By what the store knows the addresses of a cross-check again, those that were there and those that came up. Pure."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from portalops.model.updates import ItemChannel

LISTED = "listed:"
"""What no one holds against anybody: a map had it when it was read first, or another source had shown it."""
_UNLISTED = "unlisted:"
_MOST_SIGNS = 1000


class Unlisted(NamedTuple):
    """Addresses that came up between two readings of a map, and that no source had shown."""

    channel: ItemChannel
    number: int
    page: str
    """As `checks.updates.addresses.page_key`; the first where there are several, which are not told apart."""


def page_address(page: str) -> str:
    """Return a page's key as it is kept: a long one is cut, and told apart by its digest."""
    digest = hashlib.sha256(page.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return page if len(page) <= _MOST_SIGNS else f"{page[: _MOST_SIGNS - 17]}~{digest}"


def listed_key(page: str) -> str:
    """Return by what an address is remembered that is no news."""
    return f"{LISTED}{page_address(page)}"


def unlisted_key(channel: ItemChannel, page: str, *, count: int = 1, mark: str = "") -> str:
    """Return by what an address is remembered that came up; with a mark, by what many are that came up together."""
    return f"{_UNLISTED}{channel}:{count}:{mark}:{page_address(page)}"


def is_of_map(key: str) -> bool:
    """Say whether a part of an answer is an address of a map, which is remembered for ever."""
    return key.startswith((LISTED, _UNLISTED))


def address_of(key: str) -> str:
    """Return the one address that a key remembers; empty for any other one."""
    if key.startswith(LISTED):
        return key.removeprefix(LISTED)
    if not key.startswith(_UNLISTED):
        return ""
    _channel, _count, mark, address = key.removeprefix(_UNLISTED).split(":", 3)
    return "" if mark else address


def read_unlisted(key: str) -> Unlisted | None:
    """Return what a key says of addresses that came up; None for any other one."""
    if not key.startswith(_UNLISTED):
        return None
    channel, count, _mark, address = key.removeprefix(_UNLISTED).split(":", 3)
    return Unlisted(ItemChannel(channel), int(count), address)
