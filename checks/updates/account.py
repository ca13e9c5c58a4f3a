"""What each item of a unit's week comes to, and why, in words that the unit's own clerk understands. Pure.

A verdict rests on two numbers, and those on items and on times that nobody saw. Here each item is named with its interval and
its fate, so that a stranger can add them up, and the unit can say where we err.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from checks.updates.authors import BESIDE, author_above, names_in
from checks.updates.exchanged_days import OUT_OF_ORDER
from checks.updates.judging import Judging
from checks.updates.mail_senders import sender_address, without_mentions
from checks.updates.mailed_again import OTHER_PART, SAME_BEGINNING, SAME_FILE
from checks.updates.recognition import is_mail
from checks.updates.rules.doubles import is_mailed_again
from checks.updates.rules.grading import (
    BEGINNING,
    STUB_LETTERS,
    GradedItem,
    is_ahead,
    is_bare,
    is_beyond_comparing,
    is_from_long_ago,
    is_unnamed,
)
from checks.updates.rules.occasions import Counting
from checks.updates.rules.seen import SeenItem
from checks.updates.rules.stamps import Stamp, moment
from checks.updates.rules.units import WeekFacts
from checks.updates.text import fold
from checks.updates.unit_names import UnitNames
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, UnitId, is_valid_on
from portalops.model.period import Week, day_or_moment
from portalops.model.text import show_text
from portalops.model.updates import FlagKind, Grade, ItemChannel, Rewrite, UnitWeek
from portalops.registers.attested import OBSERVED

INDICATORS = (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)


class ItemCounts(StrEnum):
    """Whether an item counts in a week."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


@dataclass(frozen=True, slots=True)
class AccountedItem:
    """One item, and what it comes to in a week."""

    item: GradedItem
    indicators: tuple[ItemChannel, ...]
    """For which of K1 and K2 it is; none if for neither."""
    counts: ItemCounts
    why: Message
    since: datetime | None
    """After this moment it came; None if nobody knows."""
    until: datetime
    original: GradedItem | None = None
    """Of a copy, the item that it says again, where that is known."""


@dataclass(frozen=True, slots=True)
class WeekAccount:
    """A unit's week, and every item that bears on it."""

    week: UnitWeek
    items: tuple[AccountedItem, ...]
    """In order of time."""
    nameless: tuple[GradedItem, ...] = ()
    """Items of the week that came in under a name like no unit's: they bear on nobody, and may be anybody's."""


