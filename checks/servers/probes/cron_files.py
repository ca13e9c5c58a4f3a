"""The files that cron reads, as digests: the host's own tables, their folders, and the tables of every account; also the generators of
systemd that no package brought, which run before anything else at each start. Where accounts linger, systemd starts their own
units with the host (loginctl(1)): told are who lingers, their units and environment, and units of the host's own for every account.

A link counts as what it leads to; that of an account's units as its text, and they are read with the account's rights. Lines may hold passwords, so their content stays on the host: sha256sum(1), crontab(5),
systemd.generator(7). Only root may look into the
folder of the accounts' tables, /var/spool/cron/crontabs on Debian and /var/spool/cron on RHEL.

    4f1c...  /etc/crontab
    end
"""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.probe import Probe
from checks.servers.probes.etc_files import parse

_SCRIPT = r"""
command -v sha256sum >/dev/null || exit 127
set --
for d in /etc/crontab /etc/anacrontab /etc/cron.d /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly \
  /etc/rc.local /var/spool/cron; do [ -e "$d" ] && set -- "$@" "$d"; done
for k in system system-environment user user-environment; do
  for d in /etc /run /usr/local/lib; do [ ! -d "$d/systemd/$k-generators" ] || set -- "$@" "$d/systemd/$k-generators"; done
done
if [ -d /var/lib/dpkg/info ]; then
  L=$(grep -hE '/systemd/(system|user)(-environment)?-generators/.' /var/lib/dpkg/info/*.list)
  for f in /usr/lib/systemd/*-generators/*; do
    [ ! -f "$f" ] || printf '%s\n' "$L" | grep -qxF -e "$f" -e "${f#/usr}" || set -- "$@" "$f"
  done
fi
own() {  # units of an account that lingers
  A=$(awk -F: -v n="$1" '$1 == n { print $3 ":" $4 ":" $6; exit }' /etc/passwd)
  [ "$A" ] || return 0
  command -v setpriv >/dev/null || exit 127
  u=${A%%:*} A=${A#*:}
  setpriv --reuid "$u" --regid "${A%%:*}" --clear-groups -- sh -c '
    for d in .config/systemd .config/environment.d .local/share/systemd; do
      [ -d "$1/$d" ] || continue
      find "$1/$d" -type f -print0 | xargs -0 -r sha256sum --
      find "$1/$d" -type l -print0 | xargs -0 -r sh -c '\''
        for f; do printf "%s  %s\n" "$(readlink -- "$f" | sha256sum | cut -c 1-64)" "$(printf %s "$f" | tr "\n\\\\" "??")"; done'\'' sh
    done' sh "${A#*:}" 2>/dev/null </dev/null
  return 0
}
U=
for l in /var/lib/systemd/linger/*; do
  [ ! -e "$l" ] || { set -- "$@" "$l"; U=yes; own "${l##*/}"; }
done
if [ "$U" ]; then
  for d in /etc/systemd /etc/xdg/systemd /run/systemd /usr/local/lib/systemd /usr/local/share/systemd; do
    [ ! -d "$d/user" ] || find "$d/user" \( -type f -o -type l ! -lname '/usr/lib/systemd/user/*' ! -lname '/lib/systemd/user/*' ! -lname /dev/null \) -print0 |
      xargs -0 -r sha256sum --
  done 2>/dev/null
fi
[ $# = 0 ] || { find -L "$@" -ignore_readdir_race -path /var/spool/cron/atjobs -prune -o -path /var/spool/cron/atspool -prune -o \
  -path /var/spool/cron/lastrun -prune -o -type f ! -name .placeholder -print0 || printf '/find-failed\0'; } |
  xargs -0 -r sha256sum -- || exit $?
echo end
"""


PROBE: Probe[Mapping[str, str]] = Probe("change.cron", ("sh", "-c", _SCRIPT), parse, needs_root=True)
