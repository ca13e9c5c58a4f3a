"""What is declared of the servers, and for which of them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from checks.servers.declared import Declared


def test_nothing_declared_is_not_an_empty_declaration() -> None:
    own = Declared().find_host("web1")

    assert own.listeners is None
    assert own.admins is None
    assert own.writable == ("/",)


def test_host_replaces_what_it_names_and_keeps_the_rest() -> None:
    declared = Declared.model_validate(
        {"listeners": ["tcp/22"], "admins": ["an"], "host": {"web1": {"listeners": ["tcp/22", "tcp/443"]}}}
    )

    assert declared.find_host("web1").listeners == ("tcp/22", "tcp/443")
    assert declared.find_host("web1").admins == ("an",)
    assert declared.find_host("db1").listeners == ("tcp/22",)


@pytest.mark.parametrize(
    "values",
    [
        {"listeners": ["22"]},
        {"listeners": ["tcp/0"]},
        {"listners": []},
        {"admins": ["a b"]},
        {"support": "for ever"},
        {"host": {"web1": {"host": {}}}},
    ],
)
def test_wrong_declarations_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Declared.model_validate(values)
