"""A stranger recomputes from the bundle's lines, with stock tools, what the register of incidents says."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.registers.incidents import ATTESTED, CLOSED, KEYS, OPENED, REPORTED, Body, subject_of
from tests.compliance.test_incidents import ATTESTED as DAYS
from tests.doubles import FixedClock
from tests.registers.test_incidents import CLOSED as END
from tests.registers.test_incidents import FACTS, FIRST, HOUR, NOTICED
from tests.verifier.pages import GUIDE, run


@pytest.mark.parametrize("language", ["vi", "en"])
def test_records_of_incidents_are_printed_with_their_times_and_the_digests_of_their_papers(
    tmp_path: Path, language: str
) -> None:
    clock = FixedClock(NOTICED)
    ledger = Ledger.open(tmp_path / "state", clock=clock, create=True)
    paper = ledger.keep(b"%PDF report")
    steps: tuple[tuple[str, Body], ...] = ((OPENED, FACTS), (REPORTED, FIRST), (CLOSED, END), (ATTESTED, DAYS))
    (tmp_path / "bundle" / "blobs").mkdir(parents=True)
    for kind, body in steps:
        clock.move(HOUR)
        parts = {KEYS[kind][0]: body, "evidence": (paper,) if kind in {REPORTED, ATTESTED} else ()}
        record = ledger.append(kind, run=NO_RUN, subject=subject_of(body), body=bodies.write(parts))
        (tmp_path / "bundle" / "blobs" / record.body).write_bytes(ledger.blob(record.body))
    ledger.close()
    with sqlite3.connect(tmp_path / "state" / "ledger.sqlite") as database:
        lines = [line for (line,) in database.execute("SELECT line FROM record ORDER BY seq")]
    database.close()
    (tmp_path / "bundle" / "ledger.jsonl").write_bytes(b"\n".join(lines) + b"\n")

    printed = run(GUIDE[language].boxes["incidents"], tmp_path / "bundle", tmp_path)

    opened, reported, closed, attested = printed.out.splitlines()
    assert opened.split()[1:4] == ["2026-11-18T02:00:00.000Z", "incident.opened", "IN-2026-001"]
    assert '"detected_at":"2026-11-18T01:00:00Z"' in opened
    assert '"holders":["nguyen-van-an"]' in opened
    assert paper in reported and '"report":"first"' in reported and '"sent_at":"2026-11-18T03:00:00Z"' in reported
    assert '"open_ends":[]' in closed
    assert "incident.attested 2026-11-16/2026-11-22" in attested and paper in attested
    assert printed.err == ""
