"""A stranger reads from the bundle's lines, with stock tools, where servers stand, and how changes and credentials went."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.changes import ChangeApproval
from portalops.model.credentials import Leaving
from portalops.model.organisation import HostId
from portalops.model.places import HandOver
from portalops.registers.changes import APPROVED
from portalops.registers.credentials import ADDED, CREDENTIAL, LEAVING, LEFT
from portalops.registers.places import HAND_OVER, HANDED_OVER
from tests.doubles import FixedClock
from tests.registers.test_credentials import AN, AT, one
from tests.verifier.pages import GUIDE, run


@pytest.mark.parametrize("language", ["vi", "en"])
def test_records_of_registers_are_printed_with_their_times_and_the_digests_of_their_documents(
    tmp_path: Path, language: str
) -> None:
    ledger = Ledger.open(tmp_path / "state", clock=FixedClock(AT), create=True)
    paper = ledger.keep(b"%PDF decision")
    handed = HandOver(HostId("web1"), date(2026, 11, 1), "Bình", AN, "05/BB-BG")
    agreed = ChangeApproval("CH-2026-001", "2012/QĐ-UBND", date(2026, 10, 30), "Phó Chủ tịch")
    steps = (
        (HANDED_OVER, "web1", {HAND_OVER: handed, "evidence": (paper,)}),
        (APPROVED, "CH-2026-001", {"approval": agreed, "evidence": (paper,)}),
        (ADDED, "web1-root", {CREDENTIAL: one()}),
        (LEFT, AN, {LEAVING: Leaving(AN, date(2026, 11, 30))}),
    )
    (tmp_path / "bundle" / "blobs").mkdir(parents=True)
    for kind, subject, parts in steps:
        record = ledger.append(kind, run=NO_RUN, subject=subject, body=bodies.write(parts))
        (tmp_path / "bundle" / "blobs" / record.body).write_bytes(ledger.blob(record.body))
    ledger.close()
    with sqlite3.connect(tmp_path / "state" / "ledger.sqlite") as database:
        lines = [line for (line,) in database.execute("SELECT line FROM record ORDER BY seq")]
    database.close()
    (tmp_path / "bundle" / "ledger.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    printed = run(GUIDE[language].boxes["registers"], tmp_path / "bundle", tmp_path)

    place, change, credential, left = printed.out.splitlines()
    assert place.split()[1:4] == ["2026-11-01T02:00:00.000Z", "host.handed-over", "web1"]
    assert '"document":"05/BB-BG"' in place and '"handed_on":"2026-11-01"' in place and paper in place
    assert '"decided_on":"2026-10-30"' in change and paper in change
    assert f'"holder":"{AN}"' in credential and '"rotated_on":"2026-11-01"' in credential
    assert "safe" not in credential
    assert f"credential.person-left {AN}" in left and '"left_on":"2026-11-30"' in left
    assert printed.err == ""
