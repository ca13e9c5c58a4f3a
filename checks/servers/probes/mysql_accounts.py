r"""The accounts of MariaDB or MySQL: from where they may log in, with what, and what they may; never their passwords. Needs root.

Of each way in the plugin is told, and whether its password is set, empty, the account's own name, or one that nothing
matches; of a socket, whether it lets in the host's account of another name (`set`): no hash leaves the server. The running server goes by what it loaded, and the next start by its tables: it is asked for
both (SHOW CREATE USER and SHOW GRANTS tell what is loaded), and the easier way in counts. What an account may counts over roles and over the accounts that it may act as. A server
that keeps its accounts in another form than MariaDB 10.4 and MySQL 5.7 do is asked for names alone; one that asks nobody for
anything (`skip-grant-tables`) is told, and so is a file that it runs at each start (`init_file`), where that does more than set variables. More servers than the one that root of the host reaches are counted. A host with
neither a server's program nor its data nor such a process, be it in a container, has no server. Sources: the MariaDB manual,
"mysql.global_priv", "Authentication Plugins"; the MySQL manual, "Grant Tables".

    root	localhost	admin	-	mysql_native_password:invalid,unix_socket:empty
    web	%	plain	-	mysql_native_password:empty
    members
    web	%	nhom_admin
    proxies
    memory
    web	%	plain	-	mysql_native_password:empty
    web	%	nhom_admin
    starts /etc/mysql/init.sql
    servers 1
    end
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_ADMIN = (
    "'Y' in (u.super_priv, u.create_user_priv, u.file_priv, u.insert_priv, u.update_priv)"
    " or exists(select 1 from mysql.db d where d.user in ('', u.user) and 'mysql' like d.db and 'Y' in (d.insert_priv, d.update_priv))"
    " or exists(select 1 from mysql.tables_priv d where d.user = u.user and d.host = u.host and d.db = 'mysql'"
    " and (find_in_set('Insert', d.table_priv) or find_in_set('Update', d.table_priv)))"
    " or exists(select 1 from mysql.columns_priv d where d.user = u.user and d.host = u.host and d.db = 'mysql'"
    " and (find_in_set('Insert', d.column_priv) or find_in_set('Update', d.column_priv)))"
)
"""Rights with which an account gives itself all others: CREATE USER changes anybody's password, FILE and writing in the server's own tables do as much."""
_GRANTED = " or ".join(
    f"exists(select 1 from mysql.{table} d where d.user in ('', u.user){more})"  # noqa: S608  # of constants alone
    for table, more in (
        ("db", ""),
        ("tables_priv", " and d.host = u.host"),
        ("columns_priv", " and d.host = u.host"),
        ("procs_priv", " and d.host = u.host"),
    )
)
_EMPTY_ED25519 = "4LH+dBF+G5W2CKTyId8xR3SyDqZoQjUNUVNxx8aWbG4"
"""What ed25519 keeps of an empty password."""
_KIND = (
    f"case when coalesce(AUTH, '') in ('', '{_EMPTY_ED25519}') then 'empty' when AUTH = 'invalid' then 'invalid'"
    " when AUTH = concat('*', upper(sha1(unhex(sha1(u.user))))) then 'name' when AUTH = binary u.user then 'own' else 'set' end"
)
_PATHS = " union all ".join(f"select '{path}' i" for path in ("$", *(f"$.auth_or[{number}]" for number in range(8))))
_MARIADB = f"""
select a.user, a.host, a.might, a.state, w.ways from (
select u.user, u.host, if({_ADMIN}, 'admin', if(coalesce(json_value(p.priv, '$.access'), '1') = '0' and not ({_GRANTED}), 'none', 'plain')) might,
 case when u.is_role = 'Y' then 'role' when json_value(p.priv, '$.account_locked') in ('1', 'true') then 'locked' else '-' end state
from mysql.user u join mysql.global_priv p on p.user = u.user and p.host = u.host) a
join (select u.user, u.host, group_concat(concat(u.plugin, ':', {_KIND.replace("AUTH", "u.auth")})) ways from (
select p.user, p.host, coalesce(nullif(json_value(p.priv, concat(n.i, '.plugin')), ''), nullif(json_value(p.priv, '$.plugin'), ''),
  'mysql_native_password') plugin,
 json_value(p.priv, concat(if(json_exists(p.priv, concat(n.i, '.plugin')), n.i, '$'), '.authentication_string')) auth
from mysql.global_priv p join ({_PATHS}) n on json_exists(p.priv, n.i) and (not n.i = '$' or not json_exists(p.priv, '$.auth_or'))) u
group by u.user, u.host) w on w.user = a.user and w.host = a.host;
select 'members'; select user, host, role, '' from mysql.roles_mapping;
select 'proxies'; select user, host, proxied_user, proxied_host from mysql.proxies_priv
"""  # noqa: S608  # of constants alone
_MYSQL = f"""
select u.user, u.host, if({_ADMIN}, 'admin', 'plain'), if(u.account_locked = 'Y', 'locked', '-'),
 concat(u.plugin, ':', {_KIND.replace("AUTH", "u.authentication_string")}) from mysql.user u;
