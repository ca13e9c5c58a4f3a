"""Sets on a host over SFTP, against a real sshd: keys that do not fit, hosts that go, disks that fill, runs that die."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from backups.media import build_medium
from portalops.errors import ConfigurationError, MediumUnavailable, SetDamaged
from portalops.model.backups import CopyState, SetId
from portalops.ports import Medium, SetWriter, StoredSet
from portalops.system.openssh import ssh_arguments
from portalops.system.ssh import SshTarget
from tests.backups.kit import MIB, back_up, disk, source, table
from tests.backups.media.parts import sftp_table
from tests.backups.media.test_disk import small_disk
from tests.contract.test_media import SET, put, read, small_set
from tests.servers import SshHost, new_key, sshd

__all__ = ["small_disk"]

ROOT = Path(__file__).parents[3]
PACK = "data/content/portal/files.0001.age"
CLIENTS = ("openssh", "paramiko")
both_clients = pytest.mark.parametrize("client", CLIENTS)


def sftp(host: SshHost, work: Path, **more: object) -> Medium:
    values = {**sftp_table(host, work / "sftp", create=True), **more}
    return build_medium(table("sftp", values, work, "sftp-a"))


def write_much(writer: SetWriter) -> None:
    for _piece in range(200):
        writer.write(bytes(MIB))


def read_all(stored: StoredSet, path: str, after_the_first: Callable[[], None]) -> None:
    with stored.open(path) as file:
        file.read(100)
        after_the_first()
        while file.read(MIB):
            pass


def host_of_its_own(folder: Path, *, server: str = "internal-sftp", restriction: str = "restrict") -> Any:
    """Run an sshd that a test may harm; use as a context."""

    class Host(AbstractContextManager[SshHost]):
        def __enter__(self) -> SshHost:
            self._running = sshd(folder / "host", options=[f"Subsystem=sftp {server}"])
            host = self._running.__enter__()
            host.let_in(restriction)
            return host

        def __exit__(self, *problem: Any) -> None:
            self._running.__exit__(*problem)

    return Host()


def tree(folder: Path, size: int = 3 * MIB) -> list[Any]:
    place = folder / "tree"
    place.mkdir(exist_ok=True)
    (place / "noise.bin").write_bytes(os.urandom(size))
    return [source("files", {"include": [str(place)]}, folder)]


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "sftp").iterdir())


@both_clients
def test_a_set_is_written_and_read_back(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    result = back_up(tree(tmp_path), [sftp(ssh_host, tmp_path, client=client)])

    (copy,) = result.copies
    assert copy.state is CopyState.VERIFIED, copy.problem
    assert there(tmp_path) == [copy.set_id]
    folder = tmp_path / "sftp" / copy.set_id
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "bagit.txt").stat().st_mode & 0o077 == 0


def test_a_folder_on_this_machine_beside_the_source_is_told(
    ssh_host: SshHost, tmp_path: Path, small_disk: Path
) -> None:
    assert sftp(ssh_host, tmp_path).prepare([tmp_path]) is True
    assert sftp(ssh_host, tmp_path).prepare([tmp_path / "no such source"]) is False
    assert sftp(ssh_host, small_disk).prepare([tmp_path]) is False
    assert there(tmp_path) == []


def test_a_server_without_extensions_is_enough(tmp_path: Path) -> None:
    with host_of_its_own(tmp_path, server="internal-sftp -P statvfs,fsync,limits,posix-rename") as host:
        result = back_up(tree(tmp_path), [sftp(host, tmp_path)])

    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem


# --- Who the host is, and whom it lets in ---------------------------------------------------------


@both_clients
def test_a_changed_host_key_is_refused_before_anything_is_sent(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    other = " ".join(new_key(tmp_path / "other").split()[:2])
    medium = sftp(ssh_host, tmp_path, client=client, host_key=other)

    result = back_up(tree(tmp_path), [medium, disk(tmp_path, "disk-b")])

    refused, good = result.copies
    assert (refused.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert re.search(r"has another host key than the recorded one: (ssh-ed25519|ED25519) SHA256:", refused.problem)
    assert not (tmp_path / "sftp").exists()


@both_clients
def test_a_key_that_the_host_does_not_know_is_refused(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    new_key(tmp_path / "stranger")

    with pytest.raises(MediumUnavailable, match="it refuses this key"):
        sftp(ssh_host, tmp_path, client=client, identity_file=str(tmp_path / "stranger")).sets()


@both_clients
def test_a_host_without_a_key_of_the_pinned_type_is_refused(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", tmp_path / "rsa"], check=True)
    key = " ".join((tmp_path / "rsa.pub").read_text().split()[:2])

    with pytest.raises(MediumUnavailable, match="it has no host key of the recorded type"):
        sftp(ssh_host, tmp_path, client=client, host_key=key).sets()


@both_clients
def test_a_host_that_is_not_there_is_told(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    with pytest.raises(MediumUnavailable, match=r"cannot open a session on .*:1: .*[Cc]onnection refused"):
        sftp(ssh_host, tmp_path, client=client, port=1).sets()


@both_clients
def test_a_private_key_that_others_can_read_is_refused(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    new_key(tmp_path / "open")
    (tmp_path / "open").chmod(0o644)

    result = back_up(tree(tmp_path), [sftp(ssh_host, tmp_path, client=client, identity_file=str(tmp_path / "open"))])

    assert "can be read or changed by others" in result.copies[0].problem


def test_a_set_that_lost_some_of_its_files_is_still_listed(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])
    small_set(medium)
    for name in (SET, "some-files-of-mine-here"):
        (tmp_path / "sftp" / name).mkdir(exist_ok=True)
        (tmp_path / "sftp" / name / "set.json").write_text("{}")
    (tmp_path / "sftp" / SET / "bagit.txt").unlink()

    assert medium.sets() == (SET,)


def test_known_hosts_may_pin_the_key(ssh_host: SshHost, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{ssh_host.port} {ssh_host.host_key}\n")
    values = sftp_table(ssh_host, tmp_path / "sftp", create=True, known_hosts="known_hosts")
    del values["host_key"]
    medium = build_medium(table("sftp", values, tmp_path, "sftp-a"))
    medium.prepare([])
    small_set(medium)
    assert medium.sets() == (SET,)

    (tmp_path / "known_hosts").write_text(f"elsewhere {ssh_host.host_key}\n")
    with pytest.raises(MediumUnavailable, match=r"has no key of 127\.0\.0\.1"):
        medium.sets()


@both_clients
def test_a_host_that_says_something_else_is_no_sftp_server(tmp_path: Path, client: str) -> None:
    talks = 'restrict,command="echo Welcome to this host, please read the rules"'
    with (
        host_of_its_own(tmp_path, restriction=talks) as host,
        pytest.raises(MediumUnavailable, match="cannot open a session"),
    ):
        sftp(host, tmp_path, client=client).sets()


# --- Disks ----------------------------------------------------------------------------------------


@pytest.mark.heavy
@both_clients
def test_a_full_disk_fails_alone_and_keeps_what_is_whole_until_the_next_full_set(
    ssh_host: SshHost, tmp_path: Path, small_disk: Path, client: str
) -> None:
    values = sftp_table(ssh_host, small_disk / "sftp", create=True, client=client)
    medium = build_medium(table("sftp", values, tmp_path, "sftp-a"))

    result = back_up(tree(tmp_path, 9 * MIB), [medium, disk(tmp_path, "disk-b")])

    full, good = result.copies
    assert (full.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "the disk there is full" in full.problem
    (left,) = there(small_disk)
    assert left.startswith(f".incoming-{full.set_id}@")
    again = back_up(tree(tmp_path, MIB), [medium])
    assert again.copies[0].state is CopyState.VERIFIED


def test_too_little_space_is_told_before_anything_is_written(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])

    with pytest.raises(MediumUnavailable, match=r"[\d.]+ [KMGTP]iB are free, but the set needs about"):
        medium.begin(SET, expected_bytes=1 << 60)
    assert there(tmp_path) == []


def test_an_absent_folder_is_refused_unless_it_may_be_made(ssh_host: SshHost, tmp_path: Path) -> None:
    with pytest.raises(MediumUnavailable, match="there is no folder") as caught:
        sftp(ssh_host, tmp_path, create=False).prepare([])
    assert "create = true" in str(caught.value.hint)
    assert not (tmp_path / "sftp").exists()

    sftp(ssh_host, tmp_path, folder=str(tmp_path / "sftp" / "a" / "b")).prepare([])
    assert (tmp_path / "sftp" / "a" / "b").is_dir()


@pytest.mark.heavy
@pytest.mark.parametrize("restriction", ["restrict", 'restrict,command="internal-sftp"'])
def test_a_file_that_is_not_as_it_was_sent_is_found_before_the_set_is_visible(tmp_path: Path, restriction: str) -> None:
    with host_of_its_own(tmp_path, restriction=restriction) as host:
        medium = sftp(host, tmp_path)
        medium.prepare([])
        writer = medium.begin(SET, expected_bytes=0)
        put(writer, "bagit.txt", b"x" * 10_000)
        put(writer, PACK, b"onetwo")
        (incoming,) = (tmp_path / "sftp").iterdir()
        (incoming / PACK).write_bytes(b"onetwi")

        with pytest.raises(MediumUnavailable, match=rf"{PACK} on the host differs from what was sent"):
            writer.seal()
        writer.abandon()

        assert there(tmp_path) == []
        small_set(medium)
        assert read(medium.open_set(SET), PACK) == b"onetwo"


def test_what_took_the_name_meanwhile_is_not_replaced(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"x")
    (tmp_path / "sftp" / SET).mkdir()

    with pytest.raises(MediumUnavailable):
        writer.seal()
    writer.abandon()

    assert list((tmp_path / "sftp" / SET).iterdir()) == []
    assert there(tmp_path) == [SET]


def test_a_removal_that_died_is_ended_by_the_next(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])
    small_set(medium)
    (tmp_path / "sftp" / SET).rename(tmp_path / "sftp" / f".removing-{SET}")
    small_set(medium)

    medium.remove(SET)

    assert there(tmp_path) == []
    (tmp_path / "sftp" / f".removing-{SET}").mkdir()
    medium.prepare([])
    assert there(tmp_path) == []


def test_a_link_in_place_of_a_file_is_not_followed(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])
    small_set(medium)
    (tmp_path / "elsewhere").write_bytes(b"onetwo")
    (tmp_path / "sftp" / SET / PACK).unlink()
    (tmp_path / "sftp" / SET / PACK).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SetDamaged, match=rf"{PACK}: not a regular file"):
        read(medium.open_set(SET), PACK)


# --- Connections that end -------------------------------------------------------------------------


def sessions(host: SshHost) -> list[psutil.Process]:
    return psutil.Process(host.pid).children(recursive=True)


def kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # one may end with the other
            process.kill()


@pytest.mark.heavy
@both_clients
def test_a_connection_that_is_cut_in_mid_file_fails_alone(tmp_path: Path, client: str) -> None:
    with host_of_its_own(tmp_path) as host:
        medium = sftp(host, tmp_path, client=client)
        medium.prepare([])
        writer = medium.begin(SET, expected_bytes=0)
        writer.open(PACK)
        writer.write(bytes(8 * MIB))
        kill(sessions(host))

        with pytest.raises(MediumUnavailable, match=r"the connection to .* broke"):
            write_much(writer)
        assert medium.sets() == ()
        writer.abandon()

        assert there(tmp_path) == []
        assert back_up(tree(tmp_path), [medium]).copies[0].state is CopyState.VERIFIED


@pytest.mark.heavy
@both_clients
def test_a_host_that_falls_silent_is_given_up(tmp_path: Path, client: str) -> None:
    with host_of_its_own(tmp_path) as host:
        medium = sftp(host, tmp_path, client=client, timeout_seconds=4)
        medium.prepare([])
        writer = medium.begin(SET, expected_bytes=0)
        writer.open(PACK)
        stopped = sessions(host)
        for process in stopped:
            process.suspend()

        try:
            with pytest.raises(MediumUnavailable, match=r"the connection to .* broke"):
                write_much(writer)
        finally:
            kill(stopped)
        writer.abandon()
        assert there(tmp_path) == []


def test_reading_that_is_cut_is_no_damage(tmp_path: Path) -> None:
    with host_of_its_own(tmp_path) as host:
        medium = sftp(host, tmp_path)
        medium.prepare([])
        writer = medium.begin(SET, expected_bytes=0)
        put(writer, "bagit.txt", bytes(40 * MIB))
        writer.seal()

        with pytest.raises(MediumUnavailable, match="broke"):
            read_all(medium.open_set(SET), "bagit.txt", lambda: kill(sessions(host)))


# --- Runs that die --------------------------------------------------------------------------------

KILLED = """
import json, sys, time
from pathlib import Path
from backups.media import build_medium
from portalops.config.tables import KindTable
from tests.contract.test_media import SET, put
folder = Path(sys.argv[1])
medium = build_medium(KindTable.alone("sftp-a", "sftp", json.loads(sys.argv[2]), folder))
medium.prepare([])
writer = medium.begin(SET, expected_bytes=0)
put(writer, "bagit.txt", b"x")
writer.open("data/content/portal/files.0001.age")
writer.write(bytes(3 << 20))
print("writing", flush=True)
time.sleep(60)
"""


@pytest.mark.heavy
@both_clients
def test_a_killed_run_leaves_no_set_and_the_next_run_cleans_up(ssh_host: SshHost, tmp_path: Path, client: str) -> None:
    values = sftp_table(ssh_host, tmp_path / "sftp", create=True, client=client)
    argv = [sys.executable, "-c", KILLED, str(tmp_path), json.dumps(values)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    medium = sftp(ssh_host, tmp_path, client=client)

    medium.prepare([])  # the run is alive: its folder stays
    assert [name.partition("@")[0] for name in there(tmp_path)] == [f".incoming-{SET}"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert medium.sets() == ()

    medium.prepare([])
    assert there(tmp_path) == []
    small_set(medium)
    assert medium.sets() == (SET,)


def test_what_another_machine_has_not_touched_for_a_day_is_removed(ssh_host: SshHost, tmp_path: Path) -> None:
    medium = sftp(ssh_host, tmp_path)
    medium.prepare([])
    foreign = "0123456789ab-1-2-3"
    for name in ("old", "new"):
        place = tmp_path / "sftp" / f".incoming-{name}@{foreign}" / "data"
        place.mkdir(parents=True)
        (place / "pack").write_bytes(b"half")
    for path in [*(tmp_path / "sftp").rglob("*"), *(tmp_path / "sftp").iterdir()]:
        if "old@" in str(path):
            os.utime(path, (1_700_000_000, 1_700_000_000))

    medium.prepare([])

    assert there(tmp_path) == [f".incoming-new@{foreign}"]


# --- Much data ------------------------------------------------------------------------------------


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: what is measured in gigabytes does not go to a disk."""
    import tempfile

    base = "/dev/shm" if Path("/dev/shm").is_dir() else str(tmp_path)
    with tempfile.TemporaryDirectory(prefix="portalops-sftp-", dir=base) as name:
        yield Path(name)


