"""Looks around after a judging: which alarms open and close, which the ledger keeps, and letters and screens tell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from commands.cli.session import Session
from commands.jobs.standings import JudgedDuties
from portalops.alarms.facts import AlarmFacts, JobState
from portalops.alarms.kinds import find_all
from portalops.alarms.life import change
from portalops.errors import PortalOpsError
from portalops.jobs import Attempt, due
from portalops.model.alarms import AlarmsChanged
from portalops.model.heads import AnchorReceipt
from portalops.model.message import Message, msg
from portalops.model.record import Recorded
from portalops.ports import LedgerReader
from portalops.registers.alarms import ALARMS, CHANGED, AlarmRegister, read_alarms
from portalops.registers.anchors import read_receipts
from portalops.registers.runs import parse_run_id

REACH_BACK = timedelta(days=100)
"""How far back anchors' receipts are read."""


def find_changes(session: Session, judged: JudgedDuties, register: AlarmRegister) -> AlarmsChanged:
    """Return what the alarms of now change against the recorded ones; nothing where no evidence could be read.

    Raises:
        PortalOpsError: the ledger or the calendar cannot be read.
    """
    if judged.evidence is None or judged.change is not None:
        return (
            AlarmsChanged()
        )  # what a changed ledger shows is neither right nor wrong; that itself is reported at once
    settings, now = session.settings, session.clock.now()
    attempts = session.attempts()
    overdue = {
        each.job.id: each.reason for each in due(settings.jobs, attempts, now, session.zone_of_portal) if each.late
    }
    anchors = tuple(table.id for table in settings.anchors)
    facts = AlarmFacts(
        judged.evidence,
        judged.standings,
        session.rulebook,
        session.today,
        tuple(each.id for each in settings.hosts),
        tuple(table.id for table in settings.backup_media),
        tuple(table.id for table in settings.update_sources),
        anchors,
        tuple(_job_state(job.id, attempts, overdue.get(job.id)) for job in settings.jobs),
        _newest_receipts(session.ledger, anchors, since=now - REACH_BACK) if anchors else {},
        session.calendar.years_to_confirm(session.today),
    )
    seen, expected = find_all(facts)
    return change(register.alarms, seen, expected, now)


def renew_alarms(session: Session, judged: JudgedDuties) -> AlarmRegister:
    """Look around, record what changed, and return the alarms after that; where that fails, those before it, with a warning."""
    try:
        register = read_alarms(session.ledger)
    except PortalOpsError as error:
        session.warnings.append(msg("alarms cannot be reported: {cause}", cause=error.message))
        return AlarmRegister()
    try:
        changed = find_changes(session, judged, register)
        if changed != AlarmsChanged():
            session.recorder.record(CHANGED, ALARMS, changed)
            register = read_alarms(session.ledger)
    except PortalOpsError as error:
        session.warnings.append(msg("alarms cannot be reported: {cause}", cause=error.message))
    return register


def _job_state(job: str, attempts: Iterable[Attempt], overdue: Message | None) -> JobState:
    ended = [
        each
        for each in attempts
        if (name := parse_run_id(each.run.id)) is not None and name.job == job and each.outcome is not None
    ]
    newest = max(ended, key=lambda each: each.run.started_at, default=None)
    return JobState(job, newest.outcome if newest else None, overdue)


def _newest_receipts(
    ledger: LedgerReader, anchors: tuple[str, ...], *, since: datetime
) -> dict[str, Recorded[AnchorReceipt]]:
    found: dict[str, Recorded[AnchorReceipt]] = {}
    for receipt in read_receipts(ledger, since=since):
        if receipt.body.anchor in anchors:
            found.setdefault(str(receipt.body.anchor), receipt)
    return found
