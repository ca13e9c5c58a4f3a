"""Backups that other tools say they made: claims, never proof."""

from __future__ import annotations

from datetime import datetime

from portalops.model.backups import DataClass
from portalops.model.record import Digest
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class AdoptedBackup:
    """One backup as its tool reports it. Nothing of it was read."""

    tool: str
    """`restic`, `borg`, ...: who claims it."""
    id: str
    """The tool's own name of it: a snapshot, an archive, a label, a job's number, a folder."""
    made_at: datetime | None
    """When it was finished, else when it was begun; None if the tool does not tell."""
    host: str
    """Of what machine; empty if the tool does not tell."""
    size_bytes: int | None
    """How much was backed up, before anything made it smaller; None if the tool does not tell."""
    data_class: DataClass
    """As the configuration says: no tool knows the classes of Article 10."""
    about: str = ""
    """What the tool calls what was backed up, such as paths, a stanza or a job; one bounded line."""
    problem: str = ""
    """Why the tool itself does not call it good; empty if it does."""


@dataclass(frozen=True, slots=True)
class AdoptedPoll:
    """The body of a `backup.adopted` record, under the key `adopted`: what one tool said when it was asked."""

    id: str
    """Of the `[[backup.adopted]]` table."""
    tool: str
    data_class: DataClass
    backups: tuple[AdoptedBackup, ...] = ()
    """Oldest first; the newest of them if there are very many."""
    left_off: int = 0
    """How many older ones are in the evidence alone."""
    evidence: Digest | None = None
    """The tool's output, as it came; None if there was none."""
    problem: str = ""
    """Why it could not be asked or understood: nothing is known then, also not that there is no backup."""
    notes: tuple[str, ...] = ()
    """What the tool said beside, such as that a stanza has no backup; one bounded English line each."""

    def newest(self) -> AdoptedBackup | None:
        """Return the newest backup that its tool calls good; None if there is none."""
        return next((each for each in reversed(self.backups) if each.made_at is not None and not each.problem), None)
