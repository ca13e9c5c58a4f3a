"""A host's answers at two moments, in the form of what Debian 13 prints: what a test changes is said by section."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from checks.servers.carried import Original
from checks.servers.comparing import read_view
from checks.servers.drift._kind import HostView
from checks.servers.drifted import Drift
from checks.servers.gather import HostAnswer, appended, parse_answer
from checks.servers.probe import ProbeResult
from checks.servers.probes import drift
from portalops.model.record import Digest

FIRST_AT = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
SECOND_AT = FIRST_AT + timedelta(days=1)
MACHINE = "e08d2021fbdd6f894fde550c98aff54d"
KEY_AN = "key|an|256|SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA|ED25519"
BOOT = "5d8f4ab09a0e4f0e9b9f3b6ac2f5b7a1"
ABSENT = ("packages.rpm", "rpm.history", "dnf.sources", "db.postgresql-schema", "db.mysql-schema")
"""Whose programs the host does not have."""


def stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def journal(*starts: tuple[str, datetime]) -> str:
    """Write `change.boots`; the last is the present one."""
    rows = [
        f"  {number - len(starts) + 1} {boot} {at:%a %Y-%m-%d %H:%M:%S} UTC {at:%a %Y-%m-%d %H:%M:%S} UTC"
        for number, (boot, at) in enumerate(starts)
    ]
    return "\n".join((f"now {starts[-1][0]} {stamp(starts[-1][1])}", "kept", *rows, "end\n"))


def apt(*runs: tuple[datetime, datetime, str, str]) -> str:
    """Write `apt.history`: beginning, end, who, and what was done."""
    lines = [f"at {stamp(at)}\nuntil {stamp(until)}\nby {by}\n{what}\n" for at, until, by, what in runs]
    return "".join((*lines, "end\n"))


OLD_RUN = (FIRST_AT - timedelta(days=9), FIRST_AT - timedelta(days=9), "-", "Install nginx libc6")
SECTIONS = {
    "inventory.identity": f"{MACHINE}\nweb1\n",
    "packages.dpkg": "nginx\tii \t1.26.3-3\tnginx\t1.26.3-3\nlibc6:amd64\tii \t2.41-12\tglibc\t2.41-12\n",
    "apt.history": apt(OLD_RUN),
    "change.files": f"{'0a' * 32}  /etc/nginx/nginx.conf\n{'0b' * 32}  /etc/passwd\n{'0c' * 32}  /etc/ssh/ssh_host_ed25519_key.pub\nend\n",
    "change.times": f"{stamp(FIRST_AT) - 99}.5 {stamp(FIRST_AT) - 99}.5 644 root:root /etc/nginx/nginx.conf\n"
    f"{stamp(FIRST_AT) - 99}.5 {stamp(FIRST_AT) - 99}.5 644 root:root /etc/passwd\nend\n",
    "acct.log": "end\n",
    "acct.shadow": "root|locked|20782|99999\nan|crypt-y|20700|60\n",
    "files.privileged": f"id 4755 root:root {stamp(FIRST_AT) - 99}.5 /usr/bin/su\nend\n",
    "acct.passwd": "root:x:0:0::/root:/bin/bash\nan:x:1000:1000::/srv/an:/bin/bash\n",
    "acct.group": "root:0:\nsudo:27:an\n",
    "acct.keys": f"file|an|600|an|1|0|/srv/an/.ssh/authorized_keys\n{KEY_AN}\nend 2\n",
    "net.listeners": "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\nudp UNCONN 0 0 127.0.0.1:323 0.0.0.0:*\n",
    "systemd.enabled": "ssh.service enabled enabled\n",
    "change.cron": f"{'0d' * 32}  /etc/crontab\nend\n",
    "apt.sources": "http://deb.debian.org/debian|trixie|yes\nwaived=0\nend\n",
    "change.boots": journal((BOOT, FIRST_AT - timedelta(days=9))),
    "cms.versions": "wordpress|/var/www/portal|$wp_version = '6.8.3';\nend\n",
}


def answer(at: datetime, *, ahead: timedelta = timedelta(0), without: tuple[str, ...] = (), **said: Any) -> bytes:
    """Make a host's answer; `said` replaces sections, with `__` for a dot and `_` for a hyphen."""
    texts = {**SECTIONS, "clock": f"{stamp(at + ahead)}\n"}
    texts |= {name.replace("__", ".").replace("_", "-"): text for name, text in said.items()}
    raw = f"portalops-answer 1 nonce={'ab' * 16} rc=0 cut=0\n".encode()
    for name, text in texts.items():
        if name not in without:
            raw = appended(raw, ProbeResult(name, 0, text.encode(), b"", 0))
    for name in ABSENT:
        if name not in texts:
            raw = appended(raw, ProbeResult(name, 127, b"", b"", 0))
    return raw


def look(at: datetime, *, ahead: timedelta = timedelta(0), without: tuple[str, ...] = (), **said: Any) -> HostView:
    """Return what such an answer says."""
    return read_view(parse_answer(answer(at, ahead=ahead, without=without, **said)), at)


def kept(at: datetime, told: Drift | None = None, **said: Any) -> tuple[Original, HostAnswer]:
    """Return such an answer as the ledger holds it, with what it said of the look before it; by default, that there was none."""
    raw = appended(answer(at, **said), drift.section(told))
    return Original(at, Digest("ab" * 32)), parse_answer(raw)
