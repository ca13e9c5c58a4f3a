"""What was seen of the portal's and the units' publications, and what was judged from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum

from portalops.model.cases import CaseDuty
from portalops.model.message import Message
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.model.variety import PairRule, Variety
from portalops.model.verdicts import DutyVerdict


class ItemChannel(StrEnum):
    """Where an item was seen, which decides what it can count for."""

    PORTAL = "portal"
    """Published on the province's portal: counts for 11.1."""
    SUBPORTAL = "subportal"
    """Published on a unit's sub-portal: K1."""
    SUBMISSION = "submission"
    """Sent to the managing unit by any of Article 9's ways: K2."""


class Grade(StrEnum):
    """How much an item's time can be trusted (updates.md section 2)."""

    A = "A"
    """First seen by our own poll inside the window."""
    B = "B"
    """Creation row or log of the content system inside the window."""
    C = "C"
    """Claimed date only: pending until a named officer confirms."""
    D = "D"
    """Attested by a person: a register row with its arrival number, a mail server's receipt."""


class FlagKind(StrEnum):
    """Why an item counts elsewhere, later, or not at all."""

    BACKDATED = "backdated"
    TOUCHED = "touched"
    WAITED = "waited"
    """A draft: published long after its row was made, and by our own looks not seen before. It counts."""
    DUPLICATE = "duplicate"
    BULK = "bulk"
    STUB = "stub"
    FUTURE = "future"
    NO_DATE = "no-date"
    REMOVED = "removed"
    STRUCK_OUT = "struck-out"
    """A line that the register has no more, though it still has lines from before it."""
    CORRECTED = "corrected"
    """Its source says another unit, or another day of arrival, than it said first."""
    EXCHANGED = "exchanged"
    """A spreadsheet may have exchanged day and month of its day: it came up when the exchanged day was."""
    MISDATED = "misdated"
    """Month or year of its day may be a registrar's slip: it came up shortly after that day of its own month."""
    AUTOMATIC = "automatic"
    """A mail of a known address that a program sent, by its header."""
    REWRITTEN = "rewritten"
    """The main text of a page that was there before is another one. It counts."""
    LEGACY_ENCODING = "legacy-encoding"
    NOT_NFC = "not-nfc"
    NO_MARKS = "no-marks"
    """A long Vietnamese text without its marks: no earlier one is known again in it, so it is open."""
    BASELINE = "baseline"
    UNBOUNDED = "unbounded"
    """No poll before would have shown it: nobody knows since when it was there."""
    UNKNOWN_UNIT = "unknown-unit"
    UNSHOWN = "unshown"
    """An officer saw it where a source of the unit that was polled whole never showed it, and nothing of it is kept."""


class Rewrite(StrEnum):
    """Whether the main text of a page that was there before is another one."""

    NO = ""
    OPEN = "open"
    """So near the border that nobody knows."""
    SURE = "sure"


@dataclass(frozen=True, slots=True)
class Observation:
    """One item as one source showed it when it was first seen. Never changed afterwards."""

    id: str
    """SHA-256 over source and identity, first 32 hexadecimal characters."""
    source: str
    channel: ItemChannel
    unit: UnitId | None
    """None when the source names a unit that the configuration does not know."""
    external_id: str
    url: str
    title: str
    """NFC, control characters removed, at most 500 characters."""
    language: str
    kind: int | None
    """1 to 12: the kinds of Article 8; None if the source does not say."""
    state: str
    created_at: datetime | None
    """The content system's own creation row; None where a source has none."""
    published_at: datetime | None
    """Claimed by the source."""
    modified_at: datetime | None
    raw_date: str
    """The claimed date as it stood, at most 100 characters."""
    first_seen_at: datetime
    baseline: bool
    """Seen by the very first poll of its source: its first-seen time proves nothing."""
    content_hash: Digest
    """Of the text, NFC, case and white space folded."""
    body_letters: int | None
    """Letters in the body; None if the source does not give it."""
    evidence: Digest
    """The blob of the poll that showed it."""
    text_problems: tuple[str, ...] = ()
    """What Article 7.6's checks say of its text: `legacy-encoding`, `not-nfc`, `mojibake`, ..."""
    translation_of: str = ""
    """The source's own id of the Vietnamese item that it is the translation of; empty if it does not say."""
    document_on: date | None = None
    """The date of the document that it publishes; None if the source does not say."""
    unit_name: str = ""
    """As the source names a unit that the configuration does not know, at most 300 characters; empty where it is known."""
    rewrite: Rewrite = Rewrite.NO
    """It is no new item but a known one whose page has another text."""


