"""What the doctor sees of this machine: files and who can change them, secrets, locks, clock, versions, and what does not answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time as real_time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.probe import Output
from checks.servers.probes import chrony
from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.doctor.diagnosis import Diagnosis, DiagnosticLine, DiagnosticState, bounded, diagnose, good, subjects
from commands.doctor.diagnostics.time import chrony_seen, machine_zone
from commands.doctor.diagnostics.versions import system_seen
from portalops import bodies
from portalops.errors import ExitCode, UsageError
from portalops.ledger.ledger import Ledger
from portalops.model.heads import AnchorId, AnchorReceipt, AnchorResult
from portalops.model.message import msg
from portalops.model.record import Digest, RunId
from portalops.model.runs import Plan
from portalops.registers.mailings import STARTED_MAIL
from tests.accounts import NOBODY, as_ordinary_user
from tests.doubles import FixedClock

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def portal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    arguments = ["init", "--no-input", "--json", "--portal-id", "kh", "--name-vi", "C", "--medium", "disk"]
    assert run([*arguments, "--folder", str(tmp_path)], os.environ) == ExitCode.OK
    capsys.readouterr()
    return tmp_path / "portalops.toml"


def session_of(config: Path, *, at: datetime = NOW, environment: dict[str, str] | None = None) -> Session:
    return Session(Invocation((), config=config), {"LANG": "C.UTF-8", **(environment or {})}, clock=FixedClock(at))


def seen(
    config: Path, subject: str, *, at: datetime = NOW, environment: dict[str, str] | None = None
) -> tuple[Diagnosis, ...]:
    return diagnose(session_of(config, at=at, environment=environment), only=[subject])


def said(found: tuple[Diagnosis, ...], state: DiagnosticState) -> str:
    return "\n".join(str(each.seen) for each in found if each.state is state)


def add(config: Path, text: str) -> None:
    config.write_text(config.read_text(encoding="utf-8") + text, encoding="utf-8")


def a_ledger(config: Path, at: datetime = NOW) -> Ledger:
    return Ledger.open(config.parent / "state", FixedClock(at), create=True)


# --- How it looks -----------------------------------------------------------------------------------


def test_what_is_no_fault_and_no_guess_has_no_cure_and_everything_else_has_one(portal: Path) -> None:
    for each in diagnose(session_of(portal)):
        assert (each.cure is not None) or each.state in {DiagnosticState.GOOD, DiagnosticState.NOTE}, each


def test_each_line_names_its_object_for_programs(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--json", "--config", str(portal), "doctor", "--only", "media", "--only", "keys"], os.environ)

    found = json.loads(capsys.readouterr().out)["data"]
    assert {"media/disk-a", "keys", "keys/escrow", "keys/operator"} <= {each["id"] for each in found}
    assert {each["subject"] for each in found} == {"keys", "media"}
    assert next(each["object"] for each in found if each["id"] == "keys") is None


def test_a_subject_that_there_is_not_is_wrong_usage(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--config", str(portal), "doctor", "--only", "medium"], os.environ) == ExitCode.USAGE

    assert "Did you mean media?" in capsys.readouterr().err
    with pytest.raises(UsageError):
        diagnose(session_of(portal), only=["xyz"])


def test_the_worst_stands_first_for_people(portal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--config", str(portal), "--lang", "en", "doctor", "--only", "media", "--only", "keys"], os.environ)

    lines = capsys.readouterr().out.splitlines()
    states = [line.split()[1] for line in lines if line.startswith(("media", "keys"))]
    assert states == sorted(states, key=["bad", "unknown", "warning", "note", "good"].index)


def test_what_does_not_answer_is_unknown_and_stops_nothing_else(portal: Path) -> None:
    key = portal.parent / "keys/operator.age.pub"
    key.unlink()
    os.mkfifo(key)  # whoever opens it waits for somebody who never writes
    begun = real_time.monotonic()

    found = diagnose(session_of(portal), only=["keys", "state-folder"], seconds=0.1)

    assert real_time.monotonic() - begun < 10
    assert "there was no answer within" in said(
        tuple(each for each in found if each.subject == "keys"), DiagnosticState.UNKNOWN
    )
    assert [each.state for each in found if each.subject == "state-folder"] == [DiagnosticState.GOOD]


@pytest.mark.heavy
def test_a_configuration_that_does_not_answer_leaves_the_rest_unknown_within_a_bounded_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "portalops.toml")
    ask = (
        "import sys; from pathlib import Path; from commands.doctor.diagnosis import diagnose;"
        " from commands.cli.session import Session; from commands.cli.invocation import Invocation;"
        " found = diagnose(Session(Invocation((), config=Path(sys.argv[1])), {}), seconds=0.05);"
        " print(*[f'{each.subject}={each.state.name}' for each in found])"
    )

    done = subprocess.run(  # it ends, though its threads wait for ever
        [sys.executable, "-c", ask, str(tmp_path / "portalops.toml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        timeout=60,
    )

    states = dict(each.split("=") for each in done.stdout.split())
    assert (states["configuration"], states["ledger"]) == ("UNKNOWN", "UNKNOWN"), done.stderr
    assert states["programs"] in {"GOOD", "NOTE"}


def test_a_fault_of_ours_is_unknown_and_keeps_what_was_seen_before() -> None:
    def look() -> Iterator[DiagnosticLine]:
        yield good("a", msg("seen"))
        raise KeyError("b")

    found = list(bounded(look, seconds=5, about="a"))

    assert [each.state for each in found] == [DiagnosticState.GOOD, DiagnosticState.UNKNOWN]
    assert str(found[1].seen) == "a fault in portalops itself: KeyError"


def test_every_subject_is_told_in_the_documentation() -> None:
    for name in ("docs/doctor.md", "docs/doctor.vi.md"):
        text = (REPOSITORY / name).read_text(encoding="utf-8")
        assert [subject for subject in subjects() if f"| `{subject}` |" not in text] == []


# --- Configuration ------------------------------------------------------------------------------------


def test_a_folder_above_the_configuration_that_others_write_is_a_warning(tmp_path: Path, portal: Path) -> None:
    tmp_path.chmod(0o777)

    found = seen(portal, "configuration")

    assert f"{tmp_path} can be changed by others: mode 0777" in said(found, DiagnosticState.WARNING)
    tmp_path.chmod(0o1777)  # as /tmp is: nobody replaces what is another's
    assert said(seen(portal, "configuration"), DiagnosticState.WARNING) == ""


def test_a_table_that_does_not_fit_is_bad_and_the_others_are_counted(portal: Path) -> None:
    before = said(seen(portal, "configuration"), DiagnosticState.GOOD)
    add(portal, '\n[[ledger.anchor]]\nid = "x"\nkind = "carrier-pigeon"\n')

    found = seen(portal, "configuration")

    assert "tables of kinds fit" in before
    assert "is of an unknown kind: carrier-pigeon" in said(found, DiagnosticState.BAD)


def test_a_configuration_that_was_changed_since_the_newest_plan_is_told(portal: Path) -> None:
    assert said(seen(portal, "configuration"), DiagnosticState.NOTE) == ""
    ledger, settings = a_ledger(portal), session_of(portal).settings
    assert "holds no plan yet" in said(seen(portal, "configuration"), DiagnosticState.NOTE)
    plan = Plan(settings.jobs, "kh-37-2010@1", settings.digest, settings.portal.timezone)
    ledger.append("plan", run=RunId(""), body=bodies.write({"plan": plan}))

    same = seen(portal, "configuration")
    add(portal, "\n[rulebook]\nbackup_max_age_days = 3\n")
    changed = seen(portal, "configuration")

    assert "was made with this configuration" in said(same, DiagnosticState.GOOD)
    assert "was changed since the newest plan" in said(changed, DiagnosticState.NOTE)


# --- Secrets ------------------------------------------------------------------------------------------

STORE = """
[[ledger.anchor]]
id = "s3"
kind = "s3"
endpoint = "http://127.0.0.1:1"
bucket = "heads"
retain_days = 1
access_key = {key}
secret_key = {{ file = "s3.secret" }}
"""


def test_a_secret_that_can_be_had_is_good_and_is_never_shown(portal: Path) -> None:
    add(portal, STORE.format(key='{ file = "s3.id" }'))
    for name in ("s3.id", "s3.secret"):
        (portal.parent / name).write_text("Xuân-2026!", encoding="utf-8")
        (portal.parent / name).chmod(0o600)

    found = seen(portal, "secrets")

    assert [each.state for each in found] == [DiagnosticState.GOOD, DiagnosticState.GOOD]
    assert "s3.access_key: " in said(found, DiagnosticState.GOOD)
    assert "Xuân" not in str(found)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "cannot read the secret"),
        (lambda path: path.chmod(0o640), "mode 0640"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not text"),
        (lambda path: path.write_bytes(b"x" * 70_000), "too large for a secret"),
    ],
)
def test_a_secret_that_cannot_be_had_is_bad(portal: Path, damage: Callable[[Path], object], words: str) -> None:
    add(portal, STORE.format(key='{ file = "s3.secret" }'))
    secret = portal.parent / "s3.secret"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o600)
    damage(secret)

    found = seen(portal, "secrets")

    assert words in said(found, DiagnosticState.BAD) and "s3.secret_key: " in said(found, DiagnosticState.BAD)


def test_a_variable_of_this_shell_is_a_warning_and_one_that_is_not_set_is_bad(portal: Path) -> None:
    add(portal, STORE.format(key='{ env = "S3_ID" }'))

    here = seen(portal, "secrets", environment={"S3_ID": "x"})
    absent = seen(portal, "secrets")

    assert "what a timer starts has other variables" in said(here, DiagnosticState.WARNING)
    assert "the environment variable S3_ID, which holds a secret, is not set" in said(absent, DiagnosticState.BAD)


@pytest.mark.parametrize(
    ("offset", "leap", "source", "expected"),
    [
        ("-0.000012", "Normal", "other", DiagnosticState.GOOD),
        ("-18000.000012", "Normal", "other", DiagnosticState.BAD),
        ("-0.000012", "Not synchronised", "other", DiagnosticState.BAD),
        ("-0.000012", "Normal", "own", DiagnosticState.BAD),
        ("-0.000012", "Normal", "clock", DiagnosticState.UNKNOWN),
    ],
)
def test_a_clock_that_chrony_follows_from_far_away_is_not_called_kept(
    offset: str, leap: str, source: str, expected: DiagnosticState
) -> None:
    line = f"A29FC87B,162.159.200.123,4,1795571234.120651,{offset},0.000034,0.000045,-12.345,0.001,0.05,0.012,0.001,64.2,{leap}"

    assert chrony_seen(chrony.parse(Output(0, f"{line}\nsource {source}\nend\n", "")), NOW).state is expected


def test_a_credential_is_only_had_from_a_unit(portal: Path) -> None:
    add(portal, STORE.format(key='{ credential = "s3-id" }'))
    (portal.parent / "s3-id").write_text("x", encoding="utf-8")

    shell = seen(portal, "secrets")
    unit = seen(portal, "secrets", environment={"CREDENTIALS_DIRECTORY": str(portal.parent)})

    assert "access_key" not in str(shell)
    assert "s3.access_key: the credential is loaded" in said(unit, DiagnosticState.GOOD)


# --- The account that timers use ------------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def scheduled(folder: Path, user: str) -> Path:
    (folder / "portalops.toml").write_text(
        f"""
