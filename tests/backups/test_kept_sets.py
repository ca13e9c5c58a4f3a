"""Sets that earlier versions made and that are kept here: what could be restored then can be restored for ever."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from backups.age import PrivateKey, read_identities
from backups.bag import MANIFEST, TAG_MANIFEST, digest_of, parse_manifest, tag_manifest
from backups.job import VerifyTarget, run_verify
from backups.restore import restore_set
from backups.set_file import NAME, VERSION, VERSIONS, SetFile, parse_set_file
from backups.verify import verify_copy
from portalops.errors import SetOfLaterVersion
from portalops.model.backups import Copy, CopyState, SetId, VerifyLevel
from portalops.ports import Medium, StoredSet
from tests.backups.kit import NOW, alone, disk
from tests.doubles import FixedClock, SilentProgress

SAMPLES = Path(__file__).parent.parent / "samples"
TREE = Path("web/srv/portal/web")
LATER = VERSION + 1


@dataclass(frozen=True)
class Kept:
    """What one version made: a full set and a differential of the same small portal."""

    folder: Path

    @property
    def identities(self) -> tuple[PrivateKey, ...]:
        return tuple(read_identities(self.folder / "operator.txt"))

    def set_id(self, kind: str) -> SetId:
        (found,) = self.folder.glob(f"sample-*-{kind}-*")
        return SetId(found.name)

    @property
    def full(self) -> SetId:
        return self.set_id("full")


@pytest.fixture(params=VERSIONS)
def kept(request: pytest.FixtureRequest) -> Kept:
    return Kept(SAMPLES / f"set-v{request.param}")


@pytest.fixture
def medium(kept: Kept, tmp_path: Path) -> Medium:
    """A disk with the kept sets on it."""
    for kind in ("full", "diff"):
        shutil.copytree(kept.folder / kept.set_id(kind), tmp_path / "disk" / kept.set_id(kind))
    return disk(tmp_path, "disk")


def opened(medium: Medium, set_id: SetId) -> tuple[StoredSet, SetFile]:
    stored = medium.open_set(set_id)
    with stored.open(NAME) as file:
        return stored, parse_set_file(file.read(1 << 20))


@pytest.mark.parametrize("kind", ["full", "diff"])
def test_a_kept_set_is_whole_signed_and_opens(medium: Medium, kept: Kept, kind: str) -> None:
    set_id, keys = kept.set_id(kind), kept.identities
    found = verify_copy(medium.open_set(set_id), set_id, bag_sha256=None, level=VerifyLevel.L2, identities=keys)

    assert found.problems == ()
    assert found.content is not None and found.content.signer.startswith("ssh-ed25519 ")


def test_a_kept_full_set_is_restored_as_it_was(medium: Medium, kept: Kept, tmp_path: Path) -> None:
    stored, content = opened(medium, kept.full)

    report = restore_set(alone(stored, content), kept.identities, tmp_path / "out")

    assert (report.damaged, report.refused) == ((), ())
    tree = tmp_path / "out" / TREE
    assert sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()) == [
        "bài-viết/tin-1.html",
        "gone.txt",
        "logo.bin",
        "mới-nhất",
    ]
    assert (tree / "mới-nhất").readlink() == Path("bài-viết/tin-1.html")
    assert (tree / "mới-nhất").read_text() == "<p>Tin tức số 1</p>\n"
    assert (tree / "logo.bin").read_bytes() == b"\0\1\2"
    assert titles(tmp_path / "out") == ["Khai trương", "Thông báo"]
    assert [path.read_text() for path in (tmp_path / "out" / "greeting").iterdir()] == ["xin chào\n"]


def test_a_kept_differential_set_is_restored_over_its_base(medium: Medium, kept: Kept, tmp_path: Path) -> None:
    stored, content = opened(medium, kept.set_id("diff"))
    base = alone(*opened(medium, kept.full))

    report = restore_set(alone(stored, content), kept.identities, tmp_path / "out", base=base)

    assert (report.damaged, report.refused) == ((), ())
    tree = tmp_path / "out" / TREE
    assert not (tree / "gone.txt").exists()
    assert (tree / "bài-viết" / "tin-1.html").is_file()
    assert (tree / "bài-viết" / "tin-2.html").read_text() == "<p>Tin tức số 2</p>\n"
    assert titles(tmp_path / "out") == ["Khai trương", "Thông báo", "Lịch tiếp dân"]


def titles(folder: Path) -> list[str]:
    """What the restored database holds."""
    (database,) = [path for path in (folder / "portal-db").rglob("*") if path.is_file()]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return [title for (title,) in connection.execute("SELECT title FROM article ORDER BY id")]


def of_version(folder: Path, version: int) -> None:
    """Make of a kept set one that a later version would make: another form in set.json, and digests that fit it."""
    content = json.loads((folder / NAME).read_text())
    content = {"schema": f"portalops.backup-set/{version}", "moved": content["streams"]}
    (folder / NAME).write_text(json.dumps(content))
    tags = parse_manifest(TAG_MANIFEST, (folder / TAG_MANIFEST).read_bytes())
    (folder / TAG_MANIFEST).write_bytes(tag_manifest({path: (folder / path).read_bytes() for path in tags}))


def test_a_set_of_a_later_version_is_neither_damaged_nor_verified(medium: Medium, kept: Kept, tmp_path: Path) -> None:
    of_version(tmp_path / "disk" / kept.full, LATER)
    bag = digest_of((tmp_path / "disk" / kept.full / TAG_MANIFEST).read_bytes())
    copy = Copy(kept.full, medium.id, medium.kind, CopyState.SEALED, VerifyLevel.NONE, None)

    (found,) = run_verify(
        [VerifyTarget(copy, bag)], {medium.id: medium}, clock=FixedClock(NOW), progress=SilentProgress()
    ).copies

    assert found.state is CopyState.SEALED and found.verified_at is None
    assert found.problem == f"not checked: set.json has format version {LATER}; this portalops knows {VERSION}"


def test_a_set_that_was_replaced_is_damaged_whatever_version_it_says_it_is_of(
    medium: Medium, kept: Kept, tmp_path: Path
) -> None:
    bag = digest_of((tmp_path / "disk" / kept.full / TAG_MANIFEST).read_bytes())
    of_version(tmp_path / "disk" / kept.full, LATER)
    copy = Copy(kept.full, medium.id, medium.kind, CopyState.VERIFIED, VerifyLevel.L2, NOW)

    (found,) = run_verify(
        [VerifyTarget(copy, bag)], {medium.id: medium}, clock=FixedClock(NOW), progress=SilentProgress()
    ).copies

    assert found.state is CopyState.DAMAGED
    assert "not the one that was recorded" in found.problem and f"version {LATER}" in found.problem


def test_the_error_of_a_later_version_says_what_to_do(medium: Medium, kept: Kept, tmp_path: Path) -> None:
    of_version(tmp_path / "disk" / kept.full, 7)

    with pytest.raises(SetOfLaterVersion, match="version 7") as raised:
        opened(medium, kept.full)

    assert "newer portalops" in str(raised.value.hint)


def test_a_form_that_no_version_has_is_damage(medium: Medium, kept: Kept, tmp_path: Path) -> None:
    of_version(tmp_path / "disk" / kept.full, 0)
    assert MANIFEST in parse_manifest(TAG_MANIFEST, (tmp_path / "disk" / kept.full / TAG_MANIFEST).read_bytes())

    found = verify_copy(medium.open_set(kept.full), kept.full, bag_sha256=None, level=VerifyLevel.L2)

    assert any(problem.startswith(NAME) for problem in found.problems)
