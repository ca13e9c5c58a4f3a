"""The approved state of a host, declared: what checks of changes, of identity and of who comes in compare with.

Each table is a photograph that somebody looked at and approved. None is "nothing was declared": the check that compares
with it is unknown then, and says what it saw, so that it can be declared.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

Word = Annotated[str, StringConstraints(pattern=r"^[^\s|]{1,128}$")]
AccountName = Annotated[str, StringConstraints(pattern=r"^[^\s:,|]{1,64}$")]
PackagePattern = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9*][A-Za-z0-9+.*_-]{0,126}$")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n]{1,200}$")]
FilePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00\r\n]{1,1000}$")]
FileDigest = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|-> [^\x00\r\n]{1,1000})$")]
"""SHA-256 of a file's content, or `-> TARGET` of a symbolic link."""
Network = IPv4Network | IPv6Network
_FORM = ConfigDict(extra="forbid", frozen=True)


class MachineIdentity(BaseModel):
    """What a machine says that it is."""

    model_config = _FORM

    machine_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Of /etc/machine-id: it stays with the installation, and a copied disk has it too."""
    hostname: Word
    serial: Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n|]{0,128}$")]
    """The maker's number of the hardware; empty for a machine that gives none."""


class Hosting(BaseModel):
    """On what a machine runs."""

    model_config = _FORM

    vendor: Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n|]{0,128}$")]
    """The maker as the firmware names it; empty where it names none, as in a container."""
    virtualization: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    """As systemd-detect-virt names it: `none` for hardware, `kvm`, `vmware`, ..."""
    cloud_approval: str = ""
    """The document that lets the host stand with a cloud provider; empty if there is none."""


class ChangeWindow(BaseModel):
    """A time in which changes were approved, or an incident was worked on."""

    model_config = _FORM

    start_at: AwareDatetime
    end_at: AwareDatetime
    reference: Line
    """The document or record behind it."""

    @model_validator(mode="after")
    def _check_order(self) -> ChangeWindow:
        if self.end_at < self.start_at:
            raise ValueError("end_at is before start_at")
        return self

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies in it, ends included."""
        return self.start_at <= moment <= self.end_at


class StandingApproval(BaseModel):
    """An approval that holds until it is taken back, such as for the maker's security fixes."""

    model_config = _FORM

    reference: Line
    by: AccountName | None = None
    """Who may: an account, or `unattended-upgrade`; None is anyone. rpm does not record it, so there it must be None."""
    packages: tuple[PackagePattern, ...] = ("*",)
    """Which, by name; `*` stands for any letters."""


LONGEST_DAYS = 62
"""How long a declared window may be: as long as one that is asked for by `portalops change request`."""
_NAMES_SOMETHING = re.compile(r"[A-Za-z0-9]").search


class ApprovedChanges(BaseModel):
    """Which changes were approved."""

    model_config = _FORM

    since: AwareDatetime
    """Changes are looked for from this moment on: the day of the approved state."""
    windows: tuple[ChangeWindow, ...] = ()
    standing: tuple[StandingApproval, ...] = ()

    @model_validator(mode="after")
    def _limited(self) -> ApprovedChanges:
        """Refuse what would approve everything, as the register of changes does: a window without end, anything by anyone."""
        if any(each.end_at - each.start_at > timedelta(days=LONGEST_DAYS) for each in self.windows):
            raise ValueError(f"a window is longer than {LONGEST_DAYS} days")
        if any(each.by is None and not all(map(_NAMES_SOMETHING, each.packages)) for each in self.standing):
            raise ValueError("every package by everybody is no limit: give 'by', or name the packages")
        return self

    def window_of(self, moment: datetime) -> ChangeWindow | None:
        """Return the window that a moment lies in."""
        return next((one for one in self.windows if one.holds(moment)), None)


class KnownPerson(BaseModel):
    """A person, or a program with an account of its own, that comes in."""

    model_config = _FORM

    keys: tuple[Fingerprint, ...] = ()
    """Fingerprints of SSH keys, as `ssh-keygen -l` prints them."""
    accounts: tuple[AccountName, ...] = ()
    """Accounts that are this member's own."""


class Baseline(BaseModel):
    """The part of a host's declaration that says what was approved."""

    model_config = _FORM

    identity: MachineIdentity | None = None
    """The machine that it is; by nature of one host."""
    hosting: Hosting | None = None
    """On what it runs."""
    address_ranges: tuple[Network, ...] | None = None
    """Networks that its addresses may be of, private ones of containers too."""
    changes: ApprovedChanges | None = None
    """Approved windows and standing approvals."""
    config_files: Annotated[dict[FilePath, FileDigest], Field(min_length=1)] | None = None
    """Files with their approved content, by path: SHA-256, or `-> TARGET` of a symbolic link."""
    accounts: tuple[AccountName, ...] | None = None
    """Every account of the host, the system's own ones too."""
    login_accounts: tuple[AccountName, ...] | None = None
    """Those of them whose shell lets somebody log in."""
    groups: tuple[AccountName, ...] | None = None
    """Every group of the host."""
    enabled_units: tuple[Word, ...] | None = None
    """Every systemd unit that starts by itself."""
    cron_files: dict[FilePath, FileDigest] | None = None
    """Every file that cron reads, with its approved content."""
    repositories: tuple[Line, ...] | None = None
    """Sources of packages: `SITE RELEASE` as apt names them and `key FINGERPRINT` of who signs, or the repository's id of dnf."""
    members: dict[Word, KnownPerson] | None = None
    """Who comes in, by a name that the portal knows."""
    admin_ranges: tuple[Network, ...] | None = None
    """Networks from which members log in."""
    mfa_gateways: tuple[Network, ...] = ()
    """Addresses of gateways that ask for two factors, where admins come in through such a one alone."""
