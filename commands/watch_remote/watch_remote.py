"""Poll the ledgers of other hosts, once or again and again with --every

Each new head must be signed by a known key and extend the one that is kept. A head that does not is refused, kept as
evidence, and reported by mail. Silence is reported too: no new head within max_silence_hours.

Example: portalops watch-remote; portalops watch-remote khanh-hoa --every 60

EXIT STATUS: 0 all are current, 1 a head is overdue, 3 a ledger was not reached and is not overdue, or a mail waits to
be sent, 4 this machine could not keep what it found, 5 a head was refused, 75 another poll is under way, 78 the
configuration is wrong
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

import schedule
import typer

from commands.cli.kinds import kinds_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.errors import ConfigurationError, ExitCode, PortalOpsError, UsageError, worst
from portalops.ledger.heads import code_of, head_digest
from portalops.locale import _, process_language, render
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Block, Cell, Notice, Paragraph, Status, TableBlock, Tone
from portalops.signatures.sshsig import fingerprint
from portalops.system.locks import locked
from portalops.system.mail import new_message, send
from portalops.system.surroundings import LocalSurroundings
from portalops.witness.alarms import Trouble, next_alarm, queued
from portalops.witness.letters import letter_of
from portalops.witness.polling import (
    LedgerPoll,
    WitnessVerdict,
    hand_over_receipt,
    keep,
    note_lost_receipt,
    poll_ledger,
    record_failed_poll,
)
from portalops.witness.rules import HeadRefusal, KeyOrigin
from portalops.witness.sources import build_watched
from portalops.witness.state import WitnessFolder
from portalops.witness.watching import WatchedLedger

logger = logging.getLogger(__name__)


@shape
class WatchedHead:
    """The head that a watched ledger is held to."""

    size: int
    """How many records it is over."""
    digest: str
    """SHA-256 of the newest of them."""
    code: str
    """Size and digest, shortened for people."""
    at: datetime
    """When it was made, by the ledger's own clock."""
    text_sha256: str


@shape
class PinnedKey:
    """A key by which heads of a watched ledger are accepted."""

    fingerprint: str
    how: KeyOrigin
    """How it became known."""
    retired: bool


@shape
class WatchedShape:
    """What one poll of a watched ledger found."""

    id: str
    verdict: WitnessVerdict
    exit_code: int
    """Of this ledger alone."""
    reason: HeadRefusal | None
    """Why a head was refused."""
    code: str | None
    """Of the error, such as PO1110."""
    problem: str | None
    """What went wrong, for people; `verdict`, `reason` and `code` tell the cases apart."""
    hint: str | None
    notes: tuple[str, ...]
    """Further remarks, for people."""
    new: bool
    """A new head was accepted."""
    records: int
    """How many came with it."""
    ledger: str | None
    """The ledger's own id."""
    head: WatchedHead | None
    keys: tuple[PinnedKey, ...]
    alive_at: datetime
    """When the ledger last showed a new head."""
    silence_seconds: int
    """Since then."""
    alarm: Trouble | None
    """What people were notified of and is not over."""
    mails_waiting: int


