"""Files of packages that are not as they were delivered: `dpkg --verify`, as dpkg(1) has it. Debian and Ubuntu.

The third letter is the digest's: `5` where it differs. `c` marks a configuration file. What belongs to a package without
digests is not looked at; dpkg does not say which those are. dpkg before 1.21 gives the letter of another digest to files that are
gone, so each of those is looked for. Where a diversion (dpkg-divert(1)) sends a package's file elsewhere, dpkg looks there; a file in
its first place that is none of the diverting package is told here, in the same form. It reads every file, so a look speaks for a week.

    ??5?????? c /etc/ssh/sshd_config
    missing     /usr/bin/who
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import WEEK, Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dpkg >/dev/null || exit 127
found=$(dpkg --verify)
case $? in 0|1) ;; *) exit 3;; esac
[ -z "$found" ] || printf '%s\n' "$found" | while IFS= read -r l; do
  case $l in ??5*/*) [ -e "/${l#*/}" ] || [ -L "/${l#*/}" ] || l="missing  ${l#?????????}" ;; esac
  printf '%s\n' "$l"
done
[ ! -s /var/lib/dpkg/diversions ] || while IFS= read -r f && IFS= read -r t && IFS= read -r p; do
  [ -f "$f" ] && ! cmp -s -- "$f" "$t" || continue
  [ "$p" != : ] && dpkg-query -L "$p" 2>/dev/null | grep -qxF -e "$f" -e "/usr$f" -e "${f#/usr}" && continue
  case $f in /etc/*) m=c ;; *) m=' ' ;; esac
  printf '??5?????? %s %s\n' "$m" "$f"
done </var/lib/dpkg/diversions
echo end
"""
_ROW = re.compile(r"(?P<result>missing  |[.?0-9A-Za-z]{9}) {1,2}(?P<mark>[a-z ]) (?P<path>/.*?)(?P<why> \([^()]*\))?")


@dataclass(frozen=True, slots=True)
class Deviation:
    """One file that is not as it was delivered."""

    path: str
    is_missing: bool
    is_config: bool


def parse(output: Output) -> tuple[Deviation, ...]:
    """Read the files whose content differs, and those that are missing; other differences are none of content."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the verification of packages is cut short"))
    found = []
    for line in lines[:-1]:
        if line.startswith(("dpkg: ", "Unsatisfied dependencies for ")):
            continue
        row = _ROW.fullmatch(line)
        if row is None or "denied" in (row["why"] or ""):
            raise Unparseable(
                msg("the verification of packages has a line that cannot be parsed: {line}", line=shown(line, 80))
            )
        is_missing = row["result"].startswith("missing")
        if is_missing or row["result"][2] == "5":
            found.append(Deviation(row["path"], is_missing, row["mark"] == "c"))
        elif row["result"][2] == "?" and not is_missing and row["result"] != "?????????":
            raise Unparseable(msg("a file of a package could not be read: {path}", path=shown(row["path"], 80)))
    return tuple(found)


PROBE = Probe(
    "dpkg.verify",
    ("sh", "-c", _SCRIPT),
    parse,
    needs_root=True,
    timeout_seconds=300,
    limit_bytes=1 << 20,
    repeated_for=WEEK,
)
