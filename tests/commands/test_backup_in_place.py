"""`backup restore --into`: files back into a folder that has others, never overwriting unless asked, never half a file."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.unfinished import begin_in_place
from portalops.errors import ExitCode
from tests.commands.test_backup import Portal
from tests.commands.test_backup_look import ODD, full_and_differential, run_at
from tests.commands.test_damaged_copies import rot

PROGRAM = "from commands.app import main; main()"
UNFINISHED = "RESTORE-UNFINISHED.txt"


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    portal = Portal(tmp_path, capsys)
    portal.replace({"\n[backup.excused]": 'full_every = "month"\n\n[backup.excused]'})
    settings = portal.folder / "settings"
    (settings / "sub").mkdir(mode=0o750)
    (settings / "sub" / "a.ini").write_text("a")
    os.link(settings / "sub" / "a.ini", settings / "sub" / "b.ini")
    (settings / "link").symlink_to("portal.ini")
    return portal


def into(portal: Portal, folder: Path, *more: str, name: str = "latest", expected: ExitCode = ExitCode.OK) -> Any:
    arguments = ("backup", "restore", name, "--into", str(folder), "--source", "settings", "--identity", portal.key)
    return portal.call(*arguments, *more, expected=expected)


def tree(folder: Path) -> dict[str, str]:
    """Every file and link below a folder with what it holds."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_text()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_a_lost_file_comes_back_to_where_it_was_and_all_else_stays(portal: Portal) -> None:
    portal.call("backup", "run")
    settings = portal.folder / "settings"
    before = tree(settings)
    (settings / "portal.ini").unlink()
    (settings / "sub" / "a.ini").unlink()
    (settings / "other.txt").write_text("not in the set")

    found = into(portal, Path("/"))

    assert (found["new"], found["differing"], found["missing"]) == (2, 0, 0)
    assert found["same"] == 4  # two folders, a link, a file
    assert tree(settings) == {**before, "other.txt": "not in the set"}
    assert (settings / "sub").stat().st_mode & 0o777 == 0o750
    assert not list(portal.folder.rglob(UNFINISHED))
    again = into(portal, Path("/"))
    assert (again["new"], again["same"], again["files"]) == (0, 6, 0)


def test_what_differs_is_kept_without_overwrite_and_listed_by_a_dry_run(portal: Portal) -> None:
    portal.call("backup", "run")
    settings = portal.folder / "settings"
    (settings / "portal.ini").write_text("[live]\n")
    (settings / "link").unlink()
    (settings / "link").write_text("no link any more")
    live = tree(settings)

    planned = into(portal, Path("/"), "--dry-run")
    assert {path.rpartition("/")[2] for path in planned["differing_paths"]} == {"portal.ini", "link"}
    assert (planned["dry_run"], planned["files"]) == (True, 0)
    kept = into(portal, Path("/"), expected=ExitCode.PARTIAL)
    assert kept["differing"] == 2
    assert tree(settings) == live
    planned = into(portal, Path("/"), "--dry-run", "--overwrite")
    assert planned["differing"] == 2
    assert tree(settings) == live

    done = into(portal, Path("/"), "--overwrite")

    assert (done["differing"], done["files"]) == (2, 1)
    assert tree(settings) == {**live, "portal.ini": "[portal]\n", "link": "portal.ini"}
    assert [path.name for path in settings.iterdir() if path.name.startswith(".")] == []


def test_a_dry_run_reads_no_pack_with_contents(portal: Portal) -> None:
    portal.call("backup", "run")
    for pack in portal.folder.rglob("data/*/*/*.0001.age"):
        pack.unlink()
    assert into(portal, Path("/"), "--dry-run")["same"] == 6


def test_a_mode_that_differs_is_a_difference(portal: Portal) -> None:
    portal.call("backup", "run")
    file = portal.folder / "settings" / "portal.ini"
    mode = file.stat().st_mode
    file.chmod(0o600)
    assert into(portal, Path("/"), "--dry-run")["differing"] == 1
    into(portal, Path("/"), "--overwrite")
    assert file.stat().st_mode == mode


