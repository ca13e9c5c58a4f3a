"""Judging a year of many units from a store of observations, beside only reading its rows; `updates status` of all of them, as a
whole process; a month and the sheets of a hundred.

The store is fabricated row by row, as a year of collecting leaves it: each unit has a feed of its own that is looked at
daily, and all send in through one mailbox; one item in fifty is an old text again. `UNITS` and `ITEMS` of the environment
make it as large as a country's: UNITS=10000 ITEMS=10000000.
"""

from __future__ import annotations

import gc
import hashlib
import os
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench._ledgers import seconds
from bench._runs import Measured, measured
from checks.updates.account import account_for
from checks.updates.judging import Judging
from checks.updates.judging_processes import JudgedPeriod
from checks.updates.observations import ObservationStore
from checks.updates.rules.stamps import stamp
from checks.updates.summing import sums
from checks.updates.terms import Terms
from checks.updates.unit_names import UnitNames
from commands.cli.entry import run
from portalops.calendar import load
from portalops.errors import ExitCode
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Period, Week
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from portalops.rulebooks.load import load as load_rulebook
from tests.doubles import FixedClock

UNITS = int(os.environ.get("UNITS", "1000"))
ITEMS = int(os.environ.get("ITEMS", "1000000"))
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
YEAR = Period(date(2025, 1, 1), date(2025, 12, 31))
NOW = datetime(2026, 1, 20, 2, tzinfo=UTC)

PROMISED_SECONDS = 60.0
"""For ten thousand units with ten million items, on two processors."""
PROMISED_MIB = 1024
"""Of all processes together."""
PROMISED_MONTH = 0.5
"""Seconds for a month of a hundred units."""
PROMISED_DAY = 5.0
"""Seconds of `updates status` of ten thousand units, from its start to its end."""
START_OF_COMMAND = 1.0
"""Of these, what it takes with few units."""
PROMISED_SHEETS = 5.0
"""Seconds for what the sheets of a hundred units say."""
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
UNTIL_EVENING = 16 * HOUR_MS + 30 * MINUTE_MS
"""From the poll of the morning to that of the night."""


