"""What dumping PostgreSQL and trying its dumps out have in common: which programs, whose names, what is counted. Pure but for
`installations`.

Manuals: pg_dump, pg_restore, psql and libpq's connection strings, https://www.postgresql.org/docs/current/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portalops.json_text import read_json
from portalops.model.backups import TableRows
from portalops.model.text import show_text
from portalops.ports import Completed, Runner

CUSTOM = "postgresql-custom"
GLOBALS = "postgresql-globals"
"""The formats of the streams."""
PACKAGED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Debian's and PostgreSQL's own packages put each version; Debian's names in PATH only guess which one is meant."""
ON_PATH = ("/usr/local/bin", "/usr/local/pgsql/bin", "/usr/bin")
NAME_CHARACTERS = 300
"""Of a table with its schema; PostgreSQL's own limit is 63 bytes each, and quotes are doubled."""


@dataclass(frozen=True, slots=True)
class PostgresqlVersion:
    """One version of PostgreSQL's programs."""

    major: int
    folder: Path

    def program(self, name: str) -> str:
        """Return a program's whole path."""
        return str(self.folder / name)


def installations(program: str, runner: Runner, folder: Path | None = None) -> tuple[PostgresqlVersion, ...]:
    """Return the versions that have a program, oldest first.

    Args:
        program: such as `pg_dump`; the program says itself which version it is.
        runner: runs it.
        folder: look there alone.
    """
    folders: Iterable[Path]
    if folder is not None:
        folders = (folder,)
    else:
        packaged = (found for pattern in PACKAGED for found in Path("/").glob(pattern.lstrip("/")))
        folders = (*packaged, *map(Path, ON_PATH))
    found: dict[int, PostgresqlVersion] = {}
    for each in folders:
        path = each / program
        if not path.is_file() or path.resolve().name == "pg_wrapper":
            continue
        major = version_in(runner.run((str(path), "--version")).stdout.decode("utf-8", "replace"))
        if major is not None:
            found.setdefault(major, PostgresqlVersion(major, each))
    return tuple(found[major] for major in sorted(found))


def installations_there(program: str, runner: Runner, folder: Path | None = None) -> tuple[PostgresqlVersion, ...]:
    """Return what `installations` does, of the machine that a runner runs programs on."""
    places = (f"{folder}",) if folder is not None else ON_PATH
    patterns = "" if folder is not None else " ".join(PACKAGED)
    script = f"""for folder in {patterns} "$@"; do
  path="$folder/{program}"
  [ -f "$path" ] || continue
  case "$(readlink -f "$path")" in */pg_wrapper) continue ;; esac
  printf '%s\\t%s\\n' "$folder" "$("$path" --version)"
done"""
    said = runner.run(("sh", "-c", script, "sh", *places)).stdout.decode("utf-8", "surrogateescape")
    found: dict[int, PostgresqlVersion] = {}
    for line in said.splitlines():
        place, _tab, version = line.rpartition("\t")
        if (major := version_in(version)) is not None:
            found.setdefault(major, PostgresqlVersion(major, Path(place)))
    return tuple(found[major] for major in sorted(found))


def version_in(text: str) -> int | None:
    """Return the major version that a program says it has.

    >>> version_in("pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)")
    15
    """
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found[1]) if found else None


def fitting(installed: Sequence[PostgresqlVersion], major: int) -> PostgresqlVersion | None:
    """Return the oldest version that is not older than `major`: what it makes or runs is nearest to the server's own."""
    return next((each for each in installed if each.major >= major), None)


def read_error(done: Completed) -> str:
    """Return the first error that a program named, else the last that it said, in one line: a long query may follow an error."""
    text = done.stderr.decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if re.search(r"\b(?:error|ERROR|FATAL):", line)]
    return show_text(" ".join((lines[0] if lines else text[-300:]).split()) or f"exit code {done.exit_code}", 300)


def connection(database: str) -> str:
    """Return libpq's connection string for a database of any name.

    A bare name would be read as a whole connection string where it holds an equals sign.

    >>> print(connection("it's"))
    dbname='it\\'s'
    """
    quoted = database.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{quoted}'"


def identifier(name: str) -> str:
    """Return a name as SQL spells it, always in quotes.

    >>> print(identifier('Cổng "TT" 1'))
    "Cổng ""TT"" 1"
    """
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _spelled(column: str) -> str:
    # Not quote_ident: which words it quotes differs between versions, and the counts of two are compared by name.
    return f"""CASE WHEN {column} ~ '^[a-z_][a-z0-9_]*$' THEN {column}::text ELSE '"' || replace({column}, '"', '""') || '"' END"""


_TABLES = """
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (c.relpersistence = 'p' OR c.relpersistence = 'u' AND NOT pg_catalog.pg_is_in_recovery())
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname"""
"""Tables whose rows a dump holds: those of users, each part of a partitioned one by itself, none that an extension brings,
and none without a log on a replica, where nobody can read them."""

SAFE_PATH = "SET search_path = '';\n"
"""Goes before every query: whoever owns a database can have other functions than PostgreSQL's own found first in it, and they
would run with the rights of the role that backs up (CVE-2018-1058)."""
LOCK_TABLES = rf"""
SELECT pg_catalog.format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', n.nspname, c.relname) {_TABLES} \gexec
"""
COUNT_ROWS = rf"""{SAFE_PATH}
SELECT pg_catalog.format('SELECT pg_catalog.json_build_array(%L, count(*)) FROM ONLY %I.%I',
       {_spelled("n.nspname")} || '.' || {_spelled("c.relname")}, n.nspname, c.relname) {_TABLES} \gexec
SELECT pg_catalog.json_build_array('pg_catalog.pg_largeobject_metadata', count(*))
  FROM pg_catalog.pg_largeobject_metadata HAVING count(*) > 0;
"""  # noqa: S608  # constants alone
"""For psql: prints one JSON array of a table's name and its number of rows a line; large objects are counted as such."""
COUNT_GLOBALS = f"""{SAFE_PATH}
SELECT pg_catalog.json_build_array('pg_catalog.pg_roles', count(*)) FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_';
SELECT pg_catalog.json_build_array('pg_catalog.pg_auth_members', count(DISTINCT (m.roleid, m.member)))
  FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname !~ '^pg_';
SELECT pg_catalog.json_build_array('pg_catalog.pg_tablespace', count(*))
  FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_';
"""  # noqa: S608  # constants alone
"""The same for what all databases of a server share; roles that PostgreSQL itself brings are left out."""


def counted(line: str) -> TableRows | None:
    """Return what a line of `COUNT_ROWS` or `COUNT_GLOBALS` says; None for another line.

    >>> counted('["public.article", 3]')
    TableRows(table='public.article', rows=3)
    """
    try:
        name, rows = read_json(line)
    except (ValueError, TypeError):
        return None
    if not isinstance(name, str) or type(rows) is not int:
        return None
    return TableRows(show_text(name, NAME_CHARACTERS), rows)
