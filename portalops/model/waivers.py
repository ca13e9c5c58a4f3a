"""Waivers: what somebody in charge decided to go without, and until when. They explain a verdict and never change it."""

from __future__ import annotations

from datetime import date

from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Waiver:
    """The body of a `waiver.granted` record, under the key `waiver`."""

    id: str
    duty: str
    """The duty or clause that is not kept."""
    subject: str
    """The host, unit, medium or set that it is about; empty for all of the duty."""
    reason: str
    approved_by: str
    document: str
    """Number and date of the written decision."""
    valid_from: date
    valid_to: date
    """Both days are included."""


@dataclass(frozen=True, slots=True)
class WaiverWithdrawal:
    """The body of a `waiver.withdrawn` record, under the key `withdrawal`."""

    id: str
    """Of the waiver."""
    reason: str
    approved_by: str
