"""What was found of sites, in which order they are shown, and what follows for all of them together; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portalops.errors import ExitCode, worst
from portalops.federation.state import SeenHead
from portalops.model.heads import Head, SignedHead
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.period import Period
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict


class SiteVerdict(StrEnum):
    """What became of a site's newest bundle."""

    VERIFIED = "verified"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """It is there, and it could not be found out whether it holds."""
    REFUSED = "refused"
    """It does not hold, or does not fit what is known of the site."""


class BundleRefusal(StrEnum):
    """Why a bundle was refused."""

    CHANGED = "changed"
    STRANGER = "stranger"
    """Signed by none of the site's keys."""
    FORK = "fork"
    """Another record where a head was taken before, or than another bundle has."""
    WENT_BACK = "went-back"
    """Fewer records than before."""
    OTHER_LEDGER = "other-ledger"
    SAME_LEDGER = "same-ledger"
    """Another site has the same ledger."""
    TIME = "time"
    """Made in the future."""


@dataclass(frozen=True, slots=True)
class SitePoll:
    """What was found of one site."""

    id: str
    name: Name
    at: datetime
    """When it was looked at."""
    max_age: timedelta
    """How old what it shows may be."""
    verdict: SiteVerdict
    ledger: str = ""
    """The ledger's id; empty if none was ever known."""
    head: Head | None = None
    """The newest head that holds: of the bundle, of one before, or kept by a witness; None if there is none."""
    speaks_until: datetime | None = None
    """Up to when the newest bundle that holds can speak for duties; None if there never was one."""
    problem: Message | None = None
    hint: Message | None = None
    reason: BundleRefusal | None = None
    """Of a refused bundle."""
    refused: SignedHead | None = None
    """Of a bundle that forked, went back or is of another ledger: the newest head that it holds, if one does."""
    notes: tuple[Message, ...] = ()
    bundle: str = ""
    """Its folder; empty if there is none."""
    period: Period | None = None
    complete: bool | None = None
    """Whether every planned run left its record; None if it is not known."""
    missing_runs: int = 0
    withheld: int = 0
    """Details that were left out on purpose."""
    standings: tuple[Standing, ...] = ()
    """Every duty, judged from the bundle; empty unless it was verified: then nothing is known of any."""
    taken: tuple[SeenHead, ...] = ()
    """Heads of bundles that were verified now."""

    @property
    def age(self) -> timedelta | None:
        """How long ago that ended for which it can speak; None if it never spoke."""
        return None if self.speaks_until is None else max(self.at - self.speaks_until, timedelta())

    @property
    def is_late(self) -> bool:
        """Say whether a newer bundle should be there."""
        age = self.age
        return age is not None and age > self.max_age

    @property
    def counts(self) -> Counter[DutyVerdict]:
        """How many duties have which verdict."""
        return Counter(each.verdict for each in self.standings)

    @property
    def exit_code(self) -> ExitCode:
        """5 if the bundle was refused; 1 if it is late, or shows a duty unmet or a planned run missing; 3 if something is not known; else 0."""
        if self.verdict is SiteVerdict.REFUSED:
            return ExitCode.INTEGRITY
        counts = self.counts
        if self.is_late or counts[DutyVerdict.UNMET] or self.complete is False:
            return ExitCode.UNMET
        shown = counts[DutyVerdict.MET] + counts[DutyVerdict.EXEMPT]
        if self.verdict is not SiteVerdict.VERIFIED or self.complete is None or not shown:
            return ExitCode.PARTIAL
        return ExitCode.PARTIAL if counts[DutyVerdict.INSUFFICIENT_EVIDENCE] else ExitCode.OK


def together(looks: Sequence[SitePoll]) -> tuple[SitePoll, ...]:
    """Return the sites as they are shown, once those that have one ledger with another are refused: late heads first.

    One ledger is kept at one place. Where two sites show the same, at least one of them shows another's work as its own.
    """
    sites = Counter(look.ledger for look in looks if look.ledger)
    return sort_sites(_same_ledger(look, looks) if sites[look.ledger] > 1 else look for look in looks)


def sort_sites(looks: Iterable[SitePoll]) -> tuple[SitePoll, ...]:
    """Return sites of which nothing can be trusted first, then the late ones, then the rest; the oldest first."""

    def place(look: SitePoll) -> tuple[int, timedelta, str]:
        never = look.speaks_until is None or look.verdict is SiteVerdict.REFUSED
        return (0 if never else 1 if look.is_late else 2, -(look.age or timedelta()), look.id)

    return tuple(sorted(looks, key=place))


def exit_code_of(looks: Iterable[SitePoll]) -> ExitCode:
    """Return the worst of all sites' codes."""
    return worst([look.exit_code for look in looks])


def _same_ledger(look: SitePoll, looks: Sequence[SitePoll]) -> SitePoll:
    others = ", ".join(sorted(each.id for each in looks if each.ledger == look.ledger and each.id != look.id))
    if look.verdict is SiteVerdict.REFUSED:  # what was found of it by itself says more
        return look
    return replace(
        look,
        verdict=SiteVerdict.REFUSED,
        reason=BundleRefusal.SAME_LEDGER,
        problem=msg("the ledger {ledger} belongs to another site too: {others}", ledger=look.ledger, others=others),
        hint=msg("Find out whose ledger it is and which folder holds it by mistake: each site keeps its own ledger."),
        standings=(),
        taken=(),
    )
