"""One PostgreSQL database, as `pg_dump --format=custom` makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, by_hand, file_place, load, row_counts, write_file
from backups.formats._postgresql import NotUsable, Scratch, cannot_try, differing, readable, scratch_server
from backups.formats._trials import counts
from backups.postgresql import COUNT_ROWS, PostgresqlVersion, fitting, identifier, installations, read_error
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg
from portalops.ports import Completed, Runner

SUPERUSER = "portalops_trial"
"""Of the scratch server; no dump names it."""
DATABASE = "trial"
MAX_TRIES = 5
LIST_SECONDS = 600.0
LIST_BYTES = 256 << 20
HEAD_BYTES = 64 << 10


def place(stream: Stream) -> str:
    return file_place(stream, "dump")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    yield msg(
        "This is one PostgreSQL database, dumped by pg_dump. The variables PGHOST, PGPORT and PGUSER choose the "
        "server for the commands. First restore the stream globals of this source: it has the roles that the "
        "database needs."
    )
    yield msg(
        "A dump is a program, and anybody who could change the database may have changed it: it runs with the "
        "rights of the role that restores it. Restore it on a separate server first, and inspect it there."
    )
    yield msg("See the database's name and version; pg_restore must be of that version or later:")
    yield by_hand(f"pg_restore --list \"$TO/{place}\" | grep '^;'")
    yield msg("Into a new database of another name, with the encoding and locale of the old one:")
    yield load(
        f'DB="${{PREFIX}}{stream.name}${{SUFFIX}}"',
        f'pg_restore --create --schema-only --file="$WORK/schema.sql" "$TO/{place}"',
        'CREATE="$(LC_ALL=C sed -n "/^CREATE DATABASE /{s/^.* WITH TEMPLATE = template0/'
        'CREATE DATABASE \\"$DB\\" WITH TEMPLATE = template0/p;q;}" "$WORK/schema.sql")"',
        f'[ -n "$CREATE" ] || stop "{place}: it does not say how to create its database"',
        'psql --no-psqlrc --quiet --dbname=postgres --command="$CREATE"',
        f'pg_restore --exit-on-error --dbname="$DB" "$TO/{place}"',
        'psql --no-psqlrc --quiet --dbname="$DB" --command=ANALYZE',
        needs=("psql", "pg_restore"),
    )
    yield msg("Or with its old name, encoding and settings, on a server that has no database of that name:")
    yield by_hand(f'pg_restore --create --exit-on-error --dbname=postgres "$TO/{place}"')
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Restore it into a server of its own, and count the rows of every table that was counted in the dump's snapshot."""
    try:
        file = readable(restored)
        tools = _tools(restored.runner, file)
        with scratch_server(restored, tools, SUPERUSER) as scratch:
            _restore(scratch, file)
            scratch.sql(DATABASE, "ANALYZE;")
            found = scratch.count(DATABASE, COUNT_ROWS)
    except NotUsable as error:
        return Trial(VerifyLevel.L3, (str(error),))
    rows = restored.stream.rows
    total = sum(each.rows for each in rows)
    return Trial(
        VerifyLevel.L4,
        tuple(differing(rows, found)),
        f"{counts(len(rows), total)}, in PostgreSQL {tools.major}",
    )


def _tools(runner: Runner, file: Path) -> PostgresqlVersion:
    """Return the version to try it with: that of the pg_dump that made it, or the next later one that is here."""
    installed = installations("initdb", runner)
    if not installed:
        raise cannot_try(msg("there is no initdb"))
    listed = runner.run(
        (installed[-1].program("pg_restore"), "--list", str(file)), timeout_seconds=LIST_SECONDS, limit_bytes=LIST_BYTES
    )
    if listed.exit_code:
        raise NotUsable(read_error(listed))
    made_by = re.search(rb"^; +Dumped by pg_dump version: (\d+)", listed.stdout, re.MULTILINE)
    wanted = int(made_by[1]) if made_by else installed[-1].major
    tools = fitting(installed, wanted)
    if tools is None:
        raise cannot_try(
            msg(
                "it needs PostgreSQL {wanted} or later, and only {major} is here",
                wanted=str(wanted),
                major=str(installed[-1].major),
            )
        )
    return tools


def _restore(scratch: Scratch, file: Path) -> None:
    encoding = _encoding(scratch, file)
    # The roles are in another stream. A first pass without data finds out which ones are missing: all errors at once.
    _create_database(scratch, "roles", encoding)
    _create_roles(
        scratch, _missing_roles(_pg_restore(scratch, file, "roles", "--section=pre-data", "--section=post-data"))
    )
    scratch.sql("postgres", "DROP DATABASE roles;")
    for _try in range(MAX_TRIES):
        _create_database(scratch, DATABASE, encoding)
        done = _pg_restore(scratch, file, DATABASE, "--exit-on-error")
        if not done.exit_code:
            return
        missing = _missing_roles(done)
        if not missing:
            break
        _create_roles(scratch, missing)
        scratch.sql("postgres", f"DROP DATABASE {DATABASE};")
    raise NotUsable(read_error(done))


def _pg_restore(scratch: Scratch, file: Path, database: str, *options: str) -> Completed:
    return scratch.run(scratch.command("pg_restore", "--no-tablespaces", *options, f"--dbname={database}", str(file)))


def _encoding(scratch: Scratch, file: Path) -> str:
    """Return the database's encoding, which a dump's SQL begins with; SQL_ASCII takes any bytes, and no other does."""
    done = scratch.runner.run(
        (scratch.tools.program("pg_restore"), "--section=pre-data", "--file=-", str(file)), limit_bytes=HEAD_BYTES
    )
    found = re.search(rb"^SET client_encoding = '([A-Za-z0-9_]+)';", done.stdout, re.MULTILINE)
    return found[1].decode() if found else "UTF8"


def _create_database(scratch: Scratch, name: str, encoding: str) -> None:
    # Locale C fits every encoding.
    locale = "" if encoding == "UTF8" else "LOCALE 'C'"
    scratch.sql("postgres", f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {locale};")


def _create_roles(scratch: Scratch, names: set[str]) -> None:
    if names:
        # Superusers, for nobody here knows what they may do, and materialized views are computed with their owner's rights.
        scratch.sql("postgres", "\n".join(f"CREATE ROLE {identifier(name)} SUPERUSER;" for name in sorted(names)))


def _missing_roles(done: Completed) -> set[str]:
    text = done.stderr.decode("utf-8", "replace")
    return set(re.findall(r'ERROR:  role "(.+)" does not exist$', text, re.MULTILINE))


FORMAT = Format(place=place, guide=guide, try_out=try_out)
