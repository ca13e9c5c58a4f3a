"""PostgreSQL asks those who connect from elsewhere in a way that gives away no password, and can start with its rules.

A password that crosses a network in the clear belongs to everybody on the way, and an old MD5 answer can be guessed from what
was overheard. Article 12.4.

The rule: of the lines of pg_hba.conf, the first that fits decides how a role gets in from another machine. `password`, `ldap`,
`radius`, `pam` and `bsd` hand the password itself to the server, so they are for encrypted connections alone, as
`hostssl` makes them; so is `md5` where the role's password is kept as MD5. Where it is kept as SCRAM, `md5` asks by SCRAM.
No role with all rights gets in from a network wider than /8, or /16 of IPv6. A role that has no password is let in by no rule that asks for one.

A file with a line that PostgreSQL cannot read fails: the server keeps to its older rules, and does not start again. Where the
file or one that it includes is newer than what the server loaded, or a server was not asked, it is unknown. Rules that ask for
nothing, such as `trust` and `ident`, are judged by `db.exposure`. A host on which no process of PostgreSQL runs passes.

Sources: the PostgreSQL manual, "The pg_hba.conf File", "Password Authentication", "pg_hba_file_rules". PostgreSQL 15.20:

    {"line" : 3, "type" : "host", "database" : ["all"], "user" : ["all"], "address" : "10.0.0.0", "method" : "md5", ...}
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.db.not_exposed import POSTGRESQL_PROGRAMS
from checks.servers.facts import Facts
from checks.servers.hba import Admission
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import postgresql_roles, processes
from checks.servers.probes.postgresql_roles import LoginRole, PostgresqlRoles
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_HANDS_OVER = frozenset({"password", "ldap", "radius", "pam", "bsd"})
"""Methods by which the server gets the password itself."""
_KEPT = frozenset({"password", "md5", "scram-sha-256"})
"""Methods that compare with the role's own password."""


@check(
    id="db.pg-hba",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(processes.PROBE,),
    uses=(postgresql_roles.PROBE,),
    title=msg("PostgreSQL asks for passwords from elsewhere only in a guarded way"),
    remedy=msg(
        "Write 'hostssl' and 'scram-sha-256' in pg_hba.conf, set the role's password anew with password_encryption 'scram-sha-256', name "
        "the addresses, and run 'SELECT pg_reload_conf()'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts.get(postgresql_roles.PROBE)
    if isinstance(found, MissingFact):
        is_none = found.reason == COMMAND_MISSING and not facts[processes.PROBE] & POSTGRESQL_PROGRAMS
        return passed(msg("no PostgreSQL server runs here")) if is_none else missing(found)
    if broken := sorted(one.name for one in found.servers if one.is_broken):
        return failed(
            "rules-broken",
            msg(
                "PostgreSQL cannot read its file of access rules and would not start with it: port {ports}",
                ports=listed(broken),
            ),
        )
    ways = list(_ways(found))
    if bad := sorted({_name(one) for one, role in ways if _is_overheard(one, role)}):
        return failed(
            "password-overheard", msg("passwords that can be overheard on the network: {names}", names=listed(bad))
        )
    if bad := sorted({_name(one) for one, role in ways if role.is_admin and one.is_from_anywhere}):
        return failed(
            "admin-from-anywhere",
            msg("roles with all rights that get in from all over the world: {names}", names=listed(bad)),
        )
    if not found.servers or any(one.is_stale for one in found.servers):
        return unknown(
            "rules-not-loaded", msg("the file of PostgreSQL's access rules is not what the server has loaded")
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
    return passed(
        nmsg(
            "{n} server of PostgreSQL; from elsewhere get in: {names}",
            "{n} servers of PostgreSQL; from elsewhere get in: {names}",
            len(found.servers),
            names=listed(sorted({_name(one) for one, _role in ways})) or "-",
        )
    )


def _ways(found: PostgresqlRoles) -> Iterator[tuple[Admission, LoginRole]]:
    """Yield what lets a role in from another machine, with the role."""
    roles = {(one.server, one.name): one for one in found.roles}
    for server in found.servers:
        for one in server.admitted if server.is_networked else ():
            role = roles[server.name, one.role]
            has_password = role.kept != "none" and not (one.rule.method == "scram-sha-256" and role.kept == "md5")
            if one.is_from_elsewhere and one.rule.method != "reject" and (one.rule.method not in _KEPT or has_password):
                yield one, role


def _is_overheard(one: Admission, role: LoginRole) -> bool:
    is_weak = one.rule.method == "md5" and role.kept not in {"scram", "none"}
    return one.transport == "plain" and (one.rule.method in _HANDS_OVER or is_weak)


def _name(one: Admission) -> str:
    return f"{one.role} ({one.place}, {one.rule.kind} {one.rule.method})"
