"""Backups from the command line, on a small portal of its own."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backups.set_file import VERSION
from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.backups.kit import keys, sample_database
from tests.backups.test_kept_sets import of_version
from tests.shapes import validate

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng", en = "Portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.excused]
documents = "in the content"
channels = "in the content"

[[backup.source]]
id = "settings"
kind = "files"
class = "configuration"
include = ["settings"]

[[backup.source]]
id = "accounts"
kind = "accounts"
class = "accounts"
root = "root"

[[backup.source]]
id = "database"
kind = "sqlite"
class = "content"
database = "portal.sqlite"

[[backup.source]]
id = "ledger"
kind = "ledger"
class = "related"

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"
create = true
allow_same_filesystem = true

[[backup.medium]]
id = "disk-b"
kind = "disk"
folder = "disk-b"
create = true
allow_same_filesystem = true

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"

[[job]]
id = "weekly-verify"
kind = "verify"
every = "week"
duty = "10.2"
"""


class Portal:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        (operator, escrow) = (key for _name, key in keys().public)
        (folder / "portalops.toml").write_text(CONFIGURATION.format(operator=operator, escrow=escrow))
        (folder / "settings").mkdir()
        (folder / "settings" / "portal.ini").write_text("[portal]\n")
        (folder / "root" / "etc").mkdir(parents=True)
        (folder / "root" / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
        (folder / "root" / "etc" / "group").write_text("root:x:0:\n")
        sample_database(folder / "portal.sqlite", 30)
        self.key = str(keys().file(folder))

    def call(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        code = run(["--config", str(self.folder / "portalops.toml"), "--json", *arguments], {})
        output = json.loads(self._capsys.readouterr().out)
        assert code == expected, output
        if arguments[0] == "backup" and output["error"] is None:
            validate(" ".join(arguments[:2]), output["data"])
        return output["data"] if expected in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL} else output

    def answer(self, *arguments: str) -> tuple[int, Any]:
        """Return the exit code, whatever it is, and the whole envelope."""
        code = run(["--config", str(self.folder / "portalops.toml"), "--json", "--lang", "en", *arguments], {})
        return code, json.loads(self._capsys.readouterr().out)

    def output(self) -> str:
        return self._capsys.readouterr().out

    def both(self) -> str:
        """Return what was printed on standard output and standard error."""
        return "".join(self._capsys.readouterr())

    def replace(self, changes: Mapping[str, str]) -> None:
        path = self.folder / "portalops.toml"
        text = path.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    return Portal(tmp_path, capsys)


def test_the_whole_way_from_plan_to_restore(portal: Portal) -> None:
    planned = portal.call("backup", "plan")
    assert planned["unmapped"] == []
    again = portal.call("backup", "run", "--dry-run")
    assert [{**each, "media": []} for each in (again, planned)] == [{**planned, "media": []}] * 2
    assert not (portal.folder / "disk-a").exists()
    known = {each["id"]: each["known_from"] for each in planned["sources"]}
    assert known == {"settings": "walk", "accounts": "walk", "database": "walk", "ledger": "unknown"}
    assert all(each["free_bytes"] > 0 and not each["problem"] for each in planned["media"])

    done = portal.call("backup", "run")
    later = portal.call("backup", "plan")
    assert ({each["known_from"] for each in later["sources"]}, later["stored_bytes_known"]) == ({"last-set"}, True)
    assert [copy["state"] for copy in done["copies"]] == ["verified", "verified"]

    (listed,) = portal.call("backup", "list")
    assert (listed["id"], listed["outcome"]) == (done["set"], "complete")
    shown = portal.call("backup", "show", done["set"][:30])
    assert {stream["source"] for stream in shown["streams"]} == {"settings", "accounts", "database", "ledger"}

    looked = portal.call("backup", "verify")
    assert [copy["state"] for copy in looked] == ["verified", "verified"]
    (one,) = portal.call("backup", "verify", "latest", "--medium", "disk-b", "--identity", portal.key)
    assert one["medium"] == "disk-b"

    report = portal.call("backup", "restore", "latest", "--to", str(portal.folder / "out"), "--identity", portal.key)
    assert (report["damaged"], report["refused"]) == ([], [])
    assert (report["set"], report["folder"]) == (done["set"], str(portal.folder / "out"))
    with closing(sqlite3.connect(portal.folder / "out" / "database" / "database.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (30,)


def test_a_plan_names_what_its_size_leaves_out(portal: Portal) -> None:
    run(["--config", str(portal.folder / "portalops.toml"), "backup", "plan"], {})

    page = portal.output()

    assert re.search(r"Not counted, since its size is unknown: +ledger\n", page)
    assert "Space of what is known, at most" in page and "Packs, at least" in page


def test_a_set_is_one_row_of_the_list_and_a_medium_that_lacks_it_gets_a_next_step(portal: Portal) -> None:
    portal.replace({'folder = "disk-b"\ncreate = true': 'folder = "disk-b"'})
    command = ["--config", str(portal.folder / "portalops.toml")]

    assert run([*command, "backup", "run"], {}) == ExitCode.PARTIAL
    assert "'portalops media check disk-b' tries the medium" in portal.output()
    assert run([*command, "media", "check", "disk-b"], {}) == ExitCode.PARTIAL
    assert "Make the folder, or set create = true" in portal.output()
    run([*command, "backup", "list"], {})
    page = portal.output()

    (line,) = [line for line in page.splitlines() if line.startswith("demo-")]
    assert re.search(r" disk-a +disk-b: not written$", line.rstrip())
    assert "unsigned" in page


def test_a_verification_with_a_key_says_that_it_looked_inside(portal: Portal) -> None:
    portal.call("backup", "run")
    command = ["--config", str(portal.folder / "portalops.toml"), "backup", "verify", "latest"]

    run([*command, "--identity", portal.key], {})
    inside = portal.output()
    run(command, {})

    assert "was decrypted, and compared with the index" in inside
    assert "was decrypted" not in portal.output()


def test_a_copy_that_cannot_be_reached_is_not_shown_as_verified(portal: Portal) -> None:
    portal.call("backup", "run")
    (portal.folder / "disk-b").rename(portal.folder / "away")
    command = ["--config", str(portal.folder / "portalops.toml")]

    assert run([*command, "backup", "verify", "latest", "--medium", "disk-b"], {}) == ExitCode.PARTIAL
    page = portal.output()
    assert "was decrypted" not in page
    assert "1 copy of set demo-" in page and "not reached" in page
    (portal.folder / "disk-b").mkdir()
    assert run([*command, "media", "check", "disk-b"], {}) == ExitCode.PARTIAL
    assert "replaces it on purpose, record that: 'portalops media replace disk-b'" in portal.output()


def test_a_damaged_copy_is_found_and_the_other_one_restores(portal: Portal) -> None:
    done = portal.call("backup", "run")
    pack = portal.folder / "disk-a" / done["set"] / "data/content/database/database.0001.age"
    pack.write_bytes(pack.read_bytes()[:-1])

    looked = portal.call("backup", "verify", expected=ExitCode.INTEGRITY)["data"]
    assert {copy["medium"]: copy["state"] for copy in looked} == {"disk-a": "damaged", "disk-b": "verified"}
    assert "database.0001.age" in next(copy["problem"] for copy in looked if copy["medium"] == "disk-a")
    (listed,) = portal.call("backup", "list")
    assert [copy["state"] for copy in listed["copies"]] == ["damaged", "verified"]

    to = str(portal.folder / "out")
    report = portal.call("backup", "restore", "latest", "--to", to, "--identity", portal.key)
    assert report["damaged"] == []
    to = str(portal.folder / "out2")
    arguments = ("backup", "restore", "latest", "--to", to, "--identity", portal.key, "--medium", "disk-a")
    assert any("database" in line for line in portal.call(*arguments, expected=ExitCode.PARTIAL)["damaged"])


def test_a_set_restores_where_the_ledger_is_lost(portal: Portal) -> None:
    portal.call("backup", "run")
    portal.replace({'folder = "state"': 'folder = "new-state"'})

    to = str(portal.folder / "out")
    portal.call("backup", "restore", "latest", "--to", to, "--identity", portal.key, "--path", "etc/passwd")

    assert (portal.folder / "out" / "accounts" / "etc" / "passwd").read_text().startswith("root:")


def test_a_failed_source_makes_it_partial_and_is_named(portal: Portal) -> None:
    (portal.folder / "portal.sqlite").unlink()

    done = portal.call("backup", "run", expected=ExitCode.PARTIAL)

    assert any("database" in problem for problem in done["problems"])
    assert portal.call("backup", "list")[0]["outcome"] == "incomplete"


def test_a_class_without_a_source_is_unmet_in_the_plan(portal: Portal) -> None:
    portal.replace({'channels = "in the content"\n': ""})

    assert portal.call("backup", "plan", expected=ExitCode.UNMET)["unmapped"] == ["channels"]


@pytest.mark.parametrize("command", [("backup", "run"), ("backup", "plan"), ("run",), ("config", "check")])
@pytest.mark.parametrize("second", ["", "{operator}", "{mistyped}", "AGE-SECRET-KEY-1QQQ"])
def test_recipients_that_open_no_set_are_refused_before_a_ledger_begins(
    portal: Portal, command: tuple[str, ...], second: str
) -> None:
    (operator, escrow) = (key for _name, key in keys().public)
    mistyped = escrow[:-1] + ("q" if escrow[-1] != "q" else "p")
    key = second.format(operator=operator, mistyped=mistyped)
    portal.replace({escrow: key} if key else {f', {{ name = "escrow", key = "{escrow}" }}': ""})
    before = sorted(portal.folder.rglob("*"))

    said = portal.call(*command, expected=ExitCode.CONFIGURATION)

    problem = said["data"][0] if command[0] == "config" else said["error"]
    assert "recipient" in problem["message"] or "age public key" in problem["message"]
    assert problem["hint"] and "AGE-SECRET" not in json.dumps(said)
    assert sorted(portal.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {'timezone = "Asia/Ho_Chi_Minh"\n': 'timezone = "Asia/Ho_Chi_Minh"\nrulebook = "hanoi"\n'},
            ExitCode.CONFIGURATION,
        ),
        ({"[backup.excused]": '[backup.retention]\nkeep_last = "five"\n[backup.excused]'}, ExitCode.CONFIGURATION),
    ],
)
def test_a_backup_that_cannot_begin_leaves_no_ledger(
    portal: Portal, changes: Mapping[str, str], expected: ExitCode
) -> None:
    portal.replace(changes)

    assert portal.call("backup", "run", expected=expected)["error"]["hint"]

    assert not list(portal.folder.rglob("ledger.sqlite"))


def test_what_a_person_asks_for_needs_no_job(portal: Portal) -> None:
    text = (portal.folder / "portalops.toml").read_text()
    (portal.folder / "portalops.toml").write_text(text[: text.index("[[job]]")])

    made = portal.call("backup", "run")
    portal.call("backup", "verify")
    portal.call("backup", "replicate")
    drilled = portal.call("backup", "drill", "--identity", portal.key)

    assert made["id"] == "backup"
    assert drilled["copies"]


def test_what_a_set_lacks_is_named_by_all_that_read_it(portal: Portal) -> None:
    portal.replace({'id = "settings"': 'id = "settings"\nbefore = ["false"]'})
    portal.call("backup", "run", expected=ExitCode.PARTIAL)

    listed = portal.call("backup", "show", "latest")
    assert any(each.startswith("settings: ") for each in listed["failed"])
    for arguments in (
        ("backup", "ls", "latest"),
        ("backup", "restore", "latest", "--to", str(portal.folder / "out"), "--identity", portal.key),
        ("backup", "drill", "--identity", portal.key),
    ):
        assert run(["--config", str(portal.folder / "portalops.toml"), *arguments], {}) == ExitCode.OK
        said = portal.both()
        assert "is incomplete: settings: " in said, (arguments, said)


def test_a_refusal_for_too_few_recipients_is_recorded_in_a_ledger_that_is_there(portal: Portal) -> None:
    portal.call("backup", "run")
    escrow = keys().public[1][1]
    portal.replace({f', {{ name = "escrow", key = "{escrow}" }}': ""})

    portal.call("backup", "run", expected=ExitCode.CONFIGURATION)

    kinds = [record["kind"] for record in portal.call("ledger", "show")]
    assert (kinds.count("backup.finished"), kinds[-1]) == (2, "backup.finished")


def test_nothing_is_listed_before_the_first_run(portal: Portal) -> None:
    assert portal.call("backup", "list") == []
    error = portal.call("backup", "show", expected=ExitCode.FAILED)["error"]
    assert error["code"] == "PO1205"


def test_a_wrong_key_and_a_full_folder_are_refused(portal: Portal) -> None:
    portal.call("backup", "run")
    to = str(portal.folder / "settings")

    error = portal.call("backup", "restore", "latest", "--to", to, "--identity", portal.key, expected=ExitCode.FAILED)
    assert error["error"]["code"] == "PO1207"
    missing = str(portal.folder / "no-key")
    error = portal.call("backup", "restore", "latest", "--to", to, "--identity", missing, expected=ExitCode.FAILED)
    assert error["error"]["code"] == "PO1206"


@pytest.mark.parametrize("arguments", [("plan",), ("run",), ("list",), ("show",), ("verify",)])
def test_people_read_the_same_in_both_languages(
    portal: Portal, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    portal.call("backup", "run")

    for language in ("vi", "en"):
        code = run(
            ["--config", str(portal.folder / "portalops.toml"), "--quiet", "--lang", language, "backup", *arguments], {}
        )
        assert code == ExitCode.OK
        assert "disk-a" in capsys.readouterr().out


def sign_by(portal: Portal, *, comment: str = "portal") -> str:
    """Make a signing key, as a person would, and configure it; return its fingerprint."""
    key = portal.folder / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)], check=True)
    portal.replace({"[backup]\n": '[signing]\nkey = "signing"\n\n[backup]\n'})
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, text=True, check=True)
    return shown.stdout.split()[1]


