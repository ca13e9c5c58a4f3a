"""What stops a backup run, and what it leaves out: a pure rule over what was seen, by which `config check` and `backup run` go.

A run without a source or a medium makes no set; what its keys must be is in `backups/plan.py`. A source or medium that is not there costs its own data
or copy alone, unless all of them are not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from backups.sources import Lack, SourceRemark
from portalops.errors import BackupError, ConfigurationError, PortalOpsError
from portalops.model.message import Message, msg, together


@dataclass(frozen=True, slots=True)
class SeenParts:
    """What a run would find, by id; None for what nothing is known to stand in the way of."""

    sources: Mapping[str, Lack | None]
    media: Mapping[str, Message | None]
    remarks: Mapping[str, Sequence[SourceRemark]] = field(default_factory=dict)
    """By source."""
    folders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By medium: where it really lies on this machine, if there."""


def stopping(seen: SeenParts) -> Iterator[PortalOpsError]:
    """Yield why a run makes no set."""
    if not seen.sources:
        yield ConfigurationError(
            msg("there is no [[backup.source]], so a backup holds nothing"),
            msg("Add a [[backup.source]] for each kind of data; 'portalops config schema' describes them."),
        )
    if not seen.media:
        yield ConfigurationError(
            msg("there is no [[backup.medium]], so a backup goes nowhere"),
            msg("Add a [[backup.medium]], better two; 'portalops config schema' describes them."),
        )
    yield from _one_place(seen.folders)
    lacks = [lack.cause for lack in seen.sources.values() if lack and not lack.is_partial]
    if lacks and len(lacks) == len(seen.sources):
        yield BackupError(
            msg("no backup source is there: {causes}", causes=together(lacks, 3)),
            msg("Correct the paths of the sources, or bring the data back."),
        )
    away = [cause for cause in seen.media.values() if cause]
    if away and len(away) == len(seen.media):
        yield BackupError(
            msg("no backup medium is there: {causes}", causes=together(away, 3)),
            msg("Attach a medium, or correct its folder."),
        )


def left_out(seen: SeenParts) -> Iterator[Message]:
    """Yield what a run goes on without."""
    for source, lack in seen.sources.items():
        if lack and lack.is_partial:
            yield msg("a backup is incomplete: source {source}: {cause}", source=source, cause=lack.cause)
        elif lack:
            yield msg("a backup leaves out source {source}: {cause}", source=source, cause=lack.cause)
    yield from remarks_of(seen.remarks, doubtful=True)
    for medium, cause in seen.media.items():
        if cause:
            yield msg("a backup makes no copy on {medium}: {cause}", medium=medium, cause=cause)


def remarks_of(remarks: Mapping[str, Sequence[SourceRemark]], *, doubtful: bool) -> Iterator[Message]:
    """Yield what sources do that their tables do not show at a glance: what most likely is not meant, or the rest."""
    for source, each in remarks.items():
        for remark in each:
            if remark.is_doubtful is doubtful:
                yield msg("source {source}: {remark}", source=source, remark=remark.text)


def _one_place(folders: Mapping[str, Sequence[str]]) -> Iterator[ConfigurationError]:
    """Yield each medium that lies where another one does: the second copy of a set would find the first in its place."""
    first: dict[str, str] = {}
    for medium, places in folders.items():
        for place in places:
            other = first.setdefault(place, medium)
            if other != medium:
                yield ConfigurationError(
                    msg(
                        "the media {first} and {medium} are one folder: {folder}",
                        first=other,
                        medium=medium,
                        folder=place,
                    ),
                    msg("Give each medium a folder of its own, or leave one of them out."),
                )


def require_parts(sources: Collection[str], media: Collection[str], folders: Mapping[str, Sequence[str]]) -> None:
    """Require that a run has something to read and somewhere to write.

    Raises:
        ConfigurationError: it has not.
    """
    for problem in stopping(SeenParts(dict.fromkeys(sources), dict.fromkeys(media), folders=folders)):
        raise problem
