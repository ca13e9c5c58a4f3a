"""Every login over SSH and every use of sudo is somebody's, and logins came from where members are.

Article 12.5: each member answers for what is done with their access. That needs a name behind every login and every use of
root.

The rule: each login that sshd accepted within {within_days} days was by a key of a declared member, or else to an account
declared as one member's own. And it came from a network declared under `admin_ranges`. A password on an account of two, or
of nobody, is nobody's login. That there was no other login is believed only of a journal that goes back {within_days} days.
Every sshd that listens must log at INFO or above it, for each user and address that its `Match` blocks name. And lastlog, if
the host has one, must know of no login over the network of an account that the journal does not have. Otherwise the answer
is unknown.

Each use of sudo within {within_days} days was by an account that stands for exactly one member: by `accounts`, and by whose
keys came in to it. An account of two, or to which two came in, or of nobody, is nobody's use. A declared service account
may use it without a terminal, as a program does; root's own use makes nobody more than they are. Of a use the account, the
target, the time and the terminal are kept, and never what was run. That there was no other one is believed only where sudo
writes each into the system's log, by its rules of now; somebody who became root can change the journal. Logins at the
machine itself, and `su` and similar programs, are not covered.

Sources: journalctl(1), sshd(8), sshd_config(5), lastlog(8), sudoers(5). OpenSSH 10.0 on Debian 13 (the program is called sshd
before 9.8), and sudo 1.9.16:

    sshd-session[102]: Accepted publickey for an from 198.18.0.1 port 36218 ssh2: ED25519 SHA256:o2QmsD638M4m...
    sudo[184]:       an : TTY=pts/1 ; PWD=/home/an ; USER=root ; COMMAND=/usr/bin/tty
"""

from __future__ import annotations

from checks.servers.accounts._journal import PERIOD, gap
from checks.servers.accounts._people import owner_of_key, owners_of_account
from checks.servers.accounts._sudo import nobodys_uses, unseen_uses, use_shown
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import lastlog, logins, sshd_config, sshd_outside, sshd_servers, sudo_uses, sudoers
from checks.servers.probes.logins import Login
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="acct.login-attribution",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(logins.PROBE,),
    uses=(sshd_config.PROBE, sshd_outside.PROBE, sshd_servers.PROBE, lastlog.PROBE, sudo_uses.PROBE, sudoers.PROBE),
    title=msg("every login over SSH is a member's, from a declared network, and so is every use of sudo"),
    remedy=msg(
        "Find out who it was; record a login that belongs to nobody with 'portalops incident open --kind "
        "credential --finding HOST:acct.login-attribution', and give each person a key and an account of "
        "their own."
    ),
    numbers={"within_days": PERIOD.days},
)
def judge(facts: Facts) -> CheckOutcome:
    found, members, ranges = facts[logins.PROBE], facts.declared.members, facts.declared.admin_ranges
    recent = [one for one in found.accepted if one.at >= facts.at - PERIOD]
    if members is None or ranges is None:
        return unknown(
            "not-declared",
            msg(
                "members and their networks are not declared; seen: {names}",
                names=listed(sorted({*map(_shown, recent), *_uses_shown(facts)})) or "-",
            ),
        )
    nobodys = sorted({_shown(one) for one in recent if not _is_members(one, facts)})
    if nobodys:
        return failed(
            "login-unattributed", msg("logins that belong to no declared member: {names}", names=listed(nobodys))
        )
    elsewhere = sorted(
        {
            _shown(one)
            for one in recent
            if not any(one.address.version == each.version and one.address in each for each in ranges)
        }
    )
    if elsewhere:
        return failed("login-from-elsewhere", msg("logins from undeclared networks: {names}", names=listed(elsewhere)))
    if uses := nobodys_uses(facts):
        names = listed(sorted({use_shown(one) for one in uses}))
        return failed("sudo-unattributed", msg("uses of sudo that belong to no single member: {names}", names=names))
    if (unsure := gap(facts) or unseen_uses(facts)) is not None:
        return unsure
    if not recent:
        return passed(
            msg(
                "nobody logged in over SSH in the last {days} days; the journal goes back to {at}",
                at=found.oldest_at,
                days=PERIOD.days,
            )
        )
    return passed(
        nmsg(
            "the {n} login of the last {days} days is a member's, and so is every use of sudo",
            "each of the {n} logins of the last {days} days is a member's, and so is every use of sudo",
            len(recent),
            days=PERIOD.days,
        )
    )


def _is_members(one: Login, facts: Facts) -> bool:
    members = facts.declared.members or {}
    if one.key:
        return owner_of_key(one.key, members) is not None
    return len(owners_of_account(one.account, members)) == 1


def _uses_shown(facts: Facts) -> tuple[str, ...]:
    found = facts.get(sudo_uses.PROBE)
    return () if isinstance(found, MissingFact) else tuple(use_shown(one) for one in found.uses)


def _shown(one: Login) -> str:
    return f"{shown(one.account, 40)} ({shown(one.method, 30)}, {one.address})"
