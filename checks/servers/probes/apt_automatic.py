"""Whether fixes install themselves: `apt-config dump`, and the stamp of the last run. Debian and Ubuntu.

Sources: apt.conf(5), the README of unattended-upgrades. Only the two trees that are about it are dumped; the rest of the
configuration may hold a proxy's password.

    APT::Periodic::Unattended-Upgrade "1";
    Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
    timer Most=86400
    unit Environment
    stamp 1795560000
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-config >/dev/null || exit 127
apt-config dump APT::Periodic || exit $?
apt-config dump Unattended-Upgrade || exit $?
command -v unattended-upgrade >/dev/null && echo program
systemctl show -p ActiveState apt-daily-upgrade.timer 2>/dev/null | sed 's/^/timer /'
n=$(systemctl show -p NextElapseUSecRealtime apt-daily-upgrade.timer 2>/dev/null) && n=${n#*=} && [ "$n" ] &&
  n=$(date -d "$n" +%s 2>/dev/null) && echo "timer Next=$n"
# the longest time from now, or from one start to the next, within 400 days, by all of the timer's own calendars
C=$(systemctl show -p LoadState -p TimersCalendar apt-daily-upgrade.timer 2>/dev/null)
case $C in *LoadState=loaded*)
  m=$(printf '%s\n' "$C" | sed -nE 's/^TimersCalendar=\{ OnCalendar=(.*) ; next_elapse=.*/\1/p' | head -n 20 | while IFS= read -r c; do
    systemd-analyze calendar --iterations=500 -- "$c" 2>/dev/null | sed -nE 's/^ *(Next elapse|Iter(ation|\.) #[0-9]+): [A-Z][a-z]+ ([0-9-]+ [0-9:]+).*/\3/p' | date -f - +%s
    echo end
  done | awk -v now="$(date +%s)" '
    BEGIN { last = now + 400 * 86400 }
    $1 == "end" { if (n == 500 && t < last) last = t; n = 0; next }
    { n++; t = $1; if (!(t in at)) { at[t] = 1; print t } }
    END { print last " last"; print now " now" }' | sort -n | awk '
    $2 == "now" { on = 1 } on { if (before && most < $1 - before) most = $1 - before; before = $1 } !$2 { any = 1 } $2 == "last" { on = 0 }
    END { if (any) print most + 0 }')
  if [ "$m" ]; then echo "timer Most=$m"; else echo 'unit OnCalendar'; fi ;;
esac
systemctl show -p ExecStart apt-daily-upgrade.service 2>/dev/null | grep -q '^ExecStart={ path=[^ ]* ; argv\[\]=[^ ]*/apt.systemd.daily\( [i]nstall\)* ;' && echo 'service own'
systemctl show -p ActiveState apt-daily.timer 2>/dev/null | sed 's/^/lists /'
# what the units' files have beside what Debian delivers, and what cannot keep a run away
systemctl cat apt-daily-upgrade.service apt-daily-upgrade.timer apt-daily.service apt-daily.timer 2>/dev/null | awk '
  /^[ \t]*([#;[]|$)/ { next }
  { sub(/^[ \t]+/, ""); sub(/[ \t]*=[ \t]*/, "=") }
  /^(Description|Documentation|After|TimeoutStopSec|Nice|IOScheduling[A-Za-z]*|CPUScheduling[A-Za-z]*|CPUWeight|IOWeight|OnCalendar|OnBootSec|OnStartupSec|OnUnit(Ina|A)ctiveSec|FixedRandomDelay|Persistent|WakeSystem|WantedBy|OnFailure|OnSuccess|SyslogIdentifier)=/ { next }
  /^(RandomizedDelaySec|RandomizedOffsetSec|AccuracySec)=([0-9][0-9]? *h(r|our|ours)?|[0-9]+ *(us|ms|s|sec|min)|[0-9][0-9]?[0-9]?[0-9]? *m)?$/ { next }
  /^(ConditionACPower=true|Type=oneshot|KillMode=process|ExecStart=|ExecStart=\/usr\/lib\/apt\/apt\.systemd\.daily( [i]nstall| update)?|ExecStartPre=-\/usr\/lib\/apt\/apt-helper wait-online|Wants=network-online\.target)$/ { next }
  { sub(/=.*/, ""); gsub(/[^!-~]/, "?"); print "unit " substr($0, 1, 60) }'
systemctl show-environment 2>/dev/null | sed -n 's/=.*//; /^\(LANG\|LANGUAGE\|LC_[A-Z]*\|PATH\|TERM\|SHELL\|TZ\|container\|[a-zA-Z]*_proxy\|[A-Z]*_PROXY\)$/d; s/^[A-Za-z0-9_]*$/unit environment:&/p'
for p in unattended-upgrade apt-get apt-config dpkg flock; do
  w=$(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; command -v $p)
  case $w in /usr/bin/$p|/bin/$p|'') ;; *) echo "unit $w" ;; esac
done
f=/var/lib/apt/periodic/unattended-upgrades-stamp
[ -e "$f" ] && stat -c 'stamp %Y' "$f"
echo end
"""
_SETTING = re.compile(r'(?P<key>\S+) "(?P<value>.*)";$')
_PATTERNS = ("Unattended-Upgrade::Origins-Pattern::", "Unattended-Upgrade::Allowed-Origins::")
_INTERVAL = re.compile(r"(\d{1,9})([dhms]?)")
_A_DAY = {"": 1, "d": 1, "h": 24, "m": 24 * 60, "s": 24 * 60 * 60}
_LISTS = ("Unattended-Upgrade::Package-Blacklist::", "Unattended-Upgrade::Package-Whitelist::")


