"""Programs that still run with a library or a program file that was replaced since they started: /proc/PID/maps and /proc/PID/exe.

The kernel marks what a process has mapped and is no longer there with `(deleted)`. Named are the unit or session of the process,
its name, and the file; each once. Other files that are deleted, such as a program's own temporary ones, are left out: what
counts is code (a mapping with `x`) below a folder of libraries or programs. So is a program that was put aside under another name,
while a new one stands at the name by which it was started. proc(5), cgroups(7).

An interpreter maps no modules: of each process of Python, Perl, Ruby and Node it is told which file of code changed after its start,
in its program's own folder or among the modules that are installed for it. A folder of modules that came into being since is a new
package, and no other of Python's count than those that the program imports, straight or by others. PHP reads its files anew.

    ssh.service sshd /usr/lib/x86_64-linux-gnu/libcrypto.so.3
    module portal.service python3 /usr/lib/python3/dist-packages/urllib3/response.py
    end 84
"""

from __future__ import annotations

import re
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for x in awk grep sed sort head stat tr xargs; do command -v $x >/dev/null || exit 127; done
n=0
for d in /proc/[0-9]*; do
  [ -r "$d/maps" ] || continue
  n=$((n + 1))
done
grep -lE ' r-x[ps] .* /(usr/)?(local/)?(lib|lib32|lib64|libexec|bin|sbin|opt)/.* \(deleted\)$' /proc/[0-9]*/maps 2>/dev/null | head -n 2000 |
  while IFS= read -r f; do
    d=${f%/maps}
    u=$(sed -n 's/.*\/\([^/]*\.\(service\|scope\|slice\)\)\(\/.*\)\{0,1\}$/\1/p' "$d/cgroup" 2>/dev/null | head -n 1)
    c=$(tr -c 'A-Za-z0-9._\n-' '?' <"$d/comm" 2>/dev/null) || continue
    sed -nE 's/^[0-9a-f]+-[0-9a-f]+ r-x[ps] [^ ]+ [^ ]+ [0-9]+ +(\/(usr\/)?(local\/)?(lib|lib32|lib64|libexec|bin|sbin|opt)\/.*) \(deleted\)$/\1/p' "$f" 2>/dev/null |
      sort -u | while IFS= read -r p; do printf '%s %s %s\n' "${u:--}" "${c:-?}" "$p"; done
  done | sort -u
