"""fail2ban's jail for SSH reads a log that is written, and bans whoever tries passwords, for long enough.

A jail whose filter matches nothing bans nobody and says that all is well. Since OpenSSH 9.8 the lines of logins come from
`sshd-session`, and older filters no longer see them. Article 12.3 asks for software against intrusion.

The rule: the jail `sshd` exists; of the journal it reads lines of the service, or of the program that writes them in this
version of OpenSSH; or it reads `/var/log/auth.log` or `/var/log/secure`, and that file was written to within {written_days}
days (a date in the future leaves it unknown). It bans for {least_seconds} seconds or longer, or for ever. An address of each range for documentation would be
banned after at most {most_tries} tries, counted for at least {least_window} seconds: the jail ignores neither it nor a large part of
the Internet, and one of its actions blocks the ports on which sshd listens. A program that decides whom to ignore leaves it unknown.

Source: fail2ban-client(1), jail.conf(5). fail2ban 1.1.0 of Debian 13:

    `- Journal matches: _SYSTEMD_UNIT=ssh.service + _COMM=sshd
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probes import fail2ban_sshd
from checks.servers.probes.fail2ban_sshd import BanAction, BanRule, SshJail
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

WRITTEN_WITHIN = timedelta(days=7)
BANS_SECONDS = 600
MOST_TRIES = 20
LEAST_WINDOW = 60
STRANGERS = tuple(map(ip_address, ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")))
"""One of each range for documentation (RFC 5737, RFC 3849): nobody's, so nobody has a reason to let it in."""
MOST_IGNORED = {4: 1 << 24, 6: 1 << 108}
"""Public addresses that a jail may ignore, by version: as many as the largest networks that anybody was given."""
ANY_SERVICE = {"ssh": 22}
EVERYBODY = {"0.0.0.0": "0.0.0.0/0", "::": "::/0"}  # noqa: S104  # nothing is bound
"""fail2ban 1.1.0 shows a network of no bits without its length."""
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
    if 0 <= jail.bans_seconds < BANS_SECONDS:
        return failed("bans-briefly", msg("the jail sshd bans for only {n} seconds", n=jail.bans_seconds))
    if jail.rule is None:
        return passed(msg("the jail sshd reads logins and bans for {n} seconds", n=jail.bans_seconds))
    return _judge_rule(jail.rule) or passed(
        msg(
            "the jail sshd reads logins; {address} would be banned for {n} seconds after {tries} tries",
            address=str(STRANGERS[0]),
            n=jail.bans_seconds,
            tries=jail.rule.tries,
        )
    )


def _judge_rule(rule: BanRule) -> CheckOutcome | None:
    """Say why a stranger would not be banned, or that it cannot be told; None if one would be."""
    if wide := _too_wide(rule.ignored):
        return failed("ignores-all", msg("the jail sshd ignores {addresses}", addresses=listed(wide)))
    if rule.tries > MOST_TRIES or rule.window_seconds < LEAST_WINDOW:
        said = msg(
            "the jail sshd bans only after {tries} tries within {n} seconds", tries=rule.tries, n=rule.window_seconds
        )
        return failed("bans-late", said)
    working = [each for each in rule.actions if not each.does_nothing]
    if not working:
        return failed("no-action", msg("the jail sshd has no action that blocks anybody"))
    blocking = [each for each in working if each.blocks]
    if not blocking:
        names = listed([each.name for each in working])
        return unknown(
            "action-unclear", msg("it is not known whether these actions block anybody: {names}", names=names)
        )
    missed = [port for port in rule.ssh_ports if not any(_covers(each, port) for each in blocking)]
    if missed:
        return failed(
            "other-port", msg("the jail sshd does not block the ports of sshd: {ports}", ports=listed(map(str, missed)))
        )
    if rule.ignore_command:
        return unknown("ignore-command", msg("a program decides whom the jail sshd ignores"))
    return None


def _too_wide(ignored: Sequence[str]) -> list[str]:
    """Return the ignored networks that hold strangers, or all public ones where they are too many together."""
    networks = [ip_network(EVERYBODY.get(each, each), strict=False) for each in ignored if _is_network(each)]
    with_strangers = [
        str(one) for one in networks if any(each.version == one.version and each in one for each in STRANGERS)
    ]
    if with_strangers:
        return with_strangers
    for version, most in MOST_IGNORED.items():
        public = [one for one in networks if one.version == version and not one.is_private]
        if sum(one.num_addresses for one in public) > most:
            return [str(one) for one in public]
    return []


def _is_network(text: str) -> bool:
    """Say whether it is one; names stand in such lists too, each for a host or two."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _covers(action: BanAction, port: int) -> bool:
    if not action.ports:
        return True
    for each in action.ports:
        first, _colon, last = each.replace("-", ":").partition(":")
        low, high = (ANY_SERVICE.get(name, int(name) if name.isdecimal() else -1) for name in (first, last or first))
        if low <= port <= high:
            return True
    return False


def _reads_logins(jail: SshJail) -> bool:
    """Say whether it reads the lines of logins in the journal."""
    program = "_COMM=sshd-session" if jail.openssh >= OTHER_PROGRAM else "_COMM=sshd"
    return any(one and all(part in UNITS or part == program for part in one) for one in jail.journal)
