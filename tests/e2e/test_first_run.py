"""The whole job on one machine: back up, check, collect, judge, report; a second run does only what is due."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from commands.cli.declared import declared_commands
from commands.cli.entry import run
from portalops.errors import ExitCode
from tests.e2e.conftest import Done, begin_registers, call, state_files

FirstRun = tuple[Path, Done]


def verdicts(done: Done) -> dict[str, str]:
    return {duty["id"]: duty["verdict"] for duty in done.data["duties"]}


OTHERWISE = re.compile(r"\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?\+\d\d:\d\d|\d\dT\d\d:\d\d:\d\d(?:\.\d{4,})?Z")
"""Moments that are not written as `2026-11-25T01:32:00.000Z`."""
READING = re.compile(
    r"(?:^|.* )(?:list|status|results|findings|doctor|audit|stale)$|^ledger show$|^(?:ledger|updates) verify$"
)
"""Verbs that can be called without an argument and change nothing."""


def test_the_first_run_does_every_job_and_judges_every_duty(after_first_run: FirstRun) -> None:
    _folder, done = after_first_run

    assert done.code == ExitCode.UNMET, done.err
    jobs = {job["id"]: job["outcome"] for job in done.data["jobs"]}
    assert jobs == dict.fromkeys(
        ("weekly-backup", "weekly-verify", "daily-check", "daily-updates", "weekly-report", "daily-anchor"), "complete"
    ), done.data["jobs"]
    found = verdicts(done)
    assert len(found) == 31
    for data_class in ("configuration", "accounts", "channels", "content", "related"):
        assert found[f"10.2-{data_class}"] == "met"


def test_the_example_shows_what_falls_short(after_first_run: FirstRun) -> None:
    _folder, done = after_first_run
    found = verdicts(done)

    assert found["10.2-medium"] == "unmet"  # both disks lie on the file system that they copy
    assert found["11.2-submissions"] == "unmet"
    assert found["7.6"] == "unmet"
    assert found["12.1"] == "insufficient-evidence"


def test_a_second_run_does_nothing_and_judges_the_same(after_first_run: FirstRun) -> None:
    folder, first = after_first_run

    second = call(folder, "run", "--json")

    assert second.data["jobs"] == []
    assert second.code == first.code
    # The report of the first run is recorded now, which is the only thing that changed.
    assert verdicts(second) == verdicts(first)


def test_reports_are_written_in_both_languages(after_first_run: FirstRun) -> None:
    folder, done = after_first_run

    pages = [folder / path for path in done.data["reports"]]
    assert {page.name.split(".")[-2] for page in pages} == {"vi", "en"}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert "<script" not in text


def test_the_ledger_of_the_first_run_verifies(after_first_run: FirstRun) -> None:
    folder, _done = after_first_run

    assert call(folder, "ledger", "verify", "--json").code == ExitCode.OK


def test_every_reading_command_answers_with_one_envelope(after_first_run: FirstRun) -> None:
    folder, _done = after_first_run

    for command in (
        ("status",),
        ("backup", "list"),
        ("check", "list"),
        ("updates", "status"),
        ("updates", "matrix"),
        ("report", "list"),
        ("ledger", "show"),
        ("config", "show"),
        ("config", "check"),
        ("calendar", "check", "2026-01-10"),
        ("doctor",),
        ("explain", "PO1203"),
    ):
        done = call(folder, *command, "--json")
        envelope = json.loads(done.out)
        assert envelope["schema"], command
        assert envelope["ok"] is True, (command, done.err)
        assert done.code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}, (command, done.err)


def test_every_moment_of_every_answer_is_written_alike(
    after_first_run: FirstRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(after_first_run[0])
    verbs = [verb.called for command in declared_commands() for verb in command.leaves() if READING.search(verb.called)]
    calls = [*(verb.split(" ") for verb in verbs), ["host", "facts", "this-machine"]]

    for each in calls:
        run([*each, "--json"], {"PORTALOPS_LANG": "en"})
        assert not OTHERWISE.findall(capsys.readouterr().out), each


def test_a_missing_backup_folder_is_named_and_the_rest_runs(portal: Path) -> None:
    file = portal / "portalops.toml"
    text = file.read_text(encoding="utf-8").replace('include = ["var/example/channels"]', 'include = ["var/none"]')
    file.write_text(text, encoding="utf-8")

    done = call(portal, "run", "weekly-backup", "--json")

    job = next(job for job in done.data["jobs"] if job["id"] == "weekly-backup")
    assert job["outcome"] == "incomplete"
    assert any("portal-channels" in problem for problem in job["problems"])
    assert verdicts(done)["10.2-content"] == "met"
    assert verdicts(done)["10.2-channels"] != "met"


def test_dry_run_says_what_would_be_done_and_touches_nothing(portal: Path) -> None:
    done = call(portal, "run", "--dry-run", "--json")

    assert [job["id"] for job in done.data] == [
        "weekly-backup",
        "weekly-verify",
        "daily-check",
        "daily-updates",
        "weekly-report",
        "daily-anchor",
    ]
    assert state_files(portal) == ["keys/writer"]


def test_a_ledger_that_begins_beside_older_sets_warns_that_one_may_be_lost(portal: Path) -> None:
    made = call(portal, "run", "weekly-backup", "--json")
    assert json.loads(made.out)["warnings"] == []
    shutil.rmtree(portal / "var" / "state")

    done = call(portal, "run", "weekly-verify", "--json")

    warnings = json.loads(done.out)["warnings"]
    assert any("disk-a holds a backup set" in warning for warning in warnings), done.out


def test_a_lost_plan_does_not_keep_the_jobs_from_being_done(portal: Path) -> None:
    call(portal, "run", "weekly-backup")
    (plan,) = call(portal, "ledger", "show", "--kind", "plan", "--json").data
    for blob in (portal / "var" / "state" / "blobs").rglob(f"{plan['body']}*"):
        blob.unlink()

    done = call(portal, "run", "weekly-verify", "--json")

    assert [job["outcome"] for job in done.data["jobs"]] == ["complete"], done.err


def test_duties_of_people_are_met_unmet_and_unknown_side_by_side(after_first_run: FirstRun) -> None:
    _folder, done = after_first_run

    duties = {duty["id"]: duty for duty in done.data["duties"]}
    assert duties["12.2-notice"]["verdict"] == "met"
    assert duties["12.2-approval"]["verdict"] == "unmet"
    assert any("CH-" in line and "was approved only at" in line for line in duties["12.2-approval"]["details"])
    assert any("csdl-quan-tri" in line for line in duties["12.5-custody"]["details"])
    assert duties["12.5-incidents"]["verdict"] == "insufficient-evidence"
    assert any("the first report is due by" in line for line in json.loads(done.out)["warnings"])


def test_registers_that_are_begun_are_left_alone(after_first_run: FirstRun) -> None:
    folder, _done = after_first_run

    again = begin_registers(folder)

    assert (again.code, again.out) == (0, "The example's registers are begun already.\n"), again.err
    found = call(folder, "ledger", "show", "--last", "500", "--json").data
    kinds = [record["kind"] for record in found]
    assert (kinds.count("change.requested"), kinds.count("incident.opened"), kinds.count("host.sighted")) == (2, 2, 1)


def test_credentials_of_ones_own_keep_the_example_from_adding_any(portal: Path) -> None:
    added = call(
        portal, "credential", "add", "cua-toi", "--system", "other:x", "--account", "x", "--kind", "key", "--holder", "nguyen-van-an"
    )  # fmt: skip
    assert added.code == 0, added.err

    done = begin_registers(portal)

    assert done.code == 0, done.err
    assert [one["id"] for one in call(portal, "credential", "list", "--json").data] == ["cua-toi"]


def test_incident_was_reported_in_time_and_closed_without_open_ends(after_first_run: FirstRun) -> None:
    folder, _done = after_first_run

    lost, cut = sorted(call(folder, "incident", "list", "--all", "--json").data, key=lambda one: one["id"])

    assert (lost["state"], lost["closed"]["open_ends"]) == ("closed", [])
    assert (lost["first_report"]["state"], lost["full_report"]["state"]) == ("in-time", "in-time")
    assert (cut["state"], cut["first_report"]["state"]) == ("open", "due")


def test_what_is_invented_says_so(after_first_run: FirstRun) -> None:
    folder, _done = after_first_run

    for paper in (folder / "var" / "example" / "papers").iterdir():
        assert paper.read_text(encoding="utf-8").startswith("VÍ DỤ, KHÔNG PHẢI VĂN BẢN THẬT")
    told = [call(folder, noun, "list", "--all", "--json").data for noun in ("change", "incident")]
    assert all(one["what"].startswith("ví dụ: ") for each in told for one in each)
