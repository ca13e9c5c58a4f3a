"""What the verbs of this noun show alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import TypedDict

from checks.updates.authors import names_nobody
from commands.cli.session import Session
from commands.cli.shapes import ShownMessage, shape
from commands.updates.steps import UnknownSender, exemption_remarks
from portalops.model.exemptions import ExemptionKind, ExemptionScope
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.text import show_text
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.registers.exemptions import RecordedExemption
from portalops.reports.document import Block, Cell, Paragraph, TableBlock


@shape
class ShownExemption:
    """One exemption."""

    id: str
    unit: UnitId | None
    """Null for the portal's own duty."""
    scopes: tuple[ExemptionScope, ...]
    kind: ExemptionKind
    from_: date
    to: date
    document: str
    approver: str
    withdrawn_at: datetime | None
    remarks: tuple[ShownMessage, ...]
    """What a reader should know of how it came about."""
    record: int | None
    """Null if it was only shown."""


def exemption_data(each: RecordedExemption, session: Session, record: int | None) -> ShownExemption:
    one = each.exemption
    return ShownExemption(
        id=one.id,
        unit=one.unit,
        scopes=one.scopes,
        kind=one.kind,
        from_=one.first,
        to=one.last,
        document=one.document,
        approver=one.approver,
        withdrawn_at=each.withdrawn_at,
        remarks=tuple(map(ShownMessage.of, exemption_remarks(session, each))),
        record=record,
    )


def unknown_senders_view(senders: Sequence[UnknownSender]) -> Sequence[Block]:
    """Return the names that fit no unit, those that resemble one first, and what decides whose they are."""
    if not senders:
        return ()
    headers = (msg("Name"), msg("Source"), msg("Items"), msg("Resembles"))
    ordered = sorted(senders, key=lambda one: (not one.resembles, one.source, one.name))
    rows: list[tuple[Cell, ...]] = [
        (one.name or msg("no name written"), one.source, one.items, ", ".join(one.resembles[:MAX_RESEMBLED]) or None)
        for one in ordered
    ]
    blocks: list[Block] = [TableBlock(msg("Names that fit no unit"), headers, rows)]
    if any(one.resembles for one in senders):
        blocks.append(Paragraph(DECIDE_SENDER))
    if any(one.is_stranger for one in senders):
        blocks += _declarations([one for one in senders if one.is_stranger])
    if any(names_nobody(one.name) for one in senders):
        blocks.append(Paragraph(_FILL_IN))
    return blocks


DECIDE_SENDER = msg(
    "If a name is a unit's, add it, or of a mail its address alone, to aliases in the unit's [[unit]] table; of a single paper, record whose it is: 'portalops updates"
    " register --unit ID --number NUMBER --arrived DAY --subject TEXT'."
)
_FILL_IN = msg(
    "An item whose author is not written may be any unit's. Have the name filled in, or record whose it is: 'portalops updates register --unit"
    " ID --number NUMBER --arrived DAY --subject TEXT'."
)


def _declarations(strangers: Sequence[UnknownSender]) -> list[Block]:
    """Return what to write where names of a register are no unit's, a line for each source."""
    blocks: list[Block] = [Paragraph(_DECLARE)]
    for source in dict.fromkeys(one.source for one in strangers):
        names = dict.fromkeys(one.name for one in strangers if one.source == source)
        line = json.dumps([show_text(name, MAX_NAME) for name in names], ensure_ascii=False)  # TOML writes it alike
        blocks.append(Paragraph(msg("Of source {source}: outsiders = {names}", source=source, names=line)))
    return blocks


_DECLARE = msg(
    "A line of a register may be any unit's while nobody knows its author. If a name is no unit's, add it to outsiders of its source, and join"
    ' them to the names that stand there: its lines bear on nobody then, the past ones too. "Công ty *" stands for all that begin so.'
)
MAX_NAME = 200
MAX_RESEMBLED = 5


@shape
class ShownWeek:
    """A unit's ISO week: both indicators and the verdict."""

    week: str
    """In the form 2026-W47."""
    verdict: DutyVerdict
    reason: str
    required: int
    """Occasions due, the greater number of both indicators; 0 when exempt."""
    subportal_required: int
    """Occasions due of K1."""
    submissions_required: int
    """Occasions due of K2."""
    subportal: int
    """K1: occasions seen on the sub-portal."""
    submissions: int
    """K2: occasions seen coming in."""
    subportal_verdict: DutyVerdict
    submissions_verdict: DutyVerdict
    subportal_reason: str | None
    """Null where K1 is met or nothing is due."""
    submissions_reason: str | None
    """Null where K2 is met or nothing is due."""
    pending: int
    """Occasions that rest on claimed dates alone."""
    working_days: int
    """Working days on which the unit existed."""
    coverage_percent: int
    """How much of the week was seen, as far as it had gone, of what the verdict rests on."""
    unseen_hours: int | None
    """Hours of the week, as far as it had gone, that no poll has shown; null in older records."""
    unreachable: tuple[date, ...]
    """Working days on which the sub-portal was polled and never answered."""
    exemptions: tuple[str, ...]
    """Ids of those by which days of the week are not due."""


class WeekFields(TypedDict):
    """The fields of `ShownWeek`, to fill a shape that has more."""

    week: str
    verdict: DutyVerdict
    reason: str
    required: int
    subportal_required: int
    submissions_required: int
    subportal: int
    submissions: int
    subportal_verdict: DutyVerdict
    submissions_verdict: DutyVerdict
    subportal_reason: str | None
    submissions_reason: str | None
    pending: int
    working_days: int
    coverage_percent: int
    unseen_hours: int | None
    unreachable: tuple[date, ...]
    exemptions: tuple[str, ...]


def week_fields(week: UnitWeek) -> WeekFields:
    """Return a unit's week as data."""
    return {
        "week": str(week.week),
        "verdict": week.verdict,
        "reason": str(week.reason),
        "required": week.required,
        "subportal_required": week.due_on_subportal,
        "submissions_required": week.due_to_send,
        "subportal": week.subportal,
        "submissions": week.submissions,
        "subportal_verdict": week.subportal_verdict,
        "submissions_verdict": week.submissions_verdict,
        "subportal_reason": str(week.subportal_reason) if week.subportal_reason else None,
        "submissions_reason": str(week.submissions_reason) if week.submissions_reason else None,
        "pending": week.pending,
        "working_days": week.working_days,
        "coverage_percent": week.coverage_percent,
        "unseen_hours": week.unseen_hours,
        "unreachable": week.unreachable,
        "exemptions": week.exemptions,
    }
