"""One newsroom, seen in its database, its feed, its JSON and its site map: they agree on what is published, and when."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from checks.updates.sources import sitemap
from portalops.config.tables import KindTable
from portalops.system.web import HttpWeb
from tests.backups.mariadb.conftest import Server
from tests.checks.updates.newsroom import Portal
from tests.servers import free_port
from tests.wordpress import WordPress

SEED = Path(__file__).with_name("seed_newsroom.php")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HIDDEN = "Có mật khẩu"
"""It takes a password to read it: WordPress tells of it everywhere, the query does not."""


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
        time.sleep(1.1)  # its feed tells its age in whole seconds
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
    published = {"Y tế 3", "Y tế 5", "Y tế 8", "Y tế 12", "Y tế 20", "Tư pháp 4", "Tin mới đăng", "Tin lùi ngày"}
    assert set(items) == published
    assert {title: (item[2], item[3], item[4]) for title, item in items.items()} == {
        **{f"Y tế {days}": (today - timedelta(days=days), "C", frozenset({"baseline"})) for days in (3, 5, 8, 12)},
        "Y tế 20": (today - timedelta(days=20), "C", frozenset({"baseline", "touched"})),
        "Tư pháp 4": (today - timedelta(days=4), "C", frozenset({"baseline"})),
        "Tin mới đăng": (today, "A", frozenset()),
        "Tin lùi ngày": (today, "A", frozenset({"backdated"})),
    }
    assert {title: item[0] for title, item in items.items() if item[0] != "so-y-te"} == {"Tư pháp 4": "so-tu-phap"}
    # Where no text is given, a post of a new day may have been written anew.
    assert {title: item[1:] for title, item in by_author.items().items()} == {
        **{title: item[1:] for title, item in items.items()},
        "Y tế 20": (None, today, "A", frozenset({"rewritten"})),
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
def test_a_site_of_a_network_is_read_from_its_own_tables_and_a_post_of_many_categories_once(
    mariadb: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """WordPress gives each site of a network tables of the same shape under its number: here copies stand for them."""
    site = WordPress(mariadb, tmp_path / "site", database="network")
    site.run(SEED, "install")
    site.run(SEED, "first")
    copies = "".join(
        f"CREATE TABLE wp_3_{name} LIKE wp_{name}; INSERT INTO wp_3_{name} SELECT * FROM wp_{name};"
        for name in ("posts", "options", "terms", "term_taxonomy", "term_relationships")
    )
    category = "SELECT term_taxonomy_id FROM wp_3_term_taxonomy JOIN wp_3_terms USING (term_id) WHERE slug = 'don-vi'"
    mariadb.run(
        "SET SESSION sql_mode = ''; CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'chỉ đọc';"
        f"GRANT SELECT ON network.* TO reader@localhost; {copies}"
        "DELETE FROM wp_3_posts WHERE post_title NOT IN ('Y tế 3', 'Y tế 5');"
        f"INSERT INTO wp_3_term_relationships SELECT ID, ({category}), 0 FROM wp_3_posts;"
        "UPDATE wp_3_options SET option_value = 'Sở Tư pháp' WHERE option_name = 'blogname';"
        "UPDATE wp_3_posts SET post_date_gmt = '0000-00-00 00:00:00' WHERE post_title = 'Y tế 3'",
        database="network",
    )
    own = (
        'kind = "sql"\nproduct = "wordpress"\nblog = 3\npassword = { file = "reader" }\n'
        f'url = "mysql+pymysql://reader@localhost/network?unix_socket={mariadb.socket}"\n'
    )

    units = {}
    for name, how in (("site", 'unit_from = "site"\n'), ("under", 'unit_parent = "don-vi"\n'), ("any", "")):
        portal = Portal(tmp_path / f"by-{name}", capsys, own + how)
        portal.collect()
        items = portal.items()
        units[name] = {title: item[0] for title, item in items.items()}

    assert units == {
        "site": {"Y tế 3": "so-tu-phap", "Y tế 5": "so-tu-phap"},
        "under": {"Y tế 3": "so-y-te", "Y tế 5": "so-y-te"},
        "any": {"Y tế 3": "so-y-te", "Y tế 5": "so-y-te"},  # the other category is no unit's
    }
    assert items["Y tế 3"][1] is None and "no-date" in items["Y tế 3"][4]