def test_a_link_on_the_way_is_not_followed(portal: Portal, tmp_path: Path) -> None:
    portal.call("backup", "run")
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    way = folder / str(portal.folder / "settings").strip("/")
    way.mkdir(parents=True)
    (way / "sub").symlink_to(outside)
    (way / "portal.ini").symlink_to(outside / "portal.ini")

    found = into(portal, folder, "--overwrite", expected=ExitCode.PARTIAL)

    assert list(outside.iterdir()) == []
    assert len(found["refused"]) == 3
    assert not (way / "portal.ini").is_symlink()
    assert found["listed_in"] == str(folder / UNFINISHED)
    listed = (folder / UNFINISHED).read_text()
    assert "sub/a.ini\t" in listed and "not a folder" in listed
    assert "remove the folder" not in listed


def test_a_folder_is_never_replaced_and_a_file_never_becomes_a_folder(portal: Portal, tmp_path: Path) -> None:
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    way = folder / str(portal.folder / "settings").strip("/")
    (way / "portal.ini").mkdir(parents=True)
    (way / "sub").write_text("a file")

    found = into(portal, folder, "--overwrite", expected=ExitCode.PARTIAL)

    assert (way / "portal.ini").is_dir()
    assert (way / "sub").read_text() == "a file"
    assert any("a folder is there" in line for line in found["refused"])


def test_a_hard_link_never_leads_to_a_file_that_was_kept(portal: Portal) -> None:
    portal.call("backup", "run")
    sub = portal.folder / "settings" / "sub"
    (sub / "b.ini").unlink()
    (sub / "a.ini").write_text("live")

    into(portal, Path("/"), expected=ExitCode.PARTIAL)

    assert ((sub / "a.ini").read_text(), (sub / "b.ini").read_text()) == ("live", "a")
    into(portal, Path("/"), "--overwrite")
    assert ((sub / "a.ini").read_text(), (sub / "b.ini").read_text()) == ("a", "a")


def test_a_differential_is_restored_as_it_stands_and_nothing_is_removed(portal: Portal, tmp_path: Path) -> None:
    full_and_differential(portal)
    folder = tmp_path / "folder"
    folder.mkdir()

    into(portal, folder, "--path", "*.ini")
    way = folder / str(portal.folder / "settings").strip("/")
    assert {path.name for path in way.rglob("*.ini")} == {"portal.ini", "new.ini", "kept.ini", "a.ini", "b.ini"}
    assert (way / "portal.ini").read_text() == "[portal]\nnew = 1\n"
    (way / "old.ini").write_text("mine")
    into(portal, folder)
    assert (way / "old.ini").read_text() == "mine"


def test_paths_are_several_and_one_that_is_missing_is_listed(portal: Portal, tmp_path: Path) -> None:
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    folder.mkdir()
    top = str(portal.folder / "settings")

    found = into(portal, folder, "--path", f"{top}/sub/", "--path", "no/such", expected=ExitCode.PARTIAL)

    assert found["missing"] == 1
    assert "no/such\t" in (folder / UNFINISHED).read_text()  # nothing of the way was there
    assert ((folder / top.strip("/") / "sub").stat().st_mode) & 0o777 == 0o750
    (folder / UNFINISHED).unlink()
    refused = into(portal, folder, "--path", "no/such", expected=ExitCode.FAILED)
    assert "no path" in refused["error"]["message"]
    assert not (folder / UNFINISHED).exists()


def test_a_pack_that_no_medium_has_costs_its_files_alone(portal: Portal, tmp_path: Path) -> None:
    made = portal.call("backup", "run")["set"]
    for medium in ("disk-a", "disk-b"):
        rot(portal, medium, made, "files.0001.age")
    folder = tmp_path / "folder"
    folder.mkdir()
    found = into(portal, folder, expected=ExitCode.INTEGRITY)["data"]
    assert found["damaged"]
    assert "portal.ini\t" in (folder / UNFINISHED).read_text()
    assert tree(folder).keys() == {UNFINISHED}


