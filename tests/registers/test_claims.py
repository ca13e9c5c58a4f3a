"""What other tools claim, through their reports: nothing is fixed but by the word of a newer report of the same tool and host."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.claims import ClaimedFinding, ToolReport
from portalops.model.organisation import HostId
from portalops.model.record import Digest, Recorded
from portalops.model.verdicts import Severity
from portalops.registers.claims import CLAIMED, KEY, ToolClaim, fold_claims, read_tool_claims
from tests.doubles import FixedClock

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def report(
    seq: int,
    *keys: str,
    tool: str = "Lynis",
    host: str = "web1",
    made_on: int | None = None,
    left_off: int = 0,
    file: int = 0,
    passed: str = "",
    fixed: str = "",
) -> Recorded[ToolReport]:
    """A report of record `seq`, recorded on day `seq`; `made_on` is the day that the tool tells. A claim's rule is its key."""
    claims = tuple(ClaimedFinding(key, key, Severity.LOW, "m", "") for key in keys)
    made_at = None if made_on is None else START + timedelta(days=made_on)
    evidence = Digest(f"{file or seq:064x}")
    body = ToolReport(tool, "1", HostId(host), made_at, claims, left_off, (), evidence, tuple(passed), tuple(fixed))
    return Recorded(seq, START + timedelta(days=seq), "", body)


def gone(*reports: Recorded[ToolReport]) -> dict[str, int | None]:
    return {each.claim.key: each.gone_seq for each in fold_claims(reports)}


def silent(*reports: Recorded[ToolReport]) -> dict[str, int | None]:
    return {each.claim.key: each.silent_seq for each in fold_claims(reports)}


def test_claim_is_fixed_when_the_tools_newer_report_says_so_and_back_when_a_later_one_has_it() -> None:
    assert gone(report(1, "a", "b"), report(2, "b", passed="a")) == {"a": 2, "b": None}
    assert gone(report(1, "a", "b"), report(2, "b", fixed="a")) == {"a": 2, "b": None}
    (back,) = fold_claims([report(1, "a"), report(2, passed="a"), report(3, "a")])
    assert (back.first_seq, back.last_seq, back.gone_seq) == (1, 3, None)


def test_claim_that_a_newer_report_only_does_not_have_stays_and_is_told_to_have_no_answer() -> None:
    assert gone(report(1, "a", "b"), report(2, "b"), report(3)) == {"a": None, "b": None}
    assert silent(report(1, "a", "b"), report(2, "b"), report(3)) == {"a": 3, "b": 3}
    assert silent(report(1, "a"), report(2), report(3, "a")) == {"a": None}
    assert silent(report(1, "a"), report(2), report(3, passed="a")) == {"a": None}


def test_what_a_report_claims_itself_is_not_fixed_by_it() -> None:
    assert gone(report(1, "a"), report(2, "a", passed="a", fixed="a")) == {"a": None}


def test_one_run_ends_nothing_that_another_run_in_the_same_file_claims() -> None:
    assert gone(report(1, "a", file=9), report(2, "b", file=9, passed="a")) == {"a": None, "b": None}
    both = report(1, "a", file=9), report(2, "b", file=9, passed="a"), report(3, "b", passed="a")
    assert gone(*both) == {"a": 3, "b": None}


def test_report_of_another_tool_or_host_ends_nothing() -> None:
    others = report(2, tool="OpenSCAP", passed="a"), report(3, host="web2", passed="a")
    assert gone(report(1, "a"), *others) == {"a": None}
    assert silent(report(1, "a"), *others) == {"a": None}


def test_report_of_which_a_part_was_left_off_ends_nothing() -> None:
    assert gone(report(1, "a"), report(2, "b", left_off=1, passed="a")) == {"a": None, "b": None}


def test_old_report_that_is_taken_in_late_ends_nothing_newer() -> None:
    late = report(1, "a", made_on=9, passed="b"), report(2, "b", made_on=3, passed="a")
    assert gone(*late) == {"a": None, "b": 1}


def test_report_that_was_recorded_before_tools_passes_were_kept_ends_nothing() -> None:
    written = bodies.write({"claims": report(2).body})
    old = json.loads(written)
    del old["claims"]["answered"], old["claims"]["fixed"]

    read = bodies.decode_part(json.dumps(old).encode(), "claims", ToolReport)

    assert read == report(2).body
    assert gone(report(1, "a"), report(2)) == {"a": None}


def test_report_that_cannot_be_read_is_named_and_ends_nothing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = Ledger.open(tmp_path, clock, create=True)
    ledger.append(CLAIMED, run=NO_RUN, body=bodies.write({KEY: report(1, "a").body}))
    ledger.append(CLAIMED, run=NO_RUN, body=b"no JSON")

    read = read_tool_claims(ledger)

    assert [(each.claim.key, each.gone_seq) for each in read.claims] == [("a", None)]
    assert [seq for seq, _why in read.unreadable] == [ledger.count()]
    ledger.close()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from("abc")),
            st.sampled_from(["Lynis", "ruff"]),
            st.none() | st.integers(0, 9),
            st.sampled_from(["", "a", "bc"]),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_reading_changes_nothing(
    given_reports: list[tuple[set[str], str, int | None, str]], chance: object
) -> None:
    reports = [
        report(n, *sorted(keys), tool=tool, made_on=day, passed=passed)
        for n, (keys, tool, day, passed) in enumerate(given_reports, 1)
    ]
    shuffled = list(reports)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    found: tuple[ToolClaim, ...] = fold_claims(reports)

    assert fold_claims(shuffled) == found
    assert {(each.tool, each.claim.key) for each in found} == {
        (each.body.tool, claim.key) for each in reports for claim in each.body.claims
    }
