"""Every SSH login requires two factors.

A stolen key or a guessed password is then not enough. Article 12.5; that admins show two factors is the practice of the
national rules on levels of systems.

The rule: each alternative of `AuthenticationMethods` asks for a key and a password or dialogue. Or it asks for a password
and a dialogue in which PAM forcibly asks for a second factor. Or keys and plain passwords are refused, and PAM asks for a
password and forcibly for a second factor. The chain of PAM was walked through as libpam does: with the key alone it lets
nobody in, and where it asks for both, not with one of them.

This holds in every SSH server that listens, for each user, address and port that its `Match` blocks name, as in
ssh.password-auth. A condition of a `Match` block that was not tried makes it unknown, and so does another service of PAM.

Where gateways that ask for two are declared (`mfa_gateways`), the logins are judged instead. Every one within {within_days}
days came from such a gateway, and there was one, by a journal that misses none, as in acct.login-attribution. A gateway that
nobody came through proves nothing. Logins of `service_accounts` are left out: programs have no second factor.

Sources: sshd_config(5), pam.conf(5), journalctl(1). OpenSSH 10.0 on Debian 13, as delivered:

    authenticationmethods any
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checks.servers.accounts._journal import PERIOD, gap
from checks.servers.accounts._pam import UnreadableStack, chain_of, lets_in
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import lastlog, logins, pam_sshd, pam_stacks, sshd_config, sshd_outside, sshd_servers
from checks.servers.probes.pam_sshd import Dialogue
from checks.servers.probes.sshd_servers import Effect, is_let_in
from checks.servers.ssh._servers import tried, unsure, visitor_of
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="acct.mfa",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(sshd_config.PROBE, sshd_outside.PROBE, pam_sshd.PROBE),
    uses=(sshd_servers.PROBE, pam_stacks.PROBE, logins.PROBE, lastlog.PROBE),
    title=msg("every SSH login requires two factors"),
    remedy=msg(
        "Set 'AuthenticationMethods publickey,keyboard-interactive' with a module of PAM for the second factor."
    ),
    numbers={"within_days": PERIOD.days},
)
def judge(facts: Facts) -> CheckOutcome:
    if facts.declared.mfa_gateways:
        return _judge_gateway(facts)
    dialogue = facts[pam_sshd.PROBE]
    for settings in (facts[sshd_config.PROBE], facts[sshd_outside.PROBE]):
        if not _asks_for_two(settings, dialogue):
            return failed(
                "one-factor",
                msg(
                    "one factor is enough: AuthenticationMethods is {methods}",
                    methods=shown(settings["authenticationmethods"], 60),
                ),
            )
    servers = facts.get(sshd_servers.PROBE)
    if isinstance(servers, MissingFact):
        others = [shown(one, 60) for one in dialogue.matches if not _is_of_programs(one, facts)]
        return _match_block(listed(others)) if others else missing(servers)
    hidden = None
    for effect in (each for server in servers for each in server.effects):
        if _asks_for_two(effect.settings, dialogue):
            continue
        people = [each for each in effect.conditions if _is_let_in(each.user, effect, facts)]
        if people and _is_by_own_service(effect.settings):
            return failed(
                "one-factor",
                msg(
                    "one factor is enough for {who}: AuthenticationMethods is {methods}",
                    who=visitor_of(people[0]),
                    methods=shown(effect.settings["authenticationmethods"], 60),
                ),
            )
        if people or effect.count > len(effect.conditions):
            hidden = visitor_of((people or effect.conditions)[0])
    if hidden is not None:
        return _match_block(hidden)
    if (why := unsure(servers)) is not None:
        return why
    asking = [
        *(facts[sshd_config.PROBE], facts[sshd_outside.PROBE]),
        *(each.settings for server in servers for each in server.effects if _asks_for_two(each.settings, dialogue)),
    ]
    if (past := _past_pam(facts, asking)) is not None:
        return past
    return passed(
        msg(
            "SSH asks for two factors at port {ports}: {count} combinations were tried, users {users}, addresses {addresses}",
            **tried(servers),
        )
    )


def _past_pam(facts: Facts, settings: Iterable[Mapping[str, str]]) -> CheckOutcome | None:
    """Say where PAM lets somebody in who has one factor, by the chains of all services that sshd asks."""
    asked = {
        (each.get("pamservicename", "sshd"), _asks_twice(each["authenticationmethods"], is_forced=False))
        for each in settings
        if each.get("usepam") == "yes"
    }
    if not asked:
        return None
    pam = facts.get(pam_stacks.PROBE)
    if isinstance(pam, MissingFact):
        return missing(pam)
    unclear: CheckOutcome | None = None
    for service, has_key in sorted(asked):
        try:
            chain = chain_of(pam, service, "auth")
        except UnreadableStack as error:
            said = msg("cannot read {path}, which PAM needs", path=shown(error.path, 80))
            unclear = unclear or unknown("pam-file-unread", said)
            continue
        shares = [(False, False)] if has_key else [(True, False), (False, True)]
        ways = [lets_in(chain, password=password, second=second) for password, second in shares]
        if any(surely for surely, _perhaps in ways):
            return failed(
                "pam-permits",
                msg("PAM lets in at SSH with one factor: the service {service}", service=shown(service, 40)),
            )
        if any(perhaps for _surely, perhaps in ways):
            said = msg(
                "it is not known whom PAM lets in at SSH with one factor: the service {service}",
                service=shown(service, 40),
            )
            unclear = unclear or unknown("pam-unclear", said)
    return unclear


def _match_block(names: str) -> CheckOutcome:
    return unknown("match-block", msg("Match blocks change how some log in: {names}", names=names))


def _is_let_in(user: str, effect: Effect, facts: Facts) -> bool:
    """Say whether somebody other than a declared program comes in with these settings."""
    if user == "root" and effect.settings["permitrootlogin"] == "no":
        return False
    return user not in facts.declared.service_accounts and is_let_in(user, effect.settings)


def _asks_for_two(settings: Mapping[str, str], dialogue: Dialogue) -> bool:
    is_forced = any(one.is_forced for one in dialogue.second) and _is_by_own_service(settings)
    by_pam = is_forced and dialogue.asks_password and _leaves_pam_alone(settings)
    return by_pam or _asks_twice(settings["authenticationmethods"], is_forced=is_forced)


def _is_by_own_service(settings: Mapping[str, str]) -> bool:
    """Say whether PAM asks as it does for sshd; of its other services nothing is known."""
    return settings.get("pamservicename", "sshd") == "sshd"


def _is_of_programs(criteria: str, facts: Facts) -> bool:
    """Say whether a Match block is for declared accounts of programs alone, by `user NAME,NAME`; patterns are none."""
    words = criteria.split()
    return (
        len(words) == 2 and words[0].lower() == "user" and {*words[1].split(",")} <= {*facts.declared.service_accounts}
    )


def _asks_twice(methods: str, *, is_forced: bool) -> bool:
    """Say whether each alternative asks for what one has and what one knows; a password and PAM's are one and the same."""
    alternatives = [{one.partition(":")[0] for one in each.split(",")} for each in methods.split()]
    return bool(alternatives) and all(
        (bool(each & {"publickey", "gssapi-with-mic"}) and bool(each & {"password", "keyboard-interactive"}))
        or (is_forced and {"password", "keyboard-interactive"} <= each)
        for each in alternatives
    )


