"""Ledgers whose clock was wrong for the corpus: mended by two persons, and mended by forgery or over right records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portalops import bodies
from portalops.ledger.claimant import draft_claim
from portalops.ledger.claims import WRITER_NAMESPACE, text_of_writer
from portalops.ledger.heads import HEAD, rotate_key
from portalops.ledger.heads import NAMESPACE as HEADS
from portalops.ledger.heads import text_of as head_text
from portalops.ledger.heeded import find_time_order
from portalops.ledger.quarantine_text import FORMS, text_of
from portalops.ledger.record import GENESIS, NO_RUN, Draft, encode, line_digest
from portalops.ledger.set_aside import stored_lines
from portalops.model.heads import Head, KeyEvent
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest, Record, RunId
from portalops.model.text import format_at
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED
from portalops.signatures.sshsig import SigningKey, sign
from tests.conformance.claims import MACHINE, PERSON, THIEF, append, append_head, claim, claimed, enrol, stranger
from tests.conformance.quarantines import LEDGER, NOT_A_RECORD, SECOND, put_line
from tests.conformance.quarantines import quarantine as set_aside
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY

AHEAD = timedelta(days=7)
FAR = datetime(9998, 12, 31, tzinfo=UTC)
NAMESPACE = FORMS[CLOCK_MENDED].namespace


def run_ahead(written: Written, by: timedelta = AHEAD) -> int:
    """Record as portalops does while the clock is ahead, set it right, and return the first record of that time."""
    right = written.clock.at
    written.clock.move(by)
    first = written.ledger.count() + 1
    written.check(written.clock.at.date())
    written.plan(DAILY)
    written.ledger.claim()
    written.head()
    written.at(right + timedelta(minutes=5))
    return first


def run_past(written: Written) -> int:
    """As `run_ahead`, and let the time of those records pass: then a record that does not count breaks no chain, and a bundle can be made."""
    first = run_ahead(written)
    written.clock.move(AHEAD * 2)
    return first


def mend(
    written: Written,
    first: int,
    last: int | None = None,
    *,
    since: datetime | None = None,
    own: SigningKey | None = None,
    second: SigningKey = SECOND,
    named: SigningKey | None = None,
    digest: str = "",
    ledger: str = LEDGER,
    reason: str = "đồng hồ chạy trước bảy ngày",
    namespace: str = NAMESPACE,
    text: str = "",
) -> None:
    """Record a mended clock; each part may be another than it is to be."""
    last = written.ledger.newest_number() if last is None else last
    lines = {seq: found for seq, found, _record in stored_lines(written.ledger, (last,))}
    made = Quarantine(
        ledger,
        first,
        last,
        Digest(digest) or lines.get(last, Digest("a" * 64)),
        "Nguyễn Văn An",
        "Trần Thị Bình",
        (named or second).public_key,
        reason,
        since or _moment_before(written, first),
    )
    signed = text or text_of(made)
    put(written, signed, sign(signed.encode(), own or written.key, NAMESPACE), sign(signed.encode(), second, namespace))


def _moment_before(written: Written, first: int) -> datetime:
    before = written.ledger.record(first - 1)
    return before.at if before is not None else written.clock.at


def put(written: Written, text: str, *signatures: str) -> None:
    names = ("signature", "second_signature")
    put_part(written, {"text": text, **dict(zip(names, signatures, strict=False))})


def put_part(written: Written, part: object) -> None:
    ledger = written.ledger
    draft = ledger.draft(CLOCK_MENDED, body=ledger.keep(bodies.write({"mended_clock": part})))
    ledger.append_mend(draft, ledger.newest_number())


def void_before_writers(folder: Path) -> Written:
    """Make a ledger that nobody claims, in which a mended clock of a stranger is set aside."""
    written = Written(folder)
    written.plan(DAILY)
    written.head()
    seq = forge(written, CLOCK_MENDED, datetime(2, 1, 1, tzinfo=UTC), mended_clock={"text": "x"}).seq
    set_aside(written, seq, seq)
    go_on(written)
    return written


def void_and_claimed_afterwards(folder: Path) -> Written:
    """As `void_before_writers`, and let a writer who is enrolled later claim what was set aside."""
    written = void_before_writers(folder)
    void = next(stranger(written).records(kinds=(CLOCK_MENDED,)))
    enrol(written, PERSON, "an")
    claim(written, PERSON, void)
    return written


def mended(folder: Path) -> Written:
    """Make a claimed ledger whose clock was ahead for a time, and that went on once that was mended."""
    written = claimed(folder)
    mend(written, run_ahead(written))
    go_on(written)
    return written


def mended_before_writers(folder: Path) -> Written:
    """Make a ledger that nobody claims, whose clock was ahead by a year."""
    written = Written(folder)
    written.plan(DAILY)
    written.head()
    mend(written, run_ahead(written, timedelta(days=365)))
    go_on(written)
    return written


def forge(written: Written, kind: str, at: datetime, *, run: str = "", **parts: object) -> Record:
    """Append a whole record of a time that portalops would refuse, as who may write the file does it."""
    return _put_forged(written, kind, at, run, parts or {"note": "x"})


def _put_forged(written: Written, kind: str, at: datetime, run: str, parts: dict[str, object]) -> Record:
    number = written.ledger.newest_number()
    ((_seq, digest, _record),) = stored_lines(written.ledger, (number,))
    body = written.ledger.keep(bodies.write(parts))
    made = encode(Draft(kind, body, RunId(run)), seq=number + 1, at=at, prev=digest)
    put_line(written, made.line)
    return made


def forge_claim(written: Written, key: SigningKey, at: datetime, *records: Record) -> None:
    """Claim records at a time that portalops would refuse."""
    ranges = [LineRange(each.seq, each.seq, line_digest(each.line)) for each in records]
    draft = draft_claim(written.ledger, key, ranges)
    parts: dict[str, object] = dict(bodies.read(written.ledger.blob(draft.body)))
    _put_forged(written, draft.kind, at, "", parts)


def backdate(written: Written, by: timedelta) -> tuple[int, Record]:
    """Let a mended clock that counts for nothing begin an earlier time, and record and claim a run in it; return its number and the run's end."""
    at = written.clock.at - by
    void = forge(written, CLOCK_MENDED, at, mended_clock={"text": "x"})
    run = f"{DAILY.duty}:{DAILY.id}:{at:%Y-%m-%d}.2"
    records = [forge(written, f"check.{each}", at, run=run, run_=each) for each in ("started", "finished")]
    forge_claim(written, MACHINE, at, *records)
    return void.seq, records[-1]


