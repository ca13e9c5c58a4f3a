"""Correct or complete what the register says of an incident

Makes a new record; the earlier one stays. What is not given stays as it was; a given list replaces the earlier one.
Cause, counter-measures and lessons that are known before the end go into the draft of the full report.

Example: portalops incident correct IN-2026-001 --host web1 --host db1 --reason 'cũng vào được db1'

EXIT STATUS: 0 recorded or shown, 2 there is no such incident, or as for 'incident open'
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from commands.cli.entries import DocumentFile, DryRun, Reason, document_in, past_moment
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.verb import Verb
from commands.incident.options import (
    Affected,
    Cases,
    Changes,
    Credentials,
    Findings,
    Happened,
    Holders,
    Hosts,
    Many,
    chosen_word,
    holders_named,
    require_order,
    tied_facts,
)
from commands.incident.steps import (
    By,
    IdArgument,
    OptionalText,
    find_actor,
    guarded,
    incident_remarks,
    incident_result,
    known_incident,
    record,
    register_of,
    step,
)
from commands.incident.views import RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentFacts, IncidentKind
from portalops.model.message import msg
from portalops.model.verdicts import Severity
from portalops.registers.changes import ChangeStep
from portalops.registers.credentials import read_credentials
from portalops.registers.incidents import CORRECTED, Incident, IncidentRegister


def correct(
    ctx: typer.Context,
    incident: IdArgument,
    *,
    reason: Reason,
    what: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("What happened, in a sentence"))] = None,
    kind: Annotated[
        OptionalText,
        typer.Option(metavar="KIND", help=_("As for 'incident open'"), autocompletion=lambda: tuple(IncidentKind)),
    ] = None,
    severity: Annotated[
        OptionalText, typer.Option(metavar="critical|high|medium|low", help=_("critical, high, medium or low"))
    ] = None,
    detected: Annotated[OptionalText, typer.Option(metavar="MOMENT", help=_("When it was noticed"))] = None,
    happened: Happened = None,
    affected: Affected = None,
    cause: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("The root cause"))] = None,
    measures: Annotated[
        OptionalText, typer.Option(metavar="TEXT", help=_("What was done to prevent it from happening again"))
    ] = None,
    lessons: Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("What was learnt"))] = None,
    holder: Holders = None,
    credential: Credentials = None,
    host: Hosts = None,
    change: Changes = None,
    finding: Findings = None,
    case: Cases = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    given: dict[str, Any] = {
        "what": guarded(what, "--what") if what is not None else None,
        "kind": chosen_word(IncidentKind, kind, "--kind") if kind is not None else None,
        "severity": chosen_word(Severity, severity, "--severity") if severity is not None else None,
        "detected_at": past_moment(session, detected, "--detected") if detected is not None else None,
        "happened_at": past_moment(session, happened, "--happened") if happened is not None else None,
        "affected": guarded(affected, "--affected") if affected is not None else None,
        "cause": guarded(cause, "--cause") if cause is not None else None,
        "measures": guarded(measures, "--measures") if measures is not None else None,
        "lessons": guarded(lessons, "--lessons") if lessons is not None else None,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    ties: dict[str, Many] = {
        "holders": holder, "credentials": credential, "hosts": host, "changes": change, "findings": finding, "cases": case,
    }  # fmt: skip
    if not changed and not any(ties.values()):
        raise UsageError(msg("no change is given"), msg("Give what was wrong, such as --affected."))
    why, author = guarded(reason, "--reason"), find_actor(session, by)

    if incident in register_of(session).unopened:
        return _opened_anew(
            session, incident, given=changed, ties=ties, why=why, author=author, document=document_in(file), dry_run=dry_run
        )  # fmt: skip

    def made(known: Incident) -> IncidentFacts:
        facts = replace(known.facts, **changed, **tied_facts(session, ties), reason=why, by=author)
        if not facts.holders:
            facts = replace(facts, holders=holders_named(read_credentials(session.reader), facts.credentials))
        require_order(facts)
        if any(each.body.sent_at < facts.detected_at for each in known.reports):
            raise UsageError(
                msg("a report was sent before {moment}", moment=facts.detected_at),
                msg("A report cannot precede its incident: give the right time by --detected."),
            )
        return facts

    return step(
        session, CORRECTED, incident, made, document_in(file), dry_run=dry_run,
        warn=lambda _before, after: incident_remarks(session, after),
    )  # fmt: skip


def _opened_anew(
    session: Session, name: str, *, given: dict[str, Any], ties: dict[str, Many], why: str, author: str,
    document: bytes | None, dry_run: bool,
) -> Result[RecordedIncident]:  # fmt: skip
    """Record the whole of an incident whose opening cannot be read.

    Raises:
        UsageError: something of what an opening says is not given.
    """
    needed = {"what": "--what", "kind": "--kind", "severity": "--severity", "detected_at": "--detected"}
    missing = [option for key, option in needed.items() if key not in given]

    def made(register: IncidentRegister) -> IncidentFacts:
        if missing or name not in register.unopened:
            known_incident(register, name)  # says what is to be given
            raise UsageError(
                msg("another person corrected {id} just now", id=name),
                msg("See 'portalops incident show {id}', then try again.", id=name),
            )
        facts = IncidentFacts(id=name, by=author, reason=why, **given, **tied_facts(session, ties))
        if not facts.holders:
            facts = replace(facts, holders=holders_named(read_credentials(session.reader), facts.credentials))
        require_order(facts)
        return facts

    body, _before, after, seq = record(session, CORRECTED, made, document, dry_run=dry_run)
    assert isinstance(body, IncidentFacts), "as it was made"
    first = ChangeStep(0, session.clock.now(), body)
    known = Incident(first, first) if dry_run else after.incidents[name]
    return incident_result(session, known, incident_remarks(session, known), record_seq=seq)


VERB = Verb(correct, is_strict=True)
