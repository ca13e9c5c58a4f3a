"""Which unit a name means, and which units a name that nobody knows resembles. Pure.

Registers, feeds and mail name an agency in many ways: "UBND xã R1", "Uỷ ban nhân dân Xã R1, tỉnh Khánh Hòa", "Xa R1". A name means a
unit only if it fits that one alone; where it merely resembles some, they are suggestions, and a person decides.

>>> from portalops.model.organisation import Name
>>> from portalops.model.updates import ItemChannel
>>> register = UpdateSourceTraits("register", ItemChannel.SUBMISSION, complete=True)
>>> at = datetime.fromisoformat("2026-11-20T08:00+07:00")
>>> commune = Agency(UnitId("xa-r1"), Name("Xã R1", "R1 Commune"))
>>> names = UnitNames([commune], ZoneInfo("Asia/Ho_Chi_Minh"), home="Cổng thông tin điện tử tỉnh Khánh Hòa")
>>> names.find("Uỷ ban nhân dân xã R1, tỉnh Khánh Hoà", register, at), names.find("Phường R1", register, at)
('xa-r1', None)
>>> names.resembling("Phường R1")
('xa-r1',)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from checks.updates.authors import BESIDE, author_above, names_in, names_nobody
from checks.updates.mail_senders import names_beside, names_mentioned, sender_address
from checks.updates.provinces import CITIES, PROVINCES
from checks.updates.public_mail import is_public_mail
from checks.updates.text import fold, without_marks
from portalops.model.organisation import Agency, Name, UnitId, is_valid_on
from portalops.model.updates import UpdateSourceTraits

SLIP_LETTERS = 5
"""Names of fewer letters are not like each other for differing in one: "Xã R1" and "Xã R2" are two communes."""
MAX_NAME = 300
"""Characters of a name that are compared; the longest name of an agency of Decree 45/2025/NĐ-CP has less than half."""
MAX_NAMES = 3000
"""Characters of all names of an item that has several."""

_Words = tuple[str, ...]

_WORD = re.compile(r"\d+|[^\W\d_]+")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_ENDS_IN_Y = re.compile("(qu|[hklmst])y")
_LETTERS = re.compile(r"[^\W\d_]")

_COMMITTEE = "ủy ban nhân dân"
_BODIES = (_COMMITTEE, "hội đồng nhân dân")
_PLACES = ("xã", "phường", "thị trấn", "đặc khu", "thị xã", "thành phố", "quận", "huyện")
"""What has a people's committee below the province, today and before 1 July 2025 (Law 72/2025/QH15 on local government)."""
_SHORT = {
    "ubnd": _COMMITTEE,
    "hđnd": "hội đồng nhân dân",
    "vp": "văn phòng",
    "bql": "ban quản lý",
    "tx": "thị xã",
    "tp": "thành phố",
    "đk": "đặc khu",
}
_SHORT_AT_START = {"x": "xã", "p": "phường", "h": "huyện", "q": "quận"}
"""Only before a name: elsewhere such a letter may be part of it."""
_SHORT_OF_COMMITTEE = {**_SHORT_AT_START, "tt": "thị trấn"}
"""Only behind the committee's name: elsewhere TT is a centre (trung tâm) as often."""
_DEPARTMENTS = {
    "dttg": "dân tộc tôn giáo",
    "gdđt": "giáo dục đào tạo",
    "gtvt": "giao thông vận tải",
    "khcn": "khoa học công nghệ",
    "khđt": "kế hoạch đầu tư",
    "lđtbxh": "lao động thương binh xã hội",
    "nnmt": "nông nghiệp môi trường",
    "nnptnt": "nông nghiệp phát triển nông thôn",
    "tnmt": "tài nguyên môi trường",
    "tp": "tư pháp",
    "tttt": "thông tin truyền thông",
    "vhtt": "văn hóa thể thao",
    "vhttdl": "văn hóa thể thao du lịch",
}
"""Behind the word "sở": the departments of Decrees 24/2014/NĐ-CP and 45/2025/NĐ-CP as officials shorten them, without "và"."""


def id_of(name: str) -> UnitId:
    """Return an id for a unit of that name, of letters, digits and hyphens; empty for a name without any.

    >>> id_of("UBND xã Diên An"), id_of("Sở Văn hóa, Thể thao và Du lịch")
    ('xa-dien-an', 'so-van-hoa-the-thao-va-du-lich')
    """
    text = bare_text(name)
    for prefix in (f"{bare_text(_COMMITTEE)} ", "ubnd "):
        text = text.removeprefix(prefix) or text
    joined = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    return UnitId(joined[:63].rstrip("-"))


def bare_text(text: str) -> str:
    """Return the words of a text in small letters without diacritics, one blank between them.

    >>> bare_text("Tên  miền thư (điện tử)")
    'ten mien thu dien tu'
    """
    return " ".join(_bare(tuple(_WORD.findall(fold(text)))))


