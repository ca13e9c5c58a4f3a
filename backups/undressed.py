"""Folders that were made and wait for the end of their archive, when they get their owners, modes and times.

They wait in a private database without a name, which SQLite keeps in memory while it is small and in a temporary file
from then on: an archive of ten million folders takes no more memory than one of ten thousand.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator

from backups.tar import TarEntry
from portalops.json_text import read_json
from portalops.model.backups import MemberType

_MADE = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE folder (path BLOB PRIMARY KEY, depth INTEGER NOT NULL, rest TEXT NOT NULL) WITHOUT ROWID;
"""


class UndressedFolders:
    """Folders by their path; the last one of a path counts."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_MADE)
        self._database.execute("BEGIN")  # one for all: nothing is ever kept

    def add(self, entry: TarEntry, *, replaces: bool = True) -> None:
        """Keep a folder; unless it replaces, one of this path that is kept already counts.

        Raises:
            sqlite3.Error: there is no room for temporary files.
        """
        attributes = {key: value.decode("latin-1") for key, value in entry.attributes.items()}
        rest = json.dumps((entry.mode, entry.uid, entry.gid, entry.mtime_ns, attributes))
        row = (os.fsencode(entry.path), entry.path.count("/"), rest)
        put = (
            "INSERT OR REPLACE INTO folder VALUES (?, ?, ?)"
            if replaces
            else "INSERT OR IGNORE INTO folder VALUES (?, ?, ?)"
        )
        self._database.execute(put, row)

    def forget(self, path: str) -> None:
        """Keep a folder no more, if there is one of this path.

        Raises:
            sqlite3.Error: the temporary file cannot be read.
        """
        self._database.execute("DELETE FROM folder WHERE path = ?", (os.fsencode(path),))

    def __iter__(self) -> Iterator[TarEntry]:
        """Yield each folder after those inside it.

        Raises:
            sqlite3.Error: there is no room for temporary files.
        """
        for path, rest in self._database.execute("SELECT path, rest FROM folder ORDER BY depth DESC"):
            mode, uid, gid, mtime_ns, attributes = read_json(rest)
            yield TarEntry(
                MemberType.FOLDER,
                os.fsdecode(path),
                mode=mode,
                uid=uid,
                gid=gid,
                mtime_ns=mtime_ns,
                attributes={key: value.encode("latin-1") for key, value in attributes.items()},
            )

    def close(self) -> None:
        """Free what was kept."""
        self._database.close()
