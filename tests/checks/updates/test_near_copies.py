"""Texts that share most of their words with an earlier one: how they are found, and what they count for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from checks.updates.job import run_updates
from checks.updates.near_copies import (
    KEPT_KEYS,
    LEAST_WORDS,
    MOST_TEXTS,
    TextTrace,
    free_keys,
    has_numbers,
    keys_of,
    likely_texts,
    nearest,
    trace,
    wholes_of,
)
from checks.updates.observations import ObservationStore
from checks.updates.proving import differences
from checks.updates.resemblance import EarlierTexts, NewText, new_text
from checks.updates.rewriting import sketch
from checks.updates.rules.comparing import find_site_lender, nearly_repeated
from checks.updates.rules.grading import GradedItem
from checks.updates.rules.placing import Interval
from checks.updates.rules.seen import SeenItem
from checks.updates.summaries import shown_keys
from checks.updates.text import fingerprint
from portalops.model.organisation import UnitId
from portalops.model.runs import Every
from portalops.model.updates import Grade, ItemChannel, ListedItem, Listing, UpdateAnswer, UpdateSourceTraits
from tests.checks.updates.scene import CALENDAR, HEALTH, PORTAL, at, rulebook
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

PAGE = (Path(__file__).parent / "prose.vi.txt").read_text("utf-8")  # docs/updates.vi.md as it was once
WORDS = re.findall(r"[^\W\d_]+", PAGE)
"""Vietnamese prose without numbers."""

Change = Callable[[Sequence[str]], Sequence[str]]


def replaced(count: int) -> Change:
    """Replace words at places all over a text."""

    def change(words: Sequence[str]) -> Sequence[str]:
        chance = random.Random(count)
        places = set(chance.sample(range(len(words)), count))
        return [
            chance.choice(("mới", "sách", "xáng", "lềng")) if at in places else word for at, word in enumerate(words)
        ]

    return change


def capitals(words: Sequence[str]) -> Sequence[str]:
    return [word.upper() for word in replaced(3)(words)]


def moved(words: Sequence[str]) -> Sequence[str]:
    """Take three tenths of a text, in stretches of ten words, from its beginning to its end."""
    end = 3 * len(words) // 10
    stretches = [words[start : start + 10] for start in range(0, end, 10)]
    return [*words[len(stretches) * 10 :], *(word for stretch in reversed(stretches) for word in stretch)]


def longer(words: Sequence[str]) -> Sequence[str]:
    return [*words, *(f"{word}x" for word in words[: len(words) // 4])]


CHANGES = [replaced(1), replaced(3), replaced(5), replaced(16), replaced(30), capitals, moved, longer]


@dataclass
class Feed:
    """A source whose items are texts."""

    traits: UpdateSourceTraits
    is_summary: bool
    items: list[tuple[int, str]] = field(default_factory=list)

    def fetch(self, *, etag: str) -> UpdateAnswer:
        return UpdateAnswer(f"{etag}{self.items}".encode())

    def parse(self, data: bytes, *, polled_at: object) -> Listing:
        del data, polled_at
        return Listing(
            tuple(
                ListedItem(
                    str(number), f"https://soyte.example/tin/{number}", f"Tin {number}", None, "", body=text,
                    body_is_summary=self.is_summary,
                )
                for number, text in reversed(self.items)
            )
        )  # fmt: skip


def collect(folder: Path, texts: Sequence[Sequence[str]], *, complete: bool = True, is_summary: bool = False) -> Path:
    """Collect texts one after the other, each at an address of its own; return the store."""
    source = Feed(UpdateSourceTraits("trang", ItemChannel.SUBPORTAL, complete=complete, unit=HEALTH.id), is_summary)
    place, now, keeper = folder / "observations.sqlite", at("2026-11-16 08:00"), MemoryKeeper()
    store = ObservationStore.open(place)
    for number, words in enumerate(texts):
        source.items.append((number, " ".join(words)))
        run_updates(
            sources=[source], units=(HEALTH,), portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR, store=store,
            keeper=keeper, clock=FixedClock(now), progress=SilentProgress(), judge_weeks=1, poll_every=Every.DAY,
        )  # fmt: skip
        now += timedelta(hours=12)
    store.close()
    return place


def pairs(place: Path) -> list[tuple[str, str]]:
    """Return the ids of near copies, each with that of the item whose text it is like."""
    window = ObservationStore.open(place, create=False).window(at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    found = [*window.near_copies()]
    return [
        (one.seen.title, other.seen.title)
        for one in found
        for other in found
        if one.like != one.seen.text and other.seen.text == one.like
    ]


def copies(place: Path) -> list[str]:
    """Return the titles of the items whose text another one says too: by its digest, or by its fingerprint."""
    window = ObservationStore.open(place, create=False).window(at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    return sorted(one.title for one in window.repeated_items())


@pytest.mark.parametrize(
    ("complete", "is_summary", "length"),
    [(True, False, 195), (True, False, 385), (False, False, 195), (False, False, 385), (False, True, 385)],
    ids=["rows", "long rows", "json", "long json", "feed"],
)
def test_an_old_text_with_up_to_a_sixth_of_its_words_changed_is_known_again(
    tmp_path: Path, complete: bool, is_summary: bool, length: int
) -> None:
    for place, change in enumerate(CHANGES):
        old = WORDS[1000:][:length]
        folder = tmp_path / str(place)
        folder.mkdir()

        store = collect(folder, [old, WORDS[:length], change(old)], complete=complete, is_summary=is_summary)

        assert pairs(store) == [("Tin 2", "Tin 0")] or copies(store) == ["Tin 0", "Tin 2"], place


def test_texts_of_which_a_fifth_is_common_are_news(tmp_path: Path) -> None:
    one = [*WORDS[:80], *WORDS[1000:1320]]
    other = [*WORDS[:80], *WORDS[3000:3320]]

    assert pairs(collect(tmp_path, [one, other])) == []


def test_texts_of_other_numbers_and_short_ones_are_news(tmp_path: Path) -> None:
    long, short = WORDS[1000:1200], WORDS[500 : 500 + LEAST_WORDS - 2]

    texts = [[*long, "ngày", "10"], [*replaced(3)(long), "ngày", "17"], short, [*short[1:-1], "mới"]]

    assert pairs(collect(tmp_path, texts)) == []


def test_each_is_compared_with_the_first_of_its_kind_and_not_along_a_chain(tmp_path: Path) -> None:
    first = WORDS[1000:1200]
    texts = [[*(f"{word}x" for word in first[:step]), *first[step:]] for step in (0, 34, 66)]

    assert pairs(collect(tmp_path, texts)) == [("Tin 1", "Tin 0")]


def test_the_store_built_again_knows_the_same_near_copies(tmp_path: Path) -> None:
    texts = [WORDS[1000:1200], WORDS[:200], *(replaced(n)(WORDS[1000:1200]) for n in (3, 5, 9))]
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()

    one, two = (collect(place, texts) for place in places)

    assert list(differences(one, two)) == []
    assert len(pairs(one)) == 3


def test_a_group_of_words_that_many_texts_have_keeps_no_more_of_them() -> None:
    mark = fingerprint(" ".join(WORDS[:200]))
    assert mark is not None
    keys = keys_of(ItemChannel.SUBPORTAL, mark)
    crowded = {key: [f"text {n}" for n in range(MOST_TEXTS)] for key in keys[:3]}

    assert free_keys(keys, {}) == keys[:KEPT_KEYS]
    assert free_keys(keys, crowded) == keys[3 : 3 + KEPT_KEYS]
    assert likely_texts(keys, {**crowded, keys[5]: ["rare"]})[0] == "rare"
    assert set(keys).isdisjoint(keys_of(ItemChannel.PORTAL, mark))


def test_the_nearest_text_is_named() -> None:
    own = WORDS[:200]
    others = {name: sketch(" ".join(replaced(count)(own))) for name, count in (("far", 20), ("near", 4), ("other", 90))}

    assert nearest(sketch(" ".join(own)), others) == "near"
    assert nearest(sketch(" ".join(own)), {"other": others["other"]}) == ""


OWN = [f"{word}x" for word in WORDS[2000:2300]]
OLD, OTHER, THIRD = WORDS[1000:1320], WORDS[3000:3320], WORDS[500:820]


@pytest.mark.parametrize(
    "new",
    [
        OLD[105:215], OLD[:224], [*OWN[:8], *OLD[:240]], [*OLD[:240], *OWN[:20]], [*OLD, *OTHER],
        [*OWN[:3], *OLD[:160], *OTHER[100:260], *THIRD[160:]],
    ],
    ids=["middle third", "seven tenths", "lead-in", "end of its own", "two texts", "halves of three"],
)  # fmt: skip
def test_a_text_cut_out_of_old_ones_or_put_together_from_them_is_known_again(
    tmp_path: Path, new: Sequence[str]
) -> None:
    found = pairs(collect(tmp_path, [OLD, OTHER, THIRD, new]))

    assert [(later, earlier in {"Tin 0", "Tin 1", "Tin 2"}) for later, earlier in found] == [("Tin 3", True)]


@pytest.mark.parametrize(
    "new",
    [[*OLD[:107], *OWN[:213]], [*OLD[:160], *OWN[:160]], [*OLD[105:215], "ngày", "17"], OLD[: LEAST_WORDS - 1], OTHER],
    ids=["a third quoted", "half quoted", "another number", "short", "other text"],
)
def test_a_text_that_quotes_an_old_one_or_has_a_number_of_its_own_is_news(tmp_path: Path, new: Sequence[str]) -> None:
    assert pairs(collect(tmp_path, [OLD, THIRD, new])) == []


NUMBERED = [*OLD[:80], "ngày", "9", "tháng", "10", *OLD[80:200], "128", "hộ", *OLD[200:]]
GREETING = [*OWN[:20], "tuần", "16/11", "đến", "20/11/2026"]
SIGNATURE = ["điện", "thoại", "0905", "123", "456"]


@pytest.mark.parametrize(
    "new",
    [
        [*NUMBERED, *SIGNATURE], [*GREETING, *NUMBERED], [*GREETING, *NUMBERED, *SIGNATURE],
        [*NUMBERED[:160], "số", "145/CV", *NUMBERED[160:], "17"], [*OLD, *SIGNATURE],
        [word for at in range(0, 326, 30) for word in ("Ảnh", str(at), *NUMBERED[at : at + 30])],
    ],
    ids=["signature", "greeting", "both", "within", "no number before", "captions"],
)  # fmt: skip
def test_numbers_that_take_no_earlier_ones_place_make_an_old_text_no_news(tmp_path: Path, new: Sequence[str]) -> None:
    assert pairs(collect(tmp_path, [NUMBERED if "128" in new else OLD, OTHER, new])) == [("Tin 2", "Tin 0")]


@pytest.mark.parametrize(
    "new",
    [
        [*NUMBERED[:83], "11", *NUMBERED[84:], *SIGNATURE], [*OWN[:40], *NUMBERED, *OWN[40:150], *SIGNATURE],
        [*OLD[:200], *OWN[:120], "ngày", "9", "tháng", "10", "128", *SIGNATURE],
    ],
    ids=["another month", "a text of its own around it", "numbers alone"],
)  # fmt: skip
def test_a_number_in_an_earlier_ones_place_or_a_text_around_an_old_one_is_news(
    tmp_path: Path, new: Sequence[str]
) -> None:
    assert pairs(collect(tmp_path, [NUMBERED, OTHER, new])) == []


def test_a_form_with_other_numbers_is_news_though_other_texts_have_them() -> None:
    form = [*OLD[:100], "ngày", "{}", "tháng", "11"]
    texts = {day: " ".join(form).format(day) for day in (9, 16, 23, 30)}
    marks = {day: fingerprint(text) for day, text in texts.items()}
    traces = {str(day): trace(sketch(texts[day]), mark) for day, mark in marks.items() if mark is not None}
    new = traces.pop("16")

    assert {*wholes_of(new, traces)} == {*traces}
    assert not any(has_numbers(new, one) for one in traces.values())
    assert wholes_of(new, {"same": new}) == ["same"]
    assert has_numbers(new, new)
    assert TextTrace.read(new.write()) == new


# --- summaries ------------------------------------------------------------------------------------

TITLE = "Khởi công bệnh viện đa khoa khu vực"
PORTAL_TEXT = NewText("p", TITLE, shown=shown_keys(TITLE, " ".join(OLD)))


def earlier(*texts: NewText) -> EarlierTexts:
    known = EarlierTexts({}, {}, {})
    for one in texts:
        known.keep(one, is_first=True)
    return known


def shown(title: str, body: Sequence[str], channel: ItemChannel = ItemChannel.SUBPORTAL) -> NewText:
    return new_text(channel, f"{title} {body}", title, " ".join(body), mark=None, words=None, is_summary=True)


def test_a_summary_with_the_title_or_the_beginning_of_the_portal_s_news_is_known_for_it() -> None:
    known = earlier(PORTAL_TEXT)

    assert known.find(shown("KHỞI CÔNG  bệnh viện đa khoa khu vực", [])) == "p"
    assert known.find(shown("Tin mới", [*OLD[:29], "v..."])) == "p"
    assert known.find(shown("Tin mới", OLD[:24])) == ""
    assert known.find(shown("Khởi công bệnh viện 5", OLD[40:70])) == ""
    assert known.find(shown("Khởi công bệnh viện đa khoa khu vực", [], ItemChannel.SUBMISSION)) == "p"


@pytest.mark.parametrize(
    "lead_in", ["Khánh Hòa - ", "(Xã Diên An) – ", "KHO: ", "Theo Cổng thông tin điện tử tỉnh Khánh Hòa, "]
)
def test_a_lead_in_hides_no_news_of_the_portal(lead_in: str) -> None:
    known = earlier(PORTAL_TEXT)

    assert known.find(shown("Tin mới", [lead_in, *OLD[:26]])) == "p"
    assert known.find(shown("Tin mới", [lead_in, *OLD[40:70]])) == ""


def test_a_dateline_of_the_portal_hides_its_news_from_nobody() -> None:
    title = "Khánh Hòa: Khởi công bệnh viện đa khoa khu vực"
    known = earlier(NewText("p", title, shown=shown_keys(title, f"(KHO) - {' '.join(OLD)}")))

    assert known.find(shown("Tin mới", OLD[:26])) == "p"


LONG_TITLE = "Lãnh đạo tỉnh kiểm tra tiến độ thi công đường ven biển đoạn qua phường Vĩnh Hòa"


@pytest.mark.parametrize(
    "title",
    [
        f"Xã Diên An: {LONG_TITLE}",
        f"{LONG_TITLE} - UBND xã Diên An",
        f"{LONG_TITLE} | Cổng thông tin",
        f"{LONG_TITLE[:50]}...",
        f"Xã Diên An: {LONG_TITLE[:50]}…",
    ],
)
def test_a_title_with_more_or_less_is_that_of_the_portal_s_news(title: str) -> None:
    known = earlier(NewText("p", LONG_TITLE, shown=shown_keys(LONG_TITLE, None)))

    assert known.find(shown(title, [])) == "p"


@pytest.mark.parametrize("title", [f"Xã Diên An: {TITLE}", f"{TITLE} - UBND xã Diên An", f"({TITLE}) Ảnh"])
def test_a_short_title_behind_a_sign_is_that_of_the_portal_s_news(title: str) -> None:
    assert earlier(PORTAL_TEXT).find(shown(title, [])) == "p"


@pytest.mark.parametrize(
    "title",
    [LONG_TITLE.replace("Vĩnh Hòa", "Vĩnh Hải"), f"{LONG_TITLE[:20]}...", "Xã An: Lãnh đạo tỉnh kiểm tra tiến độ"],
)
def test_a_title_that_only_begins_alike_is_news(title: str) -> None:
    known = earlier(NewText("p", LONG_TITLE, shown=shown_keys(LONG_TITLE, None)))

    assert known.find(shown(title, [])) == ""


def test_a_title_that_several_texts_of_the_portal_have_tells_nothing() -> None:
    known = earlier(PORTAL_TEXT, PORTAL_TEXT._replace(text="another"))

    assert known.find(shown("Khởi công bệnh viện đa khoa khu vực", [])) == ""


def test_a_summary_that_was_there_before_is_known_where_one_title_has_the_other_in_it() -> None:
    first = shown("Lễ phát động Tết trồng cây", OLD[:30])
    known = earlier(first)

    assert known.find(shown("Phóng sự ảnh: Lễ phát động Tết trồng cây", OLD[:30])) == first.text
    assert known.find(shown("Phóng sự ảnh: Lễ phát động Tết trồng cây", OLD[:31])) == ""
    assert known.find(shown("Lễ phát động Tết trồng rừng", OLD[:30])) == ""


@pytest.mark.parametrize(
    "part", [OLD[:90], OLD[100:170], [*OLD[100:170], "thô..."]], ids=["beginning", "middle", "cut"]
)
def test_a_part_of_an_earlier_summary_is_found_word_for_word(tmp_path: Path, part: Sequence[str]) -> None:
    assert pairs(collect(tmp_path, [OLD[:180], OTHER, part], is_summary=True)) == [("Tin 2", "Tin 0")]


def test_a_summary_with_a_telephone_number_behind_is_found_word_for_word(tmp_path: Path) -> None:
    texts = [[*OLD[:90], "17"], OTHER, ["Xã", *OLD[:90], "17", *SIGNATURE], [*OLD[:90], "18", *SIGNATURE]]

    assert pairs(collect(tmp_path, texts, is_summary=True)) == [("Tin 2", "Tin 0")]


@pytest.mark.parametrize(
    "part",
    [[*OLD[:80], "Suối", "Cau"], [*OLD[:40], "Suối", *OLD[41:90]], [*OLD[:90], "17"], OLD[: LEAST_WORDS - 1]],
    ids=["another name behind", "another name within", "another number", "short"],
)
def test_a_summary_that_differs_by_a_name_or_a_number_is_news(tmp_path: Path, part: Sequence[str]) -> None:
    assert pairs(collect(tmp_path, [OLD[:180], OTHER, part], is_summary=True)) == []


# --- what they count for -------------------------------------------------------------------------

U, V = UnitId("u"), UnitId("v")


def came(
    at_: int, name: str, text: str, *, unit: UnitId | None = U, url: str = "", channel: str = "subportal"
) -> GradedItem:
    seen = SeenItem(name, "s", channel, unit, url, name, text, None, None, at_, at_ - 1, False, 900, "")
    return GradedItem(seen, Grade.A, Interval(at_, at_), is_sure=True, claimed_at=None, flags=())


def near(*items: GradedItem, **options: object) -> dict[str, str]:
    given = {"window": 10, "may_copy": (), **options}
    found = nearly_repeated([("old", item) for item in items], **given)  # type: ignore[arg-type]
    return {name: one.id for name, one in found.items()}


def test_the_later_of_a_unit_s_own_two_is_open_within_the_window() -> None:
    assert near(came(1, "a", "old"), came(5, "b", "new")) == {"b": "a"}
    assert near(came(1, "a", "old"), came(50, "b", "new")) == {}
    assert near(came(1, "a", "old"), came(8, "b", "new"), came(15, "c", "newer")) == {"b": "a", "c": "b"}


def test_items_of_one_address_or_one_text_or_another_channel_are_no_near_copies_of_each_other() -> None:
    assert near(came(1, "a", "old", url="x"), came(5, "b", "new", url="x")) == {}
    assert near(came(1, "a", "old"), came(5, "b", "old")) == {}
    assert near(came(1, "a", "old"), came(5, "b", "new", channel="submission")) == {}


def test_another_unit_s_text_makes_open_unless_copies_count_or_the_province_gave_it_out() -> None:
    others = came(1, "a", "old", unit=V), came(5, "b", "new")

    assert near(*others) == {"b": "a"}
    assert near(*others, may_copy={"s"}) == {}
    assert near(*others, given_out={"old": 0}) == {}
    assert near(came(1, "a", "old", unit=None), came(5, "b", "new")) == {}


def test_what_another_unit_s_site_showed_before_it_was_sent_in_is_that_unit_s() -> None:
    sent, theirs, later = came(5, "mail", "old", channel="submission"), came(3, "a", "old", unit=V), came(6, "b", "old")

    def lender(*shown: GradedItem) -> SeenItem | None:
        return find_site_lender(sent, [one.seen for one in shown], window=10)

    assert lender(theirs) == lender(theirs, later) == theirs.seen
    assert lender(theirs, came(1, "own", "old")) is None
    assert lender(theirs, came(3, "own", "old")) == theirs.seen
    assert lender(came(6, "a", "old", unit=V)) is None
    assert lender(came(3, "a", "old", unit=None)) is None
    assert lender(came(-20, "a", "old", unit=V)) is None
