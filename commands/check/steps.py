"""What the verbs of this noun do alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from commands.check.views import describe_supplier
from commands.cli.session import Session
from portalops import bodies
from portalops.compliance.article_12_findings import checks_of
from portalops.model.checks import CheckScan
from portalops.model.message import Message
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
        body = bodies.decode_part(ledger.blob(record.body), "check", CheckScan)
        if body is not None:
            return Recorded(record.seq, record.at, record.run, body)
    return None


def describe_suppliers(round_: CheckScan) -> list[Block]:
    """Return what to say of hosts whose answers a person supplied."""
    return [Notice(describe_supplier(host), Tone.UNSURE) for host in round_.hosts if host.brought_by]
