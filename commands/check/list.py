"""List all checks

Example: portalops check list --family patching

EXIT STATUS: 0 listed, 2 no such family
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from checks.servers.catalogue import checks, chosen
from commands.check.options import Families
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.compliance.ledger_checks import RecordCheck, record_checks
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity
from portalops.reports.document import TableBlock
from portalops.reports.words import severity_status

if TYPE_CHECKING:
    from checks.servers.check import Check


@shape
class ShownCheck:
    """One check."""

    id: str
    clause: str
    severity: Severity
    title: str
    """The good state."""
    remedy: str


def list_(ctx: typer.Context, family: Families = None) -> Result[tuple[ShownCheck, ...]]:
    open_session(ctx)
    every: tuple[Check | RecordCheck, ...] = (*_host_checks(family or ()), *_judge_ledger_checks(family or ()))
    found = sorted(every, key=lambda one: one.id)
    rows = [(one.id, one.clause, severity_status(one.severity), one.title) for one in found]
    headers = (msg("Check"), msg("Clause"), msg("Severity"), msg("Good state"))
    caption = nmsg("{n} check", "{n} checks", len(rows))
    return Result(tuple(map(_data, found)), [TableBlock(caption, headers, rows)])


def _data(one: Check | RecordCheck) -> ShownCheck:
    return ShownCheck(one.id, one.clause, one.severity, str(one.title), str(one.remedy))


def _host_checks(families: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks that hosts answer, of these families or all; a family that has only ledger checks has none."""
    there = {_family(one.id) for one in checks()}
    elsewhere = {_family(one.id) for one in record_checks()} - there
    wanted = [each for each in families if each not in elsewhere]
    return () if families and not wanted else chosen(families=wanted)


def _judge_ledger_checks(families: Sequence[str]) -> tuple[RecordCheck, ...]:
    """Return the ledger checks of these families or all."""
    return tuple(one for one in record_checks() if not families or _family(one.id) in families)


def _family(check: str) -> str:
    return check.partition(".")[0]


VERB = Verb(list_)