def go_on(written: Written) -> None:
    """Record what comes behind a mended clock."""
    written.clock.move(timedelta(minutes=1))
    written.append("note.added", note="x")
    written.ledger.claim()


def _ahead(written: Written) -> None:
    mend(written, run_ahead(written))


def _twice_in_a_row(written: Written) -> None:
    for _time in range(2):
        mend(written, run_ahead(written))
        written.clock.move(timedelta(days=2))


def _mended_while_ahead(written: Written) -> None:
    right = written.clock.at
    first = run_ahead(written)
    written.clock.move(timedelta(days=2))
    mend(written, first)
    written.at(right + timedelta(minutes=9))
    mend(written, written.ledger.count(), since=written.clock.at)


def _after_its_time(written: Written) -> None:
    since = written.clock.at + timedelta(minutes=1)
    first = run_ahead(written)
    written.clock.move(AHEAD * 2)
    mend(written, first, since=since)


def _a_slot_of_the_future(written: Written) -> None:
    mend(written, run_ahead(written, timedelta(days=1)))
    written.clock.move(timedelta(days=3))
    written.append("note.added", note="x")


def _a_start_before_and_an_end_within(written: Written) -> None:
    written.append("check.started", f"{DAILY.duty}:{DAILY.id}:2026-12-01")
    right = written.clock.at
    written.clock.move(AHEAD)
    first = written.ledger.count() + 1
    written.append("check.finished", f"{DAILY.duty}:{DAILY.id}:2026-12-01", run={"outcome": "complete"})
    written.at(right + timedelta(minutes=5))
    mend(written, first)


