"""Turns what Typer says of a wrong call into errors of portalops: in the reader's language, with the next command."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from commands._help import name_of
from portalops.errors import UsageError
from portalops.model.message import Message, msg, verbatim

if TYPE_CHECKING:
    import typer

    from commands._help import Parameter

_LIMIT = 60
_TOO_MANY = re.compile(r"Got unexpected extra argument(?:s|\(s\))? \((?P<arguments>.*)\)", re.DOTALL)


def no_such_verb(called: str, verb: str, verbs: Iterable[str]) -> UsageError:
    """Return the error for a verb that a noun does not have; `called` is the noun's command."""
    names = list(verbs)
    close = difflib.get_close_matches(verb, names, 1)
    hint = (
        msg("Did you mean '{command}'?", command=f"{called} {close[0]}")
        if close
        else msg("Its verbs are: {verbs}.", verbs=", ".join(names))
    )
    return UsageError(msg("'{command}' has no verb {verb}", command=called, verb=_shown(verb)), hint)


def no_verb(called: str, verbs: Iterable[str]) -> UsageError:
    """Return the error for a noun without a verb."""
    hint = msg("Add one of: {verbs}. '{command} --help' says what each does.", verbs=", ".join(verbs), command=called)
    return UsageError(msg("'{command}' needs a verb", command=called), hint)


def wrong_call(called: str, error: typer.TyperException) -> UsageError:
    """Return the error for arguments or options that a command does not take."""
    return UsageError(_said(error), _hint(called, error))


def _said(error: typer.TyperException) -> Message:
    """Say what Typer found, by the kind of what it raised."""
    parameter = getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    match type(error).__name__:
        case "NoSuchOption" if option:
            return msg("there is no option {option}", option=_shown(option))
        case "BadOptionUsage" if option and "requires" in error.message:
            return msg("{option} needs a value", option=_shown(option))
        case "BadOptionUsage" if option:
            return msg("{option} takes no value", option=_shown(option))
        case "MissingParameter" if parameter is not None:
            return msg("{parameter} is missing", parameter=name_of(parameter))
        case "BadParameter" if parameter is not None:
            return _wrong_value(parameter, error.message)
        case _:
            found = _TOO_MANY.fullmatch(error.message)
            if found:
                return msg("more arguments than it takes: {arguments}", arguments=_shown(found["arguments"]))
            return verbatim(_shown(error.format_message()))


def _wrong_value(parameter: Parameter, message: str) -> Message:
    name, least, most = name_of(parameter), parameter.min, parameter.max
    if least is not None and most is not None:
        return msg(
            "{parameter} takes a whole number from {least} to {most}", parameter=name, least=str(least), most=str(most)
        )
    if least is not None:
        return msg("{parameter} takes a whole number from {least} on", parameter=name, least=str(least))
    if "integer" in message:
        return msg("{parameter} takes a whole number", parameter=name)
    return msg("{parameter}: {problem}", parameter=name, problem=_shown(message.removesuffix(".")))


def _hint(called: str, error: typer.TyperException) -> Message:
    possible = getattr(error, "possibilities", None)
    if possible:
        return msg("Did you mean {close}?", close=min(possible))
    return msg("Run '{command} --help' to see how it is called.", command=called)


def _shown(text: str) -> str:
    """Return what a person typed on one line and bounded."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= _LIMIT else f"{clean[: _LIMIT - 3]}..."
