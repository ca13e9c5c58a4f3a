"""Show where every duty stands

Reads the ledger and nothing else. Name a duty to see all that is missing for it.

Example: portalops status --period 2026-W48; portalops status 11.2-submissions

EXIT STATUS: 0 all met, 1 something is not met, 3 something could not be found out, 4 the ledger was moved and goes on
elsewhere, 5 evidence is missing or was changed. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from commands.cli.nagios import CRITICAL, Option, PluginAnswer, guarded
from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.jobs.cluster_progress import now_under_way, progress_table
from commands.jobs.scan_parts import read_unfinished
from commands.jobs.standings import ShownStanding, exit_code_of, judge_period, overdue_jobs, overview, standing_data
from commands.jobs.validity import require_valid
from commands.status.views import answer_of
from portalops.bodies import decode_part
from portalops.errors import ExitCode, LedgerError, PortalOpsError, UsageError, worst
from portalops.ledger.pending_claims import UncountedRecords, count_uncounted
from portalops.locale import _
from portalops.model.checks import ReasonedScan
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.ports import LedgerReader
from portalops.registers.alarms import read_alarms
from portalops.registers.findings import KEYS, SCAN
from portalops.reports.document import Block, Bullets, Heading, KeyValues, Paragraph
from portalops.reports.words import duty_status

MAX_DETAILS = 200
"""Exceptions shown for one duty; the report has them all."""


def status(
    ctx: typer.Context,
    duty: Annotated[str | None, typer.Argument(help=_("One duty, such as 10.2-content"))] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    as_plugin: Option = False,
) -> Result[tuple[ShownStanding, ...] | None]:
    session = open_session(ctx)
    if as_plugin:
        return guarded(session, lambda: _plugin(session, duty, period))
    chosen = period_option(session, period)
    with session.ledger.view():
        judged, overdue = judge_period(session, chosen), overdue_jobs(session)
        unfinished = read_unfinished(session.ledger)
        alarms = read_alarms(session.ledger).open
        uncounted = count_uncounted(session.ledger.whole, now=session.clock.now())
        moved = session.ledger.left_for()
    standings = judged.standings
    if duty is not None:
        standings = _only(standings, duty, session.rulebook)
    view = duty_view(standings, session.rulebook) if duty else overview(standings, session.rulebook, chosen)
    if duty is None and period is None and (n := len(alarms)):
        grave = sum(each.newest.grave for each in alarms)
        said = nmsg(
            "{n} alarm is open, {grave} grave: 'portalops alarm list' says since when and what to do.",
            "{n} alarms are open, {grave} grave: 'portalops alarm list' says since when and what to do.",
            n,
            grave=grave,
        )
        view.append(Paragraph(said))
    if duty is None and (n := _undeclared(session.ledger)):
        said = nmsg(
            "{n} check is unknown for want of a declaration: 'portalops check declare' drafts it from what was seen.",
            "{n} checks are unknown for want of a declaration: 'portalops check declare' drafts each from what was seen.",
            n,
        )
        view.append(Paragraph(said))
    if session.settings.cluster is not None and duty is None and (jobs := now_under_way(session)):
        view.append(progress_table(jobs))
    return Result(
        data=tuple(standing_data(standing) for standing in standings),
        view=view,
        warnings=(
            *_describe_move(moved),
            *judged.warnings(),
            *overdue,
            *((unfinished.describe([each.id for each in session.settings.hosts]),) if unfinished else ()),
            *_describe_uncounted(uncounted),
        ),
        exit_code=worst([exit_code_of(standings), judged.exit_code, moved.exit_code if moved else ExitCode.OK]),
    )


def _describe_move(moved: LedgerError | None) -> Iterator[Message]:
    if moved is not None:
        yield msg("{cause}, so these are an old ledger's duties. {hint}", cause=moved.message, hint=moved.hint)


def _describe_uncounted(uncounted: UncountedRecords) -> Iterator[Message]:
    if uncounted.awaited:
        yield nmsg(
            "{n} record is not claimed yet; it counts for an hour: 'portalops ledger verify' names it",
            "{n} records are not claimed yet; they count for an hour: 'portalops ledger verify' names them",
            uncounted.awaited,
        )
    if uncounted.unclaimed or uncounted.set_aside:
        yield msg(
            "records that count for nothing: {unclaimed} that no writer claimed within an hour, {aside} set aside: 'portalops"
            " ledger verify' names them",
            unclaimed=uncounted.unclaimed,
            aside=uncounted.set_aside,
        )


def _undeclared(ledger: LedgerReader) -> int:
    """Return how many checks of the newest scan are unknown for want of a declaration."""
    for record in ledger.records(kinds=(SCAN,), newest_first=True, limit=10):
        try:
            scan = decode_part(ledger.blob(record.body), KEYS[SCAN], ReasonedScan)
        except PortalOpsError:  # the standings say so
            return 0
        if scan is not None:
            return scan.undeclared()
    return 0


def _plugin(session: Session, duty: str | None, period: str | None) -> PluginAnswer:
    settings = session.settings
    require_valid(settings)  # with a table that does not fit, nothing is run any more
    judged = judge_period(session, period_option(session, period))
    standings = judged.standings if duty is None else _only(judged.standings, duty, session.rulebook)
    now, zone = session.clock.now(), session.zone_of_portal
    alarms = [each for each in read_alarms(session.ledger).open if each.newest.grave]
    grave = [each.key for each in alarms if duty is None or duty in each.newest.duties]
    answer = answer_of(
        judged, standings, settings.jobs, session.attempts(), grave=grave, now=now, zone=zone, alone=duty is not None
    )
    if answer.state != CRITICAL:
        if (moved := session.ledger.left_for()) is not None:
            raise moved  # nothing is run here any more
        session.ledger.require_clock()  # with a clock behind the newest record nothing is run any more
    return answer


def duty_view(standings: tuple[Standing, ...], rulebook: Rulebook) -> list[Block]:
    """Return one duty in full: its clause, what would prove it, and all that is missing."""
    blocks: list[Block] = []
    for standing in standings:
        duty = rulebook.duty(standing.duty)
        clause = rulebook.clause(duty.clause)
        blocks += [
            Heading(2, msg("{duty}: {title}", duty=duty.id, title=duty.title)),
            KeyValues(
                (
                    (msg("Verdict"), duty_status(standing.verdict)),
                    (msg("Why"), standing.reason),
                    (msg("Clause"), clause.text),
                    (msg("What counts as evidence"), duty.evidence),
                    (msg("Ledger records"), ", ".join(map(str, standing.evidence)) or None),
                    (msg("Newest evidence"), standing.newest_at),
                    (msg("Due"), standing.due_at),
                )
            ),
        ]
        if standing.details:
            blocks.append(Bullets(standing.details[:MAX_DETAILS]))
        if len(standing.details) > MAX_DETAILS:
            blocks.append(Paragraph(msg("... and {more} more", more=len(standing.details) - MAX_DETAILS)))
    return blocks


def _only(standings: tuple[Standing, ...], duty: str, rulebook: Rulebook) -> tuple[Standing, ...]:
    chosen = tuple(standing for standing in standings if standing.duty == duty)
    if not chosen:
        raise UsageError(
            msg("there is no duty {duty}", duty=duty[:40]),
            msg("The duties are: {duties}.", duties=", ".join(known.id for known in rulebook.duties)),
        )
    return chosen


VERB = Verb(status)
