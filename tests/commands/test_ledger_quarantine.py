"""Two persons set aside what stopped a ledger, with stock ssh-keygen, and the ledger goes on."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.claimant import MachineClaimant, draft_claim, record_writer
from portalops.ledger.heads import read_signers, record_head
from portalops.ledger.heeded import HeedfulLedger, numbers_set_aside
from portalops.ledger.ledger import MOVED, Ledger
from portalops.ledger.record import NO_RUN, Draft, line_digest
from portalops.model.heads import KeyEvent
from portalops.model.record import Digest, RunId
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.ledger.bundle.bundles import key_of
from tests.verifier.scene import VERIFY_PY, as_process

NOT_A_RECORD = '{"at":"9999-12-31T00:00:00.000Z","kind":"backup.finished","run":"x","không phải":"bản ghi"}'.encode()


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return home_of_two(tmp_path, capsys)


def home_of_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """Make a signed ledger, and a person who may sign with a key made by stock ssh-keygen; `chi` is a stranger."""
    for name in ("binh", "chi"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True)
    person = f"""
[[ledger.signer]]
id = "binh"
name = {{ vi = "Trần Thị Bình", en = "Trần Thị Bình" }}
office = "Phòng Công nghệ số"
key = "{(tmp_path / "binh.pub").read_text().strip()}"
"""
    home = Home(tmp_path, capsys, extra=person)
    home.call("head")
    return home


def count(home: Home) -> int:
    return Ledger.open(home.folder / "state", SystemClock(), create=False).count()


def put_line(home: Home, line: bytes) -> int:
    """Append a line as who stole the right to write the file does it; return its number."""
    with sqlite3.connect(home.folder / "state/ledger.sqlite") as connection:
        (newest,) = connection.execute("SELECT max(seq) FROM record").fetchone()
        connection.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (newest + 1, line))
        connection.execute("UPDATE tail SET size = ?, head = ?", (newest + 1, hashlib.sha256(line).hexdigest()))
    connection.close()
    return int(newest) + 1


def options(first: int, last: int) -> tuple[str, ...]:
    return (
        "quarantine", str(first), str(last), "--by", "Nguyễn Văn An", "--second", "binh",
        "--reason", "một tài khoản bị lấy cắp đã ghi",
    )  # fmt: skip


def set_aside(home: Home, first: int, last: int, *, key: str = "binh", expected: ExitCode = ExitCode.OK) -> Any:
    text = home.folder / "quarantine.txt"
    for left in (text, Path(f"{text}.sig")):
        left.unlink(missing_ok=True)
    home.call(*options(first, last), "--request", str(text))
    command = ["ssh-keygen", "-Y", "sign", "-n", "portalops-quarantine", "-f", str(home.folder / key), str(text)]
    subprocess.run(command, check=True, capture_output=True)
    return home.call(*options(first, last), "--signature", f"{text}.sig", expected=expected)


def test_a_line_that_is_no_record_stops_the_ledger_until_two_persons_set_it_aside(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)
    home.call("head", expected=ExitCode.INTEGRITY)
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)
    home.call("head")
    found = home.call("verify")["integrity"]

    assert found["holds"]
    (said,) = found["set_aside"]
    assert (said["first"], said["last"], said["by"], said["second"]) == (seq, seq, "Nguyễn Văn An", "Trần Thị Bình")
    assert "Trần Thị Bình" in home.read("verify", language="vi")


def test_nothing_is_recorded_before_the_second_person_signed(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)

    shown = home.call(*options(seq, seq))
    refused = set_aside(home, seq, seq, key="chi", expected=ExitCode.INTEGRITY)

    assert shown["seq"] is None and "portalops-quarantine 1\n" in shown["text"]
    assert "signed by the key SHA256:" in refused["message"]
    home.call("head", expected=ExitCode.INTEGRITY)


def test_a_stranger_who_says_that_the_ledger_moved_stops_no_command_once_that_is_set_aside(home: Home) -> None:
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    body = bodies.write({"moved": {"from": "file", "to": "elsewhere", "records": 1, "head": "0" * 64}})
    seq = ledger.append(MOVED, run=NO_RUN, body=body).seq
    ledger.close()
    home.call("enroll", expected=ExitCode.FAILED)

    set_aside(home, seq, seq)

    home.call("head")
    assert home.call("verify")["integrity"]["holds"]


def test_the_key_that_this_machine_signs_with_sets_records_aside_for_who_knows_it(home: Home) -> None:
    home.key.rename(home.folder / "first")
    SigningKey.make(home.key)
    added = KeyEvent(SigningKey.load(home.key).public_key, "x", "")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    ledger.append("key.added", run=NO_RUN, body=bodies.write({"key": added}))
    ledger.close()
    seq = put_line(home, NOT_A_RECORD)

    set_aside(home, seq, seq)

    assert home.call("verify")["integrity"]["set_aside"]


def test_a_record_that_is_whole_stays(home: Home) -> None:
    refused = home.call(*options(1, 1), expected=ExitCode.USAGE)
    assert "whole" in refused["message"]


def test_what_a_stranger_wrote_and_nobody_claims_is_no_fault_once_it_is_set_aside(home: Home) -> None:
    home.call("enroll")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    seq = ledger.append("note.added", run=NO_RUN, body=bodies.write({"note": "x"})).seq
    ledger.append("claim", run=NO_RUN, body=bodies.write({"claim": {"text": "x", "signature": "x"}}))
    ledger.close()
    home.call("verify", expected=ExitCode.INTEGRITY)

    claimed = home.call(*options(1, seq), expected=ExitCode.USAGE)
    set_aside(home, seq, seq + 1)

    assert home.call("verify")["integrity"]["holds"]
    assert "record" in claimed["message"]


@pytest.mark.parametrize("kind", ["claim", "writer.added", "plan", "blob.erased", "note"])
def test_a_strangers_record_without_details_is_exported_with_a_warning_whose_cure_works(home: Home, kind: str) -> None:
    home.call("enroll")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    (forged,) = ledger.append_many((Draft(kind, Digest("c" * 64)),))
    ledger.close()
    cure = f"portalops ledger quarantine {forged.seq} {forged.seq}"

    assert cure in home.read("export", "--dry-run", "--output", str(home.folder / "x"))
    assert cure in home.read("export", "--output", str(home.folder / "faulty"), expected=ExitCode.INTEGRITY)
    home.call("head")
    home.call("verify", str(home.folder / "faulty"), expected=ExitCode.INTEGRITY)
    set_aside(home, forged.seq, forged.seq)
    said = home.read("export", "--output", str(home.folder / "bundle"))

    assert "are missing" not in said
    assert home.call("verify", str(home.folder / "bundle"))["integrity"]["holds"]
    assert home.call("verify")["integrity"]["holds"]


def test_a_claimed_erasure_of_what_is_never_erased_stops_no_bundle_and_is_set_aside(home: Home) -> None:
    home.call("enroll")
    body = home.call("show", "1")["body"]
    forged = put_record(home, "blob.erased", erased={"digest": body, "reason": "x", "approved_by": "x"})
    home.call("claim", str(forged), str(forged), "--reason", "x")
    assert "never erased" in home.read("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, forged, forged)

    home.read("export", "--output", str(home.folder / "bundle"))
    assert home.call("verify", str(home.folder / "bundle"))["integrity"]["holds"]
    assert home.call("verify")["integrity"]["holds"]


def test_verification_names_the_cure_of_a_plan_that_its_writer_may_not_record(home: Home) -> None:
    home.call("enroll")
    home.call("head")
    pub = home.folder / "web2.pub"
    pub.write_text(f"{key_of(7).public_key} web2\n")
    home.call("enroll", "--accept", str(pub))
    seq = put_record(home, "plan", plan={})
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    record = ledger.record(seq)
    assert record is not None
    ledger.append_many((draft_claim(ledger, key_of(7), [LineRange(seq, seq, line_digest(record.line))]),))
    ledger.close()

    said = home.read("verify", expected=ExitCode.INTEGRITY)
    set_aside(home, seq, seq)

    assert f"portalops ledger quarantine {seq} {seq}" in said
    assert home.call("verify", expected=ExitCode.OK)["integrity"]["holds"]


def test_a_stranger_who_begins_the_ledger_anew_stops_no_export_once_that_is_set_aside(home: Home) -> None:
    home.call("enroll")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    forged = ledger.append("ledger.created", run=NO_RUN, body=bodies.write({"ledger": "f" * 32}))
    ledger.close()

    refused = home.call("export", "--output", str(home.folder / "bundle"), expected=ExitCode.INTEGRITY)
    assert f"'portalops ledger quarantine {forged.seq} {forged.seq}'" in refused["hint"]
    assert f"portalops ledger quarantine {forged.seq} {forged.seq}" in home.read("verify", expected=ExitCode.INTEGRITY)
    set_aside(home, forged.seq, forged.seq)

    home.call("export", "--output", str(home.folder / "bundle"))
    assert home.call("verify", str(home.folder / "bundle"))["integrity"]["holds"]


@pytest.mark.parametrize(("is_whole", "code"), [(True, ExitCode.PARTIAL), (False, ExitCode.UNMET)], ids=["3", "1"])
def test_an_export_names_the_exit_code_of_a_quarantine_that_it_does_not_prove(
    home: Home, is_whole: bool, code: ExitCode
) -> None:
    home.call("enroll")
    pub = home.folder / "an.pub"
    pub.write_text(f"{key_of(7).public_key} an\n")
    home.call("enroll", "--accept", str(pub))
    seq = put_record(home, "incident.opened", incident={"id": "x"})
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    record = ledger.record(seq)
    assert record is not None
    ledger.append_many((draft_claim(ledger, key_of(7), [LineRange(seq, seq, line_digest(record.line))]),))
    blob = ledger.blob(record.body)
    ledger.remove_blob(record.body)
    if not is_whole:
        ledger.append("check.finished", run=RunId("11.2:daily-check:2026-11-30"), body=bodies.write({}))
    ledger.close()
    home.call("enroll", "--end", "an")
    set_aside(home, seq, seq)

    home.ledger.keep(blob)  # they turn up again, and the bundle leaves them out
    withheld = ("--output", str(home.folder / "bundle"), "--withhold", f"{record.body}=names")
    said = home.read("export", *withheld)

    assert f"with exit code {int(code)}" in said
    home.call("verify", str(home.folder / "bundle"), expected=code)


def test_lost_details_that_no_bundle_can_do_without_are_to_be_restored(home: Home) -> None:
    digest = next(home.ledger.records(kinds=("head",))).body
    kept = home.ledger.blob(digest)
    home.ledger.remove_blob(digest)

    refused = home.call("export", "--output", str(home.folder / "x"), expected=ExitCode.INTEGRITY)

    assert "--withhold" not in refused["hint"]
    home.ledger.keep(kept)
    home.call("export", "--output", str(home.folder / "x"))


def put_record(home: Home, kind: str, **parts: object) -> int:
    """Append a record as a stranger's account does it; return its number."""
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    seq = ledger.append(kind, run=NO_RUN, body=bodies.write(parts)).seq
    ledger.close()
    return seq


