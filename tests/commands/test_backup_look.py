"""`backup ls`, `find` and `diff`: what sets hold, which versions there are, and what differs; also as a stranger would try them."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
import time_machine

from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.backups.kit import NOW, keys
from tests.commands.test_backup import Portal
from tests.commands.test_damaged_copies import rot

ODD = "line\nbreak\u202egnp.exe"
RAW = b"not-utf8-\xff.ini"
BEGUN = NOW + timedelta(days=1000)
"""Ahead of the times of files: what is younger than its set is read anew."""


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    portal = Portal(tmp_path, capsys)
    portal.replace({"\n[backup.excused]": 'full_every = "month"\n\n[backup.excused]'})
    return portal


def top(portal: Portal) -> str:
    """The path of the source's folder in an index."""
    return str(portal.folder / "settings").strip("/")


def run_at(portal: Portal, day: int, kind: str) -> str:
    with time_machine.travel(BEGUN + timedelta(days=day), tick=True):
        return str(portal.call("backup", "run", f"--{kind}")["set"])


def full_and_differential(portal: Portal) -> tuple[str, str]:
    """In the differential portal.ini is another one, old.ini is gone, and new.ini is there."""
    (portal.folder / "settings" / "old.ini").write_text("[old]\n")
    (portal.folder / "settings" / "kept.ini").write_text("[kept]\n")
    full = run_at(portal, 0, "full")
    (portal.folder / "settings" / "old.ini").unlink()
    (portal.folder / "settings" / "portal.ini").write_text("[portal]\nnew = 1\n")
    (portal.folder / "settings" / "new.ini").write_text("[new]\n")
    return full, run_at(portal, 1, "diff")


