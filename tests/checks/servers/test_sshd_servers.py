"""Real SSH servers on ports of their own are found and told: which arguments and files they were started with, and whether they loaded them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checks.servers.probe import Output, Unparseable
from checks.servers.probes import sshd_servers
from checks.servers.probes.sshd_servers import SshDaemon, is_let_in, parse
from tests.servers import new_key

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = pytest.mark.skipif(
    SSHD is None or os.geteuid() != 0 or shutil.which("ss") is None,
    reason="a server of root's own needs root, sshd and ss",
)
Start = Callable[..., Callable[[], SshDaemon]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """What starts a server and gives what tells of it; all are ended afterwards."""
    new_key(key := tmp_path / "host")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as sshd's own unit makes it
    pids: list[Path] = []

    def started(text: str, *options: str) -> Callable[[], SshDaemon]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        name = f"s{len(pids)}"
        file, pid = tmp_path / f"{name}.conf", tmp_path / f"{name}.pid"
        own = f"HostKey {key}\nPidFile {pid}\nListenAddress 127.0.0.1:{port}\nUsePAM no\n"
        file.write_text(own + text, encoding="utf-8")
        subprocess.run([str(SSHD), "-f", str(file), *options], check=True)
        pids.append(pid)
        _await(pid.exists)
        return lambda: next(one for one in looked() if port in one.ports)

    yield started
    for pid in pids:
        os.kill(int(pid.read_text()), signal.SIGTERM)


def looked() -> tuple[SshDaemon, ...]:
    done = subprocess.run(sshd_servers.PROBE.command, capture_output=True, text=True, timeout=60, check=True)
    return parse(Output(0, done.stdout, done.stderr))


def _await(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_there() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_there()


def test_every_range_of_a_match_block_is_tried_from_inside_and_outside(start: Start) -> None:
    server = start("Match Address 10.0.0.0/8,!10.1.2.0/24\nPermitRootLogin yes\n")()

    allowed = {
        each.address for one in server.effects if one.settings["permitrootlogin"] == "yes" for each in one.conditions
    }
    assert allowed == {"10.0.0.0", "10.255.255.255"}
    assert server.criteria == {"address"}


def test_options_of_the_command_line_count(start: Start) -> None:
    server = start("PasswordAuthentication no\n", "-o", "PasswordAuthentication yes", "-oAllowUsers=an binh")()

    assert {one.settings["passwordauthentication"] for one in server.effects} == {"yes"}
    assert {one.settings["allowusers"] for one in server.effects} == {"an binh"}
    assert any("password" in one.methods for one in server.offers)


def test_a_long_list_of_users_is_told_to_its_end(start: Start) -> None:
    names = " ".join(f"nguoidung{number:02}" for number in range(40)) + " root"
    server = start(f"AllowUsers {names}\n")()

    assert {one.settings["allowusers"] for one in server.effects} == {names}


def test_a_pattern_of_users_is_tried_by_an_example_and_one_of_groups_is_told(start: Start) -> None:
    server = start("Match User sftp-*\nPasswordAuthentication no\nMatch Group dev*\nPermitRootLogin yes\n")()

    users = {
        each.user for one in server.effects if one.settings["passwordauthentication"] == "no" for each in one.conditions
    }
    assert users == {"sftp-1"}
    assert server.criteria == {"user", "group", "group:dev*"}


def test_more_addresses_than_are_tried_are_told(start: Start) -> None:
    lines = (f"Match Address 10.{number // 200}.{number % 200}.1\nX11Forwarding no\n" for number in range(520))
    server = start("".join(lines))()

    assert server.is_full


def test_thirty_addresses_are_all_tried(start: Start) -> None:
    server = start("".join(f"Match Address 10.0.0.{number}\nX11Forwarding no\n" for number in range(30)))()

    assert sum(one.count for one in server.effects) == 32 * 2
    assert not server.is_full


def test_keywords_in_quotes_and_with_a_sign_of_equality_are_read(start: Start, tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("Match=User an\nLogLevel QUIET\n", encoding="utf-8")
    server = start(f'"Include" "{tmp_path}/more.conf"\n')()

    assert server.criteria == {"user"}


def test_a_change_counts_once_it_is_loaded_whatever_date_the_file_has(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    tell = start(f"Include {folder}/*.conf\n")
    assert not tell().is_stale

    time.sleep(0.05)
    (folder / "a.conf").write_text("PasswordAuthentication no\n", encoding="utf-8")
    os.utime(folder / "a.conf", (0, 0))
    before = tell()
    assert before.is_stale
    assert before.file.startswith(str(folder))

    pid_file = tmp_path / "s0.pid"
    began = pid_file.stat().st_mtime
    os.kill(before.pid, signal.SIGHUP)
    _await(lambda: pid_file.exists() and pid_file.stat().st_mtime > began)
    assert not tell().is_stale


def test_a_server_that_refuses_its_own_file_is_told_as_such(start: Start, tmp_path: Path) -> None:
    tell = start("")
    with (tmp_path / "s0.conf").open("a", encoding="utf-8") as file:
        file.write("NoSuchSetting yes\n")

    server = tell()

    assert (server.state, server.effects) == ("refused", ())
    assert server.offers


@pytest.mark.parametrize(
    "told",
    [
        "root,203.0.113.1|permitrootlogin no;passwordauthentication no;kbdinteractiveauthentication no;"
        "permitemptypasswords no;authenticationmethods any",
        "root,203.0.113.1,a,192.0.2.1,22|permitrootlogin no;passwordauthentication no;kbdinteractiveauthentication no;"
        f"permitemptypasswords no;authenticationmethods any;allowusers {'a' * 8000}",
    ],
)
def test_an_answer_that_is_cut_is_none(told: str) -> None:
    text = f"server|1|4|read|1.0|start|1.0|/etc/ssh/sshd_config\nlisten|1|0.0.0.0|22\nset|1|1|{told}\nend 1\n"
    with pytest.raises(Unparseable):
        parse(Output(0, text, ""))


@pytest.mark.parametrize(
    ("user", "settings", "is_in"),
    [
        ("root", {}, True),
        ("root", {"denyusers": "root"}, False),
        ("root", {"denyusers": "root@10.0.0.1"}, True),
        ("root", {"allowusers": "an binh"}, False),
        ("root", {"allowusers": "r*"}, True),
        ("root", {"allowusers": "root@10.0.0.*"}, True),
        ("root", {"refuseconnection": "yes"}, False),
    ],
)
def test_lists_of_users_keep_out_whom_they_surely_do(user: str, settings: dict[str, str], is_in: bool) -> None:
    assert is_let_in(user, settings) is is_in
