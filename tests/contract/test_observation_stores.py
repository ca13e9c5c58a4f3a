"""Whatever observations are kept in: the same looks, put in in the same order, come to the same answers."""

from __future__ import annotations

import json
import pickle
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import psycopg
import pytest

from checks.updates.addresses import page_key
from checks.updates.job import run_updates
from checks.updates.judging_processes import JudgedPeriod
from checks.updates.observation_database import SCHEMA, DatabasePlace, prepare, script
from checks.updates.observation_places import NothingCollected
from checks.updates.observations import ObservationStore
from checks.updates.proving import differences
from checks.updates.summing import sums
from checks.updates.terms import Terms
from portalops.errors import UpdatesError, UpdateSourceError
from portalops.ledger.postgresql_tables import READER, ROLES, WRITER
from portalops.model.message import verbatim
from portalops.model.organisation import UnitId
from portalops.model.period import Period
from portalops.model.runs import Every
from portalops.model.updates import ItemChannel, ListedItem, Listing, RefusedItem, UpdateAnswer, UpdateSourceTraits
from tests.backups.postgresql.parts import Server, versions
from tests.checks.updates.scene import CALENDAR, HEALTH, JUSTICE, PORTAL, ZONE, at, rulebook
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

START = at("2026-11-02 20:00")
LONG = f"https://soyte.example/{'tin-tức-sự-kiện/' * 120}"
"""Escaped, it is longer than what PostgreSQL puts into an index."""
TEXT = "Ngành y tế tỉnh tổ chức tiêm chủng mở rộng cho trẻ em tại các xã, phường trong toàn tỉnh. " * 4


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        started.sql(";\n".join(ROLES))
        for name, role in (("collector", WRITER), ("auditor", READER)):
            started.sql(f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE {role}")
        yield started


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    server.sql(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def place(server: Server, database: str) -> DatabasePlace:
    """A prepared one, for who collects."""
    with closing(_owner(server, database)) as owner:
        assert prepare(owner)
        assert not prepare(owner), "they are there"
    return _place(server, database, "collector")


def _owner(server: Server, database: str) -> psycopg.Connection:
    return psycopg.connect(host=str(server.folder), port=5432, user="postgres", dbname=database, autocommit=True)


def _place(server: Server, database: str, user: str) -> DatabasePlace:
    parameters = {
        "host": str(server.folder), "port": 5432, "user": user, "dbname": database, "password": "x", "autocommit": True,
    }  # fmt: skip
    return DatabasePlace(f"postgresql:{server.folder}:5432/{database}", parameters)


class Changing:
    """A source whose answer is another one at each look."""

    def __init__(
        self, name: str, *, complete: bool, unit: UnitId | None, channel: ItemChannel = ItemChannel.SUBPORTAL
    ) -> None:
        self.traits = UpdateSourceTraits(name, channel, complete=complete, unit=unit)
        self.shown: list[dict[str, object]] = []

    def fetch(self, *, etag: str) -> UpdateAnswer:
        if not self.shown:
            raise UpdateSourceError(verbatim("connection reset by peer"), verbatim("See the server."))
        return UpdateAnswer(json.dumps(self.shown, sort_keys=True).encode(), etag=f'"{len(self.shown)}"{etag[:3]}')

    def parse(self, data: bytes, *, polled_at: datetime) -> Listing:
        found, refused = [], []
        for one in json.loads(data):
            if one["broken"]:
                refused.append(RefusedItem(verbatim("broken"), f"key {one['id']}", "", at=START))
                continue
            made = datetime.fromisoformat(one["at"])
            item = ListedItem(
                str(one["id"]), one["url"], f"Tin {one['id']}", made, one["at"], body=one["body"], created_at=made
            )
            found.append(item)
        return Listing(tuple(found), tuple(refused))


def _collect(
    seed: int, stores: list[ObservationStore], looks: int = 12
) -> tuple[list[Changing], list[MemoryKeeper], datetime]:
    chance = random.Random(seed)
    sources = [
        Changing("trang-tin", complete=False, unit=HEALTH.id),
        Changing("ban-do", complete=True, unit=JUSTICE.id),
        Changing("so-den", complete=True, unit=None, channel=ItemChannel.SUBMISSION),
    ]
    keepers = [MemoryKeeper() for _store in stores]
    now = START
    for _look in range(looks):
        for source in sources:
            source.shown = [_item(source, chance, now) for _item_ in range(chance.choice([0, 3, 6, 8]))]
        for source, (store, keeper) in product(sources, zip(stores, keepers, strict=True)):  # one by one, in one order
            run_updates(
                sources=[source], units=(HEALTH, JUSTICE), portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR, store=store,
                keeper=keeper, clock=FixedClock(now), progress=SilentProgress(), judge_weeks=1, poll_every=Every.DAY,
            )  # fmt: skip
        now += timedelta(hours=chance.choice([6, 20, 30]))
    return sources, keepers, now


def _item(source: Changing, chance: random.Random, now: datetime) -> dict[str, object]:
    number = chance.randrange(12)
    address = {0: f"{LONG}{number}", 1: ""}.get(number % 4, f"https://{source.traits.id}.example/tin/{number}")
    near = f"{TEXT} {TEXT[:50].upper()} xem thêm: trẻ em, vắc-xin, xã Diên An."
    body = {0: TEXT, 1: f"{TEXT} ({number})", 2: "", 3: f"{TEXT} Hết." if number == 3 else near}[number % 4]
    moved = chance.random() < 0.2
    when = now - timedelta(days=0 if moved else number)
    return {"id": number, "url": address, "body": body, "at": when.isoformat(), "broken": chance.random() < 0.1}


def answers(store: ObservationStore, now: datetime) -> Iterator[object]:
    """Everything that is asked of a store."""
    yield store.newest_polls(), store.newest_polls(before=now - timedelta(days=3))
    yield store.polls_after(None), store.polls_after(now - timedelta(days=2))
    yield store.count(), store.dated(), store.dated(7)
    shown: list[str] = []
    for source in ("trang-tin", "ban-do", "so-den", "nothing"):
        yield store.last_whole_poll(source), store.etag(source)
        addresses = (f"{source}.example/tin/{n}" for n in range(12))
        keys = [*(f"u:{address}" for address in addresses), *(f"i:{number}" for number in range(12))]
        known = store.known(source, keys)
        yield known
        shown += [one.observation for one in known.values()]
    yield store.observations(shown)
    yield [store.beginning_with(one[:8]) for one in sorted(shown)]
    for since, until in ((START, now), (now - timedelta(days=2), now - timedelta(days=1))):
        window = store.window(since, until)
        yield window.units()
        for unit in window.units():
            yield sorted(window.items(unit)), window.list_claims(unit)
        yield sorted(window.repeated_items()), [one.text for one in window.repeated_items()]
        yield sorted(window.near_copies(), key=str)
        changes = window.changes()
        yield changes.touched, changes.gone
        yield {source: sorted(some, key=str) for source, some in window.served().items()}
        yield window.refused()
        for source in ("trang-tin", "ban-do", "so-den"):
            yield window.polls_of(source), window.complete_polls(source)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [37, 11])
def test_a_database_answers_as_the_file_of_one_machine_does(tmp_path: Path, place: DatabasePlace, seed: int) -> None:
    with (
        closing(ObservationStore.open(tmp_path / "observations.sqlite")) as file,
        closing(ObservationStore.open(place)) as there,
    ):
        _sources, _keepers, now = _collect(seed, [file, there])

        assert file.count() > 20
        for one, other in zip(answers(file, now), answers(there, now), strict=True):
            assert one == other
    with closing(ObservationStore.open(place, create=False)) as read:
        assert list(answers(read, now))[-1] is not None
    assert list(differences(place.as_file(tmp_path), tmp_path / "observations.sqlite")) == []


def test_an_address_too_long_for_an_index_is_known_again(tmp_path: Path, place: DatabasePlace) -> None:
    key = f"u:{page_key(LONG)}"
    source = Changing("trang-tin", complete=False, unit=HEALTH.id)
    source.shown = [{"id": "", "url": LONG, "body": TEXT, "at": START.isoformat(), "broken": False}]
    with closing(ObservationStore.open(place)) as store:
        polls = [
            run_updates(
                sources=[source], units=(HEALTH,), portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR, store=store,
                keeper=MemoryKeeper(), clock=FixedClock(START + timedelta(hours=hours)), progress=SilentProgress(),
                judge_weeks=1, poll_every=Every.DAY,
            ).polls[0]
            for hours in (0, 6)
        ]  # fmt: skip

        assert [(poll.ok, poll.new_items) for poll in polls] == [(True, 1), (True, 0)]
        assert store.count() == 1
        assert [*store.known("trang-tin", [key])] == [key]
    assert tmp_path.is_dir()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE observation SET title = ''",
        "DELETE FROM observation",
        "TRUNCATE observation",
        "DELETE FROM poll",
        "UPDATE refused SET present = false",
        "UPDATE presence SET present = true",
    ],
)
def test_what_was_seen_cannot_be_changed_by_its_owner_nor_by_who_collects(
    server: Server, database: str, place: DatabasePlace, statement: str
) -> None:
    with closing(ObservationStore.open(place)) as store:
        _collect(37, [store], looks=3)
        before = store.count()
        for user, said in (("postgres", "observations are append-only"), ("collector", "permission denied")):
            with psycopg.connect(
                host=str(server.folder), port=5432, user=user, dbname=database, password="x", autocommit=True
            ) as own:
                own.execute(f"SET search_path = {SCHEMA}".encode())
                own.execute(
                    b"INSERT INTO presence (observation, at, present, sure, seen_at) VALUES ('x', 1, true, true, 1)"
                )
                own.execute(b"INSERT INTO refused VALUES (DEFAULT, 'x', 'y', 1, true, 1, '', 1, true)")
                with pytest.raises(psycopg.Error, match=said):
                    own.execute(statement.encode())
        assert store.count() == before


