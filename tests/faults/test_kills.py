"""A run that is killed at any of its changes leaves nothing wrong behind, and nothing for anybody to clean up."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pytest

from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.backups import SetId
from portalops.registers.signers import KEY_ADDED
from portalops.system.clock import SystemClock
from tests.attacks.scene import write_key
from tests.faults.media import DISK_FIRST, KINDS
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import Act, Harm
from tests.faults.truth import check_what_is_said
from tests.shapes import validate

RENEWED = 25
"""After so many killed runs a new portal is taken: each leaves a set or two, and all are listed every time."""


def sample(calls: str, count: int) -> Sequence[int]:
    """Return the numbers of some calls: every rename, which makes things visible, the call after it, and some between."""
    renames = [number for number, kind in enumerate(calls, 1) if kind == "r"]
    spread = range(1, len(calls) + 1, max(1, len(calls) // count))
    chosen = sorted({*renames[-count // 2 :], *(number + 1 for number in renames[-count // 2 :]), *spread})
    return chosen[:: max(1, len(chosen) // count)]


@pytest.mark.parametrize("kind", DISK_FIRST)
def test_a_killed_run_harms_nothing_and_the_next_one_succeeds(new_portal: NewPortal, kind: str) -> None:
    portal = new_portal(kind, *({"disk"} - {kind}))
    calls = portal.run("backup run --full").calls

    for number in sample(calls, 3):
        portal.run("backup run --full", harm=Harm(Act.KILL, number))
        portal.recovers(f"killed at call {number}")


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_after_a_killed_run_is_true(new_portal: NewPortal, kind: str) -> None:
    portal = new_portal(kind, *({"disk"} - {kind}))
    calls = portal.run("backup run --full").calls

    for number in (*sample(calls, 2), len(calls) - 3):  # the last one: the set is sealed, and perhaps recorded
        portal.run("backup run --full", harm=Harm(Act.KILL, number))
        check_what_is_said(portal, f"killed at call {number}")


def left_by_a_kill(portal: Portal) -> SetId:
    """Kill a run between the seal and the record, and return the set that it left."""
    recorded = set(portal.sets()["disk"])
    count = len(portal.run("backup run --full").calls)
    left: set[SetId] = set()
    before_end = max(0, min(_enough, default=0) - 8)
    while not left:
        before_end += 4
        recorded |= set(portal.sets()["disk"])
        killed = portal.run("backup run --full", harm=Harm(Act.KILL, count - before_end)).was_killed
        assert killed or count - before_end > 100
        left = set(portal.sets()["disk"]) - recorded if portal.unfinished() else set()
    _enough.append(before_end)
    (set_id,) = left
    return set_id


_enough: list[int] = []
"""How many calls before a run's end it was killed and left a set: the next search begins near the smallest."""


@pytest.mark.heavy
def test_a_set_that_a_killed_run_sealed_and_did_not_record_stops_no_pruning(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    set_id = left_by_a_kill(portal)
    portal.recovers("killed between the seal and the record")

    ended = portal.run("backup prune --trust-clock")

    assert ended.codes == (0,), ended.output.decode()
    (pruned,) = ended.answers()
    assert any(set_id in warning for warning in map(str, pruned["warnings"])), pruned


@pytest.mark.heavy
def test_a_set_that_a_killed_run_left_is_told_by_the_next_run_and_can_be_taken_in(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    left = left_by_a_kill(portal)
    duties = portal.run("status").answers()[0]["data"]

    (made,) = portal.run("backup run").answers()
    assert any(left in str(warning) for warning in made["warnings"]), made
    shown, taken, again = portal.run("backup import --dry-run", f"backup import {left}", "backup import").answers()

    for answer in (shown, taken, again):
        validate("backup import", answer["data"])
    assert [each["id"] for each in shown["data"]] == [left]
    ((found,), none) = (taken["data"], again["data"])
    assert (found["id"], [copy["state"] for copy in found["copies"]], none) == (left, ["verified"], [])
    listed, checked, pruned, status, ledger, restored = portal.run(
        "backup list",
        "media check",
        "backup prune --dry-run --trust-clock",
        "status",
        "ledger verify",
        f"backup show {left}",
    ).answers()
    assert left in {each["id"] for each in listed["data"]}
    assert (checked["data"][0]["problems"], checked["data"][0]["unknown"]) == ([], [])
    assert {each["id"]: each["fate"] for each in pruned["data"]}[left] == "keep" and pruned["warnings"] == []
    assert ledger["data"]["integrity"]["holds"] and len(ledger["data"]["completeness"]["crashed"]) == 1
    assert restored["data"]["id"] == left
    assert duties and status["data"]


@pytest.mark.heavy
def test_a_left_set_that_is_damaged_is_not_taken_in(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    left = left_by_a_kill(portal)
    pack = next((portal.folder_of["disk"] / left / "data").rglob("*.0001.age"))
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    ended = portal.run("backup import")

    assert ended.codes == (ExitCode.INTEGRITY,), ended.output.decode()
    assert pack.name in ended.output.decode()
    (listed,) = portal.run("backup list").answers()
    assert left not in {each["id"] for each in listed["data"]}


@pytest.mark.heavy
def test_nothing_is_taken_in_where_the_ledger_cannot_tell_its_keys(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    write_key(portal.folder / "signing", 7)
    with (portal.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write('\n[signing]\nkey = "signing"\n')
    left = left_by_a_kill(portal)
    with closing(Ledger.open(portal.folder / "state", SystemClock(), create=False)) as ledger:
        (added,) = ledger.records(kinds=(KEY_ADDED,))
    (blob,) = (path for path in (portal.folder / "state" / "blobs").rglob("*") if added.body in path.name)
    blob.unlink()
    write_key(portal.folder / "signing", 8)  # the ledger's own key would give the details anew
    (portal.folder / "state" / "keys" / "writer").unlink(missing_ok=True)

    ended = portal.run("backup import")

    assert ended.codes == (ExitCode.INTEGRITY,), ended.output.decode()
    (listed,) = portal.run("backup list").answers()
    assert left not in {each["id"] for each in listed["data"]}


def test_a_set_that_no_dead_run_can_have_made_is_not_taken_in(new_portal: NewPortal) -> None:
    portal = new_portal("disk")
    (made,) = portal.sets()["disk"]
    stranger = made.replace("-20", "-19", 1)
    (portal.folder_of["disk"] / made).rename(portal.folder_of["disk"] / stranger)

    (shown,) = portal.run("backup import").answers()

    assert shown["data"] == []


@pytest.mark.exhaustive
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
            check_what_is_said(portal, f"killed at call {number}")
            portal.recovers(f"killed at call {number}")
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)
    assert number > 80
