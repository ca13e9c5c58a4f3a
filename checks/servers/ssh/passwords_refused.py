"""Nobody logs in over SSH by a password alone.

Passwords are guessed by machines day and night; keys are not. Article 12.4.

The rule: password and keyboard-interactive logins are off, or every way in that AuthenticationMethods lists asks for a key
as well; and empty passwords are never taken. By the defaults of the file and for root from a public address. Where there is
an outside scan of the host, the login methods that its server offers to anybody are judged as well.

Source: sshd(8), sshd_config(5). OpenSSH 10.0 on Debian 13, as delivered:

    passwordauthentication yes
    kbdinteractiveauthentication no
    authenticationmethods any
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import outside_ssh, sshd_config, sshd_outside
from checks.servers.probes.sshd_config import Settings
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="ssh.password-auth",
    clause="12.4",
    severity=Severity.HIGH,
    needs=(sshd_config.PROBE, sshd_outside.PROBE),
    uses=(outside_ssh.PROBE,),
    title=msg("nobody logs in over SSH by a password alone"),
    remedy=msg("Set 'PasswordAuthentication no' and 'KbdInteractiveAuthentication no', or ask for a key as well."),
)
def judge(facts: Facts) -> CheckOutcome:
    if _takes_passwords(facts[sshd_config.PROBE]):
        return failed("password-allowed", msg("sshd accepts passwords"))
    if _takes_passwords(facts[sshd_outside.PROBE]):
        return failed("password-in-match", msg("a Match block lets passwords in from a public address"))
    seen = facts.get(outside_ssh.PROBE)
    methods = set() if isinstance(seen, MissingFact) else {method for one in seen.servers for method in one.methods}
    if offered := sorted(methods & {"none", "password", "keyboard-interactive"}):
        return failed("password-offered", msg("sshd offers {methods} to anybody from outside", methods=listed(offered)))
    return passed(msg("no SSH login is possible with a password alone"))


def _takes_passwords(settings: Settings) -> bool:
    if settings.get("permitemptypasswords") == "yes":
        return True
    ways = settings["authenticationmethods"].split()
    if ways not in ([], ["any"]):
        return not all(any(step.partition(":")[0] == "publickey" for step in way.split(",")) for way in ways)
    return "yes" in {settings["passwordauthentication"], settings["kbdinteractiveauthentication"]}
