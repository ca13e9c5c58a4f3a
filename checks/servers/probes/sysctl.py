"""Settings of the kernel that protect the host: files below /proc/sys, as proc(5) and sysctl(8) have them.

kernel.randomize_va_space=2
end
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

KEYS = (
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "kernel.kptr_restrict",
    "kernel.randomize_va_space",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.tcp_syncookies",
    "net.ipv6.conf.all.accept_redirects",
)

_ROWS = "".join(f"of {key} /proc/sys/{key.replace('.', '/')}\n" for key in KEYS)
_SCRIPT = 'of() { v=; { read -r v <"$2"; } 2>/dev/null; printf "%s=%s\\n" "$1" "$v"; }\n' + _ROWS + "echo end\n"


def parse(output: Output) -> Mapping[str, int | None]:
    """Return each key's value; None where the kernel does not have it."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of kernel settings is cut short"))
    found: dict[str, int | None] = {}
    for line in lines[:-1]:
        key, equals, value = line.partition("=")
        if not equals or key not in KEYS or not (value == "" or value.lstrip("-").isdigit()):
            raise Unparseable(msg("a line of the kernel settings cannot be parsed: {line}", line=shown(line, 80)))
        found[key] = int(value) if value else None
    return found


PROBE = Probe("kernel.sysctl", ("sh", "-c", _SCRIPT), parse)
