"""Tables of the databases on the host, by a digest of how each is made; what is in them is not looked at."""

from __future__ import annotations

from collections.abc import Mapping

from checks.servers.drift._kind import HostView, Kind, compare_states, unless_there_is_none
from checks.servers.probe import MissingFact
from checks.servers.probes import schema_mysql, schema_postgresql
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the digest by server and table; nothing for a server that the host does not have."""
    found: dict[str, str] = {}
    for server, probe in (("postgresql", schema_postgresql.PROBE), ("mysql", schema_mysql.PROBE)):
        tables = unless_there_is_none(look, probe)
        if isinstance(tables, MissingFact):
            return tables
        found |= {f"{server} {name}": digest for name, digest in (tables or {}).items()}
    return found


KIND = Kind(
    "schema", msg("database table"), (schema_postgresql.PROBE, schema_mysql.PROBE), compare_states(state), state
)
