"""A bundle with everything in it that a bundle can hold, ways to tamper with it, and both programs that verify it."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import portalops.ledger.bundle
from commands.ledger.verify import exit_code_of
from portalops.errors import NotABundle
from portalops.ledger.bundle.verification import verify_bundle
from portalops.ledger.heads import newest_head, rotate_key
from portalops.ledger.verify import Supplied
from portalops.model.heads import AnchorId, AnchorReceipt, AnchorResult, Erasure, RecordedHead, SignOff
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.waivers import Waiver
from portalops.signatures.sshsig import SigningKey, sign
from tests.anchors.certificates import authority, timestamper
from tests.anchors.parts import Authority
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY, START

VERIFY_PY = Path(portalops.ledger.bundle.__file__).with_name("verify.py")

PERSON = key_of(9)
"""Of somebody who signs reports."""


@functools.cache
def verify_py() -> ModuleType:
    """Return the stranger's program as a module."""
    spec = importlib.util.spec_from_file_location("bundle_verify_py", VERIFY_PY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def full(folder: Path) -> Written:
    """Make a ledger in which nothing is missing: a plan, a week of checks, a backup, a judging, two keys, a sign-off, a waiver, an erasure."""
    written = Written(folder)
    written.plan(DAILY)
    for number in range(1, 8):
        written.at(START + timedelta(days=number))
        written.check(written.clock.at.date())
        if number == 2:
            written.head()
        elif number == 3:
            _work(written)
        elif number == 4:
            old, written.key = written.key, key_of(2)
            rotate_key(written.ledger, old, written.key, reason="a year is over", clock=written.clock)
        elif number == 5:
            _people(written)
    written.at(START + timedelta(days=8))
    return written


def _work(written: Written) -> None:
    written.append("backup.started", "10.2:weekly-backup:2026-W48")
    written.clock.move(timedelta(minutes=40))
    copies = [{"medium": "nas", "state": "verified"}, {"medium": "s3", "state": "sealed"}]
    written.append(
        "backup.finished",
        "10.2:weekly-backup:2026-W48",
        run={"outcome": "complete"},
        backup={"set": {"id": "demo-full-1", "streams": []}, "copies": copies},
    )
    written.append("updates.started", "11:collect:2026-11-26")
    poll = written.ledger.keep("Tin mới của Sở Y tế\n".encode())
    look = {
        "evidence": poll,
        "new_items": 1,
        "ok": True,
        "polled_at": "2026-11-26T01:00:00Z",
        "source": "soyte-rss",
        "via": [],
    }
    days: list[dict[str, Any]] = [
        {
            "day": f"2026-11-2{n}",
            "observations": [],
            "updates": 1,
            "verdict": "met" if n < 6 else "unmet",
            "working": n != 8,
        }
        for n in range(3, 9)
    ]
    item = hashlib.sha256(b"soyte-rss\nu:https://soyte.khanhhoa.example/tin/5").hexdigest()[:32]
    week = {
        "coverage_percent": 100,
        "items": [{"day": "2026-11-24", "flags": [], "grade": "A", "observation": item}],
        "required": 2,
        "submissions": 0,
        "submissions_verdict": "unmet",
        "subportal": 2,
        "subportal_verdict": "met",
        "unit": "so-y-te",
        "verdict": "met",
        "week": {"year": 2026, "number": 48},
        "working_days": 5,
    }
    updates = {"polls": [look], "portal_days": days, "unit_weeks": [week]}
    written.append("updates.finished", "11:collect:2026-11-26", run={"outcome": "incomplete"}, updates=updates)


def _people(written: Written) -> None:
    digest = Digest(hashlib.sha256(b"the report").hexdigest())
    text = f"{digest}  compliance.vi.html\n"
    sign_off = SignOff(
        "compliance.vi.html",
        digest,
        "nguyen-van-a",
        "Nguyễn Văn A",
        "Phó Giám đốc",
        PERSON.public_key,
        text,
        sign(text.encode(), PERSON, "portalops-signoff"),
    )
    written.append("sign-off", circumstances={"arguments": ["portalops", "ledger", "sign-off"]}, sign_off=sign_off)
    waiver = Waiver("w1", "10.2", "", "thiết bị hỏng", "Giám đốc", "12/QĐ", date(2026, 11, 20), date(2026, 11, 30))
    written.append("waiver.granted", waiver=waiver)
    erased = written.append("note.added", note={"name": "Trần Thị B"})
    written.append("blob.erased", erased=Erasure(erased, "dữ liệu cá nhân", "Giám đốc"))
    written.ledger.remove_blob(erased)


def stamped(folder: Path, tsa_folder: Path) -> tuple[Written, bytes]:
    """Make a ledger of today with a head that a time-stamping authority saw; OpenSSL knows no other clock than the machine's."""
    written = Written(folder, clock=FixedClock(datetime.now(UTC).replace(microsecond=0)))
    written.plan()
    written.head()
    head = newest_head(written.ledger)
    assert head is not None
    return written, put_stamp(written, head, tsa_folder)


def put_stamp(written: Written, head: RecordedHead, tsa_folder: Path) -> bytes:
    """Record what a time-stamping authority says of a head; return its certificate."""
    root = authority("Root")
    tsa = Authority(tsa_folder, timestamper("Time stamps", root), (root,))
    token = written.ledger.keep(tsa.reply(tsa.request_over(head.signed.text.encode())))
    written.clock.move(timedelta(minutes=1))
    digest = Digest(hashlib.sha256(head.signed.text.encode()).hexdigest())
    receipt = AnchorReceipt(AnchorId("tsa"), "rfc3161", head.head.size, digest, written.clock.at, {}, (token,))
    written.append("anchor.started", "anchor:anchor-daily:today")
    written.append(
        "anchor.finished",
        "anchor:anchor-daily:today",
        run={"outcome": "complete"},
        anchor=AnchorResult(head.head.size, digest, (receipt,)),
    )
    return root.pem


def today() -> Period:
    """Return yesterday to tomorrow, whatever zone asks."""
    day = datetime.now(UTC).date()
    return Period(day - timedelta(days=1), day + timedelta(days=1))


class Tampered:
    """A copy of a bundle, to be changed."""

    def __init__(self, original: Path, folder: Path, key: SigningKey) -> None:
        shutil.copytree(original, folder)
        self.folder = folder
        self.key = key

    def names(self) -> list[str]:
        """Return the regular files, by name."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(str(path.relative_to(self.folder)) for path in paths)

    def lines(self) -> list[bytes]:
        return (self.folder / "ledger.jsonl").read_bytes().splitlines()

    def set_lines(self, lines: Sequence[bytes]) -> None:
        (self.folder / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))

    def edit_json(self, name: str, change: Callable[[dict[str, Any]], None]) -> None:
        held = json.loads((self.folder / name).read_bytes())
        change(held)
        (self.folder / name).write_bytes(written(held))

    def describe(self) -> None:
        """Let bundle.json say what ledger.jsonl is now."""
        lines = self.lines()

        def change(held: dict[str, Any]) -> None:
            held["records"] = held["blobs"]["last"] = len(lines)
            held["head"] = hashlib.sha256(lines[-1]).hexdigest()

        self.edit_json("bundle.json", change)

    def sum_up(self, *, sign_it: bool) -> None:
        """Make SHA256SUMS new, and sign it with the real key."""
        names = [name for name in self.names() if not name.startswith("SHA256SUMS")]
        lines = [f"{hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
        data = "".join(lines).encode()
        (self.folder / "SHA256SUMS").write_bytes(data)
        if sign_it:
            (self.folder / "SHA256SUMS.sig").write_text(sign(data, self.key, "portalops-bundle"))


def written(value: object) -> bytes:
    """Write JSON as portalops does."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def chained(lines: Sequence[bytes], start: int) -> list[bytes]:
    """Chain the lines anew from a place on (0 is the first), numbers included."""
    found = list(lines[:start])
    for line in lines[start:]:
        fields = json.loads(line)
        fields["prev"] = hashlib.sha256(found[-1]).hexdigest() if found else "0" * 64
        fields["seq"] = len(found) + 1
        found.append(written(fields)[:-1])
    return found


@dataclass(frozen=True)
class Said:
    """What a program found, as far as both must agree."""

    exit_code: int
    holds: bool = False
    first_bad: int | None = None
    complete: bool | None = None
    missing: tuple[tuple[str, str], ...] = ()
    crashed: tuple[int, ...] = ()
    unbegun: tuple[int, ...] = ()
    not_compared: frozenset[str] = frozenset()
    waivers: tuple[int, ...] = ()
    unread_waivers: tuple[int, ...] = ()


def by_stranger(folder: Path, *arguments: str) -> tuple[Said, list[str]]:
    """Verify with verify.py in this process; return also what it says was found."""
    module = verify_py()
    try:
        check = module.Check(str(folder), [], None)
    except module.NotABundle as error:
        return Said(2), [str(error)]
    complete = module.Completeness(check)
    said = Said(
        module.exit_code(check, complete),
        not check.fault_count,
        check.first_bad,
        complete.holds,
        tuple(sorted((each.job, each.slot) for each in complete.missing)),
        tuple(sorted(each.seq for each in complete.crashed)),
        tuple(complete.unbegun),
        frozenset(check.figures.not_compared),
        tuple(seq for seq, _held, _withdrawn in complete.waivers),
        tuple(complete.unread_waivers),
    )
    return said, [f"{seq}: {what.en}" for seq, what in check.first_faults()]


def by_portalops(folder: Path, brought: Supplied | None = None) -> tuple[Said, list[str]]:
    """Verify with portalops; return also what it says was found."""
    try:
        found = verify_bundle(folder) if brought is None else verify_bundle(folder, brought=brought)
    except NotABundle as error:
        return Said(2), [str(error)]
    integrity, complete = found.integrity, found.completeness
    unknown = complete.problem is not None
    said = Said(
        int(exit_code_of(found)),
        integrity.holds,
        integrity.first_bad,
        None if unknown else complete.holds,
        tuple(sorted((slot.job.id, slot.name) for slot in complete.missing)),
        tuple(sorted(run.started_seq for run in complete.crashed)),
        tuple(record.seq for record in complete.unbegun),
        frozenset(found.not_compared),
        tuple(each.seq for each in complete.waivers),
        complete.unread_waivers,
    )
    return said, [f"{fault.seq}: {fault.what}" for fault in integrity.faults]


def as_process(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run verify.py as a stranger does, with nothing but the standard library."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", *(str(each) for each in arguments)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        timeout=300,
    )
