"""A restore from the command line goes nowhere near what is alive, and writes nothing when it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.test_backup import Portal


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Portal:
    made = Portal(tmp_path, capsys)
    (made.folder / "root" / "etc" / "sudoers.d").mkdir()
    made.call("backup", "run")
    return made


def restore(portal: Portal, to: Path, expected: ExitCode) -> dict[str, object]:
    found: dict[str, object] = portal.call(
        "backup", "restore", "latest", "--to", str(to), "--identity", portal.key, expected=expected
    )
    return found


def everything(portal: Portal) -> list[Path]:
    """What there is, but for the files that SQLite keeps beside a database that is open."""
    return sorted(path for path in portal.folder.rglob("*") if not path.name.startswith("ledger.sqlite-"))


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("settings/restored", "source settings reads it"),
        ("settings/deep/er/restored", "source settings reads it"),
        ("root/etc/sudoers.d/restored", "source accounts reads it"),
        ("disk-a/restored", "medium disk-a keeps its sets there"),
        ("disk-b/.incoming-demo/restored", "medium disk-b keeps its sets there"),
        ("state/restored", "the ledger is there"),
    ],
)
def test_a_restore_into_what_is_alive_is_refused(portal: Portal, place: str, why: str) -> None:
    target = portal.folder / place
    before = everything(portal)

    error = restore(portal, target, ExitCode.FAILED)["error"]

    assert isinstance(error, dict)
    assert error["code"] == "PO1207"
    assert str(error["message"]).endswith(why)
    assert not target.exists()
    assert before == everything(portal)


def test_a_link_to_what_is_alive_is_no_way_around(portal: Portal) -> None:
    (portal.folder / "innocent").symlink_to(portal.folder / "settings")

    restore(portal, portal.folder / "innocent" / "restored", ExitCode.FAILED)

    assert [path.name for path in (portal.folder / "settings").iterdir()] == ["portal.ini"]


def test_a_source_that_cannot_be_built_stops_no_restore_and_is_told(portal: Portal) -> None:
    portal.replace({'database = "portal.sqlite"': 'database = "portal.sqlite"\nno_such_key = 1'})

    restore(portal, portal.folder / "restored", ExitCode.OK)

    assert (portal.folder / "restored" / "settings").is_dir()


def test_a_name_that_only_begins_like_what_is_alive_is_no_obstacle(portal: Portal) -> None:
    restore(portal, portal.folder / "settings-restored", ExitCode.OK)

    assert sorted(path.name for path in (portal.folder / "settings-restored").iterdir()) == [
        "accounts",
        "database",
        "ledger",
        "settings",
    ]
