"""A text that a person changes in an editor: the one of $VISUAL or $EDITOR."""

from __future__ import annotations

import click

from portalops.errors import UsageError
from portalops.model.message import msg


def edited(text: str) -> str | None:
    """Return what a person made of a text; None where it was left as it was.

    Raises:
        UsageError: no editor can be started.
    """
    try:
        return click.edit(text, extension=".toml")
    except click.ClickException as error:
        raise UsageError(
            msg("no editor can be started: {cause}", cause=error.message),
            msg("Name one in the variable EDITOR, or answer n and edit the file in conf.d/ later."),
        ) from error
