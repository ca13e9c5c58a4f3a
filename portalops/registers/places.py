"""The register of places: the records `host.sighted` and `host.handed-over`, folded. The newest sighting of a host counts.

A correction is a new sighting. Who answers for a host is told by the newest of both kinds. A document that is not there any more
is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final, TypeAlias

from portalops.bodies import decode_part, evidence_of
from portalops.errors import PortalOpsError
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.ports import LedgerReader

SIGHTED: Final = "host.sighted"
HANDED_OVER: Final = "host.handed-over"
PLACE_KINDS: Final = (SIGHTED, HANDED_OVER)
SIGHTING, HAND_OVER = "sighting", "hand_over"
"""The keys of the two in their records' bodies."""

Body: TypeAlias = Sighting | HandOver


@dataclass(frozen=True, slots=True)
class PlaceStep:
    """One record of a host's place."""

    seq: int
    at: datetime
    """When it was recorded."""
    body: Body
    evidence: tuple[Digest, ...] = ()
    """The document behind it, if it is kept."""

    @property
    def day(self) -> date:
        """Return the day that it tells of."""
        return self.body.seen_on if isinstance(self.body, Sighting) else self.body.handed_on


@dataclass(frozen=True, slots=True)
class RegisteredPlace:
    """What the register says of one host now."""

    host: HostId
    sighting: Sighting | None = None
    sighted_seq: int = 0
    """The record of the sighting; 0 if there is none."""
    sighted_at: datetime | None = None
    """When that was recorded."""
    holder: str = ""
    holder_seq: int = 0
    """The record that made them the holder; later sightings that name the same are none."""
    lost: tuple[int, ...] = ()
    """Records of the host after the sighting whose details cannot be read: what they say is not known."""
    steps: tuple[PlaceStep, ...] = ()
    """Every record of the host that can be read, oldest first."""

    @property
    def evidence(self) -> tuple[Digest, ...]:
        """Return the document behind the sighting, if it is kept."""
        return next((step.evidence for step in self.steps if step.seq == self.sighted_seq), ())

    @property
    def holder_step(self) -> PlaceStep | None:
        """Return the record that made them the holder."""
        return next((step for step in self.steps if step.seq == self.holder_seq), None)


def fold_places(
    records: Iterable[tuple[int, datetime, HostId, Body | None, tuple[Digest, ...]]],
) -> dict[HostId, RegisteredPlace]:
    """Return what is known of each host's place.

    Args:
        records: number, time and host of each record, with what its body holds and the documents that are kept, oldest first;
            no body if it cannot be read.
    """
    found: dict[HostId, RegisteredPlace] = {}
    for seq, at, host, body, evidence in records:
        known = found.get(host) or RegisteredPlace(host)
        steps = known.steps if body is None else (*known.steps, PlaceStep(seq, at, body, evidence))
        match body:
            case Sighting():
                stays = body.holder == known.holder and not known.lost
                since = known.holder_seq if stays else seq
                known = RegisteredPlace(host, body, seq, at, body.holder, since, steps=steps)
            case HandOver():
                known = replace(known, holder=body.holder, holder_seq=seq, steps=steps)
            case None:
                known = replace(known, lost=(*known.lost, seq))
        found[host] = known
    return found


def read_places(ledger: LedgerReader, *, until: datetime | None = None) -> Mapping[HostId, RegisteredPlace]:
    """Return the register as it was at a moment, or is now; empty if nobody has begun it."""
    records: list[tuple[int, datetime, HostId, Body | None, tuple[Digest, ...]]] = []
    for record in ledger.records(kinds=PLACE_KINDS, until=until):
        host = HostId(record.subject)
        body: Body | None = None
        evidence: tuple[Digest, ...] = ()
        try:
            data = ledger.blob(record.body)
            found: Body | None = (
                decode_part(data, SIGHTING, Sighting)
                if record.kind == SIGHTED
                else decode_part(data, HAND_OVER, HandOver)
            )
            if found is not None and found.host == host:
                body, evidence = found, tuple(sorted(one for one in evidence_of(data) if ledger.has_blob(one)))
        except PortalOpsError:
            body = None
        records.append((record.seq, record.at, host, body, evidence))
    return fold_places(records)
