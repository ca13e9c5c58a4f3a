"""The base of a differential that was pruned, moved or damaged in any of its parts, on one medium or on all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.model.backups import SetId
from tests.faults.media import a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.truth import Is, Truth, check_what_is_said

MEDIA = ("disk-a", "disk-b")


def flip(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


HARMS: dict[str, Callable[[Path], None]] = {"flipped": flip, "cut": cut, "gone": Path.unlink}


def with_base(new_portal: NewPortal, folder: Path) -> tuple[Portal, SetId]:
    """Return a portal on two disks with a differential, and the set that it builds on."""
    portal = new_portal(media={name: a_disk(folder / name) for name in MEDIA})
    assert portal.run("backup run --diff").codes == (ExitCode.OK,)
    return portal, next(set_id for set_id in portal.contents if "-full-" in set_id)


def made_by_run(portal: Portal) -> str:
    """Make the set that the configuration asks for, and return its kind."""
    portal.change_again()
    ended = portal.run("backup run")
    (made,) = ended.answers()
    assert ended.codes == (ExitCode.OK,), made
    return "full" if "-full-" in made["data"]["set"] else "diff"


def parts_of(portal: Portal, base: SetId) -> list[str]:
    folder = portal.folder_of[MEDIA[0]] / base
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def harm_part(portal: Portal, base: SetId, part: str, how: str, media: tuple[str, ...]) -> None:
    for medium in media:
        HARMS[how](portal.folder_of[medium] / base / part)


def damaged_on_one(portal: Portal, base: SetId, part: str, how: str) -> None:
    """Harm a part on one disk: all is said of it, and the copy is made anew from the other disk."""
    harm_part(portal, base, part, how, MEDIA[:1])
    check_what_is_said(portal, f"{part} {how} on {MEDIA[0]}")
    assert Truth(portal).of(base, MEDIA[0]).what is Is.WHOLE, (part, how)


def damaged_on_all(portal: Portal, base: SetId, part: str, how: str) -> None:
    """Harm a part on both disks: what the next run builds on can be relied on, and so can what it makes."""
    harm_part(portal, base, part, how, MEDIA)
    is_seen_unread = how != "flipped" or not part.startswith("data/")
    if is_seen_unread:
        assert made_by_run(portal) == "full", (part, how)
    else:
        check_what_is_said(portal, f"{part} {how} on all media")
        assert made_by_run(portal) == "full", (part, how)
    check_what_is_said(portal, f"{part} {how} on all media, and a full set made")


@pytest.mark.parametrize("how", ["flipped"])
def test_a_base_that_is_damaged_on_one_medium_is_blamed_there_and_mended(
    new_portal: NewPortal, tmp_path: Path, how: str
) -> None:
    portal, base = with_base(new_portal, tmp_path)

    damaged_on_one(portal, base, "data/related/files/files.0001.age", how)


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", HARMS)
def test_every_part_of_a_base_may_be_damaged_on_one_medium(new_portal: NewPortal, tmp_path: Path, how: str) -> None:
    portal, base = with_base(new_portal, tmp_path)
    wrong: list[str] = []
    for number, part in enumerate(parts_of(portal, base)):
        try:
            damaged_on_one(portal, base, part, how)
        except AssertionError as error:
            wrong.append(str(error))
            portal, base = with_base(new_portal, tmp_path / f"again-{number}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", HARMS)
def test_every_part_of_a_base_may_be_damaged_on_all_media(new_portal: NewPortal, tmp_path: Path, how: str) -> None:
    portal, base = with_base(new_portal, tmp_path)
    wrong: list[str] = []
    for number, part in enumerate(parts_of(portal, base)):
        portal, base = with_base(new_portal, tmp_path / f"portal-{number}")
        try:
            damaged_on_all(portal, base, part, how)
        except AssertionError as error:
            wrong.append(str(error))

    assert not wrong, "\n".join(wrong)


@pytest.mark.heavy
@pytest.mark.parametrize("media", [MEDIA[:1], MEDIA], ids=["one", "all"])
@pytest.mark.parametrize("what", ["removed", "renamed"])
def test_a_base_that_is_not_there_is_missed(
    new_portal: NewPortal, tmp_path: Path, what: str, media: tuple[str, ...]
) -> None:
    portal, base = with_base(new_portal, tmp_path)
    for medium in media:
        folder = portal.folder_of[medium] / base
        if what == "removed":
            shutil.rmtree(folder)
        else:
            folder.rename(folder.with_name("kept-for-later"))

    assert made_by_run(portal) == ("diff" if len(media) == 1 else "full")

    check_what_is_said(portal, f"the base is {what} on {media}")


@pytest.mark.heavy
@pytest.mark.parametrize("media", [MEDIA[:1], MEDIA], ids=["one", "all"])
def test_a_restore_of_a_differential_tells_that_its_base_is_not_there(
    new_portal: NewPortal, tmp_path: Path, media: tuple[str, ...]
) -> None:
    portal, base = with_base(new_portal, tmp_path)
    for medium in media:
        shutil.rmtree(portal.folder_of[medium] / base)

    check_what_is_said(portal, f"the base is removed on {media}")
    assert made_by_run(portal) == ("diff" if len(media) == 1 else "full")
