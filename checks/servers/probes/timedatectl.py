"""Whether systemd calls the clock synchronised: `timedatectl show -p NTPSynchronized --value`, as timedatectl(1) has it."""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg


def parse(output: Output) -> bool:
    """Read `yes` or `no`."""
    refuse_without_systemd(output)
    word = output.text.strip()
    if word not in {"yes", "no"}:
        raise Unparseable(msg("timedatectl printed {seen}", seen=shown(word, 40)))
    return word == "yes"


PROBE = Probe(
    "time.systemd", ("timedatectl", "show", "-p", "NTPSynchronized", "--value"), parse, exit_codes=frozenset({0, 1})
)
