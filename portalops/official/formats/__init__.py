"""The file formats of official papers, one module each with `FORMAT`: what renders any paper to bytes.

The same paper gives the same bytes.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from portalops.errors import UnknownReport
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.official.paper import OfficialPaper


class PaperFormat(Protocol):
    """Writes papers."""

    @property
    def name(self) -> str:
        """Return its name, such as `docx`."""
        ...

    @property
    def suffix(self) -> str:
        """Return what its files end with."""
        ...

    def render(self, paper: OfficialPaper, *, language: str) -> bytes:
        """Return the file.

        Raises:
            MissingExtra: it needs a package that is not installed.
        """
        ...


def names() -> tuple[str, ...]:
    """Return the formats' names, sorted; nothing is imported for it."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def load(name: str) -> PaperFormat:
    """Return the format of a name.

    Raises:
        UnknownReport: there is no such format.
    """
    if name not in names():
        raise UnknownReport(
            msg("no format of official papers is named {name}", name=name[:60]),
            msg("Choose one of: {names}.", names=", ".join(names())),
        )
    return cast("PaperFormat", importlib.import_module(f"{__name__}.{name}").FORMAT)
