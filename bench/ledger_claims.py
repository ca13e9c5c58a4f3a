"""What claims cost: a command that records, and the verification of a ledger, each with claims beside itself without, in turns.

A command here is what it is to the ledger: twenty records, and the claim over them. Verification reads a ledger of such commands;
the ratio per record is shown, since the claims are records of their own.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench._ledgers import seconds
from portalops import bodies
from portalops.ledger.claimant import MachineClaimant
from portalops.ledger.heads import record_head
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.ledger.verify import verify
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock

ROUNDS = 5
COMMANDS = 40
"""In a round, with and without."""

RECORDS = 20
"""Of a command."""

PROMISED_COMMAND = 4.0
"""How much longer a command's records take with claims. Each is noted in a journal before; beyond it a sync more was added."""

PROMISED_VERIFICATION = 3.0
"""How much longer verification takes, a claim a command: a signature is verified for each, and its details are read."""


def main() -> int:
    """Print the ratios and return 0 if they are as promised."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:  # /tmp may lie in memory
        folder, clock = Path(scratch), SystemClock()
        SigningKey.make(folder / "key")
        key = SigningKey.load(folder / "key")
        with (
            closing(Ledger.open(folder / "plain", clock, create=True)) as plain,
            closing(Ledger.open(folder / "claimed", clock, create=True)) as claimed,
        ):
            claimed.claimant = claimant = MachineClaimant(folder / "claimed", clock, "web1", enrols=True)
            for each in (plain, claimed):
                record_head(each, key, clock)
            commands = [(seconds(lambda: _work(plain)), seconds(lambda: _work(claimed))) for _round in range(ROUNDS)]
            claimant.close()
            verifications = [
                (seconds(lambda: _verify(plain)), seconds(lambda: _verify(claimed))) for _round in range(ROUNDS)
            ]
    command, verification = _shown("a command", commands), _shown("verification", verifications)
    return 0 if command <= PROMISED_COMMAND and verification <= PROMISED_VERIFICATION else 1


def _work(ledger: Ledger) -> None:
    for number in range(COMMANDS):
        for each in range(RECORDS):
            ledger.append("note", run=NO_RUN, body=bodies.write({"note": f"{number} {each}"}))
        ledger.claim()


def _verify(ledger: Ledger) -> None:
    found = verify(ledger, now=SystemClock().now() + timedelta(days=1), zone=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert found.integrity.holds
    assert not found.integrity.unclaimed


def _shown(what: str, pairs: list[tuple[float, float]]) -> float:
    ratio = statistics.median(claimed / plain for plain, claimed in pairs)
    plain, claimed = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{what}: with claims {ratio:.2f} times without ({claimed * 1000:.0f} ms, {plain * 1000:.0f} ms)")
    return ratio


if __name__ == "__main__":
    sys.exit(main())