def _an_erasure_within(written: Written) -> None:
    right = written.clock.at
    written.clock.move(AHEAD)
    gone = next(written.ledger.records(kinds=("check.finished",))).body
    first = written.ledger.count() + 1
    written.append("blob.erased", erased={"digest": gone, "reason": "x", "approved_by": "x"})
    written.ledger.claim()
    written.at(right + timedelta(minutes=5))
    mend(written, first)


def _a_strangers_records(written: Written) -> None:
    right = written.clock.at
    written.clock.move(AHEAD)
    first = append(written, "note.added").seq
    written.at(right + timedelta(minutes=5))
    mend(written, first)
    written.clock.move(AHEAD * 2)
    append(written, "note.added")


def _void_and_set_aside(written: Written) -> None:
    run_ahead(written)
    put_part(written, {"text": "x"})
    seq = written.ledger.count()
    set_aside(written, seq, seq)
    written.clock.move(AHEAD * 2)


def _void_backdated_and_set_aside(written: Written) -> None:
    at = written.clock.at - timedelta(days=2)
    first = forge(written, CLOCK_MENDED, at, mended_clock={"text": "x"}).seq
    set_aside(written, first, forge(written, "note.added", at).seq)


def _void_of_the_year_two_set_aside(written: Written) -> None:
    seq = forge(written, CLOCK_MENDED, datetime(2, 1, 1, tzinfo=UTC), mended_clock={"text": "x"}).seq
    set_aside(written, seq, seq)
    written.append("note.added", note="x")


def _void_while_ahead_and_then_mended(written: Written) -> None:
    """A mended clock that counts for nothing is as any record: it ends no time that was wrong."""
    first = run_ahead(written)
    void = forge(written, CLOCK_MENDED, written.clock.at, mended_clock={"text": "x"}).seq
    set_aside(written, void, void)
    mend(written, first, since=written.clock.at - timedelta(minutes=1))


def _earlier_than_the_record_before_and_set_aside(written: Written) -> None:
    seq = forge(written, "note.added", written.clock.at - timedelta(days=3)).seq
    set_aside(written, seq, seq)


def _record_now(written: Written) -> None:
    """Record as the command line does, which knows what counts."""
    written.ledger.find_time_order = find_time_order
    go_on(written)


def _void_of_the_future_set_aside(written: Written) -> None:
    void = forge(written, CLOCK_MENDED, FAR, mended_clock={"text": "x"}).seq
    _record_now(written)
    set_aside(written, void, void)
    _record_now(written)


def _of_the_future_and_set_aside(written: Written) -> None:
    seq = forge(written, "note.added", FAR).seq
    set_aside(written, seq, seq)
    _record_now(written)


def _a_quarantine_again_in_the_future(written: Written) -> None:
    seq = forge(written, "note.added", written.clock.at).seq
    set_aside(written, seq, seq)
    forge_again(written, QUARANTINED, FAR)
    _record_now(written)


def _ahead_with_a_record_of_now_within(written: Written) -> None:
    first = run_ahead(written)
    forge(written, "note.added", written.clock.at)
    mend(written, first)
    _record_now(written)


def _mended_by_a_key_of_that_time_and_again(written: Written) -> None:
    _mended_by_a_key_of_that_time(written)
    seq = forge_again(written, CLOCK_MENDED, datetime(2, 1, 1, tzinfo=UTC))
    set_aside(written, seq, seq)
    _record_now(written)


def forge_again(written: Written, kind: str, at: datetime) -> int:
    """Record the newest record of a kind once more at another time, as who may write the file does it."""
    newest = next(written.ledger.records(kinds=(kind,), newest_first=True))
    parts: dict[str, object] = dict(bodies.read(written.ledger.blob(newest.body)))
    return _put_forged(written, kind, at, "", parts).seq


def _ahead_and_then_a_line_that_is_no_record(written: Written) -> None:
    """The line is set aside while the clock is behind the newest record."""
    first = run_ahead(written)
    line = put_line(written, NOT_A_RECORD)
    set_aside(written, line, line)
    mend(written, first)


