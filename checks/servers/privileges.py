"""What probes do as root, and how an account that is not root is let do that and nothing else: sudoers and the helper.

A plain command stands in sudoers(5) word by word, with its absolute path: no wildcard, no shell, no pager. What a shell must
do as root, such as to look into every account's folder (a pattern is expanded before sudo is asked, by an account that sees
nothing there), stands in a small program that belongs to root: each of its subcommands is one probe, takes nothing from
outside, and carries a digest of what it does, so that a program of another version answers none of it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checks.servers.probe import Probe

HELPER = "/usr/local/libexec/portalops-helper"
KILL_SECONDS = 2
"""Between asking a command to stop and making it."""
OTHER_VERSION = 64
"""What the helper ends with when it is asked for what it does not know; EX_USAGE of sysexits(3)."""
_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")
"""Words that sudoers(5) can hold as they are, or with a backslash: no wildcard, no quote, no space."""
_SPECIAL = re.compile(r"([,:=\\])")
_FOLDERS = ("/usr/bin", "/usr/sbin")


def needs_helper(probe: Probe[Any]) -> bool:
    """Say whether a command is more than sudoers(5) can hold word by word."""
    return probe.command[0] in {"sh", "bash"} or not all(_PLAIN.fullmatch(word) for word in probe.command)


def subcommand(probe: Probe[Any]) -> str:
    """Return by which word the helper does a probe: its id, and a digest of the command and its limit."""
    text = "\0".join((str(probe.timeout_seconds), *probe.command))
    return f"{probe.id}@{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def root_probes(probes: Iterable[Probe[Any]]) -> tuple[Probe[Any], ...]:
    """Return the probes that need root, by id."""
    return tuple(sorted((one for one in probes if one.needs_root and one.command), key=lambda one: one.id))


def helper_program(probes: Iterable[Probe[Any]]) -> bytes:
    """Return the helper: the same bytes on every host, for POSIX sh."""
    cases = (
        f"{subcommand(one)})\n  set -- {one.timeout_seconds} {shlex.join(one.command)} ;;"
        for one in root_probes(probes)
        if needs_helper(one)
    )
    return _HELPER.replace("CASES", "\n".join(cases)).encode()


_HELPER = (
    r"""#!/bin/sh
# The helper of portalops: what its account may read as root, and nothing else. It changes nothing and takes no path.
# Keep it as root's own, mode 755, at PATH_OF_HELPER; 'portalops host helper' prints it and its digest.
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C LANGUAGE= TZ=UTC
export PATH LC_ALL LANGUAGE TZ
unset IFS ENV BASH_ENV CDPATH
cd / || exit 70
case $#:$1 in
1:*) ;;
*) echo "portalops-helper: one subcommand is needed" >&2; exit OTHER_VERSION ;;
esac
case $1 in
CASES
*)
  echo "portalops-helper: it is of another version than the portalops that asks; install what 'portalops host helper' prints" >&2
  exit OTHER_VERSION ;;
esac
S=$1
shift
if command -v timeout >/dev/null; then exec timeout -k KILL_SECONDS "$S" "$@"; fi
exec "$@"
""".replace("PATH_OF_HELPER", HELPER)
    .replace("OTHER_VERSION", str(OTHER_VERSION))
    .replace("KILL_SECONDS", str(KILL_SECONDS))
)


def sudo_words(probe: Probe[Any], program: str, timeout: str | None) -> tuple[str, ...]:
    """Return what stands behind `sudo -n` in the script for a probe.

    Args:
        probe: one that needs root.
        program: the absolute path of its program on the host.
        timeout: the absolute path of timeout(1) there; None if it has none.
    """
    if needs_helper(probe):
        return HELPER, subcommand(probe)
    limit = (timeout, "-k", str(KILL_SECONDS), str(probe.timeout_seconds)) if timeout else ()
    return (*limit, program, *probe.command[1:])


def sudoers_text(
    probes: Iterable[Probe[Any]], user: str, *, paths: Mapping[str, str] | None = None, helper_sha256: str
) -> str:
    """Return the file for /etc/sudoers.d: what an account may run as root, word by word.

    Args:
        probes: all that the script may run.
        user: the account.
        paths: the absolute path of each program that the host has, `timeout` among them; a command whose program it lacks
            is left out. None for hosts in general: each program in both folders that systems keep them in.
        helper_sha256: of the helper; sudo runs no other one.
    """
    commands = [line for one in root_probes(probes) for line in _commands(one, paths, helper_sha256)]
    listed = ", \\\n    ".join(commands)
    return (
        "# What portalops may run as root to look at this host: it reads, and changes nothing.\n"
        "# 'portalops host sudoers' prints this file. Put it in place by:  visudo -cf FILE && install -m 440 FILE"
        " /etc/sudoers.d/portalops\n"
        f"Cmnd_Alias PORTALOPS = \\\n    {listed}\n"
        f"Defaults:{user} !requiretty, !lecture\n"
        f"{user} ALL=(root) NOPASSWD: PORTALOPS\n"
    )


def _commands(probe: Probe[Any], paths: Mapping[str, str] | None, helper_sha256: str) -> Sequence[str]:
    if needs_helper(probe):
        return [f"sha256:{helper_sha256} {_escaped(sudo_words(probe, '', None))}"]
    program = probe.command[0]
    if paths is None:
        return [_escaped(sudo_words(probe, f"{folder}/{program}", "/usr/bin/timeout")) for folder in _FOLDERS]
    if program not in paths:
        return []
    return [_escaped(sudo_words(probe, paths[program], paths.get("timeout")))]


def _escaped(words: Sequence[str]) -> str:
    program, *rest = words
    # a command without arguments would let every argument through
    return " ".join((program, *(_SPECIAL.sub(r"\\\1", word) for word in rest))) if rest else f'{program} ""'
