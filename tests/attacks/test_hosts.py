"""Attacks of those who stand between portalops and the servers, of the servers themselves, and of whoever carries their facts."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.servers.by_hand import VALID_FOR, mark_of, opened, script_by_hand
from checks.servers.probes import os_release
from commands.cli.entry import run
from portalops.errors import FactsRefused
from portalops.model.hosts import ScriptIssued
from portalops.model.organisation import HostId
from portalops.registers.hosts import RecordedScript
from portalops.signatures.sshsig import fingerprint
from tests.checks.servers.samples import DEFAULT_AT
from tests.checks.servers.test_outside_before import Portal as WatchedPortal
from tests.checks.servers.test_outside_before import port, view
from tests.servers import SshHost, sshd, user_name

__all__ = ["port"]  # a fixture

CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
rulebook = "kh-37-2010"

[state]
folder = "state"

[checks.ssh]
user = "{user}"
identity_file = "{identity}"

[[host]]
id = "web1"
address = "127.0.0.1"
port = {port}
"""
CANARY = "canary90b2c7d41e"


class Operator:
    """Somebody who looks at a server, and what is seen."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.capsys = home, capsys

    def run(self, host: SshHost, *arguments: str) -> str:
        text = CONFIGURATION.format(user=user_name(), identity=host.folder / "client", port=host.port)
        (self.home / "portalops.toml").write_text(text, encoding="utf-8")
        run(["--config", str(self.home / "portalops.toml"), "--lang", "en", *arguments], {})
        heard = self.capsys.readouterr()
        return heard.out

    def enrol(self, host: SshHost) -> None:
        self.run(host, "host", "enroll", "web1", "--fingerprint", fingerprint(host.host_key), "--by", "An")

    def checked(self, host: SshHost) -> dict[str, tuple[str, str]]:
        some = ("inventory.identity", "patching.os-eol", "firewall.outside-view")
        said = self.run(host, "check", "run", "--json", *(part for one in some for part in ("--check", one)))
        data: Any = json.loads(said)["data"]
        return {one["check"]: (one["verdict"], one["reason"]) for one in data if one["host"] == "web1"}


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(tmp_path, capsys)


@pytest.fixture
def server(tmp_path: Path, operator: Operator) -> Iterator[SshHost]:
    """A server that is known by its key."""
    with sshd(tmp_path / "server") as host:
        operator.enrol(host)
        yield host


def test_another_machine_at_a_servers_address_gets_no_command(tmp_path: Path, operator: Operator) -> None:
    ran = tmp_path / "ran"
    with sshd(tmp_path / "server") as real:
        operator.enrol(real)
    with sshd(tmp_path / "other", port=real.port) as other:
        other.answer_with(f"touch {ran}")

        found = operator.checked(other)

    assert found["inventory.identity"] == ("fail", "host-key-changed")
    assert found["patching.os-eol"] == ("unknown", "host-key-changed")
    assert not ran.exists()
    assert "Accepted" not in (tmp_path / "other/log").read_text()


FORGED = {
    "a section twice": ["os.release", "os.release"],
    "what strangers see of it": ["outside.ports"],
    "an older look": ["carried"],
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_server_that_forges_a_part_of_its_answer_is_believed_in_nothing(
    server: SshHost, operator: Operator, tmp_path: Path, forged: list[str]
) -> None:
    said = {
        "os.release": "ID=debian\nVERSION_ID=13\n",
        "outside.ports": '{"from":["198.51.100.9"],"ports":{"127.0.0.1":{"closed":[22],"open":[443]}},"state":"seen","station":"x"}',
        "carried": "{}",
    }
    program = tmp_path / "answer.sh"
    lines = ["set -- $SSH_ORIGINAL_COMMAND", "N=$3"]
    for name in ("clock", *forged):
        text = said.get(name, "1")
        lines.append(
            f"printf '<<<%s {name}>>>\\n%s\\n<<<%s {name} stderr>>>\\n\\n<<<%s {name} rc=0 s=0>>>\\n' $N '{text}' $N $N"
        )
    program.write_text("\n".join((*lines, "printf '<<<%s done>>>\\n' $N", "")))
    server.answer_with(f"sh {program}")

    assert set(operator.checked(server).values()) == {("unknown", "answer-rejected")}


def test_what_a_server_says_brings_no_control_character_and_no_secret_before_anybody(
    server: SshHost, operator: Operator, tmp_path: Path
) -> None:
    program = tmp_path / "answer.sh"
    text = f"ID=\\033[2Jdebian\\nVERSION_ID=password={CANARY}\\n"
    program.write_text(
        "set -- $SSH_ORIGINAL_COMMAND\nN=$3\n"
        f"printf '<<<%s os.release>>>\\n{text}\\n<<<%s os.release stderr>>>\\n\\n<<<%s os.release rc=0 s=0>>>\\n' $N $N $N\n"
        "printf '<<<%s done>>>\\n' $N\n"
    )
    server.answer_with(f"sh {program}")

    shown = operator.run(server, "check", "run", "--check", "patching.os-eol")

    assert "\x1b" not in shown
    assert CANARY not in shown
    assert "debian" in shown


def test_a_server_that_says_without_end_is_cut_and_unknown(server: SshHost, operator: Operator) -> None:
    server.answer_with("cat /dev/zero")

    found = operator.checked(server)

    assert found["patching.os-eol"][0] == "unknown"


def test_an_old_look_from_outside_does_not_speak_for_today(tmp_path: Path, port: int) -> None:
    portal = WatchedPortal(tmp_path)
    portal.round(view(port))
    portal.clock.move(timedelta(days=7, minutes=1))

    late = portal.round()

    assert (late.verdict.value, late.reason) == ("unknown", "look-too-old")


# --- facts that a person brings --------------------------------------------------------------------------------------

NONCE = "00112233445566778899aabbccddeeff"
OLD = HostId("old1")


@pytest.fixture(scope="module")
def file() -> bytes:
    """What the script wrote on a host."""
    script = script_by_hand(OLD, NONCE, DEFAULT_AT, (os_release.PROBE,))
    text = gzip.decompress(subprocess.run(["sh"], input=script, capture_output=True, check=True).stdout)
    head, mark, _at = text.rpartition(b"portalops-facts end at=")
    return gzip.compress(head + mark + b"%d\n" % DEFAULT_AT.timestamp())


def taken(
    file: bytes, *, host: HostId = OLD, answered_in: int | None = None, after: timedelta = timedelta(hours=1)
) -> str:
    """Return why a file is refused that is taken some time after its script was issued; empty if it is taken."""
    issued = ScriptIssued(host, mark_of(NONCE), "0" * 64, DEFAULT_AT + VALID_FOR)
    scripts = {issued.mark: RecordedScript(3, DEFAULT_AT, issued, answered_in)}
    try:
        opened(file, "An", scripts, {"os.release": os_release.PROBE}, DEFAULT_AT + after)
    except FactsRefused as error:
        return str(error.message)
    return ""


def test_facts_that_were_brought_count_once_for_their_server_and_their_time(file: bytes) -> None:
    assert taken(file) == ""
    assert "recorded before, in record 9" in taken(file, answered_in=9)
    assert "its script was issued for web9" in taken(file, host=HostId("web9"))
    assert "expired at" in taken(file, after=VALID_FOR + timedelta(seconds=1))
    forged = gzip.compress(gzip.decompress(file).replace(NONCE.encode(), b"a" * 32))
    assert "answers no script that was issued here" in taken(forged)


def test_a_file_of_facts_that_was_spoilt_on_its_way_is_refused(file: bytes) -> None:
    assert taken(file[:-9]).startswith("the file is damaged")
    assert taken(file[:99] + bytes([file[99] ^ 64]) + file[100:]).startswith("the file is damaged")
    done = b"<<<%b done>>>" % NONCE.encode()
    twice = gzip.decompress(file).replace(done, done + b"\n" + done)
    assert taken(gzip.compress(twice)).startswith("the file was changed")


def test_facts_that_were_brought_say_nothing_of_what_strangers_see(file: bytes) -> None:
    renamed = gzip.decompress(file).replace(b" os.release", b" outside.ports")

    assert taken(gzip.compress(renamed)) == "the file was changed: no script asks for outside.ports"
