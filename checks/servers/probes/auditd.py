"""Whether the kernel's audit is on and who takes it up: `auditctl -s` and `-l`, as auditctl(8) has them. Needs root.

enabled 1
pid 411
lost 0
rules:
-w /etc/passwd -p wa -k identity
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v auditctl >/dev/null || exit 127
auditctl -s || exit $?
echo rules:
auditctl -l || exit $?
echo end
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """The kernel's audit."""

    enabled: int
    """0 off, 1 on, 2 on and locked until the next boot."""
    pid: int
    """Of the daemon that takes the records; 0 for none."""
    lost: int
    """Records that were thrown away since boot."""
    rules: int


def parse(output: Output) -> Audit:
    """Read the state and count the rules."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end" or "rules:" not in lines:
        raise Unparseable(msg("auditctl printed {seen}", seen=shown(output.text, 60) or "-"))
    at = lines.index("rules:")
    values = dict(line.split(None, 1) for line in lines[:at] if " " in line)
    rules = [line for line in lines[at + 1 : -1] if line.startswith("-")]
    try:
        return Audit(int(values["enabled"]), int(values["pid"]), int(values["lost"]), len(rules))
    except (KeyError, ValueError) as error:
        raise Unparseable(msg("auditctl printed {seen}", seen=shown(output.text, 60))) from error


PROBE = Probe("ids.audit", ("sh", "-c", _SCRIPT), parse, needs_root=True)
