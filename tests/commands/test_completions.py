"""Completion in the real shells: what bash, zsh and fish offer comes from the commands' own declarations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.cli.declared import Takes, declared_commands
from tests.commands.script import load_script
from tests.commands.shells import offered_by_bash, offered_by_fish, offered_by_zsh, typed_in_bash
from tests.programs import need

ROOT = Path(__file__).parents[2]
SHELLS = ("bash", "zsh", "fish")

Offered = Callable[[str], set[str]]
"""What is offered for a line that begins with `portalops`."""


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the files once, as `make completions` does."""
    folder = tmp_path_factory.mktemp("completions")
    subprocess.run([sys.executable, ROOT / "scripts/build_completions.py", folder], check=True, cwd=ROOT)
    return folder


def file_of(files: Path, shell: str) -> Path:
    return next((files / shell).iterdir())


@pytest.fixture(params=SHELLS)
def offered(request: pytest.FixtureRequest, files: Path, tmp_path: Path) -> Offered:
    """Ask one shell in a folder with a configuration and a few files."""
    shell: str = request.param
    need(shell)
    folder = tmp_path / "here"
    (folder / "keys").mkdir(parents=True)
    (folder / "my key.age").touch()
    (folder / "portalops.toml").write_text(
        'include = ["units.toml"]\n[portal]\nid = "portal"\n[[host]]\nid = "web1"\naddress = "local"\n'
        '  [[host]]\n  id = "db1"\n[[ backup.medium ]]\nkind = "disk"\nid = "disk-a"\n[[job]]\nid = "daily-check"\n'
    )
    (folder / "units.toml").write_text('[[unit]]\nid = "so-y-te"\n')
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "more.toml").write_text('[[host]]\nid = "web2"\n')
    ask = {"bash": offered_by_bash, "fish": offered_by_fish}
    if shell in ask:
        return lambda line: set(ask[shell](file_of(files, shell), line, folder))
    return lambda line: set(offered_by_zsh(file_of(files, "zsh"), line, folder, tmp_path))


@pytest.mark.parametrize("script", ["build_completions", "build_manuals", "build_site"])
@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--folder", 2)])
def test_an_option_is_no_folder_to_write_into(
    script: str, word: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        load_script(script).main([word])

    assert ended.value.code == code
    assert not list(tmp_path.iterdir())


@pytest.mark.heavy
def test_commands_are_offered(offered: Offered) -> None:
    assert {each.called for each in declared_commands()} | {"help"} == offered("portalops ")


def test_verbs_are_offered_also_those_of_a_noun_in_a_noun_and_behind_help(offered: Offered) -> None:
    assert {"restore", "replicate", "release"} == {
        name for name in offered("portalops backup re") if name.startswith("re")
    }
    assert {"bundle"} == offered("portalops vuln ")
    assert {"build", "check"} == offered("portalops --quiet help vuln bundle ")


def test_options_are_offered_and_those_of_every_command(offered: Offered) -> None:
    found = offered("portalops backup run --")

    assert {"--full", "--diff", "--accept-shrink", "--dry-run", "--lang", "--json", "--help"} <= found
    assert "--identity" not in found


@pytest.mark.parametrize("line", ["portalops status --lang ", "portalops --lang ", "portalops status --lang="])
def test_choices_are_offered(offered: Offered, line: str) -> None:
    assert {"vi", "en"} == {choice.rpartition("=")[2] for choice in offered(line)}


def test_reports_and_formats_are_offered_by_their_names(offered: Offered) -> None:
    assert "compliance" in offered("portalops report build com")
    assert {"pdf", "html"} <= offered("portalops report build compliance --format ")


def test_files_and_folders_are_offered_where_one_is_asked_for(offered: Offered) -> None:
    assert "my key.age" in {name.replace("\\", "") for name in offered("portalops backup restore latest --identity m")}
    assert {"keys"} == {name.rstrip("/") for name in offered("portalops backup restore latest --to k")}
    assert set() == offered("portalops backup hold latest --reason m")


def test_ids_of_the_configuration_are_offered(offered: Offered) -> None:
    assert {"web1", "web2", "db1"} == offered("portalops check run --host ")
    assert {"disk-a"} == offered("portalops backup list --medium ")
    assert {"10.2-content", "10.2-interval"} <= offered("portalops status 10.2-")
    assert {"so-y-te"} == offered("portalops case list --unit ")
    assert {"daily-check"} == offered("portalops run --dry-run ")


def test_without_a_configuration_nothing_is_said(offered: Offered) -> None:
    assert set() == offered("portalops --config no-such-file.toml check run --host ")


def test_the_tabulator_completes_on_a_terminal(files: Path, tmp_path: Path) -> None:
    (tmp_path / "operator.age").touch()
    keys = "portalops back\tresto\tlat --ident\toper\t--js\t"

    shown = "portalops backup restore lat --identity operator.age --json"
    assert shown in typed_in_bash(file_of(files, "bash"), keys, shown, tmp_path)


def test_the_same_commands_give_the_same_bytes(files: Path) -> None:
    script = load_script("build_completions")
    tables = script.tables(declared_commands())

    for shell, build in script.SHELLS.items():
        assert (files / shell / script.NAMES[shell]).read_text(encoding="utf-8") == build(tables)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_verb_and_option_is_in_each_file(files: Path, shell: str) -> None:
    text = file_of(files, shell).read_text(encoding="utf-8")

    for command in (leaf for each in declared_commands() for leaf in each.leaves()):
        for option in command.options:
            for name in option.names:
                assert (f"'portalops {command.called} {name}'" in text) is (option.takes is not Takes.NOTHING)
                assert name in text


@pytest.mark.parametrize("shell", SHELLS)
def test_the_files_are_good_shell(files: Path, shell: str) -> None:
    need(shell)

    done = subprocess.run([shell, "-n", file_of(files, shell)], check=True, capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("", "")
