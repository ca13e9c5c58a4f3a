"""Rows of a content database, by a query that the operator writes: any database that SQLAlchemy knows.

    [[archive.collection]]
    id = "items"
    kind = "query"
    what = "items"
    source = "portal-database"
    url = "postgresql+psycopg://reader@db.example.vn/portal"
    password = { file = "/etc/portalops/reader.password" }
    query = "SELECT id AS item FROM article WHERE parent IS NULL"

The query names a column `item`, the key of the content item that a row belongs to; a column `name` tells rows of one item
apart, and is the item's key where there is none. All columns together are digested, so a query of originals, copies or
drafts selects what must not be lost: title, body, moments. For the items themselves the key is enough. Rows are read as
they come and never held together; the connection only reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from pydantic import Field

from backups.collections import CollectionKind
from backups.collections._settings import CollectionSettings, CollectionTraits, DigestedEntry, UnreadEntry, unavailable
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.system.sql import DatabaseUnavailable, DatabaseUrl, Query, reading

ITEM, NAME = "item", "name"


class Settings(CollectionSettings):
    """`kind = "query"`."""

    url: DatabaseUrl = Field(
        description="SQLAlchemy URL without a password; a relative SQLite path is relative to the configuration file."
    )
    password: SecretReference | None = Field(default=None, description="Where the database's password is kept.")
    query: Query = Field(description="One SELECT with a column `item`.")


def build(table: KindTable) -> QueryCollection:
    """Return the collection that a configuration table describes."""
    settings = table.parse(Settings)
    traits = CollectionTraits(table.id, table.kind, settings.what, settings.source, bool(settings.immutable))
    return QueryCollection(traits, settings, table.folder)


class QueryCollection:
    """What one query gives."""

    def __init__(self, traits: CollectionTraits, settings: Settings, folder: Path) -> None:
        self.traits = traits
        self._settings = settings
        self._folder = folder

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        settings = self._settings
        try:
            with reading(settings.url, settings.password, self._folder) as connection:
                result = connection.exec_driver_sql(settings.query)
                columns = tuple(result.keys())
                if ITEM not in columns:
                    raise unavailable(
                        self.traits.id,
                        msg(
                            "its query returns no column {missing}; it returns {columns}",
                            missing=ITEM,
                            columns=show_text(", ".join(columns), 300),
                        ),
                        msg("Name the column in the query, as in SELECT id AS item, title, body FROM article."),
                    )
                for row in result:
                    yield entry_of(dict(zip(columns, row, strict=True)))
        except DatabaseUnavailable as error:
            raise unavailable(self.traits.id, error.cause, error.hint) from error


def entry_of(row: Mapping[str, object]) -> DigestedEntry:
    """Return a row as an entry; the digest is of its columns by name, as JSON, so that their order does not matter."""
    content = json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=True, sort_keys=True)
    data = content.encode()
    item = _key(row[ITEM])
    return DigestedEntry(item, _key(row.get(NAME)) or item, len(data), Digest(hashlib.sha256(data).hexdigest()))


def _key(value: object) -> str:
    return "" if value is None else str(_plain(value)).strip()


def _plain(value: object) -> str | int | float | None:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value).hex()
        case _:
            return str(value)


COLLECTION = CollectionKind(settings=Settings, build=build)
