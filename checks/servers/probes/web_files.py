"""Files in the usual web roots that the web server, or everyone, may write to: find(1). Needs root.

Looked at are /var/www, /srv/www, /srv/http and /usr/share/nginx/html; at most 2000 files of each kind
are listed. A search that fails says so in a line of its own, since the pipe hides its exit code.

    root /var/www
    644 www-data /var/www/html/wp-content/uploads/2026/11/logo.png
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for d in /var/www /srv/www /srv/http /usr/share/nginx/html; do
  [ -d "$d" ] || continue
  printf 'root %s\n' "$d"
  known=
  for u in www-data apache nginx http wwwrun; do
    id -u "$u" >/dev/null 2>&1 || continue
    known=1
    set -- -user "$u"
    for g in $(id -G "$u"); do set -- "$@" -o -gid "$g" -perm -0020; done
    { find "$d" -xdev -type f \( "$@" \) -printf '%m %u %p\n' || echo failed; } | head -n 2000 | cut -c 1-1000
  done
  [ -n "$known" ] || { echo 'none of the usual accounts of a web server is there' >&2; exit 3; }
  { find "$d" -xdev -type f -perm -0002 -printf '%m %u %p\n' || echo failed; } | head -n 2000 | cut -c 1-1000
done
echo end
"""
_ROOT = re.compile(r"root (/\S+)$")
_FILE = re.compile(r"[0-7]{3,4} \S{1,64} (/.+)$")
LISTED = 2000
LONGEST = 1000
"""A line of so many bytes was cut, and the end of the name, which tells programs apart, is lost."""


@dataclass(frozen=True, slots=True)
class WebFiles:
    """What of it is there."""

    roots: tuple[str, ...]
    writable: tuple[str, ...]
    """By path."""


def parse(output: Output) -> WebFiles:
    """Read the roots and the files."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the list of the web server's files broke off"))
    roots, files = [], []
    for line in lines[:-1]:
        if match := _ROOT.fullmatch(line.strip()):
            roots.append(match[1])
        elif (match := _FILE.fullmatch(line.rstrip("\r"))) and len(line.encode("utf-8", "surrogateescape")) < LONGEST:
            files.append(match[1])
        else:
            raise Unparseable(msg("find printed a line of unknown form: {line}", line=shown(line, 80)))
    return WebFiles(tuple(roots), tuple(dict.fromkeys(files)))


PROBE = Probe("web.files", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=1 << 20)
