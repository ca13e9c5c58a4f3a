"""Vouch for a clock that no time service keeps

While a clock is more than a day after the newest record, and neither a time service nor the time since boot accounts
for that day, nothing is recorded (PO1112). Read another clock, such as a watch or a telephone, and give what it
shows. If both agree, that is recorded under the person's name, and records are taken again.

Example: portalops ledger confirm-clock 2026-11-30T08:15 --by 'Nguyễn Văn An'

EXIT STATUS: 0 recorded, or shown; 2 the clocks differ; 4 the clock is behind the newest record
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from commands.cli.entries import DryRun, moment, written_text
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.clocks import ConfirmedClock
from portalops.model.message import msg
from portalops.reports.document import Paragraph

KIND, KEY = "clock.confirmed", "confirmed_clock"

MAX_DIFFERENCE = timedelta(minutes=5)
"""Between the machine's clock and the one that was read: as much as reading and typing take."""


@shape
class ClockConfirmation:
    """A clock that a person vouches for."""

    by: str
    read: datetime
    """What the other clock showed."""
    shown: datetime
    """What the machine's clock showed when that was given."""
    seq: int | None
    """The record that says so; null where nothing was recorded: --dry-run."""


def confirm_clock(
    ctx: typer.Context,
    read: Annotated[str, typer.Argument(metavar="YYYY-MM-DDTHH:MM", help=_("What another clock shows, in local time"))],
    *,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("The person who read it"))],
    dry_run: DryRun = False,
) -> Result[ClockConfirmation]:
    session = open_session(ctx)
    session.clock_is_confirmed = True
    session.ledger.require_clock()  # no ledger begins by this
    person = written_text(by, "--by")
    named, now = moment(session, read, "YYYY-MM-DDTHH:MM"), session.clock.now()
    if abs(now - named) > MAX_DIFFERENCE:
        raise UsageError(
            msg("the machine's clock shows {now}, and the other one {read}", now=now, read=named),
            msg("Set the machine's clock right first: timedatectl set-time, or a time service."),
        )
    if dry_run:
        return Result(
            ClockConfirmation(by=person, read=named, shown=now, seq=None),
            (Paragraph(msg("Both clocks agree; nothing was recorded.")),),
        )
    seq = session.recorder.record(KIND, KEY, ConfirmedClock(person, named, now)).seq
    return Result(
        ClockConfirmation(by=person, read=named, shown=now, seq=seq),
        (Paragraph(msg("{by} vouches for the clock, in record {seq}. Records are taken again.", by=person, seq=seq)),),
    )


VERB = Verb(confirm_clock)