def normal_name(name: str, home: str) -> str:
    """Return a name in the one form that all its spellings share; empty for a text without words.

    Args:
        name: as it is written.
        home: a text that names the own province, such as the portal's name.

    >>> normal_name("UBND xã Hoà Trí", "") == normal_name("Xã Hòa Trí", "")
    True
    """
    return " ".join(_normal_form(name[:MAX_NAME], _Home.of(home)))


@dataclass(frozen=True, slots=True)
class _Named:
    """Units by their names."""

    exact: dict[str, list[Agency]]
    """Ids, names and aliases as they stand, folded."""
    normal: dict[_Words, list[Agency]]
    bare: dict[_Words, list[Agency]]
    """The normal forms without diacritics."""
    alike: dict[_Words, list[Agency]]
    """By the normal form of the Vietnamese name alone."""


class _Abbreviated(NamedTuple):
    """The units that a name with words of capitals may be short for."""

    surely: tuple[Agency, ...]
    """Those of which it leaves out no word but the kind of the place, and has one written out; initials of two words are too few."""
    perhaps: tuple[Agency, ...]
    """All that it fits."""


_MAY_BE_TWO = re.compile(
    r"[^\w\s.]|\b(?:và|va|cùng|cung|phối hợp|phoi hop|với|voi|thay mặt|thay mat|chuyển|chuyen|gửi|gui)\b"
)
"""What may stand between two authors of one paper; a full stop stands behind abbreviations."""
_SHORTEST = 2
"""Capitals of so few letters are initials of too much: TT is Trung tâm and Thị trấn."""
MOST_MENTIONED = 3
"""Units that an unknown sender's mail may name and still be one's of them: one that names more writes to all, or about all."""
_NOT_ABBREVIATED = _Abbreviated((), ())


