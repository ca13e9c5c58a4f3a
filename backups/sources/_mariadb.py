"""What a dump of MariaDB or MySQL needs, as rules: options, arguments, rights, which tables are of the snapshot. Pure.

Sources: `mariadb-dump --help` of 11.8.9; mysqldump in the MySQL 8.0 manual, chapter 4.5.4; information_schema of both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

SYSTEM_DATABASES = frozenset({"information_schema", "performance_schema", "mysql", "sys"})
ELSEWHERE = frozenset({"MRG_MYISAM", "MRG_ISAM", "CONNECT", "OQGRAPH", "SPIDER", "VP", "FEDERATED"})
"""Engines whose tables only show rows that lie elsewhere: `--no-data-med`, which is the default, dumps no rows of them."""
_ROWS_ON_LINES = (11, 8)
"""From this version of MariaDB on, each row of an INSERT is known to stand on its own line."""
_HISTORY = (10, 11)
"""The first version of MariaDB with `--dump-history`."""
_MARIADB = re.compile(r"(\d+)\.(\d+)\.\d+-MariaDB")


@dataclass(frozen=True, slots=True)
class Flavour:
    """Which dump program it is."""

    mariadb: tuple[int, int] | None
    """Its version of MariaDB; None for MySQL's own."""

    @property
    def format(self) -> str:
        """The format of its streams."""
        return "mysql-sql" if self.mariadb is None else "mariadb-sql"

    def keeps_history(self) -> bool:
        """Say whether it can dump what system-versioned tables held before."""
        return self.mariadb is not None and self.mariadb >= _HISTORY


@dataclass(frozen=True, slots=True)
class MariadbTable:
    """A table, view or sequence, as information_schema tells of it."""

    name: str
    type: str
    """`BASE TABLE`, `SYSTEM VERSIONED`, `VIEW`, `SEQUENCE`, ..."""
    engine: str
    """Empty for views."""
    is_transactional: bool

    @property
    def has_rows_here(self) -> bool:
        """Say whether the dump holds rows of it."""
        return self.type in {"BASE TABLE", "SYSTEM VERSIONED"} and self.engine.upper() not in {*ELSEWHERE, "S3"}


def flavour_of(banner: str) -> Flavour:
    """Return the flavour from what `--version` prints; pages of MySQL and MariaDB name themselves differently."""
    found = _MARIADB.search(banner)
    return Flavour((int(found[1]), int(found[2])) if found else None)


def option_file(values: Mapping[str, str | int | None]) -> bytes:
    """Return an option file for the client and the dump program; values are quoted, whatever is in them."""
    lines = [f'{name}="{_escaped(str(value))}"' for name, value in values.items() if value is not None]
    return "\n".join(("[client]", *lines, "")).encode()


def _escaped(value: str) -> str:
    signs = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(signs.get(sign, sign) for sign in value)


def no_file(values: Mapping[str, str | int | None]) -> tuple[str, ...]:
    """Return the first arguments of the programs where no file may be made: no file of options is read, and none needed.

    >>> no_file({"user": "backup", "socket": None})
    ('--no-defaults', '--user=backup')
    """
    return ("--no-defaults", *(f"--{name}={value}" for name, value in values.items() if value is not None))


def client_command(client: str, options: Sequence[str]) -> tuple[str, ...]:
    """Return the command that takes SQL on standard input and prints a line a row."""
    return (client, *options, "--batch", "--skip-column-names", "--default-character-set=utf8mb4")


def dump_command(
    program: str, options: Sequence[str], flavour: Flavour, database: str, *, with_history: bool = False
) -> tuple[str, ...]:
    """Return the command that dumps one database from one snapshot.

    `options` name the only file of options that is read, or say that none is: a line such as `ignore-table` in another one would leave
    out data without a word. Blobs are written in hexadecimal, because bytes that are no text do not survive every
    client. Nothing is locked. The largest row that a server knows fits.
    """
    return (
        program,
        *options,
        "--single-transaction",
        "--skip-lock-tables",
        "--quick",
        "--routines",
        "--events",
        "--triggers",
        "--hex-blob",
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        "--no-tablespaces",
        "--no-autocommit",
        "--skip-dump-date",
        *(() if flavour.mariadb is not None else ("--set-gtid-purged=OFF",)),
        # One INSERT a row, where rows of one INSERT are not known to stand on their own lines: see _sql_rows.
        *(() if (flavour.mariadb or (0, 0)) >= _ROWS_ON_LINES else ("--skip-extended-insert",)),
        *(("--dump-history",) if with_history else ()),
        "--",
        database,
    )


