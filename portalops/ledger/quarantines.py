"""Quarantines and mended clocks: what two persons say of records, so that a ledger goes on behind them; pure.

Nothing is removed: the chain goes on over the bytes of the lines. Only lines that are no records, records of
`ANYBODYS`, records that count for nothing by themselves, and records behind the first writer that nobody claims can be set aside
(docs/ledger-format.md, Quarantines).
A mended clock names the newest records, all with times ahead of the moment that both give (there, Mended clocks).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from portalops import bodies
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord, Noted, Signed, Spoken, find_standings
from portalops.ledger.claims import Ownership, SettingAside, SignedText, check_claims, find_key_flaw
from portalops.ledger.quarantine_text import FORMS, parse_quarantine
from portalops.ledger.record import CREATED
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.model.quarantines import Quarantine, SetAside
from portalops.model.record import Digest
from portalops.model.text import format_at
from portalops.model.values import dataclass
from portalops.registers.signers import KEY_RETIRED, DisownedKeys, KeyMend, confirmed_before
from portalops.registers.writers import CLOCK_MENDED, QUARANTINED
from portalops.signatures.sshsig import BadSignature, verify

ANYBODYS = ("ledger.moved", KEY_RETIRED)
"""Kinds that can be set aside whoever recorded them. A retirement that its key or its successor confirmed counts all the same."""
PLANNING: Final = frozenset({"plan", "waiver.granted", "waiver.withdrawn"})
"""Kinds that say what is expected: lost details of a claimed one leave that unknown, and two persons can't set it aside."""


@dataclass(frozen=True, slots=True)
class ReadQuarantine:
    """A quarantine's record, read: all that can be known of it without other records."""

    seq: int
    at: datetime
    """Of the record."""
    kind: str
    quarantine: Quarantine | None
    """None if the text is none."""
    signers: tuple[str, str]
    """Public keys of who signed as the ledger's key and as the second person; empty without a valid signature."""
    problem: Message | None
    """Why one of both is none."""
    is_there: bool
    """The details can be read; where they cannot, that is named elsewhere."""


def read_quarantine(held: HeldRecord) -> ReadQuarantine:
    """Read a quarantine or a mended clock and check both signatures; whether their keys count is decided elsewhere."""
    form = FORMS[held.kind]
    part = bodies.part_of(held.blob or b"", form.part)
    text = part.get("text")
    quarantine = parse_quarantine(text, held.kind) if isinstance(text, str) else None
    signers, problem = ["", ""], None
    for place, name in enumerate(("signature", "second_signature")):
        signature = part.get(name)
        if quarantine is None or not isinstance(text, str):
            continue
        if not isinstance(signature, str):
            problem = problem or msg("a signature is missing")
            continue
        try:
            signers[place] = verify(text.encode(), signature, form.namespace)
        except BadSignature as error:
            problem = problem or error.message
    both = signers[0], signers[1]
    return ReadQuarantine(held.seq, held.at, held.kind, quarantine, both, problem, held.blob is not None)


def suspects(read: Iterable[ReadQuarantine]) -> Iterator[int]:
    """Yield the numbers of the records whose faults wait for these: those that quarantines name, and these themselves, which may be before their time."""
    for each in read:
        yield each.seq
        if each.kind != CLOCK_MENDED and each.quarantine is not None and each.quarantine.last < each.seq:
            yield from range(each.quarantine.first, each.quarantine.last + 1)


