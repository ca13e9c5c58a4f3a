"""What portalops says while it works: where it goes, in which form, and what each line is about.

    text      warnings on standard error, one line each; results and errors stay as they are
    json      one JSON object a line on standard error, errors and warnings of results too
    journal   entries with fields, straight to journald: chosen by itself where standard error is the journal

One process does one job at a time, so what a line is about holds for the process and its threads. Lines of other libraries are let
through from warnings up, but for paramiko's, whose errors come as exceptions. A trace is shown with --debug, and in the
journal always. Hostile text is escaped and cut: no line and no field can be made by it.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.system.journal import SOCKET, Journal, is_journal

logger = logging.getLogger(__name__)

OWN = ("portalops", "commands", "checks", "backups")
"""The packages whose lines are portalops' own."""
FORMATS = ("text", "json", "journal")
MAX_LINE = 4000
"""Longest message, in characters."""
MAX_TRACE = 64_000
MAX_KEPT_LINE = 500
"""Longest message of a log that is kept with a run."""
MAX_KEPT_LINES = 1000

IDENTIFIER = "portalops"


class Event(StrEnum):
    """The event of a line, for programs: the values are the journal's MESSAGE_ID, and never change (docs/logs.md)."""

    RUN_STARTED = "2723dbef2d294324b1772fd22f45faea"
    RUN_FINISHED = "b5d27dcae0ef456fba4b7fb8f847ec51"
    RUN_FAILED = "cfb90a03c72c4742a86e7eaa9644160a"
    NOTIFICATION_FAILED = "816c237d70094dc7bf9f252a447277f4"
    MONITOR_FAILED = "867991b4aa7948d7bae619b586c499cd"

    @property
    def words(self) -> str:
        """Return its name as JSON lines have it."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Subject:
    """What lines are about; each may be empty."""

    run: str = ""
    job: str = ""
    duty: str = ""


class _Present:
    """What the process works on, and how it speaks."""

    subject = Subject()
    form = "text"
    told: frozenset[str] = frozenset()
    """Warnings of results that were logged as events: they need not be said again."""


@contextmanager
def log_subject(subject: Subject) -> Iterator[None]:
    """Let all lines of a block be about a run."""
    before = _Present.subject
    _Present.subject = subject
    try:
        yield
    finally:
        _Present.subject = before


def form() -> str:
    """Return the form in which lines go out now: one of `FORMATS`."""
    return _Present.form


def log_event(logger: logging.Logger, level: int, event: Event, message: str, subject: Subject | None = None) -> None:
    """Log a line that programs look for. As text it is left out: results tell the same to people.

    Args:
        logger: of the module.
        level: of logging.
        event: its meaning for programs.
        message: in English, without secrets.
        subject: what it is about, if not what is worked on now.
    """
    _Present.told |= {message}
    logger.log(level, "%s", message, extra={"event": event, "subject": subject or _Present.subject})


def was_logged(message: str) -> bool:
    """Say whether a result's warning was logged as an event already."""
    return message in _Present.told


def say(level: int, message: str, *, code: str = "", hint: str = "", trace: BaseException | None = None) -> None:
    """Log what a command ends with, where lines have a form that programs read.

    Args:
        level: of logging.
        message: in the reader's language.
        code: of an error.
        hint: of an error.
        trace: the exception, for its trace.
    """
    extra = {"error_code": code, "hint": hint}
    info = (type(trace), trace, trace.__traceback__) if trace is not None else None
    logging.getLogger("portalops.said").log(level, "%s", message, extra=extra, exc_info=info)


@contextmanager
def configured(
    environment: Mapping[str, str],
    wanted: str | None,
    *,
    verbose: bool,
    debug: bool,
    now: Callable[[], datetime],
    socket: Path = SOCKET,
) -> Iterator[None]:
    """Let lines go out while a command runs.

    Args:
        environment: PORTALOPS_LOG_FORMAT and JOURNAL_STREAM are read from it.
        wanted: the form that was asked for; None for the environment's, or the journal's if standard error is that.
        verbose: include information lines in text too.
        debug: let out everything, with traces.
        now: the clock.
        socket: of the journal.
    """
    named = wanted or environment.get("PORTALOPS_LOG_FORMAT")
    chosen = named if named in FORMATS else ("journal" if is_journal(environment) else "text")
    handler: logging.Handler = _TextHandler(debug=debug)
    if chosen == "journal":
        try:
            handler = JournalHandler(Journal(socket))
        except OSError:
            chosen = "text"  # nobody listens: then as before
    elif chosen == "json":
        handler = _JsonHandler(now, debug=debug)
    quiet = logging.INFO if verbose or chosen != "text" else logging.WARNING
    handler.setLevel(logging.DEBUG if debug else quiet)
    handler.addFilter(_others_from_warnings_up)
    before = (_Present.form, _Present.told)
    _Present.form, _Present.told = chosen, frozenset()
    levels = {name: logging.getLogger(name).level for name in OWN}
    for name in OWN:
        logging.getLogger(name).setLevel(logging.DEBUG if debug else logging.INFO)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        if named and named not in FORMATS:
            logger.warning("PORTALOPS_LOG_FORMAT does not take %s; it takes one of: %s", named, ", ".join(FORMATS))
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        _Present.form, _Present.told = before


