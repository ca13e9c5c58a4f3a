"""An auditor's index of a folder: which reports and bundles lie there, what their bytes come to, and what the ledger knows of them. Pure.

A file's name is what somebody called it. What a report is about is taken from the ledger where it knows these very bytes, and from the
name otherwise, which the index says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Portal
from portalops.model.record import Digest
from portalops.reports.document import (
    Block,
    Bullets,
    ByteSize,
    Cell,
    Document,
    FileLink,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
    Verbatim,
)
from portalops.reports.named import load_report, report_names

_NAME = re.compile(
    r"(?P<portal>.+?)-(?P<report>[a-z]+)(?:-(?P<scope>(?:unit|host)-.+?))?"
    r"-(?P<first>\d{4}-\d\d-\d\d)--(?P<last>\d{4}-\d\d-\d\d)\.(?P<language>vi|en)\.(?P<format>(?:oscal\.)?[a-z]+)"
)


class Deed(StrEnum):
    """What the ledger tells was done with a file."""

    WRITTEN = "written"
    MAILED = "mailed"
    MAIL_REFUSED = "mail-refused"
    """It was to be mailed, and nobody got it."""
    MAIL_UNKNOWN = "mail-unknown"
    """It was to be mailed, and whether anybody got it is not known."""
    SENT = "sent"
    SIGNED = "signed"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One record of the ledger that names a file by its SHA-256."""

    seq: int
    deed: Deed
    report: str = ""
    """Name; empty where the record says none."""
    period: str = ""
    """`2026-11-16..2026-11-22`; empty where the record says none."""
    scope: str = ""
    language: str = ""
    code: str | None = None
    """Code of the head that the report carries."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file of the folder."""

    path: str
    """From the index on, with slashes."""
    size: int
    """Bytes."""
    sha256: Digest | None
    """None where it could not be read."""
    problem: Message | None = None
    """Why it could not."""
    code: str | None = None
    """The newest of the ledger's heads whose code stands in it; None where none was found, or its form cannot be searched."""


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """A folder that says by its bundle.json that it is a bundle."""

    path: str
    """From the index on, with slashes."""
    files: int
    size: int
    """Bytes of all its files."""
    sums: Digest | None
    """SHA-256 of its SHA256SUMS, which names every other file; None where it could not be read."""
    period: str = ""
    records: int = 0
    ledger: str = ""
    holds: bool | None = None
    """Its last record is this ledger's, or is not; None where there is no ledger to ask, or it is of another one."""
    exported: tuple[int, ...] = ()
    """The records of this ledger that name its reports."""
    problem: Message | None = None
    """Why it is not understood."""


@dataclass(frozen=True, slots=True)
class FolderContents:
    """What lies in a folder, and what the ledger knows."""

    portal: Portal
    folder: str
    """As it was named."""
    made_at: datetime
    version: str
    """Of portalops."""
    ledger: str | None
    """Id of the ledger that was asked; None if there is none."""
    files: Sequence[FoundFile]
    bundles: Sequence[FoundBundle]
    known: Mapping[Digest, Sequence[KnownFile]]
    """What the ledger says of files, by SHA-256."""
    names: Mapping[str, int]
    """The newest record that names a file of this name, whatever its SHA-256."""
    links: int = 0
    """Links and special files, which are not followed or opened."""
    unread: Sequence[tuple[str, Message]] = ()
    """Folders that could not be read, and why."""
    beyond: int = 0
    """Files that were not looked at, since there are too many."""


@dataclass(frozen=True, slots=True)
class FileSubject:
    """What a report's file is about."""

    report: str
    period: str
    scope: str
    language: str
    by_ledger: bool
    """False: by the file's name alone."""


def find_subject(file: FoundFile, known: Mapping[Digest, Sequence[KnownFile]]) -> FileSubject | None:
    """Return what a file is about, by the ledger or else by its name; None where neither says that it is a report."""
    for each in known.get(file.sha256, ()) if file.sha256 else ():
        if each.report and each.period:
            return FileSubject(each.report, each.period, each.scope, each.language, by_ledger=True)
    named = _NAME.fullmatch(file.path.rpartition("/")[2])
    if named is None or named["report"] not in report_names():
        return None
    try:
        first, last = date.fromisoformat(named["first"]), date.fromisoformat(named["last"])
    except ValueError:
        return None
    return FileSubject(named["report"], f"{first}..{last}", named["scope"] or "", named["language"], by_ledger=False)


def head_code_of(file: FoundFile, known: Mapping[Digest, Sequence[KnownFile]]) -> str | None:
    """Return the code of the head that a file carries, by the ledger or else by what stands in it; None where neither tells one."""
    named = [each.code for each in known.get(file.sha256, ()) if each.code] if file.sha256 else []
    return named[-1] if named else file.code


