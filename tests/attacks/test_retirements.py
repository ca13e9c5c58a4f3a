"""Attacks by whoever may append and has no key: records that take from the ledger's key the right to sign, or look like heads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.config.keys import make_next_key, next_key
from portalops.errors import ExitCode, LedgerError
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.heads import HEAD, NAMESPACE, announce_key, record_head, text_of
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.heads import Head, KeyEvent, SignedHead
from portalops.model.record import Digest
from portalops.registers.signers import KEY_ADDED, KEY_RETIRED
from portalops.signatures.sshsig import SigningKey, sign, verify
from tests.attacks.bundle import check, export
from tests.attacks.scene import END, Portal, faults, first_bad, write_key
from tests.conformance.claims import CASES, claimed
from tests.conformance.corpus import begun
from tests.doubles import FixedClock

SOON = END + timedelta(hours=1)
STRANGER = 66


def append(portal: Portal, kind: str, **parts: object) -> int:
    """Append a record as whoever may write the ledger's file, or has an account of its database, does."""
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)
    seq = ledger.append(kind, run=NO_RUN, body=bodies.write(parts)).seq
    ledger.close()
    return seq


def retire(portal: Portal) -> int:
    return append(portal, KEY_RETIRED, key=KeyEvent(portal.key.public_key, "a year is over"))


def retire_for_a_stranger(portal: Portal) -> int:
    own = write_key(portal.folder.parent / "own", STRANGER)
    append(portal, KEY_ADDED, key=KeyEvent(own.public_key, "a new year"))
    return retire(portal)


def record_no_key(portal: Portal) -> int:
    return append(portal, KEY_RETIRED, key={"public_key": "none"})


def record_no_head(portal: Portal) -> int:
    return append(portal, HEAD, head={"text": "none"})


def record_a_head_of_nobody(portal: Portal) -> int:
    own = write_key(portal.folder.parent / "own", STRANGER)
    ledger = Ledger.open(portal.state, FixedClock(END), create=False)
    text = text_of(Head(ledger.id, 10**12, Digest("a" * 64), END, Digest("b" * 64)))
    return append(portal, HEAD, head=SignedHead(text, sign(text.encode(), own, NAMESPACE)))


def add_no_key(portal: Portal) -> int:
    return append(portal, KEY_ADDED, key={"public_key": "none"})


ATTACKS = [retire, retire_for_a_stranger, record_no_key, add_no_key, record_no_head, record_a_head_of_nobody]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_key_signs_on_and_the_record_is_named_by_both_verifiers(
    portal: Portal, tmp_path: Path, attack: Callable[[Portal], int]
) -> None:
    seq = attack(portal)

    signed = portal.call("ledger", "head", at=SOON)
    anchored = portal.call("ledger", "anchor", at=SOON)
    exported = export(portal, tmp_path / "bundle", at=SOON)

    assert (signed.code, exported.code) == (0, ExitCode.INTEGRITY), (signed.text, exported.text)
    assert "not in the ledger" not in anchored.text
    done = portal.call("ledger", "verify", at=SOON)
    assert (done.code, first_bad(done)) == (ExitCode.INTEGRITY, seq), done.text
    stranger, own = check(tmp_path / "bundle"), verify_bundle(tmp_path / "bundle")
    assert (stranger.code, stranger.first_bad, own.integrity.first_bad) == (5, seq, seq), stranger.text


def test_a_retirement_that_nobody_signed_is_named_before_any_head_is_over_it(portal: Portal) -> None:
    seq = retire(portal)
    done = portal.call("ledger", "verify", at=SOON)
    assert (done.code, first_bad(done)) == (ExitCode.INTEGRITY, seq)
    assert any("no key of the ledger confirms" in line for lines in faults(done).values() for line in lines)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_key_is_changed_all_the_same(portal: Portal, attack: Callable[[Portal], int]) -> None:
    seq = attack(portal)

    changed = portal.call("ledger", "rotate-key", "--reason", "a year is over", at=SOON)

    assert changed.code == 0, changed.text
    done = portal.call("ledger", "verify", at=SOON)
    assert first_bad(done) == seq
    assert portal.call("ledger", "head", at=SOON + timedelta(hours=1)).code == 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_lost_key_is_replaced_all_the_same(portal: Portal, attack: Callable[[Portal], int]) -> None:
    attack(portal)
    (portal.folder / "signing").unlink()

    changed = portal.call("ledger", "rotate-key", "--lost", "--reason", "the disk failed", at=SOON)

    assert changed.code == 0, changed.text
    assert portal.call("ledger", "head", at=SOON + timedelta(hours=1)).code == 0


