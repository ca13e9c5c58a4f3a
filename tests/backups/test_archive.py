"""The inventory of Article 10.1: every item's original, copy and draft, and what became of them since."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backups.archive import PART_BYTES, Earlier, take_inventory
from backups.collections import COLLECTIONS, Collection, CollectionTraits, DigestedEntry, UnreadEntry, build_collection
from portalops.bodies import decode_part, write
from portalops.errors import ConfigurationError, LiteralSecret, UnknownKind
from portalops.model.archive import CollectionChange, HeldItems, Inventory, MissingItems, NamedItems
from portalops.model.record import Digest
from tests.accounts import as_ordinary_user
from tests.backups.kit import table
from tests.doubles import MemoryKeeper, SilentProgress

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SCHEMA = """
CREATE TABLE article (id INTEGER PRIMARY KEY, title TEXT, body TEXT, state TEXT, parent INTEGER);
INSERT INTO article VALUES (1, 'Một', 'a', 'published', NULL), (2, 'Hai', 'b', 'published', NULL);
INSERT INTO article VALUES (3, 'Một', 'a', 'draft', 1), (4, 'Hai', 'b', 'draft', 2);
"""
DRAFTS = "SELECT parent AS item, id AS name, title, body FROM article WHERE state = 'draft'"


class Archive:
    """A content database with two items and their drafts, and folders with originals and copies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keeper = MemoryKeeper()
        self.sql(SCHEMA)
        for what in ("originals", "copies"):
            for item in (1, 2):
                self.put(f"{what}/2026/{item}.pdf", f"{what} {item}")

    def sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.folder / "portal.sqlite")) as connection:
            connection.executescript(script)

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def query(self, what: str, query: str, **values: Any) -> Collection:
        settings = {"what": what, "source": "db", "url": "sqlite:///portal.sqlite", "query": query, **values}
        return build_collection(table("query", settings, self.folder, what))

    def files(self, what: str, **values: Any) -> Collection:
        settings = {"what": what, "source": "paper", "folder": what, **values}
        return build_collection(table("folder", settings, self.folder, what))

    def collections(self) -> list[Collection]:
        items = "SELECT id AS item FROM article WHERE state = 'published'"
        return [
            self.query("items", items),
            self.files("originals"),
            self.files("copies"),
            self.query("drafts", DRAFTS),
        ]

    def take(self, collections: Sequence[Collection] | None = None, **more: Any) -> Inventory:
        made = take_inventory(
            self.collections() if collections is None else collections,
            **{"excused": {}, "max_shrink_percent": 50, "keeper": self.keeper, "progress": SilentProgress(), **more},
        )
        assert decode_part(write({"inventory": made}), "inventory", Inventory) == made
        return made

    def after(self, before: Inventory, **more: Any) -> Inventory:
        listing = (self.keeper.blobs[digest] for digest in before.evidence)
        return self.take(earlier=Earlier(7, NOW, before, listing), **more)

    def lines(self, made: Inventory) -> list[dict[str, Any]]:
        return [json.loads(line) for digest in made.evidence for line in self.keeper.blobs[digest].splitlines()]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def test_items_that_are_kept_in_all_three_states_leave_no_gap(archive: Archive) -> None:
    made = archive.take()

    assert not made.has_gaps and made.items == 2
    assert [(each.id, each.entries, each.items) for each in made.collections] == [
        ("items", 2, 2),
        ("originals", 2, 2),
        ("copies", 2, 2),
        ("drafts", 2, 2),
    ]


def test_the_listing_has_every_entry_with_its_own_digest(archive: Archive) -> None:
    lines = archive.lines(archive.take())

    assert len(lines) == 8
    (original,) = [each for each in lines if each["name"] == "2026/1.pdf" and each["collection"] == "originals"]
    assert original["item"] == "1"
    assert original["sha256"] == hashlib.sha256(b"originals 1").hexdigest()
    assert original["size"] == len(b"originals 1")


