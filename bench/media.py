"""Uploads over SFTP on loopback: portalops through the system's ssh and through paramiko, beside OpenSSH's own sftp.

    python -m bench.media [MIB]

Files are in memory, so that no disk is measured. portalops digests every byte on the way and syncs every file, in files of the
size of packs, and has the host confirm the digests meanwhile; sftp puts one file and does nothing of that. What sealing takes, where
the last digests are waited for, is printed beside it.
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

from backups.media import build_medium
from portalops.config.tables import KindTable
from portalops.model.backups import SetId
from tests.backups.media.parts import sftp_table
from tests.servers import SshHost, sshd, user_name

UPLOAD_MIB = 4096
PACK_MIB = 64
PARAMIKO_MIB = 1024
ROUNDS = 3
PROMISE = 0.9
"""Of the rate of OpenSSH's sftp, through the system's ssh."""
NEVER_BELOW = 0.7
"""What a machine that is busy otherwise may still show."""


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if the promise holds."""
    mebibytes = int(arguments[0]) if arguments else UPLOAD_MIB
    missing = [name for name in ("ssh", "sftp", "sshd") if shutil.which(name) is None]
    if missing:
        print(f"not measured: {', '.join(missing)} not installed")
        return 0
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and shutil.disk_usage(memory).free > 3 * (mebibytes << 20) else None
    with (
        tempfile.TemporaryDirectory(prefix="portalops-bench-", dir=base) as name,
        sshd(Path(name) / "host", options=["Subsystem=sftp internal-sftp"]) as host,
    ):
        host.let_in()
        return _measure(Path(name), host, mebibytes)


def _measure(work: Path, host: SshHost, mebibytes: int) -> int:
    piece = os.urandom(1 << 20)
    source = work / "source"
    with source.open("wb") as file:
        for _number in range(mebibytes):
            file.write(piece)
    version = subprocess.run(["ssh", "-V"], check=True, capture_output=True, text=True).stderr.strip()
    print(f"{mebibytes} MiB over loopback into {work}, {ROUNDS} rounds in turns, {os.cpu_count()} cores; {version}")
    stock: list[float] = []
    ours: list[float] = []
    seals: list[float] = []
    for _round in range(ROUNDS):
        stock.append(_timed(lambda: _stock(host, source, work / "stock")))
        (work / "stock").unlink()
        taken, seal = _upload(host, work, piece, mebibytes, "openssh")
        ours.append(taken)
        seals.append(seal)
    source.unlink()
    through_paramiko, _seal = _upload(host, work, piece, min(PARAMIKO_MIB, mebibytes), "paramiko")
    ratio = max(stock_seconds / our_seconds for stock_seconds, our_seconds in zip(stock, ours, strict=True))
    median = statistics.median(stock) / statistics.median(ours)
    print(f"sftp put                        {_rate(mebibytes, stock)}")
    print(f"portalops, the system's ssh     {_rate(mebibytes, ours)}  ({median:.2f} of sftp; best round {ratio:.2f})")
    print(f"  and sealing                   {statistics.median(seals):7.2f} s")
    print(f"portalops, paramiko             {_rate(min(PARAMIKO_MIB, mebibytes), [through_paramiko])}")
    if median < PROMISE:
        print(f"below the promise of {PROMISE} of sftp")
    return 0 if median >= NEVER_BELOW else 1


def _stock(host: SshHost, source: Path, target: Path) -> None:
    known = source.with_name("known_hosts")
    known.write_text(f"[127.0.0.1]:{host.port} {host.host_key}\n")
    options = ["BatchMode=yes", f"IdentityFile={host.folder / 'client'}", f"UserKnownHostsFile={known}"]
    settings = [part for option in options for part in ("-o", option)]
    place = ["-P", str(host.port), f"{user_name()}@127.0.0.1"]
    command = f"put {source} {target}\n"
    subprocess.run(
        ["sftp", "-q", "-b", "-", *settings, *place], input=command.encode(), check=True, capture_output=True
    )


def _upload(host: SshHost, work: Path, piece: bytes, mebibytes: int, client: str) -> tuple[float, float]:
    """Return the seconds of uploading and of sealing."""
    values = sftp_table(host, work / "sets", create=True, client=client)
    medium = build_medium(KindTable.alone("bench", "sftp", values, work))
    medium.prepare([])
    writer = medium.begin(SetId("bench"), expected_bytes=0)

    def send() -> None:
        for start in range(0, mebibytes, PACK_MIB):
            writer.open(f"data/content/bench/files.{start:06}.age")
            for _number in range(min(PACK_MIB, mebibytes - start)):
                writer.write(piece)
            writer.close()

    taken = _timed(send)
    seal = _timed(writer.seal)
    shutil.rmtree(work / "sets")
    return taken, seal


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _rate(mebibytes: int, seconds: Sequence[float]) -> str:
    middle = statistics.median(seconds)
    return f"{middle:7.2f} s  {mebibytes * 1.048576 / middle:7.0f} MB/s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
