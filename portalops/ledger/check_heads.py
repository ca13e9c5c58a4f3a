"""Heads, keys and people's signatures, compared with the lines they speak of; pure.

docs/bundle-format.md describes point by point what is checked here (4, 5, 6 for the keys, 8 and 9) and which
record a fault names; it holds for a store and for a bundle alike. A head is read first, for which the line it is over need
not be at hand; `wanted` then says which lines the pass over the chain must note.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from portalops import bodies
from portalops.errors import NotAHead
from portalops.ledger.chain import Faults
from portalops.ledger.heads import NAMESPACE, code_of, head_digest, parse_head
from portalops.ledger.record import GENESIS
from portalops.model.heads import Head, SignedHead, Signer, SignOff
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import format_at, show_text
from portalops.model.values import dataclass
from portalops.registers import sign_offs as people
from portalops.registers.drills import KEY as DRILL_REPORT
from portalops.registers.drills import NAMESPACE as DRILL_NAMESPACE
from portalops.registers.signers import (
    DisownedKeys,
    HeadSignature,
    KeyMend,
    RecordedKey,
    TrustedKey,
    confirmed_keys,
    fold_signers,
    read_key_event,
    signer_at,
)
from portalops.signatures.sshsig import BadSignature, fingerprint, verify

SIGN_OFF_NAMESPACE = people.NAMESPACE
"""The purpose that people sign reports for."""

Noted: TypeAlias = "Mapping[int, tuple[Digest, str]]"
"""Of lines, by number: their digest and their `at`."""


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """A record, and what its body holds."""

    seq: int
    at: datetime
    kind: str
    blob: bytes | None
    """None where it is missing or damaged, which is named elsewhere; then nothing more is said of it here."""


@dataclass(frozen=True, slots=True)
class ReadHead:
    """A head record, read: all that can be said of it without the line it is over."""

    seq: int
    at: datetime
    """Of the record."""
    head: Head | None
    """None if its details hold no head, or are not there."""
    signed: SignedHead | None
    text_digest: Digest
    public_key: str
    """The signer's public key; empty if there is no valid signature."""
    problem: Message | None
    """Why it is no head, or not a signed one."""


class HeadVerdict(StrEnum):
    """What comparing an auditor's head shows."""

    HOLDS = "holds"
    OTHER_LEDGER = "other-ledger"
    BEYOND_END = "beyond-end"
    OTHER_DIGEST = "other-digest"


@dataclass(frozen=True, slots=True)
class SuppliedHead:
    """A head that somebody kept elsewhere: the six lines, or the code that was printed on paper."""

    name: str
    """The file or the code, as it was given."""
    size: int
    digest: str
    """The whole of it, or as much as the code holds: 20 digits."""
    ledger: str = ""
    """Empty in a code, which does not hold it."""


@dataclass(frozen=True, slots=True)
class HeadComparison:
    """A head that somebody brings, and what it shows."""

    supplied: SuppliedHead
    verdict: HeadVerdict


@dataclass(frozen=True, slots=True)
class SignerUse:
    """A key, and what it signed."""

    signer: Signer
    heads: int
    """Heads that hold."""
    first_at: datetime | None
    last_at: datetime | None
    speaks_for_itself: bool
    """It is not the first, and none that was valid before signed for it: a lost key's successor, or a stranger's."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed, by whom, and up to where."""

    heads: int
    """How many head records there are."""
    newest: ReadHead | None
    """The newest head that holds."""
    uses: tuple[SignerUse, ...]
    """In the order in which the keys were added."""
    supplied: tuple[HeadComparison, ...]
    sign_offs: tuple[tuple[int, SignOff], ...]
    """Those that hold, with the numbers of their records."""
    drills: tuple[tuple[int, str], ...] = ()
    """Of each drill report of another host whose signature holds: its record's number, and the public key."""
    holding: frozenset[int] = frozenset()
    """Numbers of the records of the heads that hold."""
    listed: tuple[Signer, ...] = ()
    """The keys as the records alone have them, whatever the reader knows: `allowed_signers` of a bundle."""

    @property
    def code(self) -> str:
        """The newest head's short form; empty if there is none."""
        return code_of(self.newest.head) if self.newest and self.newest.head else ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the records say of heads, keys, sign-offs and drills of other hosts, each in the records' order."""

    heads: Sequence[ReadHead]
    keys: Sequence[HeldRecord]
    sign_offs: Sequence[HeldRecord]
    drills: Sequence[HeldRecord] = ()
    disowned: Sequence[DisownedKeys] = ()
    """What quarantines name, and who signed them."""
    mends: Sequence[KeyMend] = ()
    """What mended clocks name, likewise."""


