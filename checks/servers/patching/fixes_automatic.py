"""Security fixes install themselves, or are declared to be installed by hand.

The common fault is silent: unattended-upgrades is on, its pattern names an archive that this release does not have, and
nothing is ever installed. Article 12.3.

The rule: unattended-upgrades is installed and on, and one of its patterns matches a security archive that the host
really has. It is to run every {within_days} days or more often (`Update-Days` too), and did so; apt's own timer starts it
within as many, now and, by all of its calendars (`OnCalendar`), at every time of the coming year. By its log, its last run that installed or had nothing to install ended without an error: the stamp alone proves
nothing, since runs that fail write it too; that it found no program to send mail with is no error here. apt itself can plan an upgrade:
with unmet dependencies the next run ends before it begins, and the answer is unknown. Its black and white lists leave out at most {most_percent} % of the installed packages.

It is known here which of apt's and dpkg's settings, of the directives of apt's units and of systemd's variables are harmless. Any
other makes the answer unknown, by its name. So does an interval that cannot be read, and so do lists that apt's own timer does not
refresh. A command that runs before or after is harmless where an unchanged file of a package brought it, or where a run that
installed ended well since the settings changed. What such a command will do at another time is not seen.
Instead, the portal may declare `updates = "manual"` for the host, which puts the duty on people.

On RHEL and AlmaLinux: a timer of dnf-automatic is enabled and waits, and it installs what it finds (`apply_updates`, or
dnf-automatic-install.timer). Its last run was within {within_days} days and ended well. Where `upgrade_type` is
`security`, a repository has advisories, without which that finds nothing. How a run ended systemd forgets when the host
starts anew: until the next run it is unknown. So it is where dnf, dnf-automatic or its units have settings that are not known here as
harmless.

Sources: dnf-automatic(8), systemctl(1); apt.conf(5), the README of unattended-upgrades (origin, label, archive or suite,
codename, component, with shell wildcards). On Debian 13:

    APT::Periodic::Unattended-Upgrade "1";
    Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import (
    apt_automatic,
    apt_index,
    apt_lists,
    apt_unattended,
    apt_upgrades,
    dnf_automatic,
    dnf_updates,
    os_release,
    packages_dpkg,
)
from checks.servers.probes.apt_automatic import Automatic
from checks.servers.probes.apt_index import Index
from checks.servers.probes.dnf_automatic import Timer
from checks.servers.probes.os_release import OsRelease
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import CheckVerdict, Severity

RAN_WITHIN = timedelta(days=2)
ZONES = timedelta(days=1)
LEEWAY = timedelta(hours=2)
"""A change of the clocks between two starts."""
MOST_PERCENT = 10
"""A kernel or a database that people upgrade themselves is less; a list that leaves out more guards no host."""
_PLAIN = re.compile(r"\^?(?:[A-Za-z0-9_.*+-]|\\[.+-]){1,100}\$?")
"""Of the expressions of its lists, those that are evaluated here: a host's expression may be made to run for ever."""
_MOST_REPEATS = 3
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_KEYS = {"o": "origin", "l": "label", "a": "archive", "suite": "archive", "n": "codename", "c": "component"}


