"""WordPress 4.4 to 6.8, on MariaDB or MySQL; networks of sites too.

Tables: `wp_posts`, `wp_users`, `wp_terms`, `wp_term_taxonomy`, `wp_term_relationships`, `wp_options`. Their shape:
`wp_get_db_schema()` in wp-admin/includes/schema.php. In a network the first site's tables have the prefix alone, all others
its number too (`wp_3_posts`); `wp_users` is the network's.

Published is `post_status = 'publish'` without a password: `future`, `draft`, `pending`, `private`, `trash`, `inherit` and
`auto-draft` are not. A post is claimed for `post_date_gmt`, in UTC. That is 0000-00-00 while a post was never published, and in
posts that were written into the table by other means: such a post has no date, and counts from when it is first seen.

WordPress keeps no time of creation: an editor sets `post_date` to any past or future moment, and that is all there is. Revisions
have true times, but old ones are thrown away, and none need be kept. So nothing here is more than a claim: items count from when
they are first seen, older claims are flagged as back-dated, and a known post that claims a newer date as published again.

Plugins for several languages make each translation a post of its own. Polylang keeps a post's language and its group of
translations as terms (include/translated-object.php: taxonomies `language` and `post_translations`); WPML keeps both in
`wp_icl_translations` (sitepress-multilingual-cms, `trid` is the group). With `translations`, a post names its language and the
Vietnamese post of its group.

A post in several categories, of those under `unit_parent` if that is given, may be each unit's that one of them names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from checks.updates.authors import BESIDE
from checks.updates.products import Product
from checks.updates.products._product import AccountsQuery, Dialect, Prefix, ProductSettings, Word, literals, quoted
from portalops.config.values import RefusedValue
from portalops.model.message import msg


def _require_one(types: tuple[str, ...]) -> tuple[str, ...]:
    if not types:
        raise RefusedValue(msg("is empty"), shows_value=False)
    return types


class Settings(ProductSettings):
    """`kind = "sql"` with `product = "wordpress"`."""

    keeps_creation: ClassVar[bool] = False

    product: Literal["wordpress"]
    """The content system whose ready query is used."""
    prefix: Prefix = "wp_"
    """`$table_prefix` of wp-config.php."""
    blog: int = Field(default=1, ge=1, le=1_000_000)
    """In a network the number of the site, as /wp-admin/network/sites.php has it."""
    types: Annotated[tuple[Word, ...], AfterValidator(_require_one)] = ("post",)
    """The types of post that count."""
    unit_from: Literal["category", "author", "site"] = "category"
    """What names the agency: a category, the author's public name, or the name of the site."""
    unit_parent: Word | None = None
    """The alias (slug) of the category under which the agencies' categories lie."""

    translations: Literal["polylang", "wpml"] | None = None
    """The plugin for several languages, if there is one."""

    @property
    def tells_translations(self) -> bool:
        return self.translations is not None

    def statement(self) -> str:
        return query(self, self.dialect)

    def accounts(self) -> AccountsQuery:
        return accounts(self, self.dialect)


def query(settings: Settings, dialect: Dialect) -> str:
    """Return the query for a portal."""
    prefix = settings.prefix if settings.blog == 1 else f"{settings.prefix}{settings.blog}_"

    def table(name: str) -> str:
        return quoted(prefix + name, dialect)

    match settings.unit_from:
        case "author":
            users = quoted(f"{settings.prefix}users", dialect)
            unit = f"(SELECT u.display_name FROM {users} u WHERE u.ID = p.post_author)"
        case "site":
            unit = f"(SELECT o.option_value FROM {table('options')} o WHERE o.option_name = 'blogname')"
        case "category":
            unit = _category(table("terms"), table("term_taxonomy"), table("term_relationships"), settings.unit_parent)
    home = f"(SELECT o.option_value FROM {table('options')} o WHERE o.option_name = 'home')"
    body = ", p.post_content AS body" if settings.bodies else ""
    return (
        f"SELECT p.ID AS external_id, p.post_title AS title, p.post_date_gmt AS published_at,"
        f" p.post_modified_gmt AS modified_at, {unit} AS unit, CONCAT({home}, '/?p=', p.ID) AS url"
        f"{_translations(table, settings.translations)}{body}"
        f" FROM {table('posts')} p"
        f" WHERE p.post_type IN ({literals(settings.types)}) AND p.post_status = 'publish' AND p.post_password = ''"
        " ORDER BY p.ID"
    )


