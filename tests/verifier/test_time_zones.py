"""Which time zones a verifier knows is a matter of the list, not of its machine; a machine without their data says so."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.model.period import Period
from tests.conformance.corpus import begun
from tests.conformance.probes import PLANS, SUMMER
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import START
from tests.verifier.scene import by_portalops, by_stranger, verify_py


@pytest.fixture
def without_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.8 has no module of time zones."""
    monkeypatch.setitem(sys.modules, "zoneinfo", None)


def exported(write: Callable[[Path], Written], folder: Path) -> Path:
    """Write a ledger, and a bundle of its last three days."""
    written = write(begun(folder / "state", START))
    day = written.clock.at.date()
    written.export(folder / "bundle", period=Period(day - timedelta(days=2), day))
    return folder / "bundle"


def test_a_zone_that_a_browser_alone_knows_is_unknown_to_portalops_and_verify_py(tmp_path: Path) -> None:
    bundle = exported(PLANS["plan-in-VST"], tmp_path)

    (ours, _), (theirs, _) = by_portalops(bundle), by_stranger(bundle)

    assert (ours.exit_code, ours.not_compared) == (theirs.exit_code, theirs.not_compared) == (3, frozenset())


@pytest.mark.usefixtures("without_zones")
def test_a_machine_without_the_data_of_a_listed_zone_says_so_and_compares_no_runs(tmp_path: Path) -> None:
    found = by_stranger(exported(SUMMER["zone-hour-twice"], tmp_path))[0]

    assert (found.exit_code, found.holds, found.complete, found.not_compared) == (3, True, None, frozenset({"runs"}))
    with pytest.raises(verify_py().LacksZone, match="the time zone Europe/Paris is not known here"):
        verify_py().zone_of("Europe/Paris")


@pytest.mark.usefixtures("without_zones")
def test_a_machine_without_time_zones_says_of_a_name_outside_the_list_what_every_other_says(tmp_path: Path) -> None:
    found = by_stranger(exported(PLANS["plan-in-VST"], tmp_path))[0]

    assert (found.exit_code, found.holds, found.complete, found.not_compared) == (3, True, None, frozenset())
