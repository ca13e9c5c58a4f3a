"""The file formats a report can be written in: one module a format, found by its name; it registers as `FORMAT`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.plugins import Door

if TYPE_CHECKING:
    from collections.abc import Callable

    from portalops.reports.document import Document


class RenderReport(Protocol):
    """Writes documents."""

    def __call__(self, document: Document, *, language: str) -> bytes:
        """Return the file's bytes; the same document and language give the same bytes."""
        ...


def _nothing_lacks() -> tuple[Message, ...]:
    return ()


def _takes(_document: Document) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """Renders any document into one file format."""

    suffix: str
    """File suffix with its dot."""
    render: RenderReport
    lacks: Callable[[], tuple[Message, ...]] = _nothing_lacks
    """Returns what the machine lacks, such as a font, and what is taken instead: warnings, for files can be made all the same.

    It raises `UnknownReport` for what can't be replaced, so that no file can be made.
    """
    require: Callable[[Document], None] = _takes
    """Passes for a document that can be written in it and raises `ReportError` for another, before any file is written."""


FORMATS: Final = Door("portalops.reports.formats", "FORMAT", ReportFormat)


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the formats' names, sorted; nothing is imported for it."""
    return FORMATS.names()


def load(name: str) -> ReportFormat:
    """Return the format of a name.

    Raises:
        UnknownReport: there is no such format.
    """
    return FORMATS.find(name, msg("no report format is named {name}", name=show_text(name, 60)), error=UnknownReport)


def lacks(some: Iterable[ReportFormat]) -> tuple[Message, ...]:
    """Return what the machine lacks for some formats, such as a font, and what is taken instead; nothing is made for it.

    Raises:
        UnknownReport: a format needs what is not installed.
    """
    return tuple(lack for form in some for lack in form.lacks())
