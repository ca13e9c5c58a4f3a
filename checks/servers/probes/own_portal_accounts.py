"""Who can work in the portal, by the newest recorded look at its own table of accounts, and what the register says of them.

No command runs for it. All portals stand in the section of the machine that portalops runs on, or, where that is no host of the
configuration, of the first host by id (`keeper`); the sections of others say no more than that (`elsewhere`). Of each portal: the record
`credential.portal-seen`, when it was made, and what it holds; `why` is why that cannot be read, `problem` why the portal could
not be asked in this round. Of the register: the credentials of portals, and who leaves or left. Never a password or an address:

    {"credentials":[],"keeper":"web1","left":[],"look_hours":48,"portals":[{"accounts":[{"is_admin":true,"is_open":true,"name":"an",
    "roles":["administrator"]}],"at":"2026-11-25T01:00:00+00:00","id":"cong","problem":null,"product":"drupal","record":7,
    "why":null}],"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from checks.servers.outside.section import LIMIT_BYTES, SEEN, safe, written
from checks.servers.own import LocalRecords, Own, not_begun, opened, refuse_form, unreadable
from checks.servers.probe import Output, Probe, ProbeResult
from checks.servers.probes.own_credentials import find_rest_custodian
from checks.servers.probes.own_registered import register_in, rows_of
from portalops.bodies import decode, encode
from portalops.errors import LedgerError
from portalops.json_text import read_json
from portalops.model.credentials import SystemKind
from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.portal_accounts import PortalAccount, PortalAccounts
from portalops.registers.access import AccessRegister, CredentialAccess, access_of
from portalops.registers.credentials import CredentialRegister, read_credentials
from portalops.registers.portal_accounts import PortalAnswer, read_portal_answers

ELSEWHERE = "elsewhere"
"""The state of a section of a host with which no portal is judged."""


@dataclass(frozen=True, slots=True)
class AskedPortal:
    """A portal that can be asked who can work in it."""

    id: str
    """Of its source of updates: `portal:ID` in the register, whichever host stands behind it."""
    look: PortalAnswer | None = None
    """The newest look at its accounts; None if there was none."""
    problem: Message | None = None
    """Why it could not be asked just now, if that was tried."""


@dataclass(frozen=True, slots=True)
class PortalsSeen:
    """All portals that can be asked, and the register."""

    keeper: str
    """The host with which they are judged; of another one nothing else is known."""
    portals: tuple[AskedPortal, ...] = ()
    register: AccessRegister = field(default_factory=AccessRegister)
    longest: timedelta = timedelta(0)
    """How old a look may be."""
    zone: ZoneInfo | None = None
    """The one in which days are counted."""


def parse(output: Output) -> PortalsSeen:
    """Read a section."""
    if elsewhere := _elsewhere(output):
        return PortalsSeen(elsewhere)
    held = opened(output)
    try:
        keeper = unquote(held["keeper"])
        portals = tuple(_portal(row) for row in held["portals"])
        longest = timedelta(hours=int(held["look_hours"]))
        return PortalsSeen(keeper, portals, register_in(held), longest, ZoneInfo(held["zone"]))
    except (ValueError, KeyError, TypeError, AttributeError, OSError, OverflowError, LedgerError) as error:
        raise refuse_form() from error


def _elsewhere(output: Output) -> str:
    """Return the host with which portals are judged, of a section that says no more; empty for another one."""
    try:
        held = read_json(output.text)
        return unquote(held["keeper"]) if held["state"] == ELSEWHERE else ""
    except (ValueError, KeyError, TypeError):
        return ""


PROBE = Probe("own.portal-accounts", (), parse, limit_bytes=LIMIT_BYTES)


def sections(own: Own) -> Mapping[HostId, ProbeResult]:
    """Return what is known of the portals' accounts: all with one host, which the others name."""
    keeper = find_rest_custodian(own.hosts)
    if keeper is None:
        return {}
    found = {host.id: written(PROBE.id, ELSEWHERE, keeper=safe(keeper)) for host in own.hosts}
    register = read_credentials(own.ledger) if own.ledger else CredentialRegister()
    if own.ledger is None or not register.is_begun:
        found[keeper] = not_begun(PROBE.id)
    elif lost := _lost(register):
        found[keeper] = unreadable(PROBE.id, lost)
    else:
        looks, every = read_portal_answers(own.ledger), access_of(register)
        rows = rows_of(AccessRegister(tuple(each for each in every.credentials if portal_of(each)), every.left))
        found[keeper] = written(
            PROBE.id,
            SEEN,
            keeper=safe(keeper),
            portals=[_row(AskedPortal(name, looks.get(name), own.portals[name])) for name in sorted(own.portals)],
            look_hours=own.portal_look_hours,
            zone=own.zone.key,
            **rows,
        )
    return found


def portal_of(each: CredentialAccess) -> str:
    """Return the portal that a credential opens; empty for what is none."""
    return each.system.partition(":")[2].partition("@")[0] if each.kind == SystemKind.PORTAL else ""


def _lost(register: CredentialRegister) -> tuple[int, ...]:
    """Return the unreadable records that may be of a portal's credential."""
    others = {each.id for each in access_of(register).credentials if not portal_of(each)}
    return tuple(sorted(seq for name, seqs in register.unreadable.items() if name not in others for seq in seqs))


def _row(portal: AskedPortal) -> Mapping[str, object]:
    row: dict[str, object] = {"id": safe(portal.id), "problem": encode(portal.problem), "record": None}
    if portal.look is None:
        return row
    found = portal.look.found
    row |= {"record": portal.look.seq, "at": portal.look.at.isoformat(), "why": None}
    if isinstance(found, Message):
        return row | {"why": encode(found)}
    accounts = [
        {
            "name": safe(each.name),
            "roles": [safe(role) for role in each.roles],
            "is_admin": each.is_admin,
            "is_open": each.is_open,
        }
        for each in found.accounts
    ]
    return row | {"product": safe(found.product), "accounts": accounts}


def _portal(row: Mapping[str, Any]) -> AskedPortal:
    name, problem = unquote(row["id"]), _message(row["problem"])
    if row["record"] is None:
        return AskedPortal(name, None, problem)
    at = datetime.fromisoformat(row["at"])
    if at.tzinfo is None:
        raise ValueError("at")
    found: PortalAccounts | Message | None = _message(row["why"])
    if found is None:
        accounts = tuple(_account(each) for each in row["accounts"])
        # When accounts were last used is not judged by this, and not written.
        found = PortalAccounts(name, unquote(row["product"]), accounts, keeps_logins=False)
    return AskedPortal(name, PortalAnswer(int(row["record"]), at, found), problem)


def _account(row: Mapping[str, Any]) -> PortalAccount:
    for flag in ("is_admin", "is_open"):
        if not isinstance(row[flag], bool):
            raise TypeError(flag)
    return PortalAccount(
        unquote(row["name"]), tuple(unquote(role) for role in row["roles"]), row["is_admin"], row["is_open"]
    )


def _message(held: Any) -> Message | None:
    return None if held is None else decode(Message, held)


OWN = LocalRecords(PROBE, sections)
