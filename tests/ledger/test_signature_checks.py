"""Signatures that a second thread checks: what comes of them, and in which order."""

from __future__ import annotations

from pathlib import Path

from portalops.ledger.signature_checks import BATCH, FoundSigner, SignatureChecks, SignedBytes, check_signature
from portalops.signatures.sshsig import SigningKey, sign


def test_answers_come_in_the_order_of_the_questions_also_over_several_batches(tmp_path: Path) -> None:
    key = _key(tmp_path)
    asked = [_asked(key, f"text {number}".encode(), is_good=number % 7 != 0) for number in range(3 * BATCH + 5)]

    with SignatureChecks() as checks:
        for each in asked:
            checks.ask(each)
        found = checks.answers()

    assert [bool(each.public_key) for each in found] == [number % 7 != 0 for number in range(len(asked))]
    assert {each.public_key for each in found} == {key.public_key, ""}


def test_a_bad_signature_says_why(tmp_path: Path) -> None:
    found = check_signature(_asked(_key(tmp_path), b"text", is_good=False))

    assert found == FoundSigner("", found.problem)
    assert str(found.problem) == "the signature does not match the signed data"


def test_checks_that_nobody_waits_for_are_left(tmp_path: Path) -> None:
    key = _key(tmp_path)

    with SignatureChecks() as checks:
        for number in range(2 * BATCH):
            checks.ask(_asked(key, str(number).encode(), is_good=True))

    assert not [each for each in checks._batches if each[1].running()]


def _key(folder: Path) -> SigningKey:
    SigningKey.make(folder / "key")
    return SigningKey.load(folder / "key")


def _asked(key: SigningKey, data: bytes, *, is_good: bool) -> SignedBytes:
    return SignedBytes(data if is_good else data + b"!", sign(data, key, "portalops-claim"), "portalops-claim")
