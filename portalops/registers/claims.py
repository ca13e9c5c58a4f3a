"""What other tools claim of hosts: their reports, folded.

A claim is claimed to be fixed where a newer report of the same tool says that what it is about holds now. One that a newer report
only does not have is claimed still: the tool may not have looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.claims import ClaimedFinding, ToolReport
from portalops.model.organisation import HostId
from portalops.model.record import Recorded
from portalops.ports import LedgerReader

CLAIMED: Final = "finding.claimed"
KEY: Final = "claims"
"""The key of the body."""


@dataclass(frozen=True, slots=True)
class ToolClaim:
    """One claim, through all reports of its tool about its host."""

    tool: str
    host: HostId
    claim: ClaimedFinding
    """As the tool put it last."""
    first_seq: int
    first_at: datetime
    last_seq: int
    last_at: datetime
    gone_seq: int | None = None
    """The newer report by which it is fixed."""
    gone_at: datetime | None = None
    silent_seq: int | None = None
    """The newest report that neither has it nor says that it is fixed, if that is newer than the last that had it."""
    silent_at: datetime | None = None

    @property
    def id(self) -> str:
        """Host, tool and key."""
        return f"{self.host}:{self.tool}:{self.claim.key}"


def fold_claims(reports: Iterable[Recorded[ToolReport]]) -> tuple[ToolClaim, ...]:
    """Return what each tool claims or claimed of each host, by host, tool and key.

    Reports count in the order in which their tools made them, also if they were taken in late; where a tool does not say when,
    in that of their records. A report of which a part was left off shows nothing to be fixed, nor does one run of a tool end what
    another run in the same file claims.
    """
    known: dict[tuple[HostId, str, str], ToolClaim] = {}
    in_order = sorted(reports, key=lambda each: (each.body.made_at or each.at, each.seq))
    files = {report.seq: report.body.evidence for report in in_order}
    for report in in_order:
        body = report.body
        at = body.made_at or report.at
        seen = set()
        for claim in body.claims:
            key = (body.host, body.tool, claim.key)
            seen.add(key)
            before = known.get(key)
            first = (report.seq, at) if before is None else (before.first_seq, before.first_at)
            known[key] = ToolClaim(body.tool, body.host, claim, *first, report.seq, at)
        if body.left_off:
            continue
        answered, fixed = frozenset(body.answered), frozenset(body.fixed)
        for key, one in known.items():
            if key[:2] != (body.host, body.tool) or key in seen or one.gone_seq is not None:
                continue
            if files[one.last_seq] == body.evidence:
                continue
            if one.claim.rule in answered or one.claim.key in fixed:
                known[key] = replace(one, gone_seq=report.seq, gone_at=at, silent_seq=None, silent_at=None)
            else:
                known[key] = replace(one, silent_seq=report.seq, silent_at=at)
    return tuple(known[key] for key in sorted(known))


@dataclass(frozen=True, slots=True)
class ReadClaims:
    """What reading the reports of other tools came to."""

    claims: tuple[ToolClaim, ...] = ()
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records of reports whose details cannot be read: what they claim is unknown, and they end nothing."""


def read_tool_claims(ledger: LedgerReader, *, until: datetime | None = None) -> ReadClaims:
    """Return what every tool claims or claimed, and the reports that cannot be read."""
    reports: list[Recorded[ToolReport]] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=(CLAIMED,), until=until):
        try:
            body = decode_part(ledger.blob(record.body), KEY, ToolReport)
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
            continue
        if body is not None:
            reports.append(Recorded(record.seq, record.at, record.run, body))
    return ReadClaims(fold_claims(reports), tuple(unreadable))
