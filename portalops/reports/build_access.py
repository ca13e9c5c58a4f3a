"""The report on access: credentials and who knows them, what the audits say, places of servers, and incidents. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.credentials import CredentialRegister
from portalops.registers.evidence import Evidence
from portalops.registers.host_scope import narrow_to_host
from portalops.registers.incidents import Incident
from portalops.reports.document import Bars, Block, Cell, Document, Heading, KeyValues, Paragraph
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_access_checks import checks_blocks
from portalops.reports.section_credential_steps import credential_step_blocks
from portalops.reports.section_credentials import credential_blocks
from portalops.reports.section_duties import duty_table, rest_blocks
from portalops.reports.section_incident_steps import incident_step_blocks
from portalops.reports.section_incidents import incident_blocks, incidents_of
from portalops.reports.section_places import place_blocks
from portalops.reports.words import duty_status

TITLE = msg("Report on access: credentials, places and incidents")

CLAUSES = frozenset({"12.1", "12.5"})


def build(material: Material) -> Document:
    """Return the report as a document."""
    material = _cut_down(material)
    evidence = material.evidence
    hosts = [each for each in material.hosts if material.scope.host in (None, each.id)]
    incidents = incidents_of(evidence, material.scope.host)
    sections = (
        Section(msg("Summary, and the duties of Article 12.1 and 12.5"), _summary(material, hosts, incidents)),
        Section(
            msg("The register of credentials"),
            (*credential_blocks(evidence, is_cut=material.scope.host is not None), *credential_step_blocks(evidence)),
        ),
        Section(msg("Results of the access audits"), checks_blocks(material, _checks(material, "12.5"))),
        Section(msg("Where the servers are, and who is responsible for them"), _places(material, hosts)),
        Section(
            msg("Incidents, and who confirms that there were no others"), _incidents(evidence, material, incidents)
        ),
    )
    return framed(TITLE, material, sections, basis=_basis(evidence, hosts, incidents))


def _cut_down(material: Material) -> Material:
    """Return the material with these duties alone; of one host, with what concerns it."""
    host, rulebook = material.scope.host, material.rulebook
    own = [each for each in material.standings if rulebook.duty(each.duty).clause in CLAUSES]
    material = replace(material, standings=own)
    if host is None:
        return material
    seen = narrow_to_host(material.evidence, host)
    credentials = None if seen.credentials is None else _credentials_of(seen.credentials, material.hosts, host)
    return replace(material, evidence=replace(seen, credentials=credentials))


def _credentials_of(register: CredentialRegister, hosts: Sequence[Host], host: HostId) -> CredentialRegister:
    """Return what the register says of one host; a record that cannot be read stays, where it may be about it."""
    may_be = {*register.unreadable_for(host, [each.id for each in hosts])}
    return replace(
        register,
        credentials={each.id: each for each in register.find_by_host(host)},
        unreadable={name: seqs for name, seqs in register.unreadable.items() if may_be & {*seqs}},
    )


def _checks(material: Material, clause: str) -> frozenset[str]:
    """Return the checks that the duties of a clause rest on."""
    return frozenset(check for duty in material.rulebook.duties if duty.clause == clause for check in duty.checks)


def _places(material: Material, hosts: Sequence[Host]) -> Iterator[Block]:
    yield from place_blocks(material.evidence, hosts)
    yield Heading(3, msg("Results of the checks of places and names"))
    yield from checks_blocks(material, _checks(material, "12.1"))


def _incidents(evidence: Evidence, material: Material, incidents: Sequence[Incident]) -> Iterator[Block]:
    yield from incident_blocks(evidence, material.rulebook.numbers, material.scope.host)
    yield from incident_step_blocks(incidents)


def _basis(
    evidence: Evidence, hosts: Sequence[Host], incidents: Sequence[Incident]
) -> tuple[tuple[Message, Cell], ...]:
    register = evidence.credentials
    return (
        (
            msg("Population"),
            msg(
                "every credential in the register ({credentials}), every host of the configuration ({hosts}), every incident that was"
                " noticed or recorded in the period or open in it ({incidents})",
                credentials=len(register.credentials) if register else 0,
                hosts=len(hosts),
                incidents=len(incidents),
            ),
        ),
        (
            msg("Source"),
            nmsg(
                "the registers of credentials and places as of the period's end, the register of incidents as it "
                "is now, with the papers that were kept; {n} scan",
                "the registers of credentials and places as of the period's end, the register of incidents as it "
                "is now, with the papers that were kept; {n} scans",
                len(evidence.scans),
            ),
        ),
        (
            msg("Method"),
            msg(
                "People keep the registers; the audits compare them with the accounts, keys and administrators "
                "found enabled, and report the differences. No secret is recorded anywhere, and this report "
                "names no account or place of custody of the register. What was not seen is unknown, and never "
                "counts as in order."
            ),
        ),
    )


def _summary(material: Material, hosts: Sequence[Host], incidents: Sequence[Incident]) -> Iterator[Block]:
    evidence, standings = material.evidence, material.standings
    yield Paragraph(_verdicts(standings))
    yield from rest_blocks(standings)
    day, register = evidence.last_day(), evidence.credentials
    active = [each for each in register.credentials.values() if each.is_active] if register else []
    overdue = sum(each.is_overdue(day) for each in active)
    left = sum(any(one.on <= day for one in register.leavers_of(each)) for each in active) if register else 0
    seen = sum(bool((place := evidence.places.get(host.id)) and place.sighting) for host in hosts)
    yield KeyValues(
        [
            (
                msg("Credentials in use"),
                msg(
                    "{n}; not changed in time: {overdue}; known to people who left: {left}",
                    n=len(active),
                    overdue=overdue,
                    left=left,
                )
                if register and register.is_begun
                else msg("nothing is recorded"),
            ),
            (
                msg("Servers"),
                msg("{n}; ever recorded as seen at their place: {seen}", n=len(hosts), seen=seen),
            ),
            (
                msg("Incidents of the period"),
                msg("{n}, {open} of them open", n=len(incidents), open=sum(each.is_open for each in incidents))
                if evidence.incidents and evidence.incidents.is_begun
                else msg("nothing is recorded"),
            ),
        ]
    )
    yield Bars(
        msg("Duties by verdict"),
        [
            (
                msg("All duties"),
                [
                    (
                        duty_status(verdict).tone,
                        duty_status(verdict).word,
                        sum(each.verdict is verdict for each in standings),
                    )
                    for verdict in DutyVerdict
                ],
            )
        ],
    )
    if material.scope.host is not None:
        yield Paragraph(msg("Duties are the portal's: their verdicts rest on all of its hosts, not on this one alone."))
    caption = msg("Each duty: what it requires, its verdict, and the records of the ledger that it rests on")
    yield duty_table(caption, standings, material.rulebook, material.proof)


def _verdicts(standings: Sequence[Standing]) -> Message:
    counts = [each.verdict for each in standings]
    return msg(
        "Of {total} duties of Article 12.1 and 12.5: {met} met, {unmet} unmet, {unsure} with insufficient evidence.",
        total=len(counts),
        met=counts.count(DutyVerdict.MET),
        unmet=counts.count(DutyVerdict.UNMET),
        unsure=counts.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
    )


REPORT = Report(title=TITLE, build=build, scopes=frozenset({"host"}))
