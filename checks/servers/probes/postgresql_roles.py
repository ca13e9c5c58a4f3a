"""The roles of the host's PostgreSQL servers: who may log in, from where, by which method, with which rights. Never a password or its
hash. Needs root.

The server is asked over its local sockets as its own account `postgres`, read only, for 20 seconds at most. Of a password it
says how it is kept, and whether it is empty or the role's own name where that can be told. A role without one is opened by
the host's account of that name alone (`peer`), unless a rule of pg_hba.conf asks for neither. The server tells the rules of
the file as it is now; where it or one that it includes is newer than what the server loaded, that is told. A host that has neither a socket nor
a cluster nor such a process, be it in a container, has no server. Sources: the PostgreSQL manual, "pg_authid",
"pg_auth_members", "pg_hba_file_rules". PostgreSQL 15.20, one line a role and one a server:

    {"server" : "5432", "role" : "an", "login" : true, "super" : true, "creates" : false, "until" : null, "password" : true, ...}
    {"server" : "5432", "listens" : "localhost", "stale" : false, "databases" : ["portal"], "rules" : [...]}
    servers 1
    end
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from checks.servers.hba import Admission, HbaRole, HbaRule, admissions
from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

QUESTION = r"""
select json_build_object('server', current_setting('port'), 'role', r.rolname, 'login', r.rolcanlogin, 'super', r.rolsuper,
 'creates', r.rolcreaterole, 'until', case when isfinite(r.rolvaliduntil) then floor(extract(epoch from r.rolvaliduntil))::bigint end,
 'password', r.rolpassword is not null, 'replicates', r.rolreplication,
 'kept', case when r.rolpassword is null then 'none' when r.rolpassword = 'md5' || md5(r.rolname) then 'empty'
  when r.rolpassword = 'md5' || md5(r.rolname || r.rolname) then 'name' when r.rolpassword ~ '^md5[0-9a-f]{32}$' then 'md5'
  when r.rolpassword like 'SCRAM-SHA-256$%' then 'scram' else 'other' end,
 'of', coalesce((select json_agg(g.rolname order by g.rolname) from pg_auth_members m join pg_authid g on g.oid = m.roleid
  where m.member = r.oid), '[]'::json))
from pg_authid r where r.rolname !~ '^pg_' order by r.rolname
"""
RULES = r"""
select json_build_object('server', current_setting('port'), 'listens', current_setting('listen_addresses'),
 'stale', pg_conf_load_time() < (select max(greatest(f.modification, f.change)) from
  (select current_setting('hba_file') union select json_extract_path_text(to_json(r), 'file_name') from pg_hba_file_rules r) n(name),
  pg_stat_file(n.name, true) f where n.name is not null),
 'databases', (select coalesce(json_agg(d.datname), '[]'::json) from pg_database d where d.datallowconn),
 'rules', (select coalesce(json_agg(json_build_object('line', h.line_number, 'type', h.type, 'database', h.database,
  'user', h.user_name, 'address', h.address, 'netmask', h.netmask, 'method', h.auth_method, 'broken', h.type is null,
  'map', (select substr(o, 5) from unnest(h.options) o where o like 'map=%' limit 1)) order by h.n), '[]'::json)
  from (select row_number() over () n, * from pg_hba_file_rules) h))
"""
_SCRIPT = r"""
servers() {
  cat /proc/[0-9]*/stat 2>/dev/null |
    awk '$2 ~ /^\((postgres|postmaster)\)$/ { p[$1] = $4 } END { for (i in p) if (!(p[i] in p)) n++; print n + 0 }'
}
none() {
  [ "$(servers)" = 0 ] || { echo 'a server runs, and cannot be asked' >&2; exit 2; }
  exit 127
}
command -v psql >/dev/null || none
Q=QUESTION
R=RULES
export PGOPTIONS='-c search_path=pg_catalog -c default_transaction_read_only=on -c statement_timeout=20s'
cd /
found=
for s in /run/postgresql/.s.PGSQL.*; do
  [ -S "$s" ] || continue
  found=1
  runuser -u postgres -- psql -h /run/postgresql -p "${s##*.}" -d postgres -XAtqw -v ON_ERROR_STOP=1 -c "$Q" -c "$R" </dev/null || exit $?
done
[ -n "$found" ] || for d in /var/lib/postgresql/*/* /var/lib/pgsql/*/data/PG_VERSION /var/lib/pgsql/data/PG_VERSION; do
  [ ! -e "$d" ] || { echo 'a cluster is there, and no server answers' >&2; exit 2; }
