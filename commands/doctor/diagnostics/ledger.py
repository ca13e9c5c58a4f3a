"""The newest records hold together, no run was cut off, and the clock is neither behind nor, with nothing to vouch for it, far ahead; with `--deep` the whole ledger is verified.

Deep means the chain from the first record on, every signed head, that each blob of evidence is there, and SQLite's own look at
its file. The contents of blobs are read by `portalops ledger verify` alone.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

from commands.cli.clock import is_kept
from commands.doctor.diagnosis import (
    Diagnostic,
    DiagnosticLine,
    DiagnosticState,
    DoctorContext,
    bad,
    bounded,
    good,
    note,
    refused,
    unknown,
    warning,
)
from portalops.errors import ClockJumped, LedgerMissing, PortalOpsError
from portalops.ledger.journals import contradictions, describe_contradiction
from portalops.ledger.ledger import FILE, Ledger
from portalops.ledger.runs import is_running
from portalops.ledger.verify import verify
from portalops.model.message import msg, nmsg
from portalops.model.text import show_text

CHAIN_LENGTH = 200
"""How many of the newest records are held against each other; `portalops ledger verify` reads all."""

REACH_BACK = timedelta(days=35)
"""Runs that began earlier are of no job that is still to be made up."""

DEEP_SECONDS = 4 * 3600.0
"""How long a deep look may take: the longest ledgers that there are take some minutes, on a slow disk hours."""

CRASHES_SHOWN = 5
FAULTS_SHOWN = 5


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Look at the newest records; and with `deep` at all, if these could be read."""
    lines = tuple(bounded(partial(_newest, look), seconds=look.seconds))
    yield from lines
    if not look.deep or any(line.state is DiagnosticState.UNKNOWN for line in lines):
        return
    if look.session.settings.ledger_store is None:
        file = look.session.settings.state_folder / FILE
        if not file.exists():
            return
        yield from _file_seen(file)
    told = [line.seen for line in lines]
    yield from (line for line in _verified(look) if line.seen not in told)  # one that is away or missing is told once


def _newest(look: DoctorContext) -> Iterator[DiagnosticLine]:
    try:
        ledger = look.session.ledger
    except LedgerMissing as error:
        yield note("", error.message, error.hint)
        return
    newest = ledger.last()
    if newest is None:
        yield note("", msg("the ledger is empty"), msg("Run 'portalops run'."))
        return
    now = look.session.clock.now()
    if newest.at > now + timedelta(seconds=1):
        yield bad(
            "clock",
            msg("the clock is behind the newest record: {now} and {newest}", now=now, newest=newest.at),
            msg("Set the clock right; nothing can be recorded until then."),
        )
    session = look.session
    try:
        ledger.require_kept_clock(lambda: is_kept(session.settings.state_folder, session.clock, session.surroundings))
    except ClockJumped as error:
        yield refused("clock", error)
    yield broken_link(ledger) or good(
        "",
        nmsg("{n} record; the newest ones hold together", "{n} records; the newest ones hold together", ledger.count()),
    )
    for path, seq in contradictions(ledger, session.settings.state_folder):
        yield bad("journal", describe_contradiction(path, seq), _KEEP)
    yield from _crashed(look, ledger)


def broken_link(opened: Ledger) -> DiagnosticLine | None:
    """Return the newest place where two neighbouring records do not hold together."""
    following = None
    for record in opened.records(newest_first=True, limit=CHAIN_LENGTH):
        digest = hashlib.sha256(record.line).hexdigest()
        if following is not None and (following.prev != digest or following.seq != record.seq + 1):
            return bad(
                "",
                msg("record {seq} is not chained to the record before it", seq=following.seq),
                msg("Change nothing and run 'portalops ledger verify'."),
            )
        following = record
    return None


def _crashed(look: DoctorContext, ledger: Ledger) -> Iterator[DiagnosticLine]:
    """Name the newest runs that began, did not end, and have no process any more."""
    cut = [
        run
        for run in ledger.runs(since=look.session.clock.now() - REACH_BACK)
        if run.finished_at is None and not is_running(ledger.locks, run)
    ]
    for run in cut[-CRASHES_SHOWN:]:
        yield warning(
            f"run {run.id}",
            msg(
                "the run {run} began at {moment} and left no end: it was killed, or the machine stopped",
                run=run.id,
                moment=run.started_at,
            ),
            msg(
                "Read the journal around that moment: journalctl. The next run does the work again if it is still due."
            ),
        )
    if len(cut) > CRASHES_SHOWN:
        more = len(cut) - CRASHES_SHOWN
        yield warning(
            "runs",
            nmsg("{n} earlier run left no end either", "{n} earlier runs left no end either", more),
            msg("Run 'portalops ledger verify --quick': it names them all."),
        )


def _file_seen(path: Path) -> Iterator[DiagnosticLine]:
    """Let SQLite look at its own file: its pages, rows and indexes (PRAGMA integrity_check)."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        yield bad("file", msg("SQLite cannot read the ledger's file: {cause}", cause=show_text(str(error), 200)), _KEEP)
        return
    if said == ["ok"]:
        yield good("file", msg("SQLite finds its file whole"))
    else:
        text = show_text("; ".join(said), 400)
        yield bad("file", msg("SQLite finds its file damaged: {cause}", cause=text), _KEEP)


def _verified(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Verify the whole ledger, but for the contents of blobs."""
    session = look.session
    try:
        found = verify(session.ledger, now=session.clock.now(), zone=session.zone_of_portal, read_blobs=False)
    except PortalOpsError as error:
        yield refused("chain", error)
        return
    for fault in found.integrity.faults[:FAULTS_SHOWN]:
        yield bad(
            "chain",
            msg("record {seq}: {cause}", seq=fault.seq, cause=fault.what) if fault.seq > 0 else fault.what,
            _KEEP,
        )
    if found.integrity.holds:
        yield good(
            "chain",
            msg(
                "the whole chain of {records} records holds, and each of {blobs} blobs is there",
                records=found.integrity.records,
                blobs=found.integrity.blobs,
            ),
        )
    if found.completeness.problem is not None:
        yield unknown("completeness", found.completeness.problem, _LIST)
    elif found.completeness.missing:
        yield warning(
            "completeness",
            nmsg(
                "{n} planned run is missing in the ledger",
                "{n} planned runs are missing in the ledger",
                len(found.completeness.missing),
            ),
            _LIST,
        )


_KEEP = msg("Change nothing, keep a copy of the state folder, and run 'portalops ledger verify'.")
_LIST = msg("Run 'portalops ledger verify': it lists what is missing.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose, deep_seconds=DEEP_SECONDS)
