"""Archives that anyone could have made, and names of any bytes: what `tests/backups/test_restore.py` leaves to tell."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.extract import Extractor, prepare_target
from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.tar import TarEntry
from backups.unfinished import mark_finished
from portalops.model.backups import MemberType
from tests.backups.kit import alone, back_up, keys, snapshot, source
from tests.backups.memory import MemoryMedium
from tests.backups.test_restore import extract, file, folder, link

ROOT = Path(__file__).parents[2]


def test_names_that_differ_by_case_alone_stay_apart(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    done = extract(tmp_path / "target", link("A", str(outside)), folder("a"), file("a/one", b"1"), file("A/two", b"2"))

    assert done.refused == ["A/two: 'A' on the way is not a folder"]
    assert (tmp_path / "target" / "a" / "one").read_bytes() == b"1"
    assert list(outside.iterdir()) == []


def test_names_that_look_alike_stay_apart(tmp_path: Path) -> None:
    """NFC and NFD of one Vietnamese name are two names, as on the disk that they came from."""
    extract(
        tmp_path / "target", file(normalize("NFC", "tệp"), b"composed"), file(normalize("NFD", "tệp"), b"decomposed")
    )

    assert {path.read_bytes() for path in (tmp_path / "target").iterdir()} == {b"composed", b"decomposed"}


NAMES = st.binary(min_size=1, max_size=255).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)


def back_and_forth(tmp: Path, names: set[bytes]) -> None:
    tree = tmp / "tree"
    tree.mkdir()
    for number, name in enumerate(sorted(names)):
        path = os.path.join(os.fsencode(tree), name)
        Path(os.fsdecode(path)).write_bytes(b"%d" % number)
    medium = MemoryMedium("memory-1")
    back_up([source("files", {"include": [str(tree)]}, tmp, id="files")], [medium])
    (set_id,) = medium.sets()
    content = parse_set_file(medium.stored[set_id]["set.json"])

    report = restore_set(alone(medium.open_set(set_id), content), [keys().identity], tmp / "out")

    assert (report.damaged, report.refused) == ((), ())
    assert snapshot(tmp / "out" / "files" / str(tree).strip("/")) == snapshot(tree)


def test_every_byte_may_be_in_a_name(tmp_path: Path) -> None:
    back_and_forth(tmp_path, {bytes([byte]) * count for byte in range(1, 256) for count in (3, 255) if byte != 0x2F})


@settings(max_examples=30, deadline=None)
@given(names=st.sets(NAMES, min_size=1, max_size=8))
def test_names_of_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, names: set[bytes]) -> None:
    back_and_forth(tmp_path_factory.mktemp("names"), names)


MANY = """
import resource, sys
from pathlib import Path
from backups.extract import Extractor, prepare_target
from backups.tar import TarEntry, header
from backups.untar import TarReader
from portalops.model.backups import MemberType

count, target = int(sys.argv[1]), Path(sys.argv[2])

