"""The set's own `restore.sh`, run in a drill: what is proven then is what a stranger will do.

A script from a medium is code. It is run only if `set.json`, which the ledger pinned or a known key signed, has its digest; as
the unprivileged user of the drill, without network; and before any dump of the set was run, for its key lies in a file meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from backups.age import PrivateKey
from backups.bag import TAG_MANIFEST, parse_manifest
from backups.contents import PIECE_BYTES
from backups.formats import Restored, format_of
from backups.formats._trials import was_stopped
from backups.merged import MergedSet
from backups.restore import REMOVED, merged_members
from backups.restore_script import INCOMPLETE, PROGRAMS, SCRIPT
from portalops.errors import BackupError, PortalOpsError
from portalops.model.backups import ScriptRun
from portalops.model.message import msg, verbatim
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Completed, Runner
from portalops.system.scratch import scratch_folder

MAX_PROBLEMS = 20
LEAST_SECONDS = 900.0
SLOWEST_BYTES = 1 << 20
"""A second: what a restore must at least do."""
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of its own is made in it
_MISSING = 'for program; do command -v "$program" > /dev/null || echo "$program"; done'


@dataclass(frozen=True, slots=True)
class ScriptSubject:
    """A set that was found whole, and what its script needs."""

    copies: MergedSet
    bag_sha256: Digest
    base: MergedSet | None
    identities: Sequence[PrivateKey]
    is_vouched: bool
    """Whether `set.json` is the one that was recorded, or a known key signed it."""


def run_script(subject: ScriptSubject, room: Path, *, user: str, runner: Runner) -> ScriptRun:
    """Run the script of a set in an empty folder, and compare what it restored with what was backed up.

    Never raises for what the script does.

    Args:
        subject: the set.
        room: the folder, which the caller removes.
        user: whom programs run as; empty for the user of portalops itself.
        runner: runs them.
    """
    try:
        obstacle = _obstacle(subject, room, runner)
        if obstacle:
            return ScriptRun(not_run=obstacle)
        folder = _staged(subject.copies, subject.bag_sha256, room)
        base = None
        if subject.base is not None and subject.copies.content.base is not None:
            base = _staged(subject.base, subject.copies.content.base, room)
        with scratch_folder(_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else room) as secret:
            key = _key_file(subject.identities, Path(secret), user)
            work = _own_folder(room / "work", user)
            if runner.run(("sh", "-c", 'test -r "$0" && test -w "$1"', str(folder / SCRIPT), str(work))).exit_code:
                return ScriptRun(not_run=f"the user {user} cannot reach the scratch folder {room}")
            begun = time.monotonic()
            done = _run(subject, runner, folder=folder, base=base, key=key, work=work)
        took_ms = round((time.monotonic() - begun) * 1000)
        if done.exit_code in {126, 127} or was_stopped(done):
            return ScriptRun(not_run=f"it could not be run to its end: {_last_words(done)}", took_ms=took_ms)
        if done.exit_code not in {0, INCOMPLETE}:
            return ScriptRun((f"{SCRIPT} stopped: {_last_words(done)}",), took_ms=took_ms)
        problems: list[str] = []
        try:
            for problem in islice(_differing(subject, work, runner), MAX_PROBLEMS):
                problems.append(show_text(problem, 300))  # noqa: PERF401  # what was found before an error counts
        except BackupError:
            if not problems:
                raise
        return ScriptRun(tuple(problems), took_ms=took_ms)
    except (PortalOpsError, OSError) as error:
        return ScriptRun(not_run=show_text(str(error), 300))


def _obstacle(subject: ScriptSubject, room: Path, runner: Runner) -> str:
    """Return why the script is not run; empty if nothing stands in its way."""
    content = subject.copies.content
    if SCRIPT not in content.tag_files:
        return f"the set has no {SCRIPT}"
    if not subject.is_vouched:
        return f"nothing vouches for {SCRIPT}: set.json is neither recorded nor signed by a known key"
    done = runner.run(("sh", "-c", _MISSING, "sh", *PROGRAMS))
    missing = done.stdout.decode("utf-8", "replace").split()
    if done.exit_code:
        return f"sh cannot be run: {_last_words(done)}"
    if missing:
        return f"these programs are missing here: {', '.join(missing)}"
    sets = [content, *([subject.base.content] if subject.base else [])]
    needed = sum(pack.stored_bytes for each in sets for pack in each.files())
    needed += sum(stream.plain_bytes for each in sets for stream in each.streams)
    space = os.statvfs(room)
    if space.f_bavail * space.f_frsize < needed:
        return f"it needs {needed} bytes in the scratch folder, and {space.f_bavail * space.f_frsize} are free"
    return ""


def _staged(copies: MergedSet, bag_sha256: Digest, room: Path) -> Path:
    """Write a set into a folder, as somebody has it who copied it from a medium. Each file has its digest."""
    manifest = copies.tag_file(TAG_MANIFEST, bag_sha256)
    tags = {path: copies.tag_file(path, digest) for path, digest in parse_manifest(TAG_MANIFEST, manifest).items()}
    folder = room / copies.content.id
    folder.mkdir(mode=0o755)
    for path, data in {**tags, TAG_MANIFEST: manifest}.items():
        _place(folder, path).write_bytes(data)
    for pack in copies.content.files():
        with copies.fetch(pack) as held, _place(folder, pack.path).open("wb") as file:
            while piece := held.read(PIECE_BYTES):
                file.write(piece)
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return folder


def _place(folder: Path, path: str) -> Path:
    """Return where a file of a set goes: `verify_copy` has refused paths that lead out of it."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _key_file(identities: Sequence[PrivateKey], folder: Path, user: str) -> Path:
    path = folder / "key"
    path.touch(mode=0o600)
    path.write_text("".join(f"{each.as_text()}\n" for each in identities), encoding="ascii")
    folder.chmod(0o711)  # it stays portalops's own, who would find and remove it after a kill
    _give(path, user)
    return path


