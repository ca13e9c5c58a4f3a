"""Whose unfinished work it is: a mark that a process leaves in the names of what it makes, and whether it is still alive.

A mark says the machine's boot, its space of process numbers, the number, and when the process was started. On the machine
itself that shows at once whether its process lives; anywhere else it shows nothing.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_MARK = re.compile(r"([0-9a-f]{12})-([0-9]+)-([0-9]+)-([0-9]+)")


def run_mark() -> str:
    """Return this process's mark: letters, digits and hyphens."""
    return f"{_space()}-{os.getpid()}-{_started(os.getpid())}"


def is_alive(mark: str) -> bool | None:
    """Say whether the process of a mark is alive; None if that cannot be seen from here."""
    found = _MARK.fullmatch(mark)
    if found is None or f"{found[1]}-{found[2]}" != _space():
        return None
    started = _started(int(found[3]))
    return None if started is None and _is_hidden(int(found[3])) else started == int(found[4])


def _space() -> str:
    """Return what process numbers are unique in: one boot of one machine, one namespace (namespaces(7))."""
    boot, namespace = "0" * 12, "0"
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").replace("-", "")[:12]
        namespace = re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))
    return f"{boot}-{namespace}"


def _is_hidden(pid: int) -> bool:
    """Say whether there is a process that only its owner sees: /proc may be mounted with hidepid (proc(5))."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return not Path(f"/proc/{pid}").exists()
    except (OSError, OverflowError):
        return False
    return False


def _started(pid: int) -> int | None:
    """Return when a process was started, in ticks since the machine's boot (proc(5)); None if there is no working one.

    Not as a time of day, which would be another one after the clock was set.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = text.rpartition(")")[2].split()
        return None if state in {"Z", "X"} else int(fields[18])
    except (OSError, ValueError, IndexError):
        return None
