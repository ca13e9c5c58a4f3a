"""Whatever a ledger's details are kept in: the same bytes come back, and what is damaged or gone is found out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from portalops.errors import IntegrityError, LedgerError, LedgerFull
from portalops.ledger.blobs import BlobFolder, packed
from portalops.ledger.ledger import Ledger, kept_in
from portalops.ledger.postgresql_kept import kept_in as postgresql
from portalops.ledger.postgresql_store import PostgresqlStore
from portalops.ledger.s3_blobs import S3Blobs
from portalops.ledger.stores import BlobStore
from portalops.model.record import Digest
from portalops.system.s3 import Store
from tests.backups.postgresql.parts import Server, versions
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, filled_ledger, verified
from tests.servers import ObjectStore, a_bucket

GONE = Digest(hashlib.sha256(b"never kept").hexdigest())
BUCKET = "evidence"
KINDS = ("folder", "postgresql", "s3")


@dataclass(frozen=True)
class Kind:
    """A store, and a way to lay bytes into it behind its back."""

    blobs: BlobStore
    lay: Callable[[Digest, bytes], object]
    litter: Callable[[], object]
    """Lays something there that is no blob."""
    remove: Callable[[Digest], object]
    """Removes one; in a database as its owner, since that removes only what a record says was erased."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        yield started


def in_folder(folder: Path) -> Kind:
    blobs = BlobFolder(folder)

    def lay(digest: Digest, data: bytes) -> None:
        path = blobs.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)

    def litter() -> None:
        (folder / "ab" / "cd").mkdir(parents=True, exist_ok=True)
        (folder / "ab" / "cd" / "note.zst").write_text("a note")
        (folder / "note").write_text("a note")

    return Kind(blobs, lay, litter, blobs.remove)


@contextmanager
def in_database(server: Server, name: str) -> Iterator[Kind]:
    server.sql(f"CREATE DATABASE {name}")
    where = f"host={server.folder} user=postgres dbname={name}"
    kept = postgresql(lambda: psycopg.connect(where, autocommit=True), name, writable=True)
    assert isinstance(kept.records, PostgresqlStore)
    kept.records.prepare()

    def lay(digest: Digest, data: bytes) -> None:
        server.sql(
            f"INSERT INTO portalops.blob VALUES ('{digest}', '\\x{data.hex()}') ON CONFLICT (digest) DO UPDATE SET data = excluded.data",
            name,
        )

    def remove(digest: Digest) -> None:
        server.sql(f"DELETE FROM portalops.blob WHERE digest = '{digest}'", name)

    yield Kind(kept.blobs, lay, lambda: None, remove)
    kept.records.close()


def s3_blobs(store: ObjectStore, bucket: str, user: str = "writer", prefix: str = "ledger/") -> S3Blobs:
    return S3Blobs(Store(store.endpoint, "us-east-1", f"{user}-id", f"{user}-secret"), bucket, prefix)


def in_bucket(store: ObjectStore, prefix: str) -> Kind:
    """A part of a bucket that all of these tests share: a bucket takes the server seconds."""
    client = store.client()
    if BUCKET not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
        a_bucket(store, BUCKET, locked=False)
    blobs = s3_blobs(store, BUCKET, prefix=f"{prefix}/")

    def litter() -> None:
        for key in (f"{prefix}/ab/cd/note.zst", f"{prefix}/note", f"{prefix}-other/{GONE}.zst"):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"a note")

    def lay(digest: Digest, data: bytes) -> None:
        client.put_object(Bucket=BUCKET, Key=blobs.key(digest), Body=data)

    return Kind(blobs, lay, litter, blobs.remove)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    name = f"b{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]}"
    if request.param == "folder":
        yield in_folder(tmp_path / "blobs")
    elif request.param == "postgresql":
        with in_database(request.getfixturevalue("server"), name) as found:
            yield found
    else:
        yield in_bucket(request.getfixturevalue("object_store"), name)


@pytest.fixture
def blobs(kind: Kind) -> BlobStore:
    return kind.blobs


CONTENTS = {
    "nothing": b"",
    "text": "Cổng thông tin điện tử".encode(),
    "zeros": bytes(1 << 20),
    "noise": b"".join(hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(8_192)),
    "zstd": packed(b"packed already"),
}


@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_kept_comes_back(blobs: BlobStore, content: str) -> None:
    data = CONTENTS[content]

    digest = blobs.keep(data)

    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.has(digest) and blobs.read(digest) == data
    assert blobs.keep(data) == digest and list(blobs.digests()) == [digest]


