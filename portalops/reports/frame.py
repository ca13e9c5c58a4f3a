"""What every report says around its own sections: scope, basis and proof before them, limits, records and signatures after. Pure.

Auditors look for the same in each report: whose duties, which period and time zone, by which rules, from which records, what
it cannot prove, and how to check it without trusting who made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from portalops.ledger.heads import code_of
from portalops.model.message import Message, msg
from portalops.model.organisation import Actor, Name, OfficeRole, exists_during
from portalops.model.period import Period
from portalops.registers.proof import Proof
from portalops.reports.calendar_doubts import calendar_doubts
from portalops.reports.document import (
    Block,
    Cell,
    Document,
    Heading,
    KeyValues,
    Notice,
    SignatureBlock,
    Tone,
)
from portalops.reports.material import Material
from portalops.reports.section_evidence import limit_blocks
from portalops.reports.section_proof import does_not_hold, proof_blocks
from portalops.reports.section_records import record_blocks
from portalops.reports.words import role_word

_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
MOST_SECTIONS = len(_NUMERALS) - 5
"""How many sections a report may have of its own: five stand around them."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a report."""

    title: Message
    blocks: Iterable[Block]


def framed(
    title: Message, material: Material, sections: Sequence[Section], *, basis: Sequence[tuple[Message, Cell]] = ()
) -> Document:
    """Return a report with all that stands around its own sections, which are numbered.

    Args:
        title: of the report.
        material: what it is made from.
        sections: its own, in order.
        basis: further facts for the first section: population, source, method, as this report has them.

    Raises:
        ValueError: there are more sections than `MOST_SECTIONS`.
    """
    if len(sections) > MOST_SECTIONS:
        raise ValueError(f"{len(sections)} sections are more than {MOST_SECTIONS}")
    proof = material.proof
    before = [
        Section(msg("Scope and basis"), _scope_blocks(material, basis)),
        Section(msg("Proof of this report"), proof_blocks(proof)),
    ]
    after = [
        Section(msg("What this report cannot prove"), limit_blocks(material.evidence, material.standings, proof)),
        Section(
            msg("Records behind this report, and how to check them"),
            record_blocks(proof, material.evidence, material.generated_at),
        ),
        Section(msg("Signatures"), (SignatureBlock(_places(material.actors, material.period)),)),
    ]
    every = [*before, *sections, *after]
    limits_at = len(before) + len(sections)
    blocks: list[Block] = [
        *((Notice(does_not_hold(proof.faults), Tone.BAD),) if proof.faults else ()),
        *((Notice(doubt, Tone.UNSURE),) if (doubt := period_doubt(material) or _not_over(material)) else ()),
        Notice(_limits(_NUMERALS[limits_at]), Tone.NEUTRAL),
    ]
    for numeral, section in zip(_NUMERALS, every, strict=False):
        blocks.append(Heading(2, msg("{numeral}. {title}", numeral=numeral, title=section.title)))
        blocks += section.blocks
    footer: list[tuple[Message, Cell]] = [
        *_held_by(proof),
        (msg("Portal"), material.portal.name),
        (msg("Period"), days_words(material.period)),
        (msg("Made at"), material.generated_at),
    ]
    return Document(title, blocks, footer, material.portal.timezone)


def days_words(period: Period) -> Message:
    """Return a period's first and last day in words."""
    return msg("from {first} to {last}", first=period.first, last=period.last)


def period_doubt(material: Material) -> Message | None:
    """Say why a report can tell nothing of its period, which is then likely not the one that was meant: it is ahead, or before the ledger."""
    period, today = material.period, _today(material)
    if today < period.first:
        return msg(
            "The period begins on {first}, after this report was made: nothing of it can be known yet, and "
            "the state shown here is that of {today}.",
            first=period.first,
            today=today,
        )
    ledger = material.proof.ledger_range
    zone = ZoneInfo(material.portal.timezone)
    if ledger is not None and period.last < (began := ledger.first_at.astimezone(zone).date()):
        return msg(
            "The period ended on {last}, before the ledger's first record of {began}: nothing of it was recorded when it happened.",
            last=period.last,
            began=began,
        )
    return None


