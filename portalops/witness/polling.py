"""One poll of one watched ledger: ask, judge, keep what was accepted or refused, and return its state.

What is found out is a value; `keep` writes it down. So `--dry-run` is a look that is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portalops.errors import AnchorUnavailable, ExitCode, HeadRefused, IntegrityError, PortalOpsError
from portalops.ledger.heads import head_digest, parse_head
from portalops.model.heads import Head, SignedHead
from portalops.model.message import Message, msg, nmsg
from portalops.ports import Clock, Extension
from portalops.signatures.sshsig import SigningKey, fingerprint
from portalops.witness.alarms import Trouble
from portalops.witness.extensions import NotAnExtension
from portalops.witness.receipts import Receipt, sign_receipt
from portalops.witness.rules import Accepted, HeadRefusal, Joining, KeyOrigin, KnownKey, Pinned, RefusedHead
from portalops.witness.state import StandingRefusal, WitnessFolder, WitnessState
from portalops.witness.watching import WatchedLedger

MAX_POLL_SECONDS = 3600.0
"""How long the parts of one extension may take together; a million records take about a quarter of a minute."""

NO_RECEIPT = -1
"""`State.receipted` after it was reported once that there are no receipts."""


class WitnessVerdict(StrEnum):
    """How a watched ledger stands."""

    CURRENT = "current"
    OVERDUE = "overdue"
    """No new head came in time: the dead man's switch."""
    UNREACHABLE = "unreachable"
    """Not reached this time, and not overdue yet."""
    UNCLAIMED = "unclaimed"
    """Current, and no writer claims some records: whoever wrote them may be a stranger."""
    REFUSED = "refused"
    FAILED = "failed"
    """The witness itself could not do its work."""

    @property
    def exit_code(self) -> ExitCode:
        """What the process says of it."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    WitnessVerdict.CURRENT: ExitCode.OK,
    WitnessVerdict.OVERDUE: ExitCode.UNMET,
    WitnessVerdict.UNREACHABLE: ExitCode.PARTIAL,
    WitnessVerdict.UNCLAIMED: ExitCode.PARTIAL,
    WitnessVerdict.REFUSED: ExitCode.INTEGRITY,
    WitnessVerdict.FAILED: ExitCode.FAILED,
}


@dataclass(frozen=True, slots=True)
class LedgerPoll:
    """What one look found."""

    id: str
    verdict: WitnessVerdict
    at: datetime
    """When it was, by the witness's clock."""
    state: WitnessState
    """What is known after it."""
    problem: Message | None = None
    hint: Message | None = None
    reason: HeadRefusal | None = None
    """Why a head was refused."""
    code: str = ""
    """Of the error: PO1110 and so on."""
    accepted: SignedHead | None = None
    """A new head."""
    joined: bool = True
    """Of a new head: its records came with it."""
    records: int = 0
    """How many came."""
    offered: SignedHead | None = None
    """The head that was refused."""
    notes: tuple[Message, ...] = ()
    is_own_fault: bool = False
    """The witness's own files are at fault: they are left as they are."""

    @property
    def head(self) -> Head | None:
        """The head that the ledger is held to."""
        return self.state.kept.head if self.state.kept else None

    @property
    def silence(self) -> timedelta:
        """How long ago the ledger last showed that it is alive."""
        return max(timedelta(0), self.at - self.state.alive_at)

    @property
    def trouble(self) -> Trouble | None:
        """What people are to be notified of."""
        match self.verdict:
            case WitnessVerdict.REFUSED:
                return Trouble.REFUSED
            case WitnessVerdict.OVERDUE:
                return Trouble.OVERDUE
            case WitnessVerdict.UNCLAIMED:
                return Trouble.UNCLAIMED
            case _:
                return None


def poll_ledger(watched: WatchedLedger, folder: WitnessFolder, *, clock: Clock, accept: str = "") -> LedgerPoll:
    """Look at a ledger once; nothing is written.

    Args:
        watched: where its heads come from.
        folder: what is kept of it.
        clock: the witness's own.
        accept: fingerprint of a new key that a person accepts.

    Raises:
        IntegrityError: what the witness kept itself cannot be read.
    """
    state = folder.load(clock.now())
    pinned = _pinned(watched, folder, state, accept)
    found = _Found(watched, folder, replace(state, ledger=pinned.ledger, keys=pinned.keys), clock)
    newest = _Newest()
    seen = _judged(found, lambda: _asked(watched, folder, Joining(pinned), clock, newest), newest, accept)
    return replace(seen, notes=(*seen.notes, *newest.notes))


