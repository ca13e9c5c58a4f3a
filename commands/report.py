"""Build reports for auditors, the Department and the Committee.

A report rests on the ledger and the configuration alone. Building one signs what the ledger is, where a signing key is
configured and the ledger may be written; nothing else is recorded, unless it is mailed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from commands import _report_index, _report_schema, _report_send, _report_sent, _report_show
from commands._host_drift import host_drift
from commands._month_standings import lean_evidence, month_standings
from commands._periods import period_option
from commands._report_mailings import mailed_data, mailed_doubts, mailed_view, recorded_mailings
from commands._result import JsonValue, Result
from commands._server_history import server_history
from commands._session import Session, open_session
from portalops import __version__
from portalops.compliance import Situation, distrusted, judge
from portalops.errors import (
    ConfigurationNotFound,
    ExitCode,
    FileUnwritable,
    LedgerError,
    LedgerMissing,
    Locked,
    PortalOpsError,
    SecretUnavailable,
    UsageError,
)
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.bodies import decode_part
from portalops.ledger.chain import Fault
from portalops.ledger.heads import code_of
from portalops.ledger.proof import read_proof
from portalops.ledger.verify import verify
from portalops.locale import LANGUAGES, _
from portalops.model.heads import RecordedHead
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId, UnitId
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.runs import ReportResult, WrittenFile
from portalops.model.text import show_text
from portalops.ports import ChoosesDocuments
from portalops.registers.ends import RunEnds
from portalops.registers.erasures import INERASABLE, RecordedErasure
from portalops.registers.evidence import Evidence, Recorded, Unreadable, read_evidence
from portalops.registers.figures import Figures, read_figures
from portalops.reports import formats
from portalops.reports.document import Block, ByteSize, Document, KeyValues, Notice, Paragraph, Table, Tone
from portalops.reports.frame import period_doubt
from portalops.reports.material import WHOLE, Material, Scope
from portalops.reports.named import load_report, report_names, report_needs, report_scopes, report_spares, report_title
from portalops.reports.section_proof import does_not_hold
from portalops.system.files import write_atomically

app = typer.Typer()

BOTH = "both"
MOST_NAMED = 20
"""How many units or hosts a hint names."""


@app.command(
    help=_(
        "Build a report over a period and write it to files\n\nReads the ledger and nothing else, and signs a head of it"
        " where a signing key is configured: register the head code that is printed. The files are whole or not"
        " there.\n\nExample: portalops report build compliance --period 2026-11 --format html --language both"
        "\n\nEXIT STATUS: 0 written, 2 no such report or format, 4 it could not be written, 5"
        " written, and something in the ledger was changed"
    )
)
def build(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("The report, such as compliance"), autocompletion=report_names)],
    *,
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=_("File format; may be given more than once"),
            autocompletion=formats.names,
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help=_("Folder to write to; the configured one without it"))] = None,
    period: Annotated[str | None, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    language: Annotated[
        str | None, typer.Option(metavar="vi|en|both", help=_("vi, en or both; the configured ones without it"))
    ] = None,
    unit: Annotated[str | None, typer.Option(metavar="ID", help=_("Only this unit"))] = None,
    host: Annotated[str | None, typer.Option(metavar="ID", help=_("Only this host"))] = None,
) -> Result:
    session = open_session(ctx)
    scope = scope_option(session, name, unit=unit, host=host)
    chosen = period_option(session, period)
    folder = output or session.settings.report.folder
    languages = languages_option(language, session.settings.report.languages)
    made = build_report_files(
        session,
        name,
        period=chosen,
        folder=folder,
        formats_wanted=format_ or ["html"],
        languages=languages,
        scope=scope,
    )
    written = made.result
    rows = [(str(folder / file.name), file.language, ByteSize(file.size_bytes), file.sha256) for file in written.files]
    headers = (msg("File"), msg("Language"), msg("Size"), msg("SHA-256"))
    return Result(
        data=[
            {
                "id": file.name,
                "path": str(folder / file.name),
                "report": written.report,
                "period": written.period,
                "scope": written.scope or None,
                "language": file.language,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "head_code": _head_code(written),
            }
            for file in written.files
        ],
        view=[Table(msg("Written"), headers, rows), *_head_view(written)],
        warnings=tuple(_doubts(made)),
        exit_code=ExitCode.INTEGRITY if made.faults else ExitCode.OK,
    )


@app.command(
    "list",
    help=_(
        "List the reports that can be built, those that were, and who was mailed which\n\nExample: portalops report list --json"
        "\n\nEXIT STATUS: 0 listed, 78 the configuration is wrong"
    ),
)
def list_(ctx: typer.Context) -> Result:
    session = open_session(ctx)
    (recorded, unreadable), mailed = recorded_reports(session), recorded_mailings(session)
    data: list[JsonValue] = [
        {
            "id": name,
            "title": str(report_title(name)),
            "formats": list(formats.names()),
            "scopes": sorted(report_scopes(name)),
            "written": [
                {
                    "seq": each.seq,
                    "at": each.at.isoformat(),
                    "period": each.body.period,
                    "head_code": _head_code(each.body),
                    "files": [{"name": file.name, "sha256": file.sha256} for file in each.body.files],
                }
                for each in recorded
                if each.body.report == name
            ],
            "mailed": mailed_data(mailed.mailings, name),
        }
        for name in report_names()
    ]
    view: list[Block] = [
        Table(
            msg("Reports"),
            (msg("Name"), msg("Title"), msg("Cut down by")),
            [
                (name, report_title(name), ", ".join(f"--{each}" for each in sorted(report_scopes(name))) or None)
                for name in report_names()
            ],
        ),
        KeyValues([(msg("Formats"), ", ".join(formats.names()))]),
    ]
    if recorded:
        rows = [
            (str(each.seq), each.at, each.body.report, each.body.period, _head_code(each.body), file.name, file.sha256)
            for each in recorded
            for file in each.body.files
        ]
        headers = (
            msg("Record"),
            msg("At"),
            msg("Report"),
            msg("Period"),
            msg("Head code"),
            msg("File"),
            msg("SHA-256"),
        )
        view.append(Table(msg("Written reports"), headers, rows))
    elif not unreadable:
        view.append(Paragraph(msg("No report is recorded yet.")))
    return Result(data=data, view=[*view, *mailed_view(mailed)], warnings=(*unreadable, *mailed_doubts(mailed)))


app.command("show", help=_report_show.HELP)(_report_show.show)
app.command("send", help=_report_send.HELP)(_report_send.send)
app.command("sent", help=_report_sent.HELP)(_report_sent.sent)
app.command("index", help=_report_index.HELP)(_report_index.index)
app.command("schema", help=_report_schema.HELP)(_report_schema.schema)


def _doubts(made: WrittenReport) -> Iterator[Message]:
    if made.unsigned is not None:
        yield msg("no new head could be signed for the report: {cause}", cause=made.unsigned)
    if made.faults:
        yield does_not_hold(made.faults)
    yield from made.lacks


def _head_code(report: ReportResult) -> str | None:
    return code_of(report.head) if report.head else None


def _head_view(report: ReportResult) -> Iterator[Block]:
    code = _head_code(report)
    if code is None:
        yield Notice(msg("No head is signed, so nothing proves that this report is unchanged."), Tone.BAD)
        return
    yield KeyValues([(msg("Head code"), code)])
    yield Paragraph(msg("Register the head code together with the report: every later ledger must still contain it."))


@dataclass(frozen=True, slots=True)
class BuiltReport:
    """A report with its proof: what an export puts into a bundle."""

    document: Document
    figures: Figures
    """As of the last record that the report rests on."""
    head: RecordedHead | None
    """The head that the report carries; None if no head is signed, or none can be read."""
    unsigned: Message | None
    """Why no new head could be signed for it; None if one was, or if no signing key is configured."""
    faults: tuple[Fault, ...]
    """What of the ledger was found changed; the report says it too."""


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report that lies in files."""

    result: ReportResult
    unsigned: Message | None
    faults: tuple[Fault, ...]
    """Both as `BuiltReport` says it."""
    lacks: tuple[Message, ...] = ()
    """What the machine lacks for a format, such as a font, and what was taken instead."""


