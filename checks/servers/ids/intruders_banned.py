"""Software against intrusion runs and guards something.

Article 12.3 asks for software against intrusion. One that runs without a jail watches nothing.

The rule: fail2ban's server answers and has at least one jail. Other products are not known to this check yet; without
fail2ban the answer is unknown.

Source: fail2ban-client(1). fail2ban 1.1.0 whose server does not run ends with exit code 255 and:

    ERROR   Failed to access socket path: /var/run/fail2ban/fail2ban.sock. Is fail2ban running?
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import fail2ban
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="ids.prevention",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(fail2ban.PROBE,),
    title=msg("software against intrusion runs and guards something"),
    remedy=msg("Start fail2ban and enable a jail for each way in: 'systemctl enable --now fail2ban'."),
)
def judge(facts: Facts) -> Outcome:
    seen = facts[fail2ban.PROBE]
    if not seen.is_running:
        return failed("not-running", msg("fail2ban is installed and does not run"))
    if not seen.jails:
        return failed("no-jail", msg("fail2ban runs without any jail"))
    return passed(msg("fail2ban guards {names}", names=listed(seen.jails)))