def account_for(judging: Judging, unit: Agency, week: Week, names: UnitNames) -> WeekAccount | None:
    """Return what a unit's week rests on; None if the unit did not exist in it, or it has not begun.

    Args:
        judging: of a period that holds the week.
        unit: as it is configured.
        week: which week.
        names: all units by their names.
    """
    judged = judging.judge(unit.id, unit)
    found = next((one for one in judged.weeks if one.week == week), None)
    facts = judging.facts_of(week)
    if found is None or facts is None:
        return None
    placed: dict[str, tuple[Counting, list[ItemChannel]]] = {}
    for channel in INDICATORS:
        for one in judged.counting.get(channel, {}).get(week, ()):
            channels = placed.setdefault(one.item.seen.id, (one, []))[1]
            if channel not in channels:  # what is read in two ways may stand there twice
                channels.append(channel)
    own = {item.seen.id: item for item in judged.items}
    alike = _like_one_another(judging, judged.items, names)
    bearing = own | {
        key: one.item for key, (one, _channels) in placed.items()
    }  # what is read in two ways, as it bears on the week
    originals = judging.originals_of([item for item in bearing.values() if FlagKind.DUPLICATE in item.flags])
    items = [
        replace(_accounted(item, placed.get(key), unit, facts, alike.get(key)), original=originals.get(key))
        for key, item in bearing.items()
        if key in placed or (item.seen.channel in INDICATORS and _concerns(item, facts))
    ]
    nameless = [
        item
        for item in judging.judge(None, None).items
        if item.seen.channel == ItemChannel.SUBMISSION
        and item.came is not None
        and item.seen.unit_name
        and _concerns(item, facts)
        and not names.likely(item.seen.unit_name, judging.traits_of(item.seen.source), moment(item.seen.first_seen_at))
    ]
    strangers = {item.seen.id for item in nameless}

    def of_sender(one: AccountedItem) -> AccountedItem:
        seen = one.item.seen
        if one.counts is not ItemCounts.PERHAPS:
            return one
        if seen.id in strangers:
            return replace(one, why=_explain_stranger(seen))
        traits, at = judging.traits_of(seen.source), moment(seen.first_seen_at)
        if seen.unit is None and (claimants := names.claimants(seen.unit_name, traits, at)):
            return replace(one, why=_explain_two_senders(seen, names.name_of(claimants[0]) or claimants[0]))
        if seen.unit is None and unit.id in names.holders_above(seen.unit_name, traits):
            return replace(one, why=_explain_domain(seen))
        if seen.unit is None and unit.id in names.holders_beside(seen.unit_name, traits, at):
            return replace(one, why=_explain_own_domain(seen))
        if seen.unit is None and unit.id in names.bearers(seen.unit_name, traits, at):
            return replace(one, why=_explain_sender_name(seen))
        if seen.unit is None and unit.id in names.mentioned(seen.unit_name, traits, at):
            return replace(one, why=_explain_mention(seen))
        return one

    items = [of_sender(one) for one in items]
    return WeekAccount(
        found,
        tuple(sorted(items, key=lambda one: (one.until, one.item.seen.id))),
        tuple(sorted(nameless, key=lambda item: (item.evidenced_at, item.seen.id))),
    )


def _concerns(item: GradedItem, facts: WeekFacts) -> bool:
    one = item.seen
    if one.looked_before_at is not None and one.looked_before_at < facts.end <= one.first_seen_at:
        return True  # it came about the week's end: whoever knows it of the week looks for it here
    moments = (item.claimed_at, one.published_at, one.created_at, None if one.baseline else one.first_seen_at)
    return any(at is not None and facts.start <= at < facts.end for at in moments)


def _accounted(
    item: GradedItem,
    placed: tuple[Counting, Sequence[ItemChannel]] | None,
    unit: Agency,
    facts: WeekFacts,
    alike: Message | None,
) -> AccountedItem:
    one = item.seen
    if item.came is None:
        since, until = one.looked_before_at, one.first_seen_at
    else:
        since, until = (None if item.came.first == BEGINNING else item.came.first), item.came.last
    counts, why = (ItemCounts.NO, explain_nothing(item)) if placed is None else _fate(placed[0], unit, facts, alike)
    return AccountedItem(
        item,
        tuple(placed[1]) if placed else (),
        counts,
        why,
        None if since is None else moment(since),
        moment(until),
    )


def explain_nothing(item: GradedItem) -> Message:
    """Say why an item counts for nothing in the week, the strongest reason first."""
    flags = frozenset(item.flags)
    if FlagKind.REMOVED in flags and item.came is None:
        return msg("no longer shown within two days of its first appearance")
    if FlagKind.DUPLICATE in flags and item.came is None:
        return msg("the same text was published before")
    if item.came is None and item.seen.source == OBSERVED and FlagKind.BACKDATED in flags:
        return msg("a later poll would have shown it and did not, so it was not there yet")
    if item.came is None:
        return msg("shown by another source at the same address, where it counts")
    return msg("it came in another week")


