"""Ledger checks: checks of the catalogue that the ledger answers and no host; one file each, whose docstring is its page.

They are judged as duties, by the rule that the page names. A file is `<id with underscores>.py` with `CHECK`.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from portalops.model.message import Message
from portalops.model.verdicts import Severity


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One of them."""

    id: str
    """Dotted and stable; never reused."""
    clause: str
    """Of the regulation, such as `12.4`."""
    severity: Severity
    title: Message
    """The good state, in a sentence."""
    remedy: Message
    """What to do when it does not hold."""
    page: str
    """What it is, why it matters, where the rule comes from, and which records are read."""


@lru_cache(maxsize=1)
def record_checks() -> tuple[RecordCheck, ...]:
    """Return every ledger check, by id."""
    names = sorted(each.name for each in pkgutil.iter_modules([str(Path(__file__).parent)]))
    found: list[RecordCheck] = [importlib.import_module(f"{__name__}.{name}").CHECK for name in names]
    return tuple(sorted(found, key=lambda one: one.id))
