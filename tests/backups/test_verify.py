from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.age import PrivateKey, parse_identity
from backups.bag import INFO, TAG_MANIFEST, digest_of
from backups.job import VerifyTarget, run_verify
from backups.set_file import NAME as SET_FILE
from backups.verify import Findings, verify_copy
from portalops.errors import WrongKey
from portalops.model.backups import BackupSet, Copy, CopyState, SetId, VerifyLevel
from portalops.ports import Medium, Readable
from tests.backups.kit import NOW, back_up, disk, keys, sample_database, source
from tests.backups.memory import MemoryMedium, MemoryStoredSet
from tests.doubles import FixedClock, SilentProgress

PACK = 64 << 10


class Made:
    """A set in memory with two streams, one of several packs."""

    def __init__(self, folder: Path) -> None:
        tree = folder / "tree"
        tree.mkdir()
        (tree / "a.txt").write_text("Khánh Hòa " * 20_000)
        (tree / "b.bin").write_bytes(bytes(range(256)) * 600)
        medium = MemoryMedium("memory-1")
        sources = [
            source("files", {"include": [str(tree)]}, folder, id="uploads"),
            source("sqlite", {"database": str(sample_database(folder / "db", 20))}, folder, id="db"),
        ]
        result = back_up(sources, [medium], pack_bytes=PACK)
        assert result.set is not None
        self.set: BackupSet = result.set
        self.copy: Copy = result.copies[0]
        self.medium = medium
        self.files = dict(medium.stored[self.set.id])

    def findings(self, files: dict[str, bytes], identities: Sequence[PrivateKey] = ()) -> Findings:
        medium = MemoryMedium("memory-2")
        medium.stored[self.set.id] = files
        return verify_copy(
            medium.open_set(self.set.id),
            self.set.id,
            bag_sha256=self.set.bag_sha256,
            level=VerifyLevel.L2,
            identities=identities,
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("made"))


def test_a_good_copy_has_no_problems_and_opens(made: Made) -> None:
    findings = made.findings(made.files, [keys().identity, parse_identity(keys().escrow)])

    assert findings.problems == ()
    assert findings.level is VerifyLevel.L2
    assert findings.content is not None
    assert len(next(stream for stream in made.set.streams if stream.source == "uploads").packs) > 3


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_in_any_file_is_found_and_named(made: Made, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(made.files)))
    content = made.files[path]
    at = data.draw(st.integers(0, len(content) - 1))
    bit = data.draw(st.integers(0, 7))

    changed = content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
    findings = made.findings({**made.files, path: changed})

    assert any(path in problem for problem in findings.problems), findings.problems


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_truncated_or_grown_file_is_found_and_named(made: Made, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(made.files)))
    content = made.files[path]
    kept = data.draw(st.integers(0, len(content) - 1))

    for changed in (content[:kept], content + b"\n"):
        findings = made.findings({**made.files, path: changed})
        assert any(path in problem for problem in findings.problems), findings.problems


def test_each_missing_file_is_named(made: Made) -> None:
    for path in made.files:
        findings = made.findings({name: data for name, data in made.files.items() if name != path})
        assert any(path in problem for problem in findings.problems), (path, findings.problems)


def test_a_file_too_many_is_named(made: Made) -> None:
    findings = made.findings({**made.files, "data/content/uploads/extra.age": b"x"})

    assert findings.problems == ("data/content/uploads/extra.age: not a part of the set",)


def test_two_packs_exchanged_are_found(made: Made) -> None:
    one, two = "data/content/uploads/files.0001.age", "data/content/uploads/files.0002.age"

    findings = made.findings({**made.files, one: made.files[two], two: made.files[one]})

    assert {problem.partition(":")[0] for problem in findings.problems} == {one, two}


def test_another_whole_set_in_its_place_is_found(made: Made, tmp_path: Path) -> None:
    other = Made(tmp_path)
    renamed = {
        path: data.replace(other.set.id.encode(), made.set.id.encode()) if path == "set.json" else data
        for path, data in other.files.items()
    }

    findings = made.findings(renamed)

    assert any("not the one that was recorded" in problem for problem in findings.problems)


def test_digests_that_were_recomputed_are_found_with_the_key(made: Made) -> None:
    """Whoever can write the medium can rewrite manifests; the recorded bag digest and the contents tell."""
    path = "data/content/uploads/files.0001.age"
    forged = bytes(pyrage.encrypt(b"nothing", [pyrage.x25519.Recipient.from_str(key) for _name, key in keys().public]))
    files = dict(made.files)
    old = {name: digest_of(data) for name, data in files.items()}
    files[path] = forged
    stored = next(pack.stored_bytes for stream in made.set.streams for pack in stream.packs if pack.path == path)
    files["set.json"] = (
        files["set.json"]
        .replace(old[path].encode(), digest_of(forged).encode())
        .replace(f'"stored_bytes": {stored}'.encode(), f'"stored_bytes": {len(forged)}'.encode())
    )
    files["manifest-sha256.txt"] = files["manifest-sha256.txt"].replace(old[path].encode(), digest_of(forged).encode())
    files["set.json"] = files["set.json"].replace(
        old["manifest-sha256.txt"].encode(), digest_of(files["manifest-sha256.txt"]).encode()
    )
    for name in ("set.json", "manifest-sha256.txt"):
        files["tagmanifest-sha256.txt"] = files["tagmanifest-sha256.txt"].replace(
            old[name].encode(), digest_of(files[name]).encode()
        )
    medium = MemoryMedium("memory-2")
    medium.stored[made.set.id] = files

    def look(identities: Sequence[PrivateKey]) -> tuple[str, ...]:
        return verify_copy(
            medium.open_set(made.set.id),
            made.set.id,
            bag_sha256=None,
            level=VerifyLevel.L2,
            identities=identities,
        ).problems

    assert look([]) == ()  # without the ledger's digest and without a key nobody can tell
    assert any(path in problem for problem in look([keys().identity]))
    assert any("tagmanifest" in problem for problem in made.findings(files).problems)


