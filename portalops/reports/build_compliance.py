"""The compliance report: every duty of the regulation over a period, with the evidence behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from portalops.calendar.calendar import Calendar
from portalops.ledger.heads import code_of
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Actor, Name, Portal, Role, Unit, exists_during
from portalops.model.period import Period
from portalops.model.reading import limits_of
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.registers.proof import Proof
from portalops.reports.document import (
    Bars,
    Block,
    Bullets,
    Cell,
    Document,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Signatures,
    Table,
    Tone,
)
from portalops.reports.section_backups import backup_blocks
from portalops.reports.section_evidence import exception_blocks, limit_blocks
from portalops.reports.section_handling import handling_blocks
from portalops.reports.section_incidents import incident_blocks
from portalops.reports.section_proof import does_not_hold, proof_blocks
from portalops.reports.section_records import record_blocks
from portalops.reports.section_servers import server_blocks
from portalops.reports.section_updates import update_blocks
from portalops.reports.words import clause_heading, clause_words, duty_status, role_word

TITLE = msg("Report on the duties of the portal")
SEQS_SHOWN = 6
"""Ledger records named for a duty in the table; the newest come last and are always among them."""

_LIMITS = msg(
    "By this report anyone can find out whether a record was changed, but not whether it was true when it was recorded; one"
    " that was dated back is found out only down to the newest head that an anchor keeps. What makes up for that: heads handed to"
    " anchors after each backup and every day, restore drills, receipts of third parties, and a second person's signature."
    " Section IX says all of it."
)
"""Stands before everything else, so that it is on page one however long the rest is."""


def build(
    *,
    portal: Portal,
    actors: Sequence[Actor],
    units: Sequence[Unit],
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    standings: Sequence[Standing],
    evidence: Evidence,
    proof: Proof,
    generated_at: datetime,
    version: str,
) -> Document:
    """Return the report as a document.

    Args:
        portal: whose duties.
        actors: who holds the offices; those of the period are named, with their dates.
        units: the agencies, in the order in which they are listed.
        rulebook: the regulation, with the numbers that were used.
        calendar: the working days, for shading and for what of them is not certain.
        period: what the report covers.
        standings: every duty, judged over the period.
        evidence: what the judging rests on.
        proof: the records there were, and what holds them.
        generated_at: when the report was made.
        version: of portalops.
    """
    blocks: list[Block] = [
        *((Notice(does_not_hold(proof.faults), Tone.BAD),) if proof.faults else ()),
        Notice(_LIMITS, Tone.NEUTRAL),
        Heading(2, msg("I. Scope and basis")),
        _scope(portal, actors, rulebook=rulebook, calendar=calendar, period=period, made=(generated_at, version)),
        *(Notice(notice, Tone.NEUTRAL) for notice in rulebook.notices),
        *_calendar_doubts(calendar, period),
        Heading(2, msg("II. Proof of this report")),
        *proof_blocks(proof),
        Heading(2, msg("III. Summary")),
        *_summary(standings, rulebook),
        Heading(2, msg("IV. The duties, clause by clause")),
        *_duties(standings, rulebook),
        Heading(2, msg("V. Backup copies (Article 10)")),
        *backup_blocks(evidence, limits_of(rulebook.numbers)),
        Heading(2, msg("VI. Updates of the portal and the units (Article 11)")),
        *update_blocks(evidence, units, calendar),
        *handling_blocks(evidence, units, calendar, rulebook.numbers),
        Heading(2, msg("VII. Server checks (Article 12)")),
        *server_blocks(evidence, rulebook.numbers),
        *incident_blocks(evidence, rulebook.numbers),
        Heading(2, msg("VIII. Exceptions")),
        *exception_blocks(evidence, standings, units, rulebook, own_run=proof.own_run),
        Heading(2, msg("IX. What this report can't prove")),
        *limit_blocks(evidence, standings, proof),
        Heading(2, msg("X. Records behind this report, and how to check them")),
        *record_blocks(proof, evidence, generated_at),
        Heading(2, msg("XI. Signatures")),
        Signatures(_places(actors, period)),
    ]
    footer: list[tuple[Message, Cell]] = [
        *_held_by(proof),
        (msg("Portal"), portal.name),
        (msg("Period"), _days(period)),
        (msg("Made at"), generated_at),
    ]
    return Document(TITLE, blocks, footer, portal.timezone)


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


def _days(period: Period) -> Message:
    return msg("from {first} to {last}", first=period.first, last=period.last)


def _scope(
    portal: Portal,
    actors: Sequence[Actor],
    *,
    rulebook: Rulebook,
    calendar: Calendar,
    period: Period,
    made: tuple[datetime, str],
) -> KeyValues:
    changed = [
        msg("{name} (the rulebook's own: {value})", name=name, value=value)
        for name, value in sorted(rulebook.overridden.items())
    ]
    rows: list[tuple[Message, Cell]] = [
        (msg("Portal"), portal.name),
        *_offices(actors, period),
        (msg("Period"), _days(period)),
        (msg("Time zone"), portal.timezone),
        (msg("Regulation"), rulebook.title),
        (msg("Document"), rulebook.document),
        (msg("Rulebook"), f"{rulebook.id}@{rulebook.version}"),
        (msg("Working-day calendar"), calendar.version),
        *((msg("Number changed by configuration"), line) for line in changed),
        (msg("Made at"), made[0]),
        (msg("Made by"), f"portalops {made[1]}"),
    ]
    return KeyValues(rows)


def _holders(actors: Sequence[Actor], role: Role, period: Period) -> tuple[Actor, ...]:
    """Return who held an office on any day of the period."""
    return tuple(actor for actor in actors if actor.role is role and exists_during(actor, period))


def _offices(actors: Sequence[Actor], period: Period) -> Iterator[tuple[Message, Cell]]:
    for role in Role:
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


def _calendar_doubts(calendar: Calendar, period: Period) -> Iterator[Block]:
    doubts = calendar.warnings(period)
    if doubts:
        yield Paragraph(msg("What is not certain of the working days:"))
        yield Bullets(doubts)


def _summary(standings: Sequence[Standing], rulebook: Rulebook) -> Iterator[Block]:
    counts = {verdict: sum(standing.verdict is verdict for standing in standings) for verdict in DutyVerdict}
    yield Paragraph(
        msg(
            "Of {total} duties, {met} are met, {unmet} are unmet, and for {unsure} the evidence does not suffice. "
            "A duty is met only where evidence in the period shows it.",
            total=len(standings),
            met=counts[DutyVerdict.MET],
            unmet=counts[DutyVerdict.UNMET],
            unsure=counts[DutyVerdict.INSUFFICIENT_EVIDENCE],
        )
    )
    groups: dict[str, list[Standing]] = {}
    for standing in standings:
        groups.setdefault(_article(rulebook, standing), []).append(standing)
    rows = [(msg("All duties"), _parts(standings))]
    rows += [(clause_words(article), _parts(group)) for article, group in groups.items()]
    yield Bars(msg("Duties by verdict"), rows)
    unmet = [standing for standing in standings if standing.verdict is DutyVerdict.UNMET]
    if unmet:
        yield Table(
            msg("Unmet duties"),
            (msg("Duty"), msg("What it asks for"), msg("Why")),
            [(standing.duty, rulebook.duty(standing.duty).title, standing.reason) for standing in unmet],
        )


def _parts(standings: Sequence[Standing]) -> list[tuple[Tone, Message, int]]:
    return [
        (duty_status(verdict).tone, duty_status(verdict).word, sum(each.verdict is verdict for each in standings))
        for verdict in DutyVerdict
    ]


def _article(rulebook: Rulebook, standing: Standing) -> str:
    return rulebook.duty(standing.duty).clause.partition(".")[0]


def _duties(standings: Sequence[Standing], rulebook: Rulebook) -> Iterator[Block]:
    yield Table(
        msg("Every duty: what is asked for, what is shown, and on which records of the ledger it rests"),
        (
            msg("Duty"),
            msg("What it asks for"),
            msg("Verdict"),
            msg("Why"),
            msg("Evidence (records)"),
            msg("Newest evidence"),
            msg("Next due"),
        ),
        [_duty_row(standing, rulebook) for standing in standings],
    )
    judged = {rulebook.duty(standing.duty).clause for standing in standings}
    yield Heading(3, msg("What the clauses say (Vietnamese, as issued)"))
    yield KeyValues(
        [
            (clause_heading(clause.id), verbatim(clause.text.strip()))
            for clause in rulebook.clauses
            if clause.id in judged
        ]
    )


def _duty_row(standing: Standing, rulebook: Rulebook) -> tuple[Cell, ...]:
    return (
        standing.duty,
        rulebook.duty(standing.duty).title,
        duty_status(standing.verdict),
        standing.reason,
        _records(sorted(standing.evidence)),
        standing.newest_at,
        standing.due_at,
    )


def _records(seqs: Sequence[int]) -> Cell:
    if not seqs:
        return None
    shown = ", ".join(map(str, seqs[-SEQS_SHOWN:]))
    if len(seqs) <= SEQS_SHOWN:
        return shown
    more = len(seqs) - SEQS_SHOWN
    return nmsg("{seqs} and {n} earlier one", "{seqs} and {n} earlier ones", more, seqs=shown)


def _places(actors: Sequence[Actor], period: Period) -> list[tuple[Message, Name | None]]:
    holder = next((actor.name for actor in reversed(_holders(actors, Role.UNIT, period))), None)
    return [(msg("Prepared by"), None), (msg("Head of the portal management unit"), holder)]
