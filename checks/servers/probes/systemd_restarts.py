"""Services that systemd started again by itself, and since when they run, and units that have not ended their start or their stop:
`systemctl show`, as systemctl(1) has it.

Told as well: services whose command ended badly where a file of the host's own (not of a package) says that this is no failure
(`ExecStart=-`, `SuccessExitStatus`), those that are frozen or have a stopped process, and those that count as active after their
process has ended. So are active ones whose own conditions do not hold now (`systemd-analyze condition`), units whose failure is
forgotten (`CollectMode=`), and a default target that is not one of the usual.

Of each active service it is told what it requires, straight or by another, that is not active now (`Requires`, `RequiresMountsFor`,
`BindsTo`, `Requisite`); a job that ended well is no such thing. And one file of settings that changed since the service was started or
reloaded: its unit and drop-ins, files of settings in the folder of /etc that bears its name or that its command names, or
`daemon-reload` and `reload` where systemd has not read the unit or the last reload failed. nginx counts as reloaded when its newest worker started.

Only those with a restart, or that wait for one, are told of the first. The moment is one of the kernel's clock since boot, as
is the first line.

    up 86400
    unit portal.service 1532 activating auto-restart exit-code on-failure 86391
    between news.service activating start notify 86000
    ignored backup.service 1
    lacks haproxy.service mnt-data.mount|inactive
    newer haproxy.service /etc/haproxy/haproxy.cfg
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
S=$(systemctl show --all --no-pager -p Id,Type,NRestarts,ActiveState,SubState,Result,Restart,ActiveEnterTimestampMonotonic,StateChangeTimestampMonotonic,FreezerState,FragmentPath,DropInPaths,ExecStart,ExecMainCode,ExecMainStatus,LoadState,Requires,BindsTo,Requisite,NeedDaemonReload,ReloadResult,EnvironmentFiles,ControlGroup \
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
# what an active service requires and is not active now
X=$(printf '%s\n' "$S" | awk -F= '$1 == "Id" { has[$2] = 1 } $1 ~ /^(Requires|BindsTo|Requisite)$/ { n = split(substr($0, length($1) + 2), a, " "); for (i = 1; i <= n; i++) all[a[i]] = 1 }
  END { for (k in all) if (!(k in has)) print k }' | head -n 300)
{ printf '%s\n\n' "$S"; [ ! "$X" ] || (IFS='
'; set -f; systemctl show --no-pager -p Id,ActiveState,LoadState -- $X); echo; } | awk -F= '
  function put() {
    u = v["Id"]; st[u] = v["LoadState"] ~ /^(not-found|masked|bad-setting|error)$/ ? v["LoadState"] : v["ActiveState"]
    dep[u] = v["Requires"] " " v["BindsTo"] " " v["Requisite"]
    done[u] = st[u] == "inactive" && v["Type"] == "oneshot" && v["Result"] == "success" && v["ExecMainCode"] == 1 && v["ExecMainStatus"] == 0
    split("", v)
  }
  function walk(top, u, depth,   n, a, i) {
    n = split(dep[u], a, " ")
    for (i = 1; i <= n; i++) {
      if ((top, a[i]) in seen) continue
      seen[top, a[i]] = 1
      if (!(a[i] in st)) print "lacks", top, a[i] "|unseen"
      else if (st[a[i]] !~ /^(active|reloading|refreshing)$/ && !done[a[i]]) print "lacks", top, a[i] "|" st[a[i]]
      else if (depth < 20) walk(top, a[i], depth + 1)
    }
  }
  NF == 0 { if ("Id" in v) put(); next } { v[$1] = substr($0, length($1) + 2) }
  END { for (u in st) if (u ~ /\.service$/ && st[u] == "active") walk(u, u, 0) }' | sort -u | head -n 400
# settings that changed since an active service was started or reloaded
D=$(printf '%s\n' "$S" | awk -F= '
  function at(p) { if (p ~ /^\/[A-Za-z0-9_.+@\/-]+$/ && p !~ /\.\./) print u, t, p }
  function put(  n, a, i, b, k) {
    u = v["Id"]; if (v["ActiveState"] != "active" || u !~ /\.service$/) { split("", v); return }
    if (v["NeedDaemonReload"] == "yes") print u, "now", "daemon-reload"
    if (v["ReloadResult"] !~ /^(success)?$/) print u, "now", "reload"
    t = int(v["ActiveEnterTimestampMonotonic"] / 1000000)
    n = split(v["FragmentPath"] " " v["DropInPaths"], a, " ")
    for (i = 1; i <= n; i++) if (a[i] ~ /^\/(etc|run|usr\/local)\// && a[i] !~ /^\/run\/systemd\/(generator|transient)|\/system\.control\//) at(a[i])
    t = int(v["StateChangeTimestampMonotonic"] / 1000000)
    b = u; sub(/\.service$/, "", b); sub(/@.*/, "", b); k[b] = 1
    if (match(v["ExecStart"], /path=[^ ;]+/)) { b = substr(v["ExecStart"], RSTART + 5, RLENGTH - 5); sub(/.*\//, "", b); k[b] = 1 }
    if ("sshd" in k || "ssh" in k) k["ssh"] = 1
    if ("mariadbd" in k || "mysqld" in k || "mariadb" in k) k["mysql"] = k["my.cnf"] = k["my.cnf.d"] = 1
    if ("named" in k) k["bind"] = 1
    for (b in k) { at("/etc/" b); at("/etc/" b ".conf"); at("/etc/default/" b) }
    if (match(u, /^postgresql@[0-9]+-/)) { b = substr(u, 12); sub(/\.service$/, "", b); sub(/-/, "/", b); at("/etc/postgresql/" b) }
    n = split(v["EnvironmentFiles"] " " v["ExecStart"], a, /[ =;]/)
    for (i = 1; i <= n; i++) if (a[i] ~ /^\/(etc|opt|srv|usr\/local\/etc)\/./) { at(a[i]); if (sub(/\/[^\/]*\.[a-z]+$/, "", a[i]) && a[i] ~ /^\/[^\/]+\/./) at(a[i]) }
    split("", v)
  }
  NF == 0 { put(); next } { x = substr($0, length($1) + 2); if ($1 in v) v[$1] = v[$1] " " x; else v[$1] = x } END { put() }' | sort -u)
now=$(date +%s)
{
  printf '%s\n' "$D"
  echo ==
  set -- $(printf '%s\n' "$D" | awk '$2 != "now" { print $3 }' | sort -u | while IFS= read -r f; do [ ! -e "$f" ] || echo "$f"; done)
  [ $# = 0 ] || {
    find "$@" -maxdepth 4 -type l -printf '%C@ %p\n'
    find -L "$@" -maxdepth 4 -type f -printf '%C@ %p\n'
  } 2>/dev/null | grep -E '\.(conf|cfg|cnf|ini|toml|ya?ml|json|service|rules)$|_config$|-enabled/|/default/|/sysconfig/' | head -n 20000
} | awk -v B="$((now - ${u%.*}))" '
  $0 == "==" { files = 1; next } NF == 0 { next }
  !files && $2 == "now" { print "newer", $1, $3; next }
  !files { n++; unit[n] = $1; since[n] = $2 + B; path[n] = $3; at[$3] = at[$3] " " n; next }
  NF == 2 { p = $2
    while (p != "") { m = split(at[p], a, " ")
      for (i = 1; i <= m; i++) if (since[a[i]] + 2 < $1 && !(unit[a[i]] in told)) { told[unit[a[i]]] = 1; print "newer", unit[a[i]], $2 }
      if (!sub(/\/[^\/]*$/, "", p)) break } }' | while read -r n u f; do
  # workers of nginx begin at each reload, also at one that systemd did not order
  [ "$u" != nginx.service ] || case $f in /etc/nginx/*)
    b=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v B="$((now))" -v U="$(cut -d. -f1 /proc/uptime)" '/^[0-9]+ \(nginx\) / { s = int($22 / 100); if (m < s) m = s } END { printf "%d", B - U + m + 2 }')
    [ -z "$(find -L /etc/nginx -maxdepth 4 -type f -newerct "@$b" 2>/dev/null | grep -vE 'htpasswd|\.sw[op]$')" ] && continue ;;
  esac
  printf '%s %s %s\n' "$n" "$u" "$f"
done | head -n 400
t=$(systemctl get-default 2>/dev/null) && case $t in
  multi-user.target | graphical.target | runlevel[2-5].target | '') ;; *) printf 'target %s -\n' "$t" ;;
esac
echo end
"""
_UP = re.compile(r"up (\d{1,10})$")
_UNIT = re.compile(r"unit (\S+) (\d{1,10}) ([a-z]+) ([a-z-]+) ([a-z-]+) ([a-z-]+) (\d{1,10})$")
_ODD = re.compile(r"(frozen|left|ignored|stopped|unmet|forgets|target) (\S+) (-|\d{1,3})$")
_AGAIN = re.compile(r"(lacks|newer) (\S+) ([!-~]{1,300})$")
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
    lacks: tuple[tuple[str, str, str], ...] = ()
    """Active services, what each requires that is not active now, and its state."""
    newer: tuple[tuple[str, str], ...] = ()
    """Active services and a file of settings that changed since they were started or reloaded."""


def parse(output: Output) -> UnsteadyUnits:
    """Read the units."""
    refuse_without_systemd(output)
    lines = output.lines()
    up = _UP.fullmatch(lines[0].strip()) if lines else None
    rows = [line.strip() for line in lines[1:-1]]
    found, between, odd, again = ([each.fullmatch(row) for row in rows] for each in (_UNIT, _BETWEEN, _ODD, _AGAIN))
    if up is None or lines[-1].strip() != "end" or not all(map(any, zip(found, between, odd, again, strict=True))):
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
        tuple((one[2], *one[3].partition("|")[::2]) for one in again if one and one[1] == "lacks"),
        tuple((one[2], one[3]) for one in again if one and one[1] == "newer"),
    )


PROBE = Probe("systemd.restarts", ("sh", "-c", _SCRIPT), parse, exit_codes=frozenset({0, 1}))
