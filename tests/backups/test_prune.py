"""Sets marked and removed on real disks, from the command line, on a clock that the test moves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backups.media import disk
from backups.media.disk import DiskMedium
from backups.prune import MediaListing, Removal, remove_sets
from commands.cli.calling import call
from commands.cli.invocation import Invocation
from commands.cli.result import Result
from commands.cli.session import Session
from portalops import bodies
from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.errors import (
    ClockWentBack,
    ConfigurationError,
    ExitCode,
    LedgerError,
    MediumUnavailable,
    PortalOpsError,
    PruneRefused,
    SetLocked,
    SetNotFound,
    UsageError,
)
from portalops.model.backups import CopyState, SetId
from portalops.model.message import msg
from portalops.model.period import parse_period
from portalops.model.record import RunId
from portalops.model.standing import Standing
from portalops.model.text import format_at
from portalops.model.verdicts import DutyVerdict
from portalops.ports import Medium
from portalops.registers.backups import SetEvidence, due_for_reading, recorded_sets
from portalops.registers.evidence import read_evidence
from portalops.registers.retention import read_retention
from tests.backups.kit import keys
from tests.backups.media.parts import s3_table
from tests.backups.memory import MemoryMedium
from tests.doubles import FixedClock, SilentProgress
from tests.servers import ObjectStore, a_bucket
from tests.shapes import data_of, validate

START = datetime(2026, 9, 7, 20, 0, tzinfo=UTC)
"""A Tuesday, 3 in the morning, in the portal's zone."""

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng", en = "Portal" }}

[state]
folder = "state"

[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]

[backup.retention]
keep_weekly = 2

[backup.excused]
documents = "x"
channels = "x"
accounts = "x"
configuration = "x"
related = "x"

