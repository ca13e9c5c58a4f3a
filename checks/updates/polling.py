"""Looking at many sources at once. Whatever one of them does, the others are looked at, and the whole ends in time.

Each source is asked and read in a thread of its own, at most 20 at once and 2 of one server; servers take turns, so that one
that hangs holds up its own sources alone. What came is kept, and handed out, by the one thread that asked for the looks. A
source that is still silent when the time is over is left behind in its thread, which no end of the program waits for.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

from portalops.errors import PortalOpsError, UpdateSourceError
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.updates import Listing, SourceAsked, UpdateAnswer
from portalops.ports import Clock, EvidenceStore, UpdateSource

logger = logging.getLogger(__name__)

AT_ONCE = 20
AT_ONE_HOST = 2
WITHIN = timedelta(minutes=15)
"""For all sources together. One that answers at all takes a second."""
EACH_WITHIN = timedelta(minutes=4)
"""For one source: an index of a site's map with all of its files may take half of that."""


@dataclass(frozen=True, slots=True)
class SourcePoll:
    """What came of asking one source once."""

    source: UpdateSource
    at: datetime
    """When it was asked: what is published while it answers may not be in the answer."""
    answer: UpdateAnswer | None = None
    """None if it gave none."""
    evidence: Digest | None = None
    """The answer as it was kept; None if there was none, or nothing has changed."""
    listing: Listing | None = None
    """The answer, read; None if it could not be, or nothing has changed."""
    problem: Message | None = None
    """Why it failed; None if it did not."""
    hint: Message | None = None
    """What a person may do about that; None where nothing is to be told."""


Lookers: TypeAlias = Callable[[Sequence[tuple[UpdateSource, str]]], Iterator[SourcePoll]]
"""Looks at sources, each with what its server wants to be shown, and yields each look that is new, as it comes."""


@dataclass(frozen=True, slots=True)
class _Report:
    """A thread tells what its source answered, and then how it reads."""

    source_id: str
    answer: UpdateAnswer | None = None
    listing: Listing | None = None
    problem: Message | None = None
    hint: Message | None = None
    is_last: bool = True


def poll_sources(
    sources: Sequence[UpdateSource],
    *,
    etag: Callable[[UpdateSource], str],
    keeper: EvidenceStore,
    clock: Clock,
    within: timedelta = WITHIN,
    each_within: timedelta = EACH_WITHIN,
) -> Iterator[SourcePoll]:
    """Look at each source once, and yield what came as it comes.

    Args:
        sources: with ids of their own.
        etag: what a source's server wants to be shown; asked in the calling thread.
        keeper: where answers are kept, before they are read: one that cannot be read is evidence too, of an outage for
            one. Used in the calling thread alone.
        clock: the time of each look.
        within: for all of them; a source that has not answered by then has failed.
        each_within: for each of them.

    Raises:
        LedgerError: an answer cannot be kept.
    """
    waiting = _Waiting(sources)
    running: dict[str, SourcePoll] = {}
    late: dict[str, float] = {}
    reports: SimpleQueue[_Report] = SimpleQueue()
    until = clock.monotonic() + within.total_seconds()
    while waiting or running:
        while len(running) < AT_ONCE and (source := waiting.next_source(running.values())):
            look = running[source.traits.id] = SourcePoll(source, clock.now())
            late[source.traits.id] = min(until, clock.monotonic() + each_within.total_seconds())
            arguments = (source, etag(source), look.at, reports)
            Thread(target=_ask, args=arguments, name=f"look-{source.traits.id}", daemon=True).start()
        first = min(running, key=late.__getitem__)  # the one that is late first
        try:
            report = reports.get(timeout=max(0.0, late[first] - clock.monotonic()))
        except Empty:
            yield replace(running.pop(first), problem=_silent(first, min(within, each_within)))
            if clock.monotonic() >= until:
                break
            continue
        if report.source_id not in running:
            continue  # it was given up
        look = running[report.source_id]
        if not report.is_last:
            running[report.source_id] = _with_answer(look, report.answer, keeper)
            continue
        look = _with_answer(running.pop(report.source_id), report.answer, keeper)
        yield replace(look, listing=report.listing, problem=report.problem, hint=report.hint)
    for source_id, look in running.items():
        yield replace(look, problem=_silent(source_id, within))
    for source in waiting.rest():
        cause = msg(
            "update source {source}: not polled, because the other sources took all the time", source=source.traits.id
        )
        yield SourcePoll(source, clock.now(), problem=cause)


