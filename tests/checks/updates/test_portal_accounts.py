"""Who can work in a portal, from tables as the products make them, in MariaDB and PostgreSQL; and the audit that follows.

The tables have the products' own names and columns, as far as the queries need them; their origins are those of
test_product_queries.py, and wp-admin/includes/schema.php of WordPress.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.updates.accounts import can_tell, portal_accounts
from commands.cli.entry import run
from portalops.config.tables import KindTable
from portalops.errors import ExitCode, PortalOpsError
from portalops.model.portal_accounts import PortalAccounts
from tests.checks.updates.scene import ZONE
from tests.checks.updates.test_product_queries import (
    SECRET,
    Database,
    database,  # noqa: F401  # a fixture
    in_mariadb,  # noqa: F401  # as above
    in_postgresql,  # noqa: F401  # as above
)

pytestmark = pytest.mark.heavy

CANARY = "$P$BCanaryKhanhHoa2026canary"
NOW = datetime.now(UTC).replace(microsecond=0)
RECENT, LONG_AGO = (int((NOW - timedelta(days=days)).timestamp()) for days in (3, 90))

WORDPRESS = f"""
CREATE TABLE wp_users (ID bigint PRIMARY KEY, user_login varchar(60) NOT NULL, user_pass varchar(255) NOT NULL DEFAULT '{CANARY}');
CREATE TABLE wp_usermeta (user_id bigint NOT NULL, meta_key varchar(255), meta_value longtext);
INSERT INTO wp_users (ID, user_login) VALUES (1, 'an'), (2, 'bien_tap'), (3, 'doc_gia'), (4, 'khong_quyen');
INSERT INTO wp_usermeta VALUES (1, 'wp_capabilities', 'a:1:{{s:13:"administrator";b:1;}}'),
  (2, 'wp_capabilities', 'a:2:{{s:6:"editor";b:1;s:6:"author";b:1;}}'), (3, 'wp_capabilities', 'a:1:{{s:10:"subscriber";b:1;}}'),
  (4, 'wp_capabilities', 'a:0:{{}}'), (1, 'wp-last-login', '{RECENT}');
"""
DRUPAL = f"""
CREATE TABLE users_field_data (uid int unsigned NOT NULL, langcode varchar(12) NOT NULL, name varchar(60) NOT NULL,
  pass varchar(255), status tinyint NOT NULL, access int NOT NULL, login int, default_langcode tinyint NOT NULL);
CREATE TABLE user__roles (bundle varchar(128) NOT NULL DEFAULT '', deleted tinyint NOT NULL DEFAULT 0, entity_id int unsigned NOT NULL,
  roles_target_id varchar(255) NOT NULL);
INSERT INTO users_field_data VALUES (0, 'vi', '', NULL, 0, 0, 0, 1), (1, 'vi', 'goc', '{CANARY}', 1, {RECENT}, {RECENT}, 1),
  (2, 'vi', 'an', '{CANARY}', 1, 0, {LONG_AGO}, 1), (3, 'vi', 'bien_tap', '{CANARY}', 0, 0, 0, 1), (4, 'vi', 'doc_gia', '{CANARY}', 1, 0, 0, 1);
INSERT INTO user__roles (entity_id, roles_target_id) VALUES (2, 'administrator'), (2, 'editor'), (3, 'editor');
"""
JOOMLA = f"""
CREATE TABLE `jos_users` (`id` int unsigned PRIMARY KEY, `username` varchar(150) NOT NULL, `password` varchar(100) NOT NULL DEFAULT '{CANARY}',
  `block` tinyint NOT NULL DEFAULT 0, `lastvisitDate` datetime NULL DEFAULT NULL);
CREATE TABLE `jos_user_usergroup_map` (`user_id` int unsigned NOT NULL, `group_id` int unsigned NOT NULL);
CREATE TABLE `jos_usergroups` (`id` int unsigned PRIMARY KEY, `title` varchar(100) NOT NULL);
INSERT INTO `jos_users` (`id`, `username`, `block`, `lastvisitDate`) VALUES (1, 'goc', 0, '2026-11-20 02:00:00'), (2, 'an', 1, NULL),
  (3, 'doc_gia', 0, NULL);
