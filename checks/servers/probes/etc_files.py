"""The content of every file under /etc and in the folders of local programs, as digests: sha256sum(1); links as targets.

Files that hold secrets are left out by name, since a digest lets a short secret be guessed: keys, password files,
environments. So are the links of /etc/ssl/certs and /etc/alternatives, which are many and made by packages.

    -> ../sites-available/portal  /etc/nginx/sites-enabled/portal
    0c9e...  /etc/ssh/sshd_config
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

FOLDERS = ("/etc", "/usr/local/sbin", "/usr/local/bin", "/usr/local/libexec")
LEFT_OUT = ("/etc/ssl/certs", "/etc/ssl/private", "/etc/pki/tls/private", "/etc/alternatives", "/etc/letsencrypt")
SECRET_NAMES = (
    *("shadow", "shadow-", "gshadow", "gshadow-", "opasswd", "*.key", "*_key", "*.psk", "*.keytab", "*.p12", "*.pfx"),
    *(".env", "*.env", ".pgpass", ".my.cnf", "debian.cnf", ".netrc", "*.nmconnection", "wg*.conf", "chap-secrets"),
    *("pap-secrets", "*.pass", "*secret*", "id_rsa", "id_ecdsa", "id_ed25519", "htpasswd", ".htpasswd", "machine-id"),
)
PRUNED = " -o ".join(f"-path {path}" for path in LEFT_OUT)
SECRET = " ".join(f"! -name '{name}'" for name in SECRET_NAMES)
"""Conditions of find(1): what it does not go into, and which names it leaves out."""
_SCRIPT = rf"""
command -v sha256sum >/dev/null || exit 127
set --
for d in {" ".join(FOLDERS)}; do [ -d "$d" ] && set -- "$@" "$d"; done
{{ find "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o -type f {SECRET} -print0 || printf '/find-failed\0'; }} |
  xargs -0 -r sha256sum -- || exit $?
{{ find "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o -type l ! -path '/etc/rc*.d/*' -printf '%l\0%p\0' || printf 'find-failed\0\0'; }} |
  tr '\n\0' '?\n' | while IFS= read -r t && IFS= read -r p; do printf -- '-> %s  %s\n' "$t" "$p"; done
echo end
"""
_ROW = re.compile(r"\\?(?P<content>[0-9a-f]{64}|-> .*?)  (?P<path>/.*)")


def covers(path: str) -> bool:
    """Say whether a file of this path is looked at, if it is there."""
    is_inside = any(path.startswith(f"{folder}/") for folder in FOLDERS)
    is_left_out = any(path.startswith(f"{folder}/") for folder in LEFT_OUT)
    name = path.rpartition("/")[2]
    return is_inside and not is_left_out and not any(fnmatchcase(name, pattern) for pattern in SECRET_NAMES)


def parse(output: Output) -> Mapping[str, str]:
    """Return the digest or `-> TARGET`, by path. A path that comes twice makes the whole unknown: a name was forged."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("the listing of files is cut short"))
    found: dict[str, str] = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None or row["path"] in found:
            raise Unparseable(
                msg("the listing of files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        found[row["path"]] = row["content"]
    return found


PROBE = Probe("change.files", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=2 << 20)