select 'members'
"""  # noqa: S608  # of constants alone
_MYSQL_MORE = """
select to_user, to_host, from_user, from_host from mysql.role_edges;
select user, host, '', '' from mysql.global_grants where priv in ('ROLE_ADMIN', 'SET_USER_ID', 'SET_ANY_DEFINER')
"""
_MYSQL_PROXIES = "select 'proxies'; select user, host, proxied_user, proxied_host from mysql.proxies_priv"
_LISTED = """
set sql_mode = '';
select concat("select '@account', ", u, ", ", h, ", upper(sha1(unhex(sha1(", u, ")))), '-'; show create user ", u, "@", h, "; show grants for ",
  u, "@", h, ";") from (select quote(substr(g, 2, char_length(g) - char_length(substring_index(g, "'@'", -1)) - 4)) u,
  quote(left(substring_index(g, "'@'", -1), char_length(substring_index(g, "'@'", -1)) - 1)) h
  from (select distinct grantee g from information_schema.user_privileges) l) n
"""
_ROLES = """
select concat("select '@account', ", quote(user), ", '', '', 'role'; show grants for ", quote(user), ";") from mysql.user where is_role = 'Y'
"""
_MEMORY = r"""
function bare(n) { gsub(/``/, "`", n); return n }
function flush() {
  if (!seen) return
  if (!made || (!granted && !(state == "role" && user == "PUBLIC"))) unread = 1  # PUBLIC alone is shown nothing where it may nothing
  else print user "\t" host "\t" might "\t" state "\t" ways
  printf "%s", of
}
function kind(x) {
  if (x == "" || x == "EMPTY") return "empty"
  if (x == "invalid") return "invalid"
  return x == "*" name ? "name" : x == user ? "own" : "set"
}
BEGIN { FS = "\t"; unread = 1 }
$1 == "@account" {
  flush(); unread = seen ? unread : 0
  seen = 1; user = $2; host = $3; name = $4; might = "none"; ways = of = ""
  state = $5; made = state == "role"; granted = 0
  if (made) ways = "-:set"
  next
}
$1 == "@end" { flush(); seen = 0; ended = 1; next }
/^CREATE USER / {
  u = user; h = host; gsub(/`/, "``", u); gsub(/`/, "``", h)
  s = "`" u "`@`" h "`"
  if (substr($0, 13, length(s)) != s) { s = "\047" user "\047@\047" host "\047"; if (substr($0, 13, length(s)) != s) next }
  s = substr($0, 13 + length(s)); made = 1
  if (s ~ / ACCOUNT LOCK/) state = "locked"
  if (sub(/^ IDENTIFIED BY PASSWORD \047/, "", s)) { sub(/\047.*/, "", s); ways = "mysql_native_password:" kind(s); next }
  if (s !~ /^ IDENTIFIED (VIA|WITH) /) { ways = "mysql_native_password:empty"; next }
  while (sub(/^ (IDENTIFIED (VIA|WITH)|OR) /, "", s)) {
    p = s; sub(/^\047/, "", p); sub(/[^A-Za-z0-9_].*/, "", p)
    sub(/^\047?[A-Za-z0-9_]+\047?/, "", s)
    x = ""
    if (sub(/^ (USING|AS) \047/, "", s)) { x = s; sub(/\047.*/, "", x); s = substr(s, length(x) + 2) }
    ways = ways (ways == "" ? "" : ",") p ":" kind(x)
  }
  next
}
/^GRANT PROXY ON / {
  granted = 1; s = $0
  if (match(s, /[`\047][^`\047]*[`\047]@[`\047][^`\047]*[`\047]/)) {
    split(substr(s, RSTART, RLENGTH), w, /[`\047]/); of = of user "\t" host "\t" w[2] "\t" (w[2] == "" ? "" : w[4]) "\n"
  } else unread = 1
  next
}
/^GRANT [`\047]/ {
  granted = 1; s = substr($0, 7); sub(/ TO [`\047].*/, "", s)
  n = split(s, r, /,[ ]*/)
  for (i = 1; i <= n; i++) { h = ""; if (r[i] ~ /[`\047]@[`\047]/) { h = r[i]; sub(/.*@[`\047]/, "", h); sub(/[`\047]$/, "", h); sub(/@[`\047][^@]*$/, "", r[i]) }
    s = r[i]; gsub(/^[`\047]|[`\047]$/, "", s); of = of user "\t" host "\t" bare(s) "\t" h "\n" }
  next
}
/^GRANT / {
  granted = 1
  if (!match($0, / ON ([*][.][*]|(TABLE |PROCEDURE |FUNCTION |PACKAGE |PACKAGE BODY )?[`\047][^`\047]*[`\047][.]([*]|[`\047]))/)) { unread = 1; next }
  on = substr($0, RSTART + 4, RLENGTH - 4); p = substr($0, 7, RSTART - 7); gsub(/, */, ", ", p); p = ", " p ", "
  if (on == "*.*" && p == ", USAGE, ") next
  if (might == "none") might = "plain"
  if (on == "*.*") { if (p ~ /, (ALL PRIVILEGES|SUPER|CREATE USER|FILE|INSERT|UPDATE|ROLE_ADMIN|SET_USER_ID|SET_ANY_DEFINER)[,( ]/) might = "admin"; next }
  sub(/^(TABLE )?[`\047]/, "", on); sub(/[`\047][.].*/, "", on)
  gsub(/\\/, "", on); gsub(/[.*+?()|^$]/, "[&]", on); gsub(/%/, ".*", on); gsub(/_/, ".", on)
  if ("mysql" ~ "^" on "$" && p ~ /, (ALL PRIVILEGES|INSERT|UPDATE)[,( ]/) might = "admin"
  next
}
/^REVOKE / { next }
$0 != "" { unread = 1 }
END { if (unread || !ended) print "unread" }
"""
_SCRIPT = r"""
servers() { grep -lxs -e mysqld -e mariadbd /proc/[0-9]*/comm | wc -l; }
none() {
  [ "$(servers)" = 0 ] || { echo 'a server runs, and cannot be asked' >&2; exit 2; }
  exit 127
}
command -v mariadb >/dev/null || command -v mysql >/dev/null || none
c=mysql
command -v mariadb >/dev/null && c=mariadb
# The server may be another account's: it fills no memory, is sent no file of root's, and what it said is run as no command of the client's.
ulimit -v 1048576
ask() { "$c" --local-infile=0 -N -B -e "$1"; }
mysql8() { ask MYSQL && { ask EDGES || :; } 2>/dev/null && ask PROXIES; }
A=$(ask MARIADB 2>/dev/null || mysql8 2>/dev/null || ask 'select user, host from mysql.user') || {
  rc=$?
  for p in /var/lib/mysql/mysql /usr/sbin/mysqld /usr/sbin/mariadbd /usr/libexec/mysqld /usr/libexec/mariadbd; do
    [ ! -e "$p" ] || exit $rc
  done
  none
}
printf '%s\n' "$A"
case $A in *members*) echo memory
  R=$("$c" --local-infile=0 -N -B -r -e ROLES 2>/dev/null) || R=
  L=$("$c" --local-infile=0 -N -B -r -e LISTED 2>/dev/null) || L=
  printf "set sql_mode = ''; set sql_quote_show_create = 1;\n%s\n%s\nselect '@end';\n" "$L" "$R" | "$c" --local-infile=0 --binary-mode -N -B -f 2>/dev/null | LC_ALL=C awk AWK ;;
esac
case $(ask 'show grants' 2>&1) in
  *'ERROR 1290'*) echo unguarded ;;
  *) ! my_print_defaults --mysqld server mariadb mariadbd 2>/dev/null | grep -ixqE -e '--(loose[-_])?skip[-_]grant[-_]tables(=(1|on|true))?' || echo unguarded ;;
