"""How far back a host's logs go: lines of the journal, and the log files of logins. For the groups `adm`, `systemd-journal`.

Of the journal the newest line is asked for, from there on the last one that is 30 days older, and so on, and the first. It is the
system's alone: the file of a user who came once, years ago, is kept for ever, since none of its lines makes it full.

A journal that is written to memory (`Storage=volatile`) ends with the next start, and is told as `volatile`. A file that journald
left there when it went over to the disk is older than the one on the disk.

The birth of the root file system tells how old the host is, where the file system keeps it. Sources: journalctl(1), stat(1).

    journal 1795612800.123456 web1 systemd[1]: Started ...
    log 1788000000 /var/log/auth.log.4.gz
    born 1770000000

Settings of journald that decide which lines are kept are told as `drops`, such as `drops MaxLevelStore warning`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise, takewhile

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
case " $(id -un) $(id -nG) " in
  *' root '*|*' adm '*|*' systemd-journal '*|*' wheel '*) ;;
  *) echo 'not in the group adm or systemd-journal' >&2; exit 1 ;;
esac
if command -v journalctl >/dev/null; then
  line() { journalctl -q --no-pager --system -o short-unix "$@" 2>/dev/null | head -n 1 | cut -c 1-60; }
  l=$(line -r -n 1)
  while case $l in [1-9]*.*) ;; *) false ;; esac; do
    echo "journal $l"
    at=$((${l%%.*} - 2592000)) l=
    [ "$at" -le 0 ] || l=$(line -r -n 1 --until="@$at")
  done
  echo "journal $(line)"
fi
for f in /run/log/journal/*/system.journal; do
  k=/var${f#/run}
  [ -e "$f" ] && { [ ! -e "$k" ] || [ "$f" -nt "$k" ]; } && echo volatile
done
for f in /var/log/auth.log* /var/log/secure*; do [ -e "$f" ] && stat -c 'log %Y %n' "$f"; done
cat /etc/systemd/journald.conf /usr/lib/systemd/journald.conf.d/*.conf /etc/systemd/journald.conf.d/*.conf /run/systemd/journald.conf.d/*.conf 2>/dev/null |
  sed -nE 's/^[ \t]*(MaxLevelStore|RateLimitBurst|Storage)[ \t]*=[ \t]*([A-Za-z0-9]{1,12}).*/drops \1 \2/p'
stat -c 'born %W' /
echo end
"""
_JOURNAL = re.compile(r"journal (\d{9,11})\.\d+ ")
_LOG = re.compile(r"log (\d{9,11}) /var/log/(auth\.log|secure)(?:\.(\d{1,4})|-(\d{8,10}))?(?:\.(?:gz|xz|bz2|zst))?$")
_DROPS = re.compile(r"drops (MaxLevelStore|RateLimitBurst|Storage) (\w+)$")
_KEEPING = {"MaxLevelStore": {"debug", "7", "info", "6"}, "Storage": {"auto", "persistent", "volatile"}}
LEAST_BURST = 1000
"""Messages of one service in 30 seconds; journald's own number is 10000, and 0 is no limit."""
_BORN = re.compile(r"born (\d{1,11})$")
APART = timedelta(days=35)
"""Files of one log, and lines of the journal, lie at most so far apart: a month, which is the slowest rotation that distributions
have, and a few days."""


@dataclass(frozen=True, slots=True)
class KeptLogs:
    """How far back logs go."""

    logs: tuple[tuple[datetime, ...], ...]
    """For each log moments at which it was written to, newest first. Of the journal, about one in 30 days, and the first. Of a log
    of logins, the last one of each file: the one that is written to, and those that logrotate moved away, up to the first
    number that is missing."""
    is_volatile: bool
    """The journal is written to memory, and does not count."""
    born_at: datetime | None
    """When the host's root was made; None where its file system does not say."""
    drops: tuple[str, ...] = ()
    """Settings by which journald keeps fewer lines than it usually does."""

    def kept_since(self, at: datetime) -> datetime | None:
        """Return from when on there are logs up to a moment, without a gap as far as that shows; None where there are none.

        A file was last written to when it was moved away: what it holds is older, by no one knows how much.
        """
        kept: list[datetime] = []
        for times in self.logs:
            near = takewhile(lambda pair: pair[0] - pair[1] <= APART, pairwise((at, *times)))
            kept.extend(time for _, time in near)
        return min(kept, default=None)


def parse(output: Output) -> KeptLogs:
    """Read the journal's lines and the files of each log."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of log ages is cut short"))
    is_volatile = "volatile" in lines
    journal = sorted((_moment(match[1]) for line in lines if (match := _JOURNAL.match(line))), reverse=True)
    born = next((int(match[1]) for line in lines if (match := _BORN.fullmatch(line))), 0)
    found = [match for line in lines if (match := _LOG.fullmatch(line))]
    files = (_series([match for match in found if match[2] == name]) for name in ("auth.log", "secure"))
    logs = tuple(times for times in (() if is_volatile else tuple(journal), *files) if times)
    drops = tuple(
        sorted({f"{it[1]}={it[2]}" for line in lines if (it := _DROPS.fullmatch(line)) and _drops(it[1], it[2])})
    )
    return KeptLogs(logs, is_volatile, datetime.fromtimestamp(born, UTC) if born else None, drops)


def _drops(name: str, value: str) -> bool:
    if name != "RateLimitBurst":
        return value.lower() not in _KEEPING[name]
    return not value.isdigit() or 0 < int(value) < LEAST_BURST


def _series(found: Sequence[re.Match[str]]) -> tuple[datetime, ...]:
    """Return when the files of one log were written to, newest first, as far as they follow each other."""
    numbered = {int(match[3] or 0): _moment(match[1]) for match in found if not match[4]}
    first = 0 if 0 in numbered else 1
    whole = [numbered[n] for n in takewhile(numbered.__contains__, count(first))]
    return tuple(sorted((*whole, *(_moment(match[1]) for match in found if match[4])), reverse=True))


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


PROBE = Probe("log.kept", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30)
