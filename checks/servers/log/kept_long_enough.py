"""Logs are kept for as long as the portal's security level asks.

An intrusion is found out weeks after it happened; what was thrown away by then can't be looked into. Article 12.4 asks that
weaknesses are found and remedied.

The rule: the oldest line of the system's journal, or the oldest file of logins, is at least the declared number of days old
({default_days} where nothing is declared: three months are asked of level 3). One old line or file proves nothing: a log
counts from what is written now, back as far as no number of a file is missing, and no file or line that was read is more
than {apart_days} days older than the next. Users' own journals do not count, nor does one that is written to memory and
ends with the next start. A host that is younger than what is asked
can't show it: unknown. So is one whose journald keeps warnings and worse alone (`MaxLevelStore`), nothing (`Storage=none`), or fewer than
{least_burst} messages of a service at a time (`RateLimitBurst`). It does not see what programs are told not to log.

Sources: journalctl(1), logrotate(8). Debian 13:

    1795612800.123456 web1 systemd[1]: Started ...
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.declared import default_number
from checks.servers.facts import Facts
from checks.servers.probes import logs_kept
from checks.servers.probes.logs_kept import APART, LEAST_BURST
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="log.retention",
    clause="12.4",
    severity=Severity.MEDIUM,
    needs=(logs_kept.PROBE,),
    title=msg("logs are kept for as long as the portal's security level asks"),
    remedy=msg(
        "Raise SystemMaxUse and MaxRetentionSec in journald.conf with Storage=persistent, or 'rotate' of logrotate."
    ),
    numbers={"default_days": default_number("log_days"), "apart_days": APART.days, "least_burst": LEAST_BURST},
)
def judge(facts: Facts) -> CheckOutcome:
    kept, asked = facts[logs_kept.PROBE], timedelta(days=facts.declared.log_days)
    since = kept.kept_since(facts.at)
    if kept.is_volatile and (since is None or facts.at - since < asked):
        return failed("volatile", msg("the journal is kept in memory alone, and no log of logins goes back far enough"))
    if since is None and kept.logs:
        newest = max(times[0] for times in kept.logs)
        return unknown("logs-ended", msg("no log continues until now: the newest entry is of {at}", at=newest))
    if since is None:
        return unknown("no-logs", msg("the host has neither a journal nor a log of logins that could be read"))
    if is_ahead(since, facts.at):
        return unknown("log-in-future", msg("the oldest log is dated in the future, {at}", at=since))
    if facts.at - since >= asked and kept.drops:
        return unknown(
            "lines-dropped",
            msg("settings of journald drop lines before they are kept: {names}", names=listed(kept.drops)),
        )
    if facts.at - since >= asked:
        return passed(msg("logs go back to {at}", at=since))
    if kept.born_at is not None and facts.at - kept.born_at < asked:
        return unknown(
            "host-young",
            msg("logs go back to {at}; the host itself was installed at {born}", at=since, born=kept.born_at),
        )
    return failed(
        "cut-earlier", msg("logs go back only to {at}; {n} days are required", at=since, n=facts.declared.log_days)
    )
