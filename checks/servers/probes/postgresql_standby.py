"""How a PostgreSQL server stands in its cluster: whether it follows or leads, how far it is, and who follows it.

One question to the server, over its local socket, by the account's own role, which needs `pg_monitor`. A role without it
sees no state of others and may not list the log's folder: then nothing is known. Sources: the PostgreSQL manual, "System
Administration Functions" and "The Cumulative Statistics System". PostgreSQL 15.20 that leads:

    {"version" : 150020, "recovery" : false, "timeline" : 1, "lsn" : "0/3000EA8", "receivers" : null, ...}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

_QUESTION = (
    "select json_build_object("
    "'version', current_setting('server_version_num')::int, 'recovery', pg_is_in_recovery(),"
    " 'system', (select system_identifier::text from pg_control_system()),"
    " 'timeline', (select timeline_id from pg_control_checkpoint()),"
    " 'lsn', case when not pg_is_in_recovery() then pg_current_wal_lsn() end,"
    " 'replayed', pg_last_wal_replay_lsn(),"
    " 'receivers', (select json_agg(status) from pg_stat_wal_receiver),"
    " 'replicas', (select json_agg(state) from pg_stat_replication),"
    " 'switched', (select json_agg(extract(epoch from modification)::bigint) from pg_ls_waldir()"
    " where name ~ '^[0-9A-F]{8}.history$'))"
)
_LSN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """One server of a cluster."""

    follows: bool
    """It takes what another server writes, and can't be written to."""
    system: str
    """The cluster's number: the same on the primary and on all that follow it."""
    timeline: int
    """One more for each time that a server that followed began to lead; of the newest checkpoint."""
    position: int | None
    """In the log, in bytes: what the primary has written, or what the one that follows has replayed; None if nothing."""
    is_receiving: bool
    """It follows, and the stream from the primary is open."""
    streaming: int
    """How many others follow it over an open stream."""
    switched_at: datetime | None
    """When the newest timeline but the first began, as this server's files have it; None if there was no other."""


def parse(output: Output) -> ClusterMember:
    """Read the one line of JSON."""
    try:
        said = cast("Mapping[str, object]", read_json(output.text))
        replicas = cast("Sequence[str | None]", said["replicas"] or ())
        receivers = cast("Sequence[str | None]", said["receivers"] or ())
        switched = [int(at) for at in cast("Sequence[int]", said["switched"] or ())]
        follows, timeline, system = said["recovery"], said["timeline"], said["system"]
        position = _position(said["replayed"] if follows else said["lsn"])
        switched_at = datetime.fromtimestamp(max(switched), UTC) if switched else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise Unparseable(msg("PostgreSQL's answer cannot be parsed")) from error
    if not isinstance(follows, bool) or not isinstance(timeline, int) or not isinstance(system, str) or not system:
        raise Unparseable(msg("PostgreSQL's answer cannot be parsed"))
    if None in replicas or None in receivers:
        raise Unparseable(msg("the role cannot see the standbys: it lacks pg_monitor"), reason="no-right")
    return ClusterMember(
        follows,
        system,
        timeline,
        position,
        follows and "streaming" in receivers,
        sum(state == "streaming" for state in replicas),
        switched_at,
    )


def _position(lsn: object) -> int | None:
    if lsn is None:
        return None
    high, low = cast("re.Match[str]", _LSN.fullmatch(cast("str", lsn))).groups()
    return (int(high, 16) << 32) + int(low, 16)


PROBE = Probe("ha.postgresql", ("psql", "-d", "postgres", "-wXAtqc", _QUESTION), parse, form=JSON)
