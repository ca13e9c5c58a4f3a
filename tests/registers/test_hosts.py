"""By which key each host is known, for who asks once and for who asks again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.hosts import Enrolment, HostKeyComparison
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.registers.hosts import ENROLLED, ENROLMENT, EnrolmentsSeen, read_enrolments
from tests.doubles import FixedClock

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPYXqRMNXdSmTqBiyKuEKBqGw6XpYUPN4EfS0v4GJvWf"
AT = datetime(2026, 11, 26, 3, tzinfo=UTC)


class CountedReads(Ledger):
    """A ledger that counts the details that are read."""

    reads = 0

    def blob(self, digest: Digest) -> bytes:
        self.reads += 1
        return super().blob(digest)


def enrol(ledger: Ledger, host: str, by: str) -> None:
    enrolment = Enrolment(HostId(host), "192.0.2.7:22", KEY, "SHA256:x", HostKeyComparison.GIVEN, by)
    ledger.append(ENROLLED, run=NO_RUN, subject=host, body=bodies.write({ENROLMENT: enrolment}))


def test_who_asks_again_reads_what_is_new_and_nothing_twice(tmp_path: Path) -> None:
    ledger, seen = Ledger.open(tmp_path, FixedClock(AT), create=True), EnrolmentsSeen()
    counted = CountedReads(tmp_path, FixedClock(AT), writable=False)
    for host in ("web1", "web2", "web3"):
        enrol(ledger, host, "An")

    assert seen.read(counted) == read_enrolments(ledger)
    assert (seen.read(counted), counted.reads) == (read_enrolments(ledger), 3)
    enrol(ledger, "web2", "Bình")  # recorded in the same millisecond as those before
    assert (seen.read(counted), counted.reads) == (read_enrolments(ledger), 4)
    assert seen.read(counted)[HostId("web2")].enrolment.by == "Bình"


def test_a_key_whose_newest_record_cannot_be_read_is_not_known_any_more(tmp_path: Path) -> None:
    ledger, seen = Ledger.open(tmp_path, FixedClock(AT), create=True), EnrolmentsSeen()
    enrol(ledger, "web1", "An")
    assert [*seen.read(ledger)] == ["web1"]

    ledger.append(ENROLLED, run=NO_RUN, subject="web1", body=b"{")

    assert seen.read(ledger) == read_enrolments(ledger) == {}
