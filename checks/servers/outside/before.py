"""What was seen of a host from outside in an earlier round, for rounds in which nobody looks from there.

A look from outside is often made by hand, from an auditor's station, and rounds are made every day. So an answer repeats what
the newest look saw (`carried`), for as long as its age is worth telling; for how long it counts is `REPEATED_FOR`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from checks.servers.carried import SECTION, Original, repeated
from checks.servers.gather import Answer, AnswerRejected, parse_answer
from checks.servers.outside.section import FROM_ITSELF, NOT_LOOKED, is_seen
from checks.servers.probe import Missing, ProbeResult, fact_of
from checks.servers.probes import outside_ports
from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.checks import CheckRound
from portalops.model.organisation import HostId
from portalops.registers.evidence import LedgerReader

_log = logging.getLogger(__name__)

TOLD_FOR = timedelta(days=31)
"""An older look is not told of any more."""
_UNSEEN = tuple(f'"state":"{state}"'.encode() for state in (NOT_LOOKED, FROM_ITSELF))


class EarlierLooks:
    """The newest look at each host, read out of the ledger when it is asked for; not safe in several threads."""

    def __init__(self, ledger: LedgerReader | None, now: datetime) -> None:
        """Take where to read from.

        Args:
            ledger: None before there is one.
            now: when the present round began, UTC.
        """
        self._ledger = ledger
        self._since = now - TOLD_FOR
        self._rest = self._rounds(self._since)
        self._read: list[Mapping[HostId, Original]] = []

    def instead_of(
        self, host: HostId, sections: Collection[ProbeResult], addresses: Collection[str]
    ) -> tuple[tuple[ProbeResult, ...], dict[str, Original]]:
        """Return the sections of the present round, those without a look replaced by the newest one; and where it stood.

        Args:
            host: that they are of.
            sections: of the view from outside.
            addresses: where the host is looked at from outside now. A look at other addresses tells nothing of it.
        """
        unseen = [one.probe for one in sections if any(state in one.stdout for state in _UNSEEN)]
        if not unseen:
            return tuple(sections), {}
        earlier, originals = self._newest(host, unseen, frozenset(addresses))
        return tuple(earlier.get(one.probe, one) for one in sections), originals

    def _newest(
        self, host: HostId, wanted: Collection[str], addresses: frozenset[str]
    ) -> tuple[dict[str, ProbeResult], dict[str, Original]]:
        for stood_in in self._answers(host):
            try:
                answer = parse_answer(self._ledger.blob(stood_in.answer)) if self._ledger else None
                found, originals = repeated(answer, wanted, stood_in) if answer else ((), {})
            except (AnswerRejected, PortalOpsError) as error:
                _log.info("the answer %s of %s cannot be read: %s", stood_in.answer, host, error)
                continue
            if answer is None or _elsewhere(answer, addresses):
                return {}, {}
            seen = {one.probe: one for one in found if is_seen(one)}
            # NOTE: an answer with the section `carried` repeats whatever there was to repeat, so no older one has more.
            if seen or SECTION in answer.sections:
                told = {name: one for name, one in originals.items() if name in seen and one.at >= self._since}
                return {name: seen[name] for name in told}, told
        return {}, {}

    def _answers(self, host: HostId) -> Iterator[Original]:
        """Yield the answers of a host, newest first."""
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

    def _rounds(self, since: datetime) -> Iterator[Mapping[HostId, Original]]:
        """Yield by host the answer of each earlier round, newest first; a round that cannot be read has none."""
        if self._ledger is None:
            return
        for record in self._ledger.records(kinds=("check.finished",), since=since, newest_first=True):
            try:
                body = decode_part(self._ledger.blob(record.body), "check", CheckRound)
            except PortalOpsError as error:
                _log.info("the round of record %s cannot be read: %s", record.seq, error)
                continue
            if body is not None:
                yield {
                    each.host: Original(each.gathered_at, answer)
                    for each in body.hosts
                    if not each.standby
                    and (answer := next((result.evidence[0] for result in each.results if result.evidence), None))
                }


def _elsewhere(answer: Answer, addresses: frozenset[str]) -> bool:
    """Say whether the ports of other addresses were tried than are declared now."""
    section = answer.sections.get(outside_ports.PROBE.id)
    if section is None:
        return False
    ports = fact_of(outside_ports.PROBE, section)
    return not isinstance(ports, Missing) and frozenset(ports.by_address) != addresses
