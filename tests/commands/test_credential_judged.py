"""The job that checks the servers looks at who can work in the portal first: what becomes of one that cannot be asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands.cli.catalogue import named
from commands.cli.entry import run
from commands.jobs.kinds.check import add_portals
from portalops.errors import ExitCode
from portalops.ledger.runs import Work
from portalops.model.message import msg
from portalops.model.verdicts import RunOutcome
from tests.servers import free_port
from tests.shapes import validate

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "192.0.2.1"

[[host]]
id = "web2"
address = "192.0.2.2"

[[updates.source]]
id = "cong"
kind = "sql"
product = "nukeviet"
channel = "portal"
url = "mysql+pymysql://reader@127.0.0.1:{port}/portal"

[checks.declared.members.nguyen-van-an]
accounts = ["an"]

[[job]]
id = "daily-check"
kind = "check"
every = "day"
duty = "12.4-testing"
"""
ADD = (
    "credential",
    "add",
    "cong-an",
    "--system",
    "portal:cong",
    "--account",
    "an",
    "--kind",
    "password",
    "--holder",
    "nguyen-van-an",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    text = CONFIGURATION.format(port=free_port())
    (tmp_path / "portalops.toml").write_text(text, encoding="utf-8")
    assert portalops(tmp_path, *ADD) == ExitCode.OK
    return tmp_path


def portalops(home: Path, *arguments: str, language: str = "en") -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", language, *arguments], {})


def data(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    portalops(home, *arguments, "--json")
    printed = json.loads(capsys.readouterr().out)["data"]
    validate(named(arguments)[0], printed)
    return printed


def test_portal_that_cannot_be_asked_is_told_by_the_job_and_unknown_in_the_check(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (job,) = data(home, capsys, "run", "daily-check")["jobs"]
    found = {(one["host"], one["check"]): one for one in data(home, capsys, "check", "results")}

    assert job["outcome"] == "incomplete"
    assert [line for line in job["problems"] if line.startswith("update source cong: ")]
    unasked, elsewhere = (found[host, "cred.portal-accounts"] for host in ("web1", "web2"))
    assert (unasked["verdict"], unasked["reason"]) == ("unknown", "portal-not-asked")
    assert unasked["message"].startswith("update source cong: ") and "credential poll" in unasked["hint"]
    assert (elsewhere["verdict"], elsewhere["reason"]) == ("not-applicable", "judged-elsewhere")
    assert found["web2", "cred.registered"]["reason"] == "host-unreachable"
    for language, words in (("en", "update source cong"), ("vi", "nguồn cập nhật cong")):
        capsys.readouterr()
        portalops(home, "run", "daily-check", language=language)
        assert words in capsys.readouterr().out
        portalops(home, "check", "run", language=language)
        assert words in capsys.readouterr().err


def test_without_a_new_look_a_part_is_judged_by_the_newest_that_is_recorded(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (one, _other) = data(home, capsys, "check", "run", "--check", "cred.portal-accounts")

    assert (one["verdict"], one["reason"]) == ("unknown", "portal-never-asked")


def test_a_portal_that_was_not_asked_makes_a_complete_round_incomplete() -> None:
    whole: Work[object] = Work(RunOutcome.COMPLETE, ExitCode.UNMET, None)
    refused = msg("update source {source}: {cause}", source="cong", cause=msg("refused"))

    assert add_portals(whole, []) is whole
    assert add_portals(whole, [refused]) == Work(RunOutcome.INCOMPLETE, ExitCode.UNMET, None, (refused,))
    failed: Work[object] = Work(RunOutcome.FAILED, ExitCode.PARTIAL, None, ("no host",))
    assert add_portals(failed, [refused]).problems == ("no host", refused)
    assert add_portals(failed, [refused]).outcome is RunOutcome.FAILED
