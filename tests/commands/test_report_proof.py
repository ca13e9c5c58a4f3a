"""Every report carries a head of the ledger, or says why there is none; who may only read gets a report as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.report_files import build_report, parts_of
from commands.jobs.runner import perform
from portalops.bodies import decode_part
from portalops.config.keys import ensure_signing_key
from portalops.errors import ExitCode
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.check_heads import read_supplied_head
from portalops.ledger.heads import code_of, heads, newest_head, text_of
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.verify import Supplied, verify
from portalops.model.period import Period
from portalops.model.record import RunId
from portalops.model.runs import Every, Job, JobId, JobKind, ReportResult
from portalops.reports import formats
from portalops.reports.qr import QUIET_ZONE, qr_modules
from tests.accounts import as_ordinary_user
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper
from tests.reports.page import Page
from tests.reports.test_qr import drawn_modules
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

[report]
folder = "reports"
languages = ["vi", "en"]

[[job]]
id = "weekly-report"
kind = "report"
every = "week"
"""
SIGNED = CONFIGURATION + '\n[signing]\nkey = "keys/signing"\n'
BEGAN = datetime(2026, 11, 23, 2, tzinfo=UTC)
WEEK = Period(date(2026, 11, 23), date(2026, 11, 29))


def home_in(folder: Path, configuration: str = SIGNED) -> Path:
    """Make a configuration, a key and a ledger of three records."""
    (folder / "portalops.toml").write_text(configuration, encoding="utf-8")
    (folder / "keys").mkdir()
    ensure_signing_key(folder / "keys" / "signing", comment="demo")
    ledger = Ledger.open(folder / "state", FixedClock(BEGAN), create=True)
    for kind in ("check.started", "check.finished"):
        ledger.append(kind, run=RunId("12.4:daily:2026-11-23"), body=b"{}\n")
    ledger.close()
    return folder


def session_in(folder: Path, clock: FixedClock | None = None) -> Session:
    chosen = clock or FixedClock(BEGAN + timedelta(hours=1))
    return Session(Invocation((), folder / "portalops.toml"), {}, clock=chosen)


def page_of(session: Session, language: str = "en") -> str:
    built = build_report(parts_of(session), "compliance", WEEK)
    return formats.load("html").render(built.document, language=language).decode()


def test_a_report_rests_on_the_records_up_to_its_own_heads_and_shows_it(tmp_path: Path) -> None:
    session = session_in(home_in(tmp_path))

    built = build_report(parts_of(session), "compliance", WEEK)

    assert built.head is not None
    last = session.ledger.last()
    assert last is not None
    assert (built.head.seq, built.figures.last_seq) == (last.seq, last.seq)
    assert (last.kind, built.head.head.size) == ("head", last.seq - 1)
    assert built.unsigned is None
    page = Page(formats.load("html").render(built.document, language="vi").decode())
    assert code_of(built.head.head) in page.root.all("footer")[0].words()
    assert page.root.all("pre")[0].words() == built.head.signed.text


def test_the_picture_holds_the_heads_six_lines_and_they_verify(tmp_path: Path) -> None:
    session = session_in(home_in(tmp_path))

    page = Page(page_of(session))

    figure = next(each for each in page.root.all("figure") if each.attributes["class"] == "qr")
    inner = [row[QUIET_ZONE:-QUIET_ZONE] for row in drawn_modules(figure.all("svg")[0])[QUIET_ZONE:-QUIET_ZONE]]
    newest = newest_head(session.ledger)
    assert newest is not None
    assert inner == [list(row) for row in qr_modules(text_of(newest.head))]
    brought = read_supplied_head("paper", page.root.all("pre")[0].words().encode())
    found = verify(session.ledger, now=session.clock.now(), zone=session.zone_of_portal, brought=Supplied((brought,)))
    assert found.integrity.holds
    assert [each.verdict for each in found.integrity.signed.supplied] == ["holds"]


@pytest.mark.parametrize("name", formats.names())
def test_the_same_ledger_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    home = home_in(tmp_path)

    first, second = (build_report(parts_of(session_in(home)), "compliance", WEEK) for _ in range(2))

    assert first.head == second.head, "over nothing new there is no new head"
    for language in ("vi", "en"):
        one, other = (formats.load(name).render(each.document, language=language) for each in (first, second))
        assert one == other


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Nothing is signed: no signing key is configured."),
        ("vi", "Không có gì được ký: chưa cấu hình khóa ký."),
    ],
)
def test_a_ledger_without_a_key_says_that_nothing_is_signed(tmp_path: Path, language: str, words: str) -> None:
    session = session_in(home_in(tmp_path, CONFIGURATION))

    page = page_of(session, language)

    assert words in Page(page).root.words()
    assert "<pre>" not in page
    assert session.ledger.count() == 3, "nothing was recorded for it"


