"""The backup and verify jobs: sources into one set, the same on every medium, read back from each.

A source that fails is named and the others go on; a medium that fails is named and the others go on. What comes out is a
value; recording it is the core's work.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backups.age import PrivateKey
from backups.bag import TAG_MANIFEST, digest_of, set_name, tag_files, tag_manifest
from backups.bases import Base, NewBase
from backups.fanout import PATIENCE_SECONDS, Lane
from backups.guide import guide_files
from backups.packing import SetPacker
from backups.plan import BackupPlan
from backups.presence import require_sets
from backups.resuming import make_ready
from backups.set_file import NAME, SCHEMA, SetFile, outcome_of, write_set_file
from backups.shrink import ShrinkRule, describe_shrinks, shrinks
from backups.signature import NAME as SIGNATURE
from backups.signature import NAMESPACE
from backups.sources import ReleaseFailed
from backups.streams import SourceStreams
from backups.verify import verify_copy
from portalops import __version__
from portalops.errors import MediumUnavailable, PortalOpsError, SetNotFound, SetOfLaterVersion, SourceUnavailable
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DataClass,
    SetId,
    Shrink,
    Stream,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.heads import Signer
from portalops.model.message import Message, kept, msg, together
from portalops.model.record import Digest
from portalops.ports import Clock, Medium, Progress, SetSigner, SetWriter, Source, Task

logger = logging.getLogger(__name__)

SOFTWARE = f"portalops {__version__}"


@dataclass(frozen=True, slots=True)
class VerifyTarget:
    """A copy to be checked."""

    copy: Copy
    """As it was last seen."""
    bag_sha256: Digest | None
    """Digest of the set's tag manifest as recorded; None if it is not known."""
    payload_bytes: int = 0
    """About how much there is to read, for progress."""

    @classmethod
    def of(cls, made: BackupSet, copy: Copy) -> VerifyTarget:
        """Return a copy of a set, to be read whole."""
        return cls(copy, made.bag_sha256, made.stored_bytes)


