"""Databases listen on loopback or where it is declared, and let nobody in from anywhere without a name.

A database that the internet can reach is tried within minutes, and holds all that the portal knows. Article 12.4 asks for
security mechanisms.

The rule: no port of a database (MariaDB, MySQL, PostgreSQL, MongoDB, Redis, Memcached, Elasticsearch, Oracle, SQL Server),
and no program of one on whatever port, listens on more than loopback, unless it is among the declared listeners; and where
there is an outside scan of the host, none of these ports is open there, unless it is declared public. Behind a port that is
not declared and that no program of this host holds by name, such as that of a container, a database may be: that is
unknown. Where MariaDB or MySQL listens or runs, it has no account without a name, and none called root that may log in from
elsewhere. If its accounts can't be read it is unknown, and so it is where nothing at all seems to listen, as in a host
whose sockets are hidden.

Sources: ss(8); the MariaDB manual, "mysql.user". Debian 13:

    tcp LISTEN 0      80     127.0.0.1:3306 0.0.0.0:* users:(("mariadbd",pid=50,fd=26))
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import listening_programs, mysql_accounts, outside_ports, systemd_units
from checks.servers.wording import listed
from portalops.model.message import msg
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


@check(
    id="db.exposure",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(listening_programs.PROBE, systemd_units.PROBE),
    uses=(mysql_accounts.PROBE, outside_ports.PROBE),
    title=msg("databases listen only where declared, and admit nobody without a name"),
    remedy=msg("Bind the database to loopback (bind-address, listen_addresses), and drop the accounts."),
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
    units = facts[systemd_units.PROBE]
    is_mysql = any(one.socket.port == MYSQL or MYSQL_PROGRAMS.intersection(one.programs) for one in listening)
    if is_mysql or any(name in units and units[name].is_active for name in UNITS):
        accounts = facts.get(mysql_accounts.PROBE)
        if isinstance(accounts, MissingFact):
            return missing(accounts)
        bad = [f"-@{one.host}" for one in accounts if one.host and not one.user]
        bad += [f"{one.user}@{one.host}" for one in accounts if one.user == "root" and one.host and not one.is_local]
        if bad:
            return failed("account-open", msg("database accounts that admit too many: {names}", names=listed(bad)))
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
    return passed(
        msg(
            "ports of databases, on loopback or declared: {names}",
            names=listed(sorted({one.name for one in seen})) or "-",
        )
    )
