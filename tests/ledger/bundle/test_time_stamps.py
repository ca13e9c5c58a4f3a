"""Time-stamp responses of a real authority are read, and whatever else comes in their place is told apart."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops.ledger.bundle.time_stamps import MAX_BYTES, NotAStamp, parse_time_stamp

CONFIGURATION = """
[tsa]
default_tsa = own
[own]
dir = .
serial = ./serial
signer_cert = ./tsa.pem
signer_key = ./tsa.key
certs = ./tsa.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
clock_precision_digits = 3
[req]
distinguished_name = name
x509_extensions = usage
prompt = no
[name]
CN = Test TSA
[usage]
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A time-stamping authority of openssl's, for tests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "tsa.cnf").write_text(CONFIGURATION)
        (folder / "serial").write_text("01\n")
        made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-config", "tsa.cnf"]
        self._openssl(*made, "-keyout", "tsa.key", "-out", "tsa.pem")
        self.certificates = (folder / "tsa.pem").read_bytes()

    def stamp(self, data: bytes, *, digest: str = "sha256", policy: str = "") -> bytes:
        """Return the response over some bytes."""
        (self._folder / "data").write_bytes(data)
        asked = ["-tspolicy", policy] if policy else []
        self._openssl("ts", "-query", "-data", "data", f"-{digest}", "-cert", *asked, "-out", "query")
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self._folder / "reply").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def answer(authority: Authority) -> bytes:
    return authority.stamp(b"a head")


def test_a_real_response_says_what_was_stamped_and_when(answer: bytes) -> None:
    found = parse_time_stamp(answer)
    assert found.imprint == hashlib.sha256(b"a head").digest()
    assert abs(found.at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_refusal_and_another_digest_are_none(authority: Authority) -> None:
    with pytest.raises(NotAStamp, match="did not grant"):
        parse_time_stamp(authority.stamp(b"a head", policy="1.2.3.4.99"))
    with pytest.raises(NotAStamp, match="not made with SHA-256"):
        parse_time_stamp(authority.stamp(b"a head", digest="sha512"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        b"0\x80\0\0",
        b"0\x84\xff\xff\xff\xff",
        b"0\x85\x01\0\0\0\0",
        b"0\xff" + b"\xff" * 127,
        b"<html>502 Bad Gateway</html>",
        b"0\x03\x30\x01\x02",
        b"\x30\x05\x30\x03\x02\x01\x02",
        b"0" * (MAX_BYTES + 1),
    ],
)
def test_other_bytes_are_none(data: bytes) -> None:
    with pytest.raises(NotAStamp):
        parse_time_stamp(data)


def test_what_is_cut_short_or_goes_on_is_none(answer: bytes) -> None:
    for length in range(0, len(answer), 7):
        with pytest.raises(NotAStamp):
            parse_time_stamp(answer[:length])
    with pytest.raises(NotAStamp, match="at the end"):
        parse_time_stamp(answer + b"\0")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_changed_bytes_never_end_in_anything_else(answer: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(answer) - 1))
    changed = answer[:place] + bytes([data.draw(st.integers(0, 255))]) + answer[place + 1 :]
    with suppress(NotAStamp):
        parse_time_stamp(changed)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_never_end_in_anything_else(data: bytes) -> None:
    with pytest.raises(NotAStamp):
        parse_time_stamp(b"\x30" + bytes([min(len(data), 127)]) + data)
