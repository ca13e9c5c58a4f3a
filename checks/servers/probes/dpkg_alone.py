"""What dpkg installed or removed while apt did not run: by the times of its lists of files, and by its own log of removals.

Only what is younger than the first run in apt's log is told, in the host's own time, which the host turns into seconds since
1970. Sources: dpkg(1), apt-get(8). The changes of one minute are told together:

    at 1795317369
    Install portal-extra
    end
"""

from __future__ import annotations

from datetime import UTC, datetime

from checks.servers.drifted import PackageChange
from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dpkg >/dev/null || exit 127
cd /var/log/apt || exit 3
U=$({
  for f in history.log*; do
    case $f in *.gz) gzip -dc -- "$f";; *.xz) xz -dc -- "$f";; *.zst) zstd -qdc -- "$f";; *) cat -- "$f";; esac 2>/dev/null
    echo
  done | sed -n 's/^Start-Date: *\([0-9-]*\) *\([0-9:]*\).*/\1 \2 A/p; s/^End-Date: *\([0-9-]*\) *\([0-9:]*\).*/\1 \2 Z/p'
  env -u TZ find /var/lib/dpkg/info -name '*.list' -printf '%TY-%Tm-%Td %TT D Install %f\n'
  cat /var/log/dpkg.log.1 /var/log/dpkg.log 2>/dev/null | awk '$3 ~ /^(remove|purge)$/ { print $1, $2, "D Remove", $4 }'
} | sed 's/\.[0-9]* / /' | sort | awk '
  $3 == "A" { open = $1; begun = 1; next }
  $3 == "Z" { open = ""; next }
  begun && open != $1 { sub(/\.list$/, "", $5); sub(/:.*/, "", $5); m = $1 substr($2, 1, 5)
    if (d != m) { d = m; print "when", $1, $2 }
    print $4, $5 }')
T=$(printf '%s\n' "$U" | sed -n 's/^when //p' | env -u TZ date -f - '+%s') || exit 5
printf '%s\n' "$U" | awk -v T="$T" 'BEGIN { split(T, t, "\n") } $1 == "when" { print "at", t[++n]; next } NF'
echo end
"""


def parse(output: Output) -> tuple[PackageChange, ...]:
    """Read the changes, oldest first."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("dpkg's list of changes is cut short"))
    found: list[tuple[int, list[str]]] = []
    for line in lines[:-1]:
        word, _, rest = line.partition(" ")
        if word == "at" and rest.isdecimal() and len(rest) < 12:
            found.append((int(rest), []))
        elif found and word in {"Install", "Remove"} and rest:
            found[-1][1].append(rest)
        else:
            raise Unparseable(
                msg("dpkg's list of changes has a line that cannot be parsed: {line}", line=shown(line, 80))
            )
    return tuple(PackageChange(datetime.fromtimestamp(at, UTC), "dpkg", tuple(names)) for at, names in found)


PROBE = Probe("dpkg.alone", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, limit_bytes=1 << 20)