[[backup.source]]
id = "articles"
kind = "files"
class = "content"
include = ["articles"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "disk-a"
create = true
allow_same_filesystem = true

[[backup.medium]]
id = "disk-b"
kind = "disk"
folder = "disk-b"
create = true
allow_same_filesystem = true

[[job]]
id = "weekly-backup"
kind = "backup"
every = "week"
duty = "10.2"
"""


class Portal:
    """A small portal, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(START)
        self.clock_kept: bool | None = True
        """What the kernel says of its clock."""
        (operator, escrow) = (key for _name, key in keys().public)
        (folder / "portalops.toml").write_text(CONFIGURATION.format(operator=operator, escrow=escrow))
        (folder / "articles").mkdir()
        (folder / "articles" / "a.html").write_text("tin")

    def session(self, *arguments: str) -> Session:
        session = Session(Invocation(arguments, self.folder / "portalops.toml"), {}, clock=self.clock)
        session.circumstances = replace(session.circumstances, clock_synchronised=self.clock_kept)
        return session

    def result(self, *arguments: str) -> Result[object]:
        session = self.session("backup", *arguments)
        try:
            return call(session)
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()

    def call(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        result = self.result(*arguments)
        assert result.exit_code is expected, result
        validate(f"backup {arguments[0]}", data_of(result))
        return data_of(result)

    def prune(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        return self.call("prune", *arguments, expected=expected)

    def back_up(self, count: int = 1, *arguments: str) -> list[SetId]:
        """Make a set now and in each week that follows."""
        made = []
        for number in range(count):
            if number:
                self.clock.move(timedelta(days=7))
            made.append(self.call("run", *arguments)["set"])
        return made

    def change(self, old: str, new: str) -> None:
        path = self.folder / "portalops.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def sets(self) -> tuple[SetEvidence, ...]:
        return recorded_sets(self.session().ledger)

    def on(self, medium: str) -> set[str]:
        return {path.name for path in (self.folder / medium).iterdir()}

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        ledger = self.session().ledger
        return [json.loads(ledger.blob(record.body)) for record in ledger.records(kinds=(kind,))]


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


def fates(data: Any) -> list[str]:
    return [each["fate"] for each in data]


def test_a_set_is_marked_first_and_removed_when_the_time_to_undo_is_over(portal: Portal) -> None:
    made = portal.back_up(4)

    assert fates(portal.prune("--dry-run")) == ["mark", "mark", "keep", "keep"]
    assert portal.bodies("prune.marked") == []
    assert portal.prune()["marked"] == made[:2]
    assert portal.on("disk-a") == set(made)
    portal.clock.move(timedelta(days=6))
    assert fates(portal.prune("--dry-run")) == ["marked", "marked", "keep", "keep"]
    assert portal.prune()["removed"] == []
    portal.clock.move(timedelta(days=1))
    assert fates(portal.prune("--dry-run")) == ["remove", "remove", "keep", "keep"]
    assert portal.on("disk-a") == set(made)

    done = portal.prune()

    assert [each["set_id"] for each in done["removed"]] == made[:2]
    assert portal.on("disk-a") == portal.on("disk-b") == set(made[2:])
    assert fates(portal.prune("--dry-run")) == ["keep", "keep"]
    states = {each["id"]: [copy["state"] for copy in each["copies"]] for each in portal.call("list")}
    assert [states[name] for name in made] == [["disposed"] * 2] * 2 + [["verified"] * 2] * 2


def test_the_disposal_record_says_who_by_which_rule_and_what(portal: Portal) -> None:
    made = portal.back_up(3)
    digest = portal.sets()[0].set.bag_sha256
    portal.prune()
    portal.clock.move(timedelta(days=7))
    portal.prune()

    body = portal.bodies("prune.finished")[-1]

    (disposal,) = body["prune"]["disposals"]
    assert (disposal["set_id"], disposal["bag_sha256"]) == (made[0], digest)
    assert (disposal["media"], disposal["left"]) == (["disk-a", "disk-b"], [])
    assert disposal["reason"]["text"] == "no rule keeps it"
    assert body["prune"]["policy"]["keep_weekly"] == 2
    assert isinstance(body["circumstances"]["user_id"], int)
    ledger = portal.session().ledger
    marked = ledger.record(disposal["marked_seq"])
    assert marked is not None
    assert (marked.kind, marked.subject) == ("prune.marked", made[0])


def test_what_is_removed_is_not_read_restored_or_held_any_more(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()
    portal.clock.move(timedelta(days=7))
    portal.prune()

    assert made[0] not in {
        each.set.id for each, _copy in due_for_reading(portal.sets(), every=timedelta(days=7), limit=timedelta(days=35))
    }
    with pytest.raises(SetNotFound):
        portal.result("verify", made[0])
    with pytest.raises(SetNotFound):
        portal.result("drill", made[0], "--dry-run")
    for verb in ("hold", "release"):
        with pytest.raises(UsageError):
            portal.result(verb, made[0], "--reason", "x")
    with pytest.raises(UsageError, match="removed"):
        portal.result("prune", "--undo", made[0])


def test_an_undone_mark_is_a_hold_until_it_is_released(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()

    portal.call("prune", "--undo", made[0], "--reason", "asked for by the inspector")
    portal.clock.move(timedelta(days=30))
    (first, *_others) = portal.prune("--dry-run")
    assert (first["fate"], first["held"], first["reasons"][0]["text"]) == (
        "keep",
        True,
        "held: asked for by the inspector",
    )
    assert portal.prune()["removed"] == []

    portal.call("release", made[0], "--reason", "over")
    assert portal.prune()["marked"] == [made[0]]
    assert made[0] in portal.on("disk-a")


def test_a_set_shows_that_it_is_held_or_marked(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()
    portal.call("hold", made[1], "--reason", "inspection")

    first, second, third = (portal.call("show", name) for name in made)

    assert (first["held"], first["marked_until"]) == (None, format_at(portal.clock.at + timedelta(days=7)))
    assert (second["held"], second["marked_until"]) == ("inspection", None)
    assert (third["held"], third["marked_until"]) == (None, None)


def test_a_hold_takes_a_mark_back_and_its_time_begins_anew(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()
    portal.clock.move(timedelta(days=6))
    portal.call("hold", made[0], "--reason", "x")
    portal.prune()
    portal.call("release", made[0], "--reason", "y")
    portal.clock.move(timedelta(days=2))

    assert portal.prune()["marked"] == [made[0]]
    portal.clock.move(timedelta(days=6))
    assert portal.prune()["removed"] == []


def test_a_hold_placed_while_a_run_is_at_work_is_seen(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()
    session = portal.session()
    (removal,) = removals(session)

    removed = remove_sets([removal], {}, (), MediaListing({}, {}), still=lambda _set: False, progress=SilentProgress())

    assert removed.copies == ()
    assert made[0] in str(removed.problems[0])


def test_where_a_hold_may_be_unknown_nothing_more_goes_and_what_went_is_told(portal: Portal) -> None:
    marked_and_due(portal)
    session = portal.session()
    sets = recorded_sets(session.ledger)
    medium = MemoryMedium("disk-a")
    medium.stored = {made.set.id: {} for made in sets}
    answers = iter([True])

    def still(set_id: SetId) -> bool:
        for answer in answers:
            return answer
        raise LedgerError(msg("lost"), msg("x"))

    removed = remove_sets(
        removals(session), {"disk-a": medium}, sets, MediaListing({}, {}), still=still, progress=SilentProgress()
    )

    assert [copy.set_id for copy in removed.copies] == [sets[0].set.id]
    assert "lost" in str(removed.problems[-1])
    assert len(medium.stored) == 3


def test_a_prune_by_hand_changes_no_plan(portal: Portal) -> None:
    portal.back_up(3)
    plans = portal.bodies("plan")
    portal.change('[[job]]\nid = "weekly-backup"', '[[job]]\nid = "other"')

    portal.prune()

    assert portal.bodies("plan") == plans


def removals(session: Session) -> list[Removal]:
    marks = read_retention(session.ledger).marks
    return [Removal(made, marks[made.set.id]) for made in recorded_sets(session.ledger) if made.set.id in marks]


def test_dry_runs_change_nothing(portal: Portal) -> None:
    made = portal.back_up(3)
    portal.prune()
    count = portal.session().ledger.count()

    portal.prune("--dry-run")
    portal.call("hold", made[0], "--reason", "x", "--dry-run")
    portal.call("prune", "--undo", made[0], "--dry-run")
    portal.call("prune", "--simulate", "2026-09-01..2026-12-31")

    assert portal.session().ledger.count() == count


def test_without_a_policy_nothing_is_done(portal: Portal) -> None:
    portal.back_up(2)
    portal.change("keep_weekly = 2", "")

    for arguments in (("--dry-run",), (), ("--simulate", "2026")):
        with pytest.raises(ConfigurationError, match="no retention policy"):
            portal.result("prune", *arguments)
    assert portal.bodies("prune.marked") == []


@pytest.mark.parametrize("bad", ["keep_weekly = -1", 'keep_weekly = "two"', "keep_weeks = 2", "undo_days = 0"])
def test_a_policy_that_cannot_be_read_removes_nothing(portal: Portal, bad: str) -> None:
    portal.back_up(1)
    portal.change("keep_weekly = 2", bad)

    with pytest.raises(ConfigurationError):
        portal.result("prune")


def test_a_clock_that_nobody_keeps_removes_nothing(portal: Portal) -> None:
    portal.back_up(3)

    for said in (False, None):
        portal.clock_kept = said
        for arguments in (("prune",), ("prune", "--dry-run")):
            with pytest.raises(PruneRefused, match="clock"):
                portal.result(*arguments)
    assert portal.bodies("prune.marked") == []
    assert len(portal.prune("--trust-clock")["marked"]) == 1


def test_a_clock_behind_the_ledger_removes_nothing(portal: Portal) -> None:
    portal.back_up(3)
    portal.clock.move(timedelta(days=-30))

    with pytest.raises(ClockWentBack):
        portal.result("prune")


def marked_and_due(portal: Portal, count: int = 4) -> list[SetId]:
    made = portal.back_up(count)
    portal.prune()
    portal.clock.move(timedelta(days=8))
    return made


def add_stranger(portal: Portal, made: list[SetId]) -> None:
    stranger = portal.folder / "disk-a" / f"demo-20250101T000000Z-full-{'0' * 6}"
    shutil.copytree(portal.folder / "disk-a" / made[0], stranger)


def take_newest(portal: Portal, made: list[SetId]) -> None:
    shutil.rmtree(portal.folder / "disk-a" / made[-1])


def take_due(portal: Portal, made: list[SetId]) -> None:
    shutil.rmtree(portal.folder / "disk-a" / made[0])


@pytest.mark.heavy
@pytest.mark.parametrize("tamper", [add_stranger, take_newest, take_due])
def test_where_a_medium_does_not_list_what_is_recorded_nothing_goes(
    portal: Portal, tamper: Callable[[Portal, list[SetId]], None]
) -> None:
    made = marked_and_due(portal)
    tamper(portal, made)

    done = portal.prune(expected=ExitCode.INTEGRITY)

    assert "disk-a" in done["problems"][0]
    assert done["removed"] == []
    assert portal.on("disk-b") == set(made)
    portal.prune("--dry-run", expected=ExitCode.INTEGRITY)


@pytest.mark.heavy
def test_sets_of_another_portal_on_the_same_disk_are_no_matter_of_ours(portal: Portal) -> None:
    made = marked_and_due(portal)
    other = f"other-20250101T000000Z-full-{'0' * 6}"
    shutil.copytree(portal.folder / "disk-a" / made[0], portal.folder / "disk-a" / other)

    assert len(portal.prune()["removed"]) == 2
    assert other in portal.on("disk-a")


def test_a_disk_that_is_away_keeps_its_copies_until_it_is_back(portal: Portal) -> None:
    made = marked_and_due(portal)
    away = portal.folder / "away"
    (portal.folder / "disk-b").rename(away)

    done = portal.prune(expected=ExitCode.PARTIAL)

    assert [(each["media"], each["left"]) for each in done["removed"]] == [(["disk-a"], ["disk-b"])] * 2
    assert portal.on("disk-a") == set(made[2:])
    states = {copy.medium: copy.state for copy in portal.sets()[0].copies}
    assert states == {"disk-a": CopyState.DISPOSED, "disk-b": CopyState.VERIFIED}
    away.rename(portal.folder / "disk-b")
    done = portal.prune()
    assert [(each["media"], each["left"]) for each in done["removed"]] == [(["disk-b"], [])] * 2


def test_where_no_good_set_is_seen_nothing_goes(portal: Portal) -> None:
    made = marked_and_due(portal)
    for name in ("disk-a", "disk-b"):
        (portal.folder / name).rename(portal.folder / f"away-{name}")

    done = portal.prune(expected=ExitCode.PARTIAL)

    assert done["problems"] == ["no good set that is kept was seen on a medium just now"]
    assert portal.on("away-disk-a") == set(made)


def test_a_run_that_was_killed_while_it_removed_is_taken_up(portal: Portal) -> None:
    made = marked_and_due(portal)
    session = portal.session()
    body = bodies.write({"circumstances": session.circumstances})
    session.writable_ledger.append(
        "prune.started", run=RunId("10.2-retention:prune:killed"), subject="prune", duty="10.2-retention", body=body
    )
    session.writable_ledger.close()
    (portal.folder / "disk-a" / made[0]).rename(portal.folder / "disk-a" / f".removing-{made[0]}")
    portal.clock.move(timedelta(hours=1))

    done = portal.prune()

    assert [each["set_id"] for each in done["removed"]] == made[:2]
    assert portal.on("disk-a") == portal.on("disk-b") == set(made[2:])


@pytest.mark.heavy
def test_a_base_goes_with_its_differentials_and_not_before(portal: Portal) -> None:
    portal.change("[backup.retention]", 'full_every = "month"\n\n[backup.retention]')
    portal.change("keep_weekly = 2", "keep_last = 1")
    full = portal.back_up(1, "--full")[0]
    diffs = []
    for number in range(2):
        portal.clock.move(timedelta(days=1))
        (portal.folder / "articles" / f"{number}.html").write_text("tin")
        diffs += portal.back_up(1, "--diff")

    assert fates(portal.prune("--dry-run")) == ["keep", "mark", "keep"]
    portal.clock.move(timedelta(days=1))
    newest = portal.back_up(1, "--full")[0]
    assert fates(portal.prune("--dry-run")) == ["mark", "mark", "mark", "keep"]
    portal.prune()
    portal.clock.move(timedelta(days=8))
    away = portal.folder / "away"
    (portal.folder / "disk-b").rename(away)

    done = portal.prune(expected=ExitCode.PARTIAL)

    assert [each["set_id"] for each in done["removed"]] == diffs
    assert any(full in problem and "builds on it" in problem for problem in done["problems"])
    assert portal.on("disk-a") == {full, newest}
    away.rename(portal.folder / "disk-b")
    portal.prune()
    assert portal.on("disk-a") == portal.on("disk-b") == {newest}


def test_documents_go_only_by_an_approved_list_that_is_kept_as_evidence(portal: Portal, tmp_path: Path) -> None:
    portal.change('documents = "x"\n', "")
    portal.change('class = "content"', 'class = "documents"')
    portal.change('channels = "x"', 'channels = "x"\ncontent = "x"')
    made = portal.back_up(4)
    assert fates(portal.prune("--dry-run")) == ["keep"] * 4
    listed = tmp_path / "list.txt"
    listed.write_text(f"# Quyết định 12/QĐ\n{made[0]}\n")

    for arguments in (("--approved", str(listed)), ("--approved-by", "An")):
        with pytest.raises(UsageError, match="go together"):
            portal.result("prune", *arguments)
    assert portal.prune("--approved", str(listed), "--approved-by", "Nguyễn Văn An")["marked"] == [made[0]]
    portal.clock.move(timedelta(days=8))
    (removed,) = portal.prune()["removed"]

    assert (removed["set_id"], removed["approved_by"]) == (made[0], "Nguyễn Văn An")
    ledger = portal.session().ledger
    assert ledger.blob(removed["evidence"]) == listed.read_bytes()
    assert portal.on("disk-a") == set(made[1:])


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"demo-20200101T000000Z-full-aaaaaa\n", b"\xff\xfe\n"])
def test_an_approved_list_that_is_none_is_refused(portal: Portal, tmp_path: Path, content: bytes) -> None:
    portal.back_up(1)
    listed = tmp_path / "list.txt"
    listed.write_bytes(content)

    with pytest.raises(UsageError):
        portal.result("prune", "--approved", str(listed), "--approved-by", "An")


def test_the_simulation_goes_on_in_the_rhythm_of_the_job(portal: Portal) -> None:
    made = portal.back_up(2)

    courses = portal.call("prune", "--simulate", "2026-09-14..2026-12-31")

    by_id = {each["id"]: each for each in courses}
    assert by_id[made[0]]["removed_on"] == "2026-09-28"
    assert sum(each["planned"] for each in courses) == 15
    assert sum(each["marked_on"] is None for each in courses) == 2


# --- what duties make of it -------------------------------------------------------------------


def verdicts(portal: Portal, period: str) -> dict[str, DutyVerdict]:
    return {duty: each.verdict for duty, each in standings(portal, period).items()}


def standings(portal: Portal, period: str) -> dict[str, Standing]:
    session = portal.session()
    evidence = read_evidence(session.ledger, parse_period(period), now=portal.clock.now(), zone=session.zone_of_portal)
    judged = judge(Situation(session.rulebook, evidence, (), (), load_calendar()))
    return {each.duty: each for each in judged if each.duty.startswith("10.2-")}


@pytest.mark.heavy
def test_what_was_met_in_its_week_stays_met_after_the_set_was_removed(portal: Portal) -> None:
    portal.back_up(4)
    before = {week: verdicts(portal, week) for week in ("2026-W37", "2026-W38", "2026-09-07..2026-09-27")}
    assert before["2026-W38"]["10.2-content"] is DutyVerdict.MET
    portal.prune()
    portal.clock.move(timedelta(days=8))
    portal.prune()

    assert {week: verdicts(portal, week) for week in before} == before


@pytest.mark.heavy
def test_retention_names_what_was_removed_and_by_which_rule(portal: Portal) -> None:
    made = portal.back_up(3)
    assert verdicts(portal, "2026-W39")["10.2-retention"] is DutyVerdict.INSUFFICIENT_EVIDENCE
    portal.prune()
    portal.clock.move(timedelta(days=8))
    portal.prune()

    standing = standings(portal, "2026-W40")["10.2-retention"]

    assert standing.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "recorded rule" in str(standing.reason)
    assert made[0] in str(standing.details[0])


def test_a_removal_without_a_rule_is_unmet(portal: Portal) -> None:
    portal.back_up(2)
    session = portal.session()
    copies = [
        {**bodies.encode(copy), "state": "disposed"}  # type: ignore[dict-item]
        for copy in recorded_sets(session.ledger)[0].copies
    ]
    result = {"policy": bodies.encode(session.settings.backup.retention), "copies": copies}
    session.writable_ledger.append("prune.finished", run=RunId("10.2:prune:x"), body=bodies.write({"prune": result}))

    assert verdicts(portal, "2026-W38")["10.2-retention"] is DutyVerdict.UNMET


def test_a_removed_copy_never_speaks_for_what_there_is_now(portal: Portal) -> None:
    portal.back_up(1)
    session = portal.session()
    (made,) = recorded_sets(session.ledger)
    gone = {"copies": [{**bodies.encode(copy), "state": "disposed"} for copy in made.copies]}  # type: ignore[dict-item]
    policy = bodies.encode(session.settings.backup.retention)
    body = bodies.write({"prune": {"policy": policy, **gone}})
    session.writable_ledger.append("prune.finished", run=RunId("10.2-retention:prune:x"), body=body)

    assert verdicts(portal, "2026-09-08")["10.2-content"] is DutyVerdict.UNMET


def test_a_disposal_does_not_make_an_unverified_copy_a_verified_one(portal: Portal) -> None:
    portal.back_up(1)
    session = portal.session()
    (made,) = recorded_sets(session.ledger)
    for state, kind, key in (("damaged", "verify", "verify"), ("disposed", "prune", "prune")):
        copies = [{**bodies.encode(copy), "state": state} for copy in made.copies]  # type: ignore[dict-item]
        result: dict[str, object] = {"copies": copies}
        if kind == "prune":
            result["policy"] = bodies.encode(session.settings.backup.retention)
        session.writable_ledger.append(
            f"{kind}.finished", run=RunId(f"10.2:{kind}:x"), body=bodies.write({key: result})
        )

    (after,) = recorded_sets(session.ledger)

    assert [copy.state for copy in after.copies] == [CopyState.DISPOSED] * 2
    assert after.once_verified_copies() == ()
    portal.clock.move(timedelta(days=7))
    assert verdicts(portal, "2026-W37")["10.2-interval"] is not DutyVerdict.MET


# --- removing from media ----------------------------------------------------------------------


@pytest.mark.heavy
def test_a_copy_in_a_locked_bucket_is_left_until_its_lock_ends(
    portal: Portal, object_store: ObjectStore, tmp_path: Path
) -> None:
    table = s3_table(object_store, a_bucket(object_store, "prune-locked"), tmp_path, lock="COMPLIANCE", retain_days=1)
    lines = [f"{key} = {_toml(value)}" for key, value in {"id": "bucket", "kind": "s3", **table}.items()]
    portal.change("[[job]]", "\n".join(["[[backup.medium]]", *lines, "", "[[job]]"]))
    made = marked_and_due(portal, 3)

    done = portal.prune(expected=ExitCode.PARTIAL)

    (removed,) = done["removed"]
    assert (removed["media"], removed["left"]) == (["disk-a", "disk-b"], ["bucket"])
    assert "lock" in done["problems"][0]
    states = {copy.medium: copy.state for copy in portal.sets()[0].copies}
    assert states["bucket"] is CopyState.VERIFIED
    assert portal.on("disk-a") == set(made[1:])
    assert "lock" in portal.prune(expected=ExitCode.PARTIAL)["problems"][0]


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


class LockedMedium(MemoryMedium):
    """A medium under a lock."""

    def remove(self, set_id: SetId) -> None:
        raise SetLocked(msg("locked until 2030"), msg("Wait."))


class StoppedMedium(MemoryMedium):
    """A medium at which somebody stops the run."""

    def remove(self, set_id: SetId) -> None:
        raise KeyboardInterrupt


def removed_from(portal: Portal, second: MemoryMedium) -> Any:
    marked_and_due(portal, 3)
    session = portal.session()
    sets = recorded_sets(session.ledger)
    first = MemoryMedium("disk-a")
    for medium in (first, second):
        medium.stored = {made.set.id: {} for made in sets}
    media: dict[str, Medium] = {"disk-a": first, "disk-b": second}
    return remove_sets(
        removals(session), media, sets, MediaListing({}, {}), still=lambda _set: True, progress=SilentProgress()
    )


def test_a_locked_copy_is_left_until_its_lock_ends(portal: Portal) -> None:
    removed = removed_from(portal, LockedMedium("disk-b"))

    (disposal,) = removed.disposals
    assert (disposal.media, disposal.left) == (("disk-a",), ("disk-b",))
    assert "lock" in str(removed.problems[0])


def test_a_run_that_is_stopped_records_what_it_has_removed(portal: Portal) -> None:
    removed = removed_from(portal, StoppedMedium("disk-b"))

    assert removed.was_stopped
    assert [(copy.medium, copy.state) for copy in removed.copies] == [("disk-a", CopyState.DISPOSED)]
    assert removed.disposals[0].left == ("disk-b",)


def a_disk(folder: Path) -> DiskMedium:
    medium = DiskMedium("disk-a", disk.Settings(folder=folder, create=True, allow_same_filesystem=True))
    medium.prepare([])
    return medium


SET = SetId("demo-20261125T030405Z-full-abc123")


def seal(medium: DiskMedium) -> None:
    writer = medium.begin(SET, expected_bytes=0)
    writer.open("bagit.txt")
    writer.write(b"x")
    writer.close()
    writer.seal()


def test_a_set_is_removed_from_a_disk_whole(tmp_path: Path) -> None:
    medium = a_disk(tmp_path / "disk")
    seal(medium)

    medium.remove(SET)

    assert medium.sets() == ()
    assert list((tmp_path / "disk").iterdir()) == []
    with pytest.raises(SetNotFound):
        medium.remove(SET)


def test_what_a_dead_run_began_to_remove_is_ended_by_the_next(tmp_path: Path) -> None:
    medium = a_disk(tmp_path / "disk")
    seal(medium)
    (tmp_path / "disk" / SET).rename(tmp_path / "disk" / f".removing-{SET}")

    medium.remove(SET)

    assert list((tmp_path / "disk").iterdir()) == []
    seal(medium)
    (tmp_path / "disk" / SET).rename(tmp_path / "disk" / f".removing-{SET}")
    medium.prepare([])
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_set_made_again_is_removed_beside_the_rest_of_the_first(tmp_path: Path) -> None:
    medium = a_disk(tmp_path / "disk")
    seal(medium)
    (tmp_path / "disk" / SET).rename(tmp_path / "disk" / f".removing-{SET}")
    seal(medium)

    medium.remove(SET)

    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", ".incoming-x", "../disk"])
def test_what_is_no_set_is_not_removed(tmp_path: Path, name: str) -> None:
    medium = a_disk(tmp_path / "disk")
    seal(medium)

    with pytest.raises(SetNotFound):
        medium.remove(SetId(name))
    assert medium.sets() == (SET,)


def test_a_disk_that_is_not_there_is_told(tmp_path: Path) -> None:
    medium = a_disk(tmp_path / "disk")
    (tmp_path / "disk").rmdir()

    with pytest.raises(MediumUnavailable):
        medium.remove(SET)


def test_every_error_says_what_to_do(portal: Portal) -> None:
    portal.back_up(1)

    for arguments in (
        ("prune", "--undo", "latest"),
        ("release", "latest", "--reason", "x"),
        ("hold", "latest", "--reason", " "),
        ("hold", "none", "--reason", "x"),
        ("prune", "--simulate", "1900..2100"),
        ("prune", "--simulate", "2026-13-01..2026-12-31"),
        ("prune", "--simulate", "next year"),
    ):
        with pytest.raises(PortalOpsError) as caught:
            portal.result(*arguments)
        assert str(caught.value.hint)
