"""NukeViet 4 (module news), on MariaDB or MySQL.

Tables: `nv4_vi_news_rows`, `nv4_vi_news_cat`, `nv4_vi_news_detail`, `nv4_users`, where `nv4` is the site's prefix, `vi` the
language and `news` the module, or a copy of it under another name. Their shape: modules/news/action_mysql.php. Each category has
a table of its own (`nv4_vi_news_1`) with copies of its rows; `_rows` has each once. Times are whole seconds since 1970.

Published is `status = 1` with `publtime` reached and `exptime` not: 0 is stopped, 2 waits for its time, 3 has expired, 4 is a
draft, 5 to 8 wait for somebody, and above 20 the category is locked (`row_locked_status` in modules/news/global.functions.php).
An article that expires without being archived is deleted from the table.

Three times are kept: `addtime`, when the row was made, which no form shows; `publtime`, which editors set, and which "publish
again" (modules/news/admin/re-published.php) sets to now; `edittime`. `addtime` is the creation, `publtime` the claim: an article whose
claim lies more than a day after its creation counts as an old one that was published again, unless our own looks show that it was a
draft all the while (docs/decisions/0009). For the same reason the site's RSS
and site map, which know `publtime` alone, prove less than this query.

An article in several categories belongs to its main one, `catid`.
"""

from __future__ import annotations

from typing import Literal

from checks.updates.products import Product
from checks.updates.products._product import AccountsQuery, Dialect, ProductSettings, SiteAddress, TableWord, quoted


class Settings(ProductSettings):
    """`kind = "sql"` with `product = "nukeviet"`."""

    product: Literal["nukeviet"]
    """The content system whose ready query is used."""
    prefix: TableWord = "nv4"
    """`$db_config['prefix']` of config.php."""
    language: TableWord = "vi"
    """The language of the site: a part of the tables' names."""
    module: TableWord = "news"
    """The module's own name for its tables (`module_data`): news, or what a copy of it is called."""
    unit_from: Literal["category", "author", "account"] = "category"
    """What names the agency: the main category, the author as written, or the account that entered it."""
    site: SiteAddress | None = None
    """Where the site is, for the items' addresses."""

    def statement(self) -> str:
        return query(self, self.dialect)

    def accounts(self) -> AccountsQuery:
        return accounts(self, self.dialect)


def query(settings: Settings, dialect: Dialect) -> str:
    """Return the query for a portal."""
    tables = f"{settings.prefix}_{settings.language}_{settings.module}_"

    def table(name: str) -> str:
        return quoted(tables + name, dialect)

    match settings.unit_from:
        case "category":
            unit = "c.title"
        case "author":
            unit = "r.author"
        case "account":
            users = quoted(f"{settings.prefix}_users", dialect)
            unit = f"(SELECT u.username FROM {users} u WHERE u.userid = r.admin_id)"
    link = f"{settings.site}/index.php?language={settings.language}&nv={settings.module}&op="
    url = f", CONCAT('{link}', c.alias, '/', r.alias, '-', r.id) AS url" if settings.site else ""
    body = (
        f", CONCAT(r.hometext, ' ', (SELECT d.bodyhtml FROM {table('detail')} d WHERE d.id = r.id)) AS body"
        if settings.bodies
        else ""
    )
    return (
        "SELECT r.id AS external_id, r.title AS title, r.publtime AS published_at, r.addtime AS created_at,"
        f" r.edittime AS modified_at, '{settings.language}' AS language, {unit} AS unit{url}{body}"
        f" FROM {table('rows')} r LEFT JOIN {table('cat')} c ON c.catid = r.catid"
        " WHERE r.status = 1 AND r.publtime <= UNIX_TIMESTAMP() AND (r.exptime = 0 OR r.exptime > UNIX_TIMESTAMP())"
        " ORDER BY r.id"
    )


def accounts(settings: Settings, dialect: Dialect) -> AccountsQuery:
    """Return how to ask who administers: `nv4_authors`, by `lev`: 1 the highest, 2 general, 3 of some modules; and `nv4_users`."""
    users, authors = (quoted(f"{settings.prefix}_{name}", dialect) for name in ("users", "authors"))
    return AccountsQuery(
        f"SELECT u.username AS login, CASE WHEN u.active = 1 AND a.is_suspend = 0 THEN 1 ELSE 0 END AS {quoted('open', dialect)},"
        " CONCAT('lev ', a.lev) AS role, GREATEST(u.last_login, a.last_login) AS last_at"
        f" FROM {authors} a JOIN {users} u ON u.userid = a.admin_id",
        frozenset({"lev 1", "lev 2"}),
    )


PRODUCT = Product(settings=Settings)
