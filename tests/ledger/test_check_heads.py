"""Heads, keys and sign-offs against the lines they speak of: what holds, what does not, and which record is named."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.errors import NotAHead
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import (
    HeadVerdict,
    HeldRecord,
    Signed,
    Spoken,
    SuppliedHead,
    check_heads,
    parse_code,
    read_head,
    read_supplied_head,
    wanted,
)
from portalops.ledger.heads import NAMESPACE, code_of, head_digest, text_of
from portalops.ledger.record import GENESIS
from portalops.model.heads import Head, KeyEvent, SignedHead, SignOff
from portalops.model.record import Digest
from portalops.model.text import format_at
from portalops.registers.sign_offs import NAMESPACE as SIGN_OFF_NAMESPACE
from portalops.registers.sign_offs import sum_line
from portalops.registers.signers import TrustedKey, parse_allowed_signers
from portalops.signatures.sshsig import SigningKey, sign
from tests.ledger.ledgers import START

LEDGER = "ab" * 16


def key(number: int) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


FIRST, SECOND, STRANGER = key(1), key(2), key(3)


@dataclass
class Book:
    """Ten records, one a minute, as far as heads need them; line n has the digest `line(n)`."""

    heads: list[HeldRecord] = field(default_factory=list)
    keys: list[HeldRecord] = field(default_factory=list)
    sign_offs: list[HeldRecord] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    records: int = 10
    rewritten: Sequence[int] = ()

    def line(self, seq: int) -> Digest:
        return Digest(hashlib.sha256(b"%d %d" % (seq, seq in self.rewritten)).hexdigest())

    def add_key(self, seq: int, event: KeyEvent, kind: str = "key.added") -> None:
        self.keys.append(HeldRecord(seq, at(seq), kind, bodies.write({"key": event})))

    def add_head(
        self,
        seq: int,
        *,
        by: SigningKey = FIRST,
        size: int | None = None,
        digest: Digest | None = None,
        previous: Digest | None = None,
        made_at: datetime | None = None,
        ledger: str = LEDGER,
        namespace: str = NAMESPACE,
    ) -> Head:
        before = head_digest(self.texts[-1]) if self.texts else GENESIS
        size = seq - 1 if size is None else size
        head = Head(ledger, size, digest or self.line(size), made_at or at(seq), previous or before)
        self.texts.append(text_of(head))
        signed = SignedHead(self.texts[-1], sign(self.texts[-1].encode(), by, namespace))
        self.heads.append(HeldRecord(seq, at(seq), "head", bodies.write({"head": signed})))
        return head

    def check(
        self,
        *,
        all_covered: bool = True,
        brought: Sequence[SuppliedHead] = (),
        trusted: Sequence[TrustedKey] | None = None,
        known: Sequence[str] = (),
    ) -> tuple[Signed, list[int]]:
        read = tuple(read_head(held) for held in self.heads)
        lines = {n: (self.line(n), format_at(at(n))) for n in wanted(read, brought) if n <= self.records}
        faults = Faults()
        signed = check_heads(
            Spoken(read, self.keys, self.sign_offs), lines, faults, ledger=LEDGER, records=self.records,
            all_covered=all_covered, brought=brought, trusted=trusted, known=known,
        )  # fmt: skip
        return signed, [fault.seq for fault in faults.first()]


def at(seq: int) -> datetime:
    return START + timedelta(minutes=seq)


@pytest.fixture
def book() -> Book:
    """A book with the first key, and heads in the records 4, 7 and 10."""
    made = Book()
    made.add_key(2, KeyEvent(FIRST.public_key, "the first key"))
    for seq in (4, 7, 10):
        made.add_head(seq)
    return made


def test_a_book_whose_heads_all_hold_has_no_fault(book: Book) -> None:
    signed, faults = book.check()
    assert faults == []
    assert signed.heads == 3 and signed.newest is not None and signed.newest.seq == 10
    assert [(use.heads, use.first_at, use.last_at, use.speaks_for_itself) for use in signed.uses] == [
        (3, at(4), at(10), False)
    ]


@pytest.mark.parametrize(
    ("rewritten", "first_bad"), [((9,), 7), ((6,), 4), ((3,), 1), ((3, 6, 9), 1)], ids=["9", "6", "3", "all"]
)
def test_lines_that_were_rewritten_are_named_from_the_last_head_that_holds(
    book: Book, rewritten: tuple[int, ...], first_bad: int
) -> None:
    book.rewritten = rewritten
    _signed, faults = book.check()
    assert min(faults) == first_bad


@pytest.mark.parametrize(
    "changes",
    [
        {"by": STRANGER},
        {"namespace": "portalops-bundle"},
        {"ledger": "cd" * 16},
        {"previous": Digest("1" * 64)},
        {"size": 10},
        {"made_at": at(8)},
        {"made_at": at(11)},
        {"made_at": at(1)},
    ],
    ids=["stranger", "namespace", "ledger", "previous", "itself", "early", "late", "before the key"],
)
def test_a_head_that_does_not_hold_is_named_by_its_record(book: Book, changes: dict[str, object]) -> None:
    book.heads.pop()
    book.texts.pop()
    book.add_head(10, **changes)  # type: ignore[arg-type]
    signed, faults = book.check(all_covered=False)
    assert set(faults) == {10}
    assert signed.newest is not None and signed.newest.seq == 7


def test_a_head_over_more_records_than_there_were_shows_that_some_were_taken_away(book: Book) -> None:
    """The ledger's key made it, so it is evidence: what lies behind the last head that holds is not what it was."""
    book.heads.pop()
    book.texts.pop()
    book.add_head(10, size=11)
    signed, faults = book.check()
    assert set(faults) == {7, 10}
    assert signed.newest is not None and signed.newest.seq == 7


