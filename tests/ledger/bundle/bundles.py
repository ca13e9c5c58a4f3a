"""Bundles for tests: a small ledger with everything in it that a bundle can hold, written out at a fixed time with fixed keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.ledger.bundle.contents import BUNDLE_NAMESPACE, SUMS, SUMS_SIGNATURE
from portalops.ledger.bundle.export import Content, WrittenBundle, covering_head, scope_of, write_bundle
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import find_time_order, numbers_mistimed
from portalops.ledger.ledger import Ledger
from portalops.model.organisation import Name, Portal
from portalops.model.period import Period
from portalops.model.record import Digest, RunId
from portalops.model.runs import Job, Plan
from portalops.registers.evidence import REACH_BACK
from portalops.registers.figures import read_figures
from portalops.signatures.sshsig import SigningKey, sign
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, ZONE

PERIOD = Period(date(2026, 11, 23), date(2026, 11, 29))
PORTAL = Portal("demo", Name("Cổng ví dụ", "Example portal"), ZONE.key)
REPORT = "<!doctype html><title>Báo cáo</title>\n".encode()


def key_of(number: int) -> SigningKey:
    """Return one of many keys that are always the same."""
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


@dataclass
class Written:
    """A ledger that is written to with few words, and the bundles of it."""

    folder: Path
    key: SigningKey = field(default_factory=lambda: key_of(1))
    clock: FixedClock = field(default_factory=lambda: FixedClock(START))

    def __post_init__(self) -> None:
        self.ledger = Ledger.open(self.folder, self.clock, create=True)
        self.ledger.find_time_order = find_time_order

    def at(self, moment: datetime) -> None:
        self.clock.at = moment

    def append(self, kind: str, run: str = "", /, **parts: object) -> Digest:
        return self.ledger.append(kind, run=RunId(run), body=bodies.write(parts)).body

    def plan(self, *jobs: Job) -> Digest:
        return self.append("plan", plan=Plan(jobs, "kh-37-2010@2026.11", Digest("a" * 64), ZONE.key))

    def check(self, day: date, verdict: str = "pass") -> Digest:
        """Record a daily round of checks with evidence, and return the evidence."""
        run = f"{DAILY.duty}:{DAILY.id}:{day}"
        self.append("check.started", run)
        self.clock.move(timedelta(minutes=3))
        evidence = self.ledger.keep(f"PermitRootLogin no # {day}\n".encode())
        hosts = [{"host": "web1", "results": [{"check": "ssh.root-login", "verdict": verdict, "evidence": [evidence]}]}]
        self.append("check.finished", run, run={"outcome": "complete"}, check={"hosts": hosts})
        return evidence

    def head(self) -> int:
        return record_head(self.ledger, self.key, self.clock).seq

    def export(
        self,
        folder: Path,
        *,
        period: Period = PERIOD,
        withheld: Mapping[Digest, str] | None = None,
        certificates: Mapping[str, bytes] | None = None,
    ) -> WrittenBundle:
        """Write a bundle; its export record and its head come with it."""
        covering_head(self.ledger, self.key, self.clock)
        figures = read_figures(
            self.ledger, period, as_of_seq=self.ledger.count(), zone=ZONE, mistimed=numbers_mistimed(self.ledger)
        )
        self.append("export", export={"period": str(period), "reports": [], "withheld": []})
        head = covering_head(self.ledger, self.key, self.clock)
        since = period.bounds(ZONE)[0] - REACH_BACK
        scope = scope_of(self.ledger, since, withheld or {}, last=head.seq)
        reports = {"vi": REPORT, "en": REPORT}
        content = Content(PORTAL, period, reports, figures, certificates or {})
        return write_bundle(self.ledger, folder, scope, content, head=head, key=self.key)


def week(folder: Path) -> Written:
    """Make a ledger with a plan and a week of daily checks, one day of it missing."""
    written = Written(folder)
    written.plan(DAILY)
    for number in (1, 2, 4, 5, 6):
        written.at(START + timedelta(days=number))
        written.check(written.clock.at.date())
        if number == 2:
            written.head()
    written.at(START + timedelta(days=8))
    return written


def resign(folder: Path, key: SigningKey | None = None) -> None:
    """List the files that there are now and sign the list, as whoever holds the key can."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    listed = [name for name in names if name not in {SUMS, SUMS_SIGNATURE}]
    text = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in listed)
    (folder / SUMS).write_text(text)
    (folder / SUMS_SIGNATURE).write_text(sign(text.encode(), key or key_of(1), BUNDLE_NAMESPACE))
