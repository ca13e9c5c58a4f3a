"""Every bit counts: what is flipped, cut or added in any file of a set is found by `verify`, which names the file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backups.bases import NewBase, SetRequest, choose, read_noted
from backups.job import VerifyTarget, run_backup, run_verify
from backups.media.optical import images_in
from backups.sources._listing import ListingDamaged, read_listing
from backups.verify import verify_copy
from portalops.model.backups import BackupSet, CopyState, SetKind, VerifyLevel
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.system.programs import LocalRunner
from tests.backups.kit import NOW, back_up, plan_of, sample_database, signing, source
from tests.backups.media.test_optical import discs
from tests.backups.memory import MemoryMedium
from tests.backups.test_differential import ZONE, evidence
from tests.doubles import FixedClock, SilentProgress


@dataclass(frozen=True)
class Small:
    """A signed set of three sources, in memory."""

    set: BackupSet
    files: dict[str, bytes]

    def problems(self, path: str, content: bytes) -> tuple[str, ...]:
        """Return what verification says of the set with another content of one file."""
        medium = MemoryMedium("memory-2")
        medium.stored[self.set.id] = {**self.files, path: content}
        return verify_copy(
            medium.open_set(self.set.id),
            self.set.id,
            bag_sha256=self.set.bag_sha256,
            level=VerifyLevel.L2,
            keys=signing().known(),
        ).problems


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    (folder / "tree").mkdir()
    (folder / "tree" / "a").write_bytes(os.urandom(3000))
    medium = MemoryMedium("memory-1")
    sources = [
        source("files", {"include": [str(folder / "tree")]}, folder, id="files"),
        source("sqlite", {"database": str(sample_database(folder / "db", 5))}, folder, id="database"),
        source("command", {"command": ["echo", "dump"]}, folder, id="dump"),
    ]
    made = back_up(sources, [medium], signer=signing()).set
    assert made is not None
    small = Small(made, dict(medium.stored[made.id]))
    assert small.problems("bagit.txt", small.files["bagit.txt"]) == ()
    return small


def flips(content: bytes, *, step: int = 1, bits: range = range(8)) -> Iterator[bytes]:
    for at in range(0, len(content), step):
        for bit in bits:
            yield content[:at] + bytes([content[at] ^ 1 << (bit + at) % 8]) + content[at + 1 :]


def require_named(small: Small, path: str, changed: bytes) -> None:
    problems = small.problems(path, changed)
    assert any(path in problem for problem in problems), (path, changed, problems)


def test_a_flip_in_any_file_is_found_and_named(small: Small) -> None:
    for path, content in small.files.items():
        for changed in flips(content, step=max(1, len(content) // 40), bits=range(1)):
            require_named(small, path, changed)


@pytest.mark.exhaustive
def test_every_flipped_bit_of_every_tag_file_is_found_and_named(small: Small) -> None:
    for path, content in small.files.items():
        if not path.startswith("data/"):
            for changed in flips(content, bits=range(8 if len(content) < 1500 else 2)):
                require_named(small, path, changed)


@pytest.mark.exhaustive
def test_every_byte_of_every_pack_is_found_and_named(small: Small) -> None:
    for path, content in small.files.items():
        if path.startswith("data/"):
            for changed in flips(content, bits=range(1)):
                require_named(small, path, changed)


@pytest.mark.exhaustive
def test_every_length_of_every_file_is_found_and_named(small: Small) -> None:
    for path, content in small.files.items():
        for length in range(len(content)):
            require_named(small, path, content[:length])
        for more in (b"\n", b"\0", content[-1:], content):
            require_named(small, path, content + more)


# --- The listing that a differential compares with: a file of this machine, so what is wrong of it guesses nothing ---


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("listing")
    (folder / "tree").mkdir()
    for name in ("a", "tệp", os.fsdecode(b"\xff")):
        (folder / "tree" / name).write_text("x")
    files = source("files", {"include": [str(folder / "tree")]}, folder, id="files")
    new_base = NewBase(folder)
    made = run_backup(
        plan_of([files], [MemoryMedium("memory-1")]),
        [files],
        [MemoryMedium("memory-1")],
        clock=FixedClock(NOW),
        progress=SilentProgress(),
        new_base=new_base,
    ).set
    assert made is not None
    new_base.keep(made.id, made.bag_sha256, {"files": Digest("1" * 64)})
    (noted,) = read_noted(folder)
    return noted.folder / "files.listing"


@pytest.mark.heavy
def test_every_flipped_bit_and_every_length_of_a_listing_is_found(listing: Path, tmp_path: Path) -> None:
    content = listing.read_bytes()
    assert len(list(read_listing(listing))) == 4
    changed = tmp_path / "changed"

    for data in (*flips(content), *(content[:length] for length in range(len(content))), content + b"\0"):
        changed.write_bytes(data)
        with pytest.raises(ListingDamaged):
            list(read_listing(changed))


def test_a_flip_in_what_is_noted_of_a_base_makes_the_next_set_a_full_one_or_changes_nothing(
    listing: Path, tmp_path: Path
) -> None:
    (noted,) = read_noted(listing.parents[2])
    content = (listing.parent / "base.json").read_bytes()
    place = tmp_path / "bases" / noted.bag_sha256
    place.mkdir(parents=True)
    shutil.copy(listing, place)
    recorded = evidence(SetKind.FULL, 1)
    sets = [replace(recorded, set=replace(recorded.set, bag_sha256=noted.bag_sha256))]
    built_on = 0

    for data in (content, *flips(content)):
        (place / "base.json").write_bytes(data)
        chosen = choose(SetRequest(None, Every.WEEK), sets, read_noted(tmp_path), noted.sources, now=NOW, zone=ZONE)
        if chosen.base is not None:
            built_on += 1
            assert chosen.base.listings == {"files": place / "files.listing"}
    assert built_on


# --- Images of discs: harm outside of files, where no digest of the bag reaches ------------------------------------


@pytest.mark.exhaustive
def test_no_flip_in_an_image_passes_for_a_set_that_is_whole_and_is_not(tmp_path: Path) -> None:
    """Verification names a file, or cannot read the image, or all files are as they were: in the padding, for example."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_bytes(os.urandom(30_000))
    files = source("files", {"include": [str(tmp_path / "tree")], "class": "related"}, tmp_path, id="uploads")
    medium = discs(tmp_path, disc_bytes=8 << 20)
    result = back_up([files], [medium])
    assert result.set is not None
    (image,) = images_in(tmp_path / "discs" / result.set.id)
    content = image.read_bytes()
    used = [at for at in range(0, len(content), 512) if any(content[at : at + 512])]
    found = 0

    for block in used[:: max(1, len(used) // 250)]:
        at = block + block // 512 % 512
        image.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        (copy,) = run_verify(
            [VerifyTarget(result.copies[0], result.set.bag_sha256)],
            {"discs": discs(tmp_path, disc_bytes=8 << 20)},
            clock=FixedClock(NOW),
            progress=SilentProgress(),
        ).copies
        if copy.state is CopyState.DAMAGED or copy.problem:
            found += 1
            continue
        out = tmp_path / "out"
        extracted = LocalRunner().run(
            ("xorriso", "-osirrox", "on", "-indev", f"stdio:{image}", "-extract", f"/{result.set.id}", str(out))
        )
        sums = LocalRunner().run(("sh", "-c", f"cd {out} && sha256sum --check --quiet tagmanifest-sha256.txt"))
        LocalRunner().run(("rm", "-rf", str(out)))
        assert (extracted.exit_code, sums.exit_code) == (0, 0), (at, extracted.stderr, sums.stderr)
    assert found > 20