def test_a_head_with_the_right_digest_and_a_wrong_size_is_found_out(book: Book) -> None:
    book.heads.pop()
    book.texts.pop()
    book.add_head(10, size=8, digest=book.line(9))
    _signed, faults = book.check()
    assert min(faults) == 7


def test_two_heads_that_fork_from_one_are_found_out(book: Book) -> None:
    book.add_head(11, size=9, previous=head_digest(book.texts[1]))
    book.records = 11
    _signed, faults = book.check()
    assert set(faults) == {11}


def test_head_records_in_each_others_places_are_found_out(book: Book) -> None:
    second, third = book.heads[1], book.heads[2]
    book.heads[1:] = [HeldRecord(7, at(7), "head", third.blob), HeldRecord(10, at(10), "head", second.blob)]
    _signed, faults = book.check()
    assert min(faults) == 7 and 10 in faults


@pytest.mark.parametrize("blob", [b"", b"[]", b"{}", b'{"head":{}}', b'{"head":{"text":"x","signature":"y"}}', b"\xff"])
def test_a_head_record_without_a_head_is_named(book: Book, blob: bytes) -> None:
    book.heads[1] = HeldRecord(7, at(7), "head", blob)
    signed, faults = book.check()
    assert faults == [7]
    assert signed.newest is not None and signed.newest.seq == 10


def test_details_that_are_missing_are_not_named_twice(book: Book) -> None:
    book.heads[2] = HeldRecord(10, at(10), "head", None)
    book.keys.append(HeldRecord(5, at(5), "key.added", None))
    _signed, faults = book.check()
    assert faults == []


def test_records_under_no_head_are_a_fault_in_a_bundle_and_not_in_a_store(book: Book) -> None:
    book.records = 13
    book.add_head(12, size=9 + 1)
    assert book.check()[1] == [11]
    assert book.check(all_covered=False)[1] == []


def test_a_bundle_without_a_head_is_named_from_its_first_record() -> None:
    assert Book().check()[1] == [1]
    signed, faults = Book().check(all_covered=False)
    assert (faults, signed.newest, signed.code) == ([], None, "")


def test_a_key_that_the_old_one_named_speaks_with_its_word(book: Book) -> None:
    _rotate(book, replaces=FIRST.public_key, vouched=True)
    signed, faults = book.check()
    assert faults == []
    assert [use.speaks_for_itself for use in signed.uses] == [False, False]
    assert [use.heads for use in signed.uses] == [4, 1]


def test_a_key_that_claims_a_word_it_does_not_have_is_a_fault(book: Book) -> None:
    _rotate(book, replaces=FIRST.public_key, vouched=False)
    assert book.check(all_covered=False)[1] == [13, 14]
    assert book.check(known=(SECOND.public_key,))[1] == [11]


