"""Whatever could not be found out is told with what to do about it: in a report, on the terminal and as data."""

from __future__ import annotations

import re

import pytest

from portalops.locale import render
from portalops.model.checks import CheckResult
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.reports.hints import SHOWN, next_step, steps_table
from tests.checks.servers.samples import SAMPLES, Sample, read_sample


def result(check: str, reason: str, *, host: str = "web1", seen: Message | None = None) -> CheckResult:
    return CheckResult(
        check, HostId(host), "12.4", Severity.HIGH, CheckVerdict.UNKNOWN, reason, seen or msg("it is not known")
    )


UNKNOWN = [
    read_sample(path)
    for path in sorted(SAMPLES.glob("*/unknown*.txt"))
    if path.parent.name not in {"imports", "updates"}
]


@pytest.mark.parametrize("sample", UNKNOWN, ids=str)
def test_every_unknown_answer_of_a_check_has_a_hint_in_both_languages(sample: Sample) -> None:
    hint = next_step(sample.judged())

    assert hint is not None
    english, vietnamese = str(hint), render(hint, "vi")
    assert english != vietnamese
    assert not re.search(r"\{\w+\}", english + vietnamese)


def test_hint_names_the_next_command() -> None:
    assert "portalops host sudoers" in str(next_step(result("acct.uid0", "sudo-refused")))
    assert "portalops check run --outside" in str(next_step(result("tls.expiry", "not-seen-from-outside")))
    assert "portalops check show web.leaks" in str(next_step(result("web.leaks", "a-reason-of-its-own")))


def test_group_is_told_to_look_at_the_member_that_did_not_answer() -> None:
    seen = msg("{host}: {seen}", host="lb2", seen=msg("it timed out"))

    assert "host test lb2" in str(next_step(result("ha.haproxy", "host-unreachable", host="front", seen=seen)))


def test_each_hint_stands_once_with_its_checks() -> None:
    many = [result(f"acct.check-{number}", "sudo-refused") for number in range(SHOWN + 2)]

    table = steps_table([*many, result("tls.expiry", "not-seen-from-outside")])

    assert table is not None
    assert [str(row[1]) for row in table.rows] == [
        ", ".join(f"acct.check-{number}" for number in range(SHOWN)) + " and 2 more",
        "tls.expiry",
    ]


def test_what_is_known_needs_no_hint() -> None:
    assert steps_table([]) is None


def test_a_probe_service_of_another_version_is_installed_anew() -> None:
    assert "schedule install" in str(next_step(result("ssh.root-login", "probe-service-outdated")))
