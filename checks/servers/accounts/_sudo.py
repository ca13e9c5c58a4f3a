"""Whose uses of sudo are: whoever uses it becomes root, or another account, and is named in the journal by account alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checks.servers.accounts._journal import PERIOD
from checks.servers.accounts._people import owner_of_key, owners_of_account
from checks.servers.baseline import KnownPerson
from checks.servers.check import CheckOutcome, missing, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import logins, sudo_uses, sudoers
from checks.servers.probes.logins import Login
from checks.servers.probes.sudo_uses import Use
from portalops.model.message import msg


def nobodys_uses(facts: Facts) -> tuple[Use, ...]:
    """Return the uses of the last 31 days that are no one member's; none where they were not seen.

    root becomes nobody who can do more, and who became root is told by the login or the use before. A declared service account
    uses sudo as a program: without a terminal.
    """
    found, members = facts.get(sudo_uses.PROBE), facts.declared.members or {}
    if isinstance(found, MissingFact):
        return ()
    seen = facts.get(logins.PROBE)
    accepted = [] if isinstance(seen, MissingFact) else [one for one in seen.accepted if one.at >= facts.at - PERIOD]
    programs = facts.declared.service_accounts
    return tuple(
        one
        for one in found.uses
        if one.last_at >= facts.at - PERIOD
        and one.account != "root"
        and not (one.account in programs and not one.terminal)
        and len(members_behind(one.account, members, accepted)) != 1
    )


def members_behind(account: str, members: Mapping[str, KnownPerson], accepted: Iterable[Login]) -> frozenset[str]:
    """Return the members whom an account may stand for: whose own it is said to be, and whose keys came in to it."""
    keys = {one.key for one in accepted if one.account == account and one.key}
    by_key = {owner for key in keys if (owner := owner_of_key(key, members)) is not None}
    return frozenset(by_key | set(owners_of_account(account, members)))


def unseen_uses(facts: Facts) -> CheckOutcome | None:
    """Return why uses of sudo may be missing from the journal, by its settings of now; None where none can be."""
    found = facts.get(sudo_uses.PROBE)
    if isinstance(found, MissingFact):
        return missing(found)
    if not found.is_installed:
        return None
    rules = facts.get(sudoers.PROBE)
    if isinstance(rules, MissingFact):
        return missing(rules)
    if "sudo.conf" in rules.sources:  # another policy, which logs what it likes
        return unknown("rules-elsewhere", msg("sudo also takes rules from {names}", names="sudo.conf"))
    if rules.unlogged_by:
        return unknown(
            "sudo-log-off",
            msg(
                "sudo does not log every use to the system's log: {setting}",
                setting=shown(rules.unlogged_by, 60),
            ),
        )
    return None


def use_shown(one: Use) -> str:
    """Return a use for people: who, as whom, and where."""
    return f"{shown(one.account, 40)} (sudo -u {shown(one.target, 40)}, {shown(one.terminal, 20) or '-'})"
