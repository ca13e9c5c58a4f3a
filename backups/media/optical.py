"""Optical discs: a set as ISO images with checksums, spread over as many discs as it takes, ready to be burnt.

    [[backup.medium]]
    id = "discs"
    kind = "optical"
    folder = "/srv/discs"
    disc = "dvd"

A set becomes `<folder>/<set>/disc-1.iso`, `disc-2.iso` and so on (ISO 9660 with Rock Ridge and Joliet, made by xorriso, with
an MD5 of each file in the image, which xorriso itself checks). Each disc has the folder `<set>` with all tag files of the bag
and its part of the packs, so that the folders of all discs, copied into one, are the bag; `DISC.txt` states this and which disc
it is. A pack is never split over two discs.

The images are written beside their place, checked, synced and then renamed: a set is there whole or not at all. They are what
`backup verify` reads, file by file from inside the images: it says nothing of discs. `media burn` writes them to discs and
compares, `media check --device` compares a disc again (`backups/burning.py`). An image that cannot be read is a damaged part of
its set: what lies on the others is still read.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import Field, StrictInt

from backups.bag import PAYLOAD
from backups.media import MediumKind
from backups.media._errors import is_there_already, medium_unavailable, no_such_set
from backups.media._folders import (
    INCOMING,
    folder_unavailable,
    free_bytes,
    free_removed,
    is_name,
    nearest,
    put_away,
    ready_folder,
    require_folder,
)
from backups.media._throttled import MediumSettings
from backups.media.disk import DiskSetWriter
from portalops.config.tables import KindTable, LocalPath
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.files import sync_folder
from portalops.model.backups import SetId
from portalops.model.causes import cause_of
from portalops.model.message import ByteCount, Message, kept, msg
from portalops.model.text import show_text
from portalops.ports import Completed, Readable, Room
from portalops.system.programs import LocalRunner

STAGING = ".staging"
BLOCK_BYTES = 2048
"""A sector of ISO 9660."""
OVERHEAD_BYTES = 4 << 20
"""Room on each disc for the directories, the checksums, and what xorriso pads an image with (300 KiB)."""
NO_PROGRAM = 127
"""What the runner says of a program that is not there."""
_A_DAY = 86_400.0
_FILE = re.compile(rb"File data lba: +(\d+) , +(\d+) , +\d+ , +(\d+) , '(.*)'$")
_DISC_NAME = re.compile(r"disc-(\d+)\.iso")


class Disc(StrEnum):
    """Kinds of discs, by the capacity that all makes of them have."""

    CD = "cd"
    DVD = "dvd"
    DVD_DL = "dvd-dl"
    BD = "bd"
    BD_DL = "bd-dl"

    @property
    def capacity_bytes(self) -> int:
        """Bytes of data that the disc holds (ECMA-130 80 min, ECMA-337, ECMA-364, BD-R 1 and 2 layers)."""
        return _CAPACITY[self]


_CAPACITY: Mapping[Disc, int] = {
    Disc.CD: 359_849 * BLOCK_BYTES,
    Disc.DVD: 2_295_104 * BLOCK_BYTES,
    Disc.DVD_DL: 4_171_712 * BLOCK_BYTES,
    Disc.BD: 12_219_392 * BLOCK_BYTES,
    Disc.BD_DL: 24_438_784 * BLOCK_BYTES,
}


class Settings(MediumSettings):
    """`kind = "optical"`."""

    folder: LocalPath = Field(description="Where the images go, and where a set is put together: twice its size.")
    create: bool = Field(default=False, description="Make the folder if it is not there.")
    disc: Disc = Field(default=Disc.DVD, description="What will be burnt: cd, dvd, dvd-dl, bd or bd-dl.")
    disc_bytes: StrictInt | None = Field(
        default=None, ge=8 << 20, description="Bytes that fit on one disc, where it is none of these kinds."
    )
    allow_same_filesystem: bool = Field(default=False, description="Allow the file system of what is copied.")

    @property
    def capacity_bytes(self) -> int:
        """Bytes that one disc holds."""
        return self.disc_bytes or self.disc.capacity_bytes


def build(table: KindTable) -> OpticalMedium:
    """Return the medium that a configuration table describes."""
    return OpticalMedium(table.id, table.parse(Settings))


@dataclass(frozen=True, slots=True)
class PlannedDisc:
    """What goes onto one disc."""

    number: int
    files: tuple[str, ...]
    """Relative to the bag."""


class TooLarge(Exception):
    """A file that fits on no disc."""


def spread(sizes: Mapping[str, int], capacity_bytes: int) -> tuple[PlannedDisc, ...]:
    """Spread a set over discs, pack by pack in the order of their names; every disc has all tag files.

    Args:
        sizes: every file of the bag with its size in bytes.
        capacity_bytes: of one disc.

    Raises:
        TooLarge: a file does not fit on a disc together with the tag files.
    """
    tags = tuple(sorted(path for path in sizes if not path.startswith(PAYLOAD)))
    room = capacity_bytes - OVERHEAD_BYTES - sum(_blocks(sizes[path]) for path in tags)
    discs: list[list[str]] = [[]]
    left = room
    for path in sorted(path for path in sizes if path.startswith(PAYLOAD)):
        size = _blocks(sizes[path])
        if size > room:
            raise TooLarge(path)
        if size > left:
            discs.append([])
            left = room
        discs[-1].append(path)
        left -= size
    return tuple(PlannedDisc(number, (*tags, *files)) for number, files in enumerate(discs, 1))


def _blocks(size: int) -> int:
    return -(-size // BLOCK_BYTES) * BLOCK_BYTES


def volume_id(set_id: SetId, number: int) -> str:
    """Return what a disc calls itself: the set's random digits, the disc's number, the set's time.

    ISO 9660 takes 32 of A to Z, 0 to 9 and `_`; Joliet, which Windows shows, the first 16: they name set, disc and day.

    >>> volume_id(SetId("portal-20261125T030405Z-full-abc123"), 2)
    'ABC123_D2_20261125T030405Z'
    """
    *_portal, stamp, _kind, chance = ("", "", *set_id.upper().split("-"))
    return f"{chance}_D{number}_{stamp}"


def disc_note(set_id: SetId, number: int, count: int) -> str:
    """Return `DISC.txt`, in both languages, for a person who has only a disc."""
    return (
        f"Đĩa {number} trên {count} của bộ sao lưu {set_id}.\n"
        f"Hãy chép thư mục {set_id} của cả {count} đĩa vào cùng một thư mục, rồi làm theo RESTORE.vi.md trong đó.\n\n"
        f"Disc {number} of {count} of the backup set {set_id}.\n"
        f"Copy the folder {set_id} of all {count} discs into one folder, then follow RESTORE.en.md in it.\n"
    )


class OpticalMedium:
    """Keeps sets as images of discs."""

    kind = "optical"

    def __init__(self, medium_id: str, settings: Settings) -> None:
        self.id = medium_id
        self._settings = settings
        self._folder = settings.folder

    def places(self) -> Sequence[Path]:
        return (self._folder,)

    def require_place(self, sources: Sequence[Path]) -> None:
        """Require that `prepare` would find its folder and program; nothing is made or written.

        Raises:
            MediumUnavailable: it would not.
        """
        if _xorriso("-version").exit_code == NO_PROGRAM:
            raise no_xorriso(self.id)
        settings = self._settings
        allows = settings.allow_same_filesystem
        try:
            require_folder(self.id, self._folder, sources, create=settings.create, allow_same_filesystem=allows)
        except OSError as error:
            raise self._unavailable(error) from error

    def prepare(self, sources: Sequence[Path]) -> bool:
        if _xorriso("-version").exit_code == NO_PROGRAM:
            raise no_xorriso(self.id)
        try:
            shares = ready_folder(
                self.id,
                self._folder,
                sources,
                create=self._settings.create,
                allow_same_filesystem=self._settings.allow_same_filesystem,
            )
            free_removed(self._folder)
            with _locked(self._folder) as is_mine:
                if is_mine:
                    for dead in (*self._folder.glob(f"{INCOMING}*"), self._folder / STAGING):
                        shutil.rmtree(dead, ignore_errors=True)
        except OSError as error:
            raise self._unavailable(error) from error
        return shares

    def room(self, expected_bytes: int) -> Room:
        """Return what there is place for: a set lies in the folder twice, as files and as images, and is then burnt."""
        try:
            free = free_bytes(nearest(self._folder))
        except OSError as error:
            raise self._unavailable(error) from error
        discs = -(-expected_bytes // (self._settings.capacity_bytes - OVERHEAD_BYTES))
        return Room(free // 2, max(1, discs))

    def begin(self, set_id: SetId, *, expected_bytes: int) -> OpticalSetWriter:
        try:
            free = free_bytes(self._folder)
            if free < 2 * expected_bytes:
                raise medium_unavailable(
                    self.id,
                    msg(
                        "only {free} are free, but the set needs about {needed}",
                        free=ByteCount(free),
                        needed=ByteCount(2 * expected_bytes),
                    ),
                    msg("Remove old sets with 'portalops backup prune', or use a larger disk."),
                )
            if os.path.lexists(self._folder / set_id):
                raise is_there_already(self.id, set_id)
            return OpticalSetWriter(self.id, self._folder, set_id, self._settings.capacity_bytes)
        except OSError as error:
            raise self._unavailable(error) from error

    def sets(self) -> tuple[SetId, ...]:
        try:
            with os.scandir(self._folder) as entries:
                found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            raise self._unavailable(error) from error
        named = (name for name in found if not name.startswith(".") and (self._folder / name / "disc-1.iso").is_file())
        return tuple(sorted(SetId(name) for name in named))

    def open_set(self, set_id: SetId) -> OpticalStoredSet:
        return OpticalStoredSet(self.id, set_id, self.images(set_id))

    def images(self, set_id: SetId) -> tuple[Path, ...]:
        """Return the images of a set, disc by disc.

        Raises:
            SetNotFound: it has no such set.
            MediumUnavailable: it cannot be read.
        """
        if not self._folder.is_dir():
            raise self._unavailable(FileNotFoundError())
        folder = self._folder / set_id
        if not is_name(set_id) or folder.is_symlink() or not folder.is_dir():
            raise no_such_set(self.id, set_id)
        try:
            return images_in(folder)
        except OSError as error:
            raise self._unavailable(error) from error

    def remove(self, set_id: SetId) -> None:
        if not is_name(set_id):
            raise no_such_set(self.id, set_id)
        try:
            was_there = put_away(self._folder, set_id)
        except OSError as error:
            raise self._unavailable(error) from error
        if not was_there:
            raise no_such_set(self.id, set_id)

    def _unavailable(self, error: OSError) -> MediumUnavailable:
        return folder_unavailable(
            self.id, self._folder, error, msg("Make the folder, or set create = true."), create=self._settings.create
        )


def images_in(folder: Path) -> tuple[Path, ...]:
    """Return the images of a set, disc by disc."""
    found = {int(match[1]): path for path in folder.iterdir() if (match := _DISC_NAME.fullmatch(path.name))}
    return tuple(found[number] for number in sorted(found))


class OpticalSetWriter:
    """A set that is collected in a folder and becomes images when it is sealed."""

    def __init__(self, medium: str, folder: Path, set_id: SetId, capacity_bytes: int) -> None:
        self._medium = medium
        self._folder = folder
        self._set_id = set_id
        self._capacity_bytes = capacity_bytes
        self._incoming = folder / f"{INCOMING}{set_id}"
        (folder / STAGING).mkdir(mode=0o700, exist_ok=True)
        self._lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with suppress(OSError):  # a share without locks
            fcntl.flock(self._lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        try:
            self._inner = DiskSetWriter(medium, folder / STAGING, set_id)
        except OSError:
            self._let_go()
            raise

    def open(self, path: str) -> None:
        self._inner.open(path)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._inner.write(data)

    def close(self) -> None:
        self._inner.close()

    def discard(self, path: str) -> None:
        self._inner.discard(path)

    def seal(self) -> None:
        self._inner.seal()
        staged = self._folder / STAGING / self._set_id
        try:
            sizes = {str(path.relative_to(staged)): path.stat().st_size for path in staged.rglob("*") if path.is_file()}
            discs = spread(sizes, self._capacity_bytes)
        except TooLarge as error:
            raise medium_unavailable(
                self._medium,
                msg("{path} does not fit on a disc of {size} bytes", path=str(error), size=self._capacity_bytes),
                msg("Lower backup.pack_mib, or use larger discs."),
            ) from error
        except OSError as error:
            raise medium_unavailable(self._medium, error) from error
        try:
            self._incoming.mkdir(mode=0o700)
            for disc in discs:
                self._make_image(staged, disc, len(discs))
            sync_folder(self._incoming)
            self._incoming.rename(self._folder / self._set_id)
            self._incoming = self._folder / self._set_id
            sync_folder(self._folder)
        except OSError as error:
            raise medium_unavailable(self._medium, error) from error
        shutil.rmtree(staged, ignore_errors=True)
        self._let_go()

    def abandon(self) -> None:
        self._inner.abandon()
        shutil.rmtree(self._folder / STAGING / self._set_id, ignore_errors=True)
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._let_go()

    def _make_image(self, staged: Path, disc: PlannedDisc, count: int) -> None:
        image = self._incoming / f"disc-{disc.number}.iso"
        note = self._incoming / "DISC.txt"
        note.write_text(disc_note(self._set_id, disc.number, count), encoding="utf-8")
        files = self._incoming / "files"
        lines = [f"{self._set_id}/{path}={staged / path}" for path in disc.files] + [f"DISC.txt={note}"]
        files.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._require(
            _xorriso(
                *("-as", "mkisofs", "-quiet", "-iso-level", "3", "-r", "-J", "-joliet-long", "--md5"),
                *("-V", volume_id(self._set_id, disc.number)),
                *("-o", str(image), "-graft-points", "-path-list", str(files)),
            ),
            msg("xorriso could not make the image of disc {number}", number=disc.number),
        )
        note.unlink()
        files.unlink()
        # The check below is to read the disk, not the cache.
        with image.open("rb") as made:
            os.fsync(made.fileno())
            os.posix_fadvise(made.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if image.stat().st_size > self._capacity_bytes:
            raise medium_unavailable(
                self._medium,
                msg("the image of disc {number} is larger than a disc", number=disc.number),
                msg("Lower disc_bytes by some megabytes."),
            )
        self._require(
            check_image(image), msg("the image of disc {number} does not match its checksums", number=disc.number)
        )

    def _require(self, done: Completed, what: Message) -> None:
        if done.exit_code != 0:
            said = show_text(" ".join(done.stderr.decode("utf-8", "replace").split())[-300:], 300)
            raise medium_unavailable(
                self._medium,
                msg("{what}: exit code {exit_code}: {said}", what=what, exit_code=done.exit_code, said=said or "-"),
                msg("Check that there is enough space and that xorriso has version 1.5 or later."),
            )

    def _let_go(self) -> None:
        with suppress(OSError):
            (self._folder / STAGING).rmdir()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a file lies in an image."""

    image: Path
    start: int
    size: int


