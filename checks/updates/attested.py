"""What people attest, beside what was collected: items of grade D that no source showed. Pure.

They come from the ledger at each judging, so the store of observations knows nothing of them, and nothing is to be built again
when one is withdrawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Protocol
from zoneinfo import ZoneInfo

from checks.updates.recognition import MAX_TITLE, canonical_url
from checks.updates.rules.seen import GivenOut, ItemChanges, NearCopy, PollMoment, SeenItem, Served
from checks.updates.rules.stamps import Stamp, stamp
from checks.updates.rules.unread import UnreadPart
from checks.updates.text import check_text, clean_line, content_hash, fold
from portalops.model.organisation import UnitId
from portalops.model.submissions import ObservedItem
from portalops.model.updates import ItemChannel, Observation, UpdateSourceTraits
from portalops.registers.attested import OBSERVED, REGISTERED, Attested

ATTESTED_TRAITS: Mapping[str, UpdateSourceTraits] = {
    one: UpdateSourceTraits(one, ItemChannel.SUBMISSION, complete=False, attested=True)
    for one in (OBSERVED, REGISTERED)
}
"""What stands for the source of an attested item: no look speaks for it."""


def as_observation(one: Attested, zone: ZoneInfo) -> Observation:
    """Return what a person attests as an item; a paper counts on the day of its arrival in the portal's zone."""
    what = one.what
    if isinstance(what, ObservedItem):
        source, number, channel, title = OBSERVED, what.id, what.channel, what.title
        url, at, raw = canonical_url(what.address), what.seen_at, what.seen_at.isoformat()
    else:
        source, number, channel = REGISTERED, f"{what.arrived_on.year}/{what.number}", ItemChannel.SUBMISSION
        title = " ".join(part for part in (what.code, what.subject) if part) or what.number
        url, at, raw = "", datetime.combine(what.arrived_on, time(), zone), what.arrived_on.isoformat()
    return Observation(
        id=what.id,
        source=source,
        channel=channel,
        unit=what.unit,
        external_id=number,
        url=url,
        title=clean_line(title, limit=MAX_TITLE),
        language="",
        kind=None,
        state="",
        created_at=at,
        published_at=at,
        modified_at=None,
        raw_date=raw,
        first_seen_at=one.at,
        baseline=False,
        content_hash=content_hash(title, None, raw_date=raw),
        body_letters=None,
        evidence=one.evidence,
        text_problems=check_text(title),
    )


class Collected(Protocol):
    """What was seen in a window of time, as it was known at its end; see `checks.updates.observations.ObservationWindow`."""

    def units(self) -> Sequence[UnitId | None]: ...
    def items(self, unit: UnitId | None) -> Sequence[SeenItem]: ...
    def repeated_items(self) -> Iterable[SeenItem]: ...
    def near_copies(self) -> Iterable[NearCopy]: ...
    def site_texts(self, texts: Collection[str]) -> Iterable[SeenItem]: ...
    def resembling(self, unit: UnitId) -> Sequence[SeenItem]: ...
    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> Mapping[str, GivenOut]: ...
    def changes(self) -> ItemChanges: ...
    def served(self) -> Mapping[str, Sequence[Served]]: ...
    def refused(self) -> Sequence[UnreadPart]: ...
    def polls_of(self, source: str) -> tuple[Sequence[PollMoment], Stamp | None]: ...
    def complete_polls(self, source: str) -> Sequence[Stamp]: ...
    def arrivals(self, source: str) -> Sequence[Stamp]: ...


class WithAttested(Collected):
    """What was collected, and what people attest beside it."""

    def __init__(
        self, collected: Collected, attested: Iterable[Observation], *, since: datetime, until: datetime
    ) -> None:
        """Put both together.

        Args:
            collected: from the store.
            attested: of all units; what stands.
            since: items from before do not bear on what is judged.
            until: what was recorded later is not known yet.
        """
        self._collected = collected
        self._own: dict[UnitId | None, list[SeenItem]] = defaultdict(list)
        for one in attested:
            if one.created_at is not None and one.created_at >= since and one.first_seen_at <= until:
                self._own[one.unit].append(_seen(one, one.created_at))

    def units(self) -> Sequence[UnitId | None]:
        known = self._collected.units()
        return (*known, *sorted(unit for unit in self._own if unit is not None and unit not in known))

    def items(self, unit: UnitId | None) -> Sequence[SeenItem]:
        collected, own = self._collected.items(unit), self._own.get(unit)
        if not own:
            return collected
        told = {same_item(one) for one in collected}  # such as a paper that the register's file shows too
        return [*collected, *(one for one in own if same_item(one) not in told)]

    def repeated_items(self) -> Iterable[SeenItem]:
        return self._collected.repeated_items()

    def near_copies(self) -> Iterable[NearCopy]:
        return self._collected.near_copies()

    def site_texts(self, texts: Collection[str]) -> Iterable[SeenItem]:
        return self._collected.site_texts(texts)

    def resembling(self, unit: UnitId) -> Sequence[SeenItem]:
        return self._collected.resembling(unit)

    def given_out(self, sources: Sequence[str], channel: ItemChannel | None = None) -> Mapping[str, GivenOut]:
        return self._collected.given_out(sources, channel)

    def changes(self) -> ItemChanges:
        return self._collected.changes()

    def served(self) -> Mapping[str, Sequence[Served]]:
        return self._collected.served()

    def refused(self) -> Sequence[UnreadPart]:
        return self._collected.refused()

    def polls_of(self, source: str) -> tuple[Sequence[PollMoment], Stamp | None]:
        return self._collected.polls_of(source)

    def complete_polls(self, source: str) -> Sequence[Stamp]:
        return self._collected.complete_polls(source)

    def arrivals(self, source: str) -> Sequence[Stamp]:
        return self._collected.arrivals(source)


def same_item(one: SeenItem | Observation) -> tuple[str, str, Stamp | None]:
    """Return what is the same for an item that a source shows and the one that a person attests: channel, title and moment."""
    at = one.created_at
    return one.channel, fold(one.title), stamp(at) if isinstance(at, datetime) else at


def _seen(one: Observation, at: datetime) -> SeenItem:
    return SeenItem(
        id=one.id,
        source=one.source,
        channel=one.channel.value,
        unit=one.unit,
        url=one.url,
        title=one.title,
        text=one.content_hash,
        created_at=stamp(at),
        published_at=stamp(at),
        first_seen_at=stamp(one.first_seen_at),
        looked_before_at=None,
        baseline=False,
        body_letters=None,
        text_problems=",".join(one.text_problems),
    )
