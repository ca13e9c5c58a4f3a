"""What a report judged, as values: for formats that carry verdicts from program to program. Pure.

A document is for people; where it judges duties, the same judgement goes with it as data, so that no format has to read tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.ledger.heads import code_of
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.record import Digest
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.reports.material import Material


@dataclass(frozen=True, slots=True)
class Judged:
    """One duty with what was found."""

    duty: Duty
    standing: Standing


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was judged, by which rules, and on which ledger."""

    portal: Name
    portal_id: str
    start: datetime
    end: datetime
    """Of the period, the end exclusive; both aware."""
    period: str
    """`2026-11-16..2026-11-22`, local days."""
    made_at: datetime
    version: str
    """Of portalops."""
    rulebook: str
    """Id and version, and a digest of the numbers where configuration changed any."""
    regulation: Name
    document: str
    """Number, date and issuer of the regulation."""
    clauses: Mapping[str, str]
    """The Vietnamese text of each clause that was judged, by its id."""
    ledger: str | None
    """The ledger's id; None if there is no record."""
    last_record: Digest | None
    """SHA-256 of the last record's line."""
    head_code: str | None
    """Code of the signed head; None if nothing is signed."""
    holds: bool
    """The ledger was gone over, and nothing in it was found changed."""
    judged: Sequence[Judged]


def assessment_of(material: Material) -> Assessment:
    """Return what a report's material was judged to be."""
    rulebook, proof = material.rulebook, material.proof
    judged = tuple(Judged(rulebook.duty(each.duty), each) for each in material.standings)
    named = {each.duty.clause for each in judged}
    start, end = material.period.bounds(ZoneInfo(material.portal.timezone))
    ledger = proof.ledger_range
    return Assessment(
        portal=material.portal.name,
        portal_id=material.portal.id,
        start=start,
        end=end,
        period=str(material.period),
        made_at=material.generated_at,
        version=material.version,
        rulebook=rulebook.edition,
        regulation=rulebook.title,
        document=rulebook.document,
        clauses={clause.id: clause.text.strip() for clause in rulebook.clauses if clause.id in named},
        ledger=ledger.ledger if ledger else None,
        last_record=ledger.last_line_sha256 if ledger else None,
        head_code=code_of(proof.head.head) if proof.head else None,
        holds=proof.faults is not None and not proof.faults,
        judged=judged,
    )


def words_of(standing: Standing) -> Sequence[Message]:
    """Return why a duty was judged so, and each exception."""
    return (standing.reason, *standing.details)
