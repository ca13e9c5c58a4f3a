"""The facts of one host: what its answer says, parsed, with a reason for everything it does not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from checks.servers import by_hand
from checks.servers.carried import Original, originals_in
from checks.servers.declared import HostDeclared
from checks.servers.gather import AnswerRejected, HostAnswer, parse_answer
from checks.servers.probe import FactT, MissingFact, Probe, fact_of
from portalops.model.message import msg
from portalops.model.organisation import Host

NOT_ASKED = MissingFact("brought-by-hand", msg("this is not judged from an answer supplied by hand"))
"""Why a fact is missing in such an answer, which is taken only as a whole."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check may judge by. Nothing else is in reach of it."""

    host: Host
    declared: HostDeclared
    at: datetime
    """When the answer was received, UTC: ages are counted back from here."""
    found: Mapping[str, object]
    """By probe id: the parsed value, or `Missing`."""
    repeated: Mapping[str, Original] = field(default_factory=dict)
    """By probe id: of what was not looked at in this round, where it was seen first."""

    def __getitem__(self, probe: Probe[FactT]) -> FactT:
        """Return a fact that the check names in `needs`; those are there before it is called."""
        value = self.found[probe.id]
        if isinstance(value, MissingFact):
            raise LookupError(f"{probe.id} is missing: the check must name it in needs")  # noqa: TRY004  # a fact, not a type
        return cast("FactT", value)

    def lacking(self, *probes: Probe[Any]) -> MissingFact | None:
        """Return why the first of several facts that is missing is so, or None if all are there."""
        return next((fact for probe in probes if isinstance(fact := self.get(probe), MissingFact)), None)

    def get(self, probe: Probe[FactT]) -> FactT | MissingFact:
        """Return a fact that the check names in `uses`, or why it is missing."""
        return cast("FactT | MissingFact", self.found[probe.id])


def facts_from(answer: HostAnswer, probes: Mapping[str, Probe[Any]]) -> dict[str, object]:
    """Parse every probe's section once."""
    found: dict[str, object] = {}
    absent = NOT_ASKED if by_hand.SECTION in answer.sections else answer.absent
    for name, probe in probes.items():
        section = answer.sections.get(name)
        found[name] = absent if section is None else fact_of(probe, section)
    return found


class _ParsedFacts(Mapping[str, object]):
    """The facts of one answer, each parsed when a check first asks for it: many are there for their difference to another answer's."""

    def __init__(self, answer: HostAnswer, probes: Mapping[str, Probe[Any]], known: Mapping[str, object]) -> None:
        self._answer, self._probes, self._known = answer, probes, dict(known)

    def __getitem__(self, name: str) -> object:
        if name not in self._known:
            self._known |= facts_from(self._answer, {name: self._probes[name]})
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._probes)

    def __len__(self) -> int:
        return len(self._probes)


def found_in(
    raw: bytes, probes: Mapping[str, Probe[Any]], at: datetime
) -> tuple[Mapping[str, object], Mapping[str, Original]]:
    """Take a kept answer apart; return its facts, and where those were seen first that it repeats from an earlier one.

    In an answer that is out of form nothing is believed, and every fact is missing; so is one that was repeated too long.

    Args:
        raw: the answer as it was kept.
        probes: by id.
        at: when the answer was received, UTC.
    """
    try:
        answer = parse_answer(raw)
        repeated = originals_in(answer)
    except AnswerRejected as error:
        return dict.fromkeys(probes, error.missing), {}
    late = {name: _late(probes[name], one, at) for name, one in repeated.items() if name in probes}
    return _ParsedFacts(answer, probes, {name: why for name, why in late.items() if why}), repeated


def _late(probe: Probe[Any], original: Original, at: datetime) -> MissingFact | None:
    limit = probe.repeated_for or timedelta(0)
    if timedelta(0) <= at - original.at <= limit:
        return None
    return MissingFact(
        "look-too-old",
        msg(
            "the newest answer of {probe} is of {at}, and is valid for {days} days",
            probe=probe.id,
            at=original.at,
            days=limit.days,
        ),
    )
