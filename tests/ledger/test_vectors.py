"""docs/ledger-vectors.json: published lines, heads, signatures, erasures and retirements, computed anew and read by both readers."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.ledger.bundle import verify as verifier
from portalops.ledger.chain import Faults
from portalops.ledger.check_heads import HeldRecord, Spoken, check_heads, read_head, read_sign_off, wanted
from portalops.ledger.claims import (
    CLAIM_NAMESPACE,
    WRITER_NAMESPACE,
    check_claims,
    parse_claim,
    parse_writer,
    read_signed,
    text_of_claim,
    text_of_writer,
)
from portalops.ledger.erasures import read_erasure
from portalops.ledger.heads import HEAD, NAMESPACE, code_of, head_digest, parse_head, text_of
from portalops.ledger.record import GENESIS, Draft, NotARecord, encode, line_digest, parse
from portalops.model.heads import Erasure, Head, KeyEvent, SignedHead, SignOff
from portalops.model.record import Digest, RunId
from portalops.model.text import format_at
from portalops.model.writers import Authority, LineRange, WriterClaim, WriterEvent, WriterState
from portalops.registers.erasures import ERASED
from portalops.registers.sign_offs import NAMESPACE as SIGN_OFF_NAMESPACE
from portalops.registers.sign_offs import SIGN_OFF, problem_of
from portalops.registers.signers import KEY_ADDED, KEY_RETIRED
from portalops.registers.writers import CLAIM, CLAIM_KINDS, WRITER_ADDED
from portalops.signatures.sshsig import SigningKey, sign

PAGE = Path(__file__).parents[2] / "docs" / "ledger-vectors.json"
LEDGER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
AT = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
FIRST, SECOND = (SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2))

Entry = tuple[str, dict[str, object]]


class Ledger:
    """Lines and their blobs, one record a second."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.blobs: list[str] = []
        self.heads: list[str] = []

    def add(self, kind: str, subject: str = "", **parts: object) -> None:
        body = bodies.write(parts)
        prev = Digest(hashlib.sha256(self.lines[-1].encode()).hexdigest()) if self.lines else GENESIS
        draft = Draft(kind, Digest(hashlib.sha256(body).hexdigest()), subject=subject)
        seq = len(self.lines) + 1
        self.lines.append(encode(draft, seq=seq, at=AT + timedelta(seconds=seq), prev=prev).line.decode())
        self.blobs.append(body.decode())

    def add_head(self, key: SigningKey) -> None:
        size, before = len(self.lines), head_digest(self.heads[-1]) if self.heads else GENESIS
        at = AT + timedelta(seconds=size + 1)
        text = text_of(Head(LEDGER, size, line_digest(self.lines[-1].encode()), at, before))
        self.heads.append(text)
        self.add(HEAD, head=SignedHead(text, sign(text.encode(), key, NAMESPACE)))


def begun() -> Ledger:
    ledger = Ledger()
    ledger.add("ledger.created", ledger=LEDGER, format=1, portalops="1.0.0")
    ledger.add(KEY_ADDED, key=KeyEvent(FIRST.public_key, "the first key"))
    ledger.add_head(FIRST)
    return ledger


def with_retirement(*, replaces: str, signs: SigningKey | None, is_announced: bool = True) -> Ledger:
    ledger = begun()
    if is_announced:
        ledger.add(KEY_ADDED, key=KeyEvent(SECOND.public_key, "a new year", replaces))
    if replaces:
        ledger.add_head(FIRST)
    ledger.add(KEY_RETIRED, key=KeyEvent(FIRST.public_key, "a new year"))
    if signs:
        ledger.add_head(signs)
    return ledger


RETIREMENTS = {
    "the old key signed for the new one": with_retirement(replaces=FIRST.public_key, signs=SECOND),
    "nobody confirmed the new key": with_retirement(replaces="", signs=SECOND),
    "the old key was lost, and the reader knows the new one": with_retirement(replaces="", signs=SECOND),
    "the old key signs on": with_retirement(replaces="", signs=FIRST),
    "no head is over it, and nobody confirmed the new key": with_retirement(replaces="", signs=None),
    "no head is over it, and no other key is left": with_retirement(replaces="", signs=None, is_announced=False),
}


