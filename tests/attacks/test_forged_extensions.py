"""Attacks on a witness by an extension: whoever has the key forges records behind the kept head, each lie a small one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.heads import NAMESPACE, head_digest, text_of
from portalops.ledger.record import Draft, encode, line_digest, parse
from portalops.model.heads import Head, KeyEvent, RecordedHead, SignedHead
from portalops.model.record import Digest
from portalops.ports import Extension
from portalops.signatures.sshsig import SigningKey, sign
from portalops.witness.rules import HeadRefusal, Joining, RefusedHead, judge
from tests.witness.watched import FOREIGN, KEY, Watched, sha256

MINUTE = timedelta(minutes=1)


def signed(head: Head, by: SigningKey = KEY) -> SignedHead:
    text = text_of(head)
    return SignedHead(text, sign(text.encode(), by, NAMESPACE))


@dataclass
class Story:
    """Records that go on from a kept head, made by whoever has the key."""

    watched: Watched
    kept: RecordedHead
    lines: list[bytes] = field(default_factory=list)
    details: list[bytes] = field(default_factory=list)
    newest: SignedHead | None = None
    """The head that was recorded last."""

    @classmethod
    def of(cls, watched: Watched) -> Story:
        watched.work(2)
        kept = watched.head()
        return cls(watched, kept, [record.line for record in watched.ledger.records()][: kept.head.size])

    def add(self, kind: str, body: bytes = b"{}\n", *, later: timedelta = MINUTE) -> int:
        before = parse(self.lines[-1])
        draft = Draft(kind, sha256(body))
        record = encode(draft, seq=before.seq + 1, at=before.at + later, prev=line_digest(self.lines[-1]))
        self.lines.append(record.line)
        self.details.append(body)
        return record.seq

    def add_head(self, head: SignedHead) -> None:
        self.newest = head
        self.add("head", bodies.write({"head": head}))

    def add_key(self, key: SigningKey, *, replaces: str) -> int:
        return self.add("key.added", bodies.write({"key": KeyEvent(key.public_key, "a new year", replaces)}))

    def end(self, *, later: timedelta = MINUTE, previous: Digest | None = None) -> Head:
        """Return the head over everything."""
        last = parse(self.lines[-1])
        before = head_digest((self.newest or self.kept.signed).text)
        size, digest = len(self.lines), line_digest(self.lines[-1])
        return Head(self.kept.head.ledger, size, digest, last.at + later, previous or before)

    def shown(self, head: SignedHead, *, after: int | None = None) -> Extension:
        begin = self.kept.head.size if after is None else after
        return Extension(head, begin, tuple(self.lines[begin:]), tuple(self.details))

    def judged(self, head: SignedHead, **pinned: object) -> HeadRefusal | None:
        """Return why a witness that keeps the kept head refuses this; None if it does not."""
        held = replace(self.watched.pinned(self.kept), **pinned)  # type: ignore[arg-type]
        try:
            accepted = judge(held, [self.shown(head)], now=parse(self.lines[-1]).at + timedelta(days=1))
        except RefusedHead as refusal:
            return refusal.reason
        assert accepted is not None
        return None


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story.of(Watched(tmp_path / "state"))


def test_the_story_that_is_forged_here_is_taken_where_nothing_is_wrong_with_it(story: Story) -> None:
    story.add_head(story.kept.signed)
    story.add("check.started")

    assert story.judged(signed(story.end())) is None


def test_a_record_of_the_past_is_refused(story: Story) -> None:
    story.add_head(story.kept.signed)
    story.add("check.started", later=-timedelta(milliseconds=1))

    assert story.judged(signed(story.end())) is HeadRefusal.REWRITTEN


def test_a_ledger_that_begins_again_in_the_middle_is_refused(story: Story) -> None:
    story.add_head(story.kept.signed)
    story.add("ledger.created", bodies.write({"ledger": story.kept.head.ledger, "format": 1}))

    assert story.judged(signed(story.end())) is HeadRefusal.REWRITTEN


def test_a_head_that_does_not_follow_the_one_recorded_before_it_is_refused(story: Story) -> None:
    """A head in between was taken out of the records."""
    story.add_head(story.kept.signed)
    story.add("check.started")

    assert story.judged(signed(story.end(previous=Digest("ab" * 32)))) is HeadRefusal.REWRITTEN


def test_another_head_recorded_in_the_place_of_the_kept_one_is_refused(story: Story) -> None:
    """The kept head was shown to the witness, and then left out of what everybody else gets."""
    story.add_head(signed(replace(story.kept.head, at=story.kept.head.at + MINUTE)))
    story.add("check.started")

    assert story.judged(signed(story.end())) is HeadRefusal.REWRITTEN


def test_a_head_made_before_the_last_record_that_it_is_over_is_refused(story: Story) -> None:
    story.add_head(story.kept.signed)
    story.add("check.started", later=timedelta(hours=1))

    assert story.judged(signed(story.end(later=-timedelta(milliseconds=1)))) is HeadRefusal.TIME


def test_a_head_made_before_the_kept_one_is_refused(story: Story) -> None:
    """Also where the records are of no later time than the kept head, which may be made long after its last record."""
    late = signed(replace(story.kept.head, at=story.kept.head.at + timedelta(hours=5)))
    story.kept = replace(
        story.kept, head=replace(story.kept.head, at=story.kept.head.at + timedelta(hours=5)), signed=late
    )
    story.add_head(late)
    story.add("check.started")

    assert story.judged(signed(story.end())) is HeadRefusal.TIME


def test_a_head_over_the_records_before_a_new_key_does_not_speak_for_it(story: Story) -> None:
    """Whoever took the machine without the old key replays the old key's newest head behind the record of a new key."""
    story.add_head(story.kept.signed)
    story.add("check.started")
    old = signed(story.end())
    story.add_key(FOREIGN, replaces=KEY.public_key)
    story.add_head(old)

    assert story.judged(signed(story.end(), FOREIGN)) is HeadRefusal.UNKNOWN_KEY


def test_a_head_by_the_old_key_over_the_record_of_the_new_one_does(story: Story) -> None:
    story.add_head(story.kept.signed)
    story.add_key(FOREIGN, replaces=KEY.public_key)
    story.add_head(signed(story.end()))

    assert story.judged(signed(story.end(), FOREIGN)) is None


def test_two_heads_of_one_size_are_a_fork_also_without_their_records(story: Story) -> None:
    story.add_head(story.kept.signed)
    one = story.end()
    other = replace(one, digest=Digest("ab" * 32))
    pinned = replace(story.watched.pinned(story.kept), passed={one.size: one}, is_live=False)

    with pytest.raises(RefusedHead) as raised:
        Joining(pinned).note(signed(other), now=one.at + MINUTE)

    assert raised.value.reason is HeadRefusal.FORK


def test_another_record_in_the_place_of_the_kept_heads_is_a_fork(story: Story) -> None:
    """The records are shown from before the kept head on, and its own is another one."""
    place = story.kept.head.size
    story.add_head(story.kept.signed)
    story.lines[place - 1] = story.lines[place - 1].replace(b'"duty":""', b'"duty":"x"')

    pinned = story.watched.pinned(story.kept)
    with pytest.raises(RefusedHead) as raised:
        judge(pinned, [story.shown(signed(story.end()), after=place - 2)], now=story.watched.clock.now())

    assert raised.value.reason is HeadRefusal.FORK
