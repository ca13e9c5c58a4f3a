"""The media register from the command line, and looks at real disks."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backups.inspection import inspect
from backups.media import disk
from backups.media.disk import DiskMedium
from commands.cli.calling import call
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import DiagnosticState, diagnose
from portalops.errors import ExitCode, UsageError
from portalops.model.backups import CopyState
from portalops.reports.document import KeyValues, TableBlock
from tests.backups.test_prune import Portal
from tests.doubles import SilentProgress
from tests.shapes import data_of, validate

ADD = ("--label", "KH-01", "--place", "Tủ sắt phòng 204", "--custodian", "Nguyễn Văn An")


class Register(Portal):
    """A small portal whose media are looked at."""

    def media(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        result = call(self.session("media", *arguments))
        assert result.exit_code is expected, result
        validate(f"media {arguments[0]}", data_of(result))
        return data_of(result)


@pytest.fixture
def portal(tmp_path: Path) -> Register:
    return Register(tmp_path)


def test_a_medium_is_added_moved_and_listed(portal: Register) -> None:
    portal.back_up(1)
    portal.media("add", "disk-a", *ADD, "--expires", "2031-12-31")
    portal.media("add", "disk-b", *ADD)
    portal.clock.move(timedelta(days=3))
    portal.media("move", "disk-a", "--place", "Kho lưu trữ tỉnh", "--reason", "exchange")

    first, second = portal.media("list")

    assert (first["place"], first["custodian"]) == ("Kho lưu trữ tỉnh", "Nguyễn Văn An")
    assert (first["kind"], first["label"], first["expires_on"], first["sets"]) == ("disk", "KH-01", "2031-12-31", 1)
    assert first["since"] > second["since"]
    assert portal.bodies("media.moved")[0]["move"]["reason"] == "exchange"


def test_what_was_read_before_another_medium_took_its_place_does_not_count_for_that(portal: Register) -> None:
    portal.back_up(1)
    portal.clock.move(timedelta(days=1))
    for name in ("disk-a", "disk-b"):
        portal.media("add", name, *ADD)
    assert portal.media("list")[0]["read_at"] is not None
    portal.media("add", "disk-a", *ADD)

    assert portal.media("list")[0]["read_at"] is None
    portal.clock.move(timedelta(seconds=1))
    portal.media("check", "disk-a")
    assert portal.media("list")[0]["read_at"] is not None


def test_a_medium_that_is_not_configured_is_kept_in_the_register_alone(portal: Register) -> None:
    with pytest.raises(UsageError, match="kind"):
        portal.media("add", "box-1", *ADD)
    portal.media("add", "box-1", *ADD, "--kind", "optical")

    lines = {line["id"]: line for line in portal.media("list", expected=ExitCode.UNMET)}

    assert list(lines) == ["disk-a", "disk-b", "box-1"]
    assert (lines["box-1"]["configured"], lines["box-1"]["kind"]) == (False, "optical")
    with pytest.raises(UsageError, match="no backup medium"):
        portal.media("check", "box-1")


def test_a_medium_that_nobody_has_read_or_that_expired_is_told_of(portal: Register) -> None:
    portal.change("[backup]\n", "[rulebook]\nread_back_max_age_days = 3660\n\n[backup]\n")
    for name in ("disk-a", "disk-b"):
        portal.media("add", name, *ADD, "--expires", "2027-09-01")
    portal.back_up(1)
    assert [line["alarms"] for line in portal.media("list")] == [[], []]
    portal.clock.move(timedelta(days=6 * 31 - 1))
    portal.media("list")

    portal.clock.move(timedelta(days=2))
    (line, _other) = portal.media("list", expected=ExitCode.UNMET)
    assert ["not read back since" in alarm["text"] for alarm in line["alarms"]] == [True]
    portal.media("check", "disk-a", "--read-only")
    assert portal.media("list", expected=ExitCode.UNMET)[0]["alarms"] == []
    portal.change("[backup]\n", "[backup]\nunread_months = 0\n")
    portal.media("list")
    portal.clock.move(timedelta(days=365))
    assert "expired" in portal.media("list", expected=ExitCode.UNMET)[0]["alarms"][0]["text"]


def test_copies_that_were_read_too_long_ago_are_told_of_before_and_after_they_expire(portal: Register) -> None:
    portal.change("[backup]\n", '[[job]]\nid = "read"\nkind = "verify"\nevery = "week"\n\n[backup]\n')
    for name in ("disk-a", "disk-b"):
        portal.media("add", name, *ADD)
    (made,) = portal.back_up(1)
    assert portal.media("list")[0]["next_expires_at"] is not None

    portal.clock.move(timedelta(days=30))
    assert [line["expiring_soon"] for line in portal.media("list")] == [1, 1]
    notes = [each for each in diagnose(portal.session()) if each.state is DiagnosticState.NOTE]
    assert ["soon no longer counts as verified" in str(note.seen) for note in notes if note.subject == "media-register"] == [True, True]  # fmt: skip
    portal.clock.move(timedelta(days=6))
    line = portal.media("list", expected=ExitCode.UNMET)[0]
    shown = portal.result("show", made)
    data = data_of(shown)

    assert (line["expired"], line["expiring_soon"], line["next_expires_at"]) == (1, 0, None)
    assert [(alarm["text"], alarm["values"]) for alarm in line["alarms"]] == [
        ("1 copy on it was read too long ago to count as verified", {"n": 1})
    ]
    assert [(each["state"], each["fresh_level"], each["expired"][0]["level"]) for each in data["copies"]] == [
        ("verified", "none", "L2")
    ] * 2
    page = [block for block in shown.view if isinstance(block, TableBlock)]
    assert "verification expired" in str(page) and "read 36 days ago" in str(
        [str(cell) for table in page for row in table.rows for cell in row]
    )
    portal.result("verify")
    assert [line["alarms"] for line in portal.media("list")] == [[], []]


def test_the_doctor_tells_of_media_that_must_be_seen_to(portal: Register) -> None:
    assert [each for each in diagnose(portal.session()) if each.subject == "media-register"] == []
    portal.back_up(1)
    portal.media("add", "disk-a", *ADD)
    portal.media("check", "disk-a")

    found = [each for each in diagnose(portal.session()) if each.subject == "media-register"]

    assert [each.state for each in found] == [DiagnosticState.GOOD, DiagnosticState.WARNING]


def test_a_look_finds_all_as_recorded(portal: Register) -> None:
    portal.back_up(2)

    (found,) = portal.media("check", "disk-a")
    assert (found["reached"], found["writable"], found["sets"], found["problems"]) == (True, True, 2, [])
    (found,) = portal.media("check", "disk-a", "--read-only")
    assert found["writable"] is None
    assert len(portal.media("check")) == 2
    assert len(portal.bodies("media.checked")) == 4
    portal.media("check", "--dry-run")
    assert len(portal.bodies("media.checked")) == 4
    assert {path.name for path in (portal.folder / "disk-a").iterdir()} == {made.set.id for made in portal.sets()}


def test_a_set_that_is_missing_or_changed_is_found_and_no_duty_counts_it_any_more(portal: Register) -> None:
    first, second = portal.back_up(2)
    shutil.rmtree(portal.folder / "disk-a" / first)
    (portal.folder / "disk-a" / second / "bag-info.txt").write_text("changed")

    (found,) = portal.media("check", "disk-a", expected=ExitCode.INTEGRITY)

    assert found["damaged"] == [first, second]
    assert any("not listed" in problem for problem in found["problems"])
    assert any("bag-info.txt" in problem for problem in found["problems"])
    for made in portal.sets():
        assert {copy.medium: copy.state for copy in made.copies} == {
            "disk-a": CopyState.DAMAGED,
            "disk-b": CopyState.VERIFIED,
        }


def test_a_look_at_the_structure_verifies_nothing(portal: Register) -> None:
    (made,) = portal.back_up(1)
    before = portal.sets()[0].copies
    pack = next((portal.folder / "disk-a" / made / "data").rglob("*.0001.age"))
    data = bytearray(pack.read_bytes())
    data[-1] ^= 1
    pack.write_bytes(data)
    portal.clock.move(timedelta(days=1))

    portal.media("check", "disk-a")

    assert portal.sets()[0].copies == before


def test_a_set_that_nobody_recorded_is_found(portal: Register) -> None:
    (made,) = portal.back_up(1)
    stranger = f"demo-20250101T000000Z-full-{'0' * 6}"
    shutil.copytree(portal.folder / "disk-a" / made, portal.folder / "disk-a" / stranger)

    (found,) = portal.media("check", "disk-a", expected=ExitCode.INTEGRITY)

    assert found["unknown"] == [stranger]


def test_a_medium_that_is_away_is_told_and_changes_no_copy(portal: Register) -> None:
    portal.back_up(1)
    (portal.folder / "disk-a").rename(portal.folder / "away")
    portal.change('folder = "disk-a"\ncreate = true', 'folder = "disk-a"')

    (found,) = portal.media("check", "disk-a", expected=ExitCode.PARTIAL)

    assert (found["reached"], found["writable"]) == (False, None)
    assert [copy.state for copy in portal.sets()[0].copies] == [CopyState.VERIFIED] * 2
    alarms = portal.media("list", expected=ExitCode.UNMET)[0]["alarms"]
    assert any("could not be read" in alarm["text"] for alarm in alarms)


def test_a_copy_that_was_not_reached_is_no_evidence_until_it_is_reached_again(portal: Register) -> None:
    portal.back_up(1)
    (portal.folder / "disk-a").rename(portal.folder / "away")
    portal.change('folder = "disk-a"\ncreate = true', 'folder = "disk-a"')

    portal.media("check", "disk-a", expected=ExitCode.PARTIAL)
    assert [copy.medium for copy in portal.sets()[0].verified_copies() if not copy.problem] == ["disk-b"]

    (portal.folder / "away").rename(portal.folder / "disk-a")
    portal.media("check", "disk-a")
    assert {copy.medium for copy in portal.sets()[0].verified_copies() if not copy.problem} == {"disk-a", "disk-b"}


@pytest.mark.parametrize("more", [(), ("--read-only",)])
def test_a_disk_that_the_first_run_is_to_make_is_no_fault(portal: Register, more: tuple[str, ...]) -> None:
    result = call(portal.session("media", "check", "disk-a", *more))

    assert (result.exit_code, (portal.folder / "disk-a").exists()) == (ExitCode.OK, False)
    (facts,) = result.view
    assert isinstance(facts, KeyValues)
    assert "not made yet; the first run makes it" in str(facts)
    portal.back_up(1)
    assert portal.bodies("media.checked") == [], "there was nothing to look at"


def test_a_disk_to_make_on_which_sets_are_recorded_is_a_fault_that_does_not_ask_for_what_is_set(
    portal: Register,
) -> None:
    portal.back_up(1)
    (portal.folder / "disk-a").rename(portal.folder / "away")

    result = call(portal.session("media", "check", "disk-a"))

    assert result.exit_code is ExitCode.PARTIAL
    assert "there is no folder" in str(result.view) and "create = true" not in str(result.view)


def test_a_disk_that_takes_no_writing_is_told(portal: Register) -> None:
    settings = disk.Settings(folder=Path("/proc/self"), allow_same_filesystem=True)

    found = inspect(
        DiskMedium("disk-a", settings),
        "demo",
        (),
        tries_writing=True,
        keys=None,
        clock=portal.clock,
        progress=SilentProgress(),
    )

    assert (found.reached, found.writable, len(found.problems)) == (True, False, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "Disk A", *ADD, "--kind", "disk"),
        ("add", "disk-a", *ADD, "--kind", "tape"),
        ("add", "box", *ADD, "--kind", "a b"),
        ("add", "disk-a", "--label", " ", "--place", "x", "--custodian", "y"),
        ("add", "disk-a", *ADD, "--expires", "soon"),
        ("move", "disk-a", "--place", "x"),
        ("check", "nothing"),
    ],
)
def test_wrong_usage_is_told_and_nothing_recorded(portal: Register, arguments: tuple[str, ...]) -> None:
    portal.back_up(1)

    with pytest.raises(UsageError) as caught:
        portal.media(*arguments)
    assert str(caught.value.hint)
    assert portal.bodies("media.added") == []


def test_dry_runs_record_nothing_and_a_move_says_what_changes(portal: Register) -> None:
    portal.back_up(1)
    portal.media("add", "disk-a", *ADD, "--dry-run")
    assert portal.bodies("media.added") == []
    portal.media("add", "disk-a", *ADD)

    portal.media("move", "disk-a", "--custodian", "B", "--dry-run")

    assert portal.bodies("media.moved") == []
    with pytest.raises(UsageError, match="no change is given"):
        portal.media("move", "disk-a")


def test_an_id_that_is_added_again_is_another_medium(portal: Register) -> None:
    portal.media("add", "disk-a", *ADD)
    result = call(portal.session("media", "add", "disk-a", *ADD))

    assert "before" in str(result.warnings[0])


def test_odd_text_is_bounded_and_escaped(portal: Register) -> None:
    added = portal.media("add", "disk-a", "--label", "a\x1b[31m" + "b" * 500, "--place", "x", "--custodian", "y")

    assert "\x1b" not in added["label"]
    assert len(added["label"]) <= 200


def test_the_list_before_there_is_a_ledger(portal: Register) -> None:
    session = Session(Invocation(("media", "list"), portal.folder / "portalops.toml"), {}, clock=portal.clock)

    assert call(session).exit_code is ExitCode.UNMET
