"""The passwords of those who may become root were changed lately, by the days in /etc/shadow.

Article 12.5: each member keeps the access given to them safe; what leaked unnoticed ends with the next change.

The rule: the passwords of root and of every declared admin, where they can be used, were changed within {within_days} days.
Who is an admin is declared; without a declaration, or where an admin has no line in the file or a password no day, the
answer is unknown. Locked passwords do not count: their holders come in by keys.

It does not see whether the password really became another one on that day: root can set the day alone (`chage -d`), or the same password
again. No hash leaves the host, so that none of two days can be compared.

Source: shadow(5): the days since 1970 of the last change.

    an|crypt-y|20700|60
"""

from __future__ import annotations

from datetime import date, timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import shadow
from checks.servers.wording import listed, together
from portalops.model.credentials import LONGEST_DAYS, CredentialKind
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import Severity

CHANGED_WITHIN = timedelta(days=LONGEST_DAYS[CredentialKind.PASSWORD])
"""Two months, as level 3 is read here; the regulation itself names no number."""


@check(
    id="acct.password-age",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(shadow.PROBE,),
    title=msg("by /etc/shadow, the passwords of those who may become root were changed lately"),
    remedy=msg(
        "Have each holder set a new password, and run 'chage -M {within_days} NAME' so that the system "
        "asks for the next one."
    ),
    numbers={"within_days": CHANGED_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    if facts.declared.admins is None:
        return unknown("not-declared", msg("the admins are not declared"))
    admins = dict.fromkeys(("root", *facts.declared.admins))
    usable = [one for one in facts[shadow.PROBE] if one.name in admins and one.kind != "locked"]
    oldest, tomorrow = facts.at.date() - CHANGED_WITHIN, facts.at.date() + timedelta(days=1)
    changed = [(one.name, day) for one in usable if (day := _day(one.changed_day)) is not None]
    old = [_dated(name, day) for name, day in changed if day < oldest]
    if old:
        return failed("password-old", msg("passwords last changed too long ago: {names}", names=together(old)))
    known = {one.name for one in facts[shadow.PROBE]}
    absent = [name for name in admins if name not in known]
    if absent:
        return unknown("no-shadow-line", msg("accounts without a line in /etc/shadow: {names}", names=listed(absent)))
    unsure = [one.name for one in usable if _day(one.changed_day) is None]
    if unsure:
        return unknown(
            "no-day", msg("the day of the last password change is not recorded: {names}", names=listed(unsure))
        )
    ahead = [_dated(name, day) for name, day in changed if day > tomorrow]
    if ahead:
        return unknown(
            "changed-in-future",
            msg("passwords whose last change is dated in the future: {names}", names=together(ahead)),
        )
    if not usable:
        return passed(msg("no admin can log in by a password"))
    return passed(
        nmsg(
            "{n} admin's password can be used; by its day in /etc/shadow it was changed within {days} days",
            "{n} admins' passwords can be used; by their days in /etc/shadow they were changed within {days} days",
            len(usable),
            days=CHANGED_WITHIN.days,
        )
    )


def _dated(name: str, day: date) -> Message:
    """Return an account with the day as its reader writes days."""
    return msg("{name} ({day})", name=shown(name, 60), day=day)


def _day(number: int | None) -> date | None:
    """Return the day; 0 means "must be changed at the next login", which is no day of a change."""
    return date(1970, 1, 1) + timedelta(days=number) if number and number < 100_000 else None
