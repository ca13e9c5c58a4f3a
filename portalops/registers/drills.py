"""Drills that another host did: its signed reports as they are recorded, and what makes one hold.

A report counts as what its own bytes say, and nothing beside them: the record holds the text that was signed and the
signature, so whoever verifies the ledger looks at the same text.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from portalops import bodies
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.backups import Copy, CopyState, DrillResult, VerifyLevel
from portalops.model.drills import SCHEMA, DrillReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.signatures.sshsig import BadSignature, verify

DRILL_FINISHED: Final = "drill.finished"
DRILL: Final = "drill"
"""The kind of the records of this host's own drills, and the key of their body."""

IMPORTED = "drill.imported"
"""The kind; the report stands under the key `KEY` of the body."""

KEY = "drill_report"

NAMESPACE = "portalops-drill"
"""The purpose that drill reports are signed for."""

MAX_REPORT_BYTES = 1 << 20
"""A report has a few KiB; anything larger is some other file."""


class NotADrillReport(ValueError):
    """A text is no drill report, or its signature does not fit; the message says which."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class ImportedDrill:
    """The body of a `drill.imported` record, under the key `drill_report`.

    Raises:
        NotADrillReport: when it is made of what does not hold, also out of a record.
    """

    text: str
    """The report's bytes, which are UTF-8."""
    signature: str
    """OpenSSH signature of them, armoured."""

    def __post_init__(self) -> None:
        read_report(self.text, self.signature)

    @property
    def report(self) -> DrillReport:
        """What it says."""
        return read_report(self.text, self.signature)[0]

    @property
    def signer(self) -> str:
        """The public key that signed it; whether that is to be trusted was decided when it was taken up."""
        return read_report(self.text, self.signature)[1]

    @property
    def copies(self) -> tuple[Copy, ...]:
        """The copy that was drilled, as the drill left it."""
        return self.report.drill.copies


@dataclass(frozen=True, slots=True)
class RecordedDrill:
    """A drill, whoever did it, with the record that tells of it."""

    seq: int
    at: datetime
    """When it was done: of one that another host did, when it ended by that host's clock."""
    result: DrillResult
    host: str = ""
    """The other host; empty for this ledger's own."""
    signer: str = ""
    """The public key of that host."""


@dataclass(frozen=True, slots=True)
class Drills:
    """What reading the drills came to."""

    drills: tuple[RecordedDrill, ...] = ()
    """By the moment at which they were done."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_drills(ledger: LedgerReader, *, since: datetime, until: datetime) -> Drills:
    """Return the drills that were done in a span, also those that were taken up from another host after it.

    Args:
        ledger: read only.
        since: done at or after this moment.
        until: done before it.
    """
    found: list[RecordedDrill] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=(DRILL_FINISHED, IMPORTED), since=since):
        try:
            blob = ledger.blob(record.body)
            if record.kind == IMPORTED:
                body = bodies.decode_part(blob, KEY, ImportedDrill)
                if body is not None:
                    told = body.report
                    found.append(RecordedDrill(record.seq, told.finished_at, told.drill, told.host, body.signer))
            elif (own := bodies.decode_part(blob, DRILL, DrillResult)) is not None:
                found.append(RecordedDrill(record.seq, record.at, own))
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
    in_span = sorted((each for each in found if since <= each.at < until), key=lambda each: (each.at, each.seq))
    return Drills(tuple(in_span), tuple(unreadable))


def write_report(report: DrillReport) -> str:
    """Return the text of a report: one JSON object, keys sorted, without spaces, ending in a line feed."""
    return bodies.write({"drill_report": report}).decode()


@lru_cache(maxsize=512)
def read_report(text: str, signature: str) -> tuple[DrillReport, str]:
    """Return what a report says, and the key that signed it.

    Raises:
        NotADrillReport: it does not hold.
    """
    try:
        data = text.encode()
        if len(data) > MAX_REPORT_BYTES:
            raise NotADrillReport(msg("too large for a drill report"))
        signer = verify(data, signature, NAMESPACE)
        report = bodies.decode_part(data, "drill_report", DrillReport)
    except UnicodeEncodeError as error:
        raise NotADrillReport(msg("it is not text in UTF-8")) from error
    except BadSignature as error:
        raise NotADrillReport(msg("the signature is not valid: {cause}", cause=error.message)) from error
    except LedgerError as error:
        raise NotADrillReport(msg("it is not a drill report: {cause}", cause=error.message)) from error
    if report is None:
        raise NotADrillReport(msg("it is not a drill report"))
    if report.schema != SCHEMA:
        raise NotADrillReport(
            msg("its schema {schema} is not known to this version", schema=show_text(report.schema[:60]))
        )
    if not 1 <= report.record < 1 << 63:
        raise NotADrillReport(msg("no ledger has a record {record}", record=show_text(str(report.record), 40)))
    if len(report.drill.copies) != 1 or report.drill.copies[0].set_id != report.set_id:
        raise NotADrillReport(msg("it does not describe exactly one copy of its set"))
    if report.finished_at < report.started_at:
        raise NotADrillReport(msg("it ended before it began"))
    if not _agrees(report.drill):
        raise NotADrillReport(msg("its statement about the copy contradicts its own tests"))
    return report, signer


def _agrees(drill: DrillResult) -> bool:
    """Say whether a drill's copy is as its trials left it: damaged, or verified as deep as every stream came."""
    (copy,) = drill.copies
    if copy.state is CopyState.DAMAGED:
        return copy.verified_at is None
    reached = min((each.level for each in drill.trials), default=VerifyLevel.L3)
    return (
        copy.state is CopyState.VERIFIED
        and copy.verified_at is not None
        and copy.level == reached
        and reached in {VerifyLevel.L3, VerifyLevel.L4}
        and not any(each.problems for each in drill.trials)
    )
