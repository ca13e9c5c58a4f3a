"""A ledger in PostgreSQL: appends by ten writers with each commit on the disk, and `status` over a large ledger.

    python -m bench.ledger_postgresql [RECORDS]

The promises are 300 records a second by ten writers, and 1 s from call to answer of `portalops status` over 1,000,000 records, on the
two cores that they were made on. Each writer is a process, as on machines of their own; writers and server share the cores here.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import psycopg

from backups.postgresql import installations
from bench._ledgers import CONFIGURATION, make
from bench._postgresql import durable_server, new_database, store_table
from bench._runs import PORTALOPS, ROOT, measured
from portalops.ledger.ledger import KeptLedger, kept_in
from portalops.ledger.postgresql_kept import kept_in as kept_in_database
from portalops.ledger.record import Draft
from portalops.ledger.selection import Selection
from portalops.model.record import Digest, RunId
from portalops.system.clock import SystemClock
from portalops.system.programs import LocalRunner
from tests.backups.postgresql.parts import PORT, Server

RECORDS = 1_000_000
WRITERS = 10
APPENDS = 200
"""By each writer in a round."""
ROUNDS = 3
APPENDS_PROMISED = 300.0
"""A second."""
STATUS_SECONDS = 1.0
STATUS_ROUNDS = 5
ANSWERS = frozenset({0, 1, 3})
"""Exit codes of a status that was found out."""
LINES_AT_ONCE = 2_000


def main(arguments: Sequence[str]) -> int:
    """Print rates and times; return 1 if a promise is not kept."""
    records = int(arguments[0]) if arguments else RECORDS
    tools = installations("initdb", LocalRunner())
    if not tools:
        print("not measured: PostgreSQL is not installed")
        return 0
    with durable_server(tools[-1]) as server:
        settings = server.sql("SELECT current_setting('fsync'), current_setting('synchronous_commit'), version()")
        print(f"fsync, synchronous_commit, version: {settings}")
        one, many = _appends(server, 1), _appends(server, WRITERS)
        rate, never = statistics.median(many), min(many)
        print(f"appends by one writer: {statistics.median(one):.0f} a second")
        print(
            f"appends by {WRITERS} writers: {rate:.0f} a second, at least {never:.0f} (promise {APPENDS_PROMISED:.0f})"
        )
        took = _status(server, records)
    print(f"portalops status, {records:,} records: {took * 1000:.0f} ms (promise {STATUS_SECONDS * 1000:.0f} ms)")
    return int(rate < APPENDS_PROMISED or took > STATUS_SECONDS)


def _appends(server: Server, writers: int) -> list[float]:
    rates = []
    for number in range(ROUNDS):
        database = f"appends_{writers}_{number}"
        new_database(server, database)
        where = _where(server, database)
        _kept(where).records.begin(Draft("ledger.created", Digest("0" * 64)), SystemClock())
        ready = multiprocessing.Barrier(writers + 1)
        processes = [multiprocessing.Process(target=_write, args=(where, each, ready)) for each in range(writers)]
        for each in processes:
            each.start()
        ready.wait()
        begun = time.perf_counter()
        for each in processes:
            each.join()
        rates.append(writers * APPENDS / (time.perf_counter() - begun))
        assert _kept(where).records.count() == writers * APPENDS + 1
    return rates


def _write(where: str, number: int, ready: multiprocessing.synchronize.Barrier) -> None:
    records, clock = _kept(where).records, SystemClock()
    records.count()  # connected
    ready.wait()
    for each in range(APPENDS):
        records.append((Draft("check-part.finished", Digest("a" * 64), RunId(f"12.4:check:{number}-{each}")),), clock)


def _status(server: Server, records: int) -> float:
    new_database(server, "large")
    where = _where(server, "large")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        make(folder / "state", records)
        begun = time.perf_counter()
        _bring(kept_in(folder / "state", writable=False), _kept(where))
        print(f"{records:,} records taken over in {time.perf_counter() - begun:.0f} s", flush=True)
        server.sql("ANALYZE", "large")
        # The details stay where they are: they are looked up by their digest in either place.
        blobs = f'\n[ledger.blobs]\nkind = "folder"\nfolder = "{folder / "state" / "blobs"}"\n'
        configuration = folder / "portalops.toml"
        text = Path(CONFIGURATION).read_text(encoding="utf-8").replace('include = ["', f'include = ["{ROOT}/')
        configuration.write_text(f"{text}{store_table(server, 'large')}{blobs}", encoding="utf-8")
        command = [PORTALOPS, "--config", str(configuration), "status"]
        environment = {"PORTALOPS_STATE_FOLDER": str(folder / "state")}
        runs = [measured(command, environment=environment, answers=ANSWERS) for _round in range(STATUS_ROUNDS + 1)]
    return statistics.median(each.seconds for each in runs[1:])  # without the first: caches warm, byte code written


def _bring(source: KeptLedger, target: KeptLedger) -> None:
    rest = source.records.records(Selection())
    with target.records.taking() as take:
        while batch := list(islice(rest, LINES_AT_ONCE)):
            take(batch[0].seq, [record.line for record in batch])


def _where(server: Server, database: str) -> str:
    return f"host={server.folder} port={PORT} user=postgres dbname={database}"


def _kept(where: str) -> KeptLedger:
    return kept_in_database(lambda: psycopg.connect(where, autocommit=True), where, writable=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