def judged(ledger: dict[str, Any]) -> tuple[list[int], dict[str, int | None]]:
    records = [parse(line.encode()) for line in ledger["lines"]]
    held = [
        HeldRecord(each.seq, each.at, each.kind, blob.encode())
        for each, blob in zip(records, ledger["blobs"], strict=True)
    ]
    heads = [read_head(each) for each in held if each.kind == HEAD]
    noted = {seq: (line_digest(records[seq - 1].line), format_at(records[seq - 1].at)) for seq in wanted(heads)}
    keys = [each for each in held if each.kind in {KEY_ADDED, KEY_RETIRED}]
    faults = Faults()
    signed = check_heads(
        Spoken(heads, keys, ()),
        noted,
        faults,
        ledger=LEDGER,
        records=len(records),
        all_covered=False,
        known=ledger["known"],
    )
    return [fault.seq for fault in faults.first()], {
        use.signer.public_key: use.signer.retired_seq for use in signed.uses
    }


def vectors() -> dict[str, object]:
    """Return what the file holds."""
    body = Digest("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    drafts = {
        "all empty": Draft("note", body),
        "Vietnamese, quotes and a backslash": Draft(
            "note.added", body, RunId("10.2:sao-lưu"), 'Sở "Y tế" \\ Khánh Hòa', "10.2"
        ),
        "beyond the basic plane": Draft("note", body, subject="\U0001f600" * 500),
    }
    lines = [
        {"about": about, "line": encode(draft, seq=7, at=AT, prev=GENESIS).line.decode()}
        for about, draft in drafts.items()
    ]
    plain = str(lines[0]["line"])
    read = [
        *lines,
        {"about": "not NFC: a reader does not judge it", "line": plain.replace('"subject":""', '"subject":"a\u0309"')},
        {
            "about": "unassigned in Unicode 12.1: likewise",
            "line": plain.replace('"subject":""', '"subject":"\U00011935\U00011930"'),
        },
    ]
    refused = {
        "white space": plain.replace('"v":1', '"v": 1'),
        "another order": plain.replace('"seq":7,"subject":""', '"subject":"","seq":7'),
        "an escape that is not needed": plain.replace('"subject":""', '"subject":"\\u0061"'),
        "a control character": plain.replace('"subject":""', '"subject":"\t"'),
        "501 characters": plain.replace('"subject":""', f'"subject":"{"x" * 501}"'),
        "null": plain.replace('"subject":""', '"subject":null'),
        "no such day": plain.replace("2026-11-25", "2026-02-30"),
        "the year 1": plain.replace("2026-11-25", "0001-11-25"),
        "24 hours": plain.replace("T01:", "T24:"),
        "a leading zero": plain.replace('"seq":7', '"seq":07'),
        "an upper-case kind": plain.replace('"kind":"note"', '"kind":"Note"'),
        "a line feed behind it": plain + "\n",
    }
    head = Head(LEDGER, 2, Digest("c93bf13c1dc76428fd35932a9ebb981a3c0a7e00efdca9d24d9290c8f2bf0d48"), AT, GENESIS)
    text = text_of(head)
    report = hashlib.sha256(b"a report").hexdigest()
    said = f"{report}  report.vi.html\n"
    sign_off = SignOff(
        "report.vi.html", Digest(report), "an", "Nguyễn Văn An", "Chánh Văn phòng", SECOND.public_key, said,
        sign(said.encode(), SECOND, SIGN_OFF_NAMESPACE),
    )  # fmt: skip
    erasure = bodies.write({"erased": Erasure(body, "a citizen asked for it", "Nguyễn Văn An")}).decode()
    return {
        "format": 1,
        "records": [{**each, "digest": line_digest(each["line"].encode())} for each in read],
        "no_records": [{"about": about, "line": line} for about, line in refused.items()],
        "heads": [
            {
                "text": text,
                "digest": head_digest(text),
                "code": code_of(head),
                "signature": sign(text.encode(), FIRST, NAMESPACE),
                "public_key": FIRST.public_key,
            }
        ],
        "sign_offs": [{"body": bodies.write({"sign_off": sign_off}).decode()}],
        "erasures": [{"body": erasure, "erases": body}],
        "claims": [_claim_vector()],
        "retirements": [_retirement_vector(about, ledger) for about, ledger in RETIREMENTS.items()],
    }


def _retirement_vector(about: str, ledger: Ledger) -> dict[str, object]:
    known = [SECOND.public_key] if "knows" in about else []
    given = {"about": about, "lines": ledger.lines, "blobs": ledger.blobs, "known": known}
    found, retired = judged(given)
    return {**given, "faults": found, "retired": retired}


