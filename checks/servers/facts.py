"""The facts of one host: what its answer says, parsed, with a reason for everything it does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from checks.servers.declared import HostDeclared
from checks.servers.gather import Answer, AnswerRejected, parse_answer
from checks.servers.probe import FactT, Missing, Probe, fact_of
from portalops.model.organisation import Host


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check may judge by. Nothing else is in reach of it."""

    host: Host
    declared: HostDeclared
    at: datetime
    """When the answer was received, UTC: ages are counted back from here."""
    found: Mapping[str, object]
    """By probe id: the parsed value, or `Missing`."""

    def __getitem__(self, probe: Probe[FactT]) -> FactT:
        """Return a fact that the check names in `needs`; those are there before it is called."""
        value = self.found[probe.id]
        if isinstance(value, Missing):
            raise LookupError(f"{probe.id} is missing: the check must name it in needs")  # noqa: TRY004  # a fact, not a type
        return cast("FactT", value)

    def lacking(self, *probes: Probe[Any]) -> Missing | None:
        """Return why the first of several facts that is missing is so, or None if all are there."""
        return next((fact for probe in probes if isinstance(fact := self.get(probe), Missing)), None)

    def get(self, probe: Probe[FactT]) -> FactT | Missing:
        """Return a fact that the check names in `uses`, or why it is missing."""
        return cast("FactT | Missing", self.found[probe.id])


def facts_from(answer: Answer, probes: Mapping[str, Probe[Any]]) -> dict[str, object]:
    """Parse every probe's section once."""
    found: dict[str, object] = {}
    for name, probe in probes.items():
        section = answer.sections.get(name)
        found[name] = answer.absent if section is None else fact_of(probe, section)
    return found


def found_in(raw: bytes, probes: Mapping[str, Probe[Any]]) -> dict[str, object]:
    """Parse a kept answer; in one that is out of form nothing is believed, and every fact is missing."""
    try:
        return facts_from(parse_answer(raw), probes)
    except AnswerRejected as error:
        return dict.fromkeys(probes, error.missing)
