"""What could be declared of hosts from what they answered, and which unknown checks each declaration would settle. Pure.

A declaration is a person's word: nothing here counts until somebody has read it and said so. What a declaration settles is not listed
anywhere: the kept answer is judged again as if it had been made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from pydantic import ValidationError

from checks.servers.accounts.privileged_declared import GROUPS
from checks.servers.catalogue import checks, probes_of
from checks.servers.check import Check
from checks.servers.declared import Declared, HostDeclared, StandbyKind
from checks.servers.drafting import host_tables
from checks.servers.facts import Facts, found_in
from checks.servers.judging import outcome_of
from checks.servers.probe import MissingFact, Probe
from checks.servers.probes import (
    cms_versions,
    containers,
    forwarding,
    group,
    haproxy,
    hosting,
    keepalived,
    listeners,
    logins,
    machine,
    mdstat,
    mysql_replica,
    outside_ports,
    own_availability,
    passwd,
    postgresql_standby,
    sensors,
    ups,
)
from checks.servers.standby import GroupCheck, judge_groups
from checks.servers.web.editions_answer import LANGUAGES
from portalops.model.checks import CheckScan, is_for_want
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.verdicts import CheckVerdict

FIRST_PERSON = 1000
"""The lowest uid of a person's account on Debian, Ubuntu and RHEL (login.defs(5), UID_MIN)."""
_UNSEEN = "not-seen-from-outside"
_GUESSED = frozenset(("editions", "admin-paths", "folders"))
"""Drafts without evidence: an empty list, or the front page, for a person to correct."""
_TOGETHER = {
    "members": ("members", "admin_ranges"),
    "accounts": ("accounts", "login_accounts", "groups"),
    "autostart": ("enabled_units", "cron_files"),
    "config-files": ("config_files",),
    "changes": ("changes",),
    "identity": ("identity",),
    "hosting": ("hosting",),
    "addresses": ("address_ranges",),
    "repositories": ("repositories",),
}
"""By a proposal's name, the tables of a draft that are approved together."""


@dataclass(frozen=True, slots=True)
class SettledCheck:
    """An unknown check that a declaration would settle."""

    host: HostId
    """Of a group: its kind."""
    check: str
    verdict: CheckVerdict


@dataclass(frozen=True, slots=True)
class Proposal:
    """One declaration that would turn unknown checks into verdicts."""

    host: str
    """Empty for the whole portal."""
    name: str
    tables: Mapping[str, object]
    """Keys of `[checks.declared]`, or of the host's own table there, with their values."""
    settled: tuple[SettledCheck, ...]
    """By what was answered already."""
    waiting: tuple[tuple[HostId, str], ...] = ()
    """Host and check of what the next scan can then find out."""
    evidence: Digest | None = None
    """The answer that it was drafted from; None where it was drafted from none."""

    @property
    def is_guessed(self) -> bool:
        """Say whether it was drafted from nothing on its host, so that it counts for no other host."""
        return bool(self.host) and self.evidence is None

    @property
    def id(self) -> str:
        """What it is chosen by."""
        return f"{self.host}/{self.name}" if self.host else self.name

    @property
    def moved(self) -> int:
        """How many checks it moves."""
        return len(self.settled) + len(self.waiting)

    def named_checks(self) -> frozenset[str]:
        """Return the checks that it moves."""
        return frozenset((*(each.check for each in self.settled), *(check for _host, check in self.waiting)))


@dataclass(frozen=True, slots=True)
class AnsweredHost:
    """A host with its newest answer."""

    host: Host
    at: datetime
    digest: Digest
    answer: bytes


def propose(scan: CheckScan, hosts: Iterable[AnsweredHost], declared: Declared, at: datetime) -> tuple[Proposal, ...]:
    """Return what could be declared, the declarations that move most first.

    Args:
        scan: the newest one.
        hosts: those of it that answered.
        declared: what is declared now.
        at: now, UTC.
    """
    found: list[Proposal] = []
    signs: dict[StandbyKind, set[str]] = {}
    for each in hosts:
        facts = facts_of(each, declared)
        found += _host_proposals(each, facts)
        for kind in _signs(facts):
            signs.setdefault(kind, set()).add(each.host.id)
    found += _portal_proposals(scan, declared, at, frozenset(signs))
    return tuple(sorted(found, key=lambda one: (-one.moved, one.host, one.name)))


def with_tables(declared: HostDeclared, tables: Mapping[str, object]) -> HostDeclared | None:
    """Return a host's declaration with more in it; None where that may not be declared."""
    try:
        return HostDeclared.model_validate({**declared.model_dump(), **tables})
    except ValidationError:
        return None


def is_declarable(one: Proposal, tables: Mapping[str, object]) -> bool:
    """Say whether tables may be declared in the place of a proposal's own."""
    if one.host:
        return with_tables(HostDeclared(), tables) is not None
    try:
        Declared.model_validate(tables)
    except ValidationError:
        return False
    return True


