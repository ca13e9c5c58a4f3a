"""A bucket of an S3 object store, under Object Lock where that is asked for.

    [[backup.medium]]
    id = "s3-archive"
    kind = "s3"
    endpoint = "https://s3.example.vn"
    bucket = "portal-backups"
    prefix = "khanhhoa/"
    access_key = { file = "/etc/portalops/s3.id" }
    secret_key = { file = "/etc/portalops/s3.secret" }
    lock = "COMPLIANCE"
    retain_days = 400

With `lock` every object is locked when it is put, and the bucket must have been made with Object Lock: in COMPLIANCE mode
nobody can delete it before its day, in GOVERNANCE mode only who has a right for that. The key needs the rights to put, to
read, to list versions and to set retention; it needs none to delete, and without one what dead runs leave stays there,
unseen, until somebody else removes it. A lifecycle rule that ends unfinished uploads and old versions under `probe/` is wise.

How a set lies there:

    <prefix><set>/bagit.txt, ...       the bag, file for file; stock tools copy it from there
    <prefix>sealed/<set>.json          written last: the set is there with this object, and without it there is none
    <prefix>incoming/<set>@<run>       empty; there while a run writes the set, and longer if that run dies
    <prefix>probe/...                  what an endpoint is tried with

The seal is a JSON object: `format` (`portalops-s3-seal/1`), `set`, `lock` (`mode` and `until`, or null), `files` (by path in
the bag: `size` and `version`) and `leftovers` (paths beside the bag that could not be removed). Everything is read by the
versions in it, so marks of deletion and newer versions hide nothing from here: the copy is whole, and verification reports
what hides it from others. A version that is gone, by a lifecycle rule or somebody's hand, is damage. Digests are those of
the bag's own manifests.

What a copy that was cut left is gone on with as long as it is wanted: an object counts if it has its size, the SHA-256 that the
server computed when it came (where it tells one), and a lock that lasts as long as that of the rest, for which it is extended.

Before the first use in a run the endpoint is tried: a small object and one in parts are put, read back by version, compared,
and, where locks are asked for, tried to be deleted, which must be refused. A server may say "200 OK" and lock nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from pydantic import Field, StrictInt, model_validator

from backups.media import MediumKind
from backups.media._errors import is_there_already, medium_unavailable, no_such_set
from backups.media._folders import is_name
from backups.media._owners import DEAD_AFTER, is_written, note_written, run_mark
from backups.media._retried import RetrySettings
from backups.media._throttled import MediumSettings
from portalops.config.tables import KindTable
from portalops.config.values import RefusedValue
from portalops.errors import MediumInterrupted, MediumUnavailable, SecretUnavailable, SetDamaged, SetLocked
from portalops.json_text import read_json
from portalops.model.backups import SetId
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import HeldFile, Readable
from portalops.system.clock import SystemClock
from portalops.system.s3 import (
    LOCK_HINT,
    Store,
    StoreSettings,
    checksum,
    code_of,
    is_passing,
    open_client,
    refusals,
    status_of,
)

logger = logging.getLogger(__name__)

FORMAT = "portalops-s3-seal/1"
SEALED, INCOMING, PROBE = "sealed/", "incoming/", "probe/"
PART_BYTES = 16 << 20
"""`PARTS` of them are 140 GiB; a larger set gets larger parts, see `part_bytes_of`."""
SMALLEST_PART_BYTES = 5 << 20
"""What servers take as a part that is not the last; the probe uses it."""
PARTS = 9000
"""Of the 10,000 that an object may have."""
PROBE_LOCK = timedelta(hours=1)
"""Nobody can remove what a trial put there while the lock holds, so it is short; the next run removes it."""
TRIES = 3
"""Of one request, and of one object that is read on after a broken connection."""
PARTS_AT_ONCE = 2
"""Parts of one object under way. With half a second a request two are 1.5 times as fast as one, and four no faster."""
AT_ONCE = 8
"""Requests at a time, where many objects are asked for."""
MAX_SEAL_BYTES = 64 << 20
"""A seal is read into memory whole, before anything shows that this portal wrote it."""
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})
"""Error codes that mean that there is no such object."""
_NO_LOCK = frozenset({"InvalidRequest", "InvalidBucketState", "ObjectLockConfigurationNotFoundError"})
"""How servers answer an object with a lock where the bucket has no Object Lock; AWS, MinIO and SeaweedFS say `InvalidRequest`."""
_NO_LOCK_HINT = msg(
    "Make a bucket with Object Lock; most servers allow this only when a bucket is created. Or remove lock and "
    "retain_days: then anybody with a key that may delete can delete the sets."
)
_HIDDEN = frozenset({"MethodNotAllowed", "405"})
"""How they say to who asks for an object that a mark of deletion is in its place. To who deletes, it is a refusal."""


class Settings(StoreSettings, MediumSettings, RetrySettings):
    """`kind = "s3"`."""

    lock: Literal["COMPLIANCE", "GOVERNANCE"] | None = Field(
        default=None, description="The mode of Object Lock, if any."
    )
    retain_days: StrictInt | None = Field(default=None, ge=1, le=36500, description="How long each set is locked.")
    timeout_seconds: StrictInt = Field(
        default=60, ge=1, le=600, description="How long an answer may take; three tries."
    )

    @model_validator(mode="after")
    def _lock_and_days(self) -> Settings:
        if (self.lock is None) != (self.retain_days is None):
            raise RefusedValue(msg("needs lock and retain_days together, or neither"), shows_value=False)
        return self


def build(table: KindTable) -> S3Medium:
    """Return the medium that a configuration table describes."""
    return S3Medium(table.id, table.parse(Settings))


def part_bytes_of(expected_bytes: int) -> int:
    """Return how large parts are, so that even a set of one object stays within `PARTS`; 0 stands for a set whose size is not known."""
    return max(PART_BYTES, -(-expected_bytes // PARTS))


@dataclass(frozen=True, slots=True)
class Lock:
    """Until when, and against whom, an object is locked."""

    mode: str
    until: datetime

    def arguments(self) -> dict[str, object]:
        return {"ObjectLockMode": self.mode, "ObjectLockRetainUntilDate": self.until}

    def holds(self, mode: object, until: object) -> bool:
        """Say whether a lock that a server reports is at least this one."""
        is_as_strong = mode in (self.mode, "COMPLIANCE")
        return is_as_strong and isinstance(until, datetime) and until >= self.until


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object that was put."""

    size: int
    version: str
    """Empty where the bucket keeps no versions."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One version of an object, as a listing reports it."""

    key: str
    version: str
    size: int
    modified_at: datetime
    is_latest: bool
    is_mark: bool
    """A mark of deletion."""
    etag: str = ""
    """The same for two versions of the same bytes that were put in the same way."""


