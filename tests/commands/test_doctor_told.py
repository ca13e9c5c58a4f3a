"""What the doctor says of whom people and monitors are told by, of watched ledgers, and of the schedule's standing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticLine, DiagnosticState, diagnose
from commands.doctor.diagnostics.schedule import standing
from commands.doctor.diagnostics.scheduled_user import credentials_seen
from commands.jobs.schedule_state import ScheduleSeen
from portalops.model.message import msg
from portalops.model.notifications import Level, Notification, NotificationState
from portalops.notify.monitors._state import MonitorDelivery as MonitorTold
from portalops.notify.monitors._state import MonitorFolder, MonitorState
from portalops.notify.state import LetterOutcome, NotifyFolder, WaitingLetter
from portalops.notify.state import NotifyState as Told
from portalops.schedule.plan import Demands, ServiceCredential
from portalops.schedule.standing import FileState, Flaw, InstalledFile, Way, file_flaws, way_flaws
from portalops.schedule.systemd import SystemdUnitState
from portalops.witness.rules import HeadRefusal
from portalops.witness.state import StandingRefusal, WitnessFolder
from portalops.witness.state import WitnessState as Watched
from tests.doubles import FixedClock

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
HEAD = """
[portal]
id = "kh"
name = { vi = "C" }
[state]
folder = "state"
"""
CHANNEL = """
[[notify.channel]]
id = "ops"
kind = "mail"
host = "127.0.0.1"
security = "none"
sender = "portal@example.vn"
recipients = ["truc@example.vn"]
"""
WATCHED = """
[[witness.ledger]]
id = "khanh-hoa"
kind = "folder"
"""


def seen(folder: Path, subject: str, text: str = "") -> tuple[Diagnosis, ...]:
    (folder / "portalops.toml").write_text(HEAD + text, encoding="utf-8")
    session = Session(Invocation((), config=folder / "portalops.toml"), {}, clock=FixedClock(NOW))
    return diagnose(session, only=[subject])


def said(found: tuple[Diagnosis, ...] | list[DiagnosticLine], state: DiagnosticState) -> str:
    return "\n".join(str(each.seen) for each in found if each.state is state)


# --- Notifications --------------------------------------------------------------------------------------


def told(
    folder: Path,
    state: NotificationState,
    *,
    at: datetime = NOW,
    waiting: bool = False,
    refused: tuple[str, ...] = (),
) -> None:
    notification = Notification(
        "a1", "ops", "mail", Level.SUMMARY, "S", "T", (), at, 1, state, refused=refused, answer="250 queued as 7F2A"
    )
    if state is NotificationState.REFUSED:
        notification = replace(notification, problem=msg("nobody answers at {server}", server="127.0.0.1"))
    letters = (WaitingLetter("a2", "ops", Level.FAILURE, "S", "T", (), at),) if waiting else ()
    known = Told(at, letters=letters, outcomes=(LetterOutcome(at, notification),))
    (folder / "state/notify").mkdir(parents=True, exist_ok=True)
    NotifyFolder(folder / "state").save(known)


def test_nobody_who_is_told_is_a_warning(tmp_path: Path) -> None:
    assert "nobody learns that a job failed" in said(seen(tmp_path, "notifications"), DiagnosticState.WARNING)


def test_a_channel_is_told_with_what_became_of_its_newest_letter(tmp_path: Path) -> None:
    fresh = seen(tmp_path, "notifications", CHANNEL)
    told(tmp_path, NotificationState.TAKEN)
    taken = seen(tmp_path, "notifications", CHANNEL)
    told(tmp_path, NotificationState.TAKEN, at=NOW - timedelta(days=9))
    silent = seen(tmp_path, "notifications", CHANNEL)
    told(tmp_path, NotificationState.REFUSED, waiting=True)
    failing = seen(tmp_path, "notifications", CHANNEL)

    assert "ops: no letter was sent yet" in said(fresh, DiagnosticState.NOTE)
    assert "250 queued as 7F2A" in said(taken, DiagnosticState.GOOD)
    assert "ops: no letter was taken since" in said(silent, DiagnosticState.WARNING)
    assert "was not taken: nobody answers at 127.0.0.1" in said(failing, DiagnosticState.WARNING)
    assert "ops: 1 letter waits" in said(failing, DiagnosticState.WARNING)


def test_a_letter_that_was_not_taken_for_everybody_is_not_good(tmp_path: Path) -> None:
    told(tmp_path, NotificationState.TAKEN, refused=("gone@example.vn",))

    found = seen(tmp_path, "notifications", CHANNEL)

    assert "channel ops refused a letter for gone@example.vn" in said(found, DiagnosticState.WARNING)
    assert said(found, DiagnosticState.GOOD) == ""


def test_a_channel_that_does_not_fit_is_bad_whatever_it_took_before(tmp_path: Path) -> None:
    told(tmp_path, NotificationState.TAKEN)

    found = seen(tmp_path, "notifications", CHANNEL.replace("recipients", "recipient"))

    assert DiagnosticState.BAD in {each.state for each in found} and not said(found, DiagnosticState.GOOD)


def test_channels_that_take_no_failures_are_a_warning(tmp_path: Path) -> None:
    found = seen(tmp_path, "notifications", CHANNEL + 'levels = ["summary"]\n')

    assert "no channel takes failures" in said(found, DiagnosticState.WARNING)


def test_a_state_of_letters_that_cannot_be_read_is_bad(tmp_path: Path) -> None:
    (tmp_path / "state/notify").mkdir(parents=True)
    (tmp_path / "state/notify/state.json").write_bytes(b"{")

    assert DiagnosticState.BAD in {each.state for each in seen(tmp_path, "notifications", CHANNEL)}


# --- Monitors -------------------------------------------------------------------------------------------

MONITOR = """
[[notify.monitor]]
id = "hc"
kind = "textfile"
file = "/var/lib/prometheus/node-exporter/portalops.prom"
"""


def test_nobody_who_notices_silence_is_a_warning(tmp_path: Path) -> None:
    assert "nobody learns that the jobs stopped" in said(seen(tmp_path, "monitors"), DiagnosticState.WARNING)


def test_a_witness_that_is_merely_configured_is_called_good_by_nothing(tmp_path: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWg2ydyYRNVLeNmez40L99K8Zq3BJfV51XOwDcy9B/h"
    anchor = f'[[ledger.anchor]]\nid = "so-tttt"\nkind = "witness"\nkey = "{key}"\n'

    (line,) = seen(tmp_path, "monitors", anchor)

    assert line.state is DiagnosticState.NOTE and "a witness is to watch" in str(line.seen)


@pytest.mark.parametrize(
    ("heard", "failed", "state", "words"),
    [
        (None, None, DiagnosticState.NOTE, "hc was not notified yet"),
        (NOW - timedelta(hours=1), None, DiagnosticState.GOOD, "hc was last notified"),
        (NOW - timedelta(days=3), None, DiagnosticState.WARNING, "hc: it took nothing since"),
        (NOW - timedelta(hours=1), NOW, DiagnosticState.WARNING, "hc could not be notified at"),
    ],
)
def test_a_monitor_is_told_with_what_it_took_last(
    tmp_path: Path, heard: datetime | None, failed: datetime | None, state: DiagnosticState, words: str
) -> None:
    (tmp_path / "state/notify").mkdir(parents=True)
    MonitorFolder(tmp_path / "state").save(MonitorState((MonitorTold("hc", heard, failed, msg("no room")),)))

    (line,) = seen(tmp_path, "monitors", MONITOR)

    assert line.state is state and words in str(line.seen)


def test_a_monitor_of_a_weekly_job_may_take_nothing_for_its_week(tmp_path: Path) -> None:
    (tmp_path / "state/notify").mkdir(parents=True)
    text = """
