"""Which umask the startup files of shells set, for each account that a login to gives a shell; and that of services that begin logins.

Files of an account are read with that account's rights, for it may plant what it likes there; numbers alone are printed. A file
that another one reads by a literal path is read too. `if` marks a command that is not run in every case, `later` one in quotes, `own` one for
accounts whose first group has their name. The shells are `other` for an account whose login shell is no shell of a package. bash(1), zsh(1),
systemd.exec(5); setpriv(1) changes the rights.

In a folder with rights by default (ACL) those count and no umask: looked at are the home of each account, two levels deep, and
/tmp, /var/tmp and /dev/shm. Told is where others may write what is made there, or accounts and groups that the rights name; `?`
where nothing tells them (setfacl(1), getfacl(1)).

    shell|*|/etc/profile
    mask|*|sh|/etc/profile|always|022
    account|an|sh
    mask|an|sh|/srv/an/.profile|if|077
    acl|an|others|/srv/an/in
    unit|getty@tty1.service|0022
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

SCAN = r"""function clean(p) { gsub(/[^A-Za-z0-9_.\/+-]/, "?", p); return p }
FNR == 1 { depth = groups = 0 }
5000 < FNR { next }
{
  s = $0; sub(/(^|[ \t])#.*/, "", s); sub(/^[ \t]+/, "", s)
  if (s ~ /^(if|case|for|while|until|select)[ \t]/ || s ~ /(^|[ \t])[A-Za-z_]+[ \t]*\(\)[ \t]*\{?$/) opens = 1; else opens = 0
  if (s ~ /^(el)?if[ \t(].*id -gn.*id -un/) groups = 1; else if (s ~ /^(else|elif|fi|endif)([ \t;]|$)/) groups = 0
  if (s ~ /^(fi|esac|done|endif|\})([ \t;]|$)/ && 0 < depth) depth--
  t = s  # what is set in quotes is run later: at each prompt, at an alias, by a trap
  while (s !~ /^(echo|printf|logger)[ \t]/ && match(t, /"[^"]*"|\047[^\047]*\047/)) {
    q = substr(t, RSTART + 1, RLENGTH - 2); t = substr(t, RSTART + RLENGTH)
    if (q !~ /\$\([^)]*umask/ && match(q, /(^|[ \t;&|({])umask[ \t]+[^ \t;&|)}]+/)) {
      v = substr(q, RSTART, RLENGTH); sub(/.*[ \t]/, "", v)
      if (v !~ /^-/) print "mask|" W "|" F "|" clean(FILENAME) "|later|" (v ~ /^[0-7]+$/ ? v : "?")
    }
  }
  t = s
  while (match(t, /(^|^[^ \t()]+\)[ \t]*|[;&|{][ \t]*|[ \t](then|do|else)[ \t]+|^(then|do|else)[ \t]+|^(builtin|command|eval)[ \t]+)umask([ \t]+-[pS-]+)*[ \t]+[^ \t;&|)}]+/)) {
    before = substr(t, 1, RSTART - 1); found = substr(t, RSTART, RLENGTH); v = found; sub(/.*[ \t]/, "", v)
    how = (0 < depth || opens || before found ~ /&&|\|\||(^|[ \t])(then|do|else)[ \t]/) ? "if" : "always"
    if (how == "if" && groups) how = "own"
    gsub(/["\047]/, "", v)
    if (v !~ /^-/ && before !~ /\(/) print "mask|" W "|" F "|" clean(FILENAME) "|" how "|" (v ~ /^[0-7]+$/ || (v ~ /^[augorwx,=+-]+$/ && length(v) < 80) ? v : "?")
    t = substr(t, RSTART + RLENGTH)
  }
  if (match(s, /(^|[;&|][ \t]*|[ \t]then[ \t]+)(\.|source)[ \t]+["\047]?[~$\/A-Za-z]/)) {
    p = substr(s, RSTART + RLENGTH - 1); sub(/[ \t;&|].*/, "", p); gsub(/["\047]/, "", p)
    sub(/^(~|\$HOME|\$\{HOME\})\//, H "/", p)
    if (p ~ /^\/[^$*?]*$/ && !(p in seen) && ARGC < 60) { seen[p] = 1; if (0 < (getline line < p)) { close(p); ARGV[ARGC++] = p } }
  }
  if (opens && s !~ /(^|[ \t;])(fi|esac|done|\})[ \t;]*$/) depth++
}"""
"""Reads startup files: W whose, F for which shells, H the home."""
_SCRIPT = (
    r"""
command -v setpriv >/dev/null || exit 127
A='"""
    + SCAN
    + r"""'
system() {
  w=$1
  shift
  for f in "$@"; do
    shift
    [ ! -f "$f" ] || { set -- "$@" "$f"; printf 'shell|*|%s\n' "$f"; }
  done
  [ $# = 0 ] || awk -v W='*' -v F="$w" -v H=/ "$A" "$@" || exit 1
}
system sh /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc /etc/bashrc
system zsh /etc/zsh/zshenv /etc/zsh/zprofile /etc/zsh/zshrc /etc/zshenv /etc/zprofile /etc/zshrc
system csh /etc/csh.cshrc /etc/csh.login
system fish /etc/fish/config.fish /etc/fish/conf.d/*.fish
awk -F: '$7 !~ /\/(nologin|false|sync|halt|shutdown)$/ && 7 <= NF {
  m = $5; if (sub(/.*,umask=/, "", m)) { sub(/[^0-7].*/, "", m); print "gecos|" $1 "|" m } }' /etc/passwd
for f in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do
  [ ! -f "$f" ] || awk -v F="$f" 'tolower($1) ~ /^(subsystem|forcecommand)$/ && /sftp/ { gsub(/["\047]/, "")
    for (i = 2; i <= NF; i++) if (sub(/^-u/, "", $i)) { v = $i == "" ? $(i + 1) : $i; print "mask|*|sftp|" F "|always|" (v ~ /^[0-7]+$/ ? v : "?") } }' "$f"
done
acls() {
  w=$1 u=$2 g=$3
  shift 3
  find "$@" -type d -print0 2>/dev/null | head -c 1000000 | LC_ALL=C xargs -0r ls -ldnb --time-style=+ -- 2>/dev/null |
    awk 'substr($1, 11, 1) == "+" { sub(/^[^\/]*/, ""); print }' | head -n 50 | while IFS= read -r d; do
      p=$(printf %s "$d" | LC_ALL=C tr -c 'A-Za-z0-9_./+-' '?')
      case $d in *\\*) printf 'acl|%s|?|%s\n' "$w" "$p"; continue ;; esac
      if ! command -v getfacl >/dev/null || ! a=$(getfacl -dcnp -- "$d" 2>/dev/null); then printf 'acl|%s|?|%s\n' "$w" "$p"; continue; fi
      printf '%s\n' "$a" | awk -F: -v w="$w" -v u="$u" -v g="$g" -v p="$p" '{ sub(/^default:/, ""); sub(/[ \t].*/, "") }
        $1 == "mask" { m = $3; has = 1 } $1 == "other" && $3 ~ /w/ { o = 1 }
        $3 ~ /w/ && $2 != "" && (($1 == "user" && $2 != u && $2 != 0) || ($1 == "group" && $2 != g && $2 != 0)) { n = "named" }
        $3 ~ /w/ && $1 == "group" && ($2 == "" || $2 == g) && n == "" { n = "group" }
        END { if (o) print "acl|" w "|others|" p; else if (n != "" && (!has || m ~ /w/)) print "acl|" w "|" n "|" p }'
    done
}
acls '*' 0 0 /tmp /var/tmp /dev/shm -maxdepth 0
N=0
while IFS=: read -r name _ uid gid _ home shell; do
  case $shell in */nologin | */false | */sync | */halt | */shutdown) continue ;; esac
  case $name in *[!A-Za-z0-9_.-]* | '') continue ;; esac
  [ $((N = N + 1)) -le 300 ] || { echo 'many||'; break; }
  case ${shell##*/} in *csh) w=csh ;; zsh) w=zsh ;; fish) w=fish ;; *) w=sh ;; esac
  case $shell in '' | /bin/*sh | /usr/bin/*sh) ;; *) w=other ;; esac
  printf 'account|%s|%s\n' "$name" "$w"
  setpriv --reuid "$uid" --regid "$gid" --clear-groups -- sh -c '
    w=$1 h=$2 A=$3 n=$4
    cd "$h" 2>/dev/null || exit 0
    case $w in
    sh) for f in .bash_profile .bash_login .profile; do [ ! -f "$f" ] || break; done; set -- "$f" .bashrc ;;
    zsh) set -- .zshenv .zprofile .zshrc ;;
    csh) set -- .cshrc .tcshrc .login ;;
    fish) set -- .config/fish/config.fish ;;
    esac
    for f in "$@"; do
      shift
      if [ ! -f "$f" ]; then continue; elif [ -r "$f" ]; then set -- "$@" "$h/$f"; else echo "closed|$n|$w"; fi
    done
    [ $# = 0 ] || awk -v W="$n" -v F="$w" -v H="$h" "$A" "$@"' sh "$w" "$home" "$A" "$name" 2>/dev/null </dev/null || printf 'closed|%s|%s\n' "$name" "$w"
  case $home in /?*) [ ! -d "$home" ] || acls "$name" "$uid" "$gid" "$home" -xdev -maxdepth 2 ;; esac
done </etc/passwd
command -v systemctl >/dev/null && systemctl show getty@tty1.service user@0.service -p Id -p UMask 2>/dev/null |
  awk -F= '$1 == "UMask" { m = $2 } $1 == "Id" { i = $2 } m != "" && i != "" { print "unit|" i "|" m; m = i = "" }'
echo end
"""
)
_MASK = re.compile(r"[0-7]{1,6}")
_CLAUSE = re.compile(r"([ugoa]*)((?:[+=-][rwxugo]*)+)")
_RIGHTS = {"r": 4, "w": 2, "x": 1}
_KEEPS = 0o022


@dataclass(frozen=True, slots=True)
class UmaskCommand:
    """One umask in a startup file."""

    account: str
    """Whose file; `*` for all."""
    family: str
    """Of shells that read it: `sh`, `zsh`, `csh` or `fish`; or `sftp`, of the settings of sshd."""
    path: str
    how: str
    """`always`, whenever the file is read; `own`, for accounts whose first group has their name; `later`, by what the file sets in
    quotes, such as at each prompt; `if`, in other cases."""
    mask: int | None
    """None where it cannot be known: it is no plain number, and words for it leave open what was before."""


@dataclass(frozen=True, slots=True)
class DefaultRights:
    """A folder with rights by default (ACL) that let another account write what is made there."""

    account: str
    """Whose home it is in; `*` for all."""
    who: str
    """`others`, `named` for accounts or groups by name, `group` for that of the folder or of the account, `?` where the rights cannot be read."""
    path: str


@dataclass(frozen=True, slots=True)
class Umasks:
    """What was found, in the order in which a shell reads it."""

    accounts: Mapping[str, str]
    """The family of shells of each account that a login to gives a shell; `other` where nothing tells what its program reads."""
    commands: tuple[UmaskCommand, ...]
    gecos: Mapping[str, int]
    """By account: what pam_umask takes from the personal field."""
    units: Mapping[str, int]
    files: tuple[str, ...] = ()
    """Of all accounts."""
    closed: tuple[str, ...] = ()
    """Accounts whose files cannot be read."""
    acls: tuple[DefaultRights, ...] = ()
    """Folders where no umask counts."""


def parse(output: Output) -> Umasks:
    """Read all of it."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of umasks is cut short"))
    accounts, gecos, units = {}, {}, {}
    commands, files, closed, acls = [], [], [], []
    for line in lines[:-1]:
        match line.split("|"):
            case ["account", name, family]:
                accounts[name] = family
            case ["mask", name, family, path, "always" | "if" | "own" | "later" as how, value]:
                mask = int(value, 8) if _MASK.fullmatch(value) else mask_of_words(value)
                commands.append(UmaskCommand(name, family, path, how, mask))
            case ["gecos", name, value]:
                gecos[name] = int(value or "0", 8)
            case ["unit", name, value] if _MASK.fullmatch(value):
                units[name] = int(value, 8)
            case ["acl", name, "others" | "named" | "group" | "?" as who, path]:
                acls.append(DefaultRights(name, who, path))
            case ["shell", "*", path]:
                files.append(path)
            case ["closed" | "many", name, _]:
                closed.append(name or "...")
            case _:
                raise Unparseable(
                    msg("the listing of umasks has a line that cannot be parsed: {line}", line=shown(line, 80))
                )
    if not accounts:
        raise Unparseable(msg("the listing of umasks is cut short"))
    return Umasks(accounts, tuple(commands), gecos, units, tuple(files), tuple(closed), tuple(acls))


def mask_of_words(text: str) -> int | None:
    """Return the umask of `u=rwx,g=rx,o=` (umask(1p)); None where that depends on the umask before it.

    Where words leave open some of it, and close it to the group and others in any case, it is the most open that it can be.
    """
    most, least = _applied(text, 0), _applied(text, 0o777)
    if most is None or least is None:
        return None
    return most if most == least or most & _KEEPS == _KEEPS else None


def _applied(text: str, before: int) -> int | None:
    allowed = 0o777 & ~before
    for clause in text.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None or re.search("[ugo]", found[2]):  # rights of one class for another
            return None
        who = "ugo" if "a" in found[1] or not found[1] else found[1]
        for sign, rights in re.findall(r"([+=-])([rwx]*)", found[2]):
            bits = sum(_RIGHTS[each] for each in set(rights))
            for each in set(who):
                shift = {"u": 6, "g": 3, "o": 0}[each]
                if sign == "=":
                    allowed = allowed & ~(7 << shift) | bits << shift
                else:
                    allowed = allowed | bits << shift if sign == "+" else allowed & ~(bits << shift)
    return 0o777 & ~allowed


PROBE = Probe(
    "acct.umasks", ("sh", "-c", re.sub("(?m)^ +", "", _SCRIPT)), parse, needs_root=True, timeout_seconds=20, form=PIPED
)
