"""The one script that brings every probe's output from a host in one trip.

POSIX sh, fed on standard input to `sh -s NONCE` (an argument of its size would be refused). It writes no file on the
host, changes nothing, and prints, for each probe:

    <<<NONCE id>>>
    what the command printed, cut after its limit
    <<<NONCE id stderr>>>
    the first 4 KiB of its complaints
    <<<NONCE id rc=N s=SECONDS ms=MILLISECONDS>>>

and `<<<NONCE done>>>` at the end. The nonce is fresh and random, so no output can imitate a mark. The command's own exit
code is carried past the pipe that cuts its output; it reads from /dev/null, or it would eat the rest of the script.

Most of what a round costs a host is starting programs, so the script starts few of its own: it is made nice once for all that
it runs, it reads the time from /proc/uptime, looks for complaints without one where there are none, and starts nothing for a probe
whose program the host lacks.

sudo of Debian asks for the host's own name at each call, and waits 20 seconds where no name server answers. The script finds that out
once, and then runs nothing through sudo: each of those probes says why.
Sources: sh(1p), timeout(1), head(1), renice(1), proc_uptime(5), sudo(8).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from checks.servers.privileges import HELPER, needs_helper, subcommand
from checks.servers.probe import SUDO_WAITS, Probe

HOST_SECONDS = 60.0
"""A host's answer must be complete after this time, where `[checks] host_timeout` sets no other; slow probes have a trip of their own."""
HOST_BYTES = 8 << 20
"""A host's answer may not be longer."""
STDERR_BYTES = 4096

SCRIPT_START = (
    r"""N=$1
LC_ALL=C LANGUAGE= TZ=UTC NO_COLOR=1 SYSTEMD_COLORS=0 SYSTEMD_PAGER=cat
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL LANGUAGE TZ NO_COLOR SYSTEMD_COLORS SYSTEMD_PAGER PATH
cd /
U=$(id -u) T=$(command -v timeout)
renice -n 10 -p $$ >/dev/null 2>&1
exec 5>&1
SUDO_WAITS=
if [ "$U" != 0 ] && [ "$T" ]; then
  "$T" 3 getent hosts "$(uname -n)" >/dev/null 2>&1 </dev/null
  if [ $? = 124 ]; then
    read -r B _ </proc/uptime
    sudo -n -l >/dev/null 2>&1 </dev/null
    read -r A _ </proc/uptime
    [ $((${A%.*} - ${B%.*})) -lt 3 ] || SUDO_WAITS=1
  fi
fi
export SUDO_WAITS
waits() { echo "COMPLAINT" >&2; return 1; }
absent() { printf '<<<%s %s>>>\n\n<<<%s %s stderr>>>\n\n<<<%s %s rc=127 s=0 ms=0>>>\n' "$N" "$I" "$N" "$I" "$N" "$I"; }
# A program that is closed to this account is there all the same where it is root's to run.
found() {
  command -v "$1" && return
  [ "$R" != user ] && [ "$U" != 0 ] || return 1
  for D in /usr/sbin /usr/bin /sbin /bin; do [ ! -e "$D/$1" ] || { echo "$D/$1"; return; }; done
  return 1
}
probe() {
  I=$1 S=$2 C=$3 R=$4
  for P in $5; do found "$P" >/dev/null || { absent; return; }; done
  shift 5
  if [ "$R" != user ] && [ "$SUDO_WAITS" ]; then
    set -- waits
  elif [ "$R" != user ] && [ "$U" != 0 ]; then
    if [ "$R" != root ]; then
      set -- sudo -n HELPER "$R"
    else
      P=$(found "$1") && shift && set -- "$P" "$@" && set -- sudo -n ${T:+"$T" -k 2 "$S"} "$@"
    fi
  elif [ "$T" ]; then
    set -- "$T" -k 2 "$S" "$@"
  fi
  printf '<<<%s %s>>>\n' "$N" "$I"
  B=0 A=0
  read -r B _ </proc/uptime
  E=$(
    exec 4>&1
    {
      { "$@" </dev/null 2>&3 3>&- 4>&- 5>&-; printf '<<<%s rc=%s>>>' "$N" "$?" >&4; } | head -c "$C" >&5
    } 3>&1 | if IFS= read -r X || [ "$X" ]; then
      Y=$(head -c STDERR_BYTES)
      cat >/dev/null
      printf '%s\n%s' "$X" "$Y"
    fi
  )
  read -r A _ </proc/uptime
  X=${E##*"<<<$N rc="}
  X=${X%%">>>"*}
  M="<<<$N rc=$X>>>"
  printf '\n<<<%s %s stderr>>>\n%.STDERR_BYTESs\n<<<%s %s rc=%s s=%s ms=%s0>>>\n' \
    "$N" "$I" "${E%%"$M"*}${E#*"$M"}" "$N" "$I" "$X" "$((${A%.*} - ${B%.*}))" "$((${A%.*}${A#*.} - ${B%.*}${B#*.}))"
}
""".replace("STDERR_BYTES", str(STDERR_BYTES))
    .replace("HELPER", HELPER)
    .replace("COMPLAINT", SUDO_WAITS)
)
"""Before the first probe: `$1` is the nonce."""

_NEEDED = re.compile(r"\s*(command -v [\w.-]+ >/dev/null(?: && command -v [\w.-]+ >/dev/null)*) \|\| exit 127\n")
SCRIPT_END = "printf '<<<%s done>>>\\n' \"$N\"\n"
"""Behind the last probe."""


def script_for(probes: Sequence[Probe[Any]]) -> bytes:
    """Return the script that runs the probes in the order given."""
    return "".join((SCRIPT_START, *(f"{probe_line(probe)}\n" for probe in probes), SCRIPT_END)).encode()


def probe_line(probe: Probe[Any], *, before: str = "") -> str:
    """Return the line of the script that runs one probe.

    Args:
        probe: one with a command.
        before: words of the shell that stand before its command.
    """
    # NOTE: one byte more than the limit is let through, so that output of exactly the limit is not taken for cut.
    limits = (probe.id, str(probe.timeout_seconds), str(probe.limit_bytes + 1), _way(probe), _needed(probe))
    words = (*map(_quoted, limits), *([before] if before else ()), *map(_quoted, probe.command))
    return " ".join(("probe", *words))


def _quoted(word: str) -> str:
    """Return a word for the shell, shorter than shlex.join's: without indents and remarks, but where Python or a here-document needs them."""
    if shlex.quote(word) == word:
        return word
    lean = word
    if not re.search(r"\bimport |<<", word):
        word = re.sub(r"\n[ \t]*# [^\n]*(?=\n)", "", word)
        lean = re.sub(r"\n[ \t]+", "\n", re.sub(r"[ \t]{2}# [^\n'\"]*(?=\n)", "", word))
    return "'" + lean.replace("'", "'\\''") + "'"


def _needed(probe: Probe[Any]) -> str:
    """Return the programs that a probe can't do without: its own, or those that its lines of shell begin by looking for."""
    if probe.command[:2] != ("sh", "-c"):
        return probe.command[0]
    found = _NEEDED.match(probe.command[-1])
    return " ".join(found[1].split()[2::5]) if found else ""


def _way(probe: Probe[Any]) -> str:
    """Return `user`, `root`, or what the helper is asked for where a command is too much for sudoers(5)."""
    if not probe.needs_root:
        return "user"
    return subcommand(probe) if needs_helper(probe) else "root"
