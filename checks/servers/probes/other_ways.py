"""Who may become root by doas or by polkit, or by connecting to a program of root.

Told are the rules of doas and polkit, where their programs are there.

The rules of polkit from version 0.106 on are JavaScript: comments are left out, the rest is printed, and what it says is
judged only where it has a known form. Older versions read `.pkla` files. For each account with a shell, polkit itself is asked
too what it lets it do. Of the programs of root that wait for connections which every account of the host can make, those are told that
run what others wrote: interpreters, relays, and what no package brings. So are sockets of databases that every account may open: Redis is asked whether it
wants a password. And so are relays that lead to a port of this host, by their settings, their command or a unit that starts them. doas.conf(5), polkit(8), pklocalauthority(8), pkcheck(1).

    doas permit|nopass|chi|root|/usr/bin/apt-get|update
    polkit 126
    rule /etc/polkit-1/rules.d/10-units.rules
    code polkit.addRule(function(action, subject) { if (...) { return polkit.Result.YES; } });
    asked chi
    let chi|org.freedesktop.policykit.exec
    database /run/redis/redis.sock|redis-server|open
    serves tcp|127.0.0.1:2323|runs|-|/usr/bin/socat1
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v ss >/dev/null || exit 127
if command -v doas >/dev/null && [ -f /etc/doas.conf ]; then
  if ! doas -C /etc/doas.conf >/dev/null 2>&1; then echo 'doas invalid'; else
  awk '/["\\|]/ { sub(/#.*/, ""); if (/["\\|]/) { print "doas odd"; exit } }
  { sub(/#.*/, ""); n = split($0, w, /[ \t]+/); i = 1; if (w[1] == "") i++
    if (n < i || w[i] == "") next
    act = w[i++]; opts = ""; as = ""; cmd = ""; args = "*"
    while (w[i] ~ /^(nopass|nolog|persist|keepenv|setenv)$/) {
      if (w[i] == "setenv") { while (i < n && w[i] !~ /}/) i++; opts = opts " setenv" } else opts = opts " " w[i]
      i++
    }
    who = w[i++]
    if (w[i] == "as") { as = w[i + 1]; i += 2 }
    if (w[i] == "cmd") { cmd = w[i + 1]; i += 2 }
    if (w[i] == "args") { args = ""; for (i++; i <= n; i++) args = args " " w[i]; sub(/^ /, "", args); sub(/ $/, "", args) }
    print "doas " act "|" substr(opts, 2) "|" who "|" as "|" cmd "|" args }' /etc/doas.conf || exit 1; fi
fi
P=
for p in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd /usr/lib/policykit-1/polkitd; do [ ! -x "$p" ] || P=$p; done
if [ "$P" ]; then
  V=$(pkaction --version 2>/dev/null) V=${V##* }
  printf 'polkit %s\n' "${V:-?}"
  for f in /etc/polkit-1/rules.d/*.rules /run/polkit-1/rules.d/*.rules /usr/local/share/polkit-1/rules.d/*.rules /usr/share/polkit-1/rules.d/*.rules; do
    [ -f "$f" ] || continue
    printf 'rule %s\n' "$f"
    head -c 16384 -- "$f" | awk '
    { s = $0
      while (1) {
        if (inside) { if (!match(s, /\*\//)) { s = ""; break } s = substr(s, RSTART + 2); inside = 0 }
        if (!match(s, /\/\*/)) break
        t = substr(s, RSTART + 2); s = substr(s, 1, RSTART - 1)
        if (match(t, /\*\//)) s = s " " substr(t, RSTART + 2); else { inside = 1; break }
      }
      sub(/(^|[ \t;{}])\/\/.*/, "", s); gsub(/[ \t\r]+/, " ", s)
      if (s !~ /^ ?$/) print "code " s }'
  done
  [ ! -x /usr/bin/pkla-check-authorization ] && [ ! -x /usr/libexec/polkit-1/pkla-check-authorization ] || echo 'pkla read'
  for f in /etc/polkit-1/localauthority/*/*.pkla /var/lib/polkit-1/localauthority/*/*.pkla; do
    [ ! -f "$f" ] || awk -v F="$f" -F= 'function put() { if (who != "") print "pkla " F "|" who "|" act "|" any "|" off "|" on; who = act = any = off = on = "" }
      { gsub(/\|/, "?"); sub(/\r$/, ""); v = $0; sub(/^[^=]*=[ \t]*/, "", v); k = $1; gsub(/[ \t]/, "", k) }
      /^[ \t]*#/ { next } /^\[/ { put() } k == "Identity" { who = v } k == "Action" { act = v }
      k == "ResultAny" { any = v } k == "ResultInactive" { off = v } k == "ResultActive" { on = v } END { put() }' "$f"
  done
  for f in /etc/polkit-1/localauthority.conf.d/*.conf; do [ ! -f "$f" ] || sed -n 's/^AdminIdentities=/admins /p' "$f" | tail -n 1; done
  if command -v pkcheck >/dev/null; then
    S=$(awk '{ print $22 }' /proc/$$/stat)
    awk -F: '$3 != 0 && $7 !~ /\/(nologin|false|sync|halt|shutdown)$/ && $1 ~ /^[A-Za-z0-9_.-]+$/ { if (++n == 41) { print "-"; exit }; print $1, $3 }' /etc/passwd |
      while read -r n u; do
        [ "$n" != - ] || { echo 'more accounts'; break; }
        printf 'asked %s\n' "$n"
        for a in org.freedesktop.policykit.exec org.freedesktop.systemd1.manage-units org.freedesktop.systemd1.manage-unit-files; do
          ! pkcheck --action-id "$a" --process "$$,$S,$u" >/dev/null 2>&1 </dev/null || printf 'let %s|%s\n' "$n" "$a"
        done
      done
  fi
  X=$(command -v pkexec)
  pkaction --verbose 2>/dev/null | awk -v X="$X" 'X && /annotation: +org.freedesktop.policykit.exec.path / && r["any:"] r["inactive:"] r["active:"] ~ /yes|auth_self/ {
      print "implicit org.freedesktop.policykit.exec|" r["any:"] "|" r["inactive:"] "|" r["active:"] }
    /^[^ ].*:$/ { id = $1; sub(/:$/, "", id) } /implicit (any|inactive|active):/ { r[$2] = $3 }
    /implicit active:/ && id ~ /^org\.freedesktop\.(policykit\.exec|systemd1\.manage-unit)/ { if (r["any:"] r["inactive:"] r["active:"] ~ /yes|auth_self/) print "implicit " id "|" r["any:"] "|" r["inactive:"] "|" r["active:"] }'
fi
# what programs of root do for each account that connects: none of those that packages bring is told, but for interpreters and relays
L=$(ss -Htulnxp) || exit $?
L=$(printf '%s\n' "$L" | awk '{ l = $0; s = $5; gsub(/[| ]/, "?", s); d = match(l, /\("(redis|valkey|keydb|memcached|mongo)[a-z-]*"/) ? substr(l, RSTART + 2, RLENGTH - 3) : "-"
  while (match(l, /,pid=[0-9]+/)) { p = substr(l, RSTART + 5, RLENGTH - 5); l = substr(l, RSTART + RLENGTH); if (1 < p) print p, ($1 ~ /^u_/ ? "unix" : $1), s, d } }' | sort -u)
set --
for p in $(printf '%s\n' "$L" | awk 'NF { print $1 }' | sort -un | head -n 500); do set -- "$@" "/proc/$p/status"; done
[ $# = 0 ] || R=" $(echo $(grep -s '^Uid:.*[[:blank:]]0[[:blank:]]' "$@" /dev/null | sed 's#^/proc/##; s#/.*##')) "
set -- $(printf '%s\n' "$L" | awk -v R="${R-}" '$2 == "unix" && $3 ~ /^\// && ($4 != "-" || index(R, " " $1 " ")) { x = ""; n = split($3, d, "/"); for (i = 2; i <= n; i++) { x = x "/" d[i]; print x } }' | sort -u)
W=
[ $# = 0 ] || W=$(stat -L -c '%a %n' -- "$@" 2>/dev/null)
printf '%s\n' "$L" | awk -v R="${R-}" -v W="$W" 'BEGIN { n = split(W, w, "\n"); for (i = 1; i <= n; i++) { m = w[i]; sub(/^[^ ]* /, "", m); may[m] = substr(w[i], index(w[i], " ") - 1, 1) } }
  (!index(R, " " $1 " ") && ($4 == "-" || $2 != "unix")) || $3 == "*" { next }
  $2 == "unix" && $3 ~ /^\// { if (may[$3] !~ /[2367]/) next; x = ""; n = split($3, d, "/"); for (i = 2; i < n; i++) { x = x "/" d[i]; if (may[x] !~ /[1357]/) next } }
  { print }' | while read -r p t s d; do  # the rows of one process stand together
  if [ "$d" != - ] && [ "$t" = unix ]; then
    a=
    case $d in [rvk]*) a=$(timeout 2 redis-cli -s "$s" ping 2>&1 </dev/null | head -c 6) ;; esac
    case $a in PONG) a=open ;; NOAUTH) a=asks ;; *) a=unasked ;; esac
    printf 'database %s|%s|%s\n' "$s" "$d" "$a"
    continue
  fi
  [ "$p" = "$o" ] || { o=$p u= c=; e=$(readlink "/proc/$p/exe") || e=; }
  [ "$e" ] || continue
  case $e in /bin/* | /sbin/* | /lib/*) e=/usr$e ;; esac
  case $e in
  /usr/local/*) ;;
  */php-fpm*) continue ;;
  /usr/*/*sh | /usr/*/*awk | /usr/*/busybox | /usr/*/perl* | /usr/*/python* | /usr/*/ruby* | /usr/*/node* | /usr/*/php* | /usr/*/lua* | /usr/*/tclsh* | /usr/*/expect | \
    /usr/*/java | /usr/*/socat* | /usr/*/nc | /usr/*/nc.* | /usr/*/ncat | /usr/*/netcat* | /usr/*inetd | /usr/*/tcpserver | /usr/*/tmux* | /usr/*/screen* | \
    /usr/*/dockerd | /usr/*/containerd | /usr/*/lxd | /usr/*/incusd | /usr/*/podman) ;;
  /usr/*) continue ;;
  esac
  [ "$u" ] || { u=$(sed -n 's/.*\/\([^/]*\.service\)\(\/.*\)\{0,1\}$/\1/p' "/proc/$p/cgroup" 2>/dev/null | head -n 1) u=${u:--}
  c=$(tr '\000\n' '\n?' <"/proc/$p/cmdline" | awk 'NR != 1 && /^-[a-z]*[ecm]$|^--(sh-)?exec|(^|,)(EXEC|SYSTEM|SHELL):/ { print "runs"; exit }
    NR != 1 && /^\// { if (/^\/usr\/(s?bin|lib|libexec|share)\// && !/\.\./) print "delivered"; exit }')
  e=$(printf %s "$e" | tr '|\n' '??') c=${c:--}; }
  printf 'serves %s|%s|%s|%s|%s\n' "$t" "$s" "$c" "$u" "$e"
done
command -v systemctl >/dev/null && systemctl show '*.socket' -p Id -p Listen -p Accept -p SocketMode -p FragmentPath -p Triggers 2>/dev/null | awk -F= '
  function put() { if (id != "" && path !~ /^\/((usr\/)?lib|run\/systemd\/generator[a-z.]*)\// && listen != "") print id "|" (accept == "yes" ? substr(id, 1, length(id) - 7) "@0.service" : unit) "|" mode "|" listen; id = path = listen = unit = "" }
  /^$/ { put() } { v = substr($0, length($1) + 2) } $1 == "Id" { id = v } $1 == "FragmentPath" { path = v } $1 == "Accept" { accept = v } $1 == "SocketMode" { mode = v }
  $1 == "Triggers" { unit = v; sub(/ .*/, "", unit) } $1 == "Listen" { sub(/ \([A-Za-z]*\)$/, "", v); gsub(/[| ]/, "?", v); listen = listen " " v } END { put() }' |
  while IFS='|' read -r i u m s; do
    a=$(systemctl show "$u" -p User -p DynamicUser 2>/dev/null | awk -F= '$1 == "User" && $2 !~ /^(root|0|)$/ || $2 == "yes" { print "kept" }')
    [ "$a" ] || for l in $s; do
      case $l in /*) case $m in *[2367]) ;; *) continue ;; esac ;; esac
      printf 'serves socket|%s|-|%s|%s\n' "$l" "$u" "$i"
    done
  done
# relays that lead to a port or socket of this host: their settings, and how they were started
# this host by its other addresses and names, as a pattern
H=$({ ip -o addr 2>/dev/null | awk '{ sub(/\/.*/, "", $4); print $4 }'; uname -n; sed -nE 's/^(127\.[0-9.]+|::1)[[:blank:]]+([^#]*).*/\2/p' /etc/hosts; } | tr -s '[:blank:]' '\n' |
  grep -xE '[A-Za-z0-9.:-]+' | sort -u | head -n 50 | sed 's/[.]/[.]/g' | tr '\n' '|')localhost
{
  grep -RHIs --exclude-dir=sites-available -E "($H|127\.[0-9.]+|0\.0\.0\.0|::1\]?|[[:space:]\"=@])[]: ]+[0-9]{2,5}|\.sock|\.PGSQL\.|port[:=] *\"?[0-9]|connect *= *[0-9]" /etc/haproxy /etc/nginx /etc/stunnel /etc/xinetd.d /etc/inetd.conf /etc/rinetd.conf /etc/sniproxy.conf /etc/caddy /etc/envoy /etc/traefik /etc/sslh.cfg /etc/sslh /etc/default/sslh |
    grep -vE '^[^:]*:[[:space:]]*([#;]|(bind|listen|(fastcgi|uwsgi|scgi)_param|proxy_set_header|env|access_log|stats)[[:space:]])' | head -n 2000
  # units that start one only when somebody connects
  grep -RHIsE '^[[:space:]]*Exec.*[/ ](socat[0-9]*|systemd-socket-proxyd|ncat|nc(\.[a-z]*)?|ssh|autossh|sslh[a-z-]*|redir|websockify|wstunnel)[[:space:]]' /etc/systemd/system /usr/local/lib/systemd/system | head -n 200
  grep -lxsE 'socat[0-9]*|ssh|autossh|ncat|nc|nc\..*|rinetd|redir|simpleproxy|tcpproxy|balance|systemd-socket-|gost|frpc|chisel|cloudflared|sslh.*|wstunnel|websockify' /proc/[0-9]*/comm | head -n 100 | while IFS= read -r f; do
    printf '%s:%s\n' "$(cat "$f" 2>/dev/null)" "$(tr '\000\n' '  ' <"${f%comm}cmdline" 2>/dev/null | head -c 4096)"
  done
} | awk -v H="$H" 'BEGIN { H = "((127[.][0-9.]+|0[.]0[.]0[.]0|::1\\]?|" H ")\\]?[: \t]+|[ \t\"=@]:)[0-9][0-9]+([^0-9.]|$)" }
  { f = $0; sub(/:.*/, "", f); t = substr($0, length(f) + 2); gsub(/[^!-{}~]/, "?", f); gsub(/"?[;,] *port *[:=] *"?/, ":", t); sub(/connect *= */, "localhost:", t)
    if (t ~ /(mysql|maria|redis|valkey|memcached|mongo)[^[:space:];]*\.sock|\.s\.PGSQL\./) r[f "|0"] = 1
    while (match(t, H)) {
      w = substr(t, RSTART, RLENGTH); t = substr(t, RSTART + RLENGTH); sub(/[^0-9]$/, "", w); sub(/.*[^0-9]/, "", w); if (length(w) < 6) r[f "|" w] = 1 } }
  END { for (k in r) print "relay " k }' | sort | head -n 400
echo end
"""


