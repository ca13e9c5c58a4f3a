"""Facts that a person brings: taken once, for the host and the time that they were asked for, and from an undamaged file."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.servers.by_hand import VALID_FOR, mark_of, opened, script_by_hand
from checks.servers.carried import Original
from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.earlier import Repeated, to_repeat
from checks.servers.gather import parse_answer
from checks.servers.judging import judge_again
from checks.servers.probe import Probe
from checks.servers.probes import clock, os_release
from checks.servers.runner import run_checks
from portalops.errors import FactsRefused, LegacySsh
from portalops.model.hosts import ScriptIssued
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.ports import Shell
from portalops.registers.hosts import RecordedScript
from tests.checks.servers.test_runner import unreachable
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

OLD = Host(HostId("old1"), "192.0.2.1")
NONCE = "0123456789abcdef0123456789abcdef"
SECRET = "canary4b1d9c0e7a55"
LEAKS = Probe("test.leaks", ("echo", f"password={SECRET}"), lambda output: output.text)
PROBES = (os_release.PROBE, clock.PROBE, LEAKS)
ASKED = {probe.id: probe for probe in (os_release.PROBE, LEAKS)}


@dataclass(frozen=True)
class Carried:
    """A file that the script wrote on a host of now, and what is known of the script."""

    data: bytes
    issued_at: datetime
    scripts: dict[str, RecordedScript]

    @property
    def text(self) -> bytes:
        return gzip.decompress(self.data)

    def changed(self, change: Callable[[bytes], bytes]) -> bytes:
        return gzip.compress(change(self.text))


@pytest.fixture(scope="module")
def carried() -> Carried:
    at = datetime.now(UTC)
    script = script_by_hand(OLD.id, NONCE, at + VALID_FOR, PROBES)
    done = subprocess.run(["sh"], input=script, capture_output=True, check=True)
    issued = ScriptIssued(OLD.id, mark_of(NONCE), "0" * 64, at + VALID_FOR)
    return Carried(done.stdout, at, {issued.mark: RecordedScript(7, at, issued, None)})


def refusal(carried: Carried, data: bytes | None = None, **more: object) -> str:
    """Return why a file is refused."""
    given: dict[str, object] = {"scripts": carried.scripts, "now": carried.issued_at + timedelta(hours=5), **more}
    with pytest.raises(FactsRefused) as caught:
        opened(data if data is not None else carried.data, "An", given["scripts"], ASKED, given["now"])  # type: ignore[arg-type]
    return str(caught.value.message)


def test_what_the_script_wrote_is_judged_like_an_answer_over_ssh_and_says_how_it_came(carried: Carried) -> None:
    brought = opened(carried.data, "Nguyễn Văn An", carried.scripts, ASKED, carried.issued_at + timedelta(hours=5))
    keeper = MemoryKeeper()
    at = carried.issued_at + timedelta(hours=5)

    done = run_checks(
        [OLD],
        Declared(),
        shell_for=unreachable,
        keeper=keeper,
        clock=FixedClock(at),
        progress=SilentProgress(),
        some=chosen(ids=("patching.os-eol", "run.time-sync")),
        brought={OLD.id: brought},
    )

    (host,) = (each for each in done.hosts if not each.standby)
    assert (host.reached, host.brought_by, host.gathered_at) == (True, "Nguyễn Văn An", at)
    found = {each.check: each for each in host.results}
    assert found["patching.os-eol"].verdict.value in {"pass", "fail"}
    assert (found["run.time-sync"].verdict.value, found["run.time-sync"].reason) == ("unknown", "brought-by-hand")
    (raw,) = keeper.blobs.values()
    assert b'"state":"brought"' in raw
    assert b'"by":"Nguy%E1%BB%85n%20V%C4%83n%20An"' in raw
    assert judge_again(raw, OLD, Declared(), at, some=chosen(ids=("patching.os-eol",))) == (found["patching.os-eol"],)


def test_later_rounds_repeat_nothing_of_it(carried: Carried) -> None:
    slow = replace(os_release.PROBE, repeated_for=timedelta(days=7))
    brought = opened(carried.data, "An", carried.scripts, ASKED, carried.issued_at)
    stood_in = Original(carried.issued_at, Digest("0" * 64))

    asked = to_repeat(parse_answer(brought.answer), stood_in, [slow], carried.issued_at)

    assert asked == Repeated()


def test_secret_in_a_file_is_blotted_out_before_it_is_kept(carried: Carried) -> None:
    assert SECRET.encode() in carried.text

    assert SECRET.encode() not in opened(carried.data, "An", carried.scripts, ASKED, carried.issued_at).answer


def test_time_of_the_host_is_not_asked_for_since_it_travels(carried: Carried) -> None:
    brought = opened(carried.data, "An", carried.scripts, ASKED, carried.issued_at)

    assert "clock" not in parse_answer(brought.answer).sections


def test_script_that_nobody_issued_is_refused(carried: Carried) -> None:
    assert "answers no script that was issued here" in refusal(carried, scripts={})
    assert "answers no script" in refusal(
        carried, carried.changed(lambda text: text.replace(NONCE.encode(), b"f" * 32))
    )


def test_answer_for_another_host_is_refused(carried: Carried) -> None:
    renamed = carried.changed(lambda text: text.replace(b"host=old1", b"host=web1"))

    assert refusal(carried, renamed) == "the file names the host web1, and its script was issued for old1"


def test_second_answer_to_a_script_is_refused(carried: Carried) -> None:
    taken = {mark: replace(each, answered_in=9) for mark, each in carried.scripts.items()}

    assert refusal(carried, scripts=taken) == "an answer to this script was recorded before, in record 9"


def test_answer_that_comes_too_late_is_refused(carried: Carried) -> None:
    late = carried.issued_at + VALID_FOR + timedelta(seconds=1)

    assert refusal(carried, now=late).startswith("the script for old1 expired at ")


@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_script_that_ran_before_it_was_issued_or_in_the_future_is_refused(carried: Carried, seconds: int) -> None:
    def moved(text: bytes) -> bytes:
        head, mark, end = text.rpartition(b"portalops-facts end at=")
        return head + mark + b"%d\n" % (int(end) + seconds)

    assert refusal(carried, carried.changed(moved)).startswith("by its own clock the host old1 ran the script at ")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"more",
        lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
        lambda data: b"",
        lambda data: b"#!/bin/sh\n",
        gzip.decompress,
        lambda data: data + data,
        lambda data: gzip.compress(b"\0" * (9 << 20)),
        lambda data: b"\0" * ((8 << 20) + 1),
    ],
)
def test_damaged_file_is_refused(carried: Carried, spoil: Callable[[bytes], bytes]) -> None:
    assert refusal(carried, spoil(carried.data)).startswith("the file ")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"<<<%b done>>>" % NONCE.encode(), b"<<<%b don>>>" % NONCE.encode()),
        lambda text: text.replace(b"os.release>>>", b"outside.ports>>>"),
        lambda text: text.replace(b"test.leaks>>>", b"os.release>>>"),
        lambda text: text.replace(b" uid=", b" uid=x"),
        lambda text: b"",
    ],
)
def test_file_that_was_changed_inside_is_refused(carried: Carried, change: Callable[[bytes], bytes]) -> None:
    assert refusal(carried, carried.changed(change))


def test_host_that_offers_only_broken_ssh_fails_for_that_and_is_unknown_for_the_rest() -> None:
    def legacy(_host: Host) -> Shell:
        raise LegacySsh(msg("old1 offers no SSH algorithm that is still secure"), msg("Renew."))

    done = run_checks(
        [OLD],
        Declared(),
        shell_for=legacy,
        keeper=MemoryKeeper(),
        clock=FixedClock(datetime.now(UTC)),
        progress=SilentProgress(),
        some=chosen(ids=("ssh.crypto", "patching.os-eol")),
    )

    found = {each.check: (each.verdict.value, each.reason) for each in done.hosts[0].results}
    assert found == {"ssh.crypto": ("fail", "legacy-ssh"), "patching.os-eol": ("unknown", "legacy-ssh")}