def _ahead_and_a_line_that_is_no_record_within(written: Written) -> None:
    """The line is the newest one that is named, and is set aside afterwards."""
    first = run_ahead(written)
    line = put_line(written, NOT_A_RECORD)
    mend(written, first)
    set_aside(written, line, line)


def _a_line_that_is_no_record_and_then_ahead(written: Written) -> None:
    """The right record is the newest one that is a record."""
    line = put_line(written, NOT_A_RECORD)
    first = forge(written, "note.added", written.clock.at + AHEAD).seq
    written.clock.move(timedelta(minutes=5))
    mend(written, first, since=written.clock.at - timedelta(minutes=1))
    set_aside(written, line, line)


def _before_a_right_record_behind_an_earlier_one(written: Written) -> None:
    """The right record is the newest one in order: no stranger's record lets time run back behind it."""
    early = forge(written, "note.added", written.clock.at - timedelta(days=3)).seq
    first = forge(written, "note.added", written.clock.at + AHEAD).seq
    written.clock.move(AHEAD * 2)
    mend(written, first, since=written.clock.at - AHEAD * 2 - timedelta(days=2))
    set_aside(written, early, early)


def _one_person(written: Written) -> None:
    mend(written, run_past(written), second=written.key)


def _a_machine_as_the_second(written: Written) -> None:
    mend(written, run_past(written), second=MACHINE)


def _a_writer_as_the_second(written: Written) -> None:
    mend(written, run_past(written), second=PERSON)


def _a_strangers_key(written: Written) -> None:
    mend(written, run_past(written), own=THIEF)


def _a_key_of_their_own(written: Written) -> None:
    append(written, "key.added", key=KeyEvent(THIEF.public_key, "x", ""))
    mend(written, run_past(written), own=THIEF)


def _a_key_added_while_ahead(written: Written) -> None:
    right = written.clock.at
    written.clock.move(AHEAD)
    first = append(written, "key.added", key=KeyEvent(THIEF.public_key, "x", "")).seq
    written.at(right + AHEAD * 2)
    mend(written, first, own=THIEF)


def _another_second_than_named(written: Written) -> None:
    mend(written, run_past(written), second=THIEF, named=SECOND)


def _signed_as_a_quarantine(written: Written) -> None:
    mend(written, run_past(written), namespace="portalops-quarantine")


def _without_the_second(written: Written) -> None:
    first, last = run_past(written), written.ledger.count()
    ((_seq, digest, _record),) = stored_lines(written.ledger, (last,))
    made = Quarantine(LEDGER, first, last, digest, "a", "b", SECOND.public_key, "x", written.clock.at)
    put(written, text_of(made), sign(text_of(made).encode(), written.key, NAMESPACE))


def _text_of_a_quarantine(written: Written) -> None:
    first, last = run_past(written), written.ledger.count()
    ((_seq, digest, _record),) = stored_lines(written.ledger, (last,))
    made = Quarantine(LEDGER, first, last, digest, "a", "b", SECOND.public_key, "x")
    mend(written, first, text=text_of(made))


def _a_quarantine_with_the_text_of_a_clock(written: Written) -> None:
    seq = append(written, "claim", claim={"text": "x", "signature": "x"}).seq
    ((_seq, digest, _record),) = stored_lines(written.ledger, (seq,))
    made = Quarantine(LEDGER, seq, seq, digest, "a", "b", SECOND.public_key, "x", written.clock.at)
    set_aside(written, seq, seq, text=text_of(made))


def _without_a_moment(written: Written) -> None:
    _with_a_moment(written, "")


def _with_a_moment(written: Written, line: str) -> None:
    """Mend with another line in place of the moment, signed by both."""
    first, last = run_past(written), written.ledger.count()
    ((_seq, digest, _record),) = stored_lines(written.ledger, (last,))
    made = text_of(Quarantine(LEDGER, first, last, digest, "a", "b", SECOND.public_key, "x", written.clock.at))
    mend(written, first, text=made.replace(f"since {format_at(written.clock.at)}\n", line))


