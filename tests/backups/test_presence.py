"""A disk that is not mounted is out of reach: nothing is written into the folder in its place, and nothing on it is damaged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from commands.cli.calling import call
from portalops.errors import ExitCode
from portalops.model.backups import CopyState
from tests.backups.test_prune import Portal


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    made = Portal(tmp_path)
    with (tmp_path / "portalops.toml").open("a") as file:
        file.writelines(
            f'\n[[job]]\nid = "{kind}"\nkind = "{kind}"\nevery = "week"\nduty = "10.2"\n' for kind in ("verify", "copy")
        )
    made.back_up(2)
    return made


def unmount(portal: Portal, medium: str = "disk-b") -> Path:
    """Leave the empty folder that a disk is mounted on at other times."""
    disk = portal.folder / medium
    disk.rename(portal.folder / f"{medium}-away")
    disk.mkdir()
    return disk


def states(portal: Portal, medium: str) -> list[tuple[CopyState, bool]]:
    return [(copy.state, bool(copy.problem)) for made in portal.sets() for copy in made.copies if copy.medium == medium]


def test_a_disk_that_is_not_mounted_is_out_of_reach_and_not_damaged(portal: Portal) -> None:
    unmount(portal)

    portal.call("verify", expected=ExitCode.PARTIAL)

    assert states(portal, "disk-b") == [(CopyState.VERIFIED, True)] * 2
    assert states(portal, "disk-a") == [(CopyState.VERIFIED, False)] * 2


def test_nothing_is_written_where_a_disk_is_not_mounted(portal: Portal) -> None:
    disk = unmount(portal)
    portal.clock.move(timedelta(days=7))

    portal.call("run", expected=ExitCode.PARTIAL)
    portal.call("replicate", expected=ExitCode.PARTIAL)

    assert list(disk.iterdir()) == []
    disk.rmdir()
    (portal.folder / "disk-b-away").rename(disk)
    portal.call("replicate")
    assert len(portal.on("disk-b")) == 3
    portal.call("verify")
    assert states(portal, "disk-b") == [(CopyState.VERIFIED, False)] * 3


def test_a_set_that_is_missing_beside_others_is_damaged_and_read_again_by_turns(portal: Portal) -> None:
    first = portal.sets()[0].set.id
    shutil.move(portal.folder / "disk-b" / first, portal.folder / "aside")
    for _turn in range(2):
        portal.call("verify", expected=ExitCode.INTEGRITY)
    assert states(portal, "disk-b")[0][0] is CopyState.DAMAGED

    shutil.move(portal.folder / "aside", portal.folder / "disk-b" / first)
    portal.call("verify")

    assert states(portal, "disk-b") == [(CopyState.VERIFIED, False)] * 2


def test_a_disk_that_took_the_place_of_another_is_written_once_that_is_recorded(portal: Portal) -> None:
    unmount(portal)
    portal.clock.move(timedelta(days=7))
    session = portal.session("run")
    session.invocation = replace(
        session.invocation,
        arguments=("media", "add", "disk-b", "--label", "KH-02", "--place", "tủ 2", "--custodian", "An"),
    )
    assert call(session).exit_code is ExitCode.OK
    session.writable_ledger.close()
    portal.clock.move(timedelta(days=1))
    portal.call("run")

    assert len(portal.on("disk-b")) == 1


def test_a_medium_that_shows_none_of_its_sets_stops_no_pruning_of_the_others(portal: Portal) -> None:
    portal.clock.move(timedelta(days=7))
    portal.back_up(2)
    portal.prune()
    unmount(portal)
    portal.clock.move(timedelta(days=8))

    portal.prune(expected=ExitCode.PARTIAL)

    assert len(portal.on("disk-a")) == 2
    assert {state for state, _problem in states(portal, "disk-b")} == {CopyState.VERIFIED}