def test_a_key_that_nobody_confirmed_retires_none_and_signs_nothing(book: Book) -> None:
    _rotate(book, replaces="", vouched=False)
    signed, faults = book.check(all_covered=False)
    assert faults == [13, 14]
    assert signed.newest is not None and signed.newest.seq == 10
    assert [use.signer.retired_seq for use in signed.uses] == [None, None]


def test_the_successor_of_a_lost_key_speaks_for_itself_where_the_reader_knows_it(book: Book) -> None:
    _rotate(book, replaces="", vouched=False)
    signed, faults = book.check(known=(SECOND.public_key,))
    assert faults == []
    assert [use.speaks_for_itself for use in signed.uses] == [False, True]


def test_a_retired_key_signs_nothing_more(book: Book) -> None:
    _rotate(book, replaces=FIRST.public_key, vouched=True)
    book.records = 20
    book.add_head(20)
    assert set(book.check(all_covered=False)[1]) == {20}


def test_a_retirement_that_no_key_stands_by_is_a_fault_and_counts_for_nothing(book: Book) -> None:
    book.add_key(11, KeyEvent(FIRST.public_key), "key.retired")
    book.records = 11
    signed, faults = book.check(all_covered=False)
    assert faults == [11] and [use.signer.retired_seq for use in signed.uses] == [None]

    book.records = 14
    book.add_head(14)
    signed, faults = book.check()
    assert faults == [11] and signed.newest is not None and signed.newest.seq == 14


def test_a_stranger_s_unsigned_key_is_no_successor_that_could_retire_another(book: Book) -> None:
    book.add_key(11, KeyEvent(SECOND.public_key))
    book.add_key(12, KeyEvent(FIRST.public_key), "key.retired")
    book.records = 14
    book.add_head(14)
    assert book.check()[1] == [12]


def test_a_head_of_nobody_is_a_fault_and_the_next_one_follows_the_one_before(book: Book) -> None:
    texts = list(book.texts)
    book.add_head(12, by=STRANGER, size=11)
    book.texts[:] = texts
    book.records = 14
    book.add_head(14)
    signed, faults = book.check()
    assert set(faults) == {12} and signed.newest is not None and signed.newest.seq == 14


def test_a_key_record_without_a_key_is_named(book: Book) -> None:
    book.keys.append(HeldRecord(8, at(8), "key.added", b'{"key":{"public_key":"ssh-rsa AAAA"}}'))
    assert book.check()[1] == [8]


def test_brought_heads_show_a_rewriting_that_the_key_itself_signed(book: Book) -> None:
    earlier = Head(LEDGER, 6, book.line(6), at(7), GENESIS)
    lost = Head(LEDGER, 12, book.line(12), at(12), GENESIS)
    other = Head("cd" * 16, 6, book.line(6), at(7), GENESIS)
    forged = Head(LEDGER, 9, Digest("0" * 64), at(10), GENESIS)
    brought = [
        read_supplied_head(str(n), text_of(head).encode()) for n, head in enumerate((earlier, lost, other, forged))
    ]
    signed, faults = book.check(brought=[*brought, parse_code(code_of(forged).upper()), parse_code(code_of(earlier))])
    assert [each.verdict for each in signed.supplied] == [
        HeadVerdict.HOLDS, HeadVerdict.BEYOND_END, HeadVerdict.OTHER_LEDGER, HeadVerdict.OTHER_DIGEST, HeadVerdict.OTHER_DIGEST, HeadVerdict.HOLDS,
    ]  # fmt: skip
    assert faults == [1, 7, 7, 11]


@pytest.mark.parametrize(
    "code",
    ["", "412", "0-9f3a-77c0-21de-8b4c-5a10", "412-9f3a-77c0-21de-8b4c", "412-9f3a-77c0-21de-8b4c-5a1g", "٤-" * 6],
)
def test_other_texts_are_no_codes(code: str) -> None:
    with pytest.raises(NotAHead, match="not a head code"):
        parse_code(code)


def test_a_mail_programs_line_ends_do_a_head_no_harm(book: Book) -> None:
    text = book.texts[0]
    assert read_supplied_head("h", text.replace("\n", "\r\n").encode()) == read_supplied_head("h", text.encode())


