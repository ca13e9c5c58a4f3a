"""Nobody logs in over SSH by a password alone.

Passwords are guessed by machines day and night; keys are not. Article 12.4.

The rule: in every SSH server that listens, password and keyboard-interactive logins are off, or each way of
AuthenticationMethods asks for a key as well. Its own arguments and files count, as it has loaded them. Empty passwords are
never taken. Tried are root, each login account, and each user and group that its `Match` blocks name. They come from an
address of the Internet, and from inside and outside of each range that is named, to each port that is named. The login
methods that the server offers to a first request, from the host itself and from outside, are judged as well.

Source: sshd(8) (-T, -C), sshd_config(5), RFC 4252 (5.2). OpenSSH 10.0 on Debian 13, as delivered:

    passwordauthentication yes
    kbdinteractiveauthentication no
    authenticationmethods any
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import outside_ssh, sshd_servers
from checks.servers.probes.sshd_servers import SshDaemon, is_let_in
from checks.servers.ssh._servers import is_for_strangers, tried, unsure, visitor_of
from checks.servers.wording import listed
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

_GUESSED = frozenset({"none", "password", "keyboard-interactive"})


@check(
    id="ssh.password-auth",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(sshd_servers.PROBE,),
    uses=(outside_ssh.PROBE,),
    title=msg("nobody logs in over SSH by a password alone"),
    remedy=msg(
        "Set 'PasswordAuthentication no' and 'KbdInteractiveAuthentication no', also in Match blocks, or ask for a key as well;"
        " then reload the server."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    servers = facts[sshd_servers.PROBE]
    for server in servers:
        if (failure := _judge_settings(server)) is not None:
            return failure
    # a way in that begins by a password and goes on by a key begins by an offer of a password too
    first = {step for server in servers for step in _first_steps(server)}
    seen = facts.get(outside_ssh.PROBE)
    from_outside = set() if isinstance(seen, MissingFact) else {each for one in seen.servers for each in one.methods}
    if offered := sorted((from_outside - first) & _GUESSED):
        return failed("password-offered", msg("sshd offers {methods} to anybody from outside", methods=listed(offered)))
    for server in servers:
        for one in server.offers:
            if _keeps_out(server, one.user):  # a name that is refused in any case is asked for a password all the same
                continue
            if offered := sorted((frozenset(one.methods) - first) & _GUESSED):
                return failed(
                    "password-offered",
                    msg(
                        "the SSH server at port {port} offers {methods} to {user}",
                        port=one.port,
                        methods=listed(offered),
                        user=one.user,
                    ),
                )
    if (why := unsure(servers)) is not None:
        return why
    return passed(
        msg(
            "no password alone is enough at port {ports}: {count} combinations were tried, users {users}, addresses {addresses}",
            **tried(servers),
        )
    )


def _judge_settings(server: SshDaemon) -> CheckOutcome | None:
    for effect in server.effects:
        let_in = [each for each in effect.conditions if is_let_in(each.user, effect.settings)]
        if (let_in or effect.count > len(effect.conditions)) and _takes_passwords(effect.settings):
            others = [each for each in effect.conditions if each.user != "root"]
            who: Message | str = visitor_of((let_in or others or effect.conditions)[0])
            if not let_in and not others:  # root is refused, and those that are not are more than are named
                who = msg("accounts other than {who}", who=who)
            is_by_match = any(not _takes_passwords(one.settings) and is_for_strangers(one) for one in server.effects)
            return failed(
                "password-in-match" if is_by_match else "password-allowed",
                msg("a password is enough for {who}", who=who),
            )
    return None


def _takes_passwords(settings: Mapping[str, str]) -> bool:
    if settings.get("permitemptypasswords") == "yes":
        return True
    ways = settings["authenticationmethods"].split()
    if ways not in ([], ["any"]):
        return not all(any(step.partition(":")[0] == "publickey" for step in way.split(",")) for way in ways)
    return "yes" in {settings["passwordauthentication"], settings["kbdinteractiveauthentication"]}


def _keeps_out(server: SshDaemon, user: str) -> bool:
    return (
        server.state == "read"
        and not server.is_stale
        and not any(is_let_in(user, one.settings) for one in server.effects)
    )


def _first_steps(server: SshDaemon) -> Iterator[str]:
    for effect in server.effects:
        for way in effect.settings["authenticationmethods"].split():
            yield way.partition(",")[0].partition(":")[0]