done
[ -n "$found" ] || none
echo "servers $(servers)"
echo end
"""
UNASKED = "a server runs, and cannot be asked"
"""What the command complains of where there is such a process and no way to it."""
_MIGHTY = frozenset({"pg_execute_server_program", "pg_write_server_files", "pg_read_server_files"})
"""The server's own roles whose members can become the server's account, or read its keys (the manual, "Predefined Roles")."""
LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})
"""In `listen_addresses`: what nobody reaches from elsewhere."""
_ASKING = frozenset({"peer", "reject", "scram-sha-256", "md5", "password"})


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
    kept: str = ""
    """How its password is kept: `none`, `empty`, `name` (its own name), `md5`, `scram` or `other`; empty in answers of before."""


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """Whom one server lets in."""

    name: str
    is_stale: bool
    """Its file of rules is newer than what it loaded."""
    is_broken: bool
    """Its file has a line that it cannot read, so that it keeps to older rules. One that cannot match, as `hostssl` with TLS off, is none."""
    admitted: tuple[Admission, ...]
    """By which rule each role gets in, from where."""
    is_networked: bool = True
    """It listens on more than loopback."""


@dataclass(frozen=True, slots=True)
class PostgresqlRoles:
    """What all servers that were asked say."""

    roles: tuple[LoginRole, ...]
    servers: tuple[PostgresqlServer, ...] = ()
    """Empty in answers of before."""
    running: int = 1
    """How many servers run on the host."""


def parse(output: Output) -> PostgresqlRoles:
    """Return the roles that may log in, and the rules by which they do."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of database roles is cut short"))
    del lines[-1]
    running = 0
    if lines and lines[-1].startswith("servers ") and lines[-1][8:].isdecimal():
        running = int(lines.pop()[8:14])
    try:
        every = [cast("Mapping[str, object]", read_json(line)) for line in lines]
        rows = [row for row in every if "rules" not in row]
        said = {(_text(row["server"]), _text(row["role"])): row for row in rows}
        of = {key: _texts(row["of"]) for key, row in said.items()}
        servers = tuple(_server(row, said, of) for row in every if "rules" in row)
        loose = {
            (server.name, one.role) for server in servers for one in server.admitted if one.rule.method not in _ASKING
        }
        mighty = {key for key, row in said.items() if _flag(row["super"]) or _flag(row["creates"])}
        roles = tuple(
            LoginRole(
                key[0],
                key[1],
                any((key[0], name) in mighty or name in _MIGHTY for name in _reach(key, of)),
                _flag(row["password"]) or _is_loose(key, row, loose),
                None
                if row["until"] is None or _is_loose(key, row, loose)
                else datetime.fromtimestamp(cast("int", row["until"]), UTC),
                of[key],
                _text(row.get("kept", "")),
            )
            for key, row in said.items()
            if _flag(row["login"])
        )
        return PostgresqlRoles(roles, servers, max(running, len(servers), 1))
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise Unparseable(msg("PostgreSQL's answer cannot be parsed: a fault in portalops")) from error


def _is_loose(key: tuple[str, str], row: Mapping[str, object], loose: set[tuple[str, str]]) -> bool:
    """Say whether a line asks for no password; an answer of before says so of all roles alike."""
    return _flag(row["ways"]) if "ways" in row else key in loose


def _server(
    row: Mapping[str, object],
    said: Mapping[tuple[str, str], Mapping[str, object]],
    of: Mapping[tuple[str, str], tuple[str, ...]],
) -> PostgresqlServer:
    name = _text(row["server"])
    held = [cast("Mapping[str, object]", each) for each in cast("Sequence[object]", row["rules"])]
    rules = [
        HbaRule(
            int(cast("int", each["line"])),
            _text(each["type"]),
            _texts(each["database"]),
            _texts(each["user"]),
            _text(each["address"] or ""),
            _text(each["netmask"] or ""),
            _text(each["method"]),
            _text(each["map"] or ""),
        )
        for each in held
        if not _flag(each["broken"])
    ]
    roles = [
        HbaRole(key[1], frozenset(_reach(key, of)), _flag(one["replicates"]) or _flag(one["super"]))
        for key, one in said.items()
        if key[0] == name and _flag(one["login"])
    ]
    found = tuple(admissions(rules, roles, _texts(row["databases"]), _text(row["listens"])))
    listens = {each.strip() for each in _text(row["listens"]).split(",")} - LOCAL
    return PostgresqlServer(
        name, _flag(row["stale"]), any(_flag(each["broken"]) for each in held), found, bool(listens)
    )


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


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
    (
        "sh",
        "-c",
        _SCRIPT.replace("QUESTION", shlex.quote(" ".join(QUESTION.split())), 1).replace(
            "RULES", shlex.quote(" ".join(RULES.split())), 1
        ),
    ),
    parse,
    needs_root=True,
    timeout_seconds=60,
    limit_bytes=1 << 20,
    form=JSON,
)
