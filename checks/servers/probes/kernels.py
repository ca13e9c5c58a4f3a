"""Which kernel runs, which are installed, and whether the system asks for a reboot. Debian and Ubuntu.

Sources: uname(1), dpkg-query(1), reboot-required of update-notifier-common. A host without a kernel package, such as a
container, prints no `kernel` line.

    running 6.12.48+deb13-amd64
    built #1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1 (2025-09-20)
    kernel ii |linux-image-6.12.57+deb13-amd64|6.12.57-1
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v dpkg-query >/dev/null || exit 127
[ -e /run/reboot-required ] && echo required
[ -e /run/reboot-required.pkgs ] && sed 's/^/for /' /run/reboot-required.pkgs
printf 'running %s\nbuilt %s\n' "$(uname -r)" "$(uname -v)"
dpkg-query -W -f 'kernel ${db:Status-Abbrev}|${Package}|${Version}\n' 'linux-image-[0-9]*' 2>/dev/null
echo end
"""
_BUILD = re.compile(r" Debian (\S+) \(")


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernel that runs beside those that would run after a reboot."""

    running: str
    """As `uname -r` prints it."""
    running_version: str
    """The package version that it was built as, where it says so; else empty."""
    installed: tuple[tuple[str, str], ...]
    """Release and package version of each kernel package that is fully installed."""
    is_reboot_asked: bool
    asked_by: tuple[str, ...]
    """Packages that asked for the reboot."""


def parse(output: Output) -> Kernels:
    """Read the running and the installed kernels."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of kernels is cut short"))
    running, build, asked, installed, is_asked = "", "", [], [], False
    for line in lines[:-1]:
        word, _, rest = line.partition(" ")
        if word == "running":
            running = rest
        elif word == "built":
            match = _BUILD.search(f" {rest}")
            build = match.group(1) if match else ""
        elif word == "for":
            asked.append(rest)
        elif word == "required":
            is_asked = True
        elif word == "kernel" and rest.count("|") == 2:
            state, package, version = rest.split("|")
            if state[1:2] == "i" and not package.endswith("-dbg"):
                installed.append((package.removeprefix("linux-image-").removesuffix("-unsigned"), version))
        else:
            raise Unparseable(msg("a line of the kernels cannot be parsed: {line}", line=shown(line, 80)))
    if not running:
        raise Unparseable(msg("the running kernel has no name"))
    return Kernels(running, build, tuple(installed), is_asked or bool(asked), tuple(asked))


PROBE = Probe("kernels", ("sh", "-c", _SCRIPT), parse, form=PIPED)
