"""Which reports were mailed: the runs of the kind `mail`.

A mail is on record before it is handed over, so that one whose process was killed shows; what became of that one is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from portalops.bodies import decode_part, required_part
from portalops.errors import PortalOpsError
from portalops.model.mailings import MailAnswer, Mailing, MailState
from portalops.model.record import RunId
from portalops.model.runs import JobId
from portalops.ports import LedgerReader
from portalops.registers.runs import parse_run_id

MAIL = "mail"
"""The kind of the runs, and the key of the answer in the finished record's body."""
MAILING = "mailing"
"""The key of what is sent in the started record's body."""
STARTED_MAIL = "mail.started"
FINISHED_MAIL = "mail.finished"
MAIL_KINDS = (STARTED_MAIL, FINISHED_MAIL)


@dataclass(frozen=True, slots=True)
class RecordedMailing:
    """A mail, folded from its two records."""

    run: RunId
    seq: int
    """Of the started record."""
    at: datetime
    mailing: Mailing
    finished_seq: int | None = None
    """None while it is being sent, and for ever if the process was killed."""
    answer: MailAnswer | None = None
    """None if there is none, or none that can be read."""

    @property
    def state(self) -> MailState:
        """What became of it."""
        return self.answer.state if self.answer else MailState.UNKNOWN


@dataclass(frozen=True, slots=True)
class ReadMailings:
    """What reading mailings came to."""

    mailings: tuple[RecordedMailing, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_mailings(
    ledger: LedgerReader, *, since: datetime | None = None, until: datetime | None = None
) -> ReadMailings:
    """Return every mail whose sending was recorded in a span."""
    found: dict[str, RecordedMailing] = {}
    faults: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=MAIL_KINDS, since=since, until=until):
        try:
            blob = ledger.blob(record.body)
            if record.kind == STARTED_MAIL:
                mailing = required_part(blob, MAILING, Mailing)
                found[record.run] = RecordedMailing(record.run, record.seq, record.at, mailing)
            elif record.run in found:
                answer = decode_part(blob, MAIL, MailAnswer)
                found[record.run] = replace(found[record.run], finished_seq=record.seq, answer=answer)
        except PortalOpsError as error:
            faults.append((record.seq, error))
    return ReadMailings(tuple(found.values()), tuple(faults))


def reached_in_slot(mailings: Iterable[RecordedMailing], job: JobId, slot: str) -> frozenset[str]:
    """Return the recipients for whom the mail server took a job's mail in one of its slots, by whichever attempt."""
    reached: set[str] = set()
    for each in mailings:
        name = parse_run_id(each.mailing.made_in)
        if name is not None and (name.job, name.slot) == (job, slot) and each.answer is not None:
            reached.update(each.answer.accepted)
    return frozenset(reached)
