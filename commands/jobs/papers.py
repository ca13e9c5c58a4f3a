"""Official papers as commands write them: a draft in each format that is asked for, into a folder, recorded with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from portalops.errors import UsageError
from portalops.files import write_atomically
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.official import formats
from portalops.official.paper import OfficialPaper


def chosen_formats(text: str) -> tuple[formats.PaperFormat, ...]:
    """Return the formats of a list such as `docx,pdf`.

    Raises:
        UnknownReport: there is no such format.
        UsageError: none is named.
    """
    found = tuple(formats.load(name.strip()) for name in text.split(",") if name.strip())
    if not found:
        raise UsageError(
            msg("--format names no format"), msg("Choose one of: {names}.", names=", ".join(formats.names()))
        )
    return found


def write_papers(
    paper: OfficialPaper, name: str, some: Sequence[formats.PaperFormat], folder: Path, *, languages: Sequence[str]
) -> tuple[tuple[Path, Digest], ...]:
    """Write a paper in each format and language; return the files with their digests. An older file is replaced.

    Raises:
        FileUnwritable: a file cannot be written.
        UnknownReport: a format needs a package that is not installed.
        UsageError: the folder has the name of a file.
    """
    if folder.suffix.lower() in _SUFFIXES and not folder.is_dir():
        raise UsageError(
            msg('--output "{name}" is the name of a file, and no such folder exists', name=show_text(str(folder), 200)),
            msg("Name the folder by --output, and the form by --format: the files get their names from the paper."),
        )
    rendered = (
        (language, each.suffix, each.render(paper, language=language)) for each in some for language in languages
    )
    return write_drafts(name, rendered, folder)


_SUFFIXES = frozenset({".csv", ".docx", ".htm", ".html", ".md", ".odt", ".pdf", ".txt", ".xlsx", ".zip"})
"""Of files that a person may mean by the name of a folder."""


def write_drafts(name: str, drafts: Iterable[tuple[str, str, bytes]], folder: Path) -> tuple[tuple[Path, Digest], ...]:
    """Write files of one name, each given by its language, suffix and bytes; return them with their digests.

    Raises:
        FileUnwritable: a file cannot be written.
    """
    written = []
    for language, suffix, data in drafts:
        path = folder / f"{name}{'' if language == 'vi' else f'.{language}'}{suffix}"
        write_atomically(path, data)
        written.append((path, Digest(hashlib.sha256(data).hexdigest())))
    return tuple(written)