def _fate(one: Counting, unit: Agency, facts: WeekFacts, alike: Message | None) -> tuple[ItemCounts, Message]:
    days = range(max(one.may_come.first, facts.first.toordinal()), min(one.days.last, facts.last.toordinal()) + 1)
    living = [day for day in days if is_valid_on(unit, date.fromordinal(day))]
    if not living:
        return ItemCounts.NO, msg("it came on a day on which the unit did not exist")
    counted = [day for day in living if day in facts.counted.perhaps]
    if not counted:
        return ItemCounts.NO, msg("it came on a day off, which does not count")
    if one.item.is_sure and one.days.first >= counted[0] and one.days.last <= counted[-1]:
        if one.days.first == one.days.last:
            return ItemCounts.YES, msg("counts on {day}", day=date.fromordinal(one.days.last))
        return ItemCounts.YES, msg(
            "counts on one day from {first} to {last}",
            first=date.fromordinal(one.days.first),
            last=date.fromordinal(one.days.last),
        )
    named = one.item.seen.unit
    if named != unit.id and FlagKind.CORRECTED not in one.item.flags:
        if named is None and is_unnamed(one.item):
            return ItemCounts.PERHAPS, _explain_unnamed(one.item.seen.unit_name)
        if named is None and BESIDE in one.item.seen.unit_name:
            names = ", ".join(names_in(one.item.seen.unit_name))
            return ItemCounts.PERHAPS, msg(
                "it names several units, and may be any one's of them: {names}", names=show_text(names, 200)
            )
        if named is None:
            return ItemCounts.PERHAPS, msg(
                "its sender {sender} is not known, and it may be this unit's",
                sender=show_text(one.item.seen.unit_name, 200),
            )
        return ItemCounts.PERHAPS, msg(
            "it bears the name of {unit}, from which this unit may have taken over", unit=named
        )
    return ItemCounts.PERHAPS, alike or _explain_doubt(one)


