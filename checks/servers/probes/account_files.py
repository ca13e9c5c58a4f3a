"""Rights of the files that say who may come in and as whom: ls(1), which marks further rights (ACL) with a plus.

Files that these include are followed: of PAM (with modules and files that a rule names by path), of sudo and of sshd (with keys and commands). Told as well is
each folder above a file, above what a link leads to, and above what a file would include.

-rw-r--r-- 1 0 0 1434 /etc/passwd
-rw-r-----+ 1 0 42 801 /etc/shadow
drwxr-xr-x 1 0 0 4096 /etc/
end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v ls >/dev/null || exit 127
ulimit -v 1048576  # a file may be swapped for a link to a device that never ends
NL='
'
chain() {  # all files that include one another, and what they would include
  A=
  N=$(for f in /etc/pam.d/* /usr/lib/pam.d/* /etc/pam.conf; do printf 'pam%s\n' "$f"; done
    echo sudo/etc/sudoers
    sed -n 's/^[^#]*[[:blank:]]sudoers_file=\([^[:blank:]]*\).*/\1/p' /etc/sudo.conf 2>/dev/null | tr : '\n' | sed 's/^/sudo/'
    echo ssh/etc/ssh/sshd_config)
  n=0
  IFS=$NL
  while [ "$N" ]; do
    A=$A$N$NL
    [ $((n += 1)) -le 40 ] && [ ${#A} -le 100000 ] || { echo /too-many; return; }
    set -f
    set --
    for f in $N; do case $f in end/*) ;; *) set -- "$@" "/${f#*/}" ;; esac; done
    R=$(find -L "$@" -maxdepth 0 -type f \( -size -513 -print -o -printf '/too-many\n' \) 2>/dev/null)
    case $NL$R$NL in *"$NL/too-many$NL"*) echo /too-many; return ;; esac
    set --
    for f in $N; do
      case $f in end/*) ;; *) case $NL$R$NL in *"$NL/${f#*/}$NL"*) set -- "$@" "K=${f%%/*}" "/${f#*/}" ;; esac ;; esac
    done
    set +f
    [ $# -gt 0 ] || break
    N=$({ awk '
      function put(p, where) { gsub(/"/, "", p); if (p != "" && p !~ /^[#]/) print K (p ~ /^\// ? p : where "/" p) }
      FNR == 1 { held = ""; D = FILENAME; sub(/\/[^\/]*$/, "", D) }
      { if (sub(/\\$/, " ")) { held = held $0; next } $0 = held $0; held = "" }
      K == "pam" { sub(/#.*/, ""); gsub(/\[[^]]*\]/, "x"); k = tolower($2)
        if ($1 == "@include") put($2, "/etc/pam.d"); else if (k == "include" || k == "substack") put($3, "/etc/pam.d")
        else {
          if ($3 ~ /^\//) print "end" $3
          for (i = 4; i <= NF; i++) if ($i ~ /^[a-z_]+=\/[^$%]*$/ && $i !~ /^(dir|motd|motd_dir|skel|log|logfile)=/) { p = $i; sub(/^[^=]*=/, "", p); print "end" p }
        } }
      K == "sudo" && /^[ \t]*[@#]include(dir)?[ \t]/ { p = $0; sub(/^[ \t]*[@#]include(dir)?[ \t]+/, "", p); sub(/[ \t]+$/, "", p)
        put(p, D); if (/includedir/) put(p "/*", D) }
      K == "ssh" { gsub(/["=]/, " "); if (tolower($1) == "include") for (i = 2; i <= NF && $i !~ /^#/; i++) put($i, "/etc/ssh")
        else if (tolower($1) ~ /^(trustedusercakeys|revokedkeys|authorizedkeysfile|authorized(keys|principals)command|authorizedprincipalsfile|hostkey|hostcertificate)$/)
          for (i = 2; i <= NF; i++) if ($i ~ /^\/[^%]*$/) print "end" $i }' "$@" || echo end/too-many; } |
      while IFS= read -r f; do
        printf '%s\n' "$f"
        case $f in *[*?[]*)
          k=${f%%/*} IFS=
          for g in /${f#*/}; do printf '%s%s\n' "$k" "$g"; done ;;
        esac
      done | sort -u | grep -vxF -e "$A")
  done
  printf '%s' "$A" | sed 's/^[a-z]*//'
}
there() { while IFS= read -r f; do [ ! -e "$f" ] && [ "$f" != /too-many ] || printf '%s\n' "$f"; done; }
F=$(
  for f in /etc/ /etc/passwd* /etc/group* /etc/shadow* /etc/gshadow* /etc/.shadow* /etc/.gshadow* /var/backups/*shadow* /etc/security/ \
    /etc/security/* /etc/subuid /etc/subgid /etc/sudoers /etc/sudoers.d/ /etc/sudoers.d/* /etc/sudo.conf /etc/doas.conf \
    /etc/pam.d/ /etc/pam.d/* /etc/pam.conf /etc/login.defs /etc/nsswitch.conf /etc/shells /etc/securetty /etc/polkit-1/ \
    /etc/polkit-1/rules.d/ /etc/polkit-1/rules.d/* /etc/ssh/ /etc/ssh/ssh_known_hosts /etc/ssh/shosts.equiv /etc/hosts.equiv; do
    printf '%s\n' "$f"
  done
  chain
)
{
  printf '%s\n' "$F" | there
  { printf '%s\n' "$F"; printf '%s\n' "$F" | xargs -d '\n' readlink -f --; } |  # each folder above, with a slash at its end
    { awk '{ while (sub(/\/[^\/]*$/, "")) if (!seen[$0]++) print $0 "/" }' || echo /too-many; } | there
} | sort -u | xargs -d '\n' ls -ldnLb --time-style=+ -- || exit $?
echo end
"""
_ROW = re.compile(
    r"(?P<type>[-dlbcps])(?P<mode>[-rwxsStT]{9})(?P<more>[+.@]?) +\d+ +(?P<uid>\d+) +(?P<gid>\d+) +\d+ +(?P<path>/.*)"
)


class AccountFile(NamedTuple):
    """Of one file, or of what a link leads to; of a folder with a slash at its end."""

    mode: str
    """Nine letters, as ls(1) has them."""
    uid: int
    gid: int
    has_acl: bool
    """Then the letters of the group say what the most is that anybody is given by name."""


def parse(output: Output) -> Mapping[str, AccountFile]:
    """Read the rights by path."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of account files is cut short"))
    found = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the listing of account files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        found[row["path"]] = AccountFile(row["mode"], int(row["uid"]), int(row["gid"]), row["more"] == "+")
    if "/etc/passwd" not in found:
        raise Unparseable(msg("the listing of account files is cut short"))
    return found


PROBE = Probe("acct.files", ("sh", "-c", _SCRIPT), parse, needs_root=True)
