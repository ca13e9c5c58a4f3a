"""An object store under Object Lock: what lies there cannot be deleted or changed by anybody before its day.

    [[ledger.anchor]]
    id = "s3-archive"
    kind = "s3"
    endpoint = "https://s3.example.vn"
    bucket = "portal-heads"
    retain_days = 1825
    access_key = { file = "/etc/portalops/s3.id" }
    secret_key = { file = "/etc/portalops/s3.secret" }

The bucket must have been made with Object Lock. Each head becomes two objects, `<prefix><ledger>/<size>.txt` and `.sig`, locked
in COMPLIANCE mode, which not even the bucket's owner can lift. A server may say "200 OK" and lock nothing, so it is asked
afterwards: content, checksum, version and lock are read back, and the version just made is tried to be deleted, which must
be refused. The key needs the rights to put, to read, to list versions and to set retention. An object that is there is never written
again: the same bytes are taken for the head's, and others, under any version, are a fork.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from pydantic import Field

from portalops.anchors import AnchorContext, AnchorKind
from portalops.anchors._common import files_of, forked, receipt_of, unavailable
from portalops.config.tables import KindTable
from portalops.errors import AnchorUnavailable
from portalops.ledger.heads import MAX_HEAD_BYTES
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.message import Message, msg
from portalops.model.text import format_at, show_text
from portalops.ports import EvidenceStore
from portalops.system.s3 import LOCK_HINT, Store, StoreSettings, checksum, open_client, refusals, status_of

COMPLIANCE = "COMPLIANCE"
MAX_VERSIONS = 100
"""Versions of one object that are looked at; there is one where nobody tried anything."""


class Settings(StoreSettings):
    """`kind = "s3"`."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="A bucket made with Object Lock.")
    retain_days: int = Field(ge=1, le=36500, description="How long each head is locked; nobody can shorten it.")


def build(table: KindTable, context: AnchorContext) -> S3Anchor:
    """Return the anchor that a configuration table describes."""
    return S3Anchor(AnchorId(table.id), table.parse(Settings), context)


@dataclass(frozen=True, slots=True)
class _Stored:
    """One version of an object, as the server tells of it."""

    key: str
    version: str
    modified_at: datetime
    retained_until: datetime


