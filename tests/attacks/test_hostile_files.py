"""Attacks on the files of the ledger's details: what lies in their place is never waited for, followed or held in memory."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import BLOBS
from portalops.ledger.record import parse
from tests.attacks.scene import Portal, faults, first_bad, lines_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = Path(__file__).parent.parent.parent
BACKUP = 5
"""The record of the first backup."""

MEMORY = 1 << 30
"""Address space that the process may have: four times what the largest blob takes."""

SECONDS = 60


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def folder(path: Path) -> None:
    path.mkdir()


def connection(path: Path) -> None:
    """Make a socket; its name would be too long as a whole."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def file_of_a_terabyte(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def ten_gigabytes_in_a_small_frame(path: Path) -> None:
    made, zeros = zstd.ZstdCompressor(), bytes(64 << 20)
    with path.open("wb") as file:
        for _piece in range(160):
            file.write(made.compress(zeros))
        file.write(made.flush())
    assert path.stat().st_size < 2 << 20


def frame_that_asks_for_a_huge_window(path: Path) -> None:
    """A frame's header may ask the reader for a window of up to 2^41 bytes (RFC 8878, section 3.1.1.1.2)."""
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\x00" + b"\xff" + b"\x01\x00\x00")


KINDS = [
    pipe,
    link_to_a_device,
    link_to_itself,
    folder,
    connection,
    file_of_a_terabyte,
    ten_gigabytes_in_a_small_frame,
    frame_that_asks_for_a_huge_window,
]


def put(portal: Portal, seq: int, make: Callable[[Path], None]) -> None:
    """Put something else in the place of a record's details."""
    path = BlobFolder(portal.state / BLOBS).path(parse(lines_of(portal)[seq - 1]).body)
    path.unlink()
    make(path)


def run(portal: Portal, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with little memory and for a short time."""
    return subprocess.run(
        [
            *(sys.executable, "-c", "from commands.app import main; main()"),
            *("--config", str(portal.folder / "portalops.toml"), "--no-input", "--json", *arguments),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )


@pytest.mark.parametrize("make", KINDS)
def test_whatever_lies_in_the_place_of_details_is_named_with_its_record(
    portal: Portal, make: Callable[[Path], None]
) -> None:
    put(portal, BACKUP, make)

    done = run(portal, "ledger", "verify")

    assert done.returncode == ExitCode.INTEGRITY, (done.stdout[-800:], done.stderr[-800:])
    assert '"first_bad": 5' in done.stdout or '"first_bad":5' in done.stdout


@pytest.mark.parametrize("make", [pipe, link_to_a_device, file_of_a_terabyte])
@pytest.mark.parametrize("arguments", [("status",), ("report", "build", "compliance", "--period", "2026-11")])
def test_judging_neither_hangs_nor_fails_over_it(
    portal: Portal, make: Callable[[Path], None], arguments: tuple[str, ...]
) -> None:
    put(portal, BACKUP, make)

    done = run(portal, *arguments)

    assert done.returncode in {ExitCode.OK, ExitCode.UNMET, ExitCode.INTEGRITY}, done.stderr[-800:]


def test_a_link_is_no_blob_even_where_blobs_are_only_looked_for(portal: Portal, tmp_path: Path) -> None:
    """The right bytes, but elsewhere: whoever owns that place can change them without touching the ledger's folder."""
    path = BlobFolder(portal.state / BLOBS).path(parse(lines_of(portal)[BACKUP - 1]).body)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    for options in ((), ("--quick",)):
        done = portal.verify(*options)
        assert done.code == ExitCode.INTEGRITY
        assert first_bad(done) == BACKUP, faults(done)


def test_a_pipe_in_the_place_of_details_does_not_keep_the_same_details_from_being_recorded(portal: Portal) -> None:
    blobs = BlobFolder(portal.state / BLOBS)
    digest = parse(lines_of(portal)[BACKUP - 1]).body
    data = blobs.read(digest)
    put(portal, BACKUP, pipe)

    assert blobs.keep(data) == digest
    assert blobs.read(digest) == data
