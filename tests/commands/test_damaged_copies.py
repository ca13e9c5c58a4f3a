"""What copies are damaged or gone, and what portalops does and says: restore, drill, replicate, the next backup, prune."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from backups.unfinished import UNFINISHED
from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.backups.kit import NOW
from tests.commands.test_backup import Portal

MAIN = "from commands.app import main; main()"


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    portal = Portal(tmp_path, capsys)
    drill = f'\n[backup.drill]\nidentity = "{portal.key}"\nfolder = "{tmp_path}"\n\n[backup.retention]\nkeep_last = 1\n'
    with (tmp_path / "portalops.toml").open("a") as file:
        for kind in ("drill", "copy", "prune"):
            file.write(f'\n[[job]]\nid = "monthly-{kind}"\nkind = "{kind}"\nevery = "month"\nduty = "10.2"\n')
    portal.replace({"\n[backup.excused]": f'full_every = "month"\n{drill}\n[backup.excused]'})
    return portal


def rot(portal: Portal, medium: str, set_name: str, part: str = "database/database.0001.age") -> str:
    """Change one byte of a pack on a medium, and return its path in the set."""
    (pack,) = (portal.folder / medium / set_name / "data").rglob(part.rpartition("/")[2])
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    return str(pack.relative_to(portal.folder / medium / set_name))


def states(portal: Portal) -> dict[tuple[str, str], str]:
    return {
        (made["id"], copy["medium"]): copy["state"] for made in portal.call("backup", "list") for copy in made["copies"]
    }


def restore(portal: Portal, to: str, *more: str, expected: ExitCode = ExitCode.OK) -> Any:
    arguments = ("backup", "restore", "latest", "--to", str(portal.folder / to), "--identity", portal.key, *more)
    return portal.call(*arguments, expected=expected)


def set_and_differential(portal: Portal) -> tuple[str, str]:
    full = portal.call("backup", "run")["set"]
    (portal.folder / "settings" / "new.ini").write_text("[new]\n")
    return full, portal.call("backup", "run", "--diff")["set"]


def test_the_copies_are_looked_at_once_before_one_is_made(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.call("backup", "run", "--full")
    shutil.rmtree(portal.folder / "disk-b" / portal.call("backup", "run", "--full")["set"])

    code = run(["--config", str(portal.folder / "portalops.toml"), "--lang", "en", "backup", "replicate"], {})

    assert code == ExitCode.OK
    looked = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Reading the copies back ...")]
    assert len(looked) == 2, "before it is made, and when it is there"


@pytest.mark.heavy
@pytest.mark.parametrize("only", [(), ("--medium", "disk-b"), ("--medium", "disk-a")], ids=["any", "b", "a"])
def test_a_rotten_base_on_one_medium_stops_no_restore_and_is_named(portal: Portal, only: tuple[str, ...]) -> None:
    full, _diff = set_and_differential(portal)
    rotten = rot(portal, "disk-a", full, "files.0001.age")

    found = restore(portal, "out", *only)

    assert (found["missing"], found["damaged"], found["refused"]) == (0, [], [])
    blamed = {(each["set"], each["medium"]) for each in found["faults"] if rotten in each["problem"]["text"]}
    assert blamed == (set() if only == ("--medium", "disk-b") else {(full, "disk-a")})
    settings = portal.folder / "out" / "settings" / str(portal.folder / "settings").strip("/")
    assert {path.name for path in settings.iterdir()} == {"portal.ini", "new.ini"}


def test_a_damaged_full_set_is_restored_from_the_other_medium_without_a_verification_before(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    rot(portal, "disk-a", made)
    rot(portal, "disk-b", made, "files.0001.age")

    found = restore(portal, "out")

    assert (found["missing"], found["damaged"]) == (0, [])
    assert not list((portal.folder / "out").glob("RESTORE-*"))
    looked = portal.call("backup", "verify", expected=ExitCode.INTEGRITY)["data"]
    assert {copy["medium"]: copy["state"] for copy in looked} == {"disk-a": "damaged", "disk-b": "damaged"}


def test_a_set_is_read_though_no_copy_has_its_lists_right(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    (portal.folder / "disk-a" / made / "tagmanifest-sha256.txt").unlink()
    content = portal.folder / "disk-b" / made / "set.json"
    whole = content.read_bytes()
    content.write_bytes(whole.replace(b'"complete"', b'"incomplete"'))

    found = restore(portal, "out")

    assert (found["missing"], found["damaged"]) == (0, [])
    assert {each["medium"] for each in found["faults"]} == {"disk-a", "disk-b"}
    portal.call("backup", "ls", made, "--identity", portal.key)
    (portal.folder / "disk-b" / made / "tagmanifest-sha256.txt").unlink()
    restore(portal, "once-more")
    content.write_bytes(whole)
    portal.call("backup", "verify", expected=ExitCode.INTEGRITY)
    assert set(states(portal).values()) == {"damaged"}
    portal.call("backup", "replicate")
    assert set(states(portal).values()) == {"verified"}


def test_without_a_ledger_a_set_file_that_nothing_backs_is_not_taken(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    for medium in ("disk-a", "disk-b"):
        (portal.folder / medium / made / "bagit.txt").unlink()
    shutil.rmtree(portal.folder / "state")
    restore(portal, "out")

    for medium in ("disk-a", "disk-b"):
        (portal.folder / medium / made / "tagmanifest-sha256.txt").unlink()

    restore(portal, "unsigned", expected=ExitCode.INTEGRITY)


def test_what_no_medium_has_is_listed_in_the_folder_and_the_rest_is_there(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    rotten = rot(portal, "disk-a", made)
    rot(portal, "disk-b", made)

    found = restore(portal, "out", expected=ExitCode.PARTIAL)

    assert found["missing"] == 1
    assert rotten in found["damaged"][0]
    listed = (portal.folder / "out" / "RESTORE-UNFINISHED.txt").read_text()
    assert "database/database.sqlite\t" in listed and rotten in listed
    assert "1 path is missing" in listed and "còn thiếu 1 đường dẫn" in listed
    assert list((portal.folder / "out").rglob("portal.ini"))
    assert not (portal.folder / "out" / "database" / "database.sqlite").exists()


def test_a_drill_blames_the_base_and_the_differential_stays_verified(portal: Portal) -> None:
    full, diff = set_and_differential(portal)
    rot(portal, "disk-a", full, "files.0001.age")

    drilled = portal.call("backup", "drill", "latest", "--medium", "disk-b", expected=ExitCode.INTEGRITY)["data"]

    assert [(copy["set"], copy["medium"], copy["state"]) for copy in drilled["copies"]] == [
        (diff, "disk-b", "verified"),
        (full, "disk-a", "damaged"),
    ]
    assert drilled["trials"]
    assert states(portal) == {
        (full, "disk-a"): "damaged",
        (full, "disk-b"): "verified",
        (diff, "disk-a"): "verified",
        (diff, "disk-b"): "verified",
    }


def test_a_drill_whose_base_is_rotten_everywhere_proves_nothing_and_blames_the_base_alone(portal: Portal) -> None:
    full, diff = set_and_differential(portal)
    rot(portal, "disk-a", full, "files.0001.age")
    rot(portal, "disk-b", full, "files.0001.age")

    drilled = portal.call("backup", "drill", "latest", "--medium", "disk-a", expected=ExitCode.INTEGRITY)["data"]

    assert drilled["trials"] == []
    shown = portal.call("backup", "list")
    assert run(["--config", str(portal.folder / "portalops.toml"), "backup", "list"], {}) == ExitCode.OK
    assert f"Set {diff} needs its base {full}" in portal.output()
    assert [copy["problem"] for made in shown if made["id"] == diff for copy in made["copies"]] == ["", ""]
    assert states(portal) == {
        (full, "disk-a"): "damaged",
        (full, "disk-b"): "damaged",
        (diff, "disk-a"): "verified",
        (diff, "disk-b"): "verified",
    }


def test_a_set_that_was_removed_by_hand_is_replicated_though_the_ledger_calls_it_verified(portal: Portal) -> None:
    with time_machine.travel(NOW, tick=True):
        older = portal.call("backup", "run")["set"]
    with time_machine.travel(NOW + timedelta(days=1), tick=True):
        newest = portal.call("backup", "run", "--full")["set"]
        shutil.rmtree(portal.folder / "disk-b" / newest)

        planned = portal.call("backup", "replicate", "--dry-run")
        assert [(each["set"], each["medium"]) for each in planned] == [(newest, "disk-b")]
        portal.call("backup", "replicate")

    assert (portal.folder / "disk-b" / newest / "set.json").exists()
    assert older != newest
    assert set(states(portal).values()) == {"verified"}


@pytest.mark.heavy
@pytest.mark.parametrize("loss", ["the folder", "one pack"])
def test_no_differential_is_built_on_a_base_that_no_medium_has(portal: Portal, loss: str) -> None:
    with time_machine.travel(NOW - timedelta(days=1), tick=True):
        older = portal.call("backup", "run", "--full")["set"]
    with time_machine.travel(NOW, tick=True):
        base = portal.call("backup", "run", "--full")["set"]
    for medium in ("disk-a", "disk-b"):
        place = portal.folder / medium / base
        if loss == "the folder":
            shutil.rmtree(place)
        else:
            next((place / "data").rglob("files.0001.age")).unlink()

    with time_machine.travel(NOW + timedelta(hours=1), tick=True):
        planned = portal.call("backup", "plan")
        refused = portal.call("backup", "run", "--diff", expected=ExitCode.FAILED)
        made = portal.call("backup", "run")["set"]

    assert older
    assert planned["kind"] == "full"
    assert "no differential can be made" in refused["error"]["message"]
    assert "-full-" in made


@pytest.mark.heavy
@pytest.mark.parametrize("rotten", [("disk-a", "disk-b"), ("disk-a",), ()], ids=["everywhere", "once", "nowhere"])
def test_prune_reads_what_stays_and_removes_nothing_where_it_is_rotten(portal: Portal, rotten: tuple[str, ...]) -> None:
    made = []
    for day in range(3):
        with time_machine.travel(NOW + timedelta(days=day), tick=True):
            made.append(portal.call("backup", "run", "--full")["set"])
    with time_machine.travel(NOW + timedelta(days=3), tick=True):
        portal.call("backup", "prune", "--trust-clock")
    for medium in rotten:
        rot(portal, medium, made[-1])

    with time_machine.travel(NOW + timedelta(days=60), tick=True):
        expected = ExitCode.INTEGRITY if len(rotten) == 2 else ExitCode.OK
        portal.call("backup", "prune", "--trust-clock", expected=expected)

    left = {path.name for path in (portal.folder / "disk-a").iterdir() if path.name.startswith("demo-")}
    assert left == ({*made} if len(rotten) == 2 else {made[-1]})
    for medium in rotten:
        assert states(portal)[made[-1], medium] == "damaged"


def lose(portal: Portal, set_name: str, pattern: str) -> None:
    """Remove files of a source's streams from both media."""
    for medium in ("disk-a", "disk-b"):
        for path in (portal.folder / medium / set_name / "data").rglob(f"settings/{pattern}"):
            path.unlink()