def test_a_wrong_key_is_no_damage(made: Made) -> None:
    stranger = parse_identity(str(pyrage.x25519.Identity.generate()))

    with pytest.raises(WrongKey):
        made.findings(made.files, [stranger])


def look(made: Made, media: dict[str, Medium], copy: Copy, level: VerifyLevel = VerifyLevel.L2) -> Copy:
    clock = FixedClock(NOW)
    target = VerifyTarget(copy, made.set.bag_sha256)
    return run_verify([target], media, level=level, clock=clock, progress=SilentProgress()).copies[0]


def test_a_damaged_copy_says_which_file(made: Made) -> None:
    medium = MemoryMedium("memory-1")
    medium.stored[made.set.id] = {**made.files, "RESTORE.en.md": b"wrong"}

    copy = look(made, {"memory-1": medium}, made.copy)

    assert copy.state is CopyState.DAMAGED
    assert "RESTORE.en.md" in copy.problem
    assert copy.verified_at == made.copy.verified_at


def test_a_medium_that_shows_no_set_of_the_portal_was_not_looked_at(made: Made) -> None:
    medium = MemoryMedium("memory-1")
    medium.stored[SetId("other-20261118T030405Z-full-abc123")] = {}

    copy = look(made, {"memory-1": medium}, made.copy)

    assert (copy.state, copy.verified_at) == (made.copy.state, made.copy.verified_at)
    assert copy.problem.startswith("not checked: ")


def test_a_set_that_is_gone_from_its_medium_is_damaged(made: Made) -> None:
    medium = MemoryMedium("memory-1")
    medium.stored[SetId("demo-20261118T030405Z-full-abc123")] = {}

    copy = look(made, {"memory-1": medium}, made.copy)

    assert copy.state is CopyState.DAMAGED
    assert "has no set" in copy.problem


def test_a_medium_out_of_reach_changes_nothing_and_says_so(made: Made, tmp_path: Path) -> None:
    for media in ({}, {"memory-1": disk(tmp_path, "absent", create=False)}):
        copy = look(made, media, made.copy)

        assert copy.problem
        assert copy.with_problem("") == made.copy


def test_structure_alone_verifies_nothing(made: Made) -> None:
    sealed = replace(made.copy, state=CopyState.SEALED, level=VerifyLevel.NONE, verified_at=None)

    assert look(made, {"memory-1": made.medium}, sealed, VerifyLevel.L1).state is CopyState.SEALED
    assert look(made, {"memory-1": made.medium}, sealed).state is CopyState.VERIFIED


def test_a_foreign_set_with_many_large_tag_files_is_looked_at_in_bounded_memory(made: Made) -> None:
    large = {f"more-{number}.txt": bytes(4 << 20) for number in range(24)}
    lines = "".join(f"{digest_of(data)}  {path}\n" for path, data in large.items())
    files = {**made.files, **large, TAG_MANIFEST: made.files[TAG_MANIFEST] + lines.encode()}
    medium = MemoryMedium("memory-2")
    medium.stored[made.set.id] = files
    stored = medium.open_set(made.set.id)

    tracemalloc.start()
    verify_copy(stored, made.set.id, bag_sha256=None, level=VerifyLevel.L1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 32 << 20


class EndlessSet(MemoryStoredSet):
    """A set one of whose files does not end; the medium tells its size, or the one that it had."""

    def __init__(self, files: Mapping[str, bytes], endless: str, *, is_told: bool) -> None:
        super().__init__(files)
        self._endless = endless
        self._is_told = is_told
        self.given = 0

    def sizes(self) -> Mapping[str, int]:
        return {**super().sizes(), **({self._endless: 1 << 44} if self._is_told else {})}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with super().open(path) as file:
            yield self if path == self._endless else file

    def read(self, size: int, /) -> bytes:
        self.given += size
        assert self.given < 8 << 20
        return bytes(size)


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("broken", ["", SET_FILE, INFO, TAG_MANIFEST])
def test_a_pack_is_not_read_beyond_its_size(made: Made, is_told: bool, with_key: bool, broken: str) -> None:
    """Nor is one whose size nobody can tell, because what says it is damaged."""
    pack = made.set.streams[0].packs[0]
    files = dict(made.files)
    if broken:
        files[broken] += b"x"
    stored = EndlessSet(files, pack.path, is_told=is_told)

    findings = verify_copy(
        stored,
        made.set.id,
        bag_sha256=made.set.bag_sha256,
        level=VerifyLevel.L2,
        identities=[keys().identity] if with_key else [],
    )

    if broken != TAG_MANIFEST:
        assert any(pack.path in problem for problem in findings.problems)
    assert findings.problems
    assert stored.given <= (0 if is_told else sum(map(len, made.files.values())))
