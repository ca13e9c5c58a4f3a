-- A portal's databases, with everything odd in them; {tablespace} is a folder.
CREATE ROLE "biên tập ""chính""" LOGIN PASSWORD 'x';
CREATE ROLE readers;
CREATE TABLESPACE nhanh OWNER readers LOCATION '{tablespace}';
GRANT readers TO "biên tập ""chính""";
CREATE ROLE backup LOGIN PASSWORD 'a:b\c''d' BYPASSRLS;
GRANT pg_read_all_data TO backup;
ALTER ROLE backup SET lo_compat_privileges = on;
CREATE ROLE hidden LOGIN PASSWORD 'hidden';
GRANT pg_read_all_data TO hidden;
CREATE ROLE weak LOGIN PASSWORD 'weak';
CREATE DATABASE portal OWNER readers;
CREATE DATABASE "Cổng ""TT"" o'nhỏ=1\" TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C';
CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 LOCALE 'C';
\c portal
CREATE TABLE article (id serial PRIMARY KEY, title text NOT NULL, body text CHECK (length(body) > 0), slug text GENERATED ALWAYS AS (lower(title)) STORED);
INSERT INTO article (title, body) SELECT 'Tin ' || n, repeat('nội dung ' || n, 50) FROM generate_series(1, 500) n;
ALTER TABLE article OWNER TO "biên tập ""chính""";
CREATE SCHEMA "Kênh.A" AUTHORIZATION readers;
CREATE TABLE "Kênh.A"."bảng ""lạ"" 'một'
hai" ("Cột" int);
INSERT INTO "Kênh.A"."bảng ""lạ"" 'một'
hai" VALUES (1), (2), (3);
CREATE TABLE visits (day date, hits int) PARTITION BY RANGE (day);
CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') TABLESPACE nhanh;
INSERT INTO visits VALUES ('2026-11-25', 7), ('2026-11-26', 9);
CREATE UNLOGGED TABLE sessions (id int);
INSERT INTO sessions SELECT generate_series(1, 4);
CREATE MATERIALIZED VIEW titles AS SELECT title FROM article;
CREATE TABLE empty ();
CREATE TABLE letters (owner name, body text);
INSERT INTO letters VALUES ('readers', 'thư');
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON letters TO readers USING (owner = current_user);
GRANT SELECT ON letters TO readers;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON article FOR EACH ROW EXECUTE FUNCTION touched();
SELECT lo_from_bytea(0, decode(repeat('ff00', 40000), 'hex')) FROM generate_series(1, 2);
SELECT lo_from_bytea(0, 'small');
\c latin
\encoding UTF8
CREATE TABLE café (name text);
INSERT INTO café VALUES ('été');
