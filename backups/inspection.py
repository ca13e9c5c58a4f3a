"""Checks one medium: does a trial write succeed, does it list what the ledger says, and is each set's structure complete.

It reads the tag files of every set, and no pack: what it finds wrong is wrong, what it finds right is not verified by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from backups.job import VerifyTarget, run_verify
from backups.media._errors import NotMadeYet
from backups.resuming import make_ready, worth_keeping
from backups.retention import THERE, compare, is_of
from portalops.errors import PortalOpsError
from portalops.model.backups import MAX_PROBLEM, Copy, CopyState, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.media import MediumCheck
from portalops.model.message import Message, kept, msg
from portalops.ports import Clock, Medium, Progress
from portalops.registers.backups import SetEvidence

MAX_LISTED = 1000


def inspect(
    medium: Medium,
    portal: str,
    sets: Sequence[SetEvidence],
    *,
    tries_writing: bool,
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
    on_error: Callable[[PortalOpsError], None] = lambda _error: None,
) -> MediumCheck:
    """Check a medium; what cannot be read is reported and never counts as good.

    One that the first run is to make, and on which nothing is recorded, is neither reached nor has problems.

    Args:
        medium: as configured.
        portal: id of the portal.
        sets: as recorded.
        tries_writing: let the medium make itself ready for writing, which tries it; what dead runs left is removed then.
        keys: the ledger's signing keys; None if no ledger can be asked.
        clock: of the readings.
        progress: is kept up to date.
        on_error: is called with what the medium refused; the hint is for people and not for the ledger.
    """
    check = MediumCheck(medium.id, medium.kind, reached=False, writable=None)
    recorded = [
        (made, copy)
        for made in sets
        for copy in made.copies
        if copy.medium == medium.id and copy.state in THERE - {CopyState.DAMAGED}
    ]
    try:
        listed = medium.sets()
    except PortalOpsError as error:
        had_sets = any(copy.medium == medium.id and copy.state in THERE for made in sets for copy in made.copies)
        if isinstance(error, NotMadeYet) and not had_sets:
            return check
        on_error(error)
        problem = msg("not checked: {cause}", cause=error.message)
        return _with_problems(check, [error.message], copies=[copy.with_problem(problem) for _made, copy in recorded])
    # What a person said to be gone with the medium before may have been copied over, or the medium was the same one.
    again = [
        (made, replace(copy, state=CopyState.SEALED, level=VerifyLevel.NONE, verified_at=None).with_problem(""))
        for made in sets
        for copy in made.copies
        if copy.medium == medium.id and copy.state is CopyState.REPLACED and copy.set_id in listed
    ]
    names_again = {copy.set_id for _made, copy in again}
    difference = compare(portal, medium.id, [name for name in listed if name not in names_again], sets)
    problems = [msg("{set}: recorded to be there, and not listed", set=name) for name in difference.missing]
    problems += [msg("{set}: listed, and not recorded to be there", set=name) for name in difference.unknown]
    writable: bool | None = None
    if tries_writing:
        try:
            make_ready(medium, (), wanted=worth_keeping(sets, medium.id), expected_bytes=0)
            writable = True
        except PortalOpsError as error:
            on_error(error)
            writable = False
            problems.append(error.message)
    targets = [VerifyTarget(copy, made.set.bag_sha256, 0) for made, copy in (*recorded, *again)]
    looked = run_verify(
        targets, {medium.id: medium}, clock=clock, progress=progress, keys=keys, level=VerifyLevel.L1
    ).copies
    problems += [
        msg("{set}: {problem}", set=copy.set_id, problem=remark)
        for copy in looked
        if (remark := copy.remark) is not None and copy.set_id in listed
    ]
    found = replace(
        check,
        reached=True,
        writable=writable,
        sets=sum(is_of(portal, name) for name in listed),
        unknown=difference.unknown[:MAX_LISTED],
    )
    changed = [seen for (_made, before), seen in zip(recorded, looked, strict=False) if seen != before]
    changed += looked[len(recorded) :]
    return _with_problems(found, problems[:MAX_LISTED], copies=changed)


def _with_problems(check: MediumCheck, problems: Sequence[Message], *, copies: Sequence[Copy]) -> MediumCheck:
    said = tuple(kept(problem, MAX_PROBLEM) for problem in problems)
    return replace(check, problems=tuple(map(str, said)), problem_messages=said, copies=tuple(copies))