def test_the_same_archive_gives_the_same_listing_to_the_byte(archive: Archive) -> None:
    assert archive.take().evidence == archive.take(archive.collections()[::-1]).evidence


def test_an_item_without_a_state_is_a_gap_that_is_named(archive: Archive) -> None:
    (archive.folder / "copies/2026/2.pdf").unlink()
    archive.sql("INSERT INTO article VALUES (9, 'Mới', 'c', 'published', NULL)")

    made = archive.take()

    assert made.missing == (
        MissingItems(HeldItems.ORIGINALS, NamedItems(1, ("9",))),
        MissingItems(HeldItems.COPIES, NamedItems(2, ("2", "9"))),
        MissingItems(HeldItems.DRAFTS, NamedItems(1, ("9",))),
    )


def test_files_of_no_item_and_files_that_name_none_are_gaps(archive: Archive) -> None:
    archive.put("originals/2026/77.pdf", "x")
    archive.put("copies/.hidden", "x")

    made = archive.take()

    assert made.strays == NamedItems(1, ("originals: 2026/77.pdf",))
    assert made.collections[2].nameless == NamedItems(1, (".hidden",))
    assert made.has_gaps and not made.missing


def test_a_state_without_a_collection_is_missing_for_every_item_unless_it_is_excused(archive: Archive) -> None:
    without = archive.collections()[:3]

    bare = archive.take(without)
    excused = archive.take(without, excused={HeldItems.DRAFTS: "editors write into the article itself"})

    assert bare.missing == (MissingItems(HeldItems.DRAFTS, NamedItems(2, ("1", "2")), unconfigured=True),)
    assert (excused.missing, excused.excused) == ((), ("drafts: editors write into the article itself",))


def test_what_could_not_be_read_is_unknown_and_no_gap(archive: Archive) -> None:
    broken = [*archive.collections()[:3], archive.query("drafts", "SELECT id AS item FROM no_table")]

    made = archive.take(broken)

    assert "no such table" in made.collections[3].problem
    assert (made.missing, made.has_gaps) == ((), False)
    assert [each.id for each in made.unread()] == ["drafts"]


def test_nothing_is_counted_against_items_that_could_not_be_read(archive: Archive) -> None:
    made = archive.take([archive.query("items", "SELECT id FROM article"), *archive.collections()[1:]])

    assert "returns no column item; it returns id" in made.collections[0].problem
    assert (made.items, made.strays, made.missing) == (0, NamedItems(), ())


def test_a_file_that_cannot_be_read_is_named_and_no_gap(archive: Archive) -> None:
    archive.take()  # with all its imports, before this process becomes somebody else
    items = Many(CollectionTraits("items", "folder", HeldItems.ITEMS, "db", immutable=False), 2)
    with as_ordinary_user() as folder:
        (folder / "0.pdf").write_text("x")
        (folder / "1.pdf").write_text("x")
        (folder / "1.pdf").chmod(0)

        made = archive.take([items, archive.files("drafts", folder=str(folder))])

    assert made.collections[1].unread == NamedItems(1, ("1.pdf: Permission denied",))
    assert [each.what for each in made.missing] == [HeldItems.ORIGINALS, HeldItems.COPIES]


@dataclass
class Busy:
    """A collection during whose reading editors write."""

    inner: Collection
    archive: Archive
    script: str

    @property
    def traits(self) -> CollectionTraits:
        return self.inner.traits

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        self.archive.sql(self.script)
        yield from self.inner.entries()


@pytest.mark.parametrize(
    "script",
    [
        "INSERT INTO article VALUES (9, 'Mới', 'c', 'published', NULL), (10, 'Mới', 'c', 'draft', 9)",
        "DELETE FROM article WHERE id IN (2, 4)",
    ],
)
def test_items_that_come_or_go_during_the_inventory_are_no_gaps(archive: Archive, script: str) -> None:
    items, _originals, _copies, drafts = archive.collections()

    made = archive.take(
        [Busy(drafts, archive, script), items], excused={HeldItems.ORIGINALS: "a", HeldItems.COPIES: "b"}
    )

    assert not made.has_gaps


