"""Time-stamp tokens over heads, from a real authority made with OpenSSL, and from ones that cheat."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import AnchorUnavailable, ConfigurationError
from portalops.model.heads import AnchorReceipt
from portalops.ports import Clock
from portalops.system.clock import SystemClock
from tests.anchors.certificates import NOW, Issued, authority, timestamper
from tests.anchors.parts import Answering, Authority, an_anchor, just_now, web_server
from tests.doubles import FixedClock, MemoryKeeper

ROOT = authority("Root of the time stamps")
BELOW = authority("Authority below the root", ROOT)


@pytest.fixture
def tsa(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tsa", timestamper("Time stamps", BELOW), (BELOW,))


def publish(
    folder: Path,
    answering: Answering,
    keeper: MemoryKeeper | None = None,
    *,
    trusted: tuple[Issued, ...] = (ROOT,),
    clock: Clock | None = None,
    endless: bool = False,
    slow: bool = False,
    **values: Any,
) -> AnchorReceipt:
    (folder / "ca.pem").write_bytes(b"".join(each.pem for each in trusted))
    with web_server(answering, endless=endless, slow=slow) as url:
        table = {"url": url, "ca_file": "ca.pem", **values}
        anchor = an_anchor("rfc3161", table, folder, clock=clock or SystemClock())
        return anchor.publish(just_now(), keeper or MemoryKeeper())


def test_the_answer_is_kept_as_stock_openssl_verifies_it(tmp_path: Path, tsa: Authority) -> None:
    keeper = MemoryKeeper()
    receipt = publish(tmp_path, tsa.answer, keeper)

    (tmp_path / "head.tsr").write_bytes(keeper.blobs[receipt.evidence[0]])
    (tmp_path / "chain.pem").write_bytes(keeper.blobs[receipt.evidence[1]])
    imprint = subprocess.run(
        [
            "openssl",
            "ts",
            "-verify",
            "-in",
            tmp_path / "head.tsr",
            "-digest",
            receipt.head,
            "-CAfile",
            tmp_path / "chain.pem",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert imprint.returncode == 0, imprint.stderr
    assert receipt.at is not None and abs(receipt.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert receipt.details["policy"] == Authority.POLICY
    assert receipt.details["authority"] == "CN=Time stamps"


def test_only_the_digest_leaves_this_machine(tmp_path: Path, tsa: Authority) -> None:
    receipt = publish(tmp_path, tsa.answer)

    (request,) = tsa.requests
    assert bytes.fromhex(receipt.head) in request
    assert len(request) < 100


def test_a_chain_with_the_authority_in_between_is_taken(tmp_path: Path, tsa: Authority) -> None:
    assert publish(tmp_path, tsa.answer, trusted=(BELOW, ROOT)).problem == ""


def test_another_root_is_not_trusted(tmp_path: Path, tsa: Authority) -> None:
    with pytest.raises(AnchorUnavailable, match="its answer is not valid"):
        publish(tmp_path, tsa.answer, trusted=(authority("Another root"),))


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    expired = Authority(tmp_path / "tsa", timestamper("Old", BELOW, last=NOW - timedelta(days=1)), (BELOW,))

    with pytest.raises(AnchorUnavailable, match="its answer is not valid"):
        publish(tmp_path, expired.answer)


def test_a_token_over_something_else_is_refused(tmp_path: Path, tsa: Authority) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        return 200, tsa.REPLY, tsa.reply(tsa.request_over(b"another text"))

    with pytest.raises(AnchorUnavailable, match="for other data"):
        publish(tmp_path, answer)


def test_an_answer_to_an_earlier_request_is_refused(tmp_path: Path, tsa: Authority) -> None:
    head = just_now()

    def answer(request: bytes) -> tuple[int, str, bytes]:
        return 200, tsa.REPLY, tsa.reply(tsa.request_over(asked.signed.text.encode()))

    asked = head
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    with web_server(answer) as url:
        anchor = an_anchor("rfc3161", {"url": url, "ca_file": "ca.pem"}, tmp_path, clock=SystemClock())
        with pytest.raises(AnchorUnavailable, match="the nonce differs"):
            anchor.publish(head, MemoryKeeper())


def test_a_request_that_is_not_granted_is_said_in_the_authoritys_words(tmp_path: Path, tsa: Authority) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        return 200, tsa.REPLY, tsa.reply(request[:-3])

    with pytest.raises(AnchorUnavailable, match=r"it refuses a time stamp: status 2, Bad request format"):
        publish(tmp_path, answer)


def test_another_policy_than_the_one_asked_for_is_refused(tmp_path: Path, tsa: Authority) -> None:
    with pytest.raises(AnchorUnavailable, match="Policy ID mismatch"):
        publish(tmp_path, tsa.answer, policy="1.2.3.4")

    assert publish(tmp_path, tsa.answer, policy=Authority.POLICY).problem == ""


def test_a_bit_flipped_anywhere_is_refused(tmp_path: Path, tsa: Authority) -> None:
    for place in (30, 60, 200, -200, -20, -1):

        def answer(request: bytes, place: int = place) -> tuple[int, str, bytes]:
            data = bytearray(tsa.reply(request))
            data[place] ^= 1
            return 200, tsa.REPLY, bytes(data)

        with pytest.raises(AnchorUnavailable):
            publish(tmp_path, answer)


def test_a_time_far_from_ours_is_said_with_both(tmp_path: Path, tsa: Authority) -> None:
    with pytest.raises(AnchorUnavailable, match=r"its time is .*, but the time here is") as refused:
        publish(tmp_path, tsa.answer, clock=FixedClock(datetime.now(UTC) - timedelta(minutes=20)))

    assert "clock" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ((200, "text/html; charset=utf-8", b"<html>\x1b[31mwelcome"), "answers with text/html instead of"),
        ((503, "text/plain", b"later"), "answers with status 503"),
        ((302, "text/plain", b"elsewhere"), "answers with status 302"),
        ((200, Authority.REPLY, b"<html>"), "its answer is not valid"),
        ((200, Authority.REPLY, b""), "its answer is not valid"),
        ((200, Authority.REPLY, b"\x30\x03\x02\x01\x00"), "its answer is not valid"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_reason(
    tmp_path: Path, answered: tuple[int, str, bytes], said: str
) -> None:
    with pytest.raises(AnchorUnavailable, match=said):
        publish(tmp_path, lambda _request: answered)


def test_an_endless_answer_is_cut_off(tmp_path: Path) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        return 200, Authority.REPLY, b"0" * (64 << 10)

    with pytest.raises(AnchorUnavailable, match="larger than 262144 bytes"):
        publish(tmp_path, answer, endless=True)


@pytest.mark.parametrize("size", [0, 50])
def test_a_slow_or_silent_authority_is_given_up(tmp_path: Path, size: int) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        if not size:
            time.sleep(3)
        return 200, Authority.REPLY, b"0" * size

    began = time.monotonic()
    with pytest.raises(AnchorUnavailable, match="no answer within 1 seconds"):
        publish(tmp_path, answer, slow=bool(size), timeout_seconds=1)

    assert time.monotonic() - began < 15


def test_without_the_package_the_hint_says_how_to_install_it(
    tmp_path: Path, tsa: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)

    with pytest.raises(AnchorUnavailable, match="rfc3161-client is not installed") as refused:
        publish(tmp_path, tsa.answer)

    assert "pip install 'portalops[timestamp]'" in str(refused.value.hint)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_chain_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    anchor = an_anchor("rfc3161", {"url": "http://127.0.0.1:1/", "ca_file": "ca.pem"}, tmp_path)

    with pytest.raises(AnchorUnavailable, match=r"ca\.pem"):
        anchor.publish(just_now(), MemoryKeeper())


@pytest.mark.parametrize("url", ["tsa.example", "ftp://tsa.example/", "http://"])
def test_what_is_no_web_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a web address"):
        an_anchor("rfc3161", {"url": url, "ca_file": "ca.pem"}, tmp_path)
