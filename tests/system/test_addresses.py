"""Which names and addresses are this machine's own, so that nothing on it is taken for out of reach."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from portalops.system.addresses import is_this_machine, names_of, own_addresses

HOSTS = """127.0.0.1\tlocalhost
127.0.1.1 cong.khanhhoa.gov.vn cong  # Debian's line for the machine's own name
192.0.2.7 tsa.khanhhoa.gov.vn TSA
203.0.113.9 so.khanhhoa.gov.vn
::1 ip6-localhost
not-an-address cong2
"""


@pytest.mark.parametrize("server", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "cong.localhost", "LOCALHOST."])
def test_loopback_is_this_machine(server: str) -> None:
    assert is_this_machine(server)


def test_each_address_of_an_interface_is_this_machine() -> None:
    assert all(is_this_machine(str(address)) for address in own_addresses())


def test_the_machines_own_name_is_this_machine(tmp_path: Path) -> None:
    assert is_this_machine(socket.gethostname().upper() + ".", hosts=tmp_path / "absent")


def test_a_name_that_the_hosts_file_gives_to_an_own_address_is_this_machine(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(HOSTS, encoding="utf-8")

    assert is_this_machine("CONG.khanhhoa.gov.vn", hosts=hosts)
    assert not is_this_machine("so.khanhhoa.gov.vn", hosts=hosts)


def test_names_are_those_of_loopback_and_of_the_given_addresses() -> None:
    found = set(names_of([ip_address("192.0.2.7")], HOSTS))

    assert found == {"localhost", "cong.khanhhoa.gov.vn", "cong", "tsa.khanhhoa.gov.vn", "tsa", "ip6-localhost"}


@pytest.mark.parametrize("server", ["198.51.100.254", "2001:db8::dead", "tsa.khanhhoa.example", ""])
def test_another_machine_is_not_this_one(server: str) -> None:
    assert not is_this_machine(server)
