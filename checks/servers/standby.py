"""Checks of hosts that stand by for each other: they judge the facts of all members of a declared group, of one round.

    @group_check(id="ha.vip", kinds=("vip",), clause="12.3", severity=Severity.CRITICAL, needs=(addresses.PROBE,), ...)
    def judge(facts: GroupFacts) -> Outcome: ...

One member alone can't tell: each of two sees that it holds the address. So a fact that one member lacks makes the check
unknown for the group. Where no group of the kind is declared, the check is unknown too, unless the portal declares that it
has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checks.servers.check import Check, CheckOutcome, guarded, numbered, page_of, unknown
from checks.servers.declared import Declared, GroupDeclared, StandbyKind
from checks.servers.facts import Facts, found_in
from checks.servers.probe import FactT, MissingFact, Probe, shown
from portalops.model.checks import CheckResult, HostScan
from portalops.model.message import Message, msg
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.verdicts import CheckVerdict, Severity


@dataclass(frozen=True, slots=True)
class MemberAnswer:
    """What one member said in a round."""

    host: Host
    at: datetime
    found: Mapping[str, object]
    """By probe id: the parsed value, or `Missing`."""
    evidence: tuple[Digest, ...]
    """The answer; none if the host was not reached."""


def read_member(
    host: Host, at: datetime, answer: bytes | MissingFact, probes: Mapping[str, Probe[Any]]
) -> MemberAnswer:
    """Take from a kept answer, or from why there is none, what groups are judged by."""
    if isinstance(answer, MissingFact):
        return MemberAnswer(host, at, dict.fromkeys(probes, answer), ())
    return MemberAnswer(host, at, found_in(answer, probes, at)[0], (Digest(hashlib.sha256(answer).hexdigest()),))


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """What a check across hosts may judge by."""

    group: GroupDeclared
    at: datetime
    """When the last member's answer was received, UTC."""
    members: Mapping[str, Facts]
    """By host id, in the order in which they are declared."""

    def __getitem__(self, probe: Probe[FactT]) -> dict[str, FactT]:
        """Return a fact that the check names in `needs`, of every member."""
        return {name: facts[probe] for name, facts in self.members.items()}


@dataclass(frozen=True, slots=True)
class GroupCheck(Check):
    """A check that takes several hosts to answer."""

    kinds: frozenset[StandbyKind]
    """Of the groups that it is about."""
    judge_together: Callable[[GroupFacts], CheckOutcome]


def group_check(
    *,
    id: str,  # noqa: A002  # the field's word
    kinds: tuple[StandbyKind, ...],
    clause: str,
    severity: Severity,
    needs: tuple[Probe[Any], ...],
    title: Message,
    remedy: Message,
    uses: tuple[Probe[Any], ...] = (),
    numbers: Mapping[str, int] | None = None,
) -> Callable[[Callable[[GroupFacts], CheckOutcome]], GroupCheck]:
    """Make a check of a rule over a group; the docstring of the rule's module becomes its page."""
    put_in = numbers or {}

    def made(judge: Callable[[GroupFacts], CheckOutcome]) -> GroupCheck:
        return GroupCheck(
            id,
            clause,
            severity,
            numbered(title, put_in),
            numbered(remedy, put_in),
            needs,
            uses,
            frozenset(),
            _alone,
            page_of(judge, put_in),
            put_in,
            frozenset(kinds),
            judge,
        )

    return made


def judge_groups(
    looks: Mapping[str, MemberAnswer], declared: Declared, at: datetime, some: Sequence[Check]
) -> tuple[HostScan, ...]:
    """Judge every declared group by what its members said; the first time is no different from the tenth.

    Args:
        looks: by host id; a member that is not in here was not looked at.
        declared: what was declared then.
        at: when the round was judged, UTC, for groups of which nothing was received.
        some: the checks to judge; those of single hosts are passed over.
    """
    wanted = sorted((one for one in some if isinstance(one, GroupCheck)), key=lambda one: one.id)
    rounds = []
    for name, group in sorted(declared.group.items()):
        own = [one for one in wanted if group.kind in one.kinds]
        if own:
            rounds.append(_judge_group(name, own, looks, declared, at))
    used = {group.kind for group in declared.group.values()}
    for kind in sorted({kind for one in wanted for kind in one.kinds} - used):
        results = tuple(_undeclared(one, kind, declared) for one in wanted if kind in one.kinds)
        rounds.append(HostScan(HostId(kind), at, reached=True, problem="", results=results, standby=kind))
    return tuple(rounds)


def members_of(declared: Declared) -> frozenset[str]:
    """Return the hosts that belong to any group."""
    return frozenset(member for group in declared.group.values() for member in group.members)


def _judge_group(
    name: str, some: Sequence[GroupCheck], looks: Mapping[str, MemberAnswer], declared: Declared, at: datetime
) -> HostScan:
    group = declared.group[name]
    seen = {member: looks[member] for member in group.members if member in looks}
    members = {member: Facts(one.host, declared.find_host(member), one.at, one.found) for member, one in seen.items()}
    facts = GroupFacts(group, max((one.at for one in seen.values()), default=at), members)
    evidence = tuple(digest for one in seen.values() for digest in one.evidence)
    unreached = [member for member in group.members if member not in seen or not seen[member].evidence]
    return HostScan(
        HostId(name),
        facts.at,
        reached=not unreached,
        problem=shown(", ".join(unreached), 200),
        results=tuple(_result(name, one, _outcome(one, facts), evidence) for one in some),
        standby=group.kind,
        members=tuple(HostId(member) for member in group.members),
    )


def _outcome(one: GroupCheck, facts: GroupFacts) -> CheckOutcome:
    for member in facts.group.members:
        if member not in facts.members:
            return unknown("member-not-looked-at", msg("{host}: was not scanned", host=member))
        for missing in _lacking(one, facts.members[member]):
            return unknown(missing.reason, msg("{host}: {seen}", host=member, seen=missing.seen))
    return guarded(lambda: one.judge_together(facts))


def _lacking(one: GroupCheck, facts: Facts) -> Iterator[MissingFact]:
    for probe in one.needs:
        fact = facts.get(probe)
        if isinstance(fact, MissingFact):
            yield fact


def _undeclared(one: GroupCheck, kind: StandbyKind, declared: Declared) -> CheckResult:
    if kind in declared.no_standby:
        said = msg("the portal declares that it has no standby of the kind {kind}", kind=kind)
        return _result(kind, one, CheckOutcome(CheckVerdict.NOT_APPLICABLE, "declared-none", said), ())
    said = msg("no group of hosts of the kind {kind} is declared", kind=kind)
    return _result(kind, one, unknown("no-group", said), ())


def _result(name: str, one: GroupCheck, outcome: CheckOutcome, evidence: tuple[Digest, ...]) -> CheckResult:
    return CheckResult(
        check=one.id,
        host=HostId(name),
        clause=one.clause,
        severity=one.severity,
        verdict=outcome.verdict,
        reason=outcome.reason,
        message=outcome.message,
        remedy=one.remedy if outcome.verdict is CheckVerdict.FAIL else None,
        evidence=evidence,
    )


def _alone(_facts: Facts) -> CheckOutcome:
    return unknown("needs-group", msg("this check needs several hosts"))
