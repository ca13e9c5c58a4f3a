"""The commands of findings: what is open and overdue, waivers, closing, imports, and one line for monitoring."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli import nagios
from commands.cli.entry import run
from commands.jobs.kinds.check import exit_code_of_checks
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import CarriedFindings
from portalops.model.message import msg, verbatim
from portalops.model.organisation import HostId
from portalops.model.record import RunId
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.model.waivers import Waiver
from portalops.system.clock import SystemClock
from tests.doubles import FixedClock
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
id = "web1"
address = "192.0.2.1"
custodian = "Nguyễn Văn An"
"""
NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=60)
ROOT, SPACE = "ssh.root-login", "storage.space"
PASS, FAIL, UNKNOWN = CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.UNKNOWN
DECISION = ("--reason", "no successor yet", "--approver", "Nguyễn Văn An", "--reference", "12/QĐ-STTTT")
SAMPLES = Path(__file__).parents[1] / "samples" / "imports"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str, language: str = "en") -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", language, *arguments], {})


def asked(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = portalops(home, *arguments, "--json")
    answer = json.loads(capsys.readouterr().out)
    validate_answer(arguments, answer)
    return code, answer["data"]


def record_round(
    home: Path, at: datetime, *, host: str = "web1", seen: str = "seen", reached: bool = True, **verdicts: CheckVerdict
) -> None:
    """Record a round as of a moment; `ssh_root_login=FAIL` is the verdict of ssh.root-login."""
    ledger = Ledger.open(home / "state", FixedClock(at), create=True)
    results = tuple(
        CheckResult(
            check,
            HostId(host),
            "12.4",
            Severity.HIGH if check == ROOT else Severity.LOW,
            verdict,
            "",
            verbatim(seen),
            msg("Set PermitRootLogin no") if verdict is FAIL else None,
        )
        for name, verdict in verdicts.items()
        if (check := {"root": ROOT, "space": SPACE}[name])
    )
    problem = "" if reached else "no answer"
    one = CheckScan((HostScan(HostId(host), at, reached, problem, results),))
    run_id = RunId(f"12.4:daily:{at.isoformat()}".replace("+", "_"))
    ledger.append("check.finished", run=run_id, subject="daily", body=bodies.write({"check": one}))
    ledger.close()


def waive(home: Path, until: datetime, *more: str) -> int:
    day = (until + timedelta(hours=7)).date().isoformat()
    return portalops(home, "check", "waive", ROOT, "--host", "web1", *DECISION, "--until", day, *more)


# --- findings -------------------------------------------------------------------------------------


def test_overdue_finding_is_shown_with_its_days_owner_and_records(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, LONG_AGO, root=FAIL, space=FAIL)
    record_round(home, NOW, root=FAIL, space=FAIL)

    code, listed = asked(home, capsys, "check", "findings")
    _code, (late,) = asked(home, capsys, "check", "findings", "--overdue")

    assert code == ExitCode.UNMET
    assert [(one["id"], one["state"]) for one in listed] == [
        ("web1:ssh.root-login", "due"),
        ("web1:storage.space", "open"),
    ]
    assert late["id"] == "web1:ssh.root-login"
    assert (late["owner"], late["verdict"], late["remedy"]) == ("Nguyễn Văn An", "fail", "Set PermitRootLogin no")
    assert late["first_seen_at"][:10] == LONG_AGO.date().isoformat()
    assert late["due_on"] == ((LONG_AGO + timedelta(hours=7)).date() + timedelta(days=30)).isoformat()
    assert late["events"] == [{"turn": "opened", "record": 2, "at": late["opened_at"]}]


def test_family_and_host_choose_and_an_unknown_host_is_wrong_usage(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, NOW, root=FAIL, space=FAIL)

    _code, (only,) = asked(home, capsys, "check", "findings", "--family", "storage", "--host", "web1")

    assert only["check"] == SPACE
    for words in ("findings", "results"):
        assert portalops(home, "check", words, "--host", "nowhere") == ExitCode.USAGE
        assert portalops(home, "check", words, "--family", "nothing") == ExitCode.USAGE


def test_fixed_findings_are_shown_on_request(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    record_round(home, NOW, root=PASS)

    assert asked(home, capsys, "check", "findings") == (ExitCode.OK, [])
    _code, (fixed,) = asked(home, capsys, "check", "findings", "--all")
    assert (fixed["state"], [event["turn"] for event in fixed["events"]]) == ("fixed", ["opened", "fixed"])


def test_nobody_having_looked_is_told_and_is_not_success(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert portalops(home, "check", "findings") == ExitCode.PARTIAL
    assert "no scan is recorded yet" in capsys.readouterr().out
    record_round(home, LONG_AGO, root=PASS)
    assert portalops(home, "check", "findings") == ExitCode.PARTIAL
    record_round(home, NOW, reached=False, root=UNKNOWN)
    assert portalops(home, "check", "findings") == ExitCode.PARTIAL


def test_carried_findings_that_do_not_follow_from_the_rounds_are_found(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    assert portalops(home, "check", "findings", "--anew") == ExitCode.UNMET
    ledger = Ledger.open(home / "state", FixedClock(NOW), create=True)
    forged = CheckScan((), CarriedFindings(2, ()))
    ledger.append("check.finished", run=RunId("a:b:c"), body=bodies.write({"check": forged}))
    ledger.close()

    assert portalops(home, "check", "findings", "--anew") == ExitCode.INTEGRITY
    assert "web1:ssh.root-login" in capsys.readouterr().err


def test_findings_are_shown_in_vietnamese(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL)

    portalops(home, "check", "findings", language="vi")

    shown = capsys.readouterr().out
    assert "quá hạn" in shown
    assert "Người phụ trách" in shown


def test_words_of_a_host_are_escaped_wherever_a_finding_is_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, LONG_AGO, root=FAIL, seen="\x1b[2J\x1b]0;owned\x07\u202e|$(reboot)\nPORTALOPS OK")

    for words in (("check", "findings"), ("check", "show", ROOT), ("check", "results"), ("status", "12.4-remedy")):
        capsys.readouterr()
        portalops(home, *words)
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x07\u202e"), words
    code, line = plugin(home, capsys, "findings")
    assert (code, "reboot" in line) == (2, False)


def test_status_names_what_is_overdue(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    record_round(home, NOW, root=FAIL)

    _code, standings = asked(home, capsys, "status")

    (remedy,) = [one for one in standings if one["id"] == "12.4-remedy"]
    assert remedy["verdict"] == "unmet"
    assert remedy["reason"].startswith("ssh.root-login on web1: open since")


# --- waivers ----------------------------------------------------------------------------------------


def test_waived_finding_still_fails_and_sets_no_exit_code(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    record_round(home, NOW, root=FAIL)
    assert portalops(home, "check", "results") == ExitCode.UNMET

    assert waive(home, NOW + timedelta(days=30)) == ExitCode.OK

    code, (finding,) = asked(home, capsys, "check", "findings")
    assert (code, finding["state"], finding["verdict"]) == (ExitCode.OK, "waived", "fail")
    code, (result,) = asked(home, capsys, "check", "results")
    assert (code, result["verdict"]) == (ExitCode.OK, "fail")
    assert result["waived_until"] == finding["waived_until"]


def test_waiver_is_recorded_with_its_document_and_replaced_by_the_next(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    record_round(home, NOW, root=FAIL)
    decision = tmp_path / "decision.pdf"
    decision.write_bytes(b"%PDF-1.7 decided")

    assert waive(home, NOW + timedelta(days=300), "--file", str(decision)) == ExitCode.OK
    assert waive(home, NOW + timedelta(days=3)) == ExitCode.OK

    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    kinds = [record.kind for record in ledger.records()]
    first = next(ledger.records(kinds=("waiver.granted",)))
    (digest,) = bodies.evidence_of(ledger.blob(first.body))
    assert ledger.blob(digest) == b"%PDF-1.7 decided"
    ledger.close()
    assert kinds[-3:] == ["waiver.granted", "waiver.withdrawn", "waiver.granted"]
    _code, (finding,) = asked(home, capsys, "check", "findings")
    assert finding["waived_until"] == (NOW + timedelta(days=3, hours=7)).date().isoformat()


def test_withdrawn_waiver_counts_no_more_and_cannot_be_withdrawn_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, NOW, root=FAIL)
    day = (NOW + timedelta(days=30)).date().isoformat()
    _code, waiver = asked(home, capsys, "check", "waive", ROOT, "--host", "web1", *DECISION, "--until", day)
    withdrawal = ("check", "waive", ROOT, "--host", "web1", "--withdraw", "--reason", "r", "--approver", "a")

    assert asked(home, capsys, *withdrawal) == (ExitCode.OK, {"id": waiver["id"], "record": waiver["record"] + 1})
    _code, (finding,) = asked(home, capsys, "check", "findings")

    assert finding["state"] == "open"
    assert portalops(home, *withdrawal) == ExitCode.USAGE


@pytest.mark.parametrize("more", [("--until", "2026-12-31"), ("--reference", "d"), ("--file", "decision.pdf")])
def test_withdrawal_refuses_what_it_would_not_keep(home: Path, more: tuple[str, ...]) -> None:
    record_round(home, NOW, root=FAIL)
    waive(home, NOW + timedelta(days=30))

    given = ("check", "waive", ROOT, "--host", "web1", "--withdraw", "--reason", "r", "--approver", "a", *more)
    assert portalops(home, *given) == ExitCode.USAGE


@pytest.mark.parametrize(
    "arguments",
    [
        (ROOT, "--host", "web1", *DECISION),
        (ROOT, "--host", "web1", *DECISION, "--until", "2020-01-01"),
        (ROOT, "--host", "web1", *DECISION, "--until", "9999-01-01"),
        (ROOT, "--host", "web1", *DECISION, "--until", "soon"),
        (ROOT, "--host", "web1", *DECISION[:4], "--until", "TODAY"),
        (ROOT, "--host", "web1", *DECISION[:3], " ", "--reference", "d", "--until", "TODAY"),
        (ROOT, "--host", "web1", "--reason", "x" * 1001, *DECISION[2:], "--until", "TODAY"),
        (ROOT, "--host", "nowhere", *DECISION, "--until", "TODAY"),
        ("ssh.no-such", "--host", "web1", *DECISION, "--until", "TODAY"),
        (ROOT, "--host", "web1", *DECISION, "--until", "TODAY", "--file", "no-such-file"),
    ],
)
def test_incomplete_waiver_is_refused_and_nothing_is_recorded(home: Path, arguments: tuple[str, ...]) -> None:
    today = (datetime.now(UTC) + timedelta(hours=7)).date().isoformat()
    given = [today if argument == "TODAY" else argument for argument in arguments]

    assert portalops(home, "check", "waive", *given) == ExitCode.USAGE

    assert not (home / "state").exists()


def test_expired_and_unused_waivers_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL, space=PASS)
    early = Ledger.open(home / "state", FixedClock(LONG_AGO), create=True)
    day = LONG_AGO.date()
    ended = Waiver("old", ROOT, "web1", "r", "a", "d", day, day + timedelta(days=5))
    early.append("waiver.granted", run=RunId(""), body=bodies.write({"waiver": ended}))
    early.close()
    today = (datetime.now(UTC) + timedelta(hours=7)).date().isoformat()
    portalops(home, "check", "waive", SPACE, "--host", "web1", *DECISION, "--until", today)
    capsys.readouterr()

    portalops(home, "check", "findings")

    told = capsys.readouterr().err
    assert "waiver old of ssh.root-login on web1 ended on" in told
    assert "waiver storage.space@web1 of storage.space on web1 is in force, but the check no longer fails" in told


def test_after_a_withdrawal_that_cannot_be_read_the_waiver_counts_no_more_and_the_record_is_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, NOW, root=FAIL)
    waive(home, NOW + timedelta(days=30))
    ledger = Ledger.open(home / "state", SystemClock(), create=True)
    seq = ledger.append("waiver.withdrawn", run=RunId(""), body=b"{}").seq
    ledger.close()

    code, (finding,) = asked(home, capsys, "check", "findings")
    portalops(home, "check", "findings")
    told = capsys.readouterr().err
    portalops(home, "status")
    status = capsys.readouterr().err

    assert (code, finding["state"], finding["waiver"]) == (ExitCode.UNMET, "open", None)
    assert f"waiver ssh.root-login@web1 of ssh.root-login on web1 may have been withdrawn by record {seq}" in told
    assert f"the details of record {seq} cannot be read" in told
    assert f"the details of record {seq} cannot be read" in status
    assert portalops(home, "check", "results") == ExitCode.UNMET

    assert waive(home, NOW + timedelta(days=30)) == ExitCode.OK
    assert asked(home, capsys, "check", "findings")[1][0]["state"] == "waived"


# --- closing ------------------------------------------------------------------------------------------


def test_finding_of_a_host_that_is_gone_stays_open_until_a_person_closes_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, LONG_AGO, host="web0", root=FAIL)
    record_round(home, NOW, root=PASS)
    assert asked(home, capsys, "check", "findings")[0] == ExitCode.UNMET

    assert asked(home, capsys, "check", "close", ROOT, "--host", "web0", *DECISION)[0] == ExitCode.OK

    assert asked(home, capsys, "check", "findings") == (ExitCode.OK, [])
    assert portalops(home, "check", "close", ROOT, "--host", "web0", *DECISION) == ExitCode.USAGE


@pytest.mark.parametrize(("verdict", "expected"), [(FAIL, ExitCode.USAGE), (UNKNOWN, ExitCode.USAGE)])
def test_finding_that_can_still_be_checked_is_not_closed_by_hand(
    home: Path, verdict: CheckVerdict, expected: ExitCode
) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    record_round(home, NOW, root=verdict)

    assert portalops(home, "check", "close", ROOT, "--host", "web1", *DECISION) == expected


def test_finding_of_hosts_that_stand_by_for_each_other_is_waived_by_their_name_and_not_closed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, NOW, host="vip-web", root=FAIL)
    today = (datetime.now(UTC) + timedelta(hours=7)).date().isoformat()

    assert portalops(home, "check", "close", ROOT, "--host", "vip-web", *DECISION) == ExitCode.USAGE
    given = ("check", "waive", ROOT, "--host", "vip-web", *DECISION, "--until", today)
    assert portalops(home, *given) == ExitCode.OK
    _code, (finding,) = asked(home, capsys, "check", "findings")
    assert finding["state"] == "waived"


def test_finding_of_a_check_that_applies_no_more_may_be_closed(home: Path) -> None:
    record_round(home, LONG_AGO, root=FAIL)
    record_round(home, NOW, root=CheckVerdict.NOT_APPLICABLE)

    assert portalops(home, "check", "close", ROOT, "--host", "web1", *DECISION) == ExitCode.OK


# --- one line for monitoring ----------------------------------------------------------------------------


def plugin(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    capsys.readouterr()
    code = portalops(home, "check", *arguments, "--nagios")
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    assert out.count("|") <= 1
    return code, out.rstrip("\n")


def test_plugin_says_critical_for_overdue_warning_for_open_and_unknown_for_nobody_looked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plugin(home, capsys, "findings") == (3, "PORTALOPS UNKNOWN - no scan is recorded yet")

    record_round(home, LONG_AGO, root=PASS)
    code, line = plugin(home, capsys, "findings")
    assert (code, line[:22]) == (3, "PORTALOPS UNKNOWN - th")

    record_round(home, NOW - timedelta(minutes=2), root=PASS, space=UNKNOWN)
    assert plugin(home, capsys, "findings")[0] == 3

    record_round(home, NOW - timedelta(minutes=1), root=PASS, space=PASS)
    assert plugin(home, capsys, "findings") == (
        0,
        "PORTALOPS OK - no finding is open without a waiver | overdue=0;;;0 open=0;;;0 waived=0;;;0 unknown=0;;;0",
    )

    record_round(home, NOW, root=FAIL)
    code, line = plugin(home, capsys, "findings")
    assert (code, line.partition(" | ")[0]) == (1, "PORTALOPS WARNING - 1 finding open: web1:ssh.root-login")


def test_plugin_says_critical_for_what_is_overdue(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, LONG_AGO, root=FAIL)

    code, line = plugin(home, capsys, "findings")

    assert code == 2
    assert line.startswith("PORTALOPS CRITICAL - 1 finding overdue: web1:ssh.root-login | overdue=1;;;0 ")


def test_plugin_turns_an_error_into_unknown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "portalops.toml").write_text("[portal\n", encoding="utf-8")

    code, line = plugin(home, capsys, "findings")

    assert code == 3
    assert line.startswith("PORTALOPS UNKNOWN - error PO1003")


def test_plugin_is_never_ok_without_a_pass(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_round(home, NOW, root=CheckVerdict.NOT_APPLICABLE, space=PASS)

    assert plugin(home, capsys, "findings")[0] == 0
    assert plugin(home, capsys, "findings", "--family", "storage")[0] == 0
    code, line = plugin(home, capsys, "findings", "--family", "ssh")
    assert (code, line.partition(" | ")[0]) == (
        3,
        "PORTALOPS UNKNOWN - no check passes in the newest scan: nothing proves a good state",
    )
    assert plugin(home, capsys, "findings", "--family", "no-such")[0] == 3
    assert plugin(home, capsys, "findings", "--host", "no-such")[0] == 3


def test_plugin_of_a_round_in_which_nothing_applies_or_no_host_is_declared_is_unknown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = plugin(home, capsys, "run", "--check", "ha.vip-single")
    assert code == 3, line

    job = '[[job]]\nid = "daily-check"\nkind = "check"\nevery = "day"\nduty = "12.4-testing"\n'
    (home / "portalops.toml").write_text(CONFIGURATION.partition("[[host]]")[0] + job, encoding="utf-8")
    code, line = plugin(home, capsys, "run")
    assert (code, line.partition(" | ")[0]) == (
        3,
        "PORTALOPS UNKNOWN - no host is declared, so nothing was checked",
    )


def test_plugin_of_a_part_that_cannot_be_reached_is_unknown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, line = plugin(home, capsys, "run", "--check", ROOT)

    assert code == 3
    assert line.endswith("| pass=0;;;0 fail=0;;;0 waived=0;;;0 unknown=1;;;0")


def test_json_and_plugin_output_exclude_each_other(home: Path) -> None:
    assert portalops(home, "check", "findings", "--nagios", "--json") == ExitCode.USAGE


@pytest.mark.parametrize(
    "hostile",
    [
        "a\nb",
        "a|b=1;0",
        "$(reboot)",
        "`reboot`",
        "\x1b[2J",
        "a;b",
        "'\"<>&$HOSTNAME$",
        "\u202e",
        "x" * 5000,
        "Đ" * 5000,
    ],
)
def test_text_of_a_host_cannot_leave_its_line_nor_reach_a_shell(hostile: str) -> None:
    line = nagios.line(nagios.CRITICAL, hostile, {"open": 1})

    text, _bar, figures = line.partition(" | ")
    assert figures == "open=1;;;0"
    assert not set(text) & set("|;$`'\"<>&\\\n\r\x1b\u202e")
    assert len(line.encode()) < 1000


@pytest.mark.parametrize("quotes", ["''", '""', "\u2018\u2019", "\u201c\u201d"])
def test_quotes_are_left_out_of_the_line_and_leave_no_mark(quotes: str) -> None:
    said = f"run {quotes[0]}portalops ledger verify{quotes[1]}"

    assert nagios.line(nagios.CRITICAL, said, {}) == "PORTALOPS CRITICAL - run portalops ledger verify"


# --- imports --------------------------------------------------------------------------------------------


def test_report_of_another_tool_is_kept_and_shown_apart_as_its_claim(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, NOW, root=PASS)
    report = SAMPLES / "openscap-arf.xml"

    code, (claim,) = asked(home, capsys, "check", "import", str(report), "--tool", "openscap", "--host", "web1")

    assert (code, claim["claimed_by"], claim["state"]) == (ExitCode.OK, "OpenSCAP", "claimed")
    code, listed = asked(home, capsys, "check", "findings")
    assert (code, listed) == (ExitCode.OK, [claim])
    ledger = Ledger.open(home / "state", SystemClock(), create=False)
    last = ledger.last()
    assert last is not None
    (digest,) = bodies.evidence_of(ledger.blob(last.body))
    assert ledger.blob(digest) == report.read_bytes()
    ledger.close()


def test_claim_is_fixed_where_a_newer_report_answers_and_stays_where_it_does_not_and_an_old_report_changes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second = SAMPLES / "lynis-report.dat", tmp_path / "second.dat"
    text = (SAMPLES / "lynis-ssh-only.dat").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "suggestion[]=SSH-7408" not in line]
    second.write_text("\n".join(kept), encoding="utf-8")
    given = ("--tool", "lynis", "--host", "web1")
    portalops(home, "check", "import", str(first), *given)

    _code, claims = asked(home, capsys, "check", "import", str(second), *given)

    gone = [claim["rule"] for claim in claims if claim["state"] == "claimed-fixed"]
    assert gone == ["SSH-7408"] * 9
    states = {claim["rule"]: claim["state"] for claim in claims}
    assert (states["PKGS-7392"], states["DEB-0880"]) == ("not-answered", "claimed")
    assert {claim["rule"] for claim in asked(home, capsys, "check", "findings")[1]} > {"PKGS-7392", "DEB-0880"}
    assert portalops(home, "check", "import", str(first), *given) == ExitCode.USAGE
    assert "in record 2" in capsys.readouterr().err


def test_file_that_is_no_report_is_refused_and_nothing_is_recorded(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text("<html/>", encoding="utf-8")

    for name, form in ((other, "openscap"), (tmp_path / "absent", "lynis"), (other, "nessus")):
        assert portalops(home, "check", "import", str(name), "--tool", form, "--host", "web1") == ExitCode.USAGE
    assert portalops(home, "check", "import", str(other), "--tool", "sarif", "--host", "web9") == ExitCode.USAGE

    assert not (home / "state").exists()


# --- pages ------------------------------------------------------------------------------------------------


def test_page_of_a_check_names_duty_remedy_and_how_it_stands_on_each_host(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_round(home, LONG_AGO, root=FAIL)

    code, page = asked(home, capsys, "check", "show", ROOT)

    assert code == ExitCode.OK
    assert page["duties"] == ["12.4-mechanisms"]
    assert page["probes"]
    assert [result["verdict"] for result in page["results"]] == ["fail"]
    assert [finding["state"] for finding in page["findings"]] == ["due"]


def test_check_that_is_judged_from_records_is_listed_and_shows_its_page_and_duty(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, page = asked(home, capsys, "check", "show", "vuln.overdue")
    assert (code, page["duties"], page["severity"]) == (ExitCode.OK, ["12.4-remedy"], "high")
    assert "Article 12.4" in page["page"]

    code, listed = asked(home, capsys, "check", "list", "--family", "vuln")

    assert [each["id"] for each in listed] == ["vuln.cadence", "vuln.overdue"]
    assert portalops(home, "check", "run", "--check", "vuln.overdue") == ExitCode.USAGE
    assert "portalops status 12.4-remedy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("root", "space", "is_waived", "code"),
    [
        (PASS, PASS, False, 0),
        (FAIL, PASS, False, 1),
        (FAIL, UNKNOWN, False, 1),
        (PASS, UNKNOWN, False, 3),
        (FAIL, PASS, True, 0),
        (FAIL, UNKNOWN, True, 3),
        (FAIL, FAIL, True, 1),
        (FAIL, CheckVerdict.ERROR, True, 70),
    ],
)
def test_exit_code_is_1_for_a_fail_without_a_waiver_3_for_unknown_without_one_and_0_if_all_pass(
    home: Path, root: CheckVerdict, space: CheckVerdict, code: int, *, is_waived: bool
) -> None:
    record_round(home, NOW, root=root, space=space)
    if is_waived:
        waive(home, NOW + timedelta(days=30))

    assert portalops(home, "check", "results") == code
    assert portalops(home, "check", "results", "--no-such-option") == 2


def test_crash_of_a_check_is_never_waived() -> None:
    result = CheckResult(ROOT, HostId("web1"), "12.4", Severity.HIGH, CheckVerdict.ERROR, "check-crashed", msg("x"))

    assert exit_code_of_checks((result,)) == ExitCode.FAULT
