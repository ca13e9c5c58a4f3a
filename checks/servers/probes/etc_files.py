"""The content of files that decide what a host does, as digests: sha256sum(1); links as targets.

Looked at are /etc, local programs, unit files, and what the shells, SSH and systemd of root read in its home; what root's
programs write there by being used, such as histories, is not. No file is left out for what it is called. Of what is secret,
the digest is keyed on the host, so that nobody can guess a short secret by it: the key is made of the host's private SSH
key, which stays the same from scan to scan and is known to root alone. Where there is none, the kernel's own time of the last
change (ctime) and the size stand for the content. Secret is what is named or written like it: keys, password files,
environments, and files closed to others with a setting such as `password = ...`. Certificates that certbot renews are left
out, and the links that packages make in /etc/ssl/certs.

    -> ../sites-available/portal  /etc/nginx/sites-enabled/portal
    0c9e...  /etc/ssh/sshd_config
    hmac:51d0...  /etc/sudoers.d/zz-secret
    end
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from fnmatch import fnmatchcase

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

FOLDERS = ("/etc", "/usr/local/sbin", "/usr/local/bin", "/usr/local/libexec")
"""Where files may be declared with their approved content."""
_ALSO = (
    *("/usr/local/lib/systemd", "/usr/lib/systemd/system", "/usr/lib/systemd/system-generators", "/run/systemd/system"),
    *(f'"$H"/{name}' for name in (".ssh", ".config/systemd", ".config/git", ".config/fish", "bin")),
)
LEFT_OUT = tuple(f"/etc/letsencrypt/{name}" for name in ("archive", "live", "csr", "keys", "accounts"))
_USED = ("*history", ".lesshst", ".viminfo", ".wget-hsts", ".Xauthority", ".rnd", "known_hosts", "known_hosts.old")
"""What programs write in root's home by being used."""
SECRET_NAMES = (
    *("shadow", "shadow-", "gshadow", "gshadow-", "opasswd", "*.key", "*_key", "*.psk", "*.keytab", "*.p12", "*.pfx"),
    *(".env", "*.env", ".pgpass", ".my.cnf", "debian.cnf", ".netrc", "*.nmconnection", "wg*.conf", "chap-secrets"),
    *("pap-secrets", "*.pass", "*secret*", "id_rsa", "id_ecdsa", "id_ed25519", "htpasswd", ".htpasswd", "machine-id"),
)
_SECRET_FOLDERS = ("/etc/ssl/private", "/etc/pki/tls/private")
ROOTS = f"""H=~root
set --
for d in {" ".join((*FOLDERS, *_ALSO))}; do [ ! -d "$d" ] || set -- "$@" "$d"; done
[ -h /lib ] || for d in /lib/systemd/system /lib/systemd/system-generators; do [ ! -d "$d" ] || set -- "$@" "$d"; done
for f in "$H"/.[!.]*; do
  case ${{f##*/}} in {"|".join(_USED)}) continue ;; esac
  [ -d "$f" ] && [ ! -h "$f" ] || [ ! -e "$f" ] && [ ! -h "$f" ] || set -- "$@" "$f"
done
"""
"""Shell that sets its arguments to what is searched."""
PRUNED = " -o ".join((*(f"-path {path}" for path in LEFT_OUT), *(f'-path "$H/*/{name}"' for name in _USED)))
"""Conditions of find(1): what it leaves out."""
_SECRET = " -o ".join(
    (*(f"-name '{name}'" for name in SECRET_NAMES), *(f"-path '{folder}/*'" for folder in _SECRET_FOLDERS))
)
_OPEN = rf'-perm -004 ! -path "$H/*" ! \( {_SECRET} \)'
_SETTING = r"^[^#;]*(pass(word|wd|phrase)?|secret|token|psk|api_?key|credentials?)[\"']?[[:blank:]]*[=:][[:blank:]]*[^[:blank:]]"
_SCRIPT = rf"""
command -v sha256sum >/dev/null || exit 127
ulimit -v 1048576  # of a search through folders of other accounts
{ROOTS}
K=
for f in /etc/ssh/ssh_host_*_key /etc/dropbear/*_host_key; do
  [ ! -s "$f" ] || {{ K=$(sha256sum <"$f") && break; }}
done
P={shlex.quote(_SETTING)}
L='
'
export K P L
search() {{ find "$@" || printf '/find-failed\0'; }}
search "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o -type f {_OPEN} -print0 |
  xargs -0 -r sha256sum -- || exit $?
search "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o -type f ! \( {_OPEN} \) -print0 |
  xargs -0 -r sh -c '
keyed() {{
  if [ "$K" ]; then h=$({{ printf %s "$K"; cat -- "$1" || echo unread; }} | sha256sum) h=${{h%% *}}
  else h=$(stat -c "%Z-%s" -- "$1"); fi || exit 1
  case $1 in *"$L"*) set -- "$(printf %s "$1" | tr "\n" "?")" ;; esac
  printf "hmac:%s  %s\n" "$h" "$1"
}}
S=$(printf "%s\0" "$@" | xargs -0 -r grep -D skip -lZiE -e "-----BEGIN [A-Z ]*PRIVATE KEY" -e "$P" -- | tr "\n\0" "?\n")
n=$#
for f; do
  [ "$f" != /find-failed ] || exit 1
  case $f in {"|".join(f"{folder}/*" for folder in _SECRET_FOLDERS)}) keyed "$f"; continue ;; esac
  case ${{f##*/}} in {"|".join(SECRET_NAMES)}) keyed "$f"; continue ;; esac
  case $f in /etc/sudoers|/etc/sudoers.d/*) set -- "$@" "$f"; continue ;; esac  # NOPASSWD: is no secret
  case $f in *"$L"*) keyed "$f"; continue ;; esac
  case $L$S$L in *"$L$f$L"*) keyed "$f" ;; *) set -- "$@" "$f" ;; esac
done
shift $n
[ $# -eq 0 ] || sha256sum -- "$@"' sh || exit $?
search "$@" -ignore_readdir_race -xdev \( {PRUNED} \) -prune -o -type l ! -path '/etc/rc*.d/*' \
  ! \( -path '/etc/ssl/certs/*' \( -lname '/usr/share/ca-certificates/*' -o -lname '[!/]*.pem' \) \) -printf '%l\0%p\0' |
  tr '\n\0' '?\n' | while IFS= read -r t; do IFS= read -r p; printf -- '-> %s  %s\n' "$t" "$p"; done
echo end
"""
_ROW = re.compile(r"\\?(?P<content>[0-9a-f]{64}|hmac:(?:[0-9a-f]{64}|\d+-\d+)|-> .*?)  (?P<path>/.*)")


def covers(path: str) -> bool:
    """Say whether a file of this path is compared by its content, if it is there: of a secret one, the digest is keyed."""
    is_inside = any(path.startswith(f"{folder}/") for folder in FOLDERS)
    is_left_out = any(path.startswith(f"{folder}/") for folder in (*LEFT_OUT, *_SECRET_FOLDERS))
    name = path.rpartition("/")[2]
    return is_inside and not is_left_out and not any(fnmatchcase(name, pattern) for pattern in SECRET_NAMES)


def is_keyed(content: str) -> bool:
    """Say whether a digest is of a secret, and can be compared only with another one of the same host."""
    return content.startswith("hmac:")


def parse(output: Output) -> Mapping[str, str]:
    """Return the digest, keyed for a secret, or `-> TARGET`, by path. A path that comes twice makes the whole unknown: a name was forged."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end":
        raise Unparseable(msg("the listing of files is cut short"))
    found: dict[str, str] = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None or row["path"] in found:
            raise Unparseable(
                msg("the listing of files has a line that cannot be parsed: {line}", line=shown(line, 100))
            )
        found[row["path"]] = row["content"]
    return found


PROBE = Probe("change.files", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, limit_bytes=2 << 20)
