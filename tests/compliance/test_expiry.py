"""A verification that has expired makes no duty met: what was read too long ago is unknown, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.model.backups import Copy, CopyState, SetKind, VerifyResult
from portalops.model.organisation import Name
from portalops.model.period import Period
from portalops.model.record import Digest, Recorded
from portalops.model.rulebook import Clause, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.document import Heading
from portalops.reports.section_evidence import exception_blocks
from tests.compliance.test_rules import CONTENT, backup, copy, duty, evidence

MEDIUM = duty("backup-medium")
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
JANUARY = datetime(2026, 1, 7, tzinfo=UTC)
YEARS_END = datetime(2027, 1, 2, tzinfo=UTC)
BASE = Digest("b" * 64)


def stand(found: Evidence, of: object = MEDIUM, **numbers: int) -> Standing:
    name = Name("x", "x")
    rulebook = Rulebook(
        "r", "1", name, "doc", date(2010, 1, 1), None, (Clause("10.2", name, "x"),), (of,), Numbers(**numbers)  # type: ignore[arg-type]
    )  # fmt: skip
    (standing,) = judge(Situation(rulebook, found, (), (), load_calendar()))
    return standing


def of_the_year(*copies: Copy, looks: tuple[Copy, ...] = ()) -> Evidence:
    made = backup(JANUARY, copies=copies)
    looked = tuple(
        Recorded(90 + number, each.verified_at or JANUARY, "", VerifyResult((each,)))
        for number, each in enumerate(looks)
    )
    return evidence(period=YEAR, now=YEARS_END, backups=(made,), verifies=looked)


def read_at(moment: datetime, state: CopyState = CopyState.VERIFIED, **parts: object) -> Copy:
    return replace(copy(state), verified_at=moment, **parts)  # type: ignore[arg-type]  # as in test_rules


def test_a_set_that_was_read_when_it_was_made_and_never_since_is_not_shown_to_be_there() -> None:
    standing = stand(of_the_year(read_at(JANUARY)))

    assert standing.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "no copy of set s1 was read back recently enough to count as verified" in str(standing.reason)


def test_a_later_reading_makes_it_count_again_whenever_it_was_done() -> None:
    december = read_at(datetime(2026, 12, 10, tzinfo=UTC))
    after_the_year = read_at(datetime(2027, 1, 1, 12, tzinfo=UTC))

    assert stand(of_the_year(read_at(JANUARY), looks=(december,))).verdict is DutyVerdict.MET
    assert stand(of_the_year(read_at(JANUARY), looks=(after_the_year,))).verdict is DutyVerdict.MET
    assert stand(of_the_year(read_at(JANUARY)), read_back_max_age_days=366).verdict is DutyVerdict.MET


def test_one_fresh_copy_is_enough_if_it_is_reached_and_lies_apart() -> None:
    december = datetime(2026, 12, 10, tzinfo=UTC)
    old, fresh = read_at(JANUARY), read_at(december, medium="tape1", medium_kind="tape")

    assert stand(of_the_year(old, fresh)).verdict is DutyVerdict.MET
    for lacking in ({"problem": "not checked: no tape"}, {"shares_source_filesystem": True}):
        standing = stand(of_the_year(old, replace(fresh, **lacking)))
        assert standing.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE, lacking


def test_damage_is_worse_than_an_expired_verification() -> None:
    assert stand(of_the_year(read_at(JANUARY, CopyState.DAMAGED))).verdict is DutyVerdict.UNMET


def test_a_set_is_lost_when_the_only_copies_that_were_ever_written_are_damaged() -> None:
    damaged, unwritten = read_at(JANUARY, CopyState.DAMAGED), read_at(JANUARY, CopyState.FAILED, medium="tape1")

    standing = stand(of_the_year(damaged, unwritten), duty("backup-retention"))

    assert standing.verdict is DutyVerdict.UNMET
    assert "can no longer be restored" in str(standing.reason)
    assert stand(of_the_year(unwritten), duty("backup-retention")).verdict is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_set_that_the_rule_removed_was_verified_in_its_time() -> None:
    gone = read_at(datetime(2026, 3, 1, tzinfo=UTC), CopyState.DISPOSED)

    assert stand(of_the_year(read_at(JANUARY), looks=(gone,))).verdict is DutyVerdict.MET


@pytest.mark.parametrize(("base_read", "verdict"), [(20, DutyVerdict.MET), (50, DutyVerdict.INSUFFICIENT_EVIDENCE)])
def test_a_differential_needs_a_base_that_was_read_lately(base_read: int, verdict: DutyVerdict) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    full = backup(now - timedelta(days=60), copies=(read_at(now - timedelta(days=base_read)),), seq=4)
    diff = backup(now - timedelta(days=2), copies=(read_at(now - timedelta(days=2)),))
    assert full.body.set is not None and diff.body.set is not None
    name = full.body.set.id
    full = replace(full, body=replace(full.body, set=replace(full.body.set, bag_sha256=BASE)))
    diff = replace(
        diff,
        body=replace(diff.body, set=replace(diff.body.set, kind=SetKind.DIFF, base=BASE, base_id=name)),
    )

    standing = stand(evidence(backups=(full, diff)), CONTENT)

    assert standing.verdict is verdict
    if verdict is DutyVerdict.INSUFFICIENT_EVIDENCE:
        assert any("expired on" in str(each) for each in standing.details), "the base is named with its day"


def test_what_counts_is_said_with_its_depth_and_age() -> None:
    standing = stand(evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),)), CONTENT)

    assert standing.verdict is DutyVerdict.MET
    (line,) = map(str, standing.details)
    assert line == "nas1, set s1: L2: every byte read; read today"


def test_a_copy_that_was_read_as_it_should_be_is_no_exception() -> None:
    found = evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),))
    standing = stand(found, CONTENT)
    name = Name("x", "x")
    clauses = (Clause("10.2", name, "x"),)
    rulebook = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, clauses, (CONTENT,), Numbers())

    met = list(exception_blocks(found, [standing], (), rulebook))
    unmet = list(exception_blocks(found, [replace(standing, verdict=DutyVerdict.UNMET)], (), rulebook))

    assert standing.verdict is DutyVerdict.MET and standing.details
    assert not any(isinstance(block, Heading) for block in met)
    assert sum(isinstance(block, Heading) for block in unmet) == 1
