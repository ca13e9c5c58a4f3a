"""Every administrative credential has a holder, a deputy and a place, and is changed in time; who leaves gives theirs back.

For a password without a recorded holder nobody is responsible when something happens; a password that somebody took along
opens the door for years. Article 12.5: every member keeps their access information safe and answers for it.

The rule: in the register every credential of the host that is in use has a holder, a deputy, a place of custody and a day
of issue; holder and deputy are declared members (of whom neither that nor a leaving is on record, nobody knows who they
are); it was changed by its last day (a password within {password_days} days, a key within {key_days}, a token within
{token_days}, a certificate within {certificate_days}, or sooner as the register asks); nobody whose last day has come still
knows it (a former holder knows it until it is changed or returned); and every declared admin account of the host has one.
Every kind of fault that there is is named, the gravest first. Who is an admin, and who a member, is declared; without a
declaration, with no credential of the host in the register, or where a record cannot be read, the answer is unknown. Nobody
has to have begun the register for this to be asked: without one the answer is unknown too.

Whether what is open is in the register at all is cred.registered, of the portal's own accounts cred.portal-accounts.

Credentials of what runs on the host (`database:NAME@HOST`) are judged with it. Those whose system names no host are judged
with the machine that portalops runs on, or with the first host by id if that machine is none of the configuration.

Source: the records `credential.*` of the ledger, made by `portalops credential` (docs/credentials.md). How long a
password may be used is what acct.password-age asks of admins. The section that portalops adds to the host's answer:

    {"credentials":[{"account":"an","changed_on":"2026-11-02","due_on":"2027-11-03","id":"web1-an","is_here":true,"lacks":[],
    "left":[],"records":[2],"strangers":[]}],"members":true,"state":"seen","zone":"Asia/Ho_Chi_Minh"}

`members` says whether anybody is declared a member, `strangers` which of holder and deputy is none; answers of before that was
asked have neither, and are judged without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import own_credentials
from checks.servers.probes.own_credentials import Custody
from checks.servers.wording import together
from portalops.model.credentials import LONGEST_DAYS
from portalops.model.message import Message, Value, msg, nmsg, verbatim
from portalops.model.verdicts import Severity
from portalops.registers.credentials import LACKING


@check(
    id="cred.custody",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(own_credentials.PROBE,),
    title=msg("every administrative credential has a holder, a deputy and a place, and is changed in time"),
    remedy=msg(
        "See what is missing with 'portalops credential list'; hand over, change or take back what is "
        "late, and record it."
    ),
    numbers={f"{kind}_days": days for kind, days in LONGEST_DAYS.items()},
)
def judge(facts: Facts) -> CheckOutcome:
    held, admins = facts[own_credentials.PROBE], facts.declared.admins
    rows, today = held.credentials, facts.at.astimezone(held.zone).date()
    if faults := _faults(rows, admins or (), today):
        return _failed(faults)
    ahead = [_with_day(shown(one.id, 63), one.changed_on) for one in rows if one.changed_on and one.changed_on > today]
    if ahead:
        return unknown(
            "changed-in-future",
            msg("credentials whose last change is dated in the future: {names}", names=together(ahead)),
        )
    if not any(one.is_here for one in rows):
        return unknown("none-of-host", msg("no credential of this host is in the register"))
    if admins is None:
        return unknown("not-declared", msg("the admins are not declared"))
    if held.are_members_declared is False:
        return unknown(
            "not-declared", msg("the members are not declared, so it is not known whether the holders are members")
        )
    return passed(
        nmsg(
            "the {n} credential is held, kept and changed as required",
            "all {n} credentials are held, kept and changed as required",
            len(rows),
        )
    )


_FAULTS = {
    "known-to-leaver": msg("known to people who left: {names}"),
    "holder-unknown": msg("held by somebody who is not a declared member and is not recorded as having left: {names}"),
    "details-missing": msg("credentials with missing details: {names}"),
    "rotation-overdue": msg("credentials that were not changed in time: {names}"),
    "admin-not-registered": msg("admins without a credential in the register: {names}"),
}
"""By the coded reason of a fail, gravest first: how it is told."""
_FURTHER = 3
"""How many names of each fault but the gravest are told: a sentence must stay one."""


def _faults(rows: Sequence[Custody], admins: Iterable[str], today: date) -> Mapping[str, Sequence[Value]]:
    """Return what is wrong by its coded reason, each with the names that it is wrong of."""
    known: dict[str, list[Value]] = {reason: [] for reason in _FAULTS}
    for one in rows:
        name = shown(one.id, 63)
        if people := [person for person, last in one.left if last <= today]:
            known["known-to-leaver"].append(f"{name} ({shown(', '.join(people), 80)})")
        if one.strangers:
            known["holder-unknown"].append(_with_words(name, one.strangers))
        if one.lacks:
            known["details-missing"].append(_with_words(name, one.lacks))
        if one.due_on is not None and one.due_on < today:
            known["rotation-overdue"].append(_with_day(name, one.due_on))
    accounts = {one.account for one in rows if one.is_here}
    known["admin-not-registered"] += [shown(name, 64) for name in admins if name not in accounts]
    return {reason: names for reason, names in known.items() if names}


def _with_day(name: str, day: date) -> Message:
    return Message("{name} ({day})", {"name": name, "day": day})


def _with_words(name: str, what: Sequence[str]) -> Message:
    words = [LACKING.get(one) or verbatim(shown(one, 20)) for one in what]
    return Message("{name} ({what})", {"name": name, "what": together(words)})


def _failed(faults: Mapping[str, Sequence[Value]]) -> CheckOutcome:
    """Return the fail of the gravest fault, which tells of the others too."""
    said = [
        replace(_FAULTS[reason], values={"names": together(names, limit=_FURTHER if at else 6)})
        for at, (reason, names) in enumerate(faults.items())
    ]
    return failed(next(iter(faults)), together(said, "; ") if len(said) > 1 else said[0])