def _claim_vector() -> dict[str, object]:
    """Return a ledger in which the key of the ledger enrols a writer, and the writer claims one record."""
    ledger = begun()
    event = WriterEvent(LEDGER, WriterState.ADDED, SECOND.public_key, "web1", Authority.ALL)
    text = text_of_writer(event)
    ledger.add(WRITER_ADDED, "web1", writer={"text": text, "signature": sign(text.encode(), FIRST, WRITER_NAMESPACE)})
    ledger.add("note", note="x")
    line = LineRange(5, 5, line_digest(ledger.lines[-1].encode()))
    claim = text_of_claim(WriterClaim(LEDGER, (line,)))
    ledger.add(CLAIM, claim={"text": claim, "signature": sign(claim.encode(), SECOND, CLAIM_NAMESPACE)})
    ledger.add_head(FIRST)
    return {"lines": ledger.lines, "blobs": ledger.blobs, "claimed": [[5, 5, SECOND.public_key]]}


def written() -> str:
    return json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"


@pytest.fixture(scope="module")
def published() -> Any:
    return json.loads(PAGE.read_text(encoding="utf-8"))


def test_the_published_vectors_are_what_portalops_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == written()


def test_both_readers_read_each_record_and_no_other_line(published: Any) -> None:
    for each in published["records"]:
        line = each["line"].encode()
        assert parse(line).line == line and verifier.parse_record(line) is not None, each["about"]
        assert hashlib.sha256(line).hexdigest() == each["digest"]
    for each in published["no_records"]:
        assert verifier.parse_record(each["line"].encode()) is None, each["about"]
        with pytest.raises(NotARecord):
            parse(each["line"].encode())


def test_heads_sign_offs_and_erasures_are_read(published: Any) -> None:
    for each in published["heads"]:
        data = each["text"].encode()
        assert parse_head(data).size == 2 and verifier.parse_head(data) is not None
        signer = verifier.signer_of(each["signature"], "portalops-head", verifier.of_bytes(data))
        assert (signer, hashlib.sha256(data).hexdigest()) == (each["public_key"], each["digest"])
    for each in published["sign_offs"]:
        sign_off = read_sign_off(HeldRecord(1, AT, SIGN_OFF, each["body"].encode()))
        assert sign_off is not None and problem_of(sign_off) is None
    for each in published["erasures"]:
        erasure = read_erasure(HeldRecord(1, AT, ERASED, each["body"].encode()))
        assert erasure is not None and erasure.erasure.digest == each["erases"]


def test_retirements_count_or_are_named_as_published(published: Any) -> None:
    expected = {
        "the old key signed for the new one": ([], 6),
        "nobody confirmed the new key": ([5, 6], None),
        "the old key was lost, and the reader knows the new one": ([], 5),
        "the old key signs on": ([5], None),
        "no head is over it, and nobody confirmed the new key": ([5], None),
        "no head is over it, and no other key is left": ([4], None),
    }
    for each in published["retirements"]:
        assert judged(each) == (each["faults"], each["retired"])
        assert (each["faults"], each["retired"][FIRST.public_key]) == expected[each["about"]]


def test_claims_and_writers_are_read_by_both_readers(published: Any) -> None:
    for each in published["claims"]:
        records = [parse(line.encode()) for line in each["lines"]]
        held = [
            HeldRecord(record.seq, record.at, record.kind, blob.encode())
            for record, blob in zip(records, each["blobs"], strict=True)
        ]
        spoken = Spoken([read_head(one) for one in held if one.kind == HEAD], [held[1]], ())
        noted = {record.seq: (line_digest(record.line), format_at(record.at)) for record in records}
        faults = Faults()
        signed = check_heads(spoken, noted, faults, ledger=LEDGER, records=len(records), all_covered=False)
        texts = [read_signed(one) for one in held if one.kind in CLAIM_KINDS]

        found = check_claims(texts, [use.signer for use in signed.uses], noted, faults, ledger=LEDGER)

        assert faults.count == 0
        assert [[one.first, one.last, one.public_key] for one in found.claimed] == each["claimed"]
        assert parse_writer(texts[0].text) is not None and verifier.WRITER.fullmatch(texts[0].text) is not None
        assert parse_claim(texts[1].text) is not None and verifier.parse_claim(texts[1].text) is not None