def test_links_and_pipes_are_left_out_and_odd_names_are_kept(archive: Archive) -> None:
    (archive.folder / "originals/3.pdf").symlink_to("/etc/passwd")
    os.mkfifo(archive.folder / "originals/4.pdf")
    with open(os.path.join(os.fsencode(archive.folder), b"originals", b"5.\xff\n.pdf"), "w") as file:
        file.write("x")

    lines = [each for each in archive.lines(archive.take()) if each["collection"] == "originals"]

    assert [each["name"] for each in lines] == ["2026/1.pdf", "2026/2.pdf", "5.\\xff\n.pdf"]


def test_the_items_key_is_found_by_the_operators_expression(archive: Archive) -> None:
    archive.put("scans/2026-0012_trang1.tif", "x")

    (scan,) = archive.files("copies", folder="scans", item=r"^\d{4}-0*(\d+)_").entries()

    assert isinstance(scan, DigestedEntry) and (scan.item, scan.name) == ("12", "2026-0012_trang1.tif")


# --- since the inventory before -------------------------------------------------------------------------------------------


def test_an_untouched_archive_is_as_it_was(archive: Archive) -> None:
    again = archive.after(archive.take())

    assert again.comparison is not None
    assert (again.comparison.record, again.lost(), again.comparison.faults()) == (7, (), ())
    assert {each.added for each in again.comparison.changes} == {0}


def test_a_file_that_vanished_or_changed_is_named(archive: Archive) -> None:
    before = archive.take()
    (archive.folder / "originals/2026/1.pdf").unlink()
    archive.put("originals/2026/2.pdf", "originals 3")
    archive.put("originals/2027/3.pdf", "new")

    (lost,) = archive.after(before).lost()

    assert lost == CollectionChange(
        "originals", True, 2, 2, 1, NamedItems(1, ("2026/1.pdf",)), NamedItems(1, ("2026/2.pdf",))
    )


def test_rows_may_change_and_single_ones_may_go_but_a_shrunk_collection_is_at_fault(archive: Archive) -> None:
    before = archive.take()
    archive.sql("UPDATE article SET title = 'Khác' WHERE id = 3; DELETE FROM article WHERE id = 4")

    allowed = archive.after(before)
    refused = archive.after(before, max_shrink_percent=49)

    assert allowed.comparison is not None
    assert [(each.changed.count, each.vanished.count) for each in allowed.comparison.changes][3] == (1, 1)
    assert allowed.lost() == ()
    assert [(each.collection, each.shrunk) for each in refused.lost()] == [("drafts", True)]


def test_immutable_rows_are_held_to_their_digests(archive: Archive) -> None:
    fixed = [*archive.collections()[:3], archive.query("drafts", DRAFTS, immutable=True)]
    before = archive.take(fixed)
    archive.sql("UPDATE article SET body = 'x' WHERE id = 3")

    listing = (archive.keeper.blobs[digest] for digest in before.evidence)
    after = archive.take(fixed, earlier=Earlier(7, NOW, before, listing))

    assert [(each.collection, each.changed) for each in after.lost()] == [("drafts", NamedItems(1, ("3",)))]


def test_a_collection_that_is_configured_no_more_is_at_fault_and_an_unread_one_is_not_compared(
    archive: Archive,
) -> None:
    before = archive.take()
    broken = [archive.query("items", "SELECT nothing AS item FROM nowhere"), *archive.collections()[2:]]

    listing = (archive.keeper.blobs[digest] for digest in before.evidence)
    after = archive.take(broken, earlier=Earlier(7, NOW, before, listing))

    assert after.comparison is not None and after.comparison.unread == ("items",)
    assert [(each.collection, each.now, each.shrunk) for each in after.lost()] == [("originals", 0, True)]


def test_an_accepted_loss_is_no_loss(archive: Archive) -> None:
    before = archive.take()
    (archive.folder / "originals/2026/1.pdf").unlink()

    after = archive.after(before, accepted="handed to the provincial archive")

    assert after.lost() == () and after.comparison is not None and len(after.comparison.faults()) == 1


