"""Whom the rules of pg_hba.conf let in: the first that fits decides, tried with the addresses that the rules name."""

from __future__ import annotations

import time

import pytest

from checks.servers.hba import HbaRole, HbaRule, admissions

ROLES = (
    HbaRole("postgres", frozenset({"postgres"}), may_replicate=True),
    HbaRole("portal", frozenset({"portal", "nhom"}), may_replicate=False),
)


def rules(text: str) -> list[HbaRule]:
    found = []
    for number, line in enumerate(text.strip().splitlines(), 1):
        kind, databases, users, *rest = line.split()
        address, _, prefix = rest[0].partition("/") if kind != "local" else ("", "", "")
        found.append(
            HbaRule(number, kind, tuple(databases.split(",")), tuple(users.split(",")), address, prefix, rest[-1])
        )
    return found


def trusted(text: str, listens: str = "*") -> set[tuple[str, str]]:
    found = admissions(rules(text), ROLES, ("portal", "postgres"), listens)
    return {(one.role, one.place) for one in found if one.rule.method == "trust"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("local all all trust", {("postgres", "local"), ("portal", "local")}),
        ("local all postgres peer\nlocal all all trust", {("portal", "local")}),
        ("local all all peer\nlocal all all trust", set()),
        ("local all all peer\nlocal replication all trust", {("postgres", "local")}),
        ("host all all 192.0.2.0/24 reject\nhost all all 192.0.2.0/24 trust", set()),
        ("host all all 192.0.2.0/25 reject\nhost all portal 192.0.2.0/24 trust", {("portal", "192.0.2.0/24")}),
        ("host all all 0.0.0.0/0 md5\nhost all portal all trust", {("portal", "all")}),
        ("host all all all reject\nhost all portal all trust", set()),
        ("hostssl all all all scram-sha-256\nhost all portal all trust", {("portal", "all")}),
        ("host all +nhom samenet trust", {("portal", "samenet")}),
        ("host all +nhom samenet reject\nhost all portal samenet trust", set()),
        ("host sameuser all all trust", {("portal", "all"), ("postgres", "all")}),
        ("host khac all all trust", set()),
        ("host all khach all trust", set()),
        ("host all /^por all trust", {("portal", "all")}),
    ],
)
def test_first_rule_that_fits_decides(text: str, found: set[tuple[str, str]]) -> None:
    assert trusted(text) == found


@pytest.mark.parametrize(
    ("listens", "text", "is_in"),
    [
        ("", "host all all all trust", False),
        ("localhost", "host all all 192.0.2.0/24 trust", False),
        ("localhost", "host all all 0.0.0.0/0 trust", True),
        ("127.0.0.1, 192.0.2.9", "host all all 192.0.2.0/24 trust", True),
    ],
)
def test_nobody_gets_in_where_the_server_does_not_listen(listens: str, text: str, is_in: bool) -> None:
    assert bool(trusted(text, listens)) is is_in


def test_many_roles_and_databases_are_judged_at_once() -> None:
    some = tuple(HbaRole(f"r{each}", frozenset({f"r{each}"}), may_replicate=False) for each in range(100))
    text = "".join(f"host d{each % 30} r{each},+nhom 192.0.{each}.0/24 reject\n" for each in range(60))
    began = time.process_time()

    found = list(admissions(rules(f"{text}host all all all trust"), some, [f"d{each}" for each in range(30)], "*"))

    assert {one.role for one in found} == {one.name for one in some}
    assert time.process_time() - began < 4
