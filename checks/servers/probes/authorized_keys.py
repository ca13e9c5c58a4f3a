"""Whose keys open which account: every account's file of SSH keys, as sshd(8) has it, reduced to fingerprints.

The files are those that sshd itself would read, by `AuthorizedKeysFile` of `sshd -T`, which newer versions expand
wildcards in; `ssh-keygen -l` tells length, digest
and kind of each key. Comments stay on the host. Lines that ssh-keygen can't read are counted: old kinds of keys are among
them. Told as well is each folder of a file of keys, up to the home, which belongs to another account or which others may write.
Only root may look into every home.

    paths /etc/ssh/keys/%u
    file|an|600|an|1|0|/etc/ssh/keys/an
    key|an|256|SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA|ED25519
    end 25
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v ssh-keygen >/dev/null || exit 127
ulimit -v 1048576  # a file may be swapped for a link to a device that never ends
C=$(sshd -T 2>/dev/null) || exit 3
F=$(printf '%s\n' "$C" | sed -n 's/^authorizedkeysfile //p')
cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null |
  awk 'tolower($1) == "match" { m = 1 } m && tolower($1) ~ /^authorizedkeys|^trustedusercakeys|^include/ { f = 1 } END { exit !f }' && echo match
printf '%s\n' "$C" | sed -n 's/^authorizedkeyscommand \(.*\)/command \1/p; s/^trustedusercakeys \(.*\)/authority \1/p' | grep -v ' none$'
printf 'paths %s\n' "$F"
set -f
awk -F: 'NF == 7 { print $1 ":" $3 ":" $6 }' /etc/passwd | {
n=0
while IFS=: read -r u i h; do
  n=$((n + 1))
  for p in $F; do
    [ "$p" = none ] && continue
    o=
    while :; do case $p in
      *%*) o=$o${p%%\%*}; p=${p#*%}
        case $p in h*) o=$o$h;; u*) o=$o$u;; U*) o=$o$i;; %*) o=$o%;; *) o=$o%; continue;; esac; p=${p#?};;
      *) break;; esac
    done
    p=$o$p
    case $p in /*) ;; *) p=${h%/}/$p;; esac
    for d in "$h" "${p%/*}"; do [ ! -d "$d" ] || [ -x "$d" ] || exit 4; done
    g=$p
    case $g in *[*?[]*) ;; *) g=;; esac
    I=$IFS IFS=
    set +f
    set -- $g
    set -f
    IFS=$I
    [ "$g" = "$p" ] && [ "$1" != "$p" ] && [ -f "$p" ] && set -- "$p" "$@"
    [ $# -gt 0 ] || set -- "$p"
    [ $# -le 500 ] || exit 5
    for p; do
    [ -f "$p" ] && [ -s "$p" ] || continue
    s=$(stat -L -c '%a|%U' -- "$p") || exit 4
    a=$p
    set --
    while :; do
      a=${a%/*}
      set -- "$@" "${a:-/}"
      case ${a:-/} in /|"${h%/}") break;; esac
    done
    stat -L -c '%a|%U|%n' -- "$@" |
      awk -F'|' -v u="$u" '($2 != u && $2 != "root") || ($1 !~ /^[1357]...$/ && $1 ~ /[2367].$|[2367]$/) { print "folder|" u "|" $0 }'
    head -c 262144 -- "$p" | awk -v u="$u" -v s="$s" -v p="$(printf %s "$p" | tr '|\n' '??')" '
      { sub(/\r$/, "") } /^[ \t]*(#|$)/ { next } { n++ } tolower($0) ~ /^[ \t]*(.*,)?cert-authority[ \t,]/ { print "signs " u } /(^|[ \t])ssh-dss[ \t]/ { d++ }
      END { print "file|" u "|" s "|" n + 0 "|" d + 0 "|" p }'
    ssh-keygen -l -f "$p" 2>/dev/null | awk -v u="$u" '{ k = $NF; gsub(/[()]/, "", k); print "key|" u "|" $1 "|" $2 "|" k }'
    done
  done
done
echo "end $n"; }
"""
_KEY = re.compile(
    r"key\|(?P<account>[^|]*)\|(?P<bits>\d{1,6})\|(?P<print>SHA256:[A-Za-z0-9+/]{43})\|(?P<kind>[A-Za-z0-9-]+)"
)
_FILE = re.compile(
    r"file\|(?P<account>[^|]*)\|(?P<mode>[0-7]{1,4})\|(?P<owner>[^|]*)\|(?P<lines>\d{1,6})\|(?P<dss>\d{1,6})\|(?P<path>.+)"
)
_FOLDER = re.compile(r"folder\|(?P<account>[^|]*)\|[0-7]{1,4}\|[^|]*\|(?P<path>/.*)")


@dataclass(frozen=True, slots=True)
class AuthorizedKey:
    """One key that opens an account."""

    account: str
    bits: int
    fingerprint: str
    kind: str
    """`ED25519`, `RSA`, `ECDSA`, ..., with `-CERT` or `-SK` as ssh-keygen has it."""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One file of keys."""

    account: str
    mode: int
    owner: str
    key_lines: int
    """Lines that are neither empty nor comments."""
    dsa_lines: int
    path: str


@dataclass(frozen=True, slots=True)
class AuthorizedKeys:
    """All keys that sshd would take from files."""

    files: tuple[KeyFile, ...]
    keys: tuple[AuthorizedKey, ...]
    elsewhere: tuple[str, ...]
    """Other roads by which sshd takes keys, as it names them: a program, an authority (also in a file of keys), a Match block."""
    loose_folders: tuple[str, ...] = ()
    """On the way to files of keys: each that another account owns, or that others may write."""
    paths: str | None = None
    """What sshd has as `AuthorizedKeysFile`; None in answers of versions before it was told."""


def parse(output: Output) -> AuthorizedKeys:
    """Read files and keys; fewer keys than lines is told by `unread`."""
    lines = [line.rstrip() for line in output.lines()]
    if not lines or not re.fullmatch(r"end [1-9]\d{0,6}", lines[-1]):
        raise Unparseable(msg("the listing of SSH keys is cut short"))
    files, keys, elsewhere, folders = [], [], [], []
    paths = None
    for line in lines[:-1]:
        if key := _KEY.fullmatch(line):
            keys.append(AuthorizedKey(key["account"], int(key["bits"]), key["print"], key["kind"]))
        elif file := _FILE.fullmatch(line):
            numbers = int(file["mode"], 8), file["owner"], int(file["lines"]), int(file["dss"])
            files.append(KeyFile(file["account"], *numbers, file["path"]))
        elif folder := _FOLDER.fullmatch(line):
            folders.append(folder["path"])
        elif line.startswith("paths"):
            paths = line.removeprefix("paths").strip()
        elif line.startswith("signs "):
            elsewhere.append("cert-authority")
        elif line == "match":
            elsewhere.append("Match")
        elif line.startswith("command "):
            elsewhere.append("AuthorizedKeysCommand")
        elif line.startswith("authority "):
            elsewhere.append("TrustedUserCAKeys")
        else:
            raise Unparseable(
                msg("the listing of SSH keys has a line that cannot be parsed: {line}", line=shown(line, 80))
            )
    return AuthorizedKeys(tuple(files), tuple(keys), tuple(elsewhere), tuple(dict.fromkeys(folders)), paths)


PROBE = Probe("acct.keys", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, form=PIPED)