def test_where_nothing_may_be_written(portal: Portal, tmp_path: Path) -> None:
    portal.call("backup", "run")
    for place in ("state", "disk-a", "disk-b/sub"):
        assert "is inside" in into(portal, portal.folder / place, expected=ExitCode.FAILED)["error"]["message"]
    assert "error" in into(portal, tmp_path / "not-there", expected=ExitCode.FAILED)
    assert "error" in into(portal, portal.folder / "portalops.toml", expected=ExitCode.FAILED)
    both = ("--to", str(tmp_path / "out"))
    assert "one target" in into(portal, tmp_path, *both, expected=ExitCode.USAGE)["error"]["message"]
    alone = ("backup", "restore", "latest", "--identity", portal.key, *both, "--overwrite")
    assert "--into" in portal.call(*alone, expected=ExitCode.USAGE)["error"]["message"]
    no_source = ("backup", "restore", "latest", "--identity", portal.key, "--into", str(tmp_path))
    assert "--source" in portal.call(*no_source, expected=ExitCode.FAILED)["error"]["hint"]
    dump = portal.call(*no_source, "--source", "database", expected=ExitCode.FAILED)["error"]
    assert "no files" in dump["message"]


def test_the_ledger_and_the_media_are_never_written_into_from_above(portal: Portal) -> None:
    portal.replace({'include = ["settings"]': 'include = ["settings", "disk-c"]'})
    (portal.folder / "disk-c").mkdir()
    (portal.folder / "disk-c" / "x").write_text("x")
    portal.call("backup", "run")
    (portal.folder / "disk-c" / "x").unlink()
    portal.replace({'folder = "disk-b"': 'folder = "disk-c"'})

    found = into(portal, Path("/"), expected=ExitCode.PARTIAL)

    assert any("keeps its sets there" in line for line in found["refused"])
    assert not (portal.folder / "disk-c" / "x").exists()
    listed = Path(found["listed_in"])
    assert str(listed.parent) in {"/", str(portal.folder)}  # the second where only root may write into /
    listed.unlink()