@dataclass(frozen=True, slots=True)
class Automatic:
    """How unattended-upgrades is set up."""

    has_program: bool
    interval: str
    """APT::Periodic::Unattended-Upgrade: days, `always`, or empty; `0` is off."""
    patterns: tuple[str, ...]
    """Origins-Pattern as it is; Allowed-Origins as `origin=…,archive=…`."""
    ran_at: datetime | None
    is_switched_off: bool = False
    """APT::Periodic::Enable is 0: nothing of apt's own runs."""
    blacklist: tuple[str, ...] = ()
    """Expressions; packages whose names begin with what one matches are never upgraded."""
    whitelist: tuple[str, ...] = ()
    """Expressions; where there is one, only packages whose names begin with what one matches are upgraded."""
    timer: str = ""
    """The state of apt's own timer, such as `active`; empty where systemd does not tell, or was not asked."""
    next_at: datetime | None = None
    """When that timer elapses next; None where systemd does not tell."""
    most_apart: timedelta | None = None
    """The longest time without a start by that timer's own calendars; None where systemd does not tell."""
    is_own_service: bool = False
    """That timer starts apt's own program."""
    days: tuple[str, ...] = ()
    """On which days alone it installs, such as `Sun`, `Sunday` or `0`; empty for every day."""
    lists_interval: str = ""
    """APT::Periodic::Update-Package-Lists, in the same form as `interval`."""
    lists_timer: str = ""
    """The state of the timer that refreshes the lists, as `timer`."""
    units: tuple[str, ...] = ()
    """What is not known to leave a run alone: directives of apt's units, variables of systemd, a program before the system's own."""

    @property
    def every_days(self) -> float | None:
        """Return the interval in days; None for one that cannot be read."""
        return _days(self.interval)

    @property
    def lists_every_days(self) -> float | None:
        """Return the interval of the lists in days; None for none, or for one that cannot be read."""
        return None if self.lists_interval == "0" else _days(self.lists_interval)

    @property
    def is_enabled(self) -> bool:
        """Say whether it runs at all."""
        return self.has_program and not self.is_switched_off and self.interval not in {"", "0"}


def _days(interval: str) -> float | None:
    match = _INTERVAL.fullmatch(interval)
    return 0 if interval == "always" else int(match[1]) / _A_DAY[match[2]] if match else None


def parse(output: Output) -> Automatic:
    """Read the settings and the stamp."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of apt's settings is cut short"))
    interval, lists_interval, ran_at, is_switched_off = "", "", None, False
    patterns: list[str] = []
    units: list[str] = []
    days: list[str] = []
    timer: dict[str, str] = {}
    listed: dict[str, list[str]] = {key: [] for key in _LISTS}
    for line in lines[:-1]:
        if line.startswith("stamp ") and line[6:].isdigit():
            ran_at = datetime.fromtimestamp(int(line[6:]), UTC)
            continue
        if line.startswith(("timer ", "lists ")):
            key, _equals, value = line.removeprefix("timer ").partition("=")
            timer[key] = value
            continue
        if line.startswith("unit "):
            units.append(line[5:])
            continue
        match = _SETTING.match(line)
        if line in {"program", "service own"}:
            continue
        if match is None:
            raise Unparseable(msg("a line of apt's settings cannot be parsed: {line}", line=shown(line, 80)))
        if match["key"] == "APT::Periodic::Unattended-Upgrade":
            interval = match["value"]
        elif match["key"] == "APT::Periodic::Update-Package-Lists":
            lists_interval = match["value"]
        elif match["key"] == "APT::Periodic::Enable":
            is_switched_off = match["value"] == "0"
        elif match["key"] == "Unattended-Upgrade::Update-Days::":
            days.append(match["value"])
        elif match["key"] in listed:
            listed[match["key"]].append(match["value"])
        elif match["key"] == _PATTERNS[0]:
            patterns.append(match["value"])
        elif match["key"] == _PATTERNS[1]:
            origin, _, archive = match["value"].partition(":")
            patterns.append(f"origin={origin},archive={archive}")
    black, white = (tuple(listed[key]) for key in _LISTS)
    return Automatic(
        "program" in lines,
        interval,
        tuple(patterns),
        ran_at,
        is_switched_off,
        black,
        white,
        timer.get("ActiveState", ""),
        datetime.fromtimestamp(int(timer["Next"]), UTC) if timer.get("Next", "").isdecimal() else None,
        timedelta(seconds=int(timer["Most"])) if timer.get("Most", "").isdecimal() else None,
        "service own" in lines,
        tuple(days),
        lists_interval,
        timer.get("lists ActiveState", ""),
        tuple(dict.fromkeys(units)),
    )


PROBE = Probe("apt.automatic", ("sh", "-c", _SCRIPT), parse)