class S3Medium:
    """Keeps sets as objects."""

    kind = "s3"

    def __init__(self, medium_id: str, settings: Settings) -> None:
        self.id = medium_id
        self._settings = settings
        self._store = _Bucket(medium_id, settings)
        self._is_tried = False

    def places(self) -> Sequence[Path]:
        return ()

    def prepare(self, sources: Sequence[Path], *, wanted: Collection[SetId] = ()) -> bool:
        del sources  # a store elsewhere shares no file system with them
        sealed = self.sets()  # also the first answer, which tells the server's time
        if not self._is_tried:
            self._try_out()
            self._is_tried = True
        self._remove_dead(sealed, wanted)
        return False

    def begin(self, set_id: SetId, *, expected_bytes: int) -> S3SetWriter:
        return self._begun(set_id, expected_bytes, resumes=False)

    def resume(self, set_id: SetId, *, expected_bytes: int) -> S3SetWriter:
        marks = [each for each in self._store.versions(f"{INCOMING}{set_id}@") if not each.is_mark]
        if any(is_written(self._store.place(mark.key)) for mark in marks):
            raise medium_unavailable(self.id, msg("another run is writing set {set}", set=set_id))
        is_free = bool(marks) and all(self._is_dead(mark, set_id) for mark in marks)
        if is_free:
            self._store.abort_uploads(f"{set_id}/")
        writer = self._begun(set_id, expected_bytes, resumes=is_free)
        if is_free:
            try:
                for mark in marks:
                    if (mark.key, mark.version) != writer.mark:  # the same one, in a bucket that keeps no versions
                        self._store.remove(mark.key, mark.version)
            except BaseException:  # an interrupt too: what was taken over stays for the next try
                writer.leave()
                raise
        return writer

    def _begun(self, set_id: SetId, expected_bytes: int, *, resumes: bool) -> S3SetWriter:
        _key, seals = self._seals(set_id)
        if any(not each.is_mark for each in seals):
            raise is_there_already(self.id, set_id)
        lock = self._lock(timedelta(days=self._settings.retain_days or 0))
        return S3SetWriter(self._store, set_id, lock, part_bytes_of(expected_bytes), resumes=resumes)

    def sets(self) -> tuple[SetId, ...]:
        start = len(SEALED)
        found = {each.key[start:-5] for each in self._store.versions(SEALED) if _is_seal(each)}
        return tuple(sorted(SetId(name) for name in found))

    def open_set(self, set_id: SetId) -> S3StoredSet:
        key, versions = self._seals(set_id)
        seals = [each for each in versions if not each.is_mark]
        if not seals:
            raise no_such_set(self.id, set_id)
        first = min(reversed(seals), key=lambda each: each.modified_at)  # listed from the newest: ties go to the older
        before_seal = _hiding(versions, key, first.version, first)
        return S3StoredSet(self._store, set_id, _read_seal(self._store, key, first.version), before_seal)

    def remove(self, set_id: SetId) -> None:
        store = self._store
        key, seals = self._seals(set_id)
        left = store.versions(f"{set_id}/")
        if not seals and (not left or self._is_being_written(set_id)):
            raise no_such_set(self.id, set_id)
        self._require_unlocked(set_id, [each for each in (*seals, *left) if not each.is_mark])
        mark = f"{INCOMING}{set_id}@{run_mark()}"  # if this process dies, the next run ends its work
        version = store.put(mark, b"", None)
        if not store.remove_all(key):
            store.remove(mark, version)
            raise medium_unavailable(
                self.id,
                msg("its access key may not delete"),
                msg("Remove sets from another host, with a key that may delete."),
            )
        if store.remove_all(f"{set_id}/"):
            store.remove(mark, version)

    def _seals(self, set_id: SetId) -> tuple[str, Sequence[Listed]]:
        """Return the key of a set's seal, and all its versions."""
        if not is_name(set_id):
            raise no_such_set(self.id, set_id)
        key = f"{SEALED}{set_id}.json"
        return key, [each for each in self._store.versions(key) if each.key == key]

    def _is_being_written(self, set_id: SetId) -> bool:
        marks = self._store.versions(f"{INCOMING}{set_id}@")
        return any(is_written(self._store.place(each.key)) is not False for each in marks if not each.is_mark)

    def _require_unlocked(self, set_id: SetId, versions: Sequence[Listed]) -> None:
        """Ask for the lock of every version, so that a set goes whole or not at all.

        Raises:
            SetLocked: one is locked still.
        """
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3") as pool:
            heads = list(pool.map(lambda each: self._store.head(each.key, each.version), versions))
        now = self._store.now()
        days = [until for head in heads if head and (until := head.get("ObjectLockRetainUntilDate")) and until > now]
        if any(head and head.get("ObjectLockLegalHoldStatus") == "ON" for head in heads):
            raise _locked(self.id, set_id, msg("it is under a legal hold"))
        if days:
            raise _locked(self.id, set_id, msg("it is locked until {moment}", moment=max(days).astimezone(UTC)))

    def _lock(self, span: timedelta) -> Lock | None:
        if self._settings.lock is None:
            return None
        return Lock(self._settings.lock, (self._store.now() + span).replace(microsecond=0))

    def _try_out(self) -> None:
        """Put a small object and one in parts, read both back, and see that locks hold.

        Raises:
            MediumUnavailable: the endpoint does not do what a set needs.
        """
        lock = self._lock(PROBE_LOCK)
        token = secrets.token_bytes(64)
        for name, data in (("small", token), ("parts", token * (SMALLEST_PART_BYTES // 64) + token)):
            key = f"{PROBE}{name}-{token.hex()[:12]}"
            upload = _Upload(self._store, key, lock, SMALLEST_PART_BYTES)
            try:
                upload.write(data)
                stored = upload.finish()
            except BaseException as error:  # even an interrupt leaves no parts that cost money
                with suppress(MediumUnavailable):
                    upload.abort()
                if lock is not None:
                    self._require_object_lock(error)
                raise
            if self._store.content(key, stored.version, len(data) + 1) != data:
                raise self._store.refused(_not_what_was_put(key), _SERVER_HINT)
            if self._store.remove(key, stored.version) and lock is not None:
                raise self._store.refused(msg("the server deleted {key} although it is locked", key=key), LOCK_HINT)

    def _require_object_lock(self, error: BaseException) -> None:
        """Tell a bucket without Object Lock by what it takes without a lock: a key need not have the right to ask for it.

        Args:
            error: how an object with a lock was refused.

        Raises:
            MediumUnavailable: the bucket has no Object Lock, or takes no objects at all.
        """
        if not isinstance(error.__cause__, Exception) or code_of(error.__cause__) not in _NO_LOCK:
            return
        key = f"{PROBE}plain-{secrets.token_hex(6)}"
        self._store.remove(key, self._store.put(key, b"", None))
        cause = msg(
            "the bucket {bucket} has no Object Lock: it refuses objects with a lock",
            bucket=self._settings.bucket,
        )
        raise self._store.refused(cause, _NO_LOCK_HINT) from error

    def _remove_dead(self, sealed: Sequence[SetId], wanted: Collection[SetId]) -> None:
        """Remove what runs left that are dead and is not wanted, as far as the key and the locks let."""
        store = self._store
        for old in store.versions(PROBE):
            if old.modified_at + PROBE_LOCK < store.now() and not store.remove(old.key, old.version):
                break  # there is no right to
        for mark in store.versions(INCOMING):
            set_id = mark.key[len(INCOMING) :].rpartition("@")[0]
            if mark.is_mark or not mark.is_latest or not self._is_dead(mark, set_id):
                continue
            if SetId(set_id) in wanted and SetId(set_id) not in sealed:
                continue
            logger.info("medium %s: removing what a run that died left of %s", self.id, show_text(set_id, 120))
            store.abort_uploads(f"{set_id}/")
            if SetId(set_id) in sealed or store.remove_all(f"{set_id}/"):
                store.remove(mark.key, mark.version)

    def _is_dead(self, mark: Listed, set_id: str) -> bool:
        alive = is_written(self._store.place(mark.key))
        if alive is None:
            touched_at = max(each.modified_at for each in (mark, *self._store.versions(f"{set_id}/")))
            return self._store.now() - touched_at > DEAD_AFTER
        return not alive


class S3SetWriter:
    """A set that is being written; without a seal nobody takes it for one."""

    def __init__(
        self, store: _Bucket, set_id: SetId, lock: Lock | None, part_bytes: int, *, resumes: bool = False
    ) -> None:
        self._store = store
        self._set_id = set_id
        self._lock = lock
        self._part_bytes = part_bytes
        self._files: dict[str, Stored] = {}
        self._held: dict[str, HeldFile] = {}
        self._upload: _Upload | None = None
        self._path = ""
        self._was_renewed = False
        there = [each for each in store.versions(f"{set_id}/") if not each.is_mark]
        self._before = {each.key for each in there}
        self._mark = f"{INCOMING}{set_id}@{run_mark()}"
        self._mark_version = store.put(self._mark, b"", None)
        note_written(store.place(self._mark))
        if resumes:
            try:
                self._take_over([each for each in there if each.is_latest])
            except BaseException:  # an interrupt too: whoever tries again may take it over
                self._end()
                raise

    @property
    def mark(self) -> tuple[str, str]:
        """The key and version of the object that says that this run writes the set."""
        return self._mark, self._mark_version

    def held(self) -> Mapping[str, HeldFile]:
        return self._held

    def open(self, path: str) -> None:
        self._path = path
        self._upload = _Upload(self._store, self._key(path), self._lock, self._part_bytes)

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        assert self._upload is not None
        self._upload.write(data)

    def close(self) -> None:
        assert self._upload is not None
        self._files[self._path] = self._upload.finish()
        self._upload = None

    def discard(self, path: str) -> None:
        stored = self._files.pop(path, None)
        if stored is not None and not self._store.remove(self._key(path), stored.version):
            self._before.add(self._key(path))

    def seal(self) -> None:
        start = len(self._set_id) + 1
        seal = {
            "format": FORMAT,
            "set": self._set_id,
            "lock": {"mode": self._lock.mode, "until": self._lock.until.isoformat()} if self._lock else None,
            "files": {path: {"size": each.size, "version": each.version} for path, each in self._files.items()},
            "leftovers": sorted(key[start:] for key in self._before if key[start:] not in self._files),
        }
        data = json.dumps(seal, indent=1).encode()
        # After a renewal the seal may be there already, where only the answer to it was lost.
        if not (self._was_renewed and self._is_sealed_by(data)):
            upload = _Upload(self._store, self._seal_key, self._lock, self._part_bytes)
            upload.write(data)
            upload.finish()
        with suppress(MediumUnavailable):
            if self._was_renewed:
                self._store.abort_uploads(f"{self._set_id}/")
            self._store.remove(self._mark, self._mark_version)
        self._end()

    def renew(self) -> None:
        self._was_renewed = True
        with suppress(MediumUnavailable):  # what is left of it is dropped with the seal
            self._drop_upload()

    def leave(self) -> None:
        if not self._files:
            self.abandon()
            return
        with suppress(MediumUnavailable):
            self._drop_upload()
            if self._lock is None:
                self._store.remove_all(self._seal_key)  # one whose answer was lost
        self._end()

    def abandon(self) -> None:
        with suppress(MediumUnavailable):
            self._drop_upload()
            # A seal whose answer was lost goes first: without it the rest is no set.
            if self._lock is None and self._store.remove_all(self._seal_key):
                self._remove_files()
        self._end()

    def _end(self) -> None:
        note_written(self._store.place(self._mark), is_over=True)

    def _take_over(self, there: Sequence[Listed]) -> None:
        """Make objects that are there a part of the set, those whose lock cannot be made to last as long left out."""
        start = len(self._set_id) + 1
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3") as pool:
            for each, digest in zip(there, pool.map(self._digest_of, there), strict=True):
                if digest is not None:
                    self._files[each.key[start:]] = Stored(each.size, each.version)
                    self._held[each.key[start:]] = HeldFile(each.size, Digest(digest) if digest else None)

    def _digest_of(self, each: Listed) -> str | None:
        """Return the SHA-256 that the server has of an object, empty if it reports none; None if the object is of no use."""
        head = self._store.head(each.key, each.version, with_checksum=True)
        lock = self._lock
        if head is None or int(head["ContentLength"]) != each.size:
            return None
        if lock and not lock.holds(head.get("ObjectLockMode"), head.get("ObjectLockRetainUntilDate")):
            self._store.extend(each.key, each.version, lock)
            again = self._store.head(each.key, each.version) or {}
            if not lock.holds(again.get("ObjectLockMode"), again.get("ObjectLockRetainUntilDate")):
                return None
        return _hexadecimal(str(head.get("ChecksumSHA256") or ""))

    def _is_sealed_by(self, data: bytes) -> bool:
        """Say whether the seal is there: put before, with an answer that was lost."""
        seals = [each for each in self._store.versions(self._seal_key) if each.key == self._seal_key]
        return any(
            not each.is_mark and self._store.content(each.key, each.version, len(data) + 1) == data for each in seals
        )

    def _drop_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.abort()

    def _remove_files(self) -> None:
        if self._store.remove_all(f"{self._set_id}/"):
            self._store.remove(self._mark, self._mark_version)

    @property
    def _seal_key(self) -> str:
        return f"{SEALED}{self._set_id}.json"

    def _key(self, path: str) -> str:
        return f"{self._set_id}/{path}"


@dataclass(frozen=True, slots=True)
class _Seal:
    """What a seal says."""

    files: Mapping[str, Stored] = field(default_factory=dict)
    lock: Lock | None = None
    leftovers: frozenset[str] = frozenset()


class S3StoredSet:
    """A sealed set, read by the versions that its seal names."""

    def __init__(self, store: _Bucket, set_id: SetId, seal: _Seal | None, before_seal: Message | None) -> None:
        self._store = store
        self._set_id = set_id
        self._seal = seal or _Seal()
        self._before_seal = before_seal
        self._versions: Mapping[str, Sequence[Listed]] | None = None
        """What the server listed once, for as long as the set is open."""
        self._strangers = {} if seal else {f"{SEALED}{set_id}.json (not a seal)": 0}

    def sizes(self) -> Mapping[str, int]:
        found = dict(self._strangers)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3") as pool:
            for asked in pool.map(self._asked, self._seal.files.items()):
                found.update(asked)
        return {**found, **self._list_strangers()}

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        stored = self._seal.files.get(path)
        if stored is None:
            raise _missing(path)
        reader = _ObjectReader(self._store, f"{self._set_id}/{path}", path, stored)
        try:
            yield reader
        finally:
            reader.close()

    def _asked(self, item: tuple[str, Stored]) -> Mapping[str, int]:
        """Return a file's size as the server reports it, and a stranger more if its lock is not what it was."""
        path, stored = item
        head = self._store.head(f"{self._set_id}/{path}", stored.version)
        if head is None:
            return {}
        found = {path: int(head["ContentLength"])}
        lock, until = self._seal.lock, head.get("ObjectLockRetainUntilDate")
        if lock and not lock.holds(head.get("ObjectLockMode"), until) and self._store.now() < lock.until:
            shown = f"{head.get('ObjectLockMode') or '-'} {until.isoformat() if until else '-'}"
            found[f"{path}?versionId={stored.version} (its lock was weakened: {shown})"] = found[path]
        return found

    def hidden(self) -> Sequence[Message]:
        found = [self._before_seal]
        for path, versions in self._listed().items():
            ours = self._seal.files.get(path)
            if ours is not None:
                first = next((each for each in versions if each.version == ours.version), None)
                found.append(_hiding(versions, path, ours.version, first))
        return [each for each in found if each is not None]

    def _list_strangers(self) -> Mapping[str, int]:
        """Return what lies in the set's place and is no part of it."""
        found: dict[str, int] = {}
        for path, versions in self._listed().items():
            is_ours = path in self._seal.files or path in self._seal.leftovers
            if not is_ours and any(not each.is_mark for each in versions):
                found[path] = next(each.size for each in versions if not each.is_mark)
        return found

    def _listed(self) -> Mapping[str, Sequence[Listed]]:
        """Return all versions of what lies in the set's place, by path."""
        if self._versions is None:
            start = len(self._set_id) + 1
            found: dict[str, list[Listed]] = {}
            for each in self._store.versions(f"{self._set_id}/"):
                found.setdefault(each.key[start:], []).append(each)
            self._versions = found
        return self._versions


def _hiding(versions: Sequence[Listed], path: str, version: str, ours: Listed | None) -> Message | None:
    """Return what stands before a version of an object: a newer one, or a mark of deletion.

    What is older was put before, by a request whose answer was lost or by a run that died; it hides nothing. Neither does the
    same once more: a request that its sender had given up, and that came after the one that was sent again.
    """
    latest = next((each for each in versions if each.is_latest), None)
    if latest is None or latest.version == version or ours is None:
        return None
    if not latest.is_mark and latest.etag and (latest.etag, latest.size) == (ours.etag, ours.size):
        return None
    if latest.is_mark:
        return msg(
            "{path}: a delete marker hides it; remove marker {version}",
            path=show_text(path, 300),
            version=latest.version,
        )
    return msg(
        "{path}: the newer version {version} hides it; remove that version",
        path=show_text(path, 300),
        version=latest.version,
    )


class _ObjectReader:
    """Reads an object once; a connection that breaks is taken up again where it broke, a few times."""

    def __init__(self, store: _Bucket, key: str, path: str, stored: Stored) -> None:
        self._store = store
        self._key = key
        self._path = path
        self._stored = stored
        self._at = 0
        self._tries = TRIES
        self._body: Any = None

    def read(self, size: int, /) -> bytes:
        while True:
            try:
                data = self._read(size)
            except MediumUnavailable:
                self.close()
                self._tries -= 1
                if not self._tries:
                    raise
            else:
                self._at += len(data)
                return data

    def _read(self, size: int) -> bytes:
        if self._at >= self._stored.size:
            return b""
        if self._body is None:
            self._body = self._store.body(self._key, self._stored.version, self._at)
            if self._body is None:
                raise _missing(self._path, self._stored.version)
        with self._store.convert_errors():
            return bytes(self._body.read(size))

    def close(self) -> None:
        body, self._body = self._body, None
        if body is not None:
            body.close()


class _Upload:
    """One object that is being put: at once if it is small, otherwise in parts of one size."""

    def __init__(self, store: _Bucket, key: str, lock: Lock | None, part_bytes: int) -> None:
        self._store = store
        self._key = key
        self._lock = lock
        self._part_bytes = part_bytes
        self._buffer = bytearray()
        self._size = 0
        self._id = ""
        self._parts: list[dict[str, object]] = []
        self._under_way: deque[Future[dict[str, object]]] = deque()
        self._last = 0

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        self._buffer += data
        while len(self._buffer) > self._part_bytes:
            self._send(self._part_bytes)

    def finish(self) -> Stored:
        """End the object and return it, after its size and its lock were read back by its version."""
        if self._id:
            self._send(len(self._buffer))
            self._settle(0)
            version = self._store.complete(self._key, self._id, self._parts)
            self._id = ""
        else:
            self._size = len(self._buffer)
            version = self._store.put(self._key, bytes(self._buffer), self._lock)
        self._buffer = bytearray()
        self._read_back(version)
        return Stored(self._size, version)

    def abort(self) -> None:
        """Drop what was sent of an object in parts."""
        upload, self._id = self._id, ""
        self._buffer = bytearray()
        for part in self._under_way:
            part.cancel()
        wait(self._under_way)  # a part that comes after the end would lie there for good
        self._under_way.clear()
        if upload:
            self._store.abort(self._key, upload)

    def _send(self, count: int) -> None:
        if not self._id:
            self._id = self._store.start(self._key, self._lock)
        self._settle(PARTS_AT_ONCE - 1)
        data = bytes(memoryview(self._buffer)[:count])
        self._last += 1
        self._under_way.append(self._store.pool.submit(self._store.send_part, self._key, self._id, self._last, data))
        del self._buffer[:count]
        self._size += count

    def _settle(self, most: int) -> None:
        """Wait until at most so many parts are under way."""
        while len(self._under_way) > most:
            self._parts.append(self._under_way.popleft().result())

    def _read_back(self, version: str) -> None:
        found = self._store.head(self._key, version)
        if found is None or int(found["ContentLength"]) != self._size:
            raise self._store.refused(_not_what_was_put(self._key), _SERVER_HINT)
        if self._lock is None:
            return
        mode, until = found.get("ObjectLockMode"), found.get("ObjectLockRetainUntilDate")
        if not version:
            raise self._store.refused(
                msg("the server stored {key} without a version and so without a lock", key=self._key), LOCK_HINT
            )
        if not self._lock.holds(mode, until):
            raise self._store.refused(
                msg(
                    "the server locked {key} as {mode} until {until}, not as {wanted} until {day}",
                    key=self._key,
                    mode=show_text(str(mode or "-"), 60),
                    until=until if isinstance(until, datetime) else "-",
                    wanted=self._lock.mode,
                    day=self._lock.until,
                ),
                LOCK_HINT,
            )


class _Bucket:
    """The requests of a medium to its bucket. Keys are relative to the prefix; every method raises MediumUnavailable."""

    def __init__(self, medium: str, settings: Settings) -> None:
        self._medium = medium
        self._settings = settings
        self._opened: Any = None
        self._opening = threading.Lock()
        self.pool = ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="s3-parts")
        self._ahead = timedelta()

    def place(self, key: str) -> str:
        """Return what no other key in any bucket is called."""
        return f"{self._settings.endpoint} {self._settings.bucket} {self._settings.prefix}{key}"

    def now(self) -> datetime:
        """Return the server's time as of its last answer: locks run by the server's clock."""
        return SystemClock().now() + self._ahead

    @contextmanager
    def convert_errors(self) -> Iterator[None]:
        """Turn boto's errors inside the block into those of a medium."""
        try:
            with refusals(self.refused):
                yield
        except MediumUnavailable as error:
            if error.__cause__ is not None and is_passing(error.__cause__):
                raise MediumInterrupted(error.message, error.hint) from error.__cause__
            raise

    def refused(self, cause: Message, hint: Message) -> MediumUnavailable:
        """Return the error of something that the server refuses or gets wrong."""
        if hint is LOCK_HINT and self._settings.lock is None:
            hint = msg("Check that the bucket exists, and ask the operator of the server about this answer.")
        return medium_unavailable(self._medium, cause, hint)

    def put(self, key: str, data: bytes, lock: Lock | None) -> str:
        """Put an object at once and return its version."""
        with self.convert_errors():
            answer = self._client().put_object(
                **self._object_place(key),
                Body=data,
                ChecksumSHA256=checksum(data),
                **(lock.arguments() if lock else {}),
            )
        return _version(answer)

    def start(self, key: str, lock: Lock | None) -> str:
        """Begin an object in parts."""
        with self.convert_errors():
            answer = self._client().create_multipart_upload(
                **self._object_place(key), ChecksumAlgorithm="SHA256", **(lock.arguments() if lock else {})
            )
        return str(answer["UploadId"])

    def send_part(self, key: str, upload: str, number: int, data: bytes) -> dict[str, object]:
        """Send a part; return what ends the object."""
        digest = checksum(data)
        with self.convert_errors():
            answer = self._client().upload_part(
                **self._object_place(key), UploadId=upload, PartNumber=number, Body=data, ChecksumSHA256=digest
            )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest}

    def complete(self, key: str, upload: str, parts: Sequence[Mapping[str, object]]) -> str:
        """Make one object of its parts and return its version."""
        with self.convert_errors():
            answer = self._client().complete_multipart_upload(
                **self._object_place(key), UploadId=upload, MultipartUpload={"Parts": list(parts)}
            )
        return _version(answer)

    def abort(self, key: str, upload: str) -> None:
        """Drop an object in parts."""
        self._ask(lambda client: client.abort_multipart_upload(**self._object_place(key), UploadId=upload))

    def abort_uploads(self, prefix: str) -> None:
        """Drop every object in parts below a prefix."""
        with self.convert_errors():
            pages = self._client().get_paginator("list_multipart_uploads")
            found = [
                (str(each["Key"]), str(each["UploadId"]))
                for page in pages.paginate(Bucket=self._settings.bucket, Prefix=f"{self._settings.prefix}{prefix}")
                for each in page.get("Uploads", ())
            ]
        for key, upload in found:
            self.abort(key.removeprefix(self._settings.prefix), upload)

    def head(self, key: str, version: str, *, with_checksum: bool = False) -> Mapping[str, Any] | None:
        """Return what the server says of a version of an object; None if it has none."""
        more = {"ChecksumMode": "ENABLED"} if with_checksum else {}
        return self._object(lambda client: client.head_object(**self._object_place(key, version), **more))

    def extend(self, key: str, version: str, lock: Lock) -> None:
        """Ask for a lock of a version of an object that lasts longer; who asks looks whether it was given."""
        retention = {"Mode": lock.mode, "RetainUntilDate": lock.until}
        with self.convert_errors():
            try:
                self._client().put_object_retention(**self._object_place(key, version), Retention=retention)
            except ClientError as error:
                if status_of(error) >= 500:
                    raise
                logger.info("medium %s: the lock of %s is not extended: %s", self._medium, key, error)

    def body(self, key: str, version: str, start: int) -> Any:
        """Return the bytes of a version of an object from a position on; None if there is none."""
        place = {"Range": f"bytes={start}-"} if start else {}
        answer = self._object(lambda client: client.get_object(**self._object_place(key, version), **place))
        return answer["Body"] if answer else None

    def content(self, key: str, version: str, limit: int) -> bytes | None:
        """Return the first bytes of a version of an object; None if there is none."""
        body = self.body(key, version, 0)
        if body is None:
            return None
        with self.convert_errors(), body:
            return bytes(body.read(limit))

    def remove(self, key: str, version: str) -> bool:
        """Try to delete a version of an object and say whether it is gone."""
        with self.convert_errors():
            try:
                self._client().delete_object(**self._object_place(key, version))
            except ClientError as error:
                if status_of(error) >= 500:
                    raise
                return code_of(error) in _GONE
        return True

    def remove_all(self, prefix: str) -> bool:
        """Try to delete every version below a prefix and say whether all are gone; the first refusal ends it."""
        return all(self.remove(each.key, each.version) for each in self.versions(prefix))

    def versions(self, prefix: str) -> tuple[Listed, ...]:
        """Return all versions of the objects below a prefix, each object's newest first; its only one where none are kept."""
        with self.convert_errors():
            try:
                return tuple(self._versions(f"{self._settings.prefix}{prefix}"))
            except ClientError as error:
                if self._settings.lock or code_of(error) not in {"NotImplemented", "MethodNotAllowed", "AccessDenied"}:
                    raise
            return tuple(self._objects(f"{self._settings.prefix}{prefix}"))

    def _versions(self, prefix: str) -> Iterator[Listed]:
        pages = self._client().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix):
            for is_mark, listed in ((False, page.get("Versions", ())), (True, page.get("DeleteMarkers", ()))):
                for each in listed:
                    yield self._listed(each, version=_version(each), is_latest=bool(each["IsLatest"]), is_mark=is_mark)

    def _objects(self, prefix: str) -> Iterator[Listed]:
        pages = self._client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=prefix):
            for each in page.get("Contents", ()):
                yield self._listed(each, version="", is_latest=True, is_mark=False)

    def _listed(self, each: Mapping[str, Any], *, version: str, is_latest: bool, is_mark: bool) -> Listed:
        key = str(each["Key"]).removeprefix(self._settings.prefix)
        modified_at = each["LastModified"].astimezone(UTC)
        return Listed(
            key, version, int(each.get("Size", 0)), modified_at, is_latest, is_mark, str(each.get("ETag") or "")
        )

    def _object_place(self, key: str, version: str = "") -> dict[str, str]:
        place = {"Bucket": self._settings.bucket, "Key": f"{self._settings.prefix}{key}"}
        return {**place, "VersionId": version} if version else place

    def _object(self, request: Callable[[Any], Any]) -> Mapping[str, Any] | None:
        """Return what the server says of an object; None if it has none.

        Raises:
            MediumUnavailable: what answers is no object store, such as a proxy's own page: S3 names the ETag of every object.
        """
        answer: Mapping[str, Any] | None = self._ask(request)
        if answer is not None and not answer.get("ETag"):
            raise medium_unavailable(
                self._medium,
                msg("what answers for {endpoint} is no object store", endpoint=self._settings.endpoint or "S3"),
                msg("See what stands between, such as a proxy or a login page of the network."),
            )
        return answer

    def _ask(self, request: Callable[[Any], Any]) -> Any:
        """Return an answer; None if it means that there is no such thing."""
        with self.convert_errors():
            try:
                return request(self._client())
            except ClientError as error:
                if code_of(error) in _GONE | _HIDDEN:
                    return None
                raise

    def _client(self) -> Any:
        with self._opening:
            if self._opened is None:
                try:
                    store = Store.of(self._settings, os.environ)
                except SecretUnavailable as error:
                    raise medium_unavailable(self._medium, error.message, error.hint) from error
                seconds, locks = self._settings.timeout_seconds, self._settings.lock is not None
                client = open_client(store, read_seconds=seconds, tries=TRIES, locks=locks)
                client.meta.events.register("after-call.s3", self._note_time)
                self._opened = client
            return self._opened

    def _note_time(self, parsed: Mapping[str, Any], **_more: object) -> None:
        """Take the server's time from an answer."""
        stated = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        # A proxy may leave the time out: then the last known difference stands.
        with suppress(ValueError, TypeError):
            self._ahead = parsedate_to_datetime(stated).astimezone(UTC) - SystemClock().now()