def test_a_request_is_never_written_over_another_file(home: Home) -> None:
    seq, key = put_line(home, NOT_A_RECORD), home.key.read_bytes()

    refused = home.call(*options(seq, seq), "--request", str(home.key), expected=ExitCode.USAGE)

    assert "is there already" in refused["message"]
    assert home.key.read_bytes() == key


def test_the_second_persons_key_is_compared_with_the_configuration(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)
    set_aside(home, seq, seq)
    assert "Ask Trần Thị Bình" not in home.read("verify")

    file = home.folder / "portalops.toml"
    own, other = ((home.folder / f"{name}.pub").read_text().strip() for name in ("binh", "chi"))
    file.write_text(file.read_text().replace(own, other))

    code = run(["--config", str(file), "ledger", "verify"], {})
    assert code == ExitCode.OK
    assert "Ask Trần Thị Bình" in home.capsys.readouterr().err


@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("sign-off", {"sign_off": {"report": "x"}}),
        ("drill.imported", {"drill_report": {"text": "x"}}),
        ("head", {"head": {"text": "x"}}),
        ("key.added", {"key": {"public_key": "x"}}),
        ("key.retired", {"key": {"public_key": "x"}}),
        ("ledger.created", {"ledger": "0" * 32, "format": 1, "portalops": "x"}),
    ],
)
def test_what_a_stranger_recorded_as_signed_is_no_fault_once_it_is_set_aside(
    home: Home, kind: str, parts: dict[str, object], *, enrolled: bool
) -> None:
    if enrolled:
        home.call("enroll")
    seq = put_record(home, kind, **parts)
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    home.call("head")
    assert home.call("verify")["integrity"]["holds"]
    home.call("export", "--output", str(home.folder / "bundle"), "--period", "2026-11")
    assert verify_bundle(home.folder / "bundle").integrity.holds


