"""What a witness says of records that no writer claims, and of claims and writers that count for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.claimant import MachineClaimant, draft_claim, record_writer
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, Draft, line_digest
from portalops.model.record import Digest, Record
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.signatures.sshsig import SigningKey
from portalops.witness.claims import MAX_OPEN, ClaimState
from portalops.witness.rules import Accepted, Pinned, judge
from tests.conformance.quarantines import SECOND
from tests.conformance.quarantines import quarantine as quarantined
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import START
from tests.witness.hosts import HOUR, Portal, Witness, done
from tests.witness.watched import FOREIGN, KEY, Watched

LATER = timedelta(hours=1, minutes=10)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A ledger whose machine claims what it records."""
    made = Watched(tmp_path / "state")
    made.ledger.claimant = MachineClaimant(tmp_path / "state", made.clock, "web1", enrols=True)
    made.head()
    made.work()
    return made


def strange(watched: Watched, kind: str = "note", note: str = "x") -> Record:
    """Append as a stolen account does."""
    stranger = Ledger.open(watched.ledger.folder, watched.clock, create=True)
    return stranger.append(kind, run=NO_RUN, body=bodies.write({"note": note}))


def accepted(watched: Watched, before: Accepted | None = None) -> Accepted:
    """Return what a witness accepts now, held to what it accepted before."""
    watched.work()
    head = watched.head()
    known = Pinned("", (), None)
    if before is not None:
        known = Pinned(before.head.ledger, before.keys, before.kept, claims=before.claims)
    found = judge(known, [watched.extension(before.head.size if before else 0, head)], now=watched.clock.now())
    assert found is not None
    return found


def late(found: Accepted) -> tuple[tuple[int, int], ...]:
    assert found.claims is not None
    return found.claims.late(found.head.at)


def test_an_honest_ledger_has_nothing_open_behind_its_head(watched: Watched) -> None:
    found = accepted(watched)

    assert found.claims is not None
    assert [each.name for each in found.claims.writers] == ["web1"]
    assert (found.claims.open, found.void) == ((), ())


def test_what_nobody_claims_within_the_hour_is_named_and_stays_so(watched: Watched) -> None:
    forged = strange(watched)
    first = accepted(watched)
    watched.clock.move(LATER)

    second = accepted(watched, first)
    third = accepted(watched, second)

    assert late(first) == ()
    assert late(second) == late(third) == ((forged.seq, forged.seq),)


def test_what_is_claimed_later_is_named_no_more(watched: Watched) -> None:
    forged = strange(watched)
    first = accepted(watched)
    watched.clock.move(LATER)
    second = accepted(watched, first)
    own = SigningKey.load(watched.ledger.folder / "keys/writer")
    each = LineRange(forged.seq, forged.seq, line_digest(forged.line))
    watched.ledger.append_many((draft_claim(watched.ledger, own, (each,)),))

    assert late(second)
    assert late(accepted(watched, second)) == ()


def test_what_two_persons_set_aside_is_named_no_more(watched: Watched, tmp_path: Path) -> None:
    forged = strange(watched)
    first = accepted(watched)
    watched.clock.move(LATER)
    second = accepted(watched, first)
    written = Written(watched.ledger.folder, KEY, clock=watched.clock)
    quarantined(written, forged.seq, forged.seq, second=SECOND, ledger=watched.ledger.id)

    assert late(second)
    assert late(accepted(watched, second)) == ()


def test_a_writer_and_a_claim_by_a_strangers_key_are_named_and_claim_nothing(watched: Watched) -> None:
    event = WriterEvent(watched.ledger.id, WriterState.ADDED, FOREIGN.public_key, "db1", Authority.ALL)
    stranger = Ledger.open(watched.ledger.folder, watched.clock, create=True)
    added = record_writer(stranger, event, FOREIGN)
    forged = strange(watched)
    each = LineRange(forged.seq, forged.seq, line_digest(forged.line))
    (claim,) = stranger.append_many((draft_claim(stranger, FOREIGN, (each,)),))
    first = accepted(watched)
    watched.clock.move(LATER)

    said = [str(each) for each in first.void]

    assert [text.split(" counts")[0] for text in said] == [
        f"the writer in record {added.seq}",
        f"the claim in record {claim.seq}",
    ]
    assert late(accepted(watched, first)) == ((forged.seq, forged.seq),)


def test_a_claim_over_another_line_is_named(watched: Watched) -> None:
    forged = strange(watched)
    own = SigningKey.load(watched.ledger.folder / "keys/writer")
    each = LineRange(forged.seq, forged.seq, Digest("a" * 64))
    watched.ledger.append_many((draft_claim(watched.ledger, own, (each,)),))

    (said,) = accepted(watched).void

    assert f"record {forged.seq} is another one than it names" in str(said)


def test_a_claim_without_details_keeps_no_witness_from_its_head(watched: Watched) -> None:
    Ledger.open(watched.ledger.folder, watched.clock, create=True).append_many((Draft("claim", Digest("c" * 64)),))

    assert accepted(watched).void == ()


def test_of_a_ledger_that_was_kept_before_nothing_is_said(watched: Watched) -> None:
    first = replace(accepted(watched), claims=None)
    strange(watched)
    watched.clock.move(LATER)

    second = accepted(watched, first)

    assert (second.claims, second.void) == (None, ())


def test_a_stranger_who_appends_without_end_fills_no_disk_of_the_witness(watched: Watched) -> None:
    stranger = Ledger.open(watched.ledger.folder, watched.clock, create=True)
    stranger.append_many([Draft("note", Digest("c" * 64))] * (MAX_OPEN + 10))

    found = accepted(watched)

    assert found.claims is not None
    assert found.claims.is_cut
    assert len(found.claims.open) <= MAX_OPEN
    assert bodies.decode(ClaimState, bodies.encode(found.claims)) == found.claims


def test_people_are_told_of_unclaimed_records_until_somebody_stands_for_them(tmp_path: Path) -> None:
    clock = FixedClock(START)
    portal = Portal(tmp_path / "portal", clock=clock)
    portal.work()
    done(portal.config, "ledger", "enroll", clock=clock)
    witness, share = Witness(tmp_path / "witness", clock=clock), tmp_path / "share"
    share.mkdir()
    witness.watch("folder", {"folder": str(share), "key": portal.key})
    portal.work()  # without a claim, as a stranger does it
    clock.move(HOUR * 2)
    portal.extend_to(share)

    code, seen, _result = witness.look()
    first, last = seen["problem"].rpartition("records ")[2].split(" to ")
    done(portal.config, "ledger", "claim", first, last, "--reason", "a lost machine", clock=clock)
    clock.move(HOUR)
    portal.work(0)
    done(portal.config, "ledger", "head", clock=clock)
    portal.extend_to(share, after=seen["head"]["size"])
    again, after, _result = witness.look()

    assert (code, seen["verdict"], seen["alarm"]) == (ExitCode.PARTIAL, "unclaimed", "unclaimed")
    assert "no writer claims 2 records" in seen["problem"]
    assert list(share.glob("*.receipt"))
    assert (again, after["verdict"], after["alarm"]) == (ExitCode.OK, "current", None)
