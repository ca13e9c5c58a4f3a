"""No grave weakness of a host is open, and none is past its day."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg
from portalops.model.verdicts import Severity
from portalops.registers.findings import stand

PRESSING = frozenset({Severity.CRITICAL, Severity.HIGH})
"""Open findings of these have an alarm from their first day; others from the day on by which they were to be fixed."""


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each finding as it stands; a waived one is right for as long as its waiver is in force."""
    evidence = facts.evidence
    for each in stand(evidence.findings, evidence.waivers, facts.rulebook.numbers, facts.today, evidence.zone):
        finding = each.finding
        key = key_of("finding", finding.id)
        if each.is_late:
            what = msg(
                "{host}, {check}: was to be fixed by {day}", host=finding.host, check=finding.check, day=each.due_on
            )
            problem = "late"
        elif finding.is_open and each.waiver is None and finding.severity in PRESSING:
            what = msg(
                "{host}, {check}: fails; to be fixed by {day}", host=finding.host, check=finding.check, day=each.due_on
            )
            problem = "open"
        else:
            yield SoundThing(key, (finding.last_seen_seq,))
            continue
        hint = msg("Run 'portalops check show {check}': it says what was seen and what mends it.", check=finding.check)
        yield AlarmCause(
            key, problem, what, hint, duties=facts.duties_of(finding.check), records=(finding.last_seen_seq,)
        )


def expected(facts: AlarmFacts) -> tuple[str, ...]:
    """Return every finding of a host that is configured."""
    return tuple(each.id for each in facts.evidence.findings if each.host in facts.hosts)


CAUSE = CauseKind(find=find, expected=expected, word=msg("finding {id}"))
