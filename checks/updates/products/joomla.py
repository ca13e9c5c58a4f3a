"""Joomla 3 to 5, on MariaDB, MySQL or PostgreSQL.

Tables: `#__content`, `#__categories`, `#__users`, `#__associations`, where `#__` is the site's own prefix. Their shape: installation/sql/mysql/
and installation/sql/postgresql/ (joomla.sql of Joomla 3, base.sql and extensions.sql since Joomla 4). Times are in UTC.

Published is `state = 1` (0 is unpublished, 2 archived, -2 thrown away) between `publish_up` and `publish_down`, in a category
that is published itself and under published ones only, and shown to everybody: article and category have the access level
1 (Public) or 5 (Guest), as Joomla's installation numbers them. Archived articles are not listed: their date says nothing new.
"Never" is empty since Joomla 4; before, it was 0000-00-00 on MySQL and 1970-01-01 on PostgreSQL.

Each translation is an article of its own. Which belong together is in `#__associations`, with the context `com_content.item`
(libraries/src/Language/Associations.php): so an article names the Vietnamese one of its group.

An article is claimed for `publish_up`, or for `created` where that is empty. Editors write all of these, `created` too: the
form shows it. Joomla keeps no other time that lasts (versions and the log of actions are thrown away), so items count from when
they are first seen, as with WordPress.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from checks.updates.products import Product
from checks.updates.products._product import (
    AccountsQuery,
    Dialect,
    Prefix,
    ProductSettings,
    SiteAddress,
    Word,
    now_utc,
    quoted,
)

_NEVER_BEFORE = "'1970-01-02 00:00:00'"
"""Below it lie the dates that Joomla 3 wrote for "never"."""
_EVERYBODY = "(1, 5)"


class Settings(ProductSettings):
    """`kind = "sql"` with `product = "joomla"`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.MYSQL, Dialect.POSTGRESQL)
    keeps_creation: ClassVar[bool] = False

    product: Literal["joomla"]
    """The content system whose ready query is used."""
    prefix: Prefix
    """`$dbprefix` of configuration.php, such as `jos_`."""
    language: Word | None = None
    """Only articles of this language, such as `vi-VN`, and those of all languages."""
    unit_from: Literal["category", "author"] = "category"
    """What names the agency: a category, or the author's name."""
    unit_level: int | None = Field(default=None, ge=1, le=20)
    """How deep the agencies' categories lie, 1 for the uppermost; without it the article's own category is the agency's."""
    site: SiteAddress | None = None
    """Where the site is, for the items' addresses."""

    @property
    def tells_translations(self) -> bool:
        return True

    def statement(self) -> str:
        return query(self, self.dialect)

    def accounts(self) -> AccountsQuery:
        return accounts(self, self.dialect)


def query(settings: Settings, dialect: Dialect) -> str:
    """Return the query for a portal."""

    def table(name: str) -> str:
        return quoted(settings.prefix + name, dialect)

    now, categories = now_utc(dialect), table("categories")
    above = "k.extension = 'com_content' AND k.lft <= c.lft AND k.rgt >= c.rgt"
    if settings.unit_from == "author":
        unit = f"(SELECT u.name FROM {table('users')} u WHERE u.id = a.created_by)"
    elif settings.unit_level is not None:
        unit = f"(SELECT k.title FROM {categories} k WHERE {above} AND k.level = {settings.unit_level})"
    else:
        unit = "c.title"
    body = f", CONCAT(a.introtext, ' ', a.{quoted('fulltext', dialect)}) AS body" if settings.bodies else ""
    key, associations = quoted("key", dialect), table("associations")
    original = (  # the Vietnamese article of the group in which the editors put this one
        f"(SELECT v.id FROM {associations} s JOIN {associations} v ON v.{key} = s.{key} AND v.context = s.context"
        f" JOIN {table('content')} o ON o.id = v.id AND SUBSTR(o.language, 1, 2) = 'vi'"
        " WHERE s.context = 'com_content.item' AND s.id = a.id AND v.id <> a.id ORDER BY v.id LIMIT 1)"
    )
    link = "/index.php?option=com_content&view=article&id="
    url = f", CONCAT('{settings.site}{link}', a.id) AS url" if settings.site else ""
    language = f" AND a.language IN ('{settings.language}', '*')" if settings.language else ""
    return (
        "SELECT a.id AS external_id, a.title AS title,"
        f" CASE WHEN a.publish_up < {_NEVER_BEFORE} THEN a.created ELSE COALESCE(a.publish_up, a.created) END AS published_at,"
        f" a.modified AS modified_at, SUBSTR(a.language, 1, 2) AS language, {unit} AS unit{url}, {original} AS translation_of{body}"
        f" FROM {table('content')} a JOIN {categories} c ON c.id = a.catid"
        f" WHERE a.state = 1 AND (a.publish_up IS NULL OR a.publish_up <= {now})"
        f" AND (a.publish_down IS NULL OR a.publish_down < {_NEVER_BEFORE} OR a.publish_down > {now})"
        f" AND a.access IN {_EVERYBODY} AND c.access IN {_EVERYBODY}"
        f" AND NOT EXISTS (SELECT 1 FROM {categories} k WHERE {above} AND k.published <> 1){language}"
        " ORDER BY a.id"
    )


def accounts(settings: Settings, dialect: Dialect) -> AccountsQuery:
    """Return how to ask who is in a group beyond Public (1), Registered (2) and Guest (9): `#__users`, `#__user_usergroup_map`,
    `#__usergroups`. Administrators (7) and super users (8), as Joomla's installation numbers them, make others what they are.
    """

    def table(name: str) -> str:
        return quoted(settings.prefix + name, dialect)

    role = "CASE WHEN g.id IN (7, 8) THEN 'admin' ELSE g.title END"
    return AccountsQuery(
        f"SELECT u.username AS login, 1 - u.block AS {quoted('open', dialect)}, {role} AS role,"
        f" CASE WHEN u.{quoted('lastvisitDate', dialect)} > {_NEVER_BEFORE} THEN u.{quoted('lastvisitDate', dialect)} END AS last_at"
        f" FROM {table('users')} u JOIN {table('user_usergroup_map')} m ON m.user_id = u.id"
        f" JOIN {table('usergroups')} g ON g.id = m.group_id WHERE g.id NOT IN (1, 2, 9)",
        frozenset({"admin"}),
    )


PRODUCT = Product(settings=Settings)