[portal]
id = "kh"
name = {{ vi = "C" }}
[state]
folder = "state"
[schedule]
user = "{user}"
[signing]
key = "signing"
""",
        encoding="utf-8",
    )
    (folder / "signing").write_text("key", encoding="utf-8")
    (folder / "signing").chmod(0o600)
    (folder / "state").mkdir(exist_ok=True)
    return folder / "portalops.toml"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask for another account")
def test_what_root_can_read_and_the_scheduled_account_cannot_is_bad(open_folder: Path) -> None:
    config = scheduled(open_folder, "nobody")

    before = said(seen(config, "scheduled-user"), DiagnosticState.BAD)
    for path in (open_folder / "state", open_folder / "signing"):
        os.chown(path, NOBODY, NOBODY)
    after = seen(config, "scheduled-user")

    assert "the account nobody cannot read the signing key" in before
    assert "the account nobody cannot write the state folder" in before
    assert said(after, DiagnosticState.BAD) == "" and "nobody can read and write all that it needs" in said(
        after, DiagnosticState.GOOD
    )


def test_an_account_that_there_is_not_is_told_before_anything_is_installed(open_folder: Path) -> None:
    found = seen(scheduled(open_folder, "no-such-account"), "scheduled-user")

    assert [each.state for each in found] == [DiagnosticState.NOTE]
    assert "there is no account no-such-account" in str(found[0].seen)


def test_the_account_itself_asks_for_itself(open_folder: Path) -> None:
    name = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()

    assert [each.state for each in seen(scheduled(open_folder, name), "scheduled-user")] == [DiagnosticState.GOOD]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_what_another_account_can_do_is_unknown_to_who_is_not_root(open_folder: Path) -> None:
    config = scheduled(open_folder, "root")
    ask = (
        "import os, sys, pathlib; from commands.doctor.diagnosis import diagnose; from commands.cli.session import Session;"
        " from commands.cli.invocation import Invocation;"
        f" s = Session(Invocation((), config=pathlib.Path({str(config)!r})), {{}}); diagnose(s, only=['scheduled-user']);"
        f" os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY});"
        " print(*[each.state.name for each in diagnose(s, only=['scheduled-user'])])"
    )

    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False, cwd=REPOSITORY)

    assert done.stdout.split() == ["UNKNOWN"], done.stderr


# --- Locks --------------------------------------------------------------------------------------------

HOLD = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
pid = os.getpid() if sys.argv[3] == "alive" else 999_999_999
file.write(f"process {pid} since {sys.argv[2]}")
file.flush()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("since", "life", "state", "words"),
    [
        ("2026-11-24T08:00:00+00:00", "alive", DiagnosticState.NOTE, "is held by process"),
        ("2026-11-20T08:00:00+00:00", "alive", DiagnosticState.WARNING, "is held by process"),
        ("2026-11-24T08:00:00+00:00", "dead", DiagnosticState.WARNING, "left running"),
    ],
)
def test_a_lock_is_named_with_its_holder(
    portal: Path, since: str, life: str, state: DiagnosticState, words: str
) -> None:
    locks = portal.parent / "state/locks"
    locks.mkdir(parents=True)
    assert said(seen(portal, "locks"), DiagnosticState.GOOD) == "no lock is held"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(locks / "media.lock"), since, life],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        found = seen(portal, "locks")

    assert [(each.about, each.state) for each in found] == [("media", state)]
    assert words in str(found[0].seen)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_a_lock_that_may_not_be_looked_at_is_not_called_free(open_folder: Path) -> None:
    session = session_of(scheduled(open_folder, "root"))
    lock = open_folder / "state/locks/media.lock"
    lock.parent.mkdir()
    lock.touch(mode=0o600)
    before = diagnose(session, only=["locks"])

    with as_ordinary_user():
        found = diagnose(session, only=["locks"])

    assert [each.state for each in before] == [DiagnosticState.GOOD]
    assert [(each.state, str(each.seen)) for each in found] == [
        (DiagnosticState.UNKNOWN, "cannot be examined: Permission denied")
    ]


# --- Clock, calendar, versions --------------------------------------------------------------------------


def test_a_clock_behind_what_another_clock_stamped_is_bad(portal: Path) -> None:
    ledger = a_ledger(portal)
    receipt = AnchorReceipt(AnchorId("tsa"), "rfc3161", 1, Digest("0" * 64), NOW + timedelta(hours=3))
    result = AnchorResult(1, Digest("0" * 64), (receipt,))
    ledger.append("anchor.finished", run=RunId("anchor:1"), body=bodies.write({"anchor": result}))

    early = seen(portal, "time")
    right = seen(portal, "time", at=NOW + timedelta(hours=4))

    assert "the clock is behind the newest receipt of tsa" in said(early, DiagnosticState.BAD)
    assert "the clock is not behind the newest receipt of tsa" in said(right, DiagnosticState.GOOD)


@pytest.mark.parametrize(
    ("variable", "state", "words"),
    [
        ("Asia/Ho_Chi_Minh", DiagnosticState.GOOD, "as on this machine"),
        ("Asia/Bangkok", DiagnosticState.GOOD, "as on this machine"),
        ("UTC", DiagnosticState.NOTE, "the machine's own time zone is UTC"),
        ("No/Such", DiagnosticState.UNKNOWN, "could not be found out"),
    ],
)
def test_the_machines_time_zone_is_held_against_the_portals(
    portal: Path, variable: str, state: DiagnosticState, words: str
) -> None:
    found = seen(portal, "time", environment={"TZ": variable})

    assert words in str(next(each.seen for each in found if each.about == "zone" and each.state is state))


def test_the_machines_time_zone_is_read_from_the_link_that_the_c_library_reads(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    assert machine_zone("", link) == ZoneInfo("UTC")
    (tmp_path / "zoneinfo/Asia").mkdir(parents=True)
    link.symlink_to(tmp_path / "zoneinfo/Asia/Ho_Chi_Minh")
    (tmp_path / "zoneinfo/Asia/Ho_Chi_Minh").touch()

    assert machine_zone("", link) == ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("at", "state", "words"),
    [
        (datetime(2026, 9, 30, tzinfo=UTC), DiagnosticState.GOOD, "holds the days off until 2026-12-31"),
        (datetime(2026, 10, 1, tzinfo=UTC), DiagnosticState.WARNING, "has no official notice of 2027"),
        (datetime(2027, 1, 2, tzinfo=UTC), DiagnosticState.WARNING, "has no official notice of 2027"),
    ],
)
def test_the_notice_of_the_next_year_is_asked_for_from_october_on(
    portal: Path, at: datetime, state: DiagnosticState, words: str
) -> None:
    found = next(each for each in seen(portal, "rulebook", at=at) if each.about == "calendar")

    assert found.state is state and words in str(found.seen)
    assert state is DiagnosticState.GOOD or "portalops calendar confirm 2027" in str(found.cure)


@pytest.mark.parametrize(
    ("maker", "release", "state"),
    [
        ("debian", "13", DiagnosticState.GOOD),
        ("debian", "12", DiagnosticState.WARNING),
        ("ubuntu", "24.04", DiagnosticState.GOOD),
        ("ubuntu", "25.10", DiagnosticState.WARNING),
        ("almalinux", "9.6", DiagnosticState.GOOD),
        ("debian", "", DiagnosticState.UNKNOWN),
        ("haiku", "1", DiagnosticState.UNKNOWN),
    ],
)
def test_a_system_without_security_updates_is_told(maker: str, release: str, state: DiagnosticState) -> None:
    assert system_seen(maker, release, f"{maker} {release}", date(2026, 11, 24)).state is state


def test_longer_support_counts_where_it_is_declared_and_an_old_table_says_nothing_good() -> None:
    assert system_seen("debian", "12", "Debian 12", date(2026, 11, 24), support="lts").state is DiagnosticState.GOOD
    assert system_seen("debian", "13", "Debian 13", date(2028, 6, 1)).state is DiagnosticState.UNKNOWN
    assert system_seen("ubuntu", "22.04", "Ubuntu 22.04", date(2027, 1, 2)).state is DiagnosticState.WARNING


# --- Jobs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "state"),
    [
        (timedelta(hours=30), DiagnosticState.GOOD),
        (timedelta(days=12), DiagnosticState.BAD),
        (None, DiagnosticState.NOTE),
    ],
)
def test_silence_that_is_longer_than_the_jobs_allow_is_bad(
    portal: Path, after: timedelta | None, state: DiagnosticState
) -> None:
    ledger = a_ledger(portal)
    if after is not None:
        ledger.append("backup.started", run=RunId("backup:1"), subject="daily-backup", body=b"{}")

    found = seen(portal, "schedule", at=NOW + (after or timedelta(days=12)))

    last = next(each for each in found if each.about == "last-run")
    assert last.state is state
    assert state is not DiagnosticState.BAD or "nothing has run for 12 days" in str(last.seen)


def test_a_machine_that_only_does_parts_of_jobs_is_looked_at_like_any_other(portal: Path) -> None:
    text = portal.read_text(encoding="utf-8")
    portal.write_text(re.sub(r"(?m)^\[\[job\]\]\n(?:[a-z].*\n)*", "", text), encoding="utf-8")
    assert "no job is configured" in said(seen(portal, "schedule"), DiagnosticState.NOTE)

    add(portal, "\n[cluster]\n")

    found = seen(portal, "schedule")
    assert found
    assert not any("no job is configured" in str(each.seen) for each in found)


def test_a_mail_that_cannot_be_read_is_not_passed_over(portal: Path) -> None:
    add(
        portal,
        """
[report.mail]
host = "smtp.example.vn"
sender = "portal@example.vn"
recipients = ["lanh-dao@example.vn"]
""",
    )
    ledger = a_ledger(portal)
    ledger.append(STARTED_MAIL, run=RunId("mail:1"), body=b'{"mailing": 7}')

    found = seen(portal, "reports")

    assert "record 2 of a mailed report cannot be read" in said(found, DiagnosticState.BAD)
    assert "no mail with a report to lanh-dao@example.vn is recorded" in said(found, DiagnosticState.NOTE)


def test_a_run_that_was_cut_off_is_a_warning(portal: Path) -> None:
    a_ledger(portal).append("backup.started", run=RunId("backup:1"), subject="daily-backup", body=b"{}")

    found = seen(portal, "ledger")

    assert "the run backup:1 began at" in said(found, DiagnosticState.WARNING)
