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

It is known here which settings of a jail are harmless; any other, such as `logtimezone` or `datepattern`, makes the answer unknown,
by its name. So does a unit, a cron job or a program of /usr/local that gives fail2ban orders, such as `unban`: it may undo the bans.
Scripts elsewhere are not seen.

A relay that leads to a port of sshd leaves it unknown, by its name: sshd sees the relay's address, and no ban meets the stranger.
HAProxy, nginx, stunnel, xinetd, sslh and others are known by their settings, socat, systemd-socket-proxyd, ssh and others by their
command or a unit of the host's own. A rule of the firewall that redirects another port to sshd keeps the address, and the ban
holds there. It does not see relays of other programs or of other hosts, nor rules that change the sender's address.

The whole way is tried. sshd logs at INFO or more, and its unit and journald keep such lines, at least {least_rate} a
second of a flood; the login of this scan is in the log. By fail2ban's own notes the jail has read that log to its end.
Its actions ban a stranger in an empty network on the host: who could connect to the ports of sshd before cannot
afterwards, over IPv4, and over IPv6 where the host has it. What the jail bans now is in the rules. Actions that run other
commands than nft, iptables and ipset are not tried, and leave it unknown where neither firewalld nor ufw runs that they
speak to.

Source: fail2ban-client(1), jail.conf(5). fail2ban 1.1.0 of Debian 13:

    `- Journal matches: _SYSTEMD_UNIT=ssh.service + _COMM=sshd
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed
from checks.servers.facts import Facts
from checks.servers.ids._bans import (
    BANS_SECONDS,
    LEAST_RATE,
    LEAST_WINDOW,
    MOST_TRIES,
    STRANGERS,
    WRITTEN_WITHIN,
    judge_ban,
    judge_relays,
    judge_sight,
    judge_tried,
    shut_doors,
)
from checks.servers.probe import MissingFact
from checks.servers.probes import fail2ban_sshd, fail2ban_tried, other_ways
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity


@check(
    id="ids.ssh-jail",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(fail2ban_sshd.PROBE,),
    uses=(fail2ban_tried.PROBE, other_ways.PROBE),
    title=msg("fail2ban's jail for SSH reads a live log, and bans for long enough"),
    remedy=msg(
        "Enable the jail sshd, set 'journalmatch = _SYSTEMD_UNIT=ssh.service + _COMM=sshd + _COMM=sshd-session', bantime {least_seconds}."
    ),
    numbers={
        "written_days": WRITTEN_WITHIN.days,
        "least_seconds": BANS_SECONDS,
        "most_tries": MOST_TRIES,
        "least_window": LEAST_WINDOW,
        "least_rate": int(LEAST_RATE),
    },
)
def judge(facts: Facts) -> CheckOutcome:
    jail = facts[fail2ban_sshd.PROBE]
    if not jail.exists:
        return failed("no-jail", msg("fail2ban has no jail sshd"))
    sight = judge_sight(jail, facts.at)
    if sight is not None and sight.verdict is CheckVerdict.FAIL:
        return sight
    if 0 <= jail.bans_seconds < BANS_SECONDS:
        return failed(
            "bans-briefly", msg("the jail {jail} bans for only {n} seconds", jail="sshd", n=jail.bans_seconds)
        )
    if jail.rule is None:
        return sight or passed(msg("the jail sshd reads logins and bans for {n} seconds", n=jail.bans_seconds))
    tried = facts.get(fail2ban_tried.PROBE)
    trial = missing(tried) if isinstance(tried, MissingFact) else judge_tried("sshd", jail.rule, tried)
    every = (judge_ban("sshd", jail.rule), trial, sight, judge_relays(facts, jail))
    found = [one for one in every if one is not None]
    trouble = next((one for one in found if one.verdict is CheckVerdict.FAIL), found[0] if found else None)
    return trouble or passed(
        msg(
            "the jail sshd reads logins; {address} would be banned for {n} seconds after {tries} tries, and was shut out in a trial: {doors}",
            address=str(STRANGERS[0]),
            n=jail.bans_seconds,
            tries=jail.rule.tries,
            doors="-" if isinstance(tried, MissingFact) else shut_doors("sshd", tried),
        )
    )
