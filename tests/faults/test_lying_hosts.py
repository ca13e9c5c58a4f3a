"""A host whose SFTP server says what is not so, falls silent, or loses what it was given: what is said of it is the truth."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import ExitCode
from tests.backups.media.parts import sftp_table
from tests.faults.media import Place, a_disk
from tests.faults.portal import NewPortal, Portal
from tests.faults.truth import check_what_is_said
from tests.servers import SshHost, sshd

SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server")
TIMEOUT_SECONDS = 4
"""How long a silent host is waited for."""
PACK = "files.0001.age"
CLIENTS = ("openssh", "paramiko")


@dataclass
class LyingHost:
    """A host that does what a test asks for, from the next session on."""

    ssh: SshHost
    lie: Path

    def lies(self, how: str, **more: object) -> None:
        self.lie.write_text(json.dumps({"how": how, **more}))

    def is_honest(self) -> None:
        self.lie.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def a_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingHost]:
    server = next((each for each in SERVERS if Path(each).exists()), None) or shutil.which("sftp-server")
    if server is None:
        pytest.skip("there is no sftp-server")
    folder = tmp_path_factory.mktemp("lying")
    script = Path(__file__).with_name("lying_sftp.py")
    subsystem = f"Subsystem=sftp {sys.executable} -I {script} {server} {folder / 'lie'}"
    with sshd(folder / "host", options=[subsystem, "MaxStartups=100"]) as ssh:
        yield LyingHost(ssh, folder / "lie")


@pytest.fixture
def host(a_host: LyingHost) -> Iterator[LyingHost]:
    a_host.ssh.let_in()
    yield a_host
    a_host.is_honest()


def places(host: LyingHost, folder: Path, **more: object) -> dict[str, Place]:
    """Return the media of a portal: a folder on the host, and a disk beside it."""
    settings = sftp_table(host.ssh, folder / "sftp", create=True, **more)
    return {
        "sftp": Place("sftp", settings, lambda: [each.name for each in (folder / "sftp").glob(".*")]),
        "disk": a_disk(folder / "disk"),
    }


def failed_run(portal: Portal) -> str:
    """Run once and return the problem of the medium on the host; the other medium has the set."""
    ended = portal.run("backup run --full")
    (made,) = ended.answers()
    assert ended.codes == (ExitCode.PARTIAL,), made
    copies = {copy["medium"]: copy for copy in made["data"]["copies"]}
    assert (copies["disk"]["state"], copies["sftp"]["state"]) == ("verified", "failed"), copies
    assert made["data"]["set"] not in portal.sets()["sftp"]
    return str(copies["sftp"]["problem"])


LIES: dict[str, dict[str, Any]] = {
    "drops": {"after": 100, "of": PACK},
    "zeroes": {"after": 100, "of": PACK},
    "tail": {"of": PACK},
    "drops a tag file": {"after": 100, "of": "set.json"},
    "zeroes a tag file": {"after": 100, "of": "tagmanifest-sha256.txt"},
    "tail of a tag file": {"of": "manifest-sha256.txt"},
}


@pytest.mark.parametrize(
    "how", [each if each == "zeroes" else pytest.param(each, marks=pytest.mark.exhaustive) for each in LIES]
)
def test_what_a_host_does_not_keep_is_no_copy(new_portal: NewPortal, tmp_path: Path, host: LyingHost, how: str) -> None:
    """By the digests that sha256sum on the host reports."""
    portal = new_portal(media=places(host, tmp_path))
    host.lies(how.partition(" ")[0], **LIES[how])

    assert "differs from what was sent" in failed_run(portal)

    host.is_honest()
    if how != "zeroes":
        check_what_is_said(portal, how)


@pytest.mark.parametrize(
    "how", [pytest.param(each, marks=pytest.mark.heavy if each == "tail" else pytest.mark.exhaustive) for each in LIES]
)
def test_what_a_host_without_a_shell_does_not_keep_is_no_copy(
    new_portal: NewPortal, tmp_path: Path, host: LyingHost, how: str
) -> None:
    """By reading back what was sent."""
    host.ssh.let_in(f'restrict,command="{command_of_subsystem(host)}"')
    portal = new_portal(media=places(host, tmp_path))
    host.lies(how.partition(" ")[0], **LIES[how])

    assert "differs from what was sent" in failed_run(portal)

    host.is_honest()
    check_what_is_said(portal, f"{how}, without a shell")


def command_of_subsystem(host: LyingHost) -> str:
    server = next(each for each in SERVERS if Path(each).exists())
    return f"{sys.executable} -I {Path(__file__).with_name('lying_sftp.py')} {server} {host.lie}"


REQUESTS = {
    "open": 3,
    "close": 4,
    "read": 5,
    "write": 6,
    "list": 11,
    "rename": 18,
    "make": 14,
    "status": 7,
    "extended": 200,
}
"""Types of the protocol's requests."""


