"""The accounts: /etc/passwd, as passwd(5) has it. Read as a file: a directory service can hang.

Where the host looks for accounts elsewhere too (nsswitch.conf(5)), be it in records of systemd (nss-systemd(8)), a line tells that. The password field is reduced on the host to a word, and the personal field left out. Debian, Ubuntu, RHEL alike.

    root:x:0:0::/root:/bin/bash
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_AWK = (
    '{ sub(/\\r$/, ""); p = $2; k = "inline"; if (NF < 7) { print "?:" NF; next }'
    ' if (p == "x") k = "x"; else if (p == "") k = "empty"; else if (p ~ /^[*!]/) k = "locked";'
    ' print $1 ":" k ":" $3 ":" $4 "::" $6 ":" $7 }'
)
ELSEWHERE = r"""
for s in $(sed -n 's/#.*//; s/\[[^]]*\]//g; s/^\(DATABASE\):/ /p' /etc/nsswitch.conf 2>/dev/null); do
case $s in
files | compat | mymachines) ;;
sss) [ ! -e /var/lib/sss/pipes/nss ] || echo "+$s" ;;
systemd) for f in /etc/userdb /run/userdb /usr/local/lib/userdb; do
for f in "$f"/*.RECORDS; do [ ! -e "$f" ] || echo "+$s"; done; done ;;
*) echo "+$s" ;;
esac
done
"""
"""Prints a line for each source but the files."""

CLOSED = frozenset({"nologin", "false", "sync", "halt", "shutdown"})
"""Programs that end at once, or do one thing and end."""


@dataclass(frozen=True, slots=True)
class PasswdAccount:
    """One line of the file."""

    name: str
    password: str
    """`x` (in shadow), `empty`, `locked`, or `inline` for a hash that stands in the open."""
    uid: int
    gid: int
    home: str
    shell: str

    @property
    def has_shell(self) -> bool:
        """Say whether its shell lets somebody log in; an empty one is /bin/sh (passwd(5))."""
        return self.shell.rpartition("/")[2] not in CLOSED


def parse(output: Output) -> tuple[PasswdAccount, ...]:
    """Read every account; a line of another form makes the whole list unknown."""
    found = []
    for line in output.lines():
        fields = line.split(":")
        if line.startswith(("+", "-")):
            raise Unparseable(msg("some accounts come from a directory service"), reason="directory-accounts")
        if len(fields) != 7 or not fields[0] or not fields[2].isdecimal() or not fields[3].isdecimal():
            raise Unparseable(
                msg("the list of accounts has a line that cannot be parsed: {line}", line=shown(line, 60))
            )
        found.append(PasswdAccount(fields[0], fields[1], int(fields[2]), int(fields[3]), fields[5], fields[6]))
    if not found:
        raise Unparseable(msg("the list of accounts is empty"))
    return tuple(found)


_SCRIPT = f"awk -F: '{_AWK}' /etc/passwd || exit $?" + ELSEWHERE.replace("DATABASE", "passwd").replace(
    ".RECORDS", ".user"
)
PROBE = Probe("acct.passwd", ("sh", "-c", _SCRIPT), parse)