def test_the_newest_head_must_be_signed_by_a_key_that_is_brought(book: Book) -> None:
    first = TrustedKey(FIRST.public_key, (), None, None)
    assert book.check(trusted=(first,))[1] == []
    assert book.check(trusted=(TrustedKey(STRANGER.public_key, (), None, None),))[1] == [1]
    assert book.check(trusted=(TrustedKey(FIRST.public_key, ("portalops-signoff",), None, None),))[1] == [1]
    assert book.check(trusted=(TrustedKey(FIRST.public_key, (), None, at(8)),))[1] == [7]
    _rotate(book, replaces="", vouched=False)
    assert book.check(trusted=(first,))[1] == [11, 13, 14]


def test_a_sign_off_holds_over_the_line_of_its_report(book: Book) -> None:
    book.sign_offs.append(_sign_off(8))
    signed, faults = book.check()
    assert faults == []
    assert [seq for seq, _sign in signed.sign_offs] == [8]


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "1" * 64},
        {"report": "other.html"},
        {"report": "re\nport.html"},
        {"text": "something else\n"},
        {"public_key": STRANGER.public_key},
        {"signature": "none"},
        {"signature": sign(b"another file\n", FIRST, SIGN_OFF_NAMESPACE)},
    ],
)
def test_a_sign_off_that_does_not_hold_is_named(book: Book, changes: dict[str, str]) -> None:
    book.sign_offs.append(_sign_off(8, **changes))
    assert book.check()[1] == [8]


def test_a_sign_off_for_another_purpose_or_without_details_is_named(book: Book) -> None:
    book.sign_offs += [
        _sign_off(5, namespace=NAMESPACE),
        HeldRecord(6, at(6), "sign-off", b"{}"),
        HeldRecord(7, at(7), "s", None),
    ]
    assert book.check()[1] == [5, 6]


def test_allowed_signers_that_are_brought_are_read() -> None:
    lines = (
        "# ours\n\nledger ssh-ed25519 {0}\n"
        'a,b namespaces="portalops-head,x",valid-after="20261125Z",valid-before="20261126013000Z" ssh-ed25519 {0} note\n'
        "c ssh-rsa AAAA\nca cert-authority ssh-ed25519 {0}\n"
    )
    plain, dated = parse_allowed_signers(lines.format(FIRST.public_key.split()[1]))
    assert plain == TrustedKey(FIRST.public_key, (), None, None)
    assert dated.namespaces == ("portalops-head", "x")
    assert dated.may_sign("x", datetime.fromisoformat("2026-11-26T01:30:00.999Z"))
    assert not dated.may_sign("x", datetime.fromisoformat("2026-11-26T01:30:01Z"))
    assert not dated.may_sign("x", datetime.fromisoformat("2026-11-24T23:59:59.999Z"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a ssh-rsa AAAA",
        "a ssh-ed25519 AAAA",
        "a valid-after=1 ssh-ed25519 AAAA",
        "a " + "b," * 5000 + "!",
        'a valid-after="20261125" ssh-ed25519 ' + FIRST.public_key.split()[1],
    ],
)
def test_other_files_are_no_allowed_signers(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|no Ed25519 key"):
        parse_allowed_signers(text)


def _rotate(book: Book, *, replaces: str, vouched: bool) -> None:
    """Change the key in the records 11 to 14."""
    book.add_key(11, KeyEvent(SECOND.public_key, "", replaces))
    if vouched:
        book.add_head(12)
    book.add_key(13, KeyEvent(FIRST.public_key), "key.retired")
    book.add_head(14, by=SECOND)
    book.records = 14


def _sign_off(seq: int, *, namespace: str = SIGN_OFF_NAMESPACE, **changes: str) -> HeldRecord:
    sha256 = hashlib.sha256(b"report").hexdigest()
    text = sum_line(sha256, "report.vi.html")
    values = {
        "report": "report.vi.html", "sha256": sha256, "signer": "an", "name": "An", "office": "Sở",
        "public_key": FIRST.public_key, "text": text, "signature": sign(text.encode(), FIRST, namespace), **changes,
    }  # fmt: skip
    return HeldRecord(seq, at(seq), "sign-off", bodies.write({"sign_off": SignOff(**values)}))  # type: ignore[arg-type]