def _like_one_another(judging: Judging, items: Sequence[GradedItem], names: UnitNames) -> dict[str, Message]:
    """Return what is known of a unit's items of which one may be another one, by item: why they are not certain."""
    texts: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
    titles: dict[tuple[str, str], list[GradedItem]] = defaultdict(list)
    for item in items:
        texts[item.seen.channel, item.seen.text].append(item)
        titles[item.seen.channel, fold(item.seen.title)].append(item)
    shown, lenders = judging.shown_before(items), judging.lenders_of(items)
    found: dict[str, Message] = {}
    repeated = [item for item in items if FlagKind.DUPLICATE in item.flags and item.came is not None]
    doubles, others = judging.doubles_of(items) if repeated else {}, judging.same_texts(repeated)
    replacements = judging.replacements_of(items)
    for item in items:
        same = texts[item.seen.channel, item.seen.text]
        elsewhere = [one for one in same if one.seen.url != item.seen.url]
        near = judging.near_original(item.seen.id)
        other = replacements.get(item.seen.id)
        has_moved = any(FlagKind.DUPLICATE in one.flags for one in elsewhere)
        if FlagKind.REMOVED in item.flags and other is not None and not has_moved:
            found[item.seen.id] = msg(
                "it went within two days, and one like it came in its place at {address}: it was probably corrected there",
                address=other.url or other.title,
            )
        elif FlagKind.DUPLICATE in item.flags and near is not None and near.unit and _is_in_other_form(item.seen, near):
            found[item.seen.id] = msg(
                "{unit} showed this title, or these first words, at {address} on {day}, and it is not known that this unit was first",
                unit=names.name_of(near.unit) or near.unit,
                address=near.url or near.title,
                day=_day_of(near, judging.terms.zone),
            )
        elif FlagKind.DUPLICATE in item.flags and near is not None and _are_mails_with_files(item.seen, near):
            found[item.seen.id] = _name_earlier_mail(item.seen, near, judging.terms.zone)
        elif FlagKind.DUPLICATE in item.flags and near is not None:
            found[item.seen.id] = msg(
                "much of this text was published before at {address} on {day}",
                address=near.url or near.title,
                day=_day_of(near, judging.terms.zone),
            )
        elif FlagKind.DUPLICATE in item.flags and (lender := lenders.get(item.seen.id)) is not None and lender.unit:
            where = {
                "unit": names.name_of(lender.unit) or lender.unit,
                "address": lender.url or lender.title,
                "day": _day_of(lender, judging.terms.zone),
            }
            found[item.seen.id] = (
                msg(
                    "{unit} showed this news at {address} on {day}, by its title or first words, before it was sent in",
                    **where,
                )
                if _is_in_other_form(item.seen, lender)
                else msg("{unit} showed this text at {address} on {day}, before it was sent in", **where)
            )
        elif FlagKind.DUPLICATE in item.flags and item.seen.id in shown:
            found[item.seen.id] = msg(
                "the portal itself showed this news, whole or in part, and it is not known that the unit was first"
            )
        elif FlagKind.DUPLICATE in item.flags:
            double = doubles.get(item.seen.id)
            if double is not None and is_mailed_again(item.seen):
                found[item.seen.id] = msg(
                    "this mail says that it sends again, or completes, what came before: {title}, on {day}; an officer confirms it if it is news of its own",
                    title=double.title,
                    day=_day_of(double, judging.terms.zone),
                )
            elif double is not None and item.grade is Grade.D:
                found[item.seen.id] = _name_paper(item.seen, double, judging.terms.zone)
            elif any(judging.is_gone(one.seen.id) for one in elsewhere):
                found[item.seen.id] = msg(
                    "the same text stood at another address and went from there: the item probably moved"
                )
            elif double is not None:
                found[item.seen.id] = msg(
                    "this title, or one that has it in it, was at {address} on {day}: it may be the same item",
                    address=double.url or double.title,
                    day=_day_of(double, judging.terms.zone),
                )
            elif len(same) == 1 and len(titles[item.seen.channel, fold(item.seen.title)]) > 1:
                found[item.seen.id] = msg("an item of the same title was there before: it may be the same one again")
            elif item.seen.id in others:
                traits = judging.traits_of(item.seen.source)
                found[item.seen.id] = _name_same_text(
                    item.seen,
                    others[item.seen.id],
                    names,
                    judging.terms.zone,
                    is_file=traits is not None and is_mail(traits) and item.seen.body_letters is None,
                )
        elif FlagKind.REMOVED in item.flags and has_moved:
            found[item.seen.id] = msg(
                "it went from its address, and the same text stands at another one: it probably moved"
            )
        elif (
            FlagKind.REMOVED in item.flags
            and FlagKind.TOUCHED not in item.flags
            and not judging.is_listed_whole(item.seen.source)
        ):
            found[item.seen.id] = msg(
                "it is no longer shown: within two days newer items may have pushed it out of a full list, or it was taken"
                " down; have the list made longer"
            )
        elif item.is_sure and item.perhaps_since is not None and item.grade is Grade.D:
            found[item.seen.id] = msg(
                "it says that it was sent at {sent}, and its server took it on a later day: a server may have held it back",
                sent=_as_known(moment(item.perhaps_since), judging.terms.zone),
            )
        elif item.is_sure and item.perhaps_since is not None and item.seen.looked_before_at is not None:
            found[item.seen.id] = msg(
                "it claims {claimed}, and the poll of {at}, which did not show it yet, may have been answered from a cache",
                claimed=_as_known(moment(item.perhaps_since), judging.terms.zone),
                at=moment(item.seen.looked_before_at),
            )
    return found


def _name_paper(one: SeenItem, former: SeenItem, zone: ZoneInfo) -> Message:
    """Say of a paper that it may have come in before, by its own number, its subject or another way."""
    day = _day_of(former, zone)
    if former.source == one.source:
        return msg("a paper of this number or subject came in before: {title}, on {day}", title=former.title, day=day)
    return msg(
        "this paper seems to have come in before by {source}: {title}, on {day}",
        source=former.source,
        title=former.title,
        day=day,
    )


