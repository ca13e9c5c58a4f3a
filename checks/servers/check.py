"""A check: what it needs, and the pure rule that judges it.

    @check(
        id="log.forwarded", clause="12.4", severity=Severity.HIGH, needs=(forwarding.PROBE,),
        title=msg("logs arrive at a collector within {minutes} minutes"), remedy=msg("Send the log on ..."),
        numbers={"minutes": 15},
    )
    def judge(facts: Facts) -> Outcome: ...

The module's docstring is the check's page. `judge` is called only when every needed fact is there. `numbers` holds the
thresholds: title, remedy and both pages name them in braces, so that each number stands in the code once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, Probe
from portalops.locale.pages import with_numbers
from portalops.model.message import Message, msg
from portalops.model.verdicts import CheckVerdict, Severity


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a rule says."""

    verdict: CheckVerdict
    reason: str
    """Coded; empty for a pass."""
    message: Message
    due_on: date | None = None
    """Of a fail: the day by which it must be put right, where what was seen names one."""


def passed(message: Message) -> CheckOutcome:
    """The good state was seen."""
    return CheckOutcome(CheckVerdict.PASS, "", message)


def failed(reason: str, message: Message, *, due_on: date | None = None) -> CheckOutcome:
    """The good state was seen not to hold; `due_on` is a day by which it must be put right, if somebody set one."""
    return CheckOutcome(CheckVerdict.FAIL, reason, message, due_on)


def unknown(reason: str, message: Message) -> CheckOutcome:
    """Whether the good state holds could not be found out."""
    return CheckOutcome(CheckVerdict.UNKNOWN, reason, message)


def missing(fact: MissingFact) -> CheckOutcome:
    """A fact is missing, for the reason that it carries."""
    return unknown(fact.reason, fact.seen)


def guarded(judged: Callable[[], CheckOutcome]) -> CheckOutcome:
    """Let a rule judge; a fault in one check must not take the others with it, nor vanish."""
    try:
        return judged()
    except Exception as error:  # noqa: BLE001  # see above
        return CheckOutcome(
            CheckVerdict.ERROR,
            "check-crashed",
            msg("the check itself failed with {error}: a fault in portalops", error=type(error).__name__),
        )


Judge = Callable[[Facts], CheckOutcome]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the catalogue."""

    id: str
    """Dotted and stable; never reused."""
    clause: str
    """Of the regulation, such as `12.3`."""
    severity: Severity
    title: Message
    """The good state, in a sentence."""
    remedy: Message
    """What to do when it fails."""
    needs: tuple[Probe[Any], ...]
    """Without one of them the check is unknown."""
    uses: tuple[Probe[Any], ...]
    """Looked at where they are there."""
    exempt_roles: frozenset[str]
    """Declared roles to which the check does not apply."""
    judge: Judge
    page: str
    """What it is, why it matters, where the rule comes from, and what the host really prints."""
    numbers: Mapping[str, int]
    """Its thresholds, by the name that its title, its remedy and its page in Vietnamese give them."""


def check(
    *,
    id: str,  # noqa: A002  # the field's word
    clause: str,
    severity: Severity,
    needs: tuple[Probe[Any], ...],
    title: Message,
    remedy: Message,
    uses: tuple[Probe[Any], ...] = (),
    exempt_roles: tuple[str, ...] = (),
    numbers: Mapping[str, int] | None = None,
) -> Callable[[Judge], Check]:
    """Make a check of a rule; the docstring of the rule's module becomes its page. The arguments are the fields of `Check`."""
    put_in = numbers or {}

    def made(judge: Judge) -> Check:
        return Check(
            id,
            clause,
            severity,
            numbered(title, put_in),
            numbered(remedy, put_in),
            needs,
            uses,
            frozenset(exempt_roles),
            judge,
            page_of(judge, put_in),
            put_in,
        )

    return made


def numbered(sentence: Message, numbers: Mapping[str, int]) -> Message:
    """Return a sentence with the thresholds that it names."""
    named = {name: number for name, number in numbers.items() if f"{{{name}}}" in sentence.text}
    return replace(sentence, values={**sentence.values, **named})


def page_of(judge: Callable[..., CheckOutcome], numbers: Mapping[str, int]) -> str:
    """Return the English page of a rule: the docstring of its module, with its thresholds put in."""
    return with_numbers((sys.modules[judge.__module__].__doc__ or "").strip(), numbers, "en")
