from __future__ import annotations

from portalops.system.accounts import account_name


def test_an_account_is_named_and_one_that_there_is_not_has_no_name() -> None:
    assert account_name(0) == "root"
    assert account_name(4_000_000_000) == ""
