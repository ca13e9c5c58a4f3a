"""Take a list of units into the configuration, with their sites as sources

FILE is a workbook (.xlsx) or CSV with headings: Tên (name), and as far as known Mã (id), Trang (site), Tên miền thư
(mail domain or address), Tên khác (other names, separated by semicolons), Từ ngày (valid from). Asks every site for
its feeds or lists, as 'updates discover' does, and says of each what could not be found and why. Units that are in
the configuration already are left as they are. Their weeks open no case before a trial week has passed.

--write puts all of it into a file of its own in conf.d/; nothing is overwritten.

Example: portalops unit import don-vi.xlsx --write

EXIT STATUS: 0 every site that the list names has a source, 2 the list cannot be read, 3 something could not be found, 4 the file cannot
be written, 78 the configuration would be wrong
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from checks.updates.attested import ATTESTED_TRAITS
from checks.updates.clashes import same_address
from checks.updates.discovery.sites import WAIT_SECONDS, FoundSite, host_of
from checks.updates.discovery.tables import FoundTable, Raw, source_tables, toml_table
from checks.updates.unit_names import UnitNames
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.added_tables import check_added
from commands.jobs.discovering import (
    ShownSource,
    configured_as,
    explain_configured,
    found_sites,
    shown_source,
    site_address,
    source_kind_word,
)
from commands.jobs.unit_lists import ListedUnit, read_units
from portalops.errors import ExitCode, UsageError
from portalops.files import write_atomically
from portalops.locale import _, process_language, render
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.period import day_or_moment
from portalops.model.text import show_text
from portalops.model.updates import ItemChannel
from portalops.registers.attested import REGISTERED
from portalops.reports.document import Block, Bullets, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import joined

HEAD = msg("Written by 'portalops unit import'; it may be changed here.")
MAX_OTHERS = 3
"""Units that are named beside one whose site they share."""
TRIAL = timedelta(days=7)
"""How long the sources of new units are on trial, at least; cases begin with the Monday after."""


@shape
class ImportedUnit:
    """A unit of the list."""

    id: UnitId
    name: str
    row: int
    new: bool
    """False if it is in the configuration already, and left as it is."""
    site: str
    """Empty if the list names none."""
    sources: tuple[ShownSource, ...]
    """What its site has; empty where nothing was found, or nothing was asked."""
    mail: tuple[str, ...]


@shape
class NotFound:
    """Something of the list of which nothing could be made, and why."""

    row: int
    unit: UnitId | None
    why: str


@shape
class ImportedUnits:
    """What a list comes to."""

    units: tuple[ImportedUnit, ...]
    not_found: tuple[NotFound, ...]
    passed_over: tuple[str, ...]
    """Headings of columns that nothing is made of."""
    cases_from: date
    file: Path
    """Where it is written, or would be."""
    table: str
    """As TOML."""
    written: bool


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("The list: a workbook (.xlsx) or CSV"))],
    *,
    inside: Annotated[bool, typer.Option("--inside", help=_("The sites lie in the own network"))] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", help=_("Between the two polls"), min=0, max=600)
    ] = WAIT_SECONDS,
    write: Annotated[bool, typer.Option("--write", help=_("Write a file of the configuration"))] = False,
) -> Result[ImportedUnits]:
    session = open_session(ctx)
    listed = read_units(file, session.settings.portal.name.vi)
    missing = [NotFound(each.row, None, str(each.why)) for each in listed.skipped]
    lines: list[tuple[int, Message]] = [(each.row, each.why) for each in listed.skipped]
    names = UnitNames(session.settings.units, session.zone_of_portal, session.settings.portal.name.vi)
    ids = {unit.id for unit in session.settings.units}
    register, now = ATTESTED_TRAITS[REGISTERED], session.clock.now()
    new = [unit for unit in listed.units if unit.id not in ids and names.find(unit.name, register, now) is None]
    for unit in listed.units:
        if unit not in new:
            _note(
                missing,
                lines,
                unit,
                msg("{name} is in the configuration already, and is left as it is", name=show_text(unit.name, 80)),
            )
    sites = _sites_of(session, new, missing, lines, wait_seconds=wait, inside=inside)
    cases_from = first_case_day(session.today)
    texts: list[str] = []
    shown: list[ImportedUnit] = []
    taken = {table.id for table in session.settings.update_sources}
    sources: list[FoundTable] = []
    polled = _polled_by(sites)
    for unit in listed.units:
        tables: Sequence[FoundTable] = ()
        if unit in new:
            texts.append(_unit_table(unit, cases_from))
            site = sites.get(unit.id)
            if site is not None:
                every = source_tables(site, channel=ItemChannel.SUBPORTAL, unit=unit.id, inside=inside, taken=taken)
                tables = _own_tables(session, every, unit, polled, missing=missing, lines=lines)
                taken |= {table.id for table in tables}
                sources += tables
        shown.append(
            ImportedUnit(
                id=unit.id,
                name=unit.name,
                row=unit.row,
                new=unit in new,
                site=unit.site,
                sources=tuple(shown_source(session, table) for table in tables),
                mail=unit.mail,
            )
        )
    text = "".join((*texts, *(table.text for table in sources)))
    target = _free_file(session)
    written = write and bool(text)
    if text:
        check_added(session, text, target)
        if write:
            write_atomically(target, f"# {render(HEAD, process_language())}\n{text}".encode())
    data = ImportedUnits(
        tuple(shown),
        tuple(sorted(missing, key=lambda each: each.row)),
        listed.unknown_headings,
        cases_from,
        target,
        text.lstrip("\n"),
        written,
    )
    return Result(
        data,
        [
            _table(shown, session.zone_of_portal),
            *_report(lines),
            *_without_site([unit for unit in shown if unit.new and not unit.site]),
            *_next(data, len(new), len(sources), has_mailbox=_has_mailbox(session)),
        ],
        warnings=_column_warnings(listed.unknown_headings),
        exit_code=ExitCode.PARTIAL if missing else ExitCode.OK,
    )


def first_case_day(today: date) -> date:
    """Return the Monday on which the first week begins that may open a case: a whole trial of seven days lies before it.

    >>> first_case_day(date(2026, 12, 1)).isoformat()
    '2026-12-14'
    """
    over = today + TRIAL
    return over + timedelta(days=-over.weekday() % 7)


def _sites_of(
    session: Session,
    units: Sequence[ListedUnit],
    missing: list[NotFound],
    lines: list[tuple[int, Message]],
    *,
    wait_seconds: float,
    inside: bool,
) -> Mapping[UnitId, FoundSite]:
    """Ask the units' sites what they have, and note those of which nothing comes; one that names no scheme is asked without TLS too."""
    addresses: dict[UnitId, str] = {}
    for unit in units:
        if not unit.site:
            continue
        try:
            addresses[unit.id] = site_address(unit.site)
        except UsageError as error:
            _note(missing, lines, unit, error.message)
    owners = {host_of(url): msg("unit {unit}", unit=unit) for unit, url in addresses.items()}
    asked = found_sites(session, [*addresses.values()], wait_seconds=wait_seconds, inside=inside, owners=owners)
    found = dict(zip(addresses, asked, strict=True))
    plain = {
        unit.id: f"http://{unit.site}"
        for unit in units
        if unit.id in found
        and "://" not in unit.site
        and found[unit.id].tried == 1
        and found[unit.id].problem
        and not found[unit.id].leads_to
    }
    again = found_sites(session, [*plain.values()], wait_seconds=wait_seconds, inside=inside) if plain else ()
    found |= {unit: site for unit, site in zip(plain, again, strict=True) if site.problem is None or site.leads_to}
    for unit in units:
        site = found.get(unit.id)
        if site is not None and site.problem is not None:
            _note(missing, lines, unit, msg("{url}: {why}", url=show_text(site.url, 200), why=site.problem))
    return found


