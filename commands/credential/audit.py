"""Compare the register with the accounts, keys and logins that hosts show

Compares each host's newest answer in the ledger, with its databases, and the newest poll of each portal's accounts
('portalops credential poll'). Nothing is connected to. Listed are accounts and keys without a recorded holder, of
people who left, and of returned credentials that still open something; logins and uses of sudo that are nobody's;
admin access without a second factor; personal accounts that several people use; needlessly shared accounts; and late
changes. What was not seen, or is out of date, is unknown.

Example: portalops credential audit --host web1

EXIT STATUS: 0 everything was seen and agrees, 1 something does not agree, 2 there is no such host, 3 what was seen
agrees, and something was not seen
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

import typer

from checks.servers.credential_audit import DATABASES, PROBES, Remark, overdue
from checks.servers.credential_audit import audit as credential_audit_audit
from checks.servers.credential_use import PROBES as OF_USE
from checks.servers.credential_use import audit_use, audit_use_in_portals
from checks.servers.declared import Declared
from checks.servers.facts import Facts, found_in
from checks.servers.portal_audit import PortalComparison, audit_portals
from checks.servers.probes.own_credentials import find_rest_custodian
from checks.servers.probes.own_portal_accounts import AskedPortal
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.credentials import refuse_extra
from commands.jobs.hosts_seen import hosts_seen
from commands.jobs.portal_accounts import portals_of
from commands.jobs.servers import known_host
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.model.organisation import HostId
from portalops.registers.access import access_of
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.portal_accounts import PortalAnswer, read_portal_answers
from portalops.reports.document import Block, Paragraph, Status, TableBlock, Tone


@shape
class RemarkShape:
    """One thing that does not agree, or was not seen."""

    id: str
    host: str | None
    """Null of a portal, and where no host is declared."""
    what: str
    """A code for the case, such as `login-unknown`."""
    name: str
    """Of the account, key or credential."""
    state: Literal["wrong", "unknown"]
    said: str
    """The case in a sentence, in English."""


def answers_of(session: Session, wanted: Collection[HostId]) -> dict[HostId, tuple[datetime, bytes]]:
    """Return each host's newest answer that the ledger keeps, and when it was received; none of a host that never answered.

    Raises:
        IntegrityError: an answer is missing or damaged.
    """
    found = {}
    for host, seen in hosts_seen(session.reader, wanted).items():
        evidence = seen.answered.answer() if seen.answered else None
        if seen.answered is not None and evidence is not None:
            found[host] = (seen.answered.gathered_at, session.ledger.blob(evidence))
    return found


def audit(
    ctx: typer.Context,
    *,
    host: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="ID", help=_("Only this host; may be repeated")),
    ] = None,
) -> Result[tuple[RemarkShape, ...]]:
    refuse_extra(ctx)
    session = open_session(ctx)
    remarks = _remarks(session, host)
    wrong = [each for each in remarks if not each.is_unknown]
    unseen = [each for each in remarks if each.is_unknown]
    data = tuple(
        RemarkShape(
            id=f"{each.host or '-'}:{each.what}:{each.name}",
            host=each.host or None,
            what=each.what,
            name=each.name,
            state="unknown" if each.is_unknown else "wrong",
            said=str(each.said),
        )
        for each in remarks
    )
    view: list[Block] = []
    for caption, rows, tone in (
        (nmsg("{n} thing does not agree", "{n} things do not agree", len(wrong)), wrong, Tone.BAD),
        (nmsg("{n} thing was not seen", "{n} things were not seen", len(unseen)), unseen, Tone.UNSURE),
    ):
        if rows:
            cells = [(each.host or "-", each.name, Status(each.said, tone)) for each in rows]
            view.append(TableBlock(caption, (msg("Host"), msg("What"), msg("State")), cells))
    if not remarks:
        view.append(Paragraph(msg("the register agrees with everything that hosts and portals show")))
    code = ExitCode.UNMET if wrong else ExitCode.PARTIAL if unseen else ExitCode.OK
    hosts = sorted({each.host for each in wrong if each.what in {"login-unknown", "sudo-unknown"}})
    hints = [
        msg(
            "a login to {host}, or a use of sudo there, is nobody's: record it by 'portalops incident open --kind"
            " credential --host {host}', with '--finding {host}:acct.login-attribution' once a scan has found it",
            host=one,
        )
        for one in hosts
    ]
    return Result(data, view, warnings=hints, exit_code=code)


def _remarks(session: Session, names: list[str] | None) -> list[Remark]:
    hosts = session.settings.hosts if names is None else [known_host(session.settings.hosts, name) for name in names]
    register, declared, now = (
        read_credentials(session.reader),
        session.settings.declared.parse(Declared),
        session.clock.now(),
    )
    limit = timedelta(hours=session.rulebook.numbers.check_max_age_hours)
    access, remarks = access_of(register), list[Remark]()
    answers = answers_of(session, {host.id for host in hosts})
    probes = {probe.id: probe for probe in (*PROBES, *DATABASES, *OF_USE)}
    for host in hosts:
        found = answers.get(host.id)
        facts = None
        if found is not None:
            at, raw = found
            facts = Facts(host, declared.find_host(host.id), at, *found_in(raw, probes, at))
            if now - at > limit:
                text = msg("the newest answer, of {at}, is too old to count for today", at=at)
                remarks.append(Remark(host.id, "not-seen", "-", text, is_unknown=True))
        remarks += credential_audit_audit(access, facts, host.id, session.today)
        if facts is not None:
            remarks += audit_use(register, facts)
    if not hosts:
        remarks.append(Remark("", "not-seen", "-", msg("no host is declared"), is_unknown=True))
    if names is None:
        remarks += _compare_portals(session, register)
    wanted = {host.id for host in hosts}
    remarks += [each for each in overdue(register, session.today) if names is None or each.host in wanted]
    return remarks


def _compare_portals(session: Session, register: CredentialRegister) -> tuple[Remark, ...]:
    """Compare every portal that can be asked; a credential of another one was not seen."""
    declared, keeper = session.settings.declared.parse(Declared), find_rest_custodian(session.settings.hosts)
    known = PortalComparison(
        access_of(register),
        (declared if keeper is None else declared.find_host(keeper)).members,
        session.clock.now().astimezone(session.zone_of_portal),
        timedelta(hours=session.rulebook.numbers.check_max_age_hours),
    )
    looks = _read_answers(session)
    portals = [table.id for table in portals_of(session.settings)]
    seen = {portal: looks[portal] for portal in portals if portal in looks}
    return (
        *audit_portals([AskedPortal(portal, looks.get(portal)) for portal in portals], known),
        *audit_use_in_portals(register, seen, known.members or {}),
    )


def _read_answers(session: Session) -> Mapping[str, PortalAnswer]:
    return read_portal_answers(session.reader)


VERB = Verb(audit, is_strict=True)
