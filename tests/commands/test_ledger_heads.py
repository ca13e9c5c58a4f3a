"""Heads from the command line: signed, written, brought back by an auditor; and the key changed, also when killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portalops import bodies
from portalops.config.keys import make_next_key, next_key
from portalops.errors import ExitCode
from portalops.ledger.heads import newest_head, read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.heads import KeyEvent
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.commands.signed_home import CONFIGURATION, Home
from tests.ledger.ledgers import tamper

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from commands.cli.entry import run
from portalops.ledger.ledger import Ledger

folder, *arguments = sys.argv[1:]
left = 0

def count():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(function):
    def call(*arguments, **keywords):
        count()
        made = function(*arguments, **keywords)
        count()
        return made
    return call

Ledger.append, os.replace = counted(Ledger.append), counted(os.replace)
for step in range(1, 100):
    copy = shutil.copytree(folder, f"{folder}-{step}")
    child = os.fork()
    if child == 0:
        left = step
        os._exit(run(["--config", f"{copy}/portalops.toml", "--json", "ledger", *arguments], {}))
    _pid, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(os.WEXITSTATUS(status))
"""
"""Calls a verb in copies of a folder, and kills it before and after each thing that it makes durable, one more each time."""


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home", capsys)


def test_a_head_is_signed_once_and_shown_again(home: Home) -> None:
    first = home.call("head")
    assert (first["size"], first["unsigned"], first["problem"]) == (10, 0, None)
    assert first["head"].startswith("portalops-head 1\nledger ")
    assert first["fingerprint"].startswith("SHA256:")
    assert home.call("head") == first


def test_stock_openssh_verifies_what_is_written(home: Home, tmp_path: Path) -> None:
    text, signature = home.call("head", "--output", str(tmp_path / "out"))["files"]
    public_key = home.key.with_name("signing.pub").read_text()
    (tmp_path / "allowed").write_text(f"demo {public_key}")
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", "demo", "-n", "portalops-head", "-s", signature],
        input=Path(text).read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done


@pytest.mark.parametrize(("language", "said"), [("en", "Nothing is signed"), ("vi", "Chưa có gì được ký")])
def test_without_a_key_nothing_is_signed_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, said: str
) -> None:
    home = Home(tmp_path, capsys, key=False)
    assert said in home.read("head", language=language, expected=ExitCode.PARTIAL)
    assert said in home.read("verify", language=language)
    assert home.call("head", expected=ExitCode.PARTIAL)["head"] is None


def test_where_the_key_is_not_at_hand_the_newest_head_is_shown(home: Home) -> None:
    made = home.call("head")
    Ledger.open(home.folder / "state", SystemClock(), create=True).append("note", run=NO_RUN, body=b"{}\n")
    home.key.unlink()
    shown = home.call("head", expected=ExitCode.PARTIAL)
    assert (shown["code"], shown["unsigned"]) == (made["code"], 1)
    assert "no new head could be signed" in shown["problem"]


def test_verify_says_who_signed_and_compares_brought_heads(home: Home, tmp_path: Path) -> None:
    made = home.call("head", "--output", str(tmp_path))
    found = home.call(
        "verify", "--head", made["files"][0], "--head-code", made["code"].upper(), "--signers", _allowed(home)
    )
    integrity = found["integrity"]
    assert integrity["heads"] == 1 and integrity["newest_head"]["code"] == made["code"]
    assert [each["verdict"] for each in integrity["brought"]] == ["holds", "holds"]
    assert [each["fingerprint"] for each in integrity["signers"]] == [made["fingerprint"]]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_kept_head_shows_what_the_key_itself_rewrote(home: Home, tmp_path: Path, language: str) -> None:
    made = home.call("head")
    code = f"{made['size']}-0000-0000-0000-0000-0000"
    beyond = made["code"].replace("10-", "99-", 1)
    assert home.call("verify", "--head-code", code, expected=ExitCode.INTEGRITY)["integrity"]["first_bad"] == 1
    assert home.call("verify", "--head-code", beyond, expected=ExitCode.INTEGRITY)["integrity"]["first_bad"] == 12
    text = made["head"].replace(home.ledger.id, "0" * 32)
    (tmp_path / "other.txt").write_text(text)
    said = home.read("verify", "--head", str(tmp_path / "other.txt"), language=language, expected=ExitCode.INTEGRITY)
    assert ("belongs to another ledger" if language == "en" else "thuộc sổ cái khác") in said
    assert ("it DOES NOT HOLD" if language == "en" else "KHÔNG KHỚP") in said


