"""What stands around a page's text in an answer: a block of related or newest items, which changes without anybody's doing. Pure.

A site that gives whole texts often gives with them the titles of its other items, with their days. Such a block is no text of the page: it neither
makes the page another one, nor an old text at a new address a new one. A block of titles that the answer does not have is not known for one; where
several texts gained it at once, it stands around them too (`checks.updates.rewriting`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from portalops.model.updates import ListedItem

LEAST_TITLES = 3
"""Fewer titles of other items may be named by the text itself."""
LEAST_TITLE_WORDS = 5
LEAST_WORDS_LEFT = 20
"""A text of which less is left is a list of titles itself."""
_DAY = re.compile(r"\(?\s*\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}(?:[ ,-]+\d{1,2}[:h]\d{2})?\s*\)?")


def without_lists_of_titles(items: Sequence[ListedItem]) -> list[ListedItem]:
    """Return the items of one answer, each text without the titles of at least three other items of it, and the days beside these."""
    titles = tuple(dict.fromkeys(one.title for one in items if one.title.count(" ") >= LEAST_TITLE_WORDS - 1))
    if len(titles) < LEAST_TITLES:
        return list(items)
    return [one if one.body is None else _without(titles, one, one.body) for one in items]


def _without(titles: Sequence[str], item: ListedItem, body: str) -> ListedItem:
    found = [title for title in titles if title in body and title != item.title]
    if len(found) < LEAST_TITLES:
        return item
    listed = "|".join(re.escape(title) for title in sorted(found, key=len, reverse=True))
    left = re.sub(rf"(?:{_DAY.pattern}\s*)?(?:{listed})(?:\s*{_DAY.pattern})?", " ", body)
    return replace(item, body=left) if len(left.split()) >= LEAST_WORDS_LEFT else item