def build_report_files(
    session: Session,
    name: str,
    *,
    period: Period,
    folder: Path,
    formats_wanted: Sequence[str],
    languages: Sequence[str],
    scope: Scope = WHOLE,
    own_run: str = "",
) -> WrittenReport:
    """Build a report once and write it in each format and language; return what was written, with digests.

    Raises:
        UnknownReport: there is no such report or format, or it needs what is not installed; nothing is written then.
        LedgerMissing: there is no ledger yet.
        FileUnwritable: a file could not be written; those before it are whole.
        ReportError: a file could not be made; those before it are whole.
    """
    lacks = formats.lacks([formats.load(each) for each in formats_wanted])
    built = build_report(session, name, period, scope=scope, own_run=own_run)
    files = write_report_files(
        session,
        name,
        built,
        period=period,
        folder=folder,
        formats_wanted=formats_wanted,
        languages=languages,
        scope=scope,
    )
    return written_report(name, built, files, period=period, scope=scope, lacks=lacks)


def write_report_files(
    session: Session,
    name: str,
    built: BuiltReport,
    *,
    period: Period,
    folder: Path,
    formats_wanted: Sequence[str],
    languages: Sequence[str],
    scope: Scope = WHOLE,
) -> tuple[WrittenFile, ...]:
    """Write a report that was built in each format and language, or nothing if one of them can't hold it; the rest as in `build_report_files`."""
    chosen = [formats.load(each) for each in dict.fromkeys(formats_wanted)]
    for form in chosen:
        if isinstance(form, ChoosesDocuments):
            form.require(built.document)
    about = "-".join(part for part in (session.settings.portal.id, name, str(scope)) if part)
    files: list[WrittenFile] = []
    for form in chosen:
        for language in languages:
            data = form.render(built.document, language=language)
            path = folder / f"{about}-{period.first}--{period.last}.{language}{form.suffix}"
            write_atomically(path, data)
            files.append(WrittenFile(path.name, language, len(data), Digest(hashlib.sha256(data).hexdigest())))
    return tuple(files)


