"""What a power cut leaves: the order of the system calls, since no test can cut the power. kill -9 is tried in tests/ledger."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.kills import MARK, PRELUDE, ROOT

pytestmark = pytest.mark.needs("strace")

PROGRAM = """
ledger = Ledger.open(folder, SystemClock(), create=True)
os.access("the append begins", os.F_OK)
record = ledger.append("note", run=RunId(""), body=os.urandom(3000))
acknowledge(record.body)
"""

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat,access,faccessat,faccessat2"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The calls of an append with new details, in order, each descriptor with its path."""
    folder = tmp_path_factory.mktemp("durability")
    log = folder / "log"
    subprocess.run(
        [
            *("strace", "-f", "-y", "-s", "300", "-e", f"trace={CALLS}", "-o", log, "--"),
            *(sys.executable, "-c", PRELUDE + PROGRAM, folder / "state"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    begin = next(place for place, line in enumerate(lines) if "the append begins" in line)
    assert any(MARK in line for line in lines[:begin])
    return [re.sub(r"^\d+ +", "", line) for line in lines[begin + 1 :]]


def places(calls: list[str], expression: str) -> list[int]:
    found = [place for place, call in enumerate(calls) if re.search(expression, call)]
    assert found, f"never called: {expression}"
    return found


def test_details_are_on_the_disk_before_their_name_is_and_the_name_before_the_record(calls: list[str]) -> None:
    written = places(calls, r"^write\(\d+<[^>]*/blobs/[^>]*\.part>")
    synced = places(calls, r"^fsync\(\d+<[^>]*/blobs/[^>]*\.part>")
    named = places(calls, r"^rename(at2?)?\(.*/blobs/.*\.zst\"")
    folder_synced = [place for place in places(calls, r"^fsync\(\d+<[^>]*/blobs/../..>") if place > named[0]]
    recorded = places(calls, r"^pwrite64\(\d+<[^>]*ledger\.sqlite-wal>")

    assert written[-1] < synced[0] < named[0] < folder_synced[0] < recorded[0]


def test_each_new_folder_is_made_durable_in_the_one_above_it(calls: list[str]) -> None:
    for made in places(calls, r"^mkdir(at)?\(.*/blobs"):
        path = Path(re.findall(r'"([^"]*)"', calls[made])[0])
        above = re.escape(str(path.parent))
        assert any(re.search(rf"^fsync\(\d+<{above}>\)", call) for call in calls[made + 1 :]), calls[made]


def test_a_record_is_on_the_disk_before_it_is_acknowledged(calls: list[str]) -> None:
    recorded = places(calls, r"^pwrite64\(\d+<[^>]*ledger\.sqlite-wal>")
    synced = places(calls, r"^(fdatasync|fsync)\(\d+<[^>]*ledger\.sqlite-wal>")
    acknowledged = places(calls, r"^write\(1<")

    assert any(recorded[-1] < place < acknowledged[0] for place in synced), calls
