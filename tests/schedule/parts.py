"""A small portal that runs by itself on a real machine, and what its ledger then tells."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.hosts import Host
from tests.installed import portalops, write

CONFIG = "/etc/portalops/portalops.toml"
STATE = "/var/lib/portalops/state"
SLOW = "/var/lib/portalops/slow"
"""While this file is there, a backup takes ten minutes."""
PORTAL = """
portal  = { id = "cong", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
state   = { folder = "/var/lib/portalops/state" }
signing = { key = "/var/lib/portalops/keys/signing" }
report  = { folder = "/var/lib/portalops/reports", languages = ["vi"] }

[backup]
recipients = [
  { name = "operator", file = "/var/lib/portalops/keys/operator.age.pub" },
  { name = "escrow", file = "/var/lib/portalops/keys/escrow.age.pub" },
]

[[backup.source]]
id = "pages"
kind = "files"
class = "content"
include = ["/srv/portal"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "/srv/disk-a"
allow_same_filesystem = true

[[backup.medium]]
id = "disk-b"
kind = "disk"
folder = "/srv/disk-b"
allow_same_filesystem = true

[[ledger.anchor]]
id = "heads"
kind = "folder"
folder = "/srv/heads"
create = true
"""
SLOW_SOURCE = f"""
[[backup.source]]
id = "slow"
kind = "command"
class = "related"
command = ["sh", "-c", "[ ! -e {SLOW} ] || exec sleep 600; echo done"]
"""
LOCAL_HOST = """
[[host]]
id = "this-machine"
address = "local"
roles = []
"""
JOBS = {
    "weekly-backup": ("backup", "week"),
    "weekly-verify": ("verify", "week"),
    "weekly-report": ("report", "week"),
    "daily-check": ("check", "day"),
    "daily-anchor": ("anchor", "day"),
}
FOLDERS = """
install -d /srv/portal
echo 'Tin 1' >/srv/portal/tin-1.html
install -d -o portalops -g portalops -m 750 /srv/disk-a /srv/disk-b /srv/heads
"""


def configuration(*jobs: str, more: str = "") -> str:
    """Return the portal's configuration with some of `JOBS`, and with more tables."""
    tables = [f'[[job]]\nid = "{name}"\nkind = "{JOBS[name][0]}"\nevery = "{JOBS[name][1]}"\n' for name in jobs]
    return "\n".join((PORTAL, more, *tables))


@dataclass(frozen=True)
class Record:
    """What a line of the ledger says of itself."""

    seq: int
    at: str
    kind: str
    run: str
    late: bool
    """The details of a finished run say that its job was overdue."""


READ_LEDGER = f"""
import json, pathlib, sqlite3, subprocess
state = pathlib.Path("{STATE}")
ledger = sqlite3.connect(f"file:{{state}}/ledger.sqlite?mode=ro", uri=True)
rows = ledger.execute("select seq, at, kind, run, body from record order by seq").fetchall()
def late(kind, run, body):
    if not (run and kind.endswith(".finished")): return False
    blob = state / "blobs" / body[:2] / body[2:4] / f"{{body}}.zst"
    return json.loads(subprocess.run(["zstd", "-dc", str(blob)], stdout=subprocess.PIPE, check=True).stdout)["run"]["late"]
print(json.dumps([(seq, at, kind, run, late(kind, run, body)) for seq, at, kind, run, body in rows]))
"""


def runs_of(records: Iterable[Record]) -> dict[str, list[str]]:
    """Return each run with the kinds of its records, in the ledger's order."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record.run:
            found.setdefault(record.run, []).append(record.kind)
    return found


def prepare(host: Host, text: str) -> None:
    """Give a host the portal, its configuration and its keys; nothing runs by itself yet."""
    host.sh(FOLDERS)
    write(host, CONFIG, text)
    made = portalops(host, "--config", CONFIG, "init", "--no-input", "--keys")
    assert made.returncode == 0, made.stderr


def schedule(host: Host, *arguments: str) -> str:
    """Run `portalops schedule` as root, and return what it prints."""
    done = portalops(host, "--config", CONFIG, "schedule", *arguments, user="root")
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def written(host: Host) -> list[Record]:
    """Return what the ledger of a host holds, read by SQLite alone: from outside of portalops."""
    try:
        return [
            Record(*each)
            for each in json.loads(host.sh(f"runuser -u portalops -- python3 -c {shlex.quote(READ_LEDGER)}"))
        ]
    except AssertionError as error:
        if "no such table" in str(error) or "unable to open" in str(error):
            return []
        raise


def wait_until(is_so: Callable[[], bool], what: str, *, seconds: float = 240) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it was not in that time; it says `what`.
    """
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def verified(host: Host) -> str:
    """Verify the ledger of a host, and return what that shows."""
    done = portalops(host, "--config", CONFIG, "ledger", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
