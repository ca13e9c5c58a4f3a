"""What PAM asks and sets, service after service: its files as pam.conf(5) has them, and the settings of modules that matter.

Only such arguments are printed as are judged. A file that cannot be read is named; its rules are then not known.

    file|/etc/pam.d/passwd
    row|password|requisite|pam_pwquality.so|retry=3
    set|pwquality|minlen|12
    module|pam_pwquality.so
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
command -v awk >/dev/null || exit 127
set --
for f in /etc/pam.d/* /usr/lib/pam.d/*; do
  if [ ! -f "$f" ]; then continue; elif [ -r "$f" ]; then set -- "$@" "$f"; else printf 'closed|%s\n' "$f"; fi
done
[ $# = 0 ] || awk '
function flush(  s, type, control, name, kept, n, i, w) {
  s = held; held = ""
  gsub(/\|/, "?", s); gsub(/[ \t\r]+/, " ", s); sub(/^ /, "", s); sub(/ $/, "", s)
  if (s == "") return
  if (sub(/^@include /, "", s)) { print "row|@include||" s "|"; return }
  type = s; sub(/ .*/, "", type); sub(/^[^ ]+ ?/, "", s)
  if (s ~ /^\[/) { control = s; sub(/\].*/, "]", control); sub(/^[^]]*\] ?/, "", s) }
  else { control = s; sub(/ .*/, "", control); sub(/^[^ ]+ ?/, "", s) }
  name = s; sub(/ .*/, "", name); sub(/^[^ ]+ ?/, "", s)
  n = split(s, w, " ")
  for (i = 1; i <= n; i++) {
    gsub(/[][]/, "", w[i])
    if (tolower(w[i]) ~ /^(use_authtok|use_first_pass|nullok|preauth|authfail|authsucc|enforce_for_root|md5|bigcrypt|sha256|sha512|blowfish|yescrypt|gost_yescrypt|usergroups|nousergroups|trust|deny|root_only|group=[a-z0-9_.-]+|(rounds|minlen|[dulo]credit|dictcheck|enforcing|match|umask)=-?[0-9]+|enforce=[a-z]+|min=[a-z0-9,]+|(config|conf)=[A-Za-z0-9_.\/-]+)$/)
      kept = kept " " w[i]
  }
  print "row|" tolower(type) "|" tolower(control) "|" name "|" substr(kept, 2)
}
FNR == 1 { flush(); print "file|" FILENAME }
{ sub(/#.*/, ""); if (sub(/\\$/, " ")) held = held $0; else { held = held $0; flush() } }
END { flush() }' "$@" || exit $?
settings() {
  n=$1
  shift
  for f in "$@"; do
    if [ ! -f "$f" ]; then continue; elif [ ! -r "$f" ]; then printf 'closed|%s\n' "$f"; continue; fi
    awk -v N="$n" '{ sub(/#.*/, ""); gsub(/[ \t\r]*=[ \t]*/, " "); sub(/^[ \t]+/, ""); k = tolower($1) }
      N != "login.defs" && k == "enforce_for_root" { print "set|" N "|" k "|1" }
      $2 !~ /^[A-Za-z0-9,_\/.-]+$/ { next }
      N == "login.defs" && k ~ /^(encrypt_method|sha_crypt_max_rounds|yescrypt_cost_factor|umask|usergroups_enab)$/ { print "set|" N "|" k "|" $2 }
      N != "login.defs" && k ~ /^(minlen|[dulo]credit|dictcheck|enforcing|min|match|enforce|config)$/ { print "set|" N "|" k "|" $2 }' "$f" || exit $?
  done
}
settings pwquality /etc/security/pwquality.conf.d/*.conf /etc/security/pwquality.conf
settings passwdqc /etc/passwdqc.conf
settings login.defs /etc/login.defs
[ -L /lib ] || L=/lib
for f in /usr/lib/*/security/pam_*.so /usr/lib64/security/pam_*.so /usr/lib/security/pam_*.so ${L:+/lib/*/security/pam_*.so \
  /lib64/security/pam_*.so /lib/security/pam_*.so}; do
  [ ! -e "$f" ] || printf 'module|%s\n' "${f##*/}"
done
echo end
"""


@dataclass(frozen=True, slots=True)
class PamRow:
    """One line of a file of PAM."""

    kind: str
    """`auth`, `account`, `password` or `session`, or `@include` for all of them."""
    control: str
    module: str
    """Or the name of another file."""
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PamSettings:
    """Of one host."""

    files: Mapping[str, tuple[PamRow, ...]]
    """By path."""
    settings: Mapping[tuple[str, str], str]
    """By file and key, in small letters: of each, what holds."""
    modules: frozenset[str]
    """Those that are there, by the names of their files."""
    closed: tuple[str, ...] = ()
    """Files that cannot be read."""


def parse(output: Output) -> PamSettings:
    """Read files, settings and modules; a host without a module of PAM has not answered."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the settings of PAM are cut short"))
    files: dict[str, list[PamRow]] = {}
    settings: dict[tuple[str, str], str] = {}
    modules, closed = set(), []
    rows: list[PamRow] | None = None
    for line in lines[:-1]:
        match line.split("|"):
            case ["file", path]:
                rows = files.setdefault(path, [])
            case ["row", kind, control, module, arguments] if rows is not None:
                rows.append(PamRow(re.sub("^-", "", kind), control, module, tuple(arguments.split())))
            case ["set", name, key, value]:
                settings[name, key] = value
            case ["module", name]:
                modules.add(name)
            case ["closed", path]:
                closed.append(path)
            case _:
                raise Unparseable(
                    msg("the settings of PAM have a line that cannot be parsed: {line}", line=shown(line, 80))
                )
    if not files or not modules:
        raise Unparseable(msg("the host has no files or no modules of PAM"), reason="no-pam")
    return PamSettings({path: tuple(each) for path, each in files.items()}, settings, frozenset(modules), tuple(closed))


PROBE = Probe("acct.pam-stacks", ("sh", "-c", _SCRIPT), parse, form=PIPED)
