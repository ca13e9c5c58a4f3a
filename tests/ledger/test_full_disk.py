"""A disk that fills loses nothing that was acknowledged, says so clearly, and is used again once there is space."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portalops.errors import LedgerFull
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.system.clock import SystemClock
from tests.ledger.ledgers import verified
from tests.ledger.test_ledger import APPENDER

FILLED = 3000
"""More records than there is space for."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 2 MiB, as root; where that is not allowed there is nothing to try it on."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"mount: {done.stderr}")
        pytest.skip(f"mount: {done.stderr}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_real_disk_that_fills_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    reserve = small_disk / "reserve"
    reserve.write_bytes(bytes(300_000))
    state = small_disk / "state"
    ledger = Ledger.open(state, SystemClock(), create=True)

    acknowledged = [1]
    with pytest.raises(LedgerFull, match=r"cannot write .*: its disk is full, .* of 2\.0 MiB are free") as raised:
        _fill(ledger, acknowledged, with_blobs=True)
    assert "free space" in str(raised.value.hint)
    assert len(acknowledged) > 50
    with pytest.raises(LedgerFull):
        _fill(ledger, acknowledged, with_blobs=False)
    reader = Ledger.open(state, SystemClock(), create=False)
    assert [record.seq for record in reader.records()] == acknowledged
    assert verified(reader).integrity.holds
    assert not list((state / "blobs").rglob("*.part")), "nothing half written is left"

    reserve.unlink()

    assert ledger.append("note", run=NO_RUN, body=b"{}").seq == len(acknowledged) + 1
    ledger.close()
    assert verified(Ledger.open(state, SystemClock(), create=True)).integrity.holds


def test_a_ledger_can_be_read_and_verified_on_a_full_disk(small_disk: Path) -> None:
    ledger = Ledger.open(small_disk / "state", SystemClock(), create=True)
    ledger.append("note", run=NO_RUN, body=b"{}")
    ledger.close()
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(bytes(3_000_000))

    reader = Ledger.open(small_disk / "state", SystemClock(), create=False)

    assert reader.count() == 2
    assert verified(reader).integrity.holds


def test_a_disk_that_takes_no_more_files_says_so_and_is_used_again_once_it_does(small_disk: Path) -> None:
    ledger = Ledger.open(small_disk / "state", SystemClock(), create=True)
    ledger.append("note", run=NO_RUN, body=b"{}")
    ledger.close()
    many = small_disk / "many"
    many.mkdir()
    subprocess.run(["mount", "-o", "remount,nr_inodes=64", small_disk], check=True)
    _make_files(many)

    with pytest.raises(LedgerFull, match="its disk has no room for more files, 0 of 64 inodes are free"):
        Ledger.open(small_disk / "state", SystemClock(), create=True)
    for each in many.iterdir():
        each.unlink()

    ledger = Ledger.open(small_disk / "state", SystemClock(), create=True)
    assert ledger.append("note", run=NO_RUN, body=b'{"with":"a blob"}').seq == 3
    ledger.close()
    assert verified(Ledger.open(small_disk / "state", SystemClock(), create=True)).integrity.holds


def _make_files(folder: Path) -> None:
    """Make files until there can be no more."""
    with pytest.raises(OSError, match="No space"):  # noqa: PT012  # it is the last of many
        for each in range(1000):
            (folder / str(each)).touch()


def test_a_limit_on_file_sizes_loses_nothing_and_the_same_process_goes_on(tmp_path: Path) -> None:
    program = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from portalops.errors import LedgerFull
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
try:
{_indented(APPENDER)}
except LedgerFull as error:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    print(ledger.append("note", run=RunId(""), body=b"later").seq)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path, "one", str(FILLED)], capture_output=True, text=True, check=True
    )

    acknowledged = [int(line) for line in done.stdout.split()]
    ledger = Ledger.open(tmp_path, SystemClock(), create=False)
    assert acknowledged == list(range(2, ledger.count() + 1))
    assert 10 < len(acknowledged) < FILLED
    assert verified(ledger).integrity.holds


def _fill(ledger: Ledger, acknowledged: list[int], *, with_blobs: bool) -> None:
    for number in range(FILLED):
        body = os.urandom(200 + number % 50) if with_blobs else b"{}"
        acknowledged.append(ledger.append("note", run=NO_RUN, subject=f"{number}", body=body).seq)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
