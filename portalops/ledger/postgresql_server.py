"""What a ledger's database server and this account are like: asked in one trip, and judged by who asks.

read_server(connection).excess  ->  ("superuser",): the account could change records, and no trace of it would be left
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

from portalops.ledger.postgresql_tables import SCHEMA

_ASKED = f"""
SELECT current_setting('server_version_num')::int, current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
  current_setting('synchronous_commit'), pg_is_in_recovery(), clock_timestamp(), current_user,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
  EXISTS (SELECT FROM pg_extension WHERE extname = 'amcheck'),
  (SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('{SCHEMA}.record'::regclass, '{SCHEMA}.tail'::regclass)
    AND tgname IN ('record_kept', 'record_not_emptied', 'tail_kept') AND tgenabled IN ('O', 'A')),
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  -- Also a role whose rights it does not have by itself: SET ROLE takes them.
  (SELECT bool_or(pg_has_role(relowner, 'MEMBER')) FROM pg_class
    WHERE oid IN ('{SCHEMA}.record'::regclass, '{SCHEMA}.tail'::regclass, '{SCHEMA}.blob'::regclass)),
  ARRAY(SELECT held FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) held
    WHERE EXISTS (SELECT FROM unnest(ARRAY['{SCHEMA}.record', '{SCHEMA}.tail', '{SCHEMA}.blob']::regclass[]) AS of(held_on)
      WHERE CASE WHEN held IN ('INSERT', 'UPDATE') THEN has_any_column_privilege(held_on, held)
        ELSE has_table_privilege(held_on, held) END)),
  has_schema_privilege('{SCHEMA}', 'CREATE')
"""
_GUARDS = 3
"""Triggers that refuse every change of a record, by any account."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """A database server as one account sees it."""

    version: int
    """As PostgreSQL counts: 150004 is 15.4."""
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    """`on`, `off`, `local`, ..., as it is for this account."""
    is_standby: bool
    now: datetime
    account: str
    free_connections: int
    has_amcheck: bool
    is_guarded: bool
    """No statement changes or deletes a record."""
    excess: tuple[str, ...]
    """By what this account could change records without a trace, in PostgreSQL's words: `superuser`, `owner`, `UPDATE`, ..."""

    @property
    def is_durable(self) -> bool:
        """Whether what was appended is still there after the server's machine lost its power."""
        return self.fsync and self.full_page_writes and self.synchronous_commit != "off"


def read_server(connection: psycopg.Connection) -> ServerState:
    """Ask the server; an account that may read the ledger may ask all of it."""
    row = connection.execute(_ASKED).fetchone()
    assert row is not None
    *plain, guards, is_super, is_owner, privileges, may_create = row
    version, fsync, pages, commit, standby, now, account, free, amcheck = plain
    excess = ("superuser",) if is_super else (*(("owner",) if is_owner else ()), *privileges)
    if may_create and not is_super and not is_owner:
        # Functions of its own beside those that run with the owner's rights; or the schema is its own.
        excess = (*excess, "CREATE")
    return ServerState(version, fsync, pages, commit, standby, now, account, free, amcheck, guards == _GUARDS, excess)
