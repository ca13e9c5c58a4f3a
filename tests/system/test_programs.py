"""Programs end at their deadline and their output at its limit, and what they leave behind says so."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portalops.system import stopping
from portalops.system.programs import LocalRunner, LocalShell


def test_a_program_leaves_its_exit_code_and_both_outputs() -> None:
    done = LocalRunner().run(("sh", "-c", "echo out; echo err >&2; exit 7"))

    assert (done.exit_code, done.stdout, done.stderr, done.truncated) == (7, b"out\n", b"err\n", False)


def test_a_program_that_is_not_there_is_127() -> None:
    assert LocalRunner().run(("no-such-program-here",)).exit_code == 127


def test_a_program_that_hangs_is_stopped_with_its_children() -> None:
    started = time.monotonic()

    done = LocalRunner().run(("sh", "-c", "sleep 60 & sleep 60"), timeout_seconds=0.3)

    assert done.exit_code == 124
    assert time.monotonic() - started < 10


def test_a_program_does_not_outlive_an_interrupt(tmp_path: Path) -> None:
    def interrupt(_signal: int, _frame: object) -> None:
        if (tmp_path / "pid").exists():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            LocalRunner().run(("sh", "-c", f"echo $$ >{tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; exec sleep 60"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_flood_is_cut_at_the_limit_and_called_cut() -> None:
    done = LocalRunner().run(("cat", "/dev/zero"), limit_bytes=100_000)

    assert done.truncated
    assert len(done.stdout) == 100_000


def test_much_input_and_output_at_once_do_not_block_each_other() -> None:
    data = b"x" * (4 << 20)

    assert LocalRunner().run(("cat",), stdin=data).stdout == data


def test_a_program_that_does_not_read_its_input_is_no_error() -> None:
    assert LocalRunner().run(("true",), stdin=b"x" * (4 << 20)).exit_code == 0


def test_programs_run_in_a_neutral_environment() -> None:
    done = LocalRunner().run(("env",))

    assert b"LC_ALL=C\n" in done.stdout
    assert b"TZ=UTC\n" in done.stdout
    assert b"HOME=" not in done.stdout


def test_the_local_shell_reads_its_script_and_argument() -> None:
    done = LocalShell().run_script(b'echo "$1"', argument="nonce", deadline_seconds=5, limit_bytes=1000)

    assert done.stdout == b"nonce\n"


def test_a_script_in_a_thread_ends_when_the_process_is_asked_to_stop() -> None:
    stopping.begin()
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        asked = pool.submit(LocalShell().run_script, b"sleep 30", argument="", deadline_seconds=40, limit_bytes=100)
        time.sleep(0.3)
        with pytest.raises(KeyboardInterrupt):
            stopping.stop(signal.SIGINT, None)
        try:
            assert asked.result(5).exit_code == 124
        finally:
            stopping.begin()

    assert time.monotonic() - began < 3
