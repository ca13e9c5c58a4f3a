"""Let a worker end

It takes no new parts, ends those that it has begun, and stops.

Example: portalops worker drain web1-4711

EXIT STATUS: 0 the worker was asked to end, 2 there is no such worker
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.reports.document import Paragraph


@shape
class DrainedWorker:
    """The worker that was asked to end."""

    id: str


def drain(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help=_("As 'worker list' shows it"))]
) -> Result[DrainedWorker]:
    from commands.worker import steps  # noqa: PLC0415  # an extra, which the help does without

    session = open_session(ctx)
    names = [each.name for each in steps.seen_workers(session)]
    if name not in names:
        raise UsageError(
            msg("there is no worker {name}", name=show_text(name, 60)),
            msg("The workers are: {names}.", names=show_text(", ".join(names), 400) or msg("none")),
        )
    steps.tell_to_drain(session, name)
    return Result(DrainedWorker(name), [Paragraph(msg("{name} ends what it has begun, and stops.", name=name))])


VERB = Verb(drain)
