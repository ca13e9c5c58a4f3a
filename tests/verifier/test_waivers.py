"""Waivers in force: portalops, its verification of the ledger and the stranger's program must say the same of them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from portalops.ledger.blobs import BlobFolder
from portalops.ledger.record import NO_RUN
from portalops.ledger.verify import verify
from portalops.model.record import Digest
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.registers.waivers import read_waivers
from tests.ledger.bundle.bundles import PERIOD, Written
from tests.ledger.ledgers import DAILY, ZONE
from tests.verifier.scene import by_portalops, by_stranger

DAY = PERIOD.first


def begun(folder: Path) -> Written:
    """Make a ledger on the period's first day, with a plan."""
    written = Written(folder)
    written.plan(DAILY)
    return written


def waiver(name: str) -> Waiver:
    return Waiver(name, "ssh.root-login", "web1", "r", "a", "12/QĐ", DAY - timedelta(days=9), DAY + timedelta(days=90))


def grant(written: Written, name: str) -> int:
    written.append("waiver.granted", waiver=waiver(name))
    return written.ledger.count()


def record(written: Written, kind: str, blob: bytes) -> int:
    return written.ledger.append(kind, run=NO_RUN, body=blob).seq


def in_force(written: Written, folder: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what all who read waivers agree on: those in force on some day of the period, and the records not read."""
    written.export(folder)
    stranger, portalops = by_stranger(folder), by_portalops(folder)
    assert stranger[0] == portalops[0], (stranger, portalops)
    own = verify(written.ledger, now=written.clock.at, zone=ZONE).completeness
    read = read_waivers(written.ledger)
    today = written.clock.at.astimezone(ZONE).date()
    assert [each.seq for each in own.waivers] == [each.seq for each in read.waivers if each.is_in_force(today, ZONE)]
    assert own.unread_waivers == tuple(seq for seq, _why in read.unreadable) == stranger[0].unread_waivers
    return stranger[0].waivers, stranger[0].unread_waivers


UNREADABLE = [
    b"",
    b"no JSON",
    b"[]",
    b"{}",
    b'{"withdrawal":null,"waiver":7}',
    b'{"withdrawal":{"id":"w1","reason":"r"}}',
    b'{"withdrawal":{"approved_by":"a","id":7,"reason":"r"}}',
    b'{"withdrawal":{"approved_by":"a","id":"w1","reason":"\\ud800"}}',
    b'{"withdrawal":{"approved_by":"a","id":"w1","id":"w2","reason":"r"}}',
    b'{"withdrawal":{"approved_by":"a","id":{"$day":"2026-11-23"},"reason":"r"}}',
    b'{"withdrawal":' + b"[" * 200 + b"]" * 200 + b"}",
]


def test_after_a_withdrawal_that_cannot_be_read_no_waiver_granted_before_it_is_in_force(tmp_path: Path) -> None:
    written = begun(tmp_path / "state")
    unread = []
    for blob in UNREADABLE:
        grant(written, "w1")
        grant(written, "w2")
        unread.append(record(written, "waiver.withdrawn", blob))
    written.clock.move(timedelta(days=8))
    later = grant(written, "w1")

    assert in_force(written, tmp_path / "bundle") == ((later,), tuple(unread))


def test_waiver_counts_until_the_day_before_the_withdrawal_that_cannot_be_read(tmp_path: Path) -> None:
    written = begun(tmp_path / "state")
    first = grant(written, "w1")
    written.clock.move(timedelta(days=2))
    unread = record(written, "waiver.withdrawn", b"{}")

    assert in_force(written, tmp_path / "bundle") == ((first,), (unread,))
    (read,) = read_waivers(written.ledger).waivers
    assert read.is_in_force(DAY + timedelta(days=1), ZONE)
    assert not read.is_in_force(DAY + timedelta(days=2), ZONE)
    assert "may have been withdrawn by record" in str(read.describe_end(ZONE))


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in _plain().items() if key != name}


def _plain() -> dict[str, Any]:
    return {
        "approved_by": "a", "document": "d", "duty": "ssh.root-login", "id": "w1", "reason": "r", "subject": "web1",
        "valid_from": DAY.isoformat(), "valid_to": DAY.isoformat(),
    }  # fmt: skip


def test_grant_that_cannot_be_read_grants_nothing_and_takes_no_withdrawal(tmp_path: Path) -> None:
    written = begun(tmp_path / "state")
    odd: list[object] = [
        *(_without(name) for name in _plain()),
        _plain() | {"valid_to": 20000000},
        _plain() | {"valid_to": f"{DAY.isoformat()}T00:00:00"},
        _plain() | {"valid_to": {"$day": DAY.isoformat()}},
        _plain() | {"valid_to": "2026-02-30"},
        _plain() | {"duty": None},
        _plain() | {"subject": ["web1"]},
        "w1",
    ]
    grant(written, "w1")
    unread = [record(written, "waiver.granted", json.dumps({"waiver": held}).encode()) for held in odd]
    other = grant(written, "w2")
    written.append("waiver.withdrawn", withdrawal=WaiverWithdrawal("w1", "r", "a"))

    assert in_force(written, tmp_path / "bundle") == ((other,), tuple(unread))


def test_withdrawal_whose_details_are_gone_is_told_and_its_waiver_does_not_count(tmp_path: Path) -> None:
    written = begun(tmp_path / "state")
    grant(written, "w1")
    digest: Digest = written.append("waiver.withdrawn", withdrawal=WaiverWithdrawal("w1", "r", "a"))
    written.clock.move(timedelta(days=8))
    written.export(tmp_path / "bundle")
    (tmp_path / "bundle" / "blobs" / digest).unlink()
    BlobFolder(written.ledger.folder / "blobs").path(digest).unlink()

    stranger, portalops = by_stranger(tmp_path / "bundle"), by_portalops(tmp_path / "bundle")

    assert stranger[0] == portalops[0]
    assert (stranger[0].exit_code, stranger[0].waivers, len(stranger[0].unread_waivers)) == (5, (), 1)
    own = verify(written.ledger, now=written.clock.at, zone=ZONE)
    assert (own.integrity.holds, own.completeness.waivers) == (False, ())
