"""Monitors of real runs: they hear what happened, and a broken one changes nothing of it."""

from __future__ import annotations

import gc
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.bodies import evidence_of
from portalops.config.keys import ensure_signing_key
from portalops.errors import ExitCode, FileUnwritable, LedgerFull
from portalops.ledger.ledger import Ledger
from portalops.system.clock import SystemClock
from tests.backups.media.test_disk import require_root
from tests.faults.test_amid import mount
from tests.notify.monitors.exposition import Family, parsed
from tests.web import WebServer, answer, held_port, web_server

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }

[state]
folder = "state"

[signing]
key = "keys/signing"

[report]
languages = ["en"]

[[ledger.anchor]]
id = "share"
kind = "folder"
folder = "share"

[[job]]
id = "weekly-report"
kind = "report"
every = "week"

[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"

[[notify.monitor]]
id = "figures"
kind = "textfile"
file = "collector/portalops.prom"

[[notify.monitor]]
id = "watcher"
kind = "healthchecks"
url = { env = "URL" }
timeout_seconds = 1
"""
FOR_A_JOB = """
[[notify.monitor]]
id = "anchoring"
kind = "healthchecks"
url = { env = "JOB_URL" }
jobs = ["daily-anchor"]
timeout_seconds = 1
"""
KEY = "c4nary-of-the-address"
AT_END = 'portalops_work_timestamp_seconds{portal="demo"}'


class Home:
    """A portal with two jobs, one of which fails until there is a folder for its anchor."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self.folder = folder
        (folder / "collector").mkdir()
        ensure_signing_key(folder / "keys" / "signing", comment="portalops@demo")
        self.configure(CONFIGURATION)
        self.environment = {"URL": f"{url}/{KEY}", "JOB_URL": f"{url}/job-{KEY}"}
        self._capsys = capsys

    def configure(self, text: str) -> None:
        (self.folder / "portalops.toml").write_text(text, encoding="utf-8")

    def call(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = run(["--config", str(self.folder / "portalops.toml"), "--json", *arguments], self.environment)
        shown = self._capsys.readouterr()
        assert KEY not in shown.out + shown.err
        return code, json.loads(shown.out)

    def figures(self) -> dict[str, Family]:
        return parsed((self.folder / "collector" / "portalops.prom").read_text(encoding="utf-8"))

    def warnings(self) -> list[str]:
        _code, shown = self.call("run", "--due")
        return [each for each in shown["warnings"] if "monitor" in each]


@pytest.fixture
def watcher() -> Iterator[WebServer]:
    with web_server() as found:
        found.otherwise = answer(b"OK")
        yield found


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], watcher: WebServer) -> Home:
    return Home(tmp_path, capsys, watcher.url)


def calls(watcher: WebServer) -> list[str]:
    """Return what was called, without the address and the ids, since this was asked last."""
    found = [path.rpartition("/")[2].partition("?")[0] for path in watcher.paths()]
    watcher.asked.clear()
    return found


def test_a_watcher_hears_no_success_until_the_job_that_failed_was_done_well(home: Home, watcher: WebServer) -> None:
    assert home.call("run", "--due")[0] == ExitCode.FAILED
    ids = {path.partition("rid=")[2] for path in watcher.paths()}
    assert len(ids) == 1
    assert calls(watcher) == ["start", "4"]
    assert b"daily-anchor: 4" in watcher.bodies[-1] and b"weekly-report: 0" in watcher.bodies[-1]

    code, shown = home.call("run", "--due")
    assert (code, shown["data"]["jobs"]) == (ExitCode.OK, [])
    assert calls(watcher) == ["4"], "nothing was due, and the job is still as it failed"
    home.call("run", "weekly-report")
    assert calls(watcher) == ["start", "4"], "another job went well"

    (home.folder / "share").mkdir()
    home.call("run", "daily-anchor")
    assert calls(watcher) == ["start", "0"], "that no duty is met yet is no dead job"
    home.call("run", "--due")
    assert calls(watcher) == ["0"]


def test_a_job_that_a_person_did_well_is_bad_no_more(home: Home, watcher: WebServer) -> None:
    home.call("run", "--due")
    (home.folder / "share").mkdir()
    home.call("ledger", "anchor")
    calls(watcher)

    home.call("run", "--due")

    assert calls(watcher) == ["0"]


