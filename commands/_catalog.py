"""Finds the commands by their files, imports one, and calls it through Typer."""

from __future__ import annotations

import ast
import difflib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from commands._invocation import GLOBAL_OPTIONS
from commands._result import Result
from commands._session import Session
from portalops import __version__
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import msg, verbatim
from portalops.reports.document import Heading, KeyValues, Paragraph

if TYPE_CHECKING:
    import typer

FIRST_COMMANDS = ("init", "status", "run", "doctor", "explain")
"""The commands that stand alone and come first in the help; the others follow by name."""


def names() -> tuple[str, ...]:
    """Return every command's name, in the order in which the help shows them."""
    found = {path.stem for path in Path(__file__).parent.glob("*.py") if path.stem[0] != "_"} - {"app"}
    first = [name for name in FIRST_COMMANDS if name in found]
    return (*first, *sorted(found - set(first)))


def call(session: Session) -> Result | None:
    """Run the named command.

    Returns:
        What it returned, or None where Typer itself answered, as for `--help`.

    Raises:
        UsageError: there is no such command, or its options are wrong.
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
    import typer  # noqa: PLC0415  # start-up time

    app = cast("typer.Typer", importlib.import_module(f"commands.{name}").app)
    command = _command_of(app)
    prog = f"portalops {name}"
    try:
        outcome = command.main(args=arguments, prog_name=prog, standalone_mode=False, obj=session)
    except typer.TyperException as error:
        raise UsageError(
            verbatim(str(error.format_message()) or _("wrong usage")),
            msg("Run '{command} --help' to see how it is called.", command=_help_of(prog, arguments)),
        ) from error
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    return outcome if isinstance(outcome, Result) else None


def complete() -> None:
    """Answer a shell's question for completions; this one needs every command."""
    import typer  # noqa: PLC0415  # start-up time

    root = typer.Typer(add_completion=True)
    for name in names():
        app = importlib.import_module(f"commands.{name}").app
        if len(app.registered_commands) == 1 and not app.registered_groups and app.registered_callback is None:
            root.command(name)(app.registered_commands[0].callback)
        else:
            root.add_typer(app, name=name)
    root(prog_name="portalops")


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
    source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0].removesuffix(".")


def _command_of(app: typer.Typer) -> typer.main.TyperCommand:  # type: ignore[name-defined]  # private class of Typer
    import typer.main  # noqa: PLC0415  # start-up time

    app._add_completion = False  # completion is shipped in files, never installed into a user's start-up files
    return typer.main.get_command(app)


def _help_of(prog: str, arguments: list[str]) -> str:
    verb = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    return f"{prog} {verb}".strip()
