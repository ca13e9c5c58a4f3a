"""What a backup run would do, decided before anything is done: the value that `--dry-run` prints. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backups.age import Recipient, parse_recipient
from backups.bases import Choice
from backups.shrink import ShrinkRule
from portalops.errors import TooFewRecipients
from portalops.model.backups import DataClass
from portalops.model.message import msg

MINIMUM_RECIPIENTS = 2
"""The operator's key and the escrow key: one lost key loses nothing."""
FULL = Choice(None, msg("a full set was requested"))


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A source that will be read."""

    id: str
    kind: str
    data_class: DataClass


@dataclass(frozen=True, slots=True)
class PlannedMedium:
    """A medium that will get a copy."""

    id: str
    kind: str
    has_sets: bool = False
    """Sets are recorded to be on it, so an empty folder in its place is not it."""


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """One run: what is read, where it goes, who can open it, and what is missing."""

    portal: str
    sources: tuple[PlannedSource, ...]
    media: tuple[PlannedMedium, ...]
    recipients: tuple[tuple[str, str], ...]
    """Name and public key."""
    pack_bytes: int
    excused: tuple[tuple[DataClass, str], ...]
    """Classes without data, and why, as far as no source maps to them."""
    unmapped: tuple[DataClass, ...]
    """Classes of Article 10 that no source maps to and no reason excuses."""
    choice: Choice = FULL
    """Full or differential, and why."""
    shrink: Mapping[str, ShrinkRule] = field(default_factory=dict)
    """By source: how much less than before it may yield."""

    def keys(self) -> tuple[Recipient, ...]:
        """Return the recipients' keys.

        Raises:
            ConfigurationError: one is not a public key.
        """
        return tuple(parse_recipient(key) for _name, key in self.recipients)


def make_plan(
    portal: str,
    sources: Sequence[PlannedSource],
    media: Sequence[PlannedMedium],
    recipients: Sequence[tuple[str, str]],
    *,
    pack_bytes: int,
    excused: Mapping[DataClass, str],
    choice: Choice = FULL,
    shrink: Mapping[str, ShrinkRule] | None = None,
) -> BackupPlan:
    """Decide what a run will do.

    Args:
        portal: the portal's id.
        sources: all configured sources.
        media: all configured media.
        recipients: name and public key of whoever can open the set.
        pack_bytes: plaintext of a pack.
        excused: classes declared to have no data, and why.
        choice: full or differential.
        shrink: by source, how much less than before it may yield.

    Raises:
        ConfigurationError: a recipient is not a public key.
        TooFewRecipients: fewer than two different keys.
    """
    different = len({key for _name, key in recipients})
    if different < MINIMUM_RECIPIENTS:
        raise TooFewRecipients(
            msg(
                "a set needs at least {minimum} different recipients; configured: {n}",
                minimum=MINIMUM_RECIPIENTS,
                n=different,
            ),
            msg("Name the operator's key and the escrow key in backup.recipients; 'portalops init --keys' makes them."),
        )
    for _name, key in recipients:
        parse_recipient(key)  # a mistyped one is told before anything is read
    mapped = {source.data_class for source in sources}
    return BackupPlan(
        portal=portal,
        sources=tuple(sources),
        media=tuple(media),
        recipients=tuple(recipients),
        pack_bytes=pack_bytes,
        excused=tuple((each, excused[each]) for each in DataClass if each in excused and each not in mapped),
        unmapped=tuple(each for each in DataClass if each not in mapped and each not in excused),
        choice=choice,
        shrink=shrink or {},
    )
