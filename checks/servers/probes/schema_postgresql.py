"""How each table of the host's PostgreSQL databases is made, as one digest a table: of pg_catalog, and of no data. Needs root.

The server makes the digest of a canonical text: columns with types and defaults, constraints, indexes, triggers, and what a
view shows. It is asked over its local sockets as its own account `postgres`, read only, for 20 seconds at most. A host that
has neither a socket nor a cluster has no server. Source: the PostgreSQL manual, "System Catalogs". PostgreSQL 15.20:

    5432/portal public.news|0c9e5f...
    end
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_TABLES = r"""
select translate(current_setting('port') || '/' || current_database() || ' ' || n.nspname || '.' || c.relname, E'\n\r|', '???')
  || '|' || encode(sha256(convert_to(string_agg(x, E'\n' order by x collate "C"), 'UTF8')), 'hex')
from (
select c.oid o, format('table|%s|%s', c.relkind, c.relpersistence) x from pg_class c
union all select attrelid, format('column|%s|%s|%s|%s|%s', lpad(attnum::text, 5, '0'), attname,
  format_type(atttypid, atttypmod), attnotnull, coalesce(pg_get_expr(adbin, adrelid), '-'))
  from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where 0 < attnum and not attisdropped
union all select conrelid, format('constraint|%s|%s', conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid != 0
union all select indrelid, 'index|' || pg_get_indexdef(indexrelid) from pg_index
union all select tgrelid, 'trigger|' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all select oid, 'view|' || pg_get_viewdef(oid) from pg_class where relkind in ('v', 'm')
) made join pg_class c on c.oid = o join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema$)'
group by n.nspname, c.relname order by 1
"""
_SCRIPT = r"""
command -v psql >/dev/null || exit 127
Q=QUESTION
export PGOPTIONS='-c search_path=pg_catalog -c default_transaction_read_only=on -c statement_timeout=20s'
ask() { runuser -u postgres -- psql -p "$p" -XAtqw -v ON_ERROR_STOP=1 -c "$1"; }
cd /
found=
for s in /run/postgresql/.s.PGSQL.*; do
  [ -S "$s" ] || continue
  found=1 p=${s##*.}
  export PGHOST=/run/postgresql PGDATABASE=postgres
  L=$(ask 'select datname from pg_database where datallowconn and not datistemplate order by 1') || exit $?
  printf '%s\n' "$L" | { while IFS= read -r d; do PGDATABASE=$d; ask "$Q" </dev/null || exit $?; done; } || exit $?
done
[ -n "$found" ] || for d in /var/lib/postgresql/*/* /var/lib/pgsql/*/data/PG_VERSION /var/lib/pgsql/data/PG_VERSION; do
  [ ! -e "$d" ] || { echo 'a cluster is there, and no server answers' >&2; exit 2; }
done
[ -n "$found" ] || exit 127
echo end
"""
_ROW = re.compile(r"(?P<name>[^|]+)\|(?P<digest>[0-9a-f]{64})")


def parse(output: Output) -> Mapping[str, str]:
    """Return the digest by database and table; a server without any table is an answer too."""
    lines = [line.rstrip("\r") for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the list of tables is cut short"))
    found: dict[str, str] = {}
    for line in lines[:-1]:
        row = _ROW.fullmatch(line)
        if row is None or row["name"] in found:
            raise Unparseable(msg("the list of tables has a line that cannot be parsed: {line}", line=shown(line, 100)))
        found[row["name"]] = row["digest"]
    return found


PROBE = Probe(
    "db.postgresql-schema",
    ("sh", "-c", _SCRIPT.replace("QUESTION", shlex.quote(" ".join(_TABLES.split())), 1)),
    parse,
    needs_root=True,
    timeout_seconds=60,
    limit_bytes=1 << 20,
    form=PIPED,
)