def changed_differential(portal: Portal) -> tuple[str, str, str]:
    """A file is changed, one is new, and one is gone; return the sets, and the folder's path in them."""
    (portal.folder / "settings" / "gone.ini").write_text("[gone]\n")
    full = portal.call("backup", "run")["set"]
    (portal.folder / "settings" / "portal.ini").write_text("[portal]\nnew = 1\n")
    (portal.folder / "settings" / "new.ini").write_text("[new]\n")
    (portal.folder / "settings" / "gone.ini").unlink()
    return full, portal.call("backup", "run", "--diff")["set"], str(portal.folder / "settings").strip("/")


def test_a_lost_list_of_what_was_removed_withholds_no_path(portal: Portal) -> None:
    _full, diff, top = changed_differential(portal)
    lose(portal, diff, "removed.*")

    new = restore(portal, "new", "--path", f"{top}/new.ini")
    gone = restore(portal, "gone", "--path", f"{top}/gone.ini", expected=ExitCode.PARTIAL)

    assert (new["files"], new["missing"], gone["files"], gone["missing"]) == (1, 0, 1, 1)
    assert "what was removed since the base is not known" in (portal.folder / "gone" / UNFINISHED).read_text()


def test_a_path_that_may_be_older_is_named(portal: Portal) -> None:
    full, diff, top = changed_differential(portal)
    lose(portal, diff, "files.*")

    restore(portal, "out", "--path", f"{top}/portal.ini", expected=ExitCode.PARTIAL)

    listed = (portal.folder / "out" / UNFINISHED).read_text()
    assert f"{top}/portal.ini\tmay be older, of set {full}" in listed


