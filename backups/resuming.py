"""Copies that were cut: what is kept of them, for how long, and how the next one goes on.

A set that is sealed on one medium has fixed bytes, so what another medium has of it whole is good for the next copy of it. A
set that is sealed nowhere has not: each pack has keys of its own that are thrown away with the run, so no later run could
make the missing ones, and what such a run left is removed.

What is left of a copy stays on its medium

- while `backup run` makes a differential: of the set that it builds on;
- while copies are made: of those sets that are being copied, and of those that the copy job would make, which are the
  newest set and its base (`worth_keeping`);

and everything else is removed when the medium is made ready. So a full set ends what was begun of older ones, and what was
disposed of is never gone on with. Where a set would not fit otherwise, all of it makes room.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from portalops.model.backups import CopyState, SetId
from portalops.ports import HasRoom, HeldFile, Medium, ResumableMedium, ResumableWriter, SetWriter
from portalops.registers.backups import SetEvidence

GOOD = frozenset({CopyState.SEALED, CopyState.VERIFIED})


def newest_and_base(sets: Sequence[SetEvidence]) -> tuple[SetEvidence, ...]:
    """Return the sets that every medium should have: the newest, and the one that it builds on.

    Args:
        sets: as recorded, oldest first.
    """
    newest = sets[-1:]
    bases = {made.set.base for made in newest if made.set.base}
    return tuple(made for made in sets if made.set.bag_sha256 in bases or made in newest)


def worth_keeping(sets: Sequence[SetEvidence], medium: str) -> frozenset[SetId]:
    """Return the sets whose unfinished copies are kept on a medium: those that the copy job would go on with.

    Args:
        sets: as recorded, oldest first.
        medium: its id.
    """
    found = set()
    for made in newest_and_base(sets):
        has = {copy.medium for copy in made.copies if copy.state in GOOD}
        verified = {copy.medium for copy in made.copies if copy.state is CopyState.VERIFIED}
        if medium not in has and verified:
            found.add(made.set.id)
    return frozenset(found)


def make_ready(
    medium: Medium,
    places: Sequence[Path],
    *,
    wanted: Collection[SetId],
    expected_bytes: int,
    own: Collection[SetId] = (),
) -> bool:
    """Make a medium ready for a set, and say whether it shares a file system with a source.

    Args:
        medium: where the set goes.
        places: what the sources read.
        wanted: sets of which unfinished copies are left there, unless the room is needed.
        expected_bytes: about how large the set will be; 0 if that is not known.
        own: of them, those that are left in any case.

    Raises:
        MediumUnavailable: it is absent, or must not be written.
    """
    if not isinstance(medium, ResumableMedium):
        return medium.prepare(places)
    shares = medium.prepare(places, wanted=wanted)
    if set(wanted) - set(own) and isinstance(medium, HasRoom):
        free = medium.room(expected_bytes).free_bytes
        if free is not None and free < expected_bytes:
            medium.prepare(places, wanted=own)
    return shares


def go_on(medium: Medium, set_id: SetId, *, expected_bytes: int) -> SetWriter:
    """Go on with an unfinished copy of a set; begin it where the medium knows nothing of that, or has nothing of it.

    Raises:
        MediumUnavailable: it does not take the set, or has too little space.
    """
    if isinstance(medium, ResumableMedium):
        return medium.resume(set_id, expected_bytes=expected_bytes)
    return medium.begin(set_id, expected_bytes=expected_bytes)


def held_by(writer: SetWriter) -> Mapping[str, HeldFile]:
    """Return the files that a writer took over.

    Raises:
        MediumUnavailable: the medium cannot be asked.
    """
    return writer.held() if isinstance(writer, ResumableWriter) else {}


def let_go(writer: SetWriter, *, keep: bool) -> None:
    """Let go of a set that will not be sealed by this writer; never raises.

    Args:
        writer: of the set.
        keep: leave what is whole of it for a later copy, if the medium can go on with it.
    """
    if keep and isinstance(writer, ResumableWriter):
        writer.leave()
    else:
        writer.abandon()
