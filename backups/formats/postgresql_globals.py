"""What all databases of a PostgreSQL server share, as `pg_dumpall --globals-only` makes it: roles and tablespaces."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, file_place, load, row_counts, write_file
from backups.formats._postgresql import NotUsable, Scratch, cannot_try, differing, owned_file, scratch_server
from backups.postgresql import COUNT_GLOBALS, installations, read_error
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_BYTES = 256 << 20
MAX_PROBLEMS = 20


def place(stream: Stream) -> str:
    return file_place(stream, "sql")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    yield msg(
        "These are the roles of a PostgreSQL server, with their passwords as digests, and its tablespaces. Read "
        "the file before you run it: psql executes everything in it. A compromised server can have put programs "
        "into it (CVE-2025-8714, CVE-2026-18408); a psql with both fixes refuses them."
    )
    yield msg(
        "Run it on a new server, before its databases are restored. The role that runs it stays as it is; any other role "
        "that already exists stops it, before that role is changed. The folders of the tablespaces must exist."
    )
    yield load(
        'ME="$(psql --no-psqlrc --quiet --tuples-only --no-align --dbname=postgres'
        ' --command="SELECT pg_catalog.quote_ident(current_user)")"',
        "export ME",
        'awk \'index($0, "CREATE ROLE " ENVIRON["ME"] ";") != 1 && index($0, "ALTER ROLE " ENVIRON["ME"] " WITH ") != 1\''
        f' "$TO/{place}" > "$TO/{place}.here"',
        f'psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --file="$TO/{place}.here"',
        needs=("psql", "awk"),
    )
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Run it in a server of its own, and count roles, memberships and tablespaces."""
    installed = installations("initdb", restored.runner)
    if not installed:
        raise cannot_try(msg("there is no initdb"))
    try:
        with restored.place.open("rb") as file:
            script = file.read(MAX_BYTES)
        superuser = first_role(script)
        with scratch_server(restored, installed[-1], superuser) as scratch:
            problems = list(_run(scratch, restored, script, superuser))
            found = scratch.count("postgres", COUNT_GLOBALS)
    except NotUsable as error:
        return Trial(VerifyLevel.L3, (str(error),))
    problems += differing(restored.stream.rows, found)
    asked = ", ".join(f"{each.rows} in {each.table.rpartition('.')[2]}" for each in restored.stream.rows)
    return Trial(VerifyLevel.L4, tuple(problems[:MAX_PROBLEMS]), asked or "every statement ran")


def first_role(script: bytes) -> str:
    """Return the role that was the server's first one, as far as the script tells: it may do everything.

    >>> first_role(b"ALTER ROLE boss WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;")
    'boss'
    """
    pattern = (
        rb'^ALTER ROLE ("(?:[^"]|"")+"|\S+) WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS'
    )
    found = [name.decode("utf-8", "replace") for name in re.findall(pattern, script, re.MULTILINE)]
    plain = [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in found]
    return "postgres" if "postgres" in plain or not plain else plain[0]


def _run(scratch: Scratch, restored: Restored, script: bytes, superuser: str) -> Iterator[str]:
    """Run the script and yield what failed in it."""
    path = owned_file(restored, "globals.sql", _restricted(_with_own_tablespaces(scratch, script)))
    done = scratch.run(scratch.command("psql", "--no-psqlrc", "--quiet", "--dbname=postgres", f"--file={path}"))
    if b"invalid command \\restrict" in done.stderr:
        raise cannot_try(msg("psql has no fix for CVE-2025-8714, so a dump could run programs through it"))
    expected = f'ERROR:  role "{superuser}" already exists'
    for line in done.stderr.decode("utf-8", "replace").splitlines():
        if line.startswith("psql:") and not line.endswith(expected) and not re.search(r": (NOTICE|WARNING): ", line):
            yield show_text(line.removeprefix(f"psql:{path}:"), 300)
    if done.exit_code:
        yield read_error(done)


def _restricted(script: bytes) -> bytes:
    """Return the script so that psql runs no commands of its own in it, such as programs, whether or not it says so itself."""
    own = re.sub(rb"^\\(?:un)?restrict \w+$", b"", script, flags=re.MULTILINE)
    key = secrets.token_hex(16).encode()
    return b"\\restrict %b\n%b\n\\unrestrict %b\n" % (key, own, key)


def _with_own_tablespaces(scratch: Scratch, script: bytes) -> bytes:
    """Return the script with each tablespace in the scratch folder: its own folder is not there, or in use."""
    number = 0

    def moved(found: re.Match[bytes]) -> bytes:
        nonlocal number
        number += 1
        folder = scratch.folder.parent / f"tablespace-{number}"
        done = scratch.run(("mkdir", str(folder)))
        if done.exit_code:
            raise cannot_try(f"mkdir: {read_error(done)}")
        return found[1] + b"LOCATION '" + str(folder).replace("'", "''").encode() + b"';"

    return re.sub(rb"^(CREATE TABLESPACE .+ )LOCATION '(?:[^']|'')*';$", moved, script, flags=re.MULTILINE)


FORMAT = Format(place=place, guide=guide, try_out=try_out, is_needed_first=True)
