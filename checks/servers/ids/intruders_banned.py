"""Software against intrusion runs and guards something.

Article 12.3 asks for software against intrusion. Software without a jail watches nothing; software that finds intruders but
has no bouncer blocks none of them.

The rule: fail2ban's server answers and has at least one jail; or CrowdSec's service is active, and a bouncer whose key is
valid asked it within {within_hours} hours whom to refuse. One of the two is enough. Other products are not known to this
check; without both the answer is unknown.

Sources: fail2ban-client(1); the documentation of CrowdSec, `cscli bouncers list`. fail2ban 1.1.0 whose server does not run
ends with exit code 255 and:

    ERROR   Failed to access socket path: /var/run/fail2ban/fail2ban.sock. Is fail2ban running?
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import crowdsec, fail2ban, systemd_units
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity

ASKED_WITHIN = timedelta(days=1)
"""Bouncers ask every few seconds, or whenever a visitor comes; a day without a question is one without a guard."""


@check(
    id="ids.prevention",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_units.PROBE,),
    uses=(fail2ban.PROBE, crowdsec.PROBE),
    title=msg("intrusion prevention runs and guards something"),
    remedy=msg(
        "Start fail2ban and enable a jail for each way in: 'systemctl enable --now fail2ban'; or start CrowdSec and a bouncer."
    ),
    numbers={"within_hours": ASKED_WITHIN // timedelta(hours=1)},
)
def judge(facts: Facts) -> CheckOutcome:
    outcomes = (_judge_fail2ban(facts), _judge_crowdsec(facts))
    there = [one for one in outcomes if one.reason != COMMAND_MISSING]
    # NOTE: what is not known of one product may be that it guards, so that outweighs what the other one lacks.
    order = (CheckVerdict.PASS, CheckVerdict.UNKNOWN, CheckVerdict.FAIL)
    return min(there or outcomes, key=lambda one: order.index(one.verdict))


def _judge_fail2ban(facts: Facts) -> CheckOutcome:
    seen = facts.get(fail2ban.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    if not seen.is_running:
        return failed("not-running", msg("fail2ban is installed but does not run"))
    if not seen.jails:
        return failed("no-jail", msg("fail2ban runs without any jail"))
    return passed(msg("fail2ban guards {names}", names=listed(seen.jails)))


def _judge_crowdsec(facts: Facts) -> CheckOutcome:
    bouncers = facts.get(crowdsec.PROBE)
    if isinstance(bouncers, MissingFact):
        return missing(bouncers)
    service = facts[systemd_units.PROBE].get("crowdsec.service")
    if service is None or not service.is_active:
        return failed("not-running", msg("CrowdSec is installed but does not run"))
    valid = {one.name: one.asked_at for one in bouncers if one.is_valid}
    if not valid:
        return failed("no-bouncer", msg("CrowdSec runs without a valid bouncer, so nobody is blocked"))
    ahead = [name for name, asked in valid.items() if asked is not None and is_ahead(asked, facts.at)]
    if ahead:
        return unknown(
            "asked-in-future",
            msg("CrowdSec dates the last query of its bouncers in the future: {names}", names=listed(ahead)),
        )
    guarding = [name for name, asked in valid.items() if asked is not None and facts.at - asked <= ASKED_WITHIN]
    if not guarding:
        return failed(
            "bouncer-silent",
            msg(
                "no bouncer queried CrowdSec within {hours} hours: {names}",
                hours=ASKED_WITHIN // timedelta(hours=1),
                names=listed(valid),
            ),
        )
    return passed(msg("bouncers query CrowdSec: {names}", names=listed(guarding)))