def _name_same_text(
    one: SeenItem, other: SeenItem, names: UnitNames, zone: ZoneInfo, *, is_file: bool = False
) -> Message:
    """Say where the same text stands, or of a mail with a document the same file; of an item without an address, under which title."""
    where = other.url or other.title
    if is_file and other.unit is not None and other.unit == one.unit:
        return msg("the unit itself sent the same file with {title}, on {day}", title=where, day=_day_of(other, zone))
    if is_file and other.unit is not None:
        sender = names.name_of(other.unit) or other.unit
        return msg("the same file came with {title} of {unit} too; who wrote it is not known", title=where, unit=sender)
    if other.unit is not None and other.unit == one.unit:
        return msg("the unit itself has the same text at {address}, of {day}", address=where, day=_day_of(other, zone))
    whose = None if other.unit is None else names.name_of(other.unit) or other.unit
    if whose is None:
        return msg("the same text stands at {address} too; it is not known which came first", address=where)
    return msg(
        "the same text stands at {address}, of {unit}, too; who wrote it is not known", address=where, unit=whose
    )


def _name_earlier_mail(one: SeenItem, near: SeenItem, zone: ZoneInfo) -> Message:
    """Name the earlier mail of its unit that a mail without a whole text may bring again, and say by what."""
    codes = one.text_problems.split(",")
    values: dict[str, str | date] = {"title": near.title, "day": _day_of(near, zone)}
    if SAME_FILE in codes:
        return msg("an earlier mail of this unit has a file of this name: {title}, on {day}", **values)
    if OTHER_PART in codes:
        return msg("an earlier mail of this unit seems to be another part of this one: {title}, on {day}", **values)
    if SAME_BEGINNING in codes:
        return msg(
            "an earlier mail of this unit has this subject and begins as this one does: {title}, on {day}", **values
        )
    return msg("an earlier mail of this unit has much of this text: {title}, on {day}", **values)


def _is_in_other_form(one: SeenItem, near: SeenItem) -> bool:
    """Say whether another unit's item is near by its title or first words, as one of both gives no whole text."""
    return None not in {one.unit, near.unit} and one.unit != near.unit and None in {one.body_letters, near.body_letters}


def _are_mails_with_files(one: SeenItem, near: SeenItem) -> bool:
    """Say whether two items of one unit were sent in without a whole text: their files say the rest."""
    is_sent = one.channel == near.channel == ItemChannel.SUBMISSION and one.unit == near.unit
    return is_sent and one.body_letters is None and near.body_letters is None


def _day_of(one: SeenItem, zone: ZoneInfo) -> date:
    return moment(_published_at(one)).astimezone(zone).date()


def _published_at(one: SeenItem) -> Stamp:
    """Return when an item says that it was published; else when it was first seen."""
    return one.first_seen_at if one.published_at is None else one.published_at


def _explain_stranger(one: SeenItem) -> Message:
    """Say why a register's line may be a unit's whose author is like no unit's name, and what mends it."""
    return msg(
        "its author {author} is like no unit's name, so that it may be this unit's: add the name to aliases of its unit, or to outsiders of source {source}",
        author=one.unit_name,
        source=one.source,
    )


def _explain_domain(one: SeenItem) -> Message:
    """Say why a mail may be a unit's whose domain is above the sender's, and what mends it."""
    return msg(
        "its sender {sender} is below this unit's mail domain, so that it may be this unit's: if it is, add \"{domain}\" to aliases of the unit",
        sender=show_text(sender_address(one.unit_name), 200),
        domain=show_text(sender_address(one.unit_name).rpartition("@")[2], 200),
    )


def _explain_own_domain(one: SeenItem) -> Message:
    """Say why a mail may be a unit's whose addresses alone are known of the sender's domain, and what mends it."""
    return msg(
        'its sender {sender} is of a mail domain of which only addresses of this unit are known, so that it may be this unit\'s: if it is, add "{sender}" to aliases of the unit',
        sender=show_text(sender_address(one.unit_name), 200),
    )