esac
{
  ask 'select @@init_file' 2>/dev/null | head -n 1
  my_print_defaults --mysqld server mariadb mariadbd 2>/dev/null | sed -nE 's/^--(loose[-_])?init[-_]f[a-z]*=//Ip' | tail -n 1
} | sort -u | while IFS= read -r f; do
  case $f in '' | NULL) continue ;; esac
  [ -f "$f" ] && [ -r "$f" ] && head -c 65536 "$f" | LC_ALL=C awk '
    { l = tolower($0); sub(/\r$/, "", l) }
    l !~ /^[ \t]*((#|-- ).*|--|set[ \t]+(global[ \t]+|@@global[.])[a-z_0-9]+[ \t]*:?=[ \t]*([a-z0-9_.-]+|\047[a-z0-9_., -]*\047)[ \t]*;[ \t]*)?$/ { odd = 1; exit }
    END { exit (odd || 65000 < n) } { n += length($0) + 1 }' || printf 'starts %s\n' "$(printf %s "$f" | tr -c '!-~' '?')"
done
echo "servers $(servers)"
echo end
"""
for _name, _query in (
    ("MARIADB", _MARIADB),
    ("MYSQL", _MYSQL),
    ("EDGES", _MYSQL_MORE),
    ("PROXIES", _MYSQL_PROXIES),
    ("ROLES", _ROLES),
    ("LISTED", _LISTED),
):
    _SCRIPT = _SCRIPT.replace(_name, shlex.quote(" ".join(_query.split())), 1)
_SCRIPT = _SCRIPT.replace("AWK", shlex.quote(_MEMORY.replace("EMPTY", _EMPTY_ED25519).strip()), 1)
_MIGHT = frozenset({"admin", "plain", "none"})
_RANKS = ("admin", "plain", "none")
_EASE = ("none", "name", "other", "password", "socket", "locked", "role")
_FORMER = frozenset({"role", "locked", "socket", "password"})
_SOCKETS = frozenset({"unix_socket", "auth_socket"})
_OF_SERVER = frozenset(
    {"mysql_native_password", "mysql_old_password", "ed25519", "caching_sha2_password", "sha256_password"}
)
"""Plugins that compare with what the server keeps; of these an empty one lets everybody in."""


@dataclass(frozen=True, slots=True)
class MysqlAccount:
    """One account."""

    user: str
    """Empty: anyone."""
    host: str
    """`%` is everywhere; empty for a role."""
    might: str = ""
    """`admin`: it may do everything, or give itself the right to, also over a role; `plain`; `none`; empty where the server did not say."""
    way: str = ""
    """The easiest: `none`: no password is asked; `name`: its own name is the password; `other`: the host's account of
    another name, without a password; `password`; `socket`: the host's account of that name alone; `locked`; `role`; empty as before."""

    @property
    def is_local(self) -> bool:
        return self.host in {"localhost", "127.0.0.1", "::1"}

    @property
    def is_open(self) -> bool:
        """Say whether somebody can come in as it who is not the host's account of that name."""
        return self.way in {"none", "name", "other", "password"}


@dataclass(frozen=True, slots=True)
class MysqlAccounts:
    """All accounts of the server that was asked."""

    accounts: tuple[MysqlAccount, ...]
    is_unguarded: bool = False
    """The server asks nobody for a name or a password (`skip-grant-tables`), or will not from its next start on."""
    servers: int = 1
    """How many servers run on the host; one of them was asked."""
    is_unread: bool = False
    """The running server did not tell by what it goes, beside what its tables have."""
    starts: tuple[str, ...] = ()
    """Files that it runs at each start, and that do more than set variables."""


def parse(output: Output) -> MysqlAccounts:
    """Read one account a line, then who is a member of what and who may act as whom."""
    lines = output.text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[-1].strip() != "end" or len(lines) < 2:
        raise Unparseable(msg("the list of database accounts is cut short"))
    parts: dict[str, list[list[str]]] = {name: [] for name in ("accounts", "members", "proxies", "memory", "loaded")}
    part, is_unguarded, servers, is_unread = "accounts", False, 1, False
    starts: list[str] = []
    for line in lines[:-1]:
        first, _, number = line.partition(" ")
        if line in {"members", "proxies", "memory"}:
            part = line
        elif line in {"unguarded", "unread"}:
            is_unguarded, is_unread = is_unguarded or line == "unguarded", is_unread or line == "unread"
        elif first == "servers" and number.isdecimal() and len(number) < 5:
            servers = max(1, int(number))
        elif first == "starts" and "\t" not in line:
            starts.append(shown(number, 200))
        elif part == "memory" and line.count("\t") == 4:
            parts["loaded"].append(_fields("accounts", line))
        else:
            parts[part].append(_fields(part, line))
    kept = _found(parts["accounts"], (*parts["members"], *parts["proxies"]))
    loaded = _found(parts["loaded"], parts["memory"])
    found = {key: _easier(kept.get(key), loaded.get(key)) for key in (*kept, *loaded)}
    return MysqlAccounts(tuple(found.values()), is_unguarded, servers, is_unread, tuple(starts))


def _found(rows: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> Mapping[tuple[str, str], MysqlAccount]:
    accounts = {(row[0], row[1]): _account(row) for row in rows}
    of: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for user, host, other, where in others:
        of.setdefault((user, host), []).append((other, where))
    return {key: _with_roles(account, key, accounts, of) for key, account in accounts.items()}


def _easier(kept: MysqlAccount | None, loaded: MysqlAccount | None) -> MysqlAccount:
    """Return an account with the easier way in, and the most that it may, of the tables and of what the server loaded."""
    one, other = kept or loaded, loaded or kept
    assert one and other
    might = next((each for each in _RANKS if each in {one.might, other.might}), "")
    way = next((each for each in _EASE if each in {one.way, other.way}), "")
    return MysqlAccount(one.user, one.host, might, way)


def _fields(part: str, line: str) -> list[str]:
    fields = line.split("\t")
    is_good = len(fields) == 4
    if part == "accounts":
        named_alone = len(fields) == 2
        former = is_good and fields[2] in _MIGHT and fields[3] in _FORMER
        is_good = (
            named_alone or former or (len(fields) == 5 and fields[2] in _MIGHT and fields[3] in {"role", "locked", "-"})
        )
    if not is_good:
        raise Unparseable(msg("the database printed a line that cannot be parsed: {line}", line=shown(line, 60)))
    return fields


def _account(fields: Sequence[str]) -> MysqlAccount:
    user, host, *rest = fields
    names = (shown(user, 60), shown(host, 60))
    if not rest:
        return MysqlAccount(*names)
    if len(rest) == 2:
        return MysqlAccount(*names, rest[0], rest[1])
    might, state, ways = rest
    return MysqlAccount(*names, might, state if state != "-" else _easiest(ways))


def _easiest(ways: str) -> str:
    found = set(_kinds(ways))
    return next((kind for kind in _EASE if kind in found), "locked")


def _kinds(ways: str) -> Iterator[str]:
    for way in filter(None, ways.split(",")):
        plugin, _, kind = way.partition(":")
        if plugin in _SOCKETS:
            yield "other" if kind in {"set", "name"} else "socket"
        elif kind == "invalid" and plugin in _OF_SERVER:
            continue
        elif kind == "empty" and plugin in _OF_SERVER:
            yield "none"
        else:
            yield "name" if kind == "name" else "password"


def _with_roles(
    account: MysqlAccount,
    key: tuple[str, str],
    accounts: Mapping[tuple[str, str], MysqlAccount],
    of: Mapping[tuple[str, str], Sequence[tuple[str, str]]],
) -> MysqlAccount:
    """Return an account with what it may over roles, those of everybody too, and over accounts that it may act as."""
    if not account.might:
        return account
    reached, ahead = set[tuple[str, str]](), [key, ("PUBLIC", "")]
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead += of.get(one, ())
    mights = {accounts[one].might for one in reached if one in accounts}
    if ("", "") in reached or "admin" in mights:  # it may act as everybody
        might = "admin"
    else:
        might = "none" if mights == {"none"} and len(reached) == 2 else "plain"
    return MysqlAccount(account.user, account.host, might, account.way)


PROBE = Probe("db.mysql-accounts", ("sh", "-c", _SCRIPT), parse, needs_root=True)
