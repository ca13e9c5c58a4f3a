"""Which blocks of a document lie on their side on paper: what is too broad, and what belongs to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from portalops.reports.document import Block, Bullets, Heading, KeyValues, Notice, Paragraph, TableBlock

_NEAR_LINES = 14
"""A heading that so many lines part from what lies on its side goes with it."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Blocks that follow each other on one kind of page."""

    blocks: tuple[Block, ...]
    lies: bool


def pages_of(blocks: Sequence[Block], needs_lying: Sequence[bool]) -> Iterator[Pages]:
    """Yield runs of blocks: from what leads to the first one of a chapter that needs a lying page to the chapter's end."""
    lies = list(needs_lying)
    for at, block in enumerate(blocks):
        if at and lies[at - 1] and not _begins_chapter(block):
            lies[at] = True
    for at in range(1, len(blocks)):
        if lies[at] and not lies[at - 1]:
            first = _led_from(blocks, at)
            lies[first:at] = [True] * (at - first)
    start = 0
    for at in range(1, len(blocks) + 1):
        if at == len(blocks) or lies[at] != lies[start]:
            yield Pages(tuple(blocks[start:at]), lies[start])
            start = at


def _led_from(blocks: Sequence[Block], at: int) -> int:
    """Return where that begins which belongs to a block: its heading, if it is near, else the sentences before it."""
    lines, first = 0, at
    while first > 0 and lines <= _NEAR_LINES:
        first -= 1
        if isinstance(blocks[first], Heading):
            while first > 0 and isinstance(blocks[first - 1], Heading) and not _begins_chapter(blocks[first]):
                first -= 1
            return first
        lines += _lines_of(blocks[first])
    first = at
    while first > 0 and isinstance(blocks[first - 1], Paragraph):
        first -= 1
    return first


def _begins_chapter(block: Block) -> bool:
    return isinstance(block, Heading) and block.level <= 2


def _lines_of(block: Block) -> int:
    """Return about how many lines a block takes; a picture takes a page."""
    match block:
        case TableBlock() | KeyValues():
            return 3 + len(block.rows)
        case Bullets():
            return len(block.items)
        case Paragraph() | Notice() | Heading():
            return 2
        case _:
            return 40
