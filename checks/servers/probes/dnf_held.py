"""Security updates that dnf would offer, once as it is set up and once without locks and excludes. RHEL and AlmaLinux.

From its cache alone, as root, whose cache is the fresh one: `dnf -C check-update --security`, and the same with
`--disableexcludes=all --disableplugin=versionlock` (dnf(8), dnf-versionlock(8)). `updateinfo list` is not asked: it heeds neither
locks nor what a repository excludes. Captured with dnf 4.23 on Debian, over a repository made for it; not run on RHEL or
AlmaLinux. Exit code 100 means that there are updates.

    offered portal-lib.noarch    1.2-1.el9    security
    open portal-lib.noarch    1.2-1.el9    security
    open portal-demo.noarch    1.2-1.el9    security
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v dnf >/dev/null || exit 127
look() {
  word=$1
  shift
  found=$(dnf -q -C "$@" check-update --security)
  code=$?
  case $code in 0|100) ;; *) exit $code;; esac
  printf '%s\n' "$found" | sed -e '/^Obsoleting/,$d' -e '/^[[:space:]]*$/d' -e "s/^/$word /"
}
look offered
look open --disableexcludes=all --disableplugin=versionlock
echo end
"""


@dataclass(frozen=True, slots=True)
class DnfHeld:
    """Which security updates there are."""

    offered: frozenset[tuple[str, str]]
    """Package with its architecture, and version, as dnf would install them."""
    open: frozenset[tuple[str, str]]
    """The same without any lock or exclude."""


def parse(output: Output) -> DnfHeld:
    """Read both lists; dnf breaks a row where a name is long."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("dnf's answer is cut short"))
    words: dict[str, list[str]] = {"offered": [], "open": []}
    for line in lines[:-1]:
        which, *rest = line.split()
        if which not in words:
            raise Unparseable(msg("dnf printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        words[which] += rest
    return DnfHeld(_updates(words["offered"]), _updates(words["open"]))


def _updates(words: list[str]) -> frozenset[tuple[str, str]]:
    names, versions = words[0::3], words[1::3]
    if len(words) % 3 or not all("." in name for name in names) or not all("-" in one for one in versions):
        raise Unparseable(msg("dnf printed a line that cannot be parsed: {line}", line=shown(" ".join(words), 80)))
    return frozenset(zip(names, versions, strict=True))


PROBE = Probe("dnf.held", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=1 << 20)
