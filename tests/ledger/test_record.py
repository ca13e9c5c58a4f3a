"""The line is what RFC 8785 makes of its fields, and bytes that portalops would not have written are refused."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from portalops.ledger.bundle import verify as verifier
from portalops.ledger.record import GENESIS, Draft, NotARecord, encode, line_digest, parse
from portalops.ledger.unicode_characters import find_unassigned
from portalops.model.record import Digest, RunId
from portalops.model.text import format_at

BODY = Digest("5" * 64)
AT = datetime(2026, 11, 25, 1, 32, 0, 123456, tzinfo=UTC)
LINE = (
    b'{"at":"2026-11-25T01:32:00.123Z","body":"' + b"5" * 64 + b'","duty":"10.2","kind":"backup.finished","prev":"'
    b"0000000000000000000000000000000000000000000000000000000000000000"
    b'","run":"10.2:weekly:2026-W48","seq":1,"subject":"b\xe1\xba\xa3n \\"sao\\"","v":1}'
)

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60).map(
    lambda text: unicodedata.normalize("NFC", "".join(each for each in text if find_unassigned(each) is None))
)
kinds = st.from_regex(r"[a-z][a-z0-9-]{0,9}(\.[a-z][a-z0-9-]{0,9}){0,2}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32).map(lambda raw: Digest(raw.hex()))
moments = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31), timezones=st.just(UTC))
drafts = st.builds(Draft, kinds, digests, texts.map(RunId), texts, texts)


COMPOSED_LATER = "\U00011935\U00011930"
"""Two letters that Unicode 13 brought, which are one in NFC since: Python 3.8 found them to be NFC, and Python 3.9 not."""


def test_characters_are_those_of_the_version_that_the_page_names() -> None:
    known = "Sở Y tế Khánh Hòa ₫ \U0001f600 漢 \U0001f97b"  # the last one came with Unicode 12
    assert find_unassigned(known) is None
    for unknown in ("\u0378", "\U00011935", "\U0001fad6", "\uffff", "\U0010ffff"):
        assert find_unassigned(f"a{unknown}b") == unknown
    total = sum(find_unassigned(chr(code)) is not None for code in range(0x110000))
    assert total == 836_602, "as DerivedGeneralCategory.txt 12.1.0 counts Cn"


@pytest.mark.parametrize("text", [COMPOSED_LATER, "a\u0309"])
def test_a_line_is_read_whatever_a_later_unicode_composes(text: str) -> None:
    line = LINE.replace(b"b\xe1\xba\xa3n", text.encode())
    assert text in parse(line).run + parse(line).subject
    assert verifier.parse_record(line) is not None


def test_a_line_is_these_bytes() -> None:
    record = encode(
        Draft("backup.finished", BODY, RunId("10.2:weekly:2026-W48"), 'bản "sao"', "10.2"), seq=1, at=AT, prev=GENESIS
    )

    assert record.line == LINE
    assert record.at == AT.replace(microsecond=123000)


@given(drafts, st.integers(1, 10**18 - 1), moments, digests)
def test_the_writer_agrees_with_rfc_8785(draft: Draft, seq: int, at: datetime, prev: Digest) -> None:
    record = encode(draft, seq=seq % 2**53 or 1, at=at, prev=prev)

    assert record.line == rfc8785.dumps(json.loads(record.line))


@given(drafts, st.integers(1, 10**18 - 1), moments, digests)
def test_reading_gives_back_what_was_written(draft: Draft, seq: int, at: datetime, prev: Digest) -> None:
    record = encode(draft, seq=seq, at=at, prev=prev)

    assert parse(record.line) == record


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(LINE.replace(b":1}", b":1 }"), id="a space"),
        pytest.param(LINE + b"\n", id="a line feed"),
        pytest.param(LINE.replace(b'"v":1', b'"v":2'), id="another version"),
        pytest.param(LINE.replace(b'"seq":1', b'"seq":01'), id="a leading zero"),
        pytest.param(LINE.replace(b'"seq":1', b'"seq":1.0'), id="a fraction"),
        pytest.param(LINE.replace(b'"seq":1', b'"seq":0'), id="no place"),
        pytest.param(LINE.replace(b'"seq":1', b'"seq":-1'), id="a negative place"),
        pytest.param(LINE.replace(b'"v":1', b'"v":1,"w":1'), id="one key more"),
        pytest.param(LINE.replace(b'"duty":"10.2",', b""), id="one key less"),
        pytest.param(LINE.replace(b"\xe1\xba\xa3", b"\\u1ea3"), id="an escape that is not needed"),
        pytest.param(LINE.replace(b"\xe1\xba\xa3", b"\xe1\xba"), id="not UTF-8"),
        pytest.param(LINE.replace(b"\xe1\xba\xa3", b"\x1b"), id="a control character"),
        pytest.param(LINE.replace(b"10.2:weekly", b"w" * 600), id="a long text"),
        pytest.param(LINE.replace(b"backup.finished", b"b" * 501), id="a long kind"),
        pytest.param(LINE.replace(b"\xe1\xba\xa3", b"\\/"), id="an escaped solidus"),
        pytest.param(LINE.replace(b"5" * 64, b"A" * 64), id="an upper-case digest"),
        pytest.param(LINE.replace(b"5" * 64, b"5" * 63), id="a short digest"),
        pytest.param(LINE.replace(b"2026-11-25", b"2026-02-30"), id="no such day"),
        pytest.param(LINE.replace(b".123Z", b"Z"), id="no milliseconds"),
        pytest.param(LINE.replace(b".123Z", b".123+00:00"), id="another way to say UTC"),
        pytest.param(LINE.replace(b"backup.finished", b"Backup"), id="an odd kind"),
        pytest.param(LINE.replace(b'"10.2"', b"null"), id="null"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[1]", id="another value"),
    ],
)
def test_other_bytes_are_refused(wrong: bytes) -> None:
    parse(LINE)
    with pytest.raises(NotARecord):
        parse(wrong)


@pytest.mark.parametrize(
    "draft",
    [
        Draft("Backup", BODY),
        Draft("backup.", BODY),
        Draft("backup", Digest("5")),
        Draft("backup", BODY, subject="a\nb"),
        Draft("backup", BODY, subject="a\u0309"),
        Draft("backup", BODY, subject="\ud800"),
        Draft("backup", BODY, duty="x" * 501),
        Draft("backup", BODY, subject=COMPOSED_LATER),
        Draft("backup", BODY, subject="\uffff"),
    ],
)
def test_values_that_no_line_holds_are_refused(draft: Draft) -> None:
    with pytest.raises(NotARecord):
        encode(draft, seq=1, at=AT, prev=GENESIS)


def test_moments_are_written_in_utc() -> None:
    assert format_at(AT.astimezone(timezone(timedelta(hours=7)))) == "2026-11-25T01:32:00.123Z"


def test_the_digest_is_that_of_the_bytes() -> None:
    assert line_digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
