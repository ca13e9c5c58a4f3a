"""Which program burns, when the other one does, and what is said of drives that do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from backups.media._burner import DiscBurner
from portalops.errors import MediumUnavailable
from portalops.ports import Completed

REFUSED = (
    b"libburn : SORRY : SCSI error on write_start_reserve_track: [5 20 00] Illegal request. Invalid command operation code.\n"
    b"xorriso : FAILURE : Failed to burn the image\n"
)
BLANK = b"Drive type   : vendor 'IET' product 'VIRTUAL-CDROM' revision '0001'\nMedia current: DVD+R\nMedia status : is blank\n"
WRITTEN = BLANK.replace(b"is blank", b"is written , is appendable")
CD = BLANK.replace(b"DVD+R", b"CD-R")


class Programs:
    """A `ports.Runner` that knows what each program answers."""

    def __init__(self, *, state: bytes = BLANK, xorriso: int = 5, growisofs: int = 0) -> None:
        self.state, self.codes = state, {"xorriso": xorriso, "growisofs": growisofs}
        self.burning: list[tuple[str, ...]] = []

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        if "-toc" in argv:
            return Completed(0, self.state, b"")
        self.burning.append(tuple(argv))
        code = self.codes[argv[0]]
        return Completed(code, b"", REFUSED if code else b"")


def burner(programs: Programs, folder: Path) -> DiscBurner:
    (folder / "disc").touch()
    return DiscBurner(f"stdio:{folder / 'disc'}", programs)


def test_xorriso_burns_where_it_can(tmp_path: Path) -> None:
    programs = Programs(xorriso=0)

    assert burner(programs, tmp_path).burn(Path("disc-1.iso")) == "xorriso"

    device = f"dev=stdio:{tmp_path / 'disc'}"
    assert programs.burning == [("xorriso", "-no_rc", "-as", "cdrecord", "-v", "-dao", device, "disc-1.iso")]


def test_growisofs_burns_a_disc_that_xorriso_refused_and_left_blank(tmp_path: Path) -> None:
    programs = Programs()

    assert burner(programs, tmp_path).burn(Path("disc-1.iso")) == "growisofs"

    assert programs.burning[1] == ("growisofs", "-dvd-compat", "-Z", f"{tmp_path / 'disc'}=disc-1.iso")


@pytest.mark.parametrize("state", [WRITTEN, CD])
def test_growisofs_touches_no_disc_that_is_not_blank_or_that_it_does_not_know(tmp_path: Path, state: bytes) -> None:
    programs = Programs(state=state)

    with pytest.raises(MediumUnavailable, match="burning failed: exit code 5: xorriso : FAILURE : Failed to burn"):
        burner(programs, tmp_path).burn(Path("disc-1.iso"))

    assert len(programs.burning) == 1


@pytest.mark.parametrize(("code", "said"), [(127, "growisofs: it is not installed"), (1, "growisofs: exit code 1")])
def test_what_both_programs_said_is_told(tmp_path: Path, code: int, said: str) -> None:
    with pytest.raises(MediumUnavailable, match=said):
        burner(Programs(growisofs=code), tmp_path).burn(Path("disc-1.iso"))


def test_why_burning_failed_is_told_where_the_drive_then_knows_no_disc(tmp_path: Path) -> None:
    programs = Programs(state=b"")

    with pytest.raises(MediumUnavailable, match="burning failed: exit code 5: xorriso : FAILURE : Failed to burn"):
        burner(programs, tmp_path).burn(Path("disc-1.iso"))

    assert len(programs.burning) == 1


def test_a_drive_that_says_nothing_of_its_disc_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediumUnavailable, match="xorriso cannot read which disc"):
        burner(Programs(state=b""), tmp_path).loaded()


@pytest.mark.needs("xorriso")
def test_what_is_no_drive_for_discs_is_told(tmp_path: Path) -> None:
    """Real xorriso: it refuses a device that is no drive, and takes any file elsewhere for a blank disc."""
    (tmp_path / "file").touch()

    with pytest.raises(MediumUnavailable, match=r"xorriso cannot read which disc is in it: exit code 5: .*FAILURE"):
        DiscBurner("/dev/null").loaded()
    with pytest.raises(MediumUnavailable, match="it is not a drive that burns discs"):
        DiscBurner(str(tmp_path / "file")).loaded()
