"""How the kernel confines each process that listens: `ss -H -tulnp` and /proc, as ss(8) and proc_pid_status(5) have it.

What a unit file says is not asked for. Of each process: its parent, its four user ids, the capabilities that it has and could
get, whether NoNewPrivs is set, whether it has a filter of system calls, whether its mounts, user ids and root folder are those
of process 1, which folder or socket of the host's root its mounts leave open to it (`open=`), its profile of AppArmor (`unread`: its text is not there, or leaves it nearly everything) or its type of SELinux, groups that are as good as root, its unit and its program. The
first lines are the sockets. No arguments are told: they may hold passwords.

    listen tcp 0.0.0.0:80 412,415
    proc 412 1 0,0,0,0 000001ffffffffff 000001ffffffffff 0 0 init init init none open=/etc - nginx.service root /usr/sbin/nginx
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.listeners import Listener, listener
from portalops.model.message import msg

_SCRIPT = r"""
command -v ss >/dev/null || exit 127
S=$(ss -H -tulnp) || exit $?
S=$(printf '%s\n' "$S" | awk 'NF {
  l = $0; p = ""
  while (match(l, /,pid=[0-9]+/)) { p = p "," substr(l, RSTART + 5, RLENGTH - 5); l = substr(l, RSTART + RLENGTH) }
  print "listen", $1, $5, (p == "" ? "-" : substr(p, 2)) }')
printf '%s\n' "$S"
same() {
  a=$(readlink "/proc/$1/ns/$2") && b=$(readlink "/proc/1/ns/$2") || { echo unseen; return; }
  [ "$a" = "$b" ] && echo init || echo own
}
filters() { sed -n 's/^Seccomp_filters:[ \t]*//p' "/proc/$1/status"; }
I=$(filters 1)
SE=
[ ! -r /sys/fs/selinux/enforce ] || read -r SE </sys/fs/selinux/enforce
K=$(for f in /etc /usr /boot /root /var/spool /var/lib/dpkg /var/cache/apt /dev /proc/sys $(cd /run && ls -d systemd/private dbus/system_bus_socket docker.sock podman/podman.sock \
  containerd/containerd.sock fail2ban/fail2ban.sock mysqld/mysqld.sock libvirt/libvirt-sock lxd.socket incus/unix.socket snapd.socket supervisor.sock 2>/dev/null | sed 's/^/\/run\//'); do [ ! -e "$f" ] || echo "$f"; done)
