"""A regulation as data: clauses, duties and numbers. The data files lie in `portalops/rulebooks/`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import NewType

from portalops.model.organisation import Name
from portalops.model.values import dataclass

DutyId = NewType("DutyId", str)


class Occasions(StrEnum):
    """How items become occasions (lần): updates.md section 4, parameter `occasion`."""

    DAY = "day"
    """Any number of countable items on one local day is one occasion."""
    SESSION = "session"
    """Items closer together than the session gap are one occasion."""
    ITEMS = "items"


class UnitDuties(StrEnum):
    """Which of K1 (sub-portal updates) and K2 (submissions) Article 11.2 is read to ask for."""

    BOTH = "both"
    SUBMIT_ONLY = "submit_only"
    EITHER = "either"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the regulation, as it is written."""

    id: str
    """Such as `10.2`."""
    title: Name
    text: str
    """The Vietnamese text; the source of truth."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a clause asks for, one thing at a time, and how it is judged."""

    id: DutyId
    clause: str
    title: Name
    evidence: Name
    """What counts as evidence."""
    rule: str
    """The name of the judging rule in `portalops.compliance`."""
    subject: str = ""
    """What the rule is about where one rule serves several duties, such as the data class `content`."""
    checks: tuple[str, ...] = ()
    """For duties judged by server checks: every check id that must have passed on every host."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The rulebook's numbers; each may be changed by configuration, and the report shows it."""

    backup_max_age_days: int = 7
    """Article 10.2: at least once a week."""
    inventory_max_age_days: int = 31
    """How old an inventory of the archive may be; Article 10.1 names no number."""
    read_back_max_age_days: int = 35
    """How long a copy counts as verified after every byte of it was read; no article names a number."""
    restored_max_age_days: int = 185
    """How long it counts that a copy was restored; no article names a number."""
    queried_max_age_days: int = 185
    """How long it counts that what was restored was queried; no article names a number."""
    portal_daily_min: int = 1
    """Article 11.1: updates due on each working day."""
    unit_weekly_min: int = 2
    """Article 11.2: occasions due each full week."""
    unit_duties: UnitDuties = UnitDuties.BOTH
    occasion: Occasions = Occasions.DAY
    session_gap_minutes: int = 120
    """Where a session is one occasion: an item that comes longer than this after the one before begins another one."""
    day_cutoff: str = "24:00"
    """Local time at which a day closes for counting; later items count on the next day."""
    weekend_counts_daily: bool = False
    """A Saturday item never pays for Friday or Monday."""
    weekend_counts_weekly: bool = True
    """What comes on a day off counts for its week."""
    late_grace_hours: int = 0
    """For how long after a missed day an update is reported as late (đạt muộn). It never repairs the day."""
    short_weeks_ask_less: bool = True
    """A week of which a unit owes fewer than five working days asks for its share, rounded up; else for all of it."""
    syndication_counts_as_submission: bool = True
    """An item pulled from the sub-portal counts for K1 and K2 (Article 9.2)."""
    duplicate_window_days: int = 90
    """How far back an item is compared with earlier ones, to find the same text."""
    new_subportal_grace_working_days: int = 10
    """For how long from a unit's first day its sub-portal owes nothing."""
    check_max_age_hours: int = 48
    """How old a check result may be and still speak for today."""
    check_every_days: int = 1
    """Article 12.4 "regularly": the longest allowed gap between scans, in days."""
    finding_critical_days: int = 15
    """How long a critical finding may be open; no article names a number. CISA's BOD 19-02 gives 15 days."""
    finding_high_days: int = 30
    """The same for a high one: 30 days in BOD 19-02."""
    finding_medium_days: int = 90
    """The same for one of medium severity; no article names a number."""
    finding_low_days: int = 180
    """The same for a low one; no article names a number."""
    waiver_max_days: int = 365
    """How far away the end of a check's waiver may be; no article names a number."""
    case_remind_working_days: int = 1
    """How long after a shortfall was found the unit is reminded. Article 11.3 names no days; these are our own."""
    case_explain_working_days: int = 3
    """How long it then has to explain."""
    case_decide_working_days: int = 3
    """How long a decision on the explanation may take."""
    case_close_working_days: int = 10
    """How long after that the case may stay open."""
    case_report_working_days: int = 5
    """How long after a week's end a repeated shortfall is reported upwards."""
    report_cut_off_day: int = 14
    """The last day of a reporting month; 0 for the calendar month. Decision 01/2023/QĐ-UBND of Khánh Hòa: the 14th."""
    report_due_working_days: int = 2
    """How long after a reporting month its report is due, by the same Decision."""
    exemption_entered_working_days: int = 5
    """An exemption that is entered later than this after its first day is shown as entered afterwards (miễn bổ sung)."""
    incident_first_report_hours: int = 24
    """How long after an incident was noticed it is reported first. Article 12.5 names no number: these are this rulebook's own.

    Stricter than Article 11 of Decision 05/2017/QĐ-TTg, which has operators report within 5 days.
    """
    incident_full_report_hours: int = 72
    """How long after it was noticed the full report is due: with cause, effects and counter-measures."""
    repeat_weeks: int = 2
    """So many weeks in a row are reported to the Department."""
    repeat_per_quarter: int = 3
    """So many cases in a quarter are reported to the Committee."""


ENDED = ("min_coverage_percent", "backdate_grace_hours", "claim_window_hours")
"""Numbers of earlier rulebooks that have no effect any more; a configuration that still names them is warned."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One regulation, versioned and dated."""

    id: str
    version: str
    """Changes whenever a duty or number changes; every verdict names it."""
    title: Name
    document: str
    """Number, date and issuer of the legal document."""
    valid_from: date
    valid_to: date | None
    clauses: tuple[Clause, ...]
    duties: tuple[Duty, ...]
    numbers: Numbers
    notices: tuple[Name, ...] = ()
    """What a reader must know about the regulation's standing, printed in every report."""
    overridden: Mapping[str, str] = field(default_factory=dict)
    """Numbers that configuration changed: name to the rulebook's own value."""

    @property
    def edition(self) -> str:
        """Name what is judged by: id and version, and a digest of the numbers if configuration changed any."""
        if not self.overridden:
            return f"{self.id}@{self.version}"
        changed = "".join(f"{name}={getattr(self.numbers, name)}\n" for name in sorted(self.overridden))
        return f"{self.id}@{self.version}+{hashlib.sha256(changed.encode()).hexdigest()[:8]}"

    def clause(self, clause_id: str) -> Clause:
        """Return a clause by id.

        Raises:
            KeyError: there is no such clause.
        """
        for clause in self.clauses:
            if clause.id == clause_id:
                return clause
        raise KeyError(clause_id)

    def duty(self, duty_id: str) -> Duty:
        """Return a duty by id.

        Raises:
            KeyError: there is no such duty.
        """
        for duty in self.duties:
            if duty.id == duty_id:
                return duty
        raise KeyError(duty_id)