class UnitNames:
    """The configured units by every name that a source may use for them."""

    def __init__(self, units: Iterable[Agency], zone: ZoneInfo, home: str = "") -> None:
        """Keep the units; their names are made ready when one is first asked for.

        Args:
            units: all units ever, dated.
            zone: of the portal; a unit's life is counted in its days.
            home: a text that names the own province, such as the portal's name; only that province's name may be left out.
        """
        self._zone = zone
        self._units = tuple(units)
        self._home = _Home.of(home)
        self._words: dict[str, _Words] = {}
        self._resembling: dict[str, tuple[UnitId, ...]] = {}
        self._abbreviated: dict[str, _Abbreviated] = {}

    def name_of(self, unit: UnitId) -> Name | None:
        """Return a configured unit's own name; None for one that is none."""
        return next((one.name for one in self._units if one.id == unit), None)

    def find(self, name: str, traits: UpdateSourceTraits, when: datetime) -> UnitId | None:
        """Return the unit that a source means by a name at a moment; None if it fits none, or more than one.

        First the source's own words count, then ids, names and aliases as they stand, then their normal form. A mail address that
        is no name itself is its domain's. A name that is written without any diacritics may lack them. Capitals may stand for the
        initials of some of its words. The name of two units that exist at once means neither, however each spells it. Of several names
        one must mean a unit, and no other one another unit. A mail address beside which another unit's name or address stands means
        neither: see `claimants`.
        """
        if BESIDE in name:
            units = self.find_each(name, traits, when)
            return units[0] if len(units) == 1 else None
        unit = self._find_alone(sender_address(name), traits, when)
        return None if unit is not None and self._others_beside(name, unit, traits, when) else unit

    def _find_alone(self, name: str, traits: UpdateSourceTraits, when: datetime) -> UnitId | None:
        """Return what `find` does, by one name with nothing beside it."""
        folded = fold(name)
        mapped = {fold(own_name): unit for own_name, unit in traits.unit_names}
        for known in (folded, folded.rpartition("@")[2]):
            if known in mapped:
                return mapped[known]
        words = self._normal_words(folded[:MAX_NAME])
        if len(self._existing(self._named.alike.get(words, ()), when)) > 1:
            return None
        named = self._named.exact.get(folded, []) or self._named.exact.get(folded.rpartition("@")[2], [])
        if named:
            fitting = self._existing(named, when) or named
            return fitting[0].id if len(fitting) == 1 else None
        fitting = self._existing(self._named.normal.get(words, ()), when)
        if not fitting and not _has_marks(folded):
            fitting = self._existing(self._named.bare.get(_bare(words), ()), when)
        if not fitting:
            short = self._short_for(name)
            fitting = self._existing(short.perhaps, when)
            fitting = fitting if fitting and fitting[0] in short.surely else []
        return fitting[0].id if len(fitting) == 1 else None

    def find_each(self, name: str, traits: UpdateSourceTraits, when: datetime) -> tuple[UnitId, ...]:
        """Return the units that the names of an item mean, each once, in the order of the names."""
        units = (self.find(one, traits, when) for one in names_in(name))
        return tuple(dict.fromkeys(unit for unit in units if unit is not None))

    def resembling(self, name: str) -> tuple[UnitId, ...]:
        """Return the units that a name nobody knows may mean, the likeliest first; none for one of another province."""
        if BESIDE in name:
            return tuple(dict.fromkeys(unit for one in names_in(name) for unit in self.resembling(one)))
        name = name[:MAX_NAME]
        if name not in self._resembling:
            short = (unit.id for unit in self._short_for(name).perhaps)
            self._resembling[name] = tuple(dict.fromkeys((*short, *self._rank(fold(name)))))
        return self._resembling[name]

    def is_stranger(self, name: str, traits: UpdateSourceTraits | None, when: datetime) -> bool:
        """Say whether an author of a register is nobody who is known: neither a unit, nor like one, nor declared to be no unit.

        A paper of such an author may be any unit's: its registrar may shorten a unit's name as nobody else does.
        """
        if traits is None or traits.outsiders is None or not traits.complete or names_nobody(author_above(name)):
            return False
        return not self.likely(name, traits, when) and not self.is_outsider(name, traits.outsiders)

    def is_outsider(self, name: str, outsiders: Iterable[str]) -> bool:
        """Say whether a name is one of those that are declared to be no unit's, or names another province.

        Args:
            name: as it is written.
            outsiders: names, in any spelling; one that ends in `*` stands for all that begin with its words. Of a mail, addresses, and domains
                for all of their addresses and of those below.
        """
        if _has_address(name, outsiders := tuple(outsiders)):
            return True
        words = _bare(self._normal_words(fold(sender_address(author_above(name))[:MAX_NAME])))
        return self._is_foreign(words) or any(self._fits(words, one) for one in outsiders)

    def _is_foreign(self, words: _Words) -> bool:
        """Say whether a name is that of an agency of another province, where the own one is known."""
        bare = _bare(words)
        if self._home.is_foreign(words):
            return not any(bare[-len(one) :] == one for one in self._own_provinces)
        return self._is_foreign_by_its_end(bare)

    def _is_foreign_by_its_end(self, bare: _Words) -> bool:
        """Say whether a name ends in another province's name without *tỉnh*: a city of the centre's, or behind one department of a province.

        One that a unit of ours has in its own name says nothing: a commune may be called Lâm Đồng.
        """
        end = next((one for one in self._other_provinces if bare[-len(one) :] == one), None)
        if end is None:
            return False
        front = bare[: -len(end)]
        if front[-2:] == _CITY and end in _BARE_CITIES:
            return sum(map(_DEPARTMENT.__contains__, front)) <= 1
        is_of_province = any(front[: len(kind)] == kind and len(front) >= least for kind, least in _OF_PROVINCE)
        is_of_commune = any(one == "xa" and after != "hoi" for one, after in pairwise(bare))
        return is_of_province and front.count(front[0]) == 1 and not is_of_commune and not _PLACE_STARTS & {*front}

    @cached_property
    def _other_provinces(self) -> Sequence[_Words]:
        """The names of other provinces that no unit of ours has in its own, the longest first; none where the own one is not known."""
        if not self._home.place:
            return ()
        others = {name for names in _PROVINCE_NAMES for name in names}.difference(self._own_provinces)
        own = [_bare(_normal_form(name, self._home)) for unit in self._units for name in _names_of(unit)]
        return sorted((one for one in others if not any(_has_run(name, one) for name in own)), key=len, reverse=True)

    @cached_property
    def _own_provinces(self) -> Sequence[_Words]:
        """The own province's name and those of the ones that went into it: an old department's paper may be its successor's."""
        home = _bare(self._home.words)
        return [name for names in _PROVINCE_NAMES if any(_has_run(home, one) for one in names) for name in names]

    def _fits(self, bare: _Words, declared: str) -> bool:
        """Say whether a name in its normal form is one that is declared to be no unit's."""
        own = _bare(self._normal_words(fold(declared)))
        return bool(own) and (bare[: len(own)] if declared.rstrip().endswith("*") else bare) == own

    def _not_ruled_out(self, name: str, units: Sequence[UnitId], outsiders: Iterable[str]) -> tuple[UnitId, ...]:
        """Return those of the units that a name is like which no declared outsider rules out.

        `Trạm Y tế *` is no name of Phường Ninh Chử, so that it rules that unit out. It does not where it fits a name of the unit itself,
        which may be written with a slip, nor where the author may be two: by a sign, a joining word, or a people's committee in it.
        """
        text = fold(name)
        words = _bare(self._normal_words(text[:MAX_NAME]))
        fitting = [one for one in outsiders if self._fits(words, one)]
        if not fitting or _MAY_BE_TWO.search(text) or _has_run(words[1:], _BARE_COMMITTEE):
            return tuple(units)
        own = {
            unit.id
            for unit in self._units
            if unit.id in units
            for each in _names_of(unit)
            if any(self._fits(_bare(self._normal_words(fold(each))), one) for one in fitting)
        }
        return tuple(unit for unit in units if unit in own)

    def _short_for(self, name: str) -> _Abbreviated:
        """Return the units whose names a name with words of capitals shortens."""
        name = name[:MAX_NAME]
        if name not in self._abbreviated:
            self._abbreviated[name] = self._units_short_for(name)
        return self._abbreviated[name]

    def _units_short_for(self, name: str) -> _Abbreviated:
        words = _bare(self._normal_words(fold(name)))
        capitals = frozenset(_bare_word(fold(word)) for word in _WORD.findall(name) if sum(map(str.isupper, word)) > 1)
        if capitals.isdisjoint(words) or self._is_foreign(words):
            return _NOT_ABBREVIATED
        fits = [
            (self._units[place], left)
            for place, form in self._index[0]
            if (left := _left_out(words, form.words, capitals)) is not None
        ]
        has_a_word = any(word not in capitals and word not in _PLACE_WORDS for word in words)
        is_telling = has_a_word and all(len(word) > _SHORTEST for word in capitals.intersection(words))
        surely = [unit for unit, left in fits if is_telling and left == 0]
        return _Abbreviated(tuple(surely), tuple({unit.id: unit for unit, _left in fits}.values()))

    def likely(self, name: str, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
        """Return the units whose an item may be by a name that fits none: those that it resembles, the likeliest first.

        A sign for the author of the line above means the unit that this one means. Where nothing is written, none is likelier than others.
        An item of several names may be each unit's that one of them means. A mail address below a unit's domain may be that unit's, and so may
        one of its own domain, one with its name or address beside it, and one whose mail mentions it.
        """
        if traits is not None and BESIDE in name and (named := self.find_each(name, traits, when)):
            return named
        if BESIDE in name:
            return tuple(dict.fromkeys(unit for one in names_in(name) for unit in self.likely(one, traits, when)))
        author = author_above(name)
        unit = None if author == name or traits is None else self.find(author, traits, when)
        if unit is not None:
            return (unit,)
        if names_nobody(author) or (traits is not None and _has_address(author, traits.outsiders or ())):
            return ()
        if claimants := self.claimants(author, traits, when):
            return claimants
        by_address = (*self.holders_above(author, traits), *self.holders_beside(author, traits, when))
        by_name = (
            *self.resembling(sender_address(author)),
            *self.bearers(author, traits, when),
            *self.mentioned(author, traits, when),
        )
        found = tuple(dict.fromkeys((*by_address, *by_name)))
        return (
            self._not_ruled_out(author, found, traits.outsiders) if traits is not None and traits.outsiders else found
        )

    def holders_above(self, address: str, traits: UpdateSourceTraits | None) -> tuple[UnitId, ...]:
        """Return the units of the nearest domain above that of a mail address; none for other names, or if nobody's is above it.

        Whoever has a domain gives out the names below it, but to whom, no mail server says: khanhhoa.example may be an office's
        domain, with a department's below it. So such mail is nobody's for certain.
        """
        _user, at, domain = fold(sender_address(address)).rpartition("@")
        mapped = {fold(name): unit for name, unit in traits.unit_names} if at and traits is not None else {}
        while at and "." in (domain := domain.partition(".")[2]):
            if domain in mapped:
                return (mapped[domain],)
            if named := self._named.exact.get(domain):
                return tuple(unit.id for unit in named)
        return ()

    def holders_beside(self, address: str, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
        """Return the unit whose are all known addresses of a mail address's domain; none for other names, of two units, or at a public mail service."""
        _user, at, domain = fold(sender_address(address)).rpartition("@")
        if not at or is_public_mail(domain):
            return ()
        mapped = () if traits is None else traits.unit_names
        units = {unit for name, unit in mapped if fold(name).endswith(f"@{domain}")}
        known = self._addresses.get(domain, ())
        units |= {unit.id for unit in self._existing(known, when) or known}
        return tuple(units) if len(units) == 1 else ()

    @cached_property
    def _addresses(self) -> Mapping[str, Sequence[Agency]]:
        """The units that have addresses among their aliases, by the domain of these."""
        found: dict[str, list[Agency]] = {}
        for unit in self._units:
            for domain in {fold(name).rpartition("@")[2] for name in unit.aliases if "@" in name}:
                found.setdefault(domain, []).append(unit)
        return found

    def bearers(self, sender: str, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
        """Return the units whose name or address stands beside a mail's address: before it, or where answers go; none for other names."""
        return tuple(dict.fromkeys(unit for one in names_beside(sender) for unit in self._named_in(one, traits, when)))

    def mentioned(self, sender: str, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
        """Return the units whose names or addresses a mail mentions, if they are at most `MOST_MENTIONED`; none for other names."""
        found = dict.fromkeys(unit for one in names_mentioned(sender) for unit in self._mentioned_in(one, traits, when))
        return tuple(found) if len(found) <= MOST_MENTIONED else ()

    def _mentioned_in(self, text: str, traits: UpdateSourceTraits | None, when: datetime) -> Iterable[UnitId]:
        if "@" in text:
            return self._named_in(text, traits, when)
        words = _bare(self._normal_words(fold(text[:MAX_NAME])))
        if any(_has_run(words, (_BARE_PROVINCE, *other)) for other in self._other_provinces):
            return ()
        return self._units_within(text, words, when)

    def claimants(self, sender: str, traits: UpdateSourceTraits | None, when: datetime) -> tuple[UnitId, ...]:
        """Return the units of one of which a mail is, where its address is one unit's, and a name or an address beside it another's; else none.

        One clerk may send for several offices. The unit of the address stands first.
        """
        unit = None if traits is None else self._find_alone(sender_address(sender), traits, when)
        others = () if unit is None else self._others_beside(sender, unit, traits, when)
        return () if unit is None or not others else (unit, *others)

    def _others_beside(
        self, sender: str, unit: UnitId, traits: UpdateSourceTraits | None, when: datetime
    ) -> tuple[UnitId, ...]:
        """Return the units that stand beside the address of one; a unit from which that one has taken over is no other one."""
        others = (one for one in self.bearers(sender, traits, when) if one != unit)
        return tuple(one for one in others if unit not in self.successors(one, when))

    def _named_in(self, text: str, traits: UpdateSourceTraits | None, when: datetime) -> Iterable[UnitId]:
        """Return the units that a text names: the one that it means as a whole, else those of which it has a name whole in it."""
        unit = None if traits is None else self.find(text, traits, when)
        if unit is not None or "@" in text:
            return () if unit is None else (unit,)
        words = _bare(self._normal_words(fold(text[:MAX_NAME])))
        return () if self._is_foreign(words) else self._units_within(text, words, when)

    def _units_within(self, text: str, words: _Words, when: datetime) -> Iterable[UnitId]:
        """Return the units of which a text has a name whole in it, the longest where one name stands in another."""
        capitals = {_bare_word(fold(word)) for word in _WORD.findall(text) if word.isupper() and len(word) > _SHORTEST}
        forms, index = self._index
        found: list[tuple[_Words, Agency]] = []
        for length in range(min(len(words), _MAX_RUN), 0, -1):
            for run in {words[start : start + length] for start in range(len(words) - length + 1)}:
                if (length > 1 or run[0] in capitals) and not any(_has_run(longer, run) for longer, _unit in found):
                    found += [(run, self._units[forms[at][0]]) for at in index.get(("words", run), ())]
        units = [unit for _run, unit in found]
        return [unit.id for unit in self._existing(units, when) or units]

    def ended(self, units: Iterable[UnitId | None]) -> tuple[UnitId, ...]:
        """Return those of some units that have a last day and successors."""
        return tuple(unit for unit in units if unit is not None and unit in self._heirs)

    def successors(self, unit: UnitId, when: datetime) -> tuple[UnitId, ...]:
        """Return the units that had taken over from a unit by a moment; none while it exists."""
        day = when.astimezone(self._zone).date()
        own = self._heirs.get(unit, ())
        return tuple(dict.fromkeys(each for last, some in own if last < day for each in some))

    @cached_property
    def _heirs(self) -> Mapping[UnitId, Sequence[tuple[date, Sequence[UnitId]]]]:
        """The last day and the successors of each unit that is no more, by its id."""
        found: dict[UnitId, list[tuple[date, Sequence[UnitId]]]] = {}
        for unit in self._units:
            if unit.valid_to is not None and unit.successors:
                found.setdefault(unit.id, []).append((unit.valid_to, unit.successors))
        return found

    @cached_property
    def _named(self) -> _Named:
        named = _Named({}, {}, {}, {})
        for unit in self._units:
            own = _names_of(unit)
            for name in dict.fromkeys(map(fold, (unit.id, *own))):
                named.exact.setdefault(name, []).append(unit)
            normal = [_normal_form(name, self._home) for name in own]
            for words in dict.fromkeys(normal):
                named.normal.setdefault(words, []).append(unit)
            for words in dict.fromkeys(map(_bare, normal)):
                named.bare.setdefault(words, []).append(unit)
            named.alike.setdefault(_normal_form(unit.name.vi, self._home), []).append(unit)
        return named

    def _normal_words(self, folded: str) -> _Words:
        if folded not in self._words:
            self._words[folded] = _normal_form(folded, self._home)
        return self._words[folded]

    def _rank(self, folded: str) -> tuple[UnitId, ...]:
        words = self._normal_words(folded)
        if not words or self._is_foreign(words):
            return ()
        written = _Form.of(_bare(words))
        user, _at, domain = folded.partition("@")
        labels = frozenset({_squashed(user), _squashed(domain.partition(".")[0])} - {""}) if domain else frozenset()
        forms, index = self._index
        near: dict[int, int] = {}
        for key in {*_keys_of_written(written), *(("label", label.removeprefix("ubnd")) for label in labels)}:
            for at in index.get(key, ()):
                unit, form = forms[at]
                near[unit] = min(near.get(unit, _UNLIKE), _likeness(written, labels, form))
        ranked = sorted((rank, unit) for unit, rank in near.items() if rank < _UNLIKE)
        strong = [one for one in ranked if one[0] <= _STRONG]
        return tuple(dict.fromkeys(self._units[unit].id for _rank, unit in strong or ranked))

    @cached_property
    def _index(self) -> tuple[Sequence[tuple[int, _Form]], Mapping[_Key, Sequence[int]]]:
        """Every name of every unit by place, and where to look for those that a written name may be like."""
        forms = [
            (place, form)
            for place, unit in enumerate(self._units)
            for form in {_Form.of(_bare(_normal_form(name, self._home))) for name in _names_of(unit)}
        ]
        index: dict[_Key, list[int]] = {}
        for at, (_place, form) in enumerate(forms):
            for key in _keys_of_unit(form):
                index.setdefault(key, []).append(at)
        return forms, index

    def _existing(self, units: Sequence[Agency], when: datetime) -> list[Agency]:
        day = when.astimezone(self._zone).date()
        return [unit for unit in units if is_valid_on(unit, day)]


def _has_address(name: str, outsiders: Iterable[str]) -> bool:
    """Say whether a name is a mail address that is among some, or whose domain, or one above it, is."""
    address = fold(sender_address(name))
    _user, at, domain = address.rpartition("@")
    labels = domain.split(".")
    own = {address, *(".".join(labels[start:]) for start in range(len(labels)))}
    return bool(at) and any(fold(one) in own for one in outsiders)


def _names_of(unit: Agency) -> tuple[str, ...]:
    return tuple(name for name in (unit.name.vi, unit.name.en, *unit.aliases) if _WORD.search(name))


@dataclass(frozen=True, slots=True)
class _Home:
    """The own province, as the portal's name gives it."""

    words: _Words
    place: _Words
    """The words behind "tỉnh"; empty where the text has none."""

    @classmethod
    def of(cls, text: str) -> _Home:
        words = tuple(map(_spelling, _WORD.findall(fold(text))))
        place = words[len(words) - words[::-1].index(_PROVINCE) :] if _PROVINCE in words else ()
        return cls(words, place)

    def without(self, words: _Words) -> _Words:
        """Return an agency's name without the province behind it; the committees of the province keep the word."""
        province = next((one for one in (_PROVINCE, "tinh") if one in words[1:]), None)
        if province is not None:
            at = len(words) - 1 - words[::-1].index(province)
            behind = words[at + 1 :]
            if at and (not behind or self._names(behind)):
                rest = words[:at]
                return (*rest, _PROVINCE) if " ".join(_bare(rest)) in _BARE_BODIES else rest
        for place in () if _begins_with_place(words) else (self.place, _bare(self.place)):
            if place and words[-len(place) :] == place and len(words) > len(place) + 1:
                rest = words[: -len(place)]
                return words if " ".join(_bare(rest)) in _BARE_BODIES else rest
        return words

    def is_foreign(self, words: _Words) -> bool:
        """Say whether a name, without the own province, still names one, where the own one is known."""
        pairs = zip(words[1:], _bare(words)[2:], strict=False)
        return bool(self.place) and any(
            one in {_PROVINCE, "tinh"} and following not in _PROVINCIAL for one, following in pairs
        )

    def _names(self, words: _Words) -> bool:
        return _has_run(self.words, words) or _has_run(_bare(self.words), words)


@dataclass(frozen=True, slots=True)
class _Form:
    """A name without diacritics, taken apart."""

    words: _Words
    kind: str
    """What stands before a name: a place's kind, or the first word."""
    core: _Words
    is_place: bool

    @property
    def initials(self) -> str:
        """Return the first letters of the words behind the kind."""
        return "".join(word[0] for word in self.core)

    @classmethod
    def of(cls, bare: _Words) -> _Form:
        for kind in _BARE_PLACES:
            length = kind.count(" ") + 1
            if " ".join(bare[:length]) == kind and len(bare) > length:
                return cls(bare, kind, bare[length:], is_place=True)
        return cls(bare, bare[0] if bare else "", bare[1:], is_place=False)


_Key = tuple[str, object]


def _keys_of_unit(form: _Form) -> set[_Key]:
    """Return under what a unit's name is found by those that `_likeness` may find like it."""
    core, initials = "".join(form.core), form.initials
    keys: set[_Key] = {("words", form.words), ("label", "".join(form.words)), ("label", core)}
    keys |= {("core", form.core)} if form.is_place else set()
    keys |= {("initials", (form.kind, initials)), ("initials", form.kind[:1] + initials)}
    least = _LEAST_BEGINNING if not form.is_place else len(form.words) - len(form.core) + _LEAST_BEGINNING_OF_PLACE
    keys |= {("begins", form.words[:end]) for end in range(least, len(form.words))}
    return keys | {("slip", (form.kind, each)) for each in _without_a_letter(core)}


def _keys_of_written(form: _Form) -> set[_Key]:
    core = "".join(form.core)
    runs = {
        form.words[at:end]
        for at in range(len(form.words))
        for end in range(at + 1, min(at + _MAX_RUN, len(form.words)) + 1)
    }
    keys: set[_Key] = {(what, run) for run in runs for what in ("words", "core")}
    keys |= {("initials", (form.kind, core)), ("initials", "".join(form.words))}
    keys.add(("begins", form.words))
    return keys | {("slip", (form.kind, each)) for each in _without_a_letter(core)}


_LEAST_BEGINNING = 3
"""Words of a unit's name by which a longer one is like it: "Sở Y tế", which is now "Sở Y tế và Dân số"."""
_LEAST_BEGINNING_OF_PLACE = 2
"""Words behind the kind of a place by which a longer name is like it: a clerk cut "Xã Ninh Hải Đông" to "UBND xã Ninh Hải"."""
_MAX_RUN = 25
"""Words of a unit's name, at most, that is found within a longer one."""


def _without_a_letter(text: str) -> set[str]:
    """Return a text and what is left of it without any one letter: two texts with a slip between them have one of these in common."""
    return {text, *(text[:at] + text[at + 1 :] for at in range(min(len(text), _MAX_CORE)))} if text else set()


_MAX_CORE = 60
_STRONG = 2
"""Up to this rank a name is like another as a whole; if any is, those that merely share a part are no suggestions."""
_UNLIKE = 9


def _likeness(written: _Form, labels: frozenset[str], unit: _Form) -> int:
    """Return how far a written name is from a unit's, 0 for nearest, `_UNLIKE` for not alike at all."""
    if written.words == unit.words:
        return 0
    core, whole = "".join(unit.core), "".join(unit.words)
    if written.is_place and unit.is_place and written.core == unit.core:
        return 1
    if labels & {whole, core, f"ubnd{whole}", f"ubnd{core}"}:
        return 1
    initials = unit.initials
    if len(initials) > 1 and written.kind == unit.kind and "".join(written.core) == initials:
        return 2
    if len(initials) > 1 and "".join(written.words) == unit.kind[:1] + initials:
        return 2
    if written.kind == unit.kind and _is_slip("".join(written.core), core):
        return 2
    if _is_beginning(written, unit):
        return 2
    if len(unit.words) > 1 and _has_run(written.words, unit.words):
        return 3
    if unit.is_place and len(core) >= SLIP_LETTERS and _has_run(written.words, unit.core):
        return 4
    return _UNLIKE


def _left_out(written: _Words, full: _Words, capitals: frozenset[str]) -> int | None:
    """Return how many words of a unit's name a shortened one leaves out, apart from the kinds of places; None if it is not short for it.

    Each written word stands in the name, in its order, or is a word of capitals that are the initials of at least two of its words:
    TTYT for Trung tâm Y tế, TTr for Thanh tra.

    >>> name = tuple("trung tam y te huyen van ninh".split())
    >>> [_left_out(tuple(text.split()), name, frozenset({"ttyt", "cdc"})) for text in ("ttyt van ninh", "ttyt", "cdc van ninh")]
    [0, 2, None]
    """
    if not written or not full or written[0][0] != full[0][0]:
        return None
    reached: dict[int, tuple[int, bool]] = {0: (0, False)}
    for number, word in enumerate(written):
        following: dict[int, tuple[int, bool]] = {}
        for at, (left, is_short) in reached.items():
            skipped = left
            for start in range(at, len(full)):
                ends = [(start + 1, is_short)] if full[start] == word else []
                if word in capitals:
                    ends += [(end, True) for end in _ends_of_initials(word, full, start)]
                for end, short in ends:
                    if end not in following or (skipped, not short) < (following[end][0], not following[end][1]):
                        following[end] = skipped, short
                skipped += full[start] not in _PLACE_WORDS
                if number == 0:
                    break  # the first word is never left out
        reached = following
    found = [
        left + sum(word not in _PLACE_WORDS for word in full[at:]) for at, (left, short) in reached.items() if short
    ]
    return min(found, default=None)


def _ends_of_initials(word: str, full: _Words, start: int) -> set[int]:
    """Return behind which words of a name those end of which a word has the initials, from some place on; at least two of them."""
    reached = {(start, 0)}
    ends: set[int] = set()
    while reached:
        following = set()
        for at, used in reached:
            if used == len(word):
                ends |= {at} if at - start > 1 else set()
            elif at < len(full):
                onset = _ONSET.match(full[at])
                longest = len(onset[0]) if onset else 1
                following |= {
                    (at + 1, used + length)
                    for length in range(1, longest + 1)
                    if word[used : used + length] == full[at][:length]
                }
        reached = following
    return ends


def _is_beginning(written: _Form, unit: _Form) -> bool:
    """Say whether a name is a longer one that was cut, and keeps enough of it to mean something."""
    if unit.words[: len(written.words)] != written.words:
        return False
    if unit.is_place:
        return written.kind == unit.kind and len(written.core) >= _LEAST_BEGINNING_OF_PLACE
    return len(written.words) >= _LEAST_BEGINNING


def _normal_form(name: str, home: _Home) -> _Words:
    """Return a name's words: spelt in one way, abbreviations written out, without "và", the own province and a place's committee.

    >>> " ".join(_bare(_normal_form("UBND P. Vĩnh Hoà - TP. Nha Trang", _Home.of(""))))
    'phuong vinh hoa thanh pho nha trang'
    """
    words = tuple(word.lstrip("0") or "0" for word in _WORD.findall(fold(name)) if word not in _AND)
    if words and words[0] in _DEPARTMENT and len(words) > 1:
        words = (words[0], *_full_department(words[1:]))
    full = tuple(part for word in words for part in _ALL_SHORT.get(word, word).split())
    spelt = tuple(map(_spelling, full))
    behind = len(_BARE_COMMITTEE) if _bare(spelt[: len(_BARE_COMMITTEE)]) == _BARE_COMMITTEE else 0
    starts = _SHORT_OF_COMMITTEE if behind else _SHORT_AT_START
    if len(spelt) > behind + 1 and spelt[behind] in starts:
        spelt = (*spelt[:behind], *_spelt(starts[spelt[behind]]), *spelt[behind + 1 :])
    if behind and _begins_with_place(spelt[behind:]):
        spelt = spelt[behind:]
    return home.without(spelt)


def _full_department(words: _Words) -> _Words:
    """Write out the abbreviation of a department at the start of some words: "gd", "đt" as "giáo dục đào tạo"."""
    for length in range(min(len(words), 4), 0, -1):
        full = _ALL_DEPARTMENTS.get("".join(words[:length]))
        if full is not None:
            return (*full.split(), *words[length:])
    return words


def _begins_with_place(words: _Words) -> bool:
    bare = " ".join(_bare(words))
    return any(bare.startswith(f"{kind} ") for kind in _BARE_PLACES)


@lru_cache(maxsize=10_000)
def _spelling(word: str) -> str:
    """Return a syllable with its tone behind it: "hòa" and "hoà" are one word, and so are "Mỹ" and "Mĩ"."""
    parts = unicodedata.normalize("NFD", word)
    tone = "".join(sign for sign in parts if sign in _TONES)
    rest = unicodedata.normalize("NFC", "".join(sign for sign in parts if sign not in _TONES))
    if _ENDS_IN_Y.fullmatch(rest):
        rest = f"{rest[:-1]}i"
    return rest + tone


def _spelt(text: str) -> _Words:
    return tuple(map(_spelling, text.split()))


def _bare(words: _Words) -> _Words:
    """Return words without diacritics."""
    return tuple(_bare_word(word) for word in words)


@lru_cache(maxsize=10_000)
def _bare_word(word: str) -> str:
    return without_marks(word)


def _squashed(text: str) -> str:
    return "".join(_bare(tuple(_WORD.findall(text))))


def _has_marks(text: str) -> bool:
    """Say whether any letter has a diacritic; abbreviations of which đ is a part are left out."""
    return any(word not in _SHORT and _bare_word(word) != word for word in _WORD.findall(text))


def _has_run(words: _Words, part: _Words) -> bool:
    length = len(part)
    return any(words[at : at + length] == part for at in range(len(words) - length + 1))


def _is_slip(one: str, other: str) -> bool:
    """Say whether two words are one but for a letter too many, too few, another one, or two that changed places."""
    if min(len(one), len(other)) < SLIP_LETTERS or abs(len(one) - len(other)) > 1 or not _LETTERS.search(one):
        return False
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if one.isdigit() or other.isdigit():  # another number is another place
        return False
    return max(len(one), len(other)) <= 1 or (len(one) == len(other) == 2 and one == other[::-1])


_BARE_PLACES = tuple(map(bare_text, _PLACES))
_PLACE_WORDS = frozenset({"tinh", *(word for kind in _BARE_PLACES for word in kind.split())})
_ONSET = re.compile("[bcdghklmnpqrstvx]+")
"""The consonants that a syllable begins with: initials of it may be T or Tr."""
_BARE_BODIES = tuple(map(bare_text, _BODIES))
_BARE_COMMITTEE = tuple(bare_text(_COMMITTEE).split())
_ALL_SHORT: Mapping[str, str] = {**_SHORT, **{_bare_word(short): full for short, full in _SHORT.items()}}
_PROVINCE = _spelling("tỉnh")
_BARE_PROVINCE = "tinh"
_ALL_DEPARTMENTS: Mapping[str, str] = {
    **{_bare_word(short): full for short, full in _DEPARTMENTS.items()},
    **_DEPARTMENTS,
}
_PROVINCE_NAMES = tuple(tuple(tuple(bare_text(name).split()) for name in names) for names in PROVINCES)
_BARE_CITIES = frozenset(tuple(bare_text(name).split()) for name in CITIES)
_CITY = ("thanh", "pho")
_OF_PROVINCE = ((("so",), 2), (("cong", "an"), 2), (("thanh", "tra"), 2), (("bao", "hiem", "xa", "hoi"), 4))
"""How the names of agencies begin that a province has one of, and how many words of theirs stand before its name."""
_PLACE_STARTS = frozenset({"phuong", "thi", "huyen", "quan", "khu", "ubnd", "ban"})
"""Words of a place below the province, or of a people's committee; one before the province's name may be the place's own."""
_PROVINCIAL = frozenset({"uy", "doan", "hoi"})
"""Tỉnh ủy, tỉnh đoàn, tỉnh hội: bodies, and no name of a province."""
_DEPARTMENT = frozenset({"sở", "so"})
_AND = frozenset({"và", "va"})
