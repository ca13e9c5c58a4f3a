"""The accounts of MariaDB or MySQL, by name and by where they may log in from; never their passwords. Needs root.

Source: the MariaDB manual, "mysql.user"; the server lets root of the host in over its socket, as shipped.

    root	localhost
    portal	192.0.2.20
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v mariadb >/dev/null || command -v mysql >/dev/null || exit 127
c=mysql
command -v mariadb >/dev/null && c=mariadb
"$c" -N -B -e 'select user, host from mysql.user' || exit $?
echo end
"""


@dataclass(frozen=True, slots=True)
class Account:
    """One account."""

    user: str
    """Empty: anyone."""
    host: str
    """`%` is everywhere; empty for a role."""

    @property
    def is_local(self) -> bool:
        return self.host in {"localhost", "127.0.0.1", "::1"}


def parse(output: Output) -> tuple[Account, ...]:
    """Read one account a line."""
    lines = output.text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[-1].strip() != "end" or len(lines) < 2:
        raise Unparseable(msg("the list of database accounts broke off"))
    found = []
    for line in lines[:-1]:
        user, tab, host = line.partition("\t")
        if not tab:
            raise Unparseable(msg("the database printed a line of unknown form: {line}", line=shown(line, 60)))
        found.append(Account(shown(user, 60), shown(host, 60)))
    return tuple(found)


PROBE = Probe("db.mysql-accounts", ("sh", "-c", _SCRIPT), parse, needs_root=True)
