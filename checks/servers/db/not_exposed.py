"""Databases listen on loopback or where it is declared, and let nobody in from anywhere without a name.

A database that the internet can reach is tried within minutes, and holds all that the portal knows. Article 12.4 asks for
security mechanisms.

The rule: no port of a database listens on more than loopback, unless it is among the declared listeners. Known are MariaDB,
MySQL, PostgreSQL, MongoDB, Redis, Memcached, Elasticsearch, Oracle and SQL Server. The same holds for a program of a database
on whatever port. No rule of the firewall leads others to one on loopback (`dnat to 127.0.0.1`). Where there is an outside
scan of the host, none of these ports is open there, unless it is declared public. A database may be behind an undeclared port
that no program of this host holds by name, such as that of a container. That is unknown. So it is where nothing at all seems
to listen, as in a host whose sockets are hidden.

The servers themselves are asked who gets in from where without a password. MariaDB and MySQL have no account without a name,
and none that opens without a password or by its own name, by whatever plugin. No grant to PUBLIC gives every account all rights.
None with all rights, its own or those of its roles, may log in from everywhere while the server listens for others. None called root may log in from elsewhere at all. Nor
may the host's account of another name come in over the socket as one with all rights. An account that may do nothing, from one address alone, may be without a password: balancers use such. What the running server
has loaded counts, and so do its tables, by which it goes from its next start on. A file that it runs at each start (`init_file`) and that
does more than set variables makes the answer unknown. PostgreSQL lets in no
role by a rule of pg_hba.conf that asks for nothing, over its sockets or from an address. The first rule that fits decides.
The answer is unknown where a server cannot be asked, keeps to older rules than its file, or runs beside the one asked. Redis, MongoDB and Memcached have no unix socket that every account may open and that asks for no password.
A relay that leads to a database on loopback makes the answer unknown: HAProxy, nginx, stunnel, xinetd and others by their settings,
socat, ssh and others by their command or a unit of the host's own. It does not see relays of other programs, events and
libraries that a database runs by itself, nor whether databases on loopback ask for a password.

Sources: ss(8); the MariaDB manual, "mysql.global_priv"; the PostgreSQL manual, "pg_hba_file_rules". Debian 13:

    tcp LISTEN 0      80     127.0.0.1:3306 0.0.0.0:* users:(("mariadbd",pid=50,fd=26))
    web  %  plain  -  mysql_native_password:empty
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.firewall._view import opened
from checks.servers.probe import MissingFact
from checks.servers.probes import (
    iptables_legacy,
    listening_programs,
    mysql_accounts,
    nft,
    other_ways,
    outside_ports,
    postgresql_roles,
    systemd_units,
)
from checks.servers.probes.listening_programs import Listening
from checks.servers.probes.mysql_accounts import MysqlAccount, MysqlAccounts
from checks.servers.probes.postgresql_roles import UNASKED, PostgresqlRoles
from checks.servers.wording import listed, together
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

PORTS = frozenset({1433, 1521, 3306, 5432, 6379, 9200, 11211, 27017, 33060})
MYSQL = 3306
MYSQL_PROGRAMS = frozenset({"mariadbd", "mysqld"})
PROGRAMS = MYSQL_PROGRAMS | {
    *("postgres", "postmaster", "mongod", "mongos", "redis-server", "valkey-server", "keydb-server", "memcached"),
    *("tnslsnr", "sqlservr", "clickhouse-serv", "influxd", "etcd", "cockroach", "pgbouncer", "proxysql", "maxscale"),
}
"""As the kernel names them: 15 letters."""
GOES_BETWEEN = frozenset({"docker-proxy", "rootlessport", "conmon", "slirp4netns", "pasta", "pasta.avx2"})
"""They hold a port for a container, and their name does not tell what answers."""
UNITS = ("mariadb.service", "mysql.service", "mysqld.service")
_POSTGRESQL = 5432
POSTGRESQL_PROGRAMS = frozenset({"postgres", "postmaster"})
_ASKING = frozenset(
    {"peer", "reject", "scram-sha-256", "md5", "password", "cert", "ldap", "radius", "pam", "bsd", "gss", "sspi"}
    | {"oauth"}
)
_ABSENT = frozenset({"command-missing", "not-gathered"})
"""The host has no such server, or was asked when nobody asked for it yet."""
_GUESSED = frozenset({"empty", "name"})


@check(
    id="db.exposure",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(listening_programs.PROBE, systemd_units.PROBE),
    uses=(
        mysql_accounts.PROBE,
        postgresql_roles.PROBE,
        outside_ports.PROBE,
        nft.PROBE,
        iptables_legacy.PROBE,
        other_ways.PROBE,
    ),
    title=msg("databases listen only where declared, and admit nobody without a name"),
    remedy=msg(
        "Bind the database to loopback (bind-address, listen_addresses), and drop the accounts. For PostgreSQL, set "
        "'scram-sha-256' in pg_hba.conf instead of 'trust', and reload it."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    listening = facts[listening_programs.PROBE]
    if not listening:
        return unknown("nothing-listens", msg("ss lists no listener at all, and nothing confirms that there is none"))
    seen = [one.socket for one in listening if one.socket.port in PORTS or PROGRAMS.intersection(one.programs)]
    declared = set(facts.declared.listeners or ())
    exposed = sorted({one.name for one in seen if not one.is_loopback} - declared)
    if exposed:
        return failed(
            "exposed", msg("undeclared databases that listen beyond loopback: {names}", names=listed(exposed))
        )
    led, perhaps = opened(facts, seen)
    if reached := sorted({one.name for one in led} - declared):
        return failed(
            "led-to-loopback",
            msg(
                "rules of the firewall lead others to databases on loopback, undeclared: {names}", names=listed(reached)
            ),
        )
    world = facts.get(outside_ports.PROBE)
    ports = PORTS | {one.port for one in seen if one.protocol == "tcp"}
    met = frozenset() if isinstance(world, MissingFact) else world.filter_by_state("open") & ports
    if met := met - frozenset(facts.declared.public_ports or ()):
        return failed(
            "open-from-outside",
            msg(
                "ports of databases that are open from outside: {names}",
                names=listed(f"tcp/{each}" for each in sorted(met)),
            ),
        )
    if (bad := _mysql(facts) or _postgresql(facts)) is not None:
        return bad
    ways = facts.get(other_ways.PROBE)
    if isinstance(ways, MissingFact):
        if ways.reason not in _ABSENT:
            return missing(ways)  # sockets that every account may open are not seen
    elif let_in := [f"{path} ({name})" for path, name, state in ways.databases if state == "open"]:
        return failed(
            "socket-open",
            msg("sockets of databases that let in every account without a password: {names}", names=listed(let_in)),
        )
    elif unasked := [f"{path} ({name})" for path, name, state in ways.databases if state == "unasked"]:
        return unknown(
            "socket-unasked",
            msg(
                "every account may open sockets of databases that were not asked for a password: {names}",
                names=listed(unasked),
            ),
        )
    inside = {one.port for one in seen if one.is_loopback}
    if not isinstance(ways, MissingFact) and (relayed := _relayed(ways.relays, inside)):
        return unknown(
            "relayed",
            msg("relays that may lead others to databases on loopback: {names}", names=together(relayed)),
        )
    rules = facts.get(nft.PROBE)
    if isinstance(rules, MissingFact) and rules.reason not in _ABSENT and any(one.is_loopback for one in seen):
        return missing(rules)  # it may lead others to loopback
    if unclear := sorted({one.name for one in perhaps} - declared):
        return unknown(
            "translation-unclear",
            msg(
                "rules of the firewall that change destinations may lead others to ports of loopback: {names}",
                names=listed(unclear),
            ),
        )
    hidden = {
        one.socket.name
        for one in listening
        if one.socket.protocol == "tcp" and not one.socket.is_loopback and GOES_BETWEEN.issuperset(one.programs)
    }
    if unnamed := sorted(hidden - declared):
        return unknown(
            "program-unseen",
            msg("ports that may belong to a database, as no program is named: {names}", names=listed(unnamed)),
        )
    names = listed(sorted({one.name for one in seen})) or "-"
    if not (asked := _asked(facts)):
        return passed(msg("ports of databases, on loopback or declared: {names}", names=names))
    return passed(
        msg(
            "ports of databases, on loopback or declared: {names}; accounts that ask for a password or a socket: {accounts}",
            names=names,
            accounts=listed(asked),
        )
    )


def _relayed(relays: Iterable[tuple[str, int]], inside: Collection[int]) -> list[Message]:
    """Return the relays that lead to a database, each with where to."""
    return [
        msg("{relay} to tcp/{port}", relay=relay, port=port) if port else msg("{relay} to a socket", relay=relay)
        for relay, port in sorted(set(relays))
        if not port or port in inside
    ]


def _asked(facts: Facts) -> list[str]:
    """Return the accounts that were looked at, the servers' own among them."""
    accounts, roles = facts.get(mysql_accounts.PROBE), facts.get(postgresql_roles.PROBE)
    mysql = () if isinstance(accounts, MissingFact) else accounts.accounts
    postgresql = () if isinstance(roles, MissingFact) else roles.roles
    return [f"{one.user}@{one.host}" for one in mysql if one.host] + [one.name for one in postgresql]


