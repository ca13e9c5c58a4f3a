"""Small bundles for the corpus, each with one thing in it that two programs may read differently.

They come from reading the two format pages for what they leave open: who counts, when a moment is in a slot, how a thing is written.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.ledger.heads import head_digest
from portalops.ledger.record import Draft
from portalops.model.heads import Erasure, KeyEvent, SignOff
from portalops.model.record import Digest, Record
from portalops.model.runs import Every, Job, JobId, JobKind, Plan
from portalops.signatures.sshsig import SigningKey, sign
from tests.conformance.claims import MACHINE, PERSON, append, claim, claimed, stranger
from tests.conformance.quarantines import erasure_set_aside, quarantine
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY, ZONE
from tests.verifier.scene import Tampered
from tests.verifier.scene import written as as_json

RUN_AT = datetime(2026, 11, 24, 5, tzinfo=UTC)
"""In the first whole day of a plan that is recorded at `START`."""
DAY_AFTER = RUN_AT + timedelta(days=1)

Begin = Callable[[Path], Path]
Export = Callable[..., Path]
"""Begins a ledger at a moment; writes its bundle."""


# -- runs and slots


def _with_run(
    run: str, kind: str = "check.started", at: datetime = RUN_AT, job: Job = DAILY
) -> Callable[[Path], Written]:
    """Return what makes a ledger with a daily job and one run."""

    def make(folder: Path) -> Written:
        written = Written(folder)
        written.plan(job)
        written.at(at)
        written.append(kind, run)
        written.append(kind.replace("started", "finished"), run, run={"outcome": "complete"})
        written.at(DAY_AFTER)
        return written

    return make


_SLOT = "12.4-testing:daily-check:2026-11-24"
_WITHOUT_DUTY = Job(JobId("daily-check"), JobKind.CHECK, Every.DAY)

RUNS: Mapping[str, Callable[[Path], Written]] = {
    "run-of-the-slot": _with_run(_SLOT),
    "run-second-attempt": _with_run(f"{_SLOT}.2"),
    "run-attempt-with-zero-in-front": _with_run(f"{_SLOT}.02"),
    "run-attempt-zero": _with_run(f"{_SLOT}.0"),
    "run-with-a-suffix": _with_run(f"{_SLOT}:full"),
    "run-with-two-suffixes": _with_run(f"{_SLOT}:full:x"),
    "run-of-another-kind": _with_run(_SLOT, "backup.started"),
    "run-is-a-part": _with_run(f"{_SLOT}:web1", "check-part.started"),
    "run-of-another-duty": _with_run("10.2:daily-check:2026-11-24"),
    "run-of-no-duty": _with_run(":daily-check:2026-11-24"),
    "run-of-a-job-without-duty": _with_run("check:daily-check:2026-11-24", job=_WITHOUT_DUTY),
    "run-of-a-job-with-colon": _with_run(
        "12.4:a:b:2026-11-24", job=Job(JobId("a:b"), JobKind.CHECK, Every.DAY, "12.4")
    ),
    "run-before-the-slot": _with_run(_SLOT, at=datetime(2026, 11, 23, 16, 59, 59, 999000, tzinfo=UTC)),
    "run-at-the-slots-begin": _with_run(_SLOT, at=datetime(2026, 11, 23, 17, tzinfo=UTC)),
    "run-within-the-hour-after": _with_run(_SLOT, at=datetime(2026, 11, 24, 17, 59, 59, 999000, tzinfo=UTC)),
    "run-an-hour-after": _with_run(_SLOT, at=datetime(2026, 11, 24, 18, tzinfo=UTC)),
}


def _with_plan(plan: object, *slots: str) -> Callable[[Path], Written]:
    """Return what makes a ledger with a plan, and a run for each slot."""

    def make(folder: Path) -> Written:
        written = Written(folder)
        written.append("plan", plan=plan)
        for slot in slots:
            written.append("check.started", f"check:daily-check:{slot}")
            written.append("check.finished", f"check:daily-check:{slot}", run={"outcome": "complete"})
        written.at(DAY_AFTER)
        return written

    return make


_FRAME: Mapping[str, object] = {"rulebook": "kh-37-2010@2026.11", "configuration": "a" * 64}
_JOB: Mapping[str, object] = {"id": "daily-check", "kind": "check", "every": "day"}

OF_BROWSERS = ("VST", "PST", "SystemV/EST5", "US/Pacific-New", "Canada/East-Saskatchewan")
"""Names that browsers take as time zones, and IANA's list has not."""

