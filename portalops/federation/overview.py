"""The overview of all sites as a document: late heads first, and every duty of every site; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from portalops.federation.rules import SitePoll, SiteVerdict
from portalops.ledger.heads import code_of
from portalops.model.message import Message, msg, nmsg
from portalops.model.rulebook import DutyId, Rulebook
from portalops.model.verdicts import DutyVerdict
from portalops.reports.document import (
    Bars,
    Block,
    Cell,
    Document,
    Grid,
    GridMark,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.words import duty_status

TITLE = msg("Duties of all sites")

_WORDS: Mapping[SiteVerdict, Status] = {
    SiteVerdict.VERIFIED: Status(msg("verified"), Tone.GOOD),
    SiteVerdict.MISSING: Status(msg("no bundle"), Tone.UNSURE),
    SiteVerdict.UNREADABLE: Status(msg("unknown"), Tone.UNSURE),
    SiteVerdict.REFUSED: Status(msg("refused"), Tone.BAD),
}
_LATE = Status(msg("late"), Tone.BAD)
_SIGNS: Mapping[DutyVerdict, str] = {
    DutyVerdict.MET: "✓",
    DutyVerdict.UNMET: "✗",
    DutyVerdict.EXEMPT: "–",
    DutyVerdict.NOT_ASSESSED: "·",
    DutyVerdict.INSUFFICIENT_EVIDENCE: "?",
    DutyVerdict.PENDING: "…",
}


def document_of(looks: Sequence[SitePoll], rulebook: Rulebook, *, zone: str, version: str) -> Document:
    """Return the overview as a document of its own.

    Args:
        looks: the sites in the order in which they are shown; at least one.
        rulebook: by what all of them were judged.
        zone: IANA name of the time zone that moments are shown in.
        version: of portalops.
    """
    footer: list[tuple[Message, Cell]] = [
        (msg("Made at"), looks[0].at),
        (msg("Rulebook"), f"{rulebook.id}@{rulebook.version}"),
        (msg("Made by"), f"portalops {version}"),
    ]
    return Document(TITLE, tuple(blocks_of(looks, rulebook)), footer, zone)


def blocks_of(looks: Sequence[SitePoll], rulebook: Rulebook) -> Iterator[Block]:
    """Yield the overview, whatever needs somebody first."""
    yield Paragraph(_summary(looks))
    for look in looks:
        if look.verdict is SiteVerdict.REFUSED and look.problem is not None:
            yield Notice(msg("{id}: {problem}", id=look.id, problem=look.problem), Tone.BAD)
    yield Heading(2, msg("Sites, late heads first"))
    yield TableBlock(
        msg("Newest heads"),
        (
            msg("No."),
            msg("Site's name"),
            msg("State"),
            msg("Newest head"),
            msg("Signed at"),
            msg("Period"),
            msg("Known until"),
            msg("Days ago"),
            msg("Problem"),
        ),
        [_row(number, look) for number, look in enumerate(looks, 1)],
    )
    for look in looks:
        if look.hint is not None:
            tone = Tone.BAD if look.verdict is SiteVerdict.REFUSED else Tone.UNSURE
            yield Notice(msg("{id}: {hint}", id=look.id, hint=look.hint), tone)
    yield Heading(2, msg("Duties by site"))
    yield Bars(msg("Duties by verdict"), [(look.name, _parts(look, rulebook)) for look in looks])
    yield _grid(looks, rulebook)
    unmet = [
        (look.name, each.duty, rulebook.duty(each.duty).title, each.reason)
        for look in looks
        for each in look.standings
        if each.verdict is DutyVerdict.UNMET
    ]
    if unmet:
        headers = (msg("Site's name"), msg("Duty"), msg("What it requires"), msg("Why"))
        yield TableBlock(msg("Unmet duties"), headers, unmet)
    yield Heading(2, msg("How this was made"))
    yield KeyValues(
        (
            (msg("Regulation"), rulebook.title),
            (msg("Rulebook"), f"{rulebook.id}@{rulebook.version}"),
            (
                msg("Duties"),
                msg(
                    "judged here from each site's records, over its bundle's period; what a site reports of itself is not read"
                ),
            ),
            (
                msg("Bundles"),
                msg("each is verified completely, signed by its site's key, and extends every head received before"),
            ),
        )
    )


def _summary(looks: Sequence[SitePoll]) -> Message:
    return msg(
        "{sites}: {verified} verified, {refused} refused, {late} late, {unknown} unknown now.",
        sites=nmsg("{n} site", "{n} sites", len(looks)),
        verified=sum(look.verdict is SiteVerdict.VERIFIED for look in looks),
        refused=sum(look.verdict is SiteVerdict.REFUSED for look in looks),
        late=sum(look.is_late for look in looks),
        unknown=sum(look.verdict in {SiteVerdict.MISSING, SiteVerdict.UNREADABLE} for look in looks),
    )


def _row(number: int, look: SitePoll) -> tuple[Cell, ...]:
    period = look.period
    return (
        number,
        look.name,
        _LATE if look.is_late and look.verdict is not SiteVerdict.REFUSED else _WORDS[look.verdict],
        code_of(look.head) if look.head else None,
        look.head.at if look.head else None,
        msg("{first} to {last}", first=period.first, last=period.last) if period else None,
        look.speaks_until,
        None if look.age is None else look.age.days,
        _found(look),
    )


def _found(look: SitePoll) -> Message:
    if look.problem is not None:
        return look.problem
    if look.complete is False:  # before what is said of other folders, which anybody may put beside the bundle
        return nmsg("{n} planned run is missing", "{n} planned runs are missing", look.missing_runs)
    if look.notes:
        return look.notes[0]
    if look.complete is None:
        return msg("the plan is not known")
    if look.withheld:
        return nmsg(
            "nothing is missing; {n} detail is withheld", "nothing is missing; {n} details are withheld", look.withheld
        )
    return msg("nothing is missing")


def _parts(look: SitePoll, rulebook: Rulebook) -> list[tuple[Tone, Message, int]]:
    """Return a site's duties by verdict; of one that was not verified nothing is known."""
    counts = look.counts or Counter({DutyVerdict.INSUFFICIENT_EVIDENCE: len(rulebook.duties)})
    return [(duty_status(each).tone, duty_status(each).word, counts[each]) for each in DutyVerdict]


def _grid(looks: Sequence[SitePoll], rulebook: Rulebook) -> Grid:
    """Return the matrix: a row a duty, a column a site, by the number that it has in the table."""
    by_site = [{each.duty: each for each in look.standings} for look in looks]

    def mark(site: int, duty: DutyId) -> GridMark:
        standing = by_site[site].get(duty)
        if standing is None:
            unknown = looks[site].problem or msg("nothing was judged")
            return GridMark("?", Tone.UNSURE, unknown)
        return GridMark(_SIGNS[standing.verdict], duty_status(standing.verdict).tone, standing.reason)

    return Grid(
        msg("Every duty of every site; a column has the number of its site in the table above"),
        tuple(range(1, len(looks) + 1)),
        [(duty.id, [mark(site, duty.id) for site in range(len(looks))]) for duty in rulebook.duties],
        [
            (GridMark(sign, duty_status(verdict).tone, duty_status(verdict).word), duty_status(verdict).word)
            for verdict, sign in _SIGNS.items()
        ],
    )
