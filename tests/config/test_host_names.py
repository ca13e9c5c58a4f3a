"""A host's address and account are given to programs: what could be more than a name is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.config import load
from portalops.errors import ConfigurationError

PORTAL = '[portal]\nid = "kh"\nname = { vi = "Cổng" }\n'


def loaded(folder: Path, host: str) -> str:
    file = folder / "portalops.toml"
    file.write_text(f'{PORTAL}[[host]]\nid = "web1"\n{host}\n', encoding="utf-8")
    return load(file, {}).hosts[0].address


@pytest.mark.parametrize(
    "address",
    [
        *("local", "web1", "web1.khanhhoa.gov.vn", "WEB_1.khanhhoa.gov.vn.", "máy-chủ.vn", "203.0.113.10"),
        *("2001:db8::10", "fe80::1%eth0", "a" * 63, "1.2.3.4.in-addr.arpa"),
    ],
)
def test_a_name_or_an_address_is_taken(tmp_path: Path, address: str) -> None:
    assert loaded(tmp_path, f'address = "{address}"') == address


@pytest.mark.parametrize(
    "address",
    [
        *("-oProxyCommand=touch x", "-web1", "$(id)", "`id`", "web1;id", "web1 id", "web1|id", "file:///etc", "/etc"),
        *("root@web1", "web1:22", "[2001:db8::10]", "a" * 64, "a..b", ".", "fe80::1%$(id)", "a\\\\b", "*"),
    ],
)
def test_what_is_neither_is_refused_with_its_place(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"portalops\.toml:6: host\.address") as raised:
        loaded(tmp_path, f'address = "{address}"')

    assert "neither a host name nor an address" in str(raised.value)


@pytest.mark.parametrize("user", ["root", "portalops", "DOMAIN\\\\admin", "web$", "nguyen.van-a"])
def test_the_name_of_an_account_is_taken(tmp_path: Path, user: str) -> None:
    assert loaded(tmp_path, f'address = "web1"\nuser = "{user}"')


@pytest.mark.parametrize("user", ["-l", "$(id)", "a b", "a@b", "a;b", "ro/ot"])
def test_what_is_no_name_of_an_account_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(ConfigurationError, match="not the name of an account"):
        loaded(tmp_path, f'address = "web1"\nuser = "{user}"')
