"""What changed at the host falls under an approved change.

Article 12.2: upgrades, maintenance and changes are notified and agreed to before they are made. Comparing a host's answers
of two days shows what changed between them, whether anybody recorded it or not.

Watched are content, mode and owner of every file in /etc (also of those with secrets, by a digest that is keyed on the host),
of local programs, of unit files and of what root's shell and SSH read; files with setuid, setgid or capabilities anywhere;
passwords that are set or taken away; and accounts that were made and deleted between two scans. The search for setuid files
is made once a week, so their changes lie between two searches.

The rule: every package, configuration file, permission, password, account, group, SSH key, waiting port, unit that starts automatically, cron
file, package source, content management system, database table and start of the host that differs from the scan before
falls under a window that is declared or approved in the register of changes, under a standing approval, or, of a start,
under an incident. A window of the register begins with its approval at the earliest. What only the configuration approves
is unknown: it may be written there afterwards, and no decision is kept with it. What was changed while the package manager
ran stands as that run does. A change falls under a window only with all that is not known of its time: the host's clock is
measured at each scan and corrected for, and a change without a time of its own happened between the two scans. Of a change
that lies in a window only with a part of that, it is unknown whether it was approved; the same holds for what one of the
two scans lacks. What the scan before lacks is compared with the newest earlier scan that has it. Of a file whose content
bears a time (mtime) of before its last change (ctime), it is not known when in between it was written: mode and owner move
the last change too.

What is found outside stays outside, from answer to answer, until an approval that covers it is recorded (an emergency is
regularised so), or until the thing is again as it was. A host that was set up anew differs in everything, and is named once,
as rebuilt. `portalops change drift` shows each change with both moments: when it happened, and when it was approved.

Sources: apt's history.log, rpm(8), stat(2) on ctime, journalctl(1), machine-id(5). Of a host of Debian 13:

    {"after":"1.26.3-3+deb13u2","before":"1.26.3-3+deb13u1","happened_at":"2026-11-26T10:02:11Z","kind":"package","name":"nginx"}
"""

from __future__ import annotations

from checks.servers.approvals import allowed
from checks.servers.attribution import ChangePlace, Placed
from checks.servers.change._approved import declared_alone, judge_future_since
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.comparing import placed_in
from checks.servers.drifting import probes, word_of
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import drift, own_changes, own_incidents
from checks.servers.wording import listed
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.drift",
    clause="12.2",
    severity=Severity.HIGH,
    needs=(drift.PROBE,),
    uses=(own_changes.PROBE, own_incidents.PROBE, *probes().values()),
    title=msg("every change on the host falls under an approved change"),
    remedy=msg(
        "See 'portalops change drift'; have the change approved and record it, or set the host back to what it was before."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found, declared = facts[drift.PROBE], facts.declared.changes
    recorded = facts.get(own_changes.PROBE)
    if declared is None and isinstance(recorded, MissingFact) and recorded.reason in {"no-register", "not-gathered"}:
        return unknown(
            "not-declared",
            nmsg(
                "no approved changes are declared or recorded; seen since {at}: {n} change",
                "no approved changes are declared or recorded; seen since {at}: {n} changes",
                len(found.changed),
                at=found.after_at,
            ),
        )
    if (ahead_of_now := judge_future_since(facts)) is not None:
        return ahead_of_now
    every = [one for one in placed_in(found, facts) if declared is None or one.drifted.span()[1] >= declared.since]
    outside = [one for one in every if one.place is ChangePlace.OUTSIDE]
    unsure = [one for one in every if one.place is ChangePlace.UNKNOWN]
    if outside:
        return failed("drift-unapproved", _outside(outside))
    if unsure:
        return unknown(
            "drift-unclear",
            nmsg(
                "it is not clear whether {n} change was approved: {what}: {why}",
                "it is not clear whether {n} changes were approved, the first of them {what}: {why}",
                len(unsure),
                what=_named(unsure[0]),
                why=unsure[0].why,
            ),
        )
    if found.unknown:
        first = found.unknown[0]
        return unknown(
            first.why.reason,
            msg("{kind}: it is not known whether any changed: {why}", kind=word_of(first.kind), why=first.why.seen),
        )
    if found.left_out:
        return unknown("too-much", msg("{n} changes are not listed, since there are too many", n=found.left_out))
    if alone := [one.drifted.span()[0] for one in every if one.is_declared]:
        return declared_alone(allowed(declared, recorded), alone)
    return passed(
        nmsg(
            "{n} change since {at}, and it was approved",
            "{n} changes since {at}, and all were approved",
            len(every),
            at=found.after_at,
        )
    )


def _named(one: Placed) -> Message:
    return msg("{kind} {name}", kind=word_of(one.drifted.kind), name=listed([one.drifted.name]))


def _outside(outside: list[Placed]) -> Message:
    first = outside[0]
    names = listed([one.drifted.name for one in outside])
    if first.drifted.happened_at is None:
        return nmsg(
            "{n} change under no approval: {names}; {first} between {after} and {before}: {why}",
            "{n} changes under no approval: {names}; {first} between {after} and {before}: {why}",
            len(outside),
            names=names,
            first=_named(first),
            after=first.drifted.after_at,
            before=first.drifted.before_at,
            why=first.why,
        )
    return nmsg(
        "{n} change under no approval: {names}; {first} at {at}: {why}",
        "{n} changes under no approval: {names}; {first} at {at}: {why}",
        len(outside),
        names=names,
        first=_named(first),
        at=first.drifted.happened_at,
        why=first.why,
    )
