"""An official paper as values: its parts by the names of Decree 30/2020/NĐ-CP, Annex I, before anything knows how it will look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock

Words = Message | Name


class PaperKind(StrEnum):
    """What kind of paper it is."""

    LETTER = "letter"
    """Công văn: no name of its kind; what it is about stands under the number."""
    REPORT = "report"
    """Báo cáo."""


PAPER_NAMES: dict[PaperKind, Message] = {PaperKind.REPORT: msg("REPORT")}
"""What a kind is called above its subject; a letter has no name."""

BodyBlock = Heading | Paragraph | Bullets | TableBlock


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A basis of the paper (căn cứ): in italics, each ends with a semicolon, the last with a full stop."""

    texts: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Annex:
    """One annex (phụ lục), on pages of its own."""

    title: Message
    table: TableBlock
    landscape: bool = True


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs: the authority, the office and the full name under the space for the signature."""

    authority: str
    """Such as `KT. GIÁM ĐỐC`; empty where the head signs."""
    office: str
    """Such as `PHÓ GIÁM ĐỐC`."""
    name: str = ""
    """Such as `Nguyễn Văn An`; empty where the configuration names nobody."""


@dataclass(frozen=True, slots=True)
class OfficialPaper:
    """One paper."""

    kind: PaperKind
    parent: Name | None
    """The agency above the one that issues it; None for one that has none."""
    agency: Name
    sign: str
    """What stands behind the blank number, such as `BC-TTCNTT`, or `TTCNTT-ND` of a letter."""
    place: Name
    year: int
    """Of the date, whose day and month stay blank."""
    subject: Message
    addressees: Sequence[Words]
    """Kính gửi."""
    basis: LegalBasis
    body: Sequence[BodyBlock]
    signing: Signing
    recipients: Sequence[Words]
    """Nơi nhận, without the last line, which is the archive's."""
    archive: str
    """The last line's own words behind `Lưu: `, such as `VT, ND`."""
    annexes: Sequence[Annex] = ()
    zone: str = "Asia/Ho_Chi_Minh"
    """IANA name of the zone that moments are shown in."""
    drafted_on: date | None = None
    """For the file's own properties."""


NATION = msg("SOCIALIST REPUBLIC OF VIET NAM")
MOTTO = msg("Independence - Freedom - Happiness")


def annex_name(number: int, of: int) -> Message:
    """Return how an annex is called: annexes are counted where there are several (Decree 30/2020/NĐ-CP, Annex I, III)."""
    return msg("Annex {number}", number=roman(number)) if of > 1 else msg("Annex")


def roman(number: int) -> str:
    """Return a number of 1 to 39 as annexes are counted.

    >>> [roman(number) for number in (1, 4, 9, 14)]
    ['I', 'IV', 'IX', 'XIV']
    """
    ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
    return "X" * (number // 10) + ones[number % 10]
