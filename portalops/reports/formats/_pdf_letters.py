"""Letters that a PDF cannot hold, because no font of the machine shows them or the file could not tell them: written by their code points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpelledLetters:
    """Which letters are written by their code points."""

    letters: frozenset[str] = frozenset()
    is_simple: bool = False
    """All letters of scripts that shape them are: PDF/A asks that each shape tells its letter."""

    def with_more(self, letters: str, *, is_simple: bool) -> SpelledLetters:
        """Return these and more."""
        return SpelledLetters(self.letters | frozenset(letters), self.is_simple or is_simple)

    def text(self, text: str) -> str:
        r"""Return a text without them.

        >>> print(SpelledLetters(frozenset("漢")).text("chữ 漢"))
        chữ \u6f22
        """
        if text.isascii() or self == _NOTHING:
            return text
        return "".join(_code_point(letter) if self._is_spelled(letter) else letter for letter in text)

    def _is_spelled(self, letter: str) -> bool:
        return letter in self.letters or (self.is_simple and any(low <= letter <= high for low, high in _SHAPED))


_NOTHING = SpelledLetters()
_SHAPED = (
    ("\u0300", "\u036f"),
    ("\u0530", "\u1dff"),
    ("\u20d0", "\u20ff"),
    ("\ua800", "\uabff"),
    ("\ufb00", "\ufdff"),
    ("\ufe00", "\ufe2f"),
    ("\ufe70", "\ufeff"),
    ("\U00010800", "\U0001efff"),
)
"""Signs that join letters, and the scripts from Armenian to Mongolian, with Hebrew, Arabic, those of India, Thai, Lao and Khmer.
Latin, Cyrillic and Chinese lie outside (Unicode, Blocks.txt)."""


def _code_point(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
