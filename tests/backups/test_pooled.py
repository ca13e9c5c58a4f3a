"""Sets of which no copy has all files outside `data/` right: what the copies have together, and what follows from `set.json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from backups.bag import MANIFEST, TAG_MANIFEST, digest_of, parse_manifest, tag_manifest
from backups.merged import Merged, merge_base, merge_copies
from backups.restore import restore_set
from backups.set_file import NAME as SET_FILE
from backups.set_file import parse_set_file
from backups.signature import NAME as SIGNATURE
from portalops.errors import SetDamaged
from portalops.model.backups import BackupSet
from tests.backups.kit import Signing, back_up, keys, signing, source
from tests.backups.memory import MemoryMedium

KEY, OTHER_KEY = signing(1), signing(9)

T, J, M, S = TAG_MANIFEST, SET_FILE, MANIFEST, SIGNATURE
Change = Callable[[bytes], bytes | None]


def gone(_data: bytes) -> None:
    return None


def flip(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 1]) + data[41:]


class Kept:
    """A set on three media."""

    def __init__(self, folder: Path, signer: Signing | None, *, count: int = 3) -> None:
        self.folder = folder
        self.signer = signer
        (folder / "tree").mkdir()
        (folder / "tree" / "a.txt").write_text("Khánh Hòa\n" * 100)
        self.media = [MemoryMedium(name) for name in "abc"[:count]]
        made = back_up([source("files", {"include": [str(folder / "tree")]}, folder)], self.media, signer=signer)
        assert made.set is not None
        self.set: BackupSet = made.set
        self.whole = dict(self.media[0].stored[self.set.id])

    def rot(self, media: str, path: str, change: Change = flip) -> None:
        for medium in self.media:
            if medium.id in media:
                files = dict(medium.stored[self.set.id])
                data = change(files.pop(path))
                medium.stored[self.set.id] = files if data is None else {**files, path: data}

    def merge(self, *, ledger: bool) -> Merged:
        known = self.signer.known() if self.signer else ()
        bag = self.set.bag_sha256 if ledger else None
        return merge_copies(self.set.id, self.media, bag_sha256=bag, keys=known if ledger else None)

    def require_restored(self, *, ledger: bool) -> Merged:
        merged = self.merge(ledger=ledger)
        assert merged.findings.is_vouched
        assert merged.set.content == parse_set_file(self.whole[J])
        report = restore_set(merged.set, [keys().identity], self.folder / "out")
        assert (report.files, report.missing, report.damaged) == (1, 0, ())
        return merged

    def require_withheld(self, *, ledger: bool) -> None:
        with suppress(SetDamaged):
            assert not self.merge(ledger=ledger).findings.is_vouched


@pytest.fixture(params=[KEY, None], ids=["signed", "unsigned"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return Kept(tmp_path, request.param)


ledger = pytest.mark.parametrize("ledger", [True, False], ids=["ledger", "no ledger"])


@ledger
@pytest.mark.parametrize("how", [gone, flip])
@pytest.mark.parametrize(
    "where", [{"ab": T, "c": J}, {"ab": J, "c": T}, {"a": J, "b": T, "c": M}, {"ab": M, "c": J}], ids=str
)
def test_each_file_comes_from_whichever_copy_has_it(
    kept: Kept, where: dict[str, str], how: Change, ledger: bool
) -> None:
    for media, path in where.items():
        kept.rot(media, path, how)

    merged = kept.require_restored(ledger=ledger)

    blamed = {(each.medium, path) for each in merged.set.faults for path in (T, J, M) if path in str(each.problem)}
    assert {(medium, path) for media, path in where.items() for medium in media} <= blamed
    assert {each.medium for each in merged.set.faults} == set("abc")


@pytest.mark.parametrize("how", [gone, flip])
@pytest.mark.parametrize("also", ["", "bagit.txt", MANIFEST], ids=["alone", "with bagit.txt", "with the manifest"])
def test_a_tag_manifest_that_no_copy_has_follows_from_the_set_file(kept: Kept, how: Change, also: str) -> None:
    kept.rot("abc", T, how)
    if also:
        kept.rot("abc", also, gone)
    kept.rot("a", J)

    merged = kept.require_restored(ledger=True)

    assert digest_of(merged.set.tag_file(T, kept.set.bag_sha256)) == kept.set.bag_sha256
    assert {each.medium for each in merged.set.faults} == {"a", "b", "c"}
    if how is gone:
        said = {str(each.problem) for each in merged.set.faults if each.medium == "b"}
        assert len(said) == 1 and T in said.pop(), "and no file that is right there"


def test_the_only_copy_without_its_tag_manifest_is_restored(tmp_path: Path) -> None:
    kept = Kept(tmp_path, KEY, count=1)
    kept.rot("a", T, gone)

    kept.require_restored(ledger=True)


@pytest.mark.parametrize("how", [gone, flip])
def test_without_a_ledger_the_signature_vouches_for_a_tag_manifest_made_again(kept: Kept, how: Change) -> None:
    kept.rot("abc", T, how)

    if kept.signer:
        kept.require_restored(ledger=False)
    else:
        kept.require_withheld(ledger=False)


def edited(data: bytes) -> bytes:
    return data.replace(b'"outcome": "complete"', b'"outcome": "incomplete"')


@ledger
@pytest.mark.parametrize("where", ["a", "abc"])
@pytest.mark.parametrize("lost", [(), (T,), (S,), (T, S)], ids=str)
def test_a_set_file_that_somebody_wrote_is_never_vouched_for(
    tmp_path: Path, where: str, lost: tuple[str, ...], ledger: bool
) -> None:
    kept = Kept(tmp_path, KEY)
    kept.rot("abc", J, gone)
    for medium in kept.media:
        if medium.id in where:
            medium.stored[kept.set.id] = {**medium.stored[kept.set.id], J: edited(kept.whole[J])}
    for path in lost:
        kept.rot("abc", path, gone)

    kept.require_withheld(ledger=ledger)


@pytest.mark.parametrize("how", ["unsigned", "by another key"])
@pytest.mark.parametrize("with_list", [True, False], ids=["with its list", "without"])
def test_the_ledger_withholds_a_set_that_was_rewritten_with_its_lists(
    tmp_path: Path, how: str, with_list: bool
) -> None:
    kept = Kept(tmp_path, KEY)
    files = dict(kept.whole)
    content = json.loads(edited(files[J]))
    content["signer"] = "" if how == "unsigned" else OTHER_KEY.public_key
    files[J] = json.dumps(content).encode()
    del files[S]
    if how != "unsigned":
        files[S] = OTHER_KEY.sign(files[J], namespace="portalops-set").encode()
    files[T] = tag_manifest({path: files[path] for path in files if path != T and not path.startswith("data/")})
    if not with_list:
        del files[T]
    for medium in kept.media:
        medium.stored[kept.set.id] = dict(files)

    kept.require_withheld(ledger=True)
    if how == "unsigned" and not with_list:
        kept.require_withheld(ledger=False)


def test_without_a_ledger_two_signed_set_files_are_not_joined(tmp_path: Path) -> None:
    kept = Kept(tmp_path, KEY)
    content = {**json.loads(edited(kept.whole[J])), "signer": OTHER_KEY.public_key}
    data = json.dumps(content).encode()
    signature = OTHER_KEY.sign(data, namespace="portalops-set").encode()
    kept.media[0].stored[kept.set.id] = {**kept.whole, J: data, S: signature}
    kept.rot("abc", T, gone)

    with pytest.raises(SetDamaged, match="are not of the same set"):
        kept.merge(ledger=False)
    kept.require_restored(ledger=True)


def test_a_set_of_another_name_is_not_taken_for_it(tmp_path: Path) -> None:
    kept = Kept(tmp_path, KEY)
    name = type(kept.set.id)(kept.set.id.replace("full", "fool"))
    for medium in kept.media:
        medium.stored[name] = medium.stored[kept.set.id]
    kept.set = replace(kept.set, id=name)
    kept.rot("abc", T, gone)

    kept.require_withheld(ledger=True)
    kept.require_withheld(ledger=False)


def test_the_base_of_a_differential_is_joined_too(kept: Kept) -> None:
    content = replace(parse_set_file(kept.whole[J]), base=kept.set.bag_sha256, base_id=kept.set.id)
    kept.rot("abc", T, gone)
    kept.rot("ab", J)

    base, problems = merge_base(content, kept.media)

    assert base is not None, problems
    assert base.content == parse_set_file(kept.whole[J])
    assert J in parse_manifest(T, base.tag_file(T, kept.set.bag_sha256))
