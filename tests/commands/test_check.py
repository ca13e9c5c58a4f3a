"""The command check: what it shows, records, and says by its exit code."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from checks.servers.catalogue import checks
from checks.servers.standby import GroupCheck
from commands.cli.entry import run
from portalops.compliance.ledger_checks import record_checks
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.system.clock import SystemClock
from tests.shapes import data_in

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
id = "here"
address = "local"

[[host]]
id = "far"
address = "192.0.2.1"

[checks.declared]
listeners = ["tcp/22"]

[[job]]
id = "daily-check"
kind = "check"
every = "day"
duty = "12.4-testing"
"""

ALONE = tuple(one for one in checks() if not isinstance(one, GroupCheck))
"""The checks that judge one host each."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str]:
    """A folder in which one whole round was run, with its exit code and what it printed."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = portalops(folder, "check", "run", "--json")
    return folder, code, out.getvalue()


@pytest.fixture
def after_round(home: Path, checked: tuple[Path, int, str]) -> Path:
    """The same folder, for one test alone."""
    shutil.copytree(checked[0] / "state", home / "state")
    return home


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def data_of(capsys: pytest.CaptureFixture[str], verb: str) -> Any:
    return data_in(capsys.readouterr().out, f"check {verb}")


def test_list_names_every_check_with_clause_severity_and_title(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "list", "--json") == ExitCode.OK

    listed = data_of(capsys, "list")
    assert [one["id"] for one in listed] == sorted(
        [*(one.id for one in checks()), *(one.id for one in record_checks())]
    )
    assert all(one["clause"] and one["severity"] and one["title"] for one in listed)


def test_show_gives_the_page_without_a_ledger(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "show", "ssh.root-login", "--json") == ExitCode.OK

    shown = data_of(capsys, "show")
    assert "PermitRootLogin" in shown["page"]
    assert shown["results"] == []


@pytest.mark.parametrize("check", ["ssh.root-login", "vuln.overdue"])
def test_page_is_in_the_readers_language(home: Path, capsys: pytest.CaptureFixture[str], check: str) -> None:
    assert portalops(home, "check", "show", check, "--lang", "vi") == ExitCode.OK
    vietnamese = capsys.readouterr().out
    assert portalops(home, "check", "show", check, "--lang", "en") == ExitCode.OK
    english = capsys.readouterr().out

    assert "Vì sao kiểm tra và theo quy tắc nào" in vietnamese and "Điều 12.4" in vietnamese
    assert "Why this is checked, and by which rule" in english and "Article 12.4" in english


def test_unknown_check_is_wrong_usage_and_names_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "show", "ssh.root-logn") == ExitCode.USAGE

    assert "ssh.root-login" in capsys.readouterr().err


def test_part_of_a_round_is_shown_and_not_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = portalops(home, "check", "run", "--check", "patching.os-eol", "--host", "here", "--json")

    (result,) = data_of(capsys, "run")
    assert code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
    assert (result["host"], result["check"]) == ("here", "patching.os-eol")
    assert not (home / "state").exists()


def test_unknown_answer_says_what_to_do_on_the_terminal_and_as_data(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("check", "run", "--check", "acct.uid0", "--host", "far")
    assert portalops(home, *asked, "--json") == ExitCode.PARTIAL
    (result,) = data_of(capsys, "run")
    assert portalops(home, *asked) == ExitCode.PARTIAL
    shown = " ".join(capsys.readouterr().out.split())

    assert result["hint"] in shown
    assert "portalops host" in result["hint"]


def test_unreachable_host_gives_unknown_and_exit_code_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = portalops(home, "check", "run", "--host", "far", "--json")

    results = data_of(capsys, "run")
    assert code == ExitCode.PARTIAL
    of_host = [one for one in results if one["host"] == "far"]
    assert {(one["verdict"], one["reason"]) for one in of_host} == {("unknown", "host-unreachable")}
    assert {one["verdict"] for one in results} == {"unknown"}
    assert len(of_host) == len(ALONE)


def test_unknown_host_is_wrong_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "run", "--host", "nowhere") == ExitCode.USAGE

    assert "here, far" in capsys.readouterr().err


