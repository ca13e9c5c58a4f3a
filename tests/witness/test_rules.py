"""A witness takes a head only if it is signed by a known key and extends the kept one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.errors import NotAHead
from portalops.ledger.heads import NAMESPACE, head_digest, rotate_key, text_of
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, line_digest
from portalops.ledger.selection import TimeOrder
from portalops.model.heads import Head, KeyEvent, RecordedHead, SignedHead
from portalops.ports import Extension
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED
from portalops.signatures.sshsig import SigningKey, fingerprint, sign
from portalops.witness.extensions import NotAnExtension
from portalops.witness.rules import HeadRefusal, Joining, KeptHead, KeyOrigin, KnownKey, Pinned, RefusedHead, judge
from tests.doubles import FixedClock
from tests.witness.watched import FOREIGN, KEY, NEW_KEY, Watched, taken


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "state")


def signed(head: Head, by: SigningKey = KEY, *, namespace: str = NAMESPACE) -> SignedHead:
    text = text_of(head)
    return SignedHead(text, sign(text.encode(), by, namespace))


def refused(pinned: Pinned, part: Extension, watched: Watched) -> RefusedHead:
    with pytest.raises(RefusedHead) as caught:
        judge(pinned, [part], now=watched.clock.now())
    return caught.value


def grown(watched: Watched) -> tuple[Pinned, RecordedHead, Extension]:
    """A kept head, a newer one, and what joins them."""
    watched.work(2)
    kept = watched.head()
    watched.work(2)
    newer = watched.head()
    return watched.pinned(kept), newer, watched.extension(kept.head.size, newer)


def test_a_head_that_extends_the_kept_one_is_taken(watched: Watched) -> None:
    pinned, newer, part = grown(watched)

    accepted = judge(pinned, [part], now=watched.clock.now())

    assert accepted is not None
    assert (accepted.head, accepted.records, accepted.work) == (newer.head, 5, True)
    assert accepted.kept.signed == newer.signed


def test_the_same_head_again_is_nothing_new(watched: Watched) -> None:
    watched.work()
    kept = watched.head()

    assert judge(watched.pinned(kept), [watched.extension(kept.head.size, kept)], now=watched.clock.now()) is None


def test_the_first_head_is_taken_with_all_its_records_and_the_first_key_is_believed(watched: Watched) -> None:
    watched.work(2)
    head = watched.head()

    accepted = judge(Pinned(), [watched.extension(0, head)], now=watched.clock.now())

    assert accepted is not None
    assert accepted.records == head.head.size
    assert [(each.public_key, each.how) for each in accepted.keys] == [(KEY.public_key, KeyOrigin.FIRST_USE)]


def test_a_configured_key_must_have_signed_the_first_head(watched: Watched) -> None:
    watched.work()
    part = watched.extension(0, watched.head())
    wrong = Pinned(keys=(KnownKey(FOREIGN.public_key, KeyOrigin.CONFIGURED),))
    right = Pinned(keys=(KnownKey(KEY.public_key, KeyOrigin.CONFIGURED),))

    assert refused(wrong, part, watched).reason is HeadRefusal.UNKNOWN_KEY
    accepted = judge(right, [part], now=watched.clock.now())
    assert accepted is not None
    assert accepted.signer.how is KeyOrigin.CONFIGURED


def test_parts_are_joined_one_after_the_other(watched: Watched) -> None:
    pinned, newer, whole = grown(watched)
    first = replace(whole, lines=whole.lines[:2], more=True)
    second = watched.extension(whole.after + 2, newer)

    accepted = judge(pinned, [first, second], now=watched.clock.now())

    assert accepted is not None
    assert accepted.records == 5


def test_records_that_were_had_already_may_come_again(watched: Watched) -> None:
    pinned, newer, _part = grown(watched)

    accepted = judge(pinned, [watched.extension(0, newer)], now=watched.clock.now())

    assert accepted is not None
    assert accepted.records == 5


def test_a_smaller_ledger_is_a_roll_back(watched: Watched) -> None:
    watched.work()
    old = watched.head()
    watched.work()
    kept = watched.head()

    assert (
        refused(watched.pinned(kept), watched.extension(kept.head.size, old), watched).reason is HeadRefusal.ROLL_BACK
    )


@pytest.mark.parametrize("change", ["digest", "time"])
def test_another_head_of_the_same_size_is_a_fork(watched: Watched, change: str) -> None:
    watched.work()
    kept = watched.head()
    other = (
        replace(kept.head, digest=line_digest(b"other"))
        if change == "digest"
        else replace(kept.head, at=kept.head.at + timedelta(seconds=1))
    )

    part = Extension(signed(other), kept.head.size, ())

    assert refused(watched.pinned(kept), part, watched).reason is HeadRefusal.FORK


def test_a_ledger_that_was_cut_behind_the_kept_head_and_went_on_is_refused(watched: Watched, tmp_path: Path) -> None:
    watched.work()
    kept = watched.head()
    watched.work()
    last = watched.ledger.record(kept.head.size)
    assert last is not None
    cut = [line for line in (each.line for each in watched.ledger.records()) if line][: kept.head.size]
    forged = _chain_from(cut, 3)
    head = Head(
        kept.head.ledger, len(forged), line_digest(forged[-1]), watched.clock.now(), head_digest(kept.signed.text)
    )

    part = Extension(signed(head), kept.head.size, tuple(forged[kept.head.size :]))

    error = refused(watched.pinned(kept), part, watched)
    assert error.reason is HeadRefusal.REWRITTEN
    assert "no head record follows" in str(error)


def _chain_from(lines: list[bytes], more: int) -> list[bytes]:
    from portalops.ledger.record import Draft, encode, parse

    made = list(lines)
    for _number in range(more):
        before = parse(made[-1])
        record = encode(
            Draft("check.started", before.body), seq=before.seq + 1, at=before.at, prev=line_digest(made[-1])
        )
        made.append(record.line)
    return made


def test_a_head_of_another_ledger_is_refused(watched: Watched, tmp_path: Path) -> None:
    pinned, _newer, _part = grown(watched)
    other = Watched(tmp_path / "other")
    other.work(20)
    head = other.head()

    assert refused(pinned, other.extension(0, head), watched).reason is HeadRefusal.OTHER_LEDGER


def test_a_pinned_id_is_asked_for_from_the_first_head_on(watched: Watched) -> None:
    watched.work()
    part = watched.extension(0, watched.head())

    assert refused(Pinned(ledger="ab" * 16), part, watched).reason is HeadRefusal.OTHER_LEDGER


def test_a_first_record_that_names_another_ledger_is_refused(watched: Watched) -> None:
    watched.work()
    head = watched.head()
    part = watched.extension(0, head)
    lying = signed(replace(head.head, ledger="ab" * 16))

    assert refused(Pinned(), replace(part, signed=lying), watched).reason is HeadRefusal.OTHER_LEDGER


def test_a_head_by_a_foreign_key_is_refused_with_its_fingerprint(watched: Watched) -> None:
    pinned, newer, part = grown(watched)

    error = refused(pinned, replace(part, signed=signed(newer.head, FOREIGN)), watched)

    assert error.reason is HeadRefusal.UNKNOWN_KEY
    assert fingerprint(FOREIGN.public_key) in str(error)
    assert f"--accept-key {fingerprint(FOREIGN.public_key)}" in str(error.hint)


def test_a_signature_for_another_purpose_is_none(watched: Watched) -> None:
    pinned, newer, part = grown(watched)

    error = refused(pinned, replace(part, signed=signed(newer.head, namespace="portalops-bundle")), watched)

    assert error.reason is HeadRefusal.SIGNATURE


@pytest.mark.parametrize(
    ("moves", "reason"), [(timedelta(minutes=6), HeadRefusal.TIME), (timedelta(days=-1), HeadRefusal.TIME)]
)
def test_a_head_from_the_future_or_from_before_is_refused(
    watched: Watched, moves: timedelta, reason: HeadRefusal
) -> None:
    pinned, newer, part = grown(watched)
    moved = replace(newer.head, at=watched.clock.now() + moves)

    assert refused(pinned, replace(part, signed=signed(moved)), watched).reason is reason


def test_a_clock_that_is_a_little_ahead_is_forgiven(watched: Watched) -> None:
    pinned, newer, part = grown(watched)
    ahead = signed(replace(newer.head, at=watched.clock.now() + timedelta(minutes=5)))

    assert judge(pinned, [replace(part, signed=ahead)], now=watched.clock.now()) is not None


def test_a_new_key_that_the_old_one_signed_for_is_taken(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    newer = rotate_key(watched.ledger, KEY, NEW_KEY, reason="yearly", clock=watched.clock)

    accepted = judge(watched.pinned(kept), [watched.extension(kept.head.size, newer)], now=watched.clock.now())

    assert accepted is not None
    assert accepted.signer == KnownKey(NEW_KEY.public_key, KeyOrigin.ROTATED, kept.head.size + 2)
    assert [(each.how, bool(each.retired_seq)) for each in accepted.keys] == [
        (KeyOrigin.CONFIGURED, True),
        (KeyOrigin.ROTATED, False),
    ]


def test_two_changes_of_the_key_at_once_are_followed(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    third = SigningKey.of(FOREIGN.private)
    rotate_key(watched.ledger, KEY, NEW_KEY, reason="yearly", clock=watched.clock)
    watched.work()
    newer = rotate_key(watched.ledger, NEW_KEY, third, reason="yearly", clock=watched.clock)

    accepted = judge(watched.pinned(kept), [watched.extension(kept.head.size, newer)], now=watched.clock.now())

    assert accepted is not None
    assert accepted.signer.public_key == third.public_key


def test_a_retired_key_signs_nothing_any_more(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    newer = rotate_key(watched.ledger, KEY, NEW_KEY, reason="yearly", clock=watched.clock)
    by_the_old_one = signed(newer.head)

    part = replace(watched.extension(kept.head.size, newer), signed=by_the_old_one)

    error = refused(watched.pinned(kept), part, watched)
    assert error.reason is HeadRefusal.UNKNOWN_KEY
    assert "retired" in str(error)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("key.retired", bodies.write({"key": KeyEvent(KEY.public_key, "by nobody's word")})),
        ("key.added", b'{"key":1}'),
        ("head", b'{"head":{"text":"none","signature":"none"}}'),
    ],
)
def test_a_record_by_nobody_s_word_keeps_no_later_head_out(watched: Watched, kind: str, body: bytes) -> None:
    watched.work()
    kept = watched.head()
    watched.ledger.append(kind, run=NO_RUN, body=body)
    watched.work()
    newer = watched.head()

    accepted = judge(watched.pinned(kept), [watched.extension(kept.head.size, newer)], now=watched.clock.now())

    assert accepted is not None and not accepted.signer.retired_seq


def test_a_key_whose_predecessor_was_lost_waits_for_a_person(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    newer = rotate_key(watched.ledger, None, NEW_KEY, reason="the disk is broken", clock=watched.clock)
    part = watched.extension(kept.head.size, newer)
    pinned = watched.pinned(kept)

    assert refused(pinned, part, watched).reason is HeadRefusal.UNKNOWN_KEY
    assert (
        refused(replace(pinned, accept=fingerprint(FOREIGN.public_key)), part, watched).reason
        is HeadRefusal.UNKNOWN_KEY
    )
    accepted = judge(replace(pinned, accept=fingerprint(NEW_KEY.public_key)), [part], now=watched.clock.now())
    assert accepted is not None
    assert accepted.signer.how is KeyOrigin.ACCEPTED


def test_an_old_head_of_the_known_key_does_not_speak_for_a_key_slipped_in_before_it(watched: Watched) -> None:
    """Whoever holds published heads, but not the key, rewrites what no witness has seen yet and replays a head."""
    watched.work()
    kept = watched.head()
    watched.work()
    published = watched.head()
    forger = _Forger(watched, kept)
    forger.add_key(replaces=KEY.public_key)
    while len(forger.lines) < published.head.size:
        forger.add("check.started", b"{}\n")
    forger.add_head(published.signed)
    last = Head(
        kept.head.ledger,
        len(forger.lines),
        line_digest(forger.lines[-1]),
        watched.clock.now(),
        head_digest(published.signed.text),
    )

    part = Extension(
        signed(last, FOREIGN), kept.head.size, tuple(forger.lines[kept.head.size :]), tuple(forger.details)
    )

    assert refused(watched.pinned(kept), part, watched).reason is HeadRefusal.UNKNOWN_KEY


class _Forger:
    """Goes on from a kept head without the key."""

    def __init__(self, watched: Watched, kept: RecordedHead) -> None:
        from portalops import bodies

        records = list(watched.ledger.records())
        self.lines = [record.line for record in records[: kept.head.size + 1]]  # with the kept head's own record
        self.details = [watched.ledger.blob(records[kept.head.size].body)]
        self._bodies = bodies

    def add(self, kind: str, body: bytes) -> None:
        from portalops.ledger.record import Draft, encode, parse
        from tests.witness.watched import sha256

        before = parse(self.lines[-1])
        draft = Draft(kind, sha256(body))
        self.lines.append(encode(draft, seq=before.seq + 1, at=before.at, prev=line_digest(self.lines[-1])).line)
        self.details.append(body)

    def add_key(self, *, replaces: str) -> None:
        from portalops.model.heads import KeyEvent

        self.add("key.added", self._bodies.write({"key": KeyEvent(FOREIGN.public_key, "forged", replaces)}))

    def add_head(self, head: SignedHead) -> None:
        self.add("head", self._bodies.write({"head": head}))


def test_heads_and_receipts_alone_are_no_sign_of_life(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    watched.ledger.append("anchor.received", run=NO_RUN, body=b"{}\n")
    newer = watched.head()

    accepted = judge(watched.pinned(kept), [watched.extension(kept.head.size, newer)], now=watched.clock.now())

    assert accepted is not None
    assert not accepted.work


def test_a_head_that_was_taken_without_records_must_lie_on_the_chain(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    watched.work()
    bare = watched.head()
    watched.work()
    newer = watched.head()
    part = watched.extension(kept.head.size, newer)
    pinned = watched.pinned(kept)

    good = replace(pinned, passed={bare.head.size: bare.head})
    bad = replace(pinned, passed={bare.head.size: replace(bare.head, digest=line_digest(b"other"))})
    beyond = replace(pinned, passed={newer.head.size + 1: replace(newer.head, size=newer.head.size + 1)})

    assert judge(good, [part], now=watched.clock.now()) is not None
    assert refused(bad, part, watched).reason is HeadRefusal.FORK
    assert refused(beyond, part, watched).reason is HeadRefusal.ROLL_BACK
    assert judge(replace(beyond, is_live=False), [part], now=watched.clock.now()) is not None, "a file may be old"
    assert refused(beyond, Extension(kept.signed, kept.head.size, ()), watched).reason is HeadRefusal.ROLL_BACK


def test_a_head_without_records_is_noted_if_a_known_key_signed_it(watched: Watched) -> None:
    pinned, newer, _part = grown(watched)

    accepted = Joining(pinned).note(newer.signed, now=watched.clock.now())

    assert accepted.head == newer.head
    with pytest.raises(RefusedHead):
        Joining(pinned).note(signed(newer.head, FOREIGN), now=watched.clock.now())
    with pytest.raises(RefusedHead):
        Joining(Pinned()).note(newer.signed, now=watched.clock.now())


def test_lines_that_begin_too_late_are_no_extension(watched: Watched) -> None:
    pinned, _newer, part = grown(watched)

    with pytest.raises(NotAnExtension, match="begin behind record"):
        judge(pinned, [replace(part, after=part.after + 1, lines=part.lines[1:])], now=watched.clock.now())


def test_details_that_are_missing_are_asked_for(watched: Watched) -> None:
    pinned, _newer, part = grown(watched)

    with pytest.raises(NotAnExtension, match="details of record"):
        judge(pinned, [replace(part, details=())], now=watched.clock.now())


# --- whatever is changed ----------------------------------------------------------------------

_BYTE = st.integers(0, 255)


def _changed_line(part: Extension, draw: Callable[..., int]) -> Extension:
    at = draw(st.integers(0, len(part.lines) - 1))
    line = bytearray(part.lines[at])
    place = draw(st.integers(0, len(line) - 1))
    line[place] = draw(_BYTE)
    return replace(part, lines=(*part.lines[:at], bytes(line), *part.lines[at + 1 :]))


def _lost_lines(part: Extension, draw: Callable[..., int]) -> Extension:
    first = draw(st.integers(0, len(part.lines) - 1))
    last = draw(st.integers(first + 1, len(part.lines)))
    return replace(part, lines=part.lines[:first] + part.lines[last:])


def _swapped_lines(part: Extension, draw: Callable[..., int]) -> Extension:
    lines = list(part.lines)
    one, two = (draw(st.integers(0, len(lines) - 1)) for _each in range(2))
    lines[one], lines[two] = lines[two], lines[one]
    return replace(part, lines=tuple(lines))


def _doubled_line(part: Extension, draw: Callable[..., int]) -> Extension:
    at = draw(st.integers(0, len(part.lines) - 1))
    return replace(part, lines=(*part.lines[: at + 1], part.lines[at], *part.lines[at + 1 :]))


def _changed_detail(part: Extension, draw: Callable[..., int]) -> Extension:
    at = draw(st.integers(0, len(part.details) - 1))
    blob = bytearray(part.details[at])
    blob[draw(st.integers(0, len(blob) - 1))] = draw(_BYTE)
    return replace(part, details=(*part.details[:at], bytes(blob), *part.details[at + 1 :]))


def _changed_head(part: Extension, draw: Callable[..., int]) -> Extension:
    text = part.signed.text
    at = draw(st.integers(0, len(text) - 1))
    letter = chr(draw(st.integers(32, 126)))
    return replace(part, signed=replace(part.signed, text=text[:at] + letter + text[at + 1 :]))


def _moved_start(part: Extension, draw: Callable[..., int]) -> Extension:
    return replace(part, after=max(0, part.after + draw(st.integers(-3, 3))))


CHANGES = (_changed_line, _lost_lines, _swapped_lines, _doubled_line, _changed_detail, _changed_head, _moved_start)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pinned, Extension, FixedClock]:
    """A kept head, and an extension with work, heads and a change of the key in it."""
    watched = Watched(tmp_path_factory.mktemp("watched"))
    watched.work(2)
    kept = watched.head()
    watched.work(2)
    watched.head()
    rotate_key(watched.ledger, KEY, NEW_KEY, reason="yearly", clock=watched.clock)
    watched.work(1)
    newer = watched.head(NEW_KEY)
    return watched.pinned(kept), watched.extension(kept.head.size, newer), watched.clock


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_only_the_true_extension_is_ever_taken(
    story: tuple[Pinned, Extension, FixedClock], data: st.DataObject
) -> None:
    pinned, true, clock = story
    part = true
    for change in data.draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        if part.lines:
            part = change(part, data.draw)

    try:
        accepted = judge(pinned, [part], now=clock.now())
    except (RefusedHead, NotAnExtension, NotAHead):
        return

    assert accepted is not None
    assert part.signed == true.signed
    assert part.lines[-len(true.lines) :] == true.lines


@pytest.mark.heavy
@settings(max_examples=100, deadline=None)
@given(cuts=st.lists(st.integers(1, 30), max_size=6))
def test_the_true_extension_is_taken_however_it_is_cut_into_parts(
    story: tuple[Pinned, Extension, FixedClock], cuts: list[int]
) -> None:
    pinned, true, clock = story
    bounds = sorted({0, len(true.lines), *(cut for cut in cuts if cut < len(true.lines))})
    parts = [
        replace(true, after=true.after + first, lines=true.lines[first:last], more=last < len(true.lines))
        for first, last in pairwise(bounds)
    ]

    accepted = judge(pinned, parts, now=clock.now())

    assert accepted is not None
    assert accepted.records == len(true.lines)


def test_what_is_taken_is_what_the_next_extension_is_held_to(watched: Watched) -> None:
    watched.work()
    first = watched.head()
    pinned = taken(Pinned(), watched.extension(0, first), watched.clock.now())
    watched.work()
    second = watched.head()

    pinned = taken(pinned, watched.extension(first.head.size, second), watched.clock.now())

    assert isinstance(pinned.kept, KeptHead)
    assert pinned.kept.head == second.head


def mind_no_time(watched: Watched) -> None:
    """Let the ledger be written from now on as by somebody who minds no time."""
    watched.ledger = Ledger.open(watched.ledger.folder, watched.clock, create=True)
    watched.ledger.find_time_order = lambda ledger: TimeOrder(passed=frozenset(range(1, ledger.count() + 1)))


def test_a_quarantine_may_be_earlier_and_lets_nothing_else_be(watched: Watched) -> None:
    watched.work()
    kept = watched.head()
    pinned, right = watched.pinned(kept), watched.clock.at
    watched.clock.move(timedelta(days=7))
    watched.work()
    watched.clock.at = right + timedelta(hours=1)
    mind_no_time(watched)
    body = watched.ledger.keep(bodies.write({"quarantine": {}}))
    watched.ledger.append_quarantine(watched.ledger.draft(QUARANTINED, body=body))
    part = watched.extension(kept.head.size, watched.head())

    assert refused(pinned, part, watched).reason is HeadRefusal.TIME


@pytest.mark.parametrize(("later", "reason"), [(timedelta(hours=1), None), (-timedelta(minutes=5), HeadRefusal.TIME)])
def test_time_may_be_earlier_from_a_mended_clock_on_but_not_behind_the_kept_head(
    watched: Watched, later: timedelta, reason: HeadRefusal | None
) -> None:
    watched.work()
    watched.head()
    watched.work()
    kept = watched.head()
    pinned, right = watched.pinned(kept), watched.clock.at
    watched.clock.move(timedelta(days=7))
    watched.work()
    watched.clock.at = right + later
    mind_no_time(watched)
    body = watched.ledger.keep(bodies.write({"mended_clock": {}}))
    watched.ledger.append_mend(watched.ledger.draft(CLOCK_MENDED, body=body), watched.ledger.count())
    part = watched.extension(kept.head.size, watched.head())

    if reason is not None:
        assert refused(pinned, part, watched).reason is reason
        return
    accepted = judge(pinned, [part], now=watched.clock.now())
    assert accepted is not None
    assert accepted.kept.record_at == right + later
