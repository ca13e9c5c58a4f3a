"""What `portalops doctor` looks at, one file a subject: `state_folder.py` is the subject `state-folder`.

A module registers as `DIAGNOSTIC`, an `Diagnostic`: `diagnose(look)` yields what it saw, each line with its cure. It changes nothing; only with `look.deep` it may
connect to something else, or write something small that it removes again. What it did not look at it does not call good, and
what it could not find out it says as unknown. Files that begin with `_` are parts that several share.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Final

from portalops.errors import ConfigurationError, PortalOpsError, UsageError
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.plugins import Door
from portalops.reports.document import Status, Tone

if TYPE_CHECKING:
    from commands.cli.session import Session

logger = logging.getLogger(__name__)
QUICK_SECONDS: Final = 10.0
"""How long one thing may take to answer, such as a folder of a file server that is away."""

DEEP_SECONDS: Final = 120.0
"""The same where it is connected to, and written to."""

SUBJECT_SECONDS: Final = 2 * QUICK_SECONDS
"""How long one subject may take in all."""

AFTERWARDS_SECONDS: Final = 5.0
"""The same, once a subject has not come to its end: most of the others wait for the same, and a person waits for all of them."""

DEEP_SUBJECT_SECONDS: Final = 1800.0
"""The same with `--deep`, where an examination does not say otherwise."""


class DiagnosticState(Enum):
    """How a look came out."""

    GOOD = Status(msg("good"), Tone.GOOD)
    NOTE = Status(msg("note"), Tone.NEUTRAL)
    WARNING = Status(msg("warning"), Tone.UNSURE)
    UNKNOWN = Status(msg("unknown"), Tone.UNSURE)
    BAD = Status(msg("bad"), Tone.BAD)


@dataclass(frozen=True, slots=True)
class DiagnosticLine:
    """One thing that an examination saw."""

    about: str
    """The object within the subject, such as a medium's id or a path; empty for the subject as a whole."""
    state: DiagnosticState
    seen: Message
    cure: Message | None = None
    """What to do; only what is good, or merely told, has none."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's answer."""

    subject: str
    state: DiagnosticState
    seen: Message
    cure: Message | None = None
    about: str = ""

    @property
    def id(self) -> str:
        """Return `SUBJECT`, or `SUBJECT/OBJECT`: the same for the same thing, however it is."""
        return f"{self.subject}/{self.about}" if self.about else self.subject


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """How to look."""

    session: Session
    deep: bool = False
    """Connect, write something small and remove it, read everything."""
    seconds: float = QUICK_SECONDS
    """How long one thing may take to answer."""


def good(about: str, seen: Message) -> DiagnosticLine:
    """Return what was looked at and is as it should be."""
    return DiagnosticLine(about, DiagnosticState.GOOD, seen)


def note(about: str, seen: Message, cure: Message | None = None) -> DiagnosticLine:
    """Return what is worth knowing, and no fault."""
    return DiagnosticLine(about, DiagnosticState.NOTE, seen, cure)


def warning(about: str, seen: Message, cure: Message) -> DiagnosticLine:
    """Return what will be a fault one day, or weakens what is recorded."""
    return DiagnosticLine(about, DiagnosticState.WARNING, seen, cure)


def unknown(about: str, seen: Message, cure: Message) -> DiagnosticLine:
    """Return what could not be found out."""
    return DiagnosticLine(about, DiagnosticState.UNKNOWN, seen, cure)


def bad(about: str, seen: Message, cure: Message) -> DiagnosticLine:
    """Return what stops portalops, or makes what it says untrue."""
    return DiagnosticLine(about, DiagnosticState.BAD, seen, cure)


