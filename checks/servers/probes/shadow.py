"""The kind of each account's password: /etc/shadow, as shadow(5) and crypt(5) have it.

The hash itself never leaves the host: what is printed is its kind, and the days of the last change and of the longest age.

    root|locked|20782|99999
    an|crypt-y|20700|60
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_AWK = (
    '{ sub(/\\r$/, ""); h = $2; k = "other"; if (NF < 8) { print "?|" NF; next }'
    ' if (h == "") k = "empty"; else if (h ~ /^[!*]/) k = "locked"; else if (h ~ /^\\$/) { split(h, part, "$");'
    ' if (index(" 1 2 2a 2b 2x 2y 3 5 6 7 y gy sm3 sha1 md5 ", " " part[2] " ")) k = "crypt-" part[2] }'
    ' else if (h ~ /^_/ || length(h) == 13) k = "des"; print $1 "|" k "|" $3 "|" $5 }'
)
WEAK = frozenset({"des", "crypt-1", "crypt-3", "crypt-md5", "crypt-sha1"})
"""Kinds that crypt(5) calls unfit for new passwords and that are guessed fast."""
_KINDS = ("empty", "locked", "des", "other")


@dataclass(frozen=True, slots=True)
class Secret:
    """What may be known of a password."""

    name: str
    kind: str
    """`empty`, `locked`, `des`, `other`, or `crypt-` and crypt(5)'s prefix."""
    changed_day: int | None
    """Days since 1970; None if the field is empty."""
    longest_days: int | None


def parse(output: Output) -> tuple[Secret, ...]:
    """Read the kinds; anything that is not a known kind makes the list unknown."""
    found = []
    for line in output.lines():
        fields = line.split("|")
        if len(fields) != 4 or not (fields[1] in _KINDS or fields[1].startswith("crypt-")):
            raise Unparseable(
                msg("the list of password kinds has a line that cannot be parsed: {line}", line=shown(line, 30))
            )
        found.append(Secret(fields[0], fields[1], _number(fields[2]), _number(fields[3])))
    if not found:
        raise Unparseable(msg("the list of password kinds is empty"))
    return tuple(found)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


PROBE = Probe("acct.shadow", ("awk", "-F:", _AWK, "/etc/shadow"), parse, needs_root=True, form=PIPED)