def wanted(read: Iterable[ReadQuarantine]) -> Iterator[int]:
    """Yield the numbers of the lines whose digests and times are needed."""
    for each in read:
        if each.quarantine is None or each.quarantine.last >= each.seq:
            continue
        if each.kind == CLOCK_MENDED:
            yield from (each.quarantine.first - 1, each.quarantine.first, each.quarantine.last)
        else:
            yield from range(each.quarantine.first, each.quarantine.last + 1)


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What a ledger holds besides quarantines, as far as they are judged by it."""

    ledger: str
    """Its id; empty if that cannot be read, and then it is not compared."""
    signers: Sequence[Signer]
    """The ledger's keys."""
    ownership: Ownership
    """Whose the records are."""
    noted: Noted
    """Digest and time of each line that `wanted` asks for, as far as it is there; without a time it is no record."""
    time_in_force: Callable[[int, Sequence[SetAside]], str]
    """Returns the time that what follows a line may not be before, given its number and what counts (`times.find_time_in_force`)."""
    anybodys: Collection[int]
    """Numbers of the records of `is_anybodys`, and of the void erasures (`erasures.names_kept`)."""
    restricted: Collection[int]
    """Numbers of the records that a writer with authority `all` alone may record."""
    void: Collection[int]
    """Numbers of the records that count for nothing by themselves (`check_heads.find_standings`)."""
    sound: Collection[int]
    """Numbers of the records that a confirmed key stands for."""
    losable: Collection[int] = frozenset()
    """Numbers of the records of which two persons may say that the details are missing (`may_lose`)."""
    doubtful: frozenset[int] = frozenset()
    """Those of them whose details are at hand, or that a bundle need not hold: whether they were missing then is unknown."""


def disowned_keys(read: Iterable[ReadQuarantine], ledger: str) -> tuple[DisownedKeys, ...]:
    """Return which records the keys that signed quarantines say to be a stranger's.

    Args:
        read: the quarantines.
        ledger: its id; empty if that cannot be read, and then it is not compared.
    """
    return tuple(
        DisownedKeys(each.seq, each.signers[0], each.quarantine.first, each.quarantine.last)
        for each in read
        if each.quarantine is not None
        and each.kind != CLOCK_MENDED
        and each.problem is None
        and ledger in {"", each.quarantine.ledger}
    )


def settings_aside(read: Sequence[ReadQuarantine], surrounding: Surrounding) -> tuple[SettingAside, ...]:
    """Return the quarantines that the ledger's key signed, for `check_claims`: what they set aside no later claim has.

    Args:
        read: the quarantines and mended clocks, oldest first.
        surrounding: what else the ledger holds; whose the records are is not known yet.
    """
    return tuple(
        SettingAside(each.seq, each.quarantine.first, each.quarantine.last, partial(_counts, each, read, surrounding))
        for each in read
        if each.kind == QUARANTINED
        and each.quarantine is not None
        and each.problem is None
        and find_key_flaw(each.signers[0], each.seq, each.at, surrounding.signers) is None
    )


def _counts(
    each: ReadQuarantine, read: Sequence[ReadQuarantine], surrounding: Surrounding, ownership: Ownership
) -> bool:
    return flaw_of(each, read, replace(surrounding, ownership=ownership)) is None


def key_mends(read: Iterable[ReadQuarantine], ledger: str) -> tuple[KeyMend, ...]:
    """Return which records the keys that signed mended clocks name; arguments are those of `disowned_keys`."""
    return tuple(
        KeyMend(each.at, each.signers[0], each.quarantine.first, each.quarantine.last)
        for each in read
        if each.quarantine is not None
        and each.kind == CLOCK_MENDED
        and each.problem is None
        and each.quarantine.is_behind_its_range(each.seq, each.at)
        and ledger in {"", each.quarantine.ledger}
    )


def check_quarantines(read: Sequence[ReadQuarantine], surrounding: Surrounding, faults: Faults) -> tuple[SetAside, ...]:
    """Return the quarantines and mended clocks that count, and name the others.

    Args:
        read: oldest first.
        surrounding: what else the ledger holds.
        faults: receives what counts for nothing.
    """
    counted: list[SetAside] = []
    void = set(surrounding.void)
    around = replace(surrounding, void=void)  # which grows: there may be thousands
    for each in read:
        if not each.is_there:
            continue
        why = _flaw_among(each, around, counted)
        if why is None and each.quarantine is not None:
            counted.append(SetAside(each.seq, each.at, each.quarantine, _is_proven(each, around)))
        elif why is not None:
            void.add(each.seq)
            what = (
                msg("the mended clock in record {seq} counts for nothing: {why}", seq=each.seq, why=why)
                if each.kind == CLOCK_MENDED
                else msg("the quarantine in record {seq} counts for nothing: {why}", seq=each.seq, why=why)
            )
            faults.add_excusable(each.seq, what)
    return tuple(counted)


