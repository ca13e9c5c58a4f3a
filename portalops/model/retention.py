"""How long backup sets are kept, and what is recorded of sets that are held, marked and removed."""

from __future__ import annotations

from datetime import datetime

from portalops.model.backups import Copy, SetId
from portalops.model.message import Message
from portalops.model.record import Digest
from portalops.model.values import dataclass

UNDO_DAYS = 7
"""How long a marked set stays before it is removed, unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Which sets are kept: the union of all rules. Counts are of sets that are whole and verified, by the portal's days."""

    keep_last: int = 0
    """The newest sets, however old."""
    keep_weekly: int = 0
    """The newest set of each of so many ISO weeks that have one."""
    keep_monthly: int = 0
    keep_yearly: int = 0
    keep_within_days: int = 0
    """Every set that is not older, whole or not; counted in days of 24 hours from now."""
    undo_days: int = UNDO_DAYS
    """How long a mark can be undone before the set is removed."""

    @property
    def is_empty(self) -> bool:
        """Whether no rule keeps anything; such a policy removes nothing."""
        return not (
            self.keep_last or self.keep_weekly or self.keep_monthly or self.keep_yearly or self.keep_within_days
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """The body of a `prune.held` or `prune.released` record, under the key `hold`."""

    set_id: SetId
    reason: str
    """As the person gave it: one bounded line."""


@dataclass(frozen=True, slots=True)
class PruneMark:
    """The body of a `prune.marked` or `prune.undone` record, under the key `mark`: a set that will be removed."""

    set_id: SetId
    bag_sha256: Digest
    reason: Message
    """Why no rule keeps it; of an undone mark, why it was undone."""
    policy: RetentionPolicy
    """The rules by which it was judged."""
    undo_until: datetime
    """It is not removed before; until then the mark can be undone."""
    by_person: bool = False
    """Of an undone mark: a person undid it, and the set is held from then on until it is released."""
    approved_by: str = ""
    """Who approved the list of archive material that names it; empty if it holds none."""
    evidence: Digest | None = None
    """The blob with that list."""


@dataclass(frozen=True, slots=True)
class Disposal:
    """What was removed of one set, by which rule, and whose decision it was."""

    set_id: SetId
    bag_sha256: Digest
    made_at: datetime
    stored_bytes: int
    """Of one copy."""
    reason: Message
    marked_seq: int
    """The record that marked it."""
    marked_at: datetime
    media: tuple[str, ...]
    """Ids of the media from which its copies were removed in this run."""
    left: tuple[str, ...] = ()
    """Ids of the media where a copy still is; empty when nothing of the set is left."""
    approved_by: str = ""
    evidence: Digest | None = None
    """The blob with the approved list of archive material, if it was needed."""
    discs: tuple[str, ...] = ()
    """Burnt discs of it that still exist, by number, count and label, such as `1/3 KH-01`: a person must destroy them."""


@dataclass(frozen=True, slots=True)
class PruneResult:
    """The body of a `prune.finished` record, under the key `prune`: the disposal record."""

    policy: RetentionPolicy
    copies: tuple[Copy, ...] = ()
    """Each copy that was removed, as disposed of; and before them those that were read since the removal relied on them."""
    disposals: tuple[Disposal, ...] = ()
    marked: tuple[SetId, ...] = ()
    """Sets that this run marked."""
    kept: int = 0
    """How many sets the policy keeps."""
