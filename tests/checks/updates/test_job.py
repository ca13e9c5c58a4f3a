from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from checks.updates.answers import ORDER_UNKNOWN
from checks.updates.job import replay, run_updates
from checks.updates.observations import ObservationStore
from checks.updates.proving import differences
from checks.updates.rules.stamps import moment
from checks.updates.sources import register
from checks.updates.sources.feed import FeedSource
from checks.updates.sources.feed import Settings as FeedSettings
from checks.updates.sources.register import RegisterSource
from checks.updates.sources.sql import Settings, SqlSource
from checks.updates.text import content_hash
from portalops.errors import ConfigurationError, LedgerFull, UpdatesError, UpdateSourceError
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.model.updates import (
    FlagKind,
    ItemChannel,
    ListedItem,
    Listing,
    RefusedItem,
    UpdateAnswer,
    UpdateSourceTraits,
    UpdatesResult,
)
from portalops.model.verdicts import DutyVerdict
from portalops.ports import UpdateSource
from portalops.system.web import HttpWeb
from tests.accounts import as_ordinary_user
from tests.checks.updates.scene import (
    CALENDAR,
    HEALTH,
    JUSTICE,
    PORTAL,
    QUERY,
    ZONE,
    at,
    content_database,
    rulebook,
)
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

SAMPLES = Path(__file__).parents[2] / "samples/updates"
BODY = "Ngành y tế tỉnh tổ chức tiêm chủng mở rộng cho trẻ em tại các xã, phường trong toàn tỉnh. " * 4
COMMUNES = (
    *(
        "Cam Lâm",
        "Diên Điền",
        "Diên Lạc",
        "Diên Khánh",
        "Đại Lãnh",
        "Hòa Trí",
        "Khánh Sơn",
        "Khánh Vĩnh",
        "Nam Cam Ranh",
    ),
    *("Ninh Hải", "Phước Dinh", "Suối Dầu", "Suối Hiệp", "Tân Định", "Tu Bông", "Vạn Hưng", "Vạn Ninh", "Vạn Thắng"),
    *("Xuân Hải", "Vĩnh Hải", "Thuận Bắc", "Công Hải", "Bác Ái", "Phước Hà", "Mỹ Sơn", "Lâm Sơn", "Anh Dũng"),
)


