"""List what is wrong now: one alarm for each thing, grave ones first

Alarms are as the newest run judged them. With --closed, those that closed in the last 31 days come after.

Example: portalops alarm list; portalops alarm list --closed --json

EXIT STATUS: 0 no alarm is open, 1 one is, 3 none is known to be open, and a record cannot be read
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from commands.alarm.views import AlarmShape, alarm_data, answers_of, state_of
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.registers.alarms import read_alarms
from portalops.reports.document import Block, Cell, Paragraph, TableBlock

CLOSED_FOR = timedelta(days=31)


def list_(
    ctx: typer.Context,
    *,
    closed: Annotated[bool, typer.Option("--closed", help=_("Also those that closed in the last 31 days"))] = False,
) -> Result[tuple[AlarmShape, ...]]:
    session = open_session(ctx)
    register, today, now = read_alarms(session.reader), session.today, session.clock.now()
    shown = [*register.open]
    if closed:
        over = [
            each
            for each in register.alarms.values()
            if each.closed_at is not None and now - each.closed_at <= CLOSED_FOR
        ]
        shown += sorted(over, key=lambda each: (each.closed_at or now, each.key), reverse=True)
    headers = (msg("Alarm"), msg("State"), msg("Since"), msg("What is wrong"), msg("What to do"), msg("Answer"))
    rows: list[tuple[Cell, ...]] = [
        (
            each.key,
            state_of(each),
            each.opened_at,
            each.newest.what,
            each.newest.hint if each.is_open else None,
            answers_of(each, register, today),
        )
        for each in shown
    ]
    count = len(register.open)
    view: list[Block] = (
        [TableBlock(nmsg("{n} open alarm", "{n} open alarms", count), headers, rows)]
        if rows
        else [Paragraph(msg("No alarm is open, as far as the newest run saw."))]
    )
    warnings = tuple(
        msg("the details of record {seq} cannot be read: {cause}", seq=str(seq), cause=error.message)
        for seq, error in register.unreadable[:20]
    )
    code = ExitCode.UNMET if count else ExitCode.PARTIAL if register.unreadable else ExitCode.OK
    return Result(tuple(alarm_data(each, register, today) for each in shown), view, warnings, code)


VERB = Verb(list_, is_strict=True)