def test_with_a_signing_key_the_set_is_signed_and_says_by_whom(portal: Portal) -> None:
    key = sign_by(portal)

    done = portal.call("backup", "run")

    assert done["signed_by"] == key
    assert portal.call("backup", "show")["signed_by"] == key
    assert [copy["signed_by"] for copy in portal.call("backup", "verify")] == [key, key]
    assert (portal.folder / "disk-a" / done["set"] / "set.json.sig").is_file()


def test_without_a_signing_key_the_set_is_said_to_be_unsigned(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    assert portal.call("backup", "run")["signed_by"] is None

    run(["--config", str(portal.folder / "portalops.toml"), "--quiet", "--lang", "en", "backup", "verify"], {})

    assert "is unsigned: only the ledger shows" in capsys.readouterr().out


def test_a_set_by_a_key_that_the_ledger_does_not_know_is_damaged(portal: Portal) -> None:
    """The set is the recorded one to the byte; what was changed is the ledger, so that it knows another key."""
    sign_by(portal)
    portal.call("backup", "run")
    ledger = portal.folder / "state" / "ledger.sqlite"
    with closing(sqlite3.connect(ledger)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM record WHERE kind = 'key.added'")
        connection.commit()

    looked = portal.call("backup", "verify", "latest", "--medium", "disk-a", expected=ExitCode.INTEGRITY)["data"]

    assert looked[0]["state"] == "damaged"
    assert "no key of this ledger" in looked[0]["problem"]


@pytest.mark.parametrize("reason", ["readable by others", "another key"])
def test_a_key_that_cannot_be_had_leaves_the_set_unsigned_and_is_told(portal: Portal, reason: str) -> None:
    sign_by(portal)
    if reason == "another key":
        portal.call("backup", "run")
        (portal.folder / "signing").unlink()
        portal.replace({'[signing]\nkey = "signing"\n\n': ""})
        sign_by(portal)
    else:
        (portal.folder / "signing").chmod(0o644)

    done = portal.call("backup", "run", expected=ExitCode.PARTIAL)

    assert (done["outcome"], done["signed_by"]) == ("complete", None)
    assert any(problem.startswith("the set is unsigned: ") for problem in done["problems"]), done["problems"]
    assert [copy["state"] for copy in done["copies"]] == ["verified", "verified"]


def test_where_the_ledger_is_lost_the_key_of_the_set_is_told(portal: Portal) -> None:
    key = sign_by(portal)
    done = portal.call("backup", "run")
    portal.replace({'folder = "state"': 'folder = "new-state"'})
    arguments = ["backup", "restore", "latest", "--to", str(portal.folder / "out"), "--identity", portal.key]

    code = run(["--config", str(portal.folder / "portalops.toml"), "--json", *arguments], {})
    warnings = json.loads(portal.output())["warnings"]

    assert code == ExitCode.OK
    assert any(f"set {done['set']} is signed by the key {key}" in str(line) for line in warnings), warnings


def test_a_full_set_a_week_and_what_has_changed_between(portal: Portal, tmp_path: Path) -> None:
    portal.replace({"[backup]\n": '[backup]\nfull_every = "week"\n'})
    planned = portal.call("backup", "plan")
    assert (planned["kind"], planned["base"], planned["reason"]["text"]) == ("full", None, "no full set is recorded")
    full = portal.call("backup", "run")["set"]
    (portal.folder / "settings" / "portal.ini").unlink()
    (portal.folder / "settings" / "new.ini").write_text("[new]\n")

    assert portal.call("backup", "run", "--dry-run")["base"] == full
    diff = portal.call("backup", "run")["set"]

    assert [(made["id"], made["kind"], made["base"]) for made in portal.call("backup", "list")] == [
        (full, "full", None),
        (diff, "diff", full),
    ]
    assert "-diff-" in diff
    portal.call("backup", "restore", "latest", "--to", str(tmp_path / "out"), "--identity", portal.key)
    settings = tmp_path / "out" / "settings" / str(portal.folder / "settings").strip("/")
    assert [path.name for path in settings.iterdir()] == ["new.ini"]
    assert "-full-" in portal.call("backup", "run", "--full")["set"]


def test_a_differential_needs_its_base_to_restore(portal: Portal, tmp_path: Path) -> None:
    portal.replace({"[backup]\n": '[backup]\nfull_every = "week"\n'})
    full = portal.call("backup", "run")["set"]
    portal.call("backup", "run", "--diff")
    for name in ("disk-a", "disk-b"):
        (portal.folder / name / full).rename(portal.folder / f"{name}-taken-away")
    restoring = ("backup", "restore", "latest", "--to", str(tmp_path / "out"), "--identity", portal.key)

    refused = portal.call(*restoring, expected=ExitCode.FAILED)
    assert f"needs its base {full}, which was not found" in refused["error"]["message"]
    assert not (tmp_path / "out").exists()

    (portal.folder / "disk-b-taken-away").rename(portal.folder / "disk-b" / full)
    portal.call(*restoring)


def test_a_differential_that_nothing_carries_is_refused(portal: Portal) -> None:
    refused = portal.call("backup", "run", "--diff", expected=ExitCode.FAILED)

    assert refused["error"]["message"] == "no differential can be made: no full set is recorded"
    assert refused["error"]["hint"] == "Make a full set: portalops backup run --full"


def test_a_source_that_shrank_fails_until_somebody_accepts_it(portal: Portal) -> None:
    (portal.folder / "settings" / "large.ini").write_text("x" * 100_000)
    portal.call("backup", "run")
    (portal.folder / "settings" / "large.ini").unlink()

    failed = portal.call("backup", "run", expected=ExitCode.PARTIAL)
    accepted = portal.call("backup", "run", "--accept-shrink", "settings")
    after = portal.call("backup", "run")
    refused = portal.call("backup", "run", "--accept-shrink", "no-such", expected=ExitCode.USAGE)

    assert "portalops backup run --accept-shrink settings" in failed["problems"][0]
    assert [shrink["source"] for shrink in accepted["accepted_shrinks"]] == ["settings"]
    assert after["accepted_shrinks"] == []
    assert "there is no backup source no-such" in refused["error"]["message"]


@pytest.mark.parametrize("wished", [(), ("latest",)])
def test_a_dry_run_of_a_drill_sees_that_its_folder_is_missing(portal: Portal, wished: tuple[str, ...]) -> None:
    portal.call("backup", "run")
    scratch = portal.folder / "scratch"
    portal.replace({"[backup.excused]": f'[backup.drill]\nfolder = "{scratch}"\n[backup.excused]'})

    error = portal.call("backup", "drill", *wished, "--dry-run", expected=ExitCode.FAILED)["error"]

    assert error["message"] == f"cannot make a scratch folder in {scratch}: No such file or directory"
    assert "backup.drill.folder" in error["hint"]
    scratch.mkdir()
    assert portal.call("backup", "drill", *wished, "--dry-run")


@pytest.mark.parametrize("is_unknown", [True, False])
def test_a_restore_of_a_set_of_a_later_version_says_what_reads_it(portal: Portal, is_unknown: bool) -> None:
    name = portal.call("backup", "run")["set"]
    for disk in ("disk-a", "disk-b"):
        of_version(portal.folder / disk / name, VERSION + 1)
    if is_unknown:  # the ledger knows no other digest of it
        portal.replace({'folder = "state"': 'folder = "new-state"'})

    to = str(portal.folder / "out")
    said = portal.call(
        "backup",
        "restore",
        name,
        "--to",
        to,
        "--identity",
        portal.key,
        expected=ExitCode.FAILED if is_unknown else ExitCode.INTEGRITY,
    )

    assert f"set.json has format version {VERSION + 1}" in said["error"]["message"]
    assert said["error"]["hint"].startswith("Use a newer portalops, or restore with stock tools")
    assert not (portal.folder / "out").exists()
