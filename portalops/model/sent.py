"""Reports that were sent: what, over which days, to whom and when."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from portalops.model.record import Digest
from portalops.model.values import dataclass


class Addressee(StrEnum):
    """To whom a report goes (Article 11.3)."""

    DEPARTMENT = "department"
    COMMITTEE = "committee"


@dataclass(frozen=True, slots=True)
class SentReport:
    """The body of a `report.sent` record, under the key `sent`."""

    report: str
    """What it is about, such as `updates`."""
    first: date
    last: date
    """The days that it covers, both included."""
    to: Addressee
    sent_on: date
    number: str
    """Number and sign that the clerk gave it."""
    by: str
    """Who sent it."""
    how: str = ""
    """Such as the province's report system, or E-Office."""
    file: Digest | None = None
    """The report as it was sent."""