def ls(portal: Portal, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
    return portal.call("backup", "ls", *arguments, "--identity", portal.key, expected=expected)


def find(portal: Portal, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
    return portal.call("backup", "find", *arguments, "--identity", portal.key, expected=expected)


def diff(portal: Portal, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
    return portal.call("backup", "diff", *arguments, "--identity", portal.key, expected=expected)


def names(listed: Any) -> list[str]:
    return [each["path"].rpartition("/")[2] for each in listed["paths"]]


def shown(portal: Portal, *arguments: str, expected: ExitCode = ExitCode.OK) -> str:
    assert run(["--config", str(portal.folder / "portalops.toml"), *arguments], {}) == expected
    return portal.output()


def test_without_a_key_ls_shows_what_lies_in_clear_and_names_the_key(portal: Portal) -> None:
    portal.call("backup", "run")

    found = portal.call("backup", "ls", "latest")

    assert (found["paths"], found["count"]) == (None, None)
    assert {each["name"] for each in found["opened_by"]} == {"operator", "escrow"}
    streams = {each["source"]: each for each in found["streams"]}
    assert streams["database"]["tables"]
    assert streams["settings"]["members"] == 2
    refused = portal.call("backup", "ls", "latest", "etc", expected=ExitCode.USAGE)["error"]
    assert "encrypted" in refused["message"]
    assert "operator or escrow" in refused["hint"]
    assert "operator or escrow" in shown(portal, "backup", "ls", "latest")


def test_ls_shows_a_folders_own_level_and_a_differential_as_it_stands(portal: Portal) -> None:
    full, differential = full_and_differential(portal)

    (first,) = ls(portal, full, "--source", "settings")["paths"]
    assert (first["path"], first["member"]) == (top(portal).partition("/")[0], None)
    assert names(ls(portal, full, top(portal))) == ["kept.ini", "old.ini", "portal.ini"]
    for path in (top(portal), f"/{top(portal)}/"):
        assert names(ls(portal, differential, path)) == ["kept.ini", "new.ini", "portal.ini"]
    (one,) = ls(portal, differential, f"{top(portal)}/portal.ini")["paths"]
    assert one["member"]["size"] == len("[portal]\nnew = 1\n")
    below = ls(portal, full, "--recursive", "--source", "settings")
    assert names(below) == ["settings", "kept.ini", "old.ini", "portal.ini"]
    assert names(ls(portal, differential, "*.ini")) == ["kept.ini", "new.ini", "portal.ini"]
    few = ls(portal, differential, "*.ini", "--limit", "1")
    assert (len(few["paths"]), few["count"]) == (1, 3)


def test_names_of_files_reach_a_terminal_escaped_and_a_program_whole(portal: Portal) -> None:
    (portal.folder / "settings" / ODD).write_text("odd")
    with open(os.fsencode(portal.folder / "settings") + b"/" + RAW, "w") as file:
        file.write("raw")
    portal.call("backup", "run")

    text = shown(portal, "backup", "ls", "latest", top(portal), "--identity", portal.key, "--long")
    assert "\u202e" not in text
    assert "line\\nbreak" in text
    assert "0644" not in text
    assert "-rw-r--r--" in text
    found = {each["path"]: each["path_hex"] for each in ls(portal, "latest", top(portal))["paths"]}
    assert found[f"{top(portal)}/{ODD}"] is None
    assert (os.fsencode(top(portal)) + b"/" + RAW).hex() in found.values()
    assert find(portal, ODD)["count"] == 1
    assert "\u202e" not in shown(portal, "backup", "find", "line*", "--identity", portal.key)
    (portal.folder / "settings" / ODD).write_text("changed")
    text = shown(
        portal,
        "backup",
        "diff",
        "latest",
        "--live",
        "--source",
        "settings",
        "--identity",
        portal.key,
        expected=ExitCode.UNMET,
    )
    assert "\u202e" not in text
    assert "content changed" in text


def test_find_shows_each_content_once_with_the_sets_that_hold_it(portal: Portal) -> None:
    full, differential = full_and_differential(portal)
    later = run_at(portal, 2, "diff")

    found = find(portal, "*.ini")

    seen = [
        (each["path"].rpartition("/")[2], each["newest"], each["oldest"], each["sets"]) for each in found["versions"]
    ]
    assert seen == [
        ("kept.ini", later, full, 3),
        ("new.ini", later, differential, 2),
        ("old.ini", full, full, 1),
        ("portal.ini", later, differential, 2),
        ("portal.ini", full, full, 1),
    ]
    assert found["searched"] == 3
    assert [each["newest"] for each in find(portal, "old.ini")["versions"]] == [full]
    assert find(portal, "old.ini", "--set", differential, expected=ExitCode.UNMET)["count"] == 0
    assert find(portal, "kept.ini", "--set", differential)["count"] == 1
    day = (BEGUN + timedelta(days=1)).date().isoformat()
    assert find(portal, "kept.ini", "--since", day)["versions"][0]["sets"] == 2
    assert find(portal, "kept.ini", "--source", "accounts", expected=ExitCode.UNMET)["count"] == 0
    assert find(portal, f"{top(portal)}/kept.ini")["count"] == 1


def test_ls_find_and_diff_read_no_pack_with_contents(portal: Portal) -> None:
    full, differential = full_and_differential(portal)
    for pack in portal.folder.rglob("data/*/*/*.0001.age"):
        if not pack.name.startswith("removed"):
            pack.unlink()

    assert find(portal, "*.ini")["count"] == 5
    assert names(ls(portal, differential, "*.ini")) == ["kept.ini", "new.ini", "portal.ini"]
    assert diff(portal, full, differential, "--source", "settings", expected=ExitCode.UNMET)["count"] >= 3


def test_diff_names_what_was_added_removed_and_changed(portal: Portal) -> None:
    full, differential = full_and_differential(portal)
    os.chmod(portal.folder / "settings" / "kept.ini", 0o600)
    later = run_at(portal, 2, "diff")

    found = diff(portal, full, later, "--source", "settings", expected=ExitCode.UNMET)

    changes = {each["path"].rpartition("/")[2]: each["change"] for each in found["paths"]}
    assert changes == {
        "settings": "attributes",
        "kept.ini": "attributes",
        "new.ini": "added",
        "old.ini": "removed",
        "portal.ini": "content",
    }
    (stream,) = found["streams"]
    assert (stream["added"], stream["removed"], stream["content"], stream["attributes"]) == (1, 1, 1, 2)
    backwards = diff(portal, later, full, "--source", "settings", expected=ExitCode.UNMET)
    assert {each["path"].rpartition("/")[2]: each["change"] for each in backwards["paths"]}["old.ini"] == "added"
    same = diff(portal, differential, differential)
    assert (same["same"], same["unknown"]) == (True, [])


def test_diff_with_what_is_there_now(portal: Portal) -> None:
    full_and_differential(portal)
    same = diff(portal, "latest", "--live", "--source", "settings")
    assert "extended-attributes" in same["not_compared"]
    assert (same["same"], same["after"]) == (True, "live")
    whole = diff(portal, "latest", "--live", expected=ExitCode.UNMET)
    assert [each["what"] for each in whole["unknown"]] == ["database"]
    assert {each["source"] for each in whole["paths"]} == {"ledger"}  # the run itself was recorded after its set
    diff(portal, "latest", "--live", "--source", "database", expected=ExitCode.PARTIAL)

    status = (portal.folder / "settings" / "kept.ini").stat()
    (portal.folder / "settings" / "kept.ini").write_text("[tepk]\n")
    os.utime(portal.folder / "settings" / "kept.ini", ns=(status.st_atime_ns, status.st_mtime_ns))
    found = diff(portal, "latest", "--live", "--source", "settings", expected=ExitCode.UNMET)
    assert [(each["path"].rpartition("/")[2], each["change"]) for each in found["paths"]] == [("kept.ini", "content")]


def test_diff_with_what_is_there_now_names_a_command_that_failed_behind_it(portal: Portal) -> None:
    portal.call("backup", "run")
    portal.replace({'id = "settings"': 'id = "settings"\nafter = ["false"]'})

    found = diff(portal, "latest", "--live", "--source", "settings", expected=ExitCode.PARTIAL)

    assert found["same"]
    assert [each["what"] for each in found["unknown"]] == ["settings/files"]


@pytest.mark.parametrize("pattern", ["", "/", "//", "a\0b"])
def test_an_empty_pattern_is_refused(portal: Portal, pattern: str) -> None:
    portal.call("backup", "run")
    refused = find(portal, pattern, expected=ExitCode.USAGE)["error"]
    assert "PATTERN is empty" in refused["message"]
    if not pattern:
        assert "PATH is empty" in ls(portal, "latest", pattern, expected=ExitCode.USAGE)["error"]["message"]


@pytest.mark.parametrize(("pattern", "count"), [("*", 3), ("[", 1), ("[[]", 1), ("[b", 0), ("portal.ini/", 1)])
def test_signs_of_patterns_are_no_trap(portal: Portal, pattern: str, count: int) -> None:
    (portal.folder / "settings" / "[").write_text("bracket")
    portal.call("backup", "run")
    found = find(portal, pattern, "--source", "settings", expected=ExitCode.OK if count else ExitCode.UNMET)
    assert found["count"] == count
    listed = ls(portal, "latest", f"{top(portal)}/[", "--source", "settings")
    assert names(listed) == ["["]


def test_a_set_of_another_key_is_named_by_each(portal: Portal, tmp_path: Path) -> None:
    made = portal.call("backup", "run")["set"]
    stranger = tmp_path / "stranger.age"
    stranger.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    own, portal.key = portal.key, str(stranger)

    assert "not one of the 2 keys" in ls(portal, "latest", expected=ExitCode.FAILED)["error"]["message"].lower()
    assert "error" in ls(portal, "latest", expected=ExitCode.FAILED)
    assert "error" in diff(portal, made, made, expected=ExitCode.FAILED)
    found = find(portal, "*", expected=ExitCode.FAILED)["data"]
    assert [each["what"] for each in found["unknown"]] == [made]
    portal.key = own
    assert find(portal, "portal.ini")["count"] == 1


def test_an_index_that_is_damaged_on_one_medium_is_read_from_the_other_and_named(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    rot(portal, "disk-a", made, "settings/files.index.age")

    for found in (ls(portal, made, top(portal)), find(portal, "portal.ini")):
        assert found["count"] == 1
        assert found["unknown"] == []
    assert "disk-a" in " ".join(warnings_of(portal, "backup", "find", "portal.ini", "--identity", portal.key))


def warnings_of(portal: Portal, *arguments: str) -> list[str]:
    import json

    run(["--config", str(portal.folder / "portalops.toml"), "--json", *arguments], {})
    return [str(each) for each in json.loads(portal.output())["warnings"]]


def test_an_index_that_no_medium_has_leaves_a_part_unknown(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    for medium in ("disk-a", "disk-b"):
        rot(portal, medium, made, "settings/files.index.age")

    assert [each["what"] for each in ls(portal, made, expected=ExitCode.PARTIAL)["unknown"]] == ["settings/files"]
    assert ls(portal, made, "no/such", expected=ExitCode.PARTIAL)["count"] == 0
    found = find(portal, "passwd", expected=ExitCode.PARTIAL)
    assert (found["count"], [each["what"] for each in found["unknown"]]) == (1, [made])
    said = shown(portal, "backup", "find", "x*", "--identity", portal.key, "--lang", "en", expected=ExitCode.PARTIAL)
    assert "no path found fits x*, and not everything could be searched" in said
    compared = diff(portal, made, made, expected=ExitCode.PARTIAL)
    assert compared["same"] and [each["what"] for each in compared["unknown"]] == ["settings/files"]


def test_a_set_on_one_of_two_media_is_looked_into_all_the_same(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    shutil.rmtree(portal.folder / "disk-a" / made)

    assert names(ls(portal, made, top(portal))) == ["portal.ini"]
    assert find(portal, "portal.ini")["count"] == 1
    assert "error" in ls(portal, made, "--medium", "disk-a", expected=ExitCode.FAILED)


def test_a_differential_without_its_base_shows_its_own_and_says_what_is_missing(portal: Portal) -> None:
    full, differential = full_and_differential(portal)
    for medium in ("disk-a", "disk-b"):
        shutil.rmtree(portal.folder / medium / full)

    listed = ls(portal, differential, "*.ini", expected=ExitCode.PARTIAL)
    assert names(listed) == ["new.ini", "portal.ini"]
    assert full in listed["unknown"][0]["problem"]["text"]
    found = find(portal, "*.ini", expected=ExitCode.PARTIAL)
    assert {each["path"].rpartition("/")[2] for each in found["versions"]} == {"new.ini", "portal.ini"}
    assert {each["what"] for each in found["unknown"]} == {full, differential}
    compared = diff(portal, differential, differential, "--source", "settings", expected=ExitCode.PARTIAL)
    assert [each["what"] for each in compared["unknown"]] == ["settings/files"]


def test_what_is_not_there_is_named(portal: Portal) -> None:
    assert "error" in ls(portal, "latest", expected=ExitCode.FAILED)
    assert "error" in find(portal, "*", expected=ExitCode.FAILED)
    portal.call("backup", "run")
    assert "no path" in ls(portal, "latest", "no/such", expected=ExitCode.FAILED)["error"]["message"]
    assert "no source" in ls(portal, "latest", "--source", "nobody", expected=ExitCode.FAILED)["error"]["message"]
    assert (
        "neither side has a source nobody"
        in diff(portal, "latest", "latest", "--source", "nobody", expected=ExitCode.FAILED)["error"]["message"]
    )
    assert "second side" in diff(portal, "latest", expected=ExitCode.USAGE)["error"]["message"]
    assert "error" in diff(portal, "latest", "demo-19990101", expected=ExitCode.FAILED)
    assert "error" in find(portal, "x", "--since", "yesterday", expected=ExitCode.USAGE)
    assert "error" in find(portal, "x", "--since", "2030-01-01", expected=ExitCode.FAILED)


def test_a_plan_shows_what_a_year_takes_and_what_is_unknown(portal: Portal) -> None:
    portal.replace(
        {'full_every = "month"': "full_every = 10", 'kind = "backup"\nevery = "week"': 'kind = "backup"\nevery = "day"'}
    )
    assert {each["stored_bytes"] for each in portal.call("backup", "plan")["year"]} == {None}
    full_and_differential(portal)

    year = {each["full_every"]: each for each in portal.call("backup", "plan")["year"]}

    assert list(year) == [None, "week", "month", "P10D"]
    assert [each["full_every"] for each in year.values() if each["configured"]] == ["P10D"]
    assert year[None]["fulls"] == 365
    assert 0 < year["P10D"]["stored_bytes"] <= year[None]["stored_bytes"]
    assert "every 10 days" in shown(portal, "backup", "plan")


def test_sets_are_searched_where_no_ledger_is_left(portal: Portal) -> None:
    made = portal.call("backup", "run")["set"]
    shutil.rmtree(portal.folder / "state")

    assert find(portal, "portal.ini")["versions"][0]["newest"] == made
    assert names(ls(portal, "latest", top(portal))) == ["portal.ini"]
    assert keys().public


def test_a_further_name_of_a_file_has_the_content_of_its_first(portal: Portal) -> None:
    settings = portal.folder / "settings"
    for name in ("h1", "same"):
        (settings / f"{name}.ini").write_text("old")
    for name in ("h2.ini", "h3.ini"):
        os.link(settings / "h1.ini", settings / name)
    oldest = run_at(portal, 0, "full")
    with (settings / "h1.ini").open("w") as file:
        file.write("another")
    os.link(settings / "same.ini", settings / "another name of same.ini")
    for day, kind in ((1, "diff"), (2, "full")):
        newest = run_at(portal, day, kind)

        found = {
            each["path"].rpartition("/")[2]: each["change"]
            for each in diff(portal, oldest, newest, "--source", "settings", expected=ExitCode.UNMET)["paths"]
        }

        assert found.pop("settings", "attributes") == "attributes"
        assert found == {
            "h1.ini": "content",
            "h2.ini": "content",
            "h3.ini": "content",
            "another name of same.ini": "added",
        }
        assert diff(portal, newest, "--live", "--source", "settings")["paths"] == []
    for name, count in (("same.ini", 1), ("h1.ini", 2), ("h2.ini", 2), ("h3.ini", 2)):
        versions = find(portal, name)["versions"]
        assert len(versions) == count
        assert {each["type"] for each in versions} == {"file"}
        assert {each["size"] for each in versions} <= {3, 7}


@pytest.mark.parametrize("verb", [("ls", "latest"), ("show", "latest"), ("verify", "latest"), ("ls", "demo-2026")])
def test_before_the_first_set_there_is_none_to_look_into(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str, ...]
) -> None:
    answer = Portal(tmp_path, capsys).call("backup", *verb, expected=ExitCode.FAILED)

    assert answer["error"]["message"] == "no backup set is recorded yet"
    assert "'portalops backup run' makes one" in answer["error"]["hint"]
