"""What a worker does with one part, and what a job makes of its parts: all of it is decided by what the ledger holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.fan import Fan, fan_of
from commands.jobs.part_work import do_part
from portalops import bodies
from portalops.cluster.parts import JsonValue, PartRequest
from portalops.errors import ExitCode, LedgerError, Locked, UnknownKind, UsageError
from portalops.ledger.runs import Frame, Work, lock_name, record_framed
from portalops.model.checks import HostAsked
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.model.record import RunId
from portalops.model.runs import Every, Job, JobId, JobKind, RunSummary
from portalops.model.verdicts import RunOutcome
from tests.cluster.parts import SECRETS, Portal

SLOT = "2026-11-26"
JOB = Job(JobId("check"), JobKind.CHECK, Every.DAY)
RUN = RunId(f"check:check:{SLOT}:host-host-0")
WISH = PartRequest(RUN, "check", "check", "host-host-0")
NOTHING: Mapping[str, JsonValue] = {"spared": []}


class Hurrying:
    """The machine's clock, by which a wait of a minute is over within half a second."""

    def __init__(self, real: Session) -> None:
        self._real = real.clock

    def now(self) -> object:
        return self._real.now()

    def monotonic(self) -> float:
        return time.monotonic() * 120


@pytest.fixture
def sessions(portal: Portal) -> Iterator[tuple[Session, Session]]:
    """Two calls of portalops, as on two machines."""
    both = tuple(Session(Invocation(("worker",), portal.configuration), SECRETS) for _machine in range(2))
    yield both[0], both[1]
    for each in both:
        each.writable_ledger.close()


@pytest.fixture
def session(sessions: tuple[Session, Session]) -> Session:
    return sessions[0]


def summary(session: Session, run: str) -> RunSummary:
    (record,) = session.ledger.records(kinds=("check-part.finished",), run=RunId(run))
    found = bodies.decode_part(session.ledger.blob(record.body), "run", RunSummary)
    assert found is not None
    return found


def ended(portal: Portal) -> list[str]:
    return portal.runs("check-part.finished")


def test_a_part_asks_its_host_and_keeps_the_answer(session: Session, portal: Portal) -> None:
    do_part(session, WISH, "a part of w1")

    assert ended(portal) == [RUN] and portal.runs("check-part.started") == [RUN]
    (record,) = session.ledger.records(kinds=("check-part.finished",))
    asked = bodies.decode_part(session.ledger.blob(record.body), "check-part", HostAsked)
    assert record.subject == "host-host-0" and summary(session, RUN).outcome is RunOutcome.COMPLETE
    assert asked is not None and asked.answer is not None
    assert b"Debian GNU/Linux 13" in session.ledger.blob(asked.answer)
    assert asked.answer in bodies.evidence_of(session.ledger.blob(record.body)), "verified, exported and erased with it"


def test_a_part_that_is_done_is_not_done_again(sessions: tuple[Session, Session], portal: Portal) -> None:
    for session in (*sessions, *sessions):
        do_part(session, WISH, "a part")

    assert ended(portal) == [RUN]


def test_a_further_attempt_is_made_when_it_is_asked_for(sessions: tuple[Session, Session], portal: Portal) -> None:
    one, other = sessions
    do_part(one, WISH, "a part")
    again = PartRequest(RUN, "check", "check", "host-host-0", attempt=2)
    do_part(other, again, "a part")
    do_part(one, again, "a part")
    do_part(one, WISH, "a part")

    assert ended(portal) == [RUN, f"{RUN}.2"]


def test_a_part_that_was_begun_by_a_worker_that_died_is_done_as_a_further_attempt(
    session: Session, portal: Portal
) -> None:
    session.writable_ledger.append("check-part.started", run=RUN, subject="host-host-0", body=b"{}")

    do_part(session, WISH, "a part")

    assert ended(portal) == [f"{RUN}.2"]
    do_part(session, WISH, "a part")
    assert ended(portal) == [f"{RUN}.2"]


def test_a_part_that_another_worker_is_at_is_put_off(sessions: tuple[Session, Session], portal: Portal) -> None:
    one, other = sessions
    with one.locks.held(f"part-{RUN}", holder="a part of w1"), pytest.raises(Locked, match="a part of w1"):
        do_part(other, WISH, "a part of w2")
    assert portal.runs("check-part.started") == []


