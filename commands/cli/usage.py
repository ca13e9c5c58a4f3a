"""The errors for a command or verb that there is not: in the reader's language, with the next command."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from portalops.errors import UsageError
from portalops.model.message import msg

_LIMIT = 60


def no_such_verb(called: str, verb: str, verbs: Iterable[str]) -> UsageError:
    """Return the error for a verb that a noun does not have; `called` is the noun's command."""
    names = list(verbs)
    close = difflib.get_close_matches(verb, names, 1)
    hint = (
        msg("Did you mean '{command}'?", command=f"{called} {close[0]}")
        if close
        else msg("Its verbs are: {verbs}.", verbs=", ".join(names))
    )
    return UsageError(msg("'{command}' has no verb {verb}", command=called, verb=show_typed(verb)), hint)


def no_verb(called: str, verbs: Iterable[str]) -> UsageError:
    """Return the error for a noun without a verb."""
    hint = msg("Add one of: {verbs}. '{command} --help' says what each does.", verbs=", ".join(verbs), command=called)
    return UsageError(msg("'{command}' needs a verb", command=called), hint)


def show_typed(text: str) -> str:
    """Return what a person typed on one line and bounded."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= _LIMIT else f"{clean[: _LIMIT - 3]}..."
