"""Content management systems in the folders where web programs lie, with their versions: WordPress, Drupal and Joomla.

Each states its version in a file of its own, which is read and not run. The file's place is known; where somebody has moved
it, the system is not found. Captured on Debian 13 with its package of WordPress; Drupal's and Joomla's lines are written in
the form of their sources (core/lib/Drupal.php; administrator/manifests/files/joomla.xml).

    wordpress|/usr/share/wordpress|$wp_version = '6.8.3';
    drupal|/var/www/portal/web|  const VERSION = '10.4.2';
    joomla|/srv/www/news|	<version>5.2.3</version>
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
for d in /var/www /srv /var/www/*/ /var/www/*/*/ /var/www/*/*/*/ /srv/*/ /srv/*/*/ /srv/*/*/*/ /opt/*/ /opt/*/*/ /usr/share/*/ /usr/share/nginx/html/ /usr/share/nginx/html/*/; do
  [ -d "$d" ] || continue
  if [ ! -r "$d" ] || [ ! -x "$d" ]; then
    case $d in /var/www*|/srv*) printf 'closed|%s|\n' "${d%/}";; esac
  elif [ -f "$d/wp-includes/version.php" ]; then n=wordpress; f=wp-includes/version.php; e='^ *\$wp_version *='
  elif [ -f "$d/core/lib/Drupal.php" ]; then n=drupal; f=core/lib/Drupal.php; e='^ *const VERSION *='
  elif [ -f "$d/administrator/manifests/files/joomla.xml" ]; then n=joomla; f=administrator/manifests/files/joomla.xml; e='.version.[0-9]'
  else continue
  fi
  [ -r "$d" ] && [ -x "$d" ] || continue
  printf '%s|%s|%s\n' "$n" "$(readlink -f "$d")" "$(grep -a -m 1 -E "$e" "$d/$f" 2>/dev/null | head -c 200 | tr -d '|')"
done | sort -u
echo end
"""
_VERSION = re.compile(r"(?:['\">]|^)(\d+(?:\.\d+){1,3}[A-Za-z0-9.-]*)(?:['\"<]|$)")
NAMES = frozenset({"wordpress", "drupal", "joomla"})


@dataclass(frozen=True, slots=True)
class Cms:
    """One system in one folder."""

    name: str
    folder: str
    version: str
    """Empty where its file can't be read, or holds none."""


@dataclass(frozen=True, slots=True)
class Systems:
    """What was found."""

    found: tuple[Cms, ...]
    closed: tuple[str, ...]
    """Folders that the account may not look into."""


def parse(output: Output) -> Systems:
    """Read one system a line; none at all is an answer too."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the listing of content management systems broke off"))
    found: list[Cms] = []
    closed: list[str] = []
    for line in lines[:-1]:
        parts = line.split("|")
        if len(parts) != 3 or parts[0] not in {*NAMES, "closed"} or not parts[1].startswith("/"):
            raise Unparseable(msg("an unknown line among the content management systems: {line}", line=shown(line, 80)))
        name, folder, text = parts
        if name == "closed":
            closed.append(folder)
            continue
        match = _VERSION.search(text)
        found.append(Cms(name, folder, match[1] if match else ""))
    return Systems(tuple(found), tuple(closed))


PROBE = Probe("cms.versions", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30)
