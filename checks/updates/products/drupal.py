"""Drupal 8 to 11, on MariaDB, MySQL or PostgreSQL.

Tables: `node_field_data` (one row a node and language), `node_revision`, `node_field_revision`, `users_field_data`,
`taxonomy_term_field_data`, and for each field `node__FIELD`. Drupal makes them from its entity definitions
(core/modules/node/src/Entity/Node.php, core/lib/Drupal/Core/Entity/Sql/SqlContentEntityStorageSchema.php). Times are whole
seconds since 1970.

Published is `status = 1` in the row of the default revision: with content moderation that is the last published one, and drafts
upon it are other revisions. Without `language` a node is listed once, in the language that it was written in; with it, the
translation into that one, if there is one that is published. All translations of a node have its `nid`: two sources, one a
language, tell which belong together.

`created` is "Authored on": editors may set it to any moment. `node_revision.revision_timestamp` is when a revision was saved,
and no form shows it. So a node counts as created when its first published revision was saved. Where "Authored on" is as Drupal
filled it in (within a day before the first revision), that moment is also what is claimed: a draft that ripened for a week is no
back-dated one. A revision that editors overwrite instead of making a new one keeps its first time, and so does
a draft that is published so: it counts from when it is first seen.

Old revisions are kept unless a module such as node_revision_delete throws them away: then do not set `trust_created`, because
items look younger than they are.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from checks.updates.products import Product
from checks.updates.products._product import (
    AccountsQuery,
    Dialect,
    Prefix,
    ProductSettings,
    SiteAddress,
    TableWord,
    Word,
    literals,
    quoted,
)
from portalops.config.values import RefusedValue
from portalops.model.message import msg

_FILLED_IN_SECONDS = 86400
"""Drupal fills in "Authored on" when the form is opened, which is before it is saved; a day is what judging overlooks too."""


class Settings(ProductSettings):
    """`kind = "sql"` with `product = "drupal"`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.MYSQL, Dialect.POSTGRESQL)

    product: Literal["drupal"]
    """The content system whose ready query is used."""
    prefix: Prefix = ""
    """`prefix` of the database in settings.php."""
    types: tuple[Word, ...] = ()
    """The machine names of the content types that count; all if not given, pages too."""
    language: Word | None = None
    """The language whose translations are listed, such as `vi`; without it the one that each node was written in."""
    unit_from: Literal["author", "term", "domain"] = "author"
    """What names the agency: the author's account, a term of a vocabulary, or a domain of the module domain."""
    unit_field: TableWord | None = None
    """The machine name of the field that refers to the term or domain; `field_domain_access` for a domain."""
    body_field: TableWord = "body"
    """The machine name of the field that holds the text."""
    site: SiteAddress | None = None
    """Where the site is, for the items' addresses."""

    @model_validator(mode="after")
    def _field_of_the_term(self) -> Settings:
        if self.unit_from == "term" and self.unit_field is None:
            raise RefusedValue(
                msg("takes the unit from a term and names no unit_field"),
                msg('Name the field of the content type that refers to the term: unit_field = "field_don_vi".'),
                shows_value=False,
            )
        return self

    @property
    def tells_translations(self) -> bool:
        return self.language is not None

    def statement(self) -> str:
        return query(self, self.dialect)

    def accounts(self) -> AccountsQuery:
        return accounts(self, self.dialect)


def query(settings: Settings, dialect: Dialect) -> str:
    """Return the query for a portal."""

    def table(name: str) -> str:
        return quoted(settings.prefix + name, dialect)

    of_node = "f.deleted = 0 AND f.entity_id = n.nid AND f.langcode = n.langcode"
    field = settings.unit_field or "field_domain_access"
    match settings.unit_from:
        case "author":
            accounts = table("users_field_data")
            unit = f"(SELECT u.name FROM {accounts} u WHERE u.uid = n.uid AND u.default_langcode = 1)"
        case "term":
            unit = (
                f"(SELECT t.name FROM {table(f'node__{field}')} f JOIN {table('taxonomy_term_field_data')} t"
                f" ON t.tid = f.{quoted(f'{field}_target_id', dialect)} AND t.default_langcode = 1"
                f" WHERE {of_node} ORDER BY f.delta LIMIT 1)"
            )
        case "domain":
            unit = (
                f"(SELECT f.{quoted(f'{field}_target_id', dialect)} FROM {table(f'node__{field}')} f"
                f" WHERE {of_node} ORDER BY f.delta LIMIT 1)"
            )
    text = quoted(f"{settings.body_field}_value", dialect)
    body = (
        f", (SELECT f.{text} FROM {table(f'node__{settings.body_field}')} f WHERE {of_node} ORDER BY f.delta LIMIT 1) AS body"
        if settings.bodies
        else ""
    )
    url = f", CONCAT('{settings.site}/node/', n.nid) AS url" if settings.site else ""
    which = f"n.langcode = '{settings.language}'" if settings.language else "n.default_langcode = 1"
    types = f" AND n.type IN ({literals(settings.types)})" if settings.types else ""
    return (
        "SELECT n.nid AS external_id, n.title AS title,"
        f" CASE WHEN n.created BETWEEN h.made_at - {_FILLED_IN_SECONDS} AND h.made_at THEN h.first_at ELSE n.created END"
        " AS published_at,"
        f" h.first_at AS created_at, n.changed AS modified_at, n.langcode AS language, {unit} AS unit{url},"
        f" CASE WHEN SUBSTR(n.langcode, 1, 2) = 'vi' THEN NULL ELSE n.nid END AS translation_of{body}"
        f" FROM {table('node_field_data')} n LEFT JOIN"
        " (SELECT f.nid, f.langcode, MIN(r.revision_timestamp) AS made_at,"
        " MIN(CASE WHEN f.status = 1 THEN r.revision_timestamp END) AS first_at"
        f" FROM {table('node_field_revision')} f JOIN {table('node_revision')} r ON r.vid = f.vid"
        " GROUP BY f.nid, f.langcode) h ON h.nid = n.nid AND h.langcode = n.langcode"
        f" WHERE n.status = 1 AND {which}{types} ORDER BY n.nid"
    )


def accounts(settings: Settings, dialect: Dialect) -> AccountsQuery:
    """Return how to ask who has a role: `users_field_data`, `user__roles`. The account with the number 1 may do everything.

    A role that a portal made itself is that of an admin where it is called `administrator`, as Drupal's own is: what a role may
    do lies in configuration that no query reads.
    """

    def table(name: str) -> str:
        return quoted(settings.prefix + name, dialect)

    users = f"FROM {table('users_field_data')} u"
    columns = f"SELECT u.name AS login, u.status AS {quoted('open', dialect)},"
    return AccountsQuery(
        f"{columns} r.roles_target_id AS role, u.login AS last_at {users} JOIN {table('user__roles')} r"
        " ON r.entity_id = u.uid AND r.deleted = 0 WHERE u.default_langcode = 1"
        f" UNION ALL {columns} 'uid 1' AS role, u.login AS last_at {users} WHERE u.uid = 1 AND u.default_langcode = 1",
        frozenset({"administrator", "uid 1"}),
    )


PRODUCT = Product(settings=Settings)
