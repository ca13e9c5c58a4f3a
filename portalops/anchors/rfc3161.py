"""A time-stamping authority (RFC 3161): its token says that the head's text was there at its time, by its own clock.

    [[ledger.anchor]]
    id = "tsa"
    kind = "rfc3161"
    url = "https://tsa.ca.gov.vn"
    ca_file = "tsa-chain.pem"

The authority gets the head's SHA-256 and nothing else. Its answer is checked before it counts: granted, over this digest,
with our nonce, signed by a certificate for time stamping that `ca_file` leads to and that was valid then, and with a time
that is not far from ours. It is kept as it came, so that stock OpenSSL reads it:

    openssl ts -verify -in HEAD.tsr -data HEAD.txt -CAfile tsa-chain.pem

Needs the package rfc3161-client: the extra `timestamp`.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from pydantic import AfterValidator, Field

from portalops.anchors import AnchorContext, AnchorKind
from portalops.anchors._common import receipt_of, unavailable
from portalops.anchors._der import with_sorted_certificates
from portalops.config.layers import show_path
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue, Shape
from portalops.errors import AnchorUnavailable
from portalops.model.causes import cause_of
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import EvidenceStore

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

MAX_ANSWER_BYTES = 256 << 10
"""A token with the certificates of a long chain has about 10 KiB."""

MAX_CHAIN_BYTES = 1 << 20
"""What is read of `ca_file` at most."""

MAX_SKEW = timedelta(minutes=5)
"""How far the authority's time may be from ours; a bundle is held to the same (docs/bundle-format.md, point 7)."""

REPLY = "application/timestamp-reply"
"""What the answer's type must be (RFC 3161, section 3.4)."""


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        raise RefusedValue(msg("is not a web address"), msg("Give an http or https address."))
    return value


class Settings(Shape):
    """`kind = "rfc3161"`."""

    url: Annotated[str, AfterValidator(_web_address)] = Field(description="The authority's http or https address.")
    ca_file: LocalPath = Field(description="PEM certificates that lead from the authority's to one that is trusted.")
    policy: str | None = Field(
        default=None, pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$", description="The policy that tokens must be made under."
    )
    timeout_seconds: int = Field(default=30, ge=1, le=600, description="How long one answer may take in all.")


def build(table: KindTable, context: AnchorContext) -> TimestampAnchor:
    """Return the anchor that a configuration table describes."""
    return TimestampAnchor(AnchorId(table.id), table.parse(Settings), context)


def missing() -> tuple[Message, Message] | None:
    """Return what is not installed, and how it is; None if all is there."""
    try:
        import rfc3161_client  # noqa: F401, PLC0415  # an extra
    except ImportError:
        return (
            msg("the Python package rfc3161-client is not installed"),
            msg(
                "Install it where portalops is: {python} -m pip install 'portalops[timestamp]'",
                python=show_text(sys.executable),
            ),
        )
    return None


