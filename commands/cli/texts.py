"""Texts that a person must give with an option."""

from __future__ import annotations

from portalops.errors import UsageError
from portalops.model.message import msg


def required_texts(given: dict[str, str]) -> tuple[str, ...]:
    """Return what a person wrote for the reader of the ledger, within bounds.

    Raises:
        UsageError: an option is empty or too long.
    """
    for option, text in given.items():
        if not text.strip():
            raise UsageError(
                msg("{option} is empty", option=option), msg("Say why, who decided it, and by which document.")
            )
        if len(text) > MAX_TEXT:
            raise UsageError(
                msg(
                    "{option} has {n} characters, and {most} at most are kept",
                    option=option,
                    n=len(text),
                    most=MAX_TEXT,
                ),
                msg("Put the rest into the document, and name it by --reference."),
            )
    return tuple(text.strip() for text in given.values())


MAX_TEXT = 1000
