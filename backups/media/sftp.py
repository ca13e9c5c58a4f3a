"""A folder on another host over SFTP: the host needs an SSH server, an account, and nothing else.

    [[backup.medium]]
    id = "sftp-archive"
    kind = "sftp"
    host = "backup.example.vn"
    user = "portal"
    identity_file = "/etc/portalops/backup_ssh"
    host_key = "ssh-ed25519 AAAA..."
    folder = "/srv/backups/portal"

Nothing is sent to a host that does not prove the pinned key (`host_key`, or the `known_hosts` file that has it).

A set is written into `.incoming-<set>@<run>`; every file is made anew, synced where the server can (`fsync@openssh.com`),
and its size is asked for. Before the folder gets its name, the digest of every file is confirmed, while the next ones are
sent: by sha256sum on the host where the account has a shell, otherwise by reading it back. Renaming replaces nothing. Folders
of runs that died are removed by the next run: at once if the run was one of this machine, otherwise when nothing in them has
changed for a day. What a copy that was cut left is gone on with instead, as long as it is wanted: the folder gets the mark of
the run that takes it over, and each file's digest is asked for first. A set that is removed is first renamed to `.removing-<set>`, so that it goes as it came: whole.

Bytes go through the system's ssh where there is one, which is several times as fast, and through paramiko otherwise;
`client = "openssh"` or `"paramiko"` chooses. A folder that turns out to be on this machine, on the file system of what is
copied, is told of in reports, as with disks; what the host's caches hold cannot be found out over SFTP.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import shlex
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictInt

from backups.media import MediumKind
from backups.media._errors import is_there_already, medium_interrupted, medium_unavailable, no_such_set, not_made_yet
from backups.media._folders import INCOMING, PROBE, REMOVING, is_name, lies_beside, marks_of
from backups.media._owners import DEAD_AFTER, is_alive, is_written, note_written, run_mark
from backups.media._retried import RetrySettings
from backups.media._throttled import MediumSettings
from portalops.config.ssh import SshPlace
from portalops.config.tables import KindTable
from portalops.config.values import Text
from portalops.errors import (
    HostAway,
    HostUnreachable,
    MediumInterrupted,
    MediumUnavailable,
    SecretUnavailable,
    SetDamaged,
)
from portalops.model.backups import SetId
from portalops.model.message import ByteCount, Message, msg, verbatim
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import HeldFile, Readable, Room
from portalops.system.openssh import ProgramLink, find_ssh
from portalops.system.sftp import (
    FAILURE,
    NO_SUCH_FILE,
    PERMISSION_DENIED,
    Attributes,
    LinkBroken,
    ReadFile,
    RemoteFile,
    Sftp,
    SftpRefused,
)
from portalops.system.ssh import ChannelLink, no_session, run_over_ssh, target_of

logger = logging.getLogger(__name__)

CONFIRM_BYTES = 256 << 20
"""How much is sent before its digests are asked for; so little is left to be done when the last file is there."""
CONFIRM_SECONDS = 240
"""Enough for `CONFIRM_BYTES` on a disk that reads little more than a mebibyte a second."""
CONFIRM_FILES = 400
"""A command line on the host takes that many names."""
FULL_BYTES = 1 << 20
"""A server that refuses a write and has less room than that is full; SFTP has no word for it."""


class Settings(MediumSettings, RetrySettings, SshPlace):
    """`kind = "sftp"`."""

    folder: Text = Field(description="Where the sets go; from the account's home if it does not begin with /.")
    create: bool = Field(default=False, description="Make the folder if it is not there.")
    client: Literal["auto", "openssh", "paramiko"] = Field(default="auto", description="What carries the bytes.")
    timeout_seconds: StrictInt = Field(default=60, ge=2, le=600, description="How long nothing may move.")


def build(table: KindTable) -> SftpMedium:
    """Return the medium that a configuration table describes."""
    return SftpMedium(table.id, table.parse(Settings))


class SftpMedium:
    """Keeps sets as folders on another host."""

    kind = "sftp"

    def __init__(self, medium_id: str, settings: Settings) -> None:
        self.id = medium_id
        self._settings = settings
        self._folder = settings.folder.rstrip("/") or "/"
        self._host = _Host(medium_id, settings)

    def places(self) -> Sequence[Path]:
        return ()

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        with self._host.session() as sftp:
            if self._settings.create:
                _make_folders(sftp, self._folder)
            self._require_folder(sftp)
            now, shares = self._probe(sftp, sources)
            there = dict(sftp.names(self._folder))
            kept = {f"{INCOMING}{each}" for each in wanted if each not in there}
            for name, attributes in there.items():
                path = f"{self._folder}/{name}"
                is_left = name.startswith((INCOMING, PROBE)) and name.rpartition("@")[0] not in kept
                if is_left and self._is_dead(sftp, path, attributes, now):
                    logger.info("medium %s: removing %s of a run that died", self.id, show_text(name, 200))
                    _remove_tree(sftp, path, attributes)
            self._free_removed(sftp)
        return shares

    def room(self, expected_bytes: int) -> Room:
        del expected_bytes
        with self._host.session() as sftp:
            if not self._settings.create:
                self._require_folder(sftp)
            return Room(sftp.free_bytes(self._folder) if sftp.status(self._folder) is not None else None)

    def begin(self, set_id: SetId, *, expected_bytes: int) -> SftpSetWriter:
        sftp = self._host.connect()
        try:
            with self._host.convert_errors():
                self._require_room(sftp, set_id, expected_bytes)
                return SftpSetWriter(self._host, sftp, self._folder, set_id)
        except BaseException:  # even an interrupt leaves no session behind
            sftp.close()
            raise

    def resume(self, set_id: SetId, *, expected_bytes: int) -> SftpSetWriter:
        sftp = self._host.connect()
        try:
            with self._host.convert_errors():
                sizes = self._take_over(sftp, set_id)
                self._require_room(sftp, set_id, max(0, expected_bytes - sum((sizes or {}).values())))
                return SftpSetWriter(self._host, sftp, self._folder, set_id, taken_over=sizes)
        except BaseException:  # as above
            sftp.close()
            raise

    def _take_over(self, sftp: Sftp, set_id: SetId) -> Mapping[str, int] | None:
        """Make what is left of a set this run's own, and return the sizes of its files; None if nothing is."""
        own = f"{self._folder}/{INCOMING}{set_id}@{run_mark()}"
        if sftp.status(own) is None or is_written(self._host.place(own)):
            there = [name for name, _each in sftp.names(self._folder) if name.startswith(f"{INCOMING}{set_id}@")]
            places = {name: self._host.place(f"{self._folder}/{name}") for name in there}
            dead = next((name for name, place in places.items() if is_written(place) is False), None)
            dead = dead or (self._long_dead(sftp, there) if there else None)
            if dead is None:
                return None
            sftp.rename(f"{self._folder}/{dead}", own)
        return {path: each.size for path, each in _tree(sftp, own) if not each.is_folder}

    def _long_dead(self, sftp: Sftp, names: Sequence[str]) -> str | None:
        """Return one of the folders of runs elsewhere that was not touched for long; None if there is none."""
        now, _shares = self._probe(sftp, ())
        for name in names:
            path = f"{self._folder}/{name}"
            found = sftp.status(path)
            if found is not None and self._is_dead(sftp, path, found, now):
                return name
        return None

    def sets(self) -> tuple[SetId, ...]:
        with self._host.session() as sftp:
            self._require_folder(sftp)
            return tuple(
                sorted(
                    SetId(name)
                    for name, attributes in list(sftp.names(self._folder))
                    if attributes.is_folder and not name.startswith(".") and self._is_bag(sftp, name)
                )
            )

    def open_set(self, set_id: SetId) -> SftpStoredSet:
        if not is_name(set_id):
            raise no_such_set(self.id, set_id)
        with self._host.session() as sftp:
            self._require_folder(sftp)
            found = sftp.status(f"{self._folder}/{set_id}")
            if found is None or not found.is_folder:
                raise no_such_set(self.id, set_id)
        return SftpStoredSet(self._host, f"{self._folder}/{set_id}")

    def _require_room(self, sftp: Sftp, set_id: SetId, expected_bytes: int) -> None:
        free = sftp.free_bytes(self._folder)
        if free is not None and free < expected_bytes:
            raise medium_unavailable(
                self.id,
                msg(
                    "only {free} are free, but the set needs about {needed}",
                    free=ByteCount(free),
                    needed=ByteCount(expected_bytes),
                ),
                msg("Remove what is not needed, or use a larger disk."),
            )
        if sftp.status(f"{self._folder}/{set_id}") is not None:
            raise is_there_already(self.id, set_id)

    def remove(self, set_id: SetId) -> None:
        if not is_name(set_id):
            raise no_such_set(self.id, set_id)
        with self._host.session() as sftp:
            self._require_folder(sftp)
            folder, going = f"{self._folder}/{set_id}", f"{self._folder}/{REMOVING}{set_id}"
            found, was_going = sftp.status(folder), sftp.status(going) is not None
            if found is not None and found.is_folder:
                number = 1
                while sftp.status(going) is not None:  # it was half removed before, and made up again
                    number += 1
                    going = f"{self._folder}/{REMOVING}{set_id}~{number}"
                sftp.rename(folder, going)
            elif not was_going:
                raise no_such_set(self.id, set_id)
            self._free_removed(sftp)

    def _free_removed(self, sftp: Sftp) -> None:
        """Free what was removed, as far as the host lets; it is no set any more."""
        for name, attributes in list(sftp.names(self._folder)):
            if name.startswith(REMOVING):
                with suppress(SftpRefused):
                    _remove_tree(sftp, f"{self._folder}/{name}", attributes)

    def _is_bag(self, sftp: Sftp, name: str) -> bool:
        found = (sftp.status(f"{self._folder}/{name}/{mark}") for mark in marks_of(name))
        return any(each is not None and each.is_file for each in found)

    def _require_folder(self, sftp: Sftp) -> None:
        found = sftp.status(self._folder, follow=True)
        if found is None and self._settings.create:
            raise not_made_yet(
                self.id, msg("there is no folder {folder} on {host}", folder=self._folder, host=self._host.address)
            )
        if found is None or not found.is_folder:
            raise medium_unavailable(
                self.id,
                msg("there is no folder {folder} on {host}", folder=self._folder, host=self._host.address),
                msg("Make the folder on that host, or set create = true."),
            )

    def _probe(self, sftp: Sftp, sources: Sequence[Path]) -> tuple[int, bool]:
        """Return the server's time, and whether the folder lies on this machine beside a source, by a file that is made there."""
        path = f"{self._folder}/{PROBE}{secrets.token_hex(8)}@{run_mark()}"
        sftp.create(path).close()
        try:
            found = sftp.status(path)
            return found.modified_at if found else 0, _shares(Path(path), sources)
        finally:
            sftp.remove(path)

    def _is_dead(self, sftp: Sftp, path: str, attributes: Attributes, now: int) -> bool:
        is_set = path.rpartition("/")[2].startswith(INCOMING)
        alive = is_written(self._host.place(path)) if is_set else is_alive(path.rpartition("@")[2])
        if alive is not None:
            return not alive
        touched_at = [attributes.modified_at]
        if attributes.is_folder:
            touched_at += [each.modified_at for _path, each in _tree(sftp, path)]
        return timedelta(seconds=now - max(touched_at)) > DEAD_AFTER


