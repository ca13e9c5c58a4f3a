"""`portalops watch-remote`: silence and alarms, mails that wait, several looks at once, a look that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops.errors import ConfigurationError, ExitCode, Locked, PortalOpsError, UsageError
from portalops.ledger.heads import parse_head
from portalops.system.locks import locked
from portalops.witness.receipts import verify_receipt
from portalops.witness.state import WitnessFolder
from tests.anchors.parts import Mailbox, mail_server
from tests.doubles import FixedClock
from tests.ledger.ledgers import START
from tests.servers import free_port
from tests.shapes import data_in
from tests.witness.hosts import HOUR, Portal, Witness, done


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture
def portal(tmp_path: Path, clock: FixedClock) -> Portal:
    made = Portal(tmp_path / "portal", clock=clock)
    made.work()
    return made


@pytest.fixture
def share(tmp_path: Path, portal: Portal) -> Path:
    folder = tmp_path / "share"
    folder.mkdir()
    portal.extend_to(folder)
    return folder


@pytest.fixture
def witness(tmp_path: Path, clock: FixedClock, share: Path, portal: Portal, box: Mailbox) -> Witness:
    made = Witness(tmp_path / "witness", clock=clock)
    made.watch("folder", {"folder": str(share), "key": portal.key}, mail_port=box.port)
    return made


def texts(box: Mailbox) -> list[str]:
    """Return each mail as people read it: subject and body."""
    mails = [message_from_bytes(mail, policy=policy.default) for mail in box.mails]
    return [f"{mail['Subject']}\n{mail.get_content()}" for mail in mails]


def test_a_folder_brings_a_head_and_gets_the_receipt(witness: Witness, share: Path) -> None:
    code, seen, _result = witness.look()

    assert (code, seen["verdict"], seen["new"]) == (ExitCode.OK, "current", True)
    receipt = next(share.glob("*.receipt")).read_bytes()
    assert verify_receipt(receipt, witness.pin().public_key).receipt.size == seen["head"]["size"]


def test_the_receipt_from_the_folder_is_taken_in_by_hand(
    witness: Witness, share: Path, portal: Portal, tmp_path: Path
) -> None:
    witness.look()
    with portal.config.open("a") as file:
        file.write(f'[[ledger.anchor]]\nid = "so-tttt"\nkind = "witness"\nkey = "{witness.key}"\n')
    receipt = next(share.glob("*.receipt"))

    taken = done(portal.config, "ledger", "anchor", "--receipt", str(receipt), clock=portal.clock)

    assert taken.exit_code == ExitCode.OK


def test_without_a_signing_key_it_is_said_once_that_there_are_no_receipts(
    tmp_path: Path, share: Path, clock: FixedClock, portal: Portal
) -> None:
    witness = Witness(tmp_path / "unsigned", clock=clock, signs=False)
    witness.watch("folder", {"folder": str(share), "key": portal.key})

    first, second = (witness.look()[2] for _each in range(2))

    assert any("no receipts are sent" in str(warning) for warning in first.warnings)
    assert second.warnings == ()
    assert not list(share.glob("*.receipt"))


def test_a_key_that_was_believed_at_first_use_is_said_plainly(tmp_path: Path, share: Path, clock: FixedClock) -> None:
    witness = Witness(tmp_path / "trusting", clock=clock)
    witness.watch("folder", {"folder": str(share)})

    _code, seen, result = witness.look()

    assert any("trusted at first use" in str(warning) for warning in result.warnings)
    assert [key["how"] for key in seen["keys"]] == ["first-use"]


def test_silence_past_the_limit_is_told_each_day_and_its_end_once(
    witness: Witness, clock: FixedClock, box: Mailbox, portal: Portal, share: Path
) -> None:
    witness.look()
    verdicts = []
    for _hour in range(60):
        clock.move(HOUR)
        code, seen, _result = witness.look()
        verdicts.append((code, seen["verdict"]))
    portal.work()
    portal.extend_to(share)
    code, seen, _result = witness.look()

    assert verdicts == [(ExitCode.OK, "current")] * 26 + [(ExitCode.UNMET, "overdue")] * 34
    assert (code, seen["verdict"], seen["alarm"]) == (ExitCode.OK, "current", None)
    begins, lasts, over = texts(box)
    assert "27 hours" in begins
    assert "51 hours" in lasts
    assert "new heads arrive again" in over
    assert "Bên làm chứng" in begins
    assert "The witness on" in begins


def test_silence_counts_from_the_first_look_where_no_head_ever_came(
    tmp_path: Path, clock: FixedClock, box: Mailbox
) -> None:
    witness = Witness(tmp_path / "early", clock=clock)
    witness.watch("folder", {"folder": str(tmp_path / "nothing"), "max_silence_hours": 2}, mail_port=box.port)

    codes = []
    for _hour in range(4):
        codes.append(witness.look()[0])
        clock.move(HOUR)

    assert codes == [ExitCode.PARTIAL] * 3 + [ExitCode.UNMET]
    assert len(box.mails) == 1


def test_a_watched_clock_that_is_behind_hides_no_silence_and_makes_none(
    tmp_path: Path, clock: FixedClock, share: Path
) -> None:
    slow = FixedClock(START - timedelta(days=90))
    portal = Portal(tmp_path / "slow", clock=slow)
    witness = Witness(tmp_path / "other", clock=clock)
    folder = tmp_path / "slow-share"
    folder.mkdir()
    witness.watch("folder", {"folder": str(folder)})
    codes = []
    for _day in range(3):
        portal.work()
        portal.extend_to(folder)
        codes.append(witness.look()[0])
        slow.move(HOUR)
        clock.move(24 * HOUR)
    clock.move(3 * HOUR)

    assert codes == [ExitCode.OK] * 3
    assert witness.look()[0] == ExitCode.UNMET


def test_a_head_alone_is_kept_and_must_lie_on_the_chain_later(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path, tmp_path: Path
) -> None:
    witness.look()
    portal.work()
    clock.move(20 * HOUR)
    aside = tmp_path / "aside.json"
    portal.extend_to(aside)
    head = json.loads(aside.read_text())["head"]
    (share / "mail.txt").write_text(head["text"])
    (share / "mail.sig").write_text(head["signature"])

    code, seen, _result = witness.look()

    assert (code, seen["new"], seen["records"]) == (ExitCode.OK, True, 0)
    size = parse_head(head["text"].encode()).size
    assert (witness.kept / "heads" / f"{size:010d}.txt").exists()
    clock.move(20 * HOUR)
    assert witness.look()[0] == ExitCode.OK, "a head alone is a sign of life"
    portal.extend_to(share)
    code, seen, _result = witness.look()
    assert (code, seen["head"]["size"]) == (ExitCode.OK, size)


def test_a_head_alone_that_the_records_do_not_lead_over_is_a_fork(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path, tmp_path: Path
) -> None:
    witness.look()
    with portal.as_it_is_now():
        clock.move(HOUR)
        portal.work()
        aside = tmp_path / "aside.json"
        portal.extend_to(aside)
        head = json.loads(aside.read_text())["head"]
        (share / "mail.txt").write_text(head["text"])
        (share / "mail.sig").write_text(head["signature"])
    assert witness.look()[0] == ExitCode.OK
    clock.move(HOUR)
    portal.work(3)
    portal.extend_to(share)

    code, seen, _result = witness.look()

    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "fork")


def test_old_files_in_the_folder_are_nothing_new_but_a_cut_ledger_is_refused(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.json"
    portal.extend_to(old)
    with portal.as_it_is_now():
        clock.move(HOUR)
        portal.work(2)
        portal.extend_to(share)
        assert witness.look()[0] == ExitCode.OK
    for file in share.glob("*.json"):
        file.unlink()
    (share / "old.json").write_bytes(old.read_bytes())
    assert witness.look()[0] == ExitCode.OK
    clock.move(HOUR)
    portal.work()
    portal.extend_to(share)

    code, seen, _result = witness.look()

    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "roll-back")


def test_a_refusal_outlasts_files_that_prove_nothing(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path, tmp_path: Path
) -> None:
    witness.look()
    other = Portal(tmp_path / "other", clock=clock)
    other.work(9)
    kept = {file: file.read_bytes() for file in share.glob("*.json")}
    other.extend_to(share)
    assert witness.look()[0] == ExitCode.INTEGRITY
    for file, data in kept.items():
        file.write_bytes(data)
    assert witness.look()[0] == ExitCode.INTEGRITY
    portal.work()
    portal.extend_to(share)

    assert witness.look()[0] == ExitCode.OK


@pytest.mark.parametrize(
    "rubbish", [b"", b"\0" * 1000, b"{", b"[" * 100_000, b'{"format":1}', b'"\xff"', b"1" * 10_000, b"NaN"]
)
def test_rubbish_in_the_folder_is_named_and_is_no_head(witness: Witness, share: Path, rubbish: bytes) -> None:
    for file in share.glob("*.json"):
        file.unlink()
    (share / "\x1b[31m.json").write_bytes(rubbish)
    os.mkfifo(share / "pipe.json")

    code, seen, _result = witness.look()

    assert (code, seen["verdict"]) == (ExitCode.PARTIAL, "unreachable")
    assert "\x1b" not in seen["problem"]


# --- mails ------------------------------------------------------------------------------------


def test_a_broken_file_beside_a_good_one_is_told(witness: Witness, share: Path) -> None:
    """The broken one may be the newest, of which only a part has come."""
    whole = next(share.glob("*.json"))
    (share / "newer.json").write_bytes(whole.read_bytes()[:-20])

    _code, seen, _result = witness.look()

    assert seen["verdict"] == "current"
    assert any("newer.json" in note and "cannot be read" in note for note in seen["notes"]), seen["notes"]


def test_a_mail_that_cannot_be_sent_waits_and_hides_nothing(
    witness: Witness, clock: FixedClock, box: Mailbox, portal: Portal, share: Path
) -> None:
    witness.look()
    box.full = True
    clock.move(30 * HOUR)

    code, seen, result = witness.look()

    assert (code, seen["mails_waiting"]) == (ExitCode.UNMET, 1)
    assert any("mailbox is full" in str(warning) for warning in result.warnings)
    clock.move(HOUR)
    assert witness.look()[1]["mails_waiting"] == 1
    portal.work()
    portal.extend_to(share)
    code, seen, _result = witness.look()
    assert (code, seen["verdict"], seen["mails_waiting"]) == (ExitCode.PARTIAL, "current", 2)
    box.full = False
    code, seen, _result = witness.look()
    assert (code, seen["mails_waiting"]) == (ExitCode.OK, 0)
    assert [("30 hours" in text, "new heads arrive again" in text) for text in texts(box)] == [
        (True, False),
        (False, True),
    ]


def test_reminders_do_not_pile_up_while_no_mail_server_answers(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path
) -> None:
    witness.watch("folder", {"folder": str(share), "key": portal.key}, mail_port=free_port())
    witness.look()
    for _day in range(5):
        clock.move(30 * HOUR)
        _code, seen, _result = witness.look()

    assert seen["mails_waiting"] == 2


def test_nobody_to_tell_is_said(witness: Witness, clock: FixedClock, portal: Portal, share: Path) -> None:
    witness.watch("folder", {"folder": str(share), "key": portal.key})
    witness.look()
    clock.move(30 * HOUR)

    code, seen, result = witness.look()

    assert (code, seen["mails_waiting"]) == (ExitCode.UNMET, 0)
    assert any("no mail is sent" in str(warning) for warning in result.warnings)


# --- the command ------------------------------------------------------------------------------


def test_a_dry_run_keeps_nothing_and_tells_nobody(witness: Witness, box: Mailbox, share: Path) -> None:
    code, seen, _result = witness.look("--dry-run")

    assert (code, seen["new"]) == (ExitCode.OK, True)
    assert not witness.kept.exists()
    assert not list(share.glob("*.receipt"))


def test_two_looks_at_once_are_one_too_many(witness: Witness) -> None:
    with locked(witness.folder / "state" / "witness" / "lock", holder="another"), pytest.raises(Locked):
        witness.look()


def test_a_configuration_without_ledgers_to_watch_is_wrong(portal: Portal) -> None:
    with pytest.raises(ConfigurationError):
        done(portal.config, "watch-remote")


@pytest.mark.parametrize("arguments", [("nobody",), ("--accept-key", "SHA256:short")])
def test_a_wrong_call_is_told(witness: Witness, arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        witness.look(*arguments)


@pytest.mark.parametrize(
    "values",
    [
        {"folder": "share", "ledger": "5f0c"},
        {"folder": "share", "key": "ssh-rsa AAAA"},
        {"folder": "share", "max_silence_hours": 0},
        {"folder": "share", "unknown": 1},
        {},
    ],
)
def test_wrong_settings_are_told_before_anything_is_done(witness: Witness, values: dict[str, object]) -> None:
    witness.watch("folder", values)

    with pytest.raises(ConfigurationError):
        witness.look()


def test_what_the_witness_knew_is_left_alone_where_it_cannot_be_read(witness: Witness) -> None:
    witness.look()
    state = witness.kept / "state.json"
    state.write_bytes(b"{}broken")

    code, seen, _result = witness.look()

    assert (code, seen["verdict"], seen["code"]) == (ExitCode.INTEGRITY, "refused", "PO1104")
    assert state.read_bytes() == b"{}broken"
    state.unlink()
    assert witness.look()[0] == ExitCode.OK, "a new beginning, held to the heads that are there"


def test_without_its_state_a_witness_still_holds_a_ledger_to_the_heads_that_it_has(
    witness: Witness, portal: Portal, share: Path, tmp_path: Path, clock: FixedClock
) -> None:
    witness.look()
    (witness.kept / "state.json").unlink()
    (portal.folder / "state" / "ledger.sqlite").rename(tmp_path / "gone")
    portal.work(9)
    for file in share.glob("*.json"):
        file.unlink()
    portal.extend_to(share)

    code, seen, _result = witness.look()

    assert (code, seen["reason"]) == (ExitCode.INTEGRITY, "fork")


def test_both_languages_show_the_same(witness: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    pages = []
    for language in ("en", "vi"):
        run(["watch-remote", "--config", str(witness.config), "--lang", language], {"LANG": "C.UTF-8"})
        pages.append(capsys.readouterr().out)

    assert "Watched ledgers" in pages[0]
    assert "Sổ cái được theo dõi" in pages[1]


PROGRAM = [sys.executable, "-c", "from commands.app import main; main()"]


@pytest.mark.parametrize("stopped_by", [signal.SIGTERM, signal.SIGINT])
def test_a_witness_that_stays_stops_cleanly(tmp_path: Path, stopped_by: signal.Signals) -> None:
    portal = Portal(tmp_path / "portal")
    portal.work()
    portal.extend_to(tmp_path / "share.json")
    folder = tmp_path / "share"
    folder.mkdir()
    (tmp_path / "share.json").rename(folder / "share.json")
    witness = Witness(tmp_path / "witness")
    witness.watch("folder", {"folder": str(folder)})
    # A shell that runs tests in the background has them ignore SIGINT.
    program = ["env", "--default-signal=INT", *PROGRAM, "watch-remote", "--every", "1", "--json"]
    process = subprocess.Popen(
        [*program, "--config", str(witness.config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    sleeps_in = Path(f"/proc/{process.pid}/wchan")  # it has its first look's result when it waits for the next one
    try:
        until = time.monotonic() + 30
        while not (list(folder.glob("*.receipt")) and "nanosleep" in sleeps_in.read_text()):
            if time.monotonic() > until:  # a kernel that tells nobody where a process sleeps
                break
            time.sleep(0.05)

        process.send_signal(stopped_by)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == ExitCode.OK, err
    assert data_in(out, "watch-remote")[0]["verdict"] == "current"
    assert b"Traceback" not in err


@pytest.mark.heavy
def test_a_look_that_is_killed_leaves_everything_whole(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "portal")
    share = tmp_path / "share"
    share.mkdir()
    witness = Witness(tmp_path / "witness")
    witness.watch("folder", {"folder": str(share), "key": portal.key})
    folder = WitnessFolder(witness.kept)
    chance = random.Random(7)
    for _attempt in range(6):
        portal.work()
        portal.extend_to(share)
        process = subprocess.Popen(
            [*PROGRAM, "watch-remote", "--config", str(witness.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(chance.uniform(0.3, 0.9))
        process.kill()
        process.wait()

        state = folder.load(START)
        heads = list(folder.heads_beyond(0))
        assert all((folder.heads / f"{head.size:010d}.sig").exists() for head in heads)
        assert state.kept is None or state.kept.head in heads

    code, seen, _result = witness.look()
    assert (code, seen["verdict"]) == (ExitCode.OK, "current")


@pytest.mark.heavy
def test_a_full_disk_is_told_and_the_kept_head_stays(witness: Witness, portal: Portal, share: Path) -> None:
    witness.look()
    portal.work()
    portal.extend_to(share)
    (witness.kept / "heads").rename(witness.kept / "away")
    (witness.kept / "heads").write_text("a file in the folder's place")

    try:
        code, seen, _result = witness.look()
    except PortalOpsError:  # pragma: no cover
        pytest.fail("one ledger's trouble is a verdict")

    assert code == ExitCode.FAILED
    assert seen["verdict"] == "failed"
    (witness.kept / "heads").unlink()
    (witness.kept / "away").rename(witness.kept / "heads")
    assert witness.look()[0] == ExitCode.OK


@pytest.mark.heavy
def test_a_run_of_the_anchor_job_is_life_when_it_is_looked_at_and_not_again_on_the_next_day(
    witness: Witness, clock: FixedClock, portal: Portal, share: Path
) -> None:
    witness.look()
    with portal.config.open("a") as file:
        file.write('[[ledger.anchor]]\nid = "heads"\nkind = "folder"\nfolder = "heads"\ncreate = true\n')
        file.write('[[job]]\nid = "daily-anchor"\nkind = "anchor"\nevery = "day"\n')
    done(portal.config, "run", "daily-anchor", clock=portal.clock)
    verdicts = []
    for _hour in range(27):
        portal.extend_to(share)
        verdicts.append(witness.look()[1]["verdict"])
        clock.move(HOUR)
    portal.extend_to(share)

    assert verdicts == ["current"] * 27
    assert witness.look()[1]["verdict"] == "overdue"
