"""`config check` and `backup run` agree: on what stops a run, what it leaves out, and what is no concern of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from backups.bech32 import encode
from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.backups.kit import keys
from tests.commands.test_backup import Portal

Change: TypeAlias = "Callable[[str], str]"
OPERATOR, ESCROW = (key for _name, key in keys().public)
SOURCE = '\n[[backup.source]]\nid = "x"\nclass = "related"\n'
FILES = f'{SOURCE}kind = "files"\ninclude = ["settings"]\n'
MEDIUM = '[[backup.medium]]\nid = "x"\n'
POSTGRESQL = f'{SOURCE}kind = "postgresql"\npassword = {{ file = "absent" }}\n'


def changed(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def added(more: str) -> Change:
    return lambda text: text + more


def medium(more: str) -> Change:
    return changed('\n[[job]]\nid = "weekly-backup"', f'\n{MEDIUM}{more}\n[[job]]\nid = "weekly-backup"')


def without(section: str, following: str, instead: str = "") -> Change:
    """Leave out all tables of a section."""

    def change(text: str) -> str:
        begin, end = text.index(section), text.index(following)
        return text[:begin] + instead + text[end:]

    return change


def lost_link(text: str) -> str:
    Path("lost").symlink_to("gone")  # tests run in the portal's folder
    return text


def linked_disk(text: str) -> str:
    Path("to-a").symlink_to("disk-a")
    return text


NO_SOURCE = without("[[backup.source]]", "[[backup.medium]]")

STOPS = {
    "no source": (NO_SOURCE, "there is no [[backup.source]]"),
    "no source, one key": (lambda text: changed(ESCROW, OPERATOR)(NO_SOURCE(text)), "there is no [[backup.source]]"),
    "no medium": (without("[[backup.medium]]", "[[job]]"), "there is no [[backup.medium]]"),
    "one key": (changed(ESCROW, OPERATOR), "two different ones are needed"),
    "no key file": (changed(f'key = "{ESCROW}"', 'file = "absent"'), "cannot read the public key of escrow"),
    "no key": (changed(ESCROW, f"{ESCROW[:-1]}{'q' if ESCROW[-1] != 'q' else 'p'}"), "not an age public key"),
    "a key for which nothing can be sealed": (
        changed(ESCROW, encode("age", bytes(32))),
        "not an age public key",
    ),
    "an unknown kind": (added(f'{SOURCE}kind = "filez"\n'), "is of an unknown kind: filez"),
    "an unknown key": (added(f"{FILES}includ = 1\n"), "unknown key backup.source.includ"),
    "another table's unknown kind": (added('[[updates.source]]\nid = "s"\nkind = "feeed"\n'), "unknown kind: feeed"),
    "a hook without a program": (added(f'{FILES}before = [""]\n'), "names no program"),
    "a command without a program": (added(f'{SOURCE}kind = "command"\ncommand = ["", "x"]\n'), "names no program"),
    "a NUL in a hook": (added(f'{FILES}after = ["true", "a\\u0000b"]\n'), "holds a control character"),
    "a NUL in an argument": (
        added(f'{SOURCE}kind = "command"\ncommand = ["true", "a\\u0000b"]\n'),
        "holds a control character",
    ),
    "a NUL in a variable": (
        added(f'{SOURCE}kind = "command"\ncommand = ["env"]\nenvironment = {{ A = "\\u0000" }}\n'),
        "holds a control character",
    ),
    "no name of a variable": (
        added(f'{SOURCE}kind = "command"\ncommand = ["env"]\nenvironment = {{ "A=B" = "C" }}\n'),
        "is not the name of a variable",
    ),
    "two media on one folder": (
        lambda text: changed('folder = "disk-b"', 'folder = "to-a"')(linked_disk(text)),
        "the media disk-a and disk-b are one folder",
    ),
    "a wrong span": (changed("[backup]\n", '[backup]\nfull_every = "10"\n'), "full_every is neither week, month"),
    "no source is there": (
        without("[[backup.source]]", "[[backup.medium]]", f'{SOURCE}kind = "files"\ninclude = ["absent"]\n\n'),
        "no backup source is there: there is no ",
    ),
    "no medium is there": (changed("create = true", ""), "no backup medium is there: there is no folder"),
    "beside the data": (changed("allow_same_filesystem = true", ""), "is on the same file system as the data"),
    "the state is a file": (changed('folder = "state"', 'folder = "portal.sqlite"'), "portal.sqlite is not a folder"),
    "no rulebook": (changed("[portal]\n", '[portal]\nrulebook = "none"\n'), "none"),
}
LEFT_OUT = {
    "a medium that is not there": (
        changed('"disk-b"\ncreate = true', '"disk-b"'),
        "makes no copy on disk-b: there is no folder",
    ),
    "not mounted": (
        changed('folder = "disk-b"', 'folder = "disk-b"\nmount_point = "mnt"'),
        "disk-b: nothing is mounted on",
    ),
    "a file for a folder": (changed('folder = "disk-b"', 'folder = "portal.sqlite"'), "makes no copy on disk-b: "),
    "no images": (medium('kind = "optical"\nfolder = "absent"\n'), "makes no copy on x: there is no folder"),
    "no drive": (medium('kind = "tape"\ndevice = "/dev/nst9"\n'), "makes no copy on x: there is no tape drive"),
    "no folder": (changed('["settings"]', '["absent"]'), "leaves out source settings: there is no "),
    "one folder less": (
        changed('["settings"]', '["settings", "absent"]'),
        "is incomplete: source settings: there is no ",
    ),
    "a link that leads nowhere": (
        lambda text: added(f'{SOURCE}kind = "files"\ninclude = ["lost", "settings"]\n')(lost_link(text)),
        "is incomplete: source x: ",
    ),
    "no database": (changed("portal.sqlite", "absent.sqlite"), "leaves out source database: there is no database"),
    "no accounts": (
        changed('root = "root"', 'root = "absent"'),
        "leaves out source accounts: etc/passwd cannot be read",
    ),
    "no program": (
        added(f'{SOURCE}kind = "command"\ncommand = ["/no/such"]\n'),
        "leaves out source x: /no/such cannot be run",
    ),
    "no command before": (added(f'{FILES}before = ["/no/such"]\n'), "leaves out source x: /no/such cannot be run"),
    "no command after": (added(f'{FILES}after = ["/no/such"]\n'), "is incomplete: source x: /no/such cannot be run"),
    "no btrfs": (added(f'{FILES}snapshot = "btrfs"\n'), "leaves out source x: "),
    "no SSH key": (
        added(
            f'{SOURCE}kind = "command"\ncommand = ["true"]\n[backup.source.ssh]\nhost = "127.0.0.1"\nport = 9\nuser = "u"\n'
            'identity_file = "absent"\nhost_key = "ssh-ed25519 AAAA"\n'
        ),
        "leaves out source x: the SSH key ",
    ),
    "no secret": (added(POSTGRESQL), "cannot read the secret in"),
    "no signing key": (added('\n[signing]\nkey = "absent"\n'), "a backup is unsigned: cannot read the secret"),
}
NO_CONCERN = {
    "all is well": (added(""), ""),
    "what before makes is not there yet": (
        added(f'{SOURCE}kind = "files"\ninclude = ["made"]\nbefore = ["touch", "made"]\nminimum_bytes = 0\n'),
        "",
    ),
    "no calendar": (added('\n[calendar]\nfile = "absent"\n'), "absent"),
    "an unknown duty": (changed('duty = "10.2"', 'duty = "99.9"'), "names a duty that the rulebook does not have"),
}


def judged(portal: Portal, change: Change) -> tuple[list[dict[str, Any]], list[str], tuple[int, bool]]:
    """Return the problems and warnings of a configuration, then a run's exit code and whether it made a set."""
    path = portal.folder / "portalops.toml"
    path.write_text(change(path.read_text()))
    _code, check = portal.answer("config", "check")
    code, run = portal.answer("backup", "run")
    return check["data"] or [], check["warnings"], (code, run["data"] is not None and bool(run["data"].get("set")))


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Portal:
    monkeypatch.chdir(tmp_path)
    return Portal(tmp_path, capsys)


