"""Each medium is there, can be written, has room, and lies on no disk that it protects.

Folders of this machine are looked at. With `--deep` each medium is connected to and its sets are listed; a small file is written
to a folder, read back and removed; the lock of an object store is tried. No set is touched.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backups.media import build_medium
from backups.media._errors import NotMadeYet
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, bounded, good, note, warning
from commands.doctor.places import device_of, folder_seen, path_of
from commands.doctor.store_locks import lock_seen
from portalops.config.layers import show_path
from portalops.errors import FileUnwritable
from portalops.files import write_atomically
from portalops.model.message import msg, nmsg

if TYPE_CHECKING:
    from portalops.config import KindTable

SCRATCH = ".portalops-doctor-"
"""What the file's name begins with that is written and removed; no set's name does."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Look at each medium, within a time of its own."""
    tables = look.session.settings.backup_media
    if not tables:
        yield bad("", msg("no backup medium is configured"), msg("Add [[backup.medium]] to the configuration."))
    for table in tables:
        yield from bounded(partial(_check_medium, look, table), seconds=look.seconds, about=table.id)


def _check_medium(look: DoctorContext, table: KindTable) -> Iterator[DiagnosticLine]:
    folder = next(iter(build_medium(table).places()), None)
    if folder is None:  # only folders of this machine can be looked at without connecting to something
        if look.deep and "device" not in table.values:  # a drive is not to be moved under a job that uses it
            yield from _connected(look, table)
            return
        yield note(
            table.id,
            msg("{id}: a medium of kind {kind} is not tried here", id=table.id, kind=table.kind),
            msg(
                "Run 'portalops doctor --deep --only media', or 'portalops media check {id}': it lists the sets there and tries to"
                " write.",
                id=table.id,
            ),
        )
        return
    mount_point = path_of(table, "mount_point")
    if mount_point is not None and not mount_point.is_mount():
        yield bad(
            table.id,
            msg("{id}: nothing is mounted on {path}", id=table.id, path=show_path(mount_point)),
            msg("Attach and mount the disk: no set is written to it until then."),
        )
        return
    if not folder.exists() and table.values.get("create") is not True:
        yield bad(
            table.id,
            msg("{id}: there is no folder {path}", id=table.id, path=show_path(folder)),
            msg("Mount the disk, or make the folder: mkdir -p {path}", path=show_path(folder)),
        )
        return
    yield from folder_seen(folder, about=table.id)
    if device_of(folder) == device_of(look.session.settings.state_folder):
        yield warning(
            table.id,
            msg("the medium {id} lies on the same file system as the state folder", id=table.id),
            msg(
                "Mount another disk at {path}: one broken disk would take the data and this copy.",
                path=show_path(folder),
            ),
        )
    if look.deep and folder.is_dir():
        yield from _written_and_read(table, folder)
        yield from _listed(table)


def _connected(look: DoctorContext, table: KindTable) -> Iterator[DiagnosticLine]:
    """Connect to a medium elsewhere; an object store's lock is tried, where sets are to be locked."""
    yield from _listed(table)
    if table.kind == "s3" and table.values.get("lock"):
        yield from lock_seen(look, table)
    else:
        yield note(
            f"{table.id} write",
            msg("{id}: nothing was written to it", id=table.id),
            msg("Run 'portalops media check {id}': it tries to write.", id=table.id),
        )


def _listed(table: KindTable) -> Iterator[DiagnosticLine]:
    """List the sets; raises MediumUnavailable, which is told."""
    about = f"{table.id} sets"
    try:
        sets = build_medium(table).sets()
    except NotMadeYet:
        yield note(about, msg("{id}: the first backup makes it", id=table.id), msg("Run 'portalops backup run'."))
        return
    yield good(
        about, nmsg("{id}: it answers and lists {n} set", "{id}: it answers and lists {n} sets", len(sets), id=table.id)
    )


def _written_and_read(table: KindTable, folder: Path) -> Iterator[DiagnosticLine]:
    """Write a small file, read it back, and remove it."""
    about, data = f"{table.id} write", secrets.token_bytes(4096)
    place = folder / f"{SCRATCH}{secrets.token_hex(6)}"
    try:
        try:
            write_atomically(place, data, mode=0o600)
            is_same = place.read_bytes() == data
        finally:
            place.unlink(missing_ok=True)
    except FileUnwritable as error:
        yield bad(about, msg("{id}: {cause}", id=table.id, cause=error.message), error.hint)
        return
    if not is_same:
        yield bad(
            about,
            msg("{id}: what was read back is not what was written", id=table.id),
            msg("Stop backing up to it, and test the disk: smartctl -a"),
        )
        return
    yield good(about, msg("{id}: a small file was written, read back and removed", id=table.id))


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
