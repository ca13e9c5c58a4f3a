"""A file among the backups that wait to be recorded, planted by whoever can write the state folder as its account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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
NOBODY = Circumstances(0, None, "", "", "", "", Digest("0" * 64), (), None)


def test_a_planted_backup_meets_no_duty_and_counts_as_read_by_nobody(portal: Portal) -> None:
    session = portal.session("run", at=END + timedelta(hours=1))
    before = recorded_sets(session.ledger)
    real = before[-1]
    copies = tuple(replace(copy, set_id=INVENTED, state=CopyState.VERIFIED, verified_at=END) for copy in real.copies)
    made = replace(real.set, id=INVENTED, created_at=END + timedelta(days=3650))
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
    runs = session.ledger.runs()
    write_waiting(new_path(portal.state), late, NOBODY)

    record_waiting(session)

    *others, planted = recorded_sets(session.ledger)
    assert [each.set.id for each in others] == [each.set.id for each in before]
    assert planted.set.id == INVENTED
    assert planted.set.created_at <= END + timedelta(hours=1)
    assert {copy.state for copy in planted.copies} == {CopyState.SEALED}
    assert planted.verified_copies() == ()
    assert session.ledger.runs() == runs
