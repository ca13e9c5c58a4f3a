"""What a run leaves in its blob comes back as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.body_schemas import validator_of
from portalops.errors import LedgerError
from portalops.json_text import MAX_DEPTH
from portalops.model.backups import BackupResult, VerifyResult
from portalops.model.checks import CheckScan
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import ByteCount, Message, msg
from portalops.model.organisation import Name
from portalops.model.record import Digest
from portalops.model.runs import Plan, ReportResult, RunSummary
from portalops.model.updates import UpdatesResult

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$"), max_size=8)
moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=st.just(UTC))
leaves: st.SearchStrategy[object] = st.one_of(
    words,
    st.integers(),
    st.dates(),
    moments,
    words.map(lambda text: f"{text}2026-11-25"),
    st.builds(Name, words, words),
)


def _messages(values: st.SearchStrategy[object]) -> st.SearchStrategy[Message]:
    return st.builds(Message, words, st.dictionaries(names, values, max_size=4), st.none() | words)


messages = _messages(st.recursive(leaves, _messages, max_leaves=6))
st.register_type_strategy(Message, messages)
st.register_type_strategy(datetime, moments)
st.register_type_strategy(
    Finding,
    st.builds(
        Finding,
        events=st.lists(st.builds(FindingEvent), max_size=3).map(
            lambda later: (FindingEvent(FindingTurn.OPENED, 1, datetime(2026, 11, 25, tzinfo=UTC)), *later)
        ),
    ),
)


@given(messages)
def test_a_sentence_comes_back_with_days_as_days_and_text_as_text(message: Message) -> None:
    found = bodies.decode_part(bodies.write({"it": message}), "it", Message)

    assert found == message
    assert _types(found) == _types(message)


def test_text_that_looks_like_a_day_stays_text() -> None:
    message = msg("{a} {b} {c}", a="2026-11-25", b=date(2026, 11, 25), c=datetime(2026, 11, 25, tzinfo=UTC))

    assert bodies.encode(message.values) == {"a": "2026-11-25", "b": "2026-11-25", "c": "2026-11-25T00:00:00Z"}
    assert bodies.decode_part(bodies.write({"it": message}), "it", Message) == message


@pytest.mark.heavy
@pytest.mark.parametrize(
    "body_type", [BackupResult, VerifyResult, CheckScan, UpdatesResult, ReportResult, RunSummary, Plan]
)
def test_each_result_comes_back_as_it_was(body_type: type) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.from_type(body_type))
    def round_trip(value: object) -> None:
        assert bodies.decode_part(bodies.write({"it": value}), "it", body_type) == value

    round_trip()


def test_a_part_that_is_not_there_is_none() -> None:
    assert bodies.decode_part(b"{}\n", "backup", BackupResult) is None


@pytest.mark.parametrize(
    "blob", [b"", b"[]", b"{", b"\xff", b'{"run":{}}', b'{"run":3}', b'{"run":{"$day":3}}', b"[" * 100_000]
)
def test_a_blob_of_another_form_is_an_error_and_never_a_result(blob: bytes) -> None:
    with pytest.raises(LedgerError):
        bodies.decode_part(blob, "run", RunSummary)


def test_what_no_utf_8_can_hold_is_written_as_its_escape() -> None:
    assert bodies.write({"name": "a\udcff"}) == b'{"name":"a\\\\udcff"}\n'


def test_moments_are_written_in_utc() -> None:
    local = datetime(2026, 11, 25, 8, 0, tzinfo=timezone(timedelta(hours=7)))

    assert bodies.encode(local) == "2026-11-25T01:00:00Z"


@pytest.mark.parametrize("value", [1.5, object(), b"bytes", datetime(2026, 1, 1), {"$day": 1}, {1: 2}])
def test_what_a_body_does_not_hold_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        bodies.write({"it": value})


def test_the_blobs_that_results_rest_on_are_found_at_any_depth() -> None:
    one, two = Digest("1" * 64), Digest("2" * 64)
    blob = bodies.write({"a": [{"evidence": [one]}, {"b": {"evidence": two}}], "evidence": None, "other": "3" * 64})

    assert bodies.evidence_of(blob) == {one, two}
    assert bodies.evidence_of(b"not json") == frozenset()


def _types(value: object) -> object:
    if isinstance(value, Message):
        return {name: _types(held) for name, held in value.values.items()}
    return type(value)


def test_one_part_is_read_without_those_behind_it() -> None:
    blob = bodies.write({"a": {"x": 1, "nested": {"run": 5}}, "run": [1, "}"], "updates": "x" * 9})

    assert bodies.plain_part(blob, "run") == [1, "}"]
    assert bodies.plain_part(blob, "a") == {"x": 1, "nested": {"run": 5}}
    assert bodies.plain_part(blob, "none") is None
    assert bodies.plain_part(bodies.write({}), "run") is None
    assert bodies.plain_part(b'{"run":1,"broken', "run") == 1


_PARTS = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from(["", ',"run":1}', "}", "\\", '"']),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "run", "z", ',"run":1}']), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "run", "z", ',"run":1}']), _PARTS, max_size=4))
def test_part_is_the_same_whether_it_is_read_from_the_front_or_from_the_end(parts: dict[str, object]) -> None:
    assert bodies.plain_part(bodies.write(parts), "run") == parts.get("run")


@pytest.mark.parametrize("blob", [b"", b"[]", b"{", b'{"a"', b'{"a":1', b'{"a":1 "b":2}', b"\xff{", b'{"a"x1}'])
def test_a_part_of_what_is_no_body_cannot_be_read(blob: bytes) -> None:
    with pytest.raises(LedgerError):
        bodies.plain_part(blob, "b")


def test_a_size_in_a_sentence_keeps_its_unit() -> None:
    said = msg("{free} are free", free=ByteCount(1572864))

    back = bodies.decode_part(bodies.write({"said": said}), "said", Message)

    assert str(back) == "1.5 MiB are free"


@pytest.mark.parametrize("name", ["$day", "\\u0024day"])
def test_a_day_is_restored_however_its_name_is_written(name: str) -> None:
    found: object = bodies.read(b'{"a":[{"%s":"2026-11-25"}]}' % name.encode())

    assert found == {"a": [date(2026, 11, 25)]}


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]"), ('{"b":"]}","a":[', "]}")]
)
def test_lists_and_objects_lie_at_most_a_hundred_deep_in_each_other(opening: str, closing: str) -> None:
    levels = MAX_DEPTH // (2 if len(closing) > 1 else 1)
    deepest = opening * (levels - 1) + (opening + closing).replace('"a":}', '"a":1}') + closing * (levels - 1)

    assert bodies.parse(deepest.encode())
    with pytest.raises(ValueError, match="too deep"):
        bodies.parse(b"[" + deepest.encode() + b"]")


def test_a_type_that_no_body_holds_is_refused_and_not_read_by_rules_of_its_own() -> None:
    with pytest.raises(TypeError, match="the body of a record cannot hold <class 'float'>"):
        validator_of(tuple[float, ...])


def test_a_value_is_checked_as_its_annotations_say() -> None:
    written = bodies.read(bodies.write({"it": msg("{n} of {m}", n=1, m="two")}))["it"]
    assert isinstance(written, dict)

    with pytest.raises(LedgerError, match=r"it has no text$"):
        bodies.decode(Message, {"values": {}})
    with pytest.raises(LedgerError, match=r" plural: Input should be a valid string"):
        bodies.decode(Message, {**written, "plural": 7})
    assert bodies.decode(Message, written) == msg("{n} of {m}", n=1, m="two")
