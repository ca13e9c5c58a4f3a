"""The ready queries on tables as the products make them, in MariaDB and PostgreSQL, with rows in every state.

The tables have the names, types and columns of the products' own, as far as a query or a row needs them. Where they come from:

- NukeViet 4.5: modules/news/action_mysql.php and modules/users/action_mysql.php
- Drupal 10: dumps of sites, of MySQL and of PostgreSQL; Drupal makes its tables from its entity definitions
- Joomla 4 and 5: installation/sql/{mysql,postgresql}/base.sql and extensions.sql; Joomla 3: joomla.sql, for its "never"
- Liferay 7.4: `TABLE_SQL_CREATE` of JournalArticleModelImpl, JournalArticleLocalizationModelImpl and GroupModelImpl

WordPress itself is installed, and read beside its feed, in test_wordpress.py.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from checks.updates.sources import sql
from portalops.config.secrets import Reference
from portalops.config.tables import KindTable
from portalops.model.updates import ListedItem
from portalops.system.sql import DatabaseUnavailable, reading
from portalops.system.web import HttpWeb
from tests.backups.mariadb.conftest import Server as MariaDb
from tests.backups.postgresql.parts import Server as PostgreSql
from tests.backups.postgresql.parts import versions
from tests.checks.updates.newsroom import Portal
from tests.checks.updates.scene import ZONE, at

pytestmark = pytest.mark.heavy

SECRET = "chỉ đọc"
OTHER_WORDS = {
    "int unsigned": "bigint",
    "tinyint": "smallint",
    "mediumtext": "text",
    "longtext": "text",
    "datetime(6)": "timestamp",
    "datetime": "timestamp without time zone",
    "double": "double precision",
    "`": '"',
    "reader@localhost": "reader",
}
"""What PostgreSQL's tables have instead of MySQL's words."""


class Database(Protocol):
    """A server in which the products' tables are made, and an account that can only read."""

    name: str

    def run(self, script: str, database: str) -> None:
        """Make a database anew and run a script there, written for MySQL; its `bool` is the product's own."""
        ...

    def url(self, database: str) -> str:
        """Return where the source finds it."""
        ...


class InMariaDb:
    name = "mariadb"

    def __init__(self, server: MariaDb) -> None:
        self._server = server

    def run(self, script: str, database: str) -> None:
        self._server.run(
            f"CREATE OR REPLACE DATABASE {database} CHARACTER SET utf8mb4;"
            f"CREATE OR REPLACE USER reader@localhost IDENTIFIED BY '{SECRET}';"
            f"GRANT SELECT ON {database}.* TO reader@localhost"
        )
        self._server.run(f"SET SESSION sql_mode = '';{script.replace('bool', 'tinyint')}", database=database)

    def url(self, database: str) -> str:
        return f"mysql+pymysql://reader@localhost/{database}?unix_socket={self._server.socket}"


