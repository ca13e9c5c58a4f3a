"""By what an item that gives no whole text is known for other news: by its title, and by how its summary begins. Pure.

A site that shows the portal's news as summaries has no text in common with the portal, which gives it whole. A site that shows its
own item again, under a longer title, has the summary in common.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from checks.updates.text import HASH_BODY_LETTERS, count_letters, read_text
from portalops.model.updates import ItemChannel

TELLING_WORDS = 5
"""A title of fewer words, such as Lịch công tác tuần 47, is that of many items; numbers are no words."""
BEGINNING_WORDS = 25
"""By so many words the beginning of a text is known; systems cut summaries at thirty words or later."""
SUMMARY_WORDS = 10
"""A shorter summary, such as Mời xem chi tiết, is that of many items."""


def news_keys(title: str, body: str | None) -> tuple[int, ...]:
    """Return the keys under which an item of the portal is found by its title and by its first words; of 63 bits each."""
    heading, words = _words(title), _words(body or "")
    keys = [_key("title", heading)] if is_telling(heading) else []
    keys += [_key("beginning", words[:BEGINNING_WORDS])] if len(words) >= BEGINNING_WORDS else []
    return tuple(keys)


def summary_keys(channel: ItemChannel, body: str | None) -> tuple[int, ...]:
    """Return the key under which an item of a sub-portal is found by its whole summary; none where its text is known by itself."""
    words = _words(body or "")
    is_short = channel is ItemChannel.SUBPORTAL and len(words) >= SUMMARY_WORDS
    return (_key("summary", words),) if is_short and count_letters(body or "") < HASH_BODY_LETTERS else ()


def is_longer_title(one: str, other: str) -> bool:
    """Say whether one of two titles is the other one with words in front or behind.

    >>> is_longer_title("Phóng sự ảnh: Lễ phát động Tết trồng cây", "Lễ phát động Tết trồng cây")
    True
    >>> is_longer_title("Lịch công tác tuần 46 của Sở Y tế", "Lịch công tác tuần 47 của Sở Y tế")
    False
    """
    shorter, longer = sorted((_words(one), _words(other)), key=len)
    return is_telling(shorter) and f" {' '.join(shorter)} " in f" {' '.join(longer)} "


def is_telling(words: Sequence[str]) -> bool:
    """Say whether a title's words are that of one item."""
    return sum(not word.isdigit() for word in words) >= TELLING_WORDS


def _words(text: str) -> tuple[str, ...]:
    return read_text(text).words


def _key(kind: str, words: Sequence[str]) -> int:
    digest = hashlib.blake2b(f"{kind} {' '.join(words)}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
