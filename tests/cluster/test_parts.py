"""The parts of a job: what is handed to a worker, and which part a record belongs to."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from portalops.cluster.parts import FORMAT, PartRequest, part_kind, part_of, read_request, suffix_of
from portalops.model.record import Digest, Record, RunId
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.registers.runs import attempt_of, run_id

WISH = PartRequest("12.4:check:2026-11-26:host-web1", "check", "check", "host-web1", "12.4", {"spared": ["ở đây"]}, 3)


def test_a_wish_comes_out_of_the_queue_as_it_went_in() -> None:
    assert read_request(WISH.written()) == WISH


def changed(**values: object) -> bytes:
    return json.dumps({**json.loads(WISH.written()), **values}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"null",
        b"[1]",
        b'"text"',
        WISH.written()[:-1],
        changed(format=FORMAT + 1),
        changed(format=None),
        changed(priority=1),
        b'{"format": 1}',
        b'{"format":1,"details":' + b"[" * 100_000,
        changed(run=7),
        changed(kind=["check"]),
        changed(part=None),
        changed(details=[]),
        changed(attempt=True),
        changed(attempt=0),
        changed(attempt="1"),
        changed(part="host-web1\x00"),
        changed(part="host-\ud800", run="12.4:check:2026-11-26:host-\ud800"),
    ],
)
def test_what_is_no_wish_of_this_format_is_left_to_others(data: bytes) -> None:
    assert read_request(data) is None


@pytest.mark.parametrize(
    "values",
    [
        {"part": "host-web2"},
        {"run": "12.4:check:2026-11-26:host-web2"},
        {"run": "12.4:check:2026-11-26:host-web1.2"},
        {"run": "12.4:check:2026-11-26"},
        {"run": "host-web1"},
        {"part": "web1"},
        {"job": "other"},
        {"duty": "10.2"},
        {"kind": "verify", "duty": ""},
        {"part": "host-a b", "run": "12.4:check:2026-11-26:host-a b"},
        {"part": "host-" + "a" * 2000, "run": "12.4:check:2026-11-26:host-" + "a" * 2000},
    ],
)
def test_a_wish_whose_run_names_something_else_is_none(values: dict[str, object]) -> None:
    assert read_request(changed(**values)) is None


def record(run: str) -> Record:
    at, digest = datetime(2026, 11, 26, tzinfo=UTC), Digest("a" * 64)
    return Record(1, at, "check-part.finished", RunId(run), "host-web1", "12.4", digest, digest, b"{}")


@pytest.mark.parametrize("attempt", ["", ".2", ".17"])
def test_every_attempt_belongs_to_the_part_that_was_wished_for(attempt: str) -> None:
    assert part_of(record(f"12.4:check:2026-11-26:host-web1{attempt}")) == "12.4:check:2026-11-26:host-web1"


def test_a_host_may_have_a_dot_in_its_name() -> None:
    assert part_of(record("check:check:2026-11-26:host-web.one")) == "check:check:2026-11-26:host-web.one"


@pytest.mark.parametrize("part", ["host-10.0.0.5", "host-web.2", "host-web", "host-web.2_"])
def test_a_name_that_ends_like_an_attempt_is_told_from_one(part: str) -> None:
    job = Job(JobId("check"), JobKind.CHECK, Every.DAY)
    first = run_id(job, "2026-11-26", suffix=suffix_of(part))
    second = run_id(job, "2026-11-26", taken=[first], suffix=suffix_of(part))

    assert attempt_of(first) == 1 and attempt_of(second) == 2
    assert part_of(record(first)) == part_of(record(second)) == first


def test_different_parts_are_never_one() -> None:
    assert len({suffix_of(part) for part in ("host-web.2", "host-web.2_", "host-web", "host-web.2__")}) == 4


def test_parts_have_a_kind_of_their_own() -> None:
    assert part_kind("check") == "check-part"
