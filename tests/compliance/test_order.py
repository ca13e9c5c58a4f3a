"""What all rules share: how parts make a verdict, what a day's runs say, and what the records of a duty mean for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, distrusted, judge
from portalops.compliance.order import daily_runs, example_of, from_parts, nothing_recorded, standing_of
from portalops.model.message import msg
from portalops.model.organisation import Name
from portalops.model.period import Period
from portalops.model.record import RunId
from portalops.model.rulebook import Numbers, Rulebook
from portalops.model.runs import Run, RunSummary
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.evidence import Evidence, UnreadableRecord
from tests.compliance.test_rules import CONTENT, NOW, WEEK, ZONE, backup, daily, duty, ended, evidence

DUTY = duty("tracking")
MET, UNMET, PENDING, EXEMPT = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.PENDING, DutyVerdict.EXEMPT
UNKNOWN = DutyVerdict.INSUFFICIENT_EVIDENCE
DUE = datetime(2026, 12, 1, tzinfo=UTC)
NAME = Name("x", "x")
RULEBOOK = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (DUTY,), Numbers())


def situation(**parts: object) -> Situation:
    return Situation(RULEBOOK, evidence(**parts), (), (), load_calendar())


def said(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(line) for line in standing.details]


# --- parts ------------------------------------------------------------------------------------


def test_a_standing_names_each_record_once_and_in_its_order() -> None:
    found = standing_of(DUTY, MET, msg("a"), [7, 3, 7], [msg("b")], newest_at=NOW, due_at=DUE)

    assert found == Standing(DUTY.id, MET, msg("a"), (msg("b"),), (7, 3), NOW, DUE)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([MET, EXEMPT], (MET, "all", [])),
        ([EXEMPT, DutyVerdict.NOT_ASSESSED], (DutyVerdict.NOT_ASSESSED, "1", [])),
        ([MET, PENDING], (PENDING, "1", ["1"])),
        ([PENDING, PENDING], (PENDING, "0, and 1 more", ["0", "1"])),
        ([PENDING, UNKNOWN], (UNKNOWN, "1", ["1"])),
        ([UNKNOWN, MET, UNKNOWN], (UNKNOWN, "0, and 1 more", ["0", "2"])),
        ([UNKNOWN, UNMET, PENDING], (UNMET, "1", ["1", "unknown: 0"])),
        ([UNKNOWN, UNMET, UNMET], (UNMET, "1, and 1 more", ["1", "2", "unknown: 0"])),
    ],
)
def test_the_worst_part_decides_and_every_part_that_is_not_met_is_listed(
    parts: list[DutyVerdict], expected: tuple[DutyVerdict, str, list[str]]
) -> None:
    found = from_parts(
        DUTY,
        [(verdict, msg(str(number))) for number, verdict in enumerate(parts)],
        met=msg("all"),
        seqs=[5],
        newest_at=NOW,
        due_at=DUE,
    )

    assert said(found) == expected
    assert (found.duty, found.evidence, found.newest_at, found.due_at) == (DUTY.id, (5,), NOW, DUE)


def test_no_part_at_all_is_no_evidence() -> None:
    found = from_parts(DUTY, [], met=msg("all"), seqs=[5])

    assert found == Standing(DUTY.id, UNKNOWN, msg("nothing is recorded"), (), (5,))


def test_of_several_lines_the_first_is_told_with_how_many_more_there_are() -> None:
    assert [str(example_of([msg(str(n)) for n in range(count)])) for count in (1, 2, 4)] == [
        "0", "0, and 1 more", "0, and 3 more",
    ]  # fmt: skip


# --- what no record means ---------------------------------------------------------------------


@pytest.mark.parametrize(("days", "verdict"), [(8, UNMET), (7, UNKNOWN), (0, UNKNOWN), (None, UNKNOWN)])
def test_nothing_recorded_is_unmet_only_after_longer_than_the_duty_allows(
    days: int | None, verdict: DutyVerdict
) -> None:
    ends = datetime(2026, 11, 22, 17, tzinfo=UTC)
    found = situation(started_at=None if days is None else ends - timedelta(days=days))

    assert found.as_of == ends
    assert nothing_recorded(DUTY, found, timedelta(days=7), msg("none")) == Standing(DUTY.id, verdict, msg("none"))


def test_the_moment_and_the_day_of_a_situation_are_local() -> None:
    late = datetime(2026, 11, 20, 18, tzinfo=UTC)
    found = situation(now=late, started_at=late)

    assert (found.as_of, found.today, found.began_on) == (late, date(2026, 11, 21), date(2026, 11, 21))
    assert [found.is_before_ledger(date(2026, 11, day)) for day in (20, 21)] == [True, False]
    assert situation(started_at=None).is_before_ledger(date(2026, 11, 21))


# --- a day's runs -----------------------------------------------------------------------------

DONE: dict[int, RunOutcome | None] = {
    16: RunOutcome.COMPLETE,
    17: RunOutcome.INCOMPLETE,
    18: None,
    19: RunOutcome.FAILED,
}
"""How the run of a day ended; None where its result cannot be read."""


def runs_of(kind: str, days: dict[int, RunOutcome | None], *, crashed: int = 20) -> Evidence:
    runs, ends = [], {}
    for day, outcome in days.items():
        at = datetime(2026, 11, day, 5, tzinfo=ZONE)
        runs.append(Run(RunId(f"{kind}-{day}"), kind, "", "", at, day, at, 100 + day))
        ends[100 + day] = outcome and RunSummary(outcome, 0, at, at)
    at = datetime(2026, 11, crashed, 5, tzinfo=ZONE)
    # A run of another kind speaks for no day, and stands before all others.
    other = Run(RunId("other"), "backup", "", "", at, 1, at, 116)
    runs.append(Run(RunId("crashed"), kind, "", "", at, crashed))
    return evidence(
        period=Period(date(2026, 11, 14), date(2026, 11, 26)),
        started_at=datetime(2026, 11, 15, 9, tzinfo=ZONE),
        runs=(other, *runs),
        summaries=ends,
    )


def days_of(found: Evidence, kind: str = "check", every_days: int = 1) -> list[tuple[DutyVerdict, str]]:
    where = Situation(RULEBOOK, found, (), (), load_calendar())
    return [
        (verdict, str(line)) for verdict, line in daily_runs(where, kind, msg("none on {day}"), every_days=every_days)
    ]


def test_each_day_is_told_by_the_best_run_that_began_on_it() -> None:
    assert days_of(runs_of("check", DONE)) == [
        (UNKNOWN, "2026-11-14 is before the ledger began"),
        (UNKNOWN, "the ledger began during 2026-11-15"),
        (MET, "none on 2026-11-16"),
        (UNKNOWN, "not every host was reached on 2026-11-17"),
        (UNKNOWN, "the result of the run of 2026-11-18 cannot be read"),
        (UNMET, "none on 2026-11-19: every run failed or was interrupted"),
        (UNMET, "none on 2026-11-20: every run failed or was interrupted"),
        (UNMET, "none on 2026-11-21"),
        (UNMET, "none on 2026-11-22"),
        (UNMET, "none on 2026-11-23"),
        (UNMET, "none on 2026-11-24"),
        (PENDING, "none on 2026-11-25"),
    ]


def test_a_run_speaks_for_the_days_after_it_where_not_every_day_is_asked_for() -> None:
    assert [verdict for verdict, _line in days_of(runs_of("check", DONE), every_days=2)][2:7] == [
        MET, MET, UNKNOWN, UNKNOWN, UNMET,
    ]  # fmt: skip


def test_a_collection_that_missed_a_source_speaks_for_its_day() -> None:
    assert dict(days_of(runs_of("updates", DONE), "updates"))[MET] == "none on 2026-11-17"


def test_the_best_run_of_a_day_counts_whatever_came_before_or_after_it() -> None:
    whole = runs_of("check", {21: RunOutcome.COMPLETE}, crashed=21)

    for runs in (whole.runs, whole.runs[::-1]):
        assert days_of(replace(whole, runs=runs))[7] == (MET, "none on 2026-11-21")


def test_the_running_day_is_met_by_its_run() -> None:
    assert days_of(runs_of("check", {25: RunOutcome.COMPLETE}))[-1] == (MET, "none on 2026-11-25")


# --- all duties -------------------------------------------------------------------------------


def test_a_period_that_has_not_begun_is_pending() -> None:
    for first, verdict in ((date(2026, 11, 26), PENDING), (date(2026, 11, 25), PENDING)):
        found = replace(situation(period=Period(first, date(2026, 11, 29))), rulebook=RULEBOOK)
        (standing,) = judge(found)
        assert standing.verdict is verdict
        assert (standing == Standing(DUTY.id, PENDING, msg("the period has not begun"))) == (first.day == 26)


def test_a_record_that_cannot_be_read_is_named_beside_what_it_may_contradict() -> None:
    rulebook = replace(RULEBOOK, duties=(CONTENT,))
    lost = (
        UnreadableRecord(98, "verify", msg("blob missing")),
        UnreadableRecord(99, "verify", msg("blob damaged")),
        UnreadableRecord(5, "verify", msg("the record itself")),
    )
    good = evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),))

    def stand(found: Evidence) -> Standing:
        return judge(Situation(rulebook, found, (), (), load_calendar()))[0]

    before, after = stand(good), stand(replace(good, unreadable=lost))
    assert before.verdict is MET
    assert after == replace(
        before,
        verdict=UNKNOWN,
        reason=msg("the newer record {seq} cannot be read and may contradict this", seq="99"),
        details=(
            *before.details,
            msg("record {seq}: {cause}", seq="98", cause=msg("blob missing")),
            msg("record {seq}: {cause}", seq="99", cause=msg("blob damaged")),
        ),
    )


def test_what_rests_on_no_record_is_in_doubt_by_the_first_one_that_cannot_be_read() -> None:
    runs = daily("updates", WEEK.first, 7)
    found = situation(runs=runs, summaries=ended(runs))
    lost = replace(found.evidence, unreadable=(UnreadableRecord(1, "updates", msg("blob missing")),))

    assert [each.verdict for each in (*judge(found), *judge(replace(found, evidence=lost)))] == [MET, UNKNOWN]


def test_over_a_ledger_that_was_changed_only_what_was_met_is_unknown() -> None:
    standings = [Standing(DUTY.id, verdict, msg("x"), (msg("y"),), (3,), NOW, DUE) for verdict in (MET, UNMET, EXEMPT)]

    found = distrusted(standings)

    reason = msg("the ledger was changed, so nothing in it proves this")
    assert found == (replace(standings[0], verdict=UNKNOWN, reason=reason), *standings[1:])