# a program that was put aside by another name: the file at the name by which it was started is another program now
r=$(stat -Lc %d:%i / 2>/dev/null)
grep -zHm1 -sE '^/' /proc/[0-9]*/cmdline | tr '\0' '\n' | sed -nE 's@^(/proc/[0-9]+)/cmdline:(/[A-Za-z0-9_./+-]+)$@\1/root\n\1/exe\n\1/root\2@p' |
  xargs -r stat -Lc '%d:%i %n' 2>/dev/null | awk -v r="$r" '
    { p = substr($2, 1, index(substr($2, 7), "/") + 5); x = substr($2, length(p) + 1) }
    p != q { own = 0; exe = ""; q = p }
    x == "/root" { own = $1 == r; next }
    x == "/exe" { exe = $1; next }
    own && exe != "" && $1 != exe { print p, substr(x, 6) }' | head -n 200 |
  while read -r d p; do
    [ "$(head -c 4 -- "$p" 2>/dev/null | tr -d '\0')" = "$(printf '\177ELF')" ] || continue
    e=$(readlink "$d/exe") || continue
    u=$(sed -n 's/.*\/\([^/]*\.\(service\|scope\|slice\)\)\(\/.*\)\{0,1\}$/\1/p' "$d/cgroup" 2>/dev/null | head -n 1)
    c=$(tr -c 'A-Za-z0-9._\n-' '?' <"$d/comm" 2>/dev/null) || continue
    # a program may call itself by another's name, but the kernel's name is of the file that was started
    case ${e##*/}:${p##*/} in "${p##*/}"*:*) ;; *:"$c"*) ;; *) continue ;; esac
    printf '%s %s %s\n' "${u:--}" "${c:-?}" "$p"
  done | sort -u
# modules of interpreters that changed since their process began
b=$(sed -n 's/^btime //p' /proc/stat)
find /proc/[0-9]*/exe -maxdepth 0 -printf '%h %l\n' 2>/dev/null | grep -E '/(python|perl|ruby)[0-9.]*$|/node(js)?$' | head -n 60 | while read -r d e; do
  [ "$(stat -Lc %d:%i "$d/root" 2>/dev/null)" = "$r" ] || continue
  t=$(sed 's/.*) //' "$d/stat" 2>/dev/null | cut -d ' ' -f 20)
  [ "$t" ] || continue
  t=$((b + t / 100 + 2))
  w=$(readlink "$d/cwd")
  a=$(tr '\0' '\n' <"$d/cmdline" 2>/dev/null | head -n 12)
  i=$(printf '%s\n' "$a" | head -n 1)
  p=$(printf '%s\n' "$a" | sed 1d | while IFS= read -r x; do
    case $x in /*) ;; *) x=$w/$x ;; esac
    [ ! -f "$x" ] || { echo "$x"; break; }
  done)
  case $e in
  */python*) f='*.py' L="/usr/lib/python3/dist-packages /usr/local/lib/python3*/dist-packages /usr/lib*/python3*/site-packages /usr/local/lib*/python3*/site-packages" ;;
  */perl*) f='*.p[lm]' L="/usr/share/perl5 /usr/lib/*/perl5 /usr/local/share/perl /usr/local/lib/*/perl" ;;
  */ruby*) f='*.rb' L="/var/lib/gems /usr/lib/ruby /usr/share/rubygems-integration /usr/local/lib/ruby" ;;
  *) f='*.*js' L="/usr/share/nodejs /usr/lib/node_modules /usr/local/lib/node_modules" ;;
  esac
  case $i in /usr/bin/* | /bin/*) ;; /*/bin/*) L="$L ${i%/bin/*}/lib/python3*/site-packages" ;; esac
  o=${p%/*}
  case $o in */bin | */sbin | '') o= ;; esac
  [ "$w" = / ] || case $w in /proc/* | "$o") ;; *) o="$o $w" ;; esac
  N=$(find $p $o -maxdepth 4 -type f \( -name "$f" -o -path "$p" \) -newerct "@$t" 2>/dev/null | head -n 1)
  if [ ! "$N" ]; then
    M=$(find $L -type f -name "$f" -newerct "@$t" -printf '%H/ %P\n' 2>/dev/null | head -n 2000)
    [ ! "$M" ] || M=$({ find $L -mindepth 1 -maxdepth 1 -type d -printf '%B@ %p/\n' 2>/dev/null; echo ==; printf '%s\n' "$M"; } | awk -v t="$t" '
      $0 == "==" { l = 1; next } !l { if (t < $1 + 0) young[$2] = 1; next }
      { top = $2; if (sub(/\/.*/, "/", top) && (($1 top) in young)) next; print $1 $2 }')
    N=$(printf '%s\n' "$M" | head -n 1)
    case $e in */python*) [ ! "$N" ] || {
      tops() { awk '{ sub(/.*\/(dist|site)-packages\//, ""); sub(/\/.*/, ""); sub(/\.py$/, ""); if (/^[A-Za-z0-9_]+$/) print }' | sort -u; }
      W=$(printf '%s\n' "$M" | tops)
      for k in 1 2 3 4; do
        Q=$(printf '%s\n' "$W" | head -n 400 | tr '\n' '|') Q="(${Q%|})"
        R="^[[:space:]]*(from[[:space:]]+$Q|import[[:space:]](.*[, ])?$Q)([^A-Za-z0-9_]|\$)"
        [ $k = 4 ] || W=$({ printf '%s\n' "$W"; grep -rlsE --include=*.py "$R" $L | tops; } | sort -u)
      done
      printf '%s\n' "$a" | grep -qE "^$Q(\$|[.:])" || grep -qsE "$R" $p /dev/null || grep -rqsE --include=*.py "$R" $o /dev/null || N=
    } ;; esac
  fi
  [ "$N" ] || continue
  u=$(sed -n 's/.*\/\([^/]*\.\(service\|scope\|slice\)\)\(\/.*\)\{0,1\}$/\1/p' "$d/cgroup" 2>/dev/null | head -n 1)
  c=$(tr -c 'A-Za-z0-9._\n-' '?' <"$d/comm" 2>/dev/null) || continue
  printf 'module %s %s %s\n' "${u:--}" "${c:-?}" "$N"
done | sort -u
echo "end $n"
"""
_ROW = re.compile(r"(?P<kind>module )?(?P<unit>\S+) (?P<name>\S+) (?P<path>/.*)")


class OldCode(NamedTuple):
    """One file that is replaced on the disk and still run."""

    unit: str
    """Of systemd; `-` for none."""
    name: str
    path: str


class MappedCode(NamedTuple):
    """What was seen."""

    old: tuple[OldCode, ...]
    processes: int
    """How many processes could be looked into."""
    modules: tuple[OldCode, ...] = ()
    """Programs of interpreters, and a file of their code or modules that changed since they began."""


def parse(output: Output) -> MappedCode:
    """Read them; where not even one process could be looked into, nothing was seen."""
    lines = output.lines()
    end = re.fullmatch(r"end (\d+)", lines[-1]) if lines else None
    if end is None or int(end[1]) == 0:
        raise Unparseable(msg("the listing of mapped libraries is cut short"))
    found: list[OldCode] = []
    modules: list[OldCode] = []
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the listing of mapped libraries has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        (modules if row["kind"] else found).append(OldCode(row["unit"], row["name"], row["path"]))
    return MappedCode(tuple(found), int(end[1]), tuple(modules))


PROBE = Probe("run.old-code", ("sh", "-c", _SCRIPT), parse, needs_root=True)
