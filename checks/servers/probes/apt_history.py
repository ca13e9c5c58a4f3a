"""Every change of packages that apt made: /var/log/apt/history.log and its older parts. Debian and Ubuntu.

The log is written in the host's own time, so the host turns it into seconds since 1970; it is not known whether its zone
was another one then. The command line is reduced to whether it was unattended-upgrades': it may hold anything. Sources:
apt-get(8), and apt's writer of the log, apt-pkg/deb/dpkgpm.cc.

    at 1795317369
    until 1795317374
    by an
    Install nginx nginx-common
    end
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from checks.servers.drifted import PackageChange
from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
cd /var/log/apt || exit 3
L=$(for f in history.log*; do
  [ -e "$f" ] || continue
  case $f in *.gz) gzip -dc -- "$f";; *.xz) xz -dc -- "$f";; *.zst) zstd -qdc -- "$f";; *) cat -- "$f";; esac || echo broken
  echo
done | awk '
  function flush() { if (s != "") { print "when " s; if (e != "") print "till " e; print "by " b; printf "%s", a } s = ""; e = ""; b = "-"; a = "" }
  /^broken$/        { print "broken"; next }
  /^Start-Date: /   { flush(); s = $2 " " $3; next }
  /^End-Date: /     { e = $2 " " $3; next }
  /^Commandline: /  { if ($2 ~ /unattended-upgrade$/) b = "unattended-upgrade"; next }
  /^Requested-By: / { b = $2; next }
  /^(Install|Upgrade|Downgrade|Reinstall|Remove|Purge): / {
    w = $1; sub(/:$/, "", w); sub(/^[A-Za-z]+: /, ""); gsub(/ \([^)]*\)/, ""); gsub(/:[a-z0-9]+/, ""); gsub(/,/, "")
    a = a w " " $0 "\n"; next }
  END { flush(); print "end" }') || exit 4
T=$(printf '%s\n' "$L" | sed -n 's/^when //p; s/^till //p' | env -u TZ date -f - '+%s') || exit 5
printf '%s\n' "$L" | { for t in $T; do
  while read -r w r; do case $w in when) echo "at $t"; break;; till) echo "until $t"; break;; *) printf '%s %s\n' "$w" "$r";; esac; done
done; cat; }
"""
_ACTIONS = frozenset({"Install", "Upgrade", "Downgrade", "Reinstall", "Remove", "Purge"})


def parse(output: Output) -> tuple[PackageChange, ...]:
    """Read the runs, oldest first; a log without any proves nothing, since a host's own installation is not always in it."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("apt's log is cut short"))
    if "broken" in lines:
        raise Unparseable(msg("a part of apt's log could not be read"))
    found: list[_Run] = []
    for line in lines[:-1]:
        word, _, rest = line.partition(" ")
        if word == "at" and rest.isdecimal() and len(rest) < 12:
            found.append(_Run(int(rest)))
        elif found and word == "until" and rest.isdecimal() and len(rest) < 12:
            found[-1].until = int(rest)
        elif found and word == "by":
            found[-1].by = "root" if rest == "-" else rest
        elif found and word in _ACTIONS:
            found[-1].packages += rest.split()
        else:
            raise Unparseable(msg("apt's log has a line that cannot be parsed: {line}", line=shown(line, 80)))
    if not found:
        raise Unparseable(msg("apt's log names no change"), reason="log-empty")
    return tuple(one.made() for one in sorted(found, key=lambda one: one.at))


@dataclass
class _Run:
    """A run that is being read."""

    at: int
    until: int | None = None
    by: str = "root"
    packages: list[str] = field(default_factory=list)

    def made(self) -> PackageChange:
        until = None if self.until is None else datetime.fromtimestamp(self.until, UTC)
        return PackageChange(datetime.fromtimestamp(self.at, UTC), self.by, tuple(self.packages), until)


PROBE = Probe("apt.history", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, limit_bytes=1 << 20)
