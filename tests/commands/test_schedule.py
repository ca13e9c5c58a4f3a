"""`portalops schedule` puts files in place and takes them away wholly or not at all, and touches nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.due import plan_now
from commands.jobs.schedule_change import Installer, require_ready
from commands.jobs.schedule_state import Places, ScheduleSeen, inspect_schedule, installed_program
from commands.schedule.watch import line_of, read_turn
from portalops.errors import ExitCode, ScheduleRefused
from portalops.ports import Completed
from portalops.schedule.crontab import cron_file
from portalops.schedule.marks import FileOwner, origin_of
from portalops.schedule.plan import ServiceCredential
from portalops.schedule.units import unit_files
from portalops.system.children import ChildEnd
from portalops.system.programs import LocalRunner
from tests.accounts import NOBODY
from tests.doubles import FixedClock
from tests.schedule.plans import SMALL
from tests.shapes import validate

pytestmark = pytest.mark.skipif(shutil.which("systemctl") is None, reason="this machine has no systemctl")

NOW = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
PORTAL = """
portal = { id = "kh", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
schedule = { program = "/usr/local/bin/portalops" }
"""
JOBS = """
[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
[[job]]
id = "daily-verify"
kind = "verify"
every = "day"
"""
VERIFY = '[[job]]\nid = "daily-verify"\nkind = "verify"\nevery = "day"\n'


class Image:
    """The root folder of an image, with the configuration of what shall run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.units = self.root / "etc/systemd/system"
        self.cron = self.root / "etc/cron.d/portalops"
        self.config = self.root / "etc/portalops/portalops.toml"
        self.config.parent.mkdir(parents=True)
        self._capsys = capsys
        self.configure(JOBS)

    def configure(self, tables: str, portal: str = PORTAL) -> None:
        """Write the configuration; its state folder is one that every service may see."""
        text = f'state = {{ folder = "/var/lib/portalops" }}\n{portal}{tables}'
        self.config.write_text(text, encoding="utf-8")

    def call(self, *arguments: str, at: Sequence[str] = ("--root",)) -> tuple[int, str, str]:
        """Run `portalops schedule`; return the exit code and both outputs."""
        root = (*at, str(self.root)) if at else ()
        called = ["--config", str(self.config), "--lang", "en", "schedule", *arguments, *root]
        code = run(called, {"LANG": "C.UTF-8", "PATH": os.environ["PATH"]})
        out, err = self._capsys.readouterr()
        return code, out, err

    def tree(self) -> Mapping[str, bytes]:
        """Return every file with its bytes, every link with where it leads."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            if path.is_symlink():
                found[str(path)] = os.fsencode(os.readlink(path))
            elif path.is_file() and path != self.config:
                found[str(path)] = path.read_bytes()
        return found


@pytest.fixture
def image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Image:
    return Image(tmp_path, capsys)


def test_units_are_put_in_place_and_switched_on(image: Image) -> None:
    code, out, _err = image.call("install", "--systemd")

    assert code == ExitCode.OK, out
    assert {path.name for path in image.units.iterdir() if path.is_file()} == {
        "portalops.service", "portalops.timer", "portalops-media.service", "portalops-media.timer", "portalops-failed@.service",
    }  # fmt: skip
    wanted = image.units / "timers.target.wants"
    assert {path.name for path in wanted.iterdir()} == {"portalops.timer", "portalops-media.timer"}
    assert all(origin_of(path.read_bytes()) is FileOwner.OWN for path in image.units.iterdir() if path.is_file())


def test_folders_beside_the_configuration_of_an_image_are_named_as_they_are_in_there(image: Image) -> None:
    text = image.config.read_text().replace("/var/lib/portalops", "state")
    image.config.write_text(f'{text}\n[report]\nfolder = "reports"\n')

    code, _out, err = image.call("install", "--systemd")

    assert code == ExitCode.OK, err
    unit = (image.units / "portalops.service").read_text()
    assert "\nReadWritePaths=/etc/portalops/state\nReadWritePaths=-/etc/portalops/reports\n" in unit
    assert str(image.root) not in unit


def test_a_second_call_changes_nothing_and_says_so(image: Image) -> None:
    image.call("install")
    before = {path: path.lstat().st_mtime_ns for path in image.units.rglob("*")}

    code, out, _err = image.call("install")

    assert code == ExitCode.OK and "nothing was changed" in out
    assert {path: path.lstat().st_mtime_ns for path in image.units.rglob("*")} == before


def test_a_timer_that_was_switched_off_is_switched_on_again(image: Image) -> None:
    image.call("install")
    (image.units / "timers.target.wants/portalops.timer").unlink()

    _code, out, _err = image.call("install")

    assert "nothing was changed" not in out
    assert (image.units / "timers.target.wants/portalops.timer").is_symlink()


def test_uninstalling_leaves_everything_as_it_was(image: Image) -> None:
    (image.units / "timers.target.wants").mkdir(parents=True)
    (image.units / "other.service").write_text("[Service]\nExecStart=/bin/true\n")
    image.cron.parent.mkdir(parents=True)
    before = image.tree()
    image.call("install")

    code, out, _err = image.call("uninstall")

    assert code == ExitCode.OK and "removed" in out
    assert image.tree() == before
    assert image.call("uninstall")[:1] == (ExitCode.OK,)


def test_what_is_installed_goes_away_without_a_configuration_too(image: Image) -> None:
    image.call("install")
    image.config.unlink()

    code, out, _err = image.call("uninstall")

    assert code == ExitCode.OK and "removed" in out
    assert not list(image.units.glob("portalops*"))


@pytest.mark.parametrize(("text", "said"), [(b"# mine\n", "was edited by hand"), (None, "was not made by portalops")])
def test_a_file_of_somebody_else_is_never_overwritten_unasked(image: Image, text: bytes | None, said: str) -> None:
    image.call("install")
    timer = image.units / "portalops.timer"
    timer.write_bytes(timer.read_bytes() + text if text else b"[Timer]\nOnCalendar=hourly\n")
    before = image.tree()

    code, _out, err = image.call("install")

    assert code == ExitCode.FAILED and said in err and "portalops.timer" in err
    assert image.tree() == before
    code, out, _err = image.call("install", "--dry-run")
    assert code == ExitCode.UNMET and "refused" in out and "+++ " in out
    assert image.tree() == before
    assert image.call("install", "--force")[0] == ExitCode.OK
    assert origin_of(timer.read_bytes()) is FileOwner.OWN


def test_what_was_not_done_is_not_called_done(image: Image) -> None:
    assert "to be written" in image.call("install", "--dry-run")[1]
    image.call("install")
    before = image.tree()

    code, out, _err = image.call("uninstall", "--dry-run")

    assert code == ExitCode.OK and "to be removed" in out and image.tree() == before


def test_uninstalling_leaves_edited_files_and_drop_ins_and_names_them(image: Image) -> None:
    image.call("install")
    service, drop_in = image.units / "portalops.service", image.units / "portalops-media.service.d/local.conf"
    service.write_bytes(service.read_bytes() + b"# mine\n")
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nNice=19\n")

    code, _out, err = image.call("uninstall")

    assert code == ExitCode.PARTIAL
    assert str(service) in err and str(drop_in) in err
    assert [path.name for path in image.units.iterdir() if path.is_file()] == ["portalops.service"]
    assert drop_in.is_file()


def test_a_masked_unit_stays_masked_even_if_all_is_to_be_overwritten(image: Image) -> None:
    image.units.mkdir(parents=True)
    (image.units / "portalops.timer").symlink_to("/dev/null")

    code, _out, err = image.call("install", "--force")

    assert code == ExitCode.FAILED and "masked" in err
    assert os.readlink(image.units / "portalops.timer") == "/dev/null"


def test_what_the_configuration_needs_no_longer_is_taken_away(image: Image) -> None:
    image.call("install")
    image.configure(JOBS.replace(VERIFY, ""))

    code, out, _err = image.call("install")

    assert code == ExitCode.OK and "removed" in out
    assert not list(image.units.glob("portalops-media*"))
    assert not (image.units / "timers.target.wants/portalops-media.timer").is_symlink()
    assert b"run --due\n" in (image.units / "portalops.service").read_bytes()


def test_nothing_is_half_installed_when_a_timer_cannot_be_switched_on(image: Image) -> None:
    image.units.mkdir(parents=True)
    (image.units / "timers.target.wants").write_text("a file where the folder of links should be")
    image.cron.parent.mkdir(parents=True)
    before = image.tree()

    code, _out, err = image.call("install")

    assert code == ExitCode.FAILED and "systemctl" in err
    assert image.tree() == before


def test_cron_gets_one_file_and_never_beside_systemd(image: Image) -> None:
    assert image.call("install", "--cron")[0] == ExitCode.OK
    before = image.tree()

    code, _out, err = image.call("install", "--systemd")

    assert code == ExitCode.FAILED and "would both start the jobs" in err
    assert image.tree() == before
    assert image.call("uninstall")[0] == ExitCode.OK and not image.cron.exists()
    image.call("install", "--systemd")
    assert image.call("install", "--cron")[0] == ExitCode.FAILED
    assert not image.cron.exists()


def test_a_cron_file_made_by_hand_is_in_the_way_of_both(image: Image) -> None:
    image.cron.parent.mkdir(parents=True)
    image.cron.write_text("17 * * * *  root  /usr/local/bin/portalops --quiet run\n")

    for way in ("--systemd", "--cron"):
        assert image.call("install", way)[0] == ExitCode.FAILED


def test_files_can_be_printed_without_any_right(image: Image) -> None:
    code, out, _err = image.call("install", "--print", at=())
    assert code == ExitCode.OK and "# /etc/systemd/system/portalops.timer\n" in out

    code, out, _err = image.call("install", "--cron", "--print", at=())

    assert code == ExitCode.OK and origin_of(out.encode()) is FileOwner.OWN
    assert image.tree() == {}


def test_two_ways_at_once_and_a_root_that_is_none_are_wrong_usage(image: Image) -> None:
    assert image.call("install", "--systemd", "--cron")[0] == ExitCode.USAGE
    assert image.call("install", at=("--root", "/no/such"))[0] == ExitCode.USAGE


def test_a_place_that_takes_no_files_is_told(image: Image) -> None:
    (image.root / "etc/systemd").write_text("")

    code, _out, err = image.call("install")

    assert code == ExitCode.FAILED and "cannot write" in err


def test_nothing_planned_is_told(image: Image) -> None:
    image.configure("")

    code, _out, err = image.call("install")

    assert code == ExitCode.FAILED and "plans no job" in err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("every_minutes = 0", "never start a job"),
        ("every_minutes = 7", "skip hours"),
        ("every_minutes = 90", "skip hours"),
        ("every_minutes = -15", "never start a job"),
        ('user = "portal ops"', "is not the name of an account"),
        ('user = "root\\nUser=x"', "is not the name of an account"),
        ("random_delay_minutes = 120", "random_delay_minutes"),
    ],
)
def test_a_schedule_that_can_never_fire_is_refused_with_its_line(image: Image, table: str, said: str) -> None:
    image.configure(f"{JOBS}[schedule]\n{table}\n", PORTAL.partition("schedule")[0])

    code, _out, err = image.call("install")

    assert code == ExitCode.CONFIGURATION and said in err and ".toml:" in err
    assert image.tree() == {}


def test_without_systemd_cron_is_named(tmp_path: Path) -> None:
    installer = Installer(LocalRunner(), Places(tmp_path, tmp_path, tmp_path / "absent"), root=None)

    with pytest.raises(ScheduleRefused, match="systemd does not run here") as caught:
        installer.require_writable("portalops schedule install", by_cron=False)

    assert "--cron" in str(caught.value.hint)


def test_an_account_that_is_not_there_is_told_with_how_it_is_made() -> None:
    with pytest.raises(ScheduleRefused, match="no account no-such") as caught:
        require_ready(LocalRunner(), replace(SMALL, program=sys.executable, user="no-such"), by_cron=False)

    assert "useradd --system" in str(caught.value.hint)


def test_a_program_that_everybody_may_change_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "portalops"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o757)

    with pytest.raises(ScheduleRefused, match="everybody may change"):
        require_ready(LocalRunner(), replace(SMALL, program=str(program)), by_cron=False)
    program.chmod(0o644)
    with pytest.raises(ScheduleRefused, match="is no program"):
        require_ready(LocalRunner(), replace(SMALL, program=str(program)), by_cron=False)
    with pytest.raises(ScheduleRefused, match="cannot be examined"):
        require_ready(LocalRunner(), replace(SMALL, program=str(tmp_path / "absent")), by_cron=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_a_ledger_that_root_began_in_the_account_s_folder_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        program, state = Path(name, "portalops"), Path(name, "state")
        program.write_text("#!/bin/sh\n")
        state.mkdir()
        (state / "ledger.sqlite").touch(mode=0o600)
        for path in (Path(name), program, state):
            path.chmod(0o755)
        os.chown(state, NOBODY, NOBODY)
        demands = replace(SMALL, program=str(program), user="nobody", writes=(str(state),))

        with pytest.raises(ScheduleRefused, match="nobody cannot write the ledger") as caught:
            require_ready(LocalRunner(), demands, by_cron=False)
        os.chown(state / "ledger.sqlite", NOBODY, NOBODY)
        require_ready(LocalRunner(), demands, by_cron=False)

    assert f"chown -R nobody: {state}" in str(caught.value.hint)


def test_a_call_that_has_no_path_cannot_be_scheduled(image: Image) -> None:
    """Under pytest the program is none that a unit could call."""
    image.configure(JOBS, PORTAL.partition("schedule")[0])

    code, _out, err = image.call("install")

    assert code == ExitCode.FAILED and "which nothing else can call" in err and "program =" in err


@pytest.mark.parametrize(
    ("by_cron", "said"), [(False, "can be read or changed by others"), (True, "only systemd decrypts")]
)
def test_a_credential_that_would_not_do_is_told_before_anything_is_written(
    tmp_path: Path, by_cron: bool, said: str
) -> None:
    secret = tmp_path / "s3.cred"
    secret.write_text("x")
    secret.chmod(0o644)
    demands = replace(
        SMALL,
        program=sys.executable,
        user="daemon",
        credentials=(ServiceCredential("s3", str(secret), is_encrypted=by_cron),),
    )

    with pytest.raises(ScheduleRefused, match=said):
        require_ready(LocalRunner(), demands, by_cron=by_cron)
    secret.unlink()
    with pytest.raises(ScheduleRefused, match=r"is not there|only systemd decrypts"):
        require_ready(LocalRunner(), demands, by_cron=by_cron)


class Manager:
    """A service manager that answers with one text, and none without one."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def run(
        self, argv: Any, *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        if "--version" in argv:
            return Completed(0, b"systemd 257 (257.13-1~deb13u1)\n", b"")
        return Completed(0 if self.answer else 1, self.answer.encode(), b"Failed to connect to bus")


def answer_of(*names: str, timer: str = "active") -> str:
    """Return systemctl's answer for running timers, or other ones, and their services."""
    lines = []
    for name in names:
        state = timer if name.endswith(".timer") else "inactive"
        enabled = "enabled" if name.endswith(".timer") else "static"
        lines.append(
            f"Id={name}\nLoadState=loaded\nActiveState={state}\nSubState=waiting\nUnitFileState={enabled}\nResult=success\n"
            "NextElapseUSecRealtime=Thu 2026-11-26 08:40:00 UTC\n"
        )
    return "\n".join(lines)


UNITS = ("portalops.timer", "portalops.service", "portalops-media.timer", "portalops-media.service")


def session_of(image: Image, answer: str) -> Session:
    session = Session(Invocation((), config=image.config), {"LANG": "C.UTF-8"}, clock=FixedClock(NOW))
    session.runner = Manager(answer)
    return session


def inspected(session: Session, places: Places) -> ScheduleSeen:
    return inspect_schedule(plan_now(session), session.settings, session.runner, places)


def places_of(image: Image) -> Places:
    running = image.root / "run/systemd/system"
    running.mkdir(parents=True)
    return Places(image.units, image.cron.parent, running)


def own_state(image: Image, tmp_path: Path) -> None:
    image.config.write_text(image.config.read_text().replace("/var/lib/portalops", str(tmp_path / "state")))


def test_what_runs_as_it_was_planned_has_no_flaw(image: Image, tmp_path: Path) -> None:
    own_state(image, tmp_path)
    places = places_of(image)
    session = session_of(image, answer_of(*UNITS))
    install_into(image, session)

    seen = inspected(session, places)

    assert [str(flaw.seen) for flaw in seen.flaws] == []
    assert [job.job.id for job in seen.jobs] == ["daily-updates", "daily-verify"]
    assert {file.state.value for file in seen.files} == {"current"}


def test_a_dead_timer_and_a_service_manager_that_does_not_answer_are_told(image: Image, tmp_path: Path) -> None:
    own_state(image, tmp_path)
    places = places_of(image)
    install_into(image, session_of(image, answer_of(*UNITS)))

    dead = inspected(session_of(image, answer_of(*UNITS, timer="inactive")), places)
    silent = inspected(session_of(image, ""), places)

    assert {flaw.subject for flaw in dead.flaws} == {"portalops.timer", "portalops-media.timer"}
    assert [(flaw.subject, flaw.is_unknown) for flaw in silent.flaws] == [("systemd", True)]


def test_a_changed_configuration_makes_units_outdated(image: Image, tmp_path: Path) -> None:
    own_state(image, tmp_path)
    places = places_of(image)
    install_into(image, session_of(image, answer_of(*UNITS)))
    image.config.write_text(image.config.read_text() + '[[job]]\nid = "new"\nkind = "report"\nevery = "week"\n')

    seen = inspected(session_of(image, answer_of(*UNITS)), places)

    assert [flaw.subject for flaw in seen.flaws] == ["portalops.service"]


@pytest.mark.parametrize("by_cron", [False, True], ids=["units", "cron"])
@pytest.mark.parametrize("program", ["/usr/local/bin/portalops", "/opt/our apps/portalops", "/opt/90%/a$b/portalops"])
def test_the_program_that_installed_files_call_is_known_again(program: str, *, by_cron: bool) -> None:
    demands = replace(SMALL, program=program)
    planned = [each for each in (cron_file(demands),) if each] if by_cron else unit_files(demands)

    assert installed_program({file.name: file.data for file in planned}) == program


def install_into(image: Image, session: Session) -> None:
    """Put the units in place as they would be for this session's machine."""
    from commands.jobs.schedule_demands import demands_of

    image.units.mkdir(parents=True)
    for file in unit_files(demands_of(session.settings)):
        (image.units / file.name).write_bytes(file.data)


def test_status_says_that_nothing_is_installed(image: Image, tmp_path: Path) -> None:
    own_state(image, tmp_path)
    if any(Path(each).exists() for each in ("/etc/cron.d/portalops", "/etc/systemd/system/portalops.timer")):
        pytest.skip("this machine has a schedule of its own")

    code, out, _err = image.call("status", at=())

    assert code == ExitCode.UNMET and "no schedule is installed" in out and "daily-verify" in out


def test_the_machine_s_own_answer_is_a_listing_with_ids(image: Image, tmp_path: Path) -> None:
    own_state(image, tmp_path)

    _code, out, _err = image.call("status", "--json", at=())

    rows = json.loads(out)["data"]
    assert rows[0]["id"] == "schedule" and {"daily-updates", "daily-verify"} <= {row["id"] for row in rows}


@pytest.mark.parametrize(
    ("ended", "line", "is_failure"),
    [
        (ChildEnd(0, b'{"data": {"jobs": []}, "error": null}'), "exit 0, nothing was due", False),
        (ChildEnd(1, b'{"data": {"jobs": [{"id": "a", "outcome": "complete"}]}}'), "exit 1: a complete", False),
        (
            ChildEnd(75, b'{"data": null, "error": {"code": "PO1602", "message": "held"}}'),
            "exit 75: error[PO1602]: held",
            False,
        ),
        (
            ChildEnd(78, b'{"data": null, "error": {"code": "PO1001", "message": "wrong"}}'),
            "exit 78: error[PO1001]: wrong",
            True,
        ),
        (ChildEnd(-9, b""), "was ended by signal 9", True),
        (ChildEnd(127, b"no such file"), "exit 127: no such file", True),
        (ChildEnd(70, b"\xff\x1b[31m"), "exit 70:", True),
        (ChildEnd(4, b"[]"), "exit 4", True),
        (ChildEnd(1, b""), "exit 1: ?", True),
        (ChildEnd(0, b""), "exit 0: ?", True),
        (ChildEnd(130, b""), "exit 130", False),
    ],
)
def test_a_round_is_told_in_one_line_however_it_ended(ended: ChildEnd, line: str, is_failure: bool) -> None:
    done = read_turn(NOW, ended)

    assert line in str(line_of(done)) and "\n" not in str(line_of(done))
    assert done.is_failure is is_failure


@pytest.mark.heavy
def test_a_watcher_looks_at_once_is_alone_and_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    config = tmp_path / "portalops.toml"
    config.write_text(f'state = {{ folder = "{tmp_path}/state" }}\n{PORTAL}{JOBS}', encoding="utf-8")
    program = "from commands.app import main; main()"
    command = [sys.executable, "-c", program, "--config", str(config), "schedule", "watch", "--json"]
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "LANG": "C.UTF-8"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as first:
        assert first.stdout is not None
        told = json.loads(first.stdout.readline())
        second = subprocess.run(command, capture_output=True, env=environment, text=True, check=False)
        first.send_signal(signal.SIGTERM)
        rest = first.stdout.read()

    assert {job["id"] for job in told["data"]["jobs"]} == {"daily-updates", "daily-verify"}
    assert second.returncode == ExitCode.LOCKED
    assert first.returncode == ExitCode.OK
    assert rest.count("\n") == 1, "each line is an object of its own"
    assert json.loads(rest)["data"] == {"id": "watch", "rounds": 1}
    for line in (told, json.loads(rest)):
        validate("schedule watch", line["data"])
