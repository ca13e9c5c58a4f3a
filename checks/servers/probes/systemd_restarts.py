"""Services that systemd started again by itself, and since when they run, and units that have not ended their start or their stop:
`systemctl show`, as systemctl(1) has it.

Told as well: services whose command ended badly where a file of the host's own (not of a package) says that this is no failure
(`ExecStart=-`, `SuccessExitStatus`), those that are frozen or have a stopped process, and those that count as active after their
process has ended. So are active ones whose own conditions do not hold now (`systemd-analyze condition`), units whose failure is
forgotten (`CollectMode=`), and a default target that is not one of the usual.

Only those with a restart, or that wait for one, are told of the first. The moment is one of the kernel's clock since boot, as
is the first line.

    up 86400
    unit portal.service 1532 activating auto-restart exit-code on-failure 86391
    between news.service activating start notify 86000
    ignored backup.service 1
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

_SCRIPT = r"""
command -v systemctl >/dev/null || exit 127
read -r u _ </proc/uptime
echo "up ${u%.*}"
S=$(systemctl show --all --no-pager -p Id,Type,NRestarts,ActiveState,SubState,Result,Restart,ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic,FreezerState,FragmentPath,DropInPaths,ExecStart,ExecMainCode,ExecMainStatus \
  '*.service' '*.mount' '*.swap') || exit $?
