"""What dnf knows of security updates, from its cache alone: `dnf -C updateinfo list --security`. RHEL and AlmaLinux.

Captured with dnf 4.23 on Debian, over a repository made for it; not run on RHEL or AlmaLinux. dnf prints nothing and ends
well without repositories, without a cache and for repositories without advisories; so those are listed beside it. Root's
cache is asked, since an ordinary account has one of its own.

    repo security
    cache yes 1795572000 security
    ALSA-2026:1001 Important/Sec. portal-demo-1.2-1.el9.noarch
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dnf >/dev/null || exit 127
dnf -q -C repolist --enabled 2>/dev/null | sed -n '2,$s/^\([^ ]*\).*/repo \1/p'
for f in /var/cache/dnf/*/repodata/repomd.xml; do
  [ -f "$f" ] || continue
  d=${f%/repodata/repomd.xml}
  d=${d##*/}
  u=no
  grep -q 'type="updateinfo"' "$f" && u=yes
  printf 'cache %s %s %s\n' "$u" "$(stat -c %Y "$f")" "${d%-*}"
done
dnf -q -C updateinfo list --security || exit $?
echo end
"""
_ADVISORY = re.compile(r"(?P<id>[A-Z][A-Za-z0-9]*-\d{4}[:-][A-Za-z0-9:-]+)\s+(?P<kind>\S+)\s+(?P<package>\S+)$")


@dataclass(frozen=True, slots=True)
class Repository:
    """One enabled repository."""

    id: str
    has_advisories: bool
    """Its metadata say which updates are about security."""
    fetched_at: datetime | None
    """When its metadata were last fetched; None without a cache."""


@dataclass(frozen=True, slots=True)
class DnfUpdates:
    """The repositories, and the advisories that apply to the host."""

    repositories: tuple[Repository, ...]
    waiting: tuple[tuple[str, str], ...]
    """Advisory and package."""


def parse(output: Output) -> DnfUpdates:
    """Read repositories, their caches and the advisories."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("dnf's answer is cut short"))
    enabled: list[str] = []
    caches: dict[str, Repository] = {}
    waiting: list[tuple[str, str]] = []
    for line in lines[:-1]:
        words = line.split()
        advisory = _ADVISORY.match(line)
        if words[0] == "repo" and len(words) == 2:
            enabled.append(words[1])
        elif words[0] == "cache" and len(words) == 4 and words[2].isdigit():
            caches[words[3]] = Repository(words[3], words[1] == "yes", datetime.fromtimestamp(int(words[2]), UTC))
        elif advisory:
            waiting.append((advisory["id"], advisory["package"]))
        else:
            raise Unparseable(msg("dnf printed a line that cannot be parsed: {line}", line=shown(line, 80)))
    repositories = tuple(caches.get(name, Repository(name, False, None)) for name in enabled)
    return DnfUpdates(repositories, tuple(waiting))


PROBE = Probe("dnf.updates", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=1 << 20)
