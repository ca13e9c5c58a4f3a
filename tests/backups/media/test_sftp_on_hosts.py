"""Sets on a whole Debian host over SFTP, as an administrator would have it: locked into a folder, without a shell, on a small disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.media import build_medium
from portalops.errors import MediumUnavailable
from portalops.model.backups import CopyState
from portalops.ports import Medium, Source
from tests.backups.kit import MIB, back_up, disk, source, table
from tests.backups.sources.test_from_hosts import meanwhile, wait_until
from tests.contract.test_media import SET, put, small_set
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CLIENTS = ("openssh", "paramiko")
both_clients = pytest.mark.parametrize("client", CLIENTS)
LOCKED_IN = """
Match User kho
    ChrootDirectory /srv/kho
    ForceCommand internal-sftp
    AllowTcpForwarding no
"""


@pytest.fixture(scope="module")
def host(hosts: Hosts) -> Iterator[Host]:
    with hosts.started(name="kho") as made:
        made.add_account("kho", shell="/usr/sbin/nologin")
        made.sh("cat >/etc/ssh/sshd_config.d/kho.conf; systemctl reload ssh", stdin=LOCKED_IN.encode())
        made.sh("echo 'Chỉ dành cán bộ: permission denied to all others' >/etc/issue.net")
        made.sh("echo 'Banner /etc/issue.net' >/etc/ssh/sshd_config.d/a-banner.conf; systemctl reload ssh")
        made.add_account("portal")
        made.sh("mkdir -p /srv/kho/sets")
        yield made


@pytest.fixture
def sets(host: Host) -> Iterator[str]:
    """An empty disk of 24 MiB on the host, as the host itself names it."""
    host.sh("mount -t tmpfs -o size=24m,mode=700,uid=$(id -u kho) none /srv/kho/sets")
    yield "/srv/kho/sets"
    host.mend()
    wait_until(lambda: host.sh("umount /srv/kho/sets && echo done || true"))


def sftp(host: Host, here: Path, **more: object) -> Medium:
    values = {**host.ssh("kho"), "folder": "/sets", "tries": 1, **more}
    return build_medium(table("sftp", values, here, "sftp-a"))


def tree(here: Path, size: int) -> list[Source]:
    folder = here / "portal"
    folder.mkdir(exist_ok=True)
    with Path("/dev/urandom").open("rb") as random:
        (folder / "bài viết").write_bytes(random.read(size))
    return [source("files", {"include": [str(folder)]}, here)]


@both_clients
def test_a_set_lies_in_a_locked_folder_without_a_shell_as_stock_tools_find_it_whole(
    host: Host, sets: str, tmp_path: Path, client: str
) -> None:
    medium = sftp(host, tmp_path, client=client)

    result = back_up(tree(tmp_path, 5 * MIB), [medium])

    assert result.set is not None, result.copies
    assert result.copies[0].state is CopyState.VERIFIED, result.copies[0].problem
    assert host.sh(f"ls -A {sets}").split() == [result.set.id]
    said = host.sh(
        f"cd {sets}/{result.set.id} && sha256sum --check --quiet --strict manifest-sha256.txt tagmanifest-sha256.txt"
    )
    assert said == ""


@both_clients
def test_a_byte_that_changes_on_the_hosts_disk_is_found(host: Host, sets: str, tmp_path: Path, client: str) -> None:
    medium = sftp(host, tmp_path, client=client)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    put(writer, "bagit.txt", b"BagIt-Version: 1.0\n")
    put(writer, "data/content/portal/files.0001.age", bytes(MIB))
    host.sh(
        f"printf x | dd of=$(echo {sets}/.incoming-*/data/content/portal/files.0001.age) bs=1 seek=77777 conv=notrunc status=none"
    )

    with pytest.raises(MediumUnavailable, match="on the host differs from what was sent"):
        writer.seal()

    assert medium.sets() == ()


@both_clients
def test_a_disk_that_fills_on_the_host_fails_alone(host: Host, sets: str, tmp_path: Path, client: str) -> None:
    medium = sftp(host, tmp_path, client=client)
    medium.prepare([])
    writer = medium.begin(SET, expected_bytes=0)
    with pytest.raises(MediumUnavailable, match="the disk there is full: 0 B are free"):
        put(writer, "data/content/portal/files.0001.age", *(bytes(MIB) for _piece in range(40)))
    writer.abandon()

    refused, good = back_up(tree(tmp_path, 30 * MIB), [medium, disk(tmp_path, "disk-b")]).copies

    assert (refused.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "free" in refused.problem
    host.sh(f"rm -rf {sets}/.incoming-*")
    assert back_up(tree(tmp_path, MIB), [medium]).copies[0].state is CopyState.VERIFIED


@both_clients
def test_a_cable_that_is_cut_amid_a_set_fails_this_medium_in_time(
    host: Host, sets: str, tmp_path: Path, client: str
) -> None:
    medium = sftp(host, tmp_path, client=client, timeout_seconds=3)

    def cut() -> None:
        wait_until(lambda: host.sh(f"ls {sets}/.incoming-*/data/content/*/*.age 2>/dev/null || true"), seconds=60)
        host.cut()
        (tmp_path / "cut").touch()

    some = "head -c 100000 /dev/urandom"
    slow = [
        "sh",
        "-c",
        f"until [ -e {tmp_path}/cut ]; do {some}; sleep 0.05; done; for each in 1 2 3 4 5 6; do {some}; done",
    ]
    begun = time.monotonic()
    with meanwhile(cut):
        result = back_up(
            [source("command", {"command": slow}, tmp_path)], [medium, disk(tmp_path, "disk-b")], pack_bytes=200_000
        )

    lost, good = result.copies
    assert time.monotonic() - begun < 90
    assert (lost.state, good.state) == (CopyState.FAILED, CopyState.VERIFIED)
    assert "the connection to kho@" in lost.problem or "cannot open a session on kho@" in lost.problem
    host.mend()
    wait_until(lambda: not host.accounts_processes("kho"), seconds=60)
    assert medium.sets() == ()
    assert back_up(tree(tmp_path, MIB), [medium]).copies[0].state is CopyState.VERIFIED


@both_clients
def test_a_host_with_a_new_key_is_given_nothing_by_sftp(host: Host, sets: str, tmp_path: Path, client: str) -> None:
    medium = sftp(host, tmp_path, client=client)
    medium.prepare([])
    small_set(medium)
    host.new_host_key()

    result = back_up(tree(tmp_path, MIB), [medium, disk(tmp_path, "disk-b")])

    assert [each.state for each in result.copies] == [CopyState.FAILED, CopyState.VERIFIED]
    assert "another host key than the recorded one" in result.copies[0].problem
    assert host.sh(f"ls -A {sets}").split() == [SET]
    assert sftp(host, tmp_path, client=client).sets() == (SET,)


def test_an_sftp_host_that_lets_the_key_in_no_more_says_so_and_not_what_its_banner_says(
    host: Host, sets: str, tmp_path: Path
) -> None:
    host.add_account("khac", shell="/usr/sbin/nologin")
    host.sh("rm ~khac/.ssh/authorized_keys")

    with pytest.raises(MediumUnavailable, match="it refuses this key"):
        sftp(host, tmp_path, user="khac").sets()
    host.sh(
        "mv /etc/ssh/sshd_config /srv/; grep -v Subsystem /srv/sshd_config >/etc/ssh/sshd_config; systemctl reload ssh"
    )
    try:
        with pytest.raises(MediumUnavailable, match="subsystem request failed"):
            sftp(host, tmp_path, user="portal", client="openssh").sets()
    finally:
        host.sh("mv /srv/sshd_config /etc/ssh/sshd_config; systemctl reload ssh")
    host.cut()
    try:
        with pytest.raises(MediumUnavailable, match=r"it did not answer in time|No route to host") as told:
            sftp(host, tmp_path, timeout_seconds=2).sets()
    finally:
        host.mend()
    assert "does not let" not in str(told.value)