def _others_from_warnings_up(record: logging.LogRecord) -> bool:
    package = record.name.partition(".")[0]
    return package in OWN or (record.levelno >= logging.WARNING and package != "paramiko")


@dataclass(slots=True)
class RunLines:
    """The lines of one run, as its finished record refers to them."""

    lines: list[str]
    more: int = 0
    """How many were left out behind them."""

    def data(self) -> bytes:
        """Return them as they are kept: JSON, one object a line."""
        return "".join(f"{line}\n" for line in self.lines).encode()


@contextmanager
def kept(now: Callable[[], datetime]) -> Iterator[RunLines]:
    """Keep what portalops itself says while a block runs, from information up; events are in the ledger already."""
    found = RunLines([])

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "event", None) is not None or record.name == "portalops.said":
                return
            if len(found.lines) >= MAX_KEPT_LINES:
                found.more += 1
                return
            line = _line(record, now(), MAX_KEPT_LINE)
            found.lines.append(_json({name: line[name] for name in ("time", "level", "logger", "message")}))

    handler = Keeper(logging.INFO)
    loggers = [logging.getLogger(name) for name in OWN]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        if not logger.isEnabledFor(logging.INFO):
            logger.setLevel(logging.INFO)
        logger.addHandler(handler)
    try:
        yield found
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


class _TextHandler(logging.Handler):
    """One line each on standard error; a trace only with --debug."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__()
        self._debug = debug

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) is not None:
            return
        text = f"{_message(record, MAX_LINE)}\n"
        _write(text + (_trace(record) if self._debug else ""))


class _JsonHandler(logging.Handler):
    """One JSON object a line on standard error."""

    def __init__(self, now: Callable[[], datetime], *, debug: bool) -> None:
        super().__init__()
        self._now = now
        self._debug = debug

    def emit(self, record: logging.LogRecord) -> None:
        line = _line(record, self._now(), MAX_LINE)
        if self._debug and (trace := _trace(record)):
            line["trace"] = trace
        _write(f"{_json(line)}\n")


class JournalHandler(logging.Handler):
    """Entries with fields; if the journal takes none, a line on standard error."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._journal.send(fields_of(record))
        except (OSError, ValueError):
            _write(f"{_message(record, MAX_LINE)}\n")

    def close(self) -> None:
        self._journal.close()
        super().close()


_PRIORITIES = ((logging.CRITICAL, "2"), (logging.ERROR, "3"), (logging.WARNING, "4"), (logging.INFO, "6"))


def fields_of(record: logging.LogRecord) -> dict[str, str]:
    """Return a line as fields of the journal (systemd.journal-fields(7), and PORTALOPS_ ones)."""
    subject = _subject(record)
    event = getattr(record, "event", None)
    return {
        "MESSAGE": _message(record, MAX_LINE),
        "PRIORITY": next((said for level, said in _PRIORITIES if record.levelno >= level), "7"),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "MESSAGE_ID": event.value if isinstance(event, Event) else "",
        "PORTALOPS_RUN": show_text(subject.run, 500),
        "PORTALOPS_JOB": show_text(subject.job, 200),
        "PORTALOPS_DUTY": show_text(subject.duty, 200),
        "PORTALOPS_ERROR": str(getattr(record, "error_code", "")),
        "PORTALOPS_HINT": show_text(str(getattr(record, "hint", "")), MAX_LINE),
        "PORTALOPS_TRACE": _trace(record),
        "CODE_MODULE": record.name,
    }


def _line(record: logging.LogRecord, at: datetime, limit: int) -> dict[str, str]:
    subject = _subject(record)
    event = getattr(record, "event", None)
    line = {
        "time": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record, limit),
        "run": subject.run,
        "job": subject.job,
        "duty": subject.duty,
    }
    more = {
        "event": event.words if isinstance(event, Event) else "",
        "error": str(getattr(record, "error_code", "")),
        "hint": show_text(str(getattr(record, "hint", "")), limit) if getattr(record, "hint", "") else "",
    }
    return {**line, **{name: value for name, value in more.items() if value}}


def _subject(record: logging.LogRecord) -> Subject:
    found = getattr(record, "subject", None)
    return found if isinstance(found, Subject) else replace(_Present.subject)


def _message(record: logging.LogRecord, limit: int) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit: a fault of whoever logs, and no reason to fall
        text = str(record.msg)
    return show_text(text, limit)


def _trace(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    lines = "".join(traceback.format_exception(*record.exc_info)).splitlines()
    return "".join(f"{show_text(line, 1000)}\n" for line in lines)[-MAX_TRACE:]


def _json(line: Mapping[str, str]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _write(text: str) -> None:
    if sys.stderr is not None:  # closed by the caller
        with suppress(OSError, ValueError):  # a job does not fail because nobody hears it
            sys.stderr.write(text)
            sys.stderr.flush()
