"""What was seen to change at hosts over a period: when it happened, when it was approved, and under which change. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from portalops.model.host_drift import Attribution, ObservedDrift, SeenChange
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import HostId
from portalops.model.text import show_text
from portalops.reports.bounded import bounded
from portalops.reports.document import Bars, Block, Bullets, Cell, Notice, Paragraph, Status, TableBlock, Tone

CHANGES_SHOWN: Final = 120
"""Of all hosts together: about five printed pages."""
NAME_LETTERS: Final = 96
CONTENT_LETTERS: Final = 48
UNKNOWN_SHOWN: Final = 40

ATTRIBUTIONS: Mapping[Attribution, Status] = {
    Attribution.OUTSIDE: Status(msg("without approval"), Tone.BAD),
    Attribution.UNKNOWN: Status(msg("not clear"), Tone.UNSURE),
    Attribution.UNDER: Status(msg("approved"), Tone.GOOD),
}
"""The words for where something that changed stands, worst first."""


def drift_blocks(drift: Sequence[ObservedDrift]) -> Iterator[Block]:
    """Yield how much changed at each host, each change with both moments, and what the looks did not tell."""
    if not drift:
        yield Paragraph(msg("No server is configured, so nothing was compared."))
        return
    changed = [(one.host, each) for one in drift for each in one.changes]
    if changed:
        yield Bars(
            msg("What changed on the hosts, by whether an approved change covers it"),
            [(verbatim(show_text(one.host, NAME_LETTERS)), _parts(one.changes)) for one in drift if one.changes],
        )
    yield from bounded(_scans(drift))
    if changed:
        order = list(ATTRIBUTIONS)
        changed.sort(key=lambda each: (order.index(each[1].attribution), each[1].earliest_at))
        headers = (
            msg("Host"), msg("Kind"), msg("Name"), msg("Before"), msg("After"), msg("Happened at"), msg("State"),
            msg("Change"), msg("Approved at"), msg("Why"),
        )  # fmt: skip
        caption = msg(
            "Each change, with the time it happened and the time it was approved; those without approval first"
        )
        yield from bounded(TableBlock(caption, headers, [_row(*each) for each in changed]), CHANGES_SHOWN)
    elif any(one.compared for one in drift):
        yield Paragraph(msg("The scans that were compared show no change."))
    yield from _gaps(drift)


def totals(drift: Sequence[ObservedDrift]) -> Mapping[Attribution, int]:
    """Count what changed at all hosts by where it stands."""
    found = [each.attribution for one in drift for each in one.changes]
    return {each: found.count(each) for each in ATTRIBUTIONS}


def _parts(changes: Sequence[SeenChange]) -> list[tuple[Tone, Message, int]]:
    return [
        (status.tone, status.word, sum(each.attribution is attribution for each in changes))
        for attribution, status in ATTRIBUTIONS.items()
    ]


def _scans(drift: Sequence[ObservedDrift]) -> TableBlock:
    headers = (
        msg("Host"), msg("Compared from"), msg("To"), msg("Comparisons"),
        *(status.word for status in ATTRIBUTIONS.values()), msg("Kinds not fully seen"), msg("Remarks"),
    )  # fmt: skip
    rows = [
        (
            show_text(one.host, NAME_LETTERS),
            one.first_at,
            one.last_at,
            one.compared,
            *(count for _tone, _word, count in _parts(one.changes)),
            len(one.unknown),
            None if one.why_none is None else Status(one.why_none, Tone.UNSURE),
        )
        for one in sorted(drift, key=lambda one: one.why_none is None)  # stable: else as configured
    ]
    return TableBlock(msg("The scans of each host that were compared, and what they show"), headers, rows)


def _row(host: HostId, one: SeenChange) -> tuple[Cell, ...]:
    return (
        show_text(host, NAME_LETTERS),
        one.kind,
        show_text(one.name, NAME_LETTERS),
        _content(one.before),
        _content(one.after),
        one.happened,
        ATTRIBUTIONS[one.attribution],
        show_text(one.reference, NAME_LETTERS) or None,
        one.approved_at,
        one.why,
    )


def _content(text: str | None) -> Cell:
    return "?" if text is None else show_text(text, CONTENT_LETTERS) or None


def _gaps(drift: Sequence[ObservedDrift]) -> Iterator[Block]:
    gaps = [why for one in drift for why in one.unknown]
    if gaps:
        yield Paragraph(msg("What the scans did not show does not count as unchanged:"))
        yield Bullets(gaps[:UNKNOWN_SHOWN])
    if (more := len(gaps) - UNKNOWN_SHOWN) > 0:
        yield Paragraph(nmsg("{n} more of these is not listed.", "{n} more of these are not listed.", more))
    for one in drift:
        if one.left_out:
            text = msg("{host}: too many changes; {n} of them are not listed", host=one.host, n=one.left_out)
            yield Notice(text, Tone.UNSURE)