PLANS: Mapping[str, Callable[[Path], Written]] = {
    "plan-of-few-keys": _with_plan({**_FRAME, "jobs": [_JOB]}),
    "plan-with-further-keys": _with_plan({**_FRAME, "jobs": [{**_JOB, "x": 1}], "y": []}),
    "plan-without-jobs": _with_plan({**_FRAME, "timezone": "UTC"}),
    "plan-without-rulebook": _with_plan({"configuration": "a" * 64, "jobs": []}),
    "plan-of-a-number": _with_plan({**_FRAME, "configuration": 7, "jobs": []}),
    "plan-of-a-later-kind": _with_plan({**_FRAME, "jobs": [{**_JOB, "kind": "mail"}]}),
    "plan-of-another-rhythm": _with_plan({**_FRAME, "jobs": [{**_JOB, "every": "year"}]}),
    "plan-in-no-zone-without-jobs": _with_plan({**_FRAME, "jobs": [], "timezone": "Mars/Olympus"}),
    **{
        f"plan-in-{name.replace('/', '-')}": _with_plan({**_FRAME, "jobs": [_JOB], "timezone": name})
        for name in ("localtime", "posixrules", "right/UTC", "posix/UTC", "utc", "Factory", "asia/ho_chi_minh", "UTC")
    },
    **{
        f"plan-in-{name.replace('/', '-')}": _with_plan({**_FRAME, "jobs": [_JOB], "timezone": name}, "2026-11-26")
        for name in OF_BROWSERS
    },
}


# -- summer time: a zone that not every Python knows


def _hourly(zone: str, first: datetime, hours: int, every: Every = Every.HOUR) -> Callable[[Path], Written]:
    """Return what makes a ledger whose job ran in each slot that has a moment in it."""

    def make(folder: Path) -> Written:
        written = Written(folder)
        job = Job(JobId("j"), JobKind.CHECK, every, "d")
        written.at(first)
        written.append("plan", plan=Plan((job,), "kh-37-2010@2026.11", Digest("a" * 64), zone))
        names = [every.slot((first + timedelta(hours=number)).astimezone(ZoneInfo(zone))) for number in range(hours)]
        for number, name in enumerate(names):
            written.at(first + timedelta(hours=number))
            if name not in names[:number]:
                written.append("check.started", f"d:j:{name}")
                written.append("check.finished", f"d:j:{name}", run={"outcome": "complete"})
        written.at(first + timedelta(hours=hours))
        return written

    return make


SUMMER: Mapping[str, Callable[[Path], Written]] = {
    "zone-hour-left-out": _hourly("Europe/Paris", datetime(2027, 3, 27, 23, tzinfo=UTC), 6),
    "zone-hour-twice": _hourly("Europe/Paris", datetime(2027, 10, 30, 22, tzinfo=UTC), 6),
    "zone-day-of-23-hours": _hourly("Europe/Paris", datetime(2027, 3, 26, 23, tzinfo=UTC), 60, Every.DAY),
}
OLD: Mapping[str, tuple[datetime, Callable[[Path], Written]]] = {
    "zone-day-left-out": (
        datetime(2011, 12, 28, 10, tzinfo=UTC),
        _hourly("Pacific/Apia", datetime(2011, 12, 28, 10, tzinfo=UTC), 96, Every.DAY),
    ),
}
"""Ledgers that begin at another moment."""


# -- people, keys and claims


def _signed_off(**changes: str) -> Callable[[Path], Written]:
    return lambda folder: _sign_off(_planned(folder), **changes)


def _planned(folder: Path) -> Written:
    written = Written(folder)
    written.plan()
    return written


def _sign_off(written: Written, **changes: str) -> Written:
    digest = changes.get("sha256", hashlib.sha256(b"the report").hexdigest())
    report = changes.get("report", "compliance.vi.html")
    text = f"{digest}  {report}\n"
    signer, key = changes.get("signer", "nguyen-van-a"), key_of(9)
    signature = sign(text.encode(), key, "portalops-signoff")
    sign_off = SignOff(report, Digest(digest), signer, "Nguyễn Văn A", "Giám đốc", key.public_key, text, signature)
    written.append("sign-off", sign_off=sign_off)
    return written


def _another_name_later(folder: Path) -> Written:
    return _sign_off(_sign_off(_planned(folder), signer="a b"), signer="nguyen-van-a")


def _with_key(public_key: str) -> Callable[[Path], Written]:
    def make(folder: Path) -> Written:
        written = _planned(folder)
        written.head()
        written.append("key.added", key=KeyEvent(public_key, "a test"))
        return written

    return make


def _key_text(point: bytes) -> str:
    blob = b"".join(len(each).to_bytes(4, "big") + each for each in (b"ssh-ed25519", point))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


