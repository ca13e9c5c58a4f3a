"""What the verbs of this noun show alike."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from commands.cli.shapes import shape
from portalops.model.message import Message, msg, verbatim
from portalops.reports.document import Cell

if TYPE_CHECKING:
    from checks.vulnerabilities.bundle import Header


def header_rows(header: Header) -> tuple[tuple[Message, Cell], ...]:
    return (
        (msg("Release"), header.release.name),
        (msg("State of"), header.as_of),
        (msg("Records"), header.records),
        (msg("Newest record"), header.newest or None),
        (msg("Packages"), header.packages),
        (msg("Vulnerabilities of packages"), header.rows),
        (msg("Known to be exploited"), header.exploited),
        *(
            (verbatim(f"{source.kind}"), verbatim(f"{source.name}, {source.records}, {source.newest or '-'}"))
            for source in header.sources
        ),
    )


@shape
class SourceFile:
    """A file that a bundle was made of."""

    kind: str
    name: str
    sha256: str
    records: int
    newest: str
    """Of its records, as it says; empty if it does not."""


@shape
class BundleContents:
    """What a bundle of vulnerabilities holds."""

    release: str
    as_of: datetime
    """When its sources were fetched."""
    records: int
    newest: str
    packages: int
    rows: int
    exploited: int
    sources: tuple[SourceFile, ...]


class ContentsFields(TypedDict):
    """The fields of `BundleContents`, to fill a shape that has more."""

    release: str
    as_of: datetime
    records: int
    newest: str
    packages: int
    rows: int
    exploited: int
    sources: tuple[SourceFile, ...]


def contents_of(header: Header) -> ContentsFields:
    """Return a header as data."""
    return {
        "release": header.release.name,
        "as_of": header.as_of,
        "records": header.records,
        "newest": header.newest,
        "packages": header.packages,
        "rows": header.rows,
        "exploited": header.exploited,
        "sources": tuple(
            SourceFile(source.kind, source.name, source.sha256, source.records, source.newest)
            for source in header.sources
        ),
    }
