"""Write a bundle that an auditor verifies without portalops

The folder holds every record, the details that belong to the period, the signed heads, the report, and a program and
a page that say how to check it. It is whole or not there. With a name that ends in .zip it is one ZIP file.

Example: portalops ledger export --period 2026-11 --output /srv/audit/2026-11; portalops ledger export --output 2026.zip

EXIT STATUS: 0 written, 2 the folder is not empty or an option is wrong, 4 it could not be written, 5 the ledger does
not hold: the bundle is written, or it is named why none can be, 78 no signing key is configured
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.languages import languages_option
from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.report_files import build_report, parts_of
from commands.ledger.verify import exit_code_of, verify_store
from commands.ledger.views import WithheldShape
from portalops.anchors.rfc3161 import Settings
from portalops.errors import ConfigurationError, ExitCode, UsageError
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.export import (
    TIME_STAMP,
    Content,
    WrittenBundle,
    check_withheld,
    covering_head,
    details,
    is_free,
    is_free_file,
    scope_of,
    withheld_of,
    write_bundle,
    write_zip,
)
from portalops.ledger.bundle.rehearsal import rehearse
from portalops.ledger.bundle.verification import verify_bundle
from portalops.ledger.bundle.zip_file import SUFFIX
from portalops.ledger.heads import code_of
from portalops.ledger.recorder import Recorder
from portalops.ledger.verify import NOTHING_SUPPLIED, Supplied, Withheld
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.period import Period
from portalops.model.quarantines import SetAside
from portalops.model.record import Digest, Fault
from portalops.model.runs import WrittenFile
from portalops.registers.evidence import REACH_BACK
from portalops.registers.exports import EXPORT
from portalops.registers.signers import TrustedKey
from portalops.reports import formats
from portalops.reports.document import Block, Bullets, ByteSize, Cell, Heading, KeyValues, Notice, Paragraph, Tone
from portalops.signatures.sshsig import SigningKey, fingerprint

REPORT = "compliance"
"""The report that a bundle holds."""

MAX_WARNINGS = 5
"""Records without details that are named; verifying the bundle names them all."""


@shape
class ExportedBundle:
    """A bundle that was written, or would be."""

    path: str
    ledger: str
    records: int
    head: str | None
    """SHA-256 of its last record; null where nothing was written."""
    code: str | None
    """Of the head that is signed over it; null where nothing was written."""
    blobs: int
    """Details that it holds."""
    withheld: tuple[WithheldShape, ...]
    files: int | None
    """Null where nothing was written."""


def export(
    ctx: typer.Context,
    *,
    output: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help=_("Folder to make, which may exist if it is empty; or a ZIP file, if it ends in .zip"),
        ),
    ],
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    withhold: Annotated[
        list[str] | None,
        typer.Option(metavar="DIGEST=REASON", help=_("Leave these details out, and say why; may be repeated")),
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="vi|en|both", help=_("vi, en or both; the configured ones without it"))
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Show what would be written, and write nothing"))
    ] = False,
) -> Result[ExportedBundle]:
    session = open_session(ctx)
    key = _key(session)
    chosen = period_option(session, period)
    order = _Order(
        output.resolve() if ".." in output.parts else output.absolute(),  # behind a link, '..' is not the folder before
        chosen,
        chosen.bounds(session.zone_of_portal)[0] - REACH_BACK,
        languages_option(language, session.settings.report.languages),
        withheld_of(withhold or ()),
    )
    if order.is_zip and not is_free_file(order.folder):
        raise UsageError(
            msg("{file} exists already", file=str(order.folder)),
            msg("Name a new file by --output; a bundle never replaces anything."),
        )
    if not order.is_zip and not is_free(order.folder):
        raise UsageError(
            msg("{folder} exists and is not an empty folder", folder=str(order.folder)),
            msg("Name a new folder by --output; a bundle never replaces anything."),
        )
    if dry_run:
        return _would_write(session, order)
    written = _write(session, key, order)
    session.warnings += _describe_missing(written.missing)
    faults = _faults(session, order.folder, key)
    live = () if faults else _live_faults(session, key)
    return Result(
        data=_data(written, order.folder),
        view=(
            *_faults_view(faults),
            *_live_faults_view(live),
            *_view(written, order.folder, fingerprint(key.public_key), is_zip=order.is_zip),
        ),
        exit_code=ExitCode.INTEGRITY if faults or live else ExitCode.OK,
        failures=[each.what for each in (faults or live)[:MAX_WARNINGS]],
    )


def _faults(session: Session, path: Path, key: SigningKey) -> Sequence[Fault]:
    """Verify the bundle as whoever gets it does, and return what does not hold; with the ledger's key too, as an auditor has its fingerprint."""
    own = TrustedKey(key.public_key, (), None, None)
    found: Sequence[Fault] = ()
    for supplied in (NOTHING_SUPPLIED, Supplied(trusted=(own,))):
        with session.progress.task(msg("Verifying the bundle"), total=None, unit="items") as task:
            verified = verify_bundle(path, brought=supplied, advance=task.advance)
        if verified.integrity.holds:
            session.warnings += _describe_unproven(verified.integrity.unproven, exit_code_of(verified))
            return ()
        found = found or verified.integrity.faults
    return found


