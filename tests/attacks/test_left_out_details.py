"""Attacks by who holds the ledger's key: an honest record of an ended writer set aside, and a bundle that leaves its details out."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.ledger.blobs import digest_of
from portalops.ledger.heeded import HeedfulLedger, find_time_order, numbers_set_aside
from portalops.ledger.ledger import Ledger, kept_in
from portalops.ledger.moving import copy
from portalops.ledger.postgresql_tables import WRITER
from portalops.ledger.verify import verify
from portalops.model.period import Period
from portalops.model.record import Digest
from tests.attacks.test_database_accounts import Site, make_site, server, site
from tests.conformance.claims import claimed
from tests.conformance.corpus import begun
from tests.conformance.left_out import CASES, bundle_of, lacking, two_months_later, whole
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import ANY_TIME, ZONE
from tests.verifier.scene import by_portalops, by_stranger

__all__ = ["make_site", "server", "site"]

OPEN = {"there", "came-back", "came-back-of-its-time", "body-left-out", "evidence-left-out", "never-there", "withheld"}
"""Whether the details were missing when two persons said so cannot be found out from the bundle."""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def exported(written: Written, bundle: Path, *withheld: Digest, period: Period) -> Path:
    written.export(bundle, period=period, withheld=dict.fromkeys(withheld, "names"))
    return bundle


@pytest.mark.parametrize("name", CASES)
def test_whether_left_out_details_were_missing_is_never_a_pass(written: Written, tmp_path: Path, name: str) -> None:
    bundle = bundle_of(CASES[name], written, tmp_path, exported)

    expected = 3 if name in OPEN else 0
    assert [by(bundle)[0].exit_code for by in (by_portalops, by_stranger)] == [expected, expected]


@pytest.mark.parametrize("in_a_database", [False, True])
def test_what_a_quarantine_names_goes_with_a_later_bundle(
    written: Written, tmp_path: Path, site: Site, in_a_database: bool
) -> None:
    record = whole(written)
    period = two_months_later(written)
    if in_a_database:
        site.sql(ANY_TIME)
        target, claimant = site.kept(WRITER), written.ledger.claimant
        copy(kept_in(written.folder, writable=True), target)
        written.ledger = Ledger(written.folder, written.clock, writable=True, kept=target)
        written.ledger.claimant, written.ledger.find_time_order = claimant, find_time_order

    exported(written, tmp_path / "bundle", period=period)

    live = verify(written.ledger, now=written.clock.at, zone=ZONE).integrity
    found = [by(tmp_path / "bundle")[0] for by in (by_portalops, by_stranger)]
    assert [each.exit_code for each in found] == [3, 3]
    assert (live.holds, [each.quarantine.first for each in live.unproven]) == (True, [record.seq])
    assert (tmp_path / "bundle" / "blobs" / record.body).exists()


def test_details_that_come_back_give_no_record_back(written: Written) -> None:
    record = lacking(written, digest_of(b"what a thief wrote\n"))
    before = verify(written.ledger, now=written.clock.at, zone=ZONE).integrity
    written.ledger.keep(b"what a thief wrote\n")

    after = verify(written.ledger, now=written.clock.at, zone=ZONE).integrity

    assert (before.holds, after.holds) == (True, True)
    assert (len(before.unproven), len(after.unproven)) == (0, 1)
    live = HeedfulLedger.open(written.folder, written.clock, create=False)
    assert record.seq in numbers_set_aside(live)
    assert record.seq not in {each.seq for each in live.records(kinds=(record.kind,))}