def test_who_may_only_read_reads_and_collects_nothing(server: Server, database: str, place: DatabasePlace) -> None:
    auditor = _place(server, database, "auditor")
    with pytest.raises(NothingCollected, match=r"nothing was collected yet: postgresql:.* is empty"):
        ObservationStore.open(auditor, create=False)
    with closing(ObservationStore.open(place)) as store:
        _collect(37, [store], looks=2)

    with closing(ObservationStore.open(auditor, create=False)) as read:
        assert read.count() > 0
        poll = read.newest_polls()[0]
    with (
        closing(ObservationStore.open(auditor)) as wrong,
        pytest.raises(UpdatesError, match="permission denied") as told,
    ):
        wrong.add_poll(poll)
    assert WRITER in str(told.value.hint)


def test_a_database_that_was_not_prepared_is_said(server: Server, database: str) -> None:
    for create in (True, False):
        with pytest.raises(UpdatesError, match="has no store of observations") as told:
            ObservationStore.open(_place(server, database, "collector"), create=create)
        assert "ledger prepare" in str(told.value.hint)


def test_tables_of_another_version_are_set_aside_and_not_read_as_if_they_were_of_this_one(
    server: Server, database: str, place: DatabasePlace
) -> None:
    with closing(ObservationStore.open(place)) as store:
        _collect(37, [store], looks=2)
    with closing(_owner(server, database)) as owner:
        for _time in range(2):
            owner.execute(f"UPDATE {SCHEMA}.about SET version = 3".encode())
            for create in (True, False):
                with pytest.raises(UpdatesError, match="of another version of portalops"):
                    ObservationStore.open(place, create=create)

            assert prepare(owner)

            with closing(ObservationStore.open(place)) as store:
                assert store.count() == 0
        kept = owner.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE %s ORDER BY 1", (f"{SCHEMA}%",))
        assert [name for (name,) in kept] == [SCHEMA, f"{SCHEMA}_v3", f"{SCHEMA}_v3_2"]
        count = owner.execute(f"SELECT count(*) FROM {SCHEMA}_v3.observation".encode()).fetchone()
        assert count is not None and count[0] > 0


