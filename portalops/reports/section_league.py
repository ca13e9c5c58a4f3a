"""How many of its weeks each unit kept: units with the same share stand together, and who is not decided stands apart. Pure.

Nobody is ranked by chance: a unit of which a week is pending or not sufficiently known has no share yet, and one that owed nothing
in a week is measured by the others alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.updates import UnitWeek
from portalops.model.verdicts import DutyVerdict
from portalops.reports.bounded import bounded
from portalops.reports.document import Bars, Block, Cell, Paragraph, Quantity, TableBlock
from portalops.reports.words import duty_status, joined

UNITS_SHOWN: Final = 120
NAMES_SHOWN: Final = 40
_JUDGED = frozenset({DutyVerdict.MET, DutyVerdict.UNMET})
_OPEN = frozenset({DutyVerdict.PENDING, DutyVerdict.INSUFFICIENT_EVIDENCE})


@dataclass(frozen=True, slots=True)
class UnitCounts:
    """One unit's weeks of a period by verdict."""

    unit: UnitId
    weeks: Mapping[DutyVerdict, int]

    @property
    def judged(self) -> int:
        """Return of how many weeks it is decided whether they are met."""
        return sum(self.weeks[verdict] for verdict in _JUDGED)

    @property
    def is_open(self) -> bool:
        """Say whether a week is not decided."""
        return any(self.weeks[verdict] for verdict in _OPEN)

    @property
    def share(self) -> Fraction | None:
        """Return how many of its decided weeks are met; None where none is."""
        return Fraction(self.weeks[DutyVerdict.MET], self.judged) if self.judged else None


def counts_of(weeks: Sequence[UnitWeek], units: Sequence[Agency]) -> tuple[UnitCounts, ...]:
    """Return the counts of each unit that has a week, in the order of the units; those of no known unit last."""
    by_unit: dict[UnitId, dict[DutyVerdict, int]] = {}
    for week in weeks:
        counts = by_unit.setdefault(week.unit, dict.fromkeys(DutyVerdict, 0))
        counts[week.verdict] += 1
    order = [unit.id for unit in units if unit.id in by_unit]
    order += sorted(each for each in by_unit if each not in order)
    return tuple(UnitCounts(each, by_unit[each]) for each in order)


def league_blocks(weeks: Sequence[UnitWeek], units: Sequence[Agency]) -> Iterator[Block]:
    """Yield the weeks by verdict, the units by the share of weeks that they kept, and those that stand apart."""
    counts = counts_of(weeks, units)
    if not counts:
        yield Paragraph(msg("No week of a unit was judged in the period."))
        return
    names: Mapping[UnitId, Name] = {unit.id: unit.name for unit in units}
    total = [(duty_status(each), sum(one.weeks[each] for one in counts)) for each in DutyVerdict]
    yield Bars(
        msg("All weeks of all units by verdict"),
        [(msg("Weeks"), [(status.tone, status.word, count) for status, count in total])],
    )
    decided = [each for each in counts if each.share is not None and not each.is_open]
    yield from _share_table(decided, names)
    yield from _apart(
        msg(
            "Units with a week that is pending or has insufficient evidence, in the order of the list: they "
            "have no share yet"
        ),
        [each for each in counts if each.is_open],
        names,
    )
    yield from _apart(
        msg("Units with nothing due in any of the weeks, in the order of the list"),
        [each for each in counts if each.share is None and not each.is_open],
        names,
    )


def _share_table(counts: Sequence[UnitCounts], names: Mapping[UnitId, Name]) -> Iterator[Block]:
    if not counts:
        yield Paragraph(msg("No unit has a verdict for all weeks, so none has a share."))
        return
    groups: dict[Fraction, list[UnitCounts]] = {}
    for each in counts:
        assert each.share is not None
        groups.setdefault(each.share, []).append(each)
    rows: list[tuple[Cell, ...]] = []
    for share, own in sorted(groups.items(), reverse=True):
        met = sum(each.weeks[DutyVerdict.MET] for each in own)
        rows.append(
            (
                Quantity(float(100 * share), 0 if (100 * share).denominator == 1 else 1, "%"),
                len(own),
                msg("{met} of {judged}", met=met, judged=sum(each.judged for each in own)),
                _named(own, names),
            )
        )
    headers = (msg("Weeks met"), msg("Units"), msg("Weeks met of weeks judged"), msg("Which, in the order of the list"))
    caption = msg(
        "Units by the share of their weeks that are met (Article 11.2); units with the same share are listed together"
    )
    yield from bounded(TableBlock(caption, headers, rows), UNITS_SHOWN)


def _named(counts: Sequence[UnitCounts], names: Mapping[UnitId, Name]) -> Message:
    shown = joined([names.get(each.unit, each.unit) for each in counts[:NAMES_SHOWN]])
    more = len(counts) - NAMES_SHOWN
    return msg("{names} and {n} more", names=shown, n=more) if more > 0 else shown


def _apart(caption: Message, counts: Sequence[UnitCounts], names: Mapping[UnitId, Name]) -> Iterator[Block]:
    if not counts:
        return
    verdicts = tuple(DutyVerdict)
    headers = (msg("Unit"), *(duty_status(verdict).word for verdict in verdicts))
    rows = [(names.get(each.unit, each.unit), *(each.weeks[verdict] for verdict in verdicts)) for each in counts]
    yield from bounded(TableBlock(caption, headers, rows), UNITS_SHOWN)
