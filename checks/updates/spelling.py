"""Vietnamese words that are spelled so that no reader of Unicode knows them: by an old encoding, by a way of typing, cut or run together.

Such a text shares no word with the same text in plain Unicode, so nothing of it can be compared. No converter is needed to see that:
an old encoding puts signs and other letters where Vietnamese ones belong. A text has few such words by itself: foreign names, units of
measure, words of Ê Đê, Chăm and Raglai. So they must be many, and many different ones.

Sources: the code tables of TCVN 5712:1993 (TCVN3), VNI, VPS and VISCII; RFC 1456 (VIQR); the rules of typing by Telex and VNI.

>>> has_strange_words("UÛy ban nhaân daân xaõ toå chöùc hoäi nghò toång keát phong traøo")
True
>>> has_strange_words("Đoàn của Zürich và São Paulo thăm Ủy ban nhân dân xã, dự hội nghị tổng kết phong trào")
False
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

LEAST = 5
"""Different words; fewer are names."""
PERCENT = 4
"""Of the different words. A text must have a fifth of its words changed before it is another one (`checks.updates.near_copies`)."""

FOREIGN_PERCENT = 10
"""Likewise, with the words that have letters of other languages: visitors from abroad are named in a text more often."""

_WORD_SIGNS = 16
"""A longer one is an address or a digest, and no word."""
_LETTER = r"[^\W\d_]"
# Two vowels that stand together in no word of Unicode: the second is the mark of the first one in VNI.
_VNI = (
    "[aA][âÂêÊùÙøØûÛõÕïÏáÁåÅäÄëËüÜúÚ]|[aA][éÉèÈ](?!r)|[eE][âÂùÙøØûÛõÕïÏåÅäÄãÃ]|[oO][âÂøØûÛõÕïÏåÅäÄ]"
    "|[uUöÖôÔyY][øØûÛõÕïÏ]|[öÖôÔ][ùÙ]"
)
# Signs within a word, or where a word begins or ends: TCVN3, VPS, VISCII.
_SIGN = f"(?<={_LETTER})[¡-©«-´¶-¹»-¿×÷](?={_LETTER})|(?<={_LETTER})µ|(?<={_LETTER})[·¸¬](?!\\w)|[®§©](?={_LETTER})"
# A capital within a word of small letters: the old fonts have a small letter in its place.
_CAPITAL = "(?<=[a-zà-ÿ])[À-ÖØ-Þ](?=[a-zà-ÿ])"
# Marks behind their letters: VIQR, and what is typed by Telex or VNI and never becomes a letter.
_TYPED = (
    r"[aeoAEO]\^|[aA]\((?=\w|['`?~.])|[ouOU][+*](?=\w|['`?~.])|(?<!\w)[A-Za-z]{1,4}[aeiouy][1-9]{1,2}[a-z]{0,3}(?!\w)"
    r"|aa|\b[dD]d(?=[a-z])|uw|(?<=[a-z])(?:[aeiouy]|ng|nh)[jf]\b"
)
# Letters that a column or a font does not know, within a word or where one begins; behind a word the sign is a question's.
_LOST = '\ufffd|(?<=[a-zà-ỹ])\\?(?=[a-zà-ỹ])|(?<=[A-ZÀ-ÝĐ])\\?(?=[A-ZÀ-ÝĐ])|(?<![^\\s("“])\\?(?=[a-zà-ỹ])'
_STRANGE = re.compile(f"{_VNI}|{_SIGN}|{_CAPITAL}|{_TYPED}|{_LOST}")
# Letters of other languages, which a text in French or Icelandic has by itself: they tell something only beside Vietnamese ones.
_FOREIGN = re.compile("[äåæçëîïðöøûüþÿßÄÅÆÇËÎÏÐÖØÛÜÞŸ]")
_VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăđơưĂĐƠƯ]")
# A beginning without its vowel before a vowel, or a vowel before an end without its own: a word with a blank inside.
_VOWELS = "aeiouyà-ãè-êìíò-õùúýăĩũơưạ-ỹ"
_LONE_BEGINNING = "(?<![\\w'’])(?:ngh?|nh|[cgkpt]h|tr|[bcdđghlmnrstvx])"
_LONE_END = r"(?:ng|nh|ch|[nmptc])(?![\w.,/])"
_CUT = re.compile(
    f"{_LONE_BEGINNING}[ \u00a0\u2000-\u200a]+(?=[{_VOWELS}])|(?<=[{_VOWELS}])[ \u00a0\u2000-\u200a]+{_LONE_END}"
)
_ENDS_CUT, _BEGINS_CUT = re.compile(rf"{_LONE_BEGINNING}\Z"), re.compile(_LONE_END)
# Letters left as a page, a script or a mail writes them for machines: %u1ED9, \u1ed9, =E1=BB=99, %E1%BB%99, &#7897;
_ESCAPED = re.compile(
    r"(?<!\S)[^\s/@]*?(?:%u[0-9a-f]{4}|\\u[0-9a-f]{4}|(?:=[0-9a-f]{2}){2}|(?:%[0-9a-f]{2}){2}|&#x?[0-9a-f]{2,6};)[^\s/@]*(?!\S)",
    re.IGNORECASE,
)
_ESCAPES = ("%", "\\u", "=", "&#")
# Syllables without a blank between them, as a PDF or a column loses it: xãtổ, bannhân. A syllable has at most seven letters.
_JOINED = re.compile(r"(?<![^\W\d_])[^\W\d_]{4,}(?![^\W\d_])")
_BEGINNING = "(?:ngh?|nh|[cgkpt]h|tr|gi|qu|[bcdghklmnprstvx])"
_RIME = (
    "(?:uye|uya|uyu|oai|oay|oeo|uay|uoi|uou|ieu|yeu|uo|ue|ua|uy|ui|uu|oa|oe|oi|oo|ai|ao|au|ay|eo|eu|ia|ie|iu|ye|a|e|i|o|u|y)"
    "(?:ch|nh|ng|c|m|n|p|t)?"
)
_ONE_SYLLABLE = re.compile(f"{_BEGINNING}?{_RIME}")
_SYLLABLES = re.compile(f"{_BEGINNING}?{_RIME}(?:{_BEGINNING}{_RIME})+")
CUT_PERCENT = 5
"""Of all words: there are few beginnings and ends, so that the same ones come again."""


def has_strange_words(text: str) -> bool:
    """Say whether so many words of a text are spelled as in no language that it cannot be compared with the same text in Unicode.

    Args:
        text: composed (NFC).
    """
    times = Counter(text.split())
    words = [part for part in times if len(part) <= _WORD_SIGNS and "/" not in part and "@" not in part]
    others = times.keys() - words
    different, count = [*map(_judge_word, words)], len(words)
    enough = max(LEAST, PERCENT * count // 100)
    strange = sum(word.is_strange for word in different)
    if strange >= enough or _count_escaped(text) >= enough:
        return True
    if 100 * sum(word.is_vietnamese for word in different) < PERCENT * count:
        return False
    strange = sum(word.is_strange or word.is_foreign for word in different)
    if strange >= LEAST + 1 and 100 * strange >= FOREIGN_PERCENT * count:
        return True
    joined = {one for word in different for one in word.joined}.union(*map(_joined_in, others))
    if len(joined) >= enough:
        return True
    many = max(LEAST, CUT_PERCENT * sum(times[word] for word in words) // 100)
    ends = sum(times[word] * judged.cut_ends for word, judged in zip(words, different, strict=True) if judged.cut_ends)
    ends += sum(times[other] * _count_cut_ends(other) for other in others)
    return ends >= many and len(_CUT.findall(text)) >= many  # of most texts the words tell that there are fewer


class _Spelled(NamedTuple):
    """What a word's letters say."""

    is_strange: bool
    is_vietnamese: bool
    is_foreign: bool
    joined: tuple[str, ...]
    """What of it is several syllables."""
    cut_ends: int
    """At how many of its ends a blank may be inside a word."""


