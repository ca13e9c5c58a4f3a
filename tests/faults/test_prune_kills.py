"""A prune that is killed at any of its changes: no half set is listed, what stays is whole, and the next prune ends the work."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from portalops.errors import ExitCode
from portalops.model.backups import SetId
from tests.faults.media import DISK_FIRST, KINDS, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import UNHARMED, Act, Harm
from tests.faults.test_kills import RENEWED, sample
from tests.faults.truth import Is, Truth, check_what_is_said

PRUNE = "backup prune --trust-clock"
UNDO_DAYS = 8
"""A day more than a mark can be undone."""
ASKED = ("restore", "drill")
"""What is asked between a killed prune and the next. The list has what was recorded: of a copy that went just before the
kill nobody knows until something looks, which has a test of its own."""


@dataclass(frozen=True)
class Pruned:
    """How a prune ended that had a set to remove."""

    was_killed: bool
    calls: str


def a_portal(new_portal: NewPortal, kind: str, request: pytest.FixtureRequest, number: int = 0) -> Portal:
    folder = request.getfixturevalue("tmp_path") / f"media-{number}"
    portal = new_portal(media={"beside": a_disk(folder / "beside"), "pruned": KINDS[kind](request, folder)})
    portal.keep_newest()
    return portal


def with_one_to_go(portal: Portal) -> tuple[SetId, SetId]:
    """Make a newer set, and let the mark of the one before it grow old; return both, that one first."""
    older = max(portal.contents)
    time.sleep(1.05 - time.time() % 1)  # names of sets have whole seconds, and the newer one is told by its name here
    portal.change_again()
    made = portal.run("backup run --full", PRUNE)
    assert not any(portal.left().values()), portal.left()  # what a killed prune left, the next run has removed
    assert made.codes == (ExitCode.OK, ExitCode.OK), made.output.decode()
    assert made.answers()[1]["data"]["marked"] == [older], made.answers()[1]
    portal.days_later += UNDO_DAYS
    return older, max(portal.contents)


def prune(portal: Portal, harm: Harm = UNHARMED, *, asked: tuple[str, ...] = ASKED) -> Pruned:
    """Prune while a set is to go, with a harm; then what is listed is whole, and a second prune leaves nothing of it."""
    goes, stays = with_one_to_go(portal)
    harmed = portal.run(PRUNE, harm=harm)
    truth = Truth(portal)
    for medium, sets in portal.sets().items():
        assert stays in sets and all(truth.of(each, medium).what is Is.WHOLE for each in sets), (harm, medium, sets)
    if asked:
        check_what_is_said(portal, f"{harm}", names=asked)

    again = portal.run("ledger verify", PRUNE, "backup list")

    verified, _pruned, listed = again.answers()
    assert again.codes[1] == ExitCode.OK, (harm, again.output.decode())
    assert verified["data"]["integrity"]["holds"], harm
    assert all(sets == (stays,) for sets in portal.sets().values()), (harm, portal.sets(), goes)
    states = {made["id"]: {copy["state"] for copy in made["copies"]} for made in listed["data"]}
    assert states[goes] == {"disposed"} and states[stays] == {"verified"}, (harm, states)
    return Pruned(harmed.was_killed, harmed.calls)


@pytest.mark.parametrize("kind", DISK_FIRST)
def test_a_killed_prune_is_ended_by_the_next(new_portal: NewPortal, request: pytest.FixtureRequest, kind: str) -> None:
    portal = a_portal(new_portal, kind, request)
    calls = prune(portal, asked=()).calls

    for number in sample(calls, 3):
        prune(portal, Harm(Act.KILL, number), asked=())


@pytest.mark.heavy
def test_a_copy_that_a_killed_prune_removed_may_be_missed_before_the_next(
    new_portal: NewPortal, request: pytest.FixtureRequest
) -> None:
    """Somebody verifies, or fills up the copies, between the two."""
    portal = a_portal(new_portal, "disk", request)
    calls = prune(portal).calls

    for number in sample(calls, 4):
        prune(portal, Harm(Act.KILL, number), asked=("verify", "list", "replicate"))


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_a_prune_may_be_killed_at_every_single_change(
    new_portal: NewPortal, request: pytest.FixtureRequest, kind: str
) -> None:
    number, was_killed = 0, True
    wrong: list[str] = []
    while was_killed:
        number += 1
        if number % RENEWED == 1 or wrong:
            portal = a_portal(new_portal, kind, request, number)
        try:
            was_killed = prune(portal, Harm(Act.KILL, number)).was_killed
        except AssertionError as error:
            wrong.append(str(error))
            if len(wrong) > 20:
                break

    assert not wrong, "\n".join(wrong)
    assert number > 20
