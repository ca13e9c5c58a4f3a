"""Who is who, dated: a report over 2024 names the department of 2024, one over 2026 its successor."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NewType, Protocol, TypeVar

from portalops.model.period import Period
from portalops.model.values import dataclass

UnitId = NewType("UnitId", str)
HostId = NewType("HostId", str)


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name in both languages of the portal."""

    vi: str
    en: str

    def __str__(self) -> str:
        return self.en

    def translate(self, language: str) -> str:
        """Return the Vietnamese name for `vi`, the English one otherwise."""
        return self.vi if language == "vi" else self.en


class Dated(Protocol):
    """Anything that exists from a day to a day."""

    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


DatedT = TypeVar("DatedT", bound=Dated)


def is_valid_on(dated: Dated, day: date) -> bool:
    """Say whether it existed on a day; an open end counts as always."""
    return (dated.valid_from is None or dated.valid_from <= day) and (dated.valid_to is None or day <= dated.valid_to)


def exists_during(dated: Dated, period: Period) -> bool:
    """Say whether it existed on any day of a period."""
    return (dated.valid_from is None or dated.valid_from <= period.last) and (
        dated.valid_to is None or period.first <= dated.valid_to
    )


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal whose duties are kept."""

    id: str
    """Lower-case letters, digits and hyphens; the first part of a set's name."""
    name: Name
    timezone: str
    """IANA name; every day boundary is local to it."""


class OfficeRole(StrEnum):
    """The offices that the regulation names; who holds one is configuration."""

    UNIT = "unit"
    """Đơn vị quản lý Cổng: runs portalops."""
    DEPARTMENT = "department"
    """Gets notices and reports."""
    COMMITTEE = "committee"
    """Approves changes and gets reports."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who holds an office, from a day to a day."""

    role: OfficeRole
    name: Name
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency that sends information in and keeps a sub-portal (cổng con)."""

    id: UnitId
    name: Name
    has_subportal: bool = True
    """Whether it has a sub-portal to update (K1); without one only submissions (K2) are due."""
    valid_from: date | None = None
    valid_to: date | None = None
    successors: tuple[UnitId, ...] = ()
    """The units that took over on the day after `valid_to`; duties are not inherited."""
    aliases: tuple[str, ...] = ()
    """Other names that registers, mail and sites use for it; a mail address, or a domain for all of its addresses, too."""
    cases_from: date | None = None
    """Weeks of it that ended before this day open no case: a trial, while its sources prove themselves."""


@dataclass(frozen=True, slots=True)
class Host:
    """A server of the portal."""

    id: HostId
    address: str
    """`local` for the machine portalops runs on; otherwise a host name or address reached over SSH."""
    roles: frozenset[str] = frozenset()
    """Declared roles such as `web`, `database`, `container`; only a role can make a check not applicable."""
    custodian: str = ""
    """Who sees to it that its findings are fixed; empty if nobody is named."""