def refused(about: str, error: PortalOpsError) -> DiagnosticLine:
    """Return an error as something bad, with its own hint."""
    return DiagnosticLine(about, DiagnosticState.BAD, error.message, error.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """What the doctor does about one subject."""

    diagnose: Callable[[DoctorContext], Iterator[DiagnosticLine]]
    """Yields what it saw, each line with its cure."""
    deep_seconds: float = DEEP_SUBJECT_SECONDS
    """How long it may take with `--deep`."""


DIAGNOSTICS: Final = Door("commands.doctor.diagnostics", "DIAGNOSTIC", Diagnostic)


def subjects() -> tuple[str, ...]:
    """Return every subject, sorted."""
    return DIAGNOSTICS.names()


def bounded(
    call: Callable[[], Iterable[DiagnosticLine]], *, seconds: float, about: str = ""
) -> Iterator[DiagnosticLine]:
    """Yield what a look sees, and unknown if it is not done in time; an error of one thing stops no other.

    The look goes on in a thread of its own, which ends with the process: nothing else gets away from a file server that is
    gone, since the kernel lets whoever asks it wait for as long as it likes.

    Args:
        call: looks.
        seconds: how long it may take.
        about: what it looks at.
    """
    found: list[DiagnosticLine] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for each in call():
                found.append(each)  # noqa: PERF402  # each as soon as it is seen
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread that asked
            faults.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="examination")
    thread.start()
    thread.join(seconds)
    is_late = thread.is_alive()
    yield from tuple(found)
    if is_late:
        yield unknown(
            about,
            msg("not found out: there was no answer within {seconds} s", seconds=f"{seconds:g}"),
            msg("See what it waits for: a file server that is away, a disk that fails, a network without a way."),
        )
    for fault in faults:
        match fault:
            case ConfigurationError():
                raise fault
            case PortalOpsError():
                yield refused(about, fault)
            case OSError():
                yield unknown(
                    about,
                    msg("cannot be examined: {cause}", cause=cause_of(fault)),
                    msg("Run 'portalops doctor' as root, or as the user that portalops runs as."),
                )
            case Exception():
                logger.debug("the examination of %s failed", about or "a subject", exc_info=fault)
                yield unknown(
                    about,
                    msg("a fault in portalops itself: {kind}", kind=type(fault).__name__),
                    msg("Run the command again with --debug and report what it prints."),
                )
            case _:
                raise fault


def diagnose(
    session: Session, *, deep: bool = False, only: Collection[str] = (), seconds: float | None = None
) -> tuple[Diagnosis, ...]:
    """Look at everything; an examination that fails is unknown and stops no other.

    Args:
        session: whose configuration, ledger and programs are looked at.
        deep: also connect, and write something small and remove it.
        only: subjects; all of them if none is named.
        seconds: how long one thing may take to answer.

    Raises:
        UsageError: there is no such subject.
    """
    known = subjects()
    for name in only:
        if name not in known:
            close = get_close_matches(name, known, 1)
            raise UsageError(
                msg("the doctor knows no subject {name}", name=show_text(name, 40)),
                msg("Did you mean {close}? The subjects are: {known}.", close=close[0], known=", ".join(known))
                if close
                else msg("The subjects are: {known}.", known=", ".join(known)),
            )
    look = DoctorContext(session, deep, seconds or (DEEP_SECONDS if deep else QUICK_SECONDS))
    found: list[Diagnosis] = []
    is_stuck = not _answers(session, look.seconds)
    for subject in (name for name in known if not only or name in only):
        limit = AFTERWARDS_SECONDS if is_stuck else _limit(subject, look)
        begun = monotonic()
        lines = _examined(subject, look, min(limit, 2 * look.seconds) if not deep else limit)
        found += (Diagnosis(subject, each.state, each.seen, each.cure, each.about) for each in lines)
        is_stuck = is_stuck or monotonic() - begun >= limit
    return tuple(found)


def _answers(session: Session, seconds: float) -> bool:
    """Say whether the configuration can be read, or be refused, within a time: nearly every examination begins with it."""

    def read() -> None:
        with suppress(PortalOpsError, OSError):
            session.settings  # noqa: B018  # kept by the session

    thread = threading.Thread(target=copy_context().run, args=(read,), daemon=True, name="configuration")
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _limit(subject: str, look: DoctorContext) -> float:
    """Return how long a subject may take, in seconds."""
    if not look.deep:
        return SUBJECT_SECONDS
    return DIAGNOSTICS.load(subject).deep_seconds


def _examined(subject: str, look: DoctorContext, seconds: float) -> Iterator[DiagnosticLine]:
    try:
        yield from bounded(lambda: DIAGNOSTICS.load(subject).diagnose(look), seconds=seconds)
    except ConfigurationError as error:
        if subject == "configuration":
            yield refused("", error)
        else:
            yield unknown("", msg("not examined: {cause}", cause=error.message), error.hint)
