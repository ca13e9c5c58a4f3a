"""What other tools claim, through their reports: nothing is gone but by a newer report of the same tool about the same host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from portalops.model.claims import ClaimedFinding, ToolReport
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.verdicts import Severity
from portalops.registers.claims import ToolClaim, fold_claims
from portalops.registers.evidence import Recorded

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def report(
    seq: int,
    *keys: str,
    tool: str = "Lynis",
    host: str = "web1",
    made_on: int | None = None,
    left_off: int = 0,
    file: int = 0,
) -> Recorded[ToolReport]:
    """A report of record `seq`, recorded on day `seq`; `made_on` is the day that the tool tells."""
    claims = tuple(ClaimedFinding(key, key, Severity.LOW, "m", "") for key in keys)
    made_at = None if made_on is None else START + timedelta(days=made_on)
    body = ToolReport(tool, "1", HostId(host), made_at, claims, left_off, (), Digest(f"{file or seq:064x}"))
    return Recorded(seq, START + timedelta(days=seq), "", body)


def gone(*reports: Recorded[ToolReport]) -> dict[str, int | None]:
    return {each.claim.key: each.gone_seq for each in fold_claims(reports)}


def test_claim_is_gone_when_the_tools_newer_report_lacks_it_and_back_when_a_later_one_has_it() -> None:
    assert gone(report(1, "a", "b"), report(2, "b")) == {"a": 2, "b": None}
    (back,) = fold_claims([report(1, "a"), report(2), report(3, "a")])
    assert (back.first_seq, back.last_seq, back.gone_seq) == (1, 3, None)


def test_one_run_ends_nothing_that_another_run_in_the_same_file_claims() -> None:
    assert gone(report(1, "a", file=9), report(2, "b", file=9)) == {"a": None, "b": None}
    assert gone(report(1, "a", file=9), report(2, "b", file=9), report(3, "b")) == {"a": 3, "b": None}


def test_report_of_another_tool_or_host_ends_nothing() -> None:
    assert gone(report(1, "a"), report(2, tool="OpenSCAP"), report(3, host="web2")) == {"a": None}


def test_report_of_which_a_part_was_left_off_ends_nothing() -> None:
    assert gone(report(1, "a"), report(2, "b", left_off=1)) == {"a": None, "b": None}


def test_old_report_that_is_taken_in_late_ends_nothing_newer() -> None:
    assert gone(report(1, "a", made_on=9), report(2, "b", made_on=3)) == {"a": None, "b": 1}


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abc")), st.sampled_from(["Lynis", "ruff"]), st.none() | st.integers(0, 9)),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_order_of_reading_changes_nothing(
    given_reports: list[tuple[set[str], str, int | None]], chance: object
) -> None:
    reports = [report(n, *keys, tool=tool, made_on=day) for n, (keys, tool, day) in enumerate(given_reports, 1)]
    shuffled = list(reports)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    found: tuple[ToolClaim, ...] = fold_claims(reports)

    assert fold_claims(shuffled) == found
    assert {(each.tool, each.claim.key) for each in found} == {
        (each.body.tool, claim.key) for each in reports for claim in each.body.claims
    }