class SftpSetWriter:
    """A set that is being written, in a folder that nobody takes for a set."""

    def __init__(
        self, host: _Host, sftp: Sftp, folder: str, set_id: SetId, *, taken_over: Mapping[str, int] | None = None
    ) -> None:
        """Begin a set.

        Args:
            host: where.
            sftp: a session of this writer's own.
            folder: of all sets.
            set_id: the set's name.
            taken_over: sizes of the files that are there, if the folder is this run's already.
        """
        self._host = host
        self._sftp = sftp
        self._final = f"{folder}/{set_id}"
        self._incoming = f"{folder}/{INCOMING}{set_id}@{run_mark()}"
        self._taken_over = taken_over or {}
        self._folders: set[str] = {""}
        self._file: RemoteFile | None = None
        self._path = ""
        self._digest = hashlib.sha256()
        self._is_named = self._is_cut = False
        self._has_whole = bool(taken_over)
        if taken_over is None:
            sftp.make_folder(self._incoming)
        note_written(host.place(self._incoming))
        self._digests = _Digests(host, self._incoming)

    def open(self, path: str) -> None:
        with self._convert_errors():
            if self._sftp.link.is_worn:
                self._reconnect()
            self._make_parents(path)
            self._path, self._digest = path, hashlib.sha256()
            self._file = self._sftp.create(f"{self._incoming}/{path}")

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        assert self._file is not None
        self._digest.update(data)
        with self._convert_errors():
            self._file.write(data)

    def close(self) -> None:
        assert self._file is not None
        with self._convert_errors():
            written = self._file.close()
            if written != self._file.size:
                raise _not_as_sent(self._host.medium, self._path)
            self._digests.add(self._path, self._digest.hexdigest(), written)
        self._file = None
        self._has_whole = True

    def discard(self, path: str) -> None:
        with self._convert_errors():
            self._digests.drop(path)
            self._remove(path)

    def held(self) -> Mapping[str, HeldFile]:
        """Return what was taken over; the digests as sha256sum on the host tells them, none where there is no shell."""
        found: dict[str, HeldFile] = {}
        batch: dict[str, int] = {}
        for path, size in self._taken_over.items():
            if batch and (sum(batch.values()) + size > CONFIRM_BYTES or len(batch) == CONFIRM_FILES):
                found |= self._asked(batch)
                batch = {}
            batch[path] = size
        return {**found, **self._asked(batch)}

    def renew(self) -> None:
        self._reconnect()
        self._is_cut = False
        if self._file is not None:
            self._file = None
            with self._convert_errors():
                self._remove(self._path)

    def leave(self) -> None:
        if not self._has_whole:
            self.abandon()
            return
        self._end()
        if self._file is None or self._is_cut:
            return  # of a file that was cut there is less than its size
        with suppress(MediumUnavailable), self._host.session() as sftp:
            sftp.remove(f"{self._incoming}/{self._path}")

    def seal(self) -> None:
        with self._convert_errors():
            if self._is_named and self._sftp.status(self._incoming) is None:
                self._end()  # the answer to the renaming was lost
                return
            # The deepest first: what empties an inner folder may empty the one around it.
            for folder in sorted(self._folders - {""}, key=lambda each: -each.count("/")):
                with suppress(SftpRefused):  # folders whose streams were all taken back are empty
                    self._sftp.remove_folder(f"{self._incoming}/{folder}")
            self._digests.confirm_all()
            self._is_named = True
            self._sftp.rename(self._incoming, self._final)
        self._end()

    def abandon(self) -> None:
        self._digests.stop()
        for connect in (self._own_session, self._host.connect):  # the second where the first is gone, or amid a file
            with suppress(MediumUnavailable, LinkBroken, SftpRefused):
                sftp = connect()
                found = sftp.status(self._incoming)
                if found is not None:
                    _remove_tree(sftp, self._incoming, found)
                sftp.close()
                break
        self._end()

    def _reconnect(self) -> None:
        before = self._sftp
        self._sftp = self._host.connect()  # first, so that what is closed is never written to
        before.close()

    def _own_session(self) -> Sftp:
        return self._sftp

    def _end(self) -> None:
        self._digests.stop()
        self._sftp.close()
        note_written(self._host.place(self._incoming), is_over=True)

    def _remove(self, path: str) -> None:
        """Remove a file; a missing file is no error, as the answer to its removal may have been lost."""
        if self._sftp.status(f"{self._incoming}/{path}") is not None:
            self._sftp.remove(f"{self._incoming}/{path}")

    def _asked(self, sizes: Mapping[str, int]) -> dict[str, HeldFile]:
        sums = self._host.sha256_sums(self._incoming, tuple(sizes)) if sizes else {}
        return {path: HeldFile(size, Digest(sums[path]) if path in sums else None) for path, size in sizes.items()}

    def _make_parents(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            self._make_parents(folder)
            if self._sftp.status(f"{self._incoming}/{folder}") is None:
                self._sftp.make_folder(f"{self._incoming}/{folder}")
            self._folders.add(folder)

    @contextmanager
    def _convert_errors(self) -> Iterator[None]:
        try:
            with self._host.convert_errors(self._room):
                yield
        except MediumInterrupted:
            self._is_cut = True
            raise

    def _room(self) -> int | None:
        """Return how much is free; asked anew, because in the own session answers are still under way."""
        with suppress(SftpRefused, LinkBroken, MediumUnavailable):
            sftp = self._host.connect()
            try:
                return sftp.free_bytes(self._incoming)
            finally:
                sftp.close()
        return None


class _Digests:
    """Asks the host for the digests of files that were sent, in a thread of its own, while the next ones are sent."""

    def __init__(self, host: _Host, folder: str) -> None:
        self._host = host
        self._folder = folder
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="digests")
        self._asked: tuple[Mapping[str, str], Future[None]] | None = None
        self._waiting: dict[str, str] = {}
        self._waiting_bytes = 0
        self._has_shell = True
        self._session: Sftp | None = None

    def add(self, path: str, digest: str, size: int) -> None:
        """Take a file that is closed; ask for what has gathered, once there is enough of it.

        Raises:
            MediumUnavailable: one that was asked for before has another digest.
        """
        self._waiting[path] = digest
        self._waiting_bytes += size
        if self._waiting_bytes >= CONFIRM_BYTES:
            self._ask()

    def drop(self, path: str) -> None:
        """Leave out a file that is about to be removed; as `add`."""
        self._settle()
        self._waiting.pop(path, None)

    def confirm_all(self) -> None:
        """Wait until every file is confirmed; as `add`."""
        self._ask()
        self._settle()

    def stop(self) -> None:
        """Let go of the host; never raises."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._asked is None:
            self._close()
        else:  # never under the thread that reads from it
            self._asked[1].add_done_callback(lambda _asked: self._close())

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _ask(self) -> None:
        self._settle()
        batch, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        self._asked = batch, self._pool.submit(self._confirm, batch)

    def _settle(self) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        batch, answer = asked
        try:
            answer.result()
        except MediumInterrupted:
            self._waiting = {**batch, **self._waiting}  # to be asked for again, if the medium is
            self._close()
            self._session = None
            raise

    def _confirm(self, batch: Mapping[str, str]) -> None:
        there: Mapping[str, str] = {}
        if self._has_shell and batch:
            there = self._host.sha256_sums(self._folder, tuple(batch))
            self._has_shell = bool(there)  # without a shell or sha256sum there, everything is read back
        for path, digest in batch.items():
            if (there.get(path) or self._read_back(path)) != digest:
                raise _not_as_sent(self._host.medium, path)

    def _read_back(self, path: str) -> str:
        if self._session is None or self._session.link.is_worn:
            self._session = self._host.connect()
        digest = hashlib.sha256()
        with self._host.convert_errors():
            file = self._session.read(f"{self._folder}/{path}")
            while piece := file.read(1 << 20):
                digest.update(piece)
            file.close()
        return digest.hexdigest()


class SftpStoredSet:
    """A sealed set."""

    def __init__(self, host: _Host, folder: str) -> None:
        self._host = host
        self._folder = folder
        self._idle: list[Sftp] = []
        weakref.finalize(self, _close_all, self._idle)

    def sizes(self) -> Mapping[str, int]:
        with self._session() as sftp:
            return {path: each.size for path, each in _tree(sftp, self._folder) if not each.is_folder}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with self._session() as sftp:
            file = self._opened(sftp, path)
            yield _FileReader(self._host, file, path)
            with self._host.convert_errors():
                file.close()

    def _opened(self, sftp: Sftp, path: str) -> ReadFile:
        place = f"{self._folder}/{path}"
        try:
            found = sftp.status(place)
            if found is None:
                raise _unreadable(path, msg("the file is missing"))
            if not found.is_file:
                raise _unreadable(path, msg("not a regular file"))
            return sftp.read(place)
        except SftpRefused as error:
            raise _unreadable(path, _words(error)) from error

    @contextmanager
    def _session(self) -> Iterator[Sftp]:
        """Give a session that is kept for the next time if the block ends well."""
        sftp = self._idle.pop() if self._idle else self._host.connect()
        try:
            with self._host.convert_errors():
                yield sftp
        except BaseException:  # whatever ended the block, answers may be under way still
            sftp.close()
            raise
        if sftp.link.is_worn:
            sftp.close()
        else:
            self._idle.append(sftp)


class _FileReader:
    def __init__(self, host: _Host, file: ReadFile, path: str) -> None:
        self._host = host
        self._file = file
        self._path = path

    def read(self, size: int, /) -> bytes:
        with self._host.convert_errors():
            try:
                return self._file.read(size)
            except SftpRefused as error:
                raise _unreadable(self._path, _words(error)) from error


class _Host:
    """The host of a medium, and the errors for its refusals."""

    def __init__(self, medium: str, settings: Settings) -> None:
        self.medium = medium
        self._settings = settings
        self.address = f"{settings.user}@{settings.host}:{settings.port}"

    def place(self, path: str) -> str:
        """Return what no other path on any host is called."""
        return f"{self.address} {path}"

    def connect(self) -> Sftp:
        """Open a session.

        Raises:
            MediumInterrupted: the host cannot be reached.
            MediumUnavailable: it is not the pinned one, or does not let the key in.
        """
        try:
            return self._connected()
        except HostAway as error:
            raise medium_interrupted(self.medium, error.message, error.hint) from error
        except (HostUnreachable, SecretUnavailable) as error:
            raise medium_unavailable(self.medium, error.message, error.hint) from error

    @contextmanager
    def session(self) -> Iterator[Sftp]:
        """Give a session for one purpose."""
        sftp = self.connect()
        try:
            with self.convert_errors():
                yield sftp
        finally:
            sftp.close()

    @contextmanager
    def convert_errors(self, room: Callable[[], int | None] = lambda: None) -> Iterator[None]:
        """Turn what a session raises inside the block into the error of a medium."""
        try:
            yield
        except LinkBroken as error:
            raise medium_interrupted(
                self.medium,
                msg("the connection to {host} broke: {cause}", host=self.address, cause=show_text(str(error), 300)),
                msg("Check that the host is up and reachable from here; then run 'portalops backup run' again."),
            ) from error
        except SftpRefused as error:
            free = room() if error.code == FAILURE else None
            cause = _words(error)
            if free is not None and free < FULL_BYTES:
                cause = msg("the disk there is full: {free} are free", free=ByteCount(free))
            raise medium_unavailable(
                self.medium,
                msg("{host}, {path}: {cause}", host=self.address, path=show_text(error.path, 300), cause=cause),
                msg("Check that the account may write there and has space; then run 'portalops backup run' again."),
            ) from error

    def sha256_sums(self, folder: str, paths: Sequence[str]) -> dict[str, str]:
        """Return the digests of files as sha256sum on the host reports them; none where it cannot be asked."""
        names = " ".join(shlex.quote(f"./{path}") for path in paths)
        command = f"cd {shlex.quote(folder)} && LC_ALL=C exec sha256sum -- {names}"
        try:
            done = run_over_ssh(
                target_of(self._settings), command, deadline_seconds=CONFIRM_SECONDS, limit_bytes=1 << 20
            )
        except (HostUnreachable, SecretUnavailable) as error:
            logger.info("medium %s: no digests from the host's shell: %s", self.medium, error)
            return {}
        if done.exit_code != 0:
            return {}
        found: dict[str, str] = {}
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            digest, _space, name = line.partition("  ./")
            if len(digest) == 64:
                found[name] = digest
        return {path: found[path] for path in paths if path in found}

    def _connected(self) -> Sftp:
        target, seconds = target_of(self._settings), self._settings.timeout_seconds
        program = None if self._settings.client == "paramiko" else find_ssh()
        if program is None:
            if self._settings.client == "openssh":
                raise HostUnreachable(
                    msg("the program ssh is not installed on this machine"),
                    msg('Install openssh-client, or set client = "auto".'),
                )
            return self._spoken(ChannelLink(target, timeout_seconds=seconds), None)
        link = ProgramLink(target, program, timeout_seconds=seconds)
        return self._spoken(link, link)

    def _spoken(self, link: ChannelLink | ProgramLink, program: ProgramLink | None) -> Sftp:
        try:
            return Sftp(link)
        except (LinkBroken, SftpRefused) as error:
            said = verbatim(show_text(str(error), 200))
            cause = (
                program.explain_failure()
                if program
                else no_session(target_of(self._settings), said, is_away=isinstance(error, LinkBroken))
            )
            link.close()
            raise cause from error
        except BaseException:  # even an interrupt leaves no ssh behind
            link.close()
            raise


def _shares(probe: Path, sources: Sequence[Path]) -> bool:
    """Say whether a file that was made on the host is seen on this machine, on the file system of a source."""
    if not probe.is_absolute():
        return False
    try:
        device = probe.stat().st_dev
    except OSError:
        return False
    return lies_beside(device, sources)


def _not_as_sent(medium: str, path: str) -> MediumUnavailable:
    return medium_unavailable(
        medium,
        msg("{path} on the host differs from what was sent", path=show_text(path, 300)),
        msg("Have the host's disk examined."),
    )


def _make_folders(sftp: Sftp, path: str) -> None:
    parent = path.rpartition("/")[0]
    if sftp.status(path, follow=True) is None:
        if parent:
            _make_folders(sftp, parent)
        sftp.make_folder(path)


def _tree(sftp: Sftp, folder: str) -> Iterator[tuple[str, Attributes]]:
    """Yield everything below a folder by its path in it, folders before what is in them."""
    pending = [""]
    while pending:
        below = pending.pop()
        for name, attributes in list(sftp.names(f"{folder}/{below}".rstrip("/"))):
            yield f"{below}{name}", attributes
            if attributes.is_folder:
                pending.append(f"{below}{name}/")


def _remove_tree(sftp: Sftp, path: str, attributes: Attributes) -> None:
    if not attributes.is_folder:
        sftp.remove(path)
        return
    found = list(_tree(sftp, path))
    # A tree names a folder before what is in it.
    for name, each in reversed(found):
        if each.is_folder:
            sftp.remove_folder(f"{path}/{name}")
        else:
            sftp.remove(f"{path}/{name}")
    sftp.remove_folder(path)


def _words(error: SftpRefused) -> Message:
    if error.code == NO_SUCH_FILE:
        return msg("no such file or folder")
    if error.code == PERMISSION_DENIED:
        return msg("permission denied")
    return msg("the server answers: {words}", words=show_text(error.words or str(error.code), 200))


def _unreadable(path: str, cause: Message) -> SetDamaged:
    return SetDamaged(
        msg("{path}: {cause}", path=show_text(path, 300), cause=cause),
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


def _close_all(sessions: list[Sftp]) -> None:
    while sessions:
        sessions.pop().close()


MEDIUM = MediumKind(settings=Settings, build=build, is_anywhere=True)
