"""Drill reports: a recovery host leaves them signed, and the portal's host takes them up. See docs/drill-report.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from portalops import bodies
from portalops.config import Settings
from portalops.errors import ConfigurationError, DrillReportRefused, LedgerError, UsageError
from portalops.files import write_atomically
from portalops.ledger.heads import introduce_key, read_signers
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import line_digest
from portalops.ledger.recorder import Recorder
from portalops.ledger.runs import RecordedRun
from portalops.model.backups import CopyState, DrillResult
from portalops.model.causes import cause_of
from portalops.model.drills import SCHEMA, DrillReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.backups import GONE, SetEvidence, recorded_sets
from portalops.registers.drills import (
    IMPORTED,
    KEY,
    MAX_REPORT_BYTES,
    NAMESPACE,
    ImportedDrill,
    NotADrillReport,
    write_report,
)
from portalops.registers.signers import confirmed_keys
from portalops.signatures.sshsig import MAX_SIGNATURE_CHARS, SigningKey, fingerprint, sign

DUTY = "10.2"
CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart before one of them is called wrong."""

SIGNATURE_SUFFIX = ".sig"


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A report that was taken up."""

    seq: int
    drill: ImportedDrill
    is_late: bool
    """Its copy was looked at after the drill, so what the ledger knew is not changed by it, but for damage."""


def leave_report(
    result: DrillResult,
    done: RecordedRun[object],
    path: Path | None,
    *,
    settings: Settings,
    ledger: Ledger,
    key: SigningKey | None,
    host: str,
) -> Path:
    """Write the report of a drill that was recorded, and its signature beside it; return the report's path.

    Args:
        result: of the drill.
        done: its run, with the records.
        path: where to; a name of its own in the configured folder if None.
        settings: name the portal and that folder.
        ledger: of the host that did the drill.
        key: signs the report.
        host: what that host is called.

    Raises:
        ConfigurationError: no signing key is configured.
        LedgerError: the key is not the ledger's.
        FileUnwritable: the files cannot be written.
    """
    if key is None:
        raise ConfigurationError(
            msg("no signing key is configured, so the report would not show who did the drill"),
            msg('Configure one: [signing] with key = "/etc/portalops/signing".'),
        )
    introduce_key(ledger, key)
    report = report_of(result, done, host=host, ledger=ledger.id, portal=settings.portal.id)
    text = write_report(report)
    if path is None:
        folder = settings.backup.drill.reports
        assert folder is not None
        path = folder / f"drill-{report.finished_at:%Y%m%dT%H%M%SZ}-{report.ledger[:8]}-{report.record}.json"
    write_atomically(path.with_name(path.name + SIGNATURE_SUFFIX), sign(text.encode(), key, NAMESPACE).encode())
    write_atomically(path, text.encode())
    return path


def report_of(result: DrillResult, done: RecordedRun[object], *, host: str, ledger: str, portal: str) -> DrillReport:
    """Return what a host reports of a drill that its ledger has recorded."""
    copy = result.copies[0]
    assert result.bag_sha256 is not None
    return DrillReport(
        SCHEMA,
        f"portalops {version('portalops')}",
        host,
        ledger,
        done.finished.seq,
        line_digest(done.finished.line),
        done.summary.started_at,
        done.summary.finished_at,
        portal,
        copy.set_id,
        result.bag_sha256,
        replace(result, copies=(copy,)),
    )


def read_report(path: Path, trusted: Sequence[str]) -> ImportedDrill:
    """Read a recovery host's report.

    Args:
        path: of the report; its signature lies beside it.
        trusted: the public keys of recovery hosts.

    Raises:
        UsageError: the files cannot be read, or no recovery host is configured.
        DrillReportRefused: it does not hold.
    """
    if not trusted:
        raise UsageError(
            msg("no recovery host is configured whose drills would count"),
            msg("Name the public key that its ledger signs with: backup.drill.trusted."),
        )
    text = _read(path, MAX_REPORT_BYTES)
    signature = _read(path.with_name(path.name + SIGNATURE_SUFFIX), MAX_SIGNATURE_CHARS)
    try:
        return ImportedDrill(text.decode(), signature.decode())
    except UnicodeDecodeError as error:
        raise _refused(path, msg("it is not text in UTF-8")) from error
    except NotADrillReport as error:
        raise _refused(path, error.message) from error


def take_up(recorder: Recorder, path: Path, drill: ImportedDrill, settings: Settings, now: datetime) -> TakenUp:
    """Record a recovery host's drill, if its report fits what the ledger knows; one process at a time may do it.

    Args:
        recorder: of the portal's host.
        path: where the report lies.
        drill: what it holds.
        settings: name the portal, and the recovery hosts that are trusted.
        now: by this host's clock.

    Raises:
        UsageError: the report was taken up before.
        DrillReportRefused: it is by nobody who is trusted, or does not fit the set that it names.
        LedgerError: nothing can be recorded.
    """
    _require_trusted(path, drill, recorder.ledger, settings.backup.drill.trusted)
    made = _set_of(path, drill, recorded_sets(recorder.ledger), settings.portal.id)
    _require_plausible(path, drill, made, now)
    _require_new(path, drill, recorder.ledger)
    copy = drill.copies[0]
    is_late = any(
        each.medium == copy.medium and each.verified_at is not None and each.verified_at >= drill.report.started_at
        for each in made.copies
    )
    subject = show_text(f"{copy.medium}/{copy.set_id}", 500)
    record = recorder.record(IMPORTED, KEY, drill, subject=subject, duty=DUTY)
    return TakenUp(record.seq, drill, is_late)


def _require_trusted(path: Path, drill: ImportedDrill, ledger: Ledger, trusted: Sequence[str]) -> None:
    key = fingerprint(drill.signer)
    if drill.signer in confirmed_keys(read_signers(ledger)):
        raise _refused(path, msg("it is signed by {key}, a key of this ledger, and so by no other host", key=key))
    if drill.report.ledger == ledger.id:
        raise _refused(path, msg("it is of this ledger itself, and so of no other host"))
    if drill.signer not in trusted:
        raise _refused(path, msg("it is signed by {key}, which is no key of a recovery host that is trusted", key=key))


def _set_of(path: Path, drill: ImportedDrill, sets: Sequence[SetEvidence], portal: str) -> SetEvidence:
    """Return the set that a report tells of, if the ledger knows it and the copy."""
    report, copy = drill.report, drill.copies[0]
    if report.portal != portal:
        raise _refused(path, msg("it is of another portal, {portal}", portal=show_text(report.portal, 80)))
    made = next((each for each in sets if each.set.id == report.set_id), None)
    shown = show_text(report.set_id, 120)
    if made is None:
        raise _refused(path, msg("the ledger knows no backup set {name}", name=shown))
    if copy.state is CopyState.VERIFIED and report.bag_sha256 != made.set.bag_sha256:
        raise _refused(
            path,
            msg(
                "what was drilled as {set} is another set: its bag has the digest {found}, the ledger has {recorded}",
                set=shown,
                found=show_text(report.bag_sha256, 64),
                recorded=made.set.bag_sha256,
            ),
        )
    if not any(each.medium == copy.medium and each.state not in GONE for each in made.copies):
        raise UsageError(
            msg("no copy of set {set} is recorded on {medium}", set=shown, medium=show_text(copy.medium, 80)),
            msg(
                "Give each medium the same id on both hosts; 'portalops backup show {set}' lists the copies.", set=shown
            ),
        )
    return made


def _require_plausible(path: Path, drill: ImportedDrill, made: SetEvidence, now: datetime) -> None:
    report = drill.report
    if report.started_at < made.set.created_at - CLOCKS_APART or report.finished_at > now + CLOCKS_APART:
        raise _refused(
            path,
            msg(
                "it ended at {ended}, not between the making of the set ({made}) and now: a clock is wrong",
                ended=report.finished_at,
                made=made.set.created_at,
            ),
        )
    (copy,) = drill.copies
    if copy.verified_at is not None and not report.started_at <= copy.verified_at <= report.finished_at:
        raise _refused(path, msg("the copy was verified outside the time of the drill"))


def _require_new(path: Path, drill: ImportedDrill, ledger: Ledger) -> None:
    for record in ledger.records(kinds=(IMPORTED,)):
        try:
            known = bodies.decode_part(ledger.blob(record.body), KEY, ImportedDrill)
        except LedgerError:
            continue  # verification names it
        if known is None or known.signer != drill.signer:
            continue
        if known.text == drill.text:
            raise UsageError(
                msg("{path} is recorded already, in record {seq}", path=str(path), seq=str(record.seq)),
                msg("'portalops ledger show {seq}' shows it.", seq=str(record.seq)),
            )
        if (known.report.ledger, known.report.record) == (drill.report.ledger, drill.report.record):
            raise _refused(
                path, msg("record {seq} holds another report of the same drill by the same host", seq=str(record.seq))
            )


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(
            msg("{path} cannot be read: {cause}", path=str(path), cause=cause_of(error)),
            msg("A drill report is two files: the report, and its signature with .sig behind the name."),
        ) from error
    if len(data) > limit:
        raise _refused(path, msg("too large for a drill report"))
    return data


def _refused(path: Path, cause: Message) -> DrillReportRefused:
    return DrillReportRefused(
        msg("drill report {path}: {cause}", path=str(path), cause=cause),
        msg("Nothing was recorded. Ask the keeper of the recovery host for the report again, over another channel."),
    )
