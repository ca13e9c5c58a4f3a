"""Sockets that wait for strangers by other protocols than TCP and UDP: what the kernel counts in /proc/net/protocols.

Protocols are named of which any socket is there, but for those by which nobody comes in from another host (netlink, unix), and what
other probes see (TCP, UDP). UDP-Lite, which ss(8) does not know, is named with its port. A raw socket is named with its
protocol's number, but for those of daemons of the network: ICMP, IGMP, OSPF, PIM, VRRP, what clients of DHCP send by, and what sends
alone. Sources: proc(5), raw(7), udplite(7), the list of protocol numbers of IANA.

    other UDP-Lite/5555
    other RAW/6
    end
"""

from __future__ import annotations

import re

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v awk >/dev/null || exit 127
set --
for f in raw raw6 udplite udplite6; do [ ! -r /proc/net/$f ] || set -- "$@" /proc/net/$f; done
awk '
  function number(h,  n, i) { n = 0; for (i = 1; i <= length(h); i++) n = n * 16 + index("0123456789ABCDEF", substr(h, i, 1)) - 1; return n }
  FNR == 1 { file = FILENAME; sub(/.*\//, "", file); next }
  file == "protocols" {
    if (0 < $3 && $1 !~ /^(TCP|UDP|UDP-Lite|UDPLITE|RAW|PING|MPTCP|UNIX|UNIX-STREAM|NETLINK|PACKET|XDP|KEY|ALG|AF_VSOCK)(v6)?$/) print "other " $1
    next
  }
  { split($2, a, ":"); n = number(a[2]) }
  a[1] ~ /7F$/ && length(a[1]) == 8 || a[1] ~ /^(00000000000000000000000001000000|0000000000000000FFFF0000......7F)$/ { next }
  file ~ /^raw/ { if (n !~ /^(1|2|17|58|89|103|112|255)$/) print "other RAW/" n; next }
  n { print "other UDP-Lite/" n }' /proc/net/protocols "$@" || exit $?
echo end
"""
_SOCKET = re.compile(r"other (\S{1,40})")


def parse(output: Output) -> tuple[str, ...]:
    """Read the protocols' names, each once."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the kernel's list of protocols is cut short"))
    found = []
    for line in lines[:-1]:
        match = _SOCKET.fullmatch(line)
        if match is None:
            raise Unparseable(msg("a line of the kernel's protocols cannot be parsed: {line}", line=shown(line, 80)))
        found.append(match[1])
    return tuple(sorted(set(found)))


PROBE = Probe("net.other-sockets", ("sh", "-c", _SCRIPT), parse)
