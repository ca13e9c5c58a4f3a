"""Take an acknowledgement or a silence back: the alarm is reported again

Example: portalops alarm release host:web2 --reason 'việc thay ổ cứng đã hoãn'

EXIT STATUS: 0 recorded or shown, 2 nobody answers for such an alarm
"""

from __future__ import annotations

import typer

from commands.alarm.steps import By, KeyArgument, Why, answer_of, recorded
from commands.alarm.views import AnsweredAlarm
from commands.cli.entries import DryRun
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.errors import UsageError
from portalops.model.alarms import AlarmKey
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.alarms import RELEASED, read_alarms


def release(
    ctx: typer.Context, alarm: KeyArgument, *, reason: Why, by: By = "", dry_run: DryRun = False
) -> Result[AnsweredAlarm]:
    session = open_session(ctx)
    register, key = read_alarms(session.reader), AlarmKey(alarm)
    known = register.alarms.get(key)
    is_seen = known is not None and known.is_open and known.is_acknowledged(session.today)
    if not is_seen and register.silence_of(key, session.today) is None:
        raise UsageError(
            msg("nobody answers for an alarm {key}", key=show_text(alarm, 80)),
            msg("'portalops alarm list' shows which are answered for."),
        )
    said = msg("Alarm {key} is reported again.", key=key)
    return recorded(session, RELEASED, answer_of(session, key, reason, by), said, dry_run=dry_run)


VERB = Verb(release, is_strict=True)
