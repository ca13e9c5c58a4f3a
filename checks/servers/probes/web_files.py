"""Files and folders of the web roots that the web server, or everyone, may write to: find(1). Needs root.

Roots are /var/www, /srv/www, /srv/http and /usr/share/nginx/html, what `root`, `alias` and `DocumentRoot` of nginx's and
Apache's configuration name, and what is mounted or linked to below them, all without links. Accounts are the usual ones,
those that the configuration of nginx, Apache and PHP-FPM's pools names, and those that their processes run under. At most
2000 of each kind are listed. A search that fails says so in a line of its own, since the pipe hides its exit code. Of a
file with an access list the kernel is asked whether one of the accounts may write to it; variables in a configuration are
not resolved.

    account www-data
    root /var/www
    d 755 www-data /var/www/html/wp-content/uploads
    f 644 www-data /var/www/html/wp-content/uploads/2026/11/logo.png
    program /var/www/html/wp-content/uploads/2026/11/logo.php
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

PROGRAMS: tuple[str, ...] = (
    *(".php", ".php3", ".php4", ".php5", ".php7", ".php8", ".phtml", ".pht", ".phar", ".inc", ".jsp", ".jspx", ".asp"),
    *(".aspx", ".shtml", ".cgi", ".pl", ".py", ".sh", ".rb", ".htaccess", ".user.ini"),
)
"""How names of files end that a web server runs, or that tell it what to run."""
_NAMED = " -o ".join(f"-iname '*{end}' -o -iname '*{end}.*'" for end in PROGRAMS)
ROOTS = r"""
ulimit -v 1048576  # of a search through folders of other accounts
set -f
IFS='
'
there() { for p; do [ -e "$p" ] && printf '%s\n' "$p"; done; }
text() {
  [ $# -gt 0 ] || return 0
  find -L "$@" -name '*-available' -prune -o -type f -size -1024k -exec sed 's/#.*//' {} + | tr -d '\r\000'
}
said() {
  sed -n "s/[\"']//g;s/[[:space:]]*$//;s/^[[:space:]]*\($1\)[[:space:]=][[:space:]=]*\([^[:space:]].*\)/\2/Ip"
}
deeper() { set +f; IFS=' '; set -- $1; IFS='
'; set -f; there "$@"; }
nginx() { text $(there /etc/nginx "$@") | tr '\n;{}' ' \n\n\n'; }
apache() {
  text $(there /etc/apache2/apache2.conf /etc/apache2/httpd.conf /etc/apache2/conf.d /etc/apache2/conf-enabled \
    /etc/apache2/sites-enabled /etc/apache2/vhosts.d /etc/httpd/conf /etc/httpd/conf.d "$@")
}
outside() { said 'include\|includeoptional' | awk '/^\// && !/^\/etc\/(nginx|apache2|httpd)\// { printf "%s ", $0 }'; }
N=$(nginx) A=$(apache)
more=$(deeper "$(printf '%s\n' "$N" | outside)")
[ -z "$more" ] || N=$(nginx $more)
more=$(deeper "$(printf '%s\n' "$A" | outside)")
[ -z "$more" ] || A=$(apache $more)
O=$(set +f; cat /proc/[0-9]*/comm 2>/dev/null | grep -xE 'caddy|lighttpd|litespeed|openlitespeed|h2o|hiawatha|cherokee' | sort -u)
for p in $O; do printf 'unclear %s\n' "$p"; done
# A name with a line feed could hide what it leads to behind others: it makes the whole unknown.
resolved() { { readlink -fz -- "$@" || printf 'failed\0'; } | tr '\n\000' '\001\n' | sed 's/.*\x01.*/failed/'; }
named=
for d in /var/www /srv/www /srv/http /usr/share/nginx/html $(
  printf '%s\n' "$N" | said 'root\|alias'
  printf '%s\n' "$A" | said 'documentroot'
  printf '%s\n' "$A" | said 'alias\|scriptalias' | sed 's/^[^[:space:]]*[[:space:]][[:space:]]*//'
); do
  case $d in
    *'$'*) b=${d%%'$'*}; b=${b%/*}; if [ -n "$b" ]; then set -- "$b"; else printf 'unclear %s\n' "$d"; continue; fi ;;
    /*) set -- "$d" ;;
    *) set -- "/usr/share/nginx/$d" "/etc/nginx/$d" "/etc/apache2/$d" "/etc/httpd/$d" ;;
  esac
  for b; do [ ! -e "$b" ] || named="$named${named:+$IFS}$b"; done
done
roots= kept=
for b in $([ -z "$named" ] || { r=$(resolved $named); stat -c '%d %n' -- $r || echo failed; }); do
  [ "$b" != failed ] || { echo failed; continue; }
  r=${b#* }
  for o in $kept; do case $r in "${o#* }") r= ;; "${o#* }"/*) [ "${b%% *}" != "${o%% *}" ] || r= ;; esac; done
  [ -z "$r" ] || roots="$roots${roots:+$IFS}$r" kept="$kept${kept:+$IFS}$b"
done
"""
"""Shell that finds the web roots, one a line in `$roots`, and the configuration of nginx in `$N` and of Apache in `$A`."""
_SCRIPT = (
    ROOTS
    + r"""
P=$(set +f; text $(there /etc/php/*/fpm/php-fpm.conf /etc/php/*/fpm/pool.d /etc/php-fpm.conf /etc/php-fpm.d) | sed 's/;.*//')
V=$(text $(there /etc/apache2/envvars) | sed -n 's/^ *export  *APACHE_RUN_\(USER\|GROUP\)=//p' | tr -d "\"'")
R=$(ps -eo user:64=,comm= | awk '$2 ~ /^(nginx|apache2|httpd|php-fpm|php-cgi)/ && $1 != "root" {print $1}')

names=$(
  printf '%s\n' "$N" | said user | tr ' ' '\n'
  printf '%s\n' "$A" | said 'user\|group\|assignuserid\|suexecusergroup' | tr ' ' '\n' | grep -v '^\${APACHE_RUN_'
  printf '%s\n' "$P" | said 'user\|group'
  printf '%s\n' "$V" "$R"
)
known= who= ids=
users=$(getent passwd www-data apache nginx http wwwrun lighttpd caddy | cut -d : -f 1)
for u in $(printf '%s\n' "$users" "$names" | sort -u); do
  g=
  case $u in *[!A-Za-z0-9._-]*) printf 'unclear %s\n' "$u"; continue ;; esac
  if id -u "$u" >/dev/null 2>&1; then
    printf 'account %s\n' "$u"
    who="$who$IFS-o$IFS-user$IFS$u"
    ids="$ids$IFS$u"
    g=$(id -G "$u" | tr ' ' '\n')
  fi
  g="$g$IFS$(getent group "$u" | cut -d : -f 3)"
  for g in $g; do known="$known$IFS-o$IFS-gid$IFS$g"; done
done
[ -n "$who" ] || known=
for g in $known; do case $g in -o|-gid) ;; *) who="$who$IFS-o$IFS-gid$IFS$g$IFS-perm$IFS-0020" ;; esac; done
W="-perm$IFS-0002$who"