def main() -> int:
    """Print speeds and memory; return 1 if a promise is broken."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as scratch:
        file = Path(scratch) / "state/observations.sqlite"
        made = seconds(lambda: fabricate(file, UNITS, ITEMS))
        size = file.stat().st_size / 2**30
        units = [_unit(number) for number in range(UNITS)]
        sources = [*map(_feed, range(UNITS)), MAILBOX]
        reading = seconds(lambda: _read(file))
        terms = Terms(load_rulebook("kh-37-2010", {}), load(), ZONE, NOW, Every.DAY)
        question = JudgedPeriod(file, sources, YEAR, terms)
        begun = time.perf_counter()
        weeks = sum(sum(one.weeks.values()) for one in sums(question, units))
        year = time.perf_counter() - begun
        peak = _peak_mib()
        day = _status(Path(scratch))
        small = Path(scratch) / "hundred.sqlite"
        fabricate(small, 100, ITEMS // UNITS * 100)
        month = JudgedPeriod(small, sources, Period(date(2025, 12, 1), date(2025, 12, 31)), terms)
        short = min(seconds(lambda: list(sums(month, units[:100]))) for _round in range(3))
        sheets = seconds(lambda: _account(small, [*sources[:100], MAILBOX], units[:100], terms))
    allowed = PROMISED_SECONDS * max(ITEMS / 10_000_000, UNITS / 10_000)
    print(f"the store             {ITEMS:12,} items of {UNITS:,} units   {size:.1f} GiB, made in {made:.0f} s")
    print(f"read every row        {ITEMS / reading:12,.0f} items/s   {reading:7.2f} s")
    print(
        f"judge the year        {ITEMS / year:12,.0f} items/s   {year:7.2f} s   ratio {year / reading:.2f}   {weeks:,} weeks"
    )
    print(f"memory of judging     {peak:12.0f} MiB in all processes   (promised: at most {PROMISED_MIB})")
    print(f"a month of 100 units  {short:12.2f} s   (promised: under {PROMISED_MONTH})")
    daily = START_OF_COMMAND + (PROMISED_DAY - START_OF_COMMAND) * UNITS / 10_000
    print(
        f"status of all units   {day.seconds:12.2f} s   {day.cpu_seconds:.2f} CPU-s, peak {day.peak_mib:.0f} MiB"
        f"   (promised: under {daily:.1f}; 10,000 units in {PROMISED_DAY:.0f})"
    )
    print(f"sheets of 100 units   {sheets:12.2f} s   (promised: under {PROMISED_SHEETS})")
    print(
        f"promised: the year in {allowed:.0f} s, which is {PROMISED_SECONDS:.0f} s for 10,000 units and 10,000,000 items"
    )
    kept = year <= allowed and peak <= PROMISED_MIB and short < PROMISED_MONTH
    return 0 if kept and day.seconds < daily and sheets < PROMISED_SHEETS else 1


WEEK = Week(2025, 51)


def _status(folder: Path) -> Measured:
    """Measure `updates status` of the store of a folder, as its own process."""
    tables = (
        f'\n[[unit]]\nid = "{unit.id}"\nname = {{ vi = "{unit.name.vi}", en = "{unit.name.en}" }}\n'
        f'[[updates.source]]\nid = "{_feed(number).id}"\nkind = "feed"\nurl = "https://{unit.id}.khanhhoa.example/rss"\n'
        f'channel = "subportal"\nunit = "{unit.id}"\n'
        for number, unit in enumerate(map(_unit, range(UNITS)))
    )
    (folder / "portalops.toml").write_text(_CONFIGURATION + "".join(tables), encoding="utf-8")
    command = [sys.executable, "-m", "bench.updates_judge", "status", str(folder / "portalops.toml")]
    return measured(command, answers=frozenset({ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}))


def _show_status(configuration: str) -> int:
    """Run the command at the moment up to which the store was fabricated."""
    gc.set_threshold(100_000)  # as `commands.app.main` does
    arguments = ["--config", configuration, "updates", "status", "--date", WEEK.period().last.isoformat()]
    return run(arguments, os.environ, clock=FixedClock(NOW))


_CONFIGURATION = """
[portal]
id = "bench"
name = { vi = "Cổng", en = "Portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[updates.source]]
id = "mailbox"
kind = "register"
file = "register.csv"
channel = "submission"
"""


def _account(file: Path, sources: Sequence[UpdateSourceTraits], units: Sequence[Agency], terms: Terms) -> None:
    store = ObservationStore.open(file, create=False)
    window = store.window(terms.counted_from(WEEK.period()), terms.now)
    judging = Judging(window, sources=sources, period=WEEK.period(), terms=terms)
    names = UnitNames(units, ZONE)
    assert all(account_for(judging, unit, WEEK, names) for unit in units)
    store.close()


MAILBOX = UpdateSourceTraits("mailbox", ItemChannel.SUBMISSION, complete=True, attested=True)


def _unit(number: int) -> Agency:
    return Agency(UnitId(f"unit-{number:05}"), Name(f"Đơn vị {number}", f"Unit {number}"))


def _feed(number: int) -> UpdateSourceTraits:
    return UpdateSourceTraits(f"feed-{number:05}", ItemChannel.SUBPORTAL, complete=False, unit=_unit(number).id)


COLUMNS = (
    *("id", "source", "channel", "unit", "external_id", "url", "title", "language", "kind", "state"),
    *("created_at", "published_at", "modified_at", "raw_date", "first_seen_at", "looked_before_at", "baseline"),
    *("content_hash", "text", "body_letters", "evidence", "text_problems", "translation_of", "newest_at"),
)
"""What `_observations` gives; what else the table has is left to its defaults."""


def fabricate(file: Path, units: int, items: int) -> None:
    """Write a store as a year of collecting would leave it."""
    ObservationStore.open(file).close()
    connection = sqlite3.connect(file)
    for pragma in ("journal_mode=OFF", "synchronous=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(
        f"INSERT INTO observation ({', '.join(COLUMNS)}) VALUES ({marks})", _observations(units, items)
    )
    start, days = stamp(datetime(2024, 9, 1, tzinfo=UTC)), (NOW - datetime(2024, 9, 1, tzinfo=UTC)).days
    looks = (  # at seven in the morning and half past eleven at night
        (f"feed-{number:05}", start + day * DAY_MS + hour, start + (day - 1) * DAY_MS)
        for day in range(days)
        for hour in (0, UNTIL_EVENING)
        for number in range(units)  # as a collector lays them: a source's own lie far apart
    )
    polls = "INSERT INTO poll (source, polled_at, ok, problem, items, new_items, evidence, covers_from, gap)"
    connection.executemany(f"{polls} VALUES (?, ?, 1, '', 20, 3, NULL, ?, 0)", looks)
    mails = ((start + hour * HOUR_MS,) for hour in range(days * 24))
    connection.executemany(f"{polls} VALUES ('mailbox', ?, 1, '', 20, 3, NULL, 0, 0)", mails)
    served = ((f"unit-{number:05}",) for number in range(units))
    connection.executemany("INSERT INTO serves VALUES ('mailbox', 'submission', ?, 0, 0)", served)
    connection.execute(
        "INSERT INTO shared_text SELECT channel, text, max(newest_at) FROM observation GROUP BY channel, text HAVING count(*) > 1"
    )
    connection.commit()
    connection.close()


def _observations(units: int, items: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(37)
    first, span = stamp(datetime(2024, 12, 31, 17, tzinfo=UTC)), 365 * DAY_MS
    for number in range(items):
        unit = number % units
        day, rest = divmod(int(span * number / items), DAY_MS)
        morning = first + day * DAY_MS + 7 * HOUR_MS
        at = morning + MINUTE_MS + rest * 14 // 24  # from seven to nine in the evening, as offices publish
        is_mail = chance.random() < 0.3
        seen = morning + UNTIL_EVENING
        text = f"{number - number % 50 if number % 50 == 7 else number:064x}"
        source = "mailbox" if is_mail else f"feed-{unit:05}"
        yield (
            hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest(),
            source,
            "submission" if is_mail else "subportal",
            f"unit-{unit:05}",
            str(number),
            "" if is_mail else f"https://unit-{unit:05}.khanhhoa.example/tin-tuc/{number}",
            f"Thông tin hoạt động số {number} của đơn vị",
            "vi",
            12,
            "published",
            at if is_mail else None,
            at,
            None,
            "2025-01-01",
            seen,
            morning,
            0,
            text,
            text,
            1200,
            "0" * 64,
            "",
            "",
            seen,
        )


def _read(file: Path) -> None:
    connection = sqlite3.connect(file)
    for _row in connection.execute("SELECT * FROM observation"):
        pass
    connection.close()


def _peak_mib() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + children * (os.cpu_count() or 1)) / 1024


if __name__ == "__main__":
    sys.exit(_show_status(sys.argv[2]) if sys.argv[1:2] == ["status"] else main())
