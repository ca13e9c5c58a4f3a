"""The global options are understood wherever they stand, and nothing else is taken from a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands.cli.invocation import parse_invocation
from commands.cli.printer import wants_color
from portalops.errors import UsageError


def test_global_options_are_taken_from_any_place() -> None:
    invocation = parse_invocation(["--lang", "vi", "backup", "--json", "list", "--config=a.toml", "-q"], {})

    assert invocation.arguments == ("backup", "list")
    assert (invocation.language, invocation.json, invocation.quiet) == ("vi", True, True)
    assert invocation.config == Path("a.toml")


def test_everything_after_two_dashes_belongs_to_the_command() -> None:
    assert parse_invocation(["x", "--", "--json"], {}).arguments == ("x", "--", "--json")


@pytest.mark.parametrize("arguments", [["--lang"], ["--lang", "fr"], ["--color=sometimes"], ["--config"]])
def test_a_global_option_without_a_right_value_is_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        parse_invocation(arguments, {})


@pytest.mark.parametrize(
    ("choice", "environment", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_colour_follows_the_choice_then_the_environment_then_the_terminal(
    choice: str, environment: dict[str, str], *, is_terminal: bool, expected: bool
) -> None:
    assert wants_color(choice, environment, is_terminal=is_terminal) is expected
