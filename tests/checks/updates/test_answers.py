"""What an answer proves, on a small site that pins, takes down, cuts off and comes from a cache that is out of date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.updates.answers import (
    ORDER_UNKNOWN,
    OTHER_LIST,
    SHUFFLED,
    SKEW,
    Answer,
    AnswerItem,
    AnswerProof,
    BaseAnswer,
    BaseItem,
    MissedItem,
    doubted,
    doubts_begin,
    prove,
)
from checks.updates.job import replay
from checks.updates.observations import ObservationStore
from checks.updates.proving import differences
from checks.updates.rules.seen import Gone
from checks.updates.rules.stamps import moment, stamp
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.updates import (
    ItemChannel,
    ListedItem,
    Listing,
    Poll,
    RefusedItem,
    UpdateAnswer,
    UpdateSourceTraits,
)
from tests.checks.updates.scene import HEALTH, ZONE, at

MONDAY = at("2026-11-16 00:00")
NEXT_YEAR = at("2027-11-16 00:00")


def hour(number: float) -> datetime:
    """Return a moment so many hours after Monday began."""
    return MONDAY + timedelta(hours=number)


@dataclass(frozen=True)
class Line:
    """What a site shows of an item: its name, and in which hour it claims to be published."""

    name: str
    """With a question mark in it, it cannot be read; with a mark of exclamation as well, nobody knows how much it hides."""
    claimed: float | None = None
    guid: str | None = None
    """Its name if it has none of its own."""
    address: str | None = None
    """Its name if it has none of its own; empty for none at all."""


class ListedSource:
    """A source whose answers are lists of lines."""

    def __init__(self, *, complete: bool = False, host: str = "soyte.example", name: str = "list") -> None:
        self.traits = UpdateSourceTraits(
            name, ItemChannel.SUBPORTAL, complete=complete, unit=HEALTH.id, host=host, trust_created=False
        )

    def fetch(self, *, etag: str) -> UpdateAnswer:
        raise AssertionError("its answers are kept ones")

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        del polled_at
        lines = [Line(*one) for one in json.loads(data)]
        refused = (
            RefusedItem(msg("it has no title"), one.name, is_open="!" in one.name) for one in lines if "?" in one.name
        )
        return Listing(tuple(_listed(one) for one in lines if "?" not in one.name), tuple(refused))


def _listed(one: Line) -> ListedItem:
    claimed = None if one.claimed is None else hour(one.claimed)
    return ListedItem(
        external_id=one.name if one.guid is None else one.guid,
        url="" if one.address == "" else f"https://soyte.example/{one.address or one.name}",
        title=f"Tin {one.name}",
        published_at=claimed,
        raw_date="" if claimed is None else claimed.isoformat(),
        body=f"Nội dung của {one.name}",
    )


@dataclass
class Polled:
    """A source that is polled again and again."""

    folder: Path
    source: ListedSource = field(default_factory=ListedSource)

    def __post_init__(self) -> None:
        self.store = ObservationStore.open(self.folder / "observations.sqlite")
        self.blobs: dict[Digest, bytes] = {}
        self.records: list[Poll] = []

    def poll(self, number: float, lines: Iterable[Line | str | float]) -> Poll:
        """Take in an answer at an hour; a number is an item that was published in that hour."""
        shown = [
            one if isinstance(one, Line) else Line(str(one), None if isinstance(one, str) else one) for one in lines
        ]
        data = json.dumps([(one.name, one.claimed, one.guid, one.address) for one in shown]).encode()
        evidence = Digest(hashlib.sha256(data).hexdigest())
        self.blobs[evidence] = data
        self.records.append(Poll(self.source.traits.id, hour(number), True, "", len(shown), 0, evidence, None))
        self._read(self.store, self.records[-1:])
        (found,) = self.store.newest_polls()
        return found

    def _read(self, store: ObservationStore, polls: Sequence[Poll]) -> None:
        replay(polls, blob=self.blobs.__getitem__, sources=[self.source], units=[HEALTH], zone=ZONE, store=store)

    def known(self) -> dict[str, tuple[datetime | None, datetime]]:
        """Return each item by its title: the last poll that would have shown it and did not, and the first that did."""
        items = self.store.window(at("2020-01-01 00:00"), NEXT_YEAR).items(HEALTH.id)
        return {
            one.title.removeprefix("Tin "): (
                None if one.looked_before_at is None else moment(one.looked_before_at),
                moment(one.first_seen_at),
            )
            for one in items
        }

    def absent(self, name: str | float) -> float | None:
        """Return the hour of the last poll that would have shown an item and did not."""
        found = self.known()[str(name)][0]
        return None if found is None else (found - MONDAY) / timedelta(hours=1)

    def gone(self) -> dict[str, Gone]:
        """Return what is taken down, by title."""
        window = self.store.window(at("2020-01-01 00:00"), NEXT_YEAR)
        titles = {one.id: one.title.removeprefix("Tin ") for one in window.items(HEALTH.id)}
        return {titles[name]: one for name, one in window.changes().gone.items()}

    def sure(self) -> set[str]:
        return {name for name, one in self.gone().items() if one.is_sure}


@pytest.fixture
def feed(tmp_path: Path) -> Polled:
    return Polled(tmp_path)


# --- empty answers -------------------------------------------------------------------------------


def test_an_answer_that_is_empty_after_others_had_items_is_blind_and_no_base(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(20, [19, 9, 8])

    empty = feed.poll(30, [])
    feed.poll(40, [39, 29, 19])

    assert "the answer is empty, and on 2026-11-16T13:00" in str(empty.blind)
    assert empty.covers_from is None and not empty.gap
    assert [feed.absent(name) for name in (39, 29)] == [20, 20]
    assert feed.gone() == {}


def test_the_first_answer_that_has_items_is_the_baseline(feed: Polled) -> None:
    first = feed.poll(10, [])
    feed.poll(20, [19, 9])

    (one, other) = feed.store.window(MONDAY, NEXT_YEAR).items(HEALTH.id)
    assert str(first.blind) == "the answer is empty, and no earlier one had items"
    assert (one.baseline, other.baseline, one.looked_before_at) == (True, True, None)


def test_a_new_register_without_lines_is_not_blind_and_no_base_either(tmp_path: Path) -> None:
    table = Polled(tmp_path, ListedSource(complete=True, host=""))

    first = table.poll(10, [])
    table.poll(20, [19])

    assert first.blind is None and first.covers_from is not None
    assert table.absent(19) is None


# --- order ---------------------------------------------------------------------------------------


def test_a_list_of_the_oldest_items_first_is_blind_and_what_it_appends_is_new(feed: Polled) -> None:
    feed.poll(10, [1, 2, 3, 4])

    later = feed.poll(20, [1, 2, 3, 4, 15])

    assert "oldest items first: if the list is cut" in str(later.blind)
    assert (later.gap, later.covers_from) == (False, None)
    assert feed.absent(15) == 10


def test_what_a_list_of_the_oldest_first_shows_elsewhere_may_have_been_cut_off(feed: Polled) -> None:
    feed.poll(10, [1, 2, 3, 4, 5])

    feed.poll(20, [1, 2, 4, 5, 6])

    assert feed.absent(6) is None


def test_a_list_that_turns_round_says_since_when_and_proves_nothing(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6])

    turned = feed.poll(20, [5, 6, 7, 8])
    back = feed.poll(30, [29, 19, 9, 8])

    assert "oldest items first, and on 2026-11-16T03:00" in str(turned.blind)
    assert "newest items first, and on 2026-11-16T13:00" in str(back.blind)
    assert {feed.absent(name) for name in (5, 29, 19)} == {None}
    assert feed.gone() == {}


@pytest.mark.parametrize("pins", [[1], [1, 2]])
def test_pins_do_not_make_a_short_list_one_of_the_oldest_first(feed: Polled, pins: list[int]) -> None:
    feed.poll(10, [*pins, 9, 8, 7])

    later = feed.poll(20, [*pins, 19, 9, 8])

    assert later.blind is None
    assert feed.absent(19) == 10


def test_an_answer_without_news_of_a_list_of_unknown_order_is_blind_until_something_new_comes_first(
    feed: Polled,
) -> None:
    feed.poll(10, ["b", "a"])

    blind = [feed.poll(number, lines).blind for number, lines in ((20, "ba"), (30, "cba"), (40, "cba"))]

    assert blind == [ORDER_UNKNOWN, None, None]
    assert feed.absent("c") == 20


@pytest.mark.parametrize("later", [(5, 9, 3, 8, 4, 7), (3, 9, 4, 8, 5, 7)])
def test_a_list_whose_items_change_places_proves_nothing(feed: Polled, later: tuple[int, ...]) -> None:
    feed.poll(10, [9, 8, 7, 5, 4, 3])

    shuffled = feed.poll(20, [later[0], 19, *later[1:]])

    assert shuffled.blind == SHUFFLED
    assert feed.absent(19) is None


def test_another_list_of_known_items_proves_nothing_until_the_former_one_is_back(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 5, 4, 3])

    blind = [feed.poll(number, [8, 4, 3]).blind for number in (20, 30)]
    back = feed.poll(40, [39, 9, 8, 7, 5, 4])

    assert blind == [OTHER_LIST, OTHER_LIST]
    assert back.blind is None
    assert feed.absent(39) == 10


@pytest.mark.parametrize("later", [[8, 7, 5, 4, 3], [9, 8, 7, 5], [9, 7, 5, 4, 3]])
def test_one_item_taken_down_or_a_shorter_list_is_no_other_list(feed: Polled, later: list[int]) -> None:
    feed.poll(10, [9, 8, 7, 5, 4, 3])

    assert feed.poll(20, later).blind is None


def test_an_undated_item_in_place_of_one_that_is_gone_may_be_from_an_archive(feed: Polled) -> None:
    feed.poll(10, "mnzyx")
    feed.poll(20, "wmnzyx")

    feed.poll(30, "apzyx")

    assert feed.absent("w") == 10
    assert {feed.absent("a"), feed.absent("p")} == {None}


@pytest.mark.parametrize("front", [(9,), (8, 7), (8,)])
def test_an_item_that_is_moved_to_the_front_changes_no_order(feed: Polled, front: tuple[int, ...]) -> None:
    feed.poll(10, [9, 8, 7, 6, 5, 4, 3, 2])

    moved = feed.poll(20, [*front, 19, *(one for one in (9, 8, 7, 6, 5, 4, 3, 2) if one not in front)])

    assert (moved.blind, feed.absent(19)) == (None, 10)


def test_what_an_undated_list_appends_behind_all_that_it_had_shows_that_it_begins_with_the_oldest(feed: Polled) -> None:
    feed.poll(10, ["a", "b"])

    later = feed.poll(20, ["a", "b", "c"])

    assert "oldest items first: if the list is cut" in str(later.blind)
    assert (later.gap, feed.absent("c")) == (False, None)


@pytest.mark.parametrize("days", [(9, 9, 9, 9, 9), (9, 9, 8, 8, 8), (9, 9, 9, 8, 8, 7)])
def test_equal_dates_beside_one_another_tell_no_order(feed: Polled, days: tuple[int, ...]) -> None:
    lines = [Line(f"{place}", day) for place, day in enumerate(days)]
    feed.poll(10, lines)

    assert feed.poll(20, lines).blind == ORDER_UNKNOWN


def test_dates_that_rise_between_equal_ones_begin_with_the_oldest(feed: Polled) -> None:
    lines = [Line(f"{place}", day) for place, day in enumerate((1, 1, 2, 2, 3, 3, 4))]

    assert "oldest items first" in str(feed.poll(10, lines).blind)


# --- overlap -------------------------------------------------------------------------------------


def test_what_stands_before_a_known_item_was_not_there_at_the_poll_before(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(20, [19, 9, 8])

    later = feed.poll(30, [29, 28, 19])

    assert (later.blind, later.gap) == (None, False)
    assert [feed.absent(name) for name in (9, 19, 28, 29)] == [None, 10, 20, 20]


def test_an_answer_without_a_known_item_is_blind_and_what_follows_begins_anew(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])

    lost = feed.poll(20, [19, 18, 17])
    feed.poll(30, [29, 19, 18])

    assert "nothing that it showed on 2026-11-16T03:00" in str(lost.blind)
    assert lost.gap
    assert [feed.absent(name) for name in (17, 19, 29)] == [None, None, 20]


def test_a_pin_is_no_overlap(feed: Polled) -> None:
    feed.poll(10, [1, 9, 8])

    lost = feed.poll(20, [1, 19, 18])

    assert lost.gap and lost.blind is not None
    assert feed.absent(19) is None


def test_an_old_item_that_is_pinned_was_beyond_the_cut(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])

    later = feed.poll(20, [3, 19, 9])

    assert later.blind is None
    assert (feed.absent(3), feed.absent(19)) == (None, 10)


def test_what_comes_up_at_the_tail_was_beyond_the_cut(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6])

    later = feed.poll(20, [9, 7, 6, 5])

    assert (later.blind, later.gap) == (None, False)
    assert feed.absent(5) is None


def test_what_stands_behind_all_that_is_known_may_have_been_cut_off(feed: Polled) -> None:
    feed.poll(10, [9, 8, 5])

    feed.poll(20, [9, 8, 7])

    assert feed.absent(7) is None


def test_where_pins_fill_most_of_a_list_an_old_one_is_not_taken_for_new(feed: Polled) -> None:
    feed.poll(10, [1, 9])

    feed.poll(20, [3, 9])

    assert feed.absent(3) is None


def test_a_list_that_dates_all_items_anew_overlaps_with_the_one_before(feed: Polled) -> None:
    feed.poll(10, [Line(name, 10) for name in "cba"])

    later = feed.poll(20, [Line(name, 20) for name in "dcb"])

    assert (later.blind, feed.absent("d"), feed.gone()) == (None, 10, {})


def test_what_can_be_read_now_may_have_been_there_unread(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(20, ["?", 9, 8, 7])
    feed.poll(30, ["?", 9, 8, 7])

    feed.poll(40, [19, 9, 8, 7])

    assert feed.absent(19) == 10


def test_behind_a_table_that_is_not_read_to_its_end_anything_may_have_stood(tmp_path: Path) -> None:
    table = Polled(tmp_path, ListedSource(complete=True, host=""))
    table.poll(10, [9, 8, "?!"])

    table.poll(20, [19, 9, "?!"])

    assert (table.absent(19), table.gone()) == (None, {})


# --- out of date ---------------------------------------------------------------------------------


def test_items_that_come_up_together_with_older_dates_show_that_answers_were_out_of_date(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6])
    for number in (20, 30, 40):
        feed.poll(number, [9, 8, 7, 6])

    thawed = feed.poll(50, [49, 35, 25, 9])

    assert thawed.doubts_from == hour(25)
    assert thawed.blind is None
    assert {feed.absent(name) for name in (49, 35, 25)} == {20}


def test_doubts_do_not_reach_behind_an_answer_that_showed_something_new(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(20, [19, 9, 8])
    feed.poll(30, [19, 9, 8])

    thawed = feed.poll(40, [25, 19, 16, 14, 9])

    assert thawed.doubts_from == hour(20)
    assert feed.absent(25) == 10


def test_one_item_with_an_older_date_is_dated_back(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(30, [9, 8, 7])

    later = feed.poll(40, [25, 9, 8])

    assert (later.doubts_from, feed.absent(25)) == (None, 30)


def test_what_a_doubtful_poll_lacked_is_held_against_the_one_before_all_doubts(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7])
    feed.poll(20, [9, 8, 7])
    feed.poll(30, [18, 16, 9, 8])  # the poll at 20 was out of date
    feed.poll(40, [18, 16, 9, 8])

    thawed = feed.poll(50, [28, 24, 18, 16])

    assert thawed.doubts_from == hour(30)
    assert feed.absent(28) == 10


def test_an_answer_that_lacked_what_is_back_may_have_been_out_of_date(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6])
    feed.poll(20, [19, 9, 8, 7])
    feed.poll(30, [9, 8, 7, 6])

    later = feed.poll(40, [25, 19, 9, 8])

    assert feed.gone() == {}
    assert later.doubts_from is None
    assert feed.absent(25) == 20


# --- what is taken down --------------------------------------------------------------------------


def test_what_is_taken_down_is_sure_with_something_new_in_front(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6, 5])
    feed.poll(20, [19, 9, 8, 7, 6])

    feed.poll(30, [29, 19, 8, 7, 6])

    assert feed.gone() == {"9": Gone(stamp(hour(30)), stamp(hour(20)), is_sure=True)}


def test_an_answer_without_news_may_be_out_of_date_until_a_later_one_shows_some(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6])
    feed.poll(20, [19, 9, 8, 7])
    feed.poll(30, [9, 8, 7])
    before = feed.gone()

    feed.poll(40, [39, 9, 8, 7])

    assert before == {"19": Gone(stamp(hour(30)), stamp(hour(20)), is_sure=False)}
    assert feed.gone() == {"19": Gone(stamp(hour(30)), stamp(hour(20)), is_sure=True)}


@pytest.mark.parametrize(
    ("base", "is_sure"),
    [
        ([9, 8, 7, 6, 5], True),
        ([1, 2, 9, 8, 7, 6, 5], True),  # two old pins
        ([1, 2, 3, 9, 8, 7, 6, 5], True),  # three of them, older than the end
        ([7.1, 7.2, 7.3, 9, 8, 7, 6, 5, 4, 3.5, 3], False),  # a block of another category in front
        ([9, 8, 8.5, 7, 6, 5, 4], False),  # one behind
    ],
)
def test_in_a_list_of_several_blocks_nothing_is_surely_taken_down(
    feed: Polled, base: list[float], is_sure: bool
) -> None:
    feed.poll(10, base)
    front = base[: base.index(9)]

    feed.poll(30, [*front, 29, *(one for one in base[len(front) :] if one != 8)])

    assert feed.sure() == ({"8"} if is_sure else set())


def test_what_comes_back_is_not_taken_down(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6, 5])
    feed.poll(20, [29, 9, 7, 6, 5])
    sure = feed.sure()

    feed.poll(30, [29, 9, 8, 7, 6])

    assert (sure, feed.gone()) == ({"8"}, {})


@pytest.mark.parametrize("fixed", [[1], [2, 1], [3, 2, 1]])
@pytest.mark.parametrize("pins", [[], [4]])
def test_what_newer_items_push_out_in_front_of_fixed_rows_is_not_surely_taken_down(
    feed: Polled, fixed: list[float], pins: list[float]
) -> None:
    feed.poll(10, [*pins, 9, 8, 7, *fixed])
    feed.poll(20, [*pins, 19, 9, 8, *fixed])

    feed.poll(30, [*pins, 29, 28, 27, *fixed])  # 19 is pushed out
    feed.poll(60, [*pins, 59, 29, 28, *fixed])
    feed.poll(90, [*pins, 89, 59, 29, *fixed])

    assert "19" in feed.gone()
    assert feed.sure() == set()


def test_of_items_of_one_day_none_is_older_than_the_other(feed: Polled) -> None:
    feed.poll(10, [0, -24, -48, -99])
    feed.poll(20, [Line("a", 24), Line("b", 0), Line("c", -24), Line("z", -99)])

    feed.poll(30, [Line("d", 24), Line("e", 24), Line("f", 24), Line("z", -99)])
    feed.poll(60, [Line("g", 48), Line("d", 24), Line("e", 24), Line("z", -99)])

    assert feed.sure() == set()


def test_more_older_items_than_newer_ones_show_that_an_item_was_not_pushed_out(feed: Polled) -> None:
    feed.poll(10, [9, 8, 7, 6, 5, 1])
    feed.poll(20, [19, 9, 8, 7, 6, 1])

    feed.poll(30, [29, 28, 9, 8, 7, 1])

    assert feed.sure() == {"19"}


@pytest.mark.parametrize(
    "later",
    [
        [29, 9, 8],  # cut off
        [6, 9, 8, 7],  # an old item moved to the front pushes none away
        [29, 6, 9, 8],  # and with something new as well
        [29, 28, 6],  # even past all others
        [],
        [1, 29, 28, 27],
        [5, 6, 7, 8],
    ],
)
def test_what_may_have_been_cut_off_is_not_taken_down(feed: Polled, later: list[float]) -> None:
    feed.poll(10, [9, 8, 7, 6])

    feed.poll(30, later)

    assert feed.sure() == set()


def test_a_pin_that_is_taken_off_is_not_taken_down(feed: Polled) -> None:
    feed.poll(10, [1, 9, 8, 7])

    feed.poll(30, [29, 9, 8, 7])

    assert feed.gone() == {}


def test_a_table_that_asks_no_web_server_is_sure_at_once(tmp_path: Path) -> None:
    table = Polled(tmp_path, ListedSource(complete=True, host=""))
    table.poll(10, [9, 8])

    table.poll(20, [9])

    assert table.sure() == {"8"}


# --- names ---------------------------------------------------------------------------------------


def _nameless(name: str, claimed: float) -> Line:
    return Line(name, claimed, guid="tin-moi", address="")


def test_an_id_that_items_of_one_answer_share_names_none_of_them(feed: Polled) -> None:
    feed.poll(10, [_nameless("b", 9), _nameless("a", 8)])

    later = feed.poll(20, [_nameless("c", 19), _nameless("b", 9)])

    assert (later.new_items, set(feed.known())) == (1, {"a", "b", "c"})
    assert feed.absent("c") == 10


def test_one_id_for_whatever_is_newest_names_a_new_item_each_time(feed: Polled) -> None:
    counts = [feed.poll(10 * n, [_nameless(name, 10 * n - 1)]).new_items for n, name in enumerate("abbc", 1)]

    assert (counts, set(feed.known())) == ([1, 1, 0, 1], {"a", "b", "c"})


def test_other_names_for_everything_are_counted_and_no_blindness(feed: Polled) -> None:
    feed.poll(10, [Line(name, claimed) for name, claimed in (("c", 9), ("b", 8), ("a", 7), ("z", 6))])
    data = [Line(name, claimed, guid=f"moi-{name}", address=f"moi/{name}") for name, claimed in (("c", 9), ("b", 8))]

    moved = feed.poll(20, data)

    assert (moved.renamed, moved.new_items, moved.blind) == (2, 0, None)


# --- the store -----------------------------------------------------------------------------------


def test_the_store_is_built_again_alike_with_all_that_answers_prove(feed: Polled, tmp_path: Path) -> None:
    for number, lines in enumerate(
        ([9, 8, 7], [19, 9, 8], [], [19, 9, 8], [39, 19, 8], [56, 54, 49, 39], [1, 2, 3, 4], [99, 98], [99, 1]), 1
    ):
        feed.poll(number * 10, lines)
    (tmp_path / "again").mkdir()
    again = Polled(tmp_path / "again", feed.source)
    again.blobs = feed.blobs

    again._read(again.store, feed.records)

    files = [folder / "observations.sqlite" for folder in (tmp_path, tmp_path / "again")]
    assert list(differences(*files, named_today=lambda _source, _name, _at: None)) == []
    assert again.gone() == feed.gone()


# --- a site that does all of it ------------------------------------------------------------------

STEPS = 14
CUT = 5


@dataclass(frozen=True)
class Story:
    """What happens to a site, in steps of ten hours: items are published within a step, and a poll ends it."""

    published: tuple[int, ...]
    """How many items in each step."""
    removed: frozenset[tuple[int, int]] = frozenset()
    """Step, and which item of those that there are."""
    pinned: frozenset[tuple[int, int]] = frozenset()
    """From which step on, and which item; until the next pinning."""
    frozen: frozenset[int] = frozenset()
    """Steps whose polls get what the step before showed."""
    emptied: frozenset[int] = frozenset()
    is_dated: bool = True
    cut: int | None = CUT


@dataclass
class StorySite:
    """A site that lives a story."""

    story: Story
    published_at: dict[str, float] = field(default_factory=dict)
    removed_at: dict[str, float] = field(default_factory=dict)
    pins: tuple[str, ...] = ()

    def show(self, step: int) -> list[Line]:
        """Live one step, and return what the site shows at its end."""
        for number in range(self.story.published[step]):
            hours = 10 * step + 1 + 2 * number
            self.published_at[f"{hours:03}"] = hours
        names = sorted(self.published_at)
        for when, which in sorted(self.story.removed):
            if when == step and names:
                self.removed_at.setdefault(names[-1 - which % len(names)], 10 * step + 9)
        pinned = tuple(names[which % len(names)] for when, which in sorted(self.story.pinned) if when == step and names)
        self.pins = pinned or self.pins
        there = [name for name in reversed(names) if name not in self.removed_at]
        pins = [name for name in self.pins if name in there]
        shown = [*pins, *(name for name in there if name not in pins)][: self.story.cut]
        return [Line(name, self.published_at[name] if self.story.is_dated else None) for name in shown]


def _polls_of(story: Story, site: StorySite) -> list[tuple[float, list[Line]]]:
    found: list[tuple[float, list[Line]]] = []
    before: list[Line] = []
    for step in range(len(story.published)):
        now = site.show(step)
        before = before if step in story.frozen and step else now
        found.append((10 * step + 9.5, [] if step in story.emptied else before))
    return found


steps = st.integers(1, STEPS - 1)
published = st.lists(st.sampled_from([0, 1, 1, 2, 2, 3, 4]), min_size=STEPS, max_size=STEPS).map(tuple)
events = st.frozensets(st.tuples(steps, st.integers(0, 6)), max_size=5)
some_steps = st.frozensets(steps, max_size=6)
dated = st.builds(Story, published, events, events, some_steps, st.frozensets(steps, max_size=2))
undated = st.builds(Story, published, events, emptied=some_steps, is_dated=st.just(False))
tables = st.builds(Story, published, events, frozen=some_steps, cut=st.none())
simple = st.builds(Story, st.lists(st.sampled_from([0, 1, 2]), min_size=STEPS, max_size=STEPS).map(tuple))

often = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Fold:
    """What a store holds of one source, in memory: answers are judged by the same rules, many times faster."""

    is_complete: bool = False
    base: BaseAnswer | None = None
    first_seen: dict[str, datetime] = field(default_factory=dict)
    claims: dict[str, datetime | None] = field(default_factory=dict)
    absent: dict[str, datetime | None] = field(default_factory=dict)
    missed: dict[str, MissedItem] = field(default_factory=dict)
    sure: set[str] = field(default_factory=set)
    good: list[datetime] = field(default_factory=list)
    news_at: datetime | None = None
    doubts: list[tuple[datetime, datetime]] = field(default_factory=list)
    is_order_known: bool = False

    def take(self, now: datetime, lines: Sequence[Line]) -> AnswerProof:
        """Judge one answer, and remember what it shows."""
        shown = [
            AnswerItem(one.name, None if one.claimed is None else hour(one.claimed), one.name not in self.first_seen)
            for one in lines
        ]
        seen = [self.first_seen[one.id] for one in shown if not one.is_new]
        missed, oldest = tuple(self.missed.values()), min(seen, default=None)
        answer = Answer(shown, self.base, self.is_complete, missed=missed, oldest_seen_at=oldest)
        proof = prove(replace(answer, is_order_known=self.is_order_known))
        self.is_order_known |= proof.is_order_shown
        doubts_from = doubts_begin(proof, self.news_at)
        doubts = [at for at in (doubts_from, proof.returned_from) if at]
        proof = doubted(proof, self.last_good_before(min(doubts))) if doubts else proof
        if doubts_from:
            self.doubts.append((doubts_from, now))
        for one in shown:
            self.claims[one.id] = one.claimed_at
            self.sure.discard(one.id)
            self.missed.pop(one.id, None)
            if one.is_new:
                self.first_seen[one.id], self.absent[one.id] = now, proof.absent_at.get(one.id)
                self.news_at = now
        for name, gone in proof.gone.items():
            if gone.is_sure:
                self.sure.add(name)
                self.missed.pop(name, None)
            else:
                self.missed[name] = MissedItem(name, now, gone.seen_at, self.first_seen[name], self.claims[name])
        if shown:
            places = {one.id: BaseItem(place, one.claimed_at) for place, one in enumerate(shown)}
            self.base = BaseAnswer(now, places)
            self.good += [] if proof.blind else [now]
        return proof

    def last_good_before(self, until: datetime) -> datetime | None:
        for one in reversed(self.good):
            if one < until and not any(since <= one < polled for since, polled in self.doubts):
                return one
        return None


def _hold(story: Story, *, is_complete: bool = False) -> None:
    """Hold what a story's answers prove against what happened."""
    site, fold = StorySite(story), Fold(is_complete)
    for number, lines in _polls_of(story, site):
        base, known = fold.base, set(fold.first_seen)
        fold.take(hour(number), lines)
        new = [one for one in lines if one.name not in known and fold.absent[one.name] is not None]
        early = [one for one in new if base and one.claimed is not None and hour(one.claimed) < base.polled_at - SKEW]
        for one in new:
            absent, happened = fold.absent[one.name], hour(site.published_at[one.name])
            # One item by itself that claims to be older is taken for one that was dated back.
            assert absent is not None
            assert absent < happened <= hour(number) or len(early) == 1, (one, absent)
        for name in fold.sure:
            assert name in site.removed_at and site.removed_at[name] <= number, name


