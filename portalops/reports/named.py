"""The reports by their names: each is one module `build_<name>.py` with a pure function `build`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from types import ModuleType
from typing import Protocol, cast

from portalops import reports
from portalops.calendar.calendar import Calendar
from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.organisation import Actor, Portal, Unit
from portalops.model.period import Period
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof
from portalops.reports.document import Document

_PREFIX = "build_"


class Builder(Protocol):
    """What every report is made by; a report uses of these what it needs."""

    def __call__(
        self,
        *,
        portal: Portal,
        actors: Sequence[Actor],
        units: Sequence[Unit],
        rulebook: Rulebook,
        calendar: Calendar,
        period: Period,
        standings: Sequence[Standing],
        evidence: Evidence,
        proof: Proof,
        generated_at: datetime,
        version: str,
    ) -> Document:
        """Return the report as a document; the same arguments give the same document."""
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


def _module(name: str) -> ModuleType:
    if name not in report_names():
        raise UnknownReport(
            msg("no report is named {name}", name=name[:60]),
            msg("Choose one of: {names}.", names=", ".join(report_names())),
        )
    return importlib.import_module(f"{reports.__name__}.{_PREFIX}{name}")
