"""Turns what Typer says of a wrong call into errors of portalops: in the reader's language, with the next command."""

from __future__ import annotations

import re

import typer

from commands.cli.help import Parameter, choices_of, name_of
from commands.cli.usage import show_typed
from portalops.errors import UsageError
from portalops.model.message import Message, msg, verbatim

_TOO_MANY = re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((?P<arguments>.*)\)", re.DOTALL)


def wrong_call(called: str, error: typer.TyperException) -> UsageError:
    """Return the error for arguments or options that a command does not take."""
    return UsageError(_found(error), _hint(called, error))


def _found(error: typer.TyperException) -> Message:
    """Say what Typer found, by the kind of what it raised."""
    parameter = getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    match type(error).__name__:
        case "NoSuchOption" if option:
            return msg("there is no option {option}", option=show_typed(option))
        case "BadOptionUsage" if option and "requires" in error.message:
            return msg("{option} needs a value", option=show_typed(option))
        case "BadOptionUsage" if option:
            return msg("{option} takes no value", option=show_typed(option))
        case "MissingParameter" if parameter is not None:
            return msg("{parameter} is missing", parameter=name_of(parameter))
        case "BadParameter" if parameter is not None:
            return _wrong_value(parameter, error.message)
        case _:
            found = _TOO_MANY.fullmatch(error.message)
            if found:
                return msg("more arguments than it takes: {arguments}", arguments=show_typed(found["arguments"]))
            return verbatim(show_typed(error.format_message()))


def _wrong_value(parameter: Parameter, message: str) -> Message:
    name, least, most = name_of(parameter), parameter.min, parameter.max
    if choices := choices_of(parameter):
        return msg("{parameter} takes one of: {choices}", parameter=name, choices=", ".join(choices))
    if least is not None and most is not None:
        return msg(
            "{parameter} takes a whole number from {least} to {most}", parameter=name, least=str(least), most=str(most)
        )
    if least is not None:
        return msg("{parameter} takes a whole number from {least} on", parameter=name, least=str(least))
    if "integer" in message:
        return msg("{parameter} takes a whole number", parameter=name)
    return msg(
        "{parameter}: {problem}",
        parameter=name,
        problem=show_typed(message.removeprefix("Value error, ").removesuffix(".")),
    )


def _hint(called: str, error: typer.TyperException) -> Message:
    possible = getattr(error, "possibilities", None)
    if possible:
        return msg("Did you mean {close}?", close=min(possible))
    return msg("Run '{command} --help' to see how it is called.", command=called)
