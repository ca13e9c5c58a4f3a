"""A disk that says errors fails alone, a state folder that says errors loses nothing, and the next run succeeds."""

from __future__ import annotations

import errno

import pytest

from portalops.errors import ExitCode
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import NOWHERE, Act, Ended, Harm
from tests.faults.test_kills import RENEWED

TOLD = {ExitCode.OK, ExitCode.PARTIAL}
"""Some errors change nothing, such as one of a cache that is not dropped."""
ERRORS = {
    "EIO, once": (Act.FAIL_ONCE, errno.EIO),
    "EIO, from then on": (Act.FAIL_FROM, errno.EIO),
    "ENOSPC, from then on": (Act.FAIL_FROM, errno.ENOSPC),
    "EROFS, from then on": (Act.FAIL_FROM, errno.EROFS),
}


def harmed(portal: Portal, name: str, act: Act, number: int, code: int = errno.EIO) -> Ended:
    return portal.run("backup run --full", harm=Harm(act, number, code, str(portal.folder_of[name])))


def two_media(new_portal: NewPortal, kind: str) -> Portal:
    return new_portal(kind, *({"disk", "optical"} - {kind}))


def check(portal: Portal, name: str, ended: Ended, what: str) -> None:
    """See that the error was met well: told, by this medium alone, and gone with the next run."""
    assert ended.signal == 0 and ended.codes[0] in TOLD, (what, ended.output.decode()[-2000:])
    (made,) = ended.answers()
    states = {copy["medium"]: copy["state"] for copy in made["data"]["copies"]}
    other = next(each for each in states if each != name)
    assert states[other] == "verified", (what, made)
    if ended.codes[0] != ExitCode.OK:
        assert states[name] in {"failed", "sealed"}, (what, made)
        assert any(copy["problem"] for copy in made["data"]["copies"] if copy["medium"] == name), (what, made)
    portal.recovers(what)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["disk", pytest.param("optical", marks=pytest.mark.heavy)])
def test_a_disk_at_fault_fails_alone_and_the_next_run_succeeds(new_portal: NewPortal, kind: str) -> None:
    portal = two_media(new_portal, kind)
    count = len(harmed(portal, kind, Act.COUNT, NOWHERE).calls)
    assert count > 20

    for step, (what, (act, code)) in enumerate(ERRORS.items()):
        number = 3 + step * count // len(ERRORS)
        check(portal, kind, harmed(portal, kind, act, number, code), f"{what}, at {number} of {count}")


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["disk", "optical"])
def test_a_disk_may_say_an_error_at_every_change(new_portal: NewPortal, kind: str) -> None:
    """Each change is told one of the errors, by turns."""
    wrong: list[str] = []
    count = len(harmed(two_media(new_portal, kind), kind, Act.COUNT, NOWHERE).calls)
    for number in range(1, count + 1):
        if number % RENEWED == 1 or wrong:
            portal = two_media(new_portal, kind)
        what, (act, code) = list(ERRORS.items())[number % len(ERRORS)]
        try:
            check(portal, kind, harmed(portal, kind, act, number, code), f"{what}, at {number} of {count}")
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)


def test_writes_that_take_a_part_are_gone_on_with(new_portal: NewPortal) -> None:
    portal = new_portal("disk")

    ended = harmed(portal, "disk", Act.HALVE, 1)

    assert ended.codes == (ExitCode.OK,)
    portal.recovers("writes that take a part")


def check_state(portal: Portal, ended: Ended, what: str) -> None:
    """See that a run whose state folder failed says so, unless it needed nothing of it."""
    assert ended.signal == 0 and ended.codes[0] != ExitCode.FAULT, (what, ended.output.decode()[-3000:])
    portal.recovers(what)


@pytest.mark.heavy
@pytest.mark.parametrize("what", [pytest.param("EIO, once", marks=pytest.mark.heavy), "ENOSPC, from then on"])
def test_a_state_folder_at_fault_loses_nothing(new_portal: NewPortal, what: str) -> None:
    act, code = ERRORS[what]
    portal = new_portal("disk")
    place = str(portal.folder / "state")
    count = len(portal.run("backup run --full", harm=Harm(Act.COUNT, place=place)).calls)

    for number in range(2, count, count // 4):
        ended = portal.run("backup run --full", harm=Harm(act, number, code, place))
        check_state(portal, ended, f"{what}, at {number} of {count} in the state folder")


@pytest.mark.exhaustive
def test_a_state_folder_may_say_an_error_at_every_change(new_portal: NewPortal) -> None:
    """Each change is told one of the errors, by turns."""
    portal = new_portal("disk")
    wrong: list[str] = []
    count = len(portal.run("backup run --full", harm=Harm(Act.COUNT, place=str(portal.folder / "state"))).calls)
    for number in range(1, count + 1):
        if number % RENEWED == 1 or wrong:
            portal = new_portal("disk")
        what, (act, code) = list(ERRORS.items())[number % len(ERRORS)]
        ended = portal.run("backup run --full", harm=Harm(act, number, code, str(portal.folder / "state")))
        try:
            check_state(portal, ended, f"{what}, at {number} of {count} in the state folder")
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)
