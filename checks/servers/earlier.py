"""What hosts answered in earlier rounds, read out of the ledger: for what is not looked at in every round.

Some probes cost a host minutes, such as the verification of all its packages. They say by `repeated_for` how long a look of
theirs counts; while the newest answer of a host holds one that counts for some time yet, the host is not asked for it, and its
answer repeats that section (`carried`). Only a look that gave a fact is repeated, or found that the host lacks the program:
what could not be found out otherwise is tried anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from checks.servers.by_hand import SECTION as BY_HAND
from checks.servers.carried import Original, repeated
from checks.servers.gather import AnswerRejected, HostAnswer, parse_answer
from checks.servers.probe import COMMAND_MISSING, MissingFact, Probe, ProbeResult, fact_of
from portalops.bodies import decode_part
from portalops.errors import PortalOpsError
from portalops.model.checks import CheckScan
from portalops.model.organisation import HostId
from portalops.ports import LedgerReader

_log = logging.getLogger(__name__)

SPARE = timedelta(hours=12)
"""A look is made anew so long before it counts no more: the answer that repeats it is judged later than it is asked for."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """What an answer is to repeat."""

    sections: tuple[ProbeResult, ...] = ()
    originals: Mapping[str, Original] = field(default_factory=dict)
    """Where each stood first."""


def to_repeat(answer: HostAnswer, stood_in: Original, probes: Iterable[Probe[Any]], now: datetime) -> Repeated:
    """Choose what of a host's newest answer counts for some time yet, so that the host need not be asked for it.

    Args:
        answer: the newest one, taken apart.
        stood_in: that answer.
        probes: those that are wanted now.
        now: when the round began, UTC.

    Raises:
        AnswerRejected: what the answer repeats itself is out of form.
    """
    if BY_HAND in answer.sections:
        return Repeated()  # what a person brought speaks for its own round alone
    limits = {one.id: (one, one.repeated_for - SPARE) for one in probes if one.command and one.repeated_for}
    found, originals = repeated(answer, limits, stood_in)
    counting = [
        one
        for one in found
        if timedelta(0) <= now - originals[one.probe].at <= limits[one.probe][1]
        and _is_answered(limits[one.probe][0], one)
    ]
    return Repeated(tuple(counting), {one.probe: originals[one.probe] for one in counting})


def _is_answered(probe: Probe[Any], section: ProbeResult) -> bool:
    fact = fact_of(probe, section)
    return not isinstance(fact, MissingFact) or fact.reason == COMMAND_MISSING


class EarlierAnswers:
    """The answers of each host, read out of the ledger when they are asked for; not safe in several threads."""

    def __init__(self, ledger: LedgerReader | None, since: datetime, until: datetime | None = None) -> None:
        """Take where to read from: no ledger before there is one; no round of before a moment, UTC, or recorded from another one on."""
        self._ledger = ledger
        self._rest = self._scans(since, until)
        self._read: list[Mapping[HostId, Original]] = []

    def read_host(self, host: HostId) -> Iterator[tuple[Original, HostAnswer]]:
        """Yield the answers of a host, newest first; one that cannot be read is left out."""
        for stood_in in self._kept(host):
            try:
                if self._ledger is not None:
                    yield stood_in, parse_answer(self._ledger.blob(stood_in.answer))
            except (AnswerRejected, PortalOpsError) as error:
                _log.info("the answer %s of %s cannot be read: %s", stood_in.answer, host, error)

    def to_repeat(self, host: HostId, probes: Iterable[Probe[Any]], now: datetime) -> Repeated:
        """Return what the next answer of a host is to repeat of its newest one, as `to_repeat` chooses it."""
        slow = [one for one in probes if one.command and one.repeated_for]
        newest = next(self.read_host(host), None) if slow else None
        if newest is None:
            return Repeated()
        try:
            return to_repeat(newest[1], newest[0], slow, now)
        except AnswerRejected as error:
            _log.info("the answer %s of %s cannot be read: %s", newest[0].answer, host, error)
            return Repeated()

    def _kept(self, host: HostId) -> Iterator[Original]:
        at = 0
        while True:
            while at < len(self._read):
                if host in self._read[at]:
                    yield self._read[at][host]
                at += 1
            following = next(self._rest, None)
            if following is None:
                return
            self._read.append(following)

    def _scans(self, since: datetime, until: datetime | None) -> Iterator[Mapping[HostId, Original]]:
        """Yield by host the answer of each earlier round, newest first; a round that cannot be read has none."""
        if self._ledger is None:
            return
        for record in self._ledger.records(kinds=("check.finished",), since=since, until=until, newest_first=True):
            try:
                body = decode_part(self._ledger.blob(record.body), "check", CheckScan)
            except PortalOpsError as error:
                _log.info("the round of record %s cannot be read: %s", record.seq, error)
                continue
            if body is not None:
                yield {
                    each.host: Original(each.gathered_at, answer)
                    for each in body.hosts
                    if not each.standby and (answer := each.answer())
                }
