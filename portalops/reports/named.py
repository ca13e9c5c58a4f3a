"""The reports by their names: each is one module `build_<name>.py` with a pure function `build`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Protocol, cast

from portalops import reports
from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.reports.document import Document
from portalops.reports.material import Material

_PREFIX = "build_"


class Builder(Protocol):
    """What every report is made by; a report uses of these what it needs."""

    def __call__(self, material: Material) -> Document:
        """Return the report as a document; the same material gives the same document."""
        ...


@cache
def report_names() -> tuple[str, ...]:
    """Return the names of all reports, sorted; nothing is imported for it."""
    modules = (module.name for module in pkgutil.iter_modules(reports.__path__))
    return tuple(sorted(name.removeprefix(_PREFIX) for name in modules if name.startswith(_PREFIX)))


def load_report(name: str) -> Builder:
    """Return the builder of a report.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return cast("Builder", _module(name).build)


def report_title(name: str) -> Message:
    """Return a report's title.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return cast("Message", _module(name).TITLE)


def report_scopes(name: str) -> frozenset[str]:
    """Return what a report can be cut down to, of `unit` and `host`; the module says so as `SCOPES`, and else there is none.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return cast("frozenset[str]", getattr(_module(name), "SCOPES", frozenset()))


def report_needs(name: str) -> frozenset[str]:
    """Return what a report needs that is not read for all of them, such as `servers`; the module says so as `NEEDS`.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return cast("frozenset[str]", getattr(_module(name), "NEEDS", frozenset()))


def report_spares(name: str) -> frozenset[str]:
    """Return what a report can do without that is read for the others, such as `rounds`; the module says so as `SPARES`.

    Every answer of every check of a year would not fit into memory: who asks for none of them can be of a year.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return cast("frozenset[str]", getattr(_module(name), "SPARES", frozenset()))


def _module(name: str) -> ModuleType:
    if name not in report_names():
        raise UnknownReport(
            msg("no report is named {name}", name=show_text(name, 60)),
            msg("Choose one of: {names}.", names=", ".join(report_names())),
        )
    return importlib.import_module(f"{reports.__name__}.{_PREFIX}{name}")
