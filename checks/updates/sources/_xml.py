"""XML that nobody trusts: entities are refused, and what is no XML is an error with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from checks.updates.source_settings import bounded, source_error
from portalops.model.message import Message, msg

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class NotWellFormed(Exception):
    """An answer is no well-formed XML."""

    def __init__(self, note: Message) -> None:
        super().__init__(str(note))
        self.note = note


def root_of(source_id: str, data: bytes) -> Element:
    """Return the root of an answer.

    Raises:
        UpdateSourceError: it declares entities, or holds what else blows up or reaches out.
        NotWellFormed: it is no XML, or broken.
    """
    if b"<!ENTITY" in data.replace(b"\0", b"").upper():
        raise source_error(source_id, msg("the answer declares XML entities, which no feed or sitemap needs"))
    try:
        root: Element = fromstring(data)
    except DefusedXmlException as error:
        raise source_error(source_id, msg("the answer holds forbidden XML: {cause}", cause=bounded(error))) from error
    except (ParseError, ValueError, LookupError) as error:
        raise NotWellFormed(msg("the answer is not well-formed XML: {cause}", cause=bounded(error))) from error
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()
