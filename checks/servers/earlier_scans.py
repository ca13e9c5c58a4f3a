"""What was seen of a host from outside in an earlier round, for rounds in which nobody looks from there.

A look from outside is often made by hand, from an auditor's station, and rounds are made every day. So an answer repeats what
the newest look saw (`carried`), for as long as its age is worth telling; for how long it counts is `REPEATED_FOR`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from checks.servers.carried import SECTION, Original, repeated
from checks.servers.earlier import EarlierAnswers
from checks.servers.gather import AnswerRejected, HostAnswer
from checks.servers.outside.section import FROM_ITSELF, NOT_SCANNED, is_seen
from checks.servers.probe import MissingFact, ProbeResult, fact_of
from checks.servers.probes import outside_ports
from portalops.model.organisation import HostId

_log = logging.getLogger(__name__)

VALID_FOR = timedelta(days=31)
"""An older look is not told of any more."""
_UNSEEN = tuple(f'"state":"{state}"'.encode() for state in (NOT_SCANNED, FROM_ITSELF))


class EarlierScans:
    """The newest look at each host; not safe in several threads."""

    def __init__(self, answers: EarlierAnswers, now: datetime) -> None:
        """Take where to read from.

        Args:
            answers: of earlier rounds.
            now: when the present round began, UTC.
        """
        self._answers = answers
        self._since = now - VALID_FOR

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
        for stood_in, answer in self._answers.read_host(host):
            try:
                found, originals = repeated(answer, wanted, stood_in)
            except AnswerRejected as error:
                _log.info("the answer %s of %s cannot be read: %s", stood_in.answer, host, error)
                continue
            if _elsewhere(answer, addresses):
                return {}, {}
            seen = {one.probe: one for one in found if is_seen(one)}
            # NOTE: an answer with the section `carried` repeats whatever there was to repeat, so no older one has more.
            if seen or SECTION in answer.sections:
                told = {name: one for name, one in originals.items() if name in seen and one.at >= self._since}
                return {name: seen[name] for name in told}, told
        return {}, {}


def _elsewhere(answer: HostAnswer, addresses: frozenset[str]) -> bool:
    """Say whether the ports of other addresses were tried than are declared now."""
    section = answer.sections.get(outside_ports.PROBE.id)
    if section is None:
        return False
    ports = fact_of(outside_ports.PROBE, section)
    return not isinstance(ports, MissingFact) and frozenset(ports.by_address) != addresses
