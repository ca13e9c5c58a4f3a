"""Discs burnt, mounted, compared and restored from in a machine whose kernel takes its burner for a real one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portalops.errors import ExitCode
from tests.backups.kit import keys
from tests.backups.test_prune import CONFIGURATION
from tests.commands.test_media_burn import DISCS, DISK_B
from tests.vm import DISC, Machine

pytestmark = [pytest.mark.vm, pytest.mark.heavy]

DATA_OF_DRIVE = 8192
"""Where the first sector of a disc lies in the file that tgt keeps it in."""


class Portal:
    """A small portal inside the machine."""

    def __init__(self, vm: Machine) -> None:
        self._vm = vm
        operator, escrow = (key for _name, key in keys().public)
        text = CONFIGURATION.format(operator=operator, escrow=escrow)
        joined = '[[backup.medium]]\nid = "joined"\nkind = "disk"\nfolder = "joined"\nallow_same_filesystem = true\n'
        text = text.replace(f"[[backup.medium]]\n{DISK_B}", f"[[backup.medium]]\n{DISCS}\n{joined}")
        vm.write("/srv/portal/portalops.toml", text.replace("[backup]\n", "[backup]\npack_mib = 1\n"))
        vm.write("/srv/portal/key", keys().operator)
        vm.shell(
            "mkdir /srv/portal/articles; cd /srv/portal/articles; for n in 1 2 3 4 5 6; do head -c 1M /dev/urandom >$n; done"
        )

    def call(self, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        """Call portalops and return its data, or its error."""
        done = self._vm.run(
            "portalops", "--config", "/srv/portal/portalops.toml", "--json", *arguments, check=False, seconds=900
        )
        assert done.code == expected, done
        answer = json.loads(done.output)
        return answer["data"] if answer["ok"] else answer["error"]

    def burn(self, expected: ExitCode = ExitCode.OK) -> Any:
        return self.call("media", "burn", "latest", "--medium", "discs", "--device", DISC, expected=expected)

    def check(self, expected: ExitCode = ExitCode.OK) -> Any:
        return self.call("media", "check", "discs", "--device", DISC, expected=expected)


def flip(vm: Machine, file: str, at: int) -> None:
    """Change one bit of a file."""
    vm.run("python3", "-c", f"f=open({file!r},'r+b');f.seek({at});b=f.read(1)[0];f.seek({at});f.write(bytes([b^1]))")


def test_a_set_is_burnt_to_two_discs_and_restored_from_them(vm: Machine) -> None:
    vm.install_portalops()
    vm.load_disc(name="first")
    portal = Portal(vm)
    # the folder for the copied discs is not there yet
    made = portal.call("backup", "run", expected=ExitCode.PARTIAL)["set"]
    images = [f"/srv/portal/discs/{made}/disc-{number}.iso" for number in (1, 2)]

    # an image that was changed is not burnt, and the disc stays blank
    flip(vm, images[0], 2 << 20)
    assert "disc-1.iso" in str(portal.burn(ExitCode.INTEGRITY))
    flip(vm, images[0], 2 << 20)
    burnt = portal.burn()
    assert (burnt["disc"], burnt["discs"], burnt["state"], burnt["in_drive"]) == (1, 2, "whole", "DVD+R")
    assert burnt["program"] == "growisofs", "xorriso cannot burn what tgt emulates"

    # a burnt disc is left alone
    assert "not blank" in str(portal.burn(ExitCode.FAILED))
    assert portal.check()["disc"] == 1

    # it is what was made, for stock programs too
    for number, name in ((1, "first"), (2, "second")):
        if number == 2:
            vm.load_disc(name=name)
            assert portal.burn()["disc"] == 2
        size = int(vm.run("stat", "-c", "%s", images[number - 1]).output)
        vm.run("cmp", f"--bytes={size}", images[number - 1], DISC)
        vm.shell(
            f"set -e; mkdir -p /srv/mounted /srv/portal/joined; mount -o ro {DISC} /srv/mounted;"
            f"cp -r --no-preserve=mode /srv/mounted/{made} /srv/portal/joined/; umount /srv/mounted"
        )
    vm.shell(
        f"set -e; cd /srv/portal/joined/{made}; sha256sum --check --quiet --strict tagmanifest-sha256.txt manifest-sha256.txt"
    )

    # a bit that rots is found on the disc itself, not in a memory of it
    flip(vm, "/var/lib/drives/second", DATA_OF_DRIVE + size // 2)
    assert portal.check(ExitCode.INTEGRITY)["state"] == "broken"
    shown = portal.call("backup", "show", "latest")
    assert [(disc["disc"], disc["state"]) for disc in shown["discs"]] == [(1, "whole"), (2, "broken")]

    # all is lost but the discs
    vm.shell("rm -r /srv/portal/disk-a /srv/portal/discs")
    portal.call("backup", "restore", made, "--medium", "joined", "--to", "/srv/out", "--identity", "/srv/portal/key")
    vm.run("diff", "-r", "/srv/portal/articles", "/srv/out/articles/srv/portal/articles")


def test_a_drive_without_a_disc_of_ours_is_told(vm: Machine) -> None:
    vm.install_portalops()
    vm.load_disc(name="blank")
    vm.write(
        "/srv/other/portalops.toml",
        '[portal]\nid = "other"\nname = { vi = "Cổng", en = "Portal" }\n[state]\nfolder = "state"\n',
    )

    done = vm.run(
        "portalops", "--config", "/srv/other/portalops.toml", "media", "check", "discs", "--device", DISC, check=False
    )

    assert done.code == ExitCode.FAILED
    assert "was not burnt from medium" in done.errors or "cannot be read" in done.errors
