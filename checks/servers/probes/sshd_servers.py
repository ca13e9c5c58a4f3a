r"""Every SSH server that listens: what it was started with, whether it has loaded its files, and what it lets each user do.

Each listening socket leads to its process, the process to its arguments and its file. `sshd -T ARGUMENTS -C ...` then tells the
settings for every combination that the file's own `Match` lines name, and for root, each login account and a stranger's address.
What a server offers is asked by ssh(1) as well, by the request `none` of RFC 4252 (5.2), which tries no login.

    server|1|412|read|1764500000.123|pidfile|1764499990.456|/etc/ssh/sshd_config
    listen|1|0.0.0.0|22
    match|1|user
    set|1|2|root,203.0.113.1,outside.invalid,192.0.2.7,22|permitrootlogin no;passwordauthentication no;...
    offer|1|127.0.0.1|22|root|publickey
    end 1

When a server loaded its files is told by its pid file, which it writes at each start and reload, or by the journal, or by the start
of its process. sshd(8), sshd_config(5), proc(5). No line of a file is printed.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

STRANGERS = ("203.0.113.1", "2001:db8::1")
"""Addresses of RFC 5737 and RFC 3849: no block that is meant for an internal network holds for them."""
_KEPT = (
    "permitrootlogin|passwordauthentication|kbdinteractiveauthentication|challengeresponseauthentication|authenticationmethods"
    "|permitemptypasswords|allowusers|denyusers|refuseconnection|loglevel"
    "|pubkeyauthentication|hostbasedauthentication|gssapiauthentication|usepam|pamservicename"
    "|authorizedkeysfile|authorizedkeyscommand|trustedusercakeys|strictmodes"
)
_CRYPTO = "kexalgorithms|ciphers|macs|hostkeyalgorithms"
MOST = 500
"""So many combinations are tried for one server; a list that is cut at this length makes more of them."""
_LONGEST = 8000
"""So many bytes of a setting are told."""

_SCRIPT = (
    r"""
command -v sshd >/dev/null || exit 127
S=$(command -v ss) || { echo "no list of listening sockets" >&2; exit 1; }
set -f
NL='
'
O=$($S -Hltnp) || exit 1
L=$(printf '%s\n' "$O" | awk '{ a = $4; p = a; sub(/.*:/, "", p); sub(/:[^:]*$/, "", a); s = $0
  while (match(s, /pid=[0-9]+/)) { print substr(s, RSTART + 4, RLENGTH - 4) " " a " " p; s = substr(s, RSTART + RLENGTH) } }' | sort -u)
accounts=$(awk -F: '$7 !~ /(nologin|false|sync|shutdown|halt)$/ && $1 ~ /^[A-Za-z0-9._-]+$/ && $1 != "root" { print $1 }' /etc/passwd | head -n MOST)
N=0

arguments() {  # of a command line without quotes: ARGS, FILE
  ARGS= FILE=/etc/ssh/sshd_config
  while [ $# -gt 0 ]; do
    w=${1#-}
    [ "$w" != "$1" ] || return 1
    shift
    while :; do case $w in [46DdeiqrtTR]*) w=${w#?};; *) break;; esac; done
    [ "$w" ] || continue
    l=${w%"${w#?}"} v=${w#?}
    if [ ! "$v" ]; then [ $# -gt 0 ] || return 1; v=$1; shift; fi
    case $l in
    o) while [ $# -gt 0 ]; do case $1 in -*) break;; *) v="$v $1"; shift;; esac; done; ARGS=$ARGS-o$NL$v$NL;;
    f) FILE=$v;;
    p|h|c) ARGS=$ARGS-$l$NL$v$NL;;
    E|g|k|u|V|b|C) ;;
    *) return 1;;
    esac
  done
}

sshd_T() {  # PROGRAM ARGUMENTS-WITH-LINE-FEEDS [CONDITION]
  x=$1 c=$3
  IFS=$NL; set -- $2; unset IFS
  if [ "$c" ]; then "$x" -T -f "$FILE" "$@" -C "$c" 2>/dev/null; else "$x" -T -f "$FILE" "$@" 2>/dev/null; fi
}

