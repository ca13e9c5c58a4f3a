"""The rules that the next start would load, as the kernel would hold them: loaded into an empty network namespace and listed there.

The host's own network is not touched: unshare(1) gives the loaders a network of their own, which is gone when they end. Devices of
the host are made there as dummies, since rules may name them. For that the kernel may load its module dummy or veth, which stays
loaded on the host. Needs root.

The command that systemd shows is run as it stands, so that one which only checks loads nothing here either. Settings of the unit
are told by name where they are not those of a unit without any (`systemctl show` of one that is not there), and do not only
limit, describe or protect. Files of rules that may be gone at the next start are told too.

Sources: nft(8), systemctl(1), systemd.exec(5), the unit nftables.service of Debian and RHEL (its file stands in ExecStart), iptables-restore(8) with the files
of netfilter-persistent.

    nftables /etc/nftables.conf
    nftables rc=0
    set PrivateNetwork
    lacks nosuch.service
    rules
    {"nftables": [{"metainfo": {"version": "1.1.3", "release_name": "Commodore Bullmoose #4", "json_schema_version": 1}}]}
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes import nft
from checks.servers.redaction import JSON
from checks.servers.ruleset import Ruleset
from portalops.model.message import msg

_SCRIPT = r"""
command -v nft >/dev/null && command -v systemctl >/dev/null && command -v unshare >/dev/null || exit 127
unshare -n sh -c '
for I in /sys/class/net/*; do I=${I##*/}; [ "$I" = lo ] || { ip link add "$I" type dummy || ip link add "$I" type veth; } 2>/dev/null; done
settings() {
  U=$(systemctl show "$1" 2>/dev/null); B=$(systemctl show portal-none.service 2>/dev/null)
  [ "$U" ] || return 0
  printf "%s\n" "$B" "== $2" "$U" | awk "
    /^== / { own = 1; file = substr(\$0, 4); next }
    { k = substr(\$0, 1, index(\$0, \"=\") - 1); v = substr(\$0, index(\$0, \"=\") + 1) }
    !own { plain[k] = v; next }
    k == \"NeedDaemonReload\" && v == \"yes\" { print \"set NeedDaemonReload\"; next }
    k in plain && plain[k] == v { next }
    k == \"ProtectHome\" && file !~ /^\/(home|root|run\/user)\// { next }
    k ~ /^PrivateTmp/ && file !~ /^\/(var\/)?tmp\// { next }
    k == \"PrivateDevices\" && file !~ /^\/dev\// { next }
    k == \"CapabilityBoundingSet\" && v ~ /cap_net_admin/ { next }
    k == \"Environment\" && v ~ /^((LANG|LANGUAGE|LC_[A-Z]+|TZ)=[A-Za-z0-9_.\/@:+-]* ?)+\$/ { next }
    k == \"RestrictAddressFamilies\" && v !~ /~/ && v ~ /AF_NETLINK/ { next }
    k ~ /^(Id|Names|Description|Documentation|FragmentPath|DropInPaths|Type|RemainAfterExit|Slice|Result|InvocationID|UMask|Nice|MainPID|ControlPID|Perpetual|KeyringMode|LockPersonality|NoNewPrivileges|MemoryDenyWriteExecute|PrivateIPC|CollectMode|Read(Only|Write)Paths|UID|GID|CleanResult|ReloadResult|StopWhenUnneeded|IgnoreSIGPIPE|Following)\$/ { next }
    k ~ /^(Can[A-Z]|Default|Limit|Startup|CPU|IO|IP|Tasks|OOM|Timeout|Restart|NRestarts|StartLimit|Std|Standard|Exec(Start|Stop|Reload|Condition|Main)|Load|Unit|Control[Gg]roup|Log|Syslog|Status|Success|Failure|Job|On(Success|Failure)|Wants|RequiredBy|Wanted|Upheld|Requi|Binds|Bound|Part|Consists|Propagates|Reload|Stop|Trigger|After|Before|Conflict|Condition(Result|Timestamp)|Assert(Result|Timestamp)|Kill|Send|Watchdog|Fragment|Source|Nfile|NFile|File|Debug|Live)/ { next }
    k ~ /Timestamp|State\$|Memory/ { next }
    k ~ /^(ProtectSystem|ProtectClock|ProtectKernel[A-Za-z]*|ProtectControlGroups(Ex)?|ProtectHostname(Ex)?|ProtectProc|Restrict(Realtime|SUIDSGID|Namespaces))\$/ { next }
    { print \"set \" k }"
  systemctl cat "$1" 2>/dev/null | sed -nE "s/^[[:space:]]*((Condition|Assert)[A-Za-z]+)[[:space:]]*=.*[^[:space:]=].*/set \1/p" | sort -u
  for N in $(printf "%s\n" "$U" | sed -nE "s/^(Requires|Requisite|BindsTo)=//p"); do
    L=$(systemctl show -p LoadState "$N") A=$(systemctl show -p ActiveState "$N")
    [ "${L#*=}" = loaded ] || { echo "lacks $N"; continue; }
    [ "${A#*=}" = active ] || echo "set Requires=$N"
  done
  for N in $(printf "%s\n" "$U" | sed -nE "s/^(Conflicts|ConflictedBy)=//p"); do
    [ "$N" = shutdown.target ] || ! systemctl is-enabled -q "$N" 2>/dev/null || echo "set Conflicts=$N"
  done
  W=; for N in $(printf "%s\n" "$U" | sed -nE "s/^(WantedBy|RequiredBy|UpheldBy)=//p"); do ! systemctl is-active -q "$N" 2>/dev/null || W=1; done
  [ "$W" ] || echo "set WantedBy="
}
lasts() {
  Q=$1; N=0
  while [ "$Q" ] && [ "$N" -lt 50 ]; do
    N=$((N + 1)); G=${Q%%"|"*}; case $Q in *"|"*) Q=${Q#*"|"} ;; *) Q= ;; esac
    case $G in /*) ;; *) G=/etc/$G ;; esac
    for I in $G; do
      R=$(readlink -f -- "$I") || continue
      for J in "$I" "$R"; do
        M=$(stat -c "%m" -- "$J" 2>/dev/null) T=$(stat -f -c %T -- "$J" 2>/dev/null); [ "$M" ] || continue
        case $M:$T in
          *:tmpfs | *:ramfs) echo "fleeting $I"; continue ;;
          /:* | /usr:*) ;;
          *) B=$(systemctl show -p WantedBy -p RequiredBy "$(systemd-escape -p --suffix=mount "$M")" 2>/dev/null | sed -n "s/^[A-Za-z]*=.*local-fs.*/1/p; s/^[A-Za-z]*=.*multi-user.*/1/p")
             [ "$B" ] || echo "fleeting $I" ;;
        esac
        case $J in /run/* | /var/run/* | /tmp/* | /dev/* | /proc/*) echo "fleeting $I" ;; esac
      done
      [ "$2" ] && [ -f "$R" ] || continue
      H=$(head -c 262144 -- "$R" | grep -v "^[[:space:]]*#" | tr ";{" "\n\n" | grep -E "^[[:space:]]*include[[:space:]]")
      [ "$H" ] || continue
      K=$(printf "%s\n" "$H" | sed -nE "s/^[[:space:]]*include[[:space:]]+[\"\047]([^\"\047|]+)[\"\047].*/\1/p")
      [ "$(printf "%s\n" "$H" | wc -l)" = "$(printf "%s\n" "$K" | wc -l)" ] || echo "fleeting $I"
      Q="$(printf "%s\n" "$K" | tr "\n" "|")$Q"
    done
  done
  [ "$N" -lt 50 ] || echo "fleeting $1"
}
commands() { systemctl show -p ExecCondition -p ExecStartPre -p ExecStart -p ExecStartPost "$1" 2>/dev/null; }
if systemctl is-enabled -q nftables.service 2>/dev/null; then
  X=$(commands nftables.service)
  V=$(printf "%s\n" "$X" | sed -nE "s/^ExecStart=\{ path=((\/usr)?\/s?bin\/nft) ; argv\[\]=[^ ;]*\/nft(( [A-Za-z0-9_.=\/-]+)*) ; .*/\1\3/p" | head -n 1)
  [ "$X" ] || V="/usr/sbin/nft -f /etc/nftables.conf"
  F=$(printf "%s\n" "$V" | sed -nE "s/.* (-f|--file)[ =]([^ ]+)( .*|$)/\2/p")
  [ "$(printf "%s\n" "$X" | grep -c "argv")" -le 1 ] || echo "other commands"
  if [ "$V" ] && [ "$F" ]; then echo "nftables $F"; $V; echo "nftables rc=$?"; else echo "other commands"; fi
  settings nftables.service "$F"
  [ -z "$F" ] || lasts "$F" nft
fi
if systemctl is-enabled -q netfilter-persistent.service 2>/dev/null; then
  for V in 4 6; do
    echo "iptables /etc/iptables/rules.v$V"
    [ "$V" = 4 ] && R=iptables-restore || R=ip6tables-restore
    lasts /etc/iptables/rules.v$V
    $R </etc/iptables/rules.v$V; echo "iptables rc=$?"
  done
  [ "$(commands netfilter-persistent.service | sed "s/ ; ignore_errors.*//")" = "ExecStart={ path=/usr/sbin/netfilter-persistent ; argv[]=/usr/sbin/netfilter-persistent start" ] || echo "other commands"
  settings netfilter-persistent.service /etc/iptables/rules.v4
fi
echo rules
nft -j list ruleset
'
"""
_LOADER = re.compile(r"(nftables|iptables) (/\S+)$")
_SETTING = re.compile(r"(set|lacks|fleeting) (\S{1,120})$")
_CODE = re.compile(r"(?:nftables|iptables) rc=(\d{1,3})$")


@dataclass(frozen=True, slots=True)
class SavedRules:
    """What the next start loads."""

    files: tuple[str, ...]
    """Of the services that are enabled."""
    refused: tuple[str, ...]
    """Those of them that do not load."""
    complaint: str
    """What the loaders said."""
    ruleset: Ruleset
    """All that loads, together."""
    has_other_commands: bool = False
    """The unit starts more than the one command that loads its file, or another one."""
    settings: tuple[str, ...] = ()
    """Of the unit, beside those of a plain one: with them it may load other rules, load them elsewhere or not start."""
    lacks: tuple[str, ...] = ()
    """Units that it requires and that are not there."""
    fleeting: tuple[str, ...] = ()
    """Files of rules, named or included, that lie in memory or on a file system that no unit mounts at start."""

    @property
    def lacks_device(self) -> bool:
        """Say whether a file may have been refused only since a device of the host is not in the empty network."""
        return "nterface does not exist" in self.complaint


def parse(output: Output) -> SavedRules:
    """Read what was loaded, and the rules as nft lists them."""
    head, found, rules = ("\n" + output.text.replace("\r\n", "\n")).partition("\nrules\n")
    if not found:
        raise Unparseable(msg("the rules that the next start loads could not be listed"))
    files, refused = [], []
    settings: dict[str, dict[str, None]] = {"set": {}, "lacks": {}, "fleeting": {}}
    for line in head.splitlines():
        if setting := _SETTING.match(line):
            settings[setting[1]][setting[2]] = None
        elif match := _LOADER.match(line):
            files.append(match[2])
        elif (code := _CODE.match(line)) and code[1] != "0" and files:
            refused.append(files[-1])
    ruleset = nft.parse(Output(0, rules, ""))
    has_others = "other commands" in head.splitlines()
    return SavedRules(
        tuple(files),
        tuple(refused),
        shown(output.errors, 200),
        ruleset,
        has_others,
        tuple(settings["set"]),
        tuple(settings["lacks"]),
        tuple(settings["fleeting"]),
    )


PROBE = Probe("firewall.saved", ("sh", "-c", _SCRIPT), parse, needs_root=True, limit_bytes=4 << 20, form=JSON)
