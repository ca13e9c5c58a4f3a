"""`portalops incident open` and `correct`: what happened, when, and what and whom it concerns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

from commands._change_views import known_change
from commands._change_views import register_of as changes_of
from commands._credentials import held, known_person, refuse_extra, refuse_secret
from commands._credentials import register_of as credentials_of
from commands._incidents import (
    By,
    IdArgument,
    OptionalText,
    guarded,
    incident_result,
    known_incident,
    record,
    register_of,
    step,
    who,
)
from commands._registers import DocumentFile, DryRun, Reason, document_in, next_id, past_moment
from commands._result import Result
from commands._servers import known_host
from commands._session import Session, open_session
from portalops.errors import LedgerMissing, UsageError
from portalops.locale import _
from portalops.model.incidents import IncidentFacts, IncidentKind, ReportKind, Timeliness
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.verdicts import Severity
from portalops.registers.cases import read_cases
from portalops.registers.changes import Step
from portalops.registers.credentials import CredentialRegister
from portalops.registers.findings import read_findings
from portalops.registers.incidents import CORRECTED, INCIDENT_KINDS, OPENED, Incident, IncidentRegister, people_left

HELP_OPEN = _(
    "Record an incident\n\nGives it an id, such as IN-2026-001. From when it was noticed on, the first report is due within 24"
    " hours and the full report within 72, if the rulebook says nothing else. Tie it to what it concerns: credentials (whose"
    " holders answer for it unless --holder names somebody), hosts, changes, findings, cases. No secret is taken, in no text."
    "\n\nExample: portalops incident open --what 'mất máy tính có khóa SSH' --kind credential --severity high --happened"
    " 2026-11-25T18:00 --detected 2026-11-26T07:30 --credential web1-an --host web1 --affected 'quyền quản trị web1'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 something that it is tied to does not exist, a time is ahead or in the wrong order,"
    " or a text is missing or looks like a secret"
)
HELP_CORRECT = _(
    "Correct or complete what the register says of an incident\n\nA new record; the one before stays. What is not given stays as"
    " it was; a list that is given takes the place of the one before. Cause, counter-measures and lessons that are known before"
    " the end go into the draft of the full report."
    "\n\nExample: portalops incident correct IN-2026-001 --host web1 --host db1 --reason 'cũng vào được db1'"
    "\n\nEXIT STATUS: 0 recorded or shown, 2 there is no such incident, or as for 'incident open'"
)
What = Annotated[str, typer.Option(metavar="TEXT", help=_("What happened, in a sentence"))]
Kind = Annotated[
    str,
    typer.Option(
        metavar="KIND",
        help=_("credential, intrusion, malware, defacement, data-leak, data-loss, denial-of-service, outage or other"),
        autocompletion=lambda: tuple(IncidentKind),
    ),
]
Weight = Annotated[
    str, typer.Option("--severity", metavar="critical|high|medium|low", help=_("critical, high, medium or low"))
]
Detected = Annotated[
    OptionalText,
    typer.Option(metavar="MOMENT", help=_("When it was noticed, such as 2026-11-26T07:30; now by default")),
]
Happened = Annotated[
    OptionalText, typer.Option(metavar="MOMENT", help=_("When it began; leave it out as long as nobody knows"))
]
Affected = Annotated[OptionalText, typer.Option(metavar="TEXT", help=_("What was affected, and how"))]
Many = list[str] | None
Holders = Annotated[Many, typer.Option("--holder", metavar="MEMBER", help=_("Who answers for it; may be repeated"))]
Credentials = Annotated[
    Many, typer.Option("--credential", metavar="ID", help=_("A credential of the register; may be repeated"))
]
Hosts = Annotated[Many, typer.Option("--host", metavar="ID", help=_("A host that it concerns; may be repeated"))]
Changes = Annotated[Many, typer.Option("--change", metavar="ID", help=_("A change of the register; may be repeated"))]
Findings = Annotated[
    Many,
    typer.Option("--finding", metavar="HOST:CHECK", help=_("A finding, as 'check findings' names it; may be repeated")),
]
Cases = Annotated[Many, typer.Option("--case", metavar="ID", help=_("A case of Article 11.3; may be repeated"))]
ChosenT = TypeVar("ChosenT", bound=StrEnum)
_FINDING = re.compile(r"[^\s:]{1,63}:[a-z]+\.[a-z0-9-]{1,60}")


def open_(
    ctx: typer.Context,
    *,
    what: What,
    kind: Kind,
    severity: Weight,
    detected: Detected = None,
    happened: Happened = None,
    affected: Affected = None,
    holder: Holders = None,
    credential: Credentials = None,
    host: Hosts = None,
    change: Changes = None,
    finding: Findings = None,
    case: Cases = None,
    by: By = "",
    file: DocumentFile = None,
    dry_run: DryRun = False,
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    facts = IncidentFacts(
        "",
        guarded(what, "--what"),
        _chosen(IncidentKind, kind, "--kind"),
        _chosen(Severity, severity, "--severity"),
        past_moment(session, detected, "--detected"),
        who(session, by),
        past_moment(session, happened, "--happened") if happened is not None else None,
        guarded(affected, "--affected") if affected else "",
    )
    _require_order(facts)
    document = document_in(file)
    ties: dict[str, Many] = {
        "holders": holder, "credentials": credential, "hosts": host, "changes": change, "findings": finding, "cases": case,
    }  # fmt: skip

    def made(_register: IncidentRegister) -> IncidentFacts:
        tied = replace(facts, **_tied(session, ties))
        if not tied.holders:
            tied = replace(tied, holders=_holders_of(credentials_of(session), tied.credentials))
        return replace(tied, id=next_id(session, "IN", INCIDENT_KINDS))

    body, _before, after, seq = record(session, OPENED, made, document, dry_run=dry_run)
    assert isinstance(body, IncidentFacts), "as it was made"
    if dry_run:
        first = Step(0, session.clock.now(), body)
        incident = Incident(first, first)
    else:
        incident = after.incidents[body.id]
    return incident_result(session, incident, _remarks(session, incident), record_seq=seq)


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
        OptionalText, typer.Option(metavar="TEXT", help=_("What was done so that it does not happen again"))
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
) -> Result:
    refuse_extra(ctx)
    session = open_session(ctx)
    given: dict[str, Any] = {
        "what": guarded(what, "--what") if what is not None else None,
        "kind": _chosen(IncidentKind, kind, "--kind") if kind is not None else None,
        "severity": _chosen(Severity, severity, "--severity") if severity is not None else None,
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
        raise UsageError(msg("nothing is said to change"), msg("Give what was wrong, such as --affected."))
    why, author = guarded(reason, "--reason"), who(session, by)

    if incident in register_of(session).unopened:
        return _opened_anew(
            session, incident, given=changed, ties=ties, why=why, author=author, document=document_in(file), dry_run=dry_run
        )  # fmt: skip

    def made(known: Incident) -> IncidentFacts:
        facts = replace(known.facts, **changed, **_tied(session, ties), reason=why, by=author)
        if not facts.holders:
            facts = replace(facts, holders=_holders_of(credentials_of(session), facts.credentials))
        _require_order(facts)
        if any(each.body.sent_at < facts.detected_at for each in known.reports):
            raise UsageError(
                msg("a report was sent before {moment}", moment=facts.detected_at),
                msg("Nobody reports what was not noticed: give the right time by --detected."),
            )
        return facts

    return step(
        session, CORRECTED, incident, made, document_in(file), dry_run=dry_run,
        warn=lambda _before, after: _remarks(session, after),
    )  # fmt: skip


def _opened_anew(
    session: Session, name: str, *, given: dict[str, Any], ties: dict[str, Many], why: str, author: str,
    document: bytes | None, dry_run: bool,
) -> Result:  # fmt: skip
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
                msg("{id} was corrected by somebody else just now", id=name),
                msg("'portalops incident show {id}' shows how it stands; then try again.", id=name),
            )
        facts = IncidentFacts(id=name, by=author, reason=why, **given, **_tied(session, ties))
        if not facts.holders:
            facts = replace(facts, holders=_holders_of(credentials_of(session), facts.credentials))
        _require_order(facts)
        return facts

    body, _before, after, seq = record(session, CORRECTED, made, document, dry_run=dry_run)
    assert isinstance(body, IncidentFacts), "as it was made"
    first = Step(0, session.clock.now(), body)
    known = Incident(first, first) if dry_run else after.incidents[name]
    return incident_result(session, known, _remarks(session, known), record_seq=seq)


def _chosen(choices: type[ChosenT], text: str, option: str) -> ChosenT:
    try:
        return choices(text)
    except ValueError as error:
        refuse_secret(text, option)
        raise UsageError(
            msg("{option}: {text} is none of its words", option=option, text=show_text(text, 40)),
            msg("Choose one of: {names}.", names=", ".join(choices)),
        ) from error


def _require_order(facts: IncidentFacts) -> None:
    if facts.happened_at is not None and facts.detected_at < facts.happened_at:
        raise UsageError(
            msg(
                "it was noticed at {noticed}, before it began at {began}",
                noticed=facts.detected_at,
                began=facts.happened_at,
            ),
            msg("Give when it began by --happened, and when it was noticed by --detected."),
        )


def _tied(session: Session, ties: dict[str, Many]) -> dict[str, Any]:
    """Return what it is tied to, of every list that was given.

    Raises:
        UsageError: something of it does not exist.
    """
    looks: dict[str, Callable[[str], str]] = {
        "holders": lambda name: known_person(session, credentials_of(session), name, "--holder"),
        "credentials": lambda name: held(credentials_of(session), show_id(name, "--credential")).id,
        "hosts": lambda name: known_host(session, show_id(name, "--host")).id,
        "changes": lambda name: known_change(changes_of(session), show_id(name, "--change")).id,
        "findings": lambda name: _known_finding(session, show_id(name, "--finding")),
        "cases": lambda name: _known_case(session, show_id(name, "--case")),
    }
    return {name: tuple(dict.fromkeys(looks[name](each) for each in given)) for name, given in ties.items() if given}


def show_id(text: str, option: str) -> str:
    """Return an id as it was typed, unless it looks like a secret; raises as `refuse_secret` does."""
    refuse_secret(text[:200], option)
    return show_text(text, 200)


def _known_finding(session: Session, name: str) -> str:
    try:
        known = {each.id for each in read_findings(session.ledger).findings}
    except LedgerMissing:
        known = set()
    if name not in known or not _FINDING.fullmatch(name):
        raise UsageError(
            msg("there is no finding {id}", id=show_text(name, 80)),
            msg(
                "'portalops check findings --all' lists them; an id is HOST:CHECK, such as web1:acct.login-attribution."
            ),
        )
    return name


def _known_case(session: Session, name: str) -> str:
    try:
        known = {each.id for each in read_cases(session.ledger).cases}
    except LedgerMissing:
        known = set()
    if name not in known:
        raise UsageError(
            msg("there is no case {case}", case=show_text(name, 80)),
            msg("'portalops case list --all' shows the cases; give the whole id."),
        )
    return name


def _holders_of(register: CredentialRegister, names: Sequence[str]) -> tuple[str, ...]:
    """Return who holds some credentials now."""
    holders = [register.credentials[name].credential.holder for name in names]
    return tuple(dict.fromkeys(holder for holder in holders if holder))


def _remarks(session: Session, incident: Incident) -> tuple[Message, ...]:
    """Say what whoever records it must know."""
    facts, register = incident.facts, credentials_of(session)
    zone, now = session.zone_of_portal, session.clock.now()
    found: list[Message] = [
        msg("{person} left, by record {seq}", person=name, seq=left.seq)
        for name in people_left(facts, register, now.astimezone(zone).date())
        if (left := register.left_of(name)) is not None
    ]
    began_on = facts.began_at.astimezone(zone).date()
    for name in facts.credentials:
        each = register.credentials.get(name)
        if each is not None and each.custody_on is not None and each.custody_on > began_on:
            found.append(
                msg(
                    "{id} was handed over on {day}, after it began: see that --holder names who held it then",
                    id=name,
                    day=each.custody_on,
                )
            )
        if each is not None and name in register.unreadable:
            found.append(msg("{id}: records of it cannot be read, so who holds it is not known", id=name))
    if facts.kind is IncidentKind.CREDENTIAL and not facts.credentials:
        found.append(
            msg(
                "no credential is tied to it: 'portalops incident correct {id} --credential' does, and the duty is unknown until then",
                id=facts.id,
            )
        )
    elif not facts.holders:
        found.append(
            msg("nobody is named who answers for it: 'portalops incident correct {id} --holder' does", id=facts.id)
        )
    for report in ReportKind:
        found += _due(session, incident, report, now)
    return tuple(found)


def _due(session: Session, incident: Incident, report: ReportKind, now: datetime) -> list[Message]:
    standing = incident.standing(report, session.rulebook.numbers, now)
    is_first = report is ReportKind.FIRST
    if standing.timeliness is Timeliness.OVERDUE:
        if is_first:
            return [msg("the first report was due by {due}", due=standing.due_at)]
        return [msg("the full report was due by {due}", due=standing.due_at)]
    if standing.timeliness is Timeliness.DUE:
        if is_first:
            return [
                msg(
                    "the first report is due by {due}: 'portalops incident letter {id}' drafts it, 'incident report' records it",
                    due=standing.due_at,
                    id=incident.id,
                )
            ]
        return [msg("the full report is due by {due}", due=standing.due_at)]
    return []
