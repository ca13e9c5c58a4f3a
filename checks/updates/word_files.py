"""The text of a Word file (.docx, ISO/IEC 29500-1) that a mail brought. Pure; the file is untrusted, and what is read of it is bounded."""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

SUFFIXES = (".docx", ".docm")
MAX_FILE = 32 << 20
"""Bytes of a file that is read; one with many photos is larger."""
MAX_CONTENT = 4 << 20
"""Bytes of its text with mark-up that are read, whatever the archive says of them."""
_CHUNK = 64 << 10
_PARTS = 2000
"""Files in the archive; one with hundreds of pictures has fewer."""
_NAMESPACES = (
    "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}",
    "{http://purl.oclc.org/ooxml/wordprocessingml/main}",
)
"""Of the transitional and the strict form."""
_ENDS = {"p": "\n", "tab": " ", "br": "\n", "cr": "\n"}


def read_word_text(data: bytes, *, limit: int) -> str:
    """Return the beginning of a Word file's text, a paragraph in each line; empty if it cannot be read.

    Args:
        data: the file.
        limit: characters that are wanted; the text ends within the paragraph in which they are reached.
    """
    if len(data) > MAX_FILE or not data.startswith(b"PK"):
        return ""
    words = _Words(limit)
    try:
        parser = DefusedXMLParser(target=words, forbid_dtd=True)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > _PARTS:
                return ""
            with archive.open("word/document.xml") as content:
                for _number in range(MAX_CONTENT // _CHUNK):
                    if not (chunk := content.read(_CHUNK)) or words.is_full:
                        break
                    parser.feed(chunk)
    except (zipfile.BadZipFile, zlib.error, ParseError, DefusedXmlException, EOFError, OSError):
        pass  # what was read until then is a beginning too
    except (LookupError, RuntimeError, ValueError):
        return ""  # no document in it, or one that is encrypted, or packed or encoded in a way that is not known
    return words.text()[:limit].strip()


class _Words:
    """What a parser tells of a document; no tree is built."""

    def __init__(self, limit: int) -> None:
        self._limit, self._length = limit, 0
        self._found: list[str] = []
        self._is_text = False

    @property
    def is_full(self) -> bool:
        return self._length >= self._limit

    def start(self, tag: str, attributes: object) -> None:
        del attributes
        self._is_text = _local(tag) == "t"

    def end(self, tag: str) -> None:
        self._is_text = False
        self._add(_ENDS.get(_local(tag), ""))

    def data(self, text: str) -> None:
        if self._is_text:
            self._add(text)

    def close(self) -> None:
        pass

    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._found).split("\n"))
        return "\n".join(line for line in lines if line)

    def _add(self, text: str) -> None:
        if text and not self.is_full:
            self._found.append(text)
            self._length += len(text)


def _local(tag: str) -> str:
    return next((tag.removeprefix(one) for one in _NAMESPACES if tag.startswith(one)), "")
