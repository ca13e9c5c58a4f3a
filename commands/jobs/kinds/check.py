"""The job `check`: asks every host, judges the answers, and says how the scan went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.outside import find_outside_view
from commands.jobs.own import own_of
from commands.jobs.portal_accounts import poll_portals, portals_of
from commands.jobs.servers import shells_of
from commands.jobs.vulnerabilities import known_vulnerabilities
from portalops.errors import ExitCode, worst
from portalops.ledger.runs import Work
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.registers.findings import read_findings, waived_fails
from portalops.registers.waivers import RecordedWaiver, read_waivers

if TYPE_CHECKING:
    from checks.servers.by_hand import SuppliedAnswer
    from checks.servers.runner import Askers


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


def check_work(session: Session, request: ScanRequest = ScanRequest()) -> Work[object]:
    """Scan the hosts, after asking the portals who can work in them: one of the checks rests on that."""
    polls = poll_portals(session, portals_of(session))
    unasked = {each.portal: each.found if isinstance(each.found, Message) else None for each in polls}
    result = run_checks(
        session.settings.hosts,
        session.settings.declared.parse(Declared),
        shell_for=shells_of(session),
        at_once=session.settings.servers.at_once,
        keeper=session.writable_ledger,
        clock=session.clock,
        progress=session.progress,
        known=known_vulnerabilities(session),
        outside=find_outside_view(session, is_asked=request.from_outside),
        own=own_of(session, unasked),
        brought=request.supplied,
        anew=request.anew,
        askers=request.askers,
    )
    found = read_findings(session.writable_ledger)  # after the trips, which take a while
    work = work_of_checks(replace(result, findings=found.carried()), waived_of(session, result.results()))
    return add_portals(work, [each for each in unasked.values() if each is not None])


def add_portals(work: Work[object], unasked: Sequence[Message]) -> Work[object]:
    """Return a scan's work with why portals could not be asked for their accounts: it is not complete then."""
    if not unasked:
        return work
    outcome = RunOutcome.INCOMPLETE if work.outcome is RunOutcome.COMPLETE else work.outcome
    code = worst([work.exit_code, ExitCode.PARTIAL])
    return Work(outcome, code, work.result, (*work.problems, *unasked))


def waived_of(session: Session, results: Iterable[CheckResult]) -> Mapping[tuple[HostId, str], RecordedWaiver]:
    """Return the waivers in force today beside the checks that fail; none before there is a ledger."""
    waivers = read_waivers(session.reader).waivers
    today = session.clock.now().astimezone(session.zone_of_portal).date()
    return waived_fails(results, waivers, session.rulebook.numbers, today, session.zone_of_portal)


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
