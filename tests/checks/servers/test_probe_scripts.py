"""What a probe's script says where a program that it runs does less than all: commands as files on PATH stand for those."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks.servers.catalogue import checks, probes_of
from checks.servers.probe import COMMAND_MISSING, OWN_COMPLAINTS, MissingFact, Probe, ProbeResult, fact_of
from checks.servers.probes import (
    account_files,
    authorized_keys,
    cms_versions,
    enabled_units,
    etc_files,
    logins,
    mdadm,
    smart,
    sudoers,
    web_files,
)
from portalops.locale import render


def run(probe: Probe[Any], folder: Path, **commands: str) -> object:
    for name, text in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "LC_ALL": "C", "SEEN": str(folder / "seen")}
    done = subprocess.run(probe.command, env=environment, capture_output=True, timeout=300, check=False)
    return fact_of(probe, ProbeResult(probe.id, done.returncode, done.stdout, done.stderr, 0))


DISK = (
    'case $* in *--scan*) for n in $(seq {number}); do echo "/dev/sd$n -d sat # /dev/sd$n, ATA device"; done ;;'
    """ *-j*) echo '{{"smart_status":{{"passed":true}}}}' ;; esac"""
)


@pytest.mark.parametrize("number", [0, 1, 64])
def test_all_disks_that_are_named_are_asked(tmp_path: Path, number: int) -> None:
    found = run(smart.PROBE, tmp_path, smartctl=DISK.format(number=number))

    assert isinstance(found, tuple)
    assert len(found) == number
    assert all(disk.passed for disk in found)


def test_more_disks_than_are_asked_are_not_passed_over(tmp_path: Path) -> None:
    found = run(smart.PROBE, tmp_path, smartctl=DISK.format(number=65))

    assert isinstance(found, MissingFact)
    assert "more than 64 disks" in str(found.seen)


def test_scan_for_disks_that_fails_is_not_taken_for_none(tmp_path: Path) -> None:
    assert isinstance(run(smart.PROBE, tmp_path, smartctl="exit 1"), MissingFact)


@pytest.mark.parametrize(
    "broken", [b"disk /dev/sda\nend\n", b"code 0\nend\n", b"disk /dev/sda\ndisk /dev/sdb\ncode 0\nend\n"]
)
def test_disk_without_its_answer_is_no_fact(broken: bytes) -> None:
    probe: Probe[Any] = smart.PROBE
    fact = fact_of(probe, ProbeResult(probe.id, 0, broken, b"", 0))

    assert isinstance(fact, MissingFact)


SHA256 = f"""case "$*" in *find-failed*) exit 1 ;; esac; echo '{64 * "a"}  /etc/hostname'"""


@pytest.mark.parametrize("failing", ["type f", "type l"])
def test_search_for_files_that_fails_is_no_listing(tmp_path: Path, failing: str) -> None:
    find = f"""case "$*" in *"-{failing}"*) exit 1 ;; *'! ( -perm'*-print0) ;; *-print0) printf '/etc/hostname\\0' ;; esac"""

    found = run(etc_files.PROBE, tmp_path, find=find, sha256sum=SHA256)

    assert isinstance(found, MissingFact)


def test_search_for_files_that_works_is_a_listing(tmp_path: Path) -> None:
    find = """case "$*" in *'! ( -perm'*-print0) ;; *-print0) printf '/etc/hostname\\0' ;; *) printf '../a\\0/etc/link\\0' ;; esac"""

    found = run(etc_files.PROBE, tmp_path, find=find, sha256sum=SHA256)

    assert found == {"/etc/hostname": 64 * "a", "/etc/link": "-> ../a"}


def test_name_with_a_line_feed_takes_no_other_file_out_of_the_comparison(tmp_path: Path) -> None:
    """A secret's digest is not compared with what is approved; that another file is no secret stays so."""
    other = tmp_path / "other"
    other.write_text("plain\n")
    secret = Path(f"{tmp_path}/a\n{other}")
    secret.parent.mkdir(parents=True)
    secret.write_text("password = Xuan2026\n")
    find = f"""case "$*" in *'! ( -perm'*-print0) printf '{other}\\0{secret}\\0' ;; esac"""

    found = run(etc_files.PROBE, tmp_path, find=find)

    assert isinstance(found, dict)
    keyed = {path for path, content in found.items() if etc_files.is_keyed(content)}
    assert (len(found), keyed) == (2, {str(secret).replace("\n", "?")})


