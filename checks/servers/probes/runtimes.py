"""Runtimes of web programs, whose packages they are, and their versions: php, nginx, java, node and python3.

They are looked for on the usual path and in folders where people put what they build themselves, also by
names with a version, such as php8.2 and php-fpm8.2. A program that an account
other than root could have changed is not started, and said to be so. Captured on Debian 13; the way by rpm(8) was not run on
RHEL or AlmaLinux.

    php|/usr/bin/php8.4|php8.4-cli|
    node|/opt/node/bin/node|-|v20.11.1
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
L=$(
  for f in /usr/sbin /usr/bin /usr/local/bin /usr/local/sbin /usr/local/*/bin /usr/local/*/sbin /opt/*/bin /opt/*/sbin /srv/*/bin; do
    for g in "$f"/php "$f"/php[5-9].[0-9] "$f"/php-fpm "$f"/php-fpm[5-9].[0-9] "$f"/nginx "$f"/java "$f"/node "$f"/nodejs \
      "$f"/python3 "$f"/python3.[0-9] "$f"/python3.[0-9][0-9]; do
      p=${g##*/}
      case $p in php*) p=php ;; node*) p=node ;; python*) p=python3 ;; esac
      [ -x "$g" ] && [ -f "$g" ] && printf '%s|%s\n' "$p" "$(readlink -f "$g")"
    done
  done | sort -u
)
IFS='
'
set -f
# dpkg reads all its lists to answer, so it is asked once.
command -v dpkg-query >/dev/null && D=1 || D=
W=
for l in $L; do r=${l#*|}; set -- "$@" "$r" "${r#/usr}"; done
[ -z "$D" ] || [ $# = 0 ] || W=$(dpkg-query -S "$@" 2>/dev/null)
for l in $L; do
  p=${l%%|*} r=${l#*|} o=- v=
  if [ "$D" ]; then
    for w in $W; do case $w in *": $r"|*": ${r#/usr}") o=${w%%:*}; break;; esac; done
  else
    o=$(rpm -qf --qf '%{NAME}' "$r" 2>/dev/null) || o=-
  fi
  if [ "$o" = - ]; then
    v=unsafe
    set -- "$r"
    while [ "$1" ]; do set -- "${1%/*}" "$@"; done
    shift
    if [ -z "$(find / "$@" -maxdepth 0 \( ! -user root -o -perm /022 \))" ]; then
      case $p in php|nginx) a=-v;; java) a=-version;; *) a=--version;; esac
      v=$(timeout 5 "$r" "$a" 2>&1 </dev/null | head -n 1 | head -c 200 | tr -d '|')
    fi
  fi
  printf '%s|%s|%s|%s\n' "$p" "$r" "$o" "$v"
done
echo end
"""
NAMES = frozenset({"php", "nginx", "java", "node", "python3"})
UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One program."""

    name: str
    path: str
    package: str
    """Empty where no package has it."""
    version: str
    """The first line that it prints of itself, `unsafe` where it was not started; empty for a packaged one."""


def parse(output: Output) -> tuple[Runtime, ...]:
    """Read one program a line; none at all is an answer too."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of runtimes is cut short"))
    found: list[Runtime] = []
    for line in lines[:-1]:
        parts = line.split("|")
        if len(parts) != 4 or parts[0] not in NAMES or not parts[2]:
            raise Unparseable(msg("a line of the runtimes cannot be parsed: {line}", line=shown(line, 80)))
        found.append(Runtime(parts[0], parts[1], "" if parts[2] == "-" else parts[2], parts[3]))
    return tuple(found)


PROBE = Probe("runtimes", ("sh", "-c", _SCRIPT), parse, timeout_seconds=60, form=PIPED)
