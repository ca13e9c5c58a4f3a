"""The tables of a ledger in a PostgreSQL database, by version: one schema of its own, made once by who owns it.

A row is a number and a line, as in the file of one machine (`tables.py`). PostgreSQL 15 cannot compute columns when they are
read, so `kind`, `run` and `body` are stored, each generated out of the line: no statement can make one say anything else, and
verification checks that they still are.

Nobody inserts into `record`, `blob` or `lock` or changes `tail`, also not who appends: functions do that, which run with
their owner's rights. They take a record only in the one form of docs/ledger-format.md and where it follows from the newest,
details only under their own digest, and remove details only behind the record of their erasure; where a record of a kind
that is never erased names them, only for the owner. Whoever appends waits
for the row of `tail`, which only who may append can lock; an advisory lock, which everybody can take, delays nobody.
Who reads, who appends and who removes erased details are three roles without a login, which accounts are made members of.
"""

from __future__ import annotations

from portalops.ledger.record import CREATED, GENESIS, MAX_TEXT
from portalops.model.record import FINISHED, STARTED
from portalops.registers.erasures import ERASED, INERASABLE
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED

SCHEMA_VERSION = 2
"""Of the tables, in `about`."""

READABLE = (1, SCHEMA_VERSION)
"""The versions that are understood; in the first nothing is appended until it is upgraded."""

SCHEMA = "portalops"

READER, WRITER, PRUNER = "portalops_reader", "portalops_writer", "portalops_pruner"
"""Roles without a login: who reads and verifies, who appends too, who removes details after their erasure was recorded."""

_IS_FRAME = f"kind LIKE '%{STARTED}' OR kind LIKE '%{FINISHED}'"


def _from_json(key: str) -> str:
    return f"{key} text COLLATE \"C\" NOT NULL GENERATED ALWAYS AS (line::jsonb ->> '{key}') STORED"


GENERATED = {
    "kind": "((line)::jsonb ->> 'kind'::text)",
    "run": "((line)::jsonb ->> 'run'::text)",
    "body": "((line)::jsonb ->> 'body'::text)",
}
"""What the database itself says of the generated columns (`pg_get_expr`), in every version since 12."""

AT = "substr(line, 8, 24)"
"""A record's time, at its fixed place in the line; compared by bytes, as all of the line."""

ROLES = tuple(
    f"DO $$BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$"
    for role in (READER, WRITER, PRUNER)
)
"""Makes the roles, which all databases of a server share."""

OLDEST_SERVER = 130000
"""As PostgreSQL counts its versions: 13. Older ones get no fixes any more."""

UNFIT = "PO002"
"""The code with which a database says that it cannot hold a ledger."""

NOT_FOLLOWING, NOT_A_RECORD, NOT_ITS_DIGEST, NOT_ERASED, NEEDED = "PO001", "PO003", "PO004", "PO005", "PO006"
"""The codes of refusals: a record that does not follow, one of another form or moment, details under another digest, a removal
without an erasure, and one of details that a record of a kind in `INERASABLE` names."""

_FIT = f"""DO $$BEGIN
  IF current_setting('server_version_num')::int < {OLDEST_SERVER} THEN
    RAISE EXCEPTION 'the server is of version %', current_setting('server_version') USING ERRCODE = '{UNFIT}';
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'its encoding is %', current_setting('server_encoding') USING ERRCODE = '{UNFIT}';
  END IF;
END$$"""

_STRING = r"((?:[^\"\\\x01-\x1f\x7f]|\\[\"\\])*)"
_LINE = (
    r"""^\{"at":"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z","""
    rf""""body":"[0-9a-f]{{64}}","duty":"{_STRING}","kind":"[a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*","prev":"[0-9a-f]{{64}}","""
    rf""""run":"{_STRING}","seq":[1-9][0-9]{{0,17}},"subject":"{_STRING}","v":1\}}\Z"""
)
"""A record's line (docs/ledger-format.md), as PostgreSQL writes expressions; as strict as `record.parse`, and NFC is asked for besides."""