def facts_of(host: AnsweredHost, declared: Declared) -> Facts:
    """Return all that a host answered."""
    found, repeated = found_in(host.answer, probes_of(checks()), host.at)
    return Facts(host.host, declared.find_host(host.host.id), host.at, found, repeated)


def unknown_checks(facts: Facts) -> dict[str, tuple[Check, str]]:
    """Return by id the checks of one host that are unknown, each with the reason."""
    judged = ((one, outcome_of(one, facts)) for one in checks() if not isinstance(one, GroupCheck))
    return {one.id: (one, found.reason) for one, found in judged if found.verdict is CheckVerdict.UNKNOWN}


def _signs(facts: Facts) -> Iterator[StandbyKind]:
    """Yield the kinds of standby that something on a host is there for: of those nobody is asked to declare that there is none."""
    shares = facts.get(keepalived.PROBE)
    if not isinstance(shares, MissingFact) and shares:
        yield "vip"
    balancer, sent = facts.get(haproxy.PROBE), facts.get(forwarding.PROBE)
    if not isinstance(balancer, MissingFact) and balancer:
        yield "load-balancer"
    if not isinstance(sent, MissingFact) and sent.rules:
        yield "log-collector"
    cluster, replica = facts.get(postgresql_standby.PROBE), facts.get(mysql_replica.PROBE)
    if not isinstance(cluster, MissingFact) and (cluster.follows or cluster.streaming):
        yield "postgresql"
    if not isinstance(replica, MissingFact) and replica.follows:
        yield "mysql"


def _host_proposals(host: AnsweredHost, facts: Facts) -> Iterator[Proposal]:
    unsettled = unknown_checks(facts)
    for name, tables in drafts(facts).items():
        if name == "pages":
            if waiting := tuple(
                (host.host.id, check) for check, (one, why) in unsettled.items() if _is_sampled(one, why)
            ):
                yield Proposal(host.host.id, name, tables, (), waiting, host.digest)
            continue
        then = with_tables(facts.declared, tables)
        if then is None:
            continue
        assumed = replace(facts, declared=then)
        judged = [(one.id, reason, outcome_of(one, assumed)) for one, reason in unsettled.values()]
        settled = tuple(
            SettledCheck(host.host.id, check, found.verdict)
            for check, _reason, found in judged
            if found.verdict not in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}
        )
        waiting = tuple(
            (host.host.id, check)
            for check, reason, found in judged
            if found.verdict is CheckVerdict.UNKNOWN and is_for_want(reason) and not is_for_want(found.reason)
        )
        if settled or waiting:
            evidence = None if name in _GUESSED else host.digest
            yield Proposal(host.host.id, name, tables, settled, waiting, evidence)


def _is_sampled(one: Check, reason: str) -> bool:
    """Say whether a check waits for pages to be declared, so that they are asked for."""
    return is_for_want(reason) and own_availability.PROBE in (*one.needs, *one.uses)


def drafts(facts: Facts) -> dict[str, dict[str, object]]:
    """Return by name what can be drafted of a host: tables that nothing is declared in yet."""
    seen: dict[str, object] = {name: value for name, value in host_tables(facts) if not isinstance(value, MissingFact)}
    seen["admin_ranges"] = _ranges(facts)
    found = {name: {key: seen[key] for key in keys if seen.get(key) is not None} for name, keys in _TOGETHER.items()}
    found |= {
        "listeners": {"listeners": _listeners(facts)},
        "admins": _admins(facts),
        "raid": {"raid": _names(facts, mdstat.PROBE, lambda raid: (each.name for each in raid.arrays))},
        "sensors": {"sensors": _sensors(facts)},
        "ups": {"ups": _names(facts, ups.PROBE, lambda found: (each.name for each in found))},
        "cms": {"cms": _names(facts, cms_versions.PROBE, lambda found: (each.folder for each in found.found))},
        "roles": {"roles": _roles(facts)},
        "pages": {"pages": _pages(facts)},
        "public-ports": {"public_ports": _public_ports(facts)},
        "editions": {
            "editions": {language: page for language in LANGUAGES for page in (facts.declared.pages or ())[:1]}
        },
        "admin-paths": {"admin_paths": []},
        "folders": {"folders": []},
    }
    declared = facts.declared.model_fields_set
    fresh = {
        name: {
            key: value
            for key, value in tables.items()
            if value is not None and (getattr(facts.declared, key) in (None, (), {}) or key not in declared)
        }
        for name, tables in found.items()
    }
    return {name: tables for name, tables in fresh.items() if tables}


def _names(facts: Facts, probe: Probe[Any], of: Any) -> list[str] | None:
    fact = facts.get(probe)
    return None if isinstance(fact, MissingFact) else sorted(set(of(fact)))