def _with_answer(look: SourcePoll, answer: UpdateAnswer | None, keeper: EvidenceStore) -> SourcePoll:
    if answer is None:
        return look
    return replace(look, answer=answer, evidence=None if answer.data is None else keeper.keep(answer.data))


def _silent(source_id: str, within: timedelta) -> Message:
    seconds = round(within.total_seconds())
    return msg("update source {source}: no complete answer within {seconds} seconds", source=source_id, seconds=seconds)


class _Waiting:
    """The sources that are still to be asked, by server; those that ask none are each their own."""

    def __init__(self, sources: Sequence[UpdateSource]) -> None:
        self._hosts: dict[str, deque[UpdateSource]] = {}
        for source in sources:
            self._hosts.setdefault(_host(source), deque()).append(source)

    def __bool__(self) -> bool:
        return bool(self._hosts)

    def next_source(self, running: Iterable[SourcePoll]) -> UpdateSource | None:
        """Return a source of the server that has waited longest and is not asked enough already; None if all are."""
        busy = Counter(_host(look.source) for look in running)
        host = next((host for host in self._hosts if busy[host] < AT_ONE_HOST), None)
        if host is None:
            return None
        own = self._hosts.pop(host)
        source = own.popleft()
        if own:
            self._hosts[host] = own  # behind the others
        return source

    def rest(self) -> Iterator[UpdateSource]:
        """Yield what was not asked."""
        for own in self._hosts.values():
            yield from own


def _host(source: UpdateSource) -> str:
    return source.traits.host or f"\0{source.traits.id}"


def _ask(source: UpdateSource, etag: str, at: datetime, reports: SimpleQueue[_Report]) -> None:
    source_id = source.traits.id
    try:
        answer = source.fetch(etag=etag)
        reports.put(_Report(source_id, answer, is_last=False))
        listing = None if answer.data is None else source.parse(answer.data, polled_at=at)
        reports.put(_Report(source_id, listing=listing))
    except PortalOpsError as error:
        got = error.answer if isinstance(error, UpdateSourceError) else None
        reports.put(_Report(source_id, got, problem=explain_failure(error), hint=error.hint))
    except Exception as error:
        logger.exception("looking at source %s failed", source_id)
        reports.put(_Report(source_id, problem=explain_failure(error)))


def read_poll(source: UpdateSource, asked: SourceAsked, answer: bytes | None) -> SourcePoll:
    """Return a look that another process took, its kept answer read here.

    Args:
        source: which was asked.
        asked: what came of it.
        answer: what was kept; None if there was nothing to keep.
    """
    look = SourcePoll(
        source,
        asked.at,
        UpdateAnswer(answer, asked.etag, asked.via) if asked.answered else None,
        asked.evidence,
        problem=asked.problem,
        hint=asked.hint,
    )
    if answer is None or asked.problem is not None:
        return look
    try:
        return replace(look, listing=source.parse(answer, polled_at=asked.at))
    except PortalOpsError as error:
        return replace(look, problem=explain_failure(error), hint=error.hint)
    except Exception as error:
        logger.exception("reading the answer of source %s failed", source.traits.id)
        return replace(look, problem=explain_failure(error))


def explain_failure(error: Exception) -> Message:
    """Return why a look failed; what is no error of ours is a fault in portalops."""
    if isinstance(error, PortalOpsError):
        return error.message
    return msg("a fault in portalops: {error}", error=show_text(repr(error), 300))