@dataclass(frozen=True, slots=True)
class RootService:
    """What a program of root does for each account of the host that connects, as far as it is known."""

    kind: str
    """`tcp`, `udp`, `unix`, or `socket` where systemd waits for it by a unit of this host's own."""
    address: str
    manner: str
    """`runs` where its arguments are to run something, `delivered` for a script that a package brings, or `-`."""
    unit: str
    program: str


@dataclass(frozen=True, slots=True)
class DoasRule:
    """One rule of doas, as doas.conf(5) has it."""

    is_permit: bool
    options: frozenset[str]
    identity: str
    target: str
    """Empty for every account."""
    command: str
    """Empty for all."""
    arguments: str | None
    """None where every argument is allowed."""


@dataclass(frozen=True, slots=True)
class PklaRule:
    """One section of a file of an older polkit."""

    path: str
    identities: tuple[str, ...]
    actions: tuple[str, ...]
    results: frozenset[str]


@dataclass(frozen=True, slots=True)
class OtherWays:
    """What was found; a program that is not there has no rules."""

    doas: tuple[DoasRule, ...] = ()
    is_doas_odd: bool = False
    """Its rules are quoted in a way that is not read here."""
    polkit: str | None = None
    """Its version."""
    scripts: Mapping[str, str] | None = None
    """Rules in JavaScript without comments, by path."""
    pkla: tuple[PklaRule, ...] = ()
    is_pkla_read: bool = False
    """A newer polkit reads those too."""
    admins: tuple[str, ...] = ()
    """Who counts as administrator for an older polkit."""
    asked: tuple[str, ...] = ()
    """Accounts for which polkit was asked what they may do as the process that asks."""
    answers: tuple[tuple[str, str], ...] = ()
    """Account and action that it said yes to."""
    is_asked_in_part: bool = False
    """There are more accounts than polkit was asked about."""
    databases: tuple[tuple[str, str, str], ...] = ()
    """Sockets that every account may open, the database behind each, and `open`, `asks` or `unasked`."""
    served: tuple[RootService, ...] = ()
    """By whom of root's programs accounts are served, where that is more than a package's own program does."""
    implicit: Mapping[str, frozenset[str]] | None = None
    """Of actions that make root and need no administrator by themselves: by action, its results."""
    relays: tuple[tuple[str, int], ...] = ()
    """Relays, by file of settings or by program, and the port of this host to which each leads; 0 for a database's socket."""


