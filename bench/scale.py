"""What grows with what: records, hosts and units at 1, 10 and 100 times: `python -m bench.scale`. It prints and promises nothing.

docs/scale.md has the figures that it printed on two cores, and reckons with them. Hosts are real sshd processes that answer at once: by this
machine's own answer, for the bytes that a round leaves, and by a short capture, for the time that one takes; half of that is theirs.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench._hosts import MOST_ADDRESSES, answer_later, portal_of, served
from bench._ledgers import CONFIGURATION, make
from bench._runs import PORTALOPS, Measured, lacking, measured, scratch
from bench.cluster import SAMPLE
from bench.fabricate_ledger import JOBS, fabricate
from portalops.model.runs import JobKind

RECORDS = (10_000, 100_000, 1_000_000)
HOSTS = (10, 100, 1_000)
REAL_HOSTS = 2
UNITS = (30, 300, 3_000)
UNIT_RECORDS = 12
ROUNDS = 3
ANSWERS = frozenset({0, 1, 3})
_UNIT = '\n[[unit]]\nid = "unit-{number:04d}"\nname = {{ vi = "Đơn vị {number}", en = "Unit {number}" }}\n'


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    if arguments[:1] == ["--units"]:
        _make_units(Path(arguments[1]), int(arguments[2]))
        return 0
    with scratch(4 << 30) as folder:
        for count in RECORDS:
            _records(folder / f"records-{count}", count)
        for count in UNITS:
            _units(folder / f"units-{count}", count)
        if not lacking("sshd", "ssh-keygen"):
            _real(folder / "real")
            for count in HOSTS:
                _hosts(folder / f"hosts-{count}", count)
    return 0


def _records(folder: Path, count: int) -> None:
    make(folder, count)
    size = sum(path.stat().st_size for path in folder.glob("ledger.sqlite*"))
    print(f"{count:9,} records: {size / count:.0f} bytes a record", flush=True)
    environment = {"PORTALOPS_STATE_FOLDER": str(folder)}
    for command, rounds in ((("status",), ROUNDS), (("ledger", "verify", "--quick"), 1)):
        _told(command, ["--config", CONFIGURATION], rounds, environment)


def _units(folder: Path, count: int) -> None:
    # Apart, as what making takes would stay in this process's peak of memory, and in those that it starts.
    measured([sys.executable, "-m", "bench.scale", "--units", str(folder), str(count)])
    tables = "".join(_UNIT.format(number=each) for each in range(count))
    configuration = portal_of(folder / "portal", (), folder / "none", extra=tables)
    newest = max((folder / "state" / "blobs").rglob("*.zst"), key=lambda path: path.stat().st_size)
    print(f"{count:9,} units: a judging leaves {newest.stat().st_size / 1024:.0f} KiB", flush=True)
    _told(("status",), ["--config", str(configuration)], ROUNDS, {"PORTALOPS_STATE_FOLDER": str(folder / "state")})


def _make_units(folder: Path, count: int) -> None:
    names = [f"unit-{number:04d}" for number in range(count)]
    jobs = [job for job in JOBS if job.kind is JobKind.UPDATES]
    folder.mkdir()
    fabricate(folder / "state", UNIT_RECORDS, until=datetime.now(UTC), units=names, jobs=jobs)


def _real(folder: Path) -> None:
    folder.mkdir()
    with served(folder, REAL_HOSTS) as hosts:
        path = portal_of(folder / "portal", hosts, folder / "client")
        for what in ("the first round of a week", "a round after it"):
            before = _bytes(path.parent / "state")
            _round(path)
            grown = (_bytes(path.parent / "state") - before) / REAL_HOSTS / 1024
            print(f"{what} leaves {grown:.1f} KiB of details for each host", flush=True)


def _hosts(folder: Path, count: int) -> None:
    folder.mkdir()
    with served(folder, count, each=MOST_ADDRESSES) as hosts:
        answer_later(folder, SAMPLE, 0)
        path = portal_of(folder / "portal", hosts, folder / "client")
        print(f"{count:9,} hosts: a round {_shown([_round(path)])}", flush=True)
        _told(("status",), ["--config", str(path)], ROUNDS, {})


def _round(path: Path) -> Measured:
    return measured([PORTALOPS, "--config", str(path), "check", "run"], answers=ANSWERS)


def _told(command: Sequence[str], options: Sequence[str], rounds: int, environment: dict[str, str]) -> None:
    # Damaged is what a ledger is whose details are shared: only the time that it takes is looked at.
    runs = [
        measured([PORTALOPS, *options, *command], answers=ANSWERS | {5}, environment=environment)
        for _round in range(rounds)
    ]
    print(f"{'':9}   {' '.join(command)}: {_shown(runs)}", flush=True)


def _shown(runs: Sequence[Measured]) -> str:
    seconds = statistics.median(each.seconds for each in runs)
    return f"{seconds:.2f} s, {statistics.median(each.cpu_seconds for each in runs):.2f} CPU-s, {max(each.peak_mib for each in runs):.0f} MiB"


def _bytes(state: Path) -> int:
    return sum(path.stat().st_size for path in (state / "blobs").rglob("*.zst"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