@check(
    id="patching.unattended",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(
        apt_automatic.PROBE,
        apt_index.PROBE,
        apt_lists.PROBE,
        apt_unattended.PROBE,
        apt_upgrades.PROBE,
        dnf_automatic.PROBE,
        dnf_updates.PROBE,
        packages_dpkg.PROBE,
    ),
    title=msg("security fixes are installed automatically"),
    remedy=msg(
        "Correct Origins-Pattern in 50unattended-upgrades and turn it on, or on RHEL set apply_updates in automatic.conf and enable "
        "dnf-automatic.timer, or declare the host's updates as manual."
    ),
    numbers={"within_days": RAN_WITHIN.days, "most_percent": MOST_PERCENT},
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(apt_automatic.PROBE, apt_index.PROBE, apt_lists.PROBE)
    if lack is not None:
        return missing(lack)
    lists = facts[apt_lists.PROBE]
    automatic = facts[apt_automatic.PROBE]
    if facts.declared.updates == "manual":
        return _by_hand()
    if not automatic.is_enabled:
        return failed("not-enabled", msg("unattended-upgrades is not installed or not turned on"))
    security = [index for index in facts[apt_index.PROBE] if index.is_security]
    if not security:
        return unknown("no-security-source", msg("there is no security archive to match the patterns with"))
    release = facts[os_release.PROBE]
    if not any(_matches(pattern, index, release) for pattern in automatic.patterns for index in security):
        return failed(
            "pattern-matches-nothing", msg("no pattern of unattended-upgrades matches the host's security archive")
        )
    every = automatic.every_days
    if every is None:
        seen = shown(automatic.interval, 20)
        return unknown("interval-unclear", msg("the interval of unattended-upgrades cannot be read: {seen}", seen=seen))
    if every > RAN_WITHIN.days:
        return failed("too-rare", msg("unattended-upgrades runs only every {n} days", n=f"{every:g}"))
    if automatic.days and _most_days_apart(automatic.days) > RAN_WITHIN.days:
        said = msg("unattended-upgrades installs only on certain days: {names}", names=listed(automatic.days))
        return failed("too-rare", said)
    if automatic.next_at is not None and automatic.next_at - facts.at > RAN_WITHIN:
        said = msg("apt's timer starts unattended-upgrades next at {next}", next=automatic.next_at)
        return failed("next-run-far", said)
    if automatic.most_apart is not None and automatic.most_apart > RAN_WITHIN + LEEWAY:
        days = round(automatic.most_apart / timedelta(days=1))
        return failed("timer-too-rare", msg("apt's timer starts unattended-upgrades only after up to {n} days", n=days))
    if automatic.timer and (automatic.timer != "active" or not automatic.is_own_service):
        return unknown(
            "not-started-by-apt", msg("apt's own timer does not start unattended-upgrades; what else does is not known")
        )
    lists_every = automatic.lists_every_days
    if lists_every is None or lists_every > RAN_WITHIN.days or automatic.lists_timer not in {"", "active"}:
        said = msg(
            "apt's own timer does not refresh the lists every {n} days; what else does is not known", n=RAN_WITHIN.days
        )
        return unknown("lists-not-refreshed", said)
    if automatic.units:
        said = msg(
            "what starts unattended-upgrades is changed in ways that are not understood: {names}",
            names=listed(automatic.units),
        )
        return unknown("start-not-understood", said)
    excluded = _excluded(facts, automatic)
    if isinstance(excluded, CheckOutcome):
        return excluded
    if automatic.ran_at is None:
        return failed("never-ran", msg("unattended-upgrades is on but has never run"))
    if is_ahead(automatic.ran_at, facts.at):
        return unknown(
            "ran-in-future",
            msg("the last run of unattended-upgrades is dated in the future, {ran}", ran=automatic.ran_at),
        )
    if facts.at - automatic.ran_at > RAN_WITHIN:
        return failed("ran-long-ago", msg("unattended-upgrades last ran at {ran}", ran=automatic.ran_at))
    run = facts.get(apt_unattended.PROBE)
    if isinstance(run, MissingFact):
        return missing(run)
    if run is None or facts.at - run.at > RAN_WITHIN + ZONES or run.ended == "broken-off":
        return unknown("run-not-seen", msg("the log of unattended-upgrades does not show how its last run ended"))
    if run.ended != "ok":
        return failed(
            "run-failed", msg("the last run of unattended-upgrades ended with an error, at {ran}", ran=run.at)
        )
    not_tried = () if run.has_installed_so else lists.hooks
    if names := (*lists.elsewhere, *lists.installs, *not_tried):
        said = msg(
            "settings of which it is not known whether they hinder unattended-upgrades: {names}", names=listed(names)
        )
        return unknown("settings-not-understood", said)
    if isinstance(plan := facts.get(apt_upgrades.PROBE), MissingFact):
        return missing(plan)  # what stops apt, such as unmet dependencies, stops the next run too
    if excluded:
        return passed(
            nmsg(
                "unattended-upgrades covers the security archive but for {n} package, and ran at {ran}: {names}",
                "unattended-upgrades covers the security archive but for {n} packages, and ran at {ran}: {names}",
                len(excluded),
                ran=automatic.ran_at,
                names=listed(excluded),
            )
        )
    return passed(msg("unattended-upgrades covers the security archive and ran at {ran}", ran=automatic.ran_at))


def _most_days_apart(days: Sequence[str]) -> int:
    """Return the most days from one to the next of a week's days: by name as unattended-upgrades reads them, or 0 for Sunday."""
    known = [n for n, names in enumerate(_DAYS) if {names, names[:3], str(n)}.intersection(days)]
    return max((later - one for one, later in pairwise([*known, *(n + 7 for n in known[:1])])), default=8)


def _excluded(facts: Facts, automatic: Automatic) -> list[str] | CheckOutcome:
    """Return the installed packages that its lists leave out, or the verdict where they are too many or cannot be told."""
    if not automatic.blacklist and not automatic.whitelist:
        return []
    try:
        black, white = ([_compiled(each) for each in some] for some in (automatic.blacklist, automatic.whitelist))
    except re.error as error:
        seen = shown(str(error.pattern), 60)
        return unknown(
            "list-unclear",
            msg("a list of unattended-upgrades has an expression that is not evaluated: {seen}", seen=seen),
        )
    packages = facts.get(packages_dpkg.PROBE)
    if isinstance(packages, MissingFact):
        return missing(packages)
    names = sorted({each.name.partition(":")[0] for each in packages})
    left_out = [
        name
        for name in names
        if any(each.match(name) for each in black) or (white and not any(each.match(name) for each in white))
    ]
    if len(left_out) * 100 > len(names) * MOST_PERCENT:
        return failed(
            "packages-left-out",
            msg("unattended-upgrades leaves out {n} of {all} packages", n=len(left_out), all=len(names)),
        )
    return left_out


def _compiled(expression: str) -> re.Pattern[str]:
    """Compile an expression of a list.

    Raises:
        re.error: it is none, or not so simple that it surely ends.
    """
    if not _PLAIN.fullmatch(expression) or expression.count("*") + expression.count("+") > _MOST_REPEATS:
        raise re.error("not evaluated", expression)
    return re.compile(expression)


def _judge_dnf(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(dnf_automatic.PROBE)
    if lack is not None:
        return missing(lack)
    automatic = facts[dnf_automatic.PROBE]
    if facts.declared.updates == "manual":
        return _by_hand()
    if not any(timer.is_on for timer in automatic.timers):
        return failed("not-enabled", msg("no timer of dnf-automatic is turned on"))
    applying = [timer for timer in automatic.timers if timer.is_on and (timer.always_installs or automatic.applies)]
    if not applying:
        return failed("not-applied", msg("dnf-automatic downloads or lists updates but does not install them"))
    deaf = _deaf(facts, automatic.upgrade_type)
    if deaf is not None:
        return deaf
    if automatic.others:
        said = msg(
            "settings of which it is not known whether they hinder dnf-automatic: {names}",
            names=listed(automatic.others),
        )
        return unknown("settings-not-understood", said)
    order = (CheckVerdict.PASS, CheckVerdict.UNKNOWN, CheckVerdict.FAIL)
    return min((_ran(timer, facts.at) for timer in applying), key=lambda one: order.index(one.verdict))


def _deaf(facts: Facts, upgrade_type: str) -> CheckOutcome | None:
    """Return why this kind of upgrade finds no security fix, or None if it does."""
    if upgrade_type == "default":
        return None
    if upgrade_type != "security":
        return unknown("upgrade-type", msg("dnf-automatic's upgrade_type is {seen}", seen=shown(upgrade_type, 40)))
    seen = facts.get(dnf_updates.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    if any(one.has_advisories for one in seen.repositories):
        return None
    if any(one.fetched_at is None for one in seen.repositories) or not seen.repositories:
        return unknown("no-cache", msg("no repository data was fetched, so dnf-automatic finds no security updates"))
    return failed("no-advisories", msg("dnf-automatic installs only security updates, but no repository marks them"))


def _ran(timer: Timer, at: datetime) -> CheckOutcome:
    if timer.ran_at is None:
        return failed("never-ran", msg("{name} is on but has never run", name=timer.name))
    if is_ahead(timer.ran_at, at):
        return unknown(
            "ran-in-future",
            msg("the last run of {name} is dated in the future, {ran}", name=timer.name, ran=timer.ran_at),
        )
    if at - timer.ran_at > RAN_WITHIN:
        return failed("ran-long-ago", msg("{name} last ran at {ran}", name=timer.name, ran=timer.ran_at))
    if timer.is_result_lost:
        return unknown(
            "result-lost",
            msg(
                "{name} ran at {ran}; its result was lost when the host rebooted",
                name=timer.name,
                ran=timer.ran_at,
            ),
        )
    if timer.result != "success":
        return failed(
            "run-failed",
            msg("the last run of {name} ended with {seen}", name=timer.name, seen=shown(timer.result, 40) or "-"),
        )
    return passed(msg("{name} installs security updates and ran at {ran}", name=timer.name, ran=timer.ran_at))


def _by_hand() -> CheckOutcome:
    return passed(msg("the host's fixes are declared to be installed by hand"))


def _matches(pattern: str, index: Index, release: OsRelease) -> bool:
    """Say whether every condition of a pattern holds; a condition that can't be seen here does not."""
    names = {"${distro_codename}": release.codename, "${distro_id}": release.id.capitalize()}
    for name, value in names.items():
        pattern = pattern.replace(name, value)
    seen = {
        "origin": index.origin,
        "label": index.label,
        "archive": index.suite,
        "codename": index.codename,
        "component": index.component,
    }
    conditions = [condition.strip().partition("=") for condition in pattern.split(",") if condition.strip()]
    return bool(conditions) and all(
        fnmatch.fnmatchcase(seen.get(_KEYS.get(key, key), ""), value) for key, _, value in conditions
    )
