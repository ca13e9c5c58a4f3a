"""`restore.sh` as a stranger uses it: dash, the programs that it names and nothing else, no settings of anybody."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backups.contents import index_members
from backups.guide import guide_files
from backups.restore_script import PROGRAMS
from backups.set_file import NAME, SCHEMA, SetFile, parse_set_file
from backups.unfinished import UNFINISHED, is_marker
from portalops.model.backups import BackupSet, SetId
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from tests.backups.kit import MIB, alone, back_up, disk, keys, odd_tree, sample_database, signing, snapshot, source
from tests.backups.memory import MemoryMedium
from tests.backups.test_differential import Weeks, change_types, edit, typed_tree

pytestmark = pytest.mark.needs("dash", *PROGRAMS)


class Stranger:
    """Somebody with a folder, a key and the stock programs."""

    def __init__(self, folder: Path, without: str = "") -> None:
        self.folder = folder
        self.tools = folder / "tools"
        self.tools.mkdir(parents=True)
        for name in {*PROGRAMS, "dash", "sqlite3", "ssh-keygen", "sh", "bash"} - {without}:
            if program := shutil.which(name):
                (self.tools / name).symlink_to(program)

    def run(
        self, script: Path | str, *options: str, shell: str = "dash", cwd: Path | None = None, **values: Path | str
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: str(value) for name, value in values.items()}
        return subprocess.run(
            [str(self.tools / shell), str(script), *options],
            cwd=cwd or self.folder,
            env={"PATH": str(self.tools), **environment},
            stdin=subprocess.DEVNULL,
            timeout=120,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )


class Made:
    """A set on a disk; its folder's name has spaces."""

    def __init__(self, folder: Path) -> None:
        self.tree = odd_tree(folder / "portal")
        sources = [
            source("files", {"include": [str(self.tree)], "class": "related"}, folder, id="uploads"),
            source("sqlite", {"database": str(sample_database(folder / "portal.sqlite"))}, folder, id="database"),
            source("command", {"command": ["printf", "one\\ntwo\\n"], "class": "accounts"}, folder, id="ldap"),
        ]
        result = back_up(sources, [disk(folder, "một đĩa")], signer=signing())
        assert result.set is not None
        self.set: BackupSet = result.set
        self.folder = folder / "một đĩa" / result.set.id
        self.script = self.folder / "restore.sh"
        self.key = keys().file(folder)

    def copy(self, to: Path) -> Path:
        """A copy of the set that a test may damage."""
        return shutil.copytree(self.folder, to / self.set.id)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path / "một người lạ")