@dataclass(frozen=True, slots=True)
class UpdateSourceTraits:
    """What a source of updates is, as far as judging must know."""

    id: str
    channel: ItemChannel
    """Where its items are published; a row may say otherwise for itself."""
    complete: bool
    """Each answer lists everything that is published there, however old: a database, a register."""
    unit: UnitId | None = None
    """The one unit that it belongs to; None if its rows name theirs."""
    unit_names: tuple[tuple[str, UnitId], ...] = ()
    """The names and codes that it uses for units."""
    names_authors: bool = False
    """Its rows name the units that they are of: one without a name may be any one's."""
    outsiders: tuple[str, ...] | None = None
    """Names of authors that are no unit; any other one that is not known may be any unit's. None where such an author is nobody's."""
    trust_created: bool = False
    """The operator declares that editors cannot write the creation column."""
    attested: bool = False
    """Its rows are entered by a registrar: grade D."""
    typed_days: bool = False
    """Its days are typed by people, and no setting says how: a spreadsheet may have exchanged day and month of some."""
    syndicated: bool = False
    """The province's portal pulls its items by itself (Article 9.2)."""
    copies_count: bool = False
    """Texts that another unit published first count here too."""
    gives_out: bool = False
    """What it published first is for all units to spread: nobody's copy of it is one."""
    cross_check: bool = False
    """It is asked what another source of its channel and unit may have missed; nothing that it shows counts by itself."""
    pairs: tuple[PairRule, ...] = ()
    """How its addresses tell which English item belongs to which Vietnamese one."""
    tells_translations: bool = False
    """Its rows say of what they are the translation: an item without one has none."""
    host: str = ""
    """The server that it asks, of which it is not to ask too much at once; empty if it asks none."""


@dataclass(frozen=True, slots=True)
class ListedItem:
    """One item as a source's answer shows it, before anything is known of it. Text is untrusted."""

    external_id: str
    url: str
    title: str
    published_at: datetime | None
    raw_date: str
    unit_name: str = ""
    """As the source names the unit."""
    channel: ItemChannel | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    language: str = ""
    kind: int | None = None
    state: str = ""
    body: str | None = None
    """The text without mark-up; None if the source does not give it."""
    body_is_summary: bool = False
    """`body` is only the beginning or a summary of the text: its length proves nothing."""
    translation_of: str = ""
    """The source's own id of the Vietnamese item that it is the translation of."""
    document_on: date | None = None
    """The date of the document that it publishes, in the source's zone."""
    is_automatic: bool = False
    """A program sent it, by its own word, though it may bring what a person wrote: it is open."""
    is_sent_again: bool = False
    """A mail that says that it sends again, or completes, what came before."""
    files: str = ""
    """Digests of the files that it is made of: by these it is known again, whatever is written around them."""
    line: str = ""
    """The `RefusedItem.key` that its line would have, were it refused; only where day and month of its date are in no known order,
    or may be exchanged."""
    is_out_of_order: bool = False
    """Its day lies more than a week before those of the lines beside it."""
    exchanged_on: date | None = None
    """Its day, were day and month of it exchanged, which a spreadsheet may have done; None where its line is as it is for another reason."""


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A part of an answer that could not be read as an item."""

    what: Message
    """`line or item: why`, bounded and escaped."""
    key: str = ""
    """By what it is known again in a later answer, wherever it stands there; empty where it hides no item."""
    unit_name: str = ""
    """As the source names the unit, where that much could be read."""
    at: datetime | None = None
    """When what it hides was made, where that much could be read."""
    is_open: bool = False
    """It is a hole of which nobody knows how much is in it: every answer that has it may hide something new."""


PLACE = "place:"
"""How an etag begins that is a place in a source's own numbering: it is shown also where the whole answer is wanted."""