def _listeners(facts: Facts) -> list[str] | None:
    seen, second, published = facts.get(listeners.PROBE), facts.get(machine.PROBE), facts.get(containers.PROBE)
    if isinstance(seen, MissingFact):
        return None
    more = () if isinstance(second, MissingFact) else second.listeners
    names = {one.name for one in (*seen, *more) if not one.is_loopback}
    return sorted(names | (set() if isinstance(published, MissingFact) else {one.name for one in published.published}))


def _admins(facts: Facts) -> dict[str, object]:
    """Draft who is in a privileged group: people as admins, accounts of programs apart from them."""
    groups, accounts = facts.get(group.PROBE), facts.get(passwd.PROBE)
    if isinstance(groups, MissingFact) or isinstance(accounts, MissingFact):
        return {}
    numbers = {one.gid for one in groups if one.name in GROUPS}
    names = {member for one in groups if one.gid in numbers for member in one.members}
    names |= {one.name for one in accounts if one.gid in numbers}
    people = {one.name for one in accounts if one.uid >= FIRST_PERSON}
    programs = sorted(names - people - {"root"})
    return {"admins": sorted(names & people), **({"service_accounts": programs} if programs else {})}


def _ranges(facts: Facts) -> list[str] | None:
    """Draft from where people logged in; nothing where nobody did."""
    seen = facts.get(logins.PROBE)
    return None if isinstance(seen, MissingFact) else sorted({str(one.address) for one in seen.accepted}) or None


def _sensors(facts: Facts) -> list[str] | None:
    seen = facts.get(sensors.PROBE)
    if isinstance(seen, MissingFact):
        return None
    return [*(["wazuh"] if seen.wazuh_status else []), *(["suricata"] if seen.suricata_log_at else [])]


def _roles(facts: Facts) -> list[str] | None:
    """Draft `container` or `virtual` by what systemd-detect-virt(1) names; None for hardware."""
    ground = facts.get(hosting.PROBE)
    if isinstance(ground, MissingFact) or ground.virtualization == "none":
        return None
    return ["container" if ground.virtualization in _CONTAINERS else "virtual"]


_CONTAINERS = frozenset(
    ("openvz", "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman", "rkt", "wsl", "proot", "pouch")
)
"""What systemd-detect-virt(1) lists as containers; all else that it names is a virtual machine."""


def _pages(facts: Facts) -> list[str] | None:
    """Draft that a host serves no page where neither usual port listens, else its front page, for a person to correct."""
    names = _listeners(facts)
    if names is None:
        return None
    if not {"tcp/80", "tcp/443"} & set(names):
        return []
    address = facts.host.address
    return [f"https://[{address}]/" if ":" in address else f"https://{address}/"] if address != "local" else None


def _public_ports(facts: Facts) -> list[int] | None:
    """Draft which ports the outside scan found open."""
    seen = facts.get(outside_ports.PROBE)
    return None if isinstance(seen, MissingFact) else sorted(seen.filter_by_state("open"))


def _portal_proposals(
    scan: CheckScan, declared: Declared, at: datetime, seen: frozenset[StandbyKind]
) -> Iterator[Proposal]:
    unseen = tuple(
        (result.host, result.check)
        for result in scan.results()
        if result.verdict is CheckVerdict.UNKNOWN and result.reason == _UNSEEN
    )
    if unseen and declared.station is None:
        yield Proposal("", "station", {"station": "portalops"}, (), unseen)
    together = [one for one in checks() if isinstance(one, GroupCheck)]
    kinds = {group.kind for group in declared.group.values()} | {*declared.no_standby}
    unsure = {(each.host, each.check) for each in scan.results() if each.verdict is CheckVerdict.UNKNOWN}
    for kind in sorted({kind for one in together for kind in one.kinds} - kinds - seen):
        tables: dict[str, object] = {"no_standby": [*declared.no_standby, kind]}
        settled = _settled_groups(kind, together, unsure, at)
        if settled:
            yield Proposal("", f"no-standby-{kind}", tables, settled)


def _settled_groups(
    kind: StandbyKind, together: Sequence[GroupCheck], unsure: set[tuple[HostId, str]], at: datetime
) -> tuple[SettledCheck, ...]:
    then = judge_groups({}, Declared(no_standby=(kind,)), at, together)
    return tuple(
        SettledCheck(each.host, each.check, each.verdict)
        for group in then
        if group.standby == kind
        for each in group.results
        if (each.host, each.check) in unsure and each.verdict is not CheckVerdict.UNKNOWN
    )


def joined(proposals: Iterable[Proposal]) -> dict[str, dict[str, object]]:
    """Return what is declared by several proposals together, by host; under an empty name what is of the portal."""
    found: dict[str, dict[str, object]] = {}
    for each in proposals:
        tables = found.setdefault(each.host, {})
        for key, value in each.tables.items():
            if key == "no_standby":
                before = cast("list[str]", tables.get(key, []))
                tables[key] = sorted({*before, *cast("list[str]", value)})
            else:
                tables[key] = value
    return found
