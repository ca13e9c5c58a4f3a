"""A source that yields far less than before fails, whatever it is that shrank, unless somebody says that it is right."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.bases import Choice, NewBase
from backups.job import run_backup
from backups.shrink import Made, ShrinkRule, Unchanged, held_before, shrinks
from portalops.model.backups import BackupResult, DataClass, Shrink, Stream, TableRows
from portalops.model.message import msg
from portalops.model.record import Digest
from tests.backups.kit import NOW, back_up, plan_of, sample_database, source
from tests.backups.memory import MemoryMedium
from tests.backups.test_differential import Weeks
from tests.doubles import FixedClock, SilentProgress


def a_stream(name: str = "dump", size: int = 100_000, **more: object) -> Stream:
    made = Stream("db", "command", DataClass.CONTENT, name, "raw", 1, size, Digest("0" * 64), ())
    return replace(made, **more)  # type: ignore[arg-type]


def rule(*streams: Stream, percent: int = 50) -> ShrinkRule:
    return ShrinkRule(percent, held_before([Made(streams)]).get("db", {}))


def found(before: Stream, now: Stream, percent: int = 50) -> tuple[Shrink, ...]:
    return shrinks("db", rule(before, percent=percent), [now], {})


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"size": 100_000}, {"size": 50_000}, None),
        ({"size": 100_000}, {"size": 49_999}, ("bytes", 100_000, 49_999)),
        ({"size": 4000}, {"size": 1}, None),
        ({"members": 1000}, {"members": 499}, ("members", 1000, 499)),
        ({"members": 19}, {"members": 1}, None),
        (
            {"rows": (TableRows("article", 200), TableRows("log", 99))},
            {"rows": (TableRows("article", 99), TableRows("log", 0))},
            ("rows of article", 200, 99),
        ),
        ({"rows": (TableRows("article", 200),)}, {"rows": (TableRows("other", 5),)}, ("rows of article", 200, 0)),
        ({"rows": (TableRows("article", 200),)}, {"rows": ()}, None),
    ],
)
def test_a_fall_beyond_the_limit_is_found(
    before: dict[str, object], now: dict[str, object], expected: tuple[str, int, int] | None
) -> None:
    made = found(a_stream(**before), a_stream(**now))  # type: ignore[arg-type]

    assert made == (() if expected is None else (Shrink("db", "dump", *expected),))


def test_a_stream_that_is_gone_fell_to_nothing_unless_the_set_is_incomplete_anyway() -> None:
    both = rule(a_stream("a"), a_stream("b"))

    assert shrinks("db", both, [a_stream("a")], {}) == (Shrink("db", "b", "bytes", 100_000, 0),)
    assert shrinks("db", both, [a_stream("a", unread=("database b: refused",))], {}) == ()


@given(before=st.integers(0, 1 << 50), now=st.integers(0, 1 << 50), percent=st.integers(1, 100))
def test_what_grows_or_stays_never_fails_and_a_hundred_lets_all_pass(before: int, now: int, percent: int) -> None:
    assert found(a_stream(size=before), a_stream(size=max(before, now)), percent) == ()
    assert found(a_stream(size=before), a_stream(size=now), 100) == ()


def test_a_differential_counts_what_it_saw_and_compares_with_what_stands_alone() -> None:
    full = a_stream("files", 1_000_000, members=1000)
    small = a_stream("files", 3000, members=2, differential=True)
    history = rule(full)
    history = ShrinkRule(50, held_before([Made([full]), Made([small])])["db"])

    assert shrinks("db", history, [small], {"files": Unchanged(998, 1_100_000)}) == ()
    assert {each.measure for each in shrinks("db", history, [small], {"files": Unchanged(300, 300_000)})} == {
        "bytes",
        "members",
    }


def test_what_was_accepted_counts_from_then_on() -> None:
    full = a_stream("files", 1_000_000, members=1000)
    small = a_stream("files", 3000, members=2, differential=True)
    accepted = [Shrink("db", "files", "bytes", 1_000_000, 300_000), Shrink("db", "files", "members", 1000, 300)]

    history = ShrinkRule(50, held_before([Made([full]), Made([small], accepted)])["db"])

    assert shrinks("db", history, [small], {"files": Unchanged(290, 290_000)}) == ()
    assert shrinks("db", history, [small], {"files": Unchanged(100, 100_000)}) != ()


def test_a_set_in_which_the_source_is_incomplete_is_not_compared_with() -> None:
    whole, part = a_stream(size=100_000), a_stream(size=10_000, unread=("half of it",))

    assert held_before([Made([whole]), Made([part])])["db"]["dump"]["bytes"] == 100_000


def again(folder: Path, before: BackupResult, *, accepts: bool = False, **values: object) -> BackupResult:
    assert before.set is not None
    read = source("sqlite", {"database": str(folder / "portal.db"), **values}, folder, id="db")
    medium = MemoryMedium("memory-1")
    history = held_before([Made(before.set.streams)])["db"]
    plan = replace(plan_of([read], [medium]), shrink={"db": ShrinkRule(50, history, is_accepted=accepts)})
    return run_backup(plan, [read], [medium], clock=FixedClock(NOW), progress=SilentProgress())


def test_an_emptied_database_fails_its_source_with_the_numbers_and_what_to_do(tmp_path: Path) -> None:
    database = sample_database(tmp_path / "portal.db", rows=500)
    first = back_up([source("sqlite", {"database": str(database)}, tmp_path, id="db")], [MemoryMedium("memory-1")])
    database.unlink()
    sample_database(database, rows=3)

    failed = again(tmp_path, first)
    accepted = again(tmp_path, first, accepts=True)

    assert failed.set is None
    assert failed.failed_classes == (DataClass.CONTENT,)
    assert "rows of article 500 -> 3" in failed.failed_sources[0]
    assert "--accept-shrink db" in failed.failed_sources[0]
    assert accepted.set is not None and accepted.failed_sources == ()
    assert Shrink("db", accepted.set.streams[0].name, "rows of article", 500, 3) in accepted.accepted_shrinks


def test_a_tree_that_lost_most_of_its_files_fails_in_a_differential_too(tmp_path: Path) -> None:
    tree = tmp_path / "portal"
    for number in range(100):
        (tree / f"{number % 10}").mkdir(parents=True, exist_ok=True)
        (tree / f"{number % 10}" / f"{number}.txt").write_text("tin tức " * 100)
    weeks = Weeks(tmp_path, tree)
    shrink = {"tree": ShrinkRule(50, held_before([Made(weeks.full.streams)])["tree"])}

    def differential() -> BackupResult:
        plan = replace(
            plan_of(weeks.sources, [weeks.medium]), choice=Choice(weeks.base(), msg("a test")), shrink=shrink
        )
        return run_backup(plan, weeks.sources, [weeks.medium], clock=FixedClock(NOW), progress=SilentProgress())

    (tree / "0" / "new.txt").write_text("new")
    whole = differential()
    for number in range(8):
        shutil.rmtree(tree / f"{number}")
    lost = differential()

    assert whole.set is not None, whole.failed_sources
    assert lost.set is None
    assert "files: members 111 -> 2" in lost.failed_sources[0]


def test_a_source_that_fails_notes_nothing_for_a_later_differential(tmp_path: Path) -> None:
    tree = tmp_path / "portal"
    tree.mkdir()
    (tree / "file").write_text("less than before")
    weeks = Weeks(tmp_path, tree)
    plan = plan_of(weeks.sources, [weeks.medium])
    new_base = NewBase(tmp_path)

    shrink = {"tree": ShrinkRule(50, {"files": {"bytes": 1 << 30}})}
    result = run_backup(
        replace(plan, shrink=shrink),
        weeks.sources,
        [weeks.medium],
        clock=FixedClock(NOW),
        progress=SilentProgress(),
        new_base=new_base,
    )

    assert result.set is None
    assert not new_base.listing("tree").exists()
