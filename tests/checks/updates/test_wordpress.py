"""One newsroom, seen in its database, its feed, its JSON and its site map: they agree on what is published, and when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from checks.updates.sources import sitemap
from commands.app import run
from portalops.config.tables import KindTable
from portalops.system.web import HttpWeb
from tests.backups.mariadb.conftest import Server
from tests.servers import free_port
from tests.wordpress import WordPress

SEED = Path(__file__).with_name("seed_newsroom.php")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CONFIGURATION = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế", en = "Department of Health" }

[[unit]]
id = "so-tu-phap"
name = { vi = "Sở Tư pháp", en = "Department of Justice" }

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"

[[updates.source]]
id = "news"
channel = "subportal"
"""
HIDDEN = "Có mật khẩu"
"""It takes a password to read it: WordPress tells of it everywhere, the query does not."""


class Portal:
    """One way of looking at the site, with a ledger of its own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], settings: str) -> None:
        folder.mkdir()
        (folder / "reader").write_text("chỉ đọc")
        (folder / "reader").chmod(0o600)
        (folder / "portalops.toml").write_text(CONFIGURATION + settings, "utf-8")
        self._folder = folder
        self._capsys = capsys

    def call(self, *arguments: str) -> Any:
        run(["--json", "--config", str(self._folder / "portalops.toml"), *arguments], {})
        answer = json.loads(self._capsys.readouterr().out)
        assert answer["error"] is None, answer["error"]
        return answer["data"]

    def collect(self) -> None:
        (poll,) = self.call("updates", "collect")
        assert poll["ok"], poll["problem"]

    def items(self) -> dict[str, tuple[Any, ...]]:
        """Return the items by title: unit, what is claimed, the day that counts, grade and flags."""
        today = datetime.now(ZONE).date()
        found = self.call("updates", "list", "--period", f"{today - timedelta(days=40)}..{today}")
        return {
            one["title"]: (
                one["unit"],
                one["claimed_at"],
                one["counts_at"] and datetime.fromisoformat(one["counts_at"]).astimezone(ZONE).date(),
                one["grade"],
                frozenset(one["flags"]),
            )
            for one in found
        }


@pytest.mark.heavy
def test_database_feed_json_and_map_agree_on_what_is_published_and_on_the_days_that_count(
    mariadb: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = f"http://127.0.0.1:{(port := free_port())}"
    site = WordPress(mariadb, tmp_path / "site", database="newsroom", home=home)
    site.run(SEED, "install")
    site.run(SEED, "first")
    mariadb.run(
        "CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'chỉ đọc'; GRANT SELECT ON newsroom.* TO reader@localhost"
    )
    unit = mariadb.run("SELECT term_id FROM newsroom.wp_terms WHERE slug = 'so-y-te'").strip()
    database = (
        'kind = "sql"\nproduct = "wordpress"\n'
        f'url = "mysql+pymysql://reader@localhost/newsroom?unix_socket={mariadb.socket}"\npassword = {{ file = "reader" }}\n'
    )
    by_query = Portal(tmp_path / "query", capsys, f'{database}unit_parent = "don-vi"\n')
    by_author = Portal(tmp_path / "author", capsys, f'{database}unit_from = "author"\nbodies = false\n')
    by_feed = Portal(tmp_path / "feed", capsys, f'kind = "feed"\nurl = "{home}/feed/"\nunit_from = "category"\n')
    by_json = Portal(
        tmp_path / "json",
        capsys,
        f'kind = "json-feed"\nurl = "{home}/wp-json/wp/v2/posts?per_page=50&categories={unit}"\nunit = "so-y-te"\n',
    )
    portals = [by_query, by_author, by_feed, by_json]

    with site.served(port):
        for portal in portals:
            portal.collect()
        site.run(SEED, "second")
        for portal in portals:
            portal.collect()
        table = {"channel": "subportal", "url": f"{home}/wp-sitemap.xml", "paths": ["/*"]}
        map_of_site = sitemap.build("map", KindTable.alone("map", "sitemap", table, tmp_path), zone=ZONE, web=HttpWeb())
        shown = map_of_site.parse(map_of_site.fetch(etag="").data or b"", polled_at=datetime.now(ZONE))
        with urlopen(f"{home}/wp-json/wp/v2/posts?per_page=50") as answer:
            posts = json.load(answer)

    items = by_query.items()
    today = datetime.now(ZONE).date()
    published = {"Y tế 3", "Y tế 5", "Y tế 8", "Y tế 12", "Y tế 20", "Tư pháp 4", "Mới", "Lùi ngày"}
    assert set(items) == published
    assert {title: (item[2], item[3], item[4]) for title, item in items.items()} == {
        **{f"Y tế {days}": (today - timedelta(days=days), "C", frozenset({"baseline"})) for days in (3, 5, 8, 12)},
        "Y tế 20": (today - timedelta(days=20), "C", frozenset({"baseline", "touched"})),
        "Tư pháp 4": (today - timedelta(days=4), "C", frozenset({"baseline"})),
        "Mới": (today, "A", frozenset()),
        "Lùi ngày": (today, "A", frozenset({"backdated"})),
    }
    assert {title: item[0] for title, item in items.items() if item[0] != "so-y-te"} == {"Tư pháp 4": "so-tu-phap"}
    assert {title: item[1:] for title, item in by_author.items().items()} == {
        title: item[1:] for title, item in items.items()
    }
    assert {item[0] for item in by_author.items().values()} == {"so-tu-phap"}

    assert _readable(by_feed) == items
    assert _readable(by_json) == {title: item for title, item in items.items() if item[0] == "so-y-te"}
    links = {post["link"] for post in posts}
    assert len(links) == len(published) + 1
    assert {item.url for item in shown.items} & links == links


def _readable(portal: Portal) -> dict[str, tuple[Any, ...]]:
    items = portal.items()
    assert any(HIDDEN in title for title in items)
    return {title: item for title, item in items.items() if HIDDEN not in title}


@pytest.mark.heavy
def test_a_site_of_a_network_is_read_from_its_own_tables(
    mariadb: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tables are those that WordPress itself makes for a site of a network; it runs no network here."""
    site = WordPress(mariadb, tmp_path / "site", database="network")
    site.run(SEED, "install")
    site.run(SEED, "first")
    mariadb.run(
        "CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'chỉ đọc'; GRANT SELECT ON network.* TO reader@localhost"
    )
    for name in ("posts", "options", "terms", "term_taxonomy", "term_relationships"):
        mariadb.run(
            f"CREATE TABLE wp_3_{name} LIKE wp_{name}; INSERT INTO wp_3_{name} SELECT * FROM wp_{name}",
            database="network",
        )
    mariadb.run("UPDATE wp_3_options SET option_value = 'Sở Y tế' WHERE option_name = 'blogname';", database="network")
    mariadb.run("DELETE FROM wp_3_posts WHERE post_title <> 'Y tế 5'", database="network")
    portal = Portal(
        tmp_path / "query",
        capsys,
        'kind = "sql"\nproduct = "wordpress"\nblog = 3\nunit_from = "site"\npassword = { file = "reader" }\n'
        f'url = "mysql+pymysql://reader@localhost/network?unix_socket={mariadb.socket}"\n',
    )

    portal.collect()

    assert {title: item[0] for title, item in portal.items().items()} == {"Y tế 5": "so-y-te"}