class S3Anchor:
    """Keeps heads as locked objects."""

    kind = "s3"
    fetches_itself = False

    def __init__(self, anchor_id: AnchorId, settings: Settings, context: AnchorContext) -> None:
        self.id = anchor_id
        self._settings = settings
        self._context = context

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:  # noqa: ARG002  # what it answers is in the details
        details: dict[str, str] = {}
        with refusals(self._refused):
            client = open_client(Store.of(self._settings, self._context.environment), locks=True)
            for name, data in files_of(head):
                key = f"{self._settings.prefix}{head.head.ledger}/{name}"
                version = self._version_there(client, key, data)
                is_new = version is None
                if version is None:
                    version = self._put(client, key, data)
                stored = self._read_back(client, key, version, data)
                if is_new:
                    details["delete"] = self._try_to_delete(client, stored)
        details |= {
            "endpoint": self._settings.endpoint,
            "bucket": self._settings.bucket,
            "key": stored.key,
            "version_id": stored.version,
            "retain_until": format_at(stored.retained_until),
        }
        return receipt_of(self.id, self.kind, head, at=stored.modified_at, details=details)

    def holds(self, head: RecordedHead) -> bool:
        with refusals(self._refused):
            client = open_client(Store.of(self._settings, self._context.environment))
            keys = [(f"{self._settings.prefix}{head.head.ledger}/{name}", data) for name, data in files_of(head)]
            return all(self._version_there(client, key, data) is not None for key, data in keys)

    def _version_there(self, client: Any, key: str, data: bytes) -> str | None:
        """Return the version of the object that holds these bytes; None if there is no object.

        All versions are looked at, because a mark of deletion may hide one.

        Raises:
            HeadRefused: there are other bytes.
            AnchorUnavailable: there are more versions than anybody made who meant well.
        """
        answer = client.list_object_versions(Bucket=self._settings.bucket, Prefix=key, MaxKeys=MAX_VERSIONS)
        versions = [str(each["VersionId"]) for each in answer.get("Versions", ()) if each["Key"] == key]
        if answer.get("IsTruncated"):
            raise unavailable(
                self.id,
                msg("there are more than {n} versions of {key}", n=MAX_VERSIONS, key=key),
                msg("Ask the operator of the bucket who wrote them. Until then this anchor proves nothing."),
            )
        for version in versions:
            if self._content(client, key, version) != data:
                raise forked(self.id, f"{self._settings.bucket}/{key}, version {show_text(version, 100)}")
        return versions[-1] if versions else None

    def _put(self, client: Any, key: str, data: bytes) -> str:
        until = self._context.clock.now() + timedelta(days=self._settings.retain_days)
        answer = client.put_object(
            Bucket=self._settings.bucket,
            Key=key,
            Body=data,
            ContentType="text/plain; charset=utf-8",
            ChecksumSHA256=checksum(data),
            IfNoneMatch="*",
            ObjectLockMode=COMPLIANCE,
            ObjectLockRetainUntilDate=until.replace(microsecond=0),
        )
        version = answer.get("VersionId")
        if not version or version == "null":
            raise self._refused(
                msg("the server stored {key} without a version and so without a lock", key=key), LOCK_HINT
            )
        return str(version)

    def _read_back(self, client: Any, key: str, version: str, data: bytes) -> _Stored:
        """Return what the server says of an object; it must hold these bytes under a lock that lasts."""
        bucket = self._settings.bucket
        found = client.head_object(Bucket=bucket, Key=key, VersionId=version, ChecksumMode="ENABLED")
        if found.get("ChecksumSHA256", checksum(data)) != checksum(data) or (
            self._content(client, key, version) != data
        ):
            raise self._refused(
                msg("{key} does not hold the data that was stored", key=key),
                msg("Have the server examined; its other data cannot be trusted either."),
            )
        until = found.get("ObjectLockRetainUntilDate")
        if found.get("ObjectLockMode") != COMPLIANCE or not isinstance(until, datetime):
            raise self._refused(
                msg(
                    "the server stored {key} without a lock: mode {mode}",
                    key=key,
                    mode=str(found.get("ObjectLockMode") or "-"),
                ),
                LOCK_HINT,
            )
        wanted = timedelta(days=self._settings.retain_days)
        modified_at = found["LastModified"].astimezone(UTC)
        if until - modified_at < wanted - timedelta(days=1):
            raise self._refused(
                msg("the server locked {key} only until {until}", key=key, until=until.astimezone(UTC)),
                msg("Check this machine's clock, and the longest retention that the server allows."),
            )
        return _Stored(key, version, modified_at, until.astimezone(UTC))

    def _try_to_delete(self, client: Any, stored: _Stored) -> str:
        """Return how the server refuses to delete the version that was just made and read back."""
        try:
            client.delete_object(Bucket=self._settings.bucket, Key=stored.key, VersionId=stored.version)
        except ClientError as error:
            answer = error.response.get("Error", {})
            if status_of(error) >= 500:
                raise
            return show_text(f"refused: {answer.get('Code', '-')} {answer.get('Message', '')}".strip())
        raise self._refused(msg("the server deleted {key} although it is locked", key=stored.key), LOCK_HINT)

    def _content(self, client: Any, key: str, version: str) -> bytes:
        """Return an object's beginning: as much as a head or a signature can have, and one byte more."""
        answer = client.get_object(Bucket=self._settings.bucket, Key=key, VersionId=version)
        with answer["Body"] as body:
            return bytes(body.read(MAX_HEAD_BYTES * 2 + 1))

    def _refused(self, cause: Message, hint: Message) -> AnchorUnavailable:
        return unavailable(self.id, cause, hint)


ANCHOR = AnchorKind(settings=Settings, build=build)