def test_a_report_makes_no_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "portalops.toml").write_text(SIGNED, encoding="utf-8")
    (tmp_path / "keys").mkdir()
    ensure_signing_key(tmp_path / "keys" / "signing", comment="demo")

    assert portalops(tmp_path, "report", "build", "compliance") == ExitCode.FAILED

    assert "error[PO1102]" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


@contextmanager
def read_only(home: Path, *, key_mode: int) -> Iterator[None]:
    """Take the right to write away from everybody but root, and let it come back for the cleaning up."""
    paths = [home / "state", *(home / "state").rglob("*"), home / "keys", home / "keys" / "signing"]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    (home / "keys" / "signing").chmod(key_mode)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.parametrize(("key_mode", "cause"), [(0o000, "keys/signing"), (0o400, "ledger.sqlite")])
def test_an_account_that_may_only_read_gets_the_newest_head_and_learns_what_it_does_not_cover(
    tmp_path: Path, key_mode: int, cause: str
) -> None:
    page_of(session_in(home_in(tmp_path)))  # everything is imported before the account changes
    with as_ordinary_user() as folder:
        clock = FixedClock(BEGAN + timedelta(hours=1))
        session = session_in(home_in(folder), clock)
        signed = session.record_head()
        assert signed is not None
        for number in range(2):
            session.writable_ledger.append("plan", run=NO_RUN, body=b'{"n":%d}\n' % number)
        session.writable_ledger.close()
        clock.move(timedelta(minutes=5))
        with read_only(folder, key_mode=key_mode):
            reader = session_in(folder, clock)
            built = build_report(parts_of(reader), "compliance", WEEK)
    page = Page(formats.load("html").render(built.document, language="en").decode()).root.words()
    assert built.head == signed
    assert cause in str(built.unsigned)
    assert "No new head could be signed for this report: " in page
    assert "2 records were written since this head was signed, and are not covered by it." in page
    assert built.figures.last_seq == signed.seq + 2


