"""What root runs by itself, and who may write it: cron, services and timers, rc scripts, and the shells of root.

Commands may hold passwords, so the host prints none of their text: the paths that they run are picked out there, from the
command itself, from the script that an interpreter is given, and from the scripts of root, one level deep. So are the programs
that apt, udev, logrotate and rsyslog call, and where the loader finds libraries. Of each path and each folder above it, of each
link on the way and of where links lead, the rights are printed, by find(1); and to whom further rights (ACL) let write it. Enabled
units that are not loaded count with what they start: the next boot brings them. crontab(5), systemctl(1), rc.local, bash(1),
getfacl(1), ld.so(8), apt.conf(5), udev(7), logrotate(8).

    run cron /usr/local/bin/backup.sh /usr/local/bin/backup.sh
    stat f 755 0 root 0 root /usr/local/bin/backup.sh
    acl user:games /usr/local/bin/backup.sh
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

PICK = r"""
function base(p) { sub(/.*\//, "", p); return p }
function clean(t) { gsub(/["'\\]/, "", t); sub(/^[0-9]*[>|<]+/, "", t); return t }
function emit(p) { if (p ~ /^\/[^*?$\[]*$/ && p !~ /^\/(dev|proc|sys)\//) print p }
function account(j, m, b,  k, v) {
  for (k = j + 1; k <= m; k++) {
    v = clean(w[k])
    if (b ~ /^(su|runuser)$/) {
      if (v == "-u") return clean(w[k + 1])
      if (v ~ /^(-c|--command|-s|--shell|-g|-G|-w)$/) {
        k++
        if (w[k] ~ /^["']/ && w[k] !~ /.["']$/) while (k < m && w[k] !~ /["']$/) k++
      } else if (v != "" && v !~ /^-/) return v
    } else if (v ~ /^(-u|-c|--user|--chuid|--reuid)$/) return clean(w[k + 1])
    else if (sub(/^(-u|--user=|--chuid=|--reuid=)/, "", v)) return v
    else if (v !~ /^-/) return ""
  }
  return ""
}
function joined(t,  out, s) {  # what another account is given to run is one command
  while (match(t, /(su|runuser) [^;&|"']*-c *("[^"]*"|'[^']*')/)) {
    s = substr(t, RSTART, RLENGTH); gsub(/[;&|(){}`]/, " ", s)
    out = out substr(t, 1, RSTART - 1) s; t = substr(t, RSTART + RLENGTH)
  }
  return out t
}
{
  sub(/^[ \t]*#.*/, ""); sub(/[ \t]#.*/, "")
  at = ""
  n = split(joined($0), parts, /[;&|(){}`]+|\$\(/)
  for (i = 1; i <= n; i++) {
    m = split(parts[i], w, /[ \t]+/)
    other = 0; given = 0; lock = 0
    for (j = 1; j <= m; j++) {
      t = clean(w[j]); b = base(t)
      if (t == "" || t ~ /^[A-Za-z_][A-Za-z0-9_]*=/) continue
      if (given == 2) { if (t ~ /^\// && t ~ /\.(sh|py|php|pl|rb|js|cgi|bash)$/ && !other) emit(t); continue }
      if (b ~ /^(su|runuser|sudo|setpriv|start-stop-daemon)$/) { if (account(j, m, b) !~ /^(root|[+]?0|)$/) other = 1; continue }
      if (b ~ /^(if|then|else|elif|do|while|until|!|time|exec|nohup|nice|ionice|env|flock|timeout|chronic|setsid|command|xargs|eval|run-parts|test|\[|cronic)$/) { if (t ~ /^\//) emit(t); if (b == "flock") lock = 1; if (b == "run-parts") given = 1; if (b == "test" || b == "[") given = 2; continue }
      if (t ~ /^-/ || t ~ /^[0-9.]+[smhd]?$/ || t == "]") continue
      if (b == "cd") { at = clean(w[j + 1]); given = 2; continue }
      if (other) break
      if (lock) { lock = 0; continue }
      if (given == 0 && b ~ /^(ba|da|z|k)?sh$|^(python|perl|php|ruby|node|lua)[0-9.]*$|^(\.|source)$/) { if (t ~ /^\//) emit(t); given = 1; continue }
      if (t ~ /^\//) emit(t)
      else if (t ~ /^\.?\.?[A-Za-z0-9_.-]*\/|\.(sh|py|php|pl)$/ && at ~ /^\//) emit(at "/" t)
      given = 2
    }
  }
}
"""
LINKS = r"""
links() {  # PATH: the place of each link on its way
  T=$1 B= N=0
  while [ "$T" ]; do
    c=${T%%/*}
    case $T in */*) T=${T#*/} ;; *) T= ;; esac
    case $c in ''|.) continue ;; ..) B=${B%/*}; continue ;; esac
    if [ -L "$B/$c" ] && [ $((N += 1)) -le 40 ]; then
      printf '%s\n' "$B/$c"
      c=$(readlink -- "$B/$c")
      case $c in /*) B= ;; esac
      T=$c/$T
    else B=$B/$c
    fi
  done
}
"""
_SCRIPT = (
    r"""
command -v find >/dev/null || exit 127
U=
if command -v systemctl >/dev/null; then
  e=$(systemctl list-unit-files --no-legend --no-pager --type=service,timer,socket,path --state=enabled,enabled-runtime 2>/dev/null |
    awk '$1 !~ /@[.]/ { print $1 }')
  e="$e $([ ! "$e" ] || systemctl show $e -p Triggers 2>/dev/null | sed 's/^Triggers=//')"
  U=$(systemctl show '*.service' '*.timer' '*.socket' '*.path' $e -p Id -p User -p DynamicUser -p FragmentPath -p DropInPaths \
    -p EnvironmentFiles -p ExecStart -p ExecStartPre -p ExecStartPost -p ExecStop -p ExecReload 2>/dev/null) || U=
fi
if [ ! "$U" ] && [ -d /run/systemd/system ]; then echo "systemctl does not tell the units" >&2; exit 3; fi
L='
' H=~root
exec 4>&1
set -f
IFS=$L
pick() { awk "$A"; }
A='"""
    + PICK.replace("'", "'\\''")
    + r"""'
"""
    + LINKS
    + r"""
own() { while IFS= read -r p; do printf '%s %s\n' "$1" "$p"; done; }
files() { find "$@" -maxdepth 1 -xdev \( -type f -o -type l \) ! -name .placeholder 2>/dev/null; }
set +f
R=$(
  for f in /etc/crontab /etc/anacrontab /etc/cron.d/*; do
    [ -f "$f" ] || continue
    echo "$f" | own cron
    case $f in */anacrontab) sed -n 's/^[0-9@][^ \t]*[ \t][ \t]*[0-9][0-9]*[ \t][ \t]*[^ \t]*[ \t]//p' "$f" ;;
    *) awk '/^[ \t]*[0-9*@]/ { k = ($1 ~ /^@/) ? 2 : 6; if ($k != "root") next; for (i = 1; i <= k; i++) $i = ""; print }' "$f" ;; esac |
      pick | own cron
  done
  for f in /var/spool/cron/crontabs/root /var/spool/cron/root; do
    [ ! -f "$f" ] || { echo "$f"; awk '/^[ \t]*[0-9*@]/ { k = ($1 ~ /^@/) ? 1 : 5; for (i = 1; i <= k; i++) $i = ""; print }' "$f" | pick; } | own cron
  done
  for d in /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly; do files "$d"; done | own cron
  { [ ! -f /etc/rc.local ] || { echo /etc/rc.local; pick </etc/rc.local; }; files /etc/init.d; } | own rc
  for f in /etc/profile /etc/bash.bashrc /etc/bashrc /etc/environment /etc/profile.d/*.sh "$H"/.profile "$H"/.bash_profile \
    "$H"/.bash_login "$H"/.bashrc "$H"/.bash_logout "$H"/.zshrc "$H"/.zprofile "$H"/.zshenv; do
    [ ! -f "$f" ] || { echo "$f"; pick <"$f"; }
  done | own shell
  printf '%s\n' /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin | own path
  for f in "$H"/.profile "$H"/.bash_profile "$H"/.bashrc /etc/environment; do
    [ ! -f "$f" ] || sed -nE "s/^[ \t]*(export )?PATH=[\"']?([^\"']*).*/\2/p" "$f" | tr ':' '\n' | grep '^/[^$]*$'
  done | own path
  [ ! -f /etc/ld.so.preload ] || { echo /etc/ld.so.preload; tr ' \t:' '\n' </etc/ld.so.preload | grep '^/[^$]*$'; } | own loader
  for f in /etc/ld.so.conf /etc/ld.so.conf.d/*.conf; do
    [ ! -f "$f" ] || { echo "$f"; sed 's/#.*//' "$f" | tr ' \t:,' '\n' | grep '^/[^*?[]*$'; }
  done | own loader
  {
    ! command -v apt-config >/dev/null || apt-config dump 2>/dev/null |
      sed -nE 's/^(DPkg::(Pre|Post)-I|DPkg::Pre-Install|APT::Update::(Pre|Post)-Invoke)[^ ]* "(.*)";$/\4/Ip'
    grep -ohsE '(RUN|PROGRAM|IMPORT)([{]program[}])?[+:]?==?"[^"]*"' /etc/udev/rules.d/*.rules | sed 's/^[^"]*"\(.*\)"$/\1/'
    cat /etc/logrotate.conf /etc/logrotate.d/* 2>/dev/null |
      awk '/^[ \t]*endscript/ { on = 0 } on; /^[ \t]*(pre|post)(rotate|remove)|^[ \t]*(first|last)action/ { on = 1 }'
    grep -qsi 'privdrop' /etc/rsyslog.conf || sed -nE 's/.*binary="([^"]*)".*/\1/p' /etc/rsyslog.conf /etc/rsyslog.d/*.conf 2>/dev/null
  } | pick | own hook
  for f in /etc/apt/apt.conf.d/* /etc/udev/rules.d/* /etc/rsyslog.conf /etc/rsyslog.d/*; do [ ! -f "$f" ] || echo "$f"; done | own hook
  printf '%s\n' "$U" | awk '
    function flush(i) { if (user == "" || user == "root" || user == "0") { if (!dynamic) for (i = 1; i <= n; i++) print rows[i] } n = 0; user = ""; dynamic = 0 }
    /^$/ { flush(); next }
    /^User=/ { user = substr($0, 6); next }
    /^DynamicUser=yes/ { dynamic = 1; next }
    /^FragmentPath=\// { print substr($0, 14); next }
    /^DropInPaths=\// { k = split(substr($0, 13), d, " "); for (i = 1; i <= k; i++) print d[i]; next }
    /^EnvironmentFiles=\// { sub(/^[^=]*=/, ""); sub(/ \(ignore_errors=.*/, ""); rows[++n] = $0; next }
    /^Exec[A-Za-z]*={ path=/ { sub(/^[A-Za-z]*={ path=[^;]*; argv\[\]=/, ""); sub(/ ; ignore_errors=.*/, ""); rows[++n] = $0 }
    END { flush() }' | pick | own unit
)
set -f
S=$(printf '%s\n' "$R" | sort -u)
T=$(for r in $S; do
  p=${r#* }
  case ${r%% *}:$p in path:*|*:/usr/bin/*|*:/usr/sbin/*|*:/bin/*|*:/sbin/*|*:/usr/lib/*|*:/lib/*|*:/etc/init.d/*) continue ;; esac
  [ -f "$p" ] && [ -s "$p" ] && printf '%s\n' "$p"
done | xargs -d '\n' -r head -vc2 -- 2>/dev/null | tr -d '\0' | awk '/^==. .* <==$/ { f = substr($0, 5, length($0) - 8) } $0 == "#!" { print f }')
D=$(for p in $T; do head -c 65536 -- "$p" | pick; done | own script)
S=$(printf '%s\n%s\n' "$S" "$D" | grep . | sort -u)
[ "$(printf '%s\n' "$S" | wc -l)" -le 4000 ] || { echo "root runs more than 4000 paths" >&2; exit 3; }
Q=$(printf '%s\n' "$S" | sed 's/^[^ ]* //' | tr '\n' '\0' | xargs -0 -r readlink -mz -- 2>/dev/null | tr '\n\0' '?\n')
set -- $S
n=$#
set -- $Q
[ $# -eq $n ] || set --
for r in $S; do
  p=${r#* }
  if [ $# -gt 0 ]; then q=$1; shift; else q=$(readlink -m -- "$p") || q=$p; fi
  case $q in *' '*|'') q=$p ;; esac
  l=
  [ "$q" = "$p" ] || l=$(links "$p")
  for a in "$q" $l; do
    v="${r%% *} $p"
    case $p$a in *' '*) v="${r%% *} $(printf %s "$p" | tr ' ' '?')" a=$(printf %s "$a" | tr ' ' '?') ;; esac
    printf 'run %s %s\n' "$v" "$a"
  done
  for a in "$p" "$q" $l; do while [ "$a" ] && [ "$a" != / ]; do printf '%s\n' "$a"; a=${a%/*}; done; done >&3
done 3>&1 >&4 | sort -u | xargs -d '\n' -r sh -c 'find "$@" -maxdepth 0 -printf "stat %y %m %U %u %G %g %p\\n" 2>/dev/null
  ls -ldnb --time-style=+ -- "$@" 2>/dev/null | sed -n "s/^.....w....+[^\/]* \(\/.*\)/\1/p" | while IFS= read -r f; do
    if a=$(getfacl -cpE -- "$f" 2>/dev/null); then
      printf "%s\n" "$a" | awk -F: -v f="$f" "/^(user|group):/ && \$2 != \"\" && \$2 != \"root\" && \$3 ~ /w/ { print \"acl \" \$1 \":\" \$2 \" \" f }"
    else printf "acl ? %s\n" "$f"
    fi
  done; :' sh
find / -maxdepth 0 -printf 'stat %y %m %U %u %G %g %p\n'
echo end
"""
)
_RUN = re.compile(r"run (?P<by>cron|rc|shell|path|unit|script|loader|hook) (?P<path>/\S*) (?P<real>/\S*)")
_STAT = re.compile(
    r"stat (?P<type>\w) (?P<mode>[0-7]{1,5}) (?P<uid>\d+) (?P<owner>\S+) (?P<gid>\d+) (?P<group>\S+) (?P<path>/.*)"
)
_ACL = re.compile(r"acl (?P<who>\?|(?:user|group):\S+) (?P<path>/.*)")


class Rights(NamedTuple):
    """Of one file or folder; of a link, its own."""

    is_link: bool
    mode: int
    uid: int
    owner: str
    gid: int
    group: str


class RootRuns(NamedTuple):
    """What root runs, and the rights of that."""

    paths: tuple[tuple[str, str, str], ...]
    """By what, the path, and where it leads or a link on its way is, if a link is in it."""
    rights: Mapping[str, Rights]
    """Of each path and each folder above it, as far as there is one."""
    acls: Mapping[str, tuple[str, ...]]
    """Who may write by further rights; `?` where the host cannot tell."""


def parse(output: Output) -> RootRuns:
    """Read both; a host whose root has no path to programs has not answered."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of what root runs is cut short"))
    paths, rights = [], {}
    acls: dict[str, tuple[str, ...]] = {}
    for line in lines[:-1]:
        if row := _RUN.fullmatch(line):
            paths.append((row["by"], row["path"], row["real"]))
        elif row := _STAT.fullmatch(line):
            owner = Rights(
                row["type"] == "l", int(row["mode"], 8), int(row["uid"]), row["owner"], int(row["gid"]), row["group"]
            )
            rights[row["path"]] = owner
        elif row := _ACL.fullmatch(line):
            acls[row["path"]] = (*acls.get(row["path"], ()), row["who"])
        else:
            raise Unparseable(
                msg("the listing of what root runs has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
    if not any(by == "path" for by, _path, _real in paths) or "/" not in rights:
        raise Unparseable(msg("the listing of what root runs is cut short"))
    return RootRuns(tuple(paths), rights, acls)


PROBE = Probe("files.root-runs", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, limit_bytes=1 << 20)
