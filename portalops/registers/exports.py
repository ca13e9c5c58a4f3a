"""Which bundles were handed out: the `export` records, folded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from portalops.model.record import Digest
from portalops.model.runs import WrittenFile

EXPORT: Final = "export"
"""The kind, and the key of the export in the record's body."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Details that were withheld from a bundle on purpose."""

    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """The body of an `export` record, under the key `export`: a bundle that was written for somebody."""

    period: str
    """`2026-11-16..2026-11-22`."""
    reports: tuple[WrittenFile, ...] = ()
    withheld: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Exporter:
    """The part of the record's circumstances that says who exported: what the machine and the environment said of it."""

    user_id: int
    login_user_id: int | None
    sudo_user: str
    host: str


@dataclass(frozen=True, slots=True)
class RecordedExport:
    """An export with the record that holds it."""

    seq: int
    at: datetime
    export: Export
    by: Exporter | None
    """None where the record does not say."""
