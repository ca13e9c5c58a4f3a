"""List what is in a set: sources, streams, and files by their paths

Without a key it shows what lies in clear beside the packs: sources, streams, sizes, tables with their rows. The names
of files are encrypted; --identity with the private key of a recipient opens them. Then PATH is a folder, whose own
level is listed, a file, or a pattern; * matches a slash too. A differential is shown as it stands with its base. No
pack with contents is read.

Example: portalops backup ls latest; portalops backup ls latest etc --identity /media/key/operator.age --long;
portalops backup ls latest '*.conf' --recursive --source settings --identity key

EXIT STATUS: 0 listed, 3 part of the set is not known, 4 there is no such set or path, 5 no copy says what is in it
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backups.age import read_identities
from backups.media import build_media
from backups.paths import as_indexed
from backups.set_listing import SetListing, list_set
from commands.backup._paths import (
    MOST,
    LimitOption,
    MemberShape,
    SourceOption,
    UnknownPart,
    hex_of,
    left_off,
    mode_cell,
    moment_of,
    owner_cell,
    path_cell,
    printable,
    size_cell,
    unknown_blocks,
    unknown_parts,
)
from commands.backup.options import MediumOption
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.opened_sets import find_by_name, open_set
from commands.jobs.sets import keys_of
from portalops.errors import BackupError, ConfigurationError, ExitCode, UsageError
from portalops.locale import _
from portalops.model.backups import DataClass, SetKind
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Block, ByteSize, Cell, KeyValues, Notice, TableBlock, Tone
from portalops.reports.words import data_class_word, set_kind_word

if TYPE_CHECKING:
    from backups.set_file import SetFile
    from portalops.config import Settings
    from portalops.model.backups import Stream


@shape
class RecipientKey:
    """Whose private key opens a set."""

    name: str
    """As the configuration calls it; empty if it does not know the key."""
    key: str
    """The public key."""


@shape
class TableInStream:
    """A table of a database, as it was counted in the dump's own moment."""

    name: str
    rows: int


@shape
class StreamInSet:
    """A stream of a set: what lies in clear beside the packs."""

    source: str
    stream: str
    format: str
    class_: DataClass
    members: int
    """Of its own: a differential's base has more."""
    plain_bytes: int
    stored_bytes: int
    differential: bool
    tables: tuple[TableInStream, ...]


@shape
class PathInSet:
    """A path of a set."""

    source: str
    stream: str
    path: str
    path_hex: str | None
    """Its bytes, where they are no UTF-8; `path` is escaped then."""
    member: MemberShape | None
    """Null for a folder that is no member itself, but has members."""


@shape
class ListedSet:
    """What is in a set."""

    set: str
    kind: SetKind
    base: str | None
    opened_by: tuple[RecipientKey, ...]
    """A private key of any of these opens it."""
    streams: tuple[StreamInSet, ...]
    path: str
    """What was asked for; empty for everything."""
    paths: tuple[PathInSet, ...] | None
    """Null without a key: names are encrypted."""
    count: int | None
    """How many there are, with those that --limit leaves off."""
    unknown: tuple[UnknownPart, ...]


def ls(
    ctx: typer.Context,
    set_name: Annotated[str, typer.Argument(metavar="SET", help=_("A set's name, its beginning, or 'latest'"))],
    path: Annotated[
        str | None, typer.Argument(metavar="PATH", help=_("A folder, a file or a pattern, such as etc or 'etc/*.conf'"))
    ] = None,
    *,
    identity: Annotated[
        Path | None, typer.Option("--identity", metavar="FILE", help=_("File with a private key of a recipient"))
    ] = None,
    source: SourceOption = None,
    recursive: Annotated[bool, typer.Option("--recursive", help=_("With all that lies below"))] = False,
    long: Annotated[bool, typer.Option("--long", help=_("With mode, owner, time and SHA-256"))] = False,
    limit: LimitOption = MOST,
    medium: MediumOption = None,
) -> Result[ListedSet]:
    session = open_session(ctx)
    if path is not None and not path:
        raise UsageError(msg("{what} is empty", what="PATH"), msg("Leave it out to list the top of every source."))
    identities = read_identities(identity) if identity else ()
    media = build_media(session.settings.backup_media)
    found = find_by_name(session.reader, media, set_name, medium)
    keys = keys_of(session.reader, session.warnings.append) if found.made else None
    opened = open_set(found, media, keys, only=medium, with_base=bool(identities))
    content = opened.copies.content
    _require_source(content, source)
    recipients = _recipients(content, session.settings)
    if path is not None and not identities:
        raise UsageError(
            msg("the names in set {set} are encrypted", set=found.id),
            msg("Give --identity with the private key of {names}.", names=_named(recipients)),
        )
    listing = None
    if identities:
        listing = list_set(
            opened.copies,
            identities,
            opened.base,
            path=as_indexed(path or ""),
            source=source,
            is_recursive=recursive,
            most=limit,
        )
        if path is not None and as_indexed(path) and not listing.count and not listing.unknown:
            raise BackupError(
                msg("the set has no path {path}", path=show_text(path, 300)),
                msg("'portalops backup ls {set} --identity FILE' lists the top of every source.", set=found.id),
            )
    data = _data(content, recipients, path or "", source, listing)
    view = _view(content, recipients, source, listing, is_long=long, has_path=path is not None)
    code = ExitCode.OK if listing is None or not listing.unknown else ExitCode.PARTIAL
    if not opened.is_vouched:
        code = ExitCode.INTEGRITY
    return Result(data, view, [*opened.warnings, *opened.lacks, *opened.damage()], code)