def find_needing(
    read: Sequence[ReadQuarantine], counted: Sequence[SetAside], around: Surrounding, numbers: Collection[int]
) -> tuple[int, int] | None:
    """Return the first quarantine that would count no more without the details of some records, and the first of these that it names.

    Args:
        read: all quarantines.
        counted: those that count.
        around: what else the ledger holds.
        numbers: of the records.
    """
    void = {*around.void, *void_by_two(read, counted)}.difference(numbers)
    counting = {each.seq for each in counted if each.quarantine.since is None}
    for each in read:
        named = [
            seq
            for seq in numbers
            if each.seq in counting and each.quarantine and each.quarantine.first <= seq <= each.quarantine.last
        ]
        if named and _flaw_of(each, replace(around, void=void)) is not None:
            return each.seq, min(named)
    return None


def check_owners(
    read: Sequence[ReadQuarantine],
    texts: Sequence[SignedText],
    spoken: Spoken,
    signed: Signed,
    *,
    noted: Noted,
    time_in_force: Callable[[int, Sequence[SetAside]], str],
    faults: Faults,
    ledger: str,
    anybodys: Collection[int],
    restricted: Collection[int],
    losable: Collection[int],
    doubtful: frozenset[int] = frozenset(),
) -> tuple[Ownership, tuple[SetAside, ...]]:
    """Find out whose the records are and which are set aside, and name what counts for nothing; then settle what waited for it.

    Args:
        read: the quarantines and mended clocks, oldest first.
        texts: the claims and writer records, oldest first.
        spoken: what the records say of heads, keys, sign-offs and drills.
        signed: what came of that.
        noted: digest and time of each line that any of them asks for.
        time_in_force: as in `Surrounding`.
        faults: receives what does not hold.
        ledger: its id; empty if that cannot be read.
        anybodys: as in `Surrounding`.
        restricted: as in `Surrounding`.
        losable: likewise, of the records that any quarantine names.
        doubtful: likewise.
    """
    keys = [use.signer for use in signed.uses]
    standings = find_standings(spoken, keys, ledger, faults.suspects)
    around = Surrounding(
        ledger, keys, Ownership(), noted, time_in_force, anybodys, restricted, *standings, losable, doubtful
    )
    aside = settings_aside(read, around)
    ownership = check_claims(texts, keys, noted, faults, ledger=ledger, spoken_for=signed.holding, settings_aside=aside)
    set_aside = check_quarantines(read, replace(around, ownership=ownership), faults)
    faults.settle(records_excused(set_aside))
    return ownership.speaking_for(each.seq for each in set_aside), set_aside


def records_set_aside(counted: Iterable[SetAside]) -> frozenset[int]:
    """Return the numbers of all records that are set aside."""
    return _named(each for each in counted if each.quarantine.since is None)


def records_mistimed(counted: Iterable[SetAside]) -> frozenset[int]:
    """Return the numbers of all records whose time is wrong: when they were made is unknown."""
    return _named(each for each in counted if each.quarantine.since is not None)


def records_excused(counted: Sequence[SetAside]) -> frozenset[int]:
    """Return the numbers of all records whose own faults are none: those set aside, and what counts although it is before its time."""
    return records_set_aside(counted).union(each.seq for each in counted)


def mended_clocks(counted: Iterable[SetAside]) -> frozenset[int]:
    """Return the numbers of the mended clocks that count: time begins anew at these."""
    return frozenset(each.seq for each in counted if each.quarantine.since is not None)


def void_by_two(read: Iterable[ReadQuarantine], counted: Iterable[SetAside]) -> frozenset[int]:
    """Return the numbers of the quarantines and mended clocks that count for nothing, so that each can be set aside."""
    return frozenset(each.seq for each in read if each.is_there).difference(each.seq for each in counted)


def first_void_clock(read: Iterable[ReadQuarantine], counted: Iterable[SetAside]) -> int | None:
    """Return the number of the first mended clock that does not count; None if all do.

    What is before its time behind it meets no duty, as if its time were wrong: by that clock's leave it would.
    """
    mended = mended_clocks(counted)
    return next((each.seq for each in read if each.kind == CLOCK_MENDED and each.seq not in mended), None)