def _version(answer: Mapping[str, Any]) -> str:
    version = str(answer.get("VersionId") or "")
    return "" if version == "null" else version


def _hexadecimal(checksum_sha256: str) -> str:
    """Return a checksum as S3 writes it in hexadecimal; empty for one over parts, `CHECKSUM-PARTS`, or none at all."""
    try:
        data = base64.b64decode(checksum_sha256, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return data.hex() if len(data) == 32 else ""


def _is_seal(each: Listed) -> bool:
    return each.key.endswith(".json") and not each.is_mark


def _read_seal(store: _Bucket, key: str, version: str) -> _Seal | None:
    """Return what a seal says; None if it is not a seal, or has an unknown format."""
    data = store.content(key, version, MAX_SEAL_BYTES)
    try:
        read = read_json(data or b"")
        if read["format"] != FORMAT:
            return None
        lock = read["lock"] and Lock(str(read["lock"]["mode"]), datetime.fromisoformat(read["lock"]["until"]))
        files = {
            str(path): Stored(int(each["size"]), str(each["version"])) for path, each in dict(read["files"]).items()
        }
        return _Seal(files, lock, frozenset(read["leftovers"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _not_what_was_put(key: str) -> Message:
    return msg("{key} does not hold the data that was stored", key=key)


def _locked(medium: str, set_id: SetId, cause: Message) -> SetLocked:
    return SetLocked(
        msg("backup medium {medium} refuses to remove set {set}: {cause}", medium=medium, set=set_id, cause=cause),
        msg("Nothing of the set was removed. Run 'portalops backup prune' again when the lock has ended."),
    )


def _missing(path: str, version: str = "") -> SetDamaged:
    cause = msg("{path}: the file is missing", path=show_text(path, 300))
    if version:  # nothing hides it, since it was asked for by its version
        cause = msg("{path}: its version {version} was removed", path=show_text(path, 300), version=version)
    return SetDamaged(
        cause,
        msg("Restore from another copy: 'portalops backup show SET' lists the media that have one."),
    )


_SERVER_HINT = msg("Have the server examined; its other data cannot be trusted either.")


MEDIUM = MediumKind(settings=Settings, build=build, is_anywhere=True)