def _own_folder(folder: Path, user: str) -> Path:
    folder.mkdir(mode=0o700)
    _give(folder, user)
    return folder


def _give(path: Path, user: str) -> None:
    if user:
        owner = pwd.getpwnam(user)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _run(
    subject: ScriptSubject, runner: Runner, *, folder: Path, base: Path | None, key: Path, work: Path
) -> Completed:
    values = {"KEY": key, "TO": work / "out", "TMPDIR": work, **({} if base is None else {"BASE": base})}
    settings = (f"{name}={value}" for name, value in values.items())
    plain = sum(stream.plain_bytes for stream in subject.copies.content.streams)
    plain += sum(stream.plain_bytes for stream in subject.base.content.streams) if subject.base else 0
    seconds = LEAST_SECONDS + plain / SLOWEST_BYTES
    return runner.run(("env", *settings, "sh", str(folder / SCRIPT)), timeout_seconds=seconds, limit_bytes=64 << 20)


def _differing(subject: ScriptSubject, work: Path, runner: Runner) -> Iterator[str]:
    """Yield what the script restored otherwise than it was backed up."""
    for stream in subject.copies.content.streams:
        if stream.format == REMOVED:
            continue
        place = work / "out" / format_of(stream).place(stream)
        if stream.format == "tar":
            members = partial(merged_members, subject.copies, stream, subject.identities, subject.base)
            trial = format_of(stream).try_out(Restored(stream, place, work, members, runner))
            yield from (f"{stream.source}: {each}" for each in trial.problems)
            if trial.not_tried:
                raise BackupError(verbatim(trial.not_tried), msg("Run the drill as a user that may read the files."))
        elif not place.is_file() or _digest(place) != stream.plain_sha256:
            yield f"{stream.source}/{stream.name}: not the bytes that were backed up"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _last_words(done: Completed) -> str:
    said = (done.stderr or done.stdout).decode("utf-8", "replace").split("\n")
    return show_text("; ".join(line for line in said if line.strip())[-300:], 300) or f"exit code {done.exit_code}"