included() {  # FILE DEPTH: the file, the folders that it includes from, and what is in them
  printf '%s\n' "$1"
  [ "$2" -lt 16 ] && [ -f "$1" ] || return 0
  for i in $(tr '\r="' '   ' <"$1" | awk 'tolower($1) == "include" { for (n = 2; n <= NF; n++) { if ($n ~ /^#/) break; print $n } }'); do
    case $i in /*) ;; *) i=/etc/ssh/$i;; esac
    d=${i%/*}
    case $d in *[*?[]*) ;; *) [ ! -d "$d" ] || printf '%s\n' "$d";; esac
    set +f
    for j in $i; do [ -f "$j" ] && (set -f; included "$j" $(($2 + 1))); done
    set -f
  done
}

criteria() {  # of all files: KIND VALUE
  IFS=$NL
  for i in $1; do [ ! -f "$i" ] || cat -- "$i"; echo; done | tr '\r="' '   ' | awk '
    tolower($1) == "match" {
      for (n = 2; n <= NF; n++) {
        k = tolower($n)
        if (k ~ /^#/) break
        if (k == "all" || k == "invalid-user") { print k; continue }
        m = split($(++n), v, ",")
        print k
        for (e = 1; e <= m; e++) { sub(/^!/, "", v[e]); if (v[e] != "") print k " " v[e] }
      } }' | sort -u
  unset IFS
}

ends() {  # of address patterns: one inside of each, its first and its last
  awk 'function quad(n) { return int(n / 16777216) "." int(n / 65536) % 256 "." int(n / 256) % 256 "." n % 256 }
    { gsub(/[*]/, "1"); gsub(/[?]/, "1") }
    /^[0-9.]+\/[0-9]+$/ { split($0, p, "/"); split(p[1], o, "."); size = 2 ^ (32 - p[2])
      first = ((o[1] * 256 + o[2]) * 256 + o[3]) * 256 + o[4]; first -= first % size
      print quad(first); print quad(first + size - 1); next }
    /^[0-9A-Fa-f:.]+\/[0-9]+$/ { split($0, p, "/"); print p[1]; if (p[1] ~ /::$/ && p[2] <= 112) print p[1] "ffff"; next }
    /^[0-9A-Fa-f:.]+$/'
}

value() { printf '%s\n' "$1" | sed -n "s/^$2 //p" | sort -u; }

settings() {  # PROGRAM: by condition
  C=$(criteria "$FILES")
  kinds=$(printf '%s\n' "$C" | awk 'NF == 1 { print $1 }' | sort -u)
  untried=$(printf '%s\n' "$C" | grep -E -e '^group .*[*?]' -e '^(user|group|host|rdomain) .*[^A-Za-z0-9._*?@-]' | tr ' ' ':' | tr -c 'A-Za-z0-9._*?@:\n-' '?' | cut -c 1-60)
  printf 'match|%s|%s\n' "$N" "$(echo $kinds $untried | tr ' |' ',?')"
  [ "$(printf '%s\n' "$FILES" | wc -l)" -lt 256 ] || echo "full|$N"
  users="root $accounts" addresses="203.0.113.1 2001:db8::1" names=outside.invalid domains= own= ports=$(printf '%s\n' "$LISTENS" | sed 's/.* //' | sort -un)
  for u in $(value "$C" user | sed 's/@.*//'); do
    case $u in
    *[!A-Za-z0-9._*?-]*) ;;
    *[*?]*) users="$users $(printf %s "$u" | tr '*?' '11')";;
    *) id -u -- "$u" >/dev/null 2>&1 && users="$users $u";;
    esac
  done
  for g in $(value "$C" group); do
    case $g in *[!A-Za-z0-9._-]*) ;; *)
      e=$(getent group -- "$g")  # a member of each group, and an account whose first group it is
      i=${e#*:*:}
      users="$users $(printf %s "${e##*:}" | sed 's/,.*//') $(awk -F: -v g="${i%%:*}" '$4 == g && g != "" { print $1; exit }' /etc/passwd)";;
    esac
  done
  users=$(printf '%s\n' $users | awk '/^[A-Za-z0-9._-]+$/ && !seen[$0]++')
  addresses="$addresses $(value "$C" address | ends | head -n MOST | tr '\n' ' ')"
  names="$names $(value "$C" host | tr '*?' '11' | grep -E '^[A-Za-z0-9._-]+$' | head -n MOST | tr '\n' ' ')"
  domains=$(value "$C" rdomain | grep -E '^[A-Za-z0-9._-]+$' | head -n MOST | tr '\n' ' ')
  own=$(printf '%s\n' "$LISTENS" | sed 's/ .*//; s/[][]//g; s/%.*//' | grep -vx -e 0.0.0.0 -e :: -e '\*')
  if [ ! "$own" ] || printf '%s\n' "$LISTENS" | grep -q -e '^0.0.0.0 ' -e '^\[::\] ' -e '^\* '; then
    own="$own $(ip -o addr 2>/dev/null | awk '$3 ~ /^inet/ { sub(/\/.*/, "", $4); print $4 }')"
  fi
  [ "$(echo $own)" ] || own=192.0.2.1
  case " "$(echo $kinds)" " in *" localaddress "*) own=$(printf '%s\n' $own | head -n MOST);; *) own=$(printf '%s\n' $own | head -n 1);; esac
  case " "$(echo $kinds)" " in *" localport "*) ;; *) ports=$(printf '%s\n' $ports | head -n 1);; esac
  case " "$(echo $kinds)" " in *" address "*) ;; *) addresses=203.0.113.1;; esac
  case " "$(echo $kinds)" " in *" user "*|*" group "*|*" all "*|*" invalid-user "*) ;; *) users=$(printf 'root\n%s\n' "$accounts" | head -n 2);; esac
  R=$(n=0
  for u in $users; do for a in $addresses; do for h in $names; do for b in $own; do for q in $ports; do for r in - $domains; do
    n=$((n + 1))
    [ $n -le MOST ] || { echo full; break 6; }
    [ "$r" = - ] && d= || d=,rdomain=$r
    printf '%s,%s,%s,%s,%s|' "$u" "$a" "$h" "$b" "$q"
    sshd_T "$1" "$ARGS" "user=$u,host=$h,addr=$a,laddr=$b,lport=$q$d" | awk '
      $1 ~ /^(KEPT)$/ { k = $1; sub(/^[^ ]* /, ""); gsub(/[|;]/, "?"); if (k in v) v[k] = v[k] " " $0; else { v[k] = $0; w[++m] = k } }
      END { for (i = 1; i <= m; i++) printf "%s%s %.LONGESTs", (1 < i ? ";" : ""), w[i], v[w[i]]; print "" }'
  done; done; done; done; done; done)
  printf '%s\n' "$R" | awk -F'|' -v n="$N" '
    $0 == "full" { full = 1; next }
    { k = ($1 ~ /^root,/) "|" $2; if (!(c[k]++)) { w[++m] = k; t[k] = $1 } else if (c[k] <= 8) t[k] = t[k] " " $1 }
    END { for (i = 1; i <= m; i++) print "set|" n "|" c[w[i]] "|" t[w[i]] "|" substr(w[i], 3); if (full) print "full|" n }'
}

