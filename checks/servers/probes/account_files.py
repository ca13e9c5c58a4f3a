"""Rights of the files that say who may come in and as whom: ls(1), which marks further rights (ACL) with a plus.

-rw-r--r-- 1 0 0 1434 /etc/passwd
-rw-r-----+ 1 0 42 801 /etc/shadow
drwxr-xr-x 1 0 0 4096 /etc/
end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v ls >/dev/null || exit 127
set -- /etc/passwd
for f in /etc/ /etc/passwd- /etc/group /etc/group- /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/security/ \
  /etc/security/* /etc/subuid /etc/subgid /etc/sudoers /etc/sudoers.d/ /etc/sudoers.d/* /etc/sudo.conf /etc/doas.conf \
  /etc/pam.d/ /etc/pam.d/* /etc/pam.conf /etc/login.defs /etc/nsswitch.conf /etc/shells /etc/securetty /etc/polkit-1/ \
  /etc/polkit-1/rules.d/ /etc/polkit-1/rules.d/*; do
  [ ! -e "$f" ] || set -- "$@" "$f"
done
ls -ldnLb --time-style=+ -- "$@" || exit $?
echo end
"""
_ROW = re.compile(
    r"(?P<type>[-dlbcps])(?P<mode>[-rwxsStT]{9})(?P<more>[+.@]?) +\d+ +(?P<uid>\d+) +(?P<gid>\d+) +\d+ +(?P<path>/.*)"
)


class AccountFile(NamedTuple):
    """Of one file, or of what a link leads to; of a folder with a slash at its end."""

    mode: str
    """Nine letters, as ls(1) has them."""
    uid: int
    gid: int
    has_acl: bool
    """Then the letters of the group say what the most is that anybody is given by name."""


def parse(output: Output) -> Mapping[str, AccountFile]:
    """Read the rights by path."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of account files is cut short"))
    found = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the listing of account files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        found[row["path"]] = AccountFile(row["mode"], int(row["uid"]), int(row["gid"]), row["more"] == "+")
    if "/etc/passwd" not in found:
        raise Unparseable(msg("the listing of account files is cut short"))
    return found


PROBE = Probe("acct.files", ("sh", "-c", _SCRIPT), parse, needs_root=True)
