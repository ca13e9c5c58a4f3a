"""Accounts that nobody uses are locked.

An account that nobody has used for weeks is missed by nobody when a stranger uses it. Article 12.5; the {within_days} days
are how this project reads it.

The rule: every account with a shell that can be logged in to, by a password or by a key, was used within {within_days} days.
Or its password was set within them. root is left out, for it is meant to be used in need alone, and so are
`service_accounts`. The last login is lastlog's, which counts those with a terminal, or the journal's of sshd. The journal
proves that an account was not used only if it goes back that far. And every sshd that listens must log at INFO or above it.

Sources: lastlog(8), lastlog2(8), journalctl(1), shadow(5). shadow 4.13 on Debian 12:

    an               pts/0    198.51.100.7     Wed Nov 25 02:00:00 +0000 2026
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from checks.servers.accounts._journal import silence
from checks.servers.accounts._keys import other_roads
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import (
    authorized_keys,
    lastlog,
    logins,
    passwd,
    shadow,
    sshd_config,
    sshd_outside,
    sshd_servers,
)
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

USED_WITHIN = timedelta(days=45)


@check(
    id="acct.stale",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(passwd.PROBE, shadow.PROBE, authorized_keys.PROBE),
    uses=(lastlog.PROBE, logins.PROBE, sshd_config.PROBE, sshd_outside.PROBE, sshd_servers.PROBE),
    title=msg("accounts that nobody uses are locked"),
    remedy=msg("Lock the account by 'usermod -L -e 1 NAME', or have its holder log in if it is still needed."),
    numbers={"within_days": USED_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    table, journal = facts.get(lastlog.PROBE), facts.get(logins.PROBE)
    if isinstance(table, MissingFact) and isinstance(journal, MissingFact):
        return unknown(journal.reason, msg("neither lastlog nor the journal shows logins: {why}", why=journal.seen))
    open_accounts = _open(facts)
    oldest = facts.at - USED_WITHIN
    used = {name for name in open_accounts if (at := _last(facts, name)) is not None and oldest <= at <= facts.at}
    unused = sorted(open_accounts - used)
    known = set(table) if not isinstance(table, MissingFact) else set()
    reaches = not isinstance(journal, MissingFact) and journal.oldest_at <= oldest
    silent = silence(facts)
    stale = [name for name in unused if name in known or (reaches and silent is None)]
    if stale:
        return failed(
            "account-unused", msg("not used for {days} days: {names}", days=USED_WITHIN.days, names=listed(stale))
        )
    if unused and reaches and silent is not None:
        return silent
    if unused:
        return unknown(
            "log-too-short",
            msg(
                "the journal does not go back {days} days; not seen in it: {names}",
                days=USED_WITHIN.days,
                names=listed(unused),
            ),
        )
    if (why := other_roads(facts)) is not None:
        return why
    return passed(
        nmsg(
            "the {n} account that is open was used within {days} days",
            "the {n} accounts that are open were used within {days} days",
            len(used),
            days=USED_WITHIN.days,
        )
    )


def _open(facts: Facts) -> set[str]:
    """Return the accounts that someone can log in to, root and those of programs left out."""
    kinds = {one.name: one.kind for one in facts[shadow.PROBE]}
    with_key = {one.account for one in facts[authorized_keys.PROBE].keys}
    with_key |= {one.account for one in facts[authorized_keys.PROBE].files if one.key_lines}
    return {
        one.name
        for one in facts[passwd.PROBE]
        if one.has_shell
        and one.name != "root"
        and one.name not in facts.declared.service_accounts
        and (kinds.get(one.name, "other") != "locked" or one.name in with_key)
    }


def _last(facts: Facts, name: str) -> datetime | None:
    """Return when an account was last used: a login, or the day on which its password was set."""
    table, journal = facts.get(lastlog.PROBE), facts.get(logins.PROBE)
    moments: list[datetime] = []
    if not isinstance(table, MissingFact) and (last := table.get(name)) is not None:
        moments.append(last.at)
    if not isinstance(journal, MissingFact):
        moments += [one.at for one in journal.accepted if one.account == name]
    day = next((one.changed_day for one in facts[shadow.PROBE] if one.name == name), None)
    if day and day < 100_000:
        moments.append(datetime.combine(date(1970, 1, 1) + timedelta(days=day), time(), UTC))
    return max((at for at in moments if at <= facts.at), default=None)