@pytest.mark.heavy
@pytest.mark.parametrize("name", STOPS)
def test_what_stops_a_run_is_an_error_of_the_configuration(portal: Portal, name: str) -> None:
    change, said = STOPS[name]

    problems, _warnings, run = judged(portal, change)

    assert any(said in each["message"] for each in problems if each["stops_backup"]), problems
    assert run in {(ExitCode.CONFIGURATION, False), (ExitCode.FAILED, False)}


@pytest.mark.heavy
def test_a_backup_that_a_person_starts_is_judged_without_a_job(portal: Portal) -> None:
    def change(text: str) -> str:
        return changed('folder = "disk-b"', 'folder = "disk-a"')(text[: text.index("[[job]]")])

    problems, _warnings, run = judged(portal, change)

    assert any("are one folder" in each["message"] for each in problems if each["stops_backup"]), problems
    assert run == (ExitCode.CONFIGURATION, False)


@pytest.mark.heavy
@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_a_run_goes_on_without_is_told_and_stops_nothing(portal: Portal, name: str) -> None:
    change, said = LEFT_OUT[name]

    problems, warnings, run = judged(portal, change)

    assert any(said in each for each in (*warnings, *(each["message"] for each in problems))), (problems, warnings)
    assert not any(each["stops_backup"] for each in problems)
    assert run == (ExitCode.PARTIAL, True)


@pytest.mark.heavy
@pytest.mark.parametrize("name", NO_CONCERN)
def test_what_is_no_concern_of_a_backup_is_not_said_to_be_one(portal: Portal, name: str) -> None:
    change, said = NO_CONCERN[name]

    problems, warnings, run = judged(portal, change)

    assert [each for each in problems if said not in each["message"] or each["stops_backup"]] == []
    assert bool(problems) == bool(said)
    assert [each for each in warnings if "backup" in each and "no source has the class" not in each] == []
    assert run == (ExitCode.OK, True)


@pytest.mark.heavy
def test_what_a_source_follows_and_what_exclude_takes_from_it_is_said(portal: Portal) -> None:
    (portal.folder / "current").symlink_to("settings")
    path = portal.folder / "portalops.toml"
    path.write_text(
        path.read_text()
        + f'{SOURCE}kind = "files"\ninclude = ["current", "portal.sqlite"]\nexclude = ["{portal.folder}/portal.sqlite"]\n'
    )
    follows = f"source x: {portal.folder}/current is a link; {portal.folder}/settings is backed up with it"
    leaves_out = f"source x: exclude leaves out all of {portal.folder}/portal.sqlite"

    _code, plan = portal.answer("backup", "plan")
    code, check = portal.answer("config", "check")

    assert [each["text"] for each in plan["data"]["followed"]] == [follows]
    assert leaves_out in plan["warnings"] and leaves_out in check["warnings"]
    assert code == ExitCode.OK and check["data"] == []
    run(["--config", str(path), "--lang", "en", "config", "check"], {})
    assert follows in " ".join(portal.output().split())
