"""What a command ends with, where lines go to programs: once each, with the error's code, its hint and its trace."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commands.cli.invocation import Invocation
from commands.cli.printer import Printer
from commands.cli.result import Result
from portalops.errors import LedgerMissing
from portalops.locale import set_language
from portalops.model.message import msg
from portalops.system import logs
from tests.system.test_journal import Daemon

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LOGGER = logging.getLogger("commands.anything")


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


def fault() -> Exception:
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        return error
    raise AssertionError


def test_a_fault_is_an_entry_of_the_journal_with_its_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    daemon = Daemon(tmp_path / "socket")
    with logs.configured({}, "journal", verbose=False, debug=False, now=lambda: NOW, socket=daemon.path):
        Printer(Invocation(()), {}).fault(fault())

    entry = dict(daemon.entry())
    daemon.close()
    assert entry["MESSAGE"].startswith("ZeroDivisionError in test_logged_output.py, line ")
    assert (entry["PRIORITY"], entry["PORTALOPS_ERROR"]) == ("3", "PO1901")
    assert "--debug" in entry["PORTALOPS_HINT"]
    assert "ZeroDivisionError: division by zero" in entry["PORTALOPS_TRACE"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("debug", [False, True])
def test_a_fault_at_a_terminal_has_its_trace_with_debug_alone_and_once(
    capsys: pytest.CaptureFixture[str], debug: bool
) -> None:
    with logs.configured({}, None, verbose=False, debug=debug, now=lambda: NOW):
        Printer(Invocation((), debug=debug), {}).fault(fault())

    said = capsys.readouterr().err
    assert said.startswith("error[PO1901]: ZeroDivisionError in ")
    assert said.count("ZeroDivisionError: division by zero") == int(debug)


def test_json_lines_hold_errors_and_each_warning_once(capsys: pytest.CaptureFixture[str]) -> None:
    told, other = msg("monitor {id} was not notified: {cause}", id="watcher", cause="x"), msg("something else")
    with logs.configured({}, "json", verbose=False, debug=False, now=lambda: NOW):
        printer = Printer(Invocation(()), {})
        logs.log_event(LOGGER, logging.WARNING, logs.Event.MONITOR_FAILED, str(told))
        printer.result(Result(None, (), [told, other]), zone=ZONE)
        printer.error(LedgerMissing(msg("there is no ledger"), msg("Run 'portalops run'.")))

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("warning", "monitor watcher was not notified: x"),
        ("warning", "something else"),
        ("error", "there is no ledger"),
    ]
    assert (lines[2]["error"], lines[2]["hint"]) == ("PO1102", "Run 'portalops run'.")
