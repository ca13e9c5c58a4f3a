"""A round of checks of 1,000 hosts by one worker and by two, where hosts are waited for: `python -m bench.cluster [HOSTS]`.

Each host is a real sshd that answers after 200 ms with a capture of a real system, as one does that is far away. Workers, hosts,
database and the job itself share this machine's cores, so each worker has so few slots that waiting is what takes it its time: what is
measured is whether a second worker helps, not how much one can do. The rate is of the parts alone, by their records: from the
first that began to the last that ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from backups.postgresql import installations
from bench._hosts import MOST_ADDRESSES, Served, answer_later, portal_of, served
from bench._postgresql import DurableServer, durable_server, new_database, store_table
from bench._runs import PORTALOPS, lacking, scratch
from portalops.cluster.queue import WORKER
from portalops.cluster.queue import script as queue_script
from portalops.system.programs import LocalRunner

HOSTS = 1_000
WAIT_SECONDS = 0.2
"""For each host's answer."""
SLOTS = 2
"""Of a worker."""
PROMISE = 1.7
"""Of one worker's rate, by two."""
NEVER_BELOW = 1.4
"""What a machine that is busy otherwise may still show."""
JUDGED = frozenset({0, 1, 3})
SAMPLE = Path("tests/samples/patching.os-eol/pass.txt")
START_SECONDS = 60


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if a second worker helps as it must."""
    count = int(arguments[0]) if arguments else HOSTS
    tools = installations("initdb", LocalRunner())
    if lacking("sshd", "ssh-keygen") or not tools:
        print("not measured: PostgreSQL is not installed" if not tools else "")
        return 0
    rates = {}
    with scratch(1 << 30) as folder, durable_server(tools[-1]) as server:
        (folder / "hosts").mkdir()
        with served(folder / "hosts", count, each=MOST_ADDRESSES) as hosts:
            answer_later(folder / "hosts", SAMPLE, WAIT_SECONDS)
            for workers in (1, 2):
                rates[workers] = _rate(server, folder / f"portal-{workers}", hosts, workers)
                print(f"{workers} x {SLOTS} slots, {count} hosts: {rates[workers]:.1f} host runs a second", flush=True)
    ratio = rates[2] / rates[1]
    word = "kept" if ratio >= PROMISE else "MISSED"
    print(f"two workers, of one worker's rate: {ratio:.2f} (promise {PROMISE}: {word}; never below {NEVER_BELOW})")
    return 0 if ratio >= NEVER_BELOW else 1


def _rate(server: DurableServer, folder: Path, hosts: Sequence[Served], workers: int) -> float:
    database = folder.name.replace("-", "_")
    new_database(server, database, queue_script())
    cluster = f"\n[cluster]\nslots = {SLOTS}\n"
    path = portal_of(
        folder, hosts, folder.parent / "hosts" / "client", extra=f"{store_table(server, database)}{cluster}"
    )
    command = [PORTALOPS, "--config", str(path), "--quiet"]
    subprocess.run([*command, "ledger", "move", "--to", "store"], check=True, stdout=subprocess.DEVNULL)
    with _at_work(command, server, database, workers):
        done = subprocess.run([*command, "run", "check"], check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in JUDGED:
        raise RuntimeError(f"the job ended with {done.returncode}")
    first, last, count = server.sql(
        "SELECT min(substr(line, 8, 24)) FILTER (WHERE kind = 'check-part.started'),"
        " max(substr(line, 8, 24)) FILTER (WHERE kind = 'check-part.finished'),"
        " count(DISTINCT run) FILTER (WHERE kind = 'check-part.finished') FROM portalops.record",
        database,
    ).split("|")
    if int(count) != len(hosts):
        raise RuntimeError(f"{count} of {len(hosts)} parts were done")
    return int(count) / (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()


@contextmanager
def _at_work(command: Sequence[str], server: DurableServer, database: str, count: int) -> Iterator[None]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    processes = [
        subprocess.Popen(
            [*command, "worker", "run", "--name", f"w{number}"], stdout=subprocess.DEVNULL, env=environment
        )
        for number in range(count)
    ]
    try:
        seen = f"SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE '{WORKER}%' AND datname = '{database}'"
        until = time.monotonic() + START_SECONDS
        while int(server.sql(seen)) < count:
            if time.monotonic() > until:
                raise RuntimeError("the workers did not begin")
            time.sleep(0.2)
        yield
    finally:
        for each in processes:
            each.send_signal(signal.SIGTERM)
        for each in processes:
            each.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