@lru_cache(maxsize=1 << 14)  # most words come again in each text
def _judge_word(word: str) -> _Spelled:
    is_strange, is_vietnamese, is_foreign = (
        sought.search(word) is not None for sought in (_STRANGE, _VIETNAMESE, _FOREIGN)
    )
    return _Spelled(is_strange, is_vietnamese, is_foreign, _joined_in(word), _count_cut_ends(word))


def _joined_in(part: str) -> tuple[str, ...]:
    return tuple(filter(_is_joined, _JOINED.findall(part)))


def _count_cut_ends(part: str) -> int:
    """Return at how many ends of what stands between blanks `_CUT` may find one."""
    return (_ENDS_CUT.search(part) is not None) + (_BEGINS_CUT.match(part) is not None)


def _count_escaped(text: str) -> int:
    """Return how many different words of a text have letters as machines write them."""
    return len({*_ESCAPED.findall(text)}) if any(sign in text for sign in _ESCAPES) else 0


@lru_cache(maxsize=1 << 14)
def _is_joined(word: str) -> bool:
    """Say whether a word is several Vietnamese syllables with a mark among them; those of other languages have none."""
    if _VIETNAMESE.search(word) is None:
        return False
    plain = unicodedata.normalize("NFD", word.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    return _ONE_SYLLABLE.fullmatch(plain) is None and _SYLLABLES.fullmatch(plain) is not None