@pytest.mark.parametrize("failing", ["/etc/systemd", "/usr/lib/systemd"])
def test_every_unit_is_asked_for_where_a_folder_of_links_cannot_be_searched(tmp_path: Path, failing: str) -> None:
    find = f"""case "$*" in *" {failing}"*) exit 1 ;; esac; printf 'a.service\\n../a.service\\n'"""

    run(enabled_units.PROBE, tmp_path, find=find, systemctl='printf "%s\\n" "$@" >"$SEEN"')

    assert "*" in (tmp_path / "seen").read_text().split()


@pytest.mark.skipif(os.geteuid() != 0, reason="it mounts a folder over /etc")
def test_folder_of_units_that_is_a_link_is_searched(tmp_path: Path) -> None:
    (tmp_path / "units/a.target.wants").mkdir(parents=True)
    (tmp_path / "units/a.target.wants/portal.service").symlink_to("/lib/systemd/system/portal.service")
    (tmp_path / "systemd").mkdir()
    (tmp_path / "systemd/system").symlink_to("/etc/units")
    (tmp_path / "systemctl").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "systemctl").chmod(0o755)
    mounted = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc && PATH=/etc:$PATH && exec "$@"', tmp_path)

    done = subprocess.run([*mounted, *enabled_units.PROBE.command], capture_output=True, check=True)

    assert b"portal.service" in done.stdout.split()


NAMED = """case "$*" in *sed*|*md*mdstat*) printf 'md0\\nmd_d1\\n' ;; esac"""


def test_each_array_is_asked_by_its_name_and_one_that_fails_is_left_out(tmp_path: Path) -> None:
    asked = (
        'echo "$*" >>"$SEEN"; case $* in *md_d1) exit 1 ;; esac; printf "MD_DEVICES=2\\nMD_DEVICE_dev_sda1_ROLE=0\\n"'
    )

    found = run(mdadm.PROBE, tmp_path, sed=NAMED, mdadm=asked)

    assert found == {"md0": mdadm.Members(wanted=2, present=1)}
    assert (tmp_path / "seen").read_text().splitlines() == [
        "--detail --export /dev/md0",
        "--detail --export /dev/md_d1",
    ]


def test_more_arrays_than_are_asked_are_not_passed_over(tmp_path: Path) -> None:
    found = run(mdadm.PROBE, tmp_path, sed="seq -f md%g 65", mdadm="exit 0")

    assert isinstance(found, MissingFact)
    assert "more than 64 arrays" in str(found.seen)


