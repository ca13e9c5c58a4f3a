"""What happens when what is printed can go nowhere: a clear ending, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portalops.errors import ExitCode

PROGRAM = "from commands.app import main; main()"
FULL = Path("/dev/full")


def called(shell: str, *, language: str = "en") -> subprocess.CompletedProcess[str]:
    """Call portalops from a shell, where it is called `po`."""
    program = f"po() {{ {sys.executable} -c '{PROGRAM}' \"$@\"; }}; {shell}"
    environment = {**os.environ, "PORTALOPS_LANG": language}
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("arguments", ["--help", "--json --help", "explain"])
def test_a_full_disk_behind_standard_output_is_said_in_two_lines(arguments: str) -> None:
    done = called(f"po {arguments} > {FULL}")

    assert done.returncode == ExitCode.FAILED
    assert done.stderr.startswith("error[PO1603]: cannot write to standard output: No space left on device\nhint: ")
    assert done.stderr.count("\n") == 2


@pytest.mark.parametrize("arguments", ["--version", "--help", "explain --json"])
def test_a_reader_that_went_away_is_no_error_worth_a_word(arguments: str) -> None:
    done = called(f"po {arguments} | true; sleep 0.1; exit ${{PIPESTATUS[0]}}")

    assert done.returncode in {ExitCode.OK, ExitCode.FAILED}
    assert done.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", f"2>{FULL}"])
def test_the_exit_code_is_the_same_where_nothing_is_listened_to(closed: str) -> None:
    assert called(f"po --help {closed}").returncode == ExitCode.OK
    assert called(f"po nothing {closed}").returncode == ExitCode.USAGE


def test_an_error_in_the_global_options_speaks_the_readers_language() -> None:
    assert called("po --lang xx", language="vi").stderr.startswith("lỗi[PO1601]: --lang không nhận giá trị xx\n")