@dataclass(slots=True)
class _Newest:
    """What remains of the newest answer to report, without its records."""

    signed: SignedHead | None = None
    notes: tuple[Message, ...] = ()

    def take(self, part: Extension) -> None:
        self.signed, self.notes = part.signed, part.notes


def _judged(found: _Found, ask: Callable[[], tuple[Accepted | None, bool]], newest: _Newest, accept: str) -> LedgerPoll:
    try:
        accepted, joined = ask()
    except RefusedHead as error:
        return found.refused(error, error.reason, newest.signed)
    except AnchorUnavailable as error:
        return found.unreachable(error)
    except IntegrityError as error:
        return found.refused(error, HeadRefusal.DAMAGED, None)
    except PortalOpsError as error:
        return found.failed(error)
    seen = found.reached(accepted, joined=joined)
    if accept and all(fingerprint(key.public_key) != accept for key in seen.state.keys):
        unused = msg("key {key} was not accepted: it has signed no head", key=accept)
        return replace(seen, notes=(*seen.notes, unused))
    return seen


def keep(seen: LedgerPoll, folder: WitnessFolder) -> LedgerPoll:
    """Write down what a look found.

    Raises:
        FileUnwritable: it cannot be written.
        IntegrityError: another head of that size was kept before.
    """
    notes = seen.notes
    if seen.offered is not None and seen.state.refused is not None:
        path = folder.keep_refused(seen.offered, seen.state.refused)
        notes += (
            (msg("the refused head is kept in {path}", path=str(path)),)
            if path
            else (msg("the refused head was not kept: {folder} is full", folder=str(folder.refused)),)
        )
    if seen.accepted is not None:
        folder.add(seen.accepted)
    folder.save(seen.state)
    return replace(seen, notes=notes)


def record_failed_poll(ledger_id: str, now: datetime, error: PortalOpsError) -> LedgerPoll:
    """Return the result of a witness that could not do its own work: it shows nothing of the ledger."""
    return LedgerPoll(
        ledger_id,
        WitnessVerdict.REFUSED if error.exit_code is ExitCode.INTEGRITY else WitnessVerdict.FAILED,
        now,
        WitnessState(now),
        problem=error.message,
        hint=error.hint,
        code=error.code,
        is_own_fault=True,
    )


def hand_over_receipt(seen: LedgerPoll, watched: WatchedLedger, key: SigningKey, folder: WitnessFolder) -> LedgerPoll:
    """Sign for the kept head, if that was not done yet, and hand the receipt to the watched side.

    A failure becomes a note: the head is kept anyway, and the next poll tries again.
    """
    state, head = seen.state, seen.head
    is_current = seen.verdict in {WitnessVerdict.CURRENT, WitnessVerdict.UNCLAIMED}
    if not is_current or head is None or state.kept is None or state.receipted == head.size:
        return seen
    taken_at = state.kept_at or seen.at
    receipt = Receipt(head.ledger, head.size, head_digest(state.kept.signed.text), taken_at, seen.id)
    try:
        watched.hand_over(sign_receipt(receipt, key).data)
    except PortalOpsError as error:
        return replace(seen, notes=(*seen.notes, error.message))
    state = replace(state, receipted=head.size)
    folder.save(state)
    return replace(seen, state=state)


def note_lost_receipt(seen: LedgerPoll, folder: WitnessFolder) -> LedgerPoll:
    """Report once that no receipt is sent because there is no key."""
    if seen.state.kept is None or seen.state.receipted:
        return seen
    state = replace(seen.state, receipted=NO_RECEIPT)
    folder.save(state)
    unsigned = msg("no receipts are sent: no signing key is configured on this machine")
    return replace(seen, state=state, notes=(*seen.notes, unsigned))


def _pinned(watched: WatchedLedger, folder: WitnessFolder, state: WitnessState, accept: str) -> Pinned:
    settings, kept = watched.settings, state.kept
    keys = state.keys
    if settings.key is not None and all(each.public_key != settings.key for each in keys):
        keys = (*keys, KnownKey(settings.key, KeyOrigin.CONFIGURED))
    passed = {head.size: head for head in folder.heads_beyond(kept.head.size if kept else 0)}
    return Pinned(settings.ledger or state.ledger, keys, kept, passed, watched.is_live, accept, state.claims)


