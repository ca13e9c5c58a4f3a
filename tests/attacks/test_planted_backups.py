"""A file among the backups that wait to be recorded, planted by whoever can write the state folder as its account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from commands.cli.session import Session
from commands.jobs.unrecorded import record_waiting
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.waiting import new_path, write_waiting
from portalops.model.backups import BackupResult, CopyState, SetId
from portalops.model.late_backups import LateBackup
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets
from tests.attacks.scene import END, Portal

INVENTED = SetId("demo-20361130T010000Z-full-abcdef")
OTHER = Digest("e" * 64)
NOBODY = Circumstances(0, None, "", "", "", "", Digest("0" * 64), (), None)


def planted(session: Session, portal: Portal, *, medium: str = "", **of_set: Any) -> Path:
    """Plant a finished backup that says of itself what the newest set does, but for its name."""
    real = recorded_sets(session.ledger)[-1]
    copies = tuple(
        replace(copy, set_id=INVENTED, medium=medium or copy.medium, state=CopyState.VERIFIED, verified_at=END)
        for copy in real.copies
    )
    made = replace(real.set, **{"id": INVENTED, "created_at": END + timedelta(days=3650), **of_set})
    late = LateBackup(
        "10.2:weekly-backup:2026-W47",
        "weekly-backup",
        "10.2",
        "2026-W47",
        "PO1103",
        END,
        shown_until=END,
        outcome=RunOutcome.COMPLETE,
        backup=BackupResult(made, copies),
    )
    path = new_path(portal.state)
    write_waiting(path, late, NOBODY)
    return path


def kept_aside(path: Path) -> bool:
    return not path.exists() and path.with_name(f"{path.name}.unreadable").exists()


def test_a_planted_backup_meets_no_duty_and_counts_as_read_by_nobody(portal: Portal) -> None:
    """Of a medium that is out of reach, so that nothing speaks against it."""
    session = portal.session("run", at=END + timedelta(hours=1))
    before = recorded_sets(session.ledger)
    runs = session.ledger.runs()
    planted(session, portal, medium="nas-of-the-district", bag_sha256=OTHER)

    record_waiting(session)

    *others, last = recorded_sets(session.ledger)
    assert [each.set.id for each in others] == [each.set.id for each in before]
    assert last.set.id == INVENTED
    assert last.set.created_at <= END + timedelta(hours=1)
    assert {copy.state for copy in last.copies} == {CopyState.SEALED}
    assert last.verified_copies() == ()
    assert session.ledger.runs() == runs


def test_a_planted_backup_of_a_set_that_its_media_do_not_hold_is_not_recorded(portal: Portal) -> None:
    session = portal.session("run", at=END + timedelta(hours=1))
    count = session.ledger.count()
    path = planted(session, portal, bag_sha256=OTHER)

    record_waiting(session)

    assert session.ledger.count() == count
    assert kept_aside(path)
    assert "lies on none of the media that it names" in str(session.warnings[-1])


def test_a_planted_backup_takes_the_place_of_no_set_that_was_made(portal: Portal) -> None:
    """Under another name it would be the base of later differentials, and none of its copies was read back."""
    session = portal.session("run", at=END + timedelta(hours=1))
    count, real = session.ledger.count(), recorded_sets(session.ledger)[-1]
    path = planted(session, portal, medium="nas-of-the-district")

    record_waiting(session)

    assert session.ledger.count() == count
    assert kept_aside(path)
    assert f"which record {real.seq} made" in str(session.warnings[-1])
