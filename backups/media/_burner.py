"""A drive that burns discs: what lies in it, an image onto a blank disc, and the disc read from the disc itself.

xorriso(1) burns; where it fails and has left a DVD or BD blank, growisofs(1) does, which knows drives that xorriso does not
(DVD+R without RESERVE TRACK). Whether the disc is blank is asked of the drive before each of the two: growisofs itself writes
over any rewritable disc. The tray goes out and in after burning, so that neither the drive nor this machine answers from memory:
ioctls of `linux/cdrom.h` and `linux/fs.h`.

Tried on the DVD+R burner that tgt emulates, and on no real drive.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portalops.errors import MediumUnavailable
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Completed, LoadedDisc, Readable, Runner
from portalops.system.programs import LocalRunner

BLOCK_BYTES = 2048
STAND_IN = "stdio:"
"""What stands before a file that xorriso takes for a drive; for trials alone, since it is no disc."""

_A_DAY = 86_400.0
_RELOAD_SECONDS = 90.0
_CDROM_EJECT, _CDROM_CLOSE_TRAY, _CDROM_STATUS, _CDROM_LOCK_DOOR = 0x5309, 0x5319, 0x5326, 0x5329
_TRAY_OPEN, _DISC_OK = 2, 4
_NO_DISC = 1
_FLUSH_BUFFERS = 0x1261
_TYPE = re.compile(r"^Drive type +: vendor '(.*?)' +product '(.*?)'", re.MULTILINE)
_KIND = re.compile(r"^Media current: (.*)$", re.MULTILINE)
_STATUS = re.compile(r"^Media status : (.*)$", re.MULTILINE)
_SPACE = re.compile(r"^Media space +: (\d+)s$", re.MULTILINE)


class DiscBurner:
    """A drive of this machine, given by its device, such as `/dev/sr0`; a `ports.DiscDrive`."""

    def __init__(self, device: str, runner: Runner | None = None) -> None:
        """Take a device.

        Args:
            device: a block device; or `stdio:` and a file, which stands in for one.
            runner: runs xorriso and growisofs.
        """
        self.device = device
        self._path = device.removeprefix(STAND_IN)
        self._runner = runner or LocalRunner()

    def loaded(self) -> LoadedDisc:
        self._require_disc()
        done = self._xorriso("-outdev", self.device, "-toc", "-tell_media_space")
        found = parse_state(done.stdout.decode("utf-8", "replace"))
        if done.exit_code != 0 or found is None:
            raise self._unusable(
                msg("xorriso cannot read which disc is in it: {said}", said=_read_error(done)),
                msg(
                    "Check that the drive can burn, that no other program uses it, and that you have access: "
                    "'xorriso -device_links'."
                ),
            )
        if found.kind.startswith("stdio") and not self.device.startswith(
            STAND_IN
        ):  # anything that xorriso can write to
            raise self._unusable(
                msg("it is not a drive that burns discs"),
                msg("Name the device file of a drive that burns, such as /dev/sr0."),
            )
        return found

    def burn(self, image: Path) -> str:
        done = self._xorriso("-as", "cdrecord", "-v", "-dao", f"dev={self.device}", str(image))
        if done.exit_code == 0:
            return "xorriso"
        said = _read_error(done)
        try:
            left = self.loaded()
        except MediumUnavailable as error:  # a drive that lost its disc by it: why burning failed says more
            raise self._not_burnt(said) from error
        if left.is_blank and left.kind.startswith(("DVD", "BD")):
            other = self._runner.run(
                ("growisofs", "-dvd-compat", "-Z", f"{self._path}={image}"), timeout_seconds=_A_DAY, limit_bytes=1 << 30
            )
            if other.exit_code == 0:
                return "growisofs"
            growisofs = "it is not installed" if other.exit_code == 127 else _read_error(other)
            said = f"{said}; growisofs: {growisofs}"
        raise self._not_burnt(said)

    def reload(self) -> None:
        if self.device.startswith(STAND_IN):
            return
        with self._opened(os.O_NONBLOCK) as drive:
            with suppress(OSError):  # a drive without a lock
                fcntl.ioctl(drive, _CDROM_LOCK_DOOR, 0)
            with suppress(
                OSError
            ):  # one that does not move its tray by itself: what it has in memory goes by its own rules
                fcntl.ioctl(drive, _CDROM_EJECT)
                fcntl.ioctl(drive, _CDROM_CLOSE_TRAY)
            until = time.monotonic() + _RELOAD_SECONDS
            while self._status(drive) not in {_DISC_OK, None}:
                if time.monotonic() > until:
                    raise self._unusable(
                        msg("the drive did not load the disc again"),
                        msg("Insert the disc, close the tray, and verify it with 'portalops media check ID --device'."),
                    )
                time.sleep(0.5)

    @contextmanager
    def open(self) -> Iterator[Readable]:
        self._require_disc()
        with self._opened() as disc:
            with suppress(OSError):  # only root may; the next line does the same to what nobody else reads
                fcntl.ioctl(disc, _FLUSH_BUFFERS)
            os.posix_fadvise(disc, 0, 0, os.POSIX_FADV_DONTNEED)
            yield _Disc(disc)

    def _require_disc(self) -> None:
        """Make sure that there is a drive with a disc in it; a drive that does not say so is asked by xorriso."""
        if self.device.startswith(STAND_IN):
            return
        with self._opened(os.O_NONBLOCK) as drive:
            status = self._status(drive)
        if status == _TRAY_OPEN:
            raise self._unusable(msg("its tray is open"), msg("Insert a disc and close the tray."))
        if status == _NO_DISC:
            raise self._unusable(msg("there is no disc in it"), msg("Insert a disc."))

    def _status(self, drive: int) -> int | None:
        try:
            return fcntl.ioctl(drive, _CDROM_STATUS, 0)
        except OSError:
            return None  # no drive for discs, which xorriso tells better

    @contextmanager
    def _opened(self, flags: int = 0) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | flags)
        except FileNotFoundError as error:
            there = ", ".join(sorted(str(path) for path in Path("/dev").glob("sr[0-9]*")))
            raise self._unusable(
                msg("there is no such drive"), msg("The drives of this machine: {drives}.", drives=there or msg("none"))
            ) from error
        except OSError as error:
            raise self._unusable(
                msg("{cause}", cause=cause_of(error)),
                msg("Check that you may use the drive: as a member of the group cdrom, or as root."),
            ) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _xorriso(self, *arguments: str) -> Completed:
        done = self._runner.run(("xorriso", "-no_rc", *arguments), timeout_seconds=_A_DAY, limit_bytes=1 << 30)
        if done.exit_code == 127:
            raise self._unusable(
                msg("the program xorriso, which burns discs, is not installed"), msg("Install the package xorriso.")
            )
        return done

    def _not_burnt(self, said: str) -> MediumUnavailable:
        return self._unusable(
            msg("burning failed: {said}", said=said),
            msg(
                "Try a new disc of another brand, or reduce the load on this machine. A half-burnt disc cannot "
                "be used again."
            ),
        )

    def _unusable(self, cause: Message, hint: Message) -> MediumUnavailable:
        return MediumUnavailable(msg("drive {device}: {cause}", device=show_text(self.device, 200), cause=cause), hint)


class _Disc:
    """Reads a disc from its first byte on."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, size: int, /) -> bytes:
        return os.read(self._descriptor, size)


