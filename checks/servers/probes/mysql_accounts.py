"""The accounts of MariaDB or MySQL, by name and by where they may log in from, with what they may; never their passwords. Needs root.

Of a password it is said whether one, or none, opens the account: no hash leaves the server. A server that keeps its accounts
in another form than MariaDB 10.4 and MySQL 5.7 do is asked for names alone. A host with neither a server's program nor its
data nor such a process, be it in a container, has no server. Sources: the MariaDB manual, "mysql.global_priv";
the MySQL manual, "Grant Tables"; the server lets root of the host in over its socket, as shipped.

    root	localhost	admin	socket
    portal	192.0.2.20	plain	password
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_MIGHT = "if(u.super_priv = 'Y' or (u.create_user_priv = 'Y' and u.grant_priv = 'Y'), 'admin', 'plain')"
_MARIADB = """
select u.user, u.host, MIGHT, case
 when u.is_role = 'Y' then 'role'
 when json_value(p.priv, '$.account_locked') in ('1', 'true') then 'locked'
 when json_value(p.priv, '$.plugin') = 'unix_socket' and json_extract(p.priv, '$.auth_or') is null then 'socket'
 when json_value(p.priv, '$.authentication_string') = 'invalid' then if(p.priv like '%unix_socket%', 'socket', 'locked')
 else 'password' end
from mysql.user u join mysql.global_priv p on p.user = u.user and p.host = u.host
"""
_MYSQL = """
select u.user, u.host, MIGHT, case when u.account_locked = 'Y' then 'locked' when u.plugin = 'auth_socket' then 'socket'
 else 'password' end from mysql.user u
"""
_SCRIPT = r"""
none() {
  ! grep -qxs -e mysqld -e mariadbd /proc/[0-9]*/comm || { echo 'a server runs, and cannot be asked' >&2; exit 2; }
  exit 127
}
command -v mariadb >/dev/null || command -v mysql >/dev/null || none
c=mysql
command -v mariadb >/dev/null && c=mariadb
"$c" -N -B -e MARIADB 2>/dev/null || "$c" -N -B -e MYSQL 2>/dev/null || "$c" -N -B -e 'select user, host from mysql.user' || {
  rc=$?
  for p in /var/lib/mysql/mysql /usr/sbin/mysqld /usr/sbin/mariadbd /usr/libexec/mysqld /usr/libexec/mariadbd; do
    [ ! -e "$p" ] || exit $rc
  done
  none
}
echo end
"""
for _name, _query in (("MARIADB", _MARIADB), ("MYSQL", _MYSQL)):
    _SCRIPT = _SCRIPT.replace(_name, shlex.quote(" ".join(_query.replace("MIGHT", _MIGHT).split())), 1)
_WAYS = frozenset({"role", "locked", "socket", "password"})
_FIELDS = 3
"""Of a line, behind the account's name."""


@dataclass(frozen=True, slots=True)
class MysqlAccount:
    """One account."""

    user: str
    """Empty: anyone."""
    host: str
    """`%` is everywhere; empty for a role."""
    might: str = ""
    """`admin`: it may do everything, or give itself the right to; `plain`; empty where the server did not say."""
    way: str = ""
    """`password`, also an empty one; `socket`: the host's account of that name alone; `locked`; `role`; empty as before."""

    @property
    def is_local(self) -> bool:
        return self.host in {"localhost", "127.0.0.1", "::1"}


def parse(output: Output) -> tuple[MysqlAccount, ...]:
    """Read one account a line."""
    lines = output.text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[-1].strip() != "end" or len(lines) < 2:
        raise Unparseable(msg("the list of database accounts is cut short"))
    found = []
    for line in lines[:-1]:
        user, *fields = line.split("\t")
        if len(fields) == 1:
            fields += ["", ""]
        elif len(fields) != _FIELDS or fields[1] not in {"admin", "plain"} or fields[2] not in _WAYS:
            raise Unparseable(msg("the database printed a line that cannot be parsed: {line}", line=shown(line, 60)))
        found.append(MysqlAccount(shown(user, 60), shown(fields[0], 60), *fields[1:]))
    return tuple(found)


PROBE = Probe("db.mysql-accounts", ("sh", "-c", _SCRIPT), parse, needs_root=True)
