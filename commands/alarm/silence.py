"""Leave an alarm out of letters until a day, as for planned work

It need not be open yet. It is still listed, and status, figures and reports are as without it.

Example: portalops alarm silence host:web2 --until 2026-12-06 --reason 'thay ổ cứng ngày 5-6/12'

EXIT STATUS: 0 recorded or shown, 2 there can be no such alarm, or the day is past or too far ahead
"""

from __future__ import annotations

import typer

from commands.alarm.steps import By, KeyArgument, Until, Why, answer_of, known_kind, last_day, recorded
from commands.alarm.views import AnsweredAlarm
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.model.message import msg
from portalops.registers.alarms import SILENCED


def silence(
    ctx: typer.Context, alarm: KeyArgument, *, until: Until, reason: Why, by: By = "", dry_run: DryRun = False
) -> Result[AnsweredAlarm]:
    session = open_session(ctx)
    answer = answer_of(session, known_kind(alarm), reason, by, last_day(session, until))
    said = msg("Letters leave alarm {key} out until {day}.", key=answer.key, day=answer.until or session.today)
    return recorded(session, SILENCED, answer, said, dry_run=dry_run)


VERB = Verb(silence, is_strict=True)
