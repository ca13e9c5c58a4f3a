"""Files in a folder, each of a content item: scans of signed papers, exported texts, drafts that editors handed in.

    [[archive.collection]]
    id = "signed-originals"
    kind = "folder"
    what = "originals"
    source = "paper-archive"
    folder = "/srv/archive/originals"
    item = "^[0-9]{4}/([0-9]+)"

`item` is a regular expression over the path inside the folder, with one group: the key of the content item. Without it the
key is the file's name up to its first dot. Every file is read and digested; links are not followed, and what is neither a
file nor a folder is left out. Files of originals, copies and drafts may not change or go, unless `immutable = false`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from backups.collections import CollectionKind
from backups.collections._settings import CollectionSettings, CollectionTraits, DigestedEntry, UnreadEntry, unavailable
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue
from portalops.model.archive import HeldItems
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text

CHUNK_BYTES = 1 << 20
BY_NAME = r"^(?:.*/)?([^/.]+)"


def _with_group(pattern: str) -> str:
    hint = msg("Write it with one group around the item's key, such as ^[0-9]{4}/([0-9]+).")
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise RefusedValue(msg("is not a regular expression"), hint) from error
    if groups != 1:
        raise RefusedValue(msg("has {n} groups instead of one", n=groups), hint)
    return pattern


class Settings(CollectionSettings):
    """`kind = "folder"`."""

    folder: LocalPath = Field(description="Everything in it, at any depth.")
    item: Annotated[str, AfterValidator(_with_group)] = Field(
        default=BY_NAME, description="Regular expression over the path inside the folder; its group is the item's key."
    )


def build(table: KindTable) -> FolderCollection:
    """Return the collection that a configuration table describes."""
    settings = table.parse(Settings)
    immutable = settings.what is not HeldItems.ITEMS if settings.immutable is None else settings.immutable
    return FolderCollection(CollectionTraits(table.id, table.kind, settings.what, settings.source, immutable), settings)


class FolderCollection:
    """One folder and all in it."""

    def __init__(self, traits: CollectionTraits, settings: Settings) -> None:
        self.traits = traits
        self._folder = settings.folder
        self._item = re.compile(settings.item)

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        root = os.fsencode(self._folder)
        if not os.path.isdir(root):
            raise unavailable(self.traits.id, msg("there is no folder {folder}", folder=_shown(self._folder)))
        pending = [b""]
        while pending:
            inside = pending.pop()
            try:
                # Read as it is listed: a folder may hold millions of files.
                with os.scandir(os.path.join(root, inside)) as children:
                    for child in children:
                        path = os.path.join(inside, child.name)
                        if child.is_dir(follow_symlinks=False):
                            pending.append(path)
                        elif child.is_file(follow_symlinks=False):
                            yield self._entry(root, path)
            except OSError as error:
                if not inside:
                    cause = msg("cannot read {folder}: {cause}", folder=_shown(self._folder), cause=_cause(error))
                    raise unavailable(self.traits.id, cause) from error
                yield UnreadEntry(_text(inside), _cause(error))

    def _entry(self, root: bytes, path: bytes) -> DigestedEntry | UnreadEntry:
        name = _text(path)
        try:
            for _attempt in range(2):
                if (found := digest_file(os.path.join(root, path))) is not None:
                    match = self._item.search(name)
                    return DigestedEntry((match.group(1) or "") if match else "", name, *found)
        except OSError as error:
            return UnreadEntry(name, _cause(error))
        return UnreadEntry(name, "it changed while it was read")


def digest_file(path: bytes) -> tuple[int, Digest] | None:
    """Return a file's size and SHA-256; None if it changed meanwhile.

    Raises:
        OSError: it cannot be read, or is no file any more.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(0, "it is no regular file any more")
        digest = hashlib.sha256()
        size = 0
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        after = os.fstat(descriptor)
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return (size, Digest(digest.hexdigest())) if same and size == after.st_size else None


def _text(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _shown(path: Path) -> str:
    return show_text(str(path), 200)


def _cause(error: OSError) -> str:
    return show_text(error.strerror or str(error), 120)


COLLECTION = CollectionKind(settings=Settings, build=build)
