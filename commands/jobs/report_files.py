"""Builds reports from the ledger, writes them to files, and lists those that are recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from commands.cli.session import Session
from commands.jobs.host_drift import host_drift
from commands.jobs.month_standings import lean_evidence, month_standings
from commands.jobs.own import records_of
from commands.jobs.server_history import server_history
from portalops import __version__
from portalops.bodies import decode_part
from portalops.calendar.calendar import Calendar
from portalops.compliance import Situation, distrusted, judge
from portalops.config import Settings
from portalops.errors import (
    FileUnwritable,
    LedgerError,
    Locked,
    PortalOpsError,
    SecretUnavailable,
)
from portalops.files import write_atomically
from portalops.ledger.as_of import LedgerAsOf
from portalops.ledger.counted_erasures import name_erased
from portalops.ledger.heads import code_of
from portalops.ledger.heeded import heeded, numbers_mistimed
from portalops.ledger.ledger import Ledger
from portalops.ledger.proof import read_proof
from portalops.ledger.verify import verify
from portalops.model.heads import RecordedHead
from portalops.model.message import Message, msg
from portalops.model.period import Period
from portalops.model.record import Digest, Fault, Recorded
from portalops.model.rulebook import Rulebook
from portalops.model.runs import ReportResult, WrittenFile
from portalops.ports import Clock, LedgerReader, Progress
from portalops.registers.ends import RunEnds
from portalops.registers.erasures import fold_erasures
from portalops.registers.evidence import Evidence, read_evidence
from portalops.registers.figures import Figures, read_figures
from portalops.reports import formats
from portalops.reports.document import Document
from portalops.reports.frame import period_doubt
from portalops.reports.material import WHOLE, Material, ReportScope
from portalops.reports.named import load_report


def head_code_of(report: ReportResult) -> str | None:
    return code_of(report.head) if report.head else None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportParts:
    """What reports are built from and with, each built once."""

    settings: Settings
    ledger: Ledger
    rulebook: Rulebook
    calendar: Calendar
    zone: ZoneInfo
    clock: Clock
    progress: Progress
    sign: Callable[[], RecordedHead | None]
    """Signs a head over everything recorded until now; None if no signing key is configured."""
    warn: Callable[[Message], None]


def parts_of(session: Session) -> ReportParts:
    """Return what reports need of a session.

    Raises:
        LedgerMissing: there is no ledger yet; none is made for a report.
    """
    return ReportParts(
        settings=session.settings,
        ledger=session.ledger,
        rulebook=session.rulebook,
        calendar=session.calendar,
        zone=session.zone_of_portal,
        clock=session.clock,
        progress=session.progress,
        sign=session.record_head,
        warn=session.warnings.append,
    )


def build_report_files(
    parts: ReportParts,
    name: str,
    *,
    period: Period,
    folder: Path,
    formats_wanted: Sequence[str],
    languages: Sequence[str],
    scope: ReportScope = WHOLE,
    own_run: str = "",
) -> WrittenReport:
    """Build a report once and write it in each format and language; return what was written, with digests.

    Raises:
        UnknownReport: there is no such report or format, or it needs what is not installed; nothing is written then.
        FileUnwritable: a file could not be written; those before it are whole.
        ReportError: a file could not be made; those before it are whole.
    """
    lacks = formats.lacks([formats.load(each) for each in formats_wanted])
    built = build_report(parts, name, period, scope=scope, own_run=own_run)
    files = write_report_files(
        parts.settings.portal.id,
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
    portal: str,
    name: str,
    built: BuiltReport,
    *,
    period: Period,
    folder: Path,
    formats_wanted: Sequence[str],
    languages: Sequence[str],
    scope: ReportScope = WHOLE,
) -> tuple[WrittenFile, ...]:
    """Write a report that was built in each format and language, or nothing if one of them can't hold it; the rest as in `build_report_files`."""
    chosen = [formats.load(each) for each in dict.fromkeys(formats_wanted)]
    for form in chosen:
        form.require(built.document)
    about = "-".join(part for part in (portal, name, str(scope)) if part)
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
    scope: ReportScope = WHOLE,
    lacks: tuple[Message, ...] = (),
) -> WrittenReport:
    """Return a report with its files, as it is recorded."""
    result = ReportResult(name, str(period), tuple(files), built.head.head if built.head else None, str(scope))
    return WrittenReport(result, built.unsigned, built.faults, lacks)


