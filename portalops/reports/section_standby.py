"""Hosts that stand by for each other, as the newest round found them (Article 12.3). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from portalops.model.checks import HostScan
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Notice, Paragraph, TableBlock
from portalops.reports.hints import next_step
from portalops.reports.words import check_status

_FOR: Final[Mapping[str, Message]] = {
    "vip": msg("an address that one of them holds"),
    "postgresql": msg("a PostgreSQL database"),
    "mysql": msg("a MySQL or MariaDB database"),
    "load-balancer": msg("sharing requests"),
    "spare": msg("stepping in by hand"),
    "log-collector": msg("keeping logs"),
}


def standby_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield each group of the newest round with its members and what was found, and which kinds are not declared."""
    groups = [each for each in evidence.checks.body.hosts if each.standby] if evidence.checks else []
    declared = [each for each in groups if each.members]
    if not declared:
        yield Notice(msg("The newest scan judged no standby group: nothing shows that there is a standby."))
    headers = (
        msg("Group"), msg("Standby for"), msg("Hosts"), msg("Check"), msg("Answer"), msg("What was seen"),
        msg("What to do"),
    )  # fmt: skip
    rows = [(*_named(each), *answers) for each in declared for answers in _answers(each)]
    if rows:
        yield from bounded(TableBlock(msg("Standby groups, by the newest scan"), headers, rows))
    others = [(_word(each.standby), *answers[:3]) for each in groups if not each.members for answers in _answers(each)]
    if others:
        table_headers = (msg("Kind of standby"), msg("Check"), msg("Answer"), msg("What was seen"))
        yield from bounded(TableBlock(msg("Kinds of standby of which no group is declared"), table_headers, others))
    elif not groups:
        yield Paragraph(msg("Which hosts stand by for each other is declared under [checks.declared.group.NAME]."))


def _named(each: HostScan) -> tuple[Cell, ...]:
    return show_text(each.host, 60), _word(each.standby), show_text(", ".join(each.members))


def _word(kind: str) -> Cell:
    return _FOR.get(kind, show_text(kind, 40))


def _answers(each: HostScan) -> Iterator[tuple[Cell, ...]]:
    for result in each.results:
        yield result.check, check_status(result.verdict), result.message, next_step(result)
