"""Collecting updates: a part asks one source, and the job reads, recognises and judges all answers in one place."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from checks.updates.polling import AT_ONE_HOST, EACH_WITHIN, SourcePoll, poll_sources, read_poll
from commands.cli.session import Session
from commands.jobs.fan import Fan
from commands.jobs.kinds.updates import TICK, collect_updates, parts_of, update_sources, work_of_updates
from commands.jobs.parts import Crowd, Parts
from portalops.cluster.parts import PartRequest
from portalops.config import Settings
from portalops.errors import ConfigurationError, ExitCode
from portalops.ledger.postgresql_rules import SKEW
from portalops.ledger.runs import Work
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.updates import SourceAsked
from portalops.model.verdicts import RunOutcome

if TYPE_CHECKING:
    from checks.updates.observations import ObservationStore
    from checks.updates.polling import Lookers
    from portalops.ports import UpdateSource

Part = SourceAsked
PREFIX = "source-"


def work(session: Session, fan: Fan) -> Work[object]:
    """Ask the sources that have a server by the workers, the others here, and judge."""

    def lookers_for(store: ObservationStore) -> Lookers:
        def lookers(asked: Sequence[tuple[UpdateSource, str]]) -> Iterator[SourcePoll]:
            yield from _come_back(
                fan,
                store,
                {f"{PREFIX}{source.traits.id}": (source, etag) for source, etag in asked if source.traits.host},
            )
            etags = {source.traits.id: etag for source, etag in asked}
            here = [source for source, _etag in asked if not source.traits.host]
            yield from poll_sources(here, etag=lambda one: etags[one.traits.id], keeper=fan.ledger, clock=fan.clock)

        return lookers

    return work_of_updates(*collect_updates(parts_of(session), lookers_for))


def _come_back(fan: Fan, store: ObservationStore, asked: dict[str, tuple[UpdateSource, str]]) -> Iterator[SourcePoll]:
    newest = {poll.source: poll.polled_at for poll in store.newest_polls()}

    def is_of(name: str, found: SourceAsked) -> bool:
        return found.source == asked[name][0].traits.id

    def is_news(_name: str, found: SourceAsked) -> bool:
        """Say whether the store has it not: a job that was killed, or one before it in the same slot, may have put it there."""
        return found.source not in newest or found.at >= newest[found.source] + TICK

    parts = {name: {"etag": etag} for name, (_source, etag) in asked.items()}
    for name, came in fan.run_parts(parts, Part, is_of=is_of, is_news=is_news):
        source, _etag = asked[name]
        if isinstance(came, SourceAsked):
            # A worker's clock may be ahead by what the ledger allows, and what is judged now must not lie in the future.
            time.sleep(max(0.0, min(came.at - fan.clock.now(), SKEW).total_seconds()))
            yield read_poll(source, came, None if came.evidence is None else fan.blob(came.evidence))
        else:
            cause = msg("update source {source}: {cause}", source=source.traits.id, cause=came)
            yield SourcePoll(source, fan.clock.now(), problem=cause)


def crowd(settings: Settings, request: PartRequest) -> Crowd | None:
    """Return the source's server; None for a source that is not configured, which `do` says, and it is recorded."""
    source = _source(settings, request)
    return None if source is None else Crowd(f"server-{source.traits.host}", AT_ONE_HOST)


def do(session: Session, request: PartRequest) -> Work[SourceAsked]:
    """Ask one source, and keep its answer.

    Raises:
        ConfigurationError: this machine's configuration has none of that name.
    """
    source, etag = _source(session.settings, request), request.details.get("etag")
    if source is None:
        raise ConfigurationError(
            msg(
                "this machine's configuration has no update source {source}",
                source=show_text(_name(request), 80),
            ),
            msg("Give all workers the same configuration."),
        )
    shown = etag if isinstance(etag, str) else ""
    (look,) = poll_sources(
        [source], etag=lambda _one: shown, keeper=session.writable_ledger, clock=session.clock, within=EACH_WITHIN
    )
    answer = look.answer
    asked = SourceAsked(
        source=source.traits.id,
        at=look.at,
        answered=answer is not None,
        evidence=look.evidence,
        etag=answer.etag if answer else "",
        via=answer.via if answer else (),
        problem=look.problem,
        hint=look.hint,
    )
    if look.problem is not None:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, asked, (look.problem,))
    return Work(RunOutcome.COMPLETE, ExitCode.OK, asked)


def _source(settings: Settings, request: PartRequest) -> UpdateSource | None:
    """Return the source that a part is about; None if this machine's configuration has it not."""
    return next((each for each in update_sources(settings) if each.traits.id == _name(request)), None)


def _name(request: PartRequest) -> str:
    return request.part.removeprefix(PREFIX)


PARTS = Parts(part=Part, work=work, do=do, crowd=crowd)