def _polled_by(sites: Mapping[UnitId, FoundSite]) -> Mapping[str, Sequence[UnitId]]:
    """Return which units of the list each address would be polled for."""
    found: dict[str, list[UnitId]] = defaultdict(list)
    for unit, site in sites.items():
        for address in {same_address(one.candidate.url) for one in site.chosen}:
            found[address].append(unit)
    return found


def _own_tables(
    session: Session,
    tables: Sequence[FoundTable],
    unit: ListedUnit,
    polled: Mapping[str, Sequence[UnitId]],
    *,
    missing: list[NotFound],
    lines: list[tuple[int, Message]],
) -> Sequence[FoundTable]:
    """Return the sources that are the unit's alone, and note those that are a source already or would be another's too."""
    own = []
    for table in tables:
        url = table.found.candidate.url
        others = [each for each in polled.get(same_address(url), ()) if each != unit.id]
        if before := configured_as(session, table):
            _note(missing, lines, unit, explain_configured(table, before))
        elif others:
            why = msg(
                "{url} is what the list names for {others} too: it is not known whose it is, so it becomes no source",
                url=show_text(url, 200),
                others=", ".join(others[:MAX_OTHERS]),
            )
            _note(missing, lines, unit, why)
        else:
            own.append(table)
    return own if any(table.found.candidate.kind != "sitemap" for table in own) else ()