def _may_run(fact: MissingFact) -> bool:
    """Say whether a server may run of which nothing is known: one that runs and cannot be asked, or whose answer is lost."""
    if fact.reason == "command-failed":
        return UNASKED in str(fact.seen)
    return fact.reason not in _ABSENT


def _runs(facts: Facts, port: int, programs: frozenset[str], units: tuple[str, ...]) -> bool:
    known = facts[systemd_units.PROBE]
    return any(
        one.socket.port == port or programs.intersection(one.programs) for one in facts[listening_programs.PROBE]
    ) or any(known[name].is_active for name in known if name.startswith(units))


def _mysql(facts: Facts) -> CheckOutcome | None:
    """Judge the accounts of MariaDB or MySQL, if there is one."""
    found = facts.get(mysql_accounts.PROBE)
    if isinstance(found, MissingFact):
        is_there = _may_run(found) or _runs(facts, MYSQL, MYSQL_PROGRAMS, UNITS)
        return missing(found) if is_there else None
    if found.is_unguarded:
        return failed("account-open", msg("the database server asks nobody for a name or a password"))
    if any(one.user == "PUBLIC" and not one.host and one.might == "admin" for one in found.accounts):
        return failed("public-admin", msg("every account of the database server has all rights, by a grant to PUBLIC"))
    is_networked = any(_is_open(one) for one in facts[listening_programs.PROBE])
    bad = [
        f"{one.user or '-'}@{one.host}" for one in found.accounts if _admits_too_many(one, is_networked=is_networked)
    ]
    if bad:
        return failed("account-open", msg("database accounts that admit too many: {names}", names=listed(bad)))
    if found.is_unread:
        return unknown(
            "memory-unread",
            msg("the running database server did not tell by which accounts it goes, beside its tables"),
        )
    if found.starts:
        return unknown(
            "starts-not-understood",
            msg("what the database server runs at each start may let others in: {names}", names=listed(found.starts)),
        )
    return _server_unasked(found)


