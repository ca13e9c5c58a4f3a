"""Liferay 7.3 and 7.4 (web content), on MariaDB, MySQL or PostgreSQL.

Tables: `JournalArticle` (one row a version), `JournalArticleLocalization`, `Group_`. Their shape: JournalArticleModelImpl,
JournalArticleLocalizationModelImpl and GroupModelImpl, `TABLE_SQL_CREATE`. On PostgreSQL Liferay writes names without quotes, so
they are small there; on MySQL they are as they stand here. Times are in UTC, as Liferay wants its Java to run
(`-Duser.timezone=GMT`); for a server that runs otherwise set `assume_tz`.

An article is listed once, by `resourcePrimKey`, as its newest approved version has it: `status = 0` (1 pending, 2 draft, 3 expired,
4 denied, 7 scheduled, 8 in the trash), displayed now, not expired, of an active site. Rows of publications
(`ctCollectionId`), of the stage beside a live site (`liveGroupId`) and of templates (`classNameId`) are not published.

It is claimed for `displayDate`, which editors set. `statusDate` of a version is when it was approved, and no form shows
it: an article counts as created when its first version was approved, also one that has expired since. A new version of an
old article, with whatever date, is an old article. If old versions are deleted, articles look younger than they are.

Texts lie in pieces in other tables since 7.3 and are not read: copies are known by their titles, and stubs are not.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from checks.updates.products import Product
from checks.updates.products._product import (
    AccountsQuery,
    Dialect,
    ProductSettings,
    SiteAddress,
    SitePath,
    Word,
    literals,
    now_utc,
    quoted,
)


class Settings(ProductSettings):
    """`kind = "sql"` with `product = "liferay"`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.MYSQL, Dialect.POSTGRESQL)

    product: Literal["liferay"]
    """The content system whose ready query is used."""
    sites: tuple[SitePath, ...] = ()
    """The friendly addresses of the sites that count, such as `/so-y-te`; all if not given."""
    language: Word | None = None
    """The language of the titles, such as `vi_VN`: articles without it are not listed. Else each article's own."""
    unit_from: Literal["site", "author"] = "site"
    """What names the agency: the site's friendly address without its slash, or the author's name."""
    site: SiteAddress | None = None
    """Where the portal is, for the items' addresses."""

    def statement(self) -> str:
        return query(self, self.dialect)

    def accounts(self) -> AccountsQuery:
        return accounts(self, self.dialect)


def query(settings: Settings, dialect: Dialect) -> str:
    """Return the query for a portal."""
    now = now_utc(dialect)
    unit = "a.userName" if settings.unit_from == "author" else "SUBSTR(g.friendlyURL, 2)"
    url = f", CONCAT('{settings.site}/web', g.friendlyURL, '/-/', a.urlTitle) AS url" if settings.site else ""
    sites = f" AND g.friendlyURL IN ({literals(settings.sites)})" if settings.sites else ""
    title = "JOIN JournalArticleLocalization t ON t.articlePK = a.id_ AND t.ctCollectionId = 0 AND t.languageId = "
    title += f"'{settings.language}'" if settings.language else "a.defaultLanguageId"
    versions = "FROM JournalArticle v WHERE v.ctCollectionId = 0 AND v.classNameId = 0 AND v.status"
    return (
        "SELECT a.resourcePrimKey AS external_id, t.title AS title, a.displayDate AS published_at,"
        " h.first_at AS created_at, a.modifiedDate AS modified_at, SUBSTR(t.languageId, 1, 2) AS language,"
        f" {unit} AS unit{url}"
        " FROM JournalArticle a JOIN"
        f" (SELECT v.resourcePrimKey, MAX(v.version) AS newest {versions} = 0 GROUP BY v.resourcePrimKey) n"
        " ON n.resourcePrimKey = a.resourcePrimKey AND n.newest = a.version JOIN"
        f" (SELECT v.resourcePrimKey, MIN(v.statusDate) AS first_at {versions} IN (0, 3) GROUP BY v.resourcePrimKey) h"
        " ON h.resourcePrimKey = a.resourcePrimKey JOIN Group_ g ON g.groupId = a.groupId AND g.ctCollectionId = 0"
        f" {title}"
        f" WHERE a.status = 0 AND a.ctCollectionId = 0 AND a.classNameId = 0 AND a.displayDate <= {now}"
        f" AND (a.expirationDate IS NULL OR a.expirationDate > {now}) AND g.liveGroupId = 0 AND g.active_ = TRUE{sites}"
        " ORDER BY a.resourcePrimKey"
    )


_ROLES_OF_ALL = ("User", "Guest", "Power User", "Owner", "Site Member", "Organization User")
"""Roles that everybody has who is registered, or by whom a thing was made (RoleConstants)."""


def accounts(settings: Settings, dialect: Dialect) -> AccountsQuery:
    """Return how to ask who has a role of their own, of the portal or of a site: `User_`, `Users_Roles`, `UserGroupRole`, `Role_`.

    Roles that come by a user group or an organisation are not seen.
    """
    del settings
    roles = ", ".join(f"'{role}'" for role in _ROLES_OF_ALL)
    return AccountsQuery(
        f"SELECT u.screenName AS login, CASE WHEN u.status = 0 THEN 1 ELSE 0 END AS {quoted('open', dialect)}, r.name AS role,"
        " COALESCE(u.loginDate, u.lastLoginDate) AS last_at FROM User_ u JOIN"
        " (SELECT userId, roleId FROM Users_Roles UNION SELECT userId, roleId FROM UserGroupRole) h ON h.userId = u.userId"
        f" JOIN Role_ r ON r.roleId = h.roleId WHERE r.name NOT IN ({roles})",
        frozenset({"Administrator", "Site Administrator", "Site Owner"}),
    )


PRODUCT = Product(settings=Settings)