class Collection:
    """A content database that is collected again and again."""

    def __init__(self, folder: Path, rows: list[tuple[object, ...]], *, trust_created: bool = False) -> None:
        self.file = content_database(folder, rows)
        settings = Settings(
            channel=ItemChannel.SUBPORTAL, url="sqlite:///portal.sqlite", query=QUERY, trust_created=trust_created
        )
        self.source = SqlSource("content", settings, folder=folder, zone=ZONE)
        self.store = ObservationStore.open(folder / "observations.sqlite")
        self.keeper = MemoryKeeper()
        self.clock = FixedClock(at("2026-11-16 20:00"))

    def publish(self, row: tuple[object, ...]) -> None:
        connection = sqlite3.connect(self.file)
        connection.execute("INSERT INTO news VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.commit()
        connection.close()

    def collect(self, *, on: str, also: tuple[UpdateSource, ...] = (), weeks: int = 2) -> UpdatesResult:
        self.clock.at = at(on)
        return run_updates(
            sources=(self.source, *also),
            units=(HEALTH, JUSTICE),
            portal=PORTAL,
            rulebook=rulebook(),
            calendar=CALENDAR,
            store=self.store,
            keeper=self.keeper,
            clock=self.clock,
            progress=SilentProgress(),
            judge_weeks=weeks,
            poll_every=Every.DAY,
        )


def _row(number: int, published: str, created: str | None = None, unit: str = "Sở Y tế") -> tuple[object, ...]:
    return number, f"Tin số {number}", published, created or published, unit, f"{BODY} ({number})"


def test_what_is_published_between_looks_meets_the_week(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-01 08:00")])
    collection.collect(on="2026-11-16 00:30")
    collection.publish(_row(2, "2026-11-16 09:00"))
    collection.collect(on="2026-11-16 20:00")
    collection.collect(on="2026-11-18 00:30")
    collection.publish(_row(3, "2026-11-18 09:00"))
    collection.collect(on="2026-11-18 20:00")
    collection.publish(_row(4, "2026-11-23 09:00"))

    result = collection.collect(on="2026-11-24 08:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert (week.subportal, week.subportal_verdict) == (2, DutyVerdict.MET)
    assert week.submissions_verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert result.polls[0].new_items == 1


def test_the_first_look_alone_never_meets_a_week(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00"), _row(2, "2026-11-18 09:00")])

    result = collection.collect(on="2026-11-24 08:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert (week.subportal, week.pending, week.subportal_verdict) == (0, 2, DutyVerdict.PENDING)


@pytest.mark.parametrize(
    ("oldest", "verdict"),
    [("2026-11-16 09:00", DutyVerdict.INSUFFICIENT_EVIDENCE), ("2026-10-01 09:00", DutyVerdict.UNMET)],
)
def test_a_source_says_nothing_of_the_time_before_its_oldest_item(
    tmp_path: Path, oldest: str, verdict: DutyVerdict
) -> None:
    collection = Collection(tmp_path, [_row(1, oldest), _row(2, "2026-11-17 08:00")], trust_created=True)

    result = collection.collect(on="2026-11-17 20:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W46" and one.unit == HEALTH.id)
    assert (week.subportal, week.subportal_verdict) == (0, verdict)


def test_of_the_time_before_a_units_first_item_there_a_shared_source_tells_nothing_of_it(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-01-05 08:00", unit="Sở Lạ")])
    collection.collect(on="2026-11-01 20:00")
    before = collection.collect(on="2026-11-10 20:00")
    collection.publish(_row(2, "2026-11-11 09:00"))
    for day in range(11, 23):
        collection.collect(on=f"2026-11-{day} 20:00")

    def verdicts(of: UpdatesResult) -> dict[str, DutyVerdict]:
        return {str(one.week): one.subportal_verdict for one in of.unit_weeks if one.unit == HEALTH.id}

    later = collection.collect(on="2026-11-23 08:00", weeks=4)
    assert verdicts(before)["2026-W45"] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert verdicts(later) == {
        "2026-W45": DutyVerdict.INSUFFICIENT_EVIDENCE,
        "2026-W46": DutyVerdict.INSUFFICIENT_EVIDENCE,  # it begins in the middle
        "2026-W47": DutyVerdict.UNMET,
        "2026-W48": DutyVerdict.PENDING,
    }


def test_a_creation_column_that_editors_cannot_write_counts_from_the_first_look_on(tmp_path: Path) -> None:
    rows = [_row(1, "2026-11-16 09:00"), _row(2, "2026-11-18 09:00")]

    result = Collection(tmp_path, rows, trust_created=True).collect(on="2026-11-24 08:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert (week.subportal, week.subportal_verdict) == (2, DutyVerdict.MET)


def test_a_unit_without_a_subportal_owes_submissions_alone(tmp_path: Path) -> None:
    result = Collection(tmp_path, []).collect(on="2026-11-24 08:00")

    week = next(one for one in result.unit_weeks if one.unit == JUSTICE.id)
    assert week.subportal_verdict is DutyVerdict.NOT_ASSESSED


def test_looking_twice_finds_nothing_new(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00")])
    collection.collect(on="2026-11-16 20:00")

    result = collection.collect(on="2026-11-17 20:00")

    assert result.polls[0].new_items == 0
    assert collection.store.count() == 1


class Unreachable:
    """A source whose server does not answer."""

    source_id = "front"

    def __init__(self) -> None:
        settings = Settings(channel=ItemChannel.PORTAL, url="sqlite://", query="SELECT 1")
        self.traits = settings.traits(self.source_id, complete=True)

    def fetch(self, *, etag: str) -> UpdateAnswer:
        raise UpdateSourceError(msg("update source front: no answer"), msg("Try again."))

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        raise AssertionError("nothing to read")


class Broken(Unreachable):
    """A source that answers, with something that nobody thought of."""

    source_id = "torn"

    def fetch(self, *, etag: str) -> UpdateAnswer:
        return UpdateAnswer(b"<html>b\xe1o tr\xec</html>")

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        raise KeyError("channel")


class Refusing(Broken):
    """A source none of whose rows can be read."""

    def __init__(self, items: tuple[ListedItem, ...] = ()) -> None:
        super().__init__()
        self._items = items

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        return Listing(self._items, tuple(RefusedItem(msg("row {n}: no date", n=number)) for number in range(250)))


def test_a_fault_in_one_source_does_not_stop_the_others_and_its_answer_is_kept(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00")])

    result = collection.collect(on="2026-11-16 20:00", also=(Broken(), Unreachable()))

    content, broken, _unreachable = result.polls
    assert content.ok
    assert not broken.ok
    assert "a fault in portalops: KeyError('channel')" in str(broken.problem)
    assert broken.evidence is not None
    assert collection.keeper.blobs[broken.evidence].startswith(b"<html>")


def test_an_answer_of_which_nothing_can_be_read_shows_nothing(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [])

    poll = collection.collect(on="2026-11-16 20:00", also=(Refusing(),)).polls[1]

    assert not poll.ok
    assert poll.covers_from is None
    assert "none of its 250 items can be read, such as row 0: no date" in str(poll.problem)
    assert poll.evidence in collection.keeper.blobs


def test_refused_items_beyond_those_that_are_named_are_counted(tmp_path: Path) -> None:
    item = ListedItem("1", "", "Tin", at("2026-11-16 09:00"), "2026-11-16 09:00")

    poll = Collection(tmp_path, []).collect(on="2026-11-16 20:00", also=(Refusing((item,)),)).polls[1]

    assert poll.ok
    assert len(poll.rejected) + poll.rejected_more == 250


class FullKeeper(MemoryKeeper):
    """Has no room for evidence."""

    def keep(self, data: bytes) -> Digest:
        raise LedgerFull(msg("cannot write a blob"), msg("Check the free space."))


def test_evidence_that_cannot_be_kept_is_no_fault_of_the_source(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00")])
    collection.keeper = FullKeeper()

    with pytest.raises(LedgerFull):
        collection.collect(on="2026-11-16 20:00")

    assert collection.store.newest_polls() == ()


def test_a_source_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00")])

    result = collection.collect(on="2026-11-16 20:00", also=(Unreachable(),))

    assert [(poll.source, poll.ok) for poll in result.polls] == [("content", True), ("front", False)]
    assert str(result.polls[1].problem) == "update source front: no answer"
    assert {day.verdict for day in result.portal_days if day.working} == {
        DutyVerdict.INSUFFICIENT_EVIDENCE,
        DutyVerdict.PENDING,
    }


def test_an_item_of_a_unit_that_is_not_configured_is_listed(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00", unit="Sở Khí tượng")])

    result = collection.collect(on="2026-11-16 20:00")

    assert [(one.unit, FlagKind.UNKNOWN_UNIT in one.flags) for one in result.flagged] == [(None, True)]


def test_the_store_is_built_again_from_the_kept_answers(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-01 08:00")])
    polls = [collection.collect(on="2026-11-15 20:00").polls[0]]
    collection.publish(_row(2, "2026-11-16 09:00"))
    polls.append(collection.collect(on="2026-11-16 20:00").polls[0])
    again = ObservationStore.open(tmp_path / "again.sqlite")

    replay(
        polls,
        blob=collection.keeper.blobs.__getitem__,
        sources=[collection.source],
        units=[HEALTH],
        zone=ZONE,
        store=again,
    )

    first, second = (_everything(store) for store in (again, collection.store))
    assert first == second
    assert len(first["items"]) == 2


class _SlowOnes:
    """Progress by which a source learns that another one was recorded."""

    def __init__(self, wanted: str) -> None:
        self.wanted, self.came = wanted, Event()

    @contextmanager
    def task(self, title: object, *, total: int | None, unit: str) -> Iterator[_SlowOnes]:
        yield self

    def note(self, text: Message) -> None:
        if text.values.get("source") == self.wanted:
            self.came.set()

    def advance(self, amount: int) -> None:
        pass


class _Page:
    """A source with one item."""

    def __init__(self, name: str, body: str, until: Event | None = None) -> None:
        self.traits = UpdateSourceTraits(name, ItemChannel.SUBPORTAL, complete=True, unit=HEALTH.id)
        self.body, self.until = body, until

    def fetch(self, *, etag: str) -> UpdateAnswer:
        if self.until is not None:
            assert self.until.wait(60)
        return UpdateAnswer(self.body.encode())

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        return Listing((ListedItem("1", "", "Tin", at("2026-11-16 09:00"), "16/11/2026", body=data.decode()),))


class _Ticking(FixedClock):
    def now(self) -> datetime:
        self.move(timedelta(seconds=1))
        return self.at


def test_a_store_is_built_again_with_the_same_texts_where_the_first_that_was_asked_answered_last(
    tmp_path: Path,
) -> None:
    progress = _SlowOnes("second")
    pairs = pairwise(COMMUNES)
    body = " ".join(f"Bác sĩ xã {one} tiêm chủng cho trẻ em xã {other} theo kế hoạch của tỉnh." for one, other in pairs)
    first, second = _Page("first", body, progress.came), _Page("second", f"{body} Hết.")
    stores = [ObservationStore.open(tmp_path / name) for name in ("one.sqlite", "again.sqlite")]
    keeper = MemoryKeeper()

    result = run_updates(
        sources=(first, second),
        units=(HEALTH,),
        portal=PORTAL,
        rulebook=rulebook(),
        calendar=CALENDAR,
        store=stores[0],
        keeper=keeper,
        clock=_Ticking(at("2026-11-16 20:00")),
        progress=progress,
        judge_weeks=1,
        poll_every=Every.DAY,
    )
    replay(
        sorted(result.polls, key=lambda one: one.place),
        blob=keeper.blobs.__getitem__,
        sources=(first, second),
        units=(HEALTH,),
        zone=ZONE,
        store=stores[1],
    )

    assert [(one.source, one.place) for one in result.polls] == [("first", 2), ("second", 1)]
    assert result.polls[0].polled_at < result.polls[1].polled_at
    near = stores[0].window(at("2026-11-01 00:00"), at("2026-11-30 00:00")).near_copies()
    (like,) = {one.like for one in near}
    assert like == content_hash("Tin", second.body, raw_date="16/11/2026"), "the two hardly differ"
    assert list(differences(tmp_path / "one.sqlite", tmp_path / "again.sqlite")) == []


def _everything(store: ObservationStore) -> dict[str, Any]:
    window = store.window(at("2026-10-01 00:00"), at("2026-12-01 00:00"))
    return {
        "items": [window.items(unit) for unit in window.units()],
        "changes": window.changes(),
        "served": window.served(),
        "looks": window.polls_of("content"),
    }


@pytest.mark.parametrize(
    "statement", ["DELETE FROM observation", "UPDATE observation SET title = ''", "DELETE FROM poll"]
)
def test_what_was_seen_cannot_be_changed(tmp_path: Path, statement: str) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-16 09:00")])
    collection.collect(on="2026-11-16 20:00")
    connection = sqlite3.connect(tmp_path / "observations.sqlite")

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)

    connection.close()


def test_an_item_that_comes_back_with_a_newer_date_adds_nothing(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(1, "2026-11-01 08:00")])
    collection.collect(on="2026-11-15 20:00")
    connection = sqlite3.connect(collection.file)
    connection.execute("UPDATE news SET published = '2026-11-17 08:00'")
    connection.commit()
    connection.close()

    result = collection.collect(on="2026-11-18 20:00")

    (flagged,) = result.flagged or (None,)
    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert week.subportal == 0
    assert flagged is not None and FlagKind.TOUCHED in flagged.flags
    assert flagged.claimed_at == at("2026-11-17 08:00")


def test_two_looks_a_month_apart_are_a_month_of_uncertainty_for_claims_only(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(0, "2026-10-05 09:00")])
    collection.collect(on="2026-10-20 20:00")
    collection.publish(_row(1, "2026-11-18 09:00"))

    result = collection.collect(on="2026-11-24 08:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert (week.subportal, week.pending) == (0, 1), "the claimed day counts when an officer confirms it"
    assert week.subportal_verdict is DutyVerdict.INSUFFICIENT_EVIDENCE


class Unchanging:
    """A feed whose server says, from the second look on, that nothing changed."""

    def __init__(self) -> None:
        self._feed = FeedSource(
            "feed", FeedSettings(channel=ItemChannel.PORTAL, url="https://a.example/"), zone=ZONE, web=HttpWeb()
        )

    @property
    def traits(self) -> UpdateSourceTraits:
        return self._feed.traits

    def fetch(self, *, etag: str) -> UpdateAnswer:
        return UpdateAnswer(None, etag) if etag else UpdateAnswer((SAMPLES / "nukeviet_rss.xml").read_bytes(), '"v1"')

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        return self._feed.parse(data, polled_at=polled_at)


def test_that_nothing_changed_proves_that_the_server_was_reached_and_no_more(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [])
    feed = Unchanging()
    collection.collect(on="2026-11-18 08:00", also=(feed,))

    poll = collection.collect(on="2026-11-18 20:00", also=(feed,)).polls[1]
    whole = collection.collect(on="2026-11-19 08:00", also=(feed,)).polls[1]

    assert (poll.ok, poll.items, poll.new_items, poll.gap, poll.evidence) == (True, 2, 0, False, None)
    assert (poll.covers_from, poll.blind) == (None, None)
    assert (whole.evidence is not None, whole.new_items, whole.gap) == (True, 0, False)
    assert whole.blind == ORDER_UNKNOWN, "two items show no order"


def test_a_source_that_names_an_unknown_unit_is_a_configuration_error(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [])
    settings = Settings(channel=ItemChannel.PORTAL, url="sqlite:///portal.sqlite", query=QUERY, unit="so-y-tee")

    with pytest.raises(ConfigurationError, match="update source typo: there is no unit so-y-tee"):
        collection.collect(on="2026-11-18 20:00", also=(SqlSource("typo", settings, folder=tmp_path, zone=ZONE),))


def test_what_a_source_showed_stands_when_it_is_taken_out_of_the_configuration(tmp_path: Path) -> None:
    collection = Collection(tmp_path, [_row(0, "2026-10-05 09:00")])
    collection.collect(on="2026-11-16 00:30")
    collection.publish(_row(1, "2026-11-16 09:00"))
    collection.collect(on="2026-11-16 20:00")
    collection.source = SqlSource(
        "another",
        Settings(channel=ItemChannel.PORTAL, url="sqlite:///portal.sqlite", query=QUERY + " LIMIT 0"),
        folder=tmp_path,
        zone=ZONE,
    )

    result = collection.collect(on="2026-11-17 20:00")

    week = next(one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == HEALTH.id)
    assert week.subportal == 1


def test_a_store_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "observations.sqlite").write_bytes(b"not a database " * 100)

    with pytest.raises(UpdatesError, match=r"observations\.sqlite cannot be used"):
        ObservationStore.open(tmp_path / "observations.sqlite")


def test_whoever_may_only_read_the_store_can_read_it(tmp_path: Path) -> None:
    ObservationStore.open(tmp_path / "observations.sqlite").close()
    ObservationStore.open(tmp_path / "observations.sqlite", create=False).newest_polls()
    with as_ordinary_user() as folder:
        file = folder / "a 100% # odd? folder" / "observations.sqlite"
        ObservationStore.open(file).close()
        file.chmod(0o444)
        file.parent.chmod(0o555)

        store = ObservationStore.open(file, create=False)

        assert store.newest_polls() == ()
        assert list(file.parent.iterdir()) == [file]
        store.close()
        file.parent.chmod(0o755)


def test_nothing_collected_is_said_and_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(UpdatesError, match="nothing was collected yet"):
        ObservationStore.open(tmp_path / "observations.sqlite", create=False)


def test_a_line_that_stands_in_a_register_is_one_hole_until_it_is_put_right(tmp_path: Path) -> None:
    file = tmp_path / "so-den.csv"
    header = "số đến,ngày đến,tác giả,trích yếu\n"
    bad = "101,31/11/2026,Sở Y tế,Tin tuần\n102,,UBND tỉnh Phú Yên,Công văn\n103,,,Không rõ nơi gửi\n"
    so_den = RegisterSource("so-den", register.Settings(channel=ItemChannel.SUBMISSION, file=file), zone=ZONE)
    good = "99,02/11/2026,Sở Tư pháp,Tin\n"
    collection = Collection(tmp_path, [])

    def look(text: str, on: str) -> tuple[list[tuple[object, ...]], UpdatesResult]:
        file.write_text(header + good + text, "utf-8")
        result = collection.collect(on=on, also=(so_den,))
        window = collection.store.window(at("2026-10-01 00:00"), at(on))
        refused = sorted(window.refused(), key=lambda one: (one.unit or "", one.seen_at))
        return [(one.unit, moment(one.seen_at), one.gone_at and moment(one.gone_at)) for one in refused], result

    first, second = at("2026-11-16 20:00"), at("2026-11-25 08:00")

    assert look(bad, "2026-11-16 20:00")[0] == [(None, first, None), (HEALTH.id, first, None)]
    again, result = look(f"100,03/11/2026,Sở Tư pháp,Tin khác\n{bad}", "2026-11-24 20:00")
    assert again == [(None, first, None), (HEALTH.id, first, None)]
    weeks = {(week.unit, str(week.week)): week.submissions_verdict for week in result.unit_weeks}
    assert weeks[JUSTICE.id, "2026-W47"] is DutyVerdict.INSUFFICIENT_EVIDENCE
    mended, result = look("101,17/11/2026,Sở Y tế,Tin tuần\n", "2026-11-25 08:00")
    assert mended == [(None, first, second), (HEALTH.id, first, second)]
    weeks = {(week.unit, str(week.week)): week.submissions_verdict for week in result.unit_weeks}
    assert weeks[JUSTICE.id, "2026-W47"] is DutyVerdict.UNMET
    early = collection.store.window(at("2026-10-01 00:00"), at("2026-11-20 00:00"))
    assert [one.gone_at for one in early.refused()] == [None, None]
