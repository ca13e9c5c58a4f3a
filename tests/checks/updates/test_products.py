"""What a table may say of a product, and that nothing of it becomes more of the query than a name or a word."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from checks.updates.products import PRODUCTS
from checks.updates.sources import sql
from commands.cli.entry import run
from portalops.config.tables import KindTable
from portalops.errors import ConfigurationError, ExitCode
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import ZONE

SETTINGS = {name: product.settings for name, product in PRODUCTS.all()}
MYSQL = "mysql+pymysql://reader@db.example.vn/portal"
POSTGRESQL = "postgresql+psycopg://reader@db.example.vn/portal"
NEEDED: dict[str, dict[str, object]] = {"joomla": {"prefix": "jos_"}}
"""Keys that a product cannot do without."""
DOCUMENTED = (Path(__file__).parents[3] / "docs/configuration.md").read_text("utf-8")


def settings(product: str, **values: object) -> Any:
    """Return a table as its product reads it."""
    table = {"channel": "subportal", "url": MYSQL, "product": product, **NEEDED.get(product, {}), **values}
    return KindTable.alone("news", "sql", table, Path("/srv")).parse(sql.shape_of(table))


def refused(product: str, **values: object) -> str:
    """Return the error for a table, with its hint."""
    with pytest.raises(ConfigurationError) as caught:
        settings(product, **values)
    return f"{caught.value} / {caught.value.hint}"


@pytest.mark.parametrize("product", SETTINGS)
def test_each_product_gives_one_select_with_the_columns_of_the_kind(product: str) -> None:
    query = settings(product).statement()

    assert query.startswith("SELECT ")
    assert ";" not in query and "--" not in query
    given = re.findall(r" AS (\w+)", query)
    assert {*sql.REQUIRED, "unit", "modified_at"} <= set(given)
    assert "body" in given or product == "liferay"
    assert ("created_at" in given) == settings(product).keeps_creation


@pytest.mark.parametrize("product", SETTINGS)
def test_each_product_and_each_of_its_keys_is_documented(product: str) -> None:
    own = set(SETTINGS[product].model_fields)
    common = set.intersection(*(set(SETTINGS[one].model_fields) for one in SETTINGS))
    row = next(line for line in DOCUMENTED.splitlines() if line.startswith(f"| `{product}` |"))

    assert {f"`{key}`" for key in own - common} <= set(re.findall(r"`\w+`", row))
    assert f'product = "{product}"' in DOCUMENTED


def test_the_documented_examples_are_tables_of_their_products() -> None:
    (block,) = [one for one in re.findall(r"```toml\n(.*?)```", DOCUMENTED, re.DOTALL) if "product = " in one]
    tables = tomllib.loads(block)["updates"]["source"]

    for table in tables:
        assert settings(**{key: value for key, value in table.items() if key not in {"id", "kind"}}).statement()
    assert sorted(table["product"] for table in tables) == list(SETTINGS)


@pytest.mark.parametrize(
    ("product", "key"),
    [
        (product, key)
        for product in SETTINGS
        for key in SETTINGS[product].model_fields
        if key in {"prefix", "language", "module", "types", "unit_parent", "unit_field", "body_field", "sites", "site"}
    ],
)
@pytest.mark.parametrize("sign", ["'", '"', "`", ";", " ", "\\", ")", "é", "\n", "%s'--"])
def test_no_value_leaves_its_place_in_the_query(product: str, key: str, sign: str) -> None:
    good = {"site": "https://a.example", "sites": "/so-y-te"}.get(key, "tin")
    bad = f"{good}{sign}x"

    error = refused(product, **{key: [bad] if key in {"types", "sites"} else bad})

    assert re.search(
        rf"portalops\.toml:\d+: sql\.{key} (cannot be part|is not (a short name|the path|the address))", error
    )
    assert "Write" in error


@pytest.mark.parametrize(
    ("product", "values", "says"),
    [
        (
            "wordpres",
            {},
            'sql.product is not a product with a ready query: "wordpres" / '
            f"The products are: {', '.join(SETTINGS)}. For another one write a query instead.",
        ),
        (
            "wordpress",
            {"trust_created": True},
            "sql.trust_created cannot be true: editors can change every creation time",
        ),
        ("joomla", {"trust_created": True}, "items count from when they are first seen"),
        ("wordpress", {"blog": 0}, "sql.blog is below 1: 0"),
        ("wordpress", {"types": []}, "sql.types is empty"),
        ("wordpress", {"unit_from": "group"}, "sql.unit_from is not one of category, author, site"),
        ("wordpress", {"perfix": "wp_"}, "unknown key sql.perfix / Did you mean prefix?"),
        ("wordpress", {"query": "SELECT 1"}, "unknown key sql.query"),
        ("wordpress", {"url": POSTGRESQL}, "Its query is for MariaDB, MySQL; for another one write a query."),
        ("drupal", {"url": "sqlite:///portal.sqlite"}, "Its query is for MariaDB, MySQL, PostgreSQL"),
        ("drupal", {"unit_from": "term"}, "takes the unit from a term and names no unit_field"),
        ("joomla", {"unit_level": 0}, "sql.unit_level is below 1: 0"),
        ("joomla", {"prefix": "a" * 41}, "letters without marks, digits and _, at most 40"),
    ],
)
def test_what_is_wrong_is_told_with_key_value_and_remedy(product: str, values: dict[str, object], says: str) -> None:
    assert says in refused(product, **values)


def test_a_table_without_query_and_product_is_told_of_the_query() -> None:
    with pytest.raises(ConfigurationError, match=r"sql\.query is missing"):
        sql.build(
            "news",
            KindTable.alone("news", "sql", {"channel": "portal", "url": MYSQL}, Path("/srv")),
            zone=ZONE,
            web=HttpWeb(),
        )


def test_times_are_utc_unless_the_server_keeps_them_otherwise() -> None:
    assert str(settings("liferay").date_rules(ZONE).zone) == "UTC"
    assert str(settings("liferay", assume_tz="Asia/Ho_Chi_Minh").date_rules(ZONE).zone) == "Asia/Ho_Chi_Minh"


def test_the_site_of_a_network_has_tables_with_its_number() -> None:
    query = settings("wordpress", prefix="cms_", blog=7, unit_from="author").statement()

    assert set(re.findall(r"`(\w+)`", query)) == {"cms_7_posts", "cms_7_options", "cms_users"}


def test_tables_are_named_as_each_database_wants_it() -> None:
    assert " FROM `tin_node_field_data` n " in settings("drupal", prefix="tin_").statement()
    assert ' FROM "tin_node_field_data" n ' in settings("drupal", prefix="tin_", url=POSTGRESQL).statement()


def test_a_whole_configuration_is_checked_with_the_product_of_each_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "portalops.toml"
    file.write_text(
        '[portal]\nid = "khanhhoa"\nname = { vi = "Cổng", en = "Portal" }\ntimezone = "Asia/Ho_Chi_Minh"\n'
        'rulebook = "kh-37-2010"\n[state]\nfolder = "state"\n[[updates.source]]\nid = "news"\nkind = "sql"\n'
        f'channel = "portal"\nurl = "{MYSQL}"\nproduct = "joomla"\nprefix = "jos_; DROP TABLE jos_content"\n',
        "utf-8",
    )

    code = run(["--json", "--config", str(file), "config", "check"], {})
    told = json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False)

    assert code == ExitCode.CONFIGURATION
    assert ":14: updates.source.prefix cannot be part of a table's name" in told
