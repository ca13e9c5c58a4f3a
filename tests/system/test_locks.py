"""A lock has one holder at a time, who is named to the others, and is free when the holder is gone."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portalops.errors import FileUnwritable, Locked
from portalops.model.text import format_at
from portalops.system.locks import LockHolder, describe_process, holder_of, locked, locked_to_read, read_holder
from tests.accounts import as_ordinary_user

SINCE = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


def test_who_is_refused_learns_which_process_to_look_at(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "run.lock"

    with locked(path, holder=describe_process(SINCE)), pytest.raises(Locked) as caught, locked(path, holder="another"):
        pass

    assert str(caught.value) == f"the lock run is held by process {os.getpid()}, since {format_at(SINCE)}"
    assert str(os.getpid()) in str(caught.value.hint)


def test_who_is_refused_learns_which_job_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "media.lock"

    with (
        locked(path, holder=describe_process(SINCE, "weekly-backup")),
        pytest.raises(Locked) as caught,
        locked(path, holder="another"),
    ):
        pass

    assert (
        str(caught.value)
        == f"the lock media is held by job weekly-backup, process {os.getpid()}, since {format_at(SINCE)}"
    )


def test_who_waits_gets_the_lock_when_its_holder_dies(tmp_path: Path) -> None:
    path = tmp_path / "media.lock"
    holding = (
        "import fcntl, os, sys, time\n"
        "lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print(flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(Locked), locked(path, holder="too early", wait_seconds=0.05):
            pass

        holder.kill()

        with locked(path, holder="next", wait_seconds=60):
            assert holder_of(path) == "next"


def test_who_only_looks_who_holds_a_lock_is_in_nobody_s_way(tmp_path: Path) -> None:
    path = tmp_path / "media.lock"
    with locked(path, holder=describe_process(SINCE)):
        pass
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)  # as `holder_of` does
    leaving = threading.Timer(0.02, os.close, (looking,))
    leaving.start()

    with locked(path, holder=describe_process(SINCE, "weekly-backup")):
        assert holder_of(path) == describe_process(SINCE, "weekly-backup")
    leaving.join()


def test_a_holder_is_read_as_it_was_written() -> None:
    assert read_holder(describe_process(SINCE, "weekly-backup")) == LockHolder(os.getpid(), SINCE, "weekly-backup")
    assert read_holder(describe_process(SINCE)) == LockHolder(os.getpid(), SINCE, "")
    assert read_holder("10.2:weekly-backup:2026-W48") is None


@pytest.mark.parametrize(
    "said", ["10.2:weekly-backup:2026-W48", "", "process 1 since when", "process 1 since 2026-11-25"]
)
def test_a_holder_of_another_kind_is_named_as_it_is(tmp_path: Path, said: str) -> None:
    path = tmp_path / "job.lock"

    with locked(path, holder=said), pytest.raises(Locked, match="job is held by "), locked(path, holder="another"):
        pass


def test_a_lock_is_free_after_its_block(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"

    with locked(path, holder="one"):
        assert holder_of(path) == "one"
    with locked(path, holder="2"):
        assert holder_of(path) == "2"

    assert holder_of(path) is None
    assert holder_of(tmp_path / "none.lock") is None


def test_a_folder_that_may_not_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with locked(tmp_path / "run.lock", holder="first, so that everything is imported"):
        pass
    with as_ordinary_user() as folder:
        folder.chmod(0o555)

        refused = pytest.raises(FileUnwritable, match=r"cannot write .*: Permission denied")
        with refused, locked(folder / "locks" / "run.lock", holder="x"):
            pass


def test_who_only_reads_needs_no_right_to_write_the_lock_and_waits_for_its_holder_all_the_same(tmp_path: Path) -> None:
    with locked_to_read(tmp_path / "any.lock", holder="a"):  # what it loads is loaded
        pass
    with as_ordinary_user() as folder:
        path = folder / "media.lock"
        path.write_text("", encoding="utf-8")
        path.chmod(0o400)
        folder.chmod(0o500)
        with locked_to_read(path, holder="one"), locked_to_read(path, holder="another"):
            pass
        with locked_to_read(folder / "none.lock", holder="one"):
            pass
        writing = os.open(path, os.O_RDONLY)
        fcntl.flock(writing, fcntl.LOCK_EX)
        with pytest.raises(Locked), locked_to_read(path, holder="one"):
            pass
        os.close(writing)
        folder.chmod(0o700)
