"""Every administrative credential has a holder, a deputy and a place, and is changed in time; who leaves gives theirs back.

A password that nobody is recorded to hold is nobody's when something happens, and one that somebody took along opens the
door for years. Article 12.5: every member keeps their access information safe and answers for it.

The rule: in the register every credential of the host that is in use has a holder, a deputy, a place of custody and a day of
issue; it was changed by its last day (a password within 60 days, a key or token within 366, a certificate within 398, or
sooner as the register asks); nobody whose last day has come still knows it, as whoever held it does until it is changed or returned; and
every declared admin account of the host has one. Who is an admin is declared; without a declaration, with no credential of
the host in the register, or where a record cannot be read, the answer is unknown. Nobody has to have begun the register for
this to be asked: without one the answer is unknown too.

Whether what is open is in the register at all is cred.registered, of the portal's own accounts cred.portal-accounts.

Credentials of what runs on the host (`database:NAME@HOST`) are judged with it. Those whose system names no host are judged
with the machine that portalops runs on, or with the first host by id if that machine is none of the configuration.

Source: the records `credential.*` of the ledger, made by `portalops credential` (docs/credentials.md). 60 days for the
passwords of admins is how level 3 is read in acct.password-age. The section that portalops adds to the host's answer:

    {"credentials":[{"account":"an","changed_on":"2026-11-02","due_on":"2027-11-03","id":"web1-an","is_here":true,"lacks":[],
    "left":[],"records":[2]}],"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import own_credentials
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="cred.custody",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(own_credentials.PROBE,),
    title=msg("every administrative credential has a holder, a deputy and a place, and is changed in time"),
    remedy=msg(
        "See what is missing by 'portalops credential list'; hand over, change or take back what is late, and record it."
    ),
)
def judge(facts: Facts) -> Outcome:
    held, admins = facts[own_credentials.PROBE], facts.declared.admins
    rows, today = held.credentials, facts.at.astimezone(held.zone).date()
    left = {one.id: [person for person, last in one.left if last <= today] for one in rows}
    known = [f"{shown(name, 63)} ({shown(', '.join(people), 80)})" for name, people in left.items() if people]
    if known:
        return failed("known-to-leaver", msg("known to people who left: {names}", names=listed(known)))
    lacking = [f"{shown(one.id, 63)} ({', '.join(one.lacks)})" for one in rows if one.lacks]
    if lacking:
        return failed(
            "details-missing", msg("credentials of which something is not said: {names}", names=listed(lacking))
        )
    late = [f"{shown(one.id, 63)} ({one.due_on})" for one in rows if one.due_on is not None and one.due_on < today]
    if late:
        return failed("rotation-overdue", msg("credentials that were not changed in time: {names}", names=listed(late)))
    accounts = {one.account for one in rows if one.is_here}
    without = [shown(name, 64) for name in admins or () if name not in accounts]
    if without:
        return failed(
            "admin-not-registered", msg("admins without a credential in the register: {names}", names=listed(without))
        )
    ahead = [f"{shown(one.id, 63)} ({one.changed_on})" for one in rows if one.changed_on and one.changed_on > today]
    if ahead:
        return unknown(
            "changed-in-future",
            msg("credentials that are said to be changed in the future: {names}", names=listed(ahead)),
        )
    if not accounts:
        return unknown("none-of-host", msg("no credential of this host is in the register"))
    if admins is None:
        return unknown("not-declared", msg("who the admins are is not declared"))
    return passed(
        nmsg(
            "the {n} credential is held, kept and changed as it should be",
            "all {n} credentials are held, kept and changed as they should be",
            len(rows),
        )
    )
