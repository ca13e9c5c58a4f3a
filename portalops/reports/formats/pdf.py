"""A document as PDF on A4, by typst: PDF/A-2a (ISO 19005-2) and PDF/UA-1 (ISO 14289-1), with tags, outline and bookmarks.

Texts go in as data and are never read as typst's own marks. Charts are the page's own pictures. Heads of tables are repeated
on each page, and at the foot of each page stand the document's facts, with a QR code of the head code where there is one. A
table of more columns than A4 holds upright lies on pages of its own. typst holds all it lays out, so what is printed is
bounded: a long list is cut, and the file says how much was left off. The same document gives the same bytes on one machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portalops.errors import ReportError, UnknownReport
from portalops.json_text import read_json
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import Completed
from portalops.reports.document import Document
from portalops.reports.formats import ReportFormat
from portalops.reports.formats._pdf_blocks import MOST_COST, Faces, PdfWriter
from portalops.reports.formats._pdf_letters import SpelledLetters
from portalops.reports.pictures import FONT
from portalops.system.programs import LocalRunner

FONTS = (FONT, "Arial", "Noto Sans", "DejaVu Sans", "Libertinus Serif")
"""In the order in which they are taken; typst brings the last one."""
CODE_FONTS = ("Liberation Mono", "Noto Sans Mono", "DejaVu Sans Mono")
"""Likewise; the last one has the signs of states as well."""
FONT_PACKAGE = "fonts-liberation"
"""Of Debian and Ubuntu, which brings the first of both."""
SCALES = {"Noto Sans": 0.94, "DejaVu Sans": 0.87}
"""How much smaller broader faces are set, so that as much goes into a line as of Arial."""

_FOLDER = Path(__file__).parent
_SECONDS, _LIMIT_BYTES = 600.0, 1 << 20
_TRIES = 4
"""One as it is, one without the letters that no font shows, one without scripts whose letters a PDF cannot tell, one more."""


@dataclass(frozen=True, slots=True)
class PdfPaperFormat:
    """The format `pdf`."""

    font_folders: tuple[str, ...] = ()
    """Further folders with fonts, beside those of the machine."""
    most_cost: float = MOST_COST

    def lacks(self) -> tuple[Message, ...]:
        """Return which font the machine lacks, and which is taken instead.

        Raises:
            UnknownReport: typst is not installed.
        """
        return missing_font(self._families())

    def render(self, document: Document, *, language: str) -> bytes:
        """Return the file's bytes.

        Raises:
            UnknownReport: typst is not installed.
            ReportError: typst could not set it.
        """
        families = self._families()
        font, code_font = _taken(FONTS, families), _taken(CODE_FONTS, families)
        faces = Faces(font, code_font, CODE_FONTS[-1], SCALES.get(font, 1.0))
        spelled, refused = SpelledLetters(), TypstFailure()
        for _ in range(_TRIES):
            made = typeset(PdfWriter(document, language, faces, spelled, self.most_cost).files(), self.font_folders)
            if isinstance(made, bytes):
                return made
            known, refused = spelled, made
            spelled = spelled.with_more(made.missing, is_simple=made.is_complex)
            if spelled == known:
                break
        raise _not_set(refused.error)

    def _families(self) -> frozenset[str]:
        try:
            from typst import Fonts  # noqa: PLC0415  # an extra
        except ImportError as error:
            raise UnknownReport(
                msg("PDF needs the package typst, which is not installed"),
                msg(
                    "Install it where portalops is: {python} -m pip install 'portalops[pdf]'; or choose another format.",
                    python=show_text(sys.executable),
                ),
            ) from error
        paths: list[str] = list(self.font_folders)
        return frozenset(Fonts(font_paths=paths).families())


FORMAT = ReportFormat(suffix=".pdf", render=PdfPaperFormat().render, lacks=PdfPaperFormat().lacks)


def missing_font(families: Collection[str]) -> tuple[Message, ...]:
    """Return which font is not among those of a machine, and which is taken instead; nothing if it is there."""
    taken = _taken(FONTS, families)
    if taken == FONTS[0]:
        return ()
    return (
        msg(
            "the font {wanted} is not on this machine, so PDF files are set in {taken}; the package "
            "{package} installs it",
            wanted=FONTS[0],
            taken=taken,
            package=FONT_PACKAGE,
        ),
    )


def _taken(wanted: Sequence[str], families: Collection[str]) -> str:
    return next((each for each in wanted if each in families), wanted[-1])


def _not_set(why: Message | str) -> ReportError:
    cause = why[:300] if isinstance(why, str) else why
    return ReportError(
        msg("typst could not set the PDF: {cause}", cause=cause),
        msg("The formats html and xlsx need no typst; choose one of them."),
    )


@dataclass(frozen=True, slots=True)
class TypstFailure:
    """Why typst made no file."""

    missing: str = ""
    """Letters that no font shows."""
    is_complex: bool = False
    """Letters that are shaped so that the file could not tell them."""
    error: str = ""


# --- typst, in a process of its own ---------------------------------------------------------------


def typeset(files: Mapping[str, bytes], font_folders: Sequence[str]) -> bytes | TypstFailure:
    """Let typst set some files, of which `page.json` is the data; return the PDF, or why there is none.

    Raises:
        ReportError: there is no place for the files.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "main.typ").write_bytes((_FOLDER / "_page.typ").read_bytes())
            for name, data in files.items():
                (root / name).write_bytes(data)
            done = _run(folder, font_folders)
            if done.exit_code == 0:
                return (root / "out.pdf").read_bytes()
    except OSError as error:
        raise _not_set(cause_of(error)) from error
    try:
        told = read_json(done.stdout)
        return TypstFailure(told["missing"], told["complex"], told["error"])
    except (ValueError, KeyError):
        last = done.stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
        return TypstFailure(error=f"exit code {done.exit_code}{f': {last}' if last else ''}")


def _run(folder: str, font_folders: Sequence[str]) -> Completed:
    """Run typst where this process finds it and its fonts; `-P`, since `json.py` beside the program is none of Python's own."""
    environment = {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    return LocalRunner(environment).run(
        [sys.executable, "-P", str(_FOLDER / "_typeset.py"), folder, *font_folders],
        timeout_seconds=_SECONDS,
        limit_bytes=_LIMIT_BYTES,
    )