def test_a_key_that_is_not_the_ledgers_signs_nothing_and_the_report_says_so(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    session_in(home).record_head()
    (home / "keys" / "signing").rename(home / "keys" / "old")
    (home / "keys" / "signing.pub").unlink()
    ensure_signing_key(home / "keys" / "signing", comment="demo")

    page = Page(page_of(session_in(home))).root.words()

    assert "the signing key SHA256:" in page


def test_a_head_that_was_changed_or_taken_away_is_not_passed_over(tmp_path: Path) -> None:
    session = session_in(home_in(tmp_path, SIGNED))
    made = session.record_head()
    assert made is not None
    record = session.ledger.record(made.seq)
    assert record is not None
    (blob,) = (tmp_path / "state" / "blobs").rglob(f"{record.body}*")
    blob.unlink()

    page = Page(page_of(session_in(tmp_path))).root.words()

    assert "The ledger holds no head that can be read: nothing of this report is signed." in page
    assert f"record {made.seq}: " in page


def test_a_report_over_a_ledger_that_was_changed_says_so_and_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    made = session_in(home).record_head()
    assert made is not None
    change = "UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '12.4:', '12.5:') AS BLOB) WHERE seq = 2"
    tamper(session_in(home).writable_ledger, change)

    assert portalops(home, "report", "build", "compliance", "--language", "en") == ExitCode.INTEGRITY

    assert "From record 2 on nothing in it can be trusted" in capsys.readouterr().err
    (written,) = (home / "reports").iterdir()
    page = Page(written.read_text(encoding="utf-8")).root.words()
    assert "From record 2 on nothing in it can be trusted" in page
    assert "not valid" in page


def test_the_report_on_the_evidence_answers_that_a_changed_ledger_is_not_whole(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    assert session_in(home).record_head() is not None
    change = "UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '12.4:', '12.5:') AS BLOB) WHERE seq = 2"
    tamper(session_in(home).writable_ledger, change)

    built = build_report(parts_of(session_in(home)), "evidence", WEEK)

    page = Page(formats.load("html").render(built.document, language="en").decode()).root.words()
    assert "Is the chain of records intact? no" in " ".join(page.replace("✗", "").split())
    assert "first record 2" in page
    assert "What differs from what was recorded, by record" in page


def test_a_head_over_a_record_that_was_changed_does_not_hold(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    made = session_in(home).record_head()
    assert made is not None
    change = """UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '"duty":""', '"duty":"9"') AS BLOB) WHERE seq = 4"""
    tamper(session_in(home).writable_ledger, change)

    built = build_report(parts_of(session_in(home)), "compliance", WEEK)

    page = Page(formats.load("html").render(built.document, language="en").decode()).root.words()
    assert "The head is not valid: record 4 is not the record that the head signed" in page
    assert built.faults


def test_the_job_signs_over_its_own_beginning_and_does_not_list_itself_as_a_run_without_an_end(
    tmp_path: Path,
) -> None:
    session = session_in(home_in(tmp_path))
    job = Job(JobId("weekly-report"), JobKind.REPORT, Every.WEEK)

    done = perform(session, job)

    assert done.exit_code == ExitCode.OK
    (newest,) = heads(session.ledger)
    (finished,) = session.ledger.records(kinds=("report.finished",))
    result = decode_part(session.ledger.blob(finished.body), "report", ReportResult)
    assert result is not None
    assert result.head == newest.head
    started = next(session.ledger.records(kinds=("report.started",)))
    assert started.seq < newest.head.size < newest.seq < finished.seq
    for file in result.files:
        page = Page((tmp_path / "reports" / file.name).read_text(encoding="utf-8")).root.words()
        assert code_of(newest.head) in page
        assert done.run not in page


def test_a_job_whose_key_cannot_be_had_writes_the_report_and_is_not_all_right(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    (home / "keys" / "signing").unlink()

    done = perform(session_in(home), Job(JobId("weekly-report"), JobKind.REPORT, Every.WEEK))

    assert done.exit_code == ExitCode.PARTIAL
    assert done.problems[0].startswith("no head could be signed for the report: ")
    assert len(list((home / "reports").iterdir())) == 2


def test_records_of_reports_from_before_heads_are_read() -> None:
    body = b'{"report":{"files":[],"period":"2026-11-16..2026-11-22","report":"compliance"}}\n'
    assert decode_part(body, "report", ReportResult) == ReportResult("compliance", "2026-11-16..2026-11-22", ())


def test_the_command_prints_the_head_code_and_the_list_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    perform(session_in(home), Job(JobId("weekly-report"), JobKind.REPORT, Every.WEEK))
    recorded = newest_head(session_in(home).ledger)
    assert recorded is not None

    assert portalops(home, "report", "list") == ExitCode.OK
    assert code_of(recorded.head) in capsys.readouterr().out
    assert portalops(home, "--json", "report", "list") == ExitCode.OK
    (listed,) = (each for each in data_of(capsys, "report list") if each["id"] == "compliance")
    assert listed["written"][0]["head_code"] == code_of(recorded.head)
    assert portalops(home, "report", "build", "compliance", "--period", "2026-W48") == ExitCode.OK
    printed = capsys.readouterr().out
    newest = newest_head(session_in(home).ledger)
    assert newest is not None
    assert newest.head.size > recorded.head.size
    assert code_of(newest.head) in printed


def test_a_report_that_nothing_signs_is_said_to_be_none_that_can_be_proved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, CONFIGURATION)
    assert portalops(home, "report", "build", "compliance") == ExitCode.OK
    assert "No head is signed" in capsys.readouterr().out
    assert portalops(home, "--json", "report", "build", "compliance") == ExitCode.OK
    assert {file["head_code"] for file in data_of(capsys, "report build")} == {None}


def test_what_is_recorded_while_a_report_is_built_is_not_in_it(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = Ledger.open(tmp_path, clock, create=True)
    run_id = RunId("12.4:daily:2026-11-23")
    ledger.append("check.started", run=run_id, body=b"{}\n")
    ledger.append("check.finished", run=run_id, body=b"{}\n")
    ledger.append("plan", run=NO_RUN, body=b"{}\n")

    seen = LedgerAsOf(ledger, 2)

    assert [record.seq for record in seen.records()] == [1, 2]
    assert [record.seq for record in seen.records(newest_first=True)] == [2, 1]
    assert [record.seq for record in seen.records(newest_first=True, limit=1)] == [2]
    assert (seen.count(), seen.record(3)) == (2, None)
    (unfinished,) = seen.runs()
    started = ledger.record(2)
    assert started is not None
    assert (unfinished.finished_seq, unfinished.body) == (None, started.body)
    assert LedgerAsOf(ledger, 1).runs() == ()
    assert LedgerAsOf(ledger, 3).runs() == ledger.runs()


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)
