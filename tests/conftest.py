"""What holds for every session of tests: what is left out is counted, and continuous checking leaves out nothing."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.hosts import hosts
from tests.programs import NEEDS, need, packages, skipped_without_program
from tests.servers import object_store, ssh_host
from tests.vm import vm

__all__ = ["hosts", "object_store", "ssh_host", "vm"]

_skipped: dict[str, str] = {}

HEAVY = (
    *("attacks", "contract", "e2e", "faults", "federation", "scripts", "verifier"),
    *(
        "backups/test_prune.py",
        "backups/test_restore_script.py",
        "backups/test_stock_restore.py",
        "backups/test_twice_read.py",
    ),
    "checks/servers/test_sshd_servers.py",
    *("commands/test_backup_in_place.py", "commands/test_backup_stdout.py", "commands/test_check.py"),
    *("commands/test_damaged_copies.py", "commands/test_extras.py", "commands/test_former_shortfalls.py"),
    *("commands/test_ledger_anchor.py", "commands/test_ledger_move.py", "commands/test_manuals.py"),
    *("commands/test_media_burn.py", "commands/test_updates_intervals.py"),
    *("ledger/test_crash.py", "ledger/test_second_process.py"),
    *("reports/test_formats.py", "reports/test_pdf.py"),
    *("witness/test_ssh.py", "witness/test_watch_remote.py"),
    *("test_site.py", "test_skips.py"),
)
"""Folders and files whose tests are all marked `heavy`: half of the time, for one test in ten."""


@pytest.hookimpl(tryfirst=True)  # before `-m` leaves out tests by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as heavy what lies in `HEAVY`."""
    tests = Path(__file__).parent
    heavy = tuple(tests / each for each in HEAVY)
    for item in items:
        if any(item.path.is_relative_to(each) for each in heavy):
            item.add_marker(pytest.mark.heavy)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Skip a test that is marked with a program that is missing, or whose fixtures start one."""
    for mark in item.iter_markers("needs"):
        need(*mark.args)
    with skipped_without_program():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Skip a test that starts a program that is missing."""
    with skipped_without_program():
        yield


def pytest_configure() -> None:
    """Let what is started here be interrupted, also where the session was started by `nohup` or in the background of a script."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:  # programs that are started would inherit it
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    with contextlib.suppress(ImportError):  # the suite inside a virtual machine has no Hypothesis
        _take_time()


def _take_time() -> None:
    """Let no example of Hypothesis fail for what a loaded machine takes: it allows each 0.2 s where CI is not set."""
    from hypothesis import HealthCheck, settings

    slow = [HealthCheck.too_slow]
    settings.register_profile("portalops", parent=settings(), deadline=None, suppress_health_check=slow)
    settings.load_profile("portalops")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _remember(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _remember(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session for a skipped test where nothing may be missing: what was not tried there was tried nowhere."""
    if _fails(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the skipped tests by what they need; name each where none may be skipped."""
    if not _skipped:
        return
    fails = _fails(config)
    terminalreporter.section("Skipped, which continuous checking does not allow" if fails else "Skipped", red=fails)
    for reason, count in Counter(_skipped.values()).most_common():
        verb, needed = ("needs" if count == 1 else "need"), reason.removeprefix(NEEDS)
        tests = "1 test" if count == 1 else f"{count} tests"
        if reason == needed:
            terminalreporter.line(f"{tests} {'was' if count == 1 else 'were'} skipped: {reason}")
        else:
            how = ": make test SYSTEM=1" if set(needed.split(", ")) <= packages() else ""
            terminalreporter.line(f"{tests} {verb} {needed}{how}")
    if fails:
        for test, reason in sorted(_skipped.items()):
            terminalreporter.line(f"{test}: {reason}")


def _fails(config: pytest.Config) -> bool:
    """Say whether skipped tests fail this process's session; the workers of xdist leave that to its first process."""
    told = all(os.environ.get(name) == value for name, value in {"CI": "true", "SYSTEM": "1"}.items())
    return bool(_skipped) and told and not hasattr(config, "workerinput")


def _remember(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[report.nodeid] = reason.removeprefix("Skipped: ")
