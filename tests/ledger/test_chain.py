"""The quick look at many lines agrees with the close look at each; lines of a file are told as those of a database are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops.ledger import chain
from portalops.ledger.chain import Chunk, Faults, Tail, check_chain
from portalops.ledger.record import GENESIS, Draft, encode, line_digest
from portalops.model.record import Digest, RunId

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BODY = Digest("5" * 64)

ALPHABET = st.sampled_from('abc xyz.:-ảệđ"\\')


@dataclass
class Lines:
    """Lines as a file holds them: numbered by their order alone."""

    lines: Sequence[bytes]
    end: Tail | None

    def tail(self) -> Tail | None:
        return self.end

    def chunks(self, size: int) -> Iterator[Chunk]:
        for first in range(0, len(self.lines), size):
            yield Chunk(self.lines[first : first + size])


def _lines(count: int, subject: str = "daily-check") -> list[bytes]:
    prev, lines = GENESIS, []
    for seq in range(1, count + 1):
        draft = Draft("ledger.created" if seq == 1 else "check.finished", BODY, RunId(f"run-{seq}"), subject, "12.4")
        lines.append(encode(draft, seq=seq, at=START + timedelta(minutes=seq), prev=prev).line)
        prev = line_digest(lines[-1])
    return lines


def _tail(lines: Sequence[bytes]) -> Tail:
    return Tail(len(lines), line_digest(lines[-1]))


def _first_bad(lines: Sequence[bytes], tail: Tail) -> int | None:
    faults = Faults()
    check_chain(Lines(lines, tail), faults)
    return min((fault.seq for fault in faults.kept), default=None)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("subject", ["daily-check", "b\u1ea3n sao", 'a "b" \\', "x" * 500])
def test_wanted_records_are_noted_in_chunks_of_any_size(size: int, subject: str) -> None:
    lines = _lines(7, subject)
    faults = Faults()

    with patch.object(chain, "_CHUNK", size):
        found = check_chain(Lines(lines, _tail(lines)), faults, wanted=(1, 4, 7, 8))

    assert not faults.count
    assert found.noted == {seq: (line_digest(lines[seq - 1]), f"2026-11-23T01:0{seq}:00.000Z") for seq in (1, 4, 7)}
    assert (found.records, found.head) == (7, line_digest(lines[-1]))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_was_done_to_a_file_is_named(size: int) -> None:
    lines = _lines(9)
    tail = _tail(lines)

    with patch.object(chain, "_CHUNK", size):
        assert _first_bad(lines, tail) is None
        assert _first_bad(lines[:4] + lines[5:], tail) == 5, "deleted"
        assert _first_bad(lines[:4] + lines[3:], tail) == 4, "doubled"
        assert _first_bad([*lines[:3], lines[4], lines[3], *lines[5:]], tail) == 4, "swapped"
        assert _first_bad(lines[:7], tail) == 8, "cut"
        assert _first_bad([*lines, *_lines(10)[9:]], tail) == 10, "added"
        assert _first_bad(lines[1:], tail) == 1, "begun later"
        assert _first_bad([*lines[:2], b"{" * 10_000, *lines[3:]], tail) == 3, "nonsense"


def test_only_the_first_record_begins_a_ledger() -> None:
    lines = _lines(3)
    again = encode(
        Draft("ledger.created", BODY), seq=4, at=START + timedelta(hours=1), prev=line_digest(lines[-1])
    ).line
    other = encode(Draft("note", BODY), seq=1, at=START, prev=GENESIS).line

    assert _first_bad([*lines, again], Tail(4, line_digest(again))) == 4
    assert _first_bad([other], Tail(1, line_digest(other))) == 1


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_the_quick_look_says_yes_only_where_the_close_look_does(data: st.DataObject) -> None:
    lines = _lines(3, data.draw(st.text(ALPHABET, max_size=12)))
    number = data.draw(st.integers(0, 2))
    line = lines[number]
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, min(len(line), start + 3)))
    lines[number] = line[:start] + data.draw(st.binary(max_size=3)) + line[end:]
    tail = _tail(lines)
    quick, close = Faults(), Faults()

    check_chain(Lines(lines, tail), quick)
    with patch.object(chain, "_pass_usual", lambda *_arguments: False):
        check_chain(Lines(lines, tail), close)

    assert (quick.count, quick.first()) == (close.count, close.first())