def _explain_sender_name(one: SeenItem) -> Message:
    """Say why a mail may be a unit's whose name or address stands beside the sender's, and what mends it."""
    return msg(
        "its sender {sender} writes this unit's name, or has answers sent to its address, so that it may be this unit's: if the address is its own, add \"{address}\" to aliases of the unit; else record whose the mail is with 'portalops updates register --unit'",
        sender=show_text(without_mentions(one.unit_name), 200),
        address=show_text(sender_address(one.unit_name), 200),
    )


def _explain_mention(one: SeenItem) -> Message:
    """Say why a mail of an unknown sender may be a unit's that it mentions, and what mends it."""
    return msg(
        "its sender {sender} is not known, and this unit's name or address stands in its subject, at the beginning or end of its text or among its receivers, so that it may be this unit's: if the address is the unit's own, add \"{address}\" to aliases of the unit; if it is no unit's, add it to outsiders of source {source}; else record whose the mail is with 'portalops updates register --unit'",
        sender=show_text(without_mentions(one.unit_name), 200),
        address=show_text(sender_address(one.unit_name), 200),
        source=one.source,
    )


def _explain_two_senders(one: SeenItem, owner: Name | UnitId) -> Message:
    """Say why a mail may be of either of two units, and what mends it."""
    return msg(
        "its sender {sender} has an address of {unit}, with another unit's name or address for answers beside it, so that it may be of either: record whose the mail is with 'portalops updates register --unit', or add the name as it is written to aliases of the unit that always writes so",
        sender=show_text(without_mentions(one.unit_name), 200),
        unit=owner,
    )


def _explain_unnamed(written: str) -> Message:
    """Say why an item may be a unit's whose author is not written, and what mends it."""
    above = author_above(written)
    if above != written:
        return msg(
            "its author is written as a sign for the one of the line above, {author}: have the name written out, or record whose it is with 'portalops updates register --unit'",
            author=above,
        )
    return msg(
        "its author is not written, so that it may be this unit's: have the name filled in, or record whose it is with 'portalops updates register --unit'"
    )


