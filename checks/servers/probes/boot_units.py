"""What the next start of the host really starts, beside the units that are enabled: `systemctl show` of every loaded unit.

systemd's own dependencies are followed from default.target, with what sockets, timers and paths start. Told is what nobody enabled: a
unit whose file lies outside the packages' folder, but for that of a timer or socket of its name; one that is off and is wanted
by a file or drop-in of the host's own; a start script of the older kind; and a unit whose files on the disk are not what systemd has loaded. Told as well is what starts and
speaks of nft(8) or iptables(8): a unit by its commands or the script that they run, and files of cron, rc.local and ifupdown
that root runs, and files of fail2ban that are not its package's. So is a command that names a firewall's own unit, and a default
target that is not one of the usual. Commands may hold passwords, so their text stays on the host. systemctl(1), systemd.unit(5), interfaces(5).

    extra evil.service
    packets net-tune.service
    end 142
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

_SCRIPT = r"""
command -v systemctl >/dev/null || exit 127
P=Id,Names,LoadState,UnitFileState,FragmentPath,DropInPaths,NeedDaemonReload,Before,Wants,Requires,BindsTo,Upholds,Triggers,OnSuccess
for x in StartPre Start StartPost Stop StopPost; do P=$P,Exec$x; done
T=$(systemctl show --no-pager -p Id default.target) || exit $?
S=$(systemctl show --all --no-pager -p "$P" '*') || exit $?
W='(^|[^A-Za-z0-9_.-])(nft|x?ip6?tables(-legacy|-nft)?(-restore|-apply)?)([^A-Za-z0-9_.-]|$)'
# the firewalls' own units and programs: a command that names them may stop them
U='(^|[^A-Za-z0-9_.-])(nftables|netfilter-persistent|firewalld|ufw|firewall-cmd)(\.service)?([^A-Za-z0-9_.-]|$)|systemctl.* isolate '
D=$(systemctl get-default 2>/dev/null) || D=
for t in "$D" "${T#Id=}"; do
  case $t in multi-user.target | graphical.target | runlevel[2-5].target | '') ;; *) printf 'target %s\n' "$t" ;; esac
