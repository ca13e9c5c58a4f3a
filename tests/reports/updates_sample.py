"""The sample month's updates: thirty units of every kind, cases, exemptions and papers."""

from __future__ import annotations

from dataclasses import replace

from portalops.registers.evidence import Evidence
from portalops.reports.material import WHOLE, Material, ReportScope
from tests.reports import sample, servers_sample


def evidence() -> Evidence:
    """Return the sample month's evidence."""
    return sample.evidence()


def material(found: Evidence | None = None, *, scope: ReportScope = WHOLE) -> Material:
    """Return the material of the report on the sample month's updates."""
    return replace(servers_sample.material(found or evidence(), scope=scope), servers=None)


def empty() -> Material:
    """Return the material of a month of which nothing is recorded."""
    return material(replace(evidence(), updates=None, cases=(), exemptions=(), sendings=()))
