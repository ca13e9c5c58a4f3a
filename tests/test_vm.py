"""The virtual machine that drives are tried in: its kernel takes the tape and the disc for real ones."""

from __future__ import annotations

import pytest

import portalops
from tests.vm import DISC, TAPE, Machine

pytestmark = [pytest.mark.vm, pytest.mark.heavy]


def test_its_tape_keeps_file_marks_and_ends(vm: Machine) -> None:
    vm.load_tape(size_mib=4)

    vm.shell(f"echo one | dd of={TAPE} bs=512 conv=sync; echo two | dd of={TAPE} bs=512 conv=sync")
    full = vm.shell(f"dd if=/dev/zero of={TAPE} bs=64k", check=False)
    second = vm.shell(f"mt -f {TAPE} rewind; mt -f {TAPE} fsf 1; dd if={TAPE} bs=64k count=1")

    assert "No space left on device" in full.errors
    assert second.output.rstrip("\0") == "two\n"


def test_a_cartridge_comes_back_as_it_was_left(vm: Machine) -> None:
    vm.load_tape(name="A")
    vm.shell(f"echo on A | dd of={TAPE} bs=512 conv=sync")
    vm.load_tape(name="B")
    vm.load_tape(name="A", blank=False)

    assert vm.shell(f"dd if={TAPE} bs=512").output.rstrip("\0") == "on A\n"


def test_its_disc_is_blank_and_can_be_burnt_and_mounted(vm: Machine) -> None:
    vm.load_disc()
    vm.write("/srv/disc/tin-1.html", "Tin 1")

    blank = vm.run("xorriso", "-outdev", DISC, "-toc")
    vm.shell(
        f"cd /srv; xorriso -as mkisofs -R -o disc.iso disc 2>&1; growisofs -dvd-compat -Z {DISC}=disc.iso 2>&1;"
        f"mkdir mounted; mount -o ro {DISC} mounted"
    )

    assert "is blank" in blank.output + blank.errors
    assert vm.read("/srv/mounted/tin-1.html") == b"Tin 1"
    vm.run("umount", "/srv/mounted")


def test_portalops_runs_inside(vm: Machine) -> None:
    vm.install_portalops()

    assert vm.run("portalops", "--version").output == f"portalops {portalops.__version__}\n"