def test_a_host_that_another_job_asks_is_left_alone_meanwhile(
    sessions: tuple[Session, Session], portal: Portal
) -> None:
    one, other = sessions
    with one.locks.held(lock_name("host-host-0"), holder="another job"), pytest.raises(Locked, match="another job"):
        do_part(other, WISH, "a part of w2")
    assert portal.runs("check-part.started") == []
    do_part(other, WISH, "a part of w2")
    assert ended(portal) == [RUN]


def test_a_part_that_fails_is_recorded_as_failed_once(session: Session, portal: Portal) -> None:
    run = RunId(f"check:check:{SLOT}:host-gone")
    wish = PartRequest(run, "check", "check", "host-gone")
    with pytest.raises(UsageError):
        do_part(session, wish, "a part")
    do_part(session, wish, "a part")

    assert ended(portal) == [run]
    assert summary(session, run).outcome is RunOutcome.FAILED


@pytest.mark.parametrize("kind", ["--init--", "check.do", "../check", "_jobs", "os", ""])
def test_a_part_of_a_kind_that_has_none_leaves_no_trace(session: Session, portal: Portal, kind: str) -> None:
    run = RunId(f"{kind or 'x'}:check:{SLOT}:host-host-0")
    with pytest.raises(UnknownKind, match="have no parts"):
        do_part(session, PartRequest(run, kind, "check", "host-host-0"), "a part")
    assert portal.sql("SELECT count(*) FROM portalops.record WHERE kind LIKE '%part%'") == "0"


def test_a_host_that_does_not_answer_is_a_part_that_is_not_complete(session: Session, portal: Portal) -> None:
    text = portal.configuration.read_text(encoding="utf-8")
    portal.configuration.write_text(text.replace('address = "127.37.0.1"', 'address = "127.38.0.1"'), encoding="utf-8")

    do_part(session, WISH, "a part")

    assert summary(session, RUN).outcome is RunOutcome.INCOMPLETE
    assert "Connection refused" in str(summary(session, RUN).problems[0])


def record_part(
    session: Session,
    run: str,
    outcome: RunOutcome = RunOutcome.COMPLETE,
    answer: str = "a",
    *,
    part: str = "",
    host: str = "",
) -> None:
    """Record that somebody did a part; under another name, or of another host, where that is told."""
    suffix = run.rpartition(":")[2]
    name = part or (suffix[:-1] if suffix.endswith("_") else suffix.rpartition(".")[0] or suffix)
    kept = session.writable_ledger.keep(answer.encode())
    asked = HostAsked(HostId(host or name.removeprefix("host-")), session.clock.now(), (kept,))
    record_framed(
        session.writable_ledger,
        Frame(RunId(run), "check-part", name, "", is_alone=False),
        lambda: Work(outcome, ExitCode.OK, asked),
        clock=session.clock,
        circumstances=session.circumstances,
    )


def fan(session: Session) -> Fan:
    return fan_of(session, JOB, SLOT)


def out(session: Session, *parts: str) -> dict[str, HostAsked | Message]:
    def is_of(name: str, found: HostAsked) -> bool:
        return name == f"host-{found.host}"

    came = fan(session).run_parts(dict.fromkeys(parts, NOTHING), HostAsked, is_of=is_of)
    return dict(came)


@contextmanager
def wished(portal: Portal, do: Callable[[], object]) -> Iterator[None]:
    """Do something as soon as the job has put a wish into the queue."""

    def wait_and_do() -> None:
        portal.wait_until("SELECT count(*) FROM portalops_queue.pgqueuer", 1)
        do()

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(wait_and_do)
        yield
        doing.result()


def queued(portal: Portal) -> int:
    return int(portal.sql("SELECT count(*) FROM portalops_queue.pgqueuer"))


@pytest.fixture
def hurrying(session: Session) -> Session:
    session.clock = Hurrying(session)  # type: ignore[assignment]  # its times are the machine's
    return session


def test_parts_that_are_complete_in_the_slot_are_taken_as_they_are(session: Session, portal: Portal) -> None:
    for name in ("a", "b.2_"):
        record_part(session, f"check:check:{SLOT}:host-{name}")

    found = out(session, "host-a", "host-b.2")

    assert set(found) == {"host-a", "host-b.2"} and all(isinstance(each, HostAsked) for each in found.values())
    assert queued(portal) == 0


