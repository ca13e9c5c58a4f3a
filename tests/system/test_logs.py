"""What is logged: in one line or one entry each, with what it is about, without secrets, and kept with its run."""

from __future__ import annotations

import json
import logging
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import LOG, Frame, Work, record_framed
from portalops.model.record import RunId
from portalops.model.runs import RunLog
from portalops.model.verdicts import RunOutcome
from portalops.system import logs
from portalops.system.logs import Event, Subject
from tests.doubles import FixedClock
from tests.ledger.test_runs import WHO
from tests.system.test_journal import Daemon

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
RUN = Subject("10.2:weekly-backup:2026-W48", "weekly-backup", "10.2-interval")
OWN = logging.getLogger("backups.job")
OTHERS = logging.getLogger("httpx")
HOSTILE = 'a\nlevel: error\x1b[2J\u202e","run":"forged'


def speaking(
    form: str | None = None,
    *,
    environment: dict[str, str] | None = None,
    verbose: bool = False,
    debug: bool = False,
    **more: Any,
) -> AbstractContextManager[None]:
    return logs.configured(environment or {}, form, verbose=verbose, debug=debug, now=lambda: NOW, **more)


def speak() -> None:
    with logs.log_subject(RUN):
        OWN.debug("debug")
        OWN.info("info")
        OWN.warning("%s", HOSTILE)
        OTHERS.info("GET https://hc.example.vn/SECRET")
        logging.getLogger("paramiko.transport").error("Traceback")
        logs.log_event(OWN, logging.INFO, Event.RUN_STARTED, "run began")


def test_text_has_warnings_alone_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking():
        speak()

    assert capsys.readouterr().err == 'a\\nlevel: error\\x1b[2J\\u202e","run":"forged\n'


def test_text_has_more_on_request_and_never_lines_of_others_that_hold_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with speaking(verbose=True):
        speak()
    assert capsys.readouterr().err.splitlines()[0] == "info"
    with speaking(debug=True):
        speak()
    shown = capsys.readouterr().err
    assert shown.splitlines()[0] == "debug" and "SECRET" not in shown and "Traceback" not in shown


@pytest.mark.parametrize(("wanted", "environment"), [("json", {}), (None, {"PORTALOPS_LOG_FORMAT": "json"})])
def test_json_has_one_object_a_line_and_no_text_can_forge_a_key(
    capsys: pytest.CaptureFixture[str], wanted: str | None, environment: dict[str, str]
) -> None:
    with speaking(wanted, environment=environment):
        speak()

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "info"),
        ("warning", 'a\\nlevel: error\\x1b[2J\\u202e","run":"forged'),
        ("info", "run began"),
    ]
    assert lines[2]["event"] == "run-started"
    for line in lines:
        assert (line["run"], line["job"], line["duty"]) == (RUN.run, RUN.job, RUN.duty)
        assert line["time"] == "2026-11-25T02:00:00.000Z"


def test_the_journal_has_fields_priorities_and_ids_of_messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon = Daemon(tmp_path / "socket")
    with speaking("journal", socket=daemon.path):
        speak()

    entries = [dict(daemon.entry()) for _each in range(3)]
    daemon.close()
    assert [(entry["MESSAGE"], entry["PRIORITY"]) for entry in entries] == [
        ("info", "6"),
        ('a\\nlevel: error\\x1b[2J\\u202e","run":"forged', "4"),
        ("run began", "6"),
    ]
    assert entries[2]["MESSAGE_ID"] == Event.RUN_STARTED
    for entry in entries:
        assert (entry["PORTALOPS_RUN"], entry["PORTALOPS_JOB"], entry["PORTALOPS_DUTY"]) == (RUN.run, RUN.job, RUN.duty)
        assert entry["SYSLOG_IDENTIFIER"] == "portalops"
    assert capsys.readouterr().err == ""


