"""What happens when what is printed can go nowhere: a clear ending, never a traceback."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("arguments", ["--help", "explain PO1203", "nothing"])
def test_an_encoding_without_vietnamese_letters_gets_their_numbers(arguments: str) -> None:
    done = called(f"PYTHONIOENCODING=ascii po {arguments}; PYTHONIOENCODING=ascii po --json {arguments}", language="vi")

    assert "PO1901" not in done.stdout + done.stderr
    assert (done.stdout + done.stderr).isascii()
    assert "\\u1e" in done.stdout + done.stderr
    envelope = json.loads(done.stdout[done.stdout.index('{\n  "schema"') :])
    assert "\\u" not in str(envelope)


@pytest.mark.parametrize("call", ["init --folder new", f"ledger erase {'0' * 64} --reason x --approved-by y"])
def test_a_closed_standard_input_answers_no_question(call: str, tmp_path: Path) -> None:
    closed = called(f"cd {tmp_path} && PYTHONPATH={Path.cwd()} po {call} <&-")
    empty = called(f"cd {tmp_path} && PYTHONPATH={Path.cwd()} po {call} </dev/null")

    assert (closed.returncode, closed.stderr) == (empty.returncode, empty.stderr)
    assert closed.returncode != ExitCode.FAULT
