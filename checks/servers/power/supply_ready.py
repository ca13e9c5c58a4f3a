"""A power supply with batteries stands ready.

When the power fails, the batteries are what keeps the portal up; they grow old unseen. Article 12.3 asks for standby systems
and that servers run continuously.

The rule: every declared supply answers, is on line, charged to at least {least_percent} %, would last for {least_seconds} seconds
or longer where it estimates that, raises no alarm, and says
neither that its battery is low or must be replaced nor that it is off, overloaded, about to shut down, or bypassed, for
then no battery protects what hangs on it. A declaration that there is none is a fail; no declaration, or a supply that does
not tell its charge, is in a state that is not known here (such as `CAL`), or is simulated (`dummy-ups`), leaves it unknown. It does not see
how old the batteries are. Virtual machines and containers hang on their host's: the roles `virtual` and
`container` exempt them.

Source: upsc(8), NUT's list of variables. NUT 2.8:

    battery.charge: 100
    ups.status: OL
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import ups
from checks.servers.probes.ups import Ups
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

ENOUGH_PERCENT = 80
ENOUGH_SECONDS = 120
"""For an orderly end; a battery that is full and lasts for seconds is worn out."""
NOT_READY = frozenset({"LB", "RB", "OFF", "ALARM", "BYPASS", "OVER", "FSD"})
"""Words of `ups.status`, as NUT's developer guide has them; `OL` tells of the line alone."""
HARMLESS = frozenset({"OL", "CHRG", "TRIM", "BOOST", "HB", "ECO", "ESS", "HE", "TEST"})
"""Words of a supply that is ready."""
SIMULATED = frozenset({"dummy-ups"})
"""Drivers that read a file, where there may be no supply."""


@check(
    id="power.ups",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(ups.PROBE,),
    title=msg("an uninterruptible power supply is ready"),
    remedy=msg("Have the power supply serviced, and its batteries replaced."),
    exempt_roles=("container", "virtual"),
    numbers={"least_percent": ENOUGH_PERCENT, "least_seconds": ENOUGH_SECONDS},
)
def judge(facts: Facts) -> CheckOutcome:
    if facts.declared.ups is None:
        return unknown("not-declared", msg("the uninterruptible power supplies are not declared"))
    if not facts.declared.ups:
        return failed("none", msg("the host has no uninterruptible power supply, as declared"))
    seen = {one.name: one for one in facts[ups.PROBE]}
    absent = [name for name in facts.declared.ups if name not in seen or not seen[name].status]
    if absent:
        return failed("not-answering", msg("power supplies that do not answer: {names}", names=listed(absent)))
    weak = [f"{name} ({problem})" for name in facts.declared.ups if (problem := _problem(seen[name]))]
    if weak:
        return failed("not-ready", msg("power supplies that are not ready: {names}", names=listed(weak)))
    unmeasured = [name for name in facts.declared.ups if seen[name].charge_percent is None]
    if unmeasured:
        return unknown(
            "no-charge", msg("power supplies that do not report their charge: {names}", names=listed(unmeasured))
        )
    odd = [
        f"{name} ({' '.join(sorted(more))})" for name in facts.declared.ups if (more := seen[name].status - HARMLESS)
    ]
    if odd:
        return unknown("status-unclear", msg("power supplies in a state that is not known: {names}", names=listed(odd)))
    if made_up := [name for name in facts.declared.ups if seen[name].driver in SIMULATED]:
        return unknown(
            "simulated", msg("power supplies that NUT only simulates, by a file: {names}", names=listed(made_up))
        )
    return passed(msg("power supplies that are ready: {names}", names=listed(facts.declared.ups)))


def _problem(one: Ups) -> str:
    if NOT_READY & one.status or "OL" not in one.status:
        return " ".join(sorted(one.status))
    if one.charge_percent is not None and one.charge_percent < ENOUGH_PERCENT:
        return f"{one.charge_percent} %"
    if one.runtime_seconds is not None and one.runtime_seconds < ENOUGH_SECONDS:
        return f"{one.runtime_seconds} s"
    return ""