def written_report(
    name: str,
    built: BuiltReport,
    files: Sequence[WrittenFile],
    *,
    period: Period,
    scope: Scope = WHOLE,
    lacks: tuple[Message, ...] = (),
) -> WrittenReport:
    """Return a report with its files, as it is recorded."""
    result = ReportResult(name, str(period), tuple(files), built.head.head if built.head else None, str(scope))
    return WrittenReport(result, built.unsigned, built.faults, lacks)


def build_report(
    session: Session, name: str, period: Period, *, scope: Scope = WHOLE, own_run: str = ""
) -> BuiltReport:
    """Sign what the ledger is, and build a report from exactly that.

    Where no head can be signed, by an account that may only read, the report carries the newest one that there
    is, and says how many records were written since.

    Args:
        session: gives configuration, ledger, key and clock.
        name: of the report.
        period: what it is about.
        scope: what it is cut down to, as the report permits.
        own_run: the run that makes it, which has not ended yet; empty for a report by hand.

    Raises:
        UnknownReport: there is no such report.
        LedgerMissing: there is no ledger yet; none is made for a report.
    """
    load_report(name)  # nothing is signed for a report that there is not
    head, unsigned = _sign_head(session)
    return _built(session, name, period, scope=scope, own_run=own_run, head=head, unsigned=unsigned)


def view_report(session: Session, name: str, period: Period, *, scope: Scope = WHOLE) -> BuiltReport:
    """Build a report from what the ledger holds now, and write nothing: it carries the newest head that there is, as `build_report` says.

    Raises:
        UnknownReport: there is no such report.
        LedgerMissing: there is no ledger yet.
    """
    load_report(name)
    session.ledger  # noqa: B018  # a report makes no ledger: without one, this says so
    unsigned = msg("a report that is only shown signs none; 'portalops report build' does")
    has_key = session.settings.signing_key is not None
    return _built(session, name, period, scope=scope, own_run="", head=None, unsigned=unsigned if has_key else None)


