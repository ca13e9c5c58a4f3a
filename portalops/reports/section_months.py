"""Every duty month by month: a picture, and what was not met or not known for how long. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from portalops.model.message import Message, msg
from portalops.model.period import Period
from portalops.model.rulebook import DutyId, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Grid, GridMark, Paragraph, TableBlock
from portalops.reports.section_updates import DUTY_SIGNS
from portalops.reports.words import duty_status

Months: TypeAlias = Sequence[tuple[Period, Sequence[Standing]]]

MONTHS_A_GRID: Final = 24
SPANS_SHOWN: Final = 120
SEQS_SHOWN: Final = 6
_LASTING: Final = (DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Lasting:
    """One verdict of one duty over months that follow each other."""

    duty: DutyId
    verdict: DutyVerdict
    months: tuple[Period, ...]
    last: Standing
    """Of the last of them."""


def month_blocks(months: Months, rulebook: Rulebook) -> Iterator[Block]:
    """Yield duties x months; a long period in several pictures of two years each."""
    if not months:
        yield Paragraph(msg("No month was judged by itself."))
        return
    for first in range(0, len(months), MONTHS_A_GRID):
        yield _grid(months[first : first + MONTHS_A_GRID], rulebook)


def lasting(months: Months, rulebook: Rulebook) -> tuple[Lasting, ...]:
    """Return how long duties were unmet, or not sufficiently known: the unmet first, then those that lasted longest."""
    found: list[Lasting] = []
    for duty in rulebook.duties:
        run: Lasting | None = None
        for month, standings in months:
            one = next((each for each in standings if each.duty == duty.id), None)
            verdict = one.verdict if one is not None else None
            if run is not None and run.verdict is verdict and one is not None:
                run = Lasting(duty.id, run.verdict, (*run.months, month), one)
                continue
            found += [run] if run is not None else []
            run = Lasting(duty.id, verdict, (month,), one) if one is not None and verdict in _LASTING else None
        found += [run] if run is not None else []
    return tuple(sorted(found, key=lambda each: (_LASTING.index(each.verdict), -len(each.months))))


def lasting_blocks(months: Months, rulebook: Rulebook) -> Iterator[Block]:
    """Yield a row a duty and run of months in which it was unmet or not sufficiently known."""
    found = lasting(months, rulebook)
    for verdict, caption, none in (
        (
            DutyVerdict.UNMET,
            msg("What was unmet, for how many months in a row, the longest first"),
            msg("No duty was unmet in a month."),
        ),
        (
            DutyVerdict.INSUFFICIENT_EVIDENCE,
            msg("What had insufficient evidence, for how many months in a row, the longest first"),
            msg("No duty had insufficient evidence in a month."),
        ),
    ):
        own = [each for each in found if each.verdict is verdict]
        if own:
            yield from bounded(_table(caption, own, rulebook), SPANS_SHOWN)
        elif months:
            yield Paragraph(none)


def month_word(month: Period) -> Message:
    """Return a month's short name for the head of a column."""
    return msg("{month}/{year}", month=f"{month.first.month:02d}", year=f"{month.first.year:04d}")


def _grid(months: Months, rulebook: Rulebook) -> Grid:
    by_month = [{each.duty: each for each in standings} for _month, standings in months]
    rows: list[tuple[Cell, Sequence[GridMark | None]]] = [
        (
            msg("{duty}: {title}", duty=duty.id, title=duty.title),
            [_mark(month, own.get(duty.id)) for (month, _standings), own in zip(months, by_month, strict=True)],
        )
        for duty in rulebook.duties
    ]
    seen = {each.verdict for _month, standings in months for each in standings}
    legend = [
        (GridMark(DUTY_SIGNS[verdict], duty_status(verdict).tone, duty_status(verdict).word), duty_status(verdict).word)
        for verdict in DutyVerdict
        if verdict in seen
    ]
    return Grid(msg("Duties and months"), [month_word(month) for month, _standings in months], rows, legend)


def _mark(month: Period, standing: Standing | None) -> GridMark | None:
    if standing is None:
        return None
    status = duty_status(standing.verdict)
    meaning = msg("{month}: {verdict}; {reason}", month=month_word(month), verdict=status.word, reason=standing.reason)
    return GridMark(DUTY_SIGNS[standing.verdict], status.tone, meaning)


def _table(caption: Message, found: Sequence[Lasting], rulebook: Rulebook) -> TableBlock:
    headers = (
        msg("Duty"), msg("What it requires"), msg("From"), msg("To"), msg("Months"), msg("Reason, in the last month"),
        msg("Evidence (records)"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (
            each.duty,
            rulebook.duty(each.duty).title,
            each.months[0].first,
            each.months[-1].last,
            len(each.months),
            each.last.reason,
            ", ".join(map(str, sorted(each.last.evidence)[-SEQS_SHOWN:])) or None,
        )
        for each in found
    ]
    return TableBlock(caption, headers, rows)