def _a_day_that_there_is_not(written: Written) -> None:
    _with_a_moment(written, "since 2026-02-30T00:00:00.000Z\n")


def _an_hour_that_there_is_not(written: Written) -> None:
    _with_a_moment(written, "since 2026-11-30T24:00:00.000Z\n")


def _a_year_without_zones(written: Written) -> None:
    _with_a_moment(written, "since 0001-01-01T00:00:00.000Z\n")


def _of_another_line(written: Written) -> None:
    mend(written, run_past(written), digest="b" * 64)


def _of_another_ledger(written: Written) -> None:
    mend(written, run_past(written), ledger="f" * 32)


def _not_up_to_the_newest(written: Written) -> None:
    first = run_past(written)
    mend(written, first, written.ledger.count() - 1)


def _of_the_future(written: Written) -> None:
    first = run_past(written)
    mend(written, first, written.ledger.count() + 1)


def _of_the_first_record(written: Written) -> None:
    run_past(written)
    mend(written, 1)


def _of_more_than_there_are(written: Written) -> None:
    first = run_past(written)
    text = f"portalops-clock 1\nledger {LEDGER}\nrange 1 999999999999999999 {'a' * 64}\nsince {format_at(written.clock.at)}\nby a\nsecond b\nkey {SECOND.public_key}\nreason x\n"
    mend(written, first, text=text)


def _with_a_right_record(written: Written) -> None:
    mend(written, run_past(written) - 1)


def _over_right_records(written: Written) -> None:
    """Two who agreed may call the newest records wrong, but let no time run back behind a right one."""
    written.clock.move(timedelta(minutes=1))
    mend(written, written.ledger.count() - 1, since=written.clock.at - timedelta(days=2))


def _of_records_at_the_moment(written: Written) -> None:
    since = written.clock.at
    append(written, "note.added")
    written.clock.move(timedelta(minutes=1))
    mend(written, written.ledger.count(), since=since)


def _of_honest_records_by_two(written: Written) -> None:
    since = written.clock.at
    written.clock.move(timedelta(minutes=1))
    written.check(written.clock.at.date(), "fail")
    first = written.ledger.count() - 1
    written.ledger.claim()
    mend(written, first, since=since)


def _since_a_later_moment(written: Written) -> None:
    first = run_past(written)
    mend(written, first, since=written.clock.at + timedelta(minutes=1))


def _overlapping(written: Written) -> None:
    first = run_past(written)
    mend(written, first)
    written.clock.move(timedelta(minutes=1))
    mend(written, first)


def _of_the_same_records_again(written: Written) -> None:
    first = run_past(written)
    mend(written, first)
    written.clock.move(timedelta(minutes=1))
    mend(written, first + 1, written.ledger.count() - 1)


def _holds_none(written: Written) -> None:
    run_past(written)
    put_part(written, [])


def _lone_surrogate(written: Written) -> None:
    body = b'{"mended_clock":{"second_signature":"x","signature":"x","text":"\\ud800"}}\n'
    stranger(written).append(CLOCK_MENDED, run=NO_RUN, body=body)


def _details_that_never_were(written: Written) -> None:
    run_ahead(written)
    written.ledger.append_mend(
        written.ledger.draft(CLOCK_MENDED, body=Digest("c" * 64)), written.ledger.newest_number()
    )
    seq = written.ledger.count()
    set_aside(written, seq, seq)
    written.clock.move(AHEAD * 2)


def _claimed_by_a_person_afterwards(written: Written) -> None:
    right = written.clock.at
    written.clock.move(AHEAD)
    theirs = append(written, "note.added")
    written.at(right + timedelta(minutes=5))
    mend(written, theirs.seq)
    claim(written, PERSON, theirs)


def _the_second_person_enrolled_later(written: Written) -> None:
    mend(written, run_ahead(written))
    enrol(written, SECOND, "binh")


