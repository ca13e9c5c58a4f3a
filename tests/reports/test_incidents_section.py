"""What the compliance report says of incidents: each with its reports and digests, and what is not known as not known."""

from __future__ import annotations

from dataclasses import replace

from portalops.model.incidents import IncidentsAttested
from portalops.model.message import Message
from portalops.model.rulebook import Numbers
from portalops.registers.incidents import NOTED, IncidentRegister, UnreadIncidentRecord
from portalops.reports.document import Block, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_incidents import incident_blocks
from tests.compliance.test_incidents import ATTESTED, WHOLE, register
from tests.compliance.test_rules import DIGEST, evidence
from tests.registers.test_incidents import CLOSED, FACTS, FIRST, HOUR, ID, NOTICED


def blocks(incidents: IncidentRegister | None) -> list[Block]:
    return list(incident_blocks(evidence(incidents=incidents), Numbers()))


def words(cell: object) -> str:
    return str(cell.word) if isinstance(cell, Status) else str(cell)


def test_register_that_is_not_begun_shows_nothing_and_says_so() -> None:
    (said,) = blocks(None)

    assert isinstance(said, Paragraph)
    assert "proves nothing about the period" in str(said.text)


def test_incident_stands_with_its_reports_their_digests_and_who_attests_the_days() -> None:
    of_incidents, of_reports, of_days = blocks(register(*WHOLE))

    assert (
        isinstance(of_incidents, TableBlock) and isinstance(of_reports, TableBlock) and isinstance(of_days, TableBlock)
    )
    (row,) = of_incidents.rows
    assert (row[0], row[4], words(row[6])) == (ID, "nguyen-van-an", "closed")
    assert [row[5] for row in of_reports.rows] == [DIGEST, DIGEST]
    assert all(words(row[2]).endswith("in time") for row in of_reports.rows)
    assert (of_days.rows[0][2], of_days.rows[0][4], of_days.rows[0][7]) == (ATTESTED.by, DIGEST, None)


def test_open_ends_late_reports_and_unreadable_records_are_told() -> None:
    left = replace(CLOSED, open_ends=("credential:web1-an", "cause"), reason="gấp")
    late = replace(FIRST, sent_at=NOTICED + 30 * HOUR)

    told, of_incidents, of_reports, _days = blocks(
        register((0, FACTS), (31, late), (40, left), (41, UnreadIncidentRecord(NOTED)))
    )

    assert isinstance(told, Notice) and isinstance(of_incidents, TableBlock) and isinstance(of_reports, TableBlock)
    assert "13" in str(told.text)
    state = of_incidents.rows[0][6]
    assert isinstance(state, Status) and state.tone is Tone.BAD
    assert "web1-an has neither been changed nor returned" in str(state.word)
    assert [isinstance(row[2], Status) and row[2].tone for row in of_reports.rows] == [Tone.BAD, Tone.BAD]


def test_days_whose_paper_is_gone_or_that_an_incident_contradicts_are_marked() -> None:
    days = IncidentsAttested(ATTESTED.first, ATTESTED.last, "Bình")
    *_others, of_days = blocks(register((0, days), (1, replace(FACTS, detected_at=NOTICED + HOUR)), kept=()))

    assert isinstance(of_days, TableBlock)
    remark = of_days.rows[0][7]
    assert isinstance(remark, Status) and isinstance(remark.word, Message)
    assert ID in str(remark.word)


def test_incident_of_another_time_is_left_out() -> None:
    later = replace(FACTS, detected_at=NOTICED + 2000 * HOUR, happened_at=None)

    said, days = blocks(register((2000, later)))

    assert isinstance(said, Paragraph) and isinstance(days, Paragraph)
    assert str(said.text).startswith("No incident of the period is in the register")