def test_the_head_goes_on_once_a_strangers_successor_is_set_aside(home: Home) -> None:
    thief = key_of(66)
    added = KeyEvent(thief.public_key, "x", SigningKey.load(home.key).public_key)
    seq = put_record(home, "key.added", key=added)
    refused = home.call("head", expected=ExitCode.INTEGRITY)
    assert f"portalops ledger quarantine {seq} {seq}" in refused["hint"]

    set_aside(home, seq, seq)

    home.call("head")
    home.call("export", "--output", str(home.folder / "bundle"))
    assert home.call("verify")["integrity"]["holds"]
    assert "No earlier key" not in home.read("verify")
    assert "no earlier key" not in as_process(VERIFY_PY, home.folder / "bundle").stdout
    assert not read_signers(Ledger.open(home.folder / "state", SystemClock(), create=False))[1].is_confirmed


def test_a_strangers_record_between_claimed_ones_is_nobodys_and_can_be_set_aside(home: Home) -> None:
    home.call("enroll")
    seq = put_record(home, "claim", claim={"text": "x"})
    home.call("head")

    set_aside(home, seq, seq)

    assert home.call("verify")["integrity"]["holds"]


def test_an_honest_head_stays(home: Home) -> None:
    home.call("enroll")
    home.call("head")
    seq = count(home)

    refused = home.call(*options(seq, seq), expected=ExitCode.USAGE)

    assert "stands for record" in refused["message"]


