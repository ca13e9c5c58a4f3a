"""Which changes the host had and has, with the records that say so: of the records `change.*`.

No command runs for it. Every change that is open is there, and those closed in the last 400 days, or since the moment from
which on changes of the host are looked for, if that is longer ago. Moments are UTC; those ending in `_at` are of the records,
but for the window's and `began_at` and `ended_at`, which people gave:

    {"changes":[{"accounts":[],"approved_at":"2026-11-19T02:00:00+00:00","approved_seq":9,
    "began_at":"2026-11-20T15:04:00+00:00","begins_at":"2026-11-20T15:00:00+00:00","begun_seq":11,"closed_at":null,
    "decided_on":"2026-11-18","digest":"9f86d08...","document":"512/UBND-VX","ended_at":"2026-11-20T15:31:00+00:00",
    "ends_at":"2026-11-20T17:00:00+00:00","id":"CH-2026-001","kind":"normal","notified_at":"2026-11-16T02:00:00+00:00",
    "notified_seq":8,"packages":[],"requested_seq":7}],"state":"seen"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.changes import ChangeKind, ChangeOrder
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.registers.changes import read_changes

DAYS = 400


def parse(output: Output) -> tuple[ChangeOrder, ...]:
    """Read a section, in the order in which the changes were asked for."""
    held = opened(output)
    try:
        found = tuple(_read(each) for each in held["changes"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_form() from error
    if any(moment.tzinfo is None for each in found for moment in _moments(each)):
        raise refuse_form()
    return found


PROBE = Probe("own.changes", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return which changes the register holds of each host."""
    register = read_changes(own.ledger) if own.ledger else None
    found: dict[HostId, ProbeResult] = {}
    for host in own.hosts:
        if register is None or not register.is_begun:
            found[host.id] = not_begun(PROBE.id)
        elif lost := register.lost_of(host.id):
            found[host.id] = unreadable(PROBE.id, lost)
        else:
            declared = own.declared.find_host(host.id).changes
            since = own.now - timedelta(days=DAYS)
            since = min(since, declared.since) if declared else since
            found[host.id] = section(
                each.order() for each in register.find_by_host(host.id) if not _is_past(each.order(), since)
            )
    return found


def section(orders: Iterable[ChangeOrder]) -> ProbeResult:
    """Write the changes of one host; pure."""
    return written(PROBE.id, SEEN, changes=[_written(each) for each in orders])


def _is_past(order: ChangeOrder, since: datetime) -> bool:
    return order.closed_at is not None and max(order.closed_at, order.ends_at) < since


def _written(order: ChangeOrder) -> Mapping[str, object]:
    return {
        "id": safe(order.id),
        "kind": order.kind.value,
        "begins_at": _iso(order.begins_at),
        "ends_at": _iso(order.ends_at),
        "requested_seq": order.requested_seq,
        "notified_at": _iso(order.notified_at),
        "notified_seq": order.notified_seq,
        "approved_at": _iso(order.approved_at),
        "approved_seq": order.approved_seq,
        "document": safe(order.document),
        "decided_on": order.decided_on.isoformat() if order.decided_on else None,
        "digest": order.digest,
        "began_at": _iso(order.began_at),
        "begun_seq": order.begun_seq,
        "ended_at": _iso(order.ended_at),
        "closed_at": _iso(order.closed_at),
        "packages": [safe(each) for each in order.packages],
        "accounts": [safe(each) for each in order.accounts],
    }


def _read(held: Mapping[str, Any]) -> ChangeOrder:
    return ChangeOrder(
        unquote(held["id"]),
        ChangeKind(held["kind"]),
        datetime.fromisoformat(held["begins_at"]),
        datetime.fromisoformat(held["ends_at"]),
        int(held["requested_seq"]),
        notified_at=_moment(held["notified_at"]),
        notified_seq=int(held["notified_seq"]),
        approved_at=_moment(held["approved_at"]),
        approved_seq=int(held["approved_seq"]),
        document=unquote(held["document"]),
        decided_on=date.fromisoformat(held["decided_on"]) if held["decided_on"] else None,
        digest=Digest(str(held["digest"])) if held["digest"] else None,
        began_at=_moment(held["began_at"]),
        begun_seq=int(held["begun_seq"]),
        ended_at=_moment(held["ended_at"]),
        closed_at=_moment(held["closed_at"]),
        packages=tuple(unquote(each) for each in held["packages"]),
        accounts=tuple(unquote(each) for each in held["accounts"]),
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _moments(order: ChangeOrder) -> Iterable[datetime]:
    every = (
        order.begins_at,
        order.ends_at,
        order.notified_at,
        order.approved_at,
        order.began_at,
        order.ended_at,
        order.closed_at,
    )
    return (moment for moment in every if moment is not None)


OWN = LocalRecords(PROBE, sections)
