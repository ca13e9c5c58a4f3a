"""A database of articles into a set and back, beside PostgreSQL's own programs with zstd and age: `python -m bench.postgresql [MIB]`.

All run in turns on one throw-away server, as processes of their own, the server's and all other files in a memory-backed folder
where there is room. The promises are 1.05 for a dump beside `pg_dump -Fc -Z0 | zstd -T0 -3 | age`, 0.15 beside the plain
`pg_dump -Fc`, and 1.1 for a restore beside the same pipe backwards; the median of the rounds' ratios counts. A set's dump also
counts the rows of each table, has the roles, and takes digests; the pipe does none of that. Restoring hands the stream to
pg_restore as `backup restore --stdout` does.
"""

from __future__ import annotations

import os
import pwd
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.age import read_identities
from backups.job import make_set
from backups.media import build_medium
from backups.merged import MergedSet
from backups.plan import PlannedMedium, PlannedSource, make_plan
from backups.postgresql import PostgresqlVersion, installations
from backups.set_file import parse_set_file
from backups.sources import SourceContext, build_source
from backups.stream_output import find_stream, stream_out
from bench._corpus import make_prose
from commands.jobs.stream_out import standard_output
from portalops.config.tables import KindTable
from portalops.system.clock import SystemClock
from portalops.system.programs import LocalRunner
from tests.doubles import SilentProgress

MIB = 1400
"""Of articles, as plain text."""
ROUNDS = 2
DISTINCT_MIB = 96
"""Text that is made; it is repeated at a distance that no compressor here looks back."""
PLAIN = "plain pg_dump -Fc"
PIPE_PROMISE, PLAIN_PROMISE, RESTORE_PROMISE = 1.03, 0.15, 1.0
PIPE_NEVER_ABOVE, PLAIN_NEVER_ABOVE, RESTORE_NEVER_ABOVE = 1.6, 0.5, 1.6
"""What must never be again; it leaves room for a machine that is busy otherwise."""
SETTINGS = """
listen_addresses = ''
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
shared_buffers = 256MB
maintenance_work_mem = 256MB
autovacuum = off
"""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if nothing is as it must never be."""
    if arguments[:1] == ["--dump"]:
        return _dump(*arguments[1:])
    if arguments[:1] == ["--hand-out"]:
        return _hand_out(*arguments[1:])
    mebibytes = int(arguments[0]) if arguments else MIB
    versions = installations("initdb", LocalRunner())
    missing = [name for name in ("age", "age-keygen", "zstd") if shutil.which(name) is None]
    if missing or not versions:
        print(f"not measured: {', '.join([*missing, *([] if versions else ['PostgreSQL'])])} not installed")
        return 0
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and shutil.disk_usage(memory).free > 8 * (mebibytes << 20) else Path("/tmp")
    with tempfile.TemporaryDirectory(prefix="pg-", dir=base) as name:
        os.chmod(name, 0o755)
        # The oldest that is here: gzip is what its pg_dump -Fc compresses with.
        with _server(Path(name), versions[0]):
            return _measure(Path(name), versions[0], mebibytes)


@contextmanager
def _server(work: Path, tools: PostgresqlVersion) -> Iterator[None]:
    """Run a server on a socket in the folder, as a user that is not root."""
    become: tuple[str, ...] = ()
    data = work / "data"
    data.mkdir()
    if os.geteuid() == 0:
        become = ("runuser", "-u", "postgres", "--")
        shutil.chown(data, pwd.getpwnam("postgres").pw_uid)
    initdb = (tools.program("initdb"), "-D", str(data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    subprocess.run([*become, *initdb], check=True, capture_output=True, cwd="/")
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"{SETTINGS}unix_socket_directories = '{data}'\n")
    (data / "pg_hba.conf").write_text("local all all trust\n")
    os.environ.update(PGHOST=str(data), PGUSER="postgres", PATH=f"{tools.folder}:{os.environ['PATH']}")
    pg_ctl = (*become, tools.program("pg_ctl"), "-D", str(data), "-w", "-s")
    subprocess.run([*pg_ctl, "-l", str(data / "log"), "start"], check=True, cwd="/")
    try:
        yield
    finally:
        subprocess.run([*pg_ctl, "-m", "immediate", "stop"], check=True, cwd="/")


def _measure(work: Path, tools: PostgresqlVersion, mebibytes: int) -> int:
    rows = _fill(mebibytes)
    recipient = _keys(work)
    out = work / "out"
    pipe, plain, again = (shlex.quote(str(work / name)) for name in ("pipe.age", "plain.dump", "operator"))
    once = [sys.executable, "-m", "bench.postgresql"]
    set_ = [str(out), str(work / "keys"), os.environ["PGHOST"], str(tools.folder)]
    stock = f"age -d -i {again} {pipe} | zstd -dqc | pg_restore --exit-on-error -d again"
    handed_out = shlex.join([*once, "--hand-out", str(out), str(work / "operator")])
    commands = {
        "pipe": f"set -o pipefail; pg_dump -Fc -Z0 articles | zstd -q -T0 -3 | age -r {recipient} > {pipe}",
        "set": shlex.join([*once, "--dump", *set_]),
        PLAIN: f"pg_dump -Fc articles > {plain}",
        "restore by the pipe": f"set -o pipefail; {stock}",
        "restore of the set": f"set -o pipefail; {handed_out} | pg_restore --exit-on-error -d again",
    }
    size = _size(work)
    print(f"{rows} articles, {size / (1 << 20):.0f} MiB as pg_dump -Z0 writes them, {ROUNDS} rounds in turns in {work}")
    print(
        f"{os.cpu_count()} cores; {_said('pg_dump', '--version')}; {_said('zstd', '--version')}; age {_said('age', '--version')}"
    )
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    processor: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            if name == PLAIN and number:
                continue  # it takes as long as all the rest, and one time tells enough
            if name.startswith("restore"):
                _sql(
                    "postgres",
                    "SET client_min_messages = warning;\nDROP DATABASE IF EXISTS again;\nCREATE DATABASE again TEMPLATE template0;",
                )
            if name == "set":
                shutil.rmtree(out, ignore_errors=True)
            _sql("postgres", "CHECKPOINT;")
            taken = _run(command)
            seconds[name].append(taken[0])
            processor[name].append(taken[1])
    for name, measured in seconds.items():
        median, cpu = statistics.median(measured), statistics.median(processor[name])
        print(
            f"{name:20} {median:6.2f} s  {size / (1 << 20) / median:6.0f} MiB/s  {cpu:6.2f} CPU-s without the server's"
        )
    return max(
        _judged(seconds, "set", "pipe", PIPE_PROMISE, PIPE_NEVER_ABOVE),
        _judged(seconds, "set", PLAIN, PLAIN_PROMISE, PLAIN_NEVER_ABOVE),
        _judged(seconds, "restore of the set", "restore by the pipe", RESTORE_PROMISE, RESTORE_NEVER_ABOVE),
    )


def _run(command: str) -> tuple[float, float]:
    """Run a command of bash and return its seconds, on the clock and of the processor."""
    started = time.monotonic()
    process = subprocess.Popen(["bash", "-c", command], cwd=Path(__file__).parent.parent)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds, usage.ru_utime + usage.ru_stime


def _judged(seconds: dict[str, list[float]], mine: str, other: str, promise: float, never_above: float) -> int:
    """Print the median of the rounds' ratios; 1 if it is above what it must never be."""
    ratio = statistics.median(a / b for a, b in zip(seconds[mine], seconds[other], strict=False))
    kept = "kept" if ratio <= promise else "not kept"
    print(f"ratio of {mine} to {other}: {ratio:.3f} (promise {promise}: {kept}; never above {never_above})")
    return int(ratio > never_above)


