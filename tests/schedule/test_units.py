"""The units that a configuration comes to: read by systemd itself, and judged by its own measure of exposure."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from portalops.errors import ConfigurationError
from portalops.schedule.plan import Demands, SchedulePart
from portalops.schedule.probe import PROGRAM, SERVICE, SOCKET
from portalops.schedule.units import unit_files
from tests.schedule.plans import SMALL, WHOLE

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")

MOST = 20
"""Tenths of exposure that a service may have, as systemd-analyze(1) counts it."""
MOST_WITH_TAPE = 22
"""The same where backups have a tape drive: devices are not hidden then."""
MOST_OF_PROBE = 56
"""The same for the one that answers as root, and must see the machine's own mounts."""


def texts_of(demands: Demands) -> dict[str, str]:
    return {file.name: file.data.decode() for file in unit_files(demands)}


def written(folder: Path, demands: Demands) -> list[Path]:
    """Put units into a folder, with a program that is there: systemd looks for it."""
    for file in unit_files(replace(demands, program="/bin/true", user="daemon")):
        (folder / file.name).write_bytes(file.data)
    return sorted(path for path in folder.iterdir() if path.name != PROGRAM)


def test_a_timer_catches_up_once_and_is_put_off_by_chance() -> None:
    timer = texts_of(SMALL)["portalops.timer"]

    assert "OnCalendar=*-*-* *:0/15:00\n" in timer
    assert "Persistent=true\n" in timer and "RandomizedDelaySec=1min\n" in timer
    assert "WantedBy=timers.target\n" in timer


@needs_systemd
@pytest.mark.parametrize(("minutes", "apart"), [(1, "1min"), (15, "15min"), (20, "20min"), (60, "1h")])
def test_a_timer_elapses_as_often_as_it_is_planned(minutes: int, apart: str) -> None:
    timer = texts_of(replace(SMALL, every_minutes=minutes))["portalops.timer"]
    when = next(line.partition("=")[2] for line in timer.splitlines() if line.startswith("OnCalendar="))

    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=3", "--base-time=2026-11-26 08:00:00 UTC", when],
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    moments = [line.split()[-2] for line in done.stdout.splitlines() if line.strip().endswith("UTC")]
    second = moments[1] if len(moments) > 1 else ""
    assert second == {"1min": "08:02:00", "15min": "08:30:00", "20min": "08:40:00", "1h": "10:00:00"}[apart], (
        done.stdout
    )


def test_what_reads_sets_back_comes_behind_the_backups_of_the_same_look() -> None:
    """It would look for sets that are not made yet, and count as done for its day."""
    media = texts_of(WHOLE)

    assert "OnCalendar=*-*-* *:1/15:30\n" in media["portalops-media.timer"]
    assert (
        "portalops-backup.service\n"
        in media["portalops-media.service"].partition("After=")[2].partition("OnFailure")[0]
    )
    assert (
        "OnCalendar=*-*-* *:03:30\n"
        in texts_of(replace(WHOLE, every_minutes=60, random_delay_minutes=3))["portalops-media.timer"]
    )


def test_answers_are_no_failures_and_whatever_else_is_told() -> None:
    service = texts_of(SMALL)["portalops.service"]

    assert "SuccessExitStatus=1 3 75 130\n" in service
    assert "OnFailure=portalops-failed@%n.service\n" in service
    assert "StandardOutput=null\nStandardError=journal\n" in service  # what went wrong stands in the journal
    assert (
        "ExecStart=/usr/local/bin/portalops --config /etc/portalops/portalops.toml --quiet --no-input run --due\n"
        in service
    )
    failed = texts_of(SMALL)["portalops-failed@.service"]
    assert "--quiet --no-input notify unit %i\n" in failed and "OnFailure" not in failed


def test_each_service_knows_where_letters_find_whom_they_are_for() -> None:
    """Also where the configuration can no longer be read, which is then what is to be told."""
    services = [text for name, text in texts_of(WHOLE).items() if name.endswith(".service") and name != SERVICE]

    assert all("\nEnvironment=STATE_DIRECTORY=/var/lib/portalops\n" in text for text in services)


def test_paths_and_percent_signs_reach_systemd_as_they_are() -> None:
    service = texts_of(replace(SMALL, may_write=("/srv/100 % $a",), config="/etc/a b%/p$.toml"))["portalops.service"]

    assert 'ReadWritePaths="-/srv/100 %% $a"\n' in service
    assert '--config "/etc/a b%%/p$$.toml" --quiet' in service


@pytest.mark.parametrize("path", ['/srv/"', "/srv/a\nExecStartPre=/bin/x", "/srv/a\\n", "/srv/'"])
def test_a_path_that_could_break_out_of_its_line_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="has characters that a systemd unit"):
        unit_files(replace(SMALL, may_write=(path,)))


