"""A set on media without a record, read back: a run sealed it but died before it could record it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backups.bag import set_name
from backups.set_file import SetFile
from backups.verify import Findings, bag_digest, verify_copy
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged, SetOfLaterVersion
from portalops.model.backups import Copy, CopyState, FoundSet, SetId, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Clock, Medium, Progress


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
    problems: list[str] = []
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
            problems.append(f"{medium.id}: {error}")
            problem = show_text(f"not checked: {error}", 500)
            copies.append(replace(copy, state=CopyState.SEALED, problem=problem))  # it is listed
            continue
        except PortalOpsError as error:
            findings = Findings(VerifyLevel.NONE, (str(error),))
        if findings.problems or findings.content is None:
            problem = show_text("; ".join(findings.problems[:5]), 500)
            problems.append(f"{medium.id}: {problem}")
            copies.append(replace(copy, level=findings.level, problem=problem))
            continue
        whole.setdefault(digest, findings.content)
        copies.append(replace(copy, state=CopyState.VERIFIED, level=findings.level, verified_at=clock.now()))
    if not whole:
        raise _refused(set_id, "; ".join(problems) or "no medium has it")
    if len(whole) > 1:
        raise _refused(set_id, f"{len(whole)} copies are whole, and are not of the same set")
    ((bag_sha256, content),) = whole.items()
    if set_name(content.portal, content.created_at, content.kind, set_id.rpartition("-")[2]) != set_id:
        raise _refused(set_id, f"it says that it was made at {content.created_at.isoformat()} for {content.portal}")
    if must_be_signed and not content.signer:
        raise _refused(set_id, "it is unsigned, although this portal signs its sets")
    return FoundSet(content.as_set(bag_sha256), tuple(copies), of_run)


def _refused(set_id: SetId, why: str) -> SetDamaged:
    return SetDamaged(
        msg("set {set} was not imported: {why}", set=set_id, why=show_text(why, 500)),
        msg("The set does not count as a backup. If nobody needs it, remove its folder from the medium."),
    )
