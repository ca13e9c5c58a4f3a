"""Who was let in over SSH: what sshd wrote into the journal, as journalctl(1) and sshd's auth.c have it.

Only messages of root's own processes are asked for: any account may write into the journal under sshd's name. Since
OpenSSH 9.8 the program is called sshd-session. Messages of several lines are indented, so a name that holds a line end
forges nothing. `match` stands there where a Match block of sshd's settings may let it log less of some logins, or where the
settings cannot be read.

At VERBOSE it writes before a login which key or certificate it takes; those lines are left out.

    oldest 1792000000
    1795317369.123456 portal sshd-session[812]: Accepted publickey for an from 198.51.100.7 port 40022 ssh2: ED25519 SHA256:...
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v journalctl >/dev/null || exit 127
o=$(journalctl -q --no-pager -o short-unix _UID=0 | head -n 1) || exit $?
printf 'oldest %s\n' "${o%%.*}"
for f in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do
  [ ! -e "$f" ] || awk 'tolower($1) == "match" { m = 1 } m && tolower($1) ~ /^(loglevel|include)/ { f = 1 } END { exit f }' "$f" || echo match
done 2>/dev/null | head -n 1
{ journalctl -q --no-pager -o short-unix -t sshd -t sshd-session _UID=0 --since=-46d || echo broken; } |
  { grep -a -v -E '^[0-9.]+ [^ ]+ sshd(-session)?\[[0-9]+\]: Accepted (([A-Z0-9-]+ public )?key ([A-Z0-9-]+ )?SHA256:|certificate ID ")' || [ $? -eq 1 ] || echo broken; } |
  grep -a -E '^broken$|^[0-9.]+ [^ ]+ sshd(-session)?\[[0-9]+\]: Accepted ' || [ $? -eq 1 ] || exit 2
echo end
"""
_LOGIN = re.compile(
    r"(?P<at>\d{9,11})\.\d+ \S+ sshd(?:-session)?\[\d+\]: Accepted (?P<method>[a-z0-9/-]+) for (?P<account>\S+)"
    r" from (?P<address>[0-9A-Fa-f.:]+)(?:%\S+)? port \d+ ssh2(?:: (?P<how>.*))?"
)
_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True)
class Login:
    """One login that was accepted."""

    at: datetime
    account: str
    method: str
    """`publickey`, `password`, `keyboard-interactive/pam`, `hostbased`, ..."""
    address: IPv4Address | IPv6Address
    key: str
    """`SHA256:...` of the key, or of the authority that signed it; empty without a key."""


@dataclass(frozen=True, slots=True)
class Logins:
    """Those of the last 46 days, as far as the journal goes back."""

    oldest_at: datetime
    """Of the journal's oldest entry, UTC."""
    accepted: tuple[Login, ...]
    is_level_matched: bool = False
    """sshd may log less of some logins than of others."""


def parse(output: Output) -> Logins:
    """Read the logins; a journal of which nothing is to be seen is closed to the account, or not kept."""
    lines = [line.rstrip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end" or not lines[0].startswith("oldest"):
        raise Unparseable(msg("the list of logins is cut short"))
    oldest = lines[0].removeprefix("oldest").strip()
    if not oldest.isdecimal() or len(oldest) > 11:
        raise Unparseable(
            msg("the journal is empty: the account may not read it, or the host keeps none"),
            reason="journal-closed",
        )
    found = []
    is_level_matched = lines[1] == "match"
    for line in lines[2 if is_level_matched else 1 : -1]:
        login = _LOGIN.fullmatch(line)
        if login is None:
            raise Unparseable(msg("sshd logged a login in a form that cannot be parsed: {line}", line=shown(line, 100)))
        try:
            address = ip_address(login["address"])
        except ValueError as error:
            raise Unparseable(
                msg("sshd logged a login in a form that cannot be parsed: {line}", line=shown(line, 100))
            ) from error
        keys = _KEY.findall(login["how"] or "")
        at = datetime.fromtimestamp(int(login["at"]), UTC)
        found.append(Login(at, login["account"], login["method"], address, keys[-1] if keys else ""))
    return Logins(datetime.fromtimestamp(int(oldest), UTC), tuple(found), is_level_matched)


PROBE = Probe("acct.logins", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, limit_bytes=4 << 20)
