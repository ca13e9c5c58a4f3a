"""Each record of the incidents of a period, in its order: when it was made, what it says, and the digest of its paper. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Protocol

from portalops.model.incidents import REPORT_WORDS, IncidentFacts
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.incidents import Incident
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, TableBlock
from portalops.reports.words import severity_status

STEPS_SHOWN: Final = 120
"""Of all incidents together: about six printed pages."""
LETTERS: Final = 300


class _Recorded(Protocol):
    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...


_Row = tuple[int, tuple[Cell, ...]]


def incident_step_blocks(incidents: Sequence[Incident]) -> Iterator[Block]:
    """Yield a row a record; nothing where there is no incident."""
    rows = [row for each in incidents for _seq, row in sorted(_steps(each), key=lambda each: each[0])]
    if rows:
        headers = (
            msg("Incident"), msg("Record"), msg("Recorded at"), msg("Step"), msg("Happened at"), msg("Details"),
            msg("SHA-256"),
        )  # fmt: skip
        caption = msg("Each record of the incidents, with when it was made and when what it tells of happened")
        yield from bounded(TableBlock(caption, headers, rows), STEPS_SHOWN)


def _steps(incident: Incident) -> Iterator[_Row]:
    def row(
        of: _Recorded, word: Message, told_at: datetime | None, said: Message | str, kept: Sequence[Digest] = ()
    ) -> _Row:
        return of.seq, (incident.id, str(of.seq), of.at, word, told_at, said, ", ".join(kept) or None)

    first = incident.opened
    yield row(first, msg("first recorded"), first.body.detected_at, _facts(first.body), first.evidence)
    for told in incident.corrections:
        said = msg(
            "{facts}; corrected because: {reason}", facts=_facts(told.body), reason=show_text(told.body.reason, LETTERS)
        )
        yield row(told, msg("corrected"), told.body.detected_at, said, told.evidence)
    for note in incident.notes:
        text = msg("{text} ({name})", text=show_text(note.body.text, LETTERS), name=show_text(note.body.by))
        yield row(note, msg("noted"), note.body.at, text, note.evidence)
    for sent in incident.reports:
        said = msg(
            "{report}: {document} to {to}, by {name}",
            report=REPORT_WORDS[sent.body.report],
            document=show_text(sent.body.document) or "–",
            to=show_text(sent.body.to),
            name=show_text(sent.body.by),
        )
        yield row(sent, msg("reported"), sent.body.sent_at, said, sent.evidence)
    for closing in incident.closings:
        said = msg(
            "cause: {cause}; measures: {measures}; lessons: {lessons}; by {name}",
            cause=show_text(closing.body.cause, LETTERS) or "–",
            measures=show_text(closing.body.measures, LETTERS) or "–",
            lessons=show_text(closing.body.lessons, LETTERS) or "–",
            name=show_text(closing.body.by),
        )
        yield row(closing, msg("closed"), closing.body.ended_at, said, closing.evidence)
    for again in incident.reopenings:
        said = msg("{reason} ({name})", reason=show_text(again.body.reason, LETTERS), name=show_text(again.body.by))
        yield row(again, msg("taken up again"), None, said, again.evidence)
    for gap in incident.gaps:
        yield row(gap, msg("cannot be read"), None, gap.kind)


def _facts(facts: IncidentFacts) -> Message:
    holders = ", ".join(show_text(each) for each in facts.holders) or "–"
    return msg(
        "{what}; severity {severity}; who answers: {holders}; told by {name}",
        what=show_text(facts.what, LETTERS),
        severity=severity_status(facts.severity).word,
        holders=holders,
        name=show_text(facts.by),
    )
