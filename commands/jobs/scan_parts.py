"""What a scan has found host by host, before it has ended: recorded as the parts of a cluster's scan are, and read back.

Each host's answer is in the ledger seconds after it came, however long the scan waits for another host. A scan that was killed
has lost nothing of that: until the next scan has ended, what its hosts answered is judged again from the kept bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from portalops import bodies
from portalops.cluster.parts import part_kind, suffix_of
from portalops.errors import ExitCode, LedgerError
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.ledger import Ledger
from portalops.model.checks import HostAsked, HostScan
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.record import FINISHED, STARTED, Record, Recorded, RunId
from portalops.model.runs import JobKind, RunSummary
from portalops.model.values import dataclass
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.ports import Clock, LedgerReader
from portalops.registers.findings import SCAN
from portalops.registers.runs import attempt_of, parse_run_id

KIND = JobKind.CHECK.value
PART = part_kind(KIND)
JUDGED = "judged-"
"""Before the id of a host that a scan of one machine asked and judged; a worker's part is `host-` and the id."""
SCANS_READ = 50
"""Newest scans among which one is looked for that has ended: the others failed."""


class HostRecords:
    """Records each host of the scan that is under way as a part of it."""

    def __init__(self, ledger: Ledger, clock: Clock, circumstances: Circumstances) -> None:
        """Take the ledger, in which this process has recorded that the scan began."""
        self._ledger, self._clock, self._circumstances = ledger, clock, circumstances
        started = next(ledger.records(kinds=(f"{KIND}{STARTED}",), newest_first=True, limit=1), None)
        self._scan = parse_run_id(started.run) if started else None

    def record(self, host: HostScan) -> None:
        """Record what came of one host; once more where more has come of it.

        Raises:
            LedgerError: it cannot be recorded.
        """
        if self._scan is None:
            return
        # Not the name of a worker's part: a cluster's job would take that answer for one to which nothing was added yet.
        name, ledger = f"{JUDGED}{host.host}", self._ledger
        first = RunId(":".join((self._scan.duty, self._scan.job, self._scan.slot, suffix_of(name))))
        attempt = max((attempt_of(each) for each in ledger.run_ids(first)), default=0) + 1
        run = first if attempt == 1 else RunId(f"{first}.{attempt}")
        asked = _asked(host)
        outcome, code = (
            (RunOutcome.COMPLETE, ExitCode.OK) if host.reached else (RunOutcome.INCOMPLETE, ExitCode.PARTIAL)
        )
        summary = RunSummary(outcome, int(code), host.gathered_at, self._clock.now())
        circumstances = {"circumstances": self._circumstances}
        started = ledger.keep(bodies.write(circumstances))
        finished = ledger.keep(bodies.write({**circumstances, "run": summary, PART: asked}))
        # Both at once: a host is recorded when it has answered, and asking it changes nothing that would have to be told before.
        ledger.append_many(
            (
                ledger.draft(f"{PART}{STARTED}", run=run, subject=name, duty=self._scan.duty, body=started),
                ledger.draft(f"{PART}{FINISHED}", run=run, subject=name, duty=self._scan.duty, body=finished),
            )
        )


def _asked(host: HostScan) -> HostAsked:
    verdicts = [result.verdict for result in host.results]
    answer = host.answer()
    return HostAsked(
        host.host,
        host.gathered_at,
        (answer,) if answer else (),
        "" if host.reached else next((result.reason for result in host.results if result.reason), ""),
        host.problem,
        verdicts.count(CheckVerdict.PASS),
        verdicts.count(CheckVerdict.FAIL),
        verdicts.count(CheckVerdict.UNKNOWN) + verdicts.count(CheckVerdict.ERROR),
    )


@dataclass(frozen=True, slots=True)
class UnfinishedScan:
    """What is recorded of hosts since the newest scan that ended."""

    began_at: datetime
    """When the newest scan began."""
    has_failed: bool
    """It ended without a result."""
    parts: tuple[Recorded[HostAsked], ...]
    """By host, the newest of each."""

    def describe(self, hosts: Collection[HostId]) -> Message:
        """Say how far it came."""
        found = [each.body for each in self.parts if each.body.host in hosts]
        state = (
            msg("the scan that began at {at} failed", at=self.began_at)
            if self.has_failed
            else msg("the scan that began at {at} has not ended", at=self.began_at)
        )
        # A worker of a cluster asks a host and judges nothing: what its part would count is not known.
        if not all(each.passed or each.failed or each.unknown for each in found):
            return msg(
                "{state}: {n} of {total} hosts are recorded; 'portalops check results' shows them",
                state=state,
                n=len(found),
                total=len(hosts),
            )
        return msg(
            "{state}: {n} of {total} hosts are recorded, with {failed} fail and {unknown} unknown; 'portalops check"
            " results' shows them",
            state=state,
            n=len(found),
            total=len(hosts),
            failed=sum(each.failed for each in found),
            unknown=sum(each.unknown for each in found),
        )


def read_unfinished(ledger: LedgerReader) -> UnfinishedScan | None:
    """Return what a scan has found that is under way, was killed or failed; None where a scan has ended since."""
    newest = next(ledger.records(kinds=(f"{PART}{FINISHED}",), newest_first=True, limit=1), None)
    if newest is None:
        return None
    ended = _newest_ended(ledger)
    if ended is not None and ended.seq > newest.seq:
        return None
    found: dict[HostId, Recorded[HostAsked]] = {}
    for record in ledger.records(kinds=(f"{PART}{FINISHED}",), since=ended.at if ended else None):
        if ended is not None and record.seq < ended.seq:
            continue
        try:
            body = bodies.decode_part(ledger.blob(record.body), PART, HostAsked)
        except LedgerError:
            continue  # `ledger verify` says so
        if body is not None and record.subject in {f"{JUDGED}{body.host}", f"host-{body.host}"}:
            found[body.host] = Recorded(record.seq, record.at, record.run, body)
    if not found:
        return None
    parts = tuple(found[host] for host in sorted(found))
    began = next(ledger.records(kinds=(f"{KIND}{STARTED}",), newest_first=True, limit=1), None)
    finished = next(ledger.records(kinds=(SCAN,), newest_first=True, limit=1), None)
    return UnfinishedScan(
        began.at if began else min(each.at for each in parts),
        finished is not None and finished.seq > (began.seq if began else newest.seq),
        parts,
    )


def _newest_ended(ledger: LedgerReader) -> Record | None:
    for record in ledger.records(kinds=(SCAN,), newest_first=True, limit=SCANS_READ):
        try:
            # The result of a scan, which is long, is not parsed for it.
            held = bodies.plain_part(ledger.blob(record.body), "run")
            summary = None if held is None else bodies.decode_plain(RunSummary, held)
        except LedgerError:
            continue
        if summary is not None and summary.outcome is not RunOutcome.FAILED:
            return record
    return None
