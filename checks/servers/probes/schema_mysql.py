"""How each table of the host's MariaDB or MySQL databases is made, as one digest a table: of information_schema, and of no
data. Needs root.

The server makes the digest of a canonical text: columns with types and defaults, keys, indexes, triggers, and what a view
shows; the next number of a counter is not in it. The server lets root of the host in over its socket, as shipped. A host that
has neither a socket nor a data folder has no server. Source: the MariaDB manual, "Information Schema". MariaDB 10.11:

    portal.news|0c9e5f...
    end
"""

from __future__ import annotations

import shlex

from checks.servers.probe import Probe
from checks.servers.probes.schema_postgresql import parse
from checks.servers.redaction import PIPED

_TABLES = r"""
set session group_concat_max_len = 67108864;
select concat(replace(replace(replace(concat(s, '.', t), '|', '?'), char(10), '?'), char(13), '?'), '|',
  sha2(group_concat(x order by x separator '\n'), 256)) from (
select table_schema s, table_name t, concat_ws('|', 'table', table_type, engine, table_collation) x from information_schema.tables
union all select table_schema, table_name, concat_ws('|', 'column', lpad(ordinal_position, 5, '0'), column_name, column_type,
  is_nullable, coalesce(column_default, '-'), extra, coalesce(collation_name, '-')) from information_schema.columns
union all select table_schema, table_name, concat_ws('|', 'index', index_name, non_unique, seq_in_index, coalesce(column_name, '-'),
  coalesce(sub_part, '-')) from information_schema.statistics
union all select table_schema, table_name, concat_ws('|', 'key', constraint_name, column_name, coalesce(referenced_table_schema, '-'),
  coalesce(referenced_table_name, '-'), coalesce(referenced_column_name, '-')) from information_schema.key_column_usage
union all select event_object_schema, event_object_table, concat_ws('|', 'trigger', trigger_name, action_timing, event_manipulation,
  action_statement) from information_schema.triggers
union all select table_schema, table_name, concat('view|', view_definition) from information_schema.views
) made where s not in ('information_schema', 'mysql', 'performance_schema', 'sys') group by s, t order by s, t
"""
_SCRIPT = r"""
command -v mariadb >/dev/null || command -v mysql >/dev/null || exit 127
c=mysql
command -v mariadb >/dev/null && c=mariadb
Q=QUESTION
for s in /run/mysqld/mysqld.sock /var/lib/mysql/mysql.sock /var/lib/mysql/ibdata1 none; do [ ! -e "$s" ] || break; done
[ "$s" != none ] || exit 127
"$c" --local-infile=0 -N -B -r -e "$Q" || exit $?
echo end
"""

PROBE = Probe(
    "db.mysql-schema",
    ("sh", "-c", _SCRIPT.replace("QUESTION", shlex.quote(" ".join(_TABLES.split())), 1)),
    parse,
    needs_root=True,
    timeout_seconds=60,
    limit_bytes=1 << 20,
    form=PIPED,
)
