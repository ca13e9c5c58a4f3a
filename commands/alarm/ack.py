"""Answer for an open alarm until a day: nobody is reminded of it meanwhile

The alarm stays open and listed, and closes when its thing is right. If it opens again, it is reported again.

Example: portalops alarm ack medium:disk-b --until 2026-12-09 --by 'Trần Thị Bình' --reason 'đĩa mới về ngày 8/12'

EXIT STATUS: 0 recorded or shown, 2 there is no such open alarm, or the day is past or too far ahead
"""

from __future__ import annotations

import typer

from commands.alarm.steps import By, KeyArgument, Until, Why, answer_of, last_day, open_alarm, recorded
from commands.alarm.views import AnsweredAlarm
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.model.message import msg
from portalops.registers.alarms import ACKNOWLEDGED, read_alarms


def ack(
    ctx: typer.Context, alarm: KeyArgument, *, until: Until, reason: Why, by: By = "", dry_run: DryRun = False
) -> Result[AnsweredAlarm]:
    session = open_session(ctx)
    key, day = open_alarm(read_alarms(session.reader), alarm), last_day(session, until)
    answer = answer_of(session, key, reason, by, day)
    said = msg("{name} answers for alarm {key} until {day}.", name=answer.by, key=key, day=day)
    return recorded(session, ACKNOWLEDGED, answer, said, dry_run=dry_run)


VERB = Verb(ack, is_strict=True)
