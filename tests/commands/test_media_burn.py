"""Discs burnt, compared and destroyed from the command line, in a drive whose disc is a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.calling import call
from commands.cli.result import Result
from commands.media.burn import burn_in
from commands.media.check import check_in
from portalops.errors import ClockWentBack, ExitCode, MediumUnavailable, SetDamaged, UsageError
from portalops.model.backups import SetId
from portalops.model.media import DiscState
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.reports.section_discs import disc_blocks
from tests.backups.kit import keys
from tests.backups.media.drives import FileDrive
from tests.backups.test_prune import Portal, standings
from tests.commands.test_media import ADD
from tests.reports.test_terminal import shown
from tests.shapes import data_of, validate

pytestmark = pytest.mark.needs("xorriso")

MIB = 1 << 20
DISK_B = """id = "disk-b"
kind = "disk"
folder = "disk-b"
create = true
allow_same_filesystem = true
"""
DISCS = f"""id = "discs"
kind = "optical"
folder = "discs"
create = true
allow_same_filesystem = true
disc_bytes = {9 * MIB}
"""


class Burning(Portal):
    """A small portal whose second medium is images of discs, two or three a set."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.change(DISK_B, DISCS)
        self.change("[backup]\n", "[backup]\npack_mib = 1\n")
        for number in range(9):
            (folder / "articles" / f"bài {number}").write_bytes(os.urandom(MIB))
        self.drive = FileDrive(folder / "blank-0")
        self._blanks = 0

    def put_in_a_blank_disc(self) -> Path:
        self._blanks += 1
        self.drive.change(self.folder / f"blank-{self._blanks}")
        return self.drive.disc

    def burn(self, name: str = "latest", expected: ExitCode = ExitCode.OK, **more: Any) -> Any:
        return self._told("media burn", burn_in(self.session(), self.drive, name, "discs", **more), expected)

    def burn_all(self, name: str = "latest") -> list[Path]:
        """Burn every disc of a set, and return the discs."""
        discs: list[Path] = []
        while True:
            disc = self.put_in_a_blank_disc()
            if self.burn(name) is None:
                return discs
            discs.append(disc)
            self.clock.move(timedelta(minutes=10))

    def check(self, expected: ExitCode = ExitCode.OK, **more: Any) -> Any:
        return self._told("media check", check_in(self.session(), self.drive, "discs", **more), expected)

    def media(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        return self._told(f"media {arguments[0]}", call(self.session("media", *arguments)), expected)

    def image(self, name: SetId, number: int) -> Path:
        return self.folder / "discs" / name / f"disc-{number}.iso"

    def discs(self, name: SetId) -> list[tuple[str, DiscState]]:
        (made,) = [each for each in self.sets() if each.set.id == name]
        return [(disc.name, disc.state) for disc in made.discs]

    @staticmethod
    def _told(called: str, result: Result[object], expected: ExitCode) -> Any:
        assert result.exit_code is expected, result
        validate(called, data_of(result))
        return data_of(result)


def standing(portal: Burning, duty: str, period: str = "2026-W37") -> Standing:
    return standings(portal, period)[duty]


@pytest.fixture
def portal(tmp_path: Path) -> Burning:
    return Burning(tmp_path)


def test_the_discs_of_a_set_are_burnt_one_after_the_other_and_recorded(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.media("add", "discs", "--label", "Hộp 1", "--place", "Tủ sắt", "--custodian", "Nguyễn Văn An")

    discs = portal.burn_all()

    images = [portal.image(made, number) for number in (1, 2, 3)]
    assert [disc.read_bytes() == image.read_bytes() for disc, image in zip(discs, images, strict=True)] == [True] * 3
    bodies = [body["burnt_disc"] for body in portal.bodies("media.burnt")]
    assert [(body["set_id"], body["number"], body["count"], body["state"]) for body in bodies] == [
        (made, number, 3, "whole") for number in (1, 2, 3)
    ]
    assert {(body["place"], body["custodian"], body["device"]) for body in bodies} == {
        ("Tủ sắt", "Nguyễn Văn An", "/dev/sr0")
    }
    assert portal.sets()[0].is_on_discs("discs")
    assert portal.burn() is None, "there is nothing left to burn"


def test_a_disc_that_is_not_blank_is_refused_and_stays_as_it_is(portal: Burning) -> None:
    portal.back_up()
    portal.drive.disc.write_bytes(b"somebody's photographs")

    with pytest.raises(MediumUnavailable, match="is not blank"):
        portal.burn()

    assert portal.drive.disc.read_bytes() == b"somebody's photographs"
    assert portal.bodies("media.burnt") == []


@pytest.mark.heavy
def test_a_disc_that_the_set_does_not_have_is_refused(portal: Burning) -> None:
    portal.back_up()

    with pytest.raises(UsageError, match="has no disc 4: it takes 3"):
        portal.burn(disc=4)


@pytest.mark.heavy
def test_nothing_is_burnt_that_could_not_be_recorded(portal: Burning) -> None:
    portal.back_up()
    portal.clock.move(timedelta(days=-1))

    with pytest.raises(ClockWentBack):
        portal.burn()

    assert portal.drive.disc.stat().st_size == 0


@pytest.mark.heavy
def test_a_disc_that_is_too_small_is_refused(portal: Burning) -> None:
    portal.back_up()
    portal.drive.capacity_bytes = MIB

    with pytest.raises(MediumUnavailable, match=r"has room for 1\.0 MiB, but the image has"):
        portal.burn()

    assert portal.drive.disc.stat().st_size == 0


@pytest.mark.heavy
def test_a_disc_that_comes_out_wrong_is_told_and_burnt_anew(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.drive.flips = 2 * MIB

    told = portal.burn(expected=ExitCode.INTEGRITY, label="KH-01")

    assert told["state"] == "broken" and "SHA-256" in told["problem"]
    assert portal.discs(made) == [("1/3 KH-01", DiscState.BROKEN)]
    portal.drive.flips = None
    portal.put_in_a_blank_disc()
    assert portal.burn(label="KH-01")["disc"] == 1
    assert portal.discs(made) == [("1/3 KH-01", DiscState.WHOLE)]


@pytest.mark.heavy
def test_a_disc_that_burning_spoilt_is_recorded_as_broken(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.drive.fails_after = MIB

    with pytest.raises(MediumUnavailable, match="burning failed"):
        portal.burn(label="KH-01")

    assert portal.discs(made) == [("1/3 KH-01", DiscState.BROKEN)]


@pytest.mark.heavy
def test_a_disc_that_burning_left_blank_is_none(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.drive.fails_after = 0

    with pytest.raises(MediumUnavailable, match="burning failed"):
        portal.burn()

    assert portal.discs(made) == []


@pytest.mark.heavy
def test_a_disc_that_did_not_come_in_again_counts_once_it_was_read(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.drive.comes_in = False

    assert portal.burn(expected=ExitCode.PARTIAL)["state"] == "unread"
    assert [state for _name, state in portal.discs(made)] == [DiscState.UNREAD]

    portal.check()
    assert [state for _name, state in portal.discs(made)] == [DiscState.WHOLE]


@pytest.mark.heavy
def test_a_disc_whose_reading_back_is_stopped_is_recorded_as_burnt(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.drive.is_stopped = True

    with pytest.raises(KeyboardInterrupt):
        portal.burn(label="KH-01")

    assert portal.discs(made) == [("1/3 KH-01", DiscState.UNREAD)]


@pytest.mark.heavy
def test_an_image_that_was_changed_is_not_burnt(portal: Burning) -> None:
    (made,) = portal.back_up()
    image = portal.image(made, 2)
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 1
    image.write_bytes(data)

    portal.burn(disc=1)
    portal.put_in_a_blank_disc()
    with pytest.raises(SetDamaged, match=r"disc-2\.iso"):
        portal.burn(disc=2)

    assert portal.drive.disc.stat().st_size == 0


@pytest.mark.heavy
def test_a_set_with_a_missing_image_is_not_burnt(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.image(made, 3).unlink()

    with pytest.raises(SetDamaged, match="missing"):
        portal.burn()


@pytest.mark.heavy
def test_a_dry_run_burns_and_records_nothing(portal: Burning) -> None:
    (made,) = portal.back_up()

    planned = portal.burn(dry_run=True)

    assert (planned["set"], planned["disc"], planned["discs"], planned["in_drive"]) == (made, 1, 3, "DVD+R")
    assert portal.drive.disc.stat().st_size == 0 and portal.bodies("media.burnt") == []
    portal.drive.disc.write_bytes(b"x")
    with pytest.raises(MediumUnavailable, match="not blank"):
        portal.burn(dry_run=True)


@pytest.mark.heavy
def test_a_second_copy_of_a_disc_needs_a_label_of_its_own(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.burn(label="KH-01a")
    portal.put_in_a_blank_disc()

    with pytest.raises(UsageError, match="KH-01a already"):
        portal.burn(disc=1, label="KH-01a")
    portal.burn(disc=1, label="KH-01b")

    assert [name for name, _state in portal.discs(made)] == ["1/3 KH-01a", "1/3 KH-01b"]
    with pytest.raises(UsageError, match="several discs"):
        portal.check()
    assert portal.check(label="KH-01b")["label"] == "KH-01b"


def test_a_disc_is_compared_when_the_images_are_long_gone(portal: Burning) -> None:
    (made,) = portal.back_up()
    first, second, _third = portal.burn_all()
    for number in (1, 2, 3):
        portal.image(made, number).unlink()
    portal.clock.move(timedelta(days=90))

    portal.drive.change(second)
    assert portal.check()["disc"] == 2
    portal.drive.change(first)
    data = bytearray(first.read_bytes())
    data[-MIB] ^= 1
    first.write_bytes(data)
    assert "SHA-256" in portal.check(expected=ExitCode.INTEGRITY)["problem"]

    assert [state for _name, state in portal.discs(made)] == [DiscState.BROKEN, DiscState.WHOLE, DiscState.WHOLE]
    (shown, *_others) = portal.sets()
    assert not shown.is_on_discs("discs")
    assert [disc.read_at == portal.clock.now() for disc in shown.discs] == [False, True, False]


@pytest.mark.heavy
@pytest.mark.parametrize("harm", ["cut", "unreadable"])
def test_a_disc_that_ends_too_early_or_cannot_be_read_is_broken(portal: Burning, harm: str) -> None:
    (made,) = portal.back_up()
    portal.burn()
    if harm == "cut":
        os.truncate(portal.drive.disc, MIB)
    else:
        portal.drive.unreadable_from = MIB

    told = portal.check(expected=ExitCode.INTEGRITY)

    assert {"cut": "ends after 1048576 of", "unreadable": "input/output error"}[harm] in told["problem"]
    assert [state for _name, state in portal.discs(made)] == [DiscState.BROKEN]


@pytest.mark.heavy
@pytest.mark.parametrize("content", [b"", b"photographs" * 10_000])
def test_a_foreign_disc_is_told(portal: Burning, content: bytes) -> None:
    portal.back_up()
    portal.burn()
    portal.put_in_a_blank_disc().write_bytes(content)

    with pytest.raises(MediumUnavailable, match="not burnt from medium discs"):
        portal.check()

    assert portal.bodies("media.read") == []


@pytest.mark.heavy
def test_a_look_without_recording(portal: Burning) -> None:
    portal.back_up()
    portal.burn()

    assert portal.check(dry_run=True)["recorded"] is False
    assert portal.bodies("media.read") == []


@pytest.mark.heavy
def test_discs_are_told_of_until_it_is_recorded_that_they_are_destroyed(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.burn_all()

    with pytest.raises(UsageError, match="no such disc"):
        portal.media("destroyed", "discs", made, "--disc", "4", "--reason", "x")
    with pytest.raises(UsageError, match="--reason"):
        portal.media("destroyed", "discs", made, "--reason", " ")
    portal.media("destroyed", "discs", made, "--disc", "2", "--reason", "scratched", "--dry-run")
    assert len(portal.discs(made)) == 3
    portal.media("destroyed", "discs", made, "--disc", "2", "--reason", "scratched")
    assert [name[:3] for name, _state in portal.discs(made)] == ["1/3", "3/3"]
    portal.media("destroyed", "discs", made, "--reason", "shredded")

    assert portal.discs(made) == []
    assert portal.bodies("media.destroyed")[0]["discs_destroyed"]["reason"] == "scratched"


@pytest.mark.parametrize(
    "arguments",
    [
        ("burn", "latest", "--medium", "disk-a", "--device", "/dev/null-drive"),
        ("burn", "latest", "--medium", "nothing", "--device", "/dev/null-drive"),
        ("burn", "latest", "--medium", "discs", "--device", "/dev/null"),
        ("burn", "latest", "--medium", "discs", "--device", "stdio:blank"),
        ("burn", "latest", "--medium", "discs", "--device", "portalops.toml"),
        ("check", "--device", "/dev/null-drive"),
    ],
)
def test_what_is_no_drive_or_no_medium_of_discs_is_refused(portal: Burning, arguments: tuple[str, ...]) -> None:
    portal.back_up()

    with pytest.raises(UsageError):
        portal.media(*arguments)


@pytest.mark.heavy
def test_a_drive_that_is_not_there_is_told(portal: Burning) -> None:
    portal.back_up()

    for verb in (("burn", "latest", "--medium"), ("check",)):
        with pytest.raises(MediumUnavailable, match="there is no such drive"):
            portal.media(*verb, "discs", "--device", "/dev/sr-nowhere")


@pytest.mark.heavy
def test_the_register_tells_of_images_that_nobody_has_burnt_and_of_discs_that_nobody_reads(portal: Burning) -> None:
    (made,) = portal.back_up()
    portal.media("add", "discs", *ADD)

    def alarms(expected: ExitCode = ExitCode.UNMET) -> list[str]:
        (line,) = [line for line in portal.media("list", expected=expected) if line["id"] == "discs"]
        return [alarm["text"] for alarm in line["alarms"]]

    assert alarms() == [f"its newest set {made} is still images in a folder; discs burnt and read back: 0"]
    portal.media("add", "disk-a", *ADD)
    first, *_others = portal.burn_all()
    assert alarms(ExitCode.OK) == []
    portal.clock.move(timedelta(days=7 * 31))
    portal.drive.change(first)
    portal.check()
    assert [alarm for alarm in alarms() if "not read back for too long" in alarm] == [
        f"discs of set {made} were not read back for too long: "
        + ", ".join(name for name, _state in portal.discs(made) if not name.startswith("1/3"))
    ]
    first.write_bytes(first.read_bytes()[:MIB])
    portal.check(expected=ExitCode.INTEGRITY)
    assert any("discs of set" in alarm and "are damaged: 1/3" in alarm for alarm in alarms())


@pytest.mark.heavy
def test_a_set_shows_its_discs(portal: Burning) -> None:
    portal.back_up()
    portal.burn(label="KH-01")

    told = portal.result("show", "latest")

    assert [(disc["label"], disc["disc"], disc["discs"], disc["state"]) for disc in data_of(told)["discs"]] == [
        ("KH-01", 1, 3, "whole")
    ]
    text = shown(*told.view)
    assert "images of discs" in text and "1 of 3" in text and "1/3 KH-01" in text


@pytest.mark.heavy
def test_a_removal_names_the_discs_that_a_person_must_destroy(portal: Burning) -> None:
    portal.change("keep_weekly = 2", "keep_weekly = 1")
    (made,) = portal.back_up()
    portal.burn(label="KH-01")
    portal.clock.move(timedelta(days=7))
    portal.back_up()
    portal.prune()
    portal.clock.move(timedelta(days=8))

    (removed,) = portal.prune()["removed"]

    assert removed["discs"] == ["1/3 KH-01"]
    assert portal.bodies("prune.finished")[-1]["prune"]["disposals"][0]["discs"] == ["1/3 KH-01"]
    duty = standing(portal, "10.2-retention", "2026-W39")
    assert any("not recorded as destroyed: 1/3 KH-01" in str(detail) for detail in duty.details)
    alarms = [each["text"] for line in portal.media("list", expected=ExitCode.UNMET) for each in line["alarms"]]
    assert f"set {made} was removed, but its discs are not destroyed yet: 1/3 KH-01" in alarms

    portal.media("destroyed", "discs", made, "--reason", "shredded")
    alarms = [each["text"] for line in portal.media("list", expected=ExitCode.UNMET) for each in line["alarms"]]
    assert not any("destroyed" in alarm for alarm in alarms)
    assert not any("destroyed" in str(detail) for detail in standing(portal, "10.2-retention", "2026-W39").details)


@pytest.mark.heavy
def test_images_beside_what_they_copy_count_for_the_duty_once_all_of_them_are_burnt(portal: Burning) -> None:
    """Both media lie on the disk of what they copy, in this test as in the worst case."""
    (made,) = portal.back_up()
    assert all(copy.shares_source_filesystem for copy in portal.sets()[0].copies)
    assert standing(portal, "10.2-medium").verdict is DutyVerdict.UNMET
    portal.burn()
    assert standing(portal, "10.2-medium").verdict is DutyVerdict.UNMET, "one of three is no copy"

    discs = portal.burn_all()

    duty = standing(portal, "10.2-medium")
    assert duty.verdict is DutyVerdict.MET
    assert [str(detail) for detail in duty.details] == [f"discs, set {made}: all its discs were burnt and read back"]
    portal.drive.change(discs[-1])
    portal.drive.unreadable_from = 0
    with pytest.raises(MediumUnavailable, match="cannot be read"):
        portal.check()
    portal.drive.unreadable_from = MIB
    portal.check(expected=ExitCode.INTEGRITY)
    assert standing(portal, "10.2-medium").verdict is DutyVerdict.UNMET


@pytest.mark.heavy
def test_discs_of_images_that_were_cut_elsewhere_are_no_whole_set_together(portal: Burning) -> None:
    """The images were damaged, and made anew for larger discs: the first small disc and the last large one leave a gap."""
    with (portal.folder / "portalops.toml").open("a") as file:
        file.writelines(
            f'\n[[job]]\nid = "{kind}"\nkind = "{kind}"\nevery = "week"\nduty = "10.2"\n' for kind in ("verify", "copy")
        )
    (made,) = portal.back_up()
    portal.put_in_a_blank_disc()
    portal.burn()
    portal.image(made, 2).write_bytes(b"torn")
    portal.call("verify", expected=ExitCode.INTEGRITY)
    portal.change(f"disc_bytes = {9 * MIB}", f"disc_bytes = {11 * MIB}")
    portal.clock.move(timedelta(minutes=10))
    portal.call("replicate")
    assert len(list((portal.folder / "discs" / made).glob("*.iso"))) == 2

    portal.put_in_a_blank_disc()
    portal.burn(disc=2)

    (kept,) = portal.sets()
    assert not kept.is_on_discs("discs")
    assert standing(portal, "10.2-medium").verdict is DutyVerdict.UNMET
    portal.put_in_a_blank_disc()
    assert portal.burn(label="again-1")["disc"] == 1, "the first disc of the images as they are now"
    (kept,) = portal.sets()
    assert kept.is_on_discs("discs")


@pytest.mark.heavy
def test_the_report_says_that_images_are_no_discs(portal: Burning) -> None:
    (made,) = portal.back_up()

    text = shown(*disc_blocks(portal.sets()))

    assert made in text and "not discs until they are burnt" in text and "none" in text


@pytest.mark.heavy
def test_a_set_is_restored_from_its_discs_alone(portal: Burning, tmp_path: Path) -> None:
    """As DISC.txt says: the folders of all discs, copied into one; portalops then reads it as a disk."""
    (made,) = portal.back_up()
    discs = portal.burn_all()
    for lost in ("disk-a", "discs"):
        shutil.rmtree(portal.folder / lost)
    joined = tmp_path / "joined"
    for disc in (discs[2], discs[0], discs[1]):
        extract = (
            "xorriso",
            "-osirrox",
            "on:sort_lba_on",
            "-indev",
            f"stdio:{disc}",
            "-extract",
            "/",
            str(tmp_path / "disc"),
        )
        subprocess.run(extract, check=True, capture_output=True)
        copy = ("cp", "-r", "--no-preserve=mode", str(tmp_path / "disc" / made), str(joined))
        joined.mkdir(exist_ok=True)
        subprocess.run(copy, check=True)
        subprocess.run(("chmod", "-R", "u+w", str(tmp_path / "disc")), check=True)
        shutil.rmtree(tmp_path / "disc")
    portal.change("[[job]]\n", '[[backup.medium]]\nid = "joined"\nkind = "disk"\nfolder = "joined"\n\n[[job]]\n')
    key = keys().file(tmp_path)

    portal.call("restore", made, "--medium", "joined", "--to", str(tmp_path / "out"), "--identity", str(key))

    articles = portal.folder / "articles"
    restored = tmp_path / "out" / "articles" / articles.relative_to("/")
    assert {path.name: path.read_bytes() for path in restored.iterdir()} == {
        path.name: path.read_bytes() for path in articles.iterdir()
    }
    pack = min((joined / made / "data").rglob("*.age"))
    pack.unlink()
    told = portal.call(
        "restore", made, "--medium", "joined", "--to", str(tmp_path / "out2"), "--identity", str(key),
        expected=ExitCode.PARTIAL,
    )  # fmt: skip
    assert any(pack.name in line for line in told["damaged"]), "a disc that was left out is found"
