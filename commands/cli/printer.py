"""Prints results and errors: data on standard output, everything else on standard error."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands.cli.invocation import Invocation
from commands.cli.result import JsonValue, Result
from commands.cli.shapes import as_json
from portalops.errors import ExitCode, FileUnwritable, InternalFault, PortalOpsError
from portalops.locale import process_language, render
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.reports.terminal import render_blocks
from portalops.system import logs

if TYPE_CHECKING:
    from commands.cli.session import Session

SCHEMA = "portalops/1"
"""Names the envelope of `--json`; it changes when a key changes its meaning."""


class OutputError(FileUnwritable):
    """What a command returned cannot be printed."""


class Printer:
    """Knows the reader: a person at a terminal, a file, or a program that asked for JSON."""

    def __init__(self, invocation: Invocation, environment: Mapping[str, str]) -> None:
        self._invocation = invocation
        self._environment = environment
        self._zone: ZoneInfo | None = None
        self._session: Session | None = None

    def attend(self, session: Session) -> None:
        """Print what is left to say of this call, such as its warnings, however it ends."""
        self._session = session

    def result(self, result: Result[object], *, zone: ZoneInfo) -> None:
        """Print what a command returned; moments are shown in the portal's zone."""
        self._zone = zone
        if self._invocation.quiet:
            for failure in result.failures:
                self._say(render(failure, process_language(), zone=zone), logging.ERROR)
        if self._invocation.json:
            self._envelope(ok=True, data=as_json(result.data), warnings=result.warnings, error=None)
            if logs.form() != "text":
                self._warn(result.warnings)
            return
        text = render_blocks(
            result.view,
            language=process_language(),
            zone=zone,
            width=self._width(),
            colour=self._coloured(sys.stdout.isatty()),
        )
        write_output(text if text.endswith("\n") or not text else f"{text}\n")
        self._warn(result.warnings)

    def error(self, error: PortalOpsError) -> None:
        """Print an error in two lines, or as an envelope; moments are shown in the portal's zone, or in UTC."""
        self._zone = self._session.zone if self._session else None
        warnings = self._session.warnings if self._session else ()
        message, hint = (render(text, process_language(), zone=self._zone) for text in (error.message, error.hint))
        if self._invocation.json:
            self._envelope(
                ok=False, data=None, warnings=warnings, error={"code": error.code, "message": message, "hint": hint}
            )
        if logs.form() != "text" or not self._invocation.json:
            self._warn(warnings)
        if logs.form() != "text":
            logs.say(logging.ERROR, message, code=error.code, hint=hint, trace=error)
            return
        self._say(f"{self._word(msg('error'))}[{error.code}]: {message}")
        self._say(f"{self._word(msg('hint'))}: {hint}")
        if self._invocation.debug:
            traceback.print_exception(error)

    def interrupted(self) -> None:
        """Say that the user, or the system, stopped the command."""
        if self._invocation.json:
            body = {
                "code": "interrupted",
                "message": render(ExitCode.INTERRUPTED.meaning, process_language()),
                "hint": "",
            }
            self._envelope(ok=False, data=None, warnings=(), error=body)
        self._say(render(ExitCode.INTERRUPTED.meaning, process_language()), logging.WARNING)

    def fault(self, fault: Exception) -> None:
        """Tell of a fault in portalops itself; where it arose is shown with --debug only."""
        where = traceback.extract_tb(fault.__traceback__)[-1] if fault.__traceback__ else None
        told = InternalFault(
            msg(
                "{kind} in {module}, line {line}",
                kind=type(fault).__name__,
                module=os.path.basename(where.filename) if where else "?",
                line=str(where.lineno if where else 0),
            ),
            msg("Run the command again with --debug and report what it prints."),
        )
        told.__cause__ = fault  # its trace goes where traces go
        self.error(told)

    def _envelope(
        self, *, ok: bool, data: JsonValue, warnings: Sequence[Message], error: Mapping[str, JsonValue] | None
    ) -> None:
        envelope = {
            "schema": SCHEMA,
            "ok": ok,
            "data": data,
            "warnings": [render(warning, process_language(), zone=self._zone) for warning in warnings],
            "error": error,
        }
        indent = None if self._session and self._session.is_in_lines else 2
        write_output(json.dumps(envelope, ensure_ascii=not _is_unicode(), indent=indent) + "\n")

    def _warn(self, warnings: Sequence[Message]) -> None:
        structured = logs.form() != "text"
        for warning in warnings:
            text = render(warning, process_language(), zone=self._zone)
            if not structured:
                self._say(f"{self._word(msg('warning'))}: {text}")
            elif not logs.was_logged(str(warning)):
                logs.say(logging.WARNING, text)

    def _say(self, line: str, level: int = logging.INFO) -> None:
        if logs.form() != "text":
            logs.say(level, line)
            return
        if sys.stderr is not None:  # closed by the caller
            with suppress(OSError):  # where even this cannot be said, the exit code says it
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()

    def _word(self, word: Message) -> str:
        text = render(word, process_language())
        return f"\x1b[1m{text}\x1b[0m" if self._coloured(sys.stderr is not None and sys.stderr.isatty()) else text

    def _coloured(self, is_terminal: bool) -> bool:
        return wants_color(self._invocation.color, self._environment, is_terminal=is_terminal)

    def _width(self) -> int | None:
        """The terminal's width; None off a terminal, where nothing is wrapped."""
        return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else None


def write_output(text: str) -> None:
    """Write to standard output at once, so that a full disk is met here and not when Python ends.

    A letter that its encoding does not have is written as its number, such as `\\u1ed7`.

    Raises:
        BrokenPipeError: the reader went away.
        OutputError: it cannot be written.
    """
    try:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            msg("cannot write to standard output: {cause}", cause=cause_of(error)),
            msg("Make room where the output goes, or send it elsewhere; what was done is recorded all the same."),
        ) from error


def _is_unicode() -> bool:
    """Say whether standard output takes every letter, and JSON needs no numbers for them."""
    return (sys.stdout.encoding or "utf-8").lower().startswith("utf")


def wants_color(choice: str, environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Say whether to use colour: an explicit choice first, then NO_COLOR and TERM=dumb, then the terminal."""
    if choice != "auto":
        return choice == "always"
    return is_terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