@dataclass(frozen=True, slots=True)
class UpdateAnswer:
    """What a source of updates sent."""

    data: bytes | None
    """The raw answer, kept as evidence; None says that, as the source claims, nothing changed since the answer before."""
    etag: str = ""
    """To be shown to the source the next time; empty if it gave none. One that begins with `PLACE` is no claim that nothing changed."""
    via: tuple[str, ...] = ()
    """Where the source's address was redirected to, in order."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All that one answer of a source says."""

    items: tuple[ListedItem, ...]
    rejected: tuple[RefusedItem, ...] = ()
    doubt: Message | None = None
    """Why it proves nothing of the time since the answer before, or as a cross-check; None if it does."""
    covers_from: datetime | None = None
    """From when on it shows everything, where the source itself can tell; else that is found out from its items."""


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll of one source."""

    source: str
    polled_at: datetime
    ok: bool
    problem: Message | str
    """Why it failed, bounded; empty if it did not. Text in records from before it was a sentence."""
    items: int
    new_items: int
    evidence: Digest | None
    """The raw answer, or the part of it that arrived; None if nothing arrived."""
    covers_from: datetime | None
    """From when on this poll shows everything that was published there; None for nothing."""
    gap: bool = False
    """The answer did not overlap with the poll before, and nothing has shown that no item was missed."""
    rejected: tuple[Message | str, ...] = ()
    """`line or item: why` for each item that was refused, at most 100. Text in records from before it was a sentence."""
    rejected_more: int = 0
    """How many more were refused than `rejected` names."""
    via: tuple[str, ...] = ()
    """Where the source's address was redirected to, in order; bounded and escaped."""
    gap_check: Message | None = None
    """What a cross-check says of a gap before this answer; None if there was no gap, or nothing to check it by."""
    hint: Message | None = None
    """What a person may do about a failure; None if there is nothing to tell, and in older records."""
    place: int = 0
    """Its place, from 1, among the looks of its run in the order in which the store got them; 0 in older records."""
    blind: Message | None = None
    """Why the answer proves neither presence nor absence of what it does not show; None if it does, and in older records."""
    doubts_from: datetime | None = None
    """The answer shows that those from then on, up to it, were out of date; None if it does not, and in older records."""
    renamed: int = 0
    """Items that the answer shows under other ids and addresses than before, all at once; 0 in older records."""
    owner: str | None = None
    """The unit whose own source it was at that time; empty for a source of several; None in older records."""

    @property
    def cause(self) -> Message | str:
        """Why it failed, without the source's name: for where that stands beside it."""
        if isinstance(self.problem, Message) and self.problem.text == "update source {source}: {cause}":
            cause = self.problem.values["cause"]
            return cause if isinstance(cause, Message) else str(cause)
        return self.problem


@dataclass(frozen=True, slots=True)
class SourceAsked:
    """The body of an `updates-part.finished` record, under the key `updates-part`: the result of polling one source."""

    source: str
    at: datetime
    """When it was asked."""
    answered: bool
    """It gave an answer, if only that nothing has changed."""
    evidence: Digest | None
    """The kept answer, or the part of it that arrived; None if nothing arrived."""
    etag: str = ""
    """What its server wants to be shown the next time."""
    via: tuple[str, ...] = ()
    """Where the source's address was redirected to, in order; bounded and escaped."""
    problem: Message | None = None
    """Why it failed; None if it did not."""
    hint: Message | None = None
    """What a person may do about a failure; None if there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One item's fate in the judging."""

    observation: str
    day: date | None
    """The local day it is shown on; None if it counts for nothing."""
    grade: Grade
    flags: tuple[FlagKind, ...]
    since: datetime | None = None
    """After this moment it came; None for no bound, and in older records."""
    until: datetime | None = None
    """Until this moment it came; None in older records."""
    is_sure: bool = True
    """It counts for certain, wherever in that time it came."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many occasions came, as far as it can be known, and how many were due."""

    least: int
    """Whatever the placement of items between the polls that bound them."""
    most: int | None
    """None where any number may have come unseen."""
    required_least: int
    """Due if every day of which the calendar is not certain is a day off."""
    required_most: int
    """Due if every such day is worked."""
    unread: int = 0
    """Lines or items that could not be read and may be occasions beyond the most; 0 in older records."""


@dataclass(frozen=True, slots=True)
class UnseenTime:
    """A time in which any number of items may have come unseen."""

    source: str
    since: datetime | None
    """None for all time before."""
    until: datetime | None
    """None for all time after."""


