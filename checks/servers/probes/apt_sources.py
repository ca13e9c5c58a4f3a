"""From where packages come, and whether their lists are signed: `apt-get indextargets`, as apt-get(8) has it.

apt says `TRUSTED` yes both where a signature was verified and where a source's own option waives it (`trusted=yes`), so the
options are looked for in the sources as well: apt.conf(5), sources.list(5). Each is named by its file and line, or by the
setting. Told as well is what lets apt believe a list of any age (`Check-Valid-Until`), and by which way others come between:
a proxy, or a line of hosts(5) that names a source's host. Who may sign is told by the keyrings that apt reads (`Signed-By`, trusted.gpg.d):
those that are no package's unchanged file are told whole, for their fingerprints. Account and password in an address are taken out on the host.

    http://deb.debian.org/debian|trixie-updates|yes
    waives /etc/apt/sources.list.d/own.list:1
    waived=1
    ageless Acquire::Check-Valid-Until
    way proxy http://192.0.2.8:3128
    signs /etc/apt/keyrings/docker.asc LS0tLS1CRUdJTi...
    end
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from checks.servers.openpgp import NotKeys, fingerprints
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
# who may sign: keys within the sources, fingerprints, and keyrings that are no package's own
P=$(awk 'FNR == 1 { on = inside = 0 }
  FILENAME !~ /[.]sources$/ { l = tolower($0)
    if (l ~ /^[ \t]*deb/ && match(l, /signed-by=[^] \t]*/)) print "by " substr($0, RSTART + 10, RLENGTH - 10)
    next }
  /^#/ { next }
  /^[^ \t]/ { on = inside = 0 }
  { l = $0; sub(/\r$/, "", l) }
  tolower(l) ~ /^signed-by[ \t]*:/ { on = 1; sub(/^[^:]*:/, "", l) }
  !on { next }
  { sub(/^[ \t]+/, "", l) }
  l ~ /^-----BEGIN / { inside = 1; b = "" }
  inside { gsub(/[^!-{}~ ]/, "?", l); b = b "|" (l == "." ? "" : l); if (l ~ /^-----END /) { print "block" b; inside = 0 }; next }
  l != "" { print "by " l }' /dev/null $(ls /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null)) || exit $?
printf '%s\n' "$P" | grep '^block'
set -- $(printf '%s\n' "$P" | sed -n 's/^by //p' | tr ',' ' ')
for k in "$@"; do
  case $k in /*) ;; *) printf 'signer %s\n' "$(printf %s "${k%!}" | tr a-z A-Z | tr -c 0-9A-Z '?')" ;; esac
done
set -- $(for k in "$@" /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d/*.gpg /etc/apt/trusted.gpg.d/*.asc; do case $k in /*) [ ! -e "$k" ] || readlink -f -- "$k" ;; esac; done | sort -u)
O=$([ $# = 0 ] || { cd / && {
  printf '  %s\n' "$@" | sed 's#^  /#  #' | grep -hF -f - /var/lib/dpkg/info/*.md5sums
  printf '%s\n' "$@" | grep -F -f - /var/lib/dpkg/status | sed -n 's#^ /\([^ ]*\) \([0-9a-f]\{32\}\)$#\2  \1#p'
} 2>/dev/null | md5sum -c 2>/dev/null | sed -n 's#^\(.*\): OK$#/\1#p'; })
for k in "$@"; do
  ! printf '%s\n' "$O" | grep -qxF -e "$k" || continue
  printf 'signs %s ' "$(printf %s "$k" | tr -c '!-{}~' '?')"
  [ ! -f "$k" ] || [ ! -r "$k" ] || head -c 131072 -- "$k" | base64 -w 0
  echo
done
echo end
"""
_WAIVES = "waives "
_SIGNERS = ("signs ", "signer ", "block|")
_WHOLE = 131072
"""A longer keyring is cut."""


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
    keys: frozenset[str] = frozenset()
    """Who may sign beside those whom unchanged files of packages name: `key FINGERPRINT`, or `keyring PATH SHA256` of what is not
    understood. Empty in an answer of before."""
    unread: frozenset[str] = frozenset()
    """Keyrings that could not be read whole."""


def parse(output: Output) -> Sources:
    """Read the sources; none at all means that no list was fetched."""
    every = [line.strip() for line in output.lines()]
    ageless = tuple(line.removeprefix("ageless ") for line in every if line.startswith("ageless "))
    ways = frozenset(line.removeprefix("way ") for line in every if line.startswith("way "))
    keys, unread = _signers(every)
    lines = [line for line in every if not line.startswith(("ageless ", "way ", *_SIGNERS))]
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
    return Sources(frozenset(names), frozenset(untrusted), int(waived), ageless, ways, tuple(waiving), keys, unread)


def _signers(lines: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys by their fingerprints, and the keyrings that could not be read whole."""
    keys: set[str] = set()
    unread: set[str] = set()
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "signer":
            keys.add(f"key {rest}")
        if not line.startswith(("signs ", "block|")):
            continue
        name, _, text = rest.partition(" ") if word == "signs" else ("Signed-By", "", "")
        try:
            data = b64decode(text, validate=True) if word == "signs" else line[6:].replace("|", "\n").encode("ascii")
        except ValueError:
            data = b""
        if not 0 < len(data) < _WHOLE:
            unread.add(name)
            continue
        try:
            keys |= {f"key {each}" for each in fingerprints(data)}
        except NotKeys:
            keys.add(f"keyring {name} {sha256(data).hexdigest()}")
    return frozenset(keys), frozenset(unread)


PROBE = Probe("apt.sources", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, limit_bytes=1 << 20, form=PIPED)
