"""What the file of a verb registers: the function that Typer parses a call for, below the docstring that is its help page."""

from __future__ import annotations

from collections.abc import Callable

from commands.cli.result import Result
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the command line.

    `commands/<noun>/<verb>.py` has a constant `VERB`; its module docstring is the verb's help: the summary without a full stop,
    paragraphs, `Example:` and `EXIT STATUS:`.
    """

    call: Callable[..., Result[object]]
    """Takes the context of Typer, then arguments and options; its signature is what the command line accepts, and the
    annotation of what it returns is the shape of its `--json`."""
    is_strict: bool = False
    """It takes what it does not know as arguments of its own, to refuse it without repeating what may be a secret."""
    version: int = 1
    """Of the shape of its `--json`: raised when a key goes or changes its meaning, not when one is added."""
