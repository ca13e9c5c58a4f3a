"""The repositories of packages and whether signatures are asked for: the files of /etc/yum.repos.d and /etc/dnf/dnf.conf.

Written by dnf.conf(5) and the files of AlmaLinux 9; not run there. A repository without a line of its own follows
`gpgcheck` of [main], and that is off where it is not written. Addresses are not asked for: they may hold a password.

    main||1
    baseos|1|1
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
[ -e /etc/dnf/dnf.conf ] || exit 127
set -- /etc/yum.repos.d/*.repo
[ -e "$1" ] || shift
awk -F= '
  function flush() { if (s != "") print s "|" e "|" g; s = ""; e = ""; g = "" }
  { sub(/\r$/, "") }
  /^[ \t]*\[.*\]/ { flush(); s = $0; sub(/^[ \t]*\[/, "", s); sub(/\].*$/, "", s); next }
  { k = $1; v = tolower($2); gsub(/[ \t]/, "", k); gsub(/[ \t]/, "", v) }
  k == "enabled" { e = v } k == "gpgcheck" { g = v }
  END { flush(); print "end" }' /etc/dnf/dnf.conf "$@"
"""
_ON = frozenset({"1", "yes", "true", "on"})
_OFF = frozenset({"0", "no", "false", "off"})


@dataclass(frozen=True, slots=True)
class Repositories:
    """The enabled ones."""

    names: frozenset[str]
    unchecked: frozenset[str]
    """Those of them whose packages are taken without a signature."""


def parse(output: Output) -> Repositories:
    """Read the sections; `enabled` is on where it is not written (dnf.conf(5))."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of repositories is cut short"))
    main, names, unchecked = False, set(), set()
    for line in lines[:-1]:
        fields = line.split("|")
        if len(fields) != 3 or not fields[0] or not set(fields[1:]) <= {*_ON, *_OFF, ""}:
            raise Unparseable(
                msg("a repository is set up in a form that cannot be parsed: {line}", line=shown(line, 80))
            )
        name, enabled, checked = fields
        if name == "main":
            main = checked in _ON
        elif enabled not in _OFF:
            names.add(name)
            if checked in _OFF or (not checked and not main):
                unchecked.add(name)
    if not names:
        raise Unparseable(msg("no repository is set up and enabled"), reason="no-repositories")
    return Repositories(frozenset(names), frozenset(unchecked))


PROBE = Probe("dnf.sources", ("sh", "-c", _SCRIPT), parse, form=PIPED)
