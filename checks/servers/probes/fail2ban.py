"""Whether fail2ban guards anything: `fail2ban-client status`, and whom each jail bans, as fail2ban-client(1) has it.

Exit code 255 with a word about its socket means that the server does not run. At most 30 jails and 40 actions are asked.

    Status
    |- Number of jail:	1
    `- Jail list:	sshd
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.fail2ban_sshd import BANS, MOST_JAILS, BanRule, are_actions_cut, bans_of, odd_of
from portalops.model.message import msg

_SCRIPT = (
    r"""
command -v fail2ban-client >/dev/null || exit 127
X=$(fail2ban-client status)
C=$?
printf '%s\n' "$X"
[ "$C" = 0 ] || exit "$C"
L=$(printf '%s\n' "$X" | sed -n 's/.*Jail list:[[:space:]]*//p' | tr ',' '\n' | tr -cd 'A-Za-z0-9_.\n-' | head -n 30)
"""
    + BANS
)
_NUMBER = re.compile(r"Number of jails?:\s*(\d+)")
_LIST = re.compile(r"Jail list:[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Fail2ban:
    """Whether it runs, and which jails it has."""

    is_running: bool
    jails: tuple[str, ...]
    bans: tuple[tuple[int, BanRule], ...] = ()
    """Of each jail for how many seconds it bans, and whom; none in answers of versions before that was asked.
    Fewer than jails where those are more than are asked."""
    odd: tuple[tuple[str, ...], ...] = ()
    """Of each jail: what is not known to leave it alone, as `odd_of` tells."""


def parse(output: Output) -> Fail2ban:
    """Read the jails; their number must be that of the list."""
    if output.exit_code != 0:
        if "Failed to access socket path" in output.errors + output.text:
            return Fail2ban(is_running=False, jails=())
        raise Unparseable(msg("fail2ban reported: {seen}", seen=shown(output.errors, 80)), reason="command-failed")
    number, names = _NUMBER.search(output.text), _LIST.search(output.text)
    jails = tuple(name.strip() for name in names.group(1).split(",") if name.strip()) if names else ()
    if number is None or int(number.group(1)) != len(jails):
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    bans = bans_of(output) if jails else ()
    asked = min(len(jails), MOST_JAILS)
    if bans and len(bans) != asked and not are_actions_cut(output):
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    return Fail2ban(is_running=True, jails=jails, bans=bans, odd=tuple(odd_of(output, name) for name in jails))


PROBE = Probe("ids.fail2ban", ("sh", "-c", _SCRIPT), parse, needs_root=True, exit_codes=frozenset({0, 255}))
