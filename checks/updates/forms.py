"""Texts that differ by a name alone, as a notice for one person and the same for another one: news, and no copy for certain. Pure.

A long form with another name in it is as much alike as a text of which one word was changed. It is told apart where the titles
differ too, and the texts are the same but for names, or but for words of their own titles.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from checks.updates.text import read_text
from portalops.model.updates import ItemChannel

LEAST_WORDS = 60
"""A form has so many words beside the names in it."""
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?…:;]")


def form_keys(channel: ItemChannel, title: str, body: str) -> tuple[int, ...]:
    """Return the keys that texts of a channel have in common where they differ by names, or by words of their titles, alone; of 63 bits each."""
    titled = frozenset(read_text(title).words)
    kept = read_text(" ".join(_without_names(body))).words
    others = tuple(word for word in read_text(body).words if word not in titled)
    return tuple(
        _key(f"{channel} {kind}", words)
        for kind, words in (("names", kept), ("titled", others))
        if len(words) >= LEAST_WORDS
    )


def _without_names(body: str) -> Iterator[str]:
    """Yield a text's words but those that begin with a capital; that which begins a sentence is a name where the next one is."""
    found = [*_WORD.finditer(body)]
    for place, one in enumerate(found):
        word = one[0]
        before = body[found[place - 1].end() : one.start()] if place else "."
        follows = found[place + 1][0] if place + 1 < len(found) else ""
        begins = _SENTENCE_END.search(before) is not None
        if not word[0].isupper() or (begins and not follows[:1].isupper()):
            yield word


def _key(kind: str, words: Sequence[str]) -> int:
    digest = hashlib.blake2b(f"form {kind} {' '.join(words)}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
