"""Old names of verbs and options: each still works, no help shows it, and a warning names the new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.cli.calling import command_of
from commands.cli.catalogue import file_of, named, verbs_of
from commands.cli.entry import run
from commands.cli.help import parameters_of
from commands.cli.renamed import RENAMED
from portalops.errors import ExitCode

VERBS = {old: new for old, new in RENAMED.items() if "--" not in old}
OPTIONS = {old: new for old, new in RENAMED.items() if "--" in old}


@pytest.mark.parametrize(("old", "new"), VERBS.items())
def test_an_old_verb_is_the_new_one_with_a_warning(old: str, new: str) -> None:
    called, rest, (warning,) = named([*old.split(" "), "--to", "x"])

    assert (called, rest) == (new, ("--to", "x"))
    assert str(warning) == f"'portalops {old}' is now 'portalops {new}': use the new name"


@pytest.mark.parametrize(("old", "new"), OPTIONS.items())
def test_an_old_option_is_the_new_one_with_a_warning(old: str, new: str) -> None:
    *verb, option = old.split(" ")
    renamed = new.rpartition(" ")[2]

    called, rest, (warning, _second) = named([*verb, option, "1", f"{option}=2", "--", option])

    assert (called, rest) == (" ".join(verb), (renamed, "1", f"{renamed}=2", "--", option))
    assert str(warning).startswith(f"'portalops {old}' is now ")


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_no_help_shows_an_old_name(old: str, new: str) -> None:
    verb, _space, name = old.rpartition(" ")
    if old in OPTIONS:
        options = {each for option in parameters_of(command_of(verb))[1] for each in option.opts}
        assert name not in options
        assert new.rpartition(" ")[2] in options
    else:
        assert name not in verbs_of(verb)
        assert file_of(new) is not None


def test_a_call_by_an_old_name_is_answered_with_the_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backup", "copy", "--help", "--json"], {"PORTALOPS_LANG": "en"}) == ExitCode.OK

    printed = json.loads(capsys.readouterr().out)
    assert printed["data"]["id"] == "backup replicate"
    assert printed["warnings"] == ["'portalops backup copy' is now 'portalops backup replicate': use the new name"]


@pytest.mark.parametrize(
    "call", [["backup", "copy", "nope"], ["change", "drift", "--from-round", "1"], ["credential", "look", "--dry-run"]]
)
def test_a_call_by_an_old_name_that_fails_is_answered_with_the_warning_too(
    call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["--config", str(tmp_path / "portalops.toml"), *call]

    assert run([*missing, "--json"], {"PORTALOPS_LANG": "en"}) in {ExitCode.USAGE, ExitCode.CONFIGURATION}
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert "use the new name" in warning

    run(missing, {"PORTALOPS_LANG": "en"})
    assert warning in capsys.readouterr().err