def _live_faults(session: Session, key: SigningKey) -> Sequence[Fault]:
    """Return what does not hold in the ledger itself, where a bundle that holds leaves it out: as details of another time that are missing."""
    found, _pending = verify_store(session, Supplied(signing_key=key.public_key), read_blobs=False)
    return found.integrity.faults


def _describe_unproven(unproven: Sequence[SetAside], code: ExitCode) -> Iterator[Message]:
    for each in unproven[:MAX_WARNINGS]:
        yield msg(
            "record {seq} sets records {first} to {last} aside because their details are missing, which this bundle cannot show: whoever"
            " verifies it sees that, with exit code {code}",
            seq=each.seq,
            first=str(each.quarantine.first),
            last=str(each.quarantine.last),
            code=int(code),
        )
    if len(unproven) > MAX_WARNINGS:
        yield msg("... and {more} more", more=len(unproven) - MAX_WARNINGS)


def _live_faults_view(faults: Sequence[Fault]) -> Iterator[Block]:
    if not faults:
        return
    yield Notice(
        msg(
            "The bundle holds, but the ledger does not: 'portalops ledger verify' ends with 5. Mend the ledger and export anew, or hand"
            " the bundle over with an explanation (docs/stopped.md)."
        ),
        Tone.BAD,
    )
    yield from _listed(faults)


def _faults_view(faults: Sequence[Fault]) -> Iterator[Block]:
    if not faults:
        return
    yield Notice(
        msg(
            "The ledger does not hold, and the bundle says so: whoever verifies it gets exit code 5. Hand it over with an explanation,"
            " or mend the ledger and export anew (docs/stopped.md)."
        ),
        Tone.BAD,
    )
    yield from _listed(faults)


def _listed(faults: Sequence[Fault]) -> Iterator[Block]:
    yield Bullets(tuple(each.what for each in faults[:MAX_WARNINGS]))
    if len(faults) > MAX_WARNINGS:
        yield Paragraph(msg("... and {more} more", more=len(faults) - MAX_WARNINGS))


def _key(session: Session) -> SigningKey:
    key = session.signing_key
    if key is None:
        raise ConfigurationError(
            msg("no signing key is configured, so a bundle could not be signed"),
            msg("Set signing.key in the configuration and run 'portalops init --keys' to make it."),
        )
    return key


@dataclass(frozen=True, slots=True)
class _Order:
    """What was asked for."""

    folder: Path
    period: Period
    since: datetime
    """From when on details belong to the bundle: as far back as the period's evidence may lie."""
    languages: tuple[str, ...]
    withheld: Mapping[Digest, str]

    @property
    def is_zip(self) -> bool:
        """Whether the bundle is to be one ZIP file."""
        return self.folder.suffix.lower() == SUFFIX


