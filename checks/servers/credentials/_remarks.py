"""How what the register and what was seen do not agree on becomes the outcome of a check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from checks.servers.check import CheckOutcome, failed, unknown
from checks.servers.credential_audit import Remark
from checks.servers.wording import listed
from portalops.model.message import msg

_WRONG = {
    "no-password": ("no-password", msg("database accounts that ask for no password: {names}")),
    "of-leaver": ("account-of-leaver key-of-leaver", msg("still open for people who left: {names}")),
    "returned-but-open": ("returned-but-open", msg("still open, although the credential was returned: {names}")),
    "admin-unregistered": (
        "admin-unregistered",
        msg("unrestricted accounts without a recorded holder: {names}"),
    ),
    "not-registered": (
        "account-unknown account-unregistered key-unknown key-unregistered",
        msg("open and not registered: {names}"),
    ),
    "key-elsewhere": ("key-elsewhere", msg("keys that open more than they are registered for: {names}")),
    "account-gone": ("account-gone", msg("registered, but missing on the system: {names}")),
}
"""By the coded reason of a fail, gravest first: the remarks that it tells of, and how."""


def outcome_of(remarks: Iterable[Remark], good: CheckOutcome) -> CheckOutcome:
    """Return what the gravest of the remarks comes to: what is wrong before what was not seen; without any, the good one."""
    reasons = {code: reason for reason, (codes, _said) in _WRONG.items() for code in codes.split()}
    names: dict[str, dict[str, None]] = {}
    unseen: Remark | None = None
    for each in remarks:
        if each.is_unknown:
            unseen = unseen or each
        else:
            names.setdefault(reasons.get(each.what, each.what), {})[each.name] = None
    for reason, (_codes, said) in _WRONG.items():
        if reason in names:
            return failed(reason, replace(said, values={"names": listed(names[reason])}))
    for reason, others in names.items():
        return failed(reason, msg("different from the register: {names}", names=listed(others)))
    return good if unseen is None else unknown(unseen.reason, unseen.said)
