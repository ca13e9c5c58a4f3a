"""What every Word document of portalops has in common: its language, its properties, and the same bytes for the same contents."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime

from docx.document import Document as DocxDocument
from docx.oxml.ns import qn
from docx.shared import Pt

MADE_AT = (1980, 1, 1, 0, 0, 0)
"""Of each part in the archive: the earliest moment that a ZIP file can hold."""


def set_type(document: DocxDocument, *, font: str, points: float, language: str) -> None:
    """Set the body's type for every script: python-docx alone would leave Vietnamese letters to the theme's font.

    Args:
        document: whose style `Normal` is set.
        font: its name.
        points: its size.
        language: of the text, such as `vi-VN`.
    """
    style = document.styles["Normal"]
    style.font.name, style.font.size = font, Pt(points)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), font)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    spoken = properties.makeelement(qn("w:lang"), {qn("w:val"): language, qn("w:eastAsia"): language})
    for old in properties.findall(qn("w:lang")):
        properties.remove(old)
    properties.append(spoken)
    style.paragraph_format.space_after = style.paragraph_format.space_before = Pt(0)


def set_properties(document: DocxDocument, *, title: str, moment: datetime, language: str) -> None:
    """Set what a document says of itself: nothing of the machine or the person that made it, and a moment that is given."""
    core = document.core_properties
    core.author, core.title, core.comments = "", title[:250], ""
    core.created = core.modified = moment
    package = document.part.package
    for name, relation in list(package.rels.items()):
        if relation.reltype.endswith("/thumbnail"):  # a picture of the library's empty document
            del package.rels[name]
    core.last_modified_by, core.revision, core.language = "", 1, language


def steady(data: bytes, streamed: Mapping[str, Iterable[str]] | None = None) -> bytes:
    """Return an archive with fixed times and order, so that the same contents give the same bytes.

    Args:
        data: the archive.
        streamed: parts that take the place of its own, piece by piece, so that a long one is never whole in memory.
    """
    others = streamed or {}
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            entry = zipfile.ZipInfo(name, MADE_AT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            if name in others:
                with new.open(entry, "w") as part:
                    for piece in others[name]:
                        part.write(piece.encode("utf-8"))
            else:
                new.writestr(entry, old.read(name))
    return stream.getvalue()