def parse_state(printed: str) -> LoadedDisc | None:
    """Return what `xorriso -outdev DEVICE -toc -tell_media_space` prints of the disc; None if it says nothing of one.

    >>> state = parse_state(
    ...     "Drive type   : vendor 'IET' product 'VIRTUAL-CDROM' revision '0'\\n"
    ...     "Media current: DVD+R\\nMedia status : is blank\\nMedia space  : 2295104s\\n"
    ... )
    >>> state.kind, state.is_blank, state.free_bytes, state.drive
    ('DVD+R', True, 4700372992, 'IET VIRTUAL-CDROM')
    """
    kind, status = _KIND.search(printed), _STATUS.search(printed)
    if kind is None or status is None:
        return None
    name, space = _TYPE.search(printed), _SPACE.search(printed)
    state = show_text(status[1].strip(), 80)
    return LoadedDisc(
        kind=show_text(kind[1].strip(), 80),
        state=state,
        is_blank=state == "is blank",
        free_bytes=int(space[1]) * BLOCK_BYTES if space else 0,
        drive=show_text(f"{name[1].strip()} {name[2].strip()}", 80) if name else "",
    )


def _read_error(done: Completed) -> str:
    """Return the end of what a program printed, in one bounded line."""
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    failures = [line for line in lines if " : FAILURE : " in line or " : FATAL : " in line or ":-(" in line] or lines[
        -3:
    ]
    return show_text(f"exit code {done.exit_code}: {'; '.join(failures)[:400]}", 440)