def build_index(contents: FolderContents) -> Document:
    """Return the index as a document; the same contents give the same one."""
    grouped: dict[str, list[tuple[FileSubject, FoundFile]]] = {}
    others: list[FoundFile] = []
    for file in contents.files:
        found = find_subject(file, contents.known)
        if found is None:
            others.append(file)
        else:
            grouped.setdefault(found.report, []).append((found, file))
    blocks: list[Block] = [*_basis(contents)]
    for report in sorted(grouped):
        title = load_report(report).title if report in report_names() else msg("Report {name}", name=report)
        blocks.append(Heading(2, title))
        blocks += _reports(contents, report, grouped[report])
    if contents.bundles:
        blocks.append(Heading(2, msg("Bundles")))
        blocks += _bundles(contents)
    if others:
        blocks.append(Heading(2, msg("Other files")))
        blocks.append(
            TableBlock(
                msg("Files that are reports neither by the ledger nor by their name"),
                (msg("File"), msg("Size"), msg("SHA-256"), msg("Found in the ledger")),
                [(_link(each.path), ByteSize(each.size), _digest(each), _state(each, contents)) for each in others],
            )
        )
    footer: list[tuple[Message, Cell]] = [
        (msg("Folder"), contents.folder),
        (msg("Portal"), contents.portal.name),
        (msg("Made at"), contents.made_at),
    ]
    return Document(msg("Index of reports and bundles"), blocks, footer, contents.portal.timezone)


def _basis(contents: FolderContents) -> Iterator[Block]:
    strangers = sum(not (each.sha256 and contents.known.get(each.sha256)) for each in contents.files)
    yield Heading(2, msg("What this index rests on"))
    yield KeyValues(
        [
            (msg("Portal"), contents.portal.name),
            (msg("Folder"), contents.folder),
            (msg("Ledger"), contents.ledger or msg("none: there is no ledger to compare with")),
            (msg("Files"), len(contents.files)),
            (msg("Files that the ledger does not know"), strangers),
            (msg("Bundles"), len(contents.bundles)),
            (msg("Made at"), contents.made_at),
            (msg("Made by"), f"portalops {contents.version}"),
        ]
    )
    yield Bullets(
        (
            msg(
                "Sizes and SHA-256 are those of the files in this folder when the index was made. Compare a file "
                "with 'sha256sum FILE'; the index itself is not signed."
            ),
            msg(
                "The ledger knows a file if one of its records names this SHA-256: a job wrote it, or it was "
                "mailed, sent, signed or exported. A report that was built by hand and neither sent nor signed "
                "is in no record, so it is unknown; that is neither a fault nor a proof."
            ),
            msg(
                "Period, scope and language of an unknown file come from its name alone. Search the page with "
                "the browser's own search, by unit, period, code or digest."
            ),
        )
    )
    if contents.links:
        yield Notice(
            nmsg(
                "{n} link or special file is not in this index: it is not followed or opened.",
                "{n} links or special files are not in this index: they are not followed or opened.",
                contents.links,
            )
        )
    if contents.beyond:
        yield Notice(
            nmsg(
                "{n} more file was not read: the folder holds too many. Make an index of each of its folders.",
                "{n} more files were not read: the folder holds too many. Make an index of each of its folders.",
                contents.beyond,
            ),
            Tone.BAD,
        )
    for path, why in contents.unread:
        yield Notice(msg("The folder {path} could not be read: {cause}", path=path, cause=why), Tone.BAD)
    if not contents.files and not contents.bundles:
        yield Paragraph(msg("There is no file and no bundle in this folder."))


def _reports(contents: FolderContents, report: str, found: Sequence[tuple[FileSubject, FoundFile]]) -> Iterator[Block]:
    scopes = sorted({about.scope for about, _file in found})
    for scope in scopes:
        mine = sorted((each for each in found if each[0].scope == scope), key=lambda each: each[1].path)
        mine.sort(key=lambda each: each[0].period, reverse=True)
        if scopes != [""]:
            yield Heading(3, _scope_words(scope))
        yield TableBlock(
            msg("Report {name}, newest period first", name=report)
            if not scope
            else msg("Report {name}, {scope}, newest period first", name=report, scope=_scope_words(scope)),
            (
                msg("From"),
                msg("To"),
                msg("File"),
                msg("Language"),
                msg("Format"),
                msg("Size"),
                msg("SHA-256"),
                msg("Head code"),
                msg("Found in the ledger"),
            ),
            [
                (
                    *_days(about.period),
                    _link(file.path),
                    about.language or None,
                    file.path.rpartition(".")[2],
                    ByteSize(file.size),
                    _digest(file),
                    head_code_of(file, contents.known),
                    _state(file, contents),
                )
                for about, file in mine
            ],
        )


