"""Settings of the kernel that protect the host: files below /proc/sys, as proc(5) and sysctl(8) have them.

What holds at a network device is told for each but loopback and the ports of bridges, and what the next start sets is told by the
kernel's command line and the files of sysctl.d(5), in the order in which they are read.

kernel.randomize_va_space=2
devices
4 eth0 forwarding=0 accept_redirects=1 send_redirects=1 rp_filter=2
6 eth0 forwarding=0 accept_redirects=1
boot
-net.ipv4.conf.all.rp_filter
net.ipv4.conf.*.rp_filter = 2
end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

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
_SCRIPT = (
    'of() { v=; { read -r v <"$2"; } 2>/dev/null; printf "%s=%s\\n" "$1" "$v"; }\n'
    + _ROWS
    + r"""
echo devices
at() {
  for d in /proc/sys/net/ipv$1/conf/*; do
    n=${d##*/}
    case $n in all|default|lo|'*') continue ;; esac
    [ ! -e "/sys/class/net/$n/brport" ] || continue
    s=$1\ $n
    shift
    for k; do v=; { read -r v <"$d/$k"; } 2>/dev/null; s="$s $k=$v"; done
    set -- "${s%% *}" "$@"
    printf '%s\n' "$s"
  done
}
at 4 forwarding accept_redirects send_redirects rp_filter | head -n 300
at 6 forwarding accept_redirects | head -n 300
echo boot
p=/usr/lib/systemd/systemd-sysctl
[ -x $p ] || p=/lib/systemd/systemd-sysctl
if [ -x $p ]; then
  { tr ' ' '\n' </proc/cmdline | sed -n 's/^sysctl\.//p'; $p --cat-config; } |
    sed -nE 's/[[:space:]]+$//;/^[[:space:]]*-?(fs|kernel|net).*(protected_|kptr_restrict|randomize_va_space|_redirects|rp_filter|tcp_syncookies)/p' |
    head -n 500 | cut -c 1-200
else
  echo '?'
fi
echo end
"""
)
_DEVICE = re.compile(r"([46]) (\S+)((?: [a-z_]+=-?\d*)+)$")
_SET = re.compile(r"(-?)([A-Za-z0-9_./*?:@\[\]!-]+)(?:\s*=\s*(-?\d+))?$")


@dataclass(frozen=True, slots=True)
class NetworkDevice:
    """What holds at one device."""

    family: int
    """4 or 6."""
    name: str
    values: Mapping[str, int]
    """By the last word of the setting; what this kernel does not have is left out."""


@dataclass(frozen=True, slots=True)
class KernelSettings:
    """What holds now, and what the next start sets."""

    values: Mapping[str, int | None]
    """Of each key; None where the kernel does not have it."""
    devices: tuple[NetworkDevice, ...] | None = None
    """None in answers of versions before they were asked."""
    boot: tuple[tuple[str, int | None], ...] | None = None
    """Settings, also patterns of them, in the order of the files; without a value, patterns leave that one out. None where
    this is not known."""

    def value_at_start(self, key: str) -> int | None:
        """Return what the next start sets a key to; None where nothing sets it."""
        exact = [value for name, value in self.boot or () if name == key]
        if exact:
            return exact[-1]
        return next(
            (value for name, value in reversed(self.boot or ()) if value is not None and fnmatchcase(key, name)), None
        )


def parse(output: Output) -> KernelSettings:
    """Read values, devices and what a start sets."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of kernel settings is cut short"))
    found: dict[str, int | None] = {}
    devices: list[NetworkDevice] = []
    boot: list[tuple[str, int | None]] = []
    part = "values"
    for line in lines[:-1]:
        if line in {"devices", "boot"}:
            part = line
            continue
        key, equals, value = line.partition("=")
        if part == "values" and equals and key in KEYS and (value == "" or value.lstrip("-").isdigit()):
            found[key] = int(value) if value else None
        elif part == "devices" and (match := _DEVICE.fullmatch(line)):
            pairs = (each.split("=") for each in match[3].split())
            devices.append(NetworkDevice(int(match[1]), match[2], {name: int(text) for name, text in pairs if text}))
        elif part == "boot":
            if match := _SET.fullmatch(line):
                boot.append((_dotted(match[2]), int(match[3]) if match[3] else None))
        else:
            raise Unparseable(msg("a line of the kernel settings cannot be parsed: {line}", line=shown(line, 80)))
    if part == "values":
        return KernelSettings(found)
    return KernelSettings(found, tuple(devices), None if "?" in lines else tuple(boot))


def _dotted(key: str) -> str:
    """Return a key with dots, as it is where its first divider is one; where that is a slash, a dot is part of a name."""
    first = re.search(r"[./]", key)
    return key.translate(str.maketrans("./", "/.")) if first and first[0] == "/" else key


PROBE = Probe("kernel.sysctl", ("sh", "-c", _SCRIPT), parse)