def _translations(table: Callable[[str], str], plugin: str | None) -> str:
    """Return the columns that tell a post's language, and of which Vietnamese post it is the translation."""
    if plugin is None:
        return ""
    if plugin == "wpml":
        own = (
            f"{table('icl_translations')} o WHERE o.element_type = CONCAT('post_', p.post_type) AND o.element_id = p.ID"
        )
        original = (
            f"(SELECT v.element_id FROM {table('icl_translations')} v JOIN {table('icl_translations')} o ON o.trid = v.trid"
            " AND o.element_type = v.element_type WHERE o.element_type = CONCAT('post_', p.post_type) AND o.element_id = p.ID"
            " AND v.language_code = 'vi' AND v.element_id <> p.ID ORDER BY v.element_id LIMIT 1)"
        )
        return f", (SELECT o.language_code FROM {own} LIMIT 1) AS language, {original} AS translation_of"
    terms, taxonomy, relationships = table("terms"), table("term_taxonomy"), table("term_relationships")
    language = (
        f"SELECT t.slug FROM {relationships} r JOIN {taxonomy} x ON x.term_taxonomy_id = r.term_taxonomy_id"
        f" AND x.taxonomy = 'language' JOIN {terms} t ON t.term_id = x.term_id WHERE r.object_id = "
    )
    original = (
        f"(SELECT v.object_id FROM {relationships} g JOIN {taxonomy} x ON x.term_taxonomy_id = g.term_taxonomy_id"
        f" AND x.taxonomy = 'post_translations' JOIN {relationships} v ON v.term_taxonomy_id = g.term_taxonomy_id"
        f" WHERE g.object_id = p.ID AND v.object_id <> p.ID AND ({language}v.object_id LIMIT 1) = 'vi'"
        " ORDER BY v.object_id LIMIT 1)"
    )
    return f", ({language}p.ID LIMIT 1) AS language, {original} AS translation_of"


def _category(terms: str, taxonomy: str, relationships: str, parent: str | None) -> str:
    under = (
        f" AND x.parent IN (SELECT px.term_id FROM {taxonomy} px JOIN {terms} pt ON pt.term_id = px.term_id"
        f" WHERE px.taxonomy = 'category' AND pt.slug = '{parent}')"
        if parent
        else ""
    )
    return (
        f"(SELECT GROUP_CONCAT(t.name ORDER BY t.term_id SEPARATOR '{BESIDE}') FROM {relationships} r"
        f" JOIN {taxonomy} x ON x.term_taxonomy_id = r.term_taxonomy_id AND x.taxonomy = 'category'{under}"
        f" JOIN {terms} t ON t.term_id = x.term_id WHERE r.object_id = p.ID)"
    )


_ROLE = re.compile(r's:\d{1,4}:"([^"]{1,200})";b:1;')


def accounts(settings: Settings, dialect: Dialect) -> AccountsQuery:
    """Return how to ask who is more than a subscriber: `wp_users`, and `wp_usermeta` with what PHP's `serialize` wrote of roles.

    WordPress keeps no time of a login: it is known where a plugin keeps it, WP Last Login (`wp-last-login`) or When Last Login
    (`when_last_login`). The admins of a whole network are seen where they are admins of the site itself.
    """
    prefix = settings.prefix if settings.blog == 1 else f"{settings.prefix}{settings.blog}_"
    users, meta = quoted(f"{settings.prefix}users", dialect), quoted(f"{settings.prefix}usermeta", dialect)
    return AccountsQuery(
        f"SELECT u.user_login AS login, 1 AS {quoted('open', dialect)}, m.meta_value AS role,"
        f" (SELECT MAX(CAST(l.meta_value AS UNSIGNED)) FROM {meta} l WHERE l.user_id = u.ID"
        " AND l.meta_key IN ('wp-last-login', 'when_last_login')) AS last_at"
        f" FROM {users} u JOIN {meta} m ON m.user_id = u.ID AND m.meta_key = '{prefix}capabilities'"
        " WHERE m.meta_value NOT LIKE 'a:0:%' AND m.meta_value NOT LIKE 'a:1:{s:10:\"subscriber\";%'",
        frozenset({"administrator"}),
        lambda held: tuple(_ROLE.findall(held)),
        keeps_logins=False,
    )


PRODUCT = Product(settings=Settings)