def _require_source(content: SetFile, source: str | None) -> None:
    sources = dict.fromkeys(each.source for each in content.streams)
    if source is not None and source not in sources:
        raise BackupError(
            msg("the set has no source {source}", source=show_text(source, 80)),
            msg("Its sources are: {sources}.", sources=", ".join(sources)),
        )


def _recipients(content: SetFile, settings: Settings) -> list[RecipientKey]:
    names: dict[str, str] = {}
    for each in settings.backup.recipient_settings:
        try:
            recipient = each.read()
        except ConfigurationError:  # a key file that is gone takes a name away, and nothing else
            continue
        names[recipient[1]] = recipient[0]
    return [RecipientKey(names.get(key, ""), key) for key in content.recipients]


def _named(recipients: list[RecipientKey]) -> Message:
    """Return the names of keys, any of which will do."""
    named = [each.name or show_text(each.key, 80) for each in recipients]
    if len(named) < 2:
        return verbatim(", ".join(named))
    return msg("{some} or {last}", some=", ".join(named[:-1]), last=named[-1])


def _data(
    content: SetFile, recipients: list[RecipientKey], path: str, source: str | None, listing: SetListing | None
) -> ListedSet:
    unknown = _unknown(listing)
    return ListedSet(
        set=content.id,
        kind=content.kind,
        base=content.base_id,
        opened_by=tuple(recipients),
        streams=tuple(
            StreamInSet(
                each.source,
                each.name,
                each.format,
                each.data_class,
                each.members,
                each.plain_bytes,
                _stored(each),
                each.differential,
                tuple(TableInStream(rows.table, rows.rows) for rows in each.rows),
            )
            for each in content.streams
            if source in {None, each.source}
        ),
        path=printable(path),
        paths=None
        if listing is None
        else tuple(
            PathInSet(
                each.stream.source,
                each.stream.name,
                printable(each.path),
                hex_of(each.path),
                MemberShape.of(each.member) if each.member is not None else None,
            )
            for each in listing.paths
        ),
        count=None if listing is None else listing.count,
        unknown=unknown_parts(unknown),
    )


def _unknown(listing: SetListing | None) -> list[tuple[str, Message]]:
    return [(f"{stream.source}/{stream.name}", why) for stream, why in (listing.unknown if listing else ())]


def _stored(stream: Stream) -> int:
    return sum(pack.stored_bytes for pack in (*stream.packs, *([stream.index] if stream.index else [])))


def _view(
    content: SetFile,
    recipients: list[RecipientKey],
    source: str | None,
    listing: SetListing | None,
    *,
    is_long: bool,
    has_path: bool,
) -> list[Block]:
    blocks: list[Block] = [] if has_path else _outline(content, source)
    if listing is None:
        said = msg(
            "The names of files are encrypted: --identity with the private key of {names} shows them.",
            names=_named(recipients),
        )
        return [*blocks, Notice(said, Tone.NEUTRAL)]
    for key in dict.fromkeys((each.stream.source, each.stream.name) for each in listing.paths):
        shown = [each for each in listing.paths if (each.stream.source, each.stream.name) == key]
        headers: list[Message] = [msg("Path"), msg("Size")]
        rows: list[tuple[Cell, ...]] = [(path_cell(each.path, each.member), size_cell(each.member)) for each in shown]
        if is_long:
            headers = [msg("Mode"), msg("Owner"), *headers, msg("Changed at"), msg("SHA-256")]
            rows = [
                (
                    mode_cell(each.member),
                    owner_cell(each.member),
                    *row,
                    None if each.member is None else moment_of(each.member.mtime_ns),
                    None if each.member is None else each.member.sha256,
                )
                for each, row in zip(shown, rows, strict=True)
            ]
        caption = nmsg("{n} path of {source}", "{n} paths of {source}", len(rows), source="/".join(key))
        blocks.append(TableBlock(caption, headers, rows))
    return [*blocks, *left_off(listing.count, len(listing.paths)), *unknown_blocks(_unknown(listing))]


def _outline(content: SetFile, source: str | None) -> list[Block]:
    """Return what lies in clear: streams, and tables with their rows."""
    streams = [each for each in content.streams if source in {None, each.source}]
    blocks: list[Block] = [
        KeyValues(
            (
                (msg("Backup set"), content.id),
                (msg("Kind"), set_kind_word(content.kind)),
                *([(msg("Builds on"), content.base_id)] if content.base_id else []),
            )
        ),
        TableBlock(
            msg("What is in it"),
            (msg("Source"), msg("Stream"), msg("Data"), msg("Members"), msg("Size"), msg("Stored")),
            [
                (
                    each.source,
                    f"{each.name}.{each.format}",
                    data_class_word(each.data_class),
                    each.members,
                    ByteSize(each.plain_bytes),
                    ByteSize(_stored(each)),
                )
                for each in streams
            ],
        ),
    ]
    tables: list[tuple[Cell, ...]] = [
        (each.source, show_text(rows.table, 200), rows.rows) for each in streams for rows in each.rows
    ]
    if tables:
        blocks.append(
            TableBlock(nmsg("{n} table", "{n} tables", len(tables)), (msg("Source"), msg("Table"), msg("Rows")), tables)
        )
    return blocks


VERB = Verb(ls)
