"""The kernel's audit is on, has rules, and loses nothing.

Who changed an account or read a secret is found out afterwards from these records alone. Article 12.3 asks for software
against intrusion.

The rule: audit is enabled, a daemon takes its records, at least one rule is loaded, and none was lost since boot. A container
shares its host's audit and can't answer.

Source: auditctl(8). Debian 13, audit 4.0:

    enabled 1
    pid 411
    lost 0
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.facts import Facts
from checks.servers.probes import auditd
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="ids.auditd",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(auditd.PROBE,),
    title=msg("the kernel's audit is on, has rules, and loses nothing"),
    remedy=msg("Enable auditd, load rules with 'augenrules --load', and raise the backlog (-b) if records are lost."),
    exempt_roles=("container",),
)
def judge(facts: Facts) -> CheckOutcome:
    audit = facts[auditd.PROBE]
    if audit.enabled not in {1, 2}:
        return failed("disabled", msg("the kernel's audit is off"))
    if audit.pid <= 0:
        return failed("no-daemon", msg("no daemon collects the kernel's audit records"))
    if not audit.rules:
        return failed("no-rules", msg("the kernel's audit has no rule"))
    if audit.lost:
        return failed("records-lost", nmsg("{n} audit record was lost", "{n} audit records were lost", audit.lost))
    return passed(
        nmsg("{n} rule is loaded, and nothing was lost", "{n} rules are loaded, and nothing was lost", audit.rules)
    )