def _is_open(one: Listening) -> bool:
    return not one.socket.is_loopback and (one.socket.port == MYSQL or bool(MYSQL_PROGRAMS.intersection(one.programs)))


def _admits_too_many(one: MysqlAccount, *, is_networked: bool) -> bool:
    if one.way in {"locked", "role"} or not one.host:
        return False
    if not one.user:
        return True
    is_everywhere = "%" in one.host or "_" in one.host
    if one.way in {"none", "name"}:
        return one.might != "none" or is_everywhere
    if one.way == "socket":
        return False
    if one.way == "other" and one.might == "admin":
        return True
    return (one.user == "root" and not one.is_local) or (one.might == "admin" and one.host == "%" and is_networked)


def _server_unasked(found: MysqlAccounts) -> CheckOutcome | None:
    if found.servers > 1:
        return unknown(
            "server-unasked",
            msg("one of {n} database servers on the host was asked for its accounts", n=found.servers),
        )
    return None


def _postgresql(facts: Facts) -> CheckOutcome | None:
    """Judge whom PostgreSQL lets in without a password, if there is one."""
    found = facts.get(postgresql_roles.PROBE)
    if isinstance(found, MissingFact):
        is_there = _may_run(found) or _runs(facts, _POSTGRESQL, POSTGRESQL_PROGRAMS, ("postgresql@",))
        return missing(found) if is_there else None
    if bad := sorted(_let_in(found)):
        return failed(
            "no-password-asked", msg("database roles that get in without a password: {names}", names=listed(bad))
        )
    if not found.servers or any(one.is_stale or one.is_broken for one in found.servers):
        return unknown(
            "rules-not-loaded", msg("the file of PostgreSQL's access rules is not what the server has loaded")
        )
    if mapped := sorted({one.rule.mapping for server in found.servers for one in server.admitted if one.rule.mapping}):
        return unknown(
            "map-unread", msg("whom PostgreSQL's map of names lets in was not read: {names}", names=listed(mapped))
        )
    if found.running > len(found.servers):
        return unknown(
            "server-unasked",
            msg(
                "{asked} of {n} PostgreSQL servers on the host were asked for their roles",
                n=found.running,
                asked=len(found.servers),
            ),
        )
    return None


def _let_in(found: PostgresqlRoles) -> set[str]:
    kept = {(one.server, one.name): one.kept for one in found.roles}
    return {
        f"{one.role} ({one.place}, {one.rule.method})"
        for server in found.servers
        for one in server.admitted
        if one.rule.method not in _ASKING
        or (kept[server.name, one.role] in _GUESSED and one.rule.method in {"md5", "password"})
    }