def test_credentials_are_handed_over_by_systemd() -> None:
    for name, text in texts_of(WHOLE).items():
        if name == SERVICE:
            assert "Credential" not in text
        elif name.endswith(".service"):
            assert "LoadCredential=smtp:/etc/portalops/credentials/smtp\n" in text
            assert "LoadCredentialEncrypted=s3:/etc/portalops/credentials/s3.cred\n" in text


def test_only_the_probe_service_sees_the_machine_as_it_is() -> None:
    """With a file system of its own it would judge its own read-only mounts as the machine's."""
    apart = ("Protect", "Private", "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "Temporary", "Bind", "Root")
    services = {name: text for name, text in texts_of(WHOLE).items() if name.endswith(".service")}

    assert [line for line in services[SERVICE].splitlines() if line.startswith(apart)] == []
    assert [name for name, text in services.items() if "\nProtectSystem=strict\n" not in text] == [SERVICE]
    assert all("\nNoNewPrivileges=yes\n" in text for text in services.values())


def test_what_parses_the_answers_of_servers_has_no_capability_and_asks_by_the_socket() -> None:
    check = texts_of(WHOLE)["portalops-check.service"]

    assert "\nCapabilityBoundingSet=\n" in check and "CAP_" not in check
    assert f"\nWants={SOCKET}\nAfter={SOCKET}\n" in check
    assert "\nEnvironment=PORTALOPS_PROBE=/run/portalops-probe\n" in check


def test_the_probe_service_is_there_where_a_host_is_this_machine_and_open_to_the_account_alone() -> None:
    texts = texts_of(replace(WHOLE, probe_program="exit 0\n"))

    assert "\nSocketUser=portalops\nSocketMode=0600\n" in texts[SOCKET] and "MaxConnections=8" in texts[SOCKET]
    assert texts[PROGRAM].endswith("\nexit 0\n") and f"/{PROGRAM} portalops\n" in texts[SERVICE]
    assert not {SOCKET, SERVICE, PROGRAM} & set(texts_of(replace(WHOLE, checks_this_machine=False)))


def test_whether_the_clock_is_kept_right_can_be_asked_and_never_changed() -> None:
    """Where that cannot be said, nothing is pruned (commands/jobs/kinds/prune.py)."""
    for name, text in texts_of(WHOLE).items():
        if name.endswith(".service"):
            lines = text.splitlines()
            asked = lines.index("SystemCallFilter=adjtimex clock_adjtime clock_adjtime64")
            assert asked > max(
                number for number, line in enumerate(lines) if line.startswith("SystemCallFilter=") and "@" in line
            )
            assert "ProtectClock=yes" not in lines and "CAP_SYS_TIME" not in text


def test_tapes_are_open_only_to_what_works_with_media() -> None:
    services = {name: text for name, text in texts_of(WHOLE).items() if name.endswith(".service")}

    assert {name for name, text in services.items() if "/dev/nst0" in text} == {
        "portalops-backup.service",
        "portalops-media.service",
    }


@needs_systemd
@pytest.mark.parametrize("demands", [SMALL, WHOLE, replace(WHOLE, in_homes=True)])
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path, demands: Demands) -> None:
    units = written(tmp_path, demands)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize(
    "demands", [SMALL, WHOLE, replace(WHOLE, devices=()), replace(WHOLE, in_homes=True, devices=())]
)
def test_no_service_is_exposed_more_than_it_must_be(tmp_path: Path, demands: Demands) -> None:
    units = [unit for unit in written(tmp_path, demands) if unit.suffix == ".service"]
    version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
    counted_otherwise = 3 if int(version.split()[1]) < 254 else 0  # Debian 12 weighs what it does not know of yet

    for unit in units:
        most = MOST_WITH_TAPE if demands.devices else MOST
        if unit.name == SERVICE:
            most = MOST_OF_PROBE
        most += counted_otherwise
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", str(unit)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (unit.name, done.stdout[-200:])


def test_a_unit_is_the_same_for_the_same_configuration() -> None:
    assert json.dumps(texts_of(WHOLE)) == json.dumps(texts_of(WHOLE))


def test_a_worker_goes_on_comes_back_after_a_fault_and_ends_what_it_has_begun() -> None:
    text = texts_of(replace(SMALL, works=True))[SchedulePart.WORKER.service]

    assert (
        "ExecStart=/usr/local/bin/portalops --config /etc/portalops/portalops.toml --quiet --no-input worker run"
        in text
    )
    for line in ("Type=simple", "Restart=on-failure", "StartLimitBurst=5", "KillMode=mixed", "TimeoutStopSec=5min"):
        assert f"\n{line}\n" in text
    assert "TimeoutStartSec" not in text and "RuntimeMaxSec" not in text
    assert SchedulePart.WORKER.service not in texts_of(SMALL)
