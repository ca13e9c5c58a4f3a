"""Which credentials open the host, and what runs on it: of the records `credential.*`, without holders' names and secrets.

Of holder and deputy it says only whether they are declared members (`strangers` lists those that are not, and are not recorded
to leave), and `members` whether anybody is declared one. Older sections have neither.

No command runs for it. A credential whose system names no configured host (a bucket, a registrar) stands in the section of
the machine that portalops runs on, or, where that is no host of the configuration, of the first host by id; so each is
judged once, and none by nothing. Those that were returned are left out. `zone` is the one in which days are counted:

    {"credentials":[{"account":"an","changed_on":"2026-11-02","due_on":"2027-11-03","id":"web1-an","is_here":true,"lacks":[],
    "left":[],"records":[2],"strangers":[]}],"members":true,"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.credentials import SystemKind, host_of
from portalops.model.hosts import LOCAL
from portalops.model.organisation import Host, HostId
from portalops.registers.credentials import CredentialRegister, HeldCredential, read_credentials


@dataclass(frozen=True, slots=True)
class Custody:
    """One credential that is in use."""

    id: str
    account: str
    is_here: bool
    """It opens the host itself, and not something that runs on it or elsewhere."""
    lacks: tuple[str, ...]
    """What is not said of it: `holder`, `deputy`, `place`, `issued`."""
    changed_on: date | None
    due_on: date | None
    """The last day on which it may be used unchanged."""
    left: tuple[tuple[str, date], ...]
    """People who know it and leave or left, with their last day."""
    seqs: tuple[int, ...]
    """The records that say so."""
    strangers: tuple[str, ...] = ()
    """Which of `holder` and `deputy` is no declared member, and is not recorded to leave."""


@dataclass(frozen=True, slots=True)
class Custodies:
    """All that are judged with a host."""

    credentials: tuple[Custody, ...]
    zone: ZoneInfo
    are_members_declared: bool | None = None
    """Whether anybody was; None where the section does not say, for it was written before that was asked."""


def parse(output: Output) -> Custodies:
    """Read a section."""
    held = opened(output)
    try:
        rows = tuple(_custody(each) for each in held["credentials"])
        return Custodies(rows, ZoneInfo(held["zone"]), _read_text(held.get("members")))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise refuse_form() from error


PROBE = Probe("own.credentials", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return what the register of credentials says of each host."""
    register = read_credentials(own.ledger) if own.ledger else CredentialRegister()
    if not register.is_begun:
        return {host.id: not_begun(PROBE.id) for host in own.hosts}
    names, members = {host.id for host in own.hosts}, own.declared.people()
    last = find_rest_custodian(own.hosts)
    found = {}
    for host in own.hosts:
        ours = [
            each
            for each in register.credentials.values()
            if (place := host_of(each.credential.system)) == host.id or (host.id == last and place not in names)
        ]
        lost = register.unreadable_for(host.id, names)
        found[host.id] = unreadable(PROBE.id, lost) if lost else section(register, ours, host.id, own.zone, members)
    return found


def find_rest_custodian(hosts: Iterable[Host]) -> HostId | None:
    """Return the host with which credentials of no configured host are judged; None without any host."""
    every = sorted(hosts, key=lambda host: (host.address != LOCAL, host.id))
    return every[0].id if every else None


def section(
    register: CredentialRegister, held: Iterable[HeldCredential], host: str, zone: ZoneInfo, members: Collection[str]
) -> ProbeResult:
    """Write what the register says of one host; pure.

    Args:
        register: of credentials.
        held: those that are judged with the host.
        host: its id.
        zone: in which days are counted.
        members: names of everybody who is declared a member, on any host: a holder need not come in to this one.
    """
    rows = [
        {
            "id": each.id,
            "account": safe(each.credential.account),
            "is_here": each.credential.system == f"{SystemKind.HOST}:{host}",
            "lacks": list(each.lacks),
            "changed_on": each.credential.rotated_on.isoformat() if each.credential.rotated_on else "",
            "due_on": each.due_on.isoformat() if each.due_on else "",
            "left": [[safe(left.person), left.on.isoformat()] for left in register.leavers_of(each)],
            "records": list(each.seqs),
            "strangers": list(register.strangers_of(each, members)) if members else [],
        }
        for each in held
        if each.is_active
    ]
    return written(PROBE.id, SEEN, credentials=rows, members=bool(members), zone=zone.key)


def _read_text(members: object) -> bool | None:
    if not isinstance(members, bool | None):
        raise TypeError("members")
    return members


def _custody(row: Mapping[str, Any]) -> Custody:
    if not isinstance(row["is_here"], bool):
        raise TypeError("is_here")
    changed, due = (date.fromisoformat(row[key]) if row[key] else None for key in ("changed_on", "due_on"))
    return Custody(
        unquote(row["id"]),
        unquote(row["account"]),
        row["is_here"],
        tuple(str(one) for one in row["lacks"]),
        changed,
        due,
        tuple((unquote(person), date.fromisoformat(day)) for person, day in row["left"]),
        tuple(int(seq) for seq in row["records"]),
        tuple(str(one) for one in row.get("strangers", ())),
    )


OWN = LocalRecords(PROBE, sections)
