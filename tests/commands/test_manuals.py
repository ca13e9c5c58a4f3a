"""Manual pages: they say what the commands and the configuration declare, in both languages, and roff takes every line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.cli.configuration_schema import configuration_schema
from commands.cli.declared import DeclaredCommand, declared_commands
from portalops.locale import set_language
from tests.commands.script import load_script
from tests.programs import need

ROOT = Path(__file__).parents[2]
DAY = "1795651200"
COMMANDS = declared_commands()
of_both_languages = pytest.mark.parametrize("man1", ["man1", "vi/man1"])


SCRIPT = load_script("build_manuals")


def build(folder: Path) -> Path:
    surroundings = {**os.environ, "SOURCE_DATE_EPOCH": DAY}
    subprocess.run([sys.executable, ROOT / "scripts/build_manuals.py", folder], check=True, cwd=ROOT, env=surroundings)
    return folder


@pytest.fixture(scope="session")
def manuals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages once, as `make manuals` does."""
    return build(tmp_path_factory.mktemp("manuals"))


def plain(page: Path) -> str:
    """Return a page's source with its escapes taken back."""
    text = page.read_text(encoding="utf-8")
    for shown, letter in (("\\-", "-"), ("\\(aq", "'"), ("\\(ga", "`"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(dq", '"')):
        text = text.replace(shown, letter)
    return text.replace("\\&", "").replace("\\e", "\\")


def options_in(text: str) -> set[str]:
    """Return the options that have a paragraph of their own."""
    return {name for line in re.findall(r"(?m)^\.B (-.+)$", text) for name in re.findall(r"(?<!\S)--?[a-z-]+", line)}


@of_both_languages
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.called)
def test_a_page_has_every_verb_and_option_and_none_that_is_gone(
    manuals: Path, man1: str, command: DeclaredCommand
) -> None:
    text = plain(manuals / man1 / f"portalops-{command.called}.1")
    own = {name for leaf in command.leaves() for option in leaf.options for name in option.names}
    everywhere = {name for option in SCRIPT.global_options() for name in option.names}

    assert options_in(text) == own | everywhere
    for leaf in command.leaves():
        assert f"\n.B {leaf.usage}" in text
    if command.verbs:
        verbs = [leaf.called.partition(" ")[2] for leaf in command.leaves()]
        assert re.findall(r'(?m)^\.SS "(.+)"$', text) == verbs


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.called)
def test_each_verb_tells_its_examples_and_how_it_ends(manuals: Path, command: DeclaredCommand) -> None:
    text = plain(manuals / "man1" / f"portalops-{command.called}.1")

    for leaf in command.leaves():
        assert leaf.examples
        assert {code for code, _meaning in leaf.exit_codes} >= {"0"}
        for example in leaf.examples:
            assert f"\n{example}\n" in text
        for code, meaning in leaf.exit_codes:
            assert (f"\n.B {code}\n" in text) if code else (meaning.split()[0] in text)


@of_both_languages
def test_there_is_a_page_for_each_command_and_the_first_names_all(manuals: Path, man1: str) -> None:
    names = {f"portalops-{command.called}" for command in COMMANDS}
    first = plain(manuals / man1 / "portalops.1")

    assert {path.stem for path in (manuals / man1).iterdir()} == names | {"portalops"}
    assert set(re.findall(r"(?m)^\.BR (\S+) \(1\)$", first)) == names
    assert "PO1203" in first


def test_a_vietnamese_page_is_vietnamese(manuals: Path) -> None:
    text = plain(manuals / "vi/man1/portalops-backup.1")

    assert "Sao lưu ngay vào mọi phương tiện lưu trữ" in text
    assert not re.search(r"EXIT STATUS|COMMANDS|Show|Only|Write", text)


def test_the_page_of_the_configuration_has_every_key(manuals: Path) -> None:
    schema = configuration_schema()
    text = plain(manuals / "man5/portalops.toml.5")
    shapes = [schema, *schema["$defs"].values()]
    tables = set(re.findall(r"[\w-]+", " ".join(re.findall(r'(?m)^\.SS "(.+)"$', text))))
    keys = {key for shape in shapes for key in shape.get("properties", {})}

    told = {key for key in keys if f"\n.B {key}\n" in text}
    assert keys - told - tables - {"vi", "en", "env", "credential", "keyring"} == set()
    assert '\n.SS "[[backup.medium]] kind = "disk""\n' in text
    assert '\n.SS "[checks.declared.members.NAME]"\n' in text


def test_the_same_commands_give_the_same_bytes_with_the_day_that_is_asked_for(
    manuals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DAY)
    set_language("en")  # whatever a test before this one has left

    pages = SCRIPT.english_pages()
    assert len(pages) > 20
    for place, text in pages.items():
        assert (manuals / place).read_text(encoding="utf-8") == text
        assert '"2026-11-26"' in text


def test_without_a_day_a_page_has_that_of_the_commit_whenever_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    seconds = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True)
    day = datetime.fromtimestamp(int(seconds.stdout), UTC).date().isoformat()

    assert f'"{day}"' in SCRIPT.english_pages()["man1/portalops.1"].splitlines()[1]


@pytest.mark.parametrize(
    "page", ["man1/portalops.1", "man1/portalops-backup.1", "vi/man1/portalops-case.1", "man5/portalops.toml.5"]
)
def test_man_takes_every_line(manuals: Path, page: str) -> None:
    need("man")
    call = ["man", "--warnings", "-E", "UTF-8", "-l", str(manuals / page)]
    surroundings = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}

    done = subprocess.run(call, check=True, capture_output=True, text=True, env=surroundings)

    assert done.stderr == ""


def test_mandoc_finds_nothing_wrong(manuals: Path) -> None:
    need("mandoc")
    pages = sorted(map(str, manuals.rglob("*.[15]")))

    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *pages], check=False, capture_output=True, text=True
    )

    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (".SH is text", "\\&.SH is text"),
        ("'tis text", "\\(aqtis text"),
        ("--dry-run", "\\-\\-dry\\-run"),
        ("C:\\new", "C:\\enew"),
        ("~/x `y` ^z", "\\(ti/x \\(gay\\(ga \\(haz"),
        ("Cổng thông tin", "Cổng thông tin"),
    ],
)
def test_text_is_shown_letter_by_letter(text: str, source: str) -> None:
    assert SCRIPT.escaped(text) == source