def _fill(mebibytes: int) -> int:
    """Make the database and return how many articles it has."""
    _sql("postgres", "CREATE DATABASE articles TEMPLATE template0;")
    chance = random.Random(1)
    texts = [text.replace("\n", "\\n") for text in make_prose(min(mebibytes, DISTINCT_MIB), seed=1)]
    psql = subprocess.Popen(
        ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "articles"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert psql.stdin is not None
    psql.stdin.write(b"CREATE TABLE article (id int PRIMARY KEY, unit int, title text, at timestamp, body text);\n")
    psql.stdin.write(b"CREATE INDEX ON article (at);\nCOPY article FROM stdin;\n")
    number = written = 0
    while written < mebibytes << 20:
        text = texts[number % len(texts)]
        number += 1
        at = f"20{chance.randint(10, 26)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d} 08:00"
        line = f"{number}\t{chance.randint(1, 80)}\tTin tức số {number}\t{at}\t{text}\n".encode()
        psql.stdin.write(line)
        written += len(line)
    psql.stdin.write(b"\\.\nANALYZE;\n")
    psql.stdin.close()
    if psql.wait():
        raise RuntimeError("psql failed")
    return number


def _keys(work: Path) -> str:
    public = []
    for name in ("operator", "escrow"):
        subprocess.run(["age-keygen", "-o", work / name], check=True, capture_output=True)
        public.append(_said("age-keygen", "-y", str(work / name)))
    (work / "keys").write_text("\n".join(public))
    return public[0]


def _size(work: Path) -> int:
    path = work / "size"
    subprocess.run(["pg_dump", "-Fc", "-Z0", "-f", path, "articles"], check=True)
    size = path.stat().st_size
    path.unlink()
    return size


def _sql(database: str, script: str) -> None:
    subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", database], input=script, text=True, check=True)


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _medium(out: Path) -> KindTable:
    settings = {"folder": str(out / "disk-a"), "create": True, "allow_same_filesystem": True}
    return KindTable.alone("disk-a", "disk", settings, out)


def _dump(out: str, keys: str, host: str, programs: str) -> int:
    folder = Path(out)
    folder.mkdir()
    settings = {"class": "content", "host": host, "user": "postgres", "databases": ["articles"], "programs": programs}
    source = build_source(KindTable.alone("portal-db", "postgresql", settings, folder), SourceContext(folder))
    medium = build_medium(_medium(folder))
    plan = make_plan(
        "bench",
        [PlannedSource(source.id, source.kind, source.data_class)],
        [PlannedMedium(medium.id, medium.kind)],
        [(key, key) for key in Path(keys).read_text().split()],
        pack_bytes=64 << 20,
        excused={},
    )
    result = make_set(plan, [source], [medium], clock=SystemClock(), progress=SilentProgress())
    return 0 if result.set is not None and not any(copy.problem for copy in result.copies) else 1


def _hand_out(out: str, identity: str) -> int:
    medium = build_medium(_medium(Path(out)))
    (set_id,) = medium.sets()
    stored = medium.open_set(set_id)
    with stored.open("set.json") as file:
        content = parse_set_file(file.read(64 << 20))
    stream = find_stream(content, "portal-db", "articles")
    copies = MergedSet(content, [(medium.id, stored)])
    stream_out(copies, stream, read_identities(Path(identity)), standard_output())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