def test_a_strangers_retirement_and_head_stop_nothing_and_are_set_aside(home: Home) -> None:
    thief = key_of(66)
    put_record(home, "key.added", key=KeyEvent(thief.public_key, "x", ""))
    retired = put_record(home, "key.retired", key=KeyEvent(SigningKey.load(home.key).public_key, "x", ""))
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    forged = record_head(ledger, thief, SystemClock()).seq
    ledger.close()

    assert home.call("head")["seq"] > forged
    home.call("verify", expected=ExitCode.INTEGRITY)
    set_aside(home, retired, forged)

    assert home.call("verify")["integrity"]["holds"]
    home.call("export", "--output", str(home.folder / "bundle"), "--period", "2026-11")
    assert verify_bundle(home.folder / "bundle").integrity.holds


def test_the_second_persons_key_that_a_stranger_adds_to_the_ledger_changes_nothing(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)
    set_aside(home, seq, seq)
    binh = " ".join((home.folder / "binh.pub").read_text().split()[:2])

    put_record(home, "key.added", key=KeyEvent(binh, "x", ""))

    assert home.call("verify")["integrity"]["set_aside"]
    home.call("head")


def test_what_counts_is_not_said_to_be_set_aside(home: Home) -> None:
    """A claim, a writer and a quarantine that count go on counting, so two persons would only believe that they stopped somebody."""
    home.call("enroll")
    home.call("claim", "2", "2", "--reason", "x", expected=ExitCode.OK)
    junk = put_line(home, NOT_A_RECORD)
    set_aside(home, junk, junk)
    counting = {
        record.kind: record.seq
        for record in Ledger.open(home.folder / "state", SystemClock(), create=False).records()
        if record.kind in {"writer.added", "claim", "ledger.quarantined"}
    }

    assert len(counting) == 3
    for seq in counting.values():
        assert "counts" in home.call(*options(seq, seq), expected=ExitCode.USAGE)["message"]


def test_the_second_person_is_no_writer_with_the_same_key(home: Home) -> None:
    home.call("enroll")
    refused = home.call("enroll", "--accept", str(home.folder / "binh.pub"), "--name", "binh", expected=ExitCode.USAGE)

    assert "signer binh" in refused["message"]


def test_a_quarantine_by_a_writers_key_is_refused_before_it_is_recorded(home: Home) -> None:
    home.call("enroll")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    key = " ".join((home.folder / "binh.pub").read_text().split()[:2])
    event = WriterEvent(ledger.id, WriterState.ADDED, key, "binh", Authority.RECORDS)
    record_writer(ledger, event, SigningKey.load(home.key))
    ledger.close()
    seq = put_line(home, NOT_A_RECORD)

    refused = home.call(*options(seq, seq), expected=ExitCode.USAGE)

    assert "or a machine's" in refused["message"]


def test_what_two_persons_set_aside_is_not_claimed_afterwards(home: Home) -> None:
    home.call("enroll")
    seq = put_record(home, "note", note="x")
    set_aside(home, seq, seq)

    refused = home.call("claim", str(seq), str(seq), "--reason", "x", expected=ExitCode.USAGE)

    assert f"two persons set record {seq} aside" in refused["message"]
    assert home.call("verify")["integrity"]["holds"]


def test_a_record_of_this_machine_that_is_not_claimed_yet_is_not_set_aside(home: Home) -> None:
    home.call("enroll")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    ledger.claimant = MachineClaimant(home.folder / "state", SystemClock(), "x", enrols=False)
    seq = ledger.append("note", run=NO_RUN, body=bodies.write({"note": "of a killed command"})).seq
    ledger.claimant.close()
    ledger.close()

    assert "this machine's own" in home.call(*options(seq, seq), expected=ExitCode.USAGE)["message"]


def test_what_counts_between_a_strangers_records_keeps_none_of_them_from_being_set_aside(home: Home) -> None:
    home.call("enroll")
    first = put_record(home, "note", note="x")
    home.call("claim", "2", "2", "--reason", "x")
    last = put_record(home, "note", note="y")

    set_aside(home, first, last)
    home.call("head")

    assert last == first + 2
    assert home.call("verify")["integrity"]["holds"]
    ledger = HeedfulLedger.open(home.folder / "state", SystemClock(), create=False)
    assert {first, last} <= numbers_set_aside(ledger)
