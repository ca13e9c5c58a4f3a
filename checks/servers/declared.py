"""What the portal declares about its servers, for checks to compare with.

What is not declared is not guessed: the check is then unknown, `not-declared`, never a pass. Settings hold for every
host; those under `[checks.declared.host.ID]` replace them for one host.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from checks.servers.baseline import Baseline

Listener = Annotated[str, StringConstraints(pattern=r"^(tcp|udp)/([1-9][0-9]{0,4})$")]
AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^|\x00-\x1f]{0,255}$")]
Package = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9+._-]{0,126}$")]
Account = Annotated[str, StringConstraints(pattern=r"^[^\s:,]{1,64}$")]


class HostDeclared(Baseline):
    """What is declared of one host; None is "nothing was declared", an empty list is "there are none"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listeners: tuple[Listener, ...] | None = None
    """Ports that may and must listen on more than loopback, such as `tcp/443`."""
    admins: tuple[Account, ...] | None = None
    """Accounts of people who may become root, directly or through a group."""
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


class Declared(HostDeclared):
    """`[checks.declared]` of the configuration."""

    host: dict[str, HostDeclared] = Field(default_factory=dict)
    """Differences, by host id."""

    def for_host(self, host_id: str) -> HostDeclared:
        """Return what holds for one host."""
        common = self.model_dump(exclude={"host"})
        special = self.host.get(host_id)
        own = special.model_dump(exclude_unset=True) if special else {}
        return HostDeclared.model_validate({**common, **own})
