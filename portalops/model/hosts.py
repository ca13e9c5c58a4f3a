"""How servers are reached, and by which key each is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from portalops.model.organisation import HostId

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


class Compared(StrEnum):
    """How a host's key was compared before it was recorded."""

    GIVEN = "given"
    """Its fingerprint was given, as from paper, and the host showed the key of it."""
    CONFIRMED = "confirmed"
    """A person looked at the fingerprint that the host showed, and said that it is the right one."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The body of a `host.enrolled` record, under the key `enrolment`: from now on the host is whoever proves this key."""

    host: HostId
    address: str
    """Where it showed the key: `HOST:PORT`."""
    key: str
    """`TYPE BASE64`."""
    fingerprint: str
    """Of the key, as ssh-keygen shows it: `SHA256:...`."""
    compared: Compared
    by: str
    """Who compared it."""
    replaces: str = ""
    """The fingerprint that counted until now; empty for the first one."""
    reason: str = ""
    """Why the key was replaced."""
