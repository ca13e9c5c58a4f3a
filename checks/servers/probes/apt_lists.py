"""How old apt's lists are: the times of its stamps, and the dates inside the signed release files. Debian and Ubuntu.

`lists/partial` changes with every `apt-get update`, also with one that fails; the stamps only after one that ended well, where the
daily timer or a hook writes them. The age of the mirror itself shows only in `Date` and `Valid-Until`, which the archive
signed. Settings of apt.conf(5) by which apt reads other files than its own (`Dir::State::status`, `Dir::Etc::preferencesparts`) are named.

    stamp 1795569431 /var/lib/apt/lists/partial
    release /var/lib/apt/lists/deb.debian.org_debian-security_dists_trixie-security_InRelease
    Date: Mon, 23 Nov 2026 11:22:38 UTC
    Valid-Until: Mon, 30 Nov 2026 11:22:38 UTC
    end
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
L=/var/lib/apt/lists
apt-config dump | awk 'BEGIN {
  n = split("dir=/ dir::state=/var/lib/apt dir::state::lists=/var/lib/apt/lists dir::state::status=/var/lib/dpkg/status dir::etc=/etc/apt dir::etc::sourcelist=/etc/apt/sources.list dir::etc::sourceparts=/etc/apt/sources.list.d dir::etc::preferences=/etc/apt/preferences dir::etc::preferencesparts=/etc/apt/preferences.d dir::bin::methods=/usr/lib/apt/methods dir::bin::dpkg=/usr/bin/dpkg rootdir=/", w, " ")
  for (i = 1; i <= n; i++) { split(w[i], p, "="); usual[p[1]] = p[2] }
}
{
  k = tolower($1); sub(/^binary::apt(-get)?::/, "", k)
  if (!(k in usual)) next
  v = $0; sub(/^[^ ]+ "/, "", v); sub(/";$/, "", v); sub(/\/$/, "", v)
  if (v !~ /^\//) v = (k ~ /^dir::state:/ ? "/var/lib/apt/" : k ~ /^dir::etc:/ ? "/etc/apt/" : "/") v
  if (v != usual[k]) { gsub(/[^!-~]/, "?", $1); print "elsewhere " $1 }
}'
for f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/periodic/update-stamp $L/partial; do
  [ -e "$f" ] && stat -c 'stamp %Y %n' "$f"
done
for f in $L/*_InRelease $L/*_Release; do
  [ -f "$f" ] || continue
  printf 'release %s\n' "$f"
  grep -a -E '^(Date|Valid-Until):' "$f"
done
echo end
"""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One archive's signed release file, as it lies on the host."""

    name: str
    made_at: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lists:
    """The age of what apt knows."""

    refreshed_at: datetime | None
    """The newest moment at which they surely were: a stamp of an update that ended well, or the `Date` of what it brought."""
    releases: tuple[ReleaseFile, ...]
    tried_at: datetime | None = None
    """When they were last to be, be it in vain."""
    elsewhere: tuple[str, ...] = ()
    """Settings by which apt reads other files than its own."""


def parse(output: Output) -> Lists:
    """Read stamps and release files."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the listing of apt's files is cut short"))
    done: list[datetime] = []
    tried_at: datetime | None = None
    elsewhere: list[str] = []
    releases: list[ReleaseFile] = []
    for line in lines[:-1]:
        word, _, rest = line.strip().partition(" ")
        if word == "stamp" and rest.split(" ", 1)[0].isdigit():
            seconds, _, name = rest.partition(" ")
            at = datetime.fromtimestamp(int(seconds), UTC)
            if name.endswith("/partial"):
                tried_at = at
            else:
                done.append(at)
        elif word == "elsewhere":
            elsewhere.append(rest)
        elif word == "release":
            releases.append(ReleaseFile(rest.rsplit("/", 1)[-1], None, None))
        elif word == "Date:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, _moment(rest), last.valid_until))
        elif word == "Valid-Until:" and releases:
            last = releases.pop()
            releases.append(ReleaseFile(last.name, last.made_at, _moment(rest)))
        else:
            raise Unparseable(msg("a line of apt's files cannot be parsed: {line}", line=shown(line, 80)))
    done += [each.made_at for each in releases if each.made_at is not None]
    return Lists(max(done, default=None), tuple(releases), tried_at, tuple(elsewhere))


def _moment(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError as error:
        raise Unparseable(msg("a release file has the date {seen}", seen=shown(text, 40))) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


PROBE = Probe("apt.lists", ("sh", "-c", _SCRIPT), parse)
