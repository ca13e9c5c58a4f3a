"""Programs of the system that tests need beside Python: a test without one of them is skipped, and all that are skipped are counted.

    need("xorriso")                                  # in a test or a fixture
    pytestmark = pytest.mark.needs("strace")         # a whole module, or a test
    subprocess.run(["openssl", ...])                 # what starts one itself says nothing

Each stands in system-packages.txt, which `make test SYSTEM=1` installs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("system-packages.txt")
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
NEEDS = "needs "
"""What the reason of such a test begins with; the packages follow."""


def need(*programs: str) -> None:
    """Skip the test that asks where one of the programs is missing.

    Raises:
        Skipped: it is.
    """
    if reason := lacking(*programs):
        pytest.skip(reason)


@contextlib.contextmanager
def skipped_without_program() -> Iterator[None]:
    """Skip the test in which a program of the list could not be started because it is missing, and no other."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename in _package_of():
            need(error.filename)
        raise


def lacking(*programs: str) -> str:
    """Return why a test of these programs is skipped; empty where all are there."""
    package_of = _package_of()
    absent = [program for program in programs if not shutil.which(program, os.F_OK, PATH)]
    return NEEDS + ", ".join(sorted({package_of.get(program, program) for program in absent})) if absent else ""


def packages() -> set[str]:
    """Return the packages that are installed where that is asked for."""
    return set(_package_of().values())


def _package_of() -> dict[str, str]:
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return {program: package for package, program, *_purpose in lines}
