"""fail2ban's jail for SSH reads a log that is written, and bans for long enough those who try passwords.

A jail whose filter matches nothing bans nobody and says that all is well. Since OpenSSH 9.8 the lines of logins come from
`sshd-session`, and older filters no longer see them. Article 12.3 asks for software against intrusion.

The rule: the jail `sshd` exists. Of the journal it reads lines of the service, or of the program that writes them in
this version of OpenSSH; or it reads `/var/log/auth.log` or `/var/log/secure`, and that file was written to within
{written_days} days (a date in the future leaves it unknown). The filter `sshd` finds a failed login in the line that
sshd writes of one. It bans for {least_seconds} seconds or longer, or for ever. An address of each range for
documentation would be banned after at most {most_tries} tries, counted for at least {least_window} seconds. The jail
ignores neither it nor a large part of the Internet, and one of its actions blocks the ports on which sshd listens. A
program that decides whom to ignore leaves it unknown, and so does another filter, which is not tried.

Source: fail2ban-client(1), jail.conf(5). fail2ban 1.1.0 of Debian 13:

    `- Journal matches: _SYSTEMD_UNIT=ssh.service + _COMM=sshd
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.ids._bans import BANS_SECONDS, LEAST_WINDOW, MOST_TRIES, STRANGERS, judge_ban
from checks.servers.probes import fail2ban_sshd
from checks.servers.probes.fail2ban_sshd import SshJail
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

WRITTEN_WITHIN = timedelta(days=7)
OTHER_PROGRAM = (9, 8)
UNITS = frozenset({"_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=sshd.service"})


@check(
    id="ids.ssh-jail",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(fail2ban_sshd.PROBE,),
    title=msg("fail2ban's jail for SSH reads a live log, and bans for long enough"),
    remedy=msg(
        "Enable the jail sshd, set 'journalmatch = _SYSTEMD_UNIT=ssh.service + _COMM=sshd + _COMM=sshd-session', bantime {least_seconds}."
    ),
    numbers={
        "written_days": WRITTEN_WITHIN.days,
        "least_seconds": BANS_SECONDS,
        "most_tries": MOST_TRIES,
        "least_window": LEAST_WINDOW,
    },
)
def judge(facts: Facts) -> CheckOutcome:
    jail = facts[fail2ban_sshd.PROBE]
    if not jail.exists:
        return failed("no-jail", msg("fail2ban has no jail sshd"))
    written = {name: jail.written_at[name] for name in jail.files if name in jail.written_at}
    ahead = {name: at for name, at in written.items() if is_ahead(at, facts.at)}
    is_written = any(facts.at - at <= WRITTEN_WITHIN for name, at in written.items() if name not in ahead)
    if not is_written and not _reads_logins(jail):
        for name, at in ahead.items():
            return unknown("written-in-future", msg("{file} was last written to at {at}", file=name, at=at))
        reads = listed((*jail.files, *(" ".join(sorted(one)) for one in jail.journal))) or "-"
        return failed("reads-nothing", msg("the jail sshd reads no log that is being written: {reads}", reads=reads))
    if jail.sees_attacks is False and not jail.has_other_filter:
        return failed("filter-blind", msg("the filter sshd of fail2ban does not see a failed login in its line"))
    if 0 <= jail.bans_seconds < BANS_SECONDS:
        return failed(
            "bans-briefly", msg("the jail {jail} bans for only {n} seconds", jail="sshd", n=jail.bans_seconds)
        )
    if jail.rule is None:
        return passed(msg("the jail sshd reads logins and bans for {n} seconds", n=jail.bans_seconds))
    trouble = judge_ban("sshd", jail.rule)
    if trouble is None and jail.has_other_filter:
        said = msg("the jail sshd has another filter than sshd; whether that sees a failed login was not tried")
        return unknown("other-filter", said)
    return trouble or passed(
        msg(
            "the jail sshd reads logins; {address} would be banned for {n} seconds after {tries} tries",
            address=str(STRANGERS[0]),
            n=jail.bans_seconds,
            tries=jail.rule.tries,
        )
    )


def _reads_logins(jail: SshJail) -> bool:
    """Say whether it reads the lines of logins in the journal."""
    program = "_COMM=sshd-session" if jail.openssh >= OTHER_PROGRAM else "_COMM=sshd"
    return any(one and all(part in UNITS or part == program for part in one) for one in jail.journal)
