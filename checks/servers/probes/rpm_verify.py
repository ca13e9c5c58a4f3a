"""Files of packages that are not as they were delivered: `rpm -Va --nomtime`, as rpm(8) has it. RHEL and AlmaLinux.

Written by rpm(8) of rpm 4.20; not run on RHEL or AlmaLinux. The third letter is the digest's: `5` where it differs. rpm
ends with 1 where anything differs. It reads every file, so a look speaks for a week.

    S.5......  c /etc/ssh/sshd_config
    missing     /usr/bin/who
    end
"""

from __future__ import annotations

from checks.servers.probe import WEEK, Probe
from checks.servers.probes.dpkg_verify import Deviation, parse

_SCRIPT = r"""
command -v rpm >/dev/null || exit 127
rpm -Va --nomtime
case $? in 0|1) echo end;; *) exit 3;; esac
"""

PROBE: Probe[tuple[Deviation, ...]] = Probe(
    "rpm.verify",
    ("sh", "-c", _SCRIPT),
    parse,
    needs_root=True,
    timeout_seconds=300,
    limit_bytes=1 << 20,
    repeated_for=WEEK,
)
