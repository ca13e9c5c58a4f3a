"""The kernel's audit is on, has rules, and loses nothing.

Who changed an account or read a secret is found out afterwards from these records alone. Article 12.3 asks for software
against intrusion.

The rule: audit is enabled, a daemon takes its records and wrote some within {written_days} days, and at least one
loaded rule writes records. None was lost since boot, and the files that the next start loads hold rules as well. A rule
`never` without a condition silences what stands behind it, and one for tasks every system call. A container shares its
host's audit and can't answer.

Source: auditctl(8). Debian 13, audit 4.0:

    enabled 1
    pid 411
    lost 0
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probes import auditd
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

WRITTEN_WITHIN = timedelta(days=1)
"""Each login and each sudo is a record, also those of this look."""


@check(
    id="ids.auditd",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(auditd.PROBE,),
    title=msg("the kernel's audit is on, has rules, and loses nothing"),
    remedy=msg("Enable auditd, load rules with 'augenrules --load', and raise the backlog (-b) if records are lost."),
    exempt_roles=("container",),
    numbers={"written_days": WRITTEN_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    audit = facts[auditd.PROBE]
    if audit.enabled not in {1, 2}:
        return failed("disabled", msg("the kernel's audit is off"))
    if audit.pid <= 0:
        return failed("no-daemon", msg("no daemon collects the kernel's audit records"))
    if not audit.rules:
        return failed("no-rules", msg("the kernel's audit has no rule"))
    if not audit.recording:
        if audit.is_silenced:
            return failed("silenced", msg("a rule of the kernel's audit keeps everything from being written"))
        return failed("never-alone", msg("no rule of the kernel's audit writes a record"))
    if audit.lost:
        return failed("records-lost", nmsg("{n} audit record was lost", "{n} audit records were lost", audit.lost))
    if audit.saved == 0:
        return failed("lost-at-start", msg("the kernel's audit has rules, but no file loads any at the next start"))
    if audit.written_at is None and audit.saved is not None:
        return unknown("no-log", msg("the log of the kernel's audit was not found"))
    if audit.written_at is not None and is_ahead(audit.written_at, facts.at):
        return unknown(
            "written-in-future", msg("{file} was last written to at {at}", file="audit.log", at=audit.written_at)
        )
    if audit.written_at is not None and facts.at - audit.written_at > WRITTEN_WITHIN:
        return failed(
            "not-written", msg("the log of the kernel's audit was last written to at {at}", at=audit.written_at)
        )
    return passed(
        nmsg("{n} rule is loaded, and nothing was lost", "{n} rules are loaded, and nothing was lost", audit.recording)
    )