PEOPLE: Mapping[str, Callable[[Path], Written]] = {
    "sign-off": _signed_off(),
    "sign-off-name-of-another-form": _signed_off(signer="nguyễn văn a"),
    "sign-off-name-of-another-form-first": _another_name_later,
    "sign-off-digest-in-capitals": _signed_off(sha256="A" * 64),
    "sign-off-report-with-spaces": _signed_off(report="a b.html"),
    "key-off-the-curve": _with_key(_key_text(b"\2" + b"\0" * 31)),
    "key-of-small-order": _with_key(_key_text(b"\1" + b"\0" * 31)),
    "key-not-canonical": _with_key(_key_text(b"\xef" + b"\xff" * 30 + b"\x7f")),
}


def _hourly_plan(written: Written) -> Record:
    job = Job(JobId("hourly"), JobKind.CHECK, Every.HOUR, "12.4")
    plan = Plan((DAILY, job), "kh-37-2010@2026.11", Digest("a" * 64), ZONE.key)
    return append(written, "plan", plan=plan)


def _unauthorised_plan(folder: Path) -> Written:
    written = claimed(folder)
    claim(written, PERSON, _hourly_plan(written))
    written.clock.move(timedelta(hours=3))
    return written


def _unclaimed_plan(folder: Path) -> Written:
    written = claimed(folder)
    _hourly_plan(written)
    written.clock.move(timedelta(hours=3))
    return written


def _overlapping_wrong_claim(folder: Path) -> Written:
    written = claimed(folder)
    own = next(written.ledger.records(kinds=("check.started",), newest_first=True))
    claim(written, PERSON, own, digest="a" * 64)
    return written


CLAIMS: Mapping[str, Callable[[Path], Written]] = {
    "claim-plan-with-jobs-without-authority": _unauthorised_plan,
    "claim-plan-of-nobody": _unclaimed_plan,
    "claim-overlaps-and-is-wrong": _overlapping_wrong_claim,
}


# -- bundles that are changed after they were written, and signed anew


def _erased_by(authorised: bool) -> Callable[[Path], tuple[Written, Digest]]:
    def make(folder: Path) -> tuple[Written, Digest]:
        written = claimed(folder)
        note = append(written, "note.added", note="personal")
        erasure = Erasure(note.body, "x", "x")
        if authorised:
            written.append("blob.erased", erased=erasure)
            claim(written, PERSON, note)
            written.ledger.claim()
        else:
            claim(written, PERSON, note, append(written, "blob.erased", erased=erasure))
        return written, note.body

    return make


def erased_by_nobody(folder: Path) -> tuple[Written, Digest]:
    """Make a claimed ledger in which a stranger says that details were erased, and nobody claims that."""
    written = claimed(folder)
    gone = written.append("note.added", note="personal")
    written.ledger.claim()
    append(written, "blob.erased", erased=Erasure(gone, "x", "x"))
    return written, gone


def _erased_before(*, is_recorded: bool) -> Callable[[Path], tuple[Written, Digest]]:
    def make(folder: Path) -> tuple[Written, Digest]:
        written = claimed(folder)
        data = bodies.write({"note": "to come"})
        digest = Digest(hashlib.sha256(data).hexdigest())
        written.append("blob.erased", erased=Erasure(digest, "x", "x"))
        if is_recorded:
            written.append("note.added", note="to come")
        written.ledger.claim()
        return written, digest

    return make


def _plan_erased_before(folder: Path) -> tuple[Written, Digest]:
    """Make a ledger in which the plan that is in force was said to be erased before it was recorded; its details are in the bundle."""
    written = claimed(folder)
    plan = Plan((), "kh-37-2010@2026.11", Digest("c" * 64), ZONE.key)
    digest = Digest(hashlib.sha256(bodies.write({"plan": plan})).hexdigest())
    written.append("blob.erased", erased=Erasure(digest, "x", "x"))
    written.append("plan", plan=plan)
    written.ledger.claim()
    return written, Digest("0" * 64)


def _erased_of(kind: str) -> Callable[[Path], tuple[Written, Digest]]:
    def make(folder: Path) -> tuple[Written, Digest]:
        written = Written(folder)
        written.plan(DAILY)
        written.head()
        body = next(written.ledger.records(kinds=(kind,))).body
        written.append("blob.erased", erased=Erasure(body, "x", "x"))
        return written, body

    return make


