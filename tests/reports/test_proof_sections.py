"""The report says of its own proof what is there, what is missing and what does not hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portalops.ledger.heads import code_of
from portalops.model.heads import AnchorId, AnchorReceipt
from portalops.model.message import msg
from portalops.model.record import Fault, Recorded, RunId
from portalops.model.runs import Run
from portalops.registers.evidence import UnreadableRecord
from portalops.registers.proof import Proof
from portalops.reports.document import Document, QrCode
from portalops.reports.section_proof import duration_words
from portalops.reports.section_records import SHOWN_ROWS
from portalops.signatures.sshsig import fingerprint
from tests.reports.sample import KEY, NOW, OLD_KEY, digest, document, evidence, figures, proof, proven_head
from tests.reports.test_compliance_report import as_data, built, facts, notices, table, texts


def report(held: Proof) -> dict[str, Any]:
    return as_data(built(evidence(), proof=held))


def code_in(made: Document) -> QrCode:
    return next(block for block in made.blocks if isinstance(block, QrCode))


def test_the_head_stands_near_the_beginning_as_code_text_and_fingerprint() -> None:
    made = document()
    held = proof().head
    assert held is not None
    assert code_in(made).text == held.signed.text
    assert list(made.blocks).index(code_in(made)) < 10
    shown = facts(as_data(made))
    assert shown["Signed with the key"] == fingerprint(KEY.public_key)
    assert shown["Records that the head covers"] == "1 to 143"
    assert shown["Records, heads and signatures when it was made"] == {"word": "valid", "tone": "good"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"head": None, "heads": (), "has_key": False}, "Nothing is signed: no signing key is configured."),
        ({"head": None, "heads": ()}, "The ledger holds no head that can be read"),
        ({"uncovered": 1}, "1 record was written since this head was signed, and is not covered by it."),
        ({"uncovered": 1, "unsigned": msg("disk full")}, "No new head could be signed for this report: disk full"),
        ({"faults": (Fault(7, msg("odd")), Fault(3, msg("gone")))}, "From record 3 on nothing in it can be trusted"),
        ({"unreadable": (UnreadableRecord(8, "head", msg("blob missing")),)}, "Details of 1 record about heads"),
    ],
)
def test_what_weakens_the_proof_is_a_notice(change: dict[str, Any], words: str) -> None:
    assert not [text for tone, text in notices(report(proof())) if words in text]
    assert [tone for tone, text in notices(report(replace(proof(), **change))) if words in text]


def test_integrity_that_nobody_looked_at_is_not_said_to_hold() -> None:
    shown = facts(report(replace(proof(), faults=None)))
    assert shown["Records, heads and signatures when it was made"] == {"word": "not checked", "tone": "unsure"}


def test_a_head_that_does_not_hold_is_shown_as_such() -> None:
    held = proof()
    bad = replace(held.heads[-1], problem=msg("its signature is odd"), public_key="")
    data = report(replace(held, head=bad, heads=(*held.heads[:-1], bad)))
    assert ("bad", "The head is not valid: its signature is odd") in notices(data)
    assert facts(data)["Signed with the key"] == "the signature is not a signature"
    assert [row[0] for row in table(data, "Heads that are not valid")["rows"]] == [code_of(bad.head)]


def test_heads_are_listed_with_those_who_keep_them() -> None:
    data = report(proof())
    rows = table(data, "Heads of the period")["rows"]
    assert [row[0].partition("-")[0] for row in rows] == ["20", "50", "143"]
    assert [row[3] for row in rows] == [
        "mailbox (states no time), time-stamps (19 Aug 2026 03:00 +07)",
        "no anchor",
        "no anchor",
    ]
    assert facts(data)["Of them kept by an anchor"] == 1
    newest = facts(data)["Newest head that an anchor has"]
    assert newest.startswith("20-")
    assert newest.endswith("26 days before this report was made")
    (refused,) = table(data, "Heads that an anchor did not accept")["rows"]
    assert (refused[0], refused[3]) == ("mailbox", "connection refused by mail.example port 465")
    gaps = table(data, "Times of more than a day")["rows"]
    assert [row[2] for row in gaps] == ["2 days", "25 days"]


def test_a_ledger_that_nobody_anchors_is_told_what_that_means() -> None:
    data = report(replace(proof(), receipts=()))
    assert [text for tone, text in notices(data) if text.startswith("No anchor is recorded as holding a head")]
    assert facts(data)["Newest head that an anchor has"] == "none"
    assert "it is unknown how far back records could have been replaced" in texts(data)
    assert len(table(data, "Times of more than a day")["rows"]) == 1


def test_a_receipt_of_a_head_that_the_ledger_does_not_hold_is_an_alarm() -> None:
    held = proof()
    other = AnchorReceipt(AnchorId("mailbox"), "mail", 50, digest("9"), None)
    data = report(replace(held, receipts=(*held.receipts, Recorded(60, NOW - timedelta(days=9), "", other))))
    assert [text for tone, text in notices(data) if "a head that this ledger does not have" in text]
    assert [row[:2] for row in table(data, "Receipts of other heads")["rows"]] == [["mailbox", 50]]
    assert not [text for _tone, text in notices(report(held)) if "does not have: one of them" in text]


def test_a_long_list_shows_the_newest_and_says_how_many_it_leaves_out() -> None:
    held = proof()
    heads = tuple(proven_head(20 + n, datetime(2026, 8, 18, 1, tzinfo=UTC) + timedelta(hours=n)) for n in range(50))
    data = report(replace(held, heads=(*heads, held.heads[-1])))
    rows = table(data, "Heads of the period")["rows"]
    assert len(rows) == SHOWN_ROWS
    assert rows[-1][0].startswith("143-")
    assert "11 earlier rows are not shown" in texts(data)


def test_keys_are_listed_with_their_times_and_what_they_replaced() -> None:
    old, new = table(report(proof()), "Keys that sign this ledger")["rows"]
    assert (old[0], new[0]) == (fingerprint(OLD_KEY.public_key), fingerprint(KEY.public_key))
    assert (new[2], new[3], old[3]) == ("still in use", fingerprint(OLD_KEY.public_key), None)
    lost = replace(proof(), signers=(proof().signers[0], replace(proof().signers[1], replaces="")))
    assert table(report(lost), "Keys that sign this ledger")["rows"][1][3].startswith("no key signed for it")


def test_people_who_signed_are_named_and_a_signature_that_does_not_hold_is_said_to() -> None:
    held = proof()
    (row,) = table(report(held), "Reports that a person signed")["rows"]
    assert (row[1], row[2], row[5]["word"]) == ("Nguyễn Thị Ẩn", "Giám đốc", "valid")
    (signed,) = held.sign_offs
    forged = replace(signed, sign_off=replace(signed.sign_off, sha256=digest("6")))
    (row,) = table(report(replace(held, sign_offs=(forged,))), "Reports that a person signed")["rows"]
    assert row[5] == {"word": "not valid", "tone": "bad"}


def test_waivers_in_force_and_erased_details_are_listed() -> None:
    held = proof()
    data = report(held)
    (waiver,) = table(data, "Waivers in force")["rows"]
    assert waiver[:5] == [
        "12.4", "db-1", "moved to the new data centre", "Sở Khoa học và Công nghệ", "Công văn 123/SKHCN",
    ]  # fmt: skip
    assert [row[0] for row in table(data, "Details that were erased")["rows"]] == [digest("7")]
    (granted,) = held.waivers
    doubted = replace(granted, withdrawn_seq=99, withdrawn_at=granted.at + timedelta(days=400), in_doubt=True)
    (row,) = table(report(replace(held, waivers=(doubted,))), "Waivers in force")["rows"]
    assert "may have been withdrawn by record 99" in row[5]
    over = replace(granted, waiver=replace(granted.waiver, valid_to=date(2026, 8, 16)))
    assert table(report(replace(held, waivers=(over,))), "Waivers in force")["rows"] == []


def test_figures_are_the_ones_that_anyone_recomputes_and_unknown_is_not_nought() -> None:
    data = report(proof())
    shown = facts(data)
    assert (shown["Records of the period"], shown["Backup sets"]) == (figures().in_period, 3)
    assert shown["Days of the province's portal"] == "18 met, 1 unmet"
    assert shown["Weeks of units that begin in the period"].startswith("unknown")
    assert table(data, "Runs that began")["rows"] == [
        ["backup", 3, 0, 0, 1, 0, 0],
        ["check", 28, 0, 0, 0, 0, "unknown"],
    ]
    assert "The figures are unknown" in texts(report(replace(proof(), figures=None)))


def test_the_way_to_check_names_the_bundle_of_this_period_and_this_head() -> None:
    held = proof()
    assert held.head is not None
    text = texts(report(held))
    assert "portalops ledger export --period 2026-08-17..2026-09-13" in text
    assert f"python3 verify.py --head-code {code_of(held.head.head)}" in text


def test_the_run_that_makes_the_report_is_none_without_an_end() -> None:
    seen = evidence()
    own = Run(RunId("report:weekly-report:2026-W37"), "report", "", "", datetime(2026, 9, 12, tzinfo=UTC), 143)
    seen = replace(seen, runs=(*seen.runs, own))
    listed = [
        [row[0] for row in table(as_data(built(seen, proof=held)), "Unfinished runs")["rows"]]
        for held in (proof(), replace(proof(), own_run=own.id))
    ]
    assert listed == [["10.2:weekly:2026-W36", own.id], ["10.2:weekly:2026-W36"]]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=59), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=-1), "0 minutes"),
    ],
)
def test_a_length_is_said_in_its_largest_fitting_unit(length: timedelta, words: str) -> None:
    assert str(duration_words(length)) == words