def records_untimely(
    read: Iterable[ReadQuarantine], counted: Sequence[SetAside], misplaced: Iterable[int]
) -> frozenset[int]:
    """Return the numbers of all records whose time says nothing: two persons call it wrong, or it goes back by the leave of a void clock.

    Args:
        read: oldest first.
        counted: those that count.
        misplaced: numbers of the records before their time (`times.check_times`).
    """
    void = first_void_clock(read, counted)
    back = () if void is None else (seq for seq in misplaced if seq > void)
    return records_mistimed(counted).union(back)


def _named(counted: Iterable[SetAside]) -> frozenset[int]:
    return frozenset(seq for each in counted for seq in range(each.quarantine.first, each.quarantine.last + 1))


def is_anybodys(seq: int, kind: str) -> bool:
    """Say whether a record can be set aside whoever recorded it: of `ANYBODYS`, or a second beginning."""
    return kind in ANYBODYS or (kind == CREATED and seq > 1)


def may_lose(kind: str) -> bool:
    """Say whether two persons may set a record of a kind aside for the want of its details, behind the end of its writer.

    Their word stands also where the details come back: whoever can put one blob gives no record back. But then it is not
    proven (`SetAside.is_proven`), since whether the details were missing is not seen any more.
    """
    return kind not in PLANNING


def lacks_details(kind: str, body: Digest, read: Callable[[Digest], bytes | None]) -> bool:
    """Say whether a record's details, or evidence that they name, are not at hand; of `PLANNING` none lacks them.

    Args:
        kind: the record's.
        body: likewise.
        read: returns the bytes of a digest; None if they are missing or others.
    """
    if not may_lose(kind):
        return False
    blob = read(body)
    return blob is None or None in [
        read(each) for each in bodies.evidence_of(blob)
    ]  # each is read: a bundle notes which are there


def may_set_aside(
    seq: int,
    by: int,
    ownership: Ownership,
    *,
    is_void: bool,
    is_sound: bool,
    is_restricted: bool = False,
    is_lacking: bool = False,
) -> bool:
    """Say whether a record can be set aside that is one, and none of `is_anybodys`: it counts for nothing, or no key stands for it.

    Args:
        seq: its number.
        by: the quarantine's: a claim behind that changes nothing of it.
        ownership: whose the records are.
        is_void: it counts for nothing by itself, so that no claim of it matters; else it must stand behind the first writer.
        is_sound: a confirmed key stands for it.
        is_restricted: a claim by a writer without authority `all` does not stand for it.
        is_lacking: its details are not at hand, or were not, so that a claim by a writer who was ended since does not stand for it.
    """
    if is_sound:
        return False
    if seq in ownership.contradicting:
        return ownership.is_ended_contradiction(seq, by)
    if is_void or seq in ownership.faulted:
        return True
    if ownership.begin is None or seq <= ownership.begin:
        return False
    if not ownership.is_claimed_before(seq, by) or (is_restricted and not ownership.has_authority(seq)):
        return True
    return is_lacking and ownership.is_of_ended(seq, by)


def find_curable(
    numbers: Collection[int],
    *,
    records: int,
    ownership: Ownership,
    spoken: Spoken,
    signed: Signed,
    read: Sequence[ReadQuarantine],
    set_aside: Sequence[SetAside],
    ledger: str,
    anybodys: Collection[int],
    restricted: Collection[int],
) -> frozenset[int]:
    """Return which records with faults two persons can set aside as things stand, so that their own faults are none.

    Args:
        numbers: of the records.
        records: how many there are.
        ownership: whose they are.
        spoken: what the records say of heads, keys, sign-offs and drills.
        signed: what came of that.
        read: the quarantines and mended clocks.
        set_aside: those that count.
        ledger: as in `check_owners`.
        anybodys: likewise.
        restricted: likewise.
    """
    void, sound = find_standings(spoken, [use.signer for use in signed.uses], ledger, numbers)
    void |= void_by_two(read, set_aside)
    aside = records_excused(set_aside)  # what is wrong with these still is no fault of their own
    return frozenset(
        seq
        for seq in numbers
        if seq not in aside
        and (
            seq in anybodys
            or may_set_aside(
                seq,
                records + 1,
                ownership,
                is_void=seq in void,
                is_sound=seq in sound,
                is_restricted=seq in restricted,
            )
        )
    )


