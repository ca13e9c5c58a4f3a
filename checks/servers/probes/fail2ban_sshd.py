"""What fail2ban's jail for SSH reads, and for how long it bans. Needs root. Source: fail2ban-client(1).

The version of OpenSSH is asked too: since 9.8 the lines of logins come from `sshd-session` and not from `sshd`.

    Status for the jail: sshd
    |- Filter
    |  `- Journal matches:	_SYSTEMD_UNIT=ssh.service + _COMM=sshd
    bantime 600
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v fail2ban-client >/dev/null || exit 127
fail2ban-client status sshd || exit $?
printf 'bantime '
fail2ban-client get sshd bantime || exit $?
ssh -V 2>&1
for f in /var/log/auth.log /var/log/secure; do [ -e "$f" ] && stat -c 'log %Y %n' "$f"; done
echo end
"""
_MATCHES = re.compile(r"Journal matches:\s*(.+)$")
_FILES = re.compile(r"File list:\s*(.*)$")
_VERSION = re.compile(r"OpenSSH_(\d+)\.(\d+)")
_LOG = re.compile(r"log (\d{9,11}) (/\S+)$")


@dataclass(frozen=True, slots=True)
class SshJail:
    """The jail `sshd`."""

    exists: bool
    journal: tuple[frozenset[str], ...]
    """What it matches in the journal: any of these, each of which must hold as a whole; empty if it reads files."""
    files: tuple[str, ...]
    bans_seconds: int
    """Below zero: for ever."""
    openssh: tuple[int, int]
    written_at: dict[str, datetime]
    """By file: when the logs of logins were last written to, of those that are there."""


def parse(output: Output) -> SshJail:
    """Read the filter, the time and the version."""
    lines = output.lines()
    if output.exit_code == 255:
        complaint = output.errors + output.text
        if "does not exist" in complaint or "UnknownJail" in complaint:
            return SshJail(False, (), (), 0, (0, 0), {})
        raise Unparseable(msg("fail2ban reported: {seen}", seen=shown(complaint, 80)), reason="command-failed")
    text = "\n".join(line.strip() for line in lines)
    ban, version = re.search(r"^bantime (-?\d{1,10})$", text, re.MULTILINE), _VERSION.search(text)
    if not lines or lines[-1].strip() != "end" or ban is None or version is None:
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    matches = [match[1] for line in lines if (match := _MATCHES.search(line))]
    files = [name for line in lines if (match := _FILES.search(line)) for name in match[1].split()]
    return SshJail(
        True,
        tuple(frozenset(part.split()) for one in matches for part in one.split(" + ")),
        tuple(files),
        int(ban[1]),
        (int(version[1]), int(version[2])),
        {m[2]: datetime.fromtimestamp(int(m[1]), UTC) for line in lines if (m := _LOG.fullmatch(line.strip()))},
    )


PROBE = Probe("ids.fail2ban-sshd", ("sh", "-c", _SCRIPT), parse, needs_root=True, exit_codes=frozenset({0, 255}))