INSERT INTO `jos_usergroups` VALUES (2, 'Registered'), (4, 'Editor'), (8, 'Super Users');
INSERT INTO `jos_user_usergroup_map` VALUES (1, 8), (1, 2), (2, 4), (3, 2);
"""
LIFERAY = """
CREATE TABLE User_ (userId bigint PRIMARY KEY, screenName varchar(75), password_ varchar(75), status integer, loginDate datetime(6),
  lastLoginDate datetime(6));
CREATE TABLE Users_Roles (userId bigint NOT NULL, roleId bigint NOT NULL);
CREATE TABLE UserGroupRole (userGroupRoleId bigint PRIMARY KEY, userId bigint, groupId bigint, roleId bigint);
CREATE TABLE Role_ (roleId bigint PRIMARY KEY, name varchar(75));
INSERT INTO Role_ VALUES (1, 'Administrator'), (2, 'User'), (3, 'Site Content Reviewer');
INSERT INTO User_ VALUES (1, 'goc', 'x', 0, '2026-11-20 02:00:00', NULL), (2, 'an', 'x', 5, NULL, NULL), (3, 'doc_gia', 'x', 0, NULL, NULL);
INSERT INTO Users_Roles VALUES (1, 1), (1, 2), (2, 2), (3, 2);
INSERT INTO UserGroupRole VALUES (1, 2, 20, 3);
"""
NUKEVIET = f"""
CREATE TABLE nv4_users (userid int unsigned PRIMARY KEY, username varchar(100) NOT NULL, password varchar(150) NOT NULL DEFAULT '{CANARY}',
  active tinyint NOT NULL DEFAULT 1, last_login int unsigned NOT NULL DEFAULT 0);
CREATE TABLE nv4_authors (admin_id int unsigned PRIMARY KEY, lev tinyint NOT NULL DEFAULT 0, is_suspend tinyint NOT NULL DEFAULT 0,
  last_login int unsigned NOT NULL DEFAULT 0);
