r"""The program behind the probe service of this machine, and what is asked of it; pure.

`portalops schedule install` puts the program in place, where systemd starts it for each connection to the socket (see
`portalops.schedule.probe`). A request names probes of its list, and nothing else of it is ever a word of a command:

    portalops-probe 1 NONCE
    ID@DIGEST                 a line for each probe: its id, and a digest of what it does
    end

The answer is what the script of an SSH trip prints, between the same marks with the nonce (see `script`), so it is taken apart
without trusting it. A name that is not listed gets a section that says so, and exit code 64. A request that is longer than 64 KiB,
is not complete within 10 s or has another form gets one line and no section.

    >>> request_text("0" * 32, ["clock@0123456789ab"])
    b'portalops-probe 1 00000000000000000000000000000000\nclock@0123456789ab\nend\n'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from checks.servers.privileges import subcommand
from checks.servers.probe import OTHER_PROBES, Probe
from checks.servers.probes import mounted
from checks.servers.script import SCRIPT_END, SCRIPT_START, probe_line
from portalops.schedule.probe import GUARD

REQUEST_BYTES = 64 << 10
"""A longer request is refused."""
REQUEST_SECONDS = 10
"""A request that is not complete by then is refused."""
REFUSAL = b"portalops-probe: "
"""With which the line begins that refuses a request."""

_START = (
    r"""# What portalops may ask of this machine: a fixed list of probes. It reads, and changes nothing.
# systemd starts it for each connection to the socket of portalops; its one argument is the account of the jobs.
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset IFS ENV BASH_ENV CDPATH
set -f
cd / || exit 70
refuse() { echo "portalops-probe: $1"; exit 64; }
A=$1
Q=$(timeout SECONDS head -c BYTES) || refuse "the request was not complete within SECONDS s"
case $Q in *[!a-z0-9@.'
 '-]*) refuse "the request has characters that none has" ;; esac
set -- $Q
[ "$1 $2" = "portalops-probe 1" ] || refuse "it is no request"
[ "${#3}" = 32 ] || refuse "its nonce has not 32 characters"
N=$3
case $N in *[!0-9a-f]*) refuse "its nonce is not hexadecimal" ;; esac
shift 3
W=$*
case " $W" in *" end") W=${W%end} ;; *) refuse "the request was cut" ;; esac
AS=
[ "$A" = root ] || AS="setpriv --reuid=$(id -u "$A") --regid=$(id -g "$A") --init-groups --inh-caps=-all,+GUARD --ambient-caps=-all,+GUARD --"
set -- "$N"
""".replace("SECONDS", str(REQUEST_SECONDS))
    .replace("BYTES", str(REQUEST_BYTES))
    .replace("GUARD", GUARD)
)
_UNLISTED = r"""*)
  I=${1%@*}
  printf '<<<%s %s>>>\n\n<<<%s %s stderr>>>\nREFUSAL\n<<<%s %s rc=64 s=0 ms=0>>>\n' "$N" "$I" "$N" "$I" "$N" "$I" ;;
""".replace("REFUSAL", OTHER_PROBES)


def local_probes(probes: Iterable[Probe[Any]]) -> tuple[Probe[Any], ...]:
    """Return what is asked of this machine: the probes that have a command, and its disks, by id."""
    return tuple(sorted((one for one in (*probes, mounted.PROBE) if one.command), key=lambda one: one.id))


def program_text(probes: Iterable[Probe[Any]]) -> str:
    """Return the program, for POSIX sh: the same one for the same probes.

    A probe that needs no root runs as the account, with no other right than the guard's (see `portalops.schedule.probe.GUARD`).
    """
    cases = (f"{subcommand(one)}) {_called(one)} ;;\n" for one in local_probes(probes))
    answer = f"answer() {{\ncase $1 in\n{''.join(cases)}{_UNLISTED}esac\n}}\n"
    return "".join((_START, SCRIPT_START, answer, 'for W in $W; do answer "$W"; done\n', SCRIPT_END))


def _called(one: Probe[Any]) -> str:
    return probe_line(one, before="" if one.needs_root else "$AS")


def request_text(nonce: str, names: Iterable[str]) -> bytes:
    """Return a request for probes.

    Args:
        nonce: 32 hexadecimal digits, fresh.
        names: of probes, as `subcommand` gives them.
    """
    return "\n".join((f"portalops-probe 1 {nonce}", *names, "end\n")).encode()


def listed_names(script: bytes, probes: Mapping[str, Probe[Any]]) -> Sequence[str] | None:
    """Return by which names the probe service is asked for what a script does; None where the script does anything else.

    Args:
        script: of `script_for`.
        probes: by id, those that the service knows.
    """
    start, end = SCRIPT_START.encode(), SCRIPT_END.encode()
    if not (script.startswith(start) and script.endswith(end)):
        return None
    names, at = [], len(start)
    while at < len(script) - len(end):
        word = script[at : script.find(b" ", at + len(b"probe "))].removeprefix(b"probe ").decode("utf-8", "replace")
        line = f"{probe_line(probes[word])}\n".encode() if word in probes else b""
        if not line or not script.startswith(line, at):
            return None
        names.append(subcommand(probes[word]))
        at += len(line)
    return names
