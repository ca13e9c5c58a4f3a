"""What the register of credentials says of who may come in: of the records `credential.*`, without holders' names and secrets.

No command runs for it. There are the credentials of the host and of what runs on it, those that were returned among them, and of
other systems one for each fingerprint, since the host may show its key; and who leaves or left, with the last day:

    {"credentials":[{"account":"root","fingerprint":"","id":"web1-root","is_active":true,"records":[2],"system":"host%3Aweb1"}],
    "left":[["nguyen-van-an","2026-11-20",5]],"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from portalops.model.credentials import host_of
from portalops.model.organisation import HostId
from portalops.registers.access import AccessRegister, CredentialAccess, access_of
from portalops.registers.credentials import CredentialRegister, LeavingPerson, read_credentials


@dataclass(frozen=True, slots=True)
class Registered:
    """What is compared with a host."""

    register: AccessRegister
    zone: ZoneInfo
    """The one in which days are counted."""


def parse(output: Output) -> Registered:
    """Read a section."""
    held = opened(output)
    try:
        return Registered(register_in(held), ZoneInfo(held["zone"]))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise refuse_form() from error


PROBE = Probe("own.registered", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return what the register says of who may come in to each host."""
    register = read_credentials(own.ledger) if own.ledger else CredentialRegister()
    if not register.is_begun:
        return {host.id: not_begun(PROBE.id) for host in own.hosts}
    names, every = {host.id for host in own.hosts}, access_of(register)
    found = {}
    for host in own.hosts:
        lost = register.unreadable_for(host.id, names)
        if lost:
            found[host.id] = unreadable(PROBE.id, lost)
        else:
            rows = rows_of(AccessRegister(matters_to(host.id, every.credentials), every.left))
            found[host.id] = written(PROBE.id, SEEN, zone=own.zone.key, **rows)
    return found


def matters_to(host: str, credentials: Iterable[CredentialAccess]) -> tuple[CredentialAccess, ...]:
    """Return the credentials of a host, and of other systems one for each key: in use if any is, else the last.

    One key opens many hosts, and all that counts here of one that is registered elsewhere is whether it is in use.
    """
    ours: list[CredentialAccess] = []
    others: dict[str, CredentialAccess] = {}
    for each in credentials:
        if host_of(each.system) == host:
            ours.append(each)
        elif each.fingerprint and not ((before := others.get(each.fingerprint)) and before.is_active):
            others[each.fingerprint] = each
    return (*ours, *others.values())


def rows_of(register: AccessRegister) -> Mapping[str, object]:
    """Return what of the register stands in a section; pure."""
    return {
        "credentials": [
            {
                "id": each.id,
                "system": safe(each.system),
                "account": safe(each.account),
                "fingerprint": safe(each.fingerprint),
                "is_active": each.is_active,
                "records": list(each.seqs),
            }
            for each in register.credentials
        ],
        "left": [[safe(each.person), each.on.isoformat(), each.seq] for each in register.left],
    }


def register_in(held: Mapping[str, Any]) -> AccessRegister:
    """Return what of the register stands in the content of a section.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not of the form of `rows_of`.
    """
    left = tuple(LeavingPerson(unquote(person), date.fromisoformat(day), int(seq)) for person, day, seq in held["left"])
    return AccessRegister(tuple(_access(row) for row in held["credentials"]), left)


def _access(row: Mapping[str, Any]) -> CredentialAccess:
    if not isinstance(row["is_active"], bool):
        raise TypeError("is_active")
    return CredentialAccess(
        unquote(row["id"]),
        unquote(row["system"]),
        unquote(row["account"]),
        unquote(row["fingerprint"]),
        row["is_active"],
        tuple(int(seq) for seq in row["records"]),
    )


OWN = LocalRecords(PROBE, sections)
