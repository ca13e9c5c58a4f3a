"""Builds what the inventory of the archive needs from the configuration, and takes it: the work behind `archive` and `run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backups.archive import Earlier, take_inventory
from backups.collections import build_collection
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from portalops.compliance.article_10 import held_word
from portalops.errors import BackupError, ConfigurationError, ExitCode, LedgerMissing, worst
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.ledger.runs import Work
from portalops.model.archive import HeldItems, Inventory, InventoryRun
from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.archive import INVENTORY, KEY, to_compare_with

if TYPE_CHECKING:
    from backups.collections import Collection

DUTY = "10.1"


def inventory_job(session: Session) -> Job:
    """Return the configured job of the inventories, or one for a person who takes one without a plan."""
    for job in session.settings.jobs:
        if job.kind is JobKind.INVENTORY:
            return job
    return Job(JobId("inventory"), JobKind.INVENTORY, Every.MONTH, DUTY)


def inventory_work(session: Session, *, accepted: str = "") -> Work[object]:
    """Take an inventory, record it, and judge how it went."""
    inventory = inspect_archive(session, accepted=accepted, keeps=True)
    body = bodies.write({"circumstances": session.circumstances, KEY: inventory})
    record = session.writable_ledger.append(INVENTORY, run=NO_RUN, duty=DUTY, body=body)
    gaps = sum(each.items.count for each in inventory.missing) + inventory.strays.count
    gaps += sum(each.nameless.count for each in inventory.collections)
    result = InventoryRun(record.seq, inventory.items, gaps, len(inventory.lost()))
    outcome = RunOutcome.INCOMPLETE if inventory.unread() else RunOutcome.COMPLETE
    problems = tuple(str(line) for line in faults_of(inventory))
    return Work(outcome, exit_code_of(inventory), result, problems)


def inspect_archive(session: Session, *, accepted: str = "", keeps: bool, must_compare: bool = False) -> Inventory:
    """Read the archive, count, and compare with the inventory before.

    Args:
        session: what to work with.
        accepted: why a person takes what is there now as what is to be there.
        keeps: keep the listing as evidence.
        must_compare: the comparison is what was asked for.

    Raises:
        ConfigurationError: no collections are configured, or one does not fit.
        BackupError: there is nothing to compare with, and there must be.
        LedgerError: the earlier inventory or its listing cannot be read.
    """
    settings = session.settings
    collections = collections_of(session)
    earlier = _earlier(session, accepted=accepted)
    if must_compare and earlier is None:
        raise BackupError(
            msg("no whole inventory is recorded, so there is nothing to compare with"),
            msg("Run 'portalops archive inventory' first."),
        )
    inventory = take_inventory(
        collections,
        excused=settings.archive.excused,
        max_shrink_percent=settings.archive.max_shrink_percent,
        keeper=session.writable_ledger if keeps else None,
        progress=session.progress,
        earlier=earlier,
        accepted=accepted,
    )
    if accepted and not (inventory.comparison and inventory.comparison.faults()) and earlier is not None:
        session.warnings.append(msg("nothing is gone or changed, so there was nothing to accept"))
        return replace(inventory, accepted="")
    return inventory


def collections_of(session: Session) -> tuple[Collection, ...]:
    """Return the configured collections.

    Raises:
        ConfigurationError: there is none of the items, or one does not fit its kind.
    """
    collections = tuple(build_collection(table) for table in session.settings.collections)
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
                "{collection}: {before} entries have become {now}",
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
            yield msg(
                "{collection}: {n} files could not be read: {example}",
                collection=each.id,
                n=each.unread.count,
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


def _earlier(session: Session, *, accepted: str) -> Earlier | None:
    try:
        ledger = session.ledger
    except LedgerMissing:
        return None
    found = to_compare_with(ledger)
    if found is None:
        return None
    lost = [digest for digest in found.body.evidence if not ledger.has_blob(digest)]
    if lost and accepted:
        session.warnings.append(
            msg("the listing of record {seq} is lost, so nothing was compared with it", seq=str(found.seq))
        )
        return None
    return Earlier(found.seq, found.at, found.body, (ledger.blob(digest) for digest in found.body.evidence))


def inventory_due(session: Session) -> Work[object]:
    return inventory_work(session)


JOB = JobWork(work=inventory_due)
