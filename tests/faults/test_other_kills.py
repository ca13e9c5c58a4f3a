"""Whatever is killed at any of its changes, it leaves nothing wrong behind: verify, drill, restore, prune, taking in."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from backups.unfinished import UNFINISHED
from portalops.errors import ExitCode
from tests.backups.kit import keys
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import Act, Harm
from tests.faults.test_kills import RENEWED, left_by_a_kill, sample

COMMANDS = {
    "verify": "backup verify",
    "drill": "backup drill --identity {key}",
    "prune": "backup prune --trust-clock",
}


def a_portal(new_portal: NewPortal) -> Portal:
    return new_portal("disk")


def command_of(portal: Portal, what: str) -> str:
    return COMMANDS[what].format(key=keys().file(portal.folder))


def killed(portal: Portal, what: str, number: int) -> bool:
    """Kill a command at a call; then the same command works, and so does all else. Say whether it was killed."""
    command = command_of(portal, what)
    harmed = portal.run(command, harm=Harm(Act.KILL, number))
    again = portal.run(command)
    assert again.codes == (ExitCode.OK,), (what, number, again.output.decode())
    portal.check_what_is_visible()
    verified, made = portal.run("ledger verify", "backup run").answers()
    ledger = verified["data"]
    assert ledger["integrity"]["holds"] and not ledger["completeness"]["missing"], (what, number, ledger)
    assert {copy["state"] for copy in made["data"]["copies"]} == {"verified"}, (what, number, made)
    assert not any(place.name.startswith(".") for place in portal.folder_of["disk"].iterdir()), (what, number)
    assert list((portal.folder / "temporary").iterdir()) == [], (what, number)
    return harmed.was_killed


@pytest.mark.heavy
@pytest.mark.parametrize("what", COMMANDS)
def test_whatever_is_killed_works_again(new_portal: NewPortal, what: str) -> None:
    portal = a_portal(new_portal)
    whole = portal.run(command_of(portal, what))
    assert whole.codes == (ExitCode.OK,), whole.output.decode()

    for number in sample(whole.calls, 2):
        killed(portal, what, number)


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", COMMANDS)
def test_whatever_may_be_killed_at_every_single_change(new_portal: NewPortal, what: str) -> None:
    number, was_killed = 0, True
    wrong: list[str] = []
    while was_killed:
        number += 1
        if number % RENEWED == 1 or wrong:
            portal = a_portal(new_portal)
        try:
            was_killed = killed(portal, what, number)
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)
    assert number > 10


def restored(portal: Portal, place: Path, harm: Harm | None = None) -> tuple[bool, str]:
    command = f"backup restore latest --to {place} --identity {keys().file(portal.folder)}"
    ended = portal.run(command, harm=harm) if harm else portal.run(command)
    assert ended.was_killed or ended.codes == (ExitCode.OK,), ended.output.decode()
    return ended.was_killed, ended.calls


def is_whole(place: Path) -> bool:
    found = {path.relative_to(place).parts[0] for path in place.rglob("*") if path.is_file()}
    return found == {"files", "database", "dump"} and len(list(place.rglob("tin-*.html"))) == 5


def kill_restore(portal: Portal, number: int) -> bool:
    """Kill a restore at a call: its folder says so, or is whole, or is not there; and it is not taken again as if it were empty."""
    place = portal.folder / "restored"
    was_killed, _calls = restored(portal, place, Harm(Act.KILL, number))
    if place.exists():
        inside = [path.name for path in place.iterdir()]
        has_none = all(name.startswith(".") for name in inside)  # the note that it is unfinished was under way itself
        assert UNFINISHED in inside or is_whole(place) or has_none, (number, inside)
        if set(inside) - {UNFINISHED}:
            again = portal.run(f"backup restore latest --to {place} --identity {keys().file(portal.folder)}")
            assert again.codes == (ExitCode.FAILED,), again.output.decode()
        shutil.rmtree(place)
    return was_killed


def test_a_killed_restore_never_looks_whole(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    _was_killed, calls = restored(portal, portal.folder / "whole")
    assert is_whole(portal.folder / "whole")

    numbers: Sequence[int] = range(len(calls) // 2, len(calls) + 1, max(1, len(calls) // 16))
    ended = [kill_restore(portal, number) for number in numbers]

    assert all(ended[:-1]) and len(ended) > 8


@pytest.mark.exhaustive
def test_a_restore_may_be_killed_at_every_single_change(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    number = 1
    while kill_restore(portal, number):
        number += 1
    assert number > 20


@pytest.mark.heavy
def test_taking_in_that_is_killed_is_done_by_the_next(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    left = left_by_a_kill(portal)
    number, was_killed = -4, True

    while was_killed:
        number += 5
        was_killed = portal.run("backup import", harm=Harm(Act.KILL, number)).was_killed
    assert number > 5
    portal.recovers("taken in at last")

    (listed,) = portal.run("backup list").answers()
    assert [each["id"] for each in listed["data"]].count(left) == 1
