"""Compare two sets, or a set with the files that are there now

Shows per source which paths were added, removed or changed from the first to the second: content by SHA-256, or mode,
owner and time alone. A dump of a database is compared as a whole. A differential counts as it stands with its base.
With --live every file of the source is read now, between its commands 'before' and 'after'; databases are not
compared then. No pack with contents is read.
Extended attributes, access lists (ACLs) and which names are hard links are not compared: no index holds them.

Example: portalops backup diff demo-20261120 latest --identity /media/key/operator.age; portalops backup diff latest
--live --source settings --identity key

EXIT STATUS: 0 no difference in what is compared, 1 different, 3 no difference seen, but not all could be compared, 4 there is no such set
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.media import build_media
from backups.member_table import Change
from backups.set_comparison import ComparedSide, SetComparison, compare, side_of_live, side_of_set
from commands.backup._paths import (
    MOST,
    LimitOption,
    MemberShape,
    SourceOption,
    UnknownPart,
    each_once,
    hex_of,
    left_off,
    path_cell,
    printable,
    size_cell,
    unknown_blocks,
    unknown_parts,
)
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.opened_sets import OpenedSet, find_by_name, open_set
from commands.jobs.sets import keys_of, sources_of
from portalops.errors import BackupError, ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.reports.document import Block, Cell, Paragraph, Status, TableBlock, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backups.age import PrivateKey
    from portalops.ports import Medium

LIVE = "live"
NOT_COMPARED = ("extended-attributes", "access-lists", "hard-links")


@shape
class ChangesOfStream:
    """How many paths of a stream differ."""

    source: str
    stream: str
    added: int
    removed: int
    content: int
    attributes: int


@shape
class DifferentPath:
    """A path that differs."""

    source: str
    stream: str
    path: str
    """Empty for a dump, which differs as a whole."""
    path_hex: str | None
    """Its bytes, where they are no UTF-8; `path` is escaped then."""
    change: Change
    before: MemberShape | None
    after: MemberShape | None


@shape
class ComparedSets:
    """What differs between two sets, or a set and what is there now."""

    before: str
    after: str
    """A set, or `live`."""
    same: bool
    """Nothing differs as far as it is compared; see `unknown` and `not_compared`."""
    streams: tuple[ChangesOfStream, ...]
    """Those that were compared."""
    paths: tuple[DifferentPath, ...]
    count: int
    """How many there are, with those that --limit leaves off."""
    unknown: tuple[UnknownPart, ...]
    not_compared: tuple[str, ...]
    """What no index holds: a file may differ in it though it is not listed."""


def diff(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))],
    second: Annotated[
        str | None, typer.Argument(metavar="SET2", help=_("The set to compare with; none with --live"))
    ] = None,
    *,
    identity: Annotated[
        Path, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ],
    live: Annotated[bool, typer.Option("--live", help=_("Compare with the files that are there now"))] = False,
    source: SourceOption = None,
    limit: LimitOption = MOST,
) -> Result[ComparedSets]:
    session = open_session(ctx)
    if live == (second is not None):
        raise UsageError(
            msg("a comparison needs a second side: a set or --live"), msg("Give SET2, or --live, and not both.")
        )
    identities = read_identities(identity)
    media = build_media(session.settings.backup_media)
    old = _opened(session, media, first)
    new = None if second is None else _opened(session, media, second)
    before = _side(old, identities)
    after = _live(session, media, old, source) if new is None else _side(new, identities)
    _require_source((before, after), source)
    found = compare(before, after, source=source, most=limit)
    names = old.copies.content.id, LIVE if new is None else new.copies.content.id
    warnings = [said for each in (old, new) if each is not None for said in (*each.warnings, *each.damage())]
    return Result(_data(names, found), _view(names, found, limit), each_once(warnings), _exit_code(found))


def _opened(session: Session, media: Mapping[str, Medium], name: str) -> OpenedSet:
    found = find_by_name(session.reader, media, name)
    return open_set(found, media, keys_of(session.reader, session.warnings.append) if found.made else None)


def _side(opened: OpenedSet, identities: Sequence[PrivateKey]) -> ComparedSide:
    return side_of_set(opened.copies, opened.base, identities)


def _live(session: Session, media: Mapping[str, Medium], old: OpenedSet, source: str | None) -> ComparedSide:
    sources = sources_of(session.settings, media.values(), lambda: session.kept(writable=False))
    return side_of_live([each for each in sources if source in {None, each.id}], old.copies.content.streams)


def _require_source(sides: Sequence[ComparedSide], source: str | None) -> None:
    there = sorted({name for each in sides for name in (*(key[0] for key in each.streams), *each.unknown)})
    if source is not None and source not in there:
        raise BackupError(
            msg("neither side has a source {source}", source=show_text(source, 80)),
            msg("Their sources are: {sources}.", sources=", ".join(there)),
        )


def _exit_code(found: SetComparison) -> ExitCode:
    if not found.is_same:
        return ExitCode.UNMET
    return ExitCode.PARTIAL if found.unknown else ExitCode.OK


def _data(names: tuple[str, str], found: SetComparison) -> ComparedSets:
    paths = [
        DifferentPath(
            source=key[0],
            stream=key[1],
            path=printable(each.path),
            path_hex=hex_of(each.path),
            change=each.change,
            before=MemberShape.of(each.before) if each.before is not None else None,
            after=MemberShape.of(each.after) if each.after is not None else None,
        )
        for key, each in found.paths
    ]
    dumps = [DifferentPath(*key, "", None, change, None, None) for key, change in found.dumps]
    return ComparedSets(
        before=names[0],
        after=names[1],
        same=found.is_same,
        streams=tuple(
            ChangesOfStream(*key, *(found.counts[key, change] for change in Change)) for key in found.compared
        ),
        paths=(*paths, *dumps),
        count=sum(found.counts.values()),
        unknown=unknown_parts(found.unknown),
        not_compared=NOT_COMPARED,
    )


def _view(names: tuple[str, str], found: SetComparison, limit: int) -> list[Block]:
    blocks: list[Block] = []
    if found.compared:
        headers = (
            msg("Source"),
            msg("Stream"),
            msg("Added"),
            msg("Removed"),
            msg("Content changed"),
            msg("Attributes changed"),
        )
        counts: list[tuple[Cell, ...]] = [
            (*key, *(found.counts[key, change] for change in Change)) for key in found.compared
        ]
        caption = msg("From {before} to {after}", before=names[0], after=msg("now") if names[1] == LIVE else names[1])
        blocks.append(TableBlock(caption, headers, counts))
    for key in found.compared:
        rows: list[tuple[Cell, ...]] = [
            (
                _word(each.change),
                path_cell(each.path, each.after or each.before),
                size_cell(each.before),
                size_cell(each.after),
            )
            for of, each in found.paths
            if of == key
        ]
        if rows:
            caption = nmsg("{n} path of {source}", "{n} paths of {source}", len(rows), source="/".join(key))
            blocks.append(TableBlock(caption, (msg("Change"), msg("Path"), msg("Size before"), msg("Size now")), rows))
    blocks += [
        Paragraph(msg("The dump {source}: {change}", source="/".join(key), change=_word(change).word))
        for key, change in found.dumps
    ]
    if found.is_same:
        said = (
            msg("No difference in what could be compared")
            if found.unknown
            else msg("No difference in what is compared")
        )
        blocks.append(Paragraph(said))
    blocks.append(Paragraph(msg("Extended attributes, ACLs and hard links are not compared: no index holds them.")))
    paths = sum(found.counts.values()) - len(found.dumps)
    return [*blocks, *left_off(paths, min(paths, limit)), *unknown_blocks(found.unknown)]


def _word(change: Change) -> Status:
    words: Mapping[Change, Message] = {
        Change.ADDED: msg("added"),
        Change.REMOVED: msg("removed"),
        Change.CONTENT: msg("content changed"),
        Change.ATTRIBUTES: msg("attributes changed"),
    }
    return Status(words[change], Tone.NEUTRAL)


VERB = Verb(diff)
