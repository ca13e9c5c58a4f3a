"""Sets whose own files contradict each other, and that nothing vouches for: no restore calls them whole, and each one ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backups.bag import MANIFEST, TAG_MANIFEST, digest_of, parse_manifest, tag_manifest
from backups.merged import Merged, merge_copies
from backups.restore import RestoreReport, restore_set
from backups.set_file import NAME
from backups.stream_output import find_stream, stream_out
from backups.targets import require_apart
from portalops.errors import SetDamaged
from portalops.model.message import msg
from tests.backups.kit import keys
from tests.backups.test_merged import Portal


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


def changed(portal: Portal, change: Callable[[dict[str, Any]], object], *, with_manifest: bool = True) -> Merged:
    """Change set.json on both media, make its digests anew, and read the set as one that no ledger knows."""
    for medium in portal.media:
        files = dict(medium.stored[portal.set.id])
        content = json.loads(files[NAME])
        change({each["source"]: each for each in content["streams"]})
        files[NAME] = json.dumps(content).encode()
        if with_manifest:
            listed = {pack["path"] for each in content["streams"] for pack in (*each["packs"], each["index"]) if pack}
            lines = parse_manifest(MANIFEST, files[MANIFEST])
            files[MANIFEST] = "".join(
                f"{digest}  {path}\n" for path, digest in lines.items() if path in listed
            ).encode()
        tags = parse_manifest(TAG_MANIFEST, files[TAG_MANIFEST])
        files[TAG_MANIFEST] = tag_manifest({path: files[path] for path in tags})
        medium.stored[portal.set.id] = files
    return merge_copies(portal.set.id, portal.media, bag_sha256=None, keys=None)


def restored(portal: Portal, merged: Merged) -> RestoreReport:
    return restore_set(merged.set, [keys().identity], portal.folder / "out")


def test_a_dump_of_another_digest_never_gets_its_name(portal: Portal) -> None:
    merged = changed(portal, lambda streams: streams["db"].update(plain_sha256=digest_of(b"other")))

    report = restored(portal, merged)

    assert any("not the stream that was made" in each for each in report.damaged)
    assert report.missing == 1
    assert not any(
        path.stat().st_size
        for path in (portal.folder / "out" / "db").iterdir()
        if not path.name.endswith(".incomplete")
    )
    got = bytearray()
    with pytest.raises(SetDamaged, match="not the stream that was made"):
        stream_out(merged.set, find_stream(merged.set.content, "db", None), [keys().identity], got.extend)
    assert len(got) < os.stat(portal.folder / "dump").st_size


@pytest.mark.parametrize("at", [0, 3, -1])
def test_a_stream_without_one_of_its_packs_is_lost_and_the_restore_ends(portal: Portal, at: int) -> None:
    report = restored(portal, changed(portal, lambda streams: streams["web"]["packs"].pop(at)))

    assert any("web/files" in each and "not the stream that was made" in each for each in report.damaged)
    assert report.missing == 1
    assert report.files == 1, "the dump"


@pytest.mark.parametrize("name", ["../x", "/srv/x", "..", "a/b", "a b", "A", "-rf", ""])
@pytest.mark.parametrize("field", ["source", "name"])
def test_a_stream_whose_name_leads_elsewhere_is_never_restored(portal: Portal, field: str, name: str) -> None:
    with pytest.raises(SetDamaged):
        changed(portal, lambda streams: streams["db"].update({field: name}))


def test_packs_of_another_stream_are_refused(portal: Portal) -> None:
    def borrow(streams: dict[str, Any]) -> None:
        streams["web"]["packs"][0]["path"] = streams["db"]["packs"][0]["path"]

    with pytest.raises(SetDamaged, match="is no file of web/files"):
        changed(portal, borrow)


def test_a_stream_without_packs_is_refused(portal: Portal) -> None:
    with pytest.raises(SetDamaged, match="has no packs"):
        changed(portal, lambda streams: streams["web"].update(packs=[]))


def test_a_dump_that_passes_for_an_archive_is_missing(portal: Portal) -> None:
    report = restored(portal, changed(portal, lambda streams: streams["db"].update(format="tar")))

    assert any("malformed" in each for each in report.damaged)
    assert report.missing == 1


def test_a_set_whose_lists_disagree_is_vouched_for_by_nobody(portal: Portal) -> None:
    def swap(streams: dict[str, Any]) -> None:
        first, second = streams["web"]["packs"][:2]
        first["path"], second["path"] = second["path"], first["path"]

    assert changed(portal, lambda _streams: None).findings.is_vouched
    assert not changed(portal, swap, with_manifest=False).findings.is_vouched


def test_an_archive_out_of_order_does_not_end_where_nothing_vouches_for_it(portal: Portal) -> None:
    """Its packs are exchanged and each digest fits; only the index tells."""

    def exchange(streams: dict[str, Any]) -> None:
        packs = streams["web"]["packs"]
        packs[2], packs[3] = packs[3], packs[2]

    merged = changed(portal, exchange).set
    stream = find_stream(merged.content, "web", None)
    got = bytearray()

    with pytest.raises(SetDamaged):
        stream_out(merged, stream, [keys().identity], got.extend, compares=True)

    assert len(got) < stream.plain_bytes


def test_an_archive_out_of_order_is_not_restored_whole_where_nothing_vouches_for_it(portal: Portal) -> None:
    """Nothing of it is lost, and its digests fit: without a comparison the restore would be called whole."""

    def exchange(streams: dict[str, Any]) -> None:
        packs = streams["web"]["packs"]
        packs[2], packs[3] = packs[3], packs[2]

    merged = changed(portal, exchange).set

    report = restore_set(merged, [keys().identity], portal.folder / "out", source="web", compares=True)

    assert report.missing and report.damaged


@pytest.mark.parametrize("compares", [False, True])
def test_a_file_that_the_index_lists_otherwise_is_named(portal: Portal, compares: bool) -> None:
    def count_less(streams: dict[str, Any]) -> None:
        streams["web"]["members"] -= 1

    report = restore_set(
        changed(portal, count_less).set, [keys().identity], portal.folder / "out", source="web", compares=compares
    )

    assert bool(report.missing) is compares
    assert any("more than the" in each for each in report.damaged) is compares


def test_an_untouched_set_that_nothing_vouches_for_is_restored_whole(portal: Portal) -> None:
    merged = changed(portal, lambda _streams: None).set

    report = restore_set(merged, [keys().identity], portal.folder / "out", compares=True)

    assert not report.missing and not report.damaged


def test_an_archive_whose_index_is_lost_still_goes_out(portal: Portal) -> None:
    stream = portal.stream
    assert stream.index is not None
    for number in range(len(portal.media)):
        portal.rot(number, stream.index.path)
    merged = portal.merged()
    got = bytearray()

    size = stream_out(merged, stream, [keys().identity], got.extend, compares=True)

    assert len(got) == size == stream.plain_bytes
    assert any(stream.index.path in str(each.problem) for each in merged.faults)


def test_a_source_that_leads_in_a_circle_stands_in_no_way(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "pool")
    (tmp_path / "pool").symlink_to(tmp_path / "loop")

    require_apart(tmp_path / "out", [(msg("a source"), tmp_path / "loop")])
