"""What a report's material was judged to be, as values. Pure.

A document is for people; where it judges duties, the same judgement goes with it as data, so that no format has to read tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from portalops.ledger.heads import code_of
from portalops.model.assessment import Assessment, JudgedDuty
from portalops.model.message import Message
from portalops.model.standing import Standing
from portalops.reports.material import Material
from portalops.reports.section_duties import recorders_of


def assessment_of(material: Material) -> Assessment:
    """Return what a report's material was judged to be."""
    rulebook, proof = material.rulebook, material.proof
    judged = tuple(JudgedDuty(rulebook.duty(each.duty), each, recorders_of(proof, each)) for each in material.standings)
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