def build_report(
    parts: ReportParts, name: str, period: Period, *, scope: ReportScope = WHOLE, own_run: str = ""
) -> BuiltReport:
    """Sign what the ledger is, and build a report from exactly that.

    Where no head can be signed, by an account that may only read, the report carries the newest one that there
    is, and says how many records were written since.

    Args:
        parts: what it is built from.
        name: of the report.
        period: what it is about.
        scope: what it is cut down to, as the report permits.
        own_run: the run that makes it, which has not ended yet; empty for a report by hand.

    Raises:
        UnknownReport: there is no such report.
    """
    load_report(name)  # nothing is signed for a report that there is not
    head, unsigned = _sign_head(parts)
    return built_report(parts, name, period, scope=scope, own_run=own_run, head=head, unsigned=unsigned)


def built_report(
    parts: ReportParts,
    name: str,
    period: Period,
    *,
    scope: ReportScope,
    own_run: str,
    head: RecordedHead | None,
    unsigned: Message | None,
) -> BuiltReport:
    """Build a report from exactly what a head is over, or from all that is recorded if none was signed for it."""
    kind, settings, zone = load_report(name), parts.settings, parts.zone
    last = parts.ledger.last()
    assert last is not None  # an open ledger has its first record
    ledger = LedgerAsOf(parts.ledger, head.seq if head else last.seq)
    whole = replace(ledger, ledger=parts.ledger.whole)  # whoever verifies a bundle counts what is in it
    now = parts.clock.now()
    judged = heeded(parts.ledger, whole, now=now)
    ends = RunEnds()
    if "rounds" in kind.spares:
        evidence = lean_evidence(judged, period, now=now, zone=zone)
    else:
        evidence = read_evidence(judged, period, now=now, zone=zone, every_run=True, ends=ends)
    figures = read_figures(
        whole, period, as_of_seq=ledger.seq, zone=zone, ends=ends, mistimed=numbers_mistimed(parts.ledger)
    )
    since, until = period.bounds(zone)
    proof = read_proof(
        ledger,
        figures,
        _faults(parts),
        ledger_id=parts.ledger.id,
        since=since,
        unsigned=unsigned,
        has_key=settings.signing_key is not None,
        own_run=own_run,
    )
    erasures = fold_erasures(proof.erasures)
    evidence = replace(evidence, unreadable=tuple(name_erased(ledger, evidence.unreadable, erasures)))
    proof = replace(proof, unreadable=tuple(name_erased(ledger, proof.unreadable, erasures)))
    hosts = [each for each in settings.hosts if scope.host in (None, each.id)]
    own, progress = records_of(settings, ledger, now), parts.progress
    servers = server_history(ledger, evidence, hosts, own.declared, progress) if "servers" in kind.needs else None
    situation = Situation(parts.rulebook, evidence, settings.hosts, settings.units, parts.calendar)
    months = month_standings(judged, situation, progress) if "months" in kind.needs else ()
    drift = host_drift(own, hosts, progress, since=since, until=until) if "drift" in kind.needs else ()
    standings = judge(situation)
    material = Material(
        portal=settings.portal,
        actors=settings.actors,
        units=settings.units,
        hosts=settings.hosts,
        rulebook=parts.rulebook,
        calendar=parts.calendar,
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
        parts.warn(doubt)
    document = kind.build(material)
    proven = proof.head
    head = RecordedHead(proven.seq, proven.head, proven.signed) if proven else None
    return BuiltReport(
        document, figures, head, unsigned, (*(proof.faults or ()), *_damaged(evidence, proof.faults or ()))
    )


def _damaged(evidence: Evidence, known: Iterable[Fault]) -> Iterator[Fault]:
    """Yield the records whose details were found changed while they were read, but for those that are known to be at fault."""
    named = {fault.seq for fault in known}
    for each in evidence.unreadable:
        if each.damaged and each.seq not in named:
            yield Fault(each.seq, each.why)


def _faults(parts: ReportParts) -> tuple[Fault, ...]:
    """Go over the ledger as 'portalops ledger verify --quick' does: a report is not to rest on it in silence."""
    title = msg("Verifying the ledger")
    with parts.progress.task(title, total=parts.ledger.count(), unit="items") as task:
        found = verify(
            parts.ledger,
            now=parts.clock.now(),
            zone=parts.zone,
            read_blobs=False,
            advance=task.advance,
        )
    return found.integrity.faults


def _sign_head(parts: ReportParts) -> tuple[RecordedHead | None, Message | None]:
    """Return a head over everything recorded until now, or why none could be signed; neither without a key."""
    try:
        return parts.sign(), None
    except (LedgerError, SecretUnavailable, Locked, FileUnwritable) as error:
        return None, error.message


def recorded_reports(ledger: LedgerReader) -> tuple[Sequence[Recorded[ReportResult]], Sequence[Message]]:
    """Return the reports that the ledger knows of, oldest first, and what of them cannot be read."""
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
