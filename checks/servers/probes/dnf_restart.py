"""Whether dnf wants a reboot: `dnf -C needs-restarting -r`. RHEL and AlmaLinux.

Captured with dnf 4.23 on Debian; not run on RHEL or AlmaLinux. Exit code 1 means "reboot", and also "there is no such
command" where the plugin is not installed.

    No core libraries or services have been updated since boot-up.
    Reboot should not be necessary.
"""

from __future__ import annotations

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


def parse(output: Output) -> bool:
    """Return whether a reboot is wanted."""
    said = output.text + output.errors
    if "No such command" in said:
        raise Unparseable(msg("dnf has no plugin that knows of reboots"), reason="plugin-missing")
    if output.exit_code == 1 and "Reboot is required" in output.text:
        return True
    if output.exit_code == 0 and "Reboot should not be necessary" in output.text:
        return False
    raise Unparseable(msg("dnf reported about a reboot: {seen}", seen=shown(said, 80) or "-"))


PROBE = Probe(
    "dnf.restart", ("dnf", "-C", "needs-restarting", "-r"), parse, timeout_seconds=60, exit_codes=frozenset({0, 1})
)
