"""What happens to a real disk in the midst of a run: it fills up, turns read-only, goes away, loses what was written.

The portal's last source is a program; what it does, it does when the other sources are written and the set is not sealed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.backups.media.test_disk import require_root
from tests.faults.media import Place, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.truth import check_what_is_said
from tests.programs import need


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB that is mounted, and may be unmounted: what is on it stays, as on a disk that is carried away."""
    require_root()
    disk, folder = tmp_path / "on-the-disk", tmp_path / "mounted"
    for path in (disk, folder):
        path.mkdir()
    mount("-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk))
    mount("--bind", str(disk), str(folder))
    yield folder
    for path in (folder, disk):
        while os.path.ismount(path):
            subprocess.run(["umount", "--lazy", path], check=True)


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(done.stderr)
        pytest.skip(done.stderr)


SETTLED = "i=0; while [ $i -lt 100 ] && ! {act}; do i=$((i+1)); sleep 0.05; done; echo a dump"
"""Until it works: the last pack of the sources before may still be open for a moment."""
HARMS = {
    "it turns read-only": ("mount -o remount,ro {disk} 2>/dev/null", "mount -o remount,rw {disk}"),
    "it fills up": ("(head -c 20m /dev/zero 2>/dev/null >{place}/full || true)", "rm {place}/full"),
    "it goes away": ("umount --lazy {place}", "mount --bind {disk} {place}"),
    "what was written is removed": ("rm -rf {place}/sets/.incoming-* {place}/sets/.staging", "true"),
}


def optical_at(folder: Path) -> Place:
    need("xorriso")
    settings = {"folder": str(folder), "create": True, "allow_same_filesystem": True, "disc_bytes": 8 << 20}
    return Place("optical", settings, lambda: [path.name for path in folder.iterdir() if path.name.startswith(".")])


@pytest.mark.heavy
@pytest.mark.parametrize("what", HARMS)
@pytest.mark.parametrize("kind", ["disk", pytest.param("optical", marks=pytest.mark.heavy)])
def test_a_disk_that_is_harmed_in_mid_run_fails_alone(
    new_portal: NewPortal, tmp_path: Path, mounted: Path, kind: str, what: str
) -> None:
    place = a_disk(mounted / "sets", mount_point=str(mounted)) if kind == "disk" else optical_at(mounted / "sets")
    harm, repair = (each.format(place=mounted, disk=mounted.with_name("on-the-disk")) for each in HARMS[what])
    only_when_asked = f"if [ -e {tmp_path}/harm ]; then {SETTLED.format(act=harm)}; else echo a dump; fi"
    portal = new_portal(media={kind: place, "beside": a_disk(tmp_path / "beside")}, amid=("sh", "-c", only_when_asked))
    (tmp_path / "harm").touch()

    ended = portal.run("backup run --full")

    (made,) = ended.answers()
    assert ended.codes == (ExitCode.PARTIAL,), made
    states = {copy["medium"]: copy["state"] for copy in made["data"]["copies"]}
    assert states["beside"] == "verified" and states[kind] in {"failed", "sealed", "damaged"}, made
    assert next(copy["problem"] for copy in made["data"]["copies"] if copy["medium"] == kind), made
    (tmp_path / "harm").unlink()
    if not os.path.ismount(mounted):
        require_bare(portal, mounted)
    subprocess.run(["sh", "-c", repair], check=True)
    check_what_is_said(portal, what)
    portal.recovers(what)


def require_bare(portal: Portal, mounted: Path) -> None:
    """See that nothing is written where a disk should be mounted, and that no copy there is called damaged or made."""
    assert list(mounted.iterdir()) == []
    (listed,) = portal.run("backup list").answers()
    before = [copy for made in listed["data"] for copy in made["copies"]]
    oldest = before[0]["set"]  # it was made while the disk was there
    for command in ("backup run", f"backup verify {oldest}", "backup replicate"):
        ended = portal.run(command)
        assert ended.codes[0] in {ExitCode.PARTIAL, ExitCode.FAILED}, (command, ended.output.decode())
        assert list(mounted.iterdir()) == [], command
    pruned, listed = portal.run("backup prune --trust-clock", "backup list").answers()
    assert pruned["data"]["removed"] == [] and list(mounted.iterdir()) == [], pruned
    after = {copy["id"]: copy["state"] for made in listed["data"] for copy in made["copies"]}
    assert [after[copy["id"]] for copy in before] == [copy["state"] for copy in before]


@pytest.mark.parametrize("room_kib", [400, 900, 1500])
def test_the_program_that_makes_images_may_run_out_of_space(
    new_portal: NewPortal, tmp_path: Path, mounted: Path, room_kib: int
) -> None:
    """What is put together fits, and the image beside it does not."""
    portal = new_portal(media={"optical": optical_at(mounted / "sets"), "beside": a_disk(tmp_path / "beside")})
    free = os.statvfs(mounted).f_bavail * os.statvfs(mounted).f_frsize
    with (mounted / "full").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - (room_kib << 10))

    ended = portal.run("backup run --full")

    assert ended.signal == 0 and ended.codes[0] in {ExitCode.OK, ExitCode.PARTIAL}, ended.output.decode()
    (mounted / "full").unlink()
    portal.recovers(f"{room_kib} KiB were free")
