"""The file formats of official papers, one module each, which registers as `FORMAT`: what renders any paper to bytes.

The same paper gives the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from portalops.errors import UnknownReport
from portalops.model.message import msg
from portalops.plugins import Door

if TYPE_CHECKING:
    from portalops.official.paper import OfficialPaper


class RenderPaper(Protocol):
    """Writes papers."""

    def __call__(self, paper: OfficialPaper, *, language: str) -> bytes:
        """Return the file.

        Raises:
            MissingExtra: it needs a package that is not installed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFormat:
    """A file format of papers."""

    suffix: str
    """What its files end with."""
    render: RenderPaper


FORMATS: Final = Door("portalops.official.formats", "FORMAT", PaperFormat)


def names() -> tuple[str, ...]:
    """Return the formats' names, sorted; nothing is imported for it."""
    return FORMATS.names()


def load(name: str) -> PaperFormat:
    """Return the format of a name.

    Raises:
        UnknownReport: there is no such format.
    """
    return FORMATS.find(name, msg("no format of official papers is named {name}", name=name[:60]), error=UnknownReport)
