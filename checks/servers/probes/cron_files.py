"""The files that cron reads, as digests: the host's own tables, their folders, and the tables of every account; also the generators of
systemd that no package brought, which run before anything else at each start.

A link counts as what it leads to. Lines may hold passwords, so their content stays on the host: sha256sum(1), crontab(5),
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
[ $# = 0 ] || { find -L "$@" -ignore_readdir_race -path /var/spool/cron/atjobs -prune -o -path /var/spool/cron/atspool -prune -o \
  -path /var/spool/cron/lastrun -prune -o -type f ! -name .placeholder -print0 || printf '/find-failed\0'; } |
  xargs -0 -r sha256sum -- || exit $?
echo end
"""


PROBE: Probe[Mapping[str, str]] = Probe("change.cron", ("sh", "-c", _SCRIPT), parse, needs_root=True)
