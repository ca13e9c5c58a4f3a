"""A run that is killed at any of its changes leaves nothing wrong behind, and nothing for anybody to clean up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from portalops.model.backups import SetId
from tests.faults.media import KINDS
from tests.faults.portal import NewPortal
from tests.faults.runs import Act, Harm

RENEWED = 25
"""After so many killed runs a new portal is taken: each leaves a set or two, and all are listed every time."""


def sample(calls: str, count: int) -> Sequence[int]:
    """Return the numbers of some calls: every rename, which makes things visible, the call after it, and some between."""
    renames = [number for number, kind in enumerate(calls, 1) if kind == "r"]
    spread = range(1, len(calls) + 1, max(1, len(calls) // count))
    chosen = sorted({*renames[-count // 2 :], *(number + 1 for number in renames[-count // 2 :]), *spread})
    return chosen[:: max(1, len(chosen) // count)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_harms_nothing_and_the_next_one_succeeds(new_portal: NewPortal, kind: str) -> None:
    portal = new_portal(kind, *({"disk"} - {kind}))
    calls = portal.run("backup run --full").calls

    for number in sample(calls, 3):
        portal.run("backup run --full", harm=Harm(Act.KILL, number))
        portal.recovers(f"killed at call {number}")


def test_a_set_that_a_killed_run_sealed_and_did_not_record_stops_no_pruning(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    recorded = set(portal.sets()["disk"])
    number = len(portal.run("backup run --full").calls)
    left: set[SetId] = set()
    while not left:
        number -= 4
        recorded |= set(portal.sets()["disk"])
        assert portal.run("backup run --full", harm=Harm(Act.KILL, number)).was_killed or number > 100
        left = set(portal.sets()["disk"]) - recorded if portal.unfinished() else set()
    portal.recovers("killed between the seal and the record")

    ended = portal.run("backup prune --trust-clock")

    assert ended.codes == (0,), ended.output.decode()
    (pruned,) = ended.answers()
    (set_id,) = left
    assert any(set_id in warning for warning in map(str, pruned["warnings"])), pruned


@pytest.mark.heavy
@pytest.mark.parametrize("how", ["--full", "--diff"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_may_be_killed_at_every_single_change(new_portal: NewPortal, kind: str, how: str) -> None:
    number, was_killed = 0, True
    wrong: list[str] = []
    while was_killed:
        number += 1
        if number % RENEWED == 1 or wrong:
            portal = new_portal(kind)
        was_killed = portal.run(f"backup run {how}", harm=Harm(Act.KILL, number)).was_killed
        try:
            portal.recovers(f"killed at call {number}")
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)
    assert number > 80
