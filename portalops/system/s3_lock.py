"""Whether the Object Lock of an object store holds: a small object is locked for as short as the server lets, and tried to be deleted.

A server may say "200 OK" to a lock and keep none. Nothing but a refused delete shows that it does.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from portalops.model.text import show_text
from portalops.system.s3 import checksum, code_of, status_of

SPANS: Final = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
"""For how long the object is locked: the next span where a server refuses the one before as too short."""
_TOO_SHORT: Final = frozenset({"InvalidArgument", "InvalidRetentionPeriod", "MalformedDate"})
"""How servers answer a day that they do not take."""


@dataclass(frozen=True, slots=True)
class LockTrial:
    """What came of it."""

    key: str
    answer: str
    """The server's own words: to the delete, or to the object where it took that without a version."""
    was_deleted: bool = False
    """The version that was to be locked is gone."""
    locked_until: datetime | None = None
    """The delete was refused, and the object stays until then; None where nothing is locked."""
    may_delete: bool = False
    """The key deleted what was not locked: the refusal is the lock's, and not for want of a right."""


def try_lock(client: Any, *, bucket: str, prefix: str, mode: str) -> LockTrial:
    """Lock a small object, try to delete that version of it, and say how the server answered.

    What earlier trials left there is removed before, as far as its locks have ended.

    Args:
        client: boto's.
        bucket: whose lock it is.
        prefix: what the object's name begins with.
        mode: `COMPLIANCE` or `GOVERNANCE`.

    Raises:
        botocore.exceptions.BotoCoreError, ClientError: the object cannot be put; see `portalops.system.s3.refusals`.
    """
    now = _remove_earlier(client, bucket, prefix)
    key = f"{prefix}{secrets.token_hex(6)}"
    version = _put(client, bucket, key, mode, now)
    if not version:
        with suppress(ClientError):
            client.delete_object(Bucket=bucket, Key=key)
        return LockTrial(key, "200 OK, without a version")
    try:
        client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    except ClientError as error:
        if status_of(error) >= 500:
            raise
        answer = error.response.get("Error", {})
        said = show_text(f"{answer.get('Code', '-')} {answer.get('Message', '')}".strip(), 200)
        # A key without the right to delete is refused whatever lies there: only an object that is locked tells.
        locked = client.head_object(Bucket=bucket, Key=key, VersionId=version)
        found = locked.get("ObjectLockRetainUntilDate")
        if locked.get("ObjectLockMode") == mode and isinstance(found, datetime):
            may_delete = _may_delete(client, bucket, f"{prefix}{secrets.token_hex(6)}")
            return LockTrial(key, said, locked_until=found.astimezone(UTC), may_delete=may_delete)
        return LockTrial(key, said)
    return LockTrial(key, "204 No Content", was_deleted=True)


def _put(client: Any, bucket: str, key: str, mode: str, now: datetime) -> str:
    """Put the object under the shortest lock that the server takes, and return its version; empty if it has none."""
    data = (
        b"A trial of the object lock by 'portalops doctor --deep'. It may be deleted as soon as its lock has ended.\n"
    )
    for number, span in enumerate(SPANS, 1):
        until = (now + span).replace(microsecond=0)
        try:
            answer = client.put_object(
                Bucket=bucket,
                Key=key,
                Body=data,
                ContentType="text/plain; charset=utf-8",
                ChecksumSHA256=checksum(data),
                ObjectLockMode=mode,
                ObjectLockRetainUntilDate=until,
            )
        except ClientError as error:
            if number == len(SPANS) or code_of(error) not in _TOO_SHORT:
                raise
        else:
            version = str(answer.get("VersionId") or "")
            return "" if version == "null" else version
    raise AssertionError("the last span ends it")


def _may_delete(client: Any, bucket: str, key: str) -> bool:
    """Say whether the key may delete a version that is not locked, by an empty one; False where the bucket locks all by itself."""
    try:
        version = client.put_object(Bucket=bucket, Key=key, Body=b"", ChecksumSHA256=checksum(b""))["VersionId"]
        client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    except (ClientError, KeyError):
        return False
    return True


def _remove_earlier(client: Any, bucket: str, prefix: str) -> datetime:
    """Remove what earlier trials left, as far as it can be, and return the server's time, which locks go by."""
    listed = client.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=100)
    for each in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
        with suppress(ClientError):  # still locked, or no right to
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
    return parsedate_to_datetime(listed["ResponseMetadata"]["HTTPHeaders"]["date"]).astimezone(UTC)
