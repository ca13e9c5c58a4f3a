"""The tables of a ledger in a PostgreSQL database, by version: one schema of its own, made once by who owns it.

A row is a number and a line, as in the file of one machine (`tables.py`). PostgreSQL 15 cannot compute columns when they are
read, so `kind`, `run` and `body` are stored, each generated out of the line: no statement can make one say anything else, and
verification checks that they still are.

Nobody inserts into `record` or changes `tail`, also not who appends: that is done by one function, which runs with its
owner's rights and takes a record only where it follows from the newest. Who reads, who appends and who removes erased
details are three roles without a login, which accounts are made members of.
"""

from __future__ import annotations

from portalops.model.record import FINISHED, STARTED

SCHEMA_VERSION = 1
"""Of the tables, in `about`."""

SCHEMA = "portalops"

READER, WRITER, PRUNER = "portalops_reader", "portalops_writer", "portalops_pruner"
"""Roles without a login: who reads and verifies, who appends too, who removes details after their erasure was recorded."""

APPEND_LOCK = 0x504F4C47
""""POLG": the advisory lock of who appends (PostgreSQL, 13.3.5)."""

_IS_FRAME = f"kind LIKE '%{STARTED}' OR kind LIKE '%{FINISHED}'"


def _from_json(key: str) -> str:
    return f"{key} text COLLATE \"C\" NOT NULL GENERATED ALWAYS AS (line::jsonb ->> '{key}') STORED"


GENERATED = {
    "kind": "((line)::jsonb ->> 'kind'::text)",
    "run": "((line)::jsonb ->> 'run'::text)",
    "body": "((line)::jsonb ->> 'body'::text)",
}
"""What the database itself says of the generated columns (`pg_get_expr`), in every version since 12."""

ROLES = tuple(
    f"DO $$BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$"
    for role in (READER, WRITER, PRUNER)
)
"""Makes the roles, which all databases of a server share."""

OLDEST_SERVER = 130000
"""As PostgreSQL counts its versions: 13. Older ones get no fixes any more."""

UNFIT = "PO002"
"""The code with which a database says that it cannot hold a ledger."""

_FIT = f"""DO $$BEGIN
  IF current_setting('server_version_num')::int < {OLDEST_SERVER} THEN
    RAISE EXCEPTION 'the server is of version %', current_setting('server_version') USING ERRCODE = '{UNFIT}';
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'its encoding is %', current_setting('server_encoding') USING ERRCODE = '{UNFIT}';
  END IF;
END$$"""

MAKE = (
    _FIT,
    *ROLES,
    "CREATE EXTENSION IF NOT EXISTS amcheck",  # by which verification looks whether an index hides a record
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    f"CREATE TABLE {SCHEMA}.about (one integer PRIMARY KEY CHECK (one = 1), format integer NOT NULL)",
    f"""CREATE TABLE {SCHEMA}.record (
  seq bigint PRIMARY KEY,
  line text COLLATE "C" NOT NULL,
  {_from_json("kind")},
  {_from_json("run")},
  {_from_json("body")})""",
    f"CREATE INDEX record_kind ON {SCHEMA}.record (kind, seq)",
    f"CREATE UNIQUE INDEX record_run ON {SCHEMA}.record (run, kind, (CASE WHEN {_IS_FRAME} THEN 0 ELSE seq END)) WHERE run <> ''",
    f"CREATE TABLE {SCHEMA}.tail (one integer PRIMARY KEY CHECK (one = 1), size bigint NOT NULL, head text NOT NULL)",
    f'CREATE TABLE {SCHEMA}.blob (digest text COLLATE "C" PRIMARY KEY, data bytea NOT NULL)',
    f"ALTER TABLE {SCHEMA}.blob ALTER COLUMN data SET STORAGE EXTERNAL",  # it is compressed already
    f"""CREATE FUNCTION {SCHEMA}.never() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'a record is never changed or deleted'; END$$""",
    f"CREATE TRIGGER record_kept BEFORE UPDATE OR DELETE ON {SCHEMA}.record FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.never()",
    f"CREATE TRIGGER record_not_emptied BEFORE TRUNCATE ON {SCHEMA}.record FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.never()",
    f"CREATE TRIGGER tail_kept BEFORE DELETE ON {SCHEMA}.tail FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.never()",
    # `line` names what it follows by digest and number, so a line that does not follow is refused by the database too.
    f"""CREATE FUNCTION {SCHEMA}.append(first bigint, lines text[], OUT head text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {SCHEMA}, pg_temp AS $$
DECLARE newest bigint; next_line text; place bigint := first;
BEGIN
  PERFORM pg_advisory_xact_lock({APPEND_LOCK});
  SELECT tail.size, tail.head INTO newest, head FROM tail;
  IF coalesce(newest, 0) <> first - 1 THEN
    RAISE EXCEPTION 'record % does not follow record %', first, coalesce(newest, 0) USING ERRCODE = 'PO001';
  END IF;
  head := coalesce(head, repeat('0', 64));
  FOREACH next_line IN ARRAY lines LOOP
    IF next_line::json ->> 'prev' IS DISTINCT FROM head OR (next_line::json ->> 'seq')::bigint IS DISTINCT FROM place THEN
      RAISE EXCEPTION 'record % does not follow from the one before', place USING ERRCODE = 'PO001';
    END IF;
    INSERT INTO record (seq, line) VALUES (place, next_line);
    head := encode(sha256(convert_to(next_line, 'UTF8')), 'hex');
    place := place + 1;
  END LOOP;
  INSERT INTO tail VALUES (1, place - 1, head) ON CONFLICT (one) DO UPDATE SET size = excluded.size, head = excluded.head;
END$$""",
    f"""CREATE FUNCTION {SCHEMA}.keep(digest text, data bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = {SCHEMA}, pg_temp AS
$$INSERT INTO blob VALUES (digest, data) ON CONFLICT (digest) DO NOTHING$$""",
    f"""CREATE FUNCTION {SCHEMA}.remove(which text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = {SCHEMA}, pg_temp AS $$DELETE FROM blob WHERE digest = which$$""",
    f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC",
    f"INSERT INTO {SCHEMA}.about VALUES (1, {SCHEMA_VERSION})",
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
    f"GRANT EXECUTE ON FUNCTION {SCHEMA}.append(bigint, text[]), {SCHEMA}.keep(text, bytea) TO {WRITER}",
    f"GRANT EXECUTE ON FUNCTION {SCHEMA}.remove(text) TO {PRUNER}",
    f"GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {READER}, {WRITER}, {PRUNER}",
)
"""Makes a new ledger's tables, in one transaction."""


def script() -> str:
    """Return the statements as one script for psql, which makes all or nothing."""
    return "\n".join(("\\set ON_ERROR_STOP on", "BEGIN;", *(f"{statement};" for statement in MAKE), "COMMIT;"))
