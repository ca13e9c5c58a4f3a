"""What other tools say they found on a host: their word, shown apart. No duty is judged by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.verdicts import Severity


@dataclass(frozen=True, slots=True)
class ClaimedFinding:
    """One thing that a tool calls wrong."""

    key: str
    """Tells it from the tool's other findings on the host, and finds it again in the tool's next report."""
    rule: str
    """The tool's own id of what it looked for."""
    severity: Severity
    """The tool's verdict in portalops's words."""
    message: str
    """In the tool's words, bounded and escaped."""
    place: str
    """File, line or the like; empty if the tool names none."""


@dataclass(frozen=True, slots=True)
class ToolReport:
    """The body of a `finding.claimed` record, under the key `claims`."""

    tool: str
    """Its name, as the report has it."""
    version: str
    host: HostId
    made_at: datetime | None
    """When the tool says it looked; None if it does not tell, or not in which zone."""
    claims: tuple[ClaimedFinding, ...]
    left_off: int
    """How many more there were than are kept: then nothing that is absent counts as gone."""
    notes: tuple[str, ...]
    """What the tool could not find out or was configured to skip, in English."""
    evidence: Digest
    """The file as it was given."""
    answered: tuple[str, ...] = ()
    """Rules that the tool evaluated completely: what it does not claim of them any more it claims to be fixed."""
    fixed: tuple[str, ...] = ()
    """Keys of what the tool itself says is there no more."""
