from __future__ import annotations

from pathlib import Path

from backups.restore import restore_set
from backups.set_file import parse_set_file
from portalops.ledger.ledger import Ledger
from portalops.model.record import RunId
from tests.backups.kit import NOW, back_up, keys, source
from tests.backups.memory import MemoryMedium
from tests.doubles import FixedClock


def test_the_ledger_comes_back_as_a_ledger(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ledger = Ledger.open(state, FixedClock(NOW), create=True)
    record = ledger.append("backup.started", run=RunId("10.2:weekly:2026-W48"), body=b'{"a":1}')
    medium = MemoryMedium("memory-1")

    result = back_up([source("ledger", {}, state, id="ledger")], [medium])

    assert result.set is not None, result
    assert result.set.streams[0].unread == ()
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(medium.open_set(result.set.id), content, [keys().identity], tmp_path / "out")
    copy = Ledger.open(tmp_path / "out" / "ledger", FixedClock(NOW), create=False)
    assert copy.last() == record
    assert copy.blob(record.body) == b'{"a":1}'


def test_no_ledger_yet_is_a_failed_source(tmp_path: Path) -> None:
    result = back_up([source("ledger", {}, tmp_path, id="ledger")], [MemoryMedium("memory-1")])

    assert result.set is None
    assert "no database" in result.failed_sources[0]