def sign_as_a_stranger(portal: Portal) -> tuple[int, int]:
    """Retire the key for one of a stranger's, who signs a head over that; return the numbers of the retirement and of the head."""
    retired = retire_for_a_stranger(portal)
    own = SigningKey.load(portal.folder.parent / "own")
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)
    head = record_head(ledger, own, FixedClock(END))
    ledger.close()
    return retired, head.seq


def test_a_strangers_head_retires_no_key_and_the_real_one_signs_on(portal: Portal, tmp_path: Path) -> None:
    retired, forged = sign_as_a_stranger(portal)

    signed = portal.call("ledger", "head", at=SOON)
    exported = export(portal, tmp_path / "bundle", at=SOON)

    assert (signed.code, exported.code) == (0, ExitCode.INTEGRITY), (signed.text, exported.text)
    assert signed.data["seq"] > forged
    assert set(faults(portal.call("ledger", "verify", at=SOON))) == {retired, forged}
    stranger, own = check(tmp_path / "bundle"), verify_bundle(tmp_path / "bundle")
    assert (stranger.code, stranger.first_bad, own.integrity.first_bad) == (5, retired, retired), stranger.text


@pytest.mark.parametrize("name", ["head-of-the-size-of-a-strangers", "strangers-head-of-the-size-of-ours"])
def test_a_strangers_head_takes_no_file_of_a_head_of_the_same_size(tmp_path: Path, name: str) -> None:
    written = claimed(begun(tmp_path / "state"))
    CASES[name](written)

    written.export(tmp_path / "bundle")

    folder = tmp_path / "bundle"
    heads = [SignedHead(text.read_text(), text.with_suffix(".sig").read_text()) for text in folder.glob("heads/*.txt")]
    signers = {verify(each.text.encode(), each.signature, NAMESPACE) for each in heads}
    assert signers == {written.key.public_key}
    stranger, own = check(folder), verify_bundle(folder)
    assert (stranger.code, stranger.first_bad) == (5, own.integrity.first_bad), stranger.text
    assert {each.seq for each in own.integrity.faults} == {own.integrity.first_bad}


def test_a_bundle_that_a_stranger_signed_as_the_newest_is_never_said_to_be_unchanged(
    portal: Portal, tmp_path: Path
) -> None:
    """By a key that they only added themselves, whether they retire the real one or not."""
    own = write_key(portal.folder.parent / "own", STRANGER)
    append(portal, KEY_ADDED, key=KeyEvent(own.public_key, "a new year"))
    (portal.folder / "signing").rename(portal.folder / "signing.before")
    (portal.folder.parent / "own").rename(portal.folder / "signing")

    assert export(portal, tmp_path / "bundle", at=SOON).code == 0

    stranger, found = check(tmp_path / "bundle"), verify_bundle(tmp_path / "bundle")
    assert (stranger.code, found.integrity.holds) == (5, False), stranger.text
    assert "which nobody confirmed" in stranger.text
    assert found.integrity.signed.newest is None or found.integrity.signed.newest.public_key != own.public_key


def name_a_successor(portal: Portal) -> int:
    own = write_key(portal.folder.parent / "own", STRANGER)
    return append(portal, KEY_ADDED, key=KeyEvent(own.public_key, "a new year", portal.key.public_key))


def test_no_head_of_the_real_key_confirms_a_successor_that_it_did_not_name(portal: Portal) -> None:
    """A head lies over all records before it, so that the daily one would make the stranger's key the ledger's."""
    seq = name_a_successor(portal)

    for command in (("ledger", "head"), ("ledger", "rotate-key", "--reason", "a year is over")):
        refused = portal.call(*command, at=SOON)
        assert refused.code == ExitCode.INTEGRITY, refused.text
        assert f"record {seq} names the key" in refused.text
    assert portal.call("ledger", "anchor", at=SOON).code != 0


