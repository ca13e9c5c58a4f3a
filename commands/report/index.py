"""Write a page that lists all reports and bundles of a folder

For each file: report, period, scope, language, size, SHA-256, head code, and whether the ledger knows these very
bytes. One static HTML file that needs no server and no script.

Example: portalops report index /srv/audit --language both

EXIT STATUS: 0 written, 2 there is no such folder, 3 written, and something in the folder could not be read, 4 it
could not be written
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.languages import languages_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.mailings import mailed_doubts
from portalops import __version__
from portalops.bodies import decode_part
from portalops.errors import ConfigurationNotFound, ExitCode, LedgerMissing, NotAHead, PortalOpsError, UsageError
from portalops.files import write_atomically
from portalops.ledger.bundle.contents import DESCRIPTION, SUMS, parse_description
from portalops.ledger.heads import HEAD, code_of, parse_head
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.locale import LANGUAGES, _
from portalops.model.causes import cause_of
from portalops.model.heads import SignedHead, SignOff
from portalops.model.mailings import MailState
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.runs import ReportResult
from portalops.model.sent import SentReport
from portalops.model.text import show_text
from portalops.registers.exports import EXPORT, Export
from portalops.registers.mailings import read_mailings
from portalops.registers.sent import KEY, SENT
from portalops.registers.sign_offs import SIGN_OFF, problem_of
from portalops.reports import formats
from portalops.reports.document import ByteSize, KeyValues, TableBlock
from portalops.reports.folder_index import (
    Deed,
    FolderContents,
    FoundBundle,
    FoundFile,
    KnownFile,
    build_index,
    find_subject,
    head_code_of,
)

MOST_FILES = 20_000
"""How many files are listed: nobody reads a page of more."""

_DEEPEST = 12
"""How many folders may lie in one another."""

_SEARCHED = frozenset({"html", "json", "csv", "md"})
"""Formats that hold a head code as text."""

_MOST_SEARCHED = 64 << 20
"""Bytes of a file that is searched for head codes."""

_HEAD_CODE = re.compile(rb"(?<![0-9a-f-])[0-9]{1,18}(?:-[0-9a-f]{4}){5}(?![0-9a-f-])")


@shape
class IndexPage:
    """A page that was written."""

    path: str
    size_bytes: int
    sha256: str


@shape
class FileRecord:
    """A record of the ledger that names a file by its digest."""

    seq: int
    deed: Deed
    """What it records of the file."""


@shape
class IndexedFile:
    """A file of the folder, and what the ledger knows of it."""

    path: str
    size_bytes: int
    sha256: str | None
    """Null where the file cannot be read."""
    report: str | None
    period: str | None
    scope: str | None
    language: str | None
    head_code: str | None
    records: tuple[FileRecord, ...]
    """Empty where the ledger does not know these very bytes."""


@shape
class IndexedBundle:
    """A bundle in the folder."""

    path: str
    files: int
    size_bytes: int
    sums_sha256: str | None
    """Of its SHA256SUMS; null where that cannot be read."""
    period: str | None
    records: int | None
    ledger: str | None
    """Id of the ledger that it is from."""
    holds: bool | None
    """Its newest record is one of this ledger; null where that is not known."""
    exported: tuple[int, ...]
    """Records of its export."""


@shape
class IndexShape:
    """What lies in a folder, and the pages that list it."""

    pages: tuple[IndexPage, ...]
    files: tuple[IndexedFile, ...]
    bundles: tuple[IndexedBundle, ...]


def index(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help=_("The folder; that of the reports without it"))
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help=_("Folder to write the page to; the same without it"))
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="vi|en|both", help=_("vi, en or both; the configured ones without it"))
    ] = None,
) -> Result[IndexShape]:
    session = open_session(ctx)
    chosen = folder or session.settings.report.folder
    into = output or chosen
    languages = languages_option(language, session.settings.report.languages)
    pages = {each: into / f"index.{each}.html" for each in languages}
    if not os.path.isdir(chosen):  # unlike Path.is_dir, false where a folder above may not be searched
        raise UsageError(
            msg("{folder} is not a folder", folder=show_text(str(chosen))),
            msg("Name the folder of the reports; without a name it is report.folder of the configuration."),
        )
    contents = _contents(session, chosen, into, skip={page.absolute() for page in pages.values()})
    document = build_index(contents)
    written: list[IndexPage] = []
    for each, page in pages.items():
        data = formats.load("html").render(document, language=each)
        write_atomically(page, data)
        written.append(IndexPage(str(page), len(data), hashlib.sha256(data).hexdigest()))
    unread = [msg("cannot read {path}: {cause}", path=show_text(path), cause=why) for path, why in _unread(contents)]
    return Result(
        data=IndexShape(
            tuple(written),
            tuple(_file_data(each, contents) for each in contents.files),
            tuple(map(_bundle_data, contents.bundles)),
        ),
        view=[
            TableBlock(
                msg("Written"),
                (msg("File"), msg("Size"), msg("SHA-256")),
                [(page.path, ByteSize(page.size_bytes), page.sha256) for page in written],
            ),
            KeyValues(
                [
                    (msg("Files"), len(contents.files)),
                    (
                        msg("Files that the ledger does not know"),
                        sum(not contents.known.get(each.sha256 or Digest("")) for each in contents.files),
                    ),
                    (msg("Bundles"), len(contents.bundles)),
                ]
            ),
        ],
        warnings=unread,
        exit_code=ExitCode.PARTIAL if unread or contents.beyond else ExitCode.OK,
    )


def _unread(contents: FolderContents) -> Iterator[tuple[str, Message]]:
    yield from contents.unread
    yield from ((each.path, each.problem) for each in contents.files if each.problem is not None)
    yield from ((each.path, each.problem) for each in contents.bundles if each.problem is not None)
    if contents.beyond:
        yield contents.folder, msg("it holds more than {count} files", count=MOST_FILES)


def _file_data(file: FoundFile, contents: FolderContents) -> IndexedFile:
    found = find_subject(file, contents.known)
    known = contents.known.get(file.sha256 or Digest(""), ())
    return IndexedFile(
        path=show_text(file.path),
        size_bytes=file.size,
        sha256=file.sha256,
        report=found.report if found else None,
        period=found.period if found else None,
        scope=(found.scope or None) if found else None,
        language=(found.language or None) if found else None,
        head_code=head_code_of(file, contents.known),
        records=tuple(FileRecord(each.seq, each.deed) for each in known),
    )


def _bundle_data(bundle: FoundBundle) -> IndexedBundle:
    return IndexedBundle(
        path=show_text(bundle.path),
        files=bundle.files,
        size_bytes=bundle.size,
        sums_sha256=bundle.sums,
        period=bundle.period or None,
        records=bundle.records or None,
        ledger=bundle.ledger or None,
        holds=bundle.holds,
        exported=bundle.exported,
    )


# --- what the ledger knows ----------------------------------------------------------------------
@dataclass(slots=True)
class _Knowledge:
    """What the ledger knows of files."""

    ledger: Ledger | None = None
    known: dict[Digest, list[KnownFile]] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    """Of its heads, with their sizes."""

    def add(self, digest: Digest | None, one: KnownFile, name: str = "") -> None:
        if digest is not None:
            self.known.setdefault(digest, []).append(one)
        if name:
            self.names[name] = max(one.seq, self.names.get(name, 0))


def _knowledge(session: Session) -> _Knowledge:
    """Read every record that names a report's file; one that cannot be read names none."""
    found = _Knowledge()
    try:
        found.ledger = ledger = session.ledger
    except (ConfigurationNotFound, LedgerMissing):
        return found
    for record in ledger.records(kinds=("report.finished", SENT, SIGN_OFF, EXPORT, HEAD)):
        try:
            body = ledger.blob(record.body)
        except PortalOpsError as error:
            session.warnings.append(msg("record {seq} cannot be read: {why}", seq=str(record.seq), why=error.message))
            continue
        if (made := decode_part(body, "report", ReportResult)) and record.kind == "report.finished":
            code = code_of(made.head) if made.head else None
            for file in made.files:
                one = KnownFile(record.seq, Deed.WRITTEN, made.report, made.period, made.scope, file.language, code)
                found.add(file.sha256, one, file.name)
        elif record.kind == SENT and (sent := decode_part(body, KEY, SentReport)):
            found.add(sent.file, KnownFile(record.seq, Deed.SENT))
        elif record.kind == SIGN_OFF and (signed := decode_part(body, "sign_off", SignOff)):
            if problem_of(signed) is None:
                found.add(signed.sha256, KnownFile(record.seq, Deed.SIGNED), signed.report)
        elif record.kind == EXPORT and (export := decode_part(body, EXPORT, Export)):
            for file in export.reports:
                found.add(file.sha256, KnownFile(record.seq, Deed.EXPORTED))
        elif record.kind == HEAD and (head := decode_part(body, HEAD, SignedHead)):
            with suppress(NotAHead):
                parsed = parse_head(head.text.encode())
                found.codes[code_of(parsed)] = parsed.size
    mailed = read_mailings(ledger)
    session.warnings.extend(mailed_doubts(mailed))
    for each in mailed.mailings:
        mail, deed = each.mailing, _MAIL_DEEDS[each.state]
        code = code_of(mail.head) if mail.head else None
        for file in mail.files:
            one = KnownFile(each.seq, deed, mail.report, mail.period, mail.scope, file.language, code)
            found.add(file.sha256, one, file.name)
    return found


