from __future__ import annotations

from pathlib import Path

import bagit

from backups.restore import restore_set
from backups.verify import verify_copy
from portalops.model.backups import CopyState, VerifyLevel
from portalops.model.verdicts import RunOutcome
from tests.backups.kit import alone, back_up, disk, keys, odd_tree, sample_database, snapshot, source


def test_files_and_a_database_go_to_two_disks_and_come_back_the_same(tmp_path: Path) -> None:
    tree = odd_tree(tmp_path / "portal")
    database = sample_database(tmp_path / "portal.sqlite")
    sources = [
        source("files", {"include": [str(tree)]}, tmp_path, id="uploads"),
        source("sqlite", {"database": str(database)}, tmp_path, id="portal-database"),
    ]
    media = [disk(tmp_path, "disk-a"), disk(tmp_path, "disk-b")]

    result = back_up(sources, media)

    assert result.set is not None, result
    assert result.set.outcome is RunOutcome.COMPLETE
    assert [(copy.medium, copy.state, copy.level, copy.problem) for copy in result.copies] == [
        ("disk-a", CopyState.VERIFIED, VerifyLevel.L2, ""),
        ("disk-b", CopyState.VERIFIED, VerifyLevel.L2, ""),
    ]
    for name in ("disk-a", "disk-b"):
        assert bagit.Bag(str(tmp_path / name / result.set.id)).validate(processes=1)
    stored = media[1].open_set(result.set.id)
    findings = verify_copy(
        stored, result.set.id, bag_sha256=result.set.bag_sha256, level=VerifyLevel.L2, identities=[keys().identity]
    )
    assert findings.problems == ()
    assert findings.content is not None
    report = restore_set(alone(stored, findings.content), [keys().identity], tmp_path / "restored")
    assert (report.refused, report.damaged) == ((), ())
    assert snapshot(tmp_path / "restored" / "uploads" / str(tree).lstrip("/")) == snapshot(tree)