def _not_over(material: Material) -> Message | None:
    """Say of a period that runs that its end is not known yet."""
    period, today = material.period, _today(material)
    if today <= period.last:
        return msg(
            "The period ends on {last} and was not over when this report was made: the final state shown "
            "here is that of {today}.",
            last=period.last,
            today=today,
        )
    return None


def _today(material: Material) -> date:
    """Return the portal's day on which the report is made."""
    return material.generated_at.astimezone(ZoneInfo(material.portal.timezone)).date()


def _limits(numeral: str) -> Message:
    """Say before everything else what no report proves, so that it is on page one however long the rest is."""
    return msg(
        "With this report anyone can find out whether a record was changed, but not whether it was true "
        "when it was recorded. A backdated record is found out only if it stands before the newest head "
        "that an anchor keeps. These limits are balanced by heads sent to anchors after each backup and "
        "every day, restore drills, receipts of third parties, and a second person's signature. Section "
        "{section} lists all limits.",
        section=numeral,
    )


def _held_by(proof: Proof) -> Iterator[tuple[Message, Cell]]:
    """Yield what each page must carry: the head code, first because a line's beginning is never broken."""
    if proof.head is not None:
        yield msg("Head code"), code_of(proof.head.head)
    elif (ledger := proof.ledger_range) is not None:
        yield msg("Ledger"), ledger.ledger
        yield (
            msg("Last record"),
            msg("{seq}, SHA-256 {digest}", seq=ledger.last_seq, digest=ledger.last_line_sha256),
        )


def _scope_blocks(material: Material, basis: Sequence[tuple[Message, Cell]]) -> Iterator[Block]:
    rulebook, calendar = material.rulebook, material.calendar
    changed = [
        msg("{name} (in the rulebook: {value})", name=name, value=value)
        for name, value in sorted(rulebook.overridden.items())
    ]
    rows: list[tuple[Message, Cell]] = [
        (msg("Portal"), material.portal.name),
        *_cut_down_to(material),
        *_offices(material.actors, material.period),
        (msg("Period"), days_words(material.period)),
        (msg("Time zone"), material.portal.timezone),
        *basis,
        (msg("Regulation"), rulebook.title),
        (msg("Document"), rulebook.document),
        (msg("Rulebook"), f"{rulebook.id}@{rulebook.version}"),
        (msg("Working-day calendar"), calendar.version_of(material.period)),
        *((msg("Number changed by configuration"), line) for line in changed),
        (msg("Made at"), material.generated_at),
        (msg("Made by"), f"portalops {material.version}"),
    ]
    yield KeyValues(rows)
    yield from (Notice(notice, Tone.NEUTRAL) for notice in rulebook.notices)
    yield from calendar_doubts(calendar, material.period)


def _cut_down_to(material: Material) -> Iterator[tuple[Message, Cell]]:
    scope = material.scope
    if scope.unit is not None:
        names = {unit.id: unit.name for unit in material.units}
        yield msg("Only the unit"), names.get(scope.unit, scope.unit)
    if scope.host is not None:
        yield msg("Only the host"), scope.host


def _holders(actors: Sequence[Actor], role: OfficeRole, period: Period) -> tuple[Actor, ...]:
    """Return who held an office on any day of the period."""
    return tuple(actor for actor in actors if actor.role is role and exists_during(actor, period))


def _offices(actors: Sequence[Actor], period: Period) -> Iterator[tuple[Message, Cell]]:
    for role in OfficeRole:
        holders = _holders(actors, role, period)
        if not holders:
            yield role_word(role), msg("not named in the configuration")
        for actor in holders:
            label = role_word(role)
            if len(holders) > 1 and actor.valid_to is not None and actor.valid_to < period.last:
                label = msg("{office}, until {day}", office=label, day=actor.valid_to)
            elif len(holders) > 1 and actor.valid_from is not None:
                label = msg("{office}, from {day}", office=label, day=actor.valid_from)
            yield label, actor.name


def _places(actors: Sequence[Actor], period: Period) -> list[tuple[Message, Name | None]]:
    holder = next((actor.name for actor in reversed(_holders(actors, OfficeRole.UNIT, period))), None)
    return [(msg("Prepared by"), None), (msg("Head of the portal management unit"), holder)]