_MAIL_DEEDS: Mapping[MailState, Deed] = {
    MailState.TAKEN: Deed.MAILED,
    MailState.REFUSED: Deed.MAIL_REFUSED,
    MailState.UNKNOWN: Deed.MAIL_UNKNOWN,
}


# --- what lies in the folder --------------------------------------------------------------------
@dataclass(slots=True)
class _ReadFolder:
    """What was seen of a folder so far."""

    files: list[tuple[str, Path]] = field(default_factory=list)
    """Path in the folder, and the real one."""
    bundles: list[tuple[str, Path]] = field(default_factory=list)
    links: int = 0
    unread: list[tuple[str, Message]] = field(default_factory=list)


def _contents(session: Session, folder: Path, into: Path, *, skip: set[Path]) -> FolderContents:
    knowledge = _knowledge(session)
    looked = _ReadFolder()
    _walk(folder, "", looked, 0)
    looked.files = [each for each in looked.files if each[1].absolute() not in skip]
    taken = looked.files[:MOST_FILES]
    way = os.path.relpath(folder, into)
    with session.progress.task(msg("Reading the folder"), total=len(taken), unit="items") as task:
        files: list[FoundFile] = []
        for name, path in taken:
            files.append(_file(_joined(way, name), path, knowledge))
            task.advance(1)
    return FolderContents(
        portal=session.settings.portal,
        folder=show_text(str(folder)),
        made_at=session.clock.now(),
        version=__version__,
        ledger=knowledge.ledger.id if knowledge.ledger else None,
        files=files,
        bundles=[_bundle(_joined(way, name), path, knowledge) for name, path in looked.bundles],
        known=knowledge.known,
        names=knowledge.names,
        links=looked.links,
        unread=looked.unread,
        beyond=len(looked.files) - len(taken),
    )


