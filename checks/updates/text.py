"""Vietnamese text as Article 7.6 wants it: Unicode as TCVN 6909:2001, precomposed, free of legacy encodings.

Legacy text is found by letter statistics, because TCVN3 (ABC) and VNI fonts put ordinary Latin-1 signs where Vietnamese
letters should stand, and general detectors do not know them. On the text of Decision 37/2010/QĐ-UBND, 631 of 2,920
letters are Vietnamese beyond Latin-1 and no other Latin-1 sign occurs; the same text in TCVN3 has 45 and 592.

>>> check_text("Cộng hòa xã hội chủ nghĩa Việt Nam")
()
>>> check_text("Céng hßa x· héi chñ nghÜa ViÖt Nam")
('legacy-encoding',)
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape
from itertools import chain, islice, pairwise
from typing import NamedTuple

from checks.updates.spelling import has_strange_words
from portalops.model.record import Digest

LEGACY_ENCODING = "legacy-encoding"
MOJIBAKE = "mojibake"
WRONG_CODE_PAGE = "wrong-code-page"
DAMAGED = "damaged-characters"
NOT_NFC = "not-nfc"
ZERO_WIDTH = "zero-width"
NO_MARKS = "no-marks"
"""Vietnamese without its marks: Thong bao ve viec nghi le."""

MIN_SIGNS = 3
"""Fewer foreign signs prove nothing: a name such as Müller."""
SHARE_PERCENT = 5
"""Less than this of Vietnamese letters and more than this of other Latin-1 signs is a legacy encoding."""
HASH_BODY_LETTERS = 200
"""A body at least this long is hashed without its title, so that a new title does not make a new text."""
WHOLE_LETTERS = 800
"""A summary at least this long is a text: plain RSS has no other place for it, and systems cut summaries at 600 signs or before."""

FINGERPRINT_BITS = 64
ALIKE_BITS = 3
"""Texts whose fingerprints differ in so few bits say the same (updates.md section 2)."""
_SHINGLE_WORDS = 3
KEPT_GROUPS = 128
"""Hashes of groups of words that a fingerprint keeps."""
RUN_SCALE = 8
"""One of so many groups of five words is sampled: about 37 of a text of 300 words."""
RUN_WINDOW = 28
"""Among so many groups of five words one is always kept, so that sixty words have two at least."""
KEPT_RUNS = 1024
"""No more of them are kept: those of some 8,000 words."""

_VIETNAMESE = re.compile("[\u1ea0-\u1ef9ăâđêôơưĂÂĐÊÔƠƯ]")
# Latin-1 signs that are no Vietnamese letters. Some are common signs in any text; of these, §, ®, © and µ are the letters
# Đ, đ, â and à of TCVN3 where a letter follows.
_PROPER = "àáâãèéêìíòóôõùúýÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝ\u00ad«»°²³±×÷§©®µ½¼¾"
_OTHER_LATIN1 = re.compile(
    f"[{''.join(sign for sign in map(chr, range(0xA1, 0x100)) if sign not in _PROPER)}§®©µ](?:(?<![§®©µ])|(?=[^\\W\\d_]))"
)
_LETTER_OR_SIGN = re.compile("[^\\W\\d_]|[\u00a1-\u00bf×÷]")
# The cp1252 signs of the bytes 0x80 to 0xBF: what the rest of a UTF-8 sequence looks like when it is misread.
_TAIL = (
    "\u0080-\u009f\u00a1-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
)
# XÃ and ĐÃ end with a capital that is also a lead byte misread: quotes, dashes and dots behind it prove nothing.
_TAIL_OF_A = "\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u20ac\u2122"
# Each way begins with one letter, which is looked for faster than a choice of them.
_MOJIBAKE = re.compile(f"á[º»][{_TAIL}]|Ä[{_TAIL}]|Æ[{_TAIL}]|Ã[{_TAIL_OF_A}]")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_CONSONANT_WITH_TONE = re.compile(f"[b-df-hj-np-tv-xzđ][{_TONES}]", re.IGNORECASE)
# Letters of other languages that do carry such a mark: ñ, ć, ś, ź, ń, ĺ, ŕ
_FOREIGN = frozenset({"n\u0303", "c\u0301", "s\u0301", "z\u0301", "n\u0301", "l\u0301", "r\u0301"})
# Without one of these no tone stands on a consonant, which is seen without taking the text apart. U+0340 and U+0341 are tones too.
_MAY_BE_IMPOSSIBLE = re.compile(
    f"[{_TONES}\u0340\u0341"
    + "".join(
        sign
        for sign in map(chr, (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)))
        if _CONSONANT_WITH_TONE.match(unicodedata.normalize("NFD", sign))
    )
    + "]"
)
_ZERO_WIDTH = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
# What a text may hold without being read as another one: what nobody sees, and letters that look like Latin ones.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
_INVISIBLE = re.compile(f"[{_UNSEEN}]")
_STYLED = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff]")
_DISGUISE = re.compile(f"[{_UNSEEN}\u0131\u0251\u0261\u0370-\u03ff\u0400-\u052f\uff01-\uff5e\U0001d400-\U0001d7ff]")
_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u04cf\u051b\u051d\u043a\u0410\u0412"
    "\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u050c\u051a\u051c\u03b1\u03bf"
    "\u03bd\u03c1\u03b9\u03ba\u03c5\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u0131\u0251\u0261",
    "aeopcyxijsdhlqwkABEKMHOPCTYXIJSGQWaovpikuABEZHIKMNOPTYXiag",
)
"""Cyrillic and Greek letters that look like Latin ones (Unicode Technical Standard 39, confusables)."""
_DAMAGED = re.compile("[\u0080-\u009f\ufffd\ue000-\uf8ff]")
# Each part takes what is never closed up to the end, so that nothing is looked at twice.
_MARKUP = re.compile(
    r"""<!--.*?(?:-->|\Z) | <(script|style)\b.*?(?:</\1\b[^>]*>?|\Z) | <[!?/][^>]*>? | <[a-z](?:[^"'>]|"[^"]*"|'[^']*')*>?""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)


def other_readings(text: str) -> tuple[str, ...]:
    """Return a text as it is where its UTF-8 is read as Windows-1252, and as it was if that happened to it.

    Five bytes have no sign in Windows-1252: browsers read them as control characters, other programs as U+FFFD.

    >>> other_readings("Lịch")[0]
    'Lá»‹ch'
    >>> other_readings("Lá»‹ch")[-1]
    'Lịch'
    """
    raw = text.encode("utf-8", "surrogatepass")
    found = ["".join(map(_CP1252.__getitem__, raw)), raw.decode("cp1252", "replace"), raw.decode("cp1252", "ignore")]
    with suppress(KeyError, UnicodeDecodeError):  # it is no misread text, or some of it is lost
        found.append(bytes(map(_CP1252_BYTES.__getitem__, text)).decode())
    return tuple(one for one in dict.fromkeys(found) if one != text)


_CP1252 = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
_CP1252_BYTES = {sign: byte for byte, sign in enumerate(_CP1252)}


def check_text(text: str) -> tuple[str, ...]:
    """Return the codes of what is wrong with a text's encoding, worst first; nothing for proper text."""
    composed = unicodedata.normalize("NFC", text)
    found = []
    if _MOJIBAKE.search(composed):
        found.append(MOJIBAKE)
    elif _is_legacy(composed) or has_strange_words(composed):
        found.append(LEGACY_ENCODING)
    if _has_impossible_marks(text):
        found.append(WRONG_CODE_PAGE)
    if _DAMAGED.search(text):
        found.append(DAMAGED)
    if _lacks_marks(composed):
        found.append(NO_MARKS)
    if composed != text:
        found.append(NOT_NFC)
    if _ZERO_WIDTH.search(text):
        found.append(ZERO_WIDTH)
    return tuple(found)


def _lacks_marks(composed: str) -> bool:
    """Say whether a text is Vietnamese whose marks were left out; a text of a few words says too little."""
    if _VIETNAMESE.search(composed) is not None:
        return False
    words = _ASCII_WORD.findall(composed.lower())
    telling = sum(word in _UNMARKED for word in words)
    return len(words) >= UNMARKED_WORDS and 100 * telling >= UNMARKED_PERCENT * len(words)


def is_title_without_marks(title: str) -> bool:
    """Say whether a title, or one with a few words behind it, is Vietnamese without one mark: five words or more, nearly all of them Vietnamese syllables.

    Of running Vietnamese every fourth word has no mark, so that five in a row are hardly ever so by themselves.

    >>> is_title_without_marks("THONG BAO VE MO HINH TRONG NHO KHONG HAT NAM 2026")
    True
    >>> is_title_without_marks("Notice on the opening hours of the Khanh Hoa portal")
    False
    """
    words = _ASCII_WORD.findall(title.lower())
    if not title.isascii() or len(words) < UNMARKED_TITLE_WORDS:
        return False
    return 100 * sum(_SYLLABLE.fullmatch(word) is not None for word in words) >= UNMARKED_TITLE_PERCENT * len(words)


UNMARKED_TITLE_WORDS = 5
UNMARKED_TITLE_PERCENT = 80
"""Names and abbreviations such as ASEAN and HĐND typed as HDND are no syllables; of an English title hardly half is."""
_SYLLABLE = re.compile(
    "(?:[bdhlmrsvx]|[cgknpt]h?|ngh?|tr|gi|qu)?"
    "(?:a[iouy]?|e[o]?|i[aeu]?|ieu|o[aeio]?|oa[iy]|u[aeioy]?|uo[iu]|uy[ae]|y|yeu?)(?:ch?|m|nh?|ng|p|t)?"
)


UNMARKED_WORDS = 20
"""Fewer words may be those of another language."""
UNMARKED_PERCENT = 8
"""Of running Vietnamese 15 to 25 words in a hundred are among these; of English hardly one in a thousand is (this project's own pages)."""
_ASCII_WORD = re.compile(r"[a-z]+")
_UNMARKED = frozenset(
    [
        "cua",
        "duoc",
        "nguoi",
        "nhung",
        "khong",
        "trong",
        "cac",
        "voi",
        "va",
        "thong",
        "phuong",
        "nghi",
        "dia",
        "uy",
        "nhan",
        "cong",
        "tac",
        "trien",
        "khai",
        "ngay",
        "quyet",
        "dinh",
        "hoi",
        "truong",
        "viec",
        "giam",
        "huyen",
        "xa",
        "thuc",
        "hien",
        "nam",
        "cho",
        "theo",
        "ve",
        "tinh",
        "dong",
        "doi",
        "chuyen",
        "tai",
        "thanh",
    ]
)
"""Usual Vietnamese words as they are without marks, none of them an English one."""


def _is_legacy(composed: str) -> bool:
    other = len(_OTHER_LATIN1.findall(composed))
    if other < MIN_SIGNS:
        return False
    letters = len(_LETTER_OR_SIGN.findall(composed))
    vietnamese = len(_VIETNAMESE.findall(composed))
    return 100 * other > SHARE_PERCENT * letters and 100 * vietnamese < SHARE_PERCENT * letters


def _has_impossible_marks(text: str) -> bool:
    """Say whether a tone stands on a consonant, as where cp1258 was misread: `Khánh Ḥa`, `t́m`."""
    if _MAY_BE_IMPOSSIBLE.search(text) is None:
        return False
    marks = _CONSONANT_WITH_TONE.findall(unicodedata.normalize("NFD", text))
    return any(mark.lower() not in _FOREIGN for mark in marks)


def clean_line(text: str, *, limit: int) -> str:
    """Return untrusted text as one NFC line without control or invisible characters, at most `limit` long."""
    composed = unicodedata.normalize("NFC", _single_spaced(text))
    if not composed.isprintable():
        composed = "".join(sign for sign in composed if unicodedata.category(sign) not in _UNPRINTED)
    return composed[:limit]


_UNPRINTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def _single_spaced(text: str) -> str:
    """Return text with one space for each stretch of white space, and none at its ends."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return text as it is compared: NFC, case, white space and invisible characters folded."""
    return _single_spaced(_ZERO_WIDTH.sub("", unicodedata.normalize("NFC", text))).casefold()


def without_marks(text: str) -> str:
    """Return a text folded and without diacritics, as it is typed on a keyboard that has none.

    >>> without_marks("Đường Trần Phú")
    'duong tran phu'
    """
    folded = fold(text)
    if folded.isascii():
        return folded
    plain = _unmarked(folded)
    if plain.isascii():
        return plain
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def read_as(text: str) -> str:
    """Return a text as a reader sees it, folded: without what is invisible, look-alike letters as the Latin ones.

    Names are never compared by this: an address with other letters is another address.
    """
    if _DISGUISE.search(text) is None:
        return fold(text)
    plain = _STYLED.sub(lambda sign: unicodedata.normalize("NFKC", sign[0]), _INVISIBLE.sub("", text))
    return fold(unicodedata.normalize("NFD", plain).translate(_ALIKE))


def count_letters(text: str) -> int:
    """Return how many letters a text has."""
    return sum(map(str.isalpha, text))


def has_letters(text: str, least: int) -> bool:
    """Say whether a text has at least so many letters, at least 1."""
    return next(islice(filter(str.isalpha, text), least - 1, None), None) is not None


class ReadText(NamedTuple):
    """A text as it is read."""

    folded: str
    bare: str
    """The same without the Vietnamese marks: a text loses them, in part too, by a font, a column or an old way to place tones."""
    words: tuple[str, ...]
    """Its words and numbers without marks, in order."""
    is_long: bool
    """It says enough to be known by itself, without a title."""


def read_text(text: str) -> ReadText:
    """Return a text as it is read; each is read once, though its hash, fingerprint and sketch all ask for it."""
    return _kept_reading(text) if len(text) <= _KEPT_SIGNS else _reading(text)


def _reading(text: str) -> ReadText:
    folded = read_as(text)
    bare = _bare(folded)
    return ReadText(folded, bare, tuple(_words_of(bare)), has_letters(folded, HASH_BODY_LETTERS))


def _words_of(text: str) -> list[str]:
    """Return the words and numbers of a text; of one in ASCII, as nearly every text without its marks is, in a tenth of the time."""
    return text.translate(_WORDS_ALONE).split() if text.isascii() else _WORDS_AND_NUMBERS.findall(text)


def _bare(folded: str) -> str:
    """Return folded text without the marks of Vietnamese; faster than sign by sign, and other scripts keep theirs."""
    if folded.isascii():
        return folded
    return unicodedata.normalize("NFC", _unmarked(folded))


def _unmarked(folded: str) -> str:
    """Return folded text decomposed and without the marks of Vietnamese."""
    plain = unicodedata.normalize("NFD", folded).replace("đ", "d")
    if _NEITHER_ASCII_NOR_MARK.search(plain) is None:  # as nearly every text: the marks go in one pass
        return plain.encode("ascii", "ignore").decode()
    for mark in _MARKS:
        plain = plain.replace(mark, "")
    return plain


_MARKS = f"{_TONES}\u0302\u0306\u031b"
_NEITHER_ASCII_NOR_MARK = re.compile(f"[^\x00-\x7f{_MARKS}]")


_WORDS_AND_NUMBERS = re.compile(r"\w+")
_BETWEEN_WORDS = re.compile(r"[^\w ]+")
_WORDS_ALONE = str.maketrans({sign: " " for sign in map(chr, range(128)) if not (sign.isalnum() or sign == "_")})
_KEPT_SIGNS = 1 << 15
"""Longer texts are not kept, so that memory has a bound whatever a source sends."""
_kept_reading = lru_cache(maxsize=256)(_reading)  # those of some answers: most have 10 to 50 items


def content_hash(title: str, body: str | None, *, raw_date: str) -> Digest:
    """Return the digest by which the same text is known again.

    A short body is hashed with its title. Without any body the claimed date goes in, because a weekly schedule has the
    same title each week and is no duplicate.
    """
    folded, _bare_text, _words, is_long = read_text(body or "")
    words = " ".join(
        _BETWEEN_WORDS.sub(" ", folded).split()
    )  # by the digest items are named, so that it keeps the marks
    if is_long:
        parts = words  # a lone full stop makes no other text
    elif folded:
        parts = f"{read_as(title)}\n{words}"
    else:
        parts = f"{read_as(title)}\n\n{raw_date}"
    return Digest(hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest())


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """By what a text is known again when a few of its words are other ones."""

    bits: int
    """64 bits that hardly differ for texts that hardly differ (simhash)."""
    numbers: str
    """The digest of all numbers in it."""
    groups: tuple[int, ...] = ()
    """The smallest hashes of its groups of three words, of 64 bits, rising: texts that share most groups have most of them in common."""
    group_count: int = 0
    """How many groups it has, each once."""
    figures: tuple[str, ...] = ()
    """All numbers in it in one form, sorted as text; the times that the text is pasted in one item count once."""
    runs: tuple[int, ...] = ()
    """Of the hashes of its groups of five words about one in eight, of 63 bits, rising: the same groups of every text."""
    number_places: tuple[int, ...] = ()
    """The hashes of its numbers, each between the words beside it in its sentence, of 63 bits, rising."""
    runs_between: tuple[int, ...] = ()
    """Hashes of further groups of five words: of each stretch without a sampled one the least, of 63 bits, rising."""
    inner_places: tuple[int, ...] = ()
    """Those without a number that it begins or ends with: where a text is cut, a word beside its number is missing."""

    @property
    def parts(self) -> tuple[int, ...]:
        """Return the quarters of the bits, each with its place in front: alike texts have at least one in common."""
        return tuple(place << 16 | self.bits >> (16 * place) & 0xFFFF for place in range(ALIKE_BITS + 1))

    def is_like(self, bits: int) -> bool:
        """Say whether a text of the same numbers and these bits says the same."""
        return (self.bits ^ bits).bit_count() <= ALIKE_BITS


def group_marks(body: str) -> Fingerprint:
    """Return a text's fingerprint without its bits, in less time: its groups of words and its numbers."""
    bare = read_text(body).bare
    return _marks(bare, _votes(bare))


def _marks(folded: str, votes: bytes) -> Fingerprint:
    in_order = struct.unpack(f">{len(votes) // _VOTE_BYTES}Q", votes)
    hashes = sorted(set(in_order))
    plain = with_plain_numbers(folded)
    places = _number_places(plain)
    return Fingerprint(
        0,
        "",
        tuple(hashes[:KEPT_GROUPS]),
        len(hashes),
        _figures(plain),
        _runs(in_order),
        places,
        _runs_between(in_order),
        _without_edges(places, plain),
    )


def _figures(plain: str) -> tuple[str, ...]:
    """Return the numbers of a text, sorted as text; of one that is pasted several times those of one of them."""
    counts = Counter(_numerals(plain))
    times = math.gcd(*counts.values()) or 1
    return tuple(sorted(chain.from_iterable([number] * (count // times) for number, count in counts.items())))


def with_plain_numbers(text: str) -> str:
    """Return a text with each number in one form: without leading zeros, and without signs between thousands.

    >>> with_plain_numbers("ngày 05/11 có 5.261 lượt")
    'ngày 5/11 có 5261 lượt'
    """
    return _NUMERAL.sub(_plain_number, text)


def _plain_number(number: re.Match[str]) -> str:
    return _NO_DIGIT.sub("", number[0]).lstrip("0") or "0"


_NUMERAL = re.compile(r"\d(?<!\d\d)(?:\d{0,2}(?:[.,]\d{3})+(?!\d)|(?<=0)\d+)")
"""A number that has another form; most have none. It begins with one digit, which is looked for faster than what stands before it."""
_NO_DIGIT = re.compile(r"\D")


def _numerals(text: str) -> list[str]:
    return text.translate(_DIGITS_ALONE).split() if text.isascii() else _DIGITS.findall(text)


_DIGITS = re.compile(r"\d+")
_DIGITS_ALONE = str.maketrans({sign: " " for sign in map(chr, range(128)) if not sign.isdecimal()})


def numbers_of(text: str) -> tuple[str, ...]:
    """Return the numbers of a text, each once, in one form, sorted as text."""
    return tuple(sorted(set(_numerals(with_plain_numbers(text)))))


def _runs(groups: Sequence[int]) -> tuple[int, ...]:
    """Return the sampled groups of five words: two groups of three that share their middle word; the first one decides.

    The same groups are sampled of every text, whatever its length (scaled MinHash, as of sourmash: Irber and others,
    Lightweight compositional analysis of metagenomes with FracMinHash, 2022).
    """
    some = {one >> 1 ^ other >> 2 for one, other in zip(groups, groups[2:], strict=False) if one % RUN_SCALE == 0}
    return tuple(sorted(some)[:KEPT_RUNS])


def _runs_between(groups: Sequence[int]) -> tuple[int, ...]:
    """Return of each window of groups of five words without a sampled one the least.

    So a part of sixty words has groups in common with its whole for certain (winnowing: Schleimer, Wilkerson and Aiken,
    Winnowing: local algorithms for document fingerprinting, 2003).
    """
    count = max(0, len(groups) - 2)
    sampled = [place for place, one in enumerate(groups[:count]) if one % RUN_SCALE == 0]
    some: set[int] = set()
    for before, behind in pairwise((-1, *sampled, count)):
        if behind - before > RUN_WINDOW:
            some.update(_least_of_windows([groups[at] >> 1 ^ groups[at + 2] >> 2 for at in range(before + 1, behind)]))
    return tuple(sorted(some)[:KEPT_RUNS])


def _least_of_windows(gap: Sequence[int]) -> Iterator[int]:
    """Yield the least of each window of a stretch; a window is looked through only when the least of the one before has left it."""
    least, place = 0, -1
    for first, one in enumerate(gap[RUN_WINDOW - 1 :]):
        last = first + RUN_WINDOW - 1
        if place < first:
            window = gap[first : last + 1]
            least = min(window)
            place = last - window[::-1].index(least)
        elif one <= least:
            least, place = one, last
        else:
            continue
        yield least


def _without_edges(places: tuple[int, ...], folded: str) -> tuple[int, ...]:
    """Return the places of a text's numbers without those of the one that it begins with and the one that it ends with."""
    head, tail = _FIRST_NUMBER.match(folded[:_EDGE_SIGNS]), _LAST_NUMBER.search(folded[-_EDGE_SIGNS:])
    if head is None and tail is None:
        return places
    edges: set[int] = set()
    if head is not None:
        first = folded[: head.end() + _SIGNS_BESIDE]
        edges.update(_number_places(first))
        edges.difference_update(_number_places(first[head.end() :]))
    if tail is not None:
        last = folded[-_EDGE_SIGNS:][max(0, tail.start() - _SIGNS_BESIDE) :]
        edges.update({*_number_places(last)}.difference(_number_places(last[: tail.start() - tail.end()])))
    return tuple(place for place in places if place not in edges)


_EDGE_SIGNS = 80
"""In which the first number or the last one stands with its words and signs."""
_FIRST_NUMBER = re.compile(r"\W*\d+(?:[.,]\d+)*")
_LAST_NUMBER = re.compile(r"\d+(?:[.,]\d+)*\W*$")


def _number_places(folded: str) -> tuple[int, ...]:
    padded = " " * _SIGNS_BESIDE + folded
    spans = (number.span() for number in _NUMBER.finditer(padded))
    places = set()
    for around in {padded[start - _SIGNS_BESIDE : end + _SIGNS_BESIDE] for start, end in spans}:
        found = _NUMBER.match(around, _SIGNS_BESIDE)
        assert found is not None
        in_front, number, after = around[:_SIGNS_BESIDE], found[0], around[found.end() :]
        before, behind = in_front.rstrip(_WITHIN_A_SENTENCE), after.lstrip(_WITHIN_A_SENTENCE)
        word = "" if before.endswith(_SENTENCE_ENDS) else before.rpartition(" ")[2]
        next_word = "" if behind.startswith(_SENTENCE_ENDS) else behind.partition(" ")[0]
        places.add(" ".join((word.strip(_SIGNS), number, next_word.strip(_SIGNS))))
    hashes = (hashlib.blake2b(one.encode("utf-8", "surrogatepass"), digest_size=_VOTE_BYTES).digest() for one in places)
    return tuple(sorted(int.from_bytes(one, "big") >> 1 for one in hashes)[:KEPT_RUNS])


_NUMBER = re.compile(r"\d\d*(?:[.,]\d+)*")  # one digit first is looked for faster than several
_SIGNS_BESIDE = 24
"""In which the word before a number stands, and the one behind it; of a longer one its end or beginning."""
_SENTENCE_ENDS = (".", ":", ";", "!", "?")
_WITHIN_A_SENTENCE = " ,/-–()\"'“”"
_SIGNS = _WITHIN_A_SENTENCE + "".join(_SENTENCE_ENDS)


def _votes(folded: str) -> bytes:
    """Return the hashes of a text's groups of words, one after the other."""
    if folded.isascii():
        words = folded.encode().translate(_LETTERS_ALONE).split()
    else:
        words = [word.encode("utf-8", "surrogatepass") for word in _LETTERS.findall(folded)]
    groups = [*map(b" ".join, zip(*(words[at:] for at in range(_SHINGLE_WORDS)), strict=False))] or [b" ".join(words)]
    votes = {group: hashlib.blake2b(group, digest_size=_VOTE_BYTES).digest() for group in {*groups}}
    return b"".join([votes[group] for group in groups])


_LETTERS = re.compile(r"[^\W\d_]+")
_LETTERS_ALONE = bytes(ord(sign) if sign.isalpha() else ord(" ") for sign in map(chr, range(128))) + b" " * 128
_VOTE_BYTES = FINGERPRINT_BITS // 8


def fingerprint(body: str | None) -> Fingerprint | None:
    """Return a text's fingerprint; None for one too short to tell by.

    Each group of three words votes on each bit. A word changed in a text of two hundred moves a few votes, and mostly none
    of the bits. Numbers stand apart: a schedule of another week and a notice of another decree differ by nothing else, and
    they are news.
    """
    _folded, bare, _words, is_long = read_text(body or "")
    if not is_long:
        return None
    votes = _votes(bare)
    marks = _marks(bare, votes)
    columns = [votes[place::_VOTE_BYTES] for place in range(_VOTE_BYTES)]
    bits = sum(
        1 << bit
        for bit in range(FINGERPRINT_BITS)
        if 2 * columns[bit // 8].translate(_HAS_BIT[bit % 8]).count(1) > len(votes) // _VOTE_BYTES
    )
    numbers = hashlib.sha256(" ".join(marks.figures).encode()).hexdigest()[:16]
    return replace(marks, bits=bits, numbers=numbers)


_HAS_BIT = tuple(bytes(byte >> bit & 1 for byte in range(256)) for bit in range(8))
"""For each bit, which bytes have it: a table of `bytes.translate`, which counts a column of votes at once."""


_INLINE = re.compile(
    r"""</?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|nobr|q|s|samp|small|span
    |strike|strong|sub|sup|time|tt|u|var|wbr|[a-z]\w*:[a-z]\w*)(?![\w:-]) | <!-- | <[!?]""",
    re.IGNORECASE | re.VERBOSE,
)
"""What stands within a word and does not end it (HTML, phrasing content), names with a prefix such as o:p, and what nobody sees."""


def is_inline(tag: str) -> bool:
    """Say whether a tag, as `span` is written `<span`, stands within a word without ending it."""
    return _INLINE.match(tag) is not None


def without_markup(text: str) -> str:
    """Return HTML as plain text, without scripts, styles and what is hidden; text without mark-up stays as it is.

    A paragraph, a cell or a line break parts two words; what only sets letters, such as `<span>`, does not.
    Where mark-up or entities were escaped twice, so that a reader sees them, they are taken out as well.
    In time that grows with the text alone, whatever is left open in it, which HTML parsers do not promise.
    """
    if "<" not in text and "&" not in text:
        return text
    plain = unescape(_MARKUP.sub(_parted, _without_hidden(text)))
    for _again in range(_MOST_UNESCAPED):
        further = unescape(_SHOWN_TAG.sub(_parted, plain))
        if further == plain:
            break
        plain = further
    return _single_spaced(plain)


def _without_hidden(text: str) -> str:
    """Return HTML without elements that no browser shows, as hacked pages have them; by their own attributes alone."""
    lowered = text.lower()
    if not any(word in lowered for word in ("hidden", "style", "noscript")):
        return text
    kept: list[str] = []
    start, name, depth = 0, "", 0
    for tag in _TAG.finditer(text):
        found = tag["name"].lower()
        if name:
            depth += 0 if found != name else -1 if tag[0][1] == "/" else not tag[0].endswith("/>")
            if depth == 0:
                start, name = tag.end(), ""
        elif tag[0][1] != "/" and found not in _VOID and _hides(unescape(tag[0])):
            kept.append(text[start : tag.start()])
            name, depth = found, 1
    return " ".join((*kept, "" if name else text[start:]))


_TAG = re.compile(r"""</?(?P<name>[a-z][\w:-]*)(?:[^"'<>]|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_STYLE = re.compile(r"""\sstyle\s*=\s*("[^"]*"|'[^']*'|[^\s>]*)""", re.IGNORECASE)
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_HIDDEN_STYLE = re.compile(
    r"""(?<![\w-])(?:display\s*:\s*none | visibility\s*:\s*hidden | (?:font-size|opacity)\s*:\s*0(?![.\d]*[1-9]) | clip\s*:\s*rect\(
    | (?:left|top|text-indent|margin-left|margin-top)\s*:\s*-\d{4} | (?:max-)?(?:height|width)\s*:\s*[01](?:px)?(?![\w.%]))""",
    re.IGNORECASE | re.VERBOSE,
)
"""Not shown, of no size, or moved far out of the page."""
_HIDDEN = re.compile(r"\shidden(?=[\s=/>])", re.IGNORECASE)


def _hides(tag: str) -> bool:
    style = _STYLE.search(tag)
    if tag[1:9].lower() == "noscript" or (style is not None and _HIDDEN_STYLE.search(style[1])):
        return True
    return _HIDDEN.search(_QUOTED.sub("", tag)) is not None


def _parted(tag: re.Match[str]) -> str:
    found = tag[0]
    is_within = _is_short_inline(found) if len(found) <= _SHORT_TAG_SIGNS else is_inline(found)
    return "" if is_within else " "


_SHORT_TAG_SIGNS = 32
_is_short_inline = lru_cache(maxsize=1024)(is_inline)  # most tags are <p> and the like


_MOST_UNESCAPED = 3
"""Systems that escape once more at each saving stop being read long before."""
# Only what is closed and has a name of HTML: behind the first round a reader sees these signs, and `a &lt; b` is no tag.
_SHOWN_TAG = re.compile(
    r"""</?(?:a|article|b|blockquote|br|center|div|em|figcaption|figure|font|h[1-6]|hr|i|img|li|o:p|ol|p|section|small|span|strong
    |sub|sup|table|tbody|td|th|thead|tr|u|ul)(?:[\s/][^<>]*)?>""",
    re.IGNORECASE | re.VERBOSE,
)
