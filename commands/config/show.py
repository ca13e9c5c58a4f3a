"""Show every value that is in force

What was written and what stands by default. A secret is shown as the reference that the configuration holds, never as
itself.

Example: portalops config show --origin

EXIT STATUS: 0 shown, 78 the configuration is wrong
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from commands.cli.kinds import typed_tables
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.config.effective import DEFAULT, effective_values
from portalops.config.problems import together
from portalops.locale import _
from portalops.model.message import msg, verbatim
from portalops.reports.document import TableBlock

if TYPE_CHECKING:
    from portalops.config.effective import EffectiveValue
    from portalops.model.rulebook import Rulebook


@shape
class ShownValue:
    """One key of the configuration as it is in force."""

    id: str
    """The key with its tables, such as backup.full_every."""
    value: object
    """As TOML has it: text, number, truth value, list; null where it is left out."""
    origin: str
    """The file and line that set it, `default`, or the rulebook and its version."""


def show(
    ctx: typer.Context,
    *,
    origin: Annotated[bool, typer.Option("--origin", help=_("Also show where each value comes from"))] = False,
) -> Result[tuple[ShownValue, ...]]:
    session = open_session(ctx)
    settings = session.settings
    kinds, problems = typed_tables(settings)
    if problems:
        raise together(problems)
    values = [_with_number(value, session.rulebook) for value in effective_values(settings, kinds)]
    headers = (msg("Key"), msg("Value"), msg("Origin")) if origin else (msg("Key"), msg("Value"))
    rows = [(value.key, _shown(value.value), *((_shown_origin(value.origin),) if origin else ())) for value in values]
    caption = msg("Configuration {digest}", digest=settings.digest[:16])
    return Result(
        data=tuple(ShownValue(value.key, value.value, value.origin) for value in values),
        view=[TableBlock(caption, headers, rows)],
    )


def _with_number(value: EffectiveValue, rulebook: Rulebook) -> EffectiveValue:
    """Return a number that the configuration leaves alone as the rulebook has it."""
    section, _dot, name = value.key.partition(".")
    if section != "rulebook" or value.value is not None:
        return value
    return replace(value, value=getattr(rulebook.numbers, name), origin=f"{rulebook.id}@{rulebook.version}")


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case Sequence():
            return "[" + ", ".join(_shown(item) for item in value) + "]"
        case _:
            return str(value)


def _shown_origin(origin: str) -> object:
    return msg("default") if origin == DEFAULT else verbatim(origin)


VERB = Verb(show)
