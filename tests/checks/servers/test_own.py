"""What own records say joins a host's answer: kept with it, judged again from it, and never a pass where it cannot be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.own import Own, not_begun, opened, own_probes, own_sections, unreadable
from checks.servers.probe import Output, ProbeResult, Unparseable
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.locale import render
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.checks import CheckResult
from portalops.model.organisation import Host, HostId
from portalops.registers.availability import KEY, SAMPLES
from tests.checks.servers.samples import DEFAULT_AT
from tests.checks.servers.test_runner import unreachable
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

WEB = Host(HostId("web1"), "192.0.2.1")
URL = "https://portal.example.vn/"
DECLARED = Declared.model_validate({"public_addresses": ["192.0.2.1"], "pages": [URL], "sample_minutes": 60})
AVAILABILITY = chosen(ids=("run.availability",))


def ledger_with_samples(folder: Path) -> Ledger:
    """Return a ledger whose batches say that the page was there in every hour of the last 30 days."""
    clock = FixedClock(DEFAULT_AT - timedelta(days=30))
    ledger = Ledger.open(folder, clock=clock, create=True)
    for _ in range(30):
        samples = tuple(PageSample(3600 * hour, 200, 80) for hour in range(24))
        batch = SampleBatch("auditor-1", clock.now(), (PageSamples(WEB.id, URL, samples),))
        clock.move(timedelta(days=1))
        ledger.append(SAMPLES, run=NO_RUN, subject="auditor-1", body=bodies.write({KEY: batch}))
    return ledger


def own(ledger: Ledger | None) -> Own:
    return Own(ledger, (WEB,), DECLARED, DEFAULT_AT, ZoneInfo("Asia/Ho_Chi_Minh"))


def judged(ledger: Ledger | None, keeper: MemoryKeeper | None = None) -> tuple[CheckResult, ...]:
    done = run_checks(
        [WEB],
        DECLARED,
        shell_for=unreachable,
        keeper=keeper or MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        some=AVAILABILITY,
        own=own(ledger),
    )
    return done.results()


def test_section_is_kept_and_judged_again_also_of_a_host_that_does_not_answer(tmp_path: Path) -> None:
    keeper = MemoryKeeper()

    (result,) = judged(ledger_with_samples(tmp_path), keeper)

    assert (result.verdict.value, result.reason) == ("pass", "")
    raw = keeper.blobs[result.evidence[0]]
    assert judge_again(raw, WEB, DECLARED, DEFAULT_AT, some=AVAILABILITY) == (result,)


def test_record_that_cannot_be_read_makes_the_check_unknown(tmp_path: Path) -> None:
    ledger = ledger_with_samples(tmp_path)
    newest = ledger.append(SAMPLES, run=NO_RUN, subject="auditor-1", body=bodies.write({KEY: "rubbish"}))

    (section,) = own_sections(own(ledger), ["availability"])[WEB.id]

    with pytest.raises(Unparseable) as raised:
        opened(section.output())
    assert raised.value.reason == "register-unreadable"
    assert str(newest.seq) in str(raised.value.seen)


def test_nothing_is_read_that_nobody_wants() -> None:
    assert own_sections(own(None), ["sshd.config"]) == {WEB.id: ()}


def test_ledger_that_cannot_be_read_is_no_pass(tmp_path: Path) -> None:
    ledger = ledger_with_samples(tmp_path)
    ledger.close()
    (tmp_path / "ledger.sqlite").write_bytes(b"rubbish")

    (section,) = own_sections(own(ledger), ["availability"])[WEB.id]

    with pytest.raises(Unparseable) as raised:
        opened(section.output())
    assert raised.value.reason == "records-failed"
    assert "ledger" in str(raised.value.seen)
    assert "sổ cái" in render(raised.value.seen, "vi"), "the cause is in the reader's language"


def test_cause_that_a_section_of_before_holds_as_text_is_still_read() -> None:
    with pytest.raises(Unparseable, match="failed: the ledger is gone") as raised:
        opened(Output(0, '{"state":"failed","what":"the%20ledger%20is%20gone"}', ""))
    assert raised.value.reason == "records-failed"


@pytest.mark.parametrize(
    ("section", "reason"),
    [(not_begun("own.x"), "no-register"), (unreadable("own.x", [7, 3]), "register-unreadable")],
)
def test_section_says_why_nothing_was_read(section: ProbeResult, reason: str) -> None:
    with pytest.raises(Unparseable) as raised:
        opened(section.output())
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '{"state":"odd"}', '{"state":"unreadable","records":["x"]}', '{"state":[]}']
)
def test_section_out_of_form_is_believed_in_nothing(text: str) -> None:
    with pytest.raises(Unparseable) as raised:
        opened(Output(0, text, ""))
    assert raised.value.reason == "unparseable"


def test_every_register_says_something_of_each_host_without_a_ledger_too() -> None:
    found = own_sections(own(None), own_probes())[WEB.id]

    assert {each.probe for each in found} == own_probes()
