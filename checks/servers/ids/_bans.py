"""Whether a jail of fail2ban would ban a stranger, and whether the one for SSH sees any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from checks.servers.check import CheckOutcome, failed, missing, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import other_ways
from checks.servers.probes.fail2ban_sshd import BanAction, BanRule, SshJail
from checks.servers.probes.fail2ban_tried import Fail2banTried, LogWay
from checks.servers.ruleset import MOST_ADDRESSES, merged_spans, public_addresses
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict

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
LEAST_LEVEL = 6
"""Lines of failed logins are of the level `info` of syslog(3)."""
LEAST_RATE = 1.0
"""Lines a second: a guesser makes more of them."""
_SAYS = frozenset({"INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"})
"""Levels of sshd at which it logs failed logins (sshd_config(5))."""
_FAMILIES = {"4": "IPv4", "6": "IPv6"}


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
    return judge_odd(jail.odd)


def judge_odd(odd: Sequence[str]) -> CheckOutcome | None:
    """Say that it is not known whether these settings or orders keep a jail from banning; None without any."""
    if not odd:
        return None
    said = msg("it is not known whether these leave fail2ban's sight and bans alone: {names}", names=listed(odd))
    return unknown("settings-not-understood", said)


def judge_relays(facts: Facts, jail: SshJail) -> CheckOutcome | None:
    """Say which relays hide a stranger's address from sshd, or that these are not known; None without any."""
    ways = facts.get(other_ways.PROBE)
    if isinstance(ways, MissingFact):
        return None if ways.reason == "not-gathered" else missing(ways)
    ports = (jail.rule.ssh_ports if jail.rule else ()) or tuple(ANY_SERVICE.values())
    relays = sorted({f"{name} ({port})" for name, port in ways.relays if port in ports})
    if not relays:
        return None
    said = msg("relays lead to sshd, which sees their address and not a stranger's: {names}", names=listed(relays))
    return unknown("relayed", said)


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


def judge_tried(jail: str, rule: BanRule, tried: Fail2banTried) -> CheckOutcome | None:
    """Say what a trial of the jail showed that it does not do, or what could not be tried; None if it blocks and reads."""
    found = list(_troubles(jail, rule, tried))
    return next((one for one in found if one.verdict is CheckVerdict.FAIL), found[0] if found else None)


def _troubles(jail: str, rule: BanRule, tried: Fail2banTried) -> Iterator[CheckOutcome]:
    if jail == "sshd":
        yield from _silences(tried)
    match tried.reads.get(jail, "unnoted"):
        case "behind":
            yield failed("jail-behind", msg("the jail {jail} has not read the newest lines of its log", jail=jail))
        case "unnoted":
            yield unknown("not-noted", msg("fail2ban keeps no notes of how far the jail {jail} has read", jail=jail))
    idle = {each.name for each in rule.actions if each.does_nothing}
    trials = [each for each in tried.tried.get(jail, ()) if each.action not in idle]
    doors: dict[tuple[str, int], dict[str, str]] = {}
    for each in trials:
        doors.setdefault((each.family, each.port), {})[each.action] = each.met
    if not doors:
        yield unknown("not-tried", msg("no action of the jail {jail} could be tried", jail=jail))
    for (family, port), met in doors.items():
        if not {"shut", "believed"} & set(met.values()):
            yield _unshut(jail, f"{_FAMILIES[family]}, tcp/{port}", met)
    held, lost = tried.unheld.get(jail, (0, 0))
    if lost and any(each.met in {"shut", "open", "absent", "refused"} for each in trials):
        said = msg("the jail {jail} bans {all} addresses, and {n} of them are in no rule", jail=jail, all=held, n=lost)
        yield failed("not-in-rules", said)


def shut_doors(jail: str, tried: Fail2banTried) -> str:
    """Return where a banned stranger was shut out."""
    shut = [each for each in tried.tried.get(jail, ()) if each.met == "shut"]
    families = " + ".join(dict.fromkeys(_FAMILIES[each.family] for each in shut))
    return ", ".join((families, *dict.fromkeys(f"tcp/{each.port}" for each in shut))) if shut else "-"


def _unshut(jail: str, door: str, met: dict[str, str]) -> CheckOutcome:
    """Say why a banned stranger was not shut out."""
    unclear = {action: why for action, why in met.items() if why not in {"open", "absent"}}
    if unclear:
        action, why = next(iter(unclear.items()))
        said = {
            "odd": msg(
                "the action {action} runs other commands than nft and iptables, and was not tried", action=action
            ),
            "refused": msg("a command of the action {action} failed when it was tried", action=action),
        }.get(why, msg("the action {action} could not be tried", action=action))
        return unknown("not-tried", said)
    absent = [action for action, why in met.items() if why == "absent"]
    if absent:
        said = msg("a program of the action {action} of the jail {jail} is not installed", action=absent[0], jail=jail)
        return failed("no-program", said)
    return failed(
        "not-blocked",
        msg("a banned address still came in when the jail {jail} was tried: {door}", jail=jail, door=door),
    )


def _silences(tried: Fail2banTried) -> Iterator[CheckOutcome]:
    """Yield why sshd's lines do not come into the log that the jail reads."""
    if tried.level == "-":
        yield unknown("level-unknown", msg("sshd does not say at which level it logs"))
    elif tried.level not in _SAYS:
        yield failed("sshd-silent", msg("sshd logs no failed login: LogLevel {level}", level=tried.level))
    for way in tried.ways:
        # NOTE: what journald passes on to another logger it need not keep, but its limit holds for that too.
        yield from _narrow(way if way.name != "journald" or tried.is_of_journal else replace(way, most=None))
    if tried.login == "no":
        yield failed("login-unlogged", msg("the login of this scan is not in the log that the jail sshd reads"))


def _narrow(way: LogWay) -> Iterator[CheckOutcome]:
    if way.most is not None and way.most < LEAST_LEVEL:
        yield failed("log-narrow", msg("{name} keeps no lines of the level info, so no failed login", name=way.name))
    if way.lines_a_second is not None and way.lines_a_second < LEAST_RATE:
        yield failed("log-limited", msg("{name} keeps less than one line a second of a flood", name=way.name))
    if way.is_unclear:
        said = msg("{name} leaves out lines by their text, or keeps them in another journal", name=way.name)
        yield unknown("log-filtered", said)
