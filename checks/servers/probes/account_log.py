"""Accounts that were made and deleted of late, as useradd(8) and userdel(8) wrote it into the journal: journalctl(1).

Only what root's own programs wrote is read (`_UID=0`): any account can write a line in another program's name.

    1795669370 new portal-x 1001
    1795669371 gone portal-x
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v journalctl >/dev/null || exit 127
{ journalctl -q --no-pager -o short-unix --since=-9days -t useradd -t userdel _UID=0 || echo failed; } |
  sed -nE -e '/^failed$/p' \
    -e "s/^([0-9]{1,11})\.[0-9]+ [^ ]+ useradd\[[0-9]+\]: new user: name=([^ ,:/']{1,64}), UID=([0-9]{1,10}),.*/\1 new \2 \3/p" \
    -e "s/^([0-9]{1,11})\.[0-9]+ [^ ]+ userdel\[[0-9]+\]: delete user '([^ ,:/']{1,64})'.*/\1 gone \2/p" | tail -n 2000
echo end
"""
_ROW = re.compile(r"(?P<at>\d{1,11}) (?:new (?P<new>\S+) (?P<uid>\d{1,10})|gone (?P<gone>\S+))")


@dataclass(frozen=True, slots=True)
class AccountStep:
    """One account that was made or deleted."""

    at: datetime
    """By the host's clock, UTC."""
    name: str
    uid: int | None
    """With which it was made; None where it was deleted."""


def parse(output: Output) -> tuple[AccountStep, ...]:
    """Read the steps, oldest first."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the journal of accounts is cut short"))
    found = []
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(msg("the journal of accounts has a line that cannot be parsed: {line}", line=shown(line)))
        uid = int(row["uid"]) if row["uid"] else None
        found.append(AccountStep(datetime.fromtimestamp(int(row["at"]), UTC), row["new"] or row["gone"], uid))
    return tuple(found)


PROBE = Probe("acct.log", ("sh", "-c", _SCRIPT), parse, needs_root=True)
