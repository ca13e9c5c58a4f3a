"""The way to an S3 object store: where it is, a client with bounded patience, and what its refusals mean.

Everything that speaks S3 shares this: `portalops.anchors.s3` and `backups.media.s3`. Checksums are sent by those who
call, as a SHA-256 for each request, and boto's own are switched off: what it sends by itself since 1.36 is taken for a
part of the file by some servers (boto/boto3#4435).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]
from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # the library's name
    HTTPClientError,
    IncompleteReadError,
    SSLError,
)
from pydantic import AfterValidator, Field

from portalops.config.secrets import SecretReference
from portalops.config.tables import LocalPath
from portalops.config.values import RefusedValue, Shape, Text
from portalops.model.message import Message, msg
from portalops.model.text import show_text

CONNECT_SECONDS = 10


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise RefusedValue(msg("is not a web address"), msg("Give an http or https address."))
    return value


class StoreSettings(Shape):
    """Where an object store is, and who asks."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] = Field(description="The server's http or https address.")
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The bucket's name.")
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9._/-]{0,200}$", description="What object names begin with.")
    region: Text = Field(default="us-east-1", description="The region that requests are signed for.")
    access_key: SecretReference = Field(description="The access key's id.")
    secret_key: SecretReference = Field(description="The access key's secret.")
    ca_file: LocalPath | None = Field(
        default=None, description="PEM certificates that the server's is checked against, instead of the system's."
    )


@dataclass(frozen=True, slots=True)
class Store:
    """An object store with its credentials at hand."""

    endpoint: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: StoreSettings, environment: Mapping[str, str]) -> Store:
        """Return the store that settings describe.

        Raises:
            SecretUnavailable: the key's id or secret cannot be had.
        """
        return cls(
            settings.endpoint,
            settings.region,
            settings.access_key.reveal(environment),
            settings.secret_key.reveal(environment),
            settings.ca_file,
        )


def open_client(store: Store, *, read_seconds: float = 30.0, tries: int = 2, locks: bool = False) -> Any:
    """Return boto's client for a store; it may be used by several threads.

    Args:
        store: where and as whom.
        read_seconds: how long an answer may pause.
        tries: how often a request is sent in all, where the server is at fault or out of reach.
        locks: objects are put under locks. S3 refuses those without a checksum, and there are servers that know none but
            Content-MD5, so it goes with them besides what the caller gives.

    Raises:
        ValueError, botocore.exceptions.BotoCoreError: the address or the certificates cannot be used; see `refusals`.
    """
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": tries, "mode": "standard"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _OPENING:
        client = _session().client(
            "s3",
            endpoint_url=store.endpoint,
            region_name=store.region,
            aws_access_key_id=store.access_key,
            aws_secret_access_key=store.secret_key,
            verify=str(store.ca_file) if store.ca_file else None,
            config=config,
        )
    if locks:
        client.meta.events.register("before-call.s3", _add_md5)
    return client


@functools.cache
def _session() -> Any:
    """Return one session for all clients: each reads what it knows of S3 anew, from a megabyte of JSON."""

    return boto3.session.Session()


_OPENING = threading.Lock()
"""Clients may be used by several threads, but not be made by them at once (boto3, *Multithreading*)."""


def checksum(data: bytes | bytearray | memoryview) -> str:
    """Return a SHA-256 as S3 writes it in headers."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _add_md5(params: Mapping[str, Any], **_more: object) -> None:
    """Put the MD5 of a body into the header of its request."""
    body = params["body"]
    data = body.getvalue() if isinstance(body, io.BytesIO) else body  # boto wraps what it is given
    if isinstance(data, (bytes, bytearray)) and data:
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


@contextmanager
def refusals(error_of: Callable[[Message, Message], Exception]) -> Iterator[None]:
    """Turn what boto raises inside the block into one error that says what the server answered.

    Args:
        error_of: makes that error from a cause and a hint.
    """
    try:
        yield
    except ClientError as error:
        answer: Mapping[str, Any] = error.response.get("Error", {})
        code, words = str(answer.get("Code") or "-"), str(answer.get("Message") or "")
        cause = msg(
            "the server answers {step} with {code} {words}",
            step=error.operation_name,
            code=show_text(code, 60),
            words=show_text(words),
        )
        raise error_of(cause, _HINTS.get(code, _OTHER_HINT)) from error
    except (BotoCoreError, Boto3Error, OSError, ValueError) as error:
        cause = msg("{cause}", cause=show_text(f"{type(error).__name__}: {error}", 300))
        raise error_of(
            cause, msg("Check endpoint and certificate, and that this machine reaches the server.")
        ) from error


def code_of(error: Exception) -> str:
    """Return the code of a server's refusal, such as `AccessDenied`; the status for a HEAD, which has no body."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or "-")


def status_of(error: Exception) -> int:
    """Return the status of a server's refusal; 500 if it has none."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))


def is_passing(error: BaseException) -> bool:
    """Say whether an error of boto is of a kind that passes by itself: the server is at fault, overloaded or out of reach.

    A refusal is not, and neither is a certificate that does not fit.
    """
    if isinstance(error, ClientError):
        return status_of(error) in _AT_FAULT or code_of(error) in _PASSING
    if isinstance(error, SSLError):
        return False
    return isinstance(error, (ConnectionError, HTTPClientError, IncompleteReadError))


_AT_FAULT = frozenset({500, 502, 503, 504, 507, 509})
"""Statuses of servers that fail for now; not 501, which means that they cannot do it at all."""
_PASSING = frozenset({"SlowDown", "RequestTimeout", "TooManyRequests", "Throttling", "ThrottlingException", "429"})
"""Codes of answers below 500 by which servers ask to come again."""
LOCK_HINT = msg("Make a new bucket with Object Lock, on a server that enforces it; it can be chosen only at creation.")
_OTHER_HINT = msg("Ask the operator of the server about this answer.")
_ACCESS_HINT = msg("The key needs the rights to put and read objects, to list versions and to set retention.")
_KEY_HINT = msg("Correct the key's id and secret that the configuration refers to.")
_HINTS: Mapping[str, Message] = {
    "AccessDenied": _ACCESS_HINT,
    "403": _ACCESS_HINT,
    "InvalidAccessKeyId": _KEY_HINT,
    "SignatureDoesNotMatch": _KEY_HINT,
    "RequestTimeTooSkewed": msg("Set this machine's clock right: it differs too much from the server's."),
    "NoSuchBucket": LOCK_HINT,
    "InvalidRequest": LOCK_HINT,
    "InvalidBucketState": LOCK_HINT,
    "ObjectLockConfigurationNotFoundError": LOCK_HINT,
    "NotImplemented": LOCK_HINT,
    "PreconditionFailed": msg("Run 'portalops ledger anchor' again: another program wrote this object a moment ago."),
    "ConditionalRequestConflict": msg("Run 'portalops ledger anchor' again: another program is writing this object."),
}
