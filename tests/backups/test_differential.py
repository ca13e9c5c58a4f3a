"""Differential sets: what has changed since a verified full one, and both together give the tree as it was."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups.bases import Base, Choice, NewBase, Noted, SetRequest, choose, read_noted
from backups.job import run_backup
from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.sources import SourceContext, build_source
from backups.sources._listing import ListingComparison, signature_of
from backups.verify import verify_copy
from portalops.errors import BackupError
from portalops.model.backups import BackupSet, CopyState, SetId, SetKind, Stream, VerifyLevel
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.ports import Medium, Source
from portalops.registers.backups import SetEvidence
from tests.backups.kit import NOW, alone, disk, keys, odd_tree, plan_of, sample_database, snapshot, source, table
from tests.backups.memory import MemoryMedium
from tests.backups.test_stock_restore import Bag, restoring
from tests.doubles import FixedClock, SilentProgress

SETTINGS = {"tree": Digest("1" * 64)}
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def tree_source(folder: Path, tree: Path, **values: object) -> Source:
    """A source to which everything in the tree is long past."""
    context = SourceContext(folder, (), now_ns=lambda: time.time_ns() + 60_000_000_000)
    return build_source(table("files", {"class": "related", "include": [str(tree)], **values}, folder, "tree"), context)


class Weeks:
    """Sets of one tree, on one medium."""

    def __init__(
        self, folder: Path, tree: Path, *others: Source, medium: Medium | None = None, **values: object
    ) -> None:
        self.folder = folder
        self.tree = tree
        self.sources = [tree_source(folder, tree, **values), *others]
        self.medium: Medium = medium or MemoryMedium("memory-1")
        self.full = self.make(None)

    def make(self, base: Base | None) -> BackupSet:
        plan = replace(plan_of(self.sources, [self.medium]), choice=Choice(base, msg("a test")))
        new_base = NewBase(self.folder) if base is None else None
        result = run_backup(
            plan, self.sources, [self.medium], clock=FixedClock(NOW), progress=SilentProgress(), new_base=new_base
        )
        assert result.set is not None, result.failed_sources
        assert [copy.state for copy in result.copies] == [CopyState.VERIFIED]
        if new_base is not None:
            new_base.keep(result.set.id, result.set.bag_sha256, SETTINGS)
        return result.set

    def base(self) -> Base:
        (noted,) = read_noted(self.folder)
        return Base(self.full.id, noted.bag_sha256, {"tree": noted.folder / "tree.listing"})

    def differential(self) -> BackupSet:
        return self.make(self.base())

    def restore(self, made: BackupSet, to: Path, path: str | None = None) -> dict[bytes, tuple[object, ...]]:
        """Restore a differential, and return what the tree is then."""
        stored = self.medium.open_set(made.id)
        findings = verify_copy(
            stored, made.id, bag_sha256=made.bag_sha256, level=VerifyLevel.L2, identities=[keys().identity]
        )
        assert findings.content is not None and not findings.problems, findings.problems
        base = self.medium.open_set(self.full.id)
        content = verify_copy(base, self.full.id, bag_sha256=made.base, level=VerifyLevel.L1).content
        assert content is not None
        report = restore_set(
            alone(stored, findings.content),
            [keys().identity],
            to,
            base=alone(base, content),
            paths=[path] if path else [],
        )
        assert not report.damaged and not report.refused, report
        place = to / "tree" / str(self.tree).strip("/")
        made_files = [path.lstat() for path in (to / "tree").rglob("*") if stat.S_ISREG(path.lstat().st_mode)]
        assert report.files == len({status.st_ino for status in made_files})
        return snapshot(place)


def files_of(made: BackupSet) -> Stream:
    return next(stream for stream in made.streams if stream.name == "files")


def test_a_tree_that_did_not_change_takes_next_to_nothing(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    full = files_of(weeks.full)

    made = weeks.differential()

    assert (made.kind, made.base, made.base_id) == (SetKind.DIFF, weeks.full.bag_sha256, weeks.full.id)
    assert f"-{SetKind.DIFF.value}-" in made.id
    stream = files_of(made)
    assert stream.differential and stream.members == 1, "the topmost folder alone"
    assert stream.plain_bytes < 3000 < full.plain_bytes
    assert [each.name for each in made.streams] == ["files"], "nothing was removed"
    assert weeks.restore(made, tmp_path / "out") == snapshot(weeks.tree)


def _edits(tree: Path) -> dict[str, tuple[Callable[[], object], ...]]:
    """What can happen to a tree, step by step."""
    run, link, empty, posts = tree / "run.sh", tree / "link", tree / "empty-folder", tree / "bài-viết"
    again = tree / "hosts-again"
    return {
        "a new file": ((tree / "new").touch,),
        "a new file in a new folder": ((tree / "n").mkdir, (tree / "n" / "m").mkdir, (tree / "n" / "m" / "o").touch),
        "other content": (lambda: (tree / "text.txt").write_text("short"),),
        "content of the same length and time": (lambda: _rewritten(tree / "hosts"),),
        "another mode": (lambda: run.chmod(0o700),),
        "another mode of a folder": (lambda: empty.chmod(0o700),),
        "another owner": (lambda: os.chown(run, 12, 34) if os.geteuid() == 0 else None,),
        "a removed file": ((tree / "text.txt").unlink,),
        "a removed folder": (lambda: shutil.rmtree(tree / ("d" * 90)),),
        "a removed link": (link.unlink,),
        "a renamed folder": (lambda: posts.rename(tree / "bài-cũ"),),
        "a file in place of a folder": (empty.rmdir, empty.touch),
        "a folder in place of a file": (run.unlink, run.mkdir),
        "a link in place of a folder": (lambda: shutil.rmtree(posts), lambda: os.symlink("/etc", posts)),
        "a link that leads elsewhere": (link.unlink, lambda: os.symlink("text.txt", link)),
        "one more hard link": (lambda: os.link(tree / "hosts", tree / "a-third-name"),),
        "one hard link less": ((tree / "hosts").unlink,),
        "a hard link cut": (again.unlink, lambda: again.write_text("apart now")),
        "an attribute": (lambda: os.setxattr(tree / "text.txt", "user.note", b"new"),),
        "a removed name that is no text": (Path(os.fsdecode(os.fsencode(tree) + b"/not-utf8-\xff\xfe")).unlink,),
        "a removed name with a line feed": ((tree / "line\nbreak").unlink,),
        "a name that sorts before a folder's content": ((tree / "bài-viết-mới").touch,),
    }


def edit(tree: Path, what: str) -> None:
    for step in _edits(tree)[what]:
        step()


TYPES = ("file", "folder", "link", "pipe")


def typed_tree(root: Path) -> Path:
    """A folder with a thing for each way to become something else."""
    root.mkdir()
    for old in TYPES:
        for new in TYPES:
            _make(root / f"{old}-to-{new}", old, "old")
    (root / "gone").write_text("old")
    return root


def change_types(root: Path) -> None:
    for old in TYPES:
        for new in TYPES:
            path = root / f"{old}-to-{new}"
            if old != new:
                shutil.rmtree(path) if old == "folder" else path.unlink()
                _make(path, new, "new")
    (root / "gone").unlink()


def _make(path: Path, kind: str, text: str) -> None:
    match kind:
        case "file":
            path.write_text(text)
        case "folder":
            (path / "inner").mkdir(parents=True)
            (path / "inner" / "file").write_text(text)
        case "link":
            path.symlink_to(f"/etc/{text}")
        case _:
            os.mkfifo(path)


def _rewritten(path: Path) -> None:
    before = path.stat()
    path.write_text(path.read_text().upper())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("what", _edits(Path("/")))
def test_the_full_set_and_the_differential_give_the_tree_as_it_was(tmp_path: Path, what: str) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    edit(weeks.tree, what)

    made = weeks.differential()

    assert weeks.restore(made, tmp_path / "out") == snapshot(weeks.tree)
    assert files_of(made).members < 8, "what did not change is left out"


def test_all_of_it_at_once(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    for what in (
        *("a new file", "other content", "a removed folder", "a renamed folder", "a folder in place of a file"),
        *("one more hard link", "a removed name that is no text"),
    ):
        edit(weeks.tree, what)

    made = weeks.differential()

    assert weeks.restore(made, tmp_path / "out") == snapshot(weeks.tree)
    assert [each.format for each in made.streams] == ["tar", "removed"]


def test_a_newer_member_takes_the_place_of_an_older_one_of_another_type_though_the_list_of_removals_is_lost(
    tmp_path: Path,
) -> None:
    weeks = Weeks(tmp_path, typed_tree(tmp_path / "portal"), medium=disk(tmp_path, "disk-a"))
    change_types(weeks.tree)
    made = weeks.differential()
    (removed,) = (tmp_path / "disk-a" / made.id).glob("data/*/*/removed.0001.age")
    os.truncate(removed, 5)

    copies, base = (
        alone(stored, parse_set_file((tmp_path / "disk-a" / each.id / "set.json").read_bytes()))
        for each in (made, weeks.full)
        for stored in [weeks.medium.open_set(each.id)]
    )
    report = restore_set(copies, [keys().identity], tmp_path / "out", base=base)

    files = tmp_path / "out" / "tree" / str(weeks.tree).lstrip("/")
    found = snapshot(files)
    assert found.pop(b"/gone"), "it may have been removed: that is not known"
    assert found == snapshot(weeks.tree)
    assert (report.refused, report.notes) == ((), ())
    assert report.files == sum(stat.S_ISREG(int(str(each[0]))) for each in found.values()) + 1


class DifferentialBag(Bag):
    def __init__(self, folder: Path) -> None:
        self.weeks = Weeks(folder, odd_tree(folder / "portal"), medium=disk(folder, "disk-a"))
        self.key = keys().file(folder)
        self.allowed = folder / "allowed_signers"


@pytest.mark.needs("age", "zstd", "tar")
@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_printed_commands_bring_base_and_differential_together(tmp_path: Path, language: str) -> None:
    bag = DifferentialBag(tmp_path)
    weeks = bag.weeks
    for what in ("other content", "a removed folder", "a folder in place of a file", "a removed name that is no text"):
        edit(weeks.tree, what)
    bag.folder = tmp_path / "disk-a" / weeks.differential().id

    done = bag.run(tmp_path / "restored", restoring(bag.blocks(language)))

    assert done.returncode == 0, done.stderr
    if os.geteuid() == 0:
        assert snapshot(tmp_path / "restored" / "tree" / str(weeks.tree).strip("/")) == snapshot(weeks.tree)


NAMES = st.sampled_from(["a", "a-b", "a b", "a.", "b", "ă", "z\n", "\udcff"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
ACTS = st.lists(st.tuples(st.sampled_from(["write", "folder", "remove", "link", "hard"]), PATHS, PATHS), max_size=12)


def _act(tree: Path, acts: list[tuple[str, str, str]]) -> None:
    for number, (what, path, other) in enumerate(acts):
        place = tree / path
        try:
            if what == "remove":
                shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
            elif what == "folder":
                place.mkdir(parents=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                if what == "write":
                    place.write_text("x" * number)
                elif what == "link":
                    place.symlink_to(other)
                else:
                    os.link(tree / other, place, follow_symlinks=False)
        except OSError:
            continue


@pytest.mark.heavy
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ACTS, after=ACTS)
def test_any_change_of_any_tree_is_restored(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple[str, str, str]], after: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    tree = folder / "portal"
    tree.mkdir()
    (tree / "always").write_text("there")
    _act(tree, before)
    weeks = Weeks(folder, tree)
    _act(tree, after)

    made = weeks.differential()

    assert weeks.restore(made, folder / "out") == snapshot(tree)
    shutil.rmtree(folder)


def test_one_path_comes_from_whichever_set_has_it(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    (weeks.tree / "text.txt").write_text("short")
    (weeks.tree / "run.sh").unlink()
    made = weeks.differential()
    inside = str(weeks.tree).strip("/")

    for name, expected in (("text.txt", "short"), ("hosts", (weeks.tree / "hosts").read_text())):
        to = tmp_path / f"one-{name}"
        weeks.restore(made, to, path=f"{inside}/{name}")
        assert (to / "tree" / inside / name).read_text() == expected
        assert [path.name for path in (to / "tree" / inside).iterdir()] == [name]
    with pytest.raises(BackupError, match="no path"):
        weeks.restore(made, tmp_path / "none", path=f"{inside}/run.sh")


def test_a_differential_without_its_base_is_not_restored(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    made = weeks.differential()
    stored = weeks.medium.open_set(made.id)
    content = verify_copy(stored, made.id, bag_sha256=None, level=VerifyLevel.L1).content
    assert content is not None

    with pytest.raises(BackupError, match=f"needs its base {weeks.full.id}, which was not found"):
        restore_set(alone(stored, content), [keys().identity], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_looked_at_is_not_taken_for_removed(tmp_path: Path) -> None:
    status = tmp_path.stat()
    paths = ["/t", "/t/a", "/t/b", "/t/b/inside", "/t/b/inside/file", "/t/b c", "/t/z"]
    removed: list[str] = []
    comparison = ListingComparison(iter([(path, signature_of(status)) for path in paths]), removed.append)

    assert comparison.is_unchanged("/t", status)
    assert comparison.is_unchanged("/t/a", status)
    assert comparison.is_unchanged("/t/b", status)
    comparison.keep("/t/b")  # it cannot be listed
    comparison.end()

    assert removed == ["/t/b c", "/t/z"]


def test_a_file_changed_while_the_full_set_was_read_is_read_again(tmp_path: Path) -> None:
    tree = tmp_path / "portal"
    tree.mkdir()
    (tree / "fresh").write_text("now")
    context = SourceContext(tmp_path)  # by the real clock the file was changed a moment ago
    weeks = Weeks(tmp_path, tree)
    weeks.sources = [
        build_source(table("files", {"class": "related", "include": [str(tree)]}, tmp_path, "tree"), context)
    ]
    weeks.full = weeks.make(None)

    made = weeks.differential()

    assert files_of(made).members == 2


def test_a_dump_is_whole_in_a_differential_too(tmp_path: Path) -> None:
    database = source("sqlite", {"database": str(sample_database(tmp_path / "db.sqlite"))}, tmp_path, id="database")
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"), database)

    made = weeks.differential()

    assert [(each.source, each.differential) for each in made.streams] == [("tree", True), ("database", False)]
    assert made.streams[1].plain_sha256 == weeks.full.streams[1].plain_sha256


@pytest.mark.parametrize("harm", ["cut", "changed", "removed"])
def test_a_damaged_listing_guesses_nothing(tmp_path: Path, harm: str) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    base = weeks.base()
    path = base.listings["tree"]
    if harm == "cut":
        os.truncate(path, path.stat().st_size - 100)
    elif harm == "changed":
        data = bytearray(path.read_bytes())
        data[200] ^= 1
        path.write_bytes(data)
    else:
        path.unlink()

    plan = replace(plan_of(weeks.sources, [weeks.medium]), choice=Choice(base, msg("a test")))
    result = run_backup(plan, weeks.sources, [weeks.medium], clock=FixedClock(NOW), progress=SilentProgress())

    assert result.set is None
    assert "the base's list of this source cannot be read" in result.failed_sources[0]


def evidence(kind: SetKind, number: int, *, days: int = 0, state: CopyState = CopyState.VERIFIED) -> SetEvidence:
    from portalops.model.backups import Copy
    from portalops.model.verdicts import RunOutcome

    made_at = NOW + timedelta(days=days)
    made = BackupSet(
        SetId(f"demo-{number}-{kind.value}"),
        kind,
        "demo",
        made_at,
        RunOutcome.COMPLETE,
        (),
        (),
        Digest(f"{number:064x}"),
        1,
    )
    copy = Copy(made.id, "disk-a", "disk", state, VerifyLevel.L2, made_at)
    return SetEvidence(number, made_at, made, (copy,), ())


def noted(number: int, **sources: str) -> Noted:
    return Noted(Digest(f"{number:064x}"), Path("/state/bases"), {key: Digest(value) for key, value in sources.items()})


@pytest.mark.parametrize(
    ("sets", "notes", "days", "expected", "why"),
    [
        ([], [], 0, None, "no full set is recorded"),
        ([(SetKind.FULL, 1)], [noted(1, tree="d")], 1, "demo-1-full", "is verified"),
        ([(SetKind.FULL, 1), (SetKind.DIFF, 2)], [noted(1, tree="d")], 2, "demo-1-full", "is verified"),
        ([(SetKind.FULL, 1)], [], 1, None, "this machine has no list of the contents"),
        ([(SetKind.FULL, 1)], [noted(9, tree="d")], 1, None, "this machine has no list of the contents"),
        ([(SetKind.FULL, 1)], [noted(1)], 1, None, "this machine has no list of the contents"),
        ([(SetKind.FULL, 1)], [noted(1, tree="other")], 1, None, "the settings of every source were changed"),
        ([(SetKind.FULL, 1)], [noted(1, tree="d")], 7, None, "there is no full set of 2026-W49 yet"),
    ],
)
def test_a_full_set_a_week_and_differentials_between(
    sets: list[tuple[SetKind, int]], notes: list[Noted], days: int, expected: str | None, why: str
) -> None:
    recorded = [evidence(kind, number) for kind, number in sets]
    now = NOW + timedelta(days=days)

    chosen = choose(SetRequest(None, Every.WEEK), recorded, notes, {"tree": Digest("d")}, now=now, zone=ZONE)

    assert (chosen.base.set_id if chosen.base else None) == expected
    assert why in str(chosen.reason)


@pytest.mark.parametrize("state", [CopyState.DAMAGED, CopyState.SEALED, CopyState.FAILED])
def test_a_base_that_is_not_verified_is_refused(state: CopyState) -> None:
    recorded = [evidence(SetKind.FULL, 1, state=state)]
    notes = [noted(1, tree="d")]

    chosen = choose(SetRequest(None, Every.WEEK), recorded, notes, {"tree": Digest("d")}, now=NOW, zone=ZONE)
    assert chosen.kind is SetKind.FULL and "no full set has a verified copy" in str(chosen.reason)
    with pytest.raises(BackupError, match="no full set has a verified copy") as refused:
        choose(SetRequest(SetKind.DIFF, None), recorded, notes, {"tree": Digest("d")}, now=NOW, zone=ZONE)
    assert "backup run --full" in str(refused.value.hint)


def test_a_differential_counts_only_while_its_base_is_verified() -> None:
    diff = evidence(SetKind.DIFF, 2)

    assert diff.verified_copies() == ()
    assert replace(diff, base=evidence(SetKind.FULL, 1)).verified_copies() == diff.copies
    assert replace(diff, base=evidence(SetKind.FULL, 1, state=CopyState.DAMAGED)).verified_copies() == ()


def test_a_listing_that_is_lost_notes_nothing(tmp_path: Path) -> None:
    new = NewBase(tmp_path)
    new.listing("tree").write_bytes(b"whole")
    new.keep(SetId("set-1"), Digest("a" * 64), SETTINGS)
    assert [dict(each.sources) for each in read_noted(tmp_path)] == [{"tree": SETTINGS["tree"]}]

    (tmp_path / "bases" / ("a" * 64) / "tree.listing").unlink()

    assert [dict(each.sources) for each in read_noted(tmp_path)] == [{}]


def test_what_a_run_that_died_had_noted_is_forgotten(tmp_path: Path) -> None:
    first = NewBase(tmp_path)
    first.listing("tree").write_bytes(b"half")

    second = NewBase(tmp_path)

    assert not second.listing("tree").exists() and read_noted(tmp_path) == ()
    assert stat.S_IMODE((tmp_path / "bases" / ".new").stat().st_mode) == 0o700
    second.listing("tree").write_bytes(b"whole")
    second.keep(SetId("set-1"), Digest("a" * 64), SETTINGS)
    third = NewBase(tmp_path)
    assert [each.bag_sha256 for each in read_noted(tmp_path)] == ["a" * 64]
    third.drop()
    assert [each.bag_sha256 for each in read_noted(tmp_path)] == ["a" * 64]