def test_names_come_in_order_and_what_is_no_blob_is_passed_over(kind: Kind) -> None:
    kept = [kind.blobs.keep(str(number).encode()) for number in range(30)]
    kind.litter()
    assert list(kind.blobs.digests()) == sorted(kept)


def test_one_that_is_not_there_is_told(blobs: BlobStore) -> None:
    assert not blobs.has(GONE) and list(blobs.digests()) == []
    with pytest.raises(IntegrityError, match=f"blob {GONE} is missing"):
        blobs.read(GONE)


def test_one_that_is_removed_is_gone_and_may_be_removed_again(kind: Kind) -> None:
    blobs = kind.blobs
    digest, other = blobs.keep(b"personal data"), blobs.keep(b"other data")
    for _time in range(2):
        kind.remove(digest)
    assert not blobs.has(digest) and list(blobs.digests()) == [other]
    with pytest.raises(IntegrityError, match="is missing"):
        blobs.read(digest)
    assert blobs.keep(b"personal data") == digest and blobs.read(digest) == b"personal data"


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (packed(b"another answer"), "does not match its digest"),
        (packed(b"the answer")[:-3], "is truncated"),
        (packed(b"the answer") + b"\0", "has bytes after its end"),
        (b"no frame at all", "is damaged"),
        (b"", "is truncated"),
    ],
    ids=["other", "short", "long", "other-form", "empty"],
)
def test_one_that_was_changed_is_found_out(kind: Kind, stored: bytes, told: str) -> None:
    digest = kind.blobs.keep(b"the answer")
    kind.lay(digest, stored)
    with pytest.raises(IntegrityError, match=told):
        kind.blobs.read(digest)


@pytest.mark.parametrize("stored", [packed(b"another answer"), b"no frame at all", b""])
def test_what_somebody_laid_there_first_is_replaced_by_the_honest_bytes(kind: Kind, stored: bytes) -> None:
    kind.lay(Digest(hashlib.sha256(b"the answer").hexdigest()), stored)

    digest = kind.blobs.keep(b"the answer")

    assert kind.blobs.read(digest) == b"the answer"


def test_several_threads_keep_the_same_and_others(blobs: BlobStore) -> None:
    contents = [str(number % 10).encode() for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(blobs.keep, contents))
        assert list(pool.map(blobs.read, digests)) == contents
    assert list(blobs.digests()) == sorted(set(digests))


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_verification_names_the_record_whose_details_were_harmed(kind: Kind, tmp_path: Path, harm: str) -> None:
    first = filled_ledger(tmp_path / "state")
    for _seq, digest in kept_in(first.folder, writable=False).records.bodies():
        kind.blobs.keep(first.blob(digest))
    kept = replace(kept_in(first.folder, writable=True), blobs=kind.blobs)
    ledger = Ledger(first.folder, FixedClock(START), writable=True, kept=kept)
    assert verified(ledger) == verified(first)
    record = ledger.record(5)
    assert record is not None

    if harm == "removed":
        kind.remove(record.body)
    else:
        kind.lay(record.body, packed(b"{}"))

    found = verified(ledger)
    assert not found.integrity.holds and found.integrity.first_bad == 5


def test_a_bucket_that_is_not_there_is_no_damage(object_store: ObjectStore) -> None:
    nowhere = s3_blobs(object_store, "there-is-no-such-bucket")
    with pytest.raises(LedgerError) as raised:
        nowhere.read(GONE)
    assert not isinstance(raised.value, IntegrityError)
    with pytest.raises(LedgerError):
        nowhere.keep(b"an answer")


def test_a_store_that_cannot_be_reached_or_refuses_is_no_damage(object_store: ObjectStore) -> None:
    bucket = a_bucket(object_store, "evidence-read-only", locked=False)
    digest = s3_blobs(object_store, bucket).keep(b"an answer")
    reader = s3_blobs(object_store, bucket, "reader")
    assert reader.read(digest) == b"an answer"
    with pytest.raises(LedgerFull, match="cannot write a blob to the bucket evidence-read-only"):
        reader.keep(b"another answer")
    stranger = S3Blobs(Store(object_store.endpoint, "us-east-1", "writer-id", "wrong"), bucket, "ledger/")
    gone = S3Blobs(Store("http://127.0.0.1:1", "us-east-1", "writer-id", "writer-secret"), bucket, "ledger/")
    for blobs in (stranger, gone):
        with pytest.raises(LedgerError, match="cannot read blobs of the bucket") as raised:
            blobs.read(digest)
        assert not isinstance(raised.value, IntegrityError)
        with pytest.raises(LedgerError):
            blobs.has(digest)
