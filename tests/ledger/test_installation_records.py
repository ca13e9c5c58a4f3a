"""The ledger tells which portalops wrote it since when, and holds together whichever way that goes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from portalops import bodies
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.record import NO_RUN
from portalops.ledger.runs import record_installation
from portalops.model.installations import Direction, InstalledVersion
from portalops.model.record import Digest
from portalops.registers.installations import INSTALLATION, newest_installed
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import week
from tests.ledger.ledgers import START, new_ledger

WHO = Circumstances(1000, None, "lan", "web1", "ab" * 32, "1.0.0", Digest("a" * 64), ("portalops", "run"), True)
OLD = InstalledVersion("1.0.0", Digest("1" * 64), Digest("2" * 64), "3.13.5")
NEW = replace(OLD, version="1.1.0", code=Digest("3" * 64))


def test_upgrade_and_roll_back_are_recorded_once_each(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path, FixedClock(START))

    changes = [record_installation(ledger, each, WHO) for each in (OLD, OLD, NEW, NEW, OLD, OLD)]

    assert [None if each is None else each.direction for each in changes] == [
        Direction.FIRST, None, Direction.UPGRADE, None, Direction.ROLL_BACK, None,
    ]  # fmt: skip
    assert [record.kind for record in ledger.records()] == ["ledger.created", *[INSTALLATION] * 3]
    assert newest_installed(ledger) == OLD


def test_a_record_of_a_newer_portalops_that_cannot_be_read_makes_the_direction_unknown(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path, FixedClock(START))
    told = {"direction": "sideways", "installed": NEW, "before": OLD}
    ledger.append(INSTALLATION, run=NO_RUN, body=bodies.write({INSTALLATION: told}))

    found = record_installation(ledger, OLD, WHO)

    assert found is not None
    assert (found.direction, found.before) == (Direction.UNKNOWN, None)
    assert record_installation(ledger, OLD, WHO) is None


def test_a_bundle_over_an_upgrade_and_a_way_back_is_verified_by_who_knows_neither(tmp_path: Path) -> None:
    written = week(tmp_path / "state")
    for each in (OLD, NEW):
        record_installation(written.ledger, each, WHO)
    written.append("weather.seen", weather={"of": "a kind that only the newer one knows"})
    record_installation(written.ledger, OLD, WHO)
    bundle = tmp_path / "bundle"
    written.export(bundle)

    done = subprocess.run(
        [sys.executable, "-I", str(bundle / "verify.py")], capture_output=True, text=True, check=False
    )

    kinds = [json.loads(line)["kind"] for line in (bundle / "ledger.jsonl").read_bytes().splitlines()]
    assert (kinds.count(INSTALLATION), kinds.count("weather.seen")) == (3, 1)
    assert "RESULT: nothing was changed since it was signed, and something expected is missing." in done.stdout
    assert "daily-check 2026-11-26" in done.stdout, "what is missing is the week's, and nothing of the installations"