def _note(missing: list[NotFound], lines: list[tuple[int, Message]], unit: ListedUnit, why: Message) -> None:
    missing.append(NotFound(unit.row, unit.id, str(why)))
    lines.append((unit.row, msg("{unit}: {why}", unit=unit.id, why=why)))


def _unit_table(unit: ListedUnit, cases_from: date) -> str:
    name = {"vi": unit.name, **({"en": unit.name_en} if unit.name_en else {})}
    values: dict[str, object] = {"id": unit.id, "name": name}
    if unit.aliases or unit.mail:
        values["aliases"] = [*unit.aliases, *unit.mail]
    if not unit.site:
        values["has_subportal"] = False
    if unit.valid_from is not None:
        values["valid_from"] = Raw(unit.valid_from.isoformat())
    values["cases_from"] = Raw(cases_from.isoformat())
    return toml_table("unit", values)


def _free_file(session: Session) -> Path:
    folder = session.settings.files[0].parent / "conf.d"
    names = ("units.toml", *(f"units-{n}.toml" for n in range(2, 10_000)))
    return next(folder / name for name in names if not (folder / name).exists())


def _has_mailbox(session: Session) -> bool:
    return any(table.kind == "imap" for table in session.settings.update_sources)


def _table(shown: Sequence[ImportedUnit], zone: ZoneInfo) -> Block:
    headers = (msg("Row"), msg("Unit"), msg("Name"), msg("Site"), msg("Sources"), msg("Newest"), msg("State"))
    rows: list[tuple[Cell, ...]] = []
    for unit in shown:
        newest = max((one.newest_at for one in unit.sources if one.newest_at), default=None)
        state = (
            Status(msg("already there"), Tone.NEUTRAL)
            if not unit.new
            else Status(msg("found"), Tone.GOOD)
            if unit.sources
            else Status(msg("without a source"), Tone.UNSURE)
            if unit.site
            else Status(msg("no site listed"), Tone.NEUTRAL)
        )
        kinds = (
            joined([source_kind_word(each) for each in dict.fromkeys(one.kind for one in unit.sources)])
            if unit.sources
            else None
        )
        rows.append(
            (unit.row, unit.id, unit.name, show_text(unit.site, 120) or None, kinds, day_or_moment(newest, zone), state)
        )
    return TableBlock(nmsg("{n} unit in the list", "{n} units in the list", len(shown)), headers, rows)


def _report(lines: Sequence[tuple[int, Message]]) -> Sequence[Block]:
    if not lines:
        return ()
    said = [msg("row {row}: {why}", row=row, why=why) for row, why in sorted(lines, key=lambda each: each[0])]
    return (Paragraph(msg("What could not be found:")), Bullets(said))


def _without_site(units: Sequence[ImportedUnit]) -> Sequence[Block]:
    """Name the units of which no sub-portal is expected, which is no fault."""
    if not units:
        return ()
    said = nmsg(
        "The list names no site of {n} unit, so no sub-portal is expected of it: {units}",
        "The list names no site of {n} units, so no sub-portal is expected of them: {units}",
        len(units),
        units=", ".join(unit.id for unit in units),
    )
    return (Paragraph(said),)


def _next(data: ImportedUnits, units: int, sources: int, *, has_mailbox: bool) -> Sequence[Block]:
    if not data.table:
        return (Paragraph(msg("Nothing new: the configuration stays as it is.")),)
    said = msg(
        "units: {units}, sources: {sources}; their weeks that end before {day} open no case",
        units=units,
        sources=sources,
        day=data.cases_from,
    )
    path = show_text(str(data.file), 200)
    after = (
        msg(
            "Written to {path}. Next: 'portalops updates collect', then 'portalops updates matrix' after a week.",
            path=path,
        )
        if data.written
        else msg("Nothing was written; --write puts it into {path}.", path=path)
    )
    blocks: list[Block] = [Paragraph(said), Paragraph(after)]
    if any(unit.site and not unit.sources for unit in data.units if unit.new):
        said = msg(
            "A site without a source is asked again, when it answers or has a feed, by 'portalops updates discover URL"
            " --channel subportal --unit UNIT --write'."
        )
        blocks.append(Paragraph(said))
    if any(unit.mail for unit in data.units if unit.new) and not has_mailbox:
        blocks.append(
            Paragraph(
                msg(
                    "No mailbox is configured, so mail counts for no unit yet: add a source of kind imap (docs/configuration.md)."
                )
            )
        )
    return blocks


def _column_warnings(headings: Sequence[str]) -> tuple[Message, ...]:
    if not headings:
        return ()
    return (msg("columns that were passed over: {headings}", headings=", ".join(headings)),)


VERB = Verb(import_)