@pytest.mark.parametrize(("grep", "reason"), [("exit 0", "command-missing"), ("exit 1", "")])
def test_mdadm_is_missed_only_where_there_is_an_array(tmp_path: Path, grep: str, reason: str) -> None:
    for name in ("sed", "wc", "sh"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    (tmp_path / "grep").write_text(f"#!/bin/sh\n{grep}\n")
    (tmp_path / "grep").chmod(0o755)
    done = subprocess.run(
        mdadm.PROBE.command, env={"PATH": str(tmp_path)}, capture_output=True, timeout=300, check=False
    )
    probe: Probe[Any] = mdadm.PROBE
    found = fact_of(probe, ProbeResult(probe.id, done.returncode, done.stdout, done.stderr, 0))

    assert found == {} if not reason else isinstance(found, MissingFact) and found.reason == reason


@pytest.mark.parametrize(("code", "is_read"), [(1, True), (2, False), (127, False)])
def test_search_for_logins_that_fails_is_not_taken_for_none(tmp_path: Path, code: int, is_read: bool) -> None:
    found = run(logins.PROBE, tmp_path, journalctl='echo "1780000000.123456 portal systemd[1]: x"', grep=f"exit {code}")

    assert isinstance(found, logins.Logins) is is_read
    assert isinstance(found, MissingFact) is not is_read


def test_keys_that_sshd_is_about_to_take_are_no_logins(tmp_path: Path) -> None:
    said = "1780000000.123456 portal sshd-session[7]: Accepted "
    lines = [
        f"{said}key ED25519 SHA256:{43 * 'a'} found at .ssh/authorized_keys:1",
        f'{said}certificate ID "an" (serial 1) signed by CA ED25519 SHA256:{43 * "a"} via /etc/ssh/ca.pub',
        f"{said}publickey for an from 192.0.2.1 port 40022 ssh2: ED25519 SHA256:{43 * 'a'}",
    ]
    found = run(logins.PROBE, tmp_path, journalctl=f"cat <<'END'\n{chr(10).join(lines)}\nEND")

    assert isinstance(found, logins.Logins)
    assert [one.account for one in found.accepted] == ["an"]


def test_what_probes_say_in_words_of_our_own_is_said_in_the_readers_language() -> None:
    commands = [" ".join(probe.command) for probe in probes_of(checks()).values()]
    said = {found for command in commands for found in re.findall(r"echo '([^'$]*)' >&2", command)}

    assert said == set(OWN_COMPLAINTS)
    assert all(render(each, "vi") != str(each) for each in OWN_COMPLAINTS.values())


@pytest.mark.parametrize(("programs", "reason"), [({}, COMMAND_MISSING), ({"sudo": "exit 0"}, "command-failed")])
def test_sudo_whose_rules_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, programs: dict[str, str], reason: str
) -> None:
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    shell, *command = sudoers.PROBE.command
    program = shutil.which(shell)
    assert program is not None
    done = subprocess.run([program, *command], env={"PATH": str(tmp_path)}, capture_output=True, check=False)
    found = fact_of(sudoers.PROBE, ProbeResult(sudoers.PROBE.id, done.returncode, done.stdout, done.stderr, 0))

    assert isinstance(found, MissingFact)
    assert found.reason == reason


@pytest.mark.skipif(os.geteuid() != 0, reason="it mounts a folder over /etc")
@pytest.mark.parametrize(("lines", "awk", "is_known"), [(10, "", True), (60000, "", False), (10, "exit 2 #", False)])
def test_file_that_cannot_be_followed_is_not_passed_over(tmp_path: Path, lines: int, awk: str, is_known: bool) -> None:
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", tmp_path)
    (tmp_path / "more").touch()
    (tmp_path / "sudoers").write_text("@include /etc/more\n" + "# more\n" * lines)
    real = os.path.realpath(shutil.which("awk") or "")
    (tmp_path / "awk").write_text(f'#!/bin/sh\n{awk or "exec"} {real} "$@"\n')
    (tmp_path / "awk").chmod(0o755)
    mounted = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc && PATH=/etc:$PATH && exec "$@"', tmp_path)

    done = subprocess.run([*mounted, *account_files.PROBE.command], capture_output=True, check=False)
    found = fact_of(account_files.PROBE, ProbeResult("acct.files", done.returncode, done.stdout, done.stderr, 0))

    assert isinstance(found, dict if is_known else MissingFact), found
    assert isinstance(found, MissingFact) or "/etc/more" in found


@pytest.mark.parametrize(
    "probe", [account_files.PROBE, authorized_keys.PROBE, cms_versions.PROBE, etc_files.PROBE, web_files.PROBE]
)
def test_folders_of_other_accounts_are_searched_with_a_limit_of_memory(tmp_path: Path, probe: Probe[Any]) -> None:
    run(probe, tmp_path, find='ulimit -v >>"$SEEN"', sshd='ulimit -v >>"$SEEN"', xargs=":")

    assert set((tmp_path / "seen").read_text().split()) == {"1048576"}
