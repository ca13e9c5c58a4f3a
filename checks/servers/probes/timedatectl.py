"""Whether systemd calls the clock synchronised: `timedatectl show -p NTPSynchronized --value`, as timedatectl(1) has it.

`own` instead of `yes` where the server that its own client asks (`timedatectl show-timesync`) has an address of the host itself.
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

YES, OWN = "yes", "own"
_SCRIPT = r"""
command -v timedatectl >/dev/null || exit 127
s=$(timedatectl show -p NTPSynchronized --value) || exit $?
if [ "$s" = yes ] && a=$(timedatectl show-timesync -p ServerAddress --value 2>/dev/null) && [ "$a" ]; then
  case $(ip route get "$a" 2>/dev/null) in local*) s=own ;; esac
fi
echo "$s"
"""


def parse(output: Output) -> str:
    """Read `yes`, `own` or `no`."""
    refuse_without_systemd(output)
    word = output.text.strip()
    if word not in {YES, OWN, "no"}:
        raise Unparseable(msg("timedatectl printed {seen}", seen=shown(word, 40)))
    return word


PROBE = Probe("time.systemd", ("sh", "-c", _SCRIPT), parse, exit_codes=frozenset({0, 1}))