def test_a_monitor_of_a_job_hears_of_that_job_alone(home: Home, watcher: WebServer) -> None:
    home.configure(CONFIGURATION + FOR_A_JOB)
    home.call("run", "weekly-report")
    assert not [path for path in watcher.paths() if "job-" in path]

    home.call("run", "daily-anchor")
    home.call("run", "--due")

    mine = [path for path in watcher.paths() if "job-" in path]
    assert [path.rpartition("/")[2].partition("?")[0] for path in mine] == ["start", "4"]
    assert len({path.partition("rid=")[2] for path in mine}) == 1


def test_figures_tell_of_jobs_duties_and_anchors_and_of_nothing_that_is_not_known(home: Home) -> None:
    (home.folder / "share").mkdir()
    before = time.time()

    home.call("run", "--due")

    figures = home.figures()
    for name in ("last_success", "last_run"):
        for job in ("weekly-report", "daily-anchor"):
            at = figures[f"portalops_job_{name}_timestamp_seconds"].of(portalops_job=job, portal="demo")
            assert before - 1 <= at <= time.time() + 1
    assert figures["portalops_job_next_due_timestamp_seconds"].of(portalops_job="daily-anchor") > time.time()
    assert figures["portalops_anchor_last_success_timestamp_seconds"].of(anchor="share") >= before - 1
    assert figures["portalops_job_exit_code"].of(portalops_job="daily-anchor") == 0
    verdicts = figures["portalops_duty_verdict"].samples
    duties = {dict(labels)["duty"] for labels in verdicts}
    assert len(duties) > 10
    for duty in duties:
        assert sum(value for labels, value in verdicts.items() if ("duty", duty) in labels) == 1
    absent = {
        "portalops_findings_open",
        "portalops_medium_last_read_timestamp_seconds",
        "portalops_notifications_waiting",
    }
    assert not absent & set(figures)


def test_an_idle_look_renews_one_figure(home: Home) -> None:
    (home.folder / "share").mkdir()
    home.call("run", "--due")
    before = home.figures()

    home.call("run", "--due")

    after = home.figures()
    name = "portalops_run_timestamp_seconds"
    assert after.pop(name).of(portal="demo") > before.pop(name).of(portal="demo")
    assert after == before
    (home.folder / "collector" / "portalops.prom").unlink()
    home.call("run", "--due")
    assert set(home.figures()) >= set(before), "a file that is gone is written whole"


def test_a_duty_that_is_not_met_any_more_keeps_the_time_at_which_it_was(home: Home) -> None:
    from datetime import UTC, datetime

    from portalops.notify.monitors._state import LastTime, MonitorFolder, MonitorState

    at = datetime(2026, 11, 1, tzinfo=UTC)
    MonitorFolder(home.folder / "state").save(MonitorState(met=(LastTime("10.2-interval", at), LastTime("gone", at))))

    home.call("run", "--due")

    met = home.figures()["portalops_duty_last_success_timestamp_seconds"]
    assert met.of(duty="10.2-interval") == at.timestamp()
    assert len(met.samples) == 1, "a duty that there is no more has no figure"


# --- broken ones ----------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize("broken", ["refuses", "hangs", "500", "tls", "dns", "no secret", "no folder", "read-only"])
def test_a_broken_monitor_is_a_warning_and_changes_no_run(home: Home, watcher: WebServer, broken: str) -> None:
    (home.folder / "share").mkdir()
    home.configure(CONFIGURATION.partition("[[notify.monitor]]")[0])
    expected = home.call("run", "weekly-report", "daily-anchor")
    home.configure(CONFIGURATION)
    started = time.monotonic()
    with held_port() as nobody:
        match broken:
            case "refuses":
                home.environment["URL"] = f"http://127.0.0.1:{nobody}/{KEY}"
            case "hangs":
                watcher.delay = 3
            case "500":
                watcher.otherwise = answer(status="500 Internal Server Error")
            case "tls":
                home.environment["URL"] = home.environment["URL"].replace("http:", "https:")
            case "dns":
                home.environment["URL"] = f"http://no-such-host.invalid/{KEY}"
            case "no secret":
                del home.environment["URL"]
            case "no folder":
                (home.folder / "collector").rmdir()
            case _:
                (home.folder / "collector" / "portalops.prom").mkdir()

        code, shown = home.call("run", "weekly-report", "daily-anchor")

    assert time.monotonic() - started < 10
    assert code == expected[0]
    assert [job["outcome"] for job in shown["data"]["jobs"]] == ["complete", "complete"]
    (warning,) = [each for each in shown["warnings"] if "monitor" in each]
    name = "figures" if broken in {"no folder", "read-only"} else "watcher"
    assert warning.startswith(f"monitor {name} was not notified: ")
    state = (home.folder / "state" / "notify" / "monitors.json").read_text(encoding="utf-8")
    assert "failed_at" in state and KEY not in state


