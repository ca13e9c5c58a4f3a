"""The report on the servers: the duties of Article 12.1 to 12.4, findings, availability, patches, checks, standby and starts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from portalops.model.findings import FindingTurn
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.model.server_history import ServerHistory
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.registers.findings import FindingState, stand
from portalops.registers.host_scope import narrow_to_host
from portalops.registers.open_findings import turns_in
from portalops.reports.document import Block, Cell, Document, KeyValues, Paragraph
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_availability import availability_blocks
from portalops.reports.section_duties import duty_table, rest_blocks, standings_of
from portalops.reports.section_findings import are_known, finding_report_blocks
from portalops.reports.section_patches import patch_blocks
from portalops.reports.section_places import place_blocks
from portalops.reports.section_results import result_blocks
from portalops.reports.section_standby import standby_blocks
from portalops.reports.section_starts import start_blocks

TITLE = msg("Report on the servers")

CLAUSES = frozenset({"12.1", "12.2", "12.3", "12.4"})


def build(material: Material) -> Document:
    """Return the report as a document."""
    material = replace(material, standings=_own(material))
    host = material.scope.host
    seen = material.evidence if host is None else narrow_to_host(material.evidence, host)
    hosts = [each for each in material.hosts if host in (None, each.id)]
    history = _narrow_history(material.servers or ServerHistory(), host)
    numbers = material.rulebook.numbers
    sections = (
        Section(msg("Summary"), _summary(material, seen, hosts, history)),
        Section(msg("The duties of Article 12.1 to 12.4"), _duties(material)),
        Section(msg("Findings by age and severity"), finding_report_blocks(seen, numbers)),
        Section(msg("Availability"), availability_blocks(seen, history)),
        Section(msg("Patches over time"), patch_blocks(seen, history)),
        Section(msg("Results of the server checks"), result_blocks(seen)),
        Section(msg("Standby systems"), standby_blocks(seen)),
        Section(msg("Starts of the hosts"), start_blocks(seen, history)),
        Section(msg("Where the servers are, and who is responsible for them"), place_blocks(seen, hosts)),
    )
    return framed(TITLE, material, sections, basis=_basis(seen, hosts))


def _narrow_history(history: ServerHistory, host: HostId | None) -> ServerHistory:
    if host is None:
        return history
    return ServerHistory(
        tuple(each for each in history.pages if each.page.host == host),
        history.lost_samples,
        tuple(each for each in history.updates if each.host == host),
        tuple(each for each in history.starts if each.host == host),
    )


def _basis(seen: Evidence, hosts: Sequence[Host]) -> tuple[tuple[Message, Cell], ...]:
    looked = {each.host for one in seen.scans for each in one.body.hosts if each.reached and not each.standby}
    never = [host.id for host in hosts if host.id not in looked]
    population = nmsg(
        "{n} host of the configuration, of which {seen} answered in a scan of the period",
        "{n} hosts of the configuration, of which {seen} answered in a scan of the period",
        len(hosts),
        seen=len(hosts) - len(never),
    )
    rounds = nmsg("{n} scan", "{n} scans", len(seen.scans))
    if seen.scans:
        seqs = sorted({str(seen.scans[0].seq), str(seen.scans[-1].seq)}, key=int)
        rounds = msg("{rounds} (records {seqs})", rounds=rounds, seqs="–".join(seqs))
    return (
        (msg("Population"), population),
        (
            msg("Source"),
            msg(
                "{rounds} with the answers of the hosts; the samples of pages; findings, waivers and places as "
                "recorded",
                rounds=rounds,
            ),
        ),
        (
            msg("Method"),
            msg(
                "A finding is open from the scan in which its check failed until a scan in which it passed, or "
                "until a person closed it. What could not be found out is unknown, and never a pass."
            ),
        ),
    )


def _summary(material: Material, seen: Evidence, hosts: Sequence[Host], history: ServerHistory) -> Iterator[Block]:
    standings = stand(seen.findings, seen.waivers, material.rulebook.numbers, seen.last_day(), seen.zone)
    states = [each.state for each in standings if each.finding.is_open]
    turns = [event.turn for _finding, event in turns_in(seen)]
    is_known = are_known(seen, material.rulebook.numbers)
    yield Paragraph(_verdicts(material.standings))
    yield from rest_blocks(material.standings)
    yield KeyValues(
        [
            (
                msg("Findings at the period's end"),
                msg(
                    "{open} open; of these {late} overdue and {waived} waived",
                    open=len(states),
                    late=states.count(FindingState.DUE),
                    waived=states.count(FindingState.WAIVED),
                )
                if is_known
                else msg("not known"),
            ),
            (
                msg("Findings in the period"),
                msg(
                    "{opened} opened, {reopened} came back, {fixed} fixed, {closed} closed by a person",
                    opened=turns.count(FindingTurn.OPENED),
                    reopened=turns.count(FindingTurn.REOPENED),
                    fixed=turns.count(FindingTurn.FIXED),
                    closed=turns.count(FindingTurn.CLOSED),
                )
                if is_known
                else msg("not known"),
            ),
            (msg("Pages"), _pages(history, seen)),
            (msg("Security updates"), _updates(history)),
            (msg("Starts of the hosts"), _starts(history, hosts)),
        ]
    )


def _verdicts(standings: Sequence[Standing]) -> Message:
    counts = [each.verdict for each in standings]
    return msg(
        "Of {total} duties of Article 12.1 to 12.4: {met} met, {unmet} unmet, {unsure} with insufficient evidence.",
        total=len(counts),
        met=counts.count(DutyVerdict.MET),
        unmet=counts.count(DutyVerdict.UNMET),
        unsure=counts.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
    )


def _pages(history: ServerHistory, seen: Evidence) -> Message:
    asked = [each for each in history.pages if each.asked_percent is not None]
    if not asked:
        return msg("no page is declared")
    bounds = seen.period.bounds(seen.zone)
    reach = [each.page.counts(*bounds).reaches(each.asked_percent or 0) for each in asked]
    return msg(
        "of {total} declared, {good} reachable as required, {bad} less, {unsure} sampled too little to judge",
        total=len(reach),
        good=reach.count(True),
        bad=reach.count(False),
        unsure=reach.count(None),
    )


def _updates(history: ServerHistory) -> Message:
    newest = [
        next((count for _day, count in reversed(each.waiting) if count is not None), None) for each in history.updates
    ]
    known = [count for count in newest if count is not None]
    if not known:
        return msg("not known")
    return msg(
        "{count} were waiting at the last scan, on {hosts} of the {known} hosts where this is known",
        count=sum(known),
        hosts=sum(count > 0 for count in known),
        known=len(known),
    )


def _starts(history: ServerHistory, hosts: Sequence[Host]) -> Message:
    known = [each for each in history.starts if each.known_since is not None]
    if not known:
        return msg("not known")
    return msg(
        "{count} in the period, reported by {known} of {hosts} hosts",
        count=sum(len(each.at) for each in known),
        known=len(known),
        hosts=len(hosts),
    )


def _own(material: Material) -> tuple[Standing, ...]:
    found = standings_of(material.standings, material.rulebook, {"12"})
    return tuple(each for each in found if material.rulebook.duty(each.duty).clause in CLAUSES)


def _duties(material: Material) -> Iterator[Block]:
    if material.scope.host is not None:
        yield Paragraph(msg("Duties are the portal's: their verdicts rest on all of its hosts, not on this one alone."))
    caption = msg("Each duty: what it requires, its verdict, and the records of the ledger that it rests on")
    yield duty_table(caption, material.standings, material.rulebook, material.proof)


REPORT = Report(title=TITLE, build=build, scopes=frozenset({"host"}), needs=frozenset({"servers"}))