def run_backup(
    plan: BackupPlan,
    sources: Sequence[Source],
    media: Sequence[Medium],
    *,
    clock: Clock,
    progress: Progress,
    signer: SetSigner | None = None,
    new_base: NewBase | None = None,
    expected_bytes: int = 0,
    expected_plain_bytes: int = 0,
    patience_seconds: float = PATIENCE_SECONDS,
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> BackupResult:
    """Back up all sources into one set, write it to all media from one reading, and read every copy back.

    Args:
        plan: what `make_plan` decided.
        sources: the plan's sources, in its order.
        media: the plan's media, in its order.
        clock: the time of the set and of the readings.
        progress: shown the bytes that are read, and those that are read back.
        signer: signs the set; None leaves it unsigned.
        new_base: where sources note what a full set holds; None for nowhere.
        expected_bytes: about how large the set will be, such as the one before; media with less space refuse it.
        expected_plain_bytes: about how much will be read, for the time left; 0 if that is not known.
        patience_seconds: how long the others wait for a medium that takes no data.
        on_error: is called with each medium that is not ready, and why; the hint is for people and not for the ledger.

    Raises:
        ConfigurationError: a recipient is no public key.
    """
    result = make_set(
        plan,
        sources,
        media,
        clock=clock,
        progress=progress,
        signer=signer,
        new_base=new_base,
        expected_bytes=expected_bytes,
        expected_plain_bytes=expected_plain_bytes,
        patience_seconds=patience_seconds,
        on_error=on_error,
    )
    if result.set is None:
        return result
    made = result.set
    sealed = [VerifyTarget.of(made, copy) for copy in result.copies if copy.state is CopyState.SEALED]
    looked = run_verify(sealed, {each.id: each for each in media}, clock=clock, progress=progress)
    newest = {copy.medium: copy for copy in (*result.copies, *looked.copies)}
    return replace(result, copies=tuple(newest.values()))


def make_set(
    plan: BackupPlan,
    sources: Sequence[Source],
    media: Sequence[Medium],
    *,
    clock: Clock,
    progress: Progress,
    signer: SetSigner | None = None,
    new_base: NewBase | None = None,
    expected_bytes: int = 0,
    expected_plain_bytes: int = 0,
    patience_seconds: float = PATIENCE_SECONDS,
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> BackupResult:
    """Do as `run_backup` does, without reading the copies back: they are sealed, and nothing is verified yet."""
    keys = plan.keys()
    created_at = clock.now()
    set_id = set_name(plan.portal, created_at, plan.choice.kind, secrets.token_hex(3))
    excused = tuple(f"{data_class.value}: {reason}" for data_class, reason in plan.excused)
    result = BackupResult(set=None, copies=(), unmapped=plan.unmapped, excused=excused)
    places = tuple(place for source in sources for place in source.places())
    wanted = (plan.choice.base.set_id,) if plan.choice.base else ()
    with_sets = frozenset(each.id for each in plan.media if each.has_sets)
    ready, copies = _begin(
        media, set_id, places, expected_bytes, _Known(plan.portal, with_sets, wanted), on_error=on_error
    )
    if not ready:
        return replace(result, copies=tuple(copies.values()))
    lanes = [Lane(each.id, writer, patience_seconds=patience_seconds) for each, writer in ready]
    total = expected_plain_bytes or None
    with progress.task(msg("Backing up"), total=total, unit="bytes") as task, _ended(lanes, patience_seconds):
        packer = SetPacker(keys, lanes, pack_bytes=plan.pack_bytes, on_bytes=task.advance)
        try:
            read = _read(packer, sources, lanes, task, _Notes(plan.choice.base, new_base, plan.shrink))
            streams = read.streams
            result = replace(
                result,
                failed_sources=tuple(map(str, read.failed)),
                failed_messages=read.failed,
                failed_classes=tuple(dict.fromkeys(read.classes)),
                accepted_shrinks=read.accepted,
            )
            made = None
            if streams and not all(lane.problem for lane in lanes):
                content = _set_file(plan, set_id, created_at, streams, result)
                made = _write_tags(packer, content, signer)
        finally:
            packer.stop()
        for lane in lanes:
            lane.finish(seal=made is not None)
    for lane in lanes:
        copies[lane.medium] = _written(copies[lane.medium], lane)
    is_sealed = any(copy.state is CopyState.SEALED for copy in copies.values())
    return replace(result, set=made if is_sealed else None, copies=tuple(copies.values()))


def run_verify(
    targets: Sequence[VerifyTarget],
    media: Mapping[str, Medium],
    *,
    level: VerifyLevel = VerifyLevel.L2,
    clock: Clock,
    progress: Progress,
    identities: Sequence[PrivateKey] = (),
    keys: Sequence[Signer] | None = None,
) -> VerifyResult:
    """Look into copies, those on different media at the same time.

    A copy whose medium cannot be reached, or shows no set of the portal at all, keeps the state it had, and its problem says
    so: nothing was found out.

    Args:
        targets: the copies.
        media: the configured media by id.
        level: L1 for the structure, L2 for every byte.
        clock: the time of each reading.
        progress: shown the bytes that are read.
        identities: private keys; with them the plaintext is checked too.
        keys: the ledger's signing keys with their times; None if no ledger can be asked.

    Raises:
        WrongKey: none of the private keys opens a set.
    """
    by_medium: dict[str, list[VerifyTarget]] = {}
    for target in targets:
        by_medium.setdefault(target.copy.medium, []).append(target)
    total = sum(target.payload_bytes for target in targets) if level is VerifyLevel.L2 else 0
    found: dict[tuple[SetId, str], Copy] = {}
    counter = _Counter()

    def look(medium_id: str) -> list[Copy]:
        medium = media.get(medium_id)
        return [
            _list_medium(
                target, medium, level=level, clock=clock, identities=identities, keys=keys, on_bytes=counter.add
            )
            for target in by_medium[medium_id]
        ]

    with (
        progress.task(msg("Reading the copies back"), total=total, unit="bytes") as task,
        ThreadPoolExecutor(max(1, len(by_medium)), thread_name_prefix="verify") as pool,
    ):
        pending: set[Future[list[Copy]]] = {pool.submit(look, medium_id) for medium_id in by_medium}
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            task.advance(counter.take())
            for future in done:
                found.update({(copy.set_id, copy.medium): copy for copy in future.result()})
    return VerifyResult(tuple(found[target.copy.set_id, target.copy.medium] for target in targets))


@dataclass(frozen=True, slots=True)
class _Known:
    """What is recorded of the media."""

    portal: str
    with_sets: Collection[str]
    """Ids of those on which there are sets."""
    wanted: Sequence[SetId]
    """Sets whose unfinished copies stay."""


def _begin(
    media: Sequence[Medium],
    set_id: SetId,
    places: Sequence[Path],
    expected_bytes: int,
    known: _Known,
    *,
    on_error: Callable[[str, PortalOpsError], None],
) -> tuple[list[tuple[Medium, SetWriter]], dict[str, Copy]]:
    """Make every medium ready; those that are not have a copy that says why."""
    ready: list[tuple[Medium, SetWriter]] = []
    copies: dict[str, Copy] = {}
    for medium in media:
        copy = Copy(set_id, medium.id, medium.kind, CopyState.FAILED, VerifyLevel.NONE, None)
        try:
            if medium.id in known.with_sets and medium.places():  # a folder where a disk is to be mounted
                require_sets(medium, known.portal)
            shares = make_ready(medium, places, wanted=known.wanted, expected_bytes=expected_bytes)
            writer = medium.begin(set_id, expected_bytes=expected_bytes)
            copies[medium.id] = replace(copy, shares_source_filesystem=shares)
            ready.append((medium, writer))
        except MediumUnavailable as error:
            logger.info("medium %s is not ready: %s", medium.id, error)
            on_error(medium.id, error)
            copies[medium.id] = copy.with_problem(error.message)
    return ready, copies


@dataclass(frozen=True, slots=True)
class _Notes:
    """What sources noted of the base, where they note what this set holds, and how much less than before they may."""

    base: Base | None
    new: NewBase | None
    shrink: Mapping[str, ShrinkRule]

    def streams(self, packer: SetPacker, source: Source) -> SourceStreams:
        base = self.base.listings.get(source.id) if self.base else None
        listing = self.new.listing(source.id) if self.new else None
        return SourceStreams(packer, source, base=base, listing=listing)


@dataclass(frozen=True, slots=True)
class _Read:
    """What came of reading the sources."""

    streams: tuple[Stream, ...] = ()
    failed: tuple[Message, ...] = ()
    """Why some sources have no streams."""
    classes: tuple[DataClass, ...] = ()
    """The classes of those."""
    accepted: tuple[Shrink, ...] = ()


def _read(packer: SetPacker, sources: Sequence[Source], lanes: Sequence[Lane], task: Task, notes: _Notes) -> _Read:
    """Read every source once."""
    read = _Read()
    for source in sources:
        if all(lane.problem for lane in lanes):
            break  # there is nothing left to write to
        task.note(msg("source {source}", source=source.id))
        opener = notes.streams(packer, source)
        try:
            failed = _write(source, opener)
            accepted = _require_no_shrink(source.id, notes.shrink.get(source.id, ShrinkRule()), opener)
            read = replace(
                read,
                streams=(*read.streams, *opener.streams),
                failed=(*read.failed, *failed),
                accepted=(*read.accepted, *accepted),
            )
        except SourceUnavailable as error:
            logger.info("source %s failed: %s", source.id, error)
            opener.drop()
            read = replace(
                read, failed=(*read.failed, _failure_of(source, error)), classes=(*read.classes, source.data_class)
            )
    return read


def _write(source: Source, opener: SourceStreams) -> tuple[Message, ...]:
    """Write a source's streams, and return what failed although they are whole."""
    try:
        source.write(opener)
    except ReleaseFailed as failed:
        return (_failure_of(source, failed.error),)
    return ()


def _failure_of(source: Source, error: SourceUnavailable) -> Message:
    cause = error.message.values.get("cause", error.message)  # the message names the source once more
    return kept(msg("{source}: {problem}", source=source.id, problem=cause), 700)


def _require_no_shrink(source: str, rule: ShrinkRule, opener: SourceStreams) -> tuple[Shrink, ...]:
    """Make sure that a source yielded about what it did before, and return what was accepted of it as less.

    Raises:
        SourceUnavailable: it did not.
    """
    found = shrinks(source, rule, opener.streams, opener.unchanged)
    if found and not rule.is_accepted:
        cause = describe_shrinks(source, found, rule.limit_percent)
        raise SourceUnavailable(
            msg("backup source {source}: {cause}", source=source, cause=cause),
            msg("Check that the source still has all its data before you accept the smaller backup."),
        )
    return found


def _set_file(
    plan: BackupPlan, set_id: SetId, created_at: datetime, streams: tuple[Stream, ...], result: BackupResult
) -> SetFile:
    return SetFile(
        schema=SCHEMA,
        software=SOFTWARE,
        id=set_id,
        kind=plan.choice.kind,
        base=plan.choice.base.bag_sha256 if plan.choice.base else None,
        base_id=plan.choice.base.set_id if plan.choice.base else None,
        portal=plan.portal,
        created_at=created_at,
        outcome=outcome_of(streams, result.failed_sources),
        recipients=tuple(key for _name, key in plan.recipients),
        streams=streams,
        failed_sources=result.failed_sources,
        unmapped=result.unmapped,
        excused=result.excused,
    )


def _write_tags(packer: SetPacker, content: SetFile, signer: SetSigner | None) -> BackupSet:
    content = replace(content, signer=signer.public_key if signer else "")
    tags = tag_files(
        content.id,
        tuple(content.files()),
        portal=content.portal,
        created_at=content.created_at,
        software=content.software,
    )
    tags |= guide_files(content)
    content = replace(content, tag_files={path: digest_of(data) for path, data in sorted(tags.items())})
    tags[NAME] = write_set_file(content)
    if signer is not None:
        tags[SIGNATURE] = signer.sign(tags[NAME], namespace=NAMESPACE).encode()
    tags[TAG_MANIFEST] = tag_manifest(tags)
    for path, data in tags.items():
        packer.add_file(path, data)
    packer.flush()
    return content.as_set(digest_of(tags[TAG_MANIFEST]))


def _written(copy: Copy, lane: Lane) -> Copy:
    """Return a copy as its lane left it."""
    if lane.fault is not None:
        raise lane.fault
    if lane.sealed and not lane.problem:
        return replace(copy, state=CopyState.SEALED)
    return replace(copy, state=CopyState.FAILED).with_problem(lane.problem or msg("nothing was sealed"))


def _list_medium(
    target: VerifyTarget,
    medium: Medium | None,
    *,
    level: VerifyLevel,
    clock: Clock,
    identities: Sequence[PrivateKey],
    keys: Sequence[Signer] | None,
    on_bytes: Callable[[int], None],
) -> Copy:
    copy = target.copy
    if medium is None:
        return copy.with_problem(msg("its medium is not configured any more"))
    try:
        stored = medium.open_set(copy.set_id)
        findings = verify_copy(
            stored,
            copy.set_id,
            bag_sha256=target.bag_sha256,
            level=level,
            identities=identities,
            keys=keys,
            on_bytes=on_bytes,
        )
    except SetNotFound as error:
        try:
            require_sets(medium, copy.set_id.rsplit("-", 3)[0])
        except MediumUnavailable as absent:
            return copy.with_problem(msg("not checked: {cause}", cause=absent.message))
        return replace(copy, state=CopyState.DAMAGED, level=level).with_problem(error.message)
    except (MediumUnavailable, SetOfLaterVersion) as error:
        return copy.with_problem(msg("not checked: {cause}", cause=error.message))
    if findings.said:
        damaged = replace(copy, state=CopyState.DAMAGED, level=findings.level, hidden=None)
        return damaged.with_problem(together(findings.said, most=5))
    copy = copy.with_problem("").with_hidden(findings.hidden)
    if findings.level is VerifyLevel.L1:
        return copy  # the structure alone verifies nothing
    return replace(copy, state=CopyState.VERIFIED, level=findings.level, verified_at=clock.now())


class _Counter:
    """Adds up what several threads have read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self, count: int) -> None:
        with self._lock:
            self._count += count

    def take(self) -> int:
        """Return what was added since the last call."""
        with self._lock:
            count, self._count = self._count, 0
        return count


@contextmanager
def _ended(lanes: Sequence[Lane], patience_seconds: float) -> Iterator[None]:
    """Wait for the lanes to end; abandon what they have written if the block fails, an interrupt included.

    What a failed medium has of a set that another one has sealed is left there for a copy.
    """
    try:
        yield
        hanging = [lane for lane in lanes if not lane.join(patience_seconds)]
        for lane in hanging:
            lane.give_up(f"it did not finish within {patience_seconds:.0f} s")
        is_sealed = any(lane.sealed and not lane.problem for lane in lanes)
        for lane in lanes:
            lane.settle(0.0 if lane in hanging else patience_seconds, keep=is_sealed)
    except BaseException:
        for lane in lanes:
            lane.give_up("the run was stopped")
            lane.finish(seal=False)
        for lane in lanes:
            lane.settle(10.0, keep=False)  # who interrupts does not wait longer for a slow medium
        raise
