"""Heads are signed as stock OpenSSH verifies them, and keys change without a gap."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.errors import LedgerError, NotAHead
from portalops.ledger.heads import NAMESPACE, code_of, heads, parse_head, read_signers, record_head, rotate_key, text_of
from portalops.ledger.record import GENESIS, NO_RUN, line_digest
from portalops.registers.signers import allowed_signers_line, signer_at
from portalops.signatures.sshsig import SigningKey
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, new_ledger


def test_a_head_says_what_the_ledger_was_and_is_recorded_behind_it(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    made = record_head(ledger, _key(1), clock)
    key_record = ledger.record(2)
    assert key_record is not None
    assert (key_record.kind, made.head.size, made.seq) == ("key.added", 2, 3)
    assert made.head.digest == line_digest(key_record.line)
    assert made.head.previous == GENESIS
    assert parse_head(made.signed.text.encode()) == made.head
    assert text_of(made.head) == made.signed.text
    assert code_of(made.head).startswith(f"2-{made.head.digest[:4]}-{made.head.digest[4:8]}-")


def test_a_head_over_nothing_new_is_the_one_that_stands(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    first = record_head(ledger, _key(1), clock)
    assert record_head(ledger, _key(1), clock) == first
    ledger.append("plan", run=NO_RUN, body=b"{}\n")
    second = record_head(ledger, _key(1), clock)
    assert [each.head.size for each in heads(ledger)] == [2, 4]
    assert second.head.previous != GENESIS


def test_stock_openssh_verifies_a_head_within_its_keys_time_and_not_outside(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path / "state", clock)
    old, new = _key(1), _key(2)
    first = record_head(ledger, old, clock)
    clock.move(timedelta(days=30))
    rotated = rotate_key(ledger, old, new, reason="a year is over", clock=clock)
    signers = read_signers(ledger)
    lines = [
        allowed_signers_line(each.principal, NAMESPACE, each.public_key, each.valid_from, each.valid_to)
        for each in signers
    ]
    (tmp_path / "allowed_signers").write_text("".join(lines))
    for head, moment, accepted in (
        (first, first.head.at, True),
        (first, first.head.at + timedelta(days=31), False),
        (rotated, rotated.head.at, True),
        (rotated, first.head.at, False),
    ):
        (tmp_path / "head.sig").write_text(head.signed.signature)
        done = subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", ledger.id, "-n", NAMESPACE,
             "-O", f"verify-time={moment:%Y%m%d%H%M%SZ}", "-s", "head.sig"],
            input=head.signed.text.encode(), cwd=tmp_path, capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is accepted, done.stdout + done.stderr


def test_a_new_key_is_named_under_a_head_by_the_old_one(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    old, new = _key(1), _key(2)
    record_head(ledger, old, clock)
    clock.move(timedelta(seconds=2))
    rotate_key(ledger, old, new, reason="", clock=clock)
    kinds = [record.kind for record in ledger.records()]
    assert kinds == ["ledger.created", "key.added", "head", "key.added", "head", "key.retired", "head"]
    first, second = read_signers(ledger)
    assert (first.retired_seq, second.replaces) == (6, old.public_key)
    assert signer_at((first, second), old.public_key, 6, clock.now()) is None
    assert signer_at((first, second), new.public_key, 7, clock.now()) == second


def test_an_unknown_or_retired_key_signs_nothing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record_head(ledger, _key(1), clock)
    with pytest.raises(LedgerError, match="the signing key SHA256:"):
        record_head(ledger, _key(2), clock)
    rotate_key(ledger, _key(1), _key(2), reason="", clock=clock)
    with pytest.raises(LedgerError, match="the signing key SHA256:"):
        record_head(ledger, _key(1), clock)
    with pytest.raises(LedgerError, match="was used for this ledger before"):
        rotate_key(ledger, _key(2), _key(1), reason="", clock=clock)


@pytest.mark.parametrize(
    "data", [b"", b"portalops-head 1\n", b"\xff" * 300, b"portalops-head 1\nledger " + b"0" * 5000]
)
def test_other_files_are_no_heads(data: bytes) -> None:
    with pytest.raises(NotAHead, match="six lines"):
        parse_head(data)


def _key(number: int) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
