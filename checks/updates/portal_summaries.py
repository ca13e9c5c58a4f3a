"""By what a unit's whole text is known for news that the portal shows as a summary, or by its title alone. Pure.

Most portals' feeds give a lead of twenty or thirty words. What a unit's site copies from such a portal has no whole text in common
with it, but the title, the first words, or a stretch of words. None of these proves a copy, so that they only open what they bear on.

A lead may stand anywhere in a text. Of all runs of twenty words those are compared that have the least hash of some neighbouring ones
(winnowing, Schleimer, Wilkerson and Aiken 2003): two texts that have twenty-five words in a row in common have one of these in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zlib import crc32

from checks.updates.summaries import NewsKeys, beginning_keys, shown_keys, sought_keys, without_cut_word
from checks.updates.text import read_text

RUN_WORDS = 20
"""So many words in a row tell whose text it is; a shorter summary is known by its title alone."""
_NEIGHBOURS = 6
"""Of so many neighbouring runs one is compared."""
_KIND = "summary of the portal"
_BASE, _MODULUS = 1_000_003, (1 << 61) - 1
"""Of a rolling hash (Karp and Rabin 1987), which takes as long for a run of twenty words as for one of two."""


def cut_news_keys(title: str, body: str | None) -> NewsKeys:
    """Return the keys under which news of the portal is kept that gives no whole text."""
    shown = shown_keys(title, None, kind=_KIND)
    beginnings = beginning_keys(body or "", RUN_WORDS, kind=_KIND, starts=3)
    return NewsKeys(shown.titles, (*beginnings, *_chosen_runs(without_cut_word(body or ""))))


def whole_news_keys(title: str, body: str) -> NewsKeys:
    """Return the keys by which a whole text is looked for among such news."""
    sought = sought_keys(title, None, kind=_KIND)
    return NewsKeys(sought.titles, (*beginning_keys(body, RUN_WORDS, kind=_KIND), *_chosen_runs(body)))


def _chosen_runs(body: str) -> Sequence[int]:
    """Return the hashes of the runs of words that are compared, of 61 bits, each once."""
    runs = [*_runs(read_text(body).words)]
    stretches = (runs[at : at + _NEIGHBOURS] for at in range(max(1, len(runs) - _NEIGHBOURS + 1)))
    return sorted({min(stretch) for stretch in stretches if stretch})


def _runs(words: Sequence[str]) -> Iterator[int]:
    known = [crc32(word.encode("utf-8", "surrogatepass")) for word in words]
    leaving = pow(_BASE, RUN_WORDS, _MODULUS)
    value = 0
    for at, word in enumerate(known):
        value = (value * _BASE + word) % _MODULUS
        if at >= RUN_WORDS:
            value = (value - known[at - RUN_WORDS] * leaving) % _MODULUS
        if at >= RUN_WORDS - 1:
            yield value
