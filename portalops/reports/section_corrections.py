"""What of the changes of a period was said anew: corrections, and papers in whose place others were recorded. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.changes import ChangeApproval, ChangeNotice, ChangeRequest
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.changes import ChangeStep, RecordedChange
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.words import joined

LETTERS = 200


def correction_blocks(changes: Sequence[RecordedChange]) -> Iterator[Block]:
    """Yield a row a correction and a row a paper that counts no more, in the order of their records."""
    rows = sorted((row for each in changes for row in _rows(each)), key=lambda row: row[0])
    if not rows:
        yield Paragraph(msg("Nothing that was recorded of these changes was corrected or replaced."))
        return
    headers = (
        msg("Change"), msg("What was recorded"), msg("Content before"), msg("SHA-256 of the paper before"), msg("Record"),
    )  # fmt: skip
    caption = msg("What was recorded in place of something earlier; nothing was erased")
    yield from bounded(TableBlock(caption, headers, [row for _seq, row in rows]))


def _rows(change: RecordedChange) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    for correction in change.corrections:
        voided = correction.voided
        what = msg("correction, by {name}", name=show_text(correction.step.body.by))
        before = _words(correction.before)
        if voided:
            papers = joined([_words(each.body) for each in voided])
            before = msg(
                "{before}; for the present request these papers no longer count: {papers}", before=before, papers=papers
            )
        seq = correction.step.seq
        yield seq, (change.id, what, before, _digests(voided), str(seq))
    for step, seq in change.replaced:
        yield seq, (change.id, msg("another paper"), _words(step.body), _digests([step]), str(seq))


def _digests(steps: Sequence[ChangeStep[ChangeNotice] | ChangeStep[ChangeApproval]]) -> Cell:
    return ", ".join(digest for each in steps for digest in each.evidence) or None


def _words(body: ChangeRequest | ChangeNotice | ChangeApproval) -> Message:
    if isinstance(body, ChangeRequest):
        return msg(
            "request: {what}, from {begins} to {ends}",
            what=show_text(body.what, LETTERS),
            begins=body.begins_at,
            ends=body.ends_at,
        )
    if isinstance(body, ChangeNotice):
        return msg("notice {document} to {to}", document=show_text(body.document) or "–", to=show_text(body.to))
    return msg("approval {document} by {name}", document=show_text(body.document) or "–", name=show_text(body.by))
