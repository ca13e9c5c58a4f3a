"""What a round of server checks leaves behind. Facts and the checks themselves live in `checks/servers/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.record import Digest
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


@dataclass(frozen=True, slots=True)
class HostRound:
    """One host in one round: whether it could be looked at, and its results."""

    host: HostId
    gathered_at: datetime
    reached: bool
    problem: str
    """Why it was not reached; empty if it was."""
    results: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class CheckRound:
    """The body of a `check.finished` record, under the key `check`."""

    hosts: tuple[HostRound, ...]

    def results(self) -> tuple[CheckResult, ...]:
        """Return all results, host by host."""
        return tuple(result for host in self.hosts for result in host.results)
