"""Content databases, read only, by an SQLAlchemy URL: any database that SQLAlchemy knows.

The connection is read-only where the driver allows it (SQLite, PostgreSQL, MariaDB); an account that can only read is better
still. The URL holds no password; that is given by reference.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from portalops.config.secrets import Reference
from portalops.config.values import RefusedValue
from portalops.errors import LiteralSecret
from portalops.model.message import Message, msg
from portalops.model.text import show_text

LOCK_SECONDS = 5
"""How long a query waits for a table or file that others have locked: the next look of the schedule tries again."""


class DatabaseUnavailable(Exception):
    """A database cannot be reached, or refuses the query."""

    def __init__(self, cause: Message, hint: Message | None = None) -> None:
        super().__init__(str(cause))
        self.cause = cause
        """What was observed, bounded and escaped."""
        self.hint = hint
        """What to do, where that is known here."""


def only_reads(query: str) -> str:
    """Return a query that begins as one that only reads.

    Raises:
        Refused: it does not.
    """
    if query.split(maxsplit=1)[:1] == [] or query.split(maxsplit=1)[0].lower() not in {"select", "with", "values"}:
        raise RefusedValue(msg("is not a read-only query"), msg("Start the query with SELECT, WITH or VALUES."))
    return query


def without_password(url: str) -> str:
    """Return a database URL that holds no password.

    Raises:
        Refused: it is no URL, or holds one.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise RefusedValue(
            msg("is not a database URL"),
            msg("Write it as sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME."),
            shows_value=False,
        ) from error
    if parsed.password is not None:
        hint = msg("Remove the password from the URL, and set the key 'password' to a reference to it.")
        raise RefusedValue(msg("holds a password"), hint, error=LiteralSecret, shows_value=False)
    return url


DatabaseUrl = Annotated[str, AfterValidator(without_password)]
"""SQLAlchemy URL without a password; a relative SQLite path is relative to the configuration file."""
Query = Annotated[str, AfterValidator(only_reads)]
"""One SELECT."""


@contextmanager
def reading(
    url: str, password: Reference | None, folder: Path, *, environment: Mapping[str, str] = os.environ
) -> Iterator[Connection]:
    """Open a connection that only reads; rows come as they are asked for, never all at once.

    Args:
        url: as `DatabaseUrl`.
        password: where it is kept; None for none.
        folder: where a relative SQLite path starts.
        environment: what the password's reference may name.

    Raises:
        DatabaseUnavailable: it cannot be reached, its driver is not installed, or what the block asks fails.
        SecretUnavailable: the password cannot be had.
    """
    try:
        engine = _engine(url, password, folder, environment)
        try:
            with engine.connect() as connection:
                yield connection.execution_options(no_parameters=True, stream_results=True)
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise DatabaseUnavailable(msg("{cause}", cause=show_text(str(cause), 120))) from error
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            msg("the database driver {driver} is not installed", driver=show_text(str(error.name), 120)),
            msg("Install portalops with the extra 'postgresql', or the driver itself."),
        ) from error


def _engine(url: str, password: Reference | None, folder: Path, environment: Mapping[str, str]) -> Engine:
    parsed = make_url(url)
    if password is not None:
        parsed = parsed.set(password=password.reveal(environment))
    options: dict[str, object]
    match parsed.get_backend_name():
        case "sqlite":
            target = f"file:{quote(str(_sqlite_file(folder, parsed.database)))}?mode=ro"
            return create_engine("sqlite://", creator=lambda: _open_sqlite(target), poolclass=NullPool)
        case "postgresql":
            options = {
                "options": f"-c default_transaction_read_only=on -c lock_timeout={LOCK_SECONDS}s",
                "connect_timeout": 30,
            }
            return create_engine(parsed, connect_args=options, poolclass=NullPool)
        case "mysql" | "mariadb":
            options = {"init_command": "SET SESSION TRANSACTION READ ONLY", "connect_timeout": 30}
            if parsed.password is not None and parsed.get_driver_name() == "pymysql":
                options["password"] = parsed.password.encode()  # of a text it takes the letters of Latin-1 alone
            return create_engine(parsed, connect_args=options, poolclass=NullPool)
        case _:
            return create_engine(parsed, poolclass=NullPool)


def _sqlite_file(folder: Path, name: str | None) -> Path:
    path = (folder / (name or "")).resolve()
    if not path.is_file():
        raise DatabaseUnavailable(msg("there is no database file {file}", file=show_text(str(name), 200)))
    return path


def _open_sqlite(target: str) -> sqlite3.Connection:
    connection = sqlite3.connect(target, uri=True, timeout=LOCK_SECONDS)
    # One row in a legacy encoding must not hide all others; the sign it leaves is found by the text checks.
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection
