"""What the verbs of this noun show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands.cli.result import JsonValue
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


def header_data(header: Header) -> dict[str, JsonValue]:
    return {
        "release": header.release.name,
        "as_of": header.as_of.isoformat(),
        "records": header.records,
        "newest": header.newest,
        "packages": header.packages,
        "rows": header.rows,
        "exploited": header.exploited,
        "sources": [
            {
                "kind": source.kind,
                "name": source.name,
                "sha256": source.sha256,
                "records": source.records,
                "newest": source.newest,
            }
            for source in header.sources
        ],
    }
