"""docs/exit-codes.md says what errors.py does."""

from __future__ import annotations

import re
from pathlib import Path

from commands.explain.explain import error_classes
from portalops.errors import WORST_FIRST, ExitCode, worst

PAGE = (Path(__file__).parent.parent / "docs/exit-codes.md").read_text(encoding="utf-8")


def test_the_table_of_exit_codes_is_the_programs() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]+?) \|", PAGE, re.MULTILINE))

    assert rows == {str(int(code)): str(code.meaning) for code in ExitCode}


def test_the_order_of_exit_codes_is_the_programs() -> None:
    found = re.search(r"^Worst first: ([\d, ]+)\.$", PAGE, re.MULTILINE)

    assert found is not None
    assert found.group(1).split(", ") == [str(int(code)) for code in WORST_FIRST]


def test_the_table_of_errors_is_the_programs() -> None:
    rows = re.findall(r"^\| (PO\d{4}) \| (\d+) \| (.+?) \|$", PAGE, re.MULTILINE)

    assert rows == [(member.code, str(int(member.exit_code)), str(member.explanation)) for member in error_classes()], (
        "run: python -m tests.test_exit_codes prints the table"
    )


def test_the_worst_of_several_codes_wins() -> None:
    assert worst([ExitCode.PARTIAL, ExitCode.INTEGRITY, ExitCode.UNMET]) is ExitCode.INTEGRITY
    assert worst([]) is ExitCode.OK


if __name__ == "__main__":
    for member in error_classes():
        print(f"| {member.code} | {int(member.exit_code)} | {member.explanation} |")
