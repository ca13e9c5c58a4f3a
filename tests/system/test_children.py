"""A child's crash, flood of words or deafness does its parent no harm, and an interrupt of the parent ends the child in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from portalops.system.children import run_child

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def ended(script: str, *, limit_bytes: int = 1 << 20) -> tuple[int, bytes]:
    done = run_child(["sh", "-c", script], ENVIRONMENT, limit_bytes=limit_bytes)
    return done.exit_code, done.stdout


def test_a_child_s_exit_code_and_words_come_back() -> None:
    assert ended("echo done; exit 3") == (3, b"done\n")


def test_a_signal_that_ends_it_is_told_apart_from_an_exit_code() -> None:
    assert ended("kill -9 $$")[0] == -signal.SIGKILL


def test_a_flood_is_read_to_its_end_and_kept_only_at_its_beginning() -> None:
    code, said = ended("head -c 20000000 /dev/zero; exit 5", limit_bytes=1000)

    assert (code, len(said)) == (5, 1000)


def test_a_program_that_is_not_there_is_no_crash_of_the_parent(tmp_path: Path) -> None:
    assert run_child([str(tmp_path / "absent")], ENVIRONMENT, limit_bytes=100).exit_code == 127


def test_an_interrupt_asks_the_child_and_what_it_started_to_stop(tmp_path: Path) -> None:
    mark, ready = tmp_path / "stopped in order", tmp_path / "ready"
    script = f"trap 'touch \"{mark}\"; exit 130' TERM; touch {ready}; while :; do sleep 0.05; done"
    parent = (
        "import signal, sys\n"
        "from portalops.system.children import run_child\n"
        "def stop(number, frame): raise KeyboardInterrupt\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "try: run_child(['sh', '-c', sys.argv[1]], {'PATH': '/usr/bin:/bin'}, limit_bytes=100)\n"
        "except KeyboardInterrupt: sys.exit(7)\n"
    )

    with subprocess.Popen(
        [sys.executable, "-c", parent, script], env={**os.environ, "PYTHONPATH": os.getcwd()}
    ) as process:
        end = time.monotonic() + 20
        while not ready.exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)

    assert process.returncode == 7
    assert mark.exists()


def test_an_interrupt_in_the_moment_in_which_the_child_is_started_leaves_none_behind() -> None:
    parent = (
        "import os, signal, subprocess, sys\n"
        "from portalops.system.children import run_child\n"
        "from portalops.system.stopping import stop\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "def look(frame, event, _value):\n"
        "    if event == 'return' and frame.f_code is subprocess.Popen.__init__.__code__:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.setprofile(look)\n"
        "try: run_child(['sleep', '60'], {'PATH': '/usr/bin:/bin'}, limit_bytes=100)\n"
        "except KeyboardInterrupt: sys.exit(7)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", parent],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stderr=subprocess.PIPE,  # open for as long as the child, which has it too
        timeout=20,
        check=False,
    )

    assert done.returncode == 7, done.stderr


def test_a_child_that_does_not_stop_is_killed_and_the_interrupt_is_raised_all_the_same() -> None:
    parent = (
        "import os, signal, sys\n"
        "from portalops.system.children import run_child\n"
        "from portalops.system.stopping import stop\n"
        "signal.signal(signal.SIGUSR1, stop)\n"
        "deaf = f'trap : TERM; kill -USR1 {os.getpid()}; while :; do sleep 0.05; done'\n"
        "try: run_child(['sh', '-c', deaf], {'PATH': '/usr/bin:/bin'}, limit_bytes=100, stop_seconds=0.3)\n"
        "except KeyboardInterrupt: sys.exit(7)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", parent],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stderr=subprocess.PIPE,  # as above
        timeout=20,
        check=False,
    )

    assert done.returncode == 7, done.stderr
