"""Members by path on disk: a later one counts, what is removed is gone with all below it, and levels are those of folders."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.member_table import Change, MemberTable
from backups.paths import folders_above
from portalops.errors import SetDamaged
from portalops.model.backups import MemberType, StreamMember
from portalops.model.record import Digest

PATHS = st.lists(st.sampled_from(["a", "a-", "a0", "b", "\udcff", "é"]), min_size=1, max_size=4).map("/".join)


def member(path: str, content: str = "", *, mode: int = 0o644, size: int = 0, place: int = 0) -> StreamMember:
    return StreamMember(MemberType.FILE, path, size, mode, 0, 0, 0, place, Digest(content or "0" * 64))


def test_the_last_member_of_a_path_counts() -> None:
    with MemberTable() as table:
        table.add(0, [member("a", "one"), member("a", "two")])
        assert [each.sha256 for each in table.members(0)] == ["two"]


@given(st.lists(PATHS, unique=True), st.lists(PATHS, max_size=3))
def test_what_is_removed_is_gone_with_all_below_it_and_nothing_else(paths: list[str], gone: list[str]) -> None:
    with MemberTable() as table:
        table.add(0, map(member, paths))
        table.remove(0, gone)
        left = {each.path for each in table.members(0)}
    assert left == {path for path in paths if not {path, *folders_above(path)} & set(gone)}


@given(st.lists(PATHS, unique=True), st.one_of(st.just(""), PATHS))
def test_a_level_is_what_lies_directly_in_a_folder(paths: list[str], folder: str) -> None:
    with MemberTable() as table:
        table.add(0, map(member, paths))
        found = {path: each is not None for path, each in table.level(0, folder)}
    top = f"{folder}/" if folder else ""
    inside = [path[len(top) :] for path in paths if path.startswith(top) and path != top]
    assert found == {f"{top}{name.partition('/')[0]}": f"{top}{name.partition('/')[0]}" in paths for name in inside}


@given(
    st.dictionaries(PATHS, st.tuples(st.sampled_from("xy"), st.sampled_from([0o600, 0o644]))),
    st.dictionaries(PATHS, st.tuples(st.sampled_from("xy"), st.sampled_from([0o600, 0o644]))),
)
def test_differences_are_those_of_two_dictionaries(
    before: dict[str, tuple[str, int]], after: dict[str, tuple[str, int]]
) -> None:
    with MemberTable() as table:
        for part, side in enumerate((before, after)):
            table.add(part, (member(path, content, mode=mode) for path, (content, mode) in side.items()))
        found = list(table.differences(0, 1))
    assert [each.path for each in found] == sorted((each.path for each in found), key=_as_bytes)
    expected = {
        path: Change.ADDED
        if path not in before
        else Change.REMOVED
        if path not in after
        else Change.CONTENT
        if before[path][0] != after[path][0]
        else Change.ATTRIBUTES
        for path in {*before, *after}
        if before.get(path) != after.get(path)
    }
    assert {each.path: each.change for each in found} == expected


def _as_bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("wrong", [member("a", size=1 << 70), member("\ud800"), member("a", place=1 << 63)])
def test_what_no_file_can_have_is_damage(wrong: StreamMember) -> None:
    with MemberTable() as table, pytest.raises(SetDamaged):
        table.add(0, [wrong])


def test_a_hundred_thousand_members_are_listed_level_by_level() -> None:
    with MemberTable() as table:
        table.add(0, (member(f"d{number // 1000}/f{number}") for number in range(100_000)))
        assert table.count(0) == 100_000
        assert len(list(table.level(0, ""))) == 100
        assert len(list(table.level(0, "d42"))) == 1000
        assert list(itertools.islice(table.level(0, "d"), 1)) == []