[[job]]
id = "weekly-report"
kind = "report"
every = "week"

[[notify.monitor]]
id = "hc"
kind = "healthchecks"
url = { env = "URL" }
jobs = ["weekly-report"]
"""
    folder = MonitorFolder(tmp_path / "state")
    for days, state in ((8, DiagnosticState.GOOD), (15, DiagnosticState.WARNING)):
        folder.save(MonitorState((MonitorTold("hc", NOW - timedelta(days=days)),)))
        (line,) = seen(tmp_path, "monitors", text)
        assert line.state is state


# --- Watched ledgers --------------------------------------------------------------------------------------


def test_a_watched_ledger_is_told_with_its_last_answer(tmp_path: Path) -> None:
    text = WATCHED + f'folder = "{tmp_path}"\nkeys = []\n'
    folder = WitnessFolder(tmp_path / "state/witness/khanh-hoa")
    never = seen(tmp_path, "witness", text)
    folder.save(Watched(NOW, looked_at=NOW, reached_at=NOW))
    good = seen(tmp_path, "witness", text)
    folder.save(Watched(NOW, looked_at=NOW, reached_at=NOW - timedelta(days=3)))
    away = seen(tmp_path, "witness", text)
    refusal = StandingRefusal(next(iter(HeadRefusal)), msg("another history"), msg("Ask."), NOW)
    folder.save(Watched(NOW, looked_at=NOW, reached_at=NOW, refused=refusal))
    refused = seen(tmp_path, "witness", text)

    assert "khanh-hoa was never polled" in said(never, DiagnosticState.WARNING)
    assert "khanh-hoa: it answered at" in said(good, DiagnosticState.GOOD)
    assert "khanh-hoa: it last answered at" in said(away, DiagnosticState.WARNING)
    assert "a head was refused at" in said(refused, DiagnosticState.BAD) and said(refused, DiagnosticState.GOOD) == ""


# --- The schedule -------------------------------------------------------------------------------------------


def looked(ways: tuple[Way, ...], files: tuple[InstalledFile, ...] = (), flaws: tuple[Flaw, ...] = ()) -> ScheduleSeen:
    timer = SystemdUnitState(
        "portalops.timer",
        is_loaded=True,
        load="loaded",
        active="active",
        sub="waiting",
        enabled="enabled",
        path="/etc/systemd/system/portalops.timer",
        drop_ins=(),
        is_stale=False,
        next_at=NOW + timedelta(minutes=5),
        last_at=NOW - timedelta(minutes=10),
        result="success",
        exit_code=None,
    )
    units = {timer.name: timer}
    every = (*file_flaws(files), *way_flaws(ways, is_needed=True, cron_runs=False), *flaws)
    return ScheduleSeen(ways, None, files, units if Way.SYSTEMD in ways else {}, "", (), every)


def test_nothing_installed_is_a_warning_and_a_dead_cron_is_bad() -> None:
    nothing = list(standing(looked(())))
    cron = list(standing(looked((Way.CRON,))))

    assert [each.state for each in nothing] == [DiagnosticState.WARNING]
    assert "no schedule is installed, so no job starts by itself" in said(nothing, DiagnosticState.WARNING)
    assert "no cron daemon is running" in said(cron, DiagnosticState.BAD)


def test_a_timer_that_elapses_again_is_good_with_its_moment() -> None:
    found = list(standing(looked((Way.SYSTEMD,))))

    assert "portalops.timer runs and elapses next at 2026-11-24 08:35" in said(found, DiagnosticState.GOOD).replace(
        "T", " "
    )


def test_a_dead_timer_is_bad_and_never_good_at_the_same_time() -> None:
    dead = Flaw("portalops.timer", msg("the timer is not running"), msg("Switch it on."))

    found = list(standing(looked((Way.SYSTEMD,), flaws=(dead,))))

    assert [each.state for each in found] == [DiagnosticState.BAD]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (FileState.EDITED, DiagnosticState.WARNING),
        (FileState.OUTDATED, DiagnosticState.WARNING),
        (FileState.ABSENT, DiagnosticState.WARNING),
        (FileState.FOREIGN, DiagnosticState.UNKNOWN),
        (FileState.CURRENT, DiagnosticState.GOOD),
    ],
)
def test_a_unit_file_is_told_as_it_is(state: FileState, expected: DiagnosticState) -> None:
    file = InstalledFile("portalops.service", "/etc/systemd/system/portalops.service", state)

    found = [each for each in standing(looked((Way.SYSTEMD,), (file,))) if each.about == "portalops.service"]

    assert [each.state for each in found] == [expected]


@pytest.mark.parametrize(
    ("ways", "is_there", "expected"),
    [
        ((Way.SYSTEMD,), True, DiagnosticState.GOOD),
        ((Way.SYSTEMD,), False, DiagnosticState.BAD),
        ((Way.CRON,), True, DiagnosticState.BAD),
        ((), True, DiagnosticState.WARNING),
    ],
)
def test_a_credential_is_only_good_where_units_load_one_that_is_there(
    tmp_path: Path, ways: tuple[Way, ...], is_there: bool, expected: DiagnosticState
) -> None:
    path = tmp_path / "s3-id"
    if is_there:
        path.write_text("x", encoding="utf-8")
        path.chmod(0o600)
    demands = Demands(
        "/usr/bin/portalops", "/c", "portalops", 15, 5, (), credentials=(ServiceCredential("s3-id", str(path)),)
    )

    (line,) = credentials_seen(replace(looked(ways), demands=demands))

    assert line.state is expected and line.about == "credential s3-id"


@pytest.mark.parametrize(("is_encrypted", "expected"), [(False, DiagnosticState.BAD), (True, DiagnosticState.GOOD)])
def test_a_credential_that_others_can_read_is_bad_unless_this_machine_alone_can_open_it(
    tmp_path: Path, is_encrypted: bool, expected: DiagnosticState
) -> None:
    path = tmp_path / "s3-id"
    path.write_text("x", encoding="utf-8")
    path.chmod(0o644)
    credential = ServiceCredential("s3-id", str(path), is_encrypted=is_encrypted)
    demands = Demands("/usr/bin/portalops", "/c", "portalops", 15, 5, (), credentials=(credential,))

    (line,) = credentials_seen(replace(looked((Way.SYSTEMD,)), demands=demands))

    assert line.state is expected