def users_command(program: str, options: Sequence[str]) -> tuple[str, ...]:
    """Return the command that dumps accounts, roles and grants, for a server that may know some of them already."""
    return (
        program,
        *options,
        "--system=users",
        "--insert-ignore",  # CREATE USER IF NOT EXISTS: every server has root
        "--default-character-set=utf8mb4",
        "--skip-dump-date",
    )


def stream_name(database: str) -> str:
    """Return the name of a database's stream: letters, digits and hyphens, and different for different databases."""
    plain = re.sub(r"[^a-z0-9]+", "-", database.lower()).strip("-")[:40]
    if plain == database:
        return f"db-{plain}"
    return "-".join(filter(None, ("db", plain, hashlib.sha256(database.encode()).hexdigest()[:8])))


def missing_rights(grants: Iterable[str], database: str, flavour: Flavour) -> tuple[str, ...]:
    """Say what an account cannot see of a database, from the lines of SHOW GRANTS.

    The dump programs fail where a whole table is refused, but what an account may not see is not there for them: triggers
    without TRIGGER, other people's routines without a right to read those.
    """
    held = _held(grants, database)
    missing = [
        f"{things}, if there are any: the account lacks {right} on the database"
        for things, right in (
            ("tables", "SELECT"),
            ("views", "SHOW VIEW"),
            ("triggers", "TRIGGER"),
            ("events", "EVENT"),
        )
        if not held & {right, "ALL PRIVILEGES"}
    ]
    sees_routines = held & {"ALL PRIVILEGES", "SHOW CREATE ROUTINE", "SHOW_ROUTINE", "SELECT mysql.proc"}
    if not sees_routines:
        right = "SHOW_ROUTINE" if flavour.mariadb is None else "SELECT on mysql.proc"
        missing.append(f"routines of others, if there are any: the account lacks {right}")
    return tuple(missing)


def _held(grants: Iterable[str], database: str) -> set[str]:
    """Return the rights that an account has on a database, and `SELECT mysql.proc` if it may read that table."""
    held: set[str] = set()
    for grant in grants:
        found = re.match(r"GRANT (.+?) ON (?:TABLE )?(\*\.\*|`(?:[^`]|``)*`\.(?:\*|`(?:[^`]|``)*`)) TO ", grant)
        if found is None:
            continue
        rights = {right.strip() for right in found[1].split(",")}
        place = found[2]
        reads = bool(rights & {"SELECT", "ALL PRIVILEGES"})
        if place == "*.*" or (place.endswith(".*") and _matches(place[1:-3].replace("``", "`"), database)):
            held |= rights
        if reads and place in {"*.*", "`mysql`.*", "`mysql`.`proc`"}:
            held.add("SELECT mysql.proc")
    return held


def _matches(pattern: str, database: str) -> bool:
    """Say whether a grant's pattern, with `%` and `_` for any letters, covers a database."""
    parts = re.findall(r"\\.|%|_|[^\\%_]+|\\", pattern)
    signs = {"%": ".*", "_": "."}
    regular = "".join(
        signs.get(part) or re.escape(part[1:] if len(part) == 2 and part[0] == "\\" else part) for part in parts
    )
    return re.fullmatch(regular, database, re.DOTALL | re.IGNORECASE) is not None


def doubts(
    tables: Sequence[MariadbTable], before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> Iterator[str]:
    """Name the tables that the snapshot does not cover and that changed meanwhile, or of which that is not known.

    Args:
        tables: all of a database.
        before: `CHECKSUM TABLE` of those without transactions, before the dump began; None where it failed.
        after: the same when it had ended. Equal sums say that the table was the same all the while.
    """
    for table in tables:
        if table.name not in before and table.name not in after:
            continue
        first, last = before.get(table.name), after.get(table.name)
        if first is None or last is None:
            yield f"table {table.name} ({table.engine}): whether it changed during the dump is not known"
        elif first != last:
            yield f"table {table.name} ({table.engine}): it changed during the dump, and its engine has no snapshots"
