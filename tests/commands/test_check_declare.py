"""The command `check declare`: a draft of what a server is to be compared with, from recorded evidence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from checks.servers.declared import Declared
from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.commands.test_check import CONFIGURATION
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
