"""Two persons mend a clock that ran ahead, with stock ssh-keygen, and the ledger goes on."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.system.clock import SystemClock
from tests.commands.signed_home import Home
from tests.commands.test_ledger_quarantine import NOT_A_RECORD, count, home, put_line
from tests.doubles import FixedClock

__all__ = ["home"]

WEEK = timedelta(days=7)


def run_ahead(home: Home, by: timedelta = WEEK) -> tuple[int, int, str]:
    """Record as a machine does whose clock is ahead; return the first and last record, and a moment from which time is right."""
    clock = FixedClock(SystemClock().now() + by)
    ledger = Ledger.open(home.folder / "state", clock, create=True)
    records = []
    for kind in ("check.started", "check.finished"):
        clock.move(timedelta(minutes=1))
        body = bodies.write({"run": {"outcome": "complete"}, "kind": kind})
        records.append(ledger.append(kind, run=NO_RUN, subject="daily-check", body=body).seq)
    ledger.close()
    return records[0], records[-1], SystemClock().now().isoformat(timespec="milliseconds")


def options(first: int, last: int, since: str) -> tuple[str, ...]:
    return (
        "mend-clock", str(first), str(last), "--since", since, "--by", "Nguyễn Văn An", "--second", "binh",
        "--reason", "đồng hồ chạy trước một tuần",
    )  # fmt: skip


def mend(home: Home, first: int, last: int, since: str, *, key: str = "binh", expected: ExitCode = ExitCode.OK) -> Any:
    text = home.folder / "clock.txt"
    Path(f"{text}.sig").unlink(missing_ok=True)
    home.call(*options(first, last, since), "--request", str(text))
    command = ["ssh-keygen", "-Y", "sign", "-n", "portalops-clock", "-f", str(home.folder / key), str(text)]
    subprocess.run(command, check=True, capture_output=True)
    return home.call(*options(first, last, since), "--signature", f"{text}.sig", expected=expected)


def test_records_of_the_future_stop_the_ledger_until_two_persons_mend_the_clock(home: Home) -> None:
    first, last, since = run_ahead(home)
    assert home.call("confirm-clock", "2026-01-01T00:00", "--by", "An", expected=ExitCode.FAILED)["code"] == "PO1103"

    done = mend(home, first, last, since)
    home.call("head")
    found = home.call("verify")["integrity"]

    assert done["seq"] == last + 1
    assert found["holds"]
    (said,) = found["mended_clocks"]
    assert (said["first"], said["last"], said["by"], said["second"]) == (first, last, "Nguyễn Văn An", "Trần Thị Bình")
    assert not found["set_aside"]
    assert "Trần Thị Bình" in home.read("verify", language="vi")
    assert f"times of records {first} to {last} are wrong" in home.read("verify")


def test_nothing_is_recorded_before_the_second_person_signed(home: Home) -> None:
    first, last, since = run_ahead(home)

    shown = home.call(*options(first, last, since))
    refused = mend(home, first, last, since, key="chi", expected=ExitCode.INTEGRITY)

    assert shown["seq"] is None and "portalops-clock 1\n" in shown["text"]
    assert "signed by the key SHA256:" in refused["message"]
    assert count(home) == last


def test_a_signature_of_other_records_counts_for_nothing(home: Home) -> None:
    first, last, since = run_ahead(home)
    text = home.folder / "clock.txt"
    home.call(*options(first, last, since), "--request", str(text))
    command = ["ssh-keygen", "-Y", "sign", "-n", "portalops-clock", "-f", str(home.folder / "binh"), str(text)]
    subprocess.run(command, check=True, capture_output=True)

    refused = home.call(*options(last, last, since), "--signature", f"{text}.sig", expected=ExitCode.USAGE)

    assert "is earlier than the newest right record, of" in refused["message"]
    assert count(home) == last


@pytest.mark.parametrize("is_record", [True, False])
def test_a_line_that_came_after_the_text_was_signed_is_named_with_the_way_on(home: Home, is_record: bool) -> None:
    first, last, since = run_ahead(home)
    text = home.folder / "clock.txt"
    home.call(*options(first, last, since), "--request", str(text))
    command = ["ssh-keygen", "-Y", "sign", "-n", "portalops-clock", "-f", str(home.folder / "binh"), str(text)]
    subprocess.run(command, check=True, capture_output=True)
    if is_record:
        clock = FixedClock(SystemClock().now() + 2 * WEEK)
        Ledger.open(home.folder / "state", clock, create=True).append("note.added", run=NO_RUN, body=b"{}\n")
    else:
        put_line(home, NOT_A_RECORD)

    refused = home.call(*options(first, last, since), "--signature", f"{text}.sig", expected=ExitCode.USAGE)

    named = f"came record {last + 1} of " if is_record else f"came line {last + 1}, which is no record"
    assert f"behind record {last}, with which the signed text ends, {named}" in refused["message"]
    assert "note.added" in refused["message"] or not is_record
    assert f"Then give {last + 1} as the last record, with --request" in refused["hint"]
    text.unlink()
    mend(home, first, last + 1, since)
    home.call("head")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda first, last, since: (first, last - 1, since), "do not end with the newest"),
        (lambda first, last, since: (first - 1, last, since), "is not later than"),
        (lambda first, last, _since: (first, last, "2020-01-01T00:00"), "is earlier than the newest right record"),
        (lambda first, last, _since: (first, last, "2099-01-01T00:00"), "is not later than"),
        (lambda first, last, since: (first, last, f"{since[:10]}T23:59:59.999+00:00"), "later than the clock"),
        (lambda _first, last, since: (last + 1, last, since), "there are no records"),
    ],
)
def test_records_or_a_moment_that_do_not_fit_are_refused(home: Home, change: Any, message: str) -> None:
    refused = home.call(*options(*change(*run_ahead(home))), expected=ExitCode.USAGE)

    assert message in refused["message"]
    assert refused["hint"]


def test_one_person_mends_no_clock(home: Home) -> None:
    first, last, since = run_ahead(home)
    said = home.call(*options(first, last, since), "--by", "Trần Thị Bình", expected=ExitCode.USAGE)

    assert "is both persons" in said["message"]
