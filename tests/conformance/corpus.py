"""The conformance corpus: bundles that hold and bundles that were tampered with, the same at every making, and what is to be said of each.

    .venv/bin/python -m tests.conformance.corpus FOLDER            # make the bundles there
    .venv/bin/python -m tests.conformance.corpus FOLDER --write    # and expected.csv anew, where two programs agree

The bundles are not kept: they follow from numbers. Whoever writes a verifier of their own makes them and compares it with expected.csv.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from portalops import bodies
from portalops.ledger.bundle.contents import RESOURCES, head_stem
from portalops.ledger.chain import bytes_of
from portalops.ledger.heads import NAMESPACE, head_digest, newest_head, retire_others, rotate_key, text_of
from portalops.ledger.ledger import Ledger, kept_in
from portalops.ledger.record import Draft
from portalops.ledger.set_aside import stored_lines
from portalops.model.heads import Head
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.registers.plans import PLAN
from portalops.signatures.sshsig import sign
from tests.conformance import probes
from tests.conformance.claims import CASES, claimed
from tests.conformance.clocks import (
    BEHIND_A_BUNDLE,
    RETIRED,
    forge,
    mended,
    mended_before_writers,
    void_and_claimed_afterwards,
    void_before_writers,
)
from tests.conformance.clocks import CASES as CLOCKS
from tests.conformance.left_out import CASES as LEFT_OUT
from tests.conformance.left_out import bundle_of
from tests.conformance.quarantines import CASES as QUARANTINES
from tests.conformance.quarantines import before_writers, signs_before_writers
from tests.conformance.replays import CASES as REPLAYS
from tests.conformance.stolen import CASES as STOLEN
from tests.conformance.stolen import before_any_writer
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import PERIOD, Written, key_of, week
from tests.ledger.ledgers import DAILY, START
from tests.verifier import mutations
from tests.verifier.scene import Said, Tampered, by_portalops, by_stranger, full
from tests.verifier.test_agreement import MODES, tampered
from tests.verifier.test_rewritten import rewritten

EXPECTED = Path(__file__).with_name("expected.csv")
COLUMNS = ("bundle", "exit_code", "integrity", "completeness", "record")
TAMPERED = 560
TAMPERED_CLAIMS = 140
TAMPERED_CLOCKS = 70
REWRITTEN = 60
ZIPPED = 60
LEDGER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
VERSION = "1.0.0"


@dataclass(frozen=True)
class Expected:
    """What every verifier is to say of a bundle."""

    exit_code: int
    integrity: str
    """`holds`, `changed`, or empty where there is no bundle."""
    completeness: str
    """`holds`, `missing`, `unknown`, or empty likewise."""
    record: str
    """The first record that cannot be trusted; empty if there is none."""


def expected_of(said: Said) -> Expected:
    """Return a program's answer as the table has it."""
    if said.exit_code not in {0, 1, 3, 5}:
        return Expected(said.exit_code, "", "", "")
    complete = {None: "unknown", False: "missing", True: "holds"}[said.complete]
    return Expected(said.exit_code, "holds" if said.holds else "changed", complete, str(said.first_bad or ""))


def read_expected() -> dict[str, Expected]:
    """Return the table."""
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return {
            row["bundle"]: Expected(int(row["exit_code"]), row["integrity"], row["completeness"], row["record"])
            for row in rows
        }


def write_expected(found: dict[str, Expected]) -> None:
    """Write the table."""
    with EXPECTED.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for name, each in found.items():
            rows.writerow((name, each.exit_code, each.integrity, each.completeness, each.record))


