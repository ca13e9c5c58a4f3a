"""What the portal and its units publish and send in: each unit has one habit, and every habit has one function.

Items depend on their unit and their own week alone, never on the day the example is built: rebuilt tomorrow, the example has
the same history and one day more.
"""

from __future__ import annotations

import random
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from portal import words
from portal.days import at, is_worked, monday_of, week_index, weeks_until, worked_days

UNITS_FILE = Path(__file__).parent / "units.toml"
PORTAL = "portal"


@dataclass(frozen=True)
class Item:
    """One text on the portal, on a sub-portal, or sent in."""

    external_id: str
    site: str
    """`portal`, or the id of the unit whose sub-portal it is on."""
    unit: str
    title: str
    body: str
    created_at: datetime
    """When the row was made; editors cannot write it."""
    published_at: datetime | None
    """What the editor entered; None for a draft."""
    language: str = "vi"
    kind: int = 12
    """1 to 12: the kinds of Article 8."""
    state: str = "published"
    """published (bản chính), draft (bản thảo) or copy (bản sao)."""
    original: str = ""
    """For a copy or a translation: the item it was made from."""


def unit_names() -> dict[str, str]:
    """Return the Vietnamese name of each unit, in the file's order."""
    table = tomllib.loads(UNITS_FILE.read_text(encoding="utf-8"))
    return {unit["id"]: unit["name"]["vi"] for unit in table["unit"]}


def articles(today: date) -> tuple[Item, ...]:
    """Return everything in the content database that was there when `today` began, oldest first."""
    names = unit_names()
    made = [*_portal(today), *_of_closed_unit(names)]
    for unit, name in names.items():
        made += HABITS.get(unit, _good)(Writer(unit, name), today)
    return _known_before(made, today)


def feed_items(today: date) -> Mapping[str, tuple[Item, ...]]:
    """Return the items of the units that are known by their feed only, by unit."""
    names = unit_names()
    return {
        unit: _known_before(_good(Writer(unit, names[unit]), today), today)
        for unit in ("xa-cam-lam", "phuong-phan-rang")
    }


def submissions(today: date) -> tuple[Item, ...]:
    """Return what units without an integrated sub-portal sent in over the network and by e-mail."""
    names = unit_names()
    made: list[Item] = []
    for unit in ("xa-ninh-hai", "so-tu-phap"):
        writer = Writer(unit, names[unit], prefix="gui-")
        for monday in weeks_until(today):
            made += [writer.item(day, hour=10) for day in worked_days(monday)[::2][:2]]
    return _known_before(made, today)


def paper(today: date) -> tuple[Item, ...]:
    """Return what came in on paper, each on a working day: the special zone twice a week, the inspectorate once a month."""
    names = unit_names()
    made: list[Item] = []
    for monday in weeks_until(today):
        days = worked_days(monday)
        island = Writer("dac-khu-truong-sa", names["dac-khu-truong-sa"], prefix="giay-")
        made += [island.item(day, hour=9) for day in days[1::2][:2]]
        if week_index(monday) % 4 == 0:
            made += [
                Writer("thanh-tra-tinh", names["thanh-tra-tinh"], prefix="giay-").item(day, hour=14) for day in days[:1]
            ]
    return _known_before(made, today)


@dataclass(frozen=True)
class Writer:
    """Writes a unit's items; the same day and number always give the same item."""

    unit: str
    name: str
    prefix: str = ""

    def item(self, day: date, *, hour: int = 0, minute: int | None = None, number: int = 1) -> Item:
        """Return the unit's item of a day; hour 0 stands for some hour of the working day."""
        chance = random.Random(f"{self.prefix}{self.unit}:{day.isoformat()}:{number}")
        head, topic = words.title(chance, day.year)
        text = words.body(chance, unit=self.name, topic=topic, day=f"{day:%d/%m/%Y}", year=day.year)
        moment = at(day, hour or chance.randint(7, 16), chance.randint(0, 59) if minute is None else minute)
        return Item(
            external_id=f"{self.prefix}{self.unit}-{day:%Y%m%d}-{number}",
            site=self.unit,
            unit=self.unit,
            title=head,
            body=text,
            created_at=moment,
            published_at=moment,
            kind=chance.choice((2, 2, 4, 5, 6, 8, 9, 12, 12, 12)),
        )


# --- The portal itself --------------------------------------------------------------------------------------------------


def _portal(today: date) -> Iterator[Item]:
    """Each working day but the first of every other week; on some Saturdays too, which pay for no other day; some in English."""
    writer = Writer(PORTAL, "Cổng thông tin điện tử tỉnh")
    for monday in weeks_until(today):
        week = week_index(monday)
        days = worked_days(monday)
        missed = days[:1] if week % 2 == 1 else ()
        for day in days:
            if day in missed:
                continue
            original = replace(writer.item(day), kind=1 + day.toordinal() % 12)
            yield original
            if day.weekday() in {0, 3}:
                yield _translated(original)
            if day.weekday() == 2:
                yield from _kept_beside(original)
        saturday = monday + timedelta(days=5)
        if week % 3 == 0 and not is_worked(saturday):
            yield writer.item(saturday)


def _translated(original: Item) -> Item:
    chance = random.Random(f"en:{original.external_id}")
    moment = original.created_at + timedelta(hours=2)
    head, text = words.english(chance, day=f"{moment:%d %B %Y}", year=moment.year)
    return replace(
        original,
        external_id=f"{original.external_id}-en",
        title=head,
        body=text,
        language="en",
        created_at=moment,
        published_at=moment,
        original=original.external_id,
    )


