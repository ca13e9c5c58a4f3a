"""Bytes of evidence in an object store, each an object named by its SHA-256, packed as in the folder of one machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from portalops.errors import IntegrityError, LedgerError, LedgerFull
from portalops.ledger.blobs import MAX_BLOB_BYTES, SUFFIX, broken, digest_of, longest_frame, packed, unpacked
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.system.s3 import Store, checksum, open_client, refusals, status_of


class S3Blobs:
    """A bucket, or the part of one whose names begin with a prefix. Methods are those of `BlobFolder`."""

    def __init__(self, store: Store, bucket: str, prefix: str) -> None:
        self._store, self._bucket, self._prefix = store, bucket, prefix

    @cached_property
    def _client(self) -> Any:
        return open_client(self._store)

    def key(self, digest: Digest) -> str:
        """Return the name of a blob's object."""
        return f"{self._prefix}{digest[:2]}/{digest[2:4]}/{digest}{SUFFIX}"

    def keep(self, data: bytes) -> Digest:
        """Store bytes and return their SHA-256, which the server is given and must find too; the same bytes are stored once."""
        digest = digest_of(data)
        try:
            self.read(digest)
        except IntegrityError:
            stored = packed(data)
            with refusals(self._not_written):
                self._client.put_object(
                    Bucket=self._bucket, Key=self.key(digest), Body=stored, ChecksumSHA256=checksum(stored)
                )
        return digest

    def read(self, digest: Digest) -> bytes:
        """Return a blob's bytes."""
        limit = longest_frame(MAX_BLOB_BYTES)
        with refusals(self._not_read):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self.key(digest))
            except Exception as error:
                if status_of(error) == 404 and "NoSuchBucket" not in str(error):
                    raise broken(msg("blob {digest} is missing", digest=digest)) from error
                raise
            if answer["ContentLength"] > limit:
                raise broken(msg("blob {digest} is larger than {limit} bytes", digest=digest, limit=limit))
            stored = answer["Body"].read()
        return unpacked(stored, digest)

    def has(self, digest: Digest) -> bool:
        """Say whether its object is there, without reading it."""
        with refusals(self._not_read):
            try:
                self._client.head_object(Bucket=self._bucket, Key=self.key(digest))
            except Exception as error:
                if status_of(error) == 404:
                    return False
                raise
        return True

    def remove(self, digest: Digest) -> None:
        """Remove a blob for good, in all its versions; one under Object Lock cannot be removed before its day."""
        with refusals(self._not_written):
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=self.key(digest)
            )
            for page in pages:
                for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    self._client.delete_object(Bucket=self._bucket, Key=each["Key"], VersionId=each["VersionId"])

    def digests(self) -> Iterator[Digest]:
        """Yield the name of each blob, in order; other objects are not blobs and are passed over."""
        with refusals(self._not_read):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            ):
                for each in page.get("Contents", ()):
                    name = each["Key"].rpartition("/")[2].removesuffix(SUFFIX)
                    if len(name) == 64:
                        yield Digest(name)

    def _not_written(self, cause: Message, hint: Message) -> LedgerFull:
        return LedgerFull(
            msg("cannot write a blob to the bucket {bucket}: {cause}", bucket=self._bucket, cause=cause), hint
        )

    def _not_read(self, cause: Message, hint: Message) -> LedgerError:
        return LedgerError(
            msg("cannot read blobs of the bucket {bucket}: {cause}", bucket=self._bucket, cause=cause), hint
        )
