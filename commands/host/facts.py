"""Show the facts of a server's last answer

Reads the newest answer in the ledger, with its age. Nothing is connected to. With PROBE, the whole fact is shown.

Example: portalops host facts web1 firewall.nft

EXIT STATUS: 0 shown, 2 there is no such host or probe, 3 the host never answered, or that fact is missing
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from checks.servers.catalogue import checks, probes_of
from checks.servers.facts import found_in
from checks.servers.probe import MissingFact
from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.host.options import HostArgument
from commands.jobs.hosts_seen import hosts_seen
from commands.jobs.servers import known_host
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.record import Digest
from portalops.model.text import format_at, show_text
from portalops.reports.document import Cell, KeyValues, Notice, Status, TableBlock, Tone, Verbatim

if TYPE_CHECKING:
    from checks.servers.probe import Probe

SHOWN_LETTERS = 160
WHOLE_LETTERS = 4000


@shape
class MissingShape:
    """Why a fact is missing."""

    reason: str
    """A code, such as `host-unreachable`."""
    seen: str
    """What was seen instead, in English."""


@shape
class FactShape:
    """One fact of a host."""

    id: str
    """The probe's."""
    received_at: datetime
    evidence: Digest
    """The digest of the answer."""
    missing: MissingShape | None
    fact: JsonValue
    """Of its probe's own form; null if it is missing."""


def facts(
    ctx: typer.Context,
    host: HostArgument,
    probe: Annotated[Optional[str], typer.Argument(metavar="PROBE", help=_("Only this probe's fact, in full"))] = None,  # noqa: UP045  # Typer reads it at run time
) -> Result[tuple[FactShape, ...]]:
    session = open_session(ctx)
    known = known_host(session.settings.hosts, host)
    probes = probes_of(checks())
    if probe is not None:
        probes = _only(probe, probes)
    seen = hosts_seen(session.reader, {known.id}).get(known.id)
    evidence = seen.answered.answer() if seen and seen.answered else None
    if seen is None or seen.answered is None or evidence is None:
        said = msg("{host} has not answered in any recorded scan", host=known.id)
        return Result((), [Notice(said)], exit_code=ExitCode.PARTIAL)
    received_at = seen.answered.gathered_at
    found, repeated = found_in(session.ledger.blob(evidence), probes, received_at)
    stand = {name: (one.at, one.answer) for name, one in repeated.items()}
    at, evidence = stand.get(probe or "", (received_at, evidence))
    hours = max(0, int((session.clock.now() - at).total_seconds() // 3600))
    head = KeyValues(
        (
            (msg("Host"), known.id),
            (msg("Received at"), at),
            (msg("Age"), nmsg("{n} hour", "{n} hours", hours)),
            (msg("Evidence"), evidence),
            (msg("Supplied by hand by"), show_text(seen.answered.brought_by) or None),
        )
    )
    data = tuple(_fact_data(name, found[name], *stand.get(name, (at, evidence))) for name in sorted(found))
    if probe is not None:
        fact = found[probe]
        if isinstance(fact, MissingFact):
            return Result(data, [head, Notice(verbatim(show_text(str(fact.seen), 1000)))], exit_code=ExitCode.PARTIAL)
        text = json.dumps(plain(fact), ensure_ascii=False, indent=2)
        return Result(data, [head, Verbatim(text)])
    rows = [(name, stand.get(name, (at, ""))[0], _short(found[name])) for name in sorted(found)]
    caption = nmsg("{n} fact", "{n} facts", len(rows))
    return Result(data, [head, TableBlock(caption, (msg("Probe"), msg("Received at"), msg("Fact")), rows)])


def plain(fact: object) -> JsonValue:
    """Return a fact as plain values; whatever a host wrote is bounded, and what does not print is escaped."""
    match fact:
        case None | bool() | int():
            return fact
        case Enum():
            return plain(fact.value)
        case str():
            return show_text(fact, WHOLE_LETTERS)
        case float():
            return show_text(repr(fact))
        case datetime() if fact.tzinfo is not None:
            return format_at(fact)
        case date():
            return fact.isoformat()
        case Message():
            return show_text(str(fact), WHOLE_LETTERS)
        case bytes():
            return show_text(repr(fact), WHOLE_LETTERS)
        case Mapping():
            return {show_text(str(key), WHOLE_LETTERS): plain(value) for key, value in fact.items()}
        case frozenset() | set():
            return sorted((plain(one) for one in fact), key=repr)
        case Collection():
            return [plain(one) for one in fact]
    if dataclasses.is_dataclass(fact) and not isinstance(fact, type):
        return {field.name: plain(getattr(fact, field.name)) for field in dataclasses.fields(fact)}
    return show_text(str(fact), WHOLE_LETTERS)


def _short(fact: object) -> Cell:
    if isinstance(fact, MissingFact):
        return Status(msg("missing: {seen}", seen=fact.seen), Tone.UNSURE)
    return show_text(json.dumps(plain(fact), ensure_ascii=False), SHOWN_LETTERS)


def _fact_data(name: str, fact: object, at: datetime, evidence: Digest) -> FactShape:
    missing = MissingShape(fact.reason, show_text(str(fact.seen), 1000)) if isinstance(fact, MissingFact) else None
    return FactShape(name, at, evidence, missing, None if missing else plain(fact))


def _only(name: str, probes: Mapping[str, Probe[object]]) -> dict[str, Probe[object]]:
    if name not in probes:
        raise UsageError(
            msg("there is no probe {probe}", probe=show_text(name, 60)),
            msg("'portalops host facts HOST' lists the probes."),
        )
    return {name: probes[name]}


VERB = Verb(facts)