def test_a_new_key_leads_on_from_a_successor_that_nobody_made(portal: Portal) -> None:
    name_a_successor(portal)
    (portal.folder / "signing").rename(portal.folder / "signing.before")

    changed = portal.call("ledger", "rotate-key", "--lost", "--reason", "a stranger's key", at=SOON)

    assert changed.code == 0, changed.text
    assert portal.call("ledger", "head", at=SOON + timedelta(hours=1)).code == 0
    own = SigningKey.load(portal.folder.parent / "own")
    ledger = Ledger.open(portal.state, FixedClock(END + timedelta(hours=2)), create=True)
    ledger.read_own_key = lambda: SigningKey.load(portal.folder / "signing").public_key
    with pytest.raises(LedgerError, match="was retired by record"):
        record_head(ledger, own, FixedClock(END + timedelta(hours=2)))
    ledger.close()


def begin_change(portal: Portal, *, is_signed: bool) -> SigningKey:
    """Begin a change of keys as a command does that is killed: before the old key's head over the next one, or behind it."""
    make_next_key(portal.folder / "signing")
    following = SigningKey.load(next_key(portal.folder / "signing"))
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)
    if is_signed:
        announce_key(ledger, portal.key, following, reason="a year is over", clock=FixedClock(END))
    else:
        event = KeyEvent(following.public_key, "a year is over", portal.key.public_key)
        ledger.append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": event}))
    ledger.close()
    return following


def retire_old(portal: Portal, _following: SigningKey) -> list[int]:
    return [retire(portal)]


def retire_next(portal: Portal, following: SigningKey) -> list[int]:
    return [append(portal, KEY_RETIRED, key=KeyEvent(following.public_key, "a year is over"))]


def retire_both(portal: Portal, following: SigningKey) -> list[int]:
    return [*retire_old(portal, following), *retire_next(portal, following)]


def retire_both_the_other_way(portal: Portal, following: SigningKey) -> list[int]:
    return [*retire_next(portal, following), *retire_old(portal, following)]


@pytest.mark.parametrize("attack", [retire_old, retire_next, retire_both, retire_both_the_other_way])
@pytest.mark.parametrize("is_signed", [False, True])
def test_an_interrupted_change_of_keys_is_ended_whomever_a_stranger_retires_meanwhile(
    portal: Portal, tmp_path: Path, attack: Callable[[Portal, SigningKey], list[int]], is_signed: bool
) -> None:
    following = begin_change(portal, is_signed=is_signed)
    forged = attack(portal, following)

    planned = portal.call("ledger", "rotate-key", "--reason", "a year is over", "--dry-run", at=SOON)
    changed = portal.call("ledger", "rotate-key", "--reason", "a year is over", at=SOON)
    signed = portal.call("ledger", "head", at=SOON + timedelta(hours=1))
    exported = export(portal, tmp_path / "bundle", at=SOON + timedelta(hours=1))

    assert (planned.code, changed.code, signed.code) == (0, 0, 0), (planned.text, changed.text)
    assert portal.key.public_key == following.public_key
    named = set(faults(portal.call("ledger", "verify", at=SOON + timedelta(hours=1))))
    assert named <= set(forged)
    assert exported.code == (ExitCode.INTEGRITY if named else ExitCode.OK), exported.text
    stranger, own = check(tmp_path / "bundle"), verify_bundle(tmp_path / "bundle")
    first = min(named, default=None)
    assert (stranger.first_bad, own.integrity.first_bad) == (first, first), stranger.text


def test_a_head_between_keeps_an_interrupted_change_of_keys_possible(portal: Portal) -> None:
    following = begin_change(portal, is_signed=True)
    retire_next(portal, following)
    portal.sign(at=SOON)

    changed = portal.call("ledger", "rotate-key", "--reason", "a year is over", at=SOON + timedelta(hours=1))

    assert changed.code == 0, changed.text
    assert portal.call("ledger", "head", at=SOON + timedelta(hours=2)).code == 0
