"""The media register: which physical media there are, where they lie, who keeps them, and when they were read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portalops.model.backups import Copy, SetId


@dataclass(frozen=True, slots=True)
class MediumEntry:
    """The body of a `media.added` record, under the key `medium`: one physical medium."""

    id: str
    """Of the register; the same as the configured medium's where portalops can reach it."""
    kind: str
    """`disk`, `s3`, `sftp`, `optical`, `tape`, ..."""
    label: str
    """What is written on it."""
    place: str
    """Where it lies."""
    custodian: str
    """Who keeps it."""
    expires_on: date | None = None
    """From this day on its maker, or the unit, no longer trusts it."""


@dataclass(frozen=True, slots=True)
class MediumMove:
    """The body of a `media.moved` record, under the key `move`; what is empty stayed as it was."""

    id: str
    place: str = ""
    custodian: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MediumCheck:
    """The body of a `media.checked` record, under the key `medium_check`: what a look at a medium found."""

    id: str
    """The configured medium."""
    kind: str
    reached: bool
    """Its sets could be listed."""
    writable: bool | None
    """Whether it took a trial of writing; None if none was made."""
    sets: int = 0
    """How many of this portal's sets it lists."""
    problems: tuple[str, ...] = ()
    """One bounded, escaped English line for each thing that is not as recorded, or why it could not be read."""
    unknown: tuple[SetId, ...] = ()
    """Sets of this portal on it that the ledger does not know, or knows as removed or never written; at most 1000."""
    copies: tuple[Copy, ...] = ()
    """Copies that are recorded to be on it and are not as the record before said, in their new state: missing, changed, not
    reached, or reached again."""
