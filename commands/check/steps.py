"""What the verbs of this noun do alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from checks.servers.catalogue import checks
from checks.servers.declared import Declared
from checks.servers.judging import judge_again, unreached
from checks.servers.probe import MissingFact
from commands.check.views import describe_supplier
from commands.cli.session import Session
from commands.jobs.scan_parts import read_unfinished
from portalops import bodies
from portalops.compliance.article_12_findings import checks_of
from portalops.errors import PortalOpsError
from portalops.model.checks import CheckScan, HostScan
from portalops.model.message import Message, verbatim
from portalops.model.record import Recorded
from portalops.registers.claims import ToolClaim, read_tool_claims
from portalops.registers.findings import FindingStanding, ReadFindings, read_findings, stand, unused_waivers
from portalops.registers.waivers import RecordedWaiver, read_waivers
from portalops.reports.document import Block, Notice, Tone


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """All that the ledger tells of findings, on a day."""

    read: ReadFindings
    standings: tuple[FindingStanding, ...]
    waivers: tuple[RecordedWaiver, ...]
    unused: tuple[RecordedWaiver, ...]
    claims: tuple[ToolClaim, ...]
    newest: Recorded[CheckScan] | None
    today: date
    zone: ZoneInfo
    unreadable: tuple[tuple[int, Message], ...] = ()
    """Records of scans, findings, waivers and claims whose details cannot be read, with why."""


def known_findings(session: Session, newest: Recorded[CheckScan] | None, *, anew: bool = False) -> KnownFindings:
    """Return what is known of findings today; nothing before there is a ledger."""
    today = session.today
    ledger = session.reader
    numbers, zone = session.rulebook.numbers, session.zone_of_portal
    read, waivers = read_findings(ledger, anew=anew), read_waivers(ledger)
    standings = stand(read.findings, waivers.waivers, numbers, today, zone)
    checks = checks_of(session.rulebook) | {finding.check for finding in read.findings}
    unused = unused_waivers(standings, waivers.waivers, checks, today, zone)
    claims = read_tool_claims(ledger)
    unreadable = {
        **dict(read.unreadable),
        **{seq: error.message for seq, error in (*waivers.unreadable, *claims.unreadable)},
    }
    return KnownFindings(
        read, standings, waivers.waivers, unused, claims.claims, newest, today, zone, tuple(sorted(unreadable.items()))
    )


# --- what other commands use ------------------------------------------------------------------
def newest_scan(session: Session) -> Recorded[CheckScan] | None:
    """Return the newest whole scan, or None where there is no ledger or no scan in it."""
    ledger = session.reader
    for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=50):
        try:
            body = bodies.decode_part(ledger.blob(record.body), "check", CheckScan)
        except PortalOpsError as error:
            session.pass_over(record, error)
            continue
        if body is not None:
            return Recorded(record.seq, record.at, record.run, body)
    return None


@dataclass(frozen=True, slots=True)
class NewestResults:
    """The newest results of each host: of the newest scan, and of one that has not ended."""

    at: datetime
    body: CheckScan
    said: Message | None
    """How far a scan is that has not ended."""


def newest_results(session: Session) -> NewestResults | None:
    """Return the newest results; None where no host has any.

    Groups of hosts stand as the newest scan that ended judged them.
    """
    newest, unfinished = newest_scan(session), read_unfinished(session.reader)
    if unfinished is None:
        return NewestResults(newest.at, newest.body, None) if newest else None
    known = {host.id: host for host in session.settings.hosts}
    declared = session.settings.declared.parse(Declared)
    found: dict[str, HostScan] = {each.host: each for each in newest.body.hosts} if newest else {}
    for part in (each for each in unfinished.parts if each.body.host in known):
        asked, host = part.body, known[part.body.host]
        if asked.answer is None:
            why = asked.problem if isinstance(asked.problem, Message) else verbatim(asked.problem)
            results = unreached(host, MissingFact(asked.reason, why), asked.at, checks())
        else:
            results = judge_again(session.reader.blob(asked.answer), host, declared, asked.at)
        found[host.id] = HostScan(host.id, asked.at, not asked.reason, asked.problem, results)
    body = CheckScan(tuple(sorted(found.values(), key=lambda each: (bool(each.standby), each.host))))
    return NewestResults(max(each.at for each in unfinished.parts), body, unfinished.describe(tuple(known)))


def describe_suppliers(round_: CheckScan) -> list[Block]:
    """Return what to say of hosts whose answers a person supplied."""
    return [Notice(describe_supplier(host), Tone.UNSURE) for host in round_.hosts if host.brought_by]
