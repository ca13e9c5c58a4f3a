"""A folder that others keep: a share of another unit, a stick that is carried away.

    [[ledger.anchor]]
    id = "share-so-tttt"
    kind = "folder"
    folder = "/mnt/so-tttt/portalops"
    mount_point = "/mnt/so-tttt"

Each head becomes two files, `<ledger>/<size>.txt` and `.sig`, written beside their place, synced, moved there and
read back. A file that is there is never written again: the same bytes are taken for the head's, and others are
a fork, which is refused as such. What lies on the operator's own disk is no anchor; `portalops doctor` says so.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from portalops.anchors import AnchorContext, AnchorKind
from portalops.anchors._common import files_of, forked, receipt_of, unavailable
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Shape
from portalops.files import sync_folder
from portalops.ledger.heads import MAX_HEAD_BYTES
from portalops.model.causes import cause_of
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import EvidenceStore


class Settings(Shape):
    """`kind = "folder"`."""

    folder: LocalPath = Field(description="Where the heads go.")
    create: bool = Field(default=False, description="Make the folder if it is not there.")
    mount_point: LocalPath | None = Field(default=None, description="Must be mounted, or nothing is written.")


def build(table: KindTable, _context: AnchorContext) -> FolderAnchor:
    """Return the anchor that a configuration table describes."""
    return FolderAnchor(AnchorId(table.id), table.parse(Settings))


def writes(settings: Settings) -> tuple[Path, ...]:
    """Return the folder that is written to: a scheduled service may write nowhere else."""
    return (settings.folder,)


class FolderAnchor:
    """Keeps heads as files."""

    kind = "folder"
    fetches_itself = False

    def __init__(self, anchor_id: AnchorId, settings: Settings) -> None:
        self.id = anchor_id
        self._settings = settings

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:  # noqa: ARG002  # a folder answers nothing
        folder = self._settings.folder / head.head.ledger
        paths: list[Path] = []
        try:
            self._require_folder()
            folder.mkdir(exist_ok=True)
            for name, data in files_of(head):
                self._put(folder / name, data)
                paths.append(folder / name)
            sync_folder(folder)
            for (_name, data), path in zip(files_of(head), paths, strict=True):
                if _content(path) != data:
                    raise forked(self.id, str(path))
        except OSError as error:
            raise unavailable(self.id, _cause(error), _HINT) from error
        return receipt_of(self.id, self.kind, head, at=None, details={"path": show_text(str(paths[-1]), 500)})

    def holds(self, head: RecordedHead) -> bool:
        folder = self._settings.folder / head.head.ledger
        try:
            self._require_folder()
            for name, data in files_of(head):
                if not os.path.lexists(folder / name):
                    return False
                if _content(folder / name) != data:
                    raise forked(self.id, str(folder / name))
        except OSError as error:
            raise unavailable(self.id, _cause(error), _HINT) from error
        return True

    def ledgers(self) -> Mapping[str, int]:
        """Return the ledgers of which heads lie here, each with the size of its largest; what cannot be read is left out."""
        found: dict[str, int] = {}
        for path in self._settings.folder.glob("*/*.txt"):
            if _LEDGER.fullmatch(path.parent.name) and _SIZE.fullmatch(path.stem):
                found[path.parent.name] = max(found.get(path.parent.name, 0), int(path.stem))
        return found

    def _require_folder(self) -> None:
        mount_point = self._settings.mount_point
        if mount_point is not None and not os.path.ismount(mount_point):
            raise unavailable(self.id, msg("nothing is mounted on {folder}", folder=str(mount_point)), _HINT)
        if self._settings.create:
            self._settings.folder.mkdir(parents=True, exist_ok=True)

    def _put(self, path: Path, data: bytes) -> None:
        """Write a file that is whole or not there, unless there is one; other bytes under its name are a fork."""
        if not os.path.lexists(path):
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fchmod(file.fileno(), 0o644)
                    os.fsync(file.fileno())
                _move_without_overwriting(name, path)
            finally:
                Path(name).unlink(missing_ok=True)
        if _content(path) != data:
            raise forked(self.id, str(path))


_LEDGER, _SIZE = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9]{10,18}")


def _move_without_overwriting(name: str, path: Path) -> None:
    try:
        os.link(name, path)
    except FileExistsError:
        pass  # somebody was quicker; what it holds is looked at next
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EMLINK}:
            raise
        os.rename(name, path)  # a stick's file system has no links; nothing was there a moment ago


def _content(path: Path) -> bytes:
    """Return a file's beginning, as much of it as a head or a signature can have and one byte more.

    Raises:
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # so that it comes from the disk
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(MAX_HEAD_BYTES * 2 + 1)
    finally:
        os.close(descriptor)


def _cause(error: OSError) -> Message:
    return msg("{path}: {cause}", path=show_text(str(error.filename or "-"), 300), cause=cause_of(error))


_HINT = msg("Mount the share or the stick, and check that this user may write there: ls -ld FOLDER")


ANCHOR = AnchorKind(settings=Settings, build=build, writes=writes)
