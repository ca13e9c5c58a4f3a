"""The command `check declare`: a draft of what a server is to be compared with, from recorded evidence."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from checks.servers.declared import Declared
from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.hosts import Declaration
from portalops.registers.hosts import DECLARATION, DECLARED
from portalops.system.clock import SystemClock
from tests.commands.test_check import CONFIGURATION, after_round, checked  # noqa: F401  # fixtures
from tests.shapes import data_in


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def test_without_a_round_it_says_what_to_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "declare", "here") == ExitCode.FAILED

    assert "portalops check run" in capsys.readouterr().err


def test_host_that_is_not_configured_is_wrong_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "declare", "nowhere") == ExitCode.USAGE

    assert "here, far" in capsys.readouterr().err


@pytest.mark.heavy
def test_draft_can_be_put_into_the_configuration(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    portalops(home, "check", "run", "--json")
    capsys.readouterr()

    assert portalops(home, "check", "declare", "here", "--json") == ExitCode.OK
    text = data_in(capsys.readouterr().out, "check declare")["toml"]
    declared = Declared.model_validate(tomllib.loads(text)["checks"]["declared"])
    assert "root" in (declared.host["here"].accounts or ()), text[:2000]

    assert portalops(home, "check", "declare", "here") == ExitCode.OK
    assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n"), "what is printed can be pasted"
    assert portalops(home, "check", "declare", "far") == ExitCode.PARTIAL
    assert "portalops host test far" in capsys.readouterr().err

    configuration = home / "portalops.toml"
    configuration.write_text(f"{configuration.read_text()}\n{text}", encoding="utf-8")
    code = portalops(home, "check", "run", "--host", "here", "--check", "change.accounts", "--json")
    (result,) = data_in(capsys.readouterr().out, "check run")
    assert (code, result["verdict"]) == (ExitCode.OK, "pass")


def drafts_of(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert portalops(home, "check", "declare", "--json") == ExitCode.OK
    return {each["id"]: each for each in data_in(capsys.readouterr().out, "check declare")["declarations"]}


@pytest.mark.heavy
def test_accepted_drafts_are_configuration_and_are_recorded_with_who_declared_them(
    after_round: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    drafts = drafts_of(after_round, capsys)
    assert drafts["here/identity"]["evidence"] and not (after_round / "conf.d").exists()

    chosen = ("--yes-to", "here/identity", "--yes-to", "accounts", "--yes-to", "no-standby-vip")
    assert portalops(after_round, "check", "declare", *chosen) == ExitCode.USAGE, "nobody is named"
    assert portalops(after_round, "check", "declare", *chosen, "--by", "An", "--dry-run") == ExitCode.OK
    assert not (after_round / "conf.d").exists()
    assert portalops(after_round, "check", "declare", *chosen, "--by", "Nguyễn Văn An") == ExitCode.OK

    ledger = Ledger.open(after_round / "state", SystemClock(), create=False)
    made = {
        record.subject: bodies.required_part(ledger.blob(record.body), DECLARATION, Declaration)
        for record in ledger.records(kinds=(DECLARED,))
    }
    assert (made["here"].names, made["here"].by) == (("accounts", "identity"), "Nguyễn Văn An")
    assert made["here"].evidence == (drafts["here/identity"]["evidence"],)
    file = after_round / "conf.d/declared-here.toml"
    assert made["here"].content == hashlib.sha256(file.read_bytes()).hexdigest()
    assert made[""].names == ("no-standby-vip",)
    left = drafts_of(after_round, capsys)
    assert drafts.keys() - left.keys() == {"here/identity", "here/accounts", "no-standby-vip"}

    before = tomllib.loads(file.read_text(encoding="utf-8"))["checks"]["declared"]["host"]["here"]
    assert portalops(after_round, "check", "declare", "--yes-to", "hosting", "--by", "An") == ExitCode.OK
    after = tomllib.loads(file.read_text(encoding="utf-8"))["checks"]["declared"]["host"]["here"]
    assert {key: after[key] for key in before} == before and "hosting" in after

    other = after_round / "conf.d/declared.toml"
    more = "[checks]\nat_once = 3\n[checks.declared.host.far]\nsensors = []\n"
    other.write_text(other.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert portalops(after_round, "check", "declare", "--yes-to", "no-standby-mysql", "--by", "An") == ExitCode.OK
    tree = tomllib.loads(other.read_text(encoding="utf-8"))["checks"]
    assert (tree["at_once"], tree["declared"]["host"]) == (3, {"far": {"sensors": []}}), "what else is in a file stays"
    assert tree["declared"]["no_standby"] == ["mysql", "vip"]
    assert portalops(after_round, "check", "judge-again") in {ExitCode.UNMET, ExitCode.PARTIAL}


@pytest.mark.heavy
def test_person_says_yes_no_or_edits(
    after_round: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The terminal is a real one; the editor is sed."""
    editor = after_round / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/hostname = .*/hostname = "renamed"/\' "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    names = [*drafts_of(after_round, capsys)]
    answers = ["e", "y"] if names[0] == "here/identity" else []
    for name in names[len(answers) // 2 :]:
        answers += ["e", "y"] if name == "here/identity" else ["n"]
    ours, theirs = os.openpty()
    os.write(ours, "".join(f"{each}\n" for each in answers).encode())
    program = [str(Path(sys.executable).with_name("portalops")), "--config", str(after_round / "portalops.toml")]

    done = subprocess.run(
        [*program, "check", "declare", "--by", "An"],
        stdin=theirs,
        capture_output=True,
        env={**os.environ, "VISUAL": str(editor)},
        timeout=120,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == ExitCode.OK, done.stderr.decode()

    text = (after_round / "conf.d/declared-here.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["checks"]["declared"]["host"]["here"].keys() == {"identity"}
    assert 'hostname = "renamed"' in text
    ledger = Ledger.open(after_round / "state", SystemClock(), create=False)
    (record,) = ledger.records(kinds=(DECLARED,))
    made = bodies.required_part(ledger.blob(record.body), DECLARATION, Declaration)
    assert (made.names, made.edited) == (("identity",), ("identity",))


@pytest.mark.heavy
def test_draft_that_is_not_there_is_wrong_usage(after_round: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    assert portalops(after_round, "check", "declare", "--yes-to", "everything", "--by", "An") == ExitCode.USAGE

    assert "here/identity" in capsys.readouterr().err
    assert portalops(after_round, "check", "declare", "here", "--dry-run") == ExitCode.USAGE
