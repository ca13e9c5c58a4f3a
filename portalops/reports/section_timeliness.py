"""How soon after their documents items were published, by the time limits of another regulation: tables for papers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portalops.model.message import msg, nmsg
from portalops.model.organisation import Name, UnitId
from portalops.model.timeliness import RuleSetTimeliness
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import Cell, Paragraph, TableBlock

_VERDICTS = (
    DutyVerdict.MET,
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.NOT_ASSESSED,
)


def timeliness_blocks(found: RuleSetTimeliness, names: Mapping[UnitId, Name]) -> Iterator[Paragraph | TableBlock]:
    """Yield what a reader must know of the rule set, a row for each of its limits, and the items after theirs."""
    yield Paragraph(msg("{title}. {notice}", title=found.rule_set.title, notice=found.rule_set.notice))
    rows: list[tuple[Cell, ...]] = []
    for limit, counts in zip(found.rule_set.limits, found.counts, strict=True):
        others = limit.working_days_of_others
        days = (
            nmsg("{n} working day", "{n} working days", limit.working_days)
            if others is None
            else msg("{n} working days, {others} for units that did not issue it", n=limit.working_days, others=others)
        )
        rows.append((limit.what, days, *(counts.get(verdict, 0) for verdict in _VERDICTS)))
    headers = (
        msg("Information"), msg("Limit"), msg("In time"), msg("Late"), msg("Not known"), msg("Not under this rule"),
    )  # fmt: skip
    yield TableBlock(msg("Items first seen in the period, by their documents' dates"), headers, rows)
    if not found.late:
        return
    late: list[tuple[Cell, ...]] = [
        (names.get(one.unit, one.unit) if one.unit else None, one.title, one.document_on, one.due_on, one.seen_on)
        for one in found.late
    ]
    count = len(found.late) + found.late_more
    caption = nmsg("{n} item after its limit", "{n} items after their limits", count)
    if found.late_more:
        caption = msg("{caption}, of which the first {shown} are named", caption=caption, shown=len(found.late))
    yield TableBlock(
        caption, (msg("Unit"), msg("Title"), msg("Document of"), msg("Due on"), msg("First seen on")), late
    )