def _kept_beside(original: Item) -> Iterator[Item]:
    """Yield the draft and the copy that Article 10.1 wants kept beside an original."""
    draft = original.created_at - timedelta(hours=3)
    yield replace(
        original,
        external_id=f"{original.external_id}-draft",
        title=f"(Dự thảo) {original.title}",
        created_at=draft,
        published_at=None,
        state="draft",
        original=original.external_id,
    )
    yield replace(original, external_id=f"{original.external_id}-copy", state="copy", original=original.external_id)


# --- The units' habits --------------------------------------------------------------------------------------------------


def _good(writer: Writer, today: date) -> Iterator[Item]:
    """Two to four items on different days of each week; in a holiday week on the days that are worked."""
    for monday in weeks_until(today):
        chance = random.Random(f"days:{writer.unit}:{monday.isoformat()}")
        days = worked_days(monday)
        for day in sorted(chance.sample(days, min(len(days), chance.randint(2, 4)))):
            yield writer.item(day)


def _once_in_some_weeks(writer: Writer, today: date) -> Iterator[Item]:
    """Falls short in every other pair of weeks."""
    for monday in weeks_until(today):
        often = 2 if week_index(monday) % 4 < 2 else 1
        for day in worked_days(monday)[:often]:
            yield writer.item(day)


def _backdates(writer: Writer, today: date) -> Iterator[Item]:
    """Writes four items on one Friday in two weeks, and dates them as if they had been there all along."""
    for monday in weeks_until(today):
        if week_index(monday) % 2:
            continue
        friday = monday + timedelta(days=4)
        for number, days_before in enumerate((2, 4, 8, 10), 1):
            item = writer.item(friday, hour=16, minute=5 * number, number=number)
            yield replace(item, published_at=at(friday - timedelta(days=days_before), 9, 7 * number))


def _republishes(writer: Writer, today: date) -> Iterator[Item]:
    """Has written nothing for a year, and twice a week moves old items to today."""
    old = [writer.item(at(OLD_DAY, 0, 0).date() + timedelta(days=3 * number)) for number in range(OLD_ITEMS)]
    moved: dict[int, datetime] = {}
    for monday in weeks_until(today):
        for which, day in enumerate((monday + timedelta(days=1), monday + timedelta(days=3))):
            if day < today:
                moved[(2 * week_index(monday) + which) % OLD_ITEMS] = at(day, 8, 15)
    for number, item in enumerate(old):
        yield replace(item, published_at=moved.get(number, item.published_at))


OLD_DAY = date(2025, 8, 4)
OLD_ITEMS = 40


def _in_bulk(writer: Writer, today: date) -> Iterator[Item]:
    """Ten items within half an hour, once a week."""
    for monday in weeks_until(today):
        for day in worked_days(monday)[:1]:
            yield from (writer.item(day, hour=15, minute=2 * number, number=number) for number in range(1, 11))


def _silent(writer: Writer, today: date) -> Iterator[Item]:
    """One item when its sub-portal was opened, and nothing since."""
    del today
    yield writer.item(date(2025, 7, 15))


def _nothing(writer: Writer, today: date) -> Iterator[Item]:
    """Not in the content database: known by its feed, its paper or its e-mail only, or closed."""
    del writer, today
    return iter(())


def _in_tcvn3(writer: Writer, today: date) -> Iterator[Item]:
    """Often enough, in an encoding that Article 7.6 rules out."""
    for item in _good(writer, today):
        yield replace(item, title=words.as_tcvn3(item.title), body=words.as_tcvn3(item.body))


def _decomposed(writer: Writer, today: date) -> Iterator[Item]:
    """Unicode, but with the marks apart from their letters."""
    for item in _good(writer, today):
        yield replace(
            item, title=unicodedata.normalize("NFD", item.title), body=unicodedata.normalize("NFD", item.body)
        )


def _repeats_itself(writer: Writer, today: date) -> Iterator[Item]:
    """One item a week, and the same text again three days later under a new address."""
    for monday in weeks_until(today):
        for day in worked_days(monday)[:1]:
            item = writer.item(day)
            again = at(day + timedelta(days=3), 10, 20)
            yield item
            yield replace(item, external_id=f"{item.external_id}-again", created_at=again, published_at=again)


HABITS: Mapping[str, Callable[[Writer, date], Iterable[Item]]] = {
    "so-thong-tin-truyen-thong": _nothing,
    "huyen-dien-khanh": _nothing,
    "xa-cam-lam": _nothing,
    "phuong-phan-rang": _nothing,
    "xa-ninh-hai": _nothing,
    "dac-khu-truong-sa": _nothing,
    "phuong-cam-ranh": _once_in_some_weeks,
    "phuong-tay-nha-trang": _backdates,
    "so-cong-thuong": _republishes,
    "so-noi-vu": _in_bulk,
    "xa-khanh-son": _silent,
    "xa-van-ninh": _in_tcvn3,
    "phuong-ninh-hoa": _decomposed,
    "xa-dien-lac": _repeats_itself,
}
"""Every unit that is not named here keeps its duties."""


def _of_closed_unit(names: Mapping[str, str]) -> Iterator[Item]:
    """Yield the last weeks of the district that was closed on 30 June 2025."""
    writer = Writer("huyen-dien-khanh", names["huyen-dien-khanh"])
    for week in range(6):
        monday = monday_of(date(2025, 5, 19)) + timedelta(weeks=week)
        yield from (writer.item(day) for day in worked_days(monday)[:2])


def _known_before(items: Iterable[Item], today: date) -> tuple[Item, ...]:
    """Keep what existed when a day began: the example never runs ahead of the clock."""
    known = (item for item in items if item.created_at < at(today, 0, 0))
    return tuple(sorted(known, key=lambda item: (item.created_at, item.external_id)))
