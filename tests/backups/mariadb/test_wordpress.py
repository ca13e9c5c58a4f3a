"""The database of a portal that nobody here wrote: WordPress, backed up, restored and compared row by row."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from portalops.model.backups import VerifyLevel
from portalops.model.verdicts import RunOutcome
from tests.backups.mariadb.conftest import Server
from tests.backups.mariadb.test_mariadb import restored, run, streams, tried

WORDPRESS = Path("/usr/share/wordpress")
SEED = Path(__file__).with_name("seed_wordpress.php")
CONFIGURATION = """<?php
define('DB_NAME', 'portal'); define('DB_USER', 'wordpress'); define('DB_PASSWORD', 'wordpress');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', 'http://127.0.0.1'); define('WP_SITEURL', 'http://127.0.0.1');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""


@pytest.fixture(scope="session")
def wordpress(mariadb: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the portal's database."""
    if shutil.which("php") is None or not WORDPRESS.is_dir():
        pytest.skip("php or wordpress is missing; make test as root installs them")
    site = tmp_path_factory.mktemp("portal") / "site"
    shutil.copytree(WORDPRESS, site, ignore=shutil.ignore_patterns("languages"))
    (site / "wp-config.php").unlink(missing_ok=True)
    (site / "wp-config.php").write_text(CONFIGURATION.format(socket=mariadb.socket))
    (site / "wp-content" / "uploads").mkdir(exist_ok=True)
    shutil.copy(SEED, site / "seed.php")
    mariadb.run(
        "CREATE OR REPLACE DATABASE portal CHARACTER SET utf8mb4;"
        "CREATE OR REPLACE USER wordpress@localhost IDENTIFIED BY 'wordpress'; GRANT ALL ON portal.* TO wordpress@localhost"
    )
    done = subprocess.run(
        ["php", "-d", "display_errors=stderr", "-d", "error_reporting=E_ERROR", "seed.php", "60", "3"],
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return "portal"


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
