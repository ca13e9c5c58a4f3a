"""Where a host sends its log: rules of rsyslog, and journal-upload, where these run; and what a collector got. Needs root.

Other programs that send logs are told by their names.

A collector keeps what it gets in a folder or file a host, in /var/log/remote or /var/log/hosts; rsyslog makes such a folder
for root alone unless it is told otherwise (dirCreateMode 0700). Sources: rsyslog.conf(5), its module omfile, find(1).

    rule *.* @@192.0.2.10:514
    got 1795612800 web1/syslog.log
    logins web1/syslog.log

The last line says that a file of the last day has lines of logins near its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable
from portalops.model.message import msg

_SCRIPT = r"""
cat /proc/sys/kernel/hostname | sed 's/^/name /'
P=$(ps -eo comm=)
runs() { printf '%s\n' "$P" | grep -qE "^($1)"; }
runs rsyslogd && grep -rhE '^[^#]*(@|omfwd|omrelp)' /etc/rsyslog.conf /etc/rsyslog.d 2>/dev/null | head -n 50 | cut -c 1-200 | sed 's/^/rule /'
runs systemd-journal-u && grep -hE '^ *URL *=' /etc/systemd/journal-upload.conf 2>/dev/null | cut -c 1-200 | sed 's/^/rule /'
printf '%s\n' "$P" | grep -xE 'syslog-ng|fluent-bit|fluentd|vector|filebeat|promtail|alloy|nxlog' | sort -u | sed 's/^/rule program /'
for d in /var/log/remote /var/log/hosts; do
  [ -d "$d" ] || continue
  find "$d" -maxdepth 3 -type f -printf 'got %Ts %P\n' | head -n 5000 | cut -c 1-200
  find "$d" -maxdepth 3 -type f -mmin -1500 -print0 | head -z -n 300 | xargs -0 -r tail -vc 131072 -- 2>/dev/null | tr -d '\000' | awk -v d="$d/" '
    /^==. .* <==$/ { f = substr($0, 5, length($0) - 8); next }
    /(sshd|sudo|su|login|systemd-logind|CRON|cron)[^ ]*: .*(session (opened|closed)|Accepted |Failed |authentication failure|New session |COMMAND=)/ { hit[f] = 1 }
    END { for (f in hit) if (index(f, d) == 1 && f ~ /^[!-~]+$/) print "logins", substr(f, length(d) + 1, 190) }'
done
echo end
"""
_GOT = re.compile(r"got (\d{9,11}) (\S+)$")
_SELECTOR = re.compile(r"\s*((?:[a-z0-9*,]+\.[!=]*[a-z*]+;?)+)\s+@")
_LOGINS = frozenset({"auth", "authpriv", "security"})
_PRIORITIES = frozenset({"*", "debug", "info"})
"""At which, and above, successful logins are told too."""
_NAME = re.compile(r"name (\S{1,64})$")


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What a host sends, and what it gets."""

    name: str
    """What the host calls itself."""
    rules: int
    """How many lines of its configuration send logs elsewhere."""
    sends_logins: bool
    """One of them may send the facilities of logins, `auth` and `authpriv`."""
    got: tuple[tuple[str, datetime], ...]
    """Of a collector: each file with the time of its newest line."""
    logins: tuple[str, ...] = ()
    """Of a collector: the files of the last day near whose end logins are told."""

    def has_logins_of(self, host: str) -> bool:
        """Say whether logins of a host are among what came in lately."""
        short = host.partition(".")[0].lower()
        return any(_first(path) in {short, host.lower()} for path in self.logins)

    def newest_of(self, host: str) -> datetime | None:
        """Return when the newest line of a host was written here; its folder or file is named after it."""
        short = host.partition(".")[0].lower()
        own = [at for path, at in self.got if _first(path) == short or _first(path) == host.lower()]
        return max(own, default=None)


def parse(output: Output) -> Forwarding:
    """Read the name, the rules and the files."""
    lines = [line.strip() for line in output.lines()]
    name = _NAME.fullmatch(lines[0]) if lines else None
    if name is None or lines[-1] != "end":
        raise Unparseable(msg("the list of log destinations is cut short"))
    got = [(match[2], datetime.fromtimestamp(int(match[1]), UTC)) for line in lines if (match := _GOT.fullmatch(line))]
    logins = tuple(line.removeprefix("logins ") for line in lines if line.startswith("logins "))
    rules = [line.removeprefix("rule ") for line in lines if line.startswith("rule ")]
    return Forwarding(name[1], len(rules), any(map(_sends_logins, rules)), tuple(got), logins)


def _sends_logins(rule: str) -> bool:
    """Say whether a rule may send logins: all but selectors of rsyslog's older form, which are read, may."""
    selector = _SELECTOR.match(rule)
    if selector is None:
        return True
    sent: set[str] = set()
    for each in selector[1].split(";"):
        facilities, _dot, priority = each.rpartition(".")
        named = set(facilities.split(","))
        logins = _LOGINS if "*" in named else _LOGINS & named
        sent = sent | logins if priority in _PRIORITIES else sent - logins
    return bool(sent)


def _first(path: str) -> str:
    first = path.partition("/")[0].lower()
    return first.removesuffix(".log").partition(".")[0] if "/" not in path else first.partition(".")[0]


PROBE = Probe("log.forwarding", ("sh", "-c", _SCRIPT), parse, needs_root=True)
