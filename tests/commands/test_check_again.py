"""Kept answers judged once more: of one host, of what was seen from outside alone, and of a group."""

from __future__ import annotations

import json
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.own import Own
from checks.servers.runner import run_checks
from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode, HostUnreachable
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.ports import Shell
from portalops.registers.availability import KEY, SAMPLES
from tests.checks.servers.test_runner import QuotingShell
from tests.doubles import FixedClock, SilentProgress
from tests.shapes import validate_answer

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[[host]]
id = "lb1"
address = "192.0.2.1"

[[host]]
id = "lb2"
address = "192.0.2.2"

[[host]]
id = "far"
address = "192.0.2.3"

[checks.declared]
pages = ["https://portal.example.vn/"]
no_standby = ["postgresql"]

[checks.declared.group.front]
kind = "vip"
members = ["lb1", "lb2"]
address = "192.0.2.100"
"""
HOSTS = tuple(Host(HostId(name), f"192.0.2.{n}") for n, name in enumerate(("lb1", "lb2", "far"), 1))
AT = datetime(2026, 11, 26, 2, tzinfo=UTC)
SOME = chosen(ids=("ha.vip", "acct.uid0", "run.availability"))


def held(*addresses: str) -> bytes:
    infos = [{"family": "inet", "local": each, "prefixlen": 32, "scope": "global"} for each in addresses]
    return json.dumps([{"ifname": "eth0", "addr_info": infos}]).encode()


def record_round(home: Path, *away: str) -> None:
    """Write the configuration, and record a round in which some hosts did not answer."""
    (home / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    declared = Declared.model_validate(tomllib.loads(CONFIGURATION)["checks"]["declared"])
    passwd = b"root:x:0:0:root:/root:/bin/bash\n"
    answers = {
        "lb1": {"net.addresses": held("192.0.2.1", "192.0.2.100"), "acct.passwd": passwd},
        "lb2": {"net.addresses": held("192.0.2.2"), "acct.passwd": passwd},
    }

    def shell_for(host: Host) -> Shell:
        if host.id in away:
            raise HostUnreachable(msg("cannot connect to {host}: timed out", host=host.id), msg("Look at the network."))
        return QuotingShell(answers[host.id])

    clock = FixedClock(AT)
    with closing(Ledger.open(home / "state", clock=clock, create=True)) as ledger:
        seen = PageSamples(HostId("far"), "https://portal.example.vn/", (PageSample(0, 200, 50),))
        batch = SampleBatch("auditor-1", AT - timedelta(hours=1), (seen,))
        ledger.append(SAMPLES, run=NO_RUN, subject="auditor-1", body=bodies.write({KEY: batch}))
        done = run_checks(
            HOSTS,
            declared,
            shell_for=shell_for,
            keeper=ledger,
            clock=clock,
            progress=SilentProgress(),
            some=SOME,
            own=Own(ledger, HOSTS, declared, AT, ZoneInfo("Asia/Ho_Chi_Minh")),
        )
        ledger.append("check.finished", run=NO_RUN, subject="daily-check", body=bodies.write({"check": done}))


def judged_again(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], list[str]]:
    """Return the exit code, what came out otherwise, and what was told beside it."""
    code = run(["--config", str(home / "portalops.toml"), "--lang", "en", "check", "judge-again", "--json"], {})
    answer = json.loads(capsys.readouterr().out)
    validate_answer(("check", "judge-again"), answer)
    return code, [one["id"] for one in answer["data"]], answer["warnings"]


def change(home: Path, before: str, after: str) -> None:
    file = home / "portalops.toml"
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def test_group_is_judged_again_by_the_answers_of_its_members(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(tmp_path, "far")

    code, others, _ = judged_again(tmp_path, capsys)
    assert (code, others) == (ExitCode.OK, [])

    change(tmp_path, 'address = "192.0.2.100"', 'address = "192.0.2.101"')
    code, others, _ = judged_again(tmp_path, capsys)
    assert (code, others) == (ExitCode.UNMET, ["front ha.vip"])


def test_group_of_which_one_did_not_answer_or_that_is_declared_no_more_is_left_out_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(tmp_path, "far", "lb2")

    code, others, told = judged_again(tmp_path, capsys)
    assert (code, others) == (ExitCode.OK, [])
    assert "not all members of group front answered: it is not judged again" in told

    change(tmp_path, "[checks.declared.group.front]", "[checks.declared.group.back]")
    code, others, told = judged_again(tmp_path, capsys)
    assert (code, others) == (ExitCode.PARTIAL, [])
    assert "the declaration of front has changed: it is not judged again" in told


def test_of_a_host_that_did_not_answer_what_own_records_say_is_judged_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(tmp_path, "far")

    code, others, told = judged_again(tmp_path, capsys)

    assert (code, others) == (ExitCode.OK, [])
    assert "far did not answer in that scan: only its outside scan is judged again" in told