@dataclass
class Fading:
    """A collection of which each entry can be read the first time alone."""

    inner: Collection
    looks: int = 0

    @property
    def traits(self) -> CollectionTraits:
        return self.inner.traits

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        self.looks += 1
        for each in self.inner.entries():
            yield each if self.looks == 1 else UnreadEntry(each.name, "Input/output error")


def test_items_that_cannot_be_read_once_more_are_told(archive: Archive) -> None:
    items, *others = archive.collections()

    made = archive.take([Fading(items), *others])

    assert [(each.id, each.unread.count) for each in made.unread()] == [("items", 2)]
    assert made.unread()[0].unread.examples[0] == "1: Input/output error"


# --- size and settings ------------------------------------------------------------------------------------------------------


@dataclass
class Many:
    """A collection of many entries that are made as they are asked for."""

    traits: CollectionTraits
    count: int

    def entries(self) -> Iterator[DigestedEntry | UnreadEntry]:
        for number in range(self.count):
            yield DigestedEntry(
                str(number), f"tệp/{number:09d}.pdf", 10, Digest(hashlib.sha256(b"%d" % number).hexdigest())
            )


class Counting(MemoryKeeper):
    """Keeps digests alone, and knows how large the largest part was."""

    largest = 0

    def keep(self, data: bytes) -> Digest:
        self.largest = max(self.largest, len(data))
        return Digest(hashlib.sha256(data).hexdigest())


def peak(count: int) -> tuple[int, Counting, Inventory]:
    keeper = Counting()
    traits = CollectionTraits("items", "folder", HeldItems.ITEMS, "db", immutable=False)
    many = [Many(traits, count), Many(replace(traits, id="originals", what=HeldItems.ORIGINALS), count)]
    tracemalloc.start()
    try:
        made = take_inventory(many, excused={}, max_shrink_percent=5, keeper=keeper, progress=SilentProgress())
        return tracemalloc.get_traced_memory()[1], keeper, made
    finally:
        tracemalloc.stop()


@pytest.mark.heavy
def test_the_memory_of_an_inventory_does_not_grow_with_the_archive() -> None:
    small, _keeper, _made = peak(1_000)
    large, keeper, made = peak(30_000)

    assert made.items == 30_000 and made.missing[0].what is HeldItems.COPIES
    assert len(made.evidence) == 2 and keeper.largest < PART_BYTES + 1000
    assert large < small + 3 * PART_BYTES


def test_every_kind_is_tried_here() -> None:
    assert set(COLLECTIONS.names()) == {"query", "folder"}


@pytest.mark.parametrize(
    ("kind", "values", "error", "said"),
    [
        ("query", {"url": "postgresql://u:hunter2@db/p"}, LiteralSecret, "holds a password"),
        ("query", {"url": "nothing"}, ConfigurationError, "is not a database URL"),
        ("query", {"query": "DELETE FROM article"}, ConfigurationError, "read-only"),
        ("query", {"password": "hunter2"}, LiteralSecret, "contains the secret itself"),
        ("query", {"what": "everything"}, ConfigurationError, "what"),
        ("folder", {"item": "("}, ConfigurationError, "is not a regular expression"),
        ("folder", {"item": "(a)(b)"}, ConfigurationError, "has 2 groups"),
        ("shelf", {}, UnknownKind, "unknown kind: shelf"),
    ],
)
def test_settings_that_do_not_fit_are_refused_without_telling_a_secret(
    tmp_path: Path, kind: str, values: dict[str, Any], error: type[ConfigurationError], said: str
) -> None:
    whole = {"query": {"url": "sqlite:///a", "query": "SELECT 1 AS item"}, "folder": {"folder": "a"}}.get(kind, {})
    settings = {"what": "items", "source": "db", **whole, **values}

    with pytest.raises(error) as caught:
        build_collection(table(kind, settings, tmp_path))

    assert said in str(caught.value) and "hunter2" not in f"{caught.value} {caught.value.hint}"