def read_head(held: HeldRecord) -> ReadHead:
    """Read a head record and check its signature; whether the key may sign is decided elsewhere."""
    if held.blob is None:
        return ReadHead(held.seq, held.at, None, None, GENESIS, "", None)
    part = bodies.part_of(held.blob, "head")
    text, signature = part.get("text"), part.get("signature")
    head = _parsed(text) if isinstance(text, str) else None
    if head is None or not isinstance(text, str) or not isinstance(signature, str):
        nothing = msg("record {seq} is of kind head but holds no head", seq=held.seq)
        return ReadHead(held.seq, held.at, None, None, GENESIS, "", nothing)
    public_key, problem = "", None
    try:
        public_key = verify(text.encode(), signature, NAMESPACE)
    except BadSignature as error:
        problem = msg("record {seq}: the head's signature is not valid: {cause}", seq=held.seq, cause=error.message)
    return ReadHead(held.seq, held.at, head, SignedHead(text, signature), head_digest(text), public_key, problem)


def wanted(heads: Iterable[ReadHead], brought: Iterable[SuppliedHead] = ()) -> frozenset[int]:
    """Return the numbers of the lines whose digests and times are needed."""
    return frozenset((*(each.head.size for each in heads if each.head), *(each.size for each in brought)))


def check_heads(
    spoken: Spoken,
    noted: Noted,
    faults: Faults,
    *,
    ledger: str,
    records: int,
    all_covered: bool,
    brought: Sequence[SuppliedHead] = (),
    trusted: Sequence[TrustedKey] | None = None,
    known: Collection[str] = (),
    timeless: Collection[int] = (),
) -> Signed:
    """Compare everything that is signed with the lines.

    Args:
        spoken: what the records say.
        noted: digest and time of each line that `wanted` asks for, as far as it is there.
        faults: receives what does not hold.
        ledger: its id, from the first record; empty if that cannot be read, and then it is not compared.
        records: how many lines there are.
        all_covered: a record that no head covers is a fault, as in a bundle; in a store it only is not signed yet.
        brought: heads that somebody kept elsewhere.
        trusted: the keys that the ledger is expected to be signed with; None if nobody brings any.
        known: public keys that the reader knows to be the ledger's own.
        timeless: numbers of the records whose time may be any, since two persons signed a text without it: no head is compared with these.
    """
    signers = _read_signers(spoken, faults, ledger, known)
    untimed = {seq: (noted[seq][0], "") for seq in timeless if seq in noted}
    holding = tuple(_holding(spoken.heads, signers, {**noted, **untimed} if untimed else noted, faults, ledger))
    uses = tuple(_check_replaced(signers, holding, faults))
    if all_covered:
        _check_covered(spoken.heads, signers, records, faults, ledger)
    compared = tuple(_compare(brought, noted, faults, ledger, records))
    if trusted is not None:
        _check_trusted(_newest(spoken.heads, signers, ledger), holding, signers, trusted, faults)
    sign_offs = tuple(_sign_offs(spoken.sign_offs, faults))
    drills = tuple(_drills(spoken.drills, signers, faults))
    newest = holding[-1] if holding else None
    listed = _read_signers(spoken, Faults(), ledger, ()) if known else signers
    numbers = frozenset(each.seq for each in holding)
    return Signed(len(spoken.heads), newest, uses, compared, sign_offs, drills, numbers, listed)


def heads_with_files(heads: Iterable[ReadHead], listed: Sequence[Signer], ledger: str) -> dict[int, ReadHead]:
    """Return the heads that have files in a bundle, by their size: a stranger's of the same size as the ledger's own has none.

    Args:
        heads: in the records' order.
        listed: the keys as the records alone have them.
        ledger: its id; empty if that cannot be read.
    """
    found: dict[int, ReadHead] = {}
    own: set[int] = set()
    heads = tuple(heads)
    copies = find_copies(heads)
    for each in heads:
        if each.head is None or each.signed is None or each.seq in copies:
            continue
        is_own = _is_authentic(each, listed, ledger)
        if is_own or each.head.size not in own:
            found[each.head.size] = each
        if is_own:
            own.add(each.head.size)
    return found


