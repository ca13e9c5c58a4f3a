-- What `portalops ledger prepare --print` printed for version 1 of the tables, before a database checked what it is given.
\set ON_ERROR_STOP on
BEGIN;
DO $$BEGIN
  IF current_setting('server_version_num')::int < 130000 THEN
    RAISE EXCEPTION 'the server is of version %', current_setting('server_version') USING ERRCODE = 'PO002';
  END IF;
  IF current_setting('server_encoding') <> 'UTF8' THEN
    RAISE EXCEPTION 'its encoding is %', current_setting('server_encoding') USING ERRCODE = 'PO002';
  END IF;
END$$;
DO $$BEGIN CREATE ROLE portalops_reader NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$;
DO $$BEGIN CREATE ROLE portalops_writer NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$;
DO $$BEGIN CREATE ROLE portalops_pruner NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$;
CREATE EXTENSION IF NOT EXISTS amcheck;
CREATE SCHEMA IF NOT EXISTS portalops;
CREATE TABLE portalops.about (one integer PRIMARY KEY CHECK (one = 1), format integer NOT NULL);
CREATE TABLE portalops.record (
  seq bigint PRIMARY KEY,
  line text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL GENERATED ALWAYS AS (line::jsonb ->> 'kind') STORED,
  run text COLLATE "C" NOT NULL GENERATED ALWAYS AS (line::jsonb ->> 'run') STORED,
  body text COLLATE "C" NOT NULL GENERATED ALWAYS AS (line::jsonb ->> 'body') STORED);
CREATE INDEX record_kind ON portalops.record (kind, seq);
CREATE UNIQUE INDEX record_run ON portalops.record (run, kind, (CASE WHEN kind LIKE '%.started' OR kind LIKE '%.finished' THEN 0 ELSE seq END)) WHERE run <> '';
CREATE TABLE portalops.tail (one integer PRIMARY KEY CHECK (one = 1), size bigint NOT NULL, head text NOT NULL);
CREATE TABLE portalops.blob (digest text COLLATE "C" PRIMARY KEY, data bytea NOT NULL);
ALTER TABLE portalops.blob ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE FUNCTION portalops.never() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'a record is never changed or deleted'; END$$;
CREATE TRIGGER record_kept BEFORE UPDATE OR DELETE ON portalops.record FOR EACH ROW EXECUTE FUNCTION portalops.never();
CREATE TRIGGER record_not_emptied BEFORE TRUNCATE ON portalops.record FOR EACH STATEMENT EXECUTE FUNCTION portalops.never();
CREATE TRIGGER tail_kept BEFORE DELETE ON portalops.tail FOR EACH ROW EXECUTE FUNCTION portalops.never();
CREATE FUNCTION portalops.append(first bigint, lines text[], OUT head text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = portalops, pg_temp AS $$
DECLARE newest bigint; next_line text; place bigint := first;
BEGIN
  PERFORM pg_advisory_xact_lock(1347374151);
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
END$$;
CREATE FUNCTION portalops.keep(digest text, data bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = portalops, pg_temp AS
$$INSERT INTO blob VALUES (digest, data) ON CONFLICT (digest) DO NOTHING$$;
CREATE FUNCTION portalops.remove(which text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = portalops, pg_temp AS $$DELETE FROM blob WHERE digest = which$$;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA portalops FROM PUBLIC;
INSERT INTO portalops.about VALUES (1, 1);
GRANT USAGE ON SCHEMA portalops TO portalops_reader, portalops_writer, portalops_pruner;
GRANT SELECT ON ALL TABLES IN SCHEMA portalops TO portalops_reader, portalops_writer, portalops_pruner;
GRANT EXECUTE ON FUNCTION portalops.append(bigint, text[]), portalops.keep(text, bytea) TO portalops_writer;
GRANT EXECUTE ON FUNCTION portalops.remove(text) TO portalops_pruner;
GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO portalops_reader, portalops_writer, portalops_pruner;
COMMIT;
