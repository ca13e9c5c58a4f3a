"""What is skipped is counted by what it needs; where continuous checking installs everything, it fails and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import HEAVY

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

def test_that_passes(): pass

@pytest.mark.skip(reason="needs restic")
def test_that_is_left_out(): pass

@pytest.mark.skip(reason="needs restic")
def test_that_is_left_out_too(): pass

@pytest.mark.skip(reason="the wrong day")
def test_of_another_day(): pass
"""


@pytest.mark.parametrize(
    ("told", "fails"),
    [({"CI": "true", "SYSTEM": "1"}, True), ({"CI": "true", "SYSTEM": ""}, False), ({"CI": "", "SYSTEM": "1"}, False)],
)
@pytest.mark.parametrize("spread", [(), ("-p", "xdist", "-n", "1")])
def test_skipped_tests_are_counted_and_fail_where_nothing_may_be_missing(
    tmp_path: Path, told: dict[str, str], fails: bool, spread: tuple[str, ...]
) -> None:
    (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (tmp_path / "test_some.py").write_text(TESTS, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", *spread, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, **told, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == (pytest.ExitCode.TESTS_FAILED if fails else pytest.ExitCode.OK), done.stdout
    assert "2 tests need restic: make test SYSTEM=1\n" in done.stdout
    assert "1 test was skipped: the wrong day\n" in done.stdout
    assert ("test_that_is_left_out: needs restic" in done.stdout) is fails


@pytest.mark.parametrize("each", HEAVY)
def test_what_is_marked_heavy_is_there(each: str) -> None:
    assert (CONFTEST.parent / each).exists()
