"""Software against intrusion runs and guards something.

Article 12.3 asks for software against intrusion. Software without a jail watches nothing, and a jail that ignores
everybody bans nobody. Software that finds intruders but has no bouncer blocks none of them.

The rule: fail2ban's server answers, and one of its jails bans an address of the ranges for documentation for
{least_seconds} seconds or longer. That jail ignores neither the address nor a large part of the Internet. It counts at
most {most_tries} tries for at least {least_window} seconds. One of its actions blocks a stranger in a trial, and the
jail has read its log to the end. The jail `sshd` counts only if it sees a failed login, as `ids.ssh-jail` tries that, and is unknown while a relay leads to sshd. Or CrowdSec's service is active, and does not merely simulate
its decisions; a bouncer whose key is valid asked it within {within_hours} hours whom to refuse. One of the two is
enough. A jail that has settings which are not known here as harmless counts as unknown, and so do all while another unit, a cron
job or a program of /usr/local gives fail2ban orders. At most {most_jails} jails and {most_actions} actions are asked; where more are there and none of these bans,
the answer is unknown. Other products are not known to this check; without both the answer is unknown.

Sources: fail2ban-client(1); the documentation of CrowdSec, `cscli bouncers list`. fail2ban 1.1.0 whose server does not run
ends with exit code 255 and:

    ERROR   Failed to access socket path: /var/run/fail2ban/fail2ban.sock. Is fail2ban running?
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.ids._bans import (
    BANS_SECONDS,
    LEAST_WINDOW,
    MOST_TRIES,
    STRANGERS,
    judge_ban,
    judge_odd,
    judge_relays,
    judge_sight,
    judge_tried,
)
from checks.servers.probe import COMMAND_MISSING, MissingFact
from checks.servers.probes import crowdsec, fail2ban, fail2ban_sshd, fail2ban_tried, other_ways, systemd_units
from checks.servers.probes.fail2ban_sshd import MOST_ACTIONS, MOST_JAILS, BanRule
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity

ASKED_WITHIN = timedelta(days=1)
"""Bouncers ask every few seconds, or whenever a visitor comes; a day without a question is one without a guard."""

_ORDER = (CheckVerdict.PASS, CheckVerdict.UNKNOWN, CheckVerdict.FAIL)


@check(
    id="ids.prevention",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_units.PROBE,),
    uses=(fail2ban.PROBE, fail2ban_sshd.PROBE, fail2ban_tried.PROBE, crowdsec.PROBE, other_ways.PROBE),
    title=msg("intrusion prevention runs and guards something"),
    remedy=msg(
        "Start fail2ban and enable a jail for each way in: 'systemctl enable --now fail2ban'; or start CrowdSec and a bouncer."
    ),
    numbers={
        "within_hours": ASKED_WITHIN // timedelta(hours=1),
        "least_seconds": BANS_SECONDS,
        "most_tries": MOST_TRIES,
        "least_window": LEAST_WINDOW,
        "most_jails": MOST_JAILS,
        "most_actions": MOST_ACTIONS,
    },
)
def judge(facts: Facts) -> CheckOutcome:
    outcomes = (_judge_fail2ban(facts), _judge_crowdsec(facts))
    there = [one for one in outcomes if one.reason != COMMAND_MISSING]
    # NOTE: what is not known of one product may be that it guards, so that outweighs what the other one lacks.
    return min(there or outcomes, key=lambda one: _ORDER.index(one.verdict))


def _judge_fail2ban(facts: Facts) -> CheckOutcome:
    seen = facts.get(fail2ban.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    if not seen.is_running:
        return failed("not-running", msg("fail2ban is installed but does not run"))
    if not seen.jails:
        return failed("no-jail", msg("fail2ban runs without any jail"))
    if not seen.bans:
        return passed(msg("fail2ban guards {names}", names=listed(seen.jails)))
    judged = {
        name: _judge_jail(facts, name, *each) or judge_odd(odd)
        for name, each, odd in zip(seen.jails, seen.bans, seen.odd, strict=False)
    }
    banning = [name for name, outcome in judged.items() if outcome is None]
    if banning:
        return passed(msg("fail2ban would ban {address} by {names}", names=listed(banning), address=str(STRANGERS[0])))
    if len(judged) < len(seen.jails):
        return unknown(
            "jails-not-asked",
            msg(
                "only {n} of {all} jails were asked, and none of these would ban {address}",
                n=len(judged),
                all=len(seen.jails),
                address=str(STRANGERS[0]),
            ),
        )
    return min((one for one in judged.values() if one), key=lambda one: _ORDER.index(one.verdict))


def _judge_jail(facts: Facts, name: str, seconds: int, rule: BanRule) -> CheckOutcome | None:
    if 0 <= seconds < BANS_SECONDS:
        return failed("bans-briefly", msg("the jail {jail} bans for only {n} seconds", jail=name, n=seconds))
    tried = facts.get(fail2ban_tried.PROBE)
    found = [
        judge_ban(name, rule),
        missing(tried) if isinstance(tried, MissingFact) else judge_tried(name, rule, tried),
    ]
    if name == "sshd":
        sight = facts.get(fail2ban_sshd.PROBE)
        if isinstance(sight, MissingFact):
            found.append(missing(sight))
        else:
            found += [judge_sight(sight, facts.at), judge_relays(facts, sight)]
    return min((one for one in found if one), key=lambda one: one.verdict is not CheckVerdict.FAIL, default=None)


def _judge_crowdsec(facts: Facts) -> CheckOutcome:
    seen = facts.get(crowdsec.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    service = facts[systemd_units.PROBE].get("crowdsec.service")
    if service is None or not service.is_active:
        return failed("not-running", msg("CrowdSec is installed but does not run"))
    if seen.is_simulated:
        return failed("simulated", msg("CrowdSec only simulates its decisions, so nobody is blocked"))
    valid = {one.name: one.asked_at for one in seen.bouncers if one.is_valid}
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