def test_the_printed_script_makes_what_preparing_makes(server: Server, database: str) -> None:
    server.sql(script(), database)

    with closing(_owner(server, database)) as owner:
        assert not prepare(owner)


def test_a_place_goes_to_another_process_and_shows_no_password(place: DatabasePlace) -> None:
    again = pickle.loads(pickle.dumps(place))

    assert again == place
    assert "password" not in repr(place)


@pytest.mark.heavy
def test_several_processes_judge_from_a_database(place: DatabasePlace) -> None:
    with closing(ObservationStore.open(place)) as store:
        sources, _keepers, now = _collect(37, [store])
    terms = Terms(rulebook(), CALENDAR, ZONE, now, Every.DAY)
    period = Period(START.date(), now.date() - timedelta(days=1))
    question = JudgedPeriod(place, [source.traits for source in sources], period, terms)

    several = list(sums(question, [HEALTH, JUSTICE], processes=2, at_once=1))

    assert several == list(sums(question, [HEALTH, JUSTICE], processes=1))
    assert [one.unit for one in several] == [HEALTH.id, JUSTICE.id]


@pytest.mark.heavy
def test_a_server_that_is_stopped_is_an_error_that_names_the_store(tmp_path: Path) -> None:
    with Server.new(versions()[-1]) as own:
        own.sql(";\n".join(ROLES))
        own.sql(script())
        there = _place(own, "postgres", "postgres")
        store = ObservationStore.open(there)
        assert store.count() == 0
        own.program("pg_ctl", "stop", "-D", own.data, "-m", "immediate", "-w", "-s")
        with pytest.raises(UpdatesError, match=r"the store of observations postgresql:.* cannot be used"):
            store.count()
        store.close()
        with pytest.raises(UpdatesError, match="cannot be used"):
            ObservationStore.open(there, create=False)
        own.program("pg_ctl", "start", "-D", own.data, "-w", "-s", "-l", own.folder / "log")
        with closing(ObservationStore.open(there)) as again:
            assert again.count() == 0
    assert tmp_path.is_dir()
