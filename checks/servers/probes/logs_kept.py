"""How far back a host's logs go: the journal's first line, and the log files of logins. For the groups `adm`, `systemd-journal`.

The birth of the root file system tells how old the host is, where the file system keeps it. Sources: journalctl(1), stat(1).

    1795612800.123456 web1 systemd[1]: Started ...
    log 1788000000 /var/log/auth.log.4.gz
    born 1770000000
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
case " $(id -un) $(id -nG) " in
  *' root '*|*' adm '*|*' systemd-journal '*|*' wheel '*) ;;
  *) echo 'not in the group adm or systemd-journal' >&2; exit 1 ;;
esac
if command -v journalctl >/dev/null; then
  printf 'journal '
  journalctl -q --no-pager -o short-unix 2>/dev/null | head -n 1 | cut -c 1-60
  echo
fi
for f in /var/log/auth.log* /var/log/secure*; do [ -e "$f" ] && stat -c 'log %Y %n' "$f"; done
stat -c 'born %W' /
echo end
"""
_JOURNAL = re.compile(r"journal (\d{9,11})\.\d+ ")
_LOG = re.compile(r"log (\d{9,11}) /")
_BORN = re.compile(r"born (\d{1,11})$")


@dataclass(frozen=True, slots=True)
class KeptLogs:
    """How far back logs go."""

    since: datetime | None
    """The oldest line of the journal, or when the oldest file was last written to; None if there is neither."""
    born_at: datetime | None
    """When the host's root was made; None where its file system does not say."""


def parse(output: Output) -> KeptLogs:
    """Read the oldest of all."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the ages of the logs broke off"))
    moments = [int(match[1]) for line in lines if (match := _JOURNAL.match(line) or _LOG.match(line))]
    born = next((int(match[1]) for line in lines if (match := _BORN.fullmatch(line))), 0)
    return KeptLogs(
        datetime.fromtimestamp(min(moments), UTC) if moments else None,
        datetime.fromtimestamp(born, UTC) if born else None,
    )


PROBE = Probe("log.kept", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30)
