"""A drill: one copy, restored into a scratch folder and tried out, with the time that it took.

That a copy has its digests does not prove that anybody can work with it. A drill reads every byte, runs the set's own `restore.sh` as a
stranger would (`backups/drill_script.py`), restores all of the set itself, gives each stream to its format to be used and queried (`backups/formats/`), and removes
everything again. Dumps are programs, and anybody who could write to the portal's databases may have changed them: they run in throw-away servers, as a
user that may do nothing else, without network, and never in the live ones.
"""

from __future__ import annotations

import errno
import logging
import os
import pwd
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from backups.age import PrivateKey
from backups.drill_script import ScriptSubject, run_script
from backups.formats import Restored, Trial, format_of
from backups.formats._trials import not_readable
from backups.merged import CopyFault, MergedSet
from backups.restore import REMOVED, merged_members, restore_set
from backups.set_file import SetFile
from backups.signature import NAME as SIGNATURE
from backups.verify import bag_digest, verify_copy
from portalops.errors import BackupError, MediumUnavailable, PortalOpsError, SetDamaged
from portalops.model.backups import Copy, CopyState, DrillResult, ScriptRun, SetId, StreamTrial, VerifyLevel
from portalops.model.causes import cause_of, line_of_record
from portalops.model.heads import Signer
from portalops.model.message import ByteCount, msg, together
from portalops.model.text import show_text
from portalops.ports import Clock, Medium, Progress, Runner, StoredSet
from portalops.registers.backups import SetEvidence
from portalops.system.scratch import kept_scratch_folder

logger = logging.getLogger(__name__)

CHANCE, PERSON = "chance", "person"
_ROOM = 2.2
"""Space that a drill needs, in plaintexts of the set: what is restored, and a server that has loaded it."""


@dataclass(frozen=True, slots=True)
class DrillTarget:
    """A copy to restore."""

    made: SetEvidence
    copy: Copy
    chosen_by: str
    """`chance` or `person`."""


@dataclass(frozen=True, slots=True)
class DrillPlace:
    """Where a drill works, and as whom its programs run."""

    folder: Path
    """Scratch folders are made in it."""
    user: str
    """Empty for the user of portalops itself."""
    runner: Runner


