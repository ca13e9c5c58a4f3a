"""Find every version of a file in all sets that media have, the newest first

A pattern without a slash fits the last name, such as 'portal.ini' or '*.conf'; one with a slash fits the whole path,
such as 'etc/*/portal.ini'. * matches a slash too. Each content of a path is shown once, with the newest and the oldest
set that hold it, so that you can choose the set to restore from. Indexes alone are read, never a pack with contents.

Example: portalops backup find portal.ini --identity /media/key/operator.age; portalops backup find 'etc/*.conf'
--since 2026-11-01 --source settings --identity key

EXIT STATUS: 0 found, 1 no set has such a path, 3 a set or a part of one could not be searched, 4 no set could be searched
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.media import build_media
from backups.prune import made_at
from backups.set_search import FoundVersions, SearchedSet, search_sets
from commands.backup._paths import (
    MOST,
    LimitOption,
    SourceOption,
    UnknownPart,
    each_once,
    hex_of,
    left_off,
    moment_of,
    printable,
    required_pattern,
    unknown_blocks,
    unknown_parts,
)
from commands.cli.entries import moment
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.opened_sets import NamedSet, OpenedSet, find_by_name, open_set, sets_there
from commands.jobs.sets import keys_of
from portalops.errors import ExitCode, SetNotFound
from portalops.locale import _
from portalops.model.backups import MemberType
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Block, ByteSize, Paragraph, TableBlock

if TYPE_CHECKING:
    from datetime import datetime

    from backups.merged import MergedSet
    from backups.set_search import PathVersion

MAX_PATH = 4 * 4096


@shape
class VersionOfPath:
    """One content of a path."""

    source: str
    stream: str
    path: str
    path_hex: str | None
    """Its bytes, where they are no UTF-8; `path` is escaped then."""
    type: MemberType
    size: int
    mtime_ns: int
    """As the newest set has it."""
    sha256: str | None
    """Of a file's content."""
    link: str
    """Where a link leads; empty for all else."""
    newest: str
    """The newest set that holds it."""
    oldest: str
    sets: int
    """How many of the searched sets hold it."""


@shape
class FoundPaths:
    """What a search over sets found."""

    pattern: str
    searched: int
    """Sets that were searched."""
    versions: tuple[VersionOfPath, ...]
    count: int
    """How many there are, with those that --limit leaves off."""
    unknown: tuple[UnknownPart, ...]
    """What could not be searched, and why."""


def find(
    ctx: typer.Context,
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help=_("A name, a path or a pattern"))],
    *,
    identity: Annotated[
        Path, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ],
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="MOMENT", help=_("Only sets made from then on, such as 2026-11-01")),
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", metavar="SET", help=_("Only this set: its name, its beginning, or 'latest'"))
    ] = None,
    source: SourceOption = None,
    limit: LimitOption = MOST,
) -> Result[FoundPaths]:
    session = open_session(ctx)
    wanted = required_pattern(pattern, "PATTERN")
    identities = read_identities(identity)
    from_then = moment(session, since, "--since") if since else None
    media = build_media(session.settings.backup_media)
    if set_name is None:
        chosen = [each for each in sets_there(session.reader, media) if _is_since(each, from_then)]
    else:
        chosen = [find_by_name(session.reader, media, set_name)]
    if not chosen:
        raise SetNotFound(
            msg("no set to search is on a medium"), msg("'portalops backup list' shows the sets that are recorded.")
        )
    keys = keys_of(session.reader, session.warnings.append)
    opened: list[OpenedSet] = []
    warnings: list[Message] = []

    def opened_set(each: NamedSet) -> tuple[MergedSet, MergedSet | None]:
        now = open_set(each, media, keys if each.made else None)
        opened.append(now)
        warnings.extend(now.warnings)
        return now.copies, now.base

    sets = [SearchedSet(each.id, partial(opened_set, each)) for each in chosen]
    with session.progress.task(msg("Searching"), total=len(sets), unit="") as task:
        found = search_sets(sets, identities, wanted, source=source, most=limit, on_set=task.advance)
    damaged = [said for each in opened for said in each.damage()]
    return Result(
        _data(pattern, found),
        _view(pattern, found),
        each_once([*warnings, *damaged]),
        _exit_code(found),
    )


def _is_since(found: NamedSet, moment_: datetime | None) -> bool:
    made = found.made.set.created_at if found.made is not None else made_at(found.id)
    return moment_ is None or made >= moment_


def _exit_code(found: FoundVersions) -> ExitCode:
    if not found.sets:
        return ExitCode.FAILED
    if found.unknown:
        return ExitCode.PARTIAL
    return ExitCode.OK if found.count else ExitCode.UNMET


def _data(pattern: str, found: FoundVersions) -> FoundPaths:
    return FoundPaths(
        pattern=printable(pattern),
        searched=found.sets,
        versions=tuple(
            VersionOfPath(
                source=each.source,
                stream=each.stream,
                path=printable(each.path),
                path_hex=hex_of(each.path),
                type=each.type,
                size=each.size,
                mtime_ns=each.mtime_ns,
                sha256=each.content if each.type is MemberType.FILE else None,
                link="" if each.type is MemberType.FILE else printable(each.content),
                newest=each.newest,
                oldest=each.oldest,
                sets=each.sets,
            )
            for each in found.versions
        ),
        count=found.count,
        unknown=unknown_parts(found.unknown),
    )


def _view(pattern: str, found: FoundVersions) -> list[Block]:
    blocks: list[Block] = []
    if found.versions:
        headers = (
            msg("Path"),
            msg("Source"),
            msg("Size"),
            msg("Changed at"),
            msg("SHA-256"),
            msg("Newest set"),
            msg("Oldest set"),
            msg("Sets"),
        )
        rows = [
            (
                verbatim(show_text(each.path, MAX_PATH)),
                each.source,
                ByteSize(each.size) if each.type is MemberType.FILE else None,
                moment_of(each.mtime_ns),
                _content(each),
                each.newest,
                each.oldest if each.sets > 1 else None,
                each.sets,
            )
            for each in found.versions
        ]
        blocks.append(TableBlock(nmsg("{n} version", "{n} versions", found.count), headers, rows))
    elif found.unknown:
        said = msg(
            "no path found fits {pattern}, and not everything could be searched", pattern=show_text(pattern, 300)
        )
        blocks.append(Paragraph(said))
    else:
        said = nmsg(
            "{n} set was searched; none has {pattern}",
            "{n} sets were searched; none has {pattern}",
            found.sets,
            pattern=show_text(pattern, 300),
        )
        blocks.append(Paragraph(said))
    return [*blocks, *left_off(found.count, len(found.versions)), *unknown_blocks(found.unknown)]


def _content(version: PathVersion) -> Message | None:
    if version.type is MemberType.FILE:
        return verbatim(version.content[:16])
    return verbatim(f"-> {show_text(version.content, MAX_PATH)}") if version.content else None


VERB = Verb(find)
