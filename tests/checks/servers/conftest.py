from __future__ import annotations

from tests.backups.mariadb.conftest import mariadb

__all__ = ["mariadb"]