class TimestampAnchor:
    """Gets time-stamp tokens over heads."""

    kind = "rfc3161"
    fetches_itself = False

    def __init__(self, anchor_id: AnchorId, settings: Settings, context: AnchorContext) -> None:
        self.id = anchor_id
        self._settings = settings
        self._clock = context.clock

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:
        text = head.signed.text.encode()
        pem = self._pem()
        chain = self._chain(pem)
        request = self._request(text)
        data = self._ask(request.as_bytes())
        response = self._checked(data, request, text, chain)
        info = response.tst_info
        return receipt_of(
            self.id,
            self.kind,
            head,
            at=info.gen_time.astimezone(UTC),
            details={
                "url": show_text(self._settings.url),
                "serial": str(info.serial_number),
                "policy": info.policy.dotted_string,
                "authority": self._authority(response),
            },
            evidence=(keeper.keep(data), keeper.keep(pem)),
        )

    def _request(self, text: bytes) -> TimeStampRequest:
        if (absent := missing()) is not None:
            raise self._refused(*absent)
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415  # an extra

        return TimestampRequestBuilder(data=text, hash_algorithm=HashAlgorithm.SHA256, nonce=True).build()

    def _pem(self) -> bytes:
        try:
            with self._settings.ca_file.open("rb") as file:
                return file.read(MAX_CHAIN_BYTES)
        except OSError as error:
            raise self._no_chain(cause_of(error)) from error

    def _chain(self, pem: bytes) -> Sequence[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise self._no_chain(msg("it holds no certificates in PEM")) from error

    def _no_chain(self, cause: Message) -> AnchorUnavailable:
        return self._refused(
            msg("{path}: {cause}", path=show_path(self._settings.ca_file), cause=cause),
            msg("Put the certificate chain that the authority publishes into that file."),
        )

    def _ask(self, request: bytes) -> bytes:
        """Return the answer as it came, which may be anything that is not too large."""
        headers = {"Content-Type": "application/timestamp-query", "Accept": REPLY}
        try:
            with (
                httpx.Client(timeout=self._settings.timeout_seconds, follow_redirects=False) as client,
                client.stream("POST", self._settings.url, content=request, headers=headers) as answer,
            ):
                return self._read(answer)
        except httpx.TimeoutException as error:
            raise self._timed_out() from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            cause = show_text(str(error) or type(error).__name__)
            raise self._refused(verbatim(cause), msg("Check the address, and that this machine reaches it.")) from error

    def _read(self, answer: httpx.Response) -> bytes:
        deadline = self._clock.monotonic() + self._settings.timeout_seconds
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status_code != 200:
            raise self._refused(
                msg("it answers with status {status}", status=str(answer.status_code)),
                msg("Check the address; ask the authority whether this host may use it."),
            )
        if kind != REPLY:
            raise self._refused(
                msg("it answers with {kind} instead of {wanted}", kind=show_text(kind or "-", 60), wanted=REPLY),
                _ADDRESS,
            )
        data = b""
        for chunk in answer.iter_raw():
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                raise self._refused(msg("its answer is larger than {n} bytes", n=MAX_ANSWER_BYTES), _ADDRESS)
            if self._clock.monotonic() > deadline:
                raise self._timed_out()
        return data

    def _checked(
        self, data: bytes, request: TimeStampRequest, text: bytes, chain: Sequence[x509.Certificate]
    ) -> TimeStampResponse:
        """Return the answer, read, if every part of it holds."""
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415  # an extra

        try:
            response = decode_timestamp_response(with_sorted_certificates(data))
            if response.status != 0:
                said = ", ".join(response.status_string) or "-"
                raise self._refused(
                    msg(
                        "it refuses a time stamp: status {status}, {said}",
                        status=str(response.status),
                        said=show_text(said),
                    ),
                    msg("Ask the authority for its conditions; it also refuses a policy that it does not have."),
                )
            info = response.tst_info
            if info.message_imprint.message != hashlib.sha256(text).digest():
                raise self._refused(msg("its time stamp is for other data"), _ADDRESS)
            if info.nonce != request.nonce:
                raise self._refused(msg("its time stamp answers another request: the nonce differs"), _ADDRESS)
            roots = [each for each in chain if each.issuer == each.subject] or list(chain)
            verifier = VerifierBuilder(
                policy_id=x509.ObjectIdentifier(self._settings.policy) if self._settings.policy else None,
                intermediates=[each for each in chain if each not in roots],
                roots=roots,
                nonce=request.nonce,
            ).build()
            verifier.verify_message(response, text)
            self._require_near(info.gen_time)
        except (VerificationError, ValueError, TypeError) as error:
            raise self._refused(
                msg("its answer is not valid: {cause}", cause=show_text(str(error))),
                msg(
                    "Check that {path} holds the chain to the authority's certificate.",
                    path=show_path(self._settings.ca_file),
                ),
            ) from error
        return response

    def _require_near(self, stated: datetime) -> None:
        now = self._clock.now()
        if abs(stated.astimezone(UTC) - now) > MAX_SKEW:
            raise self._refused(
                msg("its time is {stated}, but the time here is {now}", stated=stated.astimezone(UTC), now=now),
                msg("Set this machine's clock right. If it is right already, the authority's clock is wrong."),
            )

    def _authority(self, response: TimeStampResponse) -> str:
        signers = {(signer.issuer, signer.serial_number) for signer in response.signed_data.signer_infos}
        for data in response.signed_data.certificates:
            certificate = x509.load_der_x509_certificate(data)
            if (certificate.issuer, certificate.serial_number) in signers:
                return show_text(certificate.subject.rfc4514_string())
        return "-"

    def _timed_out(self) -> AnchorUnavailable:
        return self._refused(msg("no answer within {n} seconds", n=self._settings.timeout_seconds), _ADDRESS)

    def _refused(self, cause: Message, hint: Message) -> AnchorUnavailable:
        return unavailable(self.id, cause, hint)


_ADDRESS = msg("Check that the address belongs to a time-stamp authority, and ask its operator.")


ANCHOR = AnchorKind(settings=Settings, build=build, missing=missing)