printf '%s\n' "$S" | awk -F= '
  function ended(by_signal, k) { if (k !~ (by_signal ? "^(0|1|2|13|15)$" : "^(0|129|130|141|143)$")) bad = k }  # a stop is no failure
  function told() {
    if (v["ExecMainCode"] ~ /^[123]$/) ended(v["ExecMainCode"] == 2, v["ExecMainStatus"])
    if ((0 < v["NRestarts"] + 0 || v["SubState"] ~ /^auto-restart/) && v["Type"] != "idle")
      printf "unit %s %d %s %s %s %s %d\n", v["Id"], v["NRestarts"], v["ActiveState"], v["SubState"], v["Result"], v["Restart"], \
        v["ActiveEnterTimestampMonotonic"] / 1000000
    else if (v["ActiveState"] ~ /^(de)?activating$/)
      printf "between %s %s %s %s %d\n", v["Id"], v["ActiveState"], v["SubState"], v["Type"] == "" ? "-" : v["Type"], \
        v["StateChangeTimestampMonotonic"] / 1000000
    if (v["FreezerState"] == "frozen") print "frozen", v["Id"], "-"
    if (v["ActiveState"] == "active" && v["SubState"] == "exited" && v["Type"] != "oneshot") print "left", v["Id"], "-"
    if (bad && v["Result"] == "success" && v["FragmentPath"] " " v["DropInPaths"] ~ /(^| )\/(etc|run|usr\/local)\//) print "ignored", v["Id"], bad
    split("", v); bad = 0
  }
  NF == 0 { told(); next }
  /^ExecStart=/ {
    if (match($0, /code=(exited|killed|dumped) ; status=[1-9][0-9]*/)) {
      k = substr($0, RSTART, RLENGTH); sub(/.*=/, "", k); ended($0 ~ /code=killed/, k)
    }
    next
  }
  { v[$1] = $2 }
  END { told() }'
# units in which a process is stopped, such as by SIGSTOP
grep -lsE '^[0-9]+ \(.*\) [Tt] [0-9-]+ ' /proc/[0-9]*/stat | head -n 200 | while IFS= read -r f; do
  sed -n 's/.*\/\([^/]*\.service\)\(\/.*\)\{0,1\}$/stopped \1 -/p' "${f%/stat}/cgroup" 2>/dev/null | head -n 1
done | sort -u
# conditions and asserts of the host's own files that do not hold now
printf '%s\n' "$S" | awk -F= '
  $1 == "Id" || $1 == "ActiveState" || $1 == "FragmentPath" || $1 == "DropInPaths" { v[$1] = substr($0, length($1) + 2) }
  NF == 0 { told() }
  function told(  n, a, i) {
    n = v["ActiveState"] == "active" ? split(v["FragmentPath"] " " v["DropInPaths"], a, " ") : 0
    for (i = 1; i <= n; i++) if (a[i] ~ /^\/(etc|run|usr\/local)\// && a[i] !~ /^\/run\/systemd\/(generator|transient)/) print v["Id"], a[i]
    split("", v)
  }
  END { told() }' | while read -r u f; do
  X=$(sed -nE 's/^[[:space:]]*((Condition|Assert)[A-Za-z]+)[[:space:]]*=[[:space:]]*([^[:space:]].*)$/\1=\3/p' "$f" 2>/dev/null | head -n 20)
  [ "$X" ] || continue
  (IFS='
'; set -f; systemd-analyze condition $X >/dev/null 2>&1) || printf 'unmet %s -\n' "$u"
done | sort -u
# units whose failure systemd forgets at once
grep -rlsiE '^[[:space:]]*CollectMode[[:space:]]*=[[:space:]]*inactive-or-failed' /etc/systemd/system /usr/local/lib/systemd/system |
  sed -E 's/\.d\/[^/]*$//; s/.*\///; s/[^!-~]/?/g; s/.*/forgets & -/' | sort -u
t=$(systemctl get-default 2>/dev/null) && case $t in
  multi-user.target | graphical.target | runlevel[2-5].target | '') ;; *) printf 'target %s -\n' "$t" ;;
esac
echo end
"""
_UP = re.compile(r"up (\d{1,10})$")
_UNIT = re.compile(r"unit (\S+) (\d{1,10}) ([a-z]+) ([a-z-]+) ([a-z-]+) ([a-z-]+) (\d{1,10})$")
_ODD = re.compile(r"(frozen|left|ignored|stopped|unmet|forgets|target) (\S+) (-|\d{1,3})$")
_BETWEEN = re.compile(r"between (\S+) ((?:de)?activating) ([a-z-]+) ([a-z-]+) (\d{1,10})$")


@dataclass(frozen=True, slots=True)
class RestartedUnit:
    """One service that was started again; those of consoles are left out."""

    name: str
    restarts: int
    """Since somebody started it."""
    is_waiting: bool
    """It ended, and systemd waits before it starts it again."""
    has_failed: bool
    """It ended badly; known only while it waits."""
    always: bool
    """systemd starts it again also where it ended well."""
    runs_seconds: int
    """Since when it was last active."""


@dataclass(frozen=True, slots=True)
class UnfinishedUnit:
    """One unit that neither runs nor is stopped."""

    name: str
    state: str
    """Such as `activating`."""
    is_job: bool
    """It runs once and ends: its start lasts as long as its work."""
    seconds: int
    """For how long."""


@dataclass(frozen=True, slots=True)
class UnsteadyUnits:
    """What was found."""

    restarted: tuple[RestartedUnit, ...]
    """None where none was started again."""
    unfinished: tuple[UnfinishedUnit, ...]
    frozen: tuple[str, ...]
    """They are active, and the kernel lets none of their processes run."""
    left: frozenset[str]
    """They are active, though they are no jobs and nothing of them runs."""
    ignored: tuple[tuple[str, int], ...]
    """Their command ended with this code, and a file of the host's own says that it is no failure."""
    stopped: frozenset[str] = frozenset()
    """The kernel lets a process of theirs not run, as after SIGSTOP or under a debugger."""
    unmet: frozenset[str] = frozenset()
    """They are active, and a condition or assert of the host's own does not hold now, so that they would not start."""
    forgets: tuple[str, ...] = ()
    """A file of the host's own says that systemd forgets their failure at once."""
    other_targets: tuple[str, ...] = ()
    """What the host starts into, where that is not one of the usual targets."""


def parse(output: Output) -> UnsteadyUnits:
    """Read the units."""
    refuse_without_systemd(output)
    lines = output.lines()
    up = _UP.fullmatch(lines[0].strip()) if lines else None
    rows = [line.strip() for line in lines[1:-1]]
    found, between, odd = ([each.fullmatch(row) for row in rows] for each in (_UNIT, _BETWEEN, _ODD))
    if up is None or lines[-1].strip() != "end" or not all(map(any, zip(found, between, odd, strict=True))):
        raise Unparseable(
            msg("systemd's list of restarts cannot be parsed: {seen}", seen=shown(output.text, 80) or "-")
        )
    restarted = tuple(
        RestartedUnit(
            one[1],
            int(one[2]),
            one[4].startswith("auto-restart"),
            one[5] != "success",
            one[6] == "always",
            int(up[1]) - int(one[7]),
        )
        for one in found
        if one
    )
    unfinished = tuple(
        UnfinishedUnit(one[1], one[2], one[4] == "oneshot", int(up[1]) - int(one[5])) for one in between if one
    )
    said = [(one[1], one[2], one[3]) for one in odd if one]
    return UnsteadyUnits(
        restarted,
        unfinished,
        tuple(name for kind, name, _code in said if kind == "frozen"),
        frozenset(name for kind, name, _code in said if kind == "left"),
        tuple((name, int(code)) for kind, name, code in said if kind == "ignored" and code != "-"),
        frozenset(name for kind, name, _code in said if kind == "stopped"),
        frozenset(name for kind, name, _code in said if kind == "unmet"),
        tuple(name for kind, name, _code in said if kind == "forgets"),
        tuple(name for kind, name, _code in said if kind == "target"),
    )


PROBE = Probe("systemd.restarts", ("sh", "-c", _SCRIPT), parse, exit_codes=frozenset({0, 1}))
