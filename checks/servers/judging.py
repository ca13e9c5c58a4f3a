"""From a host's kept answer to results: pure, so that the same bytes give the same results years later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from checks.servers.catalogue import checks, probes_of
from checks.servers.check import Check, CheckOutcome, guarded, missing, unknown
from checks.servers.declared import Declared
from checks.servers.facts import Facts, found_in
from checks.servers.probe import COMMAND_MISSING, MissingFact, Probe
from checks.servers.probes import preloaded
from checks.servers.standby import GroupCheck
from checks.servers.wording import listed
from portalops.model.checks import CheckResult
from portalops.model.message import msg
from portalops.model.organisation import Host
from portalops.model.record import Digest
from portalops.model.verdicts import CheckVerdict

IDENTITY = "inventory.identity"
"""The check that fails, and is not merely unknown, where a host shows another key than the recorded one."""
KEY_CHANGED = "host-key-changed"
CRYPTO = "ssh.crypto"
"""The check that fails where a host offers only ways of SSH that are broken by now."""
LEGACY_SSH = "legacy-ssh"
_PROVEN = {IDENTITY: KEY_CHANGED, CRYPTO: LEGACY_SSH}
"""Of what a host cannot be looked at for, that which is itself the fault that a check is about."""


def judge_again(
    raw: bytes, host: Host, declared: Declared, at: datetime, *, some: Sequence[Check] | None = None
) -> tuple[CheckResult, ...]:
    """Judge a kept answer; the first time is no different from the tenth.

    Args:
        raw: the answer as it was kept.
        host: whose answer it is.
        declared: what was declared then.
        at: when the answer was received, UTC.
        some: the checks to judge; all of them by default.
    """
    judged = checks() if some is None else tuple(some)
    probes = probes_of(judged)
    evidence = (Digest(hashlib.sha256(raw).hexdigest()),)
    found, repeated = found_in(raw, probes, at)
    facts = Facts(host, declared.find_host(host.id), at, found, repeated)
    return tuple(_result(one, facts, evidence) for one in _alone(judged))


def unreached(host: Host, why: MissingFact, at: datetime, some: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Return the results of a host that could not be looked at: all unknown, none dropped."""
    probes: Mapping[str, Probe[Any]] = probes_of(some)
    facts = Facts(host, Declared().find_host(host.id), at, dict.fromkeys(probes, why))
    return tuple(_result(one, facts, ()) for one in _alone(some))


def _alone(some: Sequence[Check]) -> tuple[Check, ...]:
    """Return those that judge one host alone, by id."""
    return tuple(sorted((one for one in some if not isinstance(one, GroupCheck)), key=lambda one: one.id))


def _result(one: Check, facts: Facts, evidence: tuple[Digest, ...]) -> CheckResult:
    outcome = outcome_of(one, facts)
    probes = (*one.needs, *one.uses)
    earlier = [facts.repeated[probe.id] for probe in probes if probe.id in facts.repeated]
    message = outcome.message
    if earlier and outcome.verdict in {CheckVerdict.PASS, CheckVerdict.FAIL}:
        at = min(each.at for each in earlier)
        is_all = len(earlier) == len(probes)
        told = msg("{seen} (seen on {at})", seen=message, at=at)
        message = told if is_all else msg("{seen} (in part seen on {at})", seen=message, at=at)
    return CheckResult(
        check=one.id,
        host=facts.host.id,
        clause=one.clause,
        severity=one.severity,
        verdict=outcome.verdict,
        reason=outcome.reason,
        message=message,
        remedy=one.remedy if outcome.verdict is CheckVerdict.FAIL else None,
        evidence=evidence + tuple(sorted({each.answer for each in earlier})),
        due_on=outcome.due_on,
    )


def outcome_of(one: Check, facts: Facts) -> CheckOutcome:
    """Return what a check says of a host."""
    exempting = sorted(one.exempt_roles & {*facts.host.roles, *facts.declared.roles})
    if exempting:
        return CheckOutcome(
            CheckVerdict.NOT_APPLICABLE,
            "role",
            msg("does not apply to a host with the role {role}", role=exempting[0]),
        )
    for probe in one.needs:
        fact = facts.get(probe)
        if isinstance(fact, MissingFact):
            if fact.reason == _PROVEN.get(one.id):
                return CheckOutcome(CheckVerdict.FAIL, fact.reason, fact.seen)
            return missing(fact)
    outcome = guarded(lambda: one.judge(facts))
    if outcome.verdict is CheckVerdict.PASS and any(probe.command for probe in (*one.needs, *one.uses)):
        return _unreliable(facts) or outcome
    return outcome


_ASKED_IN_VAIN = frozenset(
    {COMMAND_MISSING, "probe-timeout", "output-cut", "command-failed", "unparseable", "parser-crashed"}
)
"""Why there is no fact although the host was asked; an answer that broke off, or of before, does not hold the question."""


def _unreliable(facts: Facts) -> CheckOutcome | None:
    """Say that what programs of the host print cannot be relied on, or that asking failed; None where they can be, or no answer holds it."""
    found = facts.found.get(preloaded.PROBE.id)
    if isinstance(found, MissingFact):
        return missing(found) if found.reason in _ASKED_IN_VAIN else None
    if not isinstance(found, tuple) or not found:
        return None
    said = msg(
        "every program of the host loads a library that no package brings, so what they say cannot be relied on: {names}",
        names=listed(found),
    )
    return unknown("preloaded", said)
