"""The store: what it remembers of texts that are alike, of what is gone and came back, and of other versions."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from checks.updates.job import items_of
from checks.updates.observations import ObservationStore
from checks.updates.recognition import EPOCH, candidates, recognise
from checks.updates.rules.seen import Gone, PollMoment
from checks.updates.rules.stamps import stamp
from checks.updates.sources.sql import Settings, SqlSource
from checks.updates.text import fingerprint
from checks.updates.unit_names import UnitNames
from portalops.bodies import decode, read, write
from portalops.errors import UpdatesError
from portalops.locale import render
from portalops.model.message import Message, msg
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.model.updates import FlagKind, ItemChannel, ListedItem, Poll, UpdateSourceTraits, UpdatesResult
from tests.checks.updates.scene import CALENDAR, HEALTH, PORTAL, QUERY, ZONE, at, rulebook
from tests.checks.updates.test_job import Collection

NEWS = (
    "Sáng nay, Sở Y tế tổ chức hội nghị tổng kết công tác y tế dự phòng và triển khai kế hoạch tiêm chủng mở rộng cho trẻ em"
    " trên địa bàn tỉnh. Dự hội nghị có lãnh đạo Sở, đại diện các bệnh viện, trung tâm y tế và trạm y tế xã, phường. Theo báo"
    " cáo tại hội nghị, tỷ lệ trẻ dưới một tuổi được tiêm chủng đầy đủ đạt kế hoạch đề ra; công tác giám sát dịch bệnh được"
    " duy trì thường xuyên ở các tuyến. Kết luận hội nghị, Giám đốc Sở yêu cầu các đơn vị chủ động phương án phòng dịch, bảo"
    " đảm thuốc, vật tư, hóa chất và tăng cường truyền thông để người dân chủ động phòng bệnh cho bản thân và gia đình."
)


def _flags(result: UpdatesResult) -> dict[str, tuple[FlagKind, ...]]:
    return {one.title: one.flags for one in result.flagged}


def _collected_twice(
    folder: Path, second: str, title: str = "Tổng kết y tế dự phòng", *, first: str = NEWS
) -> UpdatesResult:
    collection = Collection(
        folder, [(1, "Hội nghị y tế dự phòng", "2026-11-02 08:00", "2026-11-02 08:00", "Sở Y tế", first)]
    )
    collection.collect(on="2026-11-15 20:00")
    collection.publish((2, title, "2026-11-16 08:00", "2026-11-16 08:00", "Sở Y tế", second))
    return collection.collect(on="2026-11-16 20:00")


def test_a_text_with_a_word_or_two_changed_is_a_duplicate(tmp_path: Path) -> None:
    result = _collected_twice(tmp_path, NEWS.replace("Sáng nay", "Vừa qua"))

    assert FlagKind.DUPLICATE in _flags(result)["Tổng kết y tế dự phòng"]


def test_another_paragraph_makes_another_text(tmp_path: Path) -> None:
    new = (
        "Buổi chiều, đoàn công tác đi thăm hai trạm y tế vùng núi, trao tặng máy siêu âm, tủ lạnh bảo quản vắc-xin, xe máy cho"
        " cộng tác viên dân số và nghe già làng kể chuyện vận động bà con đưa con nhỏ xuống núi khám bệnh. Kết luận hội nghị"
    )
    result = _collected_twice(tmp_path, NEWS.replace("Kết luận hội nghị", new))

    assert FlagKind.DUPLICATE not in _flags(result).get("Tổng kết y tế dự phòng", ())


@pytest.mark.parametrize(
    ("title", "is_other"), [("Tổng kết y tế dự phòng", False), ("Tổng kết y tế dự phòng ngày 16/11", True)]
)
def test_another_date_makes_another_text_where_the_title_has_it_too(tmp_path: Path, title: str, is_other: bool) -> None:
    texts = [NEWS.replace("Theo báo cáo", f"Ngày {day}/11/2026, theo báo cáo") for day in (2, 16)]

    result = _collected_twice(tmp_path, texts[1], title=title, first=texts[0])

    assert (FlagKind.DUPLICATE not in _flags(result).get(title, ())) is is_other


def test_a_date_that_takes_no_other_one_s_place_makes_no_other_text(tmp_path: Path) -> None:
    title = "Tổng kết y tế dự phòng ngày 16/11"

    result = _collected_twice(tmp_path, NEWS.replace("Theo báo cáo", "Ngày 16/11/2026, theo báo cáo"), title=title)

    assert FlagKind.DUPLICATE in _flags(result)[title]


def test_polls_from_before_are_not_among_the_notable_ones_whatever_they_show(tmp_path: Path) -> None:
    store = ObservationStore.open(tmp_path / "observations.sqlite")
    blind = msg("the answer is empty")
    for day in (14, 15, 16):
        store.add_poll(
            Poll(
                source="feed",
                polled_at=at(f"2026-11-{day} 20:00"),
                ok=True,
                problem="",
                items=0,
                new_items=0,
                evidence=None,
                covers_from=None,
                gap=False,
                blind=blind,
                doubts_from=at("2026-11-13 20:00"),
                renamed=3,
            )
        )

    found = store.notable_polls(at("2026-11-15 20:00"))

    assert [poll.polled_at for poll in found] == [at("2026-11-15 20:00"), at("2026-11-16 20:00")]
    store.close()


def test_short_texts_are_not_compared_by_likeness() -> None:
    assert fingerprint("Sở Y tế mời họp") is None
    assert fingerprint(None) is None


def test_an_item_that_is_taken_down_and_put_back_is_not_removed(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [(0, "Cũ", "2026-10-05 08:00", "2026-10-05 08:00", "Sở Y tế", "Lịch họp")])
    collection.collect(on="2026-11-15 20:00")
    collection.publish((1, "Tin", "2026-11-16 08:00", "2026-11-16 08:00", "Sở Y tế", NEWS))
    collection.collect(on="2026-11-16 20:00")
    connection = sqlite3.connect(collection.file)
    row = connection.execute("SELECT * FROM news WHERE id = 1").fetchone()
    connection.execute("DELETE FROM news WHERE id = 1")
    connection.commit()
    connection.close()

    gone = collection.collect(on="2026-11-17 20:00")
    collection.publish(row)
    back = collection.collect(on="2026-11-18 20:00")
    window = collection.store.window(at("2026-11-01 00:00"), at("2026-11-17 22:00"))

    assert FlagKind.REMOVED in _flags(gone)["Tin"]
    assert FlagKind.REMOVED not in _flags(back).get("Tin", ())
    taken_down = Gone(stamp(at("2026-11-17 20:00")), stamp(at("2026-11-16 20:00")), is_sure=True)
    assert list(window.changes().gone.values()) == [taken_down], "as it was known then"


def test_a_store_of_another_version_is_set_aside_and_not_read_as_if_it_were_of_this_one(tmp_path: Path) -> None:
    file = tmp_path / "observations.sqlite"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE observation (id TEXT)")
    connection.commit()
    connection.close()

    with pytest.raises(UpdatesError, match="of another version of portalops"):
        ObservationStore.open(file, create=False)
    store = ObservationStore.open(file)

    assert store.count() == 0
    assert (tmp_path / "observations.sqlite.v0").is_file()


def test_what_a_killed_run_left_half_written_is_taken_back_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "observations.sqlite"
    ObservationStore.open(file).close()
    writing = (
        "import os, sqlite3, sys; one = sqlite3.connect(sys.argv[1], isolation_level=None);"
        " one.execute('PRAGMA cache_size=5'); one.execute('BEGIN');"
        " one.executemany('INSERT INTO name VALUES (?, ?, ?)', (('feed', str(n) * 20, 'x') for n in range(2000)));"
        " os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", writing, str(file)], check=False)
    assert (tmp_path / "observations.sqlite-journal").is_file()

    with pytest.raises(UpdatesError, match=r"a run was cut off while it wrote observations\.sqlite"):
        ObservationStore.open(file, create=False)
    ObservationStore.open(file).close()

    with closing(ObservationStore.open(file, create=False)) as store:
        assert store.known("feed", [str(0) * 20]) == {}


def test_a_clock_that_is_set_back_leaves_no_refused_line_without_its_beginning(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [(None, "", "2026-11-01 08:00", "2026-11-01 08:00", "Sở Y tế", NEWS)])
    query = QUERY.replace("id AS", "NULLIF(id, 1) AS")
    settings = Settings(channel=ItemChannel.SUBPORTAL, url="sqlite:///portal.sqlite", query=query)
    collection.source = SqlSource("content", settings, folder=tmp_path, zone=ZONE)
    collection.publish((2, "Tin", "2026-11-16 08:00", "2026-11-16 08:00", "Sở Y tế", NEWS))
    collection.collect(on="2026-11-16 20:00")
    with closing(sqlite3.connect(collection.file)) as connection, connection:
        connection.execute("DELETE FROM news WHERE id = 1")

    result = collection.collect(on="2026-11-16 19:00")

    assert [(poll.ok, poll.rejected) for poll in result.polls] == [(True, ())]


def test_the_items_of_a_unit_are_read_by_themselves(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [(1, "Tin", "2026-11-16 08:00", "2026-11-16 08:00", "Sở Y tế", NEWS)])
    collection.collect(on="2026-11-16 20:00")

    window = collection.store.window(at("2026-11-01 00:00"), at("2026-11-30 00:00"))

    assert window.units() == (None, HEALTH.id)
    assert [one.title for one in window.items(HEALTH.id)] == ["Tin"]
    assert window.items(None) == []


def test_what_judging_asks_of_a_source_s_polls_is_read_from_an_index_alone(tmp_path: Path) -> None:
    file = tmp_path / "observations.sqlite"
    ObservationStore.open(file).close()
    columns = ", ".join(PollMoment._fields)

    with closing(sqlite3.connect(file)) as connection:
        query = f"SELECT {columns} FROM poll WHERE source = 'feed' AND polled_at BETWEEN 0 AND 1 ORDER BY polled_at"
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]

    assert plan == ["SEARCH poll USING COVERING INDEX poll_by_source (source=? AND polled_at>? AND polled_at<?)"]


def test_whether_a_text_is_new_does_not_rest_on_how_long_a_period_is_judged(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [(9, "Tin cũ", "2026-05-01 08:00", "2026-05-01 08:00", "Sở Y tế", "Tin khác")])
    collection.collect(on="2026-05-31 20:00")
    for number, day in enumerate(("2026-06-01", "2026-08-20", "2026-11-08")):
        shown = f"{day} 08:00"
        collection.collect(on=f"{day} 01:00")
        collection.publish((number, f"Tin{'.' * number}", shown, shown, "Sở Y tế", NEWS * 4))
        collection.collect(on=f"{day} 20:00")

    result = collection.collect(on="2026-11-09 20:00")

    assert FlagKind.DUPLICATE not in _flags(result).get("Tin..", ()), "160 days after the one that counted"


def test_a_draft_that_waited_for_months_is_told_alike_by_the_report_of_a_week_and_of_half_a_year(
    tmp_path: Path,
) -> None:
    collection = Collection(tmp_path, [(1, "Tin", "2026-01-01 08:00", "2026-01-01 08:00", "Sở Y tế", NEWS)])
    for day in Period(date(2026, 6, 19), date(2026, 11, 15)).days():
        collection.store.add_poll(Poll("content", at(f"{day} 20:00"), True, "", 1, 0, Digest("0" * 64), EPOCH))
    collection.publish((2, "Báo cáo", "2026-11-16 09:00", "2026-06-20 09:00", "Sở Y tế", NEWS[:300]))
    collection.collect(on="2026-11-16 20:00")

    told = [
        [
            (one.counts_at, one.flags)
            for one in items_of(
                collection.store,
                sources=[collection.source],
                units=[HEALTH],
                portal=PORTAL,
                rulebook=rulebook(),
                calendar=CALENDAR,
                period=Period(first, date(2026, 11, 22)),
                now=at("2026-11-24 08:00"),
                poll_every=Every.DAY,
            )
            if one.seen.title == "Báo cáo"
        ]
        for first in (date(2026, 11, 16), date(2026, 6, 1))
    ]

    assert told[0] == told[1] == [(stamp(at("2026-11-16 09:00")), (FlagKind.WAITED,))]


def test_a_store_that_is_damaged_within_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "observations.sqlite"
    ObservationStore.open(file).close()
    connection = sqlite3.connect(file)
    [(page,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'observation_by_unit'")
    [(size,)] = connection.execute("PRAGMA page_size")
    connection.close()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * size)
    store = ObservationStore.open(file, create=False)

    with pytest.raises(UpdatesError, match=r"observations\.sqlite cannot be used: database disk image is malformed"):
        store.window(at("2026-11-01 00:00"), at("2026-11-30 00:00")).units()


def test_an_old_item_that_claims_a_newer_date_is_among_those_of_its_unit(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [(1, "Tin cũ", "2026-01-05 08:00", "2026-01-05 08:00", "Sở Y tế", NEWS)])
    collection.collect(on="2026-01-05 20:00")
    connection = sqlite3.connect(collection.file)
    connection.execute("DELETE FROM news")
    connection.commit()
    connection.close()
    collection.publish((1, "Tin cũ", "2026-11-16 08:00", "2026-01-05 08:00", "Sở Y tế", NEWS))
    collection.collect(on="2026-11-16 20:00")

    later = collection.store.window(at("2026-11-01 00:00"), at("2026-11-17 00:00"))
    before = collection.store.window(at("2026-11-01 00:00"), at("2026-11-16 12:00"))

    assert [one.title for one in later.items(HEALTH.id)] == ["Tin cũ"]
    assert later.items(None) == before.items(HEALTH.id) == []


@pytest.mark.parametrize(
    ("problem", "vietnamese"),
    [
        (
            msg("update source {source}: {cause}", source="rss", cause=msg("the answer is truncated")),
            "nguồn cập nhật rss: ",
        ),
        ("update source rss: the answer is truncated", "update source rss: the answer is truncated"),
    ],
)
def test_why_a_look_failed_is_told_in_the_readers_language_and_as_text_by_older_records(
    tmp_path: Path, problem: Message | str, vietnamese: str
) -> None:
    poll = Poll(
        "rss", at("2026-11-16 20:00"), False, problem, 0, 0, None, None, rejected=("line 3: no date", msg("no số đến"))
    )
    store = ObservationStore.open(tmp_path / "observations.sqlite")

    store.add_poll(decode(Poll, read(write({"poll": poll}))["poll"]))

    (kept,) = store.newest_polls()
    assert kept == replace(poll, rejected=())
    assert render(msg("failed: {problem}", problem=kept.problem), "vi").removeprefix("lỗi: ").startswith(vietnamese)
    assert decode(Poll, read(write({"poll": poll}))["poll"]) == poll


def test_the_newest_poll_of_each_source_is_known_also_as_it_was_before_a_moment(tmp_path: Path) -> None:
    store = ObservationStore.open(tmp_path / "observations.sqlite")
    failed = msg("no answer")

    def polled(source: str, moment: str, *, ok: bool = True) -> Poll:
        return Poll(source, at(moment), ok, "" if ok else failed, 0, 0, None, None)

    older, newer, other = (
        polled("a", "2026-11-16 20:00"),
        polled("a", "2026-11-17 20:00", ok=False),
        polled("b", "2026-11-17 08:00"),
    )
    for poll in (older, other, newer):
        store.add_poll(poll)

    assert store.newest_polls() == (newer, other)
    assert store.newest_polls(before=newer.polled_at) == (older, other)
    assert store.newest_polls(before=older.polled_at) == ()


def _listed(number: int, body: str, *, summary: bool = False) -> ListedItem:
    claimed = at(f"2026-11-{1 + number % 20:02} 08:00")
    url = f"https://soyte.example/{number}"
    return ListedItem(str(number), url, f"Tin {number}", claimed, "", body=body, body_is_summary=summary)


def _tables(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(file)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            for table, order in (
                ("observation", "rowid"),
                ("likeness", "channel, part, numbers, text"),
                ("shared_text", "text"),
                ("name", "source, key"),
            )
        }


def test_the_items_of_one_answer_are_kept_as_if_each_had_come_alone(tmp_path: Path) -> None:
    other = NEWS.replace("tiêm chủng", "phòng chống sốt xuất huyết").replace("Sở", "Trung tâm")
    # A part that stands in front of its whole in one answer is open, so the whole comes first here.
    bodies = [f"{NEWS} 16/11/2026", NEWS, other, "Lịch họp", NEWS.replace("Sáng nay", "Vừa qua"), NEWS, "Lịch họp"]
    items = [_listed(number, body) for number, body in enumerate(bodies * 6)]
    items += [_listed(1000, other.replace("Dự hội nghị", "Tham dự")), _listed(1001, NEWS, summary=True)]
    first, *answer = items
    stores = [ObservationStore.open(tmp_path / name) for name in ("whole.sqlite", "alone.sqlite")]
    traits = UpdateSourceTraits("trang-tin", ItemChannel.SUBPORTAL, complete=False, unit=HEALTH.id)

    def add(store: ObservationStore, some: list[ListedItem], when: str) -> None:
        poll = Poll("trang-tin", at(when), ok=True, problem="", items=len(some), new_items=len(some), evidence=Digest("e"), covers_from=None)  # fmt: skip
        recognition = recognise(
            candidates(some), {}, traits=traits, units=UnitNames((HEALTH,), ZONE, PORTAL.name.vi),
            polled_at=poll.polled_at, baseline=False, evidence=Digest("e"),
        )  # fmt: skip
        store.add(poll, recognition, etag="", before=None)

    for store, answers in zip(stores, ([answer], [[one] for one in answer]), strict=True):
        add(store, [first], "2026-11-15 20:00")
        for some in answers:
            add(store, some, "2026-11-16 20:00")
        store.close()

    whole, alone = (_tables(tmp_path / name) for name in ("whole.sqlite", "alone.sqlite"))
    assert whole == alone
    assert len(whole["observation"]) == len(items)
    assert len(whole["shared_text"]) == 4