def test_a_restore_that_is_killed_leaves_the_old_or_the_new_of_each_file(portal: Portal, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    settings = portal.folder / "settings"
    content = {f"{number}.bin": os.urandom(3 << 20) for number in range(8)}
    for name, data in content.items():
        (settings / name).write_bytes(data)
    portal.call("backup", "run")
    settings = folder / str(settings).strip("/")
    settings.mkdir(parents=True)
    right = {hashlib.sha256(data).hexdigest() for data in content.values()}
    old = hashlib.sha256(b"old").hexdigest()
    command = [sys.executable, "-c", PROGRAM, "--config", str(portal.folder / "portalops.toml")]
    command += ["backup", "restore", "latest", "--into", str(folder), "--source", "settings", "--identity", portal.key]

    for delay in moments():
        for name in content:
            (settings / name).write_bytes(b"old")
        process = subprocess.Popen([*command, "--overwrite"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        mark = settings / "0.bin"
        until = time.monotonic() + 20
        while process.poll() is None and mark.stat().st_size == 3 and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = {hashlib.sha256((settings / name).read_bytes()).hexdigest() for name in content}
        assert found <= {*right, old}
        assert process.returncode in {0, -signal.SIGKILL}
        if old in found:  # else it was killed behind its last file, and the mark may be gone
            assert "do not remove the folder" in (folder / UNFINISHED).read_text()
    done = into(portal, folder, "--overwrite")
    assert done["missing"] == 0
    assert {hashlib.sha256((settings / name).read_bytes()).hexdigest() for name in content} == right
    assert not list(folder.rglob(UNFINISHED))


def moments() -> Iterator[float]:
    yield from (0.0, 0.01, 0.03)


def looks(folder: Path) -> dict[str, tuple[int, int, dict[str, bytes]]]:
    """Mode, time and attributes of a folder and all folders below it."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            {name: os.getxattr(path, name) for name in os.listxattr(path)},
        )
        for path in (folder, *(each for each in folder.rglob("*") if each.is_dir()))
    }


def folders_of_full_and_differential(portal: Portal) -> Path:
    """Make folders that the full set has, that the differential has, and whose files lie in either."""
    settings = portal.folder / "settings"
    for name in ("old/deep", "both", "new"):
        (settings / name).mkdir(parents=True)
        (settings / name / "old.ini").write_text(name)
    os.setxattr(settings / "old", "user.note", b"kept")
    full_and_differential(portal)
    (settings / "both" / "new.ini").write_text("new")
    (settings / "later").mkdir()
    (settings / "later" / "new.ini").write_text("new")
    os.setxattr(settings / "both", "user.note", b"new")
    for number, name in enumerate(("old/deep", "old", "both", "new", "later", "")):
        (settings / name).chmod(0o750 + number % 2)
        os.utime(settings / name, ns=(10**18, 10**18 + number))
    run_at(portal, 2, "diff")
    return settings


def test_folders_of_a_differential_and_of_its_base_get_their_mode_time_and_attributes(
    portal: Portal, tmp_path: Path
) -> None:
    settings = folders_of_full_and_differential(portal)
    for more in ((), ("--path", f"{settings}/old", "--path", f"{settings}/both")):
        folder = tmp_path / f"folder-{len(more)}"
        folder.mkdir()

        found = into(portal, folder, *more)

        way = folder / str(settings).strip("/")
        expected = looks(settings)
        assert looks(way) == {name: each for name, each in expected.items() if (way / name).exists()}
        assert found["same"] == 0
        assert way.parent.stat().st_mode & 0o7777 == 0o700  # no member of the set
        again = into(portal, folder, *more)
        assert (again["new"], again["differing"]) == (0, 0)
        assert again["same"] >= found["new"] - 1


def test_folders_of_a_run_that_was_killed_get_their_mode_from_the_next(portal: Portal, tmp_path: Path) -> None:
    settings = folders_of_full_and_differential(portal)
    folder = tmp_path / "folder"
    own = folder / str(settings).strip("/") / "new"
    own.mkdir(parents=True, mode=0o700)
    (own.parent / "both").mkdir()
    (own.parent / "both").chmod(0o1700)  # as a run leaves it that was killed

    assert into(portal, folder, "--dry-run")["same"] == 2
    into(portal, folder)

    found, expected = looks(own.parent), looks(settings)
    assert found["both"] == expected["both"]
    assert own.stat().st_mode & 0o7777 == 0o700  # it was there
    again = into(portal, folder)
    assert again["new"] == 0


def test_a_further_name_of_a_fifo_or_a_link_is_made(portal: Portal, tmp_path: Path) -> None:
    settings = portal.folder / "settings"
    os.mkfifo(settings / "fifo")
    os.link(settings / "fifo", settings / "fifo2")
    os.link(settings / "link", settings / "link2", follow_symlinks=False)
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    folder.mkdir()

    found = into(portal, folder)

    way = folder / str(settings).strip("/")
    assert found["missing"] == 0
    assert (way / "fifo2").is_fifo() and (way / "fifo2").stat().st_ino == (way / "fifo").stat().st_ino
    assert os.readlink(way / "link2") == "portal.ini"
    assert into(portal, folder)["new"] == 0


def test_a_file_of_the_name_of_the_list_stays_whatever_happens(portal: Portal, tmp_path: Path) -> None:
    settings = portal.folder / "settings"
    (settings / UNFINISHED).write_text("of the set")
    (settings / "RESTORE-UNFINISHED.new").write_text("of the set")
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    way = folder / str(settings).strip("/")
    folder.mkdir()
    (folder / UNFINISHED).write_text("precious")

    into(portal, folder)

    assert (folder / UNFINISHED).read_text() == "precious"
    assert {name: (way / name).read_text() for name in (UNFINISHED, "RESTORE-UNFINISHED.new")} == {
        UNFINISHED: "of the set",
        "RESTORE-UNFINISHED.new": "of the set",
    }
    (way / "sub" / "a.ini").unlink()
    (way / "sub" / "a.ini").mkdir()
    found = into(portal, folder, expected=ExitCode.PARTIAL)
    assert (folder / UNFINISHED).read_text() == "precious"
    assert any("RESTORE-UNFINISHED-2.txt" in line for line in found["notes"])
    assert "a.ini\t" in (folder / "RESTORE-UNFINISHED-2.txt").read_text()
    (way / "sub" / "a.ini").rmdir()
    into(portal, folder)
    assert {each.name for each in folder.iterdir() if each.is_file()} == {UNFINISHED}
    out = tmp_path / "out"
    out.mkdir()
    (out / UNFINISHED).write_text("precious")
    arguments = ("backup", "restore", "latest", "--to", str(out), "--identity", portal.key)
    assert "not an empty folder" in portal.call(*arguments, expected=ExitCode.FAILED)["error"]["message"]
    assert (out / UNFINISHED).read_text() == "precious"


def test_a_file_of_the_set_at_the_place_of_the_list_is_restored(portal: Portal) -> None:
    """Where the folder is the one that the set's own paths begin in."""
    portal.replace({'include = ["settings"]': f'include = ["settings", "/{UNFINISHED}"]'})
    own = Path("/") / UNFINISHED
    if os.geteuid() != 0 or own.exists():
        pytest.skip("needs root, and a free name in /")
    own.write_text("mine")
    try:
        portal.call("backup", "run")
        own.write_text("another one")
        into(portal, Path("/"), "--overwrite")
        assert own.read_text() == "mine"
    finally:
        own.unlink()


def test_the_list_keeps_what_earlier_restores_did_not_bring_back(portal: Portal, tmp_path: Path) -> None:
    (portal.folder / "settings" / "sub" / ODD).write_text("odd")
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    top = str(portal.folder / "settings").strip("/")
    for name in ("sub/a.ini", f"sub/{ODD}"):
        (folder / top / name).mkdir(parents=True)

    first = into(portal, folder, "--path", f"{top}/sub", expected=ExitCode.PARTIAL)
    assert first["listed_in"] == str(folder / UNFINISHED)
    other = into(portal, folder, "--path", f"{top}/portal.ini", "--path", "no/such", expected=ExitCode.PARTIAL)

    assert other["missing"] == 1
    assert any("2" in line and UNFINISHED in line for line in other["notes"])
    listed = (folder / UNFINISHED).read_text()
    assert "sub/a.ini\t" in listed and "no/such\t" in listed
    (folder / top / "sub/a.ini").rmdir()
    into(portal, folder, "--path", f"{top}/sub/a.ini")
    listed = (folder / UNFINISHED).read_text()
    assert "sub/a.ini\t" not in listed and "sub/line" in listed
    (folder / top / "sub" / ODD).rmdir()
    into(portal, folder)
    assert not list(folder.rglob(UNFINISHED))


def test_what_a_killed_restore_was_to_bring_back_stays_listed_until_it_is_asked_for(
    portal: Portal, tmp_path: Path
) -> None:
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    folder.mkdir()
    top = str(portal.folder / "settings").strip("/")
    begin_in_place(folder / UNFINISHED, [f"{top}/sub", "*.ini"])  # as a run leaves it that was killed

    into(portal, folder, "--path", f"{top}/sub/a.ini")

    assert f"{top}/sub\t" in (folder / UNFINISHED).read_text()
    into(portal, folder, "--path", f"{top}/sub/")
    listed = (folder / UNFINISHED).read_text()
    assert f"{top}/sub\t" not in listed and "*.ini\t" in listed
    into(portal, folder)
    assert not list(folder.rglob(UNFINISHED))


def test_folders_are_right_when_a_restore_that_was_killed_is_run_again(portal: Portal, tmp_path: Path) -> None:
    settings = portal.folder / "settings"
    for number in range(40):
        (settings / f"{number}" / "deep").mkdir(parents=True)
        (settings / f"{number}" / "deep" / "file").write_bytes(os.urandom(1 << 20))
        os.utime(settings / f"{number}", ns=(10**18, 10**18 + number))
    portal.call("backup", "run")
    folder = tmp_path / "folder"
    folder.mkdir()
    command = [sys.executable, "-c", PROGRAM, "--config", str(portal.folder / "portalops.toml"), "backup", "restore"]
    command += ["latest", "--into", str(folder), "--source", "settings", "--identity", portal.key]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    way = folder / str(settings).strip("/")
    until = time.monotonic() + 20
    while process.poll() is None and not (way / "20").exists() and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()

    into(portal, folder)

    assert looks(way) == looks(settings)
    assert way.parent.stat().st_mode & 0o7777 == 0o700  # no member of the set
    assert not (folder / UNFINISHED).exists()
    assert into(portal, folder)["new"] == 0
