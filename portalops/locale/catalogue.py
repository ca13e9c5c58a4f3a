"""The compiled catalogue of sentences, each looked up when it is shown.

`gettext` reads the whole of it, a megabyte, into a dictionary before the first sentence: a twentieth of `portalops status`. Here
the sorted table of the file itself is searched by halving.

Format: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html, as `portalops.locale.build` writes it: little-endian.
"""

from __future__ import annotations

import struct

_MAGIC = 0x950412DE
_HEADER = struct.Struct("<5I")


class Catalogue:
    """Sentences and their translations; a plural sentence has one, since Vietnamese does not tell one from many."""

    def __init__(self, data: bytes) -> None:
        """Take the bytes of the file.

        Raises:
            ValueError: it is no such file.
        """
        if len(data) < _HEADER.size:
            raise ValueError("not a compiled catalogue")
        magic, _revision, self._count, self._originals, self._translations = _HEADER.unpack_from(data)
        if magic != _MAGIC or max(self._originals, self._translations) + 8 * self._count > len(data):
            raise ValueError("not a compiled catalogue")
        self._data = data

    def find(self, text: str) -> str | None:
        """Return the translation of a sentence, given its English, the singular if it has two; None if there is none."""
        wanted = text.encode("utf-8", "surrogatepass")  # no sentence holds a lone surrogate, but hostile text may
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            found = self._text_at(self._originals, middle).partition(b"\0")[0]  # the plural stands behind it
            if found == wanted:
                return self._text_at(self._translations, middle).decode()
            if found < wanted:
                low = middle + 1
            else:
                high = middle
        return None

    def _text_at(self, table: int, index: int) -> bytes:
        length, start = struct.unpack_from("<2I", self._data, table + 8 * index)
        return self._data[start : start + length]


NOTHING = Catalogue(_HEADER.pack(_MAGIC, 0, 0, 0, 0))
"""A catalogue without any sentence."""