def change_key_ahead(written: Written) -> tuple[int, SigningKey]:
    """Change the ledger's key while the clock is ahead, and set it right; return the first record of that time and the key before."""
    right = written.clock.at
    written.clock.move(AHEAD)
    first = append(written, "note.added").seq
    old, written.key = written.key, key_of(3)
    rotate_key(stranger(written), old, written.key, reason="a new year", clock=written.clock)
    written.at(right + timedelta(minutes=5))
    return first, old


def _mended_by_a_key_of_that_time(written: Written) -> None:
    first, _old = change_key_ahead(written)
    mend(written, first)
    written.clock.move(timedelta(minutes=1))
    written.head()
    append(written, "note.added", note="y")


def _a_key_of_that_time_that_mended_nothing(written: Written) -> None:
    """The key before it mends nothing behind its retirement, whatever the times are."""
    first, old = change_key_ahead(written)
    written.clock.move(AHEAD * 2)
    mend(written, first, own=old)


def forge_head(written: Written, at: datetime) -> None:
    """Sign over whatever is there with the ledger's key, in a head and a record of any time."""
    number = written.ledger.newest_number()
    ((_seq, digest, _record),) = stored_lines(written.ledger, (number,))
    text = head_text(Head(LEDGER, number, digest, at, Digest(GENESIS)))
    forge(written, HEAD, at, head={"text": text, "signature": sign(text.encode(), written.key, HEADS)})


def mended_behind_a_change(written: Written) -> SigningKey:
    """Change the ledger's key while the clock is ahead, and mend that with the new key; return the key before, which is retired in the future."""
    first, old = change_key_ahead(written)
    mend(written, first)
    written.clock.move(timedelta(minutes=1))
    written.head()
    return old


def name_writer(written: Written, key: SigningKey, *, by: SigningKey, at: datetime) -> Record:
    """Record a writer with all authority, whom some key of the ledger signed."""
    text = text_of_writer(WriterEvent(LEDGER, WriterState.ADDED, key.public_key, "evil", Authority.ALL))
    signed = {"text": text, "signature": sign(text.encode(), by, WRITER_NAMESPACE)}
    return forge(written, "writer.added", at, writer=signed)


def set_aside_at(written: Written, seq: int, *, by: SigningKey, at: datetime) -> int:
    """Set a record aside in a record of any time; return its number."""
    ((_seq, digest, _record),) = stored_lines(written.ledger, (seq,))
    text = text_of(Quarantine(LEDGER, seq, seq, digest, "a", "b", SECOND.public_key, "x"))
    names = {"signature": by, "second_signature": SECOND}
    signed = {name: sign(text.encode(), key, FORMS[QUARANTINED].namespace) for name, key in names.items()}
    return forge(written, QUARANTINED, at, quarantine={"text": text, **signed}).seq


def change_key(written: Written) -> tuple[SigningKey, datetime]:
    """Change the ledger's key as it is done each year; return the key before, and a time at which it was in use."""
    before, old = written.clock.at, written.key
    written.clock.move(timedelta(minutes=1))
    written.key = key_of(3)
    rotate_key(stranger(written), old, written.key, reason="a new year", clock=written.clock)
    written.clock.move(timedelta(minutes=1))
    return old, before


def _set_aside_by_the_key_before(written: Written) -> None:
    """Its retirement has a time of the future: where that stands decides."""
    old = mended_behind_a_change(written)
    set_aside(written, append(written, "note.added").seq, written.ledger.count(), own=old)


def _a_writer_by_the_key_before(written: Written) -> None:
    old = mended_behind_a_change(written)
    name_writer(written, THIEF, by=old, at=written.clock.at)
    claim(written, THIEF, append(written, "note.added"))


def _a_head_by_the_key_before(written: Written) -> None:
    append_head(written, mended_behind_a_change(written))


def _a_successor_by_the_key_before(written: Written) -> None:
    old = mended_behind_a_change(written)
    append(written, "key.added", key=KeyEvent(THIEF.public_key, "x", old.public_key))
    append_head(written, old)


def _a_mend_by_the_key_before(written: Written) -> None:
    old = mended_behind_a_change(written)
    mend(written, run_past(written), own=old)