def test_a_memory_that_is_lost_or_damaged_makes_no_success(home: Home, watcher: WebServer) -> None:
    home.call("run", "--due")
    calls(watcher)

    for text in ("", "{", '{"monitors":{"format":2}}', "[]"):
        (home.folder / "state" / "notify" / "monitors.json").write_text(text, encoding="utf-8")
        assert home.call("run", "--due")[0] == ExitCode.OK
        assert calls(watcher) == ["log"]


def test_a_job_that_failed_before_the_memory_was_lost_is_still_told_when_another_one_was_done_well(
    home: Home, watcher: WebServer
) -> None:
    home.call("run", "daily-anchor")
    (home.folder / "state" / "notify" / "monitors.json").unlink()
    calls(watcher)

    home.call("run", "weekly-report")

    assert calls(watcher) == ["start", "4"]


@pytest.mark.heavy
def test_a_run_that_ends_in_an_error_is_told_and_a_wrong_call_is_not(home: Home, watcher: WebServer) -> None:
    home.call("run", "--due")
    calls(watcher)
    before = home.figures()

    assert home.call("run", "no-such-job")[0] == ExitCode.USAGE
    assert calls(watcher) == []

    gc.collect()  # a connection of the call before would write its pages back when it is closed
    for name in ("ledger.sqlite-wal", "ledger.sqlite-shm"):
        (home.folder / "state" / name).unlink(missing_ok=True)
    (home.folder / "state" / "ledger.sqlite").write_bytes(b"no data base at all" * 100)
    code, shown = home.call("run", "--due")
    assert code == ExitCode.FAILED and not shown["ok"]
    assert calls(watcher) == ["4"]
    assert home.figures() == before, "the time of the newest look is not renewed by a run that fails"

    home.configure("nothing = 1")
    assert home.call("run", "--due")[0] == ExitCode.CONFIGURATION
    assert calls(watcher) == []


def test_a_state_folder_that_cannot_be_looked_at_ends_a_run_in_its_own_error(home: Home, watcher: WebServer) -> None:
    home.configure(CONFIGURATION.replace('folder = "state"', f'folder = "{"s" * 300}"'))

    code, shown = home.call("run", "--due")

    assert (code, shown["error"]["code"]) == (ExitCode.FAILED, LedgerFull.code)
    assert calls(watcher) == ["4"]


def test_a_state_folder_that_turned_read_only_is_no_success_also_where_nothing_is_due(
    home: Home, watcher: WebServer
) -> None:
    require_root()
    (home.folder / "share").mkdir()
    home.call("run", "--due")
    calls(watcher)
    state = str(home.folder / "state")
    mount("--bind", state, state)
    try:
        mount("-o", "remount,bind,ro", state)
        answers = [home.call("run", "--due"), home.call("run")]
    finally:
        subprocess.run(["umount", "--lazy", state], check=True)

    assert [(code, shown["error"]["code"]) for code, shown in answers] == [(ExitCode.FAILED, FileUnwritable.code)] * 2
    assert "Read-only file system" in answers[0][1]["error"]["message"]
    assert calls(watcher) == ["4", "4"]
    assert home.call("run", "--due")[0] == ExitCode.OK
    assert calls(watcher) == ["0"]


def test_a_monitor_of_a_job_that_there_is_not_is_refused(home: Home) -> None:
    home.configure(CONFIGURATION + FOR_A_JOB.replace("daily-anchor", "daily-ancor"))

    code, shown = home.call("config", "check")

    assert code == ExitCode.CONFIGURATION
    assert "monitor anchoring watches a job that does not exist" in json.dumps(shown)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_address_is_in_no_log_also_with_debug(
    home: Home, watcher: WebServer, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    arguments = ("--config", str(home.folder / "portalops.toml"), "--debug", "--log-format", form, "run", "--due")
    said = ""
    for url in (
        home.environment["URL"],
        f"https://127.0.0.1:1/{KEY}",
        f"http://đ.invalid/{KEY}",
        f"{KEY}",
        f"http://[/{KEY}",
    ):
        home.environment["URL"] = url
        run(arguments, home.environment)
        shown = capsys.readouterr()
        said += shown.out + shown.err

    assert "monitor" in said and KEY not in said
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=False)
    bodies = [ledger.blob(record.body) for record in ledger.records()]
    kept = [*bodies, *(ledger.blob(each) for body in bodies for each in evidence_of(body))]
    ledger.close()
    kept += [path.read_bytes() for path in (home.folder / "state").rglob("*") if path.is_file()]
    assert not [data for data in kept if KEY.encode() in data]