@often
@given(dated)
def test_no_answer_of_a_dated_list_proves_what_did_not_happen(story: Story) -> None:
    _hold(story)


@often
@given(undated)
def test_no_answer_of_a_list_without_dates_proves_what_did_not_happen(story: Story) -> None:
    _hold(story)


@often
@given(tables)
def test_no_answer_of_a_table_behind_a_server_proves_what_did_not_happen(story: Story) -> None:
    _hold(story, is_complete=True)


@often
@given(undated)
def test_no_answer_of_a_cut_list_of_the_oldest_first_proves_that_nothing_came(story: Story) -> None:
    fold = Fold()
    for step, number in enumerate(story.published):
        names = [f"{one:03}" for one in range(sum(story.published[:step]) + number)]
        proof = fold.take(hour(10 * step + 9.5), [Line(one) for one in names[:CUT]])
        assert proof.blind is not None or not step or len(fold.first_seen) == len(names[:CUT])
        assert not fold.is_order_known
    assert set(fold.absent.values()) <= {None}


@often
@given(simple)
def test_each_poll_of_a_plain_list_proves_that_the_next_ones_items_were_not_there(story: Story) -> None:
    fold = Fold()
    for number, lines in _polls_of(story, StorySite(story)):
        base, known = fold.base, set(fold.first_seen)
        proof = fold.take(hour(number), lines)
        assert proof.blind in (None, ORDER_UNKNOWN) or not known
        assert proof.blind is None or not {one.name for one in lines} - known
        assert {fold.absent[one.name] for one in lines if one.name not in known} <= {base and base.polled_at}
