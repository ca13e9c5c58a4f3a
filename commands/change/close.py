"""Close a change

Closes a change that is done; with --reason also one that is not made after all. An emergency is closed after its late
approval. A closed standing approval holds no longer.

Example: portalops change close CH-2026-001

EXIT STATUS: 0 recorded or shown, 2 there is no such change, it is under way or closed already, or the reason is
missing
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from checks.servers.attribution import ChangePlace
from commands.change.options import IdArgument, Person
from commands.change.steps import permitted, step
from commands.change.views import RecordedChangeShape
from commands.cli.entries import DryRun, caller_of, written_text
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.changes import known_change
from commands.jobs.drift import ComparedSpan, drift_in
from commands.jobs.own import records_of
from portalops.locale import _
from portalops.model.changes import ChangeClosed
from portalops.model.message import Message, msg, nmsg
from portalops.registers.changes import CLOSED, RecordedChange, read_changes, refuse_close


def left_open(session: Session, change: RecordedChange) -> tuple[Message, ...]:
    """Say of a change that is to be closed what its hosts' drift tells against it."""
    done, begun = change.done, change.begun
    if done is None or begun is None:
        return ()
    first, last = begun.body.began_at, done.body.ended_at
    hosts = [each for each in session.settings.hosts if each.id in change.request.body.hosts]
    gone = sorted({*change.request.body.hosts} - {each.id for each in hosts})
    found: list[Message] = [
        msg(
            "{host} is no longer in the configuration: what {id} changed there cannot be checked",
            host=host,
            id=change.id,
        )
        for host in gone
    ]
    records = records_of(session.settings, session.reader, session.clock.now())
    for one in drift_in(records, hosts, ComparedSpan(since=first)):  # what came and went again while it was made, too
        if one.scanned_at is None or one.scanned_at < last:
            found.append(
                msg(
                    "{host} was not scanned since {id} ended, so what it changed there is unknown: run 'portalops"
                    " check run'",
                    host=one.host,
                    id=change.id,
                )
            )
        open_ = [
            each
            for each in one.placed
            if each.place is not ChangePlace.UNDER
            and each.drifted.span()[0] <= last
            and first <= each.drifted.span()[1]
        ]
        if open_:
            found.append(
                nmsg(
                    "{n} change at {host} during {id} has no approval or is unclear: see 'portalops change drift"
                    " --host {host} --since {since}'",
                    "{n} changes at {host} during {id} have no approval or are unclear: see 'portalops change drift"
                    " --host {host} --since {since}'",
                    len(open_),
                    host=one.host,
                    id=change.id,
                    since=first.astimezone(session.zone_of_portal).strftime("%Y-%m-%dT%H:%M"),
                )
            )
    return tuple(found)


def close(
    ctx: typer.Context,
    change: IdArgument,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, if it was not made, or not approved"))] = "",
    by: Person = "",
    dry_run: DryRun = False,
) -> Result[RecordedChangeShape]:
    session = open_session(ctx)
    why = written_text(reason, "--reason") if reason else ""
    closed = ChangeClosed(change, why, written_text(by, "--by") if by else caller_of(session))
    result = step(session, CLOSED, change, permitted(closed, lambda known: refuse_close(known, why)), dry_run=dry_run)
    known = known_change(read_changes(session.reader), change)
    return replace(result, warnings=(*result.warnings, *left_open(session, known)))


VERB = Verb(close)