def _built(
    session: Session,
    name: str,
    period: Period,
    *,
    scope: Scope,
    own_run: str,
    head: RecordedHead | None,
    unsigned: Message | None,
) -> BuiltReport:
    """Build a report from exactly what a head is over, or from all that is recorded if none was signed for it."""
    make = load_report(name)
    settings = session.settings
    last = session.ledger.last()
    assert last is not None  # an open ledger has its first record
    ledger = LedgerAsOf(session.ledger, head.seq if head else last.seq)
    now = session.clock.now()
    needs = report_needs(name)
    ends = RunEnds()
    if "rounds" in report_spares(name):
        evidence = lean_evidence(session, ledger, period, now=now)
    else:
        evidence = read_evidence(ledger, period, now=now, zone=session.zone_of_portal, every_run=True, ends=ends)
    figures = read_figures(ledger, period, as_of_seq=ledger.seq, zone=session.zone_of_portal, ends=ends)
    proof = read_proof(
        ledger,
        figures,
        _faults(session),
        ledger_id=session.ledger.id,
        since=period.bounds(session.zone_of_portal)[0],
        unsigned=unsigned,
        has_key=settings.signing_key is not None,
        own_run=own_run,
    )
    evidence = replace(evidence, unreadable=tuple(_without_erased(ledger, evidence.unreadable, proof.erasures)))
    proof = replace(proof, unreadable=tuple(_without_erased(ledger, proof.unreadable, proof.erasures)))
    hosts = [each for each in settings.hosts if scope.host in (None, each.id)]
    servers = server_history(session, ledger, evidence, hosts) if "servers" in needs else None
    since, until = period.bounds(session.zone_of_portal)
    months = month_standings(session, ledger, evidence) if "months" in needs else ()
    drift = host_drift(session, ledger, hosts, since=since, until=until) if "drift" in needs else ()
    standings = judge(Situation(session.rulebook, evidence, settings.hosts, settings.units, session.calendar))
    material = Material(
        portal=settings.portal,
        actors=settings.actors,
        units=settings.units,
        hosts=settings.hosts,
        rulebook=session.rulebook,
        calendar=session.calendar,
        period=period,
        standings=distrusted(standings) if proof.faults else standings,
        evidence=evidence,
        proof=proof,
        generated_at=now,
        version=__version__,
        servers=servers,
        drift=drift,
        months=[(month, distrusted(each) if proof.faults else each) for month, each in months],
        scope=scope,
    )
    if doubt := period_doubt(material):
        session.warnings.append(doubt)
    document = make(material)
    proven = proof.head
    head = RecordedHead(proven.seq, proven.head, proven.signed) if proven else None
    return BuiltReport(
        document, figures, head, unsigned, (*(proof.faults or ()), *_damaged(evidence, proof.faults or ()))
    )


def _without_erased(
    ledger: LedgerAsOf, unreadable: Iterable[Unreadable], erasures: Sequence[RecordedErasure]
) -> Iterator[Unreadable]:
    """Yield what cannot be read; where somebody decided that the details go, it says so, and nothing was changed."""
    told = {each.erasure.digest: each for each in erasures}
    for each in unreadable:
        record = ledger.record(each.seq) if each.damaged and told else None
        erasure = told.get(record.body) if record is not None and record.kind not in INERASABLE else None
        if erasure is None or ledger.has_blob(erasure.erasure.digest):
            yield each
        else:
            why = msg("its details were erased for good, by record {seq}", seq=str(erasure.seq))
            yield replace(each, damaged=False, why=why)


def _damaged(evidence: Evidence, known: Iterable[Fault]) -> Iterator[Fault]:
    """Yield the records whose details were found changed while they were read, but for those that are known to be at fault."""
    named = {fault.seq for fault in known}
    for each in evidence.unreadable:
        if each.damaged and each.seq not in named:
            yield Fault(each.seq, each.why)