writes() {  # which of these root can still write or call there, as on the host: at its place, or where it is mounted as well
  awk -v K="$(echo $K)" 'BEGIN { n = split(K, k, " ") } FNR == 1 { f++ }
    { closed = $4 ~ /\/inaccessible\//; r = $4 == "/" ? "" : $4; m = $5 == "/" ? "" : $5
      for (i = 1; i <= n; i++) {
        shut = closed || ($6 ~ /^ro(,|$)/ && k[i] !~ /^\/run/)
        if (k[i] == $5 || index(k[i], m "/") == 1) {
          if (l[f, i] <= length($5)) { l[f, i] = length($5); d[f, i] = $3; o[f, i] = shut; if (f == 1) p[i] = r substr(k[i], length(m) + 1) }
        } else if (f == 2 && !shut && $3 == d[1, i] && (p[i] == r || index(p[i], r "/") == 1 || (k[i] !~ /^\/(dev|proc)/ && index(r, p[i] "/") == 1))) e[i] = 1
      } }
    END { for (i = 1; i <= n; i++) if (e[i] || (d[1, i] == d[2, i] && !o[2, i])) { print k[i]; exit }; print f == 2 ? "-" : "unseen" }' /proc/1/mountinfo "/proc/$1/mountinfo" 2>/dev/null
}
profile() {  # NAME: apparmor, if its text is there and leaves root not everything
  t=$(grep -rlsF -e "profile $1 " -e "profile \"$1\"" -e "$1 {" -e "$1 flags" /etc/apparmor.d /var/lib/snapd/apparmor/profiles)
  if [ "$t" ] && ! printf '%s\n' "$t" | xargs -d '\n' grep -qsE \
    '^[^#]*((^|[[:space:]])(file|capability|all|mount|change_profile)[[:space:]]*,|(^|[[:space:]])"?/(\*\*|\{,\*\*\})"?[[:space:]]+[a-zA-Z]*[wal]|[[:space:]][a-zA-Z]*[uU]x[[:space:]]*(,|->)|flags=\([^)]*(unconfined|default_allow))' --; then
    echo apparmor
  else echo apparmor-unread
  fi
}
for p in $(printf '%s\n' "$S" | sed -n 's/.* //p' | tr ',' '\n' | grep -v '^-$' | sort -un | head -n 500); do
  u= e= q= b= n= s= g= pp=
  while read -r k v; do
    case $k in
    PPid:) pp=$v ;; Uid:) u=$v ;; CapEff:) e=$v ;; CapPrm:) q=$v ;; CapBnd:) b=$v ;; NoNewPrivs:) n=$v ;; Seccomp:) s=$v ;; Gid:) g=$v ;; Groups:) g="$g $v" ;;
    esac
  done 2>/dev/null <"/proc/$p/status" || continue
  [ "$b" ] || continue
  # what process 1 has, as in a container, confines no service
  [ "$s" != 2 ] || s=$(awk -v a="$(filters "$p")" -v b="$I" '/^Seccomp:/ { print a == "" || b == "" ? ($2 == 2 ? 0 : 2) : (b < a ? 2 : 0) }' /proc/1/status)
  r=unseen
  x=$(stat -L -c %d:%i "/proc/$p/root" 2>/dev/null) && y=$(stat -L -c %d:%i /proc/1/root 2>/dev/null) && { [ "$x" = "$y" ] && r=init || r=own; }
  m=none
  if IFS= read -r c 2>/dev/null <"/proc/$p/attr/current" && [ "$c" ]; then
    case $c in
    *' (enforce)') m=$(profile "${c% (enforce)}") ;;
    *:*:*) [ "$SE" != 1 ] || { m=${c#*:*:}; m=selinux:${m%%:*}; } ;;
    esac
  fi
  G=$(awk -F: -v g="$g" '
    BEGIN { n = split(g, a, /[ \t]+/); for (i = 1; i <= n; i++) has[a[i]] = 1 }
    $1 ~ /^(docker|lxd|incus-admin|libvirt|disk|kmem|shadow|staff|sudo|wheel)$/ && $3 in has { o = o "," $1 }
    END { print o == "" ? "-" : substr(o, 2) }' /etc/group)
  U=$(sed -n 's/.*\/\([^/]*\.\(service\|scope\|slice\)\)\(\/.*\)\{0,1\}$/\1/p' "/proc/$p/cgroup" 2>/dev/null | head -n 1)
  set -- $u
  N=$(awk -F: -v u="$2" '$3 == u { print $1; exit }' /etc/passwd)
  E=$(readlink "/proc/$p/exe" | tr -c '!-~\n' '?')
  printf 'proc %s %s %s,%s,%s,%s %s %s %s %s %s %s %s %s open=%s %s %s %s %s\n' "$p" "$pp" "$1" "$2" "$3" "$4" \
    "$(printf '%016x' $((0x$e | 0x$q)))" "$b" "$n" "$s" "$(same "$p" mnt)" "$(same "$p" user)" "$r" "$m" "$(writes "$p")" "$G" "${U:--}" "${N:-$2}" "${E:-?}"
done
echo end
"""
_LISTEN = re.compile(r"listen (?P<protocol>tcp|udp) (?P<address>\S+):(?P<port>\S+) (?P<pids>-|[0-9,]+)")
_PROCESS = re.compile(
    r"proc (?P<pid>\d{1,10}) (?P<parent>\d{1,10}) (?P<uids>\d+,\d+,\d+,\d+) (?P<has>[0-9a-f]{16}) (?P<bound>[0-9a-f]{16})"
    r" (?P<nnp>[01]) (?P<filter>[012]) (?P<mounts>init|own|unseen) (?P<users>init|own|unseen) (?P<root>init|own|unseen)"
    r" (?P<mac>none|apparmor|apparmor-unread|selinux:\w+) (?:open=(?P<open>\S+) )?(?P<groups>\S+) (?P<unit>\S+) (?P<account>\S+) (?P<program>\S.*)"
)
_NAMES = "chown dac_override dac_read_search fowner setgid setuid sys_module sys_rawio sys_ptrace sys_admin sys_boot mknod setfcap mac_override mac_admin bpf"
NAMES: Mapping[int, str] = dict(
    zip((0, 1, 2, 3, 6, 7, 16, 17, 19, 21, 22, 27, 31, 32, 33, 39), _NAMES.split(), strict=True)
)
"""Capabilities that are named here, by their number in linux/capability.h."""


class ConfinedProcess(NamedTuple):
    """One process that holds a socket on which it waits for strangers."""

    pid: int
    parent: int
    uids: frozenset[int]
    """Real, effective, saved and that of files: it can become each of them."""
    capabilities: frozenset[str]
    """Of `NAMES`: those that it has or may switch on by itself."""
    bound: frozenset[str]
    """Of `NAMES`: those that anything that it starts could get."""
    no_new_privileges: bool
    has_filter: bool
    """The kernel refuses it some system calls; which, the kernel does not tell."""
    own_mounts: bool
    own_users: bool
    """Its user ids are those of a name space of its own: its root is not the host's."""
    own_root: bool
    """Its root folder is not the host's."""
    is_unseen: bool
    """One of the three could not be compared with process 1."""
    mac: str
    """`apparmor`, `selinux:TYPE` where that is enforced, or `none`."""
    groups: tuple[str, ...]
    """Groups that it is in and that are as good as root."""
    unit: str
    """Of systemd; `-` for none."""
    account: str
    program: str
    """The file that it runs."""
    open: str
    """A folder or socket of the host's root that its mounts leave as they are; `-` for none of those that are asked for."""


class Confinement(NamedTuple):
    """Who listens, and how each is confined."""

    sockets: Mapping[Listener, tuple[int, ...]]
    """By socket, the processes that hold it; none where ss names none."""
    processes: Mapping[int, ConfinedProcess]


def _capabilities(mask: str) -> frozenset[str]:
    held = int(mask, 16)
    return frozenset(name for number, name in NAMES.items() if held >> number & 1)


def parse(output: Output) -> Confinement:
    """Read sockets and processes; a process that has ended meanwhile is among the sockets alone."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of processes that listen is cut short"))
    sockets: dict[Listener, tuple[int, ...]] = {}
    processes: dict[int, ConfinedProcess] = {}
    for line in lines[:-1]:
        if row := _LISTEN.fullmatch(line):
            socket = listener(row["protocol"], row["address"], row["port"])
            pids = () if row["pids"] == "-" else tuple(int(each) for each in row["pids"].split(",") if each)
            sockets[socket] = tuple(sorted({*sockets.get(socket, ()), *pids}))
        elif row := _PROCESS.fullmatch(line):
            processes[int(row["pid"])] = ConfinedProcess(
                int(row["pid"]),
                int(row["parent"]),
                frozenset(map(int, row["uids"].split(","))),
                _capabilities(row["has"]),
                _capabilities(row["bound"]),
                row["nnp"] == "1",
                row["filter"] == "2",
                row["mounts"] == "own",
                row["users"] == "own",
                row["root"] == "own",
                "unseen" in row.group("mounts", "users", "root"),
                row["mac"],
                () if row["groups"] == "-" else tuple(row["groups"].split(",")),
                row["unit"],
                row["account"],
                row["program"],
                row["open"] or "unseen",
            )
        else:
            seen = shown(line, 100)
            raise Unparseable(
                msg("the listing of processes that listen has a line that cannot be parsed: {line}", line=seen)
            )
    return Confinement(sockets, processes)


PROBE = Probe("run.confinement", ("sh", "-c", _SCRIPT), parse, needs_root=True)
