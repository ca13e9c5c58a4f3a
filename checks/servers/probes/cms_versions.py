"""Content management systems on a host, with their versions: WordPress, Drupal and Joomla. Needs root.

Looked for, however deep, are the file in which each states its version, which is read and not run, and another that it can't
do without: where only that one is there, somebody has moved the first, and the version is not known. It is looked in the web
roots (`web_files`), also behind links and mounts there, and in /srv, /opt, /usr/local and /usr/share. Captured on Debian 13
with its package of WordPress; Drupal's and Joomla's lines are written in the form of their sources (core/lib/Drupal.php;
includes/bootstrap.inc; administrator/manifests/files/joomla.xml).

    wordpress|/usr/share/wordpress|6.8.3
    drupal|/var/www/portal/web|10.4.2
    joomla|/srv/www/news|5.2.3
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.web_files import ROOTS
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_FILES = (
    *("wp-includes/version.php", "wp-settings.php", "core/lib/Drupal.php", "core/core.services.yml"),
    *(
        "includes/bootstrap.inc",
        "misc/drupal.js",
        "administrator/manifests/files/joomla.xml",
        "libraries/src/Version.php",
    ),
)
_SCRIPT = (
    ROOTS
    + r"""
files=$(
  {
    [ -z "$roots" ] || find -L $roots \( -fstype proc -o -fstype sysfs \) -prune -o -type f \( NAMED \) -print0 | tr '\n\000' '?\n'
    find $(there /srv /opt /usr/local /usr/share) -xdev -type f \( NAMED \) -print0 | tr '\n\000' '?\n'
  } 2>&1 | awk '20000 < NR { print "failed"; exit } { print }' | sort -u | head -n 1001
)
[ "$(printf '%s\n' "$files" | wc -l)" -le 1000 ] || echo failed
# A web server's account may have put links and files there: each is read with the rights of whom it belongs to, and of what
# it says a version alone is printed.
said() {
  p=$2 w= o=
  while [ "$p" ]; do w=$p$IFS$w p=${p%/*}; done
  for x in $(stat -c %u -- $w); do o=$x; done
  [ "$o" != 0 ] || for x in $(stat -c %u -- $w); do [ "$x" = 0 ] || { o=$x; break; }; done
  set -- "$1" "$2" "${o:-65534}"
  g=$(id -g "$3" 2>/dev/null) || g=65534
  if [ "$3" = 0 ]; then head -c 65536 -- "$2"
  else setpriv --reuid="$3" --regid="$g" --clear-groups --inh-caps=-all head -c 65536 -- "$2"
  fi 2>/dev/null | tr -d '\r\000' | sed -nE "s/^[[:space:]]*$1[^0-9A-Za-z]([0-9]+(\.[0-9]+){1,3}[A-Za-z0-9.-]{0,30})[^0-9A-Za-z.-].*/\1/p" | sort -u | sed '2s/.*/?/;3,$d'
}
for f in $files; do
  e=
  case $f in
    'find: File system loop detected'*|*': Too many levels of symbolic links'|*/core/misc/drupal.js) continue ;;
    */wp-includes/version.php) n=wordpress r=${f%/*/*} e='\$wp_version[[:space:]]*=[[:space:]]*' ;;
    */wp-settings.php) n=wordpress r=${f%/*} ;;
    */core/lib/Drupal.php) n=drupal r=${f%/*/*/*} e='const[[:space:]]+VERSION[[:space:]]*=[[:space:]]*' ;;
    */core/core.services.yml) n=drupal r=${f%/*/*} ;;
    */includes/bootstrap.inc) n=drupal r=${f%/*/*} e="define\('VERSION',[[:space:]]*" ;;
    */misc/drupal.js) n=drupal r=${f%/*/*} ;;
    */manifests/files/joomla.xml) n=joomla r=${f%/*/*/*/*} e='<version' ;;
    */libraries/src/Version.php) n=joomla r=${f%/*/*/*}; [ -e "$r/administrator/index.php" ] || continue ;;
    *) echo failed; continue ;;
  esac
  v=
  [ -z "$e" ] || v=$(said "$e" "$f")
  case $f$v in */includes/bootstrap.inc) continue ;; *'
'*) v= ;; esac
  r=$(readlink -f -- "$r")
  printf '%s|%s|%s\n' "$n" "$(printf %s "$r" | tr '|\n' '??')" "$v"
done | sort -u
echo end
""".replace("NAMED", " -o ".join(f"-name {name.rpartition('/')[2]} -path '*/{name}'" for name in _FILES))
)
_VERSION = re.compile(r"(?:['\">]|^)(\d+(?:\.\d+){1,3}[A-Za-z0-9.-]*)(?:['\"<]|$)")
NAMES = frozenset({"wordpress", "drupal", "joomla"})


@dataclass(frozen=True, slots=True)
class Cms:
    """One system in one folder."""

    name: str
    folder: str
    version: str
    """Empty where its file can't be read by whom it belongs to, or holds none or several."""


@dataclass(frozen=True, slots=True)
class Systems:
    """What was found."""

    found: tuple[Cms, ...]
    unclear: tuple[str, ...]
    """Web roots that depend on variables, and web servers whose configuration is not read."""


def parse(output: Output) -> Systems:
    """Read one system a line; none at all is an answer too."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of content management systems is cut short"))
    versions: dict[tuple[str, str], str] = {}
    unclear: list[str] = []
    for line in lines[:-1]:
        parts = line.split("|")
        if line.startswith("unclear "):
            unclear.append(line.removeprefix("unclear "))
        elif len(parts) != 3 or parts[0] not in NAMES or not parts[1].startswith("/"):
            raise Unparseable(
                msg("a line of the content management systems cannot be parsed: {line}", line=shown(line, 80))
            )
        else:
            name, folder, text = parts
            match = _VERSION.search(text)
            versions[name, folder] = match[1] if match else versions.get((name, folder), "")
    return Systems(tuple(Cms(*key, version) for key, version in versions.items()), tuple(unclear))


PROBE = Probe("cms.versions", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=60, form=PIPED)
