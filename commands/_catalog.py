"""Finds the commands by their files, imports one, and calls it through Typer."""

from __future__ import annotations

import ast
import difflib
import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from commands._help import noun_page, verb_page
from commands._invocation import GLOBAL_OPTIONS
from commands._result import Result
from commands._session import Session
from commands._usage import no_such_verb, no_verb, wrong_call
from portalops import __version__
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import msg, verbatim
from portalops.reports.document import Heading, KeyValues, Paragraph

if TYPE_CHECKING:
    import typer
    from typer.core import TyperCommand

FIRST_COMMANDS = ("init", "status", "run", "doctor", "explain")
"""The commands that stand alone and come first in the help; the others follow by name."""


@cache
def names() -> tuple[str, ...]:
    """Return every command's name, in the order in which the help shows them: `watch_remote.py` is `watch-remote`."""
    found = {path.stem.replace("_", "-") for path in Path(__file__).parent.glob("*.py") if path.stem[0] != "_"} - {
        "app"
    }
    first = [name for name in FIRST_COMMANDS if name in found]
    return (*first, *sorted(found - set(first)))


def call(session: Session) -> Result:
    """Run the named command, or show its help page.

    Raises:
        UsageError: there is no such command, or it is called wrongly.
    """
    name, *arguments = session.invocation.arguments
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        raise UsageError(
            msg("there is no command {name}", name=name[:40]),
            msg("Did you mean 'portalops {close}'?", close=close[0])
            if close
            else msg("Run 'portalops --help' to see the commands."),
        )
    called, said, command = name, _(summary(name)), command_of(name)
    while (verbs := verbs_of(command)) is not None:  # a noun may have nouns, such as `vuln bundle`
        verb = next((argument for argument in arguments if not argument.startswith("-")), None)
        if verb is None:
            if _asks_for_help(arguments):
                return noun_page(called, said, verbs)
            raise no_verb(f"portalops {called}", verbs)
        if verb not in verbs:
            raise no_such_verb(f"portalops {called}", verb, verbs)
        arguments.remove(verb)
        called, command = f"{called} {verb}", verbs[verb]
        said = (command.help or "").partition("\n")[0]
    return _call(called, command, arguments, session)


def _call(called: str, command: TyperCommand, arguments: list[str], session: Session) -> Result:
    import typer  # noqa: PLC0415  # start-up time

    if _asks_for_help(arguments):
        return verb_page(called, command)
    try:
        # Not by its main(), which answers an interrupt and a closed pipe in ways of its own.
        with command.make_context(f"portalops {called}", arguments, obj=session) as context:
            return cast("Result", command.invoke(context))
    except typer.TyperException as error:
        raise wrong_call(f"portalops {called}", error) from error


def _asks_for_help(arguments: list[str]) -> bool:
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--help" in before or "-h" in before


def version_page() -> Result:
    """Say which version this is."""
    return Result({"version": __version__}, [Paragraph(verbatim(f"portalops {__version__}"))])


def help_page() -> Result:
    """List the commands and the options that all of them understand."""
    summaries = {name: summary(name) for name in names()}
    view = (
        Paragraph(msg("portalops does, proves and reports the duties of a public portal's managing unit.")),
        Paragraph(msg("Usage: portalops COMMAND [ARGUMENTS] [OPTIONS]")),
        Heading(2, msg("Commands")),
        KeyValues([(verbatim(name), verbatim(_(text))) for name, text in summaries.items()]),
        Heading(2, msg("Options of every command")),
        KeyValues([(verbatim(option), text) for option, text in GLOBAL_OPTIONS]),
        Heading(2, msg("Exit status")),
        KeyValues([(verbatim(str(int(code))), code.meaning) for code in ExitCode]),
        Paragraph(msg("'portalops COMMAND --help' says more; 'portalops explain CODE' explains an error or a check.")),
    )
    return Result([{"id": name, "summary": text} for name, text in summaries.items()], view)


def summary(name: str) -> str:
    """Return the first line of a command's module docstring, without importing it."""
    source = (Path(__file__).parent / f"{_module(name)}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0].removesuffix(".")


def _module(name: str) -> str:
    return name.replace("-", "_")


def app_of(name: str) -> typer.Typer:
    """Import a command and return its declarations."""
    return cast("typer.Typer", importlib.import_module(f"commands.{_module(name)}").app)


def command_of(name: str) -> TyperCommand:
    """Import a command and return it as Typer parses it: a verb alone, or a noun of `verbs_of`."""
    import typer.main  # noqa: PLC0415  # start-up time

    app = app_of(name)
    app._add_completion = False  # completion is shipped in files, never installed into a user's start-up files
    return cast("TyperCommand", typer.main.get_command(app))


def verbs_of(command: TyperCommand) -> Mapping[str, TyperCommand] | None:
    """Return a noun's verbs; None for a command that stands alone."""
    return getattr(command, "commands", None)
