"""Record the decision to accept a failing check until a day

The verdict stays 'fail', with the waiver beside it; the finding is not overdue until the waiver's last day. The
rulebook's waiver_max_days limits its length. A new waiver replaces the old one; --withdraw ends it today.

Example: portalops check waive ssh.password-auth --host web1 --until 2026-12-31 --reason 'the supplier has no keys
yet' --approver 'Nguyễn Văn An' --reference '12/QĐ-STTTT, 20/11/2026' --file decision.pdf

EXIT STATUS: 0 recorded, 2 no such check or host, a text or the last day is missing, or the last day is past or too
far away
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Optional

import typer

from checks.servers.catalogue import chosen
from commands.check.options import Approver, CheckArgument, HostOption, require_host
from commands.check.steps import newest_scan
from commands.cli.entries import document_in
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.texts import required_texts
from commands.cli.verb import Verb
from portalops import bodies
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.registers.waivers import GRANTED, WAIVER, WITHDRAWAL, WITHDRAWN, RecordedWaiver, read_waivers
from portalops.reports.document import Cell, KeyValues, Paragraph


@shape
class GrantedWaiver:
    """A waiver that is in force."""

    id: str
    check: str
    host: str
    valid_from: date
    valid_to: date
    """Its last day."""
    record: int
    replaces: int | None
    """The record of the waiver that it replaces."""
    evidence: tuple[Digest, ...]
    """SHA-256 of the decision, where it is kept."""


@shape
class EndedWaiver:
    """A waiver that was withdrawn."""

    id: str
    record: int


def waive(
    ctx: typer.Context,
    check: CheckArgument,
    *,
    host: HostOption,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    approver: Approver,
    reference: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Option(
            "--reference",
            metavar="DOCUMENT",
            help=_("Number and date of the written decision; only --withdraw does without"),
        ),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045  # as above
        typer.Option("--until", metavar="DATE", help=_("The last day, such as 2026-12-31")),
    ] = None,
    file: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option("--file", metavar="FILE", help=_("The decision itself, kept as evidence")),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help=_("End the waiver that is in force"))] = False,
) -> Result[GrantedWaiver | EndedWaiver]:
    session = open_session(ctx)
    _require_check_and_host(session, check, host)
    if withdraw:
        _require_left_out({"--until": until, "--reference": reference, "--file": file})
        return _withdraw(session, check, host, reason=reason, approver=approver)
    if reference is None:
        raise UsageError(
            msg("{parameter} is missing", parameter="--reference"),
            msg("Give number and date of the written decision; only --withdraw does without."),
        )
    reason, approver, reference = required_texts({"--reason": reason, "--approver": approver, "--reference": reference})
    today = session.today
    last = _last_day(session, until, today)
    document = document_in(file)  # before anything is recorded
    waiver = Waiver(_id_of(check, host), check, host, reason, approver, reference, today, last)
    ledger = session.writable_ledger
    before = _find_in_force(session, check, host)
    drafts: list[Draft] = []
    if before is not None:
        ends = WaiverWithdrawal(before.waiver.id, "replaced by another waiver", approver)
        drafts.append(_draft(session, WITHDRAWN, check, host, {WITHDRAWAL: ends}))
    evidence = () if document is None else (ledger.keep(document),)
    drafts.append(_draft(session, GRANTED, check, host, {WAIVER: waiver, "evidence": evidence}))
    record = ledger.append_many(drafts)[-1]
    rows: list[tuple[Message, Cell]] = [
        (msg("Check"), check),
        (msg("Host"), host),
        (msg("Reason"), reason),
        (msg("Approved by"), approver),
        (msg("Document"), reference),
        (msg("Until"), last),
        (msg("Recorded in"), msg("record {seq}", seq=record.seq)),
    ]
    data = GrantedWaiver(
        id=waiver.id,
        check=check,
        host=host,
        valid_from=today,
        valid_to=last,
        record=record.seq,
        replaces=before.seq if before else None,
        evidence=evidence,
    )
    return Result(data, [KeyValues(rows), Paragraph(msg("The check still fails; the waiver stands beside it."))])


def _require_left_out(given: Mapping[str, object | None]) -> None:
    """Make sure that nothing is given which a withdrawal would not keep.

    Raises:
        UsageError: something is.
    """
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                msg("--withdraw cannot be combined with {option}", option=option),
                msg("Leave {option} out: a withdrawn waiver ends today; name the decision in --reason."),
            )


def _withdraw(
    session: Session, check: str, host: str, *, reason: str, approver: str
) -> Result[GrantedWaiver | EndedWaiver]:
    reason, approver = required_texts({"--reason": reason, "--approver": approver})
    before = _find_in_force(session, check, host)
    if before is None:
        raise UsageError(
            msg("no waiver of {check} on {host} is in force", check=check, host=host),
            msg("Run 'portalops check findings' to see what is waived."),
        )
    ends = WaiverWithdrawal(before.waiver.id, reason, approver)
    drafts = [_draft(session, WITHDRAWN, check, host, {WITHDRAWAL: ends})]
    (record,) = session.writable_ledger.append_many(drafts)
    said = msg("the waiver of {check} on {host} ended today, by record {seq}", check=check, host=host, seq=record.seq)
    return Result(EndedWaiver(before.waiver.id, record.seq), [Paragraph(said)])


def _draft(session: Session, kind: str, check: str, host: str, parts: dict[str, object]) -> Draft:
    body: Digest = session.writable_ledger.keep(bodies.write({"circumstances": session.circumstances, **parts}))
    return session.writable_ledger.draft(kind, subject=f"{host} {check}", duty="12.4-remedy", body=body)


def _find_in_force(session: Session, check: str, host: str) -> RecordedWaiver | None:
    """Return the newest waiver of this check on this host that has neither ended nor been withdrawn."""
    today = session.today
    return next(
        (
            each
            for each in reversed(read_waivers(session.writable_ledger).waivers)
            if each.waiver.id == _id_of(check, host) and each.withdrawn_seq is None and each.waiver.valid_to >= today
        ),
        None,
    )


def _id_of(check: str, host: str) -> str:
    return f"{check}@{host}"


def _last_day(session: Session, until: str | None, today: date) -> date:
    """Return the last day of a waiver.

    Raises:
        UsageError: it is missing, no day, past, or too far away.
    """
    hint = msg("Give the last day with --until, such as {day}.", day=(today + timedelta(days=90)).isoformat())
    if until is None:
        raise UsageError(msg("--until is missing: a waiver needs a last day"), hint)
    try:
        last = date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(msg("--until: {text} is not a day", text=repr(until[:40])), hint) from error
    most = session.rulebook.numbers.waiver_max_days
    if not today <= last <= today + timedelta(days=most):
        raise UsageError(
            msg("--until: {day} is past, or more than {most} days from today", day=last, most=most),
            msg("Choose an earlier day and renew the decision then; the rulebook's waiver_max_days sets the limit."),
        )
    return last


def _require_check_and_host(session: Session, check: str, host: str) -> None:
    """Make sure that there are both.

    Raises:
        UnknownCheck: there is no such check.
        UsageError: there is no such host.
    """
    chosen(ids=(check,))
    newest = newest_scan(session)
    require_host(session, host, besides=[each.host for each in newest.body.hosts] if newest else ())


VERB = Verb(waive)
