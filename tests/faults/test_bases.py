"""The base of a differential that was pruned, moved or damaged in any of its parts, on one medium or on all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backups.sources._listing import STEP_NS
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
    time.sleep(STEP_NS / 1e9 + 0.1)  # what changed so lately is written again, and needs no base
    (base,) = (each["data"]["set"] for each in portal.run("backup run --full").answers())
    portal.change_again()
    (made,) = portal.run("backup run --diff", "backup show latest").answers()[1:]
    files = next(each for each in made["data"]["streams"] if each["format"] == "tar")
    assert made["data"]["base"] == base and files["members"] < 5, made
    return portal, base


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


@pytest.mark.heavy
def test_a_base_that_is_damaged_on_one_medium_is_blamed_there_and_mended(new_portal: NewPortal, tmp_path: Path) -> None:
    portal, base = with_base(new_portal, tmp_path)

    damaged_on_one(portal, base, "data/related/files/files.0001.age", "flipped")


def test_a_base_that_no_medium_has_makes_the_next_set_a_full_one(new_portal: NewPortal, tmp_path: Path) -> None:
    portal = new_portal("disk")
    (made,) = portal.run("backup run --full").answers()  # without the set before it, it would seem to be another disk
    folder = portal.folder_of["disk"] / made["data"]["set"]
    folder.rename(folder.with_name("kept-for-later"))

    assert made_by_run(portal) == "full"


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


@pytest.mark.heavy
@pytest.mark.parametrize("is_looked_at", [False, True])
@pytest.mark.parametrize("how", ["flipped", "removed"])
def test_a_full_set_that_no_rule_keeps_stays_while_the_newest_base_is_not_whole(
    new_portal: NewPortal, tmp_path: Path, how: str, *, is_looked_at: bool
) -> None:
    """The differential that the rule keeps is worth nothing without its base, so the older full set is the last good one."""
    portal, base = with_base(new_portal, tmp_path)
    oldest = min(portal.contents)
    portal.keep_newest()
    assert portal.run("backup prune --trust-clock").answers()[0]["data"]["marked"] == [oldest]
    portal.days_later += 8
    for medium in MEDIA:
        folder = portal.folder_of[medium] / base
        if how == "flipped":
            flip(folder / "data/related/files/files.0001.age")
        else:
            shutil.rmtree(folder)
    if is_looked_at:
        portal.run(f"backup verify {base}")

    ended = portal.run("backup prune --trust-clock")

    assert all(oldest in sets for sets in portal.sets().values()), ended.output.decode()
    assert (ended.codes == (ExitCode.OK,)) is is_looked_at, ended.output.decode()  # then the rule itself keeps it
