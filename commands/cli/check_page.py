"""A check's page, in the reader's language: English is the check's own docstring, Vietnamese stands beside the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from portalops.locale.pages import vietnamese_page
from portalops.model.message import Message
from portalops.model.organisation import Name
from portalops.model.text import paragraphs_of
from portalops.reports.document import Block, Paragraph


def page_blocks(check: str, english: str, numbers: Mapping[str, int]) -> Iterator[Block]:
    """Yield the paragraphs of a check's page in the reader's language; in English where it is in no other.

    Args:
        check: its id.
        english: its page.
        numbers: its thresholds, by the name that the page in Vietnamese gives them.
    """
    own = list(paragraphs_of(english))
    vietnamese = list(paragraphs_of(vietnamese_page(check, numbers) or ""))
    if len(own) != len(vietnamese):
        vietnamese = own
    for said, translated in zip(own, vietnamese, strict=True):
        yield Paragraph(Message("{text}", {"text": Name(translated, said)}))
