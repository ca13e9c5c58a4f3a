"""The units that start by themselves: `systemctl list-unit-files --state=enabled`, as systemctl(1) has it.

A unit that is enabled has a link, so it is asked of the names of links alone, of a package's own links
of those that can be enabled: the state of each unit costs the host about a millisecond.

ssh.service                            enabled enabled
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

_SCRIPT = r"""
command -v systemctl >/dev/null || exit 127
set -f
IFS='
'
links() {
  for d; do shift; [ ! -d "$d" ] || set -- "$@" "$d"; done
  # where not all can be searched, every unit is asked for
  [ $# -eq 0 ] || { find -H "$@" -type l -printf '%f\n%l\n' 2>/dev/null || echo '*'; } | sed 's/.*\///;/^null$/d;/^-/d' | sort -u
}
delivered= all=
[ -d /etc/systemd/system ] || all='*'
for u in $(links /usr/local/lib/systemd/system /usr/lib/systemd/system $([ -h /lib ] || echo /lib/systemd/system)); do
  [ "$u" != '*' ] || all='*'
  delivered="$delivered$IFS/etc/systemd/system/$u$IFS/usr/local/lib/systemd/system/$u$IFS/usr/lib/systemd/system/$u$IFS/lib/systemd/system/$u"
done
systemctl list-unit-files --state=enabled --plain --no-legend --no-pager $all $(
  links /etc/systemd/system /etc/systemd/system.control /run/systemd/system
  [ ! "$delivered" ] || grep -ls '^\[Install\]' -- $delivered | sed 's/.*\///')
"""


def parse(output: Output) -> frozenset[str]:
    """Return the names of the units; a host that starts nothing has not answered."""
    refuse_without_systemd(output)
    found = set()
    for line in output.lines():
        words = line.split()
        if len(words) < 2 or words[1] != "enabled" or "." not in words[0]:
            raise Unparseable(msg("systemctl printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found.add(words[0])
    if not found:
        raise Unparseable(msg("systemd lists no unit that starts automatically"))
    return frozenset(found)


PROBE = Probe(
    "systemd.enabled",
    ("sh", "-c", _SCRIPT),
    parse,
    exit_codes=frozenset({0, 1}),
)
