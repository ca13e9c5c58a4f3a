"""What a site's map or list page says of a gap in a feed. Pure.

A feed shows its newest items. Where an answer has nothing in common with the one before, items may have passed through unseen.
Another listing of the same channel and unit closes the gap if it reaches back behind it and shows no address that no look has
shown: then nothing was missed. Days are compared, not moments, because many maps name days alone; so the doubt is always for
the unit, and what can't be told leaves the gap open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from checks.updates.addresses import page_key
from checks.updates.recognition import Hidden, canonical_url, oldest_end
from checks.updates.unlisted import address_of, listed_key, page_address, unlisted_key
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.model.updates import ListedItem, Listing, UpdateSourceTraits


def is_check_of(check: UpdateSourceTraits, traits: UpdateSourceTraits) -> bool:
    """Say whether a source is declared as the cross-check of another one."""
    return check.cross_check and not traits.cross_check and (check.channel, check.unit) == (traits.channel, traits.unit)


def keys_of(listing: Listing) -> tuple[str, ...]:
    """Return the keys of all addresses of a listing, as the store holds them."""
    return tuple(key for item in listing.items if (key := _key_of(item)))


MOST_NAMED = 100
"""New addresses of one reading that are kept one by one; of more, or of half a map, only the number is."""
MOST_REMEMBERED = 20_000
"""Addresses of one map. Where it has new ones at each reading, such as session ids, more are not remembered."""
_IMAGES = frozenset({".avif", ".bmp", ".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp"})
_TERMS = frozenset({"author", "category", "tag"})


def new_addresses(
    check: UpdateSourceTraits,
    listing: Listing,
    *,
    remembered: Collection[str],
    known: Collection[str],
    is_first: bool,
    at: datetime,
) -> tuple[Hidden, ...]:
    """Return what a reading of a cross-check adds to its memory: addresses that it had never listed may be items nobody else shows.

    Args:
        check: the source that was read.
        listing: what it shows.
        remembered: the keys that its earlier readings left.
        known: those of `keys_of(listing)` that a look at the channel and unit has shown.
        is_first: it was never read before, so that nothing proves an address to be new.
        at: when it was read.
    """
    before = {address for key in remembered if (address := address_of(key))}
    pages = {
        key.removeprefix("u:"): key for item in listing.items if not _is_no_item(item.url) and (key := _key_of(item))
    }
    added = [page for page in pages if page_address(page) not in before]
    strange = [] if is_first else [page for page in added if pages[page] not in known]
    is_too_much = len(strange) > MOST_NAMED or (len(strange) > _FEW and 2 * len(strange) > len(pages))
    named = frozenset() if is_too_much else frozenset(strange)
    room = max(0, MOST_REMEMBERED - len(before))
    keys = [unlisted_key(check.channel, page) for page in strange if page in named]
    if is_too_much:
        keys.append(unlisted_key(check.channel, strange[0], count=len(strange), mark=at.strftime("%Y%m%dT%H%M%S")))
    keys += [listed_key(page) for page in added if page not in named][:room]
    return tuple(Hidden(key, check.unit, None, is_open=False) for key in keys)


_FEW = 20
"""New addresses that are no sign of a map which changes by itself, however small it is."""


def _is_no_item(url: str) -> bool:
    """Say whether an address is surely none of an item: a home page, a picture, a further page of a list, or a list by a term."""
    parts = [part for part in urlsplit(url).path.lower().split("/") if part]
    if urlsplit(url).query:
        return False
    if not parts or PurePosixPath(parts[-1]).suffix in _IMAGES:
        return True
    is_page = len(parts) > 1 and parts[-2] == "page" and parts[-1].isdecimal()
    return is_page or (len(parts) == 2 and parts[0] in _TERMS)


def judge_gap(
    check: UpdateSourceTraits,
    listing: Listing,
    *,
    since: datetime,
    known: Collection[str],
    zone: ZoneInfo,
) -> tuple[bool, Message]:
    """Say whether nothing was missed, and why.

    Args:
        check: the source that is asked.
        listing: what it shows.
        since: the look behind which the gap begins.
        known: those of `keys_of(listing)` that a look at the channel and unit has shown.
        zone: whose days are compared.
    """
    first_day = since.astimezone(zone).date()

    def is_later(item: ListedItem) -> bool:
        changed = _changed_at(item)
        return changed is None or changed.astimezone(zone).date() >= first_day

    if listing.doubt is not None:
        return False, msg("{source} cannot show it: {why}", source=check.id, why=listing.doubt)
    if listing.rejected:
        return False, msg("{source} cannot show it: {why}", source=check.id, why=listing.rejected[0].what)
    oldest = oldest_end(map(_changed_at, listing.items))
    if not check.complete and (oldest is None or oldest.astimezone(zone).date() >= first_day):
        return False, msg("{source} does not reach back to {day}", source=check.id, day=first_day)
    missed = [item for item in listing.items if is_later(item) and _is_unknown(item, known.__contains__)]
    if missed:
        return False, nmsg(
            "{source} shows {n} address that no poll has shown: {example}",
            "{source} shows {n} addresses that no poll has shown, such as {example}",
            len(missed),
            source=check.id,
            example=show_text(missed[0].url or missed[0].title, 200),
        )
    return True, msg("{source} shows nothing since {day} that the polls missed", source=check.id, day=first_day)


def _changed_at(item: ListedItem) -> datetime | None:
    return item.modified_at or item.published_at


def _is_unknown(item: ListedItem, is_known: Callable[[str], bool]) -> bool:
    key = _key_of(item)
    if not key:  # a home page is no item; anything else without an address can't be looked up
        return not item.url
    return not is_known(key)


def _key_of(item: ListedItem) -> str:
    """Return the key of an item's address; empty where it has none."""
    page = page_key(canonical_url(item.url))
    return f"u:{page}" if page else ""
