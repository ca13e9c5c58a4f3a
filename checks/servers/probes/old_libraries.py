"""Programs that still run with a library or a program file that was replaced since they started: /proc/PID/maps and /proc/PID/exe.

The kernel marks what a process has mapped and is no longer there with `(deleted)`. Named are the unit or session of the process,
its name, and the file; each once. Other files that are deleted, such as a program's own temporary ones, are left out: what
counts is code (a mapping with `x`) below a folder of libraries or programs. So is a program that was put aside under another name,
while a new one stands at the name by which it was started. proc(5), cgroups(7).

    ssh.service sshd /usr/lib/x86_64-linux-gnu/libcrypto.so.3
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
echo "end $n"
"""
_ROW = re.compile(r"(?P<unit>\S+) (?P<name>\S+) (?P<path>/.*)")


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


def parse(output: Output) -> MappedCode:
    """Read them; where not even one process could be looked into, nothing was seen."""
    lines = output.lines()
    end = re.fullmatch(r"end (\d+)", lines[-1]) if lines else None
    if end is None or int(end[1]) == 0:
        raise Unparseable(msg("the listing of mapped libraries is cut short"))
    found = []
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the listing of mapped libraries has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        found.append(OldCode(row["unit"], row["name"], row["path"]))
    return MappedCode(tuple(found), int(end[1]))


PROBE = Probe("run.old-code", ("sh", "-c", _SCRIPT), parse, needs_root=True)
