"""Heads under Object Lock, on a real SeaweedFS and on servers that only say so."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from portalops.errors import AnchorUnavailable, ConfigurationError, HeadRefused, SecretUnavailable
from portalops.model.heads import AnchorReceipt, RecordedHead
from portalops.ports import Clock
from portalops.system.clock import SystemClock
from tests.anchors.parts import LEDGER, S3_ENVIRONMENT, a_head, an_anchor, s3_values
from tests.doubles import FixedClock, MemoryKeeper
from tests.servers import ObjectStore, a_bucket

TEXT, SIGNATURE = f"{LEDGER}/0000000412.txt", f"{LEDGER}/0000000412.sig"


def publish(
    values: dict[str, Any], folder: Path, head: RecordedHead | None = None, clock: Clock | None = None
) -> AnchorReceipt:
    anchor = an_anchor("s3", values, folder, clock=clock or SystemClock(), environment=S3_ENVIRONMENT)
    return anchor.publish(head or a_head(), MemoryKeeper())


@pytest.mark.heavy
def test_head_and_signature_lie_there_locked(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "locked")

    receipt = publish(s3_values(object_store, bucket), tmp_path)

    client = object_store.client()
    head = a_head()
    for key, data in ((TEXT, head.signed.text.encode()), (SIGNATURE, head.signed.signature.encode())):
        found = client.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        assert found["Body"].read() == data
        assert found["ObjectLockMode"] == "COMPLIANCE"
        assert found["ObjectLockRetainUntilDate"] - datetime.now(UTC) > timedelta(days=29)
        assert found["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert receipt.details["bucket"] == bucket
    assert receipt.details["key"] == TEXT
    assert receipt.details["version_id"] == client.head_object(Bucket=bucket, Key=TEXT)["VersionId"]
    assert receipt.details["delete"].startswith("refused: AccessDenied")
    assert receipt.at == client.head_object(Bucket=bucket, Key=TEXT)["LastModified"]


def test_nobody_deletes_overwrites_or_shortens_it(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "nobody")
    receipt = publish(s3_values(object_store, bucket), tmp_path)

    client, version = object_store.client(), receipt.details["version_id"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=TEXT, VersionId=version, BypassGovernanceRetention=True)
    with pytest.raises(ClientError):
        client.put_object_retention(
            Bucket=bucket,
            Key=TEXT,
            VersionId=version,
            BypassGovernanceRetention=True,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(seconds=5)},
        )
    client.put_object(Bucket=bucket, Key=TEXT, Body=b"another history")

    assert client.get_object(Bucket=bucket, Key=TEXT, VersionId=version)["Body"].read() == a_head().signed.text.encode()


def test_a_head_that_is_there_is_not_written_again(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "again")
    first = publish(s3_values(object_store, bucket), tmp_path)

    second = publish(s3_values(object_store, bucket), tmp_path)

    versions = object_store.client().list_object_versions(Bucket=bucket)["Versions"]
    assert len(versions) == 2
    assert (second.at, second.details["version_id"]) == (first.at, first.details["version_id"])


def test_another_head_of_the_same_size_is_a_fork(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "fork")
    publish(s3_values(object_store, bucket), tmp_path)

    with pytest.raises(HeadRefused, match="two histories"):
        publish(s3_values(object_store, bucket), tmp_path, a_head(digest="0b77" * 16))


def test_a_mark_of_deletion_hides_no_fork(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "hidden")
    publish(s3_values(object_store, bucket), tmp_path)
    for key in (TEXT, SIGNATURE):
        object_store.client().delete_object(Bucket=bucket, Key=key)

    with pytest.raises(HeadRefused, match="two histories"):
        publish(s3_values(object_store, bucket), tmp_path, a_head(digest="0b77" * 16))


def test_a_version_that_was_put_over_it_is_a_fork(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "over")
    publish(s3_values(object_store, bucket), tmp_path)
    object_store.client().put_object(Bucket=bucket, Key=TEXT, Body=b"another history")

    with pytest.raises(HeadRefused, match="two histories"):
        publish(s3_values(object_store, bucket), tmp_path)


def test_a_prefix_is_put_before_the_names(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "prefixed")

    receipt = publish(s3_values(object_store, bucket) | {"prefix": "heads/"}, tmp_path)

    assert receipt.details["key"] == f"heads/{TEXT}"


def test_a_bucket_without_lock_is_refused(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "open", locked=False)

    with pytest.raises(AnchorUnavailable) as refused:
        publish(s3_values(object_store, bucket), tmp_path)

    assert "Make a new bucket with Object Lock" in str(refused.value.hint)


def test_a_head_that_lies_there_unlocked_is_no_anchor(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "unlocked")
    head = a_head()
    client = object_store.client()
    client.put_object(Bucket=bucket, Key=SIGNATURE, Body=head.signed.signature.encode())
    client.put_object(Bucket=bucket, Key=TEXT, Body=head.signed.text.encode())

    with pytest.raises(AnchorUnavailable, match="without a lock"):
        publish(s3_values(object_store, bucket), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret_key": {"env": "WRONG_SECRET"}}, "SignatureDoesNotMatch"),
        ({"access_key": {"env": "WRONG_SECRET"}}, "InvalidAccessKeyId"),
        ({"access_key": {"env": "READER_ID"}, "secret_key": {"env": "READER_SECRET"}}, "AccessDenied"),
        ({"bucket": "not-there"}, "NoSuchBucket"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(
    object_store: ObjectStore, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    bucket = a_bucket(object_store, f"refused-{said.lower()}")

    with pytest.raises(AnchorUnavailable, match=said) as refused:
        publish(s3_values(object_store, bucket) | change, tmp_path)

    assert "another" not in str(refused.value)


def test_a_lock_that_ends_too_early_is_seen(object_store: ObjectStore, tmp_path: Path) -> None:
    bucket = a_bucket(object_store, "early")

    with pytest.raises(AnchorUnavailable, match=r"the server locked .* only until .*") as refused:
        publish(s3_values(object_store, bucket), tmp_path, clock=FixedClock(datetime.now(UTC) - timedelta(days=5)))

    assert "clock" in str(refused.value.hint)


def test_a_secret_that_is_not_there_is_said_as_such(object_store: ObjectStore, tmp_path: Path) -> None:
    values = s3_values(object_store, "locked") | {"secret_key": {"env": "ABSENT"}}

    with pytest.raises(SecretUnavailable):
        publish(values, tmp_path)


def test_no_server_at_all(tmp_path: Path) -> None:
    values = s3_values(ObjectStore("http://127.0.0.1:1"), "bucket")

    with pytest.raises(AnchorUnavailable, match="Could not connect"):
        publish(values, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"secret_key": "AKIA"}, "contains the secret itself"),
        ({"endpoint": "s3.example"}, "is not a web address"),
        ({"retain_days": 0}, "retain_days"),
        ({"bucket": "../other"}, "bucket"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        publish(s3_values(ObjectStore("http://127.0.0.1:1"), "bucket") | change, tmp_path)


class Agreeable(BaseHTTPRequestHandler):
    """Says "200 OK" to everything and locks nothing, as plain object stores do with headers that they do not know."""

    stored: dict[str, bytes]
    lock: dict[str, str]
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.stored[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._say(200, b"", {"x-amz-version-id": "1"})

    def do_DELETE(self) -> None:
        self.stored.pop(self.path.partition("?")[0], None)
        self._say(204, b"")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if query.startswith("versions") or "&versions" in query:
            self._say(200, b"<ListVersionsResult></ListVersionsResult>", {"Content-Type": "application/xml"})
        elif path in self.stored:
            self._say(200, self.stored[path], {"Last-Modified": "Wed, 25 Nov 2026 01:32:00 GMT", **self.lock})
        else:
            self._say(404, b"")

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ({}, "the server stored .* without a lock: mode -"),
        (
            {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2036-11-25T00:00:00Z"},
            "without a lock: mode GOVERNANCE",
        ),
        (
            {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": "2036-11-25T00:00:00Z"},
            "the server deleted .* although it is locked",
        ),
    ],
)
def test_a_server_that_says_yes_and_locks_nothing_is_refused(tmp_path: Path, lock: dict[str, str], said: str) -> None:
    handler = type("Handler", (Agreeable,), {"stored": {}, "lock": lock})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        with pytest.raises(AnchorUnavailable, match=said):
            publish(s3_values(ObjectStore(f"http://127.0.0.1:{server.server_port}"), "bucket"), tmp_path)
    finally:
        server.shutdown()
        server.server_close()
