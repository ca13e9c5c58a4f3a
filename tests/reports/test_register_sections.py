"""What the compliance report says of places, changes and credentials: each state with its record, bounded, and of its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.credentials import Leaving
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.places import Sighting
from portalops.model.verdicts import Severity
from portalops.registers.credentials import LEAVING, LEFT
from portalops.registers.evidence import read_evidence
from portalops.registers.places import SIGHTED, SIGHTING
from portalops.reports import formats
from portalops.reports.bounded import MOST_ROWS
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_changes import change_blocks
from portalops.reports.section_credentials import credential_blocks
from portalops.reports.section_places import place_blocks
from tests.doubles import FixedClock
from tests.reports import sample
from tests.reports.registers import AN, AT, BINH, DAY, DECISION, MINUTES, changes, credentials, places
from tests.reports.test_compliance_report import built

SEEN = replace(sample.evidence(), places=places(), changes=changes(), credentials=credentials())


def tables(blocks: list[Block]) -> list[TableBlock]:
    return [block for block in blocks if isinstance(block, TableBlock)]


def words(cell: Cell) -> str:
    return str(cell.word) if isinstance(cell, Status) else str(cell)


def tone(cell: Cell) -> Tone | None:
    return cell.tone if isinstance(cell, Status) else None


def test_servers_stand_with_place_holder_last_sighting_and_records_those_to_see_to_first() -> None:
    stands, said = tables(list(place_blocks(SEEN, (*sample.HOSTS, Host(HostId("new-1"), "10.0.0.9")))))

    database, new, web = stands.rows
    assert (web[0], web[2], web[3], web[4], web[5], web[7]) == (
        "web-1", "204", "Tủ A, U14", "Trần Thị Bình", date(2026, 9, 1), "201, 230",
    )  # fmt: skip
    assert "more than 12 months before" in words(database[5])
    assert f"{AN}, who left on" in words(database[4])
    assert (new[0], words(new[5]), tone(new[5])) == ("new-1", "never seen", Tone.UNSURE)
    assert [row[0] for row in said.rows] == [230, 201, 4]
    assert (said.rows[1][5], said.rows[1][6]) == ("05/BB-BG, 18/8/2026", MINUTES)


def test_changes_that_did_not_keep_to_the_order_come_first_with_every_step_and_its_digest() -> None:
    of_period, steps, standing = tables(list(change_blocks(SEEN)))

    assert [(row[0], tone(row[7])) for row in of_period.rows] == [
        ("CH-2026-003", Tone.BAD),
        ("CH-2026-002", Tone.UNSURE),
        ("CH-2026-005", Tone.NEUTRAL),
        ("CH-2026-001", Tone.GOOD),
        ("CH-2026-004", Tone.GOOD),
    ]
    assert words(of_period.rows[2][6]) == "closed, after the period"
    assert "as an emergency" in words(of_period.rows[1][7])
    approved = [row for row in steps.rows if words(row[1]) == "approved"]
    assert [row[4] if row[0] != "CH-2026-005" else words(row[4]) for row in approved] == [
        DECISION, "the paper is not kept", DECISION, DECISION,
    ]  # fmt: skip
    assert all(isinstance(row[5], int) for row in steps.rows)
    late = [row for row in steps.rows if "after the period" in words(row[6])]
    assert [(row[0], words(row[1])) for row in late] == [("CH-2026-005", "closed")]
    assert (standing.rows[0][0], *standing.rows[0][3:5]) == ("CH-2026-004", "*", "unattended-upgrade")
    assert "2012/QĐ-UBND" in words(standing.rows[0][6])


def test_what_was_seen_changed_without_approval_is_told_though_nothing_is_registered() -> None:
    drift = Finding(
        "change.drift", HostId("web-1"), "12.2", Severity.HIGH, msg("1 change under no approval: nginx"), None,
        (FindingEvent(FindingTurn.OPENED, 240, AT),), 0, 241, AT + DAY, AT + DAY,
    )  # fmt: skip
    said, seen = list(change_blocks(replace(SEEN, changes=None, findings=(drift,))))

    assert isinstance(said, Paragraph) and "proves nothing about the period" in str(said.text)
    assert isinstance(seen, TableBlock)
    assert (seen.rows[0][0], words(seen.rows[0][3]), seen.rows[0][6]) == (
        "change.drift", "1 change under no approval: nginx", "240",
    )  # fmt: skip


def test_credentials_are_counted_and_listed_without_account_or_place() -> None:
    blocks = list(credential_blocks(SEEN))
    numbers, listed, left = tables(blocks)

    assert [(words(row[0]), *row[1:]) for row in numbers.rows][-1] == ("all", 6, 2, 1, 1, 1, 3)
    first = listed.rows[0]
    assert (first[0], first[3], first[8]) == ("web1-001", BINH, "300, 307")
    assert words(first[7]) == f"known to {AN}, who left; not changed in time"
    assert "missing: deputy" in words(listed.rows[2][7])
    assert [tone(row[7]) for row in listed.rows].count(Tone.GOOD) == 3
    assert [(row[0], row[2], words(row[3])) for row in left.rows] == [(AN, 308, "web1-001")]
    shown = " ".join(words(cell) for table in tables(blocks) for row in table.rows for cell in row)
    assert "Két sắt" not in shown and "u1" not in shown.split()


def test_register_of_hundreds_stays_short_and_says_how_many_are_left_out() -> None:
    blocks = list(credential_blocks(replace(SEEN, credentials=credentials(300))))
    _numbers, listed, _left = tables(blocks)
    (said,) = [block for block in blocks if isinstance(block, Paragraph) and "more rows" in str(block.text)]

    assert len(listed.rows) == MOST_ROWS
    assert all(tone(row[7]) is Tone.BAD for row in listed.rows)
    assert "260 more rows" in str(said.text)


def test_registers_that_nobody_began_show_nothing_and_say_so() -> None:
    empty = replace(SEEN, places={}, changes=None, credentials=None)

    for blocks in (place_blocks(empty, sample.HOSTS), change_blocks(empty), credential_blocks(empty)):
        (said,) = blocks
        assert isinstance(said, Paragraph) and "proves nothing about" in str(said.text)


def test_records_that_cannot_be_read_are_named() -> None:
    place = replace(places()[HostId("web-1")], lost=(231,))
    register = replace(credentials(), unreadable={"web1-003": (309,)})
    lost = replace(changes(), lost=(233,))
    seen = replace(SEEN, places={HostId("web-1"): place}, credentials=register, changes=lost)

    for blocks, seq in ((place_blocks(seen, ()), 231), (change_blocks(seen), 233), (credential_blocks(seen), 309)):
        (told,) = [block for block in blocks if isinstance(block, Notice)]
        assert str(seq) in str(told.text) and told.tone is Tone.BAD


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("name", ["html", "markdown", "json"])
def test_whole_report_is_the_same_bytes_each_time_in_every_format(name: str, language: str) -> None:
    first, again = (formats.load(name).render(built(SEEN), language=language) for _ in range(2))

    assert first == again
    text = first.decode()
    assert all(part in text for part in ("CH-2026-003", "Tủ A, U14", "web1-001", DECISION))


def test_report_of_a_period_looks_into_no_later_record_of_a_place_or_a_leaver(tmp_path: Path) -> None:
    clock = FixedClock(datetime(2026, 9, 1, tzinfo=UTC))
    ledger = Ledger.open(tmp_path, clock=clock, create=True)
    seen = Sighting(HostId("web-1"), date(2026, 9, 1), "Chi", "Sở", "204", "A", AN)
    ledger.append(SIGHTED, run=NO_RUN, subject="web-1", body=bodies.write({SIGHTING: seen}))
    clock.move(timedelta(days=30))
    ledger.append(SIGHTED, run=NO_RUN, subject="web-1", body=bodies.write({SIGHTING: replace(seen, room="B")}))
    ledger.append(LEFT, run=NO_RUN, subject=AN, body=bodies.write({LEAVING: Leaving(AN, date(2026, 9, 2))}))

    found = read_evidence(ledger, sample.PERIOD, now=clock.now(), zone=sample.ZONE, every_run=True)

    assert found.last_day() == sample.PERIOD.last
    place = found.places[HostId("web-1")]
    assert place.sighting is not None and place.sighting.room == "204"
    assert found.credentials is not None and found.credentials.left == ()
