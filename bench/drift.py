"""Drift of 200 hosts with 1,000 packages each, from two kept answers a host, beside `comm` on the same lists of packages.

An answer is taken apart, its packages, log, files and the rest are compared, and each change is held against the approved
windows: all that `change drift` does but reading the ledger. A tenth of the packages were upgraded in two runs of apt, of which
one lies outside of its window. `comm` compares the sorted lists of packages alone, one process a host.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checks.servers.attribution import ChangePlace
from checks.servers.comparing import placed_of, read_view
from checks.servers.drifting import drift_between
from checks.servers.gather import appended, parse_answer
from checks.servers.probe import MissingFact, ProbeResult
from portalops.model.changes import ChangeKind, ChangeOrder
from portalops.model.message import msg

HOSTS, PACKAGES, FILES = 200, 1_000, 400
UPGRADED = 100
"""Packages of each host."""
FIRST_AT = datetime(2026, 11, 25, 1, tzinfo=UTC)
SECOND_AT = FIRST_AT + timedelta(days=1)
PROMISED_SECONDS = 5.0


def main() -> int:
    """Print seconds and the ratio; return 1 if it took longer than promised, or found anything else than there is."""
    answers = [(_answer(host, FIRST_AT, 0), _answer(host, SECOND_AT, UPGRADED)) for host in range(HOSTS)]
    window = (_window(FIRST_AT + timedelta(hours=2), FIRST_AT + timedelta(hours=4)),)
    _drift(answers[0], window)  # what is imported and compiled once
    started = time.perf_counter()
    found = [_drift(each, window) for each in answers]
    spent = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        lists = [_lists(Path(folder), host) for host in range(HOSTS)]
        started = time.perf_counter()
        told = [subprocess.run(["comm", "-3", *each], capture_output=True, check=True).stdout for each in lists]
        peer = time.perf_counter() - started
    assert all(each.count(b"\n") == 2 * UPGRADED for each in told)
    right = all(each == (UPGRADED // 2, UPGRADED // 2) for each in found)
    size = sum(len(one) for each in answers for one in each) / 2**20
    print(
        f"drift of {HOSTS} hosts   {spent:8.2f} s   {size / spent:6.1f} MiB/s of answers   ratio {spent / peer:.1f} to comm"
    )
    print(f"comm, packages alone {peer:8.2f} s")
    print(
        f"promised: at most {PROMISED_SECONDS} s, and {UPGRADED // 2} of {UPGRADED} changes of each host outside of the window"
    )
    return 0 if right and spent <= PROMISED_SECONDS else 1


def _drift(answers: tuple[bytes, bytes], window: tuple[ChangeOrder, ...]) -> tuple[int, int]:
    """Return how many changes are approved, and how many are not."""
    first, second = (read_view(parse_answer(raw), at) for raw, at in zip(answers, (FIRST_AT, SECOND_AT), strict=True))
    placed = placed_of(drift_between("web1", first, second), window, MissingFact("no-register", msg("none")), None)
    places = [one.place for one in placed]
    return places.count(ChangePlace.UNDER), places.count(ChangePlace.OUTSIDE)


def _window(begins: datetime, ends: datetime) -> ChangeOrder:
    approved = FIRST_AT - timedelta(days=1)
    return ChangeOrder(
        "CH-2026-001",
        ChangeKind.NORMAL,
        begins,
        ends,
        1,
        notified_at=approved,
        notified_seq=2,
        approved_at=approved,
        approved_seq=3,
        began_at=begins,
    )


def _version(number: int, upgraded: int) -> str:
    return f"1.{number}.{1 if number < upgraded else 0}-1+deb13u2"


def _lists(folder: Path, host: int) -> tuple[str, str]:
    paths = (folder / f"{host}-before", folder / f"{host}-after")
    for path, upgraded in zip(paths, (0, UPGRADED), strict=True):
        path.write_text(
            "".join(sorted(f"package-{number} {_version(number, upgraded)}\n" for number in range(PACKAGES)))
        )
    return str(paths[0]), str(paths[1])


def _run(at: datetime, numbers: range) -> str:
    names = " ".join(f"package-{number}" for number in numbers)
    return f"at {at.timestamp():.0f}\nuntil {at.timestamp() + 60:.0f}\nby an\nUpgrade {names}\n"


def _answer(host: int, at: datetime, upgraded: int) -> bytes:
    packages = "".join(
        f"package-{number}:amd64\tii \t{_version(number, upgraded)}\tsource-{number}\t{_version(number, upgraded)}\n"
        for number in range(PACKAGES)
    )
    log = "".join(_run(FIRST_AT - timedelta(days=day), range(day)) for day in range(60, 1, -1))
    if upgraded:
        log += _run(FIRST_AT + timedelta(hours=3), range(upgraded // 2))
        log += _run(FIRST_AT + timedelta(hours=9), range(upgraded // 2, upgraded))
    files = "".join(
        f"{number * 7919 + host:064x}  /etc/folder-{number % 40}/file-{number}.conf\n" for number in range(FILES)
    )
    times = "".join(f"1790000000.5 /etc/folder-{number % 40}/file-{number}.conf\n" for number in range(FILES))
    accounts = "".join(f"user{number}:x:{1000 + number}:100::/home/user{number}:/bin/bash\n" for number in range(40))
    boot = f"{host:032x}"
    sections = {
        "acct.group": "root:0:\nsudo:27:user1\n",
        "acct.keys": "end 40\n",
        "acct.passwd": f"root:x:0:0::/root:/bin/bash\n{accounts}",
        "apt.history": f"{log}end\n",
        "apt.sources": "http://deb.debian.org/debian|trixie|yes\nwaived=0\nend\n",
        "change.boots": f"now {boot} 1790000000\nkept\n  0 {boot} Mon 2026-09-21 13:33:20 UTC Mon 2026-09-21 13:33:20 UTC\nend\n",
        "change.cron": f"{host:064x}  /etc/crontab\nend\n",
        "change.files": f"{files}end\n",
        "change.times": f"{times}end\n",
        "clock": f"{at.timestamp():.0f}\n",
        "cms.versions": "end\n",
        "inventory.identity": f"{boot}\nweb{host}\n",
        "net.listeners": "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n",
        "packages.dpkg": packages,
        "systemd.enabled": "ssh.service enabled enabled\n",
    }
    raw = f"portalops-answer 1 nonce={'ab' * 16} rc=0 cut=0\n".encode()
    for name, text in sections.items():
        raw = appended(raw, ProbeResult(name, 0, text.encode(), b"", 0))
    for name in ("packages.rpm", "rpm.history", "dnf.sources", "db.postgresql-schema", "db.mysql-schema"):
        raw = appended(raw, ProbeResult(name, 127, b"", b"", 0))
    return raw


if __name__ == "__main__":
    sys.exit(main())