def _scope_words(scope: str) -> Message:
    kind, _dash, name = scope.partition("-")
    if not scope:
        return msg("The whole portal")
    return msg("Unit {name}", name=name) if kind == "unit" else msg("Host {name}", name=name)


def _days(period: str) -> tuple[Cell, Cell]:
    """Return a period's first and last day; what is none stays a text."""
    first, _dots, last = period.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return (period or None), None


def _link(path: str) -> FileLink:
    return FileLink(path)


def _digest(file: FoundFile) -> Cell:
    return file.sha256 or Status(msg("cannot be read: {cause}", cause=file.problem or msg("not known")), Tone.BAD)


_DEEDS: Mapping[Deed, Message] = {
    Deed.WRITTEN: msg("written by a job"),
    Deed.MAILED: msg("mailed"),
    Deed.MAIL_REFUSED: msg("not sent"),
    Deed.MAIL_UNKNOWN: msg("not known whether it was sent"),
    Deed.SENT: msg("recorded as sent"),
    Deed.SIGNED: msg("signed"),
    Deed.EXPORTED: msg("exported in a bundle"),
}


def _state(file: FoundFile, contents: FolderContents) -> Cell:
    if contents.ledger is None:
        return Status(msg("no ledger to ask"), Tone.UNSURE)
    if file.sha256 is None:
        return Status(msg("not known"), Tone.UNSURE)
    known = contents.known.get(file.sha256, ())
    if known:
        word = _deed(known[0])
        for each in known[1:_MOST_DEEDS]:
            word = msg("{one}; {other}", one=word, other=_deed(each))
        if len(known) > _MOST_DEEDS:
            word = nmsg("{one}; and {n} more record", "{one}; and {n} more records", len(known) - _MOST_DEEDS, one=word)
        # A mail that did not go out is nothing that a tick may stand before.
        return Status(word, Tone.UNSURE if all(each.deed in _UNSENT for each in known) else Tone.GOOD)
    seq = contents.names.get(file.path.rpartition("/")[2])
    if seq is not None:
        return Status(msg("unknown: record {seq} names a file of this name with other bytes", seq=str(seq)), Tone.BAD)
    return Status(msg("unknown to the ledger"), Tone.UNSURE)


_UNSENT = frozenset({Deed.MAIL_REFUSED, Deed.MAIL_UNKNOWN})

_MOST_DEEDS = 6
"""How many records are named of one file: a report may be mailed every week."""


def _deed(known: KnownFile) -> Message:
    return msg("{deed}, record {seq}", deed=_DEEDS[known.deed], seq=str(known.seq))


def _bundles(contents: FolderContents) -> Iterator[Block]:
    yield TableBlock(
        msg("Bundles, newest period first"),
        (
            msg("From"),
            msg("To"),
            msg("Folder"),
            msg("Records"),
            msg("Files"),
            msg("Size"),
            msg("SHA-256 of SHA256SUMS"),
            msg("Found in the ledger"),
        ),
        [
            (
                *_days(each.period),
                _link(each.path),
                each.records or None,
                each.files,
                ByteSize(each.size),
                each.sums,
                _bundle_state(each, contents),
            )
            for each in sorted(contents.bundles, key=lambda each: (each.period, each.path), reverse=True)
        ],
    )
    yield Paragraph(
        msg(
            "A bundle in this folder proves nothing about its content. Check it with portalops, or with "
            "verify.py of a portalops release that does not come from the maker of the bundle:"
        )
    )
    yield Verbatim("python3 verify.py BUNDLE\nportalops ledger verify BUNDLE")


def _bundle_state(bundle: FoundBundle, contents: FolderContents) -> Cell:
    if bundle.problem is not None:
        return Status(bundle.problem, Tone.BAD)
    if contents.ledger is None:
        return Status(msg("no ledger to ask"), Tone.UNSURE)
    if bundle.ledger != contents.ledger:
        return Status(msg("of another ledger: {id}", id=bundle.ledger), Tone.UNSURE)
    if not bundle.holds:
        return Status(msg("its last record, {seq}, differs from this ledger's", seq=str(bundle.records)), Tone.BAD)
    if not bundle.exported:
        return Status(msg("its last record is this ledger's; no record shows that it was exported"), Tone.UNSURE)
    seqs = ", ".join(str(seq) for seq in bundle.exported[:_MOST_DEEDS])
    return Status(msg("its last record is this ledger's; exported by record {seqs}", seqs=seqs), Tone.GOOD)