def _erased_and_named(
    place: str, *, cured: bool = False, kind: str = "plan"
) -> Callable[[Path], tuple[Written, Digest]]:
    """Return who makes a ledger with an honest erasure, and a record of a never-erased kind with the same details.

    Args:
        place: `before` or `behind` the erasure.
        cured: two persons set that record aside.
        kind: of that record; a stranger's, but for `plan by a machine`, which is claimed with authority.
    """

    def make(folder: Path) -> tuple[Written, Digest]:
        written = claimed(folder)
        gone = append(written, "note.added", note="personal")
        claim(written, MACHINE, gone)
        seq = 0
        for step in ("before", "erasure", "behind"):
            if step == "erasure":
                erasure = append(written, "blob.erased", erased=Erasure(gone.body, "personal data", "An"))
                claim(written, MACHINE, erasure)
            elif step == place:
                (named,) = stranger(written).append_many((Draft(kind.partition(" ")[0], gone.body),))
                seq = named.seq
                if kind == "plan by a machine":
                    claim(written, MACHINE, named)
        if cured:
            quarantine(written, seq, seq)
        written.at(written.clock.at + timedelta(hours=2))
        written.head()
        return written, gone.body

    return make


GONE: Mapping[str, Callable[[Path], tuple[Written, Digest]]] = {
    "erased-by-authority": _erased_by(True),
    "erased-without-authority": _erased_by(False),
    "erased-by-nobody": erased_by_nobody,
    "erased-plan": _erased_of("plan"),
    "erased-key": _erased_of("key.added"),
    "erased-head": _erased_of("head"),
    "erased-record-1": _erased_of("ledger.created"),
    "erased-and-set-aside": erasure_set_aside,
    "erased-and-recorded-later": _erased_before(is_recorded=True),
    "erased-and-never-recorded": _erased_before(is_recorded=False),
    "erased-and-then-planned": _plan_erased_before,
    **{
        f"erased-{place}-{kind.replace(' ', '-')}-{'set-aside' if cured else 'there'}": _erased_and_named(
            place, cured=cured, kind=kind
        )
        for place in ("before", "behind")
        for kind, cured in (
            ("plan", False),
            ("plan", True),
            ("sign-off", False),
            ("sign-off", True),
            ("claim", True),
            ("plan by a machine", False),
        )
    },
}
"""Makers of ledgers, and the blob that is taken out of the bundle."""


def _nothing(text: str) -> str:
    return text


