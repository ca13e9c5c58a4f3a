"""Images of discs: sets spread over several, read back out of them, and opened with stock programs."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from pathlib import Path

import bagit
import pytest

from backups.burning import DiscComparison, compare, require_blank, volume_id_in
from backups.job import VerifyTarget, run_verify
from backups.media import build_medium
from backups.media._burner import DiscBurner, parse_state
from backups.media.optical import (
    OVERHEAD_BYTES,
    Disc,
    PlannedDisc,
    TooLarge,
    check_image,
    images_in,
    parse_extents,
    spread,
)
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.model.backups import BackupResult, CopyState, SetId
from portalops.model.media import DiscState
from portalops.model.record import Digest
from portalops.ports import LoadedDisc, Medium
from tests.backups.kit import NOW, back_up, keys, source, stock, table
from tests.doubles import FixedClock, SilentProgress

pytestmark = pytest.mark.needs("xorriso")

MIB = 1 << 20


def discs(folder: Path, **values: object) -> Medium:
    settings = {"folder": str(folder / "discs"), "create": True, "allow_same_filesystem": True, **values}
    return build_medium(table("optical", settings, folder, "discs"))


@pytest.fixture
def made(tmp_path: Path) -> BackupResult:
    """A set of about 9 MiB on discs of 9 MiB, of which 4 are kept free."""
    (tmp_path / "tree").mkdir()
    for number in range(9):
        (tmp_path / "tree" / f"bài {number}").write_bytes(os.urandom(MIB))
    files = source("files", {"include": [str(tmp_path / "tree")], "class": "related"}, tmp_path, id="uploads")
    return back_up([files], [discs(tmp_path, disc_bytes=9 * MIB)], pack_bytes=MIB)


def test_a_set_is_spread_over_discs_and_read_back(made: BackupResult, tmp_path: Path) -> None:
    assert made.set is not None
    assert [copy.state for copy in made.copies] == [CopyState.VERIFIED]
    images = images_in(tmp_path / "discs" / made.set.id)
    assert [image.name for image in images] == ["disc-1.iso", "disc-2.iso", "disc-3.iso"]
    assert all(image.stat().st_size <= 9 * MIB for image in images)
    assert [path.name for path in (tmp_path / "discs").iterdir()] == [made.set.id], "nothing is left beside it"


@pytest.mark.heavy
def test_the_folders_of_all_discs_together_are_the_bag(made: BackupResult, tmp_path: Path) -> None:
    assert made.set is not None
    for image in images_in(tmp_path / "discs" / made.set.id):
        stock(["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", tmp_path / "copied"])
        subprocess.run(["chmod", "-R", "u+w", tmp_path / "copied"], check=True)
    note = (tmp_path / "copied" / "DISC.txt").read_text(encoding="utf-8")
    assert note.startswith(f"Đĩa 3 trên 3 của bộ sao lưu {made.set.id}.")
    bag = tmp_path / "copied" / made.set.id

    for manifest in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        stock(["sha256sum", "--check", "--quiet", "--strict", manifest], cwd=bag)
    bagit.Bag(str(bag)).validate(processes=1)
    packs = sorted((bag / "data" / "related" / "uploads").glob("files.[0-9]*.age"))
    key = keys().file(tmp_path)
    plain = b"".join(stock(["age", "--decrypt", "--identity", key, pack]).stdout for pack in packs)
    tar = subprocess.run(["zstd", "-dc"], input=plain, capture_output=True, check=True).stdout
    listed = subprocess.run(["tar", "-t"], input=tar, capture_output=True, check=True).stdout.decode()
    assert listed.count("tree/b") == 9


def test_every_damaged_pack_is_named(made: BackupResult, tmp_path: Path) -> None:
    assert made.set is not None
    image = images_in(tmp_path / "discs" / made.set.id)[1]
    done = subprocess.run(
        ["xorriso", "-indev", f"stdio:{image}", "-find", "/", "-name", "*.age", "-exec", "report_lba"],
        capture_output=True,
        check=True,
    )
    path, extent = next(parse_extents(done.stdout, image))
    with image.open("r+b") as file:
        file.seek(extent.start + extent.size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    medium = discs(tmp_path, disc_bytes=9 * MIB)

    (copy,) = run_verify(
        [VerifyTarget(made.copies[0], made.set.bag_sha256)],
        {"discs": medium},
        clock=FixedClock(NOW),
        progress=SilentProgress(),
    ).copies

    assert copy.state is CopyState.DAMAGED
    assert path.removeprefix(f"/{made.set.id}/") in copy.problem
    assert check_image(image).exit_code != 0, "xorriso's own check finds it too"


@pytest.mark.parametrize("harm", ["missing", "cut", "noise"])
def test_a_disc_that_is_missing_or_no_disc_is_told(made: BackupResult, tmp_path: Path, harm: str) -> None:
    assert made.set is not None
    image = images_in(tmp_path / "discs" / made.set.id)[2]
    match harm:
        case "missing":
            image.unlink()
        case "cut":
            os.truncate(image, image.stat().st_size // 2)
        case _:
            image.write_bytes(os.urandom(MIB))

    (copy,) = run_verify(
        [VerifyTarget(made.copies[0], made.set.bag_sha256)],
        {"discs": discs(tmp_path)},
        clock=FixedClock(NOW),
        progress=SilentProgress(),
    ).copies

    assert copy.state is CopyState.DAMAGED
    assert {"missing": "is missing", "cut": "is cut short", "noise": "can be read from disc-3.iso"}[
        harm
    ] in copy.problem


@pytest.mark.heavy
@pytest.mark.parametrize("broken", [(0,), (0, 1, 2)])
def test_an_image_without_a_directory_is_damage_and_what_the_others_hold_is_still_read(
    made: BackupResult, tmp_path: Path, broken: tuple[int, ...]
) -> None:
    assert made.set is not None
    images = images_in(tmp_path / "discs" / made.set.id)
    for number in broken:
        with images[number].open("r+b") as file:
            file.seek(16 * 2048)
            file.write(bytes(64 * 2048))
    stored = discs(tmp_path, disc_bytes=9 * MIB).open_set(made.set.id)

    whole = set(stored.sizes())

    payload = {pack.path for stream in made.set.streams for pack in stream.packs}
    assert bool(whole & payload) is (len(broken) < 3)
    missing = min(payload - whole)
    with pytest.raises(SetDamaged, match=r"no image of a disc can be read from disc-1\.iso"), stored.open(missing):
        pass
    (copy,) = run_verify(
        [VerifyTarget(made.copies[0], made.set.bag_sha256)],
        {"discs": discs(tmp_path)},
        clock=FixedClock(NOW),
        progress=SilentProgress(),
    ).copies
    assert copy.state is CopyState.DAMAGED and "no image of a disc can be read from" in copy.problem


def test_images_that_may_not_be_read_say_nothing_of_the_set(made: BackupResult, tmp_path: Path) -> None:
    """A loop of links stands for them: root may read everything."""
    assert made.set is not None
    image = images_in(tmp_path / "discs" / made.set.id)[1]
    image.unlink()
    image.symlink_to(image.name)

    with pytest.raises(MediumUnavailable):
        discs(tmp_path).open_set(made.set.id).sizes()


def test_a_run_that_died_leaves_nothing_for_the_next_one(tmp_path: Path) -> None:
    medium = discs(tmp_path)
    medium.prepare([])
    for leftover in (".staging/.incoming-demo/data", ".incoming-demo"):
        (tmp_path / "discs" / leftover).mkdir(parents=True)

    medium.prepare([])

    assert list((tmp_path / "discs").iterdir()) == []


def test_what_a_run_at_work_is_writing_is_left_alone(tmp_path: Path) -> None:
    medium = discs(tmp_path)
    medium.prepare([])
    writer = medium.begin(SetId("demo-1"), expected_bytes=0)
    writer.open("bagit.txt")
    writer.write(b"x")

    discs(tmp_path).prepare([])
    writer.close()
    writer.seal()

    assert medium.sets() == ("demo-1",)


def test_a_pack_that_fits_on_no_disc_is_refused(tmp_path: Path) -> None:
    medium = discs(tmp_path, disc_bytes=8 * MIB)
    medium.prepare([])
    writer = medium.begin(SetId("demo-1"), expected_bytes=0)
    writer.open("data/content/a/files.0001.age")
    writer.write(bytes(5 * MIB))
    writer.close()

    with pytest.raises(
        MediumUnavailable, match=r"data/content/a/files\.0001\.age does not fit on a disc of 8388608 bytes"
    ) as refused:
        writer.seal()
    writer.abandon()

    assert "backup.pack_mib" in str(refused.value.hint)
    assert medium.sets() == () and list((tmp_path / "discs").iterdir()) == []


def test_packs_go_onto_discs_in_their_order_and_tags_onto_each() -> None:
    sizes = {"bagit.txt": 10, "data/a.0001": 3 * MIB, "data/a.0002": 3 * MIB, "data/b.0001": MIB, "set.json": 10}

    planned = spread(sizes, OVERHEAD_BYTES + 5 * MIB)

    tags = ("bagit.txt", "set.json")
    assert planned == (
        PlannedDisc(1, (*tags, "data/a.0001")),
        PlannedDisc(2, (*tags, "data/a.0002", "data/b.0001")),
    )
    with pytest.raises(TooLarge, match=r"data/a\.0001"):
        spread(sizes, OVERHEAD_BYTES + 2 * MIB)


@pytest.mark.parametrize(("disc", "least"), [(Disc.CD, 700 * MIB), (Disc.DVD, 4_400 * MIB), (Disc.BD, 23_000 * MIB)])
def test_a_disc_holds_what_its_kind_holds(disc: Disc, least: int) -> None:
    assert least < disc.capacity_bytes < least * 1.1


@pytest.mark.heavy
def test_a_burnt_disc_is_read_back(made: BackupResult, tmp_path: Path) -> None:
    """On xorriso's stand-in for a drive: a file that takes the place of the disc."""
    assert made.set is not None
    image = images_in(tmp_path / "discs" / made.set.id)[0]
    digest, size = Digest(hashlib.sha256(image.read_bytes()).hexdigest()), image.stat().st_size
    blank = tmp_path / "blank"
    blank.touch()
    drive = DiscBurner(f"stdio:{blank}")
    assert require_blank(drive, size).is_blank

    program = drive.burn(image)
    drive.reload()

    assert program == "xorriso"
    assert compare(drive, digest, size) == DiscComparison(DiscState.WHOLE)
    assert volume_id_in(drive) == f"{made.set.id[-6:].upper()}_D1_20261125T030405Z"
    assert check_image(blank).exit_code == 0
    with pytest.raises(MediumUnavailable, match="is not blank: it is written"):
        require_blank(drive, size)
    with blank.open("r+b") as disc:
        disc.seek(size // 2)
        byte = disc.read(1)
        disc.seek(-1, os.SEEK_CUR)
        disc.write(bytes([byte[0] ^ 1]))
    assert compare(drive, digest, size).state is DiscState.BROKEN


def test_what_xorriso_says_of_a_disc_is_read() -> None:
    """Real output of xorriso 1.5.6, with a blank file in place of a drive."""
    state = parse_state(
        "Drive current: -outdev 'stdio:blank'\nDrive access : exclusive:unrestricted\n"
        "Drive type   : vendor 'YOYODYNE' product 'WARP DRIVE' revision 'FX01'\n"
        "Media current: stdio file, overwriteable\nMedia status : is blank\n"
        "Media blocks : 0 readable , 39625108 writable , 39625108 overall\n"
        "Media summary: 0 sessions, 0 data blocks, 0 data, 75.6g free\n"
        "Media space  : 39625076s\nAfter commit : 39625076s\n"
    )

    assert state == LoadedDisc("stdio file, overwriteable", "is blank", True, 39625076 * 2048, "YOYODYNE WARP DRIVE")
    assert parse_state("") is None


def test_a_removal_that_the_disk_does_not_end_is_ended_by_the_next_run(
    made: BackupResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert made.set is not None
    medium = discs(tmp_path, disc_bytes=9 * MIB)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_args, **_more: None)
        medium.remove(made.set.id)

    assert medium.sets() == ()
    assert [path.name for path in (tmp_path / "discs").iterdir()] == [f".removing-{made.set.id}"]
    medium.prepare([])
    assert list((tmp_path / "discs").iterdir()) == []


def test_a_share_without_locks_takes_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    assert discs(tmp_path).prepare([]) is False