def test_a_form_that_there_is_not_is_told_and_text_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(environment={"PORTALOPS_LOG_FORMAT": "xml\nx"}):
        assert logs.form() == "text"
    said = "PORTALOPS_LOG_FORMAT does not take xml\\nx; it takes one of: text, json, journal\n"
    assert capsys.readouterr().err == said


def test_without_a_journal_lines_go_out_as_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with speaking("journal", socket=tmp_path / "nothing"):
        assert logs.form() == "text"
        OWN.warning("one")
    assert capsys.readouterr().err == "one\n"


def test_a_journal_that_goes_away_loses_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    daemon = Daemon(tmp_path / "socket")
    with speaking("journal", socket=daemon.path):
        daemon.close()
        OWN.warning("one")
    assert capsys.readouterr().err == "one\n"


@pytest.mark.parametrize(
    ("form", "debug", "shown"),
    [("text", False, False), ("text", True, True), ("json", False, False), ("json", True, True)],
)
def test_a_trace_is_shown_with_debug_alone(
    capsys: pytest.CaptureFixture[str], form: str, debug: bool, shown: bool
) -> None:
    with speaking(form, debug=debug):
        _fail()

    assert ("ZeroDivisionError" in capsys.readouterr().err) is shown


def test_the_journal_has_a_trace_always(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "socket")
    with speaking("journal", socket=daemon.path):
        _fail()

    entry = dict(daemon.entry())
    daemon.close()
    assert entry["MESSAGE"] == "it failed"
    assert entry["PORTALOPS_TRACE"].splitlines()[-1] == "ZeroDivisionError: division by zero"


def _fail() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        OWN.exception("it failed")


def test_after_a_command_nothing_of_it_is_left() -> None:
    root = logging.getLogger()
    before = [*root.handlers], [logging.getLogger(name).level for name in logs.OWN]

    with speaking("json"), logs.log_subject(RUN):
        assert logs.form() == "json"

    assert ([*root.handlers], [logging.getLogger(name).level for name in logs.OWN]) == before
    assert logs.form() == "text"


def test_ids_of_messages_never_change() -> None:
    """What a monitoring system looks for stands in docs/logs.md."""
    page = (Path(__file__).parents[2] / "docs" / "logs.md").read_text(encoding="utf-8")

    for event in Event:
        assert len(event.value) == 32 and f"`{event.value}`" in page and f"`{event.words}`" in page


# --- kept with the run ----------------------------------------------------------------------------


def performed(folder: Path, lines: int) -> tuple[Ledger, RunLog | None]:
    ledger = Ledger.open(folder / "state", FixedClock(NOW), create=True)

    def work() -> Work[None]:
        for number in range(lines):
            OWN.info("line %d", number)
        OTHERS.warning("of another library")
        return Work(RunOutcome.COMPLETE, ExitCode.OK, None)

    frame = Frame(RunId("10.2:a:2026-11-25"), "verify", "a", "10.2")
    done = record_framed(ledger, frame, work, clock=FixedClock(NOW), circumstances=WHO)
    return ledger, bodies.decode_part(ledger.blob(done.finished.body), LOG, RunLog)


def test_what_a_run_logged_is_kept_under_its_digest_in_its_finished_record(tmp_path: Path) -> None:
    ledger, log = performed(tmp_path, 2)

    assert log is not None and (log.lines, log.more) == (2, 0)
    lines = [json.loads(line) for line in ledger.blob(log.evidence).splitlines()]
    assert lines[1] == {
        "time": "2026-11-25T02:00:00.000Z",
        "level": "info",
        "logger": "backups.job",
        "message": "line 1",
    }
    last = ledger.last()
    assert last is not None and log.evidence in bodies.evidence_of(ledger.blob(last.body))


def test_a_run_that_logged_nothing_has_none_and_a_long_one_is_cut(tmp_path: Path) -> None:
    assert performed(tmp_path / "a", 0)[1] is None
    _ledger, log = performed(tmp_path / "b", logs.MAX_KEPT_LINES + 7)
    assert log is not None and (log.lines, log.more) == (logs.MAX_KEPT_LINES, 7)
