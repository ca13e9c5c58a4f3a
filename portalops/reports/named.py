"""The reports by their names: each is one module `build_<name>.py` with a pure function, and registers as `REPORT`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.plugins import Door
from portalops.reports.document import Document
from portalops.reports.material import Material


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report."""

    title: Message
    build: Callable[[Material], Document]
    """Returns the report as a document, pure; a report uses of the material what it needs."""
    scopes: frozenset[str] = frozenset()
    """What it can be cut down to, of `unit` and `host`."""
    needs: frozenset[str] = frozenset()
    """What it needs that is not read for all reports, such as `servers`."""
    spares: frozenset[str] = frozenset()
    """What it can do without that is read for the others, such as `rounds`.

    Every answer of every check of a year would not fit into memory: a report that needs none of them can be of a year.
    """


REPORTS: Final = Door("portalops.reports", "REPORT", Report, prefix="build_")


@cache
def report_names() -> tuple[str, ...]:
    """Return the names of all reports, sorted; nothing is imported for it."""
    return REPORTS.names()


def load_report(name: str) -> Report:
    """Return a report.

    Raises:
        UnknownReport: there is no report of this name.
    """
    return REPORTS.find(name, msg("there is no report {name}", name=show_text(name, 60)), error=UnknownReport)
