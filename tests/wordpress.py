"""A portal of WordPress that nobody here wrote, on a real MariaDB: installed and filled by a script of PHP, and served."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backups.mariadb.conftest import Server
from tests.programs import need

PROGRAM = Path("/usr/share/wordpress")
XML = "/usr/share/doc/php-xml/copyright"
"""Stands for the whole package: where its other files lie depends on the version of PHP."""
CONFIGURATION = """<?php
define('DB_NAME', '{database}'); define('DB_USER', 'wordpress'); define('DB_PASSWORD', 'wordpress');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{home}'); define('WP_SITEURL', '{home}');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('AUTOMATIC_UPDATER_DISABLED', true); define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
ROUTER = """<?php
$file = __DIR__ . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (is_file($file)) return false;
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
require __DIR__ . '/index.php';
"""


class WordPress:
    """One site: its folder, with a database of its own."""

    def __init__(self, mariadb: Server, folder: Path, *, database: str, home: str = "http://127.0.0.1") -> None:
        need("php", str(PROGRAM / "wp-load.php"), XML)
        self.database = database
        self.folder = folder
        shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns("languages"))
        (folder / "wp-config.php").unlink(missing_ok=True)
        (folder / "wp-config.php").write_text(CONFIGURATION.format(database=database, socket=mariadb.socket, home=home))
        (folder / "wp-content" / "uploads").mkdir(exist_ok=True)
        (folder / "router.php").write_text(ROUTER)
        mariadb.run(
            f"CREATE OR REPLACE DATABASE {database} CHARACTER SET utf8mb4;"
            "CREATE USER IF NOT EXISTS wordpress@localhost IDENTIFIED BY 'wordpress';"
            f"GRANT ALL ON {database}.* TO wordpress@localhost"
        )

    def run(self, script: Path, *arguments: str) -> str:
        """Run a script of PHP in the site's folder and return what it prints."""
        shutil.copy(script, self.folder / script.name)
        done = subprocess.run(
            ["php", "-d", "display_errors=stderr", "-d", "error_reporting=E_ERROR", script.name, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def served(self, port: int) -> Iterator[None]:
        """Serve the site with PHP's own web server."""
        process = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(self.folder), str(self.folder / "router.php")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        try:
            for _try in range(3000):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(20)
