"""Who can work in a portal's content system, from its own table of accounts. Never a password, its hash, or an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PortalAccount:
    """One account that may do more than read."""

    name: str
    """What is typed to log in."""
    roles: tuple[str, ...]
    """What it may do, in the product's own words; in the order of the alphabet."""
    is_admin: bool
    """It may do everything, or make others that may."""
    is_open: bool
    """It is not blocked."""
    last_login_at: datetime | None = None
    """None: never, or it is not kept."""


@dataclass(frozen=True, slots=True)
class PortalAccounts:
    """The body of a `credential.portal-seen` record, under the key `accounts`: what one look found."""

    portal: str
    """The source of updates by whose connection it was looked at: `portal:ID` in the register of credentials."""
    product: str
    accounts: tuple[PortalAccount, ...]
    """By name."""
    keeps_logins: bool
    """The product keeps when an account was last used."""
