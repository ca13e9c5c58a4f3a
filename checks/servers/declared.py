"""What the portal declares about its servers, for checks to compare with.

What is not declared is not guessed: the check is then unknown, `not-declared`, never a pass. Settings hold for every
host; those under `[checks.declared.host.ID]` replace them for one host.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from checks.servers.baseline import Baseline
from checks.servers.outside.declared import OutsideDeclared, PageUrl

Listener = Annotated[str, StringConstraints(pattern=r"^(tcp|udp)/([1-9][0-9]{0,4})$")]
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^|\x00-\x1f]{0,255}$")]
Package = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+._-]{0,126}$")]
Device = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@-]{1,15}\*?$")]
Account = Annotated[str, StringConstraints(pattern=r"^[^\s:,]{1,64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
StandbyKind = Literal["vip", "postgresql", "mysql", "load-balancer", "spare", "log-collector"]
"""What a group of hosts is there for: to hold an address, to follow a database, to share requests, to step in by hand, to
keep the others' logs (the first member does)."""


class HostDeclared(Baseline, OutsideDeclared):
    """What is declared of one host; None is "nothing was declared", an empty list is "there are none"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: tuple[Name, ...] = ()
    """Roles that the host has beside those of its `[[host]]` table, such as `virtual`."""
    listeners: tuple[Listener, ...] | None = None
    """Ports that may and must listen on more than loopback, such as `tcp/443`."""
    trusted_devices: tuple[Device, ...] = ()
    """Network devices from which the firewall may let in everything, such as `wg0` of a VPN, or `br-*`; loopback always is."""
    admins: tuple[Account, ...] | None = None
    """Accounts of people who may become root, directly or through a group."""
    password_length: Annotated[int, Field(ge=8, le=64)] = 8
    """The least length of a password that an account may set: NIST SP 800-63B allows no shorter one in any case."""
    service_accounts: tuple[Account, ...] = ()
    """Accounts of programs that stand in privileged groups on purpose."""
    support: Literal["standard", "lts", "esm", "elts"] = "standard"
    """How long the maker's fixes are had for this host: longer than `standard` only by a contract or a declared choice."""
    updates: Literal["automatic", "manual"] = "automatic"
    """`manual` where fixes are installed by hand in approved windows."""
    fix_within_days: Annotated[int, Field(ge=0, le=365)] = 30
    """How long a published fix of a severe vulnerability may wait."""
    foreign_packages: tuple[Package, ...] = ()
    """Packages that come from no archive of the maker on purpose, by name."""
    cms: tuple[AbsolutePath, ...] | None = None
    """Folders that hold a content management system, by absolute path without links."""
    raid: tuple[str, ...] | None = None
    """Software RAID arrays that must exist, such as `md0`."""
    ups: tuple[Account, ...] | None = None
    """Power supplies with batteries that this host's NUT knows, by name; an empty list says that there is none."""
    sensors: tuple[Literal["wazuh", "suricata"], ...] | None = None
    """Sensors against intrusion that run here; an empty list says that there is none."""
    uploads: tuple[AbsolutePath, ...] = ()
    """Folders that the web server may write to, by absolute path."""
    log_days: Annotated[int, Field(ge=1, le=3660)] = 92
    """How many days back the host's logs must go: three months are asked of security level 3."""
    antivirus: str | None = None
    """The systemd unit of the antivirus product; None means ClamAV's."""
    units: tuple[str, ...] = ()
    """systemd units that must be active and start by themselves, such as `nginx.service`."""
    writable: tuple[str, ...] = ("/",)
    """Mount points that must not have become read-only."""
    remote_control: tuple[str, ...] = ()
    """Programs for remote control or tunnels that run on purpose, by name."""
    public_keys: tuple[str, ...] = ()
    """Files that are named like secrets and are meant to be read by all, by absolute path."""
    privileged_files: tuple[AbsolutePath, ...] = ()
    """Files with setuid, setgid or capabilities that no package delivers so, on purpose, by absolute path."""


def default_number(key: str) -> int:
    """Return the number that holds for a host where `key` is not declared, for the text that names it."""
    return int(HostDeclared.model_fields[key].default)


class GroupDeclared(BaseModel):
    """`[checks.declared.group.NAME]`: hosts of which some stand by for the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: StandbyKind
    members: Annotated[tuple[str, ...], Field(min_length=2)]
    """Ids of the hosts."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None = None
    """Of a `vip`: the address that one of the members holds."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 1
    """How many members follow the primary of a `postgresql` or `mysql`."""
    lag_mebibytes: Annotated[int, Field(ge=0, le=1 << 20)] = 16
    """How far a standby of `postgresql` may be behind: 16 MiB are one file of its log."""
    lag_seconds: Annotated[int, Field(ge=0, le=86400)] = 60
    """How far a replica of `mysql` may be behind."""
    differences: tuple[Package, ...] = ()
    """Packages that members of a `spare` have in different versions, or not all of them, on purpose."""
    drills: tuple[AwareDatetime, ...] = ()
    """When failovers were tried on purpose: the beginning of each."""
    outage_seconds: Annotated[int, Field(ge=1, le=86400)] | None = None
    """For how long a failover may cut users off."""
    pages: tuple[PageUrl, ...] = ()
    """Pages by which users come to the group, as some host declares them in its `pages`: how long they were cut off is told by
    their samples."""

    @model_validator(mode="after")
    def _is_whole(self) -> GroupDeclared:
        if len(set(self.members)) != len(self.members):
            raise ValueError("members must not repeat a host")
        if (self.kind == "vip") != (self.address is not None):
            raise ValueError('address is needed for the kind "vip", and for no other')
        return self


class Declared(HostDeclared):
    """`[checks.declared]` of the configuration."""

    station: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,60}$")] | None = None
    """What the place that this portalops looks from is called, where it looks at the hosts from outside in every round."""
    group: dict[Name, GroupDeclared] = Field(default_factory=dict)
    """Hosts that stand by for each other, by the group's name."""
    no_standby: tuple[StandbyKind, ...] = ()
    """Kinds of groups that the portal has none of, on purpose: what is judged of them does not apply."""
    host: dict[str, HostDeclared] = Field(default_factory=dict)
    """Differences, by host id."""

    def people(self) -> frozenset[str]:
        """Return the names of all members, also of those that are declared for one host alone; empty where nobody is declared."""
        return frozenset(name for each in (self, *self.host.values()) for name in each.members or {})

    def find_host(self, host_id: str) -> HostDeclared:
        """Return what holds for one host."""
        common = self.model_dump(exclude={"host", "group", "no_standby", "station"})
        special = self.host.get(host_id)
        own = special.model_dump(exclude_unset=True) if special else {}
        return HostDeclared.model_validate({**common, **own})
