"""Continuous checking tries everything: a skipped test fails there, and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

def test_that_passes(): pass

@pytest.mark.skip(reason="no such program")
def test_that_is_left_out(): pass
"""


@pytest.mark.parametrize(("ci", "spread"), [("true", ()), ("true", ("-p", "xdist", "-n", "1")), ("", ())])
def test_a_skipped_test_fails_the_session_of_ci_alone(tmp_path: Path, ci: str, spread: tuple[str, ...]) -> None:
    (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (tmp_path / "test_two.py").write_text(TESTS, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", *spread, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == (pytest.ExitCode.TESTS_FAILED if ci else pytest.ExitCode.OK), done.stdout
    assert ("test_that_is_left_out: Skipped: no such program" in done.stdout) is bool(ci)