def flaw_of(each: ReadQuarantine, read: Iterable[ReadQuarantine], around: Surrounding) -> Message | None:
    """Return why a quarantine or a mended clock counts for nothing; None if it counts.

    Args:
        each: the record.
        read: all of them, oldest first.
        around: what else the ledger holds.
    """
    before = [one for one in read if one.seq < each.seq]
    counted = check_quarantines(before, around, Faults())
    return _flaw_among(each, replace(around, void={*around.void, *void_by_two(before, counted)}), counted)


def _flaw_among(each: ReadQuarantine, around: Surrounding, counted: Sequence[SetAside]) -> Message | None:
    return _flaw_of(each, around) or _flaw_in_time(each, around, counted)


def _is_proven(each: ReadQuarantine, around: Surrounding) -> bool:
    """Say whether a quarantine that counts does so without details of which nobody sees that they were missing."""
    if not around.doubtful:
        return True
    return _flaw_of(each, replace(around, losable=frozenset(around.losable) - around.doubtful)) is None


def _flaw_of(each: ReadQuarantine, around: Surrounding) -> Message | None:
    quarantine, (own, second) = each.quarantine, each.signers
    if quarantine is None:
        return msg("it names no records")
    if each.problem is not None:
        return each.problem
    if around.ledger and quarantine.ledger != around.ledger:
        return msg("it belongs to another ledger")
    if (flaw := find_key_flaw(own, each.seq, each.at, around.signers)) is not None:
        return flaw
    if second != quarantine.public_key:
        return msg("it is signed by a different key than it names")
    machines = (known.public_key for known in around.ownership.writers if known.added_seq < each.seq)
    if second in {*confirmed_before(around.signers, each.seq), *machines}:  # who becomes one later undoes nothing
        return msg("the second key is the ledger's own, or a machine's")
    if quarantine.last >= each.seq:
        return msg("it names records that did not exist")
    if around.noted.get(quarantine.last, ("", ""))[0] != quarantine.digest:
        return msg("record {last} is another one than it names", last=str(quarantine.last))
    if each.kind == CLOCK_MENDED:
        return None
    for seq in range(quarantine.first, quarantine.last + 1):
        if not around.noted.get(seq, ("", ""))[1] or seq in around.anybodys:
            continue
        standing = {"is_void": seq in around.void, "is_sound": seq in around.sound}
        claimed = {"is_restricted": seq in around.restricted, "is_lacking": seq in around.losable}
        if not may_set_aside(seq, each.seq, around.ownership, **standing, **claimed):
            return msg("record {record} is whole, and no stranger's", record=str(seq))
    return None


def _flaw_in_time(each: ReadQuarantine, around: Surrounding, counted: Sequence[SetAside]) -> Message | None:
    """Return why a mended clock that is signed as it should be counts for nothing.

    Args:
        each: the record.
        around: what else the ledger holds.
        counted: what counts before it.
    """
    if each.quarantine is None or each.quarantine.since is None:
        return None
    first, since = each.quarantine.first, format_at(each.quarantine.since)
    if each.quarantine.last != each.seq - 1:
        return msg("it does not end with the record before it")
    right = first - 1
    for earlier in reversed([one for one in counted if one.quarantine.since is not None]):
        if first <= earlier.quarantine.last:
            return msg("record {record} names the same records", record=str(earlier.seq))
        if earlier.holds(right):
            right = earlier.quarantine.first - 1
    right_at = around.time_in_force(right, counted)
    if not right_at or not right_at <= since <= format_at(each.at):
        return msg("{since} does not lie between record {record} and it", since=since, record=str(right))
    if around.noted.get(first, ("", ""))[1] <= since:
        return msg("record {record} is not ahead of {since}", record=str(first), since=since)
    return None
