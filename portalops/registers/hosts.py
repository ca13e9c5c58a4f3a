"""What is recorded of the ways to hosts: by which key each is known, and which facts may be brought of it by hand."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime

from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.hosts import Enrolment, ScriptIssued, SuppliedFacts
from portalops.model.organisation import HostId
from portalops.model.record import Record
from portalops.ports import LedgerReader

ENROLLED = "host.enrolled"
ENROLMENT = "enrolment"
"""The key of it in the record's body."""
DECLARED, DECLARATION = "host.declared", "declaration"
SCRIPT, SCRIPT_KEY = "host.script", "script"
BROUGHT, BROUGHT_KEY = "host.facts-brought", "facts"


@dataclass(frozen=True, slots=True)
class RecordedEnrolment:
    """An enrolment with its record."""

    seq: int
    at: datetime
    enrolment: Enrolment


def read_enrolments(ledger: LedgerReader, *, until: datetime | None = None) -> dict[HostId, RecordedEnrolment]:
    """Return the enrolment that counts of each host that has one.

    A record whose details cannot be read leaves its host without a key: an older key that may have been replaced for a
    reason is not gone back to.
    """
    found: dict[HostId, RecordedEnrolment] = {}
    for record in ledger.records(kinds=(ENROLLED,), until=until):
        _enrol(found, ledger, record)
    return found


def _enrol(found: dict[HostId, RecordedEnrolment], ledger: LedgerReader, record: Record) -> None:
    found.pop(HostId(record.subject), None)
    try:
        body = decode_part(ledger.blob(record.body), ENROLMENT, Enrolment)
    except PortalOpsError:
        return
    if body is not None and body.host == record.subject:
        found[body.host] = RecordedEnrolment(record.seq, record.at, body)


class EnrolmentsSeen:
    """The enrolments of one ledger, for who asks for them again and again: only what is new is read. Safe in several threads.

    A worker asks before each host, and reading all of them for each would take the square of their number.
    """

    def __init__(self) -> None:
        self._found: dict[HostId, RecordedEnrolment] = {}
        self._newest: Record | None = None
        self._lock = threading.Lock()

    def read(self, ledger: LedgerReader) -> dict[HostId, RecordedEnrolment]:
        """Return what `read_enrolments` does."""
        with self._lock:
            seen, since = (0, None) if self._newest is None else (self._newest.seq, self._newest.at)
            for record in ledger.records(kinds=(ENROLLED,), since=since):
                if record.seq > seen:
                    _enrol(self._found, ledger, record)
                    self._newest = record
            return dict(self._found)


@dataclass(frozen=True, slots=True)
class RecordedScript:
    """A script for facts that are brought by hand, with its record."""

    seq: int
    at: datetime
    issued: ScriptIssued
    answered_in: int | None
    """The record by which its answer was taken; None while none was."""


def read_scripts(ledger: LedgerReader) -> dict[str, RecordedScript]:
    """Return every script that was issued, by its mark.

    Where the record of an answer cannot be read, no script of that host from before it is open any more: it may be the one
    that was answered.
    """
    found: dict[str, RecordedScript] = {}
    for record in ledger.records(kinds=(SCRIPT, BROUGHT)):
        try:
            blob = ledger.blob(record.body)
            if record.kind == SCRIPT:
                issued = decode_part(blob, SCRIPT_KEY, ScriptIssued)
                if issued is not None and issued.host == record.subject:
                    found.setdefault(issued.mark, RecordedScript(record.seq, record.at, issued, None))
                continue
            brought = decode_part(blob, BROUGHT_KEY, SuppliedFacts)
            marks = [brought.mark] if brought else _marks_of(found, record.subject)
        except PortalOpsError:
            marks = _marks_of(found, record.subject)
        for mark in marks:
            if mark in found and found[mark].answered_in is None:
                found[mark] = replace(found[mark], answered_in=record.seq)
    return found


def _marks_of(found: dict[str, RecordedScript], host: str) -> list[str]:
    return [mark for mark, each in found.items() if each.issued.host == host]