def find_copies(heads: Iterable[ReadHead]) -> Mapping[int, int]:
    """Return which heads say word for word what one before them says, by the same key: whoever may append has them without the key.

    Args:
        heads: in the records' order; those without a valid signature are copies of nothing.

    Returns:
        The number of each copy's record, and of the first record that says the same.
    """
    first: dict[tuple[Digest, str], int] = {}
    copies: dict[int, int] = {}
    for each in heads:
        if each.public_key:
            original = first.setdefault((each.text_digest, each.public_key), each.seq)
            if original != each.seq:
                copies[each.seq] = original
    return copies


def find_standings(
    spoken: Spoken, signers: Sequence[Signer], ledger: str, numbers: Collection[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """Return which records count for nothing by themselves, and which a confirmed key stands for; each is in one or in neither.

    Args:
        spoken: what the records say; with the heads of which one that is asked for may be a copy.
        signers: the ledger's keys.
        ledger: its id; empty if that cannot be read.
        numbers: of the records that are asked for.
    """
    heads = [each for each in spoken.heads if each.seq in numbers and (each.head or each.problem)]
    copies = find_copies(spoken.heads)
    sound = {each.seq for each in heads if _is_authentic(each, signers, ledger) and each.seq not in copies}
    sound.update(each.added_seq for each in signers if each.is_confirmed and each.added_seq in numbers)
    void = {each.seq for each in heads}
    void.update(held.seq for held in spoken.keys if held.seq in numbers and held.blob is not None)
    void.update(held.seq for held in spoken.sign_offs if held.seq in numbers and _sign_off_flaw(held))
    own = confirmed_keys(signers)
    void.update(held.seq for held in spoken.drills if held.seq in numbers and _drill_flaw(held, own))
    return frozenset(void - sound), frozenset(sound)


def read_key(held: HeldRecord) -> RecordedKey | None:
    """Read a key record; None if its details hold no key."""
    event = read_key_event(held.blob or b"")
    return RecordedKey(held.seq, held.at, held.kind, event) if event else None


def read_sign_off(held: HeldRecord) -> SignOff | None:
    """Read a sign-off record; None if its details hold none."""
    part = bodies.part_of(held.blob or b"", "sign_off")
    names = ("report", "sha256", "signer", "name", "office", "public_key", "text", "signature")
    values = [part.get(name) for name in names]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) != len(names):
        return None
    report, sha256, *others = texts
    return SignOff(report, Digest(sha256), *others)


def parse_code(text: str) -> SuppliedHead:
    """Read the short form that `heads.code_of` gives, in letters of either case.

    Raises:
        NotAHead: it is not a head.
    """
    found = _CODE.fullmatch(text.strip().lower())
    if found is None:
        raise NotAHead(
            msg("this is not a head code: {text}", text=show_text(text, 80)),
            msg(
                "A head code is a number and five groups of four digits or letters a to f, such as "
                "412-9f3a-77c0-21de-8b4c-5a10."
            ),
        )
    return SuppliedHead(text.strip().lower(), int(found.group(1)), found.group(2).replace("-", ""))


def read_supplied_head(name: str, data: bytes) -> SuppliedHead:
    """Read a head's six lines.

    Args:
        name: of the file.
        data: its bytes; a line end that a mail program wrote as CR LF does no harm.

    Raises:
        NotAHead: they are not a head.
    """
    head = parse_head(data.replace(b"\r\n", b"\n"))
    return SuppliedHead(name, head.size, head.digest, head.ledger)


def _parsed(text: str) -> Head | None:
    try:
        return parse_head(text.encode("utf-8", "surrogatepass"))
    except NotAHead:
        return None


def _read_signers(spoken: Spoken, faults: Faults, ledger: str, known: Collection[str]) -> tuple[Signer, ...]:
    read: list[RecordedKey] = []
    for held in spoken.keys:
        recorded = read_key(held)
        if recorded is not None:
            read.append(recorded)
        elif held.blob is not None:
            faults.add_excusable(held.seq, msg("record {seq} is of kind key but holds no key", seq=held.seq))
    signatures = [
        HeadSignature(each.seq, each.head.size, each.head.at, each.public_key)
        for each in spoken.heads
        if each.head and each.public_key and (not ledger or each.head.ledger == ledger)
    ]
    folded = fold_signers(
        read,
        lambda seq: (each for each in signatures if each.seq > seq),
        principal=ledger,
        known=known,
        disowned=spoken.disowned,
        mends=spoken.mends,
    )
    for recorded in folded.unheeded:
        key = fingerprint(recorded.event.public_key)
        faults.add_excusable(
            recorded.seq,
            msg("record {seq}: no key of the ledger confirms that key {key} was retired", seq=recorded.seq, key=key),
        )
    return folded.signers


def _holding(
    heads: Sequence[ReadHead], signers: Sequence[Signer], noted: Noted, faults: Faults, ledger: str
) -> Iterator[ReadHead]:
    """Yield the heads that hold; name what is wrong with the others."""
    before: ReadHead | None = None
    held_up_to = 0
    copies = find_copies(heads)
    for each in heads:
        if each.seq in copies:
            first = str(copies[each.seq])
            what = msg("record {seq}: the head is a copy of the one in record {first}", seq=each.seq, first=first)
            faults.add_excusable(each.seq, what)
            continue
        if each.problem is not None:  # nobody signed it, so what it says besides is nobody's word
            problems: tuple[Message, ...] = (each.problem,)
        else:
            problems = tuple(_problems(each, before, signers, noted, ledger)) if each.head else ()
        for problem in problems:
            faults.add_excusable(each.seq, problem)
        fits = each.head is not None and each.head.size < each.seq
        is_authentic = _is_authentic(each, signers, ledger)
        if each.head and is_authentic:  # also one that stands too early: then records are gone
            line = noted.get(each.head.size)
            if line is None or line[0] != each.head.digest:
                fits = False
                faults.add(held_up_to + 1, _not_what_was_signed(each.head, each.seq, held_up_to + 1))
        if fits and not problems and each.head:
            held_up_to = each.head.size
            yield each
        if is_authentic or each.head is None:  # what somebody else recorded as a head is none that the next one follows
            before = each


def _problems(
    each: ReadHead, before: ReadHead | None, signers: Sequence[Signer], noted: Noted, ledger: str
) -> Iterator[Message]:
    """Yield what is wrong with a head by itself, and with its place behind the head before."""
    head, seq = each.head, each.seq
    assert head is not None
    if ledger and head.ledger != ledger:
        yield msg("record {seq}: the head belongs to another ledger, {ledger}", seq=seq, ledger=head.ledger)
    if each.public_key and signer_at(signers, each.public_key, seq, head.at) is None:
        key = fingerprint(each.public_key)
        known = next((signer for signer in signers if signer.public_key == each.public_key), None)
        if known is not None and not known.is_confirmed:
            yield msg("record {seq}: the head is signed by key {key}, which nobody confirmed", seq=seq, key=key)
        elif known is not None:
            yield msg(
                "record {seq}: the head is signed by key {key} at a time when this key was not in use", seq=seq, key=key
            )
        else:
            yield msg("record {seq}: the head is signed by key {key}, which is not in the ledger", seq=seq, key=key)
    if before is None or before.head is not None:
        if head.previous != (before.text_digest if before else GENESIS):
            yield msg("record {seq}: the head does not follow the previous head", seq=seq)
        if before and before.head and head.size <= before.head.size:
            yield msg(
                "record {seq}: the head covers {size} records, no more than the previous head", seq=seq, size=head.size
            )
    if head.size >= seq:
        yield msg(
            "record {seq}: the head covers {size} records, more than existed at that time", seq=seq, size=head.size
        )
    at, line = format_at(head.at), noted.get(head.size)
    if (line is not None and head.size < seq and at < line[1]) or at > format_at(each.at):
        yield msg(
            "record {seq}: the head's time {at} does not lie between the times of the records around it", seq=seq, at=at
        )


def _is_authentic(each: ReadHead, signers: Sequence[Signer], ledger: str) -> bool:
    """Say whether the ledger's key made it, so that its digest is evidence of what the records were."""
    head = each.head
    return (
        head is not None
        and each.public_key != ""
        and (not ledger or head.ledger == ledger)
        and signer_at(signers, each.public_key, each.seq, head.at) is not None
    )


def _not_what_was_signed(head: Head, seq: int, first: int) -> Message:
    return msg(
        "record {size} is not the record that the head in record {seq} signed: records from {first} on were "
        "rewritten later",
        size=head.size,
        seq=str(seq),
        first=str(first),
    )


def _check_replaced(signers: Sequence[Signer], holding: Sequence[ReadHead], faults: Faults) -> Iterator[SignerUse]:
    """Yield what each key signed; name a key that claims another's word and does not have it."""
    for place, signer in enumerate(signers):
        own = [each for each in holding if each.public_key == signer.public_key]
        vouched = signer.vouched_seq is not None and any(
            each.public_key == signer.replaces and each.head and each.head.size >= signer.added_seq
            for each in holding
            if not own or each.seq < own[0].seq
        )
        if signer.replaces and own and not vouched:
            key = fingerprint(signer.public_key)
            faults.add(
                signer.added_seq,
                msg(
                    "record {seq}: key {key} names a previous key that did not sign for it",
                    seq=signer.added_seq,
                    key=key,
                ),
            )
        times = [each.head.at for each in own if each.head]
        yield SignerUse(
            signer,
            len(own),
            times[0] if times else None,
            times[-1] if times else None,
            place > 0 and not vouched,
        )


def _newest(heads: Sequence[ReadHead], signers: Sequence[Signer], ledger: str) -> ReadHead | None:
    """Return the newest head that is the ledger's, or whose details are not there; what somebody else recorded as one is passed over."""
    copies = find_copies(heads)
    for each in reversed(heads):
        is_there = each.problem is not None or each.head is not None
        if not is_there or (_is_authentic(each, signers, ledger) and each.seq not in copies):
            return each
    return None


def _check_covered(
    heads: Sequence[ReadHead], signers: Sequence[Signer], records: int, faults: Faults, ledger: str
) -> None:
    found = _newest(heads, signers, ledger)
    if found is None:
        faults.add(1, msg("the ledger is not signed: it has no head"))
        return
    newest = found.head
    if newest is None:
        return  # its record has been named
    beyond = first_uncovered(newest.size, (each.seq for each in heads), records)
    if beyond is not None:
        faults.add(beyond, msg("record {seq} and all later records are not covered by a head", seq=beyond))


def first_uncovered(size: int, head_seqs: Iterable[int], records: int) -> int | None:
    """Return the first record behind a head that is no head record itself; None if there is none."""
    standing: Collection[int] = frozenset(seq for seq in head_seqs if seq > size)
    return next((seq for seq in range(size + 1, records + 1) if seq not in standing), None)


def _compare(
    brought: Sequence[SuppliedHead], noted: Noted, faults: Faults, ledger: str, records: int
) -> Iterator[HeadComparison]:
    """Yield what each of the auditor's heads shows, in the order given."""
    verdicts = [_verdict(each, noted, ledger, records) for each in brought]
    held = sorted(each.size for each, verdict in zip(brought, verdicts, strict=True) if verdict is HeadVerdict.HOLDS)
    for each, verdict in zip(brought, verdicts, strict=True):
        name = show_text(each.name)
        match verdict:
            case HeadVerdict.OTHER_LEDGER:
                faults.add(1, msg("the head {name} belongs to another ledger, {ledger}", name=name, ledger=each.ledger))
            case HeadVerdict.BEYOND_END:
                faults.add(
                    records + 1,
                    msg(
                        "the head {name} covers {size} records, but the ledger has fewer: its end was cut off",
                        name=name,
                        size=each.size,
                    ),
                )
            case HeadVerdict.OTHER_DIGEST:
                first = max((size for size in held if size < each.size), default=0) + 1
                faults.add(
                    first,
                    msg(
                        "record {size} is not the record that the head {name} signed: records from {first} on "
                        "were rewritten later",
                        size=each.size,
                        name=name,
                        first=str(first),
                    ),
                )
            case HeadVerdict.HOLDS:
                pass
        yield HeadComparison(each, verdict)


def _verdict(brought: SuppliedHead, noted: Noted, ledger: str, records: int) -> HeadVerdict:
    if brought.ledger and ledger and brought.ledger != ledger:
        return HeadVerdict.OTHER_LEDGER
    if brought.size > records:
        return HeadVerdict.BEYOND_END
    line = noted.get(brought.size)
    return HeadVerdict.HOLDS if line and line[0].startswith(brought.digest) else HeadVerdict.OTHER_DIGEST


def _check_trusted(
    newest: ReadHead | None,
    holding: Sequence[ReadHead],
    signers: Sequence[Signer],
    trusted: Sequence[TrustedKey],
    faults: Faults,
) -> None:
    """Name what lies behind the newest head by a brought key or one that it handed on to, if that is not the newest head.

    A trusted key with an end passes no trust to its successor: its end was written by somebody who knew the next key,
    and a thief of the key could otherwise name another successor, dated back.
    """
    lasting = {each.public_key for each in trusted if each.valid_to is None}
    joined: set[str] = set()
    covered = 0
    for each in holding:
        if each.head and (each.public_key in joined or _is_trusted(each, trusted)):
            covered = each.head.size
            if each.public_key in lasting or each.public_key in joined:
                joined.update(
                    signer.public_key
                    for signer in signers
                    if signer.replaces == each.public_key and signer.added_seq <= covered
                )
    if newest is not None and newest.head and (newest.public_key in joined or _is_trusted(newest, trusted)):
        return
    first = covered + 1
    faults.add(
        first, msg("records from {first} on are not covered by a head of the keys that you gave", first=str(first))
    )


def _is_trusted(each: ReadHead, trusted: Sequence[TrustedKey]) -> bool:
    head = each.head
    return head is not None and any(
        key.public_key == each.public_key and key.may_sign(NAMESPACE, head.at) for key in trusted
    )


def _sign_offs(sign_offs: Sequence[HeldRecord], faults: Faults) -> Iterator[tuple[int, SignOff]]:
    for held in sign_offs:
        problem = _sign_off_flaw(held)
        if problem is not None:
            what = msg("record {seq}: the sign-off is not valid: {cause}", seq=held.seq, cause=problem)
            faults.add_excusable(held.seq, what)
        elif (read := read_sign_off(held)) is not None:
            yield held.seq, read


def _sign_off_flaw(held: HeldRecord) -> Message | None:
    """Return why a sign-off is none; None also where its details are not there."""
    if held.blob is None:
        return None
    read = read_sign_off(held)
    return people.problem_of(read) if read else msg("its details are missing")


def _drills(drills: Sequence[HeldRecord], signers: Sequence[Signer], faults: Faults) -> Iterator[tuple[int, str]]:
    """Yield who signed each drill report; the reader of the evidence judges what a report says."""
    own = confirmed_keys(signers)
    for held in drills:
        if held.blob is None:
            continue
        try:
            signer = _drill_signer(held.blob, own)
        except BadSignature as error:
            problem = msg("record {seq}: the drill report is not valid: {cause}", seq=held.seq, cause=error.message)
            faults.add_excusable(held.seq, problem)
        else:
            yield held.seq, signer


def _drill_flaw(held: HeldRecord, own: Collection[str]) -> Message | None:
    """Return why a drill report is none; None also where its details are not there."""
    try:
        if held.blob is not None:
            _drill_signer(held.blob, own)
    except BadSignature as error:
        return error.message
    return None


def _drill_signer(blob: bytes, own: Collection[str]) -> str:
    """Return who signed a drill report; raises BadSignature if that is nobody, or this ledger itself."""
    part = bodies.part_of(blob, DRILL_REPORT)
    text, signature = part.get("text"), part.get("signature")
    if not isinstance(text, str) or not isinstance(signature, str):
        raise BadSignature(msg("its details are missing"))
    signer = verify(text.encode("utf-8", "surrogatepass"), signature, DRILL_NAMESPACE)
    if signer in own:
        raise BadSignature(msg("it is signed by a key of this ledger, so it is not from another host"))
    return signer


_CODE = re.compile(r"([1-9][0-9]{0,17})((?:-[0-9a-f]{4}){5})")