def _faults(session: Session) -> tuple[Fault, ...]:
    """Go over the ledger as 'portalops ledger verify --quick' does: a report is not to rest on it in silence."""
    title = msg("Verifying the ledger")
    with session.progress.task(title, total=session.ledger.count(), unit="items") as task:
        found = verify(
            session.ledger,
            now=session.clock.now(),
            zone=session.zone_of_portal,
            read_blobs=False,
            advance=task.advance,
        )
    return found.integrity.faults


def _sign_head(session: Session) -> tuple[RecordedHead | None, Message | None]:
    """Return a head over everything recorded until now, or why none could be signed; neither without a key."""
    session.ledger  # noqa: B018  # a report makes no ledger: without one, this says so
    try:
        return session.record_head(), None
    except (LedgerError, SecretUnavailable, Locked, FileUnwritable) as error:
        return None, error.message


def scope_option(session: Session, name: str, *, unit: str | None, host: str | None) -> Scope:
    """Return what a report is asked to be cut down to.

    Raises:
        UnknownReport: there is no such report.
        UsageError: the report cannot be cut down so, both are given, or there is no such unit or host.
    """
    can = report_scopes(name)
    known = {
        "unit": [str(each.id) for each in session.settings.units],
        "host": [str(each.id) for each in session.settings.hosts],
    }
    given = {option: value for option, value in (("unit", unit), ("host", host)) if value is not None}
    if len(given) > 1:
        raise UsageError(
            msg("a report is cut down to a unit or to a host, and not to both"), msg("Give --unit or --host.")
        )
    for option, value in given.items():
        if option not in can:
            raise UsageError(
                msg("the report {name} cannot be cut down by --{option}", name=name, option=option),
                msg(
                    "These can: {names}. 'portalops report list' shows what each can be cut down by.",
                    names=", ".join(each for each in report_names() if option in report_scopes(each)),
                ),
            )
        if value not in known[option]:
            raise _unknown(option, show_text(value, 60), known[option])
    return Scope(UnitId(unit) if unit else None, HostId(host) if host else None)


def _unknown(option: str, value: str, known: Sequence[str]) -> UsageError:
    """Return what is said of a unit or host that is not there, with some of those that are."""
    if option == "unit":
        message = msg("no unit is named {value}", value=value)
    else:
        message = msg("no host is named {value}", value=value)
    if not known:
        return UsageError(message, msg("The configuration names none yet."))
    shown = ", ".join(known[:MOST_NAMED])
    if len(known) > MOST_NAMED:
        shown += ", ..."
    return UsageError(message, msg("Choose one of: {names}.", names=shown))


def languages_option(asked: str | None, configured: Sequence[str]) -> tuple[str, ...]:
    """Return the languages of an option `--language`; the configured ones without it.

    Raises:
        UsageError: it is no language.
    """
    if asked is None:
        return tuple(configured)
    if asked == BOTH:
        return LANGUAGES
    if asked not in LANGUAGES:
        raise UsageError(
            msg("--language does not take {value}", value=show_text(asked, 40)),
            msg("It takes one of: {choices}.", choices=", ".join((*LANGUAGES, BOTH))),
        )
    return (asked,)


def recorded_reports(session: Session) -> tuple[Sequence[Recorded[ReportResult]], Sequence[Message]]:
    """Return the reports that the ledger knows of, oldest first, and what of them cannot be read; none where there is no ledger yet."""
    try:
        ledger = session.ledger
    except (ConfigurationNotFound, LedgerMissing):
        return (), ()
    found: list[Recorded[ReportResult]] = []
    unreadable: list[Message] = []
    for record in ledger.records(kinds=("report.finished",)):
        try:
            body = decode_part(ledger.blob(record.body), "report", ReportResult)
        except PortalOpsError as error:  # erased on purpose, or damaged: it takes nothing from the others
            unreadable.append(msg("record {seq} cannot be read: {why}", seq=str(record.seq), why=error.message))
            continue
        if body is not None:
            found.append(Recorded(record.seq, record.at, record.run, body))
    return found, unreadable