def test_what_is_no_head_is_wrong_usage(home: Home, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"portalops-head 1\n" * 100_000)
    for arguments, said in (
        (("--head", str(tmp_path / "big")), "is not a head"),
        (("--head", str(home.folder / "portalops.toml")), "is not a head"),
        (("--head", str(tmp_path / "none")), "cannot read"),
        (("--head-code", "12"), "not a head code"),
        (("--signers", str(home.folder / "portalops.toml")), "not an allowed_signers file"),
    ):
        assert said in home.call("verify", *arguments, expected=ExitCode.USAGE)["message"]


def test_a_key_that_was_exchanged_by_hand_is_a_fault(home: Home) -> None:
    home.call("head")
    for file in (home.key, home.key.with_name("signing.pub")):
        file.unlink()
    _make_key(home.key)
    found = home.call("verify", expected=ExitCode.INTEGRITY)
    assert "this machine's signing key" in found["integrity"]["faults"][0]["message"]
    assert "the signing key" in home.call("head")["problem"]


def test_a_reader_without_the_private_key_compares_the_public_one(home: Home) -> None:
    home.call("head")
    home.key.unlink()
    assert home.call("verify")["integrity"]["holds"]
    home.key.with_name("signing.pub").unlink()
    assert "unknown whether it signed the heads" in home.read("verify")


def test_a_changed_head_record_is_named(home: Home) -> None:
    made = home.call("head")
    tamper(home.ledger, f"UPDATE tail SET size = {made['size'] - 1}")
    assert home.call("verify", expected=ExitCode.INTEGRITY)["integrity"]["first_bad"] == 10


def test_the_key_is_changed_and_the_old_one_kept(home: Home) -> None:
    home.call("head")
    old = home.key.read_bytes()
    planned = home.call("rotate-key", "--reason", "a year is over", "--dry-run")
    assert home.key.read_bytes() == old and len(planned["steps"]) == 6
    done = home.call("rotate-key", "--reason", "a year is over")
    assert Path(done["kept_as"]).read_bytes() == old and done["kept_as"] == planned["kept_as"]
    assert Path(done["kept_as"]).stat().st_mode & 0o777 == 0o600
    assert done["public_key"] in home.key.with_name("signing.pub").read_text()
    assert done["speaks_for_itself"] is False
    found = home.call("verify")
    assert [each["speaks_for_itself"] for each in found["integrity"]["signers"]] == [False, False]
    assert found["integrity"]["unsigned"] == 0
    assert sorted(path.name for path in home.key.parent.iterdir()) == [
        "signing", "signing.pub", Path(done["kept_as"]).name,
    ]  # fmt: skip


@pytest.mark.parametrize("left", ["nothing", "rubbish"])
def test_a_lost_keys_successor_speaks_for_itself_only(home: Home, left: str) -> None:
    home.call("head")
    home.key.unlink()
    if left == "rubbish":
        home.key.write_text("rubbish")
        home.key.chmod(0o600)
    assert (
        "if it is gone for good, add --lost"
        in home.call("rotate-key", "--reason", "x", expected=ExitCode.CONFIGURATION)["hint"]
    )
    done = home.call("rotate-key", "--lost", "--reason", "the disk broke")
    assert done["speaks_for_itself"] is True and (done["kept_as"] is None) is (left == "nothing")
    found = home.call("verify")
    assert [each["speaks_for_itself"] for each in found["integrity"]["signers"]] == [False, True]
    assert "No earlier key signed for the key" in home.read("verify")


