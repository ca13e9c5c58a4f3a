"""Questions to a person at a terminal: asked on standard error, answered on standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from portalops.errors import UsageError
from portalops.locale import process_language, render
from portalops.model.message import Message, msg


class Prompt(Protocol):
    """Asks."""

    def ask(self, question: Message, *, option: str, default: str, accept: Callable[[str], Message | None]) -> str:
        """Return an answer that is accepted.

        Args:
            question: one line without a question mark's colon.
            option: the option that answers it without asking.
            default: taken for an empty answer; empty if there is none.
            accept: returns what is wrong with an answer, or None.

        Raises:
            UsageError: nobody can answer.
        """
        ...


class TerminalPrompt:
    """Asks in plain lines, which every terminal and screen reader can do."""

    def __init__(self, source: TextIO, target: TextIO) -> None:
        self._source = source
        self._target = target

    def ask(self, question: Message, *, option: str, default: str, accept: Callable[[str], Message | None]) -> str:
        shown = render(question, process_language())
        while True:
            self._target.write(f"{shown} [{default}]: " if default else f"{shown}: ")
            self._target.flush()
            line = self._source.readline()
            if not line:
                raise UsageError(
                    msg("the input ended before {option} was answered", option=option),
                    msg("Answer it, or give {option} on the command line.", option=option),
                )
            answer = line.strip() or default
            problem = accept(answer)
            if problem is None:
                return answer
            self._target.write(f"  {render(problem, process_language())}\n")


class NoPrompt:
    """Asks nobody: a missing value is wrong usage that names its option."""

    def ask(self, question: Message, *, option: str, default: str, accept: Callable[[str], Message | None]) -> str:
        if default and accept(default) is None:
            return default
        raise UsageError(
            msg("{option} is needed: {question}", option=option, question=question),
            msg(
                "Give {option} on the command line, or run the command at a terminal without --no-input.", option=option
            ),
        )


def prompt_for(*, no_input: bool) -> Prompt:
    """Return the terminal's prompt, or none where nobody can answer."""
    if no_input or sys.stdin is None or not sys.stdin.isatty():  # None: closed by the caller
        return NoPrompt()
    return TerminalPrompt(sys.stdin, sys.stderr)
