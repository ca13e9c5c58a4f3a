"""How MariaDB or MySQL follows its primary: `SHOW ALL REPLICAS STATUS`, one line a value, as the MariaDB manual has it.

It is asked over the local socket, by the account's own user, which needs the right to see the state of replication. A server
that follows nobody prints no row. Names are older (`Slave_IO_Running`) or newer (`Replica_IO_Running`), by version.

    Slave_IO_Running: Yes
    Slave_SQL_Running: Yes
    Seconds_Behind_Master: 0
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v mariadb >/dev/null || command -v mysql >/dev/null || exit 127
if command -v mariadb >/dev/null; then
  mariadb -E -e 'SELECT @@read_only AS Is_Read_Only; SHOW ALL SLAVES STATUS' || exit $?
else
  mysql -E -e 'SELECT @@read_only AS Is_Read_Only; SHOW REPLICA STATUS' || exit $?
fi
echo end
"""
_ROW = re.compile(r"\*{20,} \d+\. row \*{20,}")
_VALUE = re.compile(r" *([A-Za-z_]+):(?: (.*))?$")


@dataclass(frozen=True, slots=True)
class Following:
    """One primary that the server follows."""

    reads: bool
    """It fetches what the primary writes (the IO thread)."""
    applies: bool
    """It applies what it fetched (the SQL thread)."""
    seconds_behind: int | None
    """None: the server itself does not know, as where the link is cut."""
    problem: str
    """The last error that the server tells; empty if none."""


@dataclass(frozen=True, slots=True)
class Replication:
    """What one server follows."""

    read_only: bool
    """Nobody but an administrator can write to it."""
    follows: tuple[Following, ...]


def parse(output: Output) -> Replication:
    """Read each row's values."""
    lines = output.lines()
    if not lines or lines[-1].strip() != "end":
        raise Unparseable(msg("the state of replication is cut short"))
    rows: list[dict[str, str]] = []
    for line in lines[:-1]:
        if _ROW.match(line):
            rows.append({})
        elif rows and (match := _VALUE.match(line)):
            # NOTE: an error's text may hold lines of its own; it can't take the place of a value that stands before it.
            rows[-1].setdefault(_older(match[1]), match[2] or "")
    if not rows or rows[0].get("Is_Read_Only") not in {"0", "1"}:
        raise Unparseable(msg("the server's answer cannot be parsed"))
    return Replication(rows[0]["Is_Read_Only"] == "1", tuple(_following(row) for row in rows[1:]))


def _older(name: str) -> str:
    return name.replace("Replica_", "Slave_").replace("Source", "Master")


def _following(row: dict[str, str]) -> Following:
    try:
        reads, applies, behind = row["Slave_IO_Running"], row["Slave_SQL_Running"], row["Seconds_Behind_Master"]
        seconds = None if behind == "NULL" else int(behind)
    except (KeyError, ValueError) as error:
        raise Unparseable(msg("the state of replication cannot be parsed")) from error
    return Following(
        reads == "Yes", applies == "Yes", seconds, shown(row.get("Last_IO_Error") or row.get("Last_SQL_Error", ""))
    )


PROBE = Probe("ha.mysql", ("sh", "-c", _SCRIPT), parse)
