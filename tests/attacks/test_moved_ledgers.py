"""A ledger that was attacked and cured goes into a database and back; where it cannot, it goes on where it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portalops.errors import LedgerError
from portalops.ledger.heeded import find_time_order, heeds_move
from portalops.ledger.ledger import KeptLedger, Ledger, kept_in
from portalops.ledger.moving import Moved, move, rehearse
from portalops.ledger.postgresql_tables import WRITER
from portalops.ledger.record import NO_RUN
from portalops.ledger.selection import Selection
from tests.attacks.test_database_accounts import Site, make_site, server, site
from tests.conformance.claims import claimed
from tests.conformance.clocks import FAR, forge, forge_again, go_on, mend
from tests.conformance.corpus import begun
from tests.conformance.quarantines import NOT_A_RECORD, put_line
from tests.conformance.quarantines import quarantine as set_aside
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import verified

__all__ = ["make_site", "server", "site"]

OLD = datetime(2, 1, 1, tzinfo=UTC)
Attack = Callable[[Written], object]


def cured(attack: Attack) -> Callable[[Written], None]:
    """Return what lets a stranger append something, which two persons set aside."""

    def attacked(written: Written) -> None:
        attack(written)
        number = written.ledger.newest_number()
        set_aside(written, number, number)
        go_on(written)

    return attacked


def mended_far(written: Written) -> None:
    first = forge(written, "note.added", FAR).seq
    mend(written, first)
    go_on(written)


def replayed(written: Written) -> None:
    cured(lambda each: forge(each, "note.added", FAR))(written)
    forge_again(written, "ledger.quarantined", FAR)
    go_on(written)


CURED: dict[str, Attack] = {
    "of-9998": cured(lambda written: forge(written, "note.added", FAR)),
    "of-the-year-two": cured(lambda written: forge(written, "note.added", OLD)),
    "a-second-beginning": cured(lambda written: forge(written, "ledger.created", written.clock.at)),
    "a-void-clock-of-the-year-two": cured(
        lambda written: forge(written, "ledger.clock-mended", OLD, mended_clock={"text": "x"})
    ),
    "mended": mended_far,
    "a-quarantine-again-in-9998": replayed,
}
NO_RECORDS = {
    "junk": NOT_A_RECORD,
    "a-line-feed": b'{"at":\n}',
    "no-utf-8": b"\xff\xfe",
    "9000-bytes": b"x" * 9000,
    "a-nul": b"\0",
}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


def in_file(written: Written) -> KeptLedger:
    return kept_in(written.folder, writable=True)


def opened(written: Written, kept: KeptLedger) -> Ledger:
    ledger = Ledger(written.folder, written.clock, writable=True, kept=kept)
    ledger.heeds_move, ledger.find_time_order = heeds_move, find_time_order
    ledger.claimant = written.ledger.claimant
    return ledger


def moved(written: Written, source: KeptLedger, target: KeptLedger) -> Moved:
    return move(opened(written, source), source, target)


def lines(kept: KeptLedger) -> list[bytes]:
    return [each.line for each in kept.records.records(Selection())]


@pytest.mark.parametrize("name", CURED)
def test_a_ledger_that_was_cured_goes_into_a_database_as_it_is_and_goes_on(
    written: Written, site: Site, name: str
) -> None:
    CURED[name](written)
    assert verified(written.ledger).integrity.holds
    source, target = in_file(written), site.kept(WRITER)

    rehearse(source, target)
    assert target.records.count() == 0, "a rehearsal leaves nothing"
    moved(written, source, target)
    assert lines(target) == lines(source)
    there = opened(written, target)
    there.append("note.added", run=NO_RUN, body=b"{}\n")
    there.claim()

    assert verified(there).integrity.holds


@pytest.mark.parametrize("name", NO_RECORDS)
def test_a_ledger_with_a_line_that_is_no_record_is_not_closed_by_a_move(
    written: Written, site: Site, name: str
) -> None:
    number = put_line(written, NO_RECORDS[name])
    set_aside(written, number, number)
    go_on(written)
    source, target = in_file(written), site.kept(WRITER)
    before = written.ledger.count()

    for step in (lambda: rehearse(source, target), lambda: moved(written, source, target)):
        with pytest.raises(LedgerError, match=f"line {number} is no record"):
            step()

    assert (written.ledger.count(), target.records.count()) == (before, 0)
    go_on(written)


def test_a_ledger_that_does_not_hold_goes_over_as_it_is(written: Written, site: Site) -> None:
    """Nothing is better for it where it is, and verification names the same record in either place."""
    forge(written, "note.added", OLD)
    source, target = in_file(written), site.kept(WRITER)
    before = verified(written.ledger).integrity.first_bad

    moved(written, source, target)

    assert verified(opened(written, target)).integrity.first_bad == before


def test_what_was_cured_in_a_file_comes_back_by_the_owner_alone(written: Written, site: Site, tmp_path: Path) -> None:
    source, target = in_file(written), site.kept(WRITER)
    moved(written, source, target)
    moved(written, target, source)
    CURED["of-9998"](written)
    before = written.ledger.count()

    with pytest.raises(LedgerError, match="ahead of the server's clock") as refused:
        moved(written, source, target)

    assert "from the owner of its tables alone" in refused.value.hint.text
    assert "CONTEXT" not in refused.value.message.text and "PL/pgSQL" not in refused.value.message.text
    assert written.ledger.count() == before
    go_on(written)
    moved(written, source, site.kept("postgres"))
    assert lines(target) == lines(source)


def test_nobody_brings_lines_of_any_time_behind_a_ledger_that_is_there(written: Written, site: Site) -> None:
    moved(written, in_file(written), site.kept(WRITER))
    forged = forge(written, "note.added", FAR)

    with site.connect(WRITER) as thief, pytest.raises(Exception, match="ahead of the server's clock"):
        thief.execute("SELECT portalops.bring(%s, %s)", (forged.seq, [forged.line.decode()]))


def test_no_ledger_begins_in_a_database_while_one_waits_in_the_folder_to_be_moved(written: Written, site: Site) -> None:
    for create in (True, False):
        with pytest.raises(LedgerError, match=r"holds no ledger yet: it is in .*ledger\.sqlite"):
            Ledger.open(written.folder, written.clock, create=create, kept=site.kept(WRITER))

    moved(written, in_file(written), site.kept(WRITER))
    assert Ledger.open(written.folder, written.clock, create=True, kept=site.kept(WRITER)).count()


def test_a_move_that_broke_off_behind_its_record_is_ended_by_the_same_command(written: Written, site: Site) -> None:
    source = in_file(written)
    first = site.kept(WRITER)
    with pytest.raises(LedgerError, match="cannot reach"):
        move(
            opened(written, source),
            source,
            first,
            advance=lambda _amount: _cut_once_closed(written, site),
        )
    assert first.records.count() == 0

    moved(written, source, site.kept(WRITER))

    assert lines(site.kept(WRITER)) == lines(source)
    assert sum(b'"kind":"ledger.moved"' in each for each in lines(source)) == 1


def _cut_once_closed(written: Written, site: Site) -> None:
    if any(written.ledger.records(kinds=("ledger.moved",))):
        site.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'of_%'")
