"""What the media show right now: whether a medium is the one that sets were written to, and whether recorded copies are there.

A disk that is not mounted, a wrong bucket, another folder on a server: all of them can be read, and hold no set of the portal.
That says nothing of the sets, so they are not damaged but out of reach. Where at least one set of the portal is listed, one that
is missing is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from backups.retention import THERE, is_of
from backups.verify import verify_copy
from portalops.errors import MediumUnavailable, PortalOpsError
from portalops.model.backups import Copy, CopyState, SetId, VerifyLevel
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.ports import Medium
from portalops.registers.backups import SetEvidence
from portalops.registers.media import RegisteredMedium


def require_sets(medium: Medium, portal: str) -> None:
    """Make sure that a medium on which sets are recorded shows one.

    Args:
        medium: on which a set is recorded to be.
        portal: id of the portal.

    Raises:
        MediumUnavailable: it shows none, or cannot be read.
    """
    if not any(is_of(portal, name) for name in medium.sets()):
        raise MediumUnavailable(
            msg("backup medium {medium}: it holds none of the sets that are recorded on it", medium=medium.id),
            msg(
                "Check that the right disk is mounted there. If the disk was replaced for good, record it: "
                "'portalops media replace {medium}'.",
                medium=medium.id,
            ),
        )


def listed_sets(portal: str, media: Iterable[Medium]) -> dict[str, tuple[SetId, ...]]:
    """Return a portal's sets by medium, oldest first; media without any, or out of reach, are left out."""
    found: dict[str, tuple[SetId, ...]] = {}
    for each in media:
        try:
            sets = sorted(made for made in each.sets() if is_of(portal, made))
        except PortalOpsError:
            continue  # the backup job reports a medium that cannot be read
        if sets:
            found[each.id] = tuple(sets)
    return found


def as_listed(portal: str, sets: Sequence[SetEvidence], media: Mapping[str, Medium]) -> tuple[SetEvidence, ...]:
    """Return recorded sets with those copies as damaged that their medium does not list, although it lists others.

    What a medium says counts before what is recorded of it: somebody may have removed a set by hand. A medium that cannot be
    read, or that shows no set of the portal at all, says nothing.

    Args:
        portal: id of the portal.
        sets: as recorded, oldest first.
        media: the configured media by id.
    """
    listed = {medium: frozenset(names) for medium, names in listed_sets(portal, media.values()).items()}
    missing = {
        (copy.set_id, copy.medium): replace(copy, state=CopyState.DAMAGED, verified_at=None).with_problem(
            msg("{set}: recorded to be there, and not listed", set=copy.set_id)
        )
        for made in sets
        for copy in made.copies
        if copy.state in THERE - {CopyState.DAMAGED}
        and copy.medium in listed
        and copy.set_id not in listed[copy.medium]
    }
    return with_copies(sets, missing)


def with_copies(sets: Sequence[SetEvidence], seen: Mapping[tuple[SetId, str], Copy]) -> tuple[SetEvidence, ...]:
    """Return sets, oldest first, with some copies as they were seen just now: those of bases too."""
    found: dict[SetId, SetEvidence] = {}
    for made in sets:
        copies = tuple(seen.get((copy.set_id, copy.medium), copy) for copy in made.copies)
        base = found.get(made.base.set.id, made.base) if made.base else None
        found[made.set.id] = replace(made, copies=copies, base=base)
    return tuple(found.values())


def has_whole_structure(set_id: SetId, bag_sha256: Digest, media: Iterable[Medium]) -> bool:
    """Say whether a medium has all files of a set in their sizes, and its tag files as they were recorded; no pack is read."""
    for medium in media:
        try:
            findings = verify_copy(medium.open_set(set_id), set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1)
        except PortalOpsError:
            continue  # the backup job reports a medium that cannot be read
        if not findings.problems:
            return True
    return False


def media_with_sets(sets: Sequence[SetEvidence], register: Mapping[str, RegisteredMedium]) -> frozenset[str]:
    """Return the ids of the media on which sets are recorded, since the medium came into the register."""
    added = {name: each.added_at for name, each in register.items() if each.added_at is not None}
    return frozenset(
        copy.medium
        for made in sets
        for copy in made.copies
        if copy.state in THERE - {CopyState.DAMAGED}
        and not (copy.medium in added and max(made.at, copy.verified_at or made.at) < added[copy.medium])
    )
