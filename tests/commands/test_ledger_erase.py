"""Details are erased for good by somebody's decision, which is recorded; what verification needs stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.claimant import record_writer
from portalops.ledger.heads import record_head
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, Draft
from portalops.model.record import Digest
from portalops.model.writers import Authority, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.commands.test_ledger_quarantine import home_of_two, set_aside
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of

WHY = ("--reason", "a citizen asked for it", "--approved-by", "Nguyễn Văn An")


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys)


def body_of(home: Home, seq: int) -> Digest:
    record = home.ledger.record(seq)
    assert record is not None
    return record.body


def test_details_are_erased_and_listed(home: Home) -> None:
    digest = body_of(home, 3)
    planned = home.call("erase", digest, *WHY, "--dry-run")
    assert planned == {"digest": digest, "records": [3], "erased": False, "seq": None}
    assert home.ledger.count() == 9

    done = home.call("erase", digest, *WHY, "--yes")

    assert done == {"digest": digest, "records": [3], "erased": True, "seq": 10}
    assert not home.ledger.has_blob(home.ledger.record(3).body)  # type: ignore[union-attr]
    found = home.call("verify")
    assert found["integrity"]["holds"]
    assert [(each["digest"], each["approved_by"]) for each in found["completeness"]["erased"]] == [
        (digest, "Nguyễn Văn An")
    ]
    assert "a citizen asked for it" in home.read("verify")
    assert home.call("erase", digest, *WHY) == done, "once erased, it is erased"


def test_evidence_is_erased_as_well(home: Home) -> None:
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    evidence = ledger.keep(b"raw output with a name in it")
    ledger.append("note", run=NO_RUN, body=bodies.write({"evidence": evidence}))
    assert home.call("erase", evidence, *WHY, "--yes")["records"] == [10]
    assert home.call("verify")["integrity"]["holds"]


def test_one_that_was_recorded_and_not_removed_is_removed_by_the_next_call(home: Home) -> None:
    digest = body_of(home, 3)
    home.call("erase", digest, *WHY, "--yes")
    assert home.ledger.keep(bodies.write({"number": 0, "kind": "check.finished"})) == digest
    assert home.call("verify")["integrity"]["holds"]
    assert home.call("erase", digest, *WHY, "--yes")["seq"] == 10
    assert not home.ledger.has_blob(home.ledger.record(3).body)  # type: ignore[union-attr]
    assert home.ledger.count() == 10


def test_what_verification_needs_is_not_erased(home: Home) -> None:
    home.call("head")
    home.call("erase", body_of(home, 3), *WHY, "--yes")
    for record in home.ledger.records(kinds=("ledger.created", "key.added", "head", "blob.erased")):
        error = home.call("erase", record.body, *WHY, "--yes", expected=ExitCode.USAGE)
        assert f"record {record.seq} of the kind {record.kind} needs the blob" in error["message"]


def test_wrong_ways_to_erase_are_refused(home: Home) -> None:
    digest = body_of(home, 3)
    for arguments, said in (
        (("0" * 64, *WHY), "no record names the blob"),
        (("x", *WHY), "'x' is not a SHA-256 digest"),
        ((digest, "--reason", " ", "--approved-by", "An"), "--reason is empty"),
        ((digest, "--reason", "x", "--approved-by", ""), "--approved-by is empty"),
        ((digest, *WHY), "--yes is needed"),
    ):
        assert said in home.call("erase", *arguments, expected=ExitCode.USAGE)["message"]
    assert home.ledger.count() == 9 and home.ledger.has_blob(home.ledger.record(3).body)  # type: ignore[union-attr]


def test_show_says_what_heads_keys_and_erasures_say(home: Home) -> None:
    made = home.call("head")
    home.call("erase", body_of(home, 3), *WHY, "--yes")
    shown = home.read("show", str(made["seq"]))
    assert made["code"] in shown and made["fingerprint"] in shown and "portalops-head" in shown
    shown = home.read("show", "10")
    assert made["fingerprint"] in shown and "the first key" in shown
    assert "a citizen asked for it" in home.read("show", str(made["seq"] + 1))
    assert "BEGIN SSH SIGNATURE" in home.call("show", str(made["seq"]))["details"]["head"]["signature"]


def test_show_says_who_decided_that_details_are_gone_and_tells_them_from_lost_ones(home: Home) -> None:
    erased, lost = body_of(home, 3), body_of(home, 4)
    seq = home.call("erase", erased, *WHY, "--yes")["seq"]
    home.ledger.remove_blob(lost)

    data, shown = home.call("show", "3"), home.read("show", "3")

    assert data["details"] is None and data["erased"]["seq"] == seq
    assert f"Erased by:             record {seq}\nReason:                a citizen asked for it\n" in shown
    assert home.call("show", "4", expected=ExitCode.INTEGRITY)["code"] == "PO1104"


def test_a_stranger_who_says_that_details_were_erased_excuses_nothing(home: Home) -> None:
    home.call("enroll")
    digest = body_of(home, 3)
    stranger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    said = {"digest": digest, "reason": "x", "approved_by": "x"}
    forged = stranger.append("blob.erased", run=NO_RUN, subject=digest, body=bodies.write({"erased": said}))
    kept = home.ledger.blob(digest)
    stranger.remove_blob(digest)

    home.call("show", "3", expected=ExitCode.INTEGRITY)
    found = home.call("verify", expected=ExitCode.INTEGRITY)
    assert (found["integrity"]["first_bad"], found["completeness"]["erased"]) == (3, [])
    done = home.call("erase", digest, *WHY, "--yes")
    assert done["seq"] > forged.seq

    shown = home.call("show", "3")
    assert shown["erased"]["seq"] == done["seq"]
    assert home.call("verify")["integrity"]["holds"]
    assert kept


def test_an_erasure_is_claimed_before_anything_is_removed(home: Home) -> None:
    home.call("enroll")
    digest = body_of(home, 3)

    done = home.call("erase", digest, *WHY, "--yes")

    claim = home.ledger.record(done["seq"] + 1)
    assert claim is not None
    assert claim.kind == "claim"
    assert home.call("verify")["integrity"]["holds"]


def test_a_machine_that_may_not_erase_records_and_removes_nothing(home: Home) -> None:
    home.call("enroll")
    key = home.folder / "state/keys/writer"
    key.rename(home.folder / "first")
    digest, count = body_of(home, 3), home.ledger.count()

    refused = home.call("erase", digest, *WHY, "--yes", expected=ExitCode.FAILED)

    assert (refused["message"], home.ledger.count()) == ("this machine may not erase: its key is not enrolled", count)
    home.call("enroll")  # the hint's cure
    assert home.call("erase", digest, *WHY, "--yes")["erased"]


def test_a_writer_without_authority_erases_nothing(home: Home) -> None:
    home.call("enroll")
    key = home.folder / "state/keys/writer"
    key.rename(home.folder / "first")
    SigningKey.make(key)
    request = home.folder / "second.pub"
    request.write_text(f"{SigningKey.load(key).public_key} second\n")
    home.call("enroll", "--accept", str(request))
    digest = body_of(home, 3)

    refused = home.call("erase", digest, *WHY, "--yes", expected=ExitCode.FAILED)
    key.unlink()
    (home.folder / "first").rename(key)

    assert refused["message"] == "second may not erase: it may record all but plans and erasures"
    assert home.call("erase", digest, *WHY, "--yes")["erased"]


def test_a_strangers_plan_that_nobody_claimed_in_time_forbids_no_erasure(home: Home) -> None:
    clock, key, digest = FixedClock(datetime(2024, 1, 1, tzinfo=UTC)), SigningKey.load(home.key), body_of(home, 3)
    record_head(home.ledger, key, clock)
    event = WriterEvent(home.ledger.id, WriterState.ADDED, key_of(9).public_key, "web0", Authority.ALL)
    record_writer(home.ledger, event, key)
    home.ledger.append_many([Draft("plan", digest), Draft("sign-off", digest)])
    home.call("enroll")

    assert home.call("erase", digest, *WHY, "--yes")["erased"]
    found = home.call("verify", expected=ExitCode.PARTIAL)
    assert found["integrity"]["holds"]
    assert [each["digest"] for each in found["completeness"]["erased"]] == [digest]


def test_what_can_still_be_claimed_forbids_an_erasure_until_it_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_of_two(tmp_path, capsys)
    home.call("enroll")
    digest = body_of(home, 3)
    stranger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    (plan,) = stranger.append_many([Draft("plan", digest)])
    stranger.close()

    refused = home.call("erase", digest, *WHY, "--yes", expected=ExitCode.USAGE)
    set_aside(home, plan.seq, plan.seq)

    assert "can be claimed within its hour" in refused["message"]
    assert f"portalops ledger quarantine {plan.seq} {plan.seq}" in refused["hint"]
    assert home.call("erase", digest, *WHY, "--yes")["erased"]
    assert home.call("verify")["integrity"]["holds"]


def test_a_strangers_claim_without_a_signature_forbids_an_erasure_until_it_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_of_two(tmp_path, capsys)
    home.call("enroll")
    digest = body_of(home, 3)
    stranger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    (forged,) = stranger.append_many([Draft("claim", digest)])
    stranger.close()

    refused = home.call("erase", digest, *WHY, "--yes", expected=ExitCode.USAGE)
    set_aside(home, forged.seq, forged.seq)

    assert f"portalops ledger quarantine {forged.seq} {forged.seq}" in refused["hint"]
    assert home.call("erase", digest, *WHY, "--yes")["erased"]
    assert home.call("verify")["integrity"]["holds"]


def test_details_that_show_why_a_quarantine_counts_are_neither_erased_nor_withheld(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_of_two(tmp_path, capsys)
    stranger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    (forged,) = stranger.append_many([Draft("sign-off", stranger.keep(b'{"sign_off": {"text": "x"}}'))])
    stranger.close()
    set_aside(home, forged.seq, forged.seq)
    digest = body_of(home, forged.seq)

    refused = home.call("erase", digest, *WHY, "--yes", expected=ExitCode.USAGE)
    withheld = home.call(
        "export", "--output", str(tmp_path / "bundle"), "--withhold", f"{digest}=personal data", expected=ExitCode.USAGE
    )

    assert "show why the quarantine" in refused["message"]
    assert "must not be withheld" in withheld["message"]
    assert home.call("verify")["integrity"]["holds"]