@pytest.mark.heavy
def test_whole_round_is_recorded_with_its_evidence(
    after_round: Path, checked: tuple[Path, int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    home, (_folder, code, said) = after_round, checked

    results = json.loads(said)["data"]
    assert code in {ExitCode.UNMET, ExitCode.PARTIAL}
    assert sum(one["host"] in {"here", "far"} for one in results) == 2 * len(ALONE)
    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    digests = {digest for one in results for digest in one["evidence"]}
    assert len(digests) == 1
    assert all(ledger.blob(digest).startswith(b"portalops-answer 1 ") for digest in digests)
    whole = [record.kind for record in ledger.records() if not record.kind.startswith("check-part.")]
    assert whole[-2:] == ["check.started", "check.finished"]
    ledger.close()

    assert portalops(home, "check", "findings", "--json") in {ExitCode.UNMET, ExitCode.PARTIAL}
    assert {one["id"] for one in data_of(capsys, "findings")} == {
        one["id"] for one in results if one["verdict"] == "fail"
    }
    assert portalops(home, "check", "results", "--json") == code
    assert data_of(capsys, "results") == results
    assert portalops(home, "check", "show", "acct.uid0", "--json") == ExitCode.OK
    assert {one["host"] for one in data_of(capsys, "show")["results"]} == {"here", "far"}
    assert portalops(home, "check", "judge-again", "--json") == ExitCode.OK, "the same bytes, judged by the same checks"
    assert data_of(capsys, "judge-again") == []


def test_judging_again_shows_what_a_changed_declaration_makes_of_the_same_answer(
    after_round: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = after_round
    configuration = home / "portalops.toml"
    text = configuration.read_text("utf-8")
    configuration.write_text(
        text.replace("[checks.declared]\n", '[checks.declared]\nfix_within_days = 31\nadmins = ["nobody"]\n'), "utf-8"
    )

    assert portalops(home, "check", "judge-again", "--json") == ExitCode.UNMET
    assert "here acct.privileged" in {one["id"] for one in data_of(capsys, "judge-again")}
    assert portalops(home, "check", "judge-again", "--record", "1") == ExitCode.USAGE
    assert "record 1 is not of a scan" in capsys.readouterr().err


def test_judging_again_leaves_out_and_names_what_it_cannot_judge(
    after_round: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = after_round
    configuration = home / "portalops.toml"
    configuration.write_text(configuration.read_text("utf-8").replace('id = "here"', 'id = "elsewhere"'), "utf-8")

    assert portalops(home, "check", "judge-again") == ExitCode.PARTIAL, "nothing was held against what was recorded"
    told = " ".join("".join(capsys.readouterr()).split())
    assert "here is no longer configured: its answer is not judged again" in told
    assert "far did not answer in that scan: nothing of it is judged again" in told


def test_damaged_answer_is_not_judged_again(
    after_round: Path, checked: tuple[Path, int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    home = after_round
    (digest,) = {digest for one in json.loads(checked[2])["data"] for digest in one["evidence"]}
    (kept,) = (each for each in (home / "state").rglob("*") if each.is_file() and digest[4:] in each.name)
    kept.chmod(0o600)
    kept.write_bytes(kept.read_bytes()[:-40])

    assert portalops(home, "check", "judge-again") == ExitCode.INTEGRITY
    assert digest[:12] in capsys.readouterr().err


def test_results_without_a_round_say_what_to_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "results") == ExitCode.FAILED

    assert "portalops check run" in capsys.readouterr().err


def test_table_is_shown_in_vietnamese(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--config", str(home / "portalops.toml"), "--lang", "vi", "check", "list"], {})

    assert "Mức" in capsys.readouterr().out


@pytest.mark.heavy
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")
def test_look_of_this_week_is_repeated_unless_one_anew_is_asked_for(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def looked(*arguments: str) -> Any:
        portalops(home, "check", "run", "--check", "change.package-files", "--host", "here", "--json", *arguments)
        (result,) = data_of(capsys, "run")
        return result

    portalops(home, "check", "run", "--json")
    (first,) = (
        one for one in data_of(capsys, "run") if (one["host"], one["check"]) == ("here", "change.package-files")
    )

    assert looked()["evidence"][1:] == first["evidence"]
    assert len(looked("--anew")["evidence"]) == 1
