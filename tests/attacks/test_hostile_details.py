"""Attacks by what records and details say: well chained, signed with the real key, and made to trip whoever reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portalops.errors import ExitCode
from portalops.ledger.heads import parse_head, text_of
from portalops.ledger.record import GENESIS, Draft, NotARecord, encode, parse_at
from tests.attacks.scene import END, Done, Entry, Forger, Portal, digest, lines_of, sql

COMPLIANCE = ("report", "build", "compliance", "--period", "2026-11")
TOO_LATE = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
"""In Khánh Hòa there is no such moment: it is in the year 10000."""

Change = Callable[[dict[str, Any]], None]


def judged(portal: Portal) -> list[Done]:
    """Have everything read that reads details; none of it may raise anything but an error of ours."""
    return [portal.call(*words, at=END) for words in (("ledger", "verify"), ("status",), COMPLIANCE)]


def with_body(portal: Portal, kind: str, change: Change) -> None:
    """Change what the details of a record say, and chain and sign everything anew."""
    forger = Forger.of(portal)
    place = forger.find(kind)
    parts = json.loads(forger.entries[place].blob)
    change(parts)
    blob = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
    forger.entries[place] = replace(forger.entries[place], blob=blob, body=digest(blob))
    forger.write(portal.key)


def made_at(text: str) -> Change:
    def change(parts: dict[str, Any]) -> None:
        parts["backup"]["set"]["created_at"] = text

    return change


@pytest.mark.parametrize(
    "moment",
    ["2026-11-16T01:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1e400", "2026-11-16T01:00:00+23:59"],
)
def test_a_moment_that_cannot_be_compared_or_shown_is_no_moment(portal: Portal, moment: str) -> None:
    with_body(portal, "backup.finished", made_at(moment))

    for done in judged(portal):
        assert done.code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}, done.text[:500]


def test_a_set_of_the_far_future_never_speaks_for_today(portal: Portal) -> None:
    """Were it the newest one, it would be young for ever."""
    with_body(portal, "backup.finished", made_at("9998-01-01T00:00:00Z"))

    status = portal.call("status", at=END)

    assert status.code != ExitCode.OK


@pytest.mark.parametrize("replaces", ["x" * 100_000, "ssh-ed25519 !", " ", "ssh-ed25519 AAAA\x1b[2J"])
def test_a_key_that_replaces_something_that_is_no_key_is_shown_and_no_fault_of_the_program(
    portal: Portal, replaces: str
) -> None:
    def change(parts: dict[str, Any]) -> None:
        parts["key"]["replaces"] = replaces

    with_body(portal, "key.added", change)

    done = portal.verify()
    assert done.code == ExitCode.INTEGRITY, "the key names a previous key that did not sign for it"
    assert portal.call("ledger", "show", "2", at=END).code in {ExitCode.OK, ExitCode.USAGE}


def at_the_end_of_time(entry: Entry) -> None:
    entry.at = TOO_LATE
    if entry.head is not None:
        head = parse_head(entry.head.text.encode())
        entry.head = replace(entry.head, text=text_of(replace(head, at=TOO_LATE)))


def test_a_record_at_the_end_of_time_is_none(portal: Portal) -> None:
    """It would be the newest for ever, nothing could be recorded behind it, and no zone could show it."""
    lines = lines_of(portal)
    forged = lines[-1].replace(lines[-1][:31], b'{"at":"9999-12-31T23:59:59.999Z"')

    def change(db: Any) -> None:
        db.execute("DELETE FROM record WHERE seq = ?", (len(lines),))
        db.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (len(lines), forged))

    sql(portal, change)

    for done in judged(portal):
        assert done.code == ExitCode.INTEGRITY, done.text[:500]
        assert f"record {len(lines)} does not have the format" in done.text


@pytest.mark.parametrize("year", [1, 9999])
def test_moments_that_some_zone_does_not_have_are_neither_written_nor_read(year: int) -> None:
    moment = datetime(year, 6, 1, tzinfo=UTC)

    with pytest.raises(NotARecord, match="calendar"):
        encode(Draft("note", digest(b"")), seq=1, at=moment, prev=GENESIS)
    with pytest.raises(ValueError, match="calendar"):
        parse_at(f"{year:04}-06-01T00:00:00.000Z")


ODD = [
    b"{}\n",
    b"[]\n",
    b"no JSON",
    b'{"waiver":{"id":"x","duty":"10.2","subject":"","reason":"","approved_by":"","document":"",'
    b'"valid_from":"0001-01-01","valid_to":"9999-12-31"}}\n',
    b'{"erased":{"digest":"../../x","reason":"","approved_by":""}}\n',
    b'{"erased":{"digest":"","reason":"","approved_by":""}}\n',
    b'{"receipt":{"anchor":"a","kind":"x","size":-5,"head":"zz","at":"2026-01-01T00:00:00","details":{},'
    b'"evidence":["../x"],"problem":""}}\n',
    b'{"anchor":{"size":1e3,"head":null,"receipts":[{}]}}\n',
    b'{"export":{"period":"","reports":[],"withheld":[]}}\n',
    b'{"check":{"hosts":[],"findings":{"upto":999999999999999999999,"findings":[]}}}\n',
    b'{"check":{"hosts":[],"findings":{"upto":-1,"findings":[{"check":"","host":"","clause":"","severity":"low","message":'
    b'{"text":"{x}","values":{},"plural":null},"remedy":null,"events":[],"reopened":0,"last_seen_seq":0,"last_seen_at":'
    b'"2026-01-01T00:00:00Z","last_judged_at":"2026-01-01T00:00:00Z","due_on":null}]}}}\n',
    b'{"closed":{"check":"","host":"","reason":"","approved_by":"","document":""}}\n',
    b'{"claims":{"tool":"","version":"","host":"","made_at":null,"claims":[],"left_off":-5,"notes":[],"evidence":"../x"}}\n',
]
KINDS = (
    "waiver.granted",
    "waiver.withdrawn",
    "blob.erased",
    "anchor.received",
    "anchor.finished",
    "export",
    "ledger.upgraded",
    "backup.finished",
    "verify.finished",
    "check.finished",
    "finding.closed",
    "finding.claimed",
    "updates.finished",
    "report.finished",
    "a-kind.of-tomorrow",
)


@pytest.mark.parametrize("kind", KINDS)
def test_details_that_are_none_of_their_kind_trip_nobody(portal: Portal, kind: str) -> None:
    forger = Forger.of(portal)
    last = forger.entries[-1]
    for number, blob in enumerate(ODD):
        run = f"verify:daily-verify:2026-11-24.{number + 2}" if kind.endswith(".finished") else ""
        made = replace(last, kind=kind, run=run, subject="", duty="", head=None, blob=blob, body=digest(blob))
        forger.entries.append(made)
    forger.write(portal.key)

    for done in judged(portal):
        assert done.code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL, ExitCode.INTEGRITY}, done.text[:500]


@pytest.mark.parametrize("run", ["::::", "x:y:z:" + "9" * 400, "verify:daily-verify:2026-11-24." + "9" * 450, "Ộ:Ộ:Ộ"])
def test_a_runs_odd_name_trips_nobody(portal: Portal, run: str) -> None:
    forger = Forger.of(portal)
    last = forger.entries[-1]
    for kind in ("verify.started", "verify.finished", "check.started"):
        forger.entries.append(replace(last, kind=kind, run=run, subject=run, head=None, blob=b"{}\n"))
    forger.write(portal.key)

    for done in judged(portal):
        assert done.code in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}, done.text[:500]
