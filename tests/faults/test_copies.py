"""A copy that is killed at any of its changes leaves nothing wrong behind, and the next one goes on with it."""

from __future__ import annotations

import pytest

from portalops.errors import ExitCode
from tests.faults.media import DISK_FIRST, KINDS, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import UNHARMED, Act, Harm
from tests.faults.test_kills import RENEWED, sample
from tests.faults.truth import check_what_is_said


def a_portal(new_portal: NewPortal, kind: str, request: pytest.FixtureRequest, number: int = 0) -> Portal:
    folder = request.getfixturevalue("tmp_path") / f"media-{number}"
    return new_portal(media={"source": a_disk(folder / "source"), "target": KINDS[kind](request, folder)})


ASKED = ("restore", "drill", "verify", "list", "prune")
"""What is asked between a killed copy and the next."""


def copy(portal: Portal, harm: Harm, *, asked: tuple[str, ...] = ASKED) -> tuple[bool, str]:
    """Make a set that one medium lacks, harm its copy, and see that the next copy is made; say whether the first was killed."""
    portal.configure("source")
    made = portal.run("backup run --full")
    assert made.codes == (ExitCode.OK,), made.output.decode()
    set_id = made.answers()[0]["data"]["set"]
    portal.configure("source", "target")
    harmed = portal.run("backup replicate", harm=harm)
    portal.check_what_is_visible()
    if asked:
        check_what_is_said(portal, f"{harm}", names=asked)

    again = portal.run("ledger verify", "backup replicate", f"backup show {set_id}")

    assert again.codes[1] == ExitCode.OK, (harm, again.output.decode())
    assert again.answers()[0]["data"]["integrity"]["holds"], harm
    assert set_id in portal.sets()["target"], harm
    assert not any(portal.left().values()), (harm, portal.left())
    portal.check_what_is_visible()
    states = {each["medium"]: each["state"] for each in again.answers()[2]["data"]["copies"]}
    assert states == {"source": "verified", "target": "verified"}, (harm, states)
    return harmed.was_killed, harmed.calls


@pytest.mark.parametrize("kind", DISK_FIRST)
def test_a_copy_that_is_killed_is_made_by_the_next(
    new_portal: NewPortal, request: pytest.FixtureRequest, kind: str
) -> None:
    portal = a_portal(new_portal, kind, request)
    _was_killed, calls = copy(portal, UNHARMED, asked=())

    for number in sample(calls, 2):
        copy(portal, Harm(Act.KILL, number), asked=())


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_may_be_killed_at_every_single_change(
    new_portal: NewPortal, request: pytest.FixtureRequest, kind: str
) -> None:
    number, was_killed = 0, True
    wrong: list[str] = []
    while was_killed:
        number += 1
        if number % RENEWED == 1 or wrong:
            portal = a_portal(new_portal, kind, request, number)
        try:
            was_killed, _calls = copy(portal, Harm(Act.KILL, number))
        except AssertionError as error:
            wrong.append(str(error))
            if len(wrong) > 20:
                break

    assert not wrong, "\n".join(wrong)
    assert number > 30