def _write(session: Session, key: SigningKey, order: _Order) -> WrittenBundle:
    before = session.ledger.last()
    assert before is not None  # an open ledger has its first record
    check_withheld(session.ledger.whole, scope_of(session.ledger, order.since, order.withheld, last=before.seq))
    ledger = session.writable_ledger
    successor = session.next_key
    covering_head(
        ledger, key, session.clock, successor=successor
    )  # a key that the ledger does not know stops here, with nothing recorded
    built = build_report(parts_of(session), REPORT, order.period)
    reports = {each: formats.load("html").render(built.document, language=each) for each in order.languages}
    content = Content(session.settings.portal, order.period, reports, built.figures, _certificates(session))
    newest = ledger.last()
    assert newest is not None  # as above
    planned = scope_of(ledger, order.since, order.withheld, last=newest.seq)
    with session.progress.task(msg("Checking what belongs to the bundle"), total=None, unit="items") as task:
        zone = session.zone_of_portal
        rehearse(ledger.whole, order.folder, planned, built.figures, zone, advance=task.advance)
    _record(session.recorder, content, order.withheld)
    head = covering_head(ledger, key, session.clock, successor=successor)
    scope = scope_of(ledger, order.since, order.withheld, last=head.seq)
    with session.progress.task(msg("Writing the bundle"), total=None, unit="items") as task:

        def write(folder: Path) -> WrittenBundle:
            return write_bundle(ledger.whole, folder, scope, content, head=head, key=key, advance=task.advance)

        return write_zip(order.folder, write) if order.is_zip else write(order.folder)


def _describe_missing(records: Sequence[int]) -> Iterator[Message]:
    """Name records whose details no bundle can hold, since nobody stands for them."""
    for seq in records[:MAX_WARNINGS]:
        yield msg(
            "the details of record {seq} are missing, and nobody stands for it: verifying the bundle names it. If a stranger wrote"
            " it, two persons set it aside: portalops ledger quarantine {seq} {seq}",
            seq=str(seq),
        )
    if len(records) > MAX_WARNINGS:
        yield msg("... and {more} more", more=len(records) - MAX_WARNINGS)


def _record(recorder: Recorder, content: Content, withheld: Mapping[Digest, str]) -> None:
    """Record the export before it is written: so the head that is signed next covers this record too."""
    files = tuple(
        WrittenFile(f"report.{language}.html", language, len(data), Digest(hashlib.sha256(data).hexdigest()))
        for language, data in content.reports.items()
    )
    left_out = tuple(Withheld(digest, withheld[digest]) for digest in sorted(withheld))
    recorder.record(EXPORT, EXPORT, {"period": str(content.period), "reports": files, "withheld": left_out})


def _certificates(session: Session) -> dict[str, bytes]:
    """Read the certificates that time stamps are checked with; one that cannot be read is left out with a warning."""
    found: dict[str, bytes] = {}
    for table in session.settings.anchors:
        if table.kind != TIME_STAMP or not contents.is_anchor_name(table.id):
            continue
        path = table.parse(Settings).ca_file
        try:
            found[table.id] = path.read_bytes()
        except OSError as error:
            session.warnings.append(
                msg(
                    "the bundle holds no certificates of anchor {anchor}: cannot read {path}: {cause}",
                    anchor=table.id,
                    path=str(path),
                    cause=cause_of(error),
                )
            )
    return found