class At:
    """A machine whose clock stands."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment

    def monotonic(self) -> float:
        return time.monotonic()


def test_a_job_that_goes_on_past_midnight_still_sees_the_parts_of_its_slot(
    sessions: tuple[Session, Session], portal: Portal
) -> None:
    one, other = sessions
    today = one.clock.now().astimezone(one.zone_of_portal)
    record_part(other, f"check:check:{today.date()}:host-a")
    one.clock = At((today + timedelta(days=1)).replace(hour=0, minute=0, second=1))

    found = dict(
        fan_of(one, JOB, str(today.date())).run_parts({"host-a": NOTHING}, HostAsked, is_of=lambda _name, _found: True)
    )

    assert isinstance(found["host-a"], HostAsked) and queued(portal) == 0


def test_what_nobody_does_in_time_is_told_with_its_cause(hurrying: Session, portal: Portal) -> None:
    portal.configuration.write_text(
        portal.configuration.read_text(encoding="utf-8").replace("slots = 8", "slots = 8\nwait_minutes = 1"),
        encoding="utf-8",
    )
    record_part(hurrying, f"check:check:{SLOT}:host-a")

    found = out(hurrying, "host-a", "host-b")

    assert isinstance(found["host-a"], HostAsked)
    assert found["host-b"] == msg("no worker did it within {n} minutes", n=1)
    assert queued(portal) == 1, "a worker that comes late still does it, for the next attempt of the job"


def test_a_part_that_was_not_complete_is_asked_for_anew(sessions: tuple[Session, Session], portal: Portal) -> None:
    one, other = sessions
    run = f"check:check:{SLOT}:host-a"
    record_part(one, run, RunOutcome.INCOMPLETE)

    with wished(portal, lambda: record_part(other, f"{run}.2", answer="b")):
        found = out(one, "host-a")["host-a"]

    assert isinstance(found, HostAsked) and found.answer == sha256(b"b").hexdigest()


@pytest.mark.parametrize(("part", "host"), [("host-a", "b"), ("host-b", "a")])
def test_what_is_about_another_host_is_no_answer(
    sessions: tuple[Session, Session], portal: Portal, part: str, host: str
) -> None:
    one, other = sessions
    run = f"check:check:{SLOT}:host-a"
    record_part(one, run, part=part, host=host)

    with wished(portal, lambda: record_part(other, f"{run}.2", part=part, host=host)):
        found = out(one, "host-a")["host-a"]

    assert found == msg("what is recorded of it is about something else")


def test_a_part_that_failed_tells_why(sessions: tuple[Session, Session], portal: Portal) -> None:
    one, other = sessions

    def do() -> None:
        with pytest.raises(UsageError):
            do_part(other, PartRequest(f"check:check:{SLOT}:host-gone", "check", "check", "host-gone"), "a part")

    with wished(portal, do):
        found = out(one, "host-gone")["host-gone"]

    assert isinstance(found, Message) and "there is no host gone" in str(found)


def test_records_of_other_jobs_and_slots_are_passed_over(sessions: tuple[Session, Session], portal: Portal) -> None:
    one, other = sessions
    for run in ("check:check:2026-11-25:host-a", "check:other:2026-11-26:host-a", "check:check:2026-11-26:host-b"):
        record_part(other, run)

    with wished(portal, lambda: record_part(other, f"check:check:{SLOT}:host-a", answer="c")):
        found = out(one, "host-a")["host-a"]

    assert isinstance(found, HostAsked) and found.answer == sha256(b"c").hexdigest()


def test_a_job_that_waits_takes_its_lock_anew_when_the_connection_broke(
    sessions: tuple[Session, Session], portal: Portal
) -> None:
    one, other = sessions
    record_part(one, f"check:check:{SLOT}:host-a")
    with one.locks.held("job-check", holder="run 1"):
        of_locks = f"FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND datname = '{portal.database}'"
        portal.sql(f"SELECT pg_terminate_backend(pid) {of_locks}")
        portal.wait_until(f"SELECT (count(*) = 0)::int {of_locks}", 1)
        assert not other.locks.is_held_by("job-check", "run 1")

        out(one, "host-a")

        assert other.locks.is_held_by("job-check", "run 1")
        with pytest.raises(Locked, match="run 1"), other.locks.held("job-check", holder="run 2"):
            pass


def test_a_queue_that_was_not_made_is_told_by_the_job(session: Session, portal: Portal) -> None:
    portal.sql("DROP SCHEMA portalops_queue CASCADE")
    with pytest.raises(LedgerError, match="has no queue for the cluster"):
        out(session, "host-a")
