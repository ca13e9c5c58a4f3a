"""The roles of the host's PostgreSQL servers: who may log in, with which rights, until when. Never a password or its hash. Needs root.

The server is asked over its local sockets as its own account `postgres`, read only, for 20 seconds at most. Of a password it
says whether there is one. A role without one is opened by the host's account of that name alone (`peer`), unless pg_hba.conf
has a line that asks for neither. A host that has neither a socket nor a cluster nor such a process, be it in a container, has
no server. Sources: the PostgreSQL manual, "pg_authid", "pg_auth_members", "pg_hba_file_rules". PostgreSQL 15.20, one line a role:

    {"server" : "5432", "role" : "an", "login" : true, "super" : true, "creates" : false, "until" : null, "password" : true, ...}
    end
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.model.message import msg

QUESTION = r"""
select json_build_object('server', current_setting('port'), 'role', r.rolname, 'login', r.rolcanlogin, 'super', r.rolsuper,
 'creates', r.rolcreaterole, 'until', case when isfinite(r.rolvaliduntil) then floor(extract(epoch from r.rolvaliduntil))::bigint end,
 'password', r.rolpassword is not null,
 'ways', exists(select from pg_hba_file_rules where auth_method not in ('peer', 'reject', 'scram-sha-256', 'md5', 'password')),
 'of', coalesce((select json_agg(g.rolname order by g.rolname) from pg_auth_members m join pg_authid g on g.oid = m.roleid
  where m.member = r.oid), '[]'::json))
from pg_authid r where r.rolname !~ '^pg_' order by r.rolname
"""
_SCRIPT = r"""
none() {
  ! grep -qxs postgres /proc/[0-9]*/comm || { echo 'a server runs, and cannot be asked' >&2; exit 2; }
  exit 127
}
command -v psql >/dev/null || none
Q=QUESTION
export PGOPTIONS='-c search_path=pg_catalog -c default_transaction_read_only=on -c statement_timeout=20s'
cd /
found=
for s in /run/postgresql/.s.PGSQL.*; do
  [ -S "$s" ] || continue
  found=1
  runuser -u postgres -- psql -h /run/postgresql -p "${s##*.}" -d postgres -XAtqw -v ON_ERROR_STOP=1 -c "$Q" </dev/null || exit $?
done
[ -n "$found" ] || for d in /var/lib/postgresql/*/* /var/lib/pgsql/*/data/PG_VERSION /var/lib/pgsql/data/PG_VERSION; do
  [ ! -e "$d" ] || { echo 'a cluster is there, and no server answers' >&2; exit 2; }
done
[ -n "$found" ] || none
echo end
"""
_MIGHTY = frozenset({"pg_execute_server_program", "pg_write_server_files"})
"""The server's own roles whose members can become the server's account (the manual, "Predefined Roles")."""


@dataclass(frozen=True, slots=True)
class LoginRole:
    """One role that may log in."""

    server: str
    """The port that is part of the socket's name."""
    name: str
    is_admin: bool
    """It is a superuser, makes roles, or is a member, over however many steps, of one that is or does."""
    is_open: bool
    """Somebody can come in as it who is not the host's account of that name: it has a password, or no line asks for one."""
    until: datetime | None
    """From when on nothing opens it; None for never, as where a line asks for no password: only that one ends."""
    groups: tuple[str, ...]
    """The roles that it is a member of."""


def parse(output: Output) -> tuple[LoginRole, ...]:
    """Return the roles that may log in."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of database roles is cut short"))
    try:
        rows = [cast("Mapping[str, object]", json.loads(line)) for line in lines[:-1]]
        said = {(_text(row["server"]), _text(row["role"])): row for row in rows}
        of = {key: tuple(map(_text, cast("Sequence[object]", row["of"]))) for key, row in said.items()}
        mighty = {key for key, row in said.items() if _flag(row["super"]) or _flag(row["creates"])}
        return tuple(
            LoginRole(
                key[0],
                key[1],
                any((key[0], name) in mighty or name in _MIGHTY for name in _reach(key, of)),
                _flag(row["password"]) or _flag(row["ways"]),
                None
                if row["until"] is None or _flag(row["ways"])
                else datetime.fromtimestamp(cast("int", row["until"]), UTC),
                of[key],
            )
            for key, row in said.items()
            if _flag(row["login"])
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise Unparseable(msg("PostgreSQL's answer cannot be parsed")) from error


def _reach(key: tuple[str, str], of: Mapping[tuple[str, str], tuple[str, ...]]) -> set[str]:
    """Return a role and all that it is a member of."""
    found, ahead = set[str](), [key[1]]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += of.get((key[0], name), ())
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


PROBE = Probe(
    "db.postgresql-roles",
    ("sh", "-c", _SCRIPT.replace("QUESTION", shlex.quote(" ".join(QUESTION.split())), 1)),
    parse,
    needs_root=True,
    timeout_seconds=60,
    limit_bytes=1 << 20,
    form=JSON,
)