def choose_target(
    sets: Sequence[SetEvidence],
    media: Sequence[str],
    *,
    chance: Callable[[int], int] = secrets.randbelow,
) -> DrillTarget | None:
    """Choose a copy by chance among the verified ones on configured media; None if there is none.

    By chance, so that no copy can count on never being tried. First the set, then the copy: a set with many copies is
    not drilled more often.

    Args:
        sets: as recorded.
        media: ids of the media that are configured.
        chance: returns a number from 0 up to one less than its argument.
    """
    candidates = [
        (made, copies) for made in sets if (copies := [copy for copy in made.verified_copies() if copy.medium in media])
    ]
    if not candidates:
        return None
    made, copies = candidates[chance(len(candidates))]
    return DrillTarget(made, copies[chance(len(copies))], CHANCE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was found on media by a host whose ledger knows no set."""

    target: DrillTarget | None
    """None if no set on the media is known to be the portal's."""
    refused: tuple[str, ...] = ()
    """Sets that were drawn before and are not the portal's, or do not hold: one line each."""
    unsigned: tuple[str, ...] = ()
    """Unsigned sets, of which nothing shows whose they are."""
    unreached: tuple[str, ...] = ()
    """Media that could not be listed."""


def draw_on_media(
    media: Sequence[Medium],
    is_wanted: Callable[[SetId], bool],
    keys: Sequence[Signer],
    *,
    chosen_by: str,
    chance: Callable[[int], int] = secrets.randbelow,
) -> Drawn:
    """Choose a copy by chance among the sets on media that one of the keys signed.

    First the set, then the copy. What was drawn and is not the portal's is told, and the next is drawn: somebody who puts a
    set on a medium can neither have it taken for the portal's nor keep the others from being drilled.

    Args:
        media: which are searched.
        is_wanted: of a set's name: whether it is one of those to choose from.
        keys: the ledger's signing keys with their times.
        chosen_by: `chance` or `person`.
        chance: returns a number from 0 up to one less than its argument.
    """
    there: dict[SetId, list[Medium]] = {}
    refused: list[str] = []
    unsigned: list[str] = []
    unreached: list[str] = []
    for medium in media:
        try:
            for name in medium.sets():
                if is_wanted(name):
                    there.setdefault(name, []).append(medium)
        except MediumUnavailable as error:
            unreached.append(show_text(f"{medium.id}: {error}", 500))
    while there:
        name = sorted(there)[chance(len(there))]
        medium = there[name].pop(chance(len(there[name])))
        there = {each: left for each, left in there.items() if left}
        where = show_text(f"{medium.id}: {name}", 200)
        try:
            stored = medium.open_set(name)
            bag = bag_digest(stored)
            found = verify_copy(stored, name, bag_sha256=bag, level=VerifyLevel.L1, keys=keys)
        except MediumUnavailable as error:
            unreached.append(show_text(f"{where}: {error}", 500))
            continue
        except PortalOpsError as error:
            refused.append(show_text(f"{where}: {error}", 500))
            continue
        content = found.content
        doubts = [each for each in found.problems if content is None or each.startswith(SIGNATURE)]
        if content is None or content.id != name or doubts:
            refused.append(show_text(f"{where}: {'; '.join((doubts or list(found.problems))[:3])}", 500))
        elif not content.signer:
            unsigned.append(where)
        else:
            copy = Copy(name, medium.id, medium.kind, CopyState.SEALED, VerifyLevel.NONE, None)
            made = SetEvidence(0, content.created_at, content.as_set(bag), (copy,), ())
            return Drawn(DrillTarget(made, copy, chosen_by), tuple(refused), tuple(unsigned), tuple(unreached))
    return Drawn(None, tuple(refused), tuple(unsigned), tuple(unreached))


def run_drill(
    target: DrillTarget,
    stored: StoredSet,
    *,
    find_base: Callable[[SetFile], tuple[MergedSet | None, tuple[CopyFault, ...]]],
    identities: Sequence[PrivateKey],
    keys: Sequence[Signer] | None,
    place: DrillPlace,
    clock: Clock,
    progress: Progress,
) -> DrillResult:
    """Restore a copy and try it out.

    Args:
        target: which copy.
        stored: the copy on its medium.
        find_base: joins the copies of a differential's base; none where no medium has it, and why.
        identities: private keys, at least one of a recipient.
        keys: the ledger's signing keys; None if no ledger can be asked.
        place: where to work.
        clock: the time of the drill.
        progress: shown the bytes that are read.

    Raises:
        WrongKey: no key opens the set.
        BackupError: there is too little space, the scratch folder cannot be made, or no medium that has the base can be read.
        MediumUnavailable: the medium cannot be read.
    """
    copy = replace(target.copy, verified_at=None).with_problem("")
    made = target.made.set
    with progress.task(msg("Reading the copy"), total=made.stored_bytes, unit="bytes") as task:
        findings = verify_copy(
            stored, made.id, bag_sha256=made.bag_sha256, level=VerifyLevel.L2, keys=keys, on_bytes=task.advance
        )
    if findings.problems or findings.content is None:
        said = findings.said or (msg("it says nothing of what is in it"),)
        copy = replace(copy, state=CopyState.DAMAGED, level=findings.level).with_problem(together(said, most=5))
        return DrillResult((copy,), chosen_by=target.chosen_by, bag_sha256=made.bag_sha256)
    copies = MergedSet(findings.content, [(target.copy.medium, stored)])
    base, problems = find_base(findings.content)
    if base is None and problems:
        return _not_restored(target, copy, problems, clock)
    plain = sum(stream.plain_bytes for stream in copies.content.streams) + _base_bytes(copies.content, base)
    require_space(place.folder, plain)
    subject = ScriptSubject(copies, made.bag_sha256, base, identities, findings.is_vouched)
    with _scratch(place) as scratch:
        script = _run_script(subject, scratch, place, progress)
        begun = clock.monotonic()
        with progress.task(msg("Restoring"), total=plain, unit="bytes") as task:
            report = restore_set(copies, identities, scratch / "restored", base=base, on_bytes=task.advance)
        restored = clock.monotonic()
        if base is not None and report.damaged and not copies.faults:
            return _not_restored(target, copy, base.faults, clock)
        trials = _try_out(_Opened(copies, identities, base), scratch, place, progress)
        ended = clock.monotonic()
    lines = [*map(line_of_record, (*report.damaged, *report.refused))]
    lines += [
        msg("{source}/{stream}: {problem}", source=each.source, stream=each.stream, problem=line_of_record(problem))
        for each in trials
        for problem in each.problems
    ]
    level = min((each.level for each in trials), default=VerifyLevel.L3)
    copy = replace(copy, state=CopyState.VERIFIED, level=level, verified_at=clock.now())
    if lines:
        copy = replace(copy, state=CopyState.DAMAGED, verified_at=None).with_problem(together(lines, most=5))
    return DrillResult(
        (copy, *_damaged_copies(target, base.faults if base else ())),
        trials,
        plain,
        round((restored - begun) * 1000),
        round((ended - restored) * 1000),
        target.chosen_by,
        made.bag_sha256,
        script,
    )


def _run_script(subject: ScriptSubject, scratch: Path, place: DrillPlace, progress: Progress) -> ScriptRun:
    room = scratch / "script"
    room.mkdir(mode=0o711)
    try:
        with progress.task(msg("Restoring with the set's own restore.sh"), total=None, unit="bytes"):
            return run_script(subject, room, user=place.user, runner=place.runner)
    finally:
        _remove(room)  # before the restore needs the space


def _not_restored(target: DrillTarget, copy: Copy, faults: Sequence[CopyFault], clock: Clock) -> DrillResult:
    """Return what came of a copy that was read whole, and whose base no medium has whole: the blame is the base's alone.

    Raises:
        BackupError: the base was damaged nowhere, it could not be read.
    """
    said = together([each.shown for each in faults], most=3)
    base = faults[0].set_id
    if not any(each.is_damage for each in faults):
        raise BackupError(
            msg(
                "the base {base} of set {set} could not be read: {problems}", base=base, set=copy.set_id, problems=said
            ),
            msg("Attach a medium that has the base: 'portalops backup list' names the media."),
        )
    read = replace(copy, state=CopyState.VERIFIED, level=VerifyLevel.L2, verified_at=clock.now())
    return DrillResult(
        (read, *_damaged_copies(target, faults)), chosen_by=target.chosen_by, bag_sha256=target.made.set.bag_sha256
    )


def _damaged_copies(target: DrillTarget, faults: Sequence[CopyFault]) -> tuple[Copy, ...]:
    """Return the recorded copies of a base that were found damaged while a differential was restored."""
    known = target.made.base.copies if target.made.base else ()
    found = []
    for copy in known:
        said = [each.problem for each in faults if each.is_damage and each.medium == copy.medium]
        if said:
            damaged = replace(copy, state=CopyState.DAMAGED, level=VerifyLevel.L1, verified_at=None)
            found.append(damaged.with_problem(together(said, most=5)))
    return tuple(found)


def _base_bytes(content: SetFile, base: MergedSet | None) -> int:
    if base is None:
        return 0
    built_on = {(stream.source, stream.name) for stream in content.streams if stream.differential}
    return sum(each.plain_bytes for each in base.content.streams if (each.source, each.name) in built_on)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A copy with what it takes to read it."""

    copies: MergedSet
    identities: Sequence[PrivateKey]
    base: MergedSet | None


def _try_out(copy: _Opened, scratch: Path, place: DrillPlace, progress: Progress) -> tuple[StreamTrial, ...]:
    trials: list[StreamTrial] = []
    streams = [stream for stream in copy.copies.content.streams if stream.format != REMOVED]
    with progress.task(msg("Testing the restored data"), total=len(streams), unit="items") as task:
        for number, stream in enumerate(streams):
            task.note(msg("source {source}", source=stream.source))
            room = scratch / f"trial-{number}"
            room.mkdir(mode=0o700)
            restored = Restored(
                stream,
                scratch / "restored" / format_of(stream).place(stream),
                room,
                partial(merged_members, copy.copies, stream, copy.identities, copy.base),
                place.runner,
            )
            _give(place, room, restored.place)
            trial = tried(restored)
            trials.append(
                StreamTrial(
                    stream.source,
                    stream.name,
                    trial.level,
                    show_text(trial.asked, 200),
                    tuple(show_text(problem, 300) for problem in trial.problems[:20]),
                    show_text(trial.not_tried, 300),
                )
            )
            _remove(room)
            task.advance(1)
    return tuple(trials)


def tried(restored: Restored) -> Trial:
    """Try a stream out. An obstacle is reported: it is never a pass, and no damage of the copy."""
    try:
        return format_of(restored.stream).try_out(restored)
    except SetDamaged as error:
        return Trial(VerifyLevel.L3, (str(error),))
    except PortalOpsError as error:
        return Trial(VerifyLevel.L3, not_tried=str(error))
    except OSError as error:
        return Trial(VerifyLevel.L3, not_tried=str(not_readable(cause_of(error))))


def _give(place: DrillPlace, room: Path, restored: Path) -> None:
    """Let the user of the trial read a dump and write into its room; trees are compared by portalops itself."""
    if not place.user:
        return
    owner = pwd.getpwnam(place.user)
    os.chown(room, owner.pw_uid, owner.pw_gid)
    if restored.is_file() and not restored.is_symlink():
        os.chown(restored, owner.pw_uid, owner.pw_gid)
        restored.parent.chmod(0o711)


@contextmanager
def _scratch(place: DrillPlace) -> Iterator[Path]:
    """Make a folder for one drill, and remove it and all that is in it."""
    try:
        folder = kept_scratch_folder(place.folder)
    except OSError as error:
        raise _no_scratch(place.folder, error) from error
    try:
        if place.user:
            folder.chmod(0o711)  # the user of the trial goes through it, and lists nothing
        (folder / "restored").mkdir(mode=0o711 if place.user else 0o700)
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder whatever modes and owners its folders were restored with."""

    def retry(remove: Callable[[str], object], path: str, error: object) -> None:
        inside = Path(path).relative_to(folder)
        try:
            for each in (*reversed([folder / above for above in inside.parents]), folder / inside):
                if each.is_dir() and not each.is_symlink():
                    _open_up(each)
            if inside == Path():
                logger.warning("%s was left behind: %s", path, error)
            elif os.path.isdir(path) and not os.path.islink(path):
                _remove(Path(path))
            else:
                remove(path)
        except OSError as left:
            logger.warning("%s was left behind: %s", path, left)

    _open_up(folder)
    shutil.rmtree(folder, onerror=retry)


def _open_up(folder: Path) -> None:
    """Let this user list and change a folder; a root without CAP_DAC_OVERRIDE must own it for that."""
    with suppress(OSError):
        if os.geteuid() == 0:
            os.chown(folder, 0, 0)
        folder.chmod(stat.S_IRWXU)


def require_space(folder: Path, plain_bytes: int) -> None:
    """Make sure that a drill has room, in a folder that this user may write into.

    Raises:
        BackupError: it has not.
    """
    try:
        space = os.statvfs(f"{folder}/")  # with the slash a file is none
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _no_scratch(folder, error) from error
    free, needed = space.f_bavail * space.f_frsize, round(plain_bytes * _ROOM)
    if free < needed:
        raise BackupError(
            msg(
                "the drill needs about {needed} in {folder}, but only {free} are free",
                needed=ByteCount(needed),
                folder=str(folder),
                free=ByteCount(free),
            ),
            msg("Set backup.drill.folder to a folder with more space."),
        )


def _no_scratch(folder: Path, error: OSError) -> BackupError:
    return BackupError(
        msg("cannot make a scratch folder in {folder}: {cause}", folder=str(folder), cause=cause_of(error)),
        msg("Set backup.drill.folder to a folder that portalops may write into."),
    )
