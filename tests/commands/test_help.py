"""Help pages and what is said of a wrong call: one look, both languages, and data for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from commands.cli.catalogue import file_of, names, verbs_of
from commands.cli.entry import run
from portalops.errors import ExitCode


def verbs() -> Iterator[tuple[str, ...]]:
    """Yield every call that does something, such as `backup run` and `status`."""
    for name in names():
        yield from _verbs(name)


def _verbs(called: str) -> Iterator[tuple[str, ...]]:
    if file_of(called) is not None:
        yield tuple(called.split(" "))
        return
    for verb in verbs_of(called):
        yield from _verbs(f"{called} {verb}")


VERBS = list(verbs())


@pytest.mark.parametrize("call", VERBS, ids=" ".join)
def test_every_verb_says_how_it_is_called_and_how_it_ends(
    call: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*call, "--help", "--lang", "en"], {}) == ExitCode.OK

    page = capsys.readouterr().out
    assert f"Usage: portalops {' '.join(call)}" in page
    assert "Example: portalops" in page
    assert "EXIT STATUS: 0 " in page


@pytest.mark.parametrize("call", [*VERBS, *((name,) for name in names())], ids=" ".join)
def test_every_help_page_is_data_too(call: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*call, "--help", "--json"], {}) == ExitCode.OK

    assert json.loads(capsys.readouterr().out)["data"]


def test_help_before_a_command_is_help_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    run(["help", "ledger", "show"], {})
    before = capsys.readouterr().out
    run(["ledger", "show", "--help"], {})

    assert capsys.readouterr().out == before


def test_a_help_page_is_vietnamese_on_request() -> None:
    program = "import sys; from commands.cli.entry import run; sys.exit(run(['ledger', 'show', '--help', '--lang', 'vi'], {}))"
    page = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert "Cách dùng: portalops ledger show" in page
    assert "MÃ KẾT THÚC: 0 " in page
    assert "Options" not in page


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("ledger", "'portalops ledger' needs a verb"),
        ("ledger --quick", "'portalops ledger' needs a verb"),
        ("ledger shwo", "'portalops ledger' has no verb shwo"),
        ("ledger show --nonsense 1", "there is no option --nonsense"),
        ("ledger show --last", "--last needs a value"),
        ("ledger show --last 0", "--last takes a whole number from 1 on"),
        ("ledger show x", "SEQ takes a whole number"),
        ("ledger verify --quick=1", "--quick takes no value"),
        ("calendar show 1800", "YEAR takes a whole number from 1990 to 2100"),
        ("calendar check", "DAY is missing"),
        ("calendar check 1 2 3", "more arguments than it takes: 2 3"),
    ],
)
def test_a_wrong_call_is_one_error_with_a_next_step(call: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--json", "--lang", "en", *call.split()], {}) == ExitCode.USAGE

    output = capsys.readouterr()
    error = json.loads(output.out)["error"]
    assert (error["code"], error["message"]) == ("PO1601", said)
    assert "portalops ledger" in error["hint"] or "portalops calendar" in error["hint"]
    assert output.err.startswith(f"error[PO1601]: {said}\n")