def _asked(
    watched: WatchedLedger,
    folder: WitnessFolder,
    joining: Joining,
    clock: Clock,
    newest: _Newest,
) -> tuple[Accepted | None, bool]:
    """Ask for one part after the other; return what was accepted, if anything is new, and whether its records came."""
    until = clock.monotonic() + MAX_POLL_SECONDS
    while True:
        part = watched.fetch(after=joining.last_joined)
        newest.take(part)
        if not watched.is_live and _is_just_old(part, joining, folder):
            return None, True
        if joining.is_kept(part.signed):
            return None, True
        size = parse_head(part.signed.text.encode()).size
        if not watched.is_live and not part.lines and not part.more and size > joining.last_joined:
            if folder.holds(part.signed):
                return None, False
            return joining.note(part.signed, now=clock.now()), False
        before = joining.last_joined
        try:
            joining.take(part)
        except NotAnExtension as error:
            raise _unexpected(watched, str(error)) from error
        if not part.more:
            return joining.finish(part.signed, now=clock.now()), True
        if joining.last_joined == before or clock.monotonic() > until:
            raise _unexpected(watched, f"it does not come to an end, after record {joining.last_joined}")


def _is_just_old(part: Extension, joining: Joining, folder: WitnessFolder) -> bool:
    """Say whether a file shows nothing but an older head: one made after the kept head would speak of a cut."""
    head, kept = parse_head(part.signed.text.encode()), joining.kept_head
    if kept is None or head.size >= kept.size:
        return False
    return folder.holds(part.signed) or head.at < kept.at


def _unexpected(watched: WatchedLedger, cause: str) -> AnchorUnavailable:
    return AnchorUnavailable(
        msg("the answer of {ledger} cannot be parsed: {cause}", ledger=watched.id, cause=cause),
        msg(
            "Install the same version of portalops on both hosts, and read what 'portalops ledger extend' prints there."
        ),
    )


