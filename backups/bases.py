"""Which full set a differential builds on, and what this machine has noted of it.

A weekly full set, and differentials against that one alone: any restore needs two sets at most. What the sources noted of
the full set lies in the state folder, in `bases/<digest of the bag>/`. It is there only for a set of which a copy was read
back, and where it is lost the next set is a full one: nothing is ever guessed to be unchanged.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from portalops.config.tables import KindTable
from portalops.errors import BackupError
from portalops.files import sync_folder, write_atomically
from portalops.json_text import read_json
from portalops.model.backups import SetId, SetKind
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.runs import Span
from portalops.registers.backups import SetEvidence

FOLDER = "bases"
_DESCRIPTION = "base.json"
_NEW = ".new"


@dataclass(frozen=True, slots=True)
class Base:
    """A full set that a differential can build on."""

    set_id: SetId
    bag_sha256: Digest
    listings: Mapping[str, Path]
    """What each source noted, by its id; a source that is not among them is written whole."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What is noted of one full set."""

    bag_sha256: Digest
    folder: Path
    sources: Mapping[str, Digest]
    """Digest of the settings of each source whose listing is there, by its id."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which kind of set is to be made, and why."""

    base: Base | None
    """None for a full set."""
    reason: Message

    @property
    def kind(self) -> SetKind:
        return SetKind.FULL if self.base is None else SetKind.DIFF


@dataclass(frozen=True, slots=True)
class SetRequest:
    """What is asked for."""

    kind: SetKind | None
    """What the caller wants; None leaves it to the configuration."""
    full_every: Span | None
    """The configuration's: one full set in each such span, differentials between; None for full sets alone."""


def choose(
    wish: SetRequest,
    sets: Sequence[SetEvidence],
    noted: Sequence[Noted],
    settings: Mapping[str, Digest],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Choice:
    """Decide whether the next set is full or differential.

    Args:
        wish: what the caller requests.
        sets: as recorded, oldest first.
        noted: what this machine has noted of full sets.
        settings: digest of every source's settings as they are now, by its id.
        now: aware.
        zone: the portal's.

    Raises:
        BackupError: a differential is asked for, and there is nothing that it could build on.
    """
    if wish.kind is SetKind.FULL:
        return Choice(None, msg("a full set was requested"))
    if wish.kind is None and wish.full_every is None:
        return Choice(None, msg("every set is a full one: backup.full_every is not set"))
    base, problem = _base(sets, noted, settings)
    if wish.kind is SetKind.DIFF:
        if base is None:
            raise BackupError(
                msg("no differential can be made: {cause}", cause=problem),
                msg("Make a full set: portalops backup run --full"),
            )
        return Choice(base, msg("a differential set was requested"))
    assert wish.full_every is not None
    if base is None:
        return Choice(None, problem)
    made_at = next(made.set.created_at for made in sets if made.set.bag_sha256 == base.bag_sha256)
    slot = wish.full_every.slot(now.astimezone(zone))
    if wish.full_every.slot(made_at.astimezone(zone)) != slot:
        return Choice(None, msg("there is no full set of {slot} yet", slot=slot))
    return Choice(base, msg("the full set of {slot} is verified", slot=slot))


def _base(
    sets: Sequence[SetEvidence], noted: Sequence[Noted], settings: Mapping[str, Digest]
) -> tuple[Base | None, Message]:
    """Return the newest full set that can be built on, or why there is none."""
    fulls = [made for made in sets if made.set.kind is SetKind.FULL]
    if not fulls:
        return None, msg("no full set is recorded")
    verified = [made for made in fulls if made.verified_copies()]
    if not verified:
        return None, msg("no full set has a verified copy")
    newest = verified[-1].set
    found = next((each for each in noted if each.bag_sha256 == newest.bag_sha256), None)
    if found is None or not found.sources:
        return None, msg("this machine has no list of the contents of set {set}", set=newest.id)
    usable = {
        source: found.folder / _listing_name(source)
        for source, digest in found.sources.items()
        if settings.get(source) == digest
    }
    if not usable:
        return None, msg("the settings of every source were changed since set {set}", set=newest.id)
    return Base(newest.id, newest.bag_sha256, usable), msg("set {set} is verified", set=newest.id)


def without_base(choice: Choice, wish: SetRequest) -> Choice:
    """Return the choice of a full set where no medium has the base of a differential with its whole structure.

    Raises:
        BackupError: a differential is asked for.
    """
    assert choice.base is not None
    problem = msg("no medium has the full set {set} with its whole structure", set=choice.base.set_id)
    if wish.kind is SetKind.DIFF:
        raise BackupError(
            msg("no differential can be made: {cause}", cause=problem),
            msg("Make a full set: portalops backup run --full"),
        )
    return Choice(None, problem)


def settings_digests(tables: Iterable[KindTable]) -> dict[str, Digest]:
    """Return a digest of each source's settings, by its id: with other settings nothing can be compared."""
    found = {}
    for table in tables:
        text = json.dumps([table.kind, str(table.folder), dict(table.values)], sort_keys=True, default=str)
        found[table.id] = Digest(hashlib.sha256(text.encode()).hexdigest())
    return found


def read_noted(state_folder: Path) -> tuple[Noted, ...]:
    """Return what is noted; a folder that cannot be read notes nothing, and neither does a listing that is lost."""
    found = []
    for path in sorted((state_folder / FOLDER).glob(f"*/{_DESCRIPTION}")):
        try:
            content = read_json(path.read_bytes())
            sources = {
                str(source): Digest(str(digest))
                for source, digest in content["sources"].items()
                if (path.parent / _listing_name(source)).is_file()
            }
            found.append(Noted(Digest(str(content["bag_sha256"])), path.parent, sources))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return tuple(found)


class NewBase:
    """The folder in which sources note what a full set holds, until it is known whether a copy of it can be read."""

    def __init__(self, state_folder: Path) -> None:
        """Begin anew; what a run that died had noted is removed.

        Raises:
            OSError: the folder cannot be made.
        """
        self._folder = state_folder / FOLDER
        self._new = self._folder / _NEW
        shutil.rmtree(self._new, ignore_errors=True)
        self._new.mkdir(parents=True, mode=0o700)

    def listing(self, source: str) -> Path:
        """Return where a source notes what it yields."""
        return self._new / _listing_name(source)

    def keep(self, set_id: SetId, bag_sha256: Digest, settings: Mapping[str, Digest]) -> None:
        """Keep what was noted as of this set, in place of what was noted of earlier ones.

        Args:
            set_id: of the set.
            bag_sha256: of the set.
            settings: digest of the settings of each source that went into it.

        Raises:
            FileUnwritable: it cannot be written.
            OSError: it cannot be put in its place.
        """
        sources = {source: digest for source, digest in settings.items() if self.listing(source).is_file()}
        content = {"set": set_id, "bag_sha256": bag_sha256, "sources": sources}
        write_atomically(self._new / _DESCRIPTION, json.dumps(content, indent=1).encode() + b"\n", mode=0o600)
        place = self._folder / bag_sha256
        shutil.rmtree(place, ignore_errors=True)
        self._new.rename(place)
        sync_folder(self._folder)
        for other in self._folder.iterdir():
            if other.name != bag_sha256:
                shutil.rmtree(other, ignore_errors=True)

    def drop(self) -> None:
        """Forget what was noted."""
        shutil.rmtree(self._new, ignore_errors=True)


def _listing_name(source: str) -> str:
    return f"{source}.listing"