class OpticalStoredSet:
    """A set in its images; what is read comes from the disk, or from the drive, and not from the memory that caches it."""

    def __init__(self, medium: str, set_id: SetId, images: Sequence[Path]) -> None:
        self._medium = medium
        self._set_id = set_id
        self._images = images
        self._found: Mapping[str, Extent] | None = None
        self._broken: list[str] = []
        """Names of images of which no listing can be had."""

    def sizes(self) -> Mapping[str, int]:
        return {path: extent.size for path, extent in self._extents().items()}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        extent = self._extents().get(path)
        if extent is None:
            if not self._broken:
                raise _damaged(path, msg("the file is missing"))
            names = ", ".join(self._broken)
            raise _damaged(
                path, msg("the file is missing, and no image of a disc can be read from {names}", names=names)
            )
        try:
            descriptor = os.open(extent.image, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _damaged(path, cause_of(error)) from error
        try:
            os.posix_fadvise(descriptor, extent.start, extent.size, os.POSIX_FADV_DONTNEED)
            yield _ExtentReader(descriptor, extent, path)
        finally:
            os.close(descriptor)

    def _extents(self) -> Mapping[str, Extent]:
        """Return where each file lies; a tag file, which is on every disc, is taken from the first.

        What lies on an image that cannot be read is missing, and reading it says why.

        Raises:
            MediumUnavailable: the images cannot be opened, or there is no program that reads them.
        """
        if self._found is None:
            found: dict[str, Extent] = {}
            prefix = f"/{self._set_id}/"
            for image in self._images:
                try:
                    os.close(os.open(image, os.O_RDONLY | os.O_CLOEXEC))
                except OSError as error:
                    raise medium_unavailable(self._medium, error) from error
                done = _xorriso("-indev", f"stdio:{image}", "-find", "/", "-type", "f", "-exec", "report_lba", "--")
                if done.exit_code == NO_PROGRAM:
                    raise no_xorriso(self._medium)
                listed = dict(parse_extents(done.stdout, image)) if done.exit_code == 0 else {}
                here = {path: extent for path, extent in listed.items() if path.startswith(prefix)}
                if not here:  # xorriso takes what has no directory for a blank disc
                    self._broken.append(image.name)
                for path, extent in here.items():
                    found.setdefault(path.removeprefix(prefix), extent)
            self._found = found
        return self._found


def parse_extents(listing: bytes, image: Path) -> Iterator[tuple[str, Extent]]:
    """Yield path and place of each file out of what `xorriso -find / -exec report_lba` prints.

    `File data lba:  0 ,       36 ,     1465 ,  3000000 , '/S/data/content/a.0001.age'`: number of the extent, first block,
    blocks, bytes of the file. A file of several extents, from 4 GiB on, is none of a set's.
    """
    for line in listing.splitlines():
        match = _FILE.search(line)
        if match and int(match[1]) == 0:
            yield match[4].decode("utf-8", "replace"), Extent(image, int(match[2]) * BLOCK_BYTES, int(match[3]))


class _ExtentReader:
    """Reads one file out of an image."""

    def __init__(self, descriptor: int, extent: Extent, path: str) -> None:
        self._descriptor = descriptor
        self._at = extent.start
        self._left = extent.size
        self._path = path

    def read(self, size: int, /) -> bytes:
        try:
            data = os.pread(self._descriptor, min(size, self._left), self._at)
        except OSError as error:
            raise _damaged(self._path, cause_of(error)) from error
        if self._left and not data:
            raise _damaged(self._path, msg("the image is cut short"))
        self._at += len(data)
        self._left -= len(data)
        return data


def check_image(image: Path) -> Completed:
    """Have xorriso compare every file of an image, or of a disc in a drive, with the checksums in it.

    `-md5 on` must stand before `-indev`: without the loaded checksums a changed image is called good.
    """
    return _xorriso("-md5", "on", "-indev", f"stdio:{image}", "-check_md5_r", "sorry", "/", "--")


def _xorriso(*arguments: str) -> Completed:
    return LocalRunner().run(("xorriso", "-no_rc", *arguments), timeout_seconds=_A_DAY, limit_bytes=1 << 30)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Say whether nobody else is writing images into a folder, and keep it so for the block."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    is_mine = False
    try:
        with suppress(
            OSError
        ):  # a run is at work; or a share without locks, where the dead are not told from the living
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_mine = True
        yield is_mine
    finally:
        os.close(descriptor)


def no_xorriso(medium: str) -> MediumUnavailable:
    """Return the error of a machine without the program that makes and reads images."""
    return medium_unavailable(
        medium,
        msg("the program xorriso, which makes the images, is not installed"),
        msg("Install the package xorriso."),
    )


def _damaged(path: str, cause: Message | str) -> SetDamaged:
    return SetDamaged(
        msg("{path}: {cause}", path=show_text(path, 300), cause=kept(cause, 120)),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


MEDIUM = MediumKind(settings=Settings, build=build)
