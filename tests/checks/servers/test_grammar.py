"""Redaction changes no word of a probe's grammar: what a capture says is read alike before and after it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from checks.servers.catalogue import checks, probes_of
from checks.servers.gather import parse_answer, redacted_answer
from checks.servers.probe import MissingFact, Probe, ProbeResult, fact_of
from checks.servers.redaction import JSON, PIPED, redacted_as
from tests.checks.servers.samples import NONCE, Sample, all_samples

PROBES = probes_of(checks())
FORMS = {name: probe.form for name, probe in PROBES.items()}
CAPTURES = tuple(all_samples())
CANARY = b"CANARYcanaryCANARY"


def answers(sample: Sample) -> Iterator[bytes]:
    yield from (raw for raw in (sample.raw, *(raw for _, raw in sample.members)) if raw is not None)


@pytest.mark.parametrize("sample", CAPTURES, ids=str)
def test_capture_says_the_same_after_redaction(sample: Sample) -> None:
    for raw in answers(sample):
        head, _, body = raw.partition(b"\n")
        after = parse_answer(head + b"\n" + redacted_answer(NONCE, body, FORMS)).sections

        for name, section in parse_answer(raw).sections.items():
            if name in PROBES:
                assert fact_of(PROBES[name], after[name]) == fact_of(PROBES[name], section), name


def changed(said: bytes) -> Iterator[bytes]:
    """What a host says where a name of its own looks like a setting, at the end of a field or of a string."""
    setting = b" password=" + CANARY
    yield re.sub(rb"(?m)^([^|\n\"]+)\|", lambda match: match[1] + setting + b"|", said)
    yield re.sub(rb"(?<=[A-Za-z0-9])\"(?=[ \t]*[,}\]])", setting + b'"', said)


def test_secret_in_one_field_takes_no_other_field_with_it() -> None:
    """Who writes a probe of fields or of JSON and forgets to say so is told here."""
    read, lost = 0, set()
    for sample in CAPTURES:
        for raw in answers(sample):
            for name, section in parse_answer(raw).sections.items():
                if name not in PROBES or not PROBES[name].command:
                    continue
                for said in changed(section.stdout):
                    if said == section.stdout or is_missing(PROBES[name], section, said):
                        continue
                    read += 1
                    after = redacted_as(PROBES[name].form, said)
                    if is_missing(PROBES[name], section, after) or CANARY in after or len(after) != len(said):
                        lost.add(name)

    assert read > 50
    assert lost == set()


def is_missing(probe: Probe[Any], section: ProbeResult, said: bytes) -> bool:
    return isinstance(fact_of(probe, ProbeResult(probe.id, section.exit_code, said, b"", 0)), MissingFact)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        (b'{"password" : true, "secret":7}', b'{"password" : true, "secret":7}'),
        (b'{"a":"token=x y","b":1}', b'{"a":"token=* y","b":1}'),
        (b'{"api_key":"x","b":["y"]}', b'{"api_key":"*","b":["y"]}'),
        (b'{"a":"$6$abcdefgh\\"z","b":1}', b'{"a":"**************","b":1}'),
        (b"disk password=x\n{\n", b"disk password=*\n{\n"),
    ],
)
def test_json_is_blotted_out_within_its_strings(said: bytes, after: bytes) -> None:
    assert redacted_as(JSON, said) == after
    assert redacted_as(JSON, after) == after


def test_strings_of_json_with_a_key_in_them_stay_json() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----"

    after = redacted_as(JSON, json.dumps({"a": key, "b": "c"}).encode())

    assert b"MII" not in after and json.loads(after)["b"] == "c"


def test_fields_are_blotted_out_one_by_one() -> None:
    assert redacted_as(PIPED, b"a password=x|b|c\n") == b"a password=*|b|c\n"


def test_half_a_key_in_one_section_hides_no_other_section() -> None:
    body = b"".join(
        b"<<<%b %b>>>\n%b\n<<<%b %b stderr>>>\n<<<%b %b rc=0 s=0>>>\n" % (n, name, said, n, name, n, name)
        for n in (NONCE.encode(),)
        for name, said in ((b"a.b", b"-----BEGIN RSA PRIVATE KEY-----\nMII"), (b"c.d", b"x"))
    )

    after = redacted_answer(NONCE, body, {})

    found = parse_answer(b"portalops-answer 1 nonce=%b rc=0 cut=0\n%b" % (NONCE.encode(), after)).sections
    assert found["c.d"].stdout == b"x" and b"MII" not in after
