"""From where packages come, and whether their lists are signed: `apt-get indextargets`, as apt-get(8) has it.

apt says `TRUSTED` yes both where a signature was verified and where a source's own option waives it (`trusted=yes`), so the
options are looked for in the sources as well: apt.conf(5), sources.list(5). Each is named by its file and line, or by the
setting. Told as well is what lets apt believe a list of any age (`Check-Valid-Until`), and by which way others come between:
a proxy, or a line of hosts(5) that names a source's host. Account and password in an address are taken out on the host.

    http://deb.debian.org/debian|trixie-updates|yes
    waives /etc/apt/sources.list.d/own.list:1
    waived=1
    ageless Acquire::Check-Valid-Until
    way proxy http://192.0.2.8:3128
    end
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v apt-get >/dev/null || exit 127
L=$(apt-get indextargets --format '$(SITE)|$(RELEASE)|$(TRUSTED)') || exit $?
[ -z "$L" ] || printf '%s\n' "$L" | sed -E 's#//[^/@|]*@#//#' | sort -u
W=$(
  for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$f" ] || continue
    awk 'tolower($0) ~ /^[ \t]*deb.*\[[^]]*trusted=(yes|true|1|on|with|enable)/ { f = FILENAME; gsub(/[^!-~]/, "?", f); print "waives " f ":" FNR }' "$f" || exit 3
  done
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -e "$f" ] || continue
    awk 'tolower($0) ~ /^trusted:[ \t]*(yes|true|1|on|with|enable)/ { f = FILENAME; gsub(/[^!-~]/, "?", f); print "waives " f ":" FNR }' "$f" || exit 3
  done
  A=$(apt-config dump) || exit $?
  printf '%s\n' "$A" | sed -nE 's/^(APT::Get::AllowUnauthenticated|Acquire::AllowInsecureRepositories|Acquire::AllowWeakRepositories) "(1|yes|true|on|with|enable)".*/waives \1/Ip'
) || exit $?
[ -z "$W" ] || printf '%s\n' "$W"
printf 'waived=%s\n' "$(printf '%s' "$W" | grep -c .)"
X='(no|false|0|off|without|disable)' Y='[0-9]{8,}'  # seconds: a list of months ago
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ -e "$f" ] || continue
  case $f in *.sources) E="^(check-valid-until:[ \t]*$X|valid-until-min:[ \t]*$Y)" ;; *) E="^[ \t]*deb.*\\[[^]]*(check-valid-until=$X|valid-until-min=$Y)" ;; esac
  E=$E awk 'tolower($0) ~ ENVIRON["E"] { f = FILENAME; gsub(/[^!-~]/, "?", f); print "ageless " f ":" FNR }' "$f" || exit 3
done
A=$(apt-config dump) || exit $?
printf '%s\n' "$A" | sed -nE -e 's/^(Acquire::(\S+::)?Check-Valid-Until) "'"$X"'".*/ageless \1/Ip' \
  -e 's/^(Acquire::(\S+::)?Min-ValidTime) "'"$Y"'".*/ageless \1/Ip' \
  -e 's#^Acquire::(https?|ftp)::Proxy(::([^ ]+))? "([^"]*)";#\3 \4#Ip' -e 's/^Acquire::https?::Proxy-Auto-Detect "(.+)";/by \1/Ip' |
  while read -r a b; do
    case $a in ageless) echo "ageless $b" ; continue ;; esac
    [ "$b" ] || { b=$a; a=; }
    case $b in DIRECT|direct|'') continue ;; esac
    printf 'way proxy %s%s\n' "${a:+$a }" "$(printf %s "$b" | sed -E 's#//[^/@]*@#//#' | tr -c '!-{}~' '?')"
  done
for h in $(printf '%s\n' "$L" | sed -nE 's#^[a-z+]+://([^/:|]+).*#\1#p' | grep -vix localhost | sort -u); do
  awk -v h="$h" '{ sub(/#.*/, "") } { for (i = 2; i <= NF; i++) if (tolower($i) == tolower(h)) print "way hosts " $1 " " h }' /etc/hosts
done | sort -u
echo end
"""
_WAIVES = "waives "


@dataclass(frozen=True, slots=True)
class Sources:
    """Where packages come from."""

    names: frozenset[str]
    """`SITE RELEASE`, of every list that was fetched."""
    untrusted: frozenset[str]
    """Those of them that apt itself does not trust."""
    waived: int
    """How many sources or settings let packages in without a verified signature."""
    ageless: tuple[str, ...]
    """What lets apt believe a list of any age: `FILE:LINE`, or the setting's name."""
    ways: frozenset[str]
    """What others come between by: `proxy ADDRESS`, `proxy HOST ADDRESS` for one host alone, `hosts ADDRESS HOST`."""
    waiving: tuple[str, ...]
    """Which: `FILE:LINE`, or the setting's name; empty in an answer of before they were named."""


def parse(output: Output) -> Sources:
    """Read the sources; none at all means that no list was fetched."""
    every = [line.strip() for line in output.lines()]
    ageless = tuple(line.removeprefix("ageless ") for line in every if line.startswith("ageless "))
    ways = frozenset(line.removeprefix("way ") for line in every if line.startswith("way "))
    lines = [line for line in every if not line.startswith(("ageless ", "way "))]
    if len(lines) < 2 or lines[-1] != "end" or not lines[-2].startswith("waived="):
        raise Unparseable(msg("the list of package sources is cut short"))
    names, untrusted = set(), set()
    waiving: list[str] = []
    for line in lines[:-2]:
        if line.startswith(_WAIVES):
            waiving.append(line.removeprefix(_WAIVES))
            continue
        fields = line.split("|")
        if len(fields) != 3 or fields[2] not in {"yes", "no"}:
            raise Unparseable(msg("apt printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        name = f"{fields[0]} {fields[1]}"
        names.add(name)
        if fields[2] == "no":
            untrusted.add(name)
    waived = lines[-2].removeprefix("waived=")
    if not waived.isdecimal() or (waiving and len(waiving) != int(waived)):
        raise Unparseable(msg("the list of package sources is cut short"))
    if not names:
        raise Unparseable(msg("apt has fetched no list of any source"), reason="no-package-lists")
    return Sources(frozenset(names), frozenset(untrusted), int(waived), ageless, ways, tuple(waiving))


PROBE = Probe("apt.sources", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, form=PIPED)
