"""What is open and by when it is due: findings, changes, incidents, cases and credentials, and when evidence is due next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from portalops.compliance.handling import STEP_WORDS, Handling, next_due
from portalops.model.changes import ChangeKind
from portalops.model.incidents import REPORT_WORDS, ReportKind
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.registers.findings import stand
from portalops.reports.bounded import bounded
from portalops.reports.document import Bars, Block, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.material import Material
from portalops.reports.section_handling import PORTAL
from portalops.reports.words import CASE_DUTIES, change_state_word, severity_status

OPEN_SHOWN: Final = 120
LETTERS: Final = 120


@dataclass(frozen=True, slots=True)
class OpenThing:
    """One thing that somebody must see to."""

    kind: Message
    what: Message | str
    step: Message
    """What is to be done next."""
    by: date | None
    """The last day on which it is in time; None where nothing says one."""
    seq: int
    """The record that it rests on."""
    as_of: date
    """The local day as of which it is told."""

    @property
    def is_late(self) -> bool:
        """Say whether its last day is past."""
        return self.by is not None and self.as_of > self.by


def open_things(material: Material) -> tuple[OpenThing, ...]:
    """Return what is open of what began by the period's end, what is due first before all.

    Findings and credentials are told as of the period's end, as they were read; the other registers as they are now.
    """
    evidence = material.evidence
    found = [
        *_cases(material),
        *_incidents(material),
        *_changes(evidence),
        *_findings(material),
        *_credentials(evidence),
    ]
    return tuple(sorted(found, key=lambda each: (each.by is None, each.by or date.max)))


def plan_blocks(material: Material, things: Sequence[OpenThing]) -> Iterator[Block]:
    """Yield how much is open and late, each thing with its next step, and when evidence is due next."""
    if things:
        yield Paragraph(
            msg(
                "Findings and credentials are shown as of {day}; changes, incidents and cases that began by "
                "then, as they are now.",
                day=material.evidence.last_day(),
            )
        )
        kinds: list[Message] = []
        for each in things:
            kinds += [] if each.kind in kinds else [each.kind]
        yield Bars(
            msg("Open tasks, by whether they are late"),
            [(kind, _parts([each for each in things if each.kind == kind])) for kind in kinds],
        )
        headers = (msg("Kind"), msg("What is open"), msg("Next step"), msg("By"), msg("In time"), msg("Record"))
        caption = msg("Open tasks and the next step of each, the earliest due first")
        yield from bounded(TableBlock(caption, headers, [_row(each) for each in things]), OPEN_SHOWN)
    else:
        yield Paragraph(
            msg("The registers show nothing open: no finding, change, incident, case or overdue credential.")
        )
    due = sorted((each.due_at, each.duty) for each in material.standings if each.due_at is not None)
    if due:
        titles = {duty.id: duty.title for duty in material.rulebook.duties}
        yield TableBlock(
            msg("When the duties need new evidence next"),
            (msg("Duty"), msg("What it requires"), msg("Next due")),
            [(duty, titles[duty], due_at) for due_at, duty in due],
        )


def _parts(things: Sequence[OpenThing]) -> list[tuple[Tone, Message, int]]:
    late = sum(each.is_late for each in things)
    return [(Tone.BAD, msg("late"), late), (Tone.NEUTRAL, msg("open"), len(things) - late)]


def _row(each: OpenThing) -> tuple[Cell, ...]:
    in_time: Cell = None
    if each.by is not None:
        in_time = Status(msg("late"), Tone.BAD) if each.is_late else Status(msg("in time"), Tone.GOOD)
    return (each.kind, each.what, each.step, each.by, in_time, str(each.seq))


def _today(evidence: Evidence) -> date:
    return evidence.now.astimezone(evidence.zone).date()


def _cases(material: Material) -> Iterator[OpenThing]:
    evidence = material.evidence
    names: dict[str, Name] = {unit.id: unit.name for unit in material.units}
    handling = Handling(material.rulebook.numbers, material.calendar, evidence.zone, _today(evidence))
    end = evidence.period.bounds(evidence.zone)[1]
    for case in evidence.cases:
        if not case.is_open or case.moves[0].at >= end:
            continue
        due = next_due(case, handling)
        what = msg(
            "{unit}, week {week}: {duty}",
            unit=names.get(case.unit, PORTAL),
            week=str(case.week),
            duty=CASE_DUTIES[case.duty],
        )
        step = STEP_WORDS[due.step] if due else msg("to be checked: one of its records cannot be read")
        yield OpenThing(msg("case"), what, step, due.by if due else None, case.moves[-1].seq, handling.today)


def _incidents(material: Material) -> Iterator[OpenThing]:
    evidence = material.evidence
    register, end = evidence.incidents, evidence.period.bounds(evidence.zone)[1]
    for each in register.incidents.values() if register else ():
        if not each.is_open or each.opened.at >= end:
            continue
        waiting = [
            (standing.due_at, report)
            for report in ReportKind
            if (standing := each.standing(report, material.rulebook.numbers, evidence.now)).sent is None
        ]
        what = msg("{id}: {what}", id=each.id, what=show_text(each.facts.what, LETTERS))
        if waiting:
            due_at, report = min(waiting, key=lambda one: one[0])
            step = msg("send {report}", report=REPORT_WORDS[report])
            yield OpenThing(
                msg("incident"), what, step, due_at.astimezone(evidence.zone).date(), each.state_seq, _today(evidence)
            )
        else:
            yield OpenThing(msg("incident"), what, msg("close it"), None, each.state_seq, _today(evidence))


def _changes(evidence: Evidence) -> Iterator[OpenThing]:
    today, end = _today(evidence), evidence.period.bounds(evidence.zone)[1]
    for each in evidence.changes.changes.values() if evidence.changes else ():
        ends_on = each.request.body.ends_at.astimezone(evidence.zone).date()
        is_running = each.kind is ChangeKind.STANDING and each.next_step is None and ends_on >= today
        if each.closed is not None or is_running or each.request.at >= end:
            continue
        what = msg("{id}: {what}", id=each.id, what=show_text(each.request.body.what, LETTERS))
        step = msg("it is {state}; record what comes next, or close it", state=change_state_word(each.state))
        yield OpenThing(msg("change"), what, step, ends_on, each.state_seq, today)


def _findings(material: Material) -> Iterator[OpenThing]:
    evidence = material.evidence
    open_ = [each for each in evidence.findings if each.is_open]
    for each in stand(open_, evidence.waivers, material.rulebook.numbers, evidence.last_day(), evidence.zone):
        if each.waiver is not None:
            continue
        finding = each.finding
        what = msg(
            "{check} on {host}, {severity}",
            check=finding.check,
            host=show_text(finding.host, LETTERS),
            severity=severity_status(finding.severity).word,
        )
        yield OpenThing(
            msg("finding"),
            what,
            msg("fix it, or have it waived"),
            each.due_on,
            finding.last_seen_seq,
            evidence.last_day(),
        )


def _credentials(evidence: Evidence) -> Iterator[OpenThing]:
    day = evidence.last_day()
    for each in evidence.credentials.credentials.values() if evidence.credentials else ():
        if each.is_overdue(day):
            yield OpenThing(msg("credential"), each.id, msg("change it"), each.due_on, each.secret_seq, day)