_RECORD_TABLES = (
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
    f"""CREATE FUNCTION {SCHEMA}.never() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'a record is never changed or deleted'; END$$""",
    f"CREATE TRIGGER record_kept BEFORE UPDATE OR DELETE ON {SCHEMA}.record FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.never()",
    f"CREATE TRIGGER record_not_emptied BEFORE TRUNCATE ON {SCHEMA}.record FOR EACH STATEMENT EXECUTE FUNCTION {SCHEMA}.never()",
    f"CREATE TRIGGER tail_kept BEFORE DELETE ON {SCHEMA}.tail FOR EACH ROW EXECUTE FUNCTION {SCHEMA}.never()",
    f"INSERT INTO {SCHEMA}.about VALUES (1, {SCHEMA_VERSION})",
)

_FUNCTION = f"SECURITY DEFINER SET search_path = {SCHEMA}, pg_temp AS"
_FUNCTIONS = (
    # A row lock lasts until the transaction ends, and takes a right that readers have not.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.hold_tail() RETURNS void LANGUAGE plpgsql {_FUNCTION} $$
BEGIN PERFORM FROM tail FOR UPDATE; END$$""",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.require_form(place bigint, line text) RETURNS void LANGUAGE plpgsql
SET search_path = {SCHEMA}, pg_temp AS $$
DECLARE fields jsonb; at text := substr(line, 8, 24); each text;
BEGIN
  IF line COLLATE "C" !~ $form${_LINE}$form$ THEN
    RAISE EXCEPTION 'record % does not have the format of a record', place USING ERRCODE = '{NOT_A_RECORD}';
  END IF;
  fields := line::jsonb;
  FOREACH each IN ARRAY ARRAY[fields ->> 'run', fields ->> 'subject', fields ->> 'duty', fields ->> 'kind'] LOOP
    IF char_length(each) > {MAX_TEXT} THEN
      RAISE EXCEPTION 'record % holds a text that is too long', place USING ERRCODE = '{NOT_A_RECORD}';
    END IF;
  END LOOP;
  IF at < '0002' OR at >= '9999' OR substr(at, 9, 2)::int > date_part('day', (substr(at, 1, 7) || '-01')::date + interval '1 month - 1 day') THEN
    RAISE EXCEPTION 'record % has a time that does not exist: %', place, at USING ERRCODE = '{NOT_A_RECORD}';
  END IF;
END$$""",
    # What verification would name as a fault, or no portalops writes: what somebody else once appended elsewhere may be so, and be set aside.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.require_new(place bigint, line text, before text) RETURNS void LANGUAGE plpgsql
SET search_path = {SCHEMA}, pg_temp AS $$
DECLARE fields jsonb := line::jsonb; at text := substr(line, 8, 24); each text; recent timestamptz;
BEGIN
  FOREACH each IN ARRAY ARRAY[fields ->> 'run', fields ->> 'subject', fields ->> 'duty'] LOOP
    IF each IS NOT NFC NORMALIZED THEN
      RAISE EXCEPTION 'record % holds a text that is not in the form NFC', place USING ERRCODE = '{NOT_A_RECORD}';
    END IF;
  END LOOP;
  IF fields ->> 'kind' = '{CREATED}' AND place > 1 THEN
    RAISE EXCEPTION 'record % is of a kind that only record 1 has', place USING ERRCODE = '{NOT_A_RECORD}';
  END IF;
  recent := clock_timestamp() - (SELECT about.ahead FROM about);
  IF at COLLATE "C" < before AND (fields ->> 'kind' NOT IN ('{CLOCK_MENDED}', '{QUARANTINED}') OR at::timestamptz < recent AND before::timestamptz >= recent) THEN
    RAISE EXCEPTION 'record % has the time %, earlier than the record before it', place, at USING ERRCODE = '{NOT_A_RECORD}';
  END IF;
  IF at::timestamptz > clock_timestamp() + (SELECT about.ahead FROM about) THEN
    RAISE EXCEPTION 'record % has the time %, which is ahead of the server''s clock', place, at USING ERRCODE = '{NOT_A_RECORD}';
  END IF;
END$$""",
    # `line` names what it follows by digest and number, so a line that does not follow is refused by the database too.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.add_lines(first bigint, lines text[], are_new boolean, OUT head text) LANGUAGE plpgsql
SET search_path = {SCHEMA}, pg_temp AS $$
DECLARE newest bigint; next_line text; place bigint := first; before text;
BEGIN
  SELECT tail.size, tail.head INTO newest, head FROM tail FOR UPDATE;
  IF newest <> first - 1 THEN
    RAISE EXCEPTION 'record % does not follow record %', first, newest USING ERRCODE = '{NOT_FOLLOWING}';
  END IF;
  SELECT substr(line, 8, 24) INTO before FROM record WHERE seq = newest;
  FOREACH next_line IN ARRAY lines LOOP
    PERFORM require_form(place, next_line);
    IF are_new THEN
      PERFORM require_new(place, next_line, before);
    END IF;
    IF next_line::json ->> 'prev' IS DISTINCT FROM head OR (next_line::json ->> 'seq')::bigint IS DISTINCT FROM place THEN
      RAISE EXCEPTION 'record % does not follow from the one before', place USING ERRCODE = '{NOT_FOLLOWING}';
    END IF;
    INSERT INTO record (seq, line) VALUES (place, next_line);
    head := encode(sha256(convert_to(next_line, 'UTF8')), 'hex');
    before := substr(next_line, 8, 24);
    place := place + 1;
  END LOOP;
  UPDATE tail SET size = place - 1, head = add_lines.head;
END$$""",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.append(first bigint, lines text[], OUT head text) LANGUAGE sql {_FUNCTION}
$$SELECT {SCHEMA}.add_lines(first, lines, true)$$""",
    # A ledger comes as it is, all of it in the one transaction that begins it: behind what is there already only its owner brings lines.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.bring(first bigint, lines text[], OUT head text) LANGUAGE plpgsql {_FUNCTION} $$
BEGIN
  PERFORM hold_tail();
  head := add_lines(first, lines, EXISTS (SELECT FROM record WHERE seq = 1 AND xmin <> pg_current_xact_id()::xid)
    AND NOT pg_has_role(session_user, current_user, 'USAGE'));
END$$""",
    # What is there under this digest and is something else goes: these bytes are what the digest says.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.keep(digest text, data bytea) RETURNS void LANGUAGE plpgsql {_FUNCTION} $$
BEGIN
  IF encode(sha256(data), 'hex') IS DISTINCT FROM digest THEN
    RAISE EXCEPTION 'the details do not have the digest %', digest USING ERRCODE = '{NOT_ITS_DIGEST}';
  END IF;
  INSERT INTO blob AS held VALUES (digest, data) ON CONFLICT ON CONSTRAINT blob_pkey DO UPDATE SET data = excluded.data
    WHERE held.data <> excluded.data;
END$$""",
    # Details are what their digest says, or packed, by version 1: PostgreSQL reads only the former.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.said_in(body text) RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = {SCHEMA}, pg_temp AS $$
DECLARE found bytea;
BEGIN
  SELECT data INTO found FROM blob WHERE digest = body AND encode(sha256(data), 'hex') = body;
  RETURN convert_from(found, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception THEN RETURN NULL;
END$$""",
    # PostgreSQL checks no signature, so it cannot tell a stranger's record from one that counts: for all but the tables' owner, who could
    # delete the row anyway, each such record forbids a removal.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.remove(which text) RETURNS void LANGUAGE plpgsql {_FUNCTION} $$
BEGIN
  IF NOT EXISTS (SELECT FROM record WHERE kind = '{ERASED}' AND line::jsonb ->> 'subject' = which
      AND coalesce(said_in(body) #>> '{{erased,digest}}', which) = which) THEN
    RAISE EXCEPTION 'no record says that % was erased', which USING ERRCODE = '{NOT_ERASED}';
  END IF;
  IF NOT pg_has_role(session_user, current_user, 'USAGE')
      AND EXISTS (SELECT FROM record WHERE kind IN ({", ".join(f"'{kind}'" for kind in INERASABLE)}) AND (body = which
      OR jsonb_path_exists(said_in(body), '$.**.evidence ? (@ == $which)', jsonb_build_object('which', which)))) THEN
    RAISE EXCEPTION 'a record needs %, which is never erased', which USING ERRCODE = '{NEEDED}';
  END IF;
  DELETE FROM blob WHERE digest = which;
END$$""",
    # The key of a lock is new each time and belongs to one server process: nobody can have it before, or stand in for that process.
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.is_held(which_key bigint, by_pid integer) RETURNS boolean LANGUAGE sql
SET search_path = {SCHEMA}, pg_temp AS $$
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = by_pid
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid::bigint = (which_key >> 32) & 4294967295 AND objid::bigint = which_key & 4294967295)$$""",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.take_lock(which text, by_holder text, new_key bigint) RETURNS boolean LANGUAGE plpgsql
{_FUNCTION} $$
BEGIN
  INSERT INTO lock AS held VALUES (which, by_holder, new_key, pg_backend_pid()) ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, key = excluded.key, pid = excluded.pid WHERE NOT is_held(held.key, held.pid);
  RETURN FOUND;
END$$""",
    f"""CREATE OR REPLACE FUNCTION {SCHEMA}.release_lock(which_key bigint) RETURNS void LANGUAGE sql {_FUNCTION}
$$DELETE FROM lock WHERE key = which_key AND pid = pg_backend_pid()$$""",
)

_RIGHTS = (
    f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {SCHEMA} FROM PUBLIC",
    f"GRANT USAGE ON SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {READER}, {WRITER}, {PRUNER}",
    f"GRANT EXECUTE ON FUNCTION {SCHEMA}.hold_tail(), {SCHEMA}.append(bigint, text[]),"
    f" {SCHEMA}.bring(bigint, text[]), {SCHEMA}.keep(text, bytea),"
    f" {SCHEMA}.take_lock(text, text, bigint), {SCHEMA}.release_lock(bigint) TO {WRITER}",
    f"GRANT EXECUTE ON FUNCTION {SCHEMA}.is_held(bigint, integer) TO {READER}, {WRITER}, {PRUNER}",
    f"GRANT EXECUTE ON FUNCTION {SCHEMA}.remove(text) TO {PRUNER}",
    f"GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {READER}, {WRITER}, {PRUNER}",
)

UPGRADE = (
    # How far a record's time may be ahead of the server's clock: whoever writes 9998 into a record would stop all others.
    f"ALTER TABLE {SCHEMA}.about ADD COLUMN IF NOT EXISTS ahead interval NOT NULL DEFAULT '1 hour'",
    f"CREATE INDEX IF NOT EXISTS record_at ON {SCHEMA}.record ({AT}, seq)",
    f"INSERT INTO {SCHEMA}.tail VALUES (1, 0, '{GENESIS}') ON CONFLICT DO NOTHING",
    f"ALTER TABLE {SCHEMA}.blob ALTER COLUMN data SET STORAGE EXTENDED",
    f'CREATE TABLE IF NOT EXISTS {SCHEMA}.lock (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, key bigint NOT NULL, pid integer NOT NULL)',
    *_FUNCTIONS,
    *_RIGHTS,
    f"UPDATE {SCHEMA}.about SET format = {SCHEMA_VERSION}",
)
"""Makes version 2 of version 1, or of one between two releases, in one transaction: no line and no blob is changed."""

IS_OLDER = (
    f"(format = 1 OR (format = {SCHEMA_VERSION} AND (to_regclass('{SCHEMA}.record_at') IS NULL OR"
    f" to_regprocedure('{SCHEMA}.bring(bigint, text[])') IS NULL OR NOT EXISTS (SELECT FROM pg_proc"
    f" WHERE oid = to_regprocedure('{SCHEMA}.remove(text)') AND strpos(prosrc, '{NEEDED}') > 0) OR NOT EXISTS (SELECT FROM pg_attribute"
    f" WHERE attrelid = to_regclass('{SCHEMA}.about') AND attname = 'ahead' AND NOT attisdropped))))"
)
"""Says in SQL, of the row in `about`, whether the tables are older: of version 1, or made between two releases under the number of this one."""

MAKE = (
    _FIT,
    *ROLES,
    "CREATE EXTENSION IF NOT EXISTS amcheck",  # by which verification looks whether an index hides a record
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    *_RECORD_TABLES,
    *UPGRADE,
)
"""Makes a new ledger's tables, in one transaction."""


def script() -> str:
    """Return one script for psql that makes the tables, or upgrades older ones; it makes all or nothing."""
    is_made = f"SELECT to_regclass('{SCHEMA}.about') IS NOT NULL AS is_made \\gset"
    version = f"SELECT {IS_OLDER} AS is_older FROM {SCHEMA}.about \\gset"
    upgrade = "\n".join((version, "\\if :is_older", *(f"{each};" for each in UPGRADE), "\\endif"))
    make = "\n".join(f"{each};" for each in MAKE)
    return f"\\set ON_ERROR_STOP on\nBEGIN;\n{is_made}\n\\if :is_made\n{upgrade}\n\\else\n{make}\n\\endif\nCOMMIT;"
