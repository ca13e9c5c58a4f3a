"""Who an account belongs to, and which accounts a person can log in to."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.baseline import KnownPerson


def owner_of_key(fingerprint: str, members: Mapping[str, KnownPerson]) -> str | None:
    """Return the member whose key it is."""
    return next((name for name, member in members.items() if fingerprint in member.keys), None)


def owners_of_account(account: str, members: Mapping[str, KnownPerson]) -> tuple[str, ...]:
    """Return the members whose own account it is said to be."""
    return tuple(sorted(name for name, member in members.items() if account in member.accounts))