@pytest.mark.parametrize("lost", ["removed.*", "files.index.*"])
def test_a_restore_in_place_that_needs_a_lost_list_names_the_way_that_needs_none(portal: Portal, lost: str) -> None:
    _full, diff, _top = changed_differential(portal)
    lose(portal, diff, lost)
    (portal.folder / "in").mkdir()

    arguments = ("backup", "restore", "latest", "--source", "settings", "--into", str(portal.folder / "in"))
    refused = portal.call(*arguments, "--identity", portal.key, expected=ExitCode.INTEGRITY)["error"]

    assert "--to" in refused["hint"]


def test_prune_reads_each_set_that_a_count_is_filled_with(portal: Portal) -> None:
    portal.replace({"keep_last = 1": "keep_last = 2"})
    made = []
    for day in range(3):
        with time_machine.travel(NOW + timedelta(days=day), tick=True):
            made.append(portal.call("backup", "run", "--full")["set"])
    with time_machine.travel(NOW + timedelta(days=3), tick=True):
        portal.call("backup", "prune", "--trust-clock")
    for medium in ("disk-a", "disk-b"):
        rot(portal, medium, made[1])

    for day in (60, 61):  # in the second run the count is filled with sets that are whole
        with time_machine.travel(NOW + timedelta(days=day), tick=True):
            expected = ExitCode.INTEGRITY if day == 60 else ExitCode.OK
            portal.call("backup", "prune", "--trust-clock", expected=expected)
        left = {path.name for path in (portal.folder / "disk-a").iterdir() if path.name.startswith("demo-")}
        assert {made[0], made[2]} <= left