@pytest.mark.heavy
def test_paramiko_carries_more_than_it_does_by_itself_between_two_keys(ssh_host: SshHost, memory_folder: Path) -> None:
    medium = sftp(ssh_host, memory_folder, client="paramiko")
    medium.prepare([])
    piece = os.urandom(MIB)
    writer = medium.begin(SetId(SET), expected_bytes=0)
    writer.open("large")
    for _piece in range(2300):
        writer.write(piece)
    writer.close()
    put(writer, "bagit.txt", b"x")
    writer.seal()

    total = 0
    with medium.open_set(SET).open("large") as file:
        while part := file.read(MIB):
            total += len(part)
    assert total == 2300 * MIB


# --- Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host_key": None}, "needs exactly one of host_key and known_hosts"),
        ({"known_hosts": "known_hosts"}, "needs exactly one of host_key and known_hosts"),
        ({"host_key": "AAAA"}, "is not TYPE BASE64"),
        ({"client": "putty"}, "client"),
        ({"password": "secret"}, "password"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    values = sftp_table(SshHost(1, "ssh-ed25519 AAAA", tmp_path, ""), tmp_path) | change
    values = {name: value for name, value in values.items() if value is not None}

    with pytest.raises(ConfigurationError, match=said):
        build_medium(table("sftp", values, tmp_path, "sftp-a"))


def test_the_command_line_of_ssh_pins_the_key_and_reads_no_configuration(tmp_path: Path) -> None:
    target = SshTarget("-oProxyCommand=x", 2222, "portal", tmp_path / 'a "b" %h', ["ssh-rsa AAAA", "ssh-ed25519 BBBB"])

    argv = ssh_arguments(
        target, Path("/usr/bin/ssh"), Path("/run/known"), timeout_seconds=20, log=Path("/run/log"), subsystem="sftp"
    )

    assert argv[:5] == ("/usr/bin/ssh", "-F", "none", "-T", "-x")
    assert argv[-7:] == ("2222", "-l", "portal", "-s", "--", "-oProxyCommand=x", "sftp")
    assert "HostKeyAlgorithms=ssh-ed25519,rsa-sha2-512,rsa-sha2-256" in argv
    assert f'IdentityFile="{tmp_path}/a \\"b\\" %%h"' in argv
    assert {"StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "BatchMode=yes", "IdentityAgent=none"} <= set(argv)
