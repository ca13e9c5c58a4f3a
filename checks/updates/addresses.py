"""Which addresses lead to one page. Pure."""

from __future__ import annotations

from urllib.parse import quote


def page_key(url: str) -> str:
    """Return what is the same for addresses of one page: without scheme, `www.` and a slash at the end, its query in order.

    Args:
        url: in the canonical form of `checks.updates.recognition.canonical_url`, which has no default port, fragment or `utm_*`;
            empty stays empty.

    >>> page_key("http://www.soyte.example/tin/?id=7&cat=2"), page_key("https://soyte.example/tin?cat=2&id=7")
    ('soyte.example/tin?cat=2&id=7', 'soyte.example/tin?cat=2&id=7')
    """
    _scheme, separator, rest = url.partition("://")
    path, mark, query = (rest if separator else url).removeprefix("www.").partition("?")
    return f"{path.rstrip('/')}{mark}{'&'.join(sorted(query.split('&')))}"


_ELSEWHERE = "elsewhere:"
_MOST_SIGNS = 300
"""Of an address by which a row is known again."""


def elsewhere_key(address: str) -> str:
    """Return by what a row is known again that leads to another host than its source's: its address, so that it can be named."""
    return f"{_ELSEWHERE}{quote(address[:_MOST_SIGNS], safe='/:?=&%#')}"


def address_elsewhere(key: str) -> str:
    """Return where such a row leads, by its key; empty for any other refused part of an answer."""
    own = key.partition(" ")[0]
    return own.removeprefix(_ELSEWHERE) if own.startswith(_ELSEWHERE) else ""
