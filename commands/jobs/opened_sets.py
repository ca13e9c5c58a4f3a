"""Sets opened from all their copies, for verbs that read them: found in the ledger, and on the media where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from backups.merged import merge_base, merge_copies
from backups.prune import made_at
from backups.signature import signer_shown
from commands.jobs.sets import require_medium
from portalops.errors import PortalOpsError, SetDamaged, SetNotFound, UsageError
from portalops.ledger.heeded import numbers_mistimed
from portalops.ledger.ledger import Ledger
from portalops.ledger.not_begun import LedgerNotBegun
from portalops.model.backups import CopyState, SetId
from portalops.model.message import Message, msg, nmsg, together, verbatim
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.registers.backups import GONE, find_set, recorded_sets

if TYPE_CHECKING:
    from backups.merged import CopyFault, Merged, MergedSet
    from backups.set_file import SetFile
    from portalops.model.backups import BackupSet
    from portalops.model.heads import Signer
    from portalops.ports import LedgerReader, Medium
    from portalops.registers.backups import SetEvidence

MAX_FAULTS = 20
"""How many faults of copies a person is shown."""


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A set by its name, as the ledger or a medium gave it."""

    id: SetId
    made: SetEvidence | None
    """What the ledger knows of it; None where it is known from the media alone."""


@dataclass(frozen=True, slots=True)
class OpenedSet:
    """A set that can be read."""

    merged: Merged
    base: MergedSet | None
    """What a differential builds on, if a medium has it."""
    warnings: tuple[Message, ...]
    lacks: tuple[Message, ...] = ()
    """What could not be backed up when the set was made."""
    base_faults: tuple[CopyFault, ...] = ()
    """Why there is no base, where the set needs one."""

    @property
    def copies(self) -> MergedSet:
        return self.merged.set

    @property
    def is_vouched(self) -> bool:
        return self.merged.findings.is_vouched

    def require_base(self, source: str | None) -> None:
        """Require that a base which is needed, and is on media, is not damaged on all of them.

        Raises:
            SetDamaged: it is.
        """
        content = self.copies.content
        is_needed = any(each.differential for each in content.streams if source in {None, each.source})
        if self.base is None and is_needed and any(each.is_damage for each in self.base_faults):
            raise SetDamaged(
                msg(
                    "the base {base} of set {set} is damaged on every medium: {problems}",
                    base=content.base_id or "-",
                    set=content.id,
                    problems=together([each.shown for each in self.base_faults], most=3),
                ),
                msg("Restore what stands alone by --source, or an earlier set: 'portalops backup list'."),
            )

    def damage(self) -> list[Message]:
        """Say which copies turned out damaged, or could not be read, though others may have had what they lack."""
        return damage((*self.copies.faults, *(self.base.faults if self.base is not None else ())))


def open_set(
    found: NamedSet,
    media: Mapping[str, Medium],
    keys: Sequence[Signer] | None,
    *,
    only: str | None = None,
    with_base: bool = True,
) -> OpenedSet:
    """Open a set and its base.

    Args:
        found: the set.
        media: all that are configured.
        keys: the ledger's signing keys; None if no ledger can be asked.
        only: the medium whose copy of the set counts; the base may lie elsewhere.
        with_base: whether the base is looked for.

    Raises:
        UsageError: there is no such medium.
        PortalOpsError: no medium has a copy that opens.
    """
    made = found.made
    merged = merge_copies(
        found.id,
        ordered_media(media, made, only),
        bag_sha256=made.set.bag_sha256 if made else None,
        keys=keys if made else None,
    )
    failures = (
        made.failures if made else tuple(verbatim(show_text(each, 700)) for each in merged.set.content.failed_sources)
    )
    warnings: list[Message] = []
    if made is None:
        warnings += _unknown_set(found.id, merged.set.content.signer)
    if not merged.findings.is_vouched:
        warnings += merged.findings.said
    base: MergedSet | None = None
    missing: tuple[CopyFault, ...] = ()
    if with_base:
        base, missing = merge_base(merged.set.content, sorted(media.values(), key=lambda each: each.id != only))
        warnings += [each.shown for each in missing[:3]]
    return OpenedSet(merged, base, tuple(warnings), tuple(lacks_of(merged.set.content, failures)), missing)


