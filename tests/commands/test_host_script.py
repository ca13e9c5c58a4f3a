"""`portalops host script` and `check run --facts`: a person brings a server's answer, and it counts once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.shapes import run_validated

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "old1"
address = "192.0.2.1"

[[job]]
id = "daily-check"
kind = "check"
every = "day"
"""


class Home:
    """A configured folder, and what commands print there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        (folder / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = run_validated("--config", str(self.folder / "portalops.toml"), "--lang", "en", *arguments)
        heard = self.capsys.readouterr()
        return code, heard.out, heard.err

    def carried(self) -> Path:
        """Run a new script, cut down to one of its questions, and return the file that it wrote."""
        _code, text, _errors = self.run("host", "script", "old1")
        head, tail = text.partition("\nprobe ")[0], text[text.index("printf '<<<%s done>>>") :]
        (question,) = (line for line in text.splitlines() if line.startswith("probe os.release "))
        done = subprocess.run(["sh"], input=f"{head}\n{question}\n{tail}".encode(), capture_output=True, check=True)
        path = self.folder / "old1.facts"
        path.write_bytes(done.stdout)
        return path


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys)


def part(home: Home, *arguments: str) -> tuple[int, str, str]:
    return home.run("check", "run", "--host", "old1", "--check", "patching.os-eol", *arguments)


def test_answer_is_looked_at_in_a_part_as_often_as_one_likes(home: Home) -> None:
    path = str(home.carried())

    for _again in range(2):
        _code, said, _errors = part(home, "--facts", path, "--by", "Nguyễn Văn An")
        assert "Nguyễn Văn An: nothing proves which machine gave it" in said


def test_answer_counts_in_one_round_and_the_ledger_says_who_brought_it(home: Home) -> None:
    path = str(home.carried())

    _code, said, _errors = home.run("check", "run", "--facts", path, "--by", "Nguyễn Văn An")
    assert "Nguyễn Văn An: nothing proves which machine gave it" in said
    code, _said, errors = home.run("check", "run", "--facts", path, "--by", "Nguyễn Văn An")
    assert code == 2
    assert "an answer to this script was recorded before, in record" in errors
    _code, listed, _errors = home.run("host", "list")
    assert "supplied by hand by Nguyễn Văn An" in listed
    _code, said, _errors = home.run("check", "results", "--host", "old1")
    assert "Nguyễn Văn An: nothing proves which machine gave it" in said
    _code, tables, errors = home.run("check", "declare", "old1")
    assert "supplied by hand by Nguyễn Văn An" in errors
    assert "brought by" not in tables, "what is put into the configuration holds nothing else"


def test_each_mistake_is_told_with_what_to_do(home: Home) -> None:
    path = home.carried()

    assert part(home, "--facts", str(path))[0] == 2
    assert "--by NAME" in part(home, "--facts", str(path))[2]
    assert part(home, "--by", "An")[0] == 2
    assert "cannot read" in part(home, "--facts", str(path.with_name("none")), "--by", "An")[2]
    assert (
        "two files hold answers of host old1" in part(home, "--facts", str(path), "--facts", str(path), "--by", "An")[2]
    )
    path.write_bytes(path.read_bytes()[:-4])
    code, _said, errors = part(home, "--facts", str(path), "--by", "An")
    assert (code, "error[PO1313]" in errors, "Copy it from the host again" in errors) == (2, True, True)


def test_this_machine_needs_no_script_and_no_other_host_has_one(home: Home) -> None:
    with (home.folder / "portalops.toml").open("a") as file:
        file.write('\n[[host]]\nid = "here"\naddress = "local"\n')

    assert home.run("host", "script", "here")[0] == 2
    assert home.run("host", "script", "nowhere")[0] == 2


def test_ledger_does_not_tell_what_the_script_is_known_by(home: Home) -> None:
    _code, said, _errors = home.run("host", "script", "old1", "--json")
    data: Any = json.loads(said)["data"]
    nonce = next(line for line in data["text"].splitlines() if line.startswith("set -- ")).split()[2]

    held = b"".join(path.read_bytes() for path in (home.folder / "state").rglob("*") if path.is_file())
    _code, shown, _errors = home.run("ledger", "show", str(data["record"]))
    assert nonce not in shown
    assert nonce.encode() not in held
