"""Whether the kernel's audit is on and who takes it up: `auditctl -s` and `-l`, as auditctl(8) has them. Needs root.

Beside it stands how many rules the files hold that the next start loads, and when the daemon last wrote to its log.

enabled 1
pid 411
lost 0
rules:
-w /etc/passwd -p wa -k identity
saved 1
log 1795612800
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v auditctl >/dev/null || exit 127
auditctl -s || exit $?
echo rules:
auditctl -l || exit $?
cat /etc/audit/rules.d/*.rules /etc/audit/audit.rules 2>/dev/null | grep -cE '^[[:space:]]*-(w|a|A)' | sed 's/^/saved /'
f=$(sed -nE 's/^[[:space:]]*log_file[[:space:]]*=[[:space:]]*(\/[^[:space:]]*).*/\1/p' /etc/audit/auditd.conf 2>/dev/null | tail -n 1)
stat -c 'log %Y' "${f:-/var/log/audit/audit.log}" 2>/dev/null
echo end
"""


_NEVER = re.compile(r"^-[aA] (?:never,|[a-z]+,never\b)")
_NUMBER = re.compile(r"(saved|log) (\d{1,11})$")


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
    recording: int
    """Rules that have something written: those of the kind `never` are none, nor what stands behind one that holds for everything."""
    is_silenced: bool
    """A rule of the kind `never` holds for everything."""
    saved: int | None
    """Rules of the files that the next start loads; None in answers of versions before that was asked."""
    written_at: datetime | None
    """When the daemon last wrote to its log; None where there is none."""


def parse(output: Output) -> Audit:
    """Read the state and count the rules."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end" or "rules:" not in lines:
        raise Unparseable(msg("auditctl printed {seen}", seen=shown(output.text, 60) or "-"))
    at = lines.index("rules:")
    values = dict(line.split(None, 1) for line in lines[:at] if " " in line)
    rules = [line for line in lines[at + 1 : -1] if line.startswith("-")]
    recording = [rule for rule in takewhile(lambda rule: not _silences(rule), rules) if not _NEVER.search(rule)]
    numbers = {match[1]: int(match[2]) for line in lines[at:] if (match := _NUMBER.fullmatch(line))}
    log = numbers.get("log")
    try:
        return Audit(
            int(values["enabled"]),
            int(values["pid"]),
            int(values["lost"]),
            len(rules),
            0 if any(map(_silences_tasks, rules)) else len(recording),
            any(map(_silences, rules)),
            numbers.get("saved"),
            datetime.fromtimestamp(log, UTC) if log is not None else None,
        )
    except (KeyError, ValueError) as error:
        raise Unparseable(msg("auditctl printed {seen}", seen=shown(output.text, 60))) from error


def _silences(rule: str) -> bool:
    """Say whether nothing is written behind a rule: one of `never` without a condition."""
    return bool(_NEVER.search(rule)) and not re.search(r" -F (?!arch=)", rule) and not re.search(r" -S (?!all\b)", rule)


def _silences_tasks(rule: str) -> bool:
    """Say whether no system call of any process is written, wherever the rule stands, as it is decided at the process's start."""
    return _silences(rule) and "task" in rule.split()[1]


PROBE = Probe("ids.audit", ("sh", "-c", _SCRIPT), parse, needs_root=True)