def _a_quarantine_by_a_retired_key_that_is_set_aside(written: Written) -> None:
    old, at = change_key(written)
    seq = set_aside_at(written, append(written, "note.added").seq, by=old, at=at)
    set_aside(written, seq - 1, seq)


def _a_writer_by_a_retired_key_that_is_set_aside(written: Written) -> None:
    old, at = change_key(written)
    seq = name_writer(written, THIEF, by=old, at=at).seq
    set_aside(written, seq, seq)


def _set_aside_although_it_counts(written: Written) -> None:
    mend(written, run_ahead(written))
    seq = written.ledger.count()
    set_aside(written, seq, seq)


def _backdated_behind_a_void_clock(written: Written) -> None:
    backdate(written, timedelta(days=2))


def _backdated_behind_a_void_clock_that_is_set_aside(written: Written) -> None:
    """What two persons set aside leaves no earlier time to what follows."""
    seq, _run = backdate(written, timedelta(days=2))
    set_aside(written, seq, seq)


def _earlier_than_the_record_before(written: Written) -> None:
    forge(written, "note.added", written.clock.at - timedelta(days=3))


BEHIND_A_BUNDLE: Mapping[str, Callable[[Written], None]] = {
    each.__name__.strip("_").replace("_", "-"): each
    for each in (
        _backdated_behind_a_void_clock,
        _backdated_behind_a_void_clock_that_is_set_aside,
        _earlier_than_the_record_before,
    )
}
"""What is appended to a bundle, since portalops exports no such ledger."""

CASES: Mapping[str, Callable[[Written], None]] = {
    each.__name__.strip("_").replace("_", "-"): each
    for each in (
        _ahead, _twice_in_a_row, _mended_while_ahead, _after_its_time, _a_slot_of_the_future, _a_start_before_and_an_end_within,
        _an_erasure_within, _a_strangers_records, _void_and_set_aside, _void_backdated_and_set_aside,
        _void_of_the_year_two_set_aside, _void_while_ahead_and_then_mended,
        _earlier_than_the_record_before_and_set_aside,
        _void_of_the_future_set_aside, _of_the_future_and_set_aside, _a_quarantine_again_in_the_future,
        _ahead_with_a_record_of_now_within, _mended_by_a_key_of_that_time_and_again,
        _ahead_and_then_a_line_that_is_no_record, _ahead_and_a_line_that_is_no_record_within,
        _a_line_that_is_no_record_and_then_ahead, _before_a_right_record_behind_an_earlier_one, _one_person,
        _a_machine_as_the_second, _a_writer_as_the_second, _a_strangers_key, _a_key_of_their_own, _a_key_added_while_ahead,
        _another_second_than_named, _signed_as_a_quarantine, _without_the_second, _text_of_a_quarantine,
        _a_quarantine_with_the_text_of_a_clock, _without_a_moment, _a_day_that_there_is_not, _an_hour_that_there_is_not,
        _a_year_without_zones, _of_another_line, _of_another_ledger, _not_up_to_the_newest, _of_the_future, _of_the_first_record,
        _of_more_than_there_are, _with_a_right_record, _over_right_records, _of_records_at_the_moment, _of_honest_records_by_two,
        _since_a_later_moment, _overlapping, _of_the_same_records_again, _holds_none, _lone_surrogate,
        _details_that_never_were, _claimed_by_a_person_afterwards, _set_aside_although_it_counts,
        _the_second_person_enrolled_later, _mended_by_a_key_of_that_time, _a_key_of_that_time_that_mended_nothing,
    )
}  # fmt: skip
"""How the clock is mended in a ledger with claims."""

RETIRED: Mapping[str, Callable[[Written], None]] = {
    each.__name__.strip("_").replace("_", "-"): each
    for each in (
        _set_aside_by_the_key_before, _a_writer_by_the_key_before, _a_head_by_the_key_before, _a_successor_by_the_key_before,
        _a_mend_by_the_key_before, _a_quarantine_by_a_retired_key_that_is_set_aside,
        _a_writer_by_a_retired_key_that_is_set_aside,
    )
}  # fmt: skip
"""What a key signs that was retired, once the clock is mended or at an earlier time."""
