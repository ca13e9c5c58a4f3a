"""How servers are reached, and by which key each is known."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.values import dataclass

LOCAL = "local"
"""The address of the machine that portalops runs on."""


@dataclass(frozen=True, slots=True)
class HostWay:
    """How a host other than this machine is reached over SSH."""

    host: str
    """Name or address."""
    port: int
    user: str
    identity: Path | None
    """The private key; None if none is configured."""
    jump: HostId | None
    """The host that it is reached through; None for none."""


class HostKeyComparison(StrEnum):
    """How a host's key was compared before it was recorded."""

    GIVEN = "given"
    """Its fingerprint was given, as from paper, and the host showed the key of it."""
    CONFIRMED = "confirmed"
    """A person compared the fingerprint that the host showed, and confirmed it."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The body of a `host.enrolled` record, under the key `enrolment`: from now on the host is the machine that proves this key."""

    host: HostId
    address: str
    """Where it showed the key: `HOST:PORT`."""
    key: str
    """`TYPE BASE64`."""
    fingerprint: str
    """Of the key, as ssh-keygen shows it: `SHA256:...`."""
    compared: HostKeyComparison
    by: str
    """Who compared it."""
    replaces: str = ""
    """The fingerprint that counted until now; empty for the first one."""
    reason: str = ""
    """Why the key was replaced."""


@dataclass(frozen=True, slots=True)
class ScriptIssued:
    """The body of a `host.script` record, under the key `script`: one answer to this script may be supplied by hand."""

    host: HostId
    mark: str
    """SHA-256 of the nonce that the script holds, in hexadecimal: a reader of the ledger cannot make an answer from it."""
    script: str
    """SHA-256 of the script."""
    valid_to: datetime
    """Until when its answer is taken, UTC."""


@dataclass(frozen=True, slots=True)
class SuppliedFacts:
    """The body of a `host.facts-brought` record, under the key `facts`: the answer to a script was taken, and no other will be."""

    host: HostId
    mark: str
    """Of the script."""
    file: str
    """SHA-256 of the supplied file."""
    by: str
    """Who supplied it."""
    ran_at: datetime
    """When the script ended, by the host's own clock."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """The body of a `host.declared` record, under the key `declaration`: a person declared what belongs to a host, as it was seen there."""

    host: str
    """Empty for what is declared of the whole portal."""
    names: tuple[str, ...]
    """What was declared, such as `listeners`."""
    by: str
    """Who read it and declared it."""
    edited: tuple[str, ...]
    """Those of the names whose draft the person changed."""
    file: str
    """Where it stands, beside the configuration."""
    content: str
    """SHA-256 of that file, in hexadecimal."""
    evidence: tuple[Digest, ...]
    """The answer of the host that it was drafted from; empty for the portal."""
