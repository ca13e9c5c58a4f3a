"""Collect the bundles of several sites into one verified overview

Each [[federation.site]] keeps its own ledger and delivers the folder that 'ledger export' writes. Each bundle is
verified whole. It must be signed by a key of its site, and contain every head that was accepted before or that a
witness keeps. The duties are judged here, from its records; what cannot be verified is unknown. Late heads come
first. The result is recorded, with the heads.

Example: portalops ledger federate; portalops ledger federate --output overview.html

EXIT STATUS: 0 all are verified and met, 1 a site is late, a duty is unmet or a planned run is missing, 2 an option is
wrong, 3 something could not be found out, 4 the result could not be kept, 5 a bundle was refused: changed, by a
stranger, forked, gone back, or one ledger at two sites, 75 another collection is under way, 78 the configuration is
wrong
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from commands.cli.kinds import kinds_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.federation import COLLECTED, unknown_witnesses
from portalops import __version__
from portalops.errors import ConfigurationError, UsageError
from portalops.federation.judging import Rules
from portalops.federation.overview import document_of
from portalops.federation.polling import poll_site
from portalops.federation.rules import BundleRefusal, SiteVerdict, exit_code_of, together
from portalops.federation.sites import build_site
from portalops.federation.state import load, save
from portalops.files import write_atomically
from portalops.ledger.heads import code_of, head_digest
from portalops.locale import _, process_language
from portalops.model.heads import Head
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.model.verdicts import DutyVerdict
from portalops.reports import formats
from portalops.reports.document import Block, Document, Heading, KeyValues, Paragraph
from portalops.system.locks import locked
from portalops.witness.state import WitnessFolder

if TYPE_CHECKING:
    from portalops.federation.rules import SitePoll
    from portalops.federation.site import Site
    from portalops.federation.state import State


@shape
class SiteName:
    """A site's name in both languages."""

    vi: str
    en: str


@shape
class SiteHead:
    """The newest head of a site's ledger that holds."""

    size: int
    """How many records it is over."""
    digest: str
    """SHA-256 of the newest of them."""
    code: str
    """Size and digest, shortened for people."""
    at: datetime


@shape
class SiteDuty:
    """Where a duty of a site stands."""

    id: str
    verdict: DutyVerdict
    reason: str
    evidence: tuple[int, ...]
    """Records of the site's ledger."""


@shape
class SiteShape:
    """What was found of a site."""

    id: str
    name: SiteName
    verdict: SiteVerdict
    exit_code: int
    """Of this site alone."""
    reason: BundleRefusal | None
    """Why a bundle was refused."""
    problem: str | None
    """For people; `verdict` and `reason` tell the cases apart."""
    hint: str | None
    notes: tuple[str, ...]
    """Further remarks, for people."""
    late: bool
    """A newer bundle should be there."""
    bundle: str | None
    """Its folder."""
    ledger: str | None
    head: SiteHead | None
    speaks_until: datetime | None
    """Up to when the newest bundle that holds can speak for duties."""
    age_seconds: int | None
    """Since then."""
    period: str | None
    """Two days joined by two dots."""
    complete: bool | None
    """Every planned run left its record; null if that is not known."""
    missing_runs: int
    withheld: int
    """Details that were left out on purpose."""
    duties: tuple[SiteDuty, ...]
    """Empty unless the bundle was verified."""


