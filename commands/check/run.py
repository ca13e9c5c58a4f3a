"""Check the servers now

Connects to every host once, judges the answers and records the scan. --host, --check or --family scan a part; a part
is shown and not recorded, because it is no evidence of a whole scan. --outside adds an outside scan, as a stranger
sees the hosts. A recorded outside scan is valid for seven days; without one, checks that need it are unknown. Slow
questions are asked once a week; --anew asks them now. --facts reads a host's answer to 'host script' from a file
supplied by hand, and does not connect to it.

Example: portalops check run; portalops check run --family ssh; portalops check run --facts old1.facts --by NAME

EXIT STATUS: 0 every check passes or is waived, 1 one fails, 3 one is unknown and none fails. With --nagios: 0 OK, 1
WARNING, 2 CRITICAL, 3 UNKNOWN
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checks.servers.by_hand import FILE_BYTES, opened
from checks.servers.catalogue import chosen
from commands.check.options import Families, Hosts
from commands.check.steps import describe_suppliers
from commands.check.views import ShownResult, results_page, waived_of
from commands.cli.nagios import CRITICAL, OK, UNKNOWN, WARNING, Option, PluginAnswer, guarded
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.texts import required_texts
from commands.cli.verb import Verb
from commands.jobs.kinds.check import ScanRequest, check_work, parts_of, scan, unreached
from commands.jobs.performed import PerformedJob, ShownJob
from commands.jobs.runner import perform_now
from commands.jobs.servers import all_probes, known_host
from portalops import bodies
from portalops.compliance.ledger_checks import record_checks
from portalops.errors import FactsRefused, UnknownCheck, UsageError
from portalops.ledger.record import NO_RUN, Draft
from portalops.ledger.runs import Work
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.message import Message, msg, nmsg, together
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.rulebook import Rulebook
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.hosts import BROUGHT, BROUGHT_KEY, RecordedScript, read_scripts
from portalops.reports.document import Notice

if TYPE_CHECKING:
    from checks.servers.by_hand import SuppliedAnswer

Facts = Annotated[
    list[Path] | None,
    typer.Option("--facts", metavar="FILE", help=_("The answer of 'host script', supplied by hand; may be repeated")),
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who supplied the files of --facts"))]


def read_supplied(session: Session, files: Sequence[Path], by: str) -> dict[HostId, SuppliedAnswer]:
    """Return the answers in files that a person supplied, by host.

    Raises:
        FactsRefused: a file is not taken.
        UsageError: a file cannot be read, nobody is named, or two files are of one host.
    """
    if not files:
        if by:
            raise UsageError(
                msg("--by is given without --facts"), msg("Give the file with --facts FILE, or leave --by out.")
            )
        return {}
    if not by.strip():
        raise UsageError(msg("--facts needs --by"), msg("Name the person who supplied the file with --by NAME."))
    (who,) = required_texts({"--by": by})
    scripts, asked = _scripts(session), all_probes()
    found: dict[HostId, SuppliedAnswer] = {}
    for path in files:
        try:
            with path.open("rb") as file:
                data = file.read(FILE_BYTES + 1)
        except OSError as error:
            said = msg("cannot read {file}: {cause}", file=show_text(str(path), 200), cause=cause_of(error))
            raise UsageError(said, msg("Name the file that the script wrote on the host.")) from error
        try:
            one = opened(data, show_text(who, 200), scripts, asked, session.clock.now())
        except FactsRefused as error:
            said = msg("{file}: {cause}", file=show_text(str(path), 200), cause=error.message)
            raise FactsRefused(said, error.hint) from error
        known = known_host(session.settings.hosts, one.facts.host)
        if known.id in found:
            raise UsageError(
                msg("two files hold answers of host {host}", host=known.id), msg("Give one file for each host.")
            )
        found[known.id] = one
    return found


def take(session: Session, brought: Mapping[HostId, SuppliedAnswer]) -> None:
    """Record that answers were imported, so that none is imported twice.

    Raises:
        FactsRefused: another run imported one in the meantime; nothing is recorded.
    """
    ledger = session.writable_ledger
    drafts = [
        ledger.draft(
            BROUGHT,
            run=NO_RUN,
            subject=host,
            duty="12.1",
            body=ledger.keep(bodies.write({"circumstances": session.circumstances, BROUGHT_KEY: each.facts})),
        )
        for host, each in brought.items()
    ]

    def decide() -> Sequence[Draft]:
        scripts = read_scripts(ledger)
        for host, each in brought.items():
            script = scripts.get(each.facts.mark)
            if script is None or script.answered_in is not None:
                raise FactsRefused(
                    msg("another run imported the answer of {host} in the meantime", host=host),
                    msg("Run 'portalops host script {host}' for a new script.", host=host),
                )
        return drafts

    if drafts:
        ledger.append_decided(decide)


def _scripts(session: Session) -> dict[str, RecordedScript]:
    return read_scripts(session.reader)


Checks = Annotated[
    list[str] | None, typer.Option("--check", help=_("Only this check, such as ssh.root-login; may be repeated"))
]
Outside = Annotated[
    bool,
    typer.Option("--outside", help=_("Add an outside scan: what a stranger on the Internet sees")),
]
Anew = Annotated[bool, typer.Option("--anew", help=_("Also ask what a scan of this week has already answered"))]


def run(
    ctx: typer.Context,
    *,
    host: Hosts = None,
    check: Checks = None,
    family: Families = None,
    outside: Outside = False,
    anew: Anew = False,
    facts: Facts = None,
    by: By = "",
    as_plugin: Option = False,
) -> Result[tuple[ShownResult, ...] | ShownJob | None]:
    session = open_session(ctx)
    part = (host, check, family) if host or check or family else None
    if as_plugin:

        def seen() -> PluginAnswer:
            request = ScanRequest(outside, read_supplied(session, facts or (), by), anew)
            return _plugin(session, *_seen(session, part, request))

        return guarded(session, seen)
    request = ScanRequest(outside, read_supplied(session, facts or (), by), anew)
    if part is not None:
        found = _judge_hosts(session, *part, request=request)
        shown = results_page(session, found.results(), describe_suppliers(found))
        return replace(shown, warnings=(msg("only a part was scanned, so nothing is recorded"),))
    done = _performed(session, request)
    if not isinstance(done.result, CheckScan):
        notices = [Notice(problem) for problem in done.said]
        return Result(done.shown(), notices, exit_code=done.exit_code)
    shown = results_page(session, done.result.results(), describe_suppliers(done.result))
    unasked = done.said[len(unreached(done.result)) :]  # portals; of hosts their checks speak
    return replace(shown, warnings=unasked, exit_code=done.exit_code)


class _Digester:
    """Digests evidence without keeping it, for a part of a scan."""

    def keep(self, data: bytes) -> Digest:
        return Digest(hashlib.sha256(data).hexdigest())


def _judge_hosts(
    session: Session,
    hosts: Sequence[str] | None,
    ids: Sequence[str] | None,
    families: Sequence[str] | None,
    *,
    request: ScanRequest,
) -> CheckScan:
    """Scan a part; nothing is recorded."""
    _require_of_hosts(session.rulebook, ids or ())
    some = chosen(ids=ids or (), families=families or ())
    parts = parts_of(session, session.reader, from_outside=request.from_outside)
    return scan(replace(parts, hosts=_hosts(parts.hosts, hosts or ())), request, _Digester(), some)


def _performed(session: Session, request: ScanRequest) -> PerformedJob:
    """Do a whole scan and record it."""

    def work(each: Session) -> Work[object]:
        take(each, request.supplied)
        return check_work(each, request)

    return perform_now(session, JobKind.CHECK, work)


def _seen(
    session: Session,
    part: tuple[Sequence[str] | None, Sequence[str] | None, Sequence[str] | None] | None,
    request: ScanRequest,
) -> tuple[Sequence[CheckResult], Sequence[Message]]:
    """Scan a part or all; return the results, and why there are none or not of every host."""
    if part is not None:
        found = _judge_hosts(session, *part, request=request)
        return found.results(), unreached(found)
    done = _performed(session, request)
    return done.result.results() if isinstance(done.result, CheckScan) else (), done.said


def _plugin(session: Session, found: Sequence[CheckResult], problems: Sequence[Message]) -> PluginAnswer:
    """Say how the checks came out: fails without a waiver first, then what is unknown. OK takes at least one pass."""
    waived = waived_of(session, found)
    fails = [one for one in found if one.verdict is CheckVerdict.FAIL and (one.host, one.check) not in waived]
    unsure = [one for one in found if one.verdict in {CheckVerdict.UNKNOWN, CheckVerdict.ERROR}]
    counts = {
        "pass": sum(one.verdict is CheckVerdict.PASS for one in found),
        "fail": len(fails),
        "waived": len(waived),
        "unknown": len(unsure),
    }
    severities = tuple(Severity)
    fails.sort(key=lambda one: (severities.index(one.severity), one.host, one.check))
    if fails:
        is_grave = fails[0].severity in {Severity.CRITICAL, Severity.HIGH}
        names = ", ".join(f"{one.host}:{one.check}" for one in fails)
        said = nmsg("{n} check fails: {names}", "{n} checks fail: {names}", len(fails), names=names)
        return PluginAnswer(CRITICAL if is_grave else WARNING, said, counts)
    if problems:
        return PluginAnswer(UNKNOWN, together(problems), counts)
    if unsure:
        said = nmsg(
            "{n} check could not be answered: {names}",
            "{n} checks could not be answered: {names}",
            len(unsure),
            names=", ".join(f"{one.host}:{one.check}" for one in unsure),
        )
        return PluginAnswer(UNKNOWN, said, counts)
    if not counts["pass"]:
        return PluginAnswer(UNKNOWN, msg("no check passes, and no check fails without a waiver"), counts)
    return PluginAnswer(OK, nmsg("{n} check passes", "{n} checks pass", counts["pass"]), counts)


def _require_of_hosts(rulebook: Rulebook, checks: Sequence[str]) -> None:
    """Refuse a ledger check, which no host answers.

    Raises:
        UnknownCheck: one of them is such a check.
    """
    for one in record_checks():
        if one.id in checks:
            duty = next((duty.id for duty in rulebook.duties if one.id in duty.checks), "12.4")
            raise UnknownCheck(
                msg("{check} is a ledger check: no host answers it", check=one.id),
                msg("Run 'portalops status {duty}' to see how it stands.", duty=duty),
            )


def _hosts(known: Sequence[Host], names: Sequence[str]) -> tuple[Host, ...]:
    for name in names:
        if name not in {host.id for host in known}:
            raise UsageError(
                msg("there is no host {host}", host=name[:60]),
                msg("The hosts are: {hosts}.", hosts=", ".join(host.id for host in known) or msg("none")),
            )
    return tuple(host for host in known if not names or host.id in names)


VERB = Verb(run)
