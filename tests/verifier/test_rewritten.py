"""Whoever holds the key rewrites a record's details and signs everything anew: both programs must still say the same of it."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from portalops.ledger.heads import NAMESPACE, parse_head
from portalops.model.heads import Head
from portalops.signatures.sshsig import SigningKey, sign
from tests.ledger.bundle.bundles import key_of
from tests.verifier.scene import Tampered, by_portalops, by_stranger, written

VALUES: tuple[Any, ...] = (
    None, True, 0, 7, -1, 10**20, "", "x", "backup", "day", "check", "Asia/Ho_Chi_Minh", "Mars/Olympus", "0" * 64,
    "2026-11-25", "2026-02-30", "2026-11-25T01:00:00.000Z", "\ud800", "a\u0301", "\u202e", "\x1b[31m", "complete", "failed",
    "verified", "met", "portalops-head 1\n", [], {}, [[]], [None], {"evidence": "1" * 64}, {"$day": "2026-11-25"}, {"$day": 7},
)  # fmt: skip


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a body: what holds it, and under which key or number."""
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from places(value[key])


def changed(body: bytes, chance: random.Random) -> bytes:
    """Return a body with one value changed, taken away or added."""
    held = json.loads(body)
    holder, key = chance.choice([*places(held), (held, "more")])
    match chance.randrange(4):
        case 0:
            holder.pop(key, None) if isinstance(holder, dict) else holder.pop(key)
        case 1 if isinstance(holder, dict):
            holder[chance.choice(["evidence", "more", "$x", "plan", "head", "key", "sign_off"])] = chance.choice(VALUES)
        case _:
            holder[key] = chance.choice(VALUES)
    return written(held)


class Rewriting:
    """Makes a ledger anew from a record on, with its heads and everything that rests on them."""

    def __init__(self, bundle: Tampered) -> None:
        self.bundle = bundle
        self.lines = bundle.lines()
        self.previous = "0" * 64

    def body(self, place: int) -> bytes:
        return self.path(json.loads(self.lines[place])["body"]).read_bytes()

    def path(self, digest: str) -> Path:
        return self.bundle.folder / "blobs" / digest

    def put(self, body: bytes) -> str:
        digest = hashlib.sha256(body).hexdigest()
        self.path(digest).write_bytes(body)
        return digest

    def finish(self, place: int, body: bytes) -> None:
        retired = next(at for at, line in enumerate(self.lines) if b'"kind":"key.retired"' in line)
        for at, line in enumerate(self.lines):
            fields = json.loads(line)
            if at == place:
                fields["body"] = self.put(body)
            elif fields["kind"] == "head":
                fields["body"] = self.head(at, key_of(1) if at < retired else key_of(2))
            fields["prev"] = hashlib.sha256(self.lines[at - 1]).hexdigest() if at else "0" * 64
            self.lines[at] = written(fields)[:-1]
        self.bundle.set_lines(self.lines)
        self.bundle.describe()
        # Until nothing is left over: evidence goes after the body that named it, in whatever order a folder lists them.
        while left := [path for path in (self.bundle.folder / "blobs").iterdir() if not self.is_named(path.name)]:
            for path in left:
                path.unlink()
        self.bundle.sum_up(sign_it=True)

    def is_named(self, digest: str) -> bool:
        return any(digest.encode() in line for line in self.lines) or self.is_evidence(digest)

    def is_evidence(self, digest: str) -> bool:
        return any(digest.encode() in blob.read_bytes() for blob in (self.bundle.folder / "blobs").iterdir())

    def head(self, at: int, key: SigningKey) -> str:
        held = parse_head(json.loads(self.body(at))["head"]["text"].encode())
        digest = hashlib.sha256(self.lines[held.size - 1]).hexdigest()
        text = text_of(held, digest, self.previous)
        self.previous = hashlib.sha256(text.encode()).hexdigest()
        signature = sign(text.encode(), key, NAMESPACE)
        stem = self.bundle.folder / "heads" / f"{held.size:010d}"
        stem.with_suffix(".txt").write_text(text)
        stem.with_suffix(".sig").write_text(signature)
        return self.put(written({"head": {"signature": signature, "text": text}}))


def text_of(head: Head, digest: str, previous: str) -> str:
    at = head.at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"portalops-head 1\nledger {head.ledger}\nsize {head.size}\ndigest {digest}\nat {at}Z\nprevious {previous}\n"


def rewritten(original: Path, seed: int) -> Path | None:
    """Return a bundle with other details in one of its records, signed by the real keys; None if nothing is another."""
    chance = random.Random(seed)
    folder = original.parent / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    bundle = Tampered(original, folder, key_of(2))
    work = Rewriting(bundle)
    candidates = [at for at in range(len(work.lines)) if work.path(json.loads(work.lines[at])["body"]).exists()]
    rare = [at for at in candidates if b".started" not in work.lines[at] and b'"kind":"head"' not in work.lines[at]]
    place = chance.choice(rare if chance.random() < 0.8 else candidates)
    before = work.body(place)
    body = changed(before, chance)
    if body == before:
        return None
    work.finish(place, body)
    return folder


def compare(original: Path, seed: int) -> int:
    folder = rewritten(original, seed)
    assume(folder is not None)
    assert folder is not None
    stranger, portalops = by_stranger(folder), by_portalops(folder)
    assert stranger[0] == portalops[0], f"{seed}\nverify.py: {stranger}\nportalops: {portalops}"
    return stranger[0].exit_code


EVERY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def test_what_is_signed_anew_and_not_changed_verifies(original: Path, tmp_path: Path) -> None:
    bundle = Tampered(original, tmp_path / "same", key_of(2))
    work = Rewriting(bundle)
    work.finish(0, work.body(0))

    assert by_stranger(bundle.folder)[0] == by_portalops(bundle.folder)[0]
    assert by_stranger(bundle.folder)[0].exit_code == 0


@pytest.mark.heavy
@settings(EVERY, max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_both_say_the_same_of_rewritten_details(original: Path, seed: int) -> None:
    compare(original, seed)


@pytest.mark.exhaustive
@settings(EVERY, max_examples=1000)
@given(seed=st.integers(2**32 + 1, 2**40))
def test_both_say_the_same_of_a_thousand_rewritten_details(original: Path, seed: int) -> None:
    compare(original, seed)
