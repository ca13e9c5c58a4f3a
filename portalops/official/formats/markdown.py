"""An official paper as Markdown, for mails and for reading before it is signed: the same parts in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.official.formats import PaperFormat
from portalops.official.paper import MOTTO, NATION, PAPER_NAMES, Annex, BodyBlock, OfficialPaper, PaperKind, annex_name
from portalops.reports.document import Bullets, Heading, Paragraph, TableBlock
from portalops.reports.formats.markdown import escape
from portalops.reports.reader import Reader


def render(paper: OfficialPaper, *, language: str) -> bytes:
    writer = _Writer(paper, Reader(language, ZoneInfo(paper.zone)))
    return ("\n\n".join(writer.parts()) + "\n").encode("utf-8")


FORMAT = PaperFormat(suffix=".md", render=render)


@dataclass(frozen=True, slots=True)
class _Writer:
    paper: OfficialPaper
    reader: Reader

    def parts(self) -> Iterator[str]:
        paper, text = self.paper, self._text
        if paper.parent is not None:
            yield text(paper.parent).upper()
        yield f"**{text(paper.agency).upper()}**"
        yield f"**{text(NATION)}**  \n**{text(MOTTO)}**"
        yield text(msg("No.:        /{sign}", sign=paper.sign))
        yield f"*{text(msg('{place}, the       day of       , year {year}', place=paper.place, year=paper.year))}*"
        name = PAPER_NAMES.get(paper.kind)
        if paper.kind is PaperKind.LETTER or name is None:
            yield text(msg("Re: {subject}", subject=paper.subject))
        else:
            yield f"# {text(name).upper()}"
            yield f"**{text(paper.subject)}**"
        if paper.addressees:
            yield f"{text(msg('To:'))} {'; '.join(text(one) for one in paper.addressees)}."
        for number, basis in enumerate(paper.basis.texts):
            yield f"*{text(basis)}{'.' if number == len(paper.basis.texts) - 1 else ';'}*"
        for block in paper.body:
            yield self._block(block)
        archive = self.reader.text(msg("- File: {archive}.", archive=paper.archive)).removeprefix("- ")
        lines = [*(f"- {text(one)};" for one in paper.recipients), f"- {escape(archive)}"]
        yield "\n".join([f"***{text(msg('Copies to:'))}***", "", *lines])
        yield "  \n".join(
            f"**{escape(line.upper())}**" for line in (paper.signing.authority, paper.signing.office) if line
        )
        if paper.signing.name:
            yield f"**{escape(self.reader.text(paper.signing.name))}**"
        for number, annex in enumerate(paper.annexes, 1):
            yield from self._annex(annex, number)

    def _annex(self, annex: Annex, number: int) -> Iterator[str]:
        yield "---"
        yield f"## {self._text(annex_name(number, len(self.paper.annexes)))}: {self._text(annex.title)}"
        yield "\n".join(self._table(annex.table))

    def _block(self, block: BodyBlock) -> str:
        match block:
            case Heading():
                return f"{'#' * min(max(block.level, 2), 6)} {self._text(block.text)}"
            case Paragraph():
                return self._text(block.text)
            case Bullets():
                return "\n".join(f"- {self._text(item)}" for item in block.items)
            case TableBlock():
                return "\n".join(self._table(block))
            case _:
                assert_never(block)

    def _table(self, table: TableBlock) -> Iterator[str]:
        yield _row([self._text(header) for header in table.headers])
        yield _row(["---"] * len(table.headers))
        for row in table.rows:
            yield _row([escape(self.reader.cell(cell)) for cell in row])

    def _text(self, words: Message | Name) -> str:
        return escape(self.reader.text(words))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
