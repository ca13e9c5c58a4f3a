"""The same attacks, seen by a stranger: what a tampered ledger hands out, and bundles that were changed on the way.

Every bundle is checked twice, by `verify.py` with Python alone and by portalops, which must find the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import BLOBS
from portalops.ledger.record import line_digest, parse
from portalops.model.heads import KeyEvent
from tests.attacks.bundle import Checked, both, export, seal
from tests.attacks.scene import END, Auditor, Forger, Portal, lines_of, sql, store, write_key

BACKUP = 6
LATER = END + timedelta(hours=1)


@pytest.fixture(scope="session")
def handed_out(scene: tuple[Portal, Auditor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the portal that nobody attacked."""
    folder = tmp_path_factory.mktemp("handed")
    portal = scene[0].copied(folder)
    done = export(portal, folder / "bundle")
    assert done.code == ExitCode.OK, (done.code, done.text[:500])
    return folder / "bundle"


@pytest.fixture
def bundle(handed_out: Path, tmp_path: Path) -> Path:
    """A copy of it to be changed."""
    return Path(shutil.copytree(handed_out, tmp_path / "bundle"))


def caught(checked: Checked, first_bad: int | None = None) -> None:
    assert checked.code == ExitCode.INTEGRITY, checked.text[:1500]
    if first_bad is not None:
        assert checked.first_bad == first_bad, checked.data["integrity"]


def test_the_bundle_of_the_true_ledger_holds_with_all_that_the_auditor_brings(bundle: Path, auditor: Auditor) -> None:
    checked = both(bundle, auditor, "head", "code", "signers")

    assert checked.code == ExitCode.OK, checked.text[:1500]


# --- With the key: the bundle is made by the rewritten ledger, in due form ---------------------------------------------


def without_first_backup(portal: Portal) -> None:
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if not each.run.startswith("10.2:weekly-backup:2026-W47")]
    forger.write(portal.key)


def backdated(portal: Portal) -> None:
    forger = Forger.of(portal)
    made = [each for each in forger.entries if each.run == "10.2:weekly-backup:2026-W47"]
    place = forger.find("verify.started", 1)
    forger.entries[place:place] = [replace(each, run=f"{each.run}.2", at=forger.entries[place].at) for each in made]
    forger.write(portal.key)


def plan_hidden(portal: Portal) -> None:
    forger = Forger.of(portal)
    entry = forger.entries[forger.find("plan")]
    plan = json.loads(entry.blob)["plan"]
    plan["jobs"] = [job for job in plan["jobs"] if job["id"] != "daily-verify"]
    forger.entries[forger.find("plan")] = entry.holding(plan=plan)
    forger.entries = [each for each in forger.entries if not each.run.startswith("verify:")]
    forger.write(portal.key)


@pytest.mark.parametrize("attack", [without_first_backup, backdated, plan_hidden])
def test_root_with_the_key_hands_out_a_bundle_that_is_not_what_the_auditor_holds(
    portal: Portal, auditor: Auditor, tmp_path: Path, attack: Callable[[Portal], None]
) -> None:
    attack(portal)
    assert export(portal, tmp_path / "bundle").code == ExitCode.OK

    by_itself = both(tmp_path / "bundle", auditor, "signers")
    assert by_itself.data["integrity"]["holds"] is True, by_itself.text[:1500]
    for what in ("head", "code"):
        caught(both(tmp_path / "bundle", auditor, what), 1)


