"""The media register: which physical media there are, where they lie, who keeps them, and when they were read."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from portalops.model.backups import Copy, SetId
from portalops.model.message import Message, verbatim
from portalops.model.record import Digest
from portalops.model.values import dataclass


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
    site: str = ""
    """The building in which it lies, as the register of places names it for hosts; empty: not said."""
    room: str = ""
    replaces: bool = False
    """Another physical medium had this id until now, in the register or not: its copies are gone with it."""
    reason: str = ""
    """Why it was replaced, as the person gave it; empty in older records."""


@dataclass(frozen=True, slots=True)
class MediumMove:
    """The body of a `media.moved` record, under the key `move`; what is empty stayed as it was."""

    id: str
    place: str = ""
    custodian: str = ""
    reason: str = ""
    site: str = ""
    room: str = ""
    """If the place is another one, an empty site or room is not known any more."""


@dataclass(frozen=True, slots=True)
class MediumCheck:
    """The body of a `media.checked` record, under the key `medium_check`: what checking a medium found."""

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
    problem_messages: tuple[Message, ...] = ()
    """The problems for people, in whose language they are shown; empty in older records."""

    @property
    def shown_problems(self) -> tuple[Message, ...]:
        """The problems for people; in older records their English text."""
        return self.problem_messages or tuple(map(verbatim, self.problems))


class DiscState(StrEnum):
    """What the newest check of a burnt disc found."""

    UNREAD = "unread"
    """Burnt, and not read back."""
    WHOLE = "whole"
    """Read back from the disc itself, every byte: it is the image that was burnt."""
    BROKEN = "broken"
    """It cannot be read, or holds other bytes, or burning it did not end well."""


@dataclass(frozen=True, slots=True)
class BurntDisc:
    """The body of a `media.burnt` record, under the key `burnt_disc`: one image that was written to one disc."""

    medium: str
    """Id of the configured medium that has the image."""
    set_id: SetId
    number: int
    """Which disc of the set, from 1 on."""
    count: int
    """How many discs the set takes."""
    label: str
    """What is written on the disc for people; distinguishes two discs with the same image."""
    volume_id: str
    """What the image calls itself (ISO 9660, primary volume descriptor): by it a disc is recognised."""
    image_sha256: Digest
    image_bytes: int
    state: DiscState
    problem: str = ""
    """Why it is not WHOLE: one bounded English line."""
    device: str = ""
    drive: str = ""
    """What the drive says it is."""
    disc_kind: str = ""
    """What the drive says the disc is, such as `DVD+R`."""
    program: str = ""
    """What burnt it."""
    place: str = ""
    """Where the medium lies and who keeps it, as the register had it then."""
    custodian: str = ""
    spread: str = ""
    """SHA-256 of which file lies on which disc. Only discs of one spread hold a set together: images that are made anew for
    discs of another size are cut elsewhere."""


@dataclass(frozen=True, slots=True)
class DiscReading:
    """The body of a `media.read` record, under the key `disc_reading`: a burnt disc that was read once more."""

    medium: str
    set_id: SetId
    number: int
    label: str
    state: DiscState
    problem: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class DiscsDestroyed:
    """The body of a `media.destroyed` record, under the key `discs_destroyed`: discs that a person made unreadable."""

    medium: str
    set_id: SetId
    labels: tuple[str, ...]
    reason: str