def federate(
    ctx: typer.Context,
    *,
    output: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option(
            metavar="FILE", help=_("Write the overview there as well; the ending names the format: .html, .pdf, ...")
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Verify and judge; keep and record nothing"))] = False,
) -> Result[tuple[SiteShape, ...]]:
    session = open_session(ctx)
    form = None if output is None else _form(output)
    sites = _sites(session)
    root = session.settings.state_folder / "federation"
    if dry_run:
        polls = _poll_sites(session, sites, root)
    else:
        ledger = session.writable_ledger  # opened first: one that cannot be written to stops before a bundle is read
        ledger.require_clock()
        with locked(root / "lock", holder=session.holder):
            polls = _poll_sites(session, sites, root)
            _keep(session, polls, root)
    return _result(session, polls, output=output, form=form, dry_run=dry_run)


def _form(output: Path) -> str:
    """Return the format that a file's ending names."""
    endings = {formats.load(name).suffix: name for name in formats.names()}
    form = endings.get(output.suffix)
    if form is None:
        raise UsageError(
            msg("{path}: no format has this ending", path=show_text(str(output))),
            msg("The endings are: {endings}.", endings=", ".join(sorted(endings))),
        )
    return form


def _sites(session: Session) -> tuple[Site, ...]:
    tables = session.settings.federated
    if not tables:
        raise ConfigurationError(
            msg("no site is configured"),
            msg(
                "Add a [[federation.site]] table; its kinds are: {kinds}.", kinds=", ".join(kinds_of("federation.site"))
            ),
        )
    sites = tuple(build_site(table) for table in tables)
    typed_sites = dict(zip(tables, (site.settings for site in sites), strict=True))
    for problem in unknown_witnesses(session.settings, typed_sites):
        raise problem
    return sites


def _poll_sites(session: Session, sites: Sequence[Site], root: Path) -> tuple[SitePoll, ...]:
    rules = Rules(session.rulebook, session.calendar, session.clock)
    states = [
        load(root / site.id) for site in sites
    ]  # one that cannot be read ends here: without it nothing is held to
    polls = []
    for site, state in zip(sites, states, strict=True):
        kept = tuple(_witnessed(session, site))
        with session.progress.task(msg("Verifying the bundles of {id}", id=site.id), total=None, unit="items") as task:
            polls.append(poll_site(site, state, rules, kept=kept, advance=task.advance))
    return together(polls)


def _witnessed(session: Session, site: Site) -> Iterator[Head]:
    """Yield the heads that this machine keeps of a site's ledger as its witness.

    Raises:
        IntegrityError: they cannot be read, or are not what was kept.
    """
    if site.settings.witness is None:
        return
    folder = WitnessFolder(session.settings.state_folder / "witness" / site.settings.witness)
    kept = folder.load(session.clock.now()).kept
    if kept is not None:
        yield kept.head
    for head in folder.heads_beyond(0):
        if kept is None or head != kept.head:
            yield head


def _keep(session: Session, polls: Sequence[SitePoll], root: Path) -> None:
    """Record what was found and keep the heads that were taken.

    The record comes first: a head that is held against a site later is then always one that this ledger speaks of.
    """
    sites = [_recorded(poll) for poll in sorted(polls, key=lambda each: each.id)]
    session.recorder.record(COLLECTED, "federation", {"rulebook": session.rulebook.edition, "sites": sites})
    for poll in polls:
        if poll.taken:
            before: State = load(root / poll.id)
            after = before.with_heads(poll.ledger, poll.taken)
            if after != before:
                save(root / poll.id, after)


def _recorded(poll: SitePoll) -> Mapping[str, object]:
    """Return what the record says of a site: enough to show a third party which heads the site had delivered."""
    return {
        "id": poll.id,
        "verdict": poll.verdict,
        "reason": poll.reason,
        "problem": None if poll.problem is None else str(poll.problem),
        "ledger": poll.ledger or None,
        "refused": poll.refused,
        "late": poll.is_late,
        "period": None if poll.period is None else str(poll.period),
        "duties": {each.duty: each.verdict for each in poll.standings},
        "heads": [
            {
                "head": each.signed,
                "text_sha256": head_digest(each.signed.text),
                "records": each.records,
                "last_line": each.last_line,
            }
            for each in poll.taken
        ],
    }


def _result(
    session: Session, polls: Sequence[SitePoll], *, output: Path | None, form: str | None, dry_run: bool
) -> Result[tuple[SiteShape, ...]]:
    document = document_of(polls, session.rulebook, zone=session.settings.portal.timezone, version=__version__)
    view = list(_view(document))
    if dry_run:
        view.append(Paragraph(msg("Nothing was kept or recorded.")))
    if output is not None and form is not None:
        write_atomically(output, formats.load(form).render(document, language=process_language()))
        view.append(KeyValues(((msg("Written"), str(output)),)))
    notes = tuple(msg("{id}: {note}", id=poll.id, note=note) for poll in polls for note in poll.notes)
    return Result(tuple(map(_data, polls)), view, notes, exit_code=exit_code_of(polls))


def _view(document: Document) -> Iterator[Block]:
    yield Heading(1, document.title)
    yield from document.blocks


def _data(poll: SitePoll) -> SiteShape:
    head, age = poll.head, poll.age
    return SiteShape(
        id=poll.id,
        name=SiteName(poll.name.vi, poll.name.en),
        verdict=poll.verdict,
        exit_code=int(poll.exit_code),
        reason=poll.reason,
        problem=str(poll.problem) if poll.problem else None,
        hint=str(poll.hint) if poll.hint else None,
        notes=tuple(map(str, poll.notes)),
        late=poll.is_late,
        bundle=poll.bundle or None,
        ledger=poll.ledger or None,
        head=SiteHead(head.size, head.digest, code_of(head), head.at) if head else None,
        speaks_until=poll.speaks_until,
        age_seconds=None if age is None else int(age.total_seconds()),
        period=str(poll.period) if poll.period else None,
        complete=poll.complete,
        missing_runs=poll.missing_runs,
        withheld=poll.withheld,
        duties=tuple(SiteDuty(each.duty, each.verdict, str(each.reason), each.evidence) for each in poll.standings),
    )


VERB = Verb(federate)
