"""The job `inventory`: counts the archive of Article 10.1, compares it with the inventory before, and records it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backups.archive import Earlier, take_inventory
from backups.collections import build_collection
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from portalops.compliance.article_10 import held_word
from portalops.errors import BackupError, ConfigurationError, ExitCode, worst
from portalops.ledger.runs import Work
from portalops.model.archive import HeldItems, Inventory, InventoryRun
from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.archive import INVENTORY, KEY, to_compare_with

if TYPE_CHECKING:
    from backups.collections import Collection
    from portalops.config import Settings
    from portalops.ledger.ledger import Ledger
    from portalops.ports import LedgerReader, Progress

DUTY = "10.1"


@dataclass(frozen=True, slots=True)
class InventoryParts:
    """What an inventory is taken from."""

    settings: Settings
    ledger: LedgerReader
    progress: Progress
    warn: Callable[[Message], None]
    """Gets what is no fault of the archive."""


def inventory_job(jobs: Sequence[Job]) -> Job:
    """Return the configured job of the inventories, or one for a person who takes one without a plan."""
    configured = (job for job in jobs if job.kind is JobKind.INVENTORY)
    return next(configured, Job(JobId("inventory"), JobKind.INVENTORY, Every.MONTH, DUTY))


def parts_of(session: Session, ledger: LedgerReader) -> InventoryParts:
    return InventoryParts(session.settings, ledger, session.progress, session.warnings.append)


def inventory_work(session: Session, *, accepted: str = "") -> Work[object]:
    """Take an inventory, record it, and judge how it went."""
    ledger = session.writable_ledger
    inventory = inspect_archive(parts_of(session, ledger), accepted=accepted, keeper=ledger)
    record = session.recorder.record(INVENTORY, KEY, inventory, duty=DUTY)
    return work_of_inventory(inventory, record.seq)


def work_of_inventory(inventory: Inventory, seq: int) -> Work[object]:
    """Judge how an inventory went that was recorded."""
    gaps = sum(each.items.count for each in inventory.missing) + inventory.strays.count
    gaps += sum(each.nameless.count for each in inventory.collections)
    result = InventoryRun(seq, inventory.items, gaps, len(inventory.lost()))
    outcome = RunOutcome.INCOMPLETE if inventory.unread() else RunOutcome.COMPLETE
    problems = tuple(faults_of(inventory))
    return Work(outcome, exit_code_of(inventory), result, problems)


def inspect_archive(
    parts: InventoryParts, *, accepted: str = "", keeper: Ledger | None = None, must_compare: bool = False
) -> Inventory:
    """Read the archive, count, and compare with the inventory before.

    Args:
        parts: what it is taken from.
        accepted: why a person takes what is there now as what is to be there.
        keeper: keeps the listing as evidence; None for nowhere.
        must_compare: the comparison is what was asked for.

    Raises:
        ConfigurationError: no collections are configured, or one does not fit.
        BackupError: there is nothing to compare with, and there must be.
        LedgerError: the earlier inventory or its listing cannot be read.
    """
    archive = parts.settings.archive
    collections = collections_of(parts.settings)
    earlier = _earlier(parts, accepted=accepted)
    if must_compare and earlier is None:
        raise BackupError(
            msg("no whole inventory is recorded, so there is nothing to compare with"),
            msg("Run 'portalops archive inventory' first."),
        )
    inventory = take_inventory(
        collections,
        excused=archive.excused,
        max_shrink_percent=archive.max_shrink_percent,
        keeper=keeper,
        progress=parts.progress,
        earlier=earlier,
        accepted=accepted,
    )
    if accepted and not (inventory.comparison and inventory.comparison.faults()) and earlier is not None:
        parts.warn(msg("nothing is gone or changed, so there was nothing to accept"))
        return replace(inventory, accepted="")
    return inventory


def _earlier(parts: InventoryParts, *, accepted: str) -> Earlier | None:
    ledger = parts.ledger
    found = to_compare_with(ledger)
    if found is None:
        return None
    if accepted and not all(ledger.has_blob(digest) for digest in found.body.evidence):
        parts.warn(msg("the listing of record {seq} is lost, so nothing was compared with it", seq=str(found.seq)))
        return None
    return Earlier(found.seq, found.at, found.body, (ledger.blob(digest) for digest in found.body.evidence))


def collections_of(settings: Settings) -> tuple[Collection, ...]:
    """Return the configured collections.

    Raises:
        ConfigurationError: there is none of the items, or one does not fit its kind.
    """
    collections = tuple(build_collection(table) for table in settings.collections)
    if not any(each.traits.what is HeldItems.ITEMS for each in collections):
        raise ConfigurationError(
            msg("no collection of content items is configured, so there is nothing to count against"),
            msg('Add an [[archive.collection]] table with what = "items" to the configuration.'),
        )
    return collections


def exit_code_of(inventory: Inventory) -> ExitCode:
    """Return 5 if something is gone that had to stay, else 1 for gaps, else 3 if something could not be read, else 0."""
    codes = [ExitCode.OK]
    if inventory.lost():
        codes.append(ExitCode.INTEGRITY)
    if inventory.has_gaps:
        codes.append(ExitCode.UNMET)
    if inventory.unread() or not inventory.items:
        codes.append(ExitCode.PARTIAL)
    return worst(codes)


def faults_of(inventory: Inventory) -> Iterator[Message]:
    """Yield one sentence for each kind of fault, the worst first."""
    for change in inventory.lost():
        if change.shrunk:
            yield msg(
                "{collection}: {before} entries before, {now} now",
                collection=change.collection,
                before=change.before,
                now=change.now,
            )
        for count, example, said in (
            (change.vanished.count, change.vanished.examples, msg("gone")),
            (change.changed.count, change.changed.examples, msg("changed")),
        ):
            if count and (change.immutable or change.shrunk):
                yield msg(
                    "{collection}: {n} {what}: {example}",
                    collection=change.collection,
                    n=count,
                    what=said,
                    example=_listed(example),
                )
    for each in inventory.collections:
        if each.problem:
            yield msg("{collection}: {problem}", collection=each.id, problem=each.problem)
        if each.unread.count:
            yield nmsg(
                "{collection}: {n} file could not be read: {example}",
                "{collection}: {n} files could not be read: {example}",
                each.unread.count,
                collection=each.id,
                example=_listed(each.unread.examples),
            )
    for missing in inventory.missing:
        word = held_word(missing.what)
        if missing.unconfigured:
            yield msg("no collection of {what} is configured, and no excuse is recorded", what=word)
        else:
            yield nmsg(
                "{n} item has no {what}, such as {example}",
                "{n} items have no {what}, such as {example}",
                missing.items.count,
                what=word,
                example=_listed(missing.items.examples),
            )
    if inventory.strays.count:
        yield nmsg(
            "{n} entry belongs to no item of the content database, such as {example}",
            "{n} entries belong to no item of the content database, such as {example}",
            inventory.strays.count,
            example=_listed(inventory.strays.examples),
        )
    for each in inventory.collections:
        if each.nameless.count:
            yield nmsg(
                "{collection}: {n} entry names no item, such as {example}",
                "{collection}: {n} entries name no item, such as {example}",
                each.nameless.count,
                collection=each.id,
                example=_listed(each.nameless.examples),
            )
    if not inventory.items:
        yield msg("the inventory found no content item, so there was nothing to compare")


def _listed(examples: Sequence[str]) -> str:
    return ", ".join(examples[:3])


JOB = JobWork(work=inventory_work)