class _Found:
    """Makes the outcome of a look: the state before, with what it found."""

    def __init__(self, watched: WatchedLedger, folder: WitnessFolder, state: WitnessState, clock: Clock) -> None:
        self._watched = watched
        self._now = clock.now()
        self._state = replace(state, looked_at=self._now)
        self._folder = folder

    def reached(self, accepted: Accepted | None, *, joined: bool) -> LedgerPoll:
        """Say how the ledger stands after a good answer."""
        state = replace(self._state, reached_at=self._now)
        if joined and (accepted is not None or self._watched.is_live):
            state = replace(state, refused=None)  # old files, and heads without records, prove nothing
        if accepted is None:
            return self._standing(LedgerPoll(self._watched.id, WitnessVerdict.CURRENT, self._now, state, joined=joined))
        state = replace(
            state,
            ledger=accepted.head.ledger,
            keys=accepted.keys,
            accepted_at=self._now if accepted.work or state.accepted_at is None else state.accepted_at,
        )
        if joined:
            state = replace(state, kept=accepted.kept, kept_at=self._now, claims=accepted.claims)
        seen = LedgerPoll(
            self._watched.id,
            WitnessVerdict.CURRENT,
            self._now,
            state,
            accepted=accepted.kept.signed,
            joined=joined,
            records=accepted.records,
            notes=(*_news(self._state, accepted), *self._kept_back(accepted.head), *accepted.void),
        )
        return self._standing(seen)

    def _kept_back(self, head: Head) -> Iterator[Message]:
        """Report that a new head is old: somebody who withheld heads could go on showing them after the work has stopped."""
        age = self._now - head.at
        if age > timedelta(hours=self._watched.settings.max_silence_hours):
            yield msg(
                "the new head was made at {at}, {hours} hours ago: it was withheld, or the clock of that host is wrong",
                at=head.at,
                hours=int(age.total_seconds() // 3600),
            )

    def unreachable(self, error: AnchorUnavailable) -> LedgerPoll:
        """Say how it stands without an answer."""
        seen = LedgerPoll(
            self._watched.id,
            WitnessVerdict.UNREACHABLE,
            self._now,
            self._state,
            problem=error.message,
            hint=error.hint,
            code=error.code,
        )
        return self._standing(seen)

    def _standing(self, seen: LedgerPoll) -> LedgerPoll:
        """Turn a look into a refused or an overdue one where that is how it stands."""
        refused = seen.state.refused
        if refused is None:
            return self._aged(seen)
        return replace(
            seen,
            verdict=WitnessVerdict.REFUSED,
            problem=refused.message,
            hint=refused.hint,
            reason=refused.reason,
            code=HeadRefused.code,
            notes=seen.notes if seen.problem is None else (*seen.notes, seen.problem),
        )

    def refused(self, error: PortalOpsError, reason: HeadRefusal, offered: SignedHead | None) -> LedgerPoll:
        """Say what was refused; the kept head stays."""
        standing = self._state.refused
        same = standing is not None and standing.reason is reason
        refused = StandingRefusal(reason, error.message, error.hint, standing.at if same and standing else self._now)
        return LedgerPoll(
            self._watched.id,
            WitnessVerdict.REFUSED,
            self._now,
            replace(self._state, reached_at=self._now, refused=refused),
            problem=error.message,
            hint=error.hint,
            reason=reason,
            code=error.code,
            offered=offered,
        )

    def failed(self, error: PortalOpsError) -> LedgerPoll:
        """Say that the witness itself could not look."""
        return LedgerPoll(
            self._watched.id,
            WitnessVerdict.FAILED,
            self._now,
            self._state,
            problem=error.message,
            hint=error.hint,
            code=error.code,
        )

    def _aged(self, seen: LedgerPoll) -> LedgerPoll:
        """Turn a look into an overdue one if the silence lasted too long."""
        notes = seen.notes
        if seen.state.alive_at > self._now + timedelta(minutes=5):
            notes += (
                msg("the clock of this machine went back: the newest head arrived at {at}", at=seen.state.alive_at),
            )
        limit = self._watched.settings.max_silence_hours
        if seen.silence <= timedelta(hours=limit):
            return _without_claims(replace(seen, notes=notes))
        silent = msg(
            "no new head since {at}: {hours} hours of silence, {limit} are allowed",
            at=seen.state.alive_at,
            hours=int(seen.silence.total_seconds() // 3600),
            limit=limit,
        )
        if seen.problem is not None:
            notes += (seen.problem,)
        return replace(seen, verdict=WitnessVerdict.OVERDUE, problem=silent, hint=_SILENT, notes=notes, code="")


def _without_claims(seen: LedgerPoll) -> LedgerPoll:
    """Name the records that no writer claims, where the ledger is current otherwise."""
    state = seen.state
    rows = state.claims.late(state.kept.head.at) if state.claims is not None and state.kept is not None else ()
    if not rows or seen.verdict is not WitnessVerdict.CURRENT:
        return seen
    count = sum(last - first + 1 for first, last in rows)
    unclaimed = nmsg(
        "no writer claims {n} record: record {first}",
        "no writer claims {n} records; they are among records {first} to {last}",
        count,
        first=str(rows[0][0]),
        last=str(rows[-1][1]),
    )
    return replace(seen, verdict=WitnessVerdict.UNCLAIMED, problem=unclaimed, hint=_NOT_CLAIMED)


def _news(before: WitnessState, accepted: Accepted) -> list[Message]:
    """Say plainly which keys and which ledger were believed for the first time."""
    notes: list[Message] = []
    if not before.ledger:
        notes.append(msg("the ledger {ledger} was pinned at its first head", ledger=accepted.head.ledger))
    known = {each.public_key for each in before.keys}
    for key in accepted.keys:
        if key.public_key in known:
            continue
        shown = fingerprint(key.public_key)
        match key.how:
            case KeyOrigin.FIRST_USE:
                notes.append(
                    msg("the key {key} was trusted at first use: only the first answer confirms it", key=shown)
                )
            case KeyOrigin.ROTATED:
                notes.append(msg("the key {key} replaces a known key, which signed for it", key=shown))
            case KeyOrigin.ACCEPTED:
                notes.append(msg("the key {key} was accepted by a person", key=shown))
            case KeyOrigin.CONFIGURED:
                pass
    if not accepted.work and before.kept is not None:
        notes.append(msg("the new head adds only heads and receipts, which do not show that jobs run"))
    return notes


_NOT_CLAIMED = msg(
    "Ask the unit who recorded them: 'portalops ledger verify' on its host names them, and the commands that stand for them or set them aside."
)
_SILENT = msg("Check on the portal's host that it is up and its jobs run: 'portalops status' and 'portalops doctor'.")
