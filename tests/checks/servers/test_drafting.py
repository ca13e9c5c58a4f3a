"""A draft of a host's approved state: it declares what was seen, and the host then passes by it."""

from __future__ import annotations

import tomllib
from datetime import timedelta

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.drafting import PROBES, draft
from checks.servers.facts import Facts, facts_from
from checks.servers.gather import parse_answer
from checks.servers.judging import judge_again
from portalops.model.organisation import Host, HostId
from portalops.model.verdicts import CheckVerdict
from tests.checks.servers.samples import DEFAULT_AT, SAMPLES, as_answer

BY_DRAFT = (
    *("inventory.identity", "inventory.hosting", "inventory.addresses", "change.accounts", "change.autostart"),
    *("change.config", "change.repos", "acct.authorized-keys", "acct.shared"),
)
"""Checks that a host passes by a draft of its own answer alone."""


def sections(capture: str) -> str:
    """Return what a capture holds beside its notes."""
    text = (SAMPLES / f"{capture}.txt").read_text("utf-8", "surrogateescape")
    return text[text.index("<<<") :]


WHOLE = (
    *("inventory.identity/pass", "inventory.hosting/pass", "inventory.addresses/pass", "change.autostart/pass"),
    *("change.config/pass", "change.repos/pass", "acct.shared/pass"),
)
HOST = Host(HostId("web.1"), "192.0.2.1")


@pytest.fixture
def answer() -> bytes:
    text = "".join(sections(capture) for capture in WHOLE)
    accounts = sections("change.accounts/pass")
    return as_answer(text + accounts[accounts.index("<<<acct.group>>>") :])


def drafted(raw: bytes) -> str:
    found = facts_from(parse_answer(raw), {probe.id: probe for probe in PROBES})
    return draft(Facts(HOST, Declared().find_host(HOST.id), DEFAULT_AT, found))


def test_host_passes_by_the_draft_of_its_own_answer(answer: bytes) -> None:
    declared = Declared.model_validate(tomllib.loads(drafted(answer))["checks"]["declared"])

    later = DEFAULT_AT + timedelta(days=1)
    results = judge_again(answer, HOST, declared, later, some=chosen(ids=BY_DRAFT))

    assert {(one.check, one.verdict) for one in results} == {(name, CheckVerdict.PASS) for name in BY_DRAFT}


def test_draft_is_of_that_host_alone_and_begins_when_it_answered(answer: bytes) -> None:
    declared = Declared.model_validate(tomllib.loads(drafted(answer))["checks"]["declared"])

    own = declared.host["web.1"]
    assert own.changes is not None and own.changes.since == DEFAULT_AT
    assert declared.changes is None
    assert set(own.members or {}) == {"an", "binh"}
    assert "/etc/ssh/sshd_config" in (own.config_files or {})
    assert "/etc/odd name" not in (own.config_files or {}), "only settings that decide something"


def test_what_was_not_found_out_is_left_out_and_named() -> None:
    text = drafted(as_answer(sections("inventory.hosting/pass")))

    assert "# accounts is left out: the host was not asked for this" in text
    own = tomllib.loads(text)["checks"]["declared"]["host"]["web.1"]
    assert set(own) == {"hosting", "changes"}


def test_hostile_words_declare_nothing_else_and_print_as_text() -> None:
    hostile = (
        "<<<acct.passwd>>>\nroot:x:0:0::/root:/bin/bash\n"
        'a"]\x1b[31mfoo:x:1000:1000::/:/bin/sh\n[checks.declared]:x:1001:1001::/:/bin/sh\n<<<acct.passwd rc=0>>>\n'
    )
    text = drafted(as_answer(hostile))

    own = tomllib.loads(text)["checks"]["declared"]
    assert set(own) == {"host"}
    assert own["host"]["web.1"]["accounts"] == ["[checks.declared]", 'a"]\x1b[31mfoo', "root"]
    assert "\x1b" not in text


def test_bytes_that_are_no_text_are_left_out() -> None:
    raw = as_answer("<<<acct.passwd>>>\nroot:x:0:0::/root:/bin/bash\n\udcff:x:1:1::/:/bin/sh\n<<<acct.passwd rc=0>>>\n")

    text = drafted(raw)

    assert "# accounts is left out: what the host says cannot be declared as it stands" in text
    text.encode()