def test_wrong_ways_to_change_the_key_are_refused(home: Home) -> None:
    assert "no signed head yet" in home.call("rotate-key", "--reason", "x", expected=ExitCode.FAILED)["message"]
    home.call("head")
    assert "is not lost" in home.call("rotate-key", "--lost", "--reason", "x", expected=ExitCode.USAGE)["message"]
    assert "--reason is empty" in home.call("rotate-key", "--reason", " ", expected=ExitCode.USAGE)["message"]
    home.key.unlink()
    home.key.with_name("signing.pub").unlink()
    _make_key(home.key)
    assert "is not the ledger's key" in home.call("rotate-key", "--reason", "x", expected=ExitCode.FAILED)["message"]
    home.configure(CONFIGURATION)
    assert "no signing key" in home.call("rotate-key", "--reason", "x", expected=ExitCode.CONFIGURATION)["message"]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("lost", "every"),
    [(False, 4), pytest.param(False, 1, marks=pytest.mark.heavy), pytest.param(True, 1, marks=pytest.mark.heavy)],
)
def test_a_change_that_is_killed_anywhere_is_finished_by_the_next_call(home: Home, *, lost: bool, every: int) -> None:
    """At each place where it may be killed, or at every fourth."""
    home.call("head")
    if lost:
        home.key.unlink()
    arguments = ["rotate-key", "--reason", "x", *(["--lost"] if lost else [])]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", KILLED, str(home.folder), *arguments]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    *killed, last = sorted(
        home.folder.parent.glob(f"{home.folder.name}-*"), key=lambda path: int(path.name.split("-")[-1])
    )
    assert len(killed) >= (16 if lost else 20)
    for folder in (*killed[::every], last):
        home.folder, home.key = folder, folder / "keys" / "signing"
        _assert_usable(home, lost=lost)


def _assert_usable(home: Home, *, lost: bool) -> None:
    """The ledger verifies at once, can be signed by what is configured, and a second call ends the change."""
    assert home.call("verify")["integrity"]["holds"]
    if home.key.exists():
        assert home.call("head")["problem"] is None
    done = home.call("rotate-key", "--reason", "x", *(["--lost"] if lost and not home.key.exists() else []))
    if lost and done["finished_earlier"]:
        assert done["speaks_for_itself"] is True
    found = home.call("verify")["integrity"]
    assert found["holds"] and found["unsigned"] == 0
    own = SigningKey.load(home.key)
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=False)
    valid = [each for each in read_signers(ledger, own) if each.retired_seq is None]
    assert [each.public_key for each in valid] == [SigningKey.load(home.key).public_key]
    assert valid[0].public_key in home.key.with_name("signing.pub").read_text()
    assert not home.key.with_name("signing.next").exists()


@pytest.mark.parametrize("verb", [("anchor",), ("export", "--period", "2024", "--output")])
def test_every_verb_signs_over_a_change_of_the_key_that_was_interrupted(
    home: Home, tmp_path: Path, verb: tuple[str, ...]
) -> None:
    home.call("head")
    make_next_key(home.key)
    named = KeyEvent(SigningKey.load(next_key(home.key)).public_key, "x", SigningKey.load(home.key).public_key)
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    added = ledger.append("key.added", run=NO_RUN, body=bodies.write({"key": named}))

    arguments = [*verb, str(tmp_path / "bundle")] if len(verb) > 1 else verb
    home.call(*arguments, expected=ExitCode.OK if len(verb) > 1 else ExitCode.PARTIAL)

    newest = newest_head(ledger)
    assert newest is not None
    assert newest.head.size >= added.seq


def _make_key(path: Path) -> None:
    from portalops.config.keys import ensure_signing_key

    ensure_signing_key(path, comment="other")


def _allowed(home: Home) -> str:
    path = home.folder / "allowed"
    path.write_text(f'demo namespaces="portalops-head" {home.key.with_name("signing.pub").read_text()}')
    return str(path)
