"""A check: what it needs, and the pure rule that judges it.

    @check(
        id="ssh.root-login", clause="12.4", severity=Severity.HIGH, needs=(sshd.PROBE,),
        title=msg("root cannot log in over SSH"), remedy=msg("Set PermitRootLogin no ..."),
    )
    def judge(facts: Facts) -> Outcome: ...

The module's docstring is the check's page. `judge` is called only when every needed fact is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from checks.servers.facts import Facts
from checks.servers.probe import Missing, Probe
from portalops.model.message import Message, msg
from portalops.model.verdicts import CheckVerdict, Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says."""

    verdict: CheckVerdict
    reason: str
    """Coded; empty for a pass."""
    message: Message
    due_on: date | None = None
    """Of a fail: the day by which it must be put right, where what was seen names one."""


def passed(message: Message) -> Outcome:
    """The good state was seen."""
    return Outcome(CheckVerdict.PASS, "", message)


def failed(reason: str, message: Message, *, due_on: date | None = None) -> Outcome:
    """The good state was seen not to hold; `due_on` is a day by which it must be put right, if somebody set one."""
    return Outcome(CheckVerdict.FAIL, reason, message, due_on)


def unknown(reason: str, message: Message) -> Outcome:
    """Whether the good state holds could not be found out."""
    return Outcome(CheckVerdict.UNKNOWN, reason, message)


def missing(fact: Missing) -> Outcome:
    """A fact is missing, for the reason that it carries."""
    return unknown(fact.reason, fact.seen)


def guarded(judged: Callable[[], Outcome]) -> Outcome:
    """Let a rule judge; a fault in one check must not take the others with it, nor vanish."""
    try:
        return judged()
    except Exception as error:  # noqa: BLE001  # see above
        return Outcome(
            CheckVerdict.ERROR,
            "check-crashed",
            msg("the check itself failed with {error}: a fault in portalops", error=type(error).__name__),
        )


Judge = Callable[[Facts], Outcome]


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
) -> Callable[[Judge], Check]:
    """Make a check of a rule; the docstring of the rule's module becomes its page."""

    def made(judge: Judge) -> Check:
        page = (sys.modules[judge.__module__].__doc__ or "").strip()
        return Check(id, clause, severity, title, remedy, needs, uses, frozenset(exempt_roles), judge, page)

    return made
