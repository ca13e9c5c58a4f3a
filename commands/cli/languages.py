"""The option for the languages of what is written."""

from __future__ import annotations

from collections.abc import Sequence

from portalops.errors import UsageError
from portalops.locale import LANGUAGES
from portalops.model.message import msg
from portalops.model.text import show_text

BOTH = "both"


def languages_option(asked: str | None, configured: Sequence[str]) -> tuple[str, ...]:
    """Return the languages of an option `--language`; the configured ones without it.

    Raises:
        UsageError: it is no language.
    """
    if asked is None:
        return tuple(configured)
    if asked == BOTH:
        return LANGUAGES
    if asked not in LANGUAGES:
        raise UsageError(
            msg("--language does not take {value}", value=show_text(asked, 40)),
            msg("It takes one of: {choices}.", choices=", ".join((*LANGUAGES, BOTH))),
        )
    return (asked,)