offers() {  # USER...: what is offered at each port
  command -v ssh >/dev/null || return 0
  printf '%s\n' "$LISTENS" | awk '!seen[$2]++' | head -n 4 | while read -r a q; do
    case $a in 0.0.0.0|'*') a=127.0.0.1;; '[::]') a=::1; printf '%s\n' "$LISTENS" | grep -q "^0.0.0.0 $q\$" && a=127.0.0.1;; esac
    a=$(printf %s "$a" | sed 's/[][]//g')
    for u; do
      m=$(timeout 5 ssh -F none -n -N -a -x -o BatchMode=yes -o PreferredAuthentications=none -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o IdentityFile=none -o ConnectTimeout=3 \
        -o LogLevel=VERBOSE -p "$q" -l "$u" -- "$a" 2>&1 </dev/null | tr -d '\r' |
        sed -n 's/.*Permission denied (\([a-z0-9@.,-]*\))\.*$/\1/p; s/^Authenticated to .* using "none".*/none/p' | head -n 1)
      printf 'offer|%s|%s|%s|%s|%s\n' "$N" "$a" "$q" "$u" "${m:-?}"
    done
  done
}

server() {  # PID PROGRAM STATE; with ARGS, FILE, LISTENS
  N=$((N + 1))
  state=$3 loaded= how=start newest= file=$FILE
  case $FILE in /*) ;; *) [ $state != read ] || state=arguments;; esac
  if [ $state = read ]; then
    FILES=$(included "$FILE" 0 | awk '!seen[$0]++' | head -n 256)
    IFS=$NL
    [ $1 = 0 ] || for i in $FILES; do
      [ "$(stat -L -c %d:%i -- "/proc/$1/root$i" 2>/dev/null)" = "$(stat -L -c %d:%i -- "$i" 2>/dev/null)" ] || state=foreign
    done
    newest=$(stat -L -c '%.3Z %n' -- $FILES 2>/dev/null | sort -rn | head -n 1)
    unset IFS
    file=${newest#* } newest=${newest%% *}
  fi
  if [ $state = read ]; then
    G=$(sshd_T "$2" "$ARGS" "user=root,host=outside.invalid,addr=203.0.113.1,laddr=192.0.2.1,lport=22")
    [ "$G" ] || state=refused
  fi
  if [ $1 = 0 ]; then how=connection; else
    p=$(printf '%s\n' "$G" | sed -n 's/^pidfile //p')
    if [ $state = read ] && [ -f "$p" ] && [ "$(head -c 20 -- "$p")" = "$1" ]; then loaded=$(stat -L -c %.3Y -- "$p") how=pidfile; fi
    if [ ! "$loaded" ] && command -v journalctl >/dev/null; then
      loaded=$(timeout 5 journalctl -q -b -n 1 -o short-unix _PID="$1" -g '^Server listening on' 2>/dev/null | awk 'END { print $1 }')
      [ ! "$loaded" ] || how=journal
    fi
    [ "$loaded" ] || loaded=$(awk -v hz="$(getconf CLK_TCK)" 'NR == FNR { if ($1 == "btime") b = $2; next } { sub(/.*\) /, ""); print b + int($20 / hz) ".000" }' /proc/stat "/proc/$1/stat")
  fi
  printf 'server|%s|%s|%s|%s|%s|%s|%.120s\n' "$N" "$1" "$state" "$loaded" "$how" "$newest" "$(printf %s "$file" | tr '|\n' '??')"
  printf '%s\n' "$LISTENS" | while read -r a q; do printf 'listen|%s|%s|%s\n' "$N" "$a" "$q"; done
  if [ $state = read ]; then
    printf '%s\n' "$G" | awk -v n="$N" '$1 ~ /^(CRYPTO)$/ { print "algorithms|" n "|" $1 "|" $2 }'
    settings "$2"
  fi
  set -- root $(printf '%s\n' "$accounts" | head -n 1)
  [ "$how" = connection ] || [ $state != read ] || ! awk -v l="$loaded" -v f="$newest" 'BEGIN { exit !(l < f) }' || set -- root $(printf '%s\n' $accounts | head -n 4)
  offers "$@"
}

for p in $(printf '%s\n' "$L" | sed 's/ .*//' | sort -un); do
  [ "$p" ] && [ "$p" != 1 ] || continue
  x=$(readlink "/proc/$p/exe") || continue
  x=${x% (deleted)}
  LISTENS=$(printf '%s\n' "$L" | sed -n "s/^$p //p") FILE= ARGS= G=
  case $x in
  */sshd) ;;
  */dropbear|*/dropbearmulti|*/tinysshd*|*/*sshd*|*/lshd) FILE=$x; server "$p" "$x" other; continue;;
  *) continue;;
  esac
  state=read
  c=$(tr '\0' ' ' <"/proc/$p/cmdline" | sed 's/ *$//')
  case $c in
  "sshd: "*" [listener] "*startups) c=${c#sshd: } c=${c%% \[listener\]*};;
  "sshd: "*) state=arguments;;
  esac
  [ $state != read ] || { set -- $c; shift; arguments "$@" || state=arguments; }
  [ "$(stat -c %u "/proc/$p")" = 0 ] && [ "$(stat -L -c %d:%i "/proc/$p/root")" = "$(stat -L -c %d:%i /)" ] || state=foreign
  server "$p" "$x" $state
