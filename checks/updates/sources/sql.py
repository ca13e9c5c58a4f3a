"""Rows of a content database, by a query that the operator writes: any database that SQLAlchemy knows.

The query names its columns; these are understood, and more are ignored:

    external_id    the row's key in its own system (required)
    title          (required)
    published_at   the moment the system claims (required; may be empty)
    unit           name or code of the agency; not needed where the source belongs to one unit
    channel        portal, subportal or submission, where it differs from row to row
    url, created_at, modified_at, language, state, body
    kind           1 to 12, the kinds of Article 8

The query lists what is published and nothing else: a row counts from when it is first listed. The connection is
read-only where the driver allows it (SQLite, PostgreSQL, MariaDB); an account that can only read is better still.

`trust_created = true` is the operator's word that editors cannot write the creation column: then the creation time
counts even for rows that were there before the first look.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import field_validator

from checks.updates.dates import DateRules, read_moment
from checks.updates.sources._settings import CommonSettings, bounded, source_error
from checks.updates.text import without_markup
from portalops.config.secrets import SecretReference
from portalops.config.values import Refused
from portalops.errors import LiteralSecret
from portalops.model.message import Message, msg
from portalops.model.updates import Channel, ListedItem, Listing, SourceTraits
from portalops.ports import Answer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from portalops.config.tables import KindTable

REQUIRED = ("external_id", "title", "published_at")
OPTIONAL = ("unit", "channel", "url", "created_at", "modified_at", "language", "kind", "state", "body")


class Settings(CommonSettings):
    """`kind = "sql"`."""

    url: str
    """SQLAlchemy URL without a password; a relative SQLite path is relative to the configuration file."""
    password: SecretReference | None = None
    """Where the database's password is kept."""
    query: str
    """One SELECT."""
    trust_created: bool = False
    """Editors cannot write the creation column."""

    @field_validator("query")
    @classmethod
    def _only_reads(cls, query: str) -> str:
        if query.split(maxsplit=1)[:1] == [] or query.split(maxsplit=1)[0].lower() not in {"select", "with", "values"}:
            raise Refused(msg("is no query that only reads"), msg("Begin it with SELECT, WITH or VALUES."))
        return query

    @field_validator("url")
    @classmethod
    def _no_password(cls, url: str) -> str:
        from sqlalchemy import make_url  # noqa: PLC0415  # start-up time
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError) as error:
            raise Refused(
                msg("is no database URL"),
                msg("Write it as sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."),
                shows_value=False,
            ) from error
        if parsed.password is not None:
            hint = msg("Take the password out of the URL, and give the key 'password' a reference to it.")
            raise Refused(msg("holds a password"), hint, error=LiteralSecret, shows_value=False)
        return url


def build(source_id: str, table: KindTable, *, zone: ZoneInfo) -> SqlSource:
    """Return the source that a configuration table describes."""
    return SqlSource(source_id, table.parse(Settings), folder=table.folder, zone=zone)