def pieces():
    again = header(TarEntry(MemberType.FILE, "a/same", size=0, mode=0o644))
    out = header(TarEntry(MemberType.FILE, "../out", size=0, mode=0o644))
    device = header(TarEntry(MemberType.BLOCK_DEVICE, "dev/sda", mode=0o666, device=(8, 0)))
    place = header(TarEntry(MemberType.FOLDER, "a", mode=0o755))
    link = header(TarEntry(MemberType.SYMLINK, "a/link", link="/etc"))
    block = (again + out + device + place + link) * 200
    for _number in range(count // 1000):
        yield block
    yield bytes(1024)

prepare_target(target)
extractor = Extractor(target)
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
members = 0
reader = TarReader(pieces())
for entry in reader:
    extractor.add(entry, reader.content())
    members += 1
extractor.close()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
print(members, extractor.done.files, len(extractor.done.refused), len(extractor.done.notes), grown)
"""


def many(tmp_path: Path, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY, str(count), tmp_path / "target"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    members, files, refused, notes, grown_kib = (int(each) for each in done.stdout.split())
    assert (members, files) == (count, 1)
    assert refused == notes == 1001
    assert grown_kib < 30_000


@pytest.mark.heavy
def test_members_without_end_take_no_more_memory(tmp_path: Path) -> None:
    many(tmp_path, 50_000)


@pytest.mark.exhaustive
def test_ten_million_members_take_no_more_memory(tmp_path: Path) -> None:
    many(tmp_path, 10_000_000)


MANY_FOLDERS = """
import os, resource, sys
from pathlib import Path
from backups.extract import Extractor, prepare_target
from backups.tar import TarEntry
from portalops.model.backups import MemberType

count, target = int(sys.argv[1]), Path(sys.argv[2])
prepare_target(target)
extractor = Extractor(target)
entry = TarEntry(MemberType.FOLDER, "first", mode=0o750, uid=os.getuid(), gid=os.getgid(), mtime_ns=10**18)
extractor.add(entry, ())
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(count):
    path = f"d{number // 1000}/a-folder-with-a-name-of-some-length-{number}"
    extractor.add(TarEntry(entry.type, path, mode=0o750, uid=entry.uid, gid=entry.gid, mtime_ns=10**18), ())
extractor.close()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
made = target / "d0" / "a-folder-with-a-name-of-some-length-0"
assert made.stat().st_mtime_ns == 10**18 and made.stat().st_mode & 0o777 == 0o750
print(extractor.done.members, len(extractor.done.refused), len(extractor.done.notes), grown)
"""


def many_folders(tmp_path: Path, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY_FOLDERS, str(count), tmp_path / "target"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )

    members, refused, notes, grown_kib = (int(each) for each in done.stdout.split())
    assert (members, refused, notes) == (count + 1, 0, 0)
    assert grown_kib < 12_000


@pytest.mark.heavy
def test_folders_without_end_take_no_more_memory(tmp_path: Path) -> None:
    many_folders(tmp_path, 30_000)


@pytest.mark.exhaustive
def test_a_million_folders_take_no_more_memory(tmp_path: Path) -> None:
    many_folders(tmp_path, 1_000_000)


def test_a_folder_that_comes_again_or_is_removed_gets_what_was_said_last(tmp_path: Path) -> None:
    mine = TarEntry(MemberType.FOLDER, "a", mode=0o500, uid=os.getuid(), gid=os.getgid(), mtime_ns=10**18)
    prepare_target(tmp_path / "target")
    extractor = Extractor(tmp_path / "target")

    for entry in (mine, replace(mine, path="a/b"), replace(mine, path="c"), replace(mine, mode=0o710, mtime_ns=2)):
        extractor.add(entry, ())
    extractor.remove("c")
    extractor.close()
    mark_finished(tmp_path / "target")

    status = (tmp_path / "target" / "a").stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o710, 2)
    assert (tmp_path / "target" / "a" / "b").stat().st_mtime_ns == 10**18
    assert (extractor.done.refused, extractor.done.notes) == ([], [])


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (TarEntry(MemberType.SYMLINK, "x", link="ă\0b"), "x: embedded null"),
        (TarEntry(MemberType.FIFO, "x", uid=10**18), "x: uid is "),
        (TarEntry(MemberType.FOLDER, "x", gid=10**18), "x: its mode and time were not set: gid is "),
        (TarEntry(MemberType.FILE, "x", attributes={"user.\0": b"1"}), "x: attribute user.\\x00 was not set"),
    ],
)
def test_what_no_system_call_takes_is_named_and_the_rest_is_restored(
    tmp_path: Path, entry: TarEntry, told: str
) -> None:
    mine = replace(entry, uid=entry.uid or os.getuid(), gid=entry.gid or os.getgid())

    done = extract(tmp_path / "target", (mine, b""), file("whole", b"whole"))

    (line,) = (*done.refused, *done.notes)
    assert line.replace("x: symlink: ", "x: ").startswith(told)  # Python 3.13 names the call
    assert (tmp_path / "target" / "whole").read_bytes() == b"whole"


@pytest.mark.heavy
def test_attributes_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Folders get theirs at the end: 240 KiB of such an archive, compressed, would else hold 240 MiB of memory until then."""
    attributes = {f"user.{number}": bytes(65_000) for number in range(60)}
    plain = TarEntry(MemberType.FOLDER, "small", mode=0o755, uid=os.getuid(), gid=os.getgid())
    entries = [replace(plain, path=f"d{number}", attributes=dict(attributes)) for number in range(100)]
    small = replace(plain, attributes={"user.note": b"x"})

    done = extract(tmp_path / "target", (small, b""), *((entry, b"") for entry in entries))

    left_out = [note for note in done.notes if note.endswith("were not restored: the archive has too many")]
    assert done.refused == [] and len(left_out) > 20
    assert len(list((tmp_path / "target").iterdir())) == 101
    with suppress(OSError):  # a file system without attributes
        os.setxattr(tmp_path, "user.note", b"x")
        assert os.getxattr(tmp_path / "target" / "small", "user.note") == b"x"
