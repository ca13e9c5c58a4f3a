"""The newest installed kernel runs, and no installed fix waits for a reboot.

A fixed kernel on disk protects nobody before the reboot. Article 12.3.

The rule: the running kernel is the newest installed one of its flavour, in the package version that is installed, and
nothing asked for a reboot. That nobody asked proves nothing alone: the file is written only where a helper package is
installed. A host without a kernel package (a container, a kernel of the hosting company) is unknown.

On RHEL and AlmaLinux `needs-restarting` is asked; without that plugin dnf ends with the code that means "reboot", and
the answer is unknown.

Sources: uname(1), dpkg-query(1), dnf(8). On Debian 13:

    running 6.12.48+deb13-amd64
    built #1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)
    kernel ii |linux-image-6.12.57+deb13-amd64|6.12.57-1
"""

from __future__ import annotations

import re

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import dnf_restart, kernels, os_release
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_FLAVOUR = re.compile(r"[a-z][a-z0-9-]*$")
_PARTS = re.compile(r"\d+|~|[^\d~]+")


@check(
    id="patching.reboot-required",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(os_release.PROBE,),
    uses=(kernels.PROBE, dnf_restart.PROBE),
    title=msg("the newest installed kernel runs"),
    remedy=msg("Reboot the host in an approved window."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(kernels.PROBE)
    if lack is not None:
        return missing(lack)
    seen = facts[kernels.PROBE]
    running = shown(seen.running, 60)
    if seen.is_reboot_asked:
        by = listed(seen.asked_by) or "?"
        return failed("reboot-asked", msg("{names} require a reboot", names=by))
    if not seen.installed:
        return unknown(
            "no-kernel-package", msg("no kernel package is installed; {running} comes from elsewhere", running=running)
        )
    installed = dict(seen.installed)
    if seen.running not in installed:
        newer = max(installed, key=_age)
        if _flavour(newer) == _flavour(seen.running) and _age(newer) > _age(seen.running):
            return failed(
                "older-kernel", msg("kernel {running} runs, but {newest} is installed", running=running, newest=newer)
            )
        return unknown(
            "foreign-kernel", msg("the running kernel {running} belongs to no installed package", running=running)
        )
    newest = max((name for name in installed if _flavour(name) == _flavour(seen.running)), key=_age)
    if newest != seen.running:
        return failed(
            "older-kernel", msg("kernel {running} runs, but {newest} is installed", running=running, newest=newest)
        )
    version = installed[newest]
    if seen.running_version and seen.running_version != version:
        return failed(
            "older-kernel",
            msg(
                "kernel {running} runs as built in {built}, but {newest} is installed",
                running=running,
                built=seen.running_version,
                newest=version,
            ),
        )
    return passed(msg("the newest installed kernel {running} runs", running=running))


def _judge_dnf(facts: Facts) -> CheckOutcome:
    wanted = facts.get(dnf_restart.PROBE)
    if isinstance(wanted, MissingFact):
        return missing(wanted)
    if wanted:
        return failed("reboot-asked", msg("dnf reports that a reboot is required"))
    return passed(msg("dnf reports that no reboot is necessary"))


def _flavour(release: str) -> str:
    match = _FLAVOUR.search(release)
    return match.group() if match else ""


def _age(release: str) -> list[tuple[int, int, str]]:
    """Order releases by their numbers; `~` comes before the end, as in Debian's versions."""
    parts = []
    for part in _PARTS.findall(release):
        if part.isdigit():
            parts.append((2, int(part), ""))
        else:
            parts.append((0, 0, "") if part == "~" else (1, 0, part))
    return [*parts, (1, 0, "")]