INSERT INTO nv4_users (userid, username, active, last_login) VALUES (1, 'goc', 1, 0), (2, 'an', 1, 0), (3, 'doc_gia', 1, {RECENT});
INSERT INTO nv4_authors VALUES (1, 1, 0, {RECENT}), (2, 3, 1, 0);
"""


def asked(server: Database, folder: Path, product: str, **settings: object) -> PortalAccounts:
    (folder / "reader").write_text(SECRET)
    (folder / "reader").chmod(0o600)
    values = {"channel": "portal", "url": server.url(product), "password": {"file": "reader"}, "product": product}
    table = KindTable.alone("cong", "sql", values | settings, folder)
    assert can_tell(table)
    return portal_accounts("cong", table, zone=ZONE)


def shape(found: PortalAccounts) -> dict[str, tuple[tuple[str, ...], bool, bool, bool]]:
    """Roles, whether an admin, whether open, whether ever used; by name."""
    return {
        each.name: (each.roles, each.is_admin, each.is_open, each.last_login_at is not None) for each in found.accounts
    }


def test_wordpress_tells_roles_and_knows_logins_where_a_plugin_keeps_them(in_mariadb: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    in_mariadb.run(WORDPRESS, "wordpress")

    found = asked(in_mariadb, tmp_path, "wordpress")
    in_mariadb.run(WORDPRESS.replace("wp-last-login", "other"), "wordpress")
    without = asked(in_mariadb, tmp_path, "wordpress")

    assert shape(found) == {
        "an": (("administrator",), True, True, True),
        "bien_tap": (("author", "editor"), False, True, False),
    }
    assert (found.keeps_logins, without.keeps_logins) == (True, False)
    assert CANARY not in repr(found)


def test_drupal_tells_roles_and_that_the_first_account_may_do_all(database: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    database.run(DRUPAL, "drupal")

    found = asked(database, tmp_path, "drupal")

    assert shape(found) == {
        "an": (("administrator", "editor"), True, True, True),
        "bien_tap": (("editor",), False, False, False),
        "goc": (("uid 1",), True, True, True),
    }
    assert CANARY not in repr(found)


def test_joomla_tells_groups_beyond_those_of_readers(database: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    database.run(JOOMLA, "joomla")

    assert shape(asked(database, tmp_path, "joomla", prefix="jos_")) == {
        "an": (("Editor",), False, False, False),
        "goc": (("admin",), True, True, True),
    }


def test_liferay_tells_roles_of_the_portal_and_of_sites(database: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    database.run(LIFERAY, "liferay")

    assert shape(asked(database, tmp_path, "liferay")) == {
        "an": (("Site Content Reviewer",), False, False, False),
        "goc": (("Administrator",), True, True, True),
    }


def test_nukeviet_tells_who_administers(in_mariadb: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    in_mariadb.run(NUKEVIET, "nukeviet")

    assert shape(asked(in_mariadb, tmp_path, "nukeviet")) == {
        "an": (("lev 3",), False, False, False),
        "goc": (("lev 1",), True, True, True),
    }


def test_tables_that_the_account_may_not_read_are_an_error(database: Database, tmp_path: Path) -> None:  # noqa: F811  # a fixture
    database.run("CREATE TABLE other (id int);", "drupal")

    with pytest.raises(PortalOpsError, match="cong"):
        asked(database, tmp_path, "drupal")


def test_audit_holds_the_register_against_the_newest_look(
    in_mariadb: Database,  # noqa: F811  # a fixture
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_mariadb.run(DRUPAL.replace("'bien_tap', '$P$BCanaryKhanhHoa2026canary', 0", "'bien_tap', '', 1"), "drupal")
    (tmp_path / "reader").write_text(SECRET)
    (tmp_path / "reader").chmod(0o600)
    (tmp_path / "portalops.toml").write_text(
        f"""
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[updates.source]]
id = "cong"
kind = "sql"
product = "drupal"
channel = "portal"
url = "{in_mariadb.url("drupal")}"
password = {{ file = "reader" }}

[checks.declared.members.nguyen-van-an]
accounts = ["an"]
""",
        encoding="utf-8",
    )

    def said(*arguments: str, code: int) -> list[dict[str, str]]:
        capsys.readouterr()
        got = run(["--config", str(tmp_path / "portalops.toml"), *arguments, "--json"], {})
        text = capsys.readouterr()
        assert got == code, text.out + text.err
        data = json.loads(text.out)["data"]
        assert isinstance(data, list)
        return data

    def audited() -> set[tuple[str, str]]:
        found = said("credential", "audit", code=ExitCode.UNMET)
        return {(each["what"], each["name"]) for each in found if each["name"].startswith("portal:")}

    (never,) = (each for each in said("credential", "audit", code=ExitCode.PARTIAL) if each["name"] == "portal:cong")
    said("credential", "poll", code=ExitCode.OK)
    first = audited()
    add = ("credential", "add", "cong-an", "--system", "portal:cong", "--account", "an", "--kind", "password")
    run(["--config", str(tmp_path / "portalops.toml"), *add, "--holder", "nguyen-van-an"], {})
    run(["--config", str(tmp_path / "portalops.toml"), "credential", "leave", "nguyen-van-an"], {})
    second = audited()

    assert never["state"] == "unknown"
    assert first == {
        ("admin-unregistered", "portal:cong:goc"),
        ("admin-unregistered", "portal:cong:an"),
        ("unused", "portal:cong:an"),
        ("account-unknown", "portal:cong:bien_tap"),
        ("never-used", "portal:cong:bien_tap"),
    }
    assert second == (first - {("admin-unregistered", "portal:cong:an")}) | {
        ("account-of-leaver", "portal:cong:an"),
        ("mfa-missing", "portal:cong:an cong-an"),
    }
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert CANARY.encode() not in kept and SECRET.encode() not in kept