def _explain_doubt(one: Counting) -> Message:
    item, flags = one.item, frozenset(one.item.flags)
    if FlagKind.DUPLICATE in flags:
        return msg("the same text stands elsewhere too, or stood there before; it is not known which came first")
    if FlagKind.TOUCHED in flags:
        return msg(
            "its row is much older: it may be an old item that was published again, until an officer confirms it"
        )
    if FlagKind.REMOVED in flags:
        return msg("it may have been shown for less than two days")
    if FlagKind.UNSHOWN in flags:
        return msg("an officer saw it, no poll of this sub-portal showed it, and nothing of it is kept")
    if FlagKind.STRUCK_OUT in flags:
        return msg("the register has this line no more; it counts when an officer confirms the paper")
    if FlagKind.CORRECTED in flags:
        return msg(
            "its source named another unit or day for it, first or since; a slip or a line written over: an officer decides"
        )
    if FlagKind.EXCHANGED in flags:
        return msg(
            "day and month of its day may be exchanged, as it came up when the exchanged day was: an officer confirms the paper; have days kept as text, and set date_formats"
        )
    if FlagKind.MISDATED in flags and is_ahead(item.seen):
        return msg(
            "the register had this line before the day that it names, so that its day is a slip: it came between the two polls; an officer confirms the paper"
        )
    if FlagKind.MISDATED in flags and OUT_OF_ORDER in item.seen.text_problems.split(","):
        return msg(
            "it came up a week or more after its day, and the lines beside it are of other days, so that its day may be a slip: an officer confirms the paper"
        )
    if FlagKind.MISDATED in flags:
        return msg(
            "month or year of its day may be a slip, as it came up shortly after that day of its own month: an officer confirms the paper"
        )
    if FlagKind.AUTOMATIC in flags:
        return msg(
            "the header Auto-Submitted of this mail, or else Precedence, Return-Path or the beginning of its subject, says that a program sent it: an officer confirms it if it brings what the unit wrote"
        )
    if item.grade is Grade.D and item.seen.body_letters is not None and item.seen.body_letters < STUB_LETTERS:
        return msg(
            "this mail has fewer than 200 letters and no document, or it answers an invitation or is a receipt: an officer confirms it if anything came with it"
        )
    if is_beyond_comparing(item.seen):
        return msg(
            "its text lacks the Vietnamese marks or is in a wrong encoding, so that no earlier text is known again in it: an officer reads it"
        )
    if is_bare(item.seen):
        return msg("its title has fewer than three words and hardly a text stands below: an officer reads it")
    if item.seen.rewrite == Rewrite.OPEN and item.seen.body_letters is None:
        return msg(
            "at this address the text, the title or the date is another one than before; its source gives a title or a"
            " summary, however long, and not the page itself: an officer reads it"
        )
    if item.seen.rewrite == Rewrite.OPEN:
        return msg("the page's text changed, and it is not certain that enough of it is new for another item")
    if FlagKind.BACKDATED in flags and item.grade is Grade.D:
        return msg(
            "it says that it was sent more than 30 days before its server took it: an old mail may have been put back; an officer confirms it if it is new"
        )
    if FlagKind.BACKDATED in flags and is_from_long_ago(item.seen):
        return msg(
            "it claims a time more than 30 days before the poll that did not show it: an old item may have been put into this list, such as one of another category; an officer confirms it if it is new"
        )
    if FlagKind.BASELINE in flags:
        return msg("it was already there when the source was polled first; its date counts when an officer confirms it")
    if FlagKind.UNBOUNDED in flags:
        return msg("no earlier poll would have shown it; its date counts when an officer confirms it")
    if item.hoped_at is not None:
        return msg("its two polls leave more than one day open; its date counts when an officer confirms it")
    return msg("it came between two polls of which one lies outside this week")


def describe_interval(item: GradedItem, zone: ZoneInfo) -> Message:
    """Say in which interval an item came; of one whose local day alone is known, the day."""
    came = item.came
    if came is None:
        return msg("first seen at {until}", until=moment(item.seen.first_seen_at))
    if came.first == came.last:
        at = moment(came.last)
        known = _as_known(at, zone)
        return msg("at {at}", at=at) if known == at else msg("on {day}", day=known)
    if came.first == BEGINNING:
        return msg("at some time until {until}", until=moment(came.last))
    return msg("between {since} and {until}", since=moment(came.first), until=moment(came.last))


def grounds(item: GradedItem, zone: ZoneInfo) -> Iterable[Message]:
    """Yield what bounds an item's time, in the order in which it was weighed."""
    one = item.seen
    if one.rewrite:
        yield msg("the page at this address was there before, with another text")
    if one.looked_before_at is None:
        yield msg("no earlier poll would have shown it")
    else:
        yield msg("the poll of {at} would have shown it and did not", at=moment(one.looked_before_at))
    yield msg("the poll of {at} showed it first", at=moment(one.first_seen_at))
    if one.created_at is not None:
        made = _as_known(moment(one.created_at), zone)
        if item.grade is Grade.D and one.created_at == one.published_at:
            yield msg("its source writes {at} as its arrival", at=made)
            return
        yield msg("its row was made at {at}", at=made)
    if one.published_at is not None:
        yield msg("it claims {at}", at=_as_known(moment(one.published_at), zone))


def _as_known(at: datetime, zone: ZoneInfo) -> date | datetime:
    return day_or_moment(at, zone) or at


def as_moment(at: Stamp | None) -> datetime | None:
    """Return a stamp as a moment; None stays None."""
    return None if at is None else moment(at)
