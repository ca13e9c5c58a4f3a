"""How sites are put in order and what exit code follows: pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portalops.errors import ExitCode
from portalops.federation.overview import blocks_of
from portalops.federation.rules import BundleRefusal, SitePoll, SiteVerdict, exit_code_of, together
from portalops.model.message import msg
from portalops.model.organisation import Name
from portalops.model.rulebook import DutyId
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import TableBlock
from portalops.rulebooks.load import load as load_rulebook

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def look(name: str, *duties: DutyVerdict, days: int = 1, **more: Any) -> SitePoll:
    standings = tuple(Standing(DutyId(str(n)), duty, msg("so")) for n, duty in enumerate(duties))
    good = SitePoll(
        name,
        Name(name, name),
        NOW,
        timedelta(days=10),
        SiteVerdict.VERIFIED,
        ledger=name,
        speaks_until=NOW - timedelta(days=days),
        complete=True,
        standings=standings,
    )
    return replace(good, **more)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (look("a", DutyVerdict.MET, DutyVerdict.PENDING, DutyVerdict.NOT_ASSESSED), ExitCode.OK),
        (look("a", DutyVerdict.MET, DutyVerdict.INSUFFICIENT_EVIDENCE), ExitCode.PARTIAL),
        (look("a", DutyVerdict.PENDING), ExitCode.PARTIAL),
        (look("a"), ExitCode.PARTIAL),
        (look("a", DutyVerdict.MET, complete=None), ExitCode.PARTIAL),
        (look("a", DutyVerdict.MET, complete=False), ExitCode.UNMET),
        (look("a", DutyVerdict.MET, DutyVerdict.UNMET), ExitCode.UNMET),
        (look("a", DutyVerdict.MET, days=10), ExitCode.OK),
        (look("a", DutyVerdict.MET, days=11), ExitCode.UNMET),
        (look("a", verdict=SiteVerdict.MISSING), ExitCode.PARTIAL),
        (look("a", verdict=SiteVerdict.MISSING, days=11), ExitCode.UNMET),
        (look("a", verdict=SiteVerdict.UNREADABLE, speaks_until=None), ExitCode.PARTIAL),
        (look("a", verdict=SiteVerdict.REFUSED), ExitCode.INTEGRITY),
    ],
)
def test_a_site_is_good_only_if_everything_of_it_is_known_and_met(found: SitePoll, code: ExitCode) -> None:
    assert found.exit_code == code


def test_the_worst_site_decides() -> None:
    good, late = look("a", DutyVerdict.MET), look("b", DutyVerdict.MET, days=30)
    assert exit_code_of([good, late]) == ExitCode.UNMET
    assert exit_code_of([good, late, look("c", verdict=SiteVerdict.REFUSED)]) == ExitCode.INTEGRITY
    assert exit_code_of([good]) == ExitCode.OK


def test_sites_without_a_trusted_head_come_before_late_ones_and_those_before_the_rest() -> None:
    found = together(
        [
            look("new", DutyVerdict.MET),
            look("older", DutyVerdict.MET, days=9),
            look("late", days=11),
            look("later", days=12),
            look("refused", verdict=SiteVerdict.REFUSED),
            look("never", verdict=SiteVerdict.MISSING, speaks_until=None),
        ]
    )
    assert [each.id for each in found] == ["refused", "never", "later", "late", "older", "new"]


def test_one_ledger_at_several_sites_is_believed_at_none_and_no_known_ledger_is_none_in_common() -> None:
    found = {
        each.id: each
        for each in together(
            [
                look("a", DutyVerdict.MET, ledger="x"),
                look("b", DutyVerdict.MET, ledger="x"),
                look("c", verdict=SiteVerdict.REFUSED, reason=BundleRefusal.FORK, ledger="x"),
                look("d", DutyVerdict.MET, ledger=""),
                look("e", DutyVerdict.MET, ledger=""),
            ]
        )
    }
    assert [found[name].reason for name in "abcde"] == [
        BundleRefusal.SAME_LEDGER,
        BundleRefusal.SAME_LEDGER,
        BundleRefusal.FORK,
        None,
        None,
    ]
    assert not found["a"].standings and "b, c" in str(found["a"].problem)


@pytest.mark.parametrize(
    ("complete", "said"), [(False, "3 planned runs are missing"), (True, "junk/bundle.json cannot be read")]
)
def test_a_note_on_another_folder_hides_no_missing_run(complete: bool, said: str) -> None:
    notes = (msg("junk/bundle.json cannot be read"),)
    looks = [look("a", DutyVerdict.MET, complete=complete, missing_runs=0 if complete else 3, notes=notes)]
    tables = [each for each in blocks_of(looks, load_rulebook("kh-37-2010", {})) if isinstance(each, TableBlock)]
    assert str(next(iter(tables[0].rows))[-1]) == said
