"""A program's output over SSH on loopback: portalops through the system's ssh and through paramiko, beside ssh alone.

    python -m bench.ssh [MIB]

Nothing is stored: what is measured is how fast bytes come from a host into the buffers that sets are made from. ssh alone
writes them into nothing, with the cipher that portalops asks for too; what its own first choice does is printed beside it. portalops
reads them by a pipe, and keeps the end of them for the trailer: where the two sides of ssh fill both cores, that alone takes the time
which it takes of theirs, and so it does from `cat`, which is printed for that. paramiko has less to carry, because it takes long; that it gets past its limits is a test's to prove.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from backups.sources._program import Program, stream_program
from portalops.config.ssh import SshPlace
from portalops.model.backups import StreamMember, TableRows
from portalops.ports import Hash
from portalops.system.remote import PATH, PIPE_BYTES, RemoteCommand, start_there
from portalops.system.ssh import target_of
from tests.servers import SshHost, sshd, user_name

STREAM_MIB = 4096
PARAMIKO_MIB = 1024
ROUNDS = 3
CIPHER = "aes128-gcm@openssh.com"
PROMISE = 0.9
"""Of the rate of ssh alone, through the system's ssh."""
NEVER_BELOW = 0.7
"""What a machine that is busy otherwise may still show."""


class Nowhere:
    """A `ports.StreamWriter` that keeps nothing."""

    def __init__(self) -> None:
        self.position = 0
        self._space = memoryview(bytearray(1 << 20))

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self.position += len(data)

    def room(self) -> memoryview:
        return self._space

    def filled(self, count: int, /, *, content: Hash | None = None) -> None:
        del content
        self.position += count

    def add_member(self, member: StreamMember, *, content: Hash | None = None) -> None:
        """Keep nothing."""

    def add_unread(self, line: str) -> None:
        """Keep nothing."""

    add_changed = add_skipped = add_unread

    def add_rows(self, rows: TableRows) -> None:
        """Keep nothing."""

    def add_unchanged(self, members: int, plain_bytes: int) -> None:
        """Keep nothing."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if the promise holds."""
    mebibytes = int(arguments[0]) if arguments else STREAM_MIB
    missing = [name for name in ("ssh", "sshd") if shutil.which(name) is None]
    if missing:
        print(f"not measured: {', '.join(missing)} not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="portalops-bench-") as name, sshd(Path(name) / "host") as host:
        host.let_in()
        return _measure(Path(name), host, mebibytes)


def _measure(work: Path, host: SshHost, mebibytes: int) -> int:
    place = SshPlace(
        host="127.0.0.1",
        port=host.port,
        user=user_name(),
        identity_file=host.folder / "client",
        host_key=host.host_key,
    )
    version = subprocess.run(["ssh", "-V"], check=True, capture_output=True, text=True).stderr.strip()
    print(f"{mebibytes} MiB over loopback, {ROUNDS} rounds in turns, {os.cpu_count()} cores; {version}")
    stock: list[float] = []
    piped: list[float] = []
    ours: list[float] = []
    for _round in range(ROUNDS):
        stock.append(_timed(lambda: _stock(work, host, mebibytes)))
        ours.append(_timed(lambda: _stream(place, mebibytes)))
        piped.append(_timed(lambda: _stock(work, host, mebibytes, into_cat=True)))
    unasked = [_timed(lambda: _stock(work, host, mebibytes, cipher=None))]
    less = min(PARAMIKO_MIB, mebibytes)
    library = [_timed(lambda: _by_paramiko(place, less))]
    median = statistics.median(stock) / statistics.median(ours)
    print(f"ssh alone                       {_rate(mebibytes, stock)}")
    print(f"ssh alone, its own cipher       {_rate(mebibytes, unasked)}")
    print(f"ssh | cat                       {_rate(mebibytes, piped)}")
    print(f"portalops, the system's ssh     {_rate(mebibytes, ours)}  ({median:.2f} of ssh)")
    print(f"portalops, paramiko             {_rate(less, library)}")
    if median < PROMISE:
        print(f"below the promise of {PROMISE} of ssh")
    return 0 if median >= NEVER_BELOW else 1


def _output(mebibytes: int) -> tuple[str, ...]:
    return ("head", "-c", str(mebibytes << 20), "/dev/zero")


def _stock(work: Path, host: SshHost, mebibytes: int, *, cipher: str | None = CIPHER, into_cat: bool = False) -> None:
    known = work / "known_hosts"
    known.write_text(f"[127.0.0.1]:{host.port} {host.host_key}\n")
    options = ["BatchMode=yes", f"IdentityFile={host.folder / 'client'}", f"UserKnownHostsFile={known}"]
    settings = [part for option in options for part in ("-o", option)]
    place = ["-T", *(["-c", cipher] if cipher else []), "-p", str(host.port), f"{user_name()}@127.0.0.1"]
    command = ["ssh", *settings, *place, *_output(mebibytes)]
    if not into_cat:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return
    with subprocess.Popen(command, stdout=subprocess.PIPE, pipesize=PIPE_BYTES) as ssh:
        subprocess.run(["cat"], stdin=ssh.stdout, stdout=subprocess.DEVNULL, check=True)


def _stream(place: SshPlace, mebibytes: int) -> None:
    out = Nowhere()
    stream_program("bench", Program(_output(mebibytes), host=place), out)
    assert out.position == mebibytes << 20


def _by_paramiko(place: SshPlace, mebibytes: int) -> None:
    running = start_there(target_of(place), RemoteCommand(_output(mebibytes), {"PATH": PATH}), client="paramiko")
    size, space = 0, bytearray(1 << 20)
    while got := os.readv(running.stdout.fileno(), [space]):
        size += got
    assert size == mebibytes << 20
    running.close()


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _rate(mebibytes: int, seconds: Sequence[float]) -> str:
    middle = statistics.median(seconds)
    return f"{middle:7.2f} s  {mebibytes * 1.048576 / middle:7.0f} MB/s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