def _would_write(session: Session, order: _Order) -> Result[ExportedBundle]:
    ledger = session.ledger.whole
    last = ledger.last()
    assert last is not None  # an open ledger has its first record
    scope = scope_of(ledger, order.since, order.withheld, last=last.seq)
    check_withheld(ledger, scope)
    blobs = size = 0
    missing: list[int] = []
    with session.progress.task(msg("Counting what belongs to the bundle"), total=None, unit="items") as task:
        for detail in details(ledger, scope):
            if detail.is_missing:
                missing.append(detail.seq)
            if detail.data is not None:
                blobs += 1
                size += len(detail.data)
            task.advance(1)
    session.warnings += _describe_missing(missing)
    records: list[tuple[Message, Cell]] = [
        (msg("File") if order.is_zip else msg("Folder"), str(order.folder)),
        (msg("Period"), str(order.period)),
        (msg("Records, and those that the export adds"), msg("1 to {last}, and up to 4 more", last=str(last.seq))),
        (msg("Details of records from"), str(scope.first)),
        (msg("Details"), _blobs(blobs)),
        (msg("Size of the details"), ByteSize(size)),
        (msg("Withheld"), len(order.withheld)),
        (msg("Erased"), len(scope.erased)),
    ]
    data = ExportedBundle(
        path=str(order.folder),
        ledger=ledger.id,
        records=last.seq,
        head=None,
        code=None,
        blobs=blobs,
        withheld=_withheld(order.withheld),
        files=None,
    )
    return Result(data=data, view=(Paragraph(msg("Nothing is written. This is what would be:")), KeyValues(records)))


def _data(written: WrittenBundle, folder: Path) -> ExportedBundle:
    description = written.description
    return ExportedBundle(
        path=str(folder),
        ledger=description.ledger,
        records=description.records,
        head=description.head,
        code=code_of(written.head.head),
        blobs=written.blobs,
        withheld=_withheld({each.digest: each.reason for each in description.withheld}),
        files=written.files,
    )


def _withheld(withheld: Mapping[Digest, str]) -> tuple[WithheldShape, ...]:
    return tuple(WithheldShape(digest, withheld[digest]) for digest in sorted(withheld))


def _blobs(count: int) -> Message:
    return nmsg("{n} detail", "{n} details", count)


def _view(written: WrittenBundle, folder: Path, key: str, *, is_zip: bool) -> Iterator[Block]:
    description, code = written.description, code_of(written.head.head)
    yield Paragraph(msg("The bundle is written."))
    yield KeyValues(
        (
            (msg("File") if is_zip else msg("Folder"), str(folder)),
            (msg("Files"), written.files),
            (msg("Ledger"), description.ledger),
            (msg("Records"), description.records),
            (msg("Details of records from"), str(description.first_blob)),
            (msg("Details"), _blobs(written.blobs)),
            (msg("Size of the details"), ByteSize(written.blob_bytes)),
            (msg("Withheld"), len(description.withheld)),
            (msg("Signed heads"), written.heads),
            (msg("Time stamps"), written.time_stamps),
            (msg("Head code"), code),
        )
    )
    yield Heading(2, msg("What to give the auditor"))
    yield Bullets(
        (
            msg("the file {file}, unchanged", file=str(folder))
            if is_zip
            else msg("the whole folder {folder}, unchanged", folder=str(folder)),
            msg("the head code {code}, by another way than the folder: in a letter, or read out", code=code),
            msg("the fingerprint of the ledger's key, {key}, in person or by telephone", key=key),
        )
    )
    yield Heading(2, msg("How it is checked"))
    yield Bullets(
        (
            msg(
                "in a browser, on any computer: open verify.html of the bundle or of a release, and drag the bundle onto it"
            ),
            msg("by hand, with stock tools: HOW-TO-VERIFY.vi.md and HOW-TO-VERIFY.en.md in the folder say how"),
            msg("with Python alone: python3 verify.py --head-code {code}", code=code),
            msg("with portalops: portalops ledger verify {folder} --head-code {code}", folder=str(folder), code=code),
        )
    )
    if description.withheld:
        left_out = len(description.withheld)
        yield Notice(
            nmsg(
                "{n} detail is withheld; the bundle names it and gives the reason.",
                "{n} details are withheld; the bundle names each and gives the reason.",
                left_out,
            ),
            Tone.UNSURE,
        )


VERB = Verb(export)