def _leaves_pam_alone(settings: Mapping[str, str]) -> bool:
    """Say whether the dialogue with PAM is the only way in."""
    closed = ("pubkeyauthentication", "passwordauthentication", "hostbasedauthentication", "gssapiauthentication")
    return (
        settings.get("usepam") == "yes"
        and settings["kbdinteractiveauthentication"] == "yes"
        and all(settings.get(key, "no") == "no" for key in closed)
    )


def _judge_gateway(facts: Facts) -> CheckOutcome:
    found = facts.get(logins.PROBE)
    if isinstance(found, MissingFact):
        return missing(found)
    programs = facts.declared.service_accounts
    recent = [one for one in found.accepted if one.at >= facts.at - PERIOD and one.account not in programs]
    past = sorted(
        {
            f"{one.account} ({one.address})"
            for one in recent
            if not any(
                one.address.version == each.version and one.address in each for each in facts.declared.mfa_gateways
            )
        }
    )
    if past:
        return failed("past-gateway", msg("logged in past the gateway: {names}", names=listed(past)))
    if (unsure := gap(facts)) is not None:
        return unsure
    if not recent:
        return unknown(
            "gateway-unused", msg("no login in the last {days} days: the gateway was not exercised", days=PERIOD.days)
        )
    return passed(
        nmsg(
            "the {n} login of the last {days} days came from the gateway",
            "all {n} logins of the last {days} days came from the gateway",
            len(recent),
            days=PERIOD.days,
        )
    )