listed() { tr '\n\000' '?\n' | awk '++n[/^program /] <= 2000 { print substr($0, 1, 1000) }'; }
mounts=$(printf '%b' "$(awk '{ print $2 ~ /\\012/ ? "failed" : $2 }' /proc/self/mounts)")
todo=$roots number=0
while [ -n "$todo" ]; do
  next=
  for d in $todo; do
    number=$((number + 1))
    [ "$number" -le 300 ] || { echo failed; continue; }
    printf 'root %s\n' "$d"
    [ -n "$who" ] || { echo 'none of the usual accounts of a web server is there' >&2; exit 3; }
    up=$(p=$d; while [ "${p%/*}" ]; do p=${p%/*}; printf '%s\n' "$p"; done)
    {
      find / $up -maxdepth 0 ! -perm -1000 \( $W \) -printf '%y %m %u %p\0' || printf 'failed\0'
      find "$d" -xdev \( -type f -o -type d \) \( $W \) -printf '%y %m %u %p\0' || printf 'failed\0'
      find "$d" -xdev -type d \( $W \) -prune -exec find {} -xdev ! -type d \( PROGRAMS \) -printf 'program %p\0' \; || printf 'failed\0'
    } | listed
    L=$({ find "$d" -xdev \( -type f -o -type d \) -perm -0020 ! \( $W \) -exec ls -ldnq {} + || echo failed; } |
      sed -n 's/^.\{10\}+ *\([0-9,]* *\)\{4,5\}[A-Z][a-z]* *[0-9]* *[0-9:]* //p;/^failed/p' | awk '2000 < NR { print "failed"; exit } { print substr($0, 1, 1000) }')
    for l in $L; do
      case $l in failed) echo failed; continue ;; esac
      x=list
      case $l in *'?'*) ;; *) [ -z "$ids" ] || [ ! -e "$l" ] || ! command -v setpriv >/dev/null || x= ;; esac
      for u in $ids; do
        [ -z "$x" ] || break
        # the kernel answers for the real account; with root's effective one that account can kill this, and not speak for it
        x=$(setpriv --ruid="$(id -u "$u")" --rgid="$(id -g "$u")" --groups="$(id -G "$u" | tr ' ' ,)" \
          find "$l" -maxdepth 0 -writable -printf '%y %m %u' 2>/dev/null) || x=list
      done
      [ -n "$x" ] || continue
      printf '%s %s\n' "$x" "$l"
      case $x in d*) { find "$l" -xdev ! -type d \( PROGRAMS \) -printf 'program %p\0' || printf 'failed\0'; } | listed ;; esac
    done
    found=$(
      find "$d" -xdev -type l ! -xtype l \( -path "*$IFS*" -printf 'failed\n' -o -printf '%p\n' \) | head -n 2001
      for m in $mounts; do case $m in "$d"/*|failed) printf '%s\n' "$m" ;; esac; done
    )
    [ "$(printf '%s\n' "$found" | wc -l)" -le 2000 ] || echo failed
    for l in $found; do
      t=$(readlink -f -- "$l" && echo .) t=${t%"$IFS".}
      case $t in *"$IFS"*) t= ;; esac
      [ -e "$t" ] || { echo failed; continue; }
      known=
      for r in $roots; do
        case $t in "$r") known=1 ;; "$r"/*) [ "$t" = "$l" ] || known=1 ;; esac
      done
      [ -z "$known" ] || continue
      roots="$roots$IFS$t"
      next="$next$IFS$t"
    done
  done
  todo=$next
done
echo end
""".replace("PROGRAMS", _NAMED)
)
_LINE = re.compile(
    r"(?:account (?P<account>[A-Za-z0-9._-]{1,64})|unclear (?P<unclear>.+)|root (?P<root>/.*)|program (?P<program>/.+)"
    r"|list (?P<list>/.+)|[fd] [0-7]{1,4} \S{1,64} (?P<writable>/.*))"
)
LISTED = 2000
LONGEST = 1000
"""A line of so many bytes was cut, and the end of the name, which tells programs apart, is lost."""


@dataclass(frozen=True, slots=True)
class WebFiles:
    """What of it is there, by path without links."""

    accounts: tuple[str, ...]
    """Under which the web server and its programs run."""
    roots: tuple[str, ...]
    writable: tuple[str, ...]
    """Files, folders, and folders above a root."""
    programs: tuple[str, ...]
    """In folders that may be written to, whoever put them there."""
    listed: tuple[str, ...]
    """With an access list that lets somebody write who is not told."""
    unclear: tuple[str, ...]
    """Roots and accounts that depend on variables, and servers whose configuration is not read."""


def parse(output: Output) -> WebFiles:
    """Read the roots and what is in them."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the list of the web server's files is cut short"))
    found: dict[str, dict[str, None]] = {}
    for line in (one.rstrip("\r") for one in lines[:-1]):
        match = _LINE.fullmatch(line)
        if match is None or len(line.encode("utf-8", "surrogateescape")) >= LONGEST:
            raise Unparseable(msg("find printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        found.setdefault(match.lastgroup or "", {})[match[match.lastgroup or 0]] = None
    kinds = ("account", "root", "writable", "program", "list", "unclear")
    return WebFiles(*(tuple(found.get(kind, ())) for kind in kinds))


PROBE = Probe("web.files", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=4 << 20)
