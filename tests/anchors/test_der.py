"""The order of certificates in a time-stamp response, mended for strict readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.anchors._der import with_sorted_certificates
from tests.anchors.certificates import authority, timestamper
from tests.anchors.parts import Authority


def test_certificates_in_any_order_can_be_read_strictly(tmp_path: Path) -> None:
    from rfc3161_client import decode_timestamp_response

    root = authority("Root")
    below = [authority(f"Below {number}", root) for number in range(3)]
    tsa = Authority(tmp_path, timestamper("Time stamps", below[0]), (*below, root))
    data = tsa.reply(tsa.request_over(b"text"))

    mended = with_sorted_certificates(data)

    assert len(decode_timestamp_response(mended).signed_data.certificates) == 5
    assert len(mended) == len(data)
    assert sorted(mended) == sorted(data)
    assert with_sorted_certificates(mended) == mended


@given(st.binary(max_size=200))
def test_what_is_no_response_comes_back_as_it_is(data: bytes) -> None:
    assert with_sorted_certificates(data) == data


@pytest.mark.parametrize(
    "data", [b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x00\x00", b"\x30\x85\x00\x00\x00\x00\x01", b"\x30"]
)
def test_lengths_that_cannot_be_are_no_hindrance(data: bytes) -> None:
    assert with_sorted_certificates(data) == data
