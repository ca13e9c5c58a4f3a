"""Registers in which nobody's line came for a week: collecting and the doctor name them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from checks.updates.rules.coverage import Coverage, SourcePolls, find_still, is_silent_for_long
from checks.updates.rules.stamps import stamp
from commands.cli.entry import run
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict
from tests.checks.updates.newsroom import CONFIGURATION
from tests.checks.updates.scene import JUSTICE, ZONE, at, daily_polls, item, the_week

HEADINGS = "Số đến,Ngày đến,Tác giả,Số ký hiệu,Trích yếu\n"
NAMED = (
    "week 2026-W47: register so-den has no line of that week, of any unit: the newest from before it is of {day};"
    " it may be kept on in another file"
)


@pytest.mark.parametrize(
    ("line", "said"),
    [("", [NAMED]), ("2,18/11/2026,Sở Tư pháp,12/BC-STP,Báo cáo công tác hộ tịch quý IV\n", [])],
    ids=["nobody's line", "another unit's line"],
)
def test_collecting_and_the_doctor_name_a_register_without_a_line_of_last_week(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: list[str]
) -> None:
    own = 'id = "so-den"\nkind = "register"\nfile = "so-den.csv"\nchannel = "submission"\n'
    settings = CONFIGURATION.partition('id = "news"')[0] + own
    (tmp_path / "portalops.toml").write_text(settings, "utf-8")
    old = "1,13/11/2026,Sở Y tế,70/BC-SYT,Báo cáo giám sát sốt xuất huyết tuần 46\n"
    (tmp_path / "so-den.csv").write_text(HEADINGS + old + line, "utf-8")

    with time_machine.travel(at("2026-11-24 07:00"), tick=True):
        run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
        collected = json.loads(capsys.readouterr().out)
        run(["--json", "--config", str(tmp_path / "portalops.toml"), "doctor", "--only", "updates"], {})
        doctor = json.loads(capsys.readouterr().out)["data"]

    warned = [text for text in map(str, collected["warnings"]) if "so-den has no line" in text]
    assert [text.partition(". If the registrar")[0] for text in warned] == [
        one.format(day="13 Nov 2026") for one in said
    ]
    assert [one["seen"] for one in doctor if one["object"] == "so-den"] == [
        one.format(day="2026-11-13") for one in said
    ]


MONDAY = date(2026, 11, 2)
START, END = stamp(at("2026-11-02 00:00")), stamp(at("2026-11-09 00:00"))
TUESDAY = [*range(-28, 2)]
"""A line on each working day up to Tuesday."""


def working(first: int, last: int) -> list[date]:
    """Return the working days between two, as days from Monday of the week."""
    days = [MONDAY + timedelta(days=number) for number in range(first, last + 1)]
    return [day for day in days if day.weekday() < 5]


def lines(*days: int) -> list[int]:
    return [stamp(at(f"{MONDAY + timedelta(days=day)} 09:00")) for day in days if (day % 7) < 5]


@given(st.lists(st.booleans(), max_size=12))
def test_a_register_is_silent_for_long_if_it_never_was_for_so_long(came: list[bool]) -> None:
    days = [MONDAY + timedelta(days=number) for number in range(len(came))]
    runs = [(is_line, len([*run])) for is_line, run in groupby(came)]
    silences = [length for is_line, length in runs if not is_line]
    is_broken_off = any(came) and not came[-1] and all(one < silences[-1] for one in silences[:-1])
    expected = is_broken_off and 2 * sum(came) >= len(came) - silences[-1]

    assert is_silent_for_long([day for day, is_line in zip(days, came, strict=True) if is_line], days) is expected


@pytest.mark.parametrize(
    ("came", "until", "in_arrears"),
    [
        (TUESDAY, 7, True),
        ([*TUESDAY, 7], 8, False),
        ([*range(-28, 5)], 8, False),
        ([*range(-28, 4)], 7, True),
        ([-20, -10, 1], 7, False),
        ([1], 30, False),
    ],
    ids=["until Tuesday", "until Tuesday, and on the next Monday", "until Friday", "until Thursday", "small", "new"],
)
def test_a_register_that_breaks_off_within_a_week_is_in_arrears(
    came: list[int], until: int, *, in_arrears: bool
) -> None:
    found = find_still("so-den", lines(*came), START, END, around=working(-28, until), zone=ZONE)

    assert (found is not None and found.in_arrears) is in_arrears


@pytest.mark.parametrize("day", range(4))
def test_days_that_pass_end_no_doubt(day: int) -> None:
    came = lines(*range(-28, day + 1))
    for until in range(5, 35):
        found = find_still("so-den", came, START, END, around=working(-28, until), zone=ZONE)
        assert found is not None
        assert found.in_arrears


def test_papers_that_wait_are_missed_beside_a_mailbox_too() -> None:
    sources = [UpdateSourceTraits(one, ItemChannel.SUBMISSION, complete=True) for one in ("so-den", "thu")]

    def still(*came: int) -> list[str]:
        coverage = Coverage(lambda _one: SourcePolls((), (), frozenset()), {}, {}, arrivals={"so-den": lines(*came)})
        found = coverage.still(sources, START, END, around=working(-28, 7), zone=ZONE)
        return [one.source for one in found]

    assert still(*TUESDAY) == ["so-den"]
    assert still(-20, -10) == []


ENTERED_UNTIL = "papers of the week may be entered in the register until the end of the first working day after it; the first poll after that decides"


@pytest.mark.parametrize(
    ("now", "polled_until", "verdict", "said"),
    [
        ("2026-11-23 21:00", "2026-11-23", DutyVerdict.PENDING, ENTERED_UNTIL),
        ("2026-11-24 08:00", "2026-11-23", DutyVerdict.PENDING, ENTERED_UNTIL),
        (
            "2026-11-25 08:00", "2026-11-23", DutyVerdict.INSUFFICIENT_EVIDENCE,
            "no answer of so-den proves anything that is from after the first working day behind the week, on which its last papers are entered",
        ),
        (
            "2026-11-25 08:00", "2026-11-21", DutyVerdict.INSUFFICIENT_EVIDENCE,
            "no answer of so-den after the week's end proves anything",
        ),
        ("2026-11-25 08:00", "2026-11-24", DutyVerdict.UNMET, "1 of the 2 occasions due"),
    ],
    ids=["on Monday", "before Tuesday's poll", "without Tuesday's poll", "without a poll since", "after Tuesday's poll"],
)  # fmt: skip
def test_a_register_decides_by_the_first_poll_after_its_last_papers_are_entered(
    now: str, polled_until: str, verdict: DutyVerdict, said: str
) -> None:
    register = UpdateSourceTraits("so-den", ItemChannel.SUBMISSION, complete=True, attested=True, typed_days=True)
    paper = item(register, "2026-11-17 00:00", unit=JUSTICE, seen="2026-11-17 20:00")
    polls = daily_polls("2026-10-01", polled_until, sources=[register], hours=["20:00"])

    week = the_week([paper], now=now, polls=polls, units=[JUSTICE], sources=[register])

    assert (week.submissions_verdict, str(week.submissions_reason)) == (verdict, said)
