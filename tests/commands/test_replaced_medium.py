"""A medium that another one took the place of: what was on it is gone with it, no damage, and is copied again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from portalops.errors import ExitCode, UsageError
from portalops.model.backups import CopyState, SetId
from portalops.model.verdicts import DutyVerdict
from tests.commands.test_lost_medium import COPY, Rotating
from tests.shapes import data_of, validate

WHERE = ("--label", "KH-SL-02", "--place", "Tủ sắt phòng 204", "--custodian", "Nguyễn Văn An")
WHY = ("--label", "KH-SL-07", "--reason", "Đĩa báo lỗi cung từ")


class Replacing(Rotating):
    """A portal with two disks in the register, of which one is lost for good."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, jobs=COPY + '\n[[job]]\nid = "weekly-verify"\nkind = "verify"\nevery = "week"\n')
        for name in ("disk-a", "disk-b"):
            self.media("add", name, *WHERE)

    def media(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        session = self.session("media", *arguments)
        try:
            result = call(session)
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()
        assert result.exit_code is expected, result
        validate(f"media {arguments[0]}", data_of(result))
        return data_of(result)

    def lose(self, medium: str) -> Path:
        """Leave the new, empty disk in the place of the old one."""
        disk = self.folder / medium
        old = self.folder / f"old-{medium}"
        disk.rename(old)
        disk.mkdir()
        return old

    def states(self, medium: str) -> dict[SetId, CopyState]:
        return {made.set.id: copy.state for made in self.sets() for copy in made.copies if copy.medium == medium}


@pytest.fixture
def portal(tmp_path: Path) -> Replacing:
    made = Replacing(tmp_path)
    made.clock.move(timedelta(minutes=5))
    return made


def test_the_copies_of_a_replaced_medium_are_gone_and_not_damaged(portal: Replacing) -> None:
    portal.back_up(3)
    portal.lose("disk-b")
    portal.clock.move(timedelta(hours=1))

    portal.media("add", "disk-b", *WHERE)

    assert set(portal.states("disk-b").values()) == {CopyState.REPLACED}
    assert set(portal.states("disk-a").values()) == {CopyState.VERIFIED}
    portal.call("verify")
    assert portal.media("check")[1]["problems"] == []
    assert {each["sets"] for each in portal.media("list") if each["id"] == "disk-b"} == {0}


def test_neither_reading_nor_pruning_stops_for_a_medium_that_was_replaced(portal: Replacing) -> None:
    made = portal.back_up(4)
    portal.lose("disk-b")
    portal.clock.move(timedelta(hours=1))
    portal.media("replace", "disk-b", *WHY)

    for _week in range(3):
        portal.clock.move(timedelta(days=7))
        assert not [job for job in portal.run_due()["jobs"] if job["exit_code"] == ExitCode.INTEGRITY]
        portal.prune()

    assert portal.on("disk-a") == portal.on("disk-b")
    assert made[0] not in portal.on("disk-a")


def test_one_command_makes_up_what_the_rules_keep(portal: Replacing) -> None:
    made = portal.back_up(4)
    portal.lose("disk-b")
    portal.clock.move(timedelta(hours=1))

    planned = portal.media("replace", "disk-b", *WHY, "--dry-run")
    assert ([each["set"] for each in planned["copies"]], planned["gone"]) == ([made[3], made[2]], 4)
    assert {each["from"] for each in planned["copies"]} == {"disk-a"} and not planned["recorded"]
    assert portal.on("disk-b") == set() and len(portal.bodies("media.added")) == 2
    done = portal.media("replace", "disk-b", *WHY)

    assert [(each["set"], each["state"]) for each in done["copies"]] == [(made[3], "verified"), (made[2], "verified")]
    assert portal.on("disk-b") == set(made[2:]), "the others no rule keeps"
    entry = portal.bodies("media.added")[-1]["medium"]
    assert (entry["replaces"], entry["reason"], entry["label"]) == (True, "Đĩa báo lỗi cung từ", "KH-SL-07")
    assert (entry["place"], entry["custodian"]) == ("Tủ sắt phòng 204", "Nguyễn Văn An")
    assert "user_id" in portal.bodies("media.added")[-1]["circumstances"]
    assert list(portal.states("disk-b").values()) == [CopyState.REPLACED] * 2 + [CopyState.VERIFIED] * 2


def test_what_was_copied_over_by_hand_is_read_back_and_not_copied_again(portal: Replacing) -> None:
    made = portal.back_up(4)
    old = portal.lose("disk-b")
    shutil.copytree(old, portal.folder / "disk-b", dirs_exist_ok=True)
    portal.clock.move(timedelta(hours=1))
    assert {each["from"] for each in portal.media("replace", "disk-b", *WHY, "--dry-run")["copies"]} == {None}

    done = portal.media("replace", "disk-b", *WHY)

    assert {(each["state"], each["from"]) for each in done["copies"]} == {("verified", None)}
    assert list(portal.states("disk-b").values()) == [CopyState.VERIFIED] * 4
    portal.prune()
    assert len(made) == 4


def test_a_medium_that_was_the_same_one_after_all_is_found_again_and_read(portal: Replacing) -> None:
    made = portal.back_up(3)
    portal.clock.move(timedelta(hours=1))
    portal.media("add", "disk-b", *WHERE)

    portal.media("check", "disk-b")

    assert portal.states("disk-b") == dict.fromkeys(made, CopyState.SEALED), "found, and not read back yet"
    portal.call("verify")
    assert portal.states("disk-b")[made[-1]] is CopyState.VERIFIED
    assert portal.prune()["kept"] == 2


def test_a_new_medium_that_is_not_there_yet_gets_its_copies_from_the_copy_job(portal: Replacing) -> None:
    made = portal.back_up(2)
    portal.carry_away("disk-b")
    portal.clock.move(timedelta(hours=1))

    owed = portal.media("replace", "disk-b", *WHY, expected=ExitCode.PARTIAL)

    assert owed["recorded"] and all(each["state"] != "verified" for each in owed["copies"])
    assert "disk-b" in str(portal.standing("10.2-interval")["details"])
    (portal.folder / "disk-b").mkdir()
    portal.clock.move(timedelta(hours=1, minutes=1))
    portal.run_due()
    assert portal.on("disk-b") == set(made)


def test_a_week_whose_only_copy_went_with_a_medium_is_unknown_and_its_set_is_lost(portal: Replacing) -> None:
    portal.carry_away("disk-a")
    portal.call("run", expected=ExitCode.PARTIAL)
    portal.bring_back("disk-a")
    portal.lose("disk-b")
    portal.clock.move(timedelta(hours=1))
    portal.media("replace", "disk-b", *WHY, expected=ExitCode.PARTIAL)
    portal.clock.move(timedelta(days=7))
    portal.call("run")

    duties = {each["id"]: each for each in data_of(call(portal.session("status")))}

    assert duties["10.2-interval"]["verdict"] == DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "no copy of it is left" in str(duties["10.2-interval"]["details"])
    assert duties["10.2-content"]["verdict"] == DutyVerdict.INSUFFICIENT_EVIDENCE
    assert duties["10.2-retention"]["verdict"] == DutyVerdict.UNMET


def test_a_week_of_which_another_medium_has_the_set_stays_met(portal: Replacing) -> None:
    portal.back_up(2)
    before = {each["id"]: each["verdict"] for each in data_of(call(portal.session("status")))}
    portal.lose("disk-b")
    portal.clock.move(timedelta(hours=1))
    portal.media("replace", "disk-b", *WHY)

    after = {each["id"]: each["verdict"] for each in data_of(call(portal.session("status")))}

    assert {duty: verdict for duty, verdict in after.items() if duty.startswith("10.2")} == {
        duty: verdict for duty, verdict in before.items() if duty.startswith("10.2")
    }


def test_damage_that_was_found_before_is_no_reading_of_the_new_medium(portal: Replacing) -> None:
    (made,) = portal.back_up(1)
    old = portal.lose("disk-b")
    shutil.copytree(old, portal.folder / "disk-b", dirs_exist_ok=True)
    next((portal.folder / "disk-b" / made).rglob("*.age")).write_bytes(b"x")
    portal.call("verify", expected=ExitCode.INTEGRITY)
    shutil.rmtree(portal.folder / "disk-b" / made)
    portal.clock.move(timedelta(hours=1))

    portal.media("add", "disk-b", *WHERE)

    (gone,) = [copy for copy in portal.sets()[0].copies if copy.medium == "disk-b"]
    assert (gone.state, gone.verified_at) == (CopyState.REPLACED, None)
    assert "gone with disk-b, which was replaced on" in gone.problem


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("disk-z", *WHY), "nothing takes its place"),
        (("disk-b", "--label", "KH-SL-07", "--reason", " "), "--reason is empty"),
    ],
)
def test_a_replacement_says_what_of_and_why(portal: Replacing, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        portal.media("replace", *arguments)


def test_a_medium_that_was_in_no_register_is_replaced_with_its_place_and_keeper(tmp_path: Path) -> None:
    portal = Rotating(tmp_path)
    portal.back_up(1)
    portal.carry_away("disk-b")
    (tmp_path / "disk-b").mkdir()
    portal.clock.move(timedelta(hours=1))
    with pytest.raises(UsageError, match="in no register"):
        call(portal.session("media", "replace", "disk-b", *WHY))

    result = call(portal.session("media", "replace", "disk-b", *WHERE, "--reason", "mất đĩa"))

    assert result.exit_code is ExitCode.OK
    assert portal.on("disk-b") == portal.on("disk-a")
