"""Checks many hosts at once, with a bound on how many, and keeps what each of them said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from checks.servers.catalogue import checks, probes_of
from checks.servers.check import Check
from checks.servers.declared import Declared
from checks.servers.gather import appended, gather
from checks.servers.judging import judge_again, unreached
from checks.servers.machine import PROBE_ID, Machine, PsutilMachine
from checks.servers.probe import Missing, ProbeResult, shown
from checks.servers.shells import LOCAL
from portalops.errors import HostUnreachable, PortalOpsError
from portalops.model.checks import CheckRound, HostRound
from portalops.model.message import msg
from portalops.model.organisation import Host
from portalops.ports import Clock, Keeper, Progress, Shell

_log = logging.getLogger(__name__)

AT_ONCE = 16
"""Hosts that are looked at at the same time: they mostly wait."""


def run_checks(
    hosts: Sequence[Host],
    declared: Declared,
    *,
    shell_for: Callable[[Host], Shell],
    keeper: Keeper,
    clock: Clock,
    progress: Progress,
    some: Sequence[Check] | None = None,
    machine: Machine | None = None,
) -> CheckRound:
    """Look at every host in one trip each, keep the answers, and judge them.

    A host that can't be reached has all its checks unknown; it takes nothing from the others.

    Args:
        hosts: at least one; the round has them by id.
        declared: what checks compare with.
        shell_for: opens the way to a host; it may raise HostUnreachable.
        keeper: where the answers are kept.
        clock: says when an answer was received.
        progress: gets a step for each host.
        some: the checks to run; all by default.
        machine: the second view of the local host; psutil's by default.
    """
    wanted = checks() if some is None else tuple(some)
    second = machine or PsutilMachine()
    with (
        progress.task(msg("Checking the servers"), total=len(hosts), unit="items") as task,
        ThreadPoolExecutor(max_workers=max(1, min(AT_ONCE, len(hosts))), thread_name_prefix="check") as pool,
    ):
        # NOTE: progress and the keeper are called from this thread only; neither promises to be safe in several.
        rounds = []
        for trip in pool.map(lambda host: _travel(host, wanted, shell_for, clock, second), hosts):
            rounds.append(_judged(trip, declared, wanted, keeper))
            task.note(msg("{host} is checked", host=trip.host.id))
            task.advance(1)
    return CheckRound(tuple(sorted(rounds, key=lambda one: one.host)))


@dataclass(frozen=True, slots=True)
class _Trip:
    """What came back from one host."""

    host: Host
    at: datetime
    answer: bytes | Missing


def _travel(
    host: Host, some: Sequence[Check], shell_for: Callable[[Host], Shell], clock: Clock, machine: Machine
) -> _Trip:
    probes = tuple(probes_of(some).values())
    try:
        raw = gather(shell_for(host), probes)
    except HostUnreachable as error:
        return _Trip(host, clock.now(), Missing("host-unreachable", error.message))
    except PortalOpsError as error:
        return _Trip(host, clock.now(), Missing("gather-failed", error.message))
    except Exception as error:  # noqa: BLE001  # one host's fault must not take the others with it, nor vanish
        _log.exception("gathering from %s failed", host.id)
        seen = msg("looking at the host failed with {error}: a fault in portalops", error=type(error).__name__)
        return _Trip(host, clock.now(), Missing("gather-crashed", seen))
    at = clock.now()
    if host.address == LOCAL and any(probe.id == PROBE_ID for probe in probes):
        raw = appended(raw, _second_view(machine))
    return _Trip(host, at, raw)


def _second_view(machine: Machine) -> ProbeResult:
    try:
        return machine.snapshot()
    except Exception as error:  # noqa: BLE001  # the answer that is there must not be lost with it
        _log.exception("the second view of this machine failed")
        return ProbeResult(PROBE_ID, 1, b"", repr(error).encode("utf-8", "surrogateescape"), 0)


def _judged(trip: _Trip, declared: Declared, some: Sequence[Check], keeper: Keeper) -> HostRound:
    if isinstance(trip.answer, Missing):
        results = unreached(trip.host, trip.answer, trip.at, some)
        return HostRound(trip.host.id, trip.at, False, shown(str(trip.answer.seen), 200), results)
    keeper.keep(trip.answer)
    return HostRound(trip.host.id, trip.at, True, "", judge_again(trip.answer, trip.host, declared, trip.at, some=some))
