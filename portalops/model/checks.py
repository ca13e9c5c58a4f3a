"""What a scan of the hosts leaves behind. Facts and the checks themselves live in `checks/servers/`."""

from __future__ import annotations

from datetime import date, datetime

from portalops.model.findings import CarriedFindings
from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.model.verdicts import CheckVerdict, Severity


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's answer about one host."""

    check: str
    """Dotted and stable, such as `ssh.root-login`."""
    host: HostId
    clause: str
    severity: Severity
    verdict: CheckVerdict
    reason: str
    """A coded reason: empty for pass, else such as `sudo-refused`, `probe-timeout`, `not-run`, `root-login-allowed`."""
    message: Message
    """What was seen, in a sentence."""
    remedy: Message | None = None
    evidence: tuple[Digest, ...] = ()
    """Blobs of the raw probe output that the answer rests on."""
    due_on: date | None = None
    """Of a fail: the day by which it must be put right, where what was seen names one."""


@dataclass(frozen=True, slots=True)
class HostScan:
    """One host in one scan: whether it could be scanned, and its results."""

    host: HostId
    gathered_at: datetime
    reached: bool
    problem: Message | str
    """Why it was not reached; empty if it was. Text in records of before it was a sentence that can be translated."""
    results: tuple[CheckResult, ...]
    standby: str = ""
    """Of a group of hosts: what they stand by for, such as `vip`; `host` is then the group's name. Empty for one host."""
    members: tuple[HostId, ...] = ()
    """Of a group: its hosts; none where no group of this kind is declared."""
    brought_by: str = ""
    """Who supplied the host's answer by hand; empty where portalops asked the host itself."""

    def answer(self) -> Digest | None:
        """Return the answer of the one host that was judged, which each result names before those that it repeats; None if none."""
        return next((result.evidence[0] for result in self.results if result.evidence), None)


@dataclass(frozen=True, slots=True)
class HostAsked:
    """The body of a `check-part.finished` record, under the key `check-part`: the result of asking one host."""

    host: HostId
    at: datetime
    """When the answer was received."""
    evidence: tuple[Digest, ...]
    """The kept answer, under the key that verification, bundles and erasure follow; empty if there is none."""
    reason: str = ""
    """Code of the reason why there is no answer."""
    problem: Message | str = ""
    """The same in words."""
    passed: int = 0
    """How many checks passed where the host was judged at once, as by a scan of one machine; a worker judges nothing."""
    failed: int = 0
    unknown: int = 0

    @property
    def answer(self) -> Digest | None:
        """Return the kept answer; None if there is none."""
        return self.evidence[0] if self.evidence else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Which check said what of which host: the part of a `CheckResult` that most readers need."""

    check: str
    host: HostId
    verdict: CheckVerdict


@dataclass(frozen=True, slots=True)
class JudgedHost:
    """The part of a `HostScan` that says what was judged."""

    results: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class JudgedScan:
    """The part of a `CheckScan` that says what was judged; read in half the time that the whole takes."""

    hosts: tuple[JudgedHost, ...]
    findings: CarriedFindings | None = None

    def results(self) -> tuple[Judgement, ...]:
        """Return all judgements, host by host."""
        return tuple(result for host in self.hosts for result in host.results)


@dataclass(frozen=True, slots=True)
class ReasonedResult:
    """The part of a `CheckResult` that says why."""

    verdict: CheckVerdict
    reason: str


@dataclass(frozen=True, slots=True)
class ReasonedHost:
    """The part of a `HostScan` that says why its checks came out so."""

    results: tuple[ReasonedResult, ...]


@dataclass(frozen=True, slots=True)
class ReasonedScan:
    """The part of a `CheckScan` that says why checks came out so."""

    hosts: tuple[ReasonedHost, ...]

    def undeclared(self) -> int:
        """Return how many checks are unknown for want of a declaration."""
        return sum(
            each.verdict is CheckVerdict.UNKNOWN and is_for_want(each.reason)
            for host in self.hosts
            for each in host.results
        )


def is_for_want(reason: str) -> bool:
    """Say whether a check is unknown for want of a declaration, by its coded reason."""
    return reason.endswith("not-declared") or reason == "no-group"


@dataclass(frozen=True, slots=True)
class BriefHost:
    """What is kept in memory of one host in each scan of a period: a `HostScan` without its sentences."""

    host: HostId
    gathered_at: datetime
    reached: bool
    results: tuple[Judgement, ...]
    standby: str = ""
    members: tuple[HostId, ...] = ()
    kept: Digest | None = None
    """What `answer` returns."""

    def answer(self) -> Digest | None:
        """Return the answer that was judged; as `HostScan.answer` does."""
        return self.kept


@dataclass(frozen=True, slots=True)
class BriefScan:
    """What is kept in memory of each scan of a period: a `CheckScan` without its sentences."""

    hosts: tuple[BriefHost, ...]

    def results(self) -> tuple[Judgement, ...]:
        """Return all judgements, host by host."""
        return tuple(result for host in self.hosts for result in host.results)


@dataclass(frozen=True, slots=True)
class CheckScan:
    """The body of a `check.finished` record, under the key `check`."""

    hosts: tuple[HostScan, ...]
    findings: CarriedFindings | None = None
    """The findings before this scan; None in scans recorded before findings were carried along."""

    def results(self) -> tuple[CheckResult, ...]:
        """Return all results, host by host."""
        return tuple(result for host in self.hosts for result in host.results)

    def drop_sentences(self) -> BriefScan:
        """Return it without its sentences."""
        return BriefScan(
            tuple(
                BriefHost(
                    host.host,
                    host.gathered_at,
                    host.reached,
                    tuple(Judgement(result.check, result.host, result.verdict) for result in host.results),
                    host.standby,
                    host.members,
                    host.answer(),
                )
                for host in self.hosts
            )
        )

    def group_results(self) -> tuple[CheckResult, ...]:
        """Return the results that are judged of groups of hosts, and not of one host each."""
        return tuple(result for host in self.hosts if host.standby for result in host.results)
