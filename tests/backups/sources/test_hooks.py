"""Commands before and after a source: what they can do to a set, and what they cannot."""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from portalops.model.backups import BackupResult, CopyState, DataClass
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import back_up, source
from tests.backups.memory import MemoryMedium


def run(folder: Path, **values: object) -> BackupResult:
    (folder / "tree").mkdir(exist_ok=True)
    (folder / "tree" / "page").write_text("page")
    hooked = source("files", {"include": [str(folder / "tree")], **values}, folder, id="portal")
    (folder / "other").write_text("other")
    plain = source("files", {"include": [str(folder / "other")]}, folder, id="other")
    return back_up([hooked, plain], [MemoryMedium("memory-1")])


def sh(script: str) -> list[str]:
    """A hook runs no shell by itself."""
    return ["sh", "-c", script]


def streams(result: BackupResult) -> list[str]:
    assert result.set is not None, result
    return [each.source for each in result.set.streams]


def test_both_run_around_the_reading_and_what_they_say_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    flag = tmp_path / "tree" / "maintenance"

    result = run(tmp_path, before=sh(f"touch {flag}; echo closed"), after=sh(f"rm {flag}; echo open again >&2"))

    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE
    assert result.set.streams[0].members == 3, "the flag stood while the folder was read"
    assert not flag.exists()
    assert "source portal: before ended with 0: closed" in caplog.text
    assert "source portal: after ended with 0: open again" in caplog.text


def test_no_shell_reads_a_command(tmp_path: Path) -> None:
    run(tmp_path, before=["touch", f"{tmp_path}/$(touch pwned); x"])

    assert (tmp_path / "$(touch pwned); x").exists()


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (["no-such-program"], "cannot be run"),
        (["sh", "-c", "echo no database >&2; exit 7"], "exit code 7: no database"),
        (["sleep", "600"], "did not end within 1 s"),
    ],
)
def test_a_command_before_that_fails_fails_its_source_and_the_one_after_runs(
    tmp_path: Path, before: list[str], why: str
) -> None:
    begun = time.monotonic()

    result = run(tmp_path, before=before, after=["touch", str(tmp_path / "after")], hook_seconds=1)

    assert streams(result) == ["other"]
    assert result.failed_sources[0].startswith("portal: ") and why in result.failed_sources[0]
    assert (tmp_path / "after").exists()
    assert time.monotonic() - begun < 30
    assert "600" not in [word for each in psutil.Process().children(recursive=True) for word in each.cmdline()]


@pytest.mark.parametrize("start", ["setsid sleep 601 & ", "(setsid sleep 601 &) ; "], ids=["child", "orphan"])
def test_what_a_command_that_did_not_end_has_started_is_ended_too(tmp_path: Path, start: str) -> None:
    result = run(tmp_path, before=sh(f"{start} sleep 600"), hook_seconds=1)

    assert "did not end within 1 s" in result.failed_sources[0]
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [])[:2] == ["sleep", "601"]
    ]


def test_if_the_command_after_fails_the_data_is_kept_and_the_set_incomplete(tmp_path: Path) -> None:
    result = run(tmp_path, after=["false"])

    assert streams(result) == ["portal", "other"]
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert result.failed_sources == ("portal: the command after it failed: it ended with exit code 1: -",)
    assert result.failed_classes == ()
    assert result.copies[0].state is CopyState.VERIFIED


def test_the_command_after_runs_when_the_source_fails_and_both_are_named(tmp_path: Path) -> None:
    result = run(tmp_path, include=[str(tmp_path / "nothing")], after=sh("echo stuck; exit 3"))

    assert "there is no" in result.failed_sources[0] and "exit code 3: stuck" in result.failed_sources[0]
    assert result.failed_classes == (DataClass.CONTENT,)


def test_a_service_that_a_command_starts_and_endless_words_hold_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begun = time.monotonic()

    result = run(
        tmp_path,
        before=sh(f"yes loud | head -c 50000000; sleep 31 & echo $! >{tmp_path}/pid; echo started"),
        hook_seconds=25,
    )

    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE
    assert time.monotonic() - begun < 20
    (said,) = [each.getMessage() for each in caplog.records if "before ended" in each.getMessage()]
    assert len(said) < 2200 and said.endswith("started")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
