from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.age import parse_identity
from backups.contents import index_members
from backups.extract import Extracted, Extractor, prepare_target
from backups.formats import Restored, format_of
from backups.restore import RestoreReport, restore_set
from backups.set_file import SetFile, parse_set_file
from backups.tar import END_BYTES, TarEntry, header, padding
from backups.unfinished import UNFINISHED, mark_finished
from backups.untar import TarReader
from portalops.errors import BackupError, SetDamaged, UnsafeTarget, WrongKey
from portalops.model.backups import MemberType
from portalops.model.verdicts import RunOutcome
from portalops.ports import StoredSet
from portalops.system.programs import LocalRunner
from tests.backups.kit import alone, back_up, keys, odd_tree, snapshot, source
from tests.backups.memory import MemoryMedium


class Made:
    def __init__(self, folder: Path) -> None:
        self.tree = odd_tree(folder / "portal")
        self.medium = MemoryMedium("memory-1")
        sources = [
            source("files", {"include": [str(self.tree)]}, folder, id="uploads"),
            source("command", {"command": ["echo", "dump"]}, folder, id="dump"),
        ]
        result = back_up(sources, [self.medium], pack_bytes=256 << 10)
        assert result.set is not None
        self.id = result.set.id
        self.name = str(self.tree).lstrip("/")

    @property
    def content(self) -> SetFile:
        return parse_set_file(self.medium.stored[self.id]["set.json"])

    @property
    def stored(self) -> StoredSet:
        return self.medium.open_set(self.id)

    def restore(self, target: Path, *, source: str | None = None, path: str | None = None) -> RestoreReport:
        return restore_set(
            alone(self.stored, self.content), [keys().identity], target, source=source, paths=[path] if path else []
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def test_everything_comes_back_as_it_was(made: Made, tmp_path: Path) -> None:
    report = made.restore(tmp_path / "out")

    assert (report.refused, report.damaged, report.notes) == ((), (), ())
    assert snapshot(tmp_path / "out" / "uploads" / made.name) == snapshot(made.tree)
    assert (tmp_path / "out" / "dump" / "output.raw").read_bytes() == b"dump\n"


def test_one_source_alone(made: Made, tmp_path: Path) -> None:
    made.restore(tmp_path / "out", source="dump")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dump"]


@pytest.mark.parametrize(
    "inner", ["hosts", "text.txt", "bài-viết", "lớn.bin", "link", "rỗng", "d" * 90, "empty-folder"]
)
def test_one_path_is_found_by_the_index(made: Made, tmp_path: Path, inner: str) -> None:
    report = made.restore(tmp_path / "out", path=f"/{made.name}/{inner}")

    assert (report.refused, report.damaged) == ((), ())
    folder = tmp_path / "out" / "uploads" / made.name
    assert [path.name for path in folder.iterdir()] == [inner]
    kept = {key: value for key, value in snapshot(folder).items() if key not in {b"/.", b""}}
    whole = snapshot(made.tree)
    assert {key: value[4] for key, value in kept.items()} == {key: whole[key][4] for key in kept}


def test_a_hard_link_asked_for_alone_has_its_content(made: Made, tmp_path: Path) -> None:
    made.restore(tmp_path / "out", path=f"{made.name}/hosts-again")

    assert (tmp_path / "out" / "uploads" / made.name / "hosts-again").read_text() == "127.0.0.1 localhost\n"


def test_what_the_set_does_not_have_is_told(made: Made, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no path /etc/nothing"):
        made.restore(tmp_path / "out", path="/etc/nothing")
    with pytest.raises(BackupError, match="no source nobody"):
        made.restore(tmp_path / "out2", source="nobody")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_makes_nothing(made: Made, tmp_path: Path) -> None:
    stranger = parse_identity(str(pyrage.x25519.Identity.generate()))

    with pytest.raises(WrongKey):
        restore_set(alone(made.stored, made.content), [stranger], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_overwritten(made: Made, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("x")

    for name in ("full", "link", "file"):
        with pytest.raises(UnsafeTarget):
            made.restore(tmp_path / name)
    assert (tmp_path / "full" / "mine").read_text() == "mine"


def test_a_restore_that_came_to_no_end_says_so_in_its_folder(made: Made, tmp_path: Path) -> None:
    seen: list[str] = []

    def stop(_count: int) -> None:
        seen.append((tmp_path / "out" / UNFINISHED).read_text("utf-8"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_set(alone(made.stored, made.content), [keys().identity], tmp_path / "out", on_bytes=stop)

    assert "chưa xong" in seen[0] and "has started but not finished" in seen[0]
    assert (tmp_path / "out" / UNFINISHED).exists()
    with pytest.raises(UnsafeTarget):
        made.restore(tmp_path / "out")


def test_a_folder_in_which_nothing_was_restored_can_be_taken_again(made: Made, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no path"):
        made.restore(tmp_path / "out", path="/etc/nothing")

    made.restore(tmp_path / "out", source="dump")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["dump"]


def test_a_link_planted_as_the_note_of_a_restore_is_not_written_through(made: Made, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / UNFINISHED).symlink_to(tmp_path / "passwd")

    with pytest.raises(UnsafeTarget):
        made.restore(tmp_path / "out", source="dump")

    assert (tmp_path / "passwd").read_text() == "root:x:0:0"


def test_a_damaged_stream_is_named_and_the_others_come_back(made: Made, tmp_path: Path) -> None:
    medium = MemoryMedium("memory-2")
    pack = "data/content/uploads/files.0003.age"
    files = made.medium.stored[made.id]
    medium.stored[made.id] = {**files, pack: files[pack][:-1] + bytes([files[pack][-1] ^ 1])}

    report = restore_set(alone(medium.open_set(made.id), made.content), [keys().identity], tmp_path / "out")

    assert len(report.damaged) == 1
    assert pack in report.damaged[0]
    assert (tmp_path / "out" / "dump" / "output.raw").read_bytes() == b"dump\n"


# --- archives that anyone could have made ---------------------------------------------------------


def entries(*members: tuple[TarEntry, bytes]) -> Iterator[bytes]:
    for entry, content in members:
        yield header(entry) + content + padding(len(content))
    yield END_BYTES


def extract(target: Path, *members: tuple[TarEntry, bytes], as_root: bool = False) -> Extracted:
    prepare_target(target)
    reader = TarReader(entries(*members))
    extractor = Extractor(target, as_root=as_root)
    for entry in reader:
        extractor.add(entry, reader.content())
    extractor.close()
    mark_finished(target)
    return extractor.done


def file(path: str, content: bytes = b"evil", mode: int = 0o644) -> tuple[TarEntry, bytes]:
    return TarEntry(MemberType.FILE, path, size=len(content), mode=mode, uid=os.getuid(), gid=os.getgid()), content


def link(path: str, to: str) -> tuple[TarEntry, bytes]:
    return TarEntry(MemberType.SYMLINK, path, link=to, uid=os.getuid(), gid=os.getgid()), b""


def hard(path: str, to: str) -> tuple[TarEntry, bytes]:
    return TarEntry(MemberType.HARDLINK, path, link=to), b""


def folder(path: str) -> tuple[TarEntry, bytes]:
    return TarEntry(MemberType.FOLDER, path, mode=0o755, uid=os.getuid(), gid=os.getgid()), b""


ATTACKS: dict[str, Callable[[Path], list[tuple[TarEntry, bytes]]]] = {
    "absolute": lambda out: [file(f"{out}/pwned")],
    "dots": lambda _out: [file("../outside/pwned")],
    "dots inside": lambda _out: [file("a/../../outside/pwned")],
    "through an absolute link": lambda out: [link("a", str(out)), file("a/pwned")],
    "through a relative link": lambda _out: [link("a", "../outside"), file("a/pwned")],
    "through a chain of links": lambda _out: [link("a", ".."), link("b", "a/outside"), file("b/pwned")],
    "through a folder that became a link": lambda out: [folder("a"), link("a", str(out)), file("a/pwned")],
    "over a link": lambda out: [link("a", f"{out}/pwned"), file("a")],
    "hard link out": lambda out: [hard("a", f"{out}/secret"), file("a", b"changed")],
    "hard link by dots": lambda _out: [hard("a", "../outside/secret"), file("a", b"changed")],
    "hard link to a link": lambda out: [link("l", f"{out}/secret"), hard("a", "l"), file("a", b"changed")],
    "hard link through a link": lambda out: [link("l", str(out)), hard("a", "l/secret"), file("a", b"changed")],
    "folder over a link": lambda out: [link("a", str(out)), folder("a"), file("a/pwned")],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_leaves_the_target(tmp_path: Path, attack: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    (outside / "secret").write_text("secret")
    before = (snapshot(outside), outside.stat().st_nlink, (outside / "secret").stat().st_nlink)

    extract(tmp_path / "target", *ATTACKS[attack](outside))

    assert (snapshot(outside), outside.stat().st_nlink, (outside / "secret").stat().st_nlink) == before


def test_a_symbolic_link_may_have_a_second_name(tmp_path: Path) -> None:
    """GNU tar writes one that has two as a hard link to the first."""
    done = extract(tmp_path / "target", link("a", "nowhere"), hard("b", "a"))

    assert done.refused == []
    assert (tmp_path / "target" / "b").readlink() == Path("nowhere")


@pytest.mark.parametrize("content", [bytes(8 << 20), bytes(3 << 20) + b"x" + bytes(5 << 20), b"x" + bytes(8 << 20)])
def test_long_zeros_take_no_room_and_are_read_as_they_were(tmp_path: Path, content: bytes) -> None:
    extract(tmp_path / "target", file("disk.img", content))

    restored = tmp_path / "target" / "disk.img"
    assert restored.read_bytes() == content
    assert restored.stat().st_blocks * 512 < 2 << 20


@pytest.mark.parametrize("spacing", [128 << 10, 512 << 10, 3 << 20])
def test_a_sparse_file_takes_about_the_room_that_it_had(tmp_path: Path, spacing: int) -> None:
    """Data here and there, as in an image of a file system."""
    root = tmp_path / "tree"
    root.mkdir()
    size = 32 << 20
    with (root / "disk.img").open("wb") as image:
        image.truncate(size)
        for at in range(0, size - spacing, spacing):
            os.pwrite(image.fileno(), os.urandom(8192), at + 12288)
        os.fsync(image.fileno())
    medium = MemoryMedium("memory-1")

    result = back_up([source("files", {"include": [str(root)]}, tmp_path)], [medium])

    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "out")
    restored = next((tmp_path / "out").rglob("disk.img"))
    assert restored.read_bytes() == (root / "disk.img").read_bytes()
    os.sync()
    assert restored.stat().st_blocks <= (root / "disk.img").stat().st_blocks * 1.1
    assert result.set.stored_bytes < 1.2 * (root / "disk.img").stat().st_blocks * 512 + 100_000


@given(
    lengths=st.lists(st.tuples(st.booleans(), st.integers(1, 60_000)), max_size=12),
    cuts=st.lists(st.integers(1, 90_000), max_size=8),
)
@settings(deadline=None, max_examples=60)
def test_no_byte_is_lost_between_holes(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[tuple[bool, int]], cuts: list[int]
) -> None:
    content = b"".join((b"\0" if is_zero else b"\x07") * length for is_zero, length in lengths)
    pieces, at = [], 0
    for cut in (*cuts, len(content)):
        pieces.append(memoryview(content)[at : at + cut])
        at += cut
    pieces.append(memoryview(content)[at:])
    target = tmp_path_factory.mktemp("holes")
    extractor = Extractor(target)

    extractor.add(file("f", content)[0], pieces)
    extractor.close()

    assert (target / "f").read_bytes() == content


def test_what_has_several_names_keeps_them_and_odd_attributes_too(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    os.mkfifo(root / "pipe")
    os.link(root / "pipe", root / "pipe-again")
    (root / "link").symlink_to("nowhere")
    os.link(root / "link", root / "link-again", follow_symlinks=False)
    (root / "file").write_text("x")
    odd = {"user.a=b": b"c=d", "user.100%": b"%3D", "user.x%3Dy": b"\n=\0"}
    with suppress(OSError):  # a file system without attributes
        for name, value in odd.items():
            os.setxattr(root / "file", name, value)
    kept = {name: os.getxattr(root / "file", name) for name in os.listxattr(root / "file")}
    medium = MemoryMedium("memory-1")

    result = back_up([source("files", {"include": [str(root)]}, tmp_path)], [medium])

    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    report = restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], tmp_path / "out")
    out = next((tmp_path / "out").rglob("tree"))
    assert (report.refused, report.notes) == ((), ())
    for name in ("pipe", "link"):
        first, again = (out / name).lstat(), (out / f"{name}-again").lstat()
        assert (first.st_ino, first.st_nlink) == (again.st_ino, 2)
    assert {name: os.getxattr(out / "file", name) for name in os.listxattr(out / "file")} == kept


def test_a_path_that_no_system_call_takes_comes_back_and_is_compared(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    at = os.open(root, os.O_RDONLY)
    for _level in range(30):
        os.mkdir("d" * 200, dir_fd=at)
        at, above = os.open("d" * 200, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    with os.fdopen(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=at), "w") as deep:
        deep.write("deep")
    os.close(at)
    medium = MemoryMedium("memory-1")

    result = back_up([source("files", {"include": [str(root)]}, tmp_path)], [medium])

    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE
    stored = medium.open_set(result.set.id)
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    report = restore_set(alone(stored, content), [keys().identity], tmp_path / "out")
    assert (report.refused, report.notes, report.files) == ((), (), 1)
    (stream,) = content.streams
    members = list(index_members(stored, stream, [keys().identity]))
    assert max(len(each.path) for each in members) > 6000
    place = tmp_path / "out" / "files-1"
    trial = format_of(stream).try_out(Restored(stream, place, tmp_path, lambda: iter(members), LocalRunner()))
    assert (trial.problems, trial.asked) == ((), "1 files compared with the index")
    for tree in (root, tmp_path / "out"):
        subprocess.run(["rm", "-r", str(tree)], check=True)  # pytest cannot


@pytest.mark.heavy
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_mixture_of_links_and_names_leaves_the_target(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = tmp_path_factory.mktemp("mixed")
    outside = base / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    before = snapshot(outside)
    names = st.lists(st.sampled_from(["a", "b", "c", "..", ".", "", "outside", "secret"]), min_size=1, max_size=4).map(
        "/".join
    )
    targets = st.one_of(names, st.just(str(outside)), st.just(f"{outside}/secret"))
    make = st.one_of(
        names.map(file),
        st.tuples(names, targets).map(lambda each: link(*each) if each[1] else file(each[0])),
        st.tuples(names, targets).map(lambda each: hard(*each)),
        names.map(folder),
    )

    extract(base / "target", *data.draw(st.lists(make, max_size=8)))

    assert snapshot(outside) == before
    assert sorted(path.name for path in base.iterdir()) == ["outside", "target"]


def test_devices_are_named_and_not_made(tmp_path: Path) -> None:
    device = TarEntry(MemberType.BLOCK_DEVICE, "dev/sda", mode=0o666, device=(8, 0))

    done = extract(tmp_path / "target", (device, b""))

    assert done.notes == ["dev/sda: a device (8:0) is not made"]
    assert not (tmp_path / "target" / "dev" / "sda").exists()


def test_each_right_that_is_withheld_is_listed_and_counted(tmp_path: Path) -> None:
    device = TarEntry(MemberType.CHARACTER_DEVICE, "null", mode=0o666, device=(1, 3))
    capable, content = file("ping", mode=0o4755)
    capable = replace(capable, attributes={"security.capability": CAPABILITY, "trusted.note": b"x"})

    done = extract(tmp_path / "target", (device, b""), hard("null-again", "null"), (capable, content))

    assert done.refused == []
    assert done.withheld == len(done.notes) == 5
    assert [line.partition(":")[0] for line in done.notes] == ["null", "null-again", "ping", "ping", "ping"]


def test_as_root_everything_comes_back(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives rights")
    root = tmp_path / "tree"
    root.mkdir()
    program = root / "ping"
    program.write_bytes(b"program")
    os.chown(program, 65534, 65534)
    program.chmod(0o6755)
    try:
        os.setxattr(program, "security.capability", CAPABILITY)
        os.setxattr(root, "trusted.note", b"of the folder")
        os.mknod(root / "null", stat.S_IFCHR | 0o620, os.makedev(1, 3))
    except OSError as error:
        pytest.skip(f"this file system, or this container, has them not: {error}")
    os.link(root / "null", root / "null-again")
    os.mkfifo(root / "pipe")
    (root / "pipe").chmod(0o662)
    (root / "link").symlink_to("nowhere")
    os.setxattr(root / "link", "trusted.note", b"of the link", follow_symlinks=False)
    medium = MemoryMedium("memory-1")
    result = back_up([source("files", {"include": [str(root)]}, tmp_path)], [medium])
    assert result.set is not None
    copies = alone(medium.open_set(result.set.id), parse_set_file(medium.stored[result.set.id]["set.json"]))

    report = restore_set(copies, [keys().identity], tmp_path / "out", as_root=True)
    without = restore_set(copies, [keys().identity], tmp_path / "less")

    assert (report.refused, report.notes, report.withheld) == ((), (), 0)
    out, less = (next((tmp_path / name).rglob("tree")) for name in ("out", "less"))
    for name in (".", "ping", "null", "null-again", "pipe", "link"):
        one, other = (root / name).lstat(), (out / name).lstat()
        assert [getattr(one, f"st_{key}") for key in ("mode", "uid", "gid", "rdev", "mtime_ns", "nlink")] == [
            getattr(other, f"st_{key}") for key in ("mode", "uid", "gid", "rdev", "mtime_ns", "nlink")
        ], name
        assert attributes_of(root / name) == attributes_of(out / name)
    assert attributes_of(out / "ping") == {"security.capability": CAPABILITY}
    assert (less / "ping").stat().st_mode & 0o7777 == 0o755
    assert not (less / "null").exists()
    lost = {line.partition(": ")[0].rpartition("/")[2] for line in without.notes}
    assert (lost, without.withheld) == ({"tree", "ping", "null", "null-again", "link"}, 6)


def attributes_of(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)}


CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)
"""cap_net_raw=ep, as a file holds it."""


def test_programs_do_not_become_root(tmp_path: Path) -> None:
    done = extract(tmp_path / "target", file("su", mode=0o4755))

    assert (tmp_path / "target" / "su").stat().st_mode & 0o7777 == 0o755
    assert "set-user-ID" in done.notes[0]


def test_the_later_of_two_members_counts(tmp_path: Path) -> None:
    done = extract(tmp_path / "target", file("a", b"torn"), file("a", b"whole"))

    assert (tmp_path / "target" / "a").read_bytes() == b"whole"
    assert done.refused == []


# --- the archive itself ---------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=150)


@settings(max_examples=200, deadline=None)
@given(
    name=NAMES,
    size=st.integers(0, 2000),
    mode=st.integers(0, 0o7777),
    owner=st.integers(0, 1 << 31),
    time=st.integers(-(10**18), 4 * 10**18),
    attributes=st.dictionaries(st.sampled_from(["user.a", "user.b"]), st.binary(max_size=300)),
)
def test_headers_say_the_same_to_us_and_to_tarfile(
    *, name: str, size: int, mode: int, owner: int, time: int, attributes: dict[str, bytes]
) -> None:
    if name in {".", ".."}:
        name = "x" + name
    entry = TarEntry(
        MemberType.FILE,
        name,
        size=size,
        mode=mode,
        uid=owner,
        gid=owner,
        owner="tài khoản",
        mtime_ns=time,
        attributes=attributes,
    )
    content = bytes(size)
    archive = b"".join(entries((entry, content)))

    reader = TarReader(iter([archive]))
    (ours,) = [found for found in reader if b"".join(bytes(piece) for piece in reader.content()) == content]
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        (theirs,) = opened.getmembers()

    assert (ours.path, ours.size, ours.mode, ours.uid, ours.gid, ours.mtime_ns) == (
        name,
        size,
        mode,
        owner,
        owner,
        time,
    )
    assert ours.attributes == attributes
    assert (theirs.name, theirs.size, theirs.mode, theirs.uid, theirs.uname) == (name, size, mode, owner, "tài khoản")
    assert theirs.mtime == pytest.approx(time / 1e9)


def test_sizes_beyond_eight_gibibytes_are_kept() -> None:
    size = 9 << 30
    entry = TarEntry(MemberType.FILE, "large", size=size)

    theirs = tarfile.TarInfo.frombuf(header(entry)[-512:], "utf-8", "strict")
    found = next(iter(TarReader(iter([header(entry)]))))

    assert found.size == size
    assert theirs.size == 0


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_malformed_archive_is_damage_and_nothing_else(data: st.DataObject) -> None:
    archive = bytearray(b"".join(entries(file("tệp", b"x" * 600), folder("thư mục"))))
    for _change in range(data.draw(st.integers(1, 4))):
        archive[data.draw(st.integers(0, len(archive) - 1))] = data.draw(st.integers(0, 255))
    kept = data.draw(st.integers(0, len(archive)))

    try:
        for _entry in TarReader(iter([bytes(archive[:kept])])):
            pass
    except SetDamaged:
        pass
