"""Scans of servers: a part asks one host, and the job judges all answers in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.servers.probe import MissingFact
from checks.servers.runner import Answered, Errand, ask
from commands.cli.session import Session
from commands.jobs.fan import Fan
from commands.jobs.kinds.check import ScanRequest, check_work
from commands.jobs.parts import Parts
from commands.jobs.servers import known_host, shells_of
from portalops.cluster.parts import JsonValue, PartRequest
from portalops.errors import ExitCode
from portalops.ledger.runs import Work
from portalops.model.checks import HostAsked
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg, verbatim
from portalops.model.organisation import HostId
from portalops.model.verdicts import RunOutcome

Part = HostAsked
NO_ANSWER = "part-not-done"


def work(session: Session, fan: Fan) -> Work[object]:
    """Ask all hosts by the workers, this machine apart, and judge them."""
    servers = session.settings.servers
    shell_for = shells_of(servers.ways, fan.ledger)

    def askers(errands: Sequence[Errand]) -> Iterator[Answered]:
        others = {f"host-{each.host.id}": each for each in errands if each.host.address != LOCAL}
        yield from _come_back(fan, others)
        for errand in errands:
            if errand.host.address == LOCAL:  # which machine that is depends on who asks
                yield ask(errand, shell_for, clock=fan.clock, seconds=servers.host_seconds)

    return check_work(session, ScanRequest(askers=askers))


def _come_back(fan: Fan, errands: dict[str, Errand]) -> Iterator[Answered]:
    def is_of(part: str, found: HostAsked) -> bool:
        return found.host == errands[part].host.id

    parts: dict[str, dict[str, JsonValue]] = {
        name: {"spared": [*sorted(each.spared)]} for name, each in errands.items()
    }
    for part, came in fan.run_parts(parts, Part, is_of=is_of):
        host = errands[part].host.id
        if not isinstance(came, HostAsked):
            yield Answered(host, fan.clock.now(), MissingFact(NO_ANSWER, came))
        elif came.answer is None:
            said: Message = verbatim(came.problem) if isinstance(came.problem, str) else came.problem
            yield Answered(host, came.at, MissingFact(came.reason, said))
        else:
            yield Answered(host, came.at, fan.blob(came.answer))


def do(session: Session, request: PartRequest) -> Work[HostAsked]:
    """Ask one host, and keep its answer."""
    settings, ledger = session.settings, session.writable_ledger
    host = known_host(settings.hosts, request.part.removeprefix("host-"))
    spared = request.details.get("spared")
    names = frozenset(each for each in spared if isinstance(each, str)) if isinstance(spared, list) else frozenset()
    shell_for, seconds = shells_of(settings.servers.ways, ledger), settings.servers.host_seconds
    answered = ask(Errand(host, names), shell_for, clock=session.clock, seconds=seconds)
    if isinstance(answered.answer, MissingFact):
        asked = HostAsked(HostId(host.id), answered.at, (), answered.answer.reason, answered.answer.seen)
        problem = msg("{host}: {problem}", host=host.id, problem=answered.answer.seen)
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, asked, (problem,))
    digest = ledger.keep(answered.answer)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, HostAsked(HostId(host.id), answered.at, (digest,)))


PARTS = Parts(part=Part, work=work, do=do)
