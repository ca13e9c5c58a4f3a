"""What the checks of some duties say over a period: how often each gave which answer, the newest round, what is open. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final, TypeVar

from portalops.model.checks import BriefScan, CheckScan
from portalops.model.message import msg, nmsg
from portalops.model.record import Recorded
from portalops.model.verdicts import CheckVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.material import Material
from portalops.reports.section_change_findings import finding_table, findings_in
from portalops.reports.section_results import result_blocks
from portalops.reports.words import check_status

CHECKS_SHOWN: Final = 60
ScanT = TypeVar("ScanT", CheckScan, BriefScan)


def checks_blocks(material: Material, checks: Collection[str]) -> Iterator[Block]:
    """Yield what these checks say; of a period without a round, what that means.

    Args:
        material: with every round of the period.
        checks: their ids.
    """
    newest = None if material.evidence.checks is None else _only(material.evidence.checks, checks)
    rounds = tuple(_only(each, checks) for each in material.evidence.scans)
    evidence = replace(material.evidence, checks=newest, scans=rounds)
    yield from _time_table(evidence, checks)
    yield from result_blocks(evidence)
    findings = findings_in(evidence, lambda check: check in checks)
    if findings:
        caption = msg("Findings of these checks that were open in the period, the most pressing first")
        yield from bounded(finding_table(material, findings, caption))
    elif newest is not None:
        yield Paragraph(msg("No finding of these checks was open in the period."))


def _only(one: Recorded[ScanT], checks: Collection[str]) -> Recorded[ScanT]:
    hosts = tuple(
        replace(host, results=tuple(result for result in host.results if result.check in checks))
        for host in one.body.hosts
        if not host.standby
    )
    return replace(one, body=replace(one.body, hosts=hosts))


def _time_table(evidence: Evidence, checks: Collection[str]) -> Iterator[Block]:
    counts: dict[str, Counter[CheckVerdict]] = {check: Counter() for check in checks}
    for one in evidence.scans:
        for result in one.body.results():
            counts[result.check][result.verdict] += 1
    if not evidence.scans:
        yield Paragraph(msg("No scan of the period is recorded: the results of these checks are unknown."))
        return
    verdicts = tuple(CheckVerdict)
    rows: list[tuple[Cell, ...]] = [
        (check, *(counts[check][verdict] for verdict in verdicts), None if counts[check] else msg("never answered"))
        for check in sorted(counts, key=lambda check: (-counts[check][CheckVerdict.FAIL], check))
    ]
    headers = (msg("Check"), *(check_status(verdict).word for verdict in verdicts), msg("Remarks"))
    caption = nmsg(
        "Answers of each check in the one scan of the period, over all hosts",
        "Answers of each check in the {n} scans of the period, over all hosts",
        len(evidence.scans),
    )
    yield from bounded(TableBlock(caption, headers, rows), CHECKS_SHOWN)