class SqlSource:
    """A named query on one database."""

    def __init__(self, source_id: str, settings: Settings, *, folder: Path, zone: ZoneInfo) -> None:
        self._settings = settings
        self._folder = folder
        self._rules = settings.date_rules(zone)
        self._traits = settings.traits(source_id, complete=True, trust_created=settings.trust_created)

    @property
    def traits(self) -> SourceTraits:
        return self._traits

    def fetch(self, *, etag: str) -> Answer:
        del etag  # a database has none
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # start-up time

        try:
            engine = self._engine()
            try:
                with engine.connect() as connection:
                    reading = connection.execution_options(no_parameters=True)
                    result = reading.exec_driver_sql(self._settings.query)
                    columns = tuple(result.keys())
                    self._require_columns(columns)
                    rows = [[_plain(value) for value in row] for row in result]
            finally:
                engine.dispose()
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            cause = getattr(error, "orig", None) or error
            raise source_error(
                self._traits.id, msg("{cause}", cause=bounded(cause)), _look_hint(self._traits.id)
            ) from error
        except ModuleNotFoundError as error:
            raise source_error(
                self._traits.id,
                msg("the database driver {driver} is not installed", driver=bounded(error.name)),
                msg("Install portalops with the extra 'postgresql' or 'mariadb', or the driver itself."),
            ) from error
        return Answer(json.dumps({"columns": columns, "rows": rows}, ensure_ascii=False, indent=None).encode())

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        try:
            answer = json.loads(data)
            columns, rows = tuple(answer["columns"]), answer["rows"]
        except (ValueError, KeyError, TypeError) as error:
            raise source_error(self._traits.id, msg("its kept answer cannot be read")) from error
        self._require_columns(columns)
        items: list[ListedItem] = []
        rejected: list[str] = []
        for number, row in enumerate(rows, 1):
            item = _item(dict(zip(columns, row, strict=True)), self._rules)
            if isinstance(item, str):
                rejected.append(f"row {number}: {item}")
            else:
                items.append(item)
        return Listing(tuple(items), tuple(rejected))

    def _engine(self) -> Engine:
        from sqlalchemy import create_engine, make_url  # noqa: PLC0415  # start-up time
        from sqlalchemy.pool import NullPool  # noqa: PLC0415

        url = make_url(self._settings.url)
        if self._settings.password is not None:
            url = url.set(password=self._settings.password.reveal(os.environ))
        match url.get_backend_name():
            case "sqlite":
                target = f"file:{quote(str(self._sqlite_file(url.database)))}?mode=ro"
                return create_engine("sqlite://", creator=lambda: _open_sqlite(target), poolclass=NullPool)
            case "postgresql":
                options = {"options": "-c default_transaction_read_only=on", "connect_timeout": 30}
                return create_engine(url, connect_args=options, poolclass=NullPool)
            case "mysql" | "mariadb":
                options = {"init_command": "SET SESSION TRANSACTION READ ONLY", "connect_timeout": 30}
                return create_engine(url, connect_args=options, poolclass=NullPool)
            case _:
                return create_engine(url, poolclass=NullPool)

    def _sqlite_file(self, name: str | None) -> Path:
        path = (self._folder / (name or "")).resolve()
        if not path.is_file():
            raise source_error(self._traits.id, msg("there is no database file {file}", file=bounded(name, 200)))
        return path

    def _require_columns(self, columns: Sequence[str]) -> None:
        missing = [column for column in REQUIRED if column not in columns]
        if missing:
            raise source_error(
                self._traits.id,
                msg(
                    "its query gives no column {missing}; it gives {columns}",
                    missing=", ".join(missing),
                    columns=bounded(", ".join(columns), 300),
                ),
                msg("Name the columns in the query, as in SELECT id AS external_id, ... AS published_at."),
            )


def _item(row: Mapping[str, object], rules: DateRules) -> ListedItem | str:
    """Return the row as an item, or why it is refused."""
    text = {name: "" if row.get(name) is None else str(row[name]) for name in (*REQUIRED, *OPTIONAL)}
    if not text["external_id"].strip():
        return "no external_id"
    try:
        channel = Channel(text["channel"].strip().lower()) if text["channel"].strip() else None
    except ValueError:
        return f"channel {bounded(text['channel'], 40)} is none of portal, subportal, submission"
    kind = int(text["kind"]) if text["kind"].isascii() and text["kind"].isdigit() and len(text["kind"]) < 3 else None
    return ListedItem(
        external_id=text["external_id"].strip(),
        url=text["url"].strip(),
        title=without_markup(text["title"]),
        published_at=read_moment(row["published_at"], rules),
        raw_date=text["published_at"],
        unit_name=text["unit"],
        channel=channel,
        created_at=read_moment(row.get("created_at"), rules),
        modified_at=read_moment(row.get("modified_at"), rules),
        language=text["language"].strip().lower(),
        kind=kind if kind is not None and 1 <= kind <= 12 else None,
        state=text["state"].strip(),
        body=without_markup(text["body"]) if row.get("body") is not None else None,
    )


def _open_sqlite(target: str) -> sqlite3.Connection:
    connection = sqlite3.connect(target, uri=True, timeout=30)
    # One row in a legacy encoding must not hide all others; the sign it leaves is found by the text checks.
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _plain(value: object) -> str | int | float | None:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.decode("utf-8", "replace")
        case _:
            return str(value)


def _look_hint(source_id: str) -> Message:
    return msg(
        "See whether the database answers and the query is right for it: update source {source}.", source=source_id
    )
