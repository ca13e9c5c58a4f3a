"""A watched ledger for tests: it works, signs heads, and can be asked for extensions."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commands.ledger.extend import extension
from portalops import bodies
from portalops.ledger.heads import record_head
from portalops.ledger.ledger import Ledger
from portalops.model.heads import RecordedHead
from portalops.model.record import Digest, RunId
from portalops.ports import Extension
from portalops.signatures.sshsig import SigningKey
from portalops.witness.rules import KeptHead, KeyOrigin, KnownKey, Pinned, judge
from tests.doubles import FixedClock
from tests.ledger.ledgers import START


def key(number: int) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


KEY, NEW_KEY, FOREIGN = key(1), key(2), key(9)


class Watched:
    """A ledger on the watched side, with a clock that moves on."""

    def __init__(self, folder: Path, *, begins: datetime = START) -> None:
        self.clock = FixedClock(begins)
        self.ledger = Ledger.open(folder, self.clock, create=True)

    def work(self, runs: int = 1) -> None:
        """Record so many runs, two records each."""
        for _number in range(runs):
            number = self.ledger.count()
            for kind in ("check.started", "check.finished"):
                self.clock.move(timedelta(minutes=5))
                body = bodies.write({"number": number, "kind": kind})
                self.ledger.append(kind, run=RunId(f"12.4:daily:{number}"), subject="daily", duty="12.4", body=body)

    def head(self, by: SigningKey = KEY) -> RecordedHead:
        self.clock.move(timedelta(seconds=1))
        return record_head(self.ledger, by, self.clock)

    def extension(self, after: int, head: RecordedHead) -> Extension:
        return extension(self.ledger, head, after)

    def pinned(self, head: RecordedHead, *keys: KnownKey) -> Pinned:
        """Return what a witness knows that took this head."""
        record = self.ledger.record(head.head.size)
        assert record is not None
        known = keys or (KnownKey(KEY.public_key, KeyOrigin.CONFIGURED),)
        return Pinned(head.head.ledger, known, KeptHead(head.signed, record.at))


def taken(pinned: Pinned, part: Extension, now: datetime) -> Pinned:
    """Return what a witness knows after it accepted an extension."""
    accepted = judge(pinned, [part], now=now)
    assert accepted is not None
    return Pinned(accepted.head.ledger, accepted.keys, accepted.kept)


def sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())
