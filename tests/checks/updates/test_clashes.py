"""Units of one name and sources of one address, as a list or a hand may write them into the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.updates.clashes import name_clashes, source_clashes
from portalops.config.load import checked_text

HEAD = """
[portal]
id = "kh"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Portal" }
"""
UNITS = """
[[unit]]
id = "xa-mot"
name = { vi = "Xã Một" }
[[unit]]
id = "xa-hai"
name = { vi = "Xã Hai" }
"""


def _names(text: str) -> list[str]:
    return [str(each.message) for each in name_clashes(checked_text(Path("/etc/portalops.toml"), f"{HEAD}{text}"))]


def _sources(*tables: str) -> list[str]:
    head = "".join(f"[[updates.source]]\nid = 's{n}'\n{table}\n" for n, table in enumerate(tables))
    text = f"{HEAD}{UNITS}{head}"
    return [str(each.message) for each in source_clashes(checked_text(Path("/etc/portalops.toml"), text))]


@pytest.mark.parametrize(
    "other", ["Xã Hòa Trí", "Xã Hoà Trí", "UBND xã Hòa Trí", "uỷ ban nhân dân xã Hòa Trí, tỉnh Khánh Hòa"]
)
def test_two_units_of_one_name_are_refused_with_both_lines(other: str) -> None:
    said = _names(
        f'[[unit]]\nid = "m2"\nname = {{ vi = "Xã Hòa Trí" }}\n[[unit]]\nid = "m3"\nname = {{ vi = "{other}" }}\n'
    )

    assert said == [
        f"/etc/portalops.toml:10: the unit m3 has the name of unit m2 at /etc/portalops.toml:7: {other}",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('name = { vi = "Xã Diên An", en = "Dien An" }', 'name = { vi = "Xã Điền An", en = "Dien An" }'),
        ('name = { vi = "Sở Nội vụ" }\nvalid_to = 2025-02-28', 'name = { vi = "Sở Nội vụ" }\nvalid_from = 2025-03-01'),
        ('name = { vi = "Xã Hòa Trí" }', 'name = { vi = "Phường Hòa Trí" }'),
    ],
)
def test_units_that_a_name_tells_apart_are_no_clash(first: str, second: str) -> None:
    assert _names(f'[[unit]]\nid = "a"\n{first}\n[[unit]]\nid = "b"\n{second}\n') == []


@pytest.mark.parametrize(
    ("first", "second", "owners"),
    [
        (
            "kind='feed'\nchannel='portal'\nurl='https://cong.example/rss'",
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nurl='http://www.cong.example/rss/'",
            ("of unit xa-mot", "of the portal"),
        ),
        (
            "kind='feed'\nchannel='portal'\nfile='prov.xml'",
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nfile='./prov.xml'",
            ("of unit xa-mot", "of the portal"),
        ),
        (
            "kind='feed'\nchannel='subportal'\nunit='xa-hai'\nurl='https://hai.example/rss'",
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nurl='https://hai.example/rss'",
            ("of unit xa-mot", "of unit xa-hai"),
        ),
    ],
)
def test_one_address_as_the_source_of_two_owners_is_refused(first: str, second: str, owners: tuple[str, str]) -> None:
    (said,) = _sources(first, second)

    assert all(owner in said for owner in owners)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nurl='https://mot.example/rss'",
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nurl='https://mot.example/rss'",
        ),
        (
            "kind='feed'\nchannel='portal'\nurl='https://cong.example/rss'",
            "kind='sitemap'\nchannel='subportal'\nunit='xa-mot'\nurl='https://cong.example/rss'",
        ),
        (
            "kind='list-page'\nchannel='subportal'\nunit='xa-hai'\nurl='https://cong.example/xa'\nitem='#hai li'",
            "kind='list-page'\nchannel='subportal'\nunit='xa-mot'\nurl='https://cong.example/xa'\nitem='#mot li'",
        ),
        (
            "kind='feed'\nchannel='portal'\nurl='https://cong.example/rss?cat=1'",
            "kind='feed'\nchannel='subportal'\nunit='xa-mot'\nurl='https://cong.example/rss?cat=2'",
        ),
    ],
)
def test_one_address_that_shows_no_items_of_another_is_no_clash(first: str, second: str) -> None:
    assert _sources(first, second) == []
