"""What the commands refuse before anything is written, where two persons or a key in use are needed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.claimant import draft_claim
from portalops.ledger.heads import rotate_key
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, line_digest
from portalops.model.writers import LineRange
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.commands.test_ledger_mend_clock import mend
from tests.commands.test_ledger_quarantine import NOT_A_RECORD, count, home, options, put_line, put_record, set_aside
from tests.doubles import FixedClock

__all__ = ["home"]


def change_key_ahead(home: Home) -> tuple[int, int, str]:
    """Change the key as it is done while the clock is a week ahead; return the first and last record, and a moment from which time is right."""
    old = SigningKey.load(home.key)
    home.key.rename(home.folder / "keys" / "signing.retired-1")
    SigningKey.make(home.key)
    clock = FixedClock(SystemClock().now() + timedelta(days=7))
    ledger = Ledger.open(home.folder / "state", clock, create=True)
    first = ledger.append("note.added", run=NO_RUN, body=bodies.write({"note": "x"})).seq
    rotate_key(ledger, old, SigningKey.load(home.key), reason="hết năm", clock=clock)
    last = ledger.count()
    ledger.close()
    return first, last, SystemClock().now().isoformat(timespec="milliseconds")


def test_a_key_that_was_changed_while_the_clock_was_ahead_mends_it_and_signs_on(home: Home) -> None:
    first, last, since = change_key_ahead(home)
    assert "is in use from" in home.call("head")["problem"]
    assert "chỉ được dùng từ" in home.read("head", language="vi")

    mend(home, first, last, since)
    home.call("head")

    assert home.call("verify")["integrity"]["holds"]
    home.call("export", "--output", str(home.folder / "bundle"), "--period", "2026-11")
    assert verify_bundle(home.folder / "bundle").integrity.holds


def test_nothing_is_signed_by_a_key_that_is_not_in_use_yet(home: Home) -> None:
    first, last, since = change_key_ahead(home)
    new = home.folder / "keys" / "new"
    home.key.rename(new)
    shutil.copy(home.folder / "keys" / "signing.retired-1", home.key)
    refused = home.call(*mend_options(first, last, since), expected=ExitCode.FAILED)
    assert "was retired by record" in refused["message"]
    home.key.unlink()
    new.rename(home.key)

    refused = home.call("export", "--output", str(home.folder / "bundle"), expected=ExitCode.FAILED)

    assert "is in use from" in refused["message"] and "mend-clock" in refused["hint"]
    assert count(home) == last
    assert not (home.folder / "bundle").exists()


def mend_options(first: int, last: int, since: str) -> tuple[str, ...]:
    return ("mend-clock", str(first), str(last), "--since", since, "--by", "An", "--second", "binh", "--reason", "x")


def test_who_signed_as_the_second_person_is_not_enrolled_as_a_writer(home: Home) -> None:
    home.call("enroll")
    seq = put_line(home, NOT_A_RECORD)
    set_aside(home, seq, seq)
    before = count(home)

    refused = home.call("enroll", "--accept", str(home.folder / "binh.pub"), "--name", "binh", expected=ExitCode.USAGE)

    assert "signs as the second person" in refused["message"]
    assert count(home) == before
    assert home.call("verify")["integrity"]["holds"]


@pytest.mark.parametrize("by", ["TRẦN THỊ BÌNH", "Trần  Thị\tBình", " trần thị bình ", "BINH", "Trần Thị Bình"])
def test_one_person_is_no_two_however_the_name_is_typed(home: Home, by: str) -> None:
    seq = put_line(home, NOT_A_RECORD)

    refused = home.call(*options(seq, seq), "--by", by, expected=ExitCode.USAGE)

    assert "is both persons" in refused["message"]


def test_records_that_were_set_aside_are_claimed_by_no_command(home: Home) -> None:
    home.call("enroll")
    seq = put_record(home, "note.added", note="x")
    set_aside(home, seq, seq)
    before = count(home)

    refused = home.call("claim", str(seq), str(seq), "--reason", "x", expected=ExitCode.USAGE)

    assert refused["message"].startswith(f"two persons set record {seq} aside")
    assert count(home) == before
    assert home.call("verify")["integrity"]["holds"]


def enrolled(home: Home) -> int:
    home.call("enroll", "--accept", str(home.folder / "chi.pub"), "--name", "chi")
    return next(home.ledger.records(kinds=("writer.added",), newest_first=True)).seq


def quarantined(home: Home) -> int:
    seq = put_record(home, "note.added", note="x")
    set_aside(home, seq, seq)
    return count(home)


def aside_already(home: Home) -> int:
    seq = put_record(home, "note.added", note="x")
    set_aside(home, seq, seq)
    return seq


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (enrolled, "counts: a quarantine changes nothing of it"),
        (quarantined, "counts: a quarantine changes nothing of it"),
        (aside_already, "is set aside already"),
    ],
)
def test_a_quarantine_that_would_change_nothing_is_refused(home: Home, act: Callable[[Home], int], why: str) -> None:
    home.call("enroll")
    seq = act(home)
    before = count(home)

    refused = home.call(*options(seq, seq), expected=ExitCode.USAGE)

    assert refused["message"] == f"record {seq} {why}"
    assert count(home) == before


def put_again(home: Home, kind: str, number: int) -> int:
    """Record a record of a kind again, as who may append and has no key can."""
    found = list(home.ledger.records(kinds=(kind,)))[number]
    return put_record(home, kind, **bodies.read(home.ledger.blob(found.body)))


@pytest.mark.parametrize("number", [0, -1])
def test_a_copy_of_a_head_stops_no_head_and_is_set_aside(home: Home, number: int) -> None:
    put_record(home, "note.added", note="x")
    home.call("head")
    seq = put_again(home, "head", number)
    home.call("verify", expected=ExitCode.INTEGRITY)
    put_record(home, "note.added", note="y")
    home.call("head")

    set_aside(home, seq, seq)
    home.call("export", "--output", str(home.folder / "bundle"), "--period", "2026-11")

    assert home.call("verify")["integrity"]["holds"]
    assert verify_bundle(home.folder / "bundle").integrity.holds
    assert f"Record {seq} was set aside" in home.read("verify")
    assert f"Bản ghi {seq} đã được" in home.read("verify", language="vi")


def test_a_writer_that_is_added_again_is_set_aside(home: Home) -> None:
    home.call("enroll")
    seq = put_again(home, "writer.added", 0)

    set_aside(home, seq, seq)

    assert home.call("verify")["integrity"]["holds"]


def test_a_claimed_record_without_details_is_set_aside_once_its_writer_is_ended(home: Home) -> None:
    home.call("enroll", "--accept", str(home.folder / "chi.pub"), "--name", "chi")
    seq = put_record(home, "note.added", note="nobody has this")
    record = home.ledger.record(seq)
    assert record is not None
    stolen = SigningKey.load(home.folder / "chi")
    claim = draft_claim(home.ledger, stolen, [LineRange(seq, seq, line_digest(record.line))])
    put_record(home, "claim", **bodies.read(home.ledger.blob(claim.body)))
    (blob,) = (home.folder / "state/blobs").rglob(f"{record.body}*")
    blob.unlink()
    refused = home.call(*options(seq, seq), expected=ExitCode.USAGE)

    home.call("enroll", "--end", "chi")
    set_aside(home, seq, seq)

    assert refused["message"] == f"the details of record {seq}, which chi claims, are missing"
    assert "enroll --end chi" in refused["hint"]
    assert home.call("verify")["integrity"]["holds"]


def test_an_export_that_fails_is_not_recorded(home: Home) -> None:
    seq = put_line(home, b"A" * 8193)
    set_aside(home, seq, seq)
    home.call("head")
    before = count(home)

    home.call("export", "--output", str(home.folder / "bundle"), expected=ExitCode.INTEGRITY)

    assert not any(home.ledger.records(kinds=("export",)))
    assert count(home) == before


def test_an_export_without_a_place_for_its_bundle_is_not_recorded(home: Home, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("x")

    home.call("export", "--output", str(tmp_path / "a file" / "bundle"), expected=ExitCode.FAILED)

    assert not any(home.ledger.records(kinds=("export",)))
