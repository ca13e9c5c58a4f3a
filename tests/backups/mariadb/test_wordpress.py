"""The database of a portal that nobody here wrote: WordPress, backed up, restored and compared row by row."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from portalops.model.backups import VerifyLevel
from portalops.model.verdicts import RunOutcome
from tests.backups.mariadb.conftest import Server
from tests.backups.mariadb.test_mariadb import restored, run, streams, tried
from tests.wordpress import WordPress

SEED = Path(__file__).with_name("seed_wordpress.php")


@pytest.fixture(scope="session")
def wordpress(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the portal's database."""
    site = WordPress(mariadb, tmp_path_factory.mktemp("portal") / "site", database="portal")
    site.run(SEED, "60", "3")
    return site.database


@pytest.mark.heavy
def test_a_wordpress_portal_comes_back_row_by_row(
    mariadb: Server, wordpress: str, tmp_path: Path, scratch: Path
) -> None:
    result, medium = run(mariadb, tmp_path, databases=[wordpress], users=False)

    (stream,) = streams(result).values()
    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE, stream
    dump = restored(result, medium, tmp_path / "out") / "db-portal.sql"
    live = mariadb.rows(wordpress)
    assert {each.table: each.rows for each in stream.rows} == {name: len(rows) for name, rows in live.items()}
    assert len(live["wp_posts"]) >= 63
    assert len(live["wp_users"]) == 5

    trial = tried(stream, dump, scratch)
    assert (trial.level, trial.problems) == (VerifyLevel.L4, ())

    mariadb.run("CREATE OR REPLACE DATABASE again CHARACTER SET utf8mb4")
    with dump.open("rb") as file:
        subprocess.run([*mariadb.client, "--sandbox", "--binary-mode", "again"], stdin=file, check=True)
    assert mariadb.rows("again") == live
