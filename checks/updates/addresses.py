"""Which addresses lead to one page. Pure."""

from __future__ import annotations


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