def make(folder: Path) -> Iterator[tuple[str, Path]]:
    """Make the corpus in an empty folder; yield each bundle's name and place when it is there."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, bundle in _whole(Path(scratch)):
            yield _put(bundle, folder / "whole" / name, folder)
        for name, bundle in _with_claims(Path(scratch)):
            yield _put(bundle, folder / "claims" / name, folder)
        for name, bundle in _with_quarantines(Path(scratch)):
            yield _put(bundle, folder / "quarantines" / name, folder)
        for name, bundle in _with_a_stolen_key(Path(scratch)):
            yield _put(bundle, folder / "stolen" / name, folder)
        for name, bundle in _with_replays(Path(scratch)):
            yield _put(bundle, folder / "replays" / name, folder)
        for name, bundle in _with_details_left_out(Path(scratch)):
            yield _put(bundle, folder / "left-out" / name, folder)
        for name, bundle in _with_clocks(Path(scratch)):
            yield _put(bundle, folder / "clocks" / name, folder)
        original = Path(scratch) / "full" / "bundle"
        yield from _tampered(original, folder, "tampered", TAMPERED)
        for number in range(REWRITTEN):
            if (found := rewritten(original, number)) is not None:
                yield _put(found, folder / "rewritten" / f"{number:03d}", folder)
        yield from _tampered(Path(scratch) / "claims" / "bundle", folder, "tampered-claims", TAMPERED_CLAIMS)
        yield from _tampered(Path(scratch) / "clocks" / "bundle", folder, "tampered-clocks", TAMPERED_CLOCKS)
        yield from _zipped(original, folder)
        for name, bundle in _probes(Path(scratch) / "probes"):
            yield _put(bundle, folder / "probes" / name, folder)
        for name, data in probes.zip_probes(original):
            yield _put_file(data, folder / "zip" / f"{name}.zip", folder)


def _put_file(data: bytes, place: Path, folder: Path) -> tuple[str, Path]:
    place.write_bytes(data)
    return str(place.relative_to(folder)), place


def _put(bundle: Path, place: Path, folder: Path) -> tuple[str, Path]:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(bundle, place) if "tampered-" in bundle.name else shutil.copytree(bundle, place, symlinks=True)
    return str(place.relative_to(folder)), place


def begun(folder: Path, at: datetime = START) -> Path:
    """Begin a ledger as portalops does, but with the id and the version that never change."""
    kept = kept_in(folder, writable=True)
    kept.records.create()
    body = kept.blobs.keep(bodies.write({"ledger": LEDGER, "format": 1, "portalops": VERSION}))
    kept.records.begin(Draft("ledger.created", body), FixedClock(at))
    return folder


def _whole(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles that nobody tampered with."""
    for name, write in {
        "full": full,
        "a-run-is-missing": week,
        "no-plan": Written,
        "runs-are-open": _open_runs,
        "the-key-was-lost": _lost_key,
        "the-key-was-changed-twice": _changed_keys,
        "unknown-kinds": _unknown_kinds,
        "set-aside-before-writers": before_writers,
        "signs-set-aside-before-writers": signs_before_writers,
    }.items():
        written = write(begun(scratch / name / "state"))
        yield name, _exported(written, scratch / name / "bundle")
    written = week(begun(scratch / "withheld" / "state"))
    newest = [record.body for record in written.ledger.records() if record.kind == "check.finished"][-1]
    yield "details-are-withheld", _exported(written, scratch / "withheld" / "details", newest)
    plan = next(written.ledger.records(kinds=(PLAN,))).body
    yield "the-plan-is-withheld", _exported(written, scratch / "withheld" / "plan", plan)


def _open_runs(folder: Path) -> Written:
    written = Written(folder)
    written.plan(DAILY)
    written.append("check.started", f"{DAILY.duty}:{DAILY.id}:2026-11-23")
    written.append("check.finished", f"{DAILY.duty}:{DAILY.id}:2026-11-24")
    return written


def _lost_key(folder: Path) -> Written:
    written = _open_runs(folder)
    written.head()
    written.key = key_of(3)
    rotate_key(written.ledger, None, written.key, reason="lost", clock=written.clock)
    return written


def _changed_keys(folder: Path) -> Written:
    written = _open_runs(folder)
    written.head()
    for number in (2, 3):
        old, written.key = written.key, key_of(number)
        rotate_key(written.ledger, old, written.key, reason="a new year", clock=written.clock)
        retire_others(written.ledger, written.key, reason="a new year", clock=written.clock)
    return written


def _unknown_kinds(folder: Path) -> Written:
    written = Written(folder)
    written.plan()
    evidence = written.ledger.keep(b"what a later version keeps\n")
    written.append("device.added", device={"key": "x", "evidence": evidence})
    written.append("quarantine", quarantine={"ranges": [[1, 3]]})
    return written


