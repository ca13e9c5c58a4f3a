"""What judging knows of an item and of a look: rows of the store, as they come. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from checks.updates.rules.stamps import Stamp
from portalops.model.organisation import UnitId


class SeenItem(NamedTuple):
    """One observation, as far as judging asks. A tuple, because a year may have ten million of them."""

    id: str
    source: str
    channel: str
    """A value of `Channel`."""
    unit: UnitId | None
    url: str
    title: str
    text: str
    """What is the same for texts that say the same: see `checks.updates.recognition`."""
    created_at: Stamp | None
    published_at: Stamp | None
    first_seen_at: Stamp
    looked_before_at: Stamp | None
    """The last good look that would have shown it and did not; None if no look before would have."""
    baseline: bool
    body_letters: int | None
    text_problems: str
    """Codes, joined by commas."""
    unit_name: str = ""
    """How the source names a sender that is no unit; empty where the unit is known."""
    rewrite: str = ""
    """A value of `Rewrite`."""
    title_alone: bool = False
    """An item of a site of which its title alone is known, or a few words beside it."""


class NearCopy(NamedTuple):
    """An item among those of which one may be another one with some words changed."""

    like: str
    """The text that they share most of their words with: the item's own, or an earlier one."""
    seen: SeenItem


class CorrectedItem(NamedTuple):
    """An item of which a later answer says something else than the first one did."""

    first: SeenItem
    """As it was first seen."""
    at: Stamp
    """The poll of the newest such answer."""
    unit: UnitId | None
    unit_name: str
    title: str
    created_at: Stamp | None
    published_at: Stamp | None


class ItemClaims(NamedTuple):
    """What an item is by its own account: of which kind, in which language, at which address."""

    id: str
    source: str
    channel: str
    unit: UnitId | None
    external_id: str
    translation_of: str
    """The source's own id of the Vietnamese item that it is the translation of; empty if it does not say."""
    url: str
    title: str
    language: str
    kind: int | None
    document_on: str
    """The day of the document that it publishes; empty if the source does not say."""
    first_seen_at: Stamp
    looked_before_at: Stamp | None
    """The last poll that would have shown it and did not; None where none is known."""
    baseline: bool
    created_at: Stamp | None = None
    """By the content system's own row."""


class PollMoment(NamedTuple):
    """One look at a source."""

    polled_at: Stamp
    ok: bool
    covers_from: Stamp | None
    blind: bool = False
    """It proves neither presence nor absence."""
    doubts_from: Stamp | None = None
    """From when on the looks before it prove nothing, as it shows what they should have shown."""
    owner: str | None = None
    """The unit whose own source it was then; empty for one of several units; None where that is not known."""


class Served(NamedTuple):
    """What a source was seen to serve."""

    channel: str
    """A value of `Channel`."""
    unit: UnitId | None
    """None for an item of no known unit."""
    begins_at: Stamp
    """When the oldest of them was made: of the time before it the source says nothing of this unit."""


class GivenOut(NamedTuple):
    """When a text was first shown by some sources."""

    seen_at: Stamp
    """The first poll that showed it."""
    claimed_at: Stamp | None
    """From when they date it; None if they do not."""
    absent_at: Stamp | None = None
    """The last poll before it that would have shown it and did not; None if none would have."""
    made_at: Stamp | None = None
    """When its oldest row was made; None where one has no such time."""

    def with_later(self, other: GivenOut) -> GivenOut:
        """Return it with what a row of the same text says that was seen later: what that one is not known since when says nothing."""
        return GivenOut(
            self.seen_at,
            _earliest(self.claimed_at, other.claimed_at),
            None if self.absent_at is None else _earliest(self.absent_at, other.absent_at),
            None if None in {self.made_at, other.made_at} else _earliest(self.made_at, other.made_at),
        )


def _earliest(*stamps: Stamp | None) -> Stamp | None:
    return min((one for one in stamps if one is not None), default=None)


class Gone(NamedTuple):
    """An item that an answer no longer had, though its place was in it."""

    at: Stamp
    """The look that lacked it."""
    seen_at: Stamp
    """The look that last had it."""
    is_sure: bool
    """Something new has come since, so that the answer is no older one."""


class ItemChanges(NamedTuple):
    """What happened to items after they were first seen, up to the moment of judging; by observation."""

    touched: dict[str, Stamp]
    """The newest date that was claimed for it after it was known."""
    gone: Mapping[str, Gone]
    """What is no longer shown; not items that came back."""
    corrected: Mapping[str, bool] = {}
    """Of which the source's newest word is another one than its first; True where it is open which holds."""
