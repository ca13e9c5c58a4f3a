"""Whether a jail of fail2ban would ban a stranger, and whether the one for SSH sees any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from checks.servers.check import CheckOutcome, failed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.probes.fail2ban_sshd import BanAction, BanRule, SshJail
from checks.servers.ruleset import MOST_ADDRESSES, merged_spans, public_addresses
from checks.servers.wording import listed
from portalops.model.message import msg

BANS_SECONDS = 600
MOST_TRIES = 20
LEAST_WINDOW = 60
STRANGERS = tuple(map(ip_address, ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1")))
"""One of each range for documentation (RFC 5737, RFC 3849): nobody's, so nobody has a reason to let it in."""
ANY_SERVICE = {"ssh": 22}
WRITTEN_WITHIN = timedelta(days=7)
OTHER_PROGRAM = (9, 8)
UNITS = frozenset({"_SYSTEMD_UNIT=ssh.service", "_SYSTEMD_UNIT=sshd.service"})
EVERYBODY = {"0.0.0.0": "0.0.0.0/0", "::": "::/0"}  # noqa: S104  # nothing is bound
"""fail2ban 1.1.0 shows a network of no bits without its length."""


def judge_sight(jail: SshJail, now: datetime) -> CheckOutcome | None:
    """Say why the jail `sshd` does not see a failed login, or that it cannot be told; None if it sees one."""
    written = {name: jail.written_at[name] for name in jail.files if name in jail.written_at}
    ahead = {name: at for name, at in written.items() if is_ahead(at, now)}
    is_written = any(now - at <= WRITTEN_WITHIN for name, at in written.items() if name not in ahead)
    if not is_written and not _reads_logins(jail):
        for name, at in ahead.items():
            return unknown("written-in-future", msg("{file} was last written to at {at}", file=name, at=at))
        reads = listed((*jail.files, *(" ".join(sorted(one)) for one in jail.journal))) or "-"
        return failed("reads-nothing", msg("the jail sshd reads no log that is being written: {reads}", reads=reads))
    if jail.has_other_filter:
        said = msg("the jail sshd has another filter than sshd; whether that sees a failed login was not tried")
        return unknown("other-filter", said)
    if jail.sees_attacks is False:
        return failed("filter-blind", msg("the filter sshd of fail2ban does not see a failed login in its line"))
    return None


def _reads_logins(jail: SshJail) -> bool:
    """Say whether it reads the lines of logins in the journal."""
    program = "_COMM=sshd-session" if jail.openssh >= OTHER_PROGRAM else "_COMM=sshd"
    return any(one and all(part in UNITS or part == program for part in one) for one in jail.journal)


def judge_ban(jail: str, rule: BanRule) -> CheckOutcome | None:
    """Say why a stranger would not be banned, or that it cannot be told; None if one would be."""
    if wide := _too_wide(rule.ignored):
        return failed("ignores-all", msg("the jail {jail} ignores {addresses}", jail=jail, addresses=listed(wide)))
    if rule.tries > MOST_TRIES or rule.window_seconds < LEAST_WINDOW:
        said = msg(
            "the jail {jail} bans only after {tries} tries within {n} seconds",
            jail=jail,
            tries=rule.tries,
            n=rule.window_seconds,
        )
        return failed("bans-late", said)
    working = [each for each in rule.actions if not each.does_nothing]
    if not working:
        return failed("no-action", msg("the jail {jail} has no action that blocks anybody", jail=jail))
    blocking = [each for each in working if each.blocks]
    if not blocking:
        names = listed([each.name for each in working])
        return unknown(
            "action-unclear", msg("it is not known whether these actions block anybody: {names}", names=names)
        )
    missed = [port for port in rule.ssh_ports if not any(_covers(each, port) for each in blocking)]
    if missed:
        ports = listed(map(str, missed))
        return failed(
            "other-port", msg("the jail {jail} does not block the ports of sshd: {ports}", jail=jail, ports=ports)
        )
    if rule.ignore_command:
        return unknown("ignore-command", msg("a program decides whom the jail {jail} ignores", jail=jail))
    return None


def _too_wide(ignored: Sequence[str]) -> list[str]:
    """Return the ignored networks that hold strangers, or all public ones where they are too many together."""
    networks = [ip_network(EVERYBODY.get(each, each), strict=False) for each in ignored if _is_network(each)]
    with_strangers = [
        str(one) for one in networks if any(each.version == one.version and each in one for each in STRANGERS)
    ]
    if with_strangers:
        return with_strangers
    for family, most in MOST_ADDRESSES.items():
        own = [str(one) for one in networks if one.version == (4 if family == "ip" else 6) and not one.is_private]
        if sum(public_addresses(family, span) for span in merged_spans(family, tuple(own))) > most:
            return own
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