def _exported(written: Written, bundle: Path, *withheld: Digest, period: Period = PERIOD) -> Path:
    """Export; what changes with the version of portalops is replaced, so that the corpus does not change with it."""
    written.export(bundle, period=period, withheld=dict.fromkeys(withheld, "names"))
    for name in RESOURCES:
        (bundle / name).write_text(f"{name}\n", encoding="utf-8")
    same = Tampered(bundle, bundle.with_name(f"{bundle.name}-same"), written.key)
    same.edit_json("bundle.json", lambda held: held.update(portalops=VERSION))
    same.sum_up(sign_it=True)
    shutil.rmtree(bundle)
    return same.folder.rename(bundle)


def _with_claims(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles of ledgers that are claimed, the first as it should be."""
    yield "honest", _exported(claimed(begun(scratch / "claims" / "state")), scratch / "claims" / "bundle")
    for name, change in CASES.items():
        written = claimed(begun(scratch / "claims" / name / "state"))
        change(written)
        yield name, _exported(written, scratch / "claims" / name / "bundle")


def _with_quarantines(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles of claimed ledgers in which somebody set records aside."""
    for name, change in QUARANTINES.items():
        written = claimed(begun(scratch / "quarantines" / name / "state"))
        change(written)
        yield name, _exported(written, scratch / "quarantines" / name / "bundle")


def _with_a_stolen_key(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles of ledgers in which a stolen writer's key claims what is wrong, and one in which nobody may claim yet."""
    for name, change in STOLEN.items():
        written = claimed(begun(scratch / "stolen" / name / "state"))
        change(written)
        yield name, _exported(written, scratch / "stolen" / name / "bundle")
    written = before_any_writer(begun(scratch / "stolen" / "before" / "state"))
    yield "before-any-writer", _exported(written, scratch / "stolen" / "before" / "bundle")


def _with_replays(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles of ledgers in which another record's text stands again, or a record without details."""
    for name, change in REPLAYS.items():
        written = claimed(begun(scratch / "replays" / name / "state"))
        change(written)
        yield name, _exported(written, scratch / "replays" / name / "bundle")


def _with_details_left_out(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles that hold the details of what two persons set aside, or leave them out."""
    for name, case in LEFT_OUT.items():
        written = claimed(begun(scratch / "left-out" / name / "state"))
        yield name, bundle_of(case, written, scratch / "left-out" / name, _exported)


def _with_clocks(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles of ledgers whose clock was wrong, the first as it should be."""
    yield "honest", _exported(mended(begun(scratch / "clocks" / "state")), scratch / "clocks" / "bundle")
    yield "without-writers", _exported(mended_before_writers(begun(scratch / "clocks" / "b")), scratch / "clocks" / "c")
    for name, write in {
        "void-before-writers": void_before_writers,
        "void-and-claimed-afterwards": void_and_claimed_afterwards,
    }.items():
        yield name, _exported(write(begun(scratch / "clocks" / name / "state")), scratch / "clocks" / name / "bundle")
    for name, change in {**CLOCKS, **RETIRED}.items():
        written = claimed(begun(scratch / "clocks" / name / "state"))
        change(written)
        yield name, _exported(written, scratch / "clocks" / name / "bundle")
    for name, change in BEHIND_A_BUNDLE.items():
        written = claimed(begun(scratch / "clocks" / name / "state"))
        yield name, forged_behind(written, _exported(written, scratch / "clocks" / name / "bundle"), change)


def forged_behind(written: Written, bundle: Path, change: Callable[[Written], None]) -> Path:
    """Append to a ledger and to a bundle of it what portalops would not export, with a head over it by the real key."""
    change(written)
    ledger = Ledger.open_to_verify(written.folder, written.clock)
    before, number = newest_head(ledger), ledger.newest_number()
    assert before is not None
    ((_seq, digest, newest),) = stored_lines(ledger, (number,))
    assert newest is not None
    text = text_of(Head(ledger.id, number, digest, written.clock.now(), head_digest(before.signed.text)))
    signed = {"text": text, "signature": sign(text.encode(), written.key, NAMESPACE)}
    forge(written, "head", written.clock.now(), head=signed)
    changed = Tampered(bundle, bundle.with_name(f"{bundle.name}-forged"), written.key)
    with ledger.snapshot() as snapshot:
        changed.set_lines([bytes_of(line) for chunk in snapshot.chunks(256) for line in chunk.lines])
    for line in changed.lines():
        body = json.loads(line)["body"]
        (changed.folder / "blobs" / body).write_bytes(ledger.blob(body))
    for name, suffix in (("text", "txt"), ("signature", "sig")):
        (changed.folder / f"{head_stem(number)}.{suffix}").write_text(signed[name])
    changed.describe()
    changed.sum_up(sign_it=True)
    return changed.folder


def _probes(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield bundles that two programs may read differently."""
    for name, write in {**probes.RUNS, **probes.PLANS, **probes.PEOPLE, **probes.CLAIMS}.items():
        yield name, _exported(write(begun(scratch / name / "state")), scratch / name / "bundle")
    for name, (at, write) in {**{name: (START, write) for name, write in probes.SUMMER.items()}, **probes.OLD}.items():
        written = write(begun(scratch / name / "state", at))
        day = written.clock.at.date()
        yield name, _exported(written, scratch / name / "bundle", period=Period(day - timedelta(days=2), day))
    for name, at in probes.YEARS.items():
        folder = begun(scratch / name / "state", at)
        written = Written(folder, clock=FixedClock(at))
        written.plan()
        yield name, _exported(written, scratch / name / "bundle")
    for name, erase in probes.GONE.items():
        written, gone = erase(begun(scratch / name / "state"))
        whole = _exported(written, scratch / name / "whole")
        changed = Tampered(whole, scratch / name / "bundle", written.key)
        (changed.folder / "blobs" / gone).unlink(missing_ok=True)
        changed.sum_up(sign_it=True)
        yield name, changed.folder
    written = probes.small(begun(scratch / "small" / "state"))
    whole = _exported(written, scratch / "small" / "bundle")
    for name, change in probes.CHANGED.items():
        changed = Tampered(whole, scratch / name / "bundle", written.key)
        change(changed)
        changed.describe()
        changed.sum_up(sign_it=True)
        yield name, changed.folder


def _tampered(original: Path, folder: Path, name: str, count: int) -> Iterator[tuple[str, Path]]:
    kinds = sorted(set(mutations.ALL) - {"put_something_else"})  # a browser sees no links, pipes and empty folders
    for number in range(count):
        kind, mode = kinds[number % len(kinds)], MODES[number // len(kinds) % len(MODES)]
        if (found := tampered(original, kind, number, mode)) is not None:
            yield _put(found, folder / name / f"{number:03d}-{kind}-{mode}", folder)


def _zipped(original: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield ZIP files: whole ones, then ones that were damaged at random, most of them in their list."""
    (folder / "zip").mkdir()
    whole = {
        "in-a-folder": _zip(original, "bundle/"),
        "flat": _zip(original, ""),
        "deflated": _zip(original, "b/", deflate=True),
    }
    for number in range(ZIPPED):
        chance = random.Random(number)
        data = whole["in-a-folder"]
        cut = data.rindex(b"PK\5\6") - 5000 if number % 2 else 0
        change = mutations.BYTES[sorted(mutations.BYTES)[number % len(mutations.BYTES)]]
        whole[f"{number:03d}"] = data[:cut] + change(data[cut:], chance)
    for name, data in whole.items():
        place = folder / "zip" / f"{name}.zip"
        place.write_bytes(data)
        yield str(place.relative_to(folder)), place


def _zip(bundle: Path, top: str, *, deflate: bool = False) -> bytes:
    into = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    with zipfile.ZipFile(into, "w", method) as packed:
        for path in sorted(each for each in bundle.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(f"{top}{path.relative_to(bundle)}")
            entry.compress_type = method
            packed.writestr(entry, path.read_bytes())
    return into.getvalue()


def main(arguments: list[str]) -> int:
    """Make the corpus, and with --write the table."""
    folder = Path(arguments[0])
    found = {}
    for name, bundle in make(folder):
        if "--write" in arguments:
            answers = {expected_of(by_stranger(bundle)[0]), expected_of(by_portalops(bundle)[0])}
            assert len(answers) == 1, f"{name}: {answers}"
            (found[name],) = answers
    if found:
        write_expected(found)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