done
if printf '%s\n' "$L" | grep -q '^1 ' && command -v systemctl >/dev/null; then
  T=$(systemctl show --no-pager -p Id -p Accept -p Triggers -p Listen -p ActiveState '*.socket' 2>/dev/null | awk -F= '
    function done() { if (on && l != "") print id " " acc " " (t == "" ? "-" : t) " " l; id = acc = t = l = on = "" }
    /^$/ { done() } $1 == "Id" { id = $2 } $1 == "Accept" { acc = $2 } $1 == "Triggers" { split($2, w, " "); t = w[1] }
    $1 == "ActiveState" { on = $2 == "active" } $1 == "Listen" && /\(Stream\)$/ && $2 !~ /^\// { sub(/ .*/, "", $2); l = l (l == "" ? "" : ",") $2 } END { done() }')
  while read -r id acc service addresses; do
    [ "$id" ] || continue
    [ "$acc" != yes ] || service=${id%.socket}@portalops.service
    e=$(systemctl show --no-pager -p ExecStart "$service" 2>/dev/null | sed -n 's/.*argv\[\]=\([^;]*\) ;.*/\1/p' | head -n 1)
    x=${e%% *}
    case ${x#-} in */sshd) ;; *) continue;; esac
    LISTENS=$(printf '%s\n' "$addresses" | tr , '\n' | awk '{ a = $0; q = a; sub(/.*:/, "", q); if (a !~ /:/) a = "[::]"; else sub(/:[^:]*$/, "", a); print a " " q }')
    q=$(printf '%s\n' "$LISTENS" | sed -n '1s/.* //p')
    [ "$acc" = yes ] || ! printf '%s\n' "$L" | grep -v '^1 ' | grep -q " $q\$" || continue
    state=read FILE= ARGS= G=
    e=$(printf '%s' "${e#* }" | sed 's/\$SSHD_OPTS//')
    grep -qs '^SSHD_OPTS=.*[^ "]' /etc/default/ssh && state=arguments
    case $e in *'$'*) state=arguments;; esac
    [ "$e" != "$x" ] || e=
    [ $state != read ] || { set -- $e; arguments "$@" || state=arguments; }
    server 0 "${x#-}" $state
  done <<END
$T
END
fi
echo "end $N"
""".replace("KEPT", _KEPT)
    .replace("CRYPTO", _CRYPTO)
    .replace("MOST", str(MOST))
    .replace("LONGEST", str(_LONGEST))
)

_STATES = {"read", "arguments", "foreign", "refused", "other"}
_SWITCH = frozenset({"yes", "no"})
_VALUES = {
    "permitrootlogin": frozenset({"yes", "no", "without-password", "prohibit-password", "forced-commands-only"}),
    "passwordauthentication": _SWITCH,
    "kbdinteractiveauthentication": _SWITCH,
    "permitemptypasswords": _SWITCH,
}
"""What a verdict rests on: any other value is an answer that was not understood."""
_METHODS = re.compile(r"\?|[a-z0-9@.,-]{1,200}")


@dataclass(frozen=True, slots=True)
class LoginCondition:
    """Who comes from where to where."""

    user: str
    address: str
    host: str
    own_address: str
    port: str


@dataclass(frozen=True, slots=True)
class Effect:
    """Settings, and for whom they hold."""

    settings: Mapping[str, str]
    """Keyword in lower case to its value; lists of users with blanks between."""
    conditions: tuple[LoginCondition, ...]
    """The first eight, one at least; those of root are in effects of their own."""
    count: int
    """Of all conditions."""


@dataclass(frozen=True, slots=True)
class OfferedMethods:
    """What the server offered to the request `none`."""

    address: str
    port: int
    user: str
    methods: tuple[str, ...]
    """None where it told none."""


@dataclass(frozen=True, slots=True)
class SshDaemon:
    """One that listens."""

    pid: int
    """0 where the first connection starts it."""
    state: str
    """`read`; or why its settings were not: `arguments` are unclear, it is `foreign` (of an account, or with files of its own), sshd
    `refused` to tell, or it is an `other` program."""
    loaded_at: float | None
    """When it read its files; None where each connection or the first one makes it read them."""
    loaded_by: str
    newest_at: float | None
    """Of the last change of its files or of a folder that it includes from."""
    file: str
    """What was changed then."""
    listens: tuple[tuple[str, int], ...]
    criteria: frozenset[str]
    """Which kinds of criteria its `Match` lines have, and values without an example: a group needs a member, and some letters
    may mean something to -C."""
    algorithms: Mapping[str, str]
    effects: tuple[Effect, ...]
    offers: tuple[OfferedMethods, ...]
    is_full: bool
    """There are more combinations than were tried."""

    @property
    def ports(self) -> tuple[int, ...]:
        """Return its ports."""
        return tuple(sorted({port for _, port in self.listens}))

    @property
    def is_stale(self) -> bool:
        """Say whether a file was changed after it was loaded."""
        if self.loaded_at is None or self.newest_at is None:
            return False
        return self.newest_at > self.loaded_at + (
            1 if self.loaded_by == "start" else 0
        )  # a process's start is known to a second


@dataclass
class _Making:
    head: list[str]
    listens: list[tuple[str, int]] = field(default_factory=list)
    criteria: frozenset[str] = frozenset()
    algorithms: dict[str, str] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    offers: list[OfferedMethods] = field(default_factory=list)
    is_full: bool = False

    def made(self) -> SshDaemon:
        pid, state, loaded, how, newest, file = self.head
        if state not in _STATES or not self.listens or (state == "read" and not (self.effects and newest)):
            raise ValueError(state)
        if state == "read" and how not in {"pidfile", "journal", "start", "connection"}:
            raise ValueError(how)
        return SshDaemon(
            int(pid),
            state,
            None if how == "connection" else float(loaded),
            how,
            float(newest) if newest else None,
            file,
            tuple(self.listens),
            self.criteria,
            self.algorithms,
            tuple(self.effects),
            tuple(self.offers),
            self.is_full,
        )


def parse(output: Output) -> tuple[SshDaemon, ...]:
    """Read the servers; one that listens and whose settings are not told is among them."""
    lines = [line.rstrip() for line in output.lines()]
    found: dict[str, _Making] = {}
    try:
        for line in lines[:-1]:
            kind, number, *rest = line.split("|")
            if kind == "server" and number not in found:
                found[number] = _Making(rest)
            else:
                _read(found[number], kind, rest)
        servers = tuple(each.made() for each in found.values())
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise Unparseable(msg("the list of SSH servers cannot be parsed: {line}", line=shown(line, 80))) from error
    if not lines or lines[-1] != f"end {len(servers)}":
        raise Unparseable(msg("the list of SSH servers is cut short"))
    return servers


def _read(making: _Making, kind: str, rest: list[str]) -> None:
    match kind, rest:
        case "listen", [address, port]:
            making.listens.append((address, int(port)))
        case "match", [kinds]:
            making.criteria = frozenset(kinds.split(",")) - {""}
        case "algorithms", [name, value]:
            making.algorithms[name] = value
        case "set", [count, conditions, settings]:
            making.effects.append(_effect(int(count), conditions, settings))
        case "offer", [address, port, user, methods] if _METHODS.fullmatch(methods):
            said = () if methods == "?" else tuple(methods.split(","))
            making.offers.append(OfferedMethods(address, int(port), user, said))
        case "full", []:
            making.is_full = True
        case _:
            raise ValueError(kind)


def _effect(count: int, conditions: str, settings: str) -> Effect:
    found = {key: value for key, _, value in (each.partition(" ") for each in settings.split(";"))}
    if "challengeresponseauthentication" in found:  # its name before OpenSSH 8.7
        found.setdefault("kbdinteractiveauthentication", found["challengeresponseauthentication"])
    if any(len(value.encode()) >= _LONGEST for value in found.values()):  # its end is cut off
        raise ValueError(settings)
    if any(found.get(key) not in values for key, values in _VALUES.items()) or "authenticationmethods" not in found:
        raise ValueError(settings)
    return Effect(found, tuple(LoginCondition(*each.split(",")) for each in conditions.split(" ")), count)


def is_let_in(user: str, settings: Mapping[str, str]) -> bool:
    """Say whether the lists of users let a user try at all; of groups nothing is known."""
    if settings.get("refuseconnection") == "yes":
        return False
    denied, allowed = settings.get("denyusers", "").split(), settings.get("allowusers", "").split()
    if user in denied:  # patterns and addresses are not gone into: they would have to hold for every address
        return False
    return not allowed or any(fnmatch.fnmatchcase(user, each.partition("@")[0]) for each in allowed)


PROBE = Probe("ssh.servers", ("sh", "-c", re.sub("(?m)^ +", "", _SCRIPT)), parse, needs_root=True, timeout_seconds=40)