def signed_anew(
    bundle: Path, key: SigningKey, *, created: object = None, signature: Callable[[str], str] = _nothing
) -> None:
    """Write a bundle's records and heads anew, as who holds the key can.

    Args:
        bundle: one with one key.
        key: the ledger's.
        created: the body of record 1; None for the one that it has.
        signature: changes each head's signature.
    """
    lines: list[bytes] = []
    before = "0" * 64
    for path in (bundle / "heads").iterdir():
        path.unlink()
    for line in (bundle / "ledger.jsonl").read_bytes().splitlines():
        fields = json.loads(line)
        if fields["kind"] == "ledger.created" and created is not None:
            fields["body"] = _body(bundle, created)
        elif fields["kind"] == "head":
            body = json.loads((bundle / "blobs" / fields["body"]).read_bytes())
            held = body["head"]
            rows = held["text"].splitlines()
            size = int(rows[2].split()[1])
            rows[3], rows[5] = f"digest {hashlib.sha256(lines[size - 1]).hexdigest()}", f"previous {before}"
            held["text"] = "".join(f"{row}\n" for row in rows)
            held["signature"] = signature(sign(held["text"].encode(), key, "portalops-head"))
            before = head_digest(held["text"])
            (bundle / f"heads/{size:010d}.txt").write_text(held["text"], encoding="utf-8")
            (bundle / f"heads/{size:010d}.sig").write_text(held["signature"], encoding="utf-8")
            fields["body"] = _body(bundle, body)
        fields["prev"] = hashlib.sha256(lines[-1]).hexdigest() if lines else "0" * 64
        lines.append(as_json(fields)[:-1])
    (bundle / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    named = {json.loads(line)["body"] for line in lines}
    for path in (bundle / "blobs").iterdir():
        if path.name not in named:
            path.unlink()


def _body(bundle: Path, held: object) -> str:
    data = bodies.write(held) if isinstance(held, dict) else b""
    digest = hashlib.sha256(data).hexdigest()
    (bundle / "blobs" / digest).write_bytes(data)
    return digest


def _with_signers(change: Callable[[str], str], tampered: Tampered) -> None:
    path = tampered.folder / "allowed_signers"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def _created(created: Mapping[str, object], tampered: Tampered) -> None:
    signed_anew(tampered.folder, tampered.key, created=dict(created))
    _with_signers(lambda text: f" {text.partition(' ')[2]}", tampered)


def _head_signature(change: Callable[[str], str], tampered: Tampered) -> None:
    signed_anew(tampered.folder, tampered.key, signature=change)


def _withheld(tampered: Tampered, *digests: str) -> None:
    listed = [{"digest": each, "reason": "names"} for each in digests]
    tampered.edit_json("bundle.json", lambda held: held.update(withheld=listed))


CHANGED: Mapping[str, Callable[[Tampered], None]] = {
    "signed-anew": partial(_head_signature, _nothing),
    "record-1-names-no-ledger": partial(_created, {"format": 1, "portalops": "1.0.0"}),
    "record-1-names-a-number": partial(_created, {"format": 1, "ledger": 7, "portalops": "1.0.0"}),
    "record-1-names-a-word": partial(_created, {"format": 1, "ledger": "demo", "portalops": "1.0.0"}),
    "signature-without-line-feed": partial(_head_signature, str.rstrip),
    "signature-with-two-line-feeds": partial(_head_signature, "{}\n".format),
    "signature-with-space-in-front": partial(_head_signature, " {}".format),
    "signers-in-another-order": partial(_with_signers, lambda text: "".join(reversed(text.splitlines(keepends=True)))),
    "signers-with-a-comment": partial(_with_signers, "# keys\n{}".format),
    "withheld-of-nobody": lambda tampered: _withheld(tampered, "a" * 64),
    "withheld-twice": lambda tampered: _withheld(tampered, "a" * 64, "a" * 64),
    "withheld-in-another-order": lambda tampered: _withheld(tampered, "b" * 64, "a" * 64),
}


def small(folder: Path) -> Written:
    """Make a ledger of a few records, with two heads."""
    written = _planned(folder)
    written.head()
    return _sign_off(written)


YEARS: Mapping[str, datetime] = {f"year-{year}": datetime(year, 1, 1, tzinfo=UTC) for year in (2, 999, 1000)}


# -- ZIP files


def zip_probes(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Yield ZIP files of a bundle, each with one thing in it that another program may pass over."""
    yield "count-on-this-disk", _patched(_zip(bundle), 8, b"\3\0")
    yield "count-of-all", _patched(_zip(bundle), 10, b"\3\0")
    yield "folder-without-a-name", _zip(bundle, "/")
    yield "two-folders", _zip(bundle, "a/b/")
    yield "entry-without-a-name", _zip(bundle, further={"": b"x"})
    yield "name-twice", _zip(bundle, further={"verify.py": b"x"})
    yield "name-in-capitals", _zip(bundle, further={"Verify.py": b"x"})
    yield "folders-listed", _zip(bundle, "a/", further={"a/": b"", "a/blobs/": b""})
    yield "mode-0", _zip(bundle, mode=0)
    yield "mode-of-a-link", _zip(bundle, mode=0o120777)
    yield "mode-of-a-link-of-dos", _zip(bundle, mode=0o120777, system=0)
    yield "extra-field-too-long", _zip(bundle, extra=struct.pack("<HH", 9, 50) + b"abc")
    yield "extra-rest-of-three-bytes", _zip(bundle, extra=b"abc")
    yield "comment-of-an-entry", _zip(bundle, comment=b"x")
    yield "comment-of-the-file", _patched(_zip(bundle), 20, b"\1\0") + b"x"


def _patched(data: bytes, place: int, change: bytes) -> bytes:
    at = len(data) - 22 + place
    return data[:at] + change + data[at + len(change) :]


def _zip(bundle: Path, top: str = "", *, further: Mapping[str, bytes] | None = None, **verify_py: Any) -> bytes:
    """Write a ZIP file; the keywords are of the entry of verify.py."""
    into = io.BytesIO()
    files = [(str(path.relative_to(bundle)), path.read_bytes()) for path in sorted(bundle.rglob("*")) if path.is_file()]
    with zipfile.ZipFile(into, "w") as packed:
        for name, data in files:
            entry = zipfile.ZipInfo(f"{top}{name}")
            entry.external_attr = 0o100600 << 16
            if name == "verify.py":
                entry.external_attr = verify_py.get("mode", 0o100600) << 16
                entry.create_system = verify_py.get("system", 3)
                entry.comment = verify_py.get("comment", b"")
            packed.writestr(entry, data)
            if name == "verify.py":
                entry.extra = verify_py.get("extra", b"")  # of the list alone
        for number, (name, data) in enumerate((further or {}).items()):
            entry = zipfile.ZipInfo(f"further-{number}")
            packed.writestr(entry, data)
            entry.filename = name  # in the list alone: zipfile warns of a name that stands twice
    return into.getvalue()
