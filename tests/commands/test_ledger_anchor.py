"""`portalops ledger anchor` and the job of the same kind: which anchor gets which head, and what is recorded of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticState, diagnose
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.heads import code_of, head_digest, newest_head
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.heads import AnchorId, AnchorReceipt, AnchorResult
from portalops.model.record import Digest
from portalops.registers.anchors import ANCHOR_RECEIVED, RECEIPT, newest_taken, read_receipts
from portalops.signatures.sshsig import SigningKey
from portalops.system.addresses import own_addresses
from portalops.system.clock import SystemClock
from portalops.witness.receipts import Receipt, sign_receipt
from tests.anchors.parts import mail_server, signing_key
from tests.commands.signed_home import Home
from tests.shapes import data_in

JOB = """
[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"
"""


def folder_anchor(name: str) -> str:
    return f'\n[[ledger.anchor]]\nid = "{name}"\nkind = "folder"\nfolder = "{name}"\n'


def witness_anchor(key: SigningKey, name: str = "so-tttt") -> str:
    return f'\n[[ledger.anchor]]\nid = "{name}"\nkind = "witness"\nkey = "{key.public_key} witness"\n'


def a_home(tmp_path: Path, capsys: pytest.CaptureFixture[str], *tables: str, key: bool = True) -> Home:
    home = Home(tmp_path, capsys, key=key, extra=JOB + "".join(tables))
    (tmp_path / "share-a").mkdir()
    (tmp_path / "share-b").mkdir()
    return home


def record_now(home: Home, kind: str, body: bytes) -> None:
    Ledger.open(home.folder / "state", SystemClock(), create=True).append(kind, run=NO_RUN, body=body)


def kept(home: Home, share: str) -> list[str]:
    return sorted(path.name for path in (home.folder / share).rglob("*.txt"))


@pytest.mark.heavy
def test_every_anchor_gets_the_head_and_the_ledger_holds_its_receipt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))

    done = home.call("anchor")

    head = newest_head(home.ledger)
    assert head is not None
    assert [(one["id"], one["size"], one["head"]) for one in done["anchors"]] == [
        ("share-a", head.head.size, head_digest(head.signed.text)),
        ("share-b", head.head.size, head_digest(head.signed.text)),
    ]
    assert done["outcome"] == "complete"
    assert kept(home, "share-a") == kept(home, "share-b") == [f"{head.head.size:010}.txt"]
    assert {receipt.body.anchor for receipt in read_receipts(home.ledger)} == {"share-a", "share-b"}


def test_one_anchor_that_fails_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("absent"), folder_anchor("share-b"))

    done = home.call("anchor", expected=ExitCode.PARTIAL)

    assert [bool(one["problem"]) for one in done["anchors"]] == [True, False]
    assert done["outcome"] == "incomplete"
    assert "absent" in done["problems"][0]
    assert len(kept(home, "share-b")) == 1


def test_an_anchor_that_lost_the_head_and_cannot_take_it_again_does_not_have_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))
    assert "2 of 2" in home.read("anchor")
    shutil.rmtree(tmp_path / "share-a")

    said = home.read("anchor", expected=ExitCode.PARTIAL)

    assert "1 of 2" in said
    assert "share-a: the last time it took nothing" in said_of(home, DiagnosticState.WARNING)
    assert "share-a: it has the head" not in said_of(home, DiagnosticState.GOOD)
    assert "share-b: it has the head" in said_of(home, DiagnosticState.GOOD)


def test_an_anchor_that_has_the_days_head_gets_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = '[[ledger.anchor]]\nid = "mail"\nkind = "mail"\nhost = "127.0.0.1"\nsecurity = "none"\n'
    where += 'sender = "a@kh.example"\nrecipients = ["b@so.example"]\n'
    with mail_server() as box:
        home = a_home(tmp_path, capsys, folder_anchor("absent"), f"{where}port = {box.port}\n")
        home.call("anchor", expected=ExitCode.PARTIAL)
        (tmp_path / "absent").mkdir()
        done = home.call("anchor")

        assert len(box.mails) == 1
        assert [bool(one["problem"]) for one in done["anchors"]] == [False, False]

        record_now(home, "note", b"{}")
        home.call("anchor")

        assert len(box.mails) == 2


def test_a_head_that_vanished_from_an_anchor_is_handed_over_anew_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))
    home.call("anchor")
    for path in (tmp_path / "share-a").rglob("*.txt"):
        path.unlink()

    said = home.read("anchor")
    again = home.read("anchor")

    assert "share-a: the head of" in said and "is sent again" in said
    assert "is sent again" not in again
    assert len(kept(home, "share-a")) == len(kept(home, "share-b")) == 1


def test_an_anchor_that_cannot_be_looked_at_any_more_has_not_taken_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))
    home.call("anchor")
    (tmp_path / "share-a").rename(tmp_path / "unplugged")

    done = home.call("anchor", expected=ExitCode.PARTIAL)

    assert [bool(one["problem"]) for one in done["anchors"]] == [True, False]


def test_a_new_ledger_beside_an_anchor_with_heads_of_a_lost_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    home.call("anchor")
    lost = home.ledger.id
    shutil.rmtree(tmp_path / "state")

    said = home.read("anchor")
    again = home.read("anchor")

    assert f"anchor share-a holds heads of another ledger, {lost}" in said
    assert "another ledger" not in again, "a ledger that has begun is not begun again"


def test_where_no_anchor_takes_it_the_run_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = a_home(tmp_path, capsys, folder_anchor("absent")).call("anchor", expected=ExitCode.FAILED)

    assert done["outcome"] == "failed"


def test_without_anchors_the_head_is_said_to_be_kept_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys)

    done = home.call("anchor", expected=ExitCode.PARTIAL)

    assert (done["outcome"], newest_head(home.ledger) is None) == ("incomplete", False)
    assert "kept only here" in done["problems"][0]


def test_without_a_signing_key_the_run_failed_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), key=False)

    done = home.call("anchor", expected=ExitCode.FAILED)

    assert "no signing key is configured" in done["problems"][0]
    assert kept(home, "share-a") == []
    assert home.ledger.summary(home.ledger.runs(kinds=("anchor",))[0]) is not None


def test_an_anchor_with_another_history_is_a_matter_of_integrity(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))
    done = home.call("anchor", "share-b", expected=ExitCode.PARTIAL)
    (head,) = (tmp_path / "share-b").rglob("*.txt")
    forged = tmp_path / "share-a" / head.relative_to(tmp_path / "share-b")
    forged.parent.mkdir()
    forged.write_text("another history\n")

    done = home.call("anchor", expected=ExitCode.INTEGRITY)

    assert "two histories" in done["problems"][0]
    assert forged.read_text() == "another history\n"


def test_named_anchors_alone_get_it_and_the_others_count_as_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("share-b"))

    first = home.call("anchor", "share-a", expected=ExitCode.PARTIAL)
    second = home.call("anchor", "share-b")

    assert [one["id"] for one in first["anchors"]] == ["share-a"]
    assert second["outcome"] == "complete"
    assert kept(home, "share-a") == kept(home, "share-b")


def test_an_unknown_anchor_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = a_home(tmp_path, capsys, folder_anchor("share-a")).call("anchor", "share-c", expected=ExitCode.USAGE)

    assert said["message"] == "there is no anchor share-c"


def test_a_dry_run_signs_and_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    before = home.ledger.count()

    done = home.call("anchor", "--dry-run")

    assert (home.ledger.count(), kept(home, "share-a")) == (before, [])
    assert [one["id"] for one in done["anchors"]] == ["share-a"]


def test_a_person_sees_each_anchor_with_its_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"), folder_anchor("absent"))

    shown = home.read("anchor", expected=ExitCode.PARTIAL)

    assert "accepted" in shown
    assert "not accepted" in shown


# --- Receipts of witnesses ----------------------------------------------------------------------


def a_receipt(home: Home, key: SigningKey, *, head: str | None = None, ledger: str | None = None) -> bytes:
    newest = newest_head(home.ledger)
    assert newest is not None
    digest = Digest(head or head_digest(newest.signed.text))
    at = datetime(2026, 11, 25, 1, 40, tzinfo=UTC)
    return sign_receipt(Receipt(ledger or home.ledger.id, newest.head.size, digest, at, "kh"), key).data


@pytest.fixture
def key() -> SigningKey:
    return signing_key()


@pytest.fixture
def watched(tmp_path: Path, capsys: pytest.CaptureFixture[str], key: SigningKey) -> Home:
    home = a_home(tmp_path, capsys, witness_anchor(key), folder_anchor("share-a"))
    home.call("anchor", expected=ExitCode.PARTIAL)
    return home


def hand_in(home: Home, data: bytes, *, expected: ExitCode = ExitCode.OK) -> dict[str, object]:
    (home.folder / "receipt").write_bytes(data)
    done: dict[str, object] = home.call("anchor", "--receipt", str(home.folder / "receipt"), expected=expected)
    return done


def test_a_receipt_is_recorded_once(watched: Home, key: SigningKey) -> None:
    data = a_receipt(watched, key)

    first, before = hand_in(watched, data), watched.ledger.count()
    second = hand_in(watched, data)

    assert (first["new"], second["new"]) == (True, False)
    assert watched.ledger.count() == before
    receipt = newest_taken(read_receipts(watched.ledger))[AnchorId("so-tttt")].body
    assert receipt.at == datetime(2026, 11, 25, 1, 40, tzinfo=UTC)
    assert watched.ledger.blob(receipt.evidence[0]) == data


def test_a_receipt_comes_in_on_standard_input(watched: Home, key: SigningKey) -> None:
    program = [sys.executable, "-c", "from commands.app import main; main()"]
    options = ["--config", str(watched.folder / "portalops.toml"), "--json", "ledger", "anchor", "--receipt", "-"]

    done = subprocess.run([*program, *options], input=a_receipt(watched, key), check=True, capture_output=True)

    assert data_in(done.stdout, "ledger anchor")["new"] is True


def test_a_silent_witness_makes_the_day_incomplete_until_it_hands_in_a_receipt(watched: Home, key: SigningKey) -> None:
    silent = watched.call("anchor", expected=ExitCode.PARTIAL)
    hand_in(watched, a_receipt(watched, key))

    assert "so-tttt: no receipt from the witness yet" in silent["problems"]
    assert watched.call("anchor")["outcome"] == "complete"


def test_a_witness_that_fell_silent_is_told_from_one_that_never_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: SigningKey
) -> None:
    home = a_home(tmp_path, capsys, witness_anchor(key), folder_anchor("share-a"))
    earlier = datetime(2024, 1, 1, tzinfo=UTC)
    receipt = AnchorReceipt(AnchorId("so-tttt"), "witness", 9, Digest("0b" * 32), earlier, {})
    home.ledger.append(ANCHOR_RECEIVED, run=NO_RUN, subject="so-tttt", body=bodies.write({RECEIPT: receipt}))

    done = home.call("anchor", expected=ExitCode.PARTIAL)

    assert "so-tttt: no receipt from the witness for 2 days" in done["problems"]


def test_a_person_sees_the_head_code_first_and_what_each_anchor_has(watched: Home, key: SigningKey) -> None:
    hand_in(watched, a_receipt(watched, key))
    head = newest_head(watched.ledger)
    assert head is not None

    shown = watched.read("anchor", "--quiet")

    assert shown.startswith(f"Head code:                     {code_of(head.head)}\n")
    assert "Anchors that have it:          2 of 2\n" in shown
    assert f"fetches by itself  25 Nov 2026 08:40 +07  head over {head.head.size} records\n" in shown


def test_what_an_anchor_refused_is_told_in_the_readers_language_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("absent"))

    shown = home.read("anchor", "--quiet", language="vi", expected=ExitCode.FAILED)

    assert "! absent: nơi neo giữ absent không nhận mốc sổ cái: " in shown
    assert "! absent: Hãy gắn thư mục chia sẻ hoặc thẻ nhớ" in shown


def test_the_doctor_sends_nobody_to_hand_a_head_to_a_witness(watched: Home) -> None:
    cures = [str(each.cure) for each in seen(watched) if "so-tttt: it has no head yet" in str(each.seen)]

    assert len(cures) == 1 and "'portalops watch-remote' runs there" in cures[0]


def test_a_receipt_by_another_key_is_refused(watched: Home) -> None:
    said = hand_in(watched, a_receipt(watched, signing_key()), expected=ExitCode.INTEGRITY)

    assert "is signed by" in str(said["message"])


def test_a_receipt_for_a_head_that_was_never_made_is_an_alarm(watched: Home, key: SigningKey) -> None:
    said = hand_in(watched, a_receipt(watched, key, head="0b77" * 16), expected=ExitCode.INTEGRITY)

    assert "that this ledger does not hold" in str(said["message"])


def test_a_receipt_for_another_ledger_is_wrong_usage(watched: Home, key: SigningKey) -> None:
    hand_in(watched, a_receipt(watched, key, ledger="0" * 32), expected=ExitCode.USAGE)


@pytest.mark.parametrize("data", [b"", b"hello", b"portalops-receipt 1\n" * 1000])
def test_what_is_no_receipt_is_wrong_usage(watched: Home, data: bytes) -> None:
    before = watched.ledger.count()

    hand_in(watched, data, expected=ExitCode.USAGE)

    assert watched.ledger.count() == before


def test_a_receipt_that_is_not_there_is_named(watched: Home) -> None:
    said = watched.call("anchor", "--receipt", "absent", expected=ExitCode.USAGE)

    assert "cannot read 'absent'" in said["message"]


def test_without_a_witness_nobodys_receipt_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    home.call("anchor")

    hand_in(home, a_receipt(home, signing_key()), expected=ExitCode.USAGE)


# --- The job in a run ---------------------------------------------------------------------------

BACKUP = """
[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
"""


def planned(home: Home, *jobs: str) -> list[str]:
    arguments = ["--config", str(home.folder / "portalops.toml"), "--json", "run", "--dry-run", *jobs]
    assert run(arguments, {}) == ExitCode.OK
    return [job["id"] for job in json.loads(home.capsys.readouterr().out)["data"]]


def test_a_backup_is_followed_by_the_anchor_job_though_it_is_not_due(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, BACKUP, folder_anchor("share-a"))

    assert planned(home) == ["weekly-backup", "daily-anchor"]

    home.call("anchor")
    assert planned(home) == ["weekly-backup", "daily-anchor"]
    assert planned(home, "weekly-backup") == ["weekly-backup", "daily-anchor"]
    assert planned(home, "daily-anchor") == ["daily-anchor"]


# --- The doctor ---------------------------------------------------------------------------------


def seen(home: Home, *, later: timedelta = timedelta()) -> list[Diagnosis]:
    class Later:
        def now(self) -> datetime:
            return datetime.now(UTC) + later

        def monotonic(self) -> float:
            return 0.0

    session = Session(Invocation((), config=home.folder / "portalops.toml"), dict(os.environ), clock=Later())
    return [each for each in diagnose(session) if each.subject in {"anchors", "signing"}]


def said_of(home: Home, state: DiagnosticState, *, later: timedelta = timedelta()) -> str:
    return "\n".join(str(each.seen) for each in seen(home, later=later) if each.state is state)


def test_a_folder_on_the_ledgers_own_file_system_is_no_anchor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    home.call("anchor")

    assert "share-a: it lies on this machine, so it is no anchor" in said_of(home, DiagnosticState.WARNING)
    assert "0 anchors lie out of reach" in said_of(home, DiagnosticState.WARNING)
    assert "everything recorded is signed" in said_of(home, DiagnosticState.GOOD)


def test_a_server_at_an_address_of_this_machine_is_no_anchor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = next(str(each) for each in own_addresses() if each.version == 4)
    stamps = f"[[ledger.anchor]]\nid='tsa'\nkind='rfc3161'\nurl='http://{address}:318/'\nca_file='ca.pem'\n"
    home = a_home(tmp_path, capsys, stamps)

    assert "tsa: it lies on this machine, so it is no anchor" in said_of(home, DiagnosticState.WARNING)


def test_an_anchor_whose_package_is_not_installed_is_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = "[[ledger.anchor]]\nid='tsa'\nkind='rfc3161'\nurl='https://tsa.khanhhoa.example'\nca_file='ca.pem'\n"
    home = a_home(tmp_path, capsys, stamps)

    assert said_of(home, DiagnosticState.BAD) == ""
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert said_of(home, DiagnosticState.BAD) == "tsa: the Python package rfc3161-client is not installed"


def test_an_old_head_at_an_anchor_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    home.call("anchor")
    record_now(home, "note", b"{}")

    assert "share-a: it has the head over" in said_of(home, DiagnosticState.GOOD)
    assert "1 record is not signed yet" in said_of(home, DiagnosticState.GOOD)
    assert "share-a: it has the head over" in said_of(home, DiagnosticState.WARNING, later=timedelta(days=3))
    assert "1 record is not signed yet" in said_of(home, DiagnosticState.WARNING, later=timedelta(days=3))


def test_an_anchor_that_took_nothing_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = a_home(tmp_path, capsys, folder_anchor("absent"))
    home.call("anchor", expected=ExitCode.FAILED)

    assert "absent: the last time it took nothing: the anchor absent did not accept" in said_of(
        home, DiagnosticState.WARNING
    )
    assert "absent: it has no head yet" in said_of(home, DiagnosticState.WARNING)


def test_a_key_that_the_ledger_does_not_know_is_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from portalops.config.keys import ensure_signing_key

    home = a_home(tmp_path, capsys, folder_anchor("share-a"))
    home.call("anchor")
    for path in (home.key, home.key.with_suffix(".pub")):
        path.unlink()
    ensure_signing_key(home.key, comment="another")

    assert "the signing key" in said_of(home, DiagnosticState.BAD)


def test_a_lock_is_told_as_it_was_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = '\n[[ledger.anchor]]\nid = "s3"\nkind = "s3"\nendpoint = "https://s3.example"\nbucket = "heads"\nretain_days = 9\n'
    table += 'access_key = { env = "A" }\nsecret_key = { env = "B" }\n'
    home = a_home(tmp_path, capsys, table)
    head = home.call("head")
    newest = newest_head(home.ledger)
    assert newest is not None
    digest = head_digest(newest.signed.text)

    def record(details: dict[str, str]) -> None:
        receipt = AnchorReceipt(AnchorId("s3"), "s3", head["size"], digest, None, details)
        body = bodies.write({"anchor": AnchorResult(head["size"], digest, (receipt,))})
        record_now(home, "anchor.finished", body)

    record({})
    assert "s3: whether its lock refuses a delete was never seen" in said_of(home, DiagnosticState.UNKNOWN)
    record({"delete": "refused: AccessDenied", "retain_until": "2999-01-01T00:00:00.000Z"})
    assert "deleting was refused: AccessDenied; locked until 2999" in said_of(home, DiagnosticState.GOOD)
    record({"delete": "refused: AccessDenied", "retain_until": "2020-01-01T00:00:00.000Z"})
    assert "the lock of its newest head ended" in said_of(home, DiagnosticState.WARNING)
