"""The register of places: the records `host.sighted` and `host.handed-over`, folded. The newest sighting of a host counts.

A correction is a new sighting. Who answers for a host is told by the newest of both kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting

if TYPE_CHECKING:
    from portalops.registers.evidence import LedgerReader

SIGHTED: Final = "host.sighted"
HANDED_OVER: Final = "host.handed-over"
PLACE_KINDS: Final = (SIGHTED, HANDED_OVER)
SIGHTING, HAND_OVER = "sighting", "hand_over"
"""The keys of the two in their records' bodies."""

Body: TypeAlias = "Sighting | HandOver"


@dataclass(frozen=True, slots=True)
class Place:
    """What the register says of one host now."""

    host: HostId
    sighting: Sighting | None = None
    sighted_seq: int = 0
    """The record of the sighting; 0 if there is none."""
    sighted_at: datetime | None = None
    """When that was recorded."""
    holder: str = ""
    holder_seq: int = 0
    """The record that made them the holder."""
    lost: tuple[int, ...] = ()
    """Records of the host after the sighting whose details cannot be read: what they say is not known."""


def fold_places(records: Iterable[tuple[int, datetime, HostId, Body | None]]) -> dict[HostId, Place]:
    """Return what is known of each host's place.

    Args:
        records: number, time and host of each record, with what its body holds, oldest first; None if it cannot be read.
    """
    found: dict[HostId, Place] = {}
    for seq, at, host, body in records:
        known = found.get(host) or Place(host)
        match body:
            case Sighting():
                known = Place(host, body, seq, at, body.holder, seq)
            case HandOver():
                known = replace(known, holder=body.holder, holder_seq=seq)
            case None:
                known = replace(known, lost=(*known.lost, seq))
        found[host] = known
    return found


def read_places(ledger: LedgerReader, *, until: datetime | None = None) -> Mapping[HostId, Place]:
    """Return the register as it was at a moment, or is now; empty if nobody has begun it."""
    records: list[tuple[int, datetime, HostId, Body | None]] = []
    for record in ledger.records(kinds=PLACE_KINDS, until=until):
        body: Body | None
        try:
            data = ledger.blob(record.body)
            body = (
                decode_part(data, SIGHTING, Sighting)
                if record.kind == SIGHTED
                else decode_part(data, HAND_OVER, HandOver)
            )
        except PortalOpsError:
            body = None
        host = HostId(record.subject)
        records.append((record.seq, record.at, host, body if body is not None and body.host == host else None))
    return fold_places(records)
