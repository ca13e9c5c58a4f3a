"""What holds for every session of tests: continuous checking leaves out nothing."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest

from tests.hosts import hosts
from tests.servers import object_store, ssh_host
from tests.vm import vm

__all__ = ["hosts", "object_store", "ssh_host", "vm"]

_skipped: dict[str, str] = {}


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
    """Fail the session for a skipped test where CI is set: what was not tried there was tried nowhere."""
    if _counts(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _counts(config):
        terminalreporter.section("Skipped, which CI does not allow", red=True)
        for test, reason in sorted(_skipped.items()):
            terminalreporter.line(f"{test}: {reason}")


def _counts(config: pytest.Config) -> bool:
    """Say whether skipped tests fail this process's session; the workers of xdist leave that to its first process."""
    return bool(_skipped) and os.environ.get("CI") == "true" and not hasattr(config, "workerinput")


def _remember(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[report.nodeid] = reason
