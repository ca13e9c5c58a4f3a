"""What ClamAV's daemon answers at its socket: `VERSION`, as clamd(8) has it, which names the signatures that it has loaded.

It is asked only where it runs, so that no socket unit starts it, and as root, since its socket may be for its own
group alone. ClamAV 1.4.6 of Debian 13:

    at /run/clamav/clamd.ctl
    said ClamAV 1.4.6/27830/Mon Nov 30 12:45:12 2026
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v clamd >/dev/null || exit 127
ps -eo comm= | grep -qx clamd || { echo none; echo end; exit 0; }
C=
for f in /etc/clamav/clamd.conf /etc/clamd.d/scan.conf /etc/clamd.conf; do [ -z "$C" ] && [ -r "$f" ] && C=$f; done
[ "$C" ] || { echo unclear; echo end; exit 0; }
get() { sed -nE "s/^$1[[:space:]]+\"?([^\"]*[^\"[:space:]])\"?[[:space:]]*$/\1/p" "$C" | tail -n 1 | cut -c 1-200; }
S=$(get LocalSocket)
[ "$S" ] || { A=$(get TCPAddr) S=$(get TCPSocket)
  case $A in *:*) echo unclear; echo end; exit 0 ;; esac # this client speaks IPv4 alone
  [ -z "$S" ] || S=${A:-127.0.0.1}:$S; }
echo "at $S"
if command -v perl >/dev/null; then
  perl -MIO::Socket::UNIX -MIO::Socket::INET -e '$SIG{ALRM} = sub { print "silent\n"; exit }; alarm 5;
    $s = $ARGV[0] =~ m{^/} ? IO::Socket::UNIX->new("Peer", $ARGV[0]) : IO::Socket::INET->new("PeerAddr", $ARGV[0]);
    if (!$s) { print "refused\n"; exit } print $s "nVERSION\n"; $s->flush; sysread($s, $l, 200);
    $l =~ s/[^ -~].*//s; print length($l) ? "said $l\n" : "silent\n"' "$S"
else
  echo unclear
fi
echo end
"""
_VERSION_LINE = re.compile(r"said ClamAV ([0-9][0-9A-Za-z.-]{0,20})(?:/(\d{1,9})/[A-Z][a-z]{2} (.{20}))?$")


@dataclass(frozen=True, slots=True)
class Clamd:
    """Whether it answers, and with which signatures."""

    place: str
    """Its socket or address; empty where its file names none."""
    state: str
    """`said`, `silent`, `refused`, `none` where no such process is there, or `unclear`."""
    version: str
    signatures: int | None
    """Version of the daily signatures that it has loaded; None where it has loaded none."""
    built_at: datetime | None
    """When those were built, by the host's own zone, taken as UTC."""


def parse(output: Output) -> Clamd:
    """Read the place and the answer."""
    lines = [line.strip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("clamd's answer cannot be parsed: {seen}", seen=shown(output.text, 80) or "-"))
    place = lines[0].removeprefix("at").strip() if lines[0].startswith("at") else ""
    state = lines[-2].partition(" ")[0]
    if state in {"silent", "refused", "none", "unclear"}:
        return Clamd(place, state, "", None, None)
    version = _VERSION_LINE.fullmatch(lines[-2])
    try:
        if version is not None:
            built_at = datetime.strptime(version[3], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC) if version[3] else None
            return Clamd(place, "said", version[1], int(version[2]) if version[2] else None, built_at)
    except ValueError:
        pass
    raise Unparseable(msg("clamd's answer cannot be parsed: {seen}", seen=shown(output.text, 80)))


PROBE = Probe("malware.clamd", ("sh", "-c", _SCRIPT), parse, needs_root=True)
