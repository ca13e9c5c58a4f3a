"""Record an item that an officer saw and no source shows

The item counts on the day on which the officer saw it, with grade D. Give its address, or the item itself with
--file: what nobody else can see proves nothing. Where the unit's own source was polled whole and never showed the
address, it counts only with --file. --withdraw ID takes an item back.

Example: portalops updates observe --unit xa-cam-an --channel subportal --title 'Lịch tiêm chủng tháng 12' --address
https://caman.khanhhoa.example/tin/12 --when 2026-11-20T09:30 --officer 'Nguyễn Văn An'

EXIT STATUS: 0 recorded or shown, 2 no such unit, a text or moment is missing or wrong, the item is already recorded
or another unit's, or a kept answer refutes the moment
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from checks.updates.recognition import canonical_url
from commands.cli.entries import (
    DocumentFile,
    DryRun,
    Reason,
    document_in,
    known_unit,
    next_id,
    past_moment,
    written_text,
)
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.updates import open_store, require_possible_sighting, update_sources
from commands.updates.options import OptionalText, UnitOption, Withdraw
from commands.updates.steps import (
    ShownObservation,
    ShownPaper,
    WithdrawnEntry,
    recorded_attestation,
    withdrawn_attestation,
)
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.submissions import ObservedItem
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel
from portalops.registers.attested import ATTESTED_KINDS, ITEM, OBSERVED, Attested


def observe(
    ctx: typer.Context,
    *,
    unit: UnitOption = None,
    channel: Annotated[
        OptionalText,
        typer.Option("--channel", metavar="portal|subportal|submission", help=_("portal, subportal or submission")),
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help=_("Its title"))] = "",
    address: Annotated[str, typer.Option("--address", metavar="URL", help=_("Where it can be seen"))] = "",
    when: Annotated[
        OptionalText, typer.Option("--when", metavar="MOMENT", help=_("When it was seen; by default now"))
    ] = None,
    officer: Annotated[str, typer.Option("--officer", metavar="NAME", help=_("Who saw it"))] = "",
    reason: Reason = "",
    file: DocumentFile = None,
    withdraw: Withdraw = None,
    dry_run: DryRun = False,
) -> Result[ShownObservation | ShownPaper | WithdrawnEntry]:
    session = open_session(ctx)
    if withdraw is not None:
        return withdrawn_attestation(session, withdraw, ObservedItem, officer, reason, dry_run=dry_run)
    where = _channel(channel)
    whose = None if where is ItemChannel.PORTAL and unit is None else known_unit(session, unit).id
    said, who = written_text(title, "--title"), written_text(officer, "--officer")
    why = written_text(reason, "--reason") if reason else ""
    place = _address(address) if address else ""
    seen_at = past_moment(session, when, "--when")
    data = document_in(file)
    if not place and data is None:
        raise UsageError(
            msg("--address and --file are missing: nobody else could see the item"),
            msg("Give the item's address with --address, or the item or a picture of it with --file."),
        )

    sources = update_sources(session.settings)

    def made(standing: Sequence[Attested], digest: Digest | None) -> ObservedItem:
        for each in standing:
            one = each.what
            if isinstance(one, ObservedItem) and (one.unit, one.channel, one.address, one.title) == (
                whose, where, place, said,
            ):  # fmt: skip
                raise UsageError(
                    msg("this item is already recorded as {id}", id=one.id),
                    msg("If {id} is wrong, take it back with --withdraw {id}.", id=one.id),
                )
        number = next_id(session, "OB", ATTESTED_KINDS)
        what = ObservedItem(number, whose, where, said, place, seen_at, who, why, digest)
        if place and sources:
            with open_store(session.settings, session.environment) as store:
                require_possible_sighting(store, sources, what, session.zone_of_portal)
        return what

    return recorded_attestation(session, OBSERVED, ITEM, made, data, dry_run=dry_run)


def _channel(text: str | None) -> ItemChannel:
    try:
        return ItemChannel(text or "")
    except ValueError as error:
        raise UsageError(
            msg("--channel: {text} is neither portal, subportal nor submission", text=show_text(text or "", 40)),
            msg("Give --channel portal, subportal or submission: where the item was seen."),
        ) from error


def _address(text: str) -> str:
    own = written_text(text, "--address")
    try:
        is_web = urlsplit(own).scheme.lower() in {"http", "https"} and bool(urlsplit(own).hostname)
    except ValueError:
        is_web = False
    if not is_web or not canonical_url(own):
        raise UsageError(
            msg("--address: {text} is not the address of an item", text=show_text(own, 120)),
            msg("Give the address of the item itself, with https://, not of a home page."),
        )
    return own


VERB = Verb(observe)
