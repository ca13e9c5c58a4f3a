"""Collecting updates by workers: real feeds, a real database, and parts as a worker does them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from checks.updates.observation_database import script as observations_script
from checks.updates.observations import ObservationStore
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.kinds.updates import store_place
from commands.jobs.part_work import do_part
from commands.jobs.parts import updates
from portalops import bodies
from portalops.cluster.parts import PartRequest
from portalops.errors import ConfigurationError
from portalops.model.updates import SourceAsked, UpdatesResult
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from tests.cluster.parts import SECRETS, ClusterServer, Portal, new_portal
from tests.cluster.working import session_of, working
from tests.web import WebServer, answer, web_server

SOURCES = ("mot", "hai", "ba", "bon", "nam")
TABLES = """
[[job]]
id = "updates"
kind = "updates"
every = "day"

[[unit]]
id = "so-y-te"
name = {{ vi = "Sở Y tế", en = "Department of Health" }}

[[updates.source]]
id = "so-den"
kind = "register"
channel = "submission"
file = "so-den.csv"
"""
FEED = """
[[updates.source]]
id = "{name}"
kind = "feed"
channel = "subportal"
unit = "so-y-te"
url = "{url}/{name}.rss"
"""


def feed(name: str, *items: int) -> bytes:
    entries = "".join(
        f"<item><guid>{name}-{n}</guid><link>https://soyte.example/{name}/{n}</link><title>Tin {n} {name}</title>"
        f"<description>{'Nội dung ' * 40}{n} {name}</description><pubDate>16/11/2026 08:0{n}</pubDate></item>"
        for n in items
    )
    return answer(f"<rss version='2.0'><channel>{entries}</channel></rss>".encode())


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as started:
        started.pages |= {f"/{name}.rss": feed(name, 1, 2) for name in SOURCES}
        yield started


@pytest.fixture
def portal(server: ClusterServer, web: WebServer, tmp_path: Path) -> Portal:
    feeds = "".join(FEED.format(name=name, url=web.url) for name in SOURCES)
    made = new_portal(
        server, tmp_path / "portal", (), tmp_path / "client", extra=TABLES.format() + feeds, cluster="wait_minutes = 1"
    )
    (tmp_path / "portal" / "so-den.csv").write_text("số đến,ngày đến,tác giả,trích yếu\n", encoding="utf-8")
    made.sql("SELECT to_regnamespace('portalops_observations')") or made.sql(observations_script())
    return made


def newest(portal: Portal) -> UpdatesResult:
    session = session_of(portal)
    record = next(session.ledger.records(kinds=("updates.finished",), newest_first=True, limit=1))
    result = bodies.decode_part(session.ledger.blob(record.body), "updates", UpdatesResult)
    assert result is not None
    return result


@pytest.mark.heavy
def test_each_source_with_a_server_is_asked_by_a_part_and_judged_in_one_place(portal: Portal, web: WebServer) -> None:
    web.delay = 0.3
    with working(portal) as done:
        assert portal.run("-q", "updates", "collect") == 0

    result = newest(portal)
    assert sorted(wish.part for wish in done) == sorted(f"source-{name}" for name in SOURCES)
    assert portal.runs("updates-part.started") != [] and len(portal.runs("updates-part.finished")) == len(SOURCES)
    assert {poll.source: (poll.ok, poll.new_items) for poll in result.polls} == {
        **dict.fromkeys(SOURCES, (True, 2)), "so-den": (True, 0),
    }  # fmt: skip
    assert web.most_at_once <= 2, "no more connections to one server than one machine makes"
    assert portal.run("-q", "updates", "verify") == 0
    assert portal.sql("SELECT count(*) FROM portalops_observations.observation") == str(2 * len(SOURCES))


@pytest.mark.heavy
def test_a_second_collection_in_the_same_slot_asks_anew_and_shows_its_mark(portal: Portal, web: WebServer) -> None:
    web.marks = {f"/{name}.rss": {"ETag": f'"{name}"'} for name in SOURCES}
    with working(portal) as done:
        assert portal.run("-q", "updates", "collect") == 0
        web.pages["/mot.rss"] = feed("mot", 1, 2, 3)
        web.marks["/mot.rss"] = {"ETag": '"mot-3"'}
        assert portal.run("-q", "updates", "collect") == 0

    polls = {poll.source: poll for poll in newest(portal).polls}
    assert len(done) == 2 * len(SOURCES)
    assert (polls["mot"].new_items, polls["hai"].evidence) == (1, None), "that nothing has changed"
    assert sum('If-None-Match: "hai"' in asked for asked in web.asked) == 1
    assert portal.run("-q", "updates", "verify") == 0


@pytest.mark.heavy
def test_what_a_killed_job_did_not_record_is_taken_from_its_parts(portal: Portal, web: WebServer) -> None:
    session = session_of(portal)
    today = session.today
    job = next(each for each in session.settings.jobs if each.id == "updates")
    prefix = f"{job.duty or job.kind}:updates:{today}:source-"
    for name in SOURCES[:2]:
        do_part(
            session, PartRequest(f"{prefix}{name}", "updates", "updates", f"source-{name}", job.duty), "a part of w0"
        )
    before = len(web.asked)
    with working(portal) as done:
        assert portal.run("-q", "updates", "collect") == 0

    assert sorted(wish.part for wish in done) == sorted(f"source-{name}" for name in SOURCES[2:])
    assert len(web.asked) - before == len(SOURCES) - 2, "what was asked is not asked again"
    assert all(poll.ok and poll.new_items == 2 for poll in newest(portal).polls if poll.source != "so-den")
    assert portal.run("-q", "updates", "verify") == 0


class Ahead:
    """A machine whose clock is two seconds ahead."""

    def __init__(self, real: Clock) -> None:
        self._real = real

    def now(self) -> datetime:
        return self._real.now() + timedelta(seconds=2)

    def monotonic(self) -> float:
        return self._real.monotonic()


@pytest.mark.heavy
def test_what_a_worker_with_a_clock_ahead_saw_is_judged_in_the_same_run(portal: Portal) -> None:
    session = session_of(portal)
    ahead = Session(Invocation(("worker",), portal.configuration), SECRETS, clock=Ahead(session.clock))
    today = session.today
    for name in SOURCES:
        do_part(
            ahead,
            PartRequest(f"updates:updates:{today}:source-{name}", "updates", "updates", f"source-{name}"),
            "a part of w0",
        )

    assert portal.run("-q", "updates", "collect") == 0

    record = next(session.ledger.records(kinds=("updates.finished",), newest_first=True, limit=1))
    assert all(poll.ok and poll.polled_at <= record.at for poll in newest(portal).polls)
    assert len(portal.runs("updates-part.finished")) == len(SOURCES)


@pytest.mark.heavy
def test_a_source_that_fails_says_why_and_a_bad_answer_is_kept(portal: Portal, web: WebServer) -> None:
    web.pages["/mot.rss"] = answer(b"<html>x</html>")
    web.pages["/hai.rss"] = answer(status="503 Service Unavailable")
    with working(portal):
        assert portal.run("-q", "updates", "collect") == 3

    polls = {poll.source: poll for poll in newest(portal).polls}
    assert [polls[name].ok for name in SOURCES] == [False, False, True, True, True]
    assert polls["mot"].evidence is not None
    assert "503" in str(polls["hai"].problem)


def test_a_part_of_a_source_that_this_machine_does_not_know_is_a_failed_run(portal: Portal) -> None:
    session = session_of(portal)
    wish = PartRequest("11.1:updates:2026-11-26:source-xa", "updates", "updates", "source-xa", "11.1")

    with pytest.raises(ConfigurationError, match="this machine's configuration has no update source xa"):
        do_part(session, wish, "a part of w1")

    assert portal.runs("updates-part.finished") == [wish.run]


def test_a_part_keeps_the_answer_as_it_came(portal: Portal, web: WebServer) -> None:
    session = session_of(portal)
    work = updates.do(session, PartRequest("x", "updates", "updates", "source-ba"))

    assert isinstance(work.result, SourceAsked) and work.outcome is RunOutcome.COMPLETE
    assert work.result.evidence is not None
    kept = session.ledger.blob(work.result.evidence)
    assert kept == web.pages["/ba.rss"].partition(b"\r\n\r\n")[2]  # type: ignore[union-attr]


def test_who_collected_nothing_yet_is_told_so(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    assert portal.run("updates", "status") != 0

    assert "nothing was collected yet: postgresql:" in capsys.readouterr().err
    session = session_of(portal)
    with pytest.raises(Exception, match="nothing was collected"):
        ObservationStore.open(store_place(session.settings, session.environment), create=False)


@pytest.mark.heavy
def test_a_store_that_was_dropped_is_built_again_from_the_kept_answers(portal: Portal, web: WebServer) -> None:
    with working(portal):
        assert portal.run("-q", "updates", "collect") == 0
        told = "SELECT id, first_seen_at, baseline FROM portalops_observations.observation ORDER BY id"
        before = portal.sql(told)
        portal.sql("DROP SCHEMA portalops_observations CASCADE")
        assert portal.run("-q", "updates", "collect") == 4
        portal.sql(observations_script())
        web.pages["/mot.rss"] = feed("mot", 1, 2, 3)
        assert portal.run("-q", "updates", "collect") == 0

    after = portal.sql(told).splitlines()
    assert set(before.splitlines()) < set(after) and len(after) == 2 * len(SOURCES) + 1
    assert portal.run("-q", "updates", "verify") == 0


@pytest.mark.heavy
def test_a_row_that_was_changed_behind_its_triggers_is_named(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    with working(portal):
        assert portal.run("-q", "updates", "collect") == 0
    portal.sql(
        "ALTER TABLE portalops_observations.observation DISABLE TRIGGER ALL;"
        " UPDATE portalops_observations.observation SET title = 'x' WHERE url LIKE '%/mot/1'"
    )
    capsys.readouterr()

    assert portal.run("updates", "verify") == 5
    told = capsys.readouterr().out
    assert "differs in title" in told
    assert "Then have the database owner drop the schema" in " ".join(told.split())


def test_preparing_makes_the_tables_of_observations_once_and_prints_their_sql(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = portal.reconfigured(
        ('user = "portalops_operator"\npassword = { env = "PORTALOPS_OPERATOR" }', 'user = "postgres"')
    )
    portal.sql("DROP SCHEMA portalops_observations CASCADE")

    assert [owner.run("ledger", "prepare") for _time in range(2)] == [0, 0]
    assert capsys.readouterr().out.count("the tables of observations were made in postgresql:") == 1
    assert owner.run("ledger", "prepare", "--print") == 0
    assert observations_script() in capsys.readouterr().out