@dataclass(frozen=True, slots=True)
class UnitWeek:
    """One unit's ISO week: both indicators and the verdict."""

    unit: UnitId
    week: Week
    verdict: DutyVerdict
    reason: Message
    required: int
    """Occasions due, the greater number of both indicators; 0 when exempt."""
    subportal: int
    """K1: occasions seen on the sub-portal."""
    submissions: int
    """K2: occasions seen coming in."""
    subportal_verdict: DutyVerdict
    submissions_verdict: DutyVerdict
    working_days: int
    """Working days of the week on which the unit existed."""
    coverage_percent: int
    """How much of the week was seen, as far as it had gone, of the indicators that the verdict rests on; 0 to 100."""
    pending: int = 0
    """Occasions that rest on claimed dates alone."""
    items: tuple[Counted, ...] = ()
    unreachable: tuple[date, ...] = ()
    """Working days on which its sub-portal was polled and never answered: told apart from nothing new."""
    exemptions: tuple[str, ...] = ()
    """Ids of those by which days of the week are not due."""
    subportal_required: int | None = None
    """Occasions due of K1: fewer than of K2 in a week in which a sub-portal is due for fewer days. None in older records."""
    submissions_required: int | None = None
    """Occasions due of K2; None in older records."""
    summed: int | None = None
    """Occasions of K1 and K2 as one, each item once; None where they are not added up."""
    unseen_hours: int | None = None
    """Hours of the week, as far as it had gone, that no look has shown; None in older records."""
    subportal_reason: Message | None = None
    """Why K1 has its verdict; None where it is met or nothing is due, and in older records."""
    submissions_reason: Message | None = None
    """Why K2 has its verdict; None as above."""
    subportal_bounds: Bounds | None = None
    """K1 at least and at most; None in older records."""
    submissions_bounds: Bounds | None = None
    """K2 at least and at most; None in older records."""
    summed_bounds: Bounds | None = None
    """K1 and K2 added up, each item once; None where they are not, and in older records."""
    unseen: tuple[UnseenTime, ...] = ()
    """What of the week no source has shown; named where the week is not met."""

    @property
    def due_on_subportal(self) -> int:
        """Return the occasions due of K1."""
        return self.required if self.subportal_required is None else self.subportal_required

    @property
    def due_to_send(self) -> int:
        """Return the occasions due of K2."""
        return self.required if self.submissions_required is None else self.submissions_required

    @property
    def added_up(self) -> int:
        """Return the occasions of K1 and K2 as one."""
        return self.subportal + self.submissions if self.summed is None else self.summed


@dataclass(frozen=True, slots=True)
class PortalDay:
    """The portal itself on one day (11.1)."""

    day: date
    working: bool
    verdict: DutyVerdict
    reason: Message
    updates: int
    observations: tuple[str, ...] = ()
    """Ids of what supports the verdict."""
    unreachable: bool = False
    """It was polled on that day and never answered."""
    bounds: Bounds | None = None
    """Updates at least and at most; None in older records."""
    unseen: tuple[UnseenTime, ...] = ()
    """What of the day no source has shown; named where it is not met."""


@dataclass(frozen=True, slots=True)
class UnitDay:
    """What one unit did on one day: a cell of the units x days matrix."""

    unit: UnitId
    day: date
    subportal: int
    submissions: int
    flags: tuple[FlagKind, ...] = ()


@dataclass(frozen=True, slots=True)
class FlaggedItem:
    """An item with flags, named for the exception list."""

    unit: UnitId | None
    observation: str
    title: str
    flags: tuple[FlagKind, ...]
    claimed_at: datetime | None
    evidenced_at: datetime | None
    """When it can be shown to have existed: created or first seen."""


@dataclass(frozen=True, slots=True)
class UpdatesResult:
    """The body of an `updates.finished` record, under the key `updates`."""

    polls: tuple[Poll, ...]
    judged_from: date
    judged_to: date
    rulebook: str
    """The edition, as `Rulebook.edition` names it."""
    calendar: str
    """Version of the working-day calendar."""
    portal_days: tuple[PortalDay, ...]
    unit_weeks: tuple[UnitWeek, ...]
    unit_days: tuple[UnitDay, ...]
    """Only cells with something in them."""
    flagged: tuple[FlaggedItem, ...]
    text_checked: int
    """How many items' text went through the Unicode checks of Article 7.6."""
    variety: Variety | None = None
    """What was published by kind and language; None where it was not counted."""
    untold: tuple[Poll, ...] = ()
    """Looks of an earlier run, which was cut off before it could tell of them."""


class OpenBecause(StrEnum):
    """Why a week that is over came to no verdict: who can mend it."""

    NO_SOURCE = "no-source"
    """No source shows what the unit does: the managing unit's to mend."""
    NOT_WATCHED = "not-watched"
    """A source was polled first within the week or after it: nobody can mend it."""
    UNPROVEN = "unproven"
    """The unit's documents may decide it."""


@dataclass(frozen=True, slots=True)
class UnitSum:
    """One unit over a period."""

    unit: UnitId
    items: int
    """Items that count for certain in a week, and came for certain in the period, whatever for."""
    subportal: int
    """Occasions of K1."""
    submissions: int
    """Occasions of K2."""
    pending: int
    """Further occasions that rest on claimed dates alone."""
    weeks: Mapping[DutyVerdict, int]
    """How many of its weeks have each verdict."""
    newest_at: datetime | None
    """By when its newest item that came for certain in the period was there."""
    unreachable_days: int
    flags: Mapping[FlagKind, int] = field(default_factory=dict)
    unmet: frozenset[tuple[Week, CaseDuty]] = frozenset()
    """What it did not do, of weeks whose last day lies in the period."""
    open_because: Mapping[OpenBecause, int] = field(default_factory=dict)
    """How many weeks that are over came to no verdict, by each reason; a week may have two."""
