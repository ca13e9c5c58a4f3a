"""A set on media without a record, read back: a run sealed it but died before it could record it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from backups.bag import set_name
from backups.prune import list_media, made_at, without_left
from backups.set_file import SetFile
from backups.verify import Findings, bag_digest, verify_copy
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged, SetOfLaterVersion
from portalops.model.backups import Copy, CopyState, FoundSet, SetId, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import Message, kept, msg, together
from portalops.model.record import Digest, RunId
from portalops.model.runs import Run
from portalops.ports import Clock, Medium, Progress
from portalops.registers.backups import SetEvidence


@dataclass(frozen=True, slots=True)
class LeftSet:
    """A set that a dead run left."""

    set_id: SetId
    run: str
    media: Mapping[str, Medium]
    """Those that list it, by id."""

    def warnings(self) -> list[Message]:
        """Say what it means, for each medium that holds it."""
        return [describe_set_of_dead_run(medium, self.set_id) for medium in self.media]


def dead_runs(runs: Sequence[Run], now: datetime) -> dict[RunId, tuple[datetime, datetime]]:
    """Return of each run that left no result when it began, to the second before, and when the next one did.

    Args:
        runs: of the backup job, oldest first.
        now: where the newest run's time ends.
    """
    ends = [*(run.started_at for run in runs[1:]), now]
    return {
        run.id: (run.started_at.replace(microsecond=0), end)
        for run, end in zip(runs, ends, strict=False)
        if run.finished_at is None
    }


def left_sets(
    portal: str,
    media: Mapping[str, Medium],
    sets: Sequence[SetEvidence],
    died: Mapping[RunId, tuple[datetime, datetime]],
) -> list[LeftSet]:
    """Return the sets on the media that dead runs sealed and no record tells of; media out of reach are passed over.

    Args:
        portal: the portal's id.
        media: by id.
        sets: all that are recorded: one that is not in it might be taken for one that is not recorded.
        died: what `dead_runs` returns.
    """
    _rest, by_medium = without_left(list_media(portal, media, sets), tuple(died.values()))
    return [
        LeftSet(
            name,
            next((run for run, (start, end) in died.items() if start <= made_at(name) < end), ""),
            {medium: media[medium] for medium, names in by_medium.items() if name in names},
        )
        for name in sorted({name for names in by_medium.values() for name in names})
    ]


def describe_set_of_dead_run(medium: str, name: SetId) -> Message:
    """Say what it means that a medium holds a set that a run could not record."""
    return msg(
        "medium {medium} holds set {set} of a backup run that died before it could record it: it counts for nothing, and no"
        " rule removes it; 'portalops backup import' reads it back and records it",
        medium=medium,
        set=name,
    )


def read_back(
    set_id: SetId,
    media: Mapping[str, Medium],
    *,
    must_be_signed: bool,
    of_run: str,
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
) -> FoundSet:
    """Read every byte of each copy of a set.

    No record says which set it must be. So its own words must be those of its name, which alone says that a dead run can have
    made it; and where two copies are whole and are not the same set, nothing shows which one the run made.

    Args:
        set_id: the set.
        media: those that list it, by id.
        must_be_signed: refuse an unsigned set: with the public keys anybody can make one.
        of_run: the run that died.
        keys: the ledger's signing keys with their times; None if no ledger can be asked.
        clock: of the readings.
        progress: shown what is read.

    Raises:
        SetDamaged: no copy is whole, two whole ones differ, it is not what its name says, or it is unsigned and must not be.
    """
    copies: list[Copy] = []
    whole: dict[Digest, SetFile] = {}
    problems: list[Message] = []
    for medium in media.values():
        copy = Copy(set_id, medium.id, medium.kind, CopyState.DAMAGED, VerifyLevel.NONE, None)
        title = msg("Reading {set} on {medium}", set=set_id, medium=medium.id)
        try:
            stored = medium.open_set(set_id)
            digest = bag_digest(stored)
            with progress.task(title, total=sum(stored.sizes().values()), unit="bytes") as task:
                findings = verify_copy(
                    stored, set_id, bag_sha256=digest, level=VerifyLevel.L2, keys=keys, on_bytes=task.advance
                )
        except (MediumUnavailable, SetOfLaterVersion) as error:
            problems.append(msg("{medium}: {problem}", medium=medium.id, problem=error.message))
            unread = replace(copy, state=CopyState.SEALED)  # it is listed
            copies.append(unread.with_problem(msg("not checked: {cause}", cause=error.message)))
            continue
        except PortalOpsError as error:
            findings = Findings(VerifyLevel.NONE, (error.message,))
        if findings.problems or findings.content is None:
            copies.append(replace(copy, level=findings.level).with_problem(together(findings.said, most=5)))
            problems.append(msg("{medium}: {problem}", medium=medium.id, problem=copies[-1].shown_problem))
            continue
        whole.setdefault(digest, findings.content)
        copies.append(replace(copy, state=CopyState.VERIFIED, level=findings.level, verified_at=clock.now()))
    if not whole:
        raise _refused(set_id, together(problems) if problems else msg("no medium has it"))
    if len(whole) > 1:
        raise _refused(set_id, msg("{n} copies are whole, and are not of the same set", n=len(whole)))
    ((bag_sha256, content),) = whole.items()
    if set_name(content.portal, content.created_at, content.kind, set_id.rpartition("-")[2]) != set_id:
        raise _refused(
            set_id,
            msg("it claims another origin: made at {at} for {portal}", at=content.created_at, portal=content.portal),
        )
    if must_be_signed and not content.signer:
        raise _refused(set_id, msg("it is unsigned, although this portal signs its sets"))
    return FoundSet(content.as_set(bag_sha256), tuple(copies), of_run)


def _refused(set_id: SetId, why: Message) -> SetDamaged:
    return SetDamaged(
        msg("set {set} was not imported: {why}", set=set_id, why=kept(why, 500)),
        msg("The set does not count as a backup. If nobody needs it, remove its folder from the medium."),
    )