def damage(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def is_back(made: Made, target: Path) -> bool:
    """Say whether a target holds what was backed up."""
    files = target / "uploads" / str(made.tree).lstrip("/")
    assert (target / "ldap/output.raw").read_bytes() == b"one\ntwo\n"
    with closing(sqlite3.connect(target / "database/database.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (500,)
    assert not (target / UNFINISHED).exists()
    return snapshot(files) == snapshot(made.tree)


@pytest.mark.parametrize("shell", ["dash", "sh", "bash"])
@pytest.mark.parametrize("language", ["C", "vi_VN.UTF-8"])
def test_everything_comes_back(made: Made, stranger: Stranger, shell: str, language: str) -> None:
    done = stranger.run(made.script, shell=shell, KEY=made.key, TO=stranger.folder / "out", LANG=language)

    assert done.returncode == 0, done.stderr
    assert is_back(made, stranger.folder / "out")
    assert ("Đã khôi phục" in done.stdout) == (language != "C")
    assert f"(cd '{stranger.folder}/out'/uploads && tar " in done.stdout


def test_it_is_a_script_of_posix_sh(made: Made, stranger: Stranger) -> None:
    checked = stranger.run("-n", str(made.script))

    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_relative_key_and_target_with_spaces_are_of_where_the_stranger_stands(made: Made, stranger: Stranger) -> None:
    here = stranger.folder / "nơi này"
    here.mkdir()
    shutil.copy(made.key, here / "my key")

    done = stranger.run(made.script, cwd=here, KEY="my key", TO="./out put")

    assert done.returncode == 0, done.stderr
    assert is_back(made, here / "out put")
    assert sorted(each.name for each in here.iterdir()) == ["my key", "out put"]


def test_it_works_from_the_folder_of_the_set_and_with_a_name_that_begins_with_a_hyphen(
    made: Made, stranger: Stranger
) -> None:
    shutil.copy(made.key, stranger.folder / "-key")
    folder = made.copy(stranger.folder)

    done = stranger.run("restore.sh", cwd=folder, KEY="../-key", TO="../-out")

    assert done.returncode == 0, done.stderr
    assert is_back(made, stranger.folder / "-out")


def test_a_target_that_has_files_is_left_alone(made: Made, stranger: Stranger) -> None:
    (stranger.folder / "out").mkdir()
    (stranger.folder / "out/mine").write_text("mine")

    done = stranger.run(made.script, KEY=made.key, TO="out")

    assert (done.returncode, "the folder is not empty" in done.stderr) == (1, True)
    assert [each.name for each in (stranger.folder / "out").iterdir()] == ["mine"]


@pytest.mark.parametrize("target", ["out", "./deep/out", "../{set}/out", "../link/out", "no/../out", "../beside/.."])
def test_a_target_inside_the_set_is_refused_before_anything_is_done(
    made: Made, stranger: Stranger, target: str
) -> None:
    folder = made.copy(stranger.folder)
    (stranger.folder / "link").symlink_to(folder)
    (stranger.folder / "beside").symlink_to(folder / "data/related")
    before = sorted(stranger.folder.rglob("*"))

    done = stranger.run("restore.sh", cwd=folder, KEY=made.key, TO=target.format(set=made.set.id))

    assert (done.returncode, "it lies in the folder of a set" in done.stderr) == (1, True), done.stderr
    assert sorted(stranger.folder.rglob("*")) == before


NAMES = ('a"b', "it's", "$(touch pwned)", "`touch pwned`", "a'; touch pwned; '", "two\nlines", "$HOME \\'", "-x")


@pytest.mark.parametrize("name", NAMES)
def test_the_printed_command_to_put_files_back_takes_any_target_for_one_word(
    made: Made, stranger: Stranger, name: str
) -> None:
    done = stranger.run(made.script, KEY=made.key, TO=name)

    assert done.returncode == 0, done.stderr
    (begin,) = re.findall(r"^  \((cd .*?/uploads) && tar --create", done.stdout, re.MULTILINE | re.DOTALL)
    pasted = stranger.folder / "pasted"
    pasted.write_text(f'{begin} && printf %s "$PWD"')
    assert stranger.run(pasted).stdout == f"{stranger.folder}/{name}/uploads"
    assert not (stranger.folder / "pwned").exists()


def test_a_wrong_key_stops_it_and_the_target_says_that_it_is_unfinished(made: Made, stranger: Stranger) -> None:
    subprocess.run(["age-keygen", "-o", stranger.folder / "key"], check=True, capture_output=True)

    done = stranger.run(made.script, KEY="key", TO="out")

    assert done.returncode == 1
    assert "no identity matched" in done.stderr
    assert "stopped at this step, and nothing after it was done: Restoring uploads/files" in done.stderr
    assert (stranger.folder / "out" / UNFINISHED).exists()
    assert not (stranger.folder / "out/ldap").exists()

    again = stranger.run(made.script, KEY=made.key, TO="out")

    assert again.returncode == 1 and "the folder is not empty" in again.stderr, "a stream had begun"


def test_a_key_that_is_not_there_stops_it_at_once(made: Made, stranger: Stranger) -> None:
    done = stranger.run(made.script, KEY="none", TO="out")

    assert (done.returncode, "none: the key cannot be read" in done.stderr) == (1, True)
    assert not (stranger.folder / "out").exists()


@pytest.mark.parametrize("values", [{}, {"KEY": "key"}, {"TO": "out"}])
def test_without_key_or_target_it_says_what_it_needs(made: Made, stranger: Stranger, values: dict[str, Any]) -> None:
    done = stranger.run(made.script, **values)

    assert (done.returncode, "KEY or TO is not set" in done.stderr) == (2, True)


@pytest.mark.parametrize("program", ["age", "zstd", "tee"])
def test_a_missing_program_is_named_before_anything_is_done(made: Made, tmp_path: Path, program: str) -> None:
    poor = Stranger(tmp_path / "poor", without=program)

    done = poor.run(made.script, KEY=made.key, TO="out")

    assert (done.returncode, f"the program {program} is missing" in done.stderr) == (1, True)
    assert not (poor.folder / "out").exists()


def test_help_is_in_both_languages_and_an_unknown_option_is_refused(made: Made, stranger: Stranger) -> None:
    told = stranger.run(made.script, "--help")
    refused = stranger.run(made.script, "--helpp")

    assert told.returncode == 0
    assert "Restore backup set" in told.stdout and "Khôi phục bộ sao lưu" in told.stdout
    assert made.set.recipients[0] in told.stdout
    assert (refused.returncode, "--helpp: no such option" in refused.stderr) == (2, True)


@pytest.mark.parametrize("path", ["data/content/database/database.0001.age", "RESTORE.vi.md", "set.json", "restore.sh"])
def test_a_damaged_file_stops_it_before_anything_is_restored(made: Made, stranger: Stranger, path: str) -> None:
    folder = made.copy(stranger.folder)
    if path == "restore.sh":
        (folder / path).write_bytes((folder / path).read_bytes() + b"# more\n")
    else:
        damage(folder / path)

    done = stranger.run(folder / "restore.sh", KEY=made.key, TO="out")

    assert done.returncode == 1
    assert f"{path}: FAILED" in done.stdout
    assert "Use another copy of it, or --salvage" in done.stderr
    assert [each.name for each in (stranger.folder / "out").iterdir()] == [UNFINISHED]
    assert is_marker(stranger.folder / "out" / UNFINISHED), "so that a restore by portalops takes the folder"

    again = stranger.run(made.script, KEY=made.key, TO="out")

    assert again.returncode == 0, "nothing but that file lay in the target"


def no_file(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def longer(path: Path) -> None:
    os.truncate(path, 1 << 43)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


HINDRANCES = (no_file, endless, longer, linked)


@pytest.mark.parametrize(
    ("path", "hinder"),
    [
        *(("data/content/database/database.0001.age", hinder) for hinder in HINDRANCES),
        ("data/related/uploads/files.index.age", no_file),
        ("data/related/uploads/files.index.age", longer),
        ("bag-info.txt", no_file),
        ("bag-info.txt", longer),
        ("set.json", endless),
        ("set.json.sig", no_file),
        ("manifest-sha256.txt", longer),
        ("tagmanifest-sha256.txt", no_file),
    ],
)
def test_a_listed_file_that_would_be_read_for_ever_is_damaged(
    made: Made, stranger: Stranger, path: str, hinder: Callable[[Path], None]
) -> None:
    """With --salvage nothing but its own content is lost, if it is not what says how the set is made up."""
    folder = made.copy(stranger.folder)
    hinder(folder / path)
    allowed = stranger.folder / "allowed_signers"
    allowed.touch()

    done = stranger.run(folder / "restore.sh", KEY=made.key, TO="out")
    saved = stranger.run(folder / "restore.sh", "--salvage", KEY=made.key, TO="out-2")
    signed = stranger.run(folder / "restore.sh", "--salvage", KEY=made.key, TO="out-3", ALLOWED=allowed)

    assert (done.returncode, f"{path}: FAILED" in done.stdout) == (1, True), done.stderr
    if path.startswith("data/content"):
        assert (saved.returncode, listed_in(stranger.folder / "out-2" / UNFINISHED)) == (3, ["database/database"])
    elif path.startswith(("data/", "bag-info", "set.json.sig")):
        assert saved.returncode == 0, saved.stderr
        assert is_back(made, stranger.folder / "out-2")
    else:
        assert (saved.returncode, f"{path}: damaged" in saved.stderr) == (1, True)
    assert signed.returncode == 1


def test_a_length_is_seen_whatever_settings_the_stranger_has(made: Made, stranger: Stranger) -> None:
    done = stranger.run(
        made.script,
        KEY=made.key,
        TO="out",
        BLOCK_SIZE="human-readable",
        LS_BLOCK_SIZE="K",
        TIME_STYLE="+%s",
        QUOTING_STYLE="c",
    )

    assert done.returncode == 0, done.stderr


def test_a_program_that_fails_within_a_pipe_stops_it(made: Made, stranger: Stranger) -> None:
    (stranger.tools / "zstd").unlink()
    (stranger.tools / "zstd").write_text('#!/bin/sh\n/usr/bin/env -i PATH=/usr/bin:/bin zstd "$@"\nexit 1\n')
    (stranger.tools / "zstd").chmod(0o755)

    done = stranger.run(made.script, KEY=made.key, TO="out")

    assert (done.returncode, "data/related/uploads/files: zstd failed" in done.stderr) == (1, True)


def test_the_signature_is_checked_where_the_stranger_has_allowed_signers(made: Made, stranger: Stranger) -> None:
    for name, number in (("right", 1), ("wrong", 2)):
        line = allowed_signers_line("a" * 32, LEDGER_NAMESPACES, signing(number).public_key, None, None)
        (stranger.folder / name).write_text(line)

    right = stranger.run(made.script, KEY=made.key, TO="out", ALLOWED="right")
    wrong = stranger.run(made.script, KEY=made.key, TO="out-2", ALLOWED="wrong")

    assert right.returncode == 0, right.stderr
    assert 'Good "portalops-set" signature' in right.stdout
    assert (wrong.returncode, "Checking the signature" in wrong.stderr) == (1, True)


@pytest.mark.needs("sqlite3")
def test_databases_are_checked_if_wanted(made: Made, stranger: Stranger) -> None:
    done = stranger.run(made.script, "--databases", KEY=made.key, TO="out")

    assert done.returncode == 0, done.stderr
    assert "Loading database/database" in done.stdout


def test_names_of_databases_are_words(made: Made, stranger: Stranger) -> None:
    done = stranger.run(made.script, "--databases", KEY=made.key, TO="out", SUFFIX="x; rm -r /")

    assert (done.returncode, "only letters" in done.stderr) == (1, True)


def listed_in(marker: Path) -> list[str]:
    """Return the lines of a list of what is missing, behind its first empty one."""
    assert is_marker(marker)
    return marker.read_text(encoding="utf-8", errors="surrogateescape").partition("\n\n")[2].splitlines()


def missing_in(listed: Path, tree: Path) -> set[bytes]:
    """Return the paths below a tree that a list of missing ones names, whether as the index or as tar writes them."""
    beginning = os.fsencode(tree).lstrip(b"/")
    found = set()
    for line in listed_in(listed):
        source, _slash, path = line.partition("/")
        assert source in {"uploads", "tree"}, line
        if ": Cannot " in path:
            found.add(os.fsencode(path.rpartition(": Cannot ")[0]))
        else:
            text = path.replace('"', '\\"')  # letters are letters; what else JSON escapes is escaped
            found.add(os.fsencode(json.loads(f'"{text}"')))
    return {path.removeprefix(beginning) for path in found if path.startswith(beginning + b"/")}


@pytest.mark.parametrize("language", ["C", "vi_VN.UTF-8"])
def test_what_the_set_itself_lacks_is_told_at_the_end(tmp_path: Path, stranger: Stranger, language: str) -> None:
    """What was restored is all that it has, so the exit code stays."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("file")
    sources = [
        source("files", {"include": [str(tree), str(tmp_path / "gone")]}, tmp_path, id="files"),
        source(
            "files", {"include": [str(tree)], "before": ["sh", "-c", "echo $(id); exit 1"]}, tmp_path, id="accounts"
        ),
    ]
    result = back_up(sources, [disk(tmp_path, "disk-a")])
    assert result.set is not None and result.failed_sources
    script = tmp_path / "disk-a" / result.set.id / "restore.sh"

    done = stranger.run(script, KEY=keys().file(tmp_path), TO="out", LC_ALL=language)

    assert done.returncode == 0, done.stderr
    *_before, sources_lacked, paths_lacked = done.stderr.splitlines()
    assert sources_lacked.endswith(": accounts")
    assert "1 path could not be read" in paths_lacked or "1 đường dẫn không đọc được" in paths_lacked
    assert ("incomplete" in done.stderr) == (language == "C")


def test_a_set_that_lacks_nothing_says_nothing_of_it(made: Made) -> None:
    assert "The set itself" not in made.script.read_text()


class TestSalvage:
    """Of six packs of files some are damaged."""

    @pytest.mark.parametrize("numbers", [(1,), (2,), (3,), (1, 2), (2, 3), (1, 3), (4,), (5,), (1, 2, 3, 4, 5, 6)])
    def test_what_lies_in_whole_packs_comes_back_and_the_rest_is_listed(
        self, made: Made, stranger: Stranger, numbers: tuple[int, ...]
    ) -> None:
        folder = made.copy(stranger.folder)
        packs = sorted(folder.glob("data/related/uploads/files.0*.age"))
        there = [packs[number - 1] for number in numbers if number <= len(packs)]
        for pack in there:
            damage(pack)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=made.key, TO="out")

        assert done.returncode == (3 if there else 0), done.stderr
        target = stranger.folder / "out"
        files = target / "uploads" / str(made.tree).lstrip("/")
        assert (target / "ldap/output.raw").read_bytes() == b"one\ntwo\n"
        whole: dict[bytes, tuple[Any, ...]] = snapshot(made.tree)
        found: dict[bytes, tuple[Any, ...]] = snapshot(files) if files.is_dir() else {}
        for name, (kind, _uid, _gid, _time, content, *_rest) in found.items():
            assert (kind & 0o170000, content) == (whole[name][0] & 0o170000, whole[name][4]), name
        missing = missing_in(target / UNFINISHED, made.tree) if there else set()
        if there and 6 in numbers:
            assert "bài-viết" in (target / UNFINISHED).read_text(encoding="utf-8", errors="replace")
        lost = {name for name in whole.keys() - found.keys() if not name.endswith(b"/.")}
        assert lost <= missing, "each path that is not there is listed"
        assert all(whole[name][0] & 0o170000 == 0o040000 for name in missing & found.keys()), (
            "folders alone are made on the way"
        )
        assert found or 1 in numbers, "what lies before the first damaged pack is whole"

    def test_a_whole_set_is_restored_whole(self, made: Made, stranger: Stranger) -> None:
        done = stranger.run(made.script, "--salvage", KEY=made.key, TO="out")

        assert done.returncode == 0, done.stderr
        assert is_back(made, stranger.folder / "out")

    def test_a_dump_with_a_damaged_pack_is_missing_as_a_whole(self, made: Made, stranger: Stranger) -> None:
        folder = made.copy(stranger.folder)
        damage(folder / "data/content/database/database.0001.age")

        done = stranger.run(folder / "restore.sh", "--salvage", "--databases", KEY=made.key, TO="out")

        assert done.returncode == 3, done.stderr
        assert listed_in(stranger.folder / "out" / UNFINISHED) == ["database/database"]
        assert not (stranger.folder / "out/database").exists()

    @pytest.mark.parametrize("path", ["RESTORE.en.md", "data/related/uploads/files.index.age"])
    def test_what_is_not_needed_may_be_damaged(self, made: Made, stranger: Stranger, path: str) -> None:
        folder = made.copy(stranger.folder)
        damage(folder / path)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=made.key, TO="out")

        assert done.returncode == 0, done.stderr
        assert f"{path}: FAILED" in done.stderr, "it is named at the end"
        assert is_back(made, stranger.folder / "out")
        files = stranger.folder / "out/uploads" / str(made.tree).lstrip("/")
        assert snapshot(files) == snapshot(made.tree)

    @pytest.mark.parametrize("path", ["manifest-sha256.txt", "set.json"])
    def test_without_the_manifest_nothing_is_believed(self, made: Made, stranger: Stranger, path: str) -> None:
        folder = made.copy(stranger.folder)
        damage(folder / path)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=made.key, TO="out")

        assert (done.returncode, f"{path}: damaged" in done.stderr) == (1, True)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def run_as_nobody(stranger: Stranger, script: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a set as an account that owns nothing but the target."""
    key, folder = keys().file(stranger.folder), stranger.folder
    out.mkdir()
    shutil.chown(out, "nobody")
    for each in (key, *script.parents[1].rglob("*"), folder, *stranger.tools.parents, *script.parents, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp") and not each.is_symlink():
            each.chmod(each.stat().st_mode | (0o055 if each.is_dir() else 0o044))
    program = shutil.which("setpriv")
    assert program is not None
    (stranger.tools / "setpriv").symlink_to(program)
    become = ("--regid=65534", "--clear-groups", str(stranger.tools / "dash"))
    return stranger.run("--reuid=65534", *become, str(script), *options, shell="setpriv", KEY=key, TO=out)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices, and becomes somebody else")
@pytest.mark.needs("setpriv")
def test_without_root_devices_are_listed_and_all_else_comes_back(tmp_path: Path, stranger: Stranger) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_text("file")
    try:
        os.mknod(tree / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        pytest.skip("this machine lets nobody make devices")
    os.link(tree / "null", tree / "null-too")
    (tree / "old").touch()
    os.utime(tree / "old", (-10, -10))  # before 1970: tar has a remark on it
    with suppress(OSError):  # an attribute that only root may set, and a name that tar says more about
        os.setxattr(tree / "file", "security.capability", bytes.fromhex("0100000200040000" + "00" * 12))
    Path(os.fsdecode(os.fsencode(tree) + b"/\xff")).touch()
    result = back_up([source("files", {"include": [str(tree)]}, tmp_path, id="files")], [disk(tmp_path, "disk-a")])
    assert result.set is not None
    out = stranger.folder / "out"

    done = run_as_nobody(stranger, tmp_path / "disk-a" / result.set.id / "restore.sh", out)

    assert done.returncode == 3, done.stderr
    assert (out / "files" / str(tree).lstrip("/") / "file").read_text() == "file"
    line = f"files/{str(tree).lstrip('/')}/null: Cannot mknod: Operation not permitted"
    listed = listed_in(out / UNFINISHED)
    assert line in listed
    assert any("null-too: Cannot hard link to" in each for each in listed)
    assert (out / "files" / str(tree).lstrip("/") / "old").stat().st_mtime == -10
    assert "You are not root" in done.stdout


class TestDifferential:
    """A set that needs its base."""

    @pytest.fixture
    def weeks(self, tmp_path: Path) -> Weeks:
        weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"), medium=disk(tmp_path, "disk-a"))
        for what in ("other content", "a removed folder", "a folder in place of a file"):
            edit(weeks.tree, what)
        return weeks

    @staticmethod
    def folder(weeks: Weeks, name: SetId) -> Path:
        return weeks.folder / "disk-a" / name

    def test_it_is_restored_over_its_base_that_lies_beside_it(self, weeks: Weeks, stranger: Stranger) -> None:
        made = weeks.differential()

        done = stranger.run(
            self.folder(weeks, made.id) / "restore.sh", KEY=keys().file(stranger.folder), TO="out", LANG="C"
        )

        assert done.returncode == 0, done.stderr
        restored = stranger.folder / "out/tree" / str(weeks.tree).lstrip("/")
        assert snapshot(restored) == snapshot(weeks.tree)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
    @pytest.mark.needs("setpriv")
    @pytest.mark.parametrize("options", [(), ("--salvage",)])
    @pytest.mark.parametrize("mode", [0o555, 0, 0o2555])
    def test_a_folder_that_is_closed_to_its_owner_stands_in_no_way(
        self, tmp_path: Path, stranger: Stranger, mode: int, options: tuple[str, ...]
    ) -> None:
        weeks, closed = self.with_closed_folders(tmp_path, mode)
        made = weeks.differential()

        done = run_as_nobody(stranger, self.folder(weeks, made.id) / "restore.sh", stranger.folder / "out", *options)

        assert done.returncode == 0, done.stderr
        restored = stranger.folder / "out/tree" / str(weeks.tree).lstrip("/")
        assert {path: mode_of(restored / path) for path in closed} == {
            path: mode_of(weeks.tree / path) for path in closed
        }
        assert contents(restored) == contents(weeks.tree)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
    @pytest.mark.needs("setpriv")
    def test_a_further_name_in_a_closed_folder_comes_back_where_a_pack_of_the_base_is_of_no_use(
        self, tmp_path: Path, stranger: Stranger
    ) -> None:
        weeks, closed = self.with_closed_folders(tmp_path, 0)
        (stream,) = weeks.full.streams
        stored = weeks.medium.open_set(weeks.full.id)
        content = parse_set_file((self.folder(weeks, weeks.full.id) / NAME).read_bytes())
        members = index_members(alone(stored, content), stream, [keys().identity])
        (offset,) = (each.offset for each in members if each.path.endswith("/lớn.bin"))
        ends = itertools.accumulate(pack.plain_bytes for pack in stream.packs)
        damage(self.folder(weeks, weeks.full.id) / stream.packs[sum(end <= offset + MIB for end in ends)].path)
        (weeks.tree / "lớn.bin").write_text("small now")
        made = weeks.differential()

        done = run_as_nobody(stranger, self.folder(weeks, made.id) / "restore.sh", stranger.folder / "out", "--salvage")

        assert done.returncode == 0, done.stderr
        restored = stranger.folder / "out/tree" / str(weeks.tree).lstrip("/")
        assert contents(restored) == contents(weeks.tree)
        assert all(mode_of(restored / path) == mode_of(weeks.tree / path) for path in closed)

    @staticmethod
    def with_closed_folders(folder: Path, mode: int) -> tuple[Weeks, tuple[str, ...]]:
        """Folders that are closed when the base is made, and change, or what is in them does."""
        tree = odd_tree(folder / "portal")
        closed = ("changed/.inner", "changed", "untouched", "opened", "line\n")
        for path in ("changed", "changed/.inner", "untouched", "opened", "line\n"):
            (tree / path).mkdir()
            for name in ("one", "two", "three"):
                (tree / path / name).write_text(name)
        os.link(tree / "untouched/one", tree / "zlink")
        for path in closed:
            (tree / path).chmod(mode)
        weeks = Weeks(folder, tree, medium=disk(folder, "disk-a"))
        for path in ("changed", "changed/.inner", "line\n"):
            (tree / path / "one").write_text("other content")
            (tree / path / "two").unlink()
            (tree / path / "new").write_text("new")
        (tree / "opened").chmod(0o1700)
        return weeks, closed

    def test_a_base_elsewhere_is_named_and_a_missing_one_stops_it(self, weeks: Weeks, stranger: Stranger) -> None:
        made = weeks.differential()
        assert made.base_id is not None
        self.folder(weeks, made.base_id).rename(stranger.folder / "the base")
        script, key = self.folder(weeks, made.id) / "restore.sh", keys().file(stranger.folder)

        missing = stranger.run(script, KEY=key, TO="out")
        wrong = stranger.run(script, KEY=key, TO="out-2", BASE=script.parent)
        there = stranger.run(script, KEY=key, TO="out-3", BASE="the base")

        assert (missing.returncode, "the base is not there" in missing.stderr) == (1, True)
        assert (wrong.returncode, "another set" in wrong.stderr) == (1, True)
        assert there.returncode == 0, there.stderr

    def test_a_target_inside_the_base_is_refused_before_anything_is_done(
        self, weeks: Weeks, stranger: Stranger
    ) -> None:
        made = weeks.differential()
        assert made.base_id is not None
        base = self.folder(weeks, made.base_id)
        script, key = self.folder(weeks, made.id) / "restore.sh", keys().file(stranger.folder)
        (stranger.folder / "the base").symlink_to(base)

        beside = stranger.run(script, KEY=key, TO=base / "out")
        named = stranger.run(script, KEY=key, TO=base / "out", BASE="the base")

        for done in (beside, named):
            assert (done.returncode, "it lies in the folder of a set" in done.stderr) == (1, True), done.stderr
        assert not (base / "out").exists()

    @pytest.mark.parametrize(
        ("pattern", "hinder"),
        [
            ("data/*/*/files.0001.age", no_file),
            ("data/*/*/files.0001.age", longer),
            ("data/*/*/files.index.age", endless),
            ("set.json", no_file),
            ("manifest-sha256.txt", longer),
            ("tagmanifest-sha256.txt", no_file),
        ],
    )
    def test_a_file_of_the_base_that_would_be_read_for_ever_is_damaged(
        self, weeks: Weeks, stranger: Stranger, pattern: str, hinder: Callable[[Path], None]
    ) -> None:
        made = weeks.differential()
        assert made.base_id is not None
        for path in self.folder(weeks, made.base_id).glob(pattern):
            hinder(path)
        script, key = self.folder(weeks, made.id) / "restore.sh", keys().file(stranger.folder)

        stopped = stranger.run(script, KEY=key, TO="out")
        saved = stranger.run(script, "--salvage", KEY=key, TO="out-2")

        assert stopped.returncode == 1
        assert saved.returncode == (1 if "manifest" in pattern else 0 if "index" in pattern else 3), saved.stderr

    @pytest.mark.parametrize("has_index", [True, False])
    def test_a_damaged_base_stops_it_and_salvage_goes_on(
        self, weeks: Weeks, stranger: Stranger, has_index: bool
    ) -> None:
        made = weeks.differential()
        assert made.base_id is not None
        (pack, *_others) = sorted(self.folder(weeks, made.base_id).glob("data/*/*/files.0*.age"))
        damage(pack)
        if not has_index:
            damage(next(self.folder(weeks, made.base_id).glob("data/*/*/files.index.age")))
        script, key = self.folder(weeks, made.id) / "restore.sh", keys().file(stranger.folder)

        stopped = stranger.run(script, KEY=key, TO="out")
        saved = stranger.run(script, "--salvage", KEY=key, TO="out-2")

        assert (stopped.returncode, "files.0001.age: FAILED" in stopped.stdout) == (1, True)
        assert saved.returncode == 3, saved.stderr
        assert (stranger.folder / "out-2/tree").is_dir()


ODD = (
    b'it\'s "quoted" \\ $HOME',
    b"line\nfeed",
    b"tab\tbell\x07 del\x7f",
    b"\xff no text",
    "\x85 đặc biệt 😀".encode(),
    b" -f ",
)


class Thinned:
    """A full set and a differential of several packs each; files were changed, removed and added, also odd names."""

    def __init__(self, folder: Path) -> None:
        tree = odd_tree(folder / "portal")
        for each in ("changed", "emptied", "kept", "removed"):
            (tree / each).mkdir()
            for number, name in enumerate(ODD):
                path = Path(os.fsdecode(os.fsencode(tree / each) + b"/" + name))
                path.write_bytes(os.urandom(300_000) if number % 2 else b"old")
        os.link(tree / "hosts", tree / "changed/hosts")
        self.weeks = Weeks(folder, tree, medium=disk(folder, "disk-a"))
        for path in (tree / "changed").iterdir():
            path.write_bytes(b"new" + os.urandom(300_000))
        for path in (tree / "emptied").iterdir():
            path.unlink()
        (tree / "new").write_bytes(os.urandom(2 * MIB))
        for what in ("a removed folder", "a folder in place of a file", "a link in place of a folder"):
            edit(tree, what)
        shutil.rmtree(tree / "removed")
        (tree / "zz").write_text("the last")
        self.made = self.weeks.differential()
        self.tree = tree
        self.disk = folder / "disk-a"

    def copy(self, to: Path) -> tuple[Path, Path]:
        """Both sets, which a test may damage: the base and the differential."""
        assert self.made.base_id is not None
        shutil.copytree(self.disk, to / "sets")
        return to / "sets" / self.made.base_id, to / "sets" / self.made.id


@pytest.fixture(scope="module")
def thinned(tmp_path_factory: pytest.TempPathFactory) -> Thinned:
    return Thinned(tmp_path_factory.mktemp("thinned"))


class TestSalvageOfADifferential:
    @pytest.mark.parametrize(
        ("of_base", "of_set"),
        [((), (n,)) for n in range(1, 6)]
        + [((n,), ()) for n in range(1, 8)]
        + [((1,), (1,)), ((1, 3), (2, 3)), ((), (1, 3))],
    )
    def test_what_is_there_is_the_newest_and_what_is_not_is_listed(
        self, thinned: Thinned, stranger: Stranger, of_base: tuple[int, ...], of_set: tuple[int, ...]
    ) -> None:
        base, folder = thinned.copy(stranger.folder)
        for of, numbers in ((base, of_base), (folder, of_set)):
            for number in numbers:
                damage(of / f"data/related/tree/files.{number:04}.age")

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=keys().file(stranger.folder), TO="out")

        out = stranger.folder / "out"
        files = out / "tree" / str(thinned.tree).lstrip("/")
        whole, found = snapshot(thinned.tree), snapshot(files) if files.is_dir() else {}
        of_files = {name for name, values in whole.items() if not stat.S_ISDIR(int(str(values[0])))}
        missing = missing_in(out / UNFINISHED, thinned.tree) if (out / UNFINISHED).exists() else set()
        assert done.returncode == (3 if (out / UNFINISHED).exists() else 0), done.stderr
        assert {name for name in of_files & found.keys() if found[name][4] != whole[name][4]} == set()
        assert of_files - found.keys() == of_files & missing
        assert {name for name in found.keys() - whole.keys() if not name.endswith(b"/.")} == set()
        assert not missing - whole.keys(), "nothing that was removed is listed"

    @pytest.mark.parametrize("path", ["RESTORE.en.md", "data/related/tree/files.index.age", "manifest-sha256.txt"])
    def test_what_is_damaged_in_the_base_and_not_needed_is_named(
        self, thinned: Thinned, stranger: Stranger, path: str
    ) -> None:
        base, folder = thinned.copy(stranger.folder)
        damage(base / path)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=keys().file(stranger.folder), TO="out")

        assert f"BASE/{path}: FAILED" in done.stderr
        assert snapshot(stranger.folder / "out/tree" / str(thinned.tree).lstrip("/")) == snapshot(thinned.tree)
        listed = stranger.folder / "out" / UNFINISHED
        if path == "manifest-sha256.txt":  # it counts the packs
            assert (done.returncode, listed_in(listed)) == (3, [f"BASE/{path}: FAILED"])
        else:
            assert (done.returncode, listed.exists()) == (0, False)

    @pytest.mark.parametrize("language", ["en", "vi"])
    def test_the_guide_has_the_same_commands(self, thinned: Thinned, stranger: Stranger, language: str) -> None:
        base, folder = thinned.copy(stranger.folder)
        damage(base / "data/related/tree/files.0001.age")
        damage(folder / "data/related/tree/files.0002.age")
        blocks = re.findall(r"```sh\n(.*?)```", (folder / f"RESTORE.{language}.md").read_text(), re.DOTALL)
        given = [each for each in blocks if any(word in each for word in ("umask", "check()", "packs()", "salvage"))]
        by_hand = stranger.folder / "by hand"
        by_hand.write_text('SET="$PWD"\n' + "".join(each for each in given if "restore.sh" not in each))
        key = keys().file(stranger.folder)

        typed = stranger.run(by_hand, cwd=folder, KEY=key, TO="../../typed")
        done = stranger.run(folder / "restore.sh", "--salvage", KEY=key, TO="out")

        assert (typed.returncode, done.returncode) == (0, 3), typed.stderr
        assert snapshot(stranger.folder / "typed/tree").keys() == snapshot(stranger.folder / "out/tree").keys()
        listed = [(stranger.folder / each / UNFINISHED).read_bytes() for each in ("typed", "out")]
        assert listed[0] == listed[1] != b""

    @pytest.mark.parametrize("of_files", ["", "files.0001.age", "files.index.age"])
    def test_without_the_list_of_removals_what_is_newer_counts(
        self, tmp_path: Path, stranger: Stranger, of_files: str
    ) -> None:
        tree = typed_tree(tmp_path / "tree")
        odd = [Path(os.fsdecode(os.fsencode(tree) + b"/" + name)) for name in ODD]
        for path in odd:
            path.mkdir()
        (tree / "also").mkdir()
        (tree / "also" / "file").write_text("old")
        other = tmp_path / "other"
        other.mkdir()
        (other / "file").write_text("other")
        behind = source("files", {"include": [str(other)], "class": "related"}, tmp_path, id="web")
        weeks = Weeks(tmp_path, tree, behind, medium=disk(tmp_path, "disk-a"))
        change_types(tree)
        for path in odd:
            path.rmdir()
            path.write_text("new")
        folder = tmp_path / "disk-a" / weeks.differential().id
        for damaged in ("removed.0001.age", of_files):
            for path in folder.glob(f"data/related/tree/{damaged}") if damaged else ():
                os.truncate(path, 5)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=keys().file(stranger.folder), TO="out")

        out = stranger.folder / "out"
        found = snapshot(out / "tree" / str(tree).lstrip("/"))
        assert done.returncode == 3, done.stderr
        assert (out / "web" / str(other).lstrip("/") / "file").read_text() == "other"
        assert "tree/removed" in listed_in(out / UNFINISHED)
        if not of_files:
            assert found.pop(b"/gone"), "it may have been removed: that is not known"
            assert found == snapshot(tree)

    def test_a_link_of_the_base_is_not_followed_where_an_older_version_is_removed(
        self, tmp_path: Path, stranger: Stranger
    ) -> None:
        tree, outside = tmp_path / "tree", tmp_path / "outside"
        tree.mkdir()
        outside.mkdir()
        (outside / "file").write_text("mine")
        (tree / "kept").write_text("kept")
        (tree / "link").symlink_to(outside)
        weeks = Weeks(tmp_path, tree, medium=disk(tmp_path, "disk-a"))
        (tree / "link").unlink()
        (tree / "link").mkdir()
        (tree / "link/file").write_text("new")
        folder = tmp_path / "disk-a" / weeks.differential().id
        for pack in folder.glob("data/related/tree/*.0001.age"):
            damage(pack)

        done = stranger.run(folder / "restore.sh", "--salvage", KEY=keys().file(stranger.folder), TO="out")

        assert done.returncode == 3, done.stderr
        assert (outside / "file").read_text() == "mine"


def test_the_ledger_is_not_to_be_put_back_below_the_root_folder(tmp_path: Path) -> None:
    """Its paths begin at the state folder of portalops."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"x")
    made = back_up([source("files", {"include": [str(tree)]}, tmp_path, id="web")], [MemoryMedium("memory-1")])
    assert made.set is not None
    (web,) = made.set.streams
    content = SetFile(
        schema=SCHEMA,
        software="portalops",
        id=made.set.id,
        kind=made.set.kind,
        base=None,
        portal=made.set.portal,
        created_at=made.set.created_at,
        outcome=made.set.outcome,
        recipients=made.set.recipients,
        streams=(web, replace(web, source="book", kind="ledger", name="ledger")),
    )

    for name, text in guide_files(content).items():
        assert "web && tar --create" in text.decode(), name
        assert "book && tar --create" not in text.decode(), name
        assert "book is the state folder" in text.decode() or "book là thư mục trạng thái" in text.decode(), name