def test_a_base_whose_set_file_is_damaged_everywhere_is_called_damaged_and_not_missing(portal: Portal) -> None:
    full, _diff = set_and_differential(portal)
    for medium in ("disk-a", "disk-b"):
        path = portal.folder / medium / full / "set.json"
        path.write_text(path.read_text().replace('"kind"', '"kinb"', 1))

    refused = restore(portal, "out", expected=ExitCode.INTEGRITY)

    assert f"the base {full} of set" in refused["error"]["message"]
    assert "disk-a: set.json" in refused["error"]["message"]
    assert not (portal.folder / "out").exists()


def test_an_index_that_is_damaged_everywhere_is_named_and_nothing_is_missing(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    for medium in ("disk-a", "disk-b"):
        rotten = rot(portal, medium, made, "settings/files.index.age")

    found = restore(portal, "out")

    assert found["missing"] == 0
    assert any(rotten in line for line in found["damaged"])
    assert not list((portal.folder / "out").glob("RESTORE-*"))


def test_a_copy_that_a_person_has_read_is_recorded_and_the_job_is_due_as_before(portal: Portal) -> None:
    older = portal.call("backup", "run", "--full")["set"]
    portal.call("backup", "run", "--full")
    rot(portal, "disk-b", older)

    portal.call("backup", "verify", older, expected=ExitCode.INTEGRITY)

    assert states(portal)[older, "disk-b"] == "damaged"
    assert states(portal)[older, "disk-a"] == "verified"
    jobs = portal.call("run", "--due", "--dry-run")
    assert "weekly-verify" in [each["id"] for each in jobs]


def test_a_damaged_manifest_calls_no_pack_foreign(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    path = portal.folder / "disk-a" / made / "manifest-sha256.txt"
    path.write_bytes(path.read_bytes()[:-2] + b"x\n")

    looked = portal.call("backup", "verify", made, "--medium", "disk-a", expected=ExitCode.INTEGRITY)["data"]

    assert "not a part of the set" not in looked[0]["problem"]
    assert "manifest-sha256.txt" in looked[0]["problem"]


def test_a_damaged_index_of_a_base_is_named(portal: Portal) -> None:
    full, _diff = set_and_differential(portal)
    rotten = rot(portal, "disk-a", full, "files.index.age")

    found = restore(portal, "out")

    assert [(each["set"], each["medium"]) for each in found["faults"] if rotten in each["problem"]["text"]] == [
        (full, "disk-a")
    ]


@pytest.mark.parametrize("lost", ["a pack", "set.json", "the folder"])
def test_a_copy_that_lost_a_file_by_hand_is_made_anew(portal: Portal, lost: str) -> None:
    portal.call("backup", "run", "--full")
    made = portal.call("backup", "run", "--full")["set"]
    place = portal.folder / "disk-b" / made
    if lost == "the folder":
        shutil.rmtree(place)
    else:
        (next((place / "data").rglob("*.0001.age")) if lost == "a pack" else place / "set.json").unlink()

    planned = portal.call("backup", "replicate", "--dry-run")
    portal.call("backup", "replicate")

    assert [(each["set"], each["medium"], each["from"]) for each in planned] == [(made, "disk-b", "disk-a")]
    assert portal.call("backup", "replicate", "--dry-run") == []
    assert {copy["state"] for copy in portal.call("backup", "verify", made)} == {"verified"}


@pytest.mark.parametrize("gone", ["emptied", "renamed"])
def test_media_that_show_nothing_are_no_media_that_have_everything(portal: Portal, gone: str) -> None:
    portal.call("backup", "run")
    for medium in ("disk-a", "disk-b"):
        (portal.folder / medium).rename(portal.folder / f"{medium}-away")
        if gone == "emptied":
            (portal.folder / medium).mkdir()

    planned = portal.call("backup", "replicate", "--dry-run", expected=ExitCode.PARTIAL)
    portal.call("backup", "replicate", expected=ExitCode.PARTIAL)

    assert planned == []
    assert set(states(portal).values()) == {"verified"}, "nothing is known of them"


@pytest.mark.needs("setpriv")
def test_a_set_that_this_user_may_not_see_is_out_of_reach_and_stops_nothing(portal: Portal) -> None:
    """Without the capability even root asks for rights."""
    made = portal.call("backup", "run")["set"]
    (portal.folder / "disk-b" / made).chmod(0)
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    call = [*drop, sys.executable, "-c", MAIN, "--config", str(portal.folder / "portalops.toml"), "--json"]

    def answer(*arguments: str) -> tuple[int, Any]:
        done = subprocess.run(
            [*call, *arguments], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )
        return done.returncode, json.loads(done.stdout)

    try:
        assert answer("backup", "replicate", "--dry-run")[0] == ExitCode.PARTIAL
        looked = answer("backup", "verify", made)
        again = answer("backup", "run")
    finally:
        (portal.folder / "disk-b" / made).chmod(0o700)

    assert looked[0] == ExitCode.PARTIAL
    assert {copy["medium"]: copy["state"] for copy in looked[1]["data"]} == {"disk-a": "verified", "disk-b": "verified"}
    assert again[0] in {ExitCode.OK, ExitCode.PARTIAL}, again
    assert set(states(portal).values()) == {"verified"}


def test_a_set_under_the_name_of_another_is_not_restored_as_that(portal: Portal) -> None:
    full, diff = set_and_differential(portal)
    for medium in ("disk-a", "disk-b"):
        shutil.rmtree(portal.folder / medium / diff)
        (portal.folder / medium / full).rename(portal.folder / medium / diff)

    refused = restore(portal, "out", expected=ExitCode.INTEGRITY)

    assert f"it is of the set {full}" in refused["error"]["message"]
    assert not (portal.folder / "out").exists()


@pytest.mark.needs("setpriv")
@pytest.mark.skipif(os.geteuid() != 0, reason="gives up rights of root")
def test_a_root_that_may_not_read_what_it_restored_condemns_no_copy_and_leaves_nothing(portal: Portal) -> None:
    private = portal.folder / "settings" / "private.ini"
    private.write_text("secret\n", encoding="utf-8")
    private.chmod(0o600)
    os.chown(private, 12345, 12345)
    scratch = portal.folder / "scratch"
    scratch.mkdir()
    portal.replace({f'\nfolder = "{portal.folder}"\n': f'\nfolder = "{scratch}"\n'})
    portal.call("backup", "run")

    without = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", sys.executable, "-c", MAIN)
    options = ("--config", str(portal.folder / "portalops.toml"), "--lang", "en", "--json", "backup", "drill")
    done = subprocess.run([*without, *options], capture_output=True, check=False, cwd=Path(__file__).parents[2])

    tried = {each["id"]: each for each in json.loads(done.stdout)["data"]["trials"]}
    assert done.returncode == ExitCode.PARTIAL
    assert "private.ini: Permission denied" in tried["settings/files"]["not_tried"]
    assert "may not read what was restored" in tried["database/database"]["not_tried"]
    assert [each for trial in tried.values() for each in trial["problems"]] == []
    assert set(states(portal).values()) == {"verified"}
    assert list(scratch.iterdir()) == []
