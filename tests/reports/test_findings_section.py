"""The part of the report that tells of findings: what was open at the period's end, since when, and by whose leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.rulebook import Numbers
from portalops.model.waivers import Waiver
from portalops.registers.evidence import Evidence
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.document import Paragraph, Status, TableBlock
from portalops.reports.section_servers import server_blocks
from tests.compliance.test_findings import LATE, RECENT, ROOT, ROUND, finding
from tests.compliance.test_rules import evidence


def section(found: Evidence) -> tuple[str, TableBlock]:
    """Return the sentence that counts findings, and the table of the open ones."""
    *_others, counted, table = server_blocks(found, Numbers())
    return str(cast("Paragraph", counted).text), cast("TableBlock", table)


def waiver(last: date) -> tuple[RecordedWaiver, ...]:
    body = Waiver("w", ROOT, "web1", "old device", "the director", "1/QĐ", date(2026, 10, 2), last)
    return (RecordedWaiver(8, LATE, body),)


def state(row: object) -> str:
    return str(cast("Status", cast("tuple[object, ...]", row)[3]).word)


def test_open_findings_are_listed_most_pressing_first_with_their_age_and_records() -> None:
    found = evidence(checks=ROUND, findings=(finding(RECENT, host=HostId("b")), finding(LATE)))

    counted, table = section(found)

    assert "1 opened, 0 came back, 0 fixed" in counted
    assert "At its end: 1 overdue, 1 open within their days, 0 waived" in counted
    late, recent = table.rows
    assert (late[0], late[1], state(late)) == (ROOT, "web1", "overdue")
    assert (late[5], late[7], late[9]) == (52, date(2026, 10, 16), "7")
    assert (recent[1], state(recent)) == ("b", "open")


def test_waiver_stands_beside_its_finding_and_an_ended_one_says_so() -> None:
    live = section(evidence(checks=ROUND, findings=(finding(LATE),), waivers=waiver(date(2026, 12, 1))))
    ended = section(evidence(checks=ROUND, findings=(finding(LATE),), waivers=waiver(date(2026, 11, 1))))

    assert "1 waived" in live[0]
    assert state(live[1].rows[0]) == "fails, waived until 2026-12-01"
    assert str(cast("Message", live[1].rows[0][8])) == "1/QĐ, approved by the director"
    assert state(ended[1].rows[0]) == "overdue"
    assert str(cast("Message", ended[1].rows[0][8])).startswith("ended on 2026-11-01")


def test_waiver_that_a_record_which_cannot_be_read_may_have_withdrawn_names_that_record() -> None:
    (granted,) = waiver(date(2026, 12, 1))
    doubted = replace(granted, withdrawn_seq=9, withdrawn_at=granted.at, in_doubt=True)
    withdrawn = replace(doubted, in_doubt=False)

    for held, words in (
        (doubted, "may have been withdrawn by record 9, which cannot be read"),
        (withdrawn, "was withdrawn on"),
    ):
        _counted, table = section(evidence(checks=ROUND, findings=(finding(LATE),), waivers=(held,)))
        assert state(table.rows[0]) == "overdue"
        assert str(cast("Message", table.rows[0][8])).startswith(words)