class InPostgreSql:
    name = "postgresql"

    def __init__(self, server: PostgreSql) -> None:
        self._server = server
        server.sql(f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'; GRANT pg_read_all_data TO reader")

    def run(self, script: str, database: str) -> None:
        self._server.sql(f"DROP DATABASE IF EXISTS {database}")
        self._server.sql(f"CREATE DATABASE {database}")
        for word, other in OTHER_WORDS.items():
            script = script.replace(word, other)
        self._server.sql(script, database)

    def hold(self, statement: str, database: str, seconds: int) -> None:
        """Run a statement in a transaction that stays open for a while."""
        self._server.sql(f"BEGIN; {statement}; SELECT pg_sleep({seconds}); COMMIT", database)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://reader@/{database}?host={self._server.folder}"


@pytest.fixture(scope="session")
def in_mariadb(mariadb: MariaDb) -> InMariaDb:
    return InMariaDb(mariadb)


@pytest.fixture(scope="session")
def in_postgresql() -> Iterator[InPostgreSql]:
    with PostgreSql.new(versions()[0]) as server:
        yield InPostgreSql(server)


@pytest.fixture(params=["in_mariadb", "in_postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    server: Database = request.getfixturevalue(request.param)
    return server


def listed(server: Database, folder: Path, product: str, **settings: object) -> dict[str, ListedItem]:
    """Return what the source lists, by the items' titles."""
    (folder / "reader").write_text(SECRET)
    (folder / "reader").chmod(0o600)
    table = {"channel": "subportal", "url": server.url(product), "password": {"file": "reader"}, "product": product}
    source = sql.build(product, KindTable.alone(product, "sql", table | settings, folder), zone=ZONE, web=HttpWeb())
    listing = source.parse(source.fetch(etag="").data or b"", polled_at=at("2026-11-20 09:00"))
    assert listing.rejected == ()
    found = {item.title: item for item in listing.items}
    assert len(found) == len(listing.items) == len({item.external_id for item in listing.items})
    return found


def times(found: dict[str, ListedItem]) -> dict[str, tuple[str, str]]:
    """Return the local days of what is claimed and of the creation, by title."""
    return {title: (_day(item.published_at), _day(item.created_at)) for title, item in found.items()}


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(ZONE):%m-%d}" if moment else ""


def unix(day: str) -> int:
    return int(at(f"2026-{day} 09:00").timestamp())


# --- NukeViet ---------------------------------------------------------------------------------

NUKEVIET = """
CREATE TABLE nv4_vi_news_cat (catid smallint(5) unsigned PRIMARY KEY, parentid smallint(5) unsigned NOT NULL DEFAULT '0',
  title varchar(250) NOT NULL, alias varchar(250) NOT NULL DEFAULT '') ENGINE=MyISAM;
CREATE TABLE nv4_vi_news_rows (id int(11) unsigned PRIMARY KEY, catid smallint(5) unsigned NOT NULL DEFAULT '0',
  listcatid varchar(255) NOT NULL DEFAULT '', admin_id mediumint(8) unsigned NOT NULL DEFAULT '0', author varchar(250) DEFAULT '',
  addtime int(11) unsigned NOT NULL DEFAULT '0', edittime int(11) unsigned NOT NULL DEFAULT '0', status tinyint(4) NOT NULL DEFAULT '1',
  publtime int(11) unsigned NOT NULL DEFAULT '0', exptime int(11) unsigned NOT NULL DEFAULT '0',
  title varchar(250) NOT NULL DEFAULT '', alias varchar(250) NOT NULL DEFAULT '', hometext text NOT NULL) ENGINE=MyISAM;
CREATE TABLE nv4_vi_news_detail (id int(11) unsigned PRIMARY KEY, bodyhtml longtext NOT NULL) ENGINE=MyISAM;
CREATE TABLE nv4_users (userid mediumint(8) unsigned PRIMARY KEY, username varchar(100) NOT NULL DEFAULT '') ENGINE=MyISAM;
INSERT INTO nv4_vi_news_cat (catid, title, alias) VALUES (1, 'Sở Khoa học &amp; Công nghệ', 'so-y-te'), (2, 'Tin tức', 'tin-tuc');
INSERT INTO nv4_users VALUES (7, 'so-tu-phap');
"""


def test_nukeviet_lists_what_readers_see_once_and_knows_when_rows_were_made(
    in_mariadb: Database, tmp_path: Path
) -> None:
    far = 4_000_000_000
    rows = [
        (1, "Mới", 1, unix("11-16"), unix("11-16"), 0),
        (2, "Đăng lại", 1, unix("11-16"), unix("10-01"), 0),
        (3, "Sắp hết hạn", 1, unix("11-16"), unix("11-16"), far),
        (4, "Đã hết hạn mà chưa quét", 1, unix("11-02"), unix("11-02"), unix("11-03")),
        (5, "Hẹn giờ", 2, far, unix("11-16"), 0),
        (6, "Giờ sau", 1, far, unix("11-16"), 0),
        (7, "Đình chỉ", 0, unix("11-16"), unix("11-16"), 0),
        (8, "Hết hạn", 3, unix("11-16"), unix("11-16"), unix("11-17")),
        (9, "Nháp", 4, unix("11-16"), unix("11-16"), 0),
        (10, "Chờ duyệt", 5, unix("11-16"), unix("11-16"), 0),
        (11, "Chuyên mục bị khóa", 21, unix("11-16"), unix("11-16"), 0),
    ]
    values = ", ".join(
        f"({key}, 1, '1,2', 7, 'Sở Xây dựng', {added}, {added}, {status}, {published}, {expires}, '{title}', 'bai', 'Tóm tắt')"
        for key, title, status, published, added, expires in rows
    )
    in_mariadb.run(
        f"{NUKEVIET} INSERT INTO nv4_vi_news_rows VALUES {values};"
        "INSERT INTO nv4_vi_news_detail VALUES (1, '<p>Nội dung</p>'), (2, ''), (3, '');"
        "CREATE TABLE nv4_vi_news_1 LIKE nv4_vi_news_rows; INSERT INTO nv4_vi_news_1 SELECT * FROM nv4_vi_news_rows;",
        "nukeviet",
    )

    found = listed(in_mariadb, tmp_path, "nukeviet", site="https://khanhhoa.example")

    assert times(found) == {
        "Mới": ("11-16", "11-16"),
        "Đăng lại": ("11-16", "10-01"),
        "Sắp hết hạn": ("11-16", "11-16"),
    }
    new = found["Mới"]
    assert (new.published_at, new.unit_name, new.language) == (
        at("2026-11-16 09:00"),
        "Sở Khoa học & Công nghệ",
        "vi",
    )
    assert new.url == "https://khanhhoa.example/index.php?language=vi&nv=news&op=so-y-te/bai-1"
    assert new.body == "Tóm tắt Nội dung"
    for unit_from, unit in (("author", "Sở Xây dựng"), ("account", "so-tu-phap")):
        others = listed(in_mariadb, tmp_path, "nukeviet", unit_from=unit_from, bodies=False)
        assert {(item.unit_name, item.body) for item in others.values()} == {(unit, None)}


def test_trusted_creation_tells_old_articles_from_new_ones_at_the_first_look(
    in_mariadb: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(ZONE) - timedelta(minutes=5)
    ago = {days: int((now - timedelta(days=days)).timestamp()) for days in (0, 10, 60)}
    rows = [(1, "Mới", 0, 0), (2, "Đăng lại", 0, 60), (3, "Lùi ngày", 10, 0)]
    values = ", ".join(
        f"({key}, 1, '1', 7, '', {ago[made]}, {ago[made]}, 1, {ago[claimed]}, 0, '{title}', 'bai', '{f'Bài {title} số {key}, đăng cho bạn đọc. ' * 12}')"
        for key, title, claimed, made in rows
    )
    in_mariadb.run(
        f"{NUKEVIET} INSERT INTO nv4_vi_news_rows VALUES {values};"
        "INSERT INTO nv4_vi_news_detail VALUES (1, ''), (2, ''), (3, '')",
        "nukeviet",
    )
    own = (
        f'kind = "sql"\nproduct = "nukeviet"\nurl = "{in_mariadb.url("nukeviet")}"\npassword = {{ file = "reader" }}\n'
        'trust_created = true\nunit = "so-y-te"\n'
    )
    portal = Portal(tmp_path / "portal", capsys, own)

    portal.collect()

    assert {title: item[2:] for title, item in portal.items().items()} == {
        "Mới": (now.date(), "B", frozenset()),
        "Đăng lại": (now.date(), "B", frozenset({"touched"})),  # open until an officer confirms it
        "Lùi ngày": (now.date(), "B", frozenset({"backdated"})),
    }


# --- WordPress with plugins for several languages ----------------------------------------------

WORDPRESS = """
CREATE TABLE wp_posts (ID bigint PRIMARY KEY, post_author bigint NOT NULL DEFAULT 1, post_date_gmt datetime NOT NULL,
  post_modified_gmt datetime NOT NULL, post_content longtext NOT NULL, post_title text NOT NULL, post_status varchar(20) NOT NULL
  DEFAULT 'publish', post_password varchar(255) NOT NULL DEFAULT '', post_type varchar(20) NOT NULL DEFAULT 'post');
CREATE TABLE wp_terms (term_id bigint PRIMARY KEY, name varchar(200) NOT NULL, slug varchar(200) NOT NULL);
CREATE TABLE wp_term_taxonomy (term_taxonomy_id bigint PRIMARY KEY, term_id bigint NOT NULL, taxonomy varchar(32) NOT NULL,
  parent bigint NOT NULL DEFAULT 0);
CREATE TABLE wp_term_relationships (object_id bigint NOT NULL, term_taxonomy_id bigint NOT NULL,
  PRIMARY KEY (object_id, term_taxonomy_id));
CREATE TABLE wp_options (option_name varchar(191) PRIMARY KEY, option_value longtext NOT NULL);
CREATE TABLE wp_icl_translations (translation_id bigint PRIMARY KEY, element_type varchar(60) NOT NULL, element_id bigint,
  trid bigint NOT NULL, language_code varchar(7) NOT NULL, source_language_code varchar(7));
INSERT INTO wp_options VALUES ('home', 'https://khanhhoa.example');
INSERT INTO wp_posts (ID, post_date_gmt, post_modified_gmt, post_content, post_title) VALUES
  (4, '2026-11-16 02:00:00', '2026-11-16 02:00:00', '', 'Tiêm chủng'), (5, '2026-11-16 02:00:00', '2026-11-16 02:00:00', '', 'Phòng dịch'),
  (9, '2026-11-18 02:00:00', '2026-11-18 02:00:00', '', 'Vaccination'), (11, '2026-11-18 02:00:00', '2026-11-18 02:00:00', '', 'Visitors');
INSERT INTO wp_terms VALUES (1, 'Tiếng Việt', 'vi'), (2, 'English', 'en'), (3, 'pll_650a', 'pll_650a'), (6, 'vi', 'vi');
INSERT INTO wp_term_taxonomy (term_taxonomy_id, term_id, taxonomy) VALUES (1, 1, 'language'), (2, 2, 'language'),
  (3, 3, 'post_translations'), (6, 6, 'category');
INSERT INTO wp_term_relationships VALUES (4, 1), (5, 1), (9, 2), (11, 2), (4, 3), (9, 3), (11, 6);
INSERT INTO wp_icl_translations VALUES (1, 'post_post', 4, 70, 'vi', NULL), (2, 'post_post', 9, 70, 'en', 'vi'),
  (3, 'post_post', 5, 71, 'vi', NULL), (4, 'post_post', 11, 72, 'en', NULL), (5, 'post_page', 5, 72, 'vi', NULL);
"""


@pytest.mark.parametrize("plugin", ["polylang", "wpml"])
def test_wordpress_tells_of_what_a_post_is_the_translation(in_mariadb: Database, tmp_path: Path, plugin: str) -> None:
    in_mariadb.run(WORDPRESS, "wordpress")

    found = listed(in_mariadb, tmp_path, "wordpress", translations=plugin)

    assert {title: (item.language, item.translation_of) for title, item in found.items()} == {
        "Tiêm chủng": ("vi", ""),
        "Phòng dịch": ("vi", ""),
        "Vaccination": ("en", "4"),
        "Visitors": ("en", ""),
    }


# --- Drupal -----------------------------------------------------------------------------------

DRUPAL = """
CREATE TABLE node_field_data (nid int unsigned NOT NULL, vid int unsigned NOT NULL, type varchar(32) NOT NULL,
  langcode varchar(12) NOT NULL, status tinyint NOT NULL, uid int unsigned NOT NULL, title varchar(255) NOT NULL,
  created int NOT NULL, changed int NOT NULL, default_langcode tinyint NOT NULL, PRIMARY KEY (nid, langcode));
CREATE TABLE node_field_revision (nid int unsigned NOT NULL, vid int unsigned NOT NULL, langcode varchar(12) NOT NULL,
  status tinyint NOT NULL, default_langcode tinyint NOT NULL, PRIMARY KEY (vid, langcode));
CREATE TABLE node_revision (nid int unsigned NOT NULL, vid int unsigned PRIMARY KEY, langcode varchar(12) NOT NULL,
  revision_timestamp int);
CREATE TABLE users_field_data (uid int unsigned NOT NULL, langcode varchar(12) NOT NULL, name varchar(60) NOT NULL,
  default_langcode tinyint NOT NULL, PRIMARY KEY (uid, langcode));
CREATE TABLE taxonomy_term_field_data (tid int unsigned NOT NULL, vid varchar(32) NOT NULL, langcode varchar(12) NOT NULL,
  status tinyint NOT NULL, name varchar(255) NOT NULL, default_langcode tinyint NOT NULL, PRIMARY KEY (tid, langcode));
CREATE TABLE node__body (bundle varchar(128) NOT NULL DEFAULT '', deleted tinyint NOT NULL DEFAULT 0, entity_id int unsigned NOT NULL,
  revision_id int unsigned NOT NULL, langcode varchar(32) NOT NULL DEFAULT '', delta int unsigned NOT NULL, body_value longtext NOT NULL);
CREATE TABLE node__field_don_vi (bundle varchar(128) NOT NULL DEFAULT '', deleted tinyint NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL, revision_id int unsigned NOT NULL, langcode varchar(32) NOT NULL DEFAULT '',
  delta int unsigned NOT NULL, field_don_vi_target_id int unsigned NOT NULL);
CREATE TABLE node__field_domain_access (bundle varchar(128) NOT NULL DEFAULT '', deleted tinyint NOT NULL DEFAULT 0,
  entity_id int unsigned NOT NULL, revision_id int unsigned NOT NULL, langcode varchar(32) NOT NULL DEFAULT '',
  delta int unsigned NOT NULL, field_domain_access_target_id varchar(255) NOT NULL);
INSERT INTO users_field_data VALUES (3, 'vi', 'Sở Y tế', 1), (3, 'en', 'Health', 0);
INSERT INTO taxonomy_term_field_data VALUES (5, 'don_vi', 'vi', 1, 'Sở Tư pháp', 1), (5, 'en', 'en', 1, 'Justice', 0);
"""
NODES = [
    # nid, title, type, state now, "Authored on", revisions: when saved and whether published
    (1, "Mới", "article", 1, "11-16", [("11-16", 1)]),
    (2, "Gỡ xuống", "article", 0, "11-16", [("11-16", 1), ("11-17", 0)]),
    (3, "Nháp chín dần", "article", 1, "11-02", [("11-02", 0), ("11-12", 1), ("11-14", 1)]),
    (4, "Lùi ngày", "article", 1, "10-01", [("11-16", 1)]),
    (5, "Đăng lại", "article", 1, "11-16", [("10-01", 1), ("11-16", 1)]),
    (6, "Nháp", "article", 0, "11-16", [("11-16", 0)]),
    (7, "Trang", "page", 1, "11-16", [("11-16", 1)]),
]


def _drupal() -> str:
    script = DRUPAL
    for nid, title, kind, status, authored, revisions in NODES:
        script += (
            f"INSERT INTO node_field_data VALUES ({nid}, {nid}0, '{kind}', 'vi', {status}, 3, '{title}', {unix(authored)},"
            f" {unix('11-17')}, 1);"
            f"INSERT INTO node__body VALUES ('{kind}', 0, {nid}, 1, 'vi', 0, '<p>Nội dung</p>');"
            f"INSERT INTO node__field_don_vi VALUES ('{kind}', 0, {nid}, 1, 'vi', 0, 5);"
            f"INSERT INTO node__field_domain_access VALUES ('{kind}', 0, {nid}, 1, 'vi', 0, 'so_y_te'),"
            f" ('{kind}', 0, {nid}, 1, 'vi', 1, 'cong');"
        )
        for number, (saved, is_published) in enumerate(revisions):
            script += (
                f"INSERT INTO node_revision VALUES ({nid}, {nid}{number}, 'vi', {unix(saved) + 60});"
                f"INSERT INTO node_field_revision VALUES ({nid}, {nid}{number}, 'vi', {is_published}, 1);"
            )
    return script + (
        f"INSERT INTO node_field_data VALUES (1, 18, 'article', 'en', 1, 3, 'New', {unix('11-18')}, {unix('11-18')}, 0),"
        f" (3, 38, 'article', 'en', 0, 3, 'Ripe', {unix('11-18')}, {unix('11-18')}, 0);"
        f"INSERT INTO node_revision VALUES (1, 18, 'en', {unix('11-18') + 60});"
        "INSERT INTO node_field_revision VALUES (1, 18, 'vi', 1, 1), (1, 18, 'en', 1, 0);"
    )


def test_drupal_lists_published_nodes_once_and_takes_their_first_publication_from_revisions(
    database: Database, tmp_path: Path
) -> None:
    database.run(_drupal(), "drupal")

    found = listed(database, tmp_path, "drupal", types=["article"], site="https://khanhhoa.example")

    assert times(found) == {
        "Mới": ("11-16", "11-16"),
        "Nháp chín dần": ("11-12", "11-12"),
        "Lùi ngày": ("10-01", "11-16"),
        "Đăng lại": ("11-16", "10-01"),
    }
    new = found["Mới"]
    assert (new.unit_name, new.language, new.body) == ("Sở Y tế", "vi", "Nội dung")
    assert (new.url, new.external_id) == ("https://khanhhoa.example/node/1", "1")
    assert set(listed(database, tmp_path, "drupal")) == {*found, "Trang"}
    english = listed(database, tmp_path, "drupal", language="en")
    assert times(english) == {"New": ("11-18", "11-18")}
    assert (english["New"].translation_of, found["Mới"].translation_of) == ("1", "")


@pytest.mark.parametrize(
    ("settings", "unit"),
    [
        ({"unit_from": "term", "unit_field": "field_don_vi"}, "Sở Tư pháp"),
        ({"unit_from": "domain"}, "so_y_te"),
    ],
)
def test_drupal_names_the_unit_by_a_term_or_a_domain(
    database: Database, tmp_path: Path, settings: dict[str, object], unit: str
) -> None:
    database.run(_drupal(), "drupal")

    found = listed(database, tmp_path, "drupal", bodies=False, **settings)

    assert {(item.unit_name, item.body) for item in found.values()} == {(unit, None)}


# --- Joomla -----------------------------------------------------------------------------------

JOOMLA = """
CREATE TABLE `jos_content` (`id` int unsigned PRIMARY KEY, `title` varchar(255) NOT NULL DEFAULT '', `introtext` mediumtext NOT NULL,
  `fulltext` mediumtext NOT NULL, `state` tinyint NOT NULL DEFAULT 0, `catid` int unsigned NOT NULL DEFAULT 0,
  `created` datetime NOT NULL, `created_by` int unsigned NOT NULL DEFAULT 0, `modified` datetime NOT NULL,
  `publish_up` datetime NULL DEFAULT NULL, `publish_down` datetime NULL DEFAULT NULL, `access` int unsigned NOT NULL DEFAULT 0,
  `language` char(7) NOT NULL);
CREATE TABLE `jos_categories` (`id` int unsigned PRIMARY KEY, `lft` int NOT NULL DEFAULT 0, `rgt` int NOT NULL DEFAULT 0,
  `level` int unsigned NOT NULL DEFAULT 0, `extension` varchar(50) NOT NULL DEFAULT '', `title` varchar(255) NOT NULL DEFAULT '',
  `published` tinyint NOT NULL DEFAULT 0, `access` int unsigned NOT NULL DEFAULT 0);
CREATE TABLE `jos_associations` (`id` int NOT NULL, `context` varchar(50) NOT NULL, `key` char(32) NOT NULL,
  PRIMARY KEY (`context`, `id`));
INSERT INTO `jos_associations` VALUES (1, 'com_content.item', 'a1'), (4, 'com_content.item', 'a1'), (4, 'com_menus.item', 'b1'),
  (2, 'com_menus.item', 'b1');
CREATE TABLE `jos_users` (`id` int unsigned PRIMARY KEY, `name` varchar(400) NOT NULL DEFAULT '');
INSERT INTO `jos_users` VALUES (42, 'Sở Tư pháp');
INSERT INTO `jos_categories` VALUES (1, 0, 13, 0, 'system', 'ROOT', 1, 1), (8, 1, 4, 1, 'com_content', 'Sở Y tế', 1, 1),
  (9, 2, 3, 2, 'com_content', 'Tin của Sở', 1, 1), (10, 5, 8, 1, 'com_content', 'Bị ẩn', 0, 1),
  (11, 6, 7, 2, 'com_content', 'Dưới mục bị ẩn', 1, 1), (12, 9, 10, 1, 'com_content', 'Nội bộ', 1, 2);
"""
ARTICLES = [
    # title, state, category, from, until, access, language
    ("Mới", 1, 9, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Cho khách", 1, 8, "'2026-11-15 18:00:00'", "'2099-01-01 00:00:00'", 5, "*"),
    ("Không ghi từ khi nào", 1, 8, "NULL", "NULL", 1, "vi-VN"),
    ("English", 1, 8, "'2026-11-16 02:00:00'", "NULL", 1, "en-GB"),
    ("Chưa đăng", 0, 8, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Lưu trữ", 2, 8, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Bỏ đi", -2, 8, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Hẹn giờ", 1, 8, "'2099-01-01 00:00:00'", "NULL", 1, "vi-VN"),
    ("Hết hạn", 1, 8, "'2026-11-16 02:00:00'", "'2026-11-17 00:00:00'", 1, "vi-VN"),
    ("Mục bị ẩn", 1, 10, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Mục trên bị ẩn", 1, 11, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Mục nội bộ", 1, 12, "'2026-11-16 02:00:00'", "NULL", 1, "vi-VN"),
    ("Chỉ thành viên", 1, 8, "'2026-11-16 02:00:00'", "NULL", 2, "vi-VN"),
]


def test_joomla_lists_what_everybody_sees_in_local_days(database: Database, tmp_path: Path) -> None:
    rows = [
        f"({key}, '{title}', '<p>Mở đầu</p>', '<p>tiếp</p>', {state}, {category}, '2026-11-04 20:00:00', 42, '2026-11-16 02:00:00',"
        f" {start}, {end}, {access}, '{language}')"
        for key, (title, state, category, start, end, access, language) in enumerate(ARTICLES, 1)
    ]
    never = "0000-00-00 00:00:00" if database.name == "mariadb" else "1970-01-01 00:00:00"
    rows.append(
        f"(99, 'Của Joomla 3', '', '', 1, 8, '2026-11-09 20:00:00', 42, '{never}', '{never}', '{never}', 1, 'vi-VN')"
    )
    database.run(f"{JOOMLA} INSERT INTO `jos_content` VALUES {', '.join(rows)};", "joomla")

    found = listed(database, tmp_path, "joomla", prefix="jos_", site="https://khanhhoa.example/cong")

    assert times(found) == {
        "Mới": ("11-16", ""),
        "Cho khách": ("11-16", ""),
        "Không ghi từ khi nào": ("11-05", ""),
        "English": ("11-16", ""),
        "Của Joomla 3": ("11-10", ""),
    }
    new = found["Mới"]
    assert new.published_at == at("2026-11-16 09:00")
    assert (new.unit_name, new.language, new.body) == ("Tin của Sở", "vi", "Mở đầu tiếp")
    assert new.url == "https://khanhhoa.example/cong/index.php?option=com_content&view=article&id=1"
    assert {title: item.translation_of for title, item in found.items() if item.translation_of} == {"English": "1"}
    vietnamese = listed(database, tmp_path, "joomla", prefix="jos_", language="vi-VN", unit_level=1, bodies=False)
    assert {title: item.unit_name for title, item in vietnamese.items()} == dict.fromkeys(
        set(found) - {"English"}, "Sở Y tế"
    )
    by_author = listed(database, tmp_path, "joomla", prefix="jos_", unit_from="author")
    assert {item.unit_name for item in by_author.values()} == {"Sở Tư pháp"}


# --- Liferay ----------------------------------------------------------------------------------

LIFERAY = """
CREATE TABLE JournalArticle (ctCollectionId bigint DEFAULT 0 NOT NULL, id_ bigint NOT NULL, resourcePrimKey bigint, groupId bigint,
  userName varchar(75), createDate datetime(6), modifiedDate datetime(6), classNameId bigint, version double, urlTitle varchar(255),
  defaultLanguageId varchar(75), displayDate datetime(6), expirationDate datetime(6), status integer, statusDate datetime(6),
  PRIMARY KEY (id_, ctCollectionId));
CREATE TABLE JournalArticleLocalization (ctCollectionId bigint DEFAULT 0 NOT NULL, articleLocalizationId bigint NOT NULL,
  articlePK bigint, title varchar(800), languageId varchar(75), PRIMARY KEY (articleLocalizationId, ctCollectionId));
CREATE TABLE Group_ (ctCollectionId bigint DEFAULT 0 NOT NULL, groupId bigint NOT NULL, liveGroupId bigint, friendlyURL varchar(255),
  active_ bool, PRIMARY KEY (groupId, ctCollectionId));
INSERT INTO Group_ VALUES (0, 20, 0, '/so-y-te', TRUE), (0, 21, 20, '/so-y-te-staging', TRUE), (0, 22, 0, '/so-cu', FALSE),
  (0, 23, 0, '/so-tu-phap', TRUE);
"""
VERSIONS = [
    # article, title, group, version, displayed from, until, state, when it came to that state, publication, class
    (1, "Mới", 20, 1.0, "11-16", None, 0, "11-16", 0, 0),
    (2, "Bản một", 20, 1.0, "10-01", None, 0, "10-01", 0, 0),
    (2, "Bản mười", 20, 1.1, "11-16", None, 0, "11-16", 0, 0),
    (2, "Bản nháp", 20, 1.2, "11-18", None, 2, "11-18", 0, 0),
    (3, "Lùi ngày", 23, 1.0, "10-01", None, 0, "11-16", 0, 0),
    (4, "Bản đã hết hạn", 20, 1.0, "10-05", "10-06", 3, "10-05", 0, 0),
    (4, "Bản duyệt lại", 20, 1.1, "11-16", None, 0, "11-16", 0, 0),
    (5, "Chờ duyệt", 20, 1.0, "11-16", None, 1, "11-16", 0, 0),
    (6, "Nháp", 20, 1.0, "11-16", None, 2, "11-16", 0, 0),
    (7, "Hết hạn", 20, 1.0, "11-16", "11-17", 3, "11-17", 0, 0),
    (8, "Đã qua hạn mà chưa quét", 20, 1.0, "11-16", "11-17", 0, "11-16", 0, 0),
    (9, "Hẹn giờ", 20, 1.0, "11-16", None, 7, "11-16", 0, 0),
    (10, "Bỏ đi", 20, 1.0, "11-16", None, 8, "11-16", 0, 0),
    (11, "Bản tập", 21, 1.0, "11-16", None, 0, "11-16", 0, 0),
    (12, "Của trang đã đóng", 22, 1.0, "11-16", None, 0, "11-16", 0, 0),
    (13, "Của một đợt phát hành", 20, 1.0, "11-16", None, 0, "11-16", 5, 0),
    (14, "Mẫu", 20, 1.0, "11-16", None, 0, "11-16", 0, 30),
]


def test_liferay_lists_each_article_once_by_its_newest_approved_version(database: Database, tmp_path: Path) -> None:
    script = LIFERAY
    for key, (article, title, group, version, shown, until, status, since, publication, kind) in enumerate(VERSIONS, 1):
        end = f"'2026-{until} 02:00:00'" if until else "NULL"
        script += (
            f"INSERT INTO JournalArticle VALUES ({publication}, {key}, {article}, {group}, 'Sở Xây dựng', '2026-09-01 02:00:00',"
            f" '2026-11-18 02:00:00', {kind}, {version}, 'bai-{article}', 'vi_VN', '2026-{shown} 02:00:00', {end}, {status},"
            f" '2026-{since} 02:00:00.123');"
            f"INSERT INTO JournalArticleLocalization VALUES ({publication}, {key}0, {key}, '{title}', 'vi_VN');"
        )
    script += (
        "INSERT INTO JournalArticleLocalization VALUES (0, 19, 1, 'New', 'en_US');"
        # A publication that changes an article has a row with the article's own key.
        "INSERT INTO JournalArticle SELECT 5, id_, resourcePrimKey, groupId, userName, createDate, modifiedDate, classNameId, version,"
        " urlTitle, defaultLanguageId, displayDate, expirationDate, status, statusDate FROM JournalArticle WHERE id_ = 1;"
    )
    database.run(script, "liferay")

    found = listed(database, tmp_path, "liferay", site="https://khanhhoa.example")

    assert times(found) == {
        "Mới": ("11-16", "11-16"),
        "Bản mười": ("11-16", "10-01"),
        "Lùi ngày": ("10-01", "11-16"),
        "Bản duyệt lại": ("11-16", "10-05"),
    }
    new = found["Mới"]
    assert new.published_at == at("2026-11-16 09:00")
    assert (new.unit_name, new.language, new.url) == ("so-y-te", "vi", "https://khanhhoa.example/web/so-y-te/-/bai-1")
    assert set(listed(database, tmp_path, "liferay", language="en_US")) == {"New"}
    justice = listed(database, tmp_path, "liferay", sites=["/so-tu-phap"], unit_from="author")
    assert {title: item.unit_name for title, item in justice.items()} == {"Lùi ngày": "Sở Xây dựng"}


# --- read-only --------------------------------------------------------------------------------


def test_the_session_writes_nothing_with_an_account_that_may(database: Database, tmp_path: Path) -> None:
    database.run("CREATE TABLE t (id int); GRANT INSERT ON t TO reader@localhost;", "readonly")
    (tmp_path / "reader").write_text(SECRET)
    (tmp_path / "reader").chmod(0o600)

    with (
        pytest.raises(DatabaseUnavailable, match=r"(?i)read[ -]only"),
        reading(database.url("readonly"), Reference(file=tmp_path / "reader"), tmp_path) as connection,
    ):
        connection.execution_options(stream_results=False).exec_driver_sql("INSERT INTO t VALUES (1)")


# --- locked -----------------------------------------------------------------------------------


def test_a_table_that_others_have_locked_is_given_up_soon(in_postgresql: InPostgreSql, tmp_path: Path) -> None:
    in_postgresql.run("CREATE TABLE t (id int);", "locked")
    (tmp_path / "reader").write_text(SECRET)
    (tmp_path / "reader").chmod(0o600)
    holder = threading.Thread(target=in_postgresql.hold, args=("LOCK TABLE t IN ACCESS EXCLUSIVE MODE", "locked", 12))
    holder.start()
    time.sleep(1)  # until it has the lock

    began = time.monotonic()
    with (
        pytest.raises(DatabaseUnavailable, match="lock timeout"),
        reading(in_postgresql.url("locked"), Reference(file=tmp_path / "reader"), tmp_path) as connection,
    ):
        connection.exec_driver_sql("SELECT id FROM t").all()

    assert 4 < time.monotonic() - began < 9
    holder.join()


def test_a_file_that_others_have_locked_is_given_up_soon(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "portal.sqlite", isolation_level=None)) as other:
        other.execute("CREATE TABLE t (id int)")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with (
            pytest.raises(DatabaseUnavailable, match="database is locked"),
            reading("sqlite:///portal.sqlite", None, tmp_path) as connection,
        ):
            connection.exec_driver_sql("SELECT id FROM t").all()

    assert 4 < time.monotonic() - began < 9