def test_a_cut_ledger_hands_out_a_bundle_that_ends_before_what_the_auditor_holds(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    """Root goes back to the first day and works on from there, so that there is an end behind the auditor's head again."""
    store(portal, [parse(line) for line in lines_of(portal)][:8])
    short = export(portal, tmp_path / "short")
    assert short.code == ExitCode.OK, short.text[:500]

    caught(both(tmp_path / "short", auditor, "head"), short.data["records"] + 1)

    assert portal.call("run", at=LATER).code in {ExitCode.OK, ExitCode.UNMET}
    portal.sign(at=LATER)
    longer = export(portal, tmp_path / "longer", at=LATER)
    assert longer.code == ExitCode.OK
    assert longer.data["records"] >= auditor.size
    caught(both(tmp_path / "longer", auditor, "head"), 1)


def test_a_tampered_ledger_without_heads_is_signed_by_the_next_honest_one_and_told_by_what_the_auditor_holds(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    """Somebody without the key drops heads and keys; the machine takes the ledger for one that nobody signed yet."""
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if not each.run.startswith("10.2:weekly-backup:2026-W47")]
    forger.drop("head", "key.added")
    forger.write()
    assert export(portal, tmp_path / "bundle").code == ExitCode.OK

    assert both(tmp_path / "bundle", auditor, "signers").data["integrity"]["holds"] is True
    for what in ("head", "code"):
        caught(both(tmp_path / "bundle", auditor, what), 1)


def test_a_ledger_begun_anew_hands_out_a_bundle_of_another_ledger(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    shutil.rmtree(portal.state)
    assert portal.call("run", at=LATER).code in {ExitCode.OK, ExitCode.UNMET}
    assert export(portal, tmp_path / "bundle", at=LATER).code == ExitCode.OK

    caught(both(tmp_path / "bundle", auditor, "head"), 1)


# --- Without the key: the store is tampered with, and the portal hands out a bundle as ever ----------------------------


def edited(portal: Portal) -> None:
    records = [parse(line) for line in lines_of(portal)]
    line = records[BACKUP - 1].line.replace(b'"subject":"weekly-backup"', b'"subject":"weekly-backuq"')
    store(portal, [*records[: BACKUP - 1], parse(line), *records[BACKUP:]])


def deleted(portal: Portal) -> None:
    sql(portal, lambda db: db.execute("DELETE FROM record WHERE seq = ?", (BACKUP,)))


def chained_anew(portal: Portal) -> None:
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if not each.run.startswith("10.2:weekly-backup:2026-W47")]
    forger.write()


def details_removed(portal: Portal) -> None:
    BlobFolder(portal.state / BLOBS).path(parse(lines_of(portal)[BACKUP - 1]).body).unlink()


def heads_erased(portal: Portal) -> None:
    forger = Forger.of(portal)
    for each in [each for each in forger.entries if each.kind == "head"]:
        BlobFolder(portal.state / BLOBS).path(each.body).unlink()


@pytest.mark.parametrize("attack", [edited, deleted, chained_anew, details_removed, heads_erased])
def test_a_tampered_ledger_hands_out_nothing_that_holds(
    portal: Portal, auditor: Auditor, tmp_path: Path, attack: Callable[[Portal], None]
) -> None:
    """Either the export is refused, or what it wrote does not hold."""
    attack(portal)

    done = export(portal, tmp_path / "bundle")

    if done.code != ExitCode.INTEGRITY:
        assert (tmp_path / "bundle").is_dir(), (done.code, done.text[:500])
        caught(both(tmp_path / "bundle", auditor))


# --- The bundle itself is changed on its way ---------------------------------------------------------------------------


def chained(lines: list[bytes]) -> list[bytes]:
    """Chain lines anew, numbered in their order."""
    made: list[bytes] = []
    prev = "0" * 64
    for seq, line in enumerate(lines, 1):
        record = parse(line)
        changed = line.replace(f'"prev":"{record.prev}"'.encode(), f'"prev":"{prev}"'.encode())
        changed = changed.replace(f'"seq":{record.seq},'.encode(), f'"seq":{seq},'.encode())
        made.append(changed)
        prev = line_digest(changed)
    return made


def described(folder: Path, lines: list[bytes]) -> None:
    (folder / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    path = folder / "bundle.json"
    told = json.loads(path.read_bytes())
    told["records"], told["head"] = len(lines), line_digest(lines[-1])
    told["blobs"]["last"] = len(lines)
    path.write_text(
        json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8"
    )


@pytest.mark.parametrize("chain", [False, True], ids=["left as it is", "chained anew"])
@pytest.mark.parametrize("whose", ["of the attacker", "the real one"])
def test_a_record_taken_out_of_a_bundle_is_told(
    bundle: Path, auditor: Auditor, tmp_path: Path, chain: bool, whose: str
) -> None:
    """The sums are made anew and signed, even with the real key; the heads inside still say what was."""
    lines = (bundle / "ledger.jsonl").read_bytes().splitlines()
    del lines[BACKUP - 1]
    described(bundle, chained(lines) if chain else lines)
    key = write_key(tmp_path / "key", 1 if whose == "the real one" else 66)
    seal(bundle, key)

    caught(both(bundle, auditor), 1 if chain else None)
    caught(both(bundle, auditor, "head", "signers"))


def test_a_bundle_made_anew_with_a_key_of_the_attackers_own_is_told_by_what_the_auditor_holds(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    """The whole ledger is rewritten and signed with another key, and the attacker's machine hands out its bundle."""
    own = write_key(portal.folder / "signing", 66)
    forger = Forger.of(portal)
    place = forger.find("key.added")
    forger.entries[place] = forger.entries[place].holding(key=KeyEvent(own.public_key, "the first key"))
    forger.entries = [
        each
        for each in forger.entries
        if not each.run.startswith("10.2:weekly-backup:2026-W47") or each.kind == "key.added"
    ]
    forger.write(own)
    done = export(portal, tmp_path / "bundle")
    assert done.code == ExitCode.OK, done.text[:500]

    assert both(tmp_path / "bundle", auditor).data["integrity"]["holds"] is True
    for what in ("head", "code", "signers"):
        caught(both(tmp_path / "bundle", auditor, what), 1)


def test_details_exchanged_in_a_bundle_are_told(bundle: Path, auditor: Auditor, tmp_path: Path) -> None:
    body = parse((bundle / "ledger.jsonl").read_bytes().splitlines()[BACKUP - 1]).body
    (bundle / "blobs" / body).write_bytes(b'{"backup":{"outcome":"complete"}}\n')
    seal(bundle, write_key(tmp_path / "key", 1))

    caught(both(bundle, auditor), BACKUP)


def test_a_better_report_in_a_bundle_is_told_by_its_signed_sums(bundle: Path, auditor: Auditor, tmp_path: Path) -> None:
    report = bundle / "report.en.html"
    report.write_bytes(report.read_bytes().replace(b"unmet", b"met"))

    caught(both(bundle, auditor))
    seal(bundle, write_key(tmp_path / "key", 66))
    caught(both(bundle, auditor))


def test_better_figures_are_told_even_if_they_are_signed_with_the_real_key(
    bundle: Path, auditor: Auditor, tmp_path: Path
) -> None:
    path = bundle / "figures.json"
    figures = json.loads(path.read_bytes())
    figures["backups"]["sets"] += 1
    path.write_text(json.dumps(figures, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n")
    seal(bundle, write_key(tmp_path / "key", 1))

    caught(both(bundle, auditor))
