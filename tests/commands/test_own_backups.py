"""The check of backups elsewhere, from real sets on real folders, their records, and where media and host are said to lie."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.record import NO_RUN
from portalops.model.backups import Copy, CopyState, DrillResult, SetId, VerifyLevel
from portalops.model.drills import SCHEMA, DrillReport
from portalops.model.record import Digest
from portalops.registers.drills import IMPORTED, NAMESPACE, ImportedDrill, write_report
from portalops.signatures.sshsig import sign
from tests.backups.kit import signing
from tests.backups.test_prune import Portal
from tests.shapes import data_of

HOSTS = """
[[host]]
id = "here"
address = "local"

[[host]]
id = "web1"
address = "192.0.2.1"
"""
SITE = ("--site", "46 Lê Quý Đôn")


class Guarded(Portal):
    """A portal with two hosts, of which one makes the backups."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        path = folder / "portalops.toml"
        path.write_text(path.read_text() + HOSTS)

    def do(self, *arguments: str) -> Any:
        session = self.session(*arguments)
        try:
            return call(session)
        finally:
            if "writable_ledger" in session.__dict__:
                session.writable_ledger.close()

    def sight(self, host: str, room: str) -> None:
        done = self.do("host", "sight", host, *SITE, "--room", room, "--rack", "A", "--holder", "An", "--by", "An")
        assert done.exit_code is ExitCode.OK

    def place(self, medium: str, room: str) -> None:
        text = ("--label", "KH-01", "--place", "Kho", "--custodian", "An")
        assert self.do("media", "add", medium, *text, *SITE, "--room", room).exit_code is ExitCode.OK

    def restored(self, medium: str, name: SetId) -> None:
        """Record what a drill records that restored a set from a medium."""
        copy = Copy(name, medium, "disk", CopyState.VERIFIED, VerifyLevel.L3, self.clock.now())
        body = bodies.write({"drill": DrillResult((copy,))})
        ledger = self.session().writable_ledger
        ledger.append("drill.finished", run=NO_RUN, subject="drill", body=body)
        ledger.close()

    def imported(self, medium: str, name: SetId, at: datetime) -> None:
        """Record the report of a drill that was done elsewhere at a moment."""
        copy = Copy(name, medium, "disk", CopyState.VERIFIED, VerifyLevel.L3, at)
        digest = Digest(64 * "a")
        drill = DrillResult((copy,))
        report = DrillReport(SCHEMA, "portalops 1", "recovery-1", "b", 7, digest, at, at, "demo", name, digest, drill)
        text = write_report(report)
        held = ImportedDrill(text, sign(text.encode(), signing().key, NAMESPACE))
        ledger = self.session().writable_ledger
        ledger.append(IMPORTED, run=NO_RUN, subject="drill", body=bodies.write({"drill_report": held}))
        ledger.close()

    def judged(self) -> dict[str, str]:
        data = data_of(self.do("check", "run", "--check", "ha.backup-host"))
        return {each["host"]: each["reason"] or each["verdict"] for each in data}


@pytest.fixture
def portal(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


def test_backup_in_another_room_counts_for_other_hosts_and_not_for_the_one_that_it_hangs_on(portal: Guarded) -> None:
    assert portal.judged()["here"] == "no-register"
    (made,) = portal.back_up()
    portal.sight("web1", "204")
    portal.sight("here", "204")
    assert portal.judged() == {"here": "beside-the-host", "web1": "restore-unproven"}
    portal.place("disk-a", "Kho B")
    portal.restored("disk-a", made)

    assert portal.judged() == {"here": "beside-the-host", "web1": "pass"}


def test_age_of_the_set_the_restore_and_the_medium_itself_count(portal: Guarded) -> None:
    (made,) = portal.back_up()
    portal.sight("web1", "204")
    portal.sight("here", "204")
    portal.place("disk-a", "Kho B")
    portal.restored("disk-a", made)
    portal.clock.move(timedelta(days=3))
    assert portal.judged()["web1"] == "backup-old"
    portal.back_up()
    assert portal.judged()["web1"] == "pass"

    portal.clock.move(timedelta(hours=1))
    portal.place("disk-a", "Kho B")  # another one has taken its place

    assert portal.judged()["web1"] == "restore-unproven"


def test_report_of_an_older_drill_that_comes_late_takes_nothing_from_a_newer_one(portal: Guarded) -> None:
    long_ago = portal.clock.now() - timedelta(days=99)
    (made,) = portal.back_up()
    portal.sight("web1", "204")
    portal.place("disk-a", "Kho B")
    portal.imported("disk-a", made, long_ago)
    assert portal.judged()["web1"] == "restore-unproven"
    portal.restored("disk-a", made)
    assert portal.judged()["web1"] == "pass"

    portal.imported("disk-a", made, long_ago)

    assert portal.judged()["web1"] == "pass"


def test_record_that_cannot_be_read_is_no_pass(portal: Guarded) -> None:
    (made,) = portal.back_up()
    portal.sight("web1", "204")
    portal.place("disk-a", "Kho B")
    portal.restored("disk-a", made)
    assert portal.judged()["web1"] == "pass"

    ledger = portal.session().writable_ledger
    ledger.append("verify.finished", run=NO_RUN, subject="verify", body=bodies.write({"verify": "rubbish"}))
    ledger.close()

    assert portal.judged()["web1"] == "register-unreadable"