def stalls(portal: Portal, host: LyingHost, request: str, after: int) -> bool:
    """Run while the host falls silent at a request; say whether it came to that."""
    host.lies("stalls", type=REQUESTS[request], after=after)
    begun = time.monotonic()
    ended = portal.run("backup run --full")
    took = time.monotonic() - begun
    (made,) = ended.answers()
    host.is_honest()
    copies = {copy["medium"]: copy for copy in made["data"]["copies"]}
    assert copies["disk"]["state"] == "verified", copies
    assert took < 15 * TIMEOUT_SECONDS, took
    if ended.codes == (ExitCode.OK,):
        return False
    assert ended.codes == (ExitCode.PARTIAL,) and copies["sftp"]["problem"], made
    return True


@pytest.mark.heavy
def test_a_host_that_falls_silent_is_waited_for_a_bounded_time(
    new_portal: NewPortal, tmp_path: Path, host: LyingHost
) -> None:
    portal = new_portal(media=places(host, tmp_path, timeout_seconds=TIMEOUT_SECONDS))

    assert stalls(portal, host, "write", 3)


@pytest.mark.exhaustive
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("request_type", REQUESTS)
def test_a_host_may_fall_silent_at_any_request(
    new_portal: NewPortal, tmp_path: Path, host: LyingHost, request_type: str, client: str
) -> None:
    portal = new_portal(media=places(host, tmp_path, client=client, timeout_seconds=TIMEOUT_SECONDS))

    if stalls(portal, host, request_type, 0):
        portal.recovers(f"silent at the first {request_type}")
    if stalls(portal, host, request_type, 2):
        check_what_is_said(portal, f"silent at the third {request_type}")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("backup verify latest", marks=pytest.mark.heavy),
        pytest.param("backup replicate", marks=pytest.mark.exhaustive),
        pytest.param("backup prune --trust-clock", marks=pytest.mark.exhaustive),
    ],
)
def test_a_host_that_is_silent_says_nothing_of_its_copies(
    new_portal: NewPortal, tmp_path: Path, host: LyingHost, command: str
) -> None:
    portal = new_portal(media=places(host, tmp_path, timeout_seconds=TIMEOUT_SECONDS))
    for request_type in ("read", "list"):
        host.lies("stalls", type=REQUESTS[request_type], after=0)
        begun = time.monotonic()
        ended = portal.run(command)
        assert time.monotonic() - begun < 15 * TIMEOUT_SECONDS
        assert ended.codes and ended.codes[0] in {ExitCode.OK, ExitCode.PARTIAL, ExitCode.INTEGRITY}, ended.output
        host.is_honest()
        (listed,) = portal.run("backup list").answers()
        states = {copy["state"] for made in listed["data"] for copy in made["copies"]}
        assert states == {"verified"}, (command, request_type, listed)
    check_what_is_said(portal, command)


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(PACK, marks=pytest.mark.heavy),
        *(
            pytest.param(each, marks=pytest.mark.exhaustive)
            for each in ("set.json", "tagmanifest-sha256.txt", "restore.sh")
        ),
    ],
)
def test_a_tail_that_is_lost_after_the_run_is_found(
    new_portal: NewPortal, tmp_path: Path, host: LyingHost, part: str
) -> None:
    """All was confirmed, and the host loses power before its disk has it."""
    portal = new_portal(media=places(host, tmp_path))
    (set_id,) = portal.sets()["sftp"]
    (path,) = (tmp_path / "sftp" / set_id).rglob(part)
    os.truncate(path, path.stat().st_size - 7)

    check_what_is_said(portal, f"{part} lost its tail")