def parse(output: Output) -> OtherWays:
    """Read all rules."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the rules of doas and polkit are cut short"))
    doas, pkla, admins, asked = [], [], [], []
    answers: list[tuple[str, str]] = []
    served: list[RootService] = []
    databases: list[tuple[str, str, str]] = []
    relays: list[tuple[str, int]] = []
    unasked = False
    scripts: dict[str, list[str]] = {}
    implicit: dict[str, frozenset[str]] = {}
    odd, read, version, script = False, False, None, None
    for line in lines[:-1]:
        head, _, rest = line.partition(" ")
        fields = rest.split("|")
        if head == "doas" and rest == "invalid":
            continue  # doas refuses everybody then
        if head == "doas" and rest == "odd":
            odd = True
        elif head == "doas" and len(fields) == 6 and fields[0] in {"permit", "deny"}:
            act, options, who, target, command, arguments = fields
            doas.append(
                DoasRule(
                    act == "permit",
                    frozenset(options.split()),
                    who,
                    target,
                    command,
                    None if arguments == "*" else arguments,
                )
            )
        elif head == "polkit":
            version = rest
        elif head == "rule":
            script = scripts.setdefault(rest, [])
        elif head == "code" and script is not None:
            script.append(rest)
        elif head == "pkla" and rest == "read":
            read = True
        elif head == "pkla" and len(fields) == 6:
            path, who, actions, *results = fields
            pkla.append(PklaRule(path, _split(who), _split(actions), frozenset(one.strip() for one in results)))
        elif head == "admins":
            admins = [*_split(rest)]
        elif head == "asked":
            asked.append(rest)
        elif line == "more accounts":
            unasked = True
        elif head == "database" and len(fields) == 3:
            databases.append((fields[0], fields[1], fields[2]))
        elif head == "relay" and len(fields) == 2 and fields[1].isdecimal() and len(fields[1]) < 6:
            relays.append((fields[0], int(fields[1])))
        elif head == "serves" and len(fields) == 5:
            served.append(RootService(*fields))
        elif head == "let" and len(fields) == 2:
            answers.append((fields[0], fields[1]))
        elif head == "implicit" and len(fields) == 4:
            implicit[fields[0]] = frozenset(fields[1:])
        else:
            raise Unparseable(
                msg("the rules of doas and polkit have a line that cannot be parsed: {line}", line=shown(line, 80))
            )
    return OtherWays(
        tuple(doas),
        odd,
        version,
        {path: "\n".join(code) for path, code in scripts.items()},
        tuple(pkla),
        read,
        tuple(admins),
        tuple(asked),
        tuple(answers),
        unasked,
        tuple(databases),
        tuple(served),
        implicit,
        tuple(relays),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(";") if one.strip())


PROBE = Probe(
    "acct.other-ways",
    ("sh", "-c", re.sub("(?m)^ +", "", _SCRIPT)),
    parse,
    needs_root=True,
    timeout_seconds=30,
    form=PIPED,
)