done
R=$(printf '%s\n' "$S" | T=${T#Id=} W=$W U=$U awk '
  function local(p) { return p != "" && p !~ /^(\/usr)?\/lib\/systemd\/system\// && p !~ /^\/run\/systemd\/generator(\.early)?\// }
  function stem(u) { sub(/\.[a-z]*$/, "", u); return u }
  function real(u) { return u in as ? as[u] : u }
  function commands(u, t,  n, a, k) {
    if (t ~ ENVIRON["W"]) speaks[u] = 1
    if (t ~ ENVIRON["U"]) names[u] = 1
    n = split(t, a, /[ ;"'\''=&|()]+/)
    for (k = 1; k <= n; k++) if (a[k] ~ /^\// && a[k] !~ /^\/(usr\/)?(bin|sbin|lib|lib64|libexec)\// && a[k] !~ /^\/(dev|proc|sys)\//) tries[u] = tries[u] "\n" a[k]
  }
  /^Id=/ { u = substr($0, 4); known[u] = 1; next }
  /^$/ { flush(); next }
  { k = substr($0, 1, index($0, "=") - 1); v = substr($0, index($0, "=") + 1)
    if (k ~ /^Exec/) ran = ran " " v; else val[k] = v }
  function flush(  n, a, i) {
    if (u == "") { split("", val); ran = ""; return }
    n = split(val["Names"], a, " "); for (i = 1; i <= n; i++) as[a[i]] = u
    load[u] = val["LoadState"]; state[u] = val["UnitFileState"]; file[u] = val["FragmentPath"]; drop[u] = val["DropInPaths"]
    stale[u] = val["NeedDaemonReload"]; before[u] = " " val["Before"] " "
    next_[u] = val["Wants"] " " val["Requires"] " " val["BindsTo"] " " val["Upholds"] " " val["OnSuccess"]; starts[u] = val["Triggers"]
    commands(u, ran)
    split("", val); ran = ""; u = ""
  }
  END {
    flush()
    todo[1] = real(ENVIRON["T"]); seen[todo[1]] = 1; n = 1
    for (i = 1; i <= n; i++) {
      u = todo[i]; own = local(file[u])
      k = split(drop[u], a, " "); for (j = 1; j <= k; j++) if (local(a[j])) own = 1
      h = split(next_[u], a, " "); k = h + split(starts[u], b, " ")
      for (j = 1; j <= k; j++) {
        d = real(j <= h ? a[j] : b[j - h])
        if (j <= h || stem(u) != stem(d)) other[d] = 1
        if (own) pulled[d] = 1
        if (!(d in seen)) { seen[d] = 1; todo[++n] = d }
      }
    }
    for (i = 1; i <= n; i++) {
      u = todo[i]
      if (load[u] != "loaded") continue
      if (stale[u] == "yes") print "stale " u
      if (u !~ /\.(service|socket|timer|path)$/) continue
      t = file[u]; sub(/.*\//, "", t)
      if (state[u] != "enabled" && u in other && (local(file[u]) || (state[u] == "disabled" && u in pulled)))
        print "extra " u (t ~ /@\./ ? " " t : "")
      if (u ~ /^(nftables|netfilter-persistent|firewalld|ufw)\.service$/) continue
      if (u in names) { print "packets " u; continue }
      if (before[u] ~ / (nftables|netfilter-persistent|ufw|firewalld)\.service /) continue
      if (u in speaks) print "packets " u
      else if (tries[u] != "") { k = split(tries[u], a, "\n"); for (j = 2; j <= k; j++) print "try " u " " a[j] }
    }
    print "end " n
  }') || exit $?
[ "$R" ] || exit 3
printf '%s\n' "$R" | while IFS= read -r l; do
  case $l in
  'try '*)
    f=${l#try * }
    [ -f "$f" ] && [ "$(head -c 2 -- "$f" 2>/dev/null | tr -d '\0')" = '#!' ] && head -c 65536 -- "$f" | grep -v '^[[:space:]]*#' | grep -qE "$W|$U" || continue
    l=${l#try }
    echo "packets ${l%% *}" ;;
  'end '*) ;;
  *) printf '%s\n' "$l" ;;
  esac
done | sort -u
for f in /etc/rc.local /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* \
  /var/spool/cron/crontabs/root /var/spool/cron/root /etc/network/interfaces /etc/network/interfaces.d/* /etc/network/if-*.d/* \
  /etc/NetworkManager/dispatcher.d/* /etc/networkd-dispatcher/*/* /etc/ppp/ip-up.d/* /etc/dhcp/dhclient-*-hooks.d/*; do
  [ -f "$f" ] || continue
  head -c 65536 -- "$f" | grep -v '^[[:space:]]*#' | grep -qE "$W|$U" && printf 'packets %s\n' "$(printf %s "$f" | tr -c '!-~' '?')"
done
# what fail2ban runs by files that are not as its package brought them; the name of an action alone changes nothing
if [ -d /etc/fail2ban ] && command -v fail2ban-server >/dev/null; then
  { dpkg-query -W -f '${Conffiles}\n' fail2ban 2>/dev/null | sed -nE 's@^ (/etc/fail2ban/[^ ]+) ([0-9a-f]{32}).*@\2  \1@p' | md5sum -c 2>/dev/null | sed -n 's/: OK$//p'
    echo ==
    find /etc/fail2ban/action.d /etc/fail2ban/jail.* /etc/fail2ban/fail2ban.* -maxdepth 1 -name '*.[cl]o[nc]*' 2>/dev/null
  } | awk '$0 == "==" { own = 1; next } !own { as_brought[$0] = 1; next } !($0 in as_brought)' | head -n 200 |
    while IFS= read -r f; do
      X=$(head -c 131072 -- "$f" | grep -vE '^[[:space:]]*[#;]')
      for x in $(printf '%s\n' "$X" | grep -oE '/(usr/local|opt|root|home|srv|etc)/[A-Za-z0-9_./-]+' | sort -u | head -n 20); do
        [ -f "$x" ] && [ "${x#/etc/fail2ban/*.}" = "$x" ] && X="$X
$(head -c 65536 -- "$x" | tr -d '\0' | grep -v '^[[:space:]]*#')"
      done
      printf '%s\n' "$X" | grep -qE '(^|[^A-Za-z0-9_.-])(nft|x?ip6?tables(-legacy|-nft)?(-restore|-apply)?|firewall-cmd|ufw)["'"'"';]*[[:space:]]+[^[:space:]=[]|(^|[[:space:],[])(table|nftables|iptables)[[:space:]]*=|(stop|disable|mask|kill|isolate).*[[:space:]](nftables|netfilter-persistent|firewalld|ufw|[a-z-]+\.target)' &&
        printf 'packets %s\n' "$(printf %s "$f" | tr -c '!-~' '?')"
    done
fi
printf '%s\n' "$R" | tail -n 1
"""
_ROW = re.compile(r"(?P<kind>extra|stale|packets|target) (?P<name>\S+)(?: (?P<template>\S+))?")
_LEAST = 10
"""A start of fewer units is no answer."""


@dataclass(frozen=True, slots=True)
class BootUnits:
    """What starts though nobody enabled it, and what may change the rules of packets."""

    extra: Mapping[str, str] = field(default_factory=dict)
    """Units, each with the one that has to be approved for it: of an instance, its template's."""
    stale: tuple[str, ...] = ()
    """Units that systemd has loaded otherwise than they are on the disk."""
    packets: tuple[str, ...] = ()
    """Units and files that speak of nft, iptables or the firewall's own units; units that speak of the former before the firewall starts are left out."""
    other_targets: tuple[str, ...] = ()
    """What the host starts into, where that is not one of the usual targets."""


def parse(output: Output) -> BootUnits:
    """Read them."""
    refuse_without_systemd(output)
    lines = output.lines()
    end = re.fullmatch(r"end (\d{1,6})", lines[-1]) if lines else None
    is_other = any(
        line.startswith("target ") for line in lines
    )  # such as emergency.target, which starts next to nothing
    if end is None or (int(end[1]) < _LEAST and not is_other):
        raise Unparseable(msg("the list of what starts with the host is cut short"))
    extra: dict[str, str] = {}
    found: dict[str, list[str]] = {"stale": [], "packets": [], "target": []}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(msg("systemd printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        if row["kind"] == "extra":
            extra[row["name"]] = row["template"] or row["name"]
        else:
            found[row["kind"]].append(row["name"])
    return BootUnits(extra, tuple(found["stale"]), tuple(found["packets"]), tuple(dict.fromkeys(found["target"])))


PROBE = Probe("systemd.boot", ("sh", "-c", _SCRIPT), parse, needs_root=True, exit_codes=frozenset({0, 1}))
