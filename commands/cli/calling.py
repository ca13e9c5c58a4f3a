"""Imports one verb by the name of its file, and calls it through Typer."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import cast

import typer.main
from typer.core import TyperCommand

from commands.cli.call_errors import wrong_call
from commands.cli.catalogue import COMMANDS, asks_for_help, file_of, help_of, named, verbs_of
from commands.cli.help import Parameter, name_of, parameters_of, verb_page
from commands.cli.result import Result
from commands.cli.session import Session
from commands.cli.usage import no_verb
from commands.cli.verb import Verb
from portalops.errors import ConfigurationError, UsageError
from portalops.model.message import msg
from portalops.plugins import NotRegistered

_EXTRAS: Mapping[str, str] = {"pgqueuer": "cluster", "psycopg": "cluster"}
"""Packages that a verb cannot do without, and the extra of portalops that brings them."""

MOST = 2**63 - 1
"""The largest whole number that an option takes: no ledger can hold a larger one."""


def call(session: Session) -> Result[object]:
    """Run the command that a session was opened for, or show its help page.

    Raises:
        UsageError: there is no such command, or it is called wrongly.
    """
    arguments = session.invocation.arguments
    asked = arguments[0] == "help"
    called, rest, warnings = named(arguments[1:] if asked else arguments)
    session.warnings.extend(warnings)
    if file_of(called) is None:
        raise no_verb(f"portalops {called}", verbs_of(called))
    command = command_of(called)
    if asked or asks_for_help(rest):
        return verb_page(called, command)
    try:
        # Not by its main(), which answers an interrupt and a closed pipe in ways of its own.
        with command.make_context(f"portalops {called}", list(rest), obj=session) as context:
            _refuse_huge_numbers(called, command, context.params)
            return cast("Result[object]", command.invoke(context))
    except typer.TyperException as error:
        raise wrong_call(f"portalops {called}", error) from error
    except ModuleNotFoundError as error:
        if (missing := _missing(called, error)) is None:
            raise
        raise missing from error
    finally:
        session.claim()


def _refuse_huge_numbers(called: str, command: TyperCommand, values: Mapping[str, object]) -> None:
    arguments, options = parameters_of(command)
    parameters: list[Parameter] = [*arguments, *options]
    for each in parameters:
        value = values.get(each.name or "")
        if isinstance(value, int) and abs(value) > MOST:
            raise UsageError(
                msg(
                    "{parameter} takes a whole number from {least} to {most}",
                    parameter=name_of(each),
                    least=str(each.min or 0),
                    most=str(MOST),
                ),
                msg("Run '{command} --help' to see how it is called.", command=f"portalops {called}"),
            )


def verb_of(called: str) -> Verb:
    """Import a verb.

    Raises:
        ConfigurationError: it needs a package that is not installed.
        NotRegistered: its file has no `VERB`.
    """
    file = file_of(called)
    assert file is not None, f"'{called}' is a noun"
    module = ".".join(("commands", *file.relative_to(COMMANDS).with_suffix("").parts))
    try:
        verb = getattr(importlib.import_module(module), "VERB", None)
    except ModuleNotFoundError as error:
        if (missing := _missing(called, error)) is None:
            raise
        raise missing from error
    if not isinstance(verb, Verb):
        raise NotRegistered(f"{module} has no VERB")
    return verb


def command_of(called: str) -> TyperCommand:
    """Import a verb and return it as Typer parses it; raises as `verb_of` does."""
    verb = verb_of(called)
    app = typer.Typer(
        add_completion=False
    )  # completion is shipped in files, never installed into a user's start-up files
    app.command(
        called.rpartition(" ")[2],
        help=help_of(called),
        context_settings={"allow_extra_args": True} if verb.is_strict else None,
    )(verb.call)
    return cast("TyperCommand", typer.main.get_command(app))


def _missing(called: str, error: ModuleNotFoundError) -> ConfigurationError | None:
    """Return the error for a package that an extra brings; None for any other."""
    name = (error.name or "").partition(".")[0]
    if name not in _EXTRAS:
        return None
    return ConfigurationError(
        msg("'portalops {command}' needs the package {name}, which is not installed", command=called, name=name),
        msg(
            "Install it where portalops is: {python} -m pip install 'portalops[{extra}]'",
            python=sys.executable,
            extra=_EXTRAS[name],
        ),
    )
