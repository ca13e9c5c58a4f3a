"""The rules that the jobs of backups go by, without a command line: which sets are meant, left or expected, and what a result means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from backups.drill import CHANCE, Drawn, DrillTarget
from backups.found import dead_runs, left_sets
from backups.presence import listed_sets, media_with_sets
from backups.prune import cut_off_at
from backups.shrink import Made, shrink_rules
from commands.jobs.kinds.backup import work_of_backup
from commands.jobs.kinds.copy import work_of_copies
from commands.jobs.kinds.drill import work_of_drill
from commands.jobs.kinds.verify import work_of_readings
from portalops.errors import ExitCode, MediumUnavailable, SetNotFound, UsageError
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.model.backups import (
    BackupResult,
    CopyResult,
    CopyState,
    DrillResult,
    SetId,
    StreamTrial,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.media import MediumEntry
from portalops.model.message import msg
from portalops.model.reading import Limits
from portalops.model.record import RunId
from portalops.model.runs import Run, RunSummary
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import find_set, recorded_sets
from portalops.registers.media import RegisteredMedium, read_media, register_lines
from portalops.registers.retention import Retained, read_retention
from tests.backups.kit import NOW
from tests.backups.memory import MemoryMedium
from tests.backups.test_copying import BAD, GOOD, NONE, evidence

DAY = timedelta(days=1)


def run_at(days: int, *, ended: bool = True) -> Run:
    began = NOW + days * DAY
    return Run(RunId(f"run-{days}"), "backup", "weekly", "10.2", began, days, began + DAY / 24 if ended else None)


def name_at(days: int, portal: str = "demo", end: str = "a") -> SetId:
    return SetId(f"{portal}-{NOW + days * DAY:%Y%m%dT%H%M%SZ}-full-{end}")


def medium(name: str, *sets: SetId) -> MemoryMedium:
    made = MemoryMedium(name)
    made.stored = {each: {} for each in sets}
    return made


class Away(MemoryMedium):
    """A medium that cannot be listed."""

    def sets(self) -> tuple[SetId, ...]:
        raise MediumUnavailable(msg("away"), msg("Attach it."))


def test_set_is_found_by_name_by_beginning_and_as_the_latest() -> None:
    sets = [evidence(1, {"a": GOOD}), evidence(10, {"a": GOOD}), evidence(2, {"a": GOOD})]

    assert [find_set(sets, name).set.id for name in ("set-1", "set-10", "latest")] == ["set-1", "set-10", "set-2"]
    with pytest.raises(UsageError, match="several sets"):
        find_set(sets, "set-")
    for sets_there, name in ((sets, "other"), ([], "latest")):
        with pytest.raises(SetNotFound):
            find_set(sets_there, name)


def test_only_the_portals_sets_on_media_within_reach_are_listed() -> None:
    media = [medium("a", name_at(1), name_at(0), name_at(0, "other")), medium("b"), Away("c")]

    assert listed_sets("demo", media) == {"a": (name_at(0), name_at(1))}


def test_medium_that_took_another_ones_place_is_not_expected_to_have_its_sets() -> None:
    sets = [evidence(1, {"a": GOOD, "b": BAD, "c": NONE, "d": CopyState.SEALED})]
    entry = MediumEntry("a", "disk", "label", "room", "name")
    later = RegisteredMedium("a", entry, NOW + DAY, NOW + DAY, None, None, None)

    assert media_with_sets(sets, {}) == {"a", "d"}
    assert media_with_sets(sets, {"a": later}) == {"d"}
    assert media_with_sets(sets, {"a": replace(later, added_at=NOW - DAY)}) == {"a", "d"}


def test_set_of_the_time_of_a_dead_run_is_left_and_two_of_them_are_not() -> None:
    died = dead_runs([run_at(0), run_at(7, ended=False), run_at(14, ended=False)], NOW + 21 * DAY)
    media = {"a": medium("a", name_at(8), name_at(15), name_at(16)), "b": medium("b", name_at(8)), "c": Away("c")}

    assert list(died) == ["run-7", "run-14"]
    (left,) = left_sets("demo", media, [], died)
    assert (left.set_id, left.run, list(left.media)) == (name_at(8), "run-7", ["a", "b"])
    assert len(left.warnings()) == 2


def test_newest_prune_that_was_cut_off_is_found_and_one_that_ended_is_not() -> None:
    stopped = RunSummary(RunOutcome.INCOMPLETE, ExitCode.INTERRUPTED, NOW, NOW)
    runs = [run_at(0, ended=False), run_at(1), run_at(2), run_at(3)]
    summaries = {"run-1": stopped, "run-2": replace(stopped, exit_code=ExitCode.PARTIAL)}

    assert cut_off_at(runs, lambda run: summaries.get(run.id)) == NOW + DAY
    assert cut_off_at(runs, lambda _run: None) == NOW
    assert cut_off_at(runs[1:], lambda _run: None) is None


def test_shrink_is_accepted_of_sources_that_there_are() -> None:
    rules = shrink_rules({"db": 20, "files": 50}, [Made(())], ["db"])

    assert [(each.limit_percent, each.is_accepted) for each in rules.values()] == [(20, True), (50, False)]
    with pytest.raises(UsageError, match="no backup source other"):
        shrink_rules({"db": 20}, [], ["other"])


def test_register_counts_what_lies_on_each_medium_and_alarms_for_old_readings() -> None:
    limits: Limits = dict.fromkeys(VerifyLevel, 5 * DAY)
    sets = [evidence(1, {"a": GOOD, "b": NONE})]

    lines = register_lines(
        {}, {"a": "disk", "b": "s3"}, sets, limits=limits, unread_months=0, now=NOW + 6 * DAY, zone=ZoneInfo("UTC")
    )

    assert [(each.medium.id, each.kind, each.sets, each.expiring.expired) for each in lines] == [
        ("a", "disk", 1, 1),
        ("b", "s3", 0, 0),
    ]
    assert "too long ago" in " ".join(map(str, lines[0].alarms))


def test_ledger_that_has_not_begun_reads_as_one_without_records() -> None:
    ledger = LedgerNotBegun()

    assert (recorded_sets(ledger), read_media(ledger), read_retention(ledger)) == ((), {}, Retained())


@pytest.mark.parametrize(
    ("states", "copied", "read"),
    [
        ((GOOD, GOOD), ExitCode.OK, ExitCode.OK),
        ((GOOD, NONE), ExitCode.PARTIAL, ExitCode.PARTIAL),
        ((GOOD, BAD), ExitCode.INTEGRITY, ExitCode.INTEGRITY),
        ((), ExitCode.OK, ExitCode.PARTIAL),
    ],
)
def test_copies_decide_how_copying_and_reading_went(
    states: tuple[CopyState, ...], copied: ExitCode, read: ExitCode
) -> None:
    copies = evidence(1, {str(number): state for number, state in enumerate(states)}).copies

    assert work_of_copies(CopyResult(copies, ())).exit_code == copied
    assert work_of_readings(VerifyResult(copies)).exit_code == read


def test_backup_is_complete_only_with_every_copy_verified_and_fails_without_any() -> None:
    made = evidence(1, {"a": GOOD, "b": NONE})
    result = BackupResult(made.set, made.copies)
    good = replace(result, copies=made.copies[:1])

    works = [work_of_backup(each) for each in (good, replace(good, unsigned="no key"), result)]

    assert [work.exit_code for work in works] == [ExitCode.OK, ExitCode.PARTIAL, ExitCode.PARTIAL]
    assert [work.outcome for work in works] == [RunOutcome.COMPLETE] * 3, "the copy is owed"
    for failed in (replace(result, set=None), replace(result, copies=made.copies[1:])):
        assert work_of_backup(failed).outcome is RunOutcome.FAILED


def test_drill_is_judged_by_its_copy_its_trials_and_what_was_refused_before() -> None:
    made = evidence(1, {"a": GOOD})
    drawn = Drawn(DrillTarget(made, made.copies[0], CHANCE))
    result = DrillResult(made.copies)
    untried = replace(result, trials=(StreamTrial("db", "dump", VerifyLevel.L3, "", not_tried="no server"),))
    refused = replace(drawn, refused=("a: x",))

    works = [work_of_drill(drawn, result), work_of_drill(drawn, untried), work_of_drill(refused, untried)]

    assert [work.exit_code for work in works] == [ExitCode.OK, ExitCode.PARTIAL, ExitCode.INTEGRITY]
    assert work_of_drill(Drawn(None, unsigned=("a: x",)), None).exit_code == ExitCode.FAILED
    assert work_of_drill(refused, None).exit_code == ExitCode.INTEGRITY
