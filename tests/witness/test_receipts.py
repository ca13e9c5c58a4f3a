"""A witness's receipt: six lines and a signature that stock OpenSSH verifies."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portalops.errors import IntegrityError, NotAReceipt
from portalops.model.record import Digest
from portalops.signatures.sshsig import SigningKey, sign
from portalops.witness.receipts import NAMESPACE, Receipt, parse_receipt, sign_receipt, text_of, verify_receipt

KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
OTHER = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"\2" * 32))
RECEIPT = Receipt("ab" * 16, 412, Digest("0b" * 32), datetime(2026, 11, 25, 1, 40, tzinfo=UTC), "khanh-hoa")


def test_a_receipt_is_six_lines() -> None:
    assert text_of(RECEIPT) == (
        f"portalops-receipt 1\nledger {'ab' * 16}\nsize 412\nhead {'0b' * 32}\n"
        "at 2026-11-25T01:40:00.000Z\nwitness khanh-hoa\n"
    )


def test_a_receipt_is_read_back_as_it_was_signed() -> None:
    signed = sign_receipt(RECEIPT, KEY)

    assert verify_receipt(signed.data, KEY.public_key) == signed
    assert parse_receipt(signed.data).receipt == RECEIPT


def test_stock_openssh_verifies_a_receipt(tmp_path: Path) -> None:
    data = sign_receipt(RECEIPT, KEY).data
    (tmp_path / "receipt").write_bytes(data)
    (tmp_path / "signers").write_text(f'witness namespaces="{NAMESPACE}" {KEY.public_key}\n')
    verify = (
        "head -n 6 receipt > receipt.txt; tail -n +7 receipt > receipt.sig;"
        f" ssh-keygen -Y verify -f signers -I witness -n {NAMESPACE} -s receipt.sig < receipt.txt"
    )

    done = subprocess.run(["sh", "-c", verify], cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_receipt_by_another_key_is_refused() -> None:
    with pytest.raises(IntegrityError, match="instead of"):
        verify_receipt(sign_receipt(RECEIPT, OTHER).data, KEY.public_key)


def test_a_signature_made_for_another_purpose_is_refused() -> None:
    text = text_of(RECEIPT)
    data = (text + sign(text.encode(), KEY, "portalops-head")).encode()

    with pytest.raises(IntegrityError, match="another purpose"):
        verify_receipt(data, KEY.public_key)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 100,
        text_of(RECEIPT).encode(),
        sign_receipt(RECEIPT, KEY).data + b"\n",
        sign_receipt(RECEIPT, KEY).data.replace(b"T01:40", b"T31:40"),
        sign_receipt(RECEIPT, KEY).data * 100,
        sign_receipt(RECEIPT, KEY).data.replace(b"\n", b"\r\n"),
    ],
)
def test_what_is_no_receipt_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotAReceipt):
        parse_receipt(data)


@given(st.data())
def test_no_changed_byte_is_overlooked(data: st.DataObject) -> None:
    good = sign_receipt(RECEIPT, KEY).data
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + bytes([data.draw(st.integers(0, 255).filter(lambda byte: byte != good[at]))]) + good[at + 1 :]

    try:
        signed = verify_receipt(changed, KEY.public_key)
    except (NotAReceipt, IntegrityError):
        return
    # Base64 leaves bits of its last letter unused: another spelling of the same signature over the same text.
    assert signed.receipt == RECEIPT