def watch_remote(
    ctx: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help=_("Only these ledgers"))] = None,
    *,
    every: Annotated[
        int | None,
        typer.Option(min=1, max=1440, metavar="MINUTES", help=_("Keep running, and poll again after so many minutes")),
    ] = None,
    accept_key: Annotated[
        str | None,
        typer.Option(
            metavar="FINGERPRINT",
            help=_("Accept heads signed by this new key, once its owner has confirmed it by another way"),
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Poll and judge; keep nothing, notify nobody"))] = False,
) -> Result[tuple[WatchedShape, ...]]:
    session = open_session(ctx)
    watched = _watched(session, ids or [])
    if accept_key is not None:
        _require_one(watched, accept_key)
    if every is None:
        return _result(_poll_all(session, watched, accept=accept_key or "", dry_run=dry_run), dry_run=dry_run)
    return _again_and_again(session, watched, every, accept=accept_key or "", dry_run=dry_run)


def _watched(session: Session, ids: Sequence[str]) -> tuple[WatchedLedger, ...]:
    tables = session.settings.witnessed
    if not tables:
        raise ConfigurationError(
            msg("no watched ledger is configured"),
            msg("Add a [[witness.ledger]] table; its kinds are: {kinds}.", kinds=", ".join(kinds_of("witness.ledger"))),
        )
    known = [table.id for table in tables]
    for each in ids:
        if each not in known:
            raise UsageError(
                msg("there is no watched ledger {id}", id=each[:80]), msg("There are: {ids}.", ids=", ".join(known))
            )
    session.signing_key  # noqa: B018  # loaded first: one that cannot be had stops before a ledger is polled
    return tuple(build_watched(table) for table in tables if not ids or table.id in ids)


def _require_one(watched: Sequence[WatchedLedger], accepted: str) -> None:
    if len(watched) != 1:
        raise UsageError(
            msg("--accept-key needs one ledger, not {n}", n=len(watched)),
            msg("Name it: portalops watch-remote ID --accept-key FINGERPRINT"),
        )
    if not accepted.startswith("SHA256:") or len(accepted) != 50:
        raise UsageError(
            msg("{value} is not the fingerprint of a key", value=accepted[:80]),
            msg("A fingerprint is SHA256: and 43 characters, as 'ssh-keygen -l' prints it."),
        )


def _again_and_again(
    session: Session, watched: Sequence[WatchedLedger], minutes: int, *, accept: str, dry_run: bool
) -> Result[tuple[WatchedShape, ...]]:
    """Poll every so many minutes until somebody stops it; the last poll is the result."""
    latest: list[Result[tuple[WatchedShape, ...]]] = []
    accepted = [accept]

    def once() -> None:
        try:
            # A key is accepted for one poll: the person who accepted it meant the key that signs now.
            polls = _poll_all(session, watched, accept=accepted.pop() if accepted else "", dry_run=dry_run)
        except PortalOpsError as error:  # another poll under way, a full disk: the next one may do better
            logger.warning("%s", render(error.message, process_language(), zone=session.zone))
            return
        latest[:] = [_result(polls, dry_run=dry_run)]
        for seen in polls:
            say = logger.info if seen.verdict is WitnessVerdict.CURRENT else logger.warning
            line = msg(
                "{id}: {verdict}, {what}", id=seen.id, verdict=_WORDS[seen.verdict].word, what=_describe_head(seen)
            )
            say("%s", render(line, process_language(), zone=session.zone))

    timetable = schedule.Scheduler()
    timetable.every(minutes).minutes.do(once)
    try:
        once()
        while True:
            time.sleep(min(60.0, max(0.1, timetable.idle_seconds or 0.0)))
            timetable.run_pending()
    except KeyboardInterrupt:
        if latest:
            return latest[-1]
        raise


def _poll_all(
    session: Session, watched: Sequence[WatchedLedger], *, accept: str, dry_run: bool
) -> tuple[LedgerPoll, ...]:
    """Poll each ledger; on one machine only one poll is under way."""
    root = session.settings.state_folder / "witness"
    if dry_run:
        return tuple(_describe_poll(session, each, WitnessFolder(root / each.id), accept) for each in watched)
    with locked(root / "lock", holder=session.holder):
        return tuple(_kept(session, each, WitnessFolder(root / each.id), accept) for each in watched)


def _describe_poll(session: Session, watched: WatchedLedger, folder: WitnessFolder, accept: str) -> LedgerPoll:
    with session.progress.task(msg("Polling the ledger {id}", id=watched.id), total=None, unit="items"):
        try:
            return poll_ledger(watched, folder, clock=session.clock, accept=accept)
        except PortalOpsError as error:  # this machine's own files; the other ledgers are polled all the same
            return record_failed_poll(watched.id, session.clock.now(), error)


def _kept(session: Session, watched: WatchedLedger, folder: WitnessFolder, accept: str) -> LedgerPoll:
    """Poll, keep what was found, notify by mail, and send a receipt."""
    seen = _describe_poll(session, watched, folder, accept)
    if seen.is_own_fault or seen.verdict is WitnessVerdict.FAILED:
        return seen
    try:
        seen = keep(_with_letter(session, seen), folder)
        seen = _mailed(session, seen, watched, folder)
        if session.signing_key is not None:
            return hand_over_receipt(seen, watched, session.signing_key, folder)
        return note_lost_receipt(seen, folder)
    except PortalOpsError as error:
        if seen.verdict is WitnessVerdict.CURRENT:
            return record_failed_poll(watched.id, seen.at, error)
        return replace(seen, notes=(*seen.notes, error.message))


def _with_letter(session: Session, seen: LedgerPoll) -> LedgerPoll:
    """Add the mail that is due now to those that wait."""
    before = seen.state.alarm
    alarm, occasion = next_alarm(before, seen.trouble, seen.at)
    state = replace(seen.state, alarm=alarm)
    told = alarm or before
    if occasion is not None and told is not None:
        host = LocalSurroundings(session.environment).host_name()
        letter = letter_of(seen, told.trouble, occasion, witness=host, zone=session.zone_of_portal)
        state = replace(state, letters=queued(state.letters, letter))
    return replace(seen, state=state)


def _mailed(session: Session, seen: LedgerPoll, watched: WatchedLedger, folder: WitnessFolder) -> LedgerPoll:
    """Send the mails that wait, oldest first; one that cannot be sent stays, and is shown."""
    settings, state = watched.settings.alarm, seen.state
    if settings is None:
        if not state.letters:
            return seen
        folder.save(state := replace(state, letters=()))
        nobody = msg("no mail is sent: {id} has no alarm settings", id=seen.id)
        return replace(seen, state=state, notes=(*seen.notes, nobody))
    for letter in state.letters:
        message = new_message(
            settings, subject=letter.subject, text=letter.text, at=letter.written_at, message_id=letter.id
        )
        try:
            send(settings, message, environment=session.environment)
        except PortalOpsError as error:
            waiting = nmsg("{n} mail waits for the next poll", "{n} mails wait for the next poll", len(state.letters))
            return replace(seen, state=state, notes=(*seen.notes, error.message, waiting))
        folder.save(state := replace(state, letters=state.letters[1:]))
    return replace(seen, state=state)


def _result(polls: Sequence[LedgerPoll], *, dry_run: bool) -> Result[tuple[WatchedShape, ...]]:
    codes = [seen.verdict.exit_code for seen in polls]
    codes += [ExitCode.PARTIAL for seen in polls if seen.state.letters and not dry_run]
    notes = tuple(msg("{id}: {note}", id=seen.id, note=note) for seen in polls for note in seen.notes)
    return Result(tuple(map(_data, polls)), list(_view(polls, dry_run=dry_run)), notes, exit_code=worst(codes))


def _view(polls: Sequence[LedgerPoll], *, dry_run: bool) -> Iterator[Block]:
    headers = (msg("Ledger"), msg("Verdict"), msg("Head"), msg("Hours of silence"), msg("Problem"))
    rows: list[tuple[Cell, ...]] = [
        (
            seen.id,
            _WORDS[seen.verdict],
            code_of(seen.head) if seen.head else None,
            int(seen.silence.total_seconds() // 3600),
            _describe_head(seen),
        )
        for seen in polls
    ]
    yield TableBlock(msg("Watched ledgers"), headers, rows)
    for seen in polls:
        if seen.hint is not None:
            tone = Tone.BAD if seen.trouble else Tone.UNSURE
            yield Notice(msg("{id}: {hint}", id=seen.id, hint=seen.hint), tone)
    if dry_run:
        yield Paragraph(msg("Nothing was kept, and nobody was notified."))


def _describe_head(seen: LedgerPoll) -> Message:
    if seen.problem is not None:
        return seen.problem
    if seen.accepted is None:
        return msg("nothing new")
    if not seen.joined:
        return msg("a new head without its records")
    if seen.head is not None and seen.records == seen.head.size:
        return nmsg("the first head, over {n} record", "the first head, over {n} records", seen.records)
    return nmsg(
        "a new head, {n} record after the one before", "a new head, {n} records after the one before", seen.records
    )


def _data(seen: LedgerPoll) -> WatchedShape:
    state, kept = seen.state, seen.state.kept
    return WatchedShape(
        id=seen.id,
        verdict=seen.verdict,
        exit_code=int(seen.verdict.exit_code),
        reason=seen.reason,
        code=seen.code or None,
        problem=str(seen.problem) if seen.problem else None,
        hint=str(seen.hint) if seen.hint else None,
        notes=tuple(map(str, seen.notes)),
        new=seen.accepted is not None,
        records=seen.records,
        ledger=state.ledger or None,
        head=WatchedHead(
            kept.head.size, kept.head.digest, code_of(kept.head), kept.head.at, head_digest(kept.signed.text)
        )
        if kept
        else None,
        keys=tuple(PinnedKey(fingerprint(key.public_key), key.how, bool(key.retired_seq)) for key in state.keys),
        alive_at=state.alive_at,
        silence_seconds=int(seen.silence.total_seconds()),
        alarm=state.alarm.trouble if state.alarm else None,
        mails_waiting=len(state.letters),
    )


_WORDS = {
    WitnessVerdict.CURRENT: Status(msg("current"), Tone.GOOD),
    WitnessVerdict.OVERDUE: Status(msg("overdue"), Tone.BAD),
    WitnessVerdict.UNREACHABLE: Status(msg("not reached"), Tone.UNSURE),
    WitnessVerdict.UNCLAIMED: Status(msg("records that nobody claims"), Tone.BAD),
    WitnessVerdict.REFUSED: Status(msg("refused"), Tone.BAD),
    WitnessVerdict.FAILED: Status(msg("could not poll"), Tone.UNSURE),
}
VERB = Verb(watch_remote)
