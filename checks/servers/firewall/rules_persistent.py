"""The firewall comes back after a reboot, and denies then what it denies now.

Rules that were typed in are gone after the next power cut, on a night when nobody watches; a service that is enabled and loads an
empty file brings back nothing. Article 12.3.

The rule: one of nftables, netfilter-persistent or firewalld is enabled, or ufw is enabled as a unit, says ENABLED=yes in its own
settings and denies by default. The files of nftables and netfilter-persistent are loaded into an empty network namespace on
the host and judged as the live rules are: each loads without an error, and traffic that no rule names is denied over IPv4 and IPv6,
at each device where it is denied now. A protocol over which nothing is denied, now or then, fails too. The saved rules let in no sender, port and
protocol that the live ones refuse: a file that was changed and not loaded yet fails, and the message says what it lets in. Live rules
that refuse few senders by their addresses, as bans do, are not missed in the file. Where that cannot be
judged, or the unit of nftables or netfilter-persistent starts other commands, it is unknown. So it is where the unit has
settings beside those of a plain one under which it may load other rules, load them elsewhere or not start: a file system
or network of its own, other rights, a condition, or files that systemd has not read yet. A unit that requires one which
is not there fails.

What firewalld and ufw load is not tried: of rules in their files that the live ones lack, nothing is seen.

What else starts with the host or runs by cron as root, after these units, and speaks of nft or iptables leaves it unknown: it may
flush what they loaded. So does a command that names one of these units, such as one that stops it, and a file of fail2ban's that is
not its package's and has such commands. A host that starts into another target than multi-user or graphical is unknown. So are
rules that are read, directly or by `include`, from a file in memory or on a file system that no unit mounts at start. It does
not see what a program without such words in its files does, nor what the boot loader adds.

Sources: systemctl(1), ufw(8), unshare(1), nft(8), iptables-restore(8).

    Id=nftables.service
    LoadState=loaded
    ActiveState=active
    SubState=exited
    UnitFileState=enabled
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import boot_units, nft, saved_rules, systemd_units, ufw
from checks.servers.ruleset import PacketTarget, Ruleset, laxer
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity

_LOADERS = ("nftables.service", "netfilter-persistent.service")
_NAMES = {"ip": "IPv4", "ip6": "IPv6"}
_STRICTNESS = (PacketTarget.OPEN, PacketTarget.UNSURE, PacketTarget.SHUT)


@check(
    id="firewall.persistent",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_units.PROBE,),
    uses=(ufw.PROBE, saved_rules.PROBE, nft.PROBE, boot_units.PROBE),
    title=msg("the firewall comes back after a reboot"),
    remedy=msg(
        "Save the live rules into the file that is loaded at start, such as 'nft list ruleset' into /etc/nftables.conf, and enable the unit, such as 'systemctl enable nftables'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    outcomes = list(_outcomes(facts))
    if not outcomes:
        return failed("not-persistent", msg("no unit loads firewall rules at start"))
    # One that denies is enough: a packet is let in only if every filter lets it in.
    order = (CheckVerdict.PASS, CheckVerdict.UNKNOWN, CheckVerdict.FAIL)
    best = min(outcomes, key=lambda one: order.index(one.verdict))
    return _unsure_after(facts) or best if best.verdict is CheckVerdict.PASS else best


def _unsure_after(facts: Facts) -> CheckOutcome | None:
    """Return why the rules that are loaded may not last: something else that starts works on rules too."""
    boot = facts.get(boot_units.PROBE)
    if isinstance(boot, MissingFact):
        return missing(boot)
    if boot.other_targets:
        said = msg(
            "the host starts into another target, which may not start the firewall: {names}",
            names=listed(boot.other_targets),
        )
        return unknown("other-target", said)
    if boot.packets:
        said = msg(
            "what else starts and speaks of nft or iptables may change the rules: {names}", names=listed(boot.packets)
        )
        return unknown("others-change-rules", said)
    return None


def _outcomes(facts: Facts) -> Iterator[CheckOutcome]:
    """Yield what each that is enabled brings back."""
    units = facts[systemd_units.PROBE]
    enabled = [name for name, unit in units.items() if unit.is_enabled]
    if "firewalld.service" in enabled:
        yield passed(
            msg(
                "{unit} is enabled; the rules that it loads by its own settings were not tried",
                unit="firewalld.service",
            )
        )
    if loaders := [name for name in _LOADERS if name in enabled]:
        yield _judge_saved(facts, loaders)
    if "ufw.service" in enabled:
        seen = facts.get(ufw.PROBE)
        if isinstance(seen, MissingFact):
            yield missing(seen)
        elif not seen.is_enabled:
            yield failed("ufw-off", msg("ufw is started, but its settings load nothing"))
        elif seen.admits:
            yield failed("ufw-admits", msg("ufw's settings admit by default what no rule names, or leave out IPv6"))
        else:
            yield passed(
                msg("{unit} is enabled; the rules that it loads by its own settings were not tried", unit="ufw.service")
            )


def _judge_saved(facts: Facts, loaders: list[str]) -> CheckOutcome:
    saved = facts.get(saved_rules.PROBE)
    if isinstance(saved, MissingFact):
        return missing(saved)
    if saved.refused:
        said = msg(
            "{files} would not load at start: {complaint}", files=listed(saved.refused), complaint=saved.complaint
        )
        return unknown("device-missing", said) if saved.lacks_device else failed("saved-refused", said)
    if saved.lacks:
        said = msg("{unit} requires what is not there: {names}", unit=listed(loaders), names=listed(saved.lacks))
        return failed("lacks-unit", said)
    if saved.has_other_commands:
        return unknown("other-commands", msg("{unit} starts more than what loads its file", unit=listed(loaders)))
    live, trusted = facts.get(nft.PROBE), facts.declared.trusted_devices
    devices = saved.ruleset.devices() | (frozenset() if isinstance(live, MissingFact) else live.devices())
    now = {} if isinstance(live, MissingFact) else _doors(live, trusted, devices)
    then = _doors(saved.ruleset, trusted, devices)
    weaker = {
        place: door
        for place, door in then.items()
        if _STRICTNESS.index(door) < _STRICTNESS.index(now.get(place, PacketTarget.SHUT))
    }
    names = _families(weaker)
    if PacketTarget.OPEN in weaker.values():
        said = msg("after the next start traffic that no rule names is admitted over {names}", names=names)
        return failed("opens-at-start", said)
    # Where nothing is denied now, nothing shows that the firewall comes back.
    kept = {family for (family, _device), door in then.items() if door is not PacketTarget.OPEN}
    if bare := [place for place in then if place[0] not in kept]:
        said = msg(
            "traffic that no rule names is admitted over {names}, now and after the next start", names=_families(bare)
        )
        return failed("open-now-and-then", said)
    if weaker:
        return unknown(
            "saved-unclear",
            msg("it cannot be judged what {files} admit over {names}", files=listed(saved.files), names=names),
        )
    if isinstance(live, MissingFact):
        return missing(live)
    more = laxer(saved.ruleset, live, trusted)
    if more.opens:
        said = msg("the saved rules admit more than the live ones: {names}", names=listed(more.opens))
        return failed("admits-more-at-start", said)
    led = len(set(saved.ruleset.translations()) - set(live.translations()))
    if more.doubts or led or not more.is_whole:
        said = msg("it cannot be judged whether {files} admit more than the live rules", files=listed(saved.files))
        return unknown("saved-differ", said)
    if saved.fleeting:
        said = msg(
            "rules are read from files that may not be there at the next start: {files}", files=listed(saved.fleeting)
        )
        return unknown("files-fleeting", said)
    if saved.settings:
        said = msg(
            "{unit} has settings under which it may load other rules: {names}",
            unit=listed(loaders),
            names=listed(saved.settings),
        )
        return unknown("unit-confined", said)
    return passed(
        msg("{unit} loads at start what is denied now: {files}", unit=listed(loaders), files=listed(saved.files))
    )


def _doors(ruleset: Ruleset, trusted: Collection[str], devices: Collection[str]) -> dict[tuple[str, str], PacketTarget]:
    """Return what traffic that no rule names meets, by family and device."""
    return {
        (family, each.device): each.door for family in _NAMES for each in ruleset.entrances(family, trusted, devices)
    }


def _families(places: Iterable[tuple[str, str]]) -> str:
    return " + ".join(sorted({_NAMES[family] for family, _device in places}))
