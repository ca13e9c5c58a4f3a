"""The job `check`: asks every host, judges the answers, and says how the scan went."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from checks.servers.lookup import load
from checks.servers.runner import run_checks
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.outside import find_outside_view
from commands.jobs.own import own_of, records_of
from commands.jobs.portal_accounts import poll_portals, portals_of, record_accounts
from commands.jobs.scan_parts import HostRecords
from commands.jobs.servers import shells_of
from portalops.errors import ExitCode, worst
from portalops.ledger.runs import Work
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.registers.findings import read_findings, waived_fails
from portalops.registers.waivers import read_waivers

if TYPE_CHECKING:
    from checks.servers.by_hand import SuppliedAnswer
    from checks.servers.check import Check
    from checks.servers.declared import Declared
    from checks.servers.lookup import Vulnerabilities
    from checks.servers.outside_scan import Outside
    from checks.servers.own import Own
    from checks.servers.runner import Askers
    from portalops.ledger.ledger import Ledger
    from portalops.ledger.not_begun import LedgerNotBegun
    from portalops.model.checks import HostScan
    from portalops.model.organisation import Host
    from portalops.ports import Clock, EvidenceStore, Progress, Shell


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """How a person wants a scan."""

    from_outside: bool = False
    """Also as the configuration says."""
    supplied: Mapping[HostId, SuppliedAnswer] = field(default_factory=dict)
    """Answers that the person supplied, by host."""
    anew: bool = False
    """Ask the hosts also for what an earlier answer still speaks for."""
    askers: Askers | None = None
    """Who asks the hosts, if not this process."""


@dataclass(frozen=True, slots=True)
class ScanParts:
    """What hosts are scanned with, each built once."""

    hosts: tuple[Host, ...]
    declared: Declared
    shell_for: Callable[[Host], Shell]
    at_once: int
    host_seconds: int
    known: Vulnerabilities
    outside: Outside | None
    own: Own
    clock: Clock
    progress: Progress


def parts_of(
    session: Session,
    ledger: Ledger | LedgerNotBegun,
    *,
    from_outside: bool = False,
    portals_now: Mapping[str, Message | None] = MappingProxyType({}),
) -> ScanParts:
    """Return what a scan needs of a session; the rest as `find_outside_view` and `own_of` take it."""
    settings = session.settings
    bundles = settings.vulnerabilities
    records = records_of(settings, ledger, session.clock.now())
    return ScanParts(
        settings.hosts,
        records.declared,
        shells_of(settings.servers.ways, ledger),
        settings.servers.at_once,
        settings.servers.host_seconds,
        load(bundles.bundles, bundles.keys, bundles.max_age_days),
        find_outside_view(records.declared.station, session.circumstances.host, is_asked=from_outside),
        own_of(records, settings, session.rulebook.numbers, session.runner, portals_now),
        session.clock,
        session.progress,
    )


def scan(
    parts: ScanParts,
    request: ScanRequest,
    keeper: EvidenceStore,
    some: Sequence[Check] | None = None,
    judged: Callable[[HostScan], None] = lambda _host: None,
) -> CheckScan:
    """Ask the hosts, and judge their answers by some checks or all; `judged` is told of each host when it is judged."""
    return run_checks(
        parts.hosts,
        parts.declared,
        shell_for=parts.shell_for,
        at_once=parts.at_once,
        keeper=keeper,
        clock=parts.clock,
        progress=parts.progress,
        some=some,
        known=parts.known,
        outside=parts.outside,
        own=parts.own,
        brought=request.supplied,
        anew=request.anew,
        askers=request.askers,
        host_seconds=parts.host_seconds,
        judged=judged,
    )


def check_work(session: Session, request: ScanRequest = ScanRequest()) -> Work[object]:
    """Scan the hosts, after asking the portals who can work in them: one of the checks rests on that."""
    ledger, recorder, zone = session.writable_ledger, session.recorder, session.zone_of_portal
    polls = poll_portals(portals_of(session.settings), zone, partial(record_accounts, recorder))
    unasked = {each.portal: each.found if isinstance(each.found, Message) else None for each in polls}
    parts = parts_of(session, ledger, from_outside=request.from_outside, portals_now=unasked)
    # Workers record the hosts that they ask.
    records = None if request.askers else HostRecords(ledger, session.clock, session.circumstances)
    result = scan(parts, request, ledger, judged=records.record if records else lambda _host: None)
    found = read_findings(ledger)  # after the trips, which take a while
    waivers, numbers = read_waivers(ledger).waivers, session.rulebook.numbers
    waived = waived_fails(result.results(), waivers, numbers, session.today, zone)
    work = work_of_checks(replace(result, findings=found.carried()), waived)
    return add_portals(work, [each for each in unasked.values() if each is not None])


def add_portals(work: Work[object], unasked: Sequence[Message]) -> Work[object]:
    """Return a scan's work with why portals could not be asked for their accounts: it is not complete then."""
    if not unasked:
        return work
    outcome = RunOutcome.INCOMPLETE if work.outcome is RunOutcome.COMPLETE else work.outcome
    code = worst([work.exit_code, ExitCode.PARTIAL])
    return Work(outcome, code, work.result, (*work.problems, *unasked))


def work_of_checks(result: CheckScan, waived: Collection[tuple[HostId, str]] = ()) -> Work[object]:
    """Judge how a scan went: one of no host is none.

    Args:
        result: the scan.
        waived: host and check of fails that somebody in charge decided to accept.
    """
    if all(host.standby for host in result.hosts):  # groups alone
        return Work(RunOutcome.FAILED, ExitCode.PARTIAL, result, (msg("no host is declared, so nothing was checked"),))
    problems = unreached(result)
    outcome = RunOutcome.INCOMPLETE if problems else RunOutcome.COMPLETE
    return Work(outcome, exit_code_of_checks(result.results(), waived), result, problems)


def unreached(result: CheckScan) -> tuple[Message, ...]:
    """Return each host that was not reached, with why."""
    return tuple(
        msg("{host}: {problem}", host=host.host, problem=host.problem) for host in result.hosts if not host.reached
    )


def exit_code_of_checks(results: Sequence[CheckResult], waived: Collection[tuple[HostId, str]] = ()) -> ExitCode:
    """Return 70 if a check crashed, else 1 if one fails without a waiver, else 3 if one is unknown or none was judged, else 0."""
    if not results:
        return ExitCode.PARTIAL
    codes = {
        CheckVerdict.ERROR: ExitCode.FAULT,
        CheckVerdict.FAIL: ExitCode.UNMET,
        CheckVerdict.UNKNOWN: ExitCode.PARTIAL,
    }
    return worst(codes.get(one.verdict, ExitCode.OK) for one in results if (one.host, one.check) not in waived)


JOB = JobWork(work=check_work)
