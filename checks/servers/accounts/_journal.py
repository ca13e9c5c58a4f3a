"""Whether what sshd wrote into the journal is a list of all logins over SSH: only then does "none of another" mean anything.

sshd writes down a login at its level INFO and above it; at QUIET, FATAL and ERROR it lets people in without a word.
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, missing, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import lastlog, logins, sshd_config, sshd_outside, sshd_servers
from checks.servers.ssh._servers import unsure
from checks.servers.wording import listed
from portalops.model.message import msg

PERIOD = timedelta(days=31)
TELLING = frozenset({"INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"})
"""Levels of sshd_config(5) at which an accepted login is written down."""


def silence(facts: Facts) -> CheckOutcome | None:
    """Return why sshd may let people in without writing it down, by its settings of now; None where it does not.

    What held some weeks ago nobody can tell.
    """
    for probe in (sshd_config.PROBE, sshd_outside.PROBE):
        settings = facts.get(probe)
        if isinstance(settings, MissingFact):
            return missing(settings)
        level = settings.get("loglevel", "-")
        if level.upper() not in TELLING:
            return unknown("log-level", msg("sshd logs at level {level}, which omits logins", level=shown(level, 20)))
    found = facts.get(logins.PROBE)
    if not isinstance(found, MissingFact) and found.is_level_matched:
        return unknown("log-level-by-match", msg("a Match block may make sshd omit some logins"))
    servers = facts.get(sshd_servers.PROBE)
    if isinstance(servers, MissingFact):
        return missing(servers)
    for one in (each for server in servers for each in server.effects):
        if (level := one.settings.get("loglevel", "-")).upper() not in TELLING:
            return unknown("log-level", msg("sshd logs at level {level}, which omits logins", level=shown(level, 20)))
    return unsure(servers)


def gap(facts: Facts) -> CheckOutcome | None:
    """Return why logins of the last 31 days may be missing from the journal; None where none can be.

    lastlog is looked at where the host has it: it counts logins with a terminal whatever sshd logs.
    """
    found = facts.get(logins.PROBE)
    if isinstance(found, MissingFact):
        return missing(found)
    if (silent := silence(facts)) is not None:
        return silent
    if found.oldest_at > facts.at - PERIOD:
        return unknown(
            "log-too-short",
            msg("the journal begins at {at} and does not go back {days} days", at=found.oldest_at, days=PERIOD.days),
        )
    unseen = _only_in_lastlog(facts)
    if unseen:
        return unknown(
            "login-not-in-journal",
            msg("lastlog has logins that the journal lacks: {names}", names=listed(unseen)),
        )
    return None


def _only_in_lastlog(facts: Facts) -> list[str]:
    """Return the accounts that came in from elsewhere within the period, and not once by what the journal says."""
    table, journal = facts.get(lastlog.PROBE), facts.get(logins.PROBE)
    if isinstance(table, MissingFact) or isinstance(journal, MissingFact):
        return []
    oldest = facts.at - PERIOD
    told = {one.account for one in journal.accepted if one.at >= oldest}
    return sorted(
        shown(name, 40)
        for name, last in table.items()
        if last is not None and last.is_remote and last.at >= oldest and name not in told
    )