def lacks_of(kept: SetFile | BackupSet, failures: Sequence[Message]) -> Iterator[Message]:
    """Say what could not be backed up when a set was made: it tells those who restore it."""
    for each in failures[:MAX_FAULTS]:
        yield msg("set {set} is incomplete: {problem}", set=kept.id, problem=each)
    paths = sum(len(stream.unread) + len(stream.changed) for stream in kept.streams)
    if paths:
        yield nmsg(
            "set {set} is incomplete: {n} path could not be read, or changed while it was read",
            "set {set} is incomplete: {n} paths could not be read, or changed while they were read",
            paths,
            set=kept.id,
        )


def damage(faults: Sequence[CopyFault]) -> list[Message]:
    """Say which copies are damaged, or could not be read."""
    said = []
    for each in faults[:MAX_FAULTS]:
        found = msg(
            "the copy of {set} on {medium} could not be read: {problem}",
            set=each.set_id,
            medium=each.medium,
            problem=each.problem,
        )
        if each.is_damage:
            found = msg(
                "the copy of {set} on {medium} is damaged: {problem}; 'portalops backup verify {set}' records it",
                set=each.set_id,
                medium=each.medium,
                problem=each.problem,
            )
        said.append(found)
    if len(faults) > MAX_FAULTS:
        said.append(msg("... and {more} more", more=len(faults) - MAX_FAULTS))
    return said


def find_by_name(
    ledger: Ledger | LedgerNotBegun, media: Mapping[str, Medium], name: str, only: str | None = None
) -> NamedSet:
    """Return the set of a name, of its beginning, or the newest; from the media alone where the ledger knows none.

    Raises:
        SetNotFound: there is none, or several.
    """
    try:
        made = find_set(recorded_sets(ledger, passing_over=True), name, numbers_mistimed(ledger))
    except PortalOpsError as error:
        if isinstance(error, UsageError):
            raise
        there = sorted(
            {found for each in media.values() if only in {None, each.id} for found in _sets_on(each)}, key=made_at
        )
        matching = there[-1:] if name == "latest" else [found for found in there if found.startswith(name)]
        if len(matching) != 1:
            raise
        return NamedSet(matching[0], None)
    return NamedSet(made.set.id, made)


def sets_there(ledger: LedgerReader, media: Mapping[str, Medium]) -> list[NamedSet]:
    """Return all sets that media have, by the ledger or their own listings, the newest first."""
    try:
        recorded = recorded_sets(ledger, passing_over=True)
    except PortalOpsError:
        recorded = ()  # the media know their sets without it
    known = {made.set.id: made for made in recorded if any(copy.state not in GONE for copy in made.copies)}
    listed = {found for each in media.values() for found in _sets_on(each)}
    return [NamedSet(each, known.get(each)) for each in sorted({*known, *listed}, key=lambda one: (made_at(one), one))][
        ::-1
    ]


def ordered_media(media: Mapping[str, Medium], made: SetEvidence | None, only: str | None) -> list[Medium]:
    """Return the media in the order in which a copy is looked for: those with a damaged one last.

    Raises:
        UsageError: there is no such medium.
        SetNotFound: there is none at all.
    """
    if only is not None:
        require_medium(only, media)
    if not media:
        raise SetNotFound(msg("no backup medium is configured"), msg("Add [[backup.medium]] to the configuration."))
    damaged = {copy.medium for copy in made.copies if copy.state is CopyState.DAMAGED} if made else set()
    return sorted((each for each in media.values() if only in {None, each.id}), key=lambda one: one.id in damaged)


def _unknown_set(set_id: SetId, signer: str) -> Iterator[Message]:
    """Say what it means that no ledger knows a set."""
    yield msg("the ledger does not know set {set}, so it was not compared with what was recorded", set=set_id)
    key = signer_shown(signer)
    if not key:
        yield msg("set {set} is unsigned, so its maker is unknown", set=set_id)
        return
    yield msg(
        "set {set} is signed by the key {key}: compare it with allowed_signers of a bundle kept elsewhere",
        set=set_id,
        key=key,
    )


def _sets_on(medium: Medium) -> tuple[SetId, ...]:
    try:
        return medium.sets()
    except PortalOpsError:
        return ()  # the medium is told of when nothing is found
