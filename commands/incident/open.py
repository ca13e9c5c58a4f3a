"""Record an incident

The incident gets an id, such as IN-2026-001. The time limits of its first and its full report run from when it was
noticed; the answer shows both, as the rulebook sets them. Tie it to what it concerns: credentials, hosts, changes,
findings, cases. The holders of its credentials answer for it, unless --holder names others. No text may hold a
secret.

Example: portalops incident open --what 'mất máy tính có khóa SSH' --kind credential --severity high --happened
2026-11-25T18:00 --detected 2026-11-26T07:30 --credential web1-an --host web1 --affected 'quyền quản trị web1'

EXIT STATUS: 0 recorded or shown, 2 something that it is tied to does not exist, a time is ahead or in the wrong
order, or a text is missing or looks like a secret
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from commands.cli.entries import DocumentFile, DryRun, document_in, next_id, past_moment
from commands.cli.result import Result
from commands.cli.session import open_session
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
from commands.incident.steps import By, OptionalText, find_actor, guarded, incident_remarks, incident_result, record
from commands.incident.views import RecordedIncident
from commands.jobs.credentials import refuse_extra
from portalops.locale import _
from portalops.model.incidents import IncidentFacts, IncidentKind
from portalops.model.verdicts import Severity
from portalops.registers.changes import ChangeStep
from portalops.registers.credentials import read_credentials
from portalops.registers.incidents import INCIDENT_KINDS, OPENED, Incident, IncidentRegister

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
) -> Result[RecordedIncident]:
    refuse_extra(ctx)
    session = open_session(ctx)
    facts = IncidentFacts(
        "",
        guarded(what, "--what"),
        chosen_word(IncidentKind, kind, "--kind"),
        chosen_word(Severity, severity, "--severity"),
        past_moment(session, detected, "--detected"),
        find_actor(session, by),
        past_moment(session, happened, "--happened") if happened is not None else None,
        guarded(affected, "--affected") if affected else "",
    )
    require_order(facts)
    document = document_in(file)
    ties: dict[str, Many] = {
        "holders": holder, "credentials": credential, "hosts": host, "changes": change, "findings": finding, "cases": case,
    }  # fmt: skip

    def made(_register: IncidentRegister) -> IncidentFacts:
        tied = replace(facts, **tied_facts(session, ties))
        if not tied.holders:
            tied = replace(tied, holders=holders_named(read_credentials(session.reader), tied.credentials))
        return replace(tied, id=next_id(session, "IN", INCIDENT_KINDS))

    body, _before, after, seq = record(session, OPENED, made, document, dry_run=dry_run)
    assert isinstance(body, IncidentFacts), "as it was made"
    first = ChangeStep(seq or 0, session.clock.now(), body)
    incident = Incident(first, first)
    if not dry_run:  # behind a quarantine of a later time, this process does not see its own record yet
        incident = after.incidents.get(body.id, incident)
    return incident_result(session, incident, incident_remarks(session, incident), record_seq=seq)


VERB = Verb(open_, is_strict=True)