def _joined(way: str, name: str) -> str:
    return name if way == "." else f"{way}/{name}"


def _walk(folder: Path, name: str, looked: _ReadFolder, depth: int) -> None:
    """Note what lies in a folder, by name; what is in a bundle is the bundle's."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda each: each.name)
    except OSError as error:
        looked.unread.append((name or ".", cause_of(error)))
        return
    for entry in entries:
        path, inner = Path(entry.path), f"{name}/{entry.name}" if name else entry.name
        if entry.is_dir(follow_symlinks=False):
            if os.path.isfile(path / DESCRIPTION):  # unlike Path.is_file, false where the folder may not be searched
                looked.bundles.append((inner, path))
            elif depth >= _DEEPEST:
                looked.unread.append((inner, msg("the folders are nested too deeply")))
            else:
                _walk(path, inner, looked, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            looked.files.append((inner, path))
        else:
            looked.links += 1


def _file(name: str, path: Path, knowledge: _Knowledge) -> FoundFile:
    try:
        digest, size, codes = _read(path, search=name.rpartition(".")[2] in _SEARCHED)
    except OSError as error:
        return FoundFile(name, 0, None, cause_of(error))
    held = [code for code in codes if code in knowledge.codes]
    return FoundFile(name, size, digest, code=max(held, key=lambda code: knowledge.codes[code], default=None))


def _read(path: Path, *, search: bool) -> tuple[Digest, int, set[str]]:
    """Return a regular file's SHA-256, its size, and the head codes that stand in it where it is searched."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        digest, size, codes, before = hashlib.sha256(), 0, set[str](), b""
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
            if search and size <= _MOST_SEARCHED:
                text = before + piece
                codes |= {found.group().decode() for found in _HEAD_CODE.finditer(text)}
                before = text[-64:]
    return Digest(digest.hexdigest()), size, codes


def _bundle(name: str, path: Path, knowledge: _Knowledge) -> FoundBundle:
    count = size = 0
    for folder, _folders, names in os.walk(path):
        for each in names:
            with suppress(OSError):
                size += (Path(folder) / each).lstat().st_size
                count += 1
    try:
        sums, _size, _codes = _read(path / SUMS, search=False)
        described = _small(path / DESCRIPTION)
    except OSError as error:
        return FoundBundle(name, count, size, None, problem=cause_of(error))
    description = parse_description(described)
    if description is None:
        return FoundBundle(name, count, size, sums, problem=msg("bundle.json cannot be understood"))
    ledger, holds = knowledge.ledger, None
    if ledger is not None and ledger.id == description.ledger:
        record = ledger.record(description.records)
        holds = record is not None and line_digest(record.line) == description.head
    try:
        exported = _exports_of(path, knowledge.known)
    except OSError as error:
        return FoundBundle(name, count, size, sums, problem=cause_of(error))
    return FoundBundle(
        name,
        count,
        size,
        sums,
        f"{description.first_day}..{description.last_day}",
        description.records,
        description.ledger,
        holds,
        exported,
    )


def _small(path: Path) -> bytes:
    """Return a small file's bytes; of a larger one so many that it is understood by nobody."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return file.read(_MOST_DESCRIPTION)


_MOST_DESCRIPTION = 16 << 20


def _exports_of(bundle: Path, known: Mapping[Digest, list[KnownFile]]) -> tuple[int, ...]:
    """Return the records of an export of every report that lies in a bundle, with the bytes that lie there.

    Raises:
        OSError: a report could not be read.
    """
    told: list[set[int]] = []
    for language in LANGUAGES:
        with suppress(FileNotFoundError):  # a bundle may have one language alone
            digest, _size, _codes = _read(bundle / f"report.{language}.html", search=False)
            told.append({each.seq for each in known.get(digest, ()) if each.deed is Deed.EXPORTED})
    return tuple(sorted(set.intersection(*told))) if told else ()


VERB = Verb(index)
